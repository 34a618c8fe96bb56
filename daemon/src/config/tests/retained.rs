//! Lines that are understood and kept, but not acted on.

use proptest::prelude::*;

use super::*;

const KEYRING: &str = "crypto keyring BRANCHES\ndescription to the branches\n\
                       pre-shared-key address 192.0.2.1 key 0 one\npre-shared-key hostname branch key two";

#[test]
fn a_retained_line_says_so_once_and_is_printed_as_ios_prints_it() {
    let mut session = Session::default();
    let note = "% Accepted, not active in this release: crypto keyring BRANCHES\n";
    assert_eq!(session.line("cry keyr BRANCHES").as_deref(), Ok(note));
    let note = "% Accepted, not active in this release: pre-shared-key address 192.0.2.1 key ...\n";
    let answer = session.line("pre-s addr 192.0.2.1 key 0 one");
    assert_eq!(answer.as_deref(), Ok(note), "no secret is shown");
    let note = "% Accepted, not active in this release: description ...\n";
    let answer = session.line("description host not found #");
    assert_eq!(
        answer.as_deref(),
        Ok(note),
        "nothing that a tool may take for an error or a prompt"
    );
    session.has(
        "!\ncrypto keyring BRANCHES  \n  description host not found #\n  \
         pre-shared-key address 192.0.2.1 key one\n!\n",
    );
}

#[test]
fn the_same_key_replaces_and_no_removes_it_with_or_without_arguments() {
    let mut session = Session::of(KEYRING);
    session.silently("pre-shared-key address 192.0.2.1 key other\npre-shared-key address 192.0.2.1 255.255.255.0 key net");
    session.has(
        "\n  pre-shared-key address 192.0.2.1 key other\n  pre-shared-key hostname branch key two\n  \
         pre-shared-key address 192.0.2.1 255.255.255.0 key net\n",
    );
    session.silently("no pre-shared-key address 192.0.2.1\ndefault description");
    session.lacks("192.0.2.1 key");
    session.lacks("description");
    session.has("255.255.255.0 key net");
    session.silently("no pre-shared-key hostname branch key wrong");
    session.lacks("hostname branch");
}

#[test]
fn the_opener_with_no_takes_the_whole_block_and_its_mode_says_that_it_is_gone() {
    let mut session = Session::of(KEYRING);
    let mut other = Session::of(KEYRING);
    other.silently("no crypto keyring BRANCHES");
    other.lacks("keyring");
    other.lacks("pre-shared-key");
    session.running = other.running;
    session.refuses(
        "description x",
        "% What this mode edits was removed meanwhile: leave it with exit.",
    );
}

#[test]
fn blocks_in_blocks_are_entered_left_and_printed() {
    let mut session = Session::of(KEYRING);
    session.silently("rsa-pubkey name branch signature");
    assert_eq!(session.context.mode(), isthmus_grammar::Mode::KeyringPubkey);
    session.silently("local-address 192.0.2.9");
    assert_eq!(
        session.context.mode(),
        isthmus_grammar::Mode::Keyring,
        "a line of the mode above leads there"
    );
    session.silently("rsa-pubkey name other\nexit\nlocal-address Lo0\nhostname R1");
    assert_eq!(session.context, Context::Global);
    session.has("  local-address Loopback0\n  pre-shared-key");
    session.has("  rsa-pubkey name branch signature\n  rsa-pubkey name other\n");
}

#[test]
fn what_is_printed_loads_to_the_same() {
    let mut session = Session::of(KEYRING);
    session.silently("rsa-pubkey name branch signature\ncrypto keyring A vrf RED\npre-shared-key address ipv6 2001:db8::/32 key x");
    let text = session.text();
    let (running, problems) = load(&text, "f");
    assert_eq!(problems, []);
    assert_eq!(render::text(&running), text);
    assert_eq!(running.inactive(), 7);
}

#[test]
fn unknown_lines_stay_where_they_stood_among_retained_ones() {
    let text = "crypto keyring K\n  local-address 192.0.2.9\n  made-up thing\n    below it\n  pre-shared-key hostname h key k\n";
    let (running, problems) = load(text, "f");
    assert_eq!(problems.len(), 1);
    let printed = render::text(&running);
    let block = "crypto keyring K  \n  local-address 192.0.2.9\n  made-up thing\n    below it\n  pre-shared-key hostname h key k\n";
    assert!(printed.contains(block), "{printed}");
    let (again, _) = load(&printed, "f");
    assert_eq!(render::text(&again), printed);
}

