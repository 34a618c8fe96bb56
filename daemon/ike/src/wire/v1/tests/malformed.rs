//! Broken messages, and that the error names the field, its place, what was expected and what came.

use super::super::*;
use crate::registry::{NotifyType, PayloadType, ProtocolId};

macro_rules! corpus {
    ($path:literal) => {
        &include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/", $path))[..]
    };
}

#[test]
fn messages() {
    for (bytes, expected) in [
        (
            corpus!("message/bad-empty"),
            "malformed initiator cookie at offset 0: expected at least 8, got 0",
        ),
        (
            corpus!("message/bad-27-bytes"),
            "malformed message length at offset 24: expected at least 4, got 3",
        ),
        (
            corpus!("message/bad-length-too-small"),
            "malformed message length at offset 24: expected 52, got 20",
        ),
        (
            corpus!("message/bad-length-too-large"),
            "malformed message length at offset 24: expected 52, got 9999",
        ),
        (
            corpus!("message/bad-cookie-zero"),
            "malformed initiator cookie at offset 0: expected a value other than zero, got 0",
        ),
        (
            corpus!("message/bad-version-3"),
            "malformed major version at offset 17: expected 1, got 3",
        ),
        (
            corpus!("message/ikev2-sa-init"),
            "malformed major version at offset 17: expected 1, got 2",
        ),
        (
            corpus!("message/bad-encrypted-empty"),
            "malformed encrypted part at offset 28: expected at least 1, got 0",
        ),
        (
            corpus!("message/bad-payload-length-3"),
            "malformed length of a payload at offset 30: expected at least 4, got 3",
        ),
        (
            corpus!("message/bad-payload-length-past-end"),
            "malformed payload at offset 32: expected at least 496, got 20",
        ),
        (
            corpus!("message/bad-reserved"),
            "malformed reserved field of a payload header at offset 29: expected 0, got 1",
        ),
        (
            corpus!("message/bad-next-without-payload"),
            "malformed payload at offset 52: expected at least 1, got 0",
        ),
        (
            corpus!("message/bad-65-payloads"),
            "malformed payload count at offset 348: expected at most 64, got 65",
        ),
        (
            corpus!("message/bad-trailing-bytes"),
            "malformed bytes after the last payload at offset 52: expected at most 3, got 8",
        ),
        (
            corpus!("message/bad-65-proposals"),
            "malformed proposal count at offset 1320: expected at most 64, got 65",
        ),
        (
            corpus!("message/bad-65-attributes"),
            "malformed attribute count at offset 312: expected at most 64, got 65",
        ),
        (
            corpus!("message/bad-proposal-no-transforms"),
            "malformed proposal: number of transforms at offset 47: expected at least 1, got 0",
        ),
        (
            corpus!("message/bad-transform-count"),
            "malformed transform: next payload at offset 48: expected 3, got 0",
        ),
        (
            corpus!("message/bad-attribute-past-end"),
            "malformed attribute value at offset 60: expected at least 40, got 0",
        ),
        (
            corpus!("message/bad-nonce-7"),
            "malformed length of the nonce at offset 32: expected at least 8, got 7",
        ),
        (
            corpus!("message/bad-nonce-257"),
            "malformed length of the nonce at offset 32: expected at most 256, got 257",
        ),
    ] {
        let error = Message::decode(bytes).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}\n{expected}");
    }
}

#[test]
fn payloads() {
    for (bytes, expected) in [
        (
            corpus!("payloads/bad-delete-count"),
            "malformed delete: SPIs at offset 12: expected at least 8, got 4",
        ),
        (
            corpus!("payloads/bad-delete-extra"),
            "malformed delete at offset 16: expected no bytes after the last field, got 4",
        ),
        (
            corpus!("payloads/bad-delete-spi-size-0"),
            "malformed delete: SPI size at offset 9: expected at least 1, got 0",
        ),
        (
            corpus!("payloads/bad-id-short"),
            "malformed ID payload: port at offset 6: expected at least 2, got 1",
        ),
        (
            corpus!("payloads/bad-id-ipv4-3-bytes"),
            "malformed ID payload: identification data at offset 8: expected at least 4, got 3",
        ),
        (
            corpus!("payloads/bad-id-ipv4-5-bytes"),
            "malformed ID payload: identification data at offset 12: expected no bytes after the last field, got 1",
        ),
        (
            corpus!("payloads/bad-id-fqdn-not-text"),
            "malformed ID payload: name at offset 10: expected text, got 255",
        ),
        (
            corpus!("payloads/bad-notify-spi-past-end"),
            "malformed notification: SPI at offset 12: expected at least 200, got 3",
        ),
        (
            corpus!("payloads/bad-notify-short"),
            "malformed notification: SPI size at offset 9: expected at least 1, got 0",
        ),
        (
            corpus!("payloads/bad-empty-ke"),
            "malformed KE payload at offset 4: expected at least 1, got 0",
        ),
        (
            corpus!("payloads/bad-empty-hash"),
            "malformed HASH payload at offset 4: expected at least 1, got 0",
        ),
        (
            corpus!("payloads/bad-empty-sig"),
            "malformed SIG payload at offset 4: expected at least 1, got 0",
        ),
        (
            corpus!("payloads/bad-empty-nat-d"),
            "malformed NAT-D payload at offset 4: expected at least 1, got 0",
        ),
        (
            corpus!("payloads/bad-empty-cert"),
            "malformed CERT payload: encoding at offset 4: expected at least 1, got 0",
        ),
        (
            corpus!("payloads/bad-empty-certreq"),
            "malformed CERTREQ payload: encoding at offset 4: expected at least 1, got 0",
        ),
        (
            corpus!("payloads/bad-empty-sa"),
            "malformed SA payload: DOI at offset 4: expected at least 4, got 0",
        ),
        (
            corpus!("payloads/bad-attribute-short"),
            "malformed attribute payload: identifier at offset 6: expected at least 2, got 0",
        ),
    ] {
        let error = Protected::decode(PayloadType(bytes[0]), bytes[1..].to_vec())
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(expected), "{error}\n{expected}");
    }
}

#[test]
fn what_does_not_fit_its_length_field_is_not_encoded() {
    let long = vec![0; 65_536];
    assert!(Chain::encode(&[Payload::VendorId(long.clone())]).is_err());
    assert!(Chain::encode(&[Payload::VendorId(vec![0; 65_531])]).is_ok());
    assert!(Notification::lifetime_data(&[Attribute::variable(1, long)]).is_err());
    let notification =
        Notification::new(ProtocolId::ESP, NotifyType::INVALID_SPI, vec![0; 256], []);
    let error = Chain::encode(&[Payload::Notification(notification)])
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "SPI of a notification of 256 bytes does not fit its length field (at most 255)"
    );
    let transform = Transform {
        number: 1,
        id: 1,
        attributes: Vec::new(),
    };
    let proposal = Proposal {
        number: 1,
        protocol: ProtocolId::ESP,
        spi: vec![0; 4],
        transforms: vec![transform; 256],
    };
    assert!(Chain::encode(&[Payload::Sa(SecurityAssociation::new(vec![proposal]))]).is_err());
}
