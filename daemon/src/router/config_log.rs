//! The configuration change logger: which commands operators entered in configuration modes (`archive`, `log config`).
//!
//! Sessions tell of each command that was obeyed; what comes from files is not logged. Keys and passwords never get here:
//! a command comes as the grammar says it without its secrets, whether `hidekeys` is configured or not.

use std::collections::{BTreeMap, VecDeque};

use isthmus_grammar::Mode;
use isthmus_grammar::command::ConfigLine;
use isthmus_grammar::render::without_secrets;
use jiff::ZonedDateTime;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::config::model::ArchiveLog;
use crate::json::{Moment, moment};
use crate::log::Severity;
use crate::operators::User;
use crate::router::Router;

/// What stands in the place of keys and passwords.
const HIDDEN: &str = "*****";
/// Octets that are kept of a command; only banners are as long.
const LONGEST: usize = 1024;

/// A command that opens a mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The command, without keys and passwords.
    pub command: String,
    /// The mode.
    pub mode: Mode,
}

/// A command of the log.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LoggedCommand {
    /// Its number. Numbers are not used again, so that it shows when commands are gone.
    pub index: u64,
    /// The number of the configuration session in which it was entered.
    pub session: u64,
    /// Who entered it.
    pub user: String,
    /// On which line, such as `vty0`.
    pub line: String,
    /// When.
    #[serde(serialize_with = "moment")]
    #[schemars(with = "Moment")]
    pub time: ZonedDateTime,
    /// The commands that lead to its mode, the outermost first; empty in global configuration.
    #[serde(serialize_with = "commands")]
    #[schemars(with = "Vec<String>")]
    pub modes: Vec<Opening>,
    /// The command, spelled out, with `*****` in the place of keys and passwords.
    pub command: String,
    /// What the parser returned: always 0, for only commands that were obeyed are logged.
    pub return_code: u8,
    /// Its place in the configuration: how far it is indented.
    #[serde(skip)]
    pub table: Mode,
    /// The mode that it opens.
    #[serde(skip)]
    pub enters: Option<Mode>,
}

fn commands<S: Serializer>(modes: &[Opening], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(modes.iter().map(|opening| &opening.command))
}

/// A command as it stands in a table or a log message: of a banner of several lines only the first.
pub fn in_one_line(command: &str) -> String {
    match command.split_once('\n') {
        None => command.to_owned(),
        Some((first, _)) => format!("{first}..."),
    }
}

/// `show archive log config statistics`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Statistics {
    /// Configuration sessions of which commands are in the log.
    pub sessions: usize,
    /// What is kept of those sessions.
    pub session_memory: Memory,
    /// Commands in the log.
    pub commands: usize,
    /// What is kept of them.
    pub command_memory: Memory,
}

/// Memory of the log, in octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Memory {
    /// In use.
    pub held_bytes: u64,
    /// Taken since the daemon started.
    pub allocated_bytes: u64,
    /// Given back of that.
    pub freed_bytes: u64,
}

impl Memory {
    /// So many octets more.
    pub fn take(&mut self, octets: u64) {
        self.held_bytes += octets;
        self.allocated_bytes += octets;
    }

    /// So many octets less.
    pub fn give_back(&mut self, octets: u64) {
        self.held_bytes -= octets;
        self.freed_bytes += octets;
    }
}

/// One operator's time in configuration mode, from entering to leaving, as far as the log needs to know.
#[derive(Debug, Default)]
pub struct ConfigSession {
    /// Its number, once one of its commands was logged.
    number: Option<u64>,
    /// The commands that opened the modes in which it is.
    modes: Vec<Opening>,
}

impl ConfigSession {
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
    /// The configuration sessions of which commands are in the log.
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

    /// `logging enable` is on.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.settings.enabled
    }

    /// The commands, the oldest first.
    #[must_use]
    pub fn commands(&self) -> Vec<LoggedCommand> {
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
        self.entries.iter().filter_map(command).collect()
    }

    /// What the log takes.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        Statistics {
            sessions: self.sessions.len(),
            session_memory: self.session_memory,
            commands: self.entries.len(),
            command_memory: self.entry_memory,
        }
    }
}

impl Router {
    /// An operator's command was obeyed.
    pub fn log_command(&mut self, of: &mut ConfigSession, user: &User, line: &ConfigLine) {
        let enters = line.enters();
        if self.change_control.config_log.settings.enabled || enters.is_some() {
            let command = without_secrets(line, HIDDEN);
            self.log_words(of, user, line.mode(), &command, enters);
        }
    }

    /// `no LINE` took away a line that nobody understands: only its first word is sure to be no secret.
    pub fn log_kept(&mut self, of: &mut ConfigSession, user: &User, mode: Mode, line: &str) {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        let command = match words.next() {
            None => format!("no {first}"),
            Some(_) => format!("no {first} {HIDDEN}"),
        };
        self.log_words(of, user, mode, &command, None);
    }

    fn log_words(
        &mut self,
        of: &mut ConfigSession,
        user: &User,
        table: Mode,
        command: &str,
        enters: Option<Mode>,
    ) {
        let command = bounded(command);
        let modes = of.up_to(table).to_vec();
        of.modes.extend(enters.map(|mode| Opening {
            command: command.clone(),
            mode,
        }));
        let time = self.clock.zoned();
        let log = &mut self.change_control.config_log;
        if !log.settings.enabled {
            return;
        }
        let session = *of.number.get_or_insert_with(|| {
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
