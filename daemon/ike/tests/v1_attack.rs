//! Replays and liars.

mod support;

use std::time::Duration;

use ike::config::OwnIdentity;
use ike::registry::{ExchangeType, PayloadType};
use ike::wire::Header;
use ike::wire::v1::{Body, Chain, Message, Payload};
use support::World;
use support::alone::Alone;
use support::config::{FLOW, Pair};
use support::forge::first_message;

/// Every message that was ever sent, once more: nothing changes, however old it is. A day of dead peer detection every ten
/// seconds, and of rekeys, is in between.
#[test]
fn replays_of_a_day_change_nothing() {
    use ike::config::{Keepalive, KeepaliveKind};
    let pair = Pair::usual().global(|config| {
        config.keepalive = Some(Keepalive {
            interval: Duration::from_secs(10),
            retry: Duration::from_secs(2),
            kind: KeepaliveKind::Periodic,
        });
        config.policies[0].lifetime = 86_400;
    });
    let mut world = pair.world(1);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.run(Duration::from_secs(60_000));
    let sent = world.wire.sent.clone();
    assert!(sent.len() > 20_000, "{}", sent.len());
    let state = |world: &World| {
        let hosts = world.hosts.iter();
        let state = hosts.map(|host| {
            let kernel: Vec<_> = host.kernel.halves.keys().copied().collect();
            (
                kernel,
                host.endpoint.ike_sas(world.now),
                host.endpoint.next_timeout(),
            )
        });
        state.collect::<Vec<_>>()
    };
    // So that the reports of the drops themselves do not count as a change.
    world.inject(0, 1, vec![0; 3]);
    world.inject(1, 0, vec![0; 3]);
    let (before, count) = (state(&world), world.wire.sent.len());
    for datagram in &sent {
        let to = usize::from(datagram.to.ip() == world.hosts[1].address);
        world.inject(1 - to, to, datagram.bytes.clone());
    }
    let after = state(&world);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.0, after.0, "the kernel");
        assert_eq!(before.1, after.1, "the ISAKMP SAs");
    }
    // The last answer of main mode is repeated a few times at most.
    let answers = world.wire.sent.len() - count;
    assert!(answers <= 12 * 2, "{answers} answers");
    assert!(world.traffic_flows(0, 1, FLOW));
}

/// An identity of 50,000 octets, one with terminal codes, and none at all (CVE-2025-9242, CVE-2023-28771).
#[test]
fn what_a_peer_calls_itself_is_cut_and_escaped_wherever_it_is_shown() {
    for name in [
        "x".repeat(50_000),
        "r1\r\n%SYS-5: \u{1b}[2J`reboot`".into(),
        String::new(),
    ] {
        let mut pair = Pair::usual();
        pair.global_a.identity = OwnIdentity::Hostname(name.clone());
        let mut world = pair.world(1);
        world.acquire(0, 1, 1);
        world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
        let sas = world.hosts[1].endpoint.ike_sas(world.now);
        let shown = sas[0].peer_identity.as_ref().unwrap().to_string();
        assert!(shown.len() < 200, "{}", shown.len());
        assert!(!shown.contains(char::is_control), "{shown}");
    }
}

/// Takes a clear message apart.
fn payloads(message: &[u8]) -> Vec<Payload> {
    match Message::decode(message).unwrap().body {
        Body::Clear(payloads) => payloads.iter().cloned().collect(),
        Body::Encrypted(_) => panic!("not clear"),
    }
}

