//! The life of a child: installed with its inbound half, active in both directions, replaced, gone.
//! `phase` says what it may do at each point.
//!
//! Make before break: a new child receives before the peer sends to it; the one it replaces stops
//! sending at once and goes on receiving for a while.

use std::time::Duration;

use crate::cause::Cause;
use crate::child::{ChildId, ChildSa, Direction, Lifetimes, ProtocolKeys};
use crate::child_request::ChildRequest;
use crate::endpoint::Endpoint;
use crate::endpoint::children::Child;
use crate::endpoint::phase::{EndedBy, OutboundKeys, Phase};
use crate::event::{DownReason, Event};
use crate::id::SaId;
use crate::output::{Expiry, KernelSa, Output, Traffic};
use crate::status::Role;
use crate::time::Instant;
use crate::timer::{ChildTimer, Timer};

/// How long a replaced child goes on receiving.
const GRACE: Duration = Duration::from_secs(8);

/// How long a child that either end has deleted goes on receiving what is on its way.
const STRAGGLERS: Duration = Duration::from_secs(2);

/// What is left of a lifetime in bytes, at least, when the initiator's rekey begins; the responder's begins
/// at half of it.
const SPARE_BYTES: u64 = 1 << 20;

/// Wait before a rekey that failed is tried again.
const RETRY: Duration = Duration::from_secs(10);

impl Endpoint {
    /// Lifetimes with the moment of rekeying: the initiator's margin is the wider, and both are
    /// spread, so that the two ends do not rekey at once.
    pub(crate) fn lifetimes(
        &mut self,
        seconds: u32,
        kilobytes: Option<u32>,
        role: Role,
    ) -> Lifetimes {
        let life = u64::from(seconds) * 1000;
        let (margin, share) = match role {
            Role::Initiator => (30_000 + self.ctx.random_below(20_000), 4),
            Role::Responder => (10_000 + self.ctx.random_below(8_000), 10),
        };
        let cap = life / share;
        let margin = if margin > cap {
            cap - self.ctx.random_below(cap / 4)
        } else {
            margin
        };
        let hard_bytes = kilobytes.map(|kilobytes| u64::from(kilobytes) * 1024);
        let (percent, share) = match role {
            Role::Initiator => (80 + self.ctx.random_below(5), 2),
            Role::Responder => (88 + self.ctx.random_below(4), 4),
        };
        // Of little, a small part is used up before the rekey is done.
        let soft_bytes = |hard: u64| {
            let spare = hard / 100 * (100 - percent);
            hard - spare.max((2 * SPARE_BYTES / share).min(hard / share))
        };
        Lifetimes {
            seconds,
            kilobytes,
            soft: Duration::from_millis(life - margin),
            hard: Duration::from_millis(life),
            soft_bytes: hard_bytes.map(soft_bytes),
            hard_bytes,
        }
    }

    /// Installs the inbound half and keeps the child. The keys of the outbound half wait in its phase. `rival`: as the
    /// responder, our own exchange for the same flow that was on its way.
    pub(super) fn install_child(
        &mut self,
        exchange: (SaId, u32),
        mut sa: ChildSa,
        role: Role,
        replaces: Option<ChildId>,
        rival: Option<(SaId, u32)>,
    ) {
        let Some(common) = self.sas.get(&exchange.0).map(|sa| &sa.common) else {
            return;
        };
        let (id, expires) = (sa.id, self.ctx.now + sa.lifetime.hard);
        let keys = OutboundKeys::take(&mut sa);
        let half = sa.clone();
        for part in &mut sa.protocols {
            part.inbound = ProtocolKeys::default();
        }
        self.ctx.outputs.push_back(Output::InstallChild {
            child: Box::new(half),
            direction: Direction::Inbound,
        });
        self.next_child_conn_id += 2;
        self.children.insert(Child {
            sa,
            phase: Phase::Receiving { keys, replaces },
            peer: common.peer,
            role,
            local: common.local,
            remote: common.remote,
            ike_conn_id: common.conn_id,
            conn_id: self.next_child_conn_id - 2,
            exchange,
            rival,
            expires,
            traffic: Traffic::default(),
            heard: self.ctx.now,
            doubt: None,
            losses: 0,
            volume_unread: false,
        });
        self.set_child_timer(id, ChildTimer::Expire, expires);
    }

