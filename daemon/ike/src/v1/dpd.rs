//! Dead peer detection (RFC 3706).

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::config::{ConnectionId, KeepaliveKind};
use crate::endpoint::Endpoint;
use crate::event::{DownReason, Event};
use crate::id::SaId;
use crate::registry::{ExchangeType, NotifyType};
use crate::sa::Replacement;
use crate::timer::Timer;
use crate::v1::state::IkeSa;
use crate::wire::v1::{Notification, Payload};

/// Unanswered R-U-THERE after which the peer is dead.
const TRIES: u32 = 5;

/// The state of dead peer detection on one ISAKMP SA.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dpd {
    /// Number of the next R-U-THERE
    next: u32,
    /// Number of the first R-U-THERE that waits for an answer, and how many were sent
    waiting: Option<(u32, u32)>,
    /// Highest number the peer asked with
    asked: Option<u32>,
    /// Message ids of the questions with that number
    asked_under: Vec<u32>,
}

/// A question may be repeated under so many message ids.
const REPEATS: usize = 16;

impl Dpd {
    /// Starts numbering at `first`, which should be random (RFC 3706 6.1).
    pub(crate) fn new(first: u32) -> Self {
        // Room to count up without wrapping in an SA's life.
        Self {
            next: first & 0x7FFF_FFFF,
            waiting: None,
            asked: None,
            asked_under: Vec::new(),
        }
    }

    /// Goes on after a while in which no answer could come in: the peer is asked at least once more before it is dead.
    pub(crate) fn resumed(mut self) -> Self {
        if let Some((_, sent)) = &mut self.waiting {
            *sent = (*sent).min(TRIES - 1);
        }
        self.asked_under.truncate(REPEATS);
        self
    }

    /// Takes a question of the peer's, unless it is a replay: the numbers of live questions grow (RFC 3706 6), and one that
    /// is repeated comes under another message id.
    fn take_question(&mut self, sequence: u32, message_id: u32) -> bool {
        match self.asked {
            Some(highest) if sequence < highest => return false,
            Some(highest) if sequence == highest => {
                let again = self.asked_under.contains(&message_id);
                if again || self.asked_under.len() == REPEATS {
                    return false;
                }
            }
            _ => self.asked_under.clear(),
        }
        self.asked = Some(sequence);
        self.asked_under.push(message_id);
        true
    }

    /// Takes an answer of the peer's, if a question waits for it.
    fn take_answer(&mut self, sequence: u32) -> bool {
        let expected = self
            .waiting
            .is_some_and(|(first, _)| (first..self.next).contains(&sequence));
        if expected {
            self.waiting = None;
        }
        expected
    }

    /// Takes a message of dead peer detection; false for a replay.
    pub(crate) fn take(&mut self, notification: &Notification, message_id: u32) -> bool {
        let Ok(sequence) = notification.number() else {
            return false;
        };
        match notification.kind {
            NotifyType::R_U_THERE => self.take_question(sequence, message_id),
            NotifyType::R_U_THERE_ACK => self.take_answer(sequence),
            _ => false,
        }
    }
}

impl Endpoint {
    /// Sets the timer of a periodic keepalive, if that is configured and the peer can answer.
    pub(crate) fn schedule_keepalive(&mut self, id: SaId) {
        let Some(keepalive) = self.ctx.config.keepalive else {
            return;
        };
        let Some(sa) = self.sas.get(&id) else { return };
        if keepalive.kind == KeepaliveKind::Periodic && sa.common.peer_has_dpd {
            self.ctx
                .timers
                .set(self.ctx.now + keepalive.interval, Timer::Keepalive(id));
        }
    }

    /// Asks the peer, unless a question is already out.
    pub(crate) fn ask_peer(&mut self, id: SaId) {
        let can = self.sas.get(&id).is_some_and(|sa| {
            sa.common.peer_has_dpd && sa.live().is_some_and(|live| live.dpd.waiting.is_none())
        });
        if can {
            self.keepalive_due(id);
        }
    }

