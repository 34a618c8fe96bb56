//! Differences between configurations, and the copies that are kept.

use serde_json::json;

use super::*;

#[test]
fn differences_are_shown_between_any_two() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        ann.configure("hostname R1\ninterface Loopback1\ndescription one")
            .await;
        ann.run("write memory").await;
        ann.configure("hostname R2\ninterface Loopback1\ndescription two")
            .await;
        assert_eq!(
            ann.run("show archive config differences").await,
            "!Contextual Config Diffs:\n+hostname R2\ninterface Loopback1\n +description two\n\
             -hostname R1\ninterface Loopback1\n -description one\n"
        );
        assert_eq!(
            ann.run("show archive config differences system:running-config nvram:startup-config")
                .await,
            "!Contextual Config Diffs:\n+hostname R1\ninterface Loopback1\n +description one\n\
             -hostname R2\ninterface Loopback1\n -description two\n"
        );
        let compared = ann.json("show archive config differences").await;
        let difference = |operation, section: &[&str], line| json!({"operation": operation, "section": section, "line": line});
        assert_eq!(
            compared,
            json!({
                "from": "nvram:startup-config",
                "to": "system:running-config",
                "differences": [
                    difference("added", &[], "hostname R2"),
                    difference("added", &["interface Loopback1"], "description two"),
                    difference("removed", &[], "hostname R1"),
                    difference("removed", &["interface Loopback1"], "description one"),
                ],
            })
        );
        bed.put("more", "HOSTNAME R2\ninterface Loopback1\n shutdown\nend\n");
        assert_eq!(
            ann.run("show archive config incremental-diffs flash:more ignorecase")
                .await,
            "!List of Commands:\ninterface Loopback1\n shutdown\nend\n"
        );
        let added = ann
            .json("show archive config incremental-diffs flash:more ignorecase")
            .await;
        assert_eq!(
            (&added["to"], &added["differences"]),
            (
                &json!("flash:more"),
                &json!([difference("added", &["interface Loopback1"], "shutdown")])
            )
        );
        ann.fails("show archive config differences flash:nothing")
            .await;
        ann.run("write memory").await;
        assert!(
            ann.run("show archive config differences")
                .await
                .contains("!No changes were found")
        );
    });
}

#[test]
fn copies_are_kept_up_to_the_maximum() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        assert_eq!(
            ann.run("show archive").await,
            " Archive feature not enabled\n"
        );
        ann.fails("archive config").await;
        ann.configure("hostname R1\narchive\npath flash:$h-cfg\nmaximum 2\nwrite-memory")
            .await;
        let shown = ann.run("show running-config | section archive").await;
        assert!(
            shown.contains("archive\n path flash:$h-cfg\n maximum 2\n write-memory\n"),
            "{shown}"
        );
        assert!(!ann.run("show inactive-config").await.contains("archive"));
        ann.run("archive config").await;
        ann.run("write memory").await;
        ann.run("archive config").await;
        let shown = ann.run("show archive").await;
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "The maximum archive configurations allowed is 2.");
        assert_eq!(
            lines[1],
            "There are currently 2 archive configurations saved."
        );
        assert_eq!(
            lines[2],
            "The next archive file will be named flash:R1-cfg-<timestamp>-3"
        );
        assert!(
            lines[4].starts_with("   1        flash:R1-cfg-") && lines[4].ends_with("-1"),
            "{shown}"
        );
        assert!(lines[5].ends_with("-2 <- Most Recent"), "{shown}");
        assert_eq!(std::fs::read_dir(bed.flash("")).unwrap().count(), 2);
        // Another daemon on the same state goes on where this one stopped.
        let mut again = router(&bed.folder);
        assert_eq!(again.running.archive().maximum, 2);
        let archive = again.copies().unwrap();
        assert_eq!(archive.files.len(), 2, "{archive:?}");
        assert!(
            archive.files.iter().all(|file| shown.contains(file)),
            "{archive:?}"
        );
        let copy = lines[5].split_whitespace().nth(1).unwrap();
        let differences = ann
            .run(&format!("show archive config differences {copy}"))
            .await;
        assert!(
            differences.contains("!No changes were found"),
            "{differences}"
        );
    });
}
