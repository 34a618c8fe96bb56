//! The pest files keep their own rules: what `walk.rs` reads from them is there and well-formed.

mod common;

use std::collections::HashSet;

use common::{Grammar, literal, source, spelled};
use isthmus_grammar::Mode;
use isthmus_grammar::command::{Command, ConfigCommand, ConfigLine, Section};
use isthmus_grammar::parser::parse;
use pest_meta::ast::{Expr, RuleType};

#[test]
fn every_word_and_argument_has_help() {
    let grammar = Grammar::load();
    for rule in grammar
        .rules
        .iter()
        .filter(|rule| rule.ty == RuleType::Atomic)
    {
        let doc = grammar
            .docs
            .get(&rule.name)
            .unwrap_or_else(|| panic!("{} has no ///", rule.name));
        assert!(
            doc.len() < 75,
            "the help of {} is too long for a line",
            rule.name
        );
        assert_eq!(doc.trim(), doc, "{}", rule.name);
    }
    for rule in grammar
        .rules
        .iter()
        .filter(|rule| rule.ty != RuleType::Atomic)
    {
        assert!(
            !grammar.docs.contains_key(&rule.name),
            "/// before {} is not shown anywhere",
            rule.name
        );
    }
}

/// What the attributes mean is checked when the grammar is read; here is where they may stand.
#[test]
fn attributes_stand_where_they_are_read() {
    let grammar = Grammar::load();
    for (rule, attributes) in &grammar.attributes {
        let good = |attribute: &String| match rule.split_once('_') {
            Some(("a", _)) => attribute.starts_with("@secret"),
            Some(("k", _)) => attribute.starts_with("@means "),
            Some(("r", _)) => !attribute.starts_with("@secret"),
            _ => attribute.starts_with("@no-after "),
        };
        assert!(attributes.iter().all(good), "{rule}: {attributes:?}");
    }
    for mode in Mode::ALL {
        for sentence in grammar.sentences(*mode) {
            let line = spelled(&sentence);
            let Ok(parsed) = parse(*mode, &line) else {
                continue;
            };
            let Command::Config(ConfigLine {
                command: ConfigCommand::Retained(line),
                ..
            }) = parsed.command
            else {
                continue;
            };
            let placed = line.section() != Section::Top;
            assert_eq!(
                placed,
                line.mode() == Mode::Config,
                "{:?} wants @section",
                line.kind()
            );
            let encodable = std::cell::Cell::new(false);
            let coded = line.recoded(|types, _, _| {
                encodable.set(types.six || types.seven);
                (types.six || types.seven).then(|| (7, "09".to_owned().into()))
            });
            assert!(
                !encodable.get() || coded.words().contains(" 7 09") && coded.key() == line.key(),
                "{:?}: {line:?} is told apart by what it keeps secret",
                line.kind()
            );
            if let Some(inner) = line.enters() {
                assert_eq!(inner.parent(), Some(line.mode()), "{:?}", line.kind());
            }
        }
    }
}

#[test]
fn words_and_arguments_are_named_and_shaped_alike() {
    let grammar = Grammar::load();
    for rule in grammar
        .rules
        .iter()
        .filter(|rule| rule.ty == RuleType::Atomic)
    {
        let word = literal(rule);
        let doc = &grammar.docs[&rule.name];
        let (prefix, _) = rule.name.split_once('_').expect("k_ or a_");
        match word {
            Some(word) => {
                assert_eq!(prefix, "k", "{}", rule.name);
                assert!(
                    word.chars().all(|c| c.is_ascii_lowercase()
                        || c.is_ascii_digit()
                        || "+-./|:".contains(c)),
                    "{word}"
                );
                assert!(
                    !doc.starts_with("LINE") && !doc.starts_with('<'),
                    "{} has the help of an argument",
                    rule.name
                );
            }
            None => {
                assert_eq!(prefix, "a", "{} is no word: literal, then eow", rule.name);
                let (label, help) = doc
                    .split_once("  ")
                    .unwrap_or_else(|| panic!("{}: two blanks after the label", rule.name));
                check_label(&rule.name, label);
                assert!(!help.is_empty(), "{}", rule.name);
                assert!(
                    ends_at_boundary(&rule.expr) || label == "LINE" || rule.name == "a_filter_file",
                    "{} may stop inside a word",
                    rule.name
                );
            }
        }
    }
}

