//! The daemon's folders: the run directory, which one daemon holds and where its control socket is, and how missing folders are
//! made. Called by `main`, and by those who write to the state directory.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use isthmus_control::SOCKET_NAME;
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::{Group, chown};
use tokio::net::UnixListener;

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
    /// `isthmus` it belongs to that group: its members may use the console. At no moment is it open to more.
    ///
    /// # Errors
    /// The directory is not writable, or the path is too long for a socket.
    pub fn listen(&self) -> anyhow::Result<UnixListener> {
        let path = self.path.join(SOCKET_NAME);
        self.open(&path)
            .with_context(|| format!("cannot open the control socket {}", path.display()))
    }

    /// The socket gets its owner and mode in a folder that no other user can enter, and then its place. The umask would do,
    /// but is the whole process's.
    fn open(&self, path: &Path) -> std::io::Result<UnixListener> {
        let folder = self.path.join(OPENING);
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        DirBuilder::new().mode(0o700).create(&folder)?;
        let fresh = folder.join("sock");
        let listener = UnixListener::bind(&fresh)?;
        std::fs::set_permissions(&fresh, Permissions::from_mode(0o660))?;
        if let Ok(Some(group)) = Group::from_name(OPERATORS) {
            // Without the right to do so the socket stays the daemon's own user's.
            let _ = chown(&fresh, None, Some(group.gid));
        }
        std::fs::rename(&fresh, path)?;
        std::fs::remove_dir(&folder)?;
        Ok(listener)
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_file(self.path.join(SOCKET_NAME));
    }
}

/// Makes a directory and its parents with this mode, independent of the umask; one that is there stays as it is.
///
/// # Errors
/// The system's error with the path.
pub fn make_directory(path: &Path, mode: u32) -> anyhow::Result<()> {
    make_all(path, mode).with_context(|| format!("cannot make the directory {}", path.display()))
}

fn make_all(path: &Path, mode: u32) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        make_all(parent, mode)?;
    }
    // Made for the owner alone first: the mode asked for never has more.
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => std::fs::set_permissions(path, Permissions::from_mode(mode)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// The group whose members may use the console.
const OPERATORS: &str = "isthmus";

/// Where the control socket is made before it is put in its place; as long as [`SOCKET_NAME`], with the `/sock` in it.
const OPENING: &str = ".opening";
