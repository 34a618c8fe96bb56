//! `show crypto ipsec sa` with its filters and `detail`. Called by `show`.

use std::fmt::Write;
use std::net::IpAddr;

use isthmus_grammar::InterfaceName;
use schemars::JsonSchema;
use serde::Serialize;

use super::screen::Facts;
use super::snapshot::{Flow, IpsecSa, Proxy};

/// Which flows to print. `Default` is all of them.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only flows to this peer.
    pub peer: Option<IpAddr>,
    /// Only flows of this map.
    pub map: Option<String>,
    /// Only flows on this interface.
    pub interface: Option<String>,
}

impl Filter {
    /// As the command line has it.
    #[must_use]
    pub fn new(peer: Option<IpAddr>, map: Option<&str>, interface: Option<&InterfaceName>) -> Self {
        Self {
            peer,
            map: map.map(str::to_owned),
            interface: interface.map(ToString::to_string),
        }
    }

    /// Whether a flow is printed.
    #[must_use]
    pub fn takes(&self, flow: &Flow) -> bool {
        self.peer.is_none_or(|peer| flow.peer == peer)
            && self.map.as_deref().is_none_or(|map| flow.map == map)
            && self
                .interface
                .as_deref()
                .is_none_or(|name| flow.interface.eq_ignore_ascii_case(name))
    }
}

/// `show crypto ipsec sa [peer A | map M | interface I] [detail]`.
#[derive(Serialize, JsonSchema)]
pub struct IpsecSas<'a> {
    #[serde(skip)]
    detail: bool,
    /// The flows with their SAs: by interface, then map entry, then access-list line.
    flows: Vec<FlowSas<'a>>,
}

/// One flow and what follows from its SAs.
#[derive(Serialize, JsonSchema)]
struct FlowSas<'a> {
    #[serde(flatten)]
    flow: &'a Flow,
    /// The largest inner packet that still fits the path, in octets.
    plaintext_mtu_bytes: u32,
    /// The SPI of the outbound SA in use; 0 when there is none.
    current_outbound_spi: u32,
}

/// The flows that the filter takes, in the order given.
pub fn sas<'a>(flows: &'a [Flow], filter: &Filter, detail: bool) -> IpsecSas<'a> {
    let flows = flows.iter().filter(|flow| filter.takes(flow));
    let with_sas = |flow: &'a Flow| FlowSas {
        flow,
        plaintext_mtu_bytes: plaintext_mtu(flow),
        current_outbound_spi: flow
            .sas
            .iter()
            .find(|sa| !sa.inbound)
            .map_or(0, |sa| sa.spi),
    };
    IpsecSas {
        detail,
        flows: flows.map(with_sas).collect(),
    }
}

impl Facts for IpsecSas<'_> {
    fn text(&self) -> String {
        let mut printer = Printer::new(self.detail);
        let mut text = String::new();
        for one in &self.flows {
            printer.print(&mut text, one);
        }
        text.push_str(printer.end());
        text
    }
}

/// Prints flow after flow: all there are, or those that a reader is about to read.
#[derive(Debug)]
pub struct Printer {
    detail: bool,
    /// What the last title said.
    title: Option<(String, String, IpAddr)>,
}

impl Printer {
    /// Before the first flow.
    #[must_use]
    pub fn new(detail: bool) -> Self {
        Self {
            detail,
            title: None,
        }
    }

    /// The next flows, as far as the filter takes them.
    pub fn more(&mut self, flows: &[Flow], filter: &Filter) -> String {
        let mut text = String::new();
        for one in &sas(flows, filter, self.detail).flows {
            self.print(&mut text, one);
        }
        text
    }

    /// What comes after the last flow.
    #[must_use]
    pub fn end(&self) -> &'static str {
        match self.title {
            Some(_) => "",
            None => "\nNo SAs found\n",
        }
    }

    fn print(&mut self, text: &mut String, one: &FlowSas<'_>) {
        let flow = one.flow;
        let same = self.title.as_ref().is_some_and(|(interface, map, local)| {
            *interface == flow.interface && *map == flow.map && *local == flow.local
        });
        if !same {
            let _ = write!(
                text,
                "\ninterface: {}\n    Crypto map tag: {}, local addr {}\n",
                flow.interface, flow.map, flow.local
            );
            self.title = Some((flow.interface.clone(), flow.map.clone(), flow.local));
        }
        block(text, one, self.detail);
    }
}

