//! Commands of IOS that open a mode and that this grammar does not have, or not in every form. Readers of configuration
//! lines ask [`opens_mode`] about a line that is not understood: what follows such a line belongs to it, and must not be
//! taken for lines of the block that was open before.

use crate::Mode;

/// The shortest abbreviation that counts.
const SHORTEST: usize = 3;

/// In global configuration, modes that this router has not; a `*` stands for any one word.
const GLOBAL: &[&str] = &[
    "app-hosting *",
    "appfw policy-name",
    "bba-group *",
    "bfd-template *",
    "bridge-domain *",
    "call-home",
    "call-manager-fallback",
    "class-map *",
    "controller *",
    "crypto ikev1 *",
    "crypto vpn *",
    "dial-peer *",
    "domain *",
    "dot11 ssid",
    "dspfarm profile",
    "ephone *",
    "ephone-dn *",
    "ephone-template *",
    "ethernet cfm",
    "ethernet evc",
    "event manager applet",
    "flow *",
    "gatekeeper",
    "gateway",
    "identity *",
    "iox",
    "ip dhcp class",
    "ip explicit-path",
    "ip flow-top-talkers",
    "ip ips *",
    "ip sla *",
    "ipv6 access-list",
    "ipv6 dhcp pool",
    "ipv6 router",
    "key chain",
    "kron *",
    "l2 vfi",
    "l2tp-class *",
    "l2vpn *",
    "ldap server",
    "mac access-list",
    "map-class *",
    "map-list *",
    "mgcp profile",
    "monitor session",
    "object-group *",
    "oer *",
    "parameter-map *",
    "performance monitor",
    "pfr *",
    "policy-map *",
    "port-profile *",
    "pseudowire-class *",
    "route-map *",
    "router *",
    "rtr *",
    "sampler *",
    "sccp ccm",
    "sip-ua",
    "spanning-tree mst",
    "table-map *",
    "tacacs server",
    "telephony-service",
    "template *",
    "time-range *",
    "track *",
    "username-group *",
    "utd *",
    "vc-class *",
    "virtual-service *",
    "vlan *",
    "voice *",
    "webvpn *",
    "wlan *",
    "zone *",
    "zone-pair *",
];

/// In global configuration, modes that it has, for the forms that it does not have.
const OWN: &[&str] = &[
    "aaa group *",
    "archive",
    "control-plane",
    "crypto ca *",
    "crypto dynamic-map *",
    "crypto gdoi *",
    "crypto gkm *",
    "crypto identity *",
    "crypto ikev2 *",
    "crypto ipsec client *",
    "crypto ipsec profile",
    "crypto ipsec transform-set",
    "crypto isakmp client *",
    "crypto isakmp peer",
    "crypto isakmp policy",
    "crypto isakmp profile",
    "crypto key pubkey-chain",
    "crypto keyring *",
    "crypto map *",
    "crypto pki *",
    "interface *",
    "ip access-list",
    "ip dhcp pool",
    "ip vrf",
    "line *",
    "radius server",
    "redundancy",
    "vpdn-group *",
    "vrf *",
];

/// First words of those that are also first words of lines within some block.
const WITHIN: &[&str] = &[
    "bridge-domain",
    "controller",
    "domain",
    "ethernet",
    "flow",
    "gateway",
    "identity",
    "monitor",
    "oer",
    "performance",
    "pfr",
    "redundancy",
    "sampler",
    "table-map",
    "template",
    "track",
    "utd",
    "vlan",
    "voice",
    "vrf",
];

/// Below an interface.
const INTERFACE: &[&str] = &[
    "frame-relay interface-dlci",
    "pvc *",
    "service instance",
    "ssid *",
    "xconnect *",
];

/// Below one of the foreign modes.
const INNER: &[&str] = &[
    "address-family *",
    "af-interface *",
    "class *",
    "pvc *",
    "session-group *",
    "topology *",
];

/// What kind of mode a line opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// One that this router does not have.
    Foreign,
    /// One that it has; this form of the line it does not have.
    Own,
}

/// The kind of mode that a line opens on IOS: the lines after it belong to it up to `exit` or the next line that is not
/// its own.
pub fn opens_mode(mode: Mode, line: &str) -> Option<Opening> {
    let any = |patterns: &[&str]| patterns.iter().any(|pattern| fits(pattern, line));
    match mode {
        Mode::Config if any(GLOBAL) => Some(Opening::Foreign),
        Mode::Config if any(OWN) => Some(Opening::Own),
        Mode::Interface if any(INTERFACE) => Some(Opening::Foreign),
        _ => None,
    }
}

/// The line opens a mode of global configuration, and can be no line of any block.
pub fn leaves_block(line: &str) -> Option<Opening> {
    let mut words = line.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    let within = WITHIN.iter().any(|word| word.eq_ignore_ascii_case(first));
    // An interface has a line without the number.
    let of_interface =
        fits("crypto map *", line) && words.nth(2).is_none_or(|word| word.parse::<u16>().is_err());
    opens_mode(Mode::Config, line).filter(|_| !within && !of_interface)
}

/// The word with which a line of a foreign mode opens one below it.
pub fn opens_inner_mode(line: &str) -> Option<&'static str> {
    let pattern = INNER.iter().find(|pattern| fits(pattern, line))?;
    pattern.split(' ').next()
}

fn fits(pattern: &str, line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    pattern.split(' ').all(|wanted| {
        words.next().is_some_and(|word| {
            let short = word.len() >= SHORTEST.min(wanted.len());
            let begins = wanted
                .get(..word.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(word));
            wanted == "*" || short && begins
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_known_in_full_and_shortened() {
        for line in [
            "router bgp 65000",
            "rou ospf 1",
            "interface range Foo0/0 - 1",
            "int <outside>",
            "crypto map VPN 10 ipsec-isakmp profile",
            "IP SLA 5",
            "ip vrf X",
        ] {
            assert!(opens_mode(Mode::Config, line).is_some(), "{line}");
        }
        assert!(opens_mode(Mode::Interface, "pvc 8/35").is_some());
    }

    #[test]
    fn a_line_that_may_be_of_a_block_does_not_leave_it() {
        for line in ["router bgp 1", "crypto map M 10 frob", "interface x/y/z"] {
            assert!(leaves_block(line).is_some(), "{line}");
        }
        for line in ["vrf member X", "crypto map M frob", "track 1 decrement"] {
            assert!(leaves_block(line).is_none(), "{line}");
        }
    }

    #[test]
    fn other_lines_open_nothing() {
        for line in [
            "",
            "router",
            "no router bgp 65000",
            "ro bgp 1",
            "routers bgp 1",
            "frobnicate",
            "ip route 0.0.0.0 0.0.0.0 null0",
            "do show ip interface brief",
        ] {
            assert!(opens_mode(Mode::Config, line).is_none(), "{line}");
        }
        assert!(opens_mode(Mode::Interface, "router bgp 1").is_none());
        assert_eq!(
            opens_inner_mode("address-family ipv4"),
            Some("address-family")
        );
        assert_eq!(opens_inner_mode("neighbor 10.0.0.1 remote-as 1"), None);
    }
}
