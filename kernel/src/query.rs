//! What the kernel answers: links, addresses, routes, SAs and policies as they are.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ipnet::IpNet;

use crate::{IpsecMode, PolicySpec, Reqid, RouteTarget, SaId, Selector};

/// A network interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkInfo {
    /// Kernel index.
    pub index: u32,
    /// Kernel name.
    pub name: String,
    /// Kernel kind: "veth", "dummy", "bridge", … ; empty for hardware and loopback.
    pub kind: String,
    /// Ethernet (ARPHRD_ETHER); loopbacks and tunnels are not.
    pub ethernet: bool,
    /// Hardware address, empty if it has none.
    pub mac: Vec<u8>,
    /// The hardware address that the device was made with, empty if the kernel does not know one.
    pub permanent_mac: Vec<u8>,
    /// Where the device is plugged in: `0000:03:00.0` on PCI, `1-1.2:1.0` on USB. Empty for a device without a parent,
    /// such as a veth, tap or bridge.
    pub bus: String,
    /// In bytes.
    pub mtu: u32,
    /// Administratively up (IFF_UP).
    pub up: bool,
    /// Operational: up and with carrier (IFF_RUNNING).
    pub running: bool,
    /// IFF_LOOPBACK.
    pub loopback: bool,
    /// Made by us ([`owner::LINK_GROUP`](crate::owner::LINK_GROUP)).
    pub ours: bool,
    /// Packets received.
    pub rx_packets: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bad packets received.
    pub rx_errors: u64,
    /// Packets dropped on receipt.
    pub rx_dropped: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Transmit errors.
    pub tx_errors: u64,
    /// Packets dropped before sending.
    pub tx_dropped: u64,
    /// Multicast packets received.
    pub rx_multicast: u64,
    /// Collisions.
    pub collisions: u64,
}

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressInfo {
    /// Kernel index of the interface.
    pub index: u32,
    /// Address with its prefix length.
    pub address: IpNet,
    /// A second one in the same prefix (IFA_F_SECONDARY).
    pub secondary: bool,
    /// Added by us.
    pub ours: bool,
}

/// An entry of the ARP cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeighbourInfo {
    /// Kernel index of the interface.
    pub index: u32,
    /// The neighbour's address.
    pub address: Ipv4Addr,
    /// Its hardware address, empty until the neighbour has answered.
    pub mac: Vec<u8>,
    /// Time since the neighbour was last known to be there.
    pub confirmed: Duration,
}

/// A route of the main table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteInfo {
    /// Where to.
    pub prefix: IpNet,
    /// Which way; the interface is named if the kernel told.
    pub target: RouteTarget,
    /// Kernel metric; on ours, the administrative distance.
    pub metric: u32,
    /// `rtm_protocol`: 2 kernel (connected), 3 boot, 4 static, [`owner::PROTOCOL`](crate::owner::PROTOCOL) ours.
    pub protocol: u8,
    /// On the link itself, without a router (scope link).
    pub connected: bool,
    /// The source address that the kernel prefers.
    pub source: Option<IpAddr>,
    /// Added by us.
    pub ours: bool,
}

/// Counters and times of an SA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SaStats {
    /// Bytes: the protected packets, as the kernel counts them for the byte lifetime.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
    /// When it was added, seconds since 1970.
    pub added: u64,
    /// When it was first used, seconds since 1970; 0 if it was not.
    pub used: u64,
    /// Packets dropped as replayed.
    pub replays: u32,
    /// Packets dropped because they were older than the window.
    pub outside_window: u32,
    /// Packets whose integrity check failed.
    pub integrity_failures: u32,
}

/// An SA of ours, without its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaInfo {
    /// Its name.
    pub id: SaId,
    /// Outer source.
    pub source: IpAddr,
    /// Its reqid.
    pub reqid: Reqid,
    /// Tunnel or transport.
    pub mode: IpsecMode,
    /// Its own selector, if it has one.
    pub selector: Option<Selector>,
    /// Replay window in packets.
    pub replay_window: u32,
    /// Counters.
    pub stats: SaStats,
}

/// A policy of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyInfo {
    /// As it was set, normalised.
    pub spec: PolicySpec,
    /// The kernel's number for it.
    pub index: u32,
    /// When it was set, seconds since 1970.
    pub added: u64,
    /// When a packet last met it, seconds since 1970; 0 if none did. (The kernel does not count packets per policy.)
    pub used: u64,
}

/// The kernel's XFRM error counters (`/proc/net/xfrm_stat`), of the whole network namespace since it was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct XfrmErrors(pub(crate) Vec<(String, u64)>);

impl XfrmErrors {
    /// A counter by its kernel name, such as `XfrmInNoStates`, `XfrmInTmplMismatch`, `XfrmInStateProtoError`,
    /// `XfrmOutNoStates`, `XfrmInNoPols`; 0 if the kernel does not have it.
    pub fn get(&self, name: &str) -> u64 {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map_or(0, |(_, v)| *v)
    }

    /// All, in the kernel's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(n, v)| (n.as_str(), *v))
    }
}
