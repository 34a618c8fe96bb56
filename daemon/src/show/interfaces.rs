//! `show ip interface brief` and `show interfaces`. Called by `show`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use ipnet::IpNet;
use isthmus_grammar::InterfaceName;
use isthmus_kernel::LinkInfo;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::ip_interface;
use super::screen::Facts;
use crate::clock::format as time;
use crate::config::model::{Interface as Lines, InterfaceOrder, Interfaces};
use crate::json::maybe_seconds;
pub use crate::machine::interfaces::bindings::mac;
use crate::machine::interfaces::{Interface, InterfaceTable};

/// One interface as configured and as the kernel has it; at least one of the two is there.
struct Both<'a> {
    name: String,
    lines: Option<&'a Lines>,
    device: Option<&'a Interface>,
}

/// The interfaces that are configured and those that the kernel has; but for those that every Linux has
/// without using them (the host's own loopback, the fallback devices of tunnel modules). Devices first, then what is made by
/// configuration.
fn both<'a>(
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
    let index = only
        .and_then(|only| kernel.find(only))
        .map(|found| found.link.index);
    let wanted = |one: &Both<'_>| {
        let named = |only: &InterfaceName| only.as_str().eq_ignore_ascii_case(&one.name);
        let meant = index.is_some() && index == one.device.map(|device| device.link.index);
        only.is_none_or(named) || meant
    };
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
    /// The configuration gives it its address.
    fn has_own_address(&self) -> bool {
        self.lines.is_some_and(|lines| lines.address.is_some())
    }

    /// Shut down by the configuration or by the machine's administrator.
    fn is_shut(&self) -> bool {
        self.lines.is_some_and(|lines| lines.shutdown)
            || self.device.is_some_and(|device| !device.link.up)
    }

    fn has_carrier(&self) -> bool {
        self.device.is_some_and(|device| device.link.running)
    }

    /// Status and line protocol.
    fn state(&self) -> (&'static str, &'static str) {
        match (self.is_shut(), self.has_carrier()) {
            (true, _) => ("administratively down", "down"),
            (false, true) => ("up", "up"),
            (false, false) => ("down", "down"),
        }
    }

    /// The addresses, primary first: the configured ones, or those that the kernel has.
    fn addresses(&self) -> Vec<IpNet> {
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

/// `show interfaces`, `show interfaces description`, `show ip interface` and `show ip interface brief`.
#[derive(Serialize, JsonSchema)]
pub struct InterfaceList<'a> {
    #[serde(skip)]
    layout: Layout,
    /// The interfaces that are configured or that the machine has: devices first, then what configuration made.
    interfaces: Vec<OneInterface<'a>>,
}

/// What of the interfaces the text tells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `show interfaces`
    Full,
    /// `show interfaces description`
    Description,
    /// `show ip interface`
    Ip,
    /// `show ip interface brief`
    IpBrief,
}

/// One interface.
#[derive(Serialize, JsonSchema)]
pub(super) struct OneInterface<'a> {
    /// Its name as the operator knows it.
    pub(super) name: String,
    /// `up`, `down` or `administratively down`.
    pub(super) status: &'static str,
    /// `up` or `down`.
    pub(super) line_protocol: &'static str,
    /// The machine has it; otherwise it is only configured.
    present: bool,
    /// The Linux device that it is or was; absent when none is known.
    device: Option<String>,
    /// What it is: `Ethernet`, `Loopback`, `Tunnel` or `unknown`.
    hardware: &'static str,
    /// Its hardware address, such as `000f.352d.2381`; absent when it has none.
    mac_address: Option<String>,
    /// The configured description.
    description: Option<&'a str>,
    /// Its addresses with the length of their masks, the primary one first.
    pub(super) addresses: Vec<IpNet>,
    /// Where the addresses come from: `manual` (the configuration), `other` or `unset`.
    pub(super) method: &'static str,
    /// Size and counters; absent when the machine does not have the interface.
    pub(super) counters: Option<Counters>,
}

