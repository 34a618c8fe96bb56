//! Passwords and keys in the configuration: the one place that knows what the digit before them means.
//!
//! | type | what it is | made | checked |
//! |---|---|---|---|
//! | 0 | clear text | as typed | yes |
//! | 4 | one unsalted SHA-256 (withdrawn everywhere) | never | yes |
//! | 5 | MD5 crypt | `algorithm-type md5` | yes |
//! | 6 | AES under the master key: [`type6`] | `password encryption aes` | decrypted |
//! | 7 | reversible, hides from a glance only: [`type7`] | `service password-encryption` | decoded |
//! | 8 | PBKDF2 with SHA-256 | `algorithm-type sha256` | yes |
//! | 9 | scrypt | a secret typed in clear | yes |
//!
//! Hashing takes tens of milliseconds on purpose: sessions do it in a thread of its own ([`opens`], [`hash`] are plain
//! functions), only loading a file does it in its place.

mod hash;
pub mod type6;
pub mod type7;

use isthmus_grammar::command::{HashAlgorithm, Secret, SecretEncoding};
use zeroize::Zeroizing;

pub use hash::hash;
pub use type6::MasterKey;

/// Whether `typed` is what the secret was made of; compares in constant time. Type 6 needs the master key and opens to
/// nothing here.
#[must_use]
pub fn opens(secret: &Secret, typed: &str) -> bool {
    match secret.encoding() {
        SecretEncoding::Clear => hash::same(secret.expose(), typed),
        SecretEncoding::Type7 => {
            type7::decode(secret.expose()).is_some_and(|clear| hash::same(&clear, typed))
        }
        _ => hash::opens(secret, typed),
    }
}

/// Whether the text can be what its type says: a hash of another length is a typing slip that would lock all operators out.
#[must_use]
pub fn is_well_formed(secret: &Secret) -> bool {
    match secret.encoding() {
        SecretEncoding::Clear => !secret.expose().is_empty(),
        SecretEncoding::Type7 => type7::decode(secret.expose()).is_some(),
        SecretEncoding::Type6 => type6::is_well_formed(secret.expose()),
        _ => hash::is_well_formed(secret),
    }
}

/// Whether the secret is a hash of this kind.
#[must_use]
pub fn made_by(secret: &Secret, algorithm: HashAlgorithm) -> bool {
    let made = match algorithm {
        HashAlgorithm::Md5 => SecretEncoding::Md5,
        HashAlgorithm::Scrypt => SecretEncoding::Scrypt,
        HashAlgorithm::Sha256 => SecretEncoding::Pbkdf2,
    };
    secret.encoding() == made
}

/// What a new secret in clear text is hashed with when nothing else is asked for: as in IOS XE 17.
pub const DEFAULT_ALGORITHM: HashAlgorithm = HashAlgorithm::Scrypt;

/// The type 7 form of a type 0 password; everything else as it is. `known` is kept if it means the same, so that
/// typing a line again changes nothing.
#[must_use]
pub fn obscured(password: &Secret, known: Option<&Secret>) -> Secret {
    if password.encoding() != SecretEncoding::Clear {
        return password.clone();
    }
    let same = |known: &&Secret| {
        known.encoding() == SecretEncoding::Type7 && opens(known, password.expose())
    };
    match known.filter(same) {
        Some(known) => known.clone(),
        None => Secret::new(
            Some(SecretEncoding::Type7),
            type7::encode(password.expose()).as_str(),
        ),
    }
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// There is no master key.
    #[error("it is of type 6 and there is no master key: type key config-key password-encrypt")]
    NoMasterKey,
    /// Another master key was used, or the text is damaged.
    #[error(
        "it is of type 6 and was encrypted under another master key: type the key again, or that master key with \
         key config-key password-encrypt"
    )]
    OtherMasterKey,
    /// Hashes cannot be turned back.
    #[error("its type cannot be decrypted")]
    OneWay,
}

/// The clear text of a key.
///
/// # Errors
/// [`Unusable`]: what is wrong with it, and what to do.
pub fn reveal(secret: &Secret, master: Option<&MasterKey>) -> Result<Zeroizing<String>, Unusable> {
    match secret.encoding() {
        SecretEncoding::Clear => Ok(Zeroizing::new(secret.expose().to_owned())),
        SecretEncoding::Type7 => type7::decode(secret.expose()).ok_or(Unusable::OneWay),
        SecretEncoding::Type6 => master
            .ok_or(Unusable::NoMasterKey)?
            .decrypt(secret.expose())
            .ok_or(Unusable::OtherMasterKey),
        _ => Err(Unusable::OneWay),
    }
}

/// Whether two keys mean the same, as far as can be known.
#[must_use]
pub fn same_key(one: &Secret, other: &Secret, master: Option<&MasterKey>) -> bool {
    if one == other {
        return true;
    }
    match (reveal(one, master), reveal(other, master)) {
        (Ok(one), Ok(other)) => hash::same(&one, &other),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
