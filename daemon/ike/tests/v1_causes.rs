//! Every refusal names its cause and the line to change, on each side that can know it.

mod support;

use std::time::Duration;

use ike::algorithm::{Encryption, EspCipher, Hash, Integrity, Mode};
use ike::config::ConnectionId;
use ike::event::{DropReason, Event};
use ike::registry::GroupNumber;
use ike::status::SessionState;
use support::World;
use support::config::{A, B, FLOW, Pair, esp, flow, last_failure, policy};

/// Lets A ask for the tunnel and everything come to its end.
fn attempt(pair: &Pair) -> World {
    let mut world = pair.world(11);
    world.acquire(0, 1, 1);
    world.run(Duration::from_secs(90));
    for host in &world.hosts {
        assert_eq!(host.kernel.halves.len(), 0, "a half-made SA is left");
        assert!(!host.has(|event| matches!(event, Event::ChildUp { .. })));
    }
    world
}

#[track_caller]
fn assert_told(world: &World, host: usize, cause: &str, line: &str) {
    let told = &world.hosts[host];
    assert!(
        told.causes().iter().any(|told| told == cause),
        "{:#?}",
        told.causes()
    );
    assert!(
        told.lines().iter().any(|told| told == line),
        "{:#?}",
        told.lines()
    );
    assert_eq!(last_failure(told).as_deref(), Some(cause));
}

#[test]
fn no_common_policy() {
    let mut pair = Pair::usual();
    pair.global_a.policies = vec![policy(1, Encryption::Aes256, Hash::Sha1, 2)];
    pair.global_b.policies = vec![policy(10, Encryption::Aes256, Hash::Sha256, 14)];
    let world = attempt(&pair);
    let cause = "peer offered aes-256/sha/group 2, local policy 10 asks aes-256/sha256/group 14";
    assert_told(&world, 1, cause, "crypto isakmp policy 10, hash");
    let cause = "peer answered NO-PROPOSAL-CHOSEN to our offer aes-256/sha/group 2";
    assert_told(&world, 0, cause, "crypto isakmp policy 1, encryption");
    // The refusal is quick, not a silence.
    assert_eq!(world.wire.sent.len(), 2);
}

#[test]
fn different_keys() {
    let mut pair = Pair::usual();
    pair.global_b
        .keys
        .add_address(A.parse().unwrap(), 32, "cisco124".into());
    let world = attempt(&pair);
    let cause = format!("pre-shared key for {A} probably differs: main mode 5 does not decrypt");
    assert_told(
        &world,
        1,
        &cause,
        &format!("crypto isakmp key ... address {A}"),
    );
    assert_eq!(
        world.hosts[1].causes().len(),
        1,
        "told once, not with every repeat"
    );
    let cause = format!(
        "pre-shared key for {B} probably differs: peer did not answer our proof (main mode 5)"
    );
    assert_told(
        &world,
        0,
        &cause,
        &format!("crypto isakmp key ... address {B}"),
    );
    let secrets = format!("{:?}", world.hosts[1].facts);
    assert!(!secrets.contains("cisco12"));
}

#[test]
fn no_key() {
    let mut pair = Pair::usual();
    pair.global_a.keys = Default::default();
    let world = attempt(&pair);
    let line = format!("crypto isakmp key ... address {B}");
    assert_told(&world, 0, &format!("no pre-shared key for {B}"), &line);
    assert_eq!(world.wire.sent.len(), 0);

    let mut pair = Pair::usual();
    pair.global_b.keys = Default::default();
    let world = attempt(&pair);
    let line = format!("crypto isakmp key ... address {A}");
    assert_told(&world, 1, &format!("no pre-shared key for {A}"), &line);
}

#[test]
fn no_policy_that_can_be_used() {
    let mut pair = Pair::usual();
    pair.global_a.policies.clear();
    let world = attempt(&pair);
    let cause = "no local ISAKMP policy can be used";
    assert_told(&world, 0, cause, "crypto isakmp policy");
}

