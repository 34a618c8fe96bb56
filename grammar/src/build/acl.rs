//! Access-list lines.

use pest::iterators::Pair;

use super::{Node, in_range};
use crate::command::{
    AclAddress, AclEntry, AclOption, AclRule, Action, DSCP_NAMES, ICMP_MESSAGES, IGMP_MESSAGES,
    IP_OPTIONS, IcmpMatch, IpProtocol, MAX_PORTS, PRECEDENCES, PortMatch, StandardAclEntry,
    StandardRule, TCP_PORTS, TYPES_OF_SERVICE, TcpFlag, TtlMatch, UDP_PORTS,
};
use crate::parser::Rule;

/// The sequence number and the line of an extended list; outside `None` when there is a value out of range.
pub(super) fn extended(pair: &Pair<'_, Rule>) -> Option<(Option<u32>, Option<AclEntry>)> {
    let evaluate = |line: Pair<'_, Rule>| line.name(Rule::a_reflect).map(AclEntry::Evaluate);
    let entry = match (pair.child(Rule::extended_rule), pair.child(Rule::evaluate)) {
        (Some(rule), _) => Some(AclEntry::Rule(extended_rule(rule)?)),
        (None, Some(line)) => evaluate(line),
        (None, None) => remark(pair).map(AclEntry::Remark),
    };
    Some((pair.number(Rule::a_sequence)?, entry))
}

/// The sequence number and the line of a standard list.
pub(super) fn standard(pair: &Pair<'_, Rule>) -> Option<(Option<u32>, Option<StandardAclEntry>)> {
    let entry = match (pair.child(Rule::standard_rule), remark(pair)) {
        (Some(rule), _) => Some(StandardAclEntry::Rule(StandardRule {
            action: action(&rule),
            source: address(rule.child(Rule::standard_source)?)?,
            log: rule.has(Rule::standard_log),
            cookie: rule
                .child(Rule::standard_log)
                .and_then(|log| log.name(Rule::a_log_cookie)),
        })),
        (None, remark) => remark.map(StandardAclEntry::Remark),
    };
    Some((pair.number(Rule::a_sequence)?, entry))
}

fn remark(pair: &Pair<'_, Rule>) -> Option<String> {
    pair.child(Rule::remark)?.name(Rule::a_remark)
}

fn action(pair: &Pair<'_, Rule>) -> Action {
    if pair.has(Rule::k_permit) {
        Action::Permit
    } else {
        Action::Deny
    }
}

fn address(pair: Pair<'_, Rule>) -> Option<AclAddress> {
    if let Some(group) = pair.name(Rule::a_acl_object_group) {
        return Some(AclAddress::Group(group));
    }
    if let Some(host) = pair.parsed(Rule::a_host)? {
        return Some(AclAddress::Host(host));
    }
    match (
        pair.parsed(Rule::a_acl_address)?,
        pair.parsed(Rule::a_wildcard)?,
    ) {
        (Some(address), Some(wildcard)) => Some(AclAddress::with_wildcard(address, wildcard)),
        (Some(address), None) => Some(AclAddress::Host(address)),
        (None, _) => Some(AclAddress::Any),
    }
}

fn extended_rule(pair: Pair<'_, Rule>) -> Option<AclRule> {
    let of = pair.clone().into_inner().nth(1)?;
    let (protocol, ports) = match of.as_rule() {
        Rule::tcp_match => (IpProtocol::TCP, TCP_PORTS),
        Rule::udp_match => (IpProtocol::UDP, UDP_PORTS),
        Rule::icmp_match => (IpProtocol::ICMP, &[][..]),
        Rule::igmp_match => (IpProtocol::IGMP, &[][..]),
        Rule::service_match => (IpProtocol::ANY, &[][..]),
        _ => (
            of.child(Rule::ip_protocol)
                .and_then(|protocol| IpProtocol::from_word(protocol.as_str()))?,
            &[][..],
        ),
    };
    let mut addresses = of
        .clone()
        .into_inner()
        .filter(|child| child.as_rule() == Rule::acl_address);
    let source_ports = of.clone().into_inner().find(|child| {
        matches!(
            child.as_rule(),
            Rule::tcp_source_ports | Rule::udp_source_ports
        )
    });
    let destination_ports = of
        .clone()
        .into_inner()
        .find(|child| matches!(child.as_rule(), Rule::tcp_ports | Rule::udp_ports));
    Some(AclRule {
        action: action(&pair),
        protocol,
        service: of.name(Rule::a_acl_object_group),
        source: address(addresses.next()?)?,
        source_ports: optional(source_ports, |pair| {
            port_match(pair.into_inner().next()?, ports)
        })?,
        destination: address(addresses.next()?)?,
        destination_ports: optional(destination_ports, |pair| port_match(pair, ports))?,
        icmp: optional(of.child(Rule::icmp_message), icmp)?,
        igmp: optional(of.child(Rule::igmp_message), |pair| {
            named(pair, IGMP_MESSAGES, Rule::a_igmp_type)
        })?,
        options: options(&of)?,
    })
}

