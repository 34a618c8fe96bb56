//! `show access-lists` and `show ip access-lists`. Called by the control session; `crypto_map` prints rules too.

use std::collections::HashMap;
use std::fmt::Write;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use isthmus_grammar::command::{
    AclAddress, AclCommand, AclEntry, AclId, AclRule, Action, ConfigCommand, ConfigLine, Form,
    PortMatch, StandardRule,
};
use isthmus_grammar::render::render;

use super::snapshot::{Flow, Proxy};
use crate::config::Running;
use crate::config::model::AccessList;

/// How many packets each rule matched, by list and sequence number.
pub type Matches = HashMap<(AclId, u32), u64>;

/// Counts from what the kernel's SAs carried: a packet through a flow matched the permit line that the flow is for.
pub fn matches(running: &Running, flows: &[Flow]) -> Matches {
    let mut lines: HashMap<&AclId, HashMap<(Proxy, Proxy), u32>> = HashMap::new();
    let mut matches = Matches::new();
    for flow in flows {
        let entry = running
            .crypto
            .maps
            .get(&flow.map)
            .and_then(|map| map.entries.get(&flow.sequence));
        let Some(name) = entry.and_then(|entry| entry.match_address.as_ref()) else {
            continue;
        };
        let Some(AccessList::Extended(list)) = running.access_lists.get(name) else {
            continue;
        };
        let lines = lines.entry(name).or_insert_with(|| {
            let permits = list
                .rules()
                .filter(|(_, rule)| rule.action == Action::Permit);
            permits
                .filter_map(|(number, rule)| Some((proxies(rule)?, number)))
                .collect()
        });
        if let Some(number) = lines.get(&(flow.local_proxy, flow.remote_proxy)) {
            *matches.entry((name.clone(), *number)).or_default() +=
                flow.packets.out + flow.packets.inbound;
        }
    }
    matches
}

/// The proxy identities that a rule asks for, where one pair can say it.
fn proxies(rule: &AclRule) -> Option<(Proxy, Proxy)> {
    let net = |address: AclAddress| match address {
        AclAddress::Any => Some(Ipv4Net::default()),
        AclAddress::Host(host) => Some(Ipv4Net::from(host)),
        AclAddress::Wildcard { address, wildcard } => {
            Ipv4Net::with_netmask(address, Ipv4Addr::from(!u32::from(wildcard)))
                .ok()
                .map(|net| net.trunc())
        }
    };
    let port = |ports: Option<PortMatch>| match ports {
        None => Some(0),
        Some(PortMatch::Eq(port)) => Some(port),
        Some(_) => None,
    };
    let protocol = rule.protocol.0;
    let local = Proxy {
        net: net(rule.source)?,
        protocol,
        port: port(rule.source_ports)?,
    };
    let remote = Proxy {
        net: net(rule.destination)?,
        protocol,
        port: port(rule.destination_ports)?,
    };
    Some((local, remote))
}

/// All lists or one: standard lists first, in each kind numbers before names.
pub fn access_lists<'a>(
    lists: impl IntoIterator<Item = (&'a AclId, &'a AccessList)>,
    only: Option<&str>,
    matches: &Matches,
) -> String {
    let mut sorted: Vec<(&AclId, &AccessList)> = lists
        .into_iter()
        .filter(|(name, _)| only.is_none_or(|only| only == *name))
        .collect();
    sorted.sort_by_key(|(name, list)| {
        let extended = matches!(list, AccessList::Extended(_));
        (extended, name.parse::<u16>().unwrap_or(u16::MAX), *name)
    });
    let mut text = String::new();
    for (name, list) in sorted {
        match list {
            AccessList::Standard(list) => {
                let _ = writeln!(text, "Standard IP access list {name}");
                for (number, rule) in list.rules() {
                    let _ = writeln!(
                        text,
                        "    {number} {}{}",
                        standard_rule(rule),
                        count(matches, name, number)
                    );
                }
            }
            AccessList::Extended(list) => {
                let _ = writeln!(text, "Extended IP access list {name}");
                for (number, rule) in list.rules() {
                    let _ = writeln!(
                        text,
                        "    {number} {}{}",
                        extended_rule(rule),
                        count(matches, name, number)
                    );
                }
            }
        }
    }
    text
}

fn count(matches: &Matches, name: &AclId, number: u32) -> String {
    match matches.get(&(name.clone(), number)).copied().unwrap_or(0) {
        0 => String::new(),
        1 => " (1 match)".to_string(),
        many => format!(" ({many} matches)"),
    }
}

/// An extended rule as it is typed.
pub(super) fn extended_rule(rule: &AclRule) -> String {
    let entry = AclCommand::Entry {
        sequence: None,
        entry: AclEntry::Rule(rule.clone()),
    };
    let line = ConfigLine {
        form: Form::Set,
        command: ConfigCommand::ExtendedAcl(entry),
    };
    render(&line).trim_end().to_owned()
}

/// A standard rule in the words of this screen: `deny   192.168.1.0, wildcard bits 0.0.0.255`.
pub(super) fn standard_rule(rule: &StandardRule) -> String {
    let source = match rule.source {
        AclAddress::Any => "any".to_string(),
        AclAddress::Host(address) => address.to_string(),
        AclAddress::Wildcard { address, wildcard } => {
            format!("{address}, wildcard bits {wildcard}")
        }
    };
    format!(
        "{:<6} {source}{}",
        rule.action.word(),
        if rule.log { " log" } else { "" }
    )
}
