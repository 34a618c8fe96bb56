//! CPU of main mode and quick mode, each side by itself, for every group: the engine alone, without sockets or kernel.
//!
//! Run with `cargo bench -p ike --bench handshake`. Prints lowest deciles in microseconds; `group` is the key pairs and shared
//! secrets of one side alone, `rest` what the engine adds (parsing, proposals, hashes, ciphers, state). The last line
//! is a yardstick for comparing machines. A row counts only if both sides end with both halves of the child.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use ike::algorithm::{Authentication, Encryption, EspCipher, Hash, Integrity, Mode};
use ike::config::{
    ChildLifetime, Connection, ConnectionId, DfBit, EngineConfig, EspTransform, Flow, FlowId,
    IsakmpPolicy, TransformSet,
};
use ike::crypto::{Group, KeyPair};
use ike::origin::Origin;
use ike::random::Randomness;
use ike::selector::Selector;
use ike::{Answer, Endpoint, Instant, Output};

/// Handshakes measured for a row, after the warm-up.
const SAMPLES: usize = 40;
const WARM_UP: usize = 5;
const CONNECTION: ConnectionId = ConnectionId(1);
const FLOW: FlowId = FlowId(1);

struct Proposal {
    encryption: Encryption,
    hash: Hash,
    group: Group,
    pfs: bool,
}

/// xorshift: enough randomness to measure with.
struct Seeded(u64);

impl Randomness for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 24) as u8
        });
    }
}

/// One end: its endpoint and what it has cost.
struct Side {
    endpoint: Endpoint,
    address: SocketAddr,
    spent: Duration,
    installed: usize,
}

impl Side {
    fn new(own: u8, peer: u8, seed: u64, proposal: &Proposal) -> Self {
        let address = |host: u8| IpAddr::from(Ipv4Addr::new(192, 0, 2, host));
        let network = |host: u8| Selector::prefix(Ipv4Addr::new(10, host, 0, 0).into(), 16, 0, 0);
        let mut endpoint = Endpoint::new(Box::new(Seeded(seed)));
        let mut config = EngineConfig {
            policies: vec![IsakmpPolicy {
                priority: 10,
                encryption: proposal.encryption,
                hash: proposal.hash,
                authentication: Authentication::PreShared,
                group: proposal.group.number(),
                lifetime: 86_400,
            }],
            ..EngineConfig::default()
        };
        let esp = EspTransform {
            cipher: EspCipher::Aes128,
            integrity: Some(Integrity::HmacSha256),
        };
        config.connections.push(Arc::new(Connection {
            id: CONNECTION,
            origin: Origin::CryptoMap {
                map: "MAP".into(),
                sequence: 10,
                access_list: "101".into(),
            },
            local: vec![address(own)],
            peers: vec![address(peer)].into(),
            default_peer: false,
            flows: vec![Flow {
                id: FLOW,
                local: network(own),
                remote: network(peer),
            }]
            .into(),
            transform_sets: vec![TransformSet {
                name: "TS".into(),
                ah: None,
                esp: Some(esp),
                mode: Mode::Tunnel,
                require_transport: false,
            }],
            pfs: proposal.pfs.then(|| proposal.group.number()),
            lifetime: ChildLifetime {
                seconds: 3600,
                kilobytes: Some(4_608_000),
            },
            replay_window: 64,
            df_bit: DfBit::Copy,
        }));
        endpoint.set_config(Instant::from_millis(0), config);
        Self {
            endpoint,
            address: SocketAddr::new(address(own), 500),
            spent: Duration::ZERO,
            installed: 0,
        }
    }

    /// Makes a call, measured with the reading of everything that comes of it; gives the datagrams.
    fn call(&mut self, call: impl FnOnce(&mut Endpoint)) -> Vec<Vec<u8>> {
        let start = Clock::now();
        call(&mut self.endpoint);
        let mut outputs = Vec::new();
        while let Some(output) = self.endpoint.poll_output() {
            match output {
                Output::Ask { id, .. } => {
                    let key = Answer::PeerKey(Some("a pre-shared key".into()));
                    self.endpoint.answer(Instant::from_millis(1000), id, key);
                }
                output => outputs.push(output),
            }
        }
        self.spent += start.elapsed();
        let mut datagrams = Vec::new();
        for output in outputs {
            match output {
                Output::Transmit { bytes, .. } => datagrams.push(bytes),
                Output::InstallChild { .. } => self.installed += 1,
                Output::RemoveChild { .. }
                | Output::WantOver { .. }
                | Output::Ask { .. }
                | Output::Fact(_) => {}
            }
        }
        datagrams
    }
}

