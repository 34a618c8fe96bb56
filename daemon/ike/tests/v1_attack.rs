//! Floods, replays and liars: what strangers send keeps no peer out, costs next to nothing and is bounded everywhere
//! (CVE-2017-12237, CVE-2018-0159: a flood of IKE messages stopped IOS).

mod support;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ike::config::{AdmissionLimits, ConnectionId, EngineConfig, FlowId, OwnIdentity};
use ike::endpoint::Endpoint;
use ike::event::{Bound, DropReason, Event};
use ike::random::Randomness;
use ike::registry::{ExchangeType, PayloadType};
use ike::status::StateWord;
use ike::wire::v1::{Body, Chain, Message, Payload};
use ike::wire::{Cookie, Cookies, Header};
use ike::{Instant, Output};
use support::config::{A, B, FLOW, Pair, connection, flow, policy};
use support::{Seeded, World};

const PORT: u16 = 500;

fn at(address: &str) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), PORT)
}

/// The first message of a peer configured like A, to be sent under any cookie.
fn first_message(pair: &Pair) -> Vec<u8> {
    let mut world = pair.world(5);
    world.hosts[1].plugged = false;
    world.acquire(0, 1, 1);
    world.wire.sent[0].bytes.clone()
}

fn with_cookie(first: &[u8], number: u64) -> Vec<u8> {
    let mut message = first.to_vec();
    message[..8].copy_from_slice(&(number | 1 << 63).to_be_bytes());
    message
}

/// The same with a lifetime of its own in the last transform, so that the SA payload is another one.
fn with_offer(first: &[u8], number: u64) -> Vec<u8> {
    let mut message = with_cookie(first, number);
    let lifetime = 86_400u32.to_be_bytes();
    let place = message.windows(4).rposition(|octets| octets == lifetime);
    let place = place.expect("the lifetime");
    let other = u32::try_from(1 + number % 86_000).unwrap();
    message[place..place + 4].copy_from_slice(&other.to_be_bytes());
    message
}

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
        let mut other = connection(B, &peer.to_string(), pair.b.flows.clone());
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

/// What the operator allows to be negotiated at once is not used up by senders that may be anyone.
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

/// Randomness that counts: a key pair cannot be made without it.
struct Counting(Seeded, Arc<AtomicU64>);

impl Randomness for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.1.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.0.fill(bytes);
    }
}

struct Alone {
    endpoint: Endpoint,
    drawn: Arc<AtomicU64>,
    now: Instant,
}

impl Alone {
    fn new(config: EngineConfig) -> Self {
        let drawn = Arc::new(AtomicU64::new(0));
        let mut endpoint = Endpoint::new(Box::new(Counting(Seeded(9), drawn.clone())));
        let now = Instant::from_millis(1_000_000);
        endpoint.set_config(now, config);
        Self {
            endpoint,
            drawn,
            now,
        }
    }

    /// Takes a datagram from A and gives the answers.
    fn take(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.endpoint.datagram(self.now, at(B), at(A), bytes);
        let mut answers = Vec::new();
        while let Some(output) = self.endpoint.poll_output() {
            if let Output::Transmit { bytes, .. } = output {
                answers.push(bytes);
            }
        }
        answers
    }

    /// Bytes of randomness drawn since this was asked last.
    fn drawn(&self) -> u64 {
        self.drawn.swap(0, Ordering::Relaxed)
    }

    fn dropped(&self, reason: DropReason) -> u64 {
        let dropped = self.endpoint.dropped();
        dropped.get(&reason).copied().unwrap_or(0)
    }

    fn states(&self) -> Vec<StateWord> {
        let sas = self.endpoint.ike_sas(self.now);
        sas.iter().map(|sa| sa.state).collect()
    }
}

#[test]
fn first_messages_cost_no_diffie_hellman() {
    let pair = Pair::usual();
    let first = first_message(&pair);
    let mut alone = Alone::new(pair.config_b());
    for number in 0..10_000 {
        assert_eq!(alone.take(&with_cookie(&first, number)).len(), 1);
    }
    // Four cookies of eight bytes and one secret.
    assert_eq!(alone.drawn(), 4 * 8 + 32);
    assert_eq!(alone.states().len(), 4);
    // And an answer is no longer than what it answers.
    let answer = alone.take(&with_cookie(&first, 20_000)).remove(0);
    assert!(answer.len() <= first.len());
}

