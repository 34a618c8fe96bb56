//! One line being typed: what every key does to it. [`crate::shell`] feeds the keys, sends what
//! comes out to the terminal and acts on [`Step`].

use rustyline::line_buffer::{DeleteListener, Direction, LineBuffer, WordAction};
use rustyline::{At, Movement, Word};

use super::history::History;
use super::keys::Key;
use super::paint::Painter;
use crate::client::MAX_LINE;

/// What the caller has to do after a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing: go on typing.
    Edit,
    /// The line is complete.
    Enter,
    /// `?`: show help for [`Editor::before_cursor`].
    Help,
    /// Tab: complete [`Editor::before_cursor`].
    Complete,
    /// Ctrl-Z.
    End,
    /// Ctrl-C or Ctrl-^.
    Abandon,
}

/// What the last kill removed, for Ctrl-Y.
#[derive(Default)]
pub struct KillBuffer(String);

impl DeleteListener for KillBuffer {
    fn delete(&mut self, _: usize, text: &str, direction: Direction) {
        match direction {
            Direction::Forward => self.0.push_str(text),
            Direction::Backward => self.0.insert_str(0, text),
        }
    }
}

struct Ignored;

impl DeleteListener for Ignored {
    fn delete(&mut self, _: usize, _: &str, _: Direction) {}
}

impl rustyline::line_buffer::ChangeListener for Ignored {
    fn insert_char(&mut self, _: usize, _: char) {}
    fn insert_str(&mut self, _: usize, _: &str) {}
    fn replace(&mut self, _: usize, _: &str, _: &str) {}
}

/// The line, its prompt, and what of it is on the screen.
pub struct Editor {
    prompt: String,
    /// Whether `?` and Tab have a meaning (not in answers to questions).
    commands: bool,
    line: LineBuffer,
    painter: Painter,
    width: usize,
    /// Ctrl-V was typed: the next key is text.
    quoted: bool,
}

impl Editor {
    /// An empty line, to hold [`MAX_LINE`] bytes, after `prompt` on a terminal of `width` columns (0: no limit). `commands`:
    /// `?` and Tab help, as at the prompt; otherwise they are text, as in answers.
    #[must_use]
    pub fn new(prompt: &str, width: usize, commands: bool) -> Self {
        Self {
            prompt: prompt.to_owned(),
            commands,
            line: LineBuffer::with_capacity(MAX_LINE),
            painter: Painter::new(prompt.chars().count(), width),
            width,
            quoted: false,
        }
    }

    /// The whole line.
    #[must_use]
    pub fn text(&self) -> &str {
        self.line.as_str()
    }

    /// The line up to the cursor.
    #[must_use]
    pub fn before_cursor(&self) -> &str {
        &self.line.as_str()[..self.line.pos()]
    }

    /// The column on the screen of a character of the line, by its index, as the line shows now.
    #[must_use]
    pub fn column(&self, index: usize) -> usize {
        self.prompt.chars().count() + self.painter.column(self.line.as_str(), index)
    }

    /// Puts a completed `text` in place of what stands before the cursor; the blank at its end only if none follows.
    /// Nothing is painted.
    pub fn complete(&mut self, text: &str) {
        let rest = &self.line.as_str()[self.line.pos()..];
        let text = if rest.starts_with(' ') {
            text.trim_end()
        } else {
            text
        };
        let line = format!("{text}{rest}");
        self.line.update(&line, text.len(), &mut Ignored);
    }

    /// The terminal has another width now: paints the line anew where it shows otherwise there.
    pub fn resize(&mut self, width: usize, out: &mut String) {
        if width == self.width {
            return;
        }
        let prompt = self.prompt.chars().count();
        let mut painter = Painter::new(prompt, width);
        painter.update(self.line.as_str(), self.line.pos(), &mut String::new());
        let fits = |columns: usize| width == 0 || columns + prompt < width;
        let whole = self.painter.width().is_some_and(fits);
        if !(whole && painter.shows_as(&self.painter)) {
            if whole {
                self.erase(out);
            } else {
                // The terminal cut or wrapped it, who knows where.
                out.push_str("\r\n");
            }
            out.push_str(&self.prompt);
            painter.repaint(self.line.as_str(), self.line.pos(), out);
        }
        self.width = width;
        self.painter = painter;
    }

