//! `--check FILE`: which lines of a configuration the daemon would not obey, which do nothing in this release, and which
//! protect badly. Needs no running daemon. Called by `main`.
//!
//! The file is loaded as the daemon loads it at its start, by the same code.

use std::collections::BTreeMap;
use std::io::{self, Write};

use isthmus_grammar::Refusal;
use isthmusd::config::cursor::BYTE_ORDER_MARK;
use isthmusd::config::load::{self, Kind, Problem, Report};
use isthmusd::config::{Running, check};
use isthmusd::plan::dry;

use crate::screen::printable;

/// Columns of the prompt-like lead before the line in a report.
const LEAD: &str = "    ";
/// The most characters of a line that a report shows before the fault.
const CONTEXT: usize = 60;

/// How many lines of a file are not as they should be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// All lines of the file.
    pub lines: usize,
    /// Not understood.
    pub unknown: usize,
    /// Understood and refused.
    pub refused: usize,
    /// They name what is not there.
    pub missing: usize,
    /// Accepted, and without effect in this release.
    pub inactive: usize,
    /// What else is legal and surely not meant.
    pub findings: usize,
}

impl Totals {
    /// Loading the file would leave something undone.
    #[must_use]
    pub fn faults(&self) -> usize {
        self.unknown + self.refused + self.missing
    }

    /// The same for an operator who wants every line to act.
    #[must_use]
    pub fn faults_when_strict(&self) -> usize {
        self.faults() + self.inactive + self.findings
    }
}

/// Writes what is wrong with `text`, a file called `name`, and which lines are accepted without being acted on; the last
/// line has the totals.
///
/// # Errors
/// When `out` cannot be written.
pub fn check(name: &str, text: &str, out: &mut dyn Write) -> io::Result<Totals> {
    let mut running = Running::default();
    let report = load::read(&mut running, text, name);
    let mut findings = dry::problems(&running);
    findings.extend(check::findings(&running));
    let lines: Vec<&str> = load::lines(text.trim_start_matches(BYTE_ORDER_MARK)).collect();
    let mut totals = Totals {
        lines: lines.len(),
        inactive: report.inactive.len(),
        findings: findings.len(),
        ..Totals::default()
    };
    for (number, notes) in sorted(&report) {
        let line = lines.get(number - 1).copied().unwrap_or_default();
        for note in notes {
            note.write(name, number, line, out)?;
            note.count(&mut totals);
        }
    }
    for finding in &findings {
        writeln!(out, "{name}: {}", printable(&finding.to_string()))?;
    }
    write_totals(name, &totals, out)?;
    Ok(totals)
}

fn write_totals(name: &str, totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
    let plural = if totals.lines == 1 { "" } else { "s" };
    write!(
        out,
        "{name}: {} line{plural}: {} not understood, {} refused, {} naming what is not there, {} not active in this release",
        totals.lines, totals.unknown, totals.refused, totals.missing, totals.inactive
    )?;
    match totals.findings {
        0 => writeln!(out),
        1 => writeln!(out, "; 1 remark"),
        count => writeln!(out, "; {count} remarks"),
    }
}

/// What is said of one line.
enum Note<'a> {
    Problem(&'a Problem),
    /// It belongs to the line of this number.
    Below(usize),
    /// It does nothing in this release.
    Inactive(&'a str),
    /// It protects badly.
    Weak(&'a str),
}

/// The notes by the numbers of their lines.
fn sorted(report: &Report) -> BTreeMap<usize, Vec<Note<'_>>> {
    let problems = report.problems.iter().chain(&report.missing);
    let problems = problems.map(|problem| (problem.line, Note::Problem(problem)));
    let below = report
        .below
        .iter()
        .map(|(line, of)| (*line, Note::Below(*of)));
    let inactive = report.inactive.iter();
    let inactive = inactive.map(|(line, words)| (*line, Note::Inactive(words)));
    let mut sorted: BTreeMap<usize, Vec<Note<'_>>> = BTreeMap::new();
    let weak = report.weak.iter();
    let weak = weak.map(|(line, words)| (*line, Note::Weak(words)));
    for (line, note) in problems.chain(below).chain(inactive).chain(weak) {
        sorted.entry(line).or_default().push(note);
    }
    sorted
}

impl Note<'_> {
    fn count(&self, totals: &mut Totals) {
        match self {
            Note::Problem(problem) => match problem.kind {
                Kind::Unknown(_) | Kind::Endless | Kind::Exec => totals.unknown += 1,
                Kind::Refused => totals.refused += 1,
                Kind::Reference => totals.missing += 1,
            },
            Note::Below(_) => totals.unknown += 1,
            Note::Inactive(_) | Note::Weak(_) => {}
        }
    }

    fn write(&self, name: &str, number: usize, line: &str, out: &mut dyn Write) -> io::Result<()> {
        let problem = match self {
            Note::Problem(problem) => problem,
            Note::Below(of) => {
                writeln!(
                    out,
                    "{name}:{number}: not understood: it belongs to line {of}"
                )?;
                return writeln!(out, "{LEAD}{}", shorten(line.trim_end(), 0).0);
            }
            Note::Inactive(words) => {
                writeln!(out, "{name}:{number}: accepted, not active in this release")?;
                return writeln!(out, "{LEAD}{}", printable(words));
            }
            Note::Weak(words) => {
                writeln!(out, "{name}:{number}: security warning")?;
                return writeln!(out, "{LEAD}{}", printable(words));
            }
        };
        let first = line.trim_end();
        let lead = first.chars().count() - first.trim_start().chars().count();
        let (reason, column) = match problem.kind {
            Kind::Unknown(Refusal::Invalid { column }) => ("invalid input", Some(lead + column)),
            Kind::Unknown(Refusal::Incomplete) => {
                ("incomplete command", Some(first.chars().count()))
            }
            Kind::Unknown(Refusal::Ambiguous) => ("ambiguous command", None),
            Kind::Endless => ("the banner has no end", None),
            Kind::Exec => ("an EXEC command has no place in a configuration", None),
            Kind::Refused | Kind::Reference => (problem.what.trim_start_matches("% "), None),
        };
        let (shown, cut) = shorten(first, column.unwrap_or_default());
        match column {
            Some(_) => writeln!(out, "{name}:{number}: {reason} at '^'")?,
            None => {
                let reason = printable(&reason.replace('\n', " "));
                writeln!(out, "{name}:{number}: {reason}")?;
            }
        }
        writeln!(out, "{LEAD}{shown}")?;
        match column {
            Some(column) => writeln!(out, "{LEAD}{:1$}^", "", column - cut),
            None => Ok(()),
        }
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
