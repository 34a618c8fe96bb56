//! What an authenticated peer may do wrong: messages forged with the keys of an established SA, which only a test within the
//! engine has. Floods of strangers are in `tests/v1_attack.rs`.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::algorithm::{Authentication, Encryption, EspCipher, Hash, Integrity, Mode};
use crate::child::OwnSpis;
use crate::config::{
    ChildLifetime, Connection, DfBit, EspTransform, Flow, IsakmpPolicy, Keepalive, KeepaliveKind,
    TransformSet,
};
use crate::crypto::Randomness;
use crate::event::{Bound, Event};
use crate::origin::Origin;
use crate::question::Answer;
use crate::registry::{ExchangeType, GroupNumber, NotifyType, PayloadType};
use crate::sa::State;
use crate::selector::Selector;
use crate::v1::Live;
use crate::v1::message::seal;
use crate::v1::quick_mode::states::{Exchange, Opening};
use crate::v1::quick_mode::transform::Terms;
use crate::wire::v1::{
    Body, Chain, Delete, Id, Identification, Message, Notification, Payload, Protected,
};
use crate::wire::{Cookies, Header};

mod bounds;
mod forged;
mod many;
mod replays;
mod shared_address;

struct Counter(u64);

impl Randomness for Counter {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (self.0 >> 56) as u8
        });
    }
}

const ADDRESSES: [&str; 2] = ["192.0.2.1", "198.51.100.1"];

fn at(end: usize) -> SocketAddr {
    SocketAddr::new(ADDRESSES[end].parse().unwrap(), PORT)
}

fn net(text: &str) -> Selector {
    let (address, prefix) = text.split_once('/').unwrap();
    Selector::prefix(address.parse().unwrap(), prefix.parse().unwrap(), 0, 0)
}

const NETS: [&str; 2] = ["10.1.0.0/16", "10.2.0.0/16"];

fn config(end: usize) -> EngineConfig {
    let esp = EspTransform {
        cipher: EspCipher::Aes256,
        integrity: Some(Integrity::HmacSha256),
    };
    let peer: IpAddr = ADDRESSES[1 - end].parse().unwrap();
    let connection = Connection {
        id: ConnectionId(1),
        origin: Origin::CryptoMap {
            map: "MAP".into(),
            sequence: 10,
            access_list: "101".into(),
        },
        local: vec![ADDRESSES[end].parse().unwrap()],
        peers: vec![peer].into(),
        default_peer: false,
        flows: vec![Flow {
            id: FlowId(1),
            local: net(NETS[end]),
            remote: net(NETS[1 - end]),
        }]
        .into(),
        transform_sets: vec![TransformSet {
            name: "TS".into(),
            ah: None,
            esp: Some(esp),
            mode: Mode::Tunnel,
            require_transport: false,
        }],
        pfs: None,
        lifetime: ChildLifetime {
            seconds: 86_000,
            kilobytes: None,
        },
        replay_window: 64,
        df_bit: DfBit::Copy,
    };
    EngineConfig {
        policies: vec![IsakmpPolicy {
            priority: 10,
            encryption: Encryption::Aes256,
            hash: Hash::Sha256,
            authentication: Authentication::PreShared,
            group: GroupNumber(19),
            lifetime: 86_400,
        }],
        keepalive: Some(Keepalive {
            interval: Duration::from_secs(10),
            retry: Duration::from_secs(2),
            kind: KeepaliveKind::OnDemand,
        }),
        connections: vec![Arc::new(connection)],
        ..EngineConfig::default()
    }
}

/// What an endpoint puts out next; its questions are answered at once.
fn next_output(endpoint: &mut Endpoint, now: Instant) -> Option<Output> {
    loop {
        match endpoint.poll_output()? {
            Output::Ask { id, .. } => {
                endpoint.answer(now, id, Answer::PeerKey(Some("cisco123".into())));
            }
            output => return Some(output),
        }
    }
}

/// Asks for the peer's child.
fn request() -> ChildRequest {
    ChildRequest {
        subject: Subject {
            connection: ConnectionId(1),
            flow: FlowId(1),
            local: net(NETS[0]),
            remote: net(NETS[1]),
        },
        rekeys: None,
    }
}

impl IkeSa {
    fn live(&self) -> Option<&Live> {
        match &self.state {
            State::V1(sa) => sa.live(),
            State::Deleted => None,
        }
    }
}

impl Endpoint {
    fn live_mut(&mut self, id: SaId) -> &mut Live {
        match &mut self.sas.get_mut(&id).unwrap().state {
            State::V1(sa) => sa.live_mut().unwrap(),
            State::Deleted => panic!("deleted"),
        }
    }

    fn fresh_message_id(&mut self, id: SaId) -> u32 {
        self.live_mut(id).ids.draw()
    }
}

/// The peer (0), which will misbehave, and the router (1).
struct Two {
    ends: [Endpoint; 2],
    now: Instant,
    facts: Vec<Event>,
    /// Halves of children in the router's kernel
    halves: usize,
    /// Datagrams that the router sent
    sent: usize,
}

