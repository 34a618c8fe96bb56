//! Global configuration commands.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::{
    AclEntry, ClockCommand, CommandMode, DfBit, FilePrompt, HashAlgorithm, IsakmpIdentity,
    KeepaliveMode, KeyPeer, LoggingCommand, LoginCommand, MapEntryKind, Replay, SaLifetime, Secret,
    StandardAclEntry, TemplateType, Transform, UserLine,
};
use crate::interface_name::InterfaceName;
use crate::modes::Mode;

/// The name or the number (as decimal text) of an access-list.
pub type AclId = String;

/// An address with a mask, both as typed: the mask may be nonsense, the address may have host bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressMask {
    /// The address.
    pub address: Ipv4Addr,
    /// The subnet mask.
    pub mask: Ipv4Addr,
}

impl AddressMask {
    /// Address and prefix length, host bits kept; `None` when the mask is not contiguous.
    pub fn net(self) -> Option<Ipv4Net> {
        Ipv4Net::with_netmask(self.address, self.mask).ok()
    }
}

words! {
    /// The kinds of named access-lists.
    pub enum AclKind {
        /// Source and destination, protocol, ports.
        Extended => "extended",
        /// Source only.
        Standard => "standard",
    }
}

words! {
    /// The kinds of banners.
    pub enum BannerKind {
        /// After login.
        Exec => "exec",
        /// After a connection from a line of the router itself (reverse telnet).
        Incoming => "incoming",
        /// Before the user name.
        Login => "login",
        /// Message of the day.
        Motd => "motd",
        /// When a login is not answered in time.
        PromptTimeout => "prompt-timeout",
    }
}

words! {
    /// The kinds of lines.
    pub enum LineKind {
        /// The auxiliary line.
        Aux => "aux",
        /// The console.
        Console => "con",
        /// Virtual terminals.
        Vty => "vty",
    }
}

words! {
    /// Reversible `password` or hashed `secret`.
    pub enum CredentialKind {
        /// `password`.
        Password => "password",
        /// `secret`.
        Secret => "secret",
    }
}

words! {
    /// Which messages `service timestamps` is about.
    pub enum TimestampKind {
        /// Output of `debug`.
        Debug => "debug",
        /// Log messages.
        Log => "log",
    }
}

/// What stands before a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimestampFormat {
    /// Time since boot.
    Uptime,
    /// Date and time.
    Datetime {
        /// With milliseconds.
        msec: bool,
        /// In the local time zone.
        localtime: bool,
        /// With the name of the time zone.
        show_timezone: bool,
        /// With the year.
        year: bool,
    },
}

words! {
    /// Severities of log messages (RFC 5424), most severe first.
    pub enum Severity {
        /// 0.
        Emergencies => "emergencies",
        /// 1.
        Alerts => "alerts",
        /// 2.
        Critical => "critical",
        /// 3.
        Errors => "errors",
        /// 4.
        Warnings => "warnings",
        /// 5.
        Notifications => "notifications",
        /// 6.
        Informational => "informational",
        /// 7.
        Debugging => "debugging",
    }
}

impl Severity {
    /// 0 (emergencies) to 7 (debugging).
    pub fn level(self) -> u8 {
        self as u8
    }

    /// The severity of a level 0-7.
    pub fn from_level(level: u8) -> Option<Self> {
        Self::ALL.get(usize::from(level)).copied()
    }
}

/// `ip route`: at least one of interface and next hop is there, except after `no` and `default`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IpRoute {
    /// Destination and mask.
    pub destination: AddressMask,
    /// The interface to send through.
    pub interface: Option<InterfaceName>,
    /// The address to send to.
    pub next_hop: Option<Ipv4Addr>,
    /// Administrative distance (1-255), 1 when absent.
    pub distance: Option<u8>,
    /// `name`.
    pub name: Option<String>,
}

