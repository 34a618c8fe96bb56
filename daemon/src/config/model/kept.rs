//! Lines of a loaded file that nobody understood: kept with their place, printed there, never lost.

use std::collections::HashSet;

/// Kept lines of one place (the global level, or one block).
///
/// The place inside is a rank: the lines of a block are printed in a fixed order, each kind with its rank, and a kept
/// line comes after the known lines of the rank that stood before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    lines: Vec<KeptLine>,
    texts: HashSet<String>,
}

/// One kept line with everything that was indented below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLine {
    /// The rank of the known line before it; 0 at the top.
    pub after: u8,
    /// The line without its indentation.
    pub text: String,
    /// The lines below it, with their indentation relative to it.
    pub below: Vec<String>,
}

impl KeptLine {
    fn whole(&self) -> String {
        format!("{}\n{}", self.text, self.below.join("\n"))
    }
}

impl Kept {
    /// Adds a line at the end of its rank.
    pub fn add(&mut self, line: KeptLine) {
        self.texts.insert(line.whole());
        let at = self.lines.partition_point(|kept| kept.after <= line.after);
        self.lines.insert(at, line);
    }

    /// The same text with the same lines below it is kept already.
    pub fn has(&self, line: &KeptLine) -> bool {
        self.texts.contains(&line.whole())
    }

    /// Removes the lines with this text; false when there is none.
    pub fn remove(&mut self, text: &str) -> bool {
        let before = self.lines.len();
        self.lines
            .retain(|kept| kept.text.trim_end() != text.trim_end());
        self.texts = self.lines.iter().map(KeptLine::whole).collect();
        self.lines.len() != before
    }

    /// The lines, in the order in which they are printed.
    pub fn iter(&self) -> impl Iterator<Item = &KeptLine> {
        self.lines.iter()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}
