//! `show arp`. Called by `show`.

use std::fmt::Write;
use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::Serialize;

use super::screen::Facts;
use super::snapshot::Neighbour;

/// `show arp [ADDRESS]`.
#[derive(Serialize, JsonSchema)]
pub struct Arp<'a> {
    /// The addresses that are known on the interfaces, our own too, in order.
    neighbours: Vec<&'a Neighbour>,
}

/// All addresses, or only one.
pub fn arp(neighbours: &[Neighbour], only: Option<Ipv4Addr>) -> Arp<'_> {
    let wanted = |one: &&Neighbour| only.is_none_or(|only| only == one.address);
    Arp {
        neighbours: neighbours.iter().filter(wanted).collect(),
    }
}

impl Facts for Arp<'_> {
    fn text(&self) -> String {
        let mut text = String::from(
            "Protocol  Address          Age (min)  Hardware Addr   Type   Interface\n",
        );
        for one in &self.neighbours {
            let age = one
                .age
                .map_or_else(|| "-".to_owned(), |age| (age.as_secs() / 60).to_string());
            let (hardware, interface) = match &one.mac {
                None => ("Incomplete", ""),
                Some(mac) => (mac.as_str(), one.interface.as_str()),
            };
            let address = one.address.to_string();
            let line =
                format!("Internet  {address:<15} {age:>9}   {hardware:<15} ARPA   {interface}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
        text
    }
}
