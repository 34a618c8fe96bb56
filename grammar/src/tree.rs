//! The pest files as an automaton over words: read once with `pest_meta`, walked by `walk.rs`.
//!
//! Every place where a rule names a word or an argument becomes a node; a node knows which nodes may
//! follow it (Glushkov's construction, in the order of the alternatives), so a line is walked word by word
//! with every possible place kept.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::sync::LazyLock;

use pest_meta::ast::{Expr, Rule, RuleType};
use pest_meta::parser as meta;

use crate::command::SecretTypes;
use crate::modes::Mode;
use crate::retained::Retained;

const SOURCES: &[&str] = &[
    include_str!("commands/tokens.pest"),
    include_str!("commands/exec.pest"),
    include_str!("commands/files.pest"),
    include_str!("commands/show.pest"),
    include_str!("commands/global.pest"),
    include_str!("commands/logging.pest"),
    include_str!("commands/isakmp.pest"),
    include_str!("commands/ipsec.pest"),
    include_str!("commands/map.pest"),
    include_str!("commands/acl.pest"),
    include_str!("commands/acl_names.pest"),
    include_str!("commands/object_groups.pest"),
    include_str!("commands/interface.pest"),
    include_str!("commands/ikev2.pest"),
    include_str!("commands/ikev2_profile.pest"),
    include_str!("commands/ikev2_client.pest"),
    include_str!("commands/pki.pest"),
    include_str!("commands/pki_trustpoint.pest"),
    include_str!("commands/pki_server.pest"),
    include_str!("commands/keys.pest"),
    include_str!("commands/aaa.pest"),
    include_str!("commands/radius.pest"),
    include_str!("commands/vpdn.pest"),
    include_str!("commands/interface_ip.pest"),
    include_str!("commands/ppp.pest"),
    include_str!("commands/tunnel.pest"),
    include_str!("commands/vrf.pest"),
    include_str!("commands/globals.pest"),
    include_str!("commands/ip_globals.pest"),
    include_str!("commands/management.pest"),
    include_str!("commands/lines.pest"),
    include_str!("commands/modes.pest"),
    include_str!("commands/archive.pest"),
    include_str!("commands/keyring.pest"),
    include_str!("commands/ezvpn.pest"),
    include_str!("commands/isakmp_globals.pest"),
    include_str!("commands/isakmp_group.pest"),
    include_str!("commands/isakmp_profile.pest"),
    include_str!("commands/ipsec_globals.pest"),
    include_str!("commands/map_settings.pest"),
    include_str!("commands/login.pest"),
    include_str!("commands/alias.pest"),
];

/// The whole grammar.
pub(crate) static GRAMMAR: LazyLock<Grammar> = LazyLock::new(Grammar::load);

/// What a word or an argument rule matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword; a hidden one is not listed and matches only when spelled out.
    Word { literal: String, hidden: bool },
    /// `<1-10>`, decimal.
    Number(u64, u64),
    /// `<-23 - 23>`, decimal with a sign.
    Signed(i64, i64),
    /// `hh:mm` or `hh:mm:ss`, a time of day.
    Time { seconds: bool },
    /// `<0x1-0xFF>`, decimal or hexadecimal with `0x`.
    Hex(u64, u64),
    /// `A.B.C.D`.
    Ipv4,
    /// `X:X:X:X::X`.
    Ipv6,
    /// `WORD`: anything without blanks; whether it may begin with `|`, and what it is if it is digits and dots only.
    Any { bar: bool, numeric: Numeric },
    /// `HEX`: hexadecimal digits.
    Digits,
    /// `LINE`: the rest of the line; with line ends for a banner.
    Line { multiple: bool },
    /// A whole interface name in one token.
    Interface,
    /// An IOS interface type, the number being the next token.
    InterfaceType,
    /// The number after an IOS interface type.
    InterfaceNumber,
}

