//! Every derivation of IKEv1 against `keying_vectors`.

use super::super::{Keymat, Phase1Keys, Skeyid, Transcript};
use super::hex;
use super::keying_vectors::{VECTORS, Vector};
use crate::algorithm::{Encryption, Hash};
use crate::registry::ProtocolId;
use crate::secret::Secret;
use crate::wire::{Cookie, Cookies};

const SA_BODY: &[u8] = b"SA body as sent";
const REST: &[u8] = b"payloads after the hash";
const MESSAGE_ID: u32 = 0xdead_beef;
const ID_I: [u8; 8] = [1, 0, 0, 0, 192, 0, 2, 1];
const ID_R: [u8; 8] = [1, 0, 0, 0, 198, 51, 100, 1];

fn cookies() -> Cookies {
    Cookies {
        initiator: Cookie(0x1122_3344_5566_7788_u64.to_be_bytes()),
        responder: Cookie(0x99aa_bbcc_ddee_ff00_u64.to_be_bytes()),
    }
}

fn transcript() -> Transcript<'static> {
    Transcript {
        cookies: cookies(),
        initiator_public: &[0xa1; 96],
        responder_public: &[0xb2; 96],
        sa_body: SA_BODY,
    }
}

fn nonces() -> (Vec<u8>, Vec<u8>) {
    ((0..16).collect(), (0x80..0x80 + 20).collect())
}

fn shared() -> Secret {
    Secret::new(vec![0xc3; 96])
}

fn skeyid(hash: Hash) -> Skeyid {
    let (initiator, responder) = nonces();
    Skeyid::pre_shared(hash, &Secret::from("cisco123"), &initiator, &responder)
}

fn keys(hash: Hash, encryption: Encryption) -> Phase1Keys {
    skeyid(hash).expand(encryption, cookies(), &shared())
}

#[test]
fn phase_1_hashes() {
    for vector in VECTORS {
        let skeyid = skeyid(vector.hash);
        assert_eq!(hex(&skeyid.hash_i(&transcript(), &ID_I)), vector.hash_i);
        assert_eq!(hex(&skeyid.hash_r(&transcript(), &ID_R)), vector.hash_r);
    }
}

#[test]
fn signature_skeyid() {
    let (initiator, responder) = nonces();
    for vector in VECTORS {
        let skeyid = Skeyid::signature(vector.hash, &initiator, &responder, &shared());
        assert_eq!(
            hex(&skeyid.hash_i(&transcript(), &ID_I)),
            vector.signature_hash_i
        );
    }
}

#[test]
fn encryption_keys_and_ivs() {
    for Vector {
        hash,
        encryption,
        ciphertext,
        exchange_ciphertext,
        ..
    } in VECTORS
    {
        let keys = keys(hash, encryption);
        let t = transcript();
        let first = keys.first_iv(t.initiator_public, t.responder_public);
        let mut iv = first;
        let sealed = keys.encrypt(&mut iv, SA_BODY.to_vec());
        assert_eq!(hex(&sealed), ciphertext, "{hash} {encryption}");
        let mut later = keys.exchange_iv(&iv, MESSAGE_ID);
        assert_eq!(
            hex(&keys.encrypt(&mut later, SA_BODY.to_vec())),
            exchange_ciphertext,
            "{hash} {encryption}"
        );
        let mut opening = first;
        let plain = keys.decrypt(&mut opening, &sealed).unwrap();
        assert!(plain.starts_with(SA_BODY) && plain[SA_BODY.len()..].iter().all(|b| *b == 0));
        assert_eq!(opening, iv);
    }
}

#[test]
fn exchange_hashes() {
    for vector in VECTORS {
        let keys = keys(vector.hash, vector.encryption);
        assert_eq!(hex(&keys.hash_1(MESSAGE_ID, REST)), vector.hash_1);
        assert_eq!(
            hex(&keys.hash_2(MESSAGE_ID, &[0x31; 20], REST)),
            vector.hash_2
        );
        assert_eq!(
            hex(&keys.hash_3(MESSAGE_ID, &[0x31; 20], &[0x32; 24])),
            vector.hash_3
        );
    }
}

#[test]
fn keying_material_of_children() {
    let pfs = Secret::new(vec![0xd4; 128]);
    for vector in VECTORS {
        let keys = keys(vector.hash, vector.encryption);
        let from = Keymat {
            shared: None,
            protocol: ProtocolId::ESP,
            spi: &[0xca, 0xfe, 0xba, 0xbe],
            initiator_nonce: &[0x31; 20],
            responder_nonce: &[0x32; 24],
        };
        assert_eq!(hex(keys.keymat(&from, 100).expose()), vector.keymat);
        assert_eq!(
            hex(keys
                .keymat(
                    &Keymat {
                        shared: Some(&pfs),
                        ..from
                    },
                    52
                )
                .expose()),
            vector.keymat_pfs
        );
        assert!(keys.keymat(&from, 0).is_empty());
    }
}

#[test]
fn ciphertext_that_is_not_blocks_is_malformed() {
    let keys = keys(Hash::Sha1, Encryption::Aes128);
    let start = keys.first_iv(&[1], &[2]);
    for length in [0, 1, 15, 17] {
        let mut iv = start;
        let error = keys.decrypt(&mut iv, &vec![0; length]).unwrap_err();
        assert_eq!((error.got, iv), (length, start));
        assert!(error.to_string().contains("a multiple of 16"), "{error}");
    }
}
