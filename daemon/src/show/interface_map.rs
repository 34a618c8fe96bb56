//! `show interface-map`. Called by `show`.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;

use super::interfaces::mac;
use super::screen::Facts;
use crate::machine::interfaces::{BoundName, InterfaceTable};

/// `show interface-map`.
#[derive(Serialize, JsonSchema)]
pub struct NameMap<'a> {
    /// The names of the interface map, the numbered ports, and the Linux names in use that are bound to hardware.
    names: Vec<Name<'a>>,
    /// What is wrong with the interface map and with names that mean one device, one sentence each.
    problems: Vec<String>,
}

/// One name.
#[derive(Serialize, JsonSchema)]
struct Name<'a> {
    /// The interface as the operator knows it.
    name: String,
    /// The Linux device that it means, as it is or was called.
    device: &'a str,
    /// The hardware address that the device was made with, such as `000f.352d.2381`; absent when it has none.
    mac_address: Option<String>,
    /// Where the device is plugged in, such as `0000:03:00.0`; absent for a device without a parent.
    bus: Option<&'a str>,
    /// The machine has the device.
    present: bool,
    /// Who says so: `map` (the interface map), `bound` (the first use of the name), or `guessed` (numbered anew after the
    /// bindings were lost; a crypto map does not act there).
    source: &'static str,
}

/// All names and what they mean.
pub fn names(table: &InterfaceTable) -> NameMap<'_> {
    let names = table.bound().map(|one| name(table, one));
    NameMap {
        names: names.collect(),
        problems: table.problems(),
    }
}

fn name<'a>(table: &'a InterfaceTable, one: BoundName<'a>) -> Name<'a> {
    let octets = match (one.hardware, one.index) {
        (Some(hardware), _) => mac(&hardware.mac),
        (None, Some(index)) => table
            .by_index(index)
            .map_or_else(String::new, |there| mac(&there.link.mac)),
        (None, None) => String::new(),
    };
    Name {
        device: one.kernel,
        mac_address: Some(octets).filter(|octets| !octets.is_empty()),
        bus: (one.hardware)
            .map(|hardware| hardware.bus.as_str())
            .filter(|bus| !bus.is_empty()),
        present: one.index.is_some(),
        source: match (one.by_map, one.guessed) {
            (true, _) => "map",
            (false, true) => "guessed",
            (false, false) => "bound",
        },
        name: one.name,
    }
}

impl Facts for NameMap<'_> {
    fn text(&self) -> String {
        let mut text = String::from(
            "Interface                Device           Hardware Addr   Bus              State    Source\n",
        );
        for one in &self.names {
            let (address, bus) = (one.mac_address.as_deref(), one.bus);
            let state = if one.present { "present" } else { "gone" };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{:<24} {:<16} {:<15} {:<16} {state:<8} {}",
                one.name,
                one.device,
                address.unwrap_or("-"),
                bus.unwrap_or("-"),
                one.source
            );
        }
        for problem in &self.problems {
            let _ = writeln!(text, "% {problem}");
        }
        text
    }
}
