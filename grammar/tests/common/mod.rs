//! Reads the pest files on its own, without the crate's automaton: all rules with their docs, and every
//! sentence of a mode.
#![allow(dead_code)]

use std::cell::Cell;
use std::collections::HashMap;
use std::path::Path;

use isthmus_grammar::Mode;
use pest_meta::ast::{Expr, Rule, RuleType};
use pest_meta::parser;

/// Most sentences kept for one sequence; beyond it each side's alternatives are still all there, once.
const LIMIT: usize = 64;

pub struct Grammar {
    pub rules: Vec<Rule>,
    /// The help of a rule: its first doc line.
    pub docs: HashMap<String, String>,
    /// The `@` lines of a rule.
    pub attributes: HashMap<String, Vec<String>>,
    by_name: HashMap<String, usize>,
    /// The part of a rule that is being followed stands after `no` or `default`.
    negated: Cell<bool>,
}

/// One word of a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub text: String,
    /// A keyword that may be shortened.
    pub shortens: bool,
    /// A number just outside the range of the argument.
    pub beyond: Option<String>,
    /// The rule of the word or argument.
    pub rule: String,
}

type Sentence = Vec<Token>;

impl Grammar {
    pub fn load() -> Self {
        let source = source();
        let pairs = parser::parse(parser::Rule::grammar_rules, &source).expect("pest syntax");
        let mut docs = HashMap::new();
        let mut attributes: HashMap<String, Vec<String>> = HashMap::new();
        let mut pending: Vec<String> = Vec::new();
        for pair in pairs
            .clone()
            .filter(|pair| pair.as_rule() == parser::Rule::grammar_rule)
        {
            let inner = pair.into_inner().next().expect("a rule is not empty");
            if inner.as_rule() == parser::Rule::line_doc {
                let text = inner.into_inner().next().expect("a doc has text");
                pending.push(text.as_str().to_owned());
                continue;
            }
            for doc in pending.drain(..) {
                let name = inner.as_str().to_owned();
                if doc.starts_with('@') {
                    attributes.entry(name).or_default().push(doc);
                } else if let Some(other) = docs.insert(name, doc) {
                    panic!("{} has two lines of help; one is {other}", inner.as_str());
                }
            }
        }
        let rules = parser::consume_rules(pairs).expect("pest rules");
        let by_name = rules
            .iter()
            .enumerate()
            .map(|(index, rule)| (rule.name.clone(), index))
            .collect();
        Self {
            rules,
            docs,
            attributes,
            by_name,
            negated: Cell::new(false),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub fn rule(&self, name: &str) -> &Rule {
        &self.rules[self.by_name[name]]
    }

    /// Sentences in which every alternative of the mode's table occurs.
    ///
    /// What follows `do` is the same everywhere: only global configuration has all of it.
    pub fn sentences(&self, mode: Mode) -> Vec<Sentence> {
        let name = mode_rule(mode);
        let mut sentences = self.expr(&self.rule(&name).expr);
        if mode != Mode::Config {
            let does = |sentence: &Sentence| sentence.first().is_some_and(|word| word.text == "do");
            let every = (sentences.iter().filter(|one| does(one)).count() / 8).max(1);
            let mut count = 0;
            sentences.retain(|sentence| {
                count += usize::from(does(sentence));
                !does(sentence) || count % every == 0
            });
        }
        sentences
    }

    fn expr(&self, expr: &Expr) -> Vec<Sentence> {
        match expr {
            Expr::Ident(name) if name == "SOI" || name == "EOI" => vec![vec![]],
            Expr::Ident(name) => self.named(name),
            Expr::Seq(left, right) => {
                let negates = matches!(&**left, Expr::Ident(name) if ["k_no", "k_default"].contains(&name.as_str()));
                let left = self.expr(left);
                let around = self.negated.get();
                self.negated.set(around || negates);
                let right = self.expr(right);
                self.negated.set(around);
                sequence(left, &right)
            }
            Expr::Choice(left, right) => [self.expr(left), self.expr(right)].concat(),
            Expr::Opt(inner) => [vec![vec![]], self.expr(inner)].concat(),
            Expr::Rep(inner) => [vec![vec![]], self.expr(inner)].concat(),
            Expr::RepMinMax(inner, min, max) => self.counted(inner, *min, *max),
            Expr::RepOnce(inner) => self.counted(inner, 1, 2),
            other => panic!("the commands use no {other:?}"),
        }
    }

    fn counted(&self, inner: &Expr, min: u32, max: u32) -> Vec<Sentence> {
        let one = self.expr(inner);
        let times = |count: u32| (0..count).fold(vec![vec![]], |so_far, _| sequence(so_far, &one));
        (min..=max).flat_map(times).collect()
    }

    /// After how many words the `no` form of a command may end.
    fn no_after(&self, name: &str) -> Option<usize> {
        let mut attributes = self.attributes.get(name)?.iter();
        let count = attributes.find_map(|one| one.strip_prefix("@no-after "))?;
        Some(count.parse().expect(name))
    }

    fn named(&self, name: &str) -> Vec<Sentence> {
        let own = format!("no_{name}");
        if self.negated.get() && self.has(&own) {
            return self.named(&own);
        }
        let rule = self.rule(name);
        match rule.ty {
            RuleType::Atomic => {}
            RuleType::Silent => return self.expr(&rule.expr),
            _ => {
                let around = self.negated.replace(false);
                let sentences = self.expr(&rule.expr);
                self.negated.set(around);
                return match self.no_after(name).filter(|_| around) {
                    Some(count) => beginnings(&sentences, count),
                    None => sentences,
                };
            }
        }
        let doc = &self.docs[name];
        match literal(rule) {
            Some(word) => {
                let shortens = !doc.starts_with("(hidden)");
                vec![vec![Token {
                    text: word.to_owned(),
                    shortens,
                    beyond: None,
                    rule: name.to_owned(),
                }]]
            }
            None => samples(name, doc)
                .into_iter()
                .map(|sample| vec![sample])
                .collect(),
        }
    }
}

/// The sentences and what they begin with, down to so many words.
fn beginnings(sentences: &[Sentence], count: usize) -> Vec<Sentence> {
    let mut all: Vec<Sentence> = Vec::new();
    for sentence in sentences {
        for end in count..=sentence.len() {
            if !all.iter().any(|known| known[..] == sentence[..end]) {
                all.push(sentence[..end].to_vec());
            }
        }
    }
    all
}

/// The literal of a word rule.
pub fn literal(rule: &Rule) -> Option<&str> {
    match &rule.expr {
        Expr::Seq(left, right) => match (&**left, &**right) {
            (Expr::Str(literal), Expr::Ident(boundary)) if boundary == "eow" => Some(literal),
            _ => None,
        },
        _ => None,
    }
}

/// Both ends of a range, one sample for everything else.
fn samples(name: &str, doc: &str) -> Vec<Token> {
    let label = doc.split("  ").next().unwrap_or_default();
    let one = |text: &str| {
        vec![Token {
            text: text.to_owned(),
            shortens: false,
            beyond: None,
            rule: name.to_owned(),
        }]
    };
    match label {
        _ if name == "a_banner_text" => one("^Cwelcome to  this router^C"),
        "WORD" => one("Word-1"),
        "HEX" => one("3082A0"),
        "LINE" => one("some text  with two blanks"),
        "IFNAME" => one("GigabitEthernet0/1"),
        "A.B.C.D" => one("10.20.30.40"),
        "hh:mm" => one("2:05"),
        "hh:mm:ss" => one("2:05:09"),
        _ if label.contains(" - ") => {
            let range = label.trim_matches(['<', '>']);
            let (low, high) = range.split_once(" - ").expect(doc);
            [one(low), one(high)].concat()
        }
        "X:X:X:X::X" => one("2001:db8::1"),
        _ => {
            let range = label
                .strip_prefix('<')
                .and_then(|range| range.strip_suffix('>'))
                .expect(doc);
            let (low, high) = range.split_once('-').expect(doc);
            let end = |text: &str, beyond: Option<u64>| Token {
                text: text.to_owned(),
                shortens: false,
                beyond: beyond.map(|number| number.to_string()),
                rule: name.to_owned(),
            };
            vec![
                end(low, number(low).checked_sub(1)),
                end(high, Some(number(high) + 1)),
            ]
        }
    }
}

fn number(text: &str) -> u64 {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).expect(text),
        None => text.parse().expect(text),
    }
}

