//! `show flash:` and `dir`: the files of a directory. Called by `show` and by sessions.

use std::fmt::Write;

use super::screen::Facts;
use crate::storage::listing::{Directory, FileKind};

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
