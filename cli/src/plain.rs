//! The session without a terminal: lines from `-c` or from standard input, plain text out. No
//! prompts, no pager, no escapes. Called by `main`.
//!
//! Every line is run in order, in the mode that the one before it left. A question takes its
//! answer from the lines that follow. A refused line is printed with its prompt, so that the
//! caret below it points at something.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::os::fd::AsFd as _;
use std::path::Path;

use isthmus_control::{AskKind, Reply, Request, Status};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use isthmus_grammar::banner::banner_start;
use isthmus_grammar::{Access, Mode, Refusal};
use isthmusd::config::cursor::BYTE_ORDER_MARK;

use crate::client::{MAX_LINE, Session, SessionError};
use crate::documents::{self, ExecutedLine, Out};
use crate::lang;
use crate::screen::{Stream, printable};

/// The most text kept back while it is not known whether the command was refused, in bytes.
const HELD: usize = 2048;

/// How much of a line that is too long is shown, in characters.
const EXCERPT: usize = 60;

/// How the whole session went: the worst of its lines, in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Every line was done.
    #[default]
    Success,
    /// A line was understood and failed.
    Failed,
    /// A line was not understood.
    Invalid,
}

/// Where the lines come from.
pub enum Source<'a> {
    /// `-c`, in order.
    Commands(VecDeque<String>),
    /// Standard input.
    Input(BufReader<&'a mut dyn Read>),
}

impl Source<'_> {
    /// The next line without its line end; bytes that are not UTF-8 become U+FFFD, which no
    /// command takes.
    fn next(&mut self) -> io::Result<Option<String>> {
        let input = match self {
            Self::Commands(lines) => return Ok(lines.pop_front()),
            Self::Input(input) => input,
        };
        let mut bytes = Vec::new();
        if input.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        while matches!(bytes.last(), Some(b'\n' | b'\r')) {
            bytes.pop();
        }
        bytes.retain(|&b| b != 0);
        let line = String::from_utf8_lossy(&bytes);
        Ok(Some(line.trim_start_matches(BYTE_ORDER_MARK).to_owned()))
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Commands(_) => "give it as one more -c (an empty one takes the default)",
            Self::Input(_) => {
                "put it on the line after the command (an empty line takes the default)"
            }
        }
    }
}

/// Why the session could not go on.
#[derive(Debug, thiserror::Error)]
pub enum PlainError {
    /// The daemon.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Standard input or output.
    #[error("% {0}")]
    Io(#[from] io::Error),
}

/// How lines are run.
#[derive(Debug, Clone, Copy, Default)]
pub struct How {
    /// Each answers with one JSON document.
    pub json: bool,
    /// The first that fails or is not understood is the last.
    pub stop_on_error: bool,
}

/// Runs every line of `source` and writes what they answer to `out`.
///
/// # Errors
/// [`PlainError`] when the daemon cannot be reached or goes away, or a stream fails.
pub fn run<'a>(
    socket: &Path,
    source: Source<'a>,
    how: How,
    out: &'a mut dyn Write,
) -> Result<Outcome, PlainError> {
    let session = Session::open(socket, false)?;
    let mut plain = Plain {
        prompt: session.welcome.prompt.clone(),
        mode: session.welcome.mode,
        access: session.welcome.access.clone(),
        numbered: matches!(source, Source::Input(_)),
        session,
        source,
        pushed_back: None,
        number: 0,
        out: Out::new(out, how.json),
        stop_on_error: how.stop_on_error,
        last: String::new(),
        outcome: Outcome::Success,
        column: None,
    };
    plain.run()?;
    plain.out.flush()?;
    Ok(plain.outcome)
}

/// Whether standard input has something to read, or has ended.
fn input_waits() -> bool {
    let stdin = io::stdin();
    let mut fds = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

struct Plain<'a> {
    session: Session,
    source: Source<'a>,
    /// A line that was looked at for an answer and was none.
    pushed_back: Option<String>,
    /// Lines read so far.
    number: usize,
    numbered: bool,
    prompt: String,
    mode: Mode,
    /// What the session may do: here only its aliases count.
    access: Access,
    out: Out<'a>,
    outcome: Outcome,
    stop_on_error: bool,
    /// The line that was run last.
    last: String,
    /// From where on the present line is refused.
    column: Option<usize>,
}

/// The command that the daemon begins the session with.
struct Autocommand {
    line: String,
    /// The session ends with it.
    last: bool,
}

