//! Keeps a flood of hostile packets from becoming a flood of log lines. Used by [`super::Log`].

use std::collections::HashMap;
use std::time::Duration;

/// Lines of one mnemonic that may come at once.
const BURST: u32 = 20;
/// How long until one more may come.
const REFILL: Duration = Duration::from_millis(500);

/// A token bucket for each mnemonic.
#[derive(Debug, Default)]
pub struct Limiter {
    buckets: HashMap<&'static str, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: u32,
    refilled: Duration,
}

impl Limiter {
    /// Whether one more line of this mnemonic may be written at `uptime`.
    pub fn allow(&mut self, mnemonic: &'static str, uptime: Duration) -> bool {
        let bucket = self.buckets.entry(mnemonic).or_insert(Bucket {
            tokens: BURST,
            refilled: uptime,
        });
        let waited = uptime.saturating_sub(bucket.refilled);
        let earned = u32::try_from(waited.as_millis() / REFILL.as_millis()).unwrap_or(BURST);
        if earned > 0 {
            bucket.tokens = bucket.tokens.saturating_add(earned).min(BURST);
            bucket.refilled = uptime;
        }
        if bucket.tokens == 0 {
            return false;
        }
        bucket.tokens -= 1;
        true
    }
}
