//! Sends the log to the syslog servers (`logging host`): a task for each, which resolves, connects, sends, and tries again with longer
//! and longer pauses. Started by `tasks::run`; the queues are in `log/host.rs`.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use isthmus_grammar::command::SyslogProtocol;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::time::{sleep, timeout};

use crate::log::{Host, Line, Target};
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

/// Serves every host that the log has or gets, for ever. Must run in a `LocalSet`.
pub async fn forward(router: Shared) {
    let changed = router.borrow().log.hosts_changed();
    loop {
        for host in router.borrow().log.hosts() {
            host.served_by(|| tokio::task::spawn_local(serve(host.clone(), router.clone())));
        }
        changed.notified().await;
    }
}

/// Waits until all that is queued is out, [`FAREWELL`] at most: the daemon stops.
pub async fn drain(router: &Shared) {
    let hosts: Vec<Rc<Host>> = router.borrow().log.hosts().to_vec();
    let up = || hosts.iter().filter(|host| host.up());
    let empty = async {
        while up().any(|host| !host.idle()) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    // A server that does not take them now does not get them.
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
        if let Some(message) = host.lost(&error) {
            router.borrow_mut().log.write(&message);
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
    host.connected();
    loop {
        if pending.is_none() {
            tokio::select! {
                line = host.next() => *pending = Some(line),
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
            host.framed(line, *number, &router.log.settings().header, link.local)
        };
        let outcome = link.send(&bytes).await;
        host.attempted();
        outcome?;
        *pending = None;
        *worked = true;
        if let Some(message) = host.delivered() {
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
        let lookup = router.borrow().running.domain_lookup;
        let addresses = addresses(name, lookup).await?;
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
