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
    /// IGMP.
    pub const IGMP: Self = Self(2);
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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
    /// `object-group NAME`: the addresses of a network object group.
    Group(String),
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

    /// Whether it could stand for this address; what an object group has is not known here.
    pub fn covers(&self, other: Ipv4Addr) -> bool {
        match self {
            Self::Any | Self::Group(_) => true,
            Self::Host(address) => *address == other,
            Self::Wildcard { address, wildcard } => {
                (u32::from(*address) ^ u32::from(other)) & !u32::from(*wildcard) == 0
            }
        }
    }
}

/// How many ports may follow `eq` or `neq`.
pub(crate) const MAX_PORTS: usize = 10;

/// A comparison of ports.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PortMatch {
    /// `eq`, with one port or several.
    Eq(Vec<u16>),
    /// `neq`, with one port or several.
    Neq(Vec<u16>),
    /// `gt`.
    Gt(u16),
    /// `lt`.
    Lt(u16),
    /// `range FIRST LAST`, both included.
    Range(u16, u16),
}

impl PortMatch {
    /// Whether it is true of this port.
    pub fn takes(&self, port: u16) -> bool {
        match self {
            Self::Eq(ports) => ports.contains(&port),
            Self::Neq(ports) => !ports.contains(&port),
            Self::Gt(below) => port > *below,
            Self::Lt(above) => port < *above,
            Self::Range(one, other) => (*one.min(other)..=*one.max(other)).contains(&port),
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

words! {
    /// A bit of the TCP header.
    pub enum TcpFlag {
        /// ACK.
        Ack => "ack",
        /// FIN.
        Fin => "fin",
        /// PSH.
        Psh => "psh",
        /// RST.
        Rst => "rst",
        /// SYN.
        Syn => "syn",
        /// URG.
        Urg => "urg",
    }
}

/// What more a rule asks of a packet, and what else it does. The variants are in the order in which they are printed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AclOption {
    /// `established` (TCP): ACK or RST set.
    Established,
    /// `syn`, `ack`...: the bit is set (TCP).
    Flag(TcpFlag),
    /// `match-all`, `match-any` (TCP).
    Flags {
        /// All of them, or any.
        all: bool,
        /// The bits, and whether each is to be set.
        bits: Vec<(TcpFlag, bool)>,
    },
    /// `dscp` (0-63).
    Dscp(u8),
    /// `precedence` (0-7).
    Precedence(u8),
    /// `tos` (0-15).
    Tos(u8),
    /// `ttl`.
    Ttl(TtlMatch),
    /// `option`: the number of the IP option; any when absent.
    IpOption(Option<u8>),
    /// `fragments`: non-initial fragments only.
    Fragments,
    /// `reflect NAME`, perhaps with a timeout in seconds.
    Reflect(String, Option<u32>),
    /// `time-range NAME`.
    TimeRange(String),
    /// `log`, `log-input`.
    Log {
        /// With the interface: `log-input`.
        input: bool,
        /// What the log says with each match.
        cookie: Option<String>,
    },
}

/// A comparison of the time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TtlMatch {
    /// `eq`.
    Eq(u8),
    /// `neq`.
    Neq(u8),
    /// `gt`.
    Gt(u8),
    /// `lt`.
    Lt(u8),
    /// `range FIRST LAST`, both included.
    Range(u8, u8),
}

impl AclOption {
    /// The keyword that it begins with.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Established => "established",
            Self::Flag(flag) => flag.word(),
            Self::Flags { all: true, .. } => "match-all",
            Self::Flags { all: false, .. } => "match-any",
            Self::Dscp(_) => "dscp",
            Self::Precedence(_) => "precedence",
            Self::Tos(_) => "tos",
            Self::Ttl(_) => "ttl",
            Self::IpOption(_) => "option",
            Self::Fragments => "fragments",
            Self::Reflect(..) => "reflect",
            Self::TimeRange(_) => "time-range",
            Self::Log { input: true, .. } => "log-input",
            Self::Log { input: false, .. } => "log",
        }
    }

    /// It makes no difference to which packets the rule is about.
    pub fn is_log(&self) -> bool {
        matches!(self, Self::Log { .. })
    }
}

/// An extended rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AclRule {
    /// permit or deny.
    pub action: Action,
    /// The IP protocol; any with a service group.
    pub protocol: IpProtocol,
    /// `object-group NAME` in the place of the protocol: the protocols and ports of a service object group.
    pub service: Option<String>,
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
    /// IGMP type (IGMP).
    pub igmp: Option<u8>,
    /// The options, each once, in their order.
    pub options: Vec<AclOption>,
}

impl AclRule {
    /// `permit PROTOCOL any any`.
    pub fn permit(protocol: IpProtocol) -> Self {
        Self {
            action: Action::Permit,
            protocol,
            service: None,
            source: AclAddress::Any,
            source_ports: None,
            destination: AclAddress::Any,
            destination_ports: None,
            icmp: None,
            igmp: None,
            options: Vec::new(),
        }
    }

    /// `log` or `log-input` is among the options.
    pub fn logs(&self) -> bool {
        self.options.iter().any(AclOption::is_log)
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
    /// What the log says with each match.
    pub cookie: Option<String>,
}

/// A line of an extended list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AclEntry {
    /// permit or deny.
    Rule(AclRule),
    /// `remark TEXT`.
    Remark(String),
    /// `evaluate NAME`: answers to packets that a line with `reflect NAME` let through.
    Evaluate(String),
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
