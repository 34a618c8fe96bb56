//! Two endpoints over a wire: the handshake in every form, in both roles.

mod support;

use std::time::Duration;

use ike::algorithm::{Encryption, EspCipher, Hash, Integrity, Mode};
use ike::child::Direction;
use ike::config::{ConnectionId, OwnIdentity, TransformSet};
use ike::event::Event;
use ike::registry::GroupNumber;
use ike::status::{SessionState, StateWord};
use support::World;
use support::config::{FLOW, HostConfig, Pair, connection, entry, esp, flow, global, net, policy};

fn establish(pair: &Pair) -> World {
    let mut world = pair.world(1);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world
}

#[test]
fn traffic_raises_a_tunnel() {
    let world = establish(&Pair::usual());
    // Six messages of main mode, three of quick mode, nothing else.
    assert_eq!(world.wire.sent.len(), 9);
    for host in &world.hosts {
        assert_eq!(host.kernel.halves.len(), 2);
        let [sa] = host.endpoint.ike_sas(world.now).try_into().unwrap();
        assert_eq!(
            (sa.conn_id, sa.state, sa.deleted),
            (1001, StateWord::QmIdle, false)
        );
        assert!(sa.dpd);
        let status = host.endpoint.connection_status(ConnectionId(1)).unwrap();
        assert_eq!(status.state, SessionState::UpActive);
        assert!(host.has(|event| matches!(event, Event::SessionUp { .. })));
        assert_eq!(host.causes(), Vec::<String>::new());
        assert_eq!(host.endpoint.dropped().len(), 0);
    }
}

#[test]
fn debug_facts_come_only_when_asked_for() {
    for debug in [false, true] {
        let mut world = Pair::usual().world(1);
        for host in &mut world.hosts {
            host.endpoint.set_debug(debug);
        }
        world.acquire(0, 1, 1);
        world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
        for host in &world.hosts {
            assert_eq!(host.has(Event::is_debug), debug);
        }
    }
}

#[test]
fn every_phase_1_algorithm_and_group() {
    use Encryption::*;
    for (encryption, hash, group) in [
        (Des, Hash::Md5, 1),
        (TripleDes, Hash::Sha1, 2),
        (Aes128, Hash::Sha1, 5),
        (Aes192, Hash::Sha256, 14),
        (Aes256, Hash::Sha256, 14),
        (Aes256, Hash::Sha384, 20),
        (Aes256, Hash::Sha512, 21),
        (Aes256, Hash::Sha256, 24),
    ] {
        let wanted = policy(10, encryption, hash, group);
        let pair = Pair::usual().global(|config| config.policies = vec![wanted.clone()]);
        let world = establish(&pair);
        let agreed = world.hosts[1].endpoint.ike_sas(world.now)[0]
            .policy
            .unwrap();
        assert_eq!(
            (agreed.encryption, agreed.hash, agreed.group.0),
            (encryption, hash, group)
        );
    }
}

#[test]
fn every_transform() {
    use EspCipher::*;
    let mut sets = vec![
        esp("a", Des, Some(Integrity::HmacMd5)),
        esp("b", TripleDes, Some(Integrity::HmacSha1)),
        esp("c", Aes128, Some(Integrity::HmacSha256)),
        esp("d", Aes192, Some(Integrity::HmacSha384)),
        esp("e", Aes256, Some(Integrity::HmacSha512)),
        esp("f", AesGcm128, None),
        esp("g", AesGcm256, None),
        esp("h", AesGmac256, None),
        esp("i", Null, Some(Integrity::HmacSha1)),
        esp("j", Aes256, None),
    ];
    let ah = TransformSet {
        ah: Some(Integrity::HmacSha256),
        esp: None,
        ..esp("k", Null, None)
    };
    let both = TransformSet {
        ah: Some(Integrity::HmacSha1),
        ..esp("l", Aes256, None)
    };
    sets.extend([ah, both]);
    for set in sets {
        let pair = Pair::usual().both(|connection| connection.transform_sets = vec![set.clone()]);
        let world = establish(&pair);
        let child = world.hosts[0].kernel.outbound(FLOW).unwrap();
        let expected = usize::from(set.ah.is_some()) + usize::from(set.esp.is_some());
        assert_eq!(child.protocols.len(), expected, "{set}");
        for part in &child.protocols {
            let bytes = part.cipher.map_or(0, EspCipher::key_bytes);
            assert_eq!(part.outbound.cipher.expose().len(), bytes);
            assert_ne!(part.outbound, part.inbound);
        }
    }
}

#[test]
fn pfs_with_every_kind_of_group() {
    for group in [2, 14, 19, 24] {
        let pair = Pair::usual().both(|connection| connection.pfs = Some(GroupNumber(group)));
        let world = establish(&pair);
        let child = world.hosts[0].kernel.outbound(FLOW).unwrap();
        assert_eq!(child.pfs, Some(GroupNumber(group)));
    }
}

