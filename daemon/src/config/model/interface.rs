//! Interfaces as configured, in the order in which IOS prints them, with an index of their addresses.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use isthmus_grammar::InterfaceName;
use isthmus_grammar::command::{Form, TemplateType};

use super::{Kept, Retained};

/// One interface's lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// `interface Virtual-Template1 type tunnel`.
    pub template: Option<TemplateType>,
    /// `description`.
    pub description: Option<String>,
    /// `ip address`; without one the addresses that the kernel has are used and left alone.
    pub address: Option<Ipv4Net>,
    /// `ip address ... secondary`.
    pub secondary: Vec<Ipv4Net>,
    /// `shutdown`.
    pub shutdown: bool,
    /// `mtu`.
    pub mtu: Option<u16>,
    /// `crypto map`.
    pub crypto_map: Option<String>,
    /// `redundancy GROUP [stateful]` after the crypto map.
    pub map_redundancy: Option<(String, bool)>,
    /// Lines that were not understood.
    pub kept: Kept,
    /// Lines that are understood and not acted on.
    pub retained: Retained,
}

impl Interface {
    /// All configured addresses, primary first.
    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Net> + '_ {
        self.address.iter().chain(&self.secondary).copied()
    }

    /// An address was refused and its line is kept.
    pub fn keeps_address(&self) -> bool {
        self.kept
            .iter()
            .any(|line| line.text.starts_with("ip address "))
    }

    /// A line that is not acted on gives the address in place of `ip address A.B.C.D`.
    pub fn is_addressed_otherwise(&self) -> bool {
        self.retained.iter().any(|entry| {
            let words = entry.line.words();
            entry.form == Form::Set
                && (words.starts_with("ip unnumbered ") || words.starts_with("ip address "))
        })
    }
}

/// Where an interface comes in the running-config: loopbacks, tunnels, other devices, templates; in each kind by name
/// and by number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InterfaceOrder {
    group: u8,
    letters: String,
    numbers: Vec<u64>,
    name: String,
}

impl InterfaceOrder {
    /// The place of a name.
    pub fn of(name: &InterfaceName) -> InterfaceOrder {
        let text = name.as_str();
        let kind = name.ios_parts().map(|(kind, _)| kind);
        let group = match kind {
            Some("Loopback") => 0,
            Some("Tunnel") => 1,
            Some("Virtual-Template") => 3,
            Some("Virtual-Access") => 4,
            _ => 2,
        };
        let digits = text
            .find(|letter: char| letter.is_ascii_digit())
            .unwrap_or(text.len());
        let numbers = text[digits..]
            .split(|letter: char| !letter.is_ascii_digit())
            .filter_map(|part| part.parse().ok())
            .collect();
        InterfaceOrder {
            group,
            letters: text[..digits].to_ascii_lowercase(),
            numbers,
            name: text.to_owned(),
        }
    }
}

/// All configured interfaces.
#[derive(Clone, Debug, Default)]
pub struct Interfaces {
    by_order: BTreeMap<InterfaceOrder, (InterfaceName, Interface)>,
    /// First address of each configured network, to the last one and its owner. Networks never overlap.
    networks: BTreeMap<Ipv4Addr, (Ipv4Addr, InterfaceName)>,
    /// Configured addresses of this router.
    addresses: BTreeMap<Ipv4Addr, InterfaceName>,
    with_crypto_map: BTreeMap<String, Vec<InterfaceName>>,
}

impl Interfaces {
    /// The interface with this name, if it was ever mentioned.
    pub fn get(&self, name: &InterfaceName) -> Option<&Interface> {
        self.by_order
            .get(&InterfaceOrder::of(name))
            .map(|(_, interface)| interface)
    }

    /// All of them, in the order of the running-config.
    pub fn iter(&self) -> impl Iterator<Item = (&InterfaceName, &Interface)> {
        self.by_order
            .values()
            .map(|(name, interface)| (name, interface))
    }

    /// The retained lines of each.
    pub(crate) fn retained_mut(&mut self) -> impl Iterator<Item = &mut Retained> {
        self.by_order.values_mut().map(|(_, one)| &mut one.retained)
    }

    /// The interfaces that carry this crypto map.
    pub fn of_crypto_map(&self, map: &str) -> &[InterfaceName] {
        self.with_crypto_map.get(map).map_or(&[], Vec::as_slice)
    }

    /// How many interfaces carry a crypto map.
    pub fn with_crypto_map(&self) -> usize {
        self.with_crypto_map.values().map(Vec::len).sum()
    }

    /// The interface that has this very address configured.
    pub fn with_address(&self, address: Ipv4Addr) -> Option<&InterfaceName> {
        self.addresses.get(&address)
    }

    /// The interface, not `except`, whose configured network shares addresses with `net`.
    pub fn overlapping(&self, net: Ipv4Net, except: &InterfaceName) -> Option<&InterfaceName> {
        let (first, last) = (net.network(), net.broadcast());
        // The networks do not overlap each other: those that touch `net` are the ones that begin in it and, at most,
        // the one that begins before it.
        let before = self.networks.range(..first).next_back();
        let inside = self.networks.range(first..=last);
        before
            .filter(|(_, (end, _))| *end >= first)
            .into_iter()
            .chain(inside)
            .map(|(_, (_, owner))| owner)
            .find(|owner| *owner != except)
    }

    /// The interface, made when it was not mentioned before.
    pub(crate) fn entry(&mut self, name: &InterfaceName) -> &mut Interface {
        let order = InterfaceOrder::of(name);
        let new = || (name.clone(), Interface::default());
        &mut self.by_order.entry(order).or_insert_with(new).1
    }

    pub(crate) fn get_mut(&mut self, name: &InterfaceName) -> Option<&mut Interface> {
        let found = self.by_order.get_mut(&InterfaceOrder::of(name));
        found.map(|(_, interface)| interface)
    }

    /// Takes an interface out of the configuration.
    pub(crate) fn remove(&mut self, name: &InterfaceName) -> bool {
        self.set_addresses(name, None, Vec::new());
        self.set_crypto_map(name, None);
        self.by_order.remove(&InterfaceOrder::of(name)).is_some()
    }

    /// Sets all addresses of an interface and keeps the index in step. The caller has checked for overlaps.
    pub(crate) fn set_addresses(
        &mut self,
        name: &InterfaceName,
        address: Option<Ipv4Net>,
        secondary: Vec<Ipv4Net>,
    ) {
        let Some(interface) = self.get_mut(name) else {
            return;
        };
        let old: Vec<Ipv4Net> = interface.addresses().collect();
        interface.address = address;
        interface.secondary = secondary;
        let new: Vec<Ipv4Net> = interface.addresses().collect();
        for net in old {
            self.networks.remove(&net.network());
            self.addresses.remove(&net.addr());
        }
        for net in new {
            let span = (net.broadcast(), name.clone());
            self.networks.insert(net.network(), span);
            self.addresses.insert(net.addr(), name.clone());
        }
    }

    /// Puts a crypto map on an interface, or takes it off.
    pub(crate) fn set_crypto_map(&mut self, name: &InterfaceName, map: Option<String>) {
        let Some(interface) = self.get_mut(name) else {
            return;
        };
        let old = std::mem::replace(&mut interface.crypto_map, map.clone());
        if let Some(old) = old
            && let Some(users) = self.with_crypto_map.get_mut(&old)
        {
            users.retain(|user| user != name);
            if users.is_empty() {
                self.with_crypto_map.remove(&old);
            }
        }
        if let Some(map) = map {
            self.with_crypto_map
                .entry(map)
                .or_default()
                .push(name.clone());
        }
    }
}
