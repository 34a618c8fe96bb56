//! Links, addresses and routes as the running-config asks: what to request so that the kernel has them. Called by
//! `reconcile`; pure.
//!
//! Only what the running-config speaks of is touched, and only what carries our mark is taken away again. An interface
//! that is not there is skipped; when it appears the whole is done again.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use ipnet::IpNet;
use isthmus_grammar::InterfaceName;
use isthmus_kernel::{AddressInfo, LinkKind, Request, RouteInfo, RouteSpec, RouteTarget};

use crate::config::model::{Interface as Lines, RouteKey, RouteOptions, Running};
use crate::machine::interfaces::{Interface, InterfaceTable};

/// What the kernel does not remember for us.
#[derive(Debug, Default)]
pub struct Memory {
    /// MTUs before we changed them, by kernel name.
    mtu: HashMap<String, u32>,
    /// Whether packets are checked against inbound policies, where we said so, by kernel name.
    checks: HashMap<String, bool>,
}

/// What the kernel has.
#[derive(Debug, Clone, Copy)]
pub struct Actual<'a> {
    /// Interfaces with their addresses.
    pub table: &'a InterfaceTable,
    /// Addresses with their marks.
    pub addresses: &'a [AddressInfo],
    /// The main table.
    pub routes: &'a [RouteInfo],
}

/// Whether packets that come in are checked against inbound policies.
///
/// A crypto map whose two sides overlap (`permit ip any any`) has inbound policies that also match what comes from
/// inside, in clear and rightly so, and the kernel's inbound policies cannot name an interface. Then (`overlap`) only
/// interfaces with a crypto map check.
pub fn inbound_checks(
    running: &Running,
    table: &InterfaceTable,
    overlap: bool,
    memory: &mut Memory,
) -> Vec<Request> {
    let names = running.map_names();
    let mapped: HashSet<&str> = running
        .interfaces
        .iter()
        .filter(|(_, lines)| lines.means_to_protect(&names))
        .filter_map(|(name, _)| Some(table.acting(name)?.link.name.as_str()))
        .collect();
    let links: HashSet<&str> = table
        .iter()
        .filter(|i| !i.link.loopback)
        .map(|i| i.link.name.as_str())
        .collect();
    memory
        .checks
        .retain(|name, _| links.contains(name.as_str()));
    let mut requests = Vec::new();
    for name in links {
        let mapped = mapped.contains(name);
        let check = !overlap || mapped;
        let known = memory.checks.get(name).copied();
        // An earlier daemon may have switched it off where there is a crypto map now; elsewhere it may be the operator's.
        let ours = mapped || known.is_some() || !check;
        if ours && known != Some(check) {
            memory.checks.insert(name.to_owned(), check);
            requests.push(Request::SetInboundCheck {
                interface: name.to_owned(),
                check,
            });
        }
    }
    requests
}

/// What to ask of the kernel, in order.
pub fn requests(running: &Running, actual: Actual<'_>, memory: &mut Memory) -> Vec<Request> {
    let mut requests = Vec::new();
    for (name, lines) in running.interfaces.iter() {
        match actual.table.acting(name) {
            Some(interface) => {
                existing(lines, interface, memory, &mut requests);
            }
            None if is_loopback(name) => create(lines, name.as_str(), &mut requests),
            None => {}
        }
    }
    unwanted_addresses(running, actual, &mut requests);
    let configured: HashSet<&str> = running
        .interfaces
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    for interface in actual.table.iter().filter(|i| i.link.ours) {
        if !configured.contains(interface.link.name.as_str()) {
            requests.push(Request::DeleteLink {
                name: interface.link.name.clone(),
            });
        }
    }
    routes(running, actual, &mut requests);
    requests
}

fn is_loopback(name: &InterfaceName) -> bool {
    matches!(name.ios_parts(), Some(("Loopback", _)))
}

