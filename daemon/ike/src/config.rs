//! What the operator wants, as the engine needs it: policies and connections. Pre-shared keys are asked for (`question`).
//!
//! Built by the daemon from the running-config and given to `Endpoint::set_config`. `Config` (made
//! by the endpoint) adds the indexes, so that ten thousand connections do not slow a handshake.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::algorithm::{Authentication, Encryption, EspCipher, Hash, Integrity, Mode};
use crate::child_request::Subject;
use crate::origin::Origin;
use crate::registry::GroupNumber;
use crate::selector::Selector;

/// Everything the engine is configured with. Replaced as a whole; unchanged connections keep the
/// same `Arc` (or compare equal) and are not disturbed.
#[derive(Clone, Debug, Default)]
pub struct EngineConfig {
    /// `crypto isakmp policy`, lowest number (highest priority) first
    pub policies: Vec<IsakmpPolicy>,
    /// `crypto isakmp identity`
    pub identity: OwnIdentity,
    /// `crypto isakmp keepalive`
    pub keepalive: Option<Keepalive>,
    /// `crypto call admission limit`
    pub admission: AdmissionLimits,
    /// Every crypto map entry that is applied to an interface. Where several fit, the lowest sequence number counts, then
    /// the lowest id
    pub connections: Vec<Arc<Connection>>,
}

/// `crypto call admission limit`: how many SAs there may be before new peers and new flows have to wait. What replaces an
/// SA that is there is always admitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdmissionLimits {
    /// `ike sa`: established ISAKMP SAs
    pub ike_sas: Option<u32>,
    /// `ike in-negotiation-sa`, `all in-negotiation-sa`: ISAKMP SAs being negotiated
    pub negotiations: Option<u32>,
    /// `ipsec sa`: children, those that replace each other counted as one
    pub children: Option<u32>,
}

impl AdmissionLimits {
    /// ISAKMP SAs that may be negotiated at once where nothing is configured.
    pub const NEGOTIATIONS: u32 = 1000;
}

/// One `crypto isakmp policy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IsakmpPolicy {
    /// 1 (first) to 10000; 65507 and above for the built-in ones
    pub priority: u32,
    /// Cipher of the ISAKMP SA
    pub encryption: Encryption,
    /// Hash, and by its HMAC the PRF
    pub hash: Hash,
    /// How the peers prove who they are
    pub authentication: Authentication,
    /// Diffie-Hellman group
    pub group: GroupNumber,
    /// Lifetime of the ISAKMP SA in seconds
    pub lifetime: u32,
}

/// What we call ourselves in the ID payload (RFC 2407 4.6.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OwnIdentity {
    /// The local address of the exchange
    #[default]
    Address,
    /// `hostname.domain`, sent as ID_FQDN
    Hostname(String),
}

/// `crypto isakmp keepalive SECONDS RETRY {periodic | on-demand}` (RFC 3706).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keepalive {
    /// Idle time before the first R-U-THERE
    pub interval: Duration,
    /// Time between repeats when no answer came
    pub retry: Duration,
    /// When to ask
    pub kind: KeepaliveKind,
}

/// When R-U-THERE is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeepaliveKind {
    /// Every interval
    Periodic,
    /// Only when traffic goes out and nothing came back
    OnDemand,
}

/// Names a connection; the daemon chooses it and keeps it while the map entry lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConnectionId(pub u32);

/// Names a flow within its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FlowId(pub u32);

/// One crypto map entry on one interface, or what else asks for tunnels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Name of the entry here and in every output
    pub id: ConnectionId,
    /// Where it comes from
    pub origin: Origin,
    /// Our addresses for this connection; the first is used when we start
    pub local: Vec<IpAddr>,
    /// With whom
    pub peers: Peers,
    /// `set peer ... default` is the first of them: whenever there is no SA, it is tried first
    pub default_peer: bool,
    /// What it protects
    pub flows: Flows,
    /// `set transform-set`, in order
    pub transform_sets: Vec<TransformSet>,
    /// `set pfs`
    pub pfs: Option<GroupNumber>,
    /// Lifetime of the children
    pub lifetime: ChildLifetime,
    /// Anti-replay window in packets; 0 when disabled
    pub replay_window: u32,
    /// DF bit of the outer header
    pub df_bit: DfBit,
}

