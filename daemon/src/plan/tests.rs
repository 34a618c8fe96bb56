//! Access-list lines and crypto maps to selectors, flows and policies.

use std::net::IpAddr;

use ike::algorithm::{EspCipher, Integrity, IpsecProtocol, Mode};
use ike::config::{ChildLifetime, DfBit, EspTransform, TransformSet};
use isthmus_grammar::command::{AclCommand, AclEntry, AclRule, Command, ConfigCommand};
use isthmus_grammar::{Mode as Line, parser};
use isthmus_kernel::{Action, Direction, LinkInfo, PolicySpec, PortMatch, Reqid};

use super::crypto_map::Gather;
use super::entry::Entry;
use super::flows::Shape;
use super::selector::{self, Meaning};
use super::source::Source;
use super::whole::{FlowPlan, Names, Plan, plan};
use crate::config::model::ObjectGroups;
use crate::machine::interfaces::{InterfaceMap, InterfaceTable};

fn rule(text: &str) -> AclRule {
    match parser::parse(Line::ExtendedAcl, text).unwrap().command {
        Command::Config(line) => match line.command {
            ConfigCommand::ExtendedAcl(AclCommand::Entry {
                entry: AclEntry::Rule(rule),
                ..
            }) => rule,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn meaning(text: &str) -> Meaning {
    selector::meaning(&rule(text))
}

fn transform_set(mode: Mode) -> TransformSet {
    TransformSet {
        name: "TS".into(),
        ah: None,
        esp: Some(EspTransform {
            cipher: EspCipher::Aes256,
            integrity: Some(Integrity::HmacSha256),
        }),
        mode,
        require_transport: false,
    }
}

fn entry(sequence: u16, rules: &[&str]) -> Entry {
    Entry {
        interface: "wan0".into(),
        index: 2,
        gone: None,
        map: "VPN".into(),
        sequence,
        local: Some([192, 0, 2, 1].into()),
        inactive: None,
        unknown: None,
        peers: vec![[192, 0, 2, 2].into()],
        default_peer: false,
        access_list: format!("A{sequence}"),
        rules: rules
            .iter()
            .map(|text| selector::Line::of(&rule(text), &ObjectGroups::default()))
            .collect(),
        transform_sets: vec![transform_set(Mode::Tunnel)],
        pfs: None,
        lifetime: ChildLifetime {
            seconds: 3600,
            kilobytes: None,
        },
        replay_window: 64,
        df_bit: DfBit::Copy,
    }
}

fn planned(entries: &[Entry]) -> Plan {
    plan(entries, &mut Names::default())
}

fn only(plan: &Plan) -> &FlowPlan {
    assert_eq!(plan.flows.len(), 1);
    plan.flows.values().next().unwrap()
}

#[test]
fn lines_become_prefixes_protocols_and_ports() {
    let web = meaning("permit tcp 10.1.0.0 0.0.255.255 host 192.0.2.9 eq 443");
    let [selector] = web.selectors.as_slice() else {
        panic!("{web:?}");
    };
    assert_eq!(
        selector.to_string(),
        "10.1.0.0/16 -> 192.0.2.9/32 protocol 6 destination port 443"
    );
    let (local, remote) = selector::flow(&web).unwrap();
    assert_eq!(local.to_string(), "10.1.0.0/255.255.0.0/6/0");
    assert_eq!(remote.to_string(), "192.0.2.9/255.255.255.255/6/443");
    assert_eq!(selector::outbound(&local, &remote), Some(*selector));
    let any = meaning("permit ip any any");
    assert_eq!(any.selectors[0].to_string(), "0.0.0.0/0 -> 0.0.0.0/0");
}

#[test]
fn every_port_comparison_covers_exactly_its_ports() {
    for (text, wanted) in [
        ("eq 80", vec![80]),
        ("lt 3", vec![0, 1, 2]),
        ("gt 65533", vec![65534, 65535]),
        ("range 7 9", vec![7, 8, 9]),
        ("range 9 7", vec![7, 8, 9]),
    ] {
        let line = meaning(&format!("deny udp any {text} any"));
        let hit = |port: u16| {
            line.selectors
                .iter()
                .filter(|s| s.source_port.matches(port))
                .count()
        };
        for port in 0..=u16::MAX {
            assert_eq!(
                hit(port),
                usize::from(wanted.contains(&port)),
                "{text}: {port}"
            );
        }
    }
    let neq = meaning("deny udp any neq 53 any");
    assert!(!neq.selectors.iter().any(|s| s.source_port.matches(53)));
    assert!(neq.selectors.iter().any(|s| s.source_port.matches(54)));
    assert!(meaning("deny udp any lt 0 any").selectors.is_empty());
    let several = meaning("deny udp any neq 0 53 7 65535 any");
    for port in 0..=u16::MAX {
        let hit = several
            .selectors
            .iter()
            .filter(|s| s.source_port.matches(port));
        assert_eq!(
            hit.count(),
            usize::from(![0, 7, 53, 65535].contains(&port)),
            "{port}"
        );
    }
}

#[test]
fn what_ike_cannot_name_is_refused_with_the_reason() {
    for (line, word) in [
        ("permit tcp any any range 1 2", "port"),
        ("permit tcp any any established", "established"),
        ("permit ip 10.0.0.0 0.255.0.255 any", "wildcard"),
        ("permit icmp any any echo", "ICMP"),
        ("permit ip any any dscp ef", "dscp"),
    ] {
        let error = selector::flow(&meaning(line)).unwrap_err();
        assert!(error.contains(word), "{line}: {error}");
    }
    let wide = meaning("permit ip 10.0.0.0 0.255.0.255 any");
    assert_eq!(
        wide.selectors[0].source.to_string(),
        "10.0.0.0/8",
        "all it could mean is blocked"
    );
}

#[test]
fn a_permit_line_is_protected_out_and_demanded_in() {
    let plan = planned(&[entry(
        10,
        &["permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255"],
    )]);
    assert!(plan.problems.is_empty() && plan.fixed.is_empty());
    let flow = only(&plan);
    let policies = flow.policies(&flow.shape);
    let directions: Vec<Direction> = policies.iter().map(|p| p.key.direction).collect();
    assert_eq!(directions, [Direction::Out, Direction::In, Direction::Fwd]);
    let templates = |p: &PolicySpec| match &p.action {
        Action::Protect(templates) => templates.clone(),
        other => panic!("{other:?}"),
    };
    let out = templates(&policies[0])[0];
    assert_eq!(
        (out.source, out.destination),
        ([192, 0, 2, 1].into(), IpAddr::from([192, 0, 2, 2]))
    );
    assert_eq!(out.reqid, flow.reqid);
    assert_eq!(policies[0].key.interface, 2);
    assert_eq!(
        templates(&policies[1])[0].source,
        IpAddr::from([192, 0, 2, 2])
    );
}

#[test]
fn with_several_peers_any_of_them_may_come() {
    let mut several = entry(10, &["permit ip host 10.0.0.1 any"]);
    several.peers.push([192, 0, 2, 3].into());
    let plan = planned(&[several]);
    let flow = only(&plan);
    let shape = Shape {
        peer: [192, 0, 2, 3].into(),
        mode: Mode::Tunnel,
        protocols: vec![IpsecProtocol::Esp, IpsecProtocol::Ah],
    };
    for policy in flow.policies(&shape) {
        let Action::Protect(templates) = &policy.action else {
            continue;
        };
        assert_eq!(templates.len(), 2);
        let any = templates[0].source.is_unspecified();
        assert_eq!(any, policy.key.direction != Direction::Out);
    }
}

#[test]
fn transport_mode_is_for_the_peers_themselves() {
    let mut entry = entry(
        10,
        &[
            "permit ip host 192.0.2.1 host 192.0.2.2",
            "permit ip host 192.0.2.1 host 192.0.2.9",
        ],
    );
    entry.transform_sets = vec![transform_set(Mode::Transport)];
    let plan = planned(&[entry]);
    let mode = |remote: &str| {
        let connection = &plan.connections[0];
        let flow = connection
            .flows
            .iter()
            .find(|f| f.remote.first.to_string() == remote)
            .unwrap();
        plan.flows[&(connection.id, flow.id)].shape.mode
    };
    assert_eq!(mode("192.0.2.2"), Mode::Transport);
    assert_eq!(mode("192.0.2.9"), Mode::Tunnel);
}

#[test]
fn what_is_incomplete_is_blocked_and_named() {
    let line = "permit ip 10.1.0.0 0.0.255.255 any";
    let mut no_peer = entry(10, &[line]);
    no_peer.peers.clear();
    let mut no_set = entry(20, &[line]);
    no_set.transform_sets.clear();
    let mut no_address = entry(30, &[line]);
    no_address.local = None;
    let mut not_active = entry(40, &[line]);
    not_active.inactive = Some("set isakmp-profile P".into());
    for (incomplete, word) in [
        (no_peer, "peer"),
        (no_set, "transform-set"),
        (no_address, "address"),
        (not_active, "\"set isakmp-profile P\""),
    ] {
        let plan = planned(&[incomplete]);
        assert!(plan.connections.is_empty());
        assert!(plan.fixed.iter().all(|p| p.action == Action::Block));
        assert_eq!(plan.fixed.len(), 3);
        assert!(plan.problems[0].contains(word), "{:?}", plan.problems);
    }
}

#[test]
fn deny_lines_let_pass_and_keep_their_place() {
    let plan = planned(&[entry(
        10,
        &[
            "deny tcp any any eq 22",
            "permit ip 10.1.0.0 0.0.255.255 any",
        ],
    )]);
    let bypass = &plan.fixed[0];
    assert_eq!(bypass.action, Action::Bypass);
    assert_eq!(bypass.key.selector.destination_port, PortMatch::exactly(22));
    let flow = only(&plan);
    assert!(
        flow.policies(&flow.shape)
            .iter()
            .all(|p| p.priority > bypass.priority || p.action == Action::Bypass)
    );
}

#[test]
fn names_and_numbers_stay_when_other_entries_come_and_go() {
    let mut names = Names::default();
    let ten = entry(10, &["permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255"]);
    let five = entry(5, &["permit ip 10.1.0.0 0.0.255.255 10.3.0.0 0.0.255.255"]);
    let first = plan(std::slice::from_ref(&ten), &mut names);
    let second = plan(&[five, ten.clone()], &mut names);
    let name = |plan: &Plan, sequence| {
        let connection = plan
            .connections
            .iter()
            .find(|c| c.origin.map_entry() == Some(("VPN", sequence)))
            .unwrap();
        (connection.id, connection.flows[0].id)
    };
    assert_eq!(name(&first, 10), name(&second, 10));
    let reqid = |plan: &Plan| plan.flows[&name(plan, 10)].reqid;
    assert_eq!(reqid(&first), reqid(&second));
    let afresh = plan(&[ten], &mut Names::default());
    assert_eq!(reqid(&afresh), reqid(&first), "the same after a restart");
}

#[test]
fn the_same_line_on_two_interfaces_shares_its_number_and_acquires_tell_them_apart() {
    let one = entry(10, &["permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255"]);
    let mut two = one.clone();
    (two.interface, two.index) = ("wan1".into(), 3);
    let plan = planned(&[one, two]);
    let reqids: Vec<Reqid> = plan.flows.values().map(|f| f.reqid).collect();
    assert_eq!(reqids[0], reqids[1]);
    assert_ne!(
        plan.by_reqid[&(reqids[0], 2)],
        plan.by_reqid[&(reqids[0], 3)]
    );
}

#[test]
fn a_line_twice_is_one_flow() {
    let line = "permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255";
    let plan = planned(&[entry(10, &[line, line])]);
    assert_eq!(plan.connections[0].flows.len(), 1);
    assert_eq!(only(&plan).places.len(), 2);
}

/// The one entry of a configuration with crypto map VPN on wan0.
fn gathered(text: &str) -> Entry {
    let (running, problems) = crate::config::load(text, "f");
    assert_eq!(problems, [], "{text}");
    let mut table = InterfaceTable::new(InterfaceMap::default());
    let link = LinkInfo {
        index: 2,
        name: "wan0".into(),
        ethernet: true,
        ..LinkInfo::default()
    };
    table.refresh(vec![link], &[], &running);
    let gather = Gather::new(&running, &table);
    let place = gather.places().places.remove(0);
    let sequence = gather.sequences(&place).first().copied();
    gather.entries(&place, sequence.unwrap()).entries.remove(0)
}

#[test]
fn the_default_peer_comes_first() {
    let entry = |peers: &str| {
        gathered(&format!(
            "crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac\ncrypto map VPN 10 ipsec-isakmp\n{peers}\n \
             set transform-set TS\n match address A\ninterface wan0\n crypto map VPN\n\
             ip access-list extended A\n permit ip 10.1.0.0 0.0.255.255 any\n"
        ))
    };
    let peers = " set peer 192.0.2.1\n set peer 192.0.2.2\n set peer 192.0.2.3";
    let order =
        |entry: &Entry| -> Vec<String> { entry.peers.iter().map(IpAddr::to_string).collect() };
    let plain = entry(peers);
    assert_eq!(order(&plain), ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    assert!(!plain.default_peer);
    let default = entry(&peers.replace("2.2", "2.2 default"));
    assert_eq!(order(&default), ["192.0.2.2", "192.0.2.1", "192.0.2.3"]);
    assert!(default.default_peer);
}

/// Settings that would make a tunnel stricter, or another one, and are not obeyed yet: the entry does nothing but block.
#[test]
fn an_entry_waits_for_lines_that_are_not_active_and_says_which() {
    let config = |entry: &str, more: &str| {
        format!(
            "crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac\n{more}\ncrypto map VPN 10 {entry}\n \
             set peer 192.0.2.2\n set transform-set TS\n match address A\ninterface wan0\n crypto map VPN\n\
             ip access-list extended A\n permit ip 10.1.0.0 0.0.255.255 any\n"
        )
    };
    let inactive = |text: &str| gathered(text).inactive;
    assert_eq!(inactive(&config("ipsec-isakmp", "")), None);
    let harmless = "ipsec-isakmp\n set reverse-route tag 5\n reverse-route static";
    assert_eq!(inactive(&config(harmless, "")), None);
    for (entry, more, line) in [
        (
            "ipsec-isakmp\n set isakmp-profile P",
            "",
            "set isakmp-profile P",
        ),
        (
            "ipsec-isakmp\n set ip access-group 101 in",
            "",
            "set ip access-group 101 in",
        ),
        ("ipsec-isakmp profile P", "", "ipsec-isakmp profile P"),
        ("ipsec-manual", "", "ipsec-manual"),
        (
            "ipsec-isakmp",
            "crypto map VPN client authentication list X",
            "crypto map VPN client authentication list X",
        ),
    ] {
        assert_eq!(inactive(&config(entry, more)).as_deref(), Some(line));
    }
    let other = "crypto map OTHER client authentication list X";
    assert_eq!(inactive(&config("ipsec-isakmp", other)), None);
    let shared = config("ipsec-isakmp", "")
        .replace(" crypto map VPN\nip", " crypto map VPN redundancy HA\nip");
    assert_eq!(
        inactive(&shared).as_deref(),
        Some("crypto map VPN redundancy HA")
    );
}
