//! The Security Association payload with its proposals and transforms (RFC 2408 3.4 to 3.6, RFC 2407 4.6.1).

use serde::{Deserialize, Serialize};

use super::{Attribute, MAX_PROPOSALS, MAX_TRANSFORMS};
use crate::registry::{Doi, PayloadType, ProtocolId};
use crate::wire::{Expected, Malformed, Reader, TooLong};

/// The only situation in use (RFC 2407 4.2.1).
pub const SIT_IDENTITY_ONLY: u32 = 1;

/// An SA payload.
///
/// Proposals can be found only in a DOI and a situation that are understood: with another DOI than IPSEC or another
/// situation than [`SIT_IDENTITY_ONLY`] the list is empty and the bytes are in `uninterpreted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityAssociation {
    /// Domain of interpretation.
    pub doi: Doi,
    /// Situation bitmask; zero if the DOI is not IPSEC.
    pub situation: u32,
    /// Proposals in the order of preference. Several with one number are a logical AND (RFC 2408 4.2).
    pub proposals: Vec<Proposal>,
    /// What follows a DOI or situation that is not understood.
    pub uninterpreted: Vec<u8>,
}

/// One protocol of one offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Number of the offer; equal numbers belong together.
    pub number: u8,
    /// Protocol offered.
    pub protocol: ProtocolId,
    /// SPI of the sender: empty or cookie in phase 1, 4 bytes for AH and ESP, 2 or 4 for IPCOMP.
    pub spi: Vec<u8>,
    /// Transforms in the order of preference.
    pub transforms: Vec<Transform>,
}

/// One transform of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Transform {
    /// Number of the transform in its proposal.
    pub number: u8,
    /// Transform id, read in the proposal's protocol (`IsakmpTransformId`, `AhTransformId`, `EspTransformId`, ...).
    pub id: u8,
    /// Attributes in the order received.
    pub attributes: Vec<Attribute>,
}

impl Transform {
    /// The first attribute of a class.
    pub fn attribute(&self, class: u16) -> Option<&Attribute> {
        self.attributes.iter().find(|a| a.class == class)
    }
}

impl SecurityAssociation {
    /// An SA payload of the IPsec DOI, identity only.
    pub fn new(proposals: Vec<Proposal>) -> Self {
        Self {
            doi: Doi::IPSEC,
            situation: SIT_IDENTITY_ONLY,
            proposals,
            uninterpreted: Vec::new(),
        }
    }

