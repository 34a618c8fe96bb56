//! How often something may happen: a burst, then so many a second. Used where strangers could make the engine work or
//! talk as much as they like.

use crate::time::Instant;

/// A budget that fills up with time.
#[derive(Debug)]
pub(crate) struct Limit {
    burst: u32,
    per_second: u32,
    /// Thousandths of what is left
    left: u64,
    at: Instant,
}

impl Limit {
    /// A full budget of `burst`, filled at `per_second`.
    pub(crate) fn new(burst: u32, per_second: u32) -> Self {
        Self {
            burst,
            per_second,
            left: u64::from(burst) * 1000,
            at: Instant::default(),
        }
    }

    /// Takes one from the budget; false when there is none.
    pub(crate) fn allow(&mut self, now: Instant) -> bool {
        let elapsed = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let gained = elapsed.saturating_mul(self.per_second.into());
        let most = u64::from(self.burst) * 1000;
        self.left = self.left.saturating_add(gained).min(most);
        self.at = self.at.max(now);
        match self.left.checked_sub(1000) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_so_many_a_second() {
        let mut limit = Limit::new(5, 2);
        let mut allowed = |at, tries: usize| {
            let now = Instant::from_millis(at);
            (0..tries).filter(|_| limit.allow(now)).count()
        };
        assert_eq!(allowed(0, 100), 5);
        assert_eq!(allowed(499, 100), 0);
        assert_eq!(allowed(500, 100), 1);
        assert_eq!(allowed(1500, 100), 2);
        assert_eq!(allowed(1_000_000, 100), 5);
        // A clock that goes back gives nothing.
        assert_eq!(allowed(0, 100), 0);
        assert_eq!(allowed(1_000_000, 100), 0);
    }
}
