//! From a typed line to a typed command: the walk over the grammar finds the words, `build/` makes the command of them.
//! The daemon asks for what operators type and for what files have.

use crate::build;
use crate::command::{Command, Parsed};
use crate::modes::Mode;
use crate::privilege::Access;
use crate::refusal::Refusal;
use crate::walk;

/// Parses a line typed in a mode: abbreviations, any run of blanks and tabs, a trailing carriage return and comments
/// are fine. In a sub-mode the commands of the modes above it are tried after its own.
///
/// # Errors
/// What IOS says of the line, with the column of the caret.
pub fn parse(mode: Mode, line: &str) -> Result<Parsed, Refusal> {
    parse_as(mode, &Access::full(), line)
}

/// [`parse`] for a session that may not do everything: what it may not do is not understood.
///
/// # Errors
/// As [`parse`].
pub fn parse_as(mode: Mode, access: &Access, line: &str) -> Result<Parsed, Refusal> {
    let (table, matched) = walk::matched(mode, access, line)?;
    if matched.is_empty() {
        return Ok(Parsed {
            command: Command::Empty,
            filter: None,
            json: false,
        });
    }
    build::line(table, &matched).ok_or(Refusal::Invalid { column: 0 })
}
