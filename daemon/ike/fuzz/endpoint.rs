//! The `endpoint` fuzz target: a configured endpoint, as responder and as initiator, given a script of datagrams. It
//! must not panic, install nothing (no datagram here can prove the key), and keep a timer while anything is half-open.
//! Shared with `tests/corpus.rs` like `decoders.rs`.
//!
//! A script is a list of records: one byte of kind, two of length, the datagram. Bit 0 of the kind patches the cookies
//! of the endpoint's last message in (those it has), bit 1 the length field, bit 2 turns the script to the initiating endpoint, and the
//! high bits let time go by.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ike::algorithm::{Authentication, Encryption, EspCipher, Hash, Integrity, Mode};
use ike::config::{
    ChildLifetime, Connection, ConnectionId, DfBit, EngineConfig, EspTransform, Flow, FlowId,
    IsakmpPolicy, TransformSet,
};
use ike::origin::Origin;
use ike::random::Randomness;
use ike::registry::GroupNumber;
use ike::selector::Selector;
use ike::wire::HEADER_LENGTH;
use ike::{Answer, Endpoint, Instant, Output};

struct Counter(u8);

impl Randomness for Counter {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(5).wrapping_add(3);
            *byte = self.0;
        }
    }
}

fn config(peer: IpAddr, own: IpAddr) -> EngineConfig {
    let network = |third: u8| Selector::prefix(Ipv4Addr::new(10, 0, third, 0).into(), 24, 0, 0);
    let policy = |priority, encryption, hash, group| IsakmpPolicy {
        priority,
        encryption,
        hash,
        authentication: Authentication::PreShared,
        group: GroupNumber(group),
        lifetime: 86_400,
    };
    let mut config = EngineConfig {
        policies: vec![
            policy(10, Encryption::Aes256, Hash::Sha256, 19),
            policy(20, Encryption::TripleDes, Hash::Sha1, 1),
        ],
        ..EngineConfig::default()
    };
    config.connections.push(Arc::new(Connection {
        id: ConnectionId(1),
        origin: Origin::CryptoMap {
            map: "MAP".into(),
            sequence: 10,
            access_list: "101".into(),
        },
        local: vec![own],
        peers: vec![peer].into(),
        default_peer: false,
        flows: vec![Flow {
            id: FlowId(1),
            local: network(1),
            remote: network(2),
        }]
        .into(),
        transform_sets: vec![TransformSet {
            name: "TS".into(),
            ah: None,
            esp: Some(EspTransform {
                cipher: EspCipher::Aes128,
                integrity: Some(Integrity::HmacSha1),
            }),
            mode: Mode::Tunnel,
            require_transport: false,
        }],
        pfs: None,
        lifetime: ChildLifetime {
            seconds: 3600,
            kilobytes: None,
        },
        replay_window: 64,
        df_bit: DfBit::Copy,
    }));
    config
}

struct Side {
    endpoint: Endpoint,
    last: Option<Vec<u8>>,
}

impl Side {
    fn new(now: Instant, own: IpAddr, peer: IpAddr) -> Self {
        let mut endpoint = Endpoint::new(Box::new(Counter(1)));
        endpoint.set_debug(true);
        endpoint.set_config(now, config(peer, own));
        Self {
            endpoint,
            last: None,
        }
    }

    fn drain(&mut self, now: Instant) {
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Transmit { bytes, .. } => self.last = Some(bytes),
                Output::InstallChild { .. } => panic!("an SA without proof of the key"),
                Output::RemoveChild { .. } => panic!("removed what was never installed"),
                Output::WantOver { .. } => {}
                Output::Ask { id, .. } => {
                    let key = Answer::PeerKey(Some("a pre-shared key".into()));
                    self.endpoint.answer(now, id, key);
                }
                Output::Fact(fact) => {
                    // Rendering a fact must not panic either.
                    let _ = format!("{fact:?}");
                }
            }
        }
    }
}

/// Runs a script; says whether it was one.
pub fn endpoint(script: &[u8]) -> Result<(), &'static str> {
    let [own, peer] = [1, 2].map(|host| IpAddr::from(Ipv4Addr::new(192, 0, 2, host)));
    let mut now = Instant::from_millis(1_000);
    let mut sides = [Side::new(now, own, peer), Side::new(now, own, peer)];
    sides[1]
        .endpoint
        .acquire(now, ConnectionId(1), FlowId(1), None);
    sides[1].drain(now);
    let mut rest = script;
    while let [kind, high, low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((datagram, tail)) = tail.split_at_checked(length) else {
            return Err("a record is cut short");
        };
        rest = tail;
        let side = &mut sides[usize::from(kind >> 2 & 1)];
        let mut datagram = datagram.to_vec();
        if let (1, Some(last), true) = (kind & 1, &side.last, datagram.len() >= 16) {
            let known = if last[8..16] == [0; 8] { 8 } else { 16 };
            datagram[..known].copy_from_slice(&last[..known]);
        }
        if kind & 2 != 0 && datagram.len() >= HEADER_LENGTH {
            let length = (datagram.len() as u32).to_be_bytes();
            datagram[24..28].copy_from_slice(&length);
        }
        side.endpoint.datagram(
            now,
            SocketAddr::new(own, 500),
            SocketAddr::new(peer, 500),
            &datagram,
        );
        side.drain(now);
        now = now + Duration::from_secs(u64::from(kind >> 3));
        for side in &mut sides {
            while side.endpoint.next_timeout().is_some_and(|due| due <= now) {
                side.endpoint.timeout(now);
                side.drain(now);
            }
        }
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err("a record is cut short")
    }
}
