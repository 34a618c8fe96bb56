//! Goes on with what was saved.

use std::net::IpAddr;
use std::time::Duration;

use super::{Clock, ResumeError, Saved, SavedChild, SavedIke, SavedSession, Spis};
use crate::child_request::ChildRequest;
use crate::endpoint::children::Child;
use crate::endpoint::connection::Session;
use crate::endpoint::{ANSWER_TIME, Endpoint};
use crate::id::SaId;
use crate::sa::Common;
use crate::status::Failure;
use crate::time::Instant;
use crate::timer::Timer;
use crate::v1::live::{GivenUp, Live};
use crate::v1::quick_mode::states::{Quick, QuickState};
use crate::v1::state::{IkeSa, State};

impl Endpoint {
    /// Goes on with the SAs of an endpoint that was saved, `wall` being the wall-clock time in milliseconds since 1970: of
    /// every lifetime is left what was left, less the time since. A clock that was set back counts as no time. To be called
    /// after `set_config` and before anything else; what the configuration does not describe any more is taken down, as
    /// `set_config` does.
    ///
    /// # Errors
    /// [`ResumeError::Damaged`] if no endpoint can have saved this, [`ResumeError::InUse`] if this one has SAs already. It is
    /// left as it was.
    pub fn resume(&mut self, now: Instant, wall: u64, saved: Saved) -> Result<(), ResumeError> {
        saved.check()?;
        if self.next_sa != 0 || self.children.last_id() != 0 {
            return Err(ResumeError::InUse);
        }
        self.ctx.now = now;
        let clock = Clock(now - Duration::from_millis(wall.saturating_sub(saved.wall)));
        let Saved {
            ike,
            children,
            sessions,
            requests,
            untold,
            restores,
            last,
            ..
        } = saved;
        self.next_sa = last.sa;
        self.children.go_on_after(last.child);
        self.ctx.next_conn_id = last.conn_id;
        self.next_child_conn_id = last.child_conn_id;
        let mut given_up = Vec::new();
        for mut ike in ike {
            let gone = std::mem::take(&mut ike.given_up);
            given_up.extend(gone.into_iter().map(|gone| (ike.id, gone)));
            self.resume_ike(clock, ike);
        }
        for child in children {
            self.resume_child(clock, child);
        }
        for session in sessions {
            self.resume_session(clock, session);
        }
        self.untold = untold.into_iter().collect();
        for (local, remote, at) in restores {
            let timer = Timer::RestoreIke(local, remote);
            self.ctx.timers.set(clock.instant(at), timer);
        }
        self.take_down_undescribed();
        // What has expired meanwhile is no use for what follows.
        self.timeout(now);
        for (id, (message_id, inbound)) in given_up {
            self.take_back(id, message_id, inbound);
        }
        self.ask_anew_for_all(requests);
        self.schedule_missing_keepalives();
        self.restore_orphans();
        Ok(())
    }

    fn resume_ike(&mut self, clock: Clock, saved: SavedIke) {
        let at = |moment| clock.instant(moment);
        let id = saved.id;
        let policy = saved.sa.policy;
        let whole = Duration::from_secs(policy.lifetime.into());
        let expires = at(saved.expires).min(self.ctx.now + whole);
        let timers = [
            (Some(expires), Timer::ExpireIke(id)),
            (saved.timers.rekey.map(at), Timer::RekeyIke(id)),
            (saved.timers.retire.map(at), Timer::RetireIke(id)),
            (saved.timers.deleted.map(at), Timer::DeletedIke(id)),
            (saved.timers.keepalive.map(at), Timer::Keepalive(id)),
            (saved.timers.tell_untold.map(at), Timer::TellUntold(id)),
        ];
        for (due, timer) in timers {
            self.set_resumed(due, timer);
        }
        let mut live = Live {
            sa: saved.sa,
            expires,
            quick: Default::default(),
            settling: Vec::new(),
            answered: Default::default(),
            given_up: Default::default(),
            ids: saved.ids,
            dpd: saved.dpd.resumed(),
            replacement: saved.replacement,
            heard: at(saved.heard),
        };
        for quick in saved.unconfirmed {
            let (message_id, began) = (quick.message_id, at(quick.began));
            let timer = Timer::Retransmit(id, message_id);
            self.set_resumed(quick.retransmit.map(at), timer);
            let quick = Quick {
                state: QuickState::AwaitsConfirmation(Box::new(quick.state)),
                flight: quick.flight,
                began,
            };
            live.quick.insert(message_id, quick);
        }
        for (message_id, flight, until) in saved.answered {
            let timer = Timer::ForgetAnswer(id, message_id);
            self.set_resumed(Some(at(until)), timer);
            live.answered.insert(message_id, flight);
        }
        let common = Common {
            id,
            role: saved.role,
            local: saved.local,
            remote: saved.remote,
            cookies: saved.cookies,
            conn_id: saved.conn_id,
            created: at(saved.created),
            policy: Some(policy),
            peer_has_dpd: saved.peer_has_dpd,
            identity: saved.identity,
            connection: saved.connection,
            takes_over: None,
            requests: Vec::new(),
            flight: saved.flight,
            bad_messages: 0,
            provisional_cause: None,
            established: Some(at(saved.established)),
        };
        let state = State::Established(Box::new(live));
        self.insert_sa(IkeSa { common, state });
        self.gate.half_open.over(id);
    }