fn sequence(left: Vec<Sentence>, right: &[Sentence]) -> Vec<Sentence> {
    if left.len() * right.len() <= LIMIT {
        return left
            .iter()
            .flat_map(|head| {
                right
                    .iter()
                    .map(move |tail| [&head[..], &tail[..]].concat())
            })
            .collect();
    }
    let pairs = left.len().max(right.len());
    (0..pairs)
        .map(|index| {
            [
                &left[index % left.len()][..],
                &right[index % right.len()][..],
            ]
            .concat()
        })
        .collect()
}

pub fn spelled(sentence: &[Token]) -> String {
    sentence
        .iter()
        .map(|token| token.text.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

/// `Mode::IsakmpPolicy` has the table `isakmp_policy_mode`.
fn mode_rule(mode: Mode) -> String {
    let mut name = String::new();
    for letter in format!("{mode:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name + "_mode"
}

/// All pest files, the one with the `//!` text first.
pub fn source() -> String {
    // Tests of other crates read them too.
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = ["src/commands", "../grammar/src/commands"].map(|folder| own.join(folder));
    let folder = folder
        .iter()
        .find(|folder| folder.is_dir())
        .expect("the folder");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort_by_key(|path| (!path.ends_with("tokens.pest"), path.clone()));
    files
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("a pest file"))
        .collect::<Vec<_>>()
        .join("\n")
}
