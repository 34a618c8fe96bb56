//! Who there is anything with. A peer is the lineage of its ISAKMP SAs and the identity that it proves, not an address: several
//! may be behind one, and each has its own SAs and children. An address is only where one is looked for that is not known yet.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Endpoint;
use crate::id::{PeerId, SaId};
use crate::identity::Identity;
use crate::registry::ProtocolId;
use crate::sa::{IkeSa, Replacement};
use crate::status::Role;

/// The peers with an ISAKMP SA, a child, or deletes that wait for an ISAKMP SA.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    table: HashMap<PeerId, Known>,
    /// By the identity that they have proved, and where: one identity may be that of a whole group
    by_identity: HashMap<(IpAddr, Identity), PeerId>,
    by_address: HashMap<IpAddr, BTreeSet<PeerId>>,
    last: u64,
}

/// What is known of a peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) address: IpAddr,
    pub(crate) identity: Option<Identity>,
    /// Deletes of children that wait for an ISAKMP SA with our address
    untold: BTreeMap<IpAddr, Vec<(ProtocolId, u32)>>,
}

/// Deletes of children kept for a peer with which there is no ISAKMP SA.
const MAX_UNTOLD: usize = 64;

impl Peers {
    /// One that has not proved who it is.
    pub(super) fn unknown(&mut self, address: IpAddr) -> PeerId {
        self.last += 1;
        let id = PeerId(self.last);
        let known = Known {
            address,
            identity: None,
            untold: BTreeMap::new(),
        };
        self.table.insert(id, known);
        self.by_address.entry(address).or_default().insert(id);
        id
    }

    /// A peer has proved its identity: who it is, which may be another one that was known already.
    fn proved(&mut self, id: PeerId, address: IpAddr, identity: &Identity) -> PeerId {
        let key = (address, identity.clone());
        if let Some(known) = self.by_identity.get(&key) {
            return *known;
        }
        let known = self
            .table
            .get(&id)
            .and_then(|known| known.identity.as_ref());
        let id = match known {
            Some(known) if known == identity => return id,
            Some(_) => self.unknown(address),
            None => id,
        };
        if let Some(known) = self.table.get_mut(&id) {
            known.identity = Some(identity.clone());
        }
        self.by_identity.insert(key, id);
        id
    }

    /// Those at an address.
    pub(super) fn at(&self, address: IpAddr) -> impl Iterator<Item = PeerId> {
        self.by_address.get(&address).into_iter().flatten().copied()
    }

    /// Keeps deletes until there is an ISAKMP SA to send them under; of too many, the oldest go.
    pub(super) fn keep_untold(
        &mut self,
        id: PeerId,
        local: IpAddr,
        deletes: Vec<(ProtocolId, u32)>,
    ) {
        let Some(known) = self.table.get_mut(&id) else {
            return;
        };
        let untold = known.untold.entry(local).or_default();
        untold.extend(deletes);
        let excess = untold.len().saturating_sub(MAX_UNTOLD);
        untold.drain(..excess);
    }

    /// The deletes that wait for an ISAKMP SA with our address.
    pub(super) fn take_untold(&mut self, id: PeerId, local: IpAddr) -> Vec<(ProtocolId, u32)> {
        let known = self.table.get_mut(&id);
        let untold = known.and_then(|known| known.untold.remove(&local));
        untold.unwrap_or_default()
    }

    /// Drops the deletes that wait for peers at an address.
    pub(super) fn drop_untold_at(&mut self, address: IpAddr) -> Vec<PeerId> {
        let peers: Vec<_> = self.at(address).collect();
        for id in &peers {
            if let Some(known) = self.table.get_mut(id) {
                known.untold.clear();
            }
        }
        peers
    }

    /// Those that have proved who they are, and the highest name so far.
    pub(crate) fn take_apart(self) -> (Vec<(PeerId, Known)>, u64) {
        let proved = |(_, known): &(PeerId, Known)| known.identity.is_some();
        let mut list: Vec<_> = self.table.into_iter().filter(proved).collect();
        list.sort_unstable_by_key(|(id, _)| *id);
        (list, self.last)
    }

    /// The inverse of `take_apart`.
    pub(crate) fn put_together(list: Vec<(PeerId, Known)>, last: u64) -> Self {
        let mut peers = Self {
            last,
            ..Self::default()
        };
        for (id, known) in list {
            let at = peers.by_address.entry(known.address).or_default();
            at.insert(id);
            if let Some(identity) = known.identity.clone() {
                peers.by_identity.insert((known.address, identity), id);
            }
            peers.table.insert(id, known);
        }
        peers
    }

