//! What the operator, the peer and a change of configuration take down, and what they leave.

mod support;

use std::sync::Arc;
use std::time::Duration;

use ike::Clear;
use ike::algorithm::IpsecProtocol;
use ike::config::{ConnectionId, FlowId};
use ike::event::{DownReason, Event};
use ike::status::{SessionState, StateWord};
use support::World;
use support::config::{A, B, FLOW, HostConfig, Pair, connection, entry, flow, global};

fn tunnel() -> World {
    let mut world = Pair::usual().world(1);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world
}

fn clear(world: &mut World, host: usize, what: Clear) {
    world.with(host, |endpoint, now| endpoint.clear(now, what));
    world.run(Duration::from_secs(1));
}

fn state(world: &World, host: usize) -> SessionState {
    world.hosts[host]
        .endpoint
        .connection_status(ConnectionId(1))
        .unwrap()
        .state
}

fn halves(world: &World) -> [usize; 2] {
    [
        world.hosts[0].kernel.halves.len(),
        world.hosts[1].kernel.halves.len(),
    ]
}

#[test]
fn clear_crypto_sa_takes_the_children_of_both_sides() {
    let cases: [fn(&World, u32) -> Clear; 5] = [
        |_, _| Clear::Children,
        |_, _| Clear::ChildrenOfPeer(B.parse().unwrap()),
        |_, _| Clear::ChildrenOfMap("MAP".into()),
        |_, _| Clear::ChildrenOfConnections(vec![ConnectionId(1)]),
        |_, spi| Clear::ChildWithSpi {
            destination: B.parse().unwrap(),
            protocol: IpsecProtocol::Esp,
            spi,
        },
    ];
    for case in cases {
        let mut world = tunnel();
        let spi = world.hosts[0].kernel.outbound(FLOW).unwrap().protocols[0].outbound_spi;
        let what = case(&world, spi);
        clear(&mut world, 0, what);
        assert_eq!(halves(&world), [0, 0]);
        assert_eq!(
            [state(&world, 0), state(&world, 1)],
            [SessionState::UpIdle; 2]
        );
        assert!(world.hosts[1].has(|event| matches!(
            event,
            Event::ChildDown {
                reason: DownReason::DeletedByPeer,
                ..
            }
        )));
        world.acquire(1, 1, 1);
        world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    }
}

#[test]
fn clear_crypto_sa_of_others_takes_nothing() {
    let mut world = tunnel();
    clear(&mut world, 0, Clear::ChildrenOfPeer(A.parse().unwrap()));
    clear(&mut world, 0, Clear::ChildrenOfMap("OTHER".into()));
    clear(&mut world, 0, Clear::SessionsWithLocal(B.parse().unwrap()));
    clear(&mut world, 0, Clear::IkeSa(1002));
    let destination = B.parse().unwrap();
    let protocol = IpsecProtocol::Esp;
    clear(
        &mut world,
        0,
        Clear::ChildWithSpi {
            destination,
            protocol,
            spi: 1,
        },
    );
    assert!(world.traffic_flows(0, 1, FLOW));
    assert_eq!(world.wire.sent.len(), 9);
}

/// The children stay, and phase 1 comes back for them: once, though both ends have lost it.
#[test]
fn clear_crypto_isakmp_leaves_the_children() {
    for (host, what) in [
        (0, Clear::IkeSas),
        (0, Clear::IkeSa(1001)),
        (1, Clear::IkeSas),
    ] {
        let mut world = tunnel();
        let halves = world.hosts[0].kernel.halves.clone();
        clear(&mut world, host, what);
        assert!(world.traffic_flows(0, 1, FLOW));
        world.run(Duration::from_secs(5));
        for host in &world.hosts {
            let sas = host.endpoint.ike_sas(world.now);
            let words: Vec<_> = sas.iter().map(|sa| (sa.state, sa.deleted)).collect();
            let expected = [(StateWord::MmNoState, true), (StateWord::QmIdle, false)];
            assert_eq!(words, expected);
        }
        assert_eq!(
            [state(&world, 0), state(&world, 1)],
            [SessionState::UpActive; 2]
        );
        assert_eq!(world.hosts[0].kernel.halves, halves);
        world.run(Duration::from_secs(61));
        for host in &world.hosts {
            let sas = host.endpoint.ike_sas(world.now);
            assert!(sas.len() == 1 && !sas[0].deleted, "{sas:#?}");
        }
    }
}

#[test]
fn clear_crypto_session_takes_both() {
    for what in [
        Clear::Sessions,
        Clear::SessionsWithRemote(B.parse().unwrap()),
        Clear::SessionsWithLocal(A.parse().unwrap()),
        Clear::SessionsOfConnections(vec![ConnectionId(1)]),
        Clear::Shutdown,
    ] {
        let mut world = tunnel();
        clear(&mut world, 0, what);
        assert_eq!(halves(&world), [0, 0]);
        assert_eq!(
            [state(&world, 0), state(&world, 1)],
            [SessionState::Down; 2]
        );
        world.acquire(0, 1, 1);
        world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    }
}

