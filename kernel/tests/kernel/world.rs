//! What the tests stand on: a network namespace for each test, TUN interfaces as wires, hand-made packets.
//! Run as root, or where an ordinary user may make user namespaces (then each test runs itself again inside one).

use std::fs::File;
use std::future::Future;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, FromRawFd};
use std::process::Command;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use isthmus_kernel::{
    Acquire, Encryption, ErrorKind, Event, Events, Expire, IpsecMode, IpsecProtocol, Kernel,
    KernelError, Lifetime, Reqid, Request, SaSpec, Selector, Template,
};
use nix::errno::Errno;
use nix::libc;
use nix::sched::{CloneFlags, setns, unshare};

/// How long something that must happen may take on a slow machine. Nothing waits this long when all is well.
const DEADLINE: Duration = Duration::from_secs(20);

/// Runs an async test on a thread in a fresh network namespace, with the real kernel.
pub fn in_namespace<F, T>(test: F)
where
    F: FnOnce() -> T + Send + 'static,
    T: Future<Output = ()>,
{
    let thread = std::thread::spawn(move || match unshare(CloneFlags::CLONE_NEWNET) {
        Ok(()) => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(test());
            true
        }
        Err(Errno::EPERM) => false,
        Err(e) => panic!("no network namespace: {e}"),
    });
    match thread.join() {
        Ok(true) => {}
        Ok(false) => again_in_user_namespace(),
        Err(cause) => std::panic::resume_unwind(cause),
    }
}

/// An ordinary user gets the capabilities in a user namespace of its own, which only a new process can enter.
fn again_in_user_namespace() {
    const MARK: &str = "ISTHMUS_TEST_IN_NAMESPACE";
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    assert!(
        std::env::var_os(MARK).is_none(),
        "no network namespace, not even inside a user namespace"
    );
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--net"])
        .arg(std::env::current_exe().unwrap());
    command
        .args(["--exact", &name, "--nocapture"])
        .env(MARK, "1");
    match command.status() {
        Ok(status) => assert!(status.success(), "{name} failed inside a user namespace"),
        Err(e) => panic!("{name} needs root, or unshare(1): {e}"),
    }
}

/// One host: a namespace with a kernel, in the thread that made it.
pub struct Host {
    namespace: File,
    pub kernel: Kernel,
    pub events: Events,
}

impl Host {
    /// In a new namespace.
    pub async fn new() -> Self {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        Self::here().await
    }

    /// In the namespace where the thread is.
    pub async fn here() -> Self {
        let namespace = File::open("/proc/thread-self/ns/net").unwrap();
        let (kernel, events) = Kernel::linux().await.unwrap();
        let host = Self {
            namespace,
            kernel,
            events,
        };
        host.ip("link set lo up");
        host
    }

    /// Makes the thread's files in /proc and new sockets those of this host.
    pub fn enter(&self) {
        setns(&self.namespace, CloneFlags::CLONE_NEWNET).unwrap();
    }

    /// iproute2 in the host, as an operator would.
    pub fn ip(&self, arguments: &str) -> String {
        self.enter();
        let out = Command::new("ip")
            .args(arguments.split_whitespace())
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "ip {arguments}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8(out.stdout).unwrap()
    }

