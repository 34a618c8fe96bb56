//! Names of ports, ICMP messages and DSCP values in access-lists: read by `build/acl.rs`, printed by `render/acl.rs`.

use super::IcmpMatch;

/// TCP ports.
pub(crate) const TCP_PORTS: &[(&str, u16)] = &[
    ("bgp", 179),
    ("chargen", 19),
    ("cmd", 514),
    ("daytime", 13),
    ("discard", 9),
    ("domain", 53),
    ("echo", 7),
    ("exec", 512),
    ("finger", 79),
    ("ftp", 21),
    ("ftp-data", 20),
    ("gopher", 70),
    ("hostname", 101),
    ("ident", 113),
    ("irc", 194),
    ("klogin", 543),
    ("kshell", 544),
    ("login", 513),
    ("lpd", 515),
    ("msrpc", 135),
    ("nntp", 119),
    ("pim-auto-rp", 496),
    ("pop2", 109),
    ("pop3", 110),
    ("smtp", 25),
    ("sunrpc", 111),
    ("tacacs", 49),
    ("talk", 517),
    ("telnet", 23),
    ("time", 37),
    ("uucp", 540),
    ("whois", 43),
    ("www", 80),
];

/// UDP ports.
pub(crate) const UDP_PORTS: &[(&str, u16)] = &[
    ("biff", 512),
    ("bootpc", 68),
    ("bootps", 67),
    ("discard", 9),
    ("dnsix", 195),
    ("domain", 53),
    ("echo", 7),
    ("isakmp", 500),
    ("mobile-ip", 434),
    ("nameserver", 42),
    ("netbios-dgm", 138),
    ("netbios-ns", 137),
    ("netbios-ss", 139),
    ("non500-isakmp", 4500),
    ("ntp", 123),
    ("pim-auto-rp", 496),
    ("rip", 520),
    ("snmp", 161),
    ("snmptrap", 162),
    ("sunrpc", 111),
    ("syslog", 514),
    ("tacacs", 49),
    ("talk", 517),
    ("tftp", 69),
    ("time", 37),
    ("who", 513),
    ("xdmcp", 177),
];

/// ICMP messages.
pub(crate) const ICMP_MESSAGES: &[(&str, IcmpMatch)] = &[
    (
        "administratively-prohibited",
        IcmpMatch {
            icmp_type: 3,
            code: Some(13),
        },
    ),
    (
        "echo",
        IcmpMatch {
            icmp_type: 8,
            code: None,
        },
    ),
    (
        "echo-reply",
        IcmpMatch {
            icmp_type: 0,
            code: None,
        },
    ),
    (
        "host-unreachable",
        IcmpMatch {
            icmp_type: 3,
            code: Some(1),
        },
    ),
    (
        "net-unreachable",
        IcmpMatch {
            icmp_type: 3,
            code: Some(0),
        },
    ),
    (
        "packet-too-big",
        IcmpMatch {
            icmp_type: 3,
            code: Some(4),
        },
    ),
    (
        "parameter-problem",
        IcmpMatch {
            icmp_type: 12,
            code: None,
        },
    ),
    (
        "port-unreachable",
        IcmpMatch {
            icmp_type: 3,
            code: Some(3),
        },
    ),
    (
        "protocol-unreachable",
        IcmpMatch {
            icmp_type: 3,
            code: Some(2),
        },
    ),
    (
        "redirect",
        IcmpMatch {
            icmp_type: 5,
            code: None,
        },
    ),
    (
        "source-quench",
        IcmpMatch {
            icmp_type: 4,
            code: None,
        },
    ),
    (
        "time-exceeded",
        IcmpMatch {
            icmp_type: 11,
            code: None,
        },
    ),
    (
        "timestamp-reply",
        IcmpMatch {
            icmp_type: 14,
            code: None,
        },
    ),
    (
        "timestamp-request",
        IcmpMatch {
            icmp_type: 13,
            code: None,
        },
    ),
    (
        "traceroute",
        IcmpMatch {
            icmp_type: 30,
            code: None,
        },
    ),
    (
        "ttl-exceeded",
        IcmpMatch {
            icmp_type: 11,
            code: Some(0),
        },
    ),
    (
        "unreachable",
        IcmpMatch {
            icmp_type: 3,
            code: None,
        },
    ),
];

/// DSCP values (RFC 2474, RFC 2597, RFC 3246).
pub(crate) const DSCP_NAMES: &[(&str, u8)] = &[
    ("af11", 10),
    ("af12", 12),
    ("af13", 14),
    ("af21", 18),
    ("af22", 20),
    ("af23", 22),
    ("af31", 26),
    ("af32", 28),
    ("af33", 30),
    ("af41", 34),
    ("af42", 36),
    ("af43", 38),
    ("cs1", 8),
    ("cs2", 16),
    ("cs3", 24),
    ("cs4", 32),
    ("cs5", 40),
    ("cs6", 48),
    ("cs7", 56),
    ("default", 0),
    ("ef", 46),
];
