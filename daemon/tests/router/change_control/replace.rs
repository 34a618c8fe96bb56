//! A file in the place of the configuration, and changes that are rolled back unless confirmed.

use super::*;

#[test]
fn a_file_takes_the_place_of_the_configuration() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        ann.configure("hostname R1\nusername bob secret x").await;
        bed.put("other", OTHER);
        let (text, status, _) = ann.type_in("configure replace flash:other", &["n"]).await;
        assert_eq!((text.as_str(), status), ("", Status::Failed));
        assert!(
            ann.questions[0].ends_with("Enter Y if you are sure you want to proceed. ? [no]: ")
        );
        let text = ann.run("configure replace flash:other list force").await;
        assert!(text.contains("\nno hostname R1\nno username bob"), "{text}");
        assert!(text.ends_with("hostname R9\ninterface Loopback9\n ip address 10.9.9.9 255.255.255.255\nend\n\n\nTotal number of passes: 1\nRollback Done\n\n"), "{text}");
        let running = ann.run("show running-config").await;
        assert!(
            running.contains("\nhostname R9\n") && !running.contains("bob"),
            "{running}"
        );
        // Half a file, and one with mistakes.
        bed.put("half", "hostname R10\n");
        assert_eq!(
            ann.fails("configure replace flash:half force").await,
            "%The input file is not a valid config file.\n"
        );
        bed.put("wrong", "hostname R10\nfrobnicate\nend\n");
        let text = ann
            .fails("configure replace flash:wrong force revert trigger error")
            .await;
        assert!(
            text.contains("frobnicate") && text.contains("successfully restored"),
            "{text}"
        );
        assert_eq!(ann.run("show running-config").await, running);
        let text = ann.run("configure replace flash:wrong force").await;
        let answer = "% Invalid input detected at '^' marker.\n\n% flash:wrong:2: \"frobnicate\": ";
        assert!(
            text.starts_with("frobnicate\n") && text.contains(answer),
            "{text}"
        );
        assert!(
            ann.run("show running-config")
                .await
                .contains("hostname R10")
        );
    });
}

#[test]
fn an_unconfirmed_change_is_rolled_back() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        let pending = "%No Rollback Confirmed Change pending\n";
        assert_eq!(ann.run("show archive config rollback timer").await, pending);
        assert_eq!(ann.fails("configure confirm").await, pending);
        assert_eq!(ann.fails("configure revert now").await, pending);
        ann.configure("hostname R1").await;
        bed.put("other", OTHER);
        ann.run("configure replace flash:other force time 5").await;
        let shown = ann.run("show archive config rollback timer").await;
        assert!(
            shown.contains("Timer type: absolute timer\nTimer value: 5 min\n"),
            "{shown}"
        );
        assert!(shown.ends_with("User: ann\n"), "{shown}");
        ann.fails("configure terminal revert timer 3").await;
        ann.run("configure revert timer idle 7").await;
        let shown = ann.run("show archive config rollback timer").await;
        assert!(
            shown.contains("Timer type: idle timer\nTimer value: 7 min\n"),
            "{shown}"
        );
        ann.run("configure revert now").await;
        assert!(
            ann.run("show running-config")
                .await
                .contains("\nhostname R1\n")
        );
        assert_eq!(ann.run("show archive config rollback timer").await, pending);
        let text = ann.run("configure terminal revert timer 2").await;
        assert!(
            text.starts_with("Rollback Confirmed Change: Backing up current running config\n"),
            "{text}"
        );
        ann.run("hostname R2").await;
        ann.run("end").await;
        ann.run("configure confirm").await;
        assert!(
            ann.run("show running-config")
                .await
                .contains("\nhostname R2\n")
        );
        assert!(
            bed.log()
                .contains("%ARCHIVE_DIFF-5-ROLLBK_CNFMD_CHG_CONFIRM: User: ann"),
            "{}",
            bed.log()
        );
        assert!(!bed.folder.join("state/rollback-config").exists());
    });
}

#[test]
fn a_daemon_that_died_unconfirmed_starts_with_what_was_before() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        ann.configure("hostname R1").await;
        ann.run("configure terminal revert timer 5").await;
        ann.run("hostname R2").await;
        ann.run("do write memory").await;
        let again = router(&bed.folder);
        assert_eq!(again.running.hostname(), "R1");
        let log: Vec<_> = again.log.buffer().lines().collect();
        assert!(
            log.iter()
                .any(|line| line.contains("ROLLBK_CNFMD_CHG_ROLLBACK_END")),
            "{log:?}"
        );
        assert_eq!(
            router(&bed.folder).running.hostname(),
            "R2",
            "the second start is an ordinary one"
        );
    });
}