/// With whom a connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peers {
    /// `set peer` addresses in the order to try
    Listed(Vec<IpAddr>),
    /// Every address; we only answer
    Any,
    /// Every address of a network; we only answer
    Prefix(IpNet),
}

impl Peers {
    /// The addresses that we can begin with; none when we only answer.
    pub fn listed(&self) -> &[IpAddr] {
        match self {
            Self::Listed(addresses) => addresses,
            Self::Any | Self::Prefix(_) => &[],
        }
    }

    /// True when a peer at this address may be one of them.
    pub fn admits(&self, address: IpAddr) -> bool {
        match self {
            Self::Listed(addresses) => addresses.contains(&address),
            Self::Any => true,
            Self::Prefix(network) => network.contains(&address),
        }
    }

    /// True when their addresses are not known before they come.
    pub(crate) fn are_open(&self) -> bool {
        !matches!(self, Self::Listed(_))
    }
}

impl From<Vec<IpAddr>> for Peers {
    fn from(addresses: Vec<IpAddr>) -> Self {
        Self::Listed(addresses)
    }
}

/// What a connection protects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flows {
    /// Exactly these: one per permit line of the access-list, in its order
    Listed(Vec<Flow>),
    /// What the peer asks for within one of these. A child of ours replaces one that the peer asked for with the same flow
    Narrow(Vec<Flow>),
}

impl Flows {
    /// The flow that describes a child between these selectors.
    pub(crate) fn describing(&self, local: &Selector, remote: &Selector) -> Option<&Flow> {
        self.iter().find(|flow| self.describes(flow, local, remote))
    }

    fn describes(&self, flow: &Flow, local: &Selector, remote: &Selector) -> bool {
        match self {
            Self::Listed(_) => flow.local == *local && flow.remote == *remote,
            Self::Narrow(_) => flow.local.contains(local) && flow.remote.contains(remote),
        }
    }
}

impl Deref for Flows {
    type Target = Vec<Flow>;

    fn deref(&self) -> &Vec<Flow> {
        match self {
            Self::Listed(flows) | Self::Narrow(flows) => flows,
        }
    }
}

impl DerefMut for Flows {
    fn deref_mut(&mut self) -> &mut Vec<Flow> {
        match self {
            Self::Listed(flows) | Self::Narrow(flows) => flows,
        }
    }
}

impl From<Vec<Flow>> for Flows {
    fn from(flows: Vec<Flow>) -> Self {
        Self::Listed(flows)
    }
}

/// One permit line of an access-list, seen outbound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Name of the flow within its connection
    pub id: FlowId,
    /// Source of outbound packets
    pub local: Selector,
    /// Destination of outbound packets
    pub remote: Selector,
}

/// One `crypto ipsec transform-set`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransformSet {
    /// Its name
    pub name: String,
    /// The AH transform
    pub ah: Option<Integrity>,
    /// The ESP transforms
    pub esp: Option<EspTransform>,
    /// `mode`; transport is used only where both ends of the flow are the peers themselves
    pub mode: Mode,
    /// `mode transport require`: never fall back to tunnel
    pub require_transport: bool,
}

/// The ESP part of a transform set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EspTransform {
    /// The cipher
    pub cipher: EspCipher,
    /// The authenticator, absent with GCM and GMAC and where the operator gave none
    pub integrity: Option<Integrity>,
}

/// `security-association lifetime`; whichever limit comes first ends the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildLifetime {
    /// Seconds
    pub seconds: u32,
    /// Kilobytes of traffic, none when disabled
    pub kilobytes: Option<u32>,
}

/// `df-bit` of the outer header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DfBit {
    /// Cleared
    Clear,
    /// As in the inner header
    #[default]
    Copy,
    /// Set
    Set,
}

