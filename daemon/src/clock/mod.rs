//! Wall clock, its zone, and uptime, read in one place so that tests can stand still.
//!
//! Owned by the router; read by the log, the show screens and the run loop.

pub mod format;

use std::cell::Cell;
use std::time::{Duration, Instant};

use isthmus_grammar::command::{ClockChange, ClockZone, SummerTime};
use isthmus_kernel::clock_synchronised;
use jiff::{Timestamp, ZonedDateTime, tz::TimeZone};

/// Where time comes from, and the zone it is shown in.
#[derive(Debug, Clone)]
pub struct Clock {
    source: Source,
    zone: TimeZone,
    /// It followed a time source at some time.
    was_good: Cell<bool>,
}

#[derive(Debug, Clone)]
enum Source {
    /// The machine's clock.
    System { started: Instant, booted: Timestamp },
    /// Set by hand, for tests.
    Fixed { now: Timestamp, uptime: Duration },
}

impl Clock {
    /// The machine's clock; uptime counts from here.
    #[must_use]
    pub fn system() -> Self {
        Self {
            source: Source::System {
                started: Instant::now(),
                booted: Timestamp::now(),
            },
            zone: TimeZone::UTC,
            was_good: Cell::new(false),
        }
    }

    /// A clock that stands still, for tests.
    #[must_use]
    pub fn fixed(now: Timestamp, uptime: Duration) -> Self {
        Self {
            source: Source::Fixed { now, uptime },
            zone: TimeZone::UTC,
            was_good: Cell::new(false),
        }
    }

    /// Shows times in this zone from now on.
    pub fn set_zone(&mut self, zone: TimeZone) {
        self.zone = zone;
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self.source {
            Source::System { .. } => Timestamp::now(),
            Source::Fixed { now, .. } => now,
        }
    }

    /// What time it is in the router's zone (UTC, as IOS without `clock timezone`).
    #[must_use]
    pub fn zoned(&self) -> ZonedDateTime {
        self.local(self.now())
    }

    /// A moment in the router's zone.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> ZonedDateTime {
        at.to_zoned_datetime(self.zone.clone())
    }

    /// Time since the daemon started.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        match self.source {
            Source::System { started, .. } => started.elapsed(),
            Source::Fixed { uptime, .. } => uptime,
        }
    }

    /// When the daemon started.
    #[must_use]
    pub fn booted(&self) -> Timestamp {
        match self.source {
            Source::System { booted, .. } => booted,
            Source::Fixed { now, uptime } => now - uptime,
        }
    }

    /// The engine's clock: milliseconds since the daemon started.
    #[must_use]
    pub fn millis(&self) -> u64 {
        u64::try_from(self.uptime().as_millis()).unwrap_or(u64::MAX)
    }

    /// True when the machine's clock follows a time source.
    #[must_use]
    pub fn synchronised(&self) -> bool {
        let good = match self.source {
            Source::System { .. } => clock_synchronised().unwrap_or(false),
            Source::Fixed { .. } => false,
        };
        self.was_good.set(self.was_good.get() || good);
        good
    }

    /// What IOS puts before a time: nothing when it can be trusted, `.` when that was so once, `*` when never.
    #[must_use]
    pub fn mark(&self) -> &'static str {
        match (self.synchronised(), self.was_good.get()) {
            (true, _) => "",
            (false, true) => ".",
            (false, false) => "*",
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

/// The zone of `clock timezone` and `clock summer-time`; UTC without the former.
///
/// # Errors
/// A name has fewer than 3 letters or an offset leads beyond a day; the text says which.
pub fn zone(zone: Option<&ClockZone>, summer: Option<&SummerTime>) -> Result<TimeZone, String> {
    if zone.is_none() && summer.is_none() {
        return Ok(TimeZone::UTC);
    }
    let (name, east) = zone.map_or(("UTC", 0), |zone| (zone.name.as_str(), minutes_east(zone)));
    let mut text = posix_offset(name, east)?;
    if let Some(summer) = summer {
        let offset = i32::from(summer.offset.unwrap_or(60));
        text.push_str(&posix_offset(&summer.name, east + offset)?);
        text.push_str(&summer.between.map_or_else(
            || ",M3.2.0/2:00,M11.1.0/2:00".into(),
            |(begin, end)| format!(",{},{}", posix_change(&begin), posix_change(&end)),
        ));
    }
    TimeZone::posix(&text).map_err(|_| "the time zone reaches beyond a day from UTC".into())
}

fn minutes_east(zone: &ClockZone) -> i32 {
    let minutes = i32::from(zone.minutes.unwrap_or(0));
    let hours = i32::from(zone.hours) * 60;
    if zone.hours < 0 {
        hours - minutes
    } else {
        hours + minutes
    }
}

/// `<CET>-1:00`: POSIX counts west of Greenwich.
fn posix_offset(name: &str, east: i32) -> Result<String, String> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric());
    if !plain || !(3..=30).contains(&name.len()) {
        return Err(format!(
            "the name of a time zone is 3 to 30 letters or digits, not {name}"
        ));
    }
    let sign = if east > 0 { "-" } else { "" };
    let minutes = east.abs();
    Ok(format!(
        "<{name}>{sign}{}:{:02}",
        minutes / 60,
        minutes % 60
    ))
}

/// `M3.5.0/2:00`
fn posix_change(change: &ClockChange) -> String {
    format!(
        "M{}.{}.{}/{}:{:02}",
        change.month as u8 + 1,
        change.week,
        change.day as u8,
        change.hour,
        change.minute
    )
}

#[cfg(test)]
mod tests {
    use isthmus_grammar::command::{Month, Weekday};

    use super::*;

    fn named(name: &str, hours: i8, minutes: Option<u8>) -> ClockZone {
        ClockZone {
            name: name.into(),
            hours,
            minutes,
        }
    }

    fn at(zone: &TimeZone, moment: &str) -> String {
        let moment: Timestamp = moment.parse().unwrap();
        moment
            .to_zoned_datetime(zone.clone())
            .strftime("%F %T %Z")
            .to_string()
    }

    #[test]
    fn zones_and_their_summers() {
        let moment = |week, month, hour| ClockChange {
            week,
            day: Weekday::Sunday,
            month,
            hour,
            minute: 0,
        };
        let summer = SummerTime {
            name: "CEST".into(),
            between: Some((moment(5, Month::March, 2), moment(5, Month::October, 3))),
            offset: None,
        };
        let cet = zone(Some(&named("CET", 1, None)), Some(&summer)).unwrap();
        assert_eq!(at(&cet, "2026-03-29T00:59:59Z"), "2026-03-29 01:59:59 CET");
        assert_eq!(at(&cet, "2026-03-29T01:00:00Z"), "2026-03-29 03:00:00 CEST");
        assert_eq!(at(&cet, "2026-10-25T01:00:00Z"), "2026-10-25 02:00:00 CET");

        let nst = zone(Some(&named("NST", -3, Some(30))), None).unwrap();
        assert_eq!(at(&nst, "2026-01-01T12:00:00Z"), "2026-01-01 08:30:00 NST");

        let usual = SummerTime {
            name: "EDT".into(),
            between: None,
            offset: None,
        };
        let est = zone(Some(&named("EST", -5, None)), Some(&usual)).unwrap();
        assert_eq!(at(&est, "2026-03-08T07:00:00Z"), "2026-03-08 03:00:00 EDT");
        assert_eq!(at(&est, "2026-11-01T06:00:00Z"), "2026-11-01 01:00:00 EST");

        assert!(zone(Some(&named("Z", 0, None)), None).is_err());
    }
}
