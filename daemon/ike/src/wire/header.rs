//! The fixed 28-byte header that IKEv1 (RFC 2408 3.1) and IKEv2 (RFC 7296 3.1) share.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Expected, Malformed, Reader};
use crate::registry::{ExchangeType, PayloadType};

/// Length of the header in bytes.
pub const HEADER_LENGTH: usize = 28;

/// One side's cookie (IKEv2: SPI).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Cookie(pub [u8; 8]);

impl Cookie {
    /// The cookie of a side that has not chosen one yet.
    pub const ZERO: Self = Self([0; 8]);

    /// Whether no cookie has been chosen yet.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

impl fmt::Display for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Both cookies: what names an IKE SA.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize,
)]
pub struct Cookies {
    /// CKY-I.
    pub initiator: Cookie,
    /// CKY-R; zero in the initiator's first message.
    pub responder: Cookie,
}

impl Cookies {
    /// CKY-I | CKY-R, as the key derivations and the SPI of phase 1 notifications use it.
    pub fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.initiator.0);
        bytes[8..].copy_from_slice(&self.responder.0);
        bytes
    }
}

/// Protocol version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Version {
    /// Major version: 1 or 2.
    pub major: u8,
    /// Minor version: 0.
    pub minor: u8,
}

impl Version {
    /// IKEv1.
    pub const V1: Self = Self { major: 1, minor: 0 };
    /// IKEv2.
    pub const V2: Self = Self { major: 2, minor: 0 };
}

/// Flags of the header.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u8);

impl Flags {
    /// IKEv1 E: the payloads are encrypted.
    pub const ENCRYPTION: Self = Self(0x01);
    /// IKEv1 C: commit.
    pub const COMMIT: Self = Self(0x02);
    /// IKEv1 A: authenticated but not encrypted.
    pub const AUTHENTICATION_ONLY: Self = Self(0x04);

    /// Whether all of `other` is set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags and `other`.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#04x}", self.0)
    }
}

/// The header of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// The SA's two cookies.
    pub cookies: Cookies,
    /// Type of the first payload.
    pub next_payload: PayloadType,
    /// Protocol version.
    pub version: Version,
    /// Exchange the message belongs to.
    pub exchange: ExchangeType,
    /// Flags.
    pub flags: Flags,
    /// Message id: zero in IKEv1 phase 1.
    pub message_id: u32,
    /// Length of the whole message in bytes. Written by the encoder, not by the caller.
    pub length: u32,
}

impl Header {
    /// A header for an IKEv1 message; the encoder fills in the first payload, the length and the encryption flag.
    pub fn v1(cookies: Cookies, exchange: ExchangeType, message_id: u32) -> Self {
        Self {
            cookies,
            next_payload: PayloadType::NONE,
            version: Version::V1,
            exchange,
            flags: Flags::default(),
            message_id,
            length: HEADER_LENGTH as u32,
        }
    }

    /// Reads the header of a datagram. The length field must be the length of the datagram (RFC 2408 5.1).
    pub fn decode(datagram: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(datagram);
        let initiator = Cookie(reader.array("initiator cookie")?);
        if initiator.is_zero() {
            return Err(reader.malformed(
                8,
                "initiator cookie",
                Expected::Text("a value other than zero"),
                0,
            ));
        }
        let responder = Cookie(reader.array("responder cookie")?);
        let next_payload = PayloadType(reader.u8("next payload")?);
        let version = reader.u8("version")?;
        let exchange = ExchangeType(reader.u8("exchange type")?);
        let flags = Flags(reader.u8("flags")?);
        let message_id = reader.u32("message id")?;
        let length = reader.u32("message length")?;
        if usize::try_from(length) != Ok(datagram.len()) {
            return Err(reader.malformed(
                4,
                "message length",
                Expected::Exactly(datagram.len()),
                length as usize,
            ));
        }
        Ok(Self {
            cookies: Cookies {
                initiator,
                responder,
            },
            next_payload,
            version: Version {
                major: version >> 4,
                minor: version & 15,
            },
            exchange,
            flags,
            message_id,
            length,
        })
    }

    /// Appends the 28 bytes to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.cookies.bytes());
        out.extend_from_slice(&[
            self.next_payload.0,
            self.version.major << 4 | self.version.minor & 15,
            self.exchange.0,
            self.flags.0,
        ]);
        out.extend_from_slice(&self.message_id.to_be_bytes());
        out.extend_from_slice(&self.length.to_be_bytes());
    }
}
