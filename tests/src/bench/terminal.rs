//! A console on a pseudo-terminal, read to a certain text.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use anyhow::{Result, ensure};
use nix::pty::{Winsize, openpty};

/// A program with a terminal of its own.
pub struct Terminal {
    child: Child,
    master: File,
    seen: Vec<u8>,
}

impl Terminal {
    /// Starts the program on a terminal that knows no escape sequences.
    pub fn start(program: &str, arguments: &[String]) -> Result<Terminal> {
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(Some(&size), None)?;
        let slave = File::from(pty.slave);
        let child = Command::new(program)
            .args(arguments)
            .env("TERM", "dumb")
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave))
            .spawn()?;
        Ok(Terminal {
            child,
            master: File::from(pty.master),
            seen: Vec::new(),
        })
    }

    /// Types, and forgets what was read so far.
    pub fn types(&mut self, keys: &str) -> Result<()> {
        self.seen.clear();
        Ok(self.master.write_all(keys.as_bytes())?)
    }

    /// Reads until the last thing seen is one of these texts.
    pub fn reads_to(&mut self, texts: &[&str]) -> Result<()> {
        let mut chunk = [0; 4096];
        while !texts
            .iter()
            .any(|text| self.seen.ends_with(text.as_bytes()))
        {
            let count = self.master.read(&mut chunk)?;
            ensure!(count > 0, "the terminal is gone");
            self.seen.extend_from_slice(&chunk[..count]);
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