/// What a `WORD` of digits and dots only may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numeric {
    /// A word like any other.
    Word,
    /// Not a number; with a dot in it a word like any other.
    NoNumber,
    /// The name of a host, which is never that.
    NoName,
    /// A host: a whole IPv4 address or nothing.
    Address,
}

impl Numeric {
    fn of(rule: &Rule) -> Self {
        if names(&rule.expr, "host_name") {
            Self::NoName
        } else if names(&rule.expr, "host") {
            Self::Address
        } else if names(&rule.expr, "not_number") {
            Self::NoNumber
        } else {
            Self::Word
        }
    }

    /// Whether a token may stand there.
    pub(crate) fn takes(self, token: &str) -> bool {
        let only = |of: fn(u8) -> bool| !token.is_empty() && token.bytes().all(of);
        let numeric = || only(|byte| byte.is_ascii_digit() || byte == b'.');
        match self {
            Self::Word => true,
            Self::NoNumber => !only(|byte| byte.is_ascii_digit()),
            Self::NoName => !numeric(),
            Self::Address => !numeric() || token.parse::<Ipv4Addr>().is_ok(),
        }
    }
}

/// A word or argument rule.
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    /// The keyword, or the label of an argument.
    pub(crate) label: String,
    pub(crate) help: String,
    pub(crate) kind: Kind,
    /// A keyword that becomes another one in what is kept.
    pub(crate) means: Option<String>,
    /// The value is a key or password, and so it may be encoded.
    pub(crate) secret: Option<SecretTypes>,
}

/// One place of one terminal.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) terminal: usize,
    pub(crate) follow: Vec<usize>,
    /// The command may end here.
    pub(crate) accepting: bool,
    /// User EXEC has this place as well.
    pub(crate) in_user_exec: bool,
}

/// The automaton of all modes.
#[derive(Debug)]
pub(crate) struct Grammar {
    pub(crate) terminals: Vec<Terminal>,
    pub(crate) nodes: Vec<Node>,
    /// The retained commands by the names of their rules.
    pub(crate) retained: HashMap<String, Retained>,
    by_rule: HashMap<String, Vec<usize>>,
    starts: HashMap<Mode, Vec<usize>>,
}

impl Grammar {
    /// The first places of a mode's own table.
    pub(crate) fn start(&self, mode: Mode) -> &[usize] {
        &self.starts[&mode]
    }

    /// Whether a spelled-out line can be in a mode's own table, by its first word.
    pub(crate) fn may_start(&self, mode: Mode, line: &str) -> bool {
        let first = line.split([' ', '\t']).next().unwrap_or_default();
        self.start(mode)
            .iter()
            .any(|node| match &self.terminal(*node).kind {
                Kind::Word { literal, .. } => literal == first,
                _ => true,
            })
    }

    /// The terminal at a node.
    pub(crate) fn terminal(&self, node: usize) -> &Terminal {
        &self.terminals[self.nodes[node].terminal]
    }

    /// The word or argument of an atomic rule; of an interface name the one for the whole name.
    pub(crate) fn terminal_of(&self, rule: &str) -> Option<&Terminal> {
        let ids = self.by_rule.get(rule)?;
        Some(&self.terminals[*ids.first()?])
    }

    fn load() -> Self {
        let source = SOURCES.join("\n");
        let pairs = meta::parse(meta::Rule::grammar_rules, &source)
            .expect("the grammar is checked at compile time");
        let docs = rule_docs(pairs.clone());
        let rules = meta::consume_rules(pairs).expect("the grammar is checked at compile time");
        let mut loader = Loader::new(rules, docs);
        let starts = Mode::ALL
            .iter()
            .map(|mode| (*mode, loader.mode(&format!("{:?}", mode.rule()))))
            .collect();
        let mut grammar = Self {
            retained: loader.retained(),
            terminals: loader.terminals,
            nodes: loader.nodes,
            by_rule: loader.by_rule,
            starts,
        };
        grammar.mark_user_exec();
        grammar
    }

