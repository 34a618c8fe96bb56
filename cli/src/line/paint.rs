//! Keeps the line on the screen equal to the line in the editor, with letters, blanks and
//! backspaces only. A line wider than the terminal scrolls sideways with `$`, as on IOS.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthChar as _;

/// How far a line that is too wide scrolls at once, in columns.
const SCROLL: usize = 10;
/// Columns for text that are kept however narrow the terminal says it is.
const NARROWEST: usize = 20;

/// What the cursor steps over at once: a character with all that combines with it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Glyph {
    One(char),
    Many(Box<str>),
}

impl Glyph {
    /// What takes no column of its own goes to the character before it on the screen and could not be taken off again
    /// with this one: at the start of a glyph (a number mark) it is left out, and a glyph that has nothing else (an accent
    /// at the start of the line) shows as U+FFFD.
    fn new(cluster: &str) -> Self {
        let shown = cluster.trim_start_matches(|c| width(c) == 0);
        let mut chars = shown.chars();
        match (chars.next(), chars.next()) {
            (None, _) => Self::One(char::REPLACEMENT_CHARACTER),
            (Some(c), None) => Self::One(c),
            _ => Self::Many(shown.into()),
        }
    }

    fn all(line: &str) -> Vec<Self> {
        if line.is_ascii() {
            return line.chars().map(Self::One).collect();
        }
        line.graphemes(true).map(Self::new).collect()
    }

    fn width(&self) -> usize {
        match self {
            Self::One(c) => width(*c),
            Self::Many(cluster) => cluster.chars().map(width).sum(),
        }
    }
}

fn width(c: char) -> usize {
    c.width().unwrap_or(0)
}

fn columns(glyphs: &[Glyph]) -> usize {
    glyphs.iter().map(Glyph::width).sum()
}

fn write(glyphs: &[Glyph], out: &mut String) {
    for glyph in glyphs {
        match glyph {
            Glyph::One(c) => out.push(*c),
            Glyph::Many(cluster) => out.push_str(cluster),
        }
    }
}

/// What stands after the prompt on the screen.
#[derive(Debug, Default)]
pub struct Painter {
    /// Glyphs on the screen.
    shown: Vec<Glyph>,
    /// Index into `shown` of the glyph under the cursor.
    cursor: usize,
    /// Index of the first glyph of the line that is on the screen.
    offset: usize,
    /// Columns for the text; `None` for no limit.
    room: Option<usize>,
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

    /// The column, counted from the start of the text on the screen, of character `index` of `line`, which is what
    /// shows; 0 when it has scrolled out on the left.
    #[must_use]
    pub fn column(&self, line: &str, index: usize) -> usize {
        let mut characters = 0;
        let glyph = line.graphemes(true).take_while(|cluster| {
            characters += cluster.chars().count();
            characters <= index
        });
        let glyph = glyph.count().saturating_sub(self.offset);
        columns(&self.shown[..glyph.min(self.shown.len())])
    }

    /// Whether the other painter has the same on its screen, with the cursor at the same place.
    #[must_use]
    pub fn shows_as(&self, other: &Self) -> bool {
        self.shown == other.shown && self.cursor == other.cursor
    }

    /// One character was added at the end of the line, the cursor behind it: true when that was
    /// all there is to paint.
    pub fn append(&mut self, c: char, out: &mut String) -> bool {
        let alone = |glyph: &Glyph| matches!(glyph, Glyph::One(c) if c.is_ascii());
        if self.cursor != self.shown.len() || !c.is_ascii() || !self.shown.last().is_none_or(alone)
        {
            return false;
        }
        if let Some(room) = self.room {
            // A line that scrolls already scrolls again one column earlier than it began to.
            let limit = room - usize::from(self.offset > 0);
            if self.shown.len() >= limit || columns(&self.shown) >= limit {
                return false;
            }
        }
        self.shown.push(Glyph::One(c));
        self.cursor += 1;
        out.push(c);
        true
    }

