//! The configuration change logger, with two operators who type secrets.

use super::*;

const SECRETS: &str = "\
username bob secret S3cret-one
username eve password 0 S3cret-two
enable secret S3cret-three
enable password S3cret-four
crypto isakmp key S3cret-five address 192.0.2.1
snmp-server community S3cret-six RO
radius-server key S3cret-seven
alias configure peer crypto isakmp key S3cret-eight address
archive
path ftp://ann:S3cret-nine@192.0.2.9/cfg
line vty 0 4
password S3cret-ten
crypto keyring K
pre-shared-key address 192.0.2.2 key S3cret-eleven
crypto ikev2 keyring L
peer one
pre-shared-key local S3cret-twelve
interface Loopback1
ip nhrp authentication S3cretNH
exit";

async fn start(operator: &mut Operator) {
    operator
        .configure("archive\nlog config\nlogging enable\nnotify syslog")
        .await;
}

fn rows(screen: &str) -> Vec<&str> {
    screen.lines().skip(1).collect()
}

#[test]
fn what_two_operators_enter_is_recorded_in_order() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        let mut bob = bed.operator("bob").await;
        start(&mut ann).await;
        ann.run("configure terminal").await;
        bob.run("configure terminal").await;
        ann.run("int lo1").await;
        bob.run("hostname R2").await;
        bob.run("do show clock").await;
        bob.run("! a comment").await;
        ann.run("no shut").await;
        ann.fails("nonsense").await;
        ann.fails("ip address").await;
        ann.fails("crypto map NONE").await;
        ann.run("exit").await;
        ann.run("end").await;
        assert_eq!(
            ann.run("show archive log config all").await,
            " idx   sess           user@line      Logged command
    1     1            ann@vty0     |  logging enable
    2     1            ann@vty0     |  notify syslog
    3     2            ann@vty0     |interface Loopback1
    4     3            bob@vty1     |hostname R2
    5     2            ann@vty0     | no shutdown
"
        );
        assert_eq!(
            ann.run("show archive log config all provisioning").await,
            "archive
 log config
  logging enable
  notify syslog
interface Loopback1
hostname R2
interface Loopback1
 no shutdown
"
        );
        let two = ann.run("show archive log config 3 4").await;
        assert_eq!(rows(&two).len(), 2, "{two}");
        let one = ann.run("show archive log config user bob").await;
        assert!(rows(&one)[0].ends_with("|hostname R2"), "{one}");
        let json = ann.run("show archive log config 5 | json").await;
        assert!(
            json.contains("\"modes\": [\n          \"interface Loopback1\""),
            "{json}"
        );
        assert!(
            bed.log()
                .contains("%PARSER-5-CFGLOG_LOGGEDCMD: User:bob  logged command:hostname R2"),
            "{}",
            bed.log()
        );
        assert!(!bed.log().contains("nonsense"));
        let statistics = ann.run("show archive log config statistics").await;
        assert!(
            statistics.contains("Number of sessions being tracked: 3\n")
                && statistics.contains("Number of entries in the log-queue: 5\n"),
            "{statistics}"
        );
        let (_, status, _) = ann.type_in("clear archive log config", &["n"]).await;
        assert_eq!(status, Status::Failed);
        assert_eq!(rows(&ann.run("show archive log config all").await).len(), 5);
        ann.run("clear archive log config force").await;
        assert_eq!(rows(&ann.run("show archive log config all").await), [""; 0]);
    });
}

#[test]
fn secrets_are_in_no_record_of_a_command() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        start(&mut ann).await;
        ann.run("configure terminal").await;
        for line in SECRETS.lines() {
            ann.run(line).await;
        }
        let (_, status, _) = ann
            .type_in("key config-key password-encrypt S3cret-master", &[])
            .await;
        assert_eq!(status, Status::Ok);
        ann.run("end").await;
        let mut shown = bed.log();
        for form in ["", " provisioning", " | json"] {
            let text = ann.run(&format!("show archive log config all{form}")).await;
            for hidden in [
                "username bob secret *****",
                "username eve password 0 *****",
                "crypto isakmp key ***** address 192.0.2.1",
                "alias configure peer crypto isakmp key ***** address",
                "path ftp://ann:*****@192.0.2.9/cfg",
                "password *****",
                "pre-shared-key local *****",
                "key config-key password-encrypt *****",
            ] {
                assert!(text.contains(hidden), "{hidden} is not in\n{text}");
            }
            shown.push_str(&text);
        }
        shown.push_str(&ann.run("show logging").await);
        assert!(!shown.to_lowercase().contains("s3cret"), "{shown}");
        assert!(shown.contains("logged command:key config-key password-encrypt *****"));
    });
}

#[test]
fn files_are_not_logged_and_what_nobody_understands_is_hidden() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        start(&mut ann).await;
        bed.put(
            "more",
            "hostname R5\nfrobnicate S3cret now\nblink\ninterface Loopback5\n mtu 1400\n",
        );
        ann.type_in("copy flash:more running-config", &[""]).await;
        ann.run("configure terminal").await;
        ann.run("no frobnicate S3cret now").await;
        ann.run("no blink").await;
        ann.run("end").await;
        let shown = ann.run("show archive log config all").await;
        let commands: Vec<&str> = rows(&shown)
            .iter()
            .filter_map(|row| Some(row.split_once('|')?.1))
            .collect();
        assert_eq!(
            commands,
            [
                "  logging enable",
                "  notify syslog",
                "no frobnicate *****",
                "no blink"
            ]
        );
        assert!(!bed.log().contains("logged command:hostname"));
        ann.run("write memory").await;
        let mut again = router(&bed.folder);
        again.boot();
        let log = &again.change_control.config_log;
        assert!(log.is_enabled() && log.commands().is_empty());
    });
}

#[test]
fn lines_that_act_are_not_inactive() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        ann.run("configure terminal").await;
        for (line, acts) in [
            ("archive", true),
            ("log config", true),
            ("logging enable", true),
            ("logging size 300", true),
            ("hidekeys", true),
            ("notify syslog contenttype plaintext", true),
            ("notify syslog contenttype xml", false),
            ("logging persistent auto", false),
            ("notify syslog", true),
        ] {
            let text = ann.run(line).await;
            assert_eq!(text.is_empty(), acts, "{line}: {text}");
        }
        ann.run("end").await;
        let shown = ann.run("show running-config").await;
        let kept = "archive
 log config
  logging enable
  logging persistent auto
  logging size 300
  notify syslog
  hidekeys
";
        assert!(shown.contains(kept), "{shown}");
        let inactive = ann.run("show inactive-config").await;
        assert_eq!(
            inactive,
            "archive\n log config\n  logging persistent auto\n"
        );
    });
}
