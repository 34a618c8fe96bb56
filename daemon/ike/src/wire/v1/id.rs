//! Identification payload contents (RFC 2407 4.6.2), also the shape of NAT-OA (RFC 3947 5.2).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::peer_text::{Hex, Name, Text};
use crate::registry::IdType;
use crate::wire::{Expected, Malformed, Reader};

/// Identification payload: who a side is in phase 1, one side of the proxy identities in phase 2.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identification {
    /// IP protocol; 0 is any. Phase 1: 0 or 17.
    pub protocol: u8,
    /// Port; 0 is any. Phase 1: 0 or 500.
    pub port: u16,
    /// The identity.
    pub id: Id,
}

/// An identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Id {
    /// One IPv4 address.
    Ipv4(Ipv4Addr),
    /// A host name.
    Fqdn(String),
    /// A user at a host.
    UserFqdn(String),
    /// IPv4 address and mask. The mask is as received and may have holes.
    Ipv4Subnet {
        /// Network address.
        address: Ipv4Addr,
        /// Its mask.
        mask: Ipv4Addr,
    },
    /// One IPv6 address.
    Ipv6(Ipv6Addr),
    /// IPv6 address and mask.
    Ipv6Subnet {
        /// Network address.
        address: Ipv6Addr,
        /// Its mask.
        mask: Ipv6Addr,
    },
    /// IPv4 range, both ends included.
    Ipv4Range {
        /// Lowest address.
        first: Ipv4Addr,
        /// Highest address.
        last: Ipv4Addr,
    },
    /// IPv6 range, both ends included.
    Ipv6Range {
        /// Lowest address.
        first: Ipv6Addr,
        /// Highest address.
        last: Ipv6Addr,
    },
    /// Distinguished name, DER.
    DerAsn1Dn(Vec<u8>),
    /// General name, DER.
    DerAsn1Gn(Vec<u8>),
    /// Opaque bytes that select a key (Easy VPN: the group name).
    KeyId(Vec<u8>),
    /// A type without a name here.
    Unknown {
        /// Its number.
        kind: IdType,
        /// Its bytes.
        data: Vec<u8>,
    },
}

impl Id {
    /// Type number of this identity.
    pub fn kind(&self) -> IdType {
        match self {
            Self::Ipv4(_) => IdType::IPV4_ADDR,
            Self::Fqdn(_) => IdType::FQDN,
            Self::UserFqdn(_) => IdType::USER_FQDN,
            Self::Ipv4Subnet { .. } => IdType::IPV4_ADDR_SUBNET,
            Self::Ipv6(_) => IdType::IPV6_ADDR,
            Self::Ipv6Subnet { .. } => IdType::IPV6_ADDR_SUBNET,
            Self::Ipv4Range { .. } => IdType::IPV4_ADDR_RANGE,
            Self::Ipv6Range { .. } => IdType::IPV6_ADDR_RANGE,
            Self::DerAsn1Dn(_) => IdType::DER_ASN1_DN,
            Self::DerAsn1Gn(_) => IdType::DER_ASN1_GN,
            Self::KeyId(_) => IdType::KEY_ID,
            Self::Unknown { kind, .. } => *kind,
        }
    }

    fn decode(kind: IdType, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        const WHAT: &str = "ID payload: identification data";
        let id = match kind {
            IdType::IPV4_ADDR => Self::Ipv4(reader.array(WHAT)?.into()),
            IdType::FQDN => Self::Fqdn(text(reader)?),
            IdType::USER_FQDN => Self::UserFqdn(text(reader)?),
            IdType::IPV4_ADDR_SUBNET => Self::Ipv4Subnet {
                address: reader.array::<4>(WHAT)?.into(),
                mask: reader.array::<4>(WHAT)?.into(),
            },
            IdType::IPV6_ADDR => Self::Ipv6(reader.array::<16>(WHAT)?.into()),
            IdType::IPV6_ADDR_SUBNET => Self::Ipv6Subnet {
                address: reader.array::<16>(WHAT)?.into(),
                mask: reader.array::<16>(WHAT)?.into(),
            },
            IdType::IPV4_ADDR_RANGE => Self::Ipv4Range {
                first: reader.array::<4>(WHAT)?.into(),
                last: reader.array::<4>(WHAT)?.into(),
            },
            IdType::IPV6_ADDR_RANGE => Self::Ipv6Range {
                first: reader.array::<16>(WHAT)?.into(),
                last: reader.array::<16>(WHAT)?.into(),
            },
            IdType::DER_ASN1_DN => Self::DerAsn1Dn(reader.rest().to_vec()),
            IdType::DER_ASN1_GN => Self::DerAsn1Gn(reader.rest().to_vec()),
            IdType::KEY_ID => Self::KeyId(reader.rest().to_vec()),
            kind => Self::Unknown {
                kind,
                data: reader.rest().to_vec(),
            },
        };
        reader.finish(WHAT)?;
        Ok(id)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Ipv4(address) => out.extend_from_slice(&address.octets()),
            Self::Fqdn(text) | Self::UserFqdn(text) => out.extend_from_slice(text.as_bytes()),
            Self::Ipv4Subnet {
                address: a,
                mask: b,
            }
            | Self::Ipv4Range { first: a, last: b } => {
                out.extend_from_slice(&a.octets());
                out.extend_from_slice(&b.octets());
            }
            Self::Ipv6(address) => out.extend_from_slice(&address.octets()),
            Self::Ipv6Subnet {
                address: a,
                mask: b,
            }
            | Self::Ipv6Range { first: a, last: b } => {
                out.extend_from_slice(&a.octets());
                out.extend_from_slice(&b.octets());
            }
            Self::DerAsn1Dn(data)
            | Self::DerAsn1Gn(data)
            | Self::KeyId(data)
            | Self::Unknown { data, .. } => {
                out.extend_from_slice(data);
            }
        }
    }
}

fn text(reader: &mut Reader<'_>) -> Result<String, Malformed> {
    let bytes = reader.rest();
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let at = error.valid_up_to();
            let expected = Expected::Text("text");
            Err(reader.malformed(
                bytes.len() - at,
                "ID payload: name",
                expected,
                bytes[at].into(),
            ))
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(address) => write!(f, "{address}"),
            Self::Ipv6(address) => write!(f, "{address}"),
            Self::Fqdn(text) | Self::UserFqdn(text) => write!(f, "{}", Name(text)),
            Self::Ipv4Subnet { address, mask } => write!(f, "{address}/{mask}"),
            Self::Ipv6Subnet { address, mask } => write!(f, "{address}/{mask}"),
            Self::Ipv4Range { first, last } => write!(f, "{first}-{last}"),
            Self::Ipv6Range { first, last } => write!(f, "{first}-{last}"),
            Self::KeyId(data) => write!(f, "{}", Text(data)),
            Self::DerAsn1Dn(data) | Self::DerAsn1Gn(data) | Self::Unknown { data, .. } => {
                write!(f, "{}", Hex(data))
            }
        }
    }
}

impl Identification {
    /// An identity for any protocol and port.
    pub fn any(id: Id) -> Self {
        Self {
            protocol: 0,
            port: 0,
            id,
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let kind = IdType(reader.u8("ID payload: type")?);
        let protocol = reader.u8("ID payload: protocol")?;
        let port = reader.u16("ID payload: port")?;
        Ok(Self {
            protocol,
            port,
            id: Id::decode(kind, reader)?,
        })
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.id.kind().0, self.protocol]);
        out.extend_from_slice(&self.port.to_be_bytes());
        self.id.encode(out);
    }
}
