//! `--check FILE`: which lines are listed, where the caret stands, and the exit status.

use std::process::Output;

use crate::support::isthmus;

fn run(text: &[u8]) -> Output {
    run_with(text, &[])
}

fn run_with(text: &[u8], arguments: &[&str]) -> Output {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let mut output = isthmus()
        .args(arguments)
        .arg("--check")
        .arg(file.path())
        .output()
        .unwrap();
    let name = file.path().to_str().unwrap();
    output.stdout = String::from_utf8(output.stdout)
        .unwrap()
        .replace(name, "FILE")
        .into_bytes();
    output
}

/// The report without its last line, and the numbers of that: lines, not understood, refused, missing, not active.
fn report(output: &Output) -> (String, Vec<usize>) {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let at = text.trim_end().rfind('\n').map_or(0, |at| at + 1);
    let number = |word: &str| word.parse().ok();
    let totals = text[at..].split_whitespace().filter_map(number).collect();
    (text[..at].to_owned(), totals)
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let output = run(text.as_bytes());
    let (listed, totals) = report(&output);
    assert_eq!(listed, expected);
    assert_eq!(totals[0], text.lines().count());
    let faults = totals[1..4].iter().sum::<usize>();
    assert_eq!(output.status.code(), Some(i32::from(faults > 0)));
    assert_eq!(faults > 0, !expected.is_empty());
}

const GOOD: &str = "\
Building configuration...

Current configuration : 1856 bytes
!
version 15.7
hostname R1
!
crypto isakmp policy 10
 encr aes 256
 authentication pre-share
 group 14
crypto isakmp key Long-and-random-9xK address 10.0.0.2
!
crypto ipsec transform-set T esp-aes 256 esp-sha256-hmac
 mode tunnel
!
crypto map M 10 ipsec-isakmp
 set peer 10.0.0.2
 set transform-set T
 match address 110
!
interface eth0
 ip address 10.0.0.1 255.255.255.0
 crypto map M
!
access-list 110 permit ip 192.168.0.0 0.0.0.255 192.168.1.0 0.0.0.255
banner motd ^C
 hello # world
no command here
^C
line con 0
 exec-timeout 0 0
!
end
";

#[test]
fn a_good_file_says_nothing() {
    check(GOOD, "");
    check(&GOOD.replace('\n', "\r\n"), "");
    check(&format!("\u{feff}{GOOD}"), "");
    check("", "");
}

#[test]
fn every_fault_is_listed_with_its_place() {
    let text = "hostname R1\nhostnane R2\ninterface eth0\n ip address 10.0.0.1 255.0.255.x\n ip\n group 14\n";
    let expected = "\
FILE:2: invalid input at '^'
    hostnane R2
          ^
FILE:4: invalid input at '^'
     ip address 10.0.0.1 255.0.255.x
                         ^
FILE:5: incomplete command at '^'
     ip
       ^
FILE:6: invalid input at '^'
     group 14
     ^
";
    check(text, expected);
}

#[test]
fn lines_below_an_unknown_one_belong_to_it() {
    let text = "interface eth0\nrouter ospf 1\n shutdown\n  deeper\nhostname R1\n";
    let expected = "\
FILE:2: invalid input at '^'
    router ospf 1
     ^
FILE:3: not understood: it belongs to line 2
     shutdown
FILE:4: not understood: it belongs to line 2
      deeper
";
    check(text, expected);
}

#[test]
fn a_banner_without_an_end_is_named() {
    check(
        "banner motd #\nhostname R1\n",
        "FILE:1: the banner has no end\n    banner motd #\n",
    );
}

