//! Whole files: what is loaded, what is reported, what is kept, and that it prints and loads again.

use isthmus_grammar::InterfaceName;
use isthmus_grammar::command::LineKind;

use crate::config::model::Change;
use crate::config::{Context, load, merge, remove_kept, render};

const FILE: &str = include_str!("../../../tests/configs/branch.cfg");

#[test]
fn a_whole_file_loads_prints_and_loads_again() {
    let (running, problems) = load(FILE, "branch.cfg");
    let places: Vec<(usize, &str, usize)> = problems
        .iter()
        .map(|problem| (problem.line, problem.text.as_str(), problem.below))
        .collect();
    assert_eq!(
        places,
        [
            (46, "bfd template LAN", 0),
            (47, "standby 1 ip 198.51.100.9", 1),
            (57, "router ospf 1", 2),
            (79, "exec banner off", 0),
        ]
    );
    let text = render::text(&running);
    let (again, _) = load(&text, "again");
    assert_eq!(render::text(&again), text);
    let known = |text: &str| -> Vec<String> {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut lines: Vec<String> = text
            .lines()
            .map(words)
            .filter(|line| !line.starts_with('!') && !line.is_empty())
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(
        known(&text),
        known(FILE),
        "every line is there, and no other"
    );
}

#[test]
fn kept_lines_stay_where_they_stood_and_can_be_removed() {
    let (mut running, _) = load(FILE, "branch.cfg");
    let text = render::text(&running);
    let order = [
        "aaa new-model",
        "crypto keyring OLD",
        "  pre-shared-key",
        "crypto isakmp policy 10",
        "crypto map OUT 10",
        "router ospf",
        "  network",
        "ip address 198.51.100.1",
        " bfd template LAN",
        " standby 1 ip",
        "  priority 110",
        " crypto map OUT\n!",
        "ip route",
    ];
    let places: Vec<usize> = order
        .iter()
        .map(|words| text.find(words).expect(words))
        .collect();
    assert!(places.is_sorted(), "{places:?}\n{text}");
    let wan = InterfaceName::parse("Gi0/0").unwrap();
    assert!(remove_kept(
        &mut running,
        &Context::Interface(wan),
        "bfd template LAN"
    ));
    assert!(remove_kept(&mut running, &Context::Global, "router ospf 1"));
    assert!(!remove_kept(
        &mut running,
        &Context::Global,
        "router ospf 1"
    ));
    let text = render::text(&running);
    assert!(!text.contains("bfd") && !text.contains("ospf") && !text.contains("10.9.0.0"));
}

#[test]
fn a_line_kept_on_a_range_of_vtys_is_printed_once_and_removed_from_all() {
    let (mut running, _) = load("line vty 0 4\n transport input ssh\n vacant-message\n", "f");
    assert!(
        render::text(&running).contains("line vty 0 4\n transport input ssh\n vacant-message\n!")
    );
    let vtys = Context::Line {
        kind: LineKind::Vty,
        first: 0,
        last: 4,
    };
    assert!(remove_kept(&mut running, &vtys, "vacant-message"));
    assert!(render::text(&running).contains("line vty 0 4\n transport input ssh\n!"));
}

#[test]
fn merging_a_file_adds_to_what_is_there_and_doubles_nothing() {
    let (mut running, _) = load(FILE, "branch.cfg");
    let before = render::text(&running);
    merge(&mut running, FILE, "branch.cfg");
    assert_eq!(render::text(&running), before);
    merge(
        &mut running,
        "hostname Other\nno ip access-list extended VPN-A\nint g0/0\n shut\n",
        "more",
    );
    let after = render::text(&running);
    assert!(
        after.contains("hostname Other\n")
            && after.contains(" shutdown\n crypto map OUT")
            && !after.contains("extended VPN-A")
    );
}

#[test]
fn names_may_come_before_what_they_name_in_a_file() {
    let file = "interface eth0\n crypto map M\ncrypto map M 10 ipsec-isakmp\n set transform-set T\n set transform-set T U\n\
                crypto ipsec transform-set T esp-null esp-md5-hmac\ninterface eth1\n crypto map N\n";
    let (running, problems) = load(file, "f");
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts[0].starts_with("f:5: \"set transform-set T U\": there is no transform set U"),
        "{texts:?}"
    );
    assert!(
        texts[1].starts_with("f:8: \"crypto map N\": there is no crypto map N"),
        "{texts:?}"
    );
    assert!(running.isakmp_on());
}

