//! A change of configuration: what it does not describe any more is taken down. Called by `Endpoint::set_config`,
//! `set_connection` and `remove_connection`.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use crate::child::ChildId;
use crate::child_request::{ChildRequest, Subject};
use crate::config::{Config, Connection, ConnectionId, EngineConfig, FlowId};
use crate::endpoint::Endpoint;
use crate::endpoint::children::Child;
use crate::event::DownReason;
use crate::id::SaId;
use crate::timer::{SaTimer, Timer};

/// A connection as it was, and as it is now.
struct Changed {
    id: ConnectionId,
    old: Option<Arc<Connection>>,
    new: Option<Arc<Connection>>,
}

impl Changed {
    /// None when both are the same.
    fn between(
        id: ConnectionId,
        old: Option<Arc<Connection>>,
        new: Option<Arc<Connection>>,
    ) -> Option<Self> {
        let same = match (&old, &new) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new) || old == new,
            (None, None) => true,
            _ => false,
        };
        (!same).then_some(Self { id, old, new })
    }

    /// Every address that it listed or lists.
    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let both = [&self.old, &self.new].into_iter().flatten();
        both.flat_map(|connection| connection.peers.listed().iter().copied())
    }

    /// Its peers may be anywhere, or might have been.
    fn is_open(&self) -> bool {
        let mut both = [&self.old, &self.new].into_iter().flatten();
        both.any(|connection| connection.peers.are_open())
    }
}

impl Endpoint {
    /// Replaces the configuration.
    pub(super) fn config_changed(&mut self, config: EngineConfig) {
        let old = std::mem::replace(&mut self.ctx.config, Config::new(config));
        let config = &self.ctx.config;
        let ids = old.connections().chain(config.connections()).map(|c| c.id);
        let ids: BTreeSet<_> = ids.collect();
        let changed = ids.into_iter().filter_map(|id| {
            let (old, new) = (old.connection(id), config.connection(id));
            Changed::between(id, old.cloned(), new.cloned())
        });
        let changed: Vec<_> = changed.collect();
        self.gate.stateless.configured();
        self.take_down_what_changed(&changed);
        self.schedule_missing_keepalives();
    }

    /// Replaces everything but the connections.
    pub(super) fn settings_changed(&mut self, settings: EngineConfig) {
        self.ctx.config.set(settings);
        self.gate.stateless.configured();
        self.schedule_missing_keepalives();
    }

    /// Sets the keepalive timer of every ISAKMP SA that has none.
    pub(crate) fn schedule_missing_keepalives(&mut self) {
        let ids: Vec<_> = self.sas.keys().copied().collect();
        for id in ids {
            let keepalive = Timer::Sa(id, SaTimer::Keepalive);
            if self.ctx.timers.due(keepalive).is_none() {
                self.schedule_keepalive(id);
            }
        }
    }

    /// Takes down what the configuration does not describe of SAs that were negotiated under an unknown one.
    pub(crate) fn take_down_undescribed(&mut self) {
        let ids: BTreeSet<_> = self.children.iter().map(|c| c.sa.connection).collect();
        let changed = ids.into_iter().map(|id| Changed {
            id,
            old: None,
            new: self.ctx.config.connection(id).cloned(),
        });
        let changed: Vec<_> = changed.collect();
        self.children_changed(&changed);
        let config = &self.ctx.config;
        let unnamed = |address: IpAddr| !config.names(address);
        let ike = self.sas.values().map(|sa| &sa.common);
        let ike = ike.filter(|common| unnamed(common.address()));
        let ike: Vec<SaId> = ike.map(|common| common.id).collect();
        let mut addresses = self.peers.addresses();
        addresses.retain(|address| unnamed(*address));
        self.drop_untold(&addresses);
        self.clear_ike_sas(ike, DownReason::ConfigChanged);
    }

