//! What operators get wrong, and what the screen says then. Every slip has a name, starts from one prompt and gives the
//! whole screen. The caret's place is the point of most of them.

use crate::support::{Console, Fake};

/// Where slips happen: the lines that lead there, and the prompt.
struct Place(&'static [&'static str], &'static str);

const USER: Place = Place(&["disable"], "R1>");
const EXEC: Place = Place(&[], "R1#");
const CONFIG: Place = Place(&["conf t"], "R1(config)#");
const INTERFACE: Place = Place(&["conf t", "interface eth0"], "R1(config-if)#");
const POLICY: Place = Place(&["conf t", "crypto isakmp policy 10"], "R1(config-isakmp)#");
const TRANSFORM_SET: Place = Place(
    &["conf t", "crypto ipsec transform-set T esp-aes"],
    "R1(cfg-crypto-trans)#",
);
const MAP: Place = Place(
    &["conf t", "crypto map M 10 ipsec-isakmp"],
    "R1(config-crypto-map)#",
);

/// What the line is answered with.
enum Answer {
    /// The caret stands below the character of the line with this index.
    Invalid(usize),
    Incomplete,
    Ambiguous,
}
use Answer::{Ambiguous, Incomplete, Invalid};

impl Answer {
    fn screen(&self, prompt: &str, line: &str) -> String {
        let text = match self {
            Invalid(index) => {
                let column = prompt.len() + index;
                format!("{:column$}^\n% Invalid input detected at '^' marker.\n", "")
            }
            Incomplete => "% Incomplete command.\n".to_owned(),
            Ambiguous => {
                return format!("{prompt}{line}\n% Ambiguous command:  \"{line}\"\n{prompt}");
            }
        };
        format!("{prompt}{line}\n{text}\n{prompt}")
    }
}

/// Makes every slip at its place and compares the whole screen.
fn slips(place: &Place, slips: &[(&str, &str, Answer)]) {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    let Place(lines, prompt) = place;
    for line in *lines {
        console.types(&format!("{line}\r"));
    }
    console.ends(prompt);
    let asked = fake.state().lines.len();
    for (name, line, answer) in slips {
        console.forget();
        console.types(&format!("{line}\r"));
        console.shows_for(name, &answer.screen(prompt, line));
    }
    // A refusal comes at once, without the daemon; but only that knows of modes that are not its own and of lines it kept.
    let lines = fake.state().lines[asked..].to_vec();
    assert!(
        prompt.contains("(c") || lines.is_empty(),
        "the daemon was asked about {lines:?}"
    );
}

#[test]
fn before_enable() {
    slips(
        &USER,
        &[
            (
                "configuring before enable",
                "configure terminal",
                Invalid(0),
            ),
            (
                "the running-config before enable",
                "show running-config",
                Invalid(5),
            ),
            ("reloading before enable", "reload", Invalid(2)),
            ("clearing before enable", "clear crypto sa", Invalid(0)),
        ],
    );
}

#[test]
fn at_the_prompt() {
    slips(
        &EXEC,
        &[
            (
                "letters swapped in the first word",
                "shwo version",
                Invalid(2),
            ),
            ("letters swapped in a lone word", "shwo", Invalid(2)),
            (
                "letters swapped in the second word",
                "show verison",
                Invalid(8),
            ),
            (
                "letters swapped in the middle",
                "show cyrpto isakmp sa",
                Invalid(6),
            ),
            (
                "letters swapped in the last word",
                "show crypto isakmp sa detial",
                Invalid(25),
            ),
            (
                "letters swapped behind an abbreviation",
                "sh cry isa sa detial",
                Invalid(17),
            ),
            ("no blank between the words", "showversion", Invalid(4)),
            ("one letter too many", "show crypto isakmp sas", Invalid(21)),
            ("a word too many", "show clock now", Invalid(11)),
            (
                "a second name where one fits",
                "show access-lists 110 120",
                Invalid(22),
            ),
            (
                "a blank for a hyphen",
                "copy running config startup config",
                Invalid(20),
            ),
            ("a full stop from a sentence", "show clock.", Invalid(10)),
            (
                "a semicolon from another shell",
                "show version;",
                Invalid(12),
            ),
            (
                "quotation marks from a web page",
                "show “clock”",
                Invalid(5),
            ),
            ("the prompt pasted along", "R1#show clock", Invalid(1)),
            ("a configuration command", "interface eth0", Invalid(0)),
            (
                "a route without configuration mode",
                "ip route 10.0.0.0 255.0.0.0 10.0.0.1",
                Invalid(0),
            ),
            ("no without configuration mode", "no shutdown", Invalid(3)),
            (
                "a number over the range",
                "terminal length 1000",
                Invalid(16),
            ),
            ("a privilege that is not there", "enable 16", Invalid(7)),
            (
                "a filter of another system",
                "show running-config | grep crypto",
                Invalid(22),
            ),
            (
                "letters swapped in the filter",
                "show running-config | inculde crypto",
                Invalid(25),
            ),
            (
                "half an address",
                "clear crypto sa peer 10.0.0",
                Invalid(21),
            ),
            ("no subject", "show", Incomplete),
            ("no subject below crypto", "show crypto", Incomplete),
            (
                "no name after interface",
                "show running-config interface",
                Incomplete,
            ),
            ("no destination", "copy running-config", Incomplete),
            ("nothing to debug", "debug", Incomplete),
            ("no peer", "show crypto ipsec sa peer", Incomplete),
            ("a bar and nothing", "show running-config |", Incomplete),
            (
                "a filter and nothing",
                "show running-config | include",
                Incomplete,
            ),
            ("one letter for a word", "c", Ambiguous),
            (
                "too short in the first word",
                "co running-config startup-config",
                Ambiguous,
            ),
            ("too short in the second word", "show c", Ambiguous),
        ],
    );
}

