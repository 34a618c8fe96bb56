//! `logging host`: a queue and a task for each syslog server. The task resolves, connects, sends, and tries again with
//! longer and longer pauses; meanwhile the queue fills, and what does not fit is dropped and counted. The log itself
//! never waits.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use isthmus_grammar::command::SyslogProtocol;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::configured::Target;
use super::syslog::{self, Line};
use super::{Message, Severity};
use crate::router::Shared;
use crate::storage::names::addresses;

/// The first pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long queued lines may take to go out when the daemon stops.
const FAREWELL: Duration = Duration::from_secs(1);

/// One syslog server.
#[derive(Debug)]
pub struct Host {
    /// Who and how.
    pub target: Target,
    queue: RefCell<VecDeque<(Rc<Line>, u64)>>,
    filled: Notify,
    task: RefCell<Option<JoinHandle<()>>>,
    busy: Cell<bool>,
    numbered: Cell<u64>,
    sent: Cell<u64>,
    dropped: Cell<u64>,
    limited: Cell<u64>,
    up: Cell<bool>,
    failed: Cell<bool>,
}

impl Host {
    pub(super) fn new(target: Target) -> Rc<Self> {
        let up = target.protocol == SyslogProtocol::Udp;
        Rc::new(Self {
            target,
            queue: RefCell::default(),
            filled: Notify::new(),
            task: RefCell::default(),
            busy: Cell::new(false),
            numbered: Cell::new(0),
            sent: Cell::new(0),
            dropped: Cell::new(0),
            limited: Cell::new(0),
            up: Cell::new(up),
            failed: Cell::new(false),
        })
    }

    /// Takes a line; false when `limit` of them wait already.
    pub(super) fn push(&self, line: &Rc<Line>, limit: usize) -> bool {
        self.numbered.set(self.numbered.get() + 1);
        let mut queue = self.queue.borrow_mut();
        if queue.len() >= limit {
            self.dropped.set(self.dropped.get() + 1);
            return false;
        }
        queue.push_back((line.clone(), self.numbered.get()));
        self.filled.notify_one();
        true
    }

    /// What is queued, out of the queue, for tests.
    #[cfg(test)]
    pub(super) fn take(&self) -> Vec<(Rc<Line>, u64)> {
        self.queue.borrow_mut().drain(..).collect()
    }

    /// Ends its task: it was taken out of the configuration.
    pub(super) fn stop(&self) {
        if let Some(task) = self.task.borrow_mut().take() {
            task.abort();
        }
    }

    /// Counts a line that `logging rate-limit` kept back.
    pub(super) fn limited(&self) {
        self.limited.set(self.limited.get() + 1);
    }

    /// Lines handed to the network.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// Lines that did not fit into the queue.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// Lines kept back by `logging rate-limit`.
    #[must_use]
    pub fn rate_limited(&self) -> u64 {
        self.limited.get()
    }

    /// It can be reached, as far as is known.
    #[must_use]
    pub fn up(&self) -> bool {
        self.up.get()
    }

    fn idle(&self) -> bool {
        self.queue.borrow().is_empty() && !self.busy.get()
    }

    async fn next(&self) -> (Rc<Line>, u64) {
        loop {
            if let Some(line) = self.queue.borrow_mut().pop_front() {
                return line;
            }
            self.filled.notified().await;
        }
    }

    /// What `%SYS-6-LOGGINGHOST_STARTSTOP` says of it.
    pub(super) fn started(&self, how: &str) -> Message {
        let Target { host, port, .. } = &self.target;
        let text = format!("Logging to host {host} port {port} {how}");
        Message::system(
            "SYS",
            Severity::Informational,
            "LOGGINGHOST_STARTSTOP",
            text,
        )
    }

    fn failure(&self, error: &io::Error) -> Message {
        let Target { host, port, .. } = &self.target;
        let text = format!("Logging to host {host} port {port} failed: {error}");
        Message::system("SYS", Severity::Errors, "LOGGINGHOST_FAIL", text)
    }
}

/// Serves every host that the log has or gets, for ever. Must run in a `LocalSet`.
pub async fn forward(router: Shared) {
    let changed = router.borrow().log.hosts_changed();
    loop {
        for host in router.borrow().log.hosts() {
            let mut task = host.task.borrow_mut();
            if task.is_none() {
                *task = Some(tokio::task::spawn_local(serve(
                    host.clone(),
                    router.clone(),
                )));
            }
        }
        changed.notified().await;
    }
}

