//! The interactive session, for people and for tools at a terminal. Called by `main`.
//!
//! [`Shell::run`] reads a line at the prompt, runs it ([`execute`]), asks what the daemon asks
//! ([`ask`]), and starts again when the daemon was restarted.

mod ask;
mod execute;
mod terminal;

use std::io;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use isthmus_control::{PRESS_RETURN, Reply, Request, TerminalSettings};
use isthmus_grammar::command::TerminalCommand;
use isthmus_grammar::{Access, Mode};

use crate::client::{Greeting, MAX_LINE, Session, SessionError};
use crate::lang;
use crate::line::editor::{Editor, KillBuffer, Step};
use crate::line::history::History;
use crate::line::keys::Key;
use crate::tty::Tty;
use terminal::{Event, Listen, Terminal};

/// How long to wait between two attempts to reach a daemon that went away, in milliseconds.
const RETRY: u16 = 250;

/// Why the session ends.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// The daemon closed it, after `exit` for one; its last words.
    #[error("{0}")]
    Closed(String),
    /// A signal, by its number.
    #[error("% Ended by signal {0}")]
    Signal(i32),
    /// The terminal is gone.
    #[error("% The terminal is gone: {0}")]
    Terminal(io::Error),
    /// The daemon is gone, and the operator did not wait for the next one.
    #[error("% Connection to the daemon lost")]
    GivenUp,
    /// There is no session with the daemon.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// What the operator did at the prompt.
enum Typed {
    /// Enter.
    Line(Editor),
    /// Ctrl-Z.
    End(Editor),
    /// Ctrl-C.
    Abandoned,
}

/// What a finished line is.
type Finished = fn(Editor) -> Typed;

/// Runs an interactive session until the operator or the daemon ends it.
///
/// # Errors
/// [`End`] when it did not end by `exit`.
pub fn run(socket: &Path) -> Result<(), End> {
    let session = Session::open(socket, true)?;
    let tty = Tty::open().map_err(End::Terminal)?;
    let mut shell = Shell::new(socket, session, tty);
    let end = shell.run();
    shell.terminal.fresh_line();
    let flushed = shell.terminal.flush();
    match end {
        End::Closed(text) if text.ends_with(PRESS_RETURN) => shell.terminal.until_return(),
        End::Closed(_) => flushed,
        end => Err(end),
    }
}

struct Shell {
    socket: PathBuf,
    session: Session,
    terminal: Terminal,
    mode: Mode,
    prompt: String,
    /// What the session may do.
    access: Access,
    /// The daemon asks who is there before the first prompt.
    login: bool,
    /// The command that runs before the first prompt.
    automatic: Option<String>,
    exec_history: History,
    config_history: History,
    kill_buffer: KillBuffer,
}

impl Shell {
    fn new(socket: &Path, session: Session, tty: Tty) -> Self {
        let welcome = &session.welcome;
        let mut terminal = Terminal::new(tty, welcome.terminal);
        terminal.print(&welcome.banner);
        Self {
            socket: socket.to_owned(),
            mode: welcome.mode,
            prompt: welcome.prompt.clone(),
            access: welcome.access.clone(),
            login: welcome.login,
            automatic: None,
            exec_history: History::new(terminal.history()),
            config_history: History::new(terminal.history()),
            kill_buffer: KillBuffer::default(),
            session,
            terminal,
        }
    }

    fn run(&mut self) -> End {
        loop {
            match self.turn() {
                Ok(()) => {}
                Err(End::Session(SessionError::Lost(_))) => {
                    if let Err(end) = self.reconnect() {
                        return end;
                    }
                }
                Err(End::Closed(text)) => {
                    self.terminal.fresh_line();
                    self.terminal.print(&text);
                    return End::Closed(text);
                }
                Err(end) => return end,
            }
        }
    }

    /// One prompt and what follows from it.
    fn turn(&mut self) -> Result<(), End> {
        if std::mem::take(&mut self.login) {
            return self.log_in();
        }
        if let Some(line) = self.automatic.take() {
            return self.automatic(&line);
        }
        match self.read_line()? {
            Typed::Line(line) => {
                self.remember(line.text())?;
                self.execute(&line)
            }
            Typed::End(line) => {
                if self.mode.is_config() {
                    self.remember(line.text())?;
                    self.execute(&line)?;
                }
                self.leave_config()
            }
            Typed::Abandoned => self.leave_config(),
        }
    }

    fn leave_config(&mut self) -> Result<(), End> {
        if self.mode.is_config() {
            self.command("end", |index| index)
        } else {
            Ok(())
        }
    }

    /// Puts a line into the history, this one and the daemon's for `show history`: also one that is
    /// refused, as it was typed.
    fn remember(&mut self, line: &str) -> Result<(), End> {
        self.history().add(line);
        if line.trim().is_empty() || line.len() > MAX_LINE {
            return Ok(());
        }
        let line = line.to_owned();
        Ok(self.session.send(&Request::Typed { line })?)
    }

    fn history(&mut self) -> &mut History {
        if self.mode.is_config() {
            &mut self.config_history
        } else {
            &mut self.exec_history
        }
    }

