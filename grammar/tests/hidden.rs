//! No secret of a line that is not understood can be seen, whichever feature of IOS the line belongs to.

mod common;
#[path = "common/corpus.rs"]
mod corpus;

use std::collections::BTreeSet;

use common::{Grammar, spelled};
use isthmus_grammar::Mode;
use isthmus_grammar::secrets::{announces, logged, shown};
use proptest::prelude::*;

const INSTEAD: &str = "<removed>";

#[test]
fn lines_of_many_features_lose_their_secrets() {
    for secret in [
        "k3Y-!",
        "0822455D0A16",
        "cisco",
        "PLAIN",
        "94AE3F0D11B2C6E8",
    ] {
        for line in corpus::LINES {
            let line = corpus::with_secret(line, secret);
            assert!(line.contains(secret), "the secret is not in {line}");
            for safe in [shown(&line, INSTEAD), logged(&line)] {
                assert!(!safe.contains(secret), "{line}: {safe}");
            }
            assert!(shown(&line, INSTEAD).contains(INSTEAD), "{line}");
        }
    }
}

/// A line of a configuration of a later release, or with a slip in it, has the same secrets as one that is understood.
#[test]
fn what_the_grammar_calls_a_secret_is_announced() {
    const SECRET: &str = "5EC2E75EC2E7";
    let grammar = Grammar::load();
    let mut missed = BTreeSet::new();
    for mode in Mode::ALL.iter().filter(|mode| mode.is_config()) {
        for sentence in grammar.sentences(*mode) {
            let mut tokens = sentence.to_vec();
            for token in &mut tokens {
                let attributes = grammar.attributes.get(&token.rule);
                if attributes.is_some_and(|list| list.iter().any(|one| one.starts_with("@secret")))
                {
                    token.text = SECRET.to_owned();
                }
            }
            let line = spelled(&tokens);
            if shown(&line, INSTEAD).contains(SECRET) {
                missed.insert(line);
            }
        }
    }
    assert_eq!(missed, BTreeSet::new());
}

/// Words that announce a secret, as they stand in lines of IOS.
const ANNOUNCING: &[&str] = &[
    "authentication",
    "authentication-key",
    "auth",
    "community",
    "credentials",
    "digest",
    "hex",
    "ascii",
    "key",
    "key-string",
    "md5",
    "message-digest-key",
    "passphrase",
    "password",
    "pre-shared-key",
    "psk",
    "secret",
    "server-key",
    "session-key",
    "shared-secret",
    "token",
    "wpa-psk",
    "priv",
    "encryption",
    "pin",
    "chap",
    "pass",
    "\"password",
    "Password",
    "SECRET",
];

proptest! {
    /// Whatever stands around them, nothing after such a word is seen.
    #[test]
    fn nothing_after_an_announcing_word_is_seen(
        before in prop::collection::vec("[a-z0-9./:-]{1,12}", 0..6),
        announcing in prop::sample::select(ANNOUNCING),
        between in prop::collection::vec("[a-z0-9./:-]{1,12}", 0..4),
        after in prop::collection::vec("[ -~]{0,12}", 0..3),
        gap in "[ \t]{1,3}",
        indent in " {0,3}",
    ) {
        const MARKER: &str = "mArK-3R";
        prop_assert!(announces(announcing));
        let words = before.iter().map(String::as_str).chain([announcing]);
        let words = words.chain(between.iter().map(String::as_str)).chain([MARKER]);
        let words: Vec<&str> = words.chain(after.iter().map(String::as_str)).collect();
        let line = format!("{indent}{}", words.join(&gap));
        prop_assert!(!shown(&line, INSTEAD).contains(MARKER));
        prop_assert!(!logged(&line).contains(MARKER));
    }

    /// Any text is taken, a line stays a line, and what is hidden once is safe to be hidden again.
    #[test]
    fn any_text_is_taken(line in any::<String>()) {
        let once = shown(&line, INSTEAD);
        prop_assert!(once.len() <= line.len() + INSTEAD.len() * (1 + line.matches("://").count()));
        prop_assert!(logged(&line).split_whitespace().count() <= 3);
    }
}
