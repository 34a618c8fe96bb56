//! Everything the endpoint waits for, and when it is due.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use crate::child::ChildId;
use crate::id::SaId;
use crate::time::Instant;

/// Something that happens when its time comes. At most one of each value is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Send the last message of an exchange again; message id 0 is phase 1
    Retransmit(SaId, u32),
    /// Give up a phase 1 negotiation of which we are the responder
    HalfOpen(SaId),
    /// Forget what a finished exchange answered to repeats
    ForgetAnswer(SaId, u32),
    /// Start the next phase 1 before this one ends
    RekeyIke(SaId),
    /// The ISAKMP SA's lifetime ends
    ExpireIke(SaId),
    /// An ISAKMP SA that a younger one replaced goes away
    RetireIke(SaId),
    /// An ISAKMP SA that the peer deleted goes away
    DeletedIke(SaId),
    /// The peer has had time for message 3: begin the next quick mode that waits
    NextRequest(SaId),
    /// Tell the peer of a new ISAKMP SA what went while there was none
    TellUntold(SaId),
    /// Phase 1 comes back between our address and the peer's, for the children that a gone ISAKMP SA left
    RestoreIke(SocketAddr, SocketAddr),
    /// A deleted ISAKMP SA is no longer shown
    ForgetIke(SaId),
    /// Ask or ask again whether the peer is there
    Keepalive(SaId),
    /// Start the quick mode that replaces a child
    RekeyChild(ChildId),
    /// The child's lifetime ends
    ExpireChild(ChildId),
    /// A replaced child's inbound half goes away
    RetireChild(ChildId),
    /// Tell what was only counted for a second
    SecondReport,
    /// Tell what was only counted for a minute
    MinuteReport,
    /// The peer has had time to install a rekeyed child: send through it
    ActivateChild(ChildId),
}

/// The pending timers, by time and by name.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_time: BTreeMap<(Instant, u64), Timer>,
    by_name: HashMap<Timer, (Instant, u64)>,
    sequence: u64,
}

impl Timers {
    /// Sets a timer, or moves it when it is pending.
    pub(crate) fn set(&mut self, at: Instant, timer: Timer) {
        self.cancel(timer);
        self.sequence += 1;
        let key = (at, self.sequence);
        self.by_time.insert(key, timer);
        self.by_name.insert(timer, key);
    }

    /// Forgets a timer; nothing happens when it is not pending.
    pub(crate) fn cancel(&mut self, timer: Timer) {
        if let Some(key) = self.by_name.remove(&timer) {
            self.by_time.remove(&key);
        }
    }

    /// Takes the earliest timer that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        let (key, timer) = self.by_time.first_key_value()?;
        let (key, timer) = (*key, *timer);
        if key.0 > now {
            return None;
        }
        self.by_time.remove(&key);
        self.by_name.remove(&timer);
        Some(timer)
    }

    /// When the earliest timer is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.by_time.first_key_value().map(|((at, _), _)| *at)
    }

    /// Every timer, the next one first.
    pub(crate) fn pending(&self) -> impl Iterator<Item = (Instant, Timer)> {
        self.by_time.iter().map(|((at, _), timer)| (*at, *timer))
    }

    /// When this timer is due, if it is pending.
    pub(crate) fn due(&self, timer: Timer) -> Option<Instant> {
        self.by_name.get(&timer).map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Instant {
        Instant::from_millis(milliseconds)
    }

    #[test]
    fn timers_come_in_order_and_move() {
        let mut timers = Timers::default();
        timers.set(at(30), Timer::RekeyIke(SaId(1)));
        timers.set(at(20), Timer::ExpireIke(SaId(1)));
        timers.set(at(20), Timer::RetireIke(SaId(1)));
        timers.set(at(10), Timer::RekeyIke(SaId(1)));
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.pop_due(at(5)), None);
        assert_eq!(timers.pop_due(at(20)), Some(Timer::RekeyIke(SaId(1))));
        assert_eq!(timers.pop_due(at(20)), Some(Timer::ExpireIke(SaId(1))));
        timers.cancel(Timer::RetireIke(SaId(1)));
        assert_eq!(timers.pop_due(at(90)), None);
        assert_eq!(timers.next(), None);
    }
}