/// What the kernel counts.
#[derive(Serialize, JsonSchema)]
pub(super) struct Counters {
    /// The largest packet it takes, in octets.
    pub(super) mtu_bytes: u32,
    /// Packets received.
    input_packets: u64,
    /// Octets received.
    input_bytes: u64,
    /// Packets received with an error.
    input_errors: u64,
    /// Packets received and dropped.
    input_drops: u64,
    /// Multicast packets received.
    input_multicasts: u64,
    /// Packets sent.
    output_packets: u64,
    /// Octets sent.
    output_bytes: u64,
    /// Packets that could not be sent.
    output_errors: u64,
    /// Packets dropped before they were sent.
    output_drops: u64,
    /// Collisions.
    collisions: u64,
    /// How long ago the counters were cleared; absent when they never were.
    #[serde(rename = "since_cleared_seconds", serialize_with = "maybe_seconds")]
    #[schemars(with = "Option<u64>")]
    since_cleared: Option<Duration>,
}

/// All interfaces or one.
pub fn list<'a>(
    configured: &'a Interfaces,
    kernel: &'a InterfaceTable,
    only: Option<&InterfaceName>,
    layout: Layout,
    now: Timestamp,
) -> InterfaceList<'a> {
    let interfaces = both(configured, kernel, only);
    InterfaceList {
        layout,
        interfaces: interfaces
            .into_iter()
            .map(|one| one_interface(one, kernel, now))
            .collect(),
    }
}

fn one_interface<'a>(one: Both<'a>, kernel: &InterfaceTable, now: Timestamp) -> OneInterface<'a> {
    let (status, line_protocol) = one.state();
    let addresses = one.addresses();
    let configured = one.has_own_address();
    let mac_address = one.device.map(|device| mac(&device.link.mac));
    OneInterface {
        status,
        line_protocol,
        present: one.device.is_some(),
        device: match one.device {
            Some(device) => Some(device.link.name.clone()),
            None => InterfaceName::parse(&one.name)
                .filter(|name| name.ios_parts().is_some_and(|(kind, _)| kind != "Loopback"))
                .and_then(|name| kernel.kernel_name(&name)),
        },
        hardware: one.device.map_or("unknown", Interface::hardware),
        mac_address: mac_address.filter(|mac| !mac.is_empty()),
        description: one.lines.and_then(|lines| lines.description.as_deref()),
        method: match (configured, addresses.is_empty()) {
            (true, _) => "manual",
            (false, false) => "other",
            (false, true) => "unset",
        },
        addresses,
        counters: one.device.map(|device| counters(device, now)),
        name: one.name,
    }
}

/// What the kernel counted since the counters were cleared.
fn counters(device: &Interface, now: Timestamp) -> Counters {
    let (link, cleared) = (&device.link, device.cleared.as_ref());
    let since = |counter: fn(&LinkInfo) -> u64| {
        let zero = cleared.map_or(0, |cleared| counter(&cleared.link));
        counter(link).saturating_sub(zero)
    };
    Counters {
        mtu_bytes: link.mtu,
        input_packets: since(|link| link.rx_packets),
        input_bytes: since(|link| link.rx_bytes),
        input_errors: since(|link| link.rx_errors),
        input_drops: since(|link| link.rx_dropped),
        input_multicasts: since(|link| link.rx_multicast),
        output_packets: since(|link| link.tx_packets),
        output_bytes: since(|link| link.tx_bytes),
        output_errors: since(|link| link.tx_errors),
        output_drops: since(|link| link.tx_dropped),
        collisions: since(|link| link.collisions),
        since_cleared: cleared.map(|cleared| {
            let ago = now.duration_since(cleared.at);
            Duration::try_from(ago).unwrap_or_default()
        }),
    }
}

