//! The commands typed before, for Ctrl-P and Ctrl-N. One history for EXEC and one for
//! configuration, kept by [`crate::shell`].

use rustyline::history::{History as _, MemHistory, SearchDirection};

/// One history with the place reached in it.
pub struct History {
    lines: MemHistory,
    /// Index of the line on show; the number of lines when it is the new one.
    at: usize,
    /// The new line, while an old one is on show.
    draft: String,
}

impl History {
    /// A history of at most `size` lines.
    #[must_use]
    pub fn new(size: usize) -> Self {
        let mut history = Self {
            lines: MemHistory::new(),
            at: 0,
            draft: String::new(),
        };
        history.resize(size);
        history
    }

    /// Changes how many lines are kept; 0 keeps none.
    pub fn resize(&mut self, size: usize) {
        // The history in memory has no way to fail.
        let _ = self.lines.set_max_len(size);
        self.rewind();
    }

    /// Adds a line that was entered, unless it is blank or the same as the last one.
    pub fn add(&mut self, line: &str) {
        if !line.trim().is_empty() {
            let _ = self.lines.add(line);
        }
        self.rewind();
    }

    /// Back to the new line.
    pub fn rewind(&mut self) {
        self.at = self.lines.len();
        self.draft.clear();
    }

    /// The line before the one on show, which is `current`.
    pub fn older(&mut self, current: &str) -> Option<String> {
        let older = self.at.checked_sub(1)?;
        if self.at == self.lines.len() {
            current.clone_into(&mut self.draft);
        }
        self.at = older;
        self.get(older)
    }

    /// The line after the one on show; in the end the new line.
    pub fn newer(&mut self) -> Option<String> {
        if self.at == self.lines.len() {
            return None;
        }
        self.at += 1;
        if self.at == self.lines.len() {
            return Some(std::mem::take(&mut self.draft));
        }
        self.get(self.at)
    }

    /// The oldest line that is kept; the line on show is `current`.
    pub fn oldest(&mut self, current: &str) -> Option<String> {
        if self.at == self.lines.len() {
            current.clone_into(&mut self.draft);
        }
        self.at = 0;
        self.get(0)
    }

    /// Back to the new line; `None` when it is on show.
    pub fn newest(&mut self) -> Option<String> {
        if self.at == self.lines.len() {
            return None;
        }
        self.at = self.lines.len();
        Some(std::mem::take(&mut self.draft))
    }

    fn get(&self, index: usize) -> Option<String> {
        let found = self.lines.get(index, SearchDirection::Forward).ok()??;
        Some(found.entry.into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_both_ways_and_keeps_the_new_line() {
        let mut history = History::new(10);
        for line in ["one", "two", "two", "  ", "three"] {
            history.add(line);
        }
        assert_eq!(history.older("dra").as_deref(), Some("three"));
        assert_eq!(history.older("three").as_deref(), Some("two"));
        assert_eq!(history.older("two").as_deref(), Some("one"));
        assert_eq!(history.older("one"), None);
        assert_eq!(history.newer().as_deref(), Some("two"));
        assert_eq!(history.newer().as_deref(), Some("three"));
        assert_eq!(history.newer().as_deref(), Some("dra"));
        assert_eq!(history.newer(), None);
        assert_eq!(history.oldest("draft").as_deref(), Some("one"));
        assert_eq!(history.newest().as_deref(), Some("draft"));
        assert_eq!(history.newest(), None);
    }

    #[test]
    fn keeps_no_more_than_its_size() {
        let mut history = History::new(2);
        for line in ["one", "two", "three"] {
            history.add(line);
        }
        history.older("");
        assert_eq!(history.older("").as_deref(), Some("two"));
        assert_eq!(history.older(""), None);
        history.resize(0);
        history.add("four");
        assert_eq!(history.older(""), None);
    }
}
