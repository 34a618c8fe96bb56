//! No secret of a configuration gets out: not into the log and what reads it, not into `show tech-support`, not to those
//! below level 15. With every sentence of the grammar that has a secret, and with lines of features that are not in it.

use std::collections::{BTreeMap, HashSet, VecDeque};

use crate::bed::{Bed, Client};
use crate::common::{Grammar, Token, spelled};
use isthmus_control::Status;
use isthmus_grammar::Mode;
use isthmus_grammar::command::Command;
use isthmus_grammar::parser::parse;
use isthmusd::log::Severity;
use isthmusd::tasks::syslog;
use tokio::net::UdpSocket;

/// Hexadecimal digits, so that it stands for keys of every kind.
const SECRET: &str = "5EC2E75EC2E7";

/// Lines of the sub-modes of an unknown feature, and the corpus at both depths.
fn unknown_lines() -> String {
    let mut text = String::from("hostname R1\nrouter nonsense 1\n");
    for line in crate::corpus::LINES {
        text += &format!(" {}\n", crate::corpus::with_secret(line, SECRET));
    }
    for line in crate::corpus::LINES {
        text += &format!(
            "{}\n",
            crate::corpus::with_secret(line, SECRET).trim_start()
        );
    }
    text + "interface Loopback1\n ip ospf nonsense md5 "
        + SECRET
        + "\nline vty 0 4\n nonsense passwd "
        + SECRET
        + "\n"
}

/// Each sentence that has a secret, below the lines that open its mode.
fn known_lines() -> String {
    let grammar = Grammar::load();
    let mut text = String::from("hostname R1\n");
    for (mode, headers) in &ways(&grammar) {
        let mut seen = HashSet::new();
        let sentences = with_secrets(&grammar, *mode).filter(|(kind, _)| seen.insert(kind.clone()));
        let lines: Vec<String> = sentences.map(|(_, line)| line).collect();
        for line in lines {
            for (depth, header) in headers.iter().enumerate() {
                text += &format!("{:depth$}{header}\n", "");
            }
            text += &format!("{:1$}{line}\n", "", headers.len());
        }
    }
    text
}

/// The lines that lead to each mode of configuration.
fn ways(grammar: &Grammar) -> BTreeMap<Mode, Vec<String>> {
    let mut ways = BTreeMap::from([(Mode::Config, Vec::new())]);
    let mut next = VecDeque::from([Mode::Config]);
    while let Some(mode) = next.pop_front() {
        for sentence in grammar.sentences(mode) {
            let line = spelled(&sentence);
            let Ok(Command::Config(command)) = parse(mode, &line).map(|parsed| parsed.command)
            else {
                continue;
            };
            let Some(inner) = command.enters().filter(|inner| !inner.is_verbatim()) else {
                continue;
            };
            if !ways.contains_key(&inner) {
                let way = ways[&mode].iter().cloned().chain([line]).collect();
                ways.insert(inner, way);
                next.push_back(inner);
            }
        }
    }
    ways
}

/// The sentences of a mode with secrets in them, each with what tells it from others of its kind.
fn with_secrets(grammar: &Grammar, mode: Mode) -> impl Iterator<Item = (String, String)> {
    let is_secret = |token: &Token| {
        let attributes = grammar.attributes.get(&token.rule);
        attributes.is_some_and(|list| list.iter().any(|one| one.starts_with("@secret")))
    };
    grammar
        .sentences(mode)
        .into_iter()
        .filter_map(move |mut sentence| {
            let mut kind = sentence[0].text.clone();
            let mut any = false;
            for token in sentence.iter_mut().filter(|token| is_secret(token)) {
                token.text = SECRET.to_owned();
                kind = kind + " " + &token.rule;
                any = true;
            }
            any.then(|| (kind, spelled(&sentence)))
        })
}

fn lacks(what: &str, text: &str) {
    let found: Vec<&str> = text.lines().filter(|line| line.contains(SECRET)).collect();
    assert_eq!(found, [""; 0], "{what}");
}

async fn says(client: &mut Client, command: &str) -> String {
    let done = client.run(command).await;
    assert_eq!(done.status, Status::Ok, "{command}: {}", done.text);
    done.text
}

/// Boots from the text with a syslog server; gives all that it got.
async fn boot(bed: &Bed, text: &str) -> String {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let logging =
        format!("logging trap debugging\nlogging host 127.0.0.1 transport udp port {port}\nend\n");
    std::fs::write(
        bed.folder.path().join("startup-config"),
        format!("{text}{logging}"),
    )
    .unwrap();
    tokio::task::spawn_local(syslog::forward(bed.router.clone()));
    {
        let mut router = bed.router.borrow_mut();
        router.boot();
        router.notice(Severity::Notifications, "LAST", "the last one");
    }
    let (mut all, mut datagram) = (String::new(), [0; 9000]);
    while !all.contains("SYS-5-LAST") {
        let length = server.recv(&mut datagram).await.unwrap();
        all += &String::from_utf8_lossy(&datagram[..length]);
        all.push('\n');
    }
    all
}

