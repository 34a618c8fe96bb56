//! XFRM policies: which traffic is protected, let through or dropped. Built by the daemon from crypto maps, encoded by `linux/`.
//!
//! # How an interface's crypto map becomes policies
//! Linux compares a policy's interface only with the interface a packet is *about to leave by*:
//! - `Out`: the real egress interface, for forwarded and for local traffic, so `interface: X` means "leaving X".
//! - `Fwd`: also the *egress* interface (the one behind us), and `In`: the loopback. The interface a packet came from
//!   cannot be matched. Inbound policies therefore carry no interface.
//!
//! [`PolicySpec::for_crypto_map_line`] makes the right set.
//!
//! # While there is no SA
//! A packet that meets a `Protect` policy without an SA is dropped and one [`Acquire`](crate::Acquire) comes, for
//! the first template that lacks one (`net.core.xfrm_larval_drop = 1`, the kernel's default; with 0 the kernel queues up to 100 packets for a
//! policy and sends them when the SA is there; nothing leaves in clear either way). Until the SA is added or
//! `net.core.xfrm_acq_expires` (30 s) has passed, no further acquire comes for it, unless
//! [`Request::ForgetAcquire`](crate::Request::ForgetAcquire) is submitted after a failed negotiation.
//!
//! # Which SA serves
//! Of several outbound SAs that fit a template the kernel takes the newest, from the next packet on: add the new pair,
//! then delete the old one. Inbound SAs are found by SPI, so old and new work side by side.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::{IpsecMode, IpsecProtocol, Priority, Reqid};

/// Where a policy is consulted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Packets delivered to this host.
    In,
    /// Packets that leave an interface, forwarded or our own.
    Out,
    /// Packets received to be forwarded.
    Fwd,
}

/// A port, or for ICMP a type or code, with the bits that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct PortMatch {
    /// The port, in host order.
    pub value: u16,
    /// The compared bits; 0 matches every port, 0xffff one.
    pub mask: u16,
}

impl PortMatch {
    /// Every port.
    pub const ANY: Self = Self { value: 0, mask: 0 };

    /// One port.
    pub const fn exactly(port: u16) -> Self {
        Self {
            value: port,
            mask: 0xffff,
        }
    }

    /// The fewest matches that together cover `low..=high` and nothing else: for `range`, `gt`, `lt` in access lists.
    /// Empty if `low` is over `high`.
    pub fn range(low: u16, high: u16) -> Vec<Self> {
        let mut blocks = Vec::new();
        let (mut at, end) = (u32::from(low), u32::from(high) + 1);
        while at < end {
            let aligned = if at == 0 {
                1 << 16
            } else {
                at & at.wrapping_neg()
            };
            let mut size = aligned;
            while at + size > end {
                size >>= 1;
            }
            blocks.push(Self {
                value: at as u16,
                mask: (0x1_0000 - size) as u16,
            });
            at += size;
        }
        blocks
    }

    /// Whether `port` matches.
    pub const fn matches(self, port: u16) -> bool {
        port & self.mask == self.value & self.mask
    }
}

/// Which packets: addresses, protocol, ports. For ICMP the type stands in `source_port`, the code in `destination_port`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selector {
    /// Source prefix.
    pub source: IpNet,
    /// Destination prefix, of the same family.
    pub destination: IpNet,
    /// IP protocol number, 0 for any.
    pub protocol: u8,
    /// Source port or ICMP type.
    pub source_port: PortMatch,
    /// Destination port or ICMP code.
    pub destination_port: PortMatch,
}

impl Selector {
    /// Any protocol between two prefixes.
    pub const fn between(source: IpNet, destination: IpNet) -> Self {
        Self {
            source,
            destination,
            protocol: 0,
            source_port: PortMatch::ANY,
            destination_port: PortMatch::ANY,
        }
    }

    /// Whether the two sides share an address, as in `permit ip any any`: such a selector also matches traffic that has
    /// nothing to do with the other end.
    pub fn sides_overlap(&self) -> bool {
        let (a, b) = (&self.source, &self.destination);
        a.contains(&b.network()) || b.contains(&a.network())
    }

