//! IKEv1 messages: RFC 2408 payloads with the RFC 2407 (IPsec DOI), 3706 and 3947 contents.
//!
//! Receiving: [`Message::decode`] gives clear payloads ([`Unprotected`]) or a [`Ciphertext`]; once decrypted,
//! [`Protected::decode`] reads the payloads. Both keep the received bytes, since the hashes cover them as they came.
//! Sending: [`Chain::encode`] makes the payload bytes, [`Chain::into_clear`] or [`message_with_ciphertext`] the message.

mod attribute;
mod chain;
mod id;
mod notify;
mod payload;
mod sa;

pub use attribute::{Attribute, AttributeValue};
pub use chain::{Chain, Payloads, Protected, Unprotected, message_with_ciphertext};
pub use id::{Id, Identification};
pub use notify::{Delete, Notification};
pub use payload::{ConfigAttributes, Payload};
pub use sa::{Proposal, SIT_IDENTITY_ONLY, SecurityAssociation, Transform};

use super::{Expected, Flags, HEADER_LENGTH, Header, Malformed};
use crate::registry::PayloadType;

/// Most payloads a message may carry.
pub const MAX_PAYLOADS: usize = 64;
/// Most proposals an SA payload may carry.
pub const MAX_PROPOSALS: usize = 64;
/// Most transforms a proposal may carry (the field is one byte).
pub const MAX_TRANSFORMS: usize = 255;
/// Most attributes a transform or an attribute list may carry.
pub const MAX_ATTRIBUTES: usize = 64;

/// A received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its header.
    pub header: Header,
    /// What follows the header.
    pub body: Body,
}

/// What follows the header of a received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Payloads in clear: nothing in them is authenticated.
    Clear(Unprotected),
    /// Payloads still encrypted.
    Encrypted(Ciphertext),
}

/// The encrypted part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ciphertext {
    /// Type of the first payload inside.
    pub first: PayloadType,
    /// The encrypted bytes, padding included. Not empty.
    pub bytes: Vec<u8>,
}

impl Message {
    /// Decodes a datagram (without the non-ESP marker of RFC 3948).
    ///
    /// # Errors
    /// [`Malformed`] if any length, count or reserved field is wrong, or the major version is not 1.
    pub fn decode(datagram: &[u8]) -> Result<Self, Malformed> {
        let header = Header::decode(datagram)?;
        if header.version.major != 1 {
            return Err(Malformed {
                what: "major version",
                offset: 17,
                expected: Expected::Exactly(1),
                got: header.version.major.into(),
            });
        }
        let bytes = &datagram[HEADER_LENGTH..];
        let body = if header.flags.contains(Flags::ENCRYPTION) {
            if bytes.is_empty() {
                return Err(Malformed {
                    what: "encrypted part",
                    offset: HEADER_LENGTH,
                    expected: Expected::AtLeast(1),
                    got: 0,
                });
            }
            Body::Encrypted(Ciphertext {
                first: header.next_payload,
                bytes: bytes.to_vec(),
            })
        } else {
            Body::Clear(Unprotected::decode(header.next_payload, bytes.to_vec())?)
        };
        Ok(Self { header, body })
    }
}

#[cfg(test)]
mod tests;
