//! Bytes from the terminal to keys. Fed by [`crate::shell`]; pure, so that any noise can be tried.

use std::collections::VecDeque;

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A printable character, or U+FFFD for bytes that are not UTF-8.
    Char(char),
    /// Control and a lower-case letter, or `^` for Ctrl-Shift-6.
    Ctrl(char),
    /// Escape (or Alt) and a character.
    Meta(char),
    /// CR, LF, or both together.
    Enter,
    /// Tab.
    Tab,
    /// Ctrl-H or DEL.
    Backspace,
    /// Removes the character under the cursor.
    Delete,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Start of the line.
    Home,
    /// End of the line.
    End,
}

/// The longest parameter text of an escape sequence, in bytes; noise beyond it is dropped.
const MAX_PARAMETERS: usize = 16;

/// Stands for the second bracket of `ESC [ [`; no terminal sends it as a parameter.
const FUNCTION_KEY: &str = "[";

#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    Csi(String),
    Ss3,
    Utf8 {
        bytes: [u8; 4],
        have: usize,
        need: usize,
    },
}

/// Collects bytes and gives keys.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    after_cr: bool,
}

impl Decoder {
    /// True when the last byte was a CR: an LF that comes with it is the same key.
    #[must_use]
    pub fn after_cr(&self) -> bool {
        self.after_cr
    }

    /// Nothing came with the last CR: an LF from now on is a key of its own.
    pub fn gap(&mut self) {
        self.after_cr = false;
    }

    /// Takes one byte and appends the keys it completes.
    pub fn push(&mut self, byte: u8, keys: &mut VecDeque<Key>) {
        let after_cr = std::mem::take(&mut self.after_cr);
        match std::mem::take(&mut self.state) {
            State::Ground => self.ground(byte, after_cr, keys),
            State::Escape => match byte {
                b'[' => self.state = State::Csi(String::new()),
                b'O' => self.state = State::Ss3,
                0x20..=0x7e => keys.push_back(Key::Meta(byte as char)),
                0x7f => keys.push_back(Key::Meta('\u{8}')),
                _ => self.ground(byte, after_cr, keys),
            },
            State::Csi(parameters) => self.csi(byte, parameters, keys),
            State::Ss3 => match byte {
                0x20..=0x7e => keys.extend(sequence("", byte)),
                _ => self.ground(byte, after_cr, keys),
            },
            State::Utf8 { bytes, have, need } => self.utf8(byte, bytes, have, need, keys),
        }
    }

    fn ground(&mut self, byte: u8, after_cr: bool, keys: &mut VecDeque<Key>) {
        let key = match byte {
            0 => return,
            b'\n' if after_cr => return,
            b'\r' => {
                self.after_cr = true;
                Key::Enter
            }
            b'\n' => Key::Enter,
            b'\t' => Key::Tab,
            0x08 | 0x7f => Key::Backspace,
            0x1b => {
                self.state = State::Escape;
                return;
            }
            0x1e => Key::Ctrl('^'),
            0x01..=0x1a => Key::Ctrl((byte + 0x60) as char),
            0x1c..=0x1f => return,
            0x20..=0x7e => Key::Char(byte as char),
            0xc2..=0xdf => return self.start_utf8(byte, 2),
            0xe0..=0xef => return self.start_utf8(byte, 3),
            0xf0..=0xf4 => return self.start_utf8(byte, 4),
            _ => Key::Char(char::REPLACEMENT_CHARACTER),
        };
        keys.push_back(key);
    }

    fn start_utf8(&mut self, byte: u8, need: usize) {
        self.state = State::Utf8 {
            bytes: [byte, 0, 0, 0],
            have: 1,
            need,
        };
    }

    fn utf8(
        &mut self,
        byte: u8,
        mut bytes: [u8; 4],
        have: usize,
        need: usize,
        keys: &mut VecDeque<Key>,
    ) {
        if byte & 0xc0 != 0x80 {
            keys.push_back(Key::Char(char::REPLACEMENT_CHARACTER));
            return self.ground(byte, false, keys);
        }
        bytes[have] = byte;
        let have = have + 1;
        if have < need {
            self.state = State::Utf8 { bytes, have, need };
            return;
        }
        let decoded = std::str::from_utf8(&bytes[..have])
            .ok()
            .and_then(|s| s.chars().next());
        let c = decoded
            .filter(|c| !c.is_control())
            .unwrap_or(char::REPLACEMENT_CHARACTER);
        keys.push_back(Key::Char(c));
    }

