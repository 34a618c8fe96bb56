//! Payload chains: received ones with the bytes they came as, and ours on the way out.

use std::ops::{Deref, Range};

use super::sa::{sub_payload, with_header};
use super::{Delete, Identification, MAX_PAYLOADS, Notification, Payload, SecurityAssociation};
use crate::registry::PayloadType;
use crate::wire::{Expected, Flags, HEADER_LENGTH, Header, Malformed, Reader, TooLong};

/// Bytes that may follow the last payload of a clear message, to align it to 4 octets (RFC 2408 3.6).
const MAX_CLEAR_PADDING: usize = 3;

/// Received payloads, with the bytes they were decoded from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payloads {
    bytes: Vec<u8>,
    items: Vec<Item>,
    end: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    payload: Payload,
    body: Range<usize>,
}

/// Payloads that came in clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unprotected(Payloads);

/// Payloads that came encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protected(Payloads);

impl Deref for Unprotected {
    type Target = Payloads;
    fn deref(&self) -> &Payloads {
        &self.0
    }
}

impl Deref for Protected {
    type Target = Payloads;
    fn deref(&self) -> &Payloads {
        &self.0
    }
}

impl Unprotected {
    pub(super) fn decode(first: PayloadType, bytes: Vec<u8>) -> Result<Self, Malformed> {
        let payloads = Payloads::decode(first, bytes, HEADER_LENGTH)?;
        let padding = payloads.bytes.len() - payloads.end;
        if padding > MAX_CLEAR_PADDING {
            return Err(Malformed {
                what: "bytes after the last payload",
                offset: HEADER_LENGTH + payloads.end,
                expected: Expected::AtMost(MAX_CLEAR_PADDING),
                got: padding,
            });
        }
        Ok(Self(payloads))
    }
}

impl Protected {
    /// Decodes decrypted payloads; what follows the last one is padding and is not looked at.
    ///
    /// # Errors
    /// [`Malformed`], which is also what a wrong key gives.
    pub fn decode(first: PayloadType, plain: Vec<u8>) -> Result<Self, Malformed> {
        Payloads::decode(first, plain, 0).map(Self)
    }

    /// The value of the leading HASH payload and the exact bytes it covers: every payload after it with their
    /// headers, without the padding (RFC 2409 5.5). `None` if the first payload is not a hash.
    pub fn hashed(&self) -> Option<(&[u8], &[u8])> {
        match self.items.first()? {
            Item {
                payload: Payload::Hash(hash),
                body,
            } => Some((hash, &self.bytes[body.end..self.end])),
            _ => None,
        }
    }
}

impl Payloads {
    fn decode(first: PayloadType, bytes: Vec<u8>, base: usize) -> Result<Self, Malformed> {
        let mut reader = Reader::new(&bytes);
        let mut items = Vec::new();
        let mut kind = first;
        let shift = |error: Malformed| Malformed {
            offset: error.offset + base,
            ..error
        };
        while kind != PayloadType::NONE {
            if items.len() == MAX_PAYLOADS {
                let expected = Expected::AtMost(MAX_PAYLOADS);
                return Err(shift(reader.malformed(
                    0,
                    "payload count",
                    expected,
                    MAX_PAYLOADS + 1,
                )));
            }
            let (next, mut body) = sub_payload(&mut reader, "payload").map_err(shift)?;
            let range = body.offset()..reader.offset();
            let payload = Payload::decode(kind, &mut body).map_err(shift)?;
            items.push(Item {
                payload,
                body: range,
            });
            kind = next;
        }
        let end = reader.offset();
        Ok(Self { bytes, items, end })
    }

