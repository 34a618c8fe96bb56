//! Quick mode as the responder, on behalf of the endpoint (RFC 2409 5.5).

use std::net::IpAddr;
use std::sync::Arc;

use super::{NegotiatedChild, between, states};
use crate::cause::Cause;
use crate::config::{Connection, FlowId};
use crate::endpoint::Endpoint;
use crate::endpoint::child_life::NewChild;
use crate::event::{Bound, DropReason, Event, ExchangeState, Input};
use crate::flight::Flight;
use crate::id::SaId;
use crate::registry::{ExchangeType, NotifyType, ProtocolId};
use crate::selector::Selector;
use crate::status::Role;
use crate::timer::Timer;
use crate::v1::main_mode::MAX_COMPARISONS_TOLD;
use crate::v1::quick_mode::states::{
    Answer, AwaitsConfirmation, Exchange, Quick, QuickError, QuickState, Request, Subject,
};
use crate::v1::quick_mode::transform::{self, Agreement, NoChoice};
use crate::v1::state::IkeSa;
use crate::wire::v1::Ciphertext;

/// Flows shown in a cause.
const MAX_FLOWS_SHOWN: usize = 16;

/// Lifetime of a child of which the peer says nothing (RFC 2407 4.5).
const DEFAULT_SECONDS: u32 = 28_800;

impl Endpoint {
    /// Message 1 from the peer.
    pub(super) fn quick_mode_request(
        &mut self,
        id: SaId,
        message_id: u32,
        ciphertext: &Ciphertext,
        digest: u64,
    ) {
        let Some(common) = self.sas.get(&id).map(|sa| &sa.common) else {
            return;
        };
        let (cookies, path) = (common.cookies, common.path());
        if self.too_many_unconfirmed(path) {
            let detail = "the peer has many quick modes that it does not confirm".into();
            self.ctx.bound_reached(path, Bound::QuickModes);
            return self
                .ctx
                .drop_datagram(path, DropReason::QuickModeLimit, detail);
        }
        let Some((common, live)) = self.sas.get_mut(&id).and_then(IkeSa::live_mut) else {
            return;
        };
        let peers = (common.local.ip(), common.peer());
        let exchange = Exchange {
            cookies,
            keys: &live.sa.keys,
            message_id,
        };
        let result = states::request(exchange, &live.sa.last_block, ciphertext, peers);
        if matches!(result, Ok(_) | Err(QuickError::Refused(..))) {
            live.heard = self.ctx.now;
            live.ids.note(message_id);
        }
        let selected = result.and_then(|request| {
            let kind = ExchangeType::QUICK_MODE;
            let role = Role::Responder;
            self.ctx.debug(path, || Event::ExchangeStarted {
                exchange: kind,
                role,
                message_id,
            });
            let selection = self.select_proposal(id, peers, &request)?;
            Ok((request, selection))
        });
        match selected {
            Ok((request, selection)) => {
                self.answer_quick(id, message_id, request, selection, digest);
            }
            Err(QuickError::Refused(cause, notify)) => {
                self.ctx
                    .drop_datagram(path, DropReason::Refused, cause.to_string());
                self.send_notify(id, ProtocolId::ESP, notify, Vec::new());
                let connection = self.connection_of(&cause, peers.1);
                self.negotiation_failed_on(
                    path,
                    ExchangeType::QUICK_MODE,
                    Role::Responder,
                    connection,
                    cause,
                );
            }
            Err(error) => self.quick_error(id, message_id, error),
        }
        self.message_ids_used(id);
    }

