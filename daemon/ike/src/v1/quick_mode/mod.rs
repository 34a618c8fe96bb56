//! Quick mode: what both roles share (RFC 2409 5.5).
//!
//! `initiator` and `responder` are the two ends, `states` what they wait for; `transform` and `proxy` are
//! proposals and proxy identities.

use std::net::IpAddr;
use std::time::Duration;

use crate::effect::{Effect, Turn};
use crate::event::{DropReason, Event, ExchangeState, Input};
use crate::flight::{Flight, MAX_REPEATS, retransmit_after};
use crate::registry::{ExchangeType, ProtocolId};
use crate::sa::{Common, Replacement};
use crate::selector::Selector;
use crate::status::StateWord;
use crate::timer::SaTimer;
use crate::v1::live::Live;
use crate::v1::state::{Sa, State};
use crate::wire::v1::{Body, Ciphertext, Message};

pub(crate) mod initiator;
pub(crate) mod proxy;
mod responder;
pub(crate) mod states;
pub(crate) mod transform;

use states::{Exchange, QuickError, QuickState};

/// A quick mode message.
pub(crate) fn message(
    mut sa: Sa,
    common: &Common,
    turn: &mut Turn<'_>,
    message: &Message,
    digest: u64,
) -> Sa {
    let State::Established(live) = &mut sa.state else {
        turn.dropped(
            DropReason::Unexpected,
            "quick mode before main mode is done",
        );
        return sa;
    };
    let Body::Encrypted(ciphertext) = &message.body else {
        turn.dropped(DropReason::NotEncrypted, "quick mode message in clear");
        return sa;
    };
    let message_id = message.header.message_id;
    if message_id == 0 {
        turn.dropped(DropReason::Unexpected, "quick mode with message id 0");
    } else if live.life.replacement == Replacement::Deleted {
        turn.dropped(
            DropReason::Unexpected,
            "quick mode after the SA was deleted",
        );
    } else {
        live.quick_mode(common, turn, message_id, ciphertext, digest);
    }
    sa
}

impl Live {
    fn quick_mode(
        &mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        message_id: u32,
        ciphertext: &Ciphertext,
        digest: u64,
    ) {
        if self.tell_given_up(common, turn, message_id) {
            let detail = "answer to a quick mode that was given up";
            return turn.dropped(DropReason::Repeat, detail);
        }
        let in_progress = self.quick.get(&message_id).map(|quick| &quick.flight);
        match in_progress.or_else(|| self.answered.get(&message_id)) {
            Some(flight) if flight.answers == Some(digest) => self.repeat_quick(turn, message_id),
            Some(_) if self.quick.contains_key(&message_id) => {
                self.continue_quick(common, turn, message_id, ciphertext, digest);
            }
            None if !self.ids.is_used(message_id) => {
                self.quick_mode_request(common, turn, message_id, ciphertext, digest);
            }
            _ => turn.dropped(
                DropReason::Repeat,
                "quick mode message of a finished exchange",
            ),
        }
    }

    /// Repeats our last message of a quick mode because the peer repeated its own.
    fn repeat_quick(&mut self, turn: &mut Turn<'_>, message_id: u32) {
        let finished = self.answered.contains_key(&message_id);
        // Message 3 would make the peer use a child that we have given up meanwhile.
        let gone = finished && !turn.tables.has_child_of(message_id);
        let in_progress = self.quick.get_mut(&message_id);
        let in_progress = in_progress.map(|quick| &mut quick.flight);
        let Some(flight) = in_progress.or_else(|| self.answered.get_mut(&message_id)) else {
            return;
        };
        if gone || flight.sent.is_empty() || flight.repeats >= MAX_REPEATS {
            return turn.dropped(DropReason::Repeat, "repeated quick mode message");
        }
        flight.repeats += 1;
        let repeats = flight.repeats;
        turn.push(Effect::Send(flight.sent.clone()));
        turn.debug(|| Event::AnswerRepeated {
            exchange: ExchangeType::QUICK_MODE,
            message_id,
        });
        turn.push(Effect::ConfirmationAskedAgain {
            message_id,
            repeats,
        });
    }

