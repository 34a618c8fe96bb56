//! The log's settings out of the running-config. Called by the router when it changed.

use isthmus_grammar::InterfaceName;
use isthmus_grammar::command::{
    self, LoggingHost, OriginId, SyslogProtocol, SyslogServer, TimestampFormat, TimestampKind,
};

use super::limit::Rate;
use super::{Datetime, Severity, Stamp};
use crate::config::model::Running;

/// Messages that may wait for the console or a host, unless `logging queue-limit` says otherwise.
const DEFAULT_QUEUE: usize = 4096;

/// What the running-config says about logging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `service timestamps log`
    pub log_stamp: Stamp,
    /// `service timestamps debug`
    pub debug_stamp: Stamp,
    /// `service sequence-numbers`
    pub sequence_numbers: bool,
    /// `logging on`: other places than the console get messages
    pub on: bool,
    /// `logging buffered [SIZE] [LEVEL]`: bytes and level; `None` after `no logging buffered`
    pub buffered: Option<(usize, Severity)>,
    /// `logging console LEVEL`
    pub console: Option<Severity>,
    /// `logging monitor LEVEL`
    pub monitor: Option<Severity>,
    /// `logging trap LEVEL`
    pub trap: Option<Severity>,
    /// `logging rate-limit`
    pub rate: Option<Rate>,
    /// `logging queue-limit N`
    pub console_queue: usize,
    /// `logging queue-limit trap N`
    pub trap_queue: usize,
    /// `logging host`
    pub hosts: Vec<Target>,
    /// What every message to a host begins with.
    pub header: Header,
    /// `logging source-interface`
    pub source: Option<InterfaceName>,
}

/// A syslog server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its address or name.
    pub host: String,
    /// How messages travel.
    pub protocol: SyslogProtocol,
    /// To which port.
    pub port: u16,
    /// `session-id`
    pub session_id: Option<OriginId>,
    /// `sequence-num-session`
    pub sequence_number: bool,
}

/// What is the same in front of every message to a syslog server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// `logging trap syslog-format rfc5424`; that of IOS otherwise
    pub rfc5424: bool,
    /// `logging facility`, 0 to 23
    pub facility: u8,
    /// `logging message-counter syslog`
    pub counter: bool,
    /// `logging origin-id`
    pub origin: Option<OriginId>,
    /// `hostname`
    pub hostname: String,
    /// `ip domain name`
    pub domain: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        settings(&Running::default())
    }
}

/// What the running-config says about logging.
#[must_use]
pub fn settings(running: &Running) -> Settings {
    let logging = &running.logging;
    let size = usize::try_from(logging.buffer_size).unwrap_or(usize::MAX);
    let queue = |limit: Option<u32>| limit.map_or(DEFAULT_QUEUE, |limit| limit as usize);
    Settings {
        log_stamp: stamp(running, TimestampKind::Log),
        debug_stamp: stamp(running, TimestampKind::Debug),
        sequence_numbers: running.services.sequence_numbers,
        on: logging.on,
        buffered: logging.buffered.map(|level| (size, severity(level))),
        console: logging.console.map(severity),
        monitor: logging.monitor.map(severity),
        trap: logging.trap.map(severity),
        rate: logging.rate_limit.map(|limit| Rate {
            console: limit.console,
            all: limit.all,
            rate: limit.rate,
            except: limit.except.map(severity),
        }),
        console_queue: queue(logging.console_queue),
        trap_queue: queue(logging.trap_queue),
        hosts: logging.hosts.iter().map(target).collect(),
        header: Header {
            rfc5424: logging.rfc5424,
            facility: logging.facility.number(),
            counter: logging.message_counter,
            origin: logging.origin_id.clone(),
            hostname: running.hostname().to_owned(),
            domain: running.domain_name.clone(),
        },
        source: logging.source_interface.clone(),
    }
}

fn target(host: &LoggingHost) -> Target {
    let protocol = host
        .transport
        .map_or(SyslogProtocol::Udp, |transport| transport.protocol);
    let usual = match protocol {
        SyslogProtocol::Tcp => 601,
        SyslogProtocol::Udp => 514,
    };
    Target {
        host: match &host.host {
            SyslogServer::Name(name) => name.clone(),
            SyslogServer::Ipv6(address) => address.to_string(),
        },
        protocol,
        port: host
            .transport
            .and_then(|transport| transport.port)
            .unwrap_or(usual),
        session_id: host.session_id.clone(),
        sequence_number: host.sequence_number,
    }
}

fn severity(level: command::Severity) -> Severity {
    Severity::from_number(level.level())
}

fn stamp(running: &Running, kind: TimestampKind) -> Stamp {
    match running.services.timestamps.get(&kind) {
        None => Stamp::None,
        Some(TimestampFormat::Uptime) => Stamp::Uptime,
        Some(TimestampFormat::Datetime {
            msec,
            localtime,
            show_timezone,
            year,
        }) => Stamp::Datetime(Datetime {
            msec: *msec,
            localtime: *localtime,
            show_timezone: *show_timezone,
            year: *year,
        }),
    }
}
