//! An endpoint ends in the middle of an exchange, and another one goes on with its SAs: both ends have the same afterwards.

mod support;

use std::time::Duration;

use ike::child::Direction;
use ike::config::FlowId;
use ike::event::{DownReason, Event};
use ike::registry::ExchangeType;
use support::World;
use support::away::{SECOND, away, began, configs, run_without_loss, soft_limit, until_sent, up};
use support::config::{FLOW, ONE, Pair};

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
        if host == 0 {
            run_without_loss(&mut world, SECOND);
            assert_eq!(began(&world, 0, ExchangeType::IDENTITY_PROTECTION), 3);
        }
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

/// Message 3 of ours was lost: the peer asks for it again, and gets it.
#[test]
fn the_last_message_of_a_quick_mode_is_repeated() {
    let pair = Pair::usual();
    let mut world = up(&pair);
    soft_limit(&mut world, 0);
    until_sent(&mut world, 1);
    world.wire.loss = 100;
    until_sent(&mut world, 1);
    world.wire.loss = 0;
    away(&mut world, 0, pair.config_a(), SECOND / 2);
    let ups = |world: &World| world.hosts[1].count(|e| matches!(e, Event::ChildUp { .. }));
    assert_eq!(ups(&world), 1);
    world.expect(1, "the peer has it", |world| ups(world) == 2);
    run_without_loss(&mut world, SECOND * 60);
    assert!(world.hosts.iter().all(|host| host.kernel.halves.len() == 2));
}

/// Children live on without phase 1, which is being negotiated, or is to be when the next attempt is due.
#[test]
fn phase_1_comes_back_for_children_that_lost_it() {
    let pair = Pair::usual();
    let attempts = |world: &World| began(world, 0, ExchangeType::IDENTITY_PROTECTION);
    let established = |world: &World| {
        let sas = world.hosts[0]
            .endpoint
            .ike_sas(world.hosts[0].clock(world.now));
        sas.iter().any(|sa| sa.remaining.is_some())
    };
    for fails in [false, true] {
        let mut world = up(&pair);
        world.hosts[1].plugged = false;
        world.with(0, |endpoint, now| endpoint.clear(now, ike::Clear::IkeSas));
        let failed = |world: &World| !world.hosts[0].causes().is_empty();
        match fails {
            true => world.expect(60, "a failure", failed),
            false => world.run(SECOND * 5),
        }
        assert_eq!(attempts(&world), 2);
        world.hosts[1].plugged = true;
        world.run(SECOND / 10);
        away(&mut world, 0, pair.config_a(), SECOND);
        if fails {
            run_without_loss(&mut world, SECOND * 10);
            assert_eq!(attempts(&world), 2, "too early");
        }
        run_without_loss(&mut world, SECOND * 5);
        assert_eq!(attempts(&world), 3);
        assert!(established(&world));
    }
}
