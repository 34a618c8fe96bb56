//! Keys and hashes of IKEv1 (RFC 2409 5, 5.5, App. B).
//!
//! Phase 1: [`Skeyid`] from the pre-shared key (or the nonces and g^xy), then [`Skeyid::expand`] gives the
//! [`Phase1Keys`] which encrypt, authenticate every later exchange, and make the keys of the children
//! ([`Phase1Keys::keymat`]). Pure functions of their arguments: no state but the IV that the caller holds.

use serde::{Deserialize, Serialize};

use super::cipher::{CipherKey, Iv};
use crate::algorithm::{Encryption, Hash};
use crate::registry::ProtocolId;
use crate::secret::Secret;
use crate::wire::{Cookies, Expected, Malformed};

/// What both phase 1 hashes cover, besides the identity.
#[derive(Debug, Clone, Copy)]
pub struct Transcript<'a> {
    /// Both cookies.
    pub cookies: Cookies,
    /// g^xi, as in the KE payload.
    pub initiator_public: &'a [u8],
    /// g^xr, as in the KE payload.
    pub responder_public: &'a [u8],
    /// SAi_b: body of the initiator's SA payload as it went over the wire.
    pub sa_body: &'a [u8],
}

/// SKEYID: lives from the key exchange to the end of phase 1's authentication.
#[derive(Debug, Clone)]
pub struct Skeyid {
    hash: Hash,
    value: Secret,
}

impl Skeyid {
    /// SKEYID = prf(pre-shared-key, Ni_b | Nr_b) (RFC 2409 5, pre-shared keys).
    pub fn pre_shared(
        hash: Hash,
        key: &Secret,
        initiator_nonce: &[u8],
        responder_nonce: &[u8],
    ) -> Self {
        Self {
            hash,
            value: Secret::new(hash.prf(key.expose(), &[initiator_nonce, responder_nonce])),
        }
    }

    /// SKEYID = prf(Ni_b | Nr_b, g^xy) (RFC 2409 5, signatures).
    pub fn signature(
        hash: Hash,
        initiator_nonce: &[u8],
        responder_nonce: &[u8],
        shared: &Secret,
    ) -> Self {
        let nonces = [initiator_nonce, responder_nonce].concat();
        Self {
            hash,
            value: Secret::new(hash.prf(&nonces, &[shared.expose()])),
        }
    }

    /// SKEYID_d, SKEYID_a and the encryption key from SKEYID_e (RFC 2409 5, App. B).
    pub fn expand(&self, encryption: Encryption, cookies: Cookies, shared: &Secret) -> Phase1Keys {
        let cookies = cookies.bytes();
        let key = self.value.expose();
        let derive = |previous: &Secret, octet: u8| {
            Secret::new(self.hash.prf(
                key,
                &[previous.expose(), shared.expose(), &cookies, &[octet]],
            ))
        };
        let skeyid_d = derive(&Secret::default(), 0);
        let skeyid_a = derive(&skeyid_d, 1);
        let skeyid_e = derive(&skeyid_a, 2);
        Phase1Keys {
            hash: self.hash,
            skeyid_d,
            skeyid_a,
            cipher: CipherKey::from_skeyid_e(self.hash, encryption, &skeyid_e),
        }
    }

    /// HASH_I = prf(SKEYID, g^xi | g^xr | CKY-I | CKY-R | SAi_b | IDii_b).
    pub fn hash_i(&self, transcript: &Transcript<'_>, id_body: &[u8]) -> Vec<u8> {
        let t = transcript;
        let (initiator, responder) = (t.cookies.initiator.0, t.cookies.responder.0);
        let parts = [
            t.initiator_public,
            t.responder_public,
            &initiator,
            &responder,
            t.sa_body,
            id_body,
        ];
        self.hash.prf(self.value.expose(), &parts)
    }

    /// HASH_R = prf(SKEYID, g^xr | g^xi | CKY-R | CKY-I | SAi_b | IDir_b).
    pub fn hash_r(&self, transcript: &Transcript<'_>, id_body: &[u8]) -> Vec<u8> {
        let t = transcript;
        let (initiator, responder) = (t.cookies.initiator.0, t.cookies.responder.0);
        let parts = [
            t.responder_public,
            t.initiator_public,
            &responder,
            &initiator,
            t.sa_body,
            id_body,
        ];
        self.hash.prf(self.value.expose(), &parts)
    }
}

/// The keys of an IKEv1 SA. Serialisable, so that a restarted daemon can go on with the SA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase1Keys {
    hash: Hash,
    skeyid_d: Secret,
    skeyid_a: Secret,
    cipher: CipherKey,
}

