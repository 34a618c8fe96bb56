//! Main mode on behalf of the endpoint: steps an SA from message to message (RFC 2409 5.4).

use std::mem;

use crate::cause::{Blame, Cause, Phase};
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::event::{Bound, DropReason, Event, ExchangeState, Input};
use crate::id::Path;
use crate::id::SaId;
use crate::identity::Identity;
use crate::peer_text;
use crate::registry::{ExchangeType, NotifyType};
use crate::sa::Common;
use crate::status::{AgreedPolicy, Role, StateWord};
use crate::timer::Timer;
use crate::v1::established::Established;
use crate::v1::state::{IkeSa, State};
use crate::v1::{Refusal, vendor};
use crate::wire::v1::{Body, Message, SecurityAssociation, Unprotected};
use crate::wire::{Cookie, Cookies};

pub(crate) mod exchange;
pub(crate) mod initiator;
pub(crate) mod policy;
pub(crate) mod responder;
pub(crate) mod stateless;

use stateless::Recalled;

/// Messages that a negotiation may get which it cannot use.
const MAX_BAD_MESSAGES: u32 = 100;

/// Comparisons of proposals with policies that debug is told of in one message.
pub(crate) const MAX_COMPARISONS_TOLD: usize = 64;

/// What a message did to a negotiation.
enum Outcome {
    /// The next message is ready
    Answer(Vec<u8>),
    /// Phase 1 is done
    Up(Box<Up>),
    /// It was not accepted
    Refused(Refusal),
}

/// A phase 1 that is done.
pub(crate) struct Up {
    pub(crate) established: Established,
    pub(crate) identity: Identity,
    /// The peer says that it has no other SA with us
    pub(crate) initial_contact: bool,
    /// SAi_b, when we are the responder
    pub(crate) proposals: Option<Vec<u8>>,
    /// Message 6, when it is ours to send
    answer: Option<Vec<u8>>,
}

impl Endpoint {
    /// Message 1 of a new negotiation, the SA not yet known to the endpoint.
    pub(crate) fn main_mode_offer(
        &mut self,
        mut common: Common,
        payloads: &Unprotected,
        digest: u64,
    ) {
        let path = common.path();
        let ctx = &mut self.ctx;
        let exchange = ExchangeType::IDENTITY_PROTECTION;
        ctx.debug(path, || Event::ExchangeStarted {
            exchange,
            role: Role::Responder,
            message_id: 0,
        });
        moved(
            ctx,
            &common,
            Input::MainModeExchange,
            ExchangeState::Ready,
            ExchangeState::ResponderMm1,
        );
        read_vendor_ids(ctx, &mut common, payloads);
        let result = responder::proposals(payloads)
            .and_then(|proposals| start_told(ctx, &common, &proposals));
        match result {
            Ok((state, policy, message)) => {
                choose(ctx, &mut common, policy);
                let (old, new) = (ExchangeState::ResponderMm1, ExchangeState::ResponderMm2);
                moved(ctx, &common, Input::ProcessComplete, old, new);
                common.flight.answers = Some(digest);
                let id = common.id;
                let limit = ctx.now + crate::endpoint::HALF_OPEN_TIME;
                ctx.timers.set(limit, Timer::HalfOpen(id));
                let state = State::AwaitsInitiatorsValue(state);
                self.insert_sa(IkeSa { common, state });
                self.send_phase1(id, message);
            }
            Err(refusal) => self.offer_refused(&common, refusal),
        }
    }

    /// Message 1 while there are enough half-open negotiations: message 2 goes out and nothing is kept but the text of the
    /// proposals, once for all that offer the same.
    pub(crate) fn answer_without_state(
        &mut self,
        path: Path,
        initiator: Cookie,
        payloads: &Unprotected,
    ) {
        let dpd = payloads.vendor_ids().any(vendor::is_dpd);
        let cookies = Cookies {
            initiator,
            responder: Cookie::ZERO,
        };
        let mut common = self.new_common(Role::Responder, path.local, path.remote, cookies);
        let proposals = match responder::proposals(payloads) {
            Ok(proposals) => proposals,
            Err(refusal) => return self.offer_refused(&common, refusal),
        };
        let (now, random) = (self.ctx.now, self.ctx.random.as_mut());
        let offered = (proposals.body, dpd);
        let cookie = self
            .gate
            .stateless
            .cookie(random, now, path, initiator, offered);
        let Some(cookie) = cookie else {
            let detail = "proposals too long to answer while there are many negotiations".into();
            return self
                .ctx
                .drop_datagram(path, DropReason::HalfOpenLimit, detail);
        };
        common.cookies.responder = cookie;
        match start_told(&mut self.ctx, &common, &proposals) {
            Ok((_, _, message)) => {
                self.gate.tallies.answered_without_state += 1;
                self.ctx.transmit(path, message);
            }
            Err(refusal) => self.offer_refused(&common, refusal),
        }
    }

