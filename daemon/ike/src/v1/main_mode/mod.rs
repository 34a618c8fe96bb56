//! Main mode: steps an SA from message to message (RFC 2409 5.4).
//!
//! `initiator` and `responder` hold what each state waits for, reads and sends; a state that takes a message is consumed and
//! gives the next one, or says why it goes on waiting.

use crate::cause::{Blame, Cause, Phase};
use crate::effect::{Effect, Turn, Up};
use crate::event::{Bound, DropReason, Event, ExchangeState, Input};
use crate::identity::Identity;
use crate::offer::PolicyOffer;
use crate::peer_text;
use crate::question::Question;
use crate::registry::{ExchangeType, NotifyType};
use crate::sa::Common;
use crate::secret::Secret;
use crate::status::{AgreedPolicy, Role, StateWord};
use crate::timer::SaTimer;
use crate::v1::established::Established;
use crate::v1::live::Live;
use crate::v1::message::notify_in_clear;
use crate::v1::state::{Sa, State};
use crate::v1::{Refusal, vendor};
use crate::wire::v1::{Body, Message, SecurityAssociation, Unprotected};

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
enum Step {
    /// The next message is ready, and the state that waits for its answer
    Next(State, Vec<u8>),
    /// Phase 1 is done
    Done(Box<Done>),
    /// It was not accepted; the state that goes on waiting, where there is one
    Refused(Option<State>, Refusal),
}

/// A phase 1 that is done.
struct Done {
    established: Established,
    identity: Identity,
    initial_contact: bool,
    proposals: Option<Vec<u8>>,
    /// Message 6, when it is ours to send
    answer: Option<Vec<u8>>,
}

/// Begins main mode: asks for the peer's key.
pub(crate) fn start(common: &Common, turn: &mut Turn<'_>) -> Sa {
    ask_for_key(common, turn);
    Sa::new(State::AwaitsKey(initiator::AwaitsKey))
}

/// Message 1 of a peer's negotiation: asks for its key.
pub(crate) fn offer(
    common: &mut Common,
    turn: &mut Turn<'_>,
    payloads: &Unprotected,
    digest: u64,
) -> Option<Sa> {
    started(turn, Role::Responder);
    let (old, new) = (ExchangeState::Ready, ExchangeState::ResponderMm1);
    moved(turn, Input::MainModeExchange, old, new);
    read_vendor_ids(turn, common, payloads);
    match responder::proposals(payloads) {
        Ok(proposals) => {
            ask_for_key(common, turn);
            let sa_body = proposals.body.to_vec();
            let state = State::AwaitsKeyForChoice(responder::AwaitsKey { sa_body });
            let mut sa = Sa::new(state);
            sa.flight.answers = Some(digest);
            Some(sa)
        }
        Err(refusal) => {
            offer_refused(turn, refusal);
            None
        }
    }
}

/// Message 2 for a negotiation that is not kept; false when the offer is refused.
pub(crate) fn answer_without_state(
    common: &Common,
    turn: &mut Turn<'_>,
    proposals: &responder::Proposals<'_>,
) -> bool {
    let message = choose_told(turn, proposals)
        .and_then(|choice| responder::message_2(common.cookies, choice.answer));
    match message {
        Ok(message) => {
            turn.push(Effect::Send(message));
            true
        }
        Err(refusal) => {
            offer_refused(turn, refusal);
            false
        }
    }
}

/// The negotiation of which message 3 came, for a cookie that was made and not kept: asks for the key. None when what was
/// offered can be accepted no more.
pub(crate) fn recalled(
    common: &mut Common,
    turn: &mut Turn<'_>,
    recalled: &Recalled,
    (message, digest): (Message, u64),
) -> Option<Sa> {
    common.peer_has_dpd = recalled.dpd;
    let offered = SecurityAssociation::from_body(&recalled.body).ok()?;
    let proposals = responder::Proposals {
        body: &recalled.body,
        offered: &offered,
    };
    let choice = responder::choose(turn, &proposals, |_, _, _| {}).ok()?;
    chosen(turn, common, choice.policy);
    ask_for_key(common, turn);
    let state = responder::AwaitsKeyForValue {
        sa_body: recalled.body.clone(),
        policy: choice.policy,
        message,
        digest,
    };
    Some(Sa::new(State::AwaitsKeyForValue(Box::new(state))))
}

