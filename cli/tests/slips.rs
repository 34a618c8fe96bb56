//! What operators get wrong, and what the screen says then: every case starts from one prompt and
//! gives the whole screen. The caret's place is the point of most of them.

mod support;

use support::{Console, Fake};

/// Where a case starts: the lines that lead there, and the prompt.
#[derive(Clone, Copy)]
struct Place(&'static [&'static str], &'static str);

const USER: Place = Place(&["disable"], "R1>");
const EXEC: Place = Place(&[], "R1#");
const CONFIG: Place = Place(&["conf t"], "R1(config)#");
const INTERFACE: Place = Place(&["conf t", "interface eth0"], "R1(config-if)#");
const POLICY: Place = Place(&["conf t", "crypto isakmp policy 10"], "R1(config-isakmp)#");
const MAP: Place = Place(
    &["conf t", "crypto map M 10 ipsec-isakmp"],
    "R1(config-crypto-map)#",
);

/// Types `keys` at a place and compares the whole screen.
fn slips(place: Place, cases: &[(&str, &str)]) {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    let Place(lines, prompt) = place;
    for line in lines {
        console.types(&format!("{line}\r"));
    }
    console.ends(prompt);
    let asked = fake.state().lines.len();
    for (keys, screen) in cases {
        console.forget();
        console.types(keys).shows(screen);
    }
    let lines = fake.state().lines[asked..].to_vec();
    assert!(
        lines.iter().all(|l| l.starts_with("no ")),
        "refused without the daemon, but it got {lines:?}"
    );
}

fn invalid(prompt: &str, line: &str, caret: usize) -> String {
    let column = prompt.len() + caret;
    format!(
        "{prompt}{line}\n{:column$}^\n% Invalid input detected at '^' marker.\n\n{prompt}",
        ""
    )
}

fn incomplete(prompt: &str, line: &str) -> String {
    format!("{prompt}{line}\n% Incomplete command.\n\n{prompt}")
}

fn ambiguous(prompt: &str, line: &str) -> String {
    format!("{prompt}{line}\n% Ambiguous command:  \"{line}\"\n{prompt}")
}

/// A case whose line ends with Enter.
#[track_caller]
fn entered(place: Place, cases: &[(&str, String)]) {
    let keys: Vec<String> = cases.iter().map(|(line, _)| format!("{line}\r")).collect();
    let cases: Vec<(&str, &str)> = keys
        .iter()
        .zip(cases)
        .map(|(k, (_, s))| (k.as_str(), s.as_str()))
        .collect();
    slips(place, &cases);
}

#[test]
fn wrong_words_at_the_prompt() {
    let p = "R1#";
    entered(
        EXEC,
        &[
            ("shwo version", invalid(p, "shwo version", 2)),
            ("show verison", invalid(p, "show verison", 8)),
            (
                "show cyrpto isakmp sa",
                invalid(p, "show cyrpto isakmp sa", 6),
            ),
            (
                "show crypto isakmp sas",
                invalid(p, "show crypto isakmp sas", 21),
            ),
            ("show clock now", invalid(p, "show clock now", 11)),
            ("interface eth0", invalid(p, "interface eth0", 0)),
            (
                "crypto isakmp policy 10",
                invalid(p, "crypto isakmp policy 10", 1),
            ),
        ],
    );
}

#[test]
fn missing_words() {
    entered(
        EXEC,
        &[
            ("show", incomplete("R1#", "show")),
            ("show crypto", incomplete("R1#", "show crypto")),
            ("show ip", incomplete("R1#", "show ip")),
            ("clear crypto", incomplete("R1#", "clear crypto")),
            (
                "show running-config |",
                incomplete("R1#", "show running-config |"),
            ),
            (
                "show running-config | include",
                incomplete("R1#", "show running-config | include"),
            ),
        ],
    );
    let p = "R1(config)#";
    entered(
        CONFIG,
        &[
            ("hostname", incomplete(p, "hostname")),
            (
                "crypto isakmp policy",
                incomplete(p, "crypto isakmp policy"),
            ),
            (
                "crypto isakmp key secret address",
                incomplete(p, "crypto isakmp key secret address"),
            ),
            ("crypto map M", incomplete(p, "crypto map M")),
            (
                "ip route 10.0.0.0 255.0.0.0",
                incomplete(p, "ip route 10.0.0.0 255.0.0.0"),
            ),
            (
                "access-list 110 permit ip",
                incomplete(p, "access-list 110 permit ip"),
            ),
        ],
    );
}

#[test]
fn words_that_mean_too_much() {
    entered(
        EXEC,
        &[
            ("c", ambiguous("R1#", "c")),
            (
                "co running-config startup-config",
                ambiguous("R1#", "co running-config startup-config"),
            ),
            ("show c", ambiguous("R1#", "show c")),
        ],
    );
}

