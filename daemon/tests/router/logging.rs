//! Syslog servers on real sockets: what they get, byte by byte, and what happens when they go away.

use std::net::SocketAddr;
use std::time::Duration;

use isthmusd::clock::Clock;
use isthmusd::config;
use isthmusd::log::{Console, Log, Message, Severity};
use isthmusd::router::{Router, Shared};
use isthmusd::tasks::syslog;
use isthmusd::testing::RouterBuilder;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::LocalSet;

/// Longer than any loaded machine takes.
const PATIENCE: Duration = Duration::from_secs(120);
const CLOCK: &str = "2026-03-01T00:42:09.431Z";
const STAMP: &str = "*Mar  1 00:42:09.431: ";

struct Bed {
    router: Shared,
}

impl Bed {
    fn new() -> Self {
        let clock = Clock::fixed(CLOCK.parse().unwrap(), Duration::from_secs(62));
        let router = RouterBuilder::default().clock(clock).shared();
        tokio::task::spawn_local(syslog::forward(router.clone()));
        Self { router }
    }

    fn configure(&self, text: &str) {
        let (running, problems) = config::load(text, "test");
        assert_eq!(problems, []);
        let mut router = self.router.borrow_mut();
        *router.running = running;
        router.configured();
    }

    fn say(&self, text: &str) {
        let message = Message::system("SYS", Severity::Notifications, "CONFIG_I", text);
        self.router.borrow_mut().log.write(&message);
    }

    fn logged(&self, text: &str) -> usize {
        let router = self.router.borrow();
        let lines = router.log.buffer().lines();
        lines.filter(|line| line.contains(text)).count()
    }

    async fn until(&self, what: &str, mut met: impl FnMut(&Router) -> bool) {
        let wait = async {
            while !met(&self.router.borrow()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        waited.unwrap_or_else(|_| panic!("{what}: {:?}", self.router.borrow().log));
    }
}

fn test<F: Future<Output = ()>>(body: impl FnOnce(Bed) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async { body(Bed::new()).await });
}

async fn patiently<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("nothing came")
}

async fn datagram(socket: &UdpSocket) -> (String, SocketAddr) {
    let mut bytes = [0; 9000];
    let (length, from) = patiently(socket.recv_from(&mut bytes)).await.unwrap();
    let text = String::from_utf8(bytes[..length].to_vec()).unwrap();
    (text, from)
}

