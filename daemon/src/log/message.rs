//! One log message before it has a time stamp: an IOS system message or a debug line. Made by all who log, written by [`super::Log`].

use std::fmt;
use std::net::IpAddr;

/// Syslog severity, RFC 5424 6.2.1, by its IOS name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Severity {
    /// 0
    Emergencies,
    /// 1
    Alerts,
    /// 2
    Critical,
    /// 3
    Errors,
    /// 4
    Warnings,
    /// 5
    Notifications,
    /// 6
    Informational,
    /// 7
    Debugging,
}

impl Severity {
    const ALL: [(Self, &str); 8] = [
        (Self::Emergencies, "emergencies"),
        (Self::Alerts, "alerts"),
        (Self::Critical, "critical"),
        (Self::Errors, "errors"),
        (Self::Warnings, "warnings"),
        (Self::Notifications, "notifications"),
        (Self::Informational, "informational"),
        (Self::Debugging, "debugging"),
    ];

    /// The severity with this number (0 to 7) or IOS name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.parse::<usize>().ok();
        Self::ALL
            .iter()
            .enumerate()
            .find(|(at, (_, name))| number == Some(*at) || *name == text)
            .map(|(_, (severity, _))| *severity)
    }

    /// The severity with this number; 7 for larger ones.
    #[must_use]
    pub fn from_number(number: u8) -> Self {
        Self::ALL
            .get(usize::from(number))
            .map_or(Self::Debugging, |(severity, _)| *severity)
    }

    /// Its IOS name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[usize::from(self.number())].1
    }

    /// 0 to 7.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is to be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// `%CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON`
    System {
        /// `CRYPTO`
        facility: &'static str,
        /// 6
        severity: Severity,
        /// `ISAKMP_ON_OFF`
        mnemonic: &'static str,
        /// `ISAKMP is ON`
        text: String,
        /// The peer that it is about.
        peer: Option<IpAddr>,
        /// Strangers can make it come as often as they like, by sending packets.
        provoked: bool,
    },
    /// A line of `debug`, severity debugging: `ISAKMP: (1001):SA has been authenticated`.
    Debug(String),
}

impl Message {
    /// A system message.
    pub fn system(
        facility: &'static str,
        severity: Severity,
        mnemonic: &'static str,
        text: impl Into<String>,
    ) -> Self {
        Self::System {
            facility,
            severity,
            mnemonic,
            text: text.into(),
            peer: None,
            provoked: false,
        }
    }

    /// The same about a peer.
    #[must_use]
    pub fn about(mut self, address: IpAddr) -> Self {
        if let Self::System { peer, .. } = &mut self {
            *peer = Some(address);
        }
        self
    }

    /// The same about a stranger, who may send for ever what led to it.
    #[must_use]
    pub fn provoked_by(self, address: IpAddr) -> Self {
        let mut message = self.about(address);
        if let Self::System { provoked, .. } = &mut message {
            *provoked = true;
        }
        message
    }

    /// How grave it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::System { severity, .. } => *severity,
            Self::Debug(_) => Severity::Debugging,
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System {
                facility,
                severity,
                mnemonic,
                text,
                ..
            } => write!(f, "%{facility}-{}-{mnemonic}: {text}", severity.number()),
            Self::Debug(text) => f.write_str(text),
        }
    }
}
