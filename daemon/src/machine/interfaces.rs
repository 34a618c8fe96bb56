//! The interfaces of the machine under the names the operator uses.
//!
//! Filled by the run loop from the kernel; read by `plan`, `router`, `view` and the sessions.
//!
//! A Linux name is itself. `Loopback N` is a dummy interface of that name, made when it is configured. An IOS Ethernet
//! name is what the interface map says; without a line there, the device that [`bindings`] gave the number:
//! `GigabitEthernet0/2` (any Ethernet type, slots all 0) is the third Ethernet device, and `GigabitEthernet3`, which
//! counts from 1, is the same one. Of several configured names of one device one acts; the lines of the others are kept
//! and do nothing.

pub mod bindings;
mod map;
pub mod store;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use isthmus_grammar::InterfaceName;
use isthmus_kernel::{AddressInfo, LinkInfo};
use jiff::Timestamp;

use self::bindings::{Bindings, Change, Hardware, Key, Uses};
pub use self::map::InterfaceMap;
use crate::config::model::{Interface as Lines, Running};

/// One interface of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The operator's name: `GigabitEthernet0/0`, `Loopback0`, or the kernel's own name.
    pub name: String,
    /// As the kernel has it.
    pub link: LinkInfo,
    /// Its addresses, in the kernel's order.
    pub addresses: Vec<IpNet>,
    /// What counts as zero, since `clear counters`.
    pub cleared: Option<Cleared>,
}

/// Counters that were cleared. The kernel's only go up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared {
    /// When.
    pub at: Timestamp,
    /// What the kernel had counted.
    pub link: LinkInfo,
}

impl Interface {
    /// The first IPv4 address: where tunnels of a crypto map start.
    #[must_use]
    pub fn primary(&self) -> Option<IpAddr> {
        self.addresses.iter().map(IpNet::addr).find(IpAddr::is_ipv4)
    }

    /// What the operator takes it for.
    #[must_use]
    pub fn hardware(&self) -> &'static str {
        if self.link.loopback || self.link.kind == "dummy" {
            "Loopback"
        } else if self.link.ethernet {
            "Ethernet"
        } else {
            "Tunnel"
        }
    }
}

/// What a configured name is for the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    /// Its lines act on the device with this index.
    Acts(u32),
    /// There is no such device.
    Absent,
    /// Another configured name acts on the device; its kernel name.
    Second(InterfaceName, String),
    /// The interface map gives its device another name.
    Refused(InterfaceName),
    /// It has a crypto map, and which device it means was lost.
    Lost,
}

/// All interfaces.
#[derive(Debug, Clone, Default)]
pub struct InterfaceTable {
    map: InterfaceMap,
    by_index: BTreeMap<u32, Interface>,
    by_kernel: HashMap<String, u32>,
    bindings: Bindings,
    standings: BTreeMap<InterfaceName, Standing>,
    /// What became of names in use since it was last asked for.
    news: Vec<String>,
    file: Option<PathBuf>,
    /// What the file should say, and what it says.
    text: String,
    written: String,
}

/// What to write where, so that the bindings last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToKeep {
    /// The file.
    pub path: PathBuf,
    /// Its whole text.
    pub text: String,
}

impl InterfaceTable {
    /// A table without interfaces, whose bindings live as long as it does.
    #[must_use]
    pub fn new(map: InterfaceMap) -> Self {
        Self {
            map,
            ..Self::default()
        }
    }

    /// The same with the bindings that were kept, and kept there from now on.
    #[must_use]
    pub fn with_bindings(self, kept: store::Kept) -> Self {
        Self {
            bindings: kept.bindings,
            file: Some(kept.path),
            written: kept.text,
            ..self
        }
    }

    /// Takes over what the kernel has now.
    pub fn refresh(&mut self, links: Vec<LinkInfo>, addresses: &[AddressInfo], running: &Running) {
        let before = std::mem::take(&mut self.by_index);
        let first_look = before.is_empty();
        let interface = |link: LinkInfo| {
            let same = before.get(&link.index);
            let same = same.filter(|same| same.link.name == link.name);
            let cleared = same.and_then(|same| same.cleared.clone());
            (link.index, bare(link, cleared))
        };
        self.by_index = links.into_iter().map(interface).collect();
        let kernel = |one: &Interface| (one.link.name.clone(), one.link.index);
        self.by_kernel = self.by_index.values().map(kernel).collect();
        for address in addresses {
            if let Some(interface) = self.by_index.get_mut(&address.index) {
                interface.addresses.push(address.address);
            }
        }
        self.bind(running, first_look);
        self.standings = self.standings(running);
        self.name();
    }

