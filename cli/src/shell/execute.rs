//! Runs one line: checks it, sends it, and brings what it says through filter and pager to the
//! screen.

use isthmus_control::{Reply, Request};
use isthmus_grammar::Refusal;
use isthmus_grammar::banner::banner_start;

use super::terminal::{Event, Listen};
use super::{End, Shell};
use crate::client::MAX_LINE;
use crate::lang::{self, Unclear};
use crate::line::editor::{Editor, Step};
use crate::line::history::History;
use crate::line::keys::Key;
use crate::screen::Stream;
use crate::screen::pager::{MORE, Pager, erase_more};

/// The way of a command's text to the screen.
struct Screen<'a> {
    stream: Stream,
    pager: Pager,
    /// The refusal of the line that was sent from this character on.
    invalid: &'a dyn Fn(usize) -> String,
    /// The operator has seen enough.
    stopped: bool,
}

fn on_screen(refusal: Refusal, column: impl Fn(usize) -> usize) -> Refusal {
    match refusal {
        Refusal::Invalid { column: index } => Refusal::Invalid {
            column: column(index),
        },
        other => other,
    }
}

impl Shell {
    /// Runs a line in the present mode, with the text below it if it begins a banner.
    /// The caret of a refusal points at its place in the line as `editor` shows it.
    pub(super) fn execute(&mut self, editor: &Editor) -> Result<(), End> {
        let line = editor.text();
        let Some(end) = banner_start(self.mode, line) else {
            return self.command(line, |index| editor.column(index));
        };
        self.terminal.print(&end.invitation());
        match self.text(|line| end.ends(line))? {
            Some(text) => self.command(&format!("{line}\n{text}"), |index| editor.column(index)),
            None => Ok(()),
        }
    }

    /// Runs a line until the daemon is done with it. `column` gives the place on the screen of a character of the line.
    pub(super) fn command(
        &mut self,
        line: &str,
        column: impl Fn(usize) -> usize,
    ) -> Result<(), End> {
        if line.len() > MAX_LINE {
            self.terminal.print("% The text is too long\n");
            return Ok(());
        }
        let spelled = self.access.spell_out(self.mode, line);
        let spelled = spelled.as_ref();
        let refused = |why| {
            let why = spelled.map_or(why, |spelled| spelled.refusal(why));
            on_screen(why, &column).message(0, line)
        };
        let sent = spelled.map_or(line, |spelled| &spelled.line);
        let (command, filter) = match lang::understand(self.mode, &self.access, sent) {
            Ok(Some(understood)) => understood,
            // Where a comment stands tells the daemon what an unknown line belongs to.
            Ok(None) if self.mode.is_config() && sent.starts_with('!') => (sent.to_owned(), None),
            Ok(None) => return Ok(()),
            Err(Unclear::Filter(message)) => {
                self.terminal.print(&message);
                return Ok(());
            }
            // The daemon knows of kept lines, and of modes that are not this router's own.
            Err(Unclear::Line(_)) if self.mode.is_config() => (sent.to_owned(), None),
            Err(Unclear::Line(why)) => {
                self.terminal.print(&refused(why));
                return Ok(());
            }
        };
        let stream = Stream::new(filter);
        if let Some((length, width)) = self.terminal.news() {
            self.session.send(&Request::Screen { length, width })?;
        }
        self.session.send(&Request::Exec {
            line: command.clone(),
        })?;
        self.until_done(&command, stream, &|column| {
            refused(Refusal::Invalid { column })
        })
    }

    /// The questions before the first prompt.
    pub(super) fn log_in(&mut self) -> Result<(), End> {
        self.until_done("", Stream::new(None), &|_| String::new())
    }

    /// Runs the command that the session begins with. One that is no command goes to the daemon too, which may end the
    /// session over it.
    pub(super) fn automatic(&mut self, line: &str) -> Result<(), End> {
        let (command, filter) = match lang::understand(self.mode, &self.access, line) {
            Ok(Some(understood)) => understood,
            _ => (line.to_owned(), None),
        };
        self.session.send(&Request::Exec {
            line: command.clone(),
        })?;
        // It was not typed, so it is not on the screen yet: it has to stand above the caret.
        let invalid = |column| {
            let refusal = Refusal::Invalid { column }.message(0, line);
            format!("{line}\n{refusal}")
        };
        self.until_done(&command, Stream::new(filter), &invalid)
    }

    /// Shows what comes and answers what is asked until the prompt comes back.
    fn until_done(
        &mut self,
        line: &str,
        stream: Stream,
        invalid: &dyn Fn(usize) -> String,
    ) -> Result<(), End> {
        let mut screen = Screen {
            stream,
            pager: self.pager(),
            invalid,
            stopped: false,
        };
        loop {
            let reply = self.reply()?;
            if self.obey(reply, line, &mut screen)? {
                return Ok(());
            }
        }
    }

