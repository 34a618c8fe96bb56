//! The files of a directory, as `dir` and `show flash:` list them. Made by `storage`, printed by `show/files.rs`.

use jiff::ZonedDateTime;
use schemars::JsonSchema;
use serde::Serialize;

use crate::json::{Moment, moment};

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
