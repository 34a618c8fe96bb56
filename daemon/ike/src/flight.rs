//! A message that was sent, kept for sending it again. Used by every exchange.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A message that may have to be sent again.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    /// The message; empty when nothing was sent
    pub(crate) sent: Vec<u8>,
    /// Digest of the message it answers
    pub(crate) answers: Option<u64>,
    /// How often it was sent again on our own account
    pub(crate) attempt: u32,
    /// How often it was sent again because the peer repeated itself
    pub(crate) repeats: u32,
}

/// Tells a repeated datagram from a new one. Not a cryptographic digest: the worst that a collision
/// does is to repeat an answer.
pub(crate) fn digest(datagram: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    datagram.hash(&mut hasher);
    hasher.finish()
}
