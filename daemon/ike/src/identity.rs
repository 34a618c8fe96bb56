//! Who a peer says it is: phase 1 identities (RFC 2407 4.6.2).

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::peer_text::{Hex, Name};
use crate::registry::IdType;

/// The identity of an ID payload in phase 1.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Identity {
    /// ID_IPV4_ADDR, ID_IPV6_ADDR
    Address(IpAddr),
    /// ID_FQDN
    Fqdn(String),
    /// ID_USER_FQDN
    UserFqdn(String),
    /// Any other type, uninterpreted
    Other(IdType, Vec<u8>),
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Fqdn(name) | Self::UserFqdn(name) => write!(f, "{}", Name(name)),
            Self::Other(kind, bytes) => write!(f, "{kind} {}", Hex(bytes)),
        }
    }
}
