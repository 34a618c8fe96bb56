//! What the console asks the grammar: is this line a command, what could follow, what was meant. Lines come with their
//! aliases spelled out, as they go to the daemon.
//! Used by [`crate::plain`] and [`crate::shell`]; without the daemon, so that answers come at once.

use isthmus_grammar::command::{Command, ExecCommand, Parsed, TerminalCommand};
use isthmus_grammar::{Access, Mode, Refusal, parser};

pub use isthmus_grammar::help::{complete_as as complete, help_as as help};

use crate::screen::filter::Filter;

/// What goes to the daemon, and what happens to the text that comes back.
pub type Understood = (String, Option<Filter>);

/// Checks a line. `None` for lines that do nothing.
///
/// # Errors
/// Why it is no command, or what is wrong with its filter. A line of configuration may still belong to one that was kept
/// without being understood, which only the daemon knows.
pub fn understand(mode: Mode, access: &Access, line: &str) -> Result<Option<Understood>, Unclear> {
    match parser::parse_as(mode, access, line).map_err(Unclear::Line)? {
        Parsed {
            command: Command::Empty,
            ..
        } => Ok(None),
        parsed => divide(line, &parsed).map(Some).map_err(Unclear::Filter),
    }
}

/// Why a line cannot be run.
#[derive(Debug, PartialEq, Eq)]
pub enum Unclear {
    /// It is no command.
    Line(Refusal),
    /// Its filter does not work: the finished message.
    Filter(String),
}

/// What a line sets about the terminal; `None` for every other line.
#[must_use]
pub fn terminal_command(mode: Mode, line: &str) -> Option<TerminalCommand> {
    match parser::parse(mode, line).ok()?.command {
        Command::Exec(ExecCommand::Terminal(command))
        | Command::Do(ExecCommand::Terminal(command)) => Some(command),
        _ => None,
    }
}

/// Takes the filter off a line, if it has one; a line that is not understood goes to the daemon as it is.
///
/// # Errors
/// What is wrong with the filter's expression or file.
pub fn without_filter(mode: Mode, line: &str) -> Result<Understood, String> {
    match line.contains('|').then(|| parser::parse(mode, line)) {
        Some(Ok(parsed)) => divide(line, &parsed),
        _ => Ok((line.to_owned(), None)),
    }
}

/// No argument of a command that takes a filter can hold a bar: the first one starts the filter. One that writes to a
/// file of the router's own, or of another host, is the daemon's.
fn divide(line: &str, parsed: &Parsed) -> Result<Understood, String> {
    match (&parsed.filter, line.split_once('|')) {
        (Some(filter), _) if filter.file().is_some_and(|file| file.path().is_none()) => {
            Ok((line.to_owned(), None))
        }
        (Some(filter), Some((command, _))) => {
            let filter = Filter::new(filter).map_err(|message| format!("{message}\n"))?;
            Ok((command.trim_end().to_owned(), Some(filter)))
        }
        _ => Ok((line.to_owned(), None)),
    }
}
