//! The interfaces of the machine under the names the operator uses.
//!
//! Filled by the run loop from the kernel; read by `translate`, `network`, `view` and the sessions.
//!
//! A Linux name is itself. `Loopback N` is a dummy interface of that name, made when it is configured. An IOS Ethernet
//! name is what the interface map says; without a line there, `GigabitEthernet0/2` (any Ethernet type, slots all 0) is
//! the third Ethernet device in ifindex order, and `GigabitEthernet3`, which counts from 1, is the same one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, bail};
use ipnet::IpNet;
use isthmus_grammar::InterfaceName;
use isthmus_kernel::{AddressInfo, LinkInfo};
use jiff::Timestamp;

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

/// The lines of the interface map: IOS name to kernel name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InterfaceMap(BTreeMap<InterfaceName, String>);

impl InterfaceMap {
    /// Reads the file; one that is not there has no lines.
    ///
    /// # Errors
    /// The file cannot be read, or a line is not `IOS-name kernel-name`.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).with_context(|| path.display().to_string()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => {
                Err(e).with_context(|| format!("cannot read the interface map {}", path.display()))
            }
        }
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut map = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.split(['#', '!']).next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            let [ios @ .., kernel] = words.as_slice() else {
                continue;
            };
            let name = InterfaceName::parse(&ios.join(" "));
            let Some(name) = name.filter(|name| name.ios_parts().is_some()) else {
                bail!(
                    "line {}: expected an IOS interface name and a kernel interface name",
                    number + 1
                );
            };
            if map.insert(name.clone(), (*kernel).to_owned()).is_some() {
                bail!("line {}: {name} has a line already", number + 1);
            }
        }
        Ok(Self(map))
    }
}

/// All interfaces.
#[derive(Debug, Clone, Default)]
pub struct InterfaceTable {
    map: InterfaceMap,
    by_index: BTreeMap<u32, Interface>,
}

impl InterfaceTable {
    /// A table without interfaces.
    #[must_use]
    pub fn new(map: InterfaceMap) -> Self {
        Self {
            map,
            by_index: BTreeMap::new(),
        }
    }

