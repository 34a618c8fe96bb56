//! Everything the endpoint waits for, and when it is due.
//!
//! A timer has the name of what it belongs to: the table that lets an SA or a child go drops all timers of it
//! ([`Timers::drop_sa`], [`Timers::drop_child`]).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::child::ChildId;
use crate::id::{PeerId, SaId};
use crate::time::Instant;

/// Something that happens when its time comes. At most one of each value is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Of an ISAKMP SA
    Sa(SaId, SaTimer),
    /// Of a child
    Child(ChildId, ChildTimer),
    /// Phase 1 with a peer comes back between our address and its, for the children that a gone ISAKMP SA left
    RestoreIke(PeerId, SocketAddr, SocketAddr),
    /// Tell what was only counted for a second
    SecondReport,
    /// Tell what was only counted for a minute
    MinuteReport,
}

/// What an ISAKMP SA waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SaTimer {
    /// Send the last message of an exchange again; message id 0 is phase 1
    Retransmit(u32),
    /// Give up a phase 1 negotiation of which we are the responder
    HalfOpen,
    /// Forget what a finished exchange answered to repeats
    ForgetAnswer(u32),
    /// Start the next phase 1 before this one ends
    Rekey,
    /// Its lifetime ends
    Expire,
    /// A younger one replaced it: it goes away
    Retire,
    /// The peer deleted it: it goes away
    Deleted,
    /// The peer has had time for message 3: begin the next quick mode that waits
    NextRequest,
    /// Tell the peer what went while there was no ISAKMP SA
    TellUntold,
    /// It is deleted, and no longer shown
    Forget,
    /// Ask or ask again whether the peer is there
    Keepalive,
    /// The answer to a question has not come
    Question,
}

/// What a child waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ChildTimer {
    /// Start the exchange that replaces it
    Rekey,
    /// Its lifetime ends
    Expire,
    /// It is replaced: its inbound half goes away
    Retire,
    /// The peer has had time to install it after a rekey: send through it
    Activate,
}

/// The pending timers, by time and by name.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_time: BTreeMap<(Instant, u64), Timer>,
    by_name: BTreeMap<Timer, (Instant, u64)>,
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

    /// Drops every timer of an ISAKMP SA.
    pub(crate) fn drop_sa(&mut self, id: SaId) {
        let of_sa = |timer: &Timer| matches!(timer, Timer::Sa(of, _) if *of == id);
        self.drop_from(Timer::Sa(id, SaTimer::Retransmit(0)), of_sa);
    }

    /// Drops every timer of a child.
    pub(crate) fn drop_child(&mut self, id: ChildId) {
        let of_child = |timer: &Timer| matches!(timer, Timer::Child(of, _) if *of == id);
        self.drop_from(Timer::Child(id, ChildTimer::Rekey), of_child);
    }

    /// Drops the timers that stand together from `first` on.
    fn drop_from(&mut self, first: Timer, belongs: impl Fn(&Timer) -> bool) {
        while let Some((timer, _)) = self.by_name.range(first..).next()
            && belongs(timer)
        {
            self.cancel(*timer);
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

    fn of(id: u64, timer: SaTimer) -> Timer {
        Timer::Sa(SaId(id), timer)
    }

    #[test]
    fn timers_come_in_order_and_move() {
        let mut timers = Timers::default();
        timers.set(at(30), of(1, SaTimer::Rekey));
        timers.set(at(20), of(1, SaTimer::Expire));
        timers.set(at(20), of(1, SaTimer::Retire));
        timers.set(at(10), of(1, SaTimer::Rekey));
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.pop_due(at(5)), None);
        assert_eq!(timers.pop_due(at(20)), Some(of(1, SaTimer::Rekey)));
        assert_eq!(timers.pop_due(at(20)), Some(of(1, SaTimer::Expire)));
        timers.cancel(of(1, SaTimer::Retire));
        assert_eq!(timers.pop_due(at(90)), None);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn what_goes_takes_its_timers_along_and_no_others() {
        let mut timers = Timers::default();
        for id in [1, 2, 3] {
            for timer in [
                SaTimer::Retransmit(0),
                SaTimer::Retransmit(u32::MAX),
                SaTimer::ForgetAnswer(7),
                SaTimer::Keepalive,
            ] {
                timers.set(at(id), of(id, timer));
            }
            timers.set(at(id), Timer::Child(ChildId(id), ChildTimer::Rekey));
            timers.set(at(id), Timer::Child(ChildId(id), ChildTimer::Activate));
        }
        timers.set(at(9), Timer::MinuteReport);
        timers.drop_sa(SaId(2));
        timers.drop_child(ChildId(1));
        assert_eq!(timers.by_name.len(), 2 * 4 + 2 * 2 + 1);
        assert_eq!(timers.by_name.len(), timers.by_time.len());
        let gone = |timer: &Timer| {
            matches!(timer, Timer::Sa(id, _) if *id == SaId(2))
                || matches!(timer, Timer::Child(id, _) if *id == ChildId(1))
        };
        assert!(!timers.by_name.keys().any(gone));
    }
}
