//! Every state and every wrong message: counted, dropped, and the negotiation goes on as if nothing
//! had come.

mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ike::registry::{ExchangeType, NotifyType, PayloadType, ProtocolId};
use ike::wire::v1::{
    Chain, Delete, Id, Identification, Notification, Payload, message_with_ciphertext,
};
use ike::wire::{Cookies, Header};
use support::config::{FLOW, Pair};

/// Wrong messages for an SA with these cookies, in any state.
fn wrong_messages(cookies: Cookies) -> Vec<(String, Vec<u8>)> {
    let exchanges = [
        ExchangeType::IDENTITY_PROTECTION,
        ExchangeType::QUICK_MODE,
        ExchangeType::INFORMATIONAL,
    ];
    let mut list = Vec::new();
    for exchange in exchanges {
        for message_id in [0, 0x1234_5678] {
            for (name, payloads) in wrong_payloads(cookies) {
                let header = Header::v1(cookies, exchange, message_id);
                let bytes = Chain::encode(&payloads).unwrap().into_clear(header);
                list.push((format!("clear {exchange:?} {message_id:#x} {name}"), bytes));
            }
            for length in [1, 8, 16, 17, 48, 256] {
                let bytes: Vec<u8> = (0..length).map(|i| (i * 37 + length) as u8).collect();
                for first in [
                    PayloadType::HASH,
                    PayloadType::IDENTIFICATION,
                    PayloadType::NONE,
                ] {
                    let header = Header::v1(cookies, exchange, message_id);
                    let bytes = message_with_ciphertext(header, first, &bytes);
                    let name = format!("encrypted {exchange:?} {message_id:#x} {first:?} {length}");
                    list.push((name, bytes));
                }
            }
        }
    }
    for exchange in [1, 3, 4, 6, 33, 34, 255] {
        let header = Header::v1(cookies, ExchangeType(exchange), 7);
        let bytes = Chain::encode(&[Payload::Nonce(vec![1; 20])])
            .unwrap()
            .into_clear(header);
        list.push((format!("exchange type {exchange}"), bytes));
    }
    list
}

fn wrong_payloads(cookies: Cookies) -> Vec<(&'static str, Vec<Payload>)> {
    let ke = |length: usize, value: u8| Payload::KeyExchange(vec![value; length]);
    let nonce = || Payload::Nonce(vec![3; 20]);
    let id = Payload::Identification(Identification::any(Id::Ipv4([192, 0, 2, 1].into())));
    let dpd = |kind| Payload::Notification(Notification::dead_peer_detection(kind, cookies, 1));
    vec![
        ("nothing", vec![]),
        ("a nonce", vec![nonce()]),
        ("a short public value", vec![ke(10, 1), nonce()]),
        ("a public value off the curve", vec![ke(64, 0), nonce()]),
        ("a public value alone", vec![ke(64, 1)]),
        ("two public values", vec![ke(64, 1), ke(64, 1), nonce()]),
        (
            "an identity and a hash",
            vec![id, Payload::Hash(vec![1; 32])],
        ),
        ("a hash", vec![Payload::Hash(vec![1; 32])]),
        ("a vendor id", vec![Payload::VendorId(vec![1; 16])]),
        ("R-U-THERE", vec![dpd(NotifyType::R_U_THERE)]),
        ("R-U-THERE-ACK", vec![dpd(NotifyType::R_U_THERE_ACK)]),
        (
            "INITIAL-CONTACT",
            vec![Payload::Notification(Notification::new(
                ProtocolId::ISAKMP,
                NotifyType::INITIAL_CONTACT,
                cookies.bytes(),
                [],
            ))],
        ),
        (
            "a delete of the SA",
            vec![Payload::Delete(Delete::isakmp(cookies))],
        ),
        (
            "a delete of a child",
            vec![Payload::Delete(Delete::children(ProtocolId::ESP, &[300]))],
        ),
    ]
}

/// Damages to the bytes of a right message that leave it wrong.
fn damaged(message: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut list = Vec::new();
    for length in (0..message.len()).step_by(7) {
        list.push((format!("cut to {length}"), message[..length].to_vec()));
    }
    let mut longer = message.to_vec();
    longer.extend([0; 9]);
    list.push(("made longer".into(), longer));
    for (at, value, name) in [
        (17, 0x20, "version 2"),
        (17, 0x50, "version 5"),
        (18, 99, "exchange"),
    ] {
        let mut changed = message.to_vec();
        changed[at] = value;
        list.push((name.into(), changed));
    }
    list
}