    /// The same traffic seen from the other end. ICMP type and code stay where they are.
    pub fn reversed(&self) -> Self {
        let icmp = matches!(self.protocol, 1 | 58);
        let (source_port, destination_port) = if icmp {
            (self.source_port, self.destination_port)
        } else {
            (self.destination_port, self.source_port)
        };
        Self {
            source: self.destination,
            destination: self.source,
            protocol: self.protocol,
            source_port,
            destination_port,
        }
    }

    /// As the kernel keeps it: host bits of the prefixes and unmasked port bits are zero.
    pub fn normalised(&self) -> Self {
        let port = |p: PortMatch| PortMatch {
            value: p.value & p.mask,
            mask: p.mask,
        };
        Self {
            source: self.source.trunc(),
            destination: self.destination.trunc(),
            protocol: self.protocol,
            source_port: port(self.source_port),
            destination_port: port(self.destination_port),
        }
    }

    /// Whether a packet is meant.
    pub fn matches(
        &self,
        source: IpAddr,
        destination: IpAddr,
        protocol: u8,
        sport: u16,
        dport: u16,
    ) -> bool {
        self.source.contains(&source)
            && self.destination.contains(&destination)
            && (self.protocol == 0 || self.protocol == protocol)
            && self.source_port.matches(sport)
            && self.destination_port.matches(dport)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.source, self.destination)?;
        if self.protocol != 0 {
            write!(f, " protocol {}", self.protocol)?;
        }
        for (name, port) in [
            ("source", self.source_port),
            ("destination", self.destination_port),
        ] {
            match port.mask {
                0 => {}
                0xffff => write!(f, " {name} port {}", port.value)?,
                mask => write!(f, " {name} port {}/{mask:#x}", port.value)?,
            }
        }
        Ok(())
    }
}

/// Whether a packet may do without a template's transformation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Level {
    /// It may not.
    #[default]
    Required,
    /// It may, if there is no SA (outbound) or it came in clear (inbound). Never for crypto map traffic.
    Use,
}

/// One transformation that a policy asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Template {
    /// Outer source; unspecified (0.0.0.0) in an inbound policy accepts any peer, in transport mode give unspecified.
    pub source: IpAddr,
    /// Outer destination.
    pub destination: IpAddr,
    /// ESP or AH.
    pub protocol: IpsecProtocol,
    /// Tunnel or transport.
    pub mode: IpsecMode,
    /// The SAs that may serve it.
    pub reqid: Reqid,
    /// Required, except in special cases.
    pub level: Level,
}

/// What happens to a packet that a policy selects.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Action {
    /// It must be protected by every template, in this order from the inside out: ESP in tunnel mode and then AH in
    /// transport mode gives IP | AH | ESP | packet. One to six templates, and the same order for inbound policies.
    Protect(Vec<Template>),
    /// It passes in clear.
    Bypass,
    /// It is dropped.
    Block,
}

/// What names a policy in the kernel. Two policies that differ only in priority or action are the same policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyKey {
    /// Direction.
    pub direction: Direction,
    /// Selected traffic.
    pub selector: Selector,
    /// Kernel interface index of the *egress* interface, 0 for any. See the head of this file.
    pub interface: u32,
}

impl fmt::Display for PolicyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Direction::In => "in",
            Direction::Out => "out",
            Direction::Fwd => "fwd",
        };
        write!(f, "{direction} {}", self.selector)?;
        match self.interface {
            0 => Ok(()),
            index => write!(f, " interface {index}"),
        }
    }
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PolicySpec {
    /// Its name.
    pub key: PolicyKey,
    /// Its place: the lowest that matches decides.
    pub priority: Priority,
    /// What it does.
    pub action: Action,
}

