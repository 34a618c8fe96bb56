//! Powers against published vectors (RFC 5114) and against another implementation (crypto-bigint), and the arguments that
//! are refused.

mod vectors;

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U512, U768, U1024, U1536, U2048, U3072, U4096, Uint};
use isthmus_modp::{Error, Group};
use proptest::prelude::*;

/// Reads hexadecimal.
fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| (byte as char).to_digit(16).expect("hexadecimal") as u8;
    let digits: Vec<u8> = text.bytes().map(digit).collect();
    assert!(digits.len().is_multiple_of(2));
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

#[test]
fn exchanges_of_rfc_5114() {
    for exchange in vectors::RFC_5114 {
        let (a, b) = (unhex(exchange.a), unhex(exchange.b));
        let (a_power, b_power) = (unhex(exchange.a_power), unhex(exchange.b_power));
        let (prime, generator) = (unhex(exchange.prime), unhex(exchange.generator));
        let group = Group::new(&prime, &generator, a.len()).unwrap();
        assert_eq!(*group.generator_power(&a).unwrap(), a_power);
        assert_eq!(*group.generator_power(&b).unwrap(), b_power);
        assert_eq!(*group.power(&generator, &a).unwrap(), a_power);
        assert_eq!(*group.power(&a_power, &b).unwrap(), unhex(exchange.shared));
        assert_eq!(*group.power(&b_power, &a).unwrap(), unhex(exchange.shared));
    }
}

/// base^exponent modulo an odd modulus, by crypto-bigint.
fn expected<const LIMBS: usize>(modulus: &[u8], base: &[u8], exponent: &[u8]) -> Vec<u8> {
    let modulus = Odd::new(Uint::<LIMBS>::from_be_slice(modulus)).unwrap();
    let params = FixedMontyParams::new_vartime(modulus);
    let base = FixedMontyForm::new(&Uint::from_be_slice(base), &params);
    let mut wide = [0; U512::BYTES];
    wide[U512::BYTES - exponent.len()..].copy_from_slice(exponent);
    let power = base.pow(&U512::from_be_slice(&wide)).retrieve();
    let words = power.as_limbs().iter().rev();
    words.flat_map(|limb| limb.0.to_be_bytes()).collect()
}

fn expected_of_any_width(modulus: &[u8], base: &[u8], exponent: &[u8]) -> Vec<u8> {
    match 8 * modulus.len() {
        768 => expected::<{ U768::LIMBS }>(modulus, base, exponent),
        1024 => expected::<{ U1024::LIMBS }>(modulus, base, exponent),
        1536 => expected::<{ U1536::LIMBS }>(modulus, base, exponent),
        2048 => expected::<{ U2048::LIMBS }>(modulus, base, exponent),
        3072 => expected::<{ U3072::LIMBS }>(modulus, base, exponent),
        4096 => expected::<{ U4096::LIMBS }>(modulus, base, exponent),
        bits => unreachable!("no modulus of {bits} bits"),
    }
}

/// Bytes, now and then with long runs of zeros or ones: those that carry far.
fn bytes(length: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![3 => any::<u8>(), 1 => Just(0), 1 => Just(0xff)];
    prop_oneof![
        3 => prop::collection::vec(any::<u8>(), length),
        1 => prop::collection::vec(byte, length),
        1 => Just(vec![0; length]),
        1 => Just(vec![0xff; length]),
    ]
}

