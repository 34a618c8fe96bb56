//! The life of an ISAKMP SA: up, failed, repeated, rekeyed, replaced, expired, dead.

use std::net::IpAddr;
use std::time::Duration;

use crate::cause::{Blame, Cause, Phase};
use crate::endpoint::{Endpoint, RETRANSMITS, retransmit_after};
use crate::event::{DownReason, Event, ExchangeState, Input};
use crate::id::SaId;
use crate::offer::PolicyOffer;
use crate::registry::ExchangeType;
use crate::sa::Replacement;
use crate::status::Role;
use crate::timer::Timer;
use crate::v1::dpd::Dpd;
use crate::v1::live::Live;
use crate::v1::main_mode::Up;
use crate::v1::quick_mode::states::QuickState;
use crate::v1::state::{IkeSa, State};

/// How long a deleted SA is shown.
const SHOWN: Duration = Duration::from_secs(60);

/// How long a replaced SA stays for what the peer still sends under it.
const GRACE: Duration = Duration::from_secs(15);

/// How long an SA that the peer deleted can still read what it sent before.
const STRAGGLERS: Duration = Duration::from_millis(500);

/// How long a peer that does not answer a quick mode must have been silent altogether, to have lost the
/// ISAKMP SA. Shorter than all repeats of a message take.
const SILENCE: Duration = Duration::from_secs(20);

/// Wait before the next attempt to rekey.
const RETRY: Duration = Duration::from_secs(15);

impl Endpoint {
    /// True when we have no other SA with the peer, so that INITIAL-CONTACT is right to send
    /// (RFC 2407 4.6.3.3).
    pub(crate) fn is_lonely(&self, id: SaId) -> bool {
        let Some(sa) = self.sas.get(&id) else {
            return false;
        };
        let peer = sa.common.peer();
        let others = self.by_peer.get(&peer).into_iter().flatten();
        let mut established = others
            .filter(|other| **other != id)
            .filter(|other| self.sas.get(other).is_some_and(|sa| sa.live().is_some()));
        established.next().is_none() && !self.children.has_peer(peer)
    }

    /// Phase 1 is done.
    pub(crate) fn phase1_up(&mut self, id: SaId, up: Up) {
        let now = self.ctx.now;
        let dpd = Dpd::new(u32::from_be_bytes(self.ctx.random_bytes()));
        let secret = u64::from_be_bytes(self.ctx.random_bytes());
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let policy = up.established.policy;
        let life = Duration::from_secs(policy.lifetime.into());
        let common = &mut sa.common;
        common.identity = Some(up.identity.clone());
        common.established = Some(now);
        common.provisional_cause = None;
        let (role, path) = (common.role, common.path());
        let live = Live::new(up.established, now, now + life, dpd, secret);
        sa.state = State::Established(Box::new(live));
        self.gate.half_open.over(id);
        if let Some(proposals) = &up.proposals {
            self.gate.stateless.proved(path.remote.ip(), proposals);
        }
        self.ctx.timers.cancel(Timer::HalfOpen(id));
        self.ctx.timers.set(now + life, Timer::ExpireIke(id));
        let margin = self.ike_margin(life, role);
        self.ctx
            .timers
            .set(now + (life - margin), Timer::RekeyIke(id));
        if up.initial_contact {
            self.initial_contact(id);
        }
        let rekey = self.settle_ike_rivals(id);
        let identity = up.identity;
        self.ctx.fact(
            path,
            Event::IkeUp {
                role,
                identity,
                policy,
                rekey,
            },
        );
        self.schedule_keepalive(id);
        match role {
            Role::Initiator => self.tell_untold(id),
            // Not before message 6 has arrived: it is on its way.
            Role::Responder => self.ctx.timers.set(now + STRAGGLERS, Timer::TellUntold(id)),
        }
        self.start_requests(id);
        self.bound_ike_sas(id);
    }

    /// How long before the end the next phase 1 starts; the initiator is the earlier of the two.
    fn ike_margin(&mut self, life: Duration, role: Role) -> Duration {
        let life = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
        let widest = (life / 10).clamp(20_000, 180_000).min(life / 3);
        let margin = match role {
            Role::Initiator => widest - self.ctx.random_below(widest / 4),
            Role::Responder => widest / 2 - self.ctx.random_below(widest / 8),
        };
        Duration::from_millis(margin)
    }

