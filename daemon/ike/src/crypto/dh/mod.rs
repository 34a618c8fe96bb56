//! Diffie-Hellman over every group IOS offers: the MODP groups 1, 2, 5, 14, 15, 16 and 24, the ECP groups 19 to 21.

pub(super) mod constants;
pub(super) mod ecp;
pub(super) mod modp;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Randomness;
use crate::registry::GroupNumber;
use crate::secret::Secret;

/// A group this engine can compute in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Group {
    /// Group 1 (RFC 2409 6.1)
    Modp768,
    /// Group 2 (RFC 2409 6.2)
    Modp1024,
    /// Group 5 (RFC 3526 2)
    Modp1536,
    /// Group 14 (RFC 3526 3)
    Modp2048,
    /// Group 15 (RFC 3526 4)
    Modp3072,
    /// Group 16 (RFC 3526 5)
    Modp4096,
    /// Group 19 (RFC 5903 3.1)
    Ecp256,
    /// Group 20 (RFC 5903 3.2)
    Ecp384,
    /// Group 21 (RFC 5903 3.3)
    Ecp521,
    /// Group 24 (RFC 5114 2.3)
    Modp2048Subgroup256,
}

/// Why a peer's public value gives no shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DhError {
    /// The value has not the length of the group.
    #[error("public value of {got} bytes; the group's are {expected}")]
    Length {
        /// Bytes of a public value of the group.
        expected: usize,
        /// Bytes that came.
        got: usize,
    },
    /// The value is not in the range 1 < r < p-1 (RFC 6989 2.1).
    #[error("public value is out of range")]
    Range,
    /// The value is not in the group's subgroup (RFC 6989 2.2).
    #[error("public value is outside the group's subgroup")]
    Subgroup,
    /// The point is not on the curve (RFC 6989 2.3).
    #[error("public value is not a point of the curve")]
    Point,
}

impl Group {
    /// Every group, by ascending number.
    pub const ALL: [Self; 10] = [
        Self::Modp768,
        Self::Modp1024,
        Self::Modp1536,
        Self::Modp2048,
        Self::Modp3072,
        Self::Modp4096,
        Self::Ecp256,
        Self::Ecp384,
        Self::Ecp521,
        Self::Modp2048Subgroup256,
    ];

    /// Its number.
    pub const fn number(self) -> GroupNumber {
        match self {
            Self::Modp768 => GroupNumber::MODP_768,
            Self::Modp1024 => GroupNumber::MODP_1024,
            Self::Modp1536 => GroupNumber::MODP_1536,
            Self::Modp2048 => GroupNumber::MODP_2048,
            Self::Modp3072 => GroupNumber::MODP_3072,
            Self::Modp4096 => GroupNumber::MODP_4096,
            Self::Ecp256 => GroupNumber::ECP_256,
            Self::Ecp384 => GroupNumber::ECP_384,
            Self::Ecp521 => GroupNumber::ECP_521,
            Self::Modp2048Subgroup256 => GroupNumber::MODP_2048_256,
        }
    }

    /// The group of a number, if the engine can compute in it.
    pub fn from_number(number: GroupNumber) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.number() == number)
    }

    /// What can be said of a peer's public value without any arithmetic in the group: its length and, in a MODP group, its
    /// range. [`KeyPair::agree`] checks the rest.
    ///
    /// # Errors
    /// [`DhError::Length`], [`DhError::Range`].
    pub fn check(self, public: &[u8]) -> Result<(), DhError> {
        let expected = self.public_bytes();
        if public.len() != expected {
            let got = public.len();
            return Err(DhError::Length { expected, got });
        }
        match ecp::Curve::of(self) {
            Some(_) => Ok(()),
            None => modp::group(self).check(public),
        }
    }

    /// Bytes of a public value in the KE payload.
    pub const fn public_bytes(self) -> usize {
        match self {
            Self::Modp768 => 96,
            Self::Modp1024 => 128,
            Self::Modp1536 => 192,
            Self::Modp2048 | Self::Modp2048Subgroup256 => 256,
            Self::Modp3072 => 384,
            Self::Modp4096 => 512,
            Self::Ecp256 => 64,
            Self::Ecp384 => 96,
            Self::Ecp521 => 132,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group {}", self.number().0)
    }
}

/// One side's ephemeral key. It can answer more than one public value, so a forged KE payload does not spend it.
#[derive(Debug)]
pub struct KeyPair {
    group: Group,
    private: Private,
    public: Vec<u8>,
}

#[derive(Debug)]
enum Private {
    Modp(modp::Exponent),
    Ecp(ecp::PrivateKey),
}

impl KeyPair {
    /// Makes a key pair from `randomness`, deterministically in every group.
    pub fn generate(group: Group, randomness: &mut dyn Randomness) -> Self {
        let (private, public) = match ecp::Curve::of(group) {
            Some(curve) => {
                let (private, public) = ecp::generate(curve, randomness);
                (Private::Ecp(private), public)
            }
            None => {
                let modp = modp::group(group);
                let exponent = modp.exponent(randomness);
                let public = modp.public(&exponent);
                (Private::Modp(exponent), public)
            }
        };
        Self {
            group,
            private,
            public,
        }
    }

    /// Its group.
    pub fn group(&self) -> Group {
        self.group
    }

    /// The public value as the KE payload carries it: g^x padded to the length of the prime, or x | y of the point
    /// (RFC 5903 7).
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// The shared secret with a peer's public value: g^xy padded to the length of the prime, or the point's x.
    ///
    /// # Errors
    /// [`DhError`] if the peer's value fails the checks of RFC 6989 2.
    pub fn agree(&self, peer: &[u8]) -> Result<Secret, DhError> {
        self.group.check(peer)?;
        match &self.private {
            Private::Modp(exponent) => modp::group(self.group).agree(exponent, peer),
            Private::Ecp(private) => private.agree(peer),
        }
    }
}
