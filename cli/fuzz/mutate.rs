//! New inputs from a corpus, for running fuzz targets on stable Rust: the same seed gives the same inputs. Shared with the
//! fuzz tests of other crates.

/// A small random generator (splitmix64).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("below a usize")
    }
}

/// Pieces that are worth putting anywhere.
const PIECES: [&[u8]; 22] = [
    b"\x1b[A",
    b"\x1b[D",
    b"\x1b[",
    b"\x1bb",
    b"\r\n",
    b"\n",
    b"\t",
    b"\0",
    b"?",
    b"|",
    b"!",
    b" ",
    b"no ",
    b"^C",
    b"\xff",
    b"\x1c",
    "\u{301}".as_bytes(),
    "漢".as_bytes(),
    "\u{3000}".as_bytes(),
    "👩\u{200d}👧".as_bytes(),
    b"255.255.255.0",
    b"99999999999999999999",
];

/// One of the inputs, changed in up to eight places.
pub fn mutate(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(12)).min(bytes.len());
        match random.below(7) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes
                .splice(at..at, PIECES[random.below(PIECES.len())].iter().copied())
                .for_each(drop),
            2 => bytes.insert(at, random.below(256) as u8),
            3 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            4 => {
                let piece = bytes[at..end].repeat(1 + random.below(4));
                bytes.splice(at..at, piece).for_each(drop);
            }
            5 => {
                let other = &corpus[random.below(corpus.len())];
                let start = random.below(other.len() + 1);
                let stop = (start + random.below(80)).min(other.len());
                bytes
                    .splice(at..at, other[start..stop].iter().copied())
                    .for_each(drop);
            }
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes.truncate(20_000);
    bytes
}

/// The files of a folder, by name.
pub fn corpus(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("the corpus is in the repository");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    let read = |path: &std::path::PathBuf| std::fs::read(path).expect("readable");
    let files: Vec<Vec<u8>> = paths.iter().map(read).collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

/// Runs a target over its corpus, and over as many inputs made from it as `ISTHMUS_FUZZ` says (or `rounds`), from the
/// seed `ISTHMUS_FUZZ_SEED`. An input that fails is left in the temporary folder; its name is printed.
pub fn run(folder: &std::path::Path, rounds: u64, target: fn(&[u8])) {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let files = corpus(folder);
    for bytes in &files {
        attempt(folder, bytes, target);
    }
    let mut random = Random(number("ISTHMUS_FUZZ_SEED").unwrap_or(1));
    for _ in 0..number("ISTHMUS_FUZZ").unwrap_or(rounds) {
        attempt(folder, &mutate(&mut random, &files), target);
    }
}

fn attempt(folder: &std::path::Path, bytes: &[u8], target: fn(&[u8])) {
    if let Err(panic) = std::panic::catch_unwind(|| target(bytes)) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let path = std::env::temp_dir().join(format!("fuzz-{name}-{}", std::process::id()));
        std::fs::write(&path, bytes).expect("a temporary folder");
        eprintln!("the input is in {}", path.display());
        std::panic::resume_unwind(panic);
    }
}
