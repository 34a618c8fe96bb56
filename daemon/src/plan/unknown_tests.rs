//! Nothing that a crypto map is meant to protect leaves in clear, whatever is not understood in what it says: whole
//! configurations, and what becomes of packets that leave by the interface with the map.

use std::net::Ipv4Addr;

use isthmus_kernel::{Action, Direction, LinkInfo, PolicySpec};

use super::units::{self, Dirty};
use super::whole::{Plan, written};
use crate::machine::interfaces::{InterfaceMap, InterfaceTable};

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Clear,
    Dropped,
    Protected,
}
use Fate::{Clear, Dropped, Protected};

/// A router with this configuration and an interface wan0.
pub(super) struct Bench {
    plan: Plan,
    pub(super) problems: Vec<String>,
}

impl Bench {
    pub(super) fn new(text: &str) -> Self {
        let (running, _) = crate::config::load(text, "f");
        let mut table = InterfaceTable::new(InterfaceMap::default());
        let link = LinkInfo {
            index: 2,
            name: "wan0".into(),
            ethernet: true,
            ..LinkInfo::default()
        };
        table.refresh(vec![link], &[], &running);
        let mut plan = units::Plan::default();
        let everything = Dirty {
            everything: true,
            ..Dirty::default()
        };
        plan.update(
            &super::crypto_map::Gather::new(&running, &table),
            &everything,
        );
        let plan = written(&plan);
        Self {
            problems: plan.problems.clone(),
            plan,
        }
    }

    /// What becomes of a TCP packet from port 1024 to 80 that leaves by wan0.
    pub(super) fn fate(&self, source: &str, destination: &str) -> Fate {
        self.fate_of(source, destination, 6, 1024, 80)
    }

    pub(super) fn fate_of(
        &self,
        source: &str,
        destination: &str,
        protocol: u8,
        from: u16,
        to: u16,
    ) -> Fate {
        let address = |text: &str| text.parse::<Ipv4Addr>().unwrap().into();
        let (source, destination) = (address(source), address(destination));
        let flows = self.plan.flows.values();
        let mut policies: Vec<PolicySpec> =
            flows.flat_map(|flow| flow.policies(&flow.shape)).collect();
        policies.extend(self.plan.fixed.iter().cloned());
        policies.sort_by_key(|policy| policy.priority);
        let first = policies.iter().find(|policy| {
            let key = &policy.key;
            let selector = &key.selector;
            key.direction == Direction::Out
                && matches!(key.interface, 0 | 2)
                && selector.matches(source, destination, protocol, from, to)
        });
        match first.map(|policy| &policy.action) {
            None | Some(Action::Bypass) => Clear,
            Some(Action::Block) => Dropped,
            Some(Action::Protect(_)) => Protected,
        }
    }

    /// The one problem that has this word.
    fn problem(&self, word: &str) -> &str {
        let mut found = self
            .problems
            .iter()
            .filter(|problem| problem.contains(word));
        let problem = found
            .next()
            .unwrap_or_else(|| panic!("{word}: {:?}", self.problems));
        assert_eq!(found.next(), None, "{word}");
        problem
    }
}

/// One peer, one entry with list A.
pub(super) fn with_list(lines: &str) -> String {
    format!(
        "crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac\n!\n\
         crypto map VPN 10 ipsec-isakmp\n set peer 192.0.2.2\n set transform-set TS\n match address A\n!\n\
         interface wan0\n ip address 192.0.2.1 255.255.255.0\n crypto map VPN\n!\n\
         ip access-list extended A\n{lines}\n!\n"
    )
}

const PERMIT: &str = " permit ip 10.1.0.0 0.0.0.255 10.2.0.0 0.0.0.255";

#[test]
fn a_line_that_is_not_understood_drops_what_it_could_mean_in_its_place() {
    let bench = Bench::new(&with_list(&format!(
        "{PERMIT}\n permit tcp 10.1.1.0 0.0.0.255 10.2.1.0 0.0.0.255 frobnicate 5\n \
         permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255"
    )));
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Protected);
    assert_eq!(bench.fate("10.1.1.9", "10.2.1.9"), Dropped);
    assert_eq!(bench.fate_of("10.1.1.9", "10.2.1.9", 17, 1, 1), Protected);
    assert_eq!(bench.fate("10.1.2.9", "10.2.2.9"), Protected);
    assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear);
    assert_eq!(
        bench.problem("frobnicate"),
        "access-list A, used by crypto map VPN 10: line \"permit tcp 10.1.1.0 0.0.0.255 10.2.1.0 0.0.0.255 frobnicate 5\": \
         not understood; its traffic is dropped"
    );
}