    /// The negotiation of which message 3 came, for a cookie that was made and not kept.
    pub(crate) fn recalled(
        &mut self,
        path: Path,
        cookies: Cookies,
        recalled: &Recalled,
    ) -> Option<SaId> {
        let mut common = self.new_common(Role::Responder, path.local, path.remote, cookies);
        common.peer_has_dpd = recalled.dpd;
        let offered = SecurityAssociation::from_body(&recalled.body).ok()?;
        let proposals = responder::Proposals {
            body: &recalled.body,
            offered: &offered,
        };
        let started = responder::start(&self.ctx, &common, &proposals, |_, _, _| {});
        let (state, policy, _) = started.ok()?;
        choose(&mut self.ctx, &mut common, policy);
        let id = common.id;
        let limit = self.ctx.now + crate::endpoint::HALF_OPEN_TIME;
        self.ctx.timers.set(limit, Timer::HalfOpen(id));
        let state = State::AwaitsInitiatorsValue(state);
        self.insert_sa(IkeSa { common, state });
        Some(id)
    }

    /// Message 1 is refused: said and answered, but not as often as anyone likes.
    fn offer_refused(&mut self, common: &Common, refusal: Refusal) {
        let path = common.path();
        let (cause, notify) = match refusal {
            Refusal::Drop { reason, detail, .. } => {
                return self.ctx.drop_datagram(path, reason, detail);
            }
            Refusal::Fail { cause, notify } => (cause, notify),
        };
        self.ctx
            .drop_datagram_with(path, DropReason::Refused, || cause.to_string());
        if !self.gate.refusals.allow(self.ctx.now) {
            return self.ctx.bound_reached(path, Bound::Refusals);
        }
        if let Some(notify) = notify {
            self.notify_in_clear(path, common.cookies, notify);
        }
        self.negotiation_failed(common, Role::Responder, None, cause);
    }

    /// Any later message of main mode.
    pub(crate) fn main_mode_message(&mut self, id: SaId, message: &Message, digest: u64) {
        let lonely = self.is_lonely(id);
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let (ctx, path) = (&mut self.ctx, sa.common.path());
        if sa.common.flight.answers == Some(digest) {
            return self.repeat_answer(id);
        }
        let state = mem::replace(&mut sa.state, State::Deleted);
        let (state, outcome) = step(ctx, &mut sa.common, state, message, lonely);
        sa.state = state;
        match outcome {
            Outcome::Answer(bytes) => {
                sa.common.flight.answers = Some(digest);
                sa.common.provisional_cause = None;
                self.gate.half_open.answered(id);
                self.send_phase1(id, bytes);
            }
            Outcome::Up(mut up) => {
                sa.common.flight.answers = Some(digest);
                let answer = mem::take(&mut up.answer);
                // The last word of the initiator was message 5: it must not go out again.
                ctx.timers.cancel(Timer::Retransmit(id, 0));
                sa.common.flight.sent.clear();
                if let Some(bytes) = answer {
                    self.send_phase1(id, bytes);
                }
                self.phase1_up(id, *up);
            }
            Outcome::Refused(Refusal::Drop {
                reason,
                detail,
                provisional_cause,
            }) => {
                sa.common.bad_messages += 1;
                let too_many = sa.common.bad_messages >= MAX_BAD_MESSAGES;
                ctx.drop_datagram(path, reason, detail);
                if let Some(cause) = provisional_cause {
                    self.set_provisional_cause(id, cause);
                }
                if too_many {
                    self.too_many_bad_messages(id);
                }
            }
            Outcome::Refused(Refusal::Fail { cause, notify }) => {
                if let Some(notify) = notify {
                    self.notify_of_failure(id, notify);
                }
                self.phase1_failed(id, cause);
            }
        }
    }

    /// Somebody sends what is no use under the cookies of a negotiation: it is given up, so that no more has to be looked at.
    fn too_many_bad_messages(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id).filter(|sa| sa.state.is_half_open()) else {
            return;
        };
        let path = sa.common.path();
        let cause = sa
            .common
            .provisional_cause
            .clone()
            .unwrap_or(Cause::Protocol {
                blame: Blame::Misbehaved,
                phase: Phase::One,
                came: format!("{MAX_BAD_MESSAGES} messages that could not be used"),
                expected: "the next message of main mode".into(),
            });
        self.ctx.bound_reached(path, Bound::BadMessages);
        self.phase1_failed(id, cause);
    }

    /// Sends a message of phase 1; the initiator's is repeated until it is answered.
    pub(crate) fn send_phase1(&mut self, id: SaId, bytes: Vec<u8>) {
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let common = &mut sa.common;
        common.flight.sent.clone_from(&bytes);
        common.flight.attempt = 0;
        common.flight.repeats = 0;
        let (path, role, length) = (common.path(), common.role, bytes.len());
        // Message 6 goes out between two states.
        let state = match sa.state {
            State::Deleted => StateWord::MmKeyExch,
            _ => sa.state.word(),
        };
        self.ctx.transmit(path, bytes);
        let exchange = ExchangeType::IDENTITY_PROTECTION;
        self.ctx.debug(path, || Event::PacketSent {
            exchange,
            message_id: 0,
            role,
            state,
            length,
        });
        if role == Role::Initiator && sa.state.is_half_open() {
            let at = self.ctx.now + crate::endpoint::retransmit_after(0);
            self.ctx.timers.set(at, Timer::Retransmit(id, 0));
        }
    }
}

