//! ICMP echo from inside a host: single pings that read like the router's `.!!!!`, and steady traffic that names lost packets.

use std::collections::HashSet;
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};

use super::Host;

/// What every echo carries; the watcher in the middle fails a scenario when it reads this on the wire.
pub const MARKER: &[u8] = b"isthmus-in-the-clear";

/// One echo source: where from, where to, how many and how big.
#[derive(Clone, Copy)]
pub struct Echo {
    /// Source address, one of the host's own.
    pub from: Ipv4Addr,
    /// Destination address.
    pub to: Ipv4Addr,
    /// Requests to send.
    pub count: u16,
    /// Bytes of the IP packet.
    pub size: usize,
    /// Time between two requests; replies that come later than `patience` are lost.
    pub interval: Duration,
    /// How long a reply may take.
    pub patience: Duration,
}

impl Echo {
    /// Five requests of 100 bytes, two seconds' patience, like the router's `ping`.
    pub fn new(from: Ipv4Addr, to: Ipv4Addr) -> Echo {
        Echo {
            from,
            to,
            count: 5,
            size: 100,
            interval: Duration::ZERO,
            patience: Duration::from_secs(2),
        }
    }

    /// As before with `count` requests.
    pub fn count(self, count: u16) -> Echo {
        Echo { count, ..self }
    }

    /// Sends the requests one after the other, each once the one before is answered or lost.
    pub fn ping(self, host: &Host) -> Result<Report> {
        host.run(move || {
            let source = Source::open(self.from)?;
            let mut report = Report::default();
            for sequence in 0..self.count {
                source.send(self.to, sequence, self.size)?;
                let came = source.receive(sequence, Instant::now() + self.patience)?;
                report.answered.push(came);
                std::thread::sleep(self.interval);
            }
            Ok(report)
        })
    }

    /// Sends requests at `interval` until the answer is asked to stop (`count` is ignored).
    pub fn stream(self, host: &Host) -> Traffic {
        let stop = Arc::new(AtomicBool::new(false));
        let sent = Arc::new(AtomicU16::new(0));
        let (tell, told) = mpsc::channel();
        let (seen_stop, seen_sent) = (Arc::clone(&stop), Arc::clone(&sent));
        host.start(move || drop(tell.send(self.stream_until(&seen_stop, &seen_sent))));
        Traffic { stop, sent, told }
    }

    /// Replies are read by a thread of their own, so that a sender held up by a busy machine does not overflow its socket.
    fn stream_until(self, stop: &AtomicBool, sent: &AtomicU16) -> Result<Report> {
        let source = Arc::new(Source::open(self.from)?);
        let done = Arc::new(AtomicBool::new(false));
        let reader = {
            let (source, done) = (Arc::clone(&source), Arc::clone(&done));
            std::thread::spawn(move || source.collect(&done))
        };
        let mut count = 0;
        while !stop.load(Ordering::Relaxed) && count < u16::MAX {
            source.send(self.to, count, self.size)?;
            sent.store(count, Ordering::Relaxed);
            count += 1;
            std::thread::sleep(self.interval);
        }
        std::thread::sleep(self.patience);
        done.store(true, Ordering::Relaxed);
        let came = reader
            .join()
            .map_err(|_| anyhow!("the echo reader panicked"))??;
        Ok(Report {
            answered: (0..count)
                .map(|sequence| came.contains(&sequence))
                .collect(),
        })
    }
}

/// Which requests were answered.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One entry a request, in order.
    pub answered: Vec<bool>,
}

impl Report {
    /// Requests sent.
    pub fn sent(&self) -> usize {
        self.answered.len()
    }

    /// Requests answered.
    pub fn received(&self) -> usize {
        self.answered.iter().filter(|came| **came).count()
    }

    /// Sequence numbers of the requests that were not answered.
    pub fn lost(&self) -> Vec<usize> {
        self.answered
            .iter()
            .enumerate()
            .filter(|(_, came)| !**came)
            .map(|(sequence, _)| sequence)
            .collect()
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.sent() <= 100 {
            let marks = self
                .answered
                .iter()
                .map(|came| if *came { '!' } else { '.' })
                .collect::<String>();
            return out.write_str(&marks);
        }
        write!(out, "{} of {} answered", self.received(), self.sent())?;
        let mut runs = Vec::<(usize, usize)>::new();
        for sequence in self.lost() {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == sequence => *last = sequence,
                _ => runs.push((sequence, sequence)),
            }
        }
        for (first, last) in runs.iter().take(20) {
            write!(out, ", lost {first}-{last}")?;
        }
        Ok(())
    }
}

