//! Quick mode as the responder (RFC 2409 5.5).

use std::net::IpAddr;
use std::sync::Arc;

use super::{between, moved};
use crate::cause::Cause;
use crate::child_request::Subject;
use crate::config::{Config, Connection, FlowId, TransformSet};
use crate::effect::{Effect, NewChild, Turn, spi_in_use};
use crate::event::{Bound, DropReason, Event, ExchangeState, Input};
use crate::flight::Flight;
use crate::registry::{ExchangeType, GroupNumber, NotifyType, ProtocolId};
use crate::sa::Common;
use crate::selector::Selector;
use crate::status::Role;
use crate::timer::SaTimer;
use crate::v1::live::Live;
use crate::v1::main_mode::MAX_COMPARISONS_TOLD;
use crate::v1::quick_mode::states::{
    self, Answer, AwaitsConfirmation, Exchange, Quick, QuickError, QuickState, Request,
};
use crate::v1::quick_mode::transform::{self, Agreement, NoChoice};
use crate::wire::v1::{Ciphertext, SecurityAssociation};

/// Flows shown in a cause.
const MAX_FLOWS_SHOWN: usize = 16;

/// Lifetime of a child of which the peer says nothing (RFC 2407 4.5).
const DEFAULT_SECONDS: u32 = 28_800;

impl Live {
    /// Message 1 from the peer.
    pub(super) fn quick_mode_request(
        &mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        message_id: u32,
        ciphertext: &Ciphertext,
        digest: u64,
    ) {
        if turn.tables.too_many_unconfirmed() {
            turn.push(Effect::Bound(Bound::QuickModes));
            let detail = "the peer has many quick modes that it does not confirm";
            return turn.dropped(DropReason::QuickModeLimit, detail);
        }
        let ends = (common.local.ip(), common.remote.ip());
        let exchange = Exchange {
            cookies: common.cookies,
            keys: &self.sa.keys,
            message_id,
        };
        let result = states::request(exchange, &self.sa.last_block, ciphertext, ends);
        if matches!(result, Ok(_) | Err(QuickError::Refused(..))) {
            self.life.heard = turn.now;
            self.ids.note(message_id);
        }
        let answered = result.and_then(|request| {
            turn.debug(|| Event::ExchangeStarted {
                exchange: ExchangeType::QUICK_MODE,
                role: Role::Responder,
                message_id,
            });
            let selection = select_proposal(turn, ends, &request)?;
            self.answer_quick(common, turn, message_id, (request, selection), digest)
        });
        match answered {
            Ok(()) => {}
            Err(QuickError::Refused(cause, notify)) => {
                turn.dropped(DropReason::Refused, cause.to_string());
                self.notify(common, turn, ProtocolId::ESP, notify, Vec::new());
                turn.push(Effect::PeersRequestFailed(cause));
            }
            Err(error) => self.quick_error(common, turn, message_id, error),
        }
        self.count_message_ids(turn);
    }

