//! Files: copied, listed, shown, removed; the forms of the running-config.

use super::*;

#[test]
fn the_output_of_a_command_goes_into_files() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        let level = "Current privilege level is 15\n";
        assert_eq!(
            ann.run("show privilege | redirect flash:/out.txt").await,
            ""
        );
        assert_eq!(ann.run("more flash:out.txt").await, level);
        assert_eq!(ann.run("show privilege | append flash:out.txt").await, "");
        assert_eq!(
            ann.run("show privilege | tee /append flash:out.txt").await,
            level
        );
        assert_eq!(ann.run("more flash:out.txt").await, level.repeat(3));
        assert_eq!(ann.run("show privilege | tee flash:out.txt").await, level);
        assert_eq!(ann.run("more flash:out.txt").await, level);
        ann.run("where | append flash:new.txt").await;
        assert_eq!(
            ann.run("more flash:new.txt").await,
            "% No connections open\n"
        );
        for (target, reason) in [
            ("flash:../x", "flash:../x"),
            ("ftp://192.0.2.1/x", "use tftp: or scp:"),
            ("startup-config", "startup-config"),
            (
                "nvram:startup-config",
                "no place for the output of a command",
            ),
            ("running-config", "no place for the output of a command"),
            ("scp:", "scp:"),
        ] {
            let text = ann
                .fails(&format!("show privilege | redirect {target}"))
                .await;
            assert!(
                text.starts_with("%Error opening") && text.contains(reason),
                "{text}"
            );
        }
        let text = ann
            .fails("show privilege | append tftp://192.0.2.1/x")
            .await;
        assert!(
            text.contains("only files of flash: can be appended to"),
            "{text}"
        );
        let text = ann
            .fails("show interfaces wan7 | redirect flash:none.txt")
            .await;
        assert!(text.contains("Invalid input"), "{text}");
        assert!(!bed.flash("none.txt").exists());
        ann.type_in("disable", &[]).await;
        let text = ann.fails("show privilege | redirect flash:out.txt").await;
        assert_eq!(text, "%Error opening flash:out.txt (Permission denied)\n");
    });
}

#[test]
fn files_are_copied_listed_shown_and_removed() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        ann.configure("hostname R1").await;
        let (text, status, _) = ann.type_in("copy running-config flash:", &["a.cfg"]).await;
        assert_eq!(status, Status::Ok, "{text}");
        assert_eq!(ann.questions, ["Destination filename [running-config]? "]);
        assert!(text.contains(" bytes copied in "), "{text}");
        let mode = std::fs::metadata(bed.flash("a.cfg"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(
            ann.run("more flash:/a.cfg")
                .await
                .contains("\nhostname R1\n")
        );
        assert!(ann.run("dir").await.contains("  a.cfg\n"));
        let shown = ann.run("show flash:").await;
        assert!(shown.starts_with("Directory of flash:/\n\n"), "{shown}");
        let facts = ann.json("show flash:").await;
        let file = &facts["files"][0];
        let size = std::fs::metadata(bed.flash("a.cfg")).unwrap().len();
        assert_eq!(facts["directory"], "flash:/");
        assert_eq!(
            (&file["name"], &file["kind"]),
            (&"a.cfg".into(), &"file".into())
        );
        assert_eq!(file["size_bytes"], size);
        assert!(shown.contains(&format!("  -rw-{size:>17}  ")), "{shown}");
        let total = format!("\n{} bytes total (", facts["total_bytes"]);
        assert!(shown.contains(&total), "{shown}");
        assert!(facts["free_bytes"].as_u64() <= facts["total_bytes"].as_u64());
        let modified: jiff::Timestamp = file["modified"].as_str().unwrap().parse().unwrap();
        assert!(modified <= jiff::Timestamp::now());
        assert!(
            ann.run("dir flash:/a.cfg")
                .await
                .starts_with("Directory of flash:/a.cfg\n")
        );
        let (text, status, _) = ann.type_in("copy startup-config a.cfg", &["", "n"]).await;
        assert_eq!((text.as_str(), status), ("", Status::Failed));
        assert!(
            ann.questions[1].contains("over write? [confirm]"),
            "{:?}",
            ann.questions
        );
        ann.type_in("rename a.cfg b.cfg", &[""]).await;
        let (_, status, _) = ann.type_in("delete flash:b.cfg", &["", "y"]).await;
        assert_eq!(status, Status::Ok);
        assert_eq!(
            ann.questions,
            [
                "Delete filename [b.cfg]? ",
                "Delete flash:/b.cfg? [confirm]"
            ]
        );
        assert_eq!(
            ann.fails("more b.cfg").await,
            "%Error opening flash:/b.cfg (No such file or directory)\n"
        );
        assert_eq!(
            ann.fails("dir flash:/b.cfg").await,
            "%Error opening flash:/b.cfg (No such file or directory)\n"
        );
    });
}

