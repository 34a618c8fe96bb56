//! Where log messages go, and the router's time zone.

use std::net::Ipv6Addr;

use super::Severity;
use crate::interface_name::InterfaceName;

/// `logging …`. An `Option` is `None` only after `no` and `default` unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoggingCommand {
    /// `buffered [SIZE] [SEVERITY]`.
    Buffered {
        /// Octets (4096-2147483647), if typed.
        size: Option<u32>,
        /// The severity, if typed.
        severity: Option<Severity>,
    },
    /// `console [SEVERITY]`; the severity may be left out.
    Console(Option<Severity>),
    /// `facility NAME`.
    Facility(Option<SyslogFacility>),
    /// `host HOST …`, also typed `logging A.B.C.D`.
    Host(LoggingHost),
    /// `message-counter syslog`.
    MessageCounter,
    /// `monitor [SEVERITY]`; the severity may be left out.
    Monitor(Option<Severity>),
    /// `on`.
    On,
    /// `origin-id …`.
    OriginId(Option<OriginId>),
    /// `queue-limit [trap] N`.
    QueueLimit {
        /// `trap`: the queue of each syslog server, otherwise that of the console.
        trap: bool,
        /// Messages (100-2147483647).
        limit: Option<u32>,
    },
    /// `rate-limit [console] [all] N [except SEVERITY]`.
    RateLimit {
        /// Only messages to the console.
        console: bool,
        /// Debug output too.
        all: bool,
        /// Messages per second (1-10000).
        rate: Option<u16>,
        /// Messages of this severity or worse pass, if typed.
        except: Option<Severity>,
    },
    /// `source-interface NAME`.
    SourceInterface(Option<InterfaceName>),
    /// `trap [SEVERITY]`; the severity may be left out.
    Trap(Option<Severity>),
    /// `trap syslog-format rfc5424`.
    SyslogFormat5424,
    /// `userinfo`.
    Userinfo,
}

/// `logging host HOST [transport …] [session-id …] [sequence-num-session]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggingHost {
    /// Who.
    pub host: SyslogServer,
    /// `transport`, if typed; UDP to port 514 otherwise.
    pub transport: Option<Transport>,
    /// `session-id`, if typed.
    pub session_id: Option<OriginId>,
    /// `sequence-num-session`.
    pub sequence_number: bool,
}

/// How a syslog server is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyslogServer {
    /// An IPv4 address or a host name.
    Name(String),
    /// `ipv6 ADDRESS`.
    Ipv6(Ipv6Addr),
}

/// `transport tcp|udp [port N]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transport {
    /// TCP or UDP.
    pub protocol: SyslogProtocol,
    /// The port, if typed.
    pub port: Option<u16>,
}

words! {
    /// What carries messages to a syslog server.
    pub enum SyslogProtocol {
        /// TCP, RFC 6587; port 601.
        Tcp => "tcp",
        /// UDP, RFC 5426; port 514.
        Udp => "udp",
    }
}

/// Who a message says it comes from: `origin-id` and `session-id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginId {
    /// The router's name.
    Hostname,
    /// The IPv4 address that messages leave from: `ip` after `origin-id`, `ipv4` after `session-id`.
    Ipv4,
    /// The IPv6 address that messages leave from.
    Ipv6,
    /// `string TEXT`.
    Text(String),
}

words! {
    /// Facilities of syslog, RFC 5424 6.2.1, by the names of IOS.
    pub enum SyslogFacility {
        /// 0.
        Kern => "kern",
        /// 1.
        User => "user",
        /// 2.
        Mail => "mail",
        /// 3.
        Daemon => "daemon",
        /// 4.
        Auth => "auth",
        /// 5.
        Syslog => "syslog",
        /// 6.
        Lpr => "lpr",
        /// 7.
        News => "news",
        /// 8.
        Uucp => "uucp",
        /// 9.
        Sys9 => "sys9",
        /// 10.
        Sys10 => "sys10",
        /// 11.
        Sys11 => "sys11",
        /// 12.
        Sys12 => "sys12",
        /// 13.
        Sys13 => "sys13",
        /// 14.
        Sys14 => "sys14",
        /// 15.
        Cron => "cron",
        /// 16.
        Local0 => "local0",
        /// 17.
        Local1 => "local1",
        /// 18.
        Local2 => "local2",
        /// 19.
        Local3 => "local3",
        /// 20.
        Local4 => "local4",
        /// 21.
        Local5 => "local5",
        /// 22.
        Local6 => "local6",
        /// 23, the default.
        Local7 => "local7",
    }
}

impl SyslogFacility {
    /// 0 to 23.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// `clock …` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClockCommand {
    /// `timezone NAME HOURS [MINUTES]`.
    Timezone(Option<ClockZone>),
    /// `summer-time NAME recurring …`.
    SummerTime(Option<SummerTime>),
}

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockZone {
    /// Its name in time stamps.
    pub name: String,
    /// Hours from UTC (-23 to 23).
    pub hours: i8,
    /// Minutes beyond the hours, in their direction (0-59), if typed.
    pub minutes: Option<u8>,
}

/// Daylight saving time, the same every year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummerTime {
    /// Its name in time stamps.
    pub name: String,
    /// When it begins and ends, if typed; the rule of the United States otherwise.
    pub between: Option<(ClockChange, ClockChange)>,
    /// Minutes to add (1-1440), if typed; 60 otherwise.
    pub offset: Option<u16>,
}

/// A moment of every year, in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockChange {
    /// Which such day of the month: 1 to 4; 5 for the last.
    pub week: u8,
    /// The day of the week.
    pub day: Weekday,
    /// The month.
    pub month: Month,
    /// Hour (0-23).
    pub hour: u8,
    /// Minute (0-59).
    pub minute: u8,
}

words! {
    /// Days of the week.
    pub enum Weekday {
        /// 0.
        Sunday => "sunday",
        /// 1.
        Monday => "monday",
        /// 2.
        Tuesday => "tuesday",
        /// 3.
        Wednesday => "wednesday",
        /// 4.
        Thursday => "thursday",
        /// 5.
        Friday => "friday",
        /// 6.
        Saturday => "saturday",
    }
}

words! {
    /// Months.
    pub enum Month {
        /// 1.
        January => "january",
        /// 2.
        February => "february",
        /// 3.
        March => "march",
        /// 4.
        April => "april",
        /// 5.
        May => "may",
        /// 6.
        June => "june",
        /// 7.
        July => "july",
        /// 8.
        August => "august",
        /// 9.
        September => "september",
        /// 10.
        October => "october",
        /// 11.
        November => "november",
        /// 12.
        December => "december",
    }
}
