//! What connections want: which peer to use, which flows wait for it, what failed last.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::cause::{Blame, Cause};
use crate::child_request::ChildRequest;
use crate::config::{Connection, ConnectionId};
use crate::endpoint::{Endpoint, PORT};
use crate::event::{Event, ExchangeState, Input};
use crate::flight::Flight;
use crate::id::Path;
use crate::id::SaId;
use crate::output::Output;
use crate::registry::ExchangeType;
use crate::sa::Common;
use crate::sa::Replacement;
use crate::status::{Failure, Role};
use crate::time::Instant;
use crate::v1::main_mode::initiator;
use crate::v1::state::{IkeSa, State};
use crate::wire::{Cookie, Cookies};

/// The state of one connection beside its SAs.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// Index of the `set peer` in use or to be tried next
    pub(crate) peer: usize,
    /// Peers that failed since the last success
    pub(crate) tried: usize,
    pub(crate) up_since: Option<Instant>,
    pub(crate) last_failure: Option<Failure>,
}

impl Endpoint {
    /// Brings up or replaces a child. False when the same flow is being negotiated already, or when
    /// the configuration does not have it.
    pub(crate) fn request_child(&mut self, request: ChildRequest, peer: Option<IpAddr>) -> bool {
        let Some(connection) = self.ctx.config.connection(request.connection) else {
            return false;
        };
        if connection.flow(request.flow).is_none() {
            return false;
        }
        let Some(peer) = peer.or_else(|| self.peer_to_use(connection)) else {
            return false;
        };
        let same_family = |address: &&IpAddr| address.is_ipv4() == peer.is_ipv4();
        let Some(local) = connection.local.iter().find(same_family).copied() else {
            return false;
        };
        if !self.busy.insert((request.connection, request.flow)) {
            return false;
        }
        let (local, remote) = (SocketAddr::new(local, PORT), SocketAddr::new(peer, PORT));
        let path = Path {
            local,
            remote,
            conn_id: 0,
        };
        let ChildRequest {
            connection, flow, ..
        } = request;
        self.ctx
            .debug(path, || Event::Requested { connection, flow });
        if let Some(id) = self.usable_sa(local.ip(), peer) {
            self.start_quick(id, request);
        } else if let Some(id) = self.promising_sa(local.ip(), peer) {
            if let Some(sa) = self.sas.get_mut(&id) {
                sa.common.requests.push(request);
            }
        } else {
            self.start_main_mode(local, remote, Some(request.connection), vec![request], None);
        }
        true
    }

    /// The peer that is in use, or that an attempt begins with.
    fn peer_to_use(&self, connection: &Connection) -> Option<IpAddr> {
        let first = connection.peers.first()?;
        let in_use = self.sessions.get(&connection.id);
        let in_use = in_use.and_then(|session| connection.peers.get(session.peer));
        let has_sa = |peer: &IpAddr| {
            let mut locals = connection.local.iter();
            locals.any(|local| {
                let usable = self.usable_sa(*local, *peer);
                usable
                    .or_else(|| self.promising_sa(*local, *peer))
                    .is_some()
            })
        };
        let kept = in_use.filter(|peer| !connection.default_peer || has_sa(peer));
        Some(*kept.unwrap_or(first))
    }

