//! The operator's side of an interactive session: keys in their order, text to the screen, and the
//! terminal's settings. Everything typed ahead waits in one queue, from which prompt,
//! questions and pager all read.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

use isthmus_control::{Reply, TerminalSettings};
use isthmus_grammar::command::TerminalCommand;
use nix::poll::{PollFd, PollFlags};

use super::End;
use crate::client::Session;
use crate::line::keys::{Decoder, Key};
use crate::tty::{Notice, Tty};

/// How long an LF may follow its CR, in milliseconds.
const CR_LF_GAP: u16 = 2;
/// How long the rest of a pasted line may lag behind a tab in it, in milliseconds.
const TAB_GAP: u16 = 10;

/// What happened while the session waited.
pub enum Event {
    /// A key.
    Key(Key),
    /// The daemon said something.
    Reply(Reply),
    /// The window has another size.
    Resize,
}

/// What is heard of the daemon while a key is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// All that it says.
    Replies,
    /// Only that it hung up: its text waits until the screen has room.
    HangUp,
}

/// The terminal with everything the session knows about it.
pub struct Terminal {
    tty: Tty,
    decoder: Decoder,
    keys: VecDeque<Key>,
    out: String,
    /// Whether the cursor is at the start of a row.
    fresh: bool,
    window: (usize, usize),
    settings: TerminalSettings,
    /// Whether the width and the length were set by a command; until then the window's count.
    width_set: bool,
    length_set: bool,
    /// Length and width as the daemon knows them.
    told: (u32, u32),
}

impl Terminal {
    /// Takes over a terminal. `settings` are those the daemon starts with.
    #[must_use]
    pub fn new(tty: Tty, settings: TerminalSettings) -> Self {
        let window = tty.size();
        let mut terminal = Self {
            tty,
            decoder: Decoder::default(),
            keys: VecDeque::new(),
            out: String::new(),
            fresh: true,
            window,
            settings,
            width_set: false,
            length_set: false,
            told: (0, 0),
        };
        terminal.begin(settings);
        terminal
    }

    /// A session begins with these settings.
    pub fn begin(&mut self, settings: TerminalSettings) {
        let default = TerminalSettings::default();
        self.width_set = settings.width != default.width;
        self.length_set = settings.length != default.length;
        self.settings = settings;
        self.told = (settings.length, settings.width);
    }

    /// The daemon's terminal settings changed, by this command of the operator if one is given.
    /// What was set by hand counts from then on, also when it is the default.
    pub fn set(&mut self, settings: TerminalSettings, command: Option<TerminalCommand>) {
        self.width_set |= settings.width != self.settings.width;
        self.length_set |= settings.length != self.settings.length;
        match command {
            Some(TerminalCommand::Width(columns)) => self.width_set = columns.is_some(),
            Some(TerminalCommand::Length(rows)) => self.length_set = rows.is_some(),
            _ => {}
        }
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

    /// Length and width when the daemon has other ones; the caller sends them.
    pub fn news(&mut self) -> Option<(u32, u32)> {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let screen = (count(self.length()), count(self.width()));
        let news = (screen != self.told).then_some(screen);
        self.told = screen;
        news
    }

    /// Lines the history keeps.
    #[must_use]
    pub fn history(&self) -> usize {
        self.settings.history as usize
    }

    /// Whether more keys follow at once: the last one was pasted, not pressed.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn follows(&mut self) -> Result<bool, End> {
        if self.keys.is_empty() {
            let ready = self.tty.wait(None, Some(TAB_GAP));
            if ready.map_err(End::Terminal)?.keys {
                self.read()?;
            }
        }
        Ok(!self.keys.is_empty())
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

    /// Waits for a key, or for what else there is to `listen` for.
    ///
    /// # Errors
    /// [`End`] when the terminal or the daemon is gone, or a signal ends the session.
    pub fn next(&mut self, session: &mut Session, listen: Listen) -> Result<Event, End> {
        let interest = match listen {
            Listen::Replies => PollFlags::POLLIN,
            Listen::HangUp => PollFlags::empty(),
        };
        loop {
            if listen == Listen::Replies
                && let Some(reply) = session.buffered()?
            {
                return Ok(Event::Reply(reply));
            }
            if let Some(key) = self.keys.pop_front() {
                return Ok(Event::Key(key));
            }
            self.flush()?;
            let daemon = PollFd::new(session.as_fd(), interest);
            let ready = self.tty.wait(Some(daemon), None).map_err(End::Terminal)?;
            if ready.signal && self.signal()? {
                return Ok(Event::Resize);
            }
            if ready.keys {
                self.read()?;
            } else if ready.daemon {
                return match listen {
                    Listen::Replies => Ok(Event::Reply(session.receive()?)),
                    Listen::HangUp => Err(last_words(session)),
                };
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
            let daemon = PollFd::new(session.as_fd(), PollFlags::POLLIN);
            let ready = self.tty.wait(Some(daemon), None).map_err(End::Terminal)?;
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
            let daemon = fd.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
            let ready = self.tty.wait(daemon, milliseconds).map_err(End::Terminal)?;
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

    /// Waits for the Return of the next operator, when the session is over.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn until_return(&mut self) -> Result<(), End> {
        self.flush()?;
        loop {
            while let Some(key) = self.keys.pop_front() {
                if key == Key::Enter {
                    return Ok(());
                }
            }
            let ready = self.tty.wait(None, None).map_err(End::Terminal)?;
            if ready.signal {
                self.signal()?;
            }
            if ready.keys {
                self.read()?;
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

/// The reason that a daemon which hung up gave in its `Bye`; replies before that are passed over.
fn last_words(session: &mut Session) -> End {
    loop {
        match session.receive() {
            Ok(Reply::Bye { text }) => return End::Closed(text),
            Ok(_) => {}
            Err(error) => return error.into(),
        }
    }
}
