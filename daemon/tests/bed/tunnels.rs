//! Two routers of this process with tunnels between them, on fake kernels: what one sends the other gets.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use isthmus_kernel::{Acquire, Action, Direction, Event, PolicySpec};
use isthmusd::config::load;
use isthmusd::router::Shared;
use isthmusd::router::reconcile::reconcile;
use isthmusd::tasks;

use super::Bed;

pub const FIRST: &str = "192.0.2.1";

pub const SECOND: &str = "192.0.2.2";

pub fn config(local: &str, remote: &str, entries: usize) -> String {
    let mut text = format!(
        "crypto isakmp policy 10
 encryption aes 256
 hash sha256
 authentication pre-share
 group 14
crypto isakmp key corinth address {remote}
crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac
interface wan0
 ip address {local} 255.255.255.0
 crypto map VPN
ip access-list extended FLOW
 permit ip any any
"
    );
    for entry in 1..=entries {
        let ours = "10.0.0.0 0.255.255.255".to_owned();
        let theirs = format!("172.{}.{}.0 0.0.0.255", 16 + entry / 256, entry % 256);
        let (from, to) = match local {
            FIRST => (ours, theirs),
            _ => (theirs, ours),
        };
        let _ = write!(
            text,
            "crypto map VPN {entry} ipsec-isakmp
 set peer {remote}
 set transform-set TS
 match address F{entry}
ip access-list extended F{entry}
 permit ip {from} {to}
",
        );
    }
    text
}

pub async fn configure(bed: &Bed, text: &str) {
    bed.fake.add_link("wan0");
    let (running, problems) = load(text, "test");
    assert_eq!(problems, []);
    *bed.router.borrow_mut().running = running;
    bed.router.borrow_mut().configured();
    reconcile(&bed.router).await.unwrap();
    tasks::carry_out(&bed.router, |_, _, _| Ok(())).await;
}

/// The outbound policies of a router, the first first.
pub async fn outbound(router: &Shared) -> Vec<PolicySpec> {
    let kernel = router.borrow().kernel.clone();
    let policies = kernel.dump_policies().await.unwrap();
    let policies = policies.into_iter().map(|policy| policy.spec);
    let outbound = policies.filter(|policy| policy.key.direction == Direction::Out);
    let mut outbound: Vec<_> = outbound.collect();
    outbound.sort_by_cached_key(|policy| (policy.priority, policy.key.selector.to_string()));
    outbound
}

/// A packet meets a policy.
fn traffic(router: &Shared, policy: &PolicySpec) {
    let Action::Protect(templates) = &policy.action else {
        panic!("not protected: {policy:?}");
    };
    let acquire = Acquire {
        reqid: templates[0].reqid,
        protocol: templates[0].protocol,
        source: templates[0].source,
        destination: templates[0].destination,
        policy: policy.key,
        priority: policy.priority,
        policy_index: 1,
        packet: policy.key.selector,
        sequence: 1,
    };
    tasks::kernel_event(router, Event::Acquire(acquire));
}

/// Carries out the work of one router; what it sends is taken off it.
pub async fn sent(router: &Shared) -> VecDeque<(SocketAddr, SocketAddr, Vec<u8>)> {
    let mut wire = VecDeque::new();
    tasks::carry_out(router, |local, remote, bytes| {
        wire.push_back((local, remote, bytes.to_vec()));
        Ok(())
    })
    .await;
    wire
}

/// Children that are up.
pub fn up(router: &Shared) -> usize {
    let router = router.borrow();
    router.tunnels.engine.children(router.now()).len()
}

/// A whole negotiation between two routers of this process; how many children the first has then.
pub async fn handshake(a: &Shared, b: &Shared) -> usize {
    tunnel(a, b, &outbound(a).await[0]).await;
    up(a)
}

/// The same for the flow of a policy; waits where the first router takes its time between two negotiations.
pub async fn tunnel(a: &Shared, b: &Shared, policy: &PolicySpec) {
    traffic(a, policy);
    for _ in 0..100 {
        for _ in 0..10 {
            for (local, remote, bytes) in sent(a).await {
                b.borrow_mut().datagram(remote, local, &bytes);
            }
            for (local, remote, bytes) in sent(b).await {
                a.borrow_mut().datagram(remote, local, &bytes);
            }
        }
        if !wants(a, policy) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        a.borrow_mut().until_timeout();
    }
}

/// The flow of a policy is being negotiated, or waits for it.
fn wants(router: &Shared, policy: &PolicySpec) -> bool {
    let Action::Protect(templates) = &policy.action else {
        return false;
    };
    let tunnels = &router.borrow().tunnels;
    let name = tunnels
        .plan
        .by_reqid(templates[0].reqid, policy.key.interface);
    name.is_some_and(|name| tunnels.engine.is_wanted(name.0, name.1))
}
