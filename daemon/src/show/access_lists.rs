//! `show access-lists` and `show ip access-lists`. Called by `show`; `crypto_map` prints rules too.

use std::collections::HashMap;
use std::fmt::Write;
use std::net::Ipv4Addr;

use isthmus_grammar::command::{
    AclAddress, AclCommand, AclEntry, AclId, AclRule, Action, ConfigCommand, ConfigLine, Form,
    IpProtocol, PortMatch, StandardRule,
};
use isthmus_grammar::render::render;
use isthmus_grammar::secrets;
use schemars::JsonSchema;
use serde::Serialize;

use super::screen::Facts;
use super::snapshot::{Flow, Proxy};
use crate::config::Running;
use crate::config::model::{AccessList, AclLine};
use crate::json::shown;
use crate::plan::selector::Line;

/// How many packets each rule matched, by list and sequence number.
pub type Matches = HashMap<(AclId, u32), u64>;

/// Counts from what the kernel's SAs carried: a packet through a flow matched the permit line that the flow is for.
pub fn matches(running: &Running, flows: &[Flow]) -> Matches {
    let mut lines: HashMap<&AclId, HashMap<(Proxy, Proxy), u32>> = HashMap::new();
    let mut groups = None;
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
        let groups = groups.get_or_insert_with(|| running.object_groups());
        let lines = lines.entry(name).or_insert_with(|| {
            let mut lines = HashMap::new();
            for (number, rule) in list.rules() {
                for (local, remote) in Line::of(rule, groups).flows() {
                    // A flow is for the first line that asks for it.
                    if let Some(proxies) = Proxy::of(&local).zip(Proxy::of(&remote)) {
                        lines.entry(proxies).or_insert(number);
                    }
                }
            }
            lines
        });
        if let Some(number) = lines.get(&(flow.local_proxy, flow.remote_proxy)) {
            *matches.entry((name.clone(), *number)).or_default() +=
                flow.packets.out + flow.packets.inbound;
        }
    }
    matches
}

/// `show access-lists [LIST]` and `show ip access-lists [LIST]`.
#[derive(Serialize, JsonSchema)]
pub struct AccessLists<'a> {
    /// Standard lists first, in each kind numbers before names.
    access_lists: Vec<List<'a>>,
}

/// One access list.
#[derive(Serialize, JsonSchema)]
pub(super) struct List<'a> {
    /// Its name or number.
    pub(super) name: &'a str,
    /// Its kind.
    #[serde(rename = "type")]
    kind: Kind,
    /// Its rules, in order.
    pub(super) entries: Vec<Rule>,
    /// Its lines of which it is not known which packets they are about.
    unknown_entries: Vec<UnknownEntry>,
}

/// A line that is not understood, or `evaluate`.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct UnknownEntry {
    /// Its sequence number.
    sequence_number: u32,
    /// The line as it was typed.
    line: String,
}

impl UnknownEntry {
    fn of<R>((sequence_number, line): (u32, &AclLine<R>)) -> Option<UnknownEntry> {
        let AclLine::Unknown(line) = line else {
            return None;
        };
        Some(UnknownEntry {
            sequence_number,
            line: match line.is_evaluate() {
                true => line.text.clone(),
                false => format!("{} (not understood)", secrets::shown(&line.text, "...")),
            },
        })
    }
}

/// What an access list looks at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// The source address.
    Standard,
    /// Protocol, both addresses and ports.
    Extended,
}

/// One rule.
#[derive(Serialize, JsonSchema)]
pub(super) struct Rule {
    /// Its sequence number.
    sequence_number: u32,
    /// `permit` or `deny`.
    #[serde(serialize_with = "shown")]
    #[schemars(with = "String")]
    action: Action,
    /// The protocol by name or number; `ip` for any.
    #[serde(serialize_with = "shown")]
    #[schemars(with = "String")]
    protocol: IpProtocol,
    /// Where packets come from: an address.
    source: Ipv4Addr,
    /// The bits of the source address that are not compared.
    source_wildcard: Ipv4Addr,
    /// The source ports; absent for all.
    source_ports: Option<Ports>,
    /// Where packets go: an address.
    destination: Ipv4Addr,
    /// The bits of the destination address that are not compared.
    destination_wildcard: Ipv4Addr,
    /// The destination ports; absent for all.
    destination_ports: Option<Ports>,
    /// Matches are logged.
    log: bool,
    /// The whole rule as the screen has it, with what the other fields do not say.
    pub(super) rule: String,
    /// Packets that matched.
    matches: u64,
}

/// A comparison of ports.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Ports {
    /// `eq`, `neq`, `gt`, `lt` or `range`.
    operator: &'static str,
    /// The port, or the first of several.
    port: u16,
    /// With `eq` and `neq` all the ports; otherwise none.
    ports: Vec<u16>,
    /// The last port of a range; otherwise absent.
    last_port: Option<u16>,
}

impl Ports {
    fn of(ports: &PortMatch) -> Ports {
        let (operator, port, last_port) = match ports {
            PortMatch::Eq(ports) => ("eq", ports.first().copied(), None),
            PortMatch::Neq(ports) => ("neq", ports.first().copied(), None),
            PortMatch::Gt(port) => ("gt", Some(*port), None),
            PortMatch::Lt(port) => ("lt", Some(*port), None),
            PortMatch::Range(first, last) => ("range", Some(*first), Some(*last)),
        };
        Ports {
            operator,
            port: port.unwrap_or_default(),
            ports: match ports {
                PortMatch::Eq(ports) | PortMatch::Neq(ports) => ports.clone(),
                _ => Vec::new(),
            },
            last_port,
        }
    }
}

