//! What an authenticated peer may do wrong: messages forged with the keys of an established SA, which only a test within the
//! engine has. Floods of strangers are in `tests/v1_attack.rs`.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::algorithm::{Authentication, Encryption, EspCipher, Hash, Integrity, Mode};
use crate::config::{
    ChildLifetime, Connection, DfBit, EspTransform, Flow, IsakmpPolicy, Keepalive, KeepaliveKind,
    TransformSet,
};
use crate::crypto::Randomness;
use crate::event::Bound;
use crate::registry::{ExchangeType, GroupNumber, NotifyType, PayloadType};
use crate::selector::Selector;
use crate::v1::message::seal;
use crate::v1::quick_mode::states::{Exchange, Opening, Subject};
use crate::v1::quick_mode::transform::{OwnSpis, Terms};
use crate::wire::v1::{
    Body, Chain, Delete, Id, Identification, Message, Notification, Payload, Protected,
};
use crate::wire::{Cookies, Header};

mod many;

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
        map: "MAP".into(),
        sequence: 10,
        local: vec![ADDRESSES[end].parse().unwrap()],
        peers: vec![peer],
        default_peer: false,
        access_list: "101".into(),
        flows: vec![Flow {
            id: FlowId(1),
            local: net(NETS[end]),
            remote: net(NETS[1 - end]),
        }],
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
    let mut config = EngineConfig {
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
    };
    config.keys.add_address(peer, 32, "cisco123".into());
    config
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
                while let Some(output) = self.ends[end].poll_output() {
                    match output {
                        Output::Transmit { bytes, .. } => {
                            self.sent += end;
                            wire.push_back((1 - end, bytes));
                        }
                        Output::InstallChild { .. } => self.halves += end,
                        Output::RemoveChild { .. } => self.halves -= end,
                        Output::Fact(fact) if end == 1 => self.facts.push(fact.event),
                        Output::Fact(_) | Output::WantOver { .. } => {}
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
        while let Some(output) = self.ends[1].poll_output() {
            match output {
                Output::Transmit { .. } => self.sent += 1,
                Output::InstallChild { .. } => self.halves += 1,
                Output::RemoveChild { .. } => self.halves -= 1,
                Output::Fact(fact) => self.facts.push(fact.event),
                Output::WantOver { .. } => {}
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.ends[1].timeout(self.now);
        self.drain();
    }

    fn peers_sa(&self) -> SaId {
        self.ends[0].usable_sa(at(0).ip(), at(1).ip()).unwrap()
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
            request: ChildRequest {
                connection: ConnectionId(1),
                flow: FlowId(1),
                rekeys: None,
            },
            subject: Subject {
                connection: ConnectionId(1),
                flow: FlowId(1),
                local: net(NETS[0]),
                remote: net(NETS[1]),
            },
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
        let id = self.router().usable_sa(at(1).ip(), at(0).ip()).unwrap();
        self.router().sas[&id].live().unwrap().heard
    }

    fn said(&self, which: Bound) -> usize {
        let said =
            |event: &&Event| matches!(event, Event::BoundReached { bound, .. } if *bound == which);
        self.facts.iter().filter(said).count()
    }
}

#[test]
fn quick_modes_that_are_never_confirmed_are_bounded() {
    let mut two = Two::connected();
    for number in 0..4000 {
        let message = two.quick_mode(number);
        two.give(&message);
    }
    // One half each, and the tunnel's two.
    assert_eq!(two.halves, 128 + 2);
    assert_eq!(two.said(Bound::QuickModes), 1);
    assert_eq!(
        two.router().dropped()[&DropReason::QuickModeLimit],
        4000 - 128
    );
    assert_eq!(two.router().children.iter().count(), 128 + 1);
    // When they have been given up, the peer is let in again.
    for _ in 0..60 {
        two.pass(Duration::from_secs(1));
    }
    assert_eq!(two.halves, 2);
    let message = two.quick_mode(5000);
    two.give(&message);
    assert_eq!(two.halves, 3);
}

/// A peer that replaces its child again and again and deletes none.
#[test]
fn children_that_are_left_behind_are_bounded() {
    let mut two = Two::connected();
    for _ in 0..200 {
        let request = ChildRequest {
            connection: ConnectionId(1),
            flow: FlowId(1),
            rekeys: None,
        };
        let id = two.peers_sa();
        two.ends[0].start_quick(id, request);
        two.exchange();
        two.now = two.now + Duration::from_secs(5);
        two.ends[0].timeout(two.now);
        two.exchange();
    }
    let count = two.router().children.iter().count();
    assert!((16..=16 + 2).contains(&count), "{count} children");
    assert!(two.halves <= 2 * (16 + 2), "{}", two.halves);
    assert_eq!(two.said(Bound::ChildrenOfFlow), 1);
    let current = two
        .router()
        .children
        .iter()
        .filter(|child| child.is_current());
    assert_eq!(current.count(), 1, "the youngest serves the flow");
}

#[test]
fn isakmp_sas_of_one_peer_are_bounded() {
    let mut two = Two::connected();
    for _ in 0..600 {
        two.ends[0].start_main_mode(at(0), at(1), None, Vec::new(), None);
        two.exchange();
    }
    let live = two.router().sas.values().filter(|sa| sa.live().is_some());
    assert!(live.count() <= 16 + 1);
    assert_eq!(two.said(Bound::IkeSasOfPeer), 1);
    assert!(two.router().sas.len() <= 1024 + 17);
    assert_eq!(two.halves, 2, "the tunnel stays");
    assert!(two.router().usable_sa(at(1).ip(), at(0).ip()).is_some());
}

/// What is authentic is remembered for the life of the SA: 256 were too few.
#[test]
fn an_old_quick_mode_1_is_a_replay() {
    let mut two = Two::connected();
    let old = two.quick_mode(1);
    two.give(&old);
    for _ in 0..60 {
        two.pass(Duration::from_secs(1));
    }
    let note = Notification::new(
        crate::registry::ProtocolId::ISAKMP,
        NotifyType(40_000),
        [],
        [],
    );
    let mut others = Vec::new();
    for _ in 0..1000 {
        let message = two.authentic(
            ExchangeType::INFORMATIONAL,
            &[Payload::Notification(note.clone())],
        );
        two.give(&message);
        others.push(message);
    }
    let (heard, sent, halves) = (two.heard(), two.sent, two.halves);
    two.pass(Duration::from_secs(5));
    for message in others.iter().chain([&old]) {
        two.give(message);
    }
    assert_eq!((two.heard(), two.sent, two.halves), (heard, sent, halves));
    assert_eq!(two.router().dropped()[&DropReason::Repeat], 1001);
}

/// Our own messages that come back are not the peer's: with the hash of an informational alone they could be.
#[test]
fn reflected_messages_are_known() {
    let mut two = Two::connected();
    let id = two.router().usable_sa(at(1).ip(), at(0).ip()).unwrap();
    let mut reflected = Vec::new();
    for _ in 0..5 {
        two.ends[1].keepalive_due(id);
        while let Some(output) = two.ends[1].poll_output() {
            if let Output::Transmit { bytes, .. } = output {
                reflected.push(bytes);
            }
        }
    }
    assert_eq!(reflected.len(), 5);
    two.now = two.now + Duration::from_secs(1);
    let (heard, sent) = (two.heard(), two.sent);
    for message in &reflected {
        two.give(message);
    }
    assert_eq!((two.heard(), two.sent), (heard, sent));
}

#[test]
fn dead_peer_detection_is_a_replay_by_its_numbers() {
    let mut two = Two::connected();
    let cookies = two.ends[0].sas[&two.peers_sa()].common.cookies;
    let ask = |two: &mut Two, sequence| {
        let ask = Notification::dead_peer_detection(NotifyType::R_U_THERE, cookies, sequence);
        two.authentic(ExchangeType::INFORMATIONAL, &[Payload::Notification(ask)])
    };
    let mut questions = Vec::new();
    for sequence in 100..2100 {
        // Each is asked twice, as after a loss.
        for _ in 0..2 {
            let question = ask(&mut two, sequence);
            let sent = two.sent;
            two.give(&question);
            assert_eq!(two.sent, sent + 1, "answered");
            questions.push(question);
        }
    }
    let id = two.router().usable_sa(at(1).ip(), at(0).ip()).unwrap();
    let kept = two.router().sas[&id].live().unwrap().ids.count();
    assert!(kept < 10, "{kept} message ids kept");
    two.now = two.now + Duration::from_secs(1);
    let (heard, sent) = (two.heard(), two.sent);
    for question in &questions {
        two.give(question);
    }
    assert_eq!((two.heard(), two.sent), (heard, sent));
    let question = ask(&mut two, 5000);
    two.give(&question);
    assert_eq!(two.sent, sent + 1, "and the next one is answered");
}

#[test]
fn an_sa_with_very_many_message_ids_is_replaced() {
    let mut two = Two::connected();
    let id = two.router().usable_sa(at(1).ip(), at(0).ip()).unwrap();
    let (_, live) = two.ends[1]
        .sas
        .get_mut(&id)
        .and_then(IkeSa::live_mut)
        .unwrap();
    (1..=u32::try_from(crate::v1::message_ids::MANY).unwrap()).for_each(|id| live.ids.note(id));
    let note = Notification::new(
        crate::registry::ProtocolId::ISAKMP,
        NotifyType(40_000),
        [],
        [],
    );
    for _ in 0..3 {
        let message = two.authentic(
            ExchangeType::INFORMATIONAL,
            &[Payload::Notification(note.clone())],
        );
        two.ends[1].datagram(two.now, at(1), at(0), &message);
        two.exchange();
    }
    assert_eq!(two.said(Bound::MessageIds), 1);
    let next = two.router().usable_sa(at(1).ip(), at(0).ip()).unwrap();
    assert_ne!(next, id, "replaced before it is full");
    assert_eq!(two.halves, 2, "the tunnel stays");
    // One that is full all the same goes.
    let (_, live) = two.ends[1]
        .sas
        .get_mut(&next)
        .and_then(IkeSa::live_mut)
        .unwrap();
    (1..=u32::try_from(crate::v1::message_ids::MOST).unwrap()).for_each(|id| live.ids.note(id));
    let message = two.authentic(ExchangeType::INFORMATIONAL, &[Payload::Notification(note)]);
    two.give(&message);
    assert!(two.router().sas[&next].live().is_none());
}

/// The same SA deleted many times in one message, and payloads after a delete (CVE-2023-38712).
#[test]
fn deletes_that_repeat_themselves() {
    let mut two = Two::connected();
    let spi = two.router().children.iter().next().unwrap().sa.protocols[0].outbound_spi;
    let cookies = two.ends[0].sas[&two.peers_sa()].common.cookies;
    let child = || Payload::Delete(Delete::children(ProtocolId::ESP, &[spi, spi, spi]));
    let ike = || Payload::Delete(Delete::isakmp(cookies));
    let ask = Notification::dead_peer_detection(NotifyType::R_U_THERE, cookies, 7);
    let payloads = [
        child(),
        child(),
        ike(),
        child(),
        ike(),
        Payload::Notification(ask),
    ];
    let message = two.authentic(ExchangeType::INFORMATIONAL, &payloads);
    two.give(&message);
    two.give(&message);
    assert_eq!(two.halves, 0);
    two.pass(Duration::from_secs(5));
    assert!(two.router().sas.values().all(|sa| sa.live().is_none()));
    two.pass(Duration::from_secs(100));
    assert!(two.router().sas.is_empty());
}

/// Each bit of an authentic delete flipped: the hash is checked, nothing happens (CVE-2019-10155).
#[test]
fn a_flipped_bit_undoes_an_informational() {
    let mut two = Two::connected();
    let spi = two.router().children.iter().next().unwrap().sa.protocols[0].outbound_spi;
    let delete = Payload::Delete(Delete::children(ProtocolId::ESP, &[spi]));
    let message = two.authentic(ExchangeType::INFORMATIONAL, &[delete]);
    let heard = two.heard();
    two.now = two.now + Duration::from_secs(1);
    for bit in 0..message.len() * 8 {
        // The reserved bits of flags and version that nothing depends on are no forgery.
        let in_header = bit / 8;
        if in_header == 17 || in_header == 19 {
            continue;
        }
        let mut flipped = message.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        two.give(&flipped);
        assert_eq!((two.halves, two.heard()), (2, heard), "bit {bit}");
    }
    two.give(&message);
    assert_eq!(two.halves, 0, "the right one counts");
}

/// Quick mode 1 with each payload left out or doubled, and with each octet of its identities, proposals and nonce changed under
/// a right hash (CVE-2013-6467, CVE-2023-38711, CVE-2023-30570): never more than one half of a child for the configured flow.
#[test]
fn authentic_quick_modes_that_make_no_sense() {
    let mut two = Two::connected();
    let message = two.quick_mode(1);
    let payloads = two.open(&message);
    let mut variants = Vec::new();
    for place in 0..payloads.len() {
        let mut list = payloads.clone();
        let taken = list.remove(place);
        variants.push(list.clone());
        list.push(taken.clone());
        list.push(taken);
        variants.push(list);
    }
    let chain = Chain::encode(&payloads).unwrap();
    for place in 0..chain.bytes().len() {
        for value in [0x00, 0x01, 0x7F, 0xFF] {
            let mut bytes = chain.bytes().to_vec();
            bytes[place] ^= value;
            if let Ok(changed) = Protected::decode(chain.first(), bytes) {
                variants.push(changed.iter().cloned().collect());
            }
        }
    }
    assert!(variants.len() > 100, "{}", variants.len());
    for list in variants {
        let message = two.authentic(ExchangeType::QUICK_MODE, &list);
        two.give(&message);
        for child in two.router().children.iter() {
            let flow = (child.sa.local_selector, child.sa.remote_selector);
            assert_eq!(flow, (net(NETS[1]), net(NETS[0])));
            let [part] = &child.sa.protocols[..] else {
                panic!("other protocols")
            };
            let agreed = (part.cipher, part.integrity);
            assert_eq!(
                agreed,
                (Some(EspCipher::Aes256), Some(Integrity::HmacSha256))
            );
        }
        for _ in 0..40 {
            two.pass(Duration::from_secs(1));
        }
        assert_eq!(two.halves, 2, "what is not confirmed goes");
    }
}

/// Every ESP transform id against the configuration (CVE-2024-3652: AES-GMAC stopped pluto).
#[test]
fn every_esp_transform_id() {
    let mut two = Two::connected();
    let message = two.quick_mode(1);
    let payloads = two.open(&message);
    for id in 0..=u8::MAX {
        let mut list = payloads.clone();
        let Payload::Sa(sa) = &mut list[0] else {
            panic!("no SA payload")
        };
        let right = sa.proposals[0].transforms[0].id;
        sa.proposals[0].transforms[0].id = id;
        let message = two.authentic(ExchangeType::QUICK_MODE, &list);
        two.give(&message);
        assert_eq!(
            two.halves,
            if id == right { 3 } else { 2 },
            "transform {id}"
        );
        for _ in 0..40 {
            two.pass(Duration::from_secs(1));
        }
    }
}

/// Identities of no octet and of many, of every type, in quick mode (CVE-2025-9242, CVE-2026-47895).
#[test]
fn identities_of_every_type_and_length() {
    let mut two = Two::connected();
    let message = two.quick_mode(1);
    let payloads = two.open(&message);
    for kind in 0..=20u8 {
        for length in [0, 1, 3, 4, 8, 16, 32, 60_000] {
            let mut list = payloads.clone();
            for payload in &mut list {
                if let Payload::Identification(id) = payload {
                    *id = Identification::any(Id::Unknown {
                        kind: crate::registry::IdType(kind),
                        data: vec![0xE5; length],
                    });
                }
            }
            let message = two.authentic(ExchangeType::QUICK_MODE, &list);
            two.give(&message);
            assert_eq!(two.halves, 2, "type {kind}, {length} octets");
        }
    }
    for event in &two.facts {
        if let Event::Failed { cause, .. } = event {
            assert!(
                cause.to_string().len() < 1000,
                "{}",
                cause.to_string().len()
            );
        }
    }
}

/// Messages of every exchange before the SA is authenticated, encrypted with the right keys (CVE-2019-12312).
#[test]
fn encrypted_messages_before_the_proof_do_nothing() {
    let mut two = Two::connected();
    let cookies = Cookies {
        initiator: Cookie([3; 8]),
        responder: Cookie::ZERO,
    };
    let mut first = Vec::new();
    two.ends[0].start_main_mode(at(0), at(1), None, Vec::new(), None);
    while let Some(output) = two.ends[0].poll_output() {
        if let Output::Transmit { bytes, .. } = output {
            first = bytes;
        }
    }
    first[..8].copy_from_slice(&cookies.initiator.0);
    two.ends[1].datagram(two.now, at(1), at(0), &first);
    let mut answer = Vec::new();
    while let Some(output) = two.ends[1].poll_output() {
        if let Output::Transmit { bytes, .. } = output {
            answer = bytes;
        }
    }
    let cookies = Header::decode(&answer).unwrap().cookies;
    let before = two.router().ike_sas(two.now);
    for exchange in 0..=u8::MAX {
        for first in [PayloadType::HASH, PayloadType::SA, PayloadType::NONE] {
            let header = Header::v1(cookies, ExchangeType(exchange), 77);
            let bytes = crate::wire::v1::message_with_ciphertext(header, first, &[0xAA; 64]);
            two.give(&bytes);
        }
    }
    assert_eq!(two.router().ike_sas(two.now), before);
    assert_eq!(two.halves, 2);
}

/// Ten thousand deleted SAs are not all shown.
#[test]
fn what_is_shown_of_deleted_sas_is_bounded() {
    let mut two = Two::connected();
    for _ in 0..2000 {
        two.ends[0].start_main_mode(at(0), at(1), None, Vec::new(), None);
        two.exchange();
    }
    assert!(two.router().sas.len() <= 1024 + 20);
    two.pass(Duration::from_secs(120));
    let shown = two.router().ike_sas(two.now);
    assert!(shown.iter().filter(|sa| sa.deleted).count() <= 20);
}

/// A peer that deletes every ISAKMP SA and refuses every child, for hours.
#[test]
fn a_child_that_is_lost_very_often_is_counted_to_the_end() {
    let mut two = Two::connected();
    let sa = two.router().usable_sa(at(1).ip(), at(0).ip()).unwrap();
    let child = two.router().children.iter().next().unwrap().sa.id;
    for _ in 0..300 {
        two.ends[1].doubt_children(sa);
        two.now = two.now + Duration::from_secs(60);
        two.ends[1].traffic(two.now, child, crate::output::Traffic::default());
    }
    let losses = two.router().children.get(child).map(|child| child.losses);
    assert_eq!(losses, Some(u8::MAX));
}
