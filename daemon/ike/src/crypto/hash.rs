//! The negotiated hash and its HMAC, which is the PRF of IKEv1 (RFC 2409 5, RFC 2104).

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use crate::algorithm::Hash;
use crate::secret::Secret;

macro_rules! with_hash {
    ($hash:expr, $function:ident($($argument:expr),*)) => {
        match $hash {
            Hash::Md5 => $function::<Md5>($($argument),*),
            Hash::Sha1 => $function::<Sha1>($($argument),*),
            Hash::Sha256 => $function::<Sha256>($($argument),*),
            Hash::Sha384 => $function::<Sha384>($($argument),*),
            Hash::Sha512 => $function::<Sha512>($($argument),*),
        }
    };
}

impl Hash {
    /// Bytes of output.
    pub const fn output_length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Hash of the concatenation of `parts`.
    pub fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        with_hash!(self, digest(parts))
    }

    /// prf(key, parts): the HMAC over the concatenation of `parts`.
    pub fn prf(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        macro_rules! prf {
            ($($variant:ident $hash:ty),*) => {
                match self { $(Self::$variant => mac(Hmac::<$hash>::new_from_slice(key), parts)),* }
            };
        }
        prf!(Md5 Md5, Sha1 Sha1, Sha256 Sha256, Sha384 Sha384, Sha512 Sha512)
    }

    /// `length` bytes of a chain of blocks, each made from the one before, the first from nothing.
    pub(super) fn expand(self, length: usize, block: impl Fn(&[u8]) -> Vec<u8>) -> Secret {
        let mut out = Zeroizing::new(Vec::with_capacity(length + self.output_length()));
        let mut previous = Secret::default();
        while out.len() < length {
            previous = Secret::new(block(previous.expose()));
            out.extend_from_slice(previous.expose());
        }
        Secret::new(out[..length].to_vec())
    }
}

fn digest<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hash = D::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().to_vec()
}

fn mac<M: Mac>(mac: Result<M, impl Sized>, parts: &[&[u8]]) -> Vec<u8> {
    // HMAC takes a key of any length (RFC 2104 2).
    let Ok(mut mac) = mac else {
        unreachable!("HMAC refused a key")
    };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}
