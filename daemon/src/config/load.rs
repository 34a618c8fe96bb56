//! A configuration file becomes the running-config, as one transaction.
//!
//! Called at boot and by `copy FILE running-config`. A line that is not understood, or that is refused, is reported with
//! its number, kept with the lines indented below it, and never stops the lines after it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::Hash;

use isthmus_grammar::banner::{Delimiter, any_banner_start, banner_start};
use isthmus_grammar::command::{
    AclCommand, AclEntry, AclId, Command, ConfigCommand, ConfigLine, CryptoMapCommand, Form,
    GlobalCommand, InterfaceCommand, StandardAclCommand, StandardAclEntry,
};
use isthmus_grammar::file::is_screen_header;
use isthmus_grammar::{Refusal, parser, secrets};

use super::apply::{Origin, acl, apply, kept_change};
use super::context::Context;
use super::model::{AccessList, AclLine, Kept, KeptLine, LineId, Numbered, Running};
use super::rank;

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
    /// Why no command matches it, where that is what is wrong.
    pub refusal: Option<Refusal>,
}

impl Problem {
    /// For the operator who copies the file: what a terminal answers to the line, then what came of it.
    pub fn answer(&self) -> String {
        let refusal = self.refusal.map_or_else(String::new, |refusal| {
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
            refusal,
        } = self;
        let text = match refusal {
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

/// Loads a whole file into a fresh configuration.
pub fn load(text: &str, file: &str) -> (Running, Vec<Problem>) {
    let mut running = Running::default();
    let problems = merge(&mut running, text, file);
    (running, problems)
}

/// Adds a file to the configuration, as if its lines were typed: `copy FILE running-config`.
pub fn merge(running: &mut Running, text: &str, file: &str) -> Vec<Problem> {
    let lines = text
        .lines()
        .map(|line| line.trim_end_matches('\r'))
        .collect();
    let mut loader = Loader {
        running,
        lines,
        file,
        next: 0,
        place: Place::default(),
        problems: Vec::new(),
        references: Vec::new(),
        remarks: HashMap::new(),
    };
    while loader.next < loader.lines.len() {
        loader.line();
    }
    loader.check_references();
    loader.problems
}

struct Loader<'a> {
    running: &'a mut Running,
    lines: Vec<&'a str>,
    file: &'a str,
    next: usize,
    place: Place,
    problems: Vec<Problem>,
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

/// Where the loader is.
#[derive(Default)]
struct Place {
    context: Context,
    /// The lines that entered the blocks of the context, the outermost first.
    headers: Vec<Header>,
    /// A `!` at the left margin was seen since the last line that was understood.
    separated: bool,
    /// The rank of the last known line at the global level and in each block of the context.
    ranks: Vec<u8>,
}

/// A line that entered a block.
struct Header {
    indent: usize,
    /// The lines of the block are indented deeper, so the first that is not leaves it.
    indented: bool,
}

impl Place {
    /// Goes to a context above the present one, or stays.
    fn leave_to(&mut self, context: Context) {
        let depth = context.mode().depth();
        self.headers.truncate(depth);
        self.ranks.truncate(depth + 1);
        self.context = context;
    }

    fn set_rank(&mut self, depth: usize, rank: u8) {
        self.ranks.resize(depth + 1, 0);
        self.ranks[depth] = rank;
    }
}

/// A name that some line uses and a later one may define.
enum Reference {
    CryptoMap(String),
    TransformSet(String),
}

impl Loader<'_> {
    fn line(&mut self) {
        let number = self.next;
        let raw = self.lines[number];
        self.next += 1;
        let text = raw.trim();
        let indent = raw.len() - raw.trim_start().len();
        if text.is_empty() {
            return;
        }
        if text.starts_with('!') {
            self.place.separated |= indent == 0;
            return;
        }
        self.leave_block(indent);
        let whole = match self.banner(text) {
            Some(Ok(whole)) => whole,
            Some(Err(())) => {
                self.problem(
                    number,
                    indent,
                    "the banner has no end: its delimiter does not come again; kept",
                );
                return;
            }
            None => text.to_owned(),
        };
        let mode = self.place.context.mode();
        let parsed = match parser::parse_exact(mode, &whole) {
            Some(parsed) => Ok(parsed),
            None => parser::parse(mode, &whole),
        };
        match parsed.map(|parsed| parsed.command) {
            Ok(Command::Config(line)) => self.obey(number, indent, &line),
            Ok(Command::Empty) => {}
            Ok(Command::Exit) => self.place.leave_to(self.place.context.up()),
            Ok(Command::End) => self.place.leave_to(Context::Global),
            Ok(Command::Exec(_) | Command::Do(_)) => {
                self.problem(
                    number,
                    indent,
                    "this is no configuration command; kept, not obeyed",
                );
            }
            Err(_) if is_screen_header(text) => {}
            Err(refusal) => {
                self.problem(number, indent, why(refusal));
                if let Some(problem) = self.problems.last_mut() {
                    problem.refusal = Some(refusal);
                }
            }
        }
    }

    fn leave_block(&mut self, indent: usize) {
        while let Some(header) = self.place.headers.last_mut() {
            if indent > header.indent {
                header.indented = true;
                break;
            }
            if indent == header.indent && !header.indented {
                break;
            }
            self.place.leave_to(self.place.context.up());
        }
    }

    /// The whole text of a banner that begins on this line; an error when it never ends.
    fn banner(&mut self, text: &str) -> Option<Result<String, ()>> {
        let delimiter = banner_start(self.place.context.mode(), text)?;
        let end = self.banner_end(&delimiter).ok_or(());
        Some(end.map(|end| {
            let rest = self.lines[self.next..=end].join("\n");
            self.next = end + 1;
            format!("{text}\n{rest}")
        }))
    }

    fn banner_end(&self, delimiter: &Delimiter) -> Option<usize> {
        (self.next..self.lines.len()).find(|index| delimiter.ends(self.lines[*index]))
    }

    fn obey(&mut self, number: usize, indent: usize, line: &ConfigLine) {
        if self.is_known_remark(line) {
            return;
        }
        if let Err(refused) = apply(self.running, &mut self.place.context, line, Origin::File) {
            let what = format!("{refused}; kept, not obeyed");
            // Once something obeys it, it must not take the rest of a block of other commands with it.
            if matches!(line.command, ConfigCommand::Global(_)) {
                self.global_problem(number, indent, &what);
            } else {
                self.problem(number, indent, &what);
            }
            return;
        }
        self.remember_references(number, line);
        self.place.separated = false;
        let depth = self.place.context.mode().depth();
        let entered = usize::from(line.enters().is_some());
        self.place.headers.truncate(depth - entered);
        self.place
            .set_rank(depth - entered, rank::rank(&line.command));
        if entered > 0 {
            self.place.headers.push(Header {
                indent,
                indented: false,
            });
            self.place.set_rank(depth, 0);
        }
    }

    fn is_known_remark(&mut self, line: &ConfigLine) -> bool {
        let extended = |entry: &AclEntry| match entry {
            AclEntry::Remark(text) => Some(text.clone()),
            AclEntry::Rule(_) => None,
        };
        let standard = |entry: &StandardAclEntry| match entry {
            StandardAclEntry::Remark(text) => Some(text.clone()),
            StandardAclEntry::Rule(_) => None,
        };
        let (name, remark) = match (&line.command, &self.place.context) {
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

    /// Reports a line and keeps it, with everything indented deeper below it, in the block where it stands.
    fn problem(&mut self, number: usize, indent: usize, what: &str) {
        let (text, below) = self.report(number, indent, what);
        let outside = |header: &Header| indent <= header.indent;
        if self.place.separated && self.place.headers.last().is_some_and(outside) {
            self.place.leave_to(Context::Global);
        }
        let after = self.place.ranks.last().copied().unwrap_or(0);
        self.keep(KeptLine { after, text, below });
    }

    /// The same for a global command, which is kept beside the block where it stands.
    fn global_problem(&mut self, number: usize, indent: usize, what: &str) {
        let (text, below) = self.report(number, indent, what);
        let after = self.place.ranks.first().copied().unwrap_or(0);
        let line = KeptLine { after, text, below };
        if !acl::keep(self.running, &Context::Global, &line) {
            self.running.note(kept_change(&Context::Global));
            add(&mut self.running.kept, line);
        }
    }

    /// Reports a line; gives its text and what belongs to it.
    fn report(&mut self, number: usize, indent: usize, what: &str) -> (String, Vec<String>) {
        // The text of a banner was read with it.
        self.next = number + 1;
        let text = self.lines[number].trim().to_owned();
        let mut below = self.take_below(&text, indent);
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line: number + 1,
            text: secrets::shown(&text, "..."),
            what: what.to_owned(),
            below: below.len(),
            refusal: None,
        });
        // A banner without its end would take the lines printed after it for its text.
        if let Some(delimiter) = any_banner_start(&text)
            && !below.last().is_some_and(|last| delimiter.ends(last))
        {
            below.push(delimiter.as_str().to_owned());
        }
        (text, below)
    }

    /// The lines that belong to an unknown one: those indented deeper, or the text of an unknown kind of banner.
    fn take_below(&mut self, text: &str, indent: usize) -> Vec<String> {
        if let Some(delimiter) = any_banner_start(text)
            && let Some(end) = self.banner_end(&delimiter)
        {
            // Printed as deep as the line itself, so that much is not theirs.
            let own = |line: &&str| match line.split_at_checked(indent) {
                Some((lead, rest)) if lead.trim().is_empty() => rest.to_owned(),
                _ => (*line).to_owned(),
            };
            let below = self.lines[self.next..=end].iter().map(own).collect();
            self.next = end + 1;
            return below;
        }
        let mut below = Vec::new();
        while let Some(raw) = self.lines.get(self.next) {
            let depth = raw.len() - raw.trim_start().len();
            if raw.trim().is_empty() || depth <= indent {
                break;
            }
            below.push(match raw.get(indent..) {
                Some(line) => line.trim_end().to_owned(),
                // The blanks of other scripts take several octets.
                None => format!(" {}", raw.trim()),
            });
            self.next += 1;
        }
        below
    }

    fn keep(&mut self, line: KeptLine) {
        if acl::keep(self.running, &self.place.context, &line) {
            return;
        }
        self.running.note(kept_change(&self.place.context));
        match self.place.context.clone() {
            Context::Line { kind, first, last } => {
                for number in first..=last {
                    let found = self.running.lines.get_mut(&LineId { kind, number });
                    if let Some(settings) = found {
                        add(&mut settings.kept, line.clone());
                    }
                }
            }
            context => match self.running.kept_in(&context) {
                Some(kept) => add(kept, line),
                None => add(&mut self.running.kept, line),
            },
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
            _ => {}
        }
    }

    fn check_references(&mut self) {
        let crypto = &self.running.crypto;
        for (number, reference) in &self.references {
            let what = match reference {
                Reference::CryptoMap(name) if !crypto.maps.contains_key(name) => {
                    format!(
                        "there is no crypto map {name}: the interface stays without one until it is configured"
                    )
                }
                Reference::TransformSet(name) if !crypto.transform_sets.contains_key(name) => {
                    format!(
                        "there is no transform set {name}: it is left out until it is configured"
                    )
                }
                _ => continue,
            };
            let text = self.lines[*number].trim().to_owned();
            self.problems.push(Problem {
                file: self.file.to_owned(),
                line: number + 1,
                text,
                what,
                below: 0,
                refusal: None,
            });
        }
        self.problems.sort_by_key(|problem| problem.line);
    }
}

fn add(kept: &mut Kept, line: KeptLine) {
    if !kept.has(&line) {
        kept.add(line);
    }
}

fn why(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Invalid { .. } => "not understood; kept",
        Refusal::Incomplete => "incomplete command; kept",
        Refusal::Ambiguous => "ambiguous command; kept",
    }
}