    /// The peer has the child as well: it is up. It sends, and takes the place of older ones, unless
    /// both ends began at once and the other one goes on.
    pub(crate) fn activate_child(&mut self, id: ChildId) {
        self.cancel_child_timer(id, ChildTimer::Activate);
        let Some(child) = self.children.get(id) else {
            return;
        };
        let Phase::Receiving { replaces, .. } = child.phase else {
            return;
        };
        let (connection, role, path) = (child.sa.connection, child.role, child.path());
        let peer = child.peer;
        let first = !self.session_is_up(connection, peer);
        let replaced = if self.yields(id, replaces) {
            self.keep_spare(id, replaces);
            None
        } else {
            self.send_on(id);
            self.watch_fresh_child(id, replaces);
            self.settle_rivals(id, replaces)
        };
        let Some(child) = self.children.get(id) else {
            return;
        };
        let sa = Box::new(child.sa.clone());
        self.ctx.fact(
            path,
            Event::ChildUp {
                child: sa,
                role,
                replaces: replaced,
            },
        );
        self.session_succeeded(connection, first, peer, path);
    }

    /// Keeps a child that gives way, in case that the other one goes. Its initiator deletes it after a
    /// while.
    fn keep_spare(&mut self, id: ChildId, replaces: Option<ChildId>) {
        let now = self.ctx.now;
        let Some(child) = self.children.get_mut(id) else {
            return;
        };
        let ended_by = match child.role {
            Role::Initiator => EndedBy::Us,
            Role::Responder => EndedBy::Peer,
        };
        child.phase.spare(ended_by, now);
        if ended_by == EndedBy::Us {
            self.set_child_timer(id, ChildTimer::Retire, now + GRACE);
        }
        // The other one has taken the place of what it was to replace.
        let superseded = |child: &Child| child.phase.can_step_in();
        let old = replaces.filter(|old| self.children.get(*old).is_some_and(superseded));
        if let Some(old) = old {
            self.retire_later(old);
        }
    }

    /// Makes a child the active one: its outbound half is installed, unless it is there already.
    fn send_on(&mut self, id: ChildId) {
        let now = self.ctx.now;
        let Some(child) = self.children.get_mut(id) else {
            return;
        };
        let Some(half) = child.phase.activate(&child.sa, now) else {
            return;
        };
        let lifetime = child.sa.lifetime;
        let margin = lifetime.hard.saturating_sub(lifetime.soft);
        let soft = child.expires.since(now).saturating_sub(margin);
        self.cancel_child_timer(id, ChildTimer::Retire);
        self.set_child_timer(id, ChildTimer::Rekey, now + soft);
        if let Some(half) = half {
            self.ctx.outputs.push_back(Output::InstallChild {
                child: Box::new(half),
                direction: Direction::Outbound,
            });
        }
    }

    /// True when another child goes on instead: one that the other end began at the same time, where
    /// both ends rank the two alike, or a younger one of the peer's whose confirmation came first.
    fn yields(&self, id: ChildId, replaces: Option<ChildId>) -> bool {
        let Some(new) = self.children.get(id) else {
            return false;
        };
        let siblings = self.children.of_subject(&new.sa.subject());
        siblings
            .into_iter()
            .filter(|other| *other != id && replaces != Some(*other))
            .filter_map(|other| self.children.get(other))
            .filter(|other| other.is_current())
            .any(|other| {
                let late = other.role == new.role && other.sa.id > new.sa.id;
                late || are_rivals(new, other) && rank(&other.sa) > rank(&new.sa)
            })
    }

