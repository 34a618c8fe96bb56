//! `show ip interface`. Called by `show`.

use std::fmt::Write;

use isthmus_grammar::InterfaceName;

use super::interfaces::{Both, both};
use crate::config::model::Interfaces;
use crate::interfaces::InterfaceTable;

/// All interfaces, or only one.
pub fn ip_interface(
    configured: &Interfaces,
    kernel: &InterfaceTable,
    only: Option<&InterfaceName>,
) -> String {
    both(configured, kernel, only).iter().map(one).collect()
}

/// What Linux does for every interface is said in IOS's words; what depends on settings of the machine that the daemon does
/// not own is left out.
fn one(one: &Both<'_>) -> String {
    let (status, protocol) = one.state();
    let mut text = format!("{} is {status}, line protocol is {protocol}\n", one.name());
    let addresses = one.addresses();
    let Some((primary, others)) = addresses.split_first() else {
        text.push_str("  Internet protocol processing disabled\n");
        return text;
    };
    let _ = writeln!(text, "  Internet address is {primary}");
    text.push_str("  Broadcast address is 255.255.255.255\n");
    if one.has_own_address() {
        text.push_str("  Address determined by non-volatile memory\n");
    }
    if let Some(mtu) = one.mtu() {
        let _ = writeln!(text, "  MTU is {mtu} bytes");
    }
    text.push_str("  Helper address is not set\n  Directed broadcast forwarding is disabled\n");
    for other in others {
        let _ = writeln!(text, "  Secondary address {other}");
    }
    text.push_str(
        "  Outgoing access list is not set\n  Inbound  access list is not set\n  \
         ICMP unreachables are always sent\n  ICMP mask replies are never sent\n",
    );
    text
}
