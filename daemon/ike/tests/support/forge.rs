//! Messages as strangers send them.

use std::net::SocketAddr;

use ike::registry::ExchangeType;
use ike::wire::v1::{Chain, Payload};
use ike::wire::{Cookies, Header};

use super::config::Pair;

pub const PORT: u16 = 500;

pub fn at(address: &str) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), PORT)
}

/// The first message of a peer configured like A, to be sent under any cookie.
pub fn first_message(pair: &Pair) -> Vec<u8> {
    let mut world = pair.world(5);
    world.hosts[1].plugged = false;
    world.acquire(0, 1, 1);
    world.wire.sent[0].bytes.clone()
}

pub fn with_cookie(first: &[u8], number: u64) -> Vec<u8> {
    let mut message = first.to_vec();
    message[..8].copy_from_slice(&(number | 1 << 63).to_be_bytes());
    message
}

/// The same with a lifetime of its own in the last transform, so that the SA payload is another one.
pub fn with_offer(first: &[u8], number: u64) -> Vec<u8> {
    let mut message = with_cookie(first, number);
    let lifetime = 86_400u32.to_be_bytes();
    let place = message.windows(4).rposition(|octets| octets == lifetime);
    let place = place.expect("the lifetime");
    let other = u32::try_from(1 + number % 86_000).unwrap();
    message[place..place + 4].copy_from_slice(&other.to_be_bytes());
    message
}

pub fn third_message(cookies: Cookies, public: Vec<u8>) -> Vec<u8> {
    let payloads = [Payload::KeyExchange(public), Payload::Nonce(vec![7; 20])];
    let header = Header::v1(cookies, ExchangeType::IDENTITY_PROTECTION, 0);
    Chain::encode(&payloads).unwrap().into_clear(header)
}