    /// Every address that there is a peer at.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        let mut addresses: Vec<_> = self.by_address.keys().copied().collect();
        addresses.sort_unstable();
        addresses
    }

    fn has_untold(&self, id: PeerId) -> bool {
        let known = self.table.get(&id);
        known.is_some_and(|known| !known.untold.is_empty())
    }

    fn is_proved(&self, id: PeerId) -> bool {
        let known = self.table.get(&id);
        known.is_some_and(|known| known.identity.is_some())
    }

    fn forget(&mut self, id: PeerId) {
        let Some(known) = self.table.remove(&id) else {
            return;
        };
        if let Some(peers) = self.by_address.get_mut(&known.address) {
            peers.remove(&id);
            if peers.is_empty() {
                self.by_address.remove(&known.address);
            }
        }
        if let Some(identity) = known.identity {
            self.by_identity.remove(&(known.address, identity));
        }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.table.len()
    }
}

impl Endpoint {
    /// The SAs at an address, oldest first.
    pub(crate) fn sas_at(&self, address: IpAddr) -> Vec<SaId> {
        self.by_address.get(&address).cloned().unwrap_or_default()
    }

    /// The SAs with a peer, oldest first.
    pub(crate) fn sas_of(&self, peer: PeerId) -> Vec<SaId> {
        self.by_peer.get(&peer).cloned().unwrap_or_default()
    }

    /// The youngest established SA of a peer with our address that is not about to go.
    pub(crate) fn usable_sa(&self, local: IpAddr, peer: PeerId) -> Option<SaId> {
        self.usable(local, self.by_peer.get(&peer)?)
    }

    /// The same at an address, whichever peer is there.
    pub(crate) fn usable_at(&self, local: IpAddr, address: IpAddr) -> Option<SaId> {
        self.usable(local, self.by_address.get(&address)?)
    }

    fn usable(&self, local: IpAddr, ids: &[SaId]) -> Option<SaId> {
        let in_use = |replacement: Replacement| {
            let mut ids = ids.iter().rev().copied();
            ids.find(|id| {
                let sa = self.sas.get(id);
                sa.is_some_and(|sa| sa.common.local.ip() == local && sa.is(replacement))
            })
        };
        [
            Replacement::Current,
            Replacement::Superseded,
            Replacement::Retiring,
        ]
        .into_iter()
        .find_map(in_use)
    }

    /// A negotiation of phase 1 that is worth waiting for: one of ours, or one of the peer's that
    /// has shown it receives what we send.
    pub(crate) fn promising_at(&self, local: IpAddr, address: IpAddr) -> Option<SaId> {
        let ids = self.by_address.get(&address)?;
        let promising = |id: &&SaId| {
            self.sas.get(id).is_some_and(|sa| {
                let ours = sa.is_half_open() && sa.common.role == Role::Initiator;
                sa.common.local.ip() == local && (ours || sa.awaits_proof_of_peer())
            })
        };
        ids.iter().rev().find(promising).copied()
    }

    /// The only peer at an address with which there is an established SA or a child.
    pub(super) fn only_peer_at(&self, local: IpAddr, address: IpAddr) -> Option<PeerId> {
        let has_sa = |peer: &PeerId| {
            let mut sas = self.sas_of(*peer).into_iter();
            sas.any(|id| {
                let sa = self.sas.get(&id);
                sa.is_some_and(|sa| sa.is_established() && sa.common.local.ip() == local)
            })
        };
        let has_child = |peer: &PeerId| {
            let children = self.children.of_peer(*peer).into_iter();
            let mut children = children.filter_map(|id| self.children.get(id));
            children.any(|child| child.sa.local == local)
        };
        let peers = self.peers.at(address);
        let mut peers = peers.filter(|peer| has_sa(peer) || has_child(peer));
        let only = peers.next()?;
        peers.next().is_none().then_some(only)
    }

    /// An SA's peer has proved who it is: the SA belongs to it from here on.
    pub(super) fn identify(&mut self, id: SaId) {
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let (before, address) = (sa.common.peer, sa.common.address());
        let Some(identity) = &sa.common.identity else {
            return;
        };
        let peer = self.peers.proved(before, address, identity);
        sa.common.peer = peer;
        if peer != before {
            leave(&mut self.by_peer, before, id);
            self.by_peer.entry(peer).or_default().push(id);
            self.forget_unused_peer(before);
        }
    }

    /// True when an SA at the same address may turn out to be of this peer: who it is with is not proved.
    pub(super) fn may_be_of(&self, sa: &IkeSa, peer: PeerId) -> bool {
        sa.common.peer == peer || !self.peers.is_proved(sa.common.peer)
    }

    /// Forgets a peer with which there is nothing any more.
    pub(super) fn forget_unused_peer(&mut self, peer: PeerId) {
        let used = self.by_peer.contains_key(&peer) || self.children.has_peer(peer);
        if !used && !self.peers.has_untold(peer) {
            self.peers.forget(peer);
        }
    }
}

/// Takes an SA out of an index, and its key with the last one.
pub(super) fn leave<K: Eq + std::hash::Hash>(index: &mut HashMap<K, Vec<SaId>>, key: K, id: SaId) {
    if let Some(ids) = index.get_mut(&key) {
        ids.retain(|other| *other != id);
        if ids.is_empty() {
            index.remove(&key);
        }
    }
}
