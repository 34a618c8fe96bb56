//! How many SAs and negotiations there may be: half-open ones, of one peer, and by `crypto call admission limit`. `gate` and
//! the exchanges ask before they make one; `show crypto call admission statistics` shows the counts.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::Endpoint;
use super::children::Children;
use crate::cause::{AdmissionLimit, Cause};
use crate::child::ChildId;
use crate::child_request::Subject;
use crate::config::AdmissionLimits;
use crate::endpoint::phase::Phase;
use crate::event::{Bound, DownReason};
use crate::id::Path;
use crate::id::SaId;
use crate::limit::Limit;
use crate::sa::{IkeSa, Replacement};
use crate::status::{Admission, Role, Tally};
use crate::v1::main_mode::stateless::Stateless;

/// Negotiations that we keep, as the responder, for senders whose address is not shown to be theirs: of one address, and of all. More first
/// messages are answered without keeping anything.
const MAX_UNANSWERED_OF_PEER: usize = 4;
const MAX_UNANSWERED: usize = 256;

/// Negotiations with one address that has shown that it gets our answers, and not yet who it is.
const MAX_UNPROVED_OF_PEER: usize = 16;

/// How long such a negotiation has before it gives way to a newer one.
const TIME_TO_PROVE: Duration = Duration::from_secs(1);

/// ISAKMP SAs between two addresses: one is used, the others are on their way out.
const MAX_IKE_SAS_OF_PEER: usize = 16;

/// Quick modes of one peer that it has not confirmed.
const MAX_UNCONFIRMED_OF_PEER: usize = 128;

/// Children of one flow that younger ones have taken the place of and that the peer does not delete.
const MAX_SUPERSEDED_OF_FLOW: usize = 16;

/// Deleted ISAKMP SAs that are still shown.
const MAX_DELETED_SHOWN: usize = 1024;

/// First messages refused with an answer and a cause: at once, and a second.
const REFUSALS: (u32, u32) = (50, 10);

/// What stands between strangers and the rest of the engine.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) half_open: HalfOpen,
    pub(crate) stateless: Stateless,
    pub(crate) refusals: Limit,
    pub(crate) tallies: Tallies,
    /// Deleted ISAKMP SAs that are still shown, in the order in which they went
    pub(super) deleted: VecDeque<SaId>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            half_open: HalfOpen::default(),
            stateless: Stateless::default(),
            refusals: Limit::new(REFUSALS.0, REFUSALS.1),
            tallies: Tallies::default(),
            deleted: VecDeque::new(),
        }
    }
}

/// What is counted for the screens since the operator last cleared it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tallies {
    pub(crate) incoming_ike: Tally,
    pub(crate) outgoing_ike: Tally,
    pub(crate) incoming_children: Tally,
    pub(crate) outgoing_children: Tally,
    pub(crate) ike_limit: u64,
    pub(crate) negotiation_limit: u64,
    pub(crate) answered_without_state: u64,
    pub(crate) gave_way: u64,
    pub(crate) dropped_at_dispatch: u64,
}

/// The negotiations of phase 1, oldest first.
#[derive(Debug, Default)]
pub(crate) struct HalfOpen {
    all: BTreeSet<SaId>,
    /// Of which we have not seen that the other end gets what we send, as the responder
    unanswered: BTreeSet<SaId>,
}

impl HalfOpen {
    pub(crate) fn began(&mut self, id: SaId, role: Role) {
        self.all.insert(id);
        if role == Role::Responder {
            self.unanswered.insert(id);
        }
    }

    /// The peer went on with our answer.
    pub(crate) fn answered(&mut self, id: SaId) {
        self.unanswered.remove(&id);
    }

    /// It is established, or over.
    pub(crate) fn over(&mut self, id: SaId) {
        self.all.remove(&id);
        self.unanswered.remove(&id);
    }
}

impl Gate {
    /// `crypto call admission limit ipsec sa` leaves no room for a flow that has no child. Counts what is told.
    pub(super) fn child_not_admitted(
        &mut self,
        children: &Children,
        limits: AdmissionLimits,
        subject: &Subject,
        role: Role,
    ) -> Option<Cause> {
        let most = limits.children;
        let full = most.is_some_and(|most| children.flows() >= most as usize);
        let cause = most.filter(|_| full && children.of_subject(subject).is_empty());
        let tally = match role {
            Role::Initiator => &mut self.tallies.outgoing_children,
            Role::Responder => &mut self.tallies.incoming_children,
        };
        tally.count(cause.is_none());
        cause.map(|most| Cause::NotAdmitted {
            limit: AdmissionLimit::Children,
            most,
        })
    }
}

impl Endpoint {
    fn established_sas(&self) -> usize {
        let not = self.gate.half_open.all.len() + self.gate.deleted.len();
        self.sas.len().saturating_sub(not)
    }

    fn most_negotiations(&self) -> usize {
        let configured = self.ctx.config.admission.negotiations;
        configured.unwrap_or(AdmissionLimits::NEGOTIATIONS) as usize
    }

