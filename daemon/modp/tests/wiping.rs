//! Nothing of an exponent or a power is left in memory once both are dropped.
//!
//! The test reads its own memory. It holds what it looks for masked, so that looking leaves no copy.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::os::unix::fs::FileExt;

use isthmus_modp::Group;
use zeroize::{Zeroize, Zeroizing};

const MASK: u8 = 0xA5;
/// Bytes of a secret that are looked for: too many to stand somewhere by chance.
const PIECE: usize = 16;

/// A piece of a secret, masked.
struct Masked([u8; PIECE]);

impl Masked {
    /// The first or last bytes of a secret, and the same backwards: AWS-LC keeps numbers with the lowest byte first.
    fn pieces(secret: &[u8]) -> [Self; 4] {
        let first = *secret.first_chunk().unwrap();
        let last = *secret.last_chunk().unwrap();
        let backwards = |mut piece: [u8; PIECE]| {
            piece.reverse();
            piece
        };
        [first, last, backwards(first), backwards(last)].map(|mut piece| {
            let masked = Self(piece.map(|byte| byte ^ MASK));
            piece.zeroize();
            masked
        })
    }

    fn stands_at_the_start(&self, memory: &[u8]) -> bool {
        let pairs = self.0.iter().zip(memory);
        pairs
            .filter(|(masked, byte)| **masked == **byte ^ MASK)
            .count()
            == PIECE
    }
}

/// How often one of the pieces stands in memory that can be written to.
fn found(pieces: &[Masked]) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut found = 0;
    for map in maps.lines().filter(|map| map.contains(" rw")) {
        let (range, _) = map.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|at| u64::from_str_radix(at, 16).unwrap());
        let mut bytes = Zeroizing::new(vec![0; (end - start) as usize]);
        // Not every map can be read.
        let Ok(count) = memory.read_at(&mut bytes, start) else {
            continue;
        };
        let bytes = &bytes[..count];
        let firsts: Vec<u8> = pieces.iter().map(|piece| piece.0[0] ^ MASK).collect();
        for (at, _) in bytes
            .iter()
            .enumerate()
            .filter(|(_, byte)| firsts.contains(byte))
        {
            found += pieces
                .iter()
                .filter(|piece| piece.stands_at_the_start(&bytes[at..]))
                .count();
        }
    }
    found
}

fn random(length: usize) -> Zeroizing<Vec<u8>> {
    let words = (0..length.div_ceil(8)).map(|word| RandomState::new().hash_one(word));
    let mut bytes = Zeroizing::new(Vec::with_capacity(8 * length));
    words.for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
    bytes.truncate(length);
    bytes
}

#[test]
fn secrets_are_wiped() {
    let (mut modulus, mut generator, mut base) = (random(256), random(256), random(256));
    modulus[0] |= 0x80;
    modulus[255] |= 1;
    generator[0] &= 0x7f;
    base[0] &= 0x7f;
    let group = Group::new(&modulus, &generator, 48).unwrap();
    let exponent = random(48);
    let powers = [
        group.generator_power(&exponent).unwrap(),
        group.power(&base, &exponent).unwrap(),
    ];
    let of_exponent = Masked::pieces(&exponent);
    let of_powers = powers.each_ref().map(|power| Masked::pieces(power));
    assert_ne!(found(&of_exponent), 0, "the scan sees what is there");
    assert_ne!(
        found(of_powers.as_flattened()),
        0,
        "the scan sees what is there"
    );

    drop((exponent, powers));
    assert_eq!(found(&of_exponent), 0, "exponent");
    assert_eq!(found(of_powers.as_flattened()), 0, "powers");
}
