//! Whatever is typed, nothing panics, and the answers fit together.

use isthmus_grammar::banner::banner_start;
use isthmus_grammar::help::{complete, help};
use isthmus_grammar::parser::parse;
use isthmus_grammar::render::render;
use isthmus_grammar::{InterfaceName, Mode, Refusal, command::Command, walk};
use proptest::prelude::*;

/// Words that lead deep into the grammar, and text that fits nowhere.
const WORDS: &[&str] = &[
    "no",
    "default",
    "do",
    "show",
    "crypto",
    "isakmp",
    "ipsec",
    "key",
    "policy",
    "map",
    "set",
    "peer",
    "transform-set",
    "esp-aes",
    "256",
    "access-list",
    "110",
    "10",
    "permit",
    "deny",
    "tcp",
    "udp",
    "icmp",
    "any",
    "host",
    "eq",
    "range",
    "www",
    "10.0.0.1",
    "255.255.255.0",
    "ip",
    "route",
    "address",
    "interface",
    "Gi0/0",
    "Gi",
    "0/0",
    "eth0",
    "lo0",
    "secondary",
    "enable",
    "secret",
    "5",
    "0",
    "7",
    "level",
    "banner",
    "motd",
    "^C",
    "#x#",
    "running-config",
    "run",
    "copy",
    "start",
    "le",
    "L",
    "sec",
    "pri",
    "i",
    "loc",
    "|",
    "include",
    "|i",
    "!",
    "!x",
    "line",
    "vty",
    "exec-timeout",
    "transport",
    "input",
    "ssh",
    "ping",
    "source",
    "sa",
    "spi",
    "0x10",
    "é",
    "\u{0}",
    "4294967296",
    "-1",
    "::1",
    "s",
    "e",
    "lifetime",
    "seconds",
    "3600",
    "description",
    "remark",
    "logging",
    "buffered",
    "username",
    "joe",
    "password",
    "match",
    "group14",
    "mode",
    "clear",
    "entry",
    "ah",
];

fn mode() -> impl Strategy<Value = Mode> {
    prop::sample::select(Mode::ALL)
}

fn line() -> impl Strategy<Value = String> {
    let blank = prop::sample::select(&[" ", " ", " ", "  ", "\t", "\n"][..]);
    let word =
        prop_oneof![8 => prop::sample::select(WORDS).prop_map(str::to_owned), 1 => ".{0,12}"];
    prop::collection::vec((word, blank), 0..12).prop_map(|parts| {
        parts
            .into_iter()
            .map(|(word, blank)| word + blank)
            .collect()
    })
}

fn check(mode: Mode, line: &str) {
    let _ = help(mode, line);
    let _ = banner_start(Mode::Config, line);
    let _ = banner_start(Mode::IsakmpGroup, line);
    let _ = InterfaceName::parse(line);
    if let Some(completed) = complete(mode, line) {
        assert!(
            completed.len()
                > line.len() - line.rsplit([' ', '\t']).next().unwrap_or_default().len(),
            "{line:?}"
        );
        assert!(completed.ends_with(' '));
    }
    let parsed = parse(mode, line);
    if let Err(refusal) = parsed {
        assert!(refusal.message(10, line).starts_with([' ', '%', '^']));
        if let Refusal::Invalid { column } = refusal {
            assert!(column <= line.chars().count(), "{line:?}: {column}");
        }
    }
    let Ok(parsed) = parsed else { return };
    let expanded = walk::expand(mode, line).expect("it parsed");
    assert_eq!(
        walk::expand(expanded.table, &expanded.line).as_ref(),
        Ok(&expanded),
        "{line:?}"
    );
    if let Command::Config(config) = &parsed.command {
        let rendered = render(config);
        assert_eq!(
            parse(mode, &rendered).as_ref(),
            Ok(&parsed),
            "{line:?}: {rendered:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn lines_of_the_grammars_own_words(mode in mode(), line in line()) {
        check(mode, &line);
    }

    #[test]
    fn any_text(mode in mode(), line in "(?s).{0,80}") {
        check(mode, &line);
    }

    #[test]
    fn any_bytes(mode in mode(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(mode, &String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn very_long_lines() {
    for mode in Mode::ALL {
        for line in [
            "x".repeat(10_000),
            "show ".repeat(2_000),
            format!("hostname {}", "é".repeat(10_000)),
            " ".repeat(10_000),
        ] {
            check(*mode, &line);
        }
        check(*mode, &format!("description {}", "word ".repeat(2_000)));
        check(*mode, &format!("no {}", "no ".repeat(3_000)));
    }
}

/// Digits and dots are an address or nothing, and so is what has a colon: a slip in an address must not become a name
/// that no server knows.
#[test]
fn half_an_address_is_never_the_name_of_a_host() {
    let places = [
        (Mode::CryptoMap, "set peer {}", true),
        (Mode::DynamicMap, "set peer {}", true),
        (
            Mode::Config,
            "crypto isakmp key 0 corinth hostname {}",
            false,
        ),
        (Mode::Config, "logging host {}", true),
        (Mode::Config, "ntp server {}", true),
        (Mode::Config, "ntp server {} prefer", true),
        (Mode::Config, "snmp-server host {} version 2c public", true),
        (Mode::Config, "radius-server host {} key corinth", true),
    ];
    for (mode, line, address) in places {
        let takes = |host: &str| parse(mode, &line.replace("{}", host)).is_ok();
        for host in [
            "100.64.0.300",
            "100.64",
            "100.64.0.1.2",
            "1",
            "10..1",
            "10.0.0.1.",
            "2001:db8",
            "2001:db8::1::2",
        ] {
            assert!(!takes(host), "{line} {host}");
        }
        for host in [
            "vpn.example.net",
            "3com",
            "r2",
            "10.0.0.1a",
            "time-1.4.example",
        ] {
            assert!(takes(host), "{line} {host}");
        }
        assert_eq!(takes("100.64.0.3"), address, "{line}");
    }
}
