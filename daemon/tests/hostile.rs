//! Clients of the control socket that mean harm: none stops the daemon, holds up another session, makes it grow without
//! end, or reads a secret. A program of its own, for it counts the open files of the whole process.

mod bed;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as StdStream;
use std::path::PathBuf;

use bed::{Bed, Client, hello, test};
use isthmus_control::{MAX_REQUEST, PROTOCOL_VERSION, Reply, Request, Status, encode};
use isthmus_grammar::Mode;
use isthmus_grammar::help::help;
use rustix::process::Uid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// A frame with this body.
fn frame(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap();
    [&length.to_be_bytes()[..], body].concat()
}

async fn works(bed: &Bed) {
    let mut console = bed.console().await;
    assert_eq!(console.run("show clock").await.status, Status::Ok);
}

async fn all_gone(bed: &Bed) {
    while bed.router.borrow().sessions.iter().count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn bodies_that_are_no_message_end_their_session() {
    test(|bed| async move {
        let deep = |open: &str, n| open.repeat(n).into_bytes();
        let bodies = [
            Vec::new(),
            deep("[", 60_000),
            deep("{\"a\":", 12_000),
            b"{\"type\":\"exec\",\"line\":"
                .iter()
                .copied()
                .chain(deep("[", 50_000))
                .collect(),
            b"{\"type\":\"exec\",\"line\":\"\xff\xfe\"}".to_vec(),
            b"{\"type\":\"exec\",\"line\":\"\\ud800\"}".to_vec(),
            b"{\"type\":\"exec\",\"line\":7}".to_vec(),
            b"{\"type\":\"exec\"}".to_vec(),
            b"{\"type\":\"obey\",\"line\":\"reload\"}".to_vec(),
            b"{\"type\":\"interrupt\"} trailing".to_vec(),
            b"\0\0\0\0".to_vec(),
        ];
        for body in bodies {
            let mut stranger = bed.raw().await;
            stranger.write_all(&frame(&body)).await.unwrap();
            let mut rest = Vec::new();
            stranger.read_to_end(&mut rest).await.unwrap();
            let mut inside = bed.console().await;
            inside.writer.write_all(&frame(&body)).await.unwrap();
            assert_eq!(
                inside.next().await,
                None,
                "{:?}",
                String::from_utf8_lossy(&body)
            );
        }
        all_gone(&bed).await;
        works(&bed).await;
    });
}

#[test]
fn lines_of_anything_are_refused_and_no_more() {
    test(|bed| async move {
        let mut console = bed.console().await;
        let long = "x".repeat(60_000);
        let words = "show ".repeat(12_000);
        for line in [
            "show\0clock",
            "\u{1b}[2J",
            "show clock\nreload",
            "show clock\rreload",
            "\u{202e}kcolc wohs",
            "|",
            "show clock | | |",
            &long,
            &words,
        ] {
            let done = console.run(line).await;
            assert_eq!(done.status, Status::Invalid, "{line:.40?}");
            assert_eq!(done.mode, Mode::Exec);
        }
        assert!(bed.router.borrow().stop.is_none());
        assert_eq!(console.run("show clock").await.status, Status::Ok);
    });
}

#[test]
fn clients_that_say_nothing_keep_nobody_out() {
    test(|bed| async move {
        let mut slow = Vec::new();
        let start = encode(&hello(PROTOCOL_VERSION), MAX_REQUEST).unwrap();
        for n in 0..200 {
            let mut stream = bed.raw().await;
            stream.write_all(&start[..n % start.len()]).await.unwrap();
            slow.push(stream);
        }
        works(&bed).await;
        // One user's silent connections are counted; what is over the limit is cut off at once.
        let mut cut_off = 0;
        for _ in 0..100 {
            let mut stream = bed.raw().await;
            slow.push(bed.raw().await);
            tokio::task::yield_now().await;
            let mut byte = [0];
            let ended =
                tokio::time::timeout(std::time::Duration::from_millis(1), stream.read(&mut byte));
            match ended.await {
                Ok(end) => {
                    assert_eq!(end.unwrap_or(0), 0);
                    cut_off += 1;
                }
                Err(_) => slow.push(stream),
            }
        }
        assert!(cut_off > 0);
        drop(slow);
        // Their places are free again as soon as the daemon has noticed.
        loop {
            let mut client = Client::over(bed.raw().await);
            let sent = client.writer.write_all(&start).await;
            if sent.is_ok() && matches!(client.reader.next().await, Ok(Some(Reply::Welcome(_)))) {
                break;
            }
        }
        works(&bed).await;
    });
}

#[test]
fn thousands_of_connections_leave_nothing_behind() {
    test(|bed| async move {
        let open_files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        works(&bed).await;
        all_gone(&bed).await;
        let before = open_files();
        for n in 0..3000 {
            let mut stream = bed.raw().await;
            let greeting = match n % 3 {
                0 => vec![0, 0, 0],
                1 => encode(&hello(PROTOCOL_VERSION), MAX_REQUEST).unwrap(),
                _ => Vec::new(),
            };
            // It may have been cut off already.
            let _ = stream.write_all(&greeting).await;
        }
        works(&bed).await;
        all_gone(&bed).await;
        while open_files() > before {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_flood_of_interrupts_disturbs_nobody() {
    test(|bed| async move {
        let mut flood = bed.console().await;
        let interrupt = encode(&Request::Interrupt, MAX_REQUEST).unwrap();
        let many = interrupt.repeat(200_000);
        let Client { reader, writer } = &mut flood;
        let (sent, ()) = tokio::join!(writer.write_all(&many), works(&bed));
        sent.unwrap();
        let line = encode(
            &Request::Exec {
                line: "show clock".into(),
            },
            MAX_REQUEST,
        )
        .unwrap();
        writer.write_all(&line).await.unwrap();
        loop {
            match reader.next().await.unwrap().unwrap() {
                Reply::Done { status, .. } => break assert_eq!(status, Status::Ok),
                Reply::Output { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    });
}

/// Sends frames until the daemon takes no more, and gives how many octets it took.
async fn pour(bed: &Bed, client: &mut Client, request: &Request) -> usize {
    let frame = encode(request, MAX_REQUEST).unwrap();
    let stream = frame.iter().copied().cycle();
    let many: Vec<u8> = stream.take(frame.len() * (4 << 20) / frame.len()).collect();
    let mut taken = 0;
    let mut refused = 0;
    while refused < 5 && taken < many.len() {
        match client.writer.try_write(&many[taken..]) {
            Ok(n) => {
                taken += n;
                refused = 0;
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                // The daemon has had its turn when it has answered somebody else.
                works(bed).await;
                refused += 1;
            }
            Err(_) => break,
        }
    }
    taken
}

#[test]
fn a_client_that_only_talks_is_not_listened_to_for_ever() {
    test(|bed| async move {
        let mut deaf = bed.console().await;
        let line = "show running-config".to_owned();
        let taken = pour(&bed, &mut deaf, &Request::Exec { line }).await;
        assert!(
            taken < 2 << 20,
            "{taken} octets were taken from a client that does not read"
        );
        works(&bed).await;
    });
}

#[test]
fn commands_sent_ahead_of_an_answer_are_counted() {
    test(|bed| async move {
        let mut client = bed.console().await;
        let ask = Request::Exec {
            line: "reload".into(),
        };
        client.send(ask).await;
        assert!(matches!(client.next().await, Some(Reply::Ask { .. })));
        let line = "x".repeat(60_000);
        for _ in 0..20 {
            let request = Request::Exec { line: line.clone() };
            let frame = encode(&request, MAX_REQUEST).unwrap();
            if client.writer.write_all(&frame).await.is_err() {
                break;
            }
        }
        assert!(!matches!(client.reader.next().await, Ok(Some(_))));
        all_gone(&bed).await;
        assert!(bed.router.borrow().stop.is_none());
        works(&bed).await;
    });
}

#[test]
fn a_client_that_dies_while_it_configures_is_on_record() {
    test(|bed| async move {
        let mut client = bed.console().await;
        for line in [
            "configure terminal",
            "crypto isakmp policy 10",
            "hash sha256",
        ] {
            assert_eq!(client.run(line).await.status, Status::Ok, "{line}");
        }
        // The last line is only half there.
        let half = encode(
            &Request::Exec {
                line: "group 14".into(),
            },
            MAX_REQUEST,
        )
        .unwrap();
        client
            .writer
            .write_all(&half[..half.len() - 3])
            .await
            .unwrap();
        drop(client);
        all_gone(&bed).await;
        let log = bed.log();
        let text = "%SYS-5-CONFIG_I: Configured from console by ann on vty0 (192.0.2.7)";
        assert!(log.contains(text), "{log}");
        let mut console = bed.console().await;
        let config = console.run("show running-config").await.text;
        assert!(
            config.contains(" hash sha256") && !config.contains("group 14"),
            "{config}"
        );
        assert_eq!(console.run("configure terminal").await.mode, Mode::Config);
    });
}

#[test]
fn answers_nobody_asked_for_end_the_session() {
    test(|bed| async move {
        for request in [
            Request::Answer { text: "y".into() },
            hello(PROTOCOL_VERSION),
        ] {
            let mut client = bed.console().await;
            client.send(request).await;
            assert!(matches!(client.next().await, Some(Reply::Bye { .. })));
        }
        let mut client = bed.console().await;
        let ask = Request::Exec {
            line: "reload".into(),
        };
        client.send(ask).await;
        client.send(hello(PROTOCOL_VERSION)).await;
        assert!(matches!(client.next().await, Some(Reply::Ask { .. })));
        assert_eq!(client.next().await, None);
        works(&bed).await;
    });
}

const SECRETS: [&str; 3] = ["corinth", "lechaion", "kenchreai"];

/// A connection of a user without rights: `nobody`, in a thread of its own. Only root can make one.
fn stranger(socket: PathBuf) -> StdStream {
    let connect = move || {
        let nobody = Uid::from_raw(65_534);
        rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
        StdStream::connect(socket).unwrap()
    };
    std::thread::spawn(connect).join().unwrap()
}

#[test]
fn a_user_without_the_secret_reads_none() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not root: there is no other user to be");
        return;
    }
    test(|bed| async move {
        let mut owner = bed.console().await;
        let [enable, key, password] = SECRETS;
        for line in [
            "configure terminal",
            &format!("enable password {enable}"),
            &format!("crypto isakmp key {key} address 192.0.2.1"),
            "line vty 0 4",
            &format!("password {password}"),
            "end",
        ] {
            assert_eq!(owner.run(line).await.status, Status::Ok, "{line}");
        }
        let open = |path: PathBuf, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        open(bed.folder.path().into(), 0o755);
        open(bed.socket(), 0o666);
        let stream = stranger(bed.socket());
        stream.set_nonblocking(true).unwrap();
        let mut client = Client::over(UnixStream::from_std(stream).unwrap());
        client.send(hello(PROTOCOL_VERSION)).await;
        assert!(matches!(client.next().await, Some(Reply::Welcome(_))));

        let mut seen = String::new();
        for line in [
            "show running-config",
            "show startup-config",
            "configure terminal",
            "write terminal",
        ] {
            let done = client.run(line).await;
            assert_ne!(done.status, Status::Ok, "{line}");
            assert!(!matches!(done.mode, Mode::Exec | Mode::Config), "{line}");
            seen += &done.text;
        }
        let words = |text: &str| {
            let first = |line: &str| line.split_whitespace().next().map(str::to_owned);
            text.lines().filter_map(first).collect::<Vec<_>>()
        };
        for word in words(&help(Mode::UserExec, "show ")) {
            seen += &client.run(&format!("show {word}")).await.text;
            for more in words(&help(Mode::UserExec, &format!("show {word} "))) {
                seen += &client.run(&format!("show {word} {more}")).await.text;
            }
        }
        let done = client.answering("enable", &["a", "b", "c"]).await;
        assert_eq!(done.mode, Mode::UserExec);
        seen += &done.text;
        for secret in SECRETS {
            assert!(!seen.contains(secret), "{seen}");
        }
        assert!(owner.run("show running-config").await.text.contains(key));
    });
}

#[test]
fn a_user_without_rights_cannot_take_every_line() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not root: there is no other user to be");
        return;
    }
    test(|bed| async move {
        let open = |path: PathBuf, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        open(bed.folder.path().into(), 0o755);
        open(bed.socket(), 0o666);
        let mut lines = Vec::new();
        for _ in 0..64 {
            let stream = stranger(bed.socket());
            stream.set_nonblocking(true).unwrap();
            let mut client = Client::over(UnixStream::from_std(stream).unwrap());
            client.send(hello(PROTOCOL_VERSION)).await;
            if matches!(client.next().await, Some(Reply::Welcome(_))) {
                lines.push(client);
            }
        }
        assert!(lines.len() < 64);
        works(&bed).await;
    });
}
