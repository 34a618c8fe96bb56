//! The log's settings out of the running-config. Called by the router when it changed.

use isthmus_grammar::command::{self, TimestampFormat, TimestampKind};

use super::{Datetime, Settings, Severity, Stamp};
use crate::config::model::Running;

/// What the running-config says about logging.
#[must_use]
pub fn settings(running: &Running) -> Settings {
    let logging = &running.logging;
    let size = usize::try_from(logging.buffer_size).unwrap_or(usize::MAX);
    Settings {
        log_stamp: stamp(running, TimestampKind::Log),
        debug_stamp: stamp(running, TimestampKind::Debug),
        sequence_numbers: false,
        buffered: logging.buffered.map(|level| (size, severity(level))),
        console: logging.console.map(severity),
        monitor: logging.monitor.map(severity),
        trap: logging.trap.map(severity),
        hosts: logging
            .hosts
            .iter()
            .filter_map(|host| host.parse().ok())
            .collect(),
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
