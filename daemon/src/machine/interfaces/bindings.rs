//! Which device each interface name is bound to. Called by [`super::InterfaceTable::refresh`]; kept over restarts by
//! [`super::store`].
//!
//! A port (`GigabitEthernet0/2` is the third, by whichever Ethernet type it is called) gets its device when the device is
//! first seen, in the order of the kernel's indexes, and keeps it: a device that goes leaves its number empty. Where
//! hardware is, only hardware gets numbers, not the veth, tap or bridge of a container.
//!
//! A device is known again by its hardware address and the place where it is plugged in; one that is plugged in nowhere
//! (a veth) by its kernel name. A Linux name in use is bound too, so that `eth1` does not become other hardware.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use isthmus_kernel::LinkInfo;

/// What a device is known by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hardware {
    /// Its kernel name when it was last seen.
    pub kernel: String,
    /// The hardware address that it was made with.
    pub mac: Vec<u8>,
    /// Where it is plugged in; empty for a device without a parent.
    pub bus: String,
}

impl Hardware {
    fn of(link: &LinkInfo) -> Self {
        let mac = match link.permanent_mac.as_slice() {
            [] => &link.mac,
            permanent => permanent,
        };
        Self {
            kernel: link.name.clone(),
            mac: mac.to_vec(),
            bus: link.bus.split_whitespace().collect(),
        }
    }

    fn is_plugged(&self) -> bool {
        !self.bus.is_empty()
    }
}

impl fmt::Display for Hardware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kernel)?;
        if !self.mac.is_empty() {
            write!(f, ", {}", mac(&self.mac))?;
        }
        if self.is_plugged() {
            write!(f, ", at {}", self.bus)?;
        }
        Ok(())
    }
}

/// A hardware address as IOS writes it: `000f.352d.2381`.
#[must_use]
pub fn mac(octets: &[u8]) -> String {
    let pairs: Vec<String> = octets
        .chunks(2)
        .map(|pair| pair.iter().map(|octet| format!("{octet:02x}")).collect())
        .collect();
    pairs.join(".")
}

/// What is bound.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A port by its position: 0 for `GigabitEthernet0/0`.
    Port(usize),
    /// A Linux name.
    Name(String),
}

/// What a name is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The device.
    pub hardware: Hardware,
    /// The device got its number after the bindings were lost: it may be another than before.
    pub guessed: bool,
    /// Its kernel index while it is there.
    pub index: Option<u32>,
}

/// What the running-config makes of the names.
#[derive(Debug, Default)]
pub struct Uses {
    /// Names that a line needs.
    pub used: BTreeSet<Key>,
    /// Names with a crypto map.
    pub mapped: BTreeSet<Key>,
}

/// Something that became of a binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The device is not there any more.
    Gone,
    /// The device is there again.
    Back,
    /// Another card in the same place, or the same card in another place: how it was.
    Other(Hardware),
}

/// All bindings.
#[derive(Debug, Clone, Default)]
pub struct Bindings {
    bound: BTreeMap<Key, Binding>,
    /// The next numbers are guesses.
    lost: bool,
}

/// How sure it is that a device is the bound one, the surest first.
const TESTS: [fn(&Binding, &LinkInfo, &Hardware) -> bool; 5] = [
    |known, link, there| {
        let place = known.hardware.is_plugged() && known.hardware.bus == there.bus;
        known.index == Some(link.index) && (known.hardware.mac == there.mac || place)
    },
    |known, _, there| known.hardware == *there && there.is_plugged(),
    |known, _, there| {
        let (known, there) = (
            (&known.hardware.mac, &known.hardware.bus),
            (&there.mac, &there.bus),
        );
        known == there && !there.1.is_empty()
    },
    |known, _, there| {
        known.hardware.is_plugged() && there.is_plugged() && known.hardware.mac == there.mac
    },
    |known, _, there| known.hardware.bus == there.bus && known.hardware.kernel == there.kernel,
];

impl Bindings {
    /// Those that were kept.
    pub(super) fn kept(bound: BTreeMap<Key, Binding>) -> Self {
        Self { bound, lost: false }
    }

    /// None, because those that were kept cannot be read.
    #[must_use]
    pub fn lost() -> Self {
        Self {
            bound: BTreeMap::new(),
            lost: true,
        }
    }