#[test]
fn a_responder_without_pfs_accepts_any_group() {
    let mut pair = Pair::usual();
    pair.a.pfs = Some(GroupNumber(19));
    let world = establish(&pair);
    assert_eq!(
        world.hosts[1].kernel.outbound(FLOW).unwrap().pfs,
        Some(GroupNumber(19))
    );
}

#[test]
fn the_first_common_policy_and_transform_set_win() {
    let weak = policy(20, Encryption::TripleDes, Hash::Sha1, 2);
    let strong = policy(10, Encryption::Aes256, Hash::Sha256, 19);
    let mut pair = Pair::usual();
    pair.global_a.policies = vec![policy(5, Encryption::Aes128, Hash::Md5, 5), weak.clone()];
    pair.global_b.policies = vec![strong, weak];
    pair.a.transform_sets = vec![
        esp("x", EspCipher::Aes128, Some(Integrity::HmacMd5)),
        esp("y", EspCipher::AesGcm256, None),
    ];
    pair.b.transform_sets = vec![
        esp("z", EspCipher::Des, Some(Integrity::HmacMd5)),
        esp("w", EspCipher::AesGcm256, None),
    ];
    let world = establish(&pair);
    let agreed = world.hosts[0].endpoint.ike_sas(world.now)[0]
        .policy
        .unwrap();
    assert_eq!(
        (agreed.priority, agreed.encryption),
        (20, Encryption::TripleDes)
    );
    let child = world.hosts[0].kernel.outbound(FLOW).unwrap();
    assert_eq!(child.protocols[0].cipher, Some(EspCipher::AesGcm256));
}

#[test]
fn transport_mode_between_the_peers_and_tunnel_mode_otherwise() {
    let mut pair = Pair::usual().both(|c| c.transform_sets[0].mode = Mode::Transport);
    let world = establish(&pair);
    assert_eq!(
        world.hosts[0].kernel.outbound(FLOW).unwrap().mode,
        Mode::Tunnel
    );
    pair.a.flows = vec![flow(1, "192.0.2.1/32", "198.51.100.1/32")].into();
    pair.b.flows = vec![flow(1, "198.51.100.1/32", "192.0.2.1/32")].into();
    let world = establish(&pair);
    assert_eq!(
        world.hosts[0].kernel.outbound(FLOW).unwrap().mode,
        Mode::Transport
    );
    assert_eq!(
        world.hosts[1].kernel.outbound(FLOW).unwrap().mode,
        Mode::Transport
    );
}

#[test]
fn proxy_identities_carry_protocol_port_and_ranges() {
    let mut pair = Pair::usual();
    let (mut ours, mut theirs) = (net("10.1.0.0/16"), net("10.2.0.0/16"));
    (ours.protocol, theirs.protocol, theirs.port) = (6, 6, 443);
    ours.last = "10.1.0.77".parse().unwrap();
    (pair.a.flows[0].local, pair.a.flows[0].remote) = (ours, theirs);
    (pair.b.flows[0].local, pair.b.flows[0].remote) = (theirs, ours);
    let world = establish(&pair);
    let child = world.hosts[1].kernel.outbound(FLOW).unwrap();
    assert_eq!(
        (child.local_selector, child.remote_selector),
        (theirs, ours)
    );
}

#[test]
fn a_second_flow_uses_the_same_isakmp_sa() {
    let mut pair = Pair::usual();
    pair.a.flows.push(flow(2, "10.3.0.0/16", "10.4.0.0/16"));
    pair.b.flows.push(flow(2, "10.4.0.0/16", "10.3.0.0/16"));
    let mut world = establish(&pair);
    // The other side may ask for it.
    world.acquire(1, 1, 2);
    world.expect(5, "a second child", |w| {
        w.traffic_flows(0, 1, ike::config::FlowId(2))
    });
    assert_eq!(world.wire.sent.len(), 9 + 3);
    assert_eq!(world.hosts[0].kernel.count(Direction::Inbound), 2);
}

#[test]
fn many_flows_asked_for_at_once_all_come_up() {
    let mut pair = Pair::usual();
    let nets = |i: u32| (format!("10.1.{i}.0/24"), format!("10.2.{i}.0/24"));
    pair.a.flows = (0..100)
        .map(|i| flow(i, &nets(i).0, &nets(i).1))
        .collect::<Vec<_>>()
        .into();
    pair.b.flows = (0..100)
        .map(|i| flow(i, &nets(i).1, &nets(i).0))
        .collect::<Vec<_>>()
        .into();
    let mut world = pair.world(3);
    (0..100).for_each(|i| world.acquire(0, 1, i));
    world.expect(20, "all children", |w| {
        w.hosts[0].kernel.count(Direction::Outbound) == 100
    });
    world.run(Duration::from_secs(5));
    assert_eq!(world.hosts[1].kernel.halves.len(), 200);
    assert_eq!(world.hosts[0].endpoint.ike_sas(world.now).len(), 1);
}