fn ask_for_key(common: &Common, turn: &mut Turn<'_>) {
    let peer = common.remote.ip();
    turn.push(Effect::Ask(Question::PeerKey { peer }));
}

/// The peer's key came, or there is none: what waited for it goes on. None when the negotiation is over.
pub(crate) fn key_came(
    mut sa: Sa,
    common: &mut Common,
    turn: &mut Turn<'_>,
    key: Option<Secret>,
) -> Option<Sa> {
    match sa.state {
        State::AwaitsKey(state) => match state.build(turn, common, key) {
            Ok((state, message)) => {
                let peer = common.remote.ip();
                turn.debug(|| Event::KeyFound { peer });
                let (old, new) = (ExchangeState::Ready, ExchangeState::InitiatorMm1);
                moved(turn, Input::SaRequest, old, new);
                started(turn, Role::Initiator);
                sa.state = State::AwaitsChoice(Box::new(state));
                sa.send(turn, Role::Initiator, StateWord::MmNoState, message);
                Some(sa)
            }
            Err(cause) => {
                turn.push(Effect::NeverStarted(cause));
                None
            }
        },
        State::AwaitsKeyForChoice(state) => match choice_with_key(common, turn, state, key) {
            Ok((state, message)) => {
                let (old, new) = (ExchangeState::ResponderMm1, ExchangeState::ResponderMm2);
                moved(turn, Input::ProcessComplete, old, new);
                sa.state = State::AwaitsInitiatorsValue(Box::new(state));
                sa.send(turn, Role::Responder, StateWord::MmSaSetup, message);
                Some(sa)
            }
            Err(refusal) => {
                offer_refused(turn, refusal);
                None
            }
        },
        State::AwaitsKeyForValue(state) => value_with_key(common, turn, *state, key),
        state => Some(Sa { state, ..sa }),
    }
}

/// Message 2, with the key for what follows.
fn choice_with_key(
    common: &mut Common,
    turn: &mut Turn<'_>,
    state: responder::AwaitsKey,
    key: Option<Secret>,
) -> Result<(responder::AwaitsInitiatorsValue, Vec<u8>), Refusal> {
    let (offered, sa_body, key) = state.with_key(common, key)?;
    let proposals = responder::Proposals {
        body: &sa_body,
        offered: &offered,
    };
    let choice = choose_told(turn, &proposals)?;
    chosen(turn, common, choice.policy);
    let message = responder::message_2(common.cookies, choice.answer)?;
    let state = responder::AwaitsInitiatorsValue::new(key, sa_body, choice.policy);
    Ok((state, message))
}

/// Message 3 of a negotiation that was not kept, with the key. Where it is no good there is no negotiation.
fn value_with_key(
    common: &mut Common,
    turn: &mut Turn<'_>,
    state: responder::AwaitsKeyForValue,
    key: Option<Secret>,
) -> Option<Sa> {
    let responder::AwaitsKeyForValue {
        sa_body,
        policy,
        message: came,
        digest,
    } = state;
    let sa = match key {
        Some(key) => {
            let state = responder::AwaitsInitiatorsValue::new(key, sa_body, policy);
            let sa = Sa::new(State::AwaitsInitiatorsValue(Box::new(state)));
            message(sa, common, turn, &came, digest)?
        }
        None => {
            let cause = Cause::NoKey {
                peer: common.remote.ip(),
            };
            turn.dropped(DropReason::Refused, cause.to_string());
            turn.push(Effect::Withdrawn);
            return None;
        }
    };
    if sa.awaits_value() {
        turn.push(Effect::Withdrawn);
        return None;
    }
    Some(sa)
}

/// Message 1 is refused, or dropped without an answer.
pub(crate) fn offer_refused(turn: &mut Turn<'_>, refusal: Refusal) {
    match refusal {
        Refusal::Drop { reason, detail, .. } => turn.dropped(reason, detail),
        Refusal::Fail { cause, notify } => turn.push(Effect::OfferRefused { cause, notify }),
    }
}