    /// Keeps the bindings in step with the devices that there are. That a device is there at the first look is no news.
    fn bind(&mut self, running: &Running, first_look: bool) {
        let uses = self.uses(running);
        let links: Vec<&LinkInfo> = self.by_index.values().map(|one| &one.link).collect();
        let changes = self.bindings.follow(&links, &uses);
        for (key, change) in changes {
            let expected = first_look && change == Change::Back;
            if uses.used.contains(&key) && !expected {
                let name = self.name_of(&key, running);
                let hardware = self.bindings.get(&key).map(|one| one.hardware.clone());
                self.news
                    .extend(hardware.map(|now| news(&name, &change, &now)));
            }
        }
        self.text = store::text(&self.bindings, &uses);
    }

    /// How the running-config calls what is bound.
    fn name_of(&self, key: &Key, running: &Running) -> String {
        let mut configured = running.interfaces.iter().map(|(name, _)| name);
        let named = configured.find(|name| self.key(name).as_ref() == Some(key));
        match (named, key) {
            (Some(name), _) => name.to_string(),
            (None, Key::Name(name)) => name.clone(),
            (None, Key::Port(number)) => format!("GigabitEthernet0/{number}"),
        }
    }

    /// What the running-config makes of the names.
    fn uses(&self, running: &Running) -> Uses {
        let mut uses = Uses::default();
        let names = running.map_names();
        for (name, lines) in running.interfaces.iter() {
            let Some(key) = self.key(name) else { continue };
            if lines.means_to_protect(&names) {
                uses.mapped.insert(key.clone());
            }
            if *lines != Lines::default() {
                uses.used.insert(key);
            }
        }
        let routes = running.routes.iter();
        let routes = routes.filter_map(|(route, _)| route.interface.as_ref());
        let maps = running.crypto.maps.values();
        let sources = maps.filter_map(|map| map.local_address.as_ref());
        uses.used
            .extend(routes.chain(sources).filter_map(|name| self.key(name)));
        uses
    }

    /// What is bound when this name is used; `None` for names that no hardware has, and those in the interface map.
    fn key(&self, name: &InterfaceName) -> Option<Key> {
        if self.map.get(name).is_some() {
            return None;
        }
        match name.ios_parts() {
            None => Some(Key::Name(name.to_string())),
            Some((kind, number)) if is_ethernet(kind) => ethernet_position(number).map(Key::Port),
            Some(_) => None,
        }
    }

    /// Which of the configured names act. Of several names of one device it is the one in the interface map, else one with
    /// a crypto map, else one with an address, else the first.
    fn standings(&self, running: &Running) -> BTreeMap<InterfaceName, Standing> {
        let maps = running.map_names();
        let mut claims: Vec<(_, &InterfaceName, &Lines)> = running
            .interfaces
            .iter()
            .enumerate()
            .map(|(at, (name, lines))| {
                let mapped = self.map.get(name).is_none();
                let rank = (
                    mapped,
                    !lines.means_to_protect(&maps),
                    lines.address.is_none(),
                    at,
                );
                (rank, name, lines)
            })
            .collect();
        claims.sort_by_key(|(rank, ..)| *rank);
        let mut owners: HashMap<u32, &InterfaceName> = HashMap::new();
        let mut standings = BTreeMap::new();
        for (_, name, lines) in claims {
            let lost = lines.means_to_protect(&maps) && self.is_guessed(name);
            let standing = match (self.map.get(name), self.index(name)) {
                (Some(Err(first)), _) => Standing::Refused(first.clone()),
                (_, None) => Standing::Absent,
                (_, Some(_)) if lost => Standing::Lost,
                (_, Some(index)) => match owners.get(&index) {
                    Some(owner) => {
                        let kernel = self.by_index.get(&index).map(|one| one.link.name.clone());
                        Standing::Second((*owner).clone(), kernel.unwrap_or_default())
                    }
                    None => {
                        owners.insert(index, name);
                        Standing::Acts(index)
                    }
                },
            };
            standings.insert(name.clone(), standing);
        }
        standings
    }

    fn is_guessed(&self, name: &InterfaceName) -> bool {
        let binding = self.key(name).and_then(|key| self.bindings.get(&key));
        binding.is_some_and(|binding| binding.guessed)
    }

    /// Calls each device as the operator does.
    fn name(&mut self) {
        let mut names: Vec<(InterfaceName, u32)> = Vec::new();
        for (name, kernel) in self.map.iter() {
            names.extend(
                self.by_kernel
                    .get(kernel)
                    .map(|index| (name.clone(), *index)),
            );
        }
        for (name, standing) in &self.standings {
            if let Standing::Acts(index) = standing {
                names.push((name.clone(), *index));
            }
        }
        for (name, index) in names {
            if let Some(interface) = self.by_index.get_mut(&index) {
                interface.name = name.to_string();
            }
        }
    }

