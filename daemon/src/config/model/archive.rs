//! `archive`: where copies of the running-config go and when they are made, which commands are logged; `configuration mode
//! exclusive`.

use super::{RetainedEntry, Running};

/// Copies that a router keeps when `maximum` does not say otherwise.
pub const DEFAULT_MAXIMUM: u8 = 10;

/// What the lines below `archive` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// `path`: what the names of the copies begin with. Without one there are no copies.
    pub path: Option<String>,
    /// `maximum`: how many are kept (1-14).
    pub maximum: u8,
    /// `time-period`: minutes from one copy to the next.
    pub time_period: Option<u32>,
    /// `write-memory`: a copy whenever the configuration is saved.
    pub write_memory: bool,
}

/// Commands that the log keeps when `logging size` does not say otherwise.
pub const DEFAULT_LOG_SIZE: usize = 100;

/// What the lines below `log config` say. `hidekeys` is not among them: keys and passwords are hidden without it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveLog {
    /// `logging enable`: what operators configure is recorded.
    pub enabled: bool,
    /// `logging size`: how many commands are kept (1-1000).
    pub size: usize,
    /// `notify syslog`: the commands are log messages as well.
    pub notify: bool,
}

impl Default for ArchiveLog {
    fn default() -> Self {
        Self {
            enabled: false,
            size: DEFAULT_LOG_SIZE,
            notify: false,
        }
    }
}

impl Running {
    /// The settings of `log config`.
    pub fn archive_log(&self) -> ArchiveLog {
        let archive = self.retained.find("r_archive", "archive");
        let log = archive.and_then(|archive| archive.block.find("r_archive_log", "log config"));
        let Some(RetainedEntry { block, .. }) = log else {
            return ArchiveLog::default();
        };
        let size = block.find("r_log_size", "logging size");
        let size = size.and_then(|entry| entry.line.words().rsplit(' ').next()?.parse().ok());
        let notify = block.find("r_log_notify", "notify syslog");
        ArchiveLog {
            enabled: block.find("r_log_enable", "logging enable").is_some(),
            size: size.unwrap_or(DEFAULT_LOG_SIZE),
            // There is no XML form of the messages yet.
            notify: notify.is_some_and(|entry| entry.line.holds(entry.form)),
        }
    }

    /// `configuration mode exclusive auto`: a session that enters configuration mode locks it.
    pub fn locks_itself(&self) -> bool {
        let key = "configuration mode exclusive";
        let line = self.retained.find("r_configuration_mode", key);
        line.is_some_and(|entry| entry.line.words().ends_with(" auto"))
    }

    /// The settings of `archive`.
    pub fn archive(&self) -> Archive {
        let block = self.retained.find("r_archive", "archive");
        let line = |kind, key: &'static str| {
            block.and_then(|entry: &RetainedEntry| entry.block.find(kind, key))
        };
        let value = |kind, key: &'static str| {
            let words = line(kind, key)?.line.words();
            words.strip_prefix(key).map(|value| value.trim().to_owned())
        };
        let maximum = value("r_archive_maximum", "maximum").and_then(|text| text.parse().ok());
        let period = value("r_archive_time_period", "time-period");
        Archive {
            path: value("r_archive_path", "path"),
            maximum: maximum.unwrap_or(DEFAULT_MAXIMUM),
            time_period: period.and_then(|text| text.parse().ok()),
            write_memory: line("r_archive_write_memory", "write-memory").is_some(),
        }
    }
}