    /// Finds the entry and the transform set for a request, or says why there is none.
    fn select_proposal(
        &mut self,
        id: SaId,
        peers: (IpAddr, IpAddr),
        request: &Request,
    ) -> Result<Selection, QuickError> {
        let (local, peer) = peers;
        let candidates: Vec<_> = self
            .ctx
            .config
            .with_flow(peer, request.local, request.remote)
            .filter(|(connection, _)| connection.local.contains(&local))
            .map(|(connection, flow)| (connection.clone(), flow))
            .collect();
        let Some(sa) = request.payloads.sa() else {
            return Err(QuickError::BadHash);
        };
        if let (Some((connection, flow)), Some(path)) = (
            candidates.first(),
            self.sas.get(&id).map(|sa| sa.common.path()),
        ) && let Some(cause) = self.child_not_admitted(connection.id, *flow, Role::Responder)
        {
            self.ctx.bound_reached(path, Bound::AdmittedChildren);
            return Err(QuickError::Refused(cause, NotifyType::NO_PROPOSAL_CHOSEN));
        }
        let host_to_host = between(request.local, local) && between(request.remote, peer);
        let mut refused = None;
        for (connection, flow) in candidates {
            let sets = transform::effective(&connection.transform_sets, host_to_host);
            let fits = states::pfs_fits(connection.pfs, request.has_public_value());
            let debugs = self.ctx.debugs();
            let mut compared = Vec::new();
            let choice = transform::choose(sa, &sets, fits, |offer, set, differs| {
                if debugs && compared.len() < MAX_COMPARISONS_TOLD {
                    let (offer, set) = (offer.clone(), set.clone());
                    compared.push(Event::ChildCompared {
                        offer,
                        set,
                        differs,
                    });
                }
            });
            if let Some(path) = self.sas.get(&id).map(|sa| sa.common.path()) {
                compared
                    .into_iter()
                    .for_each(|event| self.ctx.fact(path, event));
            }
            match choice {
                Ok(agreement) => {
                    let spis = agreement.protocols.iter();
                    let spis = spis.map(|agreed| (agreed.protocol, agreed.peer_spi));
                    if let Some(cause) = self.spi_in_use(id, spis) {
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
                let cause = self.no_flow(peer, request.local, request.remote);
                QuickError::Refused(cause, NotifyType::INVALID_ID_INFORMATION)
            }
        })
    }

    fn no_flow(&self, peer: IpAddr, local: Selector, remote: Selector) -> Cause {
        let entries: Vec<_> = self.ctx.config.with_peer(peer).collect();
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
            map: connection.map.clone(),
            sequence: connection.sequence,
            access_list: connection.access_list.clone(),
        }
    }

    /// Message 2: the inbound half goes in first, so that the peer may send as soon as it has it.
    fn answer_quick(
        &mut self,
        id: SaId,
        message_id: u32,
        request: Request,
        selection: Selection,
        digest: u64,
    ) {
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
        let own = self.fresh_spis();
        let child = self.children.next_id();
        let (seconds, kilobytes, shorter) = agreed_lifetime(&connection, &agreement);
        let answer = Answer {
            child,
            agreement,
            own,
            shorter,
        };
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let Some((common, live)) = sa.live_mut() else {
            return;
        };
        let exchange = Exchange {
            cookies: common.cookies,
            keys: &live.sa.keys,
            message_id,
        };
        let (state, negotiated, bytes) =
            match request.build(exchange, answer, self.ctx.random.as_mut()) {
                Ok(built) => built,
                Err(error) => return self.quick_error(id, message_id, error),
            };
        let state = QuickState::AwaitsConfirmation(Box::new(state));
        live.quick.insert(
            message_id,
            Quick {
                state,
                flight: Flight::default(),
                began: self.ctx.now,
            },
        );
        let (old, new) = (ExchangeState::QmReady, ExchangeState::QmInstallAwait);
        self.quick_moved(id, message_id, Input::QuickModeExchange, old, new);
        let made = NegotiatedChild {
            child,
            connection,
            subject,
            negotiated,
            role: Role::Responder,
            seconds,
            kilobytes,
        };
        let sa = self.child_sa(id, made);
        let Some((sa, set)) = sa else { return };
        self.name_transform_set(id, message_id, &subject, &set);
        let rival = self.own_quick_mode_for(id, &subject);
        self.install_child(NewChild {
            exchange: (id, message_id),
            sa,
            role: Role::Responder,
            replaces: None,
            rival,
        });
        let (old, new) = (ExchangeState::QmInstallAwait, ExchangeState::QmResponder2);
        self.quick_moved(id, message_id, Input::InstallDone, old, new);
        self.send_quick(id, message_id, bytes, Some(digest));
    }

    pub(super) fn responders_child_confirmed(
        &mut self,
        id: SaId,
        message_id: u32,
        state: &AwaitsConfirmation,
    ) {
        self.ctx.timers.cancel(Timer::Retransmit(id, message_id));
        if self.children.get(state.child).is_none() {
            // Our kernel did not take it, or it was cleared meanwhile.
            return self.send_deletes(id, state.inbound.clone());
        }
        self.activate_child(state.child);
        self.bound_children(state.child);
        self.call_off_waiting(id, state.child);
        let (old, new) = (ExchangeState::QmResponder2, ExchangeState::QmPhase2Complete);
        self.quick_moved(id, message_id, Input::QuickModeExchange, old, new);
        self.next_request(id);
    }
}

/// What the responder decided about a request.
struct Selection {
    connection: Arc<Connection>,
    flow: FlowId,
    agreement: Agreement,
}

fn no_common(
    no_choice: NoChoice,
    ours: Vec<crate::config::TransformSet>,
    connection: &Connection,
) -> Cause {
    let (map, sequence) = (connection.map.clone(), connection.sequence);
    match no_choice {
        NoChoice::Transforms(offered) => Cause::NoCommonTransform {
            offered,
            ours,
            map,
            sequence,
        },
        NoChoice::Pfs(offered) => Cause::PfsDiffers {
            offered,
            expected: connection.pfs,
            map,
            sequence,
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
