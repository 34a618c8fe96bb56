//! Lines of an interface's crypto map that never match, because a line before them takes all of their traffic. Legal, and
//! almost never meant. Used by [`super::units`], which gives it the lines in their order.
//!
//! A selector is covered by another one of the same or wider prefixes, protocol and ports. Maps have few different widths,
//! so the index is asked once for each: the time is that of the lines, not of their square.

use std::collections::{HashMap, HashSet};

use ipnet::IpNet;
use isthmus_kernel::{PortMatch, Selector};

use super::flows::{Lines, NO_RULE};
use super::order::{Line, intersection};

/// Where a line is: the place of its entry, and its place in the entry's list.
pub type At = (usize, usize);

/// What takes a line's traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// An exemption in the same list.
    Denied(At),
    /// A line of an earlier entry.
    Earlier(At),
}

/// The lines so far of one interface.
#[derive(Debug, Default)]
pub struct Shadow {
    /// What earlier entries protect.
    earlier: Index,
    /// What this entry protects.
    own: Vec<(Selector, At)>,
    /// What this entry exempts.
    denied: Index,
    /// What each entry exempts: its traffic goes on with later entries.
    exempt: Vec<Vec<(Selector, usize)>>,
}

/// So many lines of one interface are told of: more say nothing new.
pub const MOST: usize = 100;

/// The lines of one interface that never match, with what takes them. Its entries come in their order.
pub(super) fn notes<'a>(entries: impl Iterator<Item = &'a Lines>) -> Vec<(At, Taken)> {
    let (mut shadow, mut notes) = (Shadow::default(), Vec::new());
    for (place, entry) in entries.enumerate() {
        shadow.entry();
        let lines: Vec<(&Line<_>, u32)> = entry.lines.iter().zip(entry.rules.to_vec()).collect();
        for rule in lines.chunk_by(|a, b| a.1 == b.1) {
            let Some((first, number)) = rule.first().filter(|(_, rule)| *rule != NO_RULE) else {
                continue;
            };
            let number = *number as usize;
            if let Line::Deny(selectors) = first {
                shadow.deny(number, selectors);
                continue;
            }
            let selectors = rule.iter().flat_map(|(line, _)| line.selectors());
            let taken = shadow.permit(number, selectors.copied());
            notes.extend(taken.map(|by| ((place, number), by)));
        }
    }
    notes
}

/// The first selects all that the second does.
pub(super) fn covers(wide: &Selector, narrow: &Selector) -> bool {
    let port = |wide: PortMatch, narrow: PortMatch| {
        narrow.mask & wide.mask == wide.mask && (narrow.value ^ wide.value) & wide.mask == 0
    };
    (wide.protocol == 0 || wide.protocol == narrow.protocol)
        && wide.destination.contains(&narrow.destination)
        && wide.source.contains(&narrow.source)
        && port(wide.source_port, narrow.source_port)
        && port(wide.destination_port, narrow.destination_port)
}

/// Selectors by width.
#[derive(Debug, Default)]
struct Index {
    widths: HashSet<Width>,
    lines: HashMap<Selector, Vec<At>>,
}

/// So many lines of one selector are kept: of more, one that is reached is most likely among them.
const ALIKE: usize = 8;

/// Which bits of a packet a selector looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Width {
    source: u8,
    destination: u8,
    protocol: bool,
    source_port: u16,
    destination_port: u16,
}

impl Shadow {
    /// The next entry begins.
    pub fn entry(&mut self) {
        for (selector, at) in self.own.drain(..) {
            self.earlier.add(&selector, at);
        }
        self.denied = Index::default();
        self.exempt.push(Vec::new());
    }

    /// The place of the entry that is being read.
    fn place(&self) -> usize {
        self.exempt.len().saturating_sub(1)
    }

    /// A `deny` line.
    pub fn deny(&mut self, rule: usize, selectors: &[Selector]) {
        let at = (self.place(), rule);
        for selector in selectors {
            self.denied.add(selector, at);
            if let Some(exempt) = self.exempt.last_mut() {
                exempt.push((*selector, rule));
            }
        }
    }

    /// A `permit` line; tells what takes all of its traffic, if anything does.
    pub fn permit(
        &mut self,
        rule: usize,
        selectors: impl IntoIterator<Item = Selector>,
    ) -> Option<Taken> {
        let at = (self.place(), rule);
        let mut taken = None;
        let selectors: Vec<Selector> = selectors.into_iter().collect();
        for (number, selector) in selectors.iter().enumerate() {
            let found = self.taken(selector);
            taken = match (number, found) {
                (0, found) => found,
                (_, Some(found)) if taken.is_some() => Some(found),
                _ => None,
            };
        }
        if taken.is_none() {
            self.own
                .extend(selectors.into_iter().map(|selector| (selector, at)));
        }
        taken
    }

