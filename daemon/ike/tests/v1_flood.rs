//! Floods keep no peer out, and little is said of them (CVE-2017-12237, CVE-2018-0159: a flood of IKE messages stopped IOS).

mod support;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ike::config::{AdmissionLimits, ConnectionId};
use ike::event::{Bound, DropReason, Event};
use ike::wire::{Cookie, Cookies};
use support::World;
use support::config::{A, B, FLOW, Pair, connection};
use support::forge::{PORT, at, first_message, third_message, with_cookie, with_offer};

/// Lets the world run while `number` of milliseconds pass and 100 forged datagrams a millisecond reach host 1.
fn flood(
    world: &mut World,
    milliseconds: u64,
    forged: &mut impl FnMut(u64) -> (IpAddr, Vec<u8>),
    done: impl Fn(&World) -> bool,
) -> bool {
    let (local, mut number) = (at(B), world.now.as_millis() * 100);
    for _ in 0..milliseconds {
        for _ in 0..100 {
            let (from, bytes) = forged(number);
            number += 1;
            world.with(1, |endpoint, now| {
                endpoint.datagram(now, local, SocketAddr::new(from, PORT), &bytes);
            });
        }
        world.run(Duration::from_millis(1));
        if done(world) {
            return true;
        }
    }
    false
}

/// A peer that A's flood hits when it wants a tunnel: it gets one within its second try, and little is kept of the flood.
fn gets_in(world: &mut World, mut forged: impl FnMut(u64) -> (IpAddr, Vec<u8>)) {
    flood(world, 50, &mut forged, |_| false);
    world.acquire(0, 1, 1);
    // The first repeat comes after a second, the next after two more.
    let up = flood(world, 1500, &mut forged, |world| {
        world.traffic_flows(0, 1, FLOW)
    });
    assert!(up, "no tunnel during the flood");
    let host = &world.hosts[1];
    let sas = host.endpoint.ike_sas(world.now).len();
    assert!(sas <= 300, "{sas} ISAKMP SAs are kept");
    assert!(host.endpoint.admission().answered_without_state > 1000);
    let said = |event: &Event| {
        matches!(
            event,
            Event::BoundReached {
                bound: Bound::HalfOpen,
                ..
            }
        )
    };
    assert_eq!(host.count(said), 1, "said once, then once a minute");
    assert!(host.facts.len() < 5000, "{} facts", host.facts.len());
}

#[test]
fn a_flood_from_its_own_address_does_not_keep_a_peer_out() {
    let pair = Pair::usual();
    let first = first_message(&pair);
    let mut world = pair.world(1);
    let from: IpAddr = A.parse().unwrap();
    gets_in(&mut world, |number| (from, with_cookie(&first, number)));
    // Four are kept of one address, and the peer's own.
    assert!(world.hosts[1].endpoint.ike_sas(world.now).len() <= 5);
}

#[test]
fn nor_does_one_with_another_proposal_in_each_message() {
    let pair = Pair::usual();
    let first = first_message(&pair);
    let mut world = pair.world(1);
    let from: IpAddr = A.parse().unwrap();
    gets_in(&mut world, |number| (from, with_offer(&first, number)));
}

/// B with A and a thousand other peers, and a flood in the name of all of them.
fn from_all_addresses(limits: AdmissionLimits) {
    let pair = Pair::usual();
    let first = first_message(&pair);
    let mut config = pair.config_b();
    config.admission = limits;
    let others: Vec<IpAddr> = (0..1000u32)
        .map(|number| IpAddr::V4(Ipv4Addr::from(0x0B00_0000 + number)))
        .collect();
    for (number, peer) in (2..).zip(&others) {
        let mut other = connection(B, &peer.to_string(), pair.b.flows.to_vec());
        other.id = ConnectionId(number);
        config.connections.push(Arc::new(other));
        config.keys.add_address(*peer, 32, "other".into());
    }
    let mut world = World::new(1);
    world.host(A, pair.config_a());
    world.host(B, config);
    let from: IpAddr = A.parse().unwrap();
    gets_in(&mut world, |number| {
        let other = usize::try_from(number % 1001).unwrap();
        let from = others.get(other).copied().unwrap_or(from);
        (from, with_cookie(&first, number))
    });
}

#[test]
fn nor_does_one_from_all_addresses() {
    from_all_addresses(AdmissionLimits::default());
}

/// What the operator allows to be negotiated at once is not used up by senders that do not show they get our answers.
#[test]
fn nor_does_one_that_would_use_up_a_low_limit() {
    from_all_addresses(AdmissionLimits {
        negotiations: Some(10),
        ..AdmissionLimits::default()
    });
}

/// The minute's report tells of what goes on, and ends with it.
#[test]
fn a_flood_is_reported_once_a_minute() {
    let pair = Pair::usual();
    let first = first_message(&pair);
    let mut world = pair.world(1);
    for second in 0..180u64 {
        for number in 0..20 {
            world.inject(0, 1, with_cookie(&first, second * 20 + number));
            world.inject(0, 1, vec![0; 10]);
        }
        world.run(Duration::from_secs(1));
    }
    world.run(Duration::from_secs(300));
    let reports: Vec<u64> = world.hosts[1]
        .events()
        .filter_map(|event| match event {
            Event::BoundReached {
                bound: Bound::HalfOpen,
                times,
            } => Some(*times),
            _ => None,
        })
        .collect();
    assert!((3..=5).contains(&reports.len()), "{reports:?}");
    let untold: u64 = world.hosts[1]
        .events()
        .filter_map(|event| match event {
            Event::DroppedUntold { untold } => untold.get(&DropReason::Malformed),
            _ => None,
        })
        .sum();
    let told = world.hosts[1].count(|event| {
        matches!(
            event,
            Event::Dropped {
                reason: DropReason::Malformed,
                ..
            }
        )
    });
    assert_eq!(untold + told as u64, 3600, "every drop is told or counted");
}

/// `debug crypto isakmp`: a burst of what strangers send, then how many a second. Those in the name of a peer may be the peer.
#[test]
fn debug_of_strangers_is_a_burst_and_then_a_count() {
    for (from, most) in [("203.0.113.66", 110), (A, 800)] {
        let mut world = Pair::usual().world(1);
        for _ in 0..10 {
            for number in 0..1000u64 {
                let cookies = Cookies {
                    initiator: Cookie((number + 1).to_be_bytes()),
                    responder: Cookie([5; 8]),
                };
                let message = third_message(cookies, vec![1; 64]);
                world.with(1, |endpoint, now| {
                    endpoint.datagram(now, at(B), at(from), &message);
                });
            }
            world.run(Duration::from_secs(1));
        }
        world.run(Duration::from_secs(2));
        let host = &world.hosts[1];
        let told = host.count(|event| matches!(event, Event::Dropped { .. }));
        assert!((50..=most).contains(&told), "{told}");
        let counts = host.events().filter_map(|event| match event {
            Event::Hushed { datagrams } => Some(*datagrams),
            _ => None,
        });
        let counts: Vec<u64> = counts.collect();
        assert!(counts.len() <= 11, "{counts:?}");
        assert_eq!(told as u64 + counts.iter().sum::<u64>(), 10_000);
        // A legitimate peer is shown, again when the flood is over.
        world.run(Duration::from_secs(30));
        world.acquire(0, 1, 1);
        world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
        assert!(world.hosts[1].has(|event| matches!(event, Event::PolicyChosen { .. })));
    }
}