/// Steady traffic on its way.
pub struct Traffic {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU16>,
    told: Receiver<Result<Report>>,
}

impl Traffic {
    /// The sequence number of the latest request.
    pub fn sent(&self) -> u16 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Ends it and waits for late replies.
    pub fn stop(self) -> Result<Report> {
        self.stop.store(true, Ordering::Relaxed);
        self.told
            .recv()
            .map_err(|_| anyhow!("the echo sender panicked"))?
    }
}

struct Source {
    socket: Socket,
    identifier: u16,
}

static IDENTIFIER: AtomicU16 = AtomicU16::new(0x1500);

impl Source {
    fn open(from: Ipv4Addr) -> Result<Source> {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))
            .context("open a raw socket")?;
        socket
            .bind(&SocketAddr::V4(SocketAddrV4::new(from, 0)).into())
            .with_context(|| format!("bind to {from}"))?;
        setsockopt(&socket, sockopt::RcvBufForce, &(4 << 20))?;
        Ok(Source {
            socket,
            identifier: IDENTIFIER.fetch_add(1, Ordering::Relaxed),
        })
    }

    fn send(&self, to: Ipv4Addr, sequence: u16, size: usize) -> Result<()> {
        let packet = echo_request(self.identifier, sequence, size);
        match self
            .socket
            .send_to(&packet, &SocketAddr::V4(SocketAddrV4::new(to, 0)).into())
        {
            Ok(_) => Ok(()),
            // A protected flow without an SA, or no way at all: the request counts as lost.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NetworkUnreachable
                        | ErrorKind::HostUnreachable
                        | ErrorKind::WouldBlock
                        | ErrorKind::PermissionDenied
                ) =>
            {
                Ok(())
            }
            Err(error) if error.raw_os_error() == Some(nix::errno::Errno::ENOBUFS as i32) => Ok(()),
            Err(error) => Err(error).with_context(|| format!("send an echo to {to}")),
        }
    }

    /// Waits for the reply to one request.
    fn receive(&self, sequence: u16, until: Instant) -> Result<bool> {
        while let Some(came) = self.next(until)? {
            if came == sequence {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The sequence numbers of all replies that come until `done`.
    fn collect(&self, done: &AtomicBool) -> Result<HashSet<u16>> {
        let mut came = HashSet::new();
        while !done.load(Ordering::Relaxed) {
            came.extend(self.next(Instant::now() + Duration::from_millis(100))?);
        }
        Ok(came)
    }

    /// The sequence number of the next reply to this source, or none when the time has come.
    fn next(&self, until: Instant) -> Result<Option<u16>> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.socket.set_read_timeout(Some(left))?;
            let mut buffer = [0u8; 2048];
            let packet = match (&self.socket).read(&mut buffer) {
                Ok(length) => &buffer[..length],
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) =>
                {
                    continue;
                }
                Err(error) => return Err(error).context("receive echoes"),
            };
            let header = usize::from(packet.first().copied().unwrap_or(0) & 15) * 4;
            let Some(echo) = packet.get(header..header + 8) else {
                continue;
            };
            if echo[0] == 0 && echo[4..6] == self.identifier.to_be_bytes() {
                return Ok(Some(u16::from_be_bytes([echo[6], echo[7]])));
            }
        }
    }
}

/// An ICMP echo request (RFC 792) that makes an IP packet of `size` bytes, filled with `MARKER`.
pub fn echo_request(identifier: u16, sequence: u16, size: usize) -> Vec<u8> {
    let mut packet = vec![8, 0, 0, 0];
    packet.extend(identifier.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend(MARKER.iter().cycle().take(size.saturating_sub(28)));
    let sum = checksum(&packet);
    packet[2..4].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// The Internet checksum (RFC 1071).
fn checksum(packet: &[u8]) -> u16 {
    let mut sum = packet
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)))
        .sum::<u32>();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}
