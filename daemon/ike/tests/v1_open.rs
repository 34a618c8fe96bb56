//! Connections whose peers are not listed, and peers that share an address: a peer is who it proves to be, not where it is.

mod support;

use std::time::Duration;

use ike::Clear;
use ike::child::{ChildSa, Direction};
use ike::config::{Flows, Keepalive, KeepaliveKind, OwnIdentity, Peers};
use ike::event::{DownReason, Event};
use support::World;
use support::config::{FLOW, HostConfig, connection, flow, global, last_failure, net};

const ROUTER: &str = "198.51.100.1";
/// Where the translator shows both clients.
const OUTSIDE: &str = "203.0.113.1";
const INSIDE: [&str; 2] = ["10.9.0.1", "10.9.0.2"];
const SECOND: Duration = Duration::from_secs(1);

/// The router is host 0; it takes these peers, with flows within 10.2.0.0/16 and 10.1.0.0/16.
fn router(peers: Peers) -> HostConfig {
    let mut open = connection(ROUTER, OUTSIDE, Vec::new());
    open.peers = peers;
    open.flows = Flows::Narrow(vec![flow(1, "10.2.0.0/16", "10.1.0.0/16")]);
    support::config::with(&global(OUTSIDE, "cisco123"), &open)
}

/// A client at an address, with a name and a network of its own.
fn client(address: &str, number: usize) -> HostConfig {
    let network = format!("10.1.{number}.0/24");
    let flows = vec![flow(1, &network, "10.2.0.0/16")];
    let mut global = global(ROUTER, "cisco123");
    global.identity = OwnIdentity::Hostname(format!("client-{number}.example"));
    support::config::with(&global, &connection(address, ROUTER, flows))
}

/// Two clients behind one address, hosts 1 and 2, each with a tunnel.
fn two_behind_one_address(change: impl Fn(&mut HostConfig)) -> World {
    let mut world = World::new(11);
    let mut config = router(Peers::Any);
    change(&mut config);
    world.host(ROUTER, config);
    for (number, address) in INSIDE.iter().enumerate() {
        let inside = format!("{address}:500").parse().unwrap();
        let outside = format!("{OUTSIDE}:{}", 40_001 + number).parse().unwrap();
        world.wire.translated.push((inside, outside));
        let mut config = client(address, number + 1);
        change(&mut config);
        world.host(address, config);
        world.acquire(number + 1, 1, 1);
        world.run(SECOND);
    }
    for client in [1, 2] {
        assert!(connected(&world, client), "client {client}");
    }
    assert_eq!(established(&world), 2);
    world
}

/// Packets get through both ways: each sends on an SA that the other has, with the same keys.
fn connected(world: &World, client: usize) -> bool {
    let network = net(&format!("10.1.{client}.0/24"));
    let halves = |host: usize, half: Direction| -> Vec<&ChildSa> {
        let halves = world.hosts[host].kernel.halves.iter();
        let halves = halves.filter(|((_, direction), _)| *direction == half);
        halves.map(|(_, sa)| sa).collect()
    };
    let twins = |sent: &ChildSa, received: &ChildSa| {
        sent.protocols[0].outbound_spi == received.protocols[0].inbound_spi
            && sent.protocols[0].outbound == received.protocols[0].inbound
    };
    let there = world.hosts[client].kernel.outbound(FLOW);
    let back = halves(0, Direction::Outbound);
    let back = back.into_iter().rfind(|sa| sa.remote_selector == network);
    let (Some(there), Some(back)) = (there, back) else {
        return false;
    };
    halves(0, Direction::Inbound)
        .iter()
        .any(|sa| twins(there, sa))
        && halves(client, Direction::Inbound)
            .iter()
            .any(|sa| twins(back, sa))
}

/// How many ISAKMP SAs the router has.
fn established(world: &World) -> usize {
    let sas = world.hosts[0].endpoint.ike_sas(world.now);
    sas.iter()
        .filter(|sa| !sa.deleted && sa.remaining.is_some())
        .count()
}

fn down(world: &World, reason: DownReason) -> usize {
    world.hosts[0]
        .count(|event| matches!(event, Event::IkeDown { reason: why, .. } if *why == reason))
}

