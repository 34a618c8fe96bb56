//! `show debugging` and `show crypto debug-condition`. Called by `show`.

use std::collections::BTreeSet;
use std::fmt::{Display, Write};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use isthmus_grammar::command::DebugArea;
use schemars::JsonSchema;
use serde::Serialize;

use super::screen::Facts;
use crate::debug::{Conditions, Debugging, title};

/// `show debugging`.
#[derive(Serialize, JsonSchema)]
pub struct Debugs {
    /// What is on, as the debug commands name it (`Crypto ISAKMP`).
    debugging: Vec<&'static str>,
}

/// The topics that are on.
pub fn debugging(debugging: &Debugging) -> Debugs {
    Debugs {
        debugging: debugging.topics().map(title).collect(),
    }
}

/// Under their subsystem.
impl Facts for Debugs {
    fn text(&self) -> String {
        if self.debugging.is_empty() {
            return String::new();
        }
        let mut text = String::from("\nCryptographic Subsystem:\n");
        for topic in &self.debugging {
            let _ = writeln!(text, "  {topic} debugging is on");
        }
        text
    }
}

/// `show crypto debug-condition`: what debug output is limited to.
#[derive(Serialize, JsonSchema)]
pub struct DebugConditions<'a> {
    /// There is a condition.
    conditional: bool,
    /// IKE output that tells nothing a condition asks for is shown too.
    isakmp_unmatched: bool,
    /// The same for IPsec output.
    ipsec_unmatched: bool,
    /// The same for the engine's output.
    engine_unmatched: bool,
    /// Only these peers.
    peers: &'a BTreeSet<Ipv4Addr>,
    /// Only peers in these networks.
    subnets: &'a BTreeSet<Ipv4Net>,
    /// Only these connections.
    connections: &'a BTreeSet<u32>,
    /// Only these SPIs.
    spis: &'a BTreeSet<u32>,
}

/// The conditions in force.
pub fn conditions(conditions: &Conditions) -> DebugConditions<'_> {
    let unmatched = |area| conditions.unmatched.contains(&area);
    DebugConditions {
        conditional: !conditions.is_empty(),
        isakmp_unmatched: unmatched(DebugArea::Isakmp),
        ipsec_unmatched: unmatched(DebugArea::Ipsec),
        engine_unmatched: unmatched(DebugArea::Engine),
        peers: &conditions.peers,
        subnets: &conditions.subnets,
        connections: &conditions.connections,
        spis: &conditions.spis,
    }
}

impl Facts for DebugConditions<'_> {
    fn text(&self) -> String {
        let switched = |on: bool| if on { "ON" } else { "OFF" };
        let mut text = format!(
            "Crypto conditional debug currently is turned {}\n\nIKE debug context unmatched flag: {}\n\
             IPsec debug context unmatched flag: {}\nCrypto Engine debug context unmatched flag: {}\n",
            switched(self.conditional),
            switched(self.isakmp_unmatched),
            switched(self.ipsec_unmatched),
            switched(self.engine_unmatched),
        );
        filters(&mut text, "IKE peer IP address filters:", self.peers);
        let subnets = self.subnets.iter();
        let subnets = subnets.map(|net| format!("{} {}", net.addr(), net.netmask()));
        filters(&mut text, "IKE peer subnet filters:", subnets);
        let connections = self.connections.iter().map(|id| format!("{id}:1"));
        filters(
            &mut text,
            "Connection-id filters: [connid:engine_id]",
            connections,
        );
        let spis = self.spis.iter().map(|spi| format!("0x{spi:08X}"));
        filters(&mut text, "SPI filters:", spis);
        text
    }
}

fn filters(text: &mut String, title: &str, values: impl IntoIterator<Item = impl Display>) {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    if !values.is_empty() {
        let _ = writeln!(text, "\n{title}\n{}", values.join("   "));
    }
}
