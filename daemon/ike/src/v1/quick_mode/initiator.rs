//! Quick mode as the initiator (RFC 2409 5.5).

use super::{between, moved, sent};
use crate::cause::{Cause, Phase};
use crate::child::{OwnSpis, ProtocolSa};
use crate::child_request::ChildRequest;
use crate::config::Connection;
use crate::crypto::Group;
use crate::effect::{Effect, NewChild, Turn, spi_in_use};
use crate::event::{Event, ExchangeState, Input};
use crate::flight::{ANSWER_TIME, Flight};
use crate::registry::ExchangeType;
use crate::sa::Common;
use crate::status::Role;
use crate::timer::SaTimer;
use crate::v1::live::Live;
use crate::v1::message::too_long;
use crate::v1::quick_mode::states::{
    AwaitsAnswer, Exchange, Negotiated, Opening, Quick, QuickState,
};
use crate::v1::quick_mode::transform::{self, Terms};

/// What to offer for a child.
fn opening(
    common: &Common,
    request: ChildRequest,
    connection: &Connection,
    own: OwnSpis,
) -> Result<Opening, Cause> {
    let (local, peer) = (common.local.ip(), common.remote.ip());
    let subject = request.subject;
    let host_to_host = between(subject.local, local) && between(subject.remote, peer);
    let offered = transform::effective(&connection.transform_sets, host_to_host);
    let group_known = connection
        .pfs
        .is_none_or(|group| Group::from_number(group).is_some());
    if offered.is_empty() || !group_known {
        let origin = connection.origin.clone();
        return Err(Cause::NothingToOffer { origin });
    }
    let terms = Terms {
        seconds: connection.lifetime.seconds,
        kilobytes: connection.lifetime.kilobytes,
        pfs: connection.pfs,
    };
    Ok(Opening {
        request,
        offered,
        terms,
        own,
    })
}

impl Live {
    /// Begins a quick mode: message 1.
    pub(crate) fn start_quick(
        &mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        request: ChildRequest,
        connection: &Connection,
    ) -> Result<(), Cause> {
        let own = turn.tables.fresh_spis(turn.random);
        let opening = opening(common, request, connection, own)?;
        let message_id = self.ids.draw();
        let exchange = Exchange {
            cookies: common.cookies,
            keys: &self.sa.keys,
            message_id,
        };
        let built = opening.build(exchange, &self.sa.last_block, turn.random);
        let (state, bytes) = built.map_err(too_long(Phase::Two))?;
        self.quick.insert(
            message_id,
            Quick {
                state: QuickState::AwaitsAnswer(Box::new(state)),
                flight: Flight::default(),
                began: turn.now,
            },
        );
        turn.debug(|| Event::ExchangeStarted {
            exchange: ExchangeType::QUICK_MODE,
            role: Role::Initiator,
            message_id,
        });
        let (old, new) = (ExchangeState::QmReady, ExchangeState::QmInitiator1);
        moved(turn, message_id, Input::InitQuickMode, old, new);
        self.send_quick(common, turn, message_id, bytes, None);
        Ok(())
    }
}

/// Message 2 is accepted, and message 3 goes out once the child receives.
pub(super) fn agreed(
    common: &Common,
    turn: &mut Turn<'_>,
    message_id: u32,
    state: &AwaitsAnswer,
    negotiated: Negotiated,
    message_3: Vec<u8>,
) {
    turn.cancel_timer(SaTimer::Retransmit(message_id));
    let forget = turn.now + ANSWER_TIME;
    turn.set_timer(SaTimer::ForgetAnswer(message_id), forget);
    let (old, new) = (ExchangeState::QmInitiator1, ExchangeState::QmInstallAwait);
    moved(turn, message_id, Input::QuickModeExchange, old, new);
    let (peer, request) = (common.remote.ip(), state.request);
    if turn.config.connection(request.subject.connection).is_none() {
        return turn.push(Effect::RequestCutShort(request));
    }
    let outbound = negotiated.protocols.iter().map(ProtocolSa::outbound);
    if let Some(cause) = spi_in_use(turn.tables, peer, outbound) {
        return turn.push(Effect::RequestFailed(request, cause));
    }
    let (seconds, kilobytes) = lifetime(state, &negotiated);
    let then = turn.later(|turn| {
        sent(common, turn, message_id, message_3);
        let (old, new) = (
            ExchangeState::QmInstallAwait,
            ExchangeState::QmPhase2Complete,
        );
        moved(turn, message_id, Input::InstallDone, old, new);
    });
    let agreement = negotiated.agreement;
    turn.push(Effect::ChildAgreed(Box::new(NewChild {
        id: None,
        message_id,
        role: Role::Initiator,
        subject: request.subject,
        request: Some(request),
        mode: agreement.mode,
        set: agreement.set.name,
        pfs: agreement.pfs,
        protocols: negotiated.protocols,
        seconds,
        kilobytes,
        then,
    })));
}

/// The lowest of what was offered, what the proposal came back with, and what RESPONDER-LIFETIME says.
fn lifetime(state: &AwaitsAnswer, negotiated: &Negotiated) -> (u32, Option<u32>) {
    let shortest = |ours: u32, theirs: [Option<u32>; 2]| {
        let theirs = theirs.into_iter().flatten();
        theirs.filter(|value| *value > 0).fold(ours, u32::min)
    };
    let agreement = &negotiated.agreement;
    let seconds = shortest(state.terms.seconds, [agreement.seconds, negotiated.seconds]);
    let kilobytes = match (state.terms.kilobytes, negotiated.kilobytes) {
        (Some(ours), theirs) => Some(shortest(ours, [agreement.kilobytes, theirs])),
        (None, theirs) => theirs.filter(|value| *value > 0),
    };
    (seconds, kilobytes)
}