/// Message 2, with the comparisons told to debug; of a long offer only the first ones.
fn start_told(
    ctx: &mut Context,
    common: &Common,
    proposals: &responder::Proposals<'_>,
) -> Result<(responder::AwaitsInitiatorsValue, AgreedPolicy, Vec<u8>), Refusal> {
    let mut compared = Vec::new();
    let debugs = ctx.debugs();
    let result = responder::start(ctx, common, proposals, |offer, priority, differs| {
        if debugs && compared.len() < MAX_COMPARISONS_TOLD {
            let offer = offer.clone();
            compared.push(Event::PolicyCompared {
                offer,
                priority,
                differs,
            });
        }
    });
    for event in compared {
        ctx.fact(common.path(), event);
    }
    result
}

fn step(
    ctx: &mut Context,
    common: &mut Common,
    state: State,
    message: &Message,
    lonely: bool,
) -> (State, Outcome) {
    match (state, &message.body) {
        (State::AwaitsChoice(state), Body::Clear(payloads)) => {
            choice(ctx, common, state, message, payloads)
        }
        (State::AwaitsValue(state), Body::Clear(payloads)) => {
            initiators_proof(ctx, common, *state, payloads, lonely)
        }
        (State::AwaitsProof(state), Body::Encrypted(ciphertext)) => {
            match state.process(common, ciphertext) {
                Ok((identity, iv)) => {
                    let (old, new) = (ExchangeState::InitiatorMm5, ExchangeState::InitiatorMm6);
                    moved(ctx, common, Input::MainModeExchange, old, new);
                    let (old, new) = (ExchangeState::InitiatorMm6, ExchangeState::Phase1Complete);
                    moved(ctx, common, Input::ProcessComplete, old, new);
                    let established = state.establish(iv);
                    let up = Up {
                        established,
                        identity,
                        initial_contact: false,
                        proposals: None,
                        answer: None,
                    };
                    (State::Deleted, Outcome::Up(Box::new(up)))
                }
                Err(refusal) => (State::AwaitsProof(state), Outcome::Refused(refusal)),
            }
        }
        (State::AwaitsInitiatorsValue(state), Body::Clear(payloads)) => {
            responders_value(ctx, common, state, payloads)
        }
        (State::AwaitsInitiatorsProof(state), Body::Encrypted(ciphertext)) => {
            responders_proof(ctx, common, state, ciphertext)
        }
        (state @ (State::AwaitsProof(_) | State::AwaitsInitiatorsProof(_)), Body::Clear(_)) => {
            let refusal = Refusal::Drop {
                reason: DropReason::NotEncrypted,
                detail: "main mode message in clear after the key exchange".into(),
                provisional_cause: None,
            };
            (state, Outcome::Refused(refusal))
        }
        (state, Body::Encrypted(_)) if state.is_half_open() => {
            let refusal =
                Refusal::unexpected("encrypted main mode message before the key exchange");
            (state, Outcome::Refused(refusal))
        }
        (state, _) => (
            state,
            Outcome::Refused(Refusal::unexpected("main mode message after main mode")),
        ),
    }
}

fn choice(
    ctx: &mut Context,
    common: &mut Common,
    state: initiator::AwaitsChoice,
    message: &Message,
    payloads: &Unprotected,
) -> (State, Outcome) {
    let policy = match state.process(payloads) {
        Ok(policy) => policy,
        Err(refusal) => return (State::AwaitsChoice(state), Outcome::Refused(refusal)),
    };
    let (old, new) = (ExchangeState::InitiatorMm1, ExchangeState::InitiatorMm2);
    moved(ctx, common, Input::MainModeExchange, old, new);
    common.cookies.responder = message.header.cookies.responder;
    read_vendor_ids(ctx, common, payloads);
    choose(ctx, common, policy);
    match state.build(ctx, common, policy) {
        Ok((state, bytes)) => {
            let (old, new) = (ExchangeState::InitiatorMm2, ExchangeState::InitiatorMm3);
            moved(ctx, common, Input::ProcessComplete, old, new);
            (State::AwaitsValue(Box::new(state)), Outcome::Answer(bytes))
        }
        Err(refusal) => (State::Deleted, Outcome::Refused(refusal)),
    }
}

