//! A line is obeyed wholly or not at all, whatever was typed before it.

use isthmus_grammar::command::Command;
use isthmus_grammar::parser;
use proptest::prelude::*;

use crate::config::{Context, Origin, Running, apply, load, render};

/// Lines with few names and numbers, so that they meet: many of them are refused, depending on those before.
fn line() -> impl Strategy<Value = String> {
    const LINES: &[&str] = &[
        "hostname R{n}",
        "hostname bad_{n}!",
        "interface Loopback{n}",
        "interface GigabitEthernet0/{n}",
        "no interface GigabitEthernet0/{n}",
        "no interface Loopback{n}",
        "default interface Loopback{n}",
        "ip address 10.0.{n}.1 255.255.255.0",
        "ip address 10.0.{n}.2 255.255.0.0",
        "ip address 10.0.{n}.0 255.255.255.0",
        "ip address 10.0.{n}.1 255.0.255.0",
        "ip address 10.0.{n}.3 255.255.255.0 secondary",
        "no ip address 10.0.{n}.1 255.255.255.0",
        "no ip address",
        "mtu 140{n}",
        "shutdown",
        "crypto map M{n}",
        "no crypto map M{n}",
        "crypto isakmp policy {n}",
        "encryption aes 256",
        "group 14",
        "crypto isakmp key secret{n} address 192.0.2.{n}",
        "no crypto isakmp key secret{n} address 192.0.2.{n}",
        "crypto ipsec transform-set T{n} esp-aes esp-sha-hmac",
        "no crypto ipsec transform-set T{n}",
        "crypto map M{n} {n} ipsec-isakmp",
        "crypto map M{n} {n}",
        "no crypto map M{n} {n}",
        "crypto map M{n} local-address Loopback{n}",
        "set peer 192.0.2.{n}",
        "set transform-set T{n}",
        "set transform-set T{n} T7",
        "match address A{n}",
        "ip access-list extended A{n}",
        "ip access-list standard A{n}",
        "no ip access-list extended A{n}",
        "{n}0 permit ip 10.{n}.0.0 0.0.255.255 any",
        "permit tcp any host 10.0.0.{n} eq 443",
        "deny ip any any",
        "no {n}0",
        "access-list 10{n} permit ip any any",
        "access-list {n} permit 10.0.0.0 0.0.0.255",
        "no access-list 10{n}",
        "ip access-list resequence A{n} 10 2147483647",
        "ip route 10.{n}.0.0 255.255.0.0 192.0.2.{n}",
        "ip route 10.{n}.0.1 255.255.0.0 192.0.2.{n}",
        "ip route 10.{n}.0.0 255.255.0.0 10.0.{n}.1",
        "no ip route 10.{n}.0.0 255.255.0.0",
        "username u{n} privilege {n}",
        "no username u{n}",
        "line vty 0 {n}",
        "exec-timeout {n} 0",
        "archive",
        "path flash:a{n}",
        "maximum {n}",
        "exit",
    ];
    (0..LINES.len(), 0..6_u8)
        .prop_map(|(index, number)| LINES[index].replace("{n}", &number.to_string()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_refused_line_changes_nothing(lines in prop::collection::vec(line(), 1..120)) {
        let (mut running, mut context) = (Running::default(), Context::Global);
        for line in &lines {
            let Ok(parsed) = parser::parse(context.mode(), line) else { continue };
            let Command::Config(command) = parsed.command else {
                context = context.up();
                continue;
            };
            let before = (render::text(&running), context.clone());
            if apply(&mut running, &mut context, &command, Origin::Terminal).is_err() {
                prop_assert_eq!((render::text(&running), context.clone()), before, "{}", line);
            }
        }
        // What came of it is a whole configuration: it prints the same once it is loaded.
        let text = render::text(&running);
        prop_assert_eq!(render::text(&load(&text, "again").0), text);
    }
}
