//! What the counters of a child tell: whether the peer is there, and whether it has the child at all.
//!
//! A peer can lose a child without a word: message 3 of quick mode never reached it, or it dropped
//! its children with their ISAKMP SA. What we send is lost then, and nothing comes back. While there
//! is such a doubt, the counters are looked at every second; a child on which packets go out and
//! none come in is negotiated again. A flow that is one-way by nature costs one quick mode more.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::child::ChildId;
use crate::config::KeepaliveKind;
use crate::endpoint::Endpoint;
use crate::endpoint::children::Children;
use crate::endpoint::phase::EndedBy;
use crate::id::{PeerId, SaId};
use crate::output::{Expiry, Traffic};
use crate::sa::IkeSa;
use crate::status::Role;
use crate::task::Task;
use crate::time::Instant;

/// Seconds in which packets went out and none came in, after which a doubted child is replaced.
const SILENT: u32 = 3;

/// How long a fresh child is watched.
const FRESH: Duration = Duration::from_secs(10);

/// How long a child is watched after the peer repeated message 2 or the last ISAKMP SA went.
const LOST: Duration = Duration::from_secs(60);

/// How long packets may be ahead of message 3.
const OVERTAKING: Duration = Duration::from_secs(2);

/// Repeats of message 2 after which message 3 has surely not been read.
const REPEATS: u32 = 3;

/// Children of a flow in a row that are negotiated again because nothing came back.
const MAX_LOSSES: u8 = 2;

/// The peer may not have a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Doubt<T = Instant> {
    /// Seconds in which packets went out and none came in
    silent: u32,
    /// When the watch ends
    until: T,
    /// Without traffic to tell by, the child is replaced when the watch ends
    replace: bool,
}

impl<T> Doubt<T> {
    /// The same with its moment in another clock.
    pub(crate) fn map<U>(self, at: impl Fn(T) -> U) -> Doubt<U> {
        Doubt {
            silent: self.silent,
            until: at(self.until),
            replace: self.replace,
        }
    }
}

impl Doubt {
    /// Message 3 is out, and there is no answer to it in quick mode.
    fn of_a_fresh_child(now: Instant) -> Self {
        Self {
            silent: 0,
            until: now + FRESH,
            replace: false,
        }
    }

    /// The peer may have deleted it while no endpoint listened. A flow that was found to be one-way is left alone, but for a
    /// doubt that was `known` before.
    pub(crate) fn of_a_resumed_child(
        now: Instant,
        losses: u8,
        known: Option<Self>,
    ) -> Option<Self> {
        if losses >= MAX_LOSSES || known.is_some_and(|known| known.replace) {
            return known;
        }
        Some(Self::of_a_lost_one(now, false))
    }

    fn of_a_lost_one(now: Instant, replace: bool) -> Self {
        Self {
            silent: 0,
            until: now + LOST,
            replace,
        }
    }
}

impl Endpoint {
    /// Children whose counters the endpoint wants about every second.
    pub fn wants_traffic(&self) -> Vec<ChildId> {
        let on_demand = self
            .ctx
            .config
            .keepalive
            .is_some_and(|keepalive| keepalive.kind == KeepaliveKind::OnDemand);
        let wanted = self.children.iter().filter(|child| {
            let unread = child.volume_unread && child.sa.lifetime.soft_bytes.is_some();
            let asked = child.is_current() && (on_demand || unread || child.doubt.is_some());
            let ended_by = child.phase.ended_by();
            asked || ended_by.is_some_and(|(by, _)| by == EndedBy::Us)
        });
        wanted.map(|child| child.sa.id).collect()
    }

    /// Counters of a child read from the kernel. Needed only where `wants_traffic` names the child.
    pub fn traffic(&mut self, now: Instant, child: ChildId, traffic: Traffic) {
        self.ctx.now = now;
        let id = child;
        let Some(child) = self.children.get_mut(id) else {
            return;
        };
        let came = traffic.inbound_packets > child.traffic.inbound_packets;
        let went = traffic.outbound_packets > child.traffic.outbound_packets;
        child.traffic = traffic;
        if std::mem::take(&mut child.volume_unread) {
            let most = traffic.inbound_bytes.max(traffic.outbound_bytes);
            let soft = child.sa.lifetime.soft_bytes;
            if soft.is_some_and(|soft| most >= soft) {
                self.child_limit(id, Expiry::Soft);
            }
        }
        let Some(child) = self.children.get_mut(id) else {
            return;
        };
        if came {
            child.heard = now;
            child.doubt = None;
            return;
        }
        let silent = child.doubt.as_mut().is_some_and(|doubt| {
            doubt.silent = doubt.silent.saturating_add(u32::from(went));
            doubt.silent >= SILENT || doubt.replace && now >= doubt.until
        });
        if silent {
            self.replace_lost_child(id);
        } else if child.doubt.is_some_and(|doubt| now >= doubt.until) {
            child.doubt = None;
        }
        if went {
            self.ask_on_demand(id);
        }
    }

