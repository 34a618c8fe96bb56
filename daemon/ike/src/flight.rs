//! A message that was sent, kept for sending it again. Used by every exchange.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How often a message is sent again before its negotiation is given up.
pub(crate) const RETRANSMITS: u32 = 5;

/// How often an answer is repeated because the peer repeats itself.
pub(crate) const MAX_REPEATS: u32 = 12;

/// How long the answer of a finished quick mode is kept for repeats.
pub(crate) const ANSWER_TIME: Duration = Duration::from_secs(60);

/// Wait before the next repeat of a message: 1, 2, 4, 8, 8 seconds.
pub(crate) fn retransmit_after(attempt: u32) -> Duration {
    Duration::from_secs(1 << attempt.min(3))
}

/// A message that may have to be sent again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

impl Flight {
    /// Another message goes out; what it answers stays.
    pub(crate) fn send(&mut self, bytes: Vec<u8>) {
        self.sent = bytes;
        self.attempt = 0;
        self.repeats = 0;
    }
}

/// Tells a repeated datagram from a new one (FNV-1a, 64 bits: the same in every build, for it is saved with the SA). Not a
/// cryptographic digest: the worst that a collision does is to repeat an answer.
pub(crate) fn digest(datagram: &[u8]) -> u64 {
    datagram.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::digest;

    /// Vectors of draft-eastlake-fnv.
    #[test]
    fn the_digest_is_the_same_in_every_build() {
        assert_eq!(digest(b""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(digest(b"a"), 0xAF63_DC4C_8601_EC8C);
        assert_eq!(digest(b"foobar"), 0x8594_4171_F739_67E8);
    }
}
