//! The screens about the machine below: `show inventory`, `hosts`, `processes cpu`, `memory statistics`. Called by `show`.

use std::fmt::Write;

use super::snapshot::{Load, Resolver, System};

/// `show inventory`: the machine as its makers call it, with the product as what IOS calls PID.
pub fn inventory(system: &System) -> String {
    format!(
        "NAME: \"Chassis\", DESCR: \"{}, Isthmus on Linux {}\"\nPID: {:<18}, VID: {:<5}, SN: {}\n\n",
        system.chassis,
        system.kernel,
        "ISTHMUS",
        env!("CARGO_PKG_VERSION"),
        system.board_id
    )
}

/// `show hosts`: the domain and the servers that names are looked up with.
pub fn hosts(resolver: &Resolver) -> String {
    let domain = match &resolver.domain {
        Some(domain) => format!("Default domain is {domain}"),
        None => "Default domain is not set".to_owned(),
    };
    let servers = if resolver.servers.is_empty() {
        "not set".to_owned()
    } else {
        resolver.servers.join(", ")
    };
    format!(
        "{domain}\nName servers are {servers}\nNAME  TTL  CLASS   TYPE      DATA/ADDRESS\n-----------------------------------------\n"
    )
}

/// `show processes cpu`: the machine's load, and the threads of the daemon as its processes.
pub fn processes_cpu(load: &Load) -> String {
    let [five_seconds, minute, five_minutes] = load.busy;
    let mut text = format!(
        "CPU utilization for five seconds: {five_seconds:.0}%/{:.0}%; one minute: {minute:.0}%; five minutes: {five_minutes:.0}%\n \
         PID Runtime(ms)     Invoked      uSecs   5Sec   1Min   5Min TTY Process\n",
        load.interrupt
    );
    for thread in &load.threads {
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

/// `show memory statistics`: the machine's memory; `Largest` is what nothing uses at all, without caches.
pub fn memory_statistics(load: &Load) -> String {
    let memory = &load.memory;
    format!(
        "                Head    Total(b)     Used(b)     Free(b)   Lowest(b)  Largest(b)\n\
         Processor  {:>9} {:>11} {:>11} {:>11} {:>11} {:>11}\n",
        0,
        memory.total,
        memory.total.saturating_sub(memory.free),
        memory.free,
        memory.lowest,
        memory.unused
    )
}