#[test]
fn wrong_numbers_and_masks() {
    let p = "R1(config)#";
    entered(
        CONFIG,
        &[
            (
                "crypto isakmp policy 0",
                invalid(p, "crypto isakmp policy 0", 21),
            ),
            (
                "crypto isakmp policy 10001",
                invalid(p, "crypto isakmp policy 10001", 21),
            ),
            (
                "crypto isakmp policy ten",
                invalid(p, "crypto isakmp policy ten", 21),
            ),
            (
                "ip route 10.0.0.256 255.0.0.0 10.0.0.1",
                invalid(p, "ip route 10.0.0.256 255.0.0.0 10.0.0.1", 9),
            ),
            (
                "crypto ipsec transform-set T esp-ase",
                invalid(p, "crypto ipsec transform-set T esp-ase", 34),
            ),
        ],
    );
    let p = "R1(config-if)#";
    entered(
        INTERFACE,
        &[
            ("ip address 10.0.0.1", incomplete(p, "ip address 10.0.0.1")),
            (
                "ip address 10.0.0.1/24",
                invalid(p, "ip address 10.0.0.1/24", 11),
            ),
            ("mtu 63", invalid(p, "mtu 63", 4)),
            ("shutdwon", invalid(p, "shutdwon", 5)),
        ],
    );
    let p = "R1(config-isakmp)#";
    entered(
        POLICY,
        &[
            ("group 3", invalid(p, "group 3", 6)),
            ("lifetime 59", invalid(p, "lifetime 59", 9)),
            ("lifetime 86401", invalid(p, "lifetime 86401", 9)),
            ("encryption aes 512", invalid(p, "encryption aes 512", 15)),
            ("hash s", ambiguous(p, "hash s")),
        ],
    );
}

#[test]
fn commands_of_another_mode() {
    entered(
        CONFIG,
        &[(
            "ip address 10.0.0.1 255.0.0.0",
            invalid("R1(config)#", "ip address 10.0.0.1 255.0.0.0", 4),
        )],
    );
    entered(
        CONFIG,
        &[(
            "set peer 10.0.0.2",
            invalid("R1(config)#", "set peer 10.0.0.2", 2),
        )],
    );
    entered(
        INTERFACE,
        &[(
            "set peer 10.0.0.2",
            invalid("R1(config-if)#", "set peer 10.0.0.2", 2),
        )],
    );
    entered(
        MAP,
        &[(
            "show crypto map",
            invalid("R1(config-crypto-map)#", "show crypto map", 1),
        )],
    );
    entered(
        USER,
        &[(
            "configure terminal",
            invalid("R1>", "configure terminal", 0),
        )],
    );
}

#[test]
fn blanks_and_tabs_change_nothing() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("  show   clock   \r")
        .shows("R1#  show   clock\n10:00:00.000 UTC Mon Mar 1 2027\nR1#");
    console.forget();
    console
        .types("show\tclock\t\r")
        .shows("R1#show clock\n10:00:00.000 UTC Mon Mar 1 2027\nR1#");
    console.forget();
    console.types("show clock\r\nshow clock\r\n").shows(
        "R1#show clock\n10:00:00.000 UTC Mon Mar 1 2027\nR1#show clock\n10:00:00.000 UTC Mon Mar 1 2027\nR1#",
    );
    console.forget();
    console
        .types("! a comment\r   \r")
        .shows("R1#! a comment\nR1#\nR1#");
}

#[test]
fn a_pasted_configuration_may_be_indented() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console.types("conf t\r").ends("R1(config)#");
    console.forget();
    console.types("!\r\ninterface eth0\r\n\tip address 10.0.0.1 255.0.0.0\r\n shutdown\r\n!\r\n");
    console.shows(
        "R1(config)#!\nR1(config)#interface eth0\nR1(config-if)# ip address 10.0.0.1 255.0.0.0\n\
         R1(config-if)# shutdown\nR1(config-if)#!\nR1(config-if)#",
    );
}

#[test]
fn letters_of_other_languages() {
    let p = "R1#";
    entered(
        EXEC,
        &[
            (
                "show vérsion",
                format!(
                    "{p}show vérsion\n{:9}^\n% Invalid input detected at '^' marker.\n\n{p}",
                    ""
                ),
            ),
            (
                "показать",
                format!(
                    "{p}показать\n{:3}^\n% Invalid input detected at '^' marker.\n\n{p}",
                    ""
                ),
            ),
        ],
    );
}

#[test]
fn a_line_of_ten_thousand_letters() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types(&"x".repeat(10_000))
        .types("\r")
        .ends("% Invalid input detected at '^' marker.\n\nR1#");
    console.types("show clock\r").ends("2027\nR1#");
}

#[test]
fn binary_noise_leaves_a_working_console() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    let noise: Vec<u8> = (0..=255).cycle().take(4096).collect();
    console.sends(&noise).types("\x15\r").ends("R1#");
    console
        .types("\x03\x15show clock\r")
        .ends("R1#show clock\n10:00:00.000 UTC Mon Mar 1 2027\nR1#");
    assert!(!console.bytes().contains(&0x1b));
}
