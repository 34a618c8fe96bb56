//! CBC encryption of phase 1 and of the exchanges under it (RFC 2409 App. B, RFC 2451, RFC 3602).

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use cbc::{Decryptor, Encryptor};
use des::{Des, TdesEde3};
use serde::{Deserialize, Serialize};

use crate::algorithm::{Encryption, Hash};
use crate::secret::Secret;

/// Longest block of any cipher here, in bytes.
const MAX_BLOCK: usize = 16;

/// DES weak and semi-weak keys without their parity bits. RFC 2409 App. A lists them with odd parity; its second and
/// third weak keys are misprinted there, these are the ones of FIPS 74.
const WEAK_DES_KEYS: [u64; 16] = [
    0x0000_0000_0000_0000,
    0x1E1E_1E1E_0E0E_0E0E,
    0xE0E0_E0E0_F0F0_F0F0,
    0xFEFE_FEFE_FEFE_FEFE,
    0x00FE_00FE_00FE_00FE,
    0x1EE0_1EE0_0EF0_0EF0,
    0x00E0_00E0_00F0_00F0,
    0x1EFE_1EFE_0EFE_0EFE,
    0x001E_001E_000E_000E,
    0xE0FE_E0FE_F0FE_F0FE,
    0xFE00_FE00_FE00_FE00,
    0xE01E_E01E_F00E_F00E,
    0xE000_E000_F000_F000,
    0xFE1E_FE1E_FE0E_FE0E,
    0x1E00_1E00_0E00_0E00,
    0xFEE0_FEE0_FEF0_FEF0,
];

impl Encryption {
    /// Bytes of key.
    pub const fn key_bytes(self) -> usize {
        match self {
            Self::Des => 8,
            Self::TripleDes | Self::Aes192 => 24,
            Self::Aes128 => 16,
            Self::Aes256 => 32,
        }
    }

    /// Bytes of a block, and of an IV.
    pub const fn block_bytes(self) -> usize {
        match self {
            Self::Des | Self::TripleDes => 8,
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
        }
    }
}

/// Initialization vector: the last ciphertext block of the message before, in an exchange. Not secret.
///
/// Holds the longest block there is; a cipher with shorter blocks uses the leading bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Iv([u8; MAX_BLOCK]);

impl Iv {
    /// The leading bytes of `material`, up to the longest block.
    pub(super) fn from_material(material: &[u8]) -> Self {
        let mut bytes = [0; MAX_BLOCK];
        let taken = material.len().min(MAX_BLOCK);
        bytes[..taken].copy_from_slice(&material[..taken]);
        Self(bytes)
    }

    /// The bytes that `encryption` uses.
    pub(super) fn block(&self, encryption: Encryption) -> &[u8] {
        &self.0[..encryption.block_bytes()]
    }
}

/// A cipher with its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredCipherKey")]
pub(super) struct CipherKey {
    encryption: Encryption,
    key: Secret,
}

/// A key read back from storage, its length not yet checked.
#[derive(Deserialize)]
struct StoredCipherKey {
    encryption: Encryption,
    key: Secret,
}

impl TryFrom<StoredCipherKey> for CipherKey {
    type Error = WrongKeyLength;

    fn try_from(stored: StoredCipherKey) -> Result<Self, WrongKeyLength> {
        Self::new(stored.encryption, stored.key)
    }
}

/// A key that has not its cipher's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key of {got} bytes where {encryption} needs {expected}")]
pub(super) struct WrongKeyLength {
    encryption: Encryption,
    expected: usize,
    got: usize,
}

/// Data that is not a whole number of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotBlocks;

impl CipherKey {
    /// The phase 1 key from SKEYID_e (RFC 2409 App. B): SKEYID_e itself if it is long enough, else K1 | K2 | ...
    /// For DES, the first eight bytes that are not a weak or semi-weak key.
    pub(super) fn from_skeyid_e(hash: Hash, encryption: Encryption, skeyid_e: &Secret) -> Self {
        let length = encryption.key_bytes();
        let bytes = skeyid_e.expose();
        let key = match encryption {
            Encryption::Des => strong_des_key(bytes),
            _ if bytes.len() >= length => bytes[..length].to_vec(),
            _ => {
                return Self {
                    encryption,
                    key: hash.expand(length, |previous| {
                        let seed: &[u8] = if previous.is_empty() { &[0] } else { previous };
                        hash.prf(bytes, &[seed])
                    }),
                };
            }
        };
        Self {
            encryption,
            key: Secret::new(key),
        }
    }

