//! `copy` from and to `scp:`: the system's scp, run with the rights of the operator's own Linux user, never through a
//! shell. What ssh wants to know (a password, whether a host key is right) is asked at the console.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use isthmus_control::AskKind;
use nix::unistd::{Uid, User};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, ChildStderr, Command};
use tokio::runtime::Handle;

use super::Session;
use super::files::{Done, line};
use super::io::{Answer, Gone};
use crate::machine::outside::Outside;
use crate::storage::disk::Lost;
use crate::storage::{LocalFile, Remote, StorageError};

/// Names the socket over which `isthmusd`, run by ssh in the place of a password dialog, asks the session.
pub const ASKPASS: &str = "ISTHMUS_ASKPASS";
/// Where programs are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The most of a question or a complaint that is read, in octets.
const MOST: u64 = 4096;

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

impl Session {
    /// Stores a file over scp.
    pub(super) async fn scp_put(&mut self, remote: &Remote, bytes: Vec<u8>) -> Done<()> {
        let (uid, outside) = (self.uid, self.router.borrow().outside.clone());
        let ours = outside.clone();
        let prepare = move || {
            let bench = Bench::new(uid, ours)?;
            bench.put(&bytes).map_err(|error| error.to_string())?;
            Ok(bench)
        };
        let bench = match done(outside.run(prepare).await) {
            Ok(bench) => Arc::new(bench),
            Err(reason) => return Ok(Err(failure("writing", remote, &reason))),
        };
        let done = self.scp(&bench, remote, true).await?;
        Ok(done.map_err(|reason| failure("writing", remote, &reason)))
    }

    /// Fetches a file over scp.
    pub(super) async fn scp_get(&mut self, remote: &Remote) -> Done<Vec<u8>> {
        let (uid, outside) = (self.uid, self.router.borrow().outside.clone());
        let ours = outside.clone();
        let bench = match done(outside.run(move || Bench::new(uid, ours)).await) {
            Ok(bench) => Arc::new(bench),
            Err(reason) => return Ok(Err(failure("opening", remote, &reason))),
        };
        if let Err(reason) = self.scp(&bench, remote, false).await? {
            return Ok(Err(failure("opening", remote, &reason)));
        }
        let name = remote.url("scp");
        let read = move || {
            let path = bench.file();
            LocalFile { name, path }.read().map_err(line)
        };
        let read = outside.run(read).await;
        Ok(read.map_err(|lost| format!("% {lost}\n")).flatten())
    }

    /// Runs scp between the bench and the other machine.
    async fn scp(
        &mut self,
        bench: &Arc<Bench>,
        remote: &Remote,
        put: bool,
    ) -> Result<Result<(), String>, Gone> {
        let (programs, outside) = {
            let router = self.router.borrow();
            (router.upkeep.programs.clone(), router.outside.clone())
        };
        let (of, to, runtime) = (bench.clone(), remote.clone(), Handle::current());
        let start = move || {
            let _within = runtime.enter();
            let listener = of.listen().map_err(|error| error.to_string())?;
            match of.command(&programs, &to, put).spawn() {
                Ok(child) => Ok((listener, child)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err("the scp program is not installed on this system".to_owned())
                }
                Err(error) => Err(error.to_string()),
            }
        };
        let (listener, child) = match done(outside.run(start).await) {
            Ok(started) => started,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut running = Running {
            child: Some(child),
            outside,
        };
        let Some(child) = &mut running.child else {
            return Ok(Err("scp did not start".into()));
        };
        let complaint = tokio::task::spawn_local(complaint(child.stderr.take()));
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                Ok((stream, _)) = listener.accept() => self.put_question(stream).await?,
                gone = self.io.interrupted() => {
                    gone?;
                    return Ok(Err("Interrupted".into()));
                }
            }
        };
        let complaint = complaint.await.unwrap_or_default();
        Ok(match status {
            Ok(status) if status.success() => Ok(()),
            Ok(_) if !complaint.is_empty() => Err(complaint),
            Ok(status) => Err(format!("scp ended with {status}")),
            Err(error) => Err(error.to_string()),
        })
    }

    /// Passes one question of ssh on to the operator, and the answer back.
    async fn put_question(&mut self, mut stream: UnixStream) -> Result<(), Gone> {
        let mut question = Vec::new();
        if (&mut stream)
            .take(MOST)
            .read_to_end(&mut question)
            .await
            .is_err()
        {
            return Ok(());
        }
        let question: String = String::from_utf8_lossy(&question)
            .chars()
            .filter(|c| *c == '\n' || !c.is_control())
            .collect();
        let kind = match question.contains("yes/no") {
            true => AskKind::Line,
            false => AskKind::Secret,
        };
        if let Answer::Text(text) = self.io.ask(question, kind).await? {
            // ssh may have given up meanwhile.
            let _ = stream.write_all(text.as_bytes()).await;
        }
        Ok(())
    }
}

fn failure(action: &'static str, remote: &Remote, reason: &str) -> String {
    line(StorageError::new(action, &remote.url("scp"), reason))
}

/// The last line of what scp says when it fails.
async fn complaint(stderr: Option<ChildStderr>) -> String {
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

/// What came of a job outside.
fn done<T>(outcome: Result<Result<T, String>, Lost>) -> Result<T, String> {
    outcome.map_err(|lost| lost.to_string()).flatten()
}

/// A program that ends with this: only outside may a process of another user be killed.
struct Running {
    child: Option<Child>,
    outside: Outside,
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
struct Bench {
    folder: Option<TempDir>,
    path: PathBuf,
    user: Option<User>,
    outside: Outside,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let folder = self.folder.take();
        self.outside.leave(move || drop(folder));
    }
}

impl Bench {
    fn new(uid: Option<u32>, outside: Outside) -> Result<Self, String> {
        let uid = uid.ok_or("it is not known who asks")?;
        let folder = TempDir::with_prefix("isthmus-copy-").map_err(|error| error.to_string())?;
        let user = User::from_uid(Uid::from_raw(uid)).map_err(|error| error.to_string())?;
        let bench = Self {
            path: folder.path().to_owned(),
            folder: Some(folder),
            user,
            outside,
        };
        bench.give(&bench.path).map_err(|error| error.to_string())?;
        Ok(bench)
    }

    fn file(&self) -> PathBuf {
        self.path.join("config")
    }

    fn socket(&self) -> PathBuf {
        self.path.join("ask")
    }

    /// The socket over which ssh asks.
    fn listen(&self) -> io::Result<UnixListener> {
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

    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        crate::config::startup::replace(&self.file(), bytes)?;
        self.give(&self.file())
    }

    fn command(&self, programs: &Programs, remote: &Remote, put: bool) -> Command {
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
/// Nobody answers: ssh then goes on without.
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