/// Any later message of main mode; none when the negotiation is over.
pub(crate) fn message(
    sa: Sa,
    common: &mut Common,
    turn: &mut Turn<'_>,
    message: &Message,
    digest: u64,
) -> Option<Sa> {
    if sa.is_repeat(digest) {
        return Some(sa.repeat_answer(turn));
    }
    let Sa {
        flight,
        bad_messages,
        state,
    } = sa;
    let resume = |state| Sa {
        flight,
        bad_messages,
        state,
    };
    match step(common, turn, state, message) {
        Step::Next(state, bytes) => {
            let mut sa = resume(state);
            sa.flight.answers = Some(digest);
            common.provisional_cause = None;
            turn.push(Effect::Answered);
            sa.send(turn, common.role, sa.word(), bytes);
            Some(sa)
        }
        Step::Done(done) => {
            let policy = done.established.policy;
            let live = Live::new(done.established, turn);
            let mut sa = resume(State::Established(Box::new(live)));
            sa.flight.answers = Some(digest);
            // The last word of the initiator was message 5: it must not go out again.
            turn.cancel_timer(SaTimer::Retransmit(0));
            sa.flight.sent.clear();
            if let Some(bytes) = done.answer {
                sa.send(turn, common.role, StateWord::MmKeyExch, bytes);
            }
            common.identity = Some(done.identity.clone());
            common.established = Some(turn.now);
            common.provisional_cause = None;
            turn.push(Effect::Up(Box::new(Up {
                policy,
                identity: done.identity,
                initial_contact: done.initial_contact,
                proposals: done.proposals,
            })));
            Some(sa)
        }
        Step::Refused(state, refusal) => {
            let sa = state.map(resume);
            refused(sa, common, turn, refusal)
        }
    }
}

/// A message was not accepted.
fn refused(sa: Option<Sa>, common: &Common, turn: &mut Turn<'_>, refusal: Refusal) -> Option<Sa> {
    let (reason, detail, provisional_cause) = match refusal {
        Refusal::Drop {
            reason,
            detail,
            provisional_cause,
        } => (reason, detail, provisional_cause),
        Refusal::Fail { cause, notify } => {
            if let Some(notify) = notify {
                notify_in_clear(turn, common.cookies, notify);
            }
            turn.push(Effect::Failed(cause));
            return sa;
        }
    };
    turn.dropped(reason, detail);
    if let Some(cause) = &provisional_cause {
        turn.push(Effect::Provisional(cause.clone()));
    }
    let mut sa = sa?;
    sa.bad_messages += 1;
    if sa.bad_messages >= MAX_BAD_MESSAGES && sa.live().is_none() {
        // No more is looked at under the cookies of this negotiation.
        let cause = provisional_cause.or_else(|| common.provisional_cause.clone());
        let cause = cause.unwrap_or(Cause::Protocol {
            blame: Blame::Misbehaved,
            phase: Phase::One,
            came: format!("{MAX_BAD_MESSAGES} messages that could not be used"),
            expected: "the next message of main mode".into(),
        });
        turn.push(Effect::Bound(Bound::BadMessages));
        turn.push(Effect::Failed(cause));
    }
    Some(sa)
}