    /// True while nothing more is kept for first messages from this address.
    pub(super) fn is_crowded(&self, peer: IpAddr) -> bool {
        let half_open = &self.gate.half_open;
        let of_peer = self.by_address.get(&peer).into_iter().flatten();
        let unanswered = of_peer.filter(|id| half_open.unanswered.contains(id));
        half_open.unanswered.len() >= MAX_UNANSWERED
            || half_open.all.len() >= self.most_negotiations()
            || unanswered.count() >= MAX_UNANSWERED_OF_PEER
    }

    /// `crypto call admission limit ike sa` leaves no room for an ISAKMP SA with a peer that has none. Those being negotiated
    /// count, as on IOS, but for those whose other end has not shown that it gets what we send.
    fn ike_not_admitted(&self, local: IpAddr, peer: IpAddr) -> Option<Cause> {
        let most = self.ctx.config.admission.ike_sas?;
        let half_open = &self.gate.half_open;
        let negotiating = half_open.all.len() - half_open.unanswered.len();
        let full = self.established_sas() + negotiating >= most as usize;
        (full && self.usable_at(local, peer).is_none()).then_some(Cause::NotAdmitted {
            limit: AdmissionLimit::IkeSas,
            most,
        })
    }

    /// Whether a peer may begin phase 1 with us, or go on with message 3. Counts each once.
    pub(super) fn admits_incoming(&mut self, path: Path, begins: bool) -> bool {
        let admitted = self
            .ike_not_admitted(path.local.ip(), path.remote.ip())
            .is_none();
        if begins || !admitted {
            self.gate.tallies.incoming_ike.count(admitted);
        }
        if !admitted {
            self.gate.tallies.ike_limit += 1;
            self.ctx.bound_reached(path, Bound::AdmittedIkeSas);
        }
        admitted
    }

    /// Why we may not begin phase 1 with a peer, if so. What replaces an SA is always admitted.
    pub(crate) fn outgoing_not_admitted(&mut self, path: Path, replaces: bool) -> Option<Cause> {
        let most = self.most_negotiations();
        let full = self.ike_not_admitted(path.local.ip(), path.remote.ip());
        let mut cause = full.filter(|_| !replaces);
        if cause.is_some() {
            self.gate.tallies.ike_limit += 1;
        } else if self.gate.half_open.all.len() >= most && !self.oldest_gives_way(path) && !replaces
        {
            self.gate.tallies.negotiation_limit += 1;
            cause = Some(Cause::NotAdmitted {
                limit: AdmissionLimit::Negotiations,
                most: u32::try_from(most).unwrap_or(u32::MAX),
            });
        }
        self.gate.tallies.outgoing_ike.count(cause.is_none());
        cause
    }

    /// Whether message 3 of a peer may cost us a Diffie-Hellman; makes room for it. `kept` when its negotiation is one that
    /// we keep already.
    pub(super) fn makes_room_for_keys(&mut self, path: Path, kept: bool) -> bool {
        let of_peer = self.by_address.get(&path.remote.ip()).into_iter().flatten();
        let unproved: Vec<_> = of_peer
            .filter_map(|id| self.sas.get(id))
            .filter(|sa| sa.awaits_proof_of_peer())
            .map(|sa| (sa.common.id, sa.common.created))
            .collect();
        if unproved.len() >= MAX_UNPROVED_OF_PEER
            && let Some((oldest, created)) = unproved.first()
        {
            self.ctx.bound_reached(path, Bound::Unproved);
            if self.ctx.now.since(*created) < TIME_TO_PROVE {
                return false;
            }
            self.give_way(*oldest);
        }
        if kept || self.gate.half_open.all.len() < self.most_negotiations() {
            return true;
        }
        let room = self.oldest_gives_way(path);
        if !room {
            self.gate.tallies.negotiation_limit += 1;
            self.ctx.bound_reached(path, Bound::AdmittedNegotiations);
        }
        room
    }

    /// The oldest negotiation whose other end has not shown that it gets what we send makes room; false when there is none.
    fn oldest_gives_way(&mut self, path: Path) -> bool {
        let Some(oldest) = self.gate.half_open.unanswered.first().copied() else {
            return false;
        };
        self.ctx.bound_reached(path, Bound::HalfOpen);
        self.give_way(oldest);
        true
    }

    /// Ends a negotiation of the peer's for another one. What waited for it is asked for anew.
    fn give_way(&mut self, id: SaId) {
        self.gate.tallies.gave_way += 1;
        let Some(sa) = self.sas.get_mut(&id) else {
            return self.gate.half_open.over(id);
        };
        let (requests, peer) = (std::mem::take(&mut sa.common.requests), sa.common.address());
        self.remove_quietly(id);
        self.ask_anew(requests, peer);
    }

