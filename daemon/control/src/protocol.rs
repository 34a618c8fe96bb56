//! The messages on the control socket. Built by the console (`Request`) and by the daemon's
//! sessions (`Reply`).

use isthmus_grammar::{Access, Mode};
use serde::{Deserialize, Serialize};

/// The version both sides must have in common; raised when a message changes its meaning.
pub const PROTOCOL_VERSION: u32 = 4;

/// The socket's name inside the run directory.
pub const SOCKET_NAME: &str = "isthmusd.sock";

/// The last words at the machine's own console: the client ends once the next operator has pressed Return.
pub const PRESS_RETURN: &str = "Press RETURN to get started.\n";

/// What a client may send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Who is there. Always the first frame, and sent once.
    Hello(Hello),
    /// Run one line as it was typed, in the session's present mode, without the output filter.
    /// The daemon expands and parses it with the same grammar. Answered by any number of
    /// [`Reply::Output`] and [`Reply::Ask`], then one [`Reply::Done`].
    Exec {
        /// The line, without its line end.
        line: String,
    },
    /// A line was typed, also one that is refused: for `show history` of an interactive session.
    /// Not answered; the Exec that may follow has it without the output filter.
    Typed {
        /// The whole line, without its line end.
        line: String,
    },
    /// The size of the screen as the console uses it: the window's until a command says otherwise. For `show terminal`;
    /// not answered. Sent before an Exec when it is not what the daemon knows.
    Screen {
        /// Lines a page, 0 for no paging.
        length: u32,
        /// Columns, 0 for no limit.
        width: u32,
    },
    /// The answer to the last [`Reply::Ask`].
    Answer {
        /// `Line`, `Secret`: what was typed. `Confirm`: the key pressed (empty for Enter).
        /// `Text`: everything before the delimiter, lines joined by `\n`.
        text: String,
    },
    /// Ctrl-C or Ctrl-^: stop the running command, or give up the question. Harmless when
    /// nothing runs.
    Interrupt,
}

/// The client's introduction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`PROTOCOL_VERSION`] of the client.
    pub version: u32,
    /// Where the operator sits: `console`, or `vty0` for any vty. The daemon picks the line.
    pub line: String,
    /// The user's name. Only root and the daemon's user are believed; of others the kernel knows better.
    pub user: Option<String>,
    /// The address the operator came from, when known; only ever shown.
    pub source: Option<std::net::IpAddr>,
    /// A person at a terminal: starts in user EXEC. Otherwise (`-c`, standard input that is not
    /// a terminal) the session starts in privileged EXEC if the caller may.
    pub interactive: bool,
}

/// What the daemon may send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// The session is open.
    Welcome(Welcome),
    /// Text to print as it is; it carries its own line ends (`\n`). Goes through the console's
    /// filter and pager.
    Output {
        /// At most [`OUTPUT_CHUNK`](crate::OUTPUT_CHUNK) bytes a frame.
        text: String,
    },
    /// The command needs an answer: print the prompt, then send [`Request::Answer`] (or
    /// [`Request::Interrupt`]). Neither prompt nor answer goes through filter or pager.
    Ask {
        /// Printed as it is, e.g. `Destination filename [startup-config]? `.
        prompt: String,
        /// How to read the answer.
        kind: AskKind,
    },
    /// The line is no command from one of its characters on. The console, which knows where that stands on the screen,
    /// prints the caret and the message; [`Status::Invalid`] follows.
    Invalid {
        /// Characters of the line before it.
        column: usize,
    },
    /// The command is over; the console prints the prompt.
    Done {
        /// How it went.
        status: Status,
        /// The session's mode from now on.
        mode: Mode,
        /// The whole prompt from now on, e.g. `R1(config-if)#`.
        prompt: String,
    },
    /// Before the [`Reply::Done`] that ends a login: in the place of a first prompt this command runs (`autocommand`). The
    /// console sends it as [`Request::Exec`], without its filter; no other is taken before it.
    Autocommand {
        /// The line, with its output filter.
        line: String,
        /// The session ends with it.
        last: bool,
    },
    /// What the session may do changed (`enable`): for help and completion on the console's side.
    Access(Access),
    /// The terminal's settings changed (`terminal length 0`).
    Terminal(TerminalSettings),
    /// A log or debug message for this terminal (`terminal monitor`), one line, no line end.
    /// May come at any time after Welcome.
    Log {
        /// The whole line, with its time stamp.
        text: String,
    },
    /// The daemon closes the session: after `exit`, at a reload, or because of a refusal.
    Bye {
        /// Why; empty after an ordinary `exit`, [`PRESS_RETURN`] at its end at the machine's own console.
        text: String,
    },
}

/// The daemon's introduction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// [`PROTOCOL_VERSION`] of the daemon.
    pub version: u32,
    /// Where the session starts.
    pub mode: Mode,
    /// The first prompt.
    pub prompt: String,
    /// The host name.
    pub hostname: String,
    /// Message of the day and exec banner, printed before the first prompt of an interactive
    /// session; empty when there is none. Ends with a line end.
    pub banner: String,
    /// Terminal settings at the start.
    pub terminal: TerminalSettings,
    /// Something comes before the first prompt, such as the question who is there: [`Reply::Output`], [`Reply::Ask`],
    /// [`Reply::Autocommand`], then [`Reply::Done`] with the first prompt, or [`Reply::Bye`].
    pub login: bool,
    /// What the session may do.
    pub access: Access,
}

/// Settings of the operator's terminal that the console applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSettings {
    /// Lines of a screen; 0 switches the pager off.
    pub length: u32,
    /// Columns; 0 means no limit.
    pub width: u32,
    /// How many lines the console's history keeps.
    pub history: u32,
}

impl Default for TerminalSettings {
    fn default() -> Self {
        Self {
            length: 24,
            width: 80,
            history: 10,
        }
    }
}

/// How the answer to a question is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskKind {
    /// One line, echoed.
    Line,
    /// One line, not echoed.
    Secret,
    /// One key, `[confirm]`: Enter or `y` agrees.
    Confirm,
    /// Lines until the delimiter is typed (banners).
    Text {
        /// Ends the text at any place of a line; the rest of that line is dropped.
        delimiter: char,
    },
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Done.
    Ok,
    /// Refused by the grammar; [`Reply::Invalid`] or the Output says why.
    Invalid,
    /// Understood and refused or failed; the Output says why.
    Failed,
}