    /// The keepalive timer: asks, asks again, or gives the peer up.
    pub(crate) fn keepalive_due(&mut self, id: SaId) {
        let Some(keepalive) = self.ctx.config.keepalive else {
            return;
        };
        let Some(sa) = self.sas.get_mut(&id) else {
            return;
        };
        let Some((common, live)) = sa.live_mut() else {
            return;
        };
        if live.replacement != Replacement::Current {
            return;
        }
        let sent = live.dpd.waiting.map_or(0, |(_, sent)| sent);
        if sent >= TRIES {
            let path = common.path();
            self.ctx.fact(path, Event::PeerDead);
            return self.peer_dead(id, sent);
        }
        let sequence = live.dpd.next;
        live.dpd.next = sequence.wrapping_add(1);
        let first = live.dpd.waiting.map_or(sequence, |(first, _)| first);
        live.dpd.waiting = Some((first, sent + 1));
        let (cookies, path) = (common.cookies, common.path());
        let ask = Notification::dead_peer_detection(NotifyType::R_U_THERE, cookies, sequence);
        self.ctx
            .timers
            .set(self.ctx.now + keepalive.retry, Timer::Keepalive(id));
        self.send_informational(id, vec![Payload::Notification(ask)]);
        self.ctx.debug(path, || Event::DpdSent {
            sequence,
            attempt: sent + 1,
        });
    }

    /// Dead peer detection that came with other payloads.
    pub(crate) fn takes_dpd(&mut self, id: SaId, came: &Notification, message_id: u32) -> bool {
        let live = self.sas.get_mut(&id).and_then(IkeSa::live_mut);
        live.is_some_and(|(_, live)| live.dpd.take(came, message_id))
    }

    /// The peer asks, and `Dpd::take` took it.
    pub(crate) fn answer_peer(&mut self, id: SaId, ask: &Notification) {
        let Ok(sequence) = ask.number() else { return };
        let Some(sa) = self.sas.get(&id) else { return };
        let (cookies, path) = (sa.common.cookies, sa.common.path());
        let ack = Notification::dead_peer_detection(NotifyType::R_U_THERE_ACK, cookies, sequence);
        self.send_informational(id, vec![Payload::Notification(ack)]);
        self.ctx.debug(path, || Event::DpdAsked { sequence });
    }

    /// The peer answers one of our questions, and `Dpd::take` took it.
    pub(crate) fn peer_answered(&mut self, id: SaId, ack: &Notification) {
        let Ok(sequence) = ack.number() else { return };
        let Some(sa) = self.sas.get(&id) else { return };
        let path = sa.common.path();
        self.ctx.debug(path, || Event::DpdAnswered { sequence });
        self.ctx.timers.cancel(Timer::Keepalive(id));
        self.schedule_keepalive(id);
    }

    /// The peer does not answer: everything with it goes, and traffic will try the next peer.
    fn peer_dead(&mut self, id: SaId, tries: u32) {
        let Some(sa) = self.sas.get(&id) else { return };
        let (path, role) = (sa.common.path(), sa.common.role);
        let peer = path.remote.ip();
        let cause = Cause::PeerDead { peer, tries };
        let connections = self.drop_children_of_dead(peer);
        for other in self.by_peer.get(&peer).cloned().unwrap_or_default() {
            self.end_quick_modes(other, |_| Cause::PeerDead { peer, tries });
            self.ike_down(other, DownReason::PeerDead);
        }
        for connection in connections {
            let exchange = ExchangeType::INFORMATIONAL;
            let cause = cause.clone();
            self.negotiation_failed_on(path, exchange, role, Some(connection), cause);
            self.leave_peer(connection, peer);
        }
    }

    /// Takes all children with a dead peer down; gives the entries that they were of.
    pub(crate) fn drop_children_of_dead(&mut self, peer: IpAddr) -> BTreeSet<ConnectionId> {
        let mut connections = BTreeSet::new();
        for child in self.children.of_peer(peer) {
            connections.extend(self.children.get(child).map(|child| child.sa.connection));
            self.child_down(child, DownReason::PeerDead, false);
        }
        connections
    }
}
