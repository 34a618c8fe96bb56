//! The router's log: IOS messages to the console, the buffer, terminals that monitor, and syslog hosts.
//!
//! `record` and `debug` turn the engine's facts into [`Message`]s; sessions and the run loop add their own. Settings
//! come from the running-config (`logging ...`, `service timestamps ...`).

mod buffer;
mod configured;
mod limit;
mod message;
mod stamp;

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

use tokio::sync::mpsc;

pub use buffer::Buffer;
pub use configured::settings;
pub use message::{Message, Severity};
pub use stamp::{Datetime, Stamp};

use crate::clock::Clock;
use crate::session::registry::SessionId;

/// What the running-config says about logging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `service timestamps log`
    pub log_stamp: Stamp,
    /// `service timestamps debug`
    pub debug_stamp: Stamp,
    /// `service sequence-numbers`
    pub sequence_numbers: bool,
    /// `logging buffered [SIZE] [LEVEL]`: bytes and level; `None` after `no logging buffered`
    pub buffered: Option<(usize, Severity)>,
    /// `logging console LEVEL`
    pub console: Option<Severity>,
    /// `logging monitor LEVEL`
    pub monitor: Option<Severity>,
    /// `logging trap LEVEL`
    pub trap: Option<Severity>,
    /// `logging host A`
    pub hosts: Vec<IpAddr>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            log_stamp: Stamp::default(),
            debug_stamp: Stamp::default(),
            sequence_numbers: false,
            buffered: Some((4096, Severity::Debugging)),
            console: Some(Severity::Debugging),
            monitor: Some(Severity::Debugging),
            trap: Some(Severity::Informational),
            hosts: Vec::new(),
        }
    }
}

/// How many lines went where, for `show logging`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// To the console.
    pub console: u64,
    /// To terminals.
    pub monitor: u64,
    /// To the buffer.
    pub buffered: u64,
    /// To syslog hosts.
    pub trap: u64,
    /// Not written because there were too many.
    pub limited: u64,
    /// Lost because a terminal or a syslog host did not keep up.
    pub dropped: u64,
}

/// The log.
#[derive(Debug)]
pub struct Log {
    settings: Settings,
    clock: Clock,
    console: Console,
    ceiling: Severity,
    buffer: Buffer,
    counts: Counts,
    limiter: limit::Limiter,
    sequence: u64,
    monitors: Vec<(SessionId, mpsc::Sender<String>)>,
    datagrams: Vec<(SocketAddr, Vec<u8>)>,
}

/// Where console lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Console {
    /// Standard error, with time stamps.
    Stderr,
    /// Standard error read by the journal: a priority prefix instead of a time stamp.
    Journal,
    /// Nowhere (tests).
    Nowhere,
}

impl Console {
    /// The journal when the service manager says that it reads standard error, standard error otherwise.
    #[must_use]
    pub fn detect() -> Self {
        if std::env::var_os("JOURNAL_STREAM").is_some() {
            Self::Journal
        } else {
            Self::Stderr
        }
    }
}

/// Syslog datagrams that wait for the run loop at most.
const MAX_DATAGRAMS: usize = 1000;
/// Facility local7, as IOS.
const FACILITY: u8 = 23;

impl Log {
    /// A log that writes console lines up to `ceiling` (`--log-level`), however much `logging console` asks for.
    #[must_use]
    pub fn new(clock: Clock, console: Console, ceiling: Severity) -> Self {
        let mut log = Self {
            settings: Settings::default(),
            clock,
            console,
            ceiling,
            buffer: Buffer::default(),
            counts: Counts::default(),
            limiter: limit::Limiter::default(),
            sequence: 0,
            monitors: Vec::new(),
            datagrams: Vec::new(),
        };
        log.configure(Settings::default());
        log
    }

    /// Takes new settings.
    pub fn configure(&mut self, settings: Settings) {
        self.buffer
            .resize(settings.buffered.map_or(0, |(size, _)| size));
        self.settings = settings;
    }

