//! The control socket: honest consoles, and clients that are wrong, greedy, slow or rude.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::bed::{Client, hello, test};
use isthmus_control::{MAX_REQUEST, PROTOCOL_VERSION, Reply, Request, Status};
use isthmus_grammar::Mode;
use isthmusd::log::Severity;
use isthmusd::machine::directory::RunDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[test]
fn a_session_begins_however_much_it_has_to_be_told() {
    test(|bed| async move {
        let mut console = bed.console().await;
        let quotes = "\"".repeat(30_000);
        console.run("configure terminal").await;
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            let done = console.run(&format!("alias exec {name} {quotes}")).await;
            assert_eq!(done.status, Status::Ok, "{}", done.text);
        }
        for banner in ["motd", "exec"] {
            let done = console.run(&format!("banner {banner} #{quotes}#")).await;
            assert_eq!(done.status, Status::Ok, "{}", done.text);
        }
        let mut next = bed.console().await;
        assert_eq!(next.run("show clock").await.status, Status::Ok);
    });
}

#[test]
fn what_another_operator_makes_a_command_is_one_at_once() {
    test(|bed| async move {
        let (mut one, mut other) = (bed.console().await, bed.console().await);
        one.run("configure terminal").await;
        one.run("alias exec tunnels show crypto session").await;
        let Some(Reply::Access(access)) = other.next().await else {
            panic!("nothing was said");
        };
        let spelled = access.spell_out(Mode::Exec, "tunnels").unwrap();
        assert_eq!(spelled.line, "show crypto session");
        // At level 15 no privilege rule makes a difference.
        one.run("privilege exec level 7 show clock").await;
        one.run("no alias exec tunnels").await;
        let Some(Reply::Access(access)) = other.next().await else {
            panic!("nothing was said");
        };
        assert!(access.spell_out(Mode::Exec, "tunnels").is_none());
        assert_eq!(other.run("show clock").await.status, Status::Ok);
    });
}

