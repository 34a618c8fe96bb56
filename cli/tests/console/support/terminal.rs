//! The real console on a pseudo-terminal: keys in, screen out.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::num::NonZero;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::termios;

use super::{Fake, isthmus_at};

/// After so long a screen that was waited for counts as never coming.
const PATIENCE: Duration = Duration::from_secs(20);

fn nonzero(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap()
}

struct Seen {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

/// A console on a pseudo-terminal: keys in, screen out.
pub struct Console {
    child: Child,
    master: File,
    /// Kept open, so that the terminal's settings can be looked at.
    slave: File,
    seen: Arc<Mutex<Seen>>,
}

impl Console {
    /// Starts the console on a terminal of 24 rows and 80 columns.
    pub fn start(fake: &Fake) -> Self {
        Self::sized(fake, 24, 80)
    }

    pub fn sized(fake: &Fake, rows: u16, columns: u16) -> Self {
        Self::at(&fake.socket(), rows, columns)
    }

    /// Starts the console of any daemon, by its socket.
    pub fn at(socket: &Path, rows: u16, columns: u16) -> Self {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(Some(&size), None).unwrap();
        let slave = File::from(pty.slave);
        let end = || Stdio::from(slave.try_clone().unwrap());
        let child = isthmus_at(socket)
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let master = File::from(pty.master);
        let parser = vt100::Parser::new(nonzero(rows), nonzero(columns), 0);
        let seen = Arc::new(Mutex::new(Seen {
            parser,
            bytes: Vec::new(),
        }));
        let mut reader = master.try_clone().unwrap();
        let sink = Arc::clone(&seen);
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(n) = reader.read(&mut chunk) {
                let mut seen = sink.lock().unwrap();
                seen.parser.process(&chunk[..n]);
                seen.bytes.extend_from_slice(&chunk[..n]);
            }
        });
        Self {
            child,
            master,
            slave,
            seen,
        }
    }

    /// Starts the console and goes to privileged EXEC with a clean screen.
    pub fn enabled(fake: &Fake) -> Self {
        let mut console = Self::start(fake);
        console.shows("R1>");
        console.types("enable\r").ends("R1#");
        console.forget();
        console
    }

    /// The same when `enable` asks for a secret.
    pub fn enabled_by(fake: &Fake, secret: &str) -> Self {
        let mut console = Self::start(fake);
        console.shows("R1>");
        console.types("enable\r").ends("Password:");
        console.types(&format!("{secret}\r")).ends("R1#");
        console
    }

    /// Waits until the console sleeps again, having acted on every signal and key it got.
    pub fn settled(&self) {
        let sleeping = || {
            let path = format!("/proc/{}/stat", self.child.id());
            let stat = std::fs::read_to_string(path).unwrap();
            let state = stat.rsplit(')').next().unwrap().trim_start().to_owned();
            state.starts_with('S')
        };
        let pending = || {
            let path = format!("/proc/{}/status", self.child.id());
            let status = std::fs::read_to_string(path).unwrap();
            let pending = status
                .lines()
                .filter(|line| line.starts_with("SigPnd") || line.starts_with("ShdPnd"));
            pending
                .filter(|line| !line.ends_with("0000000000000000"))
                .count()
        };
        let start = Instant::now();
        while pending() > 0 || !sleeping() {
            assert!(start.elapsed() < PATIENCE, "the console never rests");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Forgets everything seen so far, and asks for a fresh prompt.
    pub fn forget(&mut self) {
        {
            let mut seen = self.seen.lock().unwrap();
            seen.parser.process(b"\x1b[2J\x1b[H");
            seen.bytes.clear();
        }
        self.types("\x0c");
        self.until("a prompt", |seen| {
            seen.bytes.ends_with(b"#") || seen.bytes.ends_with(b">")
        });
        let mut seen = self.seen.lock().unwrap();
        let prompt = seen.bytes.rsplit(|&b| b == b'\n').next().unwrap().to_vec();
        seen.parser.process(b"\x1b[2J\x1b[H");
        seen.parser.process(&prompt);
        seen.bytes.clear();
    }

    pub fn types(&mut self, keys: &str) -> &mut Self {
        self.sends(keys.as_bytes())
    }

    pub fn sends(&mut self, keys: &[u8]) -> &mut Self {
        self.master.write_all(keys).unwrap();
        self
    }

    fn until(&self, what: &str, done: impl Fn(&Seen) -> bool) {
        let start = Instant::now();
        while !done(&self.seen.lock().unwrap()) {
            assert!(
                start.elapsed() < PATIENCE,
                "{what} never came; the screen:\n{}",
                self.screen()
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// The whole screen, without the blanks at the ends.
    pub fn screen(&self) -> String {
        let contents = self.seen.lock().unwrap().parser.screen().contents();
        let lines: Vec<&str> = contents.lines().map(str::trim_end).collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// Waits for a whole screen.
    pub fn shows(&mut self, expected: &str) -> &mut Self {
        self.shows_for("the screen", expected)
    }

    /// The same, for a case with a name.
    pub fn shows_for(&mut self, name: &str, expected: &str) -> &mut Self {
        let expected = expected.trim_end();
        let start = Instant::now();
        while self.screen() != expected && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(self.screen(), expected, "{name}:\n{}\n", self.screen());
        self
    }

    /// Waits until the screen ends with `text`.
    pub fn ends(&mut self, text: &str) -> &mut Self {
        let start = Instant::now();
        while !self.screen().ends_with(text) {
            assert!(
                start.elapsed() < PATIENCE,
                "no {text:?} at the end of:\n{}",
                self.screen()
            );
            thread::sleep(Duration::from_millis(2));
        }
        self
    }

    /// Waits until the screen has a text somewhere.
    pub fn has(&mut self, text: &str) -> &mut Self {
        self.until(text, |seen| seen.parser.screen().contents().contains(text));
        self
    }

    /// Waits until the bytes sent so far are exactly these.
    pub fn sent(&mut self, expected: &str) -> &mut Self {
        let start = Instant::now();
        while self.bytes() != expected.as_bytes() && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(String::from_utf8_lossy(&self.bytes()), expected);
        self
    }

    /// Every byte the console sent.
    pub fn bytes(&self) -> Vec<u8> {
        self.seen.lock().unwrap().bytes.clone()
    }

    /// Column and row of the cursor, from 0.
    pub fn cursor(&self) -> (u16, u16) {
        let (row, column) = self.seen.lock().unwrap().parser.screen().cursor_position();
        (column, row)
    }

    /// Gives the window another size and tells the console.
    pub fn resize(&mut self, rows: u16, columns: u16) {
        let size = termios::Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        termios::tcsetwinsize(&self.slave, size).unwrap();
        self.seen
            .lock()
            .unwrap()
            .parser
            .screen_mut()
            .set_size(nonzero(rows), nonzero(columns));
        self.signal(Signal::SIGWINCH);
    }

    pub fn signal(&self, signal: Signal) {
        kill(
            Pid::from_raw(i32::try_from(self.child.id()).unwrap()),
            signal,
        )
        .unwrap();
    }

    /// Waits for the console to end.
    pub fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "the console never ended:\n{}",
                self.screen()
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Whether the terminal is back in the state shells leave it in: lines and echo.
    pub fn is_restored(&self) -> bool {
        let modes = termios::tcgetattr(&self.slave).unwrap().local_modes;
        modes.contains(termios::LocalModes::ICANON | termios::LocalModes::ECHO)
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
