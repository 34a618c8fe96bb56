//! One payload of any type: decode and encode of its body (what follows the generic header of RFC 2408 3.2).

use serde::{Deserialize, Serialize};

use super::{Attribute, Delete, Identification, Notification, SecurityAssociation};
use crate::registry::{CertificateEncoding, PayloadType};
use crate::wire::{Expected, Malformed, Reader, TooLong};

/// A payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Security Association with proposals.
    Sa(SecurityAssociation),
    /// Public Diffie-Hellman value.
    KeyExchange(Vec<u8>),
    /// Identity.
    Identification(Identification),
    /// Certificate.
    Certificate {
        /// How it is encoded.
        encoding: CertificateEncoding,
        /// The certificate.
        data: Vec<u8>,
    },
    /// Certificate request.
    CertificateRequest {
        /// Encoding asked for.
        encoding: CertificateEncoding,
        /// Authority, DER name; empty is any.
        authority: Vec<u8>,
    },
    /// Hash: HASH_I, HASH_R or HASH(1) to HASH(3).
    Hash(Vec<u8>),
    /// Signature: SIG_I or SIG_R.
    Signature(Vec<u8>),
    /// Nonce, 8 to 256 bytes (RFC 2409 5).
    Nonce(Vec<u8>),
    /// Notification.
    Notification(Notification),
    /// Delete.
    Delete(Delete),
    /// Vendor ID.
    VendorId(Vec<u8>),
    /// Attributes of the mode-config and XAUTH transactions.
    Attribute(ConfigAttributes),
    /// NAT-D: hash of an address and port.
    NatD {
        /// Whether it came with the payload number of the drafts.
        draft: bool,
        /// The hash.
        hash: Vec<u8>,
    },
    /// NAT-OA: an original address.
    NatOa {
        /// Whether it came with the payload number of the drafts.
        draft: bool,
        /// The address, an `ID_IPV4_ADDR` or `ID_IPV6_ADDR`.
        address: Identification,
    },
    /// A payload without a name here, kept as it came.
    Unknown {
        /// Its type.
        kind: PayloadType,
        /// Its body.
        body: Vec<u8>,
    },
}

/// Body of an Attribute payload (draft-ietf-ipsec-isakmp-mode-cfg).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigAttributes {
    /// 1 REQUEST, 2 REPLY, 3 SET, 4 ACK.
    pub kind: u8,
    /// Ties a reply to its request.
    pub identifier: u16,
    /// The attributes.
    pub attributes: Vec<Attribute>,
}

impl Payload {
    /// Type number of the payload.
    pub fn kind(&self) -> PayloadType {
        match self {
            Self::Sa(_) => PayloadType::SA,
            Self::KeyExchange(_) => PayloadType::KEY_EXCHANGE,
            Self::Identification(_) => PayloadType::IDENTIFICATION,
            Self::Certificate { .. } => PayloadType::CERTIFICATE,
            Self::CertificateRequest { .. } => PayloadType::CERTIFICATE_REQUEST,
            Self::Hash(_) => PayloadType::HASH,
            Self::Signature(_) => PayloadType::SIGNATURE,
            Self::Nonce(_) => PayloadType::NONCE,
            Self::Notification(_) => PayloadType::NOTIFICATION,
            Self::Delete(_) => PayloadType::DELETE,
            Self::VendorId(_) => PayloadType::VENDOR_ID,
            Self::Attribute(_) => PayloadType::ATTRIBUTE,
            Self::NatD { draft: false, .. } => PayloadType::NAT_D,
            Self::NatD { draft: true, .. } => PayloadType::NAT_D_DRAFT,
            Self::NatOa { draft: false, .. } => PayloadType::NAT_OA,
            Self::NatOa { draft: true, .. } => PayloadType::NAT_OA_DRAFT,
            Self::Unknown { kind, .. } => *kind,
        }
    }

