//! Messages built by another program, byte by byte from the RFCs (they are files of the fuzz corpus), and what is in
//! them.

use super::super::*;
use crate::registry::*;
use crate::wire::{Cookie, Cookies};

macro_rules! corpus {
    ($path:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/", $path))
    };
}

fn cookies() -> Cookies {
    Cookies {
        initiator: Cookie(0x1122_3344_5566_7788_u64.to_be_bytes()),
        responder: Cookie(0x99aa_bbcc_ddee_ff00_u64.to_be_bytes()),
    }
}

fn clear(bytes: &[u8]) -> (Header, Unprotected) {
    match Message::decode(bytes).unwrap() {
        Message {
            header,
            body: Body::Clear(payloads),
        } => (header, payloads),
        Message {
            body: Body::Encrypted(_),
            ..
        } => panic!("encrypted"),
    }
}

fn protected(bytes: &[u8]) -> Protected {
    Protected::decode(PayloadType(bytes[0]), bytes[1..].to_vec()).unwrap()
}

fn aes_transform() -> Transform {
    Transform {
        number: 1,
        id: IsakmpTransformId::KEY_IKE.0,
        attributes: vec![
            Attribute::basic(IkeAttribute::ENCRYPTION.0, EncryptionAlgorithm::AES_CBC.0),
            Attribute::basic(IkeAttribute::KEY_LENGTH.0, 256),
            Attribute::basic(IkeAttribute::HASH.0, HashAlgorithm::SHA2_256.0),
            Attribute::basic(IkeAttribute::GROUP.0, GroupNumber::MODP_2048.0),
            Attribute::basic(
                IkeAttribute::AUTHENTICATION.0,
                AuthenticationMethod::PRE_SHARED_KEY.0,
            ),
            Attribute::basic(IkeAttribute::LIFE_TYPE.0, LifeType::SECONDS.0),
            Attribute::number(IkeAttribute::LIFE_DURATION.0, 86_400),
        ],
    }
}

#[test]
fn first_message_of_main_mode() {
    let bytes = corpus!("message/main-mode-1");
    let (header, payloads) = clear(bytes);
    assert_eq!(
        header.cookies,
        Cookies {
            responder: Cookie::ZERO,
            ..cookies()
        }
    );
    assert_eq!(header.exchange, ExchangeType::IDENTITY_PROTECTION);
    assert_eq!(
        (header.message_id, header.length as usize),
        (0, bytes.len())
    );
    let sa = payloads.sa().unwrap();
    assert_eq!((sa.doi, sa.situation), (Doi::IPSEC, SIT_IDENTITY_ONLY));
    let [
        Proposal {
            number: 1,
            protocol: ProtocolId::ISAKMP,
            spi,
            transforms,
        },
    ] = &sa.proposals[..]
    else {
        panic!("{sa:?}")
    };
    assert!(spi.is_empty());
    assert_eq!(transforms[0], aes_transform());
    let life = transforms[1]
        .attribute(IkeAttribute::LIFE_DURATION.0)
        .unwrap();
    assert_eq!(life.as_number(), Some(86_400));
    assert_eq!(payloads.vendor_ids().count(), 2);
    // SAi_b: from the DOI to the end of the last transform.
    let body = payloads.body_of(PayloadType::SA).unwrap();
    assert_eq!(body, &bytes[32..32 + body.len()]);
    assert_eq!(body, Payload::Sa(sa.clone()).body().unwrap());
}

#[test]
fn our_own_first_answer_is_the_same_bytes() {
    let sa = SecurityAssociation::new(vec![Proposal {
        number: 1,
        protocol: ProtocolId::ISAKMP,
        spi: Vec::new(),
        transforms: vec![aes_transform()],
    }]);
    let dpd = 0xafca_d713_68a1_f1c9_6b86_96fc_7757_0100_u128
        .to_be_bytes()
        .to_vec();
    let chain = Chain::encode(&[Payload::Sa(sa), Payload::VendorId(dpd)]).unwrap();
    let header = Header::v1(cookies(), ExchangeType::IDENTITY_PROTECTION, 0);
    assert_eq!(chain.into_clear(header), corpus!("message/main-mode-2"));
}

