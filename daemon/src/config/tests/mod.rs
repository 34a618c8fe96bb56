//! Whole sessions: what is typed, what is answered, what the running-config is then. Whole files are in `files`.

mod encoded;
mod files;
mod reading;
mod references;
mod retained;
mod routers;
mod whole;

use isthmus_grammar::command::Command;
use isthmus_grammar::parser;

use crate::config::model::{Change, MAX_BANNER};
use crate::config::{Applied, Context, Origin, Running, apply, load, merge, render};

/// A configuration session: lines go in, what they answer comes out.
#[derive(Default)]
struct Session {
    running: Running,
    context: Context,
}

impl Session {
    fn of(lines: &str) -> Session {
        let mut session = Session::default();
        session.silently(lines);
        session
    }

    /// Types one line; gives its text, or the refusal.
    #[track_caller]
    fn line(&mut self, line: &str) -> Result<String, String> {
        let parsed = parser::parse(self.context.mode(), line)
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        match parsed.command {
            Command::Config(line) => apply(
                &mut self.running,
                &mut self.context,
                &line,
                Origin::Terminal,
            )
            .map(|Applied { text }| text)
            .map_err(|refused| refused.0),
            Command::Exit => {
                self.context = self.context.up();
                Ok(String::new())
            }
            other => panic!("{line}: {other:?}"),
        }
    }

    /// Types lines that must all be obeyed; only notes may come: about new objects, lines that
    /// do nothing, lines that protect badly.
    #[track_caller]
    fn silently(&mut self, lines: &str) {
        for line in lines.lines() {
            let answer = self
                .line(line)
                .unwrap_or_else(|refused| panic!("{line}: {refused}"));
            let notes = [
                "% NOTE",
                "% Accepted",
                "% A profile",
                "IKEv2 ",
                "SECURITY WARNING",
            ];
            assert!(
                answer.is_empty() || notes.iter().any(|note| answer.starts_with(note)),
                "{line}: {answer}"
            );
        }
    }

    #[track_caller]
    fn refuses(&mut self, line: &str, text: &str) {
        let (before, context) = (self.text(), self.context.clone());
        assert_eq!(self.line(line), Err(format!("{text}\n")), "{line}");
        assert_eq!(self.text(), before, "a refused line changes nothing");
        assert_eq!(self.context, context, "a refused line leaves the mode");
    }

    fn text(&self) -> String {
        render::text(&self.running)
    }

    #[track_caller]
    fn has(&self, lines: &str) {
        let text = self.text();
        assert!(text.contains(lines), "{lines:?} is not in:\n{text}");
    }

    /// `show inactive-config`
    fn inactive(&self) -> String {
        render::inactive(&self.running, &render::Options::default())
    }

    #[track_caller]
    fn lacks(&self, words: &str) {
        let text = self.text();
        assert!(!text.contains(words), "{words:?} is in:\n{text}");
    }
}

#[test]
fn what_every_console_gets_has_bounds() {
    let mut session = Session::default();
    let long = "x".repeat(60_000);
    for name in ["a", "b", "c", "d"] {
        session.silently(&format!("alias exec {name} {long}"));
    }
    let refused = session.line(&format!("alias exec e {long}"));
    assert!(refused.is_err_and(|text| text.starts_with("% Too many aliases")));
    session.silently(&format!("no alias exec a\nalias exec e {long}"));
    let words = "a ".repeat(30_000);
    let refused = session.line(&format!("privilege interface level 5 description {words}"));
    assert!(refused.is_err_and(|text| text.contains("may have 256 characters")));
    let refused = (0..2001).find(|number| {
        let line = format!("privilege configure level 5 hostname R{number}");
        session.line(&line).is_err()
    });
    assert!(refused.is_some(), "there is room for ever");
    session
        .silently("privilege configure reset hostname R1\nprivilege configure level 5 hostname X");
}

