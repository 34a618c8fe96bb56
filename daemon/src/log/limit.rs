//! Keeps a flood of hostile packets from becoming a flood of log lines (messages that strangers provoke), and
//! `logging rate-limit`. Used by [`super::Log`].

use std::collections::HashMap;
use std::time::Duration;

use super::{Message, Severity};

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

impl Bucket {
    /// Takes one of the tokens; one more comes every `refill`, up to `burst`.
    fn take(&mut self, now: Duration, refill: Duration, burst: u32) -> bool {
        let waited = now.saturating_sub(self.refilled);
        let earned = u32::try_from(waited.as_nanos() / refill.as_nanos()).unwrap_or(burst);
        if earned > 0 {
            self.tokens = self.tokens.saturating_add(earned).min(burst);
            self.refilled = now;
        }
        if self.tokens == 0 {
            return false;
        }
        self.tokens -= 1;
        true
    }
}

impl Limiter {
    /// Whether one more line of this mnemonic may be written at `uptime`.
    pub fn allow(&mut self, mnemonic: &'static str, uptime: Duration) -> bool {
        let bucket = self.buckets.entry(mnemonic).or_insert(Bucket {
            tokens: BURST,
            refilled: uptime,
        });
        bucket.take(uptime, REFILL, BURST)
    }
}

/// `logging rate-limit [console] [all] N [except LEVEL]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Only messages to the console.
    pub console: bool,
    /// Debug output too.
    pub all: bool,
    /// Messages per second.
    pub rate: u16,
    /// Messages of this severity or worse pass.
    pub except: Option<Severity>,
}

/// The messages of this second.
#[derive(Debug, Default)]
pub struct Spent {
    bucket: Option<Bucket>,
}

impl Spent {
    /// Whether a message is within the limit at `uptime`.
    pub fn allow(&mut self, rate: Rate, message: &Message, uptime: Duration) -> bool {
        let exempt = rate.except.is_some_and(|level| message.severity() <= level)
            || (matches!(message, Message::Debug(_)) && !rate.all);
        if exempt {
            return true;
        }
        let burst = u32::from(rate.rate).max(1);
        let bucket = self.bucket.get_or_insert(Bucket {
            tokens: burst,
            refilled: uptime,
        });
        bucket.tokens = bucket.tokens.min(burst);
        bucket.take(uptime, Duration::from_secs(1) / burst, burst)
    }
}
