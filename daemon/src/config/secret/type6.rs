//! Type 6: keys under a master key that is not in the configuration, in the form that other routers write, so that their
//! keys can be read here with their master key, and ours there.
//!
//! The text is base 41 (the letters from `A`; three for two octets, the end padded) of: 8 octets of salt, the key
//! encrypted, 4 octets of check. AES-128 under the MD5 of the master key turns the salt into two keys (the last octet of
//! the block tells them apart): one encrypts a counter in the third octet into the key stream, one keys the HMAC-SHA-1
//! over the encrypted octets whose first four are the check.

use std::fmt;
use std::sync::Arc;

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const SALT: usize = 8;
const CHECK: usize = 4;
const BLOCK: usize = 16;
/// The letters of base 41 are this one and the forty after it.
const FIRST_LETTER: u8 = b'A';
const BASE: u16 = 41;
/// The shortest and the longest master key, in characters.
pub const MASTER_KEY_LENGTHS: std::ops::RangeInclusive<usize> = 8..=127;

/// The master key. Never shown; wiped when the last holder lets go.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey(Arc<Zeroizing<String>>);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(redacted)")
    }
}

impl MasterKey {
    /// A master key from its text; `None` when it is shorter or longer than [`MASTER_KEY_LENGTHS`].
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        MASTER_KEY_LENGTHS
            .contains(&text.chars().count())
            .then(|| Self(Arc::new(Zeroizing::new(text.to_owned()))))
    }

    /// The text, for the file that keeps it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether this is the master key, in constant time.
    #[must_use]
    pub fn is(&self, typed: &str) -> bool {
        self.0.as_bytes().ct_eq(typed.as_bytes()).into()
    }

    /// Encrypts with fresh salt; `None` when the system has no random numbers.
    #[must_use]
    pub fn encrypt(&self, clear: &str) -> Option<String> {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).ok()?;
        Some(self.encrypt_with(clear, salt))
    }

    fn encrypt_with(&self, clear: &str, salt: [u8; SALT]) -> String {
        let mut octets = salt.to_vec();
        octets.extend(self.stream(salt, clear.as_bytes()).iter());
        let check = self.check(salt, &octets[SALT..]);
        octets.extend(check);
        letters(&octets)
    }

    /// The clear text; `None` when the check fails: another master key, or a damaged text.
    #[must_use]
    pub fn decrypt(&self, text: &str) -> Option<Zeroizing<String>> {
        let octets = octets(text)?;
        let (salt, rest) = octets.split_first_chunk::<SALT>()?;
        let (encrypted, check) = rest.split_last_chunk::<CHECK>()?;
        if !bool::from(self.check(*salt, encrypted).ct_eq(check)) {
            return None;
        }
        let mut clear = self.stream(*salt, encrypted);
        while clear.last() == Some(&0) {
            clear.pop();
        }
        let clear = std::str::from_utf8(&clear).ok()?;
        (!clear.is_empty()).then(|| Zeroizing::new(clear.to_owned()))
    }

    /// The key made of the salt for one purpose.
    fn derive(&self, salt: [u8; SALT], purpose: u8) -> Zeroizing<[u8; BLOCK]> {
        let digest = Zeroizing::new(<[u8; BLOCK]>::from(Md5::digest(self.0.as_bytes())));
        let mut block = [0; BLOCK];
        block[..SALT].copy_from_slice(&salt);
        block[BLOCK - 1] = purpose;
        Zeroizing::new(encrypted(&digest, block))
    }

    fn stream(&self, salt: [u8; SALT], octets: &[u8]) -> Zeroizing<Vec<u8>> {
        let key = self.derive(salt, 1);
        let mut out = Zeroizing::new(octets.to_vec());
        for (count, part) in (0_u8..=u8::MAX).cycle().zip(out.chunks_mut(BLOCK)) {
            let mut counter = [0; BLOCK];
            counter[3] = count;
            for (octet, pad) in part.iter_mut().zip(encrypted(&key, counter)) {
                *octet ^= pad;
            }
        }
        out
    }

    fn check(&self, salt: [u8; SALT], encrypted: &[u8]) -> [u8; CHECK] {
        let key = self.derive(salt, 0);
        let mut mac =
            <Hmac<Sha1> as KeyInit>::new_from_slice(&*key).expect("HMAC takes keys of any length");
        mac.update(encrypted);
        let code = mac.finalize().into_bytes();
        [code[0], code[1], code[2], code[3]]
    }
}

fn encrypted(key: &[u8; BLOCK], block: [u8; BLOCK]) -> [u8; BLOCK] {
    let mut block = block.into();
    Aes128::new(&(*key).into()).encrypt_block(&mut block);
    block.into()
}

/// Whether the text can be a type 6 key.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    octets(text).is_some_and(|octets| octets.len() > SALT + CHECK)
}

fn letters(octets: &[u8]) -> String {
    let mut padded = octets.to_vec();
    if octets.len().is_multiple_of(2) {
        padded.extend([0, 1]);
    } else {
        padded.push(0);
    }
    let pairs = padded.chunks_exact(2);
    pairs
        .flat_map(|pair| {
            let number = u16::from_be_bytes([pair[0], pair[1]]);
            [number / BASE / BASE, number / BASE % BASE, number % BASE]
        })
        .map(|digit| char::from(FIRST_LETTER + digit as u8))
        .collect()
}

fn octets(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(3) {
        return None;
    }
    let digit = |letter: u8| {
        let digit = u32::from(letter.checked_sub(FIRST_LETTER)?);
        (digit < u32::from(BASE)).then_some(digit)
    };
    let mut octets = Vec::with_capacity(text.len() / 3 * 2);
    for letters in text.as_bytes().chunks_exact(3) {
        let number = letters.iter().try_fold(0_u32, |number, letter| {
            Some(number * u32::from(BASE) + digit(*letter)?)
        })?;
        octets.extend(u16::try_from(number).ok()?.to_be_bytes());
    }
    match octets.pop()? {
        0 => Some(octets),
        1 => (octets.pop()? == 0).then_some(octets),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_a_router_wrote_is_read() {
        let master = MasterKey::new("Cisco123").unwrap();
        let text = r"fe_a`iJYE\DZYJhDhTP[`MYaTgRH_MAAB";
        assert_eq!(
            master.decrypt(text).as_deref().map(String::as_str),
            Some("Cisco123")
        );
        let salt = octets(text).unwrap()[..SALT].try_into().unwrap();
        assert_eq!(master.encrypt_with("Cisco123", salt), text);
    }

    #[test]
    fn neither_another_master_key_nor_a_damaged_text_opens() {
        let (master, other) = (
            MasterKey::new("Cisco123").unwrap(),
            MasterKey::new("Cisco124").unwrap(),
        );
        let text = master.encrypt("s3cret").unwrap();
        assert!(other.decrypt(&text).is_none());
        for damaged in [&text[3..], &text[..text.len() - 3], "", "A", "iii", "zzz"] {
            assert!(master.decrypt(damaged).is_none(), "{damaged}");
        }
    }

    #[test]
    fn the_master_key_does_not_show() {
        let master = MasterKey::new("do not show me").unwrap();
        assert_eq!(format!("{master:?}"), "MasterKey(redacted)");
        assert!(MasterKey::new("short").is_none());
        assert!(MasterKey::new(&"long".repeat(40)).is_none());
    }
}
