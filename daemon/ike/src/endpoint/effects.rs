//! Gives SAs their tasks and carries out what they answer.

use std::mem;
use std::net::IpAddr;
use std::time::Duration;

use super::Endpoint;
use super::admission::Gate;
use super::children::Children;
use crate::algorithm::IpsecProtocol;
use crate::cause::Cause;
use crate::child::{ChildId, ChildSa, OwnSpis};
use crate::child_request::Subject;
use crate::config::{AdmissionLimits, DfBit};
use crate::effect::{Effect, NewChild, Tables, Turn};
use crate::event::{Bound, DownReason, DropReason, Event};
use crate::id::{Path, PeerId, SaId};
use crate::random::Randomness;
use crate::registry::{ExchangeType, NotifyType, ProtocolId};
use crate::sa::{Common, State};
use crate::status::Role;
use crate::task::Task;
use crate::time::Instant;
use crate::timer::{ChildTimer, SaTimer, Timer};
use crate::v1;

/// How long a peer may take to install what quick mode message 3 confirms. Short, since with a volume limit the old SA may be
/// used up meanwhile.
const ACTIVATION_TIME: Duration = Duration::from_millis(250);

/// What an exchange may ask of the endpoint.
pub(super) struct View<'a> {
    pub(super) id: SaId,
    pub(super) peer: PeerId,
    pub(super) address: IpAddr,
    pub(super) children: &'a mut Children,
    pub(super) gate: &'a mut Gate,
    pub(super) limits: AdmissionLimits,
    pub(super) is_lonely: bool,
    pub(super) too_many_unconfirmed: bool,
}

impl Tables for View<'_> {
    fn by_outbound(&self, peer: IpAddr, protocol: ProtocolId, spi: u32) -> Option<ChildId> {
        self.children.by_outbound(peer, protocol, spi)
    }

    fn child_of_peer(&self, protocol: ProtocolId, spi: u32) -> Option<ChildId> {
        let child = self.children.by_outbound(self.address, protocol, spi)?;
        let is_its = self.children.get(child)?.peer == self.peer;
        is_its.then_some(child)
    }

    fn fresh_spis(&self, random: &mut dyn Randomness) -> OwnSpis {
        let mut spi = |protocol| loop {
            let mut bytes = [0; 8];
            random.fill(&mut bytes[..4]);
            let [a, b, c, d, ..] = bytes;
            let spi = u32::from_be_bytes([a, b, c, d]);
            if spi >= 256 && self.children.is_free(protocol, spi) {
                return spi;
            }
        };
        OwnSpis {
            ah: spi(IpsecProtocol::Ah),
            esp: spi(IpsecProtocol::Esp),
        }
    }

    fn next_child(&mut self) -> ChildId {
        self.children.next_id()
    }

    fn child_not_admitted(&mut self, subject: &Subject, role: Role) -> Option<Cause> {
        let children = &*self.children;
        self.gate
            .child_not_admitted(children, self.limits, subject, role)
    }

    fn unread_child(&self, now: Instant) -> Option<ChildId> {
        self.children.unread(self.peer, self.id, now)
    }

    fn has_child_of(&self, message_id: u32) -> bool {
        let children = self.children.of_peer(self.peer).into_iter();
        let mut alive = children
            .filter_map(|child| self.children.get(child))
            .filter(|child| child.exchange == (self.id, message_id) && !child.phase.is_going());
        alive.next().is_some()
    }

    fn is_lonely(&self) -> bool {
        self.is_lonely
    }

    fn too_many_unconfirmed(&self) -> bool {
        self.too_many_unconfirmed
    }
}

impl Endpoint {
    /// Gives an SA a task, and carries out what comes of it.
    pub(crate) fn give(&mut self, id: SaId, task: Task<'_>) {
        let is_lonely = self.is_lonely(id);
        let too_many_unconfirmed = self.too_many_unconfirmed(id);
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let path = sa.common.path();
        let mut view = View {
            id,
            peer: sa.common.peer,
            address: path.remote.ip(),
            children: &mut self.children,
            gate: &mut self.gate,
            limits: self.ctx.config.admission,
            is_lonely,
            too_many_unconfirmed,
        };
        let mut turn = Turn::new(&mut self.ctx, &mut view, path);
        let state = mem::replace(&mut sa.state, State::Deleted);
        sa.state = state.take(&mut sa.common, &mut turn, task);
        let effects = turn.into_effects();
        self.apply(id, effects);
    }

