//! A configuration means the same as a file, pasted through a session, and to `--check`: the same running-config, the same
//! lines that are not obeyed.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{daemon, given, isthmus, isthmus_at};
use isthmusd::config::{load, render};
use proptest::prelude::*;

/// What the generated lines name.
const START: &str = "crypto ipsec transform-set T esp-aes esp-sha-hmac\ncrypto map M 10 ipsec-isakmp\n\
                     \x20set peer 192.0.2.1\n set transform-set T\n match address 150\naccess-list 150 permit ip any any\n";

/// Words of lines that only a file keeps: a terminal refuses them and that is all.
const FILE_ONLY: [&str; 5] = [
    "frobnicate",
    " 10.77.",
    "no ip address",
    "nested",
    "outside",
];

/// Lines of a block, each with the depth that it is indented to.
fn blocks() -> Vec<Vec<(usize, &'static str)>> {
    vec![
        vec![(0, "hostname R7")],
        vec![(0, "frobnicate 1")],
        vec![(0, "frobnicate 2"), (1, "nested")],
        vec![
            (0, "interface GigabitEthernet0/1"),
            (1, "description one"),
            (1, "crypto map M"),
        ],
        vec![
            (0, "interface GigabitEthernet0/2"),
            (1, "frobnicate 3"),
            (2, "crypto map M"),
            (1, "shutdown"),
        ],
        vec![
            (0, "interface GigabitEthernet0/3"),
            (1, "ip address 10.3.0.1 255.255.255.0"),
            (0, "crypto map M"),
        ],
        vec![
            (0, "interface GigabitEthernet0/4"),
            (1, "ip address 10.77.0.1 255.0.255.0"),
            (2, "mtu 1400"),
            (1, "exit"),
        ],
        vec![
            (0, "interface range GigabitEthernet0/5 - 6 , Loopback1"),
            (1, "description range"),
            (1, "frobnicate 4"),
        ],
        vec![
            (0, "router bgp 65000"),
            (1, "neighbor 192.0.2.9 remote-as 1"),
            (1, "description bgp"),
            (1, "exit"),
        ],
        vec![
            (0, "router ospf 1"),
            (1, "network 10.0.0.0 0.0.0.255 area 0"),
            (1, "shutdown"),
        ],
        vec![
            (0, "interface <outside>"),
            (1, "crypto map outside"),
            (1, "description outside"),
        ],
        vec![
            (0, "policy-map P"),
            (1, "class C"),
            (2, "police 8000"),
            (2, "exit"),
            (1, "exit"),
        ],
        vec![
            (0, "crypto map M 20 ipsec-isakmp"),
            (1, "set peer 192.0.2.2"),
            (1, "match address 150"),
        ],
        vec![
            (0, "ip access-list extended L"),
            (1, "permit ip 10.1.0.0 0.0.255.255 any"),
        ],
        vec![
            (0, "crypto isakmp policy 10"),
            (1, "encr aes"),
            (1, "group 14"),
            (1, "exit"),
        ],
        vec![(0, "no crypto isakmp enable")],
        vec![
            (0, "crypto keyring K"),
            (1, "pre-shared-key address 192.0.2.1 key k"),
        ],
        vec![(0, "banner motd ^CAUTION - staff only^")],
        vec![
            (0, "line vty 0 4"),
            (1, "exec-timeout 5 0"),
            (1, "frobnicate 5"),
        ],
    ]
}

/// A block as it is printed, not indented at all, or indented as a whole.
fn written(block: &[(usize, &str)], style: usize, comment: bool) -> String {
    let depth = |depth: usize| match style {
        0 | 1 => depth,
        2 => 0,
        _ => 2 * depth,
    };
    let comment = if comment { "!\n" } else { "" };
    let lines = block.iter();
    let lines = lines.map(|(deep, line)| format!("{:1$}{line}\n", "", depth(*deep)));
    comment.to_owned() + &lines.collect::<String>()
}

fn configuration() -> impl Strategy<Value = String> {
    let block = (
        proptest::sample::select(blocks()),
        0..4_usize,
        any::<bool>(),
    );
    prop::collection::vec(block, 1..12).prop_map(|all| {
        let all = all.iter();
        let text: String = all
            .map(|(block, style, comment)| written(block, *style, *comment))
            .collect();
        START.to_owned() + &text
    })
}

/// The lines of a running-config that a terminal keeps too.
fn settings(text: &str) -> Vec<&str> {
    let common = |line: &&str| {
        let file_only = FILE_ONLY.iter().any(|words| line.contains(words));
        !line.starts_with('!') && !file_only
    };
    text.lines().filter(common).collect()
}

/// The running-config after a paste, and the numbers of the lines that were not obeyed.
fn pasted(folder: &Path, text: &str) -> (String, BTreeSet<usize>) {
    daemon::start(folder, "");
    let input = format!("configure terminal\n{text}end\ncopy running-config flash:pasted\n\n");
    let mut command = isthmus_at(&daemon::socket(folder));
    let output = given(command.arg("--json"), input.as_bytes());
    let documents = String::from_utf8(output.stdout).unwrap();
    let refused = documents.lines().filter_map(|line| {
        let document: serde_json::Value = serde_json::from_str(line).expect(line);
        document.get("error")?;
        Some(usize::try_from(document["line"].as_u64()?).ok()? - 1)
    });
    let refused = refused.collect();
    let text = std::fs::read_to_string(folder.join("state/flash/pasted")).expect(&documents);
    (text, refused)
}

/// What `--check` lists, but for lines that do nothing in this release.
fn checked(folder: &Path, text: &str) -> BTreeSet<usize> {
    let file = folder.join("checked");
    std::fs::write(&file, text).unwrap();
    let output = isthmus().arg("--check").arg(&file).output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    let name = format!("{}:", file.display());
    let listed = report.lines().filter_map(|line| {
        let (number, what) = line.strip_prefix(&name)?.split_once(": ")?;
        let counts = !what.starts_with("accepted,");
        number.parse().ok().filter(|_| counts)
    });
    listed.collect()
}

#[track_caller]
fn all_three_agree(text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (running, problems) = load(text, "file");
    let loaded = render::text(&running);
    let told: usize = problems.iter().map(|problem| 1 + problem.below).sum();
    let (pasted, refused) = pasted(folder.path(), text);
    assert_eq!(settings(&pasted), settings(&loaded), "\n{text}");
    let checked = checked(folder.path(), text);
    assert_eq!(refused, checked, "\n{text}");
    assert_eq!(told, checked.len(), "{problems:?}\n{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_configuration(text in configuration()) {
        all_three_agree(&text);
    }
}

#[test]
fn every_block_alone() {
    for style in 0..4 {
        let mut all = START.to_owned();
        for block in blocks() {
            all += &written(&block, style, style == 1);
        }
        all_three_agree(&all);
    }
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_first_line() {
    all_three_agree("\u{feff}hostname R9\ninterface GigabitEthernet0/1\n shutdown\n");
}
