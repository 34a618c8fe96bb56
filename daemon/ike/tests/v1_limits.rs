//! `crypto call admission limit`.

mod support;

use std::sync::Arc;
use std::time::Duration;

use ike::config::{AdmissionLimits, ConnectionId, FlowId};
use support::World;
use support::config::{A, B, FLOW, Pair, connection, flow};

fn limited(limits: AdmissionLimits) -> Pair {
    let mut pair = Pair::usual();
    pair.a.flows.push(flow(2, "10.3.0.0/16", "10.4.0.0/16"));
    pair.b.flows.push(flow(2, "10.4.0.0/16", "10.3.0.0/16"));
    pair.global_b.admission = limits;
    pair
}

#[test]
fn a_limit_of_ipsec_sas_keeps_new_flows_out_and_lets_old_ones_be_replaced() {
    let mut pair = limited(AdmissionLimits {
        children: Some(1),
        ..AdmissionLimits::default()
    });
    (pair.a.lifetime.seconds, pair.b.lifetime.seconds) = (600, 600);
    let mut world = pair.world(1);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.acquire(0, 1, 2);
    world.run(Duration::from_secs(5));
    assert!(!world.traffic_flows(0, 1, FlowId(2)));
    let causes = world.hosts[1].causes();
    let limit = "crypto call admission limit ipsec sa";
    assert!(
        causes.iter().any(|cause| cause.contains(limit)),
        "{causes:?}"
    );
    assert!(world.hosts[1].lines().contains(&limit.to_owned()));
    // Neither may we ask for one.
    world.acquire(1, 1, 2);
    world.run(Duration::from_secs(5));
    assert!(!world.traffic_flows(0, 1, FlowId(2)));
    let admission = world.hosts[1].endpoint.admission();
    assert!(admission.incoming_children.rejected >= 1);
    assert_eq!(admission.outgoing_children.rejected, 1);
    world.run(Duration::from_secs(1200));
    assert!(
        world.traffic_flows(0, 1, FLOW),
        "rekeyed in spite of the limit"
    );
    assert!(
        world.hosts[1]
            .endpoint
            .admission()
            .incoming_children
            .accepted
            >= 2
    );
}

#[test]
fn a_limit_of_ike_sas_keeps_new_peers_out() {
    let mut pair = limited(AdmissionLimits {
        ike_sas: Some(1),
        ..AdmissionLimits::default()
    });
    pair.global_b
        .keys
        .add_address("203.0.113.5".parse().unwrap(), 32, "third".into());
    let mut second = connection(
        B,
        "203.0.113.5",
        vec![flow(1, "10.7.0.0/16", "10.8.0.0/16")],
    );
    second.id = ConnectionId(2);
    let mut config = pair.config_b();
    config.connections.push(Arc::new(second));
    let mut world = World::new(1);
    world.host(A, pair.config_a());
    world.host(B, config);
    let third = support::config::with(
        &support::config::global(B, "third"),
        &connection(
            "203.0.113.5",
            B,
            vec![flow(1, "10.8.0.0/16", "10.7.0.0/16")],
        ),
    );
    world.host("203.0.113.5", third);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.acquire(2, 1, 1);
    world.run(Duration::from_secs(5));
    assert!(world.hosts[2].kernel.halves.is_empty());
    world.acquire(1, 2, 1);
    let causes = world.hosts[1].causes();
    let limit = "crypto call admission limit ike sa";
    assert!(
        causes.iter().any(|cause| cause.contains(limit)),
        "{causes:?}"
    );
    // The peer that has an SA is let in again, and the other one when there is room.
    world.run(Duration::from_secs(30));
    world.with(0, |endpoint, now| endpoint.clear(now, ike::Clear::Sessions));
    world.run(Duration::from_secs(2));
    world.acquire(2, 1, 1);
    world.expect(60, "the other tunnel", |world| {
        world.packet_arrives(2, 1, FLOW)
    });
}
