//! A line of an access-list that the grammar does not know, and what it could mean all the same: as much of it as can be
//! read by itself. Made by the loader; `plan` blocks what such a line could protect, `access-class` turns away the
//! callers that it could deny.

use std::net::Ipv4Addr;

use isthmus_grammar::command::{AclAddress, AclKind, AclRule, Action, IpProtocol};

/// What `evaluate` lines begin with.
const EVALUATE: &str = "evaluate ";

/// A line that is kept as it was typed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnknownRule {
    /// The line without its sequence number; with it where no words follow ([`UnknownRule::says_number`]).
    pub text: String,
    /// The lines that were indented below it, with their indentation relative to it.
    pub below: Vec<String>,
    effect: Effect,
    /// Every packet that it could be about.
    reach: AclRule,
}

/// What the line does with a packet that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Effect {
    /// It is a remark, or takes something away.
    Nothing,
    Certainly(Action),
    /// The action cannot be read.
    Either,
}

impl UnknownRule {
    /// Reads a line of a list; its sequence number comes first, if it has one.
    pub fn read(kind: AclKind, line: &str, below: Vec<String>) -> (Option<u32>, UnknownRule) {
        let line = line.trim();
        let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let numbered = first.bytes().all(|byte| byte.is_ascii_digit());
        let number = first
            .parse()
            .ok()
            .filter(|n| (1..=super::acl::LAST).contains(n));
        // What follows a number must be words: otherwise the line without it would be read in another way.
        let words_follow = rest
            .trim()
            .starts_with(|first: char| !first.is_ascii_digit());
        let words: Vec<&str> = line
            .split_whitespace()
            .skip(usize::from(numbered))
            .collect();
        let effect = effect(words.first().copied().unwrap_or_default());
        let readable = below.is_empty() && effect != Effect::Either;
        let reach = match kind {
            _ if !readable => None,
            AclKind::Extended => extended(&words[1..]),
            AclKind::Standard => Some(rule(
                IpProtocol::ANY,
                source_only(&words[1..]),
                AclAddress::Any,
            )),
        };
        let everything = || rule(IpProtocol::ANY, AclAddress::Any, AclAddress::Any);
        let unknown = UnknownRule {
            text: match number {
                Some(_) if words_follow => rest.trim_start(),
                _ => line,
            }
            .to_owned(),
            effect: if below.is_empty() {
                effect
            } else {
                Effect::Either
            },
            below,
            reach: reach.unwrap_or_else(everything),
        };
        (number, unknown)
    }

    /// `evaluate LIST`, which is understood, but not which packets it is about: answers to what LIST has seen.
    pub fn evaluate(list: &str) -> UnknownRule {
        let (_, unknown) =
            UnknownRule::read(AclKind::Extended, &format!("{EVALUATE}{list}"), Vec::new());
        unknown
    }

    /// The text begins with this number, so that it is printed without another.
    pub fn says_number(&self, number: u32) -> bool {
        let first = self.text.split_whitespace().next();
        first.is_some_and(|first| first.parse() == Ok(number))
    }

    /// It is `evaluate`.
    pub fn is_evaluate(&self) -> bool {
        self.text.starts_with(EVALUATE)
    }

    /// Whether the line could be one that does this.
    pub fn may(&self, action: Action) -> bool {
        self.effect == Effect::Either || self.effect == Effect::Certainly(action)
    }

    /// A rule that is about every packet that the line could be about, and perhaps more.
    pub fn reach(&self) -> &AclRule {
        &self.reach
    }
}

fn rule(protocol: IpProtocol, source: AclAddress, destination: AclAddress) -> AclRule {
    AclRule {
        source,
        destination,
        ..AclRule::permit(protocol)
    }
}

fn effect(word: &str) -> Effect {
    if abbreviates(word, "permit", 1) || abbreviates(word, "evaluate", 2) {
        Effect::Certainly(Action::Permit)
    } else if abbreviates(word, "deny", 3) {
        Effect::Certainly(Action::Deny)
    } else if abbreviates(word, "remark", 1)
        || abbreviates(word, "no", 2)
        || abbreviates(word, "default", 3)
    {
        Effect::Nothing
    } else {
        Effect::Either
    }
}

