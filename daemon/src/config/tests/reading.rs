//! How lines are read: whose a line is whatever its indentation, and what becomes of lines that are not obeyed.

use isthmus_grammar::InterfaceName;

use crate::config::model::Running;
use crate::config::{Context, Problem, load, merge, remove_kept, render};

const MAP: &str = "crypto map M 10 ipsec-isakmp\n set peer 192.0.2.1\n";

fn interface<'a>(running: &'a Running, name: &str) -> &'a crate::config::model::Interface {
    let name = InterfaceName::parse(name).unwrap();
    running.interfaces.get(&name).expect("the interface")
}

fn map_of(running: &Running, name: &str) -> Option<String> {
    interface(running, name).crypto_map.clone()
}

fn places(problems: &[Problem]) -> Vec<(usize, usize)> {
    problems.iter().map(|one| (one.line, one.below)).collect()
}

/// What is printed loads to the same, with the same lines kept.
#[track_caller]
fn stable(running: &Running) -> String {
    let text = render::text(running);
    assert_eq!(render::text(&load(&text, "again").0), text);
    text
}

#[test]
fn a_line_belongs_to_the_mode_that_takes_it_whatever_its_indentation() {
    for file in [
        "interface Gi0/1\n ip address 10.0.0.1 255.255.255.0\ncrypto map M\n",
        "interface Gi0/1\n ip address 10.0.0.1 255.255.255.0\n!\ncrypto map M\n",
        "  interface Gi0/1\n ip address 10.0.0.1 255.255.255.0\ncrypto map M\n",
        "interface Gi0/1\nip address 10.0.0.1 255.255.255.0\n        crypto map M\n",
        "interface Gi0/1\nip address 10.0.0.1 255.255.255.0\nvrf member X\ncrypto map M\n",
        "interface Gi0/1\n\tip address 10.0.0.1 255.255.255.0\n crypto map M\n",
        "\u{feff}interface Gi0/1\n ip address 10.0.0.1 255.255.255.0\n crypto map M\n",
        "interface Gi0/1\n ip address 10.0.0.1 255.255.255.0\ndo show clock\n crypto map M\n",
        "interface Gi0/1\n ip address 10.0.0.1 255.255.255.0\n do show clock\n  crypto map M\n",
        "interface Gi0/1\n ip address 10.0.0.1 255.255.255.0\n frobnicate\n   crypto map M\n",
        "interface Gi0/1\n ip address 10.0.0.1 255.255.255.0\nfrobnicate\n crypto map M\n",
        "interface Gi0/1\n ip address 10.0.0.1 255.255.255.0\n!\nfrobnicate\ncrypto map M\n",
        "interface Gi0/1\n ip address 10.0.0.1 255.0.255.0\n  ip address 10.0.0.1 255.255.255.0\n  crypto map M\n",
    ] {
        let (running, problems) = load(&format!("{MAP}{file}"), "f");
        assert_eq!(map_of(&running, "Gi0/1").as_deref(), Some("M"), "{file}");
        assert!(interface(&running, "Gi0/1").address.is_some(), "{file}");
        assert!(problems.len() <= 1, "{file}: {problems:?}");
        stable(&running);
    }
}

#[test]
fn a_line_that_two_modes_take_is_of_the_one_that_it_is_indented_for() {
    let group = "crypto isakmp client configuration group G\n key k\n";
    let (running, problems) = load(&format!("{group}!\nbanner motd ^CHello^C\n"), "f");
    assert_eq!((problems.len(), running.banners.len()), (0, 1));
    let (running, _) = load(&format!("{group} banner motd me\n"), "f");
    assert!(running.banners.is_empty());
}

#[test]
fn an_unknown_mode_has_its_lines_to_itself() {
    let before = "interface Gi0/0\n description first\n";
    let after = "interface Gi0/1\n description last\n";
    for unknown in [
        "router bgp 65000\n neighbor 10.0.0.1 remote-as 1\n description x\n",
        "router bgp 65000\n neighbor 10.0.0.1 remote-as 1\n description x\n exit\n",
        "router bgp 65000\nneighbor 10.0.0.1 remote-as 1\ndescription x\nexit\n",
        "router bgp 65000\n address-family ipv4\n  description x\n exit\nexit\n",
        "router bgp 65000\naddress-family ipv4\ndescription x\nexit\nexit\n",
        "interface Frob0/0 - 3\n description x\n crypto map M\n shutdown\n",
        "interface <outside>\ndescription x\ncrypto map M\nshutdown\nexit\n",
        "class-map match-any C\n description x\npolicy-map P\n class C\n  description x\n",
        "!\nsome-new-mode 5\n description x\n shutdown\n",
    ] {
        let (running, problems) = load(&format!("{MAP}{before}{unknown}{after}"), "f");
        let description = |name| interface(&running, name).description.clone();
        assert_eq!(description("Gi0/0").as_deref(), Some("first"), "{unknown}");
        assert_eq!(description("Gi0/1").as_deref(), Some("last"), "{unknown}");
        assert_eq!(map_of(&running, "Gi0/0"), None, "{unknown}");
        assert!(!interface(&running, "Gi0/0").shutdown, "{unknown}");
        assert!(
            problems.iter().any(|one| one.below > 0),
            "{unknown}: {problems:?}"
        );
        let text = stable(&running);
        assert!(text.contains(" description x\n"), "{text}");
    }
}

