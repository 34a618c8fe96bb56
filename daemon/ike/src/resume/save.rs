//! Takes an endpoint apart into what is saved of it.

use std::collections::HashSet;
use std::net::IpAddr;

use super::{
    ChildTimers, Clock, IkeTimers, Last, Moment, Saved, SavedChild, SavedIke, SavedQuick,
    SavedSession, Spis,
};
use crate::algorithm::IpsecProtocol;
use crate::child_request::ChildRequest;
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::endpoint::children::Child;
use crate::id::SaId;
use crate::registry::ProtocolId;
use crate::sa::Common;
use crate::time::Instant;
use crate::timer::Timer;
use crate::v1::live::Live;
use crate::v1::quick_mode::states::{AwaitsAnswer, QuickState};
use crate::v1::state::State;

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
            untold,
            next_sa,
            next_child_conn_id,
            ..
        } = self;
        debug_assert!(ctx.outputs.is_empty());
        let last = Last {
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
        let mut established = Vec::new();
        for (_, mut sa) in sas {
            let peer = sa.common.peer();
            let requests = std::mem::take(&mut sa.common.requests);
            saver.wish(requests, peer);
            match sa.state {
                State::Established(live) => established.push((sa.common, live)),
                State::Deleted => {}
                _ => saver.being_rekeyed.extend(sa.common.takes_over),
            }
        }
        let ike = established.into_iter();
        let ike = ike.map(|(common, live)| saver.ike(common, *live)).collect();
        let children = children.into_iter().map(|child| saver.child(child));
        let children = children.collect();
        let sessions = sessions.into_iter().map(|(id, session)| {
            let connection = saver.ctx.config.connection(id);
            SavedSession {
                connection: id,
                peer: connection.and_then(|c| c.peers.get(session.peer).copied()),
                tried: session.tried,
                up_since: session.up_since.map(|at| saver.clock.moment(at)),
                last_failure: session
                    .last_failure
                    .map(|failure| (saver.clock.moment(failure.at), failure.cause)),
            }
        });
        Saved {
            wall,
            ike,
            children,
            sessions: sessions.collect(),
            untold: untold.into_iter().collect(),
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

    fn ike(&mut self, common: Common, live: Live) -> SavedIke {
        let (id, peer, clock) = (common.id, common.peer(), self.clock);
        let mut given_up: Vec<_> = live
            .given_up
            .into_iter()
            .map(|(message_id, given_up)| (message_id, given_up.inbound))
            .collect();
        let mut unconfirmed = Vec::new();
        for (message_id, quick) in live.quick {
            match quick.state {
                QuickState::AwaitsAnswer(state) => {
                    given_up.push((message_id, inbound(&state)));
                    self.wish([state.request], peer);
                }
                QuickState::AwaitsConfirmation(state) => unconfirmed.push(SavedQuick {
                    message_id,
                    state: *state,
                    flight: quick.flight,
                    began: clock.moment(quick.began),
                    retransmit: self.due(Timer::Retransmit(id, message_id)),
                }),
            }
        }
        let answered = live
            .answered
            .into_iter()
            .filter_map(|(message_id, flight)| {
                let until = self.due(Timer::ForgetAnswer(id, message_id))?;
                Some((message_id, flight, until))
            });
        let answered = answered.collect();
        let rekey = match self.being_rekeyed.contains(&id) {
            true => Some(clock.moment(clock.0)),
            false => self.due(Timer::RekeyIke(id)),
        };
        let timers = IkeTimers {
            rekey,
            retire: self.due(Timer::RetireIke(id)),
            deleted: self.due(Timer::DeletedIke(id)),
            keepalive: self.due(Timer::Keepalive(id)),
            tell_untold: self.due(Timer::TellUntold(id)),
        };
        SavedIke {
            id,
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
            flight: common.flight,
            sa: live.sa,
            expires: clock.moment(live.expires),
            heard: clock.moment(live.heard),
            ids: live.ids,
            dpd: live.dpd,
            replacement: live.replacement,
            unconfirmed,
            answered,
            given_up,
            timers,
        }
    }

    fn child(&self, child: Child) -> SavedChild {
        let (id, clock) = (child.sa.id, self.clock);
        SavedChild {
            sa: child.sa,
            phase: child.phase.map(|at| clock.moment(at)),
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
                rekey: self.due(Timer::RekeyChild(id)),
                retire: self.due(Timer::RetireChild(id)),
                activate: self.due(Timer::ActivateChild(id)),
            },
        }
    }

    fn restores(&self) -> Vec<(std::net::SocketAddr, std::net::SocketAddr, Moment)> {
        let pending = self.ctx.timers.pending();
        let restores = pending.filter_map(|(at, timer)| match timer {
            Timer::RestoreIke(local, remote) => Some((local, remote, self.clock.moment(at))),
            _ => None,
        });
        restores.collect()
    }
}

/// What we would have received under, had the peer's answer come.
fn inbound(state: &AwaitsAnswer) -> Spis {
    let offers = |protocol| {
        state.offered.iter().any(|set| match protocol {
            IpsecProtocol::Ah => set.ah.is_some(),
            IpsecProtocol::Esp => set.esp.is_some(),
        })
    };
    let both = [
        (IpsecProtocol::Esp, ProtocolId::ESP),
        (IpsecProtocol::Ah, ProtocolId::AH),
    ];
    let offered = both.into_iter().filter(|(protocol, _)| offers(*protocol));
    let spis = offered.map(|(protocol, number)| (number, state.own.for_protocol(protocol)));
    spis.collect()
}