#[test]
fn what_is_below_an_interface_that_is_not_understood_is_dropped_on_every_way_out() {
    for header in [
        "interface wan0 extra",
        "interface Foo0/0/0/0/0/0",
        "int wan 0 0",
    ] {
        let text = with_list(PERMIT).replace("interface wan0\n", &format!("{header}\n"));
        let bench = Bench::new(&text);
        assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped, "{header}");
        assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear, "{header}");
        assert_eq!(
            bench.problem("is not understood"),
            format!(
                "crypto map VPN 10: interface line \"{header}\" is not understood; until that is changed its traffic is dropped"
            )
        );
    }
}

#[test]
fn a_line_that_cannot_be_read_drops_everything_after_what_is_understood() {
    for line in [
        "extra permit ip any any",
        "permit foo any any",
        "prmit ip host 1.1.1.1 any",
    ] {
        let bench = Bench::new(&with_list(&format!("{PERMIT}\n {line}")));
        assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Protected, "{line}");
        assert_eq!(bench.fate("10.9.0.9", "8.8.8.8"), Dropped, "{line}");
        let word = line.split(' ').next().unwrap();
        assert!(
            bench
                .problem(&format!("\"{word} "))
                .ends_with("everything that leaves wan0 is dropped")
        );
    }
}

#[test]
fn a_deny_that_is_not_understood_exempts_nothing() {
    let bench = Bench::new(&with_list(&format!(
        " deny ip any any frobnicate\n{PERMIT}"
    )));
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Protected);
    assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear);
    let bench = Bench::new(&with_list(&format!(" remark\tx\n no permit foo\n{PERMIT}")));
    assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear);
}

#[test]
fn a_list_of_unknown_lines_only_drops_and_one_without_lines_protects_nothing() {
    let bench = Bench::new(&with_list(" permit ip 10.1.0.0 0.0.0.255 any frobnicate"));
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped);
    assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear);
    let bench = Bench::new(&with_list(" remark nothing"));
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Clear);
    assert!(bench.problem("access-list A").contains("protects nothing"));
}

#[test]
fn numbered_and_standard_lists_are_no_different() {
    let numbered =
        |lines: &str| with_list("").replace("match address A", "match address 101") + lines;
    let bench = Bench::new(&numbered(
        "access-list 101 permit ip 10.1.0.0 0.0.0.255 any\naccess-list 101 extra permit ip any any\n",
    ));
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Protected);
    assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Dropped);
    assert!(
        bench
            .problem("\"extra permit")
            .starts_with("access-list 101, used by crypto map VPN 10")
    );
    let standard = with_list(" permit 10.1.0.0 0.0.0.255 frobnicate")
        .replace("list extended", "list standard");
    let bench = Bench::new(&standard);
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped);
    assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear);
}

#[test]
fn a_header_of_a_list_with_a_word_too_many_drops_what_stands_below_it() {
    let text = with_list(PERMIT).replace("extended A", "extended A extra");
    let bench = Bench::new(&text);
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped);
    assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear);
    bench.problem("crypto map VPN 10: line \"ip access-list extended A extra\": not understood");
    // Nothing to read below it, or nothing that can be read.
    for lines in ["", " frobnicate"] {
        let bench = Bench::new(&with_list(lines).replace("extended A", "extendde A"));
        assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Dropped);
    }
    let harmless = with_list(PERMIT) + "ip access-list resequence A 10 10 extra\n";
    assert_eq!(Bench::new(&harmless).fate("10.9.0.9", "10.2.0.9"), Clear);
    // Of another list.
    let bench = Bench::new(&with_list(&format!(
        "{PERMIT}\n!\nip access-list extended B extra\n permit ip any any"
    )));
    assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear);
}

