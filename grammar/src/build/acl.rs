//! Access-list lines.

use crate::command::{
    AclAddress, AclEntry, AclOption, AclRule, Action, DSCP_NAMES, ICMP_MESSAGES, IGMP_MESSAGES,
    IP_OPTIONS, IcmpMatch, IpProtocol, MAX_PORTS, PRECEDENCES, PortMatch, StandardAclEntry,
    StandardRule, TCP_PORTS, TYPES_OF_SERVICE, TcpFlag, TtlMatch, UDP_PORTS,
};
use crate::matched::{Part, in_range};
use crate::tree::Rule;

/// The sequence number and the line of an extended list; outside `None` when there is a value out of range.
pub(super) fn extended(part: Part<'_>) -> Option<(Option<u32>, Option<AclEntry>)> {
    let evaluate = |line: Part<'_>| line.name(Rule::a_reflect).map(AclEntry::Evaluate);
    let entry = match (part.child(Rule::extended_rule), part.child(Rule::evaluate)) {
        (Some(rule), _) => Some(AclEntry::Rule(extended_rule(rule)?)),
        (None, Some(line)) => evaluate(line),
        (None, None) => remark(part).map(AclEntry::Remark),
    };
    Some((part.number(Rule::a_sequence)?, entry))
}

/// The sequence number and the line of a standard list.
pub(super) fn standard(part: Part<'_>) -> Option<(Option<u32>, Option<StandardAclEntry>)> {
    let entry = match (part.child(Rule::standard_rule), remark(part)) {
        (Some(rule), _) => Some(StandardAclEntry::Rule(StandardRule {
            action: action(rule),
            source: address(rule.child(Rule::standard_source)?)?,
            log: rule.has(Rule::standard_log),
            cookie: rule
                .child(Rule::standard_log)
                .and_then(|log| log.name(Rule::a_log_cookie)),
        })),
        (None, remark) => remark.map(StandardAclEntry::Remark),
    };
    Some((part.number(Rule::a_sequence)?, entry))
}

fn remark(part: Part<'_>) -> Option<String> {
    part.child(Rule::remark)?.name(Rule::a_remark)
}

fn action(part: Part<'_>) -> Action {
    if part.has(Rule::k_permit) {
        Action::Permit
    } else {
        Action::Deny
    }
}

fn address(part: Part<'_>) -> Option<AclAddress> {
    if let Some(group) = part.name(Rule::a_acl_object_group) {
        return Some(AclAddress::Group(group));
    }
    if let Some(host) = part.parsed(Rule::a_host)? {
        return Some(AclAddress::Host(host));
    }
    match (
        part.parsed(Rule::a_acl_address)?,
        part.parsed(Rule::a_wildcard)?,
    ) {
        (Some(address), Some(wildcard)) => Some(AclAddress::with_wildcard(address, wildcard)),
        (Some(address), None) => Some(AclAddress::Host(address)),
        (None, _) => Some(AclAddress::Any),
    }
}

fn extended_rule(part: Part<'_>) -> Option<AclRule> {
    let of = part.parts().nth(1)?;
    let (protocol, ports) = match of.rule() {
        Rule::tcp_match => (IpProtocol::TCP, TCP_PORTS),
        Rule::udp_match => (IpProtocol::UDP, UDP_PORTS),
        Rule::icmp_match => (IpProtocol::ICMP, &[][..]),
        Rule::igmp_match => (IpProtocol::IGMP, &[][..]),
        Rule::service_match => (IpProtocol::ANY, &[][..]),
        _ => (
            of.child(Rule::ip_protocol)
                .and_then(|protocol| IpProtocol::from_word(protocol.word()))?,
            &[][..],
        ),
    };
    let mut addresses = of.parts().filter(|child| child.rule() == Rule::acl_address);
    let source_ports = of.parts().find(|child| {
        matches!(
            child.rule(),
            Rule::tcp_source_ports | Rule::udp_source_ports
        )
    });
    let destination_ports = of
        .parts()
        .find(|child| matches!(child.rule(), Rule::tcp_ports | Rule::udp_ports));
    Some(AclRule {
        action: action(part),
        protocol,
        service: of.name(Rule::a_acl_object_group),
        source: address(addresses.next()?)?,
        source_ports: optional(source_ports, |part| port_match(part.parts().next()?, ports))?,
        destination: address(addresses.next()?)?,
        destination_ports: optional(destination_ports, |part| port_match(part, ports))?,
        icmp: optional(of.child(Rule::icmp_message), icmp)?,
        igmp: optional(of.child(Rule::igmp_message), |part| {
            named(part, IGMP_MESSAGES, Rule::a_igmp_type)
        })?,
        options: options(of)?,
    })
}

/// The options in the order in which they are printed; outside `None` when one stands twice.
fn options(of: Part<'_>) -> Option<Vec<AclOption>> {
    let mut options = Vec::new();
    for part in of.parts() {
        if let Some(option) = option(part) {
            options.push(option?);
        }
    }
    options.sort();
    let twice = options.windows(2).any(|two| match (&two[0], &two[1]) {
        (AclOption::Flag(one), AclOption::Flag(other)) => one == other,
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    });
    (!twice).then_some(options)
}

