//! What the operator takes down.

use std::collections::HashSet;
use std::net::IpAddr;

use crate::cause::{Blame, Cause, Phase};
use crate::child::ChildId;
use crate::endpoint::Endpoint;
use crate::endpoint::children::Child;
use crate::event::DownReason;
use crate::id::SaId;
use crate::output::Clear;
use crate::sa::IkeSa;

impl Endpoint {
    pub(crate) fn clear_now(&mut self, what: Clear) {
        let cleared = DownReason::Cleared;
        match what {
            Clear::Children => self.clear_children(|_| true, cleared),
            Clear::ChildrenOfPeer(peer) => self.clear_children(|c| c.sa.remote == peer, cleared),
            Clear::ChildrenOfMap(name) => {
                let of_map: HashSet<_> = self
                    .ctx
                    .config
                    .connections()
                    .filter(|connection| connection.origin.is_of_map(&name))
                    .map(|connection| connection.id)
                    .collect();
                self.clear_children(|c| of_map.contains(&c.sa.connection), cleared);
            }
            Clear::ChildrenOfConnections(ids) => {
                let ids: HashSet<_> = ids.into_iter().collect();
                self.clear_children(|c| ids.contains(&c.sa.connection), cleared);
            }
            Clear::ChildWithSpi {
                destination,
                protocol,
                spi,
            } => {
                if let Some(id) = self.child_with_spi(destination, protocol, spi) {
                    self.child_down(id, cleared, true);
                }
            }
            Clear::IkeSas => self.clear_ike(|_| true, cleared),
            Clear::IkeSa(conn_id) => {
                self.clear_ike(|sa| sa.common.conn_id == conn_id, cleared);
            }
            Clear::Sessions => self.clear_sessions(|_, _| true, cleared),
            Clear::SessionsWithRemote(peer) => {
                self.clear_sessions(|_, remote| remote == peer, cleared);
            }
            Clear::SessionsWithLocal(address) => {
                self.clear_sessions(|local, _| local == address, cleared);
            }
            Clear::SessionsOfConnections(ids) => {
                let mut ends = HashSet::new();
                for connection in ids.iter().filter_map(|id| self.ctx.config.connection(*id)) {
                    for local in &connection.local {
                        let peers = connection.peers.listed().iter();
                        ends.extend(peers.map(|peer| (*local, *peer)));
                    }
                    // Of peers that are not listed, those that have a tunnel.
                    let children = self.children.of_connection(connection.id).into_iter();
                    let children = children.filter_map(|id| self.children.get(id));
                    ends.extend(children.map(|child| (child.sa.local, child.sa.remote)));
                }
                self.clear_sessions(|local, peer| ends.contains(&(local, peer)), cleared);
            }
            Clear::Shutdown => self.clear_sessions(|_, _| true, DownReason::Shutdown),
        }
    }

    /// Children first: their deletes go out under the ISAKMP SAs.
    fn clear_sessions(&mut self, which: impl Fn(IpAddr, IpAddr) -> bool, reason: DownReason) {
        self.clear_children(|child| which(child.sa.local, child.sa.remote), reason);
        self.clear_ike(
            |sa| which(sa.common.local.ip(), sa.common.address()),
            reason,
        );
    }

    fn clear_children(&mut self, which: impl Fn(&Child) -> bool, reason: DownReason) {
        let ids: Vec<ChildId> = self
            .children
            .iter()
            .filter(|child| which(child))
            .map(|c| c.sa.id)
            .collect();
        for id in ids {
            self.child_down(id, reason, true);
        }
    }

    fn clear_ike(&mut self, which: impl Fn(&IkeSa) -> bool, reason: DownReason) {
        let ids: Vec<SaId> = self
            .sas
            .values()
            .filter(|sa| !sa.is_deleted() && which(sa))
            .map(|sa| sa.common.id)
            .collect();
        self.clear_ike_sas(ids, reason);
    }

    /// Ends these ISAKMP SAs, with deletes to the peers.
    pub(super) fn clear_ike_sas(&mut self, ids: Vec<SaId>, reason: DownReason) {
        for id in ids {
            let cause = Cause::Protocol {
                blame: Blame::Misuse,
                phase: Phase::Two,
                came: "the ISAKMP SA was cleared".into(),
                expected: "an answer to quick mode".into(),
            };
            self.end_exchanges(id, &cause);
            self.delete_ike(id, reason);
        }
    }
}
