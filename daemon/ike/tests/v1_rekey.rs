//! Rekeys of both phases lose no packet; lifetimes in seconds and kilobytes end SAs.

mod support;

use std::time::Duration;

use ike::child::Direction;
use ike::event::{DownReason, Event};
use ike::{Expiry, Instant};
use support::World;
use support::config::{FLOW, Pair};

/// A tunnel whose children live `child` seconds and whose ISAKMP SAs live `ike`.
fn tunnel(seed: u64, child: u32, ike: u32) -> World {
    let pair = Pair::usual()
        .both(|connection| connection.lifetime.seconds = child)
        .global(|config| config.policies[0].lifetime = ike);
    let mut world = pair.world(seed);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world
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

#[test]
fn children_are_rekeyed_without_loss() {
    for seed in 0..20 {
        let mut world = tunnel(seed, 120, 86_400);
        run_without_loss(&mut world, Duration::from_secs(1200));
        let rekeys = children_up(&world, 0) - 1;
        assert!((10..=20).contains(&rekeys), "{rekeys} rekeys");
        assert_eq!(children_up(&world, 1) - 1, rekeys);
        run_without_loss(&mut world, Duration::from_secs(15));
        for host in &world.hosts {
            assert!(host.kernel.count(Direction::Outbound) <= 2);
            assert!(host.kernel.count(Direction::Inbound) <= 2);
            assert!(!host.has(|event| matches!(event, Event::SessionDown { .. })));
        }
    }
}

#[test]
fn rekeys_over_a_bad_wire_lose_nothing() {
    for seed in 0..20 {
        let mut world = tunnel(seed, 240, 900);
        world.wire.loss = 10;
        world.wire.repeats = 10;
        world.wire.jitter = Duration::from_millis(200);
        run_without_loss(&mut world, Duration::from_secs(3600));
        assert!(children_up(&world, 0) >= 15);
    }
}

#[test]
fn phase_1_is_rekeyed_under_living_children() {
    for seed in 0..10 {
        let mut world = tunnel(seed, 3600, 300);
        run_without_loss(&mut world, Duration::from_secs(1500));
        let ups = world.hosts[0].count(|event| matches!(event, Event::IkeUp { .. }));
        assert!(ups >= 5, "{ups} phase 1");
        assert_eq!(children_up(&world, 0), 1);
        for host in &world.hosts {
            let sas = host.endpoint.ike_sas(world.now);
            let live = sas.iter().filter(|sa| !sa.deleted).count();
            assert!((1..=2).contains(&live), "{sas:#?}");
            assert!(!host.has(|event| matches!(
                event,
                Event::IkeDown {
                    reason: DownReason::Expired,
                    ..
                }
            )));
        }
    }
}

#[test]
fn an_idle_isakmp_sa_expires_and_is_shown_for_a_minute() {
    let mut world = tunnel(1, 120, 300);
    world.with(0, |endpoint, now| endpoint.clear(now, ike::Clear::Children));
    world.run(Duration::from_secs(310));
    for host in &world.hosts {
        let sas = host.endpoint.ike_sas(world.now);
        assert!(
            sas.iter().all(|sa| sa.deleted) && sas.len() == 1,
            "{sas:#?}"
        );
    }
    world.run(Duration::from_secs(60));
    assert_eq!(world.hosts[0].endpoint.ike_sas(world.now), []);
}

#[test]
fn children_outlive_phase_1_when_it_cannot_be_renewed() {
    let mut world = tunnel(1, 3600, 300);
    world.wire.loss = 100;
    world.run(Duration::from_secs(400));
    for host in &world.hosts {
        assert_eq!(host.kernel.halves.len(), 2);
        let status = host
            .endpoint
            .connection_status(ike::config::ConnectionId(1))
            .unwrap();
        assert_ne!(status.state, ike::status::SessionState::UpActive);
        assert_eq!(host.endpoint.children(world.now).len(), 1);
    }
    // The next rekey of the child brings phase 1 back.
    world.wire.loss = 0;
    run_without_loss(&mut world, Duration::from_secs(3600));
    assert!(children_up(&world, 0) >= 2);
}

#[test]
fn a_peer_that_vanished_leaves_nothing_after_the_lifetime() {
    let mut world = tunnel(1, 120, 300);
    world.wire.loss = 100;
    world.run(Duration::from_secs(600));
    for host in &world.hosts {
        assert_eq!(host.kernel.halves.len(), 0);
        assert!(host.has(|event| matches!(event, Event::SessionDown { .. })));
    }
    world.wire.loss = 0;
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
}

#[test]
fn kilobytes_rekey_once() {
    let mut world = tunnel(1, 3600, 86_400);
    let child = world.hosts[0].kernel.outbound(FLOW).unwrap().clone();
    let lifetime = child.lifetime;
    assert!(lifetime.soft_bytes.unwrap() < lifetime.hard_bytes.unwrap());
    assert_eq!(lifetime.hard_bytes, Some(4_608_000 * 1024));
    // Both directions reach their limit one after the other.
    for (address, spi) in [
        (child.remote, child.protocols[0].outbound_spi),
        (child.local, child.protocols[0].inbound_spi),
    ] {
        world.with(0, |endpoint, now| {
            endpoint.expire(now, address, child.protocols[0].protocol, spi, Expiry::Soft);
        });
    }
    run_without_loss(&mut world, Duration::from_secs(60));
    assert_eq!(children_up(&world, 0), 2);
    assert_eq!(world.hosts[0].kernel.halves.len(), 2);
}

/// A megabyte is left when the rekey begins, or half of what there is; the responder begins later.
#[test]
fn a_small_volume_leaves_time_for_the_rekey() {
    for (kilobytes, spare) in [(2560, 1 << 20), (100, 50 << 10)] {
        let pair = Pair::usual().both(|c| c.lifetime.kilobytes = Some(kilobytes));
        let mut world = pair.world(1);
        world.acquire(0, 1, 1);
        world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
        let hard = u64::from(kilobytes) * 1024;
        let left = [0, 1].map(|host| {
            let lifetime = world.hosts[host].kernel.outbound(FLOW).unwrap().lifetime;
            assert_eq!(lifetime.hard_bytes, Some(hard));
            hard - lifetime.soft_bytes.unwrap()
        });
        assert!(left[0] >= spare, "{left:?}");
        assert!((spare / 2..left[0]).contains(&left[1]), "{left:?}");
    }
}

#[test]
fn a_hard_limit_removes_both_halves_on_both_sides() {
    let mut world = tunnel(1, 3600, 86_400);
    let child = world.hosts[0].kernel.outbound(FLOW).unwrap().clone();
    let spi = child.protocols[0].outbound_spi;
    world.with(0, |endpoint, now| {
        endpoint.expire(
            now,
            child.remote,
            child.protocols[0].protocol,
            spi,
            Expiry::Hard,
        );
    });
    world.run(Duration::from_secs(1));
    assert!(world.hosts.iter().all(|host| host.kernel.halves.is_empty()));
}

#[test]
fn nothing_due_is_ever_left_behind() {
    let mut world = tunnel(1, 120, 300);
    world.run(Duration::from_secs(600));
    for host in &world.hosts {
        let next = host.endpoint.next_timeout().unwrap();
        assert!(next > world.now, "{next:?} {:?}", world.now);
    }
    assert!(world.now > Instant::default());
}
