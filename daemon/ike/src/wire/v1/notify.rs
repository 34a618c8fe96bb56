//! Notification and Delete payloads (RFC 2408 3.14, 3.15; RFC 2407 4.6.3; RFC 3706 5.3).

use serde::{Deserialize, Serialize};

use super::Attribute;
use crate::registry::{Doi, NotifyType, ProtocolId};
use crate::wire::{Cookies, Expected, Malformed, Reader, TooLong};

/// A notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Domain of interpretation.
    pub doi: Doi,
    /// Protocol of the SA it is about.
    pub protocol: ProtocolId,
    /// What it says.
    pub kind: NotifyType,
    /// SPI of the SA it is about; in phase 1 both cookies or nothing.
    pub spi: Vec<u8>,
    /// Data of that type.
    pub data: Vec<u8>,
}

impl Notification {
    /// A notification of the IPsec DOI.
    pub fn new(
        protocol: ProtocolId,
        kind: NotifyType,
        spi: impl Into<Vec<u8>>,
        data: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            doi: Doi::IPSEC,
            protocol,
            kind,
            spi: spi.into(),
            data: data.into(),
        }
    }

    /// R-U-THERE or R-U-THERE-ACK with its sequence number (RFC 3706 5.3).
    pub fn dead_peer_detection(kind: NotifyType, cookies: Cookies, sequence: u32) -> Self {
        Self::new(
            ProtocolId::ISAKMP,
            kind,
            cookies.bytes(),
            sequence.to_be_bytes(),
        )
    }

    /// The sequence number of R-U-THERE and R-U-THERE-ACK, or the flag of REPLAY-STATUS.
    ///
    /// # Errors
    /// [`Malformed`] if the data is not four bytes.
    pub fn number(&self) -> Result<u32, Malformed> {
        let mut reader = Reader::new(&self.data);
        let number = reader.u32("notification data")?;
        reader.finish("notification data")?;
        Ok(number)
    }

    /// The attributes of RESPONDER-LIFETIME, classes as `IpsecAttribute` (`IkeAttribute` for protocol ISAKMP).
    ///
    /// # Errors
    /// [`Malformed`] if the data is not a list of attributes.
    pub fn attributes(&self) -> Result<Vec<Attribute>, Malformed> {
        Attribute::decode_list(&mut Reader::new(&self.data))
    }

    /// RESPONDER-LIFETIME data for a list of attributes.
    ///
    /// # Errors
    /// [`TooLong`] if an attribute does not fit.
    pub fn lifetime_data(attributes: &[Attribute]) -> Result<Vec<u8>, TooLong> {
        let mut data = Vec::new();
        Attribute::encode_list(attributes, &mut data)?;
        Ok(data)
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let doi = Doi(reader.u32("notification: DOI")?);
        let protocol = ProtocolId(reader.u8("notification: protocol")?);
        let spi_size = reader.u8("notification: SPI size")?;
        let kind = NotifyType(reader.u16("notification: type")?);
        let spi = reader.take(spi_size.into(), "notification: SPI")?.to_vec();
        Ok(Self {
            doi,
            protocol,
            kind,
            spi,
            data: reader.rest().to_vec(),
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let spi_size = u8::try_from(self.spi.len()).map_err(|_| TooLong {
            what: "SPI of a notification",
            length: self.spi.len(),
            most: u8::MAX.into(),
        })?;
        out.extend_from_slice(&self.doi.0.to_be_bytes());
        out.extend_from_slice(&[self.protocol.0, spi_size]);
        out.extend_from_slice(&self.kind.0.to_be_bytes());
        out.extend_from_slice(&self.spi);
        out.extend_from_slice(&self.data);
        Ok(())
    }
}

/// A delete: the sender no longer has these SAs of one protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delete {
    /// Domain of interpretation.
    pub doi: Doi,
    /// Protocol of the SAs.
    pub protocol: ProtocolId,
    spi_size: u8,
    spis: Vec<u8>,
}

impl Delete {
    /// A delete of AH or ESP SAs by the sender's inbound SPIs.
    pub fn children(protocol: ProtocolId, spis: &[u32]) -> Self {
        let spis = spis.iter().flat_map(|spi| spi.to_be_bytes()).collect();
        Self {
            doi: Doi::IPSEC,
            protocol,
            spi_size: 4,
            spis,
        }
    }

    /// A delete of the phase 1 SA.
    pub fn isakmp(cookies: Cookies) -> Self {
        Self {
            doi: Doi::IPSEC,
            protocol: ProtocolId::ISAKMP,
            spi_size: 16,
            spis: cookies.bytes().to_vec(),
        }
    }

    /// The SPIs, all of one size.
    pub fn spis(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.spis.chunks_exact(usize::from(self.spi_size).max(1))
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let doi = Doi(reader.u32("delete: DOI")?);
        let protocol = ProtocolId(reader.u8("delete: protocol")?);
        let spi_size = reader.u8("delete: SPI size")?;
        let count = reader.u16("delete: number of SPIs")?;
        if spi_size == 0 {
            return Err(reader.malformed(3, "delete: SPI size", Expected::AtLeast(1), 0));
        }
        let spis = reader
            .take(usize::from(spi_size) * usize::from(count), "delete: SPIs")?
            .to_vec();
        reader.finish("delete")?;
        Ok(Self {
            doi,
            protocol,
            spi_size,
            spis,
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLong> {
        let length = self.spis().len();
        let count = u16::try_from(length).map_err(|_| TooLong {
            what: "list of SPIs to delete",
            length,
            most: u16::MAX.into(),
        })?;
        out.extend_from_slice(&self.doi.0.to_be_bytes());
        out.extend_from_slice(&[self.protocol.0, self.spi_size]);
        out.extend_from_slice(&count.to_be_bytes());
        out.extend_from_slice(&self.spis);
        Ok(())
    }
}
