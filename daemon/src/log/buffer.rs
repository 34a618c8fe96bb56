//! `logging buffered`: the last lines, within a number of bytes. Kept by [`super::Log`], printed by `show logging`.

use std::collections::VecDeque;

/// A ring of lines.
#[derive(Debug, Default)]
pub struct Buffer {
    lines: VecDeque<String>,
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
        self.lines.clear();
        self.bytes = 0;
    }

    /// Oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    fn shrink(&mut self) {
        while self.bytes > self.size {
            let Some(line) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= line.len() + 1;
        }
    }
}
