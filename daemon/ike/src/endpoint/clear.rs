//! What the operator and a change of configuration take down.

use std::collections::HashSet;
use std::net::IpAddr;

use crate::cause::{Blame, Cause, Phase};
use crate::child::ChildId;
use crate::child_request::ChildRequest;
use crate::config::{Config, ConnectionId, EngineConfig, FlowId};
use crate::endpoint::Endpoint;
use crate::endpoint::children::Child;
use crate::event::DownReason;
use crate::id::SaId;
use crate::output::Clear;
use crate::v1::state::{IkeSa, State};

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
                    .filter(|connection| connection.map == name)
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
                        ends.extend(connection.peers.iter().map(|peer| (*local, *peer)));
                    }
                }
                self.clear_sessions(|local, peer| ends.contains(&(local, peer)), cleared);
            }
            Clear::Shutdown => self.clear_sessions(|_, _| true, DownReason::Shutdown),
        }
    }

    /// Children first: their deletes go out under the ISAKMP SAs.
    fn clear_sessions(&mut self, which: impl Fn(IpAddr, IpAddr) -> bool, reason: DownReason) {
        self.clear_children(|child| which(child.sa.local, child.sa.remote), reason);
        self.clear_ike(|sa| which(sa.common.local.ip(), sa.common.peer()), reason);
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
            .filter(|sa| !matches!(sa.state, State::Deleted) && which(sa))
            .map(|sa| sa.common.id)
            .collect();
        for id in ids {
            self.end_quick_modes(id, |_| Cause::Protocol {
                blame: Blame::Misuse,
                phase: Phase::Two,
                came: "the ISAKMP SA was cleared".into(),
                expected: "an answer to quick mode".into(),
            });
            self.send_ike_delete(id);
            self.ike_down(id, reason);
        }
    }

    /// Replaces the configuration and takes down what it does not describe any more.
    pub(crate) fn config_changed(&mut self, config: EngineConfig) {
        let old = std::mem::replace(&mut self.ctx.config, Config::new(config));
        let mut gone = Vec::new();
        let mut renamed = Vec::new();
        for child in self.children.iter() {
            let (sa, id) = (&child.sa, child.sa.id);
            let unchanged = match (
                old.connection(sa.connection),
                self.ctx.config.connection(sa.connection),
            ) {
                (Some(old), Some(new)) => std::sync::Arc::ptr_eq(old, new) || old == new,
                _ => false,
            };
            if !unchanged {
                match described(&self.ctx.config, child) {
                    Some(flow) if flow == sa.flow => {}
                    Some(flow) => renamed.push((id, flow)),
                    None => gone.push(id),
                }
            }
        }
        for (id, flow) in renamed {
            self.children.rename_flow(id, flow);
        }
        for id in gone {
            self.child_down(id, DownReason::ConfigChanged, true);
        }
        let config = &self.ctx.config;
        self.gate
            .stateless
            .configured(|peer| config.with_peer(peer).next().is_some());
        self.sessions
            .retain(|id, _| config.connection(*id).is_some());
        for (id, session) in &mut self.sessions {
            let peers = config
                .connection(*id)
                .map_or(0, |connection| connection.peers.len());
            if session.peer >= peers {
                (session.peer, session.tried) = (0, 0);
            }
        }
        let peers: HashSet<IpAddr> = config.connections().flat_map(|c| c.peers.clone()).collect();
        self.untold.retain(|(_, peer), _| peers.contains(peer));
        self.drop_stale_requests();
        self.drop_ike_without_peer();
        let established: Vec<_> = self.sas.keys().copied().collect();
        for id in established {
            if self
                .ctx
                .timers
                .due(crate::timer::Timer::Keepalive(id))
                .is_none()
            {
                self.schedule_keepalive(id);
            }
        }
    }

    /// Forgets what waits for flows that are no more.
    fn drop_stale_requests(&mut self) {
        let config = &self.ctx.config;
        let known = |connection: ConnectionId, flow: FlowId| {
            config
                .connection(connection)
                .is_some_and(|c| c.flow(flow).is_some())
        };
        for sa in self.sas.values_mut() {
            sa.common
                .requests
                .retain(|request| known(request.connection, request.flow));
        }
        let stale = self.busy.iter();
        let stale = stale.filter(|(connection, flow)| !known(*connection, *flow));
        for (connection, flow) in stale.copied().collect::<Vec<_>>() {
            let rekeys = None;
            let request = ChildRequest {
                connection,
                flow,
                rekeys,
            };
            self.request_over(request, false);
        }
    }

    /// ISAKMP SAs with peers that no entry names any more.
    fn drop_ike_without_peer(&mut self) {
        let named = |peer: &&IpAddr| self.ctx.config.with_peer(**peer).next().is_none();
        let gone: HashSet<IpAddr> = self.by_peer.keys().filter(named).copied().collect();
        if !gone.is_empty() {
            self.clear_ike(
                |sa| gone.contains(&sa.common.peer()),
                DownReason::ConfigChanged,
            );
        }
    }
}

/// The flow that describes a child now, if any does.
fn described(config: &Config, child: &Child) -> Option<FlowId> {
    let sa = &child.sa;
    let connection = config.connection(sa.connection)?;
    let endpoints = connection.local.contains(&sa.local) && connection.peers.contains(&sa.remote);
    let flow = connection
        .flows
        .iter()
        .find(|flow| flow.local == sa.local_selector && flow.remote == sa.remote_selector)?;
    endpoints.then_some(flow.id)
}
