//! `show archive log config ...`: the commands that operators entered in configuration modes. Called by `show`.

use std::fmt::Write;

use isthmus_grammar::Mode;
use isthmus_grammar::command::{LoggedCommands, ShowConfigLog};
use jiff::ZonedDateTime;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::screen::{Facts, Moment, Screen, moment};

/// The log as it is.
#[derive(Clone, Debug, Default)]
pub struct ConfigLog {
    /// `logging enable` is on.
    pub enabled: bool,
    /// The commands, the oldest first.
    pub commands: Vec<LoggedCommand>,
    /// What the log takes.
    pub statistics: Statistics,
}

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
    /// The number of the stay in configuration mode in which it was entered.
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

/// By how many blanks the commands of a mode are indented.
fn indent(table: Mode) -> usize {
    match table {
        Mode::Config => 0,
        mode => mode.indent(),
    }
}

/// The facts that a command asks for.
pub fn screen<'a>(log: &'a ConfigLog, what: &ShowConfigLog) -> Box<dyn Screen + 'a> {
    let ShowConfigLog::Commands {
        which,
        provisioning: as_configuration,
    } = what
    else {
        return Box::new(&log.statistics);
    };
    let commands = log.commands.iter().filter(|command| wanted(command, which));
    let commands: Vec<&LoggedCommand> = commands.collect();
    match as_configuration {
        true => Box::new(Provisioning {
            lines: provisioning(&commands),
        }),
        false => Box::new(Table {
            enabled: log.enabled,
            commands,
        }),
    }
}

fn wanted(command: &LoggedCommand, which: &LoggedCommands) -> bool {
    match which {
        LoggedCommands::All => true,
        LoggedCommands::Numbered { first, last } => {
            (*first..=last.unwrap_or(*first)).contains(&command.index)
        }
        LoggedCommands::OfUser { name, session } => {
            command.user == *name && session.is_none_or(|session| command.session == session)
        }
    }
}

/// `show archive log config {all | N [N] | user NAME [session N]}`.
#[derive(Serialize, JsonSchema)]
struct Table<'a> {
    /// Commands are logged (`logging enable`).
    enabled: bool,
    /// Those that are asked for, the oldest first.
    commands: Vec<&'a LoggedCommand>,
}

impl Facts for Table<'_> {
    fn text(&self) -> String {
        let mut text = " idx   sess           user@line      Logged command\n".to_owned();
        for command in &self.commands {
            let LoggedCommand {
                index,
                session,
                user,
                line,
                ..
            } = command;
            let blanks = indent(command.table);
            let words = in_one_line(&command.command);
            let _ = writeln!(
                text,
                "{index:>5} {session:>5} {user:>14}@{line:<8} |{:blanks$}{words}",
                ""
            );
        }
        text
    }
}

/// A command as it stands in a table or a log message: of a banner of several lines only the first.
pub fn in_one_line(command: &str) -> String {
    match command.split_once('\n') {
        None => command.to_owned(),
        Some((first, _)) => format!("{first}..."),
    }
}

/// `show archive log config ... provisioning`.
#[derive(Serialize, JsonSchema)]
struct Provisioning {
    /// The commands as lines of a configuration, with those that lead to their modes.
    lines: Vec<String>,
}

impl Facts for Provisioning {
    fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

fn provisioning(commands: &[&LoggedCommand]) -> Vec<String> {
    let mut lines = Vec::new();
    // The modes that the lines so far have opened, the outermost first.
    let mut open: Vec<Opening> = Vec::new();
    for command in commands {
        let pairs = open.iter().zip(&command.modes);
        let common = pairs.take_while(|(one, other)| one == other).count();
        let closed = open.split_off(common);
        let data = closed.iter().filter(|opening| opening.mode.is_verbatim());
        lines.extend(data.map(|opening| indented(opening.mode, "quit")));
        for opening in &command.modes[common..] {
            let table = opening.mode.parent().unwrap_or(Mode::Config);
            lines.push(indented(table, &opening.command));
        }
        let mut words = command.command.lines();
        lines.extend(words.next().map(|first| indented(command.table, first)));
        lines.extend(words.map(str::to_owned));
        open.clone_from(&command.modes);
        open.extend(command.enters.map(|mode| Opening {
            command: command.command.clone(),
            mode,
        }));
    }
    lines
}

fn indented(table: Mode, words: &str) -> String {
    format!("{:blanks$}{words}", "", blanks = indent(table))
}

/// `show archive log config statistics`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Statistics {
    /// Stays in configuration mode of which commands are in the log.
    pub sessions: usize,
    /// What is kept of those stays.
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

impl Facts for &Statistics {
    fn text(&self) -> String {
        let Statistics {
            sessions,
            session_memory,
            commands,
            command_memory,
        } = self;
        format!(
            "Config Log Session Info:\n    Number of sessions being tracked: {sessions}\n    \
             Memory being held: {} bytes\n    \
             Total memory allocated for session tracking: {} bytes\n    \
             Total memory freed from session tracking: {} bytes\n\n\
             Config Log log-queue Info:\n    Number of entries in the log-queue: {commands}\n    \
             Memory being held by the log-queue: {} bytes\n    \
             Total memory allocated for log entries: {} bytes\n    \
             Total memory freed from log entries: {} bytes\n",
            session_memory.held_bytes,
            session_memory.allocated_bytes,
            session_memory.freed_bytes,
            command_memory.held_bytes,
            command_memory.allocated_bytes,
            command_memory.freed_bytes,
        )
    }
}