#[test]
fn in_configuration_mode() {
    slips(
        &CONFIG,
        &[
            ("letters swapped in a command", "hostnane R2", Invalid(6)),
            ("a blank in a name", "hostname R 1", Invalid(11)),
            ("letters swapped behind no", "no hostnane", Invalid(9)),
            ("letters swapped behind do", "do show verison", Invalid(11)),
            (
                "a show command without do",
                "show running-config",
                Invalid(1),
            ),
            ("a word after end", "end now", Invalid(4)),
            (
                "an address outside of an interface",
                "ip address 10.0.0.1 255.0.0.0",
                Invalid(4),
            ),
            (
                "shutdown outside of an interface",
                "no shutdown",
                Invalid(4),
            ),
            (
                "a peer outside of a crypto map",
                "set peer 10.0.0.2",
                Invalid(2),
            ),
            (
                "a policy below the range",
                "crypto isakmp policy 0",
                Invalid(21),
            ),
            (
                "a policy over the range",
                "crypto isakmp policy 10001",
                Invalid(21),
            ),
            (
                "a number in letters",
                "crypto isakmp policy ten",
                Invalid(21),
            ),
            ("letters missing", "crypto iskmp policy 10", Invalid(9)),
            (
                "a key without the word address",
                "crypto isakmp key secret 10.0.0.2",
                Invalid(25),
            ),
            (
                "a key of two words",
                "crypto isakmp key two words address 10.0.0.2",
                Invalid(22),
            ),
            (
                "a transform that is not there",
                "crypto ipsec transform-set T esp-ase",
                Invalid(34),
            ),
            (
                "a key length that is not there",
                "crypto ipsec transform-set T esp-aes 512",
                Invalid(37),
            ),
            (
                "a dash from a web page",
                "crypto ipsec transform-set T esp–aes",
                Invalid(32),
            ),
            (
                "a sequence number over the range",
                "crypto map M 65536",
                Invalid(13),
            ),
            (
                "a sequence number at both ends",
                "crypto map M 10 ipsec-isakmp 20",
                Invalid(29),
            ),
            (
                "a number over 255 in an address",
                "ip route 10.0.0.256 255.0.0.0 10.0.0.1",
                Invalid(9),
            ),
            (
                "a prefix length for a mask",
                "ip route 10.0.0.0/8 10.0.0.1",
                Invalid(9),
            ),
            (
                "a prefix length for a wildcard",
                "access-list 110 permit ip 10.0.0.0/24 any",
                Invalid(26),
            ),
            (
                "no number of the list",
                "access-list permit ip any any",
                Invalid(12),
            ),
            (
                "a port without a port's protocol",
                "access-list 110 permit ip any any eq 80",
                Invalid(34),
            ),
            (
                "a port over the range",
                "access-list 110 permit tcp any any eq 65536",
                Invalid(38),
            ),
            ("a name without its kind", "ip access-list 110", Invalid(15)),
            ("no name", "hostname", Incomplete),
            ("no policy number", "crypto isakmp policy", Incomplete),
            (
                "no peer of a key",
                "crypto isakmp key secret address",
                Incomplete,
            ),
            ("no transforms", "crypto ipsec transform-set T", Incomplete),
            ("no sequence number", "crypto map M", Incomplete),
            ("no next hop", "ip route 10.0.0.0 255.0.0.0", Incomplete),
            (
                "no destination in a list",
                "access-list 110 permit ip 10.0.0.0 0.0.0.255",
                Incomplete,
            ),
            ("no interface", "interface", Incomplete),
            ("do and nothing", "do", Incomplete),
            ("no and nothing", "no", Incomplete),
        ],
    );
}