#[test]
fn a_header_of_an_entry_with_a_word_too_many_drops_what_its_list_permits() {
    let text = with_list(PERMIT).replace("ipsec-isakmp", "ipsec-isakmp extra");
    let bench = Bench::new(&text);
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped);
    assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear);
    assert_eq!(
        bench.problem("crypto map VPN 10"),
        "crypto map VPN 10: line \"crypto map VPN 10 ipsec-isakmp extra\": not understood; until that is changed its \
         traffic is dropped"
    );
    let bench = Bench::new(&text.replace("match address A", "match address A B"));
    assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Dropped);
    // A line about the whole map says nothing about traffic.
    let harmless = with_list(PERMIT) + "crypto map VPN local-address wan0 extra\n";
    assert_eq!(Bench::new(&harmless).fate("10.9.0.9", "10.2.0.9"), Clear);
}

#[test]
fn an_entry_above_others_keeps_its_place() {
    let second = "crypto map VPN 5 ipsec-isakmp extra\n set peer 192.0.2.3\n match address B\n!\n\
                  ip access-list extended B\n permit ip host 10.1.0.9 any\n";
    let bench = Bench::new(&(with_list(PERMIT) + second));
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped);
    assert_eq!(bench.fate("10.1.0.8", "10.2.0.9"), Protected);
    let bench = Bench::new(&(with_list(PERMIT) + &second.replace("VPN 5", "VPN 15")));
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Protected);
    assert_eq!(bench.fate("10.1.0.9", "10.3.0.9"), Dropped);
}

#[test]
fn a_match_line_that_is_not_understood_drops_what_the_list_could_be() {
    let bench = Bench::new(&with_list(PERMIT).replace("match address A", "match address A extra"));
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped);
    assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear);
    bench.problem("crypto map VPN 10: line \"match address A extra\": not understood");
    for line in ["match address", "match address 700", "macth address Q"] {
        let bench = Bench::new(&with_list("").replace("match address A", line));
        assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Dropped, "{line}");
    }
    // A line that is about something else leaves the entry as it is: without a list.
    let bench = Bench::new(&with_list(PERMIT).replace("match address A", "set frobnication 5"));
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Clear);
}

#[test]
fn a_map_that_an_interface_could_have_drops_what_it_is_for() {
    let bench =
        Bench::new(&with_list(PERMIT).replace(" crypto map VPN\n", " crypto map VPN extra\n"));
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped);
    assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear);
    bench.problem("line \"crypto map VPN extra\": not understood");
}

#[test]
fn everything_that_leaves_is_not_what_ike_needs() {
    let bench = Bench::new(&with_list(" extra permit"));
    assert!(
        bench.plan.overlaps(),
        "traffic from inside must not be taken for the peer's"
    );
}

#[test]
fn several_ports_and_object_groups_are_flows_of_their_own() {
    let bench = Bench::new(&with_list(
        " permit tcp host 10.1.0.1 host 10.2.0.1 eq 80 443",
    ));
    assert_eq!(bench.plan.flows.len(), 2);
    assert_eq!(bench.problems, [""; 0]);
    for (port, fate) in [(80, Protected), (443, Protected), (81, Clear)] {
        assert_eq!(
            bench.fate_of("10.1.0.1", "10.2.0.1", 6, 1024, port),
            fate,
            "{port}"
        );
    }
    let groups = "object-group network A\n host 10.1.0.1\n host 10.1.0.2\n!\nobject-group network B\n 10.2.0.0 255.255.255.0\n!\n\
                  object-group service S\n tcp eq www\n udp range 5 6\n!\n";
    let bench = Bench::new(
        &(groups.to_owned() + &with_list(" permit object-group S object-group A object-group B")),
    );
    assert_eq!(bench.plan.flows.len(), 2);
    for (host, protocol, port, fate) in [
        ("10.1.0.1", 6, 80, Protected),
        ("10.1.0.2", 6, 80, Protected),
        ("10.1.0.2", 17, 5, Dropped),
        ("10.1.0.2", 17, 7, Clear),
        ("10.1.0.3", 6, 80, Clear),
    ] {
        assert_eq!(
            bench.fate_of(host, "10.2.0.1", protocol, 1024, port),
            fate,
            "{host} {protocol} {port}"
        );
    }
    bench.problem("IKE can name one port");
}