    pub(super) fn decode(kind: PayloadType, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let payload = match kind {
            PayloadType::SA => Self::Sa(SecurityAssociation::decode(reader)?),
            PayloadType::KEY_EXCHANGE => Self::KeyExchange(not_empty(reader, "KE payload")?),
            PayloadType::IDENTIFICATION => Self::Identification(Identification::decode(reader)?),
            PayloadType::CERTIFICATE => Self::Certificate {
                encoding: CertificateEncoding(reader.u8("CERT payload: encoding")?),
                data: reader.rest().to_vec(),
            },
            PayloadType::CERTIFICATE_REQUEST => Self::CertificateRequest {
                encoding: CertificateEncoding(reader.u8("CERTREQ payload: encoding")?),
                authority: reader.rest().to_vec(),
            },
            PayloadType::HASH => Self::Hash(not_empty(reader, "HASH payload")?),
            PayloadType::SIGNATURE => Self::Signature(not_empty(reader, "SIG payload")?),
            PayloadType::NONCE => Self::Nonce(nonce(reader)?),
            PayloadType::NOTIFICATION => Self::Notification(Notification::decode(reader)?),
            PayloadType::DELETE => Self::Delete(Delete::decode(reader)?),
            PayloadType::VENDOR_ID => Self::VendorId(reader.rest().to_vec()),
            PayloadType::ATTRIBUTE => Self::Attribute(ConfigAttributes::decode(reader)?),
            PayloadType::NAT_D | PayloadType::NAT_D_DRAFT => Self::NatD {
                draft: kind == PayloadType::NAT_D_DRAFT,
                hash: not_empty(reader, "NAT-D payload")?,
            },
            PayloadType::NAT_OA | PayloadType::NAT_OA_DRAFT => Self::NatOa {
                draft: kind == PayloadType::NAT_OA_DRAFT,
                address: Identification::decode(reader)?,
            },
            kind => Self::Unknown {
                kind,
                body: reader.rest().to_vec(),
            },
        };
        reader.finish("payload")?;
        Ok(payload)
    }

    pub(super) fn encode_body(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        match self {
            Self::Sa(sa) => sa.encode(out)?,
            Self::Identification(id) | Self::NatOa { address: id, .. } => id.encode(out),
            Self::Certificate {
                encoding,
                data: bytes,
            }
            | Self::CertificateRequest {
                encoding,
                authority: bytes,
            } => {
                out.push(encoding.0);
                out.extend_from_slice(bytes);
            }
            Self::Notification(notification) => notification.encode(out)?,
            Self::Delete(delete) => delete.encode(out)?,
            Self::Attribute(attributes) => attributes.encode(out)?,
            Self::KeyExchange(bytes)
            | Self::Hash(bytes)
            | Self::Signature(bytes)
            | Self::Nonce(bytes)
            | Self::VendorId(bytes)
            | Self::NatD { hash: bytes, .. }
            | Self::Unknown { body: bytes, .. } => out.extend_from_slice(bytes),
        }
        Ok(())
    }

    /// The body's bytes without the generic header: SAi_b and IDii_b of our own payloads.
    ///
    /// # Errors
    /// [`TooLong`] if a length field cannot hold its length.
    pub fn body(&self) -> Result<Vec<u8>, TooLong> {
        let mut out = Vec::new();
        self.encode_body(&mut out)?;
        Ok(out)
    }
}

impl ConfigAttributes {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let kind = reader.u8("attribute payload: type")?;
        reader.u8("attribute payload: reserved")?;
        let identifier = reader.u16("attribute payload: identifier")?;
        Ok(Self {
            kind,
            identifier,
            attributes: Attribute::decode_list(reader)?,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        out.extend_from_slice(&[self.kind, 0]);
        out.extend_from_slice(&self.identifier.to_be_bytes());
        Attribute::encode_list(&self.attributes, out)
    }
}

fn not_empty(reader: &mut Reader<'_>, what: &'static str) -> Result<Vec<u8>, Malformed> {
    match reader.rest() {
        [] => Err(reader.malformed(0, what, Expected::AtLeast(1), 0)),
        bytes => Ok(bytes.to_vec()),
    }
}

fn nonce(reader: &mut Reader<'_>) -> Result<Vec<u8>, Malformed> {
    let bytes = reader.rest();
    let what = "length of the nonce";
    match bytes.len() {
        0..8 => Err(reader.malformed(bytes.len(), what, Expected::AtLeast(8), bytes.len())),
        8..=256 => Ok(bytes.to_vec()),
        _ => Err(reader.malformed(bytes.len(), what, Expected::AtMost(256), bytes.len())),
    }
}
