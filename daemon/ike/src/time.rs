//! The engine's clock: a monotonic instant that the caller passes in.
//!
//! The engine never reads a clock. What runs an `Endpoint` (the daemon's run loop, a test with
//! a fake clock) hands in the present moment with every call.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment in monotonic time, in milliseconds since an epoch that only the caller knows. What a saved endpoint did
/// (`Endpoint::resume`) lies before the epoch of the one that goes on with it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Instant(i64);

impl Instant {
    /// The moment `milliseconds` after the caller's epoch.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(if milliseconds > i64::MAX as u64 {
            i64::MAX
        } else {
            milliseconds as i64
        })
    }

    /// Milliseconds since the caller's epoch; zero for a moment before it.
    pub const fn as_millis(self) -> u64 {
        if self.0 < 0 { 0 } else { self.0 as u64 }
    }

    /// Time from `earlier` to this moment; zero if `earlier` is later.
    pub fn since(self, earlier: Instant) -> Duration {
        let milliseconds = i128::from(self.0) - i128::from(earlier.0);
        Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_add(milliseconds(duration)))
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, duration: Duration) -> Instant {
        Instant(self.0.saturating_sub(milliseconds(duration)))
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.since(earlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_before_the_epoch_keep_their_distance() {
        let now = Instant::from_millis(1_000);
        let hour = Duration::from_secs(3600);
        let before = now - hour;
        assert!(before < Instant::default());
        assert_eq!(now.since(before), hour);
        assert_eq!(before + hour, now);
        assert_eq!(before.since(now), Duration::ZERO);
        assert_eq!(before.as_millis(), 0);
    }

    #[test]
    fn no_distance_is_too_long() {
        let first = Instant::default() - Duration::MAX;
        let last = Instant::from_millis(u64::MAX) + Duration::MAX;
        assert_eq!(last, Instant::from_millis(u64::MAX));
        assert_eq!(last.since(first), Duration::from_millis(u64::MAX - 1));
        assert_eq!(first.since(last), Duration::ZERO);
    }
}
