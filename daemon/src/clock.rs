//! Wall clock and uptime, read in one place so that tests can stand still.
//!
//! Owned by the router; read by the log, the show screens and the run loop.

use std::time::{Duration, Instant};

use jiff::{Timestamp, ZonedDateTime, tz::TimeZone};

/// Where time comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock; holds when the daemon started.
    System {
        /// Monotonic start.
        started: Instant,
        /// Wall-clock start.
        booted: Timestamp,
    },
    /// Set by hand, for tests.
    Fixed {
        /// What time it is.
        now: Timestamp,
        /// Time since the start.
        uptime: Duration,
    },
}

impl Clock {
    /// The machine's clock; uptime counts from here.
    #[must_use]
    pub fn system() -> Self {
        Self::System {
            started: Instant::now(),
            booted: Timestamp::now(),
        }
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System { .. } => Timestamp::now(),
            Self::Fixed { now, .. } => *now,
        }
    }

    /// What time it is in the router's zone (UTC, as IOS without `clock timezone`).
    #[must_use]
    pub fn zoned(&self) -> ZonedDateTime {
        self.now().to_zoned_datetime(TimeZone::UTC)
    }

    /// Time since the daemon started.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        match self {
            Self::System { started, .. } => started.elapsed(),
            Self::Fixed { uptime, .. } => *uptime,
        }
    }

    /// When the daemon started.
    #[must_use]
    pub fn booted(&self) -> Timestamp {
        match self {
            Self::System { booted, .. } => *booted,
            Self::Fixed { now, uptime } => *now - *uptime,
        }
    }

    /// The engine's clock: milliseconds since the daemon started.
    #[must_use]
    pub fn millis(&self) -> u64 {
        u64::try_from(self.uptime().as_millis()).unwrap_or(u64::MAX)
    }

    /// True when the machine's clock follows a time server; IOS marks times with `*` otherwise.
    #[must_use]
    pub fn synchronised(&self) -> bool {
        match self {
            Self::System { .. } => {
                std::path::Path::new("/run/systemd/timesync/synchronized").exists()
            }
            Self::Fixed { .. } => false,
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}
