//! `show archive log config ...`: the commands that operators entered in configuration modes. Called by `show`.

use std::fmt::Write;

use isthmus_grammar::Mode;
use isthmus_grammar::command::{LoggedCommands, ShowConfigLog};
use schemars::JsonSchema;
use serde::Serialize;

use super::screen::{Facts, Screen};
use crate::router::config_log::{LoggedCommand, Opening, Statistics, in_one_line};

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
