//! The groups: their primes, published and independent answers, and the values that must be refused.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U256, U768, U1024, U1536, U2048, U3072, U4096, Uint};

use super::super::dh::constants;
use super::super::dh::ecp::{self, Curve};
use super::super::dh::modp;
use super::super::{DhError, Group, KeyPair};
use super::dh_vectors::*;
use super::{Counter, hex, unhex};
use crate::algorithm::Hash;

/// Miller and Rabin's test to the first primes as bases.
fn is_prime<const LIMBS: usize>(n: Uint<LIMBS>) -> bool {
    let params = FixedMontyParams::new_vartime(Odd::new(n).unwrap());
    let less_one = n.wrapping_sub(&Uint::ONE);
    let twos = less_one.trailing_zeros_vartime();
    let odd = less_one.shr_vartime(twos);
    let one = FixedMontyForm::one(&params);
    [2u8, 3, 5].into_iter().all(|base| {
        let mut power = FixedMontyForm::new(&Uint::from_u8(base), &params).pow_vartime(&odd);
        if power == one || power == -one {
            return true;
        }
        (1..twos).any(|_| {
            power = power.square();
            power == -one
        })
    })
}

fn check_safe_prime<const LIMBS: usize>(p: Uint<LIMBS>) {
    assert!(is_prime(p));
    assert!(is_prime(p.shr_vartime(1)));
    // 2^n - 2^(n-64) - 1 + 2^64 * ...: both ends are ones (RFC 2409 6, RFC 3526).
    assert_eq!(p.as_limbs()[0].0, u64::MAX);
    assert_eq!(p.as_limbs()[LIMBS - 1].0, u64::MAX);
}

#[test]
fn the_primes_are_safe_primes() {
    check_safe_prime(U768::from_be_hex(constants::P768));
    check_safe_prime(U1024::from_be_hex(constants::P1024));
    check_safe_prime(U1536::from_be_hex(constants::P1536));
    check_safe_prime(U2048::from_be_hex(constants::P2048));
    check_safe_prime(U3072::from_be_hex(constants::P3072));
    check_safe_prime(U4096::from_be_hex(constants::P4096));
}

#[test]
fn group_24_has_the_subgroup_it_claims() {
    let p = U2048::from_be_hex(constants::P2048_256);
    let q = U256::from_be_hex(constants::Q2048_256);
    assert!(is_prime(p) && is_prime(q));
    let params = FixedMontyParams::new_vartime(Odd::new(p).unwrap());
    let generator = FixedMontyForm::new(&U2048::from_be_hex(constants::G2048_256), &params);
    assert_ne!(generator, FixedMontyForm::one(&params));
    assert_eq!(generator.pow_vartime(&q), FixedMontyForm::one(&params));
}

#[test]
fn ecp_of_rfc_5903() {
    for vector in ECP {
        let curve = Curve::of(vector.group).unwrap();
        let (initiator, public) = ecp::from_scalar(curve, &unhex(vector.initiator));
        assert_eq!(hex(&public), vector.initiator_public);
        let (responder, public) = ecp::from_scalar(curve, &unhex(vector.responder));
        assert_eq!(hex(&public), vector.responder_public);
        let secret = initiator.agree(&unhex(vector.responder_public)).unwrap();
        assert_eq!(hex(secret.expose()), vector.shared);
        assert_eq!(
            responder.agree(&unhex(vector.initiator_public)).unwrap(),
            secret
        );
    }
}

#[test]
fn group_24_of_rfc_5114() {
    let group = modp::group(Group::Modp2048Subgroup256);
    let (a, b) = (
        modp::Exponent::new(GROUP_24_A_PRIVATE),
        modp::Exponent::new(GROUP_24_B_PRIVATE),
    );
    assert_eq!(hex(&group.public(&a)), GROUP_24_A_PUBLIC);
    assert_eq!(hex(&group.public(&b)), GROUP_24_B_PUBLIC);
    assert_eq!(
        hex(group.agree(&a, &unhex(GROUP_24_B_PUBLIC)).unwrap().expose()),
        GROUP_24_SHARED
    );
    assert_eq!(
        hex(group.agree(&b, &unhex(GROUP_24_A_PUBLIC)).unwrap().expose()),
        GROUP_24_SHARED
    );
}

