//! The watcher in the middle: reads every frame that crosses, says what each is, and fails the scenario on anything in clear.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use nix::sys::socket::{
    AddressFamily, LinkAddr, SockFlag, SockProtocol, SockType, recvfrom, setsockopt, socket,
    sockopt,
};

use super::Host;
use super::echo::MARKER;

/// What a frame in the middle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// UDP port 500, or port 4500 with the non-ESP marker.
    Ike,
    /// IP protocol 50.
    Esp,
    /// IP protocol 50 with the echo's text readable in it: a null cipher.
    ReadableEsp,
    /// IP protocol 51.
    Ah,
    /// ESP in UDP port 4500 (RFC 3948), keepalives too.
    EspInUdp,
    /// An ICMP error about one of the above, as when no daemon listens.
    Unreachable,
    /// Anything else: clear text.
    Clear,
}

/// One frame: the IP packet and where it stood.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Time since 1970.
    pub at: std::time::Duration,
    /// What it is.
    pub kind: Kind,
    /// Source address.
    pub from: Ipv4Addr,
    /// Destination address.
    pub to: Ipv4Addr,
    /// The IP packet.
    pub packet: Vec<u8>,
}

impl Seen {
    /// The SPI of an ESP or AH packet.
    pub fn spi(&self) -> Option<u32> {
        let payload = &self.packet[header_length(&self.packet)..];
        let bytes = match self.kind {
            Kind::Esp | Kind::ReadableEsp => payload.get(0..4),
            Kind::Ah => payload.get(4..8),
            Kind::EspInUdp => payload.get(8..12),
            _ => None,
        };
        bytes.map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// The exchange type of an IKE message (RFC 2408 section 3.1).
    pub fn exchange(&self) -> Option<u8> {
        (self.kind == Kind::Ike)
            .then(|| self.isakmp().get(18).copied())
            .flatten()
    }

    /// The ISAKMP message of an IKE frame, without IP and UDP.
    pub fn isakmp(&self) -> &[u8] {
        let start = header_length(&self.packet) + 8;
        let message = self.packet.get(start..).unwrap_or(&[]);
        if ports(&self.packet).is_some_and(|(from, to)| from == 4500 || to == 4500) {
            message.get(4..).unwrap_or(&[])
        } else {
            message
        }
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} > {}  ", self.from, self.to)?;
        match self.kind {
            Kind::Ike => {
                let message = self.isakmp();
                let name = match self.exchange() {
                    Some(2) => "main mode",
                    Some(4) => "aggressive mode",
                    Some(5) => "informational",
                    Some(32) => "quick mode",
                    Some(34..=37) => "IKEv2",
                    _ => "unknown exchange",
                };
                let secret = if message.get(19).is_some_and(|flags| flags & 1 == 1) {
                    ", encrypted"
                } else {
                    ""
                };
                write!(out, "ISAKMP {name}{secret}, {} bytes", message.len())
            }
            Kind::Esp | Kind::EspInUdp => write!(
                out,
                "ESP spi 0x{:08X}, {} bytes",
                self.spi().unwrap_or(0),
                self.packet.len()
            ),
            Kind::ReadableEsp => write!(
                out,
                "ESP that can be READ, spi 0x{:08X}",
                self.spi().unwrap_or(0)
            ),
            Kind::Ah => write!(
                out,
                "AH spi 0x{:08X}, {} bytes",
                self.spi().unwrap_or(0),
                self.packet.len()
            ),
            Kind::Unreachable => write!(out, "ICMP error about one of these"),
            Kind::Clear => write!(
                out,
                "IN THE CLEAR: IP protocol {}, {} bytes",
                self.packet.get(9).unwrap_or(&0),
                self.packet.len()
            ),
        }
    }
}

/// The frames that crossed the middle so far. Frames count where they come in, so what the middle itself drops later is seen too.
#[derive(Clone)]
pub struct Capture {
    frames: Arc<Mutex<Vec<Seen>>>,
    /// Whether the scenario's ESP has no cipher, so that reading it proves nothing.
    pub readable: bool,
}

impl Capture {
    /// Starts to watch all interfaces of a host.
    pub fn start(host: &Host) -> Result<Capture> {
        let frames = Arc::new(Mutex::new(Vec::new()));
        let store = Arc::clone(&frames);
        let wire = host.run(|| {
            let wire = socket(
                AddressFamily::Packet,
                SockType::Raw,
                SockFlag::SOCK_CLOEXEC,
                SockProtocol::EthAll,
            )
            .context("open a packet socket")?;
            setsockopt(&wire, sockopt::RcvBufForce, &(16 << 20))?;
            Ok(wire)
        })?;
        std::thread::spawn(move || watch(&wire, &store));
        Ok(Capture {
            frames,
            readable: false,
        })
    }

    /// All frames, oldest first.
    pub fn frames(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.frames
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
    }

    /// How many frames of a kind crossed.
    pub fn count(&self, kind: Kind) -> usize {
        self.frames()
            .iter()
            .filter(|frame| frame.kind == kind)
            .count()
    }