    /// Decodes the body of an SA payload that was kept: SAi_b of RFC 2409 5.
    ///
    /// # Errors
    /// [`Malformed`] where [`Message::decode`](super::Message::decode) would give it.
    pub fn from_body(body: &[u8]) -> Result<Self, Malformed> {
        Self::decode(&mut Reader::new(body))
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let doi = Doi(reader.u32("SA payload: DOI")?);
        if doi != Doi::IPSEC {
            return Ok(Self {
                doi,
                situation: 0,
                proposals: Vec::new(),
                uninterpreted: reader.rest().to_vec(),
            });
        }
        let situation = reader.u32("SA payload: situation")?;
        if situation != SIT_IDENTITY_ONLY {
            return Ok(Self {
                doi,
                situation,
                proposals: Vec::new(),
                uninterpreted: reader.rest().to_vec(),
            });
        }
        let mut proposals = Vec::new();
        loop {
            if proposals.len() == MAX_PROPOSALS {
                return Err(reader.malformed(
                    0,
                    "proposal count",
                    Expected::AtMost(MAX_PROPOSALS),
                    MAX_PROPOSALS + 1,
                ));
            }
            let header = reader.clone();
            let (next, mut body) = sub_payload(reader, "proposal")?;
            proposals.push(Proposal::decode(&mut body)?);
            match next {
                PayloadType::NONE => break,
                PayloadType::PROPOSAL => {}
                other => {
                    let expected = Expected::Text("0 (last) or 2 (proposal)");
                    let what = "proposal: next payload";
                    return Err(header.malformed(0, what, expected, other.0.into()));
                }
            }
        }
        reader.finish("SA payload")?;
        Ok(Self {
            doi,
            situation,
            proposals,
            uninterpreted: Vec::new(),
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        out.extend_from_slice(&self.doi.0.to_be_bytes());
        if self.doi == Doi::IPSEC {
            out.extend_from_slice(&self.situation.to_be_bytes());
        }
        for (i, proposal) in self.proposals.iter().enumerate() {
            let last = i + 1 == self.proposals.len();
            let next = if last {
                PayloadType::NONE
            } else {
                PayloadType::PROPOSAL
            };
            with_header(out, next, "proposal", |out| proposal.encode(out))?;
        }
        out.extend_from_slice(&self.uninterpreted);
        Ok(())
    }
}

impl Proposal {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let number = reader.u8("proposal: number")?;
        let protocol = ProtocolId(reader.u8("proposal: protocol")?);
        let spi_size = reader.u8("proposal: SPI size")?;
        let count = usize::from(reader.u8("proposal: number of transforms")?);
        if count == 0 {
            let what = "proposal: number of transforms";
            return Err(reader.malformed(1, what, Expected::AtLeast(1), 0));
        }
        let spi = reader.take(spi_size.into(), "proposal: SPI")?.to_vec();
        let mut transforms = Vec::new();
        while transforms.len() < count {
            let header = reader.clone();
            let (next, mut body) = sub_payload(reader, "transform")?;
            transforms.push(Transform::decode(&mut body)?);
            let last = transforms.len() == count;
            let expected = if last {
                PayloadType::NONE
            } else {
                PayloadType::TRANSFORM
            };
            if next != expected {
                let expected = Expected::Exactly(expected.0.into());
                return Err(header.malformed(
                    0,
                    "transform: next payload",
                    expected,
                    next.0.into(),
                ));
            }
        }
        reader.finish("proposal")?;
        Ok(Self {
            number,
            protocol,
            spi,
            transforms,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let too_long = |what, length| TooLong {
            what,
            length,
            most: MAX_TRANSFORMS,
        };
        let spi_size = u8::try_from(self.spi.len()).map_err(|_| too_long("SPI", self.spi.len()))?;
        let count = self.transforms.len();
        let transforms = u8::try_from(count).map_err(|_| too_long("list of transforms", count))?;
        out.extend_from_slice(&[self.number, self.protocol.0, spi_size, transforms]);
        out.extend_from_slice(&self.spi);
        for (i, transform) in self.transforms.iter().enumerate() {
            let next = if i + 1 == count {
                PayloadType::NONE
            } else {
                PayloadType::TRANSFORM
            };
            with_header(out, next, "transform", |out| transform.encode(out))?;
        }
        Ok(())
    }
}

impl Transform {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let number = reader.u8("transform: number")?;
        let id = reader.u8("transform: id")?;
        reader.u16("transform: reserved")?;
        Ok(Self {
            number,
            id,
            attributes: Attribute::decode_list(reader)?,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        out.extend_from_slice(&[self.number, self.id, 0, 0]);
        Attribute::encode_list(&self.attributes, out)
    }
}

/// Reads a generic payload header (RFC 2408 3.2) and gives the next payload's type and a reader over the body.
pub(super) fn sub_payload<'a>(
    reader: &mut Reader<'a>,
    what: &'static str,
) -> Result<(PayloadType, Reader<'a>), Malformed> {
    let next = PayloadType(reader.u8(what)?);
    let reserved = reader.u8(what)?;
    if reserved != 0 {
        return Err(reader.malformed(
            1,
            "reserved field of a payload header",
            Expected::Exactly(0),
            reserved.into(),
        ));
    }
    let length = usize::from(reader.u16(what)?);
    let Some(length) = length.checked_sub(4) else {
        return Err(reader.malformed(2, "length of a payload", Expected::AtLeast(4), length));
    };
    Ok((next, reader.sub(length, what)?))
}

/// Appends a generic payload header and the body that `body` writes.
pub(super) fn with_header(
    out: &mut Vec<u8>,
    next: PayloadType,
    what: &'static str,
    body: impl FnOnce(&mut Vec<u8>) -> Result<(), TooLong>,
) -> Result<(), TooLong> {
    let start = out.len();
    out.extend_from_slice(&[next.0, 0, 0, 0]);
    body(out)?;
    let length = out.len() - start;
    let field = u16::try_from(length).map_err(|_| TooLong {
        what,
        length,
        most: u16::MAX.into(),
    })?;
    out[start + 2..start + 4].copy_from_slice(&field.to_be_bytes());
    Ok(())
}