    /// Ends the sending of the other children of a flow, now that `id` sends. The initiator of a rekey
    /// deletes what it replaces.
    fn settle_rivals(&mut self, id: ChildId, replaces: Option<ChildId>) -> Option<ChildId> {
        let now = self.ctx.now;
        let new = self.children.get(id)?;
        let peer = new.peer;
        let mut replaced = None;
        for other in self.children.of_subject(&new.sa.subject()) {
            let (Some(new), Some(old)) = (self.children.get(id), self.children.get(other)) else {
                continue;
            };
            if other == id || old.phase.up().is_none() || old.phase.is_going() {
                continue;
            }
            if replaces == Some(other) || old.peer != peer {
                self.retire_later(other);
            } else {
                let ended_by = ended_by(old, new);
                self.cancel_child_timer(other, ChildTimer::Rekey);
                if ended_by == EndedBy::Us {
                    self.set_child_timer(other, ChildTimer::Retire, now + GRACE);
                }
                if let Some(old) = self.children.get_mut(other) {
                    old.phase.supersede(ended_by, now);
                }
            }
            replaced = Some(other);
        }
        replaced
    }

    /// Stops sending through a child for good; it goes on receiving for a while.
    fn retire_later(&mut self, id: ChildId) {
        self.remove_outbound(id);
        let Some(child) = self.children.get_mut(id) else {
            return;
        };
        child.phase.retire();
        let at = (self.ctx.now + GRACE).min(child.expires);
        self.cancel_child_timer(id, ChildTimer::Rekey);
        self.set_child_timer(id, ChildTimer::Retire, at);
    }

    /// Goes on receiving only what is on its way.
    fn leave_soon(&mut self, id: ChildId) {
        self.remove_outbound(id);
        let Some(child) = self.children.get_mut(id) else {
            return;
        };
        child.phase.leave();
        let at = (self.ctx.now + STRAGGLERS).min(child.expires);
        self.cancel_child_timer(id, ChildTimer::Rekey);
        self.set_child_timer(id, ChildTimer::Retire, at);
    }

    /// Takes the outbound half out of the kernel, if it is there. The caller changes the phase.
    fn remove_outbound(&mut self, id: ChildId) {
        let child = self.children.get(id);
        let Some(child) = child.filter(|child| child.phase.has_outbound()) else {
            return;
        };
        let sas = kernel_sas(&child.sa, Direction::Outbound);
        let direction = Direction::Outbound;
        self.ctx
            .outputs
            .push_back(Output::RemoveChild { id, direction, sas });
    }

    /// Ends a child: both halves leave the kernel, the peer is told if `tell`. Another child of the
    /// flow, if there is one, sends before this one stops.
    pub(crate) fn child_down(&mut self, id: ChildId, reason: DownReason, tell: bool) {
        if tell {
            self.send_child_delete(id);
        }
        self.hand_over(id);
        self.remove_outbound(id);
        self.ctx.timers.drop_child(id);
        let Some(child) = self.children.remove(id) else {
            return;
        };
        let peer = child.peer;
        self.forget_unused_peer(peer);
        let direction = Direction::Inbound;
        let sas = kernel_sas(&child.sa, direction);
        self.ctx
            .outputs
            .push_back(Output::RemoveChild { id, direction, sas });
        if let Phase::Receiving { replaces, .. } = child.phase {
            if let Some(old) = replaces {
                self.rekey_failed(old);
            }
            return;
        }
        let (connection, flow, path) = (child.sa.connection, child.sa.flow, child.path());
        let spis = child
            .sa
            .protocols
            .iter()
            .map(|part| (part.protocol.into(), part.inbound_spi, part.outbound_spi));
        let spis = spis.collect();
        self.ctx.fact(
            path,
            Event::ChildDown {
                id,
                connection,
                flow,
                spis,
                reason,
            },
        );
        self.session_lost_child(connection, peer, path);
    }

