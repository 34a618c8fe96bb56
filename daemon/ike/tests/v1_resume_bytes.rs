//! What is saved, as bytes: read back as it was, refused when it is of another version or damaged, silent about its keys.

mod support;

use std::time::Duration;

use ike::algorithm::Hash;
use ike::child::Direction;
use ike::config::{FlowId, Keepalive, KeepaliveKind};
use ike::secret::Secret;
use ike::{Endpoint, Expiry, Instant, ResumeError, Saved};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use support::config::{FLOW, ONE, Pair};
use support::histories::{Step, take};
use support::{Seeded, World};

/// Bytes of the head, and of the digest at the end.
const HEAD: usize = 10;
const DIGEST: usize = 32;

/// Bytes that were written when the format got its number, and that every later program of this version must read. To
/// write them for another version: `cargo test -p ike --test v1_resume_bytes -- --ignored`.
const VERSION_2: &[u8] = include_bytes!("saved/version-2");

fn pair() -> Pair {
    Pair::two_flows().global(|config| {
        config.keepalive = Some(Keepalive {
            interval: Duration::from_secs(10),
            retry: Duration::from_secs(2),
            kind: KeepaliveKind::Periodic,
        });
    })
}

/// Everything that can be saved at once: a child in use, one that the peer has not confirmed, one of ours that waits for its
/// time, a quick mode that is not answered.
fn busy() -> World {
    let mut world = pair().world(3);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.run(Duration::from_secs(25));
    take(&mut world, Step::Limit(0, 0, Expiry::Soft));
    world.run(Duration::from_millis(25));
    take(&mut world, Step::Limit(1, 1, Expiry::Soft));
    world.run(Duration::from_millis(15));
    world.acquire(0, 1, 2);
    world
}

fn saved() -> Secret {
    busy().save(0)
}

/// The same with the digest that fits.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let digest = Hash::Sha256.digest(&[&bytes]);
    bytes.extend(digest);
    bytes
}

fn body(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() - DIGEST].to_vec()
}

#[test]
fn what_was_saved_is_read_back() {
    let bytes = saved();
    let read = Saved::from_bytes(bytes.expose()).unwrap();
    assert_eq!(read.halves().len(), 4);
    assert!(read.to_bytes() == bytes);
}

#[test]
fn version_2_is_read_for_ever() {
    let saved = Saved::from_bytes(VERSION_2).unwrap();
    assert_eq!(saved.to_bytes().expose(), VERSION_2);
    let mut endpoint = Endpoint::new(Box::new(Seeded(1)));
    let now = Instant::from_millis(1);
    endpoint.set_config(now, pair().config_a().engine);
    endpoint.resume(now, 0, saved).unwrap();
    let [ike] = endpoint.ike_sas(now).try_into().unwrap();
    assert_eq!((ike.conn_id, ike.dpd), (1001, true));
    assert_eq!(ike.remaining.unwrap().as_secs(), 86_374);
    let [child] = endpoint.children(now).try_into().unwrap();
    assert_eq!((child.conn_id, child.flow), (1, FLOW));
    assert_eq!(child.remaining.as_secs(), 3574);
    assert!(endpoint.is_wanted(ONE, FlowId(2)));
}

#[test]
#[ignore = "writes the file that version_2_is_read_for_ever reads"]
fn write_version_2() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/saved/version-2");
    std::fs::write(path, saved().expose()).unwrap();
}

#[test]
fn another_version_is_named() {
    let mut bytes = body(saved().expose());
    bytes[HEAD - 2..HEAD].copy_from_slice(&513_u16.to_be_bytes());
    let error = Saved::from_bytes(&sealed(bytes)).unwrap_err();
    assert_eq!(error, ResumeError::Version { found: 513 });
    let text = "saved SAs of version 513, where version 2 is known";
    assert_eq!(error.to_string(), text);
}

#[test]
fn other_bytes_are_of_something_else() {
    for bytes in [&b""[..], b"isthmus", b"!<arch>\n", &[0; 4096]] {
        let error = Saved::from_bytes(bytes).unwrap_err();
        assert_eq!(error, ResumeError::Foreign);
    }
    let error = Saved::from_bytes(b"isthmus\0\0\x02").unwrap_err();
    assert_eq!(error, ResumeError::Damaged("too short"));
}

#[test]
fn keys_do_not_show() {
    let mut world = busy();
    let bytes = world.save(0);
    let shown = format!("{:?}", Saved::from_bytes(bytes.expose()).unwrap());
    assert!(shown.contains("<secret>"));
    world.resume(0, pair().config_a(), bytes.expose());
    let before = world.hosts[0].kernel.count(Direction::Outbound);
    world.run(Duration::from_millis(400));
    // The keys of the child that waited for its time, now installed.
    let sa = world.hosts[0].kernel.outbound(FLOW).unwrap();
    let key = sa.protocols[0].outbound.cipher.expose();
    assert_eq!((before, key.len()), (1, 32));
    let saved = bytes.expose().windows(32).any(|part| part == key);
    assert!(saved, "the key was saved");
    let list = format!("{:?}", &key[..4]);
    assert!(!shown.contains(list.trim_matches(['[', ']'])));
}

/// Goes on with what was saved, for a day in which nothing comes.
fn go_on(saved: Saved) {
    let mut endpoint = Endpoint::new(Box::new(Seeded(1)));
    let mut now = Instant::from_millis(10);
    endpoint.set_config(now, pair().config_a().engine);
    if endpoint.resume(now, 1_800_000_000_000, saved).is_err() {
        return;
    }
    for _ in 0..500 {
        while endpoint.poll_output().is_some() {}
        let _ = (endpoint.ike_sas(now), endpoint.children(now));
        for child in endpoint.wants_traffic() {
            endpoint.traffic(now, child, ike::Traffic::default());
        }
        let Some(next) = endpoint.next_timeout() else {
            return;
        };
        now = now.max(next);
        endpoint.timeout(now);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, rng_seed: RngSeed::Fixed(12), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a disk does to the bytes is noticed.
    #[test]
    fn damage_is_noticed(at in any::<prop::sample::Index>(), bit in 0..8_u32, cut in any::<bool>()) {
        let mut bytes = VERSION_2.to_vec();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << bit;
        }
        prop_assert!(Saved::from_bytes(&bytes).is_err());
    }

    /// Bytes that no endpoint wrote, under a digest that fits: refused, or no harm.
    #[test]
    fn nonsense_does_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        more in prop_oneof![9 => Just(Vec::new()), 1 => prop::collection::vec(any::<u8>(), 1..4)],
        less in prop_oneof![9 => Just(0), 1 => 1..4_usize],
    ) {
        let mut bytes = body(VERSION_2);
        for (at, byte) in changes {
            let at = HEAD + at.index(bytes.len() - HEAD);
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - less);
        bytes.extend(more);
        if let Ok(saved) = Saved::from_bytes(&sealed(bytes)) {
            go_on(saved);
        }
    }

    /// The same with bytes all made up.
    #[test]
    fn made_up_bytes_do_no_harm(made_up in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut bytes = VERSION_2[..HEAD].to_vec();
        bytes.extend(made_up);
        if let Ok(saved) = Saved::from_bytes(&sealed(bytes)) {
            go_on(saved);
        }
    }
}
