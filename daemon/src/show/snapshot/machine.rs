//! The machine under the router: name service, load, memory, what it is made of.

use std::time::Duration;

use jiff::ZonedDateTime;
use schemars::JsonSchema;
use serde::Serialize;

use crate::show::screen::{Moment, milliseconds, moment, seconds};

/// How the machine looks names up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Resolver {
    /// The domain that is appended to short names.
    pub domain: Option<String>,
    /// The name servers' addresses.
    #[serde(rename = "name_servers")]
    pub servers: Vec<String>,
}

/// Processor and memory use. The three values of a share are percentages over five seconds, one minute and five minutes.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Load {
    /// All processors, all programs.
    #[serde(rename = "busy_percent", serialize_with = "percent")]
    #[schemars(with = "Percent")]
    pub busy: [f64; 3],
    /// Of this the time in interrupts, over five seconds.
    #[serde(rename = "interrupt_percent")]
    pub interrupt: f64,
    /// The daemon's threads.
    pub threads: Vec<Thread>,
    /// The machine's memory.
    pub memory: Memory,
}

/// A share of the processors' time.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Percent {
    /// Over five seconds.
    five_seconds: f64,
    /// Over one minute.
    one_minute: f64,
    /// Over five minutes.
    five_minutes: f64,
}

fn percent<S: serde::Serializer>(share: &[f64; 3], to: S) -> Result<S::Ok, S::Error> {
    let [five_seconds, one_minute, five_minutes] = *share;
    Percent {
        five_seconds,
        one_minute,
        five_minutes,
    }
    .serialize(to)
}

/// One thread of the daemon.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Thread {
    /// Its number in the system.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Processor time used.
    #[serde(rename = "runtime_milliseconds", serialize_with = "milliseconds")]
    #[schemars(with = "u64")]
    pub runtime: Duration,
    /// How often it was given a processor.
    pub invoked: u64,
    /// Its share of all processors.
    #[serde(rename = "busy_percent", serialize_with = "percent")]
    #[schemars(with = "Percent")]
    pub busy: [f64; 3],
}

/// The machine's memory, divided as IOS divides it.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Memory {
    /// What programs and the kernel share.
    pub processor: Pool,
    /// What the kernel lets the buffers of sockets take of it.
    pub io: Pool,
}

/// A part of the memory, in octets.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Pool {
    /// All there is.
    #[serde(rename = "total_bytes")]
    pub total: u64,
    /// What is not free.
    #[serde(rename = "used_bytes")]
    pub used: u64,
    /// What one can still get.
    #[serde(rename = "free_bytes")]
    pub free: u64,
    /// The least that was free at any sample since the daemon started.
    #[serde(rename = "lowest_bytes")]
    pub lowest: u64,
    /// What is in no use at all, not even as a cache.
    #[serde(rename = "unused_bytes")]
    pub unused: u64,
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