    fn resume_child(&mut self, clock: Clock, saved: SavedChild) {
        let at = |moment| clock.instant(moment);
        let id = saved.sa.id;
        let expires = at(saved.expires).min(self.ctx.now + saved.sa.lifetime.hard);
        let timers = [
            (Some(expires), Timer::ExpireChild(id)),
            (saved.timers.rekey.map(at), Timer::RekeyChild(id)),
            (saved.timers.retire.map(at), Timer::RetireChild(id)),
            (saved.timers.activate.map(at), Timer::ActivateChild(id)),
        ];
        for (due, timer) in timers {
            self.set_resumed(due, timer);
        }
        self.children.insert(Child {
            sa: saved.sa,
            phase: saved.phase.map(at),
            role: saved.role,
            local: saved.local,
            remote: saved.remote,
            ike_conn_id: saved.ike_conn_id,
            conn_id: saved.conn_id,
            exchange: saved.exchange,
            rival: saved.rival,
            expires,
            traffic: saved.traffic,
            heard: at(saved.heard),
            doubt: saved.doubt.map(|doubt| doubt.map(at)),
            losses: saved.losses,
        });
    }

    fn set_resumed(&mut self, due: Option<Instant>, timer: Timer) {
        if let Some(due) = due {
            self.ctx.timers.set(due, timer);
        }
    }

    /// A connection that is not configured any more has no session.
    fn resume_session(&mut self, clock: Clock, saved: SavedSession) {
        let Some(connection) = self.ctx.config.connection(saved.connection) else {
            return;
        };
        let place = |peer| connection.peers.iter().position(|other| *other == peer);
        let peer = saved.peer.and_then(place);
        let session = Session {
            peer: peer.unwrap_or(0),
            tried: peer.map_or(0, |_| saved.tried.min(connection.peers.len())),
            up_since: saved.up_since.map(|at| clock.instant(at)),
            last_failure: saved.last_failure.map(|(at, cause)| Failure {
                at: clock.instant(at),
                cause,
            }),
        };
        self.sessions.insert(saved.connection, session);
    }

    /// The peer may have answered a quick mode of ours that is not there any more: it is told that we do not receive under
    /// what we offered, now and when it repeats its answer.
    fn take_back(&mut self, id: SaId, message_id: u32, inbound: Spis) {
        let Some((_, live)) = self.sas.get_mut(&id).and_then(IkeSa::live_mut) else {
            return;
        };
        live.given_up
            .insert(message_id, GivenUp::new(inbound.clone()));
        let until = self.ctx.now + ANSWER_TIME;
        let timer = Timer::ForgetAnswer(id, message_id);
        self.ctx.timers.set(until, timer);
        self.send_deletes(id, inbound);
    }

    fn ask_anew_for_all(&mut self, requests: Vec<(ChildRequest, IpAddr)>) {
        for (request, peer) in requests {
            self.ask_anew(vec![request], peer);
        }
    }
}