/// Reads until the stream has brought `expected`.
async fn expect(stream: &mut TcpStream, expected: &str) {
    let mut bytes = vec![0; expected.len()];
    let read = patiently(stream.read_exact(&mut bytes)).await;
    read.unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

fn started(port: u16) -> String {
    format!(
        "%SYS-6-LOGGINGHOST_STARTSTOP: Logging to host 127.0.0.1 port {port} started - CLI initiated"
    )
}

fn rfc5424(priority: u8, number: u64, mnemonic: &str, text: &str) -> String {
    let (pid, version) = (std::process::id(), env!("CARGO_PKG_VERSION"));
    format!(
        "<{priority}>1 2026-03-01T00:42:09.431Z R1.example.net isthmusd {pid} {mnemonic} [timeQuality tzKnown=\"1\" \
         isSynced=\"0\"][origin ip=\"127.0.0.1\" software=\"Isthmus\" swVersion=\"{version}\"][meta \
         sequenceId=\"{number}\" sysUpTime=\"6200\"] {text}"
    )
}

#[test]
fn udp_in_the_form_of_ios() {
    test(|bed| async move {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        bed.configure(&format!(
            "logging host 127.0.0.1 transport udp port {port}\nlogging origin-id hostname\nservice sequence-numbers"
        ));
        let (text, _) = datagram(&server).await;
        assert_eq!(
            text,
            format!("<190>1: Router: 000001: {STAMP}{}", started(port))
        );
        bed.say("Configured from console by console");
        let (text, _) = datagram(&server).await;
        assert_eq!(
            text,
            format!(
                "<189>2: Router: 000002: {STAMP}%SYS-5-CONFIG_I: Configured from console by console"
            )
        );
        bed.until("sent", |router| router.log.hosts()[0].sent() == 2)
            .await;
    });
}

#[test]
fn udp_in_the_form_of_rfc_5424_to_a_name() {
    test(|bed| async move {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        bed.configure(&format!(
            "hostname R1\nip domain name example.net\nlogging trap syslog-format rfc5424\nlogging facility local0\n\
             logging host localhost transport udp port {port}"
        ));
        let (text, _) = datagram(&server).await;
        let said = started(port).replace("127.0.0.1", "localhost");
        assert_eq!(text, rfc5424(134, 1, "LOGGINGHOST_STARTSTOP", &said));
    });
}

#[test]
fn tcp_ends_ios_messages_by_a_line_feed_and_comes_back_after_a_loss() {
    test(|bed| async move {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let port = address.port();
        bed.configure(&format!(
            "logging host 127.0.0.1 transport tcp port {port}\nno service timestamps log"
        ));
        let (mut stream, _) = patiently(server.accept()).await.unwrap();
        bed.say("two\nlines");
        expect(
            &mut stream,
            &format!(
                "<190>1: {}\n<189>2: %SYS-5-CONFIG_I: two\n<189>3: lines\n",
                started(port)
            ),
        )
        .await;

        drop(stream);
        drop(server);
        bed.until("the loss is noticed", |router| !router.log.hosts()[0].up())
            .await;
        for n in 0..5 {
            bed.say(&format!("meanwhile {n}"));
        }
        let server = TcpListener::bind(address).await.unwrap();
        let (mut stream, _) = patiently(server.accept()).await.unwrap();
        let mut text = String::new();
        while !text.contains("reconnection\n") {
            let mut bytes = [0; 4096];
            let length = patiently(stream.read(&mut bytes)).await.unwrap();
            text.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
        }
        let wanted = |n: usize| format!("%SYS-5-CONFIG_I: meanwhile {n}\n");
        assert!((0..5).all(|n| text.contains(&wanted(n))), "{text}");
        assert_eq!(bed.logged("LOGGINGHOST_FAIL"), 1, "told once");
        bed.until("up again", |router| router.log.hosts()[0].up())
            .await;
    });
}

#[test]
fn tcp_counts_the_octets_of_rfc_5424_messages() {
    test(|bed| async move {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        bed.configure(&format!(
            "hostname R1\nip domain name example.net\nlogging trap syslog-format rfc5424\n\
             logging host 127.0.0.1 transport tcp port {port}"
        ));
        let (mut stream, _) = patiently(server.accept()).await.unwrap();
        bed.say("done");
        let first = rfc5424(190, 1, "LOGGINGHOST_STARTSTOP", &started(port));
        let second = rfc5424(189, 2, "CONFIG_I", "%SYS-5-CONFIG_I: done");
        let both = format!("{} {first}{} {second}", first.len(), second.len());
        expect(&mut stream, &both).await;
    });
}

#[test]
fn a_server_that_reads_nothing_holds_nothing_up() {
    test(|bed| async move {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        bed.configure(&format!(
            "logging host 127.0.0.1 transport tcp port {port}\nlogging trap debugging\nlogging queue-limit trap 100"
        ));
        let _stream = patiently(server.accept()).await.unwrap();
        let line = "x".repeat(8000);
        while bed.router.borrow().log.hosts()[0].dropped() == 0 {
            let message = Message::Debug(line.clone());
            bed.router.borrow_mut().log.write(&message);
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_host_that_is_taken_out_is_left_alone() {
    test(|bed| async move {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        bed.configure(&format!("logging host 127.0.0.1 transport tcp port {port}"));
        let (mut stream, _) = patiently(server.accept()).await.unwrap();
        bed.configure("");
        let mut rest = Vec::new();
        patiently(stream.read_to_end(&mut rest)).await.unwrap();
        assert!(bed.router.borrow().log.hosts().is_empty());
        assert_eq!(bed.logged("stopped - CLI initiated"), 1);
    });
}

/// What the flooded process below is told by its environment.
const FLOOD: &str = "ISTHMUS_TEST_FLOOD";

/// The router's own output is a pipe that nobody reads: a second process, this test again, floods it and still ends.
#[test]
fn a_console_that_nobody_reads_holds_nothing_up() {
    if std::env::var_os(FLOOD).is_some() {
        let mut log = Log::new(Clock::system(), Console::Stderr, Severity::Debugging);
        while log.counts().dropped < 1000 {
            log.write(&Message::Debug("x".repeat(1000)));
        }
        return;
    }
    let mut flooded = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_console_that_nobody_reads_holds_nothing_up"])
        .env(FLOOD, "1")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Nobody reads the pipe while the process lives.
    assert!(flooded.wait().unwrap().success());
}
