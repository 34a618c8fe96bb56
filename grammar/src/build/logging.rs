//! `logging`, `clock` and `service timestamps`. The plain and the `no` rule of a command are built alike.

use pest::iterators::Pair;

use super::{Node, in_range};
use crate::command::{
    ClockChange, ClockCommand, ClockZone, LoggingCommand, LoggingHost, Month, OriginId, Severity,
    SummerTime, SyslogFacility, SyslogProtocol, SyslogServer, TimestampFormat, TimestampKind,
    Transport, Weekday,
};
use crate::interface_name::InterfaceName;
use crate::parser::Rule;

pub(super) fn logging(pair: &Pair<'_, Rule>) -> Option<LoggingCommand> {
    let severity = severity(pair)?;
    Some(match pair.clone().into_inner().nth(1)?.as_rule() {
        Rule::k_buffered => LoggingCommand::Buffered {
            size: pair.number(Rule::a_buffer_size)?,
            severity,
        },
        Rule::k_logging_console => LoggingCommand::Console(severity),
        Rule::k_logging_facility => {
            LoggingCommand::Facility(pair.read(Rule::facility, |word| {
                SyslogFacility::from_word(word.trim())
            })?)
        }
        Rule::k_message_counter => LoggingCommand::MessageCounter,
        Rule::k_logging_monitor => LoggingCommand::Monitor(severity),
        Rule::k_logging_on => LoggingCommand::On,
        Rule::k_origin_id => LoggingCommand::OriginId(identity(pair.child(Rule::origin_id))),
        Rule::k_queue_limit => LoggingCommand::QueueLimit {
            trap: pair.has(Rule::k_queue_trap),
            limit: pair.number(Rule::a_queue_limit)?,
        },
        Rule::k_rate_limit => LoggingCommand::RateLimit {
            console: pair.has(Rule::k_rate_console),
            all: pair.has(Rule::k_rate_all),
            rate: pair.number(Rule::a_rate_limit)?,
            except: severity,
        },
        Rule::k_logging_source => {
            LoggingCommand::SourceInterface(pair.read(Rule::a_interface, InterfaceName::parse)?)
        }
        Rule::k_trap if pair.has(Rule::k_syslog_format) => LoggingCommand::SyslogFormat5424,
        Rule::k_trap => LoggingCommand::Trap(severity),
        Rule::k_userinfo => LoggingCommand::Userinfo,
        _ => LoggingCommand::Host(host(pair)?),
    })
}

fn severity(pair: &Pair<'_, Rule>) -> Option<Option<Severity>> {
    let level = |text: &str| in_range(Rule::a_severity, text).and_then(Severity::from_level);
    pair.read(Rule::severity, |text| {
        Severity::from_word(text.trim()).or_else(|| level(text.trim()))
    })
}

fn host(pair: &Pair<'_, Rule>) -> Option<LoggingHost> {
    let name = pair
        .name(Rule::a_logging_host)
        .or_else(|| pair.name(Rule::a_logging_address));
    let host = match name {
        Some(name) => SyslogServer::Name(name),
        None => SyslogServer::Ipv6(pair.parsed(Rule::a_logging_ipv6)??),
    };
    let protocol = match (
        pair.has(Rule::k_transport_tcp),
        pair.has(Rule::k_transport_udp),
    ) {
        (true, _) => Some(SyslogProtocol::Tcp),
        (_, true) => Some(SyslogProtocol::Udp),
        _ => None,
    };
    let port = pair.number(Rule::a_logging_port)?;
    Some(LoggingHost {
        host,
        transport: protocol.map(|protocol| Transport { protocol, port }),
        session_id: identity(pair.child(Rule::session_id)),
        sequence_number: pair.has(Rule::k_sequence_session),
    })
}

fn identity(pair: Option<Pair<'_, Rule>>) -> Option<OriginId> {
    let pair = pair?;
    Some(if pair.has(Rule::k_id_hostname) {
        OriginId::Hostname
    } else if pair.has(Rule::k_id_ipv6) {
        OriginId::Ipv6
    } else if let Some(text) = pair.name(Rule::a_id_string) {
        OriginId::Text(text)
    } else {
        OriginId::Ipv4
    })
}

pub(super) fn clock(pair: &Pair<'_, Rule>) -> Option<ClockCommand> {
    if pair.has(Rule::k_timezone) {
        let hours = pair.read(Rule::a_zone_hours, |text| {
            text.parse().ok().filter(|hours| (-23..=23).contains(hours))
        })?;
        let minutes = pair.number(Rule::a_zone_minutes)?;
        let zone = pair.name(Rule::a_zone_name).zip(hours);
        let zone = zone.map(|(name, hours)| ClockZone {
            name,
            hours,
            minutes,
        });
        return Some(ClockCommand::Timezone(zone));
    }
    let changes: Option<Vec<ClockChange>> = pair
        .clone()
        .into_inner()
        .filter(|child| child.as_rule() == Rule::change)
        .map(|child| change(&child))
        .collect();
    let between = match changes?[..] {
        [begin, end] => Some((begin, end)),
        _ => None,
    };
    let offset = pair.number(Rule::a_summer_offset)?;
    let name = pair
        .name(Rule::a_summer_name)
        .filter(|_| pair.has(Rule::k_recurring));
    Some(ClockCommand::SummerTime(name.map(|name| SummerTime {
        name,
        between,
        offset,
    })))
}

fn change(pair: &Pair<'_, Rule>) -> Option<ClockChange> {
    let week = if pair.has(Rule::k_week_first) {
        1
    } else if pair.has(Rule::k_week_last) {
        5
    } else {
        pair.number(Rule::a_week)??
    };
    let (hour, minute) = pair.text(Rule::a_change_time)?.split_once(':')?;
    let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
    Some(ClockChange {
        week,
        day: Weekday::from_word(pair.text(Rule::weekday_name)?.trim())?,
        month: Month::from_word(pair.text(Rule::month_name)?.trim())?,
        hour,
        minute,
    })
    .filter(|change| change.hour < 24 && change.minute < 60)
}

/// `service timestamps`.
pub(super) fn timestamps(
    stamps: &Pair<'_, Rule>,
) -> (Option<TimestampKind>, Option<TimestampFormat>) {
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
