//! The MODP groups: their exponents and the checks of what peers send. The arithmetic is `isthmus-modp`'s, in constant
//! time for exponent and base.
//!
//! Exponents are at least twice as long as the group is strong (RFC 3526 8): much shorter than the prime, and as strong.

use std::sync::LazyLock;
use std::{fmt, mem};

use crypto_bigint::{NonZero, U256, U512};
use zeroize::{Zeroize, Zeroizing};

use super::{DhError, Group, constants};
use crate::crypto::Randomness;
use crate::secret::Secret;

/// A secret exponent, big-endian, as long as its group's exponents are.
pub(crate) struct Exponent(Zeroizing<Vec<u8>>);

#[cfg(test)]
impl Exponent {
    /// An exponent in hexadecimal.
    pub(crate) fn new(hex: &str) -> Self {
        Self(Zeroizing::new(unhex(hex)))
    }
}

impl fmt::Debug for Exponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// A MODP group. Made on first use.
pub(crate) struct Modp {
    arithmetic: isthmus_modp::Group,
    /// One, as long as the prime: a public value is more.
    one: Vec<u8>,
    /// The prime less one: a public value is less.
    most: Vec<u8>,
    exponent_bytes: usize,
    /// Order of the subgroup, for a group whose prime is not a safe one.
    order: Option<U256>,
}

macro_rules! groups {
    ($($variant:ident: $name:ident = $prime:ident, $generator:expr, $bits:literal, $order:expr;)*) => {
        $(static $name: LazyLock<Modp> = LazyLock::new(|| {
            Modp::new(constants::$prime, $generator, $bits, $order)
        });)*

        /// The arithmetic of a group. Every group that is not an ECP group is one of these.
        pub(crate) fn group(group: Group) -> &'static Modp {
            match group {
                $(Group::$variant => &$name,)*
                Group::Ecp256 | Group::Ecp384 | Group::Ecp521 => unreachable!("an ECP group is not a MODP group"),
            }
        }
    };
}

groups! {
    Modp768: GROUP_1 = P768, "02", 256, None;
    Modp1024: GROUP_2 = P1024, "02", 256, None;
    Modp1536: GROUP_5 = P1536, "02", 256, None;
    Modp2048: GROUP_14 = P2048, "02", 384, None;
    Modp3072: GROUP_15 = P3072, "02", 448, None;
    Modp4096: GROUP_16 = P4096, "02", 512, None;
    Modp2048Subgroup256: GROUP_24 = P2048_256, constants::G2048_256, 256,
        Some(U256::from_be_hex(constants::Q2048_256));
}

impl Modp {
    fn new(prime: &str, generator: &str, exponent_bits: usize, order: Option<U256>) -> Self {
        let prime = unhex(prime);
        let generator = padded(&unhex(generator), prime.len());
        let exponent_bytes = exponent_bits / 8;
        let arithmetic = isthmus_modp::Group::new(&prime, &generator, exponent_bytes);
        let mut most = prime;
        if let Some(last) = most.last_mut() {
            *last ^= 1;
        }
        Self {
            arithmetic: arithmetic.expect("the constants are a group"),
            one: padded(&[1], most.len()),
            most,
            exponent_bytes,
            order,
        }
    }

    /// A fresh secret exponent.
    pub(crate) fn exponent(&self, randomness: &mut dyn Randomness) -> Exponent {
        if let Some(order) = self.order {
            return Exponent(below(order, randomness));
        }
        // The highest bit is set, so the exponent is never 0 or 1.
        let mut bytes = Zeroizing::new(vec![0; self.exponent_bytes]);
        randomness.fill(&mut bytes);
        bytes[0] |= 0x80;
        Exponent(bytes)
    }

    /// g^x, as long as the prime.
    pub(crate) fn public(&self, exponent: &Exponent) -> Vec<u8> {
        let public = self.arithmetic.generator_power(&exponent.0);
        mem::take(&mut *public.expect("an exponent of the group has a power"))
    }

    /// 1 < peer < p-1 (RFC 6989 2.1). `peer` has the prime's length.
    pub(crate) fn check(&self, peer: &[u8]) -> Result<(), DhError> {
        if peer <= &self.one[..] || peer >= &self.most[..] {
            return Err(DhError::Range);
        }
        Ok(())
    }

    /// peer^x, as long as the prime, after the checks of RFC 6989 2.1 and 2.2. `peer` has the prime's length.
    pub(crate) fn agree(&self, exponent: &Exponent, peer: &[u8]) -> Result<Secret, DhError> {
        self.check(peer)?;
        if let Some(order) = self.order
            && *self.power(peer, order.to_be_bytes().as_ref()) != self.one
        {
            return Err(DhError::Subgroup);
        }
        let mut shared = self.power(peer, &exponent.0);
        Ok(Secret::new(mem::take(&mut *shared)))
    }

    fn power(&self, checked: &[u8], exponent: &[u8]) -> Zeroizing<Vec<u8>> {
        let power = self.arithmetic.power(checked, exponent);
        power.expect("a value in range has a power")
    }
}

/// A number in 1..order from 512 random bits: no bias to speak of (FIPS 186-5 A.1.1 asks 64 bits more than the order).
fn below(order: U256, randomness: &mut dyn Randomness) -> Zeroizing<Vec<u8>> {
    let mut wide = Zeroizing::new([0; U512::BYTES]);
    randomness.fill(&mut wide[..]);
    let less_one = NonZero::new(order.wrapping_sub(&U256::ONE).resize());
    let less_one = less_one.expect("an order is more than one");
    let mut number = U512::from_be_slice(&wide[..])
        .rem(&less_one)
        .wrapping_add(&U512::ONE);
    let bytes = Zeroizing::new(number.to_be_bytes());
    number.zeroize();
    Zeroizing::new(bytes.as_ref()[U512::BYTES - U256::BYTES..].to_vec())
}

/// A big-endian number with zeros before it.
fn padded(number: &[u8], length: usize) -> Vec<u8> {
    let mut padded = vec![0; length - number.len()];
    padded.extend_from_slice(number);
    padded
}

/// Reads the hexadecimal of the constants.
fn unhex(text: &str) -> Vec<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).expect("hexadecimal") as u8;
    let pairs = text.as_bytes().chunks_exact(2);
    pairs
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}