impl Two {
    fn connected() -> Self {
        let mut two = Self {
            ends: [1, 2].map(|seed| Endpoint::new(Box::new(Counter(seed)))),
            now: Instant::from_millis(1_000_000),
            facts: Vec::new(),
            halves: 0,
            sent: 0,
        };
        for end in [0, 1] {
            two.ends[end].set_config(two.now, config(end));
        }
        two.ends[0].acquire(two.now, ConnectionId(1), FlowId(1), None);
        two.exchange();
        assert_eq!(two.halves, 2, "a tunnel");
        two
    }

    /// Lets both talk until neither has anything to say.
    fn exchange(&mut self) {
        let mut wire = VecDeque::new();
        loop {
            for end in [0, 1] {
                while let Some(output) = next_output(&mut self.ends[end], self.now) {
                    match output {
                        Output::Transmit { bytes, .. } => {
                            self.sent += end;
                            wire.push_back((1 - end, bytes));
                        }
                        Output::InstallChild { .. } => self.halves += end,
                        Output::RemoveChild { .. } => self.halves -= end,
                        Output::Fact(fact) if end == 1 => self.facts.push(fact.event),
                        Output::Fact(_) | Output::WantOver { .. } | Output::Ask { .. } => {}
                    }
                }
            }
            let Some((to, bytes)) = wire.pop_front() else {
                return;
            };
            self.ends[to].datagram(self.now, at(to), at(1 - to), &bytes);
        }
    }

    /// Hands the router a datagram and swallows what comes of it at the peer.
    fn give(&mut self, bytes: &[u8]) {
        self.ends[1].datagram(self.now, at(1), at(0), bytes);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = next_output(&mut self.ends[1], self.now) {
            match output {
                Output::Transmit { .. } => self.sent += 1,
                Output::InstallChild { .. } => self.halves += 1,
                Output::RemoveChild { .. } => self.halves -= 1,
                Output::Fact(fact) => self.facts.push(fact.event),
                Output::WantOver { .. } | Output::Ask { .. } => {}
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.ends[1].timeout(self.now);
        self.drain();
    }

    fn peers_sa(&self) -> SaId {
        self.ends[0].usable_at(at(0).ip(), at(1).ip()).unwrap()
    }

    /// A quick mode message 1 as the peer could send it.
    fn quick_mode(&mut self, number: u32) -> Vec<u8> {
        let id = self.peers_sa();
        let message_id = self.ends[0].fresh_message_id(id);
        let (terms, set) = (
            Terms {
                seconds: 86_000,
                kilobytes: None,
                pfs: None,
            },
            config(0).connections[0].transform_sets.clone(),
        );
        let opening = Opening {
            request: request(),
            offered: set,
            terms,
            own: OwnSpis {
                ah: 0x1000_0000 + number,
                esp: 0x2000_0000 + number,
            },
        };
        let sa = &self.ends[0].sas[&id];
        let live = sa.live().unwrap();
        let exchange = Exchange {
            cookies: sa.common.cookies,
            keys: &live.sa.keys,
            message_id,
        };
        let random = &mut Counter(number.into());
        opening
            .build(exchange, &live.sa.last_block, random)
            .unwrap()
            .1
    }

    /// A message of these payloads with a right hash before them, as the peer could send it.
    fn authentic(&mut self, exchange: ExchangeType, payloads: &[Payload]) -> Vec<u8> {
        let id = self.peers_sa();
        let message_id = self.ends[0].fresh_message_id(id);
        let sa = &self.ends[0].sas[&id];
        let (cookies, live) = (sa.common.cookies, sa.live().unwrap());
        let keys = &live.sa.keys;
        let chain = Chain::encode(payloads).unwrap();
        let hash = keys.hash_1(message_id, chain.bytes());
        let chain = chain.prepend(&Payload::Hash(hash)).unwrap();
        let mut iv = keys.exchange_iv(&live.sa.last_block, message_id);
        seal(
            keys,
            &mut iv,
            Header::v1(cookies, exchange, message_id),
            chain,
        )
    }

    /// The payloads of a message of the peer's, without its hash.
    fn open(&self, message: &[u8]) -> Vec<Payload> {
        let sa = &self.ends[0].sas[&self.peers_sa()];
        let live = sa.live().unwrap();
        let message = Message::decode(message).unwrap();
        let Body::Encrypted(ciphertext) = &message.body else {
            panic!("in clear")
        };
        let keys = &live.sa.keys;
        let iv = keys.exchange_iv(&live.sa.last_block, message.header.message_id);
        let (payloads, _) = crate::v1::message::open(keys, &iv, ciphertext).unwrap();
        payloads.iter().skip(1).cloned().collect()
    }

    fn router(&self) -> &Endpoint {
        &self.ends[1]
    }

    fn heard(&self) -> Instant {
        let id = self.router().usable_at(at(1).ip(), at(0).ip()).unwrap();
        self.router().sas[&id].life().unwrap().heard
    }

    fn said(&self, which: Bound) -> usize {
        let said =
            |event: &&Event| matches!(event, Event::BoundReached { bound, .. } if *bound == which);
        self.facts.iter().filter(said).count()
    }
}
