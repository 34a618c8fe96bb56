//! The marks by which our SAs, policies, routes, addresses and links are recognised after a crash.
//! Used by every encoder in `linux/`, by `fake.rs`, and by the daemon to choose reqids and priorities.

use std::ops::RangeInclusive;

/// Protocol number (`rtm_protocol`, `ifa_proto`) on every route and address we add. `ip route show proto 73` lists ours.
pub const PROTOCOL: u8 = 73;

/// Device group (`IFLA_GROUP`, "Isth" in ASCII) of every link we create: a mark that a link can be born with.
/// `ip link show group 1232303208` lists ours.
pub const LINK_GROUP: u32 = 0x4973_7468;

/// A request id: the number that ties the templates of a policy to the SAs that may serve it.
///
/// Ours all lie in [`Reqid::RANGE`] and are scattered by [`Reqid::nth`]: the kernel hashes SAs by
/// (destination + source) xor reqid, so consecutive reqids for consecutive peers would share one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reqid(u32);

impl Reqid {
    /// Every reqid of ours, and none that a person, pluto (16384 and up) or charon (1 and up) would reach.
    pub const RANGE: RangeInclusive<u32> = 0x4900_0000..=0x49ff_ffff;

    /// How many different reqids there are.
    pub const COUNT: u32 = 1 << 24;

    /// The `n`th reqid. Different `n` below [`Reqid::COUNT`] give different reqids, neighbours give distant ones;
    /// beyond it the count wraps.
    pub const fn nth(n: u32) -> Self {
        // an odd multiplier is a bijection modulo a power of two; this one is 2^24 divided by the golden ratio
        Self(*Self::RANGE.start() | (n.wrapping_mul(0x9e_3779) & 0x00ff_ffff))
    }

    /// The number as the kernel has it, if it is one of ours.
    pub fn from_kernel(value: u32) -> Option<Self> {
        Self::RANGE.contains(&value).then_some(Self(value))
    }

    /// The number that the kernel sees.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A policy's priority: of two policies that match a packet the kernel takes the one with the lower number.
///
/// Ours all lie in [`Priority::RANGE`]; the kernel shows the priority again, which is how bypass and block policies
/// (that have no template, so no reqid) are known as ours. Policies of the operator with lower numbers win over ours.
/// The range has two halves: exemptions, then the lines of crypto maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Priority(u32);

impl Priority {
    /// Every priority of ours.
    pub const RANGE: RangeInclusive<u32> = 0x4900_0000..=0x49ff_ffff;

    /// The largest rank.
    pub const MAX_RANK: u32 = 0x007f_ffff;

    /// For what must be decided before any line of a crypto map. Rank 0 first.
    pub const fn exempt(rank: u32) -> Self {
        Self(*Self::RANGE.start() | clamp(rank))
    }

    /// For the lines of crypto maps in the order in which they are consulted: rank 0 first,
    /// [`Priority::MAX_RANK`] last; a larger rank is taken as the last.
    pub const fn line(rank: u32) -> Self {
        Self(*Self::RANGE.start() | (Self::MAX_RANK + 1) | clamp(rank))
    }

    /// The rank it was made from.
    pub const fn rank(self) -> u32 {
        self.0 & Self::MAX_RANK
    }

    /// The number as the kernel has it, if it is one of ours.
    pub fn from_kernel(value: u32) -> Option<Self> {
        Self::RANGE.contains(&value).then_some(Self(value))
    }

    /// The number that the kernel sees.
    pub const fn get(self) -> u32 {
        self.0
    }
}

const fn clamp(rank: u32) -> u32 {
    if rank > Priority::MAX_RANK {
        Priority::MAX_RANK
    } else {
        rank
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn reqids_are_distinct_ours_and_scattered() {
        let all: HashSet<u32> = (0..100_000).map(|n| Reqid::nth(n).get()).collect();
        assert_eq!(all.len(), 100_000);
        assert!(all.iter().all(|r| Reqid::from_kernel(*r).is_some()));
        // the kernel's hash of an SA: (dst + src) ^ reqid ^ family, folded; peers and reqids both consecutive
        let mut chains = vec![0u32; 1 << 14];
        for n in 0..10_000u32 {
            let h = (0x0a01_0000u32 + n).swap_bytes().wrapping_add(0x0101_010a)
                ^ Reqid::nth(n).get()
                ^ 2;
            chains[((h ^ (h >> 16)) & 0x3fff) as usize] += 1;
        }
        assert!(
            chains.iter().max().unwrap() < &24,
            "longest chain {:?}",
            chains.iter().max()
        );
    }

    #[test]
    fn foreign_numbers_are_not_ours() {
        for n in [0, 1, 16389, 0x48ff_ffff, 0x4a00_0000, u32::MAX] {
            assert!(Reqid::from_kernel(n).is_none());
            assert!(Priority::from_kernel(n).is_none());
        }
        assert_eq!(Priority::line(u32::MAX), Priority::line(Priority::MAX_RANK));
        assert!(Priority::exempt(u32::MAX) < Priority::line(0));
        assert_eq!(
            Priority::from_kernel(Priority::line(77).get()).map(Priority::rank),
            Some(77)
        );
    }
}
