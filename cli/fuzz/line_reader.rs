//! The `line_reader` fuzz target: any bytes become keys, keys a line, the line a screen. It must not panic; the screen
//! shows the line that the editor holds, with the cursor at its place; the terminal gets text, backspaces and line ends
//! only; and a plain letter at the end of the line comes back once and alone. Shared with `tests/keys.rs` and
//! `tests/fuzz.rs`.
//!
//! The byte 0x1c, which is no key, and the one after it give the window another width.

use std::collections::VecDeque;
use std::num::NonZero;

use isthmus_console::lang;
use isthmus_console::line::editor::{Editor, KillBuffer, Step};
use isthmus_console::line::history::History;
use isthmus_console::line::keys::{Decoder, Key};
use isthmus_grammar::{Access, Mode};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthChar as _;

const PROMPT: &str = "R1(config)#";
const ROWS: u16 = 50;
const RESIZE: u8 = 0x1c;

/// An editor with its history on a screen.
pub struct Typist {
    editor: Editor,
    history: History,
    kill_buffer: KillBuffer,
    screen: vt100::Parser,
    columns: u16,
    quoted: bool,
}

/// Types bytes and checks the screen after every key.
pub fn line_reader(bytes: &[u8]) {
    Typist::new(40).types(bytes);
}

impl Typist {
    /// A terminal of so many columns with an empty line after the prompt, and two lines to come back to.
    pub fn new(columns: u16) -> Self {
        let mut history = History::new(10);
        history.add("show version");
        history.add("ip route 192.168.100.0 255.255.255.0 192.168.200.254 250");
        let size = |n| NonZero::new(n).expect("not zero");
        let mut typist = Self {
            editor: Editor::new(PROMPT, columns.into(), true),
            history,
            kill_buffer: KillBuffer::default(),
            screen: vt100::Parser::new(size(ROWS), size(columns), 0),
            columns,
            quoted: false,
        };
        typist.fresh();
        typist
    }

    /// Types bytes, checking everything after each key.
    pub fn types(&mut self, bytes: &[u8]) {
        let mut decoder = Decoder::default();
        let mut keys = VecDeque::new();
        let mut bytes = bytes.iter();
        while let Some(&byte) = bytes.next() {
            if byte == RESIZE {
                let columns = bytes.next().map_or(40, |&n| 32 + u16::from(n) % 100);
                self.resize(columns);
                continue;
            }
            decoder.push(byte, &mut keys);
            for key in keys.drain(..) {
                self.key(key);
            }
        }
    }

    /// What the shell does with a key, without the daemon.
    fn key(&mut self, key: Key) {
        let alone = self.echoes_alone(key);
        self.quoted = !self.quoted && key == Key::Ctrl('v');
        let mut out = String::new();
        let step = self
            .editor
            .key(key, &mut self.history, &mut self.kill_buffer, &mut out);
        if let (Some(c), Step::Edit) = (alone, step) {
            assert_eq!(out, c.to_string(), "the echo of one letter");
        }
        match step {
            Step::Edit => self.shows(&out),
            Step::Help => {
                assert!(
                    !lang::help(Mode::Config, &Access::full(), self.editor.before_cursor())
                        .is_empty()
                );
                self.shows("?\r\n");
                self.paint();
            }
            Step::Complete => {
                if let Some(text) =
                    lang::complete(Mode::Config, &Access::full(), self.editor.before_cursor())
                {
                    self.editor.complete(&text);
                }
                self.shows("\r\n");
                self.paint();
            }
            Step::Enter | Step::End | Step::Abandon => {
                let mut out = String::new();
                self.editor.leave(&mut out);
                self.shows(&out);
                self.shows("\r\n");
                self.history.add(self.editor.text());
                self.fresh();
            }
        }
        self.check();
    }

    /// The letter that must come back as it is: typed at the end of a line that has room for it.
    fn echoes_alone(&self, key: Key) -> Option<char> {
        let Key::Char(c) = key else { return None };
        let text = self.editor.text();
        let plain = c.is_ascii() && text.is_ascii() && (self.quoted || c != '?');
        let at_end = self.editor.before_cursor() == text;
        (plain && at_end && text.len() < self.room()).then_some(c)
    }

    fn resize(&mut self, columns: u16) {
        let size = |n| NonZero::new(n).expect("not zero");
        self.screen.screen_mut().set_size(size(ROWS), size(columns));
        self.columns = columns;
        let mut out = String::new();
        self.editor.resize(columns.into(), &mut out);
        self.shows(&out);
        self.check();
    }

    fn fresh(&mut self) {
        self.editor = Editor::new(PROMPT, self.columns.into(), true);
        self.history.rewind();
        self.paint();
    }

    fn paint(&mut self) {
        let mut out = String::new();
        self.editor.paint(&mut out);
        self.shows(&out);
    }

    fn shows(&mut self, out: &str) {
        let clean = |c: char| !c.is_control() || matches!(c, '\u{8}' | '\r' | '\n');
        assert!(out.chars().all(clean), "sent {out:?}");
        self.screen.process(visible(out).as_bytes());
    }

    /// Columns for the text: the last one of the terminal stays free.
    fn room(&self) -> usize {
        usize::from(self.columns) - PROMPT.len() - 1
    }

    fn check(&self) {
        let screen = self.screen.screen();
        let (row, column) = screen.cursor_position();
        let shown = screen
            .rows(0, self.columns)
            .nth(row.into())
            .unwrap_or_default();
        let Some(shown) = shown.strip_prefix(PROMPT).map(str::trim_end) else {
            panic!("no prompt in row {row}:\n{}", screen.contents());
        };
        let at = usize::from(column) - PROMPT.len();
        let line = self.editor.text();
        if columns(line) > self.room() {
            assert!(shown.contains('$'), "{shown:?} of {line:?}");
            assert!(at <= self.room() && columns(shown) <= self.room());
            return;
        }
        let cursor = self.editor.before_cursor().len();
        let before = line
            .grapheme_indices(true)
            .take_while(|(start, _)| *start < cursor);
        let before: usize = before.map(|(_, cluster)| columns(cluster)).sum();
        assert_eq!(at, before, "{line:?}");
        if line.chars().all(|c| c.width().unwrap_or(0) > 0) {
            assert_eq!(shown, visible(line).trim_end());
        }
    }
}

/// The emulator shows nothing for U+FFFD, where every real terminal shows a character.
fn visible(text: &str) -> String {
    text.replace(char::REPLACEMENT_CHARACTER, "¿")
}

/// The columns that a text takes: a cluster that would take none shows as one character.
fn columns(text: &str) -> usize {
    let width = |cluster: &str| {
        cluster
            .chars()
            .map(|c| c.width().unwrap_or(0))
            .sum::<usize>()
    };
    text.graphemes(true)
        .map(|cluster| width(cluster).max(1))
        .sum()
}