#[test]
fn inactive_lines_are_listed_with_what_they_stand_in() {
    let mut session = Session::of(KEYRING);
    session.silently("interface eth0\nip address 192.0.2.1 255.255.255.0");
    let expected = "crypto keyring BRANCHES  \n  description to the branches\n  \
                    pre-shared-key address 192.0.2.1 key one\n  pre-shared-key hostname branch key two\n";
    assert_eq!(session.inactive(), expected);
    assert_eq!(
        render::inactive(&Running::default(), &render::Options::default()),
        ""
    );
}

#[test]
fn an_aaa_list_that_asks_servers_is_listed_among_the_inactive() {
    let mut session = Session::of("aaa new-model\naaa authentication enable default enable");
    assert_eq!(session.running.inactive(), 0);
    let answer = session.line("aaa authentication login default group radius local");
    let expected =
        "% Accepted, not active in this release: group radius (the next method is used)\n";
    assert_eq!(answer, Ok(expected.to_owned()));
    let expected = "aaa authentication login default group radius local\n";
    assert_eq!(session.inactive(), expected);
    assert_eq!(session.running.inactive(), 1);
}

#[test]
fn a_line_kept_with_its_no_has_only_the_words_that_identify_it() {
    let mut session = Session::of("interface Tunnel1\nkeepalive 5 3\nno keepalive 5 3");
    session.has(" no keepalive\n");
    session.silently("default keepalive");
    session.lacks("keepalive");
}

#[test]
fn one_no_takes_all_that_is_said_of_reverse_routes() {
    let mut session = Session::of(
        "crypto dynamic-map D 1\nset reverse-route tag 5\nset reverse-route distance 9\nset reverse-route tag 6",
    );
    session.has(" set reverse-route distance 9\n set reverse-route tag 6\n");
    session.silently("no set reverse-route");
    session.lacks("reverse-route");
}

#[test]
fn secrets_of_retained_lines_are_hidden_like_the_others() {
    let session = Session::of(KEYRING);
    let options = render::Options {
        hide_secrets: true,
        ..Default::default()
    };
    let text = render::show(&session.running, &options);
    assert!(
        text.contains("key <removed>") && !text.contains("two"),
        "{text}"
    );
    assert!(!format!("{:?}", session.running).contains("key two"));
}

#[test]
fn map_entries_of_other_kinds_are_kept_with_the_map_and_listed() {
    let mut session = Session::default();
    let note =
        "% Accepted, not active in this release: crypto map M 30 ipsec-isakmp dynamic D discover\n";
    assert_eq!(
        session.line("cr map M 30 ipsec-i dyn D disc").as_deref(),
        Ok(note)
    );
    assert_eq!(
        session.context,
        Context::Global,
        "an entry with a dynamic map has no lines of its own"
    );
    session.silently("crypto map M 20 ipsec-manual\nset session-key inbound esp 256 cipher 00112233 authenticator 44\n\
                      set isakmp-profile P\ncrypto map M 10 ipsec-isakmp\nset reverse-route tag 9\nmatch address A\n\
                      set peer 192.0.2.2\nset security-association idle-time 60 default\ncrypto map M isakmp authorization list L");
    session.refuses(
        "crypto map M 30 ipsec-isakmp",
        "% Entry 30 of crypto map M is ipsec-isakmp dynamic D discover: remove it before it can be ipsec-isakmp.",
    );
    session.has(
        "!\ncrypto map M isakmp authorization list L\n!\ncrypto map M 10 ipsec-isakmp \n set peer 192.0.2.2\n \
         set security-association idle-time 60 default\n set reverse-route tag 9\n match address A\n\
         crypto map M 20 ipsec-manual \n \
         set session-key inbound esp 256 cipher 00112233 authenticator 44\n set isakmp-profile P\n\
         crypto map M 30 ipsec-isakmp dynamic D discover \n",
    );
    assert_eq!(
        session.inactive(),
        "crypto map M isakmp authorization list L\ncrypto map M 10 ipsec-isakmp \n \
         set security-association idle-time 60 default\n set reverse-route tag 9\ncrypto map M 20 ipsec-manual \n \
         set session-key inbound esp 256 cipher 00112233 authenticator 44\n set isakmp-profile P\n\
         crypto map M 30 ipsec-isakmp dynamic D discover \n",
    );
    assert_eq!(session.running.inactive(), 7);
    let text = session.text();
    let (again, problems) = load(&text, "f");
    assert_eq!(problems, []);
    assert_eq!(render::text(&again), text);
    session.silently("no crypto map M 20\nno crypto map M");
    session.lacks("crypto map");
}