#[test]
fn a_group_that_is_not_known_drops_what_it_could_be() {
    let groups = "object-group network A\n host 10.1.0.1\n frobnicate\n!\n";
    let bench =
        Bench::new(&(groups.to_owned() + &with_list(" permit ip object-group A host 10.2.0.1")));
    assert_eq!(bench.fate("10.1.0.1", "10.2.0.1"), Protected);
    assert_eq!(bench.fate("10.9.0.1", "10.2.0.1"), Dropped);
    assert_eq!(bench.fate("10.9.0.1", "10.2.0.2"), Clear);
    bench.problem("has lines that are not understood; its traffic is dropped");
    let bench = Bench::new(&with_list(&format!(
        " deny ip object-group X any\n{PERMIT}"
    )));
    assert_eq!(bench.fate("10.1.0.1", "10.2.0.1"), Protected);
    bench.problem("it exempts nothing");
    let unknown = "object-group network A extra\n host 10.1.0.1\n!\n";
    let bench =
        Bench::new(&(unknown.to_owned() + &with_list(" permit ip object-group A host 10.2.0.1")));
    assert_eq!(bench.fate("10.9.0.1", "10.2.0.1"), Dropped);
}

#[test]
fn what_cannot_select_traffic_drops_it_and_a_time_range_protects_at_all_times() {
    for option in [
        "established",
        "syn",
        "match-any +syn -ack",
        "dscp ef",
        "precedence flash",
        "tos 4",
        "ttl gt 5",
        "option any-options",
        "fragments",
        "reflect R timeout 5",
        "log dscp ef",
        "dscp ef log-input W",
    ] {
        let bench = Bench::new(&with_list(&format!(
            " permit tcp host 10.1.0.1 host 10.2.0.1 {option}"
        )));
        assert_eq!(bench.fate("10.1.0.1", "10.2.0.1"), Dropped, "{option}");
        assert_eq!(bench.fate("10.1.0.1", "10.2.0.2"), Clear, "{option}");
        bench.problem("cannot select traffic for IPsec; leave it out; its traffic is dropped");
        let bench = Bench::new(&with_list(&format!(" deny tcp any any {option}\n{PERMIT}")));
        assert_eq!(bench.fate("10.1.0.1", "10.2.0.1"), Protected, "{option}");
    }
    let bench = Bench::new(&with_list(&format!("{PERMIT} time-range W log N")));
    assert_eq!(bench.fate("10.1.0.1", "10.2.0.1"), Protected);
    bench.problem("its traffic is protected at all times");
    let bench = Bench::new(&with_list(&format!(
        " deny ip any any time-range W\n{PERMIT}"
    )));
    assert_eq!(bench.fate("10.1.0.1", "10.2.0.1"), Protected);
    let bench = Bench::new(&with_list(&format!("{PERMIT}\n evaluate R")));
    assert_eq!(bench.fate("10.9.0.1", "10.2.0.1"), Dropped);
    bench.problem("line \"evaluate R\": evaluate cannot select traffic for IPsec");
}

/// The kernel takes the ports of fragments for 0.
#[test]
fn fragments_of_what_is_protected_never_leave_in_clear() {
    const X_Y: &str = "10.1.0.0 0.0.0.255 10.2.0.0 0.0.0.255";
    for (lines, protocol, fate) in [
        (format!(" permit udp {X_Y} eq 5555"), 17, Dropped),
        (
            format!(" permit udp {X_Y} eq 5555\n deny ip any any"),
            17,
            Dropped,
        ),
        (
            format!(" permit udp {X_Y} eq 5555\n permit ip {X_Y}"),
            17,
            Protected,
        ),
        (format!(" permit tcp {X_Y} gt 1023"), 6, Dropped),
        (format!(" permit icmp {X_Y} echo"), 1, Dropped),
        (
            format!(" deny udp {X_Y} lt 100\n permit ip {X_Y}"),
            17,
            Protected,
        ),
        (
            format!(" deny udp {X_Y} neq 5555\n permit ip {X_Y}"),
            17,
            Protected,
        ),
        (
            format!(" deny icmp {X_Y} echo-reply\n permit ip {X_Y}"),
            1,
            Protected,
        ),
        (
            format!(" deny udp {X_Y} eq 9\n permit ip {X_Y}"),
            17,
            Protected,
        ),
        (format!(" deny udp {X_Y}\n permit ip {X_Y}"), 17, Clear),
    ] {
        let bench = Bench::new(&with_list(&lines));
        let seen = bench.fate_of("10.1.0.9", "10.2.0.9", protocol, 0, 0);
        assert_eq!(seen, fate, "{lines}");
    }
    let some = Bench::new(&with_list(&format!(
        " deny udp {X_Y} lt 100\n permit ip {X_Y}"
    )));
    let port = |port| some.fate_of("10.1.0.9", "10.2.0.9", 17, 1024, port);
    assert_eq!([port(1), port(99), port(100)], [Clear, Clear, Protected]);
}

