//! Dead peer detection (RFC 3706).

use serde::{Deserialize, Serialize};

use crate::config::KeepaliveKind;
use crate::effect::{Effect, Turn};
use crate::event::Event;
use crate::registry::NotifyType;
use crate::sa::{Common, Replacement};
use crate::timer::SaTimer;
use crate::v1::live::Live;
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

impl Live {
    /// Sets the timer of a periodic keepalive, if that is configured and the peer can answer.
    pub(crate) fn schedule_keepalive(&self, common: &Common, turn: &mut Turn<'_>) {
        let Some(keepalive) = turn.config.keepalive else {
            return;
        };
        if keepalive.kind == KeepaliveKind::Periodic && common.peer_has_dpd {
            turn.set_timer(SaTimer::Keepalive, turn.now + keepalive.interval);
        }
    }

    /// Asks the peer, unless a question is already out.
    pub(crate) fn ask_peer(&mut self, common: &Common, turn: &mut Turn<'_>) {
        if common.peer_has_dpd && self.dpd.waiting.is_none() {
            self.keepalive_due(common, turn);
        }
    }

    /// The keepalive timer: asks, asks again, or gives the peer up.
    pub(crate) fn keepalive_due(&mut self, common: &Common, turn: &mut Turn<'_>) {
        let Some(keepalive) = turn.config.keepalive else {
            return;
        };
        if self.life.replacement != Replacement::Current {
            return;
        }
        let sent = self.dpd.waiting.map_or(0, |(_, sent)| sent);
        if sent >= TRIES {
            turn.fact(Event::PeerDead);
            return turn.push(Effect::PeerDead(sent));
        }
        let sequence = self.dpd.next;
        self.dpd.next = sequence.wrapping_add(1);
        let first = self.dpd.waiting.map_or(sequence, |(first, _)| first);
        self.dpd.waiting = Some((first, sent + 1));
        turn.set_timer(SaTimer::Keepalive, turn.now + keepalive.retry);
        let kind = NotifyType::R_U_THERE;
        let ask = Notification::dead_peer_detection(kind, common.cookies, sequence);
        self.send_informational(common, turn, &[Payload::Notification(ask)]);
        turn.debug(|| Event::DpdSent {
            sequence,
            attempt: sent + 1,
        });
    }

    /// The peer asks, and `Dpd::take` took it.
    pub(crate) fn answer_peer(&mut self, common: &Common, turn: &mut Turn<'_>, ask: &Notification) {
        let Ok(sequence) = ask.number() else { return };
        let kind = NotifyType::R_U_THERE_ACK;
        let ack = Notification::dead_peer_detection(kind, common.cookies, sequence);
        self.send_informational(common, turn, &[Payload::Notification(ack)]);
        turn.debug(|| Event::DpdAsked { sequence });
    }

    /// The peer answers one of our questions, and `Dpd::take` took it.
    pub(crate) fn peer_answered(&self, common: &Common, turn: &mut Turn<'_>, ack: &Notification) {
        let Ok(sequence) = ack.number() else { return };
        turn.debug(|| Event::DpdAnswered { sequence });
        turn.cancel_timer(SaTimer::Keepalive);
        self.schedule_keepalive(common, turn);
    }
}