    /// Message 2: the inbound half goes in first, so that the peer may send as soon as it has it.
    fn answer_quick(
        &mut self,
        common: &Common,
        turn: &mut Turn<'_>,
        message_id: u32,
        (request, selection): (Request, Selection),
        digest: u64,
    ) -> Result<(), QuickError> {
        let Selection {
            connection,
            flow,
            agreement,
        } = selection;
        let subject = Subject {
            connection: connection.id,
            flow,
            local: request.local,
            remote: request.remote,
        };
        let own = turn.tables.fresh_spis(turn.random);
        let child = turn.tables.next_child();
        let (seconds, kilobytes, shorter) = agreed_lifetime(&connection, &agreement);
        let answer = Answer {
            child,
            agreement,
            own,
            shorter,
        };
        let exchange = Exchange {
            cookies: common.cookies,
            keys: &self.sa.keys,
            message_id,
        };
        let (state, negotiated, bytes) = match request.build(exchange, answer, turn.random) {
            Ok(built) => built,
            Err(error) => {
                self.quick_error(common, turn, message_id, error);
                return Ok(());
            }
        };
        self.quick.insert(
            message_id,
            Quick {
                state: QuickState::AwaitsConfirmation(Box::new(state)),
                flight: Flight::default(),
                began: turn.now,
            },
        );
        let (old, new) = (ExchangeState::QmReady, ExchangeState::QmInstallAwait);
        moved(turn, message_id, Input::QuickModeExchange, old, new);
        let then = turn.later(|turn| {
            let (old, new) = (ExchangeState::QmInstallAwait, ExchangeState::QmResponder2);
            moved(turn, message_id, Input::InstallDone, old, new);
            self.send_quick(common, turn, message_id, bytes, Some(digest));
        });
        let agreement = negotiated.agreement;
        turn.push(Effect::ChildAgreed(Box::new(NewChild {
            id: Some(child),
            message_id,
            role: Role::Responder,
            subject,
            request: None,
            mode: agreement.mode,
            set: agreement.set.name,
            pfs: agreement.pfs,
            protocols: negotiated.protocols,
            seconds,
            kilobytes,
            then,
        })));
        Ok(())
    }
}

/// Message 3 is right: the initiator has the child.
pub(super) fn confirmed(turn: &mut Turn<'_>, message_id: u32, state: &AwaitsConfirmation) {
    turn.cancel_timer(SaTimer::Retransmit(message_id));
    let then = turn.later(|turn| {
        let (old, new) = (ExchangeState::QmResponder2, ExchangeState::QmPhase2Complete);
        moved(turn, message_id, Input::QuickModeExchange, old, new);
    });
    turn.push(Effect::ChildConfirmed {
        child: state.child,
        inbound: state.inbound.clone(),
        then,
    });
}

/// What the responder decided about a request.
struct Selection {
    connection: Arc<Connection>,
    flow: FlowId,
    agreement: Agreement,
}

/// Finds the entry and the transform set for a request, or says why there is none. `ends` are our address and the peer's.
fn select_proposal(
    turn: &mut Turn<'_>,
    ends: (IpAddr, IpAddr),
    request: &Request,
) -> Result<Selection, QuickError> {
    let (local, peer) = ends;
    let config = turn.config;
    let fitting = config.with_flow(peer, request.local, request.remote);
    let fitting = fitting.filter(|(connection, _)| connection.local.contains(&local));
    let candidates: Vec<_> = fitting.map(|(c, flow)| (c.clone(), flow)).collect();
    let Some(sa) = request.payloads.sa() else {
        return Err(QuickError::BadHash);
    };
    if let Some((connection, flow)) = candidates.first() {
        let subject = Subject {
            connection: connection.id,
            flow: *flow,
            local: request.local,
            remote: request.remote,
        };
        if let Some(cause) = turn.tables.child_not_admitted(&subject, Role::Responder) {
            turn.push(Effect::Bound(Bound::AdmittedChildren));
            return Err(QuickError::Refused(cause, NotifyType::NO_PROPOSAL_CHOSEN));
        }
    }
    let host_to_host = between(request.local, local) && between(request.remote, peer);
    let mut refused = None;
    for (connection, flow) in candidates {
        let sets = transform::effective(&connection.transform_sets, host_to_host);
        let fits = states::pfs_fits(connection.pfs, request.has_public_value());
        match choose_told(turn, sa, &sets, fits) {
            Ok(agreement) => {
                let spis = agreement.protocols.iter();
                let spis = spis.map(|agreed| (agreed.protocol, agreed.peer_spi));
                if let Some(cause) = spi_in_use(turn.tables, peer, spis) {
                    return Err(QuickError::Refused(cause, NotifyType::INVALID_SPI));
                }
                return Ok(Selection {
                    connection,
                    flow,
                    agreement,
                });
            }
            Err(no_choice) => {
                refused.get_or_insert_with(|| no_common(no_choice, sets, &connection));
            }
        }
    }
    Err(match refused {
        Some(cause) => QuickError::Refused(cause, NotifyType::NO_PROPOSAL_CHOSEN),
        None => {
            let cause = no_flow(config, peer, request.local, request.remote);
            QuickError::Refused(cause, NotifyType::INVALID_ID_INFORMATION)
        }
    })
}