    /// A key as it is.
    pub(super) fn new(encryption: Encryption, key: Secret) -> Result<Self, WrongKeyLength> {
        match (key.expose().len(), encryption.key_bytes()) {
            (got, expected) if got == expected => Ok(Self { encryption, key }),
            (got, expected) => Err(WrongKeyLength {
                encryption,
                expected,
                got,
            }),
        }
    }

    pub(super) fn encryption(&self) -> Encryption {
        self.encryption
    }

    /// Encrypts whole blocks in place and moves the IV to the last block of the ciphertext.
    pub(super) fn encrypt(&self, iv: &mut Iv, data: &mut [u8]) -> Result<(), NotBlocks> {
        let key = self.key.expose();
        match self.encryption {
            Encryption::Des => encrypt::<Des>(key, iv.block(self.encryption), data)?,
            Encryption::TripleDes => encrypt::<TdesEde3>(key, iv.block(self.encryption), data)?,
            Encryption::Aes128 => encrypt::<Aes128>(key, iv.block(self.encryption), data)?,
            Encryption::Aes192 => encrypt::<Aes192>(key, iv.block(self.encryption), data)?,
            Encryption::Aes256 => encrypt::<Aes256>(key, iv.block(self.encryption), data)?,
        }
        self.advance(iv, data);
        Ok(())
    }

    /// Decrypts whole blocks in place and moves the IV to the last block of the ciphertext.
    pub(super) fn decrypt(&self, iv: &mut Iv, data: &mut [u8]) -> Result<(), NotBlocks> {
        let key = self.key.expose();
        let mut next = *iv;
        self.advance(&mut next, data);
        match self.encryption {
            Encryption::Des => decrypt::<Des>(key, iv.block(self.encryption), data)?,
            Encryption::TripleDes => decrypt::<TdesEde3>(key, iv.block(self.encryption), data)?,
            Encryption::Aes128 => decrypt::<Aes128>(key, iv.block(self.encryption), data)?,
            Encryption::Aes192 => decrypt::<Aes192>(key, iv.block(self.encryption), data)?,
            Encryption::Aes256 => decrypt::<Aes256>(key, iv.block(self.encryption), data)?,
        }
        *iv = next;
        Ok(())
    }

    fn advance(&self, iv: &mut Iv, ciphertext: &[u8]) {
        let block = self.encryption.block_bytes();
        if let Some(start) = ciphertext.len().checked_sub(block) {
            *iv = Iv::from_material(&ciphertext[start..]);
        }
    }
}

/// The first of the consecutive 8-byte strings that is a strong key; the first one if none is, which no hash gives.
fn strong_des_key(bytes: &[u8]) -> Vec<u8> {
    let keys = bytes.as_chunks::<8>().0;
    let strong = keys.iter().find(|key| !is_weak_des_key(**key));
    strong
        .or(keys.first())
        .copied()
        .unwrap_or_default()
        .to_vec()
}

/// Whether a DES key is weak or semi-weak, whatever its parity bits.
fn is_weak_des_key(key: [u8; 8]) -> bool {
    WEAK_DES_KEYS.contains(&(u64::from_be_bytes(key) & 0xFEFE_FEFE_FEFE_FEFE))
}

fn encrypt<C>(key: &[u8], iv: &[u8], data: &mut [u8]) -> Result<(), NotBlocks>
where
    C: cbc::cipher::BlockCipherEncrypt + cbc::cipher::KeyInit,
{
    let mut cbc = Encryptor::<C>::new_from_slices(key, iv).map_err(|_| NotBlocks)?;
    let (blocks, []) = cbc::cipher::Array::slice_as_chunks_mut(data) else {
        return Err(NotBlocks);
    };
    cbc.encrypt_blocks(blocks);
    Ok(())
}

fn decrypt<C>(key: &[u8], iv: &[u8], data: &mut [u8]) -> Result<(), NotBlocks>
where
    C: cbc::cipher::BlockCipherDecrypt + cbc::cipher::KeyInit,
{
    let mut cbc = Decryptor::<C>::new_from_slices(key, iv).map_err(|_| NotBlocks)?;
    let (blocks, []) = cbc::cipher::Array::slice_as_chunks_mut(data) else {
        return Err(NotBlocks);
    };
    cbc.decrypt_blocks(blocks);
    Ok(())
}
