//! Many things at once, or soon after one another: rekeys, quick modes, both ends starting together,
//! ISAKMP SAs that go from under their children.

mod support;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use ike::child::Direction;
use ike::config::{FlowId, Keepalive, KeepaliveKind};
use ike::event::{DownReason, Event};
use ike::registry::ExchangeType;
use ike::status::Role;
use ike::{Clear, Expiry, Traffic};
use support::World;
use support::config::{FLOW, Pair, flow};

const SECOND: Duration = Duration::from_secs(1);

fn tunnel() -> World {
    tunnel_of(1)
}

fn tunnel_of(seed: u64) -> World {
    let mut world = Pair::usual().world(seed);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.run(SECOND);
    world
}

/// Eight lines of an access-list.
fn eight_lines(seed: u64) -> World {
    let mut pair = Pair::usual();
    let nets = |i: u32| (format!("10.1.{i}.0/24"), format!("10.2.{i}.0/24"));
    pair.a.flows = (0..8)
        .map(|i| flow(i, &nets(i).0, &nets(i).1))
        .collect::<Vec<_>>()
        .into();
    pair.b.flows = (0..8)
        .map(|i| flow(i, &nets(i).1, &nets(i).0))
        .collect::<Vec<_>>()
        .into();
    pair.world(seed)
}

/// The kernel of a host says that the SA in use has reached a limit of bytes.
fn limit(world: &mut World, host: usize, kind: Expiry) {
    let Some(child) = world.hosts[host].kernel.outbound(FLOW).cloned() else {
        return;
    };
    let part = &child.protocols[0];
    world.with(host, |endpoint, now| {
        endpoint.expire(now, child.remote, part.protocol, part.outbound_spi, kind);
    });
}

/// Runs on, and checks after every step that packets get through both ways.
fn run_without_loss(world: &mut World, time: Duration) {
    let end = world.now + time;
    let broken = world.run_until(end, |world| !world.traffic_flows(0, 1, FLOW));
    assert!(!broken, "packets were lost at {:?}", world.now);
}

fn children_up(world: &World, host: usize) -> usize {
    world.hosts[host].count(|event| matches!(event, Event::ChildUp { .. }))
}

fn ike_up(world: &World, host: usize) -> usize {
    world.hosts[host].count(|event| matches!(event, Event::IkeUp { .. }))
}

/// The volume limit is reached every few seconds, so that several replaced children are still there.
#[test]
fn rekeys_soon_after_one_another_bring_nothing_back() {
    for gap in [300, 1000, 3000, 7500, 8200, 9900] {
        let mut world = tunnel();
        for _ in 0..8 {
            limit(&mut world, 0, Expiry::Soft);
            run_without_loss(&mut world, Duration::from_millis(gap));
        }
        assert_eq!(children_up(&world, 0), 9, "{gap} ms");
        run_without_loss(&mut world, 15 * SECOND);
        for host in &world.hosts {
            assert_eq!(host.kernel.count(Direction::Outbound), 1, "{gap} ms");
            assert_eq!(host.kernel.halves.len(), 2, "{gap} ms");
        }
    }
}

/// Each end rekeys what the other one has just made, and both at once.
#[test]
fn rekeys_from_both_ends_lose_nothing() {
    for seed in 0..10 {
        let mut world = tunnel_of(seed);
        for round in 0..6 {
            limit(&mut world, round % 2, Expiry::Soft);
            if round % 3 == 0 {
                limit(&mut world, 1 - round % 2, Expiry::Soft);
            }
            run_without_loss(&mut world, Duration::from_millis(700 + 900 * seed));
        }
        run_without_loss(&mut world, 30 * SECOND);
        for host in &world.hosts {
            assert!(host.kernel.halves.len() <= 4, "seed {seed}");
        }
    }
}

/// How many of our quick modes wait for an answer at most.
fn most_in_flight(world: &World, host: usize) -> i32 {
    let (mut now, mut most) = (0, 0);
    for event in world.hosts[host].events() {
        match event {
            Event::ExchangeStarted {
                exchange: ExchangeType::QUICK_MODE,
                role: Role::Initiator,
                ..
            } => now += 1,
            Event::PacketReceived {
                exchange: ExchangeType::QUICK_MODE,
                ..
            } => now -= 1,
            _ => {}
        }
        most = most.max(now);
    }
    most
}