    /// Paints prompt and line at the start of a row.
    pub fn paint(&mut self, out: &mut String) {
        out.push_str(&self.prompt);
        self.painter
            .repaint(self.line.as_str(), self.line.pos(), out);
    }

    /// Takes prompt and line off the screen, to make room for something above them.
    pub fn erase(&mut self, out: &mut String) {
        match self.painter.width() {
            Some(width) => {
                let width = width + self.prompt.chars().count();
                out.push('\r');
                out.extend(std::iter::repeat_n(' ', width));
                out.push('\r');
            }
            None => out.push_str("\r\n"),
        }
    }

    /// Leaves the line: the cursor goes behind its last character.
    pub fn leave(&mut self, out: &mut String) {
        self.line.move_buffer_end();
        self.update(out);
    }

    /// Empties the line.
    pub fn clear(&mut self) {
        self.line.update("", 0, &mut Ignored);
    }

    /// One key: changes the line, appends what the terminal needs to `out`.
    pub fn key(
        &mut self,
        key: Key,
        history: &mut History,
        kill_buffer: &mut KillBuffer,
        out: &mut String,
    ) -> Step {
        if std::mem::take(&mut self.quoted)
            && let Key::Char(_) | Key::Tab | Key::Ctrl(_) = key
        {
            return self.insert(key, out);
        }
        match key {
            Key::Enter => return Step::Enter,
            Key::Char('?') if self.commands => return Step::Help,
            Key::Tab if self.commands => return Step::Complete,
            Key::Ctrl('z') => return Step::End,
            Key::Ctrl('c' | '^') => return Step::Abandon,
            Key::Ctrl('v') => self.quoted = true,
            Key::Char(_) | Key::Tab => return self.insert(key, out),
            Key::Ctrl('r' | 'l') => {
                out.push_str("\r\n");
                self.paint(out);
            }
            _ => {
                self.edit(key, history, kill_buffer);
                self.update(out);
            }
        }
        Step::Edit
    }

    /// A key as text: a tab is a blank, Ctrl-C the `^C` that running-config shows for it.
    fn insert(&mut self, key: Key, out: &mut String) -> Step {
        match key {
            Key::Char(c) => self.insert_char(c, out),
            Key::Ctrl(c) => {
                self.insert_char('^', out);
                self.insert_char(c.to_ascii_uppercase(), out);
            }
            _ => self.insert_char(' ', out),
        }
        Step::Edit
    }

    fn insert_char(&mut self, c: char, out: &mut String) {
        let at_end = self.line.is_cursor_at_end();
        if self.line.insert(c, 1, &mut Ignored).is_some()
            && !(at_end && self.painter.append(c, out))
        {
            self.update(out);
        }
    }