    /// Brings the screen to `line` with the cursor before its byte `cursor`.
    pub fn update(&mut self, line: &str, cursor: usize, out: &mut String) {
        let glyphs = Glyph::all(line);
        let cursor = if line.is_ascii() {
            cursor
        } else {
            let starts = line.grapheme_indices(true).map(|(start, _)| start);
            starts.take_while(|&start| start < cursor).count()
        };
        let (wanted, at) = self.window(&glyphs, cursor);
        let same = self
            .shown
            .iter()
            .zip(&wanted)
            .take_while(|(a, b)| a == b)
            .count();
        if same < self.shown.len() || same < wanted.len() {
            self.move_to(same, out);
            write(&wanted[same..], out);
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
            write(&self.shown[self.cursor..target], out);
        }
        self.cursor = target;
    }

    /// The part of the line that fits, and the cursor's place in it.
    fn window(&mut self, glyphs: &[Glyph], cursor: usize) -> (Vec<Glyph>, usize) {
        let Some(room) = self.room.filter(|&room| columns(glyphs) > room) else {
            self.offset = 0;
            return (glyphs.to_vec(), cursor);
        };
        if cursor <= self.offset {
            self.offset = cursor.saturating_sub(SCROLL);
        } else if columns(&glyphs[self.offset..cursor]) >= room {
            let keep = room.saturating_sub(SCROLL);
            let before = glyphs[..cursor].iter().rev();
            let mut used = 0;
            let fit = before.take_while(|glyph| {
                used += glyph.width();
                used <= keep
            });
            self.offset = cursor - fit.count();
        }
        let mut used = 0;
        let mut visible: Vec<Glyph> = glyphs[self.offset..]
            .iter()
            .take_while(|glyph| {
                used += glyph.width();
                used <= room
            })
            .cloned()
            .collect();
        let more = self.offset + visible.len() < glyphs.len();
        if let (true, Some(last)) = (more, visible.last_mut()) {
            *last = Glyph::One('$');
        }
        if let (true, Some(first)) = (self.offset > 0, visible.first_mut()) {
            *first = Glyph::One('$');
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
    fn a_place_in_the_line_has_its_column_on_the_screen() {
        let mut painter = Painter::new(0, 31);
        let line = "abcdefghijklmnopqrstuvwxyz0123456789";
        painter.update(line, line.len(), &mut String::new());
        assert_eq!(painter.shown[0], Glyph::One('$'));
        assert_eq!(painter.column(line, 36), columns(&painter.shown));
        assert_eq!(painter.column(line, 35), columns(&painter.shown) - 1);
        assert_eq!(painter.column(line, 3), 0);
        painter.update("a漢b", 0, &mut String::new());
        assert_eq!(painter.column("a漢b", 2), 3);
        assert_eq!(painter.column("a漢b", 3), 4);
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
        painter.update("a漢b", 5, &mut out);
        out.clear();
        painter.update("a漢b", 1, &mut out);
        assert_eq!(out, "\u{8}\u{8}\u{8}");
        out.clear();
        painter.update("ab", 1, &mut out);
        assert_eq!(out, "b  \u{8}\u{8}\u{8}");
    }

    #[test]
    fn an_accent_goes_with_its_letter() {
        let (mut painter, mut out) = (Painter::new(3, 80), String::new());
        painter.update("xe", 2, &mut out);
        out.clear();
        assert!(!painter.append('\u{301}', &mut out));
        painter.update("xe\u{301}", 4, &mut out);
        assert_eq!(out, "\u{8}e\u{301}");
        out.clear();
        painter.update("x", 1, &mut out);
        assert_eq!(out, "\u{8} \u{8}");
        out.clear();
        painter.update("\u{301}", 2, &mut out);
        assert_eq!(out, "\u{8}\u{fffd}");
    }
}
