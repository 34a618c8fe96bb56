//! Object groups: the addresses and services that their names stand for, and the lines of access-lists with such names
//! written out. Used by `plan` for crypto maps and by `access-class`.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use ipnet::{Ipv4Net, Ipv4Subnets};
use isthmus_grammar::command::{
    AclAddress, AclCommand, AclEntry, AclRule, Command, ConfigCommand, IpProtocol, PortMatch,
};
use isthmus_grammar::{Mode, parser};

use super::{RetainedEntry, Running};

/// How many rules one line may stand for: each is a flow of its own in a crypto map.
pub const MAX_RULES: usize = 1000;

/// The object groups of a configuration.
#[derive(Debug, Default)]
pub struct ObjectGroups {
    networks: HashMap<String, Group<AclAddress>>,
    services: HashMap<String, Group<AclRule>>,
}

#[derive(Debug)]
struct Group<T> {
    members: Vec<T>,
    others: Vec<String>,
    /// Every line of it is understood.
    whole: bool,
}

/// What a line of an access-list says without names of groups and lists of ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Together they match what the line does, as far as that is known.
    pub rules: Vec<AclRule>,
    /// What the line could match besides, and why that is not known.
    pub beyond: Option<(Vec<AclRule>, &'static str)>,
}

/// How deep groups may stand in groups.
const MAX_DEPTH: usize = 64;
const NOT_KNOWN: &str = "an object-group of it does not exist, is empty, has itself in it, or has lines that are not understood";
const TOO_MANY: &str = "it stands for more than 1000 flows; use fewer and wider prefixes";

impl Running {
    /// What the lines below `object-group` say.
    pub fn object_groups(&self) -> ObjectGroups {
        let mut groups = ObjectGroups::default();
        for entry in self.retained.iter() {
            let name = || {
                entry
                    .line
                    .words()
                    .rsplit(' ')
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            };
            match entry.line.enters() {
                Some(Mode::NetworkGroup) => {
                    groups.networks.insert(name(), Group::read(entry, networks));
                }
                Some(Mode::ServiceGroup) => {
                    groups.services.insert(name(), Group::read(entry, services));
                }
                _ => {}
            }
        }
        groups
    }
}

impl<T: Clone> Group<T> {
    fn read(entry: &RetainedEntry, member: impl Fn(&str) -> Option<Vec<T>>) -> Self {
        let mut group = Self {
            members: Vec::new(),
            others: Vec::new(),
            whole: entry.kept.is_empty(),
        };
        for line in entry.block.iter().map(|entry| entry.line.words()) {
            if let Some(other) = line.strip_prefix("group-object ") {
                group.others.push(other.to_owned());
            } else if !line.starts_with("description ") {
                match member(line) {
                    Some(members) => group.members.extend(members),
                    None => group.whole = false,
                }
            }
        }
        group
    }

    /// The members of a group and of the groups in it, each once; and whether all of them are known. A group that is
    /// empty, or that has itself in it, does not say what was meant.
    fn members(groups: &HashMap<String, Self>, name: &str) -> (Vec<T>, bool) {
        let mut members = Vec::new();
        let whole = Self::collect(
            groups,
            name,
            &mut Vec::new(),
            &mut HashSet::new(),
            &mut members,
        );
        (members, whole)
    }

    fn collect<'a>(
        groups: &'a HashMap<String, Self>,
        name: &'a str,
        above: &mut Vec<&'a str>,
        seen: &mut HashSet<&'a str>,
        members: &mut Vec<T>,
    ) -> bool {
        if above.contains(&name) || above.len() == MAX_DEPTH {
            return false;
        }
        let Some(group) = groups.get(name) else {
            return false;
        };
        if !seen.insert(name) {
            return true;
        }
        members.extend(group.members.iter().cloned());
        let mut whole = group.whole && !(group.members.is_empty() && group.others.is_empty());
        above.push(name);
        for other in &group.others {
            whole &= Self::collect(groups, other, above, seen, members);
        }
        above.pop();
        whole
    }
}

/// A line of a network group as prefixes.
fn networks(line: &str) -> Option<Vec<AclAddress>> {
    let words: Vec<&str> = line.split(' ').collect();
    let address = |word: &str| word.parse::<Ipv4Addr>().ok();
    Some(match words.as_slice() {
        ["any"] => vec![AclAddress::Any],
        ["host", host] => vec![AclAddress::Host(address(host)?)],
        ["range", first, last] => {
            let (first, last) = (address(first)?, address(last)?);
            let prefixes = Ipv4Subnets::new(first.min(last), first.max(last), 0);
            prefixes.map(prefix).collect()
        }
        [network, mask] => {
            vec![prefix(
                Ipv4Net::with_netmask(address(network)?, address(mask)?).ok()?,
            )]
        }
        _ => return None,
    })
}

