//! What the plan complains of, for a configuration without its machine: every interface that it names is taken to be there,
//! with an address. Called by `isthmus --check`.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use isthmus_kernel::{AddressInfo, LinkInfo};

use super::crypto_map::Gather;
use super::units::{Dirty, Plan};
use crate::config::Running;
use crate::machine::interfaces::{InterfaceMap, InterfaceTable};

/// What is wrong with the crypto maps, one line each, in the words of the log.
#[must_use]
pub fn problems(running: &Running) -> Vec<String> {
    let mut plan = Plan::default();
    let everything = Dirty {
        everything: true,
        ..Dirty::default()
    };
    plan.update(&Gather::new(running, &machine(running)), &everything);
    plan.problems()
}

fn machine(running: &Running) -> InterfaceTable {
    let names: Vec<_> = running.interfaces.iter().map(|(name, _)| name).collect();
    let (mut map, mut links, mut addresses) = (InterfaceMap::default(), Vec::new(), Vec::new());
    for (index, name) in (1..).zip(names) {
        let device = map.device_for(name);
        links.push(LinkInfo {
            index,
            name: device,
            ethernet: true,
            ..LinkInfo::default()
        });
        addresses.push(AddressInfo {
            index,
            address: IpNet::V4(Ipv4Net::from(Ipv4Addr::new(192, 0, 2, 1))),
            secondary: false,
            ours: false,
        });
    }
    let mut table = InterfaceTable::new(map);
    table.refresh(links, &addresses, running);
    table
}