/// One payload left out of each clear message (CVE-2013-6467), doubled, or of IKEv2's kind beside it (CVE-2015-3991): the
/// message is dropped or does no harm, and the repeat brings the tunnel up.
#[test]
fn payloads_missing_doubled_and_of_the_other_version() {
    for number in 0..4 {
        for variant in 0..12 {
            let mut world = Pair::usual().world(1);
            world.wire.tamper = Some(Box::new(move |sent, datagram| {
                if sent == number {
                    let header = Header::decode(&datagram.bytes).unwrap();
                    let mut list = payloads(&datagram.bytes);
                    let place = variant % 4;
                    match variant / 4 {
                        0 if place < list.len() => drop(list.remove(place)),
                        1 if place < list.len() => list.push(list[place].clone()),
                        2 => list.push(Payload::Unknown {
                            kind: PayloadType(33 + place as u8),
                            body: vec![0; 12],
                        }),
                        _ => {}
                    }
                    let chain = Chain::encode(&list).unwrap();
                    datagram.bytes =
                        chain.into_clear(Header::v1(header.cookies, header.exchange, 0));
                }
                true
            }));
            world.acquire(0, 1, 1);
            world.run(Duration::from_secs(8));
            world.wire.tamper = None;
            world.acquire(0, 1, 1);
            world.expect(120, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
        }
    }
}

/// A length in the header unlike the datagram's, and every length cut off (CVE-2013-4564, CVE-2016-6415).
#[test]
fn lengths_that_lie() {
    let mut world = Pair::usual().world(1);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    let sent = world.wire.sent.clone();
    let mut alone = Alone::new(Pair::usual().config_b());
    for datagram in &sent {
        let length = u32::try_from(datagram.bytes.len()).unwrap();
        for lie in (0..=length + 8).chain([0xFFFF, 0x7FFF_FFFF, u32::MAX]) {
            if lie != length {
                let mut bytes = datagram.bytes.clone();
                bytes[24..28].copy_from_slice(&lie.to_be_bytes());
                assert!(alone.take(&bytes).is_empty(), "length {lie}");
            }
        }
        for cut in 0..datagram.bytes.len() {
            assert!(
                alone.take(&datagram.bytes[..cut]).is_empty(),
                "cut at {cut}"
            );
        }
    }
    // And each length inside the first message: no answer is longer than the question.
    let first = &sent[0].bytes;
    for place in 28..first.len() - 1 {
        for lie in [0u16, 1, 3, 4, 0x7FFF, 0xFFFF] {
            let mut bytes = first.clone();
            bytes[place..place + 2].copy_from_slice(&lie.to_be_bytes());
            for answer in alone.take(&bytes) {
                assert!(answer.len() <= bytes.len(), "at {place}: {lie}");
            }
        }
    }
    assert!(alone.states().len() <= 4);
}

/// Every group number and every transform with an attribute of its own missing or changed (CVE-2014-9221, CVE-2016-5391,
/// CVE-2016-3071): only what is configured is agreed.
#[test]
fn only_what_is_configured_is_agreed() {
    use ike::wire::v1::Attribute;
    let first = first_message(&Pair::usual());
    let list = payloads(&first);
    let Payload::Sa(sa) = &list[0] else {
        panic!("no SA payload")
    };
    let attributes = &sa.proposals[0].transforms[0].attributes;
    let cookies = Header::decode(&first).unwrap().cookies;
    let try_with = |attributes: Vec<Attribute>| {
        let mut sa = sa.clone();
        sa.proposals[0].transforms[0].attributes = attributes;
        let chain = Chain::encode(&[Payload::Sa(sa)]).unwrap();
        let header = Header::v1(cookies, ExchangeType::IDENTITY_PROTECTION, 0);
        let mut alone = Alone::new(Pair::usual().config_b());
        alone.take(&chain.into_clear(header));
        !alone.states().is_empty()
    };
    assert!(try_with(attributes.clone()));
    for place in 0..attributes.len() {
        let class = attributes[place].class;
        // Without a lifetime the peer leaves it to us (RFC 2409 appendix A); key length and type of a missing one are read alike.
        let mut without = attributes.clone();
        without.remove(place);
        let optional = [11, 12].contains(&class);
        assert_eq!(try_with(without), optional, "without attribute {class}");
        if optional {
            continue;
        }
        let right = attributes[place].as_number().unwrap();
        for value in (0..300u16).chain([32_767, 65_001, u16::MAX]) {
            let mut other = attributes.clone();
            other[place] = Attribute::basic(class, value);
            let fits = u64::from(value) == right;
            assert_eq!(try_with(other), fits, "attribute {class} of {value}");
        }
    }
    for class in 17..100 {
        let mut more = attributes.clone();
        more.push(Attribute::basic(class, 1));
        assert!(!try_with(more), "unknown attribute {class}");
    }
}
