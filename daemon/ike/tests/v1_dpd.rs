//! Dead peer detection: periodic, on demand, and what follows from silence.

mod support;

use std::time::Duration;

use ike::child::ChildId;
use ike::config::{Keepalive, KeepaliveKind};
use ike::event::{DownReason, Event};
use ike::{Clear, Traffic};
use support::World;
use support::config::{B, FLOW, Pair, last_failure, with};

fn keepalive(kind: KeepaliveKind) -> Keepalive {
    Keepalive {
        interval: Duration::from_secs(10),
        retry: Duration::from_secs(2),
        kind,
    }
}

fn tunnel(kind: KeepaliveKind) -> World {
    let mut pair = Pair::usual();
    pair.global_a.keepalive = Some(keepalive(kind));
    let mut world = pair.world(1);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world
}

fn asked(world: &World) -> usize {
    world.hosts[0].count(|event| matches!(event, Event::DpdSent { .. }))
}

fn answered(world: &World) -> usize {
    world.hosts[0].count(|event| matches!(event, Event::DpdAnswered { .. }))
}

#[test]
fn periodic_asks_at_every_interval() {
    let mut world = tunnel(KeepaliveKind::Periodic);
    world.run(Duration::from_secs(101));
    assert_eq!((asked(&world), answered(&world)), (10, 10));
    assert_eq!(
        world.hosts[1].count(|e| matches!(e, Event::DpdAsked { .. })),
        10
    );
    assert!(world.traffic_flows(0, 1, FLOW));
}

#[test]
fn a_dead_peer_is_noticed_and_everything_with_it_goes() {
    let mut world = tunnel(KeepaliveKind::Periodic);
    world.hosts[1].plugged = false;
    world.run(Duration::from_secs(25));
    assert_eq!(asked(&world), 5);
    let host = &world.hosts[0];
    assert!(host.has(|event| matches!(event, Event::PeerDead)));
    assert!(host.has(|e| matches!(
        e,
        Event::ChildDown {
            reason: DownReason::PeerDead,
            ..
        }
    )));
    assert!(host.has(|e| matches!(e, Event::SessionDown { .. })));
    assert_eq!(host.kernel.halves.len(), 0);
    let cause = format!("peer {B} did not answer 5 keepalives");
    assert_eq!(last_failure(host), Some(cause));
    // Nothing more is sent to it until traffic asks.
    let sent = world.wire.sent.len();
    world.run(Duration::from_secs(600));
    assert_eq!(world.wire.sent.len(), sent);
}

#[test]
fn a_lost_question_or_answer_is_no_death() {
    for seed in 0..30 {
        let mut world = tunnel(KeepaliveKind::Periodic);
        world.wire.random.0 = seed;
        world.wire.loss = 10;
        world.run(Duration::from_secs(300));
        assert!(
            !world.hosts[0].has(|event| matches!(event, Event::PeerDead)),
            "seed {seed}"
        );
    }
}

#[test]
fn on_demand_asks_only_when_nothing_comes_back() {
    let mut world = tunnel(KeepaliveKind::OnDemand);
    world.run(Duration::from_secs(100));
    assert_eq!(asked(&world), 0);
    let [child] = world.hosts[0].endpoint.wants_traffic().try_into().unwrap();
    let mut count = Traffic::default();
    // Traffic both ways: no question.
    for _ in 0..30 {
        count.inbound_packets += 1;
        count.outbound_packets += 1;
        report(&mut world, child, count);
    }
    assert_eq!(asked(&world), 0);
    // Only out: a question, and its answer lets the peer live.
    for _ in 0..15 {
        count.outbound_packets += 1;
        report(&mut world, child, count);
    }
    assert_eq!((asked(&world), answered(&world)), (1, 1));
    // Nothing at all: no question.
    (0..60).for_each(|_| report(&mut world, child, count));
    assert_eq!(asked(&world), 1);
    // Out into silence.
    world.hosts[1].plugged = false;
    for _ in 0..30 {
        count.outbound_packets += 1;
        report(&mut world, child, count);
    }
    assert!(world.hosts[0].has(|event| matches!(event, Event::PeerDead)));
}

