//! The order in which the kernel must ask the lines of one interface's crypto map. Called by [`super`].
//!
//! IOS leaves an entry at a `deny` line and goes on with the *next entry* (`ipv4-deny jump`); a kernel policy that lets a
//! packet pass ends the search. So before each exemption stand the lines of later entries that cover part of it, cut down
//! to that part.

use isthmus_kernel::{PortMatch, Selector};

/// One line of an entry's access-list; `T` says what becomes of a packet that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line<T> {
    /// Protected (or blocked): the search ends.
    Permit(Vec<Selector>, T),
    /// Not this entry's business: the search goes on with the next entry.
    Deny(Vec<Selector>),
}

impl<T> Line<T> {
    fn selectors(&self) -> &[Selector] {
        match self {
            Self::Permit(selectors, _) | Self::Deny(selectors) => selectors,
        }
    }
}

/// The lines of the first `own` entries (in map order) as one list, first match wins; `None` passes in clear. The entries
/// behind them are asked only about what the own ones exempt.
#[must_use]
pub fn flatten<T: Clone>(entries: &[Vec<Line<T>>], own: usize) -> Vec<(Selector, Option<T>)> {
    let mut list = Vec::new();
    for (at, entry) in entries.iter().enumerate().take(own) {
        for line in entry {
            match line {
                Line::Permit(selectors, what) => {
                    list.extend(selectors.iter().map(|s| (*s, Some(what.clone()))));
                }
                Line::Deny(selectors) => {
                    for selector in selectors {
                        jump(&entries[at + 1..], selector, &mut list);
                        list.push((*selector, None));
                    }
                }
            }
        }
    }
    list
}

/// What `entries` do with packets of `within`, put before the exemption of `within`.
fn jump<T: Clone>(
    entries: &[Vec<Line<T>>],
    within: &Selector,
    list: &mut Vec<(Selector, Option<T>)>,
) {
    for (at, entry) in entries.iter().enumerate() {
        for line in entry {
            for part in line
                .selectors()
                .iter()
                .filter_map(|s| intersection(s, within))
            {
                match line {
                    Line::Permit(_, what) => list.push((part, Some(what.clone()))),
                    Line::Deny(_) => {
                        jump(&entries[at + 1..], &part, list);
                        list.push((part, None));
                    }
                }
            }
        }
    }
}

/// What both select.
#[must_use]
pub fn intersection(a: &Selector, b: &Selector) -> Option<Selector> {
    let narrower = |a: ipnet::IpNet, b: ipnet::IpNet| {
        if a.contains(&b) {
            Some(b)
        } else {
            b.contains(&a).then_some(a)
        }
    };
    let protocol = match (a.protocol, b.protocol) {
        (0, p) | (p, 0) => p,
        (p, q) if p == q => p,
        _ => return None,
    };
    Some(Selector {
        source: narrower(a.source, b.source)?,
        destination: narrower(a.destination, b.destination)?,
        protocol,
        source_port: both_ports(a.source_port, b.source_port)?,
        destination_port: both_ports(a.destination_port, b.destination_port)?,
    })
}

fn both_ports(a: PortMatch, b: PortMatch) -> Option<PortMatch> {
    let differing = (a.value ^ b.value) & a.mask & b.mask;
    (differing == 0).then_some(PortMatch {
        value: (a.value & a.mask) | (b.value & b.mask),
        mask: a.mask | b.mask,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(source: &str, destination: &str) -> Selector {
        Selector::between(source.parse().unwrap(), destination.parse().unwrap())
    }

    #[test]
    fn first_match_is_kept() {
        let wide = select("10.0.0.0/8", "10.0.0.0/8");
        let narrow = select("10.1.0.0/16", "10.2.0.0/16");
        let list = flatten(
            &[vec![Line::Deny(vec![narrow]), Line::Permit(vec![wide], 10)]],
            1,
        );
        assert_eq!(list, [(narrow, None), (wide, Some(10))]);
    }

    #[test]
    fn deny_jumps_to_the_next_entry() {
        let all = select("10.1.0.0/16", "0.0.0.0/0");
        let part = select("10.1.0.0/16", "10.2.0.0/16");
        let entries = [
            vec![Line::Deny(vec![part]), Line::Permit(vec![all], 10)],
            vec![Line::Permit(vec![select("10.1.7.0/24", "10.0.0.0/8")], 20)],
        ];
        let list = flatten(&entries, 2);
        assert_eq!(
            list,
            [
                (select("10.1.7.0/24", "10.2.0.0/16"), Some(20)),
                (part, None),
                (all, Some(10)),
                (select("10.1.7.0/24", "10.0.0.0/8"), Some(20)),
            ]
        );
        assert_eq!(
            flatten(&entries, 1),
            list[..3],
            "the second entry is not its own"
        );
    }

    #[test]
    fn ports_and_protocols_intersect() {
        let any = select("0.0.0.0/0", "0.0.0.0/0");
        let tcp = Selector { protocol: 6, ..any };
        let web = Selector {
            destination_port: PortMatch::exactly(80),
            ..tcp
        };
        let low = Selector {
            destination_port: PortMatch {
                value: 0,
                mask: 0xff00,
            },
            ..tcp
        };
        let udp = Selector {
            protocol: 17,
            ..any
        };
        assert_eq!(intersection(&any, &web), Some(web));
        assert_eq!(intersection(&low, &web), Some(web));
        assert_eq!(intersection(&udp, &web), None);
        let ssl = Selector {
            destination_port: PortMatch::exactly(443),
            ..tcp
        };
        assert_eq!(intersection(&ssl, &web), None);
    }
}