    /// The index of the device that a name means, if it is there.
    fn index(&self, name: &InterfaceName) -> Option<u32> {
        if let Some(mapped) = self.map.get(name) {
            return self.by_kernel.get(mapped.ok()?).copied();
        }
        let by_name = || self.by_kernel.get(name.as_str()).copied();
        match (name.ios_parts(), self.key(name)) {
            (_, Some(key @ Key::Port(_))) => self.bindings.get(&key)?.index,
            (_, Some(key @ Key::Name(_))) => match self.bindings.get(&key) {
                Some(binding) => binding.index,
                None => by_name(),
            },
            (Some(("Loopback", _)), None) => by_name(),
            _ => None,
        }
    }

    /// The kernel's name for the device that a name means, there or not; `None` when no device can be told.
    #[must_use]
    pub fn kernel_name(&self, name: &InterfaceName) -> Option<String> {
        if let Some(index) = self.index(name) {
            return self.by_index.get(&index).map(|one| one.link.name.clone());
        }
        if let Some(mapped) = self.map.get(name) {
            return mapped.ok().map(str::to_owned);
        }
        match name.ios_parts() {
            None | Some(("Loopback", _)) => Some(name.to_string()),
            Some(_) => {
                let binding = self.bindings.get(&self.key(name)?)?;
                Some(binding.hardware.kernel.clone())
            }
        }
    }

    /// The interface that a name means, if it is there.
    #[must_use]
    pub fn find(&self, name: &InterfaceName) -> Option<&Interface> {
        self.by_index.get(&self.index(name)?)
    }

    /// The interface that the lines of a configured name are for; `None` while they must not act (see [`Self::why_not`]).
    #[must_use]
    pub fn acting(&self, name: &InterfaceName) -> Option<&Interface> {
        match self.standings.get(name) {
            Some(Standing::Acts(index)) => self.by_index.get(index),
            Some(_) => None,
            None => self.find(name),
        }
    }

    /// Why the lines of a name do not act: a clause for messages.
    #[must_use]
    pub fn why_not(&self, name: &InterfaceName) -> String {
        match self.standings.get(name) {
            Some(Standing::Second(..)) => self.other_name(name).unwrap_or_default(),
            Some(Standing::Refused(first)) => {
                format!("{name} has the device of {first} in the interface map")
            }
            Some(Standing::Lost) => format!(
                "which device {name} means was lost; write it into the interface map, or take its crypto map off and put \
                 it on again after end"
            ),
            _ => match self.hardware(name) {
                Some(was) => format!("{name} is not there (it was {was})"),
                None => format!("{name} is not there"),
            },
        }
    }

    /// The hardware that a name is bound to, there or not.
    #[must_use]
    pub fn hardware(&self, name: &InterfaceName) -> Option<&Hardware> {
        let binding = self.key(name).and_then(|key| self.bindings.get(&key));
        binding.map(|binding| &binding.hardware)
    }

    /// `FastEthernet0/0 is GigabitEthernet0/0 (eth0)`, for a configured name whose device has another.
    fn other_name(&self, name: &InterfaceName) -> Option<String> {
        match self.standings.get(name)? {
            Standing::Second(owner, kernel) => Some(alias(name, owner, Some(kernel))),
            _ => None,
        }
    }

    /// Why a name must not be configured: another configured name means the same device.
    ///
    /// # Errors
    /// `FastEthernet0/0 is GigabitEthernet0/0 (eth0)`.
    pub fn may_configure(&self, running: &Running, name: &InterfaceName) -> Result<(), String> {
        if running.interfaces.get(name).is_some() {
            return Ok(());
        }
        if let Some(Err(first)) = self.map.get(name) {
            return Err(alias(name, first, self.kernel_name(first).as_deref()));
        }
        let port = |name: &InterfaceName| self.key(name).filter(|key| matches!(key, Key::Port(_)));
        let (index, own_port) = (self.index(name), port(name));
        if index.is_none() && own_port.is_none() {
            return Ok(());
        }
        let mut configured = running.interfaces.iter().map(|(other, _)| other);
        let same = configured.find(|other| {
            let device = index.is_some() && self.index(other) == index;
            device || own_port.is_some() && port(other) == own_port
        });
        match same {
            Some(other) => Err(alias(name, other, self.kernel_name(other).as_deref())),
            None => Ok(()),
        }
    }