/// Waits until all that is queued is out, a moment at most: the daemon stops.
pub async fn drain(router: &Shared) {
    let hosts: Vec<Rc<Host>> = router.borrow().log.hosts().to_vec();
    let up = || hosts.iter().filter(|host| host.up());
    let empty = async {
        while up().any(|host| !host.idle()) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    // Whoever does not take them now does not get them.
    let _ = timeout(FAREWELL, empty).await;
}

/// Serves one host until it is taken out of the configuration.
async fn serve(host: Rc<Host>, router: Shared) {
    let mut pending = None;
    let mut pause = PAUSE;
    loop {
        let mut worked = false;
        let Err(error) = connected(&host, &router, &mut pending, &mut worked).await;
        if worked {
            pause = PAUSE;
        }
        host.up.set(false);
        if !host.failed.replace(true) {
            router.borrow_mut().log.write(&host.failure(&error));
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Connects and sends until something fails; the line in hand then stays in `pending`.
async fn connected(
    host: &Host,
    router: &Shared,
    pending: &mut Option<(Rc<Line>, u64)>,
    worked: &mut bool,
) -> Result<std::convert::Infallible, io::Error> {
    let mut link = Link::open(host, router).await?;
    host.up.set(true);
    loop {
        if pending.is_none() {
            tokio::select! {
                line = host.next() => {
                    host.busy.set(true);
                    *pending = Some(line);
                }
                error = link.broken() => return Err(error),
            }
        }
        let Some((line, number)) = &*pending else {
            continue;
        };
        if link.source != source(router) {
            link = Link::open(host, router).await?;
        }
        let bytes = {
            let router = router.borrow();
            let header = &router.log.settings().header;
            let message = syslog::message(line, header, &host.target, *number, link.local);
            syslog::framed(message, header, host.target.protocol)
        };
        let outcome = link.send(&bytes).await;
        host.busy.set(false);
        outcome?;
        *pending = None;
        *worked = true;
        host.sent.set(host.sent.get() + 1);
        if host.failed.replace(false) {
            let message = host.started("started - reconnection");
            router.borrow_mut().log.write(&message);
        }
    }
}

/// The address of `logging source-interface` now.
fn source(router: &Shared) -> Option<IpAddr> {
    let router = router.borrow();
    let name = router.log.settings().source.clone()?;
    router.interfaces.find(&name)?.primary()
}

/// A way to a host.
struct Link {
    carrier: Carrier,
    /// The address asked for.
    source: Option<IpAddr>,
    /// The address it has.
    local: Option<IpAddr>,
}

enum Carrier {
    Tcp(TcpStream),
    Udp(UdpSocket, SocketAddr),
}

impl Link {
    async fn open(host: &Host, router: &Shared) -> io::Result<Self> {
        let Target {
            host: name, port, ..
        } = &host.target;
        let source = source(router);
        let addresses = addresses(router, name).await?;
        let usable = |address: &IpAddr| source.is_none_or(|s| s.is_ipv4() == address.is_ipv4());
        let address = addresses.into_iter().find(usable).ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, "no address of the right family")
        })?;
        let address = SocketAddr::new(address, *port);
        let any = |address: SocketAddr| match address {
            SocketAddr::V4(_) => SocketAddr::from(([0, 0, 0, 0], 0)),
            SocketAddr::V6(_) => SocketAddr::from(([0_u16; 8], 0)),
        };
        let from = source.map_or_else(|| any(address), |source| SocketAddr::new(source, 0));
        let (carrier, local) = match host.target.protocol {
            SyslogProtocol::Tcp => {
                let socket = match address {
                    SocketAddr::V4(_) => TcpSocket::new_v4()?,
                    SocketAddr::V6(_) => TcpSocket::new_v6()?,
                };
                socket.bind(from)?;
                let stream = timeout(CONNECT, socket.connect(address)).await??;
                let local = stream.local_addr()?.ip();
                (Carrier::Tcp(stream), local)
            }
            SyslogProtocol::Udp => {
                // A connected socket tells which address datagrams leave from; one that is not connected does not
                // report the errors of an earlier datagram with the next.
                let probe = std::net::UdpSocket::bind(from)?;
                probe.connect(address)?;
                let socket = UdpSocket::bind(from).await?;
                (Carrier::Udp(socket, address), probe.local_addr()?.ip())
            }
        };
        Ok(Self {
            carrier,
            source,
            local: Some(local),
        })
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.carrier {
            Carrier::Tcp(stream) => stream.write_all(bytes).await,
            Carrier::Udp(socket, to) => socket.send_to(bytes, *to).await.map(drop),
        }
    }

    /// Ends when a TCP server closes the connection; what it says is of no interest.
    async fn broken(&mut self) -> io::Error {
        let Carrier::Tcp(stream) = &mut self.carrier else {
            return std::future::pending().await;
        };
        let mut bytes = [0; 512];
        loop {
            match stream.read(&mut bytes).await {
                Ok(0) => return io::ErrorKind::ConnectionReset.into(),
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }
}