fn create(lines: &Lines, kernel: &str, requests: &mut Vec<Request>) {
    requests.push(Request::CreateLink {
        name: kernel.to_owned(),
        kind: LinkKind::Dummy,
    });
    requests.extend(
        lines
            .addresses()
            .map(|address| set_address(kernel, address)),
    );
    if !lines.shutdown {
        requests.push(set_link(kernel, Some(true), None));
    }
}

/// A device that has a block in the running-config is up unless that says `shutdown`.
fn existing(
    lines: &Lines,
    interface: &Interface,
    memory: &mut Memory,
    requests: &mut Vec<Request>,
) {
    let link = &interface.link;
    let missing = lines
        .addresses()
        .filter(|a| !interface.addresses.contains(&IpNet::V4(*a)));
    requests.extend(missing.map(|address| set_address(&link.name, address)));
    let mtu = match lines.mtu {
        Some(mtu) => {
            memory.mtu.entry(link.name.clone()).or_insert(link.mtu);
            Some(u32::from(mtu))
        }
        None => memory.mtu.remove(&link.name),
    };
    let mtu = mtu.filter(|mtu| *mtu != link.mtu);
    let wanted = !lines.shutdown;
    let up = (link.up != wanted).then_some(wanted);
    if mtu.is_some() || up.is_some() {
        requests.push(set_link(&link.name, up, mtu));
    }
}

fn set_address(kernel: &str, address: ipnet::Ipv4Net) -> Request {
    Request::SetAddress {
        interface: kernel.to_owned(),
        address: IpNet::V4(address),
    }
}

fn set_link(kernel: &str, up: Option<bool>, mtu: Option<u32>) -> Request {
    Request::SetLink {
        interface: kernel.to_owned(),
        up,
        mtu,
    }
}

fn unwanted_addresses(running: &Running, actual: Actual<'_>, requests: &mut Vec<Request>) {
    let configured: HashSet<(u32, IpNet)> = running
        .interfaces
        .iter()
        .filter_map(|(name, lines)| Some((actual.table.acting(name)?.link.index, lines)))
        .flat_map(|(index, lines)| lines.addresses().map(move |a| (index, IpNet::V4(a))))
        .collect();
    let ours = actual.addresses.iter().filter(|a| a.ours);
    for address in ours.filter(|a| !configured.contains(&(a.index, a.address))) {
        if let Some(interface) = actual.table.by_index(address.index) {
            requests.push(Request::RemoveAddress {
                interface: interface.link.name.clone(),
                address: address.address,
            });
        }
    }
}

fn routes(running: &Running, actual: Actual<'_>, requests: &mut Vec<Request>) {
    let wanted = best(running, actual.table);
    let ours: Vec<RouteSpec> = actual.routes.iter().filter(|r| r.ours).map(spec).collect();
    let (by_wanted, by_ours) = (by_place(&wanted), by_place(&ours));
    let found = |index: &Places<'_>, route: &RouteSpec| {
        let there = index.get(&(route.prefix, route.metric));
        there.is_some_and(|there| there.iter().any(|other| same(route, other)))
    };
    let gone = ours.iter().filter(|have| !found(&by_wanted, have));
    requests.extend(gone.cloned().map(Request::RemoveRoute));
    let new = wanted.iter().filter(|want| !found(&by_ours, want));
    requests.extend(new.cloned().map(Request::AddRoute));
}

/// The routes that count: to each destination those of the least distance whose next hop can be reached. One with a
/// greater distance is not in the kernel until then, so that what leaves by it meets the policies made for it.
fn best(running: &Running, table: &InterfaceTable) -> Vec<RouteSpec> {
    let all: Vec<RouteSpec> = running
        .routes
        .iter()
        .filter_map(|(key, options)| route(key, options, table))
        .collect();
    let networks: OnceCell<Vec<IpNet>> = OnceCell::new();
    let reachable = |route: &&RouteSpec| match route.target {
        RouteTarget::Gateway(hop, None) => networks
            .get_or_init(|| connected(running, table))
            .iter()
            .any(|network| network.contains(&hop)),
        _ => true,
    };
    let mut best = Vec::new();
    for same in all.chunk_by(|a, b| a.prefix == b.prefix) {
        let one_distance = same.iter().all(|route| route.metric == same[0].metric);
        let least = match one_distance {
            true => None,
            false => same
                .iter()
                .filter(reachable)
                .map(|route| route.metric)
                .min(),
        };
        let counts = |route: &&RouteSpec| least.is_none_or(|least| route.metric == least);
        best.extend(same.iter().filter(counts).cloned());
    }
    best
}

