//! `logging` and `clock`.

use std::fmt::Display;

use super::{Out, keyword};
use crate::command::{
    ClockChange, ClockCommand, LoggingCommand, LoggingHost, OriginId, SyslogServer,
};

pub(super) fn logging(out: &mut Out, command: &LoggingCommand) {
    out.word("logging");
    match command {
        LoggingCommand::Buffered { size, severity } => {
            keyword(out, "buffered", *size);
            out.optional(*severity);
        }
        LoggingCommand::Console(severity) => keyword(out, "console", *severity),
        LoggingCommand::Facility(facility) => keyword(out, "facility", *facility),
        LoggingCommand::Host(host) => self::host(out, host),
        LoggingCommand::MessageCounter => out.word("message-counter syslog"),
        LoggingCommand::Monitor(severity) => keyword(out, "monitor", *severity),
        LoggingCommand::On => out.word("on"),
        LoggingCommand::OriginId(id) => {
            out.word("origin-id");
            identity(out, id.as_ref(), "ip");
        }
        LoggingCommand::QueueLimit { trap, limit } => {
            out.word("queue-limit");
            out.flag("trap", *trap);
            out.optional(*limit);
        }
        LoggingCommand::RateLimit {
            console,
            all,
            rate,
            except,
        } => {
            out.word("rate-limit");
            out.flag("console", *console);
            out.flag("all", *all);
            out.optional(*rate);
            out.pair("except", *except);
        }
        LoggingCommand::SourceInterface(name) => keyword(out, "source-interface", name.as_ref()),
        LoggingCommand::Trap(severity) => keyword(out, "trap", *severity),
        LoggingCommand::SyslogFormat5424 => out.word("trap syslog-format rfc5424"),
        LoggingCommand::Userinfo => out.word("userinfo"),
    }
}

fn host(out: &mut Out, host: &LoggingHost) {
    out.word("host");
    match &host.host {
        SyslogServer::Name(name) => out.word(name),
        SyslogServer::Ipv6(address) => out.pair("ipv6", Some(address)),
    }
    if let Some(transport) = host.transport {
        out.pair("transport", Some(transport.protocol));
        out.pair("port", transport.port);
    }
    if let Some(id) = &host.session_id {
        out.word("session-id");
        identity(out, Some(id), "ipv4");
    }
    out.flag("sequence-num-session", host.sequence_number);
}

/// `ipv4` is the word for the IPv4 address, which differs between the commands.
fn identity(out: &mut Out, id: Option<&OriginId>, ipv4: &str) {
    match id {
        None => {}
        Some(OriginId::Hostname) => out.word("hostname"),
        Some(OriginId::Ipv4) => out.word(ipv4),
        Some(OriginId::Ipv6) => out.word("ipv6"),
        Some(OriginId::Text(text)) => out.pair("string", Some(text)),
    }
}

pub(super) fn clock(out: &mut Out, command: &ClockCommand) {
    match command {
        ClockCommand::Timezone(zone) => {
            out.word("clock timezone");
            if let Some(zone) = zone {
                out.word(&zone.name);
                out.word(zone.hours);
                out.optional(zone.minutes);
            }
        }
        ClockCommand::SummerTime(summer) => {
            out.word("clock summer-time");
            if let Some(summer) = summer {
                out.word(&summer.name);
                out.word("recurring");
                if let Some((begin, end)) = &summer.between {
                    change(out, begin);
                    change(out, end);
                    out.optional(summer.offset);
                }
            }
        }
    }
}

/// `last Sun Mar 2:00`
fn change(out: &mut Out, change: &ClockChange) {
    match change.week {
        1 => out.word("first"),
        5.. => out.word("last"),
        week => out.word(week),
    }
    out.word(short(change.day));
    out.word(short(change.month));
    out.word(format_args!("{}:{:02}", change.hour, change.minute));
}

/// Three letters, the first a capital.
fn short(word: impl Display) -> String {
    let word = word.to_string();
    let (first, rest) = word.split_at(1);
    format!("{}{}", first.to_uppercase(), &rest[..2])
}
