//! What the last run protected, while no whole startup-config says what became of it.

use super::*;

#[test]
fn what_the_last_run_protected_stays_blocked_without_a_startup_config() {
    for damage in ["gone", "empty", "folder", "unreadable text"] {
        test(async {
            let machine = Machine::new();
            drop(machine.boot_with(CONFIG).await);
            let path = machine.startup_config();
            std::fs::remove_file(&path).unwrap();
            let word = match damage {
                "gone" => "%SYS-4-STARTUP: no startup-config at",
                "empty" => {
                    std::fs::write(&path, "").unwrap();
                    "is empty; starting empty"
                }
                "folder" => {
                    std::fs::create_dir(&path).unwrap();
                    "%SYS-3-STARTUP: cannot read"
                }
                _ => {
                    std::fs::write(&path, " \n\n").unwrap();
                    "%SYS-4-STARTUP: startup-config at"
                }
            };
            for _ in 0..2 {
                let site = machine.boot().await;
                site.says(word);
                site.says("%CRYPTO-4-HELD");
                assert_eq!(machine.protected_packet(), Verdict::Dropped);
                assert_eq!(machine.packet("10.0.9.1", "10.0.2.9"), Verdict::Clear);
                let policies = machine.policies().await;
                assert_eq!((policies.len(), blocks(&policies)), (3, 3));
            }
        });
    }
}

#[test]
fn what_a_cut_off_startup_config_does_not_name_stays_blocked_until_it_is_saved() {
    test(async {
        let machine = Machine::new();
        let second =
            "ip access-list extended FLOW\n permit ip 10.0.1.0 0.0.0.255 10.0.3.0 0.0.0.255\nend\n";
        let whole = CONFIG.replace("end\n", second);
        drop(machine.boot_with(&whole).await);
        let cut = |at: &str| whole[..whole.find(at).unwrap()].to_owned();
        for damaged in [
            cut("ip access-list"),
            cut("10.0.3.0"),
            cut("end\n"),
            cut(" crypto map VPN\n"),
        ] {
            let site = machine.boot_with(&damaged).await;
            site.says("does not end with \"end\"");
            site.router.borrow_mut().release_held();
            site.look_again().await;
            for destination in ["10.0.2.9", "10.0.3.9"] {
                assert_eq!(
                    machine.packet("10.0.1.7", destination),
                    Verdict::Dropped,
                    "{damaged}"
                );
            }
            assert_eq!(machine.packet("10.0.9.1", "10.0.2.9"), Verdict::Clear);
        }
        let site = machine.boot_with(CONFIG).await;
        assert_eq!(
            machine.packet("10.0.1.7", "10.0.3.9"),
            Verdict::Clear,
            "whole"
        );
        assert!(!site.log().contains("HELD"));
    });
}

#[test]
fn what_is_held_for_a_device_that_is_gone_is_blocked_on_every_way_out() {
    test(async {
        let machine = Machine::new();
        let lan = machine.fake.add_link("lan0");
        drop(machine.boot_with(CONFIG).await);
        std::fs::remove_file(machine.startup_config()).unwrap();
        let site = machine.boot().await;
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
        let by_lan = |source| machine.packet_on(lan, source, "10.0.2.9");
        assert_eq!(by_lan("10.0.1.7"), Verdict::Clear);
        machine.fake.remove_link("wan0");
        site.look_again().await;
        assert_eq!(by_lan("10.0.1.7"), Verdict::Dropped);
        assert_eq!(by_lan("10.0.9.7"), Verdict::Clear);
    });
}

#[test]
fn what_is_held_is_let_go_by_a_map_by_saving_and_by_erasing() {
    test(async {
        let lost = || async {
            let machine = Machine::new();
            let two = CONFIG.replace("end\n", "interface lan0\n crypto map VPN\nend\n");
            machine.fake.add_link("lan0");
            drop(machine.boot_with(&two).await);
            std::fs::remove_file(machine.startup_config()).unwrap();
            machine
        };
        // A line of any other kind changes nothing.
        let machine = lost().await;
        let site = machine.boot().await;
        site.configure("hostname Corinth\n").await;
        site.router.borrow_mut().release_held();
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
        // A map takes the place of what is held on its interface.
        site.configure(&CONFIG.replace("10.0.1.0", "10.0.7.0"))
            .await;
        assert_eq!(
            machine.protected_packet(),
            Verdict::Dropped,
            "the paste may go on"
        );
        site.router.borrow_mut().release_held();
        site.look_again().await;
        assert_eq!(machine.protected_packet(), Verdict::Clear);
        assert_eq!(machine.packet("10.0.7.7", "10.0.2.9"), Verdict::Dropped);
        let lan = machine.wan + 1;
        let by_lan = || machine.packet_on(lan, "10.0.1.7", "10.0.2.9");
        assert_eq!(by_lan(), Verdict::Dropped, "no map there yet");
        // Saving says that this is all.
        site.router.borrow_mut().startup_decided();
        site.look_again().await;
        assert_eq!(by_lan(), Verdict::Clear);
        // Erasing says that nothing is, and the next start knows.
        let machine = lost().await;
        let site = machine.boot().await;
        let files = site.router.borrow().files.clone();
        isthmusd::router::held::erase(&files).unwrap().unwrap();
        site.router.borrow_mut().startup_decided();
        site.look_again().await;
        assert!(machine.policies().await.is_empty());
        drop(site);
        let machine = lost().await;
        std::fs::write(machine.state().join("startup-config-erased"), "").unwrap();
        let site = machine.boot().await;
        assert!(machine.policies().await.is_empty());
        assert!(!site.log().contains("STARTUP"), "{}", site.log());
    });
}
