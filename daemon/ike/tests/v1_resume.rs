//! An endpoint ends and another one goes on with its SAs: the peer notices nothing. Any history is in
//! `v1_resume_histories`; here are the cases that have a name.

mod support;

use std::time::Duration;

use ike::algorithm::IpsecProtocol;
use ike::child::Direction;
use ike::config::{FlowId, Keepalive, KeepaliveKind};
use ike::event::{DownReason, Event};
use ike::registry::ExchangeType;
use ike::secret::Secret;
use ike::status::Role;
use ike::{Expiry, Instant, ResumeError, Saved, Traffic};
use support::World;
use support::config::{A, FLOW, HostConfig, ONE, Pair, connection, flow, with};

const SECOND: Duration = Duration::from_secs(1);

fn up(pair: &Pair) -> World {
    let mut world = pair.world(1);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.run(SECOND);
    world
}

/// A host is away for a time.
fn away(world: &mut World, host: usize, config: HostConfig, time: Duration) {
    let saved = world.save(host);
    world.run(time);
    world.resume(host, config, saved.expose());
}

fn configs(pair: &Pair) -> [HostConfig; 2] {
    [pair.config_a(), pair.config_b()]
}

/// Runs on; packets get through both ways at every moment.
fn run_without_loss(world: &mut World, time: Duration) {
    let end = world.now + time;
    let broken = world.run_until(end, |world| !world.traffic_flows(0, 1, FLOW));
    assert!(!broken, "packets were lost at {:?}", world.now);
}

fn began(world: &World, host: usize, kind: ExchangeType) -> usize {
    world.hosts[host].count(|event| {
        matches!(event, Event::ExchangeStarted { exchange, role: Role::Initiator, .. } if *exchange == kind)
    })
}

fn soft_limit(world: &mut World, host: usize) {
    let sa = world.hosts[host].kernel.outbound(FLOW).unwrap().clone();
    let part = &sa.protocols[0];
    let (protocol, spi) = (part.protocol, part.outbound_spi);
    world.with(host, |endpoint, now| {
        endpoint.expire(now, sa.remote, protocol, spi, Expiry::Soft);
    });
}

/// Moves on until so many datagrams were sent since.
fn until_sent(world: &mut World, more: usize) {
    let sent = world.wire.sent.len() + more;
    let end = world.now + SECOND;
    assert!(world.run_until(end, |world| world.wire.sent.len() >= sent));
}

#[test]
fn a_tunnel_goes_on_as_if_nothing_had_been() {
    for host in [0, 1] {
        let pair = Pair::usual();
        let mut world = up(&pair);
        let told = world.hosts[1 - host].facts.len();
        let clock = world.hosts[host].clock(world.now);
        let before = world.hosts[host].endpoint.ike_sas(clock);
        let age = clock - before[0].created;
        let children = world.hosts[host].endpoint.children(clock);
        let sent = world.wire.sent.len();
        away(&mut world, host, configs(&pair)[host].clone(), SECOND * 3);
        run_without_loss(&mut world, SECOND * 60);
        assert_eq!(world.wire.sent.len(), sent, "not a word");
        assert_eq!(world.hosts[1 - host].facts.len(), told);
        let clock = world.hosts[host].clock(world.now);
        let [mut ike] = world.hosts[host]
            .endpoint
            .ike_sas(clock)
            .try_into()
            .unwrap();
        let gone = SECOND * 63;
        assert_eq!(ike.remaining, before[0].remaining.map(|left| left - gone));
        assert_eq!(clock - ike.created, age + gone);
        (ike.remaining, ike.created) = (before[0].remaining, before[0].created);
        assert_eq!(ike, before[0]);
        let [mut child] = world.hosts[host]
            .endpoint
            .children(clock)
            .try_into()
            .unwrap();
        assert_eq!(child.remaining, children[0].remaining - gone);
        (child.remaining, child.installed) = (children[0].remaining, children[0].installed);
        assert_eq!(child, children[0]);
    }
}