    /// The payloads in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Payload> {
        self.items.iter().map(|item| &item.payload)
    }

    /// Number of payloads.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Received bytes of the body (without the generic header) of the first payload of a type: SAi_b, IDii_b, Ni_b.
    pub fn body_of(&self, kind: PayloadType) -> Option<&[u8]> {
        let item = self.items.iter().find(|item| item.payload.kind() == kind)?;
        Some(&self.bytes[item.body.clone()])
    }

    /// Number of payloads of a type.
    pub fn count(&self, kind: PayloadType) -> usize {
        self.iter().filter(|payload| payload.kind() == kind).count()
    }

    /// The first SA payload.
    pub fn sa(&self) -> Option<&SecurityAssociation> {
        self.iter().find_map(|payload| match payload {
            Payload::Sa(sa) => Some(sa),
            _ => None,
        })
    }

    /// The first KE payload's public value.
    pub fn key_exchange(&self) -> Option<&[u8]> {
        self.iter().find_map(|payload| match payload {
            Payload::KeyExchange(public) => Some(&public[..]),
            _ => None,
        })
    }

    /// The first nonce.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.iter().find_map(|payload| match payload {
            Payload::Nonce(nonce) => Some(&nonce[..]),
            _ => None,
        })
    }

    /// The first hash.
    pub fn hash(&self) -> Option<&[u8]> {
        self.iter().find_map(|payload| match payload {
            Payload::Hash(hash) => Some(&hash[..]),
            _ => None,
        })
    }

    /// The identities in order: one in phase 1, IDci and IDcr in phase 2.
    pub fn identities(&self) -> impl Iterator<Item = &Identification> {
        self.iter().filter_map(|payload| match payload {
            Payload::Identification(id) => Some(id),
            _ => None,
        })
    }

    /// The notifications in order.
    pub fn notifications(&self) -> impl Iterator<Item = &Notification> {
        self.iter().filter_map(|payload| match payload {
            Payload::Notification(notification) => Some(notification),
            _ => None,
        })
    }

    /// The deletes in order.
    pub fn deletes(&self) -> impl Iterator<Item = &Delete> {
        self.iter().filter_map(|payload| match payload {
            Payload::Delete(delete) => Some(delete),
            _ => None,
        })
    }

    /// The vendor IDs in order.
    pub fn vendor_ids(&self) -> impl Iterator<Item = &[u8]> {
        self.iter().filter_map(|payload| match payload {
            Payload::VendorId(id) => Some(&id[..]),
            _ => None,
        })
    }
}

/// Payloads on the way out: the bytes of a chain and the type of its first payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    first: PayloadType,
    bytes: Vec<u8>,
}

impl Chain {
    /// Encodes payloads in order.
    ///
    /// # Errors
    /// [`TooLong`] if a length field cannot hold its length.
    pub fn encode(payloads: &[Payload]) -> Result<Self, TooLong> {
        let mut bytes = Vec::new();
        for (i, payload) in payloads.iter().enumerate() {
            let next = payloads.get(i + 1).map_or(PayloadType::NONE, Payload::kind);
            with_header(&mut bytes, next, "payload", |out| payload.encode_body(out))?;
        }
        Ok(Self {
            first: payloads.first().map_or(PayloadType::NONE, Payload::kind),
            bytes,
        })
    }

    /// Puts a payload before the others: the HASH payload, once its value over [`Chain::bytes`] is known.
    ///
    /// # Errors
    /// [`TooLong`] if a length field cannot hold its length.
    pub fn prepend(self, payload: &Payload) -> Result<Self, TooLong> {
        let mut bytes = Vec::with_capacity(self.bytes.len() + 128);
        with_header(&mut bytes, self.first, "payload", |out| {
            payload.encode_body(out)
        })?;
        bytes.extend_from_slice(&self.bytes);
        Ok(Self {
            first: payload.kind(),
            bytes,
        })
    }

    /// Type of the first payload.
    pub fn first(&self) -> PayloadType {
        self.first
    }

    /// The bytes, generic headers included.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, to be encrypted in place.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The whole clear message.
    pub fn into_clear(self, header: Header) -> Vec<u8> {
        message(header, self.first, &self.bytes)
    }
}

/// The whole encrypted message around a ciphertext; `first` is the type of the first payload inside.
pub fn message_with_ciphertext(header: Header, first: PayloadType, ciphertext: &[u8]) -> Vec<u8> {
    message(
        Header {
            flags: header.flags.with(Flags::ENCRYPTION),
            ..header
        },
        first,
        ciphertext,
    )
}

fn message(header: Header, first: PayloadType, body: &[u8]) -> Vec<u8> {
    let length = HEADER_LENGTH + body.len();
    let mut out = Vec::with_capacity(length);
    // A chain that reached 4 GB cannot be built: each payload's own length field is 16 bits and was checked.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    Header {
        next_payload: first,
        length,
        ..header
    }
    .encode(&mut out);
    out.extend_from_slice(body);
    out
}