/// One tunnel from nothing: what the initiator and the responder spent.
fn handshake(proposal: &Proposal, seed: u64) -> [Duration; 2] {
    let mut sides = [
        Side::new(1, 2, seed, proposal),
        Side::new(2, 1, !seed, proposal),
    ];
    let now = Instant::from_millis(1000);
    let mut datagrams = sides[0].call(|endpoint| endpoint.acquire(now, CONNECTION, FLOW, None));
    let mut receiver = 1;
    while !datagrams.is_empty() {
        let (local, remote) = (sides[receiver].address, sides[1 - receiver].address);
        datagrams = sides[receiver].call(|endpoint| {
            datagrams
                .iter()
                .for_each(|bytes| endpoint.datagram(now, local, remote, bytes));
        });
        receiver = 1 - receiver;
    }
    assert!(
        sides.iter().all(|side| side.installed == 2),
        "the handshake failed"
    );
    sides.map(|side| side.spent)
}

/// The group arithmetic of one side.
fn arithmetic(proposal: &Proposal, random: &mut Seeded) -> Duration {
    let peer = KeyPair::generate(proposal.group, random);
    let start = Clock::now();
    for _ in 0..1 + usize::from(proposal.pfs) {
        let own = KeyPair::generate(proposal.group, random);
        assert!(own.agree(peer.public()).is_ok());
    }
    start.elapsed()
}

/// The lowest decile in microseconds: what it costs when nothing else runs on the core.
fn typical(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 10].as_secs_f64() * 1e6
}

fn row(proposal: &Proposal) {
    let mut random = Seeded(0x9E37_79B9_7F4A_7C15);
    let (mut initiator, mut responder, mut group) = (Vec::new(), Vec::new(), Vec::new());
    for sample in 0..WARM_UP + SAMPLES {
        let [one, other] = handshake(proposal, 0x2545_F491_4F6C_DD1D + sample as u64);
        let alone = arithmetic(proposal, &mut random);
        if sample >= WARM_UP {
            initiator.push(one);
            responder.push(other);
            group.push(alone);
        }
    }
    let name = format!(
        "{}-{}-{}{}",
        proposal.encryption,
        proposal.hash,
        proposal.group,
        if proposal.pfs { " pfs" } else { "" }
    );
    let (initiator, responder, group) = (typical(initiator), typical(responder), typical(group));
    let rest = (initiator + responder) / 2.0 - group;
    println!("{name:<30}{initiator:>12.0}{responder:>12.0}{group:>12.0}{rest:>12.0}");
}

fn yardstick() -> f64 {
    let peer = PrivateKey::generate(&ECDH_P256)
        .and_then(|key| key.compute_public_key())
        .expect("a key pair");
    let once = || {
        let start = Clock::now();
        let own = PrivateKey::generate(&ECDH_P256).expect("a key pair");
        let public = own.compute_public_key().expect("a public key");
        let secret = agree(
            &own,
            UnparsedPublicKey::new(&ECDH_P256, peer.as_ref()),
            (),
            |x| Ok(x.to_vec()),
        );
        assert!(secret.is_ok() && !public.as_ref().is_empty());
        start.elapsed()
    };
    typical((0..SAMPLES).map(|_| once()).collect())
}

fn main() {
    println!(
        "{:<30}{:>12}{:>12}{:>12}{:>12}",
        "main mode + quick mode, µs", "initiator", "responder", "group", "rest"
    );
    let (encryption, hash) = (Encryption::Aes128, Hash::Sha256);
    for group in Group::ALL {
        row(&Proposal {
            encryption,
            hash,
            group,
            pfs: false,
        });
    }
    for group in [Group::Modp2048, Group::Ecp256] {
        row(&Proposal {
            encryption,
            hash,
            group,
            pfs: true,
        });
    }
    row(&Proposal {
        encryption: Encryption::TripleDes,
        hash: Hash::Sha1,
        group: Group::Modp1024,
        pfs: false,
    });
    println!(
        "{:<54}{:>12.0}",
        "aws-lc-rs P-256, one key pair and secret",
        yardstick()
    );
}