#[test]
fn different_proxy_identities() {
    let mut pair = Pair::usual();
    pair.b.flows = vec![flow(1, "10.2.0.0/16", "10.9.0.0/16")].into();
    let world = attempt(&pair);
    let cause = "peer asked for local 10.2.0.0/255.255.0.0/0/0 remote 10.1.0.0/255.255.0.0/0/0, \
                 access-list 101 of MAP 10 has local 10.2.0.0/255.255.0.0/0/0 \
                 remote 10.9.0.0/255.255.0.0/0/0";
    assert_told(&world, 1, cause, "crypto map MAP 10, match address 101");
    let cause = "peer answered INVALID-ID-INFORMATION to local 10.1.0.0/255.255.0.0/0/0 \
                 remote 10.2.0.0/255.255.0.0/0/0 with esp-aes 256 esp-sha256-hmac tunnel, no PFS";
    assert_told(&world, 0, cause, "crypto map MAP 10, match address 101");
    // Phase 1 stays up.
    let status = world.hosts[0]
        .endpoint
        .connection_status(ConnectionId(1))
        .unwrap();
    assert_eq!(status.state, SessionState::UpIdle);
}

#[test]
fn no_common_transform() {
    let mut pair = Pair::usual();
    pair.b.transform_sets = vec![esp("STRONG", EspCipher::AesGcm256, None)];
    let world = attempt(&pair);
    let cause = "peer offered esp-aes 256 esp-sha256-hmac tunnel, \
                 local transform-set STRONG asks esp-gcm 256 tunnel";
    assert_told(&world, 1, cause, "crypto ipsec transform-set STRONG");
    let cause = "peer answered NO-PROPOSAL-CHOSEN to local 10.1.0.0/255.255.0.0/0/0 \
                 remote 10.2.0.0/255.255.0.0/0/0 with esp-aes 256 esp-sha256-hmac tunnel, no PFS";
    assert_told(&world, 0, cause, "crypto map MAP 10, set transform-set");
}

#[test]
fn different_integrity_and_key_length_are_no_common_transform() {
    for set in [
        esp("S", EspCipher::Aes256, Some(Integrity::HmacSha1)),
        esp("S", EspCipher::Aes128, Some(Integrity::HmacSha256)),
        esp("S", EspCipher::Aes256, None),
    ] {
        let mut pair = Pair::usual();
        pair.b.transform_sets = vec![set];
        let world = attempt(&pair);
        assert_eq!(world.hosts[1].lines(), ["crypto ipsec transform-set S"]);
    }
}

#[test]
fn pfs_that_differs() {
    let mut pair = Pair::usual();
    pair.a.pfs = Some(GroupNumber(19));
    pair.b.pfs = Some(GroupNumber(20));
    let world = attempt(&pair);
    let cause = "peer offered PFS group 19, MAP 10 asks PFS group 20";
    assert_told(&world, 1, cause, "crypto map MAP 10, set pfs");
    pair.a.pfs = None;
    let world = attempt(&pair);
    let cause = "peer offered no PFS, MAP 10 asks PFS group 20";
    assert_told(&world, 1, cause, "crypto map MAP 10, set pfs");
}

#[test]
fn required_transport_for_a_tunnel_flow() {
    let mut pair = Pair::usual();
    pair.a.transform_sets[0].mode = Mode::Transport;
    pair.a.transform_sets[0].require_transport = true;
    let world = attempt(&pair);
    let cause = "no transform-set of MAP 10 can be offered";
    assert_told(&world, 0, cause, "crypto map MAP 10, set transform-set");
}

