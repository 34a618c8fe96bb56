//! An established ISAKMP SA with the exchanges under it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cause::{Cause, Phase};
use crate::effect::{Effect, Turn};
use crate::flight::{ANSWER_TIME, Flight, MAX_REPEATS};
use crate::registry::ProtocolId;
use crate::sa::{Common, Life, Replacement};
use crate::task::Task;
use crate::time::Instant;
use crate::timer::SaTimer;
use crate::v1::dpd::Dpd;
use crate::v1::established::Established;
use crate::v1::message_ids::{self, MessageIds};
use crate::v1::quick_mode::states::{Quick, QuickState};

/// How long a peer that does not answer a quick mode must have been silent altogether, to have lost the
/// ISAKMP SA. Shorter than all repeats of a message take.
const SILENCE: Duration = Duration::from_secs(20);

/// A quick mode of ours that was given up before the peer answered: to its answer we say that there is no such child.
#[derive(Debug)]
pub(crate) struct GivenUp {
    /// Our SPIs of it
    pub(crate) inbound: Vec<(ProtocolId, u32)>,
    /// How often that was said
    told: u32,
}

/// An established SA with the exchanges under it.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) sa: Established,
    pub(crate) life: Life,
    /// Quick modes in progress, by message id
    pub(crate) quick: BTreeMap<u32, Quick>,
    /// Quick modes that we ended with message 3: until when the peer may be busy with that
    pub(crate) settling: Vec<Instant>,
    /// Answers of finished quick modes, for repeats
    pub(crate) answered: BTreeMap<u32, Flight>,
    /// Quick modes of ours that were given up before the peer answered
    pub(crate) given_up: BTreeMap<u32, GivenUp>,
    pub(crate) ids: MessageIds,
    pub(crate) dpd: Dpd,
}

impl Live {
    /// Established just now.
    pub(crate) fn new(sa: Established, turn: &mut Turn<'_>) -> Self {
        let dpd = Dpd::new(u32::from_be_bytes(turn.random_bytes()));
        let secret = u64::from_be_bytes(turn.random_bytes());
        let life = Duration::from_secs(sa.policy.lifetime.into());
        Self {
            sa,
            life: Life {
                expires: turn.now + life,
                replacement: Replacement::Current,
                heard: turn.now,
            },
            quick: BTreeMap::new(),
            settling: Vec::new(),
            answered: BTreeMap::new(),
            given_up: BTreeMap::new(),
            ids: MessageIds::new(secret),
            dpd,
        }
    }

    /// The peer may have answered a quick mode of ours that was given up: it is told that we do not receive under what we
    /// offered, now and whenever it repeats its answer.
    pub(crate) fn take_back(
        &mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        message_id: u32,
        inbound: Vec<(ProtocolId, u32)>,
    ) {
        let told = 0;
        self.given_up.insert(message_id, GivenUp { inbound, told });
        turn.set_timer(SaTimer::ForgetAnswer(message_id), turn.now + ANSWER_TIME);
        self.tell_given_up(common, turn, message_id);
    }

    /// Tells the peer that a quick mode of ours is given up, but not for ever; false when it is not one of those.
    pub(crate) fn tell_given_up(
        &mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        message_id: u32,
    ) -> bool {
        let Some(given_up) = self.given_up.get_mut(&message_id) else {
            return false;
        };
        given_up.told += 1;
        if given_up.told <= MAX_REPEATS {
            let inbound = given_up.inbound.clone();
            self.delete_children(common, turn, inbound);
        }
        true
    }

    /// Takes a task of an established SA.
    pub(crate) fn take(&mut self, common: &Common, turn: &mut Turn<'_>, task: Task<'_>) {
        match task {
            Task::ForgetAnswer(message_id) => {
                self.answered.remove(&message_id);
            }
            Task::ScheduleKeepalive => self.schedule_keepalive(common, turn),
            Task::KeepaliveDue => self.keepalive_due(common, turn),
            Task::AskPeer => self.ask_peer(common, turn),
            Task::StartChild(request, connection) => {
                if let Err(cause) = self.start_quick(common, turn, request, connection) {
                    turn.push(Effect::RequestFailed(request, cause));
                }
            }
            Task::Settle => self.settle(turn),
            Task::DeleteChildren(deletes) => self.delete_children(common, turn, deletes),
            Task::TakeBack(message_id, inbound) => {
                self.take_back(common, turn, message_id, inbound);
            }
            Task::Delete => self.delete(common, turn),
            Task::EndExchanges(cause) => self.end_quick_modes(turn, cause),
            Task::DropExchanges => self.drop_quick_modes(turn),
            Task::MessageV1(..)
            | Task::RepeatedV1
            | Task::Retransmit(_)
            | Task::HalfOpenTooLong
            | Task::Answer(_)
            | Task::Unanswered(_) => {}
        }
    }

    /// Tells when the peer has used very many message ids.
    pub(crate) fn count_message_ids(&self, turn: &mut Turn<'_>) {
        let count = self.ids.count();
        if count >= message_ids::MANY {
            let full = count >= message_ids::MOST;
            turn.push(Effect::MessageIds { full });
        }
    }

    /// Ends a quick mode that failed.
    pub(crate) fn quick_mode_failed(&mut self, turn: &mut Turn<'_>, message_id: u32, cause: Cause) {
        turn.cancel_timer(SaTimer::Retransmit(message_id));
        let Some(quick) = self.quick.remove(&message_id) else {
            return;
        };
        turn.push(match quick.state {
            QuickState::AwaitsAnswer(state) => Effect::RequestFailed(state.request, cause),
            QuickState::AwaitsConfirmation(state) => Effect::ChildUnconfirmed {
                child: state.child,
                inbound: state.inbound,
                cause,
            },
        });
        turn.push(Effect::NextRequest);
    }

    /// Ends every quick mode of an SA that goes away; none begins under it any more.
    pub(crate) fn end_quick_modes(&mut self, turn: &mut Turn<'_>, cause: &Cause) {
        self.life.replacement = Replacement::Deleted;
        while let Some(message_id) = self.quick.keys().next().copied() {
            self.quick_mode_failed(turn, message_id, cause.clone());
        }
    }

    /// Drops every quick mode of an SA that goes away, without a word.
    pub(crate) fn drop_quick_modes(&mut self, turn: &mut Turn<'_>) {
        for (message_id, quick) in std::mem::take(&mut self.quick) {
            turn.cancel_timer(SaTimer::Retransmit(message_id));
            turn.push(match quick.state {
                QuickState::AwaitsAnswer(state) => Effect::RequestCutShort(state.request),
                QuickState::AwaitsConfirmation(state) => Effect::ChildAborted(state.child),
            });
        }
    }

    /// The peer has not answered a quick mode.
    pub(crate) fn unanswered(&mut self, turn: &mut Turn<'_>, message_id: u32) {
        let Some(quick) = self.quick.get(&message_id) else {
            return;
        };
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
        let silent = turn.now.since(self.life.heard) > SILENCE;
        self.quick_mode_failed(turn, message_id, cause);
        if let Some(request) = request.filter(|_| silent) {
            turn.push(Effect::Silent(request));
        }
    }

    /// Forgets until when the peer was busy, and asks to be told when it is done with the next.
    pub(crate) fn settle(&mut self, turn: &mut Turn<'_>) {
        self.settling.retain(|until| *until > turn.now);
        // The timer is one an SA: of several that settle, the next.
        if let Some(next) = self.settling.iter().min() {
            turn.set_timer(SaTimer::NextRequest, *next);
        }
    }
}
