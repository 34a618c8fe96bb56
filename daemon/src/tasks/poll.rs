//! What is done from time to time: counters that the engine wants, dropped clear-text packets, the load of the machine. Started by
//! `tasks::run`.

use std::collections::HashMap;
use std::time::Duration;

use futures::future::join_all;
use ike::Traffic;
use ike::child::ChildId;
use ike::status::ChildStatus;
use isthmus_kernel::{SaId, SaStats};
use tokio::time::MissedTickBehavior;

use crate::log::Severity;
use crate::machine::load;
use crate::plan::child::sa_id;
use crate::router::{Router, Shared};

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

/// So many children are looked at before datagrams have their turn; so few are asked for one by one.
const SLICE: usize = 200;

async fn counters(router: &Shared) {
    let (kernel, wanted) = {
        let router = router.borrow();
        (router.kernel.clone(), router.tunnels.engine.wants_traffic())
    };
    let few = wanted.len() <= SLICE;
    let mut counters = HashMap::new();
    if !few {
        let Ok(sas) = kernel.dump_sas().await else {
            return;
        };
        counters.extend(sas.into_iter().map(|sa| (sa.id, sa.stats)));
    }
    for slice in wanted.chunks(SLICE) {
        let parts: Vec<_> = {
            let router = router.borrow();
            let now = router.now();
            let children = slice.iter();
            children
                .filter_map(|id| Some((*id, first_sas(&router.tunnels.engine.child(*id, now)?)?)))
                .collect()
        };
        if few {
            let ids = parts.iter().flat_map(|(_, sas)| sas);
            let asked = ids.map(|id| async { (*id, kernel.sa_stats(*id).await) });
            let answers = join_all(asked).await.into_iter();
            counters.extend(answers.filter_map(|(id, stats)| Some((id, stats.ok()?))));
        }
        give(&mut router.borrow_mut(), &parts, &counters);
        tokio::task::yield_now().await;
    }
}

/// Gives the engine the counters of children, each with its SAs.
fn give(router: &mut Router, children: &[(ChildId, [SaId; 2])], counters: &HashMap<SaId, SaStats>) {
    let now = router.now();
    let stats = |id: &SaId| counters.get(id).copied().unwrap_or_default();
    for (child, [inbound, outbound]) in children {
        let (inbound, outbound) = (stats(inbound), stats(outbound));
        let traffic = Traffic {
            inbound_packets: inbound.packets,
            inbound_bytes: inbound.bytes,
            outbound_packets: outbound.packets,
            outbound_bytes: outbound.bytes,
        };
        router.tunnels.engine.traffic(now, *child, traffic);
    }
    router.pump();
}

/// The SAs of a child's first protocol, inbound and outbound.
fn first_sas(child: &ChildStatus) -> Option<[SaId; 2]> {
    let sa = &child.sa;
    let part = sa.protocols.first()?;
    Some([
        sa_id(sa.local, part.protocol, part.inbound_spi),
        sa_id(sa.remote, part.protocol, part.outbound_spi),
    ])
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