#[test]
fn in_an_interface() {
    slips(
        &INTERFACE,
        &[
            ("no mask", "ip address 10.0.0.1", Incomplete),
            (
                "a prefix length behind the address",
                "ip address 10.0.0.1/24",
                Invalid(11),
            ),
            (
                "a prefix length in place of the mask",
                "ip address 10.0.0.1 /24",
                Invalid(20),
            ),
            (
                "three numbers for an address",
                "ip address 10.0.0 255.255.255.0",
                Invalid(11),
            ),
            (
                "an address too many",
                "ip address 10.0.0.1 255.255.255.0 10.0.0.2",
                Invalid(34),
            ),
            (
                "a letter missing",
                "ip adress 10.0.0.1 255.255.255.0",
                Invalid(5),
            ),
            ("letters swapped", "shutdwon", Invalid(5)),
            ("a blank too many", "no shut down", Invalid(8)),
            ("a value below the range", "mtu 63", Invalid(4)),
            ("a unit behind the value", "mtu 1500 bytes", Invalid(9)),
            ("a command of a crypto map", "set peer 10.0.0.2", Invalid(2)),
        ],
    );
}

#[test]
fn in_an_isakmp_policy() {
    slips(
        &POLICY,
        &[
            ("a group that is not there", "group 3", Invalid(6)),
            ("a second group", "group 14 15", Invalid(9)),
            ("a lifetime below the range", "lifetime 59", Invalid(9)),
            ("a lifetime over the range", "lifetime 86401", Invalid(9)),
            ("a lifetime with its unit", "lifetime 1 day", Invalid(9)),
            (
                "a key length that is not there",
                "encryption aes 512",
                Invalid(15),
            ),
            (
                "no blank before the key length",
                "encryption aes256",
                Invalid(14),
            ),
            ("a hyphen in a name", "hash sha-256", Invalid(8)),
            ("a hyphen missing", "authentication preshare", Invalid(18)),
            ("a hash too short to tell", "hash s", Ambiguous),
            ("no value", "encryption", Incomplete),
        ],
    );
}

#[test]
fn in_a_transform_set() {
    slips(
        &TRANSFORM_SET,
        &[
            ("letters missing", "mode tunel", Invalid(8)),
            ("no mode", "mode", Incomplete),
        ],
    );
}

#[test]
fn in_a_crypto_map() {
    slips(
        &MAP,
        &[
            ("no peer", "set peer", Incomplete),
            ("no list", "match address", Incomplete),
            ("another word for the list", "match acl 110", Invalid(7)),
            ("a letter missing", "match adress 110", Invalid(8)),
            ("letters missing", "set tranform-set T", Invalid(8)),
            ("a group that is not there", "set pfs group3", Invalid(13)),
            (
                "a lifetime below the range",
                "set security-association lifetime seconds 10",
                Invalid(42),
            ),
            (
                "a lifetime without its unit",
                "set security-association lifetime 3600",
                Invalid(34),
            ),
            ("a show command without do", "show crypto map", Invalid(1)),
            (
                "a command of an interface",
                "ip address 10.0.0.1 255.0.0.0",
                Invalid(4),
            ),
        ],
    );
}

const CLOCK: &str = "10:00:00.000 UTC Mon Mar 1 2027";

/// Keys at `R1#`, and the whole screen after them.
fn at_exec(cases: &[(&str, &str, String)]) {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    for (name, keys, screen) in cases {
        console.forget();
        console.types(keys);
        console.shows_for(name, screen);
    }
}