#[test]
fn a_peer_that_is_not_there() {
    let pair = Pair::usual();
    let mut world = pair.world(11);
    world.hosts[1].plugged = false;
    world.acquire(0, 1, 1);
    world.run(Duration::from_secs(60));
    let cause = "peer did not answer main mode 1 with our offer aes-256/sha256/group 19";
    assert_eq!(last_failure(&world.hosts[0]).as_deref(), Some(cause));
    assert_eq!(world.wire.sent.len(), 6, "one message and five repeats");
    let status = world.hosts[0]
        .endpoint
        .connection_status(ConnectionId(1))
        .unwrap();
    assert_eq!(status.state, SessionState::Down);
    // The next packet tries again, and success clears the failure.
    world.hosts[1].plugged = true;
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    assert_eq!(last_failure(&world.hosts[0]), None);
}

#[test]
fn a_peer_that_no_entry_names() {
    let mut pair = Pair::usual();
    pair.b.peers = vec!["203.0.113.9".parse().unwrap()].into();
    let world = attempt(&pair);
    assert_eq!(
        world.hosts[1].endpoint.dropped()[&DropReason::UnknownPeer],
        6
    );
    assert!(world.hosts[1].has(|event| matches!(
        event,
        Event::Dropped { detail, .. } if detail == &format!("no crypto map entry names peer {A}")
    )));
}

#[test]
fn the_next_peer_is_tried() {
    let mut pair = Pair::usual();
    pair.a.peers = ["203.0.113.9", B]
        .map(|peer| peer.parse().unwrap())
        .to_vec()
        .into();
    pair.global_a
        .keys
        .add_address("203.0.113.9".parse().unwrap(), 32, "cisco123".into());
    let mut world = pair.world(11);
    world.acquire(0, 1, 1);
    world.expect(60, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    assert!(world.hosts[0].has(|event| matches!(event, Event::PeerSwitched { .. })));
    let status = world.hosts[0]
        .endpoint
        .connection_status(ConnectionId(1))
        .unwrap();
    assert_eq!(status.peer, Some(B.parse().unwrap()));
    assert_eq!(status.last_failure, None);
}

#[test]
fn every_peer_fails_and_the_first_is_tried_again() {
    let mut pair = Pair::usual();
    let peers: Vec<std::net::IpAddr> = vec![
        "203.0.113.8".parse().unwrap(),
        "203.0.113.9".parse().unwrap(),
    ];
    pair.a.peers = peers.clone().into();
    for peer in peers {
        pair.global_a.keys.add_address(peer, 32, "cisco123".into());
    }
    let mut world = pair.world(11);
    world.acquire(0, 1, 1);
    world.run(Duration::from_secs(120));
    let targets = |world: &World| {
        let mut to: Vec<_> = world
            .wire
            .sent
            .iter()
            .map(|d| d.to.ip().to_string())
            .collect();
        to.dedup();
        to
    };
    assert_eq!(targets(&world), ["203.0.113.8", "203.0.113.9"]);
    world.acquire(0, 1, 1);
    world.run(Duration::from_secs(1));
    assert_eq!(
        targets(&world),
        ["203.0.113.8", "203.0.113.9", "203.0.113.8"]
    );
}

#[test]
fn a_kernel_that_refuses() {
    for refuses in [0, 1] {
        let pair = Pair::usual();
        let mut world = pair.world(11);
        world.hosts[refuses].kernel_refuses = true;
        world.acquire(0, 1, 1);
        world.run(Duration::from_secs(60));
        let cause = "the kernel refused the SA: no ESP";
        assert_eq!(last_failure(&world.hosts[refuses]).as_deref(), Some(cause));
        for host in &world.hosts {
            assert_eq!(host.endpoint.children(world.now), []);
            assert_eq!(host.kernel.halves.len(), 0);
        }
    }
}

#[test]
fn a_failed_flow_can_be_asked_for_again() {
    let mut pair = Pair::usual();
    pair.b.transform_sets = vec![esp("STRONG", EspCipher::AesGcm256, None)];
    let mut world = attempt(&pair);
    pair.b.transform_sets = pair.a.transform_sets.clone();
    let config = pair.config_b();
    world.set_config(1, config);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
}
