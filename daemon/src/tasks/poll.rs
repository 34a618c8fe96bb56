//! What is done from time to time: counters that the engine wants, dropped clear-text packets, the load of the machine. Started by
//! `tasks::run`.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use ike::Traffic;
use isthmus_kernel::SaInfo;
use tokio::time::MissedTickBehavior;

use crate::log::Severity;
use crate::machine::load;
use crate::router::Shared;

/// Gives the engine the counters it wants (keepalive on demand) every second, and once a minute looks for packets that
/// came in clear though a crypto map names them.
pub async fn traffic(router: Shared) {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let mut clear_before = None;
    let mut seconds = 0_u64;
    loop {
        ticks.tick().await;
        counters(&router).await;
        if seconds.is_multiple_of(60) {
            not_ipsec(&router, &mut clear_before);
        }
        seconds += 1;
    }
}

/// Samples how busy the machine is, for ever.
pub async fn load(router: Shared) {
    let mut ticks = tokio::time::interval(load::EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        router.borrow_mut().load.sample();
    }
}

async fn counters(router: &Shared) {
    let (kernel, wanted) = {
        let router = router.borrow();
        let wanted: HashSet<_> = router.tunnels.engine.wants_traffic().into_iter().collect();
        (router.kernel.clone(), wanted)
    };
    if wanted.is_empty() {
        return;
    }
    let Ok(sas) = kernel.dump_sas().await else {
        return;
    };
    let by_spi: HashMap<_, &SaInfo> = sas.iter().map(|sa| (sa.id, sa)).collect();
    let mut router = router.borrow_mut();
    let now = router.now();
    let children = router.tunnels.engine.children(now);
    for child in children.iter().filter(|child| wanted.contains(&child.id)) {
        let mut traffic = Traffic::default();
        for protocol in child.sa.protocols.iter().take(1) {
            let id =
                |destination, spi| crate::plan::child::sa_id(destination, protocol.protocol, spi);
            if let Some(sa) = by_spi.get(&id(child.sa.local, protocol.inbound_spi)) {
                traffic.inbound_packets = sa.stats.packets;
                traffic.inbound_bytes = sa.stats.bytes;
            }
            if let Some(sa) = by_spi.get(&id(child.sa.remote, protocol.outbound_spi)) {
                traffic.outbound_packets = sa.stats.packets;
                traffic.outbound_bytes = sa.stats.bytes;
            }
        }
        router.tunnels.engine.traffic(now, child.id, traffic);
    }
    router.pump();
}

/// The kernel counts such packets but does not say whose they were.
fn not_ipsec(router: &Shared, before: &mut Option<u64>) {
    let mut router = router.borrow_mut();
    let count = router.kernel.xfrm_errors().get("XfrmInTmplMismatch");
    let new = before
        .replace(count)
        .map_or(0, |before| count.saturating_sub(before));
    if new > 0 {
        router.log.system(
            "CRYPTO",
            Severity::Warnings,
            "RECVD_PKT_NOT_IPSEC",
            format!("Rec'd packet not an IPSEC packet. {new} packets that match a crypto map came in clear and were dropped"),
        );
    }
}
