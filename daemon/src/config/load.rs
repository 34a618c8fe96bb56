//! A configuration file becomes the running-config, as one transaction.
//!
//! Called at boot, by `copy FILE running-config` and by `isthmus --check`. `cursor.rs` says what each line is, here and in
//! a session. A line that is not understood, or that is refused, is reported with its number, kept with the lines that
//! belong to it, and never stops the lines after it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::Hash;

use isthmus_grammar::banner::{Delimiter, any_banner_start};
use isthmus_grammar::command::{
    AclCommand, AclEntry, AclId, Command, ConfigCommand, ConfigLine, CryptoMapCommand, Form,
    GlobalCommand, InterfaceCommand, RetainedLine, StandardAclCommand, StandardAclEntry,
};
use isthmus_grammar::weakness::weaknesses;
use isthmus_grammar::{Access, Refusal, secrets};

use super::apply::{Origin, acl, check_references, kept_change};
use super::cursor::{Closed, Cursor, Reading};
use super::model::context::Context;
use super::model::{AccessList, AclLine, LineId, Numbered, Running};

/// A line of a file that was not obeyed. Its text is made safe for logs: keys and passwords are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as the operator named it.
    pub file: String,
    /// The line's number, counted from 1.
    pub line: usize,
    /// The line, without secrets.
    pub text: String,
    /// What is wrong.
    pub what: String,
    /// How many lines below it went with it.
    pub below: usize,
    /// Why it was not obeyed.
    pub kind: Kind,
}

/// Why a line was not obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No command matches it.
    Unknown(Refusal),
    /// It begins a banner that has no end.
    Endless,
    /// A command of EXEC, which a file does not run.
    Exec,
    /// It is a command, and it was refused.
    Refused,
    /// It was obeyed, but what it names is not there.
    Reference,
}

impl Kind {
    /// Why no command matches the line, where that is what is wrong.
    pub fn refusal(self) -> Option<Refusal> {
        match self {
            Kind::Unknown(refusal) => Some(refusal),
            _ => None,
        }
    }
}

impl Problem {
    /// For the operator who copies the file: what a terminal answers to the line, then what came of it.
    pub fn answer(&self) -> String {
        let refusal = self.kind.refusal().map_or_else(String::new, |refusal| {
            format!("{}\n{}", self.text, refusal.message(0, &self.text))
        });
        format!("{refusal}% {self}\n")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem {
            file,
            line,
            text,
            what,
            below,
            kind,
        } = self;
        let text = match kind.refusal() {
            Some(_) => secrets::logged(text),
            None => text.clone(),
        };
        write!(f, "{file}:{line}: \"{text}\": {what}")?;
        match below {
            0 => Ok(()),
            1 => f.write_str(" (with the line below it)"),
            _ => write!(f, " (with the {below} lines below it)"),
        }
    }
}

/// What was found in a file.
#[derive(Debug, Default)]
pub struct Report {
    /// The lines that were not obeyed, and those that name what is not there, by their numbers.
    pub problems: Vec<Problem>,
    /// The lines that belong to one of those, each with the number of that.
    pub below: Vec<(usize, usize)>,
    /// More lines that name what is not there, which only `--check` tells.
    pub missing: Vec<Problem>,
    /// The lines that do nothing in this release, with their words for messages.
    pub inactive: Vec<(usize, String)>,
    /// The lines that protect badly, with what is said of them.
    pub weak: Vec<(usize, String)>,
}

/// Loads a whole file into a fresh configuration.
pub fn load(text: &str, file: &str) -> (Running, Vec<Problem>) {
    let mut running = Running::default();
    let problems = merge(&mut running, text, file);
    (running, problems)
}

/// Adds a file to the configuration, as if its lines were typed: `copy FILE running-config`.
pub fn merge(running: &mut Running, text: &str, file: &str) -> Vec<Problem> {
    read(running, text, file).problems
}