#[test]
fn two_peers_behind_one_address_live_side_by_side() {
    let mut world = two_behind_one_address(|_| {});
    let children = world.hosts[0].endpoint.children(world.now);
    let networks = children.iter().map(|child| child.sa.remote_selector);
    assert_eq!(
        networks.collect::<Vec<_>>(),
        [net("10.1.1.0/24"), net("10.1.2.0/24")]
    );
    let sessions = world.hosts[0].count(|event| matches!(event, Event::SessionUp { .. }));
    assert_eq!(sessions, 2, "each has a session of its own");
    // Children and ISAKMP SAs are replaced, for more than a day.
    for _ in 0..30 {
        world.run(3600 * SECOND);
        assert!(connected(&world, 1) && connected(&world, 2));
    }
    assert!(established(&world) >= 2);
    for reason in [DownReason::InitialContact, DownReason::PeerDead] {
        assert_eq!(down(&world, reason), 0);
    }
}

#[test]
fn initial_contact_of_one_leaves_the_other() {
    let mut world = two_behind_one_address(|_| {});
    world.restart(1, client(INSIDE[0], 1));
    world.acquire(1, 1, 1);
    world.expect(5, "the first again", |world| connected(world, 1));
    assert!(connected(&world, 2));
    assert_eq!(down(&world, DownReason::InitialContact), 1);
    assert_eq!(established(&world), 2);
    let gone = world.hosts[0].count(|event| {
        matches!(
            event,
            Event::ChildDown {
                reason: DownReason::InitialContact,
                ..
            }
        )
    });
    assert_eq!(gone, 1);
}

/// Who is who survives the router.
#[test]
fn a_router_that_goes_on_still_tells_them_apart() {
    let mut world = two_behind_one_address(|_| {});
    let bytes = world.save(0);
    world.resume(0, router(Peers::Any), bytes.expose());
    world.run(SECOND);
    assert!(connected(&world, 1) && connected(&world, 2));
    world.restart(1, client(INSIDE[0], 1));
    world.acquire(1, 1, 1);
    world.expect(5, "the first again", |world| connected(world, 1));
    assert!(connected(&world, 2));
    assert_eq!(down(&world, DownReason::InitialContact), 1);
}

#[test]
fn one_is_dead_and_the_other_lives() {
    let mut world = two_behind_one_address(|config| {
        config.keepalive = Some(Keepalive {
            interval: 10 * SECOND,
            retry: 2 * SECOND,
            kind: KeepaliveKind::Periodic,
        });
    });
    world.hosts[1].plugged = false;
    world.run(60 * SECOND);
    assert_eq!(down(&world, DownReason::PeerDead), 1);
    assert!(!connected(&world, 1) && connected(&world, 2));
    assert_eq!(established(&world), 1);
    let sessions = world.hosts[0].count(|event| matches!(event, Event::SessionDown { .. }));
    assert_eq!(sessions, 1);
}

#[test]
fn one_is_cleared_and_the_other_lives() {
    // By the router's operator: the children first, so that phase 1 does not come back for them.
    let mut world = two_behind_one_address(|_| {});
    let child = world.hosts[0].endpoint.children(world.now)[0].clone();
    let part = child.sa.protocols[0];
    world.with(0, |endpoint, now| {
        let (destination, protocol) = (child.sa.local, part.protocol);
        endpoint.clear(
            now,
            Clear::ChildWithSpi {
                destination,
                protocol,
                spi: part.inbound_spi,
            },
        );
        endpoint.clear(now, Clear::IkeSa(child.ike_conn_id));
    });
    world.run(20 * SECOND);
    assert!(!connected(&world, 1) && connected(&world, 2));
    assert_eq!(established(&world), 1);
    // By the client itself: its deletes name what is its own.
    let mut world = two_behind_one_address(|_| {});
    world.with(1, |endpoint, now| endpoint.clear(now, Clear::Shutdown));
    world.run(20 * SECOND);
    assert!(!connected(&world, 1) && connected(&world, 2));
    assert_eq!(established(&world), 1);
}

