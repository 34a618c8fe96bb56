//! Access-list lines.

use pest::iterators::Pair;

use super::{Node, in_range};
use crate::command::{
    AclAddress, AclEntry, AclRule, Action, DSCP_NAMES, Dscp, ICMP_MESSAGES, IcmpMatch, IpProtocol,
    LogOption, PortMatch, StandardAclEntry, StandardRule, TCP_PORTS, UDP_PORTS,
};
use crate::parser::Rule;

/// The sequence number and the line of an extended list; outside `None` when there is a value out of range.
pub(super) fn extended(pair: &Pair<'_, Rule>) -> Option<(Option<u32>, Option<AclEntry>)> {
    let entry = match (pair.child(Rule::extended_rule), remark(pair)) {
        (Some(rule), _) => Some(AclEntry::Rule(extended_rule(rule)?)),
        (None, remark) => remark.map(AclEntry::Remark),
    };
    Some((pair.number(Rule::a_sequence)?, entry))
}

/// The sequence number and the line of a standard list.
pub(super) fn standard(pair: &Pair<'_, Rule>) -> Option<(Option<u32>, Option<StandardAclEntry>)> {
    let entry = match (pair.child(Rule::standard_rule), remark(pair)) {
        (Some(rule), _) => Some(StandardAclEntry::Rule(StandardRule {
            action: action(&rule),
            source: address(rule.child(Rule::standard_source)?)?,
            log: rule.has(Rule::k_log),
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
        source: address(addresses.next()?)?,
        source_ports: optional(source_ports, |pair| {
            port_match(pair.into_inner().next()?, ports)
        })?,
        destination: address(addresses.next()?)?,
        destination_ports: optional(destination_ports, |pair| port_match(pair, ports))?,
        icmp: optional(of.child(Rule::icmp_message), icmp)?,
        established: of.has(Rule::k_established),
        dscp: optional(pair.child(Rule::dscp_match), dscp)?,
        fragments: pair.has(Rule::k_fragments),
        log: pair
            .has(Rule::k_log)
            .then_some(LogOption::Log)
            .or_else(|| pair.has(Rule::k_log_input).then_some(LogOption::LogInput)),
    })
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
    let mut port = || port(inner.next()?, names);
    let first = port()?;
    match comparison {
        Rule::k_eq => Some(PortMatch::Eq(first)),
        Rule::k_neq => Some(PortMatch::Neq(first)),
        Rule::k_gt => Some(PortMatch::Gt(first)),
        Rule::k_lt => Some(PortMatch::Lt(first)),
        _ => Some(PortMatch::Range(first, port()?)),
    }
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

fn dscp(pair: Pair<'_, Rule>) -> Option<Dscp> {
    let text = pair.text(Rule::dscp)?.trim();
    let named = DSCP_NAMES
        .iter()
        .find(|(name, _)| *name == text)
        .map(|(_, value)| *value);
    named.or_else(|| in_range(Rule::a_dscp, text)).map(Dscp)
}