#[test]
fn lines_without_indentation_belong_to_the_mode_they_are_typed_in() {
    let file = "hostname R1\r\ninterface eth0\r\nip address 10.0.0.1 255.255.255.0\r\nno shut\r\nip ospf cost 5\r\nexit\r\n\
                crypto isakmp policy 1\r\nencr aes\r\n!\r\nevent manager history\r\nend\r\n";
    let (running, problems) = load(file, "f");
    let text = render::text(&running);
    assert_eq!(problems.len(), 2);
    assert!(
        text.contains("interface eth0\n ip address 10.0.0.1 255.255.255.0\n ip ospf cost 5\n!\n"),
        "{text}"
    );
    assert!(
        text.contains("crypto isakmp policy 1\n encr aes\n!\nevent manager history\n!\n"),
        "{text}"
    );
}

#[test]
fn only_blanks_and_tabs_separate_the_words_of_a_banner() {
    let file = "banner \u{3000}motd #\nhostname R9\nsecond#\nhostname R1\n";
    let (running, problems) = load(file, "f");
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].below, 2, "its text went with it");
    assert_eq!(running.hostname(), "R1");
    let text = render::text(&running);
    let (again, _) = load(&text, "again");
    assert_eq!(render::text(&again), text);
    assert!(
        text.contains("banner \u{3000}motd #\nhostname R9\nsecond#\n"),
        "{text}"
    );
}

#[test]
fn a_banner_without_end_does_not_swallow_the_file() {
    let (running, problems) = load("banner motd #\nwelcome\nhostname R1\n", "f");
    assert_eq!(running.hostname(), "R1");
    assert_eq!(problems[0].line, 1);
    assert!(problems[0].what.contains("delimiter"));
}

#[test]
fn nonsense_is_kept_and_never_a_panic() {
    let file = "\u{0}\u{1}\n   \t\n no\nno no no\n| include x\n?\nü ö ä\ninterface \n interface eth0 eth1\n  !\n!\n^C\nbanner\n\
                do show clock\nshow clock\nip address 1.2.3.4\nend\nend\nexit\nexit\nhostname R9\n";
    let (running, problems) = load(file, "f");
    assert_eq!(running.hostname(), "R9");
    assert!(problems.len() >= 8, "{problems:?}");
    let text = render::text(&running);
    let (again, _) = load(&text, "again");
    assert_eq!(render::text(&again), text);
}

#[test]
fn three_thousand_entries_are_all_there_and_one_more_touches_none_of_them() {
    let mut file = String::from("crypto ipsec transform-set T esp-aes esp-sha-hmac\n");
    for index in 0..3_000_u32 {
        let (high, low) = (index / 250, index % 250 + 1);
        file += &format!("crypto isakmp key k{index} address 198.18.{high}.{low}\n");
        file += &format!(
            "crypto map M {} ipsec-isakmp\n set peer 198.18.{high}.{low}\n",
            index + 1
        );
        file += &format!(" set transform-set T\n match address L{index}\n");
        file += &format!(
            "ip access-list extended L{index}\n permit ip any 172.16.{high}.{low} 0.0.0.0\n"
        );
    }
    let (mut running, problems) = load(&file, "f");
    assert_eq!(problems, []);
    assert_eq!(running.crypto.maps["M"].entries.len(), 3_000);
    assert_eq!(running.crypto.keys.iter().count(), 3_000);
    assert_eq!(running.access_lists.len(), 3_000);
    running.take_changes();
    merge(
        &mut running,
        "crypto map M 60000 ipsec-isakmp\n set peer 192.0.2.1\n",
        "f",
    );
    let changes: Vec<_> = running.take_changes().into_iter().collect();
    assert_eq!(changes, [Change::CryptoMap("M".to_owned(), Some(60_000))]);
}

/// What a list is: its lines as they are printed.
fn printed(running: &crate::config::Running, from: &str) -> String {
    let text = render::text(running);
    let start = text.find(from).unwrap_or_else(|| panic!("{text}"));
    let end = text[start..]
        .find("\n!")
        .map_or(text.len(), |end| start + end);
    text[start..end].to_owned()
}

