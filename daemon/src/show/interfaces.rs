//! `show ip interface brief` and `show interfaces`. Called by the control session.

use std::collections::BTreeMap;
use std::fmt::Write;

use ipnet::IpNet;
use isthmus_grammar::InterfaceName;

use crate::config::model::{Interface as Lines, InterfaceOrder, Interfaces};
use crate::interfaces::{Interface, InterfaceTable};

/// One interface as configured and as the kernel has it; at least one of the two is there.
pub(super) struct Both<'a> {
    name: String,
    lines: Option<&'a Lines>,
    device: Option<&'a Interface>,
}

/// The interfaces that are configured and those that the kernel has; of these not the ones that every Linux has and
/// nobody uses (the host's own loopback, the fallback devices of tunnel modules). Devices first, then what is made by
/// configuration.
pub(super) fn both<'a>(
    configured: &'a Interfaces,
    kernel: &'a InterfaceTable,
    only: Option<&InterfaceName>,
) -> Vec<Both<'a>> {
    let mut all: BTreeMap<(bool, InterfaceOrder), Both<'a>> = BTreeMap::new();
    let made = |name: &InterfaceName| {
        let kind = name.ios_parts().map(|(kind, _)| kind);
        matches!(
            kind,
            Some("Loopback" | "Tunnel" | "Virtual-Template" | "Virtual-Access")
        )
    };
    for device in kernel.iter() {
        let Some(name) = InterfaceName::parse(&device.name) else {
            continue;
        };
        let lines = configured.get(&name);
        if lines.is_some() || is_worth_showing(device) {
            let key = (made(&name), InterfaceOrder::of(&name));
            all.insert(
                key,
                Both {
                    name: device.name.clone(),
                    lines,
                    device: Some(device),
                },
            );
        }
    }
    for (name, lines) in configured.iter() {
        let key = (made(name), InterfaceOrder::of(name));
        all.entry(key).or_insert_with(|| Both {
            name: name.to_string(),
            lines: Some(lines),
            device: None,
        });
    }
    let wanted =
        |one: &Both<'_>| only.is_none_or(|only| only.as_str().eq_ignore_ascii_case(&one.name));
    all.into_values().filter(wanted).collect()
}

fn is_worth_showing(device: &Interface) -> bool {
    let fallback = [
        "ipip",
        "gre",
        "gretap",
        "erspan",
        "sit",
        "vti",
        "vti6",
        "ip6tnl",
        "ip6gre",
        "ip6gretap",
        "ip6erspan",
    ];
    let idle = !device.link.up && device.addresses.is_empty();
    !(device.link.loopback || idle && fallback.contains(&device.link.kind.as_str()))
}

impl Both<'_> {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The configuration gives it its address.
    pub(super) fn has_own_address(&self) -> bool {
        self.lines.is_some_and(|lines| lines.address.is_some())
    }

    pub(super) fn mtu(&self) -> Option<u32> {
        self.device.map(|device| device.link.mtu)
    }

    /// Shut down by the configuration or by whoever runs the machine.
    fn is_shut(&self) -> bool {
        self.lines.is_some_and(|lines| lines.shutdown)
            || self.device.is_some_and(|device| !device.link.up)
    }

    fn has_carrier(&self) -> bool {
        self.device.is_some_and(|device| device.link.running)
    }

    /// Status and line protocol.
    pub(super) fn state(&self) -> (&'static str, &'static str) {
        match (self.is_shut(), self.has_carrier()) {
            (true, _) => ("administratively down", "down"),
            (false, true) => ("up", "up"),
            (false, false) => ("down", "down"),
        }
    }

    /// The addresses, primary first: the configured ones, or those that the kernel has.
    pub(super) fn addresses(&self) -> Vec<IpNet> {
        let configured: Vec<IpNet> = self
            .lines
            .into_iter()
            .flat_map(Lines::addresses)
            .map(IpNet::V4)
            .collect();
        match self.device {
            Some(device) if configured.is_empty() => device
                .addresses
                .iter()
                .filter(|net| net.addr().is_ipv4())
                .copied()
                .collect(),
            _ => configured,
        }
    }
}

