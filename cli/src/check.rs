//! `--check FILE`: which lines of a configuration are not understood, which are but do nothing in this release, and
//! which protect badly. Needs no daemon. Called by `main`.
//!
//! Lines are taken as the daemon takes them: modes are followed, a banner is one command, and what
//! is indented below a line that is not understood belongs to that line.

use std::io::{self, Write};

use isthmus_grammar::banner::banner_start;
use isthmus_grammar::command::Command;
use isthmus_grammar::file::is_screen_header;
use isthmus_grammar::weakness::weaknesses;
use isthmus_grammar::{Mode, Refusal, parser};

use crate::plain::BYTE_ORDER_MARK;
use crate::screen::printable;

/// Columns of the prompt-like lead before the line in a report.
const LEAD: &str = "    ";
/// The most characters of a line that a report shows before the fault.
const CONTEXT: usize = 60;

/// Writes what is wrong with `text`, a file called `name`, and which lines are accepted without being
/// acted on; gives the number of lines that were not understood.
///
/// # Errors
/// When `out` cannot be written.
pub fn check(name: &str, text: &str, out: &mut dyn Write) -> io::Result<usize> {
    let mut mode = Mode::Config;
    let mut unknown: Option<Unknown> = None;
    let mut count = 0;
    let lines = text.trim_start_matches(BYTE_ORDER_MARK).split('\n');
    let lines = lines.map(|line| line.strip_suffix('\r').unwrap_or(line));
    let mut lines = Lines(lines.enumerate());
    while let Some(line) = lines.next(mode) {
        let trimmed = line.text.trim();
        if trimmed.is_empty() || trimmed.starts_with('!') {
            continue;
        }
        let indent = line.text.len() - line.text.trim_start().len();
        if let Some(above) = unknown.as_ref().filter(|above| indent > above.indent) {
            count += 1;
            writeln!(
                out,
                "{name}:{}: not understood: it belongs to line {}",
                line.number, above.number
            )?;
            writeln!(out, "{LEAD}{}", shorten(line.text.trim_end(), 0).0)?;
            continue;
        }
        unknown = None;
        match understand(mode, &line) {
            Ok(command) => {
                if let Command::Config(config) = &command
                    && let Some(words) = config.inactive()
                {
                    let number = line.number;
                    writeln!(out, "{name}:{number}: accepted, not active in this release")?;
                    writeln!(out, "{LEAD}{words}")?;
                }
                if let Command::Config(config) = &command {
                    for weakness in weaknesses(config) {
                        writeln!(out, "{name}:{}: security warning", line.number)?;
                        writeln!(out, "{LEAD}{weakness}")?;
                    }
                }
                mode = next(mode, &command);
            }
            Err(_) if is_screen_header(trimmed) => {}
            Err(fault) => {
                count += 1;
                fault.report(name, &line, out)?;
                unknown = Some(Unknown {
                    number: line.number,
                    indent,
                });
            }
        }
    }
    Ok(count)
}

struct Unknown {
    number: usize,
    indent: usize,
}

/// One command of a file; several lines where it is a banner.
struct Line {
    number: usize,
    text: String,
    /// A banner that goes on to the end of the file.
    endless: bool,
}

/// The lines of a file, numbered from 0.
struct Lines<I>(I);

impl<'a, I: Iterator<Item = (usize, &'a str)>> Lines<I> {
    /// The next command; the mode says how a banner begins.
    fn next(&mut self, mode: Mode) -> Option<Line> {
        let (index, first) = self.0.next()?;
        let mut text = first.to_owned();
        let delimiter = banner_start(mode, first);
        let mut endless = delimiter.is_some();
        if let Some(delimiter) = delimiter {
            for (_, line) in self.0.by_ref() {
                text.push('\n');
                text.push_str(line);
                if delimiter.ends(line) {
                    endless = false;
                    break;
                }
            }
        }
        Some(Line {
            number: index + 1,
            text,
            endless,
        })
    }
}

enum Fault {
    /// As the console would refuse it.
    Refused(Refusal),
    /// A banner without its end.
    Endless,
    /// An EXEC command: it does nothing in a configuration.
    Exec,
}

fn understand(mode: Mode, line: &Line) -> Result<Command, Fault> {
    if line.endless {
        return Err(Fault::Endless);
    }
    let parsed = parser::parse(mode, &line.text).map_err(Fault::Refused)?;
    match parsed.command {
        Command::Exec(_) | Command::Do(_) => Err(Fault::Exec),
        command => Ok(command),
    }
}

/// The mode after a line.
fn next(mode: Mode, command: &Command) -> Mode {
    match command {
        // `end` closes the configuration; what follows is read from the start again.
        Command::End => Mode::Config,
        Command::Exit if mode == Mode::Config => mode,
        command => mode.after(command),
    }
}

impl Fault {
    fn report(&self, name: &str, line: &Line, out: &mut dyn Write) -> io::Result<()> {
        let first = line.text.split('\n').next().unwrap_or_default().trim_end();
        let (reason, column) = match self {
            Self::Refused(Refusal::Invalid { column }) => ("invalid input", Some(*column)),
            Self::Refused(Refusal::Incomplete) => {
                ("incomplete command", Some(first.chars().count()))
            }
            Self::Refused(Refusal::Ambiguous) => ("ambiguous command", None),
            Self::Endless => ("the banner has no end", None),
            Self::Exec => ("an EXEC command has no place in a configuration", None),
        };
        let (shown, column) = match column {
            Some(column) => {
                let (shown, cut) = shorten(first, column);
                (shown, Some(column - cut))
            }
            None => (shorten(first, 0).0, None),
        };
        match column {
            Some(_) => writeln!(out, "{name}:{}: {reason} at '^'", line.number)?,
            None => writeln!(out, "{name}:{}: {reason}", line.number)?,
        }
        writeln!(out, "{LEAD}{shown}")?;
        if let Some(column) = column {
            writeln!(out, "{LEAD}{:column$}^", "")?;
        }
        Ok(())
    }
}

/// The part of a line around a column, printable, and how many characters before it were cut.
fn shorten(line: &str, column: usize) -> (String, usize) {
    let start = column.saturating_sub(CONTEXT);
    let line = printable(line);
    let mut rest = line.chars().skip(start);
    let mut shown: String = rest.by_ref().take(2 * CONTEXT).collect();
    if rest.next().is_some() {
        shown.push_str("...");
    }
    (shown, start)
}
