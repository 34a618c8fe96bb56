//! How long console commands hold the packet loop up: a router with ten thousand crypto map entries, on the fake kernel,
//! through its control socket. While a command runs, a task beside it wants to run every millisecond, as a datagram
//! would; what it waits for longer than that is the hold. Prints a table; run by `make bench`.

use std::cell::RefCell;
use std::fmt::Write;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use isthmus_control::stream::{FrameReader, write_request};
use isthmus_control::{Hello, PROTOCOL_VERSION, Reply, Request, SOCKET_NAME};
use isthmus_kernel::Kernel;
use isthmusd::machine::directory::RunDir;
use isthmusd::router::settled;
use isthmusd::tasks::{self, Sockets};
use isthmusd::testing::RouterBuilder;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::LocalSet;

const ENTRIES: usize = 10_000;
const EVERY: Duration = Duration::from_millis(1);

fn file() -> String {
    let mut text = String::from(
        "crypto isakmp policy 10\n encryption aes 256\n authentication pre-share\n group 14\n\
         crypto ipsec transform-set T esp-aes 256 esp-sha256-hmac\ninterface eth0\n \
         ip address 192.0.2.1 255.255.255.0\n crypto map VPN\narchive\n path flash:copy\n",
    );
    for index in 0..ENTRIES {
        let peer = format!("198.18.{}.{}", index / 250, index % 250 + 1);
        let _ = write!(
            text,
            "crypto isakmp key secret-{index} address {peer}\ncrypto map VPN {} ipsec-isakmp\n set peer {peer}\n \
             set transform-set T\n match address VPN-{index}\nip access-list extended VPN-{index}\n \
             permit ip 10.0.0.0 0.255.255.255 172.{}.{}.0 0.0.0.255\n",
            index + 1,
            16 + index / 256,
            index % 256
        );
    }
    text + "end\n"
}

struct Console {
    reader: FrameReader<OwnedReadHalf, Reply>,
    writer: OwnedWriteHalf,
}

impl Console {
    async fn new(folder: &std::path::Path) -> Self {
        let stream = UnixStream::connect(folder.join("run").join(SOCKET_NAME)).await;
        let (read, writer) = stream.expect("the control socket").into_split();
        let reader = FrameReader::replies(read);
        let mut console = Self { reader, writer };
        let hello = Hello {
            version: PROTOCOL_VERSION,
            line: "vty0".into(),
            user: None,
            source: None,
            interactive: false,
        };
        console.send(Request::Hello(hello)).await;
        console.next().await;
        console
    }

    async fn send(&mut self, request: Request) {
        let sent = write_request(&mut self.writer, &request).await;
        sent.expect("the daemon listens");
    }

    async fn next(&mut self) -> Reply {
        let reply = self.reader.next().await.expect("a frame");
        reply.expect("a reply")
    }

    async fn run(&mut self, line: &str) -> usize {
        let mut octets = 0;
        self.send(Request::Exec { line: line.into() }).await;
        loop {
            match self.next().await {
                Reply::Output { text } => octets += text.len(),
                Reply::Ask { .. } => {
                    self.send(Request::Answer {
                        text: String::new(),
                    })
                    .await
                }
                Reply::Done { .. } => return octets,
                _ => {}
            }
        }
    }
}

/// Waits of a task that wants to run every millisecond, in excess of that.
async fn holds(into: Rc<RefCell<Vec<Duration>>>) {
    let mut interval = tokio::time::interval(EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last = Instant::now();
    loop {
        interval.tick().await;
        into.borrow_mut().push(last.elapsed().saturating_sub(EVERY));
        last = Instant::now();
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_start(|| {
            let _ = rustix::process::setpriority_process(None, 10);
        })
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, measure());
}

/// What the process has in memory, in kilobytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or_default()
}

async fn measure() {
    let before = resident();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    std::fs::create_dir_all(path.join("state/flash")).expect("a folder");
    std::fs::write(path.join("startup-config"), file()).expect("a file");
    std::fs::write(path.join("state/flash/again"), file()).expect("a file");
    let (kernel, events, fake) = Kernel::fake();
    fake.add_link("eth0");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let ike = kernel.ike_socket(any).expect("a socket");
    let router = RouterBuilder::on(kernel).folder(path).booted();
    let router = Rc::new(RefCell::new(router));
    let run_dir = RunDir::take(&path.join("run")).expect("a run directory");
    let sockets = Sockets { ike, events };
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let tasks = router.clone();
    tokio::task::spawn_local(async move {
        let ready = || {
            let _ = ready.send(());
        };
        tasks::run(tasks, sockets, || run_dir.listen(), ready).await
    });
    is_ready.await.expect("ready");
    let entries = (resident() - before) as f64 * 1024.0 / ENTRIES as f64;
    println!(
        "memory: {before} kB before the configuration, {entries:.0} octets an entry when it is in force"
    );
    let mut console = Console::new(path).await;
    println!(
        "{:<46} {:>9} {:>9} {:>9} {:>9}",
        "command", "octets", "took ms", "p99.9 ms", "max ms"
    );
    let commands: [&[&str]; 14] = [
        &["show clock"],
        &["show running-config"],
        &["show crypto ipsec sa"],
        &["show crypto ipsec sa | json"],
        &["show crypto session detail"],
        &["show crypto map"],
        &["show access-lists"],
        &["show tech-support"],
        &["show archive config differences"],
        &["write memory"],
        &["copy running-config flash:saved"],
        &["archive config"],
        &["configure terminal", "hostname R2", "end"],
        &["configure replace flash:again force"],
    ];
    for lines in commands {
        settled(&router).await;
        let waits = Rc::new(RefCell::new(Vec::new()));
        let ticker = tokio::task::spawn_local(holds(waits.clone()));
        tokio::time::sleep(Duration::from_millis(20)).await;
        let (started, mut octets) = (Instant::now(), 0);
        for line in lines {
            octets += console.run(line).await;
        }
        let took = started.elapsed();
        ticker.abort();
        report(lines[lines.len().min(2) - 1], octets, took, &waits);
    }
    // Edits in the middle of others' long screens.
    let waits = Rc::new(RefCell::new(Vec::new()));
    let ticker = tokio::task::spawn_local(holds(waits.clone()));
    let mut others = Vec::new();
    for _ in 0..4 {
        let mut other = Console::new(path).await;
        others.push(tokio::task::spawn_local(async move {
            for _ in 0..3 {
                other.run("show running-config").await;
            }
        }));
    }
    let started = Instant::now();
    console.run("configure terminal").await;
    let mut number = 0;
    while others.iter().any(|other| !other.is_finished()) {
        number += 1;
        console.run(&format!("hostname R{number}")).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    console.run("end").await;
    ticker.abort();
    report(
        "edits while four sessions print",
        number,
        started.elapsed(),
        &waits,
    );
}

fn report(what: &str, octets: usize, took: Duration, waits: &RefCell<Vec<Duration>>) {
    let mut waits = waits.borrow().clone();
    waits.sort_unstable();
    let at = |part: f64| {
        let index = (waits.len().saturating_sub(1)) as f64 * part;
        waits
            .get(index as usize)
            .copied()
            .unwrap_or_default()
            .as_secs_f64()
            * 1e3
    };
    println!(
        "{what:<46} {octets:>9} {:>9.1} {:>9.2} {:>9.2}",
        took.as_secs_f64() * 1e3,
        at(0.999),
        at(1.0)
    );
}