#[test]
fn what_looks_wrong_and_is_not() {
    let clock = |line: &str| format!("R1#{line}\n{CLOCK}\nR1#");
    at_exec(&[
        (
            "blanks everywhere",
            "  show   clock   \r",
            clock("  show   clock"),
        ),
        ("tabs for blanks", "show\tclock\t\r", clock("show clock")),
        ("a tab in front", "\tshow clock\r", clock(" show clock")),
        ("capital letters", "SHOW Clock\r", clock("SHOW Clock")),
        ("two line ends", "show clock\r\n", clock("show clock")),
        ("a line feed only", "show clock\n", clock("show clock")),
        (
            "a NUL after the line end",
            "show clock\r\0",
            clock("show clock"),
        ),
        (
            "a comment and an empty line",
            "! a comment\r   \r",
            "R1#! a comment\nR1#\nR1#".to_owned(),
        ),
        (
            "two lines pasted with CR LF",
            "show clock\r\nshow clock\r\n",
            format!("R1#show clock\n{CLOCK}\nR1#show clock\n{CLOCK}\nR1#"),
        ),
        (
            "a blank that does not break, from a web page",
            "show\u{a0}clock\r",
            "R1#show\u{a0}clock\n       ^\n% Invalid input detected at '^' marker.\n\nR1#"
                .to_owned(),
        ),
    ]);
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
fn a_refused_header_leaves_its_lines_to_the_mode_above() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console.types("conf t\r").ends("R1(config)#");
    console.forget();
    console.types("crypto map M 10 ipsec-iskmp\r set peer 10.0.0.2\r");
    console.shows(
        "R1(config)#crypto map M 10 ipsec-iskmp\n\
         \x20                                  ^\n\
         % Invalid input detected at '^' marker.\n\n\
         R1(config)# set peer 10.0.0.2\n\
         \x20             ^\n\
         % Invalid input detected at '^' marker.\n\nR1(config)#",
    );
}

#[test]
fn letters_of_other_languages() {
    let caret = |line: &str, column: usize| {
        format!(
            "R1#{line}\n{:column$}^\n% Invalid input detected at '^' marker.\n\nR1#",
            ""
        )
    };
    at_exec(&[
        ("an accent", "show vérsion\r", caret("show vérsion", 9)),
        (
            "an accent of its own",
            "show ve\u{301}rsion\r",
            caret("show ve\u{301}rsion", 9),
        ),
        ("another script", "показать\r", caret("показать", 3)),
        (
            "letters of two columns",
            "show clock 漢字 x\r",
            caret("show clock 漢字 x", 14),
        ),
    ]);
}

#[test]
fn the_caret_follows_a_line_that_scrolled() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    let start = "show running-config | section include ".to_owned() + &"x".repeat(60);
    console.types(&start).types("\x15");
    console.forget();
    // 77 columns fit behind the prompt; the wrong word begins at the 86th letter.
    let line = "clear crypto sa peer ".to_owned() + &" ".repeat(65) + "10.0.0";
    console.types(&line).types("\r");
    let visible = format!("${}", &line[line.len() - 70..]);
    console.ends(&format!(
        "R1#{visible}\n{:1$}^\n% Invalid input detected at '^' marker.\n\nR1#",
        "",
        3 + visible.len() - 6
    ));
}

#[test]
fn dialogs_answered_wrong() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("reload\rx")
        .shows("R1#reload\nProceed with reload? [confirm]x\nR1#");
    console.forget();
    // A word where one key is enough: the rest of it is typed at the next prompt.
    console
        .types("reload\rno")
        .shows("R1#reload\nProceed with reload? [confirm]n\nR1#o");
    console.types("\x15");
    console.forget();
    console.types("copy running-config startup-config\r\x03");
    console.shows(
        "R1#copy running-config startup-config\nDestination filename [startup-config]?\nR1#",
    );
    fake.state().secret = Some("right".to_owned());
    console.types("disable\r").ends("R1>");
    console.forget();
    console
        .types("enable\rwrong\r")
        .shows("R1>enable\nPassword:\n% Bad secrets\n\nR1>");
    assert_eq!(
        fake.state().answers,
        [
            Some("x".to_owned()),
            Some("n".to_owned()),
            None,
            Some("wrong".to_owned())
        ]
    );
}

#[test]
fn a_line_of_ten_thousand_letters() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console.types(&"x".repeat(10_000));
    console.ends(&format!("R1#${}", "x".repeat(68)));
    console.types("\r").shows(&format!(
        "R1#${}\n   ^\n% Invalid input detected at '^' marker.\n\nR1#",
        "x".repeat(68)
    ));
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