/// An odd modulus of one of the groups' lengths, two numbers below it, and an exponent.
fn operands() -> impl Strategy<Value = (Vec<u8>, [Vec<u8>; 2], Vec<u8>)> {
    let lengths = prop::sample::select(vec![96usize, 128, 192, 256, 384, 512]);
    (lengths, 1..=64usize).prop_flat_map(|(length, exponent)| {
        let numbers = (bytes(length), bytes(length), bytes(length), bytes(exponent));
        numbers.prop_map(|(mut modulus, mut one, mut other, exponent)| {
            modulus[0] |= 0x80;
            *modulus.last_mut().unwrap() |= 1;
            for base in [&mut one, &mut other] {
                if *base >= modulus {
                    base[0] &= 0x7f;
                }
            }
            (modulus, [one, other], exponent)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn powers_are_those_of_crypto_bigint((modulus, [generator, base], exponent) in operands()) {
        let group = Group::new(&modulus, &generator, exponent.len()).unwrap();
        let of_generator = expected_of_any_width(&modulus, &generator, &exponent);
        prop_assert_eq!(&*group.generator_power(&exponent).unwrap(), &of_generator);
        prop_assert_eq!(&*group.power(&generator, &exponent).unwrap(), &of_generator);
        let of_base = expected_of_any_width(&modulus, &base, &exponent);
        prop_assert_eq!(&*group.power(&base, &exponent).unwrap(), &of_base);
    }
}

#[test]
fn moduli_of_any_length_work() {
    // 2^89 - 1 and 2^521 - 1 are prime: the order of every number divides them less one (Fermat).
    for bits in [89, 521] {
        let mut prime = vec![0xff; usize::div_ceil(bits, 8)];
        prime[0] = 1;
        let mut order = prime.clone();
        *order.last_mut().unwrap() -= 1;
        let number = |byte: u8| {
            let mut number = vec![0; prime.len()];
            *number.last_mut().unwrap() = byte;
            number
        };
        let group = Group::new(&prime, &number(3), order.len()).unwrap();
        assert_eq!(*group.generator_power(&order).unwrap(), number(1));
        assert_eq!(*group.power(&number(7), &order).unwrap(), number(1));
        assert_ne!(*group.power(&number(7), &order[1..]).unwrap(), number(1));
    }
}

#[test]
fn wrong_arguments_are_refused() {
    let exchange = &vectors::RFC_5114[0];
    let (prime, generator) = (unhex(exchange.prime), unhex(exchange.generator));
    let mut even = prime.clone();
    *even.last_mut().unwrap() -= 1;
    let with_zero = [&[0], &prime[..]].concat();
    for modulus in [&[][..], &even, &with_zero, &[0xff; 1025]] {
        let refused = Group::new(modulus, modulus, 20).err();
        assert_eq!(refused, Some(Error::Modulus), "{} bytes", modulus.len());
    }
    for base in [&[][..], &prime, &[0xff; 128], &generator[1..]] {
        let refused = Group::new(&prime, base, 20).err();
        assert_eq!(refused, Some(Error::Base));
    }
    let no_exponent = Group::new(&prime, &generator, 0).err();
    assert_eq!(no_exponent, Some(Error::Exponent));

    let group = Group::new(&prime, &generator, 20).unwrap();
    for base in [&[][..], &prime, &[0xff; 128], &generator[1..]] {
        assert_eq!(group.power(base, &[1; 20]).err(), Some(Error::Base));
    }
    assert_eq!(group.power(&generator, &[]).err(), Some(Error::Exponent));
    for length in [0, 19, 21] {
        let refused = group.generator_power(&vec![1; length]).err();
        assert_eq!(refused, Some(Error::Exponent));
    }
    // A refusal leaves the group as it was.
    let power = group.generator_power(&unhex(exchange.a)).unwrap();
    assert_eq!(*power, unhex(exchange.a_power));
}

#[test]
fn a_group_serves_many_threads() {
    let exchange = &vectors::RFC_5114[1];
    let (prime, generator) = (unhex(exchange.prime), unhex(exchange.generator));
    let group = Group::new(&prime, &generator, 28).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let power = group.generator_power(&unhex(exchange.a)).unwrap();
                    assert_eq!(*power, unhex(exchange.a_power));
                    let shared = group.power(&power, &unhex(exchange.b)).unwrap();
                    assert_eq!(*shared, unhex(exchange.shared));
                }
            });
        }
    });
}
