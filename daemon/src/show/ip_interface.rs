//! The text of `show ip interface`. Called by `interfaces`.

use std::fmt::Write;

use super::interfaces::OneInterface;

/// What Linux does for every interface is said in IOS's words; what depends on settings of the machine that the daemon does
/// not own is left out.
pub(super) fn lines(one: &OneInterface<'_>) -> String {
    let mut text = format!(
        "{} is {}, line protocol is {}\n",
        one.name, one.status, one.line_protocol
    );
    let Some((primary, others)) = one.addresses.split_first() else {
        text.push_str("  Internet protocol processing disabled\n");
        return text;
    };
    let _ = writeln!(text, "  Internet address is {primary}");
    text.push_str("  Broadcast address is 255.255.255.255\n");
    if one.method == "manual" {
        text.push_str("  Address determined by non-volatile memory\n");
    }
    if let Some(mtu) = one.counters.as_ref().map(|counters| counters.mtu_bytes) {
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
