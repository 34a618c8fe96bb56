//! What an ISAKMP SA of IKEv1 waits for. `sa::State` hands the whole [`Sa`] over with a task, and gets it back in its next
//! state.

use crate::cause::{Cause, Phase};
use crate::child_request::Subject;
use crate::effect::{Effect, Turn};
use crate::event::{DropReason, Event};
use crate::flight::{Flight, MAX_REPEATS, RETRANSMITS, retransmit_after};
use crate::question::{ANSWER_LIMIT, Answer, Question};
use crate::registry::ExchangeType;
use crate::sa::{Common, Life};
use crate::status::{Role, StateWord};
use crate::task::Task;
use crate::time::Instant;
use crate::timer::SaTimer;
use crate::v1::live::Live;
use crate::v1::main_mode::{self, initiator, responder};
use crate::v1::quick_mode::{self, states::QuickState};
use crate::wire::v1::Message;
use crate::wire::{Flags, Header};

/// An ISAKMP SA of IKEv1.
pub(crate) struct Sa {
    /// The last message of phase 1 that we sent, and what it answers
    pub(crate) flight: Flight,
    /// Messages of phase 1 that came and could not be used
    pub(crate) bad_messages: u32,
    pub(crate) state: State,
}

/// What it waits for.
pub(crate) enum State {
    /// Initiator, nothing sent: the pre-shared key is asked for
    AwaitsKey(initiator::AwaitsKey),
    /// Responder, message 1 read: the pre-shared key is asked for
    AwaitsKeyForChoice(responder::AwaitsKey),
    /// Responder, message 2 sent without keeping anything, message 3 read: the pre-shared key is asked for
    AwaitsKeyForValue(Box<responder::AwaitsKeyForValue>),
    /// Initiator, message 1 sent
    AwaitsChoice(Box<initiator::AwaitsChoice>),
    /// Initiator, message 3 sent
    AwaitsValue(Box<initiator::AwaitsValue>),
    /// Initiator, message 5 sent
    AwaitsProof(Box<initiator::AwaitsProof>),
    /// Responder, message 2 sent
    AwaitsInitiatorsValue(Box<responder::AwaitsInitiatorsValue>),
    /// Responder, message 4 sent
    AwaitsInitiatorsProof(Box<responder::AwaitsInitiatorsProof>),
    /// Phase 1 is done
    Established(Box<Live>),
}

impl State {
    pub(crate) fn word(&self) -> StateWord {
        match self {
            Self::AwaitsKey(_) | Self::AwaitsKeyForChoice(_) | Self::AwaitsChoice(_) => {
                StateWord::MmNoState
            }
            Self::AwaitsKeyForValue(_) | Self::AwaitsValue(_) | Self::AwaitsInitiatorsValue(_) => {
                StateWord::MmSaSetup
            }
            Self::AwaitsProof(_) | Self::AwaitsInitiatorsProof(_) => StateWord::MmKeyExch,
            Self::Established(_) => StateWord::QmIdle,
        }
    }
}

impl Sa {
    /// A negotiation in which nothing was sent yet.
    pub(crate) fn new(state: State) -> Self {
        Self {
            flight: Flight::default(),
            bad_messages: 0,
            state,
        }
    }

    pub(crate) fn word(&self) -> StateWord {
        self.state.word()
    }

    /// The established part, if it is.
    pub(crate) fn live(&self) -> Option<&Live> {
        match &self.state {
            State::Established(live) => Some(live),
            _ => None,
        }
    }

    /// The same, to be changed.
    pub(crate) fn live_mut(&mut self) -> Option<&mut Live> {
        match &mut self.state {
            State::Established(live) => Some(live),
            _ => None,
        }
    }

    pub(crate) fn life(&self) -> Option<&Life> {
        self.live().map(|live| &live.life)
    }