/// The JSON document flow by flow, the same as the whole one: `empty` is the document without flows.
#[derive(Debug)]
pub struct JsonPrinter {
    head: String,
    tail: String,
    any: bool,
}

impl JsonPrinter {
    /// Before the first flow.
    #[must_use]
    pub fn new(empty: &str) -> Self {
        // The list of flows is the last thing in it.
        let (head, tail) = empty.rsplit_once("[]").unwrap_or((empty, ""));
        Self {
            head: head.to_owned(),
            tail: tail.to_owned(),
            any: false,
        }
    }

    /// The next flows, as far as the filter takes them.
    pub fn more(&mut self, flows: &[Flow], filter: &Filter) -> String {
        let mut text = String::new();
        for one in &sas(flows, filter, false).flows {
            text.push_str(if self.any { "," } else { &self.head });
            if !self.any {
                text.push('[');
            }
            self.any = true;
            // Writing to memory cannot fail, and no key of ours is anything but text.
            let flow = serde_json::to_string_pretty(one).unwrap_or_default();
            for line in flow.lines() {
                let _ = write!(text, "\n      {line}");
            }
        }
        text
    }

    /// What comes after the last flow.
    #[must_use]
    pub fn end(&self) -> String {
        match self.any {
            true => format!("\n    ]{}", self.tail),
            false => format!("{}[]{}", self.head, self.tail),
        }
    }
}

fn block(text: &mut String, one: &FlowSas<'_>, detail: bool) {
    let flow = one.flow;
    let Flow {
        packets,
        local,
        peer,
        ..
    } = flow;
    let (out, inbound) = (packets.out, packets.inbound);
    let _ = write!(
        text,
        "\n   protected vrf: (none)\n   local  ident (addr/mask/prot/port): ({})\n   remote ident (addr/mask/prot/port): \
         ({})\n   current_peer {peer} port {}\n     PERMIT, flags={{origin_is_acl,}}\n    \
         #pkts encaps: {out}, #pkts encrypt: {out}, #pkts digest: {out}\n    \
         #pkts decaps: {inbound}, #pkts decrypt: {inbound}, #pkts verify: {inbound}\n    \
         #pkts compressed: 0, #pkts decompressed: 0\n    #pkts not compressed: 0, #pkts compr. failed: 0\n    \
         #pkts not decompressed: 0, #pkts decompress failed: 0\n",
        ident(&flow.local_proxy),
        ident(&flow.remote_proxy),
        flow.port,
    );
    if detail {
        errors_in_detail(text, flow);
    } else {
        let _ = writeln!(
            text,
            "    #send errors {}, #recv errors {}",
            packets.send_errors, packets.recv_errors
        );
    }
    let outbound = one.current_outbound_spi;
    let (pfs, group) = flow.pfs_group.map_or(("N", "none"), |group| ("Y", group));
    let _ = write!(
        text,
        "\n     local crypto endpt.: {local}, remote crypto endpt.: {peer}\n     \
         plaintext mtu {}, path mtu {mtu}, ip mtu {mtu}, ip mtu idb {}\n     \
         current outbound spi: 0x{outbound:X}({outbound})\n     PFS (Y/N): {pfs}, DH group: {group}\n",
        one.plaintext_mtu_bytes,
        flow.interface,
        mtu = flow.mtu,
    );
    for (title, inbound) in [("inbound", true), ("outbound", false)] {
        for protocol in ["esp", "ah", "pcp"] {
            let _ = write!(text, "\n     {title} {protocol} sas:\n");
            for sa in &flow.sas {
                if sa.inbound == inbound && protocol == if sa.ah { "ah" } else { "esp" } {
                    sa_lines(text, flow, sa, detail);
                }
            }
        }
    }
}