fn third_message(cookies: Cookies, public: Vec<u8>) -> Vec<u8> {
    let payloads = [Payload::KeyExchange(public), Payload::Nonce(vec![7; 20])];
    let header = Header::v1(cookies, ExchangeType::IDENTITY_PROTECTION, 0);
    Chain::encode(&payloads).unwrap().into_clear(header)
}

/// Public values that are none of group 14: 0, 1, p-1, p, one too short and one too long (CVE-2015-3240, CVE-2023-41913).
fn bad_values() -> Vec<Vec<u8>> {
    let prime = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74\
                 020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437\
                 4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
                 EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05\
                 98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB\
                 9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
                 E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718\
                 3995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF";
    let digits: Vec<u8> = prime.bytes().filter(u8::is_ascii_hexdigit).collect();
    let prime: Vec<u8> = digits
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect();
    assert_eq!(prime.len(), 256);
    let small = |value: u8| [vec![0; 255], vec![value]].concat();
    let mut less = prime.clone();
    less[255] -= 1;
    vec![
        small(0),
        small(1),
        less,
        prime.clone(),
        prime[..255].to_vec(),
        [prime, vec![0]].concat(),
    ]
}

#[test]
fn a_bad_public_value_costs_nothing_and_a_hundred_end_the_negotiation() {
    use ike::algorithm::{Encryption, Hash};
    let pair = Pair::usual().global(|config| {
        config.policies = vec![policy(10, Encryption::Aes256, Hash::Sha256, 14)];
    });
    let first = first_message(&pair);
    for (kept, negotiations) in [(true, 0), (false, 10)] {
        let mut alone = Alone::new(pair.config_b());
        for number in 0..negotiations {
            alone.take(&with_cookie(&first, 1000 + number));
        }
        let answer = alone.take(&first).remove(0);
        let cookies = Header::decode(&answer).unwrap().cookies;
        let before = alone.states();
        alone.drawn();
        for value in bad_values() {
            assert!(alone.take(&third_message(cookies, value)).is_empty());
            assert_eq!(alone.states(), before);
        }
        assert_eq!(alone.drawn(), 0, "a key pair was made");
        for _ in 0..4000 {
            alone.take(&third_message(cookies, vec![0; 256]));
        }
        assert_eq!(alone.drawn(), 0, "a key pair was made");
        let over = alone.endpoint.ike_sas(alone.now);
        let over = over.iter().filter(|sa| sa.deleted).count();
        assert_eq!(
            over,
            usize::from(kept),
            "what was never kept is no negotiation"
        );
    }
}

/// A point that is not on the curve is found with the first key pair, and no other is made for it.
#[test]
fn one_key_pair_for_a_negotiation() {
    let pair = Pair::usual();
    let first = first_message(&pair);
    let mut alone = Alone::new(pair.config_b());
    let answer = alone.take(&first).remove(0);
    let cookies = Header::decode(&answer).unwrap().cookies;
    alone.drawn();
    alone.take(&third_message(cookies, vec![1; 64]));
    let once = alone.drawn();
    assert!(once > 0);
    for number in 2..50 {
        alone.take(&third_message(cookies, vec![number; 64]));
    }
    assert_eq!(alone.drawn(), 0);
}

/// A sender that does get our answers, and never proves who it is, may cost us so many key exchanges a second.
#[test]
fn key_exchanges_of_one_address_are_bounded() {
    let pair = Pair::usual();
    let first = first_message(&pair);
    let mut alone = Alone::new(pair.config_b());
    let mut other = Seeded(77);
    let mut exchanged = 0;
    for number in 0..2000 {
        if number % 100 == 0 {
            alone.now = alone.now + Duration::from_millis(100);
        }
        let answer = alone.take(&with_cookie(&first, number)).remove(0);
        let cookies = Header::decode(&answer).unwrap().cookies;
        let group = ike::crypto::Group::Ecp256;
        let public = ike::crypto::KeyPair::generate(group, &mut other);
        let answers = alone.take(&third_message(cookies, public.public().to_vec()));
        exchanged += answers.len();
    }
    // Two seconds of time: sixteen at once, and again after each second.
    assert!((16..=64).contains(&exchanged), "{exchanged} key exchanges");
    assert!(alone.states().len() <= 16 + 4 + 1);
    assert!(alone.dropped(DropReason::HalfOpenLimit) > 1000);
}