#[test]
fn modp_powers_agree_with_big_integers_elsewhere() {
    let digest = |bytes: &[u8]| hex(&Hash::Sha256.digest(&[bytes]));
    for vector in MODP {
        let initiator = KeyPair::generate(vector.group, &mut Counter(1));
        let responder = KeyPair::generate(vector.group, &mut Counter(101));
        assert_eq!(
            digest(initiator.public()),
            vector.initiator_public,
            "{}",
            vector.group
        );
        assert_eq!(
            digest(responder.public()),
            vector.responder_public,
            "{}",
            vector.group
        );
        let shared = initiator.agree(responder.public()).unwrap();
        assert_eq!(digest(shared.expose()), vector.shared, "{}", vector.group);
        assert_eq!(responder.agree(initiator.public()).unwrap(), shared);
    }
}

#[test]
fn both_sides_agree_in_every_group_and_randomness_decides() {
    for group in Group::ALL {
        let (a, b) = (
            KeyPair::generate(group, &mut Counter(3)),
            KeyPair::generate(group, &mut Counter(90)),
        );
        assert_eq!(a.public().len(), group.public_bytes());
        assert_ne!(a.public(), b.public());
        assert_eq!(a.agree(b.public()).unwrap(), b.agree(a.public()).unwrap());
        assert_eq!(
            KeyPair::generate(group, &mut Counter(3)).public(),
            a.public()
        );
        assert_eq!(Group::from_number(group.number()), Some(group));
    }
}

#[test]
fn extreme_randomness_still_gives_keys() {
    for group in Group::ALL {
        for byte in [0, 0xff] {
            let pair = KeyPair::generate(group, &mut Constant(byte));
            let other = KeyPair::generate(group, &mut Counter(7));
            assert_eq!(pair.agree(other.public()), other.agree(pair.public()));
            assert!(other.agree(pair.public()).is_ok(), "{group} {byte}");
        }
    }
}

struct Constant(u8);

impl crate::random::Randomness for Constant {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn prime(group: Group) -> Option<Vec<u8>> {
    Some(unhex(match group {
        Group::Modp768 => constants::P768,
        Group::Modp1024 => constants::P1024,
        Group::Modp1536 => constants::P1536,
        Group::Modp2048 => constants::P2048,
        Group::Modp3072 => constants::P3072,
        Group::Modp4096 => constants::P4096,
        Group::Modp2048Subgroup256 => constants::P2048_256,
        Group::Ecp256 | Group::Ecp384 | Group::Ecp521 => return None,
    }))
}

#[test]
fn modp_values_out_of_range_are_refused() {
    for group in Group::ALL {
        let Some(prime) = prime(group) else { continue };
        let pair = KeyPair::generate(group, &mut Counter(5));
        let small = |value: u8| {
            let mut bytes = vec![0; prime.len()];
            *bytes.last_mut().unwrap() = value;
            bytes
        };
        let mut below = prime.clone();
        *below.last_mut().unwrap() -= 1;
        for value in [
            small(0),
            small(1),
            below,
            prime.clone(),
            vec![0xff; prime.len()],
        ] {
            assert_eq!(pair.agree(&value), Err(DhError::Range), "{group}");
        }
    }
}

#[test]
fn a_value_outside_the_subgroup_of_group_24_is_refused() {
    let pair = KeyPair::generate(Group::Modp2048Subgroup256, &mut Counter(5));
    let mut two = vec![0; 256];
    two[255] = 2;
    assert_eq!(pair.agree(&two), Err(DhError::Subgroup));
}

#[test]
fn values_of_another_length_are_refused() {
    for group in Group::ALL {
        let pair = KeyPair::generate(group, &mut Counter(5));
        for got in [0, group.public_bytes() - 1, group.public_bytes() + 1] {
            let expected = group.public_bytes();
            assert_eq!(
                pair.agree(&vec![2; got]),
                Err(DhError::Length { expected, got })
            );
        }
    }
}

#[test]
fn points_off_the_curve_are_refused() {
    for group in [Group::Ecp256, Group::Ecp384, Group::Ecp521] {
        let pair = KeyPair::generate(group, &mut Counter(5));
        let mut point = pair.public().to_vec();
        *point.last_mut().unwrap() ^= 1;
        assert_eq!(pair.agree(&point), Err(DhError::Point));
        assert_eq!(
            pair.agree(&vec![0; group.public_bytes()]),
            Err(DhError::Point)
        );
    }
}

#[test]
fn debug_shows_nothing_of_the_exponent() {
    for group in Group::ALL {
        let shown = format!("{:?}", KeyPair::generate(group, &mut Counter(5)));
        assert!(shown.contains("<secret>"), "{shown}");
    }
}
