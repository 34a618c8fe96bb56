//! Beginnings of commands, as `alias` and `privilege` have them, without the keys and passwords in them. Called by `render`.

use std::cmp::Reverse;

use crate::modes::Mode;
use crate::secrets::cut;
use crate::walk;

/// The beginning of a command with `instead` in the place of every word that may be a key or password, and of everything
/// from the first word on that no table of the mode understands.
pub(super) fn hidden(mode: Mode, words: &str, instead: &str) -> String {
    let tables = mode.tables().map(|table| walk::secrets(table, words));
    let Some(found) = tables.min_by_key(|found| Reverse(found.understood)) else {
        return instead.to_owned();
    };
    let mut safe = String::new();
    let mut from = 0;
    for range in found.ranges {
        safe.push_str(&words[from..range.start]);
        safe.push_str(instead);
        from = range.end;
    }
    // What is understood may be text about anything, with a secret that only its own words announce.
    match cut(words, from) {
        Some(at) => safe + &words[from..at] + instead,
        None => safe + &words[from..],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_of_commands_lose_what_may_be_a_secret() {
        let hidden = |mode, words| hidden(mode, words, "*****");
        for (words, safe) in [
            ("crypto isakmp key k3y", "crypto isakmp key *****"),
            ("cry isa key 0 k3y address", "cry isa key 0 ***** address"),
            (
                "username ann secret k3y and more",
                "username ann secret *****",
            ),
            ("username ann nonsense k3y", "username ann *****"),
            ("do show clock", "do show clock"),
        ] {
            assert_eq!(hidden(Mode::Config, words), safe);
        }
        assert_eq!(hidden(Mode::Line, "password 7 k3y"), "password 7 *****");
        assert_eq!(hidden(Mode::Line, "hostname R1"), "hostname R1");
        assert_eq!(hidden(Mode::Exec, "show clock"), "show clock");
        assert_eq!(hidden(Mode::Exec, "nonsense k3y"), "*****");
    }
}