    fn edit(&mut self, key: Key, history: &mut History, kill_buffer: &mut KillBuffer) {
        let line = &mut self.line;
        match key {
            Key::Backspace => drop(line.backspace(1, &mut Ignored)),
            Key::Delete | Key::Ctrl('d') => drop(line.delete(1, &mut Ignored)),
            Key::Left | Key::Ctrl('b') => drop(line.move_backward(1)),
            Key::Right | Key::Ctrl('f') => drop(line.move_forward(1)),
            Key::Home | Key::Ctrl('a') => drop(line.move_buffer_start()),
            Key::End | Key::Ctrl('e') => drop(line.move_buffer_end()),
            Key::Meta('b' | 'B') => drop(line.move_to_prev_word(Word::Emacs, 1)),
            Key::Meta('f' | 'F') => drop(line.move_to_next_word(At::AfterEnd, Word::Emacs, 1)),
            Key::Ctrl('t') => drop(line.transpose_chars(&mut Ignored)),
            Key::Ctrl('w') => kill(line, Movement::BackwardWord(1, Word::Big), kill_buffer),
            Key::Meta('\u{8}') => kill(line, Movement::BackwardWord(1, Word::Emacs), kill_buffer),
            Key::Meta('d' | 'D') => {
                kill(
                    line,
                    Movement::ForwardWord(1, At::AfterEnd, Word::Emacs),
                    kill_buffer,
                );
            }
            Key::Ctrl('u' | 'x') => kill(line, Movement::BeginningOfBuffer, kill_buffer),
            Key::Ctrl('k') => kill(line, Movement::EndOfBuffer, kill_buffer),
            Key::Ctrl('y') => drop(line.yank(&kill_buffer.0, 1, &mut Ignored)),
            Key::Meta('c' | 'C') => drop(line.edit_word(WordAction::Capitalize, &mut Ignored)),
            Key::Meta('l' | 'L') => drop(line.edit_word(WordAction::Lowercase, &mut Ignored)),
            Key::Meta('u' | 'U') => drop(line.edit_word(WordAction::Uppercase, &mut Ignored)),
            Key::Up | Key::Ctrl('p') => {
                let older = history.older(line.as_str());
                replace(line, older);
            }
            Key::Down | Key::Ctrl('n') => replace(line, history.newer()),
            Key::Meta('<') => {
                let oldest = history.oldest(line.as_str());
                replace(line, oldest);
            }
            Key::Meta('>') => replace(line, history.newest()),
            _ => {}
        }
    }

    fn update(&mut self, out: &mut String) {
        self.painter
            .update(self.line.as_str(), self.line.pos(), out);
    }
}

fn kill(line: &mut LineBuffer, movement: Movement, kill_buffer: &mut KillBuffer) {
    let mut removed = KillBuffer::default();
    if line.kill(&movement, &mut removed) && !removed.0.is_empty() {
        *kill_buffer = removed;
    }
}