#[test]
fn a_banner_has_a_bound_and_beyond_it_is_kept_with_its_text() {
    let of = |octets: usize| format!("first\n{}", "x".repeat(octets - "first\n".len()));
    let long = of(MAX_BANNER + 1);
    let file =
        |motd: &str| format!("banner motd #{motd}#\nbanner exec #\nwelcome\n#\nhostname R1\nend\n");
    let (running, problems) = load(&file(&of(MAX_BANNER)), "f");
    assert_eq!((problems.len(), running.banners.len()), (0, 2));
    let (running, problems) = load(&file(&long), "f");
    assert_eq!((problems.len(), running.banners.len()), (1, 1));
    assert_eq!((problems[0].line, problems[0].below), (1, 1));
    assert_eq!(
        problems[0].what,
        "% The banner is too long: 65537 octets, of which it may have 65536; kept, not obeyed"
    );
    assert_eq!(running.hostname(), "R1");
    let text = render::text(&running);
    assert!(text.contains(&format!("banner motd #{long}#\n")));
    let (again, problems) = load(&text, "again");
    assert_eq!((render::text(&again), problems.len()), (text, 1));
}

#[test]
fn aliases_stay_in_their_order_until_taken_back() {
    let mut session = Session::of(
        "alias exec sib show ip interface brief\nalias interface d description\nalias exec w write  memory\n\
         alias configure i interface\nalias exec sib show ip interface brief | include up",
    );
    session.has(
        "alias exec sib show ip interface brief | include up\nalias interface d description\n\
         alias exec w write  memory\nalias configure i interface\n",
    );
    session.silently("no alias exec sib show ip\nno alias interface\nno alias exec none");
    session.has("!\nalias exec w write  memory\nalias configure i interface\n!\n");
    session.silently("default alias exec w\nno alias configure i");
    assert!(!render::text(&session.running).contains("alias"));
}

#[test]
fn a_fresh_router_prints_only_what_ios_prints_always() {
    let expected = "!\nversion 0.1\n!\nservice timestamps debug datetime msec\nservice timestamps log datetime msec\n\
                    no service password-encryption\n!\nhostname Router\n!\nboot-start-marker\nboot-end-marker\n!\nno aaa new-model\n!\n\
                    line con 0\nline aux 0\nline vty 0 4\n!\nend\n";
    assert_eq!(Session::default().text(), expected);
}

#[test]
fn a_new_map_entry_says_what_it_still_needs_and_an_old_one_nothing() {
    let mut session = Session::default();
    let note = "% NOTE: This new crypto map will remain disabled until a peer\n        and a valid access list have been \
                configured.\n";
    assert_eq!(
        session.line("crypto map M 10 ipsec-isakmp").as_deref(),
        Ok(note)
    );
    assert_eq!(session.line("crypto map M 10").as_deref(), Ok(""));
    session.refuses(
        "crypto map M 20",
        "% Incomplete command: a new entry needs its type, ipsec-isakmp.",
    );
}

#[test]
fn map_entries_print_in_the_order_of_ios_whatever_the_order_typed() {
    let session = Session::of(
        "crypto ipsec transform-set T esp-aes 256 esp-sha256-hmac\ncrypto map M 20 ipsec-isakmp\nmatch address B\n\
         crypto map M 10 ipsec-isakmp\nmatch address A\nset pfs group14\nset transform-set T\n\
         set security-association lifetime kilobytes 2560\nset security-association lifetime seconds 900\n\
         set peer 192.0.2.2\nset peer 192.0.2.3\ndescription to the branch",
    );
    session.has(
        "crypto ipsec transform-set T esp-aes 256 esp-sha256-hmac \n mode tunnel\n!\n\
         crypto map M 10 ipsec-isakmp \n description to the branch\n set peer 192.0.2.2\n set peer 192.0.2.3\n \
         set security-association lifetime seconds 900\n set security-association lifetime kilobytes 2560\n \
         set transform-set T \n set pfs group14\n match address A\ncrypto map M 20 ipsec-isakmp \n match address B\n",
    );
}

#[test]
fn names_that_do_not_exist_are_refused_at_the_terminal() {
    let mut session = Session::of("crypto map M 10 ipsec-isakmp");
    session.refuses(
        "set transform-set T",
        "ERROR: transform set with tag \"T\" does not exist.",
    );
    session.silently("interface eth0");
    session.refuses(
        "crypto map N",
        "ERROR: Crypto Map with tag \"N\" does not exist.",
    );
    session.silently("crypto map M");
    session.silently("exit");
    session.refuses(
        "no crypto map M",
        "% Crypto-map M is in use by interface(s): eth0.\n  Please remove the crypto map from the above interface(s) first",
    );
    session.silently("no crypto map M 10\ninterface eth0\nno crypto map\nexit\nno crypto map M");
    session.lacks("crypto map");
}