#[test]
fn a_header_that_is_refused_has_its_lines_to_itself() {
    let file = format!(
        "{MAP}interface Gi0/0\n description first\ncrypto map M 20 ipsec-isakmp frob\n set peer 192.0.2.9\n\
         \x20description x\nhostname R9\n"
    );
    let (running, problems) = load(&file, "f");
    assert_eq!(places(&problems), [(5, 2)]);
    assert_eq!(running.hostname(), "R9");
    assert_eq!(
        interface(&running, "Gi0/0").description.as_deref(),
        Some("first")
    );
    assert!(stable(&running).contains("frob\n set peer 192.0.2.9\n description x\n"));
}

#[test]
fn what_a_file_is_told_to_do_is_said_and_not_done() {
    let (running, problems) = load("do reload\nhostname R1\n", "f");
    assert_eq!(places(&problems), [(1, 0)]);
    assert!(!stable(&running).contains("reload"));
}

#[test]
fn interface_range_is_for_each_of_them() {
    let file = "interface range GigabitEthernet0/1 - 2 , Loopback7\n mtu 1400\n ip access-group 101 in\n frobnicate\nhostname R1\n";
    let (mut running, problems) = load(file, "f");
    assert_eq!(places(&problems), [(4, 0)]);
    let block = " mtu 1400\n no ip address\n ip access-group 101 in\n frobnicate\n";
    assert_eq!(stable(&running).matches(block).count(), 3);
    merge(
        &mut running,
        "int range gi0/1-2\n no mtu\n no frobnicate\n",
        "f",
    );
    let text = stable(&running);
    assert_eq!(text.matches(" frobnicate\n").count(), 1, "{text}");
    let (running, problems) = load("interface range Gi0/2 - 1\n shutdown\n", "f");
    assert_eq!(
        (places(&problems), running.interfaces.iter().count()),
        (vec![(1, 1)], 0)
    );
    stable(&running);
}

#[test]
fn an_address_that_is_refused_is_not_lost_by_saving() {
    let file = "interface Gi0/1\n ip address 10.0.0.1 255.255.255.0\ninterface Gi0/0\n ip address 10.0.0.2 255.255.255.0\n";
    let (running, problems) = load(file, "f");
    assert_eq!(places(&problems), [(4, 0)]);
    let text = render::text(&running);
    assert!(!text.contains("no ip address"), "{text}");
    let (again, _) = load(&text, "again");
    let text = render::text(&again);
    for line in ["ip address 10.0.0.1 ", "ip address 10.0.0.2 "] {
        assert_eq!(text.matches(line).count(), 1, "{text}");
    }
    assert!(!text.contains("no ip address"), "{text}");
}

#[test]
fn a_refused_address_goes_with_its_no_and_with_another_address() {
    let file = "interface Gi0/1\n ip address 10.0.0.1 255.255.255.0\ninterface Gi0/0\n ip address 10.0.0.2 255.255.255.0\n";
    for line in [
        "no ip address 10.0.0.2 255.255.255.0",
        "no ip address",
        "ip address 10.0.9.2 255.255.255.0",
        "ip address dhcp",
    ] {
        let (mut running, _) = load(file, "f");
        let problems = merge(&mut running, &format!("interface Gi0/0\n {line}\n"), "g");
        assert_eq!(problems, [], "{line}");
        assert!(!render::text(&running).contains("10.0.0.2"), "{line}");
    }
}

#[test]
fn lines_of_which_a_block_has_one_are_one() {
    let file = "interface Gi0/0\n ip address 10.0.0.1 255.255.255.0\n ip access-group 101 in\n ip access-group 102 in\n\
                 ip access-group 103 out\n ip address dhcp\n";
    let (mut running, problems) = load(file, "f");
    assert_eq!(problems, []);
    let text = stable(&running);
    assert!(
        text.contains(" ip address dhcp\n ip access-group 102 in\n ip access-group 103 out\n"),
        "{text}"
    );
    assert!(
        !text.contains("10.0.0.1") && !text.contains(" 101 "),
        "{text}"
    );
    merge(
        &mut running,
        "interface Gi0/0\n ip address 10.0.0.3 255.255.255.0\n",
        "f",
    );
    assert!(!stable(&running).contains("dhcp"));
    let kept =
        "interface Gi0/0\n ip address 10.1.0.1 255.0.255.0\n ip address 10.2.0.1 255.0.255.0\n";
    let text = stable(&load(kept, "f").0);
    assert!(
        !text.contains("10.1.0.1") && text.contains("10.2.0.1"),
        "{text}"
    );
}

#[test]
fn the_same_unknown_header_twice_is_one_block() {
    let file = "router bgp 1\n neighbor a\n address-family ipv4\n  network b\nhostname R1\n\
                router bgp 1\n neighbor a\n neighbor c\n address-family ipv4\n  network d\n";
    let (mut running, _) = load(file, "f");
    let text = stable(&running);
    let block =
        "router bgp 1\n neighbor a\n address-family ipv4\n  network b\n  network d\n neighbor c\n";
    assert!(text.contains(block), "{text}");
    assert!(remove_kept(&mut running, &Context::Global, "router bgp 1"));
    assert_eq!(running.not_understood(), 0);
}

#[test]
fn lines_that_were_not_understood_are_counted_once() {
    let file =
        "frob\n below\ninterface Gi0/0\n frob\nline vty 0 4\n frob\ncrypto keyring K\n  frob\n";
    let (running, problems) = load(file, "f");
    let told: usize = problems.iter().map(|one| 1 + one.below).sum();
    assert_eq!((running.not_understood(), told), (5, 5), "{problems:?}");
}
