//! The operator's side of an interactive session: keys in their order, text to the screen, and the
//! terminal's settings. Everything typed ahead waits in one queue, whoever asks for it next: the
//! prompt, a question or the pager.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

use isthmus_control::{Reply, Terminal};

use super::End;
use crate::client::Session;
use crate::line::keys::{Decoder, Key};
use crate::tty::{Notice, Tty};

/// How long an LF may follow its CR, in milliseconds.
const CR_LF_GAP: u16 = 2;

/// What happened while the session waited.
pub enum Event {
    /// A key.
    Key(Key),
    /// The daemon said something.
    Reply(Reply),
    /// The window has another size.
    Resize,
}

/// The terminal with everything the session knows about it.
pub struct Desk {
    tty: Tty,
    decoder: Decoder,
    keys: VecDeque<Key>,
    out: String,
    /// Whether the cursor is at the start of a row.
    fresh: bool,
    window: (usize, usize),
    settings: Terminal,
    /// Whether the width and the length were set by a command; until then the window's count.
    width_set: bool,
    length_set: bool,
}

impl Desk {
    /// Takes over a terminal. `settings` are those the daemon starts with.
    #[must_use]
    pub fn new(tty: Tty, settings: Terminal) -> Self {
        let window = tty.size();
        let default = Terminal::default();
        Self {
            tty,
            decoder: Decoder::default(),
            keys: VecDeque::new(),
            out: String::new(),
            fresh: true,
            window,
            settings,
            width_set: settings.width != default.width,
            length_set: settings.length != default.length,
        }
    }

    /// The daemon's terminal settings changed.
    pub fn set(&mut self, settings: Terminal) {
        self.width_set |= settings.width != self.settings.width;
        self.length_set |= settings.length != self.settings.length;
        self.settings = settings;
    }

    /// Columns of a row; 0 for no limit.
    #[must_use]
    pub fn width(&self) -> usize {
        if self.width_set {
            self.settings.width as usize
        } else {
            self.window.0
        }
    }

    /// Rows of a screen; 0 switches the pager off.
    #[must_use]
    pub fn length(&self) -> usize {
        if self.length_set {
            self.settings.length as usize
        } else {
            self.window.1
        }
    }

    /// Lines the history keeps.
    #[must_use]
    pub fn history(&self) -> usize {
        self.settings.history as usize
    }

    /// Whether more was typed (or pasted) than was taken so far.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// What the editor wants on the screen, as it is.
    pub fn put(&mut self, text: &str) {
        if let Some(last) = text.chars().last() {
            self.fresh = last == '\n' || last == '\r';
            self.out.push_str(text);
        }
    }

    /// Text from the daemon: its line ends become CR LF, control characters in it do nothing.
    pub fn print(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '\n' => self.out.push_str("\r\n"),
                '\r' => {}
                '\t' => self.out.push(c),
                c if c.is_control() => self.out.push('.'),
                c => self.out.push(c),
            }
        }
        if let Some(last) = text.chars().last() {
            self.fresh = last == '\n';
        }
    }

    /// Starts a new row unless the cursor is at the start of one.
    pub fn fresh_line(&mut self) {
        if !self.fresh {
            self.print("\n");
        }
    }

    /// Sends everything to the terminal.
    ///
    /// # Errors
    /// [`End::Terminal`].
    pub fn flush(&mut self) -> Result<(), End> {
        if !self.out.is_empty() {
            self.tty.write(&self.out).map_err(End::Terminal)?;
            self.out.clear();
        }
        Ok(())
    }

    /// Waits for a key, or for a reply if there is a session to listen to.
    ///
    /// # Errors
    /// [`End`] when the terminal or the daemon is gone, or a signal ends the session.
    pub fn next(&mut self, mut session: Option<&mut Session>) -> Result<Event, End> {
        loop {
            if let Some(session) = &mut session
                && let Some(reply) = session.buffered()?
            {
                return Ok(Event::Reply(reply));
            }
            if let Some(key) = self.keys.pop_front() {
                return Ok(Event::Key(key));
            }
            self.flush()?;
            let fd = session.as_ref().map(|s| s.as_fd());
            let ready = self.tty.wait(fd, None).map_err(End::Terminal)?;
            if ready.signal && self.signal()? {
                return Ok(Event::Resize);
            }
            if ready.keys {
                self.read()?;
            } else if let (true, Some(session)) = (ready.daemon, &mut session) {
                return Ok(Event::Reply(session.receive()?));
            }
        }
    }

    /// Waits for a reply while a command runs; `None` when Ctrl-C or Ctrl-^ was pressed. Other
    /// keys wait for their turn.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn reply(&mut self, session: &mut Session) -> Result<Option<Reply>, End> {
        loop {
            if let Some(reply) = session.buffered()? {
                return Ok(Some(reply));
            }
            self.flush()?;
            let ready = self
                .tty
                .wait(Some(session.as_fd()), None)
                .map_err(End::Terminal)?;
            if ready.signal {
                self.signal()?;
            }
            if ready.keys {
                let old = self.keys.len();
                self.read()?;
                let stop = |key: &Key| matches!(key, Key::Ctrl('c' | '^'));
                if let Some(last) = self.keys.iter().skip(old).rposition(stop) {
                    self.keys.drain(..=old + last);
                    return Ok(None);
                }
            }
            if ready.daemon {
                return Ok(Some(session.receive()?));
            }
        }
    }

    /// Waits for the daemon on `fd`, or for `milliseconds`; true when Ctrl-C was pressed.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn pause(
        &mut self,
        fd: Option<BorrowedFd<'_>>,
        milliseconds: Option<u16>,
    ) -> Result<bool, End> {
        self.flush()?;
        loop {
            let ready = self.tty.wait(fd, milliseconds).map_err(End::Terminal)?;
            if ready.signal {
                self.signal()?;
            }
            if ready.keys {
                self.read()?;
            }
            if self.keys.contains(&Key::Ctrl('c')) {
                self.keys.clear();
                return Ok(true);
            }
            if ready.daemon || milliseconds.is_some() {
                return Ok(false);
            }
        }
    }

    /// Acts on a signal: true when the window changed.
    fn signal(&mut self) -> Result<bool, End> {
        match self.tty.notice() {
            Some(Notice::Quit(number)) => Err(End::Signal(number)),
            Some(Notice::Resize) => {
                self.window = self.tty.size();
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn read(&mut self) -> Result<(), End> {
        self.read_once()?;
        while self.decoder.after_cr() {
            let more = self
                .tty
                .wait(None, Some(CR_LF_GAP))
                .map_err(End::Terminal)?;
            if !more.keys {
                self.decoder.gap();
                break;
            }
            self.read_once()?;
        }
        Ok(())
    }

    fn read_once(&mut self) -> Result<(), End> {
        let bytes = self.tty.read().map_err(End::Terminal)?;
        if bytes.is_empty() {
            return Err(End::Terminal(io::ErrorKind::UnexpectedEof.into()));
        }
        for byte in bytes {
            self.decoder.push(byte, &mut self.keys);
        }
        Ok(())
    }
}
