//! The screens about the router itself and the terminal: `show version`, `clock`, `history`, `privilege`, `users`,
//! `terminal`. Called by the control session.

use std::fmt::Write;

use super::snapshot::{Asking, Startup, System, User};
use super::time;

/// `show version`. The first line carries the product's name and the words tools detect an IOS command line by.
pub fn version(system: &System) -> String {
    let (total, free) = system.memory;
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!(
        "Isthmus, an IPsec VPN router on Linux, emulating Cisco IOS Software (ISTHMUS), Version {version}, RELEASE SOFTWARE (linux-{})\n\
         Linux {} on {}\n\
         Licence: MIT or Apache-2.0\n\n\
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
        free,
        total.saturating_sub(free),
        system.board_id,
    );
    for (count, kind) in &system.interfaces {
        let _ = writeln!(
            text,
            "{count} {kind} interface{}",
            if *count == 1 { "" } else { "s" }
        );
    }
    text.push_str("\nConfiguration register is 0x2102\n\n");
    text
}

/// `show history`: the session's commands, oldest first.
pub fn history(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

/// `show privilege`.
pub fn privilege(level: u8) -> String {
    format!("Current privilege level is {level}\n")
}

/// `show users`.
pub fn users(users: &[User]) -> String {
    let mut text =
        String::from("    Line       User       Host(s)              Idle       Location\n");
    for user in users {
        let mark = if user.current { '*' } else { ' ' };
        let line = format!(
            "{mark}{:>3} {:<9} {:<10} {:<20} {}   {}",
            user.number,
            line_name(&user.line),
            user.user,
            "idle",
            time::hms(user.idle),
            user.location
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text.push_str("\n  Interface    User               Mode         Idle     Peer Address\n\n");
    text
}

/// `console` as `con 0`, `vty3` as `vty 3`.
fn line_name(line: &str) -> String {
    match line.strip_prefix("vty") {
        Some(number) => format!("vty {number}"),
        None => "con 0".to_owned(),
    }
}

/// `show terminal`.
pub fn terminal(asking: &Asking) -> String {
    format!(
        "Line {}, Location: \"\", Type: \"\"\n\
         Length: {} lines, Width: {} columns\n\
         Status: PSI Enabled, Ready, Active, Automore On\n\
         Capabilities: {}\n\
         Editing is enabled.\n\
         History is enabled, history size is {}.\n",
        asking.line,
        asking.length,
        asking.width,
        if asking.monitor {
            "Receives Logging Output"
        } else {
            "none"
        },
        asking.history_size,
    )
}

/// `show startup-config`.
pub fn startup_config(startup: Option<&Startup>) -> String {
    match startup {
        None => "startup-config is not present\n".to_string(),
        Some(Startup { text, capacity }) => {
            format!("Using {} out of {capacity} bytes\n{text}\n", text.len())
        }
    }
}
