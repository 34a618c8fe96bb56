//! Hashes ("abc", FIPS 180 and RFC 1321) and HMACs (RFC 2202, RFC 4231, RFC 4868 2.7).

use super::hex;
use crate::algorithm::Hash;

#[test]
fn digests_of_abc_in_parts() {
    for (hash, expected) in [
        (Hash::Md5, "900150983cd24fb0d6963f7d28e17f72"),
        (Hash::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (
            Hash::Sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            Hash::Sha384,
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        ),
        (
            Hash::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
    ] {
        assert_eq!(hex(&hash.digest(&[b"a", b"", b"bc"])), expected);
        assert_eq!(hash.digest(&[b"abc"]).len(), hash.output_length());
    }
}

#[test]
fn macs_of_hi_there() {
    for (hash, key, expected) in [
        (Hash::Md5, 16, "9294727a3638bb1c13f48ef8158bfc9d"),
        (Hash::Sha1, 20, "b617318655057264e28bc0b6fb378c8ef146be00"),
        (
            Hash::Sha256,
            20,
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        ),
        (
            Hash::Sha384,
            48,
            "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee9737a959796489bddbc4c5df61d5b3297b4fb68dab9f1b582c2",
        ),
        (
            Hash::Sha512,
            20,
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde\
             daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
        ),
    ] {
        assert_eq!(
            hex(&hash.prf(&vec![0x0b; key], &[b"Hi ", b"There"])),
            expected
        );
    }
}

#[test]
fn a_key_longer_than_the_block_is_hashed_first() {
    let (key, data) = (
        [0xaa; 80],
        b"Test Using Larger Than Block-Size Key - Hash Key First",
    );
    assert_eq!(
        hex(&Hash::Md5.prf(&key, &[data])),
        "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"
    );
    assert_eq!(
        hex(&Hash::Sha1.prf(&key, &[data])),
        "aa4ae5e15272d00e95705637ce8a3b55ed402112"
    );
}

#[test]
fn hmac_sha_512_of_rfc_4868() {
    let key = b"Jefe".repeat(16);
    assert_eq!(
        hex(&Hash::Sha512.prf(&key, &[b"what do ya want for nothing?"])),
        "cb370917ae8a7ce28cfd1d8f4705d6141c173b2a9362c15df235dfb251b15454\
         6aa334ae9fb9afc2184932d8695e397bfa0ffb93466cfcceaae38c833b7dba38"
    );
}
