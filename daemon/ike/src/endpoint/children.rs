//! The table of children, with the indexes that inputs look them up by.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

use crate::algorithm::IpsecProtocol;
use crate::child::{ChildId, ChildSa};
use crate::child_request::Subject;
use crate::config::{ConnectionId, FlowId};
use crate::endpoint::phase::Phase;
use crate::endpoint::watch::Doubt;
use crate::id::{Path, PeerId, SaId};
use crate::output::Traffic;
use crate::registry::ProtocolId;
use crate::status::Role;
use crate::time::Instant;

/// A child and where it stands.
#[derive(Debug)]
pub(crate) struct Child {
    /// What was agreed; its keys are not here any more
    pub(crate) sa: ChildSa,
    pub(crate) phase: Phase,
    pub(crate) peer: PeerId,
    /// Which end we were in its quick mode
    pub(crate) role: Role,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// conn id of the ISAKMP SA that made it
    pub(crate) ike_conn_id: u32,
    /// Its own conn id in `show crypto ipsec sa`
    pub(crate) conn_id: u32,
    /// The quick mode that made it
    pub(crate) exchange: (SaId, u32),
    /// As the responder: our own quick mode for the same flow that was on its way
    pub(crate) rival: Option<(SaId, u32)>,
    pub(crate) expires: Instant,
    pub(crate) traffic: Traffic,
    /// When traffic was last seen to come in
    pub(crate) heard: Instant,
    /// The peer may not have it
    pub(crate) doubt: Option<Doubt>,
    /// How many of its kind, one after the other, were negotiated again because the peer had them not
    pub(crate) losses: u8,
    /// The kernel may have reported a limit in bytes to no endpoint: its counters have not been read since
    pub(crate) volume_unread: bool,
}

impl Child {
    pub(crate) fn path(&self) -> Path {
        Path {
            local: self.local,
            remote: self.remote,
            conn_id: self.ike_conn_id,
        }
    }

    /// Up and not about to go.
    pub(crate) fn is_current(&self) -> bool {
        self.phase.is_active()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Children {
    table: BTreeMap<ChildId, Child>,
    by_inbound: HashMap<(IpsecProtocol, u32), ChildId>,
    by_outbound: HashMap<(IpAddr, IpsecProtocol, u32), ChildId>,
    by_subject: HashMap<Subject, BTreeSet<ChildId>>,
    by_connection: HashMap<ConnectionId, BTreeSet<ChildId>>,
    by_peer: HashMap<PeerId, BTreeSet<ChildId>>,
    last: u64,
}

impl Children {
    /// A name for a new child.
    pub(crate) fn next_id(&mut self) -> ChildId {
        self.last += 1;
        ChildId(self.last)
    }

    /// The last name given to a child.
    pub(crate) fn last_id(&self) -> u64 {
        self.last
    }

    /// Names begin after this one.
    pub(crate) fn go_on_after(&mut self, last: u64) {
        self.last = last;
    }

    pub(crate) fn insert(&mut self, child: Child) {
        let (id, sa) = (child.sa.id, &child.sa);
        for part in &sa.protocols {
            self.by_inbound
                .insert((part.protocol, part.inbound_spi), id);
            self.by_outbound
                .insert((sa.remote, part.protocol, part.outbound_spi), id);
        }
        self.by_subject.entry(sa.subject()).or_default().insert(id);
        self.by_connection
            .entry(sa.connection)
            .or_default()
            .insert(id);
        self.by_peer.entry(child.peer).or_default().insert(id);
        self.table.insert(id, child);
    }

    pub(crate) fn remove(&mut self, id: ChildId) -> Option<Child> {
        let child = self.table.remove(&id)?;
        let sa = &child.sa;
        for part in &sa.protocols {
            let inbound = (part.protocol, part.inbound_spi);
            if self.by_inbound.get(&inbound) == Some(&id) {
                self.by_inbound.remove(&inbound);
            }
            let outbound = (sa.remote, part.protocol, part.outbound_spi);
            if self.by_outbound.get(&outbound) == Some(&id) {
                self.by_outbound.remove(&outbound);
            }
        }
        leave(&mut self.by_subject, sa.subject(), id);
        leave(&mut self.by_connection, sa.connection, id);
        leave(&mut self.by_peer, child.peer, id);
        Some(child)
    }

    pub(crate) fn get(&self, id: ChildId) -> Option<&Child> {
        self.table.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: ChildId) -> Option<&mut Child> {
        self.table.get_mut(&id)
    }

    /// Moves a child to another name for the same flow, after a change of configuration.
    pub(crate) fn rename_flow(&mut self, id: ChildId, flow: FlowId) {
        if let Some(mut child) = self.remove(id) {
            child.sa.flow = flow;
            self.insert(child);
        }
    }

    /// How many flows have any.
    pub(crate) fn flows(&self) -> usize {
        self.by_subject.len()
    }

    /// Every child, oldest first, out of the table.
    pub(crate) fn into_iter(self) -> impl Iterator<Item = Child> {
        self.table.into_values()
    }

    /// Every child, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Child> {
        self.table.values()
    }

    /// True while no SA of ours has this SPI.
    pub(crate) fn is_free(&self, protocol: IpsecProtocol, spi: u32) -> bool {
        !self.by_inbound.contains_key(&(protocol, spi))
    }

    /// The child with this SPI of packets that we receive.
    pub(crate) fn by_inbound(&self, protocol: IpsecProtocol, spi: u32) -> Option<ChildId> {
        self.by_inbound.get(&(protocol, spi)).copied()
    }

    /// The child with this SPI of packets to `peer`.
    pub(crate) fn by_outbound(
        &self,
        peer: IpAddr,
        protocol: ProtocolId,
        spi: u32,
    ) -> Option<ChildId> {
        let protocol = match protocol {
            ProtocolId::AH => IpsecProtocol::Ah,
            ProtocolId::ESP => IpsecProtocol::Esp,
            _ => return None,
        };
        self.by_outbound.get(&(peer, protocol, spi)).copied()
    }

    /// The children of a flow, oldest first.
    pub(crate) fn of_subject(&self, subject: &Subject) -> Vec<ChildId> {
        ids(self.by_subject.get(subject))
    }

    /// The children of a connection, oldest first.
    pub(crate) fn of_connection(&self, connection: ConnectionId) -> Vec<ChildId> {
        ids(self.by_connection.get(&connection))
    }

    /// The children with a peer, oldest first.
    pub(crate) fn of_peer(&self, peer: PeerId) -> Vec<ChildId> {
        ids(self.by_peer.get(&peer))
    }

    /// True when any child of the connection is up; where that has many peers at once, any with `peer`.
    pub(crate) fn session_is_up(&self, connection: ConnectionId, peer: Option<PeerId>) -> bool {
        self.by_connection.get(&connection).is_some_and(|set| {
            set.iter().any(|id| {
                self.table
                    .get(id)
                    .filter(|child| peer.is_none_or(|peer| child.peer == peer))
                    .is_some_and(|child| child.phase.up().is_some())
            })
        })
    }

    /// True when there is any child with the peer.
    pub(crate) fn has_peer(&self, peer: PeerId) -> bool {
        self.by_peer.contains_key(&peer)
    }
}

fn ids(set: Option<&BTreeSet<ChildId>>) -> Vec<ChildId> {
    set.into_iter().flatten().copied().collect()
}

fn leave<K: Eq + std::hash::Hash>(index: &mut HashMap<K, BTreeSet<ChildId>>, key: K, id: ChildId) {
    if let Some(set) = index.get_mut(&key) {
        set.remove(&id);
        if set.is_empty() {
            index.remove(&key);
        }
    }
}
