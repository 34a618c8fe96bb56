//! The terminal itself: raw mode that is always undone, its size, its bytes, and the signals that
//! end or resize a session. Used by [`crate::shell`].

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use rustyline::history::MemHistory;

/// What woke [`Tty::wait`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Ready {
    /// Keys can be read.
    pub keys: bool,
    /// The daemon sent something, or hung up.
    pub daemon: bool,
    /// A signal came.
    pub signal: bool,
}

/// A signal that the session acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The window has another size.
    Resize,
    /// Hang-up or termination, with the signal's number.
    Quit(i32),
}

/// The operator's terminal in raw mode, until dropped.
pub struct Tty {
    saved: Termios,
    signals: SignalFd,
}

impl Tty {
    /// Takes the terminal on standard input and output.
    ///
    /// # Errors
    /// The system's error when standard input is no terminal or signals cannot be held back.
    pub fn open() -> io::Result<Self> {
        let mut set = SigSet::empty();
        for signal in [
            Signal::SIGWINCH,
            Signal::SIGHUP,
            Signal::SIGTERM,
            Signal::SIGINT,
            Signal::SIGQUIT,
        ] {
            set.add(signal);
        }
        set.thread_block()?;
        let signals = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let stdin = io::stdin();
        let saved = tcgetattr(stdin.as_fd())?;
        let mut raw = saved.clone();
        cfmakeraw(&mut raw);
        tcsetattr(stdin.as_fd(), SetArg::TCSADRAIN, &raw)?;
        Ok(Self { saved, signals })
    }

    /// Columns and rows of the window; 80 and 24 when the terminal does not say.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let size = rustyline::Editor::<(), MemHistory>::with_history(
            rustyline::Config::default(),
            MemHistory::new(),
        )
        .ok()
        .and_then(|mut editor| editor.dimensions());
        match size {
            Some((columns, rows)) if columns > 0 && rows > 0 => (columns.into(), rows.into()),
            _ => (80, 24),
        }
    }

    /// Sleeps until there is something to read; with a `timeout` in milliseconds at most so long.
    ///
    /// # Errors
    /// The system's error.
    pub fn wait(&self, daemon: Option<PollFd<'_>>, timeout: Option<u16>) -> io::Result<Ready> {
        let stdin = io::stdin();
        let interest = PollFlags::POLLIN;
        let mut fds = vec![
            PollFd::new(stdin.as_fd(), interest),
            PollFd::new(self.signals.as_fd(), interest),
        ];
        fds.extend(daemon);
        match poll(
            &mut fds,
            timeout.map_or(PollTimeout::NONE, PollTimeout::from),
        ) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(Ready::default()),
            Err(error) => return Err(error.into()),
        }
        let ready = |n: usize| fds.get(n).is_some_and(|fd| fd.any().unwrap_or(false));
        Ok(Ready {
            keys: ready(0),
            signal: ready(1),
            daemon: ready(2),
        })
    }

    /// What was typed; nothing when the terminal is gone.
    ///
    /// # Errors
    /// The system's error.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; 4096];
        match nix::unistd::read(io::stdin().as_fd(), &mut bytes) {
            Ok(n) => {
                bytes.truncate(n);
                Ok(bytes)
            }
            // The other side of the terminal is gone.
            Err(Errno::EIO) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// The next signal that came, if any.
    pub fn notice(&self) -> Option<Notice> {
        let info = self.signals.read_signal().ok()??;
        let number = i32::try_from(info.ssi_signo).ok()?;
        Some(match Signal::try_from(number) {
            Ok(Signal::SIGWINCH) => Notice::Resize,
            _ => Notice::Quit(number),
        })
    }

    /// Writes text as it is.
    ///
    /// # Errors
    /// The system's error.
    pub fn write(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin().as_fd(), SetArg::TCSADRAIN, &self.saved);
    }
}