#[test]
fn clearing_in_the_middle_of_a_negotiation_ends_it() {
    for messages in 1..9 {
        let mut world = Pair::usual().world(1);
        world.acquire(0, 1, 1);
        let end = world.now + Duration::from_secs(5);
        assert!(world.run_until(end, |world| world.wire.sent.len() == messages));
        clear(&mut world, 0, Clear::Sessions);
        world.run(Duration::from_secs(60));
        assert_eq!(halves(&world), [0, 0], "after {messages} messages");
        world.acquire(0, 1, 1);
        world.expect(20, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    }
}

/// Two connections of A: to B and to C.
fn two() -> (World, HostConfig) {
    let mut to_b = connection(A, B, vec![flow(1, "10.1.0.0/16", "10.2.0.0/16")]);
    let mut to_c = connection(
        A,
        "203.0.113.3",
        vec![flow(1, "10.1.0.0/16", "10.3.0.0/16")],
    );
    (to_b.origin, to_c.origin) = (entry(10), entry(20));
    to_c.id = ConnectionId(2);
    let mut config = global(B, "cisco123");
    config
        .keys
        .add_address("203.0.113.3".parse().unwrap(), 32, "cisco456".into());
    config.connections = vec![Arc::new(to_b), Arc::new(to_c)];
    let mut world = World::new(3);
    world.host(A, config.clone());
    world.host(B, Pair::usual().config_b());
    let mut c = global(A, "cisco456");
    let at_c = connection(
        "203.0.113.3",
        A,
        vec![flow(1, "10.3.0.0/16", "10.1.0.0/16")],
    );
    c.connections = vec![Arc::new(at_c)];
    world.host("203.0.113.3", c);
    world.acquire(0, 1, 1);
    world.acquire(0, 2, 1);
    world.expect(5, "two tunnels", |world| {
        world.hosts[0].kernel.halves.len() == 4
    });
    world.run(Duration::from_secs(1));
    (world, config)
}

fn reconfigure(world: &mut World, config: &HostConfig) {
    let config = config.clone();
    world.set_config(0, config);
    world.run(Duration::from_secs(1));
}

#[test]
fn adding_and_removing_an_entry_leaves_the_others_alone() {
    let (mut world, mut config) = two();
    let before = world.wire.sent.len();
    let mut third = connection(
        A,
        "203.0.113.4",
        vec![flow(1, "10.1.0.0/16", "10.4.0.0/16")],
    );
    third.id = ConnectionId(3);
    config.connections.push(Arc::new(third));
    reconfigure(&mut world, &config);
    assert_eq!(world.wire.sent.len(), before);
    config.connections.remove(1);
    reconfigure(&mut world, &config);
    assert_eq!(world.hosts[0].kernel.halves.len(), 2);
    assert!(world.traffic_flows(0, 1, FLOW));
    assert_eq!(world.hosts[2].kernel.halves.len(), 0, "the peer was told");
    let sas = world.hosts[0].endpoint.ike_sas(world.now);
    assert_eq!(sas.iter().filter(|sa| !sa.deleted).count(), 1);
}

#[test]
fn a_changed_entry_drops_only_what_it_must() {
    let (mut world, mut config) = two();
    let before = world.wire.sent.len();
    // Lifetime, PFS, policies, keys: in force with the next negotiation.
    let mut entry = (*config.connections[0]).clone();
    entry.lifetime.seconds = 1000;
    entry.pfs = Some(ike::registry::GroupNumber(19));
    // The same line under another name, and a new line.
    entry.flows = vec![
        flow(7, "10.9.0.0/16", "10.2.0.0/16"),
        flow(8, "10.1.0.0/16", "10.2.0.0/16"),
    ]
    .into();
    config.connections[0] = Arc::new(entry.clone());
    config.policies[0].lifetime = 1000;
    reconfigure(&mut world, &config);
    assert_eq!(world.wire.sent.len(), before);
    let children = world.hosts[0].endpoint.children(world.now);
    let child = children
        .iter()
        .find(|child| child.connection == ConnectionId(1));
    assert_eq!(child.unwrap().flow, FlowId(8));
    // The line goes: so does its child.
    entry.flows.remove(1);
    config.connections[0] = Arc::new(entry);
    reconfigure(&mut world, &config);
    assert!(world.hosts[0].has(|event| matches!(
        event,
        Event::ChildDown {
            reason: DownReason::ConfigChanged,
            ..
        }
    )));
    assert_eq!(world.hosts[1].kernel.halves.len(), 0);
    assert!(
        world.hosts[2].kernel.halves.len() == 2,
        "the other tunnel stays"
    );
}

#[test]
fn an_entry_that_goes_away_during_its_negotiation_leaves_nothing() {
    for messages in 1..9 {
        let pair = Pair::usual();
        let mut world = pair.world(1);
        world.acquire(0, 1, 1);
        let end = world.now + Duration::from_secs(5);
        assert!(world.run_until(end, |world| world.wire.sent.len() == messages));
        reconfigure(&mut world, &HostConfig::default());
        world.run(Duration::from_secs(60));
        assert_eq!(halves(&world), [0, 0], "after {messages} messages");
        reconfigure(&mut world, &pair.config_a());
        world.acquire(0, 1, 1);
        world.expect(20, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    }
}
