//! Policies that the kernel refuses, and the blocks that stand in for them. Part of [`Policies`].

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::*;

/// A wanted policy that the kernel refused.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    pub(super) wanted: PolicySpec,
    /// The kernel's reason.
    pub(super) why: String,
    pub(super) stand_in: StandIn,
    /// What the operator was told of it.
    pub(super) told: String,
    /// Worth another attempt now.
    pub(super) again: bool,
}

/// What happens to traffic whose policy was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StandIn {
    /// A block under the same key.
    Block,
    /// A block under a wider key: so many bits wider, or everything on the interface.
    Wider(PolicyKey, Width),
    /// No block was taken either: what stands under the key stays.
    Nothing,
    /// Not needed: it was an exemption, and without it more is protected; or the operator of the machine has a policy of
    /// the same key, which decides.
    NotNeeded,
}

/// How much wider than the refused policy a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// All protocols and ports between the same prefixes.
    AllProtocols,
    /// Both prefixes one bit shorter.
    OneBit,
    /// Everything that leaves by the interface.
    Everything,
}

impl Policies {
    pub(super) fn newly_refused(&mut self, spec: &PolicySpec, error: &KernelError) -> Trouble {
        let (wanted, why) = (spec.clone(), error.to_string());
        let refused = Refused {
            wanted: wanted.clone(),
            why: why.clone(),
            stand_in: StandIn::NotNeeded,
            told: String::new(),
            again: false,
        };
        self.refused.insert(spec.key, refused);
        if spec.action == Action::Bypass {
            return Trouble::NotExempt { wanted, why };
        }
        if error.kind == ErrorKind::NotOurs {
            return Trouble::Foreign { wanted, why };
        }
        let open = self.stand_in(spec.key);
        open.unwrap_or(Trouble::Blocked { wanted, why })
    }

    /// Chooses the first block for a refused policy.
    pub(super) fn stand_in(&mut self, key: PolicyKey) -> Option<Trouble> {
        self.reopen(key);
        let refused = self.refused.get_mut(&key)?;
        if refused.wanted.action == Action::Block {
            return self.wider(key);
        }
        refused.stand_in = StandIn::Block;
        None
    }

    /// The block that was chosen for a refused policy was refused too: chooses the next wider one.
    pub(super) fn wider(&mut self, owner: PolicyKey) -> Option<Trouble> {
        let refused = self.refused.get(&owner)?;
        let last = match refused.stand_in {
            StandIn::Wider(_, width) => Some(width),
            _ => None,
        };
        let widths = [Width::AllProtocols, Width::OneBit, Width::Everything];
        let left = widths
            .iter()
            .skip_while(|width| last.is_some() && Some(**width) != last)
            .skip(usize::from(last.is_some()));
        let free =
            |key: &PolicyKey| !self.records.contains_key(key) && !self.stand_ins.contains_key(key);
        let next = left
            .map(|width| (width.of(owner), *width))
            .find(|(key, _)| free(key));
        let refused = self.refused.get_mut(&owner)?;
        match next {
            Some((key, width)) => {
                refused.stand_in = StandIn::Wider(key, width);
                let spec = block(key, &refused.wanted);
                self.stand_ins.insert(key, (spec, owner));
                self.reopen(key);
                None
            }
            None => {
                refused.stand_in = StandIn::Nothing;
                let (wanted, why) = (refused.wanted.clone(), refused.why.clone());
                Some(Trouble::Open { wanted, why })
            }
        }
    }
}

impl Width {
    pub(super) fn of(self, key: PolicyKey) -> PolicyKey {
        let Selector {
            source,
            destination,
            ..
        } = key.selector;
        let selector = match self {
            Self::AllProtocols => Selector::between(source, destination),
            Self::OneBit => Selector::between(shorter(source, 1), shorter(destination, 1)),
            Self::Everything => Selector::between(shorter(source, 128), shorter(destination, 128)),
        };
        PolicyKey { selector, ..key }
    }
}

fn shorter(net: IpNet, bits: u8) -> IpNet {
    let length = net.prefix_len().saturating_sub(bits);
    match net {
        IpNet::V4(net) => IpNet::V4(Ipv4Net::new_assert(net.addr(), length).trunc()),
        IpNet::V6(net) => IpNet::V6(Ipv6Net::new_assert(net.addr(), length).trunc()),
    }
}

/// A block under a key, in the place of a policy.
pub(super) fn block(key: PolicyKey, instead_of: &PolicySpec) -> PolicySpec {
    PolicySpec {
        key,
        priority: instead_of.priority,
        action: Action::Block,
    }
}
