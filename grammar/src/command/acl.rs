//! Access-list lines, numbered and named, extended and standard.

use std::net::Ipv4Addr;

words! {
    /// What a rule does with a packet it matches. In a crypto map `permit` means protect.
    pub enum Action {
        /// Reject, or pass by the crypto map entry.
        Deny => "deny",
        /// Forward, or protect.
        Permit => "permit",
    }
}

/// The protocol field of an extended rule: an IP protocol number, 0 for `ip` (any protocol).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpProtocol(pub u8);

const PROTOCOLS: &[(&str, u8)] = &[
    ("ahp", 51),
    ("eigrp", 88),
    ("esp", 50),
    ("gre", 47),
    ("icmp", 1),
    ("igmp", 2),
    ("ip", 0),
    ("ipinip", 4),
    ("nos", 94),
    ("ospf", 89),
    ("pcp", 108),
    ("pim", 103),
    ("tcp", 6),
    ("udp", 17),
];

impl IpProtocol {
    /// Any protocol: `ip`.
    pub const ANY: Self = Self(0);
    /// ICMP.
    pub const ICMP: Self = Self(1);
    /// TCP.
    pub const TCP: Self = Self(6);
    /// UDP.
    pub const UDP: Self = Self(17);

    /// The keyword, for the protocols that have one.
    pub fn name(self) -> Option<&'static str> {
        PROTOCOLS
            .iter()
            .find(|(_, number)| *number == self.0)
            .map(|(name, _)| *name)
    }

    /// The protocol that a keyword or a number names.
    pub fn from_word(word: &str) -> Option<Self> {
        let named = PROTOCOLS
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, number)| *number);
        named.or_else(|| word.parse().ok()).map(Self)
    }
}

impl std::fmt::Display for IpProtocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// Source or destination of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AclAddress {
    /// `any`.
    Any,
    /// `host A.B.C.D`.
    Host(Ipv4Addr),
    /// `A.B.C.D WILDCARD`: bits set in the wildcard are not compared.
    Wildcard {
        /// The address as typed.
        address: Ipv4Addr,
        /// The wildcard bits.
        wildcard: Ipv4Addr,
    },
}

impl AclAddress {
    /// An address with the bits that are not compared, in the form that is printed: those bits are zero, one address is
    /// `host` and all are `any`.
    pub fn with_wildcard(address: Ipv4Addr, wildcard: Ipv4Addr) -> Self {
        match u32::from(wildcard) {
            0 => Self::Host(address),
            u32::MAX => Self::Any,
            bits => Self::Wildcard {
                address: (u32::from(address) & !bits).into(),
                wildcard,
            },
        }
    }

    /// Whether it stands for this address.
    pub fn covers(self, other: Ipv4Addr) -> bool {
        match self {
            Self::Any => true,
            Self::Host(address) => address == other,
            Self::Wildcard { address, wildcard } => {
                (u32::from(address) ^ u32::from(other)) & !u32::from(wildcard) == 0
            }
        }
    }
}

/// A comparison of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PortMatch {
    /// `eq`.
    Eq(u16),
    /// `neq`.
    Neq(u16),
    /// `gt`.
    Gt(u16),
    /// `lt`.
    Lt(u16),
    /// `range FIRST LAST`, both included.
    Range(u16, u16),
}

impl PortMatch {
    /// Whether it is true of this port.
    pub fn takes(self, port: u16) -> bool {
        match self {
            Self::Eq(one) => port == one,
            Self::Neq(one) => port != one,
            Self::Gt(below) => port > below,
            Self::Lt(above) => port < above,
            Self::Range(first, last) => (first..=last).contains(&port),
        }
    }
}

/// ICMP type and code of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IcmpMatch {
    /// ICMP type.
    pub icmp_type: u8,
    /// ICMP code; any when absent.
    pub code: Option<u8>,
}

/// A differentiated services code point (0-63), printed by name where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dscp(pub u8);

words! {
    /// Whether matches are logged.
    pub enum LogOption {
        /// `log`.
        Log => "log",
        /// `log-input`: with the input interface.
        LogInput => "log-input",
    }
}

/// An extended rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AclRule {
    /// permit or deny.
    pub action: Action,
    /// The IP protocol.
    pub protocol: IpProtocol,
    /// Where packets come from.
    pub source: AclAddress,
    /// Source ports (TCP and UDP).
    pub source_ports: Option<PortMatch>,
    /// Where packets go.
    pub destination: AclAddress,
    /// Destination ports (TCP and UDP).
    pub destination_ports: Option<PortMatch>,
    /// ICMP type and code (ICMP).
    pub icmp: Option<IcmpMatch>,
    /// `established` (TCP): ACK or RST set.
    pub established: bool,
    /// `dscp`.
    pub dscp: Option<Dscp>,
    /// `fragments`: non-initial fragments only.
    pub fragments: bool,
    /// `log`, `log-input`.
    pub log: Option<LogOption>,
}

impl AclRule {
    /// `permit PROTOCOL any any`.
    pub fn permit(protocol: IpProtocol) -> Self {
        Self {
            action: Action::Permit,
            protocol,
            source: AclAddress::Any,
            source_ports: None,
            destination: AclAddress::Any,
            destination_ports: None,
            icmp: None,
            established: false,
            dscp: None,
            fragments: false,
            log: None,
        }
    }
}

/// A standard rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StandardRule {
    /// permit or deny.
    pub action: Action,
    /// Where packets come from.
    pub source: AclAddress,
    /// `log`.
    pub log: bool,
}

/// A line of an extended list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AclEntry {
    /// permit or deny.
    Rule(AclRule),
    /// `remark TEXT`.
    Remark(String),
}

/// A line of a standard list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StandardAclEntry {
    /// permit or deny.
    Rule(StandardRule),
    /// `remark TEXT`.
    Remark(String),
}

/// `(config-ext-nacl)#` commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AclCommand {
    /// `[SEQUENCE] permit|deny|remark …`.
    Entry {
        /// The sequence number, if one was typed.
        sequence: Option<u32>,
        /// The line.
        entry: AclEntry,
    },
    /// `no SEQUENCE` (and `default SEQUENCE`).
    Sequence(u32),
}

/// `(config-std-nacl)#` commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StandardAclCommand {
    /// `[SEQUENCE] permit|deny|remark …`.
    Entry {
        /// The sequence number, if one was typed.
        sequence: Option<u32>,
        /// The line.
        entry: StandardAclEntry,
    },
    /// `no SEQUENCE` (and `default SEQUENCE`).
    Sequence(u32),
}
