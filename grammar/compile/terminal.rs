//! What an atomic rule matches, as the text of a `Terminal` of `src/tree.rs`.

use std::fmt::Write;

use pest_meta::ast::{Expr, Rule};

/// The words and arguments of one atomic rule: one, or three for an interface name, which may be two tokens.
pub fn terminals(rule: &Rule, docs: &[String]) -> Vec<String> {
    let doc = docs.first().map_or("", String::as_str);
    let attribute = |name: &str| docs.iter().find_map(|doc| doc.strip_prefix(name));
    let secret = attribute("@secret").map_or("None".to_owned(), |types| {
        let has = |number| types.split_whitespace().any(|word| word == number);
        format!(
            "Some(SecretTypes {{ six: {}, seven: {} }})",
            has("6"),
            has("7")
        )
    });
    let means = attribute("@means ");
    let make = |label: &str, help: &str, kind: &str| {
        format!(
            "Terminal {{ rule: Rule::{}, label: {label:?}, help: {help:?}, kind: Kind::{kind}, means: {means:?}, secret: {secret} }}",
            crate::write::identifier(&rule.name)
        )
    };
    if let Some(literal) = literal(rule) {
        let hidden = doc.strip_prefix("(hidden) ");
        let kind = format!(
            "Word {{ literal: {literal:?}, hidden: {} }}",
            hidden.is_some()
        );
        return vec![make(literal, hidden.unwrap_or(doc), &kind)];
    }
    let (label, help) = doc.split_once("  ").unwrap_or((doc, ""));
    if label != "IFNAME" {
        return vec![make(label, help, &argument(rule, label))];
    }
    let number = "Interface number, slots separated by /";
    vec![
        make("WORD", "Name of a Linux interface", "Interface"),
        make("", "", "InterfaceType"),
        make("<0-2147483647>", number, "InterfaceNumber"),
    ]
}

/// The literal of a word.
pub fn literal(rule: &Rule) -> Option<&str> {
    let Expr::Seq(left, right) = &rule.expr else {
        return None;
    };
    match (&**left, &**right) {
        (Expr::Str(literal), Expr::Ident(boundary)) if boundary == "eow" => Some(literal),
        _ => None,
    }
}

/// The kind of an argument by its label, and by the rules that its own names.
fn argument(rule: &Rule, label: &str) -> String {
    let names = |name: &str| names(&rule.expr, name);
    match label {
        "LINE" => format!("Line {{ multiple: {} }}", rule.name == "a_banner_text"),
        "hh:mm" => "Time { seconds: false }".to_owned(),
        "hh:mm:ss" => "Time { seconds: true }".to_owned(),
        "A.B.C.D" => "Ipv4".to_owned(),
        "X:X:X:X::X" => "Ipv6".to_owned(),
        "HEX" => "Digits".to_owned(),
        _ => range(label).unwrap_or_else(|| {
            let numeric = match () {
                () if names("host_name") => "NoName",
                () if names("host") => "Address",
                () if names("not_number") => "NoNumber",
                () => "Word",
            };
            format!(
                "Any {{ bar: {}, numeric: Numeric::{numeric} }}",
                !names("name")
            )
        }),
    }
}

/// Whether an expression names a rule.
fn names(expr: &Expr, rule: &str) -> bool {
    let mut parts = expr.iter_top_down();
    parts.any(|part| matches!(part, Expr::Ident(name) if name == rule))
}

fn range(label: &str) -> Option<String> {
    let range = label.strip_prefix('<')?.strip_suffix('>')?;
    let mut kind = String::new();
    if let Some((low, high)) = range.split_once(" - ") {
        let (low, high): (i64, i64) = (low.parse().ok()?, high.parse().ok()?);
        write!(kind, "Signed({low}, {high})").ok()?;
        return Some(kind);
    }
    let (low, high) = range.split_once('-')?;
    if let (Some(low), Some(high)) = (low.strip_prefix("0x"), high.strip_prefix("0x")) {
        let hex = |digits| u64::from_str_radix(digits, 16).ok();
        write!(kind, "Hex({}, {})", hex(low)?, hex(high)?).ok()?;
        return Some(kind);
    }
    let (low, high): (u64, u64) = (low.parse().ok()?, high.parse().ok()?);
    write!(kind, "Number({low}, {high})").ok()?;
    Some(kind)
}
