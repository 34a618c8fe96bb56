//! The order in which the kernel must ask the lines of one interface's crypto map. Called by [`super`].
//!
//! IOS leaves an entry at a `deny` line and goes on with the *next entry* (`ipv4-deny jump`); a kernel policy that lets a
//! packet pass ends the search. So before each exemption stand the lines of later entries that cover part of it, cut down
//! to that part.

use std::collections::HashSet;

use isthmus_kernel::{PortMatch, Selector};

/// One line of an entry's access-list; `T` says what becomes of a packet that matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line<T> {
    /// Protected (or blocked): the search ends.
    Permit(Box<[Selector]>, T),
    /// Not this entry's business: the search goes on with the next entry.
    Deny(Box<[Selector]>),
}

impl<T> Line<T> {
    /// What it selects.
    pub fn selectors(&self) -> &[Selector] {
        match self {
            Self::Permit(selectors, _) | Self::Deny(selectors) => selectors,
        }
    }
}

/// The lines of an entry as a list, first match wins; `None` passes in clear. The entries `behind` it (in map order) are
/// asked about what it exempts.
#[must_use]
pub fn flatten<T: Clone>(entry: &[Line<T>], behind: &[&[Line<T>]]) -> Vec<(Selector, Option<T>)> {
    let mut list = Vec::new();
    for line in entry {
        match line {
            Line::Permit(selectors, what) => {
                list.extend(selectors.iter().map(|s| (*s, Some(what.clone()))));
            }
            Line::Deny(selectors) => {
                for selector in selectors {
                    jump(behind, selector, &mut HashSet::new(), &mut list);
                    list.push((*selector, None));
                }
            }
        }
    }
    list
}