/// Both ends rekey, delete and are asked under the SAs that were resumed.
#[test]
fn what_was_resumed_is_rekeyed_and_ends() {
    for host in [0, 1] {
        let pair = Pair::usual()
            .both(|connection| connection.lifetime.seconds = 300)
            .global(|config| config.policies[0].lifetime = 900);
        let mut world = up(&pair);
        for _ in 0..6 {
            away(&mut world, host, configs(&pair)[host].clone(), SECOND);
            run_without_loss(&mut world, SECOND * 400);
        }
        for end in [0, 1] {
            soft_limit(&mut world, end);
            run_without_loss(&mut world, SECOND * 30);
        }
        for hosted in &world.hosts {
            assert_eq!(hosted.kernel.halves.len(), 2);
            assert_eq!(hosted.causes(), [] as [String; 0]);
            assert!(hosted.has(|event| matches!(event, Event::IkeUp { rekey: true, .. })));
        }
        away(&mut world, host, configs(&pair)[host].clone(), SECOND);
        world.with(host, |endpoint, now| {
            endpoint.clear(now, ike::Clear::Sessions)
        });
        world.run(SECOND * 2);
        assert!(world.hosts.iter().all(|host| host.kernel.halves.is_empty()));
    }
}

/// The end of both phases comes when it would have come.
#[test]
fn a_lifetime_is_no_longer_than_it_was() {
    for off in [10, 100, 250, 1000] {
        let pair = Pair::usual()
            .both(|connection| connection.lifetime.seconds = 240)
            .global(|config| config.policies[0].lifetime = 300);
        let mut world = up(&pair);
        let began = world.now - SECOND;
        world.hosts[1].plugged = false;
        let saved = world.save(0);
        world.run(SECOND * off);
        world.resume(0, pair.config_a(), saved.expose());
        // Nobody answers: everything goes at its own time.
        world.hosts[0].plugged = false;
        let gone = |world: &World| world.hosts[0].kernel.halves.is_empty();
        world.expect(300, "the child's end", gone);
        let lived = world.now - began;
        let late = SECOND * 240.max(off + 1);
        assert!(lived <= late + SECOND && lived >= SECOND * 239, "{lived:?}");
        let up = |world: &World| {
            let sas = world.hosts[0]
                .endpoint
                .ike_sas(world.hosts[0].clock(world.now));
            sas.iter().any(|sa| !sa.deleted && sa.remaining.is_some())
        };
        world.expect(300, "the end of the ISAKMP SA", |world| !up(world));
        let lived = world.now - began;
        let late = SECOND * 300.max(off + 1);
        assert!(lived <= late + SECOND, "{lived:?}");
    }
}

/// The wall clock was set meanwhile.
#[test]
fn a_wall_clock_that_was_set_gives_no_time() {
    let pair = Pair::usual();
    let mut world = up(&pair);
    let saved = world.save(0);
    let now = Instant::from_millis(5);
    let year = 31_557_600_000;
    let left = |wall: u64| {
        let mut endpoint = ike::Endpoint::new(Box::new(support::Seeded(1)));
        endpoint.set_config(now, pair.config_a().engine);
        let saved = Saved::from_bytes(saved.expose()).unwrap();
        endpoint.resume(now, wall, saved).unwrap();
        let ike = endpoint.ike_sas(now)[0].remaining;
        let child = endpoint.children(now).first().map(|child| child.remaining);
        (ike, child)
    };
    let whole = left(0);
    assert_eq!(whole.0.unwrap().as_secs(), 86_400 - 2);
    assert_eq!(whole.1.unwrap().as_secs(), 3600 - 2);
    let then = 1_800_000_000_000 + world.now.as_millis();
    assert_eq!(left(then), whole);
    assert_eq!(left(then - year), whole);
    let hour = left(then + 3_590_000);
    assert_eq!(hour.0, Some(whole.0.unwrap() - SECOND * 3590));
    assert_eq!(hour.1, Some(whole.1.unwrap() - SECOND * 3590));
    for far in [then + year, then + 1000 * year, u64::MAX] {
        assert_eq!(left(far), (None, None));
    }
}

/// Every datagram that ever came comes again.
#[test]
fn replays_change_nothing() {
    for host in [0, 1] {
        let pair = Pair::usual().global(|config| {
            config.keepalive = Some(keepalive(KeepaliveKind::Periodic));
        });
        let mut world = up(&pair);
        world.run(SECOND * 35);
        (0..2).for_each(|host| soft_limit(&mut world, host));
        world.run(SECOND * 20);
        away(&mut world, host, configs(&pair)[host].clone(), SECOND);
        replay_all(&mut world, host);
        run_without_loss(&mut world, SECOND * 60);
        assert_eq!(world.hosts[host].kernel.halves.len(), 2);
    }
}

