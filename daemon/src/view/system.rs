//! The machine for `show version`, `show inventory` and `show hosts`. Called by `view`.

use std::time::Duration;

use jiff::ZonedDateTime;

use crate::router::Router;
use crate::show::snapshot::{InterfaceCount, Resolver, System};

/// What the machine says about itself, found out where the screen is made; what it does not tell stays empty.
pub fn system(router: &Router) -> impl FnOnce() -> System + Send + use<> {
    let hostname = router.running.hostname().to_owned();
    let uptime = router.clock.uptime();
    let started = router.clock.local(router.clock.booted());
    let kinds = ["Ethernet", "Loopback", "Tunnel"].map(|kind| {
        let count = router
            .interfaces
            .iter()
            .filter(|i| i.hardware() == kind && i.link.name != "lo")
            .count();
        InterfaceCount {
            hardware: kind,
            count,
        }
    });
    move || machine(hostname, uptime, started, &kinds)
}

fn machine(
    hostname: String,
    uptime: Duration,
    started: ZonedDateTime,
    kinds: &[InterfaceCount],
) -> System {
    let uname = nix::sys::utsname::uname();
    let text = |get: fn(&nix::sys::utsname::UtsName) -> &std::ffi::OsStr| {
        uname
            .as_ref()
            .map_or_else(|_| String::new(), |u| get(u).to_string_lossy().into_owned())
    };
    let (memory, available) = memory();
    System {
        hostname,
        uptime,
        started,
        image: std::env::current_exe()
            .map_or_else(|_| "isthmusd".into(), |p| p.display().to_string()),
        kernel: text(nix::sys::utsname::UtsName::release),
        machine: text(nix::sys::utsname::UtsName::machine),
        processor: processor(),
        memory,
        available,
        chassis: chassis(),
        board_id: first_line("/etc/machine-id"),
        interfaces: kinds.iter().filter(|one| one.count > 0).cloned().collect(),
    }
}

fn first_line(path: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

/// Maker and model as the firmware tells, or what kind of machine it is where there is no such firmware.
fn chassis() -> String {
    let names = ["sys_vendor", "product_name"]
        .map(|name| first_line(&format!("/sys/class/dmi/id/{name}")))
        .map(|name| name.replace('"', "'").trim().to_owned());
    let known: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !name.is_empty())
        .collect();
    if known.is_empty() {
        let processor = processor();
        return if processor.is_empty() {
            "Linux machine".to_owned()
        } else {
            processor
        };
    }
    known.join(" ")
}

/// The configured domain, or the one of the machine, and the machine's name servers.
pub fn resolver(configured: Option<String>) -> Resolver {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let words = |line: &str| {
        line.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut resolver = Resolver::default();
    for line in text.lines().map(words) {
        match line.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["nameserver", server, ..] => resolver.servers.push(server.to_owned()),
            ["domain" | "search", domain, ..] => resolver.domain = Some(domain.to_owned()),
            _ => {}
        }
    }
    if configured.is_some() {
        resolver.domain = configured;
    }
    resolver
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            line.split_once(':')
                .filter(|(key, _)| key.trim() == "model name")
        })
        .map(|(_, name)| name.trim())
        .collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first, ..] => format!("{first}, {} processors", names.len()),
    }
}

/// Whole and available, in KiB.
fn memory() -> (u64, u64) {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let find = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse().ok()
    };
    (
        find("MemTotal:").unwrap_or(0),
        find("MemAvailable:").unwrap_or(0),
    )
}