#[test]
fn phase1_comes_back_with_the_one_that_lost_it() {
    let mut world = two_behind_one_address(|_| {});
    let sas = world.hosts[0].endpoint.ike_sas(world.now);
    let (lost, kept) = (sas[0].conn_id, sas[1].conn_id);
    world.with(0, |endpoint, now| endpoint.clear(now, Clear::IkeSa(lost)));
    world.run(30 * SECOND);
    let sas = world.hosts[0].endpoint.ike_sas(world.now);
    let mut alive = sas.iter().filter(|sa| !sa.deleted);
    assert!(alive.any(|sa| sa.conn_id == kept));
    assert_eq!(established(&world), 2);
    let ports: Vec<_> = sas
        .iter()
        .filter(|sa| !sa.deleted)
        .map(|sa| sa.remote.port())
        .collect();
    assert_eq!(ports.len(), 2);
    assert!(
        ports.contains(&40_001) && ports.contains(&40_002),
        "{ports:?}"
    );
    assert!(connected(&world, 1) && connected(&world, 2));
}

/// A client of each address of a network, and none of another.
#[test]
fn peers_of_a_prefix() {
    for (prefix, admitted) in [("10.9.0.0/24", true), ("10.9.1.0/24", false)] {
        let mut world = World::new(3);
        let mut config = router(Peers::Prefix(prefix.parse().unwrap()));
        config
            .keys
            .add_address("10.9.0.0".parse().unwrap(), 16, "cisco123".into());
        world.host(ROUTER, config);
        world.host(INSIDE[0], client(INSIDE[0], 1));
        world.acquire(1, 1, 1);
        world.run(SECOND);
        assert_eq!(connected(&world, 1), admitted);
        // We do not begin with peers that are not listed.
        world.with(0, |endpoint, now| {
            endpoint.acquire(now, ike::config::ConnectionId(1), FLOW, None)
        });
        assert!(
            !world.hosts[0]
                .endpoint
                .is_wanted(ike::config::ConnectionId(1), FLOW)
        );
    }
}

#[test]
fn what_a_peer_asks_for_must_be_within_the_flows() {
    let mut world = World::new(3);
    world.host(ROUTER, {
        let mut config = router(Peers::Any);
        config
            .keys
            .add_address("10.9.0.0".parse().unwrap(), 16, "cisco123".into());
        config
    });
    let mut outside = client(INSIDE[0], 1);
    let flows = vec![flow(1, "10.1.1.0/24", "10.0.0.0/8")];
    outside.connections = vec![std::sync::Arc::new(connection(INSIDE[0], ROUTER, flows))];
    world.host(INSIDE[0], outside);
    world.acquire(1, 1, 1);
    world.run(SECOND);
    assert!(world.hosts[0].endpoint.children(world.now).is_empty());
    let cause = last_failure(&world.hosts[0]).unwrap();
    assert!(
        cause.starts_with(
            "peer asked for local 10.0.0.0/255.0.0.0/0/0 remote 10.1.1.0/255.255.255.0/0/0"
        ),
        "{cause}"
    );
    // When the connection goes, so does what there is with its peers.
    let mut world = two_behind_one_address(|_| {});
    world.with(0, |endpoint, now| {
        endpoint.remove_connection(now, ike::config::ConnectionId(1));
    });
    assert_eq!(established(&world), 0);
    assert!(world.hosts[0].kernel.halves.is_empty());
}

/// The router is upgraded: it knows one from the other as before.
#[test]
fn two_peers_behind_one_address_are_resumed_side_by_side() {
    let mut world = two_behind_one_address(|_| {});
    let saved = world.save(0);
    world.run(SECOND);
    world.resume(0, router(Peers::Any), saved.expose());
    for _ in 0..30 {
        world.run(3600 * SECOND);
        assert!(connected(&world, 1) && connected(&world, 2));
    }
    let saved = world.save(0);
    world.run(SECOND);
    world.resume(0, router(Peers::Any), saved.expose());
    for reason in [DownReason::InitialContact, DownReason::PeerDead] {
        assert_eq!(down(&world, reason), 0);
    }
    world.restart(1, client(INSIDE[0], 1));
    world.acquire(1, 1, 1);
    world.expect(5, "the first again", |world| connected(world, 1));
    assert!(connected(&world, 2));
    assert_eq!(down(&world, DownReason::InitialContact), 1);
}