/// The same, with all that can be said of the file.
pub fn read(running: &mut Running, text: &str, file: &str) -> Report {
    let lines = lines(text).collect();
    let mut loader = Loader {
        running,
        lines,
        file,
        next: 0,
        access: Access::full(),
        cursor: Cursor::default(),
        report: Report::default(),
        references: Vec::new(),
        remarks: HashMap::new(),
    };
    while loader.next < loader.lines.len() {
        loader.line();
    }
    loader.cursor.close();
    loader.keep_closed();
    loader.check_references();
    loader.report
}

/// The lines of a file: they end with LF, CR LF, or, where there is no LF, with CR.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let end = if text.contains('\n') { '\n' } else { '\r' };
    let lines = text.split_terminator(end);
    lines.map(|line| line.trim_end_matches('\r'))
}

struct Loader<'a> {
    running: &'a mut Running,
    lines: Vec<&'a str>,
    file: &'a str,
    next: usize,
    access: Access,
    cursor: Cursor,
    report: Report,
    references: Vec<(usize, Reference)>,
    /// The remarks that each list had before this file came to it: a merged file does not double them.
    remarks: HashMap<AclId, HashSet<String>>,
}

fn remarks(list: Option<&AccessList>) -> HashSet<String> {
    fn of<R: Clone + Eq + Hash>(list: &Numbered<R>) -> HashSet<String> {
        let text = |line: &AclLine<R>| match line {
            AclLine::Remark(text) => Some(text.clone()),
            AclLine::Rule(_) | AclLine::Unknown(_) => None,
        };
        list.lines().filter_map(|(_, line)| text(line)).collect()
    }
    match list {
        Some(AccessList::Extended(list)) => of(list),
        Some(AccessList::Standard(list)) => of(list),
        None => HashSet::new(),
    }
}

/// A name that some line uses and a later one may define.
enum Reference {
    CryptoMap(String),
    TransformSet(String),
    AccessList(AclId),
    /// One of those that `apply` has tables of.
    Other(Form, Box<RetainedLine>),
}

impl<'a> Loader<'a> {
    fn line(&mut self) {
        let index = self.next;
        self.next += 1;
        let Some(whole) = self.whole(index) else {
            return;
        };
        let reading = self.cursor.read(&self.access, index + 1, &whole);
        // Where a line stands among the others counts, in access-lists most of all.
        self.keep_closed();
        match reading {
            Reading::Nothing => {}
            Reading::Command(parsed) => match parsed.command {
                Command::Config(line) => self.obey(index, &line),
                Command::Empty => {}
                Command::Exit => self.cursor.leave_one(),
                Command::End => self.cursor.leave_all(),
                Command::Exec(_) | Command::Do(_) => {
                    self.problem(
                        index,
                        Kind::Exec,
                        "a command of EXEC: a file does not run it",
                    );
                }
            },
            Reading::Refused(_) if self.cursor.remove_kept(self.running) => {}
            Reading::Refused(refusal) => {
                self.problem(index, Kind::Unknown(refusal), why(refusal));
                self.unknown_banner(index);
            }
            Reading::Below(below) => {
                self.count_below(index, below.of);
                self.unknown_banner(index);
            }
        }
        self.keep_closed();
    }