/// The options in the order in which they are printed; outside `None` when one stands twice.
fn options(of: &Pair<'_, Rule>) -> Option<Vec<AclOption>> {
    let mut options = Vec::new();
    for pair in of.clone().into_inner() {
        if let Some(option) = option(pair) {
            options.push(option?);
        }
    }
    options.sort();
    let twice = options.windows(2).any(|pair| match (&pair[0], &pair[1]) {
        (AclOption::Flag(one), AclOption::Flag(other)) => one == other,
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    });
    (!twice).then_some(options)
}

/// One option; outside `None` for a pair that is none, inside for a value out of range.
fn option(pair: Pair<'_, Rule>) -> Option<Option<AclOption>> {
    let log = |input: bool| {
        let cookie = pair.child(Rule::log_cookie);
        let cookie = cookie.and_then(|cookie| cookie.name(Rule::a_log_cookie));
        Some(AclOption::Log { input, cookie })
    };
    let value = |of: Rule, names, argument| named(pair.child(of)?, names, argument);
    Some(match pair.as_rule() {
        Rule::k_established => Some(AclOption::Established),
        Rule::tcp_flag => TcpFlag::from_word(pair.as_str().trim()).map(AclOption::Flag),
        Rule::tcp_flags_match => flags(&pair),
        Rule::dscp_match => value(Rule::dscp, DSCP_NAMES, Rule::a_dscp).map(AclOption::Dscp),
        Rule::precedence_match => {
            value(Rule::precedence, PRECEDENCES, Rule::a_precedence).map(AclOption::Precedence)
        }
        Rule::tos_match => value(Rule::tos, TYPES_OF_SERVICE, Rule::a_tos).map(AclOption::Tos),
        Rule::ttl_match => ttl(pair).map(AclOption::Ttl),
        Rule::ip_option_match => ip_option(pair).map(AclOption::IpOption),
        Rule::k_fragments => Some(AclOption::Fragments),
        Rule::log_option => log(false),
        Rule::log_input_option => log(true),
        Rule::time_range_match => pair.name(Rule::a_acl_time_range).map(AclOption::TimeRange),
        Rule::reflect_match => pair.name(Rule::a_reflect).and_then(|name| {
            let timeout = pair.number(Rule::a_reflect_timeout)?;
            Some(AclOption::Reflect(name, timeout))
        }),
        _ => return None,
    })
}

fn flags(pair: &Pair<'_, Rule>) -> Option<AclOption> {
    let bits = pair.clone().into_inner();
    let bits = bits.filter(|bit| bit.as_rule() == Rule::flag_match);
    let bit = |pair: Pair<'_, Rule>| {
        let text = pair.as_str().trim();
        Some((TcpFlag::from_word(text.get(1..)?)?, text.starts_with('+')))
    };
    Some(AclOption::Flags {
        all: pair.has(Rule::k_match_all),
        bits: bits.map(bit).collect::<Option<_>>()?,
    })
}

fn ttl(pair: Pair<'_, Rule>) -> Option<TtlMatch> {
    let mut inner = pair.into_inner().skip(1);
    let comparison = inner.next()?.as_rule();
    let mut value = || in_range(Rule::a_ttl, inner.next()?.as_str());
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
fn ip_option(pair: Pair<'_, Rule>) -> Option<Option<u8>> {
    let option = pair.child(Rule::ip_option)?;
    if option.has(Rule::k_option_any) {
        return Some(None);
    }
    named(option, IP_OPTIONS, Rule::a_ip_option).map(Some)
}

fn optional<'i, T>(
    pair: Option<Pair<'i, Rule>>,
    build: impl FnOnce(Pair<'i, Rule>) -> Option<T>,
) -> Option<Option<T>> {
    match pair {
        Some(pair) => build(pair).map(Some),
        None => Some(None),
    }
}

fn port_match(pair: Pair<'_, Rule>, names: &[(&str, u16)]) -> Option<PortMatch> {
    let mut inner = pair.into_inner();
    let comparison = inner.next()?.as_rule();
    let ports: Vec<u16> = inner.map(|pair| port(pair, names)).collect::<Option<_>>()?;
    let first = *ports.first().filter(|_| ports.len() <= MAX_PORTS)?;
    Some(match comparison {
        Rule::k_eq => PortMatch::Eq(ports),
        Rule::k_neq => PortMatch::Neq(ports),
        Rule::k_gt => PortMatch::Gt(first),
        Rule::k_lt => PortMatch::Lt(first),
        _ => PortMatch::Range(first, *ports.get(1)?),
    })
}

fn port(pair: Pair<'_, Rule>, names: &[(&str, u16)]) -> Option<u16> {
    let text = pair.as_str().trim();
    names
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, number)| *number)
        .or_else(|| in_range(Rule::a_port, text))
}

fn icmp(pair: Pair<'_, Rule>) -> Option<IcmpMatch> {
    let text = pair.as_str().trim();
    if let Some((_, message)) = ICMP_MESSAGES.iter().find(|(name, _)| *name == text) {
        return Some(*message);
    }
    Some(IcmpMatch {
        icmp_type: pair.number(Rule::a_icmp_type)??,
        code: pair.number(Rule::a_icmp_code)?,
    })
}

/// A value by its name, or as a number within the limits of `number`.
fn named(pair: Pair<'_, Rule>, names: &[(&str, u8)], argument: Rule) -> Option<u8> {
    let text = pair.as_str().trim();
    let known = names.iter().find(|(name, _)| *name == text);
    known.map_or_else(|| in_range(argument, text), |(_, value)| Some(*value))
}