    /// All of them, ports first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Binding)> {
        self.bound.iter()
    }

    /// The binding of a name.
    pub(super) fn get(&self, key: &Key) -> Option<&Binding> {
        self.bound.get(key)
    }

    /// Those that are worth keeping: of hardware, and of names in use.
    pub(super) fn worth_keeping<'a>(
        &'a self,
        uses: &'a Uses,
    ) -> impl Iterator<Item = (&'a Key, &'a Binding)> {
        self.bound
            .iter()
            .filter(|(key, one)| one.hardware.is_plugged() || uses.used.contains(*key))
    }

    /// Takes over what devices there are, by index; says what became of the bindings.
    pub(super) fn follow(&mut self, links: &[&LinkInfo], uses: &Uses) -> Vec<(Key, Change)> {
        let mut changes = Vec::new();
        let ports: Vec<&LinkInfo> = links.iter().copied().filter(|link| is_port(link)).collect();
        let mut found = self.find_ports(&ports);
        found.extend(self.find_names(links));
        for (key, one) in &mut self.bound {
            let link = found.get(key).copied();
            let change = match (one.index, link) {
                (Some(_), None) => Some(Change::Gone),
                (None, Some(_)) => Some(Change::Back),
                _ => None,
            };
            changes.extend(change.map(|change| (key.clone(), change)));
            one.index = link.map(|link| link.index);
            if let Some(link) = link {
                let there = Hardware::of(link);
                let before = std::mem::replace(&mut one.hardware, there);
                if before.mac != one.hardware.mac || before.bus != one.hardware.bus {
                    changes.push((key.clone(), Change::Other(before)));
                }
            }
        }
        self.bound
            .retain(|key, one| one.index.is_some() || uses.used.contains(key));
        self.number(&ports);
        self.bind_names(links, uses);
        for (key, one) in &mut self.bound {
            one.guessed &= uses.mapped.contains(key);
        }
        self.lost = false;
        changes
    }

    /// The device of each bound port that is there.
    fn find_ports<'a>(&self, ports: &[&'a LinkInfo]) -> BTreeMap<Key, &'a LinkInfo> {
        let devices: Vec<(&LinkInfo, Hardware)> = ports
            .iter()
            .map(|link| (*link, Hardware::of(link)))
            .collect();
        let mut found = BTreeMap::new();
        let mut taken = HashSet::new();
        for test in TESTS {
            let open: Vec<(&Key, &Binding)> = self
                .bound
                .iter()
                .filter(|(key, _)| matches!(key, Key::Port(_)) && !found.contains_key(*key))
                .collect();
            for (key, known) in open {
                let mut fitting = devices.iter().filter(|(link, there)| {
                    !taken.contains(&link.index) && test(known, link, there)
                });
                // Two that fit equally well are told apart by none of these: neither is meant.
                if let (Some((link, _)), None) = (fitting.next(), fitting.next()) {
                    taken.insert(link.index);
                    found.insert(key.clone(), *link);
                }
            }
        }
        found
    }

    /// The device of each bound Linux name: the one that is called so, if it is that hardware or in that place.
    fn find_names<'a>(&self, links: &[&'a LinkInfo]) -> BTreeMap<Key, &'a LinkInfo> {
        let mut found = BTreeMap::new();
        for (key, known) in &self.bound {
            let Key::Name(name) = key else { continue };
            let Some(link) = links.iter().find(|link| link.name == *name) else {
                continue;
            };
            let there = Hardware::of(link);
            if there.is_plugged()
                && (there.mac == known.hardware.mac || there.bus == known.hardware.bus)
            {
                found.insert(key.clone(), *link);
            }
        }
        found
    }

    /// Gives devices that have no number the lowest free ones.
    fn number(&mut self, ports: &[&LinkInfo]) {
        let hardware = ports.iter().any(|link| !link.bus.is_empty())
            || (self.bound.iter())
                .any(|(key, one)| matches!(key, Key::Port(_)) && one.hardware.is_plugged());
        let known: HashSet<u32> = self
            .bound
            .iter()
            .filter(|(key, _)| matches!(key, Key::Port(_)))
            .filter_map(|(_, one)| one.index)
            .collect();
        let new = ports
            .iter()
            .filter(|link| !known.contains(&link.index) && (!hardware || !link.bus.is_empty()));
        let mut free = 0;
        for link in new {
            while self.bound.contains_key(&Key::Port(free)) {
                free += 1;
            }
            let binding = Binding {
                hardware: Hardware::of(link),
                guessed: self.lost,
                index: Some(link.index),
            };
            self.bound.insert(Key::Port(free), binding);
        }
    }

    /// Binds Linux names in use to the hardware that has them.
    fn bind_names(&mut self, links: &[&LinkInfo], uses: &Uses) {
        for key in &uses.used {
            let Key::Name(name) = key else { continue };
            if self.bound.contains_key(key) {
                continue;
            }
            if let Some(link) = links.iter().find(|link| link.name == *name)
                && !link.bus.is_empty()
            {
                let binding = Binding {
                    hardware: Hardware::of(link),
                    guessed: false,
                    index: Some(link.index),
                };
                self.bound.insert(key.clone(), binding);
            }
        }
        // A name that no line needs any more may mean anything again.
        let unused = |key: &Key| matches!(key, Key::Name(_)) && !uses.used.contains(key);
        self.bound.retain(|key, _| !unused(key));
    }
}

/// What counts as an Ethernet port: not loopbacks, and not the dummies that stand for them.
pub(super) fn is_port(link: &LinkInfo) -> bool {
    link.ethernet && !link.loopback && link.kind != "dummy"
}

#[cfg(test)]
mod tests;
