//! MODP groups by crypto-bigint, in constant time for the exponent.
//!
//! Exponents are at least twice as long as the group is strong (RFC 3526 8): much shorter than the prime, and as
//! strong. g^x goes through a comb of precomputed powers (Lim and Lee), made once per group on first use; g^xy through
//! windows.

use std::fmt;
use std::sync::LazyLock;

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{
    CtEq, MontyForm, MontyMultiplier, NonZero, Odd, U256, U512, U768, U1024, U1536, U2048, U3072,
    U4096, Uint, Word,
};
use zeroize::{Zeroize, Zeroizing};

use super::{DhError, Group, constants};
use crate::crypto::Randomness;
use crate::secret::Secret;

/// Rows of the comb: bits of the exponent taken at once.
const TEETH: u32 = 5;
/// Tables of the comb: each halves the squarings again.
const BLOCKS: u32 = 8;
/// Entries of one table.
const ENTRIES: usize = 1 << TEETH;

/// A secret exponent.
pub(crate) struct Exponent(U512);

#[cfg(test)]
impl Exponent {
    /// An exponent of at most 256 bits, in hexadecimal.
    pub(crate) fn new(hex: &str) -> Self {
        Self(U256::from_be_hex(hex).resize())
    }
}

impl Drop for Exponent {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Exponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Operations of a MODP group, whatever its width.
pub(crate) trait Modp: Sync {
    /// A fresh secret exponent.
    fn exponent(&self, randomness: &mut dyn Randomness) -> Exponent;
    /// g^x, as long as the prime.
    fn public(&self, exponent: &Exponent) -> Vec<u8>;
    /// 1 < peer < p-1 (RFC 6989 2.1). `peer` has the prime's length.
    fn check(&self, peer: &[u8]) -> Result<(), DhError>;
    /// peer^x, as long as the prime, after the checks of RFC 6989 2.1 and 2.2. `peer` has the prime's length.
    fn agree(&self, exponent: &Exponent, peer: &[u8]) -> Result<Secret, DhError>;
}

struct Prime<const LIMBS: usize> {
    params: FixedMontyParams<LIMBS>,
    exponent_bits: u32,
    /// Order of the subgroup, for a group whose prime is not a safe one.
    order: Option<U256>,
    comb: Vec<[Uint<LIMBS>; ENTRIES]>,
}

macro_rules! groups {
    ($($variant:ident: $name:ident = $width:ty, $prime:ident, $generator:expr, $bits:literal, $order:expr;)*) => {
        $(static $name: LazyLock<Prime<{ <$width>::LIMBS }>> = LazyLock::new(|| {
            Prime::new(<$width>::from_be_hex(constants::$prime), $generator, $bits, $order)
        });)*

        /// The arithmetic of a group. Every group that is not an ECP group is one of these.
        pub(crate) fn group(group: Group) -> &'static dyn Modp {
            match group {
                $(Group::$variant => &*$name,)*
                Group::Ecp256 | Group::Ecp384 | Group::Ecp521 => unreachable!("an ECP group is not a MODP group"),
            }
        }
    };
}

groups! {
    Modp768: GROUP_1 = U768, P768, U768::from_u8(2), 256, None;
    Modp1024: GROUP_2 = U1024, P1024, U1024::from_u8(2), 256, None;
    Modp1536: GROUP_5 = U1536, P1536, U1536::from_u8(2), 256, None;
    Modp2048: GROUP_14 = U2048, P2048, U2048::from_u8(2), 384, None;
    Modp3072: GROUP_15 = U3072, P3072, U3072::from_u8(2), 448, None;
    Modp4096: GROUP_16 = U4096, P4096, U4096::from_u8(2), 512, None;
    Modp2048Subgroup256: GROUP_24 = U2048, P2048_256, U2048::from_be_hex(constants::G2048_256), 256,
        Some(U256::from_be_hex(constants::Q2048_256));
}

impl<const LIMBS: usize> Prime<LIMBS> {
    fn new(
        prime: Uint<LIMBS>,
        generator: Uint<LIMBS>,
        exponent_bits: u32,
        order: Option<U256>,
    ) -> Self {
        let prime = Odd::new(prime).expect("a prime is odd");
        let params = FixedMontyParams::new_vartime(prime);
        let generator = FixedMontyForm::new(&generator, &params);
        Self {
            params,
            exponent_bits,
            order,
            comb: comb(&params, generator, exponent_bits),
        }
    }

    fn bytes(&self, value: &FixedMontyForm<LIMBS>) -> Zeroizing<Vec<u8>> {
        let mut value = value.retrieve();
        let bytes = value
            .as_limbs()
            .iter()
            .rev()
            .flat_map(|limb| limb.0.to_be_bytes())
            .collect();
        value.zeroize();
        Zeroizing::new(bytes)
    }
}

/// Columns of the comb: exponent bits between two teeth.
fn columns(exponent_bits: u32) -> u32 {
    exponent_bits.div_ceil(TEETH)
}

