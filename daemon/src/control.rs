//! The control socket's server: takes connections and gives each to a session of its own. Started by `main`.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use isthmus_control::SOCKET_NAME;
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::{Group, chown};
use tokio::net::UnixListener;

use crate::router::Shared;
use crate::session;

/// The group whose members may use the console.
const OPERATORS: &str = "isthmus";

/// The run directory, held by this daemon alone until dropped.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    _lock: Flock<File>,
}

impl RunDir {
    /// Makes the directory if it is missing and takes its lock.
    ///
    /// # Errors
    /// Another daemon holds it, or the directory cannot be made.
    pub fn take(path: &Path) -> anyhow::Result<Self> {
        make_directory(path, 0o755)?;
        let lock = path.join("isthmusd.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock)
            .with_context(|| format!("cannot open {}", lock.display()))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err((_, nix::errno::Errno::EWOULDBLOCK)) => bail!(
                "another isthmusd already runs on {}; stop it, or give this one its own --run-dir",
                path.display()
            ),
            Err((_, errno)) => bail!("cannot lock {}: {}", lock.display(), errno.desc()),
        }
    }

    /// Opens the control socket, mode 0660, in place of one that a killed daemon left. On a machine that has the group
    /// `isthmus` it belongs to that group: its members may use the console.
    ///
    /// # Errors
    /// The directory is not writable, or the path is too long for a socket.
    pub fn listen(&self) -> anyhow::Result<UnixListener> {
        let path = self.path.join(SOCKET_NAME);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => {
                return Err(e).with_context(|| format!("cannot replace {}", path.display()));
            }
            _ => {}
        }
        let listener = UnixListener::bind(&path)
            .with_context(|| format!("cannot open the control socket {}", path.display()))?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o660))
            .with_context(|| format!("cannot set the mode of {}", path.display()))?;
        if let Ok(Some(group)) = Group::from_name(OPERATORS) {
            // Who starts the daemon without the right to do so gets a socket for himself.
            let _ = chown(&path, None, Some(group.gid));
        }
        Ok(listener)
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_file(self.path.join(SOCKET_NAME));
    }
}

/// Makes a directory and its parents with this mode; one that is there stays as it is.
///
/// # Errors
/// The system's error with the path.
pub fn make_directory(path: &Path, mode: u32) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .with_context(|| format!("cannot make the directory {}", path.display()))
}

/// Takes connections for ever. Must run in a `LocalSet`.
pub async fn serve(listener: UnixListener, router: Shared) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::task::spawn_local(session::serve(stream, router.clone()));
            }
            // Out of descriptors: the sessions that end make room.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
}
