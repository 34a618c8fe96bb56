//! Access-list lines.

use super::Out;
use crate::command::{
    AclAddress, AclCommand, AclEntry, AclRule, DSCP_NAMES, ICMP_MESSAGES, IcmpMatch, IpProtocol,
    PortMatch, StandardAclCommand, StandardAclEntry, TCP_PORTS, UDP_PORTS,
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
    }
}

/// A single host is printed as its bare address.
pub(super) fn standard_entry(out: &mut Out, entry: &StandardAclEntry) {
    match entry {
        StandardAclEntry::Rule(rule) => {
            out.word(rule.action);
            match rule.source {
                AclAddress::Host(host) => out.word(host),
                source => address(out, source),
            }
            out.flag("log", rule.log);
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
    out.word(rule.protocol);
    address(out, rule.source);
    ports(out, rule.source_ports, names);
    address(out, rule.destination);
    ports(out, rule.destination_ports, names);
    if let Some(message) = rule.icmp {
        icmp(out, message);
    }
    out.flag("established", rule.established);
    out.pair(
        "dscp",
        rule.dscp.map(|dscp| name_or_number(DSCP_NAMES, dscp.0)),
    );
    out.flag("fragments", rule.fragments);
    out.optional(rule.log);
}

fn address(out: &mut Out, address: AclAddress) {
    match address {
        AclAddress::Any => out.word("any"),
        AclAddress::Host(host) => out.pair("host", Some(host)),
        AclAddress::Wildcard { address, wildcard } => {
            out.word(address);
            out.word(wildcard);
        }
    }
}

fn ports(out: &mut Out, ports: Option<PortMatch>, names: &[(&str, u16)]) {
    let name = |port: u16| Some(name_or_number(names, port));
    match ports {
        None => {}
        Some(PortMatch::Eq(port)) => out.pair("eq", name(port)),
        Some(PortMatch::Neq(port)) => out.pair("neq", name(port)),
        Some(PortMatch::Gt(port)) => out.pair("gt", name(port)),
        Some(PortMatch::Lt(port)) => out.pair("lt", name(port)),
        Some(PortMatch::Range(first, last)) => {
            out.pair("range", name(first));
            out.optional(name(last));
        }
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
