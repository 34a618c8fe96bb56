//! `line con`, `line aux`, `line vty`: settings of each terminal line.

use std::collections::BTreeMap;

use isthmus_grammar::command::{
    AclId, LineKind, LoginMethod, Secret, TransportDirection, TransportProtocol,
};

use super::{Kept, Retained};

/// One terminal line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LineId {
    /// console, aux or vty.
    pub kind: LineKind,
    /// Its number within the kind.
    pub number: u16,
}

impl LineId {
    fn order(self) -> (u8, u16) {
        let kind = match self.kind {
            LineKind::Console => 0,
            LineKind::Aux => 1,
            LineKind::Vty => 2,
        };
        (kind, self.number)
    }
}

impl PartialOrd for LineId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LineId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

/// What is set on a line; an absent value is IOS's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineSettings {
    /// `access-class LIST in`.
    pub access_in: Option<AclId>,
    /// `access-class LIST out`.
    pub access_out: Option<AclId>,
    /// `autocommand`: runs after login and ends the session.
    pub autocommand: Option<String>,
    /// `no exec`.
    pub no_exec: bool,
    /// `no exec-banner`: neither the message of the day nor the banner after login.
    pub no_exec_banner: bool,
    /// `no motd-banner`.
    pub no_motd_banner: bool,
    /// `exec-timeout`, minutes and seconds; 10 minutes by default, 0 0 for never.
    pub exec_timeout: Option<(u32, u32)>,
    /// `history size`.
    pub history_size: Option<u16>,
    /// `length`.
    pub length: Option<u16>,
    /// `logging synchronous`.
    pub logging_synchronous: bool,
    /// `login`.
    pub login: Option<LoginMethod>,
    /// `password`.
    pub password: Option<Secret>,
    /// `privilege level`.
    pub privilege: Option<u8>,
    /// `session-timeout`, minutes.
    pub session_timeout: Option<u32>,
    /// `stopbits`.
    pub stopbits: Option<String>,
    /// `timeout login response`, seconds; 30 by default, 0 for no limit.
    pub login_response: Option<u16>,
    /// `transport ...` by direction.
    pub transport: BTreeMap<TransportDirection, Vec<TransportProtocol>>,
    /// `width`.
    pub width: Option<u16>,
    /// Lines that were not understood.
    pub kept: Kept,
    /// Lines that are understood and not acted on.
    pub retained: Retained,
}

/// The lines that every router has.
pub(super) fn initial() -> BTreeMap<LineId, LineSettings> {
    let one = |kind, number| (LineId { kind, number }, LineSettings::default());
    let vty = (0..5).map(|number| one(LineKind::Vty, number));
    [one(LineKind::Console, 0), one(LineKind::Aux, 0)]
        .into_iter()
        .chain(vty)
        .collect()
}
