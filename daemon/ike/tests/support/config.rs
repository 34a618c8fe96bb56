//! Configurations for ladder tests.

use std::net::IpAddr;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use ike::algorithm::{Authentication, Encryption, EspCipher, Hash, Integrity, Mode};
use ike::auth::psk::PreSharedKeys;
use ike::config::{
    ChildLifetime, Connection, ConnectionId, DfBit, EngineConfig, EspTransform, Flow, FlowId,
    IsakmpPolicy, TransformSet,
};
use ike::origin::Origin;
use ike::registry::GroupNumber;
use ike::selector::Selector;

use super::{Host, World};

pub const A: &str = "192.0.2.1";
pub const B: &str = "198.51.100.1";
pub const FLOW: FlowId = FlowId(1);
pub const ONE: ConnectionId = ConnectionId(1);

pub fn policy(priority: u32, encryption: Encryption, hash: Hash, group: u16) -> IsakmpPolicy {
    IsakmpPolicy {
        priority,
        encryption,
        hash,
        authentication: Authentication::PreShared,
        group: GroupNumber(group),
        lifetime: 86_400,
    }
}

/// The quickest group, so that tests are quick.
pub fn usual_policy() -> IsakmpPolicy {
    policy(10, Encryption::Aes256, Hash::Sha256, 19)
}

pub fn esp(name: &str, cipher: EspCipher, integrity: Option<Integrity>) -> TransformSet {
    TransformSet {
        name: name.into(),
        ah: None,
        esp: Some(EspTransform { cipher, integrity }),
        mode: Mode::Tunnel,
        require_transport: false,
    }
}

pub fn usual_set() -> TransformSet {
    esp("TS", EspCipher::Aes256, Some(Integrity::HmacSha256))
}

pub fn net(text: &str) -> Selector {
    let (address, prefix) = text.split_once('/').unwrap();
    Selector::prefix(address.parse().unwrap(), prefix.parse().unwrap(), 0, 0)
}

pub fn flow(id: u32, local: &str, remote: &str) -> Flow {
    Flow {
        id: FlowId(id),
        local: net(local),
        remote: net(remote),
    }
}

pub fn connection(local: &str, peer: &str, flows: Vec<Flow>) -> Connection {
    Connection {
        id: ConnectionId(1),
        origin: entry(10),
        local: vec![local.parse().unwrap()],
        peers: vec![peer.parse().unwrap()].into(),
        default_peer: false,
        flows: flows.into(),
        transform_sets: vec![usual_set()],
        pfs: None,
        lifetime: ChildLifetime {
            seconds: 3600,
            kilobytes: Some(4_608_000),
        },
        replay_window: 64,
        df_bit: DfBit::Copy,
    }
}

/// An entry of the one crypto map.
pub fn entry(sequence: u32) -> Origin {
    Origin::CryptoMap {
        map: "MAP".into(),
        sequence,
        access_list: "101".into(),
    }
}

/// Both sides of one tunnel between 10.1.0.0/16 behind A and 10.2.0.0/16 behind B.
pub struct Pair {
    pub a: Connection,
    pub b: Connection,
    pub global_a: HostConfig,
    pub global_b: HostConfig,
}

/// What a host is configured with: its engine, and the keys that it answers the engine's questions from.
#[derive(Clone, Debug, Default)]
pub struct HostConfig {
    pub engine: EngineConfig,
    pub keys: PreSharedKeys,
}

impl Deref for HostConfig {
    type Target = EngineConfig;

    fn deref(&self) -> &EngineConfig {
        &self.engine
    }
}

impl DerefMut for HostConfig {
    fn deref_mut(&mut self) -> &mut EngineConfig {
        &mut self.engine
    }
}

pub fn global(peer: &str, key: &str) -> HostConfig {
    let mut config = HostConfig {
        engine: EngineConfig {
            policies: vec![usual_policy()],
            ..EngineConfig::default()
        },
        keys: PreSharedKeys::default(),
    };
    config
        .keys
        .add_address(peer.parse::<IpAddr>().unwrap(), 32, key.into());
    config
}

impl Pair {
    pub fn usual() -> Self {
        Self {
            a: connection(A, B, vec![flow(1, "10.1.0.0/16", "10.2.0.0/16")]),
            b: connection(B, A, vec![flow(1, "10.2.0.0/16", "10.1.0.0/16")]),
            global_a: global(B, "cisco123"),
            global_b: global(A, "cisco123"),
        }
    }

    /// With a second flow, between 10.3.0.0/16 behind A and 10.4.0.0/16 behind B.
    pub fn two_flows() -> Self {
        let mut pair = Self::usual();
        pair.a.flows.push(flow(2, "10.3.0.0/16", "10.4.0.0/16"));
        pair.b.flows.push(flow(2, "10.4.0.0/16", "10.3.0.0/16"));
        pair
    }

    /// Changes both connections alike.
    pub fn both(mut self, change: impl Fn(&mut Connection)) -> Self {
        change(&mut self.a);
        change(&mut self.b);
        self
    }

    /// Changes both global configurations alike.
    pub fn global(mut self, change: impl Fn(&mut HostConfig)) -> Self {
        change(&mut self.global_a);
        change(&mut self.global_b);
        self
    }

    pub fn config_a(&self) -> HostConfig {
        with(&self.global_a, &self.a)
    }

    pub fn config_b(&self) -> HostConfig {
        with(&self.global_b, &self.b)
    }

    pub fn world(&self, seed: u64) -> World {
        let mut world = World::new(seed);
        world.host(A, self.config_a());
        world.host(B, self.config_b());
        world
    }
}

pub fn with(global: &HostConfig, connection: &Connection) -> HostConfig {
    let mut config = global.clone();
    config.connections = vec![Arc::new(connection.clone())];
    config
}

/// The last failure that a host shows for its connection.
pub fn last_failure(host: &Host) -> Option<String> {
    let status = host.endpoint.connection_status(ConnectionId(1))?;
    status.last_failure.map(|failure| failure.cause.to_string())
}