#[test]
fn a_global_command_in_a_sub_mode_leaves_it_and_a_refused_one_does_not() {
    let mut session = Session::of("interface eth0\nhostname R1");
    assert_eq!(session.context, Context::Global);
    session.silently("interface eth0\ncrypto isakmp policy 10");
    assert_eq!(session.context, Context::IsakmpPolicy(10));
    session.silently("no crypto isakmp policy 10");
    assert_eq!(session.context, Context::Global);
}

#[test]
fn an_object_that_another_session_removed_takes_no_more_commands() {
    let mut session = Session::of("crypto isakmp policy 10");
    session.running.crypto.policies.clear();
    session.refuses(
        "group 14",
        "% What this mode edits was removed meanwhile: leave it with exit.",
    );
}

#[test]
fn policies_leave_defaults_out_and_no_goes_back_to_them() {
    let mut session = Session::of(
        "crypto isakmp policy 10\nencryption aes 256\nhash sha256\nauthentication pre-share\ngroup 14\nlifetime 3600",
    );
    session.has(
        "crypto isakmp policy 10\n encr aes 256\n hash sha256\n authentication pre-share\n group 14\n lifetime 3600\n",
    );
    session
        .silently("no encryption\ndefault hash\nauthentication rsa-sig\ngroup 1\nlifetime 86400");
    session.has("crypto isakmp policy 10\n!\n");
}

#[test]
fn a_peer_has_one_key() {
    let mut session = Session::of("crypto isakmp key first address 192.0.2.1");
    session.silently("crypto isakmp key first address 192.0.2.1 255.255.255.255");
    session.refuses(
        "crypto isakmp key second address 192.0.2.1",
        "A pre-shared key for address mask 192.0.2.1 255.255.255.255 already exists!",
    );
    session.silently(
        "no crypto isakmp key first address 192.0.2.1\ncrypto isakmp key second address 192.0.2.1",
    );
    session.silently("crypto isakmp key any address 0.0.0.0 0.0.0.0\ncrypto isakmp key net address 10.1.0.0 255.255.0.0");
    session.has(
        "crypto isakmp key second address 192.0.2.1      \ncrypto isakmp key any address 0.0.0.0        \n\
         crypto isakmp key net address 10.1.0.0 255.255.0.0\n",
    );
}

#[test]
fn keys_are_in_no_refusal_no_problem_and_no_debug_text() {
    let mut session = Session::of("crypto isakmp key Hidden1 address 192.0.2.1");
    let refused = session
        .line("crypto isakmp key Hidden2 address 192.0.2.1")
        .unwrap_err();
    assert!(!refused.contains("Hidden"));
    assert!(!format!("{:?}", session.running).contains("Hidden"));
    let (_, problems) = load(
        "crypto isakmp key Hidden3 wrong\nenable secret\ntacacs-server key Hidden4\n",
        "f",
    );
    assert_eq!(problems.len(), 3);
    assert!(
        problems
            .iter()
            .all(|problem| !problem.to_string().contains("Hidden"))
    );
    let options = render::Options {
        hide_secrets: true,
        ..render::Options::default()
    };
    session.silently(
        "username a secret 0 Hidden5\nenable password Hidden6\nline vty 0 4\npassword Hidden7",
    );
    merge(
        &mut session.running,
        "snmp-server community Hidden8 RO",
        "f",
    );
    assert!(session.text().contains("Hidden8"));
    assert!(!render::show(&session.running, &options).contains("Hidden"));
}

#[test]
fn a_secret_typed_in_clear_is_kept_as_its_hash_and_stays_the_same_when_retyped() {
    let mut session = Session::of("enable secret Open-sesame\nusername ann secret 0 Open-sesame");
    session.lacks("Open-sesame");
    session.has("enable secret 9 $9$");
    let before = session.text();
    session.silently("enable secret Open-sesame\nusername ann secret Open-sesame");
    assert_eq!(session.text(), before);
    session.silently("enable secret Other-word");
    assert_ne!(session.text(), before);
}

