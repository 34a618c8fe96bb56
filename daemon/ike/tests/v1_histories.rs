//! Any history of rekeys, deletes, expiries and clears between two endpoints: no SA and no key is
//! ever installed a second time (the fake kernel sees to that), and what is sent can be received.

mod support;

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use support::World;
use support::config::{FLOW, Pair};
use support::histories::{Step, any_step, rekey, take, wait};

fn tunnel(seed: u64, latency: u64) -> World {
    let mut world = Pair::usual().world(seed);
    world.wire.latency = Duration::from_millis(latency);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.run(Duration::from_millis(300));
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, rng_seed: RngSeed::Fixed(10), failure_persistence: None, ..ProptestConfig::default() })]

    /// However the rekeys of both ends fall, every packet arrives.
    #[test]
    fn rekeys_at_any_time_lose_nothing(
        seed in 0..1000_u64,
        latency in prop_oneof![Just(1_u64), 5..60_u64],
        steps in prop::collection::vec(prop_oneof![wait(), rekey()], 1..24),
    ) {
        let mut world = tunnel(seed, latency);
        for step in steps {
            if let Step::Wait(milliseconds) = step {
                let end = world.now + Duration::from_millis(milliseconds);
                let lost = world.run_until(end, |world| !world.traffic_flows(0, 1, FLOW));
                prop_assert!(!lost, "lost at {:?}", world.now);
            } else {
                take(&mut world, step);
                prop_assert!(world.traffic_flows(0, 1, FLOW));
            }
        }
        let end = world.now + Duration::from_secs(40);
        let lost = world.run_until(end, |world| !world.traffic_flows(0, 1, FLOW));
        prop_assert!(!lost, "lost at {:?}", world.now);
    }

    /// SAs end on either side, in every way there is: within ten seconds of traffic, packets arrive both ways, and
    /// without traffic no end sends on an SA for longer that the other one does not have.
    #[test]
    fn nothing_is_sent_into_the_void_for_long(
        seed in 0..1000_u64,
        idle in any::<bool>(),
        steps in prop::collection::vec(any_step(), 1..24),
    ) {
        let mut world = tunnel(seed, 10);
        for step in steps {
            take(&mut world, step);
        }
        if idle {
            world.send_packets(&[], 150);
            for (from, to) in [(0, 1), (1, 0)] {
                let sends = world.hosts[from].kernel.outbound(FLOW).is_some();
                prop_assert!(!sends || world.packet_arrives(from, to, FLOW), "{from} sends into the void");
            }
        }
        world.send_packets(&[0, 1], 10);
        prop_assert!(world.traffic_flows(0, 1, FLOW), "the tunnel does not come back");
    }
}
