//! The screens about the router itself and the terminal: `show version`, `clock`, `history`, `privilege`, `users`,
//! `terminal`. Called by `show`.

use std::fmt::Write;

use jiff::ZonedDateTime;
use schemars::JsonSchema;
use serde::Serialize;

use super::screen::Facts;
use super::snapshot::{ShowContext, System};
use crate::clock::format as time;
use crate::json::{Moment, moment};

/// `show version`.
#[derive(Serialize, JsonSchema)]
pub struct Version<'a> {
    /// The version of Isthmus.
    version: &'static str,
    #[serde(flatten)]
    system: &'a System,
}

/// The program and the machine.
pub fn version(system: &System) -> Version<'_> {
    Version {
        version: env!("CARGO_PKG_VERSION"),
        system,
    }
}

/// The first line carries the product's name, the second the words that tools detect an IOS command line by.
impl Facts for Version<'_> {
    fn text(&self) -> String {
        let Version { version, system } = self;
        let mut text = format!(
            "Isthmus, an IPsec VPN router on Linux, with the command line of\n\
             Cisco IOS Software, Isthmus Software (ISTHMUS), Version {version}, RELEASE SOFTWARE (linux-{})\n\
             Linux {} on {}\n\
             Copyright (c) 2026-2026 by the Isthmus authors. Licence: MIT or Apache-2.0\n\n\
             {} uptime is {}\n\
             System restarted at {}\n\
             System image file is \"unix:{}\"\n\n\
             Cisco IOS-compatible ({}, {}) processor (revision 1.0) with {}K/{}K bytes of memory.\n\
             Processor board ID {}\n",
            system.machine,
            system.kernel,
            system.machine,
            system.hostname,
            time::uptime(system.uptime),
            time::moment(&system.started),
            system.image,
            system.machine,
            system.processor,
            system.available,
            system.memory.saturating_sub(system.available),
            system.board_id,
        );
        for one in &system.interfaces {
            let plural = if one.count == 1 { "" } else { "s" };
            let _ = writeln!(text, "{} {} interface{plural}", one.count, one.hardware);
        }
        text.push_str("\nConfiguration register is 0x2102\n\n");
        text
    }
}

/// `show clock [detail]`.
#[derive(Serialize, JsonSchema)]
pub struct Clock<'a> {
    #[serde(skip)]
    pub(super) detail: bool,
    /// The time in the router's zone.
    #[serde(rename = "clock", serialize_with = "moment")]
    #[schemars(with = "Moment")]
    pub(super) now: &'a ZonedDateTime,
    /// A time source vouches for it.
    pub(super) synchronised: bool,
}

impl Facts for Clock<'_> {
    fn text(&self) -> String {
        let mut text = time::clock(self.now, self.synchronised) + "\n";
        if self.detail {
            let source = if self.synchronised {
                "NTP"
            } else {
                "hardware calendar"
            };
            let _ = writeln!(text, "Time source is {source}");
        }
        text
    }
}

/// `show history`.
#[derive(Serialize, JsonSchema)]
pub struct History<'a> {
    /// The commands of this session, oldest first.
    pub(super) commands: &'a [String],
}

impl Facts for History<'_> {
    fn text(&self) -> String {
        let line = |line| format!("  {line}\n");
        self.commands.iter().map(line).collect()
    }
}

/// What is said about connections opened from a session: this release opens none.
pub const NO_CONNECTIONS: &str = "% No connections open\n";

/// `show sessions` and `where`.
#[derive(Serialize, JsonSchema)]
pub struct Sessions {
    /// The connections opened from this session; none in this release.
    pub(super) connections: [(); 0],
}

impl Facts for Sessions {
    fn text(&self) -> String {
        NO_CONNECTIONS.to_owned()
    }
}

/// `show privilege`.
#[derive(Serialize, JsonSchema)]
pub struct Privilege {
    /// The privilege level of this session.
    pub(super) privilege_level: u8,
}

impl Facts for Privilege {
    fn text(&self) -> String {
        format!("Current privilege level is {}\n", self.privilege_level)
    }
}

/// `show terminal`.
impl Facts for &ShowContext {
    fn text(&self) -> String {
        format!(
            "Line {}, Location: \"\", Type: \"\"\n\
             Length: {} lines, Width: {} columns\n\
             Status: PSI Enabled, Ready, Active, Automore On\n\
             Capabilities: {}\n\
             Editing is enabled.\n\
             History is {}, history size is {}.\n",
            self.line,
            self.length,
            self.width,
            if self.monitor {
                "Receives Logging Output"
            } else {
                "none"
            },
            if self.history_size > 0 {
                "enabled"
            } else {
                "disabled"
            },
            self.history_size,
        )
    }
}