    /// How many frames of a kind went from one address to another.
    pub fn between(&self, kind: Kind, from: Ipv4Addr, to: Ipv4Addr) -> usize {
        self.frames()
            .iter()
            .filter(|frame| frame.kind == kind && frame.from == from && frame.to == to)
            .count()
    }

    /// Fails if anything crossed that is not IKE, ESP, AH or an error about these.
    pub fn expect_nothing_in_clear(&self) -> Result<()> {
        // On a busy machine the last frames may still be on their way to the watcher.
        std::thread::sleep(std::time::Duration::from_millis(100));
        let frames = self.frames();
        let clear = frames
            .iter()
            .filter(|frame| {
                frame.kind == Kind::Clear || (frame.kind == Kind::ReadableEsp && !self.readable)
            })
            .collect::<Vec<_>>();
        if let Some(first) = clear.first() {
            bail!(
                "{} packets crossed the middle in clear, the first: {first}",
                clear.len()
            );
        }
        Ok(())
    }

    /// One line: how many of each kind.
    pub fn summary(&self) -> String {
        let mut counts = BTreeMap::new();
        for frame in self.frames().iter() {
            *counts.entry(frame.kind).or_insert(0) += 1;
        }
        let parts = counts
            .iter()
            .map(|(kind, count)| format!("{count} {kind:?}"))
            .collect::<Vec<_>>();
        if parts.is_empty() {
            "nothing".to_owned()
        } else {
            parts.join(", ")
        }
    }

    /// Writes the frames as a capture file (link type: raw IPv4).
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65535, 228] {
            file.write_all(&word.to_le_bytes())?;
        }
        for frame in self.frames().iter() {
            let length = u32::try_from(frame.packet.len())?;
            for word in [
                u32::try_from(frame.at.as_secs())?,
                frame.at.subsec_micros(),
                length,
                length,
            ] {
                file.write_all(&word.to_le_bytes())?;
            }
            file.write_all(&frame.packet)?;
        }
        Ok(file.flush()?)
    }
}

const PACKET_OUTGOING: u8 = 4;

fn watch(wire: &OwnedFd, frames: &Mutex<Vec<Seen>>) {
    let mut buffer = vec![0; 65536];
    loop {
        let Ok((length, link)) = recvfrom::<LinkAddr>(wire.as_raw_fd(), &mut buffer) else {
            continue;
        };
        if link.is_some_and(|link| link.pkttype() == PACKET_OUTGOING) || length < 34 {
            continue;
        }
        let frame = &buffer[..length];
        // ARP stays on its wire; all else that is not IPv4 counts as clear text.
        match (frame[12], frame[13]) {
            (0x08, 0x06) => continue,
            (0x08, 0x00) => {}
            _ => {
                let (from, to) = (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED);
                keep(
                    frames,
                    Seen {
                        at: now(),
                        kind: Kind::Clear,
                        from,
                        to,
                        packet: frame[14..].to_vec(),
                    },
                );
                continue;
            }
        }
        let packet = &frame[14..];
        let address =
            |at: usize| Ipv4Addr::new(packet[at], packet[at + 1], packet[at + 2], packet[at + 3]);
        keep(
            frames,
            Seen {
                at: now(),
                kind: classify(packet),
                from: address(12),
                to: address(16),
                packet: packet.to_vec(),
            },
        );
    }
}

fn keep(frames: &Mutex<Vec<Seen>>, frame: Seen) {
    frames
        .lock()
        .unwrap_or_else(|poison| poison.into_inner())
        .push(frame);
}

fn now() -> std::time::Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

fn header_length(packet: &[u8]) -> usize {
    (usize::from(packet.first().copied().unwrap_or(0) & 15) * 4).min(packet.len())
}

fn ports(packet: &[u8]) -> Option<(u16, u16)> {
    let ports = packet.get(header_length(packet)..)?.get(..4)?;
    Some((
        u16::from_be_bytes([ports[0], ports[1]]),
        u16::from_be_bytes([ports[2], ports[3]]),
    ))
}

fn classify(packet: &[u8]) -> Kind {
    let payload = &packet[header_length(packet)..];
    match packet.get(9) {
        Some(50) if carries_marker(packet) => Kind::ReadableEsp,
        Some(50) => Kind::Esp,
        Some(51) => Kind::Ah,
        Some(17) => match ports(packet) {
            // A later fragment has no ports; the lab's own IKE messages are never big enough to be cut.
            Some((500, _) | (_, 500)) => Kind::Ike,
            Some((4500, _) | (_, 4500)) if payload.get(8..12) == Some(&[0; 4]) => Kind::Ike,
            Some((4500, _) | (_, 4500)) => Kind::EspInUdp,
            _ => Kind::Clear,
        },
        Some(1) if matches!(payload.first(), Some(3 | 11)) => match payload.get(8..) {
            Some(inner) if inner.len() >= 20 && classify(inner) != Kind::Clear => Kind::Unreachable,
            _ => Kind::Clear,
        },
        _ => Kind::Clear,
    }
}

fn carries_marker(packet: &[u8]) -> bool {
    packet.windows(MARKER.len()).any(|window| window == MARKER)
}