/// Commands of global configuration. An `Option` is `None` only after `no` and `default` unless said
/// otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GlobalCommand {
    /// `access-list NUMBER LINE` with an extended number (100-199, 2000-2699); `None`: the whole list.
    AccessList {
        /// The list.
        number: u16,
        /// The sequence number of the line, if one was typed.
        sequence: Option<u32>,
        /// The line.
        entry: Option<AclEntry>,
    },
    /// `access-list NUMBER LINE` with a standard number (1-99, 1300-1999); `None`: the whole list.
    StandardAccessList {
        /// The list.
        number: u16,
        /// The sequence number of the line, if one was typed.
        sequence: Option<u32>,
        /// The line.
        entry: Option<StandardAclEntry>,
    },
    /// `alias MODE NAME COMMAND`; `no` without a name means every alias of the mode.
    Alias {
        /// Where it is typed.
        mode: CommandMode,
        /// The alias; `None` only after `no` and `default`.
        name: Option<String>,
        /// What it stands for; `None` only after `no` and `default`.
        command: Option<String>,
    },
    /// `banner KIND d TEXT d`: all between the delimiters, line ends as `\n` (most begin and end with one).
    Banner {
        /// Which banner.
        kind: BannerKind,
        /// The text.
        text: Option<String>,
    },
    /// `boot-start-marker`: accepted, without effect.
    BootStartMarker,
    /// `boot-end-marker`: accepted, without effect.
    BootEndMarker,
    /// `clock timezone` and `clock summer-time`.
    Clock(ClockCommand),
    /// `crypto ipsec df-bit`.
    CryptoIpsecDfBit(Option<DfBit>),
    /// `crypto ipsec security-association lifetime`.
    CryptoIpsecLifetime(SaLifetime),
    /// `crypto ipsec security-association replay`.
    CryptoIpsecReplay(Replay),
    /// `crypto ipsec transform-set NAME TRANSFORM …`: as typed, the combination is not yet judged;
    /// empty only after `no` and `default`. Enters [`Mode::TransformSet`].
    CryptoIpsecTransformSet {
        /// Its name.
        name: String,
        /// One to four transforms.
        transforms: Vec<Transform>,
    },
    /// `crypto isakmp enable`.
    CryptoIsakmpEnable,
    /// `crypto isakmp identity`.
    CryptoIsakmpIdentity(Option<IsakmpIdentity>),
    /// `crypto isakmp keepalive SECONDS [RETRY] [on-demand|periodic]`.
    CryptoIsakmpKeepalive {
        /// Interval in seconds (10-3600).
        seconds: Option<u16>,
        /// Seconds between retries (2-60), if typed.
        retry: Option<u8>,
        /// When to ask, if typed.
        mode: Option<KeepaliveMode>,
    },
    /// `crypto isakmp key`.
    CryptoIsakmpKey {
        /// The key.
        key: Option<Secret>,
        /// The peer that it is for.
        peer: KeyPeer,
        /// `no-xauth`.
        no_xauth: bool,
    },
    /// `crypto isakmp policy PRIORITY` (1-10000). Enters [`Mode::IsakmpPolicy`].
    CryptoIsakmpPolicy(u16),
    /// `crypto logging session`.
    CryptoLoggingSession,
    /// `crypto map NAME SEQUENCE [KIND]`. Enters [`Mode::CryptoMap`], except for an entry with a dynamic map.
    CryptoMap {
        /// Its name.
        name: String,
        /// The entry (1-65535); `None`: the whole map.
        sequence: Option<u16>,
        /// `ipsec-isakmp` and its kin; may only be left out for an entry that is already there.
        kind: Option<MapEntryKind>,
    },
    /// `crypto map NAME local-address INTERFACE`.
    CryptoMapLocalAddress {
        /// The map.
        name: String,
        /// The interface whose address is used.
        interface: Option<InterfaceName>,
    },
    /// `enable password|secret [level N] TEXT`.
    Enable {
        /// password or secret.
        kind: CredentialKind,
        /// `algorithm-type`: how to hash a secret in clear text, if typed.
        algorithm: Option<HashAlgorithm>,
        /// The privilege level (1-15), if typed.
        level: Option<u8>,
        /// The password.
        secret: Option<Secret>,
    },
    /// `file prompt …`; without a word [`FilePrompt::Alert`].
    FilePrompt(Option<FilePrompt>),
    /// `hostname`.
    Hostname(Option<String>),
    /// `interface NAME`. Enters [`Mode::Interface`].
    Interface {
        /// Its name.
        name: InterfaceName,
        /// What a Virtual-Template is cloned to.
        template: Option<TemplateType>,
    },
    /// `interface range LIST`: the lines that follow are for each of them. Enters [`Mode::Interface`];
    /// [`crate::interface_name::range`] reads the list.
    InterfaceRange(String),
    /// `ip access-list extended|standard NAME`. Enters [`Mode::ExtendedAcl`] or [`Mode::StandardAcl`].
    IpAccessList {
        /// Extended or standard.
        kind: AclKind,
        /// Its name or number.
        name: AclId,
    },
    /// `ip access-list resequence NAME START STEP`.
    IpAccessListResequence {
        /// The list.
        name: AclId,
        /// The first number.
        start: u32,
        /// The step.
        step: u32,
    },
    /// `ip domain lookup`.
    IpDomainLookup,
    /// `ip domain name`.
    IpDomainName(Option<String>),
    /// `ip route`.
    IpRoute(IpRoute),
    /// `line KIND FIRST [LAST]`. Enters [`Mode::Line`].
    Line {
        /// console, aux or vty.
        kind: LineKind,
        /// The first line.
        first: u16,
        /// The last line of a range, if typed.
        last: Option<u16>,
    },
    /// `logging …`.
    Logging(LoggingCommand),
    /// Who may come in and what they may do.
    Login(LoginCommand),
    /// `service password-encryption`.
    ServicePasswordEncryption,
    /// `service sequence-numbers`.
    ServiceSequenceNumbers,
    /// `service timestamps [debug|log [FORMAT]]`.
    ServiceTimestamps {
        /// Which messages; both when absent.
        kind: Option<TimestampKind>,
        /// The stamp, if typed.
        format: Option<TimestampFormat>,
    },
    /// `username NAME ...`.
    Username {
        /// The user.
        name: String,
        /// What the line says of the user.
        line: UserLine,
    },
    /// `version N`: accepted, without effect.
    Version(String),
}

impl GlobalCommand {
    /// The sub-mode that the plain form of this command enters.
    pub fn enters(&self) -> Option<Mode> {
        match self {
            Self::Interface { .. } | Self::InterfaceRange(_) => Some(Mode::Interface),
            Self::IpAccessList {
                kind: AclKind::Extended,
                ..
            } => Some(Mode::ExtendedAcl),
            Self::IpAccessList {
                kind: AclKind::Standard,
                ..
            } => Some(Mode::StandardAcl),
            Self::CryptoIsakmpPolicy(_) => Some(Mode::IsakmpPolicy),
            Self::CryptoIpsecTransformSet { .. } => Some(Mode::TransformSet),
            Self::CryptoMap {
                kind: Some(kind), ..
            } if kind.dynamic_map().is_some() => None,
            Self::CryptoMap { .. } => Some(Mode::CryptoMap),
            Self::Line { .. } => Some(Mode::Line),
            _ => None,
        }
    }
}
