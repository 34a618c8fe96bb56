//! The startup-config file: reading, saving so that no crash leaves half a file, erasing. The only input and output of
//! `config`. Called at boot and by `write` and `copy`.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Why the startup-config could not be read or written. The file on disk is then as it was.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct StartupError {
    /// `read`, `save` or `erase`.
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl StartupError {
    pub(crate) fn new<'a>(
        action: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(io::Error) -> StartupError + 'a {
        move |source| StartupError {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// The operating system's error.
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

/// The largest startup-config, in octets: one of 100,000 lines has about 5 MB.
const MAX_SIZE: u64 = 64 * 1024 * 1024;
/// The longest line of it, in octets: more than any console sends, and as much as a banner may have.
const MAX_LINE: usize = 64 * 1024;

/// The text of the file; `None` when there is none. Octets that are no UTF-8 are replaced.
///
/// # Errors
/// The file is there and cannot be read: it is no regular file, too large, or has a line that is too long.
pub fn read(path: &Path) -> Result<Option<String>, StartupError> {
    match read_octets(path) {
        Ok(octets) => Ok(Some(String::from_utf8_lossy(&octets).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StartupError::new("read", path)(error)),
    }
}

fn read_octets(path: &Path) -> io::Result<Vec<u8>> {
    let unusable = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    // A pipe without a writer would hold the daemon up for ever.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nix::libc::O_NONBLOCK)
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(unusable("it is not a regular file".to_owned()));
    }
    let mut octets = Vec::new();
    file.take(MAX_SIZE + 1).read_to_end(&mut octets)?;
    if octets.len() as u64 > MAX_SIZE {
        return Err(unusable(format!("it has more than {MAX_SIZE} octets")));
    }
    // What a power cut leaves of a file, or text in UTF-16.
    if octets.contains(&0) {
        return Err(unusable(
            "it has NUL octets: it is no text in UTF-8".to_owned(),
        ));
    }
    let mut lines = octets.split(|octet| *octet == b'\n').enumerate();
    match lines.find(|(_, line)| line.len() > MAX_LINE) {
        Some((index, line)) => Err(unusable(format!(
            "line {} has {} octets, a line may have {MAX_LINE}",
            index + 1,
            line.len()
        ))),
        None => Ok(octets),
    }
}

/// Writes the file beside the old one, flushes it to the disk and puts it in its place; the old one stays as `.old`.
/// The file can be read by its owner only, for it holds keys.
///
/// # Errors
/// Nothing was changed: no space, no permission, read-only file system.
pub fn save(path: &Path, text: &str) -> Result<(), StartupError> {
    // A symbolic link stays one: what it points to is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let fresh = beside(&target, ".new");
    let result = write_whole(&fresh, text.as_bytes()).and_then(|()| {
        keep_old(&target)?;
        fs::rename(&fresh, &target)?;
        flush_folder(&target)
    });
    result.map_err(|error| {
        let _ = fs::remove_file(&fresh);
        StartupError::new("save", path)(error)
    })
}

/// Writes a file so that no crash leaves half of it; what was there before is gone. It can be read by its owner only.
///
/// # Errors
/// Nothing was changed.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let fresh = path.with_file_name(format!(".{name}.new"));
    let result = write_whole(&fresh, bytes)
        .and_then(|()| fs::rename(&fresh, path))
        .and_then(|()| flush_folder(path));
    if result.is_err() {
        // What could not be written is of no use.
        let _ = fs::remove_file(&fresh);
    }
    result
}

/// Removes a file, so that it is gone after a crash too; one that is not there is gone already.
///
/// # Errors
/// It is still there, or may be there again after a crash.
pub fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => flush_folder(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Removes the file; it stays as `.old`.
///
/// # Errors
/// The file is still there.
pub fn erase(path: &Path) -> Result<(), StartupError> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let renamed = make_private(&target).and_then(|()| fs::rename(&target, beside(&target, ".old")));
    match renamed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(StartupError::new("erase", path)),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The present file gets a second name, so that there is a file under the first at every moment.
fn keep_old(path: &Path) -> io::Result<()> {
    let old = beside(path, ".old");
    remove_if_there(&old)?;
    match make_private(path).and_then(|()| fs::hard_link(path, &old)) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // A file system without hard links.
        Err(_) => fs::copy(path, &old).and_then(|_| make_private(&old)),
    }
}

/// The file holds keys: only its owner may read it, also where it was put there by other means.
fn make_private(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

fn flush_folder(path: &Path) -> io::Result<()> {
    match path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn saving_replaces_the_file_and_keeps_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("startup-config");
        assert_eq!(read(&path).unwrap(), None);
        for text in ["one\n", "two\n", "three\n"] {
            save(&path, text).unwrap();
            assert_eq!(read(&path).unwrap().as_deref(), Some(text));
        }
        assert_eq!(
            read(&beside(&path, ".old")).unwrap().as_deref(),
            Some("two\n")
        );
        assert_eq!(mode(&path), 0o600);
        let names = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 2, "no temporary file is left");
    }

    #[test]
    fn a_file_that_others_could_read_is_private_after_saving() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("startup-config");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        save(&path, "new").unwrap();
        assert_eq!(mode(&path), 0o600);
        let old = beside(&path, ".old");
        assert_eq!(
            (mode(&old), fs::read_to_string(&old).unwrap()),
            (0o600, "old".into())
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        erase(&path).unwrap();
        assert_eq!(mode(&old), 0o600);
    }

    #[test]
    fn what_is_no_file_of_sensible_size_is_refused_and_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("startup-config");
        let refusal = |path: &Path| read(path).unwrap_err().to_string();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(refusal(&path).ends_with("it is not a regular file"));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(refusal(&path).ends_with("it is not a regular file"));
        fs::remove_dir(&path).unwrap();
        fs::write(
            &path,
            format!("hostname R1\n{}\n", "x".repeat(MAX_LINE + 1)),
        )
        .unwrap();
        let said = refusal(&path);
        assert!(said.contains("line 2 has 65537 octets"), "{said}");
        fs::write(&path, format!("hostname R1\n{}\n", "x".repeat(MAX_LINE))).unwrap();
        assert!(read(&path).unwrap().is_some());
    }

    #[test]
    fn a_link_is_followed_and_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        save(&link, "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn what_cannot_be_written_is_named_and_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("startup-config");
        save(&path, "good").unwrap();
        fs::create_dir(beside(&path, ".new")).unwrap();
        let error = save(&path, "bad").unwrap_err();
        assert!(error.to_string().starts_with("cannot save /"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "good");
    }

    #[test]
    fn what_cannot_be_replaced_stays_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        replace(&path, b"good").unwrap();
        replace(&path, b"better").unwrap();
        assert_eq!(
            (fs::read(&path).unwrap(), mode(&path)),
            (b"better".to_vec(), 0o600)
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::create_dir(folder.path().join(".copy.new")).unwrap();
        assert!(replace(&path, b"bad").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"better");
    }

    #[test]
    fn erasing_removes_the_file_once_and_again_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("startup-config");
        save(&path, "text").unwrap();
        erase(&path).unwrap();
        assert_eq!(read(&path).unwrap(), None);
        assert_eq!(
            read(&beside(&path, ".old")).unwrap().as_deref(),
            Some("text")
        );
        erase(&path).unwrap();
    }
}