#[test]
fn a_misspelled_map_on_an_interface_drops_what_the_map_is_for() {
    for line in [
        "crypto mpa VPN",
        "crpto map VPN",
        "cryptomap VPN",
        "crypto-map VPN redundancy R",
    ] {
        let text = with_list(PERMIT).replace("\n crypto map VPN\n", &format!("\n {line}\n"));
        let bench = Bench::new(&text);
        assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped, "{line}");
        assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear, "{line}");
        bench.problem(&format!("line \"{line}\": not understood"));
        let unapplied = |problem: &String| problem.contains("is on no interface");
        assert!(
            !bench.problems.iter().any(unapplied),
            "{:?}",
            bench.problems
        );
    }
    for line in [
        "no crypto mpa VPN",
        "default frobnicate VPN",
        "desc\u{7f} VPN",
        "frobnicate OTHER",
    ] {
        let text = with_list(PERMIT).replace("\n crypto map VPN\n", &format!("\n {line}\n"));
        let fate = Bench::new(&text).fate("10.1.0.9", "10.2.0.9");
        let says_map = line.starts_with("desc\u{7f}");
        assert_eq!(fate, if says_map { Dropped } else { Clear }, "{line}");
    }
}

#[test]
fn a_misspelled_header_of_an_interface_drops_what_the_map_below_it_is_for() {
    for (header, line) in [
        ("interfce wan0", "crypto map VPN"),
        ("itnerface wan0", "crypto map VPN extra"),
        ("ethernet wan0", "crypto mpa VPN"),
        ("interface wan0 extra", "mpa VPN"),
    ] {
        let text = with_list(PERMIT)
            .replace("interface wan0\n", &format!("{header}\n"))
            .replace("\n crypto map VPN\n", &format!("\n {line}\n"));
        let bench = Bench::new(&text);
        assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped, "{header}");
        assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear, "{header}");
        bench.problem(&format!("line \"{header}\" is not understood"));
    }
    // What only speaks of something of the same name is no interface with the map.
    let other = "route-map VPN permit 10 extra\n match ip address VPN\n!\n";
    let text = with_list(PERMIT).replace("\n crypto map VPN\n", "\n") + other;
    assert_eq!(Bench::new(&text).fate("10.1.0.9", "10.2.0.9"), Clear);
}

/// One entry that names dynamic map D, these lines, and lists A and B.
fn with_dynamic(lines: &str) -> String {
    with_list(PERMIT)
        .replace("ipsec-isakmp\n", "ipsec-isakmp dynamic D\n")
        .replace(
            " set peer 192.0.2.2\n set transform-set TS\n match address A\n",
            "",
        )
        + "ip access-list extended B\n permit ip 10.3.0.0 0.0.0.255 any\n!\n"
        + lines
}

#[test]
fn a_header_of_a_dynamic_map_that_is_not_understood_drops_what_its_lists_permit() {
    let bench = Bench::new(&with_dynamic(
        "crypto dynamic-map D 5 extra\n match address A\n",
    ));
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped);
    assert_eq!(bench.fate("10.3.0.9", "10.2.0.9"), Clear);
    for lines in [
        "crypto dynamic-map D 5 extra\n set transform-set TS\n",
        "crypto dynamic-map D 5 extra\n macth address A\n",
        "crypto dynamic-map D five\n match adress A\n",
        "crypto dynamic-map D 5 extra\n match address A\n match adress B\n",
    ] {
        let bench = Bench::new(&with_dynamic(lines));
        assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Dropped, "{lines}");
        let missing = |problem: &String| problem.contains("does not exist");
        assert!(!bench.problems.iter().any(missing), "{:?}", bench.problems);
    }
    // One that no map uses.
    let bench = Bench::new(&with_dynamic(
        "crypto dynamic-map E 5 extra\n match adress A\n",
    ));
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Clear);
}

