//! Requests for children: under which SA each waits, when its exchange begins, and what becomes of it.

use std::net::{IpAddr, SocketAddr};

use crate::cause::{Blame, Cause};
use crate::child::ChildId;
use crate::child_request::{ChildRequest, Subject};
use crate::config::Connection;
use crate::endpoint::children::Child;
use crate::endpoint::{Endpoint, PORT};
use crate::event::{Bound, Event};
use crate::id::{Path, PeerId, SaId};
use crate::output::Output;
use crate::registry::ExchangeType;
use crate::sa::IkeSa;
use crate::status::Role;
use crate::task::Task;

/// Quick modes at once with one peer, of those that we start: some peers keep state for three exchanges
/// only and drop the oldest.
const MAX_EXCHANGES: usize = 2;

/// Where a child is asked for.
struct Destination {
    local: SocketAddr,
    remote: SocketAddr,
    peer: Option<PeerId>,
}

impl Endpoint {
    /// Brings up or replaces a child. False when the same flow is being negotiated already, or when
    /// the configuration does not have it.
    pub(crate) fn request_child(&mut self, request: ChildRequest, peer: Option<IpAddr>) -> bool {
        let config = &self.ctx.config;
        let connection = config.connection(request.subject.connection);
        let Some(connection) = connection.filter(|c| c.serves(&request.subject)) else {
            return false;
        };
        let Some(to) = self.destination(&request, connection, peer) else {
            return false;
        };
        if !self.busy.insert(request.subject) {
            return false;
        }
        let Destination {
            local,
            remote,
            peer,
        } = to;
        let path = Path {
            local,
            remote,
            conn_id: 0,
        };
        let Subject {
            connection, flow, ..
        } = request.subject;
        self.ctx
            .debug(path, || Event::Requested { connection, flow });
        let (local_address, address) = (local.ip(), remote.ip());
        let usable = match peer {
            Some(peer) => self.usable_sa(local_address, peer),
            None => self.usable_at(local_address, address),
        };
        if let Some(id) = usable {
            self.start_child(id, request);
        } else if let Some(id) = self.promising_at(local_address, address) {
            if let Some(sa) = self.sas.get_mut(&id) {
                sa.common.requests.push(request);
            }
        } else {
            let expected = peer.or_else(|| self.only_peer_at(local_address, address));
            let (connection, requests) = (Some(connection), vec![request]);
            self.start_main_mode((local, remote, expected), connection, requests, None);
        }
        true
    }

    /// Where to ask for a child: with the peer of the one that it replaces, else at the address that the connection has in use.
    fn destination(
        &self,
        request: &ChildRequest,
        connection: &Connection,
        peer: Option<IpAddr>,
    ) -> Option<Destination> {
        let replaced = request.rekeys.and_then(|child| self.children.get(child));
        if let Some(child) = replaced {
            return Some(Destination {
                local: child.local,
                remote: child.remote,
                peer: Some(child.peer),
            });
        }
        let address = peer.or_else(|| self.peer_to_use(connection))?;
        let same_family = |local: &&IpAddr| local.is_ipv4() == address.is_ipv4();
        let local = connection.local.iter().find(same_family)?;
        Some(Destination {
            local: SocketAddr::new(*local, PORT),
            remote: SocketAddr::new(address, PORT),
            peer: None,
        })
    }

    /// Begins the exchange for a child under an established SA, or lets it wait while enough others are in progress with the
    /// peer.
    pub(crate) fn start_child(&mut self, id: SaId, request: ChildRequest) {
        let Some(sa) = self.sas.get(&id) else {
            return self.request_lost(request, false);
        };
        let (path, ready, peer) = (sa.common.path(), sa.takes_exchanges(), sa.common.peer);
        let replaced = request.rekeys.and_then(|child| self.children.get(child));
        if sa.is_established() && replaced.is_some_and(|child| child.peer != peer) {
            // It turned out to be another peer than that of the child.
            return self.request_lost(request, false);
        }
        if !ready || self.exchanges_with(peer) >= MAX_EXCHANGES {
            if let Some(sa) = self.sas.get_mut(&id) {
                sa.common.requests.push(request);
            }
            return;
        }
        let done = |old: ChildId| !self.children.get(old).is_some_and(Child::is_current);
        if request.rekeys.is_some_and(done) {
            // The peer has replaced it meanwhile, or it is gone.
            return self.request_over(request, false);
        }
        let connection = self.ctx.config.connection(request.subject.connection);
        let connection = connection.filter(|c| c.serves(&request.subject));
        let Some(connection) = connection.cloned() else {
            return self.request_lost(request, false);
        };
        let limits = self.ctx.config.admission;
        let refused =
            self.gate
                .child_not_admitted(&self.children, limits, &request.subject, Role::Initiator);
        if let Some(cause) = refused {
            self.ctx.bound_reached(path, Bound::AdmittedChildren);
            return self.request_failed(id, request, cause);
        }
        self.give(id, Task::StartChild(request, &connection));
    }

    /// Exchanges with a peer that we began and with which it is not done.
    fn exchanges_with(&self, peer: PeerId) -> usize {
        let ids = self.by_peer.get(&peer).into_iter().flatten();
        let sas = ids.filter_map(|id| self.sas.get(id));
        sas.map(|sa| sa.busy_exchanges(self.ctx.now)).sum()
    }

