//! Files that the operator names: in `flash:`, a folder of the state directory; root may also name any other.

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

use super::Session;
use crate::control::make_directory;

/// The largest file that is read, in bytes: a configuration of 100,000 lines has about 5 MB.
const MAX_SIZE: u64 = 64 * 1024 * 1024;
/// File systems that IOS users name; all are the one folder.
const PREFIXES: [&str; 6] = ["flash:", "bootflash:", "disk0:", "nvram:", "file:", "unix:"];

impl Session {
    /// Where a file that the operator named is.
    pub(super) fn path(&self, name: &str) -> Result<PathBuf, String> {
        let plain = PREFIXES
            .iter()
            .find_map(|p| name.strip_prefix(p))
            .unwrap_or(name);
        if plain.starts_with('/') && self.trusted {
            return Ok(plain.into());
        }
        if name.contains("://") {
            return Err(format!(
                "%Error opening {name} (only files of this router can be named)\n"
            ));
        }
        let plain = plain.trim_start_matches('/');
        let proper = !plain.is_empty()
            && plain
                .split('/')
                .all(|part| !matches!(part, "" | "." | ".."));
        if !proper {
            return Err(format!("%Error opening {name} (Invalid file name)\n"));
        }
        Ok(self.router.borrow().files.state.join("flash").join(plain))
    }

    /// The text of a file.
    pub(super) fn read_file(&self, name: &str) -> Result<String, String> {
        let path = self.path(name)?;
        let failed = |error: io::Error| format!("%Error opening {name} ({})\n", words(&error));
        let file = fs::File::open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(MAX_SIZE)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes a file as a whole; readable by its owner only, for configurations hold keys.
    pub(super) fn write_file(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.path(name)?;
        if let Some(folder) = path.parent() {
            make_directory(folder, 0o700).map_err(|e| format!("%Error opening {name} ({e})\n"))?;
        }
        crate::config::startup::save(&path, text)
            .map_err(|e| format!("%Error writing {name} ({e})\n"))
    }
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "No such file or directory".into(),
        io::ErrorKind::PermissionDenied => "Permission denied".into(),
        _ => error.to_string(),
    }
}
