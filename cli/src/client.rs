//! The session with the daemon: connects, says who is there, and gives the daemon's replies one
//! at a time. Used by [`crate::plain`] and [`crate::shell`].

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use isthmus_control::client::Client;
use isthmus_control::{FrameError, Hello, PROTOCOL_VERSION, Reply, Request, Welcome};

/// The longest line that is taken, in bytes. However its characters are escaped on the way, it
/// stays below [`MAX_REQUEST`](isthmus_control::MAX_REQUEST).
pub const MAX_LINE: usize = 10 * 1024;

/// Why there is no session, or no longer one. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No daemon answers on the socket.
    #[error("% Cannot reach the daemon at {}: {source}\n  {}", path.display(), advice(source))]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The daemon did not let us in, or sent us away.
    #[error("% The daemon closed the session: {0}")]
    Refused(String),
    /// The daemon speaks another version.
    #[error(
        "% The daemon speaks version {0} of the control protocol, this console version {PROTOCOL_VERSION}\n  \
         Install isthmus and isthmusd of the same release, then restart isthmusd"
    )]
    Version(u32),
    /// The connection broke.
    #[error("% Connection to the daemon lost{}", detail(.0))]
    Lost(Option<FrameError>),
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "Is isthmusd running? Start it, or name its socket with --socket RUN-DIR/isthmusd.sock"
        }
        io::ErrorKind::ConnectionRefused => "isthmusd is not running: start it",
        io::ErrorKind::PermissionDenied => {
            "Run isthmus as root or as a member of the group that owns the socket"
        }
        _ => "Check that isthmusd is running and that --socket names its socket",
    }
}

fn detail(error: &Option<FrameError>) -> String {
    error
        .as_ref()
        .map_or_else(String::new, |e| format!(": {e}"))
}

impl From<FrameError> for SessionError {
    fn from(error: FrameError) -> Self {
        Self::Lost(Some(error))
    }
}

/// A connection on which the operator was introduced; the daemon has not answered yet. It may be
/// busy loading its configuration.
pub struct Greeting(Client);

impl Greeting {
    /// Connects to the daemon's socket and introduces the operator. `interactive`: a person at a
    /// terminal, who starts in user EXEC.
    ///
    /// # Errors
    /// [`SessionError`]; its text says what to do.
    pub fn send(socket: &Path, interactive: bool) -> Result<Self, SessionError> {
        let mut client = Client::connect(socket).map_err(|source| SessionError::Unreachable {
            path: socket.to_owned(),
            source,
        })?;
        client.send(&Request::Hello(introduce(interactive)))?;
        Ok(Self(client))
    }

    /// Waits for the daemon's welcome.
    ///
    /// # Errors
    /// [`SessionError`]; its text says what to do.
    pub fn finish(self) -> Result<Session, SessionError> {
        let mut client = self.0;
        loop {
            match client.receive()?.ok_or(SessionError::Lost(None))? {
                Reply::Welcome(welcome) if welcome.version == PROTOCOL_VERSION => {
                    return Ok(Session { client, welcome });
                }
                Reply::Welcome(welcome) => return Err(SessionError::Version(welcome.version)),
                Reply::Bye { text } => return Err(SessionError::Refused(text)),
                _ => {}
            }
        }
    }
}

impl AsFd for Greeting {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// An open session.
pub struct Session {
    client: Client,
    /// What the daemon said about itself.
    pub welcome: Welcome,
}

impl Session {
    /// Connects to the daemon's socket, introduces the operator and waits for the welcome.
    ///
    /// # Errors
    /// [`SessionError`]; its text says what to do.
    pub fn open(socket: &Path, interactive: bool) -> Result<Self, SessionError> {
        Greeting::send(socket, interactive)?.finish()
    }

    /// Sends one request.
    ///
    /// # Errors
    /// [`SessionError::Lost`].
    pub fn send(&mut self, request: &Request) -> Result<(), SessionError> {
        Ok(self.client.send(request)?)
    }

    /// Waits for the next reply.
    ///
    /// # Errors
    /// [`SessionError::Lost`] when the daemon is gone.
    pub fn receive(&mut self) -> Result<Reply, SessionError> {
        self.client.receive()?.ok_or(SessionError::Lost(None))
    }

    /// The next reply that needs no reading from the socket.
    ///
    /// # Errors
    /// [`SessionError::Lost`] when what came is no frame.
    pub fn buffered(&mut self) -> Result<Option<Reply>, SessionError> {
        Ok(self.client.buffered()?)
    }
}

impl AsFd for Session {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.client.as_fd()
    }
}

/// Who sits here: the login name, and over SSH the line and the address it came from.
fn introduce(interactive: bool) -> Hello {
    let source = std::env::var("SSH_CONNECTION")
        .ok()
        .and_then(|v| v.split(' ').next().and_then(|a| a.parse::<IpAddr>().ok()));
    Hello {
        version: PROTOCOL_VERSION,
        line: if source.is_some() { "vty0" } else { "console" }.to_owned(),
        user: user_name(),
        source,
        interactive,
    }
}

fn user_name() -> Option<String> {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok()??;
    Some(user.name)
}
