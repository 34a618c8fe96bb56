//! What the console asks the grammar: is this line a command, what could follow, what was meant.
//! Used by [`crate::plain`] and [`crate::shell`]; without the daemon, so that answers come at once.

use isthmus_grammar::banner::{Delimiter, banner_start};
use isthmus_grammar::command::{Command, Parsed};
use isthmus_grammar::{Mode, parser};

pub use isthmus_grammar::help::{complete, help};

use crate::screen::filter::Filter;

/// What goes to the daemon, and what happens to the text that comes back.
pub type Understood = (String, Option<Filter>);

/// Checks a line typed after `prompt`. `None` for lines that do nothing.
///
/// # Errors
/// The refusal as it is printed below the line.
pub fn understand(mode: Mode, prompt: &str, line: &str) -> Result<Option<Understood>, String> {
    match parser::parse(mode, line) {
        Ok(parsed) if parsed.command == Command::Empty => Ok(None),
        Ok(parsed) => Ok(Some(divide(line, &parsed)?)),
        // It may name a line of a file that was kept without being understood.
        Err(_) if mode.is_config() && first_word(line) == "no" => Ok(Some((line.to_owned(), None))),
        Err(refusal) => Err(refusal.message(prompt.chars().count(), line)),
    }
}

fn first_word(line: &str) -> &str {
    line.split_ascii_whitespace().next().unwrap_or_default()
}

/// The end to read up to, when a line begins a banner that goes on below it.
#[must_use]
pub fn banner(mode: Mode, line: &str) -> Option<Delimiter> {
    if mode.is_config() {
        banner_start(line)
    } else {
        None
    }
}

/// Takes the filter off a line, if it has one; what is not understood goes to the daemon as it is.
///
/// # Errors
/// What is wrong with the filter's expression or file.
pub fn without_filter(mode: Mode, line: &str) -> Result<Understood, String> {
    match line.contains('|').then(|| parser::parse(mode, line)) {
        Some(Ok(parsed)) => divide(line, &parsed),
        _ => Ok((line.to_owned(), None)),
    }
}

/// No argument of a command that takes a filter can hold a bar: the first one starts the filter.
fn divide(line: &str, parsed: &Parsed) -> Result<Understood, String> {
    match (&parsed.filter, line.split_once('|')) {
        (Some(filter), Some((command, _))) => {
            let filter = Filter::new(filter.kind, &filter.argument)
                .map_err(|message| format!("{message}\n"))?;
            Ok((command.trim_end().to_owned(), Some(filter)))
        }
        _ => Ok((line.to_owned(), None)),
    }
}
