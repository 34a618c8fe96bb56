//! Hashed secrets of `enable secret` and `username ... secret`: type 8, PBKDF2 with SHA-256 (RFC 8018 section 5.2).
//!
//! Made when a secret is typed in clear, so that the running-config never holds it; checked by `enable`.

use isthmus_grammar::command::{Secret, SecretEncoding};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Iterations of type 8.
const ROUNDS: u32 = 20_000;
/// Letters of salt.
const SALT: usize = 14;
/// The letters in which type 8 writes six bits each, most significant first.
const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The type 8 secret for a clear text, with fresh salt; `None` when the system has no random numbers.
pub fn hash(clear: &str) -> Option<Secret> {
    let mut random = [0; SALT];
    getrandom::fill(&mut random).ok()?;
    let salt: String = random.iter().map(|byte| letter(*byte)).collect();
    Some(Secret::new(
        Some(SecretEncoding::Pbkdf2),
        format!("$8${salt}${}", digest(clear, &salt)),
    ))
}

/// Whether [`opens`] knows how to check a secret of this type.
pub fn can_be_checked(secret: &Secret) -> bool {
    matches!(
        secret.encoding(),
        SecretEncoding::Clear | SecretEncoding::Pbkdf2
    )
}

/// Whether `typed` is what the secret was made of. Types that this program cannot compute open to nothing.
pub fn opens(secret: &Secret, typed: &str) -> bool {
    let text = secret.expose();
    match secret.encoding() {
        SecretEncoding::Clear => same(text, typed),
        SecretEncoding::Pbkdf2 => {
            let parts = text
                .strip_prefix("$8$")
                .and_then(|rest| rest.split_once('$'));
            parts.is_some_and(|(salt, known)| same(known, &digest(typed, salt)))
        }
        _ => false,
    }
}

fn same(known: &str, typed: &str) -> bool {
    known.as_bytes().ct_eq(typed.as_bytes()).into()
}

fn digest(clear: &str, salt: &str) -> String {
    let key: [u8; 32] =
        pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(clear.as_bytes(), salt.as_bytes(), ROUNDS);
    let groups = key.chunks(3).flat_map(|octets| {
        let word = octets
            .iter()
            .fold(0_u32, |word, octet| word << 8 | u32::from(*octet))
            << (8 * (3 - octets.len()));
        (0..=octets.len()).map(move |index| letter((word >> (18 - 6 * index)) as u8))
    });
    groups.collect()
}

fn letter(bits: u8) -> char {
    char::from(LETTERS[usize::from(bits & 63)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_8(text: &str) -> Secret {
        Secret::new(Some(SecretEncoding::Pbkdf2), text)
    }

    #[test]
    fn a_published_hash_opens_with_its_password_only() {
        let published = type_8("$8$TnGX/fE4KGHOVU$pEhnEvxrvaynpi8j4f.EMHr6M.FzU8xnZnBr/tJdFWk");
        assert!(opens(&published, "hashcat"));
        assert!(!opens(&published, "Hashcat"));
        assert!(!opens(&published, ""));
    }

    #[test]
    fn a_new_hash_opens_with_what_it_was_made_of_and_has_its_own_salt() {
        let (one, other) = (hash("cisco").unwrap(), hash("cisco").unwrap());
        assert!(opens(&one, "cisco") && opens(&other, "cisco") && !opens(&one, "cisco "));
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.expose().len(), "$8$".len() + SALT + "$".len() + 43);
    }

    #[test]
    fn what_cannot_be_checked_opens_to_nothing() {
        for text in ["", "$8$", "$8$salt", "$9$salt$hash"] {
            assert!(!opens(&type_8(text), ""), "{text}");
        }
        let md5 = Secret::new(Some(SecretEncoding::Md5), "$1$abcd$x");
        assert!(!opens(&md5, "$1$abcd$x"));
        assert!(opens(&Secret::new(None, "plain"), "plain"));
    }
}
