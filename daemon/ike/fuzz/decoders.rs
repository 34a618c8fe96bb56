//! What every fuzz target checks of the bytes it is given: no panic, and decoding what was decoded and encoded again
//! gives the same. Shared by the targets beside it and by `tests/corpus.rs`, which runs the corpus on stable Rust.
//! Each function says whether the bytes were well-formed.

use ike::registry::{Doi, NotifyType, PayloadType, ProtocolId};
use ike::wire::v1::{Body, Chain, Message, Notification, Payload, Payloads, Protected};
use ike::wire::{Header, Malformed};

/// A datagram from port 500.
pub fn message(bytes: &[u8]) -> Result<(), Malformed> {
    let message = Message::decode(bytes)?;
    assert_eq!(Header::decode(bytes)?, message.header);
    if let Body::Clear(payloads) = message.body {
        let again = encode(&payloads).into_clear(message.header);
        let again = Message::decode(&again).expect("encoded by us");
        let Body::Clear(again) = again.body else {
            panic!("clear became encrypted")
        };
        same(&payloads, &again);
    }
    Ok(())
}

/// Decrypted payloads; the first byte is the type of the first one.
pub fn payloads(bytes: &[u8]) -> Result<(), Malformed> {
    let Some((first, plain)) = bytes.split_first() else {
        return Ok(());
    };
    let payloads = Protected::decode(PayloadType(*first), plain.to_vec())?;
    if let Some((hash, covered)) = payloads.hashed() {
        assert!(!hash.is_empty() && covered.len() < plain.len());
    }
    let chain = encode(&payloads);
    let again = Protected::decode(chain.first(), chain.into_bytes()).expect("encoded by us");
    same(&payloads, &again);
    Ok(())
}

/// Data of a notification.
pub fn notification(bytes: &[u8]) -> Result<(), Malformed> {
    let notification = Notification {
        doi: Doi::IPSEC,
        protocol: ProtocolId::ISAKMP,
        kind: NotifyType::RESPONDER_LIFETIME,
        spi: Vec::new(),
        data: bytes.to_vec(),
    };
    let number = notification.number();
    if let Ok(number) = number {
        assert_eq!(number.to_be_bytes(), bytes);
    }
    let attributes = match notification.attributes() {
        Ok(attributes) => attributes,
        Err(error) => return number.map(drop).map_err(|_| error),
    };
    for attribute in &attributes {
        attribute.as_number();
    }
    assert_eq!(
        Notification::lifetime_data(&attributes).expect("it came in 16 bits"),
        bytes
    );
    Ok(())
}

fn encode(payloads: &Payloads) -> Chain {
    let list: Vec<Payload> = payloads.iter().cloned().collect();
    for payload in &list {
        if let Payload::Identification(identification) = payload {
            // What a peer sends reaches the console: it must not carry control characters there.
            assert!(!identification.id.to_string().contains(char::is_control));
        }
    }
    Chain::encode(&list).expect("it came in 16 bits")
}

fn same(one: &Payloads, other: &Payloads) {
    assert!(one.iter().eq(other.iter()));
}