    fn taken(&self, selector: &Selector) -> Option<Taken> {
        if let Some(at) = self.denied.covering(selector).min() {
            return Some(Taken::Denied(at));
        }
        let reaches = |(entry, rule): At| {
            let exempt = self.exempt.get(entry).into_iter().flatten();
            let mut before = exempt.take_while(|(_, other)| *other < rule);
            !before.any(|(exempt, _)| intersection(exempt, selector).is_some())
        };
        let earlier = self.earlier.covering(selector);
        let first = earlier.filter(|at| reaches(*at)).min();
        first.map(Taken::Earlier)
    }
}

impl Index {
    fn add(&mut self, selector: &Selector, at: At) {
        let width = Width::of(selector);
        self.widths.insert(width);
        if let Some(selector) = width.cut(selector) {
            let alike = self.lines.entry(selector).or_default();
            if alike.len() < ALIKE {
                alike.push(at);
            }
        }
    }

    /// The lines that select all that a selector does.
    fn covering<'a>(&'a self, selector: &'a Selector) -> impl Iterator<Item = At> + 'a {
        let found = self.widths.iter();
        let found = found.filter_map(|width| self.lines.get(&width.cut(selector)?));
        found.flatten().copied()
    }
}

impl Width {
    pub(super) fn of(selector: &Selector) -> Self {
        Self {
            source: selector.source.prefix_len(),
            destination: selector.destination.prefix_len(),
            protocol: selector.protocol != 0,
            source_port: selector.source_port.mask,
            destination_port: selector.destination_port.mask,
        }
    }

    /// It looks at more bits than the other, and at all of those.
    pub(super) fn is_narrower_than(&self, other: &Self) -> bool {
        self != other
            && self.source >= other.source
            && self.destination >= other.destination
            && self.protocol >= other.protocol
            && self.source_port & other.source_port == other.source_port
            && self.destination_port & other.destination_port == other.destination_port
    }

    /// A selector made that wide; `None` if it is wider already.
    pub(super) fn cut(&self, selector: &Selector) -> Option<Selector> {
        let port = |port: PortMatch, mask: u16| {
            (port.mask & mask == mask).then_some(PortMatch {
                value: port.value & mask,
                mask,
            })
        };
        if self.protocol && selector.protocol == 0 {
            return None;
        }
        Some(Selector {
            source: prefix(selector.source, self.source)?,
            destination: prefix(selector.destination, self.destination)?,
            protocol: if self.protocol { selector.protocol } else { 0 },
            source_port: port(selector.source_port, self.source_port)?,
            destination_port: port(selector.destination_port, self.destination_port)?,
        })
    }
}

fn prefix(net: IpNet, length: u8) -> Option<IpNet> {
    if net.prefix_len() < length {
        return None;
    }
    IpNet::new(net.addr(), length).ok().map(|net| net.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(source: &str, destination: &str) -> Selector {
        Selector::between(source.parse().unwrap(), destination.parse().unwrap())
    }

    #[test]
    fn a_deny_takes_what_it_covers_and_only_in_its_own_entry() {
        let (wide, narrow) = (
            select("10.0.0.0/8", "0.0.0.0/0"),
            select("10.1.0.0/16", "10.2.0.0/16"),
        );
        let mut shadow = Shadow::default();
        shadow.entry();
        shadow.deny(0, &[narrow]);
        assert_eq!(shadow.permit(1, [narrow]), Some(Taken::Denied((0, 0))));
        assert_eq!(shadow.permit(2, [wide]), None);
        shadow.entry();
        assert_eq!(
            shadow.permit(0, [narrow]),
            None,
            "the deny of entry 0 jumps here"
        );
        shadow.entry();
        let tcp = Selector {
            protocol: 6,
            ..narrow
        };
        assert_eq!(shadow.permit(0, [tcp]), Some(Taken::Earlier((1, 0))));
    }

    #[test]
    fn every_part_of_a_line_must_be_covered() {
        let all = select("10.1.0.0/16", "10.2.0.0/16");
        let port = |value, mask| Selector {
            protocol: 6,
            destination_port: PortMatch { value, mask },
            ..all
        };
        let mut shadow = Shadow::default();
        shadow.entry();
        assert_eq!(shadow.permit(0, [port(80, 0xfff0)]), None);
        shadow.entry();
        assert_eq!(shadow.permit(0, [port(81, 0xffff), port(96, 0xffff)]), None);
        assert_eq!(
            shadow.permit(1, [port(81, 0xffff), port(88, 0xfffe)]),
            Some(Taken::Earlier((0, 0)))
        );
        assert_eq!(shadow.permit(2, [all]), None);
    }
}
