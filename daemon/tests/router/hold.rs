//! What must not hold the packet loop up: disks that hang, screens that no one reads.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use crate::bed::tunnels::{FIRST, SECOND, config, configure, handshake, outbound, tunnel, up};
use crate::bed::{Bed, Client, test};
use isthmus_control::{Reply, Request, Status};
use isthmus_kernel::{SaSpec, SaStats};

/// A command is on its way, and nothing answers it.
async fn hangs(console: &mut Client) {
    while let Ok(reply) =
        tokio::time::timeout(Duration::from_millis(100), console.reader.next()).await
    {
        let reply = reply.unwrap().unwrap();
        assert!(!matches!(reply, Reply::Done { .. }), "{reply:?}");
    }
}

#[test]
fn a_tunnel_comes_up_while_a_save_hangs_on_its_file() {
    test(|bed| async move {
        let other = Bed::new();
        configure(&bed, &config(FIRST, SECOND, 1)).await;
        configure(&other, &config(SECOND, FIRST, 1)).await;
        // A file that cannot be opened before its other end is there: the slowest disk there is.
        let fresh = bed.folder.path().join("startup-config.new");
        pipe(&fresh);
        let _end = Opened(fresh.clone());
        let mut console = bed.console().await;
        let line = "write memory".to_owned();
        console.send(Request::Exec { line }).await;
        hangs(&mut console).await;
        assert_eq!(handshake(&bed.router, &other.router).await, 1);
        // Other sessions work too, as long as they want no file.
        assert_eq!(
            bed.console().await.run("show clock").await.status,
            Status::Ok
        );
        hangs(&mut console).await;
        let reader = std::thread::spawn(move || {
            std::io::copy(
                &mut OpenOptions::new().read(true).open(fresh).unwrap(),
                &mut std::io::sink(),
            )
        });
        // No file that can be flushed: the save fails, and says so.
        let done = console.finish(&[]).await;
        assert_eq!(done.status, Status::Failed);
        assert!(done.text.contains("% cannot save"), "{}", done.text);
        reader.join().unwrap().unwrap();
        assert_eq!(console.run("write memory").await.status, Status::Ok);
    });
}

/// Opens the other end of a pipe when the test is over, also when it failed: no thread may wait for ever.
struct Opened(PathBuf);

impl Drop for Opened {
    fn drop(&mut self) {
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK;
        let _ = rustix::fs::open(&self.0, flags, rustix::fs::Mode::empty());
    }
}

fn pipe(path: &Path) {
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, path, mode).unwrap();
}

#[test]
fn no_command_for_files_holds_a_negotiation_up() {
    let commands: [(&str, &[&str]); 9] = [
        ("copy running-config flash:a", &[""]),
        ("copy flash:there running-config", &[""]),
        ("archive config", &[]),
        ("dir", &[]),
        ("more flash:there", &[]),
        ("verify /md5 flash:there", &[]),
        ("show archive config differences", &[]),
        ("write erase", &[""]),
        ("configure replace flash:there force", &[]),
    ];
    for (command, answers) in commands {
        test(|bed| async move {
            let other = Bed::new();
            let there = config(FIRST, SECOND, 1) + "archive\n path flash:copy\nend\n";
            configure(&bed, &there).await;
            configure(&other, &config(SECOND, FIRST, 1)).await;
            let flash = bed.folder.path().join("state/flash");
            std::fs::create_dir_all(&flash).unwrap();
            std::fs::write(flash.join("there"), &there).unwrap();
            let mut console = bed.console().await;
            assert_eq!(console.run("write memory").await.status, Status::Ok);
            let (release, wait) = mpsc::channel::<()>();
            let busy = bed.router.borrow().disk.run(move || wait.recv());
            let line = command.to_owned();
            console.send(Request::Exec { line }).await;
            for answer in answers {
                while !matches!(console.next().await, Some(Reply::Ask { .. })) {}
                let text = (*answer).to_owned();
                console.send(Request::Answer { text }).await;
            }
            hangs(&mut console).await;
            assert_eq!(
                handshake(&bed.router, &other.router).await,
                1,
                "{command}: {}",
                bed.log()
            );
            release.send(()).unwrap();
            let done = console.finish(&[]).await;
            assert_eq!(done.status, Status::Ok, "{command}: {}", done.text);
            busy.await.unwrap().unwrap();
        });
    }
}

