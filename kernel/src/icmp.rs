//! One ICMP echo at a time, for the exec commands ping and traceroute. Called through [`Kernel::ping`](crate::Kernel::ping).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use nix::libc;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;

use crate::{KernelError, sys};

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// To.
    pub destination: IpAddr,
    /// From, if not as the routes say; must be an address of this host.
    pub source: Option<IpAddr>,
    /// Length of the whole IP packet in bytes, as IOS counts; 28 (IPv4) or 48 (IPv6) at least.
    pub size: u16,
    /// Set DF and do not heed what is known of the path's MTU.
    pub dont_fragment: bool,
    /// Time to live; 64 unless tracing.
    pub ttl: u8,
    /// How long to wait.
    pub timeout: Duration,
    /// Echo sequence number.
    pub sequence: u16,
}

impl Probe {
    /// IOS's defaults: 100 bytes, 2 seconds.
    pub fn to(destination: IpAddr) -> Self {
        Self {
            destination,
            source: None,
            size: 100,
            dont_fragment: false,
            ttl: 64,
            timeout: Duration::from_secs(2),
            sequence: 0,
        }
    }
}

/// What came of it. `from` is who answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeReply {
    /// Echo reply: IOS `!`.
    Reply {
        /// Who answered.
        from: IpAddr,
        /// Round trip.
        rtt: Duration,
        /// Time to live of the answer; `None` with IPv6.
        ttl: Option<u8>,
    },
    /// Nothing in time: IOS `.`. Also when a policy dropped it for want of an SA.
    Timeout,
    /// Destination unreachable, or no route: IOS `U` (host), `N` (net), `P` (port) …
    Unreachable {
        /// Who said so; `None` if it was this host.
        from: Option<IpAddr>,
        /// ICMP code.
        code: u8,
        /// Round trip.
        rtt: Duration,
    },
    /// It would need fragmenting and may not: IOS `M`.
    FragmentationNeeded {
        /// Who said so; `None` if it was this host.
        from: Option<IpAddr>,
        /// MTU of the next link, if told.
        mtu: Option<u32>,
    },
    /// Time to live used up at a router.
    TimeExceeded {
        /// Who said so.
        from: IpAddr,
        /// Round trip.
        rtt: Duration,
    },
}

/// IPv4 without options, and the echo header.
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const ECHO_HEADER: usize = 8;

/// One probe's numbers, by which its answers are known.
struct Echo {
    v6: bool,
    identifier: u16,
    sequence: u16,
}

/// What an ICMP message means for a probe.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Reply,
    Unreachable(u8),
    TooBig(Option<u32>),
    TimeExceeded,
}

pub(crate) async fn probe(probe: &Probe) -> Result<ProbeReply, KernelError> {
    let what = || format!("send an ICMP echo to {}", probe.destination);
    let socket = open(probe).map_err(|e| KernelError::io(what(), &e))?;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let identifier = (std::process::id() as u16).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
    let echo = Echo {
        v6: probe.destination.is_ipv6(),
        identifier,
        sequence: probe.sequence,
    };
    let start = Instant::now();
    if let Err(e) = socket.send_to(
        &echo.request(probe.size),
        &SocketAddr::new(probe.destination, 0).into(),
    ) {
        return match sending_failed(&e) {
            Some(ProbeReply::Timeout) => {
                tokio::time::sleep(probe.timeout).await;
                Ok(ProbeReply::Timeout)
            }
            Some(reply) => Ok(reply),
            None => Err(KernelError::io(what(), &e)),
        };
    }
    let socket = sys::watch(socket).map_err(|e| KernelError::io(what(), &e))?;
    let listen = async {
        loop {
            let (bytes, from) = socket.async_io(Interest::READABLE, receive).await?;
            let (packet, ttl) = if echo.v6 {
                (bytes.as_slice(), None)
            } else {
                strip_ipv4(&bytes)
            };
            let Some(heard) = echo.hear(packet) else {
                continue;
            };
            let rtt = start.elapsed();
            return Ok::<_, io::Error>(match heard {
                Heard::Reply if from == probe.destination => ProbeReply::Reply { from, rtt, ttl },
                Heard::Reply => continue,
                Heard::Unreachable(code) => ProbeReply::Unreachable {
                    from: Some(from),
                    code,
                    rtt,
                },
                Heard::TooBig(mtu) => ProbeReply::FragmentationNeeded {
                    from: Some(from),
                    mtu,
                },
                Heard::TimeExceeded => ProbeReply::TimeExceeded { from, rtt },
            });
        }
    };
    match tokio::time::timeout(probe.timeout, listen).await {
        Ok(heard) => heard.map_err(|e| KernelError::io(what(), &e)),
        Err(_) => Ok(ProbeReply::Timeout),
    }
}

