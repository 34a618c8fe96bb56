//! What must not hold the packet loop up: disks that hang, screens that no one reads.

mod bed;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use bed::{Bed, Client, test};
use isthmus_control::{Reply, Request, Status};
use isthmus_kernel::{Acquire, Action, Direction, Event};
use isthmusd::config;
use isthmusd::router::Shared;
use isthmusd::router::reconcile::reconcile;
use isthmusd::tasks;

const FIRST: &str = "192.0.2.1";
const SECOND: &str = "192.0.2.2";

fn config(local: &str, remote: &str, entries: usize) -> String {
    let mut text = format!(
        "crypto isakmp policy 10
 encryption aes 256
 hash sha256
 authentication pre-share
 group 14
crypto isakmp key corinth address {remote}
crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac
interface wan0
 ip address {local} 255.255.255.0
 crypto map VPN
ip access-list extended FLOW
 permit ip any any
"
    );
    for entry in 1..=entries {
        let ours = "10.0.0.0 0.255.255.255".to_owned();
        let theirs = format!("172.{}.{}.0 0.0.0.255", 16 + entry / 256, entry % 256);
        let (from, to) = match local {
            FIRST => (ours, theirs),
            _ => (theirs, ours),
        };
        let _ = write!(
            text,
            "crypto map VPN {entry} ipsec-isakmp
 set peer {remote}
 set transform-set TS
 match address F{entry}
ip access-list extended F{entry}
 permit ip {from} {to}
",
        );
    }
    text
}

async fn configure(bed: &Bed, text: &str) {
    bed.fake.add_link("wan0");
    let (running, problems) = config::load(text, "test");
    assert_eq!(problems, []);
    *bed.router.borrow_mut().running = running;
    bed.router.borrow_mut().configured();
    reconcile(&bed.router).await.unwrap();
    tasks::carry_out(&bed.router, |_, _, _| Ok(())).await;
}

/// A packet meets the first outbound policy.
async fn traffic(router: &Shared) {
    let kernel = router.borrow().kernel.clone();
    let policies = kernel.dump_policies().await.unwrap();
    let policies = policies.into_iter().map(|policy| policy.spec);
    let outbound = policies.filter(|policy| policy.key.direction == Direction::Out);
    let policy = outbound.min_by_key(|policy| policy.priority).unwrap();
    let Action::Protect(templates) = &policy.action else {
        panic!("not protected: {policy:?}");
    };
    let acquire = Acquire {
        reqid: templates[0].reqid,
        protocol: templates[0].protocol,
        source: templates[0].source,
        destination: templates[0].destination,
        policy: policy.key,
        priority: policy.priority,
        policy_index: 1,
        packet: policy.key.selector,
        sequence: 1,
    };
    tasks::kernel_event(router, Event::Acquire(acquire));
}

/// Carries out the work of one router; what it sends is taken off it.
async fn sent(router: &Shared) -> VecDeque<(SocketAddr, SocketAddr, Vec<u8>)> {
    let mut wire = VecDeque::new();
    tasks::carry_out(router, |local, remote, bytes| {
        wire.push_back((local, remote, bytes.to_vec()));
        Ok(())
    })
    .await;
    wire
}

/// A whole negotiation between two routers of this process; how many SAs it made at the first.
async fn handshake(a: &Shared, b: &Shared) -> usize {
    traffic(a).await;
    for _ in 0..20 {
        for (local, remote, bytes) in sent(a).await {
            b.borrow_mut().datagram(remote, local, &bytes);
        }
        for (local, remote, bytes) in sent(b).await {
            a.borrow_mut().datagram(remote, local, &bytes);
        }
    }
    let router = a.borrow();
    router.tunnels.engine.children(router.now()).len()
}

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
