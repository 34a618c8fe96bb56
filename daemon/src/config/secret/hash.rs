//! Hashed secrets of `enable secret` and `username ... secret`: types 4, 5, 8 and 9.
//!
//! Made when a secret is typed in clear, so that the running-config never holds it.

use isthmus_grammar::command::{HashAlgorithm, Secret, SecretEncoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Iterations of type 8.
const ROUNDS: u32 = 20_000;
/// The cost of type 9: N is two to this power, r and p are 1.
const SCRYPT_LOG_N: u8 = 14;
/// Letters of salt in types 8 and 9.
const SALT: usize = 14;
/// Letters of salt in type 5.
const MD5_SALT: usize = 4;
/// Letters of a 32 octet hash.
const DIGEST: usize = 43;
/// Letters of an MD5 crypt hash.
const MD5_DIGEST: usize = 22;
/// The letters that write six bits each, most significant first.
const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The hashed secret for a clear text, with fresh salt; `None` when the system has no random numbers.
#[must_use]
pub fn hash(clear: &str, algorithm: HashAlgorithm) -> Option<Secret> {
    let letters = match algorithm {
        HashAlgorithm::Md5 => MD5_SALT,
        HashAlgorithm::Scrypt | HashAlgorithm::Sha256 => SALT,
    };
    let mut random = [0; SALT];
    getrandom::fill(&mut random).ok()?;
    let salt: String = random[..letters].iter().map(|byte| letter(*byte)).collect();
    let (encoding, text) = match algorithm {
        HashAlgorithm::Md5 => (SecretEncoding::Md5, md5(clear, &salt)),
        HashAlgorithm::Scrypt => (
            SecretEncoding::Scrypt,
            format!("$9${salt}${}", scrypt(clear, &salt)),
        ),
        HashAlgorithm::Sha256 => (
            SecretEncoding::Pbkdf2,
            format!("$8${salt}${}", pbkdf2(clear, &salt)),
        ),
    };
    Some(Secret::new(Some(encoding), text))
}

/// Whether `typed` is what a hashed secret was made of.
pub(super) fn opens(secret: &Secret, typed: &str) -> bool {
    let text = secret.expose();
    if !is_well_formed(secret) {
        return false;
    }
    if secret.encoding() == SecretEncoding::Sha256 {
        return same(text, &letters(&Sha256::digest(typed.as_bytes())));
    }
    let mut parts = text.split('$').skip(2);
    let (Some(salt), Some(known)) = (parts.next(), parts.next()) else {
        return false;
    };
    match secret.encoding() {
        SecretEncoding::Md5 => same(text, &md5(typed, salt)),
        SecretEncoding::Pbkdf2 => same(known, &pbkdf2(typed, salt)),
        SecretEncoding::Scrypt => same(known, &scrypt(typed, salt)),
        _ => false,
    }
}

/// Whether the text has the shape of a hash of its type.
pub(super) fn is_well_formed(secret: &Secret) -> bool {
    let (mark, longest_salt, digest) = match secret.encoding() {
        SecretEncoding::Sha256 => {
            return secret.expose().len() == DIGEST && are_letters(secret.expose());
        }
        SecretEncoding::Md5 => ("1", 8, MD5_DIGEST),
        SecretEncoding::Pbkdf2 => ("8", SALT, DIGEST),
        SecretEncoding::Scrypt => ("9", SALT, DIGEST),
        SecretEncoding::Clear | SecretEncoding::Type6 | SecretEncoding::Type7 => return false,
    };
    let parts: Vec<&str> = secret.expose().split('$').collect();
    matches!(parts[..], ["", kind, salt, hash] if kind == mark
        && (1..=longest_salt).contains(&salt.len())
        && hash.len() == digest
        && are_letters(hash))
}

fn are_letters(text: &str) -> bool {
    text.bytes().all(|octet| LETTERS.contains(&octet))
}

/// Compares without telling by its time where the texts differ.
pub(super) fn same(known: &str, typed: &str) -> bool {
    known.as_bytes().ct_eq(typed.as_bytes()).into()
}

fn md5(clear: &str, salt: &str) -> String {
    let text = md5crypt::md5crypt(clear.as_bytes(), salt.as_bytes());
    String::from_utf8_lossy(&text).into_owned()
}

fn pbkdf2(clear: &str, salt: &str) -> String {
    let key: [u8; 32] =
        ::pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(clear.as_bytes(), salt.as_bytes(), ROUNDS);
    letters(&key)
}

fn scrypt(clear: &str, salt: &str) -> String {
    let mut key = [0; 32];
    let params = ::scrypt::Params::new(SCRYPT_LOG_N, 1, 1).expect("the cost of type 9 is valid");
    ::scrypt::scrypt(clear.as_bytes(), salt.as_bytes(), &params, &mut key)
        .expect("32 octets are a valid length");
    letters(&key)
}

fn letters(octets: &[u8]) -> String {
    let groups = octets.chunks(3).flat_map(|octets| {
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
