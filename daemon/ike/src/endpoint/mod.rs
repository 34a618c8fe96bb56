//! The engine's way in: one endpoint per shard, everything of IKE behind it.
//!
//! The caller feeds datagrams, timeouts, kernel events, configuration and operator actions, each
//! with the present time, then drains `poll_output` and sleeps until `next_timeout`.
//!
//! Where things are: `gate` (what becomes of a datagram), `admission` (how many of what there may be),
//! `peers` (with whom), `connection` (which of the peers of a connection), `requests` (which flows wait), `phase1` (how it begins), `questions` (what waits for the outside), `sa_life` (life of an ISAKMP SA), `children` (the table),
//! `child_life` and `phase` (life of a child), `watch` (what its counters tell), `restore` (phase 1 comes
//! back), `clear`, `snapshot`; the exchanges are in `crate::v1`, which answer what `effects` carries out.
//! `crate::resume` saves the SAs, and has another endpoint go on with them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::algorithm::IpsecProtocol;
use crate::child::ChildId;
use crate::child_request::{ChildRequest, Subject};
use crate::config::{Connection, ConnectionId, EngineConfig, FlowId};
use crate::context::Context;
use crate::endpoint::children::Children;
use crate::endpoint::connection::Session;
use crate::event::{DownReason, DropReason};
use crate::id::{Path, PeerId, SaId};
use crate::output::{Clear, Expiry, Output};
use crate::random::Randomness;
use crate::sa::IkeSa;
use crate::status::Role;
use crate::task::Task;
use crate::time::Instant;
use crate::timer::{ChildTimer, SaTimer, Timer};
use crate::wire::Cookie;

mod admission;
pub(crate) mod child_life;
pub(crate) mod children;
mod clear;
mod configured;
pub(crate) mod connection;
mod effects;
mod gate;
pub(crate) mod peers;
pub(crate) mod phase;
mod phase1;
mod questions;
mod requests;
mod restore;
mod sa_life;
mod snapshot;
pub(crate) mod watch;

use admission::Gate;
use peers::Peers;
use questions::Questions;

/// UDP port of ISAKMP (RFC 2408 2.5.1).
pub(crate) const PORT: u16 = 500;

/// How long a responder waits for phase 1 to complete.
pub(crate) const HALF_OPEN_TIME: Duration = Duration::from_secs(40);

/// An IKE endpoint. See the module's documentation.
pub struct Endpoint {
    pub(crate) ctx: Context,
    pub(crate) sas: BTreeMap<SaId, IkeSa>,
    /// By the cookie that we chose
    by_cookie: HashMap<Cookie, SaId>,
    /// As the responder, by the peer and its cookie: finds repeats of message 1
    by_offer: HashMap<(IpAddr, Cookie), SaId>,
    /// By the peer's address, oldest first
    pub(crate) by_address: HashMap<IpAddr, Vec<SaId>>,
    /// By peer, oldest first
    pub(crate) by_peer: HashMap<PeerId, Vec<SaId>>,
    pub(crate) peers: Peers,
    pub(crate) children: Children,
    pub(crate) sessions: HashMap<ConnectionId, Session>,
    /// Flows that are being negotiated, or wait for it
    pub(crate) busy: BTreeSet<Subject>,
    pub(crate) questions: Questions,
    pub(crate) next_sa: u64,
    pub(crate) next_child_conn_id: u32,
    pub(crate) gate: Gate,
}

impl Endpoint {
    /// An endpoint without configuration: it drops every datagram.
    pub fn new(random: Box<dyn Randomness + Send>) -> Self {
        Self {
            ctx: Context::new(random),
            sas: BTreeMap::new(),
            by_cookie: HashMap::new(),
            by_offer: HashMap::new(),
            by_address: HashMap::new(),
            by_peer: HashMap::new(),
            peers: Peers::default(),
            children: Children::default(),
            sessions: HashMap::new(),
            busy: BTreeSet::new(),
            questions: Questions::default(),
            next_sa: 0,
            next_child_conn_id: 1,
            gate: Gate::default(),
        }
    }

