//! One connection after the other, or the whole configuration each time: an endpoint does the same, to the octet.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ike::config::{Connection, ConnectionId, EngineConfig, FlowId};
use support::World;
use support::config::{HostConfig, connection, entry, flow, global};

const ROUTER: &str = "192.0.2.1";
const PEERS: [&str; 3] = ["198.51.100.1", "198.51.100.2", "198.51.100.3"];

/// What the router may have for connection `id`: another peer, other flows, or a backup peer.
fn variant(id: u32, shape: u64) -> Connection {
    let peer = (u64::from(id) + (shape & 1)) as usize % PEERS.len();
    let mut flows = vec![flow(
        1,
        &format!("10.1.{id}.0/24"),
        &format!("10.2.{peer}.0/24"),
    )];
    if shape & 2 != 0 {
        flows.push(flow(
            2,
            &format!("10.1.{id}.0/24"),
            &format!("10.3.{peer}.0/24"),
        ));
    }
    if shape & 4 != 0 {
        flows.remove(0);
    }
    let mut connection = connection(ROUTER, PEERS[peer], flows);
    connection.id = ConnectionId(id);
    connection.origin = entry(10 * (1 + id % 2));
    if shape & 8 != 0 {
        let backup = PEERS[(peer + 1) % PEERS.len()];
        connection.peers = [PEERS[peer], backup]
            .map(|peer| peer.parse().unwrap())
            .to_vec()
            .into();
    }
    connection
}

fn keys() -> HostConfig {
    let mut config = global(PEERS[0], "cisco123");
    for address in PEERS.iter().chain([&ROUTER]) {
        let address = address.parse().unwrap();
        config.keys.add_address(address, 32, "cisco123".into());
    }
    config
}

/// A router without connections, and peers that accept each of its variants.
fn world(seed: u64) -> World {
    let mut world = World::new(seed);
    world.host(ROUTER, keys());
    for (number, address) in PEERS.iter().enumerate() {
        let flows = (0..4).flat_map(|id| {
            let (net, local) = (format!("10.1.{id}.0/24"), number);
            [
                flow(id * 2, &format!("10.2.{local}.0/24"), &net),
                flow(id * 2 + 1, &format!("10.3.{local}.0/24"), &net),
            ]
        });
        let mirror = connection(address, ROUTER, flows.collect());
        let mut config = keys();
        config.connections = vec![Arc::new(mirror)];
        world.host(address, config);
    }
    world
}

#[test]
fn one_connection_at_a_time_is_the_same_as_all_at_once() {
    let mut tunnels = 0;
    for seed in 0..24 {
        let (mut each, mut whole) = (world(seed), world(seed));
        let mut random = support::Seeded(seed);
        let mut connections: BTreeMap<u32, Arc<Connection>> = BTreeMap::new();
        for _ in 0..30 {
            let id = (random.next() % 4) as u32;
            let changed = match random.next() % 3 {
                0 => connections.remove(&id).map(|_| None),
                _ => {
                    let connection = Arc::new(variant(id, random.next()));
                    connections.insert(id, connection.clone());
                    Some(Some(connection))
                }
            };
            each.with(0, |endpoint, now| match changed {
                Some(Some(connection)) => endpoint.set_connection(now, connection),
                Some(None) | None => endpoint.remove_connection(now, ConnectionId(id)),
            });
            let config = EngineConfig {
                connections: connections.values().cloned().collect(),
                ..keys().engine
            };
            whole.with(0, |endpoint, now| endpoint.set_config(now, config));
            let (id, flow) = ((random.next() % 4) as u32, 1 + (random.next() % 2) as u32);
            let time = Duration::from_millis(random.next() % 3000);
            for world in [&mut each, &mut whole] {
                world.acquire(0, id, flow);
                world.run(time);
            }
            same(&each, &whole);
        }
        for world in [&mut each, &mut whole] {
            world.run(Duration::from_secs(200));
        }
        same(&each, &whole);
        tunnels += each.hosts[0].kernel.halves.len();
    }
    assert!(tunnels > 20, "{tunnels} halves of tunnels at the end");
}

fn same(each: &World, whole: &World) {
    let sent = |world: &World| -> Vec<_> {
        let sent = world.wire.sent.iter();
        sent.map(|datagram| datagram.bytes.clone()).collect()
    };
    assert_eq!(sent(each), sent(whole));
    for (one, other) in each.hosts.iter().zip(&whole.hosts) {
        assert_eq!(one.facts, other.facts);
        assert_eq!(one.over, other.over);
        assert_eq!(one.kernel.halves, other.kernel.halves);
        let now = each.now;
        assert_eq!(one.endpoint.ike_sas(now), other.endpoint.ike_sas(now));
        assert_eq!(one.endpoint.children(now), other.endpoint.children(now));
        for id in (0..4).map(ConnectionId) {
            let status = one.endpoint.connection_status(id);
            assert_eq!(status, other.endpoint.connection_status(id));
            let wanted = |endpoint: &ike::Endpoint| endpoint.is_wanted(id, FlowId(1));
            assert_eq!(wanted(&one.endpoint), wanted(&other.endpoint));
        }
        assert_eq!(one.endpoint.next_timeout(), other.endpoint.next_timeout());
    }
}