fn prefix(net: Ipv4Net) -> AclAddress {
    AclAddress::with_wildcard(net.network(), net.hostmask())
}

/// A line of a service group as rules between all addresses.
fn services(line: &str) -> Option<Vec<AclRule>> {
    if let Some(ports) = line.strip_prefix("tcp-udp") {
        let udp = service("udp", ports)?;
        let tcp = AclRule {
            protocol: IpProtocol::TCP,
            ..udp.clone()
        };
        return Some(vec![tcp, udp]);
    }
    let (protocol, ports) = line.split_once(' ').unwrap_or((line, ""));
    Some(vec![service(protocol, ports)?])
}

/// The words of a service group are those of an access-list, but for `source` and an `eq` that may be left out.
fn service(protocol: &str, words: &str) -> Option<AclRule> {
    let mut ports: [Vec<&str>; 2] = Default::default();
    let mut words: Vec<&str> = words.split_whitespace().collect();
    if words.first() == Some(&"source") {
        let length = match words.get(1) {
            Some(&"range") => 3,
            Some(&("eq" | "gt" | "lt")) => 2,
            _ => 1,
        };
        let rest = words.split_off((1 + length).min(words.len()));
        ports[0] = words.split_off(1);
        words = rest;
    }
    ports[1] = words;
    let compared = |ports: &[&str]| {
        let bare = ports.len() == 1 && protocol != "icmp";
        format!("{} {}", if bare { "eq" } else { "" }, ports.join(" "))
    };
    let line = format!(
        "permit {protocol} any {} any {}",
        compared(&ports[0]),
        compared(&ports[1])
    );
    match parser::parse(Mode::ExtendedAcl, &line).ok()?.command {
        Command::Config(line) => match line.command {
            ConfigCommand::ExtendedAcl(AclCommand::Entry {
                entry: AclEntry::Rule(rule),
                ..
            }) => Some(rule),
            _ => None,
        },
        _ => None,
    }
}

impl ObjectGroups {
    /// A rule with its groups and lists of ports written out.
    pub fn write_out(&self, rule: &AclRule) -> Written {
        let (sources, sources_known) = self.addresses(&rule.source);
        let (destinations, destinations_known) = self.addresses(&rule.destination);
        let (services, services_known) = self.services(rule);
        let pairs = sources.len().saturating_mul(destinations.len());
        if pairs.saturating_mul(services.len()) > MAX_RULES {
            let any = |known: bool, addresses| match known {
                true => addresses,
                false => vec![AclAddress::Any],
            };
            let sources = any(sources_known, sources);
            return too_many(rule, &sources, &any(destinations_known, destinations));
        }
        let mut rules = Vec::new();
        for service in &services {
            for source in &sources {
                let to = destinations.iter().map(|destination| AclRule {
                    source: source.clone(),
                    destination: destination.clone(),
                    ..service.clone()
                });
                rules.extend(to);
            }
        }
        let known = sources_known && destinations_known && services_known;
        let any = |known: bool, address: &AclAddress| match known {
            true => address.clone(),
            false => AclAddress::Any,
        };
        let beyond = || {
            let wide = AclRule {
                source: any(sources_known, &rule.source),
                destination: any(destinations_known, &rule.destination),
                service: rule.service.clone().filter(|_| services_known),
                ..rule.clone()
            };
            // What is left of its groups is known, but may be too many flows.
            let written = self.write_out(&wide);
            let too_many = written.beyond.into_iter().flat_map(|(rules, _)| rules);
            let rules = written.rules.into_iter().chain(too_many);
            (rules.collect(), NOT_KNOWN)
        };
        Written {
            rules,
            beyond: (!known).then(beyond),
        }
    }

    fn addresses(&self, address: &AclAddress) -> (Vec<AclAddress>, bool) {
        match address {
            AclAddress::Group(name) => Group::members(&self.networks, name),
            one => (vec![one.clone()], true),
        }
    }

    /// The rule with each of its services, in place of its own addresses still those of the rule.
    fn services(&self, rule: &AclRule) -> (Vec<AclRule>, bool) {
        let Some(name) = &rule.service else {
            return (each_port(rule), true);
        };
        let (members, known) = Group::members(&self.services, name);
        let of = |member: AclRule| AclRule {
            action: rule.action,
            options: rule.options.clone(),
            ..member
        };
        (members.into_iter().map(of).collect(), known)
    }
}

