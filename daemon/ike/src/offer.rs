//! What a peer offered, kept as it came: any number, known or not.
//!
//! Shown in causes and debug facts beside the configuration's own wish.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::{IsakmpPolicy, TransformSet};
use crate::registry::{
    AhTransformId, AuthenticationAlgorithm, AuthenticationMethod, EncapsulationMode,
    EncryptionAlgorithm, EspTransformId, GroupNumber, HashAlgorithm, ProtocolId,
};

/// One phase 1 transform (RFC 2409 appendix A).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyOffer {
    /// Number of the transform
    pub number: u8,
    /// Encryption algorithm
    pub encryption: Option<EncryptionAlgorithm>,
    /// Key length in bits
    pub key_length: Option<u16>,
    /// Hash algorithm
    pub hash: Option<HashAlgorithm>,
    /// Authentication method
    pub authentication: Option<AuthenticationMethod>,
    /// Diffie-Hellman group
    pub group: Option<GroupNumber>,
    /// Lifetime in seconds
    pub seconds: Option<u32>,
    /// Lifetime in kilobytes
    pub kilobytes: Option<u32>,
}

/// One way to protect a flow: the transforms of one proposal number (RFC 2407 4.5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildOffer {
    /// Number of the proposal
    pub number: u8,
    /// One transform of each protocol, all of them together
    pub protocols: Vec<ProtocolOffer>,
}

/// One phase 2 transform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolOffer {
    /// AH, ESP or another
    pub protocol: ProtocolId,
    /// Number of the transform
    pub number: u8,
    /// Transform identifier, of the protocol's registry
    pub transform: u8,
    /// Encapsulation mode
    pub encapsulation: Option<EncapsulationMode>,
    /// Authentication algorithm
    pub authentication: Option<AuthenticationAlgorithm>,
    /// Key length in bits
    pub key_length: Option<u16>,
    /// PFS group
    pub group: Option<GroupNumber>,
    /// Lifetime in seconds
    pub seconds: Option<u32>,
    /// Lifetime in kilobytes
    pub kilobytes: Option<u32>,
}

/// `aes-256/sha/group 2`, and the authentication method when it is not `pre-share`.
impl fmt::Display for PolicyOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.encryption, self.key_length) {
            (Some(EncryptionAlgorithm::AES_CBC), bits) => write!(f, "aes-{}", bits.unwrap_or(128))?,
            (Some(EncryptionAlgorithm::DES_CBC), _) => f.write_str("des")?,
            (Some(EncryptionAlgorithm::TRIPLE_DES_CBC), _) => f.write_str("3des")?,
            (Some(other), Some(bits)) => write!(f, "{other}-{bits}")?,
            (Some(other), None) => write!(f, "{other}")?,
            (None, _) => f.write_str("no encryption")?,
        }
        match self.hash {
            Some(hash) if hash.entry().is_some() => {
                write!(f, "/{}", hash.ios().to_ascii_lowercase())?
            }
            Some(hash) => write!(f, "/{hash}")?,
            None => f.write_str("/no hash")?,
        }
        match self.group {
            Some(group) => write!(f, "/group {}", group.0)?,
            None => f.write_str("/no group")?,
        }
        match self.authentication {
            Some(AuthenticationMethod::PRE_SHARED_KEY) => Ok(()),
            Some(method) => write!(f, "/{method}"),
            None => f.write_str("/no authentication"),
        }
    }
}

/// `aes-256/sha256/group 14`, in the words of a `PolicyOffer`.
impl fmt::Display for IsakmpPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/group {}",
            self.encryption, self.hash, self.group.0
        )?;
        match self.authentication {
            crate::algorithm::Authentication::PreShared => Ok(()),
            method => write!(f, "/{method}"),
        }
    }
}

/// `esp-aes 256 esp-sha256-hmac tunnel`
impl fmt::Display for ChildOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for protocol in &self.protocols {
            write!(f, "{protocol} ")?;
        }
        let Some(first) = self.protocols.first() else {
            return f.write_str("nothing");
        };
        match first.encapsulation {
            Some(mode) if mode.entry().is_some() => {
                f.write_str(&mode.ios().to_ascii_lowercase())?;
            }
            Some(mode) => write!(f, "{mode}")?,
            None => f.write_str("no mode")?,
        }
        match first.group {
            Some(group) => write!(f, " pfs group {}", group.0),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ProtocolOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.protocol {
            ProtocolId::ESP => {
                match EspTransformId(self.transform) {
                    EspTransformId::DES => f.write_str("esp-des")?,
                    EspTransformId::TRIPLE_DES => f.write_str("esp-3des")?,
                    EspTransformId::NULL => f.write_str("esp-null")?,
                    EspTransformId::AES_CBC => f.write_str("esp-aes")?,
                    EspTransformId::AES_GCM_16 => f.write_str("esp-gcm")?,
                    EspTransformId::NULL_AUTH_AES_GMAC => f.write_str("esp-gmac")?,
                    other => write!(f, "{other}")?,
                }
                if let Some(bits) = self.key_length {
                    write!(f, " {bits}")?;
                }
                match self.authentication {
                    Some(method) => write!(f, " esp-{}", hmac_word(method)),
                    None => Ok(()),
                }
            }
            ProtocolId::AH => match (AhTransformId(self.transform), self.authentication) {
                (_, Some(method)) => write!(f, "ah-{}", hmac_word(method)),
                (transform, None) => write!(f, "{transform}"),
            },
            other => write!(f, "{other} transform {}", self.transform),
        }
    }
}

fn hmac_word(method: AuthenticationAlgorithm) -> String {
    match method {
        AuthenticationAlgorithm::HMAC_MD5 => "md5-hmac".into(),
        AuthenticationAlgorithm::HMAC_SHA => "sha-hmac".into(),
        AuthenticationAlgorithm::HMAC_SHA2_256 => "sha256-hmac".into(),
        AuthenticationAlgorithm::HMAC_SHA2_384 => "sha384-hmac".into(),
        AuthenticationAlgorithm::HMAC_SHA2_512 => "sha512-hmac".into(),
        other => other.to_string(),
    }
}

/// `esp-aes 256 esp-sha256-hmac tunnel`, in the words of a `ChildOffer`.
impl fmt::Display for TransformSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(integrity) = self.ah {
            write!(f, "ah-{integrity} ")?;
        }
        if let Some(esp) = self.esp {
            write!(f, "{} ", esp.cipher)?;
            if let Some(integrity) = esp.integrity {
                write!(f, "esp-{integrity} ")?;
            }
        }
        write!(f, "{}", self.mode)
    }
}
