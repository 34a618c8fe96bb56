//! One line of an access-list as the kernel and IKE can express it. Called by [`super::order`].
//!
//! A `permit` line of a crypto map becomes one proxy identity, so it must be two prefixes, one protocol and at most one
//! port a side. A line that says more is refused with the reason, and what it covers is blocked: traffic that a crypto
//! map names never leaves in clear. `deny` lines only exempt; ranges of ports are fine there.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};
use isthmus_grammar::command::{
    AclAddress, AclCommand, AclEntry, AclOption, AclRule, Action, ConfigCommand, ConfigLine, Form,
    IpProtocol, PortMatch as Ports,
};
use isthmus_grammar::secrets::shown;
use isthmus_kernel::{PortMatch, Selector};

use crate::config::model::{ObjectGroups, UnknownRule};

/// Why a line cannot be obeyed that asks for this.
macro_rules! cannot_select {
    ($what:literal) => {
        concat!($what, " cannot select traffic for IPsec; leave it out")
    };
}

/// One line of an entry's access-list, or a line that is not understood and stands for one.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Protect, or leave to the next entry.
    pub action: Action,
    /// What it selects, in parts that are flows of their own where IKE can name them.
    pub meanings: Vec<Meaning>,
    text: Text,
}

#[derive(Debug, Clone, PartialEq)]
enum Text {
    Rule(AclRule),
    /// A line of the list that is not understood.
    Unknown(String),
    /// A line outside the list.
    Outside(String),
}

/// What is wrong with a line that the grammar does not know.
const NOT_UNDERSTOOD: &str = "not understood";

impl Line {
    /// A line of the list.
    #[must_use]
    pub fn of(rule: &AclRule, groups: &ObjectGroups) -> Self {
        let written = groups.write_out(rule);
        let mut meanings: Vec<Meaning> = written.rules.iter().map(meaning).collect();
        if let Some((rules, problem)) = &written.beyond {
            meanings.push(wide(rules, problem));
        }
        Self {
            action: rule.action,
            meanings,
            text: Text::Rule(rule.clone()),
        }
    }

    /// The proxy identities that it asks for.
    pub fn flows(
        &self,
    ) -> impl Iterator<Item = (ike::selector::Selector, ike::selector::Selector)> {
        let permits = self
            .meanings
            .iter()
            .filter(|_| self.action == Action::Permit);
        permits.filter_map(|meaning| flow(meaning).ok())
    }

    /// What the operator should know of a line that is obeyed but for this.
    #[must_use]
    pub fn note(&self) -> Option<&'static str> {
        let Text::Rule(rule) = &self.text else {
            return None;
        };
        let timed = |option: &AclOption| matches!(option, AclOption::TimeRange(_));
        let timed = rule.action == Action::Permit && rule.options.iter().any(timed);
        timed.then_some("time-range cannot be followed; its traffic is protected at all times")
    }

    /// A line of the list that is not understood; `None` for one that protects nothing in any case.
    #[must_use]
    pub fn unknown(line: &UnknownRule) -> Option<Self> {
        line.may(Action::Permit).then(|| Self {
            action: Action::Permit,
            meanings: vec![match line.is_evaluate() {
                true => wide([line.reach()], cannot_select!("evaluate")),
                false => not_understood([line.reach()]),
            }],
            text: Text::Unknown(line.text.clone()),
        })
    }

    /// A line outside the list that could permit what these rules are about; `None` if that is nothing.
    #[must_use]
    pub fn could_permit<'a>(
        text: &str,
        rules: impl IntoIterator<Item = &'a AclRule>,
    ) -> Option<Self> {
        let meaning = not_understood(rules);
        (!meaning.selectors.is_empty()).then(|| Self {
            action: Action::Permit,
            meanings: vec![meaning],
            text: Text::Outside(text.to_owned()),
        })
    }

    /// A line outside the list that could be about every packet.
    #[must_use]
    pub fn everything(text: &str) -> Self {
        Self {
            action: Action::Permit,
            meanings: vec![not_understood([&AclRule::permit(IpProtocol::ANY)])],
            text: Text::Outside(text.to_owned()),
        }
    }

    /// The line with its list, for messages about an entry.
    #[must_use]
    pub fn place(&self, list: &str, entry: &str) -> String {
        let text = self.shown();
        match &self.text {
            Text::Outside(_) => format!("{entry}: line \"{text}\""),
            Text::Rule(_) | Text::Unknown(_) => {
                format!("access-list {list}, used by {entry}: line \"{text}\"")
            }
        }
    }

    /// The line alone, without what may be secret.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.text {
            Text::Rule(rule) => text(rule),
            Text::Unknown(text) | Text::Outside(text) => shown(text, "..."),
        }
    }
}

fn not_understood<'a>(rules: impl IntoIterator<Item = &'a AclRule>) -> Meaning {
    wide(rules, NOT_UNDERSTOOD)
}