    /// Packets go out and none come in: is the peer there?
    fn ask_on_demand(&mut self, id: ChildId) {
        let Some(keepalive) = self.ctx.config.keepalive else {
            return;
        };
        let Some(child) = self.children.get(id).filter(|child| child.is_current()) else {
            return;
        };
        let (local, peer, heard) = (child.sa.local, child.peer, child.heard);
        let Some(ike) = self.usable_sa(local, peer) else {
            return;
        };
        let life = self.sas.get(&ike).and_then(IkeSa::life);
        let proven = life.map(|life| life.heard).unwrap_or_default();
        if self.ctx.now.since(heard.max(proven)) >= keepalive.interval {
            self.give(ike, Task::AskPeer);
        }
    }

    /// Negotiates a child again that the peer seems not to have.
    fn replace_lost_child(&mut self, id: ChildId) {
        if let Some(child) = self.children.get_mut(id) {
            child.doubt = None;
            child.losses = child.losses.saturating_add(1);
            self.rekey_child(id);
        }
    }

    /// Watches a child that we began and that sends from now on. After a few that were negotiated
    /// again in vain, the flow is one-way, and is left alone.
    pub(crate) fn watch_fresh_child(&mut self, id: ChildId, replaces: Option<ChildId>) {
        let now = self.ctx.now;
        let old = replaces.and_then(|old| self.children.get(old));
        let losses = old.map_or(0, |old| old.losses);
        let child = self.children.get_mut(id);
        let Some(child) = child.filter(|child| child.role == Role::Initiator) else {
            return;
        };
        child.losses = losses;
        if losses < MAX_LOSSES {
            child.doubt.get_or_insert(Doubt::of_a_fresh_child(now));
        }
    }

    /// An ISAKMP SA is gone that was in use, or the last one. Some peers drop all children with it.
    pub(crate) fn doubt_children(&mut self, id: SaId) {
        let now = self.ctx.now;
        let Some(sa) = self.sas.get(&id) else { return };
        let (local, peer) = (sa.common.local.ip(), sa.common.peer);
        for id in self.children.of_peer(peer) {
            let child = self.children.get_mut(id);
            if let Some(child) = child.filter(|child| child.sa.local == local) {
                child.doubt = Some(Doubt::of_a_lost_one(now, true));
            }
        }
    }

    /// The peer has got packets under an SPI that it does not have. Of a child that came up just now,
    /// the packets may have overtaken message 3.
    pub(crate) fn child_unknown_to_peer(&mut self, id: ChildId) {
        let now = self.ctx.now;
        let Some(child) = self.children.get_mut(id) else {
            return;
        };
        if child.phase.up().is_none_or(|up| now < up + OVERTAKING) {
            child.doubt = Some(Doubt::of_a_lost_one(now, false));
        } else {
            self.child_deleted_by_peer(id);
        }
    }

    /// The peer could not read message 3 of the quick mode of this child.
    pub(crate) fn confirmation_unread(&mut self, id: ChildId) {
        let Some(child) = self.children.get(id) else {
            return;
        };
        match child.phase.up() {
            Some(_) => self.replace_lost_child(id),
            None => self.abort_child(id),
        }
    }

    /// The peer repeats message 2 of a quick mode of which message 3 is out.
    pub(crate) fn confirmation_asked_again(&mut self, id: SaId, message_id: u32, repeats: u32) {
        let Some(peer) = self.sas.get(&id).map(|sa| sa.common.peer) else {
            return;
        };
        let now = self.ctx.now;
        for child in self.children.of_peer(peer) {
            let Some(child) = self.children.get_mut(child) else {
                continue;
            };
            let ours = child.role == Role::Initiator && child.exchange == (id, message_id);
            let unheard = child.heard <= child.phase.up().unwrap_or(now);
            if ours && unheard {
                child.doubt = Some(Doubt::of_a_lost_one(now, false));
                if repeats >= REPEATS {
                    let lost = child.sa.id;
                    return self.replace_lost_child(lost);
                }
            }
        }
    }
}

impl Children {
    /// The peer could not read a message and does not say which. If message 3 of a quick mode under this SA went out just now,
    /// and nothing came under its child, it was that one.
    pub(crate) fn unread(&self, peer: PeerId, sa: SaId, now: Instant) -> Option<ChildId> {
        let children = self.of_peer(peer).into_iter();
        let mut fresh = children
            .filter_map(|child| self.get(child))
            .filter(|child| {
                let up = child.phase.up().unwrap_or(now);
                let ours = child.role == Role::Initiator && child.exchange.0 == sa;
                let unheard = child.heard <= up && child.losses == 0;
                ours && unheard && now < up + OVERTAKING && !child.phase.is_going()
            });
        fresh.next().map(|child| child.sa.id)
    }
}
