//! The rules of the pest files with the `///` lines before them.

use std::collections::HashMap;
use std::path::Path;

use pest_meta::ast::{Expr, Rule, RuleType};
use pest_meta::{parser, validator};

/// All rules, in the order of the files.
pub struct Rules {
    all: Vec<Rule>,
    by_name: HashMap<String, usize>,
    docs: HashMap<String, Vec<String>>,
}

impl Rules {
    pub fn get(&self, name: &str) -> Option<&Rule> {
        self.by_name.get(name).map(|index| &self.all[*index])
    }

    /// The rule of a command's `no` form, where it is not that of the command itself.
    pub fn negated(&self, name: &str) -> Option<&str> {
        let rule = self.get(&format!("no_{name}"))?;
        Some(&rule.name)
    }

    /// The `///` lines before a rule.
    pub fn docs(&self, name: &str) -> &[String] {
        self.docs.get(name).map_or(&[], Vec::as_slice)
    }

    /// The rules that what is parsed is made of: all but the silent ones.
    pub fn named(&self) -> impl Iterator<Item = &Rule> {
        self.all.iter().filter(|rule| rule.ty != RuleType::Silent)
    }

    /// The rules of the modes' tables.
    pub fn tables(&self) -> impl Iterator<Item = &Rule> {
        self.all.iter().filter(|rule| is_table(rule))
    }
}

/// The rule is a whole line of a mode.
pub fn is_table(rule: &Rule) -> bool {
    let mut parts = rule.expr.iter_top_down();
    parts.any(|part| matches!(part, Expr::Ident(name) if name == "SOI"))
}

/// Reads the pest files of a folder, `tokens.pest` first.
///
/// # Panics
/// When a file cannot be read or a rule is malformed or names one that is not there.
pub fn rules(folder: &Path) -> Rules {
    let entries = std::fs::read_dir(folder).expect("the folder of the grammar");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort_by_key(|path| (!path.ends_with("tokens.pest"), path.clone()));
    let texts = files
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("a pest file"));
    let source = texts.collect::<Vec<_>>().join("\n");
    let pairs = parser::parse(parser::Rule::grammar_rules, &source)
        .unwrap_or_else(|error| panic!("{error}"));
    if let Err(errors) = validator::validate_pairs(pairs.clone()) {
        panic!("{}", errors[0]);
    }
    let docs = docs(pairs.clone());
    let all = parser::consume_rules(pairs).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let names = all.iter().enumerate();
    Rules {
        by_name: names.map(|(at, rule)| (rule.name.clone(), at)).collect(),
        docs,
        all,
    }
}

fn docs(pairs: pest::iterators::Pairs<'_, parser::Rule>) -> HashMap<String, Vec<String>> {
    let mut docs = HashMap::new();
    let mut pending = Vec::new();
    for pair in pairs.filter(|pair| pair.as_rule() == parser::Rule::grammar_rule) {
        let Some(inner) = pair.into_inner().next() else {
            continue;
        };
        match inner.as_rule() {
            parser::Rule::line_doc => pending.extend(
                inner
                    .into_inner()
                    .next()
                    .map(|text| text.as_str().to_owned()),
            ),
            _ if pending.is_empty() => {}
            _ => {
                docs.insert(inner.as_str().to_owned(), std::mem::take(&mut pending));
            }
        }
    }
    docs
}