    /// What the operator should know of names, as long as it is so.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.map.problems().to_vec();
        for (name, kernel) in self.map.iter() {
            if !self.by_kernel.contains_key(kernel) {
                problems.push(format!(
                    "interface map: {name} is {kernel}, which is not there"
                ));
            }
        }
        for name in self.standings.keys() {
            if let Some(other) = self.other_name(name) {
                problems.push(format!(
                    "interface {name}: {other}; its lines are kept and do nothing: remove one of the two"
                ));
            }
        }
        problems
    }

    /// Takes what became of names in use since the last call.
    pub fn take_news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.news)
    }

    /// Takes what is to be written so that the bindings last; `None` when the file says so already.
    pub fn take_to_keep(&mut self) -> Option<ToKeep> {
        let path = self.file.clone()?;
        if self.text == self.written {
            return None;
        }
        self.written.clone_from(&self.text);
        let text = self.text.clone();
        Some(ToKeep { path, text })
    }

    /// The file could not be written: the next call of [`Self::take_to_keep`] asks for it again.
    pub fn not_kept(&mut self) {
        self.written.clear();
    }

    /// Names and what they are bound to: those of the interface map, then those that were numbered or are in use.
    pub fn bound(&self) -> impl Iterator<Item = BoundName<'_>> {
        let mapped = self.map.iter().map(|(name, kernel)| BoundName {
            name: name.to_string(),
            kernel,
            hardware: None,
            index: self.by_kernel.get(kernel).copied(),
            by_map: true,
            guessed: false,
        });
        let bound = self.bindings.iter().map(|(key, one)| BoundName {
            name: match key {
                Key::Port(number) => self.port_name(*number),
                Key::Name(name) => name.clone(),
            },
            kernel: &one.hardware.kernel,
            hardware: Some(&one.hardware),
            index: one.index,
            by_map: false,
            guessed: one.guessed,
        });
        mapped.chain(bound)
    }

    /// A port as it is configured, or as it could be.
    fn port_name(&self, number: usize) -> String {
        let port = Key::Port(number);
        let mut configured = self.standings.keys();
        let name = configured.find(|name| self.key(name).as_ref() == Some(&port));
        name.map_or_else(|| format!("GigabitEthernet0/{number}"), ToString::to_string)
    }

    /// The interface with this kernel index.
    #[must_use]
    pub fn by_index(&self, index: u32) -> Option<&Interface> {
        self.by_index.get(&index)
    }

    /// The interface that has this address.
    #[must_use]
    pub fn with_address(&self, address: IpAddr) -> Option<&Interface> {
        self.iter()
            .find(|i| i.addresses.iter().any(|net| net.addr() == address))
    }

    /// Counts from zero, on one interface or on all.
    pub fn clear_counters(&mut self, only: Option<&InterfaceName>, at: Timestamp) {
        let only = only.map(|name| self.index(name));
        for interface in self.by_index.values_mut() {
            if only.is_none_or(|index| index == Some(interface.link.index)) {
                let link = interface.link.clone();
                interface.cleared = Some(Cleared { at, link });
            }
        }
    }

    /// All of them, by kernel index.
    pub fn iter(&self) -> impl Iterator<Item = &Interface> {
        self.by_index.values()
    }
}

/// A name with what it is bound to.
#[derive(Debug)]
pub struct BoundName<'a> {
    /// The operator's name.
    pub name: String,
    /// The kernel's, as it is or was.
    pub kernel: &'a str,
    /// What the device is known by; `None` for a name of the interface map.
    pub hardware: Option<&'a Hardware>,
    /// The kernel index while the device is there.
    pub index: Option<u32>,
    /// The interface map says so.
    pub by_map: bool,
    /// The bindings were lost and this is how they were counted afterwards.
    pub guessed: bool,
}

fn alias(name: &InterfaceName, owner: &InterfaceName, kernel: Option<&str>) -> String {
    match kernel {
        Some(kernel) if kernel != owner.as_str() => format!("{name} is {owner} ({kernel})"),
        _ => format!("{name} is {owner}"),
    }
}

fn news(name: &str, change: &Change, now: &Hardware) -> String {
    match change {
        Change::Gone => {
            format!("{name}: its device is gone ({now}); the interface stays down until it is back")
        }
        Change::Back => format!("{name}: its device is there again ({now})"),
        Change::Other(before) => format!(
            "{name} keeps its name although the card or its place is another: it was {before}, it is {now}"
        ),
    }
}

fn bare(link: LinkInfo, cleared: Option<Cleared>) -> Interface {
    Interface {
        name: link.name.clone(),
        link,
        addresses: Vec::new(),
        cleared,
    }
}

/// IOS types that are Ethernet ports.
fn is_ethernet(kind: &str) -> bool {
    kind.contains("Ethernet") || kind.ends_with("GigE")
}

/// `0/0` and `1` are the first device.
fn ethernet_position(number: &str) -> Option<usize> {
    match number.rsplit_once('/') {
        Some((slots, port)) => {
            let first_slot = slots.split('/').all(|slot| slot.parse() == Ok(0));
            if first_slot { port.parse().ok() } else { None }
        }
        None => number.parse::<usize>().ok()?.checked_sub(1),
    }
}

#[cfg(test)]
mod tests;