/// A peer that keeps state for three quick modes and drops the oldest.
#[test]
fn a_peer_with_room_for_three_quick_modes_gets_all_eight() {
    let mut world = eight_lines(1);
    world.wire.latency = Duration::from_millis(50);
    let kept = Rc::new(RefCell::new(VecDeque::<[u8; 4]>::new()));
    world.wire.tamper = Some(Box::new(move |_, datagram| {
        let (exchange, id) = (datagram.bytes[18], &datagram.bytes[20..24]);
        if exchange != 32 || !datagram.to.ip().to_string().starts_with("198") {
            return true;
        }
        let mut kept = kept.borrow_mut();
        let id: [u8; 4] = id.try_into().unwrap();
        if kept.contains(&id) {
            return true;
        }
        // A message 3 of what was dropped cannot be told from noise: message 1 is long.
        if datagram.bytes.len() < 150 {
            return false;
        }
        kept.push_back(id);
        if kept.len() > 3 {
            kept.pop_front();
        }
        true
    }));
    (0..8).for_each(|flow| world.acquire(0, 1, flow));
    world.expect(2, "all eight", |world| {
        (0..8).all(|flow| world.traffic_flows(0, 1, FlowId(flow)))
    });
    assert_eq!(most_in_flight(&world, 0), 2);
}

#[test]
fn what_waits_for_its_turn_survives_the_isakmp_sa() {
    let mut world = eight_lines(1);
    world.acquire(0, 1, 0);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FlowId(0)));
    (1..8).for_each(|flow| world.acquire(0, 1, flow));
    world.with(1, |endpoint, now| endpoint.clear(now, Clear::IkeSas));
    world.expect(5, "the five that waited", |world| {
        (3..8).all(|flow| world.traffic_flows(0, 1, FlowId(flow)))
    });
}

/// Swallows every message 3 of the first `count` quick modes.
fn without_message_3(world: &mut World, count: usize) {
    let mut seen = Vec::new();
    world.wire.tamper = Some(Box::new(move |_, datagram| {
        let id = datagram.bytes[20..24].to_vec();
        if datagram.bytes[18] != 32 || datagram.to.ip().to_string().starts_with("192") {
            return true;
        }
        let first = !seen.contains(&id);
        if first {
            seen.push(id.clone());
        }
        first || seen.iter().position(|known| *known == id).unwrap() >= count
    }));
}

#[test]
fn a_lost_message_3_is_noticed_by_silence() {
    let mut world = Pair::usual().world(1);
    without_message_3(&mut world, 1);
    world.acquire(0, 1, 1);
    world.run(SECOND);
    assert!(!world.traffic_flows(0, 1, FLOW));
    world.send_packets(&[0, 1], 6);
    assert!(world.traffic_flows(0, 1, FLOW));
}

#[test]
fn a_lost_message_3_is_noticed_by_repeats_of_message_2() {
    let mut world = Pair::usual().world(1);
    without_message_3(&mut world, 1);
    world.acquire(0, 1, 1);
    world.expect(20, "another quick mode", |world| {
        world.traffic_flows(0, 1, FLOW)
    });
}

/// Nothing ever comes back, and that is how it should be.
#[test]
fn a_one_way_flow_comes_to_rest() {
    let mut world = tunnel();
    world.send_packets(&[0], 120);
    assert!(children_up(&world, 0) <= 3);
    assert!(world.traffic_flows(0, 1, FLOW));
}

/// Both ends begin phase 1 at once. The peer deletes the older SA after 10 seconds, as strongSwan does,
/// and that is the one which we would have kept.
#[test]
fn the_last_isakmp_sa_is_not_retired() {
    for seed in 0..20 {
        for after in [1, 10, 14, 16] {
            let mut world = Pair::usual().world(seed);
            world.acquire(0, 1, 1);
            world.acquire(1, 1, 1);
            world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
            world.run(Duration::from_secs(after));
            let sas = world.hosts[1].endpoint.ike_sas(world.now);
            let live: Vec<_> = sas.iter().filter(|sa| !sa.deleted).collect();
            let Some(oldest) = live.first().filter(|_| live.len() > 1) else {
                continue;
            };
            let what = Clear::IkeSa(oldest.conn_id);
            world.with(1, |endpoint, now| endpoint.clear(now, what));
            let up = ike_up(&world, 0);
            run_without_loss(&mut world, 60 * SECOND);
            assert_eq!(ike_up(&world, 0), up, "seed {seed}, {after} s");
            for host in &world.hosts {
                let sas = host.endpoint.ike_sas(world.now);
                assert_eq!(sas.iter().filter(|sa| !sa.deleted).count(), 1);
            }
        }
    }
}

