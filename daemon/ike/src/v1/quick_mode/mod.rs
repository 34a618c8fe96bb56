//! Quick mode on behalf of the endpoint: what both roles share (RFC 2409 5.5).
//!
//! `initiator` and `responder` are the two ends, `states` what they wait for; `transform` and `proxy` are
//! proposals and proxy identities.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::algorithm::IpsecProtocol;
use crate::cause::{Blame, Cause, Phase};
use crate::child::{ChildId, ChildSa};
use crate::child_request::ChildRequest;
use crate::config::Connection;
use crate::endpoint::children::Child;
use crate::endpoint::{Endpoint, retransmit_after};
use crate::event::{DropReason, Event, ExchangeState, Input};
use crate::flight::Flight;
use crate::id::SaId;
use crate::registry::{ExchangeType, ProtocolId};
use crate::sa::Common;
use crate::sa::Replacement;
use crate::selector::Selector;
use crate::status::Role;
use crate::timer::Timer;
use crate::v1::live::GivenUp;
use crate::v1::quick_mode::states::{
    Exchange, Negotiated, Quick, QuickError, QuickState, Subject, protocol_number,
};
use crate::v1::quick_mode::transform::OwnSpis;
use crate::v1::state::IkeSa;
use crate::wire::v1::{Body, Ciphertext, Message};

mod initiator;
pub(crate) mod proxy;
mod responder;
pub(crate) mod states;
pub(crate) mod transform;

/// What a quick mode made, for the kernel.
pub(super) struct NegotiatedChild {
    pub(super) child: ChildId,
    pub(super) connection: Arc<Connection>,
    pub(super) subject: Subject,
    pub(super) negotiated: Negotiated,
    pub(super) role: Role,
    pub(super) seconds: u32,
    pub(super) kilobytes: Option<u32>,
}

impl Endpoint {
    /// A quick mode message for an SA.
    pub(crate) fn quick_mode_message(&mut self, id: SaId, message: &Message, digest: u64) {
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let path = sa.common.path();
        let message_id = message.header.message_id;
        let drop = |reason, detail: &str| (reason, detail.to_owned());
        let refused = match (&message.body, sa.live_mut()) {
            (_, None) => drop(
                DropReason::Unexpected,
                "quick mode before main mode is done",
            ),
            (Body::Clear(_), _) => drop(DropReason::NotEncrypted, "quick mode message in clear"),
            (_, Some(_)) if message_id == 0 => {
                drop(DropReason::Unexpected, "quick mode with message id 0")
            }
            (_, Some((_, live))) if live.replacement == Replacement::Deleted => drop(
                DropReason::Unexpected,
                "quick mode after the SA was deleted",
            ),
            (_, Some((_, live))) if live.given_up.contains_key(&message_id) => {
                if let Some(inbound) = live.given_up.get_mut(&message_id).and_then(GivenUp::tell) {
                    self.send_deletes(id, inbound);
                }
                drop(
                    DropReason::Repeat,
                    "answer to a quick mode that was given up",
                )
            }
            (Body::Encrypted(ciphertext), Some((_, live))) => {
                let in_progress = live.quick.get(&message_id).map(|quick| &quick.flight);
                match in_progress.or_else(|| live.answered.get(&message_id)) {
                    Some(flight) if flight.answers == Some(digest) => {
                        return self.repeat_quick(id, message_id);
                    }
                    Some(_) if live.quick.contains_key(&message_id) => {
                        return self.continue_quick(id, message_id, ciphertext, digest);
                    }
                    None if !live.ids.is_used(message_id) => {
                        return self.quick_mode_request(id, message_id, ciphertext, digest);
                    }
                    _ => drop(
                        DropReason::Repeat,
                        "quick mode message of a finished exchange",
                    ),
                }
            }
        };
        self.ctx.drop_datagram(path, refused.0, refused.1);
    }

    fn continue_quick(&mut self, id: SaId, message_id: u32, ciphertext: &Ciphertext, digest: u64) {
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let Some((common, live)) = sa.live_mut() else {
            return;
        };
        let Some(quick) = live.quick.remove(&message_id) else {
            return;
        };
        let exchange = Exchange {
            cookies: common.cookies,
            keys: &live.sa.keys,
            message_id,
        };
        let error = match &quick.state {
            QuickState::AwaitsAnswer(state) => match state.process(exchange, ciphertext) {
                Ok((negotiated, bytes)) => {
                    live.heard = self.ctx.now;
                    let flight = Flight {
                        sent: bytes,
                        answers: Some(digest),
                        ..Flight::default()
                    };
                    live.answered.insert(message_id, flight);
                    let settled = self.ctx.now + settling_time(self.ctx.now.since(quick.began));
                    live.settling.push(settled);
                    self.ctx.timers.set(settled, Timer::NextRequest(id));
                    return self.initiators_child(id, message_id, state, negotiated);
                }
                Err(error) => error,
            },
            QuickState::AwaitsConfirmation(state) => match state.process(exchange, ciphertext) {
                Ok(()) => {
                    live.heard = self.ctx.now;
                    return self.responders_child_confirmed(id, message_id, state);
                }
                Err(error) => error,
            },
        };
        live.quick.insert(message_id, quick);
        self.quick_error(id, message_id, error);
    }

