//! The router's end of `scp FILE router:flash:FILE` and `scp router:flash:FILE FILE`: what sshd starts as
//! `isthmus -c 'scp -t flash:FILE'` (or `-f`) speaks scp's own protocol on standard input and output, and the daemon has
//! the files. Called by `main`.

use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use isthmus_control::{Reply, Request, Status};

use crate::client::{Session, SessionError};

/// Octets of a file in one message to the daemon.
const CHUNK: usize = 24 * 1024;
/// The longest line of scp's protocol.
const MAX_HEADER: u64 = 4096;

/// Why a file was not taken or given; the text goes to the client.
#[derive(Debug, thiserror::Error)]
pub enum ScpError {
    /// There is no session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The client is gone or does not speak scp.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The daemon or we do not want the file.
    #[error("{0}")]
    Refused(String),
}

/// What a client wants of the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task<'a> {
    /// `scp -t FILE`: it brings files.
    Take(&'a str),
    /// `scp -f FILE`: it fetches one.
    Give(&'a str),
}

/// What `scp ... -t FILE` or `scp ... -f FILE` asks; `None` for every other command.
pub fn task<'a>(command: &'a str) -> Option<Task<'a>> {
    let rest = command.trim().strip_prefix("scp ")?;
    let mut words = rest.split_whitespace();
    let mut task: Option<fn(&'a str) -> Task<'a>> = None;
    let name = loop {
        match words.next()? {
            "-t" => task = Some(Task::Take),
            "-f" => task = Some(Task::Give),
            "-v" | "-p" | "-q" | "-r" | "-d" | "--" => {}
            word if word.starts_with('-') => return None,
            word => break word,
        }
    };
    let name = name.trim_matches(['\'', '"']);
    let whole = words.next().is_none() && !name.is_empty();
    Some(task?(name)).filter(|_| whole)
}

/// Does what the client wants.
///
/// # Errors
/// The client was told.
pub fn serve(
    socket: &Path,
    task: Task<'_>,
    mut input: impl BufRead,
    mut output: impl Write,
) -> Result<(), ScpError> {
    let done = match task {
        Task::Take(target) => files(socket, target, &mut input, &mut output),
        Task::Give(name) => give(socket, name, &mut input, &mut output),
    };
    if let Err(error) = &done {
        let text = error.to_string().replace('\n', " ");
        let _ = writeln!(output, "\x02scp: {}", text.trim()).and_then(|()| output.flush());
    }
    done
}

/// Gives one file, which the client asks for with an octet of agreement before each step.
fn give(
    socket: &Path,
    name: &str,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), ScpError> {
    let bytes = fetch(&mut Session::open(socket, false)?, name)?;
    agreed(input)?;
    writeln!(output, "C0600 {} {}", bytes.len(), announced(name))?;
    output.flush()?;
    agreed(input)?;
    output.write_all(&bytes)?;
    agree(output)?;
    agreed(input)
}

