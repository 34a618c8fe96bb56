//! Known answers of everything under `crypto`, from the RFCs and from other implementations.

mod cipher;
mod dh;
mod dh_vectors;
mod hash;
mod keying;
mod keying_vectors;

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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// "Random" bytes that count up from a start.
struct Counter(u8);

impl super::Randomness for Counter {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0;
            self.0 = self.0.wrapping_add(1);
        }
    }
}
