//! What the primitives cost: a key pair and a shared secret in every group, and the symmetric work of one message.
//!
//! Run with `cargo bench -p ike --bench primitives`. For the ECP groups aws-lc-rs with its own randomness is the floor.

use std::hint::black_box;

use divan::Bencher;
use ike::algorithm::{Encryption, Hash};
use ike::crypto::{Group, KeyPair, Secret, Skeyid};
use ike::random::Randomness;
use ike::wire::{Cookie, Cookies};

fn main() {
    divan::main();
}

/// Bytes that differ from run to run only in their seed (xorshift): enough to measure with.
struct Seeded(u64);

impl Randomness for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = (self.0 >> 24) as u8;
        }
    }
}

fn seeded() -> Seeded {
    Seeded(0x9E37_79B9_7F4A_7C15)
}

/// One side of an exchange: a key pair and the secret with the peer's.
#[divan::bench(args = Group::ALL)]
fn key_pair_and_secret(bencher: Bencher, group: Group) {
    let mut random = seeded();
    let peer = KeyPair::generate(group, &mut random);
    bencher.bench_local(|| {
        let own = KeyPair::generate(group, &mut random);
        own.agree(black_box(peer.public()))
    });
}

#[divan::bench(args = Group::ALL)]
fn key_pair(bencher: Bencher, group: Group) {
    let mut random = seeded();
    KeyPair::generate(group, &mut random);
    bencher.bench_local(|| KeyPair::generate(group, &mut random));
}

/// The floor of the ECP groups.
#[divan::bench(args = ["ecp256", "ecp384", "ecp521"])]
fn aws_lc_key_pair_and_secret(bencher: Bencher, curve: &str) {
    use aws_lc_rs::agreement::{
        ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey, agree,
    };
    let algorithm = match curve {
        "ecp256" => &ECDH_P256,
        "ecp384" => &ECDH_P384,
        _ => &ECDH_P521,
    };
    let peer = PrivateKey::generate(algorithm).unwrap();
    let peer = peer.compute_public_key().unwrap();
    bencher.bench_local(|| {
        let own = PrivateKey::generate(algorithm).unwrap();
        let public = own.compute_public_key().unwrap();
        let secret = agree(
            &own,
            UnparsedPublicKey::new(algorithm, peer.as_ref()),
            (),
            |x| Ok(x.to_vec()),
        );
        (public, secret)
    });
}

const CIPHERS: [Encryption; 5] = [
    Encryption::Des,
    Encryption::TripleDes,
    Encryption::Aes128,
    Encryption::Aes192,
    Encryption::Aes256,
];
const HASHES: [Hash; 5] = [
    Hash::Md5,
    Hash::Sha1,
    Hash::Sha256,
    Hash::Sha384,
    Hash::Sha512,
];
const MESSAGE: usize = 300;

/// Encrypts a message of 300 bytes.
#[divan::bench(args = CIPHERS)]
fn encrypt_message(bencher: Bencher, encryption: Encryption) {
    let secret = Secret::new(vec![7; 256]);
    let skeyid = Skeyid::pre_shared(
        Hash::Sha256,
        &Secret::new(b"key".to_vec()),
        &[1; 20],
        &[2; 20],
    );
    let cookies = Cookies {
        initiator: Cookie([1; 8]),
        responder: Cookie([2; 8]),
    };
    let keys = skeyid.expand(encryption, cookies, &secret);
    let iv = keys.first_iv(&[1; 256], &[2; 256]);
    bencher
        .with_inputs(|| (iv, vec![5; MESSAGE]))
        .bench_local_values(|(mut iv, message)| keys.encrypt(&mut iv, message));
}

/// HMAC of a message of 300 bytes.
#[divan::bench(args = HASHES)]
fn authenticate_message(bencher: Bencher, hash: Hash) {
    let message = [5; MESSAGE];
    bencher.bench_local(|| hash.prf(black_box(&[3; 20]), &[black_box(&message)]));
}
