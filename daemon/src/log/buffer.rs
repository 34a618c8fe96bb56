//! `logging buffered`: the last lines, within a number of bytes. Kept by [`super::Log`], printed by `show logging`.

use std::collections::VecDeque;

/// A ring of lines.
#[derive(Debug, Default)]
pub struct Buffer {
    lines: VecDeque<String>,
    /// The number of the oldest line, over all that ever came.
    first: u64,
    bytes: usize,
    size: usize,
}

impl Buffer {
    /// Sets the size in bytes; the oldest lines go if they no longer fit.
    pub fn resize(&mut self, size: usize) {
        self.size = size;
        self.shrink();
    }

    /// Adds a line, dropping old ones to make room.
    pub fn push(&mut self, line: String) {
        self.bytes += line.len() + 1;
        self.lines.push_back(line);
        self.shrink();
    }

    /// Empties it (`clear logging`).
    pub fn clear(&mut self) {
        self.first += self.lines.len() as u64;
        self.lines.clear();
        self.bytes = 0;
    }

    /// Oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// At most `count` lines from number `from` on, oldest first, and the number to go on with while there are more.
    #[must_use]
    pub fn lines_from(&self, from: u64, count: usize) -> (Vec<String>, Option<u64>) {
        let skip = usize::try_from(from.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let start = skip.min(self.lines.len());
        let end = start.saturating_add(count).min(self.lines.len());
        let part = self.lines.range(start..end).cloned().collect();
        let more = end < self.lines.len();
        (part, more.then_some(self.first + end as u64))
    }

    fn shrink(&mut self) {
        while self.bytes > self.size {
            let Some(line) = self.lines.pop_front() else {
                break;
            };
            self.first += 1;
            self.bytes -= line.len() + 1;
        }
    }
}
