//! Type 7: each octet exclusive-or'ed with a fixed, public text, from an offset that stands in front. It hides a password
//! from a glance over the shoulder and from nothing else.

use zeroize::Zeroizing;

/// The public text.
const PAD: &[u8; 53] = b"dsfd;kfoA,.iyewrkldJKDHSUBsgvca69834ncxv9873254k;fg87";
/// Offsets are smaller than this.
const OFFSETS: u8 = 16;

/// Encodes with an offset of its own.
#[must_use]
pub fn encode(clear: &str) -> Zeroizing<String> {
    let mut random = [0];
    // Any offset is as good as another.
    let _ = getrandom::fill(&mut random);
    encode_from(clear, random[0] % OFFSETS)
}

fn encode_from(clear: &str, offset: u8) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 + 2 * clear.len()));
    text.push_str(&format!("{offset:02}"));
    for octet in mix(clear.bytes(), offset) {
        text.push_str(&format!("{octet:02X}"));
    }
    text
}

/// The clear text; `None` when the text is no type 7.
#[must_use]
pub fn decode(text: &str) -> Option<Zeroizing<String>> {
    let (offset, rest) = text.split_at_checked(2)?;
    if !text.is_ascii() || rest.is_empty() || !rest.len().is_multiple_of(2) {
        return None;
    }
    let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    let offset: u8 = digits(offset).then(|| offset.parse().ok())??;
    if usize::from(offset) >= PAD.len() {
        return None;
    }
    let octets: Option<Vec<u8>> = (0..rest.len() / 2)
        .map(|at| {
            let pair = &rest[2 * at..2 * at + 2];
            let hexadecimal = pair.bytes().all(|octet| octet.is_ascii_hexdigit());
            hexadecimal.then(|| u8::from_str_radix(pair, 16).ok())?
        })
        .collect();
    let clear = mix(octets?.into_iter(), offset).collect();
    String::from_utf8(clear).ok().map(Zeroizing::new)
}

fn mix(octets: impl Iterator<Item = u8>, offset: u8) -> impl Iterator<Item = u8> {
    let pad = PAD.iter().cycle().skip(usize::from(offset));
    octets.zip(pad).map(|(octet, pad)| octet ^ pad)
}