    /// Starts the quick modes that waited for this SA, and for others with the same peer.
    fn start_requests(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (local, peer) = (sa.common.local.ip(), sa.common.peer());
        let mut requests = Vec::new();
        let ids = self.by_peer.get(&peer).cloned().unwrap_or_default();
        for other in ids {
            let Some(sa) = self.sas.get_mut(&other) else {
                continue;
            };
            let waits = other == id || sa.state.is_half_open() || sa.live().is_none();
            if waits && sa.common.local.ip() == local {
                requests.append(&mut sa.common.requests);
                // An attempt of ours that nobody needs any more and the peer has not answered.
                if other != id && matches!(sa.state, State::AwaitsChoice(_)) {
                    self.remove_quietly(other);
                }
            }
        }
        for request in requests {
            self.start_quick(id, request);
        }
    }

    /// Ends a negotiation without a word.
    pub(crate) fn remove_quietly(&mut self, id: SaId) {
        self.unlist_sa(id);
        self.cancel_ike_timers(id);
        self.gate.half_open.over(id);
        self.sas.remove(&id);
    }

    /// Settles which SA between two addresses goes on, as `settle_rivals` does for children. True
    /// when it takes the place of another.
    fn settle_ike_rivals(&mut self, id: SaId) -> bool {
        let Some(new) = self.sas.get(&id) else {
            return false;
        };
        let (local, remote) = (new.common.local.ip(), new.common.peer());
        let (role, rank) = (new.common.role, new.common.cookies.initiator);
        let takes_over = new.common.takes_over;
        let mut replaced = false;
        for other in self.by_peer.get(&remote).cloned().unwrap_or_default() {
            let Some(old) = self.sas.get(&other) else {
                continue;
            };
            let current = old
                .live()
                .is_some_and(|live| live.replacement == Replacement::Current);
            if other == id || old.common.local.ip() != local || !current {
                continue;
            }
            let outranked = old.common.cookies.initiator < rank;
            match (role, old.common.role) {
                _ if takes_over == Some(other) => self.retire_ike_later(other),
                (Role::Initiator, Role::Responder) if !outranked => {
                    self.retire_ike_later(id);
                    continue;
                }
                (Role::Responder, Role::Initiator) if outranked => self.retire_ike_later(other),
                _ => self.supersede_ike(other),
            }
            replaced = true;
        }
        replaced
    }

    /// Leaves the end of an SA to the peer, or to its lifetime.
    fn supersede_ike(&mut self, id: SaId) {
        let Some((_, live)) = self.sas.get_mut(&id).and_then(IkeSa::live_mut) else {
            return;
        };
        live.replacement = Replacement::Superseded;
        self.ctx.timers.cancel(Timer::RekeyIke(id));
        self.ctx.timers.cancel(Timer::Keepalive(id));
    }

    /// When the SA with a peer went, one whose place it had taken steps in again, even one that we
    /// were about to delete.
    fn reinstate_ike(&mut self, local: IpAddr, peer: IpAddr) {
        let Some(id) = self.usable_sa(local, peer) else {
            return;
        };
        let now = self.ctx.now;
        let Some((common, live)) = self.sas.get_mut(&id).and_then(IkeSa::live_mut) else {
            return;
        };
        if !matches!(
            live.replacement,
            Replacement::Superseded | Replacement::Retiring
        ) {
            return;
        }
        live.replacement = Replacement::Current;
        let (left, role) = (live.expires.since(now), common.role);
        let margin = self.ike_margin(left, role);
        self.ctx.timers.cancel(Timer::RetireIke(id));
        self.ctx
            .timers
            .set(now + (left - margin), Timer::RekeyIke(id));
        self.schedule_keepalive(id);
    }

    fn retire_ike_later(&mut self, id: SaId) {
        let at = self.ctx.now + GRACE;
        let Some((_, live)) = self.sas.get_mut(&id).and_then(IkeSa::live_mut) else {
            return;
        };
        live.replacement = Replacement::Retiring;
        self.ctx.timers.cancel(Timer::RekeyIke(id));
        self.ctx.timers.cancel(Timer::Keepalive(id));
        self.ctx.timers.set(at, Timer::RetireIke(id));
    }