fn initiators_proof(
    ctx: &mut Context,
    common: &mut Common,
    state: initiator::AwaitsValue,
    payloads: &Unprotected,
    lonely: bool,
) -> (State, Outcome) {
    let value = match state.process(payloads) {
        Ok(value) => value,
        Err(refusal) => {
            return (
                State::AwaitsValue(Box::new(state)),
                Outcome::Refused(refusal),
            );
        }
    };
    let (old, new) = (ExchangeState::InitiatorMm3, ExchangeState::InitiatorMm4);
    moved(ctx, common, Input::MainModeExchange, old, new);
    number(ctx, common);
    read_vendor_ids(ctx, common, payloads);
    match state.build(ctx, common, value, lonely) {
        Ok((state, bytes)) => {
            let (old, new) = (ExchangeState::InitiatorMm4, ExchangeState::InitiatorMm5);
            moved(ctx, common, Input::ProcessComplete, old, new);
            (State::AwaitsProof(Box::new(state)), Outcome::Answer(bytes))
        }
        Err(refusal) => (State::Deleted, Outcome::Refused(refusal)),
    }
}

fn responders_value(
    ctx: &mut Context,
    common: &mut Common,
    mut state: responder::AwaitsInitiatorsValue,
    payloads: &Unprotected,
) -> (State, Outcome) {
    let value = match state.process(ctx, payloads) {
        Ok(value) => value,
        Err(refusal) => {
            return (
                State::AwaitsInitiatorsValue(state),
                Outcome::Refused(refusal),
            );
        }
    };
    let (old, new) = (ExchangeState::ResponderMm2, ExchangeState::ResponderMm3);
    moved(ctx, common, Input::MainModeExchange, old, new);
    number(ctx, common);
    read_vendor_ids(ctx, common, payloads);
    match state.build(ctx, common, value) {
        Ok((state, bytes)) => {
            let (old, new) = (ExchangeState::ResponderMm3, ExchangeState::ResponderMm4);
            moved(ctx, common, Input::ProcessComplete, old, new);
            (
                State::AwaitsInitiatorsProof(Box::new(state)),
                Outcome::Answer(bytes),
            )
        }
        Err(refusal) => (State::Deleted, Outcome::Refused(refusal)),
    }
}

fn responders_proof(
    ctx: &mut Context,
    common: &mut Common,
    state: Box<responder::AwaitsInitiatorsProof>,
    ciphertext: &crate::wire::v1::Ciphertext,
) -> (State, Outcome) {
    let (identity, payloads, iv) = match state.process(common, ciphertext) {
        Ok(proof) => proof,
        Err(refusal) => {
            return (
                State::AwaitsInitiatorsProof(state),
                Outcome::Refused(refusal),
            );
        }
    };
    let (old, new) = (ExchangeState::ResponderMm4, ExchangeState::ResponderMm5);
    moved(ctx, common, Input::MainModeExchange, old, new);
    let initial_contact = payloads
        .notifications()
        .any(|notification| notification.kind == NotifyType::INITIAL_CONTACT);
    match state.build(ctx, common, iv) {
        Ok((established, bytes, proposals)) => {
            let (old, new) = (ExchangeState::ResponderMm5, ExchangeState::Phase1Complete);
            moved(ctx, common, Input::ProcessComplete, old, new);
            let up = Up {
                established,
                identity,
                initial_contact,
                proposals: Some(proposals),
                answer: Some(bytes),
            };
            (State::Deleted, Outcome::Up(Box::new(up)))
        }
        Err(refusal) => (State::Deleted, Outcome::Refused(refusal)),
    }
}

fn moved(ctx: &mut Context, common: &Common, input: Input, old: ExchangeState, new: ExchangeState) {
    ctx.debug(common.path(), || Event::StateChanged {
        input,
        message_id: 0,
        old,
        new,
    });
}

fn choose(ctx: &mut Context, common: &mut Common, policy: AgreedPolicy) {
    common.policy = Some(policy);
    ctx.debug(common.path(), || Event::PolicyChosen { policy });
}

/// Gives the SA its conn id, once there are keys.
fn number(ctx: &mut Context, common: &mut Common) {
    if common.conn_id == 0 {
        common.conn_id = ctx.next_conn_id;
        ctx.next_conn_id += 1;
    }
}

fn read_vendor_ids(ctx: &mut Context, common: &mut Common, payloads: &Unprotected) {
    for id in payloads.vendor_ids() {
        common.peer_has_dpd |= vendor::is_dpd(id);
        ctx.debug(common.path(), || Event::VendorId {
            name: vendor::name(id),
            bytes: peer_text::first(id).to_vec(),
        });
    }
}
