//! Lines that were not understood or refused: kept with their place, printed there, never lost.

use std::collections::HashSet;

/// Kept lines of one place (the global level, or one block).
///
/// The place inside is a rank: the lines of a block are printed in a fixed order, each kind with its rank, and a kept
/// line comes after the known lines of the rank that stood before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept(Option<Box<Lines>>);

/// What is kept, where there is anything: in most blocks there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Lines {
    lines: Vec<KeptLine>,
    texts: HashSet<String>,
    /// Lines with others below them.
    headers: HashSet<String>,
}

/// A block that is larger is not searched for lines that it has already.
const MERGED: usize = 4096;

/// One kept line with everything that was indented below it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeptLine {
    /// The rank of the known line before it; 0 at the top.
    pub after: u8,
    /// The line without its indentation.
    pub text: String,
    /// The lines below it, with their indentation relative to it.
    pub below: Vec<String>,
}

impl KeptLine {
    /// The line with those below it.
    pub fn count(&self) -> usize {
        1 + self.below.len()
    }

    fn whole(&self) -> String {
        format!("{}\n{}", self.text, self.below.join("\n"))
    }
}

/// Settings of which a block has one: the words they begin with, and a last word that makes others of them.
const SINGLE: [(&str, &[&str]); 3] = [
    ("ip address ", &["secondary"]),
    ("ip access-group ", &["in", "out"]),
    ("crypto map ", &[]),
];

/// Of two such lines of one block the later one counts.
fn replaces(new: &KeptLine, old: &KeptLine) -> bool {
    let variant = |text: &str, last: &[&str]| {
        let word = text.split_whitespace().next_back().unwrap_or_default();
        last.iter().position(|one| *one == word)
    };
    SINGLE.iter().any(|(words, last)| {
        new.text.starts_with(words)
            && old.text.starts_with(words)
            && variant(&new.text, last) == variant(&old.text, last)
            && variant(&new.text, last) != last.iter().position(|one| *one == "secondary")
    })
}

impl Kept {
    /// Adds a line at the end of its rank, unless it is there with the same lines below it. What opens a block that is
    /// there already adds to that.
    pub fn add(&mut self, line: KeptLine) {
        self.0.get_or_insert_default().add(line);
    }

    /// The same for a block of which IOS has each setting once.
    pub fn add_single(&mut self, line: KeptLine) {
        if SINGLE.iter().any(|(words, _)| line.text.starts_with(words)) {
            self.remove_where(|kept| replaces(&line, kept));
        }
        self.add(line);
    }

    /// Removes the lines with this text; false when there is none.
    pub fn remove(&mut self, text: &str) -> bool {
        self.remove_where(|kept| kept.text.trim_end() == text.trim_end())
    }

    /// Removes the lines that `doomed` points at; false when there is none.
    pub fn remove_where(&mut self, doomed: impl Fn(&KeptLine) -> bool) -> bool {
        let Some(kept) = &mut self.0 else {
            return false;
        };
        let removed = kept.remove_where(doomed);
        if kept.lines.is_empty() {
            self.0 = None;
        }
        removed
    }

    /// The lines, in the order in which they are printed.
    pub fn iter(&self) -> impl Iterator<Item = &KeptLine> {
        self.0.iter().flat_map(|kept| &kept.lines)
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// How many lines there are, with those below them.
    pub fn count(&self) -> usize {
        self.iter().map(KeptLine::count).sum()
    }
}

impl Lines {
    fn add(&mut self, line: KeptLine) {
        if !self.texts.insert(line.whole()) {
            return;
        }
        let block = !line.below.is_empty();
        if block && !self.headers.insert(line.text.clone()) && self.merge(&line) {
            return;
        }
        let at = self.lines.partition_point(|kept| kept.after <= line.after);
        self.lines.insert(at, line);
    }

    fn merge(&mut self, line: &KeptLine) -> bool {
        let indented = |lines: &[String]| lines.iter().all(|line| line.starts_with(' '));
        let fits = |kept: &&mut KeptLine| {
            let size = kept.below.len() + line.below.len();
            kept.text == line.text
                && !kept.below.is_empty()
                && size <= MERGED
                && indented(&kept.below)
        };
        let kept = self.lines.iter_mut().find(fits);
        let Some(kept) = kept.filter(|_| indented(&line.below)) else {
            return false;
        };
        let old = kept.whole();
        kept.below = merged(&kept.below, &line.below);
        let new = kept.whole();
        self.texts.remove(&old);
        self.texts.insert(new);
        true
    }

    fn remove_where(&mut self, doomed: impl Fn(&KeptLine) -> bool) -> bool {
        let before = self.lines.len();
        self.lines.retain(|kept| !doomed(kept));
        if self.lines.len() == before {
            return false;
        }
        self.texts = self.lines.iter().map(KeptLine::whole).collect();
        let blocks = self.lines.iter().filter(|kept| !kept.below.is_empty());
        self.headers = blocks.map(|kept| kept.text.clone()).collect();
        true
    }
}

/// The lines of a block with those of another of the same header: what the first lacks comes after its lines, a block
/// within it gets what it lacks.
fn merged(first: &[String], second: &[String]) -> Vec<String> {
    let mut groups = groups(first);
    for (line, below) in self::groups(second) {
        match groups.iter_mut().find(|(known, _)| *known == line) {
            Some((_, known)) => *known = merged(known, &below),
            None => groups.push((line, below)),
        }
    }
    groups
        .into_iter()
        .flat_map(|(line, below)| std::iter::once(line).chain(below))
        .collect()
}

/// Lines with those that are indented deeper below them.
fn groups(lines: &[String]) -> Vec<(String, Vec<String>)> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for line in lines {
        match groups.last_mut() {
            Some((above, below)) if indent(line) > indent(above) => below.push(line.clone()),
            _ => groups.push((line.clone(), Vec::new())),
        }
    }
    groups
}