#[test]
fn addresses_must_be_possible_and_must_not_overlap() {
    let mut session =
        Session::of("interface Gi0/1\nip address 10.0.0.1 255.255.255.0\ninterface Gi0/2");
    session.refuses(
        "ip address 10.0.0.9 255.255.255.252",
        "% 10.0.0.8 overlaps with GigabitEthernet0/1",
    );
    session.refuses(
        "ip address 10.0.5.1 255.255.0.0",
        "% 10.0.0.0 overlaps with GigabitEthernet0/1",
    );
    session.refuses(
        "ip address 10.1.1.1 255.255.0.254",
        "% Bad mask 0xFFFF00FE for address 10.1.1.1",
    );
    session.refuses(
        "ip address 10.1.1.0 255.255.255.0",
        "% Bad mask /24 for address 10.1.1.0",
    );
    session.refuses(
        "ip address 224.0.0.1 255.255.255.0",
        "% Not a valid host address - 224.0.0.1",
    );
    session
        .silently("ip address 10.0.1.1 255.255.255.0\nip address 10.0.2.1 255.255.255.0 secondary");
    session
        .has(" ip address 10.0.1.1 255.255.255.0\n ip address 10.0.2.1 255.255.255.0 secondary\n");
    session.refuses(
        "ip address 10.0.2.129 255.255.255.128 secondary",
        "% 10.0.2.128 overlaps with GigabitEthernet0/2",
    );
    session.silently("ip address 10.0.2.2 255.255.255.0 secondary");
    session.refuses(
        "no ip address 10.0.1.1 255.255.255.0",
        "Must delete secondary before deleting primary",
    );
    session.silently("no ip address\ninterface Gi0/1\nno ip address\ninterface Gi0/3\nip address 10.0.0.9 255.255.255.252");
}

#[test]
fn changing_an_address_frees_the_old_network() {
    let mut session = Session::of(
        "interface a0\nip address 10.0.0.1 255.255.255.0\nip address 10.0.1.1 255.255.255.0",
    );
    session.silently("interface b0\nip address 10.0.0.2 255.255.255.0\nno interface a0\ninterface c0\nip address 10.0.1.1 255.255.255.0");
    session.has("interface c0\n ip address 10.0.1.1 255.255.255.0\n");
}

#[test]
fn devices_stay_and_what_the_configuration_made_goes() {
    let mut session =
        Session::of("interface Loopback0\ninterface GigabitEthernet0/0\ndescription x\nexit");
    session.silently("no interface Loopback0");
    session.refuses(
        "no interface GigabitEthernet0/0",
        "% Removal of physical interfaces is not permitted",
    );
    let answer = session
        .line("default interface GigabitEthernet0/0")
        .unwrap();
    assert_eq!(
        answer,
        "Interface GigabitEthernet0/0 set to default configuration\n"
    );
    session.lacks("Loopback");
    session.has("interface GigabitEthernet0/0\n no ip address\n!\n");
}

#[test]
fn lists_number_their_lines_in_tens_and_print_the_numbers_only_when_they_tell_something() {
    let mut session = Session::of(
        "ip access-list extended VPN\nremark office\npermit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n\
         deny tcp any host 10.3.0.1 eq 443",
    );
    session.has(
        "ip access-list extended VPN\n remark office\n permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n \
         deny   tcp any host 10.3.0.1 eq 443\n",
    );
    session.silently("15 permit udp any any");
    session.has(" 10 permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n 15 permit udp any any\n 20 deny   tcp any");
    session.refuses(
        "15 permit gre any any",
        "% Duplicate sequence number\n% Failed to add ace to access-list",
    );
    session.silently("exit\nip access-list resequence VPN 10 10");
    session.has("\n permit udp any any\n");
    session.silently("ip access-list extended VPN\nno permit udp any any\nno 30");
    session.has("ip access-list extended VPN\n remark office\n permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n!\n");
}

#[test]
fn a_numbered_list_prints_as_it_is_typed_and_goes_as_a_whole() {
    let mut session = Session::of(
        "access-list 100 permit ip any host 10.0.0.1\naccess-list 100 deny ip any any\naccess-list 10 permit 10.0.0.0 0.0.0.255",
    );
    session.has(
        "access-list 10 permit 10.0.0.0 0.0.0.255\naccess-list 100 permit ip any host 10.0.0.1\n\
         access-list 100 deny   ip any any\n",
    );
    session.silently("ip access-list extended 100\nno 10");
    session.has("ip access-list extended 100\n 20 deny   ip any any\n");
    session.silently("no access-list 100 deny ip any any");
    session.lacks("100");
}