    /// Many commands to iproute2 in one process.
    pub fn ip_batch(&self, commands: &str) {
        self.enter();
        let mut child = Command::new("ip")
            .args(["-batch", "-"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(commands.as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// Writes a setting below /proc/sys/net.
    pub fn sysctl(&self, name: &str, value: &str) {
        self.enter();
        std::fs::write(format!("/proc/sys/net/{name}"), value)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
    }

    /// A wire with an address on this end, up.
    pub async fn wire(&self, name: &str, address: &str) -> Wire {
        self.enter();
        let wire = Wire::open(name);
        self.ok(vec![
            Request::SetLink {
                interface: name.into(),
                up: Some(true),
                mtu: None,
            },
            Request::SetAddress {
                interface: name.into(),
                address: net(address),
            },
        ])
        .await;
        wire.index.set(self.index(name).await);
        wire
    }

    /// The kernel's index of an interface.
    pub async fn index(&self, name: &str) -> u32 {
        let links = self.kernel.links().await.unwrap();
        links
            .iter()
            .find(|l| l.name == name)
            .unwrap_or_else(|| panic!("no {name}"))
            .index
    }

    /// Submits and wants success for all.
    pub async fn ok(&self, requests: Vec<Request>) {
        for result in self.kernel.submit(requests).await {
            result.unwrap();
        }
    }

    /// The next event that `pick` likes.
    pub async fn event<T>(&mut self, pick: impl FnMut(Event) -> Option<T>) -> T {
        event(&mut self.events, pick).await
    }

    /// Whether the kernel can hold ESP and AH SAs. If not, says what stays untested.
    pub async fn has_ipsec(&self, left_out: &str) -> bool {
        let probe = SaSpec {
            source: ip("192.0.2.1"),
            destination: ip("192.0.2.2"),
            protocol: IpsecProtocol::Esp,
            spi: 0xfffe,
            mode: IpsecMode::Tunnel,
            reqid: Reqid::nth(0),
            selector: None,
            encryption: Some(Encryption::AesCbc(vec![1; 16].into())),
            authentication: Some(isthmus_kernel::Authentication::Sha1_96(vec![1; 20].into())),
            replay_window: 32,
            esn: false,
            df_bit: Default::default(),
            ecn: true,
            encapsulation: None,
            lifetime: Lifetime::default(),
        };
        let id = probe.id();
        match self
            .kernel
            .submit(vec![Request::AddSa(probe)])
            .await
            .remove(0)
        {
            Ok(()) => {
                self.ok(vec![Request::DeleteSa(id)]).await;
                true
            }
            Err(KernelError {
                kind: ErrorKind::Unsupported,
                ..
            }) => {
                eprintln!("LEFT TO THE LAB: {left_out}: this kernel has no ESP");
                false
            }
            Err(e) => panic!("{e}"),
        }
    }
}

/// For [`event`]: the next acquire.
pub fn acquire(event: Event) -> Option<Acquire> {
    match event {
        Event::Acquire(acquire) => Some(acquire),
        _ => None,
    }
}

/// For [`event`]: the next limit that an SA reached.
pub fn expire(event: Event) -> Option<Expire> {
    match event {
        Event::Expire(expire) => Some(expire),
        _ => None,
    }
}

/// The next event that `pick` likes; panics if none comes.
pub async fn event<T>(events: &mut Events, mut pick: impl FnMut(Event) -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(found) = pick(events.next().await.expect("the stream of events ended")) {
                return found;
            }
        }
    };
    tokio::time::timeout(DEADLINE, wait)
        .await
        .expect("the event did not come")
}

/// A TUN interface whose other end is the test.
pub struct Wire {
    file: File,
    pub name: String,
    pub index: std::cell::Cell<u32>,
}

impl Wire {
    fn open(name: &str) -> Self {
        // SAFETY: a constant path; the result is checked
        let fd = unsafe {
            libc::open(
                c"/dev/net/tun".as_ptr(),
                libc::O_RDWR | libc::O_NONBLOCK | libc::O_CLOEXEC,
            )
        };
        assert!(fd >= 0, "/dev/net/tun: {}", std::io::Error::last_os_error());
        // SAFETY: the descriptor is ours alone
        let file = unsafe { File::from_raw_fd(fd) };
        let mut request = [0u8; 40]; // struct ifreq: name, flags
        request[..name.len()].copy_from_slice(name.as_bytes());
        let flags = (libc::IFF_TUN | libc::IFF_NO_PI) as u16;
        request[16..18].copy_from_slice(&flags.to_ne_bytes());
        // SAFETY: the kernel reads and writes an ifreq, for which the buffer is large enough
        let done = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, request.as_mut_ptr()) };
        assert!(
            done == 0,
            "TUNSETIFF {name}: {}",
            std::io::Error::last_os_error()
        );
        Self {
            file,
            name: name.into(),
            index: 0.into(),
        }
    }

    /// The packet comes in from the wire.
    pub fn inject(&self, packet: &[u8]) {
        (&self.file).write_all(packet).unwrap();
    }

    /// The next IPv4 packet that the host sends onto the wire.
    pub async fn next(&self) -> Vec<u8> {
        self.next_of(4).await
    }

    /// The next packet of an IP version that the host sends onto the wire.
    pub async fn next_of(&self, version: u8) -> Vec<u8> {
        let start = Instant::now();
        loop {
            let mut buffer = vec![0; 65_535];
            match (&self.file).read(&mut buffer) {
                Ok(n) if buffer[0] >> 4 == version => {
                    buffer.truncate(n);
                    return buffer;
                }
                Ok(_) => {}
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {
                    assert!(start.elapsed() < DEADLINE, "no packet on {}", self.name);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                Err(e) => panic!("{}: {e}", self.name),
            }
        }
    }
}

/// A UDP packet in IPv4 with a payload and right checksums.
pub fn udp(source: &str, destination: &str, payload: &[u8]) -> Vec<u8> {
    let length = 28 + payload.len();
    let mut p = vec![
        0x45,
        0,
        (length >> 8) as u8,
        length as u8,
        0,
        0,
        0,
        0,
        64,
        17,
        0,
        0,
    ];
    p.extend(source.parse::<Ipv4Addr>().unwrap().octets());
    p.extend(destination.parse::<Ipv4Addr>().unwrap().octets());
    let sum = checksum(&p);
    p[10..12].copy_from_slice(&sum.to_be_bytes());
    p.extend(5000u16.to_be_bytes());
    p.extend(6000u16.to_be_bytes());
    p.extend((8 + payload.len() as u16).to_be_bytes());
    p.extend([0, 0]); // no checksum
    p.extend(payload);
    p
}

/// The Internet checksum (RFC 1071).
pub fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|p| u32::from(u16::from_be_bytes([p[0], *p.get(1).unwrap_or(&0)])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// (protocol, source, destination, what is behind the header)
pub fn open_ipv4(p: &[u8]) -> (u8, String, String, &[u8]) {
    let address = |at: usize| Ipv4Addr::new(p[at], p[at + 1], p[at + 2], p[at + 3]).to_string();
    (
        p[9],
        address(12),
        address(16),
        &p[usize::from(p[0] & 15) * 4..],
    )
}

pub fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

pub fn ip(text: &str) -> std::net::IpAddr {
    text.parse().unwrap()
}

pub fn between(source: &str, destination: &str) -> Selector {
    Selector::between(net(source), net(destination))
}

pub fn tunnel(source: &str, destination: &str, protocol: IpsecProtocol, reqid: Reqid) -> Template {
    Template {
        source: ip(source),
        destination: ip(destination),
        protocol,
        mode: IpsecMode::Tunnel,
        reqid,
        level: Default::default(),
    }
}