impl Plain<'_> {
    fn run(&mut self) -> Result<(), PlainError> {
        let automatic = match self.session.welcome.login {
            true => self.log_in()?,
            false => None,
        };
        let mut open = match automatic {
            Some(Autocommand { line, last }) => self.turn(&line)? && !last,
            None => true,
        };
        while open {
            if self.stop_on_error && self.outcome > Outcome::Success {
                return Ok(self.left_over("was not done")?);
            }
            match self.next_line()? {
                Some(line) => {
                    line.clone_into(&mut self.last);
                    open = self.turn(&line)?;
                }
                None => return Ok(()),
            }
        }
        Ok(self.left_over("ended the session")?)
    }

    /// What comes before the first line.
    fn log_in(&mut self) -> Result<Option<Autocommand>, PlainError> {
        let mut automatic = None;
        loop {
            match self.session.receive()? {
                Reply::Autocommand { line, last } => automatic = Some(Autocommand { line, last }),
                Reply::Access(access) => self.access = access,
                Reply::Done { mode, prompt, .. } => {
                    self.prompt = prompt;
                    self.mode = mode;
                    return Ok(automatic);
                }
                _ => {}
            }
        }
    }

    fn next_line(&mut self) -> io::Result<Option<String>> {
        if let Some(line) = self.pushed_back.take() {
            return Ok(Some(line));
        }
        let line = self.source.next()?;
        self.number += usize::from(line.is_some());
        Ok(line)
    }

    /// No line is run any more; `why` says what the last one did. Lines that were to follow are not lost without a word.
    fn left_over(&mut self, why: &str) -> io::Result<()> {
        let (last, last_number) = (printable(&self.last), self.number);
        let mut first: Option<(usize, String)> = None;
        let mut count = 0_usize;
        while let Some(line) = self.next_waiting()? {
            if !line.trim().is_empty() {
                count += 1;
                first.get_or_insert((self.number, line));
            }
        }
        let Some((number, line)) = first else {
            return Ok(());
        };
        self.outcome = self.outcome.max(Outcome::Failed);
        let (shown, were) = (
            printable(&line),
            if count == 1 { "line was" } else { "lines were" },
        );
        match last_number {
            0 => write!(self.out, "% The session is over")?,
            _ => write!(self.out, "% Line {last_number} ({last}) {why}")?,
        }
        writeln!(
            self.out,
            "; {count} {were} not run, from line {number} on: {shown}"
        )?;
        self.document(self.mode, number, &line, Outcome::Failed)
    }

    /// The next line if it is already here: the program that writes to standard input may wait for our end.
    fn next_waiting(&mut self) -> io::Result<Option<String>> {
        match &self.source {
            Source::Input(input) if input.buffer().is_empty() && !input_waits() => Ok(None),
            _ => self.next_line(),
        }
    }

    /// Runs one line and, with `--json`, writes its document; false when the session is over.
    fn turn(&mut self, line: &str) -> Result<bool, PlainError> {
        let (mode, number) = (self.mode, self.number);
        let worst = std::mem::take(&mut self.outcome);
        let spelled = self.access.spell_out(mode, line);
        let line = spelled.as_ref().map_or(line, |spelled| &spelled.line);
        let going_on = self.execute(line)?;
        let outcome = self.outcome;
        self.outcome = worst.max(outcome);
        self.document(mode, number, line, outcome)?;
        Ok(going_on)
    }

    fn document(
        &mut self,
        mode: Mode,
        number: usize,
        line: &str,
        outcome: Outcome,
    ) -> io::Result<()> {
        if !self.out.holds() {
            return Ok(());
        }
        self.out.document(&ExecutedLine {
            mode,
            number,
            line,
            outcome,
            column: self.column.take(),
        })
    }

    /// Runs one line, with the text below it if it begins a banner; false when the session is
    /// over.
    fn execute(&mut self, line: &str) -> Result<bool, PlainError> {
        let number = self.number;
        let Some(end) = banner_start(self.mode, line) else {
            return self.execute_whole(number, line);
        };
        match self.text(|line| end.ends(line))? {
            Some(text) => self.execute_whole(number, &format!("{line}\n{text}")),
            None => {
                self.refused(number, line, "% The banner has no end\n\n")?;
                Ok(true)
            }
        }
    }

    fn execute_whole(&mut self, number: usize, line: &str) -> Result<bool, PlainError> {
        if line.len() > MAX_LINE {
            let text = format!(
                "% Line too long: {} bytes, the limit is {MAX_LINE}\n\n",
                line.len()
            );
            self.refused(
                number,
                &line.chars().take(EXCERPT).collect::<String>(),
                &text,
            )?;
            return Ok(true);
        }
        let divided = if self.out.holds() {
            let request = documents::request(self.mode, line);
            request
                .map(|request| (request, None))
                .map_err(str::to_owned)
        } else {
            lang::without_filter(self.mode, line)
        };
        let (command, filter) = match divided {
            Ok(divided) => divided,
            Err(refusal) => {
                self.refused(number, line, &refusal)?;
                return Ok(true);
            }
        };
        let mut stream = Stream::new(filter);
        let mut held = Some(String::new());
        // The daemon may have said goodbye before it read the line: what it said tells more than a broken pipe.
        let mut unsent = self.session.send(&Request::Exec { line: command }).err();
        loop {
            let reply = self.session.receive();
            match reply.map_err(|lost| unsent.take().unwrap_or(lost))? {
                Reply::Output { text } => match &mut held {
                    Some(start) if start.len() + text.len() <= HELD => start.push_str(&text),
                    _ => {
                        let text = held.take().unwrap_or_default() + &text;
                        self.out.write_all(stream.push(&text).as_bytes())?;
                    }
                },
                Reply::Invalid { column } => {
                    self.column = Some(column);
                    let width = self.prompt.chars().count();
                    held = Some(Refusal::Invalid { column }.message(width, line));
                }
                Reply::Ask { prompt, kind } => {
                    let text = held.take().unwrap_or_default();
                    self.out.write_all(stream.push(&text).as_bytes())?;
                    self.answer(&prompt, kind)?;
                }
                Reply::Done {
                    status,
                    mode,
                    prompt,
                } => {
                    let text = held.take().unwrap_or_default();
                    if status == Status::Invalid {
                        self.refused(number, line, &text)?;
                    } else {
                        self.out.write_all(stream.push(&text).as_bytes())?;
                        self.out.write_all(stream.finish().as_bytes())?;
                        if status == Status::Failed {
                            self.outcome = self.outcome.max(Outcome::Failed);
                        }
                    }
                    self.out.flush()?;
                    self.prompt = prompt;
                    self.mode = mode;
                    return Ok(true);
                }
                Reply::Bye { text } => {
                    let held = held.take().unwrap_or_default();
                    self.out.write_all(stream.push(&held).as_bytes())?;
                    self.out.write_all(text.as_bytes())?;
                    if !text.is_empty() && !text.ends_with('\n') {
                        writeln!(self.out)?;
                    }
                    return Ok(false);
                }
                Reply::Access(access) => self.access = access,
                Reply::Welcome(_)
                | Reply::Autocommand { .. }
                | Reply::Terminal(_)
                | Reply::Log { .. } => {}
            }
        }
    }

    fn refused(&mut self, number: usize, line: &str, text: &str) -> io::Result<()> {
        self.outcome = Outcome::Invalid;
        if self.out.holds() {
            return self.out.write_all(text.as_bytes());
        }
        if self.numbered {
            writeln!(self.out, "line {number}:")?;
        }
        let first = line.split('\n').next().unwrap_or_default();
        writeln!(self.out, "{}{}", self.prompt, printable(first))?;
        self.out.write_all(text.as_bytes())
    }

    fn answer(&mut self, prompt: &str, kind: AskKind) -> Result<(), PlainError> {
        let answer = match kind {
            AskKind::Text { delimiter } => self
                .text(|line| line.contains(delimiter))?
                .map(|text| text.split(delimiter).next().unwrap_or_default().to_owned()),
            AskKind::Confirm => {
                let line = self.next_line()?;
                let (key, command) = match line {
                    Some(line) if line.chars().count() > 1 => (None, Some(line)),
                    line => (line, None),
                };
                self.pushed_back = command;
                key
            }
            AskKind::Line | AskKind::Secret => self.next_line()?,
        };
        let request = match answer {
            Some(text) => Request::Answer { text },
            None => {
                self.outcome = self.outcome.max(Outcome::Failed);
                let prompt = prompt.trim();
                writeln!(
                    self.out,
                    "% No answer to \"{prompt}\": {}",
                    self.source.advice()
                )?;
                Request::Interrupt
            }
        };
        Ok(self.session.send(&request)?)
    }

    /// Lines up to and with the one for which `ends` is true; `None` when there is no such line.
    fn text(&mut self, ends: impl Fn(&str) -> bool) -> io::Result<Option<String>> {
        let mut lines = Vec::new();
        while let Some(line) = self.next_line()? {
            let last = ends(&line);
            lines.push(line);
            if last {
                return Ok(Some(lines.join("\n")));
            }
        }
        Ok(None)
    }
}