    /// The next message of a quick mode in progress.
    fn continue_quick(
        &mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        message_id: u32,
        ciphertext: &Ciphertext,
        digest: u64,
    ) {
        let Some(quick) = self.quick.remove(&message_id) else {
            return;
        };
        let exchange = Exchange {
            cookies: common.cookies,
            keys: &self.sa.keys,
            message_id,
        };
        let error = match &quick.state {
            QuickState::AwaitsAnswer(state) => match state.process(exchange, ciphertext) {
                Ok((negotiated, bytes)) => {
                    self.life.heard = turn.now;
                    let flight = Flight {
                        sent: bytes.clone(),
                        answers: Some(digest),
                        ..Flight::default()
                    };
                    self.answered.insert(message_id, flight);
                    let settled = turn.now + settling_time(turn.now.since(quick.began));
                    self.settling.push(settled);
                    turn.set_timer(SaTimer::NextRequest, settled);
                    return initiator::agreed(common, turn, message_id, state, negotiated, bytes);
                }
                Err(error) => error,
            },
            QuickState::AwaitsConfirmation(state) => match state.process(exchange, ciphertext) {
                Ok(()) => {
                    self.life.heard = turn.now;
                    return responder::confirmed(turn, message_id, state);
                }
                Err(error) => error,
            },
        };
        self.quick.insert(message_id, quick);
        self.quick_error(common, turn, message_id, error);
    }

    /// A quick mode message was not accepted: it is dropped, or ends its exchange.
    fn quick_error(
        &mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        message_id: u32,
        error: QuickError,
    ) {
        match error {
            QuickError::Undecryptable(detail) => {
                turn.dropped(DropReason::Undecryptable, detail);
            }
            QuickError::BadHash => {
                turn.dropped(DropReason::BadHash, "hash of a quick mode message is wrong");
            }
            QuickError::Refused(cause, notify) => {
                turn.dropped(DropReason::Refused, cause.to_string());
                self.notify(common, turn, ProtocolId::ESP, notify, Vec::new());
                self.quick_mode_failed(turn, message_id, cause);
            }
        }
    }

    /// Keeps a message of a quick mode, to be repeated until it is answered, and says how to send it.
    fn send_quick(
        &mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        message_id: u32,
        bytes: Vec<u8>,
        answers: Option<u64>,
    ) {
        if let Some(quick) = self.quick.get_mut(&message_id) {
            quick.flight = Flight {
                sent: bytes.clone(),
                answers,
                ..Flight::default()
            };
        }
        let at = turn.now + retransmit_after(0);
        turn.set_timer(SaTimer::Retransmit(message_id), at);
        sent(common, turn, message_id, bytes);
    }
}

fn sent(common: &Common, turn: &mut Turn<'_>, message_id: u32, bytes: Vec<u8>) {
    let (role, length) = (common.role, bytes.len());
    turn.push(Effect::Send(bytes));
    turn.debug(|| Event::PacketSent {
        exchange: ExchangeType::QUICK_MODE,
        message_id,
        role,
        state: StateWord::QmIdle,
        length,
    });
}

fn moved(
    turn: &mut Turn<'_>,
    message_id: u32,
    input: Input,
    old: ExchangeState,
    new: ExchangeState,
) {
    turn.debug(|| Event::StateChanged {
        input,
        message_id,
        old,
        new,
    });
}

/// How long the peer may be busy with message 3, from the time that it took to answer message 1. A peer
/// that is given the next message 1 at once may take the two in the wrong order, and has one exchange
/// more to keep in mind.
fn settling_time(answer: Duration) -> Duration {
    answer.clamp(Duration::from_millis(10), Duration::from_millis(100))
}

/// True when a selector is exactly this address.
fn between(selector: Selector, address: IpAddr) -> bool {
    selector.single() == Some(address)
}