#[test]
fn strangers_are_turned_away_by_the_header() {
    let pair = Pair::usual();
    let first = first_message(&pair);
    let mut alone = Alone::new(pair.config_b());
    let stranger = at("203.0.113.9");
    // What follows the header is no message at all: nobody looks.
    let mut garbage = first.clone();
    garbage[28..].fill(0xFF);
    alone
        .endpoint
        .datagram(alone.now, at(B), stranger, &garbage);
    assert_eq!(alone.dropped(DropReason::UnknownPeer), 1);
    let mut quick = garbage.clone();
    quick[8..16].fill(9);
    for exchange in [
        ExchangeType::QUICK_MODE,
        ExchangeType::INFORMATIONAL,
        ExchangeType::IDENTITY_PROTECTION,
    ] {
        quick[18] = exchange.0;
        alone.endpoint.datagram(alone.now, at(B), stranger, &quick);
        alone.endpoint.datagram(alone.now, at(B), at(A), &quick);
    }
    assert_eq!(alone.dropped(DropReason::NoSa), 6);
    assert_eq!(alone.dropped(DropReason::Malformed), 0);
    assert_eq!(alone.endpoint.admission().dropped_at_dispatch, 7);
}

/// Proposals that are refused are answered and told of, but not for ever.
#[test]
fn refused_offers_are_answered_a_few_times() {
    use ike::algorithm::{Encryption, Hash};
    let pair = Pair::usual();
    let first = first_message(&pair);
    let mut config = pair.config_b();
    config.policies = vec![policy(10, Encryption::Des, Hash::Md5, 1)];
    let mut alone = Alone::new(config);
    let answers = (0..10_000).map(|number| alone.take(&with_cookie(&first, number)).len());
    let answers: usize = answers.sum();
    assert!((10..=50).contains(&answers), "{answers}");
    assert_eq!(alone.dropped(DropReason::Refused), 10_000);
    assert!(alone.states().is_empty());
}

/// No key for the peer, and a peer that repeats itself (CVE-2024-2357).
#[test]
fn a_missing_key_and_a_peer_that_repeats() {
    let pair = Pair::usual();
    let first = first_message(&pair);
    let mut config = pair.config_b();
    config.keys = ike::config::PreSharedKeys::default();
    let mut alone = Alone::new(config);
    for _ in 0..20 {
        assert_eq!(alone.take(&first).len(), 1, "NO-PROPOSAL-CHOSEN");
        assert!(alone.states().is_empty());
    }
    // While there are many, too.
    let mut alone = Alone::new(pair.config_b());
    for number in 0..10 {
        alone.take(&with_cookie(&first, number));
    }
    let answer = alone.take(&first).remove(0);
    let cookies = Header::decode(&answer).unwrap().cookies;
    let mut config = pair.config_b();
    config.keys = ike::config::PreSharedKeys::default();
    alone.endpoint.set_config(alone.now, config);
    let before = alone.states();
    for _ in 0..20 {
        assert!(alone.take(&third_message(cookies, vec![1; 64])).is_empty());
        assert_eq!(alone.states(), before);
    }
}

