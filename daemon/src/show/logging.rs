//! `show logging`. Called by `show`.

use std::fmt::Write;

use super::screen::Facts;
use super::snapshot::{Log, LogHost, LogPlace};

impl Facts for &Log {
    fn text(&self) -> String {
        logging(self)
    }
}

/// The destinations with their levels and counts, then the buffer.
fn logging(log: &Log) -> String {
    let mut text = format!(
        "Syslog logging: {} ({} messages dropped, {} messages rate-limited, 0 flushes, 0 overruns, xml disabled, \
         filtering disabled)\n\nNo Active Message Discriminator.\n\n\n\nNo Inactive Message Discriminator.\n\n\n",
        if log.on { "enabled" } else { "disabled" },
        log.dropped,
        log.limited
    );
    destination(&mut text, "Console logging:", 21, log.console);
    destination(&mut text, "Monitor logging:", 21, log.monitor);
    destination(&mut text, "Buffer logging: ", 20, log.buffer);
    text.push_str(
        "    Exception Logging: Disabled\n    Count and timestamp logging messages: disabled\n    \
         Persistent logging: disabled\n\nNo active filter modules.\n\n",
    );
    match log.trap {
        None => text.push_str("    Trap logging: disabled\n"),
        Some(LogPlace {
            level,
            messages: count,
        }) => {
            let _ = writeln!(
                text,
                "    Trap logging: level {level}, {count} message lines logged"
            );
            log.hosts.iter().for_each(|one| host(&mut text, one));
        }
    }
    text.push_str("        Logging Source-Interface:       VRF Name:\n");
    if let Some(source) = &log.source {
        let _ = writeln!(text, "        {source}");
    }
    if log.buffer.is_some() {
        let _ = writeln!(text, "\nLog Buffer ({} bytes):", log.size);
        if !log.lines.is_empty() {
            text.push('\n');
        }
        for line in &log.lines {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn destination(text: &mut String, title: &str, indent: usize, place: Option<LogPlace>) {
    let _ = match place {
        None => writeln!(text, "    {title} disabled"),
        Some(LogPlace {
            level,
            messages: count,
        }) => writeln!(
            text,
            "    {title} level {level}, {count} messages logged, xml disabled,\n{:indent$}filtering disabled",
            ""
        ),
    };
}

fn host(text: &mut String, host: &LogHost) {
    // IOS has no such line: it tells only of those that a discriminator dropped.
    let dropped = match host.dropped {
        0 => String::new(),
        count => format!("              {count} message lines dropped,\n"),
    };
    let _ = write!(
        text,
        "        Logging to {}  ({} port {}, audit disabled,\n              link {}),\n              \
         {} message lines logged,\n              {} message lines rate-limited,\n              \
         0 message lines dropped-by-MD,\n{}              xml disabled, sequence number {}\n              \
         filtering disabled\n",
        host.host,
        host.protocol,
        host.port,
        if host.up { "up" } else { "down" },
        host.sent,
        host.limited,
        dropped,
        if host.numbered { "enabled" } else { "disabled" },
    );
}
