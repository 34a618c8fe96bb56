//! ECP groups (RFC 5903) by aws-lc-rs. A public value is x | y without SEC 1's leading 4; the secret is x alone.

use std::fmt;

use aws_lc_rs::agreement::{self, Algorithm, UnparsedPublicKey};
use crypto_bigint::{NonZero, U640};
use zeroize::{Zeroize, Zeroizing};

use super::{DhError, Group};
use crate::crypto::Randomness;
use crate::secret::Secret;

/// A curve: its implementation and the order of its base point, in hexadecimal (RFC 5903 3).
#[derive(Clone, Copy)]
pub(crate) struct Curve {
    algorithm: &'static Algorithm,
    scalar_bytes: usize,
    order: &'static str,
}

const P256: Curve = Curve {
    algorithm: &agreement::ECDH_P256,
    scalar_bytes: 32,
    order: "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
};
const P384: Curve = Curve {
    algorithm: &agreement::ECDH_P384,
    scalar_bytes: 48,
    order: "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
};
const P521: Curve = Curve {
    algorithm: &agreement::ECDH_P521,
    scalar_bytes: 66,
    order: "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\
            FA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
};

impl Curve {
    /// The curve of a group, if it is an ECP group.
    pub(crate) fn of(group: Group) -> Option<Self> {
        match group {
            Group::Ecp256 => Some(P256),
            Group::Ecp384 => Some(P384),
            Group::Ecp521 => Some(P521),
            _ => None,
        }
    }

    /// A scalar in 1..order from 80 random bytes, at least 119 bits more than the order: no bias to speak of and no
    /// loop (FIPS 186-5 A.2.1).
    fn scalar(&self, randomness: &mut dyn Randomness) -> Zeroizing<Vec<u8>> {
        let mut wide = Zeroizing::new([0; U640::BYTES]);
        randomness.fill(&mut wide[..]);
        let order = self.order();
        let below = NonZero::new(order.wrapping_sub(&U640::ONE)).unwrap_or(NonZero::<U640>::ONE);
        let mut scalar = U640::from_be_slice(&wide[..])
            .rem(&below)
            .wrapping_add(&U640::ONE);
        let bytes = Zeroizing::new(scalar.to_be_bytes());
        scalar.zeroize();
        Zeroizing::new(bytes.as_ref()[U640::BYTES - self.scalar_bytes..].to_vec())
    }

    fn order(&self) -> U640 {
        U640::from_be_hex(&format!("{:0>160}", self.order))
    }
}

/// A private scalar.
pub(crate) struct PrivateKey(agreement::PrivateKey);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// A key pair.
pub(crate) fn generate(curve: Curve, randomness: &mut dyn Randomness) -> (PrivateKey, Vec<u8>) {
    from_scalar(curve, &curve.scalar(randomness))
}

pub(crate) fn from_scalar(curve: Curve, scalar: &[u8]) -> (PrivateKey, Vec<u8>) {
    let key = agreement::PrivateKey::from_private_key(curve.algorithm, scalar);
    let key = key.expect("a scalar in range is a private key");
    let public = key
        .compute_public_key()
        .expect("a private key has a public key");
    (PrivateKey(key), public.as_ref()[1..].to_vec())
}

impl PrivateKey {
    pub(crate) fn agree(&self, peer: &[u8]) -> Result<Secret, DhError> {
        let point = [&[4], peer].concat();
        let peer = UnparsedPublicKey::new(self.0.algorithm(), point);
        agreement::agree(&self.0, peer, DhError::Point, |x| {
            Ok(Secret::new(x.to_vec()))
        })
    }
}
