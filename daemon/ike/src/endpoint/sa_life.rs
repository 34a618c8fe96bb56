//! The life of an ISAKMP SA: up, failed, repeated, rekeyed, replaced, expired, dead.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use crate::cause::{Blame, Cause, Phase};
use crate::child::ChildId;
use crate::config::ConnectionId;
use crate::effect::Up;
use crate::endpoint::Endpoint;
use crate::event::{DownReason, Event, ExchangeState, Input};
use crate::id::{PeerId, SaId};
use crate::registry::{ExchangeType, ProtocolId};
use crate::sa::{IkeSa, Replacement, State};
use crate::status::Role;
use crate::task::Task;
use crate::timer::SaTimer;

/// How long a deleted SA is shown.
const SHOWN: Duration = Duration::from_secs(60);

/// How long a replaced SA stays for what the peer still sends under it.
const GRACE: Duration = Duration::from_secs(15);

/// How long an SA that the peer deleted can still read what it sent before.
const STRAGGLERS: Duration = Duration::from_millis(500);

/// Wait before the next attempt to rekey.
const RETRY: Duration = Duration::from_secs(15);

impl Endpoint {
    /// True when we have no other SA with the peer, so that INITIAL-CONTACT is right to send
    /// (RFC 2407 4.6.3.3).
    pub(crate) fn is_lonely(&self, id: SaId) -> bool {
        let Some(sa) = self.sas.get(&id) else {
            return false;
        };
        let address = sa.common.address();
        let others = self.by_address.get(&address).into_iter().flatten();
        let mut established = others
            .filter(|other| **other != id)
            .filter(|other| self.sas.get(other).is_some_and(IkeSa::is_established));
        let mut peers = self.peers.at(address);
        established.next().is_none() && !peers.any(|peer| self.children.has_peer(peer))
    }

    /// An SA is established.
    pub(super) fn ike_up(&mut self, id: SaId, up: Up) {
        let now = self.ctx.now;
        self.identify(id);
        let Some(sa) = self.sas.get(&id) else { return };
        let (role, path) = (sa.common.role, sa.common.path());
        let Up {
            policy, identity, ..
        } = up;
        let life = Duration::from_secs(policy.lifetime.into());
        self.gate.half_open.over(id);
        if let Some(proposals) = &up.proposals {
            self.gate.stateless.proved(path.remote.ip(), proposals);
        }
        self.cancel_sa_timer(id, SaTimer::HalfOpen);
        self.set_sa_timer(id, SaTimer::Expire, now + life);
        let margin = self.ike_margin(life, role);
        self.set_sa_timer(id, SaTimer::Rekey, now + (life - margin));
        if up.initial_contact {
            self.initial_contact(id);
        }
        let rekey = self.settle_ike_rivals(id);
        self.ctx.fact(
            path,
            Event::IkeUp {
                role,
                identity,
                policy,
                rekey,
            },
        );
        self.schedule_keepalive(id);
        match role {
            Role::Initiator => self.tell_untold(id),
            // Not before message 6 has arrived: it is on its way.
            Role::Responder => self.set_sa_timer(id, SaTimer::TellUntold, now + STRAGGLERS),
        }
        self.start_requests(id);
        self.bound_ike_sas(id);
    }

    /// Sets the timer of a periodic keepalive, if there is one.
    pub(super) fn schedule_keepalive(&mut self, id: SaId) {
        self.give(id, Task::ScheduleKeepalive);
    }

    /// How long before the end the next phase 1 starts; the initiator is the earlier of the two.
    fn ike_margin(&mut self, life: Duration, role: Role) -> Duration {
        let life = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
        let widest = (life / 10).clamp(20_000, 180_000).min(life / 3);
        let margin = match role {
            Role::Initiator => widest - self.ctx.random_below(widest / 4),
            Role::Responder => widest / 2 - self.ctx.random_below(widest / 8),
        };
        Duration::from_millis(margin)
    }

    /// Ends a negotiation without a word.
    pub(crate) fn remove_quietly(&mut self, id: SaId) -> Option<IkeSa> {
        self.unlist_sa(id);
        self.gate.half_open.over(id);
        self.drop_sa(id)
    }