/// All that these rules are about, which is more than the line may mean.
fn wide<'a>(rules: impl IntoIterator<Item = &'a AclRule>, problem: &'static str) -> Meaning {
    let selectors = rules.into_iter().flat_map(|rule| meaning(rule).selectors);
    Meaning {
        selectors: selectors.collect(),
        problem: Some(problem),
    }
}

/// What an option asks of packets that neither IKE nor the kernel's policies can.
fn unselectable(option: &AclOption, action: Action) -> Option<&'static str> {
    Some(match option {
        AclOption::Established => cannot_select!("established"),
        AclOption::Flag(_) | AclOption::Flags { .. } => cannot_select!("a TCP flag"),
        AclOption::Dscp(_) => cannot_select!("dscp"),
        AclOption::Precedence(_) => cannot_select!("precedence"),
        AclOption::Tos(_) => cannot_select!("tos"),
        AclOption::Ttl(_) => cannot_select!("ttl"),
        AclOption::IpOption(_) => cannot_select!("option"),
        AclOption::Fragments => cannot_select!("fragments"),
        AclOption::Reflect(..) => cannot_select!("reflect"),
        AclOption::TimeRange(_) if action == Action::Deny => {
            "time-range cannot be followed; leave it out"
        }
        AclOption::TimeRange(_) | AclOption::Log { .. } => return None,
    })
}

/// What a line selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// Exactly what the line matches, in as few selectors as it takes; or, if `problem` is set, everything it could match.
    pub selectors: Vec<Selector>,
    /// Why the line cannot be expressed exactly.
    pub problem: Option<&'static str>,
}

impl Meaning {
    /// Every packet.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        let all = meaning(&AclRule::permit(IpProtocol::ANY)).selectors;
        self.selectors.iter().any(|selector| all.contains(selector))
    }
}

/// What the line matches.
#[must_use]
pub fn meaning(rule: &AclRule) -> Meaning {
    let mut problem = None;
    let mut note = |bad: bool, text| {
        if bad && problem.is_none() {
            problem = Some(text);
        }
    };
    let (source, exact_source) = prefix(&rule.source);
    let (destination, exact_destination) = prefix(&rule.destination);
    note(
        !exact_source || !exact_destination,
        "the wildcard bits are not contiguous; write one line for each prefix",
    );
    for option in &rule.options {
        if let Some(text) = unselectable(option, rule.action) {
            note(true, text);
        }
    }
    note(
        rule.igmp.is_some(),
        "IKE cannot name an IGMP type; write permit igmp without one",
    );
    note(
        rule.service.is_some(),
        "the services of its object-group are not known",
    );
    let base = Selector {
        protocol: rule.protocol.0,
        ..Selector::between(source, destination)
    };
    Meaning {
        selectors: with_ports(rule, base),
        problem,
    }
}

/// The proxy identity of a permit line, if it has one.
///
/// # Errors
/// Why not, in words for the operator.
pub fn flow(
    meaning: &Meaning,
) -> Result<(ike::selector::Selector, ike::selector::Selector), &'static str> {
    if let Some(problem) = meaning.problem {
        return Err(problem);
    }
    let [selector] = meaning.selectors.as_slice() else {
        return Err(
            "IKE can name one port, not a range; write permit lines with eq, or without ports",
        );
    };
    if [selector.source_port, selector.destination_port]
        .iter()
        .any(|p| !matches!(p.mask, 0 | 0xffff))
    {
        return Err(
            "IKE can name one port, not a range; write permit lines with eq, or without ports",
        );
    }
    if selector.protocol == 1 && selector.source_port != PortMatch::ANY {
        return Err("IKE cannot name an ICMP type; write permit icmp without one");
    }
    let side = |net: IpNet, port: PortMatch| {
        ike::selector::Selector::prefix(net.addr(), net.prefix_len(), selector.protocol, port.value)
    };
    Ok((
        side(selector.source, selector.source_port),
        side(selector.destination, selector.destination_port),
    ))
}

/// The line as it is typed.
fn text(rule: &AclRule) -> String {
    isthmus_grammar::render::render(&ConfigLine {
        form: Form::Set,
        command: ConfigCommand::ExtendedAcl(AclCommand::Entry {
            sequence: None,
            entry: AclEntry::Rule(rule.clone()),
        }),
    })
}

/// The prefix of an address, and whether it is exact or only the smallest that holds all.
fn prefix(address: &AclAddress) -> (IpNet, bool) {
    let is_group = matches!(address, AclAddress::Group(_));
    let (address, wildcard) = match address {
        AclAddress::Any | AclAddress::Group(_) => (Ipv4Addr::UNSPECIFIED, u32::MAX),
        AclAddress::Host(host) => (*host, 0),
        AclAddress::Wildcard { address, wildcard } => (*address, u32::from(*wildcard)),
    };
    let length = wildcard.leading_zeros();
    let exact = wildcard.checked_add(1).is_none_or(u32::is_power_of_two) && !is_group;
    let length = u8::try_from(length).unwrap_or(32);
    (
        IpNet::V4(Ipv4Net::new_assert(address, length).trunc()),
        exact,
    )
}