/// At least `least` letters of a keyword.
pub fn abbreviates(word: &str, keyword: &str, least: usize) -> bool {
    word.len() >= least && keyword.starts_with(&word.to_ascii_lowercase())
}

/// Protocol and addresses of what follows the action; `None` where not even the protocol can be read.
fn extended(words: &[&str]) -> Option<AclRule> {
    if let ["object-group", _, rest @ ..] = words {
        return between(IpProtocol::ANY, rest);
    }
    let (protocol, rest) = words.split_first()?;
    let protocol = IpProtocol::from_word(&protocol.to_ascii_lowercase())?;
    between(protocol, rest)
}

fn between(protocol: IpProtocol, words: &[&str]) -> Option<AclRule> {
    let unread = match address(words) {
        Some((source, rest)) => match address(after_ports(rest)) {
            Some((destination, rest)) if !rest.iter().any(|word| is_address(word)) => {
                let protocol = of_all(protocol, rest);
                return Some(rule(protocol, source, destination));
            }
            Some((_, rest)) => rest,
            None if rest.iter().any(|word| is_address(word)) => rest,
            None => {
                let protocol = of_all(protocol, rest);
                return Some(rule(protocol, source, AclAddress::Any));
            }
        },
        None => words,
    };
    // More addresses than a line has, or fewer: none of them is sure.
    let protocol = of_all(protocol, unread);
    Some(rule(protocol, AclAddress::Any, AclAddress::Any))
}

/// The word is an address, or begins one.
fn is_address(word: &str) -> bool {
    let keyword = ["any", "host", "object-group"].contains(&word.to_ascii_lowercase().as_str());
    keyword || word.parse::<Ipv4Addr>().is_ok()
}

/// The protocol, or every one if these words name another.
fn of_all(protocol: IpProtocol, words: &[&str]) -> IpProtocol {
    let named = |word: &&str| {
        let is_name = word.starts_with(|first: char| first.is_ascii_alphabetic());
        is_name && IpProtocol::from_word(&word.to_ascii_lowercase()).is_some()
    };
    match words.iter().any(named) {
        true => IpProtocol::ANY,
        false => protocol,
    }
}

/// An address and what follows it.
fn address<'a, 'w>(words: &'a [&'w str]) -> Option<(AclAddress, &'a [&'w str])> {
    let (first, rest) = words.split_first()?;
    let dotted = |word: Option<&&str>| word.and_then(|word| word.parse::<Ipv4Addr>().ok());
    if abbreviates(first, "any", 1) {
        return Some((AclAddress::Any, rest));
    }
    if *first == "object-group" && !rest.is_empty() {
        return Some((AclAddress::Any, &rest[1..]));
    }
    let second = dotted(rest.first())?;
    if abbreviates(first, "host", 1) {
        return Some((AclAddress::Host(second), &rest[1..]));
    }
    let address = dotted(Some(first))?;
    Some((AclAddress::with_wildcard(address, second), &rest[1..]))
}

/// What follows the comparison of ports, if there is one: its ports go up to the next address.
fn after_ports<'a, 'w>(words: &'a [&'w str]) -> &'a [&'w str] {
    let compares = |word: &&str| {
        ["eq", "neq", "gt", "lt", "range"].contains(&word.to_ascii_lowercase().as_str())
    };
    if !words.first().is_some_and(compares) {
        return words;
    }
    let address = (1..words.len()).find(|at| address(&words[*at..]).is_some());
    address.map_or(&[], |at| &words[at..])
}

