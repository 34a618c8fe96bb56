//! Which packets a child protects: one side of a proxy identity (RFC 2407 4.6.2).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// Addresses, protocol and port of one end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Selector {
    /// First address, of the same family as `last`
    pub first: IpAddr,
    /// Last address, not below `first`
    pub last: IpAddr,
    /// IP protocol number, 0 for any
    pub protocol: u8,
    /// TCP or UDP port, 0 for any
    pub port: u16,
}

impl Selector {
    /// Every address of `address`/`prefix`; host bits of `address` are cleared.
    pub fn prefix(address: IpAddr, prefix: u8, protocol: u8, port: u16) -> Self {
        let (first, last) = match address {
            IpAddr::V4(address) => {
                let mask = mask_bits(prefix.min(32), 32) as u32;
                let first = u32::from(address) & mask;
                (
                    Ipv4Addr::from(first).into(),
                    Ipv4Addr::from(first | !mask).into(),
                )
            }
            IpAddr::V6(address) => {
                let mask = mask_bits(prefix.min(128), 128);
                let first = u128::from(address) & mask;
                (
                    Ipv6Addr::from(first).into(),
                    Ipv6Addr::from(first | !mask).into(),
                )
            }
        };
        Self {
            first,
            last,
            protocol,
            port,
        }
    }

    /// One address.
    pub fn host(address: IpAddr, protocol: u8, port: u16) -> Self {
        Self {
            first: address,
            last: address,
            protocol,
            port,
        }
    }

    /// The prefix length when the addresses form exactly one prefix.
    pub fn prefix_length(&self) -> Option<u8> {
        let (first, last, width) = self.numbers()?;
        let hosts = first ^ last;
        let below = hosts.checked_add(1).is_none_or(u128::is_power_of_two);
        (below && first & hosts == 0).then(|| (width - (128 - hosts.leading_zeros())) as u8)
    }

    /// The address when there is exactly one.
    pub fn single(&self) -> Option<IpAddr> {
        (self.first == self.last).then_some(self.first)
    }

    /// True when every packet that `other` matches is matched by this selector too.
    pub fn contains(&self, other: &Selector) -> bool {
        let (Some((first, last, width)), Some((low, high, other_width))) =
            (self.numbers(), other.numbers())
        else {
            return false;
        };
        width == other_width
            && first <= low
            && high <= last
            && (self.protocol == 0 || self.protocol == other.protocol)
            && (self.port == 0 || self.port == other.port)
    }

    fn numbers(&self) -> Option<(u128, u128, u32)> {
        match (self.first, self.last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => {
                Some((u32::from(first).into(), u32::from(last).into(), 32))
            }
            (IpAddr::V6(first), IpAddr::V6(last)) => Some((first.into(), last.into(), 128)),
            _ => None,
        }
    }
}

fn mask_bits(prefix: u8, width: u32) -> u128 {
    let host = width - u32::from(prefix);
    let all = if width == 128 {
        u128::MAX
    } else {
        (1 << width) - 1
    };
    if host == 128 {
        0
    } else {
        (all >> host) << host
    }
}

/// `10.1.0.0/255.255.0.0/0/0`: address, mask, protocol, port, as in `show crypto ipsec sa`; a range
/// that is no prefix as `10.1.0.1-10.1.0.9/0/0`.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.prefix_length()) {
            (IpAddr::V4(first), Some(prefix)) => {
                let mask = Ipv4Addr::from(mask_bits(prefix, 32) as u32);
                write!(f, "{first}/{mask}")?;
            }
            (IpAddr::V6(first), Some(prefix)) => write!(f, "{first}/{prefix}")?,
            (first, None) => write!(f, "{first}-{}", self.last)?,
        }
        write!(f, "/{}/{}", self.protocol, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(text: &str, prefix: u8) -> Selector {
        Selector::prefix(text.parse().unwrap(), prefix, 0, 0)
    }

    #[test]
    fn prefixes_round_trip() {
        for prefix in 0..=32 {
            assert_eq!(
                selector("10.255.170.85", prefix).prefix_length(),
                Some(prefix)
            );
        }
        for prefix in 0..=128 {
            assert_eq!(
                selector("2001:db8::5", prefix).prefix_length(),
                Some(prefix)
            );
        }
    }

    #[test]
    fn a_range_is_not_a_prefix() {
        let range = Selector {
            first: "10.0.0.1".parse().unwrap(),
            last: "10.0.0.2".parse().unwrap(),
            protocol: 6,
            port: 0,
        };
        assert_eq!(range.prefix_length(), None);
        assert_eq!(range.to_string(), "10.0.0.1-10.0.0.2/6/0");
        assert_eq!(
            selector("10.1.2.3", 16).to_string(),
            "10.1.0.0/255.255.0.0/0/0"
        );
    }

    #[test]
    fn containment_compares_every_part() {
        let net = selector("10.1.0.0", 16);
        let tcp = Selector::prefix("10.1.2.0".parse().unwrap(), 24, 6, 443);
        assert!(net.contains(&tcp));
        assert!(!tcp.contains(&net));
        assert!(!selector("10.2.0.0", 16).contains(&tcp));
        assert!(!net.contains(&selector("2001:db8::", 32)));
    }
}
