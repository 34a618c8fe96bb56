//! The screens about the machine below: `show inventory`, `hosts`, `processes cpu`, `memory statistics`. Called by `show`.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;

use super::screen::Facts;
use super::snapshot::{Resolver, System};
use crate::machine::load::{Load, Memory, Pool};

/// `show inventory`: the machine as its makers call it, with the product as what IOS calls PID.
#[derive(Serialize, JsonSchema)]
pub struct Inventory<'a> {
    /// The parts: one, the whole machine.
    parts: [Part<'a>; 1],
}

/// One part of the machine.
#[derive(Serialize, JsonSchema)]
struct Part<'a> {
    /// What it is.
    name: &'static str,
    /// What its makers call it, and what runs on it.
    description: String,
    /// The product.
    product_id: &'static str,
    /// Its version.
    version_id: &'static str,
    /// The machine's identification, where it has one.
    serial_number: &'a str,
}

/// The whole machine.
pub fn inventory(system: &System) -> Inventory<'_> {
    let chassis = Part {
        name: "Chassis",
        description: format!("{}, Isthmus on Linux {}", system.chassis, system.kernel),
        product_id: "ISTHMUS",
        version_id: env!("CARGO_PKG_VERSION"),
        serial_number: &system.board_id,
    };
    Inventory { parts: [chassis] }
}

impl Facts for Inventory<'_> {
    fn text(&self) -> String {
        let part = |part: &Part<'_>| {
            format!(
                "NAME: \"{}\", DESCR: \"{}\"\nPID: {:<18}, VID: {:<5}, SN: {}\n\n",
                part.name, part.description, part.product_id, part.version_id, part.serial_number
            )
        };
        self.parts.iter().map(part).collect()
    }
}

/// `show hosts`: the domain and the servers that names are looked up with.
impl Facts for &Resolver {
    fn text(&self) -> String {
        let domain = match &self.domain {
            Some(domain) => format!("Default domain is {domain}"),
            None => "Default domain is not set".to_owned(),
        };
        let servers = if self.servers.is_empty() {
            "not set".to_owned()
        } else {
            self.servers.join(", ")
        };
        format!(
            "{domain}\nName servers are {servers}\nNAME  TTL  CLASS   TYPE      DATA/ADDRESS\n-----------------------------------------\n"
        )
    }
}

/// `show processes cpu`: the machine's load, and the threads of the daemon as its processes.
impl Facts for &Load {
    fn text(&self) -> String {
        let [five_seconds, minute, five_minutes] = self.busy;
        let mut text = format!(
            "CPU utilization for five seconds: {five_seconds:.0}%/{:.0}%; one minute: {minute:.0}%; five minutes: {five_minutes:.0}%\n \
             PID Runtime(ms)     Invoked      uSecs   5Sec   1Min   5Min TTY Process\n",
            self.interrupt
        );
        for thread in &self.threads {
            let [five_seconds, minute, five_minutes] = thread.busy;
            let microseconds = thread
                .runtime
                .as_micros()
                .checked_div(thread.invoked.into())
                .unwrap_or(0);
            let _ = writeln!(
                text,
                "{:>4} {:>11} {:>11} {microseconds:>10} {five_seconds:>5.2}% {minute:>5.2}% {five_minutes:>5.2}%   0 {}",
                thread.id,
                thread.runtime.as_millis(),
                thread.invoked,
                thread.name
            );
        }
        text
    }
}

/// `show memory statistics`: the machine's memory.
#[derive(Serialize, JsonSchema)]
pub struct MemoryStatistics<'a> {
    #[serde(flatten)]
    memory: &'a Memory,
}

/// The machine's memory.
pub fn memory_statistics(memory: &Memory) -> MemoryStatistics<'_> {
    MemoryStatistics { memory }
}

/// `Largest` is what nothing uses at all, without caches.
impl Facts for MemoryStatistics<'_> {
    fn text(&self) -> String {
        let line = |name: &str, pool: &Pool| {
            format!(
                "{name:>9}  {:>9} {:>11} {:>11} {:>11} {:>11} {:>11}\n",
                0, pool.total, pool.used, pool.free, pool.lowest, pool.unused
            )
        };
        format!(
            "                Head    Total(b)     Used(b)     Free(b)   Lowest(b)  Largest(b)\n{}{}",
            line("Processor", &self.memory.processor),
            line("I/O", &self.memory.io)
        )
    }
}