/// One rule for each of several ports.
fn each_port(rule: &AclRule) -> Vec<AclRule> {
    let each = |ports: &Option<PortMatch>| match ports {
        Some(PortMatch::Eq(ports)) => ports
            .iter()
            .map(|port| Some(PortMatch::Eq(vec![*port])))
            .collect(),
        other => vec![other.clone()],
    };
    let sources = each(&rule.source_ports);
    let destinations = each(&rule.destination_ports);
    let pairs = sources
        .iter()
        .flat_map(|source| destinations.iter().map(move |to| (source, to)));
    let one = |(source, destination): (&Option<PortMatch>, &Option<PortMatch>)| AclRule {
        source_ports: source.clone(),
        destination_ports: destination.clone(),
        ..rule.clone()
    };
    pairs.map(one).collect()
}

/// As much of the addresses as is few enough.
fn too_many(rule: &AclRule, sources: &[AclAddress], destinations: &[AclAddress]) -> Written {
    let any = [AclAddress::Any];
    let few = |sides: &[&[AclAddress]]| {
        sides.iter().map(|side| side.len()).product::<usize>() <= MAX_RULES
    };
    let (sources, destinations) = match () {
        () if few(&[sources, destinations]) => (sources, destinations),
        () if few(&[sources]) => (sources, &any[..]),
        () if few(&[destinations]) => (&any[..], destinations),
        () => (&any[..], &any[..]),
    };
    let wide = AclRule {
        action: rule.action,
        ..AclRule::permit(rule.protocol)
    };
    let pairs = sources
        .iter()
        .flat_map(|source| destinations.iter().map(move |to| (source, to)));
    let rules = pairs.map(|(source, destination)| AclRule {
        source: source.clone(),
        destination: destination.clone(),
        ..wide.clone()
    });
    Written {
        rules: Vec::new(),
        beyond: Some((rules.collect(), TOO_MANY)),
    }
}

#[cfg(test)]
mod tests {
    use isthmus_grammar::command::{ConfigLine, Form};
    use isthmus_grammar::render::render;

    use super::*;
    use crate::config::load;

    fn rule(line: &str) -> AclRule {
        let Command::Config(parsed) = parser::parse(Mode::ExtendedAcl, line).expect(line).command
        else {
            panic!("{line}");
        };
        let ConfigCommand::ExtendedAcl(AclCommand::Entry {
            entry: AclEntry::Rule(rule),
            ..
        }) = parsed.command
        else {
            panic!("{line}");
        };
        rule
    }

    fn text(rule: &AclRule) -> String {
        let entry = AclEntry::Rule(rule.clone());
        render(&ConfigLine {
            form: Form::Set,
            command: ConfigCommand::ExtendedAcl(AclCommand::Entry {
                sequence: None,
                entry,
            }),
        })
    }

    fn written(groups: &str, line: &str) -> (Vec<String>, Vec<String>) {
        let (running, _) = load(groups, "f");
        let written = running.object_groups().write_out(&rule(line));
        let beyond = written.beyond.map(|(rules, _)| rules).unwrap_or_default();
        (
            written.rules.iter().map(text).collect(),
            beyond.iter().map(text).collect(),
        )
    }

    const GROUPS: &str = "object-group network A\n description two sites\n host 10.1.0.1\n 10.3.0.77 255.255.255.0\n!\n\
        object-group network B\n range 10.2.0.4 10.2.0.6\n group-object C\n!\n\
        object-group network C\n group-object B\n any\n!\n\
        object-group service S\n tcp source eq www gt 1023\n udp domain\n tcp-udp eq 5\n esp\n icmp echo\n tcp range 7 9\n!\n\
        object-group network E\n!\nobject-group network K\n host 10.1.0.1\n frobnicate\n";