    /// Forgets what peers at these addresses would have to be told.
    fn drop_untold<'b>(&mut self, addresses: impl IntoIterator<Item = &'b IpAddr>) {
        for address in addresses {
            for peer in self.peers.drop_untold_at(*address) {
                self.forget_unused_peer(peer);
            }
        }
    }

    /// Replaces, adds or removes one connection.
    pub(super) fn connection_changed(&mut self, id: ConnectionId, new: Option<Arc<Connection>>) {
        let config = &mut self.ctx.config;
        let old = match &new {
            Some(new) => config.put(new.clone()),
            None => config.take(id),
        };
        if let Some(changed) = Changed::between(id, old, new) {
            self.take_down_what_changed(&[changed]);
        }
    }

    /// Takes down what the configuration, which has changed, does not describe any more.
    fn take_down_what_changed(&mut self, changed: &[Changed]) {
        self.children_changed(changed);
        let config = &self.ctx.config;
        let mut addresses: BTreeSet<_> = changed.iter().flat_map(Changed::addresses).collect();
        if changed.iter().any(Changed::is_open) {
            addresses.extend(self.by_address.keys());
        }
        for Changed { id, new, .. } in changed {
            match (new, self.sessions.get_mut(id)) {
                (Some(new), Some(session)) if session.peer >= new.peers.listed().len() => {
                    (session.peer, session.tried) = (0, 0);
                }
                (None, _) => {
                    self.sessions.remove(id);
                }
                _ => {}
            }
        }
        let unnamed = |address: &IpAddr| !config.names(*address);
        let unnamed: BTreeSet<_> = addresses.iter().copied().filter(unnamed).collect();
        self.gate.stateless.forget(&unnamed);
        self.drop_untold(&unnamed);
        self.drop_stale_requests(changed, &addresses);
        let ids: BTreeSet<SaId> = unnamed.iter().flat_map(|peer| self.sas_at(*peer)).collect();
        self.clear_ike_sas(ids.into_iter().collect(), DownReason::ConfigChanged);
    }

    /// Children of these connections: those that a flow still describes go by its name, the others go.
    fn children_changed(&mut self, changed: &[Changed]) {
        let ids = changed
            .iter()
            .flat_map(|c| self.children.of_connection(c.id));
        let ids: BTreeSet<ChildId> = ids.collect();
        let mut gone = Vec::new();
        let mut renamed = Vec::new();
        for child in ids.iter().filter_map(|id| self.children.get(*id)) {
            match described(&self.ctx.config, child) {
                Some(flow) if flow == child.sa.flow => {}
                Some(flow) => renamed.push((child.sa.id, flow)),
                None => gone.push(child.sa.id),
            }
        }
        for (id, flow) in renamed {
            self.children.rename_flow(id, flow);
        }
        for id in gone {
            self.child_down(id, DownReason::ConfigChanged, true);
        }
    }

    /// Forgets what waits for flows that are no more. What asks for a flow waits under an SA with a peer of its connection.
    fn drop_stale_requests(&mut self, changed: &[Changed], addresses: &BTreeSet<IpAddr>) {
        let ids: Vec<_> = addresses
            .iter()
            .flat_map(|peer| self.sas_at(*peer))
            .collect();
        let config = &self.ctx.config;
        let known = |subject: &Subject| {
            let connection = config.connection(subject.connection);
            connection.is_some_and(|connection| connection.serves(subject))
        };
        for id in ids {
            if let Some(sa) = self.sas.get_mut(&id) {
                let requests = &mut sa.common.requests;
                requests.retain(|request| known(&request.subject));
            }
        }
        let mut stale = Vec::new();
        for Changed { id, .. } in changed {
            let busy = self.busy.range(Subject::first_of(*id, FlowId(0))..);
            let busy = busy.take_while(|subject| subject.connection == *id);
            stale.extend(busy.filter(|subject| !known(subject)).copied());
        }
        for subject in stale {
            let rekeys = None;
            self.request_over(ChildRequest { subject, rekeys }, false);
        }
    }
}

/// The flow that describes a child now, if any does.
fn described(config: &Config, child: &Child) -> Option<FlowId> {
    let sa = &child.sa;
    let connection = config.connection(sa.connection)?;
    let fits = connection.local.contains(&sa.local) && connection.peers.admits(sa.remote);
    let flows = &connection.flows;
    let flow = flows.describing(&sa.local_selector, &sa.remote_selector);
    flow.filter(|_| fits).map(|flow| flow.id)
}
