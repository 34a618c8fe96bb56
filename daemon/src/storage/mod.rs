//! The names of files as operators type them, and the files of `flash:`.
//!
//! `flash:` is a folder of the state directory; nothing outside of it can be named, except by root, who may name any
//! file of the machine by its absolute path. Sessions, archives and the difference screens come here.

pub mod listing;
pub(crate) mod names;
pub mod scp;
pub mod tftp;

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, tz::TimeZone};
use listing::{Directory, FileEntry, FileKind};

use crate::config::startup;
use crate::machine::directory::make_directory;

/// The largest file that is read, in octets: a configuration of 100,000 lines has about 5 MB.
pub const MAX_SIZE: u64 = 64 * 1024 * 1024;
/// File systems that IOS users name; all are the one folder.
const FLASH: [&str; 5] = ["flash:", "flash0:", "bootflash:", "disk0:", "harddisk:"];
/// Protocols that IOS has and this router has not.
const FOREIGN: [&str; 6] = ["ftp:", "http:", "https:", "rcp:", "sftp:", "xmodem:"];

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// `running-config`, `system:running-config`.
    RunningConfig,
    /// `startup-config`, `nvram:startup-config`.
    StartupConfig,
    /// `null:`: always empty.
    Null,
    /// A file or directory of this machine.
    Local(LocalFile),
    /// `tftp:`
    Tftp(Remote),
    /// `scp:`
    Scp(Remote),
}

/// A file or directory of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFile {
    /// As it is shown: `flash:/a.cfg`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// A file of another machine; what was not typed is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remote {
    /// User name, for `scp:`.
    pub user: String,
    /// Address or name.
    pub host: String,
    /// The port, where it is not the usual one.
    pub port: Option<u16>,
    /// The file, relative to where the server puts files; with a leading `/` absolute.
    pub path: String,
}

/// A file could not be used; prints as IOS does.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("%Error {action} {name} ({reason})")]
pub struct StorageError {
    /// `opening`, `writing`, ...
    pub action: &'static str,
    /// The file as the operator knows it.
    pub name: String,
    /// Why not.
    pub reason: String,
}

impl StorageError {
    /// An error with a reason of our own.
    pub fn new(action: &'static str, name: &str, reason: impl Into<String>) -> Self {
        Self {
            action,
            name: name.to_owned(),
            reason: reason.into(),
        }
    }

    fn io(action: &'static str, name: &str) -> impl FnOnce(io::Error) -> Self {
        let name = name.to_owned();
        move |error| {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => "No such file or directory".into(),
                io::ErrorKind::PermissionDenied => "Permission denied".into(),
                io::ErrorKind::AlreadyExists => "File exists".into(),
                io::ErrorKind::IsADirectory => "Is a directory".into(),
                io::ErrorKind::NotADirectory => "Not a directory".into(),
                io::ErrorKind::DirectoryNotEmpty => "Directory not empty".into(),
                io::ErrorKind::StorageFull => "No space left on device".into(),
                _ => error.to_string(),
            };
            Self {
                action,
                name,
                reason,
            }
        }
    }
}

impl Location {
    /// Reads a name. `state` is the state directory; only a trusted operator may name files outside of `flash:`.
    ///
    /// # Errors
    /// The name leads nowhere, or where this operator must not go.
    pub fn parse(name: &str, state: &Path, trusted: bool) -> Result<Self, StorageError> {
        let refuse = |reason: &str| Err(StorageError::new("opening", name, reason));
        let lower = name.to_ascii_lowercase();
        let after = |prefix: &str| lower.starts_with(prefix).then(|| &name[prefix.len()..]);
        match lower.trim_end_matches('/') {
            "running-config" | "system:running-config" | "system:/running-config" => {
                return Ok(Self::RunningConfig);
            }
            "startup-config" | "nvram:startup-config" | "nvram:/startup-config" => {
                return Ok(Self::StartupConfig);
            }
            "null:" => return Ok(Self::Null),
            _ => {}
        }
        if let Some(rest) = after("tftp:") {
            return remote(name, rest, false).map(Self::Tftp);
        }
        if let Some(rest) = after("scp:") {
            return remote(name, rest, true).map(Self::Scp);
        }
        if let Some(prefix) = FLASH.iter().find(|prefix| lower.starts_with(**prefix)) {
            return local(name, prefix, &name[prefix.len()..], state);
        }
        if FOREIGN.iter().any(|prefix| lower.starts_with(prefix)) {
            return refuse("Protocol not supported: use tftp: or scp:");
        }
        let host = after("file:").or(after("unix:"));
        let path = host.map_or(name, |path| path.trim_start_matches("//"));
        match path.strip_prefix('/') {
            Some(rest) if trusted && rest.bytes().any(|byte| byte != b'/') => {
                let path = PathBuf::from(format!("/{}", rest.trim_start_matches('/')));
                let name = path.display().to_string();
                Ok(Self::Local(LocalFile { name, path }))
            }
            Some(_) if !trusted => refuse("Permission denied: only files of flash: can be named"),
            _ if name.contains(':') && host.is_none() => refuse("No such device"),
            _ => local(name, "flash:", path, state),
        }
    }
}

