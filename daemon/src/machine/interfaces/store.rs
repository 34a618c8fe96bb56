//! The file with the bindings in the state directory. Read by `main`; written by `reconcile` when a binding changed.
//!
//! A line is `port NUMBER` or `name NAME` with kernel name, hardware address and place (`-` for none). The first line
//! says the version, the last one that the file is whole.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::bindings::{Binding, Bindings, Hardware, Key, Uses, mac};
use crate::config::startup;

const FILE: &str = "interface-bindings";
const VERSION: &str = "isthmus interface bindings 1";
const END: &str = "end";

/// The bindings with the file that keeps them.
#[derive(Debug)]
pub struct Kept {
    /// What the file says; nothing when there is none or it is damaged.
    pub bindings: Bindings,
    /// The file.
    pub path: PathBuf,
    /// Its text; empty when there is none or it is damaged.
    pub text: String,
    /// Why it cannot be used, and where it is now.
    pub problem: Option<String>,
}

/// Reads the file in the state directory. A damaged one is put aside as `interface-bindings.damaged`.
#[must_use]
pub fn read(state: &Path) -> Kept {
    let path = state.join(FILE);
    let why = match fs::read_to_string(&path) {
        Ok(text) => match parse(&text) {
            Ok(bindings) => {
                return Kept {
                    bindings,
                    path,
                    text,
                    problem: None,
                };
            }
            Err(why) => why,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Kept {
                bindings: Bindings::default(),
                path,
                text: String::new(),
                problem: None,
            };
        }
        Err(error) => error.to_string(),
    };
    let aside = state.join(format!("{FILE}.damaged"));
    let kept = match fs::rename(&path, &aside) {
        Ok(()) => format!("it is kept as {}", aside.display()),
        Err(error) => format!("it cannot be put aside: {error}"),
    };
    Kept {
        problem: Some(format!(
            "which device each interface name means cannot be read from {}: {why}; {kept}; names are given anew, and \
             numbered interfaces with a crypto map stay down",
            path.display()
        )),
        bindings: Bindings::lost(),
        path,
        text: String::new(),
    }
}

/// Writes the file; the one before stays if that fails.
///
/// # Errors
/// No space, no permission.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    startup::replace(path, text.as_bytes())
}

/// The file's text.
pub(super) fn text(bindings: &Bindings, uses: &Uses) -> String {
    let mut text = format!("{VERSION}\n");
    for (key, one) in bindings.worth_keeping(uses) {
        let or_none = |word: String| if word.is_empty() { "-".into() } else { word };
        let Hardware {
            kernel,
            mac: octets,
            bus,
        } = &one.hardware;
        let (octets, bus) = (or_none(mac(octets)), or_none(bus.clone()));
        let guessed = if one.guessed { " guessed" } else { "" };
        // Writing to a string cannot fail.
        let _ = match key {
            Key::Port(number) => writeln!(text, "port {number} {kernel} {octets} {bus}{guessed}"),
            Key::Name(name) => writeln!(text, "name {name} {kernel} {octets} {bus}{guessed}"),
        };
    }
    text.push_str(END);
    text.push('\n');
    text
}

fn parse(text: &str) -> Result<Bindings, String> {
    let mut lines = text.lines().enumerate();
    match lines.next() {
        Some((_, VERSION)) => {}
        _ => return Err(format!("line 1: expected \"{VERSION}\"")),
    }
    let mut bound = BTreeMap::new();
    for (number, line) in lines.by_ref() {
        if line == END {
            return match lines.next() {
                None => Ok(Bindings::kept(bound)),
                Some((number, _)) => Err(format!("line {}: it goes on after its end", number + 1)),
            };
        }
        let (key, binding) =
            entry(line).ok_or_else(|| format!("line {}: not understood", number + 1))?;
        if bound.insert(key, binding).is_some() {
            return Err(format!("line {}: bound already", number + 1));
        }
    }
    Err("its end is missing".into())
}

fn entry(line: &str) -> Option<(Key, Binding)> {
    let words: Vec<&str> = line.split(' ').collect();
    let (words, guessed) = match words.as_slice() {
        [words @ .., "guessed"] => (words, true),
        words => (words, false),
    };
    let [kind, what, kernel, octets, bus] = words else {
        return None;
    };
    let key = match *kind {
        "port" => Key::Port(what.parse().ok()?),
        "name" => Key::Name((*what).to_owned()),
        _ => return None,
    };
    let or_none = |word: &str| {
        if word == "-" {
            String::new()
        } else {
            word.to_owned()
        }
    };
    let hardware = Hardware {
        kernel: (*kernel).to_owned(),
        mac: octets_of(&or_none(octets))?,
        bus: or_none(bus),
    };
    let binding = Binding {
        hardware,
        guessed,
        index: None,
    };
    Some((key, binding))
}

fn octets_of(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.split('.').collect();
    if !digits.len().is_multiple_of(2) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "isthmus interface bindings 1\nport 0 lan0 0200.0000.0002 0000:03:00.0\nport 4 wan0 - -\n\
                        port 5 wan1 0200.0000.0009 1-1.2:1.0 guessed\nname eth1 eth1 0200.0000.0003 0000:04:00.0\nend\n";

    #[test]
    fn what_is_written_is_read() {
        let bindings = parse(TEXT).unwrap();
        let uses = Uses {
            used: [Key::Port(4)].into(),
            ..Uses::default()
        };
        assert_eq!(text(&bindings, &uses), TEXT);
        let none = text(&bindings, &Uses::default());
        assert_eq!(
            none,
            TEXT.replace("port 4 wan0 - -\n", ""),
            "a veth that no line names is not kept"
        );
    }

    #[test]
    fn a_file_that_is_not_whole_is_put_aside_and_said() {
        let whole = TEXT.len();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let cut = (0..whole - 1).map(|length| TEXT[..length].to_owned());
        let spoilt = [
            "port 0",
            "port 0 a b c",
            "name x",
            "nonsense",
            "port x a - -",
            "port 0 lan0 - -",
        ]
        .map(|line| TEXT.replace("port 4 wan0 - -", line));
        for text in cut.chain(spoilt).chain([format!("{TEXT}port 9 a - -\n")]) {
            fs::write(&path, &text).unwrap();
            let kept = read(folder.path());
            let problem = kept.problem.unwrap_or_else(|| panic!("{text}"));
            assert!(problem.contains("interface-bindings.damaged"), "{problem}");
            assert!(!path.exists());
            let aside = fs::read_to_string(folder.path().join("interface-bindings.damaged"));
            assert_eq!(aside.unwrap(), text);
        }
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(read(folder.path()).problem.is_some());
        assert!(
            read(folder.path()).problem.is_none(),
            "the first start has no file"
        );
    }
}