fn with_ports(rule: &AclRule, base: Selector) -> Vec<Selector> {
    if let Some(icmp) = &rule.icmp {
        let exactly = |value: u8| PortMatch::exactly(value.into());
        return vec![Selector {
            source_port: exactly(icmp.icmp_type),
            destination_port: icmp.code.map_or(PortMatch::ANY, exactly),
            ..base
        }];
    }
    let sources = blocks(rule.source_ports.as_ref());
    let destinations = blocks(rule.destination_ports.as_ref());
    let pairs = sources
        .iter()
        .flat_map(|s| destinations.iter().map(move |d| (*s, *d)));
    pairs
        .map(|(source_port, destination_port)| Selector {
            source_port,
            destination_port,
            ..base
        })
        .collect()
}

fn blocks(ports: Option<&Ports>) -> Vec<PortMatch> {
    match ports {
        None => vec![PortMatch::ANY],
        Some(Ports::Eq(ports)) => ports.iter().copied().map(PortMatch::exactly).collect(),
        Some(Ports::Neq(ports)) => all_but(ports),
        Some(Ports::Gt(port)) => port
            .checked_add(1)
            .map_or_else(Vec::new, |start| PortMatch::range(start, u16::MAX)),
        Some(Ports::Lt(port)) => port
            .checked_sub(1)
            .map_or_else(Vec::new, |end| PortMatch::range(0, end)),
        Some(Ports::Range(first, last)) => PortMatch::range(*first.min(last), *first.max(last)),
    }
}

fn all_but(ports: &[u16]) -> Vec<PortMatch> {
    let mut ports = ports.to_vec();
    ports.sort_unstable();
    let mut blocks = Vec::new();
    let mut start = Some(0);
    for port in ports {
        if let (Some(start), Some(end)) = (start, port.checked_sub(1)) {
            blocks.extend(PortMatch::range(start, end));
        }
        start = port.checked_add(1);
    }
    blocks.extend(
        start
            .into_iter()
            .flat_map(|start| PortMatch::range(start, u16::MAX)),
    );
    blocks
}

/// What the kernel takes fragments for: it reads no ports of them, and no type of ICMP, but compares 0.
const OF_FRAGMENTS: PortMatch = PortMatch::exactly(0);

/// The fragments of what a line with ports, or with a type of ICMP, selects: it does not select them by itself. IOS lets
/// them match by addresses and protocol.
pub fn fragments(meaning: &Meaning) -> impl Iterator<Item = Selector> {
    let selectors = meaning.selectors.iter();
    let with_ports = selectors.filter(|s| s.source_port.mask != 0 || s.destination_port.mask != 0);
    with_ports.map(|selector| Selector {
        source_port: OF_FRAGMENTS,
        destination_port: OF_FRAGMENTS,
        ..*selector
    })
}

/// A selector with ports, without what fragments of other packets would match.
#[must_use]
pub fn without_fragments(selector: &Selector) -> Vec<Selector> {
    let (source, destination) = (selector.source_port, selector.destination_port);
    let no_ports = source.mask == 0 && destination.mask == 0;
    if no_ports || !source.matches(0) || !destination.matches(0) {
        return vec![*selector];
    }
    if selector.protocol == 1 {
        return Vec::new();
    }
    let above = |port: PortMatch| match port.mask {
        0 => None,
        mask => Some(PortMatch::range(1, !mask)),
    };
    match (above(source), above(destination)) {
        (Some(ports), _) => ports
            .into_iter()
            .map(|source_port| Selector {
                source_port,
                ..*selector
            })
            .collect(),
        (None, Some(ports)) => ports
            .into_iter()
            .map(|destination_port| Selector {
                destination_port,
                ..*selector
            })
            .collect(),
        (None, None) => vec![*selector],
    }
}

/// An address of a proxy identity as the kernel's prefix; `None` for a range that is no prefix.
#[must_use]
pub fn network(selector: &ike::selector::Selector) -> Option<IpNet> {
    IpNet::new(selector.first, selector.prefix_length()?).ok()
}

/// Our side and the peer's side of a child as the kernel's outbound selector.
#[must_use]
pub fn outbound(
    local: &ike::selector::Selector,
    remote: &ike::selector::Selector,
) -> Option<Selector> {
    let port = |port: u16| {
        if port == 0 {
            PortMatch::ANY
        } else {
            PortMatch::exactly(port)
        }
    };
    Some(Selector {
        source: network(local)?,
        destination: network(remote)?,
        protocol: local.protocol,
        source_port: port(local.port),
        destination_port: port(remote.port),
    })
}

/// True if both are of one family and not the unspecified address.
#[must_use]
pub fn usable_pair(local: IpAddr, remote: IpAddr) -> bool {
    local.is_ipv4() == remote.is_ipv4() && !local.is_unspecified() && !remote.is_unspecified()
}