#[test]
fn host_names_as_identities() {
    let mut pair = Pair::usual();
    pair.global_a.identity = OwnIdentity::Hostname("r1.example.net".into());
    let world = establish(&pair);
    let sa = &world.hosts[1].endpoint.ike_sas(world.now)[0];
    assert_eq!(
        sa.peer_identity.as_ref().unwrap().to_string(),
        "r1.example.net"
    );
}

#[test]
fn the_lower_lifetimes_win_on_both_sides() {
    let mut pair = Pair::usual();
    (pair.a.lifetime.seconds, pair.a.lifetime.kilobytes) = (7200, Some(9000));
    (pair.b.lifetime.seconds, pair.b.lifetime.kilobytes) = (1800, Some(5000));
    let world = establish(&pair);
    for host in &world.hosts {
        let lifetime = host.kernel.outbound(FLOW).unwrap().lifetime;
        assert_eq!((lifetime.seconds, lifetime.kilobytes), (1800, Some(5000)));
    }
    (pair.b.lifetime.seconds, pair.b.lifetime.kilobytes) = (9000, None);
    let world = establish(&pair);
    for host in &world.hosts {
        let lifetime = host.kernel.outbound(FLOW).unwrap().lifetime;
        assert_eq!((lifetime.seconds, lifetime.kilobytes), (7200, Some(9000)));
    }
}

#[test]
fn both_sides_at_once_end_with_one_child() {
    let mut world = Pair::usual().world(7);
    world.acquire(0, 1, 1);
    world.acquire(1, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.run(Duration::from_secs(60));
    assert!(world.traffic_flows(0, 1, FLOW));
    for host in &world.hosts {
        assert_eq!(host.kernel.halves.len(), 2);
        let live = host
            .endpoint
            .ike_sas(world.now)
            .into_iter()
            .filter(|sa| !sa.deleted);
        assert_eq!(live.count(), 1);
    }
}

#[test]
fn the_commit_bit_is_tolerated() {
    let mut world = Pair::usual().world(1);
    world.wire.tamper = Some(Box::new(|_, datagram| {
        datagram.bytes[19] |= 0x02;
        true
    }));
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
}

#[test]
fn vendor_ids_of_other_features_are_tolerated() {
    use ike::registry::PayloadType;
    let mut world = Pair::usual().world(1);
    // A peer that announces NAT traversal: another vendor id after the last payload of message 1.
    world.wire.tamper = Some(Box::new(|number, datagram| {
        if number == 0 {
            let last = datagram.bytes.len() - 20;
            datagram.bytes[last] = PayloadType::VENDOR_ID.0;
            let id = [
                0x4A, 0x13, 0x1C, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5C, 0x57, 0x28, 0xF2, 0x0E, 0x95,
                0x45, 0x2F,
            ];
            datagram.bytes.extend([0, 0, 0, 20]);
            datagram.bytes.extend(id);
            let length = datagram.bytes.len() as u32;
            datagram.bytes[24..28].copy_from_slice(&length.to_be_bytes());
        }
        true
    }));
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    let name = Some("NAT-T RFC 3947");
    assert!(
        world.hosts[1].has(|event| matches!(event, Event::VendorId { name: n, .. } if *n == name))
    );
}

#[test]
fn ip_version_6_inside_and_outside() {
    let (a, b) = ("2001:db8::a", "2001:db8::b");
    let flows = |local, remote| vec![flow(1, local, remote)];
    let pair = Pair {
        a: connection(a, b, flows("2001:db8:1::/48", "2001:db8:2::/48")),
        b: connection(b, a, flows("2001:db8:2::/48", "2001:db8:1::/48")),
        global_a: global_with(b, 128),
        global_b: global_with(a, 64),
    };
    let mut world = World::new(1);
    world.host(a, pair.config_a());
    world.host(b, pair.config_b());
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
}

fn global_with(peer: &str, prefix: u8) -> HostConfig {
    let mut config = global("192.0.2.99", "other");
    config
        .keys
        .add_address(peer.parse().unwrap(), prefix, "cisco123".into());
    config
}

/// Ten thousand other entries do not slow a handshake: it looks at none of them.
#[test]
fn an_entry_among_ten_thousand() {
    let mut pair = Pair::usual();
    let mut config = pair.global_b.clone();
    pair.b.id = ConnectionId(10_000);
    for i in 0..10_000u32 {
        let peer = std::net::Ipv4Addr::from(0x0B00_0000 + i);
        let mut other = connection("198.51.100.1", &peer.to_string(), pair.b.flows.to_vec());
        (other.id, other.origin) = (ConnectionId(i), entry(i));
        config.connections.push(std::sync::Arc::new(other));
    }
    config.connections.push(std::sync::Arc::new(pair.b.clone()));
    let mut world = World::new(1);
    world.host("192.0.2.1", pair.config_a());
    world.host("198.51.100.1", config);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    let child = world.hosts[1].kernel.outbound(FLOW).unwrap();
    assert_eq!(child.connection, ConnectionId(10_000));
}