    /// Settles which SA between two addresses goes on, as `settle_rivals` does for children. True
    /// when it takes the place of another.
    fn settle_ike_rivals(&mut self, id: SaId) -> bool {
        let Some(new) = self.sas.get(&id) else {
            return false;
        };
        let (local, peer) = (new.common.local.ip(), new.common.peer);
        let (role, rank) = (new.common.role, new.common.cookies.initiator);
        let takes_over = new.common.takes_over;
        let mut replaced = false;
        for other in self.sas_of(peer) {
            let Some(old) = self.sas.get(&other) else {
                continue;
            };
            let current = old.is(Replacement::Current);
            if other == id || old.common.local.ip() != local || !current {
                continue;
            }
            let outranked = old.common.cookies.initiator < rank;
            match (role, old.common.role) {
                _ if takes_over == Some(other) => self.retire_ike_later(other),
                (Role::Initiator, Role::Responder) if !outranked => {
                    self.retire_ike_later(id);
                    continue;
                }
                (Role::Responder, Role::Initiator) if outranked => self.retire_ike_later(other),
                _ => self.supersede_ike(other),
            }
            replaced = true;
        }
        replaced
    }

    /// Leaves the end of an SA to the peer, or to its lifetime.
    fn supersede_ike(&mut self, id: SaId) {
        let Some(life) = self.sas.get_mut(&id).and_then(IkeSa::life_mut) else {
            return;
        };
        life.replacement = Replacement::Superseded;
        self.cancel_sa_timer(id, SaTimer::Rekey);
        self.cancel_sa_timer(id, SaTimer::Keepalive);
    }

    /// When the SA with a peer went, one whose place it had taken steps in again, even one that we
    /// were about to delete.
    fn reinstate_ike(&mut self, local: IpAddr, peer: PeerId) {
        let Some(id) = self.usable_sa(local, peer) else {
            return;
        };
        let now = self.ctx.now;
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let role = sa.common.role;
        let Some(life) = sa.life_mut() else { return };
        if !matches!(
            life.replacement,
            Replacement::Superseded | Replacement::Retiring
        ) {
            return;
        }
        life.replacement = Replacement::Current;
        let left = life.expires.since(now);
        let margin = self.ike_margin(left, role);
        self.cancel_sa_timer(id, SaTimer::Retire);
        self.set_sa_timer(id, SaTimer::Rekey, now + (left - margin));
        self.schedule_keepalive(id);
    }

    fn retire_ike_later(&mut self, id: SaId) {
        let at = self.ctx.now + GRACE;
        let Some(life) = self.sas.get_mut(&id).and_then(IkeSa::life_mut) else {
            return;
        };
        life.replacement = Replacement::Retiring;
        self.cancel_sa_timer(id, SaTimer::Rekey);
        self.cancel_sa_timer(id, SaTimer::Keepalive);
        self.set_sa_timer(id, SaTimer::Retire, at);
    }