#[test]
fn lines_whose_no_form_is_the_line_are_kept_in_that_form() {
    let mut session = Session::of("crypto isakmp default policy\nno crypto engine software ipsec");
    session.lacks("default policy");
    session.has("no crypto engine software ipsec\n");
    let answer = session.line("no crypto isakmp default policy");
    assert_eq!(
        answer.as_deref(),
        Ok(""),
        "it holds: there are no built-in policies"
    );
    session.has("no crypto isakmp default policy\n");
    assert_eq!(session.inactive(), "no crypto engine software ipsec\n");
    session.silently("crypto isakmp default policy\ndefault crypto engine software ipsec");
    session.lacks("default policy");
    session.lacks("engine");
}

#[test]
fn blocks_with_numbers_are_printed_by_number_and_data_as_it_came() {
    let mut session = Session::of(
        "crypto ipsec transform-set T esp-aes esp-sha-hmac\ncrypto dynamic-map D 20\nset transform-set T\n\
         crypto dynamic-map D 3\nset pfs group14\nset pfs group5",
    );
    session.has("crypto dynamic-map D 3\n set pfs group5\n!\ncrypto dynamic-map D 20\n set transform-set T \n");
    session.silently("no crypto dynamic-map D\ncrypto keyring K\nrsa-pubkey name R\nkey-string\n3081 00\n3081 00\nquit");
    assert_eq!(session.context.mode(), isthmus_grammar::Mode::KeyringPubkey);
    session.lacks("dynamic-map");
    session.has("  rsa-pubkey name R\n   key-string\n    3081 00\n    3081 00\n    \tquit\n");
    session.silently("key-string\n4000\nquit");
    session.has("   key-string\n    4000\n    \tquit\n");
    let text = session.text();
    assert_eq!(render::text(&load(&text, "f").0), text);
}

#[test]
fn an_interface_with_a_map_for_a_redundancy_group_is_one_line() {
    let mut session = Session::of(
        "crypto map M 10 ipsec-isakmp\ninterface eth0\ncrypto map M redundancy HA stateful",
    );
    session.has(" crypto map M redundancy HA stateful\n");
    assert_eq!(
        session.inactive(),
        "interface eth0\n crypto map M redundancy HA stateful\n"
    );
    session.silently("crypto map M");
    session.has(" crypto map M\n");
    assert_eq!(session.running.inactive(), 0);
}

#[test]
fn a_block_entered_again_with_fewer_words_keeps_the_others() {
    let mut session = Session::of("crypto keyring K vrf RED\nlocal-address 192.0.2.9\nexit");
    session.silently("crypto keyring K\ndescription here");
    session.has("crypto keyring K vrf RED  \n  description here\n  local-address 192.0.2.9\n");
    session.silently("crypto keyring K vrf BLUE");
    session.has("crypto keyring K vrf BLUE  \n  description here\n");
    session.silently(
        "crypto map ipv6 M 10 ipsec-isakmp\nset peer 2001:db8::1\nexit\ncrypto map ipv6 M 10",
    );
    session.has("crypto map ipv6 M 10 ipsec-isakmp \n set peer 2001:db8::1\n");
}

#[test]
fn a_tunnel_has_one_mode_and_the_usual_one_is_not_printed() {
    let mut session = Session::of("interface Tunnel0\ntunnel mode ipsec ipv4");
    session.silently("tunnel mode gre multipoint");
    session.has(" tunnel mode gre multipoint\n");
    session.lacks("tunnel mode ipsec");
    session.silently("tunnel mode gre ip");
    session.lacks("tunnel mode");
}