    /// Marks every place of EXEC, also after `do`, that user EXEC has too.
    fn mark_user_exec(&mut self) {
        let user = self.starts[&Mode::UserExec].clone();
        let word = &self.by_rule["k_do"];
        let after_do = self.nodes.iter();
        let after_do = after_do.filter(|node| word.contains(&node.terminal));
        let mut exec: Vec<usize> = after_do.flat_map(|node| node.follow.clone()).collect();
        exec.extend(&self.starts[&Mode::Exec]);
        let mut todo = self.pairs(&exec, &user);
        todo.extend(user.iter().map(|node| (*node, *node)));
        let mut seen = HashSet::new();
        while let Some((node, user)) = todo.pop() {
            if seen.insert((node, user)) {
                self.nodes[node].in_user_exec = true;
                todo.extend(self.pairs(&self.nodes[node].follow, &self.nodes[user].follow));
            }
        }
    }

    /// The places of both lists that have the same terminal.
    fn pairs(&self, left: &[usize], right: &[usize]) -> Vec<(usize, usize)> {
        let pairs = left
            .iter()
            .flat_map(|left| right.iter().map(|right| (*left, *right)));
        pairs
            .filter(|(left, right)| self.nodes[*left].terminal == self.nodes[*right].terminal)
            .collect()
    }
}

/// The `///` lines before each rule.
type Docs = HashMap<String, Vec<String>>;