    /// Emits debug facts (`Event::is_debug`) or stops to. Off at first.
    pub fn set_debug(&mut self, on: bool) {
        self.ctx.debug = on;
    }

    /// Puts a configuration in force. SAs of entries that did not change are left alone; of a
    /// changed entry only those go that it does not describe any more, with deletes to the peer.
    pub fn set_config(&mut self, now: Instant, config: EngineConfig) {
        self.ctx.now = now;
        self.config_changed(config);
    }

    /// Puts everything of a configuration in force but its connections: those that there are stay as they are.
    pub fn set_settings(&mut self, now: Instant, settings: EngineConfig) {
        self.ctx.now = now;
        self.settings_changed(settings);
    }

    /// Puts one connection in force, in the place of the one of the same name: what `set_config` would do with everything
    /// else as it is, at a cost that does not depend on the number of connections.
    pub fn set_connection(&mut self, now: Instant, connection: Arc<Connection>) {
        self.ctx.now = now;
        let id = connection.id;
        self.connection_changed(id, Some(connection));
    }

    /// Takes one connection out of the configuration; the same may be said of its cost. Nothing happens when there is none
    /// of this name.
    pub fn remove_connection(&mut self, now: Instant, id: ConnectionId) {
        self.ctx.now = now;
        self.connection_changed(id, None);
    }

    /// A datagram came for `local` from `remote`.
    pub fn datagram(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr, bytes: &[u8]) {
        self.ctx.now = now;
        let path = Path {
            local,
            remote,
            conn_id: 0,
        };
        self.enter(path, bytes);
    }

    /// The kernel wants an SA for a flow. `peer` overrides the choice among `set peer`.
    pub fn acquire(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        flow: FlowId,
        peer: Option<IpAddr>,
    ) {
        self.ctx.now = now;
        let Some(subject) = self.subject(connection, flow) else {
            return;
        };
        let of_flow = self.children.of_subject(&subject).into_iter();
        let mut children = of_flow.filter_map(|id| self.children.get(id));
        if !children.any(|child| !child.phase.is_going()) {
            let rekeys = None;
            self.request_child(ChildRequest { subject, rekeys }, peer);
        }
    }

    /// What a child of a configured flow is for.
    pub(crate) fn subject(&self, connection: ConnectionId, flow: FlowId) -> Option<Subject> {
        let configured = self.ctx.config.connection(connection)?.flow(flow)?;
        let (local, remote) = (configured.local, configured.remote);
        Some(Subject {
            connection,
            flow,
            local,
            remote,
        })
    }

    /// A flow is being negotiated, or waits for it.
    #[must_use]
    pub fn is_wanted(&self, connection: ConnectionId, flow: FlowId) -> bool {
        let busy = self.busy.range(Subject::first_of(connection, flow)..);
        let mut busy = busy.take_while(|busy| (busy.connection, busy.flow) == (connection, flow));
        busy.next().is_some()
    }

    /// The kernel reports a limit of one of our SAs. `destination` is the SA's own.
    pub fn expire(
        &mut self,
        now: Instant,
        destination: IpAddr,
        protocol: IpsecProtocol,
        spi: u32,
        kind: Expiry,
    ) {
        self.ctx.now = now;
        if let Some(id) = self.child_with_spi(destination, protocol, spi) {
            self.child_limit(id, kind);
        }
    }

    /// An `Output::InstallChild` could not be carried out; both halves are given up.
    pub fn install_failed(&mut self, now: Instant, child: ChildId, reason: &str) {
        self.ctx.now = now;
        self.child_not_installed(child, reason);
    }

    /// Ends SAs on the operator's behalf.
    pub fn clear(&mut self, now: Instant, what: Clear) {
        self.ctx.now = now;
        self.clear_now(what);
    }

    /// Does what is due at `now`.
    pub fn timeout(&mut self, now: Instant) {
        self.ctx.now = now;
        while let Some(timer) = self.ctx.timers.pop_due(now) {
            match timer {
                Timer::Sa(id, timer) => self.sa_timer(id, timer),
                Timer::Child(id, ChildTimer::Rekey) => self.rekey_child(id),
                Timer::Child(id, ChildTimer::Expire) => self.expire_child(id),
                Timer::Child(id, ChildTimer::Retire) => self.retire_child(id),
                Timer::Child(id, ChildTimer::Activate) => self.activate_child(id),
                Timer::RestoreIke(peer, local, remote) => self.restore_ike(peer, local, remote),
                Timer::SecondReport => self.ctx.second_report(),
                Timer::MinuteReport => self.ctx.minute_report(),
            }
        }
    }

