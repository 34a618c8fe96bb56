//! What a connection has beside its SAs: which of its peers is in use, since when it is up, what failed last.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::cause::Cause;
use crate::child_request::ChildRequest;
use crate::config::{Connection, ConnectionId};
use crate::endpoint::{Endpoint, PORT};
use crate::event::Event;
use crate::id::Path;
use crate::id::PeerId;
use crate::registry::ExchangeType;
use crate::sa::Common;
use crate::status::{Failure, Role};
use crate::time::Instant;

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
    /// The peer that is in use, or that an attempt begins with.
    pub(super) fn peer_to_use(&self, connection: &Connection) -> Option<IpAddr> {
        let first = connection.peers.listed().first()?;
        let in_use = self.sessions.get(&connection.id);
        let in_use = in_use.and_then(|session| connection.peers.listed().get(session.peer));
        let has_sa = |peer: &IpAddr| {
            let mut locals = connection.local.iter();
            locals.any(|local| {
                let usable = self.usable_at(*local, *peer);
                usable
                    .or_else(|| self.promising_at(*local, *peer))
                    .is_some()
            })
        };
        let kept = in_use.filter(|peer| !connection.default_peer || has_sa(peer));
        Some(*kept.unwrap_or(first))
    }

    /// Goes on with the next `set peer` of each connection, or gives the requests up when all have
    /// been tried.
    pub(crate) fn try_next_peers(&mut self, requests: Vec<ChildRequest>, failed: IpAddr) {
        let mut by_connection: BTreeMap<ConnectionId, Vec<ChildRequest>> = BTreeMap::new();
        for request in requests {
            by_connection
                .entry(request.subject.connection)
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
        let peers = connection.peers.listed();
        let count = peers.len();
        session.tried += 1;
        if session.tried >= count {
            (session.tried, session.peer) = (0, 0);
            return None;
        }
        let position = peers.iter().position(|peer| *peer == failed);
        session.peer = (position.unwrap_or(session.peer) + 1) % count;
        let to = peers[session.peer];
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
        if connection.peers.listed().len() > 1 && !connection.default_peer {
            self.next_peer(id, dead);
        }
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
        let connection = connection.or_else(|| self.connection_of(&cause, common.address()));
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
            Cause::NoFlow { origin, .. }
            | Cause::NoCommonTransform { origin, .. }
            | Cause::PfsDiffers { origin, .. }
            | Cause::ChildRefused { origin, .. }
            | Cause::NothingToOffer { origin } => Some(origin),
            _ => None,
        };
        let mut entries = self.ctx.config.with_peer(peer);
        match named {
            Some(origin) => entries
                .find(|connection| connection.origin == *origin)
                .map(|connection| connection.id),
            None => match (entries.next(), entries.next()) {
                (Some(only), None) => Some(only.id),
                _ => None,
            },
        }
    }

    /// True while there is a child of the connection, with this peer where it has many at once.
    pub(super) fn session_is_up(&self, id: ConnectionId, peer: PeerId) -> bool {
        let connection = self.ctx.config.connection(id);
        let open = connection.is_some_and(|connection| connection.peers.are_open());
        self.children.session_is_up(id, open.then_some(peer))
    }

    /// A child of the connection is up.
    pub(crate) fn session_succeeded(
        &mut self,
        id: ConnectionId,
        first: bool,
        peer: PeerId,
        path: Path,
    ) {
        let connection = self.ctx.config.connection(id).cloned();
        let now = self.ctx.now;
        let session = self.sessions.entry(id).or_default();
        session.tried = 0;
        session.last_failure = None;
        let position = connection.and_then(|connection| {
            connection
                .peers
                .listed()
                .iter()
                .position(|peer| *peer == path.remote.ip())
        });
        session.peer = position.unwrap_or(session.peer);
        if first {
            session.up_since = Some(now);
            let identity = self.identity_of(peer);
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
    pub(crate) fn session_lost_child(&mut self, id: ConnectionId, peer: PeerId, path: Path) {
        if self.session_is_up(id, peer) {
            return;
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            session.up_since = None;
        }
        let identity = self.identity_of(peer);
        self.ctx.fact(
            path,
            Event::SessionDown {
                connection: id,
                identity,
            },
        );
    }

    fn identity_of(&self, peer: PeerId) -> Option<crate::identity::Identity> {
        let ids = self.by_peer.get(&peer)?;
        ids.iter()
            .rev()
            .find_map(|id| self.sas.get(id)?.common.identity.clone())
    }
}