/// Both ends begin a child at once, and the peer goes on with the one that we would delete.
#[test]
fn the_child_that_the_peer_sends_on_stays() {
    let mut kept = 0;
    for seed in 0..20 {
        let mut world = tunnel_of(seed);
        world.with(0, |endpoint, now| endpoint.clear(now, Clear::Children));
        world.run(SECOND);
        world.acquire(0, 1, 1);
        world.acquire(1, 1, 1);
        world.run(SECOND);
        let wanted = world.hosts[0].endpoint.wants_traffic();
        let children = world.hosts[0].endpoint.children(world.now);
        let Some(loser) = children
            .iter()
            .find(|child| child.replaced && wanted.contains(&child.id))
        else {
            continue;
        };
        for packets in 1..=20 {
            let count = Traffic {
                inbound_packets: packets,
                ..Traffic::default()
            };
            let id = loser.id;
            world.with(0, |endpoint, now| endpoint.traffic(now, id, count));
            world.run(SECOND);
        }
        let inbound = (loser.id, Direction::Inbound);
        assert!(world.hosts[0].kernel.halves.contains_key(&inbound));
        assert!(world.traffic_flows(0, 1, FLOW));
        kept += 1;
    }
    assert!(kept > 0, "no seed made two children");
}

/// When the child that won is deleted, the one that gave way sends, for the first time.
#[test]
fn the_spare_child_steps_in_when_the_other_goes() {
    let mut seen = 0;
    for seed in 0..20 {
        let mut world = tunnel_of(seed);
        world.with(0, |endpoint, now| endpoint.clear(now, Clear::Children));
        world.run(SECOND);
        world.acquire(0, 1, 1);
        world.acquire(1, 1, 1);
        world.run(SECOND);
        if world.hosts[0].endpoint.children(world.now).len() < 2 {
            continue;
        }
        limit(&mut world, 0, Expiry::Hard);
        world.run(SECOND);
        assert!(world.traffic_flows(0, 1, FLOW), "seed {seed}");
        seen += 1;
    }
    assert!(seen > 0, "no seed made two children");
}

/// A peer that drops its children with their ISAKMP SA, without a word about them.
fn drop_silently(world: &mut World, host: usize) {
    world.hosts[host].plugged = false;
    world.with(host, |endpoint, now| endpoint.clear(now, Clear::Sessions));
    world.hosts[host].plugged = true;
}

#[test]
fn cleared_isakmp_under_one_way_traffic_recovers() {
    let mut world = tunnel();
    world.with(0, |endpoint, now| endpoint.clear(now, Clear::IkeSas));
    drop_silently(&mut world, 1);
    assert!(!world.packet_arrives(0, 1, FLOW));
    world.send_packets(&[0], 6);
    assert!(world.packet_arrives(0, 1, FLOW));
}

#[test]
fn children_whose_peer_deleted_the_isakmp_sa_recover() {
    let mut world = tunnel();
    world.run(20 * SECOND);
    world.with(1, |endpoint, now| endpoint.clear(now, Clear::IkeSas));
    drop_silently(&mut world, 1);
    world.send_packets(&[0], 9);
    assert!(world.packet_arrives(0, 1, FLOW));
}

#[test]
fn children_whose_isakmp_sa_expired_recover() {
    let pair = Pair::usual().global(|config| config.policies[0].lifetime = 300);
    let mut world = pair.world(1);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.wire.loss = 100;
    world.run(Duration::from_secs(310));
    assert!(world.hosts[0].has(|event| matches!(
        event,
        Event::IkeDown {
            reason: DownReason::Expired,
            ..
        }
    )));
    world.wire.loss = 0;
    drop_silently(&mut world, 1);
    world.send_packets(&[0], 60);
    assert!(world.packet_arrives(0, 1, FLOW));
}

/// Even an idle child is not left in doubt.
#[test]
fn an_idle_child_whose_isakmp_sa_went_recovers() {
    let mut world = tunnel();
    world.with(0, |endpoint, now| endpoint.clear(now, Clear::IkeSas));
    drop_silently(&mut world, 1);
    world.send_packets(&[], 70);
    assert!(world.traffic_flows(0, 1, FLOW));
}

/// With keepalives, a peer that does not answer phase 1 either is dead, and so are its children.
#[test]
fn a_peer_that_cannot_be_reached_for_phase_1_is_dead() {
    let keepalive = Keepalive {
        interval: 10 * SECOND,
        retry: 2 * SECOND,
        kind: KeepaliveKind::OnDemand,
    };
    let mut pair = Pair::usual();
    pair.global_a.keepalive = Some(keepalive);
    let mut world = pair.world(1);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.hosts[1].plugged = false;
    world.with(0, |endpoint, now| endpoint.clear(now, Clear::IkeSas));
    world.run(60 * SECOND);
    let host = &world.hosts[0];
    assert!(host.has(|event| matches!(event, Event::PeerDead)));
    assert!(host.kernel.halves.is_empty());
}