    /// Writes one message to every place whose level asks for it.
    pub fn write(&mut self, message: &Message) {
        if let Message::System { mnemonic, .. } = message
            && !self.limiter.allow(mnemonic, self.clock.uptime())
        {
            self.counts.limited += 1;
            return;
        }
        self.sequence += 1;
        let stamp = match message {
            Message::System { .. } => self.settings.log_stamp,
            Message::Debug(_) => self.settings.debug_stamp,
        };
        let text = message.to_string();
        let line = format!(
            "{}{}{text}",
            self.sequence_prefix(),
            stamp.render(&self.clock)
        );
        let severity = message.severity();
        self.write_console(severity, &line, &text);
        self.write_monitors(severity, &line);
        self.write_hosts(severity, &line);
        if let Some((_, level)) = self.settings.buffered
            && severity <= level
        {
            self.counts.buffered += 1;
            self.buffer.push(line);
        }
    }

    /// Writes a system message.
    pub fn system(
        &mut self,
        facility: &'static str,
        severity: Severity,
        mnemonic: &'static str,
        text: impl Into<String>,
    ) {
        self.write(&Message::system(facility, severity, mnemonic, text));
    }

    /// Whether a session's terminal gets log messages.
    #[must_use]
    pub fn monitors(&self, id: SessionId) -> bool {
        self.monitors.iter().any(|(known, _)| *known == id)
    }

    /// Adds a terminal (`terminal monitor`); it leaves by [`Log::forget`] or by dropping its receiver.
    pub fn monitor(&mut self, session: SessionId, terminal: mpsc::Sender<String>) {
        self.monitors.push((session, terminal));
    }

    /// `terminal no monitor`
    pub fn forget(&mut self, session: SessionId) {
        self.monitors.retain(|(known, _)| *known != session);
    }

    /// Syslog datagrams to send, with where to.
    pub fn take_datagrams(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        std::mem::take(&mut self.datagrams)
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What went where so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The buffered lines.
    #[must_use]
    pub fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// `clear logging`
    pub fn clear(&mut self) {
        self.buffer.clear();
    }

    fn sequence_prefix(&self) -> String {
        if self.settings.sequence_numbers {
            format!("{:06}: ", self.sequence)
        } else {
            String::new()
        }
    }

    fn write_console(&mut self, severity: Severity, line: &str, text: &str) {
        let wanted = self.settings.console.is_some_and(|level| severity <= level);
        if !wanted || severity > self.ceiling {
            return;
        }
        self.counts.console += 1;
        // A closed standard error must not stop the router.
        let _ = match self.console {
            Console::Stderr => writeln!(std::io::stderr().lock(), "{line}"),
            Console::Journal => {
                let level = severity.number();
                let text = text.replace('\n', &format!("\n<{level}>"));
                writeln!(std::io::stderr().lock(), "<{level}>{text}")
            }
            Console::Nowhere => Ok(()),
        };
    }

    fn write_monitors(&mut self, severity: Severity, line: &str) {
        if self.settings.monitor.is_none_or(|level| severity > level) {
            return;
        }
        let counts = &mut self.counts;
        self.monitors
            .retain(|(_, terminal)| match terminal.try_send(line.to_owned()) {
                Ok(()) => {
                    counts.monitor += 1;
                    true
                }
                Err(mpsc::error::TrySendError::Full(_)) => {
                    counts.dropped += 1;
                    true
                }
                Err(mpsc::error::TrySendError::Closed(_)) => false,
            });
    }

    fn write_hosts(&mut self, severity: Severity, line: &str) {
        let wanted = self.settings.trap.is_some_and(|level| severity <= level);
        if !wanted || self.settings.hosts.is_empty() {
            return;
        }
        self.counts.trap += 1;
        let priority = FACILITY * 8 + severity.number();
        // RFC 3164 4.1 as IOS writes it: the sequence number, then the line with its own stamp.
        let datagram = format!("<{priority}>{}: {line}", self.sequence).into_bytes();
        for host in &self.settings.hosts {
            if self.datagrams.len() >= MAX_DATAGRAMS {
                self.counts.dropped += 1;
                continue;
            }
            self.datagrams
                .push((SocketAddr::new(*host, 514), datagram.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