    /// A replaced SA goes, once no quick mode needs it, and if the one that replaced it is still there.
    pub(crate) fn retire_ike(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id) else {
            return;
        };
        let Some(live) = sa.live() else { return };
        let (local, peer) = (sa.common.local.ip(), sa.common.peer());
        if self.usable_sa(local, peer) == Some(id) {
            return self.reinstate_ike(local, peer);
        }
        if !live.quick.is_empty() || !sa.common.requests.is_empty() {
            return self
                .ctx
                .timers
                .set(self.ctx.now + GRACE, Timer::RetireIke(id));
        }
        self.send_ike_delete(id);
        self.ike_down(id, DownReason::Replaced);
    }

    /// The peer deleted the SA. What it sent under it before may still come.
    pub(crate) fn ike_deleted_by_peer(&mut self, id: SaId) {
        let live = self.sas.get(&id).and_then(IkeSa::live);
        if live.is_some_and(|live| live.replacement == Replacement::Current) {
            self.doubt_children(id);
        }
        self.end_quick_modes(id, |common| Cause::Protocol {
            blame: Blame::Misbehaved,
            phase: Phase::Two,
            came: format!("peer {} deleted the ISAKMP SA", common.peer()),
            expected: "an answer to quick mode".into(),
        });
        let at = self.ctx.now + STRAGGLERS;
        let Some((common, _)) = self.sas.get_mut(&id).and_then(IkeSa::live_mut) else {
            return;
        };
        let path = common.path();
        self.cancel_ike_timers(id);
        self.ctx.timers.set(at, Timer::DeletedIke(id));
        self.reinstate_ike(path.local.ip(), path.remote.ip());
        self.move_requests(id);
    }

    /// The peer has started afresh: whatever else we have with it is worth nothing
    /// (RFC 2407 4.6.3.3).
    ///
    /// The peer says so of the moment when it wrote the message: what came up since this exchange
    /// began, because both ends began at once, is not meant.
    pub(crate) fn initial_contact(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id) else {
            return;
        };
        let (peer, identity) = (sa.common.peer(), sa.common.identity.clone());
        let began = sa.common.created;
        let meant = |other: &SaId| {
            self.sas.get(other).is_some_and(|sa| {
                let older = sa.common.established.is_some_and(|at| at < began);
                sa.live().is_some() && older && sa.common.identity == identity
            })
        };
        let ids = self.by_peer.get(&peer).into_iter().flatten().copied();
        let others: Vec<_> = ids.filter(|other| *other != id && meant(other)).collect();
        for other in others {
            self.end_quick_modes(other, peer_restarted);
            self.ike_down(other, DownReason::InitialContact);
        }
        for child in self.children.of_peer(peer) {
            let up = self.children.get(child).and_then(|child| child.phase.up());
            if up.is_some_and(|up| up < began) {
                self.child_down(child, DownReason::InitialContact, false);
            }
        }
    }

    /// Remembers what is wrong if the negotiation does not recover, and tells it the first time.
    pub(crate) fn set_provisional_cause(&mut self, id: SaId, cause: Cause) {
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        if sa.common.provisional_cause.as_ref() == Some(&cause) {
            return;
        }
        sa.common.provisional_cause = Some(cause.clone());
        let (path, role, connection) = (sa.common.path(), sa.common.role, sa.common.connection);
        let connection = connection.or_else(|| self.connection_of(&cause, path.remote.ip()));
        let exchange = ExchangeType::IDENTITY_PROTECTION;
        self.negotiation_failed_on(path, exchange, role, connection, cause);
    }

    /// A negotiation of phase 1 is over without success.
    pub(crate) fn phase1_failed(&mut self, id: SaId, cause: Cause) {
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let told = sa.common.provisional_cause.as_ref() == Some(&cause);
        let (path, role, connection) = (sa.common.path(), sa.common.role, sa.common.connection);
        let requests = std::mem::take(&mut sa.common.requests);
        let silent = matches!(cause, Cause::NoAnswer { .. });
        if !told {
            let known = connection.or_else(|| self.connection_of(&cause, path.remote.ip()));
            let exchange = ExchangeType::IDENTITY_PROTECTION;
            self.negotiation_failed_on(path, exchange, role, known, cause);
        }
        self.ike_down(id, DownReason::NegotiationFailed);
        let (local, peer) = (path.local.ip(), path.remote.ip());
        match self.usable_sa(local, peer) {
            // It was to replace an SA that is still alive.
            Some(old) => {
                let expires = self
                    .sas
                    .get(&old)
                    .and_then(IkeSa::live)
                    .map(|live| live.expires);
                let at = self.ctx.now + RETRY;
                if role == Role::Initiator && expires.is_some_and(|expires| at < expires) {
                    self.ctx.timers.set(at, Timer::RekeyIke(old));
                }
                for request in requests {
                    self.start_quick(old, request);
                }
            }
            None => {
                if role == Role::Initiator {
                    self.phase1_not_restored(path, silent);
                }
                self.try_next_peers(requests, peer);
            }
        }
    }

    /// The responder waited long enough.
    pub(crate) fn half_open_too_long(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id).filter(|sa| sa.state.is_half_open()) else {
            return;
        };
        let cause = sa
            .common
            .provisional_cause
            .clone()
            .unwrap_or_else(|| Cause::NoAnswer {
                phase: Phase::One,
                message: match sa.state {
                    State::AwaitsInitiatorsProof(_) => "main mode 4".into(),
                    _ => "main mode 2".into(),
                },
                offered: String::new(),
            });
        self.phase1_failed(id, cause);
    }

    /// Sends the last message of an exchange again, or gives up.
    pub(crate) fn retransmit(&mut self, id: SaId, message_id: u32) {
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let (path, state) = (sa.common.path(), sa.state.word());
        let flight = match (message_id, &mut sa.state) {
            (0, _) => &mut sa.common.flight,
            (_, State::Established(live)) => match live.quick.get_mut(&message_id) {
                Some(quick) => &mut quick.flight,
                None => return,
            },
            _ => return,
        };
        if flight.attempt >= RETRANSMITS {
            return self.unanswered(id, message_id);
        }
        flight.attempt += 1;
        let (attempt, bytes) = (flight.attempt, flight.sent.clone());
        let at = self.ctx.now + retransmit_after(attempt);
        self.ctx.timers.set(at, Timer::Retransmit(id, message_id));
        self.ctx.transmit(path, bytes);
        let exchange = match message_id {
            0 => ExchangeType::IDENTITY_PROTECTION,
            _ => ExchangeType::QUICK_MODE,
        };
        let of = RETRANSMITS;
        self.ctx.debug(path, || Event::Retransmitted {
            exchange,
            message_id,
            state,
            attempt,
            of,
        });
    }

    fn unanswered(&mut self, id: SaId, message_id: u32) {
        let Some(sa) = self.sas.get(&id) else { return };
        if message_id == 0 {
            let cause = sa
                .common
                .provisional_cause
                .clone()
                .unwrap_or_else(|| phase1_silence(sa));
            return self.phase1_failed(id, cause);
        }
        let quick = sa.live().and_then(|live| live.quick.get(&message_id));
        let Some(quick) = quick else { return };
        let (message, offered, request) = match &quick.state {
            QuickState::AwaitsAnswer(state) => {
                let sets: Vec<_> = state.offered.iter().map(ToString::to_string).collect();
                ("quick mode 1", sets.join(", "), Some(state.request))
            }
            QuickState::AwaitsConfirmation(_) => ("quick mode 2", String::new(), None),
        };
        let cause = Cause::NoAnswer {
            phase: Phase::Two,
            message: message.into(),
            offered,
        };
        let heard = sa.live().map(|live| live.heard).unwrap_or_default();
        let silent = self.ctx.now.since(heard) > SILENCE;
        self.quick_mode_failed(id, message_id, cause);
        // The peer may have lost the ISAKMP SA: begin again with phase 1, once.
        if let Some(request) = request.filter(|_| silent) {
            self.send_ike_delete(id);
            self.ike_down(id, DownReason::PeerDead);
            self.request_child(request, None);
        }
    }

    /// Starts the phase 1 that replaces an SA, if anything needs it.
    pub(crate) fn rekey_ike(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (local, remote) = (sa.common.local, sa.common.remote);
        if sa
            .live()
            .is_none_or(|live| live.replacement != Replacement::Current)
        {
            return;
        }
        let children = self.children.of_peer(remote.ip());
        let child = children
            .iter()
            .filter_map(|child| self.children.get(*child))
            .next();
        let Some(connection) = child.map(|child| child.sa.connection) else {
            return;
        };
        let ids = self.by_peer.get(&remote.ip()).into_iter().flatten();
        let under_way = ids.filter_map(|other| self.sas.get(other)).any(|sa| {
            sa.state.is_half_open() && sa.common.local == local && sa.common.role == Role::Initiator
        });
        if !under_way {
            self.start_main_mode(local, remote, Some(connection), Vec::new(), Some(id));
        }
    }

    /// The lifetime of an ISAKMP SA is over. Its children live on.
    pub(crate) fn expire_ike(&mut self, id: SaId) {
        self.end_quick_modes(id, |_| Cause::Protocol {
            blame: Blame::Inappropriate,
            phase: Phase::Two,
            came: "the ISAKMP SA expired during quick mode".into(),
            expected: "an answer in time".into(),
        });
        self.move_requests(id);
        self.send_ike_delete(id);
        self.ike_down(id, DownReason::Expired);
    }

    /// Drops the quick modes of an SA that goes, with whatever they had installed.
    fn drop_quick_modes(&mut self, id: SaId) {
        let Some((_, live)) = self.sas.get_mut(&id).and_then(IkeSa::live_mut) else {
            return;
        };
        for (message_id, quick) in std::mem::take(&mut live.quick) {
            self.ctx.timers.cancel(Timer::Retransmit(id, message_id));
            match quick.state {
                QuickState::AwaitsAnswer(state) => self.request_lost(state.request, false),
                QuickState::AwaitsConfirmation(state) => {
                    let child = self.children.get(state.child);
                    if child.is_some_and(|child| child.phase.up().is_none()) {
                        self.abort_child(state.child);
                    }
                }
            }
        }
    }

    /// An ISAKMP SA is gone: it is only shown for a while.
    pub(crate) fn ike_down(&mut self, id: SaId, reason: DownReason) {
        self.drop_quick_modes(id);
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        if matches!(sa.state, State::Deleted) && reason != DownReason::NegotiationFailed {
            return;
        }
        let (path, role) = (sa.common.path(), sa.common.role);
        let was_up = sa.live().is_some();
        let requests = std::mem::take(&mut sa.common.requests);
        sa.state = State::Deleted;
        sa.common.flight.sent.clear();
        for request in requests {
            self.request_lost(request, false);
        }
        self.gate.half_open.over(id);
        self.unlist_sa(id);
        self.cancel_ike_timers(id);
        self.ctx
            .timers
            .set(self.ctx.now + SHOWN, Timer::ForgetIke(id));
        self.show_deleted(id);
        self.ctx.debug(path, || Event::StateChanged {
            input: Input::Phase1Delete,
            message_id: 0,
            old: ExchangeState::Phase1Complete,
            new: ExchangeState::DestroySa,
        });
        if was_up {
            self.ctx.fact(path, Event::IkeDown { role, reason });
            self.reinstate_ike(path.local.ip(), path.remote.ip());
        }
        if reason != DownReason::NegotiationFailed {
            self.bring_phase1_back(id, reason);
        }
    }

    fn cancel_ike_timers(&mut self, id: SaId) {
        let mut timers = vec![
            Timer::Retransmit(id, 0),
            Timer::HalfOpen(id),
            Timer::RekeyIke(id),
            Timer::ExpireIke(id),
            Timer::RetireIke(id),
            Timer::DeletedIke(id),
            Timer::Keepalive(id),
            Timer::TellUntold(id),
            Timer::NextRequest(id),
        ];
        if let Some(live) = self.sas.get(&id).and_then(IkeSa::live) {
            timers.extend(live.quick.keys().map(|key| Timer::Retransmit(id, *key)));
            timers.extend(
                live.answered
                    .keys()
                    .map(|key| Timer::ForgetAnswer(id, *key)),
            );
        }
        for timer in timers {
            self.ctx.timers.cancel(timer);
        }
    }
}

fn peer_restarted(common: &crate::sa::Common) -> Cause {
    Cause::Protocol {
        blame: Blame::Inappropriate,
        phase: Phase::Two,
        came: format!("peer {} started afresh", common.peer()),
        expected: "an answer to quick mode".into(),
    }
}

/// What the silence of a peer in main mode means.
fn phase1_silence(sa: &IkeSa) -> Cause {
    let silence = |message: &str, offered: String| Cause::NoAnswer {
        phase: Phase::One,
        message: message.into(),
        offered,
    };
    match &sa.state {
        State::AwaitsChoice(state) => {
            let offered: Vec<_> = state.offered.iter().map(ToString::to_string).collect();
            silence("main mode 1", offered.join(", "))
        }
        State::AwaitsProof(_) => Cause::KeyDiffers {
            peer: sa.common.peer(),
            certain: false,
            seen: "peer did not answer our proof (main mode 5)".into(),
        },
        _ => silence("main mode 3", agreed(sa)),
    }
}

fn agreed(sa: &IkeSa) -> String {
    let Some(policy) = sa.common.policy else {
        return PolicyOffer::default().to_string();
    };
    format!(
        "{}/{}/group {}",
        policy.encryption, policy.hash, policy.group.0
    )
}
