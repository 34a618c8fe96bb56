//! The pre-shared key is asked of the outside: the answer may come later, never, twice, or when nothing waits for it.

mod support;

use std::time::Duration;

use ike::event::Event;
use ike::{Answer, Clear, QuestionId};
use support::World;
use support::config::{B, FLOW, Pair, last_failure};

const SECOND: Duration = Duration::from_secs(1);

/// A pair in which one host or both get their answers after this time.
fn world(slow: &[usize], answer_after: Option<Duration>) -> World {
    let mut world = Pair::usual().world(7);
    for host in slow {
        world.hosts[*host].answer_after = answer_after;
    }
    world
}

#[test]
fn an_answer_that_takes_a_second_delays_the_tunnel_by_a_second() {
    for slow in [&[0][..], &[1], &[0, 1]] {
        let mut world = world(slow, Some(SECOND));
        let before = world.now;
        world.acquire(0, 1, 1);
        world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
        let took = world.now.since(before);
        let least = SECOND * u32::try_from(slow.len()).unwrap();
        assert!((least..least + SECOND).contains(&took), "{slow:?} {took:?}");
        // Message 1 went out a second time meanwhile; it is no second negotiation.
        assert_eq!(world.hosts[1].endpoint.ike_sas(world.now).len(), 1);
        assert!(world.hosts.iter().all(|host| host.causes().is_empty()));
    }
}

/// While there are many negotiations message 2 goes out at once, and the key is asked for when message 3 has come.
#[test]
fn an_answer_that_takes_a_second_while_there_are_many_negotiations() {
    let pair = Pair::usual();
    let mut world = world(&[1], Some(SECOND));
    let first = support::forge::first_message(&pair);
    for number in 0..10 {
        let forged = support::forge::with_cookie(&first, number);
        world.inject(0, 1, forged);
    }
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    assert_eq!(
        world.hosts[1].endpoint.admission().answered_without_state,
        7
    );
}

#[test]
fn an_answer_that_never_comes_ends_the_negotiation_with_a_cause() {
    let cause = |peer| format!("the pre-shared key for {peer} did not come within 30 seconds");
    // As the initiator: nothing was sent at all, and the flow can be asked for again.
    let mut world = world(&[0], None);
    world.acquire(0, 1, 1);
    world.run(31 * SECOND);
    assert!(world.wire.sent.is_empty());
    assert_eq!(last_failure(&world.hosts[0]), Some(cause(B)));
    assert_eq!(world.hosts[0].over.len(), 1);
    world.hosts[0].answer_after = Some(Duration::ZERO);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    // As the responder.
    let mut world = self::world(&[1], None);
    world.acquire(0, 1, 1);
    world.run(31 * SECOND);
    assert_eq!(
        last_failure(&world.hosts[1]),
        Some(cause(support::config::A))
    );
    let waiting = |world: &World| {
        let sas = world.hosts[1].endpoint.ike_sas(world.now);
        sas.iter().filter(|sa| !sa.deleted).count()
    };
    assert_eq!(waiting(&world), 0);
}

#[test]
fn there_is_no_key() {
    for host in [0, 1] {
        let mut world = world(&[host], Some(SECOND));
        world.hosts[host].keys = Default::default();
        world.acquire(0, 1, 1);
        world.run(3 * SECOND);
        let failure = last_failure(&world.hosts[host]).unwrap();
        assert!(failure.starts_with("no pre-shared key for"), "{failure}");
        assert!(world.hosts[host].endpoint.ike_sas(world.now).is_empty());
    }
}

/// The operator clears the SA while its key is asked for: the answer finds nothing, and the next attempt asks anew.
#[test]
fn the_answer_for_an_sa_that_is_gone() {
    for host in [0, 1] {
        let mut world = world(&[host], Some(3 * SECOND));
        world.acquire(0, 1, 1);
        world.run(SECOND);
        world.with(host, |endpoint, now| endpoint.clear(now, Clear::IkeSas));
        let sent = world.wire.sent.len();
        let facts = world.hosts[host].facts.len();
        assert_eq!(world.hosts[host].questions.len(), 1);
        if host == 0 {
            world.run(5 * SECOND);
            assert_eq!(world.wire.sent.len(), sent, "nothing waits for the answer");
            assert_eq!(world.hosts[0].facts.len(), facts);
        }
        world.hosts[host].answer_after = Some(Duration::ZERO);
        world.acquire(0, 1, 1);
        world.expect(30, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    }
}

/// An answer that comes twice, and answers to questions that were not asked.
#[test]
fn an_answer_counts_once() {
    let mut world = world(&[0, 1], None);
    world.acquire(0, 1, 1);
    // Nothing is answered by itself: the questions are numbered from 1.
    for host in [0, 1] {
        let wrong = Answer::PeerKey(Some("wrong".into()));
        let right = Answer::PeerKey(Some("cisco123".into()));
        world.with(host, |endpoint, now| {
            endpoint.answer(now, QuestionId(77), wrong.clone());
            endpoint.answer(now, QuestionId(1), right.clone());
            endpoint.answer(now, QuestionId(1), wrong);
            endpoint.answer(now, QuestionId(1), right);
        });
        world.run(SECOND);
    }
    assert!(world.traffic_flows(0, 1, FLOW));
    let ups = world.hosts[0].count(|event| matches!(event, Event::IkeUp { .. }));
    assert_eq!(ups, 1);
}

/// The key is no part of what an answer prints.
#[test]
fn answers_do_not_show_keys() {
    let answer = Answer::PeerKey(Some("cisco123".into()));
    assert!(!format!("{answer:?}").contains("cisco"));
}
