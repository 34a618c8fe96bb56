//! `(config-line)#` commands.

use super::{AclId, Secret};

/// How a line asks who is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginMethod {
    /// `login`: the line's own password.
    LinePassword,
    /// `login local`: the `username` lines.
    Local,
    /// `login authentication LIST`.
    Authentication(String),
}

words! {
    /// The direction of `transport`.
    pub enum TransportDirection {
        /// Incoming sessions.
        Input => "input",
        /// Outgoing sessions.
        Output => "output",
        /// The protocol of a bare host name.
        Preferred => "preferred",
    }
}

words! {
    /// The protocols of `transport`.
    pub enum TransportProtocol {
        /// Every protocol.
        All => "all",
        /// No protocol.
        None => "none",
        /// SSH.
        Ssh => "ssh",
        /// Telnet.
        Telnet => "telnet",
    }
}

/// `(config-line)#` commands. An `Option` is `None` only after `no` and `default` unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineCommand {
    /// `access-class ACL in|out`.
    AccessClass {
        /// The access-list.
        list: AclId,
        /// `in` rather than `out`.
        inbound: bool,
    },
    /// `autocommand LINE`: a command that runs after login and ends the session; `None` only after `no`.
    Autocommand(Option<String>),
    /// `exec-banner`: the banners are shown.
    ExecBanner,
    /// `motd-banner`: the message of the day is shown.
    MotdBanner,
    /// `exec`: an EXEC may start on this line.
    Exec,
    /// `exec-timeout MINUTES [SECONDS]`.
    ExecTimeout {
        /// Minutes; `None` only after `no` and `default`.
        minutes: Option<u32>,
        /// Seconds, if typed.
        seconds: Option<u32>,
    },
    /// `history size N`.
    HistorySize(Option<u16>),
    /// `length N`, lines on a screen, 0 for no pager.
    Length(Option<u16>),
    /// `logging synchronous`.
    LoggingSynchronous,
    /// `login …`.
    Login(LoginMethod),
    /// `password`.
    Password(Option<Secret>),
    /// `privilege level N`.
    PrivilegeLevel(Option<u8>),
    /// `session-timeout MINUTES`.
    SessionTimeout(Option<u32>),
    /// `stopbits 1|1.5|2`, kept as typed.
    Stopbits(Option<String>),
    /// `timeout login response SECONDS` (0-300), for each question of a login.
    LoginResponse(Option<u16>),
    /// `transport input ssh telnet`.
    Transport {
        /// Which sessions.
        direction: TransportDirection,
        /// The protocols allowed; empty only after `no` and `default`.
        protocols: Vec<TransportProtocol>,
    },
    /// `width N`, columns.
    Width(Option<u16>),
}
