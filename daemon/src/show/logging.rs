//! `show logging`. Called by the control session.

use std::fmt::Write;

use super::snapshot::Log;

/// The destinations with their levels and counts, then the buffer.
pub fn logging(log: &Log) -> String {
    let mut text = format!(
        "Syslog logging: enabled ({} messages dropped, 0 messages rate-limited, 0 flushes, 0 overruns, xml disabled, \
         filtering disabled)\n\nNo Active Message Discriminator.\n\n\n\nNo Inactive Message Discriminator.\n\n\n",
        log.dropped
    );
    destination(&mut text, "Console logging:", log.console);
    destination(&mut text, "Monitor logging:", log.monitor);
    destination(&mut text, "Buffer logging: ", log.buffer);
    text.push_str(
        "    Count and timestamp logging messages: disabled\n    Persistent logging: disabled\n\n\
         No active filter modules.\n\n",
    );
    match log.trap {
        None => text.push_str("    Trap logging: disabled\n"),
        Some((level, count)) => {
            let _ = writeln!(
                text,
                "    Trap logging: level {level}, {count} message lines logged"
            );
            for host in &log.hosts {
                let _ = write!(
                    text,
                    "        Logging to {}  (udp port {}, audit disabled,\n              link up),\n              \
                     {} message lines logged,\n              0 message lines rate-limited,\n              \
                     0 message lines dropped-by-MD,\n              xml disabled, sequence number disabled\n              \
                     filtering disabled\n",
                    host.host, host.port, host.sent
                );
            }
        }
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

fn destination(text: &mut String, title: &str, level: Option<(&str, u64)>) {
    let _ = match level {
        None => writeln!(text, "    {title} disabled"),
        Some((level, count)) => write!(
            text,
            "    {title} level {level}, {count} messages logged, xml disabled,\n                     filtering disabled\n"
        ),
    };
}
