//! Links, addresses and routes as rtnetlink tells them → ours. Called by `network.rs` and `events.rs`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage,
};
use netlink_packet_route::link::{
    LinkAttribute, LinkFlags, LinkInfo as KernelLinkInfo, LinkLayerType, LinkMessage,
};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteType,
};

use super::bus;
use crate::{AddressInfo, LinkInfo, NeighbourInfo, RouteInfo, RouteTarget, owner};

/// A link as the kernel describes it. `None` for what a bridge says about its ports.
pub(super) fn link(m: &LinkMessage) -> Option<LinkInfo> {
    if m.header.interface_family != AddressFamily::Unspec {
        return None;
    }
    let flags = m.header.flags;
    let mut info = LinkInfo {
        index: m.header.index,
        ethernet: m.header.link_layer_type == LinkLayerType::Ether,
        up: flags.contains(LinkFlags::Up),
        running: flags.contains(LinkFlags::Running),
        loopback: flags.contains(LinkFlags::Loopback),
        ..LinkInfo::default()
    };
    for attribute in &m.attributes {
        match attribute {
            LinkAttribute::IfName(name) => info.name.clone_from(name),
            LinkAttribute::Mtu(mtu) => info.mtu = *mtu,
            LinkAttribute::Address(mac) => info.mac.clone_from(mac),
            LinkAttribute::PermAddress(mac) => info.permanent_mac.clone_from(mac),
            LinkAttribute::ParentDevName(name) => info.bus.clone_from(name),
            LinkAttribute::Group(group) => info.ours = *group == owner::LINK_GROUP,
            LinkAttribute::LinkInfo(parts) => {
                for part in parts {
                    if let KernelLinkInfo::Kind(kind) = part {
                        info.kind = kind.to_string();
                    }
                }
            }
            LinkAttribute::Stats64(s) => {
                (info.rx_packets, info.rx_bytes) = (s.rx_packets, s.rx_bytes);
                (info.rx_errors, info.rx_dropped) = (s.rx_errors, s.rx_dropped);
                (info.tx_packets, info.tx_bytes) = (s.tx_packets, s.tx_bytes);
                (info.tx_errors, info.tx_dropped) = (s.tx_errors, s.tx_dropped);
                (info.rx_multicast, info.collisions) = (s.multicast, s.collisions);
            }
            _ => {}
        }
    }
    if let Some(bus) = bus::of(&info) {
        info.bus = bus;
    }
    Some(info)
}

/// An address as the kernel describes it.
pub(super) fn address(m: &AddressMessage) -> Option<AddressInfo> {
    let (mut local, mut remote) = (None, None);
    let (mut secondary, mut ours) = (
        m.header.flags.contains(AddressHeaderFlags::Secondary),
        false,
    );
    for attribute in &m.attributes {
        match attribute {
            AddressAttribute::Local(a) => local = Some(*a),
            AddressAttribute::Address(a) => remote = Some(*a),
            AddressAttribute::Flags(flags) => secondary |= flags.contains(AddressFlags::Secondary),
            AddressAttribute::Protocol(p) => ours = u8::from(*p) == owner::PROTOCOL,
            _ => {}
        }
    }
    // on a point-to-point link "address" is the other end
    let address = IpNet::new(local.or(remote)?, m.header.prefix_len).ok()?;
    Some(AddressInfo {
        index: m.header.index,
        address,
        secondary,
        ours,
    })
}

fn plain(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(a) => Some((*a).into()),
        RouteAddress::Inet6(a) => Some((*a).into()),
        _ => None,
    }
}

/// The source address that the kernel would take, from the answer to a question for one.
pub(super) fn preferred_source(m: &RouteMessage) -> Option<IpAddr> {
    m.attributes.iter().find_map(|a| match a {
        RouteAttribute::PrefSource(source) => plain(source),
        _ => None,
    })
}

/// The next hop that attributes describe.
fn target(
    attributes: &[RouteAttribute],
    oif: Option<u32>,
    names: &HashMap<u32, String>,
) -> Option<RouteTarget> {
    let gateway = attributes.iter().find_map(|a| match a {
        RouteAttribute::Gateway(gateway) => plain(gateway),
        _ => None,
    });
    let oif = attributes
        .iter()
        .find_map(|a| match a {
            RouteAttribute::Oif(index) => Some(*index),
            _ => None,
        })
        .or(oif);
    let name = oif.and_then(|index| names.get(&index).cloned());
    match (gateway, name) {
        (Some(gateway), name) => Some(RouteTarget::Gateway(gateway, name)),
        (None, Some(name)) => Some(RouteTarget::Interface(name)),
        (None, None) => None,
    }
}

/// What the kernel counts times of neighbours in (USER_HZ), for all architectures that we build for.
const TICKS_PER_SECOND: u64 = 100;

/// An entry of the ARP cache; nothing for entries that the kernel makes by itself.
pub(super) fn neighbour(m: &NeighbourMessage) -> Option<NeighbourInfo> {
    if matches!(m.header.state, NeighbourState::Noarp | NeighbourState::None) {
        return None;
    }
    let (mut address, mut mac, mut confirmed) = (None, Vec::new(), Duration::ZERO);
    for attribute in &m.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(a)) => address = Some(*a),
            NeighbourAttribute::LinkLayerAddress(octets) => mac.clone_from(octets),
            NeighbourAttribute::CacheInfo(times) => {
                let ticks = u64::from(times.confirmed);
                confirmed = Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND);
            }
            _ => {}
        }
    }
    Some(NeighbourInfo {
        index: m.header.ifindex,
        address: address?,
        mac,
        confirmed,
    })
}

/// A route as the kernel describes it, once for each next hop; nothing unless it is of the main table and unicast or
/// blackhole.
pub(super) fn routes(m: &RouteMessage, names: &HashMap<u32, String>) -> Vec<RouteInfo> {
    let (mut table, mut metric, mut source, mut hops) = (u32::from(m.header.table), 0, None, None);
    let v4 = m.header.address_family == AddressFamily::Inet;
    let mut destination: IpAddr = if v4 {
        [0u8; 4].into()
    } else {
        [0u8; 16].into()
    };
    for attribute in &m.attributes {
        match attribute {
            RouteAttribute::Table(t) => table = *t,
            RouteAttribute::Priority(p) => metric = *p,
            RouteAttribute::PrefSource(s) => source = plain(s),
            RouteAttribute::Destination(d) => destination = plain(d).unwrap_or(destination),
            RouteAttribute::MultiPath(all) => hops = Some(all),
            _ => {}
        }
    }
    if table != u32::from(RouteHeader::RT_TABLE_MAIN) {
        return Vec::new();
    }
    let targets: Vec<RouteTarget> = match (m.header.kind, hops) {
        (RouteType::BlackHole, _) => vec![RouteTarget::Blackhole],
        (RouteType::Unicast, None) => target(&m.attributes, None, names).into_iter().collect(),
        (RouteType::Unicast, Some(hops)) => hops
            .iter()
            .filter_map(|h| target(&h.attributes, Some(h.interface_index), names))
            .collect(),
        _ => Vec::new(),
    };
    let Ok(prefix) = IpNet::new(destination, m.header.destination_prefix_length) else {
        return Vec::new();
    };
    let protocol = u8::from(m.header.protocol);
    let info = |target: RouteTarget| RouteInfo {
        prefix,
        connected: matches!(target, RouteTarget::Interface(_)),
        target,
        metric,
        protocol,
        source,
        ours: protocol == owner::PROTOCOL,
    };
    targets.into_iter().map(info).collect()
}