/// The configuration with its indexes. Made by `Endpoint::set_config`.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(PartialEq))]
pub(crate) struct Config {
    pub(crate) policies: Vec<IsakmpPolicy>,
    pub(crate) identity: OwnIdentity,
    pub(crate) keepalive: Option<Keepalive>,
    pub(crate) admission: AdmissionLimits,
    connections: HashMap<ConnectionId, Arc<Connection>>,
    by_peer: HashMap<IpAddr, BTreeSet<Order>>,
    /// Those whose peers are not listed
    open: BTreeSet<Order>,
    by_flow: HashMap<FlowKey, BTreeSet<(Order, FlowId)>>,
}

/// The place of a connection among others: map order, then by name.
type Order = ((u32, u32), ConnectionId);

/// What a quick mode asks for: who asks, our side, their side.
type FlowKey = (IpAddr, Selector, Selector);

impl Config {
    /// Replaces everything but the connections.
    pub(crate) fn set(&mut self, settings: EngineConfig) {
        let EngineConfig {
            policies,
            identity,
            keepalive,
            admission,
            connections: _,
        } = settings;
        (self.policies, self.identity) = (policies, identity);
        (self.keepalive, self.admission) = (keepalive, admission);
    }

    /// Builds the indexes.
    pub(crate) fn new(config: EngineConfig) -> Self {
        let EngineConfig {
            policies,
            identity,
            keepalive,
            admission,
            connections,
        } = config;
        let mut indexed = Self {
            policies,
            identity,
            keepalive,
            admission,
            ..Self::default()
        };
        for connection in connections {
            indexed.put(connection);
        }
        indexed
    }

    /// Adds a connection, in the place of the one of the same name, which comes out.
    pub(crate) fn put(&mut self, connection: Arc<Connection>) -> Option<Arc<Connection>> {
        let old = self.take(connection.id);
        let order = connection.order();
        if connection.peers.are_open() {
            self.open.insert(order);
        }
        for peer in connection.peers.listed() {
            self.by_peer.entry(*peer).or_default().insert(order);
            for flow in connection.indexed_flows() {
                let key = (*peer, flow.local, flow.remote);
                let flows = self.by_flow.entry(key).or_default();
                flows.insert((order, flow.id));
            }
        }
        self.connections.insert(connection.id, connection);
        old
    }

    /// Takes a connection out.
    pub(crate) fn take(&mut self, id: ConnectionId) -> Option<Arc<Connection>> {
        let connection = self.connections.remove(&id)?;
        let order = connection.order();
        self.open.remove(&order);
        for peer in connection.peers.listed() {
            leave(&mut self.by_peer, *peer, &order);
            for flow in connection.indexed_flows() {
                let key = (*peer, flow.local, flow.remote);
                leave(&mut self.by_flow, key, &(order, flow.id));
            }
        }
        Some(connection)
    }

    /// The connection of this name.
    pub(crate) fn connection(&self, id: ConnectionId) -> Option<&Arc<Connection>> {
        self.connections.get(&id)
    }

    /// Every connection, in no order.
    pub(crate) fn connections(&self) -> impl Iterator<Item = &Arc<Connection>> {
        self.connections.values()
    }

    /// The connections that a peer at this address may be of, in map order.
    pub(crate) fn with_peer(&self, peer: IpAddr) -> impl Iterator<Item = &Arc<Connection>> {
        let named = self.by_peer.get(&peer).into_iter().flatten();
        let mut orders: Vec<&Order> = named.collect();
        let names = orders.len();
        orders.extend(self.open.iter().filter(|(_, id)| {
            let connection = self.connections.get(id);
            connection.is_some_and(|connection| connection.peers.admits(peer))
        }));
        if orders.len() > names {
            orders.sort_unstable();
        }
        let orders = orders.into_iter();
        orders.filter_map(|(_, id)| self.connections.get(id))
    }

    /// True when a connection lists it, so that we may begin with it.
    pub(crate) fn lists(&self, peer: IpAddr) -> bool {
        self.by_peer.contains_key(&peer)
    }

    /// True when there is any.
    pub(crate) fn names(&self, peer: IpAddr) -> bool {
        self.with_peer(peer).next().is_some()
    }

