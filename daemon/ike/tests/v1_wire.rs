//! Bad wires: loss, repeats, disorder, and damage. Never a panic, never a half-made SA.

mod support;

use std::time::Duration;

use ike::child::Direction;
use proptest::prelude::*;
use support::World;
use support::config::{FLOW, Pair};

/// Every child of a host is in its kernel in both directions, or in neither.
fn assert_no_halves(world: &World) {
    for (number, host) in world.hosts.iter().enumerate() {
        for (id, direction) in host.kernel.halves.keys() {
            let reverse = match direction {
                Direction::Inbound => Direction::Outbound,
                Direction::Outbound => Direction::Inbound,
            };
            let whole = host.kernel.halves.contains_key(&(*id, reverse));
            assert!(whole, "half of {id:?} on {number}");
        }
    }
}

/// And both sides have the same children.
fn assert_whole(world: &World) {
    assert_no_halves(world);
    let [a, b] = [0, 1].map(|host| world.hosts[host].kernel.halves.len());
    assert_eq!(a, b);
}

#[test]
fn twenty_percent_loss_does_not_keep_a_tunnel_down() {
    for seed in 0..100 {
        let mut world = Pair::usual().world(seed);
        world.wire.loss = 20;
        world.acquire(0, 1, 1);
        world.expect(60, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
        world.wire.loss = 0;
        world.run(Duration::from_secs(60));
        assert_whole(&world);
        assert_eq!(world.hosts[0].kernel.halves.len(), 2, "seed {seed}");
    }
}

#[test]
fn repeats_and_disorder_change_nothing() {
    for seed in 0..100 {
        let mut world = Pair::usual().world(seed);
        world.wire.repeats = 50;
        world.wire.jitter = Duration::from_millis(1500);
        world.acquire(0, 1, 1);
        world.expect(60, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
        world.run(Duration::from_secs(90));
        assert_whole(&world);
        assert_eq!(world.hosts[0].kernel.halves.len(), 2, "seed {seed}");
    }
}

#[test]
fn both_sides_at_once_over_a_bad_wire() {
    for seed in 0..100 {
        let mut world = Pair::usual().world(seed);
        world.wire.loss = 20;
        world.wire.repeats = 10;
        world.wire.jitter = Duration::from_millis(300);
        world.acquire(0, 1, 1);
        world.acquire(1, 1, 1);
        world.run(Duration::from_secs(6));
        world.wire.loss = 0;
        world.run(Duration::from_secs(60));
        world.expect(1, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
        assert_whole(&world);
        assert_eq!(world.hosts[0].kernel.halves.len(), 2, "seed {seed}");
    }
}

/// How one datagram is damaged.
#[derive(Clone, Debug)]
struct Damage {
    number: usize,
    at: usize,
    value: u8,
    cut: Option<usize>,
}

fn damage() -> impl Strategy<Value = Damage> {
    (
        0usize..30,
        any::<usize>(),
        1u8..,
        proptest::option::weighted(0.2, any::<usize>()),
    )
        .prop_map(|(number, at, value, cut)| Damage {
            number,
            at,
            value,
            cut,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn damaged_datagrams_never_half_make_an_sa(
        seed: u64,
        damages in proptest::collection::vec(damage(), 1..12),
    ) {
        let mut world = Pair::usual().world(seed);
        world.wire.tamper = Some(Box::new(move |number, datagram| {
            for damage in damages.iter().filter(|damage| damage.number == number) {
                if let Some(cut) = damage.cut {
                    datagram.bytes.truncate(cut % datagram.bytes.len().max(1));
                }
                let length = datagram.bytes.len();
                if length > 0 {
                    datagram.bytes[damage.at % length] ^= damage.value;
                }
            }
            true
        }));
        world.acquire(0, 1, 1);
        world.run(Duration::from_secs(120));
        assert_no_halves(&world);
        // If every repeat of message 3, or a delete, was damaged, only one side has the child: nothing
        // in the protocol can tell it. The operators of both can.
        world.wire.tamper = None;
        for host in [0, 1] {
            world.with(host, |endpoint, now| endpoint.clear(now, ike::Clear::Sessions));
        }
        world.run(Duration::from_secs(5));
        world.acquire(0, 1, 1);
        world.run(Duration::from_secs(60));
        assert_whole(&world);
        prop_assert!(world.traffic_flows(0, 1, FLOW));
    }

    #[test]
    fn random_bytes_are_dropped(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut world = Pair::usual().world(1);
        world.inject(0, 1, bytes);
        let dropped: u64 = world.hosts[1].endpoint.dropped().values().sum();
        prop_assert_eq!(dropped, 1);
        prop_assert!(world.hosts[1].endpoint.ike_sas(world.now).is_empty());
    }
}