/// `show ip interface brief [INTERFACE]`.
pub fn brief(
    configured: &Interfaces,
    kernel: &InterfaceTable,
    only: Option<&InterfaceName>,
) -> String {
    let mut text = String::from(
        "Interface              IP-Address      OK? Method Status                Protocol\n",
    );
    for one in both(configured, kernel, only) {
        let address = one.addresses().first().map(|net| net.addr().to_string());
        let method = match (&address, one.has_own_address()) {
            (_, true) => "manual",
            (Some(_), false) => "other",
            (None, false) => "unset",
        };
        let (status, protocol) = one.state();
        let address = address.as_deref().unwrap_or("unassigned");
        let _ = writeln!(
            text,
            "{:<22} {address:<15} YES {method:<6} {status:<21} {protocol}",
            one.name
        );
    }
    text
}

/// `show interfaces [INTERFACE] description`.
pub fn description(
    configured: &Interfaces,
    kernel: &InterfaceTable,
    only: Option<&InterfaceName>,
) -> String {
    let mut text =
        String::from("Interface                      Status         Protocol Description\n");
    for one in both(configured, kernel, only) {
        let name = InterfaceName::parse(&one.name).map_or(one.name.clone(), |name| name.short());
        let (status, protocol) = match one.state() {
            ("administratively down", protocol) => ("admin down", protocol),
            state => state,
        };
        let description = one.lines.and_then(|lines| lines.description.as_deref());
        let line = format!(
            "{name:<30} {status:<14} {protocol:<8} {}",
            description.unwrap_or("")
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// `show interfaces [INTERFACE]`.
pub fn interfaces(
    configured: &Interfaces,
    kernel: &InterfaceTable,
    only: Option<&InterfaceName>,
) -> String {
    both(configured, kernel, only)
        .iter()
        .map(one_interface)
        .collect()
}

fn one_interface(one: &Both<'_>) -> String {
    let (status, protocol) = one.state();
    let absent = if one.device.is_none() {
        "(not present)"
    } else {
        ""
    };
    let mut text = format!(
        "{} is {status}, line protocol is {protocol} {absent}\n",
        one.name
    );
    let hardware = one.device.map_or("unknown", Interface::hardware);
    match one
        .device
        .map(|device| mac(&device.link.mac))
        .filter(|mac| !mac.is_empty())
    {
        Some(mac) => {
            let _ = writeln!(
                text,
                "  Hardware is {hardware}, address is {mac} (bia {mac})"
            );
        }
        None => {
            let _ = writeln!(text, "  Hardware is {hardware}");
        }
    }
    if let Some(description) = one.lines.and_then(|lines| lines.description.as_ref()) {
        let _ = writeln!(text, "  Description: {description}");
    }
    for (index, net) in one.addresses().iter().enumerate() {
        let title = if index == 0 {
            "Internet address is"
        } else {
            "Secondary address"
        };
        let _ = writeln!(text, "  {title} {net}");
    }
    let Some(device) = one.device else {
        return text;
    };
    // Bandwidth and delay are IOS's nominal values for the kind of device: they are metrics, not measurements.
    let (bandwidth, delay, encapsulation) = match hardware {
        "Loopback" => (8_000_000, 5000, "LOOPBACK"),
        "Tunnel" => (100, 50_000, "TUNNEL"),
        _ => (1_000_000, 10, "ARPA"),
    };
    let link = &device.link;
    let _ = write!(
        text,
        "  MTU {} bytes, BW {bandwidth} Kbit/sec, DLY {delay} usec, \n     \
         reliability 255/255, txload 1/255, rxload 1/255\n  \
         Encapsulation {encapsulation}, loopback not set\n  \
         Keepalive not set\n  \
         Last clearing of \"show interface\" counters never\n  \
         Input queue: 0/75/{}/0 (size/max/drops/flushes); Total output drops: {}\n     \
         {} packets input, {} bytes, 0 no buffer\n     \
         Received 0 broadcasts ({} IP multicasts)\n     \
         0 runts, 0 giants, 0 throttles\n     \
         {} input errors, 0 CRC, 0 frame, 0 overrun, 0 ignored\n     \
         {} packets output, {} bytes, 0 underruns\n     \
         {} output errors, {} collisions, 0 interface resets\n",
        link.mtu,
        link.rx_dropped,
        link.tx_dropped,
        link.rx_packets,
        link.rx_bytes,
        link.rx_multicast,
        link.rx_errors,
        link.tx_packets,
        link.tx_bytes,
        link.tx_errors,
        link.collisions,
    );
    text
}

/// A hardware address as IOS writes it: `000f.352d.2381`.
pub(super) fn mac(octets: &[u8]) -> String {
    let pairs: Vec<String> = octets
        .chunks(2)
        .map(|pair| pair.iter().map(|octet| format!("{octet:02x}")).collect())
        .collect();
    pairs.join(".")
}