    /// The connections and flows for a child between these selectors with a peer at this address, in map order.
    pub(crate) fn with_flow(
        &self,
        peer: IpAddr,
        local: Selector,
        remote: Selector,
    ) -> impl Iterator<Item = (&Arc<Connection>, FlowId)> {
        let exactly = self.by_flow.get(&(peer, local, remote));
        let mut found: BTreeSet<_> = exactly.into_iter().flatten().copied().collect();
        for connection in self.with_peer(peer).filter(|c| !c.is_indexed()) {
            let flow = connection.flows.describing(&local, &remote);
            found.extend(flow.map(|flow| (connection.order(), flow.id)));
        }
        let found = found.into_iter();
        found.filter_map(|((_, id), flow)| Some((self.connections.get(&id)?, flow)))
    }
}

/// Takes one out of an index, and its key with the last one.
fn leave<K: Eq + std::hash::Hash, V: Ord>(index: &mut HashMap<K, BTreeSet<V>>, key: K, value: &V) {
    if let Some(set) = index.get_mut(&key) {
        set.remove(value);
        if set.is_empty() {
            index.remove(&key);
        }
    }
}

impl Connection {
    /// The flow of this name.
    pub fn flow(&self, id: FlowId) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.id == id)
    }

    /// True when it has the flow that a child is for.
    pub(crate) fn serves(&self, subject: &Subject) -> bool {
        let flow = self.flow(subject.flow);
        flow.is_some_and(|flow| self.flows.describes(flow, &subject.local, &subject.remote))
    }

    /// Its flows are found by peer and selectors alone.
    fn is_indexed(&self) -> bool {
        !self.peers.are_open() && matches!(self.flows, Flows::Listed(_))
    }

    fn indexed_flows(&self) -> &[Flow] {
        if self.is_indexed() { &self.flows } else { &[] }
    }

    fn order(&self) -> Order {
        (self.origin.order(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One of few connections that share peers, flows and sequence numbers.
    fn connection(id: u32, shape: u8) -> Arc<Connection> {
        let bit = |n: u8| shape >> n & 1;
        let address = |last: u8| IpAddr::from([192, 0, 2, last]);
        let net = |n: u8| Selector::prefix([10, n, 0, 0].into(), 16, 0, 0);
        let flows = (0..1 + bit(2)).map(|n| Flow {
            id: FlowId(n.into()),
            local: net(n + bit(3)),
            remote: net(9),
        });
        let flows = match bit(5) {
            0 => Flows::Listed(flows.collect()),
            _ => Flows::Narrow(flows.collect()),
        };
        let peers = match bit(6) {
            0 => Peers::Listed((2..3 + bit(0)).map(|n| address(n + bit(1))).collect()),
            _ if bit(0) == 0 => Peers::Any,
            _ => Peers::Prefix("192.0.2.0/30".parse().unwrap()),
        };
        Arc::new(Connection {
            id: ConnectionId(id),
            origin: Origin::CryptoMap {
                map: "MAP".into(),
                sequence: 10 + u32::from(bit(4)),
                access_list: "101".into(),
            },
            local: vec![address(1)],
            peers,
            default_peer: false,
            flows,
            transform_sets: Vec::new(),
            pfs: None,
            lifetime: ChildLifetime {
                seconds: 3600,
                kilobytes: None,
            },
            replay_window: 64,
            df_bit: DfBit::Copy,
        })
    }

    proptest! {
        /// However the connections came to be what they are, the indexes are the same.
        #[test]
        fn connections_one_by_one_or_at_once(
            steps in proptest::collection::vec((0u32..5, proptest::option::of(0u8..128)), 0..40),
        ) {
            let mut one_by_one = Config::default();
            let mut last = std::collections::BTreeMap::new();
            for (id, shape) in steps {
                match shape {
                    Some(shape) => {
                        one_by_one.put(connection(id, shape));
                        last.insert(id, shape);
                    }
                    None => {
                        one_by_one.take(ConnectionId(id));
                        last.remove(&id);
                    }
                }
            }
            let connections = last.into_iter().rev().map(|(id, shape)| connection(id, shape));
            let at_once = Config::new(EngineConfig {
                connections: connections.collect(),
                ..EngineConfig::default()
            });
            prop_assert_eq!(one_by_one, at_once);
        }
    }
}
