//! `--json`: what each line answers as one JSON document on a line of its own (JSON Lines). Written by [`crate::plain`];
//! the fields are documented in `daemon/src/show/JSON.md`.

use std::io::{self, Write};

use isthmus_grammar::command::{Command, ExecCommand};
use isthmus_grammar::{Mode, parser, walk};
use serde::Serialize;
use serde_json::Value;

use crate::plain::Outcome;
use crate::screen::printable;

/// Where the text of a line goes: straight on, or it is held until the line has been done.
pub(crate) struct Out<'a> {
    to: &'a mut dyn Write,
    held: Option<Vec<u8>>,
}

impl<'a> Out<'a> {
    pub(crate) fn new(to: &'a mut dyn Write, hold: bool) -> Self {
        let held = hold.then(Vec::new);
        Self { to, held }
    }

    /// Text is held, to be made a document of.
    pub(crate) fn holds(&self) -> bool {
        self.held.is_some()
    }

    fn take(&mut self) -> String {
        let held = self.held.as_mut().map(std::mem::take).unwrap_or_default();
        String::from_utf8_lossy(&held).into_owned()
    }

    /// Writes the document of a line that was run, if it has one.
    pub(crate) fn document(&mut self, line: &ExecutedLine<'_>) -> io::Result<()> {
        let text = self.take();
        let Some(document) = line.document(&text) else {
            return Ok(());
        };
        writeln!(self.to, "{document}")?;
        self.to.flush()
    }
}

impl Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.held {
            Some(held) => held.write(bytes),
            None => self.to.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.held {
            Some(_) => Ok(()),
            None => self.to.flush(),
        }
    }
}

/// A line that was run, also one that was refused.
pub(crate) struct ExecutedLine<'a> {
    /// The mode it was typed in.
    pub(crate) mode: Mode,
    /// Its number among the lines, from 1.
    pub(crate) number: usize,
    /// As it was typed.
    pub(crate) line: &'a str,
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// The character that was not understood, from 0.
    pub(crate) column: Option<usize>,
}

/// What a line answers that is no show command.
#[derive(Serialize)]
struct Answer<'a> {
    command: Option<String>,
    line: usize,
    status: &'static str,
    output: &'a str,
}

/// What a line answers that was refused or failed.
#[derive(Serialize)]
struct Failed {
    command: String,
    line: usize,
    error: Error,
}

/// No line could be done.
#[derive(Serialize)]
struct Unreachable {
    error: Error,
}

#[derive(Serialize)]
struct Error {
    kind: &'static str,
    message: String,
    column: Option<usize>,
}

impl ExecutedLine<'_> {
    /// The document, without its line end; `None` for empty lines and comments.
    fn document(&self, text: &str) -> Option<String> {
        let parsed = parser::parse(self.mode, self.line);
        let kind = match self.outcome {
            Outcome::Success if parsed.is_ok_and(|parsed| parsed.command == Command::Empty) => {
                return None;
            }
            Outcome::Success => return Some(self.success(text)),
            Outcome::Failed => "failed",
            Outcome::Invalid => "syntax",
        };
        let first = self.line.split('\n').next().unwrap_or_default();
        let failed = Failed {
            command: printable(first.trim()),
            line: self.number,
            error: Error {
                kind,
                message: message(text),
                column: self.column.map(|column| column + 1),
            },
        };
        Some(json(&failed))
    }

    fn success(&self, text: &str) -> String {
        if wants_facts(self.mode, self.line)
            && let Ok(document) = serde_json::from_str::<Value>(text)
        {
            return json(&document);
        }
        // A line of configuration may hold a secret: it is not said again.
        let spelled = (!self.mode.is_config()).then(|| walk::expand(self.mode, self.line).ok());
        let answer = Answer {
            command: spelled.flatten().map(|spelled| spelled.line),
            line: self.number,
            status: "ok",
            output: text,
        };
        json(&answer)
    }
}

/// The message without the line that has only the caret.
fn message(text: &str) -> String {
    let lines = text.lines().map(str::trim_end);
    let lines: Vec<&str> = lines.filter(|line| line.trim_start() != "^").collect();
    lines.join("\n").trim().to_owned()
}

/// The document that says why no line could be done.
#[must_use]
pub fn unreachable(error: &dyn std::fmt::Display) -> String {
    json(&Unreachable {
        error: Error {
            kind: "unreachable",
            message: error.to_string(),
            column: None,
        },
    })
}

/// What the daemon is asked for a line: the facts of a show command.
///
/// # Errors
/// The line has a filter: there is no text to filter.
pub(crate) fn request(mode: Mode, line: &str) -> Result<String, &'static str> {
    match parser::parse(mode, line) {
        Ok(parsed) if parsed.filter.is_some() => {
            Err("% With --json there is no text to filter: leave the filter out\n")
        }
        Ok(parsed) if !parsed.json && wants_facts(mode, line) => {
            Ok(format!("{} | json", line.trim_end()))
        }
        _ => Ok(line.to_owned()),
    }
}

fn wants_facts(mode: Mode, line: &str) -> bool {
    let parsed = parser::parse(mode, line);
    let is_show = |command| {
        matches!(
            command,
            Command::Exec(ExecCommand::Show(_)) | Command::Do(ExecCommand::Show(_))
        )
    };
    parsed.is_ok_and(|parsed| is_show(parsed.command))
}

fn json(document: &impl Serialize) -> String {
    // Writing to memory cannot fail, and every key is text.
    serde_json::to_string(document).unwrap_or_default()
}