/// Sends a host everything again that it received: the established SAs stay as they are.
fn replay_all(world: &mut World, host: usize) {
    let state = |world: &World| {
        let hosted = &world.hosts[host];
        let clock = hosted.clock(world.now);
        let mut ike = hosted.endpoint.ike_sas(clock);
        ike.retain(|sa| sa.peer_identity.is_some());
        let kernel: Vec<_> = hosted.kernel.halves.keys().copied().collect();
        (ike, hosted.endpoint.children(clock), kernel)
    };
    let before = state(world);
    for bytes in world.hosts[host].received.clone() {
        world.inject(1 - host, host, bytes);
        assert_eq!(state(world), before);
    }
}

/// The peer has answered our quick mode, and the answer comes to nobody.
#[test]
fn a_quick_mode_of_ours_begins_again_and_the_peer_drops_the_old_one() {
    for (sent, rekey) in [(1, true), (2, true), (1, false), (2, false)] {
        let pair = Pair::two_flows();
        let mut world = up(&pair);
        let flow = if rekey { FLOW } else { FlowId(2) };
        match rekey {
            true => soft_limit(&mut world, 0),
            false => world.acquire(0, 1, 2),
        }
        // Message 1 is sent at once; message 2 when it has arrived.
        until_sent(&mut world, sent - 1);
        away(&mut world, 0, pair.config_a(), SECOND * 2);
        assert!(world.hosts[0].endpoint.is_wanted(ONE, flow));
        run_without_loss(&mut world, SECOND);
        assert!(world.traffic_flows(0, 1, flow), "the wish is served");
        assert!(!world.hosts[0].endpoint.is_wanted(ONE, flow));
        run_without_loss(&mut world, SECOND * 60);
        let tunnels = if rekey { 2 } else { 4 };
        for host in &world.hosts {
            assert_eq!(host.kernel.halves.len(), tunnels, "half a child is left");
            assert_eq!(host.causes(), [] as [String; 0]);
        }
        assert_eq!(began(&world, 0, ExchangeType::IDENTITY_PROTECTION), 1);
        assert_eq!(began(&world, 1, ExchangeType::IDENTITY_PROTECTION), 0);
    }
}

/// The delete is lost, or is there before message 1: the peer repeats its answer and gets the delete again.
#[test]
fn a_late_answer_to_a_quick_mode_is_told_that_there_is_no_such_child() {
    let pair = Pair::usual();
    let mut world = up(&pair);
    soft_limit(&mut world, 0);
    until_sent(&mut world, 1);
    assert_eq!(world.hosts[1].kernel.count(Direction::Inbound), 2);
    let saved = world.save(0);
    world.run(SECOND * 4);
    // What the resumed endpoint sends at first is lost.
    world.wire.loss = 100;
    world.resume(0, pair.config_a(), saved.expose());
    world.wire.loss = 0;
    world.run(SECOND * 3);
    assert!(world.hosts[0].kernel.count(Direction::Outbound) == 1);
    world.expect(6, "the half child goes", |world| {
        world.hosts[1].kernel.count(Direction::Inbound) == 2
            && world.hosts[1].kernel.count(Direction::Outbound) <= 2
    });
    run_without_loss(&mut world, SECOND * 60);
    for host in &world.hosts {
        assert_eq!(host.kernel.halves.len(), 2);
    }
    // It is answered so often and no more, and not for ever.
    let answer = world.wire.sent.iter().rev();
    let answers: Vec<_> = answer
        .filter(|datagram| datagram.from.ip() == world.hosts[1].address)
        .map(|datagram| datagram.bytes.clone())
        .collect();
    let sent = world.wire.sent.len();
    for _ in 0..20 {
        for bytes in &answers {
            world.inject(1, 0, bytes.clone());
        }
    }
    let more = world.wire.sent.len() - sent;
    assert!(more <= 13 * answers.len(), "{more} answers to replays");
}

