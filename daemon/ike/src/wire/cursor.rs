//! A bounds-checked reader over received bytes, and the error it gives. Every decoder under `wire` reads through it.

use std::fmt;

/// What a decoder would have accepted in place of what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// This value only.
    Exactly(usize),
    /// This value or more.
    AtLeast(usize),
    /// This value or less.
    AtMost(usize),
    /// A multiple of this value, and not zero.
    MultipleOf(usize),
    /// Something that a number cannot say.
    Text(&'static str),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(n) => write!(f, "{n}"),
            Self::AtLeast(n) => write!(f, "at least {n}"),
            Self::AtMost(n) => write!(f, "at most {n}"),
            Self::MultipleOf(n) => write!(f, "a multiple of {n}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Received bytes that break the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed {what} at offset {offset}: expected {expected}, got {got}")]
pub struct Malformed {
    /// The field that is wrong, with its payload.
    pub what: &'static str,
    /// Offset in bytes from the start of the message (after decryption: from the start of the plain payloads).
    pub offset: usize,
    /// What would have been right.
    pub expected: Expected,
    /// What came.
    pub got: usize,
}

/// Reads big-endian fields from a slice, remembering where in the message it stands.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    base: usize,
}

impl<'a> Reader<'a> {
    /// A reader over a whole message.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            base: 0,
        }
    }

    /// Offset from the start of the message.
    pub fn offset(&self) -> usize {
        self.base + self.at
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// An error about the field that starts `back` bytes before the present position.
    pub fn malformed(
        &self,
        back: usize,
        what: &'static str,
        expected: Expected,
        got: usize,
    ) -> Malformed {
        Malformed {
            what,
            offset: self.offset().saturating_sub(back),
            expected,
            got,
        }
    }

    /// The next `length` bytes.
    pub fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], Malformed> {
        let Some(taken) = self
            .at
            .checked_add(length)
            .and_then(|end| self.bytes.get(self.at..end))
        else {
            return Err(self.malformed(0, what, Expected::AtLeast(length), self.remaining()));
        };
        self.at += length;
        Ok(taken)
    }

    /// A reader over the next `length` bytes, which keeps offsets relative to the message.
    pub fn sub(&mut self, length: usize, what: &'static str) -> Result<Reader<'a>, Malformed> {
        let base = self.offset();
        Ok(Reader {
            bytes: self.take(length, what)?,
            at: 0,
            base,
        })
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.at..];
        self.at = self.bytes.len();
        rest
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, what)?);
        Ok(array)
    }

    /// An 8-bit field.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, Malformed> {
        Ok(u8::from_be_bytes(self.array(what)?))
    }

    /// A 16-bit field.
    pub fn u16(&mut self, what: &'static str) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes(self.array(what)?))
    }

    /// A 32-bit field.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, Malformed> {
        Ok(u32::from_be_bytes(self.array(what)?))
    }

    /// Succeeds if everything was read.
    pub fn finish(&self, what: &'static str) -> Result<(), Malformed> {
        match self.remaining() {
            0 => Ok(()),
            got => Err(self.malformed(
                0,
                what,
                Expected::Text("no bytes after the last field"),
                got,
            )),
        }
    }
}