fn rule_docs(pairs: pest::iterators::Pairs<'_, meta::Rule>) -> Docs {
    let mut docs = HashMap::new();
    let mut pending = Vec::new();
    for pair in pairs.filter(|pair| pair.as_rule() == meta::Rule::grammar_rule) {
        let Some(inner) = pair.into_inner().next() else {
            continue;
        };
        match inner.as_rule() {
            meta::Rule::line_doc => pending.extend(
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

/// A piece of the automaton while it is built.
#[derive(Debug, Clone, Default)]
struct Fragment {
    first: Vec<usize>,
    last: Vec<usize>,
    nullable: bool,
}

impl Fragment {
    fn empty() -> Self {
        Self {
            nullable: true,
            ..Self::default()
        }
    }

    fn optional(mut self) -> Self {
        self.nullable = true;
        self
    }
}

struct Loader {
    rules: HashMap<String, Rc<Rule>>,
    docs: Docs,
    terminals: Vec<Terminal>,
    by_rule: HashMap<String, Vec<usize>>,
    nodes: Vec<Node>,
    /// What every configuration mode has in common, made once.
    navigation: Option<Fragment>,
}

impl Loader {
    fn new(rules: Vec<Rule>, docs: Docs) -> Self {
        let rules = rules
            .into_iter()
            .map(|rule| (rule.name.clone(), Rc::new(rule)))
            .collect();
        Self {
            rules,
            docs,
            terminals: Vec::new(),
            by_rule: HashMap::new(),
            nodes: Vec::new(),
            navigation: None,
        }
    }

    /// The retained commands, each with its place in the tables that have it.
    fn retained(&self) -> HashMap<String, Retained> {
        let mut all = HashMap::new();
        for mode in Mode::ALL {
            let mut names = Vec::new();
            let mut seen = HashSet::new();
            self.retained_in(&format!("{:?}", mode.rule()), &mut seen, &mut names);
            for (order, name) in (0..).zip(names) {
                let docs = self.docs.get(&name).map_or(&[][..], Vec::as_slice);
                let retained = all
                    .entry(name)
                    .or_insert_with_key(|name| Retained::read(name, docs));
                retained.orders.insert(*mode, order);
            }
        }
        all
    }

    /// The retained rules below a rule, in the order of the alternatives.
    fn retained_in(&self, rule: &str, seen: &mut HashSet<String>, names: &mut Vec<String>) {
        let Some(rule) = self.rules.get(rule).cloned() else {
            return;
        };
        if rule.name == "navigation" || !seen.insert(rule.name.clone()) {
            return;
        }
        let plain = rule.name.strip_prefix("no_").unwrap_or(&rule.name);
        if plain.starts_with("r_") {
            if !names.iter().any(|known| known == plain) {
                names.push(plain.to_owned());
            }
            return;
        }
        for part in rule.expr.iter_top_down() {
            if let Expr::Ident(name) = part {
                self.retained_in(&name, seen, names);
            }
        }
    }

    fn mode(&mut self, rule: &str) -> Vec<usize> {
        let fragment = self.rule(rule);
        for node in fragment.last {
            self.nodes[node].accepting = true;
        }
        fragment.first
    }

    fn rule(&mut self, name: &str) -> Fragment {
        let Some(rule) = self.rules.get(name).cloned() else {
            return Fragment::empty();
        };
        if rule.ty == RuleType::Atomic {
            return self.atomic(&rule);
        }
        if name != "navigation" {
            return self.expr(&rule.expr);
        }
        if self.navigation.is_none() {
            self.navigation = Some(self.expr(&rule.expr));
        }
        self.navigation.clone().unwrap_or_default()
    }

    /// A word or an argument; an interface name also as two tokens, type and number.
    fn atomic(&mut self, rule: &Rule) -> Fragment {
        if !self.by_rule.contains_key(&rule.name) {
            let docs = self.docs.get(&rule.name).map_or(&[][..], Vec::as_slice);
            let ids = terminals(rule, docs).into_iter().map(|terminal| {
                self.terminals.push(terminal);
                self.terminals.len() - 1
            });
            let ids = ids.collect();
            self.by_rule.insert(rule.name.clone(), ids);
        }
        let ids = self.by_rule[&rule.name].clone();
        let nodes: Vec<usize> = ids
            .into_iter()
            .map(|terminal| self.node(terminal))
            .collect();
        match nodes[..] {
            [whole, kind, number] => {
                self.nodes[kind].follow.push(number);
                Fragment {
                    first: vec![whole, kind],
                    last: vec![whole, number],
                    nullable: false,
                }
            }
            _ => Fragment {
                first: nodes.clone(),
                last: nodes,
                nullable: false,
            },
        }
    }

    fn node(&mut self, terminal: usize) -> usize {
        self.nodes.push(Node {
            terminal,
            follow: Vec::new(),
            accepting: false,
            in_user_exec: false,
        });
        self.nodes.len() - 1
    }

    fn expr(&mut self, expr: &Expr) -> Fragment {
        match expr {
            Expr::Ident(name) => self.rule(name),
            Expr::Seq(left, right) => {
                let left = self.expr(left);
                let right = self.expr(right);
                self.sequence(left, right)
            }
            Expr::Choice(left, right) => {
                let mut left = self.expr(left);
                let right = self.expr(right);
                left.first.extend(right.first);
                left.last.extend(right.last);
                left.nullable |= right.nullable;
                left
            }
            Expr::Opt(inner) => self.expr(inner).optional(),
            Expr::Rep(inner) => self.repeat(inner).optional(),
            Expr::RepOnce(inner) => self.repeat(inner),
            Expr::RepExact(inner, count) => self.counted(inner, *count, *count),
            Expr::RepMax(inner, max) => self.counted(inner, 0, *max),
            Expr::RepMinMax(inner, min, max) => self.counted(inner, *min, *max),
            _ => Fragment::empty(),
        }
    }

    fn sequence(&mut self, left: Fragment, right: Fragment) -> Fragment {
        self.connect(&left.last, &right.first);
        let mut first = left.first;
        if left.nullable {
            first.extend(&right.first);
        }
        let mut last = right.last;
        if right.nullable {
            last.extend(&left.last);
        }
        Fragment {
            first,
            last,
            nullable: left.nullable && right.nullable,
        }
    }

    fn repeat(&mut self, inner: &Expr) -> Fragment {
        let fragment = self.expr(inner);
        self.connect(&fragment.last, &fragment.first);
        fragment
    }

    fn counted(&mut self, inner: &Expr, min: u32, max: u32) -> Fragment {
        let mut whole = Fragment::empty();
        for index in (0..max).rev() {
            let one = self.expr(inner);
            whole = self.sequence(one, whole);
            whole.nullable |= index >= min;
        }
        whole
    }

    fn connect(&mut self, from: &[usize], to: &[usize]) {
        for node in from {
            let follow = &mut self.nodes[*node].follow;
            for next in to {
                if !follow.contains(next) {
                    follow.push(*next);
                }
            }
        }
    }
}

/// The terminals of one atomic rule: one, or three for an interface name.
fn terminals(rule: &Rule, docs: &[String]) -> Vec<Terminal> {
    let doc = docs.first().map_or("", String::as_str);
    let secret = docs.iter().find_map(|doc| doc.strip_prefix("@secret"));
    let secret = secret.map(SecretTypes::named);
    let means = docs.iter().find_map(|doc| doc.strip_prefix("@means "));
    let make = |label: &str, help: &str, kind: Kind| Terminal {
        label: label.to_owned(),
        help: help.to_owned(),
        kind,
        means: means.map(str::to_owned),
        secret,
    };
    if let Expr::Seq(left, right) = &rule.expr
        && let (Expr::Str(literal), Expr::Ident(boundary)) = (&**left, &**right)
        && boundary == "eow"
    {
        let hidden = doc.strip_prefix("(hidden) ");
        let kind = Kind::Word {
            literal: literal.clone(),
            hidden: hidden.is_some(),
        };
        return vec![make(literal, hidden.unwrap_or(doc), kind)];
    }
    let (label, help) = doc.split_once("  ").unwrap_or((doc, ""));
    let multiple = rule.name == "a_banner_text";
    match label {
        "IFNAME" => vec![
            make("WORD", "Name of a Linux interface", Kind::Interface),
            make("", "", Kind::InterfaceType),
            make(
                "<0-2147483647>",
                "Interface number, slots separated by /",
                Kind::InterfaceNumber,
            ),
        ],
        "LINE" => vec![make(label, help, Kind::Line { multiple })],
        "hh:mm" | "hh:mm:ss" => {
            let seconds = label.ends_with("ss");
            vec![make(label, help, Kind::Time { seconds })]
        }
        "A.B.C.D" => vec![make(label, help, Kind::Ipv4)],
        "X:X:X:X::X" => vec![make(label, help, Kind::Ipv6)],
        "HEX" => vec![make(label, help, Kind::Digits)],
        _ => vec![make(
            label,
            help,
            range(label).unwrap_or(Kind::Any {
                bar: !names(&rule.expr, "name"),
                numeric: Numeric::of(rule),
            }),
        )],
    }
}

/// Whether an expression names a rule.
fn names(expr: &Expr, rule: &str) -> bool {
    expr.iter_top_down()
        .any(|part| matches!(part, Expr::Ident(name) if name == rule))
}

fn range(label: &str) -> Option<Kind> {
    let range = label.strip_prefix('<')?.strip_suffix('>')?;
    if let Some((low, high)) = range.split_once(" - ") {
        return Some(Kind::Signed(low.parse().ok()?, high.parse().ok()?));
    }
    let (low, high) = range.split_once('-')?;
    if let (Some(low), Some(high)) = (low.strip_prefix("0x"), high.strip_prefix("0x")) {
        return Some(Kind::Hex(
            u64::from_str_radix(low, 16).ok()?,
            u64::from_str_radix(high, 16).ok()?,
        ));
    }
    Some(Kind::Number(low.parse().ok()?, high.parse().ok()?))
}