/// What goes into the keying material of one SA of a child (RFC 2409 5.5).
#[derive(Debug, Clone, Copy)]
pub struct Keymat<'a> {
    /// g(qm)^xy, with PFS.
    pub shared: Option<&'a Secret>,
    /// Protocol of the SA.
    pub protocol: ProtocolId,
    /// SPI of the SA: the receiver's, so each direction has keys of its own.
    pub spi: &'a [u8],
    /// Ni_b of the quick mode.
    pub initiator_nonce: &'a [u8],
    /// Nr_b of the quick mode.
    pub responder_nonce: &'a [u8],
}

impl Phase1Keys {
    /// The negotiated hash.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The negotiated cipher.
    pub fn encryption(&self) -> Encryption {
        self.cipher.encryption()
    }

    /// IV of the first encrypted message of phase 1: hash(g^xi | g^xr).
    pub fn first_iv(&self, initiator_public: &[u8], responder_public: &[u8]) -> Iv {
        let material = self.hash.digest(&[initiator_public, responder_public]);
        Iv::from_material(&material)
    }

    /// IV of the first message of a later exchange: hash(last phase 1 block | message id).
    pub fn exchange_iv(&self, last_phase1_block: &Iv, message_id: u32) -> Iv {
        let material = self.hash.digest(&[
            last_phase1_block.block(self.encryption()),
            &message_id.to_be_bytes(),
        ]);
        Iv::from_material(&material)
    }

    /// Encrypts payload bytes, padded with zeros to whole blocks, and moves the IV on.
    pub fn encrypt(&self, iv: &mut Iv, mut payloads: Vec<u8>) -> Vec<u8> {
        let block = self.encryption().block_bytes();
        payloads.resize(payloads.len().next_multiple_of(block), 0);
        // The padding makes whole blocks, and `expand` made a key of the cipher's length.
        if self.cipher.encrypt(iv, &mut payloads).is_err() {
            unreachable!("padded payloads are whole blocks");
        }
        payloads
    }

    /// Decrypts and moves the IV on. Nothing is authenticated by this: keep the old IV until the hash is right.
    ///
    /// # Errors
    /// [`Malformed`] if the ciphertext is empty or not whole blocks.
    pub fn decrypt(&self, iv: &mut Iv, ciphertext: &[u8]) -> Result<Vec<u8>, Malformed> {
        let malformed = Malformed {
            what: "length of the encrypted part",
            offset: crate::wire::HEADER_LENGTH,
            expected: Expected::MultipleOf(self.encryption().block_bytes()),
            got: ciphertext.len(),
        };
        if ciphertext.is_empty() {
            return Err(malformed);
        }
        let mut plain = ciphertext.to_vec();
        self.cipher.decrypt(iv, &mut plain).map_err(|_| malformed)?;
        Ok(plain)
    }

    /// HASH(1) of quick mode = prf(SKEYID_a, M-ID | payloads after the hash), and the hash of an informational
    /// exchange (RFC 2409 5.7) and of a transaction, which have the same form.
    pub fn hash_1(&self, message_id: u32, payloads: &[u8]) -> Vec<u8> {
        self.hash.prf(
            self.skeyid_a.expose(),
            &[&message_id.to_be_bytes(), payloads],
        )
    }

    /// HASH(2) = prf(SKEYID_a, M-ID | Ni_b | payloads after the hash).
    pub fn hash_2(&self, message_id: u32, initiator_nonce: &[u8], payloads: &[u8]) -> Vec<u8> {
        self.hash.prf(
            self.skeyid_a.expose(),
            &[&message_id.to_be_bytes(), initiator_nonce, payloads],
        )
    }

    /// HASH(3) = prf(SKEYID_a, 0 | M-ID | Ni_b | Nr_b).
    pub fn hash_3(
        &self,
        message_id: u32,
        initiator_nonce: &[u8],
        responder_nonce: &[u8],
    ) -> Vec<u8> {
        let parts: [&[u8]; 4] = [
            &[0],
            &message_id.to_be_bytes(),
            initiator_nonce,
            responder_nonce,
        ];
        self.hash.prf(self.skeyid_a.expose(), &parts)
    }

    /// `length` bytes of KEYMAT = K1 | K2 | ..., Kn = prf(SKEYID_d, Kn-1 | [g(qm)^xy |] protocol | SPI | Ni_b | Nr_b).
    pub fn keymat(&self, from: &Keymat<'_>, length: usize) -> Secret {
        let shared = from.shared.map_or(&[][..], Secret::expose);
        let protocol = [from.protocol.0];
        self.hash.expand(length, |previous| {
            let parts = [
                previous,
                shared,
                &protocol,
                from.spi,
                from.initiator_nonce,
                from.responder_nonce,
            ];
            self.hash.prf(self.skeyid_d.expose(), &parts)
        })
    }
}
