//! Powers in a MODP group: of any base, and faster of the group's generator. In constant time for base and exponent.
//!
//! `ike`'s `crypto/dh/modp.rs` is the caller: it has the primes, makes the exponents, and checks what peers send. The
//! arithmetic is AWS-LC's (`bn.rs`, where all `unsafe` is); the powers of the generator go through a table (`comb.rs`).

mod bn;
mod comb;

use std::fmt;

use zeroize::Zeroizing;

use bn::{Montgomery, Number};
use comb::Comb;

/// Why there is no group, or no power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The modulus is not odd, begins with a zero byte, or has more than 8192 bits.
    #[error("not a modulus")]
    Modulus,
    /// The base has not the modulus's length, or is not below it.
    #[error("the base is not below the modulus, or has another length")]
    Base,
    /// The exponent has no bytes, or not as many as the group's.
    #[error("the exponent has a wrong length")]
    Exponent,
    /// AWS-LC got no memory.
    #[error("no memory")]
    Memory,
}

/// A prime, and a generator with the table for its powers. Nothing of it is secret.
pub struct Group {
    montgomery: Montgomery,
    comb: Comb,
    bytes: usize,
}

impl Group {
    /// The group of an odd `modulus` and a `generator` below it, both big-endian and equally long, for exponents of
    /// `exponent_bytes`. Makes the table, which costs about as much as a power.
    ///
    /// # Errors
    /// [`Error`] for what is wrong of the arguments.
    pub fn new(modulus: &[u8], generator: &[u8], exponent_bytes: usize) -> Result<Self, Error> {
        if exponent_bytes == 0 {
            return Err(Error::Exponent);
        }
        let montgomery = Montgomery::new(modulus)?;
        let generator = reduced(generator, modulus.len(), &montgomery)?;
        let comb = Comb::new(&montgomery, modulus.len(), &generator, exponent_bytes)?;
        Ok(Self {
            montgomery,
            comb,
            bytes: modulus.len(),
        })
    }

    /// The generator to the power of `exponent`, big-endian and of the group's length; as long as the modulus.
    ///
    /// # Errors
    /// [`Error::Exponent`], [`Error::Memory`].
    pub fn generator_power(&self, exponent: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let power = self.comb.power(&self.montgomery, exponent)?;
        power.to_big_endian(self.bytes)
    }

    /// `base`, big-endian and as long as the modulus, to the power of `exponent`, big-endian and of any length; as long as the modulus.
    /// The time it takes tells the length of the exponent, no more.
    ///
    /// # Errors
    /// [`Error::Base`], [`Error::Exponent`], [`Error::Memory`].
    pub fn power(&self, base: &[u8], exponent: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        if exponent.is_empty() {
            return Err(Error::Exponent);
        }
        let base = reduced(base, self.bytes, &self.montgomery)?;
        let exponent = Number::from_big_endian(exponent)?;
        let power = self.montgomery.power(&base, &exponent)?;
        power.to_big_endian(self.bytes)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group of {} bytes", self.bytes)
    }
}

/// A number of `bytes` below the modulus.
fn reduced(number: &[u8], bytes: usize, montgomery: &Montgomery) -> Result<Number, Error> {
    if number.len() != bytes {
        return Err(Error::Base);
    }
    let number = Number::from_big_endian(number)?;
    if !montgomery.is_above(&number) {
        return Err(Error::Base);
    }
    Ok(number)
}