/// A million rejects leave nothing behind (CVE-2026-78127 leaked while logging).
#[test]
fn rejects_leave_nothing_behind() {
    let pair = Pair::usual();
    let first = first_message(&pair);
    let mut alone = Alone::new(pair.config_b());
    alone.endpoint.set_debug(true);
    let mut random = Seeded(3);
    let mut facts = 0;
    for number in 0..50_000u64 {
        let mut bytes = with_cookie(&first, number);
        let place = 8 + usize::try_from(random.next()).unwrap_or(usize::MAX) % (bytes.len() - 8);
        bytes[place] ^= 1 + random.next() as u8 % 255;
        alone.endpoint.datagram(alone.now, at(B), at(A), &bytes);
        while let Some(output) = alone.endpoint.poll_output() {
            facts += usize::from(matches!(output, Output::Fact(_)));
        }
    }
    assert!(alone.states().len() <= 5);
    assert!(facts < 5000, "{facts} facts");
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

fn limited(limits: AdmissionLimits) -> Pair {
    let mut pair = Pair::usual();
    pair.a.flows.push(flow(2, "10.3.0.0/16", "10.4.0.0/16"));
    pair.b.flows.push(flow(2, "10.4.0.0/16", "10.3.0.0/16"));
    pair.global_b.admission = limits;
    pair
}

#[test]
fn a_limit_of_ipsec_sas_keeps_new_flows_out_and_lets_old_ones_be_replaced() {
    let mut pair = limited(AdmissionLimits {
        children: Some(1),
        ..AdmissionLimits::default()
    });
    (pair.a.lifetime.seconds, pair.b.lifetime.seconds) = (600, 600);
    let mut world = pair.world(1);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.acquire(0, 1, 2);
    world.run(Duration::from_secs(5));
    assert!(!world.traffic_flows(0, 1, FlowId(2)));
    let causes = world.hosts[1].causes();
    let limit = "crypto call admission limit ipsec sa";
    assert!(
        causes.iter().any(|cause| cause.contains(limit)),
        "{causes:?}"
    );
    assert!(world.hosts[1].lines().contains(&limit.to_owned()));
    // Neither may we ask for one.
    world.acquire(1, 1, 2);
    world.run(Duration::from_secs(5));
    assert!(!world.traffic_flows(0, 1, FlowId(2)));
    let admission = world.hosts[1].endpoint.admission();
    assert!(admission.incoming_children.rejected >= 1);
    assert_eq!(admission.outgoing_children.rejected, 1);
    world.run(Duration::from_secs(1200));
    assert!(
        world.traffic_flows(0, 1, FLOW),
        "rekeyed in spite of the limit"
    );
    assert!(
        world.hosts[1]
            .endpoint
            .admission()
            .incoming_children
            .accepted
            >= 2
    );
}

#[test]
fn a_limit_of_ike_sas_keeps_new_peers_out() {
    let mut pair = limited(AdmissionLimits {
        ike_sas: Some(1),
        ..AdmissionLimits::default()
    });
    pair.global_b
        .keys
        .add_address("203.0.113.5".parse().unwrap(), 32, "third".into());
    let mut second = connection(
        B,
        "203.0.113.5",
        vec![flow(1, "10.7.0.0/16", "10.8.0.0/16")],
    );
    second.id = ConnectionId(2);
    let mut config = pair.config_b();
    config.connections.push(Arc::new(second));
    let mut world = World::new(1);
    world.host(A, pair.config_a());
    world.host(B, config);
    let third = support::config::with(
        &support::config::global(B, "third"),
        &connection(
            "203.0.113.5",
            B,
            vec![flow(1, "10.8.0.0/16", "10.7.0.0/16")],
        ),
    );
    world.host("203.0.113.5", third);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.acquire(2, 1, 1);
    world.run(Duration::from_secs(5));
    assert!(world.hosts[2].kernel.halves.is_empty());
    world.acquire(1, 2, 1);
    let causes = world.hosts[1].causes();
    let limit = "crypto call admission limit ike sa";
    assert!(
        causes.iter().any(|cause| cause.contains(limit)),
        "{causes:?}"
    );
    // The peer that has an SA is let in again, and the other one when there is room.
    world.run(Duration::from_secs(30));
    world.with(0, |endpoint, now| endpoint.clear(now, ike::Clear::Sessions));
    world.run(Duration::from_secs(2));
    world.acquire(2, 1, 1);
    world.expect(60, "the other tunnel", |world| {
        world.packet_arrives(2, 1, FLOW)
    });
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
