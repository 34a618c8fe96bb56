//! The console at a terminal with the real daemon behind it: an operator's first minutes, and a tool's dialogue.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::pty::{Winsize, openpty};

use super::bed::{self, Bed};
use crate::lab::wait_for;
use crate::peer::Brand;
use crate::peer::isthmus::{RUN, binary};

const PATIENCE: Duration = Duration::from_secs(30);

/// A person configures a router: help, completion, mistakes, the pager, saving, log lines.
pub fn operator_at_a_terminal() -> Result<()> {
    bed::with(&[(Brand::Isthmus, vec![])], |bed| {
        let mut screen = Screen::open(bed, 24, 80)?;
        screen.types("", &[">"])?;
        screen.types("enable\r", &["#"])?;
        screen.types("conf t\r", &["End with CNTL/Z.\r\n", "(config)#"])?;
        screen.types("hostname Hub\r", &["\r\nHub(config)#"])?;
        screen.types("crypto isakmp policy 77\r", &["Hub(config-isakmp)#"])?;
        screen.types(
            "hash ?",
            &["\r\n  md5     ", "\r\n\r\nHub(config-isakmp)#hash "],
        )?;
        screen.types("sha5\t", &["\r\nHub(config-isakmp)#hash sha512 "])?;
        screen.types("\r", &["\r\nHub(config-isakmp)#"])?;
        screen.types(
            "gruop 14\r",
            &[
                "\r\n                     ^\r\n% Invalid input detected at '^' marker.\r\n\r\n",
                "Hub(config-isakmp)#",
            ],
        )?;
        screen.types(
            "gr\r",
            &["% Incomplete command.\r\n\r\n", "Hub(config-isakmp)#"],
        )?;
        screen.types("group 14\x1a", &["^Z\r\n", "Hub#"])?;
        screen.types("terminal monitor\r", &["\r\nHub#"])?;
        screen.types(
            "conf t\rexit\r",
            &["%SYS-5-CONFIG_I: Configured from", "Hub#"],
        )?;
        screen.types(
            "show running-config | section isakmp policy 77\r",
            &[" hash sha512\r\n group 14\r\n", "Hub#"],
        )?;
        screen.types(
            "show running-config\r",
            &["Building configuration...", " --More-- "],
        )?;
        screen.types("q", &["Hub#"])?;
        screen.types(
            "copy running-config startup-config\r",
            &["Destination filename [startup-config]? "],
        )?;
        screen.types("\r", &["[OK]\r\n", "Hub#"])?;
        screen.types(
            "show startup-config | include hostname\r",
            &["\r\nhostname Hub\r\n", "Hub#"],
        )?;
        screen.types("exit\r", &[])?;
        screen.ended()?;
        let text = screen.text();
        ensure!(text.ends_with("Hub#exit\r\n"), "after exit:\n{text:?}");
        Ok(())
    })
}

/// What netmiko, scrapli and their kin type: every letter comes back once, and nothing else moves the cursor.
pub fn tool_at_a_terminal() -> Result<()> {
    bed::with(&[(Brand::Isthmus, vec![])], |bed| {
        let mut screen = Screen::open(bed, 1000, 511)?;
        screen.types("", &[">"])?;
        screen.types("enable\n", &["#"])?;
        screen.types("terminal width 511\n", &["terminal width 511\r\n", "#"])?;
        screen.types("terminal length 0\n", &["terminal length 0\r\n", "#"])?;
        screen.types(
            "hostname x\n",
            &["% Invalid input detected at '^' marker.", "#"],
        )?;
        screen.types("configure terminal\nhostname Tool\n", &["Tool(config)#"])?;
        let remark = format!("access-list 110 remark {}", "x".repeat(90));
        for end in ["\n", "\r", "\r\n"] {
            let line = format!("{remark}{}", end.len());
            screen.types(
                &format!("{line}{end}"),
                &[&format!("{line}\r\n"), "Tool(config)#"],
            )?;
        }
        screen.types("end\n\n", &["\r\nTool#\r\nTool#"])?;
        screen.types(
            "write mem\n",
            &[
                "write mem\r\nBuilding configuration...\r\n[OK]\r\n",
                "Tool#",
            ],
        )?;
        let text = screen.text();
        ensure!(
            !text.contains('\u{1b}') && !text.contains('\u{8}'),
            "the cursor was moved:\n{text:?}"
        );
        screen.types("exit\n", &[])?;
        screen.ended()
    })
}

/// A pseudo-terminal with the console on it.
struct Screen {
    child: Child,
    keys: File,
    seen: Arc<Mutex<Vec<u8>>>,
    /// How much of it has been looked at.
    read: usize,
}

impl Screen {
    /// Starts the console on the first router.
    fn open(bed: &Bed<'_>, rows: u16, columns: u16) -> Result<Screen> {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let console = binary("isthmus");
        let (child, master) = bed.lab.site(1).router.run(move || {
            let terminal = openpty(Some(&size), None).context("no pseudo-terminal")?;
            let slave = File::from(terminal.slave);
            let child = Command::new(&console)
                .arg("--socket")
                .arg(format!("{RUN}/isthmusd.sock"))
                .stdin(Stdio::from(slave.try_clone()?))
                .stdout(Stdio::from(slave.try_clone()?))
                .stderr(Stdio::from(slave))
                .spawn()
                .with_context(|| format!("cannot run {}", console.display()))?;
            Ok((child, File::from(terminal.master)))
        })?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, sink) = (master.try_clone()?, Arc::clone(&seen));
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut chunk) {
                let mut seen = sink.lock().unwrap_or_else(PoisonError::into_inner);
                seen.extend_from_slice(&chunk[..count]);
            }
        });
        Ok(Screen {
            child,
            keys: master,
            seen,
            read: 0,
        })
    }

    fn text(&self) -> String {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&seen).into_owned()
    }

    /// Presses keys and waits for all of `texts` in their order, the last one at the very end.
    fn types(&mut self, keys: &str, texts: &[&str]) -> Result<()> {
        self.keys.write_all(keys.as_bytes())?;
        let mut new = String::new();
        wait_for(&format!("{texts:?} after {keys:?}"), PATIENCE, || {
            let text = self.text();
            new = text.get(self.read..).unwrap_or_default().to_owned();
            let mut rest = new.as_str();
            for part in texts {
                let Some(at) = rest.find(part) else {
                    return Ok(None);
                };
                rest = &rest[at + part.len()..];
            }
            Ok(texts
                .last()
                .is_none_or(|last| new.ends_with(last))
                .then_some(()))
        })
        .with_context(|| format!("the screen since then:\n{new:?}"))?;
        self.read += new.len();
        Ok(())
    }

    /// Waits for the console's orderly end.
    fn ended(&mut self) -> Result<()> {
        let status = wait_for("the end of the console", PATIENCE, || {
            Ok(self.child.try_wait()?)
        })?;
        ensure!(status.success(), "the console ended with {status}");
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