    /// A child is about to go. A successor that gives the peer time to install it does not wait any
    /// longer; else one whose place the child had taken steps in, the one that the peer was heard on
    /// last.
    fn hand_over(&mut self, id: ChildId) {
        let Some(child) = self.children.get(id) else {
            return;
        };
        let subject = child.sa.subject();
        let siblings = |endpoint: &Self, fits: fn(&Child, ChildId) -> bool| -> Vec<_> {
            let ids = endpoint.children.of_subject(&subject).into_iter();
            ids.filter(|other| *other != id)
                .filter_map(|other| endpoint.children.get(other))
                .filter(|child| fits(child, id))
                .map(|child| (child.heard, child.sa.id))
                .collect()
        };
        for (_, successor) in siblings(self, |child, id| child.phase.waits_for(id)) {
            self.activate_child(successor);
        }
        if !siblings(self, |child, _| child.is_current()).is_empty() {
            return;
        }
        let spare = siblings(self, |child, _| child.phase.can_step_in());
        if let Some((_, spare)) = spare.into_iter().max() {
            self.send_on(spare);
        }
    }

    /// A child whose quick mode did not complete.
    pub(crate) fn abort_child(&mut self, id: ChildId) {
        self.child_down(id, DownReason::NegotiationFailed, false);
    }

    /// The peer says that it has this child no more.
    pub(crate) fn child_deleted_by_peer(&mut self, id: ChildId) {
        self.confirm_successor(id);
        match self.children.get(id) {
            Some(child) if child.is_current() || child.phase.up().is_none() => {
                self.child_down(id, DownReason::DeletedByPeer, false);
            }
            Some(_) => self.leave_soon(id),
            None => {}
        }
    }

    /// A peer that deletes the child that sends, while we wait for its confirmation of a younger one for
    /// the same flow, has the younger one: the confirmation was lost, or comes late.
    fn confirm_successor(&mut self, id: ChildId) {
        let Some(child) = self.children.get(id).filter(|child| child.is_current()) else {
            return;
        };
        let siblings = self.children.of_subject(&child.sa.subject());
        let unconfirmed = siblings.into_iter().rev().find(|other| {
            let child = self.children.get(*other);
            *other > id
                && child.is_some_and(|child| {
                    child.phase.up().is_none() && child.role == Role::Responder
                })
        });
        if let Some(successor) = unconfirmed {
            self.activate_child(successor);
        }
    }

    /// The time of a replaced child is over. The delete goes out twice: if it were lost, the peer
    /// could go on sending through a child that we do not have. One that gave way to another stays
    /// as long as the peer sends on it.
    pub(crate) fn retire_child(&mut self, id: ChildId) {
        let now = self.ctx.now;
        let Some(child) = self.children.get_mut(id) else {
            return;
        };
        match &child.phase {
            Phase::Receiving { .. } | Phase::Active { .. } => {}
            Phase::Spare { since, .. } | Phase::Superseded { since, .. }
                if child.heard > *since + STRAGGLERS =>
            {
                child.phase.supersede(EndedBy::Peer, now);
            }
            Phase::Spare { .. } | Phase::Superseded { .. } | Phase::Retiring { .. } => {
                self.leave_soon(id);
                self.send_child_delete(id);
            }
            Phase::Leaving { .. } => self.child_down(id, DownReason::Replaced, true),
        }
    }

    /// The lifetime of a child is over.
    pub(crate) fn expire_child(&mut self, id: ChildId) {
        self.child_down(id, DownReason::Expired, true);
    }