    /// The youngest established SA between two addresses that is not about to go.
    pub(crate) fn usable_sa(&self, local: IpAddr, peer: IpAddr) -> Option<SaId> {
        let ids = self.by_peer.get(&peer)?;
        let in_use = |replacement: Replacement| {
            ids.iter().rev().copied().find(|id| {
                self.sas.get(id).is_some_and(|sa| {
                    sa.common.local.ip() == local
                        && sa
                            .live()
                            .is_some_and(|live| live.replacement == replacement)
                })
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
    pub(crate) fn promising_sa(&self, local: IpAddr, peer: IpAddr) -> Option<SaId> {
        let ids = self.by_peer.get(&peer)?;
        let promising = |id: &&SaId| {
            self.sas.get(id).is_some_and(|sa| {
                sa.common.local.ip() == local
                    && match sa.state {
                        State::AwaitsInitiatorsProof(_) => true,
                        _ => sa.state.is_half_open() && sa.common.role == Role::Initiator,
                    }
            })
        };
        ids.iter().rev().find(promising).copied()
    }

    /// Begins main mode as the initiator.
    pub(crate) fn start_main_mode(
        &mut self,
        local: SocketAddr,
        remote: SocketAddr,
        connection: Option<ConnectionId>,
        requests: Vec<ChildRequest>,
        takes_over: Option<SaId>,
    ) {
        let cookies = Cookies {
            initiator: self.fresh_cookie(),
            responder: Cookie::ZERO,
        };
        let mut common = self.new_common(Role::Initiator, local, remote, cookies);
        common.connection = connection;
        common.requests = requests;
        common.takes_over = takes_over;
        let (id, path) = (common.id, common.path());
        let result = match self.outgoing_not_admitted(path, takes_over.is_some()) {
            Some(cause) => Err(cause),
            None => initiator::start(&self.ctx, &common),
        };
        let (state, message) = match result {
            Ok(started) => started,
            Err(cause) => return self.phase1_never_started(common, cause),
        };
        let (exchange, role) = (ExchangeType::IDENTITY_PROTECTION, Role::Initiator);
        let peer = remote.ip();
        self.ctx.debug(path, || Event::KeyFound { peer });
        self.ctx.debug(path, || Event::StateChanged {
            input: Input::SaRequest,
            message_id: 0,
            old: ExchangeState::Ready,
            new: ExchangeState::InitiatorMm1,
        });
        self.ctx.debug(path, || Event::ExchangeStarted {
            exchange,
            role,
            message_id: 0,
        });
        self.insert_sa(IkeSa {
            common,
            state: State::AwaitsChoice(state),
        });
        self.send_phase1(id, message);
    }

    pub(crate) fn new_common(
        &mut self,
        role: Role,
        local: SocketAddr,
        remote: SocketAddr,
        cookies: Cookies,
    ) -> Common {
        self.next_sa += 1;
        Common {
            id: SaId(self.next_sa),
            role,
            local,
            remote,
            cookies,
            conn_id: 0,
            created: self.ctx.now,
            policy: None,
            peer_has_dpd: false,
            identity: None,
            connection: None,
            takes_over: None,
            requests: Vec::new(),
            flight: Flight::default(),
            bad_messages: 0,
            provisional_cause: None,
            established: None,
        }
    }

    fn phase1_never_started(&mut self, common: Common, cause: Cause) {
        self.negotiation_failed(&common, Role::Initiator, common.connection, cause);
        // Another peer would fail for the same reason, unless only this one has no key.
        self.try_next_peers(common.requests, common.remote.ip());
    }

    /// Goes on with the next `set peer` of each connection, or gives the wants up when all have
    /// been tried.
    pub(crate) fn try_next_peers(&mut self, requests: Vec<ChildRequest>, failed: IpAddr) {
        let mut by_connection: BTreeMap<ConnectionId, Vec<ChildRequest>> = BTreeMap::new();
        for request in requests {
            by_connection
                .entry(request.connection)
                .or_default()
                .push(request);
        }
        for (id, requests) in by_connection {
            let next = self.next_peer(id, failed);
            for request in requests {
                self.request_lost(request, true);
                if let (Some(next), None) = (next, request.rekeys) {
                    self.request_child(request, Some(next));
                }
            }
        }
    }

    /// Moves a connection on to its next peer; none when every peer has failed in turn.
    fn next_peer(&mut self, id: ConnectionId, failed: IpAddr) -> Option<IpAddr> {
        let connection = self.ctx.config.connection(id)?.clone();
        let session = self.sessions.entry(id).or_default();
        let count = connection.peers.len();
        session.tried += 1;
        if session.tried >= count {
            (session.tried, session.peer) = (0, 0);
            return None;
        }
        let position = connection.peers.iter().position(|peer| *peer == failed);
        session.peer = (position.unwrap_or(session.peer) + 1) % count;
        let to = connection.peers[session.peer];
        let local = connection.local.first().copied().unwrap_or(failed);
        let path = Path {
            local: SocketAddr::new(local, PORT),
            remote: SocketAddr::new(to, PORT),
            conn_id: 0,
        };
        self.ctx.fact(
            path,
            Event::PeerSwitched {
                connection: id,
                from: failed,
                to,
            },
        );
        Some(to)
    }

    /// The peer in use is dead: the next attempt begins with the one after it, or with the default peer.
    pub(crate) fn leave_peer(&mut self, id: ConnectionId, dead: IpAddr) {
        let Some(connection) = self.ctx.config.connection(id) else {
            return;
        };
        if connection.peers.len() > 1 && !connection.default_peer {
            self.next_peer(id, dead);
        }
    }

    /// What waits for quick mode under an SA that goes: another SA with the peer, or a new phase 1, is
    /// to serve it.
    pub(crate) fn move_requests(&mut self, id: SaId) {
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let peer = sa.common.peer();
        let requests = std::mem::take(&mut sa.common.requests);
        self.ask_anew(requests, peer);
    }

    /// Serves what waited for an SA with a peer that is no more.
    pub(crate) fn ask_anew(&mut self, requests: Vec<ChildRequest>, peer: IpAddr) {
        for request in requests {
            // Asked for anew, it is not over: only what cannot be asked for again is.
            let key = (request.connection, request.flow);
            self.busy.remove(&key);
            if !self.request_child(request, Some(peer)) {
                self.busy.insert(key);
                self.request_lost(request, false);
            }
        }
    }

    /// A want is over: its flow may be asked for again.
    pub(crate) fn request_over(&mut self, request: ChildRequest, failed: bool) {
        let (connection, flow) = (request.connection, request.flow);
        if self.busy.remove(&(connection, flow)) {
            self.ctx.outputs.push_back(Output::WantOver {
                connection,
                flow,
                failed,
            });
        }
    }

    /// A want came to nothing: it failed, or it was cut short.
    pub(crate) fn request_lost(&mut self, request: ChildRequest, failed: bool) {
        self.request_over(request, failed);
        if let Some(child) = request.rekeys {
            self.rekey_failed(child);
        }
    }

    /// A want came to nothing in quick mode.
    pub(crate) fn request_failed(
        &mut self,
        id: SaId,
        request: ChildRequest,
        exchange: ExchangeType,
        cause: Cause,
    ) {
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
        let connection = Some(request.connection);
        self.negotiation_failed_on(path, exchange, Role::Initiator, connection, cause);
    }

    /// Keeps and tells the cause of a failed main mode.
    pub(crate) fn negotiation_failed(
        &mut self,
        common: &Common,
        role: Role,
        connection: Option<ConnectionId>,
        cause: Cause,
    ) {
        let exchange = ExchangeType::IDENTITY_PROTECTION;
        let connection = connection.or_else(|| self.connection_of(&cause, common.peer()));
        self.negotiation_failed_on(common.path(), exchange, role, connection, cause);
    }

    /// Keeps and tells the cause of a failed negotiation. Without a known connection it counts for
    /// every connection with the peer.
    pub(crate) fn negotiation_failed_on(
        &mut self,
        path: Path,
        exchange: ExchangeType,
        role: Role,
        connection: Option<ConnectionId>,
        cause: Cause,
    ) {
        let failure = Failure {
            at: self.ctx.now,
            cause: cause.clone(),
        };
        let concerned: Vec<_> = match connection {
            Some(connection) => vec![connection],
            None => {
                let peers = self.ctx.config.with_peer(path.remote.ip());
                peers.map(|connection| connection.id).collect()
            }
        };
        for id in concerned {
            self.sessions.entry(id).or_default().last_failure = Some(failure.clone());
        }
        self.ctx.fact(
            path,
            Event::Failed {
                exchange,
                role,
                connection,
                cause,
            },
        );
    }

    /// The entry that a cause names, else the only one with the peer.
    pub(crate) fn connection_of(&self, cause: &Cause, peer: IpAddr) -> Option<ConnectionId> {
        let named = match cause {
            Cause::NoFlow { map, sequence, .. }
            | Cause::NoCommonTransform { map, sequence, .. }
            | Cause::PfsDiffers { map, sequence, .. }
            | Cause::ChildRefused { map, sequence, .. }
            | Cause::NothingToOffer { map, sequence } => Some((map, *sequence)),
            _ => None,
        };
        let mut entries = self.ctx.config.with_peer(peer);
        match named {
            Some((map, sequence)) => entries
                .find(|connection| connection.map == *map && connection.sequence == sequence)
                .map(|connection| connection.id),
            None => match (entries.next(), entries.next()) {
                (Some(only), None) => Some(only.id),
                _ => None,
            },
        }
    }

    /// A child of the connection is up.
    pub(crate) fn session_succeeded(&mut self, id: ConnectionId, first: bool, path: Path) {
        let connection = self.ctx.config.connection(id).cloned();
        let now = self.ctx.now;
        let session = self.sessions.entry(id).or_default();
        session.tried = 0;
        session.last_failure = None;
        let position = connection.and_then(|connection| {
            connection
                .peers
                .iter()
                .position(|peer| *peer == path.remote.ip())
        });
        session.peer = position.unwrap_or(session.peer);
        if first {
            session.up_since = Some(now);
            let identity = self.identity_of(path);
            self.ctx.fact(
                path,
                Event::SessionUp {
                    connection: id,
                    identity,
                },
            );
        }
    }

    /// A child of the connection went down: was it the last?
    pub(crate) fn session_lost_child(&mut self, id: ConnectionId, path: Path) {
        if self.children.connection_is_up(id) {
            return;
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            session.up_since = None;
        }
        let identity = self.identity_of(path);
        self.ctx.fact(
            path,
            Event::SessionDown {
                connection: id,
                identity,
            },
        );
    }

    fn identity_of(&self, path: Path) -> Option<crate::identity::Identity> {
        let ids = self.by_peer.get(&path.remote.ip())?;
        ids.iter()
            .rev()
            .find_map(|id| self.sas.get(id)?.common.identity.clone())
    }
}
