//! Cryptography of the engine: hashes and the PRF, phase 1 ciphers, Diffie-Hellman, and the keys derived from them.
//!
//! The exchanges under `v1` call it; it knows nothing of messages beyond the bytes that go into a hash. Randomness is
//! an argument, so a test that seeds it gets the same bytes every time. Secrets are [`Secret`]: wiped when dropped,
//! compared in constant time, never printed.

mod cipher;
mod dh;
mod hash;
mod v1;

pub use cipher::Iv;
pub use dh::{DhError, Group, KeyPair};
pub use v1::{Keymat, Phase1Keys, Skeyid, Transcript};

pub use crate::random::Randomness;
pub use crate::secret::Secret;

/// Compares two strings of bytes without telling by its time where they differ. Lengths are not secret.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(a, b).into()
}

#[cfg(test)]
mod tests;