impl PolicySpec {
    /// The policies for one `permit` line of a crypto map's access list, on the interface with index `interface`.
    ///
    /// `outbound` is the line as written (our side → their side); `rank` its place among all lines
    /// ([`Priority::line`]). `templates` are the outbound ones, inside out;
    /// the inbound policies get them with the ends swapped. Gives
    /// 1. `Out`, bound to the interface: what leaves there must be protected; it says nothing of other interfaces;
    /// 2. `Fwd` with the same selector, bound to the interface, bypass: lets traffic that is on its way *to* policy 1 pass
    ///    the inbound check; only when the two sides overlap (`permit ip any any`);
    /// 3. `In` and `Fwd`, reversed, no interface: what should have come protected and did not is dropped, on every
    ///    interface. IOS asks this only of what comes by the interface with the map: switch the check off on
    ///    others, at least when the sides overlap, because then this also hits clear traffic from the inside ([`Request::SetInboundCheck`](crate::Request::SetInboundCheck)).
    pub fn for_crypto_map_line(
        interface: u32,
        outbound: Selector,
        rank: u32,
        templates: &[Template],
    ) -> Vec<Self> {
        let swapped: Vec<Template> = templates
            .iter()
            .map(|t| Template {
                source: t.destination,
                destination: t.source,
                ..*t
            })
            .collect();
        let inbound = outbound.reversed();
        let policy = |direction, selector, interface, action| Self {
            key: PolicyKey {
                direction,
                selector,
                interface,
            },
            priority: Priority::line(rank),
            action,
        };
        let mut set = vec![
            policy(
                Direction::Out,
                outbound,
                interface,
                Action::Protect(templates.to_vec()),
            ),
            policy(Direction::In, inbound, 0, Action::Protect(swapped.clone())),
            policy(Direction::Fwd, inbound, 0, Action::Protect(swapped)),
        ];
        if outbound.sides_overlap() {
            set.push(Self {
                priority: Priority::exempt(rank),
                ..policy(Direction::Fwd, outbound, interface, Action::Bypass)
            });
        }
        set
    }

    /// What is wrong with it, in words, before the kernel is bothered. Both backends refuse exactly these.
    pub fn check(&self) -> Result<(), String> {
        let s = &self.key.selector;
        if s.source.addr().is_ipv4() != s.destination.addr().is_ipv4() {
            return Err("source and destination are of different address families".into());
        }
        let Action::Protect(templates) = &self.action else {
            return Ok(());
        };
        if templates.is_empty() || templates.len() > 6 {
            return Err(format!("{} templates, expected 1 to 6", templates.len()));
        }
        for t in templates {
            if t.source.is_ipv4() != t.destination.is_ipv4() {
                return Err("a template's ends are of different address families".into());
            }
            if t.mode == IpsecMode::Tunnel
                && self.key.direction == Direction::Out
                && t.destination.is_unspecified()
            {
                return Err("an outbound tunnel template needs a destination".into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_ranges_cover_exactly() {
        for (low, high) in [
            (0, 65535),
            (1, 65535),
            (0, 0),
            (1024, 65535),
            (20, 21),
            (135, 139),
            (5, 4),
            (65535, 65535),
        ] {
            let blocks = PortMatch::range(low, high);
            for port in 0..=65535u16 {
                let hits = blocks.iter().filter(|b| b.matches(port)).count();
                assert_eq!(
                    hits,
                    usize::from(port >= low && port <= high),
                    "{low}-{high} port {port}"
                );
            }
        }
        assert_eq!(PortMatch::range(0, 65535), [PortMatch::ANY]);
        assert_eq!(PortMatch::range(80, 80), [PortMatch::exactly(80)]);
    }

    #[test]
    fn icmp_is_not_turned_round() {
        let any: IpNet = "0.0.0.0/0".parse().unwrap();
        let mut s = Selector::between("10.1.0.0/16".parse().unwrap(), any);
        s.protocol = 1;
        s.source_port = PortMatch::exactly(8);
        assert_eq!(s.reversed().source_port, PortMatch::exactly(8));
        s.protocol = 17;
        assert_eq!(s.reversed().destination_port, PortMatch::exactly(8));
        assert_eq!(s.reversed().reversed(), s);
    }
}