/// Message 3 of the peer comes while nobody listens, or later.
#[test]
fn a_quick_mode_of_the_peer_is_finished() {
    for (time, rekey) in [(0, true), (5, true), (2000, true), (2000, false)] {
        let pair = Pair::usual();
        let mut world = match rekey {
            true => up(&pair),
            false => pair.world(1),
        };
        match rekey {
            true => soft_limit(&mut world, 1),
            false => world.acquire(1, 1, 1),
        }
        // Until our message 2 is on its way.
        let end = world.now + SECOND;
        assert!(world.run_until(end, |world| {
            let hosted = &world.hosts[0];
            let answered = hosted.kernel.count(Direction::Inbound);
            answered == 1 + usize::from(rekey)
        }));
        let time = Duration::from_millis(time);
        let saved = world.save(0);
        world.run(time);
        assert_eq!(
            world.hosts[0].kernel.count(Direction::Outbound),
            usize::from(rekey)
        );
        world.resume(0, pair.config_a(), saved.expose());
        world.expect(3, "the child", |world| {
            world.hosts[0].kernel.halves.len() >= 2 + 2 * usize::from(rekey)
        });
        run_without_loss(&mut world, SECOND * 60);
        for host in &world.hosts {
            assert_eq!(host.kernel.halves.len(), 2);
            assert_eq!(host.causes(), [] as [String; 0]);
        }
        assert_eq!(began(&world, 1, ExchangeType::QUICK_MODE), 1);
    }
}

/// A rekeyed child whose outbound half is not installed yet: its keys are saved, and nothing else's.
#[test]
fn a_child_that_does_not_send_yet_sends_later() {
    for time in [0, 100, 3000] {
        let pair = Pair::usual();
        let mut world = up(&pair);
        soft_limit(&mut world, 0);
        until_sent(&mut world, 2);
        let hosted = &world.hosts[0];
        assert_eq!(hosted.kernel.count(Direction::Inbound), 2);
        assert_eq!(hosted.kernel.count(Direction::Outbound), 1);
        let installed: Vec<Vec<u8>> = hosted
            .kernel
            .halves
            .values()
            .flat_map(|sa| &sa.protocols)
            .flat_map(|part| [&part.inbound.cipher, &part.outbound.cipher])
            .map(|key| key.expose().to_vec())
            .filter(|key| !key.is_empty())
            .collect();
        assert_eq!(installed.len(), 3);
        let saved = world.save(0);
        for key in installed {
            let found = saved.expose().windows(key.len()).any(|part| part == key);
            assert!(!found, "a key that the kernel has is saved");
        }
        world.run(Duration::from_millis(time));
        world.resume(0, pair.config_a(), saved.expose());
        world.expect(1, "it sends", |world| {
            world.hosts[0].kernel.count(Direction::Outbound) == 2 || {
                let sas = &world.hosts[0].kernel;
                sas.count(Direction::Outbound) == 1 && sas.count(Direction::Inbound) == 2
            }
        });
        run_without_loss(&mut world, SECOND * 60);
        for host in &world.hosts {
            assert_eq!(host.kernel.halves.len(), 2);
            assert_eq!(host.causes(), [] as [String; 0]);
        }
    }
}