    /// A step for which there is no SA in the tables, or not yet; gives its effects, to be carried out once there is one.
    pub(super) fn step_without_sa<R>(
        &mut self,
        (id, peer): (SaId, PeerId),
        path: Path,
        step: impl FnOnce(&mut Turn<'_>) -> R,
    ) -> (R, Vec<Effect>) {
        let mut view = View {
            id,
            peer,
            address: path.remote.ip(),
            children: &mut self.children,
            gate: &mut self.gate,
            limits: self.ctx.config.admission,
            is_lonely: false,
            too_many_unconfirmed: false,
        };
        let mut turn = Turn::new(&mut self.ctx, &mut view, path);
        let result = step(&mut turn);
        let effects = turn.into_effects();
        (result, effects)
    }

    /// Carries out effects on behalf of an SA.
    pub(super) fn apply(&mut self, id: SaId, effects: Vec<Effect>) {
        for effect in effects {
            self.apply_one(id, effect);
        }
    }

    fn apply_one(&mut self, id: SaId, effect: Effect) {
        match effect {
            Effect::Fact(path, event) => self.ctx.fact(path, event),
            Effect::SetTimer(timer, at) => self.ctx.timers.set(at, Timer::Sa(id, timer)),
            Effect::CancelTimer(timer) => self.ctx.timers.cancel(Timer::Sa(id, timer)),
            Effect::Answered => self.gate.half_open.answered(id),
            Effect::Ask(question) => self.ask(id, question),
            Effect::NeverStarted(cause) => {
                if let Some(sa) = self.remove_quietly(id) {
                    self.phase1_never_started(sa.common, cause);
                }
            }
            Effect::Withdrawn => drop(self.remove_quietly(id)),
            Effect::OfferRefused { cause, notify } => {
                if let Some(sa) = self.remove_quietly(id) {
                    self.offer_refused(&sa.common, cause, notify);
                }
            }
            Effect::Up(up) => self.ike_up(id, *up),
            Effect::Provisional(cause) => self.set_provisional_cause(id, cause),
            Effect::Failed(cause) => self.phase1_failed(id, cause),
            Effect::ChildAgreed(new) => self.child_agreed(id, *new),
            Effect::ChildConfirmed {
                child,
                inbound,
                then,
            } => self.child_confirmed(id, child, inbound, then),
            Effect::ChildUnconfirmed {
                child,
                inbound,
                cause,
            } => self.child_unconfirmed(id, child, inbound, cause),
            Effect::ChildAborted(child) => self.child_aborted(child),
            Effect::RequestFailed(request, cause) => self.request_failed(id, request, cause),
            Effect::RequestCutShort(request) => self.request_lost(request, false),
            Effect::NextRequest => self.next_request(id),
            Effect::ChildUnknown(child) => self.child_unknown_to_peer(child),
            Effect::ConfirmationUnread(child) => self.confirmation_unread(child),
            Effect::ConfirmationAskedAgain {
                message_id,
                repeats,
            } => self.confirmation_asked_again(id, message_id, repeats),
            Effect::InitialContact => self.initial_contact(id),
            Effect::PeerDead(tries) => self.peer_dead(id, tries),
            Effect::Silent(request) => {
                // Begin again with phase 1, once.
                self.delete_ike(id, DownReason::PeerDead);
                self.request_child(request, None);
            }
            Effect::MessageIds { full } => self.message_ids_used(id, full),
            effect => self.apply_with_path(id, effect),
        }
    }

    /// Carries out what needs to know between whom it is.
    fn apply_with_path(&mut self, id: SaId, effect: Effect) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (path, peer) = (sa.common.path(), sa.common.peer);
        match effect {
            Effect::Dropped(reason, detail) => self.ctx.drop_datagram(path, reason, detail),
            Effect::Bound(bound) => self.ctx.bound_reached(path, bound),
            Effect::Send(bytes) => self.ctx.transmit(path, bytes),
            Effect::PeersRequestFailed(cause) => {
                let (exchange, role) = (ExchangeType::QUICK_MODE, Role::Responder);
                let connection = self.connection_of(&cause, path.remote.ip());
                self.negotiation_failed_on(path, exchange, role, connection, cause);
            }
            Effect::ChildDeleted(protocol, spi) => {
                let child = self.children.by_outbound(path.remote.ip(), protocol, spi);
                let child = child.and_then(|child| self.children.get(child));
                if let Some(child) = child.filter(|child| child.peer == peer) {
                    self.child_deleted_by_peer(child.sa.id);
                }
            }
            Effect::Deleted(cookies) => self.ike_deleted_by_cookies(peer, cookies),
            _ => {}
        }
    }

    /// The peer deletes the SA with these cookies.
    fn ike_deleted_by_cookies(&mut self, peer: PeerId, cookies: [u8; 16]) {
        let named = self.sas_of(peer).into_iter().find(|id| {
            let sa = self.sas.get(id);
            sa.is_some_and(|sa| sa.common.cookies.bytes() == cookies)
        });
        if let Some(named) = named {
            self.ike_deleted_by_peer(named);
        }
    }

