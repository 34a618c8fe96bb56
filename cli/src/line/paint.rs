//! Keeps the line on the screen equal to the line in the editor, with letters, blanks and
//! backspaces only. A line wider than the terminal scrolls sideways with `$`, as on IOS.

use unicode_width::UnicodeWidthChar as _;

/// How far a line that is too wide scrolls at once, in columns.
const SCROLL: usize = 10;
/// Columns for text that are kept however narrow the terminal says it is.
const NARROWEST: usize = 20;

/// What stands after the prompt on the screen.
#[derive(Debug, Default)]
pub struct Painter {
    /// Characters on the screen.
    shown: Vec<char>,
    /// Index into `shown` of the character under the cursor.
    cursor: usize,
    /// Index of the first character of the line that is on the screen.
    offset: usize,
    /// Columns for the text; `None` for no limit.
    room: Option<usize>,
}

fn width(c: char) -> usize {
    c.width().unwrap_or(0)
}

fn columns(chars: &[char]) -> usize {
    chars.iter().map(|&c| width(c)).sum()
}

impl Painter {
    /// A painter for a line after a prompt of `prompt` columns on a terminal of `width` columns
    /// (0: no limit). The last column stays free, so that the terminal never wraps.
    #[must_use]
    pub fn new(prompt: usize, width: usize) -> Self {
        let room = (width > 0).then(|| width.saturating_sub(prompt + 1).max(NARROWEST));
        Self {
            room,
            ..Self::default()
        }
    }

    /// Columns of the text on the screen; `None` when it may have wrapped.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        self.room.map(|_| columns(&self.shown))
    }

    /// One character was added at the end of the line, the cursor behind it: true when that was
    /// all there is to paint.
    pub fn append(&mut self, c: char, out: &mut String) -> bool {
        let at_end = self.cursor == self.shown.len();
        if self.offset > 0 || !at_end {
            return false;
        }
        if let Some(room) = self.room
            && (self.shown.len() >= room || columns(&self.shown) + width(c) > room)
        {
            return false;
        }
        self.shown.push(c);
        self.cursor += 1;
        out.push(c);
        true
    }

    /// Brings the screen to `line` with the cursor before character `cursor`.
    pub fn update(&mut self, line: &str, cursor: usize, out: &mut String) {
        let (wanted, at) = self.window(line, cursor);
        let same = self
            .shown
            .iter()
            .zip(&wanted)
            .take_while(|(a, b)| a == b)
            .count();
        if same < self.shown.len() || same < wanted.len() {
            self.move_to(same, out);
            out.extend(&wanted[same..]);
            let left_over = columns(&self.shown[same..]).saturating_sub(columns(&wanted[same..]));
            out.extend(std::iter::repeat_n(' ', left_over));
            out.extend(std::iter::repeat_n('\u{8}', left_over));
            self.cursor = wanted.len();
        }
        self.shown = wanted;
        self.move_to(at, out);
    }

    /// Paints the line as for the first time, at the place where the prompt ends.
    pub fn repaint(&mut self, line: &str, cursor: usize, out: &mut String) {
        self.shown.clear();
        self.cursor = 0;
        self.update(line, cursor, out);
    }

    fn move_to(&mut self, target: usize, out: &mut String) {
        if target < self.cursor {
            let back = columns(&self.shown[target..self.cursor]);
            out.extend(std::iter::repeat_n('\u{8}', back));
        } else {
            out.extend(&self.shown[self.cursor..target]);
        }
        self.cursor = target;
    }

    /// The part of the line that fits, and the cursor's place in it.
    fn window(&mut self, line: &str, cursor: usize) -> (Vec<char>, usize) {
        let chars: Vec<char> = line.chars().collect();
        let Some(room) = self.room.filter(|&room| columns(&chars) > room) else {
            self.offset = 0;
            return (chars, cursor);
        };
        if cursor <= self.offset {
            self.offset = cursor.saturating_sub(SCROLL);
        } else if columns(&chars[self.offset..cursor]) >= room {
            let keep = room.saturating_sub(SCROLL);
            while columns(&chars[self.offset..cursor]) > keep {
                self.offset += 1;
            }
        }
        let mut used = 0;
        let mut visible: Vec<char> = chars[self.offset..]
            .iter()
            .copied()
            .take_while(|&c| {
                used += width(c);
                used <= room
            })
            .collect();
        let more = self.offset + visible.len() < chars.len();
        if let (true, Some(last)) = (more, visible.last_mut()) {
            *last = '$';
        }
        if let (true, Some(first)) = (self.offset > 0, visible.first_mut()) {
            *first = '$';
        }
        (visible, cursor - self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A terminal of one endless row.
    #[derive(Default)]
    struct Row {
        cells: Vec<char>,
        at: usize,
    }

    impl Row {
        fn feed(&mut self, text: &str) {
            for c in text.chars() {
                if c == '\u{8}' {
                    self.at = self.at.checked_sub(1).expect("never left of the text");
                } else {
                    self.cells.resize(self.cells.len().max(self.at + 1), ' ');
                    self.cells[self.at] = c;
                    self.at += 1;
                }
            }
        }

        fn text(&self) -> String {
            self.cells.iter().collect::<String>().trim_end().to_owned()
        }
    }

    fn check(painter: &mut Painter, row: &mut Row, line: &str, cursor: usize) {
        let mut out = String::new();
        painter.update(line, cursor, &mut out);
        row.feed(&out);
    }

    #[test]
    fn changes_in_the_middle() {
        let (mut painter, mut row) = (Painter::new(3, 80), Row::default());
        for (line, cursor) in [
            ("show ver", 8),
            ("show ver", 0),
            ("sow ver", 1),
            ("", 0),
            ("abc", 2),
            ("abxc", 3),
        ] {
            check(&mut painter, &mut row, line, cursor);
            assert_eq!((row.text().as_str(), row.at), (line.trim_end(), cursor));
        }
    }

    #[test]
    fn a_wide_line_scrolls_with_a_dollar() {
        let (mut painter, mut row) = (Painter::new(0, 31), Row::default());
        let line = "abcdefghijklmnopqrstuvwxyz0123456789";
        let mut out = String::new();
        for (n, c) in line.char_indices() {
            if !painter.append(c, &mut out) {
                painter.update(&line[..=n], n + 1, &mut out);
            }
        }
        row.feed(&out);
        assert_eq!(row.text(), "$mnopqrstuvwxyz0123456789");
        check(&mut painter, &mut row, line, 0);
        assert_eq!(
            (row.text().as_str(), row.at),
            ("abcdefghijklmnopqrstuvwxyz012$", 0)
        );
        check(&mut painter, &mut row, "ab", 2);
        assert_eq!((row.text().as_str(), row.at), ("ab", 2));
    }

    #[test]
    fn without_a_limit_nothing_scrolls() {
        let (mut painter, mut out) = (Painter::new(3, 0), String::new());
        let line = "x".repeat(10_000);
        for c in line.chars() {
            assert!(painter.append(c, &mut out));
        }
        assert_eq!(out, line);
    }

    #[test]
    fn wide_letters_take_two_columns() {
        let (mut painter, mut out) = (Painter::new(3, 80), String::new());
        painter.update("a漢b", 3, &mut out);
        out.clear();
        painter.update("a漢b", 1, &mut out);
        assert_eq!(out, "\u{8}\u{8}\u{8}");
        out.clear();
        painter.update("ab", 1, &mut out);
        assert_eq!(out, "b  \u{8}\u{8}\u{8}");
    }
}