#[test]
fn transform_sets_are_checked_and_keep_their_mode_when_retyped() {
    let mut session = Session::default();
    session.refuses(
        "crypto ipsec transform-set T esp-sha-hmac",
        "Proposal with ESP is missing cipher",
    );
    session.refuses(
        "crypto ipsec transform-set T esp-aes esp-3des",
        "Only one ESP encryption transform is allowed",
    );
    session.silently("crypto ipsec transform-set T esp-3des esp-sha-hmac\nmode transport");
    session.silently("crypto ipsec transform-set T ah-sha-hmac esp-aes 192");
    session.has("crypto ipsec transform-set T ah-sha-hmac esp-aes 192 \n mode transport\n");
    session.silently("default mode\nexit\nno crypto ipsec transform-set T");
    session.refuses(
        "no crypto ipsec transform-set T",
        "ERROR: transform set with tag \"T\" does not exist.",
    );
}

#[test]
fn routes_are_one_line_each_and_go_one_by_one_or_all() {
    let mut session = Session::of(
        "ip route 10.0.0.0 255.0.0.0 192.0.2.1\nip route 10.0.0.0 255.0.0.0 192.0.2.2 200\n\
         ip route 0.0.0.0 0.0.0.0 eth0 192.0.2.1\ninterface eth1\nip address 192.0.2.9 255.255.255.0\nexit",
    );
    session.has(
        "ip route 0.0.0.0 0.0.0.0 eth0 192.0.2.1\nip route 10.0.0.0 255.0.0.0 192.0.2.1\n\
         ip route 10.0.0.0 255.0.0.0 192.0.2.2 200\n",
    );
    session.refuses(
        "ip route 10.1.1.1 255.255.0.0 192.0.2.1",
        "%Inconsistent address and mask",
    );
    session.refuses(
        "ip route 10.2.0.0 255.255.0.0 192.0.2.9",
        "%Invalid next hop address (it's this router)",
    );
    let (running, problems) = load(
        "interface eth1\n ip address 192.0.2.9 255.255.255.0\nip route 10.2.0.0 255.255.0.0 192.0.2.9\n",
        "f",
    );
    assert_eq!((problems, running.routes.len()), (vec![], 1));
    session.refuses(
        "no ip route 11.0.0.0 255.0.0.0 192.0.2.1",
        "%No matching route to delete",
    );
    session.silently("no ip route 10.0.0.0 255.0.0.0 192.0.2.2");
    session.lacks("192.0.2.2");
    session.silently("ip route 10.0.0.0 255.0.0.0 192.0.2.3\nno ip route 10.0.0.0 255.0.0.0");
    session.lacks("ip route 10");
}

#[test]
fn what_is_switched_off_prints_as_no_and_default_switches_it_on() {
    let mut session = Session::of(
        "no crypto isakmp enable\nno ip domain lookup\nno logging console\nno service timestamps debug\n\
         logging buffered 8192 informational\ncrypto isakmp keepalive 10 periodic",
    );
    for line in [
        "no crypto isakmp enable",
        "no ip domain lookup",
        "no logging console",
        "no service timestamps debug",
        "logging buffered 8192 informational",
        "crypto isakmp keepalive 10 periodic",
    ] {
        session.has(&format!("\n{line}\n"));
    }
    session.silently(
        "default crypto isakmp enable\nip domain lookup\ndefault logging console\ndefault service timestamps debug\n\
         default logging buffered\nno crypto isakmp keepalive",
    );
    assert_eq!(session.text(), Session::default().text());
}

#[test]
fn the_last_change_and_the_last_saving_stand_at_the_top() {
    let mut session = Session::default();
    session
        .running
        .mark_changed("2026-11-03T04:05:06+00:00[UTC]".parse().unwrap(), "admin");
    session
        .running
        .mark_saved("2026-11-03T04:06:00+00:00[UTC]".parse().unwrap(), "admin");
    let text = session.text();
    let top = "!\n! Last configuration change at 04:05:06 UTC Tue Nov 3 2026 by admin\n\
               ! NVRAM config last updated at 04:06:00 UTC Tue Nov 3 2026 by admin\n!\nversion";
    assert!(text.starts_with(top), "{text}");
    let shown = render::show(&session.running, &render::Options::default());
    let count = text.len() - "!\n".len();
    assert!(
        shown.starts_with(&format!(
            "Building configuration...\n\nCurrent configuration : {count} bytes\n!\n! Last"
        )),
        "{shown}"
    );
    assert!(shown.ends_with("!\nend\n\n"));
}