#[test]
fn key_exchange_messages() {
    let (_, payloads) = clear(corpus!("message/main-mode-3"));
    assert_eq!(payloads.key_exchange(), Some(&[0xa1; 96][..]));
    assert_eq!(payloads.nonce(), Some(&(0..20).collect::<Vec<u8>>()[..]));
    assert_eq!(payloads.count(PayloadType::NAT_D), 2);
    let (_, payloads) = clear(corpus!("message/main-mode-4-certreq"));
    assert!(
        matches!(payloads.iter().nth(3), Some(Payload::NatD { draft: true, hash }) if hash.len() == 16)
    );
    let Some(Payload::CertificateRequest {
        encoding,
        authority,
    }) = payloads.iter().nth(2)
    else {
        panic!()
    };
    assert_eq!(
        (*encoding, &authority[..]),
        (CertificateEncoding::X509_SIGNATURE, &b"0\x0b1\x09"[..])
    );
}

#[test]
fn an_encrypted_message_keeps_its_ciphertext() {
    let message = Message::decode(corpus!("message/quick-mode-encrypted")).unwrap();
    assert_eq!(
        (message.header.exchange, message.header.message_id),
        (ExchangeType::QUICK_MODE, 0xdead_beef)
    );
    let Body::Encrypted(ciphertext) = &message.body else {
        panic!("clear")
    };
    assert_eq!(
        (ciphertext.first, &ciphertext.bytes[..]),
        (PayloadType::HASH, &[0; 160][..])
    );
    let again = message_with_ciphertext(
        Header::v1(cookies(), ExchangeType::QUICK_MODE, 0xdead_beef),
        ciphertext.first,
        &ciphertext.bytes,
    );
    assert_eq!(again, corpus!("message/quick-mode-encrypted"));
}

#[test]
fn identity_and_hash_of_main_mode() {
    let bytes = corpus!("payloads/main-mode-5");
    let payloads = protected(bytes);
    let id = payloads.identities().next().unwrap();
    assert_eq!(
        (id.protocol, id.port, &id.id),
        (17, 500, &Id::Ipv4([192, 0, 2, 1].into()))
    );
    assert_eq!(
        payloads.body_of(PayloadType::IDENTIFICATION),
        Some(&[1, 17, 1, 0xf4, 192, 0, 2, 1][..])
    );
    assert_eq!(payloads.hash().map(<[u8]>::len), Some(32));
    let notification = payloads.notifications().next().unwrap();
    assert_eq!(
        (notification.kind, &notification.spi[..]),
        (NotifyType::INITIAL_CONTACT, &cookies().bytes()[..])
    );
    assert_eq!(payloads.hashed(), None);
}

#[test]
fn quick_mode_and_what_its_hash_covers() {
    let bytes = &corpus!("payloads/quick-mode-1")[1..];
    let payloads = protected(corpus!("payloads/quick-mode-1"));
    let (hash, covered) = payloads.hashed().unwrap();
    assert_eq!(hash.len(), 32);
    assert_eq!(covered, &bytes[36..bytes.len() - 9]);
    let sa = payloads.sa().unwrap();
    let offers: Vec<_> = sa
        .proposals
        .iter()
        .map(|p| (p.number, p.protocol, p.transforms.len()))
        .collect();
    assert_eq!(
        offers,
        [
            (1, ProtocolId::ESP, 2),
            (2, ProtocolId::AH, 1),
            (2, ProtocolId::ESP, 1)
        ]
    );
    assert_eq!(sa.proposals[0].spi, [0xca, 0xfe, 0xba, 0xbe]);
    let subnets: Vec<_> = payloads.identities().map(|id| id.id.to_string()).collect();
    assert_eq!(subnets, ["10.1.0.0/255.255.0.0", "10.2.0.0/255.255.0.0"]);
    assert!(matches!(
        payloads.iter().last(),
        Some(Payload::NatOa { draft: false, .. })
    ));
}

