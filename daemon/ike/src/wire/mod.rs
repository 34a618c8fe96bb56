//! The bytes of IKE on the wire: one header for both versions, the payloads of each version beside it.
//!
//! The endpoint reads [`Header::decode`] to find the SA, the SA's version then decodes the rest
//! ([`v1::Message::decode`]). Decoders check every length before they use it, bound every count, never panic, and
//! say in [`Malformed`] what was wrong, where, what was expected and what came.

mod cursor;
mod header;
pub mod v1;

pub use cursor::{Expected, Malformed, Reader};
pub use header::{Cookie, Cookies, Flags, HEADER_LENGTH, Header, Version};

/// A payload or message that cannot be encoded because a length field cannot hold its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} of {length} bytes does not fit its length field (at most {most})")]
pub struct TooLong {
    /// What was being encoded.
    pub what: &'static str,
    /// Its length in bytes.
    pub length: usize,
    /// The longest that fits.
    pub most: usize,
}