/// The source of a standard line. An address followed by what cannot be read is not trusted to be a single one.
fn source_only(words: &[&str]) -> AclAddress {
    let single = |word: &&str| word.parse().ok().map(AclAddress::Host);
    match words {
        [host] => single(host).unwrap_or(AclAddress::Any),
        [host, log, ..] if abbreviates(log, "log", 2) => single(host).unwrap_or(AclAddress::Any),
        words => address(words).map_or(AclAddress::Any, |(found, _)| found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(line: &str) -> String {
        let (_, unknown) = UnknownRule::read(AclKind::Extended, line, Vec::new());
        let show = |address: &AclAddress| match address {
            AclAddress::Any => "any".to_owned(),
            AclAddress::Host(host) => format!("host {host}"),
            other => format!("{other:?}"),
        };
        let rule = unknown.reach();
        format!(
            "{} {} {}",
            rule.protocol,
            show(&rule.source),
            show(&rule.destination)
        )
    }

    #[test]
    fn what_can_be_read_keeps_the_block_narrow() {
        for (line, wanted) in [
            (
                "permit tcp host 10.1.0.1 host 10.2.0.1 eq 80 foo",
                "tcp host 10.1.0.1 host 10.2.0.1",
            ),
            (
                "per udp host 10.1.0.1 eq 5 6 7 host 10.2.0.1 foo",
                "udp host 10.1.0.1 host 10.2.0.1",
            ),
            ("20 permit 50 h 10.1.0.1 an bar", "esp host 10.1.0.1 any"),
            (
                "permit tcp 10.1.0.1 0.0.0.0 10.2.0.1 0.0.0.0 %",
                "tcp host 10.1.0.1 host 10.2.0.1",
            ),
        ] {
            assert_eq!(reach(line), wanted, "{line}");
        }
    }

    #[test]
    fn what_cannot_be_read_reaches_everything() {
        for line in [
            "extra permit ip host 10.1.0.1 host 10.2.0.1",
            "permit",
            "permit foo host 10.1.0.1 host 10.2.0.1",
            "prmit ip host 10.1.0.1 host 10.2.0.1",
            "99999999999 dynamic X permit ip any any",
        ] {
            assert_eq!(reach(line), "ip any any", "{line}");
        }
        assert_eq!(reach("permit udp 10.1.0.0/24 host 10.2.0.1"), "udp any any");
        assert_eq!(
            reach("permit udp host 10.1.0.1 10.2.0.0/24"),
            "udp host 10.1.0.1 any"
        );
        for line in [
            "permit ip host 10.1.0.1 host 10.2.0.1 0.0.0.255",
            "permit ip host 10.1.0.1 0.0.0.255 host 10.2.0.1",
            "permit ip host 10.1.0.1 host 10.2.0.1 - 10.2.0.9",
            "permit ip host 10.1.0.1 host 10.2.0.1 and host 10.2.0.9",
            "permit ip any host 10.2.0.1 any",
            "permit tcp udp host 10.1.0.1 host 10.2.0.1",
        ] {
            assert_eq!(reach(line), "ip any any", "{line}");
        }
        assert_eq!(
            reach("permit icmp host 10.1.0.1 host 10.2.0.1 or udp"),
            "ip host 10.1.0.1 host 10.2.0.1"
        );
        let below = vec![" permit ip any any".to_owned()];
        let (_, unknown) = UnknownRule::read(AclKind::Extended, "remark x", below);
        assert!(unknown.may(Action::Permit));
    }

    #[test]
    fn the_action_decides_what_a_line_may_do() {
        for (line, permit, deny) in [
            ("permit ip any any foo", true, false),
            ("deny ip any any foo", false, true),
            ("30 deny ip any any foo", false, true),
            ("de ip any any", true, true),
            ("evaluate X Y", true, false),
            ("remark\tx", false, false),
            ("no permit foo", false, false),
        ] {
            let (_, unknown) = UnknownRule::read(AclKind::Extended, line, Vec::new());
            assert_eq!(unknown.may(Action::Permit), permit, "{line}");
            assert_eq!(unknown.may(Action::Deny), deny, "{line}");
        }
    }

    #[test]
    fn a_standard_line_has_a_source_only() {
        let source = |line| {
            let (number, unknown) = UnknownRule::read(AclKind::Standard, line, Vec::new());
            (number, unknown.reach().source.clone())
        };
        let host = AclAddress::Host([10, 1, 0, 1].into());
        assert_eq!(source("15 permit 10.1.0.1 log W"), (Some(15), host.clone()));
        assert_eq!(source("permit host 10.1.0.1 foo"), (None, host));
        assert_eq!(source("permit 10.1.0.0 /24"), (None, AclAddress::Any));
        assert_eq!(source("permit 10.1.0.0/24"), (None, AclAddress::Any));
    }
}