#[test]
fn lifetime_of_the_responder() {
    let payloads = protected(corpus!("payloads/quick-mode-2-lifetime"));
    let [lifetime, replay] = &payloads.notifications().collect::<Vec<_>>()[..] else {
        panic!()
    };
    assert_eq!(
        lifetime.attributes().unwrap(),
        [
            Attribute::basic(IpsecAttribute::LIFE_TYPE.0, LifeType::SECONDS.0),
            Attribute::variable(IpsecAttribute::LIFE_DURATION.0, 1800_u32.to_be_bytes()),
        ]
    );
    assert_eq!(lifetime.attributes().unwrap()[1].as_number(), Some(1800));
    assert_eq!(
        (replay.kind, replay.number()),
        (NotifyType::REPLAY_STATUS, Ok(1))
    );
}

#[test]
fn dead_peer_detection() {
    let payloads = protected(corpus!("payloads/dpd-r-u-there"));
    let there = payloads.notifications().next().unwrap();
    assert_eq!(
        *there,
        Notification::dead_peer_detection(NotifyType::R_U_THERE, cookies(), 77)
    );
    assert_eq!(there.number(), Ok(77));
}

#[test]
fn deletes() {
    let payloads = protected(corpus!("payloads/delete-esp"));
    let delete = payloads.deletes().next().unwrap();
    assert_eq!(
        *delete,
        Delete::children(ProtocolId::ESP, &[0xcafe_babe, 256])
    );
    assert_eq!(
        delete.spis().collect::<Vec<_>>(),
        [[0xca, 0xfe, 0xba, 0xbe], [0, 0, 1, 0]]
    );
    let payloads = protected(corpus!("payloads/delete-isakmp"));
    assert_eq!(payloads.deletes().next(), Some(&Delete::isakmp(cookies())));
}

#[test]
fn every_identity_type() {
    let payloads = protected(corpus!("payloads/ids"));
    let shown: Vec<_> = payloads
        .identities()
        .map(|id| format!("{} {}", id.id.kind(), id.id))
        .collect();
    assert_eq!(
        shown,
        [
            "ID_IPV4_ADDR 10.0.0.1",
            "ID_USER_FQDN user@example.net",
            "ID_IPV4_ADDR_SUBNET 10.0.0.0/255.0.0.0",
            "ID_IPV6_ADDR 2001::",
            "ID_IPV6_ADDR_SUBNET 2001::/ffff:ffff:ffff::",
            "ID_IPV4_ADDR_RANGE 10.0.0.1-10.0.0.9",
            "ID_IPV6_ADDR_RANGE 2001::-::",
            "ID_DER_ASN1_GN 82",
            "ID_KEY_ID group",
            "ID type 99 3F",
        ]
    );
    assert!(
        payloads
            .identities()
            .all(|id| (id.protocol, id.port) == (6, 80))
    );
}

#[test]
fn a_situation_or_doi_not_understood_keeps_its_bytes() {
    let (_, payloads) = clear(corpus!("message/doi-not-ipsec"));
    let sa = payloads.sa().unwrap();
    assert!(sa.doi == Doi::ISAKMP && sa.proposals.is_empty() && !sa.uninterpreted.is_empty());
    let (_, payloads) = clear(corpus!("message/situation-secrecy"));
    let sa = payloads.sa().unwrap();
    assert!(sa.situation == 2 && sa.proposals.is_empty() && !sa.uninterpreted.is_empty());
}

#[test]
fn numbers_in_either_form() {
    let number = |bytes: &[u8]| Attribute::variable(1, bytes).as_number();
    assert_eq!(Attribute::basic(1, 3600).as_number(), Some(3600));
    assert_eq!(number(&[0, 0, 0x0e, 0x10]), Some(3600));
    assert_eq!(number(&[&[0; 12][..], &[0xff; 8]].concat()), Some(u64::MAX));
    assert_eq!(number(&[1; 9]), None);
    assert_eq!(number(&[]), None);
}