/// A file of `flash:`; the folder itself when the rest is empty.
fn local(name: &str, prefix: &str, rest: &str, state: &Path) -> Result<Location, StorageError> {
    let rest = rest.trim_start_matches('/').trim_end_matches('/');
    let proper = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    if !rest.is_empty() && !rest.split('/').all(proper) {
        return Err(StorageError::new("opening", name, "Invalid file name"));
    }
    let mut path = state.join("flash");
    if !rest.is_empty() {
        path.push(rest);
    }
    Ok(Location::Local(LocalFile {
        name: format!("{prefix}/{rest}"),
        path,
    }))
}

/// `//[USER@]HOST[:PORT]/PATH`, of which all may be absent.
fn remote(name: &str, rest: &str, with_user: bool) -> Result<Remote, StorageError> {
    let bad = |reason: &str| StorageError::new("opening", name, reason);
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
        None => ("", rest),
    };
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) if with_user => (user, host),
        Some(_) => return Err(bad("A user name has no place here")),
        None => ("", authority),
    };
    if user.contains(':') {
        return Err(bad("The password is asked for, it is no part of the name"));
    }
    let (host, port) = match host.split_once(':') {
        Some((host, port)) => {
            let port = port.parse().ok().filter(|port| *port > 0);
            (host, Some(port.ok_or_else(|| bad("Invalid port"))?))
        }
        None => (host, None),
    };
    let word = |text: &str| {
        let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !text.starts_with('-') && text.chars().all(good)
    };
    if !word(user) || !word(host) {
        return Err(bad("Invalid host or user name"));
    }
    let plain = |c: char| c.is_ascii_graphic() && !"'\"`$;&|<>\\*?".contains(c);
    if !path.chars().all(plain) {
        return Err(bad("Invalid file name"));
    }
    Ok(Remote {
        user: user.to_owned(),
        host: host.to_owned(),
        port,
        path: path.to_owned(),
    })
}

impl Remote {
    /// The name with its protocol: `tftp://192.0.2.9/a.cfg`.
    #[must_use]
    pub fn url(&self, protocol: &str) -> String {
        // Not with the password that some put after it.
        let user = match self.user.split(':').next().unwrap_or_default() {
            "" => String::new(),
            user => format!("{user}@"),
        };
        let port = self
            .port
            .map_or_else(String::new, |port| format!(":{port}"));
        format!("{protocol}://{user}{}{port}/{}", self.host, self.path)
    }
}

impl LocalFile {
    /// The last part of the name.
    #[must_use]
    pub fn file_name(&self) -> &str {
        let at = self.name.rfind(['/', ':']).map_or(0, |at| at + 1);
        &self.name[at..]
    }

    /// What is in the file, up to [`MAX_SIZE`].
    ///
    /// # Errors
    /// There is none, it is larger, or it cannot be read.
    pub fn read(&self) -> Result<Vec<u8>, StorageError> {
        let found = fs::metadata(&self.path).map_err(StorageError::io("opening", &self.name))?;
        if !found.is_file() {
            // A pipe or a device could keep the whole router waiting.
            return Err(StorageError::new(
                "opening",
                &self.name,
                "Not a regular file",
            ));
        }
        let file = fs::File::open(&self.path).map_err(StorageError::io("opening", &self.name))?;
        let mut bytes = Vec::new();
        file.take(MAX_SIZE + 1)
            .read_to_end(&mut bytes)
            .map_err(StorageError::io("reading", &self.name))?;
        if bytes.len() as u64 > MAX_SIZE {
            let reason = format!("larger than {MAX_SIZE} bytes");
            return Err(StorageError::new("reading", &self.name, reason));
        }
        Ok(bytes)
    }

    /// Writes the file as a whole; it can be read by its owner only, for configurations hold keys.
    ///
    /// # Errors
    /// The file is then as it was.
    pub fn write(&self, bytes: &[u8]) -> Result<(), StorageError> {
        if self.path.is_dir() {
            return Err(StorageError::new("opening", &self.name, "Is a directory"));
        }
        self.make_parent()?;
        startup::replace(&self.path, bytes).map_err(StorageError::io("writing", &self.name))
    }

