//! How much is said about what strangers send: facts for log and debug have a budget, so that no flood fills a disk; what is
//! not said is counted and told once a second (debug) and once a minute (log). Called by `context`.

use std::collections::BTreeMap;

use crate::event::{Bound, DropReason};
use crate::limit::Limit;
use crate::time::Instant;

/// Whose a datagram may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// From an address that no entry names
    Stranger,
    /// From an address that an entry names: the peer, or another who uses its address
    Named,
    /// It names an SA whose other end gets what we send. Its cookies are no secret, so that it may be forged too
    Known,
}

impl Standing {
    /// Datagrams that are told of: at once, and a second.
    fn limit(self) -> Limit {
        match self {
            Self::Stranger => Limit::new(50, 5),
            Self::Named => Limit::new(200, 50),
            Self::Known => Limit::new(5000, 1000),
        }
    }
}

/// What is said and what is only counted.
#[derive(Debug)]
pub(crate) struct Talk {
    /// One for each standing
    limits: [Limit; 3],
    /// Nothing is said of the datagram being handled
    hushed: bool,
    /// Datagrams of which nothing was said, since the last report of the second
    unheard: u64,
    /// Drops of which nothing was said, since the last report of the minute
    untold: BTreeMap<DropReason, u64>,
    /// Bounds that were reached, since the last report of the minute
    bounds: BTreeMap<Bound, u64>,
    /// Between whom it was, last
    pub(crate) last: Option<crate::id::Path>,
}

impl Default for Talk {
    fn default() -> Self {
        Self {
            limits: [Standing::Stranger, Standing::Named, Standing::Known].map(Standing::limit),
            hushed: false,
            unheard: 0,
            untold: BTreeMap::new(),
            bounds: BTreeMap::new(),
            last: None,
        }
    }
}

impl Talk {
    /// A datagram comes; true when nothing is to be said of it.
    pub(crate) fn hear(&mut self, now: Instant, standing: Standing) -> bool {
        self.hushed = !self.limits[standing as usize].allow(now);
        self.unheard += u64::from(self.hushed);
        self.hushed
    }

    /// What waited for an answer goes on: as little is said of it as of the datagram that began it.
    pub(crate) fn resume(&mut self, hushed: bool) {
        self.hushed = hushed;
    }

    /// The datagram is dealt with.
    pub(crate) fn over(&mut self) {
        self.hushed = false;
    }

    pub(crate) fn is_hushed(&self) -> bool {
        self.hushed
    }

    /// Counts a drop that nothing is said of.
    pub(crate) fn untold(&mut self, reason: DropReason) {
        *self.untold.entry(reason).or_default() += 1;
    }

    /// Counts a bound that was reached; true when it is to be said now.
    pub(crate) fn reached(&mut self, bound: Bound) -> bool {
        match self.bounds.get_mut(&bound) {
            Some(times) => {
                *times += 1;
                false
            }
            None => {
                self.bounds.insert(bound, 0);
                true
            }
        }
    }

    /// What to say after a minute: bounds and drops. A bound that was not reached again is forgotten.
    pub(crate) fn take_minute(&mut self) -> (Vec<(Bound, u64)>, BTreeMap<DropReason, u64>) {
        self.bounds.retain(|_, times| *times > 0);
        let told = self.bounds.clone().into_iter().collect();
        self.bounds.values_mut().for_each(|times| *times = 0);
        (told, std::mem::take(&mut self.untold))
    }

    /// What to say after a second.
    pub(crate) fn take_second(&mut self) -> u64 {
        std::mem::take(&mut self.unheard)
    }
}
