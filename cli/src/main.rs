//! `isthmus`: the arguments, and the exit status.

use std::collections::VecDeque;
use std::fmt::Display;
use std::io::{self, BufReader, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use isthmus_console::check::{self, Totals};
use isthmus_console::documents;
use isthmus_console::plain::{self, How, Outcome, PlainError, Source};
use isthmus_console::scp;
use isthmus_console::shell::{self, End};
use isthmus_kernel::keep_to_itself;

/// A command was understood and failed.
const FAILED: u8 = 1;
/// A command was not understood.
const SYNTAX: u8 = 2;
/// The daemon cannot be reached, or went away.
const UNREACHABLE: u8 = 3;
/// `--check`: some line is not understood.
const NOT_UNDERSTOOD: u8 = 1;
/// `--check`: the file cannot be read.
const UNREADABLE: u8 = 2;
/// Added to the number of the signal that ended the session, as shells do.
const SIGNAL: u8 = 128;
/// Wrong arguments.
const USAGE: u8 = 64;

/// The Isthmus console.
///
/// Without arguments, on a terminal: the interactive console. With standard input from a file or
/// a pipe: runs its lines in order, starting in privileged EXEC.
#[derive(Parser)]
#[command(
    name = "isthmus",
    version,
    after_help = "Exit status: 0 success, 1 a command failed, \
    2 a command was not understood, 3 the daemon cannot be reached, 64 wrong arguments;\n\
    of several commands the worst counts.\n\
    With --check: 0 every line would be obeyed (also those listed as not active in this release), \
    1 some not (with --strict also those), 2 the file cannot be read."
)]
struct Arguments {
    /// The daemon's control socket
    #[arg(
        long,
        value_name = "PATH",
        default_value = "/run/isthmus/isthmusd.sock"
    )]
    socket: PathBuf,
    /// Run a command in privileged EXEC; may be repeated
    #[arg(short, value_name = "COMMAND")]
    command: Vec<String>,
    /// Answer each command with one line of JSON: the facts of a show command, or status and output
    #[arg(long, conflicts_with = "check")]
    json: bool,
    /// End at the first command that fails or is not understood
    #[arg(long, conflicts_with = "check")]
    stop_on_error: bool,
    /// List the lines of a configuration that would not be obeyed or are not active; needs no daemon
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    check: Option<PathBuf>,
    /// With --check: lines that are kept without acting are failures too
    #[arg(long, requires = "check")]
    strict: bool,
}

/// Where sshd leaves the command that a client asked for, when ForceCommand runs the console instead.
const ORIGINAL_COMMAND: &str = "SSH_ORIGINAL_COMMAND";

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => with_original_command(arguments),
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    if let Some(file) = &arguments.check {
        return check_file(file, arguments.strict);
    }
    // Not before: without it the user's own `/dev/stdin` cannot be opened, which is a good file to check.
    if let Err(error) = keep_to_itself() {
        return report(&format!("% Others may read the memory: {error}"), FAILED);
    }
    if arguments.command.is_empty() && io::stdin().is_terminal() && io::stdout().is_terminal() {
        if arguments.json {
            let text = "% --json needs commands: give them with -c or on standard input";
            return report(&text, USAGE);
        }
        return interactive(&arguments.socket);
    }
    if let [command] = &arguments.command[..]
        && let Some(task) = scp::task(command)
    {
        return match scp::serve(&arguments.socket, task, io::stdin().lock(), io::stdout()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => report(&error, FAILED),
        };
    }
    let mut input;
    let source = if arguments.command.is_empty() {
        input = io::stdin().lock();
        Source::Input(BufReader::new(&mut input))
    } else {
        Source::Commands(VecDeque::from(arguments.command))
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let how = How {
        json: arguments.json,
        stop_on_error: arguments.stop_on_error,
    };
    let result = plain::run(&arguments.socket, source, how, &mut out);
    if let (true, Err(error @ PlainError::Session(_))) = (arguments.json, &result) {
        // A reader of JSON gets JSON also for this; the exit status says it too.
        let _ = writeln!(out, "{}", documents::unreachable(error));
        let _ = out.flush();
        return ExitCode::from(UNREACHABLE);
    }
    let flushed = out.flush();
    match (result, flushed) {
        (Err(error @ PlainError::Session(_)), _) => report(&error, UNREACHABLE),
        (Err(PlainError::Io(error)), _) | (Ok(_), Err(error)) => stream_failed(&error, FAILED),
        (Ok(Outcome::Success), Ok(())) => ExitCode::SUCCESS,
        (Ok(Outcome::Failed), Ok(())) => ExitCode::from(FAILED),
        (Ok(Outcome::Invalid), Ok(())) => ExitCode::from(SYNTAX),
    }
}

/// As ForceCommand the console does what the client asked it for: `ssh router 'show clock'`.
fn with_original_command(mut arguments: Arguments) -> Arguments {
    if arguments.command.is_empty() && arguments.check.is_none() {
        arguments
            .command
            .extend(std::env::var(ORIGINAL_COMMAND).ok());
    }
    arguments
}

fn check_file(file: &Path, strict: bool) -> ExitCode {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            return report(
                &format!("% Cannot read {}: {error}", file.display()),
                UNREADABLE,
            );
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut out = BufWriter::new(io::stdout().lock());
    let checked = check::check(&file.display().to_string(), &text, &mut out);
    let faults = |totals: Totals| match strict {
        true => totals.faults_when_strict(),
        false => totals.faults(),
    };
    match checked.and_then(|totals| out.flush().map(|()| faults(totals))) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(NOT_UNDERSTOOD),
        Err(error) => stream_failed(&error, UNREADABLE),
    }
}

/// Standard input or output failed. A reader that closed it early (`| head`) gets no message.
fn stream_failed(error: &io::Error, status: u8) -> ExitCode {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return ExitCode::from(SIGNAL + nix::libc::SIGPIPE as u8);
    }
    report(&format!("% {error}"), status)
}

fn interactive(socket: &Path) -> ExitCode {
    match shell::run(socket) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ (End::Session(_) | End::GivenUp)) => report(&error, UNREACHABLE),
        Err(End::Signal(number)) => ExitCode::from(SIGNAL.saturating_add(number as u8)),
        Err(error) => report(&error, FAILED),
    }
}

fn report(error: &dyn Display, status: u8) -> ExitCode {
    // Standard error may be closed.
    let _ = writeln!(io::stderr(), "{error}");
    ExitCode::from(status)
}