fn errors_in_detail(text: &mut String, flow: &Flow) {
    let packets = &flow.packets;
    let other = packets
        .recv_errors
        .saturating_sub(packets.verify_failed + packets.replay_failed);
    let _ = write!(
        text,
        "    #pkts no sa (send) {}, #pkts invalid sa (rcv) 0\n    \
         #pkts encaps failed (send) 0, #pkts decaps failed (rcv) 0\n    \
         #pkts invalid prot (recv) 0, #pkts verify failed: {}\n    \
         #pkts invalid identity (recv) {other}, #pkts invalid len (rcv) 0\n    \
         #pkts replay rollover (send): 0, #pkts replay rollover (rcv) 0\n    ##pkts replay failed (rcv): {}\n    \
         #pkts tagged (send): 0, #pkts untagged (rcv): 0\n    #pkts not tagged (send): 0, #pkts not untagged (rcv): 0\n    \
         #pkts internal err (send): 0, #pkts internal err (recv) 0\n",
        packets.send_errors, packets.verify_failed, packets.replay_failed,
    );
}

fn sa_lines(text: &mut String, flow: &Flow, sa: &IpsecSa, detail: bool) {
    let mode = match (sa.transport, sa.udp) {
        (false, false) => "Tunnel",
        (false, true) => "Tunnel UDP-Encaps",
        (true, false) => "Transport",
        (true, true) => "Transport UDP-Encaps",
    };
    let sibling = if sa.transport { "80000000" } else { "80000040" };
    let _ = write!(
        text,
        "      spi: 0x{spi:X}({spi})\n        transform: {} ,\n        in use settings ={{{mode}, }}\n        \
         conn id: {id}, flow_id: SW:{id}, sibling_flags {sibling}, crypto map: {}\n",
        sa.transform,
        flow.map,
        spi = sa.spi,
        id = sa.conn_id,
    );
    match sa.kilobytes {
        Some(left) => {
            let _ = writeln!(
                text,
                "        sa timing: remaining key lifetime (k/sec): ({left}/{})",
                sa.seconds
            );
        }
        None => {
            let _ = writeln!(
                text,
                "        sa timing: remaining key lifetime (sec): {}",
                sa.seconds
            );
            text.push_str("        Kilobyte Volume Rekey has been disabled\n");
        }
    }
    if let Some(iv) = sa.iv {
        let _ = writeln!(text, "        IV size: {iv} bytes");
    }
    let _ = match sa.replay_window {
        Some(window) if detail => {
            writeln!(
                text,
                "        replay detection support: Y  replay window size: {window}"
            )
        }
        Some(_) => writeln!(text, "        replay detection support: Y"),
        None => writeln!(text, "        replay detection support: N"),
    };
    text.push_str("        Status: ACTIVE(ACTIVE)\n");
}

fn ident(proxy: &Proxy) -> String {
    format!(
        "{}/{}/{}/{}",
        proxy.net.addr(),
        proxy.net.netmask(),
        proxy.protocol,
        proxy.port
    )
}

/// The largest inner packet that still fits the path: the path MTU less the outer header and what ESP or AH add
/// (RFC 4303 section 2, RFC 4302 section 2). In transport mode the IP header is counted in, as IOS does.
fn plaintext_mtu(flow: &Flow) -> u32 {
    let outbound: Vec<&IpsecSa> = flow.sas.iter().filter(|sa| !sa.inbound).collect();
    let Some(newest) = outbound.first() else {
        return flow.mtu;
    };
    let ip_header = 20;
    let mut room = flow.mtu.saturating_sub(ip_header);
    if newest.udp {
        room = room.saturating_sub(8);
    }
    if let Some(ah) = outbound.iter().find(|sa| sa.ah) {
        room = room.saturating_sub(12 + u32::from(ah.icv));
    }
    if let Some(esp) = outbound.iter().find(|sa| !sa.ah) {
        room = room.saturating_sub(8 + u32::from(esp.iv.unwrap_or(0)) + u32::from(esp.icv));
        let block = u32::from(esp.block.max(4));
        room = (room / block * block).saturating_sub(2);
    }
    if newest.transport {
        room + ip_header
    } else {
        room
    }
}