    /// Both ends agree on a child. The inbound half goes in before the message goes out that lets the peer use it. When a child
    /// of ours replaces another, that one goes on sending until the peer surely has the new one.
    fn child_agreed(&mut self, id: SaId, mut new: NewChild) {
        let Some(path) = self.sas.get(&id).map(|sa| sa.common.path()) else {
            return;
        };
        let Some(connection) = self.ctx.config.connection(new.subject.connection) else {
            return;
        };
        let (replay_window, df_bit) = (connection.replay_window, connection.df_bit);
        let child = new.id.unwrap_or_else(|| self.children.next_id());
        let there = |old: &ChildId| self.children.get(*old).is_some();
        let replaces = new.request.and_then(|request| request.rekeys).filter(there);
        let sa = self.child_sa(path, child, &mut new, (replay_window, df_bit));
        let (message_id, subject, name) = (new.message_id, new.subject, new.set);
        self.ctx.debug(path, || Event::TransformSetChosen {
            message_id,
            name,
            local: subject.local,
            remote: subject.remote,
        });
        let rival = match new.role {
            Role::Initiator => None,
            Role::Responder => self.own_exchange_for(id, &subject),
        };
        self.install_child((id, message_id), sa, new.role, replaces, rival);
        self.apply(id, new.then);
        let Some(request) = new.request else { return };
        self.request_over(request, false);
        match replaces {
            Some(_) => self.ctx.timers.set(
                self.ctx.now + ACTIVATION_TIME,
                Timer::Child(child, ChildTimer::Activate),
            ),
            None => self.activate_child(child),
        }
        self.next_request(id);
    }

    /// Puts together what the kernel needs.
    fn child_sa(
        &mut self,
        path: Path,
        id: ChildId,
        new: &mut NewChild,
        (replay_window, df_bit): (u32, DfBit),
    ) -> ChildSa {
        ChildSa {
            id,
            connection: new.subject.connection,
            flow: new.subject.flow,
            local: path.local.ip(),
            remote: path.remote.ip(),
            mode: new.mode,
            local_selector: new.subject.local,
            remote_selector: new.subject.remote,
            protocols: mem::take(&mut new.protocols),
            lifetime: self.lifetimes(new.seconds, new.kilobytes, new.role),
            replay_window,
            df_bit,
            pfs: new.pfs,
        }
    }

    /// The initiator has the child of its exchange.
    fn child_confirmed(
        &mut self,
        id: SaId,
        child: ChildId,
        inbound: Vec<(ProtocolId, u32)>,
        then: Vec<Effect>,
    ) {
        if self.children.get(child).is_none() {
            // Our kernel did not take it, or it was cleared meanwhile.
            return self.send_deletes(id, inbound);
        }
        self.activate_child(child);
        self.bound_children(child);
        self.call_off_waiting(id, child);
        self.apply(id, then);
        self.next_request(id);
    }

    /// The peer did not confirm a child that it asked for.
    fn child_unconfirmed(
        &mut self,
        id: SaId,
        child: ChildId,
        inbound: Vec<(ProtocolId, u32)>,
        cause: Cause,
    ) {
        let known = self.children.get(child);
        let connection = known.map(|child| child.sa.connection);
        if known.is_some_and(|child| child.phase.up().is_some()) {
            // Confirmed in another way.
            return;
        }
        // The initiator may have it: its message 3 could be what was lost.
        self.send_deletes(id, inbound);
        let superfluous = self.has_current_sibling(child);
        self.abort_child(child);
        let path = self.sas.get(&id).map(|sa| sa.common.path());
        if let (Some(path), Some(connection)) = (path, connection.filter(|_| !superfluous)) {
            let (exchange, role) = (ExchangeType::QUICK_MODE, Role::Responder);
            self.negotiation_failed_on(path, exchange, role, Some(connection), cause);
        }
    }

    fn child_aborted(&mut self, child: ChildId) {
        let known = self.children.get(child);
        if known.is_some_and(|child| child.phase.up().is_none()) {
            self.abort_child(child);
        }
    }

    /// Carries out the effects of the first message of a negotiation that is not kept.
    pub(super) fn apply_without_sa(&mut self, common: &Common, effects: Vec<Effect>) {
        let path = common.path();
        for effect in effects {
            match effect {
                Effect::Fact(path, event) => self.ctx.fact(path, event),
                Effect::Dropped(reason, detail) => self.ctx.drop_datagram(path, reason, detail),
                Effect::Send(bytes) => self.ctx.transmit(path, bytes),
                Effect::OfferRefused { cause, notify } => self.offer_refused(common, cause, notify),
                _ => {}
            }
        }
    }

    /// Message 1 is refused: told and answered, up to a limit.
    fn offer_refused(&mut self, common: &Common, cause: Cause, notify: Option<NotifyType>) {
        let path = common.path();
        let reason = DropReason::Refused;
        self.ctx
            .drop_datagram_with(path, reason, || cause.to_string());
        if !self.gate.refusals.allow(self.ctx.now) {
            return self.ctx.bound_reached(path, Bound::Refusals);
        }
        if let Some(notify) = notify {
            let ((), effects) = self.step_without_sa((common.id, common.peer), path, |turn| {
                v1::message::notify_in_clear(turn, common.cookies, notify);
            });
            self.apply_without_sa(common, effects);
        }
        self.negotiation_failed(common, Role::Responder, None, cause);
    }

    /// Sets a timer of an SA.
    pub(super) fn set_sa_timer(&mut self, id: SaId, timer: SaTimer, at: Instant) {
        self.ctx.timers.set(at, Timer::Sa(id, timer));
    }

    /// Forgets a timer of an SA.
    pub(super) fn cancel_sa_timer(&mut self, id: SaId, timer: SaTimer) {
        self.ctx.timers.cancel(Timer::Sa(id, timer));
    }
}
