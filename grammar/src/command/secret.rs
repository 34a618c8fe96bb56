//! Keys and passwords as they stand in a configuration line.

use std::fmt;
use std::hint::black_box;

use zeroize::Zeroizing;

words! {
    /// The digit before a key or password: how its text is encoded.
    pub enum SecretEncoding {
        /// Clear text.
        Clear => "0",
        /// Unsalted SHA-256 (withdrawn).
        Sha256 => "4",
        /// MD5 crypt.
        Md5 => "5",
        /// AES under the configuration master key.
        Type6 => "6",
        /// The reversible cipher of `service password-encryption`.
        Type7 => "7",
        /// PBKDF2 with SHA-256.
        Pbkdf2 => "8",
        /// scrypt.
        Scrypt => "9",
    }
}

/// A key or password: its text as it was typed and the encoding digit, if one was typed.
/// Never shown by `Debug`; wiped when dropped.
/// Compared in a time that depends on the lengths only.
#[derive(Clone)]
pub struct Secret {
    encoding: Option<SecretEncoding>,
    text: Zeroizing<String>,
}

impl Secret {
    /// A secret with its typed encoding digit; `None` when the digit was left out, which means clear text.
    pub fn new(encoding: Option<SecretEncoding>, text: impl Into<String>) -> Self {
        Self {
            encoding,
            text: Zeroizing::new(text.into()),
        }
    }

    /// The encoding digit, if one was typed.
    pub fn typed_encoding(&self) -> Option<SecretEncoding> {
        self.encoding
    }

    /// The encoding; clear text when no digit was typed.
    pub fn encoding(&self) -> SecretEncoding {
        self.encoding.unwrap_or(SecretEncoding::Clear)
    }

    /// The text as typed: clear or encoded, see [`Secret::encoding`].
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let (own, others) = (self.text.as_bytes(), other.text.as_bytes());
        let pairs = own.iter().zip(others);
        let different = pairs.fold(0, |all, (one, other)| black_box(all | (one ^ other)));
        own.len() == others.len() && different == 0 && self.encoding == other.encoding
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}, redacted)", self.encoding())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_text() {
        let secret = Secret::new(Some(SecretEncoding::Type7), "0822455D0A16");
        assert_eq!(format!("{secret:?}"), "Secret(7, redacted)");
        assert_eq!(Secret::new(None, "k").encoding(), SecretEncoding::Clear);
    }
}