/// A phase 1 in progress is forgotten; what waited for it is served by another one.
#[test]
fn a_wish_outlives_its_phase_1() {
    for sent in 1..=6 {
        let pair = Pair::usual();
        let mut world = pair.world(1);
        world.acquire(0, 1, 1);
        until_sent(&mut world, sent - 1);
        away(&mut world, 0, pair.config_a(), SECOND);
        world.expect(3, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
        run_without_loss(&mut world, SECOND * 60);
        assert!(world.hosts.iter().all(|host| host.kernel.halves.len() == 2));
    }
}

/// The same of one that waits for an answer from outside.
#[test]
fn a_wish_outlives_its_question() {
    let pair = Pair::usual();
    let mut world = pair.world(1);
    world.hosts[0].answer_after = None;
    world.acquire(0, 1, 1);
    world.run(SECOND);
    assert!(world.hosts[0].endpoint.is_wanted(ONE, FLOW));
    world.hosts[0].answer_after = Some(SECOND);
    away(&mut world, 0, pair.config_a(), SECOND);
    world.expect(3, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
}

/// As the responder of a phase 1 we know nothing of it afterwards: the peer tries again.
#[test]
fn a_phase_1_of_the_peer_is_tried_again() {
    for sent in 1..=5 {
        let pair = Pair::usual();
        let mut world = pair.world(1);
        world.acquire(0, 1, 1);
        until_sent(&mut world, sent - 1);
        away(&mut world, 1, pair.config_b(), SECOND);
        world.send_packets(&[0], 60);
        assert!(world.traffic_flows(0, 1, FLOW));
    }
}

/// The negotiation that was to replace an ISAKMP SA is not saved: another one does.
#[test]
fn phase_1_is_still_renewed() {
    for host in [0, 1] {
        let pair = Pair::usual().global(|config| config.policies[0].lifetime = 3600);
        let mut world = up(&pair);
        let again = |world: &World| began(world, 0, ExchangeType::IDENTITY_PROTECTION) == 2;
        world.expect(3600, "another phase 1", again);
        until_sent(&mut world, 1);
        away(&mut world, host, configs(&pair)[host].clone(), SECOND);
        run_without_loss(&mut world, SECOND * 4000);
        for host in &world.hosts {
            assert!(host.has(|event| matches!(event, Event::IkeUp { rekey: true, .. })));
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

fn keepalive(kind: KeepaliveKind) -> Keepalive {
    Keepalive {
        interval: SECOND * 10,
        retry: SECOND * 2,
        kind,
    }
}

#[test]
fn dead_peer_detection_goes_on() {
    for host in [0, 1] {
        let pair = Pair::usual().global(|config| {
            config.keepalive = Some(keepalive(KeepaliveKind::Periodic));
        });
        let mut world = up(&pair);
        // At every place between question and answer, and in between.
        for pause in [9_005, 9_015, 12_000, 9_500, 17_000] {
            world.run(Duration::from_millis(pause));
            away(&mut world, host, configs(&pair)[host].clone(), SECOND);
            run_without_loss(&mut world, SECOND * 35);
        }
        assert!(
            !world
                .hosts
                .iter()
                .any(|host| host.has(|e| matches!(e, Event::PeerDead)))
        );
        let numbers: Vec<u32> = world.hosts[host]
            .events()
            .filter_map(|event| match event {
                Event::DpdSent { sequence, .. } => Some(*sequence),
                _ => None,
            })
            .collect();
        assert!(numbers.is_sorted_by(|a, b| b - a == 1), "{numbers:?}");
        assert!(numbers.len() > 20);
        // The other end dies.
        world.hosts[1 - host].plugged = false;
        world.run(SECOND * 8);
        away(&mut world, host, configs(&pair)[host].clone(), SECOND * 5);
        world.run(SECOND * 20);
        assert!(world.hosts[host].has(|event| matches!(event, Event::PeerDead)));
        assert!(world.hosts[host].kernel.halves.is_empty());
    }
}

/// The peer answered its last chance while we were away.
#[test]
fn a_peer_is_asked_once_more_before_it_is_dead() {
    let mut pair = Pair::usual();
    pair.global_a.keepalive = Some(keepalive(KeepaliveKind::Periodic));
    let mut world = up(&pair);
    world.wire.loss = 100;
    let asked = |world: &World| world.hosts[0].count(|e| matches!(e, Event::DpdSent { .. }));
    world.expect(60, "five questions", |world| asked(world) == 5);
    world.wire.loss = 0;
    away(&mut world, 0, pair.config_a(), SECOND * 30);
    run_without_loss(&mut world, SECOND * 60);
    assert!(!world.hosts[0].has(|event| matches!(event, Event::PeerDead)));
}

/// The configuration changed meanwhile: what it does not describe goes, and the peer is told.
#[test]
fn what_is_not_configured_any_more_is_deleted() {
    let pair = Pair::usual();
    let mut other_flow = pair.a.clone();
    other_flow.flows = vec![flow(1, "10.9.0.0/16", "10.2.0.0/16")];
    let mut other_peer = pair.a.clone();
    other_peer.peers = vec!["203.0.113.7".parse().unwrap()];
    let mut none = pair.config_a();
    none.connections.clear();
    let configs = [
        (none, 0),
        (with(&pair.global_a, &other_peer), 0),
        (with(&pair.global_a, &other_flow), 1),
    ];
    for (config, ike) in configs {
        let mut world = up(&pair);
        away(&mut world, 0, config, SECOND);
        world.run(SECOND * 4);
        for host in &world.hosts {
            assert!(host.kernel.halves.is_empty());
            assert!(host.has(|e| matches!(e, Event::SessionDown { .. })));
            let sas = host.endpoint.ike_sas(host.clock(world.now));
            assert_eq!(sas.iter().filter(|sa| !sa.deleted).count(), ike);
        }
        assert!(world.hosts[0].has(|event| matches!(
            event,
            Event::ChildDown {
                reason: DownReason::ConfigChanged,
                ..
            }
        )));
    }
}

/// The same flow under another name, another connection more: nothing is disturbed.
#[test]
fn what_is_still_configured_stays() {
    let pair = Pair::usual();
    let mut world = up(&pair);
    let mut renamed = pair.a.clone();
    renamed.flows = vec![
        flow(1, "10.5.0.0/16", "10.6.0.0/16"),
        flow(7, "10.1.0.0/16", "10.2.0.0/16"),
    ];
    let mut config = with(&pair.global_a, &renamed);
    let mut more = connection(
        A,
        "203.0.113.7",
        vec![flow(1, "10.7.0.0/16", "10.8.0.0/16")],
    );
    more.id = ike::config::ConnectionId(2);
    config.connections.push(more.into());
    let sent = world.wire.sent.len();
    away(&mut world, 0, config, SECOND);
    world.run(SECOND * 10);
    assert_eq!(world.wire.sent.len(), sent);
    let children = world.hosts[0]
        .endpoint
        .children(world.hosts[0].clock(world.now));
    assert_eq!(children.len(), 1);
    assert_eq!(children[0].flow, FlowId(7));
}

/// The kernel said to nobody that a child has carried what it may before a rekey.
#[test]
fn a_volume_that_was_used_up_meanwhile_is_noticed() {
    let pair = Pair::usual();
    for used in [false, true] {
        let mut world = up(&pair);
        let child = world.hosts[1].kernel.outbound(FLOW).unwrap().clone();
        let soft = child.lifetime.soft_bytes.unwrap();
        away(&mut world, 1, pair.config_b(), SECOND);
        let count = Traffic {
            outbound_bytes: if used { soft } else { soft - 1 },
            ..Traffic::default()
        };
        world.with(1, |endpoint, now| endpoint.traffic(now, child.id, count));
        run_without_loss(&mut world, SECOND * 30);
        let exchanges = began(&world, 1, ExchangeType::QUICK_MODE);
        assert_eq!(exchanges, usize::from(used));
    }
}

/// A machine that lost its kernel's SAs ends what it resumed, one by one, and begins anew.
#[test]
fn children_that_the_kernel_lost_are_ended() {
    let pair = Pair::usual();
    let mut world = up(&pair);
    let saved = world.save(0);
    let halves = Saved::from_bytes(saved.expose()).unwrap().halves();
    world.run(SECOND);
    world.resume(0, pair.config_a(), saved.expose());
    let (_, _, sas) = &halves[0];
    let sa = sas[0];
    assert_eq!(sa.protocol, IpsecProtocol::Esp);
    world.with(0, |endpoint, now| {
        endpoint.expire(now, sa.destination, sa.protocol, sa.spi, Expiry::Hard);
    });
    world.run(SECOND * 4);
    assert!(world.hosts.iter().all(|host| host.kernel.halves.is_empty()));
    world.acquire(0, 1, 1);
    world.expect(1, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    assert_eq!(began(&world, 0, ExchangeType::IDENTITY_PROTECTION), 1);
}

#[test]
fn an_endpoint_with_sas_of_its_own_cannot_go_on_with_others() {
    let pair = Pair::usual();
    let mut world = up(&pair);
    let mut other = up(&pair);
    let saved = world.save(0);
    let saved = Saved::from_bytes(saved.expose()).unwrap();
    let refused = other.with(0, |endpoint, now| endpoint.resume(now, 0, saved));
    assert_eq!(refused, Err(ResumeError::InUse));
    run_without_loss(&mut other, SECOND * 60);
}

/// What is kept of a tunnel is small.
#[test]
fn an_isakmp_sa_and_a_child_take_a_few_hundred_octets() {
    let pair = Pair::usual();
    let empty = pair.world(1).save(0).expose().len();
    let length = |role: usize| -> Secret { up(&pair).save(role) };
    let [initiator, responder] = [0, 1].map(|role| length(role).expose().len() - empty);
    let mut world = up(&pair);
    world.with(0, |endpoint, now| endpoint.clear(now, ike::Clear::Children));
    world.run(SECOND * 90);
    let ike = world.save(0).expose().len() - empty;
    println!("both: initiator {initiator}, responder {responder}; ISAKMP SA alone {ike}");
    assert!(
        initiator <= 800 && responder <= 800,
        "{initiator} {responder}"
    );
}