    fn sa_timer(&mut self, id: SaId, timer: SaTimer) {
        match timer {
            SaTimer::Retransmit(message_id) => self.give(id, Task::Retransmit(message_id)),
            SaTimer::HalfOpen => self.give(id, Task::HalfOpenTooLong),
            SaTimer::ForgetAnswer(message_id) => self.give(id, Task::ForgetAnswer(message_id)),
            SaTimer::Rekey => self.rekey_ike(id),
            SaTimer::Expire => self.expire_ike(id),
            SaTimer::Retire => self.retire_ike(id),
            SaTimer::NextRequest => self.next_request(id),
            SaTimer::TellUntold => self.tell_untold(id),
            SaTimer::Deleted => self.ike_down(id, DownReason::DeletedByPeer),
            SaTimer::Forget => self.forget_deleted(id),
            SaTimer::Question => self.question_unanswered(id),
            SaTimer::Keepalive => self.give(id, Task::KeepaliveDue),
        }
    }

    /// When `timeout` must be called at the latest.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.ctx.timers.next()
    }

    /// The next thing for the caller to do, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.ctx.outputs.pop_front()
    }

    /// Datagrams dropped so far, by reason.
    pub fn dropped(&self) -> &BTreeMap<DropReason, u64> {
        &self.ctx.dropped
    }

    /// Takes a new SA into the tables.
    pub(crate) fn insert_sa(&mut self, mut sa: IkeSa) {
        if sa.common.peer == PeerId::NOT_KNOWN {
            sa.common.peer = self.peers.unknown(sa.common.address());
        }
        let common = &sa.common;
        let id = common.id;
        self.by_cookie.insert(common.own_cookie(), id);
        if common.role == Role::Responder {
            self.by_offer
                .insert((common.address(), common.cookies.initiator), id);
        }
        self.gate.half_open.began(id, common.role);
        let (address, peer) = (common.address(), common.peer);
        self.by_address.entry(address).or_default().push(id);
        self.by_peer.entry(peer).or_default().push(id);
        self.sas.insert(id, sa);
    }

    /// Forgets an SA, with its timers.
    pub(crate) fn drop_sa(&mut self, id: SaId) -> Option<IkeSa> {
        self.ctx.timers.drop_sa(id);
        self.sas.remove(&id)
    }

    /// Takes an SA out of the tables that find it; it stays to be shown.
    pub(crate) fn unlist_sa(&mut self, id: SaId) {
        let Some(sa) = self.sas.get(&id) else { return };
        self.questions.forget(id);
        let common = &sa.common;
        self.by_cookie.remove(&common.own_cookie());
        self.by_offer
            .remove(&(common.address(), common.cookies.initiator));
        let (address, peer) = (common.address(), common.peer);
        peers::leave(&mut self.by_address, address, id);
        peers::leave(&mut self.by_peer, peer, id);
        self.forget_unused_peer(peer);
    }

    /// A cookie that no SA of ours has.
    pub(crate) fn fresh_cookie(&mut self) -> Cookie {
        loop {
            let cookie = Cookie(self.ctx.random_bytes());
            if !cookie.is_zero() && !self.by_cookie.contains_key(&cookie) {
                return cookie;
            }
        }
    }

    /// The child with this SPI, which is of packets to `destination`.
    pub(crate) fn child_with_spi(
        &self,
        destination: IpAddr,
        protocol: IpsecProtocol,
        spi: u32,
    ) -> Option<ChildId> {
        let inbound = self.children.by_inbound(protocol, spi).filter(|id| {
            self.children
                .get(*id)
                .is_some_and(|child| child.sa.local == destination)
        });
        inbound.or_else(|| self.children.by_outbound(destination, protocol.into(), spi))
    }
}

#[cfg(test)]
mod tests;
