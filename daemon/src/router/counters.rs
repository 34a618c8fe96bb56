//! What a flow's SAs carried. An SA's counters go with it: `tasks` adds them to the flow's before it is deleted, `view` adds
//! those of the SAs that are there.

use isthmus_kernel::SaStats;
use schemars::JsonSchema;
use serde::Serialize;

/// Packet counters of one flow.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Packets {
    /// Encapsulated, encrypted and signed.
    #[serde(rename = "encapsulated")]
    pub out: u64,
    /// Verified, decrypted and decapsulated.
    #[serde(rename = "decapsulated")]
    pub inbound: u64,
    /// Outgoing packets dropped.
    pub send_errors: u64,
    /// Incoming packets dropped, for any of the reasons below.
    pub recv_errors: u64,
    /// Incoming packets with a wrong integrity value.
    pub verify_failed: u64,
    /// Incoming packets outside the replay window.
    pub replay_failed: u64,
}

/// The counters since they were cleared.
pub fn since(now: SaStats, cleared: SaStats) -> SaStats {
    SaStats {
        packets: now.packets.saturating_sub(cleared.packets),
        bytes: now.bytes.saturating_sub(cleared.bytes),
        replays: now.replays.saturating_sub(cleared.replays),
        outside_window: now.outside_window.saturating_sub(cleared.outside_window),
        integrity_failures: now
            .integrity_failures
            .saturating_sub(cleared.integrity_failures),
        ..now
    }
}

/// Adds an SA's counters to a flow's.
pub fn add(sum: &mut Packets, stats: &SaStats, inbound: bool) {
    if inbound {
        let replayed = u64::from(stats.replays) + u64::from(stats.outside_window);
        sum.inbound += stats.packets;
        sum.replay_failed += replayed;
        sum.verify_failed += u64::from(stats.integrity_failures);
        sum.recv_errors += replayed + u64::from(stats.integrity_failures);
    } else {
        sum.out += stats.packets;
    }
}
