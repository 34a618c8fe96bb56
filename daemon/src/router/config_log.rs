//! The configuration change logger: which commands operators entered in configuration modes (`archive`, `log config`).
//!
//! Sessions tell of each command that was obeyed; what comes from files is not logged. Keys and passwords never get here:
//! a command comes as the grammar says it without its secrets, whether `hidekeys` is configured or not.

use std::collections::{BTreeMap, VecDeque};

use isthmus_grammar::Mode;
use isthmus_grammar::command::ConfigLine;
use isthmus_grammar::render::without_secrets;
use jiff::ZonedDateTime;

use crate::config::model::ArchiveLog;
use crate::log::Severity;
use crate::operators::User;
use crate::router::Router;
use crate::show::config_log::{self as show, LoggedCommand, Memory, Opening, in_one_line};

/// What stands in the place of keys and passwords.
const HIDDEN: &str = "*****";
/// Octets that are kept of a command; only banners are as long.
const LONGEST: usize = 1024;

/// One stay of one operator in configuration mode, as far as the log needs to know.
#[derive(Debug, Default)]
pub struct Stay {
    /// Its number, once one of its commands was logged.
    number: Option<u64>,
    /// The commands that opened the modes in which it is.
    modes: Vec<Opening>,
}

impl Stay {
    /// The commands that lead to a mode which is open; what is below it is closed by any command of that mode.
    fn up_to(&mut self, table: Mode) -> &[Opening] {
        let at = self.modes.iter().position(|opening| opening.mode == table);
        self.modes.truncate(at.map_or(0, |at| at + 1));
        &self.modes
    }
}

/// The log.
#[derive(Debug, Default)]
pub struct ConfigLog {
    settings: ArchiveLog,
    entries: VecDeque<Entry>,
    /// The stays of which commands are in the log.
    sessions: BTreeMap<u64, Session>,
    last_index: u64,
    last_session: u64,
    entry_memory: Memory,
    session_memory: Memory,
}

/// A command that was logged.
#[derive(Debug)]
struct Entry {
    index: u64,
    session: u64,
    time: ZonedDateTime,
    modes: Vec<Opening>,
    table: Mode,
    command: String,
    enters: Option<Mode>,
}

impl Entry {
    fn octets(&self) -> u64 {
        let openings = self
            .modes
            .iter()
            .map(|opening| opening.command.len() + size_of::<Opening>());
        (size_of::<Self>() + self.command.len() + openings.sum::<usize>()) as u64
    }
}

/// Whose commands they are.
#[derive(Debug)]
struct Session {
    user: String,
    line: String,
    /// How many of its commands are in the log.
    commands: usize,
}

impl Session {
    fn octets(&self) -> u64 {
        (size_of::<Self>() + self.user.len() + self.line.len()) as u64
    }
}

impl ConfigLog {
    /// Takes new settings: a log that is off is empty, and a smaller one loses its oldest commands.
    pub fn configure(&mut self, settings: ArchiveLog) {
        self.settings = settings;
        self.shrink(if settings.enabled { settings.size } else { 0 });
    }

    /// `clear archive log config`
    pub fn clear(&mut self) {
        self.shrink(0);
    }

    fn shrink(&mut self, size: usize) {
        while self.entries.len() > size {
            let Some(entry) = self.entries.pop_front() else {
                return;
            };
            self.entry_memory.give_back(entry.octets());
            let Some(session) = self.sessions.get_mut(&entry.session) else {
                continue;
            };
            session.commands -= 1;
            if session.commands == 0 {
                self.session_memory.give_back(session.octets());
                self.sessions.remove(&entry.session);
            }
        }
    }

    fn add(&mut self, user: &User, mut entry: Entry) {
        self.last_index += 1;
        entry.index = self.last_index;
        let memory = &mut self.session_memory;
        let session = self.sessions.entry(entry.session).or_insert_with(|| {
            let session = Session {
                user: user.logged_as().to_owned(),
                line: user.line.clone(),
                commands: 0,
            };
            memory.take(session.octets());
            session
        });
        session.commands += 1;
        self.entry_memory.take(entry.octets());
        self.entries.push_back(entry);
        self.shrink(self.settings.size);
    }

    /// What `show archive log config` is about.
    #[must_use]
    pub fn shown(&self) -> show::ConfigLog {
        let command = |entry: &Entry| {
            let session = self.sessions.get(&entry.session)?;
            Some(LoggedCommand {
                index: entry.index,
                session: entry.session,
                user: session.user.clone(),
                line: session.line.clone(),
                time: entry.time.clone(),
                modes: entry.modes.clone(),
                command: entry.command.clone(),
                return_code: 0,
                table: entry.table,
                enters: entry.enters,
            })
        };
        show::ConfigLog {
            enabled: self.settings.enabled,
            commands: self.entries.iter().filter_map(command).collect(),
            statistics: show::Statistics {
                sessions: self.sessions.len(),
                session_memory: self.session_memory,
                commands: self.entries.len(),
                command_memory: self.entry_memory,
            },
        }
    }
}

impl Router {
    /// An operator's command was obeyed.
    pub fn log_command(&mut self, stay: &mut Stay, user: &User, line: &ConfigLine) {
        let enters = line.enters();
        if self.upkeep.config_log.settings.enabled || enters.is_some() {
            let command = without_secrets(line, HIDDEN);
            self.log_words(stay, user, line.mode(), &command, enters);
        }
    }

    /// `no LINE` took away a line that nobody understands: only its first word is sure to be no secret.
    pub fn log_kept(&mut self, stay: &mut Stay, user: &User, mode: Mode, line: &str) {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        let command = match words.next() {
            None => format!("no {first}"),
            Some(_) => format!("no {first} {HIDDEN}"),
        };
        self.log_words(stay, user, mode, &command, None);
    }

    fn log_words(
        &mut self,
        stay: &mut Stay,
        user: &User,
        table: Mode,
        command: &str,
        enters: Option<Mode>,
    ) {
        let command = bounded(command);
        let modes = stay.up_to(table).to_vec();
        stay.modes.extend(enters.map(|mode| Opening {
            command: command.clone(),
            mode,
        }));
        let time = self.clock.zoned();
        let log = &mut self.upkeep.config_log;
        if !log.settings.enabled {
            return;
        }
        let session = *stay.number.get_or_insert_with(|| {
            log.last_session += 1;
            log.last_session
        });
        let message = format!(
            "User:{}  logged command:{}",
            user.logged_as(),
            in_one_line(&command)
        );
        log.add(
            user,
            Entry {
                index: 0,
                session,
                time,
                modes,
                table,
                command,
                enters,
            },
        );
        if log.settings.notify {
            let severity = Severity::Notifications;
            self.log
                .system("PARSER", severity, "CFGLOG_LOGGEDCMD", message);
        }
    }
}

/// A command of a length that can be kept, without characters that move the cursor of whoever reads it.
fn bounded(command: &str) -> String {
    let mut kept = String::new();
    for c in command.trim_end().chars() {
        if kept.len() + c.len_utf8() > LONGEST {
            kept.push_str("...");
            break;
        }
        kept.push(if c.is_control() && c != '\n' { '?' } else { c });
    }
    kept
}

#[cfg(test)]
mod tests;