    /// Keeps the ISAKMP SAs between two addresses within bounds after this one came up: the oldest that is not needed goes.
    pub(crate) fn bound_ike_sas(&mut self, id: SaId) {
        let Some(common) = self.sas.get(&id).map(|sa| &sa.common) else {
            return;
        };
        let path = common.path();
        let of_peer = self.by_peer.get(&common.peer).into_iter().flatten();
        let established: Vec<_> = of_peer
            .filter_map(|id| Some((*id, self.sas.get(id)?.life()?.replacement)))
            .collect();
        let too_many = established.len().saturating_sub(MAX_IKE_SAS_OF_PEER);
        let oldest = established
            .into_iter()
            .filter(|(other, replacement)| *other != id && *replacement != Replacement::Current);
        for (other, _) in oldest.take(too_many) {
            self.ctx.bound_reached(path, Bound::IkeSasOfPeer);
            self.delete_ike(other, DownReason::Replaced);
        }
    }

    /// True when a peer has as many quick modes as it may have without confirming one.
    pub(super) fn too_many_unconfirmed(&self, id: SaId) -> bool {
        let Some(sa) = self.sas.get(&id) else {
            return false;
        };
        let of_peer = self.by_peer.get(&sa.common.peer).into_iter().flatten();
        let sas = of_peer.filter_map(|id| self.sas.get(id));
        let unconfirmed: usize = sas.map(IkeSa::unconfirmed).sum();
        unconfirmed >= MAX_UNCONFIRMED_OF_PEER
    }

    /// Keeps what a peer leaves behind of one flow's children within bounds: the oldest goes.
    pub(crate) fn bound_children(&mut self, id: ChildId) {
        let Some(child) = self.children.get(id) else {
            return;
        };
        let (path, of_flow) = (child.path(), self.children.of_subject(&child.sa.subject()));
        let left = |id: &ChildId| {
            let phase = self.children.get(*id).map(|child| &child.phase);
            matches!(phase, Some(Phase::Superseded { .. } | Phase::Spare { .. }))
        };
        let superseded: Vec<_> = of_flow.into_iter().filter(left).collect();
        let too_many = superseded.len().saturating_sub(MAX_SUPERSEDED_OF_FLOW);
        for oldest in superseded.into_iter().take(too_many) {
            self.ctx.bound_reached(path, Bound::ChildrenOfFlow);
            self.child_down(oldest, DownReason::Replaced, true);
        }
    }

    /// Replaces an ISAKMP SA under which the peer has used very many message ids; `full`: as many as there may be.
    pub(super) fn message_ids_used(&mut self, id: SaId, full: bool) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (path, current) = (sa.common.path(), sa.is(Replacement::Current));
        if full {
            self.ctx.bound_reached(path, Bound::MessageIds);
            self.expire_ike(id);
        } else if current && !self.is_being_rekeyed(id) {
            self.ctx.bound_reached(path, Bound::MessageIds);
            self.rekey_ike(id);
        }
    }

    fn is_being_rekeyed(&self, id: SaId) -> bool {
        let half_open = self.gate.half_open.all.iter();
        let mut half_open = half_open.filter_map(|other| self.sas.get(other));
        half_open.any(|sa| sa.common.takes_over == Some(id))
    }

    /// A deleted ISAKMP SA, which no table finds any more, is shown for a while. When there are very many, the one that
    /// went first is forgotten.
    pub(crate) fn show_deleted(&mut self, id: SaId) {
        if !self.gate.deleted.contains(&id) {
            self.gate.deleted.push_back(id);
        }
        while self.gate.deleted.len() > MAX_DELETED_SHOWN
            && let Some(oldest) = self.gate.deleted.pop_front()
        {
            self.drop_sa(oldest);
        }
    }

    /// A deleted ISAKMP SA has been shown long enough.
    pub(super) fn forget_deleted(&mut self, id: SaId) {
        let place = self.gate.deleted.iter().position(|shown| *shown == id);
        if let Some(place) = place {
            self.gate.deleted.remove(place);
        }
        self.drop_sa(id);
    }

    /// The counts of `show crypto call admission statistics` and `show crypto isakmp statistics`.
    pub fn admission(&self) -> Admission {
        let tallies = self.gate.tallies;
        let exchanges = self.sas.values().map(IkeSa::exchanges);
        Admission {
            limits: self.ctx.config.admission,
            ike_active: self.established_sas(),
            ike_negotiating: self.gate.half_open.all.len(),
            children_active: self
                .children
                .iter()
                .filter(|child| child.phase.up().is_some())
                .count(),
            children_negotiating: exchanges.sum(),
            incoming_ike: tallies.incoming_ike,
            outgoing_ike: tallies.outgoing_ike,
            incoming_children: tallies.incoming_children,
            outgoing_children: tallies.outgoing_children,
            rejected_by_ike_limit: tallies.ike_limit,
            rejected_by_negotiation_limit: tallies.negotiation_limit,
            answered_without_state: tallies.answered_without_state,
            gave_way: tallies.gave_way,
            dropped_at_dispatch: tallies.dropped_at_dispatch,
        }
    }

    /// `clear crypto call admission statistics`
    pub fn clear_admission(&mut self) {
        self.gate.tallies = Tallies::default();
    }
}
