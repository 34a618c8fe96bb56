//! Which lines ask for which policies, by what they select: a line that is changed costs what it asks for. Filled by
//! [`super::units`]; `reconcile` asks it what should stand under a key of the kernel.
//!
//! Several lines may ask for one key: the first line wins. All keys of a line follow from what it selects and its interface
//! (`kernel/src/policy.rs`), so one record has them all.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use isthmus_kernel::{Action, Direction, PolicyKey, PolicySpec, Priority, Selector};

use super::flows::{ANY_INTERFACE, Fate, FlowName, FlowPlan, Shape};
use super::shadow::Width;

/// One line on one interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Its place among all lines.
    pub rank: u32,
    /// The interface that it is on; [`ANY_INTERFACE`]: what it protects is blocked on every way out.
    pub interface: u32,
    /// What becomes of its packets; `None`: they pass in clear.
    pub fate: Option<Fate>,
}

/// What there is mostly is one line.
#[derive(Debug, Clone)]
enum Lines {
    One(Claim),
    /// In the order of their ranks.
    Many(Vec<Claim>),
}

impl Lines {
    fn all(&self) -> &[Claim] {
        match self {
            Self::One(claim) => std::slice::from_ref(claim),
            Self::Many(claims) => claims,
        }
    }
}

/// All lines.
#[derive(Debug, Clone, Default)]
pub struct Claims {
    lines: HashMap<Selector, Lines>,
    /// How many protect or block what could come from either side.
    overlapping: usize,
    /// How many lines look at which bits of a packet.
    widths: HashMap<Width, usize>,
}

impl Claims {
    /// Adds a line.
    pub fn add(&mut self, selector: Selector, claim: Claim) {
        self.overlapping += usize::from(overlaps(&selector, &claim));
        *self.widths.entry(Width::of(&selector)).or_default() += 1;
        match self.lines.entry(selector) {
            Entry::Vacant(free) => {
                free.insert(Lines::One(claim));
            }
            Entry::Occupied(mut known) => {
                let mut claims = known.get().all().to_vec();
                let at = claims.partition_point(|one| one.rank < claim.rank);
                claims.insert(at, claim);
                known.insert(Lines::Many(claims));
            }
        }
    }

    /// Removes a line.
    pub fn remove(&mut self, selector: &Selector, claim: &Claim) {
        let Some(lines) = self.lines.get_mut(selector) else {
            return;
        };
        let mut claims = lines.all().to_vec();
        let Some(at) = claims.iter().position(|one| one == claim) else {
            return;
        };
        claims.remove(at);
        self.overlapping -= usize::from(overlaps(selector, claim));
        if let Entry::Occupied(mut width) = self.widths.entry(Width::of(selector)) {
            *width.get_mut() -= 1;
            if *width.get() == 0 {
                width.remove();
            }
        }
        match claims.as_slice() {
            [] => {
                self.lines.remove(selector);
            }
            [one] => *lines = Lines::One(*one),
            _ => *lines = Lines::Many(claims),
        }
    }

    /// The lines that select exactly this, the first one first.
    #[must_use]
    pub fn of(&self, selector: &Selector) -> &[Claim] {
        self.lines.get(selector).map_or(&[], Lines::all)
    }

    /// Whether a line protects or blocks what could come from either side.
    #[must_use]
    pub fn overlap(&self) -> bool {
        self.overlapping > 0
    }

    /// Whether there are two lines that select this, or one that selects more.
    #[must_use]
    pub(super) fn is_covered(&self, selector: &Selector) -> bool {
        let own = self.of(selector).len() > 1;
        let wider = self.widths.keys().filter_map(|width| width.cut(selector));
        let mut wider = wider.filter(|wider| wider != selector);
        own || wider.any(|wider| self.lines.contains_key(&wider))
    }

    /// Whether a line that selects this could select all that a narrower one does.
    #[must_use]
    pub(super) fn may_cover(&self, selector: &Selector) -> bool {
        let width = Width::of(selector);
        self.widths
            .keys()
            .any(|other| other.is_narrower_than(&width))
    }

    /// Everything that lines select.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        self.lines.keys()
    }

    /// The keys of all policies that lines ask for which select exactly this.
    pub fn keys(&self, selector: &Selector) -> impl Iterator<Item = PolicyKey> {
        let claims = self.of(selector);
        let (selector, inbound) = (*selector, selector.reversed());
        let key = |direction, selector, interface| PolicyKey {
            direction,
            selector,
            interface,
        };
        let inward = [Direction::In, Direction::Fwd];
        let inward = inward.map(|direction| key(direction, inbound, ANY_INTERFACE));
        let inward = inward.into_iter().filter(move |_| !claims.is_empty());
        let outward = claims.iter().flat_map(move |claim| {
            let exempt = matches!(claim.fate, Some(Fate::Protect(_))) && selector.sides_overlap();
            let out = key(Direction::Out, selector, claim.interface);
            let through = key(Direction::Fwd, selector, claim.interface);
            std::iter::once(out).chain(exempt.then_some(through))
        });
        inward.chain(outward)
    }

    /// The policy that should stand under a key; none where no line asks for one. `flow` gives a flow, and how it is wrapped.
    pub fn policy<'a>(
        &self,
        key: &PolicyKey,
        flow: impl Fn(&FlowName) -> Option<(&'a FlowPlan, &'a Shape)>,
    ) -> Option<PolicySpec> {
        let on = |claim: &&Claim| claim.interface == key.interface;
        let exempt = key.direction == Direction::Fwd && key.interface != ANY_INTERFACE;
        let claim = match key.direction {
            Direction::Out => self.of(&key.selector).iter().find(on),
            Direction::Fwd if exempt => {
                let protects = |claim: &&Claim| matches!(claim.fate, Some(Fate::Protect(_)));
                let mut claims = self.of(&key.selector).iter();
                claims.find(|claim| on(claim) && protects(claim))
            }
            Direction::In | Direction::Fwd => self.of(&key.selector.reversed()).first(),
        }?;
        let action = match claim.fate {
            _ if exempt => Action::Bypass,
            None => Action::Bypass,
            Some(Fate::Block) => Action::Block,
            Some(Fate::Protect(name)) => match flow(&name) {
                Some((flow, shape)) => flow.action(shape, key.direction),
                // What is not known is not let out.
                None => Action::Block,
            },
        };
        Some(PolicySpec {
            key: *key,
            priority: match exempt {
                true => Priority::exempt(claim.rank),
                false => Priority::line(claim.rank),
            },
            action,
        })
    }
}

fn overlaps(selector: &Selector, claim: &Claim) -> bool {
    claim.fate.is_some() && selector.sides_overlap()
}
