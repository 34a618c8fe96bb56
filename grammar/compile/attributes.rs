//! The attributes of inactive commands (`src/retained.rs` lists them), as the text of a `Retained`.

use std::collections::HashSet;

use pest_meta::ast::Expr;

use crate::read::Rules;
use crate::write::variant;

/// An inactive command.
pub struct Retained {
    /// The rule of its plain form.
    pub rule: String,
    /// Its place among the inactive commands of each table that has it, the tables by the names of their rules.
    pub orders: Vec<(String, u16)>,
}

/// The inactive commands in the order in which the tables have them.
pub fn retained(rules: &Rules) -> Vec<Retained> {
    let mut all: Vec<Retained> = Vec::new();
    for table in rules.tables() {
        let mut names = Vec::new();
        below(rules, &table.name, &mut HashSet::new(), &mut names);
        for (order, rule) in (0..).zip(names) {
            let place = (table.name.clone(), order);
            match all.iter_mut().find(|known| known.rule == rule) {
                Some(known) => known.orders.push(place),
                None => all.push(Retained {
                    rule,
                    orders: vec![place],
                }),
            }
        }
    }
    all
}

/// The rule of the plain form of an inactive command, if the rule is of one.
pub fn plain(rule: &str) -> Option<&str> {
    let plain = rule.strip_prefix("no_").unwrap_or(rule);
    plain.starts_with("r_").then_some(plain)
}

/// After how many words the `no` form of a command may end: `@no-after N`.
pub fn no_after(docs: &[String]) -> Option<usize> {
    let mut counts = docs.iter().filter_map(|doc| doc.strip_prefix(NO_AFTER));
    let count = counts.next()?;
    Some(
        count
            .parse()
            .unwrap_or_else(|_| panic!("{NO_AFTER}{count}")),
    )
}

const NO_AFTER: &str = "@no-after ";

/// The inactive commands below a rule, in the order of the alternatives.
fn below(rules: &Rules, name: &str, seen: &mut HashSet<String>, names: &mut Vec<String>) {
    let Some(rule) = rules.get(name) else {
        return;
    };
    if name == "navigation" || !seen.insert(name.to_owned()) {
        return;
    }
    if let Some(plain) = plain(name) {
        if !names.iter().any(|known| known == plain) {
            names.push(plain.to_owned());
        }
        return;
    }
    for part in rule.expr.iter_top_down() {
        if let Expr::Ident(inner) = part {
            below(rules, &inner, seen, names);
        }
    }
}

/// The fields of a `Retained` that the attributes before its rule give.
///
/// # Panics
/// When an attribute is not understood.
pub fn fields(rule: &str, docs: &[String]) -> String {
    let mut attributes = Attributes::default();
    for doc in docs.iter().filter(|doc| !doc.starts_with(NO_AFTER)) {
        if attributes.read(doc).is_none() {
            panic!("the attribute \"{doc}\" of {rule} is not understood");
        }
    }
    let or = |value: &Option<String>, usual: &str| value.clone().unwrap_or(usual.to_owned());
    let option = |value: &Option<String>| {
        let some = value.as_ref().map(|value| format!("Some({value})"));
        some.unwrap_or("None".to_owned())
    };
    format!(
        "key: Key::{}, enters: {}, section: {}, rank: {}, sorted: {}, negation: Negation::{}, trail: {}, holds: &[{}], \
         holds_without: {:?}, needed: {}, once: {}, default: {:?}, makes: {:?}, names: {}, in_use: {:?}",
        or(&attributes.key, "Keywords"),
        option(&attributes.enters),
        option(&attributes.section),
        attributes.rank.unwrap_or(u8::MAX),
        attributes.sorted,
        or(&attributes.negation, "Removes"),
        attributes.trail,
        or(&attributes.holds, ""),
        attributes.holds_without,
        attributes.needed,
        attributes.once,
        attributes.default,
        attributes.makes,
        option(&attributes.names),
        attributes.in_use,
    )
}

#[derive(Default)]
struct Attributes {
    key: Option<String>,
    enters: Option<String>,
    section: Option<String>,
    rank: Option<u8>,
    sorted: bool,
    negation: Option<String>,
    trail: usize,
    holds: Option<String>,
    holds_without: Option<String>,
    needed: bool,
    once: bool,
    default: Option<String>,
    makes: Option<String>,
    names: Option<String>,
    in_use: Option<String>,
}

impl Attributes {
    fn read(&mut self, doc: &str) -> Option<()> {
        const ALL: &str = "Form::Set, Form::No";
        let (name, value) = doc.split_once(' ').unwrap_or((doc, ""));
        match (name, value) {
            ("@key", value) => self.key = Some(key(value)?),
            ("@enters", mode) => self.enters = Some(format!("Mode::{mode}")),
            ("@section", section) => self.section = Some(format!("Section::{}", variant(section))),
            ("@rank", rank) => self.rank = Some(rank.parse().ok()?),
            ("@sorted", "") => self.sorted = true,
            ("@no", "kept") => self.negation = Some("Kept".to_owned()),
            ("@no", "only") => self.negation = Some("Only".to_owned()),
            ("@trail", count) => self.trail = count.parse().ok()?,
            ("@acts" | "@holds", "") => self.holds = Some(ALL.to_owned()),
            ("@holds", "no") => self.holds = Some("Form::No".to_owned()),
            ("@acts" | "@holds", value) => {
                self.holds = Some(ALL.to_owned());
                self.holds_without = Some(value.strip_prefix("without ")?.to_owned());
            }
            ("@once", "") => self.once = true,
            ("@needed", "") => self.needed = true,
            ("@makes", thing) => self.makes = Some(thing.to_owned()),
            ("@names", value) => self.names = Some(names(value)?),
            ("@in-use", text) => self.in_use = Some(text.to_owned()),
            ("@default", words) => self.default = Some(words.to_owned()),
            _ => return None,
        }
        Some(())
    }
}

fn names(value: &str) -> Option<String> {
    let (what, refusal) = value.split_once(": ")?;
    let (argument, thing) = what.split_once(' ')?;
    let (thing, built_in) = match thing.split_once(" or ") {
        Some((thing, name)) => (thing, Some(name)),
        None => (thing, None),
    };
    Some(format!(
        "Names {{ argument: Rule::{argument}, thing: {thing:?}, built_in: {built_in:?}, refusal: {refusal:?} }}"
    ))
}

fn key(value: &str) -> Option<String> {
    let (which, word) = value.split_once(' ').unwrap_or((value, ""));
    Some(match (which, word) {
        ("all", "") => "All".to_owned(),
        ("none", "") => "Nothing".to_owned(),
        ("before", word) => format!("Before({word:?})"),
        ("from", word) => format!("From({word:?})"),
        (count, "") => format!("Words({})", count.parse::<usize>().ok()?),
        _ => return None,
    })
}
