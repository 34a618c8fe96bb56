//! The algorithms an operator can name in a policy or a transform set.
//!
//! These are the configuration's own words; `registry` maps them to protocol numbers. `Display`
//! gives the short form used in causes and debug lines (`aes-256`, `sha256`, `group 14`).

use std::fmt;

use serde::{Deserialize, Serialize};

/// `encryption` of an ISAKMP policy (RFC 2409 appendix A, RFC 3602).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Encryption {
    /// DES-CBC
    Des,
    /// 3DES-CBC
    TripleDes,
    /// AES-CBC, 128 bits
    Aes128,
    /// AES-CBC, 192 bits
    Aes192,
    /// AES-CBC, 256 bits
    Aes256,
}

/// `hash` of an ISAKMP policy (RFC 2409 appendix A, RFC 4868).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Hash {
    /// MD5
    Md5,
    /// SHA-1, written `sha`
    Sha1,
    /// SHA2-256
    Sha256,
    /// SHA2-384
    Sha384,
    /// SHA2-512
    Sha512,
}

/// `authentication` of an ISAKMP policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Authentication {
    /// `pre-share`
    PreShared,
    /// `rsa-sig`
    RsaSignature,
    /// `rsa-encr`
    RsaEncryption,
}

/// The cipher of an ESP transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EspCipher {
    /// `esp-null` (RFC 2410)
    Null,
    /// `esp-des` (RFC 2405)
    Des,
    /// `esp-3des` (RFC 2451)
    TripleDes,
    /// `esp-seal`: known to the grammar, in no kernel
    Seal,
    /// `esp-aes` (RFC 3602)
    Aes128,
    /// `esp-aes 192`
    Aes192,
    /// `esp-aes 256`
    Aes256,
    /// `esp-gcm` with a 16-byte ICV (RFC 4106)
    AesGcm128,
    /// `esp-gcm 192`
    AesGcm192,
    /// `esp-gcm 256`
    AesGcm256,
    /// `esp-gmac` (RFC 4543)
    AesGmac128,
    /// `esp-gmac 192`
    AesGmac192,
    /// `esp-gmac 256`
    AesGmac256,
}

/// The authenticator of AH, or of ESP beside a cipher without its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Integrity {
    /// HMAC-MD5-96 (RFC 2403)
    HmacMd5,
    /// HMAC-SHA-1-96 (RFC 2404)
    HmacSha1,
    /// HMAC-SHA-256-128 (RFC 4868)
    HmacSha256,
    /// HMAC-SHA-384-192 (RFC 4868)
    HmacSha384,
    /// HMAC-SHA-512-256 (RFC 4868)
    HmacSha512,
}

/// An IPsec protocol by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum IpsecProtocol {
    /// Authentication Header, IP protocol 51
    Ah,
    /// Encapsulating Security Payload, IP protocol 50
    Esp,
}

/// How packets are wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mode {
    /// A new outer IP header
    Tunnel,
    /// The packet's own IP header
    Transport,
}

impl EspCipher {
    /// Bytes of keying material: the key and, for GCM and GMAC, the four bytes of salt.
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Null => 0,
            Self::Des => 8,
            Self::TripleDes => 24,
            Self::Seal => 20,
            Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
            Self::AesGcm128 | Self::AesGmac128 => 20,
            Self::AesGcm192 | Self::AesGmac192 => 28,
            Self::AesGcm256 | Self::AesGmac256 => 36,
        }
    }

    /// The value of the key length attribute in bits, for ciphers that carry one.
    pub const fn key_length_bits(self) -> Option<u16> {
        match self {
            Self::Null | Self::Des | Self::TripleDes | Self::Seal => None,
            Self::Aes128 | Self::AesGcm128 | Self::AesGmac128 => Some(128),
            Self::Aes192 | Self::AesGcm192 | Self::AesGmac192 => Some(192),
            Self::Aes256 | Self::AesGcm256 | Self::AesGmac256 => Some(256),
        }
    }

    /// True when the cipher authenticates by itself (GCM, GMAC).
    pub const fn is_aead(self) -> bool {
        matches!(
            self,
            Self::AesGcm128
                | Self::AesGcm192
                | Self::AesGcm256
                | Self::AesGmac128
                | Self::AesGmac192
                | Self::AesGmac256
        )
    }
}

impl Integrity {
    /// Bytes of keying material (the output of the hash).
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::HmacMd5 => 16,
            Self::HmacSha1 => 20,
            Self::HmacSha256 => 32,
            Self::HmacSha384 => 48,
            Self::HmacSha512 => 64,
        }
    }
}

impl fmt::Display for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Des => "des",
            Self::TripleDes => "3des",
            Self::Aes128 => "aes-128",
            Self::Aes192 => "aes-192",
            Self::Aes256 => "aes-256",
        })
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        })
    }
}

impl fmt::Display for Authentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PreShared => "pre-share",
            Self::RsaSignature => "rsa-sig",
            Self::RsaEncryption => "rsa-encr",
        })
    }
}

impl fmt::Display for EspCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "esp-null",
            Self::Des => "esp-des",
            Self::TripleDes => "esp-3des",
            Self::Seal => "esp-seal",
            Self::Aes128 => "esp-aes",
            Self::Aes192 => "esp-aes 192",
            Self::Aes256 => "esp-aes 256",
            Self::AesGcm128 => "esp-gcm",
            Self::AesGcm192 => "esp-gcm 192",
            Self::AesGcm256 => "esp-gcm 256",
            Self::AesGmac128 => "esp-gmac",
            Self::AesGmac192 => "esp-gmac 192",
            Self::AesGmac256 => "esp-gmac 256",
        })
    }
}

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HmacMd5 => "md5-hmac",
            Self::HmacSha1 => "sha-hmac",
            Self::HmacSha256 => "sha256-hmac",
            Self::HmacSha384 => "sha384-hmac",
            Self::HmacSha512 => "sha512-hmac",
        })
    }
}

impl fmt::Display for IpsecProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ah => "ah",
            Self::Esp => "esp",
        })
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tunnel => "tunnel",
            Self::Transport => "transport",
        })
    }
}
