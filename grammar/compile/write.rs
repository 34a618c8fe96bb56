//! The tables as Rust text. The types are those of `src/tree.rs` and `src/retained.rs`.

use std::collections::HashMap;
use std::fmt::{Display, Write};

use crate::attributes;
use crate::automaton::{Automaton, Edge};
use crate::read::{Rules, is_table};

/// The names of the rules, the terminals, the automaton and the inactive commands.
pub fn tables(rules: &Rules, automaton: &Automaton<'_>) -> String {
    let named: Vec<&str> = rules
        .named()
        .filter(|rule| !is_table(rule))
        .map(|rule| rule.name.as_str())
        .collect();
    let mut text = String::new();
    let _ = writeln!(
        text,
        "/// A rule of the pest files that what is parsed is made of.\n\
         #[allow(non_camel_case_types, missing_docs)]\n\
         #[derive(Clone, Copy, PartialEq, Eq, Hash)]\n\
         pub enum Rule {{ {} }}",
        list(named.iter().map(|name| identifier(name)))
    );
    array(
        &mut text,
        "NAMES",
        "&str",
        named.iter().map(|name| format!("{name:?}")),
    );
    array(
        &mut text,
        "TERMINALS",
        "Terminal",
        automaton.terminals.iter(),
    );
    let terminal_of = named.iter().map(|name| {
        let own = automaton.by_rule.get(name);
        own.map_or("None".to_owned(), |own| format!("Some({})", own.start))
    });
    array(&mut text, "TERMINAL_OF", "Option<u16>", terminal_of);
    nodes(&mut text, automaton);
    retained(&mut text, rules, &named);
    text
}

fn nodes(text: &mut String, automaton: &Automaton<'_>) {
    let frames = automaton.frames.iter().map(|frame| {
        let parent = frame.parent.map_or(u32::MAX, number);
        format!(
            "Frame {{ rule: Rule::{}, parent: {parent}, depth: {} }}",
            identifier(&frame.rule),
            frame.depth
        )
    });
    array(text, "FRAMES", "Frame", frames);
    let mut lists = Lists::default();
    let nodes: Vec<String> = automaton
        .nodes
        .iter()
        .map(|node| {
            let frame = node.frame.map_or(u32::MAX, number);
            let follow = lists.add(&node.follow);
            format!(
                "Node {{ terminal: {}, frame: {frame}, follow: {follow}, accepting: {}, in_user_exec: {} }}",
                node.terminal, node.accepting, node.in_user_exec
            )
        })
        .collect();
    array(text, "NODES", "Node", nodes.iter());
    let starts = automaton.starts.iter().map(|(table, nodes)| {
        let edges = nodes.iter().map(|node| Edge {
            node: *node,
            open: 0,
        });
        let list = lists.add(&edges.collect::<Vec<_>>());
        format!("{} => {list}", mode(table))
    });
    let _ = writeln!(
        text,
        "/// The first nodes of a mode's own table.\n\
         fn start(mode: Mode) -> List {{ match mode {{ {} }} }}",
        list(starts)
    );
    let edges = lists.edges.iter();
    let edges = edges.map(|edge| format!("Edge {{ node: {}, open: {} }}", edge.node, edge.open));
    array(text, "EDGES", "Edge", edges);
}

fn retained(text: &mut String, rules: &Rules, named: &[&str]) {
    let all = attributes::retained(rules);
    let entries = all.iter().map(|retained| {
        let orders = retained.orders.iter();
        let orders = orders.map(|(table, order)| format!("({}, {order})", mode(table)));
        let fields = attributes::fields(&retained.rule, rules.docs(&retained.rule));
        format!(
            "Retained {{ rule: Rule::{}, orders: &[{}], {fields} }}",
            retained.rule,
            list(orders)
        )
    });
    array(text, "RETAINED", "Retained", entries);
    let of = named.iter().map(|name| {
        let is = |plain| all.iter().position(|retained| retained.rule == plain);
        format!("{:?}", attributes::plain(name).and_then(is))
    });
    array(text, "RETAINED_OF", "Option<u16>", of);
}

/// The edges of all nodes, equal lists once.
#[derive(Default)]
struct Lists {
    edges: Vec<Edge>,
    known: HashMap<Vec<Edge>, usize>,
}

impl Lists {
    fn add(&mut self, edges: &[Edge]) -> String {
        let next = self.edges.len();
        let start = *self.known.entry(edges.to_vec()).or_insert(next);
        if start == next {
            self.edges.extend(edges);
        }
        format!("List {{ start: {start}, end: {} }}", start + edges.len())
    }
}

fn array<T: Display>(text: &mut String, name: &str, of: &str, items: impl Iterator<Item = T>) {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    let count = items.len();
    let _ = writeln!(
        text,
        "static {name}: [{of}; {count}] = [\n{}\n];",
        items.join(",\n")
    );
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 places")
}

/// The mode of a table: `isakmp_policy_mode` is that of `Mode::IsakmpPolicy`.
fn mode(table: &str) -> String {
    format!(
        "Mode::{}",
        variant(
            table
                .strip_suffix("_mode")
                .expect("a table is called NAME_mode")
        )
    )
}

/// The variant that a name stands for: `local-logging` is `LocalLogging`.
pub fn variant(name: &str) -> String {
    let mut variant = String::new();
    for part in name.split(['-', '_']) {
        let mut letters = part.chars();
        variant.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        variant.push_str(letters.as_str());
    }
    variant
}

/// A rule as a name in Rust.
pub fn identifier(rule: &str) -> String {
    match rule {
        "where" => "r#where".to_owned(),
        other => other.to_owned(),
    }
}
