//! Snapshots for the `show` screens.

use crate::child::ChildId;
use crate::config::ConnectionId;
use crate::endpoint::Endpoint;
use crate::endpoint::children::Child;
use crate::id::SaId;
use crate::sa::IkeSa;
use crate::status::{
    ChildStatus, ChildSummary, ConnectionStatus, IkeSaStatus, ProtocolSummary, SessionState,
};
use crate::time::Instant;

impl Endpoint {
    /// Every ISAKMP SA, oldest first, those lately deleted too.
    pub fn ike_sas(&self, now: Instant) -> Vec<IkeSaStatus> {
        self.sas
            .values()
            .map(|sa| self.ike_status(sa, now))
            .collect()
    }

    /// At most `count` ISAKMP SAs, oldest first, from number `from` on, and the number to go on with while there are more:
    /// for those who must not take ten thousand at once.
    pub fn ike_sas_from(
        &self,
        from: u64,
        count: usize,
        now: Instant,
    ) -> (Vec<IkeSaStatus>, Option<u64>) {
        let mut rest = self.sas.range(SaId(from)..);
        let part = rest.by_ref().take(count);
        let part = part.map(|(_, sa)| self.ike_status(sa, now)).collect();
        (part, rest.next().map(|(id, _)| id.0))
    }

    fn ike_status(&self, sa: &IkeSa, now: Instant) -> IkeSaStatus {
        let common = &sa.common;
        IkeSaStatus {
            conn_id: common.conn_id,
            role: common.role,
            local: common.local,
            remote: common.remote,
            state: sa.word(),
            deleted: sa.is_deleted(),
            policy: common.policy,
            remaining: sa.life().map(|life| life.expires.since(now)),
            dpd: common.peer_has_dpd,
            peer_identity: common.identity.clone(),
            initiator_cookie: common.cookies.initiator.0,
            responder_cookie: common.cookies.responder.0,
            created: common.created,
            connections: self.served(sa),
        }
    }

    /// The entries that an ISAKMP SA serves.
    fn served(&self, sa: &IkeSa) -> Vec<ConnectionId> {
        let common = &sa.common;
        let requests = common
            .requests
            .iter()
            .map(|request| request.subject.connection);
        let mut ids: Vec<_> = common.connection.into_iter().chain(requests).collect();
        if sa.is_established() {
            ids.extend(sa.asked().into_iter().map(|(_, asked)| asked.connection));
            let children = self.children.of_peer(common.peer).into_iter();
            ids.extend(
                children
                    .filter_map(|id| self.children.get(id))
                    .filter(|child| child.sa.local == common.local.ip())
                    .map(|child| child.sa.connection),
            );
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Every child that is up, oldest first.
    pub fn children(&self, now: Instant) -> Vec<ChildStatus> {
        self.children
            .iter()
            .filter_map(|child| child_status(child, now))
            .collect()
    }

    /// One child, if it is up.
    pub fn child(&self, id: ChildId, now: Instant) -> Option<ChildStatus> {
        child_status(self.children.get(id)?, now)
    }

    /// Every child of one connection that is up, oldest first.
    pub fn children_of(&self, connection: ConnectionId, now: Instant) -> Vec<ChildStatus> {
        let ids = self.children.of_connection(connection).into_iter();
        ids.filter_map(|id| child_status(self.children.get(id)?, now))
            .collect()
    }

    /// One connection; none when the configuration does not have it.
    pub fn connection_status(&self, id: ConnectionId) -> Option<ConnectionStatus> {
        let connection = self.ctx.config.connection(id)?;
        let session = self.sessions.get(&id);
        let in_use = session.map_or(0, |session| session.peer);
        let child = self
            .children
            .of_connection(id)
            .into_iter()
            .find_map(|child| {
                self.children
                    .get(child)
                    .filter(|child| child.phase.up().is_some())
            });
        let peer =
            child
                .map(|child| child.sa.remote)
                .or(connection.peers.listed().get(in_use).copied());
        let mut established = false;
        let mut negotiating = false;
        let ids = peer
            .and_then(|peer| self.by_address.get(&peer))
            .into_iter()
            .flatten();
        for sa in ids.filter_map(|id| self.sas.get(id)) {
            if connection.local.contains(&sa.common.local.ip()) {
                established |= sa.is_established();
                negotiating |= sa.is_half_open();
            }
        }
        let state = match (child.is_some(), established, negotiating) {
            (true, true, _) => SessionState::UpActive,
            (true, false, _) => SessionState::UpNoIke,
            (false, true, _) => SessionState::UpIdle,
            (false, false, true) => SessionState::DownNegotiating,
            (false, false, false) => SessionState::Down,
        };
        Some(ConnectionStatus {
            connection: id,
            peer,
            state,
            up_since: session.and_then(|session| session.up_since),
            last_failure: session.and_then(|session| session.last_failure.clone()),
        })
    }
}

fn child_status(child: &Child, now: Instant) -> Option<ChildStatus> {
    let sa = &child.sa;
    let protocols = sa.protocols.iter().map(|part| ProtocolSummary {
        protocol: part.protocol,
        inbound_spi: part.inbound_spi,
        outbound_spi: part.outbound_spi,
        cipher: part.cipher,
        integrity: part.integrity,
    });
    Some(ChildStatus {
        id: sa.id,
        conn_id: child.conn_id,
        connection: sa.connection,
        flow: sa.flow,
        sa: ChildSummary {
            local: sa.local,
            remote: sa.remote,
            mode: sa.mode,
            local_selector: sa.local_selector,
            remote_selector: sa.remote_selector,
            protocols: protocols.collect(),
            lifetime: sa.lifetime,
            replay_window: sa.replay_window,
            pfs: sa.pfs,
        },
        installed: child.phase.up()?,
        remaining: child.expires.since(now),
        replaced: !child.is_current(),
        ike_conn_id: child.ike_conn_id,
    })
}
