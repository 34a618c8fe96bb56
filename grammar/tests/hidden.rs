//! No secret of a line that is not understood can be seen, whichever feature of IOS the line belongs to.

mod common;

use std::collections::BTreeSet;

use common::{Grammar, spelled};
use isthmus_grammar::Mode;
use isthmus_grammar::secrets::{announces, logged, shown};
use proptest::prelude::*;

const INSTEAD: &str = "<removed>";

/// Lines of features that have secrets; `K` stands for the secret.
const LINES: &[&str] = &[
    // Routing protocols
    "ip ospf message-digest-key 1 md5 K",
    "ip ospf message-digest-key 1 md5 7 K",
    "ip ospf authentication-key K",
    "area 0 virtual-link 192.0.2.1 message-digest-key 1 md5 K",
    "area 1 virtual-link 192.0.2.1 authentication-key 7 K",
    "ipv6 ospf authentication ipsec spi 500 sha1 K",
    "ipv6 ospf encryption ipsec spi 500 esp aes-cbc 128 K sha1 K",
    "area 0 encryption ipsec spi 500 esp null md5 K",
    "neighbor 192.0.2.1 password K",
    "neighbor 192.0.2.1 password 7 K",
    "neighbor PEERS ao KEYS key K",
    "isis password K level-1",
    "area-password K authenticate snp validate",
    "domain-password K",
    "ip rip authentication string K",
    "ip authentication mode eigrp 1 md5 K",
    "authentication mode hmac-sha-256 7 K",
    "key-string K",
    "key-string 7 K",
    "mpls ldp neighbor 192.0.2.1 password 7 K",
    "mpls ldp password fallback K",
    "ip msdp password peer 192.0.2.1 0 K",
    "ip rsvp authentication key K",
    "ip nhrp authentication K",
    "tunnel key K",
    "eid-table default authentication K",
    "ipv4 etr map-server 192.0.2.1 key 0 K",
    // First hops
    "standby 1 authentication K",
    "standby 1 authentication text K",
    "standby 1 authentication md5 key-string 7 K",
    "vrrp 1 authentication text K",
    "vrrp 1 authentication K",
    "vrrp 1 authentication md5 key-string K timeout 30",
    "glbp 1 authentication text K",
    "glbp 1 authentication md5 key-string 7 K",
    // Access, AAA
    "username ann privilege 15 password 0 K",
    "username ann secret 9 K",
    "username ann algorithm-type scrypt secret K",
    "enable password level 7 K",
    "enable secret 5 K",
    "tacacs-server host 192.0.2.1 single-connection key 7 K",
    "tacacs-server key K",
    "radius-server host 192.0.2.1 auth-port 1812 acct-port 1813 key K",
    "radius-server host 192.0.2.1 pac key 0 K",
    "key 7 K",
    "client 192.0.2.1 server-key K",
    "bind authenticate root-dn cn=admin password 0 K",
    "password 7 K",
    "cts credentials id R1 password K",
    "cts sap pmk K mode-list gcm-encrypt",
    "sap pmk K",
    "pre-shared-key hex K",
    "pre-shared-key address 192.0.2.1 key K",
    "mka pre-shared-key key-chain K",
    "dot1x username ann password 0 K",
    // Services
    "ip http client password K",
    "ip http client password 7 K",
    "ip http client proxy-user ann pass K",
    "ip ftp password 7 K",
    "ip urlfilter token K",
    "snmp-server community K RO 10",
    "snmp-server host 192.0.2.1 K",
    "snmp-server host 192.0.2.1 version 2c K tty",
    "snmp-server host 192.0.2.1 traps vrf MGMT K",
    "no snmp-server host 192.0.2.1 K",
    "snmp-server user ann G v3 auth sha K priv aes 128 K",
    "snmp-server user ann G v3 encrypted auth md5 K",
    "ntp authentication-key 1 md5 K 7",
    "ntp server 192.0.2.1 key K",
    "vtp password K hidden",
    "add http://ann:K@members.example.org/nic/update?hostname=<h>",
    "url ftp://ann:K@192.0.2.1/backup",
    "http get http://ann:K@192.0.2.1/",
    "action 1.0 cli command \"enable secret K\"",
    "action 2.0 cli command \"username ann password=K\"",
    "license smart register idtoken K",
    "smart url http://ann:K@192.0.2.1/",
    "destination transport-method http access-token K",
    // Links, radio, dial-up
    "wpa-psk ascii 0 K",
    "wpa-psk hex 7 K",
    "encryption key 1 size 128bit 0 K transmit-key",
    "encryption vlan 1 key 1 size 40bit 7 K",
    "security wpa akm psk set-key ascii 0 K",
    "ppp chap password 7 K",
    "ppp pap sent-username ann password 0 K",
    "gsm profile create 1 internet chap ann K",
    "profile id 1 apn internet authentication pap username ann password K",
    "l2tp tunnel password 7 K",
    "digest secret 0 K hash md5",
    "cable shared-secret 7 K",
    // Voice
    "credentials username ann password 7 K realm example.org",
    "authentication username ann password K",
    "pin K",
    "web admin system name admin secret 5 K",
    "xml user ann password K 15",
    // IPsec elsewhere
    "set session-key inbound esp 256 cipher K authenticator K",
    "ip mobile secure host 192.0.2.1 spi 100 key hex K",
    "crypto isakmp key 6 K address 192.0.2.1",
    "crypto pki export R1 pkcs12 flash: password K",
    "ikev2 local-authentication pre-shared-key K",
    "rekey retransmit 10 passphrase=K",
    // Shortened, in capitals, with no
    "ip http client passw K",
    "enable sec K",
    "snmp-server comm K",
    "NEIGHBOR 192.0.2.1 PASSWORD K",
    "no standby 1 authentication K",
    "  default ip ospf authentication-key K",
    "server-group 7 K",
];

