//! `show debugging` and `show crypto debug-condition`. Called by the control session.

use std::fmt::{Display, Write};

use isthmus_grammar::command::DebugArea;

use crate::debug::{Conditions, Debugging, title};

/// The topics that are on, under their subsystem.
pub fn debugging(debugging: &Debugging) -> String {
    if !debugging.any() {
        return String::new();
    }
    let mut text = String::from("\nCryptographic Subsystem:\n");
    for topic in debugging.topics() {
        let _ = writeln!(text, "  {} debugging is on", title(topic));
    }
    text
}

/// What debug output is limited to.
pub fn conditions(conditions: &Conditions) -> String {
    let switched = |on: bool| if on { "ON" } else { "OFF" };
    let unmatched = |area| switched(conditions.unmatched.contains(&area));
    let mut text = format!(
        "Crypto conditional debug currently is turned {}\n\nIKE debug context unmatched flag: {}\n\
         IPsec debug context unmatched flag: {}\nCrypto Engine debug context unmatched flag: {}\n",
        switched(!conditions.is_empty()),
        unmatched(DebugArea::Isakmp),
        unmatched(DebugArea::Ipsec),
        unmatched(DebugArea::Engine),
    );
    filters(&mut text, "IKE peer IP address filters:", &conditions.peers);
    let subnets = conditions
        .subnets
        .iter()
        .map(|net| format!("{} {}", net.addr(), net.netmask()));
    filters(&mut text, "IKE peer subnet filters:", subnets);
    let connections = conditions.connections.iter().map(|id| format!("{id}:1"));
    filters(
        &mut text,
        "Connection-id filters: [connid:engine_id]",
        connections,
    );
    let spis = conditions.spis.iter().map(|spi| format!("0x{spi:08X}"));
    filters(&mut text, "SPI filters:", spis);
    text
}

fn filters(text: &mut String, title: &str, values: impl IntoIterator<Item = impl Display>) {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    if !values.is_empty() {
        let _ = writeln!(text, "\n{title}\n{}", values.join("   "));
    }
}
