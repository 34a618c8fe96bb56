//! Forged packets: whole IP packets with any source address, put on the wire from inside a host.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use anyhow::{Context, Result};
use socket2::{Domain, Protocol, Socket, Type};

use super::Host;
use super::echo::echo_request;

/// Sends ready-made IP packets to where their headers say. The kernel fills in lengths and header checksums.
pub fn send(host: &Host, packets: Vec<Vec<u8>>) -> Result<()> {
    const HEADER_INCLUDED: i32 = 255;
    host.run(move || {
        let socket = Socket::new(
            Domain::IPV4,
            Type::RAW,
            Some(Protocol::from(HEADER_INCLUDED)),
        )
        .context("open a raw socket")?;
        for packet in &packets {
            let to = Ipv4Addr::new(packet[16], packet[17], packet[18], packet[19]);
            socket
                .send_to(packet, &SocketAddr::V4(SocketAddrV4::new(to, 0)).into())
                .context("send a forged packet")?;
        }
        Ok(())
    })
}

/// An ICMP echo request from one address to another.
pub fn echo(from: Ipv4Addr, to: Ipv4Addr) -> Vec<u8> {
    ip(from, to, 1, &echo_request(0x6666, 1, 100))
}

/// A UDP datagram between the IKE ports of two addresses, without a checksum.
pub fn ike(from: Ipv4Addr, to: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len() + 8).unwrap_or(u16::MAX);
    let mut datagram = [500_u16, 500, length, 0]
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .collect::<Vec<_>>();
    datagram.extend(message);
    ip(from, to, 17, &datagram)
}

fn ip(from: Ipv4Addr, to: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0];
    packet.extend(from.octets());
    packet.extend(to.octets());
    packet.extend(payload);
    packet
}

/// Damaged copies of a message, always the same ones: cut short at every fourth byte, and with bytes changed here and there.
pub fn damaged(message: &[u8]) -> Vec<Vec<u8>> {
    let mut copies = (0..message.len())
        .step_by(4)
        .map(|length| message[..length].to_vec())
        .collect::<Vec<_>>();
    let mut state = 0x9e37_79b9_u32;
    let mut next = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below.max(1)
    };
    for _ in 0..64 {
        let mut copy = message.to_vec();
        for _ in 0..=next(3) {
            let at = next(copy.len());
            copy[at] = [0, 1, 0x7f, 0x80, 0xff][next(5)];
        }
        copies.push(copy);
    }
    copies
}
