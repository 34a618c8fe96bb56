//! The console as a program: arguments and standard input instead of a terminal.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// The console; its standard input is empty.
pub fn isthmus() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_isthmus"));
    command.stdin(Stdio::null());
    command
}

/// The console of a daemon, by its socket.
pub fn isthmus_at(socket: &Path) -> Command {
    let mut command = isthmus();
    command.arg("--socket").arg(socket);
    command
}

/// Starts a command that waits for its input.
pub fn piped(command: &mut Command) -> Child {
    let ends = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    ends.stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs a command with this input, of which it need not read everything.
pub fn given(command: &mut Command, input: &[u8]) -> Output {
    let mut child = piped(command);
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}