    pub(super) fn quick_error(&mut self, id: SaId, message_id: u32, error: QuickError) {
        let Some(path) = self.sas.get(&id).map(|sa| sa.common.path()) else {
            return;
        };
        match error {
            QuickError::Undecryptable(detail) => {
                self.ctx
                    .drop_datagram(path, DropReason::Undecryptable, detail);
            }
            QuickError::BadHash => {
                let detail = "hash of a quick mode message is wrong".into();
                self.ctx.drop_datagram(path, DropReason::BadHash, detail);
            }
            QuickError::Refused(cause, notify) => {
                self.ctx
                    .drop_datagram(path, DropReason::Refused, cause.to_string());
                self.send_notify(id, ProtocolId::ESP, notify, Vec::new());
                self.quick_mode_failed(id, message_id, cause);
            }
        }
    }

    /// Puts together what the kernel needs, and the name of the transform set.
    pub(super) fn child_sa(
        &mut self,
        id: SaId,
        made: NegotiatedChild,
    ) -> Option<(ChildSa, String)> {
        let common = &self.sas.get(&id)?.common;
        let (local, remote) = (common.local.ip(), common.peer());
        let agreement = made.negotiated.agreement;
        let sa = ChildSa {
            id: made.child,
            connection: made.connection.id,
            flow: made.subject.flow,
            local,
            remote,
            mode: agreement.mode,
            local_selector: made.subject.local,
            remote_selector: made.subject.remote,
            protocols: made.negotiated.protocols,
            lifetime: self.lifetimes(made.seconds, made.kilobytes, made.role),
            replay_window: made.connection.replay_window,
            df_bit: made.connection.df_bit,
            pfs: agreement.pfs,
        };
        Some((sa, agreement.set.name))
    }

    pub(super) fn name_transform_set(
        &mut self,
        id: SaId,
        message_id: u32,
        subject: &Subject,
        name: &str,
    ) {
        let Some(path) = self.sas.get(&id).map(|sa| sa.common.path()) else {
            return;
        };
        let (local, remote) = (subject.local, subject.remote);
        self.ctx.debug(path, || Event::TransformSetChosen {
            message_id,
            name: name.to_owned(),
            local,
            remote,
        });
    }

    /// Sends a quick mode message and repeats it until it is answered.
    pub(super) fn send_quick(
        &mut self,
        id: SaId,
        message_id: u32,
        bytes: Vec<u8>,
        answers: Option<u64>,
    ) {
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let Some((_, live)) = sa.live_mut() else {
            return;
        };
        if let Some(quick) = live.quick.get_mut(&message_id) {
            quick.flight = Flight {
                sent: bytes.clone(),
                answers,
                ..Flight::default()
            };
        }
        self.ctx.timers.set(
            self.ctx.now + retransmit_after(0),
            Timer::Retransmit(id, message_id),
        );
        self.transmit_quick(id, message_id, bytes);
    }

