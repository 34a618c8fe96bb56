//! `archive`: where copies of the running-config go and when they are made, which commands are logged; `configuration mode
//! exclusive`.

use isthmus_grammar::Rule;
use isthmus_grammar::command::Form;

use super::{Retained, RetainedEntry, Running};

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
        let archive = self.retained.find(Rule::r_archive, "archive");
        let key = "log config";
        let log = archive.and_then(|archive| archive.block.find(Rule::r_archive_log, key));
        let Some(RetainedEntry { block, .. }) = log else {
            return ArchiveLog::default();
        };
        ArchiveLog {
            enabled: block.has(Rule::r_log_enable),
            size: (block.number(Rule::r_log_size, Rule::a_log_size)).unwrap_or(DEFAULT_LOG_SIZE),
            // There is no XML form of the messages yet.
            notify: block
                .line(Rule::r_log_notify)
                .is_some_and(|line| line.holds(Form::Set)),
        }
    }

    /// `configuration mode exclusive auto`: a session that enters configuration mode locks it.
    pub fn locks_itself(&self) -> bool {
        let key = "configuration mode exclusive";
        let line = self.retained.find(Rule::r_configuration_mode, key);
        line.is_some_and(|entry| entry.line.has(Rule::k_exclusive_auto))
    }

    /// The settings of `archive`.
    pub fn archive(&self) -> Archive {
        let none = Retained::default();
        let archive = self.retained.find(Rule::r_archive, "archive");
        let lines = archive.map_or(&none, |archive| &archive.block);
        Archive {
            path: lines.text(Rule::r_archive_path, Rule::a_archive_path),
            maximum: (lines.number(Rule::r_archive_maximum, Rule::a_archive_maximum))
                .unwrap_or(DEFAULT_MAXIMUM),
            time_period: lines.number(Rule::r_archive_time_period, Rule::a_time_period),
            write_memory: lines.has(Rule::r_archive_write_memory),
        }
    }
}
