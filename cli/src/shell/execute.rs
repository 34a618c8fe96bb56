//! Runs one line: checks it, sends it, and brings what it says through filter and pager to the
//! screen.

use isthmus_control::{Reply, Request};

use super::desk::Event;
use super::{End, Shell};
use crate::client::MAX_LINE;
use crate::lang;
use crate::line::editor::{Editor, Step};
use crate::line::history::History;
use crate::line::keys::Key;
use crate::screen::Stream;
use crate::screen::pager::{MORE, Pager, erase_more};

impl Shell {
    /// Runs a line in the present mode, with the text below it if it begins a banner.
    pub(super) fn execute(&mut self, line: &str) -> Result<(), End> {
        let Some(end) = lang::banner(self.mode, line) else {
            return self.execute_whole(line);
        };
        self.desk.print(&end.invitation());
        match self.text(|line| end.ends(line))? {
            Some(text) => self.execute_whole(&format!("{line}\n{text}")),
            None => Ok(()),
        }
    }

    fn execute_whole(&mut self, line: &str) -> Result<(), End> {
        if line.len() > MAX_LINE {
            self.desk.print("% The text is too long\n");
            return Ok(());
        }
        let (command, filter) = match lang::understand(self.mode, &self.prompt, line) {
            Ok(Some(understood)) => understood,
            Ok(None) => return Ok(()),
            Err(refusal) => {
                self.desk.print(&refusal);
                return Ok(());
            }
        };
        self.session.send(&Request::Exec { line: command })?;
        let mut stream = Stream::new(filter);
        let mut pager = self.pager();
        let mut stopped = false;
        loop {
            match self.desk.reply(&mut self.session)? {
                // What the command still has to say (the result of a ping) is shown.
                None => self.session.send(&Request::Interrupt)?,
                Some(Reply::Output { text }) => {
                    let text = stream.push(&text);
                    if !stopped && !self.page(&mut pager, &text)? {
                        stopped = true;
                        self.session.send(&Request::Interrupt)?;
                    }
                }
                Some(Reply::Ask { prompt, kind }) => self.answer(&prompt, kind)?,
                Some(Reply::Log { text }) => {
                    self.desk.fresh_line();
                    self.desk.print(&format!("{text}\n"));
                }
                Some(Reply::Terminal(settings)) => self.settings(settings),
                Some(Reply::Done { mode, prompt, .. }) => {
                    let rest = stream.finish();
                    if !stopped {
                        self.finish(&mut pager, &rest)?;
                    }
                    self.mode = mode;
                    self.prompt = prompt;
                    return Ok(());
                }
                Some(Reply::Bye { text }) => return Err(End::Closed(text)),
                Some(Reply::Welcome(_)) => {}
            }
        }
    }

    /// Shows a text of the console's own through the pager.
    pub(super) fn show(&mut self, text: &str) -> Result<(), End> {
        let mut pager = self.pager();
        self.finish(&mut pager, text)
    }

    fn pager(&self) -> Pager {
        Pager::new(self.desk.length(), self.desk.width())
    }

    fn finish(&mut self, pager: &mut Pager, text: &str) -> Result<(), End> {
        if self.page(pager, text)? {
            let last = pager.finish();
            self.desk.print(&last);
        }
        Ok(())
    }

    /// Shows text; false when the operator has seen enough.
    fn page(&mut self, pager: &mut Pager, text: &str) -> Result<bool, End> {
        let now = pager.push(text);
        self.desk.print(&now);
        while pager.is_full() {
            if !self.more(pager)? {
                return Ok(false);
            }
            let now = pager.show();
            self.desk.print(&now);
        }
        Ok(true)
    }

    /// ` --More-- ` and the key that answers it; false when the listing ends here.
    fn more(&mut self, pager: &mut Pager) -> Result<bool, End> {
        self.desk.put(MORE);
        let key = self.next_key()?;
        self.desk.put(&erase_more());
        self.desk.put("\r");
        match key {
            Key::Char(' ') => pager.next_page(),
            Key::Enter => pager.next_line(),
            Key::Char(c @ ('/' | '+' | '-')) => {
                let Some(pattern) = self.pattern(c)? else {
                    return Ok(true);
                };
                match pager.select(c, &pattern) {
                    Ok(()) => self.desk.print("filtering...\n"),
                    Err(refusal) => self.desk.print(&format!("{refusal}\n")),
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The expression after `/`, `+` or `-`.
    fn pattern(&mut self, key: char) -> Result<Option<String>, End> {
        let mut editor = Editor::new(&key.to_string(), self.desk.width(), false);
        let mut none = History::new(0);
        let mut out = String::new();
        editor.paint(&mut out);
        loop {
            self.desk.put(&std::mem::take(&mut out));
            let key = self.next_key()?;
            match editor.key(key, &mut none, &mut self.killed, &mut out) {
                Step::Enter if !editor.text().is_empty() => {
                    self.desk.put("\r\n");
                    return Ok(Some(editor.text().to_owned()));
                }
                Step::Enter | Step::Abandon | Step::End => {
                    editor.erase(&mut out);
                    self.desk.put(&out);
                    return Ok(None);
                }
                _ => {}
            }
        }
    }

    /// The next key, whatever else happens.
    pub(super) fn next_key(&mut self) -> Result<Key, End> {
        loop {
            if let Event::Key(key) = self.desk.next(None)? {
                return Ok(key);
            }
        }
    }
}
