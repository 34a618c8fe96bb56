//! What the daemon can ask of the kernel: the argument of [`Kernel::submit`](crate::Kernel::submit).

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::{IpsecMode, IpsecProtocol, PolicyKey, PolicySpec, Reqid, SaId, SaSpec};

/// One change. Interfaces are named by their kernel names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Adds an SA; `Exists` if there is one with the same destination, protocol and SPI.
    AddSa(SaSpec),
    /// Deletes an SA; `NotFound` if it is gone, for example expired, `NotOurs` if it is the operator's.
    DeleteSa(SaId),
    /// Adds a policy, or replaces ours of the same key in one step, without a gap; `NotOurs` if the operator has one
    /// of that key.
    SetPolicy(PolicySpec),
    /// Deletes a policy; `NotFound` if there is none, `NotOurs` if it is the operator's.
    DeletePolicy(PolicyKey),
    /// Forgets that an acquire was reported, so that the next packet reports again. For use when a negotiation failed
    /// and traffic should try again before `net.core.xfrm_acq_expires`. Harmless if nothing is pending.
    ForgetAcquire {
        /// Our end.
        source: IpAddr,
        /// Their end.
        destination: IpAddr,
        /// As in the acquire.
        protocol: IpsecProtocol,
        /// As in the policy's template.
        mode: IpsecMode,
        /// As in the acquire.
        reqid: Reqid,
    },
    /// Adds an address; an address that is there already is left as it is, and is success.
    SetAddress {
        /// Kernel name.
        interface: String,
        /// Address with its prefix length.
        address: IpNet,
    },
    /// Removes an address that we added; `NotOurs` if the operator did, `NotFound` if it is not there.
    RemoveAddress {
        /// Kernel name.
        interface: String,
        /// Address with its prefix length.
        address: IpNet,
    },
    /// Changes a link. `None` leaves as it is.
    SetLink {
        /// Kernel name.
        interface: String,
        /// Administratively up or down.
        up: Option<bool>,
        /// In bytes.
        mtu: Option<u32>,
    },
    /// Makes a link, down, marked as ours; `Exists` if the name is taken by a link that is not ours, success if it is ours.
    CreateLink {
        /// Kernel name, at most 15 characters.
        name: String,
        /// What to make.
        kind: LinkKind,
    },
    /// Deletes a link that we made; `NotOurs` for any other, `NotFound` if it is not there.
    DeleteLink {
        /// Kernel name.
        name: String,
    },
    /// Adds a route to the main table; success if ours is there already.
    AddRoute(RouteSpec),
    /// Removes a route that we added; `NotFound` otherwise.
    RemoveRoute(RouteSpec),
    /// Whether packets that come in by an interface are checked against the `In` and `Fwd` policies
    /// (`net.ipv4.conf.*.disable_policy`, inverted). Kernel default: on. Switching it on also takes back what would
    /// switch IPsec off there or everywhere (`disable_xfrm`).
    SetInboundCheck {
        /// Kernel name.
        interface: String,
        /// Check.
        check: bool,
    },
}

/// Links that we make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkKind {
    /// A `dummy`: IOS's Loopback.
    Dummy,
}

/// A static route.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RouteSpec {
    /// Where to.
    pub prefix: IpNet,
    /// Which way.
    pub target: RouteTarget,
    /// IOS's administrative distance, the kernel's metric.
    pub metric: u32,
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RouteTarget {
    /// Through a router, on an interface (kernel name) if one is given.
    Gateway(IpAddr, Option<String>),
    /// Directly out of an interface (kernel name).
    Interface(String),
    /// Dropped silently: IOS's Null0.
    Blackhole,
}

impl fmt::Display for RouteTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gateway(via, None) => write!(f, "via {via}"),
            Self::Gateway(via, Some(dev)) => write!(f, "via {via} on {dev}"),
            Self::Interface(dev) => write!(f, "on {dev}"),
            Self::Blackhole => f.write_str("to nowhere"),
        }
    }
}

/// One line for errors and logs; never a key.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddSa(sa) => write!(f, "add SA {}", sa.id()),
            Self::DeleteSa(id) => write!(f, "delete SA {id}"),
            Self::SetPolicy(p) => write!(f, "set policy {}", p.key),
            Self::DeletePolicy(key) => write!(f, "delete policy {key}"),
            Self::ForgetAcquire {
                source,
                destination,
                ..
            } => write!(f, "forget acquire {source} -> {destination}"),
            Self::SetAddress { interface, address } => {
                write!(f, "set address {address} on {interface}")
            }
            Self::RemoveAddress { interface, address } => {
                write!(f, "remove address {address} from {interface}")
            }
            Self::SetLink { interface, up, mtu } => {
                write!(f, "set {interface}")?;
                if let Some(up) = up {
                    write!(f, " {}", if *up { "up" } else { "down" })?;
                }
                mtu.map_or(Ok(()), |mtu| write!(f, " mtu {mtu}"))
            }
            Self::CreateLink { name, .. } => write!(f, "create interface {name}"),
            Self::DeleteLink { name } => write!(f, "delete interface {name}"),
            Self::AddRoute(r) => write!(f, "add route {} {}", r.prefix, r.target),
            Self::RemoveRoute(r) => write!(f, "remove route {} {}", r.prefix, r.target),
            Self::SetInboundCheck { interface, check } => {
                write!(
                    f,
                    "switch the inbound policy check on {interface} {}",
                    if *check { "on" } else { "off" }
                )
            }
        }
    }
}
