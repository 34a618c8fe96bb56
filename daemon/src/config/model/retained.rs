//! Commands that are understood and kept, but not acted on: in the order in which they are printed, found by what
//! identifies them, with the blocks that they open.

use std::collections::{BTreeMap, HashMap};

use isthmus_grammar::command::{Form, RetainedLine, Section};
use isthmus_grammar::{Mode, Rule};

use super::Kept;
use crate::config::rank::group;

/// Retained lines of one place: the global level, or one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    lines: BTreeMap<Place, RetainedEntry>,
    known: HashMap<BlockId, Place>,
    /// How many lines make a thing of a kind and a name.
    made: HashMap<(&'static str, String), usize>,
    next: u32,
}

/// One retained line, with what is below it when it opens a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetainedEntry {
    /// The line.
    pub line: RetainedLine,
    /// [`Form::Set`], or [`Form::No`] for a line that stands with its `no`.
    pub form: Form,
    /// The lines below it.
    pub block: Retained,
    /// Lines below it that were not understood.
    pub kept: Kept,
}

/// What identifies a retained line: its kind and the words of its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BlockId {
    kind: Rule,
    key: String,
}

impl BlockId {
    /// Of a line.
    pub fn of(line: &RetainedLine) -> BlockId {
        BlockId {
            kind: line.kind(),
            key: line.key().to_owned(),
        }
    }
}

/// Where a line is printed: its section or rank, its order among the retained commands there, its key where keys
/// decide, its turn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    group: u8,
    order: u16,
    key: Vec<Part>,
    turn: u32,
}

/// A part of a key: numbers compare as numbers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Text(String),
}

fn parts(key: &str) -> Vec<Part> {
    let part = |word: &str| {
        word.parse()
            .map_or_else(|_| Part::Text(word.to_owned()), Part::Number)
    };
    key.split(' ').map(part).collect()
}

impl Retained {
    /// Keeps a line, in the place of the one with the same key if there is one; a block keeps what is below it.
    pub(crate) fn set(&mut self, line: RetainedLine, form: Form) {
        let id = BlockId::of(&line);
        if !line.is_data()
            && let Some(entry) = self
                .known
                .get(&id)
                .and_then(|place| self.lines.get_mut(place))
        {
            if form == Form::No || line.enters().is_some_and(Mode::is_verbatim) {
                entry.block = Retained::default();
                entry.kept = Kept::default();
            }
            if form != entry.form || !line.reopens(&entry.line) {
                entry.line = line;
            }
            entry.form = form;
            return;
        }
        let place = Place {
            group: group(&line),
            order: line.order(),
            key: if line.is_sorted() {
                parts(line.key())
            } else {
                Vec::new()
            },
            turn: self.next,
        };
        self.next += 1;
        if !line.is_data() {
            self.known.insert(id, place.clone());
        }
        if let Some((thing, name)) = line.makes() {
            *self.made.entry((thing, name.to_owned())).or_default() += 1;
        }
        let entry = RetainedEntry {
            line,
            form,
            block: Retained::default(),
            kept: Kept::default(),
        };
        self.lines.insert(place, entry);
    }

