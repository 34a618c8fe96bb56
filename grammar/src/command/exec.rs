//! EXEC commands other than `show`.

use std::net::{IpAddr, Ipv4Addr};

use super::{
    AddressMask, ConfigureCommand, FileCommand, LineKind, ReloadCommand, ShowCommand, Storage,
    WriteTarget,
};
use crate::interface_name::InterfaceName;

/// Commands of user and privileged EXEC. Which are there in user EXEC is the grammar's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecCommand {
    /// `archive config`: keep a copy of the running-config now.
    ArchiveConfig,
    /// `clear …`.
    Clear(ClearCommand),
    /// `configure …`.
    Configure(ConfigureCommand),
    /// `copy FROM TO`.
    Copy {
        /// What is read.
        source: Storage,
        /// What is written.
        destination: Storage,
    },
    /// `debug …`.
    Debug(DebugTopic),
    /// `debug crypto condition …` and its `no`.
    DebugCondition {
        /// Not `no`.
        on: bool,
        /// Which.
        condition: DebugCondition,
    },
    /// `disable [LEVEL]`.
    Disable(Option<u8>),
    /// `enable [LEVEL]`.
    Enable(Option<u8>),
    /// `erase startup-config` and `erase nvram:`.
    EraseStartupConfig,
    /// `exit`, `quit`, `logout`: close the session.
    Exit,
    /// `delete`, `dir`, `more` and their kin.
    File(FileCommand),
    /// `help`: how to ask for help.
    Help,
    /// `ping`; without arguments the console asks for them.
    Ping(Option<Ping>),
    /// `reload …`.
    Reload(ReloadCommand),
    /// `resume`: back to a connection that was opened from the session.
    Resume,
    /// `show …`.
    Show(ShowCommand),
    /// `terminal …`.
    Terminal(TerminalCommand),
    /// `traceroute`; without arguments the console asks for them.
    Traceroute(Option<Traceroute>),
    /// `undebug …`, `no debug …`.
    Undebug(DebugTopic),
    /// `write …`.
    Write(WriteTarget),
}

impl ExecCommand {
    /// The interface that the command looks at or clears: without one it cannot be done.
    pub fn interface(&self) -> Option<&InterfaceName> {
        match self {
            Self::Show(command) => command.interface(),
            Self::Clear(ClearCommand::Counters(name)) => name.as_ref(),
            _ => None,
        }
    }
}

/// A terminal line as operators name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineRef {
    /// Its number among all lines.
    Absolute(u16),
    /// Its kind, and its number among those.
    Relative(LineKind, u16),
}

/// `clear`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClearCommand {
    /// `clear archive log config [force]`.
    ArchiveLog {
        /// Without asking.
        force: bool,
    },
    /// `clear configuration lock`.
    ConfigurationLock,
    /// `clear counters [INTERFACE]`.
    Counters(Option<InterfaceName>),
    /// `clear crypto call admission statistics`.
    CryptoCallAdmission,
    /// `clear crypto isakmp [CONNECTION]`: one ISAKMP SA or all.
    CryptoIsakmp(Option<u32>),
    /// `clear crypto sa …`.
    CryptoSa(ClearSa),
    /// `clear logging`.
    Logging,
    /// `clear crypto session [remote A] [local A]`: ISAKMP and IPsec SAs.
    CryptoSession {
        /// Only sessions with this peer.
        remote: Option<IpAddr>,
        /// Only sessions from this local address.
        local: Option<IpAddr>,
    },
    /// `clear line LINE`: ends the session there.
    Line(LineRef),
}

/// Which IPsec SAs `clear crypto sa` is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClearSa {
    /// Every SA.
    All,
    /// No SA: only the counters.
    Counters,
    /// `entry DESTINATION ah|esp SPI`.
    Entry {
        /// Destination address.
        destination: IpAddr,
        /// ah or esp.
        protocol: IpsecProtocol,
        /// The SPI.
        spi: u32,
    },
    /// `map NAME`.
    Map(String),
    /// `peer ADDRESS`.
    Peer(IpAddr),
    /// `spi SPI`.
    Spi(u32),
}