#[test]
fn lines_of_many_features_lose_their_secrets() {
    for secret in [
        "k3Y-!",
        "0822455D0A16",
        "cisco",
        "PLAIN",
        "94AE3F0D11B2C6E8",
    ] {
        for line in LINES {
            let line = line.split(' ').map(|word| match word.strip_suffix('K') {
                _ if word == "PEERS" || word.contains("://") => {
                    word.replace("K@", &format!("{secret}@"))
                }
                Some(rest) => format!("{rest}{secret}"),
                None => word.replace("K\"", &format!("{secret}\"")),
            });
            let line = line.collect::<Vec<_>>().join(" ");
            assert!(line.contains(secret), "the secret is not in {line}");
            for safe in [shown(&line, INSTEAD), logged(&line)] {
                assert!(!safe.contains(secret), "{line}: {safe}");
            }
            assert!(shown(&line, INSTEAD).contains(INSTEAD), "{line}");
        }
    }
}

/// A line of a configuration of a later release, or with a slip in it, has the same secrets as one that is understood.
#[test]
fn what_the_grammar_calls_a_secret_is_announced() {
    const SECRET: &str = "5EC2E75EC2E7";
    let grammar = Grammar::load();
    let mut missed = BTreeSet::new();
    for mode in Mode::ALL.iter().filter(|mode| mode.is_config()) {
        for sentence in grammar.sentences(*mode) {
            let mut tokens = sentence.to_vec();
            for token in &mut tokens {
                let attributes = grammar.attributes.get(&token.rule);
                if attributes.is_some_and(|list| list.iter().any(|one| one.starts_with("@secret")))
                {
                    token.text = SECRET.to_owned();
                }
            }
            let line = spelled(&tokens);
            if shown(&line, INSTEAD).contains(SECRET) {
                missed.insert(line);
            }
        }
    }
    assert_eq!(missed, BTreeSet::new());
}

/// Words that announce a secret, as they stand in lines of IOS.
const ANNOUNCING: &[&str] = &[
    "authentication",
    "authentication-key",
    "auth",
    "community",
    "credentials",
    "digest",
    "hex",
    "ascii",
    "key",
    "key-string",
    "md5",
    "message-digest-key",
    "passphrase",
    "password",
    "pre-shared-key",
    "psk",
    "secret",
    "server-key",
    "session-key",
    "shared-secret",
    "token",
    "wpa-psk",
    "priv",
    "encryption",
    "pin",
    "chap",
    "pass",
    "\"password",
    "Password",
    "SECRET",
];

proptest! {
    /// Whatever stands around them, nothing after such a word is seen.
    #[test]
    fn nothing_after_an_announcing_word_is_seen(
        before in prop::collection::vec("[a-z0-9./:-]{1,12}", 0..6),
        announcing in prop::sample::select(ANNOUNCING),
        between in prop::collection::vec("[a-z0-9./:-]{1,12}", 0..4),
        after in prop::collection::vec("[ -~]{0,12}", 0..3),
        gap in "[ \t]{1,3}",
        indent in " {0,3}",
    ) {
        const MARKER: &str = "mArK-3R";
        prop_assert!(announces(announcing));
        let words = before.iter().map(String::as_str).chain([announcing]);
        let words = words.chain(between.iter().map(String::as_str)).chain([MARKER]);
        let words: Vec<&str> = words.chain(after.iter().map(String::as_str)).collect();
        let line = format!("{indent}{}", words.join(&gap));
        prop_assert!(!shown(&line, INSTEAD).contains(MARKER));
        prop_assert!(!logged(&line).contains(MARKER));
    }

    /// Any text is taken, a line stays a line, and what is hidden once is safe to be hidden again.
    #[test]
    fn any_text_is_taken(line in any::<String>()) {
        let once = shown(&line, INSTEAD);
        prop_assert!(once.len() <= line.len() + INSTEAD.len() * (1 + line.matches("://").count()));
        prop_assert!(logged(&line).split_whitespace().count() <= 3);
    }
}
