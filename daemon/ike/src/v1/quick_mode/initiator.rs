//! Quick mode as the initiator, on behalf of the endpoint (RFC 2409 5.5).

use std::net::IpAddr;

use super::{NegotiatedChild, between};
use crate::cause::{Cause, Phase};
use crate::child::{ChildId, ProtocolSa};
use crate::child_request::ChildRequest;
use crate::crypto::Group;
use crate::endpoint::child_life::NewChild;
use crate::endpoint::children::Child;
use crate::endpoint::{ANSWER_TIME, Endpoint, MAX_QUICK_MODES};
use crate::event::{Bound, Event, ExchangeState, Input};
use crate::flight::Flight;
use crate::id::SaId;
use crate::registry::ExchangeType;
use crate::sa::Replacement;
use crate::status::Role;
use crate::timer::Timer;
use crate::v1::quick_mode::states::{
    AwaitsAnswer, Exchange, Negotiated, Opening, Quick, QuickState, Subject,
};
use crate::v1::quick_mode::transform::{self, Terms};
use crate::v1::state::IkeSa;

impl Endpoint {
    /// Begins quick mode for a want under an established SA, or lets it wait while enough others are
    /// in progress with the peer.
    pub(crate) fn start_quick(&mut self, id: SaId, request: ChildRequest) {
        let Some(sa) = self.sas.get(&id) else {
            return self.request_lost(request, false);
        };
        let full = self.quick_modes_with(sa.common.peer()) >= MAX_QUICK_MODES;
        let ready = sa
            .live()
            .is_some_and(|live| live.replacement != Replacement::Deleted);
        if full || !ready {
            if let Some(sa) = self.sas.get_mut(&id) {
                sa.common.requests.push(request);
            }
            return;
        }
        let done = |old: ChildId| !self.children.get(old).is_some_and(Child::is_current);
        if request.rekeys.is_some_and(done) {
            // The peer has replaced it meanwhile, or it is gone.
            return self.request_over(request, false);
        }
        match self.opening(id, request) {
            Ok(opening) => self.open_quick(id, opening),
            Err(Some(cause)) => self.request_failed(id, request, ExchangeType::QUICK_MODE, cause),
            Err(None) => self.request_lost(request, false),
        }
    }

    /// Quick modes with a peer that we began and with which it is not done.
    fn quick_modes_with(&self, peer: IpAddr) -> usize {
        let now = self.ctx.now;
        let ids = self.by_peer.get(&peer).into_iter().flatten();
        let live = ids.filter_map(|id| self.sas.get(id)?.live());
        let counts = live.map(|live| {
            let asked = |quick: &&Quick| matches!(quick.state, QuickState::AwaitsAnswer(_));
            let settling = live.settling.iter().filter(|until| **until > now);
            live.quick.values().filter(asked).count() + settling.count()
        });
        counts.sum()
    }

    /// What to offer; no cause when the configuration does not have the flow any more.
    fn opening(&mut self, id: SaId, request: ChildRequest) -> Result<Opening, Option<Cause>> {
        let Some(sa) = self.sas.get(&id) else {
            return Err(None);
        };
        let (local, peer) = (sa.common.local.ip(), sa.common.peer());
        let connection = self
            .ctx
            .config
            .connection(request.connection)
            .cloned()
            .ok_or(None)?;
        let flow = connection.flow(request.flow).ok_or(None)?.clone();
        let path = sa.common.path();
        if let Some(cause) =
            self.child_not_admitted(request.connection, request.flow, Role::Initiator)
        {
            self.ctx.bound_reached(path, Bound::AdmittedChildren);
            return Err(Some(cause));
        }
        let host_to_host = between(flow.local, local) && between(flow.remote, peer);
        let offered = transform::effective(&connection.transform_sets, host_to_host);
        let group_known = connection
            .pfs
            .is_none_or(|group| Group::from_number(group).is_some());
        if offered.is_empty() || !group_known {
            let (map, sequence) = (connection.map.clone(), connection.sequence);
            return Err(Some(Cause::NothingToOffer { map, sequence }));
        }
        let terms = Terms {
            seconds: connection.lifetime.seconds,
            kilobytes: connection.lifetime.kilobytes,
            pfs: connection.pfs,
        };
        let subject = Subject {
            connection: request.connection,
            flow: request.flow,
            local: flow.local,
            remote: flow.remote,
        };
        Ok(Opening {
            request,
            subject,
            offered,
            terms,
            own: self.fresh_spis(),
        })
    }

    fn open_quick(&mut self, id: SaId, opening: Opening) {
        let message_id = self.fresh_message_id(id);
        let request = opening.request;
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let Some((common, live)) = sa.live_mut() else {
            return;
        };
        let (cookies, path) = (common.cookies, common.path());
        let exchange = Exchange {
            cookies,
            keys: &live.sa.keys,
            message_id,
        };
        let random = self.ctx.random.as_mut();
        let (state, bytes) = match opening.build(exchange, &live.sa.last_block, random) {
            Ok(built) => built,
            Err(error) => {
                let cause = crate::v1::message::too_long(Phase::Two)(error);
                return self.request_failed(id, request, ExchangeType::QUICK_MODE, cause);
            }
        };
        let state = QuickState::AwaitsAnswer(Box::new(state));
        live.quick.insert(
            message_id,
            Quick {
                state,
                flight: Flight::default(),
                began: self.ctx.now,
            },
        );
        let role = Role::Initiator;
        let kind = ExchangeType::QUICK_MODE;
        self.ctx.debug(path, || Event::ExchangeStarted {
            exchange: kind,
            role,
            message_id,
        });
        self.quick_moved(
            id,
            message_id,
            Input::InitQuickMode,
            ExchangeState::QmReady,
            ExchangeState::QmInitiator1,
        );
        self.send_quick(id, message_id, bytes, None);
    }

