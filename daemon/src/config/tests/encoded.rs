//! Keys and passwords of lines that do not act yet are encoded like those of the lines that do.

use super::*;
use crate::config::encrypt;
use crate::config::secret::{MasterKey, type7};

/// Each line with a key or password in clear, and the types that it may become.
const LINES: &str = "\
crypto isakmp key Six-1111 address ipv6 2001:db8::/32
crypto isakmp peer address 192.0.2.1
 set aggressive-mode password Peer-1111
crypto keyring K
 pre-shared-key address 192.0.2.1 key Keyring-1111
 pre-shared-key hostname far.example.com key Keyring-2222
crypto isakmp client configuration group G
 key Group-1111
crypto ikev2 keyring V2
 peer P
  address 192.0.2.1
  pre-shared-key local Local-1111
  pre-shared-key remote Remote-1111
crypto ikev2 profile PROFILE
 authentication local pre-share key Profile-1111
 authentication remote pre-share key Profile-2222
crypto ipsec client ezvpn EZ
 username ann password Ezvpn-1111
radius server R
 address ipv4 192.0.2.2 auth-port 1812 acct-port 1813
 key Radius-1111
radius-server key Radius-2222
vpdn-group L
 l2tp tunnel password Tunnel-1111
interface Virtual-Template1
 ppp chap password Chap-1111
 ppp pap sent-username ann password Pap-1111
";

/// Every secret of `LINES`.
fn secrets() -> impl Iterator<Item = &'static str> {
    let words = LINES.split_whitespace();
    words.filter(|word| word.ends_with("-1111") || word.ends_with("-2222"))
}

fn inactive(lines: &str) -> Session {
    let mut session = Session::of(lines);
    session.context = Context::Global;
    session
}

#[track_caller]
fn stable(running: &Running) -> String {
    let text = render::text(running);
    let (again, problems) = load(&text, "again");
    assert_eq!(problems, []);
    assert_eq!(render::text(&again), text);
    text
}

#[test]
fn the_master_key_covers_keys_that_are_retained() {
    let mut session = inactive(LINES);
    for secret in secrets() {
        assert!(stable(&session.running).contains(secret), "{secret}");
    }
    session.running.master = MasterKey::new("Argolida-1");
    session.silently("password encryption aes");
    let text = stable(&session.running);
    let clear: Vec<&str> = secrets().filter(|secret| text.contains(secret)).collect();
    assert_eq!(clear, ["Tunnel-1111", "Chap-1111", "Pap-1111"], "{text}");
    assert_eq!(text.matches(" 6 ").count(), 12, "{text}");
    let keys = |text: &str| -> Vec<String> {
        let master = MasterKey::new("Argolida-1").unwrap();
        let keys = text.split(" 6 ").skip(1);
        let keys = keys.map(|rest| rest.split_whitespace().next().unwrap());
        keys.map(|key| {
            master
                .decrypt(key)
                .map_or(String::new(), |key| key.to_string())
        })
        .collect()
    };
    let mut opened = keys(&text);
    opened.sort();
    assert!(
        opened
            .iter()
            .all(|key| secrets().any(|secret| secret == key)),
        "{opened:?}"
    );

    // What is typed from now on is encoded as it comes, and is taken away by what identifies it.
    session.silently("crypto keyring K\npre-shared-key address 192.0.2.7 key Keyring-9999");
    let text = stable(&session.running);
    assert!(text.contains("address 192.0.2.7 key 6 ") && !text.contains("Keyring-9999"));
    session.silently("pre-shared-key address 192.0.2.7 key Keyring-9999");
    assert_eq!(
        stable(&session.running),
        text,
        "typed again, it stays as it was"
    );
    session.silently("pre-shared-key address 192.0.2.7 key Keyring-8888");
    assert_ne!(stable(&session.running), text);
    session.silently("no pre-shared-key address 192.0.2.7 key Keyring-9999");
    assert!(!stable(&session.running).contains("192.0.2.7"));

    encrypt::change_master(&mut session.running, MasterKey::new("Argolida-2"));
    let text = stable(&session.running);
    assert!(
        keys(&text).iter().all(String::is_empty),
        "the old key still opens some"
    );
    assert_eq!(text.matches(" 6 ").count(), 12, "{text}");
}

#[test]
fn passwords_that_are_retained_become_type_7() {
    let mut session = inactive(LINES);
    session.silently("service password-encryption");
    let text = stable(&session.running);
    for (line, clear) in [
        (" key 7 ", "Radius-1111"),
        ("radius-server key 7 ", "Radius-2222"),
        (" l2tp tunnel password 7 ", "Tunnel-1111"),
        (" ppp chap password 7 ", "Chap-1111"),
        (" ppp pap sent-username ann password 7 ", "Pap-1111"),
    ] {
        let (_, rest) = text
            .split_once(line)
            .unwrap_or_else(|| panic!("{line} in\n{text}"));
        let coded = rest.lines().next().unwrap();
        assert_eq!(type7::decode(coded).unwrap().as_str(), clear);
    }
    assert!(text.contains("Keyring-1111"), "IKE keys are not touched");
    session.silently("interface Virtual-Template1\nppp chap password 0 Chap-9999");
    assert!(!stable(&session.running).contains("Chap-9999"));
}