    pub(crate) fn life_mut(&mut self) -> Option<&mut Life> {
        self.live_mut().map(|live| &mut live.life)
    }

    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(
            self.state,
            State::AwaitsKeyForChoice(_) | State::AwaitsInitiatorsValue(_)
        )
    }

    /// The responder waits for message 3.
    pub(crate) fn awaits_value(&self) -> bool {
        matches!(self.state, State::AwaitsInitiatorsValue(_))
    }

    pub(crate) fn awaits_proof_of_peer(&self) -> bool {
        matches!(self.state, State::AwaitsInitiatorsProof(_))
    }

    pub(crate) fn is_unheard_attempt(&self) -> bool {
        matches!(self.state, State::AwaitsKey(_) | State::AwaitsChoice(_))
    }

    pub(crate) fn asked(&self) -> Vec<(u32, Subject)> {
        let quick = self.live().into_iter().flat_map(|live| &live.quick);
        let ours = quick.filter_map(|(message_id, quick)| match &quick.state {
            QuickState::AwaitsAnswer(state) => Some((*message_id, state.request.subject)),
            QuickState::AwaitsConfirmation(_) => None,
        });
        ours.collect()
    }

    pub(crate) fn busy_exchanges(&self, now: Instant) -> usize {
        let settling = self.live().into_iter().flat_map(|live| &live.settling);
        self.asked().len() + settling.filter(|until| **until > now).count()
    }

    pub(crate) fn unconfirmed(&self) -> usize {
        self.exchanges() - self.asked().len()
    }

    pub(crate) fn exchanges(&self) -> usize {
        self.live().map_or(0, |live| live.quick.len())
    }

    /// True for the message that our last one of phase 1 answers.
    pub(crate) fn is_repeat(&self, digest: u64) -> bool {
        self.flight.answers == Some(digest)
    }

    /// Why a message is no use, as far as the header tells.
    pub(crate) fn no_use(
        &self,
        header: &Header,
        digest: u64,
    ) -> Option<(DropReason, &'static str)> {
        let established = self.live().is_some();
        let encrypted = header.flags.contains(Flags::ENCRYPTION);
        match header.exchange {
            ExchangeType::IDENTITY_PROTECTION => {
                if header.message_id != 0 {
                    Some((DropReason::Unexpected, "main mode with a message id"))
                } else if established && !self.is_repeat(digest) {
                    Some((DropReason::Unexpected, "main mode message after main mode"))
                } else {
                    None
                }
            }
            ExchangeType::QUICK_MODE if !established => Some((
                DropReason::Unexpected,
                "quick mode before main mode is done",
            )),
            ExchangeType::QUICK_MODE if !encrypted => {
                Some((DropReason::NotEncrypted, "quick mode message in clear"))
            }
            ExchangeType::INFORMATIONAL if established && !encrypted => {
                Some((DropReason::NotEncrypted, "informational message in clear"))
            }
            ExchangeType::QUICK_MODE | ExchangeType::INFORMATIONAL => None,
            _ => Some((DropReason::ExchangeType, "an exchange that we do not do")),
        }
    }

    /// Takes a task; none when the SA has come to its end.
    pub(crate) fn take(
        mut self,
        common: &mut Common,
        turn: &mut Turn<'_>,
        task: Task<'_>,
    ) -> Option<Self> {
        match task {
            Task::MessageV1(message, digest) => {
                return self.message(common, turn, message, digest);
            }
            Task::Answer(answer) => return self.answer(common, turn, answer),
            Task::RepeatedV1 => return Some(self.repeat_answer(turn)),
            Task::Retransmit(message_id) => self.retransmit(common, turn, message_id),
            Task::HalfOpenTooLong => self.half_open_too_long(common, turn),
            Task::Unanswered(question) => unanswered_question(turn, question),
            task => {
                if let Some(live) = self.live_mut() {
                    live.take(common, turn, task);
                }
            }
        }
        Some(self)
    }

    /// A message for this SA; none when it has come to its end.
    fn message(
        self,
        common: &mut Common,
        turn: &mut Turn<'_>,
        message: &Message,
        digest: u64,
    ) -> Option<Self> {
        match message.header.exchange {
            ExchangeType::IDENTITY_PROTECTION => {
                main_mode::message(self, common, turn, message, digest)
            }
            ExchangeType::QUICK_MODE => {
                Some(quick_mode::message(self, common, turn, message, digest))
            }
            _ => Some(self.informational(common, turn, message)),
        }
    }

    /// An answer to the question that its state waits for; none when it has come to its end.
    fn answer(self, common: &mut Common, turn: &mut Turn<'_>, answer: Answer) -> Option<Self> {
        match answer {
            Answer::PeerKey(key) => main_mode::key_came(self, common, turn, key),
        }
    }

    /// Repeats the last message of phase 1 because the peer repeated its own.
    pub(crate) fn repeat_answer(mut self, turn: &mut Turn<'_>) -> Self {
        let flight = &mut self.flight;
        if flight.sent.is_empty() || flight.repeats >= MAX_REPEATS {
            turn.dropped(DropReason::Repeat, "repeated main mode message");
            return self;
        }
        flight.repeats += 1;
        turn.push(Effect::Send(flight.sent.clone()));
        turn.debug(|| Event::AnswerRepeated {
            exchange: ExchangeType::IDENTITY_PROTECTION,
            message_id: 0,
        });
        self
    }

    /// Sends a message of phase 1 from `state`; the initiator's is repeated until it is answered.
    pub(crate) fn send(
        &mut self,
        turn: &mut Turn<'_>,
        role: Role,
        state: StateWord,
        bytes: Vec<u8>,
    ) {
        let length = bytes.len();
        self.flight.send(bytes.clone());
        turn.push(Effect::Send(bytes));
        turn.debug(|| Event::PacketSent {
            exchange: ExchangeType::IDENTITY_PROTECTION,
            message_id: 0,
            role,
            state,
            length,
        });
        if role == Role::Initiator {
            let at = turn.now + retransmit_after(0);
            turn.set_timer(SaTimer::Retransmit(0), at);
        }
    }

    /// Sends the last message of an exchange again, or gives up.
    fn retransmit(&mut self, common: &Common, turn: &mut Turn<'_>, message_id: u32) {
        let state = self.word();
        let flight = match (message_id, &mut self.state) {
            (0, _) => &mut self.flight,
            (_, State::Established(live)) => match live.quick.get_mut(&message_id) {
                Some(quick) => &mut quick.flight,
                None => return,
            },
            _ => return,
        };
        if flight.attempt >= RETRANSMITS {
            return self.unanswered(common, turn, message_id);
        }
        flight.attempt += 1;
        let attempt = flight.attempt;
        let at = turn.now + retransmit_after(attempt);
        turn.set_timer(SaTimer::Retransmit(message_id), at);
        turn.push(Effect::Send(flight.sent.clone()));
        let exchange = match message_id {
            0 => ExchangeType::IDENTITY_PROTECTION,
            _ => ExchangeType::QUICK_MODE,
        };
        turn.debug(|| Event::Retransmitted {
            exchange,
            message_id,
            state,
            attempt,
            of: RETRANSMITS,
        });
    }

    fn unanswered(&mut self, common: &Common, turn: &mut Turn<'_>, message_id: u32) {
        match self.live_mut() {
            Some(live) if message_id != 0 => live.unanswered(turn, message_id),
            _ => {
                let cause = common.provisional_cause.clone();
                let cause = cause.unwrap_or_else(|| main_mode::silence(&self.state, common));
                turn.push(Effect::Failed(cause));
            }
        }
    }

    /// The responder has waited long enough.
    fn half_open_too_long(&self, common: &Common, turn: &mut Turn<'_>) {
        if self.live().is_some() {
            return;
        }
        let silence = || Cause::NoAnswer {
            phase: Phase::One,
            message: match self.state {
                State::AwaitsInitiatorsProof(_) => "main mode 4".into(),
                _ => "main mode 2".into(),
            },
            offered: String::new(),
        };
        let cause = common.provisional_cause.clone().unwrap_or_else(silence);
        turn.push(Effect::Failed(cause));
    }
}

/// The answer that a negotiation waits for has not come.
fn unanswered_question(turn: &mut Turn<'_>, question: &Question) {
    turn.push(Effect::Failed(Cause::Unanswered {
        question: question.to_string(),
        seconds: ANSWER_LIMIT.as_secs(),
    }));
}