    /// Takes over what the kernel has now. `configured` are the names that the running-config uses.
    pub fn refresh<'a>(
        &mut self,
        links: Vec<LinkInfo>,
        addresses: &[AddressInfo],
        configured: impl Iterator<Item = &'a InterfaceName>,
    ) {
        let before = std::mem::take(&mut self.by_index);
        let interface = |link: LinkInfo| {
            let same = before.get(&link.index);
            let same = same.filter(|same| same.link.name == link.name);
            let cleared = same.and_then(|same| same.cleared.clone());
            (link.index, bare(link, cleared))
        };
        self.by_index = links.into_iter().map(interface).collect();
        for address in addresses {
            if let Some(interface) = self.by_index.get_mut(&address.index) {
                interface.addresses.push(address.address);
            }
        }
        let mut names: Vec<InterfaceName> = self.map.0.keys().cloned().collect();
        names.extend(configured.cloned());
        for name in names {
            let kernel = self.kernel_name(&name);
            if let Some(interface) = self
                .by_index
                .values_mut()
                .find(|i| kernel.as_ref() == Some(&i.link.name))
            {
                interface.name = name.to_string();
            }
        }
    }

    /// The kernel device that a name means; `None` when no device can be told.
    #[must_use]
    pub fn kernel_name(&self, name: &InterfaceName) -> Option<String> {
        if let Some(kernel) = self.map.0.get(name) {
            return Some(kernel.clone());
        }
        match name.ios_parts() {
            None | Some(("Loopback", _)) => Some(name.to_string()),
            Some((kind, number)) if kind.contains("Ethernet") || kind.ends_with("GigE") => {
                let position = ethernet_position(number)?;
                let mut devices = self.by_index.values().filter(|i| is_ethernet(&i.link));
                devices.nth(position).map(|i| i.link.name.clone())
            }
            Some(_) => None,
        }
    }

    /// The interface that a name means, if it is there.
    #[must_use]
    pub fn find(&self, name: &InterfaceName) -> Option<&Interface> {
        let kernel = self.kernel_name(name)?;
        self.iter().find(|i| i.link.name == kernel)
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
        let only = only.map(|name| self.kernel_name(name));
        for interface in self.by_index.values_mut() {
            let named = |kernel: &Option<String>| kernel.as_ref() == Some(&interface.link.name);
            if only.as_ref().is_none_or(named) {
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

fn bare(link: LinkInfo, cleared: Option<Cleared>) -> Interface {
    Interface {
        name: link.name.clone(),
        link,
        addresses: Vec::new(),
        cleared,
    }
}

/// What counts as an Ethernet port: not loopbacks, and not the dummies that stand for them.
fn is_ethernet(link: &LinkInfo) -> bool {
    link.ethernet && !link.loopback && link.kind != "dummy"
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
mod tests {
    use super::*;

    fn table(map: &str) -> InterfaceTable {
        let mut table = InterfaceTable::new(InterfaceMap::parse(map).unwrap());
        let link = |index, name: &str, kind: &str| LinkInfo {
            index,
            name: name.into(),
            kind: kind.into(),
            ethernet: index > 1,
            loopback: index == 1,
            ..LinkInfo::default()
        };
        let links = vec![
            link(1, "lo", ""),
            link(2, "Loopback0", "dummy"),
            link(3, "lan0", "veth"),
            link(7, "wan0", "veth"),
        ];
        table.refresh(links, &[], [].into_iter());
        table
    }

    fn kernel(table: &InterfaceTable, name: &str) -> Option<String> {
        table.kernel_name(&InterfaceName::parse(name).unwrap())
    }

    #[test]
    fn ethernet_names_follow_the_index() {
        let table = table("");
        for (name, device) in [
            ("Gi0/0", Some("lan0")),
            ("Fa0/1", Some("wan0")),
            ("GigabitEthernet2", Some("wan0")),
            ("Gi0/0/1", Some("wan0")),
            ("Gi0/2", None),
            ("Gi1/0", None),
            ("Lo0", Some("Loopback0")),
            ("wan0", Some("wan0")),
            ("Tunnel0", None),
        ] {
            assert_eq!(kernel(&table, name).as_deref(), device, "{name}");
        }
    }

    #[test]
    fn cleared_counters_stay_with_the_device() {
        let mut table = table("");
        let name = InterfaceName::parse("Gi0/1").unwrap();
        table.clear_counters(Some(&name), Timestamp::UNIX_EPOCH);
        let cleared = |table: &InterfaceTable| -> Vec<u32> {
            let cleared = table.iter().filter(|interface| interface.cleared.is_some());
            cleared.map(|interface| interface.link.index).collect()
        };
        assert_eq!(cleared(&table), [7]);
        let links = |index| -> Vec<LinkInfo> {
            let mut links: Vec<_> = table.iter().map(|one| one.link.clone()).collect();
            links[3].index = index;
            links
        };
        let (same, new) = (links(7), links(9));
        table.refresh(same, &[], [].into_iter());
        assert_eq!(cleared(&table), [7], "still there after another look");
        table.refresh(new, &[], [].into_iter());
        assert_eq!(
            cleared(&table),
            [0; 0],
            "a new device counts from its own zero"
        );
        table.clear_counters(None, Timestamp::UNIX_EPOCH);
        assert_eq!(cleared(&table), [1, 2, 3, 9]);
    }

    #[test]
    fn the_map_wins_and_names_interfaces() {
        let table = table("# uplink\nGi0/0 wan0\nGigabitEthernet 1/0 lan0 ! inside\n");
        assert_eq!(kernel(&table, "Gi0/0").as_deref(), Some("wan0"));
        assert_eq!(table.by_index(3).unwrap().name, "GigabitEthernet1/0");
    }

    #[test]
    fn a_bad_line_is_named() {
        let error = InterfaceMap::parse("\neth0 wan0\n").unwrap_err();
        assert!(error.to_string().starts_with("line 2: "), "{error}");
        assert!(InterfaceMap::parse("Gi0/0 a\nGi0/0 b").is_err());
    }
}
