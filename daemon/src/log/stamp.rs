//! The time in front of a log line, as `service timestamps` asks. Called by [`super::Log`].

use jiff::tz::TimeZone;

use crate::clock::Clock;

/// `service timestamps {log|debug} ...`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// `no service timestamps`
    None,
    /// `uptime`
    Uptime,
    /// `datetime [msec] [localtime] [show-timezone] [year]`
    Datetime(Datetime),
}

/// The options of `datetime`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Datetime {
    /// Milliseconds too.
    pub msec: bool,
    /// In the zone of `clock timezone` instead of UTC.
    pub localtime: bool,
    /// The zone's name behind the time.
    pub show_timezone: bool,
    /// The year behind the day.
    pub year: bool,
}

impl Default for Stamp {
    fn default() -> Self {
        Self::Datetime(Datetime {
            msec: true,
            ..Datetime::default()
        })
    }
}

impl Stamp {
    /// The stamp with its colon and blank, ready to stand before a message; empty for `None`.
    #[must_use]
    pub fn render(&self, clock: &Clock) -> String {
        match self {
            Self::None => String::new(),
            Self::Uptime => format!("{}: ", crate::clock::format::age(clock.uptime())),
            Self::Datetime(options) => {
                format!("{}{}: ", clock.mark(), options.render(clock))
            }
        }
    }
}

impl Datetime {
    fn render(self, clock: &Clock) -> String {
        let now = if self.localtime {
            clock.zoned()
        } else {
            clock.now().to_zoned_datetime(TimeZone::UTC)
        };
        let year = if self.year { "%Y " } else { "" };
        let msec = if self.msec { "%.3f" } else { "" };
        let zone = if self.show_timezone { " %Z" } else { "" };
        now.strftime(&format!("%b %e {year}%H:%M:%S{msec}{zone}"))
            .to_string()
    }
}
