//! `show` commands.

use std::net::{IpAddr, Ipv4Addr};

use super::{AclId, CommandMode, LineRef, ShowArchive};
use crate::interface_name::InterfaceName;

/// `show …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShowCommand {
    /// `show access-lists [LIST]` and `show ip access-lists [LIST]`.
    AccessLists(Option<AclId>),
    /// `show aliases [MODE]`.
    Aliases(Option<CommandMode>),
    /// `show arp [ADDRESS]` and `show ip arp [ADDRESS]`.
    Arp(Option<Ipv4Addr>),
    /// `show archive …`.
    Archive(ShowArchive),
    /// `show clock [detail]`.
    Clock {
        /// With the time source.
        detail: bool,
    },
    /// `show configuration lock`.
    ConfigurationLock,
    /// `show crypto …`.
    Crypto(ShowCrypto),
    /// `show debugging`.
    Debugging,
    /// `show flash:`: as `dir flash:`.
    Flash,
    /// `show history`.
    History,
    /// `show inactive-config`: retained lines that do nothing in this release.
    InactiveConfig,
    /// `show hosts`.
    Hosts,
    /// `show interface-map`: which device each interface name means.
    InterfaceMap,
    /// `show interfaces [INTERFACE]`.
    Interfaces(Option<InterfaceName>),
    /// `show interfaces [INTERFACE] description`.
    InterfacesDescription(Option<InterfaceName>),
    /// `show inventory`.
    Inventory,
    /// `show ip interface [INTERFACE]`.
    IpInterface(Option<InterfaceName>),
    /// `show ip interface brief [INTERFACE]`.
    IpInterfaceBrief(Option<InterfaceName>),
    /// `show ip route [ADDRESS [MASK]]`.
    IpRoute {
        /// Only the route to this address.
        address: Option<Ipv4Addr>,
        /// Only the route to this network.
        mask: Option<Ipv4Addr>,
    },
    /// `show ip route summary`.
    IpRouteSummary,
    /// `show logging`.
    Logging,
    /// `show memory [statistics]`.
    MemoryStatistics,
    /// `show privilege`.
    Privilege,
    /// `show processes cpu`.
    ProcessesCpu,
    /// `show line [LINE]`.
    Line(Option<LineRef>),
    /// `show reload`.
    Reload,
    /// `show running-config [all | brief | full] [interface NAME]`.
    RunningConfig {
        /// With the defaults.
        all: bool,
        /// Without certificates.
        brief: bool,
        /// Only this interface.
        interface: Option<InterfaceName>,
    },
    /// `show sessions` and `where`.
    Sessions,
    /// `show startup-config` and `show configuration`.
    StartupConfig,
    /// `show tech-support [ipsec]`.
    TechSupport {
        /// Only what matters for IPsec.
        ipsec: bool,
    },
    /// `show terminal`.
    Terminal,
    /// `show users`.
    Users {
        /// Lines without a session too.
        all: bool,
    },
    /// `show version`.
    Version,
}

impl ShowCommand {
    /// The interface that the command names.
    pub fn interface(&self) -> Option<&InterfaceName> {
        match self {
            Self::Interfaces(name)
            | Self::InterfacesDescription(name)
            | Self::IpInterface(name)
            | Self::IpInterfaceBrief(name)
            | Self::RunningConfig {
                interface: name, ..
            }
            | Self::Crypto(
                ShowCrypto::IpsecSa {
                    interface: name, ..
                }
                | ShowCrypto::Session {
                    interface: name, ..
                },
            ) => name.as_ref(),
            Self::Crypto(ShowCrypto::Map(Some(CryptoMapSelector::Interface(name)))) => Some(name),
            _ => None,
        }
    }
}

/// `show crypto …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShowCrypto {
    /// `show crypto call admission statistics`.
    CallAdmissionStatistics,
    /// `show crypto debug-condition`.
    DebugCondition,
    /// `show crypto engine connections active`.
    EngineConnectionsActive,
    /// `show crypto ipsec sa [peer A] [map M] [interface I] [detail]`; at most one of the three.
    IpsecSa {
        /// Only SAs with this peer.
        peer: Option<IpAddr>,
        /// Only SAs of this crypto map.
        map: Option<String>,
        /// Only SAs of this interface.
        interface: Option<InterfaceName>,
        /// With more counters.
        detail: bool,
    },
    /// `show crypto ipsec security-association lifetime`.
    IpsecLifetime,
    /// `show crypto ipsec transform-set [tag NAME]`.
    IpsecTransformSet(Option<String>),
    /// `show crypto isakmp key`.
    IsakmpKey,
    /// `show crypto isakmp peers [ADDRESS]`.
    IsakmpPeers(Option<IpAddr>),
    /// `show crypto isakmp policy`.
    IsakmpPolicy,
    /// `show crypto isakmp sa [detail]`.
    IsakmpSa {
        /// The wide table.
        detail: bool,
    },
    /// `show crypto isakmp statistics`.
    IsakmpStatistics,
    /// `show crypto map [interface I | tag NAME]`.
    Map(Option<CryptoMapSelector>),
    /// `show crypto session [remote A | local A | interface I] [detail]`.
    Session {
        /// Only sessions with this peer.
        remote: Option<IpAddr>,
        /// Only sessions from this local address.
        local: Option<IpAddr>,
        /// Only sessions of this interface.
        interface: Option<InterfaceName>,
        /// With identities, counters and the cause of the last failure.
        detail: bool,
    },
}

/// Which maps `show crypto map` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CryptoMapSelector {
    /// The map on this interface.
    Interface(InterfaceName),
    /// The map of this name.
    Tag(String),
}
