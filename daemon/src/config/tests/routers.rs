//! Whole routers of kinds that this release keeps without acting on all of it: every line is understood, is printed in
//! the order of IOS, and loads again to the same.

use std::fs;

use super::*;

/// The lines that say something: without comments and without what every configuration has.
fn significant(text: &str) -> Vec<&str> {
    const USUAL: [&str; 5] = ["!", "version", "service", "no service", "boot-"];
    let wanted = |line: &&str| {
        let usual = USUAL.iter().any(|start| line.starts_with(start));
        !usual && !line.starts_with("line ")
    };
    text.lines().map(str::trim_end).filter(wanted).collect()
}

/// What is printed says what the file says, in the same order.
fn printed(name: &str) {
    let path = format!("{}/tests/configs/{name}.cfg", env!("CARGO_MANIFEST_DIR"));
    let file = fs::read_to_string(path).expect("a configuration");
    let (running, problems) = load(&file, name);
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    let text = render::text(&running);
    assert_eq!(significant(&text), significant(&file), "{name}");
    let (again, _) = load(&text, "again");
    assert_eq!(render::text(&again), text);
    assert_eq!(again.inactive(), running.inactive());
    assert!(running.inactive() > 0);
}

#[test]
fn a_flexvpn_spoke_prints_as_it_was_written() {
    printed("flexvpn-spoke");
}

#[test]
fn an_l2tp_server_prints_as_it_was_written() {
    printed("l2tp-server");
}

#[test]
fn a_dmvpn_hub_prints_as_it_was_written() {
    printed("dmvpn-hub");
}

#[test]
fn typed_in_any_order_and_shortened_the_same_comes_out() {
    let mut session = Session::default();
    session.silently(
        "cry ikev2 prof P\nvirtual-t 1\nauth loc pre\nauth rem rsa-s\nma id rem fqdn dom example.net\n\
         crypto ikev2 key K\npeer A\npre-s rem 0 abc\naddr 192.0.2.1\npeer B\npre-s hex 0A1B\n\
         cry ikev2 prop X\ngr 14 19\nint sha256\nenc aes-cbc-256 aes-cbc-128\ncry ikev2 dpd 30 5 per",
    );
    session.has(
        "crypto ikev2 proposal X\n encryption aes-cbc-256 aes-cbc-128\n integrity sha256\n group 14 19\n!\n\
         crypto ikev2 keyring K\n peer A\n  address 192.0.2.1\n  pre-shared-key remote abc\n \
         peer B\n  pre-shared-key hex 0A1B\n!\n\
         crypto ikev2 profile P\n match identity remote fqdn domain example.net\n authentication remote rsa-sig\n \
         authentication local pre-share\n virtual-template 1\n!\ncrypto ikev2 dpd 30 5 periodic\n",
    );
    session.silently("crypto ikev2 proposal X\ngroup 20\nno integrity");
    session.has("crypto ikev2 proposal X\n encryption aes-cbc-256 aes-cbc-128\n group 20\n!\n");
    session.silently(
        "crypto ikev2 keyring K\nno peer A\nno crypto ikev2 dpd\nno crypto ikev2 profile P",
    );
    session.lacks("peer A");
    session.lacks("dpd");
    session.lacks("profile P");
    session.has("crypto ikev2 keyring K\n peer B\n");
}

#[test]
fn the_no_forms_take_away_what_they_name() {
    let mut session = Session::of(
        "interface Tunnel0\nip nhrp map 10.0.0.1 192.0.2.1\nip nhrp map 10.0.0.2 192.0.2.2\nip nhrp map multicast dynamic\n\
         ip nhrp network-id 7\nip mtu 1400\ntunnel source eth0\ntunnel mode gre multipoint\nno ip redirects\nno cdp enable\n\
         ip address 10.0.0.9 255.255.255.0",
    );
    session.has(
        "interface Tunnel0\n ip address 10.0.0.9 255.255.255.0\n no ip redirects\n ip mtu 1400\n \
         ip nhrp map multicast dynamic\n ip nhrp map 10.0.0.1 192.0.2.1\n ip nhrp map 10.0.0.2 192.0.2.2\n \
         ip nhrp network-id 7\n tunnel source eth0\n tunnel mode gre multipoint\n no cdp enable\n",
    );
    session.silently(
        "no ip nhrp map 10.0.0.1 192.0.2.1\nno ip nhrp network-id\nno ip mtu\nip redirects\ncdp enable\n\
         no tunnel mode gre multipoint\ntunnel mode ipsec ipv4\nno ip address",
    );
    session.has(
        "interface Tunnel0\n no ip address\n ip nhrp map multicast dynamic\n ip nhrp map 10.0.0.2 192.0.2.2\n \
         tunnel source eth0\n tunnel mode ipsec ipv4\n cdp enable\n",
    );
    session.silently(
        "ip local pool A 10.1.0.1 10.1.0.9\nip local pool A 10.1.1.1 10.1.1.9\nip local pool B 10.2.0.1\nno ip local pool A\n\
         ip http server\nno ip http server\nradius server R\naddress ipv4 192.0.2.5 auth-port 1812 acct-port 1813\nkey 0 s\nno address ipv4",
    );
    session.lacks("pool A");
    session.has("ip local pool B 10.2.0.1\n");
    session.has("\nno ip http server\n");
    session.lacks("\nip http server\n");
    session.has("radius server R\n key s\n");
}

#[test]
fn what_is_done_at_once_is_refused_and_nothing_is_kept() {
    let mut session = Session::of("crypto pki trustpoint CA");
    session.refuses(
        "crypto key generate rsa general-keys label K modulus 2048",
        "% Nothing was done, not active in this release: crypto key generate rsa general-keys label K modulus 2048",
    );
    session.refuses(
        "crypto pki import CA pkcs12 flash:ca.p12 password Hidden",
        "% Nothing was done, not active in this release: crypto pki import CA pkcs12 flash:ca.p12 password ...",
    );
}

#[test]
fn a_certificate_is_kept_whole_whatever_its_indentation() {
    let file = "crypto pki certificate chain CA\n certificate ca 01\n  3082032E 30820216 A0030201\n  02020101 300D\n  \tquit\n\
                crypto pki certificate chain B\n certificate self-signed 02\n 3082\n quit\n certificate 03\n  AB\n quit\nhostname R1\n";
    let (running, problems) = load(file, "f");
    assert!(problems.is_empty(), "{problems:?}");
    let text = render::text(&running);
    assert!(
        text.contains(
            "crypto pki certificate chain CA\n certificate ca 01\n  3082032E 30820216 A0030201\n  02020101 300D\n  \tquit\n!\n\
             crypto pki certificate chain B\n certificate self-signed 02\n  3082\n  \tquit\n certificate 03\n  AB\n  \tquit\n!\n"
        ),
        "{text}"
    );
}