/// The networks of interfaces that are up, or come up with this configuration.
fn connected(running: &Running, table: &InterfaceTable) -> Vec<IpNet> {
    let there = table.iter().filter(|interface| interface.link.up);
    let mut networks: Vec<IpNet> = there.flat_map(|one| one.addresses.clone()).collect();
    for (name, lines) in running.interfaces.iter() {
        if !lines.shutdown && (is_loopback(name) || table.acting(name).is_some()) {
            networks.extend(lines.addresses().map(IpNet::V4));
        }
    }
    networks
}

type Places<'a> = HashMap<(IpNet, u32), Vec<&'a RouteSpec>>;

fn by_place(routes: &[RouteSpec]) -> Places<'_> {
    let mut places = Places::new();
    for route in routes {
        places
            .entry((route.prefix, route.metric))
            .or_default()
            .push(route);
    }
    places
}

/// What the running-config asks of routes that cannot be, one line each.
#[must_use]
pub fn problems(running: &Running, table: &InterfaceTable) -> Vec<String> {
    let routes = running.routes.keys();
    routes.filter_map(|key| waits_for(key, table)).collect()
}

/// Why there is no such route: its interface is not there.
#[must_use]
pub fn waits_for(key: &RouteKey, table: &InterfaceTable) -> Option<String> {
    let name = key.interface.as_ref()?;
    if matches!(name.ios_parts(), Some(("Null", _))) || table.find(name).is_some() {
        return None;
    }
    let (net, why) = (key.destination, table.why_not(name));
    let way = format!("ip route {} {} {name}", net.network(), net.netmask());
    Some(format!("{way}: {why}; the route waits for it"))
}

/// The kernel's route for a line; `None` while its interface is not there or down.
fn route(key: &RouteKey, options: &RouteOptions, table: &InterfaceTable) -> Option<RouteSpec> {
    let device = match &key.interface {
        None => None,
        Some(name) if matches!(name.ios_parts(), Some(("Null", _))) => {
            return Some(route_spec(key, options, RouteTarget::Blackhole));
        }
        Some(name) => Some(table.find(name).filter(|i| i.link.up)?.link.name.clone()),
    };
    let target = match (key.next_hop, device) {
        (Some(hop), device) => RouteTarget::Gateway(hop.into(), device),
        (None, Some(device)) => RouteTarget::Interface(device),
        (None, None) => return None,
    };
    Some(route_spec(key, options, target))
}

fn route_spec(key: &RouteKey, options: &RouteOptions, target: RouteTarget) -> RouteSpec {
    RouteSpec {
        prefix: IpNet::V4(key.destination.trunc()),
        target,
        metric: options.distance.unwrap_or(1).into(),
    }
}

fn spec(info: &RouteInfo) -> RouteSpec {
    RouteSpec {
        prefix: info.prefix,
        target: info.target.clone(),
        metric: info.metric,
    }
}

/// The same way, for routes to the same place: the kernel names the interface of a gateway even if we did not.
fn same(one: &RouteSpec, other: &RouteSpec) -> bool {
    match (&one.target, &other.target) {
        (RouteTarget::Gateway(a, None), RouteTarget::Gateway(b, _))
        | (RouteTarget::Gateway(a, _), RouteTarget::Gateway(b, None)) => a == b,
        (one, other) => one == other,
    }
}