#[test]
fn a_crypto_map_for_ipv6_has_settings_of_the_whole_map() {
    let settings = "crypto map ipv6 M local-address Loopback0\ncrypto map ipv6 M client accounting list L\n\
                    crypto map ipv6 M isakmp authorization list L\ncrypto map ipv6 M isakmp-profile P\n\
                    crypto map ipv6 M redundancy replay-interval inbound 1000 outbound 10000\n";
    let mut session = Session::of(settings);
    session.has(settings);
    session.silently("no crypto map ipv6 M local-address\nno crypto map ipv6 M isakmp-profile");
    session.lacks("Loopback0");
    session.lacks("isakmp-profile");
    session.silently(
        "crypto map ipv6 MM client accounting list L\ncrypto map ipv6 M 10 ipsec-isakmp\nexit\n\
         no crypto map ipv6 M 10",
    );
    session.has("crypto map ipv6 M client accounting list L\n");
    session.silently("no crypto map ipv6 M");
    session.lacks("crypto map ipv6 M ");
    session.has("crypto map ipv6 MM client accounting list L\n");
}

#[test]
fn settings_of_lines_are_kept_for_each_line_of_a_range() {
    let mut session = Session::of(
        "line vty 0 3\nlogin local\nescape-character 3\nabsolute-timeout 60\nlocation Room 12, rack 3\n\
         no exec-banner\nrotary 1\nline con 0\nno motd-banner\nspeed 115200\nflowcontrol hardware",
    );
    session.has("line con 0\n no motd-banner\n flowcontrol hardware\n speed 115200\nline aux 0\n");
    session.has(
        "line vty 0 3\n login local\n no exec-banner\n absolute-timeout 60\n escape-character 3\n \
         location Room 12, rack 3\n rotary 1\nline vty 4\n",
    );
    session.silently("line vty 1\nno rotary\nexec-banner\nline con 0\ndefault speed\nmotd-banner");
    session.has("line con 0\n flowcontrol hardware\nline aux 0\n");
    session.has("line vty 1\n login local\n absolute-timeout 60\n escape-character 3\n location");
}

#[test]
fn dates_of_a_certificate_map_are_dates() {
    let session = Session::of(
        "crypto pki certificate map C 10\nvalid-start ge jan 1 2020 00:00:00 utc\nexpires-on lt 31 December 2030",
    );
    session.has(" valid-start ge Jan 1 2020 00:00:00 utc\n expires-on lt 31 Dec 2030\n");
    for wrong in [
        "Jan 32 2020",
        "Janus 1 2020",
        "Jan 1 1992",
        "Jan 1 2020 24:00:00",
    ] {
        let line = format!("valid-start ge {wrong}");
        let mode = session.context.mode();
        assert!(parser::parse(mode, &line).is_err(), "{line}");
    }
    let text = session.text();
    assert_eq!(render::text(&load(&text, "f").0), text);
}

#[test]
fn the_banner_of_a_client_group_keeps_its_lines() {
    let text =
        "crypto isakmp client configuration group G\n pool P\n banner ^C\n  to you\n!\n exit\n^C\n";
    let (running, problems) = load(text, "f");
    assert_eq!(problems, []);
    let printed = render::text(&running);
    assert!(
        printed.contains(" banner ^C\n  to you\n!\n exit\n^C\n"),
        "{printed}"
    );
    let (again, _) = load(&printed, "f");
    assert_eq!(render::text(&again), printed);
    let mut session = Session::of("crypto isakmp client configuration group G");
    let parsed = parser::parse(session.context.mode(), "ban #one\ntwo# after").expect("a banner");
    let Command::Config(line) = parsed.command else {
        panic!("a configuration line")
    };
    let answer = apply(
        &mut session.running,
        &mut session.context,
        &line,
        Origin::Terminal,
    );
    assert!(answer.is_ok_and(|answer| answer.text.ends_with(": banner ...\n")));
    session.has("group G\n banner ^Cone\ntwo^C\n");
    session.silently("no banner");
    session.lacks("banner");
}