    /// Makes the folder that `flash:` is when it is not there; other folders must be.
    fn make_parent(&self) -> Result<(), StorageError> {
        let flash = self.path.ancestors().find(|path| path.ends_with("flash"));
        let Some(flash) = flash.filter(|path| !path.exists()) else {
            return Ok(());
        };
        make_directory(flash, 0o700)
            .map_err(|error| StorageError::new("opening", &self.name, error.to_string()))
    }

    /// It is there.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Removes the file; with `recursive` also a directory with all that is in it.
    ///
    /// # Errors
    /// There is none, or it is a directory.
    pub fn delete(&self, recursive: bool) -> Result<(), StorageError> {
        let failed = StorageError::io("deleting", &self.name);
        if self.path.is_dir() && recursive && !self.file_name().is_empty() {
            return fs::remove_dir_all(&self.path).map_err(failed);
        }
        if self.path.is_dir() {
            return Err(StorageError::new("deleting", &self.name, "Is a directory"));
        }
        fs::remove_file(&self.path).map_err(failed)
    }

    /// Gives the file another name, which must be free.
    ///
    /// # Errors
    /// There is none, or the name is taken.
    pub fn rename(&self, to: &LocalFile) -> Result<(), StorageError> {
        if to.exists() {
            return Err(StorageError::new("renaming", &to.name, "File exists"));
        }
        fs::rename(&self.path, &to.path).map_err(StorageError::io("renaming", &self.name))
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// The name is taken, or what is before it is not there.
    pub fn make_directory(&self) -> Result<(), StorageError> {
        self.make_parent()?;
        fs::create_dir(&self.path).map_err(StorageError::io("creating", &self.name))
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// It is not there, or not empty.
    pub fn remove_directory(&self) -> Result<(), StorageError> {
        if self.file_name().is_empty() {
            return Err(StorageError::new(
                "removing",
                &self.name,
                "Device is in use",
            ));
        }
        fs::remove_dir(&self.path).map_err(StorageError::io("removing", &self.name))
    }

    /// What `dir` shows.
    ///
    /// # Errors
    /// There is no such file or directory.
    pub fn list(&self, all: bool, recursive: bool) -> Result<Directory, StorageError> {
        self.make_parent()?;
        let found = fs::metadata(&self.path).map_err(StorageError::io("opening", &self.name))?;
        let mut files = Vec::new();
        if found.is_dir() {
            self.entries("", all, recursive, &mut files)?;
        } else {
            files.push(entry(&found, self.file_name().to_owned()));
        }
        let stat = nix::sys::statvfs::statvfs(&self.path)
            .map_err(|error| StorageError::io("reading", &self.name)(error.into()))?;
        Ok(Directory {
            name: self.name.clone(),
            files,
            total_bytes: stat.blocks() * stat.fragment_size(),
            free_bytes: stat.blocks_available() * stat.fragment_size(),
        })
    }

    fn entries(
        &self,
        below: &str,
        all: bool,
        recursive: bool,
        files: &mut Vec<FileEntry>,
    ) -> Result<(), StorageError> {
        let folder = self.path.join(below);
        let failed = || StorageError::io("reading", &self.name);
        let mut names = Vec::new();
        for found in fs::read_dir(folder).map_err(failed())? {
            let found = found.map_err(failed())?;
            let name = found.file_name().to_string_lossy().into_owned();
            if all || !name.starts_with('.') {
                names.push((name, found.metadata().map_err(failed())?));
            }
        }
        names.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, metadata) in names {
            let name = format!("{below}{name}");
            files.push(entry(&metadata, name.clone()));
            if recursive && metadata.is_dir() {
                self.entries(&format!("{name}/"), all, recursive, files)?;
            }
        }
        Ok(())
    }
}

fn entry(metadata: &fs::Metadata, name: String) -> FileEntry {
    let nanosecond = i32::try_from(metadata.mtime_nsec()).unwrap_or_default();
    let at = Timestamp::new(metadata.mtime(), nanosecond).unwrap_or_default();
    FileEntry {
        name,
        kind: match metadata.is_dir() {
            true => FileKind::Directory,
            false => FileKind::File,
        },
        size_bytes: metadata.len(),
        modified: at.to_zoned_datetime(TimeZone::UTC),
        number: metadata.ino(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::screen::Facts;

    fn parse(name: &str, trusted: bool) -> Result<Location, String> {
        Location::parse(name, Path::new("/state"), trusted).map_err(|error| error.to_string())
    }

    fn path(name: &str, trusted: bool) -> String {
        match parse(name, trusted) {
            Ok(Location::Local(file)) => format!("{} {}", file.name, file.path.display()),
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn every_file_system_of_ios_is_the_one_folder() {
        for name in ["a.cfg", "flash:a.cfg", "FLASH:/a.cfg", "flash://a.cfg"] {
            assert_eq!(path(name, true), "flash:/a.cfg /state/flash/a.cfg");
        }
        assert_eq!(path("disk0:x/y", false), "disk0:/x/y /state/flash/x/y");
        assert_eq!(path("bootflash:", false), "bootflash:/ /state/flash");
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for name in [
            "../a",
            "flash:../a",
            "flash:a/../../b",
            "flash:/a//b",
            "./a",
            "a\0b",
        ] {
            let error = parse(name, true).unwrap_err();
            assert!(error.ends_with("(Invalid file name)"), "{name}: {error}");
        }
    }

    #[test]
    fn only_root_names_files_of_the_machine() {
        for name in [
            "/etc/motd",
            "file:/etc/motd",
            "unix:///etc/motd",
            "//etc/motd",
        ] {
            assert_eq!(path(name, true), "/etc/motd /etc/motd");
            assert!(
                parse(name, false)
                    .unwrap_err()
                    .contains("Permission denied"),
                "{name}"
            );
        }
    }

    #[test]
    fn configurations_have_names_too() {
        assert_eq!(
            parse("system:running-config", false),
            Ok(Location::RunningConfig)
        );
        assert_eq!(
            parse("nvram:/startup-config", false),
            Ok(Location::StartupConfig)
        );
        assert_eq!(parse("null:", false), Ok(Location::Null));
        for name in ["nvram:other", "system:x", "ftp://h/x", "usb9:a"] {
            assert!(parse(name, true).is_err(), "{name}");
        }
    }

    #[test]
    fn remote_names_are_taken_apart() {
        let Ok(Location::Scp(remote)) = parse("scp://ann@192.0.2.9:2222//tmp/a.cfg", false) else {
            panic!()
        };
        assert_eq!(
            (
                remote.user.as_str(),
                remote.host.as_str(),
                remote.port,
                remote.path.as_str()
            ),
            ("ann", "192.0.2.9", Some(2222), "/tmp/a.cfg")
        );
        assert_eq!(remote.url("scp"), "scp://ann@192.0.2.9:2222//tmp/a.cfg");
        assert_eq!(parse("tftp:", false), Ok(Location::Tftp(Remote::default())));
        for name in [
            "scp://-oProxyCommand=x@h/f",
            "scp://-oProxyCommand/f",
            "scp://a:secret@h/f",
            "scp://a@h/$(id)",
            "tftp://a@h/f",
            "tftp://h:0/f",
        ] {
            assert!(parse(name, true).is_err(), "{name}");
        }
    }

    #[test]
    fn files_are_listed_renamed_and_deleted() {
        let state = tempfile::tempdir().unwrap();
        let file = |name: &str| match Location::parse(name, state.path(), false) {
            Ok(Location::Local(file)) => file,
            other => panic!("{other:?}"),
        };
        let flash = file("flash:");
        let list = |file: &LocalFile, recursive| (&file.list(false, recursive).unwrap()).text();
        assert!(list(&flash, false).contains("No files in directory"));
        file("a.cfg").write(b"hostname R1\n").unwrap();
        file("sub").make_directory().unwrap();
        file("sub/b.cfg").write(b"x").unwrap();
        let listed = list(&flash, true);
        let lines: Vec<&str> = listed.lines().collect();
        assert_eq!(lines[0], "Directory of flash:/");
        assert!(lines[2].contains("  -rw-               12  ") && lines[2].ends_with("  a.cfg"));
        assert!(lines[3].contains("  drwx"), "{listed}");
        assert!(lines[4].ends_with("  sub/b.cfg"), "{listed}");
        assert!(listed.ends_with(" bytes free)\n"));
        assert_eq!(file("a.cfg").read().unwrap(), b"hostname R1\n");
        file("a.cfg").rename(&file("c.cfg")).unwrap();
        assert!(list(&file("c.cfg"), false).starts_with("Directory of flash:/c.cfg\n"));
        assert!(file("sub").remove_directory().is_err());
        assert!(file("sub").delete(false).is_err());
        file("sub").delete(true).unwrap();
        assert!(flash.delete(true).is_err() && flash.read().is_err());
        let device = Location::parse("/dev/zero", state.path(), true).unwrap();
        let Location::Local(device) = device else {
            panic!()
        };
        let error = device.read().unwrap_err().to_string();
        assert_eq!(error, "%Error opening /dev/zero (Not a regular file)");
        assert_eq!(
            file("a.cfg").read().unwrap_err().to_string(),
            "%Error opening flash:/a.cfg (No such file or directory)"
        );
    }
}