    fn csi(&mut self, byte: u8, mut parameters: String, keys: &mut VecDeque<Key>) {
        match byte {
            // The function keys of the Linux console: one more letter follows.
            b'[' if parameters.is_empty() => {
                self.state = State::Csi(FUNCTION_KEY.to_owned());
            }
            0x20..=0x3f => {
                if parameters.len() < MAX_PARAMETERS {
                    parameters.push(byte as char);
                }
                self.state = State::Csi(parameters);
            }
            0x40..=0x7e => keys.extend(sequence(&parameters, byte)),
            _ => self.ground(byte, false, keys),
        }
    }
}

/// The key of an escape sequence; unknown ones are none.
fn sequence(parameters: &str, last: u8) -> Option<Key> {
    if parameters == FUNCTION_KEY {
        return None;
    }
    let by_word = parameters.ends_with(";5") || parameters.ends_with(";3");
    Some(match (last, parameters) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) if by_word => Key::Meta('f'),
        (b'D', _) if by_word => Key::Meta('b'),
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', "1" | "7") => Key::Home,
        (b'F', _) | (b'~', "4" | "8") => Key::End,
        (b'~', "3") => Key::Delete,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut decoder = Decoder::default();
        let mut keys = VecDeque::new();
        for &byte in bytes {
            decoder.push(byte, &mut keys);
        }
        keys.into()
    }

    #[test]
    fn every_line_end_is_one_enter() {
        use Key::{Char, Enter};
        assert_eq!(
            keys(b"a\rb\nc\r\nd"),
            [
                Char('a'),
                Enter,
                Char('b'),
                Enter,
                Char('c'),
                Enter,
                Char('d')
            ]
        );
        assert_eq!(keys(b"\r\n\r\n"), [Enter, Enter]);
        assert_eq!(keys(b"\r\r"), [Enter, Enter]);
        assert_eq!(keys(b"\n\n"), [Enter, Enter]);
        assert_eq!(keys(b"\r\0\n"), [Enter, Enter]);
    }

    #[test]
    fn a_gap_separates_cr_from_lf() {
        let mut decoder = Decoder::default();
        let mut keys = VecDeque::new();
        decoder.push(b'\r', &mut keys);
        assert!(decoder.after_cr());
        decoder.gap();
        decoder.push(b'\n', &mut keys);
        assert_eq!(keys, [Key::Enter, Key::Enter]);
    }

    #[test]
    fn nul_is_nothing() {
        assert_eq!(keys(b"\0a\0\0b"), [Key::Char('a'), Key::Char('b')]);
    }

    #[test]
    fn sequences_of_all_terminals() {
        use Key::{Delete, Down, End, Home, Left, Meta, Right, Up};
        assert_eq!(keys(b"\x1b[A\x1b[B\x1b[C\x1b[D"), [Up, Down, Right, Left]);
        assert_eq!(keys(b"\x1bOA\x1bOB\x1bOC\x1bOD"), [Up, Down, Right, Left]);
        assert_eq!(
            keys(b"\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[3~"),
            [Home, End, Home, End, Delete]
        );
        assert_eq!(keys(b"\x1b[1;5C\x1bb"), [Meta('f'), Meta('b')]);
        assert_eq!(keys(b"\x1b[200~\x1b[12;40Rx"), [Key::Char('x')]);
        assert_eq!(keys(b"\x1b[[A\x1bOPx"), [Key::Char('x')]);
    }

    #[test]
    fn text_and_noise() {
        assert_eq!(
            keys("é€𝄞".as_bytes()),
            [Key::Char('é'), Key::Char('€'), Key::Char('𝄞')]
        );
        let bad = Key::Char(char::REPLACEMENT_CHARACTER);
        assert_eq!(
            keys(b"\xe9x\xff\xc3\r"),
            [bad, Key::Char('x'), bad, bad, Key::Enter]
        );
        assert_eq!(keys("\u{85}".as_bytes()), [bad]);
        let all: Vec<u8> = (0..=255).cycle().take(4096).collect();
        assert!(!keys(&all).is_empty());
    }
}