    /// Starts the quick mode that replaces a child.
    pub(crate) fn rekey_child(&mut self, id: ChildId) {
        let Some(child) = self.children.get_mut(id) else {
            return;
        };
        let (subject, peer) = (child.sa.subject(), child.sa.remote);
        match &mut child.phase {
            Phase::Active { rekeying, .. } if !*rekeying => *rekeying = true,
            _ => return,
        }
        let request = ChildRequest {
            subject,
            rekeys: Some(id),
        };
        if !self.request_child(request, Some(peer)) {
            self.rekey_failed(id);
        }
    }

    /// A rekey did not work out: again later, while the child lives.
    pub(crate) fn rekey_failed(&mut self, id: ChildId) {
        let Some(child) = self.children.get_mut(id) else {
            return;
        };
        let Phase::Active { rekeying, .. } = &mut child.phase else {
            return;
        };
        *rekeying = false;
        let at = self.ctx.now + RETRY;
        if at < child.expires {
            self.set_child_timer(id, ChildTimer::Rekey, at);
        }
    }

    fn set_child_timer(&mut self, id: ChildId, timer: ChildTimer, at: Instant) {
        self.ctx.timers.set(at, Timer::Child(id, timer));
    }

    fn cancel_child_timer(&mut self, id: ChildId, timer: ChildTimer) {
        self.ctx.timers.cancel(Timer::Child(id, timer));
    }

    /// The kernel reports a byte limit, or its own safety net.
    pub(crate) fn child_limit(&mut self, id: ChildId, kind: Expiry) {
        match kind {
            Expiry::Soft => self.rekey_child(id),
            Expiry::Hard => self.expire_child(id),
        }
    }

    /// The kernel did not take a child. If its quick mode still waits for message 3, the peer is told
    /// again when that comes, for only then does it have the child.
    pub(crate) fn child_not_installed(&mut self, id: ChildId, reason: &str) {
        let Some(child) = self.children.get(id) else {
            return;
        };
        let (path, role, connection) = (child.path(), child.role, child.sa.connection);
        self.child_down(id, DownReason::KernelRefused, true);
        let cause = Cause::KernelRefused {
            reason: reason.to_owned(),
        };
        let exchange = crate::registry::ExchangeType::QUICK_MODE;
        self.negotiation_failed_on(path, exchange, role, Some(connection), cause);
    }
}

/// True for two children of one flow of which each end began one before it knew of the other's. Of a
/// younger one that we began, an active one of the peer's that it does not replace came meanwhile.
fn are_rivals(younger: &Child, active: &Child) -> bool {
    match (younger.role, active.role) {
        (Role::Initiator, Role::Responder) => true,
        (Role::Responder, Role::Initiator) => younger.rival == Some(active.exchange),
        _ => false,
    }
}

/// Which end deletes a child when a younger one takes its place. Each has one initiator and both ends
/// rank alike, so that never both ends delete one of two.
fn ended_by(old: &Child, younger: &Child) -> EndedBy {
    match (old.role, younger.role) {
        (Role::Initiator, Role::Initiator) => EndedBy::Us,
        (Role::Initiator, Role::Responder) if rank(&old.sa) < rank(&younger.sa) => EndedBy::Us,
        _ => EndedBy::Peer,
    }
}

/// Both ends see the same SPIs, so they rank two children alike.
fn rank(sa: &ChildSa) -> u32 {
    let spis = sa
        .protocols
        .iter()
        .flat_map(|part| [part.inbound_spi, part.outbound_spi]);
    spis.min().unwrap_or_default()
}

/// The kernel's names of one half of a child.
pub(crate) fn kernel_sas(sa: &ChildSa, direction: Direction) -> Vec<KernelSa> {
    sa.protocols
        .iter()
        .map(|part| match direction {
            Direction::Inbound => KernelSa {
                source: sa.remote,
                destination: sa.local,
                protocol: part.protocol,
                spi: part.inbound_spi,
            },
            Direction::Outbound => KernelSa {
                source: sa.local,
                destination: sa.remote,
                protocol: part.protocol,
                spi: part.outbound_spi,
            },
        })
        .collect()
}