#[test]
fn one_interface_is_shown_alone() {
    let session = Session::of("interface eth0\nip address 10.0.0.1 255.255.255.0\ninterface eth1");
    let name = isthmus_grammar::InterfaceName::parse("eth0").unwrap();
    let options = render::Options {
        interface: Some(name),
        ..render::Options::default()
    };
    let shown = render::show(&session.running, &options);
    let expected = "Building configuration...\n\nCurrent configuration : 56 bytes\n!\ninterface eth0\n ip address 10.0.0.1 \
                    255.255.255.0\n!\nend\n\n";
    assert_eq!(shown, expected);
}

#[test]
fn the_change_set_names_what_a_command_touched() {
    let mut session = Session::of("crypto map M 10 ipsec-isakmp\ninterface eth0");
    session.running.take_changes();
    session.silently("crypto map M 10\nset peer 192.0.2.1\nip route 0.0.0.0 0.0.0.0 192.0.2.254");
    let changes: Vec<Change> = session.running.take_changes().into_iter().collect();
    assert_eq!(
        changes,
        [Change::Routes, Change::CryptoMap("M".into(), Some(10))]
    );
    assert!(session.running.take_changes().is_empty());
    session.silently("hostname R2\nlogging console errors");
    assert!(
        !session
            .running
            .take_changes()
            .iter()
            .any(Change::is_for_packets)
    );
    let (mut loaded, _) = load("hostname R3", "f");
    assert!(
        loaded.take_changes().iter().any(Change::is_for_packets),
        "what was there before has to go"
    );
}

#[test]
fn logging_and_clock_lines_come_back_as_ios_prints_them() {
    let lines = "service sequence-numbers\nno logging message-counter syslog\nno logging on\nlogging userinfo\n\
                 logging queue-limit 200\nlogging queue-limit trap 300\nlogging buffered 64000 informational\n\
                 logging rate-limit console all 10 except errors\nno logging console\nclock timezone CET 1 0\n\
                 clock summer-time CEST recurring last Sun Mar 2:00 last Sun Oct 3:00\nlogging trap notifications\n\
                 logging trap syslog-format rfc5424\nlogging facility local0\nlogging origin-id hostname\n\
                 logging source-interface Loopback0\nlogging host 10.0.0.9\nlogging host 10.0.0.9 transport tcp port 1514\n\
                 logging host ipv6 2001:db8::1 session-id hostname sequence-num-session";
    let mut session = Session::default();
    for line in lines.lines() {
        session.silently(line);
        session.has(line);
    }
    session.silently("logging 10.0.0.8");
    session.has("logging host 10.0.0.8");
    session.silently("no logging host 10.0.0.9");
    session.lacks("logging host 10.0.0.9\n");
    session.has("logging host 10.0.0.9 transport tcp port 1514");
    session.silently("no logging host 10.0.0.9");
    session.lacks("10.0.0.9");
    session.refuses(
        "clock timezone Z 0",
        "% Cannot set the clock so: the name of a time zone is 3 to 30 letters or digits, not Z.",
    );
}

#[test]
fn what_protects_badly_is_said_at_the_prompt() {
    let mut session = Session::of("crypto isakmp policy 10");
    assert_eq!(
        session.line("hash md5"),
        Ok(
            "SECURITY WARNING - Module: ISAKMP, Command: hash md5, Reason: Weak hash algorithm MD5, \
            Remediation: Use hash sha256\n"
                .into()
        )
    );
    for strong in ["hash sha256", "encryption aes", "group 14", "no hash"] {
        assert_eq!(session.line(strong), Ok(String::new()), "{strong}");
    }
    let said = session
        .line("crypto isakmp key k3y address 0.0.0.0")
        .unwrap();
    assert_eq!(said.matches("SECURITY WARNING - ").count(), 2, "{said}");
    assert!(!said.contains("k3y"), "{said}");
}
