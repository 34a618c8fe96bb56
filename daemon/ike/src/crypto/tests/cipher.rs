//! CBC vectors (RFC 3602 4, FIPS 81), IV chaining, and the DES keys that must not be used (RFC 2409 App. A).

use super::super::cipher::{CipherKey, Iv, NotBlocks};
use super::{hex, unhex};
use crate::algorithm::{Encryption, Hash};
use crate::secret::Secret;

fn key(encryption: Encryption, hex: &str) -> CipherKey {
    CipherKey::new(encryption, Secret::new(unhex(hex))).unwrap()
}

fn check(key: &CipherKey, iv: &str, plain: &[u8], cipher: &str) {
    let iv = Iv::from_material(&unhex(iv));
    let (mut data, mut after) = (plain.to_vec(), iv);
    key.encrypt(&mut after, &mut data).unwrap();
    assert_eq!(hex(&data), cipher);
    let block = key.encryption().block_bytes();
    assert_eq!(after.block(key.encryption()), &data[data.len() - block..]);
    let mut again = iv;
    key.decrypt(&mut again, &mut data).unwrap();
    assert_eq!(data, plain);
    assert_eq!(again, after);
}

#[test]
fn aes_128_of_rfc_3602() {
    check(
        &key(Encryption::Aes128, "06a9214036b8a15b512e03d534120006"),
        "3dafba429d9eb430b422da802c9fac41",
        b"Single block msg",
        "e353779c1079aeb82708942dbe77181a",
    );
    check(
        &key(Encryption::Aes128, "6c3ea0477630ce21a2ce334aa746c2cd"),
        "c782dc4c098c66cbd9cd27d825682c81",
        b"This is a 48-byte message (exactly 3 AES blocks)",
        "d0a02b3836451753d493665d33f0e8862dea54cdb293abc7506939276772f8d5021c19216bad525c8579695d83ba2684",
    );
}

#[test]
fn des_of_fips_81() {
    check(
        &key(Encryption::Des, "0123456789abcdef"),
        "1234567890abcdef",
        b"Now is the time for all ",
        "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6",
    );
}

#[test]
fn triple_des_with_one_key_three_times_is_des() {
    check(
        &key(Encryption::TripleDes, &"0123456789abcdef".repeat(3)),
        "1234567890abcdef",
        b"Now is the time for all ",
        "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6",
    );
}

#[test]
fn two_messages_with_the_iv_carried_over_are_one_long_message() {
    let key = key(Encryption::Aes256, &"4b".repeat(32));
    let start = Iv::from_material(&[9; 20]);
    let (mut whole, mut iv) = ([7; 96], start);
    key.encrypt(&mut iv, &mut whole).unwrap();
    let (mut parts, mut chained) = ([7; 96], start);
    let (first, second) = parts.split_at_mut(32);
    key.encrypt(&mut chained, first).unwrap();
    key.encrypt(&mut chained, second).unwrap();
    assert_eq!(whole, parts);
    assert_eq!(iv, chained);
}

#[test]
fn a_part_of_a_block_is_refused_and_the_iv_stays() {
    for encryption in [Encryption::Des, Encryption::TripleDes, Encryption::Aes128] {
        let key = CipherKey::new(encryption, Secret::new(vec![3; encryption.key_bytes()])).unwrap();
        let start = Iv::from_material(&[1; 16]);
        let (mut iv, mut data) = (start, [0; 33]);
        assert_eq!(key.decrypt(&mut iv, &mut data), Err(NotBlocks));
        assert_eq!(iv, start);
    }
}

#[test]
fn a_key_of_the_wrong_length_is_refused() {
    let error = CipherKey::new(Encryption::Aes192, Secret::new(vec![1; 16])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a key of 16 bytes where aes-192 needs 24"
    );
}

#[test]
fn weak_des_keys_are_stepped_over() {
    // SKEYID_e of 20 bytes: a weak key, then a semi-weak one, then too few bytes: the first is taken. With MD5's 16
    // bytes and a strong second half, the second half is taken.
    let derive = |bytes: &str| {
        CipherKey::from_skeyid_e(Hash::Sha1, Encryption::Des, &Secret::new(unhex(bytes)))
    };
    let strong = "0123456789abcdef";
    for weak in [
        "0101010101010101",
        "1f1f1f1f0e0e0e0e",
        "e0e0e0e0f1f1f1f1",
        "fefefefefefefefe",
        "01fe01fe01fe01fe",
        "1fe01fe00ef10ef1",
        "01e001e001f101f1",
        "1ffe1ffe0efe0efe",
        "011f011f010e010e",
        "e0fee0fef1fef1fe",
        "fe01fe01fe01fe01",
        "e01fe01ff10ef10e",
        "e001e001f101f101",
        "fe1ffe1ffe0efe0e",
        "1f011f010e010e01",
        "fee0fee0fef1fef1",
        "0000000000000000",
        "ffffffffffffffff",
    ] {
        assert_eq!(
            derive(&format!("{weak}{strong}")),
            key(Encryption::Des, strong),
            "{weak}"
        );
        assert_eq!(
            derive(&format!("{strong}{weak}")),
            key(Encryption::Des, strong)
        );
    }
    assert_eq!(
        derive("010101010101010101fe01fe01fe01fe00000000"),
        key(Encryption::Des, "0101010101010101")
    );
}

#[test]
fn debug_shows_nothing_of_the_key() {
    let shown = format!("{:?}", key(Encryption::Des, "0123456789abcdef"));
    assert!(!shown.contains("01") && !shown.contains("35"), "{shown}");
}
