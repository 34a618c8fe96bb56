//! Any history between two endpoints, of which one ends at any moment and another one goes on with its SAs: packets get
//! through all along, no SA and no key is installed a second time (the fake kernel sees to that), replays change nothing.

mod support;

use std::collections::HashMap;
use std::time::Duration;

use ike::algorithm::{EspCipher, Integrity};
use ike::child::{ChildId, Direction};
use ike::config::{Connection, Keepalive, KeepaliveKind};
use ike::event::Event;
use ike::registry::{ExchangeType, GroupNumber};
use ike::status::IkeSaStatus;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use support::World;
use support::config::{FLOW, HostConfig, Pair, esp};
use support::histories::{Step, any_step, rekey, take, wait};

/// A history with a host that is away in the middle of it.
#[derive(Clone, Debug)]
struct History {
    seed: u64,
    latency: u64,
    loss: u64,
    jitter: u64,
    child_seconds: u32,
    ike_seconds: u32,
    keepalive: Option<KeepaliveKind>,
    suite: usize,
    host: usize,
    before: Vec<Step>,
    away: u64,
    after: Vec<Step>,
}

fn steps(step: impl Strategy<Value = Step>) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step, 1..16)
}

/// A wire that does no harm, or one that does.
fn wire(bad: bool) -> impl Strategy<Value = (u64, u64, u64)> {
    let latency = prop_oneof![Just(1_u64), 5..60_u64];
    let (loss, jitter) = if bad {
        (0..11_u64, 0..200_u64)
    } else {
        (0..1, 0..1)
    };
    (latency, loss, jitter)
}

fn history<S: Strategy<Value = Step>>(
    bad: bool,
    ike_seconds: std::ops::Range<u32>,
    keepalive: bool,
    step: impl Fn() -> S,
) -> impl Strategy<Value = History> {
    let keepalive = prop_oneof![
        Just(None),
        Just(keepalive.then_some(KeepaliveKind::Periodic)),
        Just(keepalive.then_some(KeepaliveKind::OnDemand)),
    ];
    let away = prop_oneof![Just(0_u64), 0..400_u64, 0..5000_u64];
    let lives = (240..4000_u32, ike_seconds, keepalive, 0..3_usize);
    let steps = (steps(step()), steps(step()));
    (0..1000_u64, wire(bad), lives, 0..2_usize, away, steps).prop_map(
        |(seed, (latency, loss, jitter), lives, host, away, (before, after))| History {
            seed,
            latency,
            loss,
            jitter,
            child_seconds: lives.0,
            ike_seconds: lives.1,
            keepalive: lives.2,
            suite: lives.3,
            host,
            before,
            away,
            after,
        },
    )
}

impl History {
    fn configs(&self) -> [HostConfig; 2] {
        let pair = Pair::usual()
            .both(|connection| {
                connection.lifetime.seconds = self.child_seconds;
                self.choose_suite(connection);
            })
            .global(|config| {
                config.policies[0].lifetime = self.ike_seconds;
                config.keepalive = self.keepalive.map(|kind| Keepalive {
                    interval: Duration::from_secs(10),
                    retry: Duration::from_secs(2),
                    kind,
                });
            });
        [pair.config_a(), pair.config_b()]
    }

    /// ESP by itself, GCM with a key exchange of its own, or AH over ESP.
    fn choose_suite(&self, connection: &mut Connection) {
        match self.suite {
            0 => {}
            1 => {
                connection.transform_sets = vec![esp("GCM", EspCipher::AesGcm256, None)];
                connection.pfs = Some(GroupNumber(19));
            }
            _ => connection.transform_sets[0].ah = Some(Integrity::HmacSha256),
        }
    }

