//! Questions of a running command: a line, a password, one key, or a text up to its delimiter.

use isthmus_control::{AskKind, Request};
use zeroize::{Zeroize as _, Zeroizing};

use super::terminal::{Event, Listen};
use super::{End, Shell};
use crate::line::editor::{Editor, KillBuffer, Step};
use crate::line::history::History;
use crate::line::keys::Key;

/// The longest password, in characters; more is not taken. Also keeps the text from moving in
/// memory, where it would leave copies behind.
const MAX_SECRET: usize = 1024;

/// The text that was asked for, without its delimiter and what stands behind it.
fn before(text: &str, delimiter: char) -> String {
    text.split(delimiter).next().unwrap_or_default().to_owned()
}

impl Shell {
    /// Puts a question and sends its answer, or gives it up on Ctrl-C.
    pub(super) fn answer(&mut self, prompt: &str, kind: AskKind) -> Result<(), End> {
        self.terminal.print(prompt);
        let prompt = prompt.rsplit('\n').next().unwrap_or_default();
        let answer = match kind {
            AskKind::Line => self.line_after(prompt)?,
            AskKind::Secret => self.secret(prompt)?,
            AskKind::Confirm => self.confirm(prompt)?,
            AskKind::Text { delimiter } => {
                let text = self.text(|line| line.contains(delimiter))?;
                text.map(|text| before(&text, delimiter))
            }
        };
        let mut request = match answer {
            Some(text) => Request::Answer { text },
            None => Request::Interrupt,
        };
        let sent = self.session.send(&request);
        if let Request::Answer { text } = &mut request {
            text.zeroize();
        }
        Ok(sent?)
    }

    fn line_after(&mut self, prompt: &str) -> Result<Option<String>, End> {
        let mut editor = Editor::new(prompt, self.terminal.width(), false);
        let (mut none, mut kill_buffer) = (History::new(0), KillBuffer::default());
        let mut out = String::new();
        loop {
            let key = self.key_for(&mut editor)?;
            let step = editor.key(key, &mut none, &mut kill_buffer, &mut out);
            self.terminal.put(&std::mem::take(&mut out));
            match step {
                Step::Enter => {
                    self.terminal.put("\r\n");
                    return Ok(Some(editor.text().to_owned()));
                }
                Step::Abandon | Step::End => {
                    self.terminal.put("\r\n");
                    return Ok(None);
                }
                _ => {}
            }
        }
    }

    /// The next key for a question. What the daemon says meanwhile stands above the question.
    fn key_for(&mut self, editor: &mut Editor) -> Result<Key, End> {
        loop {
            match self.terminal.next(&mut self.session, Listen::Replies)? {
                Event::Key(key) => return Ok(key),
                Event::Resize => self.resize(editor),
                Event::Reply(reply) => self.aside(reply, editor)?,
            }
        }
    }

    fn secret(&mut self, prompt: &str) -> Result<Option<String>, End> {
        // Nothing is ever typed into it: it stands for the question on the screen.
        let mut question = Editor::new(prompt, self.terminal.width(), false);
        let mut text = Zeroizing::new(String::with_capacity(4 * MAX_SECRET));
        let mut length = 0;
        loop {
            match self.key_for(&mut question)? {
                Key::Enter => break,
                Key::Ctrl('c' | 'z' | '^') => {
                    self.terminal.put("\r\n");
                    return Ok(None);
                }
                Key::Ctrl('u' | 'x') => {
                    text.zeroize();
                    length = 0;
                }
                Key::Backspace => {
                    length -= usize::from(text.pop().is_some());
                }
                Key::Char(c) if length < MAX_SECRET => {
                    text.push(c);
                    length += 1;
                }
                _ => {}
            }
        }
        self.terminal.put("\r\n");
        Ok(Some(std::mem::take(&mut *text)))
    }

    /// One key; what was typed shows, as everywhere.
    fn confirm(&mut self, prompt: &str) -> Result<Option<String>, End> {
        let mut question = Editor::new(prompt, self.terminal.width(), false);
        let answer = match self.key_for(&mut question)? {
            Key::Enter => Some(String::new()),
            Key::Char(c) => Some(c.to_string()),
            _ => None,
        };
        self.terminal.put(answer.as_deref().unwrap_or_default());
        self.terminal.put("\r\n");
        Ok(answer)
    }

    /// Lines up to and with the one for which `ends` is true, without a prompt; `None` when
    /// Ctrl-C was pressed.
    pub(super) fn text(&mut self, ends: impl Fn(&str) -> bool) -> Result<Option<String>, End> {
        let mut lines: Vec<String> = Vec::new();
        self.terminal.fresh_line();
        while let Some(line) = self.line_after("")? {
            let last = ends(&line);
            lines.push(line);
            if last {
                return Ok(Some(lines.join("\n")));
            }
        }
        Ok(None)
    }
}