    /// The initiator has the answer: the inbound half, message 3, then the outbound half. When it
    /// replaces a child, that one goes on sending until the peer surely has the new one.
    pub(super) fn initiators_child(
        &mut self,
        id: SaId,
        message_id: u32,
        state: &AwaitsAnswer,
        negotiated: Negotiated,
    ) {
        self.ctx.timers.cancel(Timer::Retransmit(id, message_id));
        self.ctx.timers.set(
            self.ctx.now + ANSWER_TIME,
            Timer::ForgetAnswer(id, message_id),
        );
        let (old, new) = (ExchangeState::QmInitiator1, ExchangeState::QmInstallAwait);
        self.quick_moved(id, message_id, Input::QuickModeExchange, old, new);
        let Some(connection) = self
            .ctx
            .config
            .connection(state.subject.connection)
            .cloned()
        else {
            return self.request_lost(state.request, false);
        };
        let shortest = |ours: u32, theirs: [Option<u32>; 2]| {
            theirs
                .into_iter()
                .flatten()
                .filter(|value| *value > 0)
                .fold(ours, u32::min)
        };
        let agreement = &negotiated.agreement;
        let seconds = shortest(state.terms.seconds, [agreement.seconds, negotiated.seconds]);
        let kilobytes = match (state.terms.kilobytes, negotiated.kilobytes) {
            (Some(ours), theirs) => Some(shortest(ours, [agreement.kilobytes, theirs])),
            (None, theirs) => theirs.filter(|value| *value > 0),
        };
        let protocols = &negotiated.protocols;
        if let Some(cause) = self.spi_in_use(id, protocols.iter().map(ProtocolSa::outbound)) {
            return self.request_failed(id, state.request, ExchangeType::QUICK_MODE, cause);
        }
        let child = self.children.next_id();
        let made = NegotiatedChild {
            child,
            connection,
            subject: state.subject,
            negotiated,
            role: Role::Initiator,
            seconds,
            kilobytes,
        };
        let sa = self.child_sa(id, made);
        let Some(sa) = sa else {
            return self.request_lost(state.request, false);
        };
        let old = |old: &ChildId| self.children.get(*old).is_some();
        let replaces = state.request.rekeys.filter(old);
        self.name_transform_set(id, message_id, &state.subject, &sa.1);
        self.install_child(NewChild {
            exchange: (id, message_id),
            sa: sa.0,
            role: Role::Initiator,
            replaces,
            rival: None,
        });
        self.repeat_or_send_answer(id, message_id);
        let (old, new) = (
            ExchangeState::QmInstallAwait,
            ExchangeState::QmPhase2Complete,
        );
        self.quick_moved(id, message_id, Input::InstallDone, old, new);
        self.request_over(state.request, false);
        match replaces {
            Some(_) => self.ctx.timers.set(
                self.ctx.now + crate::endpoint::ACTIVATION_TIME,
                Timer::ActivateChild(child),
            ),
            None => self.activate_child(child),
        }
        self.next_request(id);
    }

    /// Sends message 3, kept as the answer to repeats of message 2.
    fn repeat_or_send_answer(&mut self, id: SaId, message_id: u32) {
        let answered = self
            .sas
            .get(&id)
            .and_then(|sa| sa.live()?.answered.get(&message_id));
        if let Some(bytes) = answered.map(|flight| flight.sent.clone()) {
            self.transmit_quick(id, message_id, bytes);
        }
    }

    /// Begins the quick modes that waited for others with the same peer to finish.
    pub(crate) fn next_request(&mut self, id: SaId) {
        let now = self.ctx.now;
        if let Some((_, live)) = self.sas.get_mut(&id).and_then(IkeSa::live_mut) {
            live.settling.retain(|until| *until > now);
            // The timer is one an SA: of several that settle, the next.
            if let Some(next) = live.settling.iter().min() {
                self.ctx.timers.set(*next, Timer::NextRequest(id));
            }
        }
        let Some(peer) = self.sas.get(&id).map(|sa| sa.common.peer()) else {
            return;
        };
        while self.quick_modes_with(peer) < MAX_QUICK_MODES {
            let ids = self.by_peer.get(&peer).cloned().unwrap_or_default();
            let waiting = ids.into_iter().find(|id| {
                let sa = self.sas.get(id);
                let ready = |sa: &IkeSa| {
                    sa.live()
                        .is_some_and(|l| l.replacement != Replacement::Deleted)
                };
                sa.is_some_and(|sa| ready(sa) && !sa.common.requests.is_empty())
            });
            let Some(sa) = waiting.and_then(|id| self.sas.get_mut(&id)) else {
                return;
            };
            let (from, local) = (sa.common.id, sa.common.local.ip());
            let request = sa.common.requests.remove(0);
            let id = self.usable_sa(local, peer).unwrap_or(from);
            self.start_quick(id, request);
        }
    }
}