fn replace(line: &mut LineBuffer, text: Option<String>) {
    if let Some(text) = text {
        line.update(&text, text.len(), &mut Ignored);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::super::keys::Decoder;
    use super::*;

    struct Typist {
        editor: Editor,
        history: History,
        kill_buffer: KillBuffer,
        out: String,
        steps: Vec<Step>,
    }

    fn typist(history: &[&str]) -> Typist {
        let mut past = History::new(10);
        for line in history {
            past.add(line);
        }
        Typist {
            editor: Editor::new("R1#", 80, true),
            history: past,
            kill_buffer: KillBuffer::default(),
            out: String::new(),
            steps: Vec::new(),
        }
    }

    impl Typist {
        fn type_in(&mut self, bytes: &[u8]) -> &mut Self {
            let mut decoder = Decoder::default();
            let mut keys = VecDeque::new();
            for &byte in bytes {
                decoder.push(byte, &mut keys);
            }
            for key in keys {
                let step =
                    self.editor
                        .key(key, &mut self.history, &mut self.kill_buffer, &mut self.out);
                if step != Step::Edit {
                    self.steps.push(step);
                }
            }
            self
        }
    }

    #[test]
    fn typing_echoes_each_letter_once_and_nothing_else() {
        let text = "show crypto isakmp sa detail ".repeat(2);
        let mut typist = typist(&[]);
        assert_eq!(typist.type_in(text.as_bytes()).out, text);
        let long = "x".repeat(600);
        typist.editor = Editor::new("R1#", 0, true);
        typist.out.clear();
        assert_eq!(typist.type_in(long.as_bytes()).out, long);
    }

    #[test]
    fn every_editing_key_does_what_the_manual_says() {
        let cases: [(&[u8], &str, &str); 22] = [
            (b"abc\x01x", "xabc", "x"),
            (b"abc\x01\x05x", "abcx", "abcx"),
            (b"abc\x02x", "abxc", "abx"),
            (b"abc\x1b[D\x1b[D\x1b[Cx", "abxc", "abx"),
            (b"abc\x08\x7fx", "ax", "ax"),
            (b"abc\x01\x04", "bc", ""),
            (b"ip route x\x17y", "ip route y", "ip route y"),
            (b"ip route x\x15y", "y", "y"),
            (b"ip route\x01\x0by", "y", "y"),
            (b"ip route\x17\x19\x19", "ip routeroute", "ip routeroute"),
            (b"ab\x14", "ba", "ba"),
            (b"ip route x\x1bb\x1bbz", "ip zroute x", "ip z"),
            (b"ip route x\x01\x1bfz", "ipz route x", "ipz"),
            (b"ip route x\x01\x1bd", " route x", ""),
            (b"branch office\x01\x1bu", "BRANCH office", "BRANCH"),
            (
                b"BRANCH office\x01\x1bc\x1bc",
                "Branch Office",
                "Branch Office",
            ),
            (b"pass\x16?word", "pass?word", "pass?word"),
            (b"abc\x1b[3~\x1b[H\x1b[3~", "bc", ""),
            (b"banner motd \x16\x03", "banner motd ^C", "banner motd ^C"),
            (b"a\x16\tb", "a b", "a b"),
            (b"BRANCH office\x01\x1bl", "branch office", "branch"),
            ("ae\u{301}漢\x7f\x7f".as_bytes(), "a", "a"),
        ];
        for (keys, text, before) in cases {
            let mut typist = typist(&[]);
            typist.type_in(keys);
            assert_eq!(typist.editor.text(), text, "{keys:?}");
            assert_eq!(typist.editor.before_cursor(), before, "{keys:?}");
            assert!(typist.steps.is_empty(), "{keys:?}");
        }
    }

    #[test]
    fn history_comes_back_with_ctrl_p_and_arrows() {
        let mut typist = typist(&["first", "second"]);
        assert_eq!(typist.type_in(b"dr\x10").editor.text(), "second");
        assert_eq!(typist.type_in(b"\x1b[A\x1b[A").editor.text(), "first");
        assert_eq!(typist.type_in(b"\x0e\x1b[B").editor.text(), "dr");
        assert_eq!(typist.type_in(b"\x1b<").editor.text(), "first");
        assert_eq!(typist.type_in(b"\x1b>").editor.text(), "dr");
    }

    #[test]
    fn keys_that_leave_the_line() {
        let mut typist = typist(&[]);
        typist.type_in(b"a?\t\r\x1a\x03\x1e");
        use Step::{Abandon, Complete, End, Enter, Help};
        assert_eq!(typist.steps, [Help, Complete, Enter, End, Abandon, Abandon]);
        assert_eq!(typist.editor.text(), "a");
    }

    #[test]
    fn no_key_sends_an_escape() {
        let mut typist = typist(&[
            "an old and rather long line to come back to, wider than the screen, I am sure",
        ]);
        let noise: Vec<u8> = (1..=255)
            .filter(|b| !matches!(b, b'\r' | b'\n'))
            .cycle()
            .take(5000)
            .collect();
        typist.type_in(&noise);
        typist.type_in(b"\x10\x01\x05\x1b[A\x1b[B\x17\x19");
        assert!(
            typist
                .out
                .chars()
                .all(|c| !c.is_control() || matches!(c, '\u{8}' | '\r' | '\n'))
        );
    }

    #[test]
    fn a_line_over_the_limit_stops_growing() {
        let mut typist = typist(&[]);
        typist.editor = Editor::new("R1#", 0, true);
        typist.type_in(&vec![b'x'; MAX_LINE + 5]);
        assert_eq!(typist.editor.text().len(), MAX_LINE);
    }
}