fn open(probe: &Probe) -> io::Result<Socket> {
    let v6 = probe.destination.is_ipv6();
    let (domain, protocol) = if v6 {
        (Domain::IPV6, Protocol::ICMPV6)
    } else {
        (Domain::IPV4, Protocol::ICMPV4)
    };
    let socket = Socket::new(domain, Type::RAW.nonblocking().cloexec(), Some(protocol))?;
    let fd = socket.as_raw_fd();
    if v6 {
        socket.set_unicast_hops_v6(probe.ttl.into())?;
        let discover = if probe.dont_fragment {
            libc::IPV6_PMTUDISC_PROBE
        } else {
            libc::IPV6_PMTUDISC_DONT
        };
        sys::set_int(fd, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, discover)?;
    } else {
        socket.set_ttl_v4(probe.ttl.into())?;
        let discover = if probe.dont_fragment {
            libc::IP_PMTUDISC_PROBE
        } else {
            libc::IP_PMTUDISC_DONT
        };
        sys::set_int(fd, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, discover)?;
    }
    if let Some(source) = probe.source {
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    Ok(socket)
}

/// What a failure to send means for the probe; `None` if it is a failure of ours.
fn sending_failed(e: &io::Error) -> Option<ProbeReply> {
    let unreachable = |code| ProbeReply::Unreachable {
        from: None,
        code,
        rtt: Duration::ZERO,
    };
    match e.raw_os_error()? {
        libc::ENETUNREACH => Some(unreachable(0)),
        libc::EHOSTUNREACH => Some(unreachable(1)),
        libc::EMSGSIZE => Some(ProbeReply::FragmentationNeeded {
            from: None,
            mtu: None,
        }),
        // a policy that blocks, or that protects and has no SA yet
        libc::EAGAIN | libc::EPERM | libc::EREMOTE | libc::ESRCH | libc::ENOENT | libc::ENOBUFS => {
            Some(ProbeReply::Timeout)
        }
        _ => None,
    }
}

fn receive(socket: &Socket) -> io::Result<(Vec<u8>, IpAddr)> {
    let mut bytes = vec![0; 65_535];
    let (length, from) = nix::sys::socket::recvfrom::<nix::sys::socket::SockaddrStorage>(
        socket.as_raw_fd(),
        &mut bytes,
    )?;
    bytes.truncate(length);
    let from = from.and_then(|f| {
        let v4 = f.as_sockaddr_in().map(|a| IpAddr::from(a.ip()));
        v4.or_else(|| f.as_sockaddr_in6().map(|a| IpAddr::from(a.ip())))
    });
    Ok((bytes, from.ok_or(io::ErrorKind::InvalidData)?))
}

/// The packet behind an IPv4 header, and the header's time to live.
fn strip_ipv4(bytes: &[u8]) -> (&[u8], Option<u8>) {
    let length = bytes.first().map_or(0, |b| usize::from(b & 0x0f) * 4);
    (
        bytes.get(length..).unwrap_or_default(),
        bytes.get(8).copied(),
    )
}

impl Echo {
    /// An echo request for an IP packet of `size` bytes, with the pattern that IOS sends.
    fn request(&self, size: u16) -> Vec<u8> {
        let header = if self.v6 { IPV6_HEADER } else { IPV4_HEADER };
        let mut packet = vec![0; usize::from(size).saturating_sub(header).max(ECHO_HEADER)];
        packet[0] = if self.v6 { 128 } else { 8 };
        packet[4..6].copy_from_slice(&self.identifier.to_be_bytes());
        packet[6..8].copy_from_slice(&self.sequence.to_be_bytes());
        for (at, byte) in packet[ECHO_HEADER..].iter_mut().enumerate() {
            *byte = if at % 2 == 0 { 0xab } else { 0xcd };
        }
        if !self.v6 {
            // the kernel fills in ICMPv6's, which needs the addresses
            let sum = checksum(&packet);
            packet[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        packet
    }

    /// What an ICMP message says about this probe, if anything (RFC 792, RFC 4443).
    fn hear(&self, icmp: &[u8]) -> Option<Heard> {
        let (kind, code) = (*icmp.first()?, *icmp.get(1)?);
        let reply = if self.v6 { 129 } else { 0 };
        if kind == reply {
            return self.is_mine(icmp.get(4..8)?).then_some(Heard::Reply);
        }
        let heard = match (self.v6, kind, code) {
            (false, 3, 4) => Heard::TooBig(Some(u32::from(u16::from_be_bytes([
                *icmp.get(6)?,
                *icmp.get(7)?,
            ])))),
            (true, 2, _) => Heard::TooBig(
                icmp.get(4..8)
                    .map(|m| u32::from_be_bytes([m[0], m[1], m[2], m[3]])),
            ),
            (false, 3, code) | (true, 1, code) => Heard::Unreachable(code),
            (false, 11, _) | (true, 3, _) => Heard::TimeExceeded,
            _ => return None,
        };
        let quoted = icmp.get(8..)?;
        let inner = if self.v6 {
            quoted.get(IPV6_HEADER..)?
        } else {
            strip_ipv4(quoted).0
        };
        let request = if self.v6 { 128 } else { 8 };
        (*inner.first()? == request && self.is_mine(inner.get(4..8)?)).then_some(match heard {
            Heard::TooBig(Some(0)) => Heard::TooBig(None),
            other => other,
        })
    }

    fn is_mine(&self, numbers: &[u8]) -> bool {
        numbers[..2] == self.identifier.to_be_bytes()
            && numbers[2..4] == self.sequence.to_be_bytes()
    }
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(u16::from_be_bytes([
            pair[0],
            pair.get(1).copied().unwrap_or(0),
        ]));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ECHO: Echo = Echo {
        v6: false,
        identifier: 0x1234,
        sequence: 7,
    };

    #[test]
    fn request_has_the_size_and_a_right_checksum() {
        let packet = ECHO.request(100);
        assert_eq!(packet.len(), 80);
        assert_eq!(checksum(&packet), 0);
        assert_eq!(ECHO.request(5).len(), 8);
    }

    #[test]
    fn only_answers_to_this_probe_are_heard() {
        let mut reply = ECHO.request(60);
        assert_eq!(ECHO.hear(&reply), None, "our own request");
        reply[0] = 0;
        assert_eq!(ECHO.hear(&reply), Some(Heard::Reply));
        reply[7] = 8;
        assert_eq!(ECHO.hear(&reply), None, "another sequence number");
        for cut in 0..8 {
            assert_eq!(ECHO.hear(&reply[..cut]), None);
        }
    }

    #[test]
    fn errors_are_known_by_the_packet_they_quote() {
        let mut quoted = vec![0x45; 1];
        quoted.resize(20, 0);
        quoted.extend(&ECHO.request(28));
        let error = |kind: u8, code: u8, mtu: u16| {
            let mut e = vec![kind, code, 0, 0, 0, 0];
            e.extend(mtu.to_be_bytes());
            e.extend(&quoted);
            e
        };
        assert_eq!(ECHO.hear(&error(3, 1, 0)), Some(Heard::Unreachable(1)));
        assert_eq!(
            ECHO.hear(&error(3, 4, 1400)),
            Some(Heard::TooBig(Some(1400)))
        );
        assert_eq!(ECHO.hear(&error(3, 4, 0)), Some(Heard::TooBig(None)));
        assert_eq!(ECHO.hear(&error(11, 0, 0)), Some(Heard::TimeExceeded));
        assert_eq!(
            Echo {
                sequence: 8,
                ..ECHO
            }
            .hear(&error(11, 0, 0)),
            None
        );
        let full = error(11, 0, 0);
        for cut in 0..full.len() {
            assert_eq!(ECHO.hear(&full[..cut]), None);
        }
    }
}
