//! Interface names: the one place where typed names become canonical.
//!
//! Linux names (`eth0`, `wan0.10`, `enp0s31f6`) are valid as they are. IOS type names may be shortened
//! and separated from the number by a blank (`Gi0/0`, `tunnel 0`, `int e0/0`); they become the full type
//! name with the number (`GigabitEthernet0/0`). What a text means is decided by its shape alone, so the
//! same text means the same interface everywhere:
//! - `eth` + number, all lower case, is a Linux name (never Ethernet);
//! - letters that are an unambiguous prefix of an IOS type name + number is that IOS interface; without
//!   `/` or blank at least two letters are needed (`e0/0`, but `e0` and `v1` are Linux names);
//! - everything else that starts with a letter and has no `/` is a Linux name.

use std::fmt;

/// The canonical name of an interface.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InterfaceName(String);

/// The IOS interface types with their help texts, in the order of help.
pub const TYPES: &[(&str, &str)] = &[
    ("Dialer", "Dialer interface"),
    ("Ethernet", "IEEE 802.3"),
    ("FastEthernet", "FastEthernet IEEE 802.3"),
    ("GigabitEthernet", "GigabitEthernet IEEE 802.3z"),
    ("HundredGigE", "Hundred Gigabit Ethernet"),
    ("Loopback", "Loopback interface"),
    ("Null", "Null interface"),
    ("Port-channel", "Ethernet Channel of interfaces"),
    ("Serial", "Serial"),
    ("TenGigabitEthernet", "Ten Gigabit Ethernet"),
    ("Tunnel", "Tunnel interface"),
    ("TwentyFiveGigE", "Twenty Five Gigabit Ethernet"),
    ("Virtual-Access", "Virtual Access interface"),
    ("Virtual-Template", "Virtual Template interface"),
];

/// Longest Linux interface name.
const LINUX_NAME_MAX: usize = 15;

