//! What strangers send costs next to nothing and is bounded everywhere.

mod support;

use std::time::Duration;

use ike::Output;
use ike::auth::psk::PreSharedKeys;
use ike::event::DropReason;
use ike::registry::ExchangeType;
use ike::wire::Header;
use support::Seeded;
use support::alone::Alone;
use support::config::{A, B, Pair, policy};
use support::forge::{at, first_message, third_message, with_cookie};

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
    // What follows the header is no message at all: it is not looked at.
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
    config.keys = PreSharedKeys::default();
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
    alone.keys = PreSharedKeys::default();
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
        while let Some(output) = alone.next_output() {
            facts += usize::from(matches!(output, Output::Fact(_)));
        }
    }
    assert!(alone.states().len() <= 5);
    assert!(facts < 5000, "{facts} facts");
}