/// Our choice, with the comparisons told to debug; of a long offer only the first ones.
fn choose_told(
    turn: &mut Turn<'_>,
    proposals: &responder::Proposals<'_>,
) -> Result<policy::Choice, Refusal> {
    let mut compared = Vec::new();
    let debugs = turn.debugs();
    let result = responder::choose(turn, proposals, |offer, priority, differs| {
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
        turn.fact(event);
    }
    result
}

fn step(common: &mut Common, turn: &mut Turn<'_>, state: State, message: &Message) -> Step {
    match (state, &message.body) {
        (State::AwaitsChoice(state), Body::Clear(payloads)) => {
            choice(common, turn, state, message, payloads)
        }
        (State::AwaitsValue(state), Body::Clear(payloads)) => {
            initiators_proof(common, turn, *state, payloads)
        }
        (State::AwaitsProof(state), Body::Encrypted(ciphertext)) => {
            match state.process(common, ciphertext) {
                Ok((identity, iv)) => {
                    let (old, new) = (ExchangeState::InitiatorMm5, ExchangeState::InitiatorMm6);
                    moved(turn, Input::MainModeExchange, old, new);
                    let (old, new) = (ExchangeState::InitiatorMm6, ExchangeState::Phase1Complete);
                    moved(turn, Input::ProcessComplete, old, new);
                    Step::Done(Box::new(Done {
                        established: state.establish(iv),
                        identity,
                        initial_contact: false,
                        proposals: None,
                        answer: None,
                    }))
                }
                Err(refusal) => Step::Refused(Some(State::AwaitsProof(state)), refusal),
            }
        }
        (State::AwaitsInitiatorsValue(state), Body::Clear(payloads)) => {
            responders_value(common, turn, state, payloads)
        }
        (State::AwaitsInitiatorsProof(state), Body::Encrypted(ciphertext)) => {
            responders_proof(common, turn, state, ciphertext)
        }
        (state @ (State::AwaitsProof(_) | State::AwaitsInitiatorsProof(_)), Body::Clear(_)) => {
            let refusal = Refusal::Drop {
                reason: DropReason::NotEncrypted,
                detail: "main mode message in clear after the key exchange".into(),
                provisional_cause: None,
            };
            Step::Refused(Some(state), refusal)
        }
        (
            state @ (State::AwaitsKey(_)
            | State::AwaitsKeyForChoice(_)
            | State::AwaitsKeyForValue(_)),
            _,
        ) => {
            let refusal = Refusal::unexpected("main mode message before the key is known");
            Step::Refused(Some(state), refusal)
        }
        (state @ State::Established(_), _) => {
            let refusal = Refusal::unexpected("main mode message after main mode");
            Step::Refused(Some(state), refusal)
        }
        (state, Body::Encrypted(_)) => {
            let refusal =
                Refusal::unexpected("encrypted main mode message before the key exchange");
            Step::Refused(Some(state), refusal)
        }
    }
}

fn choice(
    common: &mut Common,
    turn: &mut Turn<'_>,
    state: Box<initiator::AwaitsChoice>,
    message: &Message,
    payloads: &Unprotected,
) -> Step {
    let policy = match state.process(payloads) {
        Ok(policy) => policy,
        Err(refusal) => return Step::Refused(Some(State::AwaitsChoice(state)), refusal),
    };
    let (old, new) = (ExchangeState::InitiatorMm1, ExchangeState::InitiatorMm2);
    moved(turn, Input::MainModeExchange, old, new);
    common.cookies.responder = message.header.cookies.responder;
    read_vendor_ids(turn, common, payloads);
    chosen(turn, common, policy);
    match state.build(turn, common, policy) {
        Ok((state, bytes)) => {
            let (old, new) = (ExchangeState::InitiatorMm2, ExchangeState::InitiatorMm3);
            moved(turn, Input::ProcessComplete, old, new);
            Step::Next(State::AwaitsValue(Box::new(state)), bytes)
        }
        Err(refusal) => Step::Refused(None, refusal),
    }
}

fn initiators_proof(
    common: &mut Common,
    turn: &mut Turn<'_>,
    state: initiator::AwaitsValue,
    payloads: &Unprotected,
) -> Step {
    let value = match state.process(payloads) {
        Ok(value) => value,
        Err(refusal) => return Step::Refused(Some(State::AwaitsValue(Box::new(state))), refusal),
    };
    let (old, new) = (ExchangeState::InitiatorMm3, ExchangeState::InitiatorMm4);
    moved(turn, Input::MainModeExchange, old, new);
    number(turn, common);
    read_vendor_ids(turn, common, payloads);
    match state.build(turn, common, value) {
        Ok((state, bytes)) => {
            let (old, new) = (ExchangeState::InitiatorMm4, ExchangeState::InitiatorMm5);
            moved(turn, Input::ProcessComplete, old, new);
            Step::Next(State::AwaitsProof(Box::new(state)), bytes)
        }
        Err(refusal) => Step::Refused(None, refusal),
    }
}

fn responders_value(
    common: &mut Common,
    turn: &mut Turn<'_>,
    mut state: Box<responder::AwaitsInitiatorsValue>,
    payloads: &Unprotected,
) -> Step {
    let value = match state.process(turn, payloads) {
        Ok(value) => value,
        Err(refusal) => return Step::Refused(Some(State::AwaitsInitiatorsValue(state)), refusal),
    };
    let (old, new) = (ExchangeState::ResponderMm2, ExchangeState::ResponderMm3);
    moved(turn, Input::MainModeExchange, old, new);
    number(turn, common);
    read_vendor_ids(turn, common, payloads);
    match state.build(turn, common, value) {
        Ok((state, bytes)) => {
            let (old, new) = (ExchangeState::ResponderMm3, ExchangeState::ResponderMm4);
            moved(turn, Input::ProcessComplete, old, new);
            Step::Next(State::AwaitsInitiatorsProof(Box::new(state)), bytes)
        }
        Err(refusal) => Step::Refused(None, refusal),
    }
}

fn responders_proof(
    common: &mut Common,
    turn: &mut Turn<'_>,
    state: Box<responder::AwaitsInitiatorsProof>,
    ciphertext: &crate::wire::v1::Ciphertext,
) -> Step {
    let (identity, payloads, iv) = match state.process(common, ciphertext) {
        Ok(proof) => proof,
        Err(refusal) => return Step::Refused(Some(State::AwaitsInitiatorsProof(state)), refusal),
    };
    let (old, new) = (ExchangeState::ResponderMm4, ExchangeState::ResponderMm5);
    moved(turn, Input::MainModeExchange, old, new);
    let initial_contact = payloads
        .notifications()
        .any(|notification| notification.kind == NotifyType::INITIAL_CONTACT);
    match state.build(turn, common, iv) {
        Ok((established, bytes, proposals)) => {
            let (old, new) = (ExchangeState::ResponderMm5, ExchangeState::Phase1Complete);
            moved(turn, Input::ProcessComplete, old, new);
            Step::Done(Box::new(Done {
                established,
                identity,
                initial_contact,
                proposals: Some(proposals),
                answer: Some(bytes),
            }))
        }
        Err(refusal) => Step::Refused(None, refusal),
    }
}

/// What the silence of a peer in main mode means.
pub(crate) fn silence(state: &State, common: &Common) -> Cause {
    let silence = |message: &str, offered: String| Cause::NoAnswer {
        phase: Phase::One,
        message: message.into(),
        offered,
    };
    match state {
        State::AwaitsChoice(state) => {
            let offered: Vec<_> = state.offered.iter().map(ToString::to_string).collect();
            silence("main mode 1", offered.join(", "))
        }
        State::AwaitsProof(_) => Cause::KeyDiffers {
            peer: common.remote.ip(),
            certain: false,
            seen: "peer did not answer our proof (main mode 5)".into(),
        },
        _ => silence("main mode 3", agreed(common)),
    }
}

fn agreed(common: &Common) -> String {
    let Some(policy) = common.policy else {
        return PolicyOffer::default().to_string();
    };
    format!(
        "{}/{}/group {}",
        policy.encryption, policy.hash, policy.group.0
    )
}

fn started(turn: &mut Turn<'_>, role: Role) {
    turn.debug(|| Event::ExchangeStarted {
        exchange: ExchangeType::IDENTITY_PROTECTION,
        role,
        message_id: 0,
    });
}

fn moved(turn: &mut Turn<'_>, input: Input, old: ExchangeState, new: ExchangeState) {
    turn.debug(|| Event::StateChanged {
        input,
        message_id: 0,
        old,
        new,
    });
}

fn chosen(turn: &mut Turn<'_>, common: &mut Common, policy: AgreedPolicy) {
    common.policy = Some(policy);
    turn.debug(|| Event::PolicyChosen { policy });
}

/// Gives the SA its conn id, once there are keys.
fn number(turn: &mut Turn<'_>, common: &mut Common) {
    if common.conn_id == 0 {
        common.conn_id = turn.number();
    }
}

fn read_vendor_ids(turn: &mut Turn<'_>, common: &mut Common, payloads: &Unprotected) {
    for id in payloads.vendor_ids() {
        common.peer_has_dpd |= vendor::is_dpd(id);
        turn.debug(|| Event::VendorId {
            name: vendor::name(id),
            bytes: peer_text::first(id).to_vec(),
        });
    }
}
