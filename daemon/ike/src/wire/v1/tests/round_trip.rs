//! Generated payloads survive encoding and decoding; arbitrary and damaged bytes never panic a decoder.

use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::*;
use crate::registry::*;
use crate::wire::{Cookie, Cookies};

fn bytes(range: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), range)
}

fn attribute() -> impl Strategy<Value = Attribute> {
    prop_oneof![
        (0u16..0x8000, any::<u16>()).prop_map(|(class, value)| Attribute::basic(class, value)),
        (0u16..0x8000, bytes(0..40)).prop_map(|(class, value)| Attribute::variable(class, value)),
    ]
}

fn transform() -> impl Strategy<Value = Transform> {
    (any::<u8>(), any::<u8>(), vec(attribute(), 0..8)).prop_map(|(number, id, attributes)| {
        Transform {
            number,
            id,
            attributes,
        }
    })
}

fn proposal() -> impl Strategy<Value = Proposal> {
    (
        any::<u8>(),
        any::<u8>(),
        bytes(0..20),
        vec(transform(), 1..6),
    )
        .prop_map(|(number, protocol, spi, transforms)| Proposal {
            number,
            protocol: ProtocolId(protocol),
            spi,
            transforms,
        })
}

fn id() -> impl Strategy<Value = Id> {
    let v4 = || any::<u32>().prop_map(Ipv4Addr::from);
    let v6 = || any::<u128>().prop_map(Ipv6Addr::from);
    prop_oneof![
        v4().prop_map(Id::Ipv4),
        ".{0,40}".prop_map(Id::Fqdn),
        ".{0,40}".prop_map(Id::UserFqdn),
        (v4(), v4()).prop_map(|(address, mask)| Id::Ipv4Subnet { address, mask }),
        v6().prop_map(Id::Ipv6),
        (v6(), v6()).prop_map(|(address, mask)| Id::Ipv6Subnet { address, mask }),
        (v4(), v4()).prop_map(|(first, last)| Id::Ipv4Range { first, last }),
        (v6(), v6()).prop_map(|(first, last)| Id::Ipv6Range { first, last }),
        bytes(0..80).prop_map(Id::DerAsn1Dn),
        bytes(0..80).prop_map(Id::DerAsn1Gn),
        bytes(0..80).prop_map(Id::KeyId),
        (12u8.., bytes(0..80)).prop_map(|(kind, data)| Id::Unknown {
            kind: IdType(kind),
            data
        }),
    ]
}

fn identification() -> impl Strategy<Value = Identification> {
    (any::<u8>(), any::<u16>(), id()).prop_map(|(protocol, port, id)| Identification {
        protocol,
        port,
        id,
    })
}

fn notification() -> impl Strategy<Value = Notification> {
    (
        any::<u32>(),
        any::<u8>(),
        any::<u16>(),
        bytes(0..20),
        bytes(0..60),
    )
        .prop_map(|(doi, protocol, kind, spi, data)| Notification {
            doi: Doi(doi),
            protocol: ProtocolId(protocol),
            kind: NotifyType(kind),
            spi,
            data,
        })
}

fn cookies() -> impl Strategy<Value = Cookies> {
    (1u64.., any::<u64>()).prop_map(|(initiator, responder)| Cookies {
        initiator: Cookie(initiator.to_be_bytes()),
        responder: Cookie(responder.to_be_bytes()),
    })
}