words! {
    /// AH or ESP.
    pub enum IpsecProtocol {
        /// Authentication header.
        Ah => "ah",
        /// Encapsulating security payload.
        Esp => "esp",
    }
}

words! {
    /// What `debug` is about.
    pub enum DebugTopic {
        /// Everything.
        All => "all",
        /// ISAKMP.
        CryptoIsakmp => "crypto isakmp",
        /// What went wrong in ISAKMP.
        CryptoIsakmpError => "crypto isakmp error",
        /// The crypto engine.
        CryptoEngine => "crypto engine",
        /// What the crypto engine refused.
        CryptoEngineError => "crypto engine error",
        /// IPsec.
        CryptoIpsec => "crypto ipsec",
        /// IPsec proposals that were refused.
        CryptoIpsecError => "crypto ipsec error",
        /// Requests between ISAKMP and IPsec.
        CryptoIpsecMessage => "crypto ipsec message",
        /// IPsec SAs that come and go.
        CryptoIpsecStates => "crypto ipsec states",
    }
}

/// What debug output is limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebugCondition {
    /// `connid N [engine-id 1]`: one SA.
    ConnectionId(u32),
    /// `peer ipv4 A`.
    Peer(Ipv4Addr),
    /// `peer subnet A MASK`.
    PeerSubnet(AddressMask),
    /// `reset`: no conditions any more.
    Reset,
    /// `spi N`.
    Spi(u32),
    /// `unmatched [engine|ipsec|isakmp]`: also what no condition can be compared with.
    Unmatched(Option<DebugArea>),
}

words! {
    /// The parts of crypto debug output.
    pub enum DebugArea {
        /// The crypto engine.
        Engine => "engine",
        /// IPsec.
        Ipsec => "ipsec",
        /// ISAKMP.
        Isakmp => "isakmp",
    }
}

/// From where `ping` and `traceroute` send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceSpec {
    /// An address of this router.
    Address(Ipv4Addr),
    /// The address of an interface.
    Interface(InterfaceName),
}

/// `ping TARGET …`; what is absent has IOS's default (5 times, 100 octets, 2 seconds).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    /// Address or host name.
    pub target: String,
    /// `source`.
    pub source: Option<SourceSpec>,
    /// `repeat` (1-2147483647).
    pub repeat: Option<u32>,
    /// `size` of the datagram in octets (36-18024).
    pub size: Option<u16>,
    /// `timeout` in seconds (0-3600).
    pub timeout: Option<u16>,
    /// `df-bit`.
    pub df_bit: bool,
}

/// `traceroute TARGET …`; what is absent has IOS's default (3 probes, 3 seconds, 30 hops, port 33434).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traceroute {
    /// Address or host name.
    pub target: String,
    /// `numeric`.
    pub numeric: bool,
    /// `source`.
    pub source: Option<SourceSpec>,
    /// `probe` count (1-65535).
    pub probe: Option<u16>,
    /// `timeout` in seconds (0-3600).
    pub timeout: Option<u16>,
    /// `ttl MINIMUM MAXIMUM`.
    pub ttl: Option<(u8, u8)>,
    /// `port`.
    pub port: Option<u16>,
}

/// `terminal`, and its `no` forms, where `None` is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalCommand {
    /// `terminal history` or `terminal no history`: whether lines are kept.
    History(bool),
    /// `terminal history size N` (0-256).
    HistorySize(Option<u16>),
    /// `terminal length N` (0-512), 0 for no pager.
    Length(Option<u16>),
    /// `terminal monitor` or `terminal no monitor`.
    Monitor(bool),
    /// `terminal width N` (0-512).
    Width(Option<u16>),
}