#[test]
fn counters_of_interfaces_count_from_zero_once_they_are_cleared() {
    test(|bed| async move {
        let (lan, wan) = (bed.fake.add_link("lan0"), bed.fake.add_link("wan0"));
        bed.fake.receive_packets(lan, 7);
        bed.fake.receive_packets(wan, 5);
        let mut console = bed.console().await;
        let input = |text: &str| -> Vec<String> {
            let lines = text.lines().map(str::trim);
            let wanted = |line: &&str| line.contains("packets input") || line.contains("clearing");
            lines.filter(wanted).map(str::to_owned).collect()
        };
        let never = r#"Last clearing of "show interface" counters never"#;
        let show = "show interfaces | json";
        // Nothing follows the kernel's events here: this looks at it.
        console.run(show).await;
        let before = console.run("show interfaces lan0").await;
        assert_eq!(
            input(&before.text),
            [never, "7 packets input, 700 bytes, 0 no buffer"]
        );
        let refused = console.answering("clear counters lan0", &["n"]).await;
        assert_eq!(
            (refused.status, refused.text.as_str()),
            (
                Status::Failed,
                r#"Clear "show interface" counters on this interface [confirm]"#
            )
        );
        let done = console.answering("clear counters lan0", &[""]).await;
        assert_eq!(done.status, Status::Ok, "{}", done.text);
        bed.fake.receive_packets(lan, 2);
        let after = input(&console.run("show interfaces lan0").await.text);
        assert!(after[0].contains("counters 00:00:0"), "{after:?}");
        assert_eq!(after[1], "2 packets input, 200 bytes, 0 no buffer");
        let other = console.run("show interfaces wan0").await;
        assert_eq!(
            input(&other.text),
            [never, "5 packets input, 500 bytes, 0 no buffer"]
        );
        let done = console.answering("clear counters", &["y"]).await;
        assert!(
            done.text.contains("on all interfaces [confirm]"),
            "{}",
            done.text
        );
        let json = console.run(show).await.text;
        assert!(!json.contains(r#""since_cleared_seconds": null"#), "{json}");
        let log = bed.log();
        assert!(
            log.contains("%CLEAR-5-COUNTERS: Clear counter on interface lan0 by ann on vty0"),
            "{log}"
        );
        assert!(
            log.contains("%CLEAR-5-COUNTERS: Clear counter on all interfaces by ann on vty0"),
            "{log}"
        );
        let unknown = console.run("clear counters wan7").await;
        assert_eq!(unknown.status, Status::Invalid);
    });
}

#[test]
fn the_socket_is_for_owner_and_group_and_the_folder_for_one_daemon() {
    test(|bed| async move {
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&bed.socket()), 0o660);
        let error = RunDir::take(&bed.folder.path().join("run"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("another isthmusd already runs"), "{error}");
        let mut console = bed.console().await;
        assert_eq!(console.run("write memory").await.status, Status::Ok);
        assert_eq!(mode(&bed.folder.path().join("startup-config")), 0o600);
    });
}

#[test]
fn a_configuration_session() {
    test(|bed| async move {
        let mut console = bed.console().await;
        let done = console.run("conf t").await;
        assert_eq!(
            (done.mode, done.prompt.as_str()),
            (Mode::Config, "Router(config)#")
        );
        assert_eq!(console.run("hostname R1").await.prompt, "R1(config)#");
        assert_eq!(
            console.run("cry isa pol 10").await.prompt,
            "R1(config-isakmp)#"
        );
        let refused = console.run("encryption rot13").await;
        assert_eq!(refused.status, Status::Invalid);
        let caret = " ".repeat("encryption ".len()) + "^\n";
        assert!(refused.text.starts_with(&caret), "{:?}", refused.text);
        assert_eq!(console.run("exit").await.mode, Mode::Config);
        assert!(
            console
                .run("do show running-config")
                .await
                .text
                .contains("hostname R1")
        );
        assert_eq!(console.run("end").await.mode, Mode::Exec);
        let log = bed.log();
        let text = "%SYS-5-CONFIG_I: Configured from console by ann on vty0 (192.0.2.7)";
        assert!(log.contains(text), "{log}");
        assert!(
            console
                .run("show history")
                .await
                .text
                .contains("  conf t\n")
        );
    });
}

#[test]
fn an_interface_that_is_nowhere_has_the_caret() {
    test(|bed| async move {
        let mut console = bed.console().await;
        let commands = [
            "show interfaces Gi0/9",
            "show interfaces Gi0/9 description",
            "show ip interface Gi0/9",
            "show running-config interface Gi0/9",
            "show crypto map interface Gi0/9",
            "show crypto ipsec sa interface Gi0/9",
        ];
        for line in commands.into_iter().chain(["clear counters Gi0/9"]) {
            let done = console.run(line).await;
            let text = format!(
                "{:1$}^\n% Invalid input detected at '^' marker.\n\n",
                "",
                line.find("0/9").unwrap()
            );
            assert_eq!((done.status, done.text), (Status::Invalid, text), "{line}");
        }
        for line in ["configure terminal", "interface Gi0/9", "end"] {
            console.run(line).await;
        }
        for line in commands {
            assert_eq!(console.run(line).await.status, Status::Ok, "{line}");
        }
    });
}

#[test]
fn lines_that_do_nothing_yet_are_answered_listed_saved_and_loaded_again() {
    test(|bed| async move {
        let mut console = bed.console().await;
        console.run("configure terminal").await;
        let done = console.run("crypto keyring BRANCHES").await;
        assert_eq!(
            (done.status, done.prompt.as_str(), done.text.as_str()),
            (
                Status::Ok,
                "Router(conf-keyring)#",
                "% Accepted, not active in this release: crypto keyring BRANCHES\n"
            )
        );
        console
            .run("pre-shared-key address 192.0.2.1 key hush")
            .await;
        assert_eq!(
            console.run("rsa-pubkey name r").await.prompt,
            "Router(config-pubkey-key)#"
        );
        assert_eq!(console.run("exit").await.prompt, "Router(conf-keyring)#");
        console.run("end").await;
        let listed = "crypto keyring BRANCHES  \n  pre-shared-key address 192.0.2.1 key hush\n  rsa-pubkey name r\n";
        assert_eq!(console.run("show inactive-config").await.text, listed);
        assert_eq!(console.run("write memory").await.status, Status::Ok);
        console.run("configure terminal").await;
        console.run("no crypto keyring BRANCHES").await;
        console.run("end").await;
        assert_eq!(console.run("show inactive-config").await.text, "");
        bed.router.borrow_mut().boot();
        assert_eq!(console.run("show inactive-config").await.text, listed);
        let log = bed.log();
        let told = "%PARSER-5-CFGINACTIVE: 3 lines are not active in this release; show inactive-config lists them";
        assert!(log.contains(told), "{log}");
        assert!(!log.contains("hush"), "{log}");
    });
}

#[test]
fn questions_are_asked_and_can_be_given_up() {
    test(|bed| async move {
        let mut console = bed.console().await;
        let done = console
            .answering("copy running-config startup-config", &[""])
            .await;
        assert!(
            done.text
                .ends_with("[startup-config]? Building configuration...\n[OK]\n"),
            "{}",
            done.text
        );
        console
            .send(Request::Exec {
                line: "write erase".into(),
            })
            .await;
        assert!(matches!(console.next().await, Some(Reply::Ask { .. })));
        console.send(Request::Interrupt).await;
        assert_eq!(console.finish(&[]).await.status, Status::Failed);
        assert!(bed.folder.path().join("startup-config").exists());
        assert_eq!(
            console.answering("write erase", &["n"]).await.status,
            Status::Failed
        );
        assert_eq!(
            console.answering("write erase", &["y"]).await.status,
            Status::Ok
        );
        assert!(!bed.folder.path().join("startup-config").exists());
        console.run("configure terminal").await;
        console.run("hostname R2").await;
        console.run("end").await;
        let done = console.answering("reload", &["maybe", "no", "q"]).await;
        assert!(
            done.text.contains("% Please answer 'yes' or 'no'."),
            "{}",
            done.text
        );
        assert_eq!(done.status, Status::Failed);
        assert!(bed.router.borrow().stop.is_none());
    });
}

#[test]
fn files_stay_in_the_state_folder() {
    test(|bed| async move {
        let mut console = bed.console().await;
        let done = console
            .answering("copy running-config flash:a.cfg", &[""])
            .await;
        assert_eq!(done.status, Status::Ok, "{}", done.text);
        assert!(bed.folder.path().join("state/flash/a.cfg").exists());
        let done = console
            .answering("copy running-config flash:../b.cfg", &["../b.cfg"])
            .await;
        assert_eq!(done.status, Status::Failed, "{}", done.text);
        assert!(!bed.folder.path().join("state/b.cfg").exists());
        let done = console
            .answering("copy flash:a.cfg running-config", &[""])
            .await;
        assert_eq!(done.status, Status::Ok, "{}", done.text);
    });
}

#[test]
fn enable_asks_for_the_secret() {
    test(|bed| async move {
        let mut console = bed.console().await;
        for line in [
            "configure terminal",
            "enable password corinth",
            "logging userinfo",
            "end",
            "disable",
        ] {
            assert_eq!(console.run(line).await.status, Status::Ok, "{line}");
        }
        let done = console.answering("enable", &["a", "b", "c"]).await;
        assert_eq!((done.mode, done.status), (Mode::UserExec, Status::Failed));
        assert!(done.text.contains("% Bad passwords"), "{}", done.text);
        assert_eq!(
            console.answering("enable", &["a", "corinth"]).await.mode,
            Mode::Exec
        );
        let log = bed.log();
        let failed = "%SYS-5-PRIV_AUTH_FAIL: Authentication to Privilege level 15 failed by ";
        let passed = "%SYS-5-PRIV_AUTH_PASS: Privilege level set to 15 by ";
        assert_eq!(log.matches(failed).count(), 1, "{log}");
        assert_eq!(log.matches(passed).count(), 1, "{log}");
    });
}

#[test]
fn names_are_looked_up_unless_the_configuration_says_no() {
    test(|bed| async move {
        let mut console = bed.console().await;
        for (setting, found) in [("no ip domain lookup", false), ("ip domain lookup", true)] {
            for line in ["configure terminal", setting, "end"] {
                console.run(line).await;
            }
            for (host, found) in [("localhost", found), ("127.0.0.1", true)] {
                let done = console.run(&format!("ping {host} repeat 1")).await;
                let unknown = done.text.contains("% Unrecognized host or address");
                assert_eq!(unknown, !found, "{setting}: {}", done.text);
            }
        }
    });
}

#[test]
fn ping_streams_and_stops() {
    test(|bed| async move {
        let mut console = bed.console().await;
        let done = console.run("ping 192.0.2.1 repeat 3").await;
        assert!(
            done.text
                .contains("Sending 3, 100-byte ICMP Echos to 192.0.2.1, timeout is 2 seconds:\n"),
            "{}",
            done.text
        );
        assert!(done.text.contains("/3)"), "{}", done.text);
        assert_eq!(bed.fake.counts().other, 0);
        console
            .send(Request::Exec {
                line: "ping 192.0.2.1 repeat 2000000000".into(),
            })
            .await;
        console.send(Request::Interrupt).await;
        let done = console.finish(&[]).await;
        assert!(done.text.contains("Success rate is"), "{}", done.text);
    });
}

#[test]
fn ping_alone_asks_for_everything() {
    test(|bed| async move {
        let mut console = bed.console().await;
        let target = ["", "192.0.2.1", "2", "", "1"];
        let extended = ["y", "", "", "y", "", "", ""];
        let sweep = ["y", "100", "110", "5"];
        let answers = [&target[..], &extended, &sweep].concat();
        let done = console.answering("ping", &answers).await;
        assert!(
            done.text.contains(
                "Sending 2, [100..110]-byte ICMP Echos to 192.0.2.1, timeout is 1 seconds:\n\
                 Packet sent with the DF bit set\n"
            ),
            "{}",
            done.text
        );
        assert!(done.text.contains("/6)"), "{}", done.text);
        let plain = [&target[..], &["n", "n"]].concat();
        let done = console.answering("ping", &plain).await;
        assert!(done.text.contains("/2)"), "{}", done.text);
        for (answers, refusal) in [
            (
                &["", ""][..],
                "% Unrecognized host or address, or protocol not running.\n",
            ),
            (
                &["", "192.0.2.1", "0"],
                "% A decimal number between 1 and 2147483647.\n",
            ),
            (
                &["", "192.0.2.1", "", "", "", "y", "", "4"],
                "% Only 0 is possible in this release\n",
            ),
        ] {
            let done = console.answering("ping", answers).await;
            assert!(done.text.ends_with(refusal), "{}", done.text);
        }
    });
}

#[test]
fn traceroute_alone_asks_for_everything() {
    test(|bed| async move {
        let mut console = bed.console().await;
        let answers = ["", "192.0.2.1", "", "y", "1", "1", "2", "3", "", ""];
        let done = console.answering("traceroute", &answers).await;
        let hops: Vec<_> = done.text.lines().skip(3).map(|line| &line[..3]).collect();
        assert_eq!(hops.first(), Some(&"  2"), "{}", done.text);
        let done = console
            .answering("traceroute", &["", "192.0.2.1", "", "", "", "", "0"])
            .await;
        let refusal = "% A decimal number between 1 and 255.\n";
        assert!(done.text.ends_with(refusal), "{}", done.text);
    });
}

#[test]
fn a_terminal_without_history_keeps_no_lines() {
    test(|bed| async move {
        let mut console = bed.console().await;
        let history = async |console: &mut Client| {
            console
                .run("show terminal")
                .await
                .text
                .lines()
                .last()
                .map(str::to_owned)
        };
        console.run("terminal no history").await;
        assert_eq!(
            history(&mut console).await.as_deref(),
            Some("History is disabled, history size is 0.")
        );
        console.run("terminal history").await;
        assert_eq!(
            history(&mut console).await.as_deref(),
            Some("History is enabled, history size is 10.")
        );
        console.run("terminal history size 20").await;
        console.run("terminal history").await;
        assert_eq!(
            history(&mut console).await.as_deref(),
            Some("History is enabled, history size is 20.")
        );
    });
}

#[test]
fn log_lines_come_to_terminals_that_monitor() {
    test(|bed| async move {
        let mut console = bed.console().await;
        console.run("terminal monitor").await;
        let notice = || {
            bed.router
                .borrow_mut()
                .notice(Severity::Notifications, "TEST", "hello")
        };
        notice();
        let Some(Reply::Log { text }) = console.next().await else {
            panic!("no log line");
        };
        assert!(text.ends_with("%SYS-5-TEST: hello"), "{text}");
        console.run("terminal no monitor").await;
        notice();
        assert_eq!(console.run("show clock").await.status, Status::Ok);
    });
}

#[test]
fn another_version_is_told_to_go() {
    test(|bed| async move {
        let mut client = Client::over(bed.raw().await);
        client.send(hello(PROTOCOL_VERSION + 1)).await;
        let Some(Reply::Bye { text }) = client.next().await else {
            panic!("no Bye");
        };
        let own = format!("version {PROTOCOL_VERSION}");
        assert!(text.contains(&own), "{text}");
        assert_eq!(client.next().await, None);
        let mut client = Client::over(bed.raw().await);
        client.send(Request::Interrupt).await;
        assert!(matches!(client.next().await, Some(Reply::Bye { .. })));
    });
}

#[test]
fn foreign_and_oversized_frames_end_only_their_own_session() {
    test(|bed| async move {
        for bytes in [
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            u32::MAX.to_be_bytes().to_vec(),
            (MAX_REQUEST as u32 + 1).to_be_bytes().to_vec(),
            [&4_u32.to_be_bytes()[..], b"null"].concat(),
        ] {
            let mut stream = bed.raw().await;
            stream.write_all(&bytes).await.unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.unwrap();
            let mut inside = bed.console().await;
            inside.writer.write_all(&bytes).await.unwrap();
            assert_eq!(inside.next().await, None);
        }
        assert_eq!(
            bed.console().await.run("show clock").await.status,
            Status::Ok
        );
    });
}

#[test]
fn a_client_that_hangs_up_its_half_still_gets_its_answer() {
    test(|bed| async move {
        let mut client = bed.console().await;
        client
            .send(Request::Exec {
                line: "show clock".into(),
            })
            .await;
        client.writer.shutdown().await.unwrap();
        assert_eq!(client.finish(&[]).await.status, Status::Ok);
        assert_eq!(client.next().await, None);
        drop(bed.console().await);
        let mut client = bed.console().await;
        client.writer.write_all(&[0, 0]).await.unwrap();
        drop(client);
        assert_eq!(
            bed.console().await.run("show clock").await.status,
            Status::Ok
        );
    });
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody() {
    test(|bed| async move {
        let mut slow = bed.console().await;
        slow.run("terminal monitor").await;
        for _ in 0..40 {
            slow.send(Request::Exec {
                line: "show tech-support".into(),
            })
            .await;
        }
        let mut other = bed.console().await;
        for _ in 0..2000 {
            bed.router
                .borrow_mut()
                .log
                .write(&isthmusd::log::Message::Debug("x".repeat(1000)));
        }
        assert_eq!(other.run("show clock").await.status, Status::Ok);
        assert!(bed.router.borrow().log.counts().dropped > 0);
    });
}

#[test]
fn there_is_a_limit_to_sessions() {
    test(|bed| async move {
        let mut open = Vec::new();
        for _ in 0..64 {
            open.push(bed.console().await);
        }
        let mut one_more = Client::over(bed.raw().await);
        one_more.send(hello(PROTOCOL_VERSION)).await;
        assert!(matches!(one_more.next().await, Some(Reply::Bye { .. })));
        open.clear();
        while bed.router.borrow().sessions.iter().count() > 0 {
            tokio::task::yield_now().await;
        }
        bed.console().await;
    });
}