fn check_label(rule: &str, label: &str) {
    if [
        "WORD",
        "LINE",
        "HEX",
        "IFNAME",
        "A.B.C.D",
        "X:X:X:X::X",
        "hh:mm",
        "hh:mm:ss",
    ]
    .contains(&label)
    {
        return;
    }
    let range = label
        .strip_prefix('<')
        .and_then(|range| range.strip_suffix('>'))
        .unwrap_or_else(|| panic!("{rule}: unknown label {label}"));
    if let Some((low, high)) = range.split_once(" - ") {
        let number = |text: &str| text.parse::<i64>().expect(rule);
        assert!(number(low) <= number(high), "{rule}");
        return;
    }
    let (low, high) = range.split_once('-').expect(rule);
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).expect(rule),
        None => text.parse::<u64>().expect(rule),
    };
    assert!(number(low) <= number(high), "{rule}");
}

fn ends_at_boundary(expr: &Expr) -> bool {
    match expr {
        Expr::Seq(_, last) => matches!(&**last, Expr::Ident(name) if name == "eow"),
        _ => false,
    }
}

/// The generated parser takes the first alternative that fits: an argument that fits everything must not
/// stand before a word, nor a wide one before a narrow one.
#[test]
fn words_stand_before_arguments_and_narrow_before_wide() {
    let grammar = Grammar::load();
    for rule in &grammar.rules {
        for expr in rule.expr.iter_top_down() {
            let Expr::Choice(..) = expr else { continue };
            let widths: Vec<u8> = alternatives(&expr)
                .iter()
                .map(|one| width(&grammar, one))
                .collect();
            assert!(widths.is_sorted(), "{}: {expr}", rule.name);
        }
    }
}

fn alternatives(expr: &Expr) -> Vec<Expr> {
    match expr {
        Expr::Choice(left, right) => [alternatives(left), alternatives(right)].concat(),
        other => vec![other.clone()],
    }
}

/// 0 word, 1 shaped argument, 2 any word, 3 rest of the line; by what an alternative begins with.
fn width(grammar: &Grammar, expr: &Expr) -> u8 {
    match expr {
        Expr::Seq(first, second) if matches!(**first, Expr::NegPred(_)) => width(grammar, second),
        Expr::Seq(first, _) | Expr::Opt(first) | Expr::Rep(first) => width(grammar, first),
        Expr::RepMinMax(first, ..) => width(grammar, first),
        Expr::Choice(left, _) => width(grammar, left),
        Expr::Ident(name) if !grammar.has(name) => 0,
        Expr::Ident(name) => {
            let rule = grammar.rule(name);
            match (rule.ty, grammar.docs.get(name).map(String::as_str)) {
                (RuleType::Atomic, Some(_)) if literal(rule).is_some() => 0,
                (RuleType::Atomic, Some(doc)) if doc.starts_with("LINE") => 3,
                (RuleType::Atomic, Some(doc))
                    if doc.starts_with("WORD") || doc.starts_with("IFNAME") =>
                {
                    2
                }
                (RuleType::Atomic, _) => 1,
                _ if name == "eow" => 0,
                _ => width(grammar, &rule.expr),
            }
        }
        _ => 0,
    }
}

#[test]
fn every_rule_is_used() {
    let grammar = Grammar::load();
    let mut used = HashSet::new();
    for rule in &grammar.rules {
        for expr in rule.expr.iter_top_down() {
            if let Expr::Ident(name) = expr {
                used.insert(name);
            }
        }
    }
    for rule in &grammar.rules {
        let root = rule.name.ends_with("_mode") || rule.name == "WHITESPACE";
        let of_a_command =
            (rule.name.strip_prefix("no_")).is_some_and(|plain| used.contains(plain));
        assert!(
            root || of_a_command || used.contains(&rule.name),
            "{} is used nowhere",
            rule.name
        );
    }
}

#[test]
fn the_files_follow_the_layout() {
    for line in source().lines() {
        assert!(line.len() <= 140, "too long: {line}");
        assert_eq!(line.trim_end(), line, "trailing blanks: {line:?}");
    }
}
