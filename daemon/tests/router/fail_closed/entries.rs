//! Entries that do not act, or protect nothing: blocked, or said.

use super::*;

const DYNAMIC: &str = "crypto ipsec transform-set TS esp-aes esp-sha-hmac
crypto dynamic-map D 5
 set transform-set TS
 match address FLOW
crypto dynamic-map D 7
 set transform-set TS
crypto map VPN 10 ipsec-isakmp dynamic D
ip access-list extended FLOW
 permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255
interface wan0
 ip address 192.0.2.1 255.255.255.0
 crypto map VPN
end
";

#[test]
fn what_a_kind_of_entry_that_does_not_act_would_protect_is_blocked() {
    let own_list = |kind: &str| {
        CONFIG.replace(
            "crypto map VPN 10 ipsec-isakmp\n set peer 192.0.2.2\n set transform-set TS\n",
            &format!("crypto map VPN 10 {kind}\n"),
        )
    };
    let kinds = [
        DYNAMIC.to_owned(),
        DYNAMIC.replace(
            "10 ipsec-isakmp dynamic D",
            "10 ipsec-isakmp dynamic D discover",
        ),
        DYNAMIC.replace("match address FLOW", "match address FLOW of-the-branches"),
        own_list("ipsec-manual"),
        own_list("gdoi"),
        own_list("ipsec-isakmp profile P"),
    ];
    for text in kinds {
        test(async {
            let machine = Machine::new();
            let site = machine.boot_with(&text).await;
            assert_eq!(
                machine.protected_packet(),
                Verdict::Dropped,
                "{text}\n{}",
                site.log()
            );
            assert_eq!(machine.packet("10.0.9.7", "10.0.2.9"), Verdict::Clear);
            site.says("not active in this release; until that is changed its traffic is dropped");
            if text.contains("dynamic-map") {
                site.says("crypto map VPN 10: crypto dynamic-map D 7 has no match address");
            }
        });
    }
}

#[test]
fn what_is_typed_into_a_dynamic_map_that_is_in_use_is_in_force_at_once() {
    let typed = [
        "crypto dynamic-map D 5\n match address FLOW\n",
        "crypto dynamic-map D 6\n match address FLOW\n",
        "crypto dynamic-map D 5\n match address FLOW of-the-branches\n",
    ];
    for lines in typed {
        test(async {
            let machine = Machine::new();
            let text = DYNAMIC.replace(" match address FLOW\n", "");
            let site = machine.boot_with(&text).await;
            assert_eq!(machine.protected_packet(), Verdict::Clear);
            site.configure(lines).await;
            assert_eq!(machine.protected_packet(), Verdict::Dropped, "{lines}");
            let name = lines.lines().next().unwrap();
            site.configure(&format!("no {name}\n")).await;
            assert_eq!(machine.protected_packet(), Verdict::Clear, "{lines}");
        });
    }
    // Taking the line away lets go of what it named.
    test(async {
        let machine = Machine::new();
        let site = machine.boot_with(DYNAMIC).await;
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
        site.configure("crypto dynamic-map D 5\n no match address FLOW\n")
            .await;
        assert_eq!(machine.protected_packet(), Verdict::Clear);
    });
}

#[test]
fn a_dynamic_map_that_goes_takes_its_blocks_along() {
    test(async {
        let machine = Machine::new();
        let site = machine.boot_with(DYNAMIC).await;
        site.configure("no crypto dynamic-map D\n").await;
        assert_eq!(machine.protected_packet(), Verdict::Clear);
        site.says("crypto map VPN 10: crypto dynamic-map D does not exist");
    });
}

