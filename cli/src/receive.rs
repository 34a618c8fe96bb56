//! The far end of `scp FILE router:flash:FILE`: what sshd starts as `isthmus -c 'scp -t flash:FILE'` takes the file from
//! standard input in scp's own protocol and hands it to the daemon, which keeps it in `flash:`. Called by `main`.

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

/// Why a file was not taken; the text goes to the client.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
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

/// The file that `scp ... -t FILE` names; `None` for every other command.
pub fn target(command: &str) -> Option<&str> {
    let rest = command.trim().strip_prefix("scp ")?;
    let mut words = rest.split_whitespace();
    let mut sink = false;
    let name = loop {
        match words.next()? {
            "-t" => sink = true,
            "-v" | "-p" | "-q" | "-r" | "-d" | "--" => {}
            word if word.starts_with('-') => return None,
            word => break word,
        }
    };
    let name = name.trim_matches(['\'', '"']);
    (sink && words.next().is_none() && !name.is_empty()).then_some(name)
}

/// Takes files until the client has no more.
///
/// # Errors
/// The client was told.
pub fn receive(
    socket: &Path,
    target: &str,
    mut input: impl BufRead,
    mut output: impl Write,
) -> Result<(), ReceiveError> {
    let done = files(socket, target, &mut input, &mut output);
    if let Err(error) = &done {
        let text = error.to_string().replace('\n', " ");
        let _ = writeln!(output, "\x02scp: {}", text.trim()).and_then(|()| output.flush());
    }
    done
}

fn files(
    socket: &Path,
    target: &str,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), ReceiveError> {
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
                .ok_or_else(|| ReceiveError::Refused("only plain files are taken".into()))?;
            let place = match target.ends_with([':', '/']) {
                true => format!("{target}{name}"),
                false => target.to_owned(),
            };
            agree(output)?;
            store(&mut session, &place, size, input)?;
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

/// Passes one file on, piece by piece, as answers to the daemon's questions.
fn store(
    session: &mut Session,
    place: &str,
    size: u64,
    input: &mut impl Read,
) -> Result<(), ReceiveError> {
    if place.contains(char::is_whitespace) {
        return Err(ReceiveError::Refused("no blanks in file names".into()));
    }
    session.send(&Request::Exec {
        line: format!("receive {place}"),
    })?;
    let (mut left, mut said) = (size, String::new());
    loop {
        match session.receive()? {
            Reply::Ask { .. } => {
                let length = left.min(CHUNK as u64);
                let mut piece = vec![0; usize::try_from(length).unwrap_or(CHUNK)];
                input.read_exact(&mut piece)?;
                left -= length;
                session.send(&Request::Answer {
                    text: STANDARD.encode(piece),
                })?;
            }
            Reply::Output { text } => said.push_str(&text),
            Reply::Done {
                status: Status::Ok, ..
            } => return Ok(()),
            Reply::Done { .. } => return Err(ReceiveError::Refused(said)),
            Reply::Bye { text } => return Err(ReceiveError::Refused(text)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sink_of_scp_is_meant() {
        for command in [
            "scp -t flash:/a.cfg",
            "scp -v -t 'flash:/a.cfg'",
            " scp -p -r -t -- flash:/a.cfg ",
        ] {
            assert_eq!(target(command), Some("flash:/a.cfg"), "{command}");
        }
        for command in [
            "scp -f flash:/a.cfg",
            "scp -t a b",
            "scp -t",
            "scp -S sh -t a",
            "show clock",
            "scpx -t a",
        ] {
            assert_eq!(target(command), None, "{command}");
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
