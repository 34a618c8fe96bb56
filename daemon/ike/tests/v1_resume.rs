//! An endpoint ends and another one goes on with its SAs: the peer notices nothing. What is in the middle of an exchange is in
//! `v1_resume_exchanges`, any history in `v1_resume_histories`, the bytes in `v1_resume_bytes`.

mod support;

use std::time::Duration;

use ike::algorithm::IpsecProtocol;
use ike::config::{FlowId, Keepalive, KeepaliveKind, Peers};
use ike::event::{DownReason, Event};
use ike::registry::ExchangeType;
use ike::secret::Secret;
use ike::{Expiry, Instant, ResumeError, Saved, Traffic};
use support::World;
use support::away::{SECOND, away, began, configs, run_without_loss, soft_limit, up};
use support::config::{A, FLOW, ONE, Pair, connection, flow, with};

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
        let session = world.hosts[host].endpoint.connection_status(ONE).unwrap();
        let up_since = clock - session.up_since.unwrap();
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
        let mut status = world.hosts[host].endpoint.connection_status(ONE).unwrap();
        assert_eq!(clock - status.up_since.unwrap(), up_since + gone);
        status.up_since = session.up_since;
        assert_eq!(status, session);
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
    other_flow.flows = vec![flow(1, "10.9.0.0/16", "10.2.0.0/16")].into();
    let mut other_peer = pair.a.clone();
    other_peer.peers = vec!["203.0.113.7".parse().unwrap()].into();
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
    ]
    .into();
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

/// A delete that waits for an ISAKMP SA waits on.
#[test]
fn the_peer_is_told_what_went_while_there_was_no_phase_1() {
    let pair = Pair::two_flows();
    let mut world = up(&pair);
    world.acquire(0, 1, 2);
    world.expect(1, "both", |world| world.traffic_flows(0, 1, FlowId(2)));
    world.wire.loss = 100;
    world.with(0, |endpoint, now| endpoint.clear(now, ike::Clear::IkeSas));
    let second = world.hosts[0].kernel.outbound(FlowId(2)).unwrap().clone();
    let part = &second.protocols[0];
    let clear = ike::Clear::ChildWithSpi {
        destination: second.remote,
        protocol: part.protocol,
        spi: part.outbound_spi,
    };
    world.with(0, |endpoint, now| endpoint.clear(now, clear));
    let saved = world.save(0);
    world.run(SECOND);
    world.wire.loss = 0;
    world.resume(0, pair.config_a(), saved.expose());
    run_without_loss(&mut world, SECOND * 5);
    for host in &world.hosts {
        assert_eq!(host.kernel.halves.len(), 2);
    }
}

/// The peer has deleted a child while nobody listened: this shows when nothing comes back.
#[test]
fn a_child_that_the_peer_has_no_more_is_replaced() {
    let pair = Pair::usual();
    let mut world = up(&pair);
    world.run(SECOND * 60);
    let saved = world.save(0);
    world.with(1, |endpoint, now| endpoint.clear(now, ike::Clear::Children));
    world.run(SECOND);
    world.resume(0, pair.config_a(), saved.expose());
    assert!(!world.packet_arrives(0, 1, FLOW));
    world.send_packets(&[0], 8);
    assert!(world.traffic_flows(0, 1, FLOW));
}

/// Which peer is in use, and what failed, is known on.
#[test]
fn a_connection_goes_on_with_its_peer() {
    let mut pair = Pair::usual();
    let spare = "203.0.113.9".parse().unwrap();
    pair.a.peers = Peers::Listed(vec![pair.a.peers.listed()[0], spare]);
    pair.global_a.keys.add_address(spare, 32, "cisco123".into());
    let mut world = pair.world(1);
    world.hosts[1].plugged = false;
    world.acquire(0, 1, 1);
    world.expect(40, "the other peer", |world| {
        world.hosts[0].has(|event| matches!(event, Event::PeerSwitched { .. }))
    });
    let status = |world: &World| world.hosts[0].endpoint.connection_status(ONE).unwrap();
    let before = status(&world);
    assert_eq!(before.peer, Some(spare));
    let now = world.hosts[0].clock(world.now);
    let age = now - before.last_failure.clone().unwrap().at;
    away(&mut world, 0, pair.config_a(), SECOND);
    let after = status(&world);
    assert_eq!(after.peer, Some(spare));
    let failure = after.last_failure.unwrap();
    assert_eq!(failure.cause, before.last_failure.unwrap().cause);
    assert_eq!(world.hosts[0].clock(world.now) - failure.at, age + SECOND);
    // Of two peers one has been tried, so that this one's failure is the last.
    world.expect(40, "the end of the wish", |world| {
        !world.hosts[0].over.is_empty()
    });
    let switched = world.hosts[0].count(|e| matches!(e, Event::PeerSwitched { .. }));
    assert_eq!(switched, 1);
}

/// Keepalives that are configured meanwhile.
#[test]
fn dead_peer_detection_begins_where_there_was_none() {
    let mut pair = Pair::usual();
    let mut world = up(&pair);
    pair.global_a.keepalive = Some(keepalive(KeepaliveKind::Periodic));
    away(&mut world, 0, pair.config_a(), SECOND);
    world.run(SECOND * 35);
    let asked = world.hosts[0].count(|e| matches!(e, Event::DpdAnswered { .. }));
    assert_eq!(asked, 3);
}
