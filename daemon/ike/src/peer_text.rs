//! What a peer says, as it may appear in a log line, a fact or a screen: escaped and cut, here and nowhere else.

use std::fmt::{self, Write};

/// Characters of a text, and octets of bytes in hexadecimal, that are shown.
const SHOWN: usize = 64;

/// A name that a peer gave.
pub(crate) struct Name<'a>(pub(crate) &'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut escaped = self.0.chars().take(SHOWN).flat_map(char::escape_default);
        escaped.try_for_each(|character| f.write_char(character))?;
        rest(f, self.0.chars().nth(SHOWN).is_some(), self.0.len())
    }
}

/// Bytes that a peer gave, as text where they are.
pub(crate) struct Text<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", first(self.0).escape_ascii())?;
        rest(f, self.0.len() > SHOWN, self.0.len())
    }
}

/// Bytes that a peer gave, in hexadecimal.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        first(self.0)
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02X}"))?;
        rest(f, self.0.len() > SHOWN, self.0.len())
    }
}

/// As many bytes as a fact keeps of what a peer gave.
pub(crate) fn first(bytes: &[u8]) -> &[u8] {
    bytes.get(..SHOWN).unwrap_or(bytes)
}

fn rest(f: &mut fmt::Formatter<'_>, cut: bool, octets: usize) -> fmt::Result {
    if cut {
        write!(f, "... ({octets} octets)")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_says_is_escaped_and_cut() {
        let shown = |name: &str| Name(name).to_string();
        assert_eq!(shown("r1.example.net"), "r1.example.net");
        assert_eq!(
            shown("a\r\n%SYS-5-X\u{1b}[2J\u{202e}"),
            "a\\r\\n%SYS-5-X\\u{1b}[2J\\u{202e}"
        );
        assert_eq!(shown(&"x".repeat(64)), "x".repeat(64));
        let long = "\u{fffd}".repeat(50_000);
        assert!(shown(&long).len() < 64 * 8 + 30);
        assert!(shown(&long).ends_with("... (150000 octets)"));
        assert!(Text(&[0x1b; 50_000]).to_string().len() < 64 * 4 + 30);
        assert!(Hex(&[0x1b; 50_000]).to_string().len() < 64 * 2 + 30);
        assert_eq!(Hex(&[0xAB, 1]).to_string(), "AB01");
    }
}