/// The first proposal that fits, with the comparisons told to debug; of a long offer only the first ones.
fn choose_told(
    turn: &mut Turn<'_>,
    sa: &SecurityAssociation,
    sets: &[TransformSet],
    fits: impl Fn(Option<GroupNumber>) -> bool,
) -> Result<Agreement, NoChoice> {
    let debugs = turn.debugs();
    let mut compared = Vec::new();
    let choice = transform::choose(sa, sets, fits, |offer, set, differs| {
        if debugs && compared.len() < MAX_COMPARISONS_TOLD {
            let (offer, set) = (offer.clone(), set.clone());
            compared.push(Event::ChildCompared {
                offer,
                set,
                differs,
            });
        }
    });
    compared.into_iter().for_each(|event| turn.fact(event));
    choice
}

/// No flow is what the peer asks for: the entry that comes closest.
fn no_flow(config: &Config, peer: IpAddr, local: Selector, remote: Selector) -> Cause {
    let entries: Vec<_> = config.with_peer(peer).collect();
    let touches = |connection: &Connection| {
        connection.flows.iter().any(|flow| {
            flow.local.contains(&local)
                || flow.remote.contains(&remote)
                || local.contains(&flow.local)
                || remote.contains(&flow.remote)
        })
    };
    let closest = entries
        .iter()
        .find(|connection| touches(connection))
        .or(entries.first());
    let Some(connection) = closest else {
        return Cause::UnknownPeer { peer };
    };
    let flows = connection.flows.iter().take(MAX_FLOWS_SHOWN);
    Cause::NoFlow {
        local,
        remote,
        ours: flows.map(|flow| (flow.local, flow.remote)).collect(),
        origin: connection.origin.clone(),
    }
}

fn no_common(no_choice: NoChoice, ours: Vec<TransformSet>, connection: &Connection) -> Cause {
    let origin = connection.origin.clone();
    match no_choice {
        NoChoice::Transforms(offered) => Cause::NoCommonTransform {
            offered,
            ours,
            origin,
        },
        NoChoice::Pfs(offered) => Cause::PfsDiffers {
            offered,
            expected: connection.pfs,
            origin,
        },
    }
}

/// Seconds and kilobytes of a lifetime.
type Lifetime = (Option<u32>, Option<u32>);

/// The lower of both sides, per unit, and what of ours the initiator must be told.
fn agreed_lifetime(
    connection: &Connection,
    agreement: &Agreement,
) -> (u32, Option<u32>, Option<Lifetime>) {
    let ours = connection.lifetime;
    let offered_seconds = agreement
        .seconds
        .filter(|value| *value > 0)
        .unwrap_or(DEFAULT_SECONDS);
    let offered_kilobytes = agreement.kilobytes.filter(|value| *value > 0);
    let seconds = ours.seconds.min(offered_seconds);
    let kilobytes = match (ours.kilobytes, offered_kilobytes) {
        (Some(ours), Some(theirs)) => Some(ours.min(theirs)),
        (ours, theirs) => ours.or(theirs),
    };
    let tell_seconds = (seconds < offered_seconds).then_some(seconds);
    let tell_kilobytes = kilobytes.filter(|value| offered_kilobytes.is_none_or(|o| *value < o));
    let shorter = (tell_seconds.is_some() || tell_kilobytes.is_some())
        .then_some((tell_seconds, tell_kilobytes));
    (seconds, kilobytes, shorter)
}