#[test]
fn two_who_save_at_once_are_in_order_and_one_who_leaves_loses_nothing() {
    test(|bed| async move {
        let (mut ann, mut bob) = (bed.console().await, bed.console().await);
        let (release, wait) = mpsc::channel::<()>();
        let busy = bed.router.borrow().disk.run(move || wait.recv());
        for (console, name) in [(&mut ann, "first"), (&mut bob, "second")] {
            for line in ["configure terminal", &format!("hostname {name}"), "end"] {
                assert_eq!(console.run(line).await.status, Status::Ok);
            }
            let line = "write memory".to_owned();
            console.send(Request::Exec { line }).await;
            hangs(console).await;
        }
        drop(bob);
        release.send(()).unwrap();
        assert_eq!(ann.finish(&[]).await.status, Status::Ok);
        busy.await.unwrap().unwrap();
        let written = bed.router.borrow().disk.run(|| ());
        written.await.unwrap();
        let saved = |name: &str| std::fs::read_to_string(bed.folder.path().join(name)).unwrap();
        assert!(saved("startup-config").contains("hostname second\n"));
        assert!(saved("startup-config.old").contains("hostname first\n"));
    });
}

/// Octets that the daemon may hold for one session that does not read.
const HELD: usize = 256 * 1024;

#[test]
fn every_flow_has_the_counters_of_its_sas_however_many_there_are() {
    const TUNNELS: usize = 40;
    test(|bed| async move {
        let other = Bed::new();
        configure(&bed, &config(FIRST, SECOND, TUNNELS)).await;
        configure(&other, &config(SECOND, FIRST, TUNNELS)).await;
        for policy in outbound(&bed.router).await {
            tunnel(&bed.router, &other.router, &policy).await;
        }
        assert_eq!(up(&bed.router), TUNNELS, "{}", bed.log());
        let out = |sa: &SaSpec| sa.destination.to_string() == SECOND;
        let sas: Vec<SaSpec> = bed.fake.sas().into_iter().filter(out).collect();
        for (sa, packets) in sas.iter().zip(1001..) {
            let stats = SaStats {
                packets,
                ..SaStats::default()
            };
            assert!(bed.fake.set_stats(sa.id(), stats));
        }
        let mut console = bed.console().await;
        let shown = console.run("show crypto ipsec sa").await.text;
        let json = console.run("show crypto ipsec sa | json").await.text;
        for packets in 1001..1001 + TUNNELS {
            let text = format!("#pkts encaps: {packets},");
            assert_eq!(shown.matches(&text).count(), 1, "{packets}: {shown}");
            let text = format!("\"encapsulated\": {packets},");
            assert_eq!(json.matches(&text).count(), 1, "{packets}: {json}");
        }
        let line = "show crypto ipsec sa peer 192.0.2.9";
        let none = console.run(line).await.text;
        assert_eq!(none, "\nNo SAs found\n");
    });
}

#[test]
fn what_no_one_reads_is_made_when_it_is_read() {
    for line in ["show crypto ipsec sa", "show crypto ipsec sa | json"] {
        test(|bed| async move {
            configure(&bed, &config(FIRST, SECOND, 3000)).await;
            let mut consoles = Vec::new();
            for _ in 0..60 {
                let mut console = bed.console().await;
                let line = line.to_owned();
                console.send(Request::Exec { line }).await;
                consoles.push(console);
            }
            let held = || bed.screens.unread();
            let (mut before, mut same) = (0, 0);
            // Until everything that goes into sockets and queues is there.
            while same < 20 {
                tokio::time::sleep(Duration::from_millis(10)).await;
                let now = held();
                same = if now == before && now > 0 {
                    same + 1
                } else {
                    0
                };
                before = now;
            }
            assert!(held() <= consoles.len() * HELD, "{} octets", held());
            let mut reader = consoles.pop().unwrap();
            drop(consoles);
            let read = reader.finish(&[]).await;
            assert_eq!(read.status, Status::Ok);
            let blocks = read.text.matches("172.").count();
            assert!(blocks >= 3000, "{blocks}");
            assert!(read.text.len() > 3 * HELD, "{}", read.text.len());
        });
    }
}