    /// Takes away the line of a place.
    fn take(&mut self, place: &Place) -> Option<RetainedEntry> {
        let entry = self.lines.remove(place)?;
        if let Some((thing, name)) = entry.line.makes() {
            let id = (thing, name.to_owned());
            match self.made.get_mut(&id) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(self.made.remove(&id)),
            }
        }
        Some(entry)
    }

    /// A line makes a thing of this kind and name.
    pub(crate) fn makes(&self, thing: &'static str, name: &str) -> bool {
        self.made.contains_key(&(thing, name.to_owned()))
    }

    /// Takes away the line with the same key, or else every line of its kind that begins with the same words.
    pub(crate) fn remove(&mut self, line: &RetainedLine) -> bool {
        if let Some(place) = self.known.remove(&BlockId::of(line)) {
            return self.take(&place).is_some();
        }
        let begins = |entry: &RetainedEntry| {
            let rest = entry.line.words().strip_prefix(line.words());
            entry.line.kind() == line.kind()
                && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        let first = Place {
            group: group(line),
            order: line.order(),
            key: Vec::new(),
            turn: 0,
        };
        let doomed: Vec<Place> = self
            .lines
            .range(first..)
            .take_while(|(place, _)| (place.group, place.order) == (group(line), line.order()))
            .filter(|(_, entry)| begins(entry))
            .map(|(place, _)| place.clone())
            .collect();
        for place in &doomed {
            if let Some(entry) = self.take(place) {
                self.known.remove(&BlockId::of(&entry.line));
            }
        }
        !doomed.is_empty()
    }

    /// Takes away the global lines of a section that `doomed` points at.
    pub(crate) fn remove_in_section(
        &mut self,
        section: Section,
        doomed: impl Fn(&RetainedLine) -> bool,
    ) {
        let lines: Vec<RetainedLine> = self.in_section(section).cloned().collect();
        for line in lines.iter().filter(|line| doomed(line)) {
            self.remove(line);
        }
    }

    /// The lines, in the order in which they are printed.
    pub fn iter(&self) -> impl Iterator<Item = &RetainedEntry> {
        self.lines.values()
    }

    /// The lines with their section or rank.
    pub(crate) fn grouped(&self) -> impl Iterator<Item = (u8, &RetainedEntry)> {
        self.lines.iter().map(|(place, entry)| (place.group, entry))
    }

    /// The global lines of a section.
    pub fn in_section(&self, section: Section) -> impl Iterator<Item = &RetainedLine> {
        let place = |group| Place {
            group,
            order: 0,
            key: Vec::new(),
            turn: 0,
        };
        let group = section as u8;
        self.lines
            .range(place(group)..place(group + 1))
            .map(|(_, entry)| &entry.line)
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The line of a kind with these key words.
    pub(crate) fn find(&self, kind: Rule, key: &str) -> Option<&RetainedEntry> {
        let key = key.to_owned();
        self.lines.get(self.known.get(&BlockId { kind, key })?)
    }

    /// The plain line of a kind in a block, of several the first: for what reads blocks, which have few lines.
    pub(crate) fn line(&self, kind: Rule) -> Option<&RetainedLine> {
        let mut entries = self.iter();
        let entry = entries.find(|entry| entry.line.kind() == kind && entry.form == Form::Set)?;
        Some(&entry.line)
    }

    /// There is a plain line of a kind.
    pub(crate) fn has(&self, kind: Rule) -> bool {
        self.line(kind).is_some()
    }

    /// An argument of the plain line of a kind.
    pub(crate) fn text(&self, kind: Rule, argument: Rule) -> Option<String> {
        self.line(kind)?.argument(argument).map(str::to_owned)
    }

    /// The same as a number.
    pub(crate) fn number<T: std::str::FromStr>(&self, kind: Rule, argument: Rule) -> Option<T> {
        self.line(kind)?.number(argument)
    }

    /// The entry of a block.
    pub(crate) fn block_mut(&mut self, id: &BlockId) -> Option<&mut RetainedEntry> {
        self.lines.get_mut(self.known.get(id)?)
    }

    /// Puts another line in the place of each that has keys or passwords, here and below; it must be one with the same key.
    pub(crate) fn change_secrets(&mut self, change: &dyn Fn(&RetainedLine) -> RetainedLine) {
        for entry in self.lines.values_mut() {
            if entry.line.has_secrets() {
                entry.line = change(&entry.line);
            }
            entry.block.change_secrets(change);
        }
    }

    /// How many lines, here and below, ask for something that is not done.
    pub fn inactive(&self) -> usize {
        let one = |entry: &RetainedEntry| {
            usize::from(!entry.line.holds(entry.form)) + entry.block.inactive()
        };
        self.iter().map(one).sum()
    }

    /// How many lines in the blocks below were kept without being obeyed.
    pub fn kept_below(&self) -> usize {
        let one = |entry: &RetainedEntry| entry.kept.count() + entry.block.kept_below();
        self.iter().map(one).sum()
    }

    /// Takes away the lines that begin so.
    pub(crate) fn remove_words(&mut self, begin: &str) {
        let doomed = |entry: &&RetainedEntry| entry.line.words().starts_with(begin);
        let lines: Vec<RetainedLine> = self
            .iter()
            .filter(doomed)
            .map(|one| one.line.clone())
            .collect();
        for line in &lines {
            self.remove(line);
        }
    }

    /// The first line without which the block they are in must not act.
    pub fn needed(&self) -> Option<&RetainedLine> {
        self.iter()
            .map(|entry| &entry.line)
            .find(|line| line.is_needed())
    }
}
