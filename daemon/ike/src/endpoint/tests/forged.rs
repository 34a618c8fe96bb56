//! Messages forged with the right keys.

use super::*;
use crate::registry::ProtocolId;

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
    two.ends[0].start_main_mode((at(0), at(1), None), None, Vec::new(), None);
    while let Some(output) = next_output(&mut two.ends[0], two.now) {
        if let Output::Transmit { bytes, .. } = output {
            first = bytes;
        }
    }
    first[..8].copy_from_slice(&cookies.initiator.0);
    two.ends[1].datagram(two.now, at(1), at(0), &first);
    let mut answer = Vec::new();
    while let Some(output) = next_output(&mut two.ends[1], two.now) {
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