/// All lists or one.
pub fn access_lists<'a>(
    lists: impl IntoIterator<Item = (&'a AclId, &'a AccessList)>,
    only: Option<&str>,
    matches: &Matches,
) -> AccessLists<'a> {
    let wanted = |(name, _): &(&AclId, &AccessList)| only.is_none_or(|only| only == *name);
    let lists = lists.into_iter().filter(wanted);
    let mut access_lists: Vec<List<'a>> = lists
        .map(|(name, list)| self::list(name, list, matches))
        .collect();
    access_lists.sort_by_key(|list| {
        let number = list.name.parse::<u16>().unwrap_or(u16::MAX);
        (list.kind, number, list.name)
    });
    AccessLists { access_lists }
}

/// One list with its counts.
pub(super) fn list<'a>(name: &'a AclId, list: &AccessList, matches: &Matches) -> List<'a> {
    let count = |number| matches.get(&(name.clone(), number)).copied().unwrap_or(0);
    let (kind, entries, unknown_entries) = match list {
        AccessList::Standard(list) => {
            let rules = list.rules();
            let rules = rules.map(|(number, rule)| standard(number, rule, count(number)));
            let unknown = list.lines().filter_map(UnknownEntry::of);
            (Kind::Standard, rules.collect(), unknown.collect())
        }
        AccessList::Extended(list) => {
            let rules = list.rules();
            let rules = rules.map(|(number, rule)| extended(number, rule, count(number)));
            let unknown = list.lines().filter_map(UnknownEntry::of);
            (Kind::Extended, rules.collect(), unknown.collect())
        }
    };
    List {
        name,
        kind,
        entries,
        unknown_entries,
    }
}

fn standard(sequence_number: u32, rule: &StandardRule, matches: u64) -> Rule {
    let (source, source_wildcard) = address(&rule.source);
    let (destination, destination_wildcard) = address(&AclAddress::Any);
    Rule {
        sequence_number,
        action: rule.action,
        protocol: IpProtocol::ANY,
        source,
        source_wildcard,
        source_ports: None,
        destination,
        destination_wildcard,
        destination_ports: None,
        log: rule.log,
        rule: standard_rule(rule),
        matches,
    }
}

fn extended(sequence_number: u32, rule: &AclRule, matches: u64) -> Rule {
    let (source, source_wildcard) = address(&rule.source);
    let (destination, destination_wildcard) = address(&rule.destination);
    Rule {
        sequence_number,
        action: rule.action,
        protocol: rule.protocol,
        source,
        source_wildcard,
        source_ports: rule.source_ports.as_ref().map(Ports::of),
        destination,
        destination_wildcard,
        destination_ports: rule.destination_ports.as_ref().map(Ports::of),
        log: rule.logs(),
        rule: extended_rule(rule),
        matches,
    }
}

/// An address with its wildcard; what an object group has is in the rule only.
fn address(address: &AclAddress) -> (Ipv4Addr, Ipv4Addr) {
    match address {
        AclAddress::Any | AclAddress::Group(_) => (Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST),
        AclAddress::Host(host) => (*host, Ipv4Addr::UNSPECIFIED),
        AclAddress::Wildcard { address, wildcard } => (*address, *wildcard),
    }
}

impl Facts for AccessLists<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        for list in &self.access_lists {
            let kind = match list.kind {
                Kind::Standard => "Standard",
                Kind::Extended => "Extended",
            };
            let _ = writeln!(text, "{kind} IP access list {}", list.name);
            let rules = list.entries.iter().map(|entry| {
                let line = format!("{}{}", entry.rule, count(entry.matches));
                (entry.sequence_number, true, line)
            });
            let unknown = list.unknown_entries.iter();
            let unknown = unknown.map(|entry| (entry.sequence_number, false, entry.line.clone()));
            let mut lines: Vec<(u32, bool, String)> = unknown.chain(rules).collect();
            lines.sort_by_key(|(number, is_rule, _)| (*number, *is_rule));
            for (number, _, line) in lines {
                let _ = writeln!(text, "    {number} {line}");
            }
        }
        text
    }
}

fn count(matches: u64) -> String {
    match matches {
        0 => String::new(),
        1 => " (1 match)".to_string(),
        many => format!(" ({many} matches)"),
    }
}

/// An extended rule as it is typed.
fn extended_rule(rule: &AclRule) -> String {
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
fn standard_rule(rule: &StandardRule) -> String {
    let source = match &rule.source {
        AclAddress::Any => "any".to_string(),
        AclAddress::Host(address) => address.to_string(),
        AclAddress::Group(group) => format!("object-group {group}"),
        AclAddress::Wildcard { address, wildcard } => {
            format!("{address}, wildcard bits {wildcard}")
        }
    };
    let cookie = rule.cookie.iter().map(|cookie| format!(" {cookie}"));
    format!(
        "{:<6} {source}{}{}",
        rule.action.word(),
        if rule.log { " log" } else { "" },
        cookie.collect::<String>()
    )
}
