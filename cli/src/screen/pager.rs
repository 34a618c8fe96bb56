//! The pager behind ` --More-- `: counts rows, holds back what does not fit, searches. Pure;
//! [`crate::shell`] prints what it gives and asks it after every key.

use regex::Regex;
use unicode_width::UnicodeWidthChar as _;

use super::regex::compile;

/// What stands at the bottom of a full screen.
pub const MORE: &str = " --More-- ";

/// Takes [`MORE`] off the screen.
#[must_use]
pub fn erase_more() -> String {
    erase(MORE.len())
}

/// Takes `columns` columns before the cursor off the screen.
#[must_use]
pub fn erase(columns: usize) -> String {
    let back = "\u{8}".repeat(columns);
    format!("{back}{}{back}", " ".repeat(columns))
}

/// What is left out of a running listing.
enum Selection {
    All,
    /// `/`: everything until a line matches.
    Search(Regex),
    /// `+`: only lines that match.
    Include(Regex),
    /// `-`: only lines that do not match.
    Exclude(Regex),
}

/// Text waiting for the screen.
pub struct Pager {
    /// Rows of a screen; 0 switches paging off.
    length: usize,
    width: usize,
    /// Rows that still fit.
    left: usize,
    /// The column the text shown so far ends in.
    column: usize,
    pending: String,
    selection: Selection,
}

impl Pager {
    /// A pager for a screen of `length` rows (0: no paging) and `width` columns (0: no limit).
    #[must_use]
    pub fn new(length: usize, width: usize) -> Self {
        let mut pager = Self {
            length,
            width,
            left: 0,
            column: 0,
            pending: String::new(),
            selection: Selection::All,
        };
        pager.next_page();
        pager
    }

    /// The window has another size now, or the same; it counts from the next row on.
    pub fn resize(&mut self, length: usize, width: usize) {
        self.length = length;
        self.width = width;
        self.left = self.left.min(length.saturating_sub(1).max(1));
    }

    /// Takes text, and gives what fits on the screen now.
    pub fn push(&mut self, text: &str) -> String {
        self.pending.push_str(text);
        self.show()
    }

    /// Whether text waits for a key.
    #[must_use]
    pub fn is_full(&self) -> bool {
        !self.pending.is_empty() && self.left == 0 && self.length > 0
    }

    /// Whether the text shown so far ends at the start of a row.
    #[must_use]
    pub fn at_line_start(&self) -> bool {
        self.column == 0
    }

    /// Room for another screen (Space).
    pub fn next_page(&mut self) {
        self.left = self.length.saturating_sub(1).max(1);
    }

    /// Room for another row (Enter).
    pub fn next_line(&mut self) {
        self.left = 1;
    }

    /// `/`, `+` or `-` and an expression: from here on show less.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub fn select(&mut self, key: char, pattern: &str) -> Result<(), String> {
        let regex = compile(pattern)?;
        self.selection = match key {
            '/' => Selection::Search(regex),
            '+' => Selection::Include(regex),
            _ => Selection::Exclude(regex),
        };
        self.next_page();
        Ok(())
    }

    /// Gives what fits of the text that waits.
    pub fn show(&mut self) -> String {
        let mut pending = std::mem::take(&mut self.pending);
        let mut shown = String::new();
        let mut done = 0;
        while done < pending.len() && (self.length == 0 || self.left > 0) {
            let rest = &pending[done..];
            let end = rest.find('\n');
            let part = &rest[..end.map_or(rest.len(), |n| n + 1)];
            if end.is_none() && !matches!(self.selection, Selection::All) {
                break;
            }
            if self.column > 0 || self.wants(part.trim_end_matches('\n')) {
                self.account(part);
                shown.push_str(part);
            }
            done += part.len();
        }
        pending.drain(..done);
        self.pending = pending;
        shown
    }

    /// The command is over: a last line without its end is a line all the same.
    pub fn finish(&mut self) -> String {
        if !matches!(self.selection, Selection::All)
            && !self.pending.is_empty()
            && !self.pending.ends_with('\n')
        {
            self.pending.push('\n');
        }
        self.show()
    }

    fn wants(&mut self, line: &str) -> bool {
        match &self.selection {
            Selection::All => true,
            Selection::Search(regex) => {
                let found = regex.is_match(line);
                if found {
                    self.selection = Selection::All;
                }
                found
            }
            Selection::Include(regex) => regex.is_match(line),
            Selection::Exclude(regex) => !regex.is_match(line),
        }
    }

    fn account(&mut self, part: &str) {
        let before = self.rows();
        self.column += part.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>();
        let mut used = self.rows() - before;
        if part.ends_with('\n') {
            self.column = 0;
            used += 1;
        }
        self.left = self.left.saturating_sub(used);
    }

    /// Rows above the one that the present column is in.
    fn rows(&self) -> usize {
        match self.width {
            0 => 0,
            width => self.column.saturating_sub(1) / width,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize) -> String {
        (1..=n).map(|i| format!("{i}\n")).collect()
    }

    #[test]
    fn a_screen_then_a_line_then_a_screen() {
        let mut pager = Pager::new(5, 80);
        assert_eq!(pager.push(&numbers(12)), "1\n2\n3\n4\n");
        assert!(pager.is_full());
        pager.next_line();
        assert_eq!(pager.show(), "5\n");
        assert!(pager.is_full());
        pager.next_page();
        assert_eq!(pager.show(), "6\n7\n8\n9\n");
        pager.next_page();
        assert_eq!(pager.show(), "10\n11\n12\n");
        assert!(!pager.is_full());
    }

    #[test]
    fn what_just_fits_asks_nothing() {
        let mut pager = Pager::new(5, 80);
        assert_eq!(pager.push(&numbers(4)), numbers(4));
        assert!(!pager.is_full());
        assert_eq!(pager.push("5\n"), "");
        assert!(pager.is_full());
    }

    #[test]
    fn length_zero_never_stops() {
        let mut pager = Pager::new(0, 80);
        assert_eq!(pager.push(&numbers(500)), numbers(500));
        assert!(!pager.is_full());
    }

    #[test]
    fn wrapped_lines_count_for_their_rows() {
        let mut pager = Pager::new(4, 10);
        assert_eq!(
            pager.push("12345678901234567890\nb\nc\n"),
            "12345678901234567890\nb\n"
        );
        assert!(pager.is_full());
        let mut pager = Pager::new(4, 10);
        assert_eq!(pager.push("1234567890\nb\nc\nd\n"), "1234567890\nb\nc\n");
    }

    #[test]
    fn dots_of_a_ping_come_one_by_one() {
        let mut pager = Pager::new(24, 80);
        for _ in 0..5 {
            assert_eq!(pager.push("!"), "!");
        }
        assert!(!pager.at_line_start());
        assert_eq!(pager.push("\n"), "\n");
        assert!(pager.at_line_start());
    }

    #[test]
    fn search_include_and_exclude_go_on_from_here() {
        let mut pager = Pager::new(3, 80);
        pager.push(&numbers(40));
        pager.select('/', "^20$").unwrap();
        assert_eq!(pager.show(), "20\n21\n");
        pager.select('+', "5").unwrap();
        assert_eq!(pager.show(), "25\n35\n");
        pager.select('-', "3").unwrap();
        assert_eq!(pager.show(), "40\n");
        assert!(pager.select('/', "(").is_err());
    }

    #[test]
    fn the_prompt_is_taken_away_by_backspaces() {
        assert_eq!(
            erase_more(),
            format!("{0}{1}{0}", "\u{8}".repeat(10), " ".repeat(10))
        );
    }
}
