//! Proxy identities: a selector as an ID payload of quick mode, and back (RFC 2407 4.6.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::selector::Selector;
use crate::wire::v1::{Id, Identification};

/// The ID payload of a selector: an address, a subnet, or a range where it is neither.
pub(crate) fn build(selector: &Selector) -> Identification {
    let id = match (selector.first, selector.last) {
        (IpAddr::V4(address), IpAddr::V4(last)) if address == last => Id::Ipv4(address),
        (IpAddr::V6(address), IpAddr::V6(last)) if address == last => Id::Ipv6(address),
        (IpAddr::V4(first), IpAddr::V4(last)) => match selector.prefix_length() {
            Some(_) => {
                let mask = !(u32::from(first) ^ u32::from(last));
                Id::Ipv4Subnet {
                    address: first,
                    mask: Ipv4Addr::from(mask),
                }
            }
            None => Id::Ipv4Range { first, last },
        },
        (IpAddr::V6(first), IpAddr::V6(last)) => match selector.prefix_length() {
            Some(_) => {
                let mask = !(u128::from(first) ^ u128::from(last));
                Id::Ipv6Subnet {
                    address: first,
                    mask: Ipv6Addr::from(mask),
                }
            }
            None => Id::Ipv6Range { first, last },
        },
        // A selector has one family.
        (first, _) => return build(&Selector::host(first, selector.protocol, selector.port)),
    };
    Identification {
        protocol: selector.protocol,
        port: selector.port,
        id,
    }
}

/// The selector of an ID payload; none for names, masks with holes and ranges that run backwards.
pub(crate) fn process(id: &Identification) -> Option<Selector> {
    let (protocol, port) = (id.protocol, id.port);
    let (first, last): (IpAddr, IpAddr) = match &id.id {
        Id::Ipv4(address) => ((*address).into(), (*address).into()),
        Id::Ipv6(address) => ((*address).into(), (*address).into()),
        Id::Ipv4Subnet { address, mask } => {
            let mask = u32::from(*mask);
            if mask.leading_ones() + mask.trailing_zeros() != 32 && mask != u32::MAX {
                return None;
            }
            let first = u32::from(*address) & mask;
            (
                Ipv4Addr::from(first).into(),
                Ipv4Addr::from(first | !mask).into(),
            )
        }
        Id::Ipv6Subnet { address, mask } => {
            let mask = u128::from(*mask);
            if mask.leading_ones() + mask.trailing_zeros() != 128 && mask != u128::MAX {
                return None;
            }
            let first = u128::from(*address) & mask;
            (
                Ipv6Addr::from(first).into(),
                Ipv6Addr::from(first | !mask).into(),
            )
        }
        Id::Ipv4Range { first, last } if first <= last => ((*first).into(), (*last).into()),
        Id::Ipv6Range { first, last } if first <= last => ((*first).into(), (*last).into()),
        _ => return None,
    };
    Some(Selector {
        first,
        last,
        protocol,
        port,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn selectors_round_trip(a: u32, b: u32, protocol: u8, port: u16) {
            let (first, last) = (Ipv4Addr::from(a.min(b)).into(), Ipv4Addr::from(a.max(b)).into());
            let selector = Selector { first, last, protocol, port };
            prop_assert_eq!(process(&build(&selector)), Some(selector));
        }

        #[test]
        fn prefixes_round_trip(address: u128, prefix in 0u8..=128, four: bool) {
            let address: IpAddr = match four {
                true => Ipv4Addr::from(address as u32).into(),
                false => Ipv6Addr::from(address).into(),
            };
            let selector = Selector::prefix(address, prefix, 0, 0);
            prop_assert_eq!(process(&build(&selector)), Some(selector));
        }
    }

    #[test]
    fn masks_with_holes_are_no_selector() {
        let (address, mask) = (Ipv4Addr::new(10, 0, 0, 0), Ipv4Addr::new(255, 0, 255, 0));
        assert_eq!(
            process(&Identification::any(Id::Ipv4Subnet { address, mask })),
            None
        );
        assert_eq!(
            process(&Identification::any(Id::Fqdn("a.example".into()))),
            None
        );
    }
}