/// What `entries` do with packets of `within`, put before the exemption of `within`. What was put there for the parts in
/// `decided` is not put there again: equal lists would double the policies with each entry.
fn jump<T: Clone>(
    entries: &[&[Line<T>]],
    within: &Selector,
    decided: &mut HashSet<Selector>,
    list: &mut Vec<(Selector, Option<T>)>,
) {
    'entries: for (at, entry) in entries.iter().enumerate() {
        for line in *entry {
            for part in line
                .selectors()
                .iter()
                .filter_map(|s| intersection(s, within))
            {
                let whole = part == *within;
                match line {
                    Line::Deny(_) if whole => continue 'entries,
                    _ if decided.contains(&part) => continue,
                    Line::Permit(_, what) => list.push((part, Some(what.clone()))),
                    Line::Deny(_) => {
                        jump(&entries[at + 1..], &part, decided, list);
                        list.push((part, None));
                    }
                }
                decided.insert(part);
                if whole {
                    return;
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
    use proptest::prelude::*;

    use super::*;

    /// The lines of the first `own` entries as one list; the entries behind them are asked only about what they exempt.
    fn flatten<T: Clone>(entries: &[Vec<Line<T>>], own: usize) -> Vec<(Selector, Option<T>)> {
        let lines: Vec<&[Line<T>]> = entries.iter().map(Vec::as_slice).collect();
        let own = (0..own).map(|at| super::flatten(lines[at], &lines[at + 1..]));
        own.flatten().collect()
    }

    fn select(source: &str, destination: &str) -> Selector {
        Selector::between(source.parse().unwrap(), destination.parse().unwrap())
    }

    #[test]
    fn first_match_is_kept() {
        let wide = select("10.0.0.0/8", "10.0.0.0/8");
        let narrow = select("10.1.0.0/16", "10.2.0.0/16");
        let list = flatten(
            &[vec![
                Line::Deny([narrow].into()),
                Line::Permit([wide].into(), 10),
            ]],
            1,
        );
        assert_eq!(list, [(narrow, None), (wide, Some(10))]);
    }

    #[test]
    fn deny_jumps_to_the_next_entry() {
        let all = select("10.1.0.0/16", "0.0.0.0/0");
        let part = select("10.1.0.0/16", "10.2.0.0/16");
        let entries = [
            vec![Line::Deny([part].into()), Line::Permit([all].into(), 10)],
            vec![Line::Permit(
                [select("10.1.7.0/24", "10.0.0.0/8")].into(),
                20,
            )],
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
    fn equal_exemptions_make_a_list_that_grows_with_the_entries() {
        let (a, b) = (
            select("10.0.0.0/8", "10.0.0.0/8"),
            select("10.1.0.0/16", "10.0.0.0/8"),
        );
        let own = |n: u8| select(&format!("10.1.{n}.0/24"), "172.16.0.0/12");
        let entry = |n| vec![Line::Deny([a].into()), Line::Permit([own(n)].into(), n)];
        let entries: Vec<_> = (0..100).map(entry).collect();
        assert_eq!(flatten(&entries, 100).len(), 200);
        // The same where one exemption is part of the other, in both orders.
        for (first, second) in [(a, b), (b, a)] {
            let entry = |n| {
                vec![
                    Line::Deny([first].into()),
                    Line::Deny([second].into()),
                    Line::Permit([own(n)].into(), n),
                ]
            };
            let entries: Vec<_> = (0..100).map(entry).collect();
            assert!(flatten(&entries, 100).len() <= 400);
        }
    }

    /// What the entries say of a packet, read one after the other; those behind the `own` ones only after a `deny` in an
    /// own one.
    fn naive(
        entries: &[Vec<Line<usize>>],
        own: usize,
        matches: &dyn Fn(&Selector) -> bool,
    ) -> Option<usize> {
        let mut exempt = false;
        for (at, entry) in entries.iter().enumerate() {
            if at >= own && !exempt {
                return None;
            }
            let first = entry
                .iter()
                .find(|line| line.selectors().iter().any(matches));
            match first {
                Some(Line::Permit(_, what)) => return Some(*what),
                Some(Line::Deny(_)) => exempt = true,
                None => {}
            }
        }
        None
    }

    fn any_selector() -> impl Strategy<Value = Selector> {
        let prefix = || {
            (0u8..4, 29u8..=32)
                .prop_map(|(host, length)| format!("10.0.0.{host}/{length}"))
                .prop_map(|text| text.parse::<ipnet::IpNet>().unwrap().trunc())
        };
        let protocol = prop::sample::select(vec![0u8, 6, 17]);
        let port = prop::sample::select(vec![
            PortMatch::default(),
            PortMatch::exactly(80),
            PortMatch {
                value: 80,
                mask: 0xfffe,
            },
        ]);
        (prefix(), prefix(), protocol, port).prop_map(|(from, to, protocol, port)| Selector {
            protocol,
            destination_port: port,
            ..Selector::between(from, to)
        })
    }

    fn any_entries() -> impl Strategy<Value = Vec<Vec<Line<usize>>>> {
        let line = (
            any::<bool>(),
            prop::collection::vec(any_selector(), 1..3),
            0usize..1000,
        );
        let line = line.prop_map(|(permit, selectors, what)| match permit {
            true => Line::Permit(selectors.into(), what),
            false => Line::Deny(selectors.into()),
        });
        prop::collection::vec(prop::collection::vec(line, 0..4), 1..5)
    }

    proptest! {
        #[test]
        fn the_list_says_what_the_entries_say(
            entries in any_entries(),
            beyond in 0usize..3,
            packets in prop::collection::vec((0u8..6, 0u8..6, prop::sample::select(vec![6u8, 17, 50]), 79u16..83), 40),
        ) {
            let own = entries.len().saturating_sub(beyond);
            let list = flatten(&entries, own);
            for (from, to, protocol, port) in packets {
                let [from, to] = [from, to].map(|host| std::net::Ipv4Addr::new(10, 0, 0, host).into());
                let matches = |selector: &Selector| selector.matches(from, to, protocol, 1024, port);
                let said = list.iter().find(|(selector, _)| matches(selector));
                prop_assert_eq!(said.and_then(|(_, what)| *what), naive(&entries, own, &matches));
            }
        }
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
