//! The machine under the router: its name service, and what it is made of. A part of the snapshot.

use std::time::Duration;

use jiff::ZonedDateTime;
use schemars::JsonSchema;
use serde::Serialize;

use crate::json::{Moment, moment, seconds};

/// How the machine looks names up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Resolver {
    /// The domain that is appended to short names.
    pub domain: Option<String>,
    /// The name servers' addresses.
    #[serde(rename = "name_servers")]
    pub servers: Vec<String>,
}

/// The machine and the program, for `show version`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct System {
    /// The configured hostname.
    pub hostname: String,
    /// Time since the daemon started.
    #[serde(rename = "uptime_seconds", serialize_with = "seconds")]
    #[schemars(with = "u64")]
    pub uptime: Duration,
    /// When it started.
    #[serde(serialize_with = "moment")]
    #[schemars(with = "Moment")]
    pub started: ZonedDateTime,
    /// The program file that runs.
    pub image: String,
    /// The kernel's release, such as `6.1.0-18-amd64`.
    pub kernel: String,
    /// The machine, such as `x86_64`.
    pub machine: String,
    /// The processor's name and count.
    pub processor: String,
    /// The machine's memory in KiB.
    #[serde(rename = "memory_total_kilobytes")]
    pub memory: u64,
    /// What of it is available, in KiB.
    #[serde(rename = "memory_available_kilobytes")]
    pub available: u64,
    /// The machine as its makers call it.
    pub chassis: String,
    /// The machine's identification, where it has one.
    pub board_id: String,
    /// How many interfaces of each kind.
    pub interfaces: Vec<InterfaceCount>,
}

/// How many interfaces of one kind there are.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct InterfaceCount {
    /// The kind, such as `Ethernet`.
    pub hardware: &'static str,
    /// How many.
    pub count: usize,
}