    /// The line, with all its text where it begins a banner. A banner without end is reported and kept.
    fn whole(&mut self, index: usize) -> Option<Cow<'a, str>> {
        let line = self.lines[index];
        let Some(delimiter) = self.cursor.banner(&self.access, line) else {
            return Some(line.into());
        };
        let Some(end) = self.banner_end(&delimiter) else {
            let what = "the banner has no end: its delimiter does not come again; kept";
            self.problem(index, Kind::Endless, what);
            self.cursor.refuse_line(index + 1, line);
            // It would take the lines printed after it for its text.
            self.cursor.add_below([delimiter.typed()]);
            self.cursor.close();
            self.keep_closed();
            return None;
        };
        let text = self.lines[index..=end].join("\n");
        self.next = end + 1;
        Some(text.into())
    }

    fn banner_end(&self, delimiter: &Delimiter) -> Option<usize> {
        (self.next..self.lines.len()).find(|index| delimiter.ends(self.lines[*index]))
    }

    /// The text of an unknown kind of banner belongs to the line.
    fn unknown_banner(&mut self, index: usize) {
        let line = self.lines[index];
        let Some(delimiter) = any_banner_start(line.trim()) else {
            return;
        };
        let Some(end) = self.banner_end(&delimiter) else {
            self.cursor.add_below([delimiter.typed()]);
            return;
        };
        let indent = self.cursor.unknown_indent();
        // Printed as deep as the line that is kept, so that much is not theirs.
        let own = |line: &&str| match line.split_at_checked(indent) {
            Some((lead, rest)) if lead.trim().is_empty() => rest.to_owned(),
            _ => (*line).to_owned(),
        };
        let text: Vec<String> = self.lines[self.next..=end].iter().map(own).collect();
        let below = (self.next..=end).map(|below| (below + 1, index + 1));
        if let Some(problem) = self.report.problems.last_mut() {
            problem.below += text.len();
        }
        self.report.below.extend(below);
        self.cursor.add_below(text);
        self.next = end + 1;
    }

    fn obey(&mut self, index: usize, line: &ConfigLine) {
        if self.is_known_remark(line) {
            return;
        }
        match self.cursor.obey(self.running, line, Origin::File) {
            Ok(_) => {
                if let Some(words) = line.inactive() {
                    self.report.inactive.push((index + 1, words));
                }
                let weak = weaknesses(line).into_iter();
                self.report
                    .weak
                    .extend(weak.map(|weak| (index + 1, weak.to_string())));
                self.remember_references(index, line);
            }
            Err(refused) => {
                self.problem(
                    index,
                    Kind::Refused,
                    &format!("{refused}; kept, not obeyed"),
                );
            }
        }
    }

    fn is_known_remark(&mut self, line: &ConfigLine) -> bool {
        let extended = |entry: &AclEntry| match entry {
            AclEntry::Remark(text) => Some(text.clone()),
            AclEntry::Rule(_) | AclEntry::Evaluate(_) => None,
        };
        let standard = |entry: &StandardAclEntry| match entry {
            StandardAclEntry::Remark(text) => Some(text.clone()),
            StandardAclEntry::Rule(_) => None,
        };
        let (name, remark) = match (&line.command, self.cursor.context()) {
            (ConfigCommand::Global(GlobalCommand::AccessList { number, entry, .. }), _) => {
                (number.to_string(), entry.as_ref().and_then(extended))
            }
            (ConfigCommand::Global(GlobalCommand::StandardAccessList { number, entry, .. }), _) => {
                (number.to_string(), entry.as_ref().and_then(standard))
            }
            (
                ConfigCommand::ExtendedAcl(AclCommand::Entry { entry, .. }),
                Context::ExtendedAcl(name),
            ) => (name.clone(), extended(entry)),
            (
                ConfigCommand::StandardAcl(StandardAclCommand::Entry { entry, .. }),
                Context::StandardAcl(name),
            ) => (name.clone(), standard(entry)),
            _ => return false,
        };
        if !self.remarks.contains_key(&name) {
            self.remarks
                .insert(name.clone(), remarks(self.running.access_lists.get(&name)));
        }
        remark.is_some_and(|text| line.form == Form::Set && self.remarks[&name].contains(&text))
    }

    /// Reports a line.
    fn problem(&mut self, index: usize, kind: Kind, what: &str) {
        let more = index + 1..self.next;
        let below = more.len();
        self.report
            .below
            .extend(more.map(|line| (line + 1, index + 1)));
        self.report.problems.push(Problem {
            file: self.file.to_owned(),
            line: index + 1,
            text: secrets::shown(self.lines[index].trim(), "..."),
            what: what.to_owned(),
            below,
            kind,
        });
    }

    /// One more line that belongs to a reported one.
    fn count_below(&mut self, index: usize, of: usize) {
        let mut reported = self.report.problems.iter_mut().rev();
        if let Some(problem) = reported.find(|problem| problem.line == of) {
            problem.below += 1;
        }
        self.report.below.push((index + 1, of));
    }

    fn keep_closed(&mut self) {
        for closed in self.cursor.take_closed() {
            keep(self.running, closed);
        }
    }

    fn remember_references(&mut self, number: usize, line: &ConfigLine) {
        if line.form != Form::Set {
            return;
        }
        match &line.command {
            ConfigCommand::Interface(
                InterfaceCommand::CryptoMap(Some(map))
                | InterfaceCommand::CryptoMapRedundancy { map, .. },
            ) => {
                self.references
                    .push((number, Reference::CryptoMap(map.clone())));
            }
            ConfigCommand::CryptoMap(CryptoMapCommand::SetTransformSet(sets)) => {
                let named = sets
                    .iter()
                    .map(|set| (number, Reference::TransformSet(set.clone())));
                self.references.extend(named);
            }
            ConfigCommand::CryptoMap(CryptoMapCommand::MatchAddress(Some(list))) => {
                let list = Reference::AccessList(list.clone());
                self.references.push((number, list));
            }
            ConfigCommand::Retained(retained) => {
                let other = Reference::Other(line.form, retained.clone());
                self.references.push((number, other));
            }
            _ => {}
        }
    }

    /// What names what is not there; of lists and of lines that do not act `--check` is told alone, for the first are
    /// complained of while they are missing.
    fn check_references(&mut self) {
        for (index, reference) in std::mem::take(&mut self.references) {
            let crypto = &self.running.crypto;
            let (what, told) = match &reference {
                Reference::CryptoMap(name) if !crypto.maps.contains_key(name) => {
                    let what = format!(
                        "there is no crypto map {name}: the interface stays without one until it is configured"
                    );
                    (what, true)
                }
                Reference::TransformSet(name) if !crypto.transform_sets.contains_key(name) => {
                    let what = format!(
                        "there is no transform set {name}: it is left out until it is configured"
                    );
                    (what, true)
                }
                Reference::AccessList(name) if !self.running.access_lists.contains_key(name) => {
                    let what = format!(
                        "there is no access-list {name}: the entry protects nothing until it is configured"
                    );
                    (what, false)
                }
                Reference::Other(form, line) => match check_references(self.running, line, *form) {
                    Ok(()) => continue,
                    Err(refused) => (refused.to_string(), false),
                },
                _ => continue,
            };
            let problem = Problem {
                file: self.file.to_owned(),
                line: index + 1,
                text: secrets::shown(self.lines[index].trim(), "..."),
                what,
                below: 0,
                kind: Kind::Reference,
            };
            match told {
                true => self.report.problems.push(problem),
                false => self.report.missing.push(problem),
            }
        }
        self.report.problems.sort_by_key(|problem| problem.line);
    }
}

/// Keeps a line that was not obeyed in its block, with all that belongs to it.
pub(crate) fn keep(running: &mut Running, closed: Closed) {
    let Closed { place, line, .. } = closed;
    if acl::keep(running, &place.context, &line) {
        return;
    }
    if let Context::Line { kind, first, last } = place.context {
        running.note(kept_change(&place.context));
        for number in first..=last {
            if let Some(settings) = running.lines.get_mut(&LineId { kind, number }) {
                settings.kept.add(line.clone());
            }
        }
        return;
    }
    for context in place.context.each() {
        running.note(kept_change(&context));
        match running.kept_in(&context) {
            Some(kept) if matches!(context, Context::Interface(_)) => kept.add_single(line.clone()),
            Some(kept) => kept.add(line.clone()),
            None => running.kept.add(line.clone()),
        }
    }
}

fn why(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Invalid { .. } => "not understood; kept",
        Refusal::Incomplete => "incomplete command; kept",
        Refusal::Ambiguous => "ambiguous command; kept",
    }
}
