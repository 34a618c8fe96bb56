//! `logging`, `clock` and `service timestamps`. The plain and the `no` rule of a command are built alike.

use crate::command::{
    ClockChange, ClockCommand, ClockZone, LoggingCommand, LoggingHost, Month, OriginId, Severity,
    SummerTime, SyslogFacility, SyslogProtocol, SyslogServer, TimestampFormat, TimestampKind,
    Transport, Weekday,
};
use crate::interface_name::InterfaceName;
use crate::matched::{Part, in_range};
use crate::tree::Rule;

pub(super) fn logging(part: Part<'_>) -> Option<LoggingCommand> {
    let severity = severity(part)?;
    Some(match part.parts().nth(1)?.rule() {
        Rule::k_buffered => LoggingCommand::Buffered {
            size: part.number(Rule::a_buffer_size)?,
            severity,
        },
        Rule::k_logging_console => LoggingCommand::Console(severity),
        Rule::k_logging_facility => {
            LoggingCommand::Facility(part.read(Rule::facility, SyslogFacility::from_word)?)
        }
        Rule::k_message_counter => LoggingCommand::MessageCounter,
        Rule::k_logging_monitor => LoggingCommand::Monitor(severity),
        Rule::k_logging_on => LoggingCommand::On,
        Rule::k_origin_id => LoggingCommand::OriginId(identity(part.child(Rule::origin_id))),
        Rule::k_queue_limit => LoggingCommand::QueueLimit {
            trap: part.has(Rule::k_queue_trap),
            limit: part.number(Rule::a_queue_limit)?,
        },
        Rule::k_rate_limit => LoggingCommand::RateLimit {
            console: part.has(Rule::k_rate_console),
            all: part.has(Rule::k_rate_all),
            rate: part.number(Rule::a_rate_limit)?,
            except: severity,
        },
        Rule::k_logging_source => {
            LoggingCommand::SourceInterface(part.read(Rule::a_interface, InterfaceName::parse)?)
        }
        Rule::k_trap if part.has(Rule::k_syslog_format) => LoggingCommand::SyslogFormat5424,
        Rule::k_trap => LoggingCommand::Trap(severity),
        Rule::k_userinfo => LoggingCommand::Userinfo,
        _ => LoggingCommand::Host(host(part)?),
    })
}

fn severity(part: Part<'_>) -> Option<Option<Severity>> {
    let level = |text: &str| in_range(Rule::a_severity, text).and_then(Severity::from_level);
    part.read(Rule::severity, |text| {
        Severity::from_word(text).or_else(|| level(text))
    })
}

fn host(part: Part<'_>) -> Option<LoggingHost> {
    let name = part
        .name(Rule::a_logging_host)
        .or_else(|| part.name(Rule::a_logging_address));
    let host = match name {
        Some(name) => SyslogServer::Name(name),
        None => SyslogServer::Ipv6(part.parsed(Rule::a_logging_ipv6)??),
    };
    let protocol = match (
        part.has(Rule::k_transport_tcp),
        part.has(Rule::k_transport_udp),
    ) {
        (true, _) => Some(SyslogProtocol::Tcp),
        (_, true) => Some(SyslogProtocol::Udp),
        _ => None,
    };
    let port = part.number(Rule::a_logging_port)?;
    Some(LoggingHost {
        host,
        transport: protocol.map(|protocol| Transport { protocol, port }),
        session_id: identity(part.child(Rule::session_id)),
        sequence_number: part.has(Rule::k_sequence_session),
    })
}

fn identity(part: Option<Part<'_>>) -> Option<OriginId> {
    let part = part?;
    Some(if part.has(Rule::k_id_hostname) {
        OriginId::Hostname
    } else if part.has(Rule::k_id_ipv6) {
        OriginId::Ipv6
    } else if let Some(text) = part.name(Rule::a_id_string) {
        OriginId::Text(text)
    } else {
        OriginId::Ipv4
    })
}

pub(super) fn clock(part: Part<'_>) -> Option<ClockCommand> {
    if part.has(Rule::k_timezone) {
        let hours = part.read(Rule::a_zone_hours, |text| {
            text.parse().ok().filter(|hours| (-23..=23).contains(hours))
        })?;
        let minutes = part.number(Rule::a_zone_minutes)?;
        let zone = part.name(Rule::a_zone_name).zip(hours);
        let zone = zone.map(|(name, hours)| ClockZone {
            name,
            hours,
            minutes,
        });
        return Some(ClockCommand::Timezone(zone));
    }
    let changes: Option<Vec<ClockChange>> = part
        .parts()
        .filter(|child| child.rule() == Rule::change)
        .map(|child| change(child))
        .collect();
    let between = match changes?[..] {
        [begin, end] => Some((begin, end)),
        _ => None,
    };
    let offset = part.number(Rule::a_summer_offset)?;
    let name = part
        .name(Rule::a_summer_name)
        .filter(|_| part.has(Rule::k_recurring));
    Some(ClockCommand::SummerTime(name.map(|name| SummerTime {
        name,
        between,
        offset,
    })))
}

fn change(part: Part<'_>) -> Option<ClockChange> {
    let week = if part.has(Rule::k_week_first) {
        1
    } else if part.has(Rule::k_week_last) {
        5
    } else {
        part.number(Rule::a_week)??
    };
    let (hour, minute) = part.text(Rule::a_change_time)?.split_once(':')?;
    let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
    Some(ClockChange {
        week,
        day: Weekday::from_word(part.text(Rule::weekday_name)?)?,
        month: Month::from_word(part.text(Rule::month_name)?)?,
        hour,
        minute,
    })
    .filter(|change| change.hour < 24 && change.minute < 60)
}

/// `service timestamps`.
pub(super) fn timestamps(stamps: Part<'_>) -> (Option<TimestampKind>, Option<TimestampFormat>) {
    let kind = match (
        stamps.has(Rule::k_stamp_debug),
        stamps.has(Rule::k_stamp_log),
    ) {
        (true, _) => Some(TimestampKind::Debug),
        (_, true) => Some(TimestampKind::Log),
        _ => None,
    };
    let datetime = stamps
        .child(Rule::datetime)
        .map(|datetime| TimestampFormat::Datetime {
            msec: datetime.has(Rule::k_msec),
            localtime: datetime.has(Rule::k_localtime),
            show_timezone: datetime.has(Rule::k_show_timezone),
            year: datetime.has(Rule::k_year),
        });
    let format = datetime.or_else(|| {
        stamps
            .has(Rule::k_uptime)
            .then_some(TimestampFormat::Uptime)
    });
    (kind, format)
}
