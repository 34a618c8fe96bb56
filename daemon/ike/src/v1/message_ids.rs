//! Which message ids an ISAKMP SA has used: an id that comes again is a replay, however old (RFC 2409 5: message ids are
//! unique). Kept by `live::Live`.
//!
//! Ours are not remembered at all: they are the numbers 0, 1, 2... through a secret permutation of 32 bits, so that they never
//! repeat and one that comes back to us is known to be ours. Of the peer's those are remembered under which it began an
//! authentic exchange; dead peer detection, by far the most frequent, has sequence numbers and is not among them (`dpd`).

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The peer's ids that one SA remembers; then it has to be replaced. A hundred children rekeyed every hour need a day for a
/// tenth of them.
pub(crate) const MOST: usize = 65_536;

/// When the SA is replaced if it can be, so that nothing is interrupted.
pub(crate) const MANY: usize = MOST / 4 * 3;

/// Rounds of the permutation.
const ROUNDS: u16 = 4;

/// The message ids of one ISAKMP SA.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MessageIds {
    of_peer: BTreeSet<u32>,
    secret: u64,
    /// Number of our next id
    next: u32,
}

impl MessageIds {
    /// None used yet; `secret` is random.
    pub(crate) fn new(secret: u64) -> Self {
        Self {
            // Message id 0 is phase 1.
            of_peer: BTreeSet::from([0]),
            secret,
            next: 0,
        }
    }

    /// An id for an exchange of ours.
    pub(crate) fn draw(&mut self) -> u32 {
        loop {
            let id = self.id_of(self.next);
            self.next = self.next.wrapping_add(1);
            if !self.of_peer.contains(&id) {
                return id;
            }
        }
    }

    /// Notes an id of the peer's.
    pub(crate) fn note(&mut self, id: u32) {
        self.of_peer.insert(id);
    }

    /// True for an id that was noted or drawn before.
    pub(crate) fn is_used(&self, id: u32) -> bool {
        self.of_peer.contains(&id) || self.number_of(id) < self.next
    }

    /// The peer's ids so far.
    pub(crate) fn count(&self) -> usize {
        self.of_peer.len()
    }

    fn id_of(&self, number: u32) -> u32 {
        let (mut left, mut right) = halves(number);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.mix(round, right));
        }
        whole(left, right)
    }

    fn number_of(&self, id: u32) -> u32 {
        let (mut left, mut right) = halves(id);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.mix(round, left), left);
        }
        whole(left, right)
    }

    /// The finaliser of MurmurHash3: the same in every build, for an SA that is saved goes on with its ids.
    fn mix(&self, round: u16, half: u16) -> u16 {
        let mut value = self.secret ^ (u64::from(round) << 16 | u64::from(half));
        for factor in [0xFF51_AFD7_ED55_8CCD, 0xC4CE_B9FE_1A85_EC53] {
            value = (value ^ value >> 33).wrapping_mul(factor);
        }
        let [high, low, ..] = value.to_be_bytes();
        u16::from_be_bytes([high, low])
    }
}

impl fmt::Debug for MessageIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageIds")
            .field("of_peer", &self.of_peer.len())
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

fn halves(value: u32) -> (u16, u16) {
    let [a, b, c, d] = value.to_be_bytes();
    (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
}

fn whole(left: u16, right: u16) -> u32 {
    u32::from(left) << 16 | u32::from(right)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ours_never_repeat_and_are_known_again() {
        let mut ids = MessageIds::new(0x1234_5678_9ABC_DEF0);
        let drawn: HashSet<_> = (0..100_000).map(|_| ids.draw()).collect();
        assert_eq!(drawn.len(), 100_000);
        assert!(!drawn.contains(&0));
        assert!(drawn.iter().all(|id| ids.is_used(*id)));
        assert_eq!(ids.count(), 1);
        let strange = (1..1000u32).map(|n| n.wrapping_mul(0x9E37_79B9));
        assert!(strange.filter(|id| ids.is_used(*id)).count() <= 2);
    }

    #[test]
    fn what_is_noted_is_never_drawn() {
        let secret = 42;
        let mut first = MessageIds::new(secret);
        let taken: Vec<_> = (0..100).map(|_| first.draw()).collect();
        let mut second = MessageIds::new(secret);
        taken.iter().for_each(|id| second.note(*id));
        assert!(!taken.contains(&second.draw()));
        assert!(taken.iter().all(|id| second.is_used(*id)));
    }

    /// A saved SA goes on with its ids under another build.
    #[test]
    fn ours_are_the_same_in_every_build() {
        let mut ids = MessageIds::new(0x1234_5678_9ABC_DEF0);
        let drawn = [ids.draw(), ids.draw(), ids.draw()];
        assert_eq!(drawn, [4_260_675_892, 2_236_692_686, 1_654_463_644]);
    }
}