#[test]
fn a_peer_that_no_policy_can_have_is_refused_and_its_entry_blocks() {
    for peer in ["2001:db8::1", "0.0.0.0", "224.0.0.5", "255.255.255.255"] {
        test(async {
            let machine = Machine::new();
            let text = CONFIG.replace("set peer 192.0.2.2", &format!("set peer {peer}"));
            let site = machine.boot_with(&text).await;
            site.says(&format!("Invalid peer {peer}"));
            assert_eq!(machine.protected_packet(), Verdict::Dropped);
            site.says(
                "crypto map VPN 10 has no set peer; until that is changed its traffic is dropped",
            );
            let refused = site
                .configure(&format!(
                    "crypto map VPN 10 ipsec-isakmp\n set peer {peer}\n"
                ))
                .await;
            assert!(refused[0].contains("Invalid peer"), "{refused:?}");
        });
    }
}

/// A configuration with other entries and lists.
fn with_lists(entries: &str, lists: &str) -> String {
    let entry = "crypto map VPN 10 ipsec-isakmp\n set peer 192.0.2.2\n set transform-set TS\n match address FLOW\n";
    let list = "ip access-list extended FLOW\n permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\n";
    CONFIG.replace(entry, entries).replace(list, lists)
}

#[test]
fn what_is_legal_and_protects_nothing_is_said() {
    let entry = |sequence: u16, list: &str| {
        format!(
            "crypto map VPN {sequence} ipsec-isakmp\n set peer 192.0.2.2\n set transform-set TS\n match address {list}\n"
        )
    };
    let permit = " permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\n";
    let a = "ip access-list extended A\n";
    let b = "ip access-list extended B\n";
    let cases = [
        (
            with_lists(
                &entry(10, "A"),
                &format!("{a} deny ip any 10.0.0.0 0.255.255.255\n{permit}"),
            ),
            "access-list A, used by crypto map VPN 10: line \"permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\": \
             \"deny ip any 10.0.0.0 0.255.255.255\" before it takes all of its traffic",
        ),
        (
            with_lists(
                &(entry(10, "A") + &entry(20, "B")),
                &format!("{a} permit ip 10.0.0.0 0.0.255.255 any\n{b}{permit}"),
            ),
            "access-list B, used by crypto map VPN 20: line \"permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\": \
             \"permit ip 10.0.0.0 0.0.255.255 any\" of crypto map VPN 10 before it takes all of its traffic",
        ),
        (
            CONFIG.replace(
                "interface wan0\n ip address 192.0.2.1 255.255.255.0\n crypto map VPN\n",
                "",
            ),
            "crypto map VPN is on no interface: it protects nothing",
        ),
        (
            CONFIG.replace("interface wan0", "interface wan7"),
            "crypto map VPN 10: interface wan7 is not there",
        ),
        (
            CONFIG.replace(" match address FLOW\n", ""),
            "crypto map VPN 10 has no match address: it protects nothing",
        ),
    ];
    for (text, words) in cases {
        test(async {
            let machine = Machine::new();
            let site = machine.boot_with(&text).await;
            site.says(&format!("%CRYPTO-4-CONFIG_PROBLEM: {words}"));
            assert!(
                site.router
                    .borrow()
                    .tunnels
                    .problems
                    .iter()
                    .any(|p| p.starts_with(words))
            );
            // It is said once.
            site.look_again().await;
            assert_eq!(site.log().matches(words).count(), 1);
        });
    }
}

#[test]
fn what_protects_is_not_complained_of() {
    test(async {
        let entries = "crypto map VPN 10 ipsec-isakmp\n set peer 192.0.2.2\n set transform-set TS\n match address A\n\
                       crypto map VPN 20 ipsec-isakmp\n set peer 192.0.2.3\n set transform-set TS\n match address B\n";
        let lists = "ip access-list extended A\n deny ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\n permit ip 10.0.1.0 0.0.0.255 any\n\
                     ip access-list extended B\n permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\n";
        let machine = Machine::new();
        let site = machine.boot_with(&with_lists(entries, lists)).await;
        assert!(!site.log().contains("CONFIG_PROBLEM"), "{}", site.log());
    });
}
