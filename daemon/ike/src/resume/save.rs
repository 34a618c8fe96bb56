//! Takes an endpoint apart into what is saved of it.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use super::v1::SavedV1;
use super::{
    ChildTimers, Clock, IkeTimers, Last, Moment, Saved, SavedChild, SavedIke, SavedSession, Version,
};
use crate::child_request::ChildRequest;
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::endpoint::children::Child;
use crate::id::{PeerId, SaId};
use crate::sa::{Common, State};
use crate::time::Instant;
use crate::timer::{ChildTimer, SaTimer, Timer};
use crate::v1::{self, state};

impl Endpoint {
    /// Ends the endpoint and gives what another one needs to go on with its SAs (`Endpoint::resume`). `wall` is the
    /// wall-clock time, in milliseconds since 1970. Every output must have been taken and carried out: what is saved says
    /// what is in the kernel.
    pub fn save(self, now: Instant, wall: u64) -> Saved {
        let Self {
            ctx,
            sas,
            children,
            sessions,
            peers,
            next_sa,
            next_child_conn_id,
            ..
        } = self;
        debug_assert!(ctx.outputs.is_empty());
        let (peers, last_peer) = peers.take_apart();
        let last = Last {
            peer: last_peer,
            sa: next_sa,
            child: children.last_id(),
            conn_id: ctx.next_conn_id,
            child_conn_id: next_child_conn_id,
        };
        let mut saver = Saver {
            clock: Clock(now),
            ctx,
            requests: Vec::new(),
            being_rekeyed: HashSet::new(),
        };
        let mut sas_left = Vec::new();
        for (_, mut sa) in sas {
            let peer = sa.common.address();
            let requests = std::mem::take(&mut sa.common.requests);
            saver.wish(requests, peer);
            if sa.is_half_open() {
                saver.being_rekeyed.extend(sa.common.takes_over);
            }
            if let State::V1(v1) = sa.state {
                sas_left.push((sa.common, v1));
            }
        }
        let ike = sas_left.into_iter();
        let ike = ike.filter_map(|(common, sa)| saver.ike(common, sa));
        let ike = ike.collect();
        let children = children.into_iter().map(|child| saver.child(child));
        let children = children.collect();
        let sessions = sessions.into_iter().map(|(id, session)| {
            let connection = saver.ctx.config.connection(id);
            SavedSession {
                connection: id,
                peer: connection.and_then(|c| c.peers.listed().get(session.peer).copied()),
                tried: session.tried,
                up_since: session.up_since.map(|at| saver.clock.moment(at)),
                last_failure: session
                    .last_failure
                    .map(|failure| (saver.clock.moment(failure.at), failure.cause)),
            }
        });
        let mut sessions: Vec<_> = sessions.collect();
        sessions.sort_by_key(|session| session.connection);
        Saved {
            wall,
            peers,
            ike,
            children,
            sessions,
            restores: saver.restores(),
            requests: saver.requests,
            last,
        }
    }
}

struct Saver {
    clock: Clock,
    ctx: Context,
    requests: Vec<(ChildRequest, IpAddr)>,
    /// ISAKMP SAs that a negotiation, which is not saved, was to replace
    being_rekeyed: HashSet<SaId>,
}

impl Saver {
    fn wish(&mut self, requests: impl IntoIterator<Item = ChildRequest>, peer: IpAddr) {
        self.requests
            .extend(requests.into_iter().map(|request| (request, peer)));
    }

    fn due(&self, timer: Timer) -> Option<Moment> {
        let at = self.ctx.timers.due(timer)?;
        Some(self.clock.moment(at))
    }

    fn ike(&mut self, common: Common, sa: v1::Sa) -> Option<SavedIke> {
        let (id, clock) = (common.id, self.clock);
        let state::State::Established(live) = sa.state else {
            return None;
        };
        let life = live.life;
        let due = |timer| self.due(Timer::Sa(id, timer));
        let rekey = match self.being_rekeyed.contains(&id) {
            true => Some(clock.moment(clock.0)),
            false => due(SaTimer::Rekey),
        };
        let timers = IkeTimers {
            rekey,
            retire: due(SaTimer::Retire),
            deleted: due(SaTimer::Deleted),
            keepalive: due(SaTimer::Keepalive),
            tell_untold: due(SaTimer::TellUntold),
        };
        let (saved, requests) = SavedV1::save(sa.flight, *live, clock, due);
        self.wish(requests, common.address());
        Some(SavedIke {
            id,
            peer: common.peer,
            role: common.role,
            local: common.local,
            remote: common.remote,
            cookies: common.cookies,
            conn_id: common.conn_id,
            created: clock.moment(common.created),
            established: clock.moment(common.established.unwrap_or(common.created)),
            peer_has_dpd: common.peer_has_dpd,
            identity: common.identity,
            connection: common.connection,
            expires: clock.moment(life.expires),
            heard: clock.moment(life.heard),
            replacement: life.replacement,
            timers,
            version: Version::V1(Box::new(saved)),
        })
    }

    fn child(&self, child: Child) -> SavedChild {
        let (id, clock) = (child.sa.id, self.clock);
        let due = |timer| self.due(Timer::Child(id, timer));
        SavedChild {
            sa: child.sa,
            phase: child.phase.map(|at| clock.moment(at)),
            peer: child.peer,
            role: child.role,
            local: child.local,
            remote: child.remote,
            ike_conn_id: child.ike_conn_id,
            conn_id: child.conn_id,
            exchange: child.exchange,
            rival: child.rival,
            expires: clock.moment(child.expires),
            traffic: child.traffic,
            heard: clock.moment(child.heard),
            doubt: child.doubt.map(|doubt| doubt.map(|at| clock.moment(at))),
            losses: child.losses,
            timers: ChildTimers {
                rekey: due(ChildTimer::Rekey),
                retire: due(ChildTimer::Retire),
                activate: due(ChildTimer::Activate),
            },
        }
    }

    fn restores(&self) -> Vec<(PeerId, SocketAddr, SocketAddr, Moment)> {
        let pending = self.ctx.timers.pending();
        let restores = pending.filter_map(|(at, timer)| match timer {
            Timer::RestoreIke(peer, local, remote) => {
                Some((peer, local, remote, self.clock.moment(at)))
            }
            _ => None,
        });
        restores.collect()
    }
}