/// One option; outside `None` for a part that is none, inside for a value out of range.
fn option(part: Part<'_>) -> Option<Option<AclOption>> {
    let log = |input: bool| {
        let cookie = part.child(Rule::log_cookie);
        let cookie = cookie.and_then(|cookie| cookie.name(Rule::a_log_cookie));
        Some(AclOption::Log { input, cookie })
    };
    let value = |of: Rule, names, argument| named(part.child(of)?, names, argument);
    Some(match part.rule() {
        Rule::k_established => Some(AclOption::Established),
        Rule::tcp_flag => TcpFlag::from_word(part.word()).map(AclOption::Flag),
        Rule::tcp_flags_match => flags(part),
        Rule::dscp_match => value(Rule::dscp, DSCP_NAMES, Rule::a_dscp).map(AclOption::Dscp),
        Rule::precedence_match => {
            value(Rule::precedence, PRECEDENCES, Rule::a_precedence).map(AclOption::Precedence)
        }
        Rule::tos_match => value(Rule::tos, TYPES_OF_SERVICE, Rule::a_tos).map(AclOption::Tos),
        Rule::ttl_match => ttl(part).map(AclOption::Ttl),
        Rule::ip_option_match => ip_option(part).map(AclOption::IpOption),
        Rule::k_fragments => Some(AclOption::Fragments),
        Rule::log_option => log(false),
        Rule::log_input_option => log(true),
        Rule::time_range_match => part.name(Rule::a_acl_time_range).map(AclOption::TimeRange),
        Rule::reflect_match => part.name(Rule::a_reflect).and_then(|name| {
            let timeout = part.number(Rule::a_reflect_timeout)?;
            Some(AclOption::Reflect(name, timeout))
        }),
        _ => return None,
    })
}

fn flags(part: Part<'_>) -> Option<AclOption> {
    let bits = part.parts();
    let bits = bits.filter(|bit| bit.rule() == Rule::flag_match);
    let bit = |part: Part<'_>| {
        let text = part.word();
        Some((TcpFlag::from_word(text.get(1..)?)?, text.starts_with('+')))
    };
    Some(AclOption::Flags {
        all: part.has(Rule::k_match_all),
        bits: bits.map(bit).collect::<Option<_>>()?,
    })
}

fn ttl(part: Part<'_>) -> Option<TtlMatch> {
    let mut inner = part.parts().skip(1);
    let comparison = inner.next()?.rule();
    let mut value = || in_range(Rule::a_ttl, inner.next()?.word());
    let first = value()?;
    Some(match comparison {
        Rule::k_eq => TtlMatch::Eq(first),
        Rule::k_neq => TtlMatch::Neq(first),
        Rule::k_gt => TtlMatch::Gt(first),
        Rule::k_lt => TtlMatch::Lt(first),
        _ => TtlMatch::Range(first, value()?),
    })
}

/// The number of an IP option; inside `None` for any.
fn ip_option(part: Part<'_>) -> Option<Option<u8>> {
    let option = part.child(Rule::ip_option)?;
    if option.has(Rule::k_option_any) {
        return Some(None);
    }
    named(option, IP_OPTIONS, Rule::a_ip_option).map(Some)
}

fn optional<'i, T>(
    part: Option<Part<'i>>,
    build: impl FnOnce(Part<'i>) -> Option<T>,
) -> Option<Option<T>> {
    match part {
        Some(part) => build(part).map(Some),
        None => Some(None),
    }
}

fn port_match(part: Part<'_>, names: &[(&str, u16)]) -> Option<PortMatch> {
    let mut inner = part.parts();
    let comparison = inner.next()?.rule();
    let ports: Vec<u16> = inner.map(|part| port(part, names)).collect::<Option<_>>()?;
    let first = *ports.first().filter(|_| ports.len() <= MAX_PORTS)?;
    Some(match comparison {
        Rule::k_eq => PortMatch::Eq(ports),
        Rule::k_neq => PortMatch::Neq(ports),
        Rule::k_gt => PortMatch::Gt(first),
        Rule::k_lt => PortMatch::Lt(first),
        _ => PortMatch::Range(first, *ports.get(1)?),
    })
}

fn port(part: Part<'_>, names: &[(&str, u16)]) -> Option<u16> {
    let text = part.word();
    names
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, number)| *number)
        .or_else(|| in_range(Rule::a_port, text))
}

fn icmp(part: Part<'_>) -> Option<IcmpMatch> {
    let text = part.word();
    if let Some((_, message)) = ICMP_MESSAGES.iter().find(|(name, _)| *name == text) {
        return Some(*message);
    }
    Some(IcmpMatch {
        icmp_type: part.number(Rule::a_icmp_type)??,
        code: part.number(Rule::a_icmp_code)?,
    })
}

/// A value by its name, or as a number within the limits of `number`.
fn named(part: Part<'_>, names: &[(&str, u8)], argument: Rule) -> Option<u8> {
    let text = part.word();
    let known = names.iter().find(|(name, _)| *name == text);
    known.map_or_else(|| in_range(argument, text), |(_, value)| Some(*value))
}
