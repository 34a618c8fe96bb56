//! `debug crypto condition ...`: whose facts become debug lines. Called by [`super::fact`].

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ike::event::{Event, Fact};
use ipnet::Ipv4Net;
use isthmus_grammar::command::{DebugArea, DebugCondition};

/// The conditions in force; a fact that fits one of them is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// `peer ipv4`
    pub peers: BTreeSet<Ipv4Addr>,
    /// `peer subnet`
    pub subnets: BTreeSet<Ipv4Net>,
    /// `connid`
    pub connections: BTreeSet<u32>,
    /// `spi`
    pub spis: BTreeSet<u32>,
    /// `unmatched`: lines of these areas are shown when the fact tells nothing that a condition asks for
    pub unmatched: BTreeSet<DebugArea>,
}

/// What came of comparing a fact with the conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// There are none, or one fits.
    Fits,
    /// None fits.
    Differs,
    /// The fact tells nothing that any of them asks for.
    Unmatched,
}

impl Conditions {
    /// None at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            peers,
            subnets,
            connections,
            spis,
            unmatched: _,
        } = self;
        peers.is_empty() && subnets.is_empty() && connections.is_empty() && spis.is_empty()
    }

    /// Adds a condition or takes it back.
    ///
    /// # Errors
    /// The mask of a network is no mask; the text is for the operator.
    pub fn change(&mut self, condition: DebugCondition, on: bool) -> Result<(), &'static str> {
        fn put<T: Ord>(set: &mut BTreeSet<T>, value: T, on: bool) {
            if on {
                set.insert(value);
            } else {
                set.remove(&value);
            }
        }
        match condition {
            DebugCondition::ConnectionId(id) => put(&mut self.connections, id, on),
            DebugCondition::Peer(address) => put(&mut self.peers, address, on),
            DebugCondition::PeerSubnet(typed) => {
                let net = typed.net().ok_or("% Inconsistent address and mask\n")?;
                put(&mut self.subnets, net.trunc(), on);
            }
            DebugCondition::Reset => *self = Self::default(),
            DebugCondition::Spi(spi) => put(&mut self.spis, spi, on),
            DebugCondition::Unmatched(area) => {
                let areas = area.map_or(DebugArea::ALL.to_vec(), |area| vec![area]);
                areas
                    .into_iter()
                    .for_each(|area| put(&mut self.unmatched, area, on));
            }
        }
        Ok(())
    }

    /// Compares a fact with the conditions.
    #[must_use]
    pub fn fit(&self, fact: &Fact) -> Fit {
        if self.is_empty() {
            return Fit::Fits;
        }
        let by_peer = (!self.peers.is_empty() || !self.subnets.is_empty())
            .then(|| self.has_peer(fact.remote.ip()));
        let by_connection = (!self.connections.is_empty() && fact.conn_id != 0)
            .then(|| self.connections.contains(&fact.conn_id));
        let spis = spis(&fact.event);
        let by_spi = (!self.spis.is_empty() && !spis.is_empty())
            .then(|| spis.iter().any(|spi| self.spis.contains(spi)));
        let compared = [by_peer, by_connection, by_spi];
        if compared.contains(&Some(true)) {
            Fit::Fits
        } else if compared.contains(&Some(false)) {
            Fit::Differs
        } else {
            Fit::Unmatched
        }
    }

    /// Whether the lines of an area are to be shown.
    #[must_use]
    pub fn shows(&self, area: DebugArea, fit: Fit) -> bool {
        match fit {
            Fit::Fits => true,
            Fit::Differs => false,
            Fit::Unmatched => self.unmatched.contains(&area),
        }
    }

    fn has_peer(&self, peer: IpAddr) -> bool {
        let IpAddr::V4(peer) = peer else {
            return false;
        };
        self.peers.contains(&peer) || self.subnets.iter().any(|net| net.contains(&peer))
    }
}

/// The SPIs of IPsec SAs that a fact is about.
fn spis(event: &Event) -> Vec<u32> {
    match event {
        Event::ChildUp { child, .. } => child
            .protocols
            .iter()
            .flat_map(|sa| [sa.inbound_spi, sa.outbound_spi])
            .collect(),
        Event::ChildDown { spis, .. } => spis
            .iter()
            .flat_map(|(_, inbound, outbound)| [*inbound, *outbound])
            .collect(),
        Event::DeleteReceived { spis, .. } | Event::DeleteSent { spis, .. } => spis
            .iter()
            .filter_map(|spi| Some(u32::from_be_bytes(spi.as_slice().try_into().ok()?)))
            .collect(),
        _ => Vec::new(),
    }
}
