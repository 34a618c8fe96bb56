//! The router's log: IOS messages to the console, the buffer, terminals that monitor, and syslog hosts.
//!
//! `router::facts` and `debug` turn the engine's facts into [`Message`]s; sessions and the run loop add their own. Settings
//! come from the running-config (`logging ...`, `service timestamps ...`). Nothing here waits for a reader: the console
//! has a thread ([`console`]), each syslog host and each terminal a queue, and what does not fit is counted.

mod buffer;
mod configured;
mod console;
mod host;
mod journal;
mod limit;
mod message;
mod stamp;
mod syslog;

use std::rc::Rc;

use tokio::sync::{Notify, mpsc};

pub use buffer::Buffer;
pub use configured::{Header, Settings, Target, settings};
pub use console::Console;
pub use host::Host;
pub use limit::Rate;
pub use message::{Message, Severity};
pub use stamp::{Datetime, Stamp};
pub use syslog::Line;

use crate::clock::Clock;
use crate::operators::SessionId;

/// How many lines went where, for `show logging`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// To the console.
    pub console: u64,
    /// To terminals.
    pub monitor: u64,
    /// To the buffer.
    pub buffered: u64,
    /// For syslog hosts; a message of several lines counts as several.
    pub trap: u64,
    /// Not written because there were too many.
    pub limited: u64,
    /// Lost because the console, a terminal or a syslog host did not keep up.
    pub dropped: u64,
}

/// The log.
#[derive(Debug)]
pub struct Log {
    settings: Settings,
    clock: Clock,
    console: console::Writer,
    ceiling: Severity,
    buffer: Buffer,
    counts: Counts,
    limiter: limit::Limiter,
    spent: limit::Spent,
    sequence: u64,
    monitors: Vec<(SessionId, mpsc::Sender<String>)>,
    hosts: Vec<Rc<Host>>,
    hosts_changed: Rc<Notify>,
}

impl Log {
    /// A log that writes console lines up to `ceiling` (`--log-level`), however much `logging console` asks for.
    #[must_use]
    pub fn new(clock: Clock, console: Console, ceiling: Severity) -> Self {
        let mut log = Self {
            settings: Settings::default(),
            clock,
            console: console::Writer::new(console),
            ceiling,
            buffer: Buffer::default(),
            counts: Counts::default(),
            limiter: limit::Limiter::default(),
            spent: limit::Spent::default(),
            sequence: 0,
            monitors: Vec::new(),
            hosts: Vec::new(),
            hosts_changed: Rc::default(),
        };
        log.configure(Settings::default());
        log
    }

    /// Takes new settings; hosts that stay keep their queues and counts.
    pub fn configure(&mut self, settings: Settings) {
        self.buffer
            .resize(settings.buffered.map_or(0, |(size, _)| size));
        let mut before = std::mem::take(&mut self.hosts);
        let mut new = Vec::new();
        for target in &settings.hosts {
            let known = before.iter().position(|host| host.target == *target);
            let host = match known {
                Some(at) => before.swap_remove(at),
                None => {
                    let host = Host::new(target.clone());
                    new.push(host.clone());
                    host
                }
            };
            self.hosts.push(host);
        }
        self.settings = settings;
        for host in before {
            host.stop();
            self.write(&host.started("stopped - CLI initiated"));
        }
        for host in new {
            self.hosts_changed.notify_one();
            self.write(&host.started("started - CLI initiated"));
        }
    }

    /// Shows times in this zone from now on.
    pub fn set_zone(&mut self, zone: jiff::tz::TimeZone) {
        self.clock.set_zone(zone);
    }

    /// Writes one message to every place whose level asks for it.
    pub fn write(&mut self, message: &Message) {
        let uptime = self.clock.uptime();
        if let Message::System {
            mnemonic,
            provoked: true,
            ..
        } = message
            && !self.limiter.allow(mnemonic, uptime)
        {
            self.counts.limited += 1;
            return;
        }
        let within = match self.settings.rate {
            Some(rate) => self.spent.allow(rate, message, uptime),
            None => true,
        };
        let elsewhere = within || self.settings.rate.is_some_and(|rate| rate.console);
        if !within {
            self.counts.limited += 1;
        }
        if !within && !elsewhere {
            self.count_limited(message);
            return;
        }
        self.sequence += 1;
        let stamp = match message {
            Message::System { .. } => self.settings.log_stamp,
            Message::Debug(_) => self.settings.debug_stamp,
        };
        let prefix = self.sequence_prefix() + &stamp.render(&self.clock);
        let line = format!("{prefix}{message}");
        if within {
            self.write_console(message, &line);
        }
        if !self.settings.on {
            return;
        }
        let severity = message.severity();
        self.write_monitors(severity, &line);
        self.write_hosts(message, &prefix);
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

    /// The syslog hosts, as configured.
    #[must_use]
    pub fn hosts(&self) -> &[Rc<Host>] {
        &self.hosts
    }

    /// Wakes the task that serves the hosts when there are others.
    #[must_use]
    pub fn hosts_changed(&self) -> Rc<Notify> {
        self.hosts_changed.clone()
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

    /// The journal is the machine's record and keeps everything up to `--log-level`; standard error is the console.
    fn write_console(&mut self, message: &Message, line: &str) {
        let severity = message.severity();
        if severity > self.ceiling {
            return;
        }
        let wanted = self.settings.console.is_some_and(|level| severity <= level);
        self.counts.console += u64::from(wanted);
        let bytes = match self.console.console() {
            Console::Stderr if wanted => format!("{line}\n").into_bytes(),
            Console::Journal(_) => journal::entry(message),
            Console::Stderr | Console::Nowhere => return,
        };
        if !self.console.push(bytes, self.settings.console_queue) {
            self.counts.dropped += 1;
        }
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

    fn wants_trap(&self, severity: Severity) -> bool {
        self.settings.on && self.settings.trap.is_some_and(|level| severity <= level)
    }

    fn count_limited(&self, message: &Message) {
        if self.wants_trap(message.severity()) {
            self.hosts.iter().for_each(|host| host.limited());
        }
    }

    fn write_hosts(&mut self, message: &Message, prefix: &str) {
        let severity = message.severity();
        if !self.wants_trap(severity) {
            return;
        }
        let mnemonic = match message {
            Message::System { mnemonic, .. } => Some(*mnemonic),
            Message::Debug(_) => None,
        };
        for text in message.to_string().lines().map(str::trim_end) {
            if text.is_empty() {
                continue;
            }
            self.counts.trap += 1;
            if self.hosts.is_empty() {
                continue;
            }
            let line = Rc::new(syslog::Line {
                severity,
                number: self.counts.trap,
                at: self.clock.zoned(),
                synchronised: self.clock.synchronised(),
                uptime: self.clock.uptime().as_millis() / 10,
                mnemonic,
                prefix: prefix.to_owned(),
                text: text.to_owned(),
            });
            for host in &self.hosts {
                if !host.push(&line, self.settings.trap_queue) {
                    self.counts.dropped += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