#[test]
fn a_line_of_a_list_that_is_not_understood_stays_in_its_place() {
    for list in [
        "ip access-list extended A\n permit ip host 10.1.0.1 any\n permit tcp any any frobnicate\n remark about the next\n \
         deny   ip any any",
        "ip access-list extended A\n 5 permit ip host 10.1.0.1 any\n 7 permit tcp any any frobnicate\n 30 deny   ip any any",
        "ip access-list standard S\n frobnicate\n permit 10.1.0.1\n permit 10.2.0.0 0.0.0.255 frobnicate\n deny   any",
        "access-list 101 permit ip host 10.1.0.1 any\naccess-list 101 extra permit ip any any\naccess-list 101 deny   ip any any",
        "access-list 10 permit 10.1.0.1 frobnicate\naccess-list 10 deny   any",
    ] {
        let first = list.lines().next().unwrap();
        let (mut running, problems) = load(list, "f");
        assert_eq!(
            printed(&running, first.split(" permit").next().unwrap()),
            list
        );
        assert_eq!(
            problems.len(),
            list.matches("frobnicate").count() + list.matches("extra").count()
        );
        let text = render::text(&running);
        let (again, _) = load(&text, "again");
        assert_eq!(render::text(&again), text);
        // The same file once more adds nothing.
        merge(&mut running, list, "f");
        assert_eq!(render::text(&running), text);
    }
}

#[test]
fn a_line_kept_in_a_list_is_numbered_and_removed_like_another() {
    let list = "ip access-list extended A\n permit ip host 10.1.0.1 any\n permit tcp any any frobnicate\n deny ip any any\n";
    let context = Context::ExtendedAcl("A".into());
    let (mut running, _) = load(&format!("{list}ip access-list resequence A 5 5\n"), "f");
    let numbered = "ip access-list extended A\n 5 permit ip host 10.1.0.1 any\n 10 permit tcp any any frobnicate\n \
                    15 deny   ip any any";
    assert_eq!(printed(&running, "ip access-list"), numbered);
    assert!(!remove_kept(
        &mut running,
        &context,
        "15 permit tcp any any frobnicate"
    ));
    running.take_changes();
    assert!(remove_kept(
        &mut running,
        &context,
        "permit tcp any any frobnicate"
    ));
    assert_eq!(
        running.take_changes(),
        [Change::AccessList("A".into())].into()
    );
    assert_eq!(
        printed(&running, "ip access-list"),
        numbered.replace(" 10 permit tcp any any frobnicate\n", "")
    );
    let (mut running, _) = load(&format!("{list} no 20\n"), "f");
    assert!(!render::text(&running).contains("frobnicate"));
    merge(&mut running, "access-list 101 permit frobnicate\n", "f");
    assert!(remove_kept(
        &mut running,
        &Context::Global,
        "access-list 101 permit frobnicate"
    ));
    assert!(!render::text(&running).contains("frobnicate"));
}

#[test]
fn lines_of_lists_are_kept_as_they_are_printed() {
    let text = "ip access-list extended A\n permit ip 10.1.0.77 0.0.0.255 10.9.0.1 0.0.0.0\n deny ip 1.2.3.4 255.255.255.255 \
                10.9.0.1 0.0.0.0\n no permit ip 10.1.0.1 0.0.0.255 host 10.9.0.1\n no deny ip any host 10.9.0.1\n \
                permit udp 10.1.9.9 0.0.0.255 any\naccess-list 10 permit 10.1.0.77 0.0.0.255\naccess-list 10 permit 10.9.0.1 \
                0.0.0.0\naccess-list 10 permit 10.1.0.99 0.0.0.255\n";
    let (running, problems) = load(text, "f");
    assert_eq!(problems, []);
    assert_eq!(
        printed(&running, "ip access-list"),
        "ip access-list extended A\n permit udp 10.1.9.0 0.0.0.255 any"
    );
    assert_eq!(
        printed(&running, "access-list 10"),
        "access-list 10 permit 10.1.0.0 0.0.0.255\naccess-list 10 permit 10.9.0.1"
    );
}

#[test]
fn a_line_that_is_not_understood_is_read_back_where_it_stood() {
    let cases = [
        // The block before it would take it.
        (
            "interface eth0\n shutdown\nno interface eth9\nfrob\ncrypto map MC\n",
            "\nexit\ncrypto map MC\n",
        ),
        // A number and nothing else in a list.
        (
            "ip access-list extended L\n 10 \n permit ip any any\n",
            "\n 10\n permit ip any any\n",
        ),
        // Without its number it would be a command.
        (
            "interface eth0\n mtu 1400\nip access-list extended L\n 10 no interface eth0\n",
            "\n 10 no interface eth0\n",
        ),
    ];
    for (file, printed) in cases {
        let (running, _) = load(file, "file");
        let text = render::text(&running);
        assert!(text.contains(printed), "{text}");
        let (again, _) = load(&text, "again");
        assert_eq!(render::text(&again), text);
    }
}