/// Tables of the comb. Entry `u` of table `j` is the product of g^(2^(i*columns + j*steps)) over the bits i of u.
fn comb<const LIMBS: usize>(
    params: &FixedMontyParams<LIMBS>,
    generator: FixedMontyForm<LIMBS>,
    exponent_bits: u32,
) -> Vec<[Uint<LIMBS>; ENTRIES]> {
    let columns = columns(exponent_bits);
    let steps = columns.div_ceil(BLOCKS);
    let mut tables = vec![[*FixedMontyForm::one(params).as_montgomery(); ENTRIES]; BLOCKS as usize];
    let mut power = generator;
    let mut exponent = 0;
    let mut wanted: Vec<(u32, u32, u32)> = Vec::new();
    for tooth in 0..TEETH {
        wanted.extend((0..BLOCKS).map(|block| (tooth * columns + block * steps, tooth, block)));
    }
    wanted.sort_unstable();
    for (position, tooth, block) in wanted {
        while exponent < position {
            power = power.square();
            exponent += 1;
        }
        tables[block as usize][1 << tooth] = *power.as_montgomery();
    }
    for table in &mut tables {
        for entry in 1..ENTRIES {
            let low = entry & entry.wrapping_neg();
            if low != entry {
                let product = FixedMontyForm::from_montgomery(table[low], params)
                    * FixedMontyForm::from_montgomery(table[entry - low], params);
                table[entry] = *product.as_montgomery();
            }
        }
    }
    tables
}

/// Reads an entry without telling which by its time or its cache lines: all are read, all but one masked out.
fn lookup<const LIMBS: usize>(table: &[Uint<LIMBS>; ENTRIES], index: u32) -> Uint<LIMBS> {
    let mut found = Uint::ZERO;
    for (i, entry) in (0u32..).zip(table) {
        let mask = Word::from(i.ct_eq(&index).to_u8()).wrapping_neg();
        for (found, limb) in found.as_mut_limbs().iter_mut().zip(entry.as_limbs()) {
            found.0 |= limb.0 & mask;
        }
    }
    found
}

impl<const LIMBS: usize> Modp for Prime<LIMBS> {
    fn exponent(&self, randomness: &mut dyn Randomness) -> Exponent {
        let mut bytes = Zeroizing::new([0; U512::BYTES]);
        match self.order {
            // 512 bits reduced to 1..order: no bias to speak of (FIPS 186-5 A.1.1 asks 64 bits more).
            Some(order) => {
                randomness.fill(&mut bytes[..]);
                let below =
                    NonZero::new(order.wrapping_sub(&U256::ONE).resize::<{ U512::LIMBS }>());
                let below = below.expect("an order is more than one");
                Exponent(
                    U512::from_be_slice(&bytes[..])
                        .rem(&below)
                        .wrapping_add(&U512::ONE),
                )
            }
            // The highest bit is set, so the exponent is never 0 or 1.
            None => {
                let length = self.exponent_bits as usize / 8;
                let start = bytes.len() - length;
                randomness.fill(&mut bytes[start..]);
                bytes[start] |= 0x80;
                Exponent(U512::from_be_slice(&bytes[..]))
            }
        }
    }

    fn public(&self, exponent: &Exponent) -> Vec<u8> {
        let columns = columns(self.exponent_bits);
        let steps = columns.div_ceil(BLOCKS);
        let bit = |position: u32| u32::from(exponent.0.bit(position).to_bool());
        let mut multiplier = <FixedMontyForm<LIMBS> as MontyForm>::Multiplier::from(&self.params);
        let mut power = FixedMontyForm::one(&self.params);
        let mut entry = power;
        for step in (0..steps).rev() {
            multiplier.square_assign(&mut power);
            for (block, table) in (0..BLOCKS).zip(&self.comb) {
                let column = block * steps + step;
                if column >= columns {
                    continue;
                }
                let index = (0..TEETH).filter(|tooth| tooth * columns + column < U512::BITS);
                let index = index.fold(0, |index, tooth| {
                    index | bit(tooth * columns + column) << tooth
                });
                *entry.as_montgomery_mut() = lookup(table, index);
                multiplier.mul_assign(&mut power, &entry);
            }
        }
        entry.zeroize();
        self.bytes(&power).to_vec()
    }

    fn check(&self, peer: &[u8]) -> Result<(), DhError> {
        let peer = Uint::<LIMBS>::from_be_slice(peer);
        let most = self.params.modulus().wrapping_sub(&Uint::ONE);
        if peer <= Uint::ONE || peer >= most {
            return Err(DhError::Range);
        }
        Ok(())
    }

    fn agree(&self, exponent: &Exponent, peer: &[u8]) -> Result<Secret, DhError> {
        self.check(peer)?;
        let peer = Uint::<LIMBS>::from_be_slice(peer);
        let peer = FixedMontyForm::new(&peer, &self.params);
        if let Some(order) = self.order
            && peer.pow_vartime(&order) != FixedMontyForm::one(&self.params)
        {
            return Err(DhError::Subgroup);
        }
        let mut shared = peer.pow_bounded_exp(&exponent.0, self.exponent_bits);
        let bytes = self.bytes(&shared);
        shared.zeroize();
        Ok(Secret::new(bytes.to_vec()))
    }
}