    /// Reads a line at the prompt; help, completion and log messages happen on the way.
    fn read_line(&mut self) -> Result<Typed, End> {
        let mut editor = Editor::new(&self.prompt, self.terminal.width(), true);
        self.history().rewind();
        self.terminal.fresh_line();
        self.paint(&mut editor);
        loop {
            match self.terminal.next(&mut self.session, Listen::Replies)? {
                Event::Resize => self.resize(&mut editor),
                Event::Reply(reply) => self.aside(reply, &mut editor)?,
                Event::Key(key) => {
                    if let Some(typed) = self.key(key, &mut editor)? {
                        return Ok(typed(editor));
                    }
                }
            }
        }
    }

    fn paint(&mut self, editor: &mut Editor) {
        let mut out = String::new();
        editor.paint(&mut out);
        self.terminal.put(&out);
    }

    fn resize(&mut self, editor: &mut Editor) {
        let mut out = String::new();
        editor.resize(self.terminal.width(), &mut out);
        self.terminal.put(&out);
    }

    /// Takes a key; gives what the line became when it is finished.
    fn key(&mut self, key: Key, editor: &mut Editor) -> Result<Option<Finished>, End> {
        // A tab in the middle of pasted text is a blank, not a request.
        let key = if key == Key::Tab && self.terminal.follows()? {
            Key::Char(' ')
        } else {
            key
        };
        let mut out = String::new();
        let history = if self.mode.is_config() {
            &mut self.config_history
        } else {
            &mut self.exec_history
        };
        let step = editor.key(key, history, &mut self.kill_buffer, &mut out);
        self.terminal.put(&out);
        match step {
            Step::Edit => {}
            Step::Help => self.help(editor)?,
            Step::Complete => {
                if let Some(text) = lang::complete(self.mode, &self.access, editor.before_cursor())
                {
                    editor.complete(&text);
                }
                self.terminal.put("\r\n");
                self.paint(editor);
            }
            Step::Enter => {
                self.leave(editor, "");
                return Ok(Some(Typed::Line));
            }
            Step::End => {
                self.leave(editor, "^Z");
                return Ok(Some(Typed::End));
            }
            Step::Abandon => {
                self.leave(editor, "^C");
                return Ok(Some(|_| Typed::Abandoned));
            }
        }
        Ok(None)
    }

    /// Ends the line on the screen.
    fn leave(&mut self, editor: &mut Editor, mark: &str) {
        let mut out = String::new();
        editor.leave(&mut out);
        self.terminal.put(&format!("{out}{mark}\r\n"));
    }

    fn help(&mut self, editor: &mut Editor) -> Result<(), End> {
        self.terminal.put("?\r\n");
        let text = lang::help(self.mode, &self.access, editor.before_cursor());
        self.show(&text)?;
        if !text.starts_with('%') {
            self.terminal.fresh_line();
            self.terminal.print("\n");
        }
        self.paint(editor);
        Ok(())
    }

    /// What the daemon says while the operator types.
    fn aside(&mut self, reply: Reply, editor: &mut Editor) -> Result<(), End> {
        match reply {
            Reply::Log { text } => {
                let mut out = String::new();
                editor.erase(&mut out);
                self.terminal.put(&out);
                self.terminal.print(&format!("{text}\n"));
                self.paint(editor);
            }
            Reply::Terminal(settings) => {
                self.settings(settings, None);
                self.resize(editor);
            }
            Reply::Access(access) => self.access = access,
            Reply::Bye { text } => return Err(End::Closed(text)),
            _ => {}
        }
        Ok(())
    }

    fn settings(&mut self, settings: TerminalSettings, command: Option<TerminalCommand>) {
        self.terminal.set(settings, command);
        self.resize_histories();
    }

    fn resize_histories(&mut self) {
        self.exec_history.resize(self.terminal.history());
        self.config_history.resize(self.terminal.history());
    }

    /// The daemon went away: waits for the next one, unless Ctrl-C says not to.
    fn reconnect(&mut self) -> Result<(), End> {
        self.terminal.fresh_line();
        self.terminal.print(
            "% Connection to the daemon lost; waiting for it to come back (Ctrl-C to leave)\n",
        );
        loop {
            match self.greet() {
                Ok(session) => {
                    self.mode = session.welcome.mode;
                    self.prompt.clone_from(&session.welcome.prompt);
                    self.access = session.welcome.access.clone();
                    self.login = session.welcome.login;
                    let settings = session.welcome.terminal;
                    self.session = session;
                    self.terminal.begin(settings);
                    self.resize_histories();
                    self.terminal
                        .print("% Connected again; this is a new session\n");
                    return Ok(());
                }
                Err(End::Session(SessionError::Unreachable { .. } | SessionError::Lost(_))) => {}
                Err(end) => return Err(end),
            }
            if self.terminal.pause(None, Some(RETRY))? {
                return Err(End::GivenUp);
            }
        }
    }

    /// One attempt at a new session; Ctrl-C ends it, however long the daemon takes to answer.
    fn greet(&mut self) -> Result<Session, End> {
        let greeting = Greeting::send(&self.socket, true)?;
        if self.terminal.pause(Some(greeting.as_fd()), None)? {
            return Err(End::GivenUp);
        }
        Ok(greeting.finish()?)
    }
}