impl InterfaceName {
    /// Reads a typed name; `None` when it can be neither an IOS nor a Linux name.
    pub fn parse(typed: &str) -> Option<Self> {
        let digits = typed
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(typed.len());
        let (letters, number) = typed.split_at(digits);
        let spaced = letters.ends_with([' ', '\t']);
        let letters = letters.trim_end();
        let plain = !spaced && !number.contains('/');
        let linux = plain && (letters == "eth" || letters.len() < 2);
        if !linux
            && is_port(number)
            && let Some(kind) = type_name(letters)
        {
            return in_range(kind, number).then(|| Self(format!("{kind}{number}")));
        }
        // `gigabitethernet` alone lacks its number; `lo` alone is a Linux name.
        let unfinished = number.is_empty()
            && letters != "lo"
            && letters.len() > 1
            && type_name(letters).is_some();
        (plain && !unfinished && is_linux(typed)).then(|| Self(typed.to_owned()))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The IOS type and the number (`("GigabitEthernet", "0/0")`); `None` for a Linux name.
    pub fn ios_parts(&self) -> Option<(&'static str, &str)> {
        TYPES.iter().find_map(|(kind, _)| {
            Some((
                *kind,
                self.0.strip_prefix(kind).filter(|number| is_port(number))?,
            ))
        })
    }

    /// The short form of IOS tables (`Gi0/0`, `Lo0`, `Tu1`); the whole name for a Linux name.
    pub fn short(&self) -> String {
        match self.ios_parts() {
            Some((kind, number)) => format!("{}{number}", &kind[..2]),
            None => self.0.clone(),
        }
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The most interfaces that one range may name.
const RANGE_MAX: u64 = 1024;

/// The interfaces of `interface range`: lists separated by commas, each a name or, with ` - `, the name of the first and
/// the last port or name. `None` when it is no such list, or one of more than 1024 interfaces.
pub fn range(list: &str) -> Option<Vec<InterfaceName>> {
    let mut names = Vec::new();
    for part in list.split(',') {
        let part = part.trim();
        // A Linux name may have a hyphen: ends are told by what stands before the last one.
        let ends = part.rsplit_once('-').and_then(|(first, last)| {
            let (first, last) = (first.trim(), last.trim());
            InterfaceName::parse(first)?.through(last)
        });
        names.extend(match ends {
            Some(names) => names,
            None => vec![InterfaceName::parse(part)?],
        });
        if names.len() as u64 > RANGE_MAX {
            return None;
        }
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    Some(names)
}

impl InterfaceName {
    /// This interface and those after it up to `last`: the last number alone, or the whole name.
    fn through(&self, last: &str) -> Option<Vec<Self>> {
        let stem = self.0.trim_end_matches(|c: char| c.is_ascii_digit());
        let number = |text: &str| text.parse::<u64>().ok();
        let last = match number(last) {
            Some(last) => last,
            None => number(Self::parse(last)?.0.strip_prefix(stem)?)?,
        };
        let first = number(self.0.strip_prefix(stem)?)?;
        let wanted = (first..=last).take(usize::try_from(RANGE_MAX + 1).ok()?);
        let names: Option<Vec<Self>> = wanted
            .map(|number| Self::parse(&format!("{stem}{number}")))
            .collect();
        names.filter(|names| !names.is_empty())
    }
}

/// The one IOS type that the letters are a prefix of, case not regarded; an exact name wins.
pub fn type_name(letters: &str) -> Option<&'static str> {
    let mut found = TYPES
        .iter()
        .map(|(kind, _)| *kind)
        .filter(|kind| is_prefix(letters, kind));
    let first = found.next()?;
    if first.len() == letters.len() || found.next().is_none() {
        Some(first)
    } else {
        None
    }
}

fn is_prefix(letters: &str, word: &str) -> bool {
    !letters.is_empty()
        && word
            .get(..letters.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(letters))
}

/// `0`, `0/1/2`, `0/0.10`.
pub(crate) fn is_port(text: &str) -> bool {
    let (slots, sub) = text
        .split_once('.')
        .map_or((text, None), |(slots, sub)| (slots, Some(sub)));
    let number =
        |part: &str| (1..=10).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    slots.split('/').count() <= 4 && slots.split('/').all(number) && sub.is_none_or(number)
}

/// Interfaces that exist only by their number have a range; those of the hardware have what is there.
fn in_range(kind: &str, number: &str) -> bool {
    let range = match kind {
        "Loopback" | "Tunnel" => 0..=i32::MAX.unsigned_abs().into(),
        "Virtual-Template" => 1..=4095,
        _ => return true,
    };
    (number.parse::<u64>()).is_ok_and(|number| range.contains(&number))
}

fn is_linux(text: &str) -> bool {
    (1..=LINUX_NAME_MAX).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-@+".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_name_each_interface_once() {
        let names = |list: &str| {
            range(list).map(|names| {
                let names: Vec<String> = names.iter().map(ToString::to_string).collect();
                names.join(" ")
            })
        };
        for (list, expected) in [
            (
                "Gi0/0 - 2",
                "GigabitEthernet0/0 GigabitEthernet0/1 GigabitEthernet0/2",
            ),
            (
                "gi0/1-gi0/2 , lo1",
                "GigabitEthernet0/1 GigabitEthernet0/2 Loopback1",
            ),
            ("Loopback 9 - 11", "Loopback9 Loopback10 Loopback11"),
            ("eth0,eth0 , wan-0", "eth0 wan-0"),
            ("eth0 - 1", "eth0 eth1"),
        ] {
            assert_eq!(names(list).as_deref(), Some(expected), "{list}");
        }
        for list in ["", ",", "Gi0/2 - 1", "Gi0/0 - ", "lo1 - 4000000000", "- 3"] {
            assert_eq!(names(list), None, "{list}");
        }
    }

    #[track_caller]
    fn check(typed: &str, canonical: Option<&str>) {
        assert_eq!(
            InterfaceName::parse(typed)
                .as_ref()
                .map(InterfaceName::as_str),
            canonical,
            "{typed}"
        );
    }

    #[test]
    fn ios_names_become_full() {
        check("Gi0/0", Some("GigabitEthernet0/0"));
        check("GigabitEthernet 0/0", Some("GigabitEthernet0/0"));
        check("gigabitethernet1", Some("GigabitEthernet1"));
        check("e0/0", Some("Ethernet0/0"));
        check("e 0", Some("Ethernet0"));
        check("lo0", Some("Loopback0"));
        check("Tun 0", Some("Tunnel0"));
        check("te1/1.20", Some("TenGigabitEthernet1/1.20"));
        check("f0/1", Some("FastEthernet0/1"));
        check("fa0/1", Some("FastEthernet0/1"));
        check("virtual-t1", Some("Virtual-Template1"));
        check("Tunnel 2147483647", Some("Tunnel2147483647"));
    }

    #[test]
    fn linux_names_stay() {
        for name in [
            "eth0",
            "eth0.10",
            "wan0.10",
            "enp0s31f6",
            "lo",
            "br0",
            "e0",
            "v1",
            "veth-a",
            "ip_vti0",
            "dummy0",
        ] {
            check(name, Some(name));
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for name in [
            "",
            " ",
            "Foo0/0",
            "a/b",
            "averyveryverylongname0",
            "Gi0/",
            "../x",
            "t0/0",
            "Tunnel2147483648",
            "virtual-t0",
            "Virtual-Template4096",
        ] {
            check(name, None);
        }
    }

    #[test]
    fn canonical_names_are_stable() {
        for (kind, _) in TYPES {
            let number = if in_range(kind, "0/1") { "0/1" } else { "1" };
            let name = format!("{kind}{number}");
            check(&name, Some(&name));
            assert_eq!(
                InterfaceName::parse(&name).and_then(|n| n.ios_parts().map(|p| p.0)),
                Some(*kind)
            );
        }
    }
}
