//! Phase 1 comes back for children that have lost it: dead peer detection and deletes need it, and a
//! peer that dropped its children with their ISAKMP SA can be given new ones. Called by `sa_life`.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::config::ConnectionId;
use crate::endpoint::Endpoint;
use crate::event::{DownReason, Event};
use crate::id::{Path, PeerId, SaId};
use crate::status::Role;
use crate::timer::Timer;

/// How long the end that was told of the delete leaves the start to the other one, at most: milliseconds.
const PATIENCE: u64 = 2_000;

/// An ISAKMP SA that the peer deleted sooner is not replaced sooner.
const YOUNG: Duration = Duration::from_secs(5);

/// Wait before the next attempt.
const RETRY: Duration = Duration::from_secs(15);

impl Endpoint {
    /// An ISAKMP SA is gone. If it was the last one and children live on, a new one is negotiated.
    /// The end that ended it begins at once, the other one a little later: two at once are one too many.
    pub(crate) fn bring_phase1_back(&mut self, id: SaId, reason: DownReason) {
        let Some(sa) = self.sas.get(&id) else { return };
        let path = sa.common.path();
        let (local, peer) = (path.local.ip(), sa.common.peer);
        if reason == DownReason::Shutdown
            || self.usable_sa(local, peer).is_some()
            || self.orphan(local, peer).is_none()
        {
            return;
        }
        let lived = sa.common.established.map(|at| self.ctx.now.since(at));
        let first = match reason {
            DownReason::DeletedByPeer => false,
            DownReason::Expired => sa.common.role == Role::Initiator,
            _ => true,
        };
        let wait = if first {
            Duration::ZERO
        } else if lived.is_some_and(|lived| lived < YOUNG) {
            // The peer does not seem to want it.
            YOUNG
        } else {
            let spread = self.ctx.random_below(PATIENCE / 2);
            Duration::from_millis(PATIENCE / 2 + spread)
        };
        self.doubt_children(id);
        self.restore_after(wait, peer, path);
    }

    /// Phase 1 comes back at once wherever children live on without it and nothing else is to bring it back.
    pub(crate) fn restore_orphans(&mut self) {
        let children = self.children.iter().filter(|child| child.is_current());
        let ends = children.map(|child| (child.peer, child.local, child.remote));
        let ends: BTreeSet<_> = ends.collect();
        for (peer, local, remote) in ends {
            let (from, to) = (local.ip(), remote.ip());
            let timer = Timer::RestoreIke(peer, local, remote);
            let comes = self.usable_sa(from, peer).or(self.promising_at(from, to));
            if comes.is_none() && self.ctx.timers.due(timer).is_none() {
                self.ctx.timers.set(self.ctx.now, timer);
            }
        }
    }

    /// Begins phase 1 after this time, or sooner if that was said before.
    fn restore_after(&mut self, wait: Duration, peer: PeerId, path: Path) {
        let at = self.ctx.now + wait;
        let timer = Timer::RestoreIke(peer, path.local, path.remote);
        if self.ctx.timers.due(timer).is_none_or(|due| due > at) {
            self.ctx.timers.set(at, timer);
        }
    }

    /// The entry of a child of a peer, which an ISAKMP SA, now gone, has left behind.
    fn orphan(&self, local: IpAddr, peer: PeerId) -> Option<ConnectionId> {
        let children = self.children.of_peer(peer).into_iter();
        children
            .filter_map(|child| self.children.get(child))
            .filter(|child| child.is_current() && child.sa.local == local)
            .find(|child| {
                let entry = self.ctx.config.connection(child.sa.connection);
                entry.is_some_and(|entry| entry.peers.admits(child.sa.remote))
            })
            .map(|child| child.sa.connection)
    }

    /// Begins phase 1, unless there is one by now. Asks again later unless that is an SA, or a negotiation of ours, whose
    /// failure is told to `phase1_not_restored`: we may be refused to begin, and a negotiation of the peer's may come to
    /// nothing.
    pub(crate) fn restore_ike(&mut self, peer: PeerId, local: SocketAddr, remote: SocketAddr) {
        let Some(connection) = self.orphan(local.ip(), peer) else {
            return;
        };
        if self.usable_sa(local.ip(), peer).is_some() {
            return;
        }
        let promising = |endpoint: &Self| {
            let id = endpoint.promising_at(local.ip(), remote.ip())?;
            let sa = endpoint.sas.get(&id)?;
            endpoint.may_be_of(sa, peer).then_some(sa.common.role)
        };
        if promising(self).is_none() {
            let ends = (local, remote, Some(peer));
            self.start_main_mode(ends, Some(connection), Vec::new(), None);
        }
        if promising(self).is_none_or(|role| role == Role::Responder) {
            let path = Path {
                local,
                remote,
                conn_id: 0,
            };
            self.restore_after(RETRY, peer, path);
        }
    }

    /// An attempt at phase 1 failed, and there is no other ISAKMP SA with the peer. With keepalives,
    /// a peer that was silent is dead. Else the children go on, and so do the attempts.
    pub(crate) fn phase1_not_restored(&mut self, peer: PeerId, path: Path, silent: bool) {
        if self.orphan(path.local.ip(), peer).is_none() {
            return;
        }
        if silent && self.ctx.config.keepalive.is_some() {
            self.ctx.fact(path, Event::PeerDead);
            for connection in self.drop_children_of_dead(peer) {
                self.leave_peer(connection, path.remote.ip());
            }
            return;
        }
        self.restore_after(RETRY, peer, path);
    }
}