/// A block or a line, with what may be below it; `N` stands for a number.
const CHOICES: &[(&str, &[&str])] = &[
    (
        "crypto keyring KN",
        &[
            "description ring N",
            "local-address 192.0.2.N",
            "pre-shared-key address 10.0.0.N key kN",
            "pre-shared-key hostname hN key k",
            "rsa-pubkey name rN signature",
        ],
    ),
    (
        "crypto isakmp policy N",
        &["encryption aes 256", "authentication pre-share"],
    ),
    (
        "crypto isakmp profile PN",
        &[
            "keyring default",
            "keyring KN",
            "match identity address 10.0.0.N 255.255.255.255",
            "match identity host domain dN",
            "self-identity fqdn",
            "keepalive 1N retry 3",
            "client configuration address respond",
        ],
    ),
    (
        "crypto isakmp client configuration group GN",
        &[
            "key 6 sN",
            "pool PN",
            "dns 10.0.0.N",
            "split-dns dN",
            "acl 10N",
            "save-password",
        ],
    ),
    (
        "crypto ipsec profile PN",
        &[
            "set transform-set T N",
            "set pfs group14",
            "set isakmp-profile PN",
            "set security-association idle-time 6N",
            "responder-only",
        ],
    ),
    (
        "crypto dynamic-map D N",
        &[
            "set peer 10.0.0.N",
            "match address 10N",
            "reverse-route",
            "set security-association lifetime seconds 12N",
        ],
    ),
    (
        "crypto map M N ipsec-isakmp",
        &[
            "set peer 10.0.0.N",
            "set ip access-group AN in",
            "set isakmp-profile PN",
            "reverse-route static",
            "match address AN",
        ],
    ),
    ("crypto map M 1N0 ipsec-isakmp dynamic D", &[]),
    ("crypto map M client configuration address respond", &[]),
    ("no crypto isakmp default policy", &[]),
    ("crypto isakmp nat keepalive 1N", &[]),
    ("crypto call admission limit ike sa N", &[]),
    ("crypto logging ezvpn group GN", &[]),
    ("interface ethN", &["mtu 140N", "unknown thing N"]),
    ("unknown line N", &["below N"]),
];

fn generated() -> impl Strategy<Value = String> {
    let digit = || 1u8..=4;
    let block = (
        0..CHOICES.len(),
        digit(),
        prop::collection::vec((any::<prop::sample::Index>(), digit()), 0..6),
    );
    prop::collection::vec(block, 0..30).prop_map(|blocks| {
        let mut text = String::new();
        for (choice, number, inside) in blocks {
            let (head, below) = CHOICES[choice];
            text.push_str(&head.replace('N', &number.to_string()));
            text.push('\n');
            for (index, number) in inside.iter().filter(|_| !below.is_empty()) {
                let line = below[index.index(below.len())].replace('N', &number.to_string());
                text.push_str(&format!(" {line}\n"));
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever mixture is loaded: it prints to what loads to the same, all that was accepted is still there, and
    /// loading it once more changes nothing.
    #[test]
    fn any_mixture_prints_and_loads_to_itself(text in generated()) {
        let (running, _) = load(&text, "f");
        let printed = render::text(&running);
        let (mut again, _) = load(&printed, "f");
        prop_assert_eq!(&render::text(&again), &printed);
        prop_assert_eq!(again.inactive(), running.inactive());
        merge(&mut again, &printed, "f");
        prop_assert_eq!(&render::text(&again), &printed);
        for line in render::inactive(&running, &render::Options::default()).lines() {
            prop_assert!(printed.contains(line), "{}", line);
        }
    }
}

#[test]
fn an_older_word_is_kept_as_the_present_one() {
    let mut session = Session::of("crypto ca trustpoint T\nenrollment terminal");
    session.context = Context::Global;
    session.silently("crypto pki trustpoint T\nserial-number none");
    let text = render::text(&session.running);
    let block = "crypto pki trustpoint T\n enrollment terminal\n serial-number none\n";
    assert!(
        text.contains(block) && !text.contains("crypto ca"),
        "{text}"
    );
    session.context = Context::Global;
    session.silently("no crypto ca trustpoint T");
    assert!(!render::text(&session.running).contains("trustpoint"));
}
