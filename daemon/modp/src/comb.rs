//! Powers of one base from a table of its powers, the comb of Lim and Lee ("More Flexible Exponentiation with
//! Precomputation", CRYPTO '94): for 384 bits of exponent 87 multiplications, where a power of any base takes about 490.
//! `lib.rs` calls it for the generator of a group.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::Error;
use crate::bn::{Montgomery, Number, Scratch};

/// Rows of the comb: bits of the exponent taken at once.
const TEETH: usize = 5;
/// Tables of the comb: each halves the squarings again.
const BLOCKS: usize = 8;
/// Entries of one table.
const ENTRIES: usize = 1 << TEETH;
/// A part of an entry, little-endian: as much as is selected at once, in registers.
type Part = [u64; 8];
const PART_BYTES: usize = size_of::<Part>();

/// The tables of a base, for exponents of one length. Entry `u` of table `j` is the product of
/// base^(2^(i * columns + j * steps)) over the bits i of u, in Montgomery form.
pub(crate) struct Comb {
    exponent_bytes: usize,
    /// Exponent bits between two teeth.
    columns: usize,
    /// Columns of one table, but for the last, which may have fewer.
    steps: usize,
    /// Bytes of an entry: the modulus's.
    width: usize,
    /// The tables one after the other, each as the first parts of all its entries, then the second ones, and so on.
    tables: Vec<[Part; ENTRIES]>,
}

impl Comb {
    /// Makes the tables of a base below the modulus, which has `modulus_bytes`.
    pub(crate) fn new(
        montgomery: &Montgomery,
        modulus_bytes: usize,
        base: &Number,
        exponent_bytes: usize,
    ) -> Result<Self, Error> {
        let columns = (8 * exponent_bytes).div_ceil(TEETH);
        let parts = modulus_bytes.div_ceil(PART_BYTES);
        let mut comb = Self {
            exponent_bytes,
            columns,
            steps: columns.div_ceil(BLOCKS),
            width: modulus_bytes,
            tables: vec![[[0; 8]; ENTRIES]; BLOCKS * parts],
        };
        let mut scratch = Scratch::new()?;
        comb.fill_powers_of_two(montgomery, base, &mut scratch)?;
        comb.fill_products(montgomery, &mut scratch)?;
        Ok(comb)
    }

    /// Fills the entries with one bit: base^(2^(i * columns + j * steps)).
    fn fill_powers_of_two(
        &mut self,
        montgomery: &Montgomery,
        base: &Number,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let mut wanted: Vec<(usize, usize, usize)> = (0..TEETH)
            .flat_map(|tooth| (0..BLOCKS).map(move |block| (tooth, block)))
            .map(|(tooth, block)| (tooth * self.columns + block * self.steps, tooth, block))
            .collect();
        wanted.sort_unstable();
        let mut power = montgomery.enter(base, scratch)?;
        let mut squared = 0;
        for (squarings, tooth, block) in wanted {
            while squared < squarings {
                montgomery.square(&mut power, scratch)?;
                squared += 1;
            }
            self.store(block, 1 << tooth, &power)?;
        }
        Ok(())
    }

    /// Fills the other entries: one, and the products of those with one bit.
    fn fill_products(
        &mut self,
        montgomery: &Montgomery,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let one = montgomery.enter(&Number::from_big_endian(&[1])?, scratch)?;
        let (mut product, mut factor) = (Number::new()?, Number::new()?);
        for block in 0..BLOCKS {
            self.store(block, 0, &one)?;
            for entry in (1..ENTRIES).filter(|entry| !entry.is_power_of_two()) {
                let low = entry & entry.wrapping_neg();
                product.set_little_endian(&self.load(block, low))?;
                factor.set_little_endian(&self.load(block, entry - low))?;
                montgomery.multiply(&mut product, &factor, scratch)?;
                self.store(block, entry, &product)?;
            }
        }
        Ok(())
    }

    /// The parts of a table.
    fn table(&self, block: usize) -> &[[Part; ENTRIES]] {
        let parts = self.tables.len() / BLOCKS;
        &self.tables[block * parts..][..parts]
    }

    fn store(&mut self, block: usize, entry: usize, number: &Number) -> Result<(), Error> {
        let parts = self.tables.len() / BLOCKS;
        let table = &mut self.tables[block * parts..][..parts];
        let mut bytes = vec![0; parts * PART_BYTES];
        number.write_little_endian(&mut bytes)?;
        for (part, bytes) in table.iter_mut().zip(bytes.as_chunks::<PART_BYTES>().0) {
            for (word, bytes) in part[entry].iter_mut().zip(bytes.as_chunks().0) {
                *word = u64::from_le_bytes(*bytes);
            }
        }
        Ok(())
    }

    fn load(&self, block: usize, entry: usize) -> Vec<u8> {
        let words = self.table(block).iter().flat_map(|part| part[entry]);
        let mut bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        bytes.truncate(self.width);
        bytes
    }

    /// The base to the power of a big-endian exponent of the length that the tables are for.
    pub(crate) fn power(&self, montgomery: &Montgomery, exponent: &[u8]) -> Result<Number, Error> {
        if exponent.len() != self.exponent_bytes {
            return Err(Error::Exponent);
        }
        let mut scratch = Scratch::new()?;
        let mut power = Number::new()?;
        let mut factor = Number::new()?;
        let mut selected = Zeroizing::new(vec![0; self.tables.len() / BLOCKS * PART_BYTES]);
        for step in (0..self.steps).rev() {
            let first = step + 1 == self.steps;
            if !first {
                montgomery.square(&mut power, &mut scratch)?;
            }
            for block in 0..BLOCKS {
                let column = block * self.steps + step;
                if column >= self.columns {
                    continue;
                }
                self.select(block, self.bits(exponent, column), &mut selected);
                if first && block == 0 {
                    power.set_little_endian(&selected[..self.width])?;
                } else {
                    factor.set_little_endian(&selected[..self.width])?;
                    montgomery.multiply(&mut power, &factor, &mut scratch)?;
                }
            }
        }
        montgomery.leave(&power, &mut scratch)
    }

    /// The bits of the exponent under the teeth at a column, as a number.
    fn bits(&self, exponent: &[u8], column: usize) -> u64 {
        (0..TEETH).fold(0, |bits, tooth| {
            let position = tooth * self.columns + column;
            // The comb may reach beyond the highest bit.
            let bit = match exponent.len().checked_sub(1 + position / 8) {
                Some(byte) => exponent[byte] >> (position % 8) & 1,
                None => 0,
            };
            bits | u64::from(bit) << tooth
        })
    }

    /// Writes entry `index` of a table without telling which by its time or its cache lines: all are read, all but one
    /// masked out.
    fn select(&self, block: usize, index: u64, out: &mut [u8]) {
        let mut masks = [0; ENTRIES];
        for (entry, mask) in (0u64..).zip(&mut masks) {
            *mask = u64::from(entry.ct_eq(&index).unwrap_u8()).wrapping_neg();
        }
        let out = out.as_chunks_mut::<PART_BYTES>().0;
        for (part, out) in self.table(block).iter().zip(out) {
            let mut selected: Part = [0; 8];
            for (entry, mask) in part.iter().zip(&masks) {
                for (selected, word) in selected.iter_mut().zip(entry) {
                    *selected |= word & mask;
                }
            }
            for (out, word) in out.as_chunks_mut().0.iter_mut().zip(selected) {
                *out = word.to_le_bytes();
            }
        }
    }
}