/// The name under which a file is sent: OpenSSH's client takes no other than what follows the last slash of its request,
/// so the file system stays before a name without one (`flash:h.txt`).
fn announced(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn agreed(input: &mut impl Read) -> Result<(), ScpError> {
    let mut answer = [0];
    input.read_exact(&mut answer)?;
    match answer {
        [0] => Ok(()),
        _ => Err(ScpError::Refused(
            "the client does not want the file".into(),
        )),
    }
}

/// What a file of the router holds.
fn fetch(session: &mut Session, name: &str) -> Result<Vec<u8>, ScpError> {
    let text = command(session, "transmit", name, |_| Ok(String::new()))?;
    let mut bytes = Vec::new();
    for piece in text.lines() {
        STANDARD
            .decode_vec(piece, &mut bytes)
            .map_err(|_| ScpError::Refused("the daemon's answer is not in Base64".into()))?;
    }
    Ok(bytes)
}

/// Takes files until the client has no more.
fn files(
    socket: &Path,
    target: &str,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), ScpError> {
    let mut session = Session::open(socket, false)?;
    agree(output)?;
    loop {
        let mut header = String::new();
        if input.by_ref().take(MAX_HEADER).read_line(&mut header)? == 0 {
            return Ok(());
        }
        // A time stamp comes before the file it belongs to.
        if !header.starts_with('T') {
            let (size, name) = file(&header)
                .ok_or_else(|| ScpError::Refused("only plain files are taken".into()))?;
            let place = match target.ends_with([':', '/']) {
                true => format!("{target}{name}"),
                false => target.to_owned(),
            };
            store(&mut session, &place, size, input, output)?;
            let mut end = [0];
            input.read_exact(&mut end)?;
        }
        agree(output)?;
    }
}

fn agree(output: &mut impl Write) -> io::Result<()> {
    output.write_all(&[0])?;
    output.flush()
}

/// Size and name in `C0644 SIZE NAME`.
fn file(header: &str) -> Option<(u64, &str)> {
    let mut words = header
        .strip_prefix('C')?
        .trim_end_matches('\n')
        .splitn(3, ' ');
    let (_, size, name) = (words.next()?, words.next()?, words.next()?);
    let plain = !name.is_empty() && !name.contains(['/', ' ']);
    Some((size.parse().ok()?, name)).filter(|_| plain)
}

/// Passes one file on, piece by piece, as answers to the daemon's questions. The client is told to send once the daemon
/// wants the file: a refusal that met it sending would be lost with the connection.
fn store(
    session: &mut Session,
    place: &str,
    size: u64,
    input: &mut impl Read,
    output: &mut impl Write,
) -> Result<(), ScpError> {
    let (mut left, mut agreed) = (size, false);
    let piece = |_: &str| {
        if !std::mem::replace(&mut agreed, true) {
            agree(output)?;
        }
        let length = left.min(CHUNK as u64);
        let mut piece = vec![0; usize::try_from(length).unwrap_or(CHUNK)];
        input.read_exact(&mut piece)?;
        left -= length;
        Ok(STANDARD.encode(piece))
    };
    command(session, "receive", place, piece).map(|_| ())
}

/// Lets the daemon do something with a file; gives what it says.
fn command(
    session: &mut Session,
    word: &str,
    file: &str,
    mut answer: impl FnMut(&str) -> io::Result<String>,
) -> Result<String, ScpError> {
    if file.contains(char::is_whitespace) {
        return Err(ScpError::Refused("no blanks in file names".into()));
    }
    session.send(&Request::Exec {
        line: format!("{word} {file}"),
    })?;
    let mut said = String::new();
    loop {
        match session.receive()? {
            Reply::Ask { prompt, .. } => {
                let text = answer(&prompt)?;
                session.send(&Request::Answer { text })?;
            }
            Reply::Output { text } => said.push_str(&text),
            Reply::Done {
                status: Status::Ok, ..
            } => return Ok(said),
            Reply::Done { .. } => return Err(ScpError::Refused(said)),
            Reply::Bye { text } => return Err(ScpError::Refused(text)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_far_ends_of_scp_are_meant() {
        for command in [
            "scp -t flash:/a.cfg",
            "scp -v -t 'flash:/a.cfg'",
            " scp -p -r -t -- flash:/a.cfg ",
        ] {
            assert_eq!(task(command), Some(Task::Take("flash:/a.cfg")), "{command}");
        }
        assert_eq!(
            task("scp -p -f flash:/a.cfg"),
            Some(Task::Give("flash:/a.cfg"))
        );
        for command in [
            "scp flash:/a.cfg",
            "scp -t a b",
            "scp -f",
            "scp -S sh -t a",
            "show clock",
            "scpx -t a",
        ] {
            assert_eq!(task(command), None, "{command}");
        }
    }

    #[test]
    fn a_file_is_announced_as_it_was_asked_for() {
        for (asked, name) in [
            ("flash:h.txt", "flash:h.txt"),
            ("flash:/h.txt", "h.txt"),
            ("flash:/logs/h.txt", "h.txt"),
            ("startup-config", "startup-config"),
            ("nvram:startup-config", "nvram:startup-config"),
            ("running-config", "running-config"),
        ] {
            assert_eq!(announced(asked), name, "{asked}");
        }
    }

    #[test]
    fn headers_are_read() {
        assert_eq!(file("C0644 12 a.cfg\n"), Some((12, "a.cfg")));
        for header in [
            "D0755 0 dir\n",
            "C0644 x a\n",
            "C0644 1 ../a\n",
            "C0644 1 \n",
            "\n",
        ] {
            assert_eq!(file(header), None, "{header}");
        }
    }
}
