//! Access-list lines.

use super::Out;
use crate::command::{
    AclAddress, AclCommand, AclEntry, AclOption, AclRule, DSCP_NAMES, ICMP_MESSAGES, IGMP_MESSAGES,
    IP_OPTIONS, IcmpMatch, IpProtocol, PRECEDENCES, PortMatch, StandardAclCommand,
    StandardAclEntry, TCP_PORTS, TYPES_OF_SERVICE, TtlMatch, UDP_PORTS,
};

pub(super) fn extended(out: &mut Out, command: &AclCommand) {
    match command {
        AclCommand::Entry { sequence, entry } => {
            out.optional(*sequence);
            extended_entry(out, entry);
        }
        AclCommand::Sequence(sequence) => out.word(sequence),
    }
}

pub(super) fn standard(out: &mut Out, command: &StandardAclCommand) {
    match command {
        StandardAclCommand::Entry { sequence, entry } => {
            out.optional(*sequence);
            standard_entry(out, entry);
        }
        StandardAclCommand::Sequence(sequence) => out.word(sequence),
    }
}

pub(super) fn extended_entry(out: &mut Out, entry: &AclEntry) {
    match entry {
        AclEntry::Rule(rule) => self::rule(out, rule),
        AclEntry::Remark(text) => out.pair("remark", Some(text)),
        AclEntry::Evaluate(name) => out.pair("evaluate", Some(name)),
    }
}

/// A single host is printed as its bare address.
pub(super) fn standard_entry(out: &mut Out, entry: &StandardAclEntry) {
    match entry {
        StandardAclEntry::Rule(rule) => {
            out.word(rule.action);
            match &rule.source {
                AclAddress::Host(host) => out.word(host),
                source => address(out, source),
            }
            out.flag("log", rule.log);
            out.optional(rule.cookie.as_ref());
        }
        StandardAclEntry::Remark(text) => out.pair("remark", Some(text)),
    }
}

fn rule(out: &mut Out, rule: &AclRule) {
    let names = if rule.protocol == IpProtocol::TCP {
        TCP_PORTS
    } else {
        UDP_PORTS
    };
    out.word(rule.action);
    match &rule.service {
        Some(group) => out.pair("object-group", Some(group)),
        None => out.word(rule.protocol),
    }
    address(out, &rule.source);
    ports(out, rule.source_ports.as_ref(), names);
    address(out, &rule.destination);
    ports(out, rule.destination_ports.as_ref(), names);
    if let Some(message) = rule.icmp {
        icmp(out, message);
    }
    out.optional(rule.igmp.map(|kind| name_or_number(IGMP_MESSAGES, kind)));
    for one in &rule.options {
        option(out, one);
    }
}

fn option(out: &mut Out, option: &AclOption) {
    out.word(option.keyword());
    let named = |names, value: &u8| name_or_number(names, *value);
    match option {
        AclOption::Established | AclOption::Flag(_) | AclOption::Fragments => {}
        AclOption::Flags { bits, .. } => {
            for (flag, set) in bits {
                out.word(format!("{}{flag}", if *set { '+' } else { '-' }));
            }
        }
        AclOption::Dscp(value) => out.word(named(DSCP_NAMES, value)),
        AclOption::Precedence(value) => out.word(named(PRECEDENCES, value)),
        AclOption::Tos(value) => out.word(named(TYPES_OF_SERVICE, value)),
        AclOption::Ttl(ttl) => self::ttl(out, *ttl),
        AclOption::IpOption(None) => out.word("any-options"),
        AclOption::IpOption(Some(value)) => out.word(named(IP_OPTIONS, value)),
        AclOption::Reflect(name, timeout) => {
            out.word(name);
            out.pair("timeout", timeout.as_ref());
        }
        AclOption::TimeRange(name) => out.word(name),
        AclOption::Log { cookie, .. } => out.optional(cookie.as_ref()),
    }
}

fn ttl(out: &mut Out, ttl: TtlMatch) {
    match ttl {
        TtlMatch::Eq(value) => out.pair("eq", Some(value)),
        TtlMatch::Neq(value) => out.pair("neq", Some(value)),
        TtlMatch::Gt(value) => out.pair("gt", Some(value)),
        TtlMatch::Lt(value) => out.pair("lt", Some(value)),
        TtlMatch::Range(first, last) => {
            out.pair("range", Some(first));
            out.word(last);
        }
    }
}

fn address(out: &mut Out, address: &AclAddress) {
    match address {
        AclAddress::Any => out.word("any"),
        AclAddress::Host(host) => out.pair("host", Some(host)),
        AclAddress::Wildcard { address, wildcard } => {
            out.word(address);
            out.word(wildcard);
        }
        AclAddress::Group(group) => out.pair("object-group", Some(group)),
    }
}

fn ports(out: &mut Out, ports: Option<&PortMatch>, names: &[(&str, u16)]) {
    let name = |port: &u16| name_or_number(names, *port);
    let mut compare = |keyword, ports: &[u16]| {
        out.word(keyword);
        ports.iter().for_each(|port| out.word(name(port)));
    };
    match ports {
        None => {}
        Some(PortMatch::Eq(ports)) => compare("eq", ports),
        Some(PortMatch::Neq(ports)) => compare("neq", ports),
        Some(PortMatch::Gt(port)) => compare("gt", &[*port]),
        Some(PortMatch::Lt(port)) => compare("lt", &[*port]),
        Some(PortMatch::Range(first, last)) => compare("range", &[*first, *last]),
    }
}

fn icmp(out: &mut Out, message: IcmpMatch) {
    match ICMP_MESSAGES.iter().find(|(_, known)| *known == message) {
        Some((name, _)) => out.word(name),
        None => {
            out.word(message.icmp_type);
            out.optional(message.code);
        }
    }
}

fn name_or_number<T: PartialEq + ToString>(names: &[(&str, T)], value: T) -> String {
    names
        .iter()
        .find(|(_, known)| *known == value)
        .map_or_else(|| value.to_string(), |(name, _)| (*name).to_owned())
}