    /// The next reply of the running command. Ctrl-C is passed on; what the command still has to say then (the result
    /// of a ping) is shown.
    fn reply(&mut self) -> Result<Reply, End> {
        loop {
            if let Some(reply) = self.terminal.reply(&mut self.session)? {
                return Ok(reply);
            }
            self.session.send(&Request::Interrupt)?;
        }
    }

    /// Does what a reply to `line` asks; true when the command is over.
    fn obey(&mut self, reply: Reply, line: &str, screen: &mut Screen<'_>) -> Result<bool, End> {
        match reply {
            Reply::Output { text } => {
                let text = screen.stream.push(&text);
                if !screen.stopped && !self.page(&mut screen.pager, &text)? {
                    screen.stopped = true;
                    self.session.send(&Request::Interrupt)?;
                }
            }
            Reply::Invalid { column } => {
                screen.stream = Stream::new(None);
                self.page(&mut screen.pager, &(screen.invalid)(column))?;
            }
            Reply::Ask { prompt, kind } => self.answer(&prompt, kind)?,
            Reply::Log { text } => {
                self.terminal.fresh_line();
                self.terminal.print(&format!("{text}\n"));
            }
            Reply::Terminal(settings) => {
                let command = lang::terminal_command(self.mode, line);
                self.settings(settings, command);
            }
            Reply::Access(access) => self.access = access,
            Reply::Autocommand { line, .. } => self.automatic = Some(line),
            Reply::Done { mode, prompt, .. } => {
                let rest = screen.stream.finish();
                if !screen.stopped {
                    self.finish(&mut screen.pager, &rest)?;
                }
                self.mode = mode;
                self.prompt = prompt;
                return Ok(true);
            }
            Reply::Bye { text } => return Err(End::Closed(text)),
            Reply::Welcome(_) => {}
        }
        Ok(false)
    }

    /// Shows a text of the console's own through the pager.
    pub(super) fn show(&mut self, text: &str) -> Result<(), End> {
        let mut pager = self.pager();
        self.finish(&mut pager, text)
    }

    fn pager(&self) -> Pager {
        Pager::new(self.terminal.length(), self.terminal.width())
    }

    fn finish(&mut self, pager: &mut Pager, text: &str) -> Result<(), End> {
        if self.page(pager, text)? {
            let last = pager.finish();
            self.terminal.print(&last);
        }
        Ok(())
    }

    /// Shows text; false when the operator has seen enough.
    fn page(&mut self, pager: &mut Pager, text: &str) -> Result<bool, End> {
        pager.resize(self.terminal.length(), self.terminal.width());
        let now = pager.push(text);
        self.terminal.print(&now);
        while pager.is_full() {
            if !self.more(pager)? {
                return Ok(false);
            }
            let now = pager.show();
            self.terminal.print(&now);
        }
        Ok(true)
    }

    /// ` --More-- ` and the key that answers it; false when the listing ends here.
    fn more(&mut self, pager: &mut Pager) -> Result<bool, End> {
        self.terminal.put(MORE);
        let key = loop {
            match self.terminal.next(&mut self.session, Listen::HangUp)? {
                Event::Key(key) => break key,
                _ => pager.resize(self.terminal.length(), self.terminal.width()),
            }
        };
        self.terminal.put(&erase_more());
        self.terminal.put("\r");
        match key {
            Key::Char(' ') => pager.next_page(),
            Key::Enter => pager.next_line(),
            Key::Char(c @ ('/' | '+' | '-')) => {
                let Some(pattern) = self.pattern(c)? else {
                    return Ok(true);
                };
                match pager.select(c, &pattern) {
                    Ok(()) => self.terminal.print("filtering...\n"),
                    Err(refusal) => self.terminal.print(&format!("{refusal}\n")),
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The expression after `/`, `+` or `-`.
    fn pattern(&mut self, key: char) -> Result<Option<String>, End> {
        let mut editor = Editor::new(&key.to_string(), self.terminal.width(), false);
        let mut none = History::new(0);
        let mut out = String::new();
        editor.paint(&mut out);
        loop {
            self.terminal.put(&std::mem::take(&mut out));
            let key = match self.terminal.next(&mut self.session, Listen::HangUp)? {
                Event::Key(key) => key,
                _ => {
                    editor.resize(self.terminal.width(), &mut out);
                    continue;
                }
            };
            match editor.key(key, &mut none, &mut self.kill_buffer, &mut out) {
                Step::Enter if !editor.text().is_empty() => {
                    self.terminal.put("\r\n");
                    return Ok(Some(editor.text().to_owned()));
                }
                Step::Enter | Step::Abandon | Step::End => {
                    editor.erase(&mut out);
                    self.terminal.put(&out);
                    return Ok(None);
                }
                _ => {}
            }
        }
    }
}