    fn tunnel(&self) -> World {
        let mut world = World::new(self.seed);
        for (address, config) in ["192.0.2.1", "198.51.100.1"]
            .into_iter()
            .zip(self.configs())
        {
            world.host(address, config);
        }
        world.wire.latency = Duration::from_millis(self.latency);
        world.acquire(0, 1, 1);
        world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
        world.run(Duration::from_millis(300));
        world.wire.loss = self.loss;
        world.wire.jitter = Duration::from_millis(self.jitter);
        world
    }

    /// The host ends, is away, and another endpoint goes on. What was left of every lifetime is less by that time. True when
    /// packets were lost meanwhile.
    fn save_and_resume(&self, world: &mut World) -> bool {
        let before = Lives::of(world, self.host);
        let saved = world.save(self.host);
        let away = Duration::from_millis(self.away);
        let back = world.now + away;
        let lost = world.run_until(back, |world| !world.traffic_flows(0, 1, FLOW));
        world.run(back - world.now);
        let config = self.configs()[self.host].clone();
        world.resume(self.host, config, saved.expose());
        let after = Lives::of(world, self.host);
        for (name, left) in &after.ike {
            let was = before.ike.get(name).copied();
            assert_eq!(was.map(|was| was.saturating_sub(away)), Some(*left));
        }
        for (id, left) in &after.children {
            // One that the peer had not confirmed, or might not have, was not shown.
            if let Some(was) = before.children.get(id) {
                assert_eq!(was.saturating_sub(away), *left);
            }
        }
        lost
    }
}

/// What is left of lifetimes.
struct Lives {
    ike: HashMap<([u8; 8], [u8; 8]), Duration>,
    children: HashMap<ChildId, Duration>,
}

impl Lives {
    fn of(world: &World, host: usize) -> Self {
        let host = &world.hosts[host];
        let now = host.clock(world.now);
        let ike = host.endpoint.ike_sas(now).into_iter();
        let ike = ike.filter_map(|sa| {
            let name = (sa.initiator_cookie, sa.responder_cookie);
            Some((name, sa.remaining?))
        });
        let children = host.endpoint.children(now).into_iter();
        Self {
            ike: ike.collect(),
            children: children.map(|child| (child.id, child.remaining)).collect(),
        }
    }
}

/// Takes the steps; says when packets are lost.
fn lossless(world: &mut World, steps: &[Step]) -> Result<(), TestCaseError> {
    for step in steps {
        match step {
            Step::Wait(milliseconds) => run_without_loss(world, *milliseconds)?,
            step => {
                take(world, *step);
                prop_assert!(world.traffic_flows(0, 1, FLOW), "{step:?}");
            }
        }
    }
    Ok(())
}

fn run_without_loss(world: &mut World, milliseconds: u64) -> Result<(), TestCaseError> {
    let end = world.now + Duration::from_millis(milliseconds);
    let lost = world.run_until(end, |world| !world.traffic_flows(0, 1, FLOW));
    prop_assert!(!lost, "lost at {:?}", world.now);
    Ok(())
}

/// Soon there is no child that only one end has confirmed, and no more of them than an end keeps of a flow for a while.
fn no_half_child(world: &mut World) -> Result<(), TestCaseError> {
    let end = world.now + Duration::from_secs(30);
    let settled = world.run_until(end, |world| {
        world.hosts.iter().all(|host| {
            let up = host.endpoint.children(host.clock(world.now));
            let up: Vec<ChildId> = up.into_iter().map(|child| child.id).collect();
            let halves = host.kernel.halves.keys();
            up.len() <= 2 && halves.clone().all(|(id, _)| up.contains(id))
        })
    });
    let halves = world.hosts.iter().map(|host| host.kernel.halves.keys());
    let halves: Vec<Vec<_>> = halves.map(Iterator::collect).collect();
    prop_assert!(settled, "{halves:?}");
    Ok(())
}