fn report(world: &mut World, child: ChildId, count: Traffic) {
    world.run(Duration::from_secs(1));
    world.with(0, |endpoint, now| endpoint.traffic(now, child, count));
}

/// A host with two peers, of which the second is the spare one; `default_peer`: the first is the default.
fn with_a_spare(default_peer: bool) -> World {
    let mut pair = Pair::usual();
    pair.global_a.keepalive = Some(keepalive(KeepaliveKind::Periodic));
    let spare = "203.0.113.9";
    pair.a.peers = [B, spare].map(|peer| peer.parse().unwrap()).to_vec().into();
    pair.a.default_peer = default_peer;
    pair.global_a
        .keys
        .add_address(spare.parse().unwrap(), 32, "cisco123".into());
    let mut world = pair.world(1);
    pair.b.local = vec![spare.parse().unwrap()];
    world.host(spare, with(&pair.global_b, &pair.b));
    world
}

#[test]
fn the_next_peer_takes_over_from_a_dead_one() {
    let mut world = with_a_spare(false);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.hosts[1].plugged = false;
    world.expect(30, "death", |w| {
        w.hosts[0].has(|event| matches!(event, Event::PeerDead))
    });
    world.acquire(0, 1, 1);
    world.expect(5, "the other tunnel", |world| {
        world.traffic_flows(0, 2, FLOW)
    });
    assert!(world.hosts[0].has(|event| matches!(event, Event::PeerSwitched { .. })));
}

/// The first peer is away, a spare one takes over, and then the first is back.
#[test]
fn the_default_peer_is_tried_first_whenever_there_is_no_sa() {
    for default_peer in [true, false] {
        let mut world = with_a_spare(default_peer);
        world.hosts[1].plugged = false;
        world.acquire(0, 1, 1);
        world.expect(60, "the spare tunnel", |world| {
            world.traffic_flows(0, 2, FLOW)
        });
        world.with(0, |endpoint, now| endpoint.clear(now, Clear::Sessions));
        world.run(Duration::from_secs(1));
        world.hosts[1].plugged = true;
        world.acquire(0, 1, 1);
        world.expect(5, "a tunnel again", |world| {
            world.traffic_flows(0, 1, FLOW) || world.traffic_flows(0, 2, FLOW)
        });
        assert_eq!(world.traffic_flows(0, 1, FLOW), default_peer);
    }
}

#[test]
fn a_restarted_peer_is_let_go_by_its_initial_contact() {
    let pair = Pair::usual();
    let mut world = pair.world(1);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.restart(1, pair.config_b());
    world.acquire(1, 1, 1);
    world.expect(5, "a tunnel again", |world| world.traffic_flows(0, 1, FLOW));
    let host = &world.hosts[0];
    assert!(host.has(|e| matches!(
        e,
        Event::IkeDown {
            reason: DownReason::InitialContact,
            ..
        }
    )));
    assert_eq!(host.kernel.halves.len(), 2);
}

#[test]
fn a_restarted_peer_is_noticed_by_dpd() {
    let mut pair = Pair::usual();
    pair.global_a.keepalive = Some(keepalive(KeepaliveKind::Periodic));
    let mut world = pair.world(1);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.restart(1, pair.config_b());
    world.expect(30, "death", |w| {
        w.hosts[0].has(|event| matches!(event, Event::PeerDead))
    });
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel again", |world| world.traffic_flows(0, 1, FLOW));
}

#[test]
fn without_dpd_a_quick_mode_into_silence_starts_phase_1_again() {
    let mut pair = Pair::usual();
    pair.a
        .flows
        .push(support::config::flow(2, "10.3.0.0/16", "10.4.0.0/16"));
    pair.b
        .flows
        .push(support::config::flow(2, "10.4.0.0/16", "10.3.0.0/16"));
    let mut world = pair.world(1);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.restart(1, pair.config_b());
    world.acquire(0, 1, 2);
    let second = ike::config::FlowId(2);
    world.expect(60, "a new phase 1", |world| {
        world.traffic_flows(0, 1, second)
    });
}