/// Runs a handshake up to message `step`, which is swallowed; hands every wrong message to the side
/// that waits for it; then lets the handshake go on.
fn ladder(step: usize) {
    let mut world = Pair::usual().world(5);
    let held = Rc::new(RefCell::new(None));
    let keep = held.clone();
    world.wire.tamper = Some(Box::new(move |number, datagram| {
        if number == step {
            *keep.borrow_mut() = Some(datagram.clone());
        }
        number != step
    }));
    world.acquire(0, 1, 1);
    world.run(Duration::from_millis(500));
    let held = held.borrow().clone().expect("the message of this step");
    let to = usize::from(held.to.ip() == world.hosts[1].address);
    let from = 1 - to;
    let cookies = Header::decode(&held.bytes).unwrap().cookies;
    let before: u64 = world.hosts[to].endpoint.dropped().values().sum();
    let sent = world.wire.sent.len();
    let mut wrong = wrong_messages(cookies);
    wrong.extend(damaged(&held.bytes));
    // Messages of this very exchange at the wrong moment, to either side.
    let earlier: Vec<_> = world.wire.sent[..sent].to_vec();
    for (number, datagram) in earlier
        .iter()
        .enumerate()
        .filter(|(number, _)| *number != step)
    {
        wrong.push((format!("message {number} again"), datagram.bytes.clone()));
    }
    // The very first message has no state to disturb: its cookies are unknown to the responder.
    let count = wrong.len() as u64;
    let states: Vec<_> = world
        .hosts
        .iter()
        .map(|h| h.endpoint.ike_sas(world.now))
        .collect();
    for (name, bytes) in wrong {
        world.inject(from, to, bytes);
        let now: Vec<_> = world
            .hosts
            .iter()
            .map(|h| h.endpoint.ike_sas(world.now))
            .collect();
        if step > 0 {
            assert_eq!(now, states, "step {step}: {name} changed the state");
        }
        assert_eq!(
            world.hosts[to].kernel.halves.len() % 2,
            usize::from(to == 1 && step == 8)
        );
    }
    let dropped: u64 = world.hosts[to].endpoint.dropped().values().sum();
    // Answers are repeated for the few that are repeats.
    assert!(
        dropped - before >= count - 9,
        "{count} sent, {} dropped",
        dropped - before
    );
    world.wire.tamper = None;
    world.expect(20, "a tunnel in spite of it all", |world| {
        world.traffic_flows(0, 1, FLOW)
    });
    world.run(Duration::from_secs(60));
    for host in &world.hosts {
        assert_eq!(host.kernel.halves.len(), 2, "step {step}");
        assert!(world.traffic_flows(0, 1, FLOW));
    }
}

#[test]
fn main_mode_1() {
    ladder(0);
}

#[test]
fn main_mode_2() {
    ladder(1);
}

#[test]
fn main_mode_3() {
    ladder(2);
}

#[test]
fn main_mode_4() {
    ladder(3);
}

#[test]
fn main_mode_5() {
    ladder(4);
}

#[test]
fn main_mode_6() {
    ladder(5);
}

#[test]
fn quick_mode_1() {
    ladder(6);
}

#[test]
fn quick_mode_2() {
    ladder(7);
}

#[test]
fn quick_mode_3() {
    ladder(8);
}

/// An established tunnel shrugs off everything as well, old messages included.
#[test]
fn established() {
    let mut world = Pair::usual().world(5);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.run(Duration::from_secs(120));
    let cookies = Header::decode(&world.wire.sent[8].bytes).unwrap().cookies;
    let sent: Vec<_> = world.wire.sent.clone();
    let before: Vec<_> = world
        .hosts
        .iter()
        .map(|h| h.endpoint.ike_sas(world.now))
        .collect();
    for to in [0, 1] {
        for (_, bytes) in wrong_messages(cookies) {
            world.inject(1 - to, to, bytes);
        }
        for datagram in &sent {
            world.inject(1 - to, to, datagram.bytes.clone());
            for (_, bytes) in damaged(&datagram.bytes) {
                world.inject(1 - to, to, bytes);
            }
        }
    }
    let after: Vec<_> = world
        .hosts
        .iter()
        .map(|h| h.endpoint.ike_sas(world.now))
        .collect();
    assert_eq!(before, after);
    assert!(world.traffic_flows(0, 1, FLOW));
    world.run(Duration::from_secs(60));
    assert!(world.traffic_flows(0, 1, FLOW));
    assert_eq!(
        world.hosts[0].kernel.halves.len() + world.hosts[1].kernel.halves.len(),
        4
    );
}

/// A stranger who knows no cookies changes nothing, from any address.
#[test]
fn strangers() {
    let mut world = Pair::usual().world(5);
    let stranger = support::config::with(
        &support::config::global(support::config::B, "guess"),
        &support::config::connection("203.0.113.66", support::config::B, Vec::new()),
    );
    world.host("203.0.113.66", stranger);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    for datagram in world.wire.sent.clone() {
        world.inject(2, 0, datagram.bytes.clone());
        world.inject(2, 1, datagram.bytes);
    }
    world.run(Duration::from_secs(60));
    assert!(world.traffic_flows(0, 1, FLOW));
    assert_eq!(world.hosts[1].endpoint.ike_sas(world.now).len(), 1);
}

/// A flood of first messages is bounded.
#[test]
fn half_open_negotiations_are_limited() {
    let mut world = Pair::usual().world(5);
    world.hosts[1].plugged = false;
    world.acquire(0, 1, 1);
    world.hosts[1].plugged = true;
    let first = world.wire.sent[0].bytes.clone();
    for number in 0..1000u64 {
        let mut message = first.clone();
        message[..8].copy_from_slice(&(number + 1).to_be_bytes());
        world.inject(0, 1, message);
    }
    assert!(world.hosts[1].endpoint.ike_sas(world.now).len() <= 16);
    world.run(Duration::from_secs(60));
    world.acquire(0, 1, 1);
    world.expect(20, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
}