#[test]
fn a_match_line_of_a_dynamic_map_that_is_not_understood_drops_what_it_could_be() {
    let of = |line: &str| Bench::new(&with_dynamic(&format!("crypto dynamic-map D 5\n {line}\n")));
    for line in ["match address A extra", "match adress A", "macth address A"] {
        let bench = of(line);
        assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped, "{line}");
        assert_eq!(bench.fate("10.3.0.9", "10.2.0.9"), Clear, "{line}");
    }
    let bench = of("match address A\n match adress B");
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped);
    assert_eq!(bench.fate("10.3.0.9", "10.2.0.9"), Dropped);
    for line in ["match address", "match adress Q"] {
        assert_eq!(of(line).fate("10.9.0.9", "10.2.0.9"), Dropped, "{line}");
    }
    let bench = of("set frobnication 5");
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Clear);
}

#[test]
fn a_match_line_below_a_header_that_is_not_understood_is_not_passed_over() {
    let text = with_list(PERMIT).replace("ipsec-isakmp", "ipsec-isakmp extra");
    for lines in [
        "match address A\n match adress B",
        "match adress A",
        "macth address A",
    ] {
        let bench = Bench::new(&text.replace("match address A", lines));
        assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Dropped, "{lines}");
    }
}

#[test]
fn misspelled_headers_of_entries_and_lists_drop_what_stands_below_them() {
    for header in [
        "crypto mpa VPN 10 ipsec-isakmp",
        "cyrpto map VPN 10 ipsec-isakmp",
        "cryptomap VPN 10",
    ] {
        let text = with_list(PERMIT).replace("crypto map VPN 10 ipsec-isakmp", header);
        let bench = Bench::new(&text);
        assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped, "{header}");
        assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear, "{header}");
    }
    for header in [
        "ip acess-list extended A",
        "pi access-list extended A",
        "ipaccess-list extended A",
    ] {
        let text = with_list(PERMIT).replace("ip access-list extended A", header);
        let bench = Bench::new(&text);
        assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped, "{header}");
        assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear, "{header}");
    }
    for word in [
        "acces-list 101",
        "access-lists 101 extended",
        "accesslist 101",
    ] {
        let text = with_list("").replace("match address A", "match address 101");
        let bench = Bench::new(&format!("{text}{word}{PERMIT}\n"));
        assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped, "{word}");
        assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear, "{word}");
    }
    // Other things with the names of map and list.
    let others =
        "route-map VPN permit 10 extra\n match ip address A\nip prefix-list A seq 5 frob\n";
    let bench = Bench::new(&(with_list(PERMIT) + others));
    assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Protected);
    assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear);
}

#[test]
fn object_groups_that_name_nothing_drop_what_they_could_mean() {
    for groups in [
        "object-group network B",
        "object-group network B\n description none",
        "object-group network B\n group-object B",
        "object-group network B\n group-object C\nobject-group network C\n group-object B",
        "object-group network B\n host 10.2.0.1\n group-object C\nobject-group network C",
    ] {
        let list = " permit ip 10.1.0.0 0.0.0.255 object-group B";
        let bench = Bench::new(&format!("{groups}\n!\n{}", with_list(list)));
        assert_eq!(bench.fate("10.1.0.9", "10.2.0.9"), Dropped, "{groups}");
        assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear, "{groups}");
    }
}

#[test]
fn an_entry_that_something_cuts_in_two_drops_what_its_list_permits() {
    for cut in [
        " exit",
        "hostname X",
        "interface Loopback0",
        "crypto keyring K",
        "router bgp 1\n!",
    ] {
        let cut_in_two = format!("\n{cut}\n match address A\n");
        let text = with_list(PERMIT).replace("\n match address A\n", &cut_in_two);
        let bench = Bench::new(&text);
        assert_eq!(
            bench.fate("10.1.0.9", "10.2.0.9"),
            Dropped,
            "{cut}: {:?}",
            bench.problems
        );
        assert_eq!(bench.fate("10.9.0.9", "10.2.0.9"), Clear, "{cut}");
    }
}