#[test]
fn quiet_files_ask_nothing() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        ann.configure("file prompt quiet").await;
        assert!(
            ann.run("show running-config")
                .await
                .contains("\nfile prompt quiet\n")
        );
        ann.run("copy running-config flash:a.cfg").await;
        ann.run("copy running-config flash:a.cfg").await;
        ann.run("copy null: flash:empty").await;
        assert_eq!(std::fs::read(bed.flash("empty")).unwrap(), b"");
        ann.run("copy flash:a.cfg running-config").await;
        ann.run("mkdir old").await;
        ann.run("rename a.cfg old/a.cfg").await;
        assert!(
            ann.run("verify /md5 flash:empty")
                .await
                .contains("= d41d8cd98f00b204e9800998ecf8427e\n")
        );
        ann.fails("verify /md5 flash:empty 00").await;
        ann.fails("rmdir old").await;
        ann.run("delete /force /recursive old").await;
        ann.run("delete empty").await;
        assert!(ann.run("dir").await.contains("No files in directory"));
    });
}

const CHAIN: &str = "hostname R1
crypto pki certificate chain CA
 certificate ca 01
  30820122 300D0609 2A864886 F70D0101 01050003 82010F00 3082010A 02820101
  0203010001
  \tquit
interface Loopback1
 description one
end
";

#[test]
fn the_running_configuration_has_several_forms() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        bed.put("chain", CHAIN);
        ann.type_in("copy flash:chain running-config", &[""]).await;
        let whole = ann.run("show running-config").await;
        assert!(
            whole.starts_with("Building configuration...\n\nCurrent configuration : "),
            "{whole}"
        );
        assert!(
            whole.contains("\n  30820122 300D0609") && whole.ends_with("\nend\n\n"),
            "{whole}"
        );
        assert_eq!(ann.run("show running-config full").await, whole);
        assert_eq!(ann.run("write terminal").await, whole);
        let brief = ann.run("show running-config brief").await;
        assert!(
            brief.contains("\ncrypto pki certificate chain CA\n certificate ca 01\n!\n"),
            "{brief}"
        );
        assert!(!brief.contains("30820122"), "{brief}");
        let all = ann.run("show running-config all").await;
        for default in ["ip domain lookup", "file prompt alert", " no shutdown"] {
            let line = format!("\n{default}\n");
            assert!(
                all.contains(&line) && !whole.contains(&line),
                "{default}: {all}"
            );
        }
        let one = ann.run("show running-config interface Loopback1").await;
        let bytes = one
            .find("!\n")
            .map(|at| one[at + 2..].trim_end_matches('\n').len() + 1)
            .unwrap();
        assert!(
            one.contains(&format!(
                "Current configuration : {bytes} bytes\n!\ninterface Loopback1\n description one\n"
            )),
            "{bytes} {one}"
        );
        assert!(
            ann.run("show running-config interface Loopback1 all")
                .await
                .contains("\n no shutdown\n")
        );
        let lines = ann.run("show startup-config").await;
        assert_eq!(lines, "startup-config is not present\n");
        ann.run("write memory").await;
        assert_eq!(
            ann.run("show configuration").await,
            ann.run("show startup-config").await
        );
    });
}
