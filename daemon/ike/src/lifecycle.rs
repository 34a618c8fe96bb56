//! The life of a child: born with its inbound half, active in both directions, replaced, gone.
//!
//! Make before break: a new child receives before anyone sends to it; the one it replaces stops
//! sending at once and goes on receiving for a while.

use std::time::Duration;

use crate::cause::Cause;
use crate::child::{ChildId, ChildSa, Direction, Lifetimes};
use crate::children::{Child, Standing};
use crate::config::{ConnectionId, FlowId};
use crate::endpoint::Endpoint;
use crate::event::{DownReason, Event};
use crate::output::{Expiry, KernelSa, Output, Traffic};
use crate::sa::{SaId, Want};
use crate::status::Role;
use crate::timer::Timer;
use crate::v1::quick::protocol_number;

/// How long a replaced child goes on receiving.
const GRACE: Duration = Duration::from_secs(8);

/// How long a child that either end has deleted goes on receiving what is on its way.
const STRAGGLERS: Duration = Duration::from_secs(2);

/// Wait before a rekey that failed is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// A child whose quick mode gave it its keys.
pub(crate) struct Birth {
    pub(crate) ike: SaId,
    pub(crate) sa: ChildSa,
    pub(crate) role: Role,
    pub(crate) takes_over: Option<ChildId>,
}

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
        let percent = match role {
            Role::Initiator => 80 + self.ctx.random_below(5),
            Role::Responder => 88 + self.ctx.random_below(4),
        };
        Lifetimes {
            seconds,
            kilobytes,
            soft: Duration::from_millis(life - margin),
            hard: Duration::from_millis(life),
            soft_bytes: hard_bytes.map(|bytes| bytes / 100 * percent),
            hard_bytes,
        }
    }

    /// Installs the inbound half and keeps the child.
    pub(crate) fn child_born(&mut self, birth: Birth) {
        let Birth {
            ike,
            sa,
            role,
            takes_over,
        } = birth;
        let Some(common) = self.sas.get(&ike).map(|sa| &sa.common) else {
            return;
        };
        let (id, expires) = (sa.id, self.ctx.now + sa.lifetime.hard);
        self.ctx.outputs.push_back(Output::InstallChild {
            child: Box::new(sa.clone()),
            direction: Direction::Inbound,
        });
        self.next_child_conn_id += 2;
        self.children.insert(Child {
            sa,
            role,
            local: common.local,
            remote: common.remote,
            ike_conn_id: common.conn_id,
            conn_id: self.next_child_conn_id - 2,
            up: None,
            outbound: false,
            takes_over,
            standing: Standing::Current,
            delete_sent: false,
            rekeying: false,
            expires,
            traffic: Traffic::default(),
            heard: self.ctx.now,
        });
        self.ctx.timers.set(expires, Timer::ExpireChild(id));
    }

    /// Installs the outbound half: the child is up, and takes the place of older ones.
    pub(crate) fn activate_child(&mut self, id: ChildId) {
        self.ctx.timers.cancel(Timer::ActivateChild(id));
        let now = self.ctx.now;
        let connection = self.children.get(id).map(|child| child.sa.connection);
        let first = connection.is_some_and(|id| !self.children.connection_is_up(id));
        let Some(child) = self.children.get_mut(id).filter(|child| !child.outbound) else {
            return;
        };
        child.outbound = true;
        child.up = Some(now);
        let (sa, role, path) = (child.sa.clone(), child.role, child.path());
        let soft = child
            .expires
            .since(now)
            .saturating_sub(sa.lifetime.hard - sa.lifetime.soft);
        let direction = Direction::Outbound;
        self.ctx.outputs.push_back(Output::InstallChild {
            child: Box::new(sa.clone()),
            direction,
        });
        self.ctx.timers.set(now + soft, Timer::RekeyChild(id));
        let replaces = self.settle_rivals(id);
        let (connection, child) = (sa.connection, Box::new(sa));
        self.ctx.fact(
            path,
            Event::ChildUp {
                child,
                role,
                replaces,
            },
        );
        self.session_succeeded(connection, first, path);
    }

    /// Settles which child of the flow goes on. The initiator of a rekey deletes what it replaces.
    /// Of two that the two ends began at once, the one that ranks lower is deleted by the end that
    /// began it: as each child has one initiator and both ends rank alike, one always stays.
    fn settle_rivals(&mut self, id: ChildId) -> Option<ChildId> {
        let new = self.children.get(id)?;
        let (role, rank, remote) = (new.role, rank(&new.sa), new.sa.remote);
        let takes_over = new.takes_over;
        let mut replaced = None;
        for other in self.children.of_flow(new.sa.connection, new.sa.flow) {
            let Some(old) = self.children.get(other) else {
                continue;
            };
            if other == id || old.up.is_none() || old.standing == Standing::Retiring {
                continue;
            }
            let outranked = self::rank(&old.sa) < rank;
            let replaces = takes_over == Some(other) || old.sa.remote != remote;
            match (role, old.role) {
                _ if replaces => self.retire_later(other),
                (Role::Initiator, Role::Responder) if !outranked => {
                    self.retire_later(id);
                    continue;
                }
                (Role::Responder, Role::Initiator) if outranked => self.retire_later(other),
                _ => self.supersede(other),
            }
            replaced = Some(other);
        }
        replaced
    }

    /// Leaves the end of a child to the peer, or to its lifetime.
    fn supersede(&mut self, id: ChildId) {
        if let Some(child) = self.children.get_mut(id) {
            child.standing = Standing::Superseded;
            self.ctx.timers.cancel(Timer::RekeyChild(id));
        }
    }

    /// When the child of a flow went, one that it had superseded takes its place again.
    fn reinstate(&mut self, connection: ConnectionId, flow: FlowId) {
        let now = self.ctx.now;
        let ids = self.children.of_flow(connection, flow);
        let current = |id: &ChildId| self.children.get(*id).is_some_and(Child::is_current);
        if ids.iter().any(current) {
            return;
        }
        let superseded = ids.into_iter().rev().find(|id| {
            let child = self.children.get(*id);
            child.is_some_and(|child| child.standing == Standing::Superseded)
        });
        let Some(child) = superseded.and_then(|id| self.children.get_mut(id)) else {
            return;
        };
        child.standing = Standing::Current;
        child.rekeying = false;
        let lifetime = child.sa.lifetime;
        let left = child.expires.since(now);
        let soft = left.saturating_sub(lifetime.hard.saturating_sub(lifetime.soft));
        let id = child.sa.id;
        self.ctx.timers.set(now + soft, Timer::RekeyChild(id));
    }

    /// Stops sending through a child; it goes on receiving for a while.
    fn retire_later(&mut self, id: ChildId) {
        let Some(child) = self.children.get_mut(id) else {
            return;
        };
        child.standing = Standing::Retiring;
        let at = (self.ctx.now + GRACE).min(child.expires);
        self.ctx.timers.cancel(Timer::RekeyChild(id));
        self.ctx.timers.set(at, Timer::RetireChild(id));
        self.remove_outbound(id);
    }

    fn remove_outbound(&mut self, id: ChildId) {
        let Some(child) = self.children.get_mut(id).filter(|child| child.outbound) else {
            return;
        };
        child.outbound = false;
        let sas = kernel_sas(&child.sa, Direction::Outbound);
        let direction = Direction::Outbound;
        self.ctx
            .outputs
            .push_back(Output::RemoveChild { id, direction, sas });
    }

    /// Ends a child: both halves leave the kernel, the peer is told if `tell`.
    pub(crate) fn child_down(&mut self, id: ChildId, reason: DownReason, tell: bool) {
        if tell {
            self.send_child_delete(id);
        }
        self.remove_outbound(id);
        for timer in [
            Timer::RekeyChild(id),
            Timer::ExpireChild(id),
            Timer::RetireChild(id),
            Timer::ActivateChild(id),
        ] {
            self.ctx.timers.cancel(timer);
        }
        let Some(child) = self.children.remove(id) else {
            return;
        };
        let direction = Direction::Inbound;
        let sas = kernel_sas(&child.sa, direction);
        self.ctx
            .outputs
            .push_back(Output::RemoveChild { id, direction, sas });
        let (connection, flow, path) = (child.sa.connection, child.sa.flow, child.path());
        // Who was to take over must not wait any longer.
        for heir in self.children.of_flow(connection, flow) {
            if self
                .children
                .get(heir)
                .is_some_and(|heir| heir.takes_over == Some(id))
            {
                self.activate_child(heir);
            }
        }
        self.reinstate(connection, flow);
        if child.up.is_none() {
            return;
        }
        let spis = child.sa.protocols.iter().map(|part| {
            (
                protocol_number(part.protocol),
                part.inbound_spi,
                part.outbound_spi,
            )
        });
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
        self.session_lost_child(connection, path);
    }

    /// A child whose quick mode did not complete.
    pub(crate) fn child_stillborn(&mut self, id: ChildId) {
        self.child_down(id, DownReason::NegotiationFailed, false);
    }

    /// The peer says that it has this child no more.
    pub(crate) fn child_deleted_by_peer(&mut self, id: ChildId) {
        self.confirm_heir(id);
        match self.children.get(id) {
            Some(child) if child.standing != Standing::Current => {
                let at = (self.ctx.now + STRAGGLERS).min(child.expires);
                self.ctx.timers.set(at, Timer::RetireChild(id));
            }
            Some(_) => self.child_down(id, DownReason::DeletedByPeer, false),
            None => {}
        }
    }

    /// A peer that deletes a child while we wait for its confirmation of another one for the same flow
    /// has that other one: the confirmation was lost, or comes late.
    fn confirm_heir(&mut self, id: ChildId) {
        let Some(child) = self.children.get(id).filter(|child| child.up.is_some()) else {
            return;
        };
        let siblings = self.children.of_flow(child.sa.connection, child.sa.flow);
        let unconfirmed = siblings.into_iter().rev().find(|other| {
            let other = self.children.get(*other);
            other.is_some_and(|other| other.up.is_none() && other.role == Role::Responder)
        });
        if let Some(heir) = unconfirmed {
            self.activate_child(heir);
        }
    }

    /// The grace period of a replaced child is over. The delete goes out twice: if it were lost, the
    /// peer could go on sending through a child that we do not have.
    pub(crate) fn retire_child(&mut self, id: ChildId) {
        let now = self.ctx.now;
        let Some(child) = self.children.get_mut(id) else {
            return;
        };
        if child.standing == Standing::Retiring && !child.delete_sent {
            child.delete_sent = true;
            let at = (now + STRAGGLERS).min(child.expires);
            self.ctx.timers.set(at, Timer::RetireChild(id));
            return self.send_child_delete(id);
        }
        self.child_down(id, DownReason::Replaced, true);
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
        if !child.is_current() || child.rekeying {
            return;
        }
        let (connection, flow, peer) = (child.sa.connection, child.sa.flow, child.sa.remote);
        child.rekeying = true;
        if !self.want(
            Want {
                connection,
                flow,
                rekeys: Some(id),
            },
            Some(peer),
        ) {
            self.rekey_failed(id);
        }
    }

    /// A rekey did not work out: again later, while the child lives.
    pub(crate) fn rekey_failed(&mut self, id: ChildId) {
        let Some(child) = self.children.get_mut(id) else {
            return;
        };
        child.rekeying = false;
        let at = self.ctx.now + RETRY;
        if child.is_current() && at < child.expires {
            self.ctx.timers.set(at, Timer::RekeyChild(id));
        }
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
