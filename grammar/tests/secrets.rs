//! No key or password is in what may be logged or shown, whichever command has it.

mod common;

use std::collections::BTreeSet;

use common::{Grammar, Token, spelled};
use isthmus_grammar::Mode;
use isthmus_grammar::command::{Command, ConfigLine};
use isthmus_grammar::parser::parse;
use isthmus_grammar::render::{render, without_secrets};
use isthmus_grammar::secrets::announces;

/// Hexadecimal digits, so that it stands for keys of every kind.
const SECRET: &str = "5EC2E75EC2E7";

fn config(mode: Mode, line: &str) -> Option<ConfigLine> {
    match parse(mode, line).ok()?.command {
        Command::Config(line) => Some(line),
        _ => None,
    }
}

fn each_sentence(grammar: &Grammar, mut check: impl FnMut(Mode, &[Token])) {
    for mode in Mode::ALL.iter().filter(|mode| mode.is_config()) {
        for sentence in grammar.sentences(*mode) {
            check(*mode, &sentence);
        }
    }
}

fn is_secret(grammar: &Grammar, rule: &str) -> bool {
    let attributes = grammar.attributes.get(rule);
    attributes.is_some_and(|list| list.iter().any(|one| one.starts_with("@secret")))
}

/// Every argument that the grammar calls a secret is hidden in every command that has it.
#[test]
fn secrets_of_every_sentence_are_hidden() {
    let grammar = Grammar::load();
    let mut seen = BTreeSet::new();
    each_sentence(&grammar, |mode, sentence| {
        let mut tokens = sentence.to_vec();
        let secrets: Vec<&mut Token> = tokens
            .iter_mut()
            .filter(|token| is_secret(&grammar, &token.rule))
            .collect();
        let rules: Vec<String> = secrets.iter().map(|token| token.rule.clone()).collect();
        for token in secrets {
            token.text = SECRET.to_owned();
        }
        let line = spelled(&tokens);
        let Some(command) = config(mode, &line).filter(|_| !rules.is_empty()) else {
            return;
        };
        let safe = without_secrets(&command, "*****");
        assert!(!safe.contains(SECRET), "{mode:?} {line}: {safe}");
        if render(&command).contains(SECRET) {
            assert!(safe.contains("*****"), "{mode:?} {line}: {safe}");
            seen.extend(rules);
        }
    });
    let every: BTreeSet<String> = grammar.attributes.keys().cloned().collect();
    let every = every.into_iter().filter(|rule| is_secret(&grammar, rule));
    let missed: Vec<String> = every.filter(|rule| !seen.contains(rule)).collect();
    assert_eq!(missed, [""; 0], "in no sentence");
}

/// Arguments that are commands themselves.
const COMMANDS: &[&str] = &["a_alias_command", "a_autocommand", "a_privileged_command"];

/// A command without secrets is as it always is, but for text about anything after a word that announces a secret.
#[test]
fn nothing_else_is_hidden() {
    let grammar = Grammar::load();
    each_sentence(&grammar, |mode, sentence| {
        let free = |token: &Token| COMMANDS.contains(&&*token.rule);
        let is_text = |token: &Token| token.text.contains(' ');
        let announced = sentence
            .windows(2)
            .any(|pair| announces(&pair[0].text) && is_text(&pair[1]));
        if announced {
            return;
        }
        if sentence
            .iter()
            .any(|token| is_secret(&grammar, &token.rule) || free(token))
        {
            return;
        }
        let line = spelled(sentence);
        if let Some(command) = config(mode, &line) {
            assert_eq!(
                without_secrets(&command, "*****"),
                render(&command),
                "{mode:?} {line}"
            );
        }
    });
}

/// Words before which a secret stands.
const ANNOUNCE: &[&str] = &[
    "authentication",
    "authentication-key",
    "cipher",
    "authenticator",
    "community",
    "config-key",
    "hex",
    "key",
    "key-string",
    "passphrase",
    "password",
    "password-encrypt",
    "pin",
    "pre-shared-key",
    "secret",
    "server-key",
    "session-key",
    "shared-secret",
];

/// Arguments after such a word, or with such a word in their help, that are no secrets.
const INNOCENT: &[&str] = &[
    "a_auth_local_list",
    "a_authentication_list",
    "a_globals_ssh_algorithms",
    "a_globals_ssh_keys",
    "a_ikev2_keyring_name",
    "a_keyring",
    "a_keys_label",
    "a_pki_keypair",
    "a_pki_match_key",
    "a_pubkey_data",
];

/// What looks like a secret is marked as one: a new argument cannot be forgotten.
#[test]
fn what_looks_like_a_secret_is_marked_as_one() {
    let grammar = Grammar::load();
    let mut suspects = BTreeSet::new();
    each_sentence(&grammar, |_, sentence| {
        for (at, token) in sentence
            .iter()
            .enumerate()
            .filter(|(_, token)| !token.shortens)
        {
            let text = grammar.docs.get(&token.rule).map_or("", String::as_str);
            let free = ["WORD  ", "LINE  ", "HEX  "]
                .iter()
                .any(|label| text.starts_with(label));
            if !free || is_secret(&grammar, &token.rule) {
                continue;
            }
            let is_encoding = |token: &&Token| token.text.parse::<u8>().is_ok();
            let before = sentence[..at]
                .iter()
                .rev()
                .find(|token| !is_encoding(token));
            let announced = before.is_some_and(|word| ANNOUNCE.contains(&&*word.text));
            let help = text.to_ascii_lowercase();
            let described = ["password", "secret", "passphrase", "community", "the key"];
            if announced || described.iter().any(|word| help.contains(word)) {
                suspects.insert(token.rule.clone());
            }
        }
    });
    let innocent: BTreeSet<String> = INNOCENT.iter().map(|rule| (*rule).to_owned()).collect();
    assert_eq!(suspects, innocent, "mark what is a secret with @secret");
}
