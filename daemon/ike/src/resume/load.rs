//! Goes on with what was saved.

use std::time::Duration;

use super::{Clock, ResumeError, Saved, SavedChild, SavedIke, SavedSession, Spis, Version};
use crate::endpoint::Endpoint;
use crate::endpoint::children::Child;
use crate::endpoint::connection::Session;
use crate::endpoint::peers::Peers;
use crate::endpoint::watch::Doubt;
use crate::sa::{Common, IkeSa, Life, State};
use crate::status::Failure;
use crate::task::Task;
use crate::time::Instant;
use crate::timer::{ChildTimer, SaTimer, Timer};

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
            peers,
            ike,
            children,
            sessions,
            requests,
            restores,
            last,
            ..
        } = saved;
        self.peers = Peers::put_together(peers, last.peer);
        self.next_sa = last.sa;
        self.children.go_on_after(last.child);
        self.ctx.next_conn_id = last.conn_id;
        self.next_child_conn_id = last.child_conn_id;
        let mut given_up = Vec::new();
        for ike in ike {
            let id = ike.id;
            let gone = self.resume_ike(clock, ike);
            given_up.extend(gone.into_iter().map(|gone| (id, gone)));
        }
        for child in children {
            self.resume_child(clock, child);
        }
        for session in sessions {
            self.resume_session(clock, session);
        }
        for (peer, local, remote, at) in restores {
            let timer = Timer::RestoreIke(peer, local, remote);
            self.ctx.timers.set(clock.instant(at), timer);
        }
        self.take_down_undescribed();
        // What has expired meanwhile is no use for what follows.
        self.timeout(now);
        for (id, (message_id, inbound)) in given_up {
            self.give(id, Task::TakeBack(message_id, inbound));
        }
        for (request, peer) in requests {
            self.ask_anew(vec![request], peer);
        }
        self.schedule_missing_keepalives();
        self.restore_orphans();
        Ok(())
    }

    /// Gives the quick modes of the SA that are not there any more.
    fn resume_ike(&mut self, clock: Clock, saved: SavedIke) -> Vec<(u32, Spis)> {
        let at = |moment| clock.instant(moment);
        let id = saved.id;
        let Version::V1(v1) = saved.version;
        let policy = v1.policy();
        let whole = Duration::from_secs(policy.lifetime.into());
        let expires = at(saved.expires).min(self.ctx.now + whole);
        let life = Life {
            expires,
            replacement: saved.replacement,
            heard: at(saved.heard),
        };
        let loaded = v1.load(life, clock);
        let timers = [
            (Some(expires), SaTimer::Expire),
            (saved.timers.rekey.map(at), SaTimer::Rekey),
            (saved.timers.retire.map(at), SaTimer::Retire),
            (saved.timers.deleted.map(at), SaTimer::Deleted),
            (saved.timers.keepalive.map(at), SaTimer::Keepalive),
            (saved.timers.tell_untold.map(at), SaTimer::TellUntold),
        ];
        for (due, timer) in timers {
            self.set_resumed(due, Timer::Sa(id, timer));
        }
        for (timer, due) in loaded.timers {
            self.set_resumed(Some(due), Timer::Sa(id, timer));
        }
        let common = Common {
            id,
            peer: saved.peer,
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
            provisional_cause: None,
            established: Some(at(saved.established)),
        };
        let state = State::V1(loaded.sa);
        self.insert_sa(IkeSa { common, state });
        self.gate.half_open.over(id);
        loaded.given_up
    }

    fn resume_child(&mut self, clock: Clock, saved: SavedChild) {
        let at = |moment| clock.instant(moment);
        let id = saved.sa.id;
        let expires = at(saved.expires).min(self.ctx.now + saved.sa.lifetime.hard);
        let timers = [
            (Some(expires), ChildTimer::Expire),
            (saved.timers.rekey.map(at), ChildTimer::Rekey),
            (saved.timers.retire.map(at), ChildTimer::Retire),
            (saved.timers.activate.map(at), ChildTimer::Activate),
        ];
        for (due, timer) in timers {
            self.set_resumed(due, Timer::Child(id, timer));
        }
        let phase = saved.phase.map(at);
        let mut doubt = saved.doubt.map(|doubt| doubt.map(at));
        if phase.is_active() {
            doubt = Doubt::of_a_resumed_child(self.ctx.now, saved.losses, doubt);
        }
        self.children.insert(Child {
            sa: saved.sa,
            phase,
            peer: saved.peer,
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
            doubt,
            losses: saved.losses,
            volume_unread: true,
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
        let place = |peer| {
            connection
                .peers
                .listed()
                .iter()
                .position(|other| *other == peer)
        };
        let peer = saved.peer.and_then(place);
        let session = Session {
            peer: peer.unwrap_or(0),
            tried: peer.map_or(0, |_| saved.tried.min(connection.peers.listed().len())),
            up_since: saved.up_since.map(|at| clock.instant(at)),
            last_failure: saved.last_failure.map(|(at, cause)| Failure {
                at: clock.instant(at),
                cause,
            }),
        };
        self.sessions.insert(saved.connection, session);
    }
}
