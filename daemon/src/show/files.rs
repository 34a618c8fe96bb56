//! `show flash:` and `dir`: the files of a directory. Made by `storage`.

use std::fmt::Write;

use jiff::ZonedDateTime;
use schemars::JsonSchema;
use serde::Serialize;

use super::screen::{Facts, Moment, moment};

/// A directory, or one file as `dir` lists it.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Directory {
    /// What is listed, such as `flash:/`.
    #[serde(rename = "directory")]
    pub name: String,
    /// What is in it, by name; what is in a directory follows that directory.
    pub files: Vec<FileEntry>,
    /// What the file system it is on can hold, in octets.
    pub total_bytes: u64,
    /// How much of that is free.
    pub free_bytes: u64,
}

/// A file or directory in a directory.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FileEntry {
    /// Its name, from the directory that is listed.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// Its length in octets.
    pub size_bytes: u64,
    /// When it was written last.
    #[serde(serialize_with = "moment")]
    #[schemars(with = "Moment")]
    pub modified: ZonedDateTime,
    /// Its number on the file system.
    pub number: u64,
}

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// A file.
    File,
    /// A directory.
    Directory,
}

impl Facts for &Directory {
    fn text(&self) -> String {
        let mut text = format!("Directory of {}\n\n", self.name);
        if self.files.is_empty() {
            text.push_str("No files in directory\n");
        }
        for file in &self.files {
            let kind = match file.kind {
                FileKind::File => "-rw-",
                FileKind::Directory => "drwx",
            };
            let day = file.modified.strftime("%b %-d %Y").to_string();
            let time = file.modified.strftime("%H:%M:%S %:z");
            let (number, size, name) = (file.number, file.size_bytes, &file.name);
            let _ = writeln!(
                text,
                "{number:>5}  {kind}{size:>17}  {day:>11} {time}  {name}"
            );
        }
        let (total, free) = (self.total_bytes, self.free_bytes);
        text + &format!("\n{total} bytes total ({free} bytes free)\n")
    }
}