#[test]
fn noise_and_endless_lines_do_no_harm() {
    let mut text: Vec<u8> = (0..=255).cycle().take(3000).collect();
    text.extend(b"\nhostname R1\nhostnane ");
    text.extend([b'x'; 100_000]);
    let output = run(&text);
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.lines().all(|l| l.chars().count() < 200), "{report}");
    assert!(report.contains("hostnane xxx") && report.contains("..."));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_file_that_cannot_be_read_has_its_own_status() {
    let output = isthmus().args(["--check", "/no/such/file"]).output();
    let output = output.unwrap();
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("/no/such/file")
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn lines_that_do_nothing_yet_are_told_from_unknown_ones_and_are_no_failure() {
    let text = "crypto keyring K\n  pre-shared-key address 192.0.2.1 key hush#\nhostname R1\n";
    let expected = "FILE:1: accepted, not active in this release\n    crypto keyring K\n\
                    FILE:2: accepted, not active in this release\n    pre-shared-key address 192.0.2.1 key ...\n";
    let output = run(text.as_bytes());
    assert_eq!(report(&output), (expected.to_owned(), vec![3, 0, 0, 0, 2]));
    assert_eq!(output.status.code(), Some(0));
    check(
        &format!("{text}no crypto keyring K\nmade up\n"),
        &format!("{expected}FILE:5: invalid input at '^'\n    made up\n     ^\n"),
    );
}

#[test]
fn what_loading_would_refuse_is_listed() {
    let text = "\
interface eth0
 ip address 10.0.0.1 255.255.255.0
interface eth1
 ip address 10.0.0.2 255.255.255.0
 ip address 10.1.0.1 255.0.255.0
crypto ipsec transform-set T esp-aes esp-sha-hmac esp-md5-hmac
crypto map M 10 ipsec-isakmp
 set peer 192.0.2.1
 set transform-set U
 match address 150
interface eth0
 crypto map N
do show clock
";
    let output = run(text.as_bytes());
    let (listed, totals) = report(&output);
    for (line, what) in [
        (4, "overlaps with eth0"),
        (5, "Bad mask"),
        (6, ""),
        (9, "there is no transform set U"),
        (10, "there is no access-list 150"),
        (12, "there is no crypto map N"),
        (13, "an EXEC command"),
    ] {
        let said = |told: &str| told.starts_with(&format!("FILE:{line}: ")) && told.contains(what);
        assert!(listed.lines().any(said), "{line} {what}:\n{listed}");
    }
    assert!(
        listed.contains("FILE: crypto map M is on no interface"),
        "{listed}"
    );
    assert_eq!(totals[..5], [13, 1, 3, 3, 0]);
    assert_eq!(output.status.code(), Some(1));
}

/// Legal, but surely not meant: the words are those of the log.
#[test]
fn crypto_maps_that_protect_less_than_they_seem_to_are_remarked() {
    let text = "\
crypto ipsec transform-set T esp-aes esp-sha-hmac
ip access-list extended A
 permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255
ip access-list extended B
 permit ip 10.1.7.0 0.0.0.255 10.2.7.0 0.0.0.255
 permit ip 10.1.8.0 0.0.0.255 10.3.0.0 0.0.0.255
crypto map M 10 ipsec-isakmp
 set peer 192.0.2.9
 set transform-set T
 match address A
crypto map M 20 ipsec-isakmp
 set transform-set T
 match address B
interface GigabitEthernet0/0
 ip address 192.0.2.1 255.255.255.0
 crypto map M
";
    let output = run(text.as_bytes());
    let (listed, totals) = report(&output);
    assert!(
        listed.contains("FILE: crypto map M 20 has no set peer"),
        "{listed}"
    );
    let shadowed = |line: &str| line.contains("10.1.7.0") && line.contains("crypto map M 10");
    assert!(listed.lines().any(shadowed), "{listed}");
    assert!(!listed.contains("10.1.8.0"), "{listed}");
    assert_eq!(totals[1..4], [0, 0, 0], "{listed}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn what_does_nothing_is_a_failure_when_asked_for() {
    let text = b"crypto keyring K\nhostname R1\n";
    for (arguments, status) in [(&[][..], 0), (&["--strict"][..], 1)] {
        assert_eq!(run_with(text, arguments).status.code(), Some(status));
    }
    assert_eq!(
        run_with(b"hostname R1\n", &["--strict"]).status.code(),
        Some(0)
    );
    let alone = isthmus().arg("--strict").output().unwrap();
    assert_eq!(alone.status.code(), Some(64));
}

#[test]
fn a_line_at_the_margin_belongs_to_the_interface_that_takes_it() {
    let start = GOOD.replace("\n crypto map M\n", "\ncrypto map M\n");
    check(&start, "");
}

#[test]
fn what_protects_badly_is_listed_and_understood() {
    let text = "crypto isakmp policy 10\n encr 3des\n group 14\ncrypto isakmp key short address 10.0.0.2\n";
    let output = run(text.as_bytes());
    let (out, totals) = report(&output);
    assert_eq!(totals[1..4], [0, 0, 0], "{out}");
    assert!(
        out.contains("FILE:2: security warning\n    Module: ISAKMP, Command: encr 3des"),
        "{out}"
    );
    assert!(out.contains("FILE:4: security warning\n"), "{out}");
    assert_eq!(out.matches("security warning").count(), 2, "{out}");
    assert!(!out.contains("short"), "{out}");
}