    /// Begins the exchanges that waited for others with the same peer to finish.
    pub(crate) fn next_request(&mut self, id: SaId) {
        self.give(id, Task::Settle);
        let Some(peer) = self.sas.get(&id).map(|sa| sa.common.peer) else {
            return;
        };
        while self.exchanges_with(peer) < MAX_EXCHANGES {
            let waiting = self.sas_of(peer).into_iter().find(|id| {
                let sa = self.sas.get(id);
                sa.is_some_and(|sa| sa.takes_exchanges() && !sa.common.requests.is_empty())
            });
            let Some(sa) = waiting.and_then(|id| self.sas.get_mut(&id)) else {
                return;
            };
            let (from, local) = (sa.common.id, sa.common.local.ip());
            let request = sa.common.requests.remove(0);
            let id = self.usable_sa(local, peer).unwrap_or(from);
            self.start_child(id, request);
        }
    }

    /// Starts the exchanges that waited for this SA, and for others with the same peer.
    pub(crate) fn start_requests(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (local, address, peer) = (sa.common.local.ip(), sa.common.address(), sa.common.peer);
        let mut requests = Vec::new();
        for other in self.sas_at(address) {
            let Some(sa) = self.sas.get(&other) else {
                continue;
            };
            let waits = !sa.is_established() && self.may_be_of(sa, peer);
            if !(other == id || waits) || sa.common.local.ip() != local {
                continue;
            }
            // An attempt of ours that is needed no more and the peer has not answered.
            let superfluous = other != id && sa.is_unheard_attempt();
            if let Some(sa) = self.sas.get_mut(&other) {
                requests.append(&mut sa.common.requests);
            }
            if superfluous {
                self.remove_quietly(other);
            }
        }
        for request in requests {
            self.start_child(id, request);
        }
    }

    /// The peer's exchange for a flow is done: what waits to begin one for the same flow need not.
    /// One that is on its way goes on: the peer may have answered it already.
    pub(super) fn call_off_waiting(&mut self, id: SaId, child: ChildId) {
        let (Some(child), Some(sa)) = (self.children.get(child), self.sas.get(&id)) else {
            return;
        };
        let subject = child.sa.subject();
        for id in self.sas_at(sa.common.address()) {
            let Some(sa) = self.sas.get_mut(&id) else {
                continue;
            };
            let same = |request: &mut ChildRequest| request.subject == subject;
            let over: Vec<_> = sa.common.requests.extract_if(.., same).collect();
            for request in over {
                self.request_over(request, false);
            }
        }
    }

    /// Our own exchange for a flow that the peer has not answered.
    pub(super) fn own_exchange_for(&self, id: SaId, subject: &Subject) -> Option<(SaId, u32)> {
        let peer = self.sas.get(&id)?.common.peer;
        self.by_peer.get(&peer)?.iter().find_map(|id| {
            let asked = self.sas.get(id).map(IkeSa::asked)?;
            let (message_id, _) = asked.into_iter().find(|(_, asked)| asked == subject)?;
            Some((*id, message_id))
        })
    }

    /// True when another child already serves the same flow.
    pub(super) fn has_current_sibling(&self, id: ChildId) -> bool {
        let Some(child) = self.children.get(id) else {
            return false;
        };
        let siblings = self.children.of_subject(&child.sa.subject());
        siblings
            .into_iter()
            .any(|other| other != id && self.children.get(other).is_some_and(Child::is_current))
    }

    /// What waits for quick mode under an SA that goes: another SA with the peer, or a new phase 1, is
    /// to serve it.
    pub(crate) fn move_requests(&mut self, id: SaId) {
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let peer = sa.common.address();
        let requests = std::mem::take(&mut sa.common.requests);
        self.ask_anew(requests, peer);
    }

    /// Serves what waited for an SA with a peer that is no more.
    pub(crate) fn ask_anew(&mut self, requests: Vec<ChildRequest>, peer: IpAddr) {
        for request in requests {
            // Asked for anew, it is not over: only what cannot be asked for again is.
            self.busy.remove(&request.subject);
            if !self.request_child(request, Some(peer)) {
                self.busy.insert(request.subject);
                self.request_lost(request, false);
            }
        }
    }

    /// A request is over: its flow may be asked for again.
    pub(crate) fn request_over(&mut self, request: ChildRequest, failed: bool) {
        let Subject {
            connection, flow, ..
        } = request.subject;
        if self.busy.remove(&request.subject) {
            self.ctx.outputs.push_back(Output::WantOver {
                connection,
                flow,
                failed,
            });
        }
    }

    /// A request came to nothing: it failed, or it was cut short.
    pub(crate) fn request_lost(&mut self, request: ChildRequest, failed: bool) {
        self.request_over(request, failed);
        if let Some(child) = request.rekeys {
            self.rekey_failed(child);
        }
    }

    /// The exchange for a request failed.
    pub(crate) fn request_failed(&mut self, id: SaId, request: ChildRequest, cause: Cause) {
        let cut_short = matches!(
            &cause,
            Cause::Protocol {
                blame: Blame::Misuse,
                ..
            }
        );
        self.request_lost(request, !cut_short);
        let Some(path) = self.sas.get(&id).map(|sa| sa.common.path()) else {
            return;
        };
        let connection = Some(request.subject.connection);
        let (exchange, role) = (ExchangeType::QUICK_MODE, Role::Initiator);
        self.negotiation_failed_on(path, exchange, role, connection, cause);
    }
}