impl Facts for InterfaceList<'_> {
    fn text(&self) -> String {
        let (title, lines): (&str, fn(&OneInterface<'_>) -> String) = match self.layout {
            Layout::Full => ("", in_full),
            Layout::Description => (
                "Interface                      Status         Protocol Description\n",
                description_line,
            ),
            Layout::Ip => ("", ip_interface::lines),
            Layout::IpBrief => (
                "Interface              IP-Address      OK? Method Status                Protocol\n",
                brief_line,
            ),
        };
        let lines: String = self.interfaces.iter().map(lines).collect();
        title.to_owned() + &lines
    }
}

fn brief_line(one: &OneInterface<'_>) -> String {
    let address = one.addresses.first().map(|net| net.addr().to_string());
    format!(
        "{:<22} {:<15} YES {:<6} {:<21} {}\n",
        one.name,
        address.as_deref().unwrap_or("unassigned"),
        one.method,
        one.status,
        one.line_protocol
    )
}

fn description_line(one: &OneInterface<'_>) -> String {
    let name = InterfaceName::parse(&one.name).map_or(one.name.clone(), |name| name.short());
    let status = match one.status {
        "administratively down" => "admin down",
        status => status,
    };
    let description = one.description.unwrap_or_default();
    let line = format!(
        "{name:<30} {status:<14} {:<8} {description}",
        one.line_protocol
    );
    format!("{}\n", line.trim_end())
}

fn in_full(one: &OneInterface<'_>) -> String {
    let absent = if one.present { "" } else { "(not present)" };
    let mut text = format!(
        "{} is {}, line protocol is {} {absent}\n",
        one.name, one.status, one.line_protocol
    );
    let hardware = one.hardware;
    let _ = match &one.mac_address {
        Some(mac) => writeln!(
            text,
            "  Hardware is {hardware}, address is {mac} (bia {mac})"
        ),
        None => writeln!(text, "  Hardware is {hardware}"),
    };
    if let Some(device) = one.device.as_ref().filter(|device| **device != one.name) {
        let tense = if one.present { "is" } else { "was" };
        let _ = writeln!(text, "  Linux device {tense} {device}");
    }
    if let Some(description) = one.description {
        let _ = writeln!(text, "  Description: {description}");
    }
    for (index, net) in one.addresses.iter().enumerate() {
        let title = if index == 0 {
            "Internet address is"
        } else {
            "Secondary address"
        };
        let _ = writeln!(text, "  {title} {net}");
    }
    if let Some(counters) = &one.counters {
        counter_lines(&mut text, hardware, counters);
    }
    text
}

fn counter_lines(text: &mut String, hardware: &str, counters: &Counters) {
    // Bandwidth and delay are IOS's nominal values for the kind of device: they are metrics, not measurements.
    let (bandwidth, delay, encapsulation) = match hardware {
        "Loopback" => (8_000_000, 5000, "LOOPBACK"),
        "Tunnel" => (100, 50_000, "TUNNEL"),
        _ => (1_000_000, 10, "ARPA"),
    };
    let cleared = counters.since_cleared.map_or("never".to_owned(), time::age);
    let _ = write!(
        text,
        "  MTU {} bytes, BW {bandwidth} Kbit/sec, DLY {delay} usec, \n     \
         reliability 255/255, txload 1/255, rxload 1/255\n  \
         Encapsulation {encapsulation}, loopback not set\n  \
         Keepalive not set\n  \
         Last clearing of \"show interface\" counters {cleared}\n  \
         Input queue: 0/75/{}/0 (size/max/drops/flushes); Total output drops: {}\n     \
         {} packets input, {} bytes, 0 no buffer\n     \
         Received 0 broadcasts ({} IP multicasts)\n     \
         0 runts, 0 giants, 0 throttles\n     \
         {} input errors, 0 CRC, 0 frame, 0 overrun, 0 ignored\n     \
         {} packets output, {} bytes, 0 underruns\n     \
         {} output errors, {} collisions, 0 interface resets\n",
        counters.mtu_bytes,
        counters.input_drops,
        counters.output_drops,
        counters.input_packets,
        counters.input_bytes,
        counters.input_multicasts,
        counters.input_errors,
        counters.output_packets,
        counters.output_bytes,
        counters.output_errors,
        counters.collisions,
    );
}