    #[test]
    fn a_line_says_what_its_groups_and_ports_say_one_by_one() {
        let (rules, beyond) = written(GROUPS, "permit tcp object-group A host 10.2.0.1 eq 80 443");
        assert_eq!(beyond, [""; 0]);
        assert_eq!(
            rules,
            [
                "permit tcp host 10.1.0.1 host 10.2.0.1 eq www",
                "permit tcp 10.3.0.0 0.0.0.255 host 10.2.0.1 eq www",
                "permit tcp host 10.1.0.1 host 10.2.0.1 eq 443",
                "permit tcp 10.3.0.0 0.0.0.255 host 10.2.0.1 eq 443",
            ]
        );
        let (rules, beyond) = written(GROUPS, "deny object-group S any host 10.2.0.1 time-range W");
        assert_eq!(beyond, [""; 0]);
        assert_eq!(
            rules,
            [
                "deny tcp any host 10.2.0.1 eq 5 time-range W",
                "deny udp any host 10.2.0.1 eq 5 time-range W",
                "deny tcp any eq www host 10.2.0.1 gt 1023 time-range W",
                "deny tcp any host 10.2.0.1 range echo discard time-range W",
                "deny udp any host 10.2.0.1 eq domain time-range W",
                "deny icmp any host 10.2.0.1 echo time-range W",
                "deny esp any host 10.2.0.1 time-range W",
            ]
        );
        // Ranges are prefixes, and groups in each other end.
        let (rules, _) = written(GROUPS, "permit ip any object-group B");
        assert_eq!(
            rules,
            [
                "permit ip any 10.2.0.4 0.0.0.1",
                "permit ip any host 10.2.0.6",
                "permit ip any any"
            ]
        );
        // An empty group does not say what was meant.
        let (rules, beyond) = written(GROUPS, "permit ip any object-group E");
        assert!(rules.is_empty());
        assert_eq!(beyond, ["permit ip any any"]);
    }

    #[test]
    fn what_is_not_known_of_a_group_could_be_anything() {
        let (rules, beyond) = written(GROUPS, "permit ip object-group K object-group A");
        assert_eq!(rules.len(), 2);
        assert_eq!(
            beyond,
            [
                "permit ip any host 10.1.0.1",
                "permit ip any 10.3.0.0 0.0.0.255"
            ]
        );
        let (rules, beyond) = written(GROUPS, "permit object-group X object-group A any");
        assert_eq!(rules, [""; 0]);
        assert_eq!(
            beyond,
            [
                "permit ip host 10.1.0.1 any",
                "permit ip 10.3.0.0 0.0.0.255 any"
            ]
        );
    }

    #[test]
    fn a_line_that_stands_for_too_much_says_as_much_as_it_may() {
        let hosts = |net: u8| {
            (0..40)
                .map(move |n| format!(" host 10.{net}.0.{n}\n"))
                .collect::<String>()
        };
        let groups = format!(
            "object-group network P\n{}object-group network Q\n{}",
            hosts(1),
            hosts(2)
        );
        let (rules, beyond) = written(&groups, "permit udp object-group P object-group Q eq 1");
        assert_eq!((rules.len(), beyond.len()), (0, 40));
        assert_eq!(beyond[0], "permit udp host 10.1.0.0 any");
        let (rules, beyond) = written(
            &groups,
            "permit udp object-group P any eq 1 2 3 4 5 6 7 8 9 10",
        );
        assert_eq!((rules.len(), beyond.len()), (400, 0));
        // Access-class asks what is denied.
        let (_, beyond) = written(&groups, "deny udp object-group P object-group Q eq 1");
        assert_eq!(beyond[0], "deny udp host 10.1.0.0 any");
    }

    #[test]
    fn a_line_of_too_many_flows_that_is_not_all_known_could_be_anything() {
        let hosts = |net: u8, count: u8| {
            (0..count)
                .map(move |n| format!(" host 10.{net}.0.{n}\n"))
                .collect::<String>()
        };
        let known = format!(
            "object-group network P\n{}object-group network Q\n{}",
            hosts(1, 40),
            hosts(2, 40)
        );
        // The rest of the line is too many.
        let line = "permit object-group X object-group P object-group Q";
        let (rules, beyond) = written(&known, line);
        assert_eq!((rules.len(), beyond.len()), (0, 40));
        assert_eq!(beyond[0], "permit ip host 10.1.0.0 any");
        // One side of what is too many is not all known.
        let groups = known.replace("network P\n", "network P\n frobnicate\n");
        let (rules, beyond) = written(&groups, "permit ip object-group P object-group Q");
        assert_eq!((rules.len(), beyond.len()), (0, 40));
        assert_eq!(beyond[0], "permit ip any host 10.2.0.0");
        let groups = known.replace("network Q\n", "network Q\n frobnicate\n");
        let (_, beyond) = written(&groups, "permit ip object-group P object-group Q");
        assert_eq!(beyond[0], "permit ip host 10.1.0.0 any");
        let (_, beyond) = written(
            &groups,
            "permit tcp object-group Q object-group Q eq 1 2 3 4 5 6 7 8 9 10",
        );
        assert_eq!(beyond, ["permit tcp any any"]);
    }
}
