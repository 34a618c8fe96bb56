//! Several operators at once: what they see of each other, the lock, the scheduled reload.

use super::*;

#[test]
fn two_operators_see_each_other_and_one_can_lock_the_other_out() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        let mut bob = bed.operator("bob").await;
        ann.run("configure terminal").await;
        bob.run("configure terminal").await;
        ann.run("interface Loopback1").await;
        bob.run("interface Loopback1").await;
        ann.run("description from ann").await;
        assert!(
            bob.run("do show running-config interface Loopback1")
                .await
                .contains("description from ann")
        );
        bob.run("mtu 1400").await;
        assert!(
            ann.run("do show running-config interface Loopback1")
                .await
                .contains("mtu 1400")
        );
        bob.run("no interface Loopback1").await;
        assert!(ann.fails("description again").await.contains('%'));
        ann.run("end").await;
        ann.run("configure terminal lock").await;
        let locked = "Configuration mode locked exclusively by user 'ann'";
        assert!(bob.fails("hostname R2").await.starts_with(locked));
        bob.run("end").await;
        bed.put("other", OTHER);
        for line in [
            "configure terminal",
            "configure terminal lock",
            "configure replace flash:other force",
            "configure memory",
            "copy flash:other running-config",
        ] {
            let (text, status, _) = bob.type_in(line, &[""]).await;
            assert!(
                text.starts_with(locked) && status == Status::Failed,
                "{line}: {text}"
            );
        }
        let shown = bob.run("show configuration lock").await;
        assert!(
            shown.contains("User              : ann\n") && shown.contains("LOCKED"),
            "{shown}"
        );
        ann.run("hostname R1").await;
        ann.run("end").await;
        bob.run("configure terminal lock").await;
        ann.run("clear configuration lock").await;
        ann.run("configure terminal lock").await;
        drop(ann);
        while bed.router.borrow().change_control.lock.is_some() {
            tokio::task::yield_now().await;
        }
        bob.run("hostname R3").await;
        bob.run("configuration mode exclusive auto").await;
        bob.run("end").await;
        assert!(
            bob.run("show running-config")
                .await
                .contains("\nconfiguration mode exclusive auto\n")
        );
        let mut eve = bed.operator("eve").await;
        eve.run("configure terminal").await;
        bob.fails("configure terminal").await;
        eve.run("no configuration mode exclusive").await;
        eve.run("end").await;
        bob.run("configure terminal").await;
        eve.run("configure terminal").await;
    });
}

#[test]
fn a_reload_is_scheduled_announced_and_called_off() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        let mut bob = bed.operator("bob").await;
        assert_eq!(ann.run("show reload").await, "No reload is scheduled.\n");
        ann.fails("reload cancel").await;
        ann.fails("reload in 0").await;
        ann.fails("reload at 25:00").await;
        ann.configure("hostname R1").await;
        let (_, status, _) = ann.type_in("reload in 10", &["no", "n"]).await;
        assert_eq!(status, Status::Failed);
        let (text, _, _) = ann.type_in("reload in 2:00 new keys", &["yes", ""]).await;
        assert_eq!(
            ann.questions,
            [
                "System configuration has been modified. Save? [yes/no]: ",
                "Proceed with reload? [confirm]"
            ]
        );
        assert!(
            text.contains("(in 2 hours) by ann\nReload reason: new keys\n"),
            "{text}"
        );
        assert!(
            ann.run("show reload")
                .await
                .contains("by ann\nReload reason: new keys\n")
        );
        assert!(
            bed.log()
                .contains("%SYS-5-SCHEDULED_RELOAD: Reload requested for "),
            "{}",
            bed.log()
        );
        let aborted = "***\n*** --- SHUTDOWN ABORTED ---\n***\n";
        assert_eq!(ann.run("reload cancel").await, aborted);
        while bob.heard.len() < 3 {
            bob.run("show clock").await;
        }
        assert_eq!(bob.heard, ["***", "*** --- SHUTDOWN ABORTED ---", "***"]);
        assert!(bed.router.borrow().stop.is_none());
        ann.send(Request::Exec {
            line: "reload reason done".into(),
        })
        .await;
        assert!(matches!(
            ann.next().await,
            Reply::Log { .. } | Reply::Ask { .. }
        ));
        ann.send(Request::Answer { text: "y".into() }).await;
        while !matches!(ann.next().await, Reply::Bye { .. }) {}
        assert!(bed.router.borrow().stop.is_some());
        assert!(
            bed.log()
                .contains("Reload requested by ann. Reload Reason: done.")
        );
    });
}
