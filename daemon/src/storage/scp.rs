//! The system's scp, run with the rights of the operator's own Linux user, never through a shell: the programs, the folder they
//! work in, and how ssh asks what it wants to know. `session/scp.rs` runs it and puts the questions to the operator.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::unistd::{Uid, User};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::UnixListener;
use tokio::process::{Child, ChildStderr, Command};
use tokio::runtime::Handle;

use super::Remote;
use crate::machine::outside::Outside;

/// Names the socket over which `isthmusd`, run by ssh in the place of a password dialog, asks the session.
pub const ASKPASS: &str = "ISTHMUS_ASKPASS";

/// Where programs are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The most of a question or a complaint that is read, in octets.
pub(crate) const MOST: u64 = 4096;

/// The programs behind `scp:`.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The system's scp.
    pub scp: PathBuf,
    /// What ssh calls to ask: this program.
    pub askpass: PathBuf,
}

impl Default for Programs {
    fn default() -> Self {
        Self {
            scp: "scp".into(),
            askpass: std::env::current_exe().unwrap_or_else(|_| "isthmusd".into()),
        }
    }
}

/// The last line of what scp says when it fails.
pub(crate) async fn complaint(stderr: Option<ChildStderr>) -> String {
    let mut bytes = Vec::new();
    if let Some(stderr) = stderr {
        // What was read until then is enough.
        let _ = stderr.take(MOST).read_to_end(&mut bytes).await;
    }
    let text = String::from_utf8_lossy(&bytes);
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    let last = last.unwrap_or_default();
    last.chars().filter(|c| !c.is_control()).collect()
}

/// A program that ends with this: only outside may a process of another user be killed.
pub(crate) struct Running {
    pub(crate) child: Option<Child>,
    pub(crate) outside: Outside,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let (Some(child), Ok(runtime)) = (self.child.take(), Handle::try_current()) {
            self.outside.leave(move || {
                let _within = runtime.enter();
                drop(child);
            });
        }
    }
}

/// A folder that only the operator's Linux user can enter, with the file that is copied. Made, used and removed outside.
pub(crate) struct ScratchDir {
    folder: Option<TempDir>,
    path: PathBuf,
    user: Option<User>,
    outside: Outside,
}

impl Drop for ScratchDir {
    fn drop(&mut self) {
        let folder = self.folder.take();
        self.outside.leave(move || drop(folder));
    }
}

impl ScratchDir {
    /// Makes one for a Linux user.
    ///
    /// # Errors
    /// The user is not known, or the system's error.
    pub(crate) fn new(uid: Option<u32>, outside: Outside) -> Result<Self, String> {
        let uid = uid.ok_or("it is not known who asks")?;
        let folder = TempDir::with_prefix("isthmus-copy-").map_err(|error| error.to_string())?;
        let user = User::from_uid(Uid::from_raw(uid)).map_err(|error| error.to_string())?;
        let scratch = Self {
            path: folder.path().to_owned(),
            folder: Some(folder),
            user,
            outside,
        };
        scratch
            .give(&scratch.path)
            .map_err(|error| error.to_string())?;
        Ok(scratch)
    }

    /// The file that is copied.
    pub(crate) fn file(&self) -> PathBuf {
        self.path.join("config")
    }

    fn socket(&self) -> PathBuf {
        self.path.join("ask")
    }

    /// The socket over which ssh asks.
    pub(crate) fn listen(&self) -> io::Result<UnixListener> {
        let listener = UnixListener::bind(self.socket())?;
        self.give(&self.socket())?;
        Ok(listener)
    }

    /// Whether scp runs as another user than the daemon.
    fn other(&self) -> Option<&User> {
        let user = self.user.as_ref()?;
        (user.uid != Uid::effective() && Uid::effective().is_root()).then_some(user)
    }

    fn give(&self, path: &Path) -> io::Result<()> {
        let Some(user) = self.other() else {
            return Ok(());
        };
        Ok(nix::unistd::chown(path, Some(user.uid), Some(user.gid))?)
    }

    /// Puts the file there that scp is to send.
    pub(crate) fn put(&self, bytes: &[u8]) -> io::Result<()> {
        crate::config::startup::replace(&self.file(), bytes)?;
        self.give(&self.file())
    }

    /// The scp that sends the file to the other machine, or fetches it.
    pub(crate) fn command(&self, programs: &Programs, remote: &Remote, put: bool) -> Command {
        let mut command = Command::new(&programs.scp);
        let home = self
            .user
            .as_ref()
            .map_or("/".into(), |user| user.dir.clone());
        command
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", home)
            .env("DISPLAY", "none")
            .env("SSH_ASKPASS", &programs.askpass)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env(ASKPASS, self.socket())
            .current_dir(&self.path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .args(["-q", "-o", "StrictHostKeyChecking=ask"]);
        if let Some(user) = self.other() {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        if let Some(port) = remote.port {
            command.arg("-P").arg(port.to_string());
        }
        let user = match remote.user.as_str() {
            "" => String::new(),
            user => format!("{user}@"),
        };
        let there = format!("{user}{}:{}", remote.host, remote.path);
        let (here, there): (PathBuf, &OsStr) = (self.file(), there.as_ref());
        command.arg("--");
        match put {
            true => command.arg(here).arg(there),
            false => command.arg(there).arg(here),
        };
        command
    }
}

/// What `isthmusd` does when ssh runs it to ask something: the question goes to the session, the answer to ssh.
///
/// # Errors
/// No answer came: ssh then goes on without.
pub fn askpass(socket: &Path, question: &str) -> io::Result<()> {
    let mut stream = BlockingStream::connect(socket)?;
    stream.write_all(question.as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.is_empty() {
        return Err(io::ErrorKind::Interrupted.into());
    }
    writeln!(io::stdout(), "{answer}")
}