async fn nothing_gets_out(bed: &Bed, text: &str) {
    let sent = boot(bed, text).await;
    lacks("syslog server", &sent);
    lacks("log", &bed.log());
    let mut client = bed.console().await;
    // What is hidden below is there.
    let count = says(&mut client, "show running-config")
        .await
        .matches(SECRET)
        .count();
    assert!(count > 20, "{count}");
    for command in [
        "show tech-support",
        "show tech-support ipsec",
        "show tech-support | json",
        "show logging",
    ] {
        lacks(command, &says(&mut client, command).await);
    }
    let shown = [
        "show running-config",
        "show running-config | json",
        "show startup-config",
        "show startup-config | json",
        "show archive config differences null: nvram:startup-config",
        "show archive config differences null: nvram:startup-config | json",
        "show archive config differences nvram:startup-config null:",
        "show archive config incremental-diffs nvram:startup-config",
        "show aliases",
        "show crypto isakmp key",
        "show inactive-config",
        "more nvram:startup-config",
        "more system:running-config",
        "more flash:copy",
    ];
    says(&mut client, "configure terminal").await;
    for command in [
        "show running-config",
        "show startup-config",
        "show archive",
        "show aliases",
        "show crypto isakmp key",
    ]
    .iter()
    .chain(["show inactive-config", "more", "copy", "configure replace"].iter())
    {
        says(&mut client, &format!("privilege exec level 1 {command}")).await;
    }
    says(&mut client, "end").await;
    let copied = client
        .answering("copy running-config flash:copy", &["copy"])
        .await;
    assert_eq!(copied.status, Status::Ok, "{}", copied.text);
    says(&mut client, "disable").await;
    for command in shown {
        lacks(command, &says(&mut client, command).await);
    }
    let sent = client
        .answering("copy flash:copy tftp://127.0.0.1/x", &["127.0.0.1", "x"])
        .await;
    assert!(sent.text.contains("Permission denied"), "{}", sent.text);
    lacks("log", &bed.log());
}

#[test]
fn secrets_of_unknown_features_stay_in_the_configuration() {
    crate::bed::test(async |bed| nothing_gets_out(&bed, &unknown_lines()).await);
}

#[test]
fn secrets_of_every_sentence_stay_in_the_configuration() {
    crate::bed::test(async |bed| nothing_gets_out(&bed, &known_lines()).await);
}

/// Once at boot, one line for each kind.
#[test]
fn what_protects_badly_is_in_the_boot_log() {
    crate::bed::test(async |bed| {
        let policy = |number| {
            format!(
                "crypto isakmp policy {number}\n encr 3des\n hash md5\n authentication pre-share\n group 2\n"
            )
        };
        let key = "crypto isakmp key k3y address 0.0.0.0\n";
        boot(&bed, &format!("{}{}{key}", policy(10), policy(20))).await;
        let log = bed.log();
        assert_eq!(
            log.matches("%SYS-4-INSECURE_CONFIG: Module: ISAKMP")
                .count(),
            5,
            "{log}"
        );
        assert!(!log.contains("k3y"), "{log}");
    });
}

/// What is typed is not said again, and the log does not get it.
#[test]
fn what_is_typed_is_not_repeated() {
    crate::bed::test(async |bed| {
        let grammar = Grammar::load();
        let mut client = bed.console().await;
        says(&mut client, "configure terminal").await;
        says(&mut client, "archive").await;
        says(&mut client, "log config").await;
        says(&mut client, "logging enable").await;
        says(&mut client, "notify syslog").await;
        says(&mut client, "end").await;
        let mut seen = HashSet::new();
        for (kind, line) in with_secrets(&grammar, Mode::Config) {
            // What asks for more, and what would hash for seconds in all.
            if !seen.insert(kind) || line.starts_with("key config-key") {
                continue;
            }
            says(&mut client, "configure terminal").await;
            let done = client.answering(&line, &["", "", ""]).await;
            lacks(&line, &done.text);
            client.run("end").await;
        }
        for line in crate::corpus::LINES {
            says(&mut client, "configure terminal").await;
            let done = client
                .answering(&crate::corpus::with_secret(line, SECRET), &["", "", ""])
                .await;
            lacks(line, &done.text);
            client.run("end").await;
        }
        lacks("log", &bed.log());
        lacks(
            "config log",
            &says(&mut client, "show archive log config all").await,
        );
    });
}