    pub(crate) fn transmit_quick(&mut self, id: SaId, message_id: u32, bytes: Vec<u8>) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (path, role, state) = (sa.common.path(), sa.common.role, sa.state.word());
        let (exchange, length) = (ExchangeType::QUICK_MODE, bytes.len());
        self.ctx.transmit(path, bytes);
        self.ctx.debug(path, || Event::PacketSent {
            exchange,
            message_id,
            role,
            state,
            length,
        });
    }

    pub(super) fn quick_moved(
        &mut self,
        id: SaId,
        message_id: u32,
        input: Input,
        old: ExchangeState,
        new: ExchangeState,
    ) {
        let Some(path) = self.sas.get(&id).map(|sa| sa.common.path()) else {
            return;
        };
        self.ctx.debug(path, || Event::StateChanged {
            input,
            message_id,
            old,
            new,
        });
    }

    /// Ends a quick mode that failed, with whatever it had installed.
    pub(crate) fn quick_mode_failed(&mut self, id: SaId, message_id: u32, cause: Cause) {
        self.ctx.timers.cancel(Timer::Retransmit(id, message_id));
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let path = sa.common.path();
        let Some((_, live)) = sa.live_mut() else {
            return;
        };
        let Some(quick) = live.quick.remove(&message_id) else {
            return;
        };
        match quick.state {
            QuickState::AwaitsAnswer(state) => {
                self.request_failed(id, state.request, ExchangeType::QUICK_MODE, cause);
            }
            QuickState::AwaitsConfirmation(state) => {
                let child = self.children.get(state.child);
                let connection = child.map(|child| child.sa.connection);
                if child.is_some_and(|child| child.phase.up().is_some()) {
                    // Confirmed in another way.
                    return self.next_request(id);
                }
                // The initiator may have it: its message 3 could be what was lost.
                self.send_deletes(id, state.inbound.clone());
                let superfluous = self.has_current_sibling(state.child);
                self.abort_child(state.child);
                if let Some(connection) = connection.filter(|_| !superfluous) {
                    let (exchange, role) = (ExchangeType::QUICK_MODE, Role::Responder);
                    self.negotiation_failed_on(path, exchange, role, Some(connection), cause);
                }
            }
        }
        self.next_request(id);
    }

    /// The peer's quick mode for a flow is done: what waits to begin one for the same flow need not.
    /// One that is on its way goes on: the peer may have answered it already.
    pub(super) fn call_off_waiting(&mut self, id: SaId, child: ChildId) {
        let (Some(child), Some(sa)) = (self.children.get(child), self.sas.get(&id)) else {
            return;
        };
        let flow = (child.sa.connection, child.sa.flow);
        let ids = self.by_peer.get(&sa.common.peer()).cloned();
        for id in ids.unwrap_or_default() {
            let Some(sa) = self.sas.get_mut(&id) else {
                continue;
            };
            let same = |request: &mut ChildRequest| (request.connection, request.flow) == flow;
            let over: Vec<_> = sa.common.requests.extract_if(.., same).collect();
            for request in over {
                self.request_over(request, false);
            }
        }
    }

    /// Our own quick mode for a flow that the peer has not answered.
    pub(super) fn own_quick_mode_for(&self, id: SaId, subject: &Subject) -> Option<(SaId, u32)> {
        let peer = self.sas.get(&id)?.common.peer();
        let flow = (subject.connection, subject.flow);
        let asks = |quick: &Quick| match &quick.state {
            QuickState::AwaitsAnswer(state) => {
                (state.subject.connection, state.subject.flow) == flow
            }
            QuickState::AwaitsConfirmation(_) => false,
        };
        self.by_peer.get(&peer)?.iter().find_map(|id| {
            let mut quick = self.sas.get(id)?.live()?.quick.iter();
            let (message_id, _) = quick.find(|(_, quick)| asks(quick))?;
            Some((*id, *message_id))
        })
    }

    /// True when another child already serves the same flow.
    fn has_current_sibling(&self, id: ChildId) -> bool {
        let Some(child) = self.children.get(id) else {
            return false;
        };
        let siblings = self.children.of_flow(child.sa.connection, child.sa.flow);
        siblings
            .into_iter()
            .any(|other| other != id && self.children.get(other).is_some_and(Child::is_current))
    }

    /// Ends every quick mode of an SA that goes away; none begins under it any more.
    pub(crate) fn end_quick_modes(&mut self, id: SaId, cause: impl Fn(&Common) -> Cause) {
        if let Some((_, live)) = self.sas.get_mut(&id).and_then(IkeSa::live_mut) {
            live.replacement = Replacement::Deleted;
        }
        loop {
            let Some(sa) = self.sas.get(&id) else { return };
            let Some(live) = sa.live() else { return };
            let Some(message_id) = live.quick.keys().next().copied() else {
                return;
            };
            let cause = cause(&sa.common);
            self.quick_mode_failed(id, message_id, cause);
        }
    }

    /// Why a child cannot be: the peer wants to receive it under an SPI under which it receives another
    /// one. In the kernel the two would be one.
    pub(super) fn spi_in_use(
        &self,
        id: SaId,
        outbound: impl IntoIterator<Item = (IpsecProtocol, u32)>,
    ) -> Option<Cause> {
        let peer = self.sas.get(&id)?.common.peer();
        let used = |(protocol, spi): &(IpsecProtocol, u32)| {
            let known = self
                .children
                .by_outbound(peer, protocol_number(*protocol), *spi);
            known.is_some()
        };
        let (_, spi) = outbound.into_iter().find(used)?;
        Some(Cause::Protocol {
            blame: Blame::Misbehaved,
            phase: Phase::Two,
            came: format!("SPI {spi:#010x} again, under which {peer} receives already"),
            expected: "an SPI that is not in use".into(),
        })
    }

    /// SPIs that no SA of ours has.
    pub(super) fn fresh_spis(&mut self) -> OwnSpis {
        let mut spi = |protocol| loop {
            let spi = u32::from_be_bytes(self.ctx.random_bytes());
            if spi >= 256 && self.children.is_free(protocol, spi) {
                return spi;
            }
        };
        OwnSpis {
            ah: spi(IpsecProtocol::Ah),
            esp: spi(IpsecProtocol::Esp),
        }
    }
}

/// How long the peer may be busy with message 3, from the time that it took to answer message 1. A peer
/// that is given the next message 1 at once may take the two in the wrong order, and has one exchange
/// more to keep in mind.
fn settling_time(answer: Duration) -> Duration {
    answer.clamp(Duration::from_millis(10), Duration::from_millis(100))
}

/// True when a selector is exactly this address.
pub(super) fn between(selector: Selector, address: IpAddr) -> bool {
    selector.single() == Some(address)
}
