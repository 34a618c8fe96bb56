//! `show arp`. Called by `show`.

use std::fmt::Write;
use std::net::Ipv4Addr;

use super::interfaces::mac;
use super::snapshot::Neighbour;

/// All addresses, or only one.
pub fn arp(neighbours: &[Neighbour], only: Option<Ipv4Addr>) -> String {
    let mut text =
        String::from("Protocol  Address          Age (min)  Hardware Addr   Type   Interface\n");
    let wanted = |one: &&Neighbour| only.is_none_or(|only| only == one.address);
    for one in neighbours.iter().filter(wanted) {
        let age = one
            .age
            .map_or_else(|| "-".to_owned(), |age| (age.as_secs() / 60).to_string());
        let (hardware, interface) = if one.mac.is_empty() {
            ("Incomplete".to_owned(), "")
        } else {
            (mac(&one.mac), one.interface.as_str())
        };
        let address = one.address.to_string();
        let line = format!("Internet  {address:<15} {age:>9}   {hardware:<15} ARPA   {interface}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}