fn payload() -> impl Strategy<Value = Payload> {
    let sa = vec(proposal(), 1..5)
        .prop_map(|proposals| Payload::Sa(SecurityAssociation::new(proposals)));
    let other_sa = (2u32.., bytes(0..40)).prop_map(|(doi, uninterpreted)| {
        Payload::Sa(SecurityAssociation {
            doi: Doi(doi),
            situation: 0,
            proposals: Vec::new(),
            uninterpreted,
        })
    });
    let encoding = || any::<u8>().prop_map(CertificateEncoding);
    let delete = prop_oneof![
        vec(any::<u32>(), 0..9).prop_map(|spis| Delete::children(ProtocolId::ESP, &spis)),
        cookies().prop_map(Delete::isakmp),
    ];
    let config = (any::<u8>(), any::<u16>(), vec(attribute(), 0..9)).prop_map(
        |(kind, identifier, attributes)| ConfigAttributes {
            kind,
            identifier,
            attributes,
        },
    );
    prop_oneof![
        sa,
        other_sa,
        bytes(1..300).prop_map(Payload::KeyExchange),
        identification().prop_map(Payload::Identification),
        (encoding(), bytes(0..99))
            .prop_map(|(encoding, data)| Payload::Certificate { encoding, data }),
        (encoding(), bytes(0..99)).prop_map(|(encoding, authority)| Payload::CertificateRequest {
            encoding,
            authority
        }),
        bytes(1..65).prop_map(Payload::Hash),
        bytes(1..99).prop_map(Payload::Signature),
        bytes(8..257).prop_map(Payload::Nonce),
        notification().prop_map(Payload::Notification),
        delete.prop_map(Payload::Delete),
        bytes(0..50).prop_map(Payload::VendorId),
        config.prop_map(Payload::Attribute),
        (any::<bool>(), bytes(1..65)).prop_map(|(draft, hash)| Payload::NatD { draft, hash }),
        (any::<bool>(), identification())
            .prop_map(|(draft, address)| Payload::NatOa { draft, address }),
        (132u8.., bytes(0..50)).prop_map(|(kind, body)| Payload::Unknown {
            kind: PayloadType(kind),
            body
        }),
    ]
}

fn message() -> impl Strategy<Value = (Header, Vec<Payload>)> {
    let header =
        (cookies(), any::<u8>(), any::<u32>()).prop_map(|(cookies, exchange, message_id)| {
            Header::v1(cookies, ExchangeType(exchange), message_id)
        });
    (header, vec(payload(), 0..8))
}

proptest! {
    #[test]
    fn clear_messages((header, payloads) in message()) {
        let chain = Chain::encode(&payloads).unwrap();
        let covered = chain.bytes().to_vec();
        let bytes = chain.into_clear(header);
        let decoded = Message::decode(&bytes).unwrap();
        prop_assert_eq!(decoded.header.length as usize, bytes.len());
        prop_assert_eq!((decoded.header.cookies, decoded.header.exchange), (header.cookies, header.exchange));
        let Body::Clear(decoded) = decoded.body else { panic!("encrypted") };
        prop_assert!(decoded.iter().eq(&payloads));
        prop_assert_eq!(&bytes[28..], covered);
        for payload in &payloads {
            let first = payloads.iter().find(|other| other.kind() == payload.kind()).unwrap();
            prop_assert_eq!(decoded.body_of(payload.kind()), Some(&first.body().unwrap()[..]));
        }
    }

    #[test]
    fn protected_payloads_and_their_hash(payloads in vec(payload(), 0..8), hash in bytes(1..65), padding in 0usize..16) {
        let chain = Chain::encode(&payloads).unwrap();
        let covered = chain.bytes().to_vec();
        let chain = chain.prepend(&Payload::Hash(hash.clone())).unwrap();
        let first = chain.first();
        let mut plain = chain.into_bytes();
        plain.resize(plain.len() + padding, 0);
        let decoded = Protected::decode(first, plain).unwrap();
        prop_assert_eq!(decoded.hashed(), Some((&hash[..], &covered[..])));
        prop_assert!(decoded.iter().skip(1).eq(&payloads));
    }

    #[test]
    fn arbitrary_bytes_never_panic(first in any::<u8>(), data in bytes(0..600)) {
        let _ = Message::decode(&data);
        let _ = Protected::decode(PayloadType(first), data);
    }

    #[test]
    fn damaged_messages_never_panic((header, payloads) in message(), at in any::<prop::sample::Index>(), to in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = Chain::encode(&payloads).unwrap().into_clear(header);
        let at = at.index(bytes.len());
        bytes[at] = to;
        let _ = Message::decode(&bytes);
        // Cut short, with a length field that says so.
        bytes.truncate(cut.index(bytes.len()));
        if bytes.len() >= HEADER_LENGTH {
            let length = (bytes.len() as u32).to_be_bytes();
            bytes[24..28].copy_from_slice(&length);
        }
        let _ = Message::decode(&bytes);
    }
}