/// The established ISAKMP SAs, the children and the kernel of a host.
fn state(world: &World, host: usize) -> (Vec<IkeSaStatus>, usize, Vec<(ChildId, Direction)>) {
    let host = &world.hosts[host];
    let now = host.clock(world.now);
    let mut ike = host.endpoint.ike_sas(now);
    ike.retain(|sa| sa.remaining.is_some());
    let kernel = host.kernel.halves.keys().copied().collect();
    (ike, host.endpoint.children(now).len(), kernel)
}

/// Everything that a host ever received comes again.
fn replays_change_nothing(world: &mut World, host: usize) -> Result<(), TestCaseError> {
    let before = state(world, host);
    for bytes in world.hosts[host].received.clone() {
        world.inject(1 - host, host, bytes);
        prop_assert_eq!(&state(world, host), &before);
    }
    Ok(())
}

fn deletes(world: &World, host: usize) -> usize {
    world.hosts[host].count(|event| matches!(event, Event::DeleteSent { .. }))
}

fn main_modes(world: &World, host: usize) -> usize {
    world.hosts[host].count(|event| {
        matches!(event, Event::ExchangeStarted { exchange, .. } if *exchange == ExchangeType::IDENTITY_PROTECTION)
    })
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(11),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(1000))]

    /// Rekeys of children at both ends: not a packet is lost, and nobody begins phase 1 for it.
    #[test]
    fn the_peer_notices_nothing(
        history in history(false, 80_000..90_000, true, || prop_oneof![wait(), rekey()]),
    ) {
        let mut world = history.tunnel();
        lossless(&mut world, &history.before)?;
        let deletes = deletes(&world, 1 - history.host);
        let lost = history.save_and_resume(&mut world);
        if deletes == self::deletes(&world, 1 - history.host) {
            prop_assert!(!lost && world.traffic_flows(0, 1, FLOW));
        } else {
            // Nobody heard that a child is gone: this shows when nothing comes back.
            world.send_packets(&[0, 1], 8);
        }
        lossless(&mut world, &history.after)?;
        run_without_loss(&mut world, 60_000)?;
        for host in [0, 1] {
            prop_assert_eq!(main_modes(&world, host), 1);
            prop_assert_eq!(world.hosts[host].causes(), [] as [String; 0]);
            let down = world.hosts[host].has(|event| matches!(event, Event::SessionDown { .. }));
            prop_assert!(!down);
        }
        no_half_child(&mut world)?;
        replays_change_nothing(&mut world, history.host)?;
        run_without_loss(&mut world, 60_000)?;
        no_half_child(&mut world)?;
    }
}

proptest! {
    #![proptest_config(config(500))]

    /// Rekeys of both phases over a bad wire, when their time comes.
    #[test]
    fn rekeys_of_both_phases_lose_nothing(
        history in history(true, 300..2000, false, || prop_oneof![
            3 => wait(),
            2 => (20_000..120_000_u64).prop_map(Step::Wait),
        ]),
    ) {
        let mut world = history.tunnel();
        lossless(&mut world, &history.before)?;
        prop_assert!(!history.save_and_resume(&mut world));
        lossless(&mut world, &history.after)?;
        run_without_loss(&mut world, 60_000)?;
        replays_change_nothing(&mut world, history.host)?;
        world.wire.loss = 0;
        run_without_loss(&mut world, 60_000)?;
    }

    /// Whatever ends SAs on either side: within ten seconds of traffic packets arrive both ways.
    #[test]
    fn whatever_happened_the_tunnel_comes_back(
        history in history(true, 300..2000, true, any_step),
    ) {
        let mut world = history.tunnel();
        for step in &history.before {
            take(&mut world, *step);
        }
        history.save_and_resume(&mut world);
        for step in &history.after {
            take(&mut world, *step);
        }
        replays_change_nothing(&mut world, history.host)?;
        world.wire.loss = 0;
        world.send_packets(&[0, 1], 45);
        prop_assert!(world.traffic_flows(0, 1, FLOW), "the tunnel does not come back");
    }
}