    /// A replaced SA goes, once no quick mode needs it, and if the one that replaced it is still there.
    pub(crate) fn retire_ike(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id) else {
            return;
        };
        if !sa.is_established() {
            return;
        }
        let (local, peer) = (sa.common.local.ip(), sa.common.peer);
        let idle = sa.exchanges() == 0 && sa.common.requests.is_empty();
        if self.usable_sa(local, peer) == Some(id) {
            return self.reinstate_ike(local, peer);
        }
        if !idle {
            return self.set_sa_timer(id, SaTimer::Retire, self.ctx.now + GRACE);
        }
        self.delete_ike(id, DownReason::Replaced);
    }

    /// Ends an ISAKMP SA, with a delete to the peer.
    pub(super) fn delete_ike(&mut self, id: SaId, reason: DownReason) {
        self.give(id, Task::Delete);
        self.ike_down(id, reason);
    }

    /// Ends every exchange of an SA that goes away; none begins under it any more.
    pub(super) fn end_exchanges(&mut self, id: SaId, cause: &Cause) {
        self.give(id, Task::EndExchanges(cause));
    }

    /// The peer deleted the SA. What it sent under it before may still come.
    pub(crate) fn ike_deleted_by_peer(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (path, peer) = (sa.common.path(), sa.common.peer);
        if sa.is(Replacement::Current) {
            self.doubt_children(id);
        }
        let cause = Cause::Protocol {
            blame: Blame::Misbehaved,
            phase: Phase::Two,
            came: format!("peer {} deleted the ISAKMP SA", path.remote.ip()),
            expected: "an answer to quick mode".into(),
        };
        self.end_exchanges(id, &cause);
        if !self.sas.get(&id).is_some_and(IkeSa::is_established) {
            return;
        }
        self.ctx.timers.drop_sa(id);
        self.set_sa_timer(id, SaTimer::Deleted, self.ctx.now + STRAGGLERS);
        self.reinstate_ike(path.local.ip(), peer);
        self.move_requests(id);
    }

    /// The peer has started afresh: what else we have with it is worth nothing
    /// (RFC 2407 4.6.3.3).
    ///
    /// The peer says so of the moment when it wrote the message: what came up since this exchange
    /// began, because both ends began at once, is not meant.
    pub(crate) fn initial_contact(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id) else {
            return;
        };
        let (peer, address, began) = (sa.common.peer, sa.common.address(), sa.common.created);
        let meant = |other: &SaId| {
            self.sas.get(other).is_some_and(|sa| {
                let older = sa.common.established.is_some_and(|at| at < began);
                sa.is_established() && older
            })
        };
        let mut others = self.sas_of(peer);
        others.retain(|other| *other != id && meant(other));
        let restarted = Cause::Protocol {
            blame: Blame::Inappropriate,
            phase: Phase::Two,
            came: format!("peer {address} started afresh"),
            expected: "an answer to quick mode".into(),
        };
        for other in others {
            self.end_exchanges(other, &restarted);
            self.ike_down(other, DownReason::InitialContact);
        }
        for child in self.children.of_peer(peer) {
            let up = self.children.get(child).and_then(|child| child.phase.up());
            if up.is_some_and(|up| up < began) {
                self.child_down(child, DownReason::InitialContact, false);
            }
        }
    }

    /// Remembers what is wrong if the negotiation does not recover, and tells it the first time.
    pub(crate) fn set_provisional_cause(&mut self, id: SaId, cause: Cause) {
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        if sa.common.provisional_cause.as_ref() == Some(&cause) {
            return;
        }
        sa.common.provisional_cause = Some(cause.clone());
        let (path, role, connection) = (sa.common.path(), sa.common.role, sa.common.connection);
        let connection = connection.or_else(|| self.connection_of(&cause, path.remote.ip()));
        let exchange = ExchangeType::IDENTITY_PROTECTION;
        self.negotiation_failed_on(path, exchange, role, connection, cause);
    }

    /// A negotiation of phase 1 is over without success.
    pub(crate) fn phase1_failed(&mut self, id: SaId, cause: Cause) {
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let told = sa.common.provisional_cause.as_ref() == Some(&cause);
        let (path, role, connection) = (sa.common.path(), sa.common.role, sa.common.connection);
        let peer = sa.common.peer;
        let requests = std::mem::take(&mut sa.common.requests);
        let silent = matches!(cause, Cause::NoAnswer { .. });
        if !told {
            let known = connection.or_else(|| self.connection_of(&cause, path.remote.ip()));
            let exchange = ExchangeType::IDENTITY_PROTECTION;
            self.negotiation_failed_on(path, exchange, role, known, cause);
        }
        self.ike_down(id, DownReason::NegotiationFailed);
        let (local, address) = (path.local.ip(), path.remote.ip());
        let usable = self.usable_sa(local, peer);
        match usable.or_else(|| self.usable_at(local, address)) {
            // It was to replace an SA that is still alive.
            Some(old) => {
                let life = self.sas.get(&old).and_then(IkeSa::life);
                let at = self.ctx.now + RETRY;
                if role == Role::Initiator && life.is_some_and(|life| at < life.expires) {
                    self.set_sa_timer(old, SaTimer::Rekey, at);
                }
                for request in requests {
                    self.start_child(old, request);
                }
            }
            None => {
                if role == Role::Initiator {
                    self.phase1_not_restored(peer, path, silent);
                }
                self.try_next_peers(requests, address);
            }
        }
    }

    /// Starts the phase 1 that replaces an SA, if anything needs it.
    pub(crate) fn rekey_ike(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (local, remote, peer) = (sa.common.local, sa.common.remote, sa.common.peer);
        if !sa.is(Replacement::Current) {
            return;
        }
        let children = self.children.of_peer(peer);
        let child = children
            .iter()
            .filter_map(|child| self.children.get(*child))
            .next();
        let Some(connection) = child.map(|child| child.sa.connection) else {
            return;
        };
        let ids = self.by_address.get(&remote.ip()).into_iter().flatten();
        let under_way = ids.filter_map(|other| self.sas.get(other)).any(|sa| {
            sa.is_half_open()
                && sa.common.local == local
                && sa.common.role == Role::Initiator
                && self.may_be_of(sa, peer)
        });
        if !under_way {
            let ends = (local, remote, Some(peer));
            self.start_main_mode(ends, Some(connection), Vec::new(), Some(id));
        }
    }

    /// The lifetime of an ISAKMP SA is over. Its children live on.
    pub(crate) fn expire_ike(&mut self, id: SaId) {
        let cause = Cause::Protocol {
            blame: Blame::Inappropriate,
            phase: Phase::Two,
            came: "the ISAKMP SA expired during quick mode".into(),
            expected: "an answer in time".into(),
        };
        self.end_exchanges(id, &cause);
        self.move_requests(id);
        self.delete_ike(id, DownReason::Expired);
    }

    /// An ISAKMP SA is gone: it is only shown for a while.
    pub(crate) fn ike_down(&mut self, id: SaId, reason: DownReason) {
        self.give(id, Task::DropExchanges);
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        if sa.is_deleted() && reason != DownReason::NegotiationFailed {
            return;
        }
        let (path, role, peer) = (sa.common.path(), sa.common.role, sa.common.peer);
        let was_up = sa.is_established();
        let requests = std::mem::take(&mut sa.common.requests);
        sa.state = State::Deleted;

        for request in requests {
            self.request_lost(request, false);
        }
        self.gate.half_open.over(id);
        self.unlist_sa(id);
        self.ctx.timers.drop_sa(id);
        self.set_sa_timer(id, SaTimer::Forget, self.ctx.now + SHOWN);
        self.show_deleted(id);
        self.ctx.debug(path, || Event::StateChanged {
            input: Input::Phase1Delete,
            message_id: 0,
            old: ExchangeState::Phase1Complete,
            new: ExchangeState::DestroySa,
        });
        if was_up {
            self.ctx.fact(path, Event::IkeDown { role, reason });
            self.reinstate_ike(path.local.ip(), peer);
        }
        if reason != DownReason::NegotiationFailed {
            self.bring_phase1_back(id, reason);
        }
    }

    /// Tells the peer of a new ISAKMP SA what went while there was none.
    pub(crate) fn tell_untold(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id).filter(|sa| sa.is_established()) else {
            return;
        };
        let (local, peer) = (sa.common.local.ip(), sa.common.peer);
        let deletes = self.peers.take_untold(peer, local);
        if !deletes.is_empty() {
            self.send_deletes(id, deletes);
        }
    }

    /// Tells the peer that a child is gone, if an ISAKMP SA with it is alive.
    pub(crate) fn send_child_delete(&mut self, id: ChildId) {
        let Some(child) = self.children.get(id) else {
            return;
        };
        let (local, remote, peer) = (child.sa.local, child.sa.remote, child.peer);
        let parts = child.sa.protocols.iter();
        let deletes = parts
            .map(|sa| (sa.protocol.into(), sa.inbound_spi))
            .collect();
        match self.usable_sa(local, peer) {
            Some(ike) => self.send_deletes(ike, deletes),
            // With a peer that is not listed we never begin, and it may not come back.
            None if self.ctx.config.lists(remote) => {
                self.peers.keep_untold(peer, local, deletes);
            }
            None => {}
        }
    }

    /// Tells the peer that these inbound SAs of ours are gone.
    pub(crate) fn send_deletes(&mut self, ike: SaId, deletes: Vec<(ProtocolId, u32)>) {
        self.give(ike, Task::DeleteChildren(deletes));
    }

    /// The peer does not answer: everything with it goes, and traffic will try the next peer.
    pub(super) fn peer_dead(&mut self, id: SaId, tries: u32) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (path, role, peer) = (sa.common.path(), sa.common.role, sa.common.peer);
        let address = path.remote.ip();
        let cause = Cause::PeerDead {
            peer: address,
            tries,
        };
        let connections = self.drop_children_of_dead(peer);
        for other in self.sas_of(peer) {
            self.end_exchanges(other, &cause);
            self.ike_down(other, DownReason::PeerDead);
        }
        for connection in connections {
            let exchange = ExchangeType::INFORMATIONAL;
            let cause = cause.clone();
            self.negotiation_failed_on(path, exchange, role, Some(connection), cause);
            self.leave_peer(connection, address);
        }
    }

    /// Takes all children with a dead peer down; gives the entries that they were of.
    pub(crate) fn drop_children_of_dead(&mut self, peer: PeerId) -> BTreeSet<ConnectionId> {
        let mut connections = BTreeSet::new();
        for child in self.children.of_peer(peer) {
            connections.extend(self.children.get(child).map(|child| child.sa.connection));
            self.child_down(child, DownReason::PeerDead, false);
        }
        connections
    }
}
