//! The pest files as an automaton over words: static tables that the build script (`compile/`) writes, walked by `walk.rs`.
//!
//! Every place where a rule names a word or an argument is a node; a node knows which nodes may follow it, so a line is
//! walked word by word with every possible place kept, and inside which rules it stands ([`Frame`]).

use std::fmt;
use std::net::IpAddr;

use crate::command::{Form, SecretTypes, Section};
use crate::modes::Mode;
use crate::retained::{Key, Names, Negation, Retained};

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAMES[*self as usize])
    }
}

impl Rule {
    /// The word or argument of an atomic rule; of an interface name the one for the whole name.
    pub(crate) fn terminal(self) -> Option<&'static Terminal> {
        TERMINAL_OF[self as usize].map(|index| &TERMINALS[usize::from(index)])
    }

    /// What an atomic rule matches.
    pub(crate) fn kind(self) -> Option<Kind> {
        Some(self.terminal()?.kind)
    }

    /// The inactive command whose plain or `no` form the rule is.
    pub(crate) fn retained(self) -> Option<&'static Retained> {
        RETAINED_OF[self as usize].map(|index| &RETAINED[usize::from(index)])
    }
}

/// What a word or an argument rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword; a hidden one is not listed and matches only when spelled out.
    Word { literal: &'static str, hidden: bool },
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

/// What a `WORD` may be that consists of digits and dots, or that has a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numeric {
    /// A word like any other.
    Word,
    /// Not a number; with a dot in it a word like any other.
    NoNumber,
    /// The name of a host, which is never that.
    NoName,
    /// A host: a whole address or nothing.
    Address,
}

impl Numeric {
    /// Whether a token may stand there.
    pub(crate) fn takes(self, token: &str) -> bool {
        let only = |of: fn(u8) -> bool| !token.is_empty() && token.bytes().all(of);
        let numeric = || only(|byte| byte.is_ascii_digit() || byte == b'.');
        match self {
            Self::Word => true,
            Self::NoNumber => !only(|byte| byte.is_ascii_digit()),
            Self::NoName => !numeric() && !token.contains(':'),
            Self::Address => Self::NoName.takes(token) || token.parse::<IpAddr>().is_ok(),
        }
    }
}

/// A word or argument rule.
#[derive(Debug)]
pub(crate) struct Terminal {
    pub(crate) rule: Rule,
    /// The keyword, or the label of an argument.
    pub(crate) label: &'static str,
    pub(crate) help: &'static str,
    pub(crate) kind: Kind,
    /// A keyword that becomes another one in what is kept.
    pub(crate) means: Option<&'static str>,
    /// The value is a key or password, and so it may be encoded.
    pub(crate) secret: Option<SecretTypes>,
}

/// One place of one terminal.
#[derive(Debug)]
pub(crate) struct Node {
    terminal: u16,
    /// The innermost rule around it; `u32::MAX` for none.
    frame: u32,
    follow: List,
    /// The command may end here.
    pub(crate) accepting: bool,
    /// User EXEC has this place as well.
    pub(crate) in_user_exec: bool,
}

impl Node {
    pub(crate) fn terminal(&self) -> &'static Terminal {
        &TERMINALS[usize::from(self.terminal)]
    }

    /// The places that may follow, those of earlier alternatives first.
    pub(crate) fn follow(&self) -> &'static [Edge] {
        self.follow.edges()
    }

    /// How many rules are around it.
    pub(crate) fn depth(&self) -> usize {
        frame(self.frame).map_or(0, |frame| usize::from(frame.depth))
    }

    /// The rule around it at a depth: 1 is that of the whole command.
    pub(crate) fn rule_at(&self, depth: usize) -> Option<Rule> {
        let mut around = frame(self.frame);
        while let Some(frame) = around.filter(|frame| usize::from(frame.depth) > depth) {
            around = self::frame(frame.parent);
        }
        around.map(|frame| frame.rule)
    }
}

/// A place that may follow another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    node: u32,
    /// How many of the rules around the place before go on here.
    pub(crate) open: u8,
}

impl Edge {
    pub(crate) fn node(self) -> &'static Node {
        &NODES[self.node as usize]
    }

    /// The number of its place.
    pub(crate) fn id(self) -> u32 {
        self.node
    }
}

/// A piece of the table of edges.
#[derive(Debug, Clone, Copy)]
struct List {
    start: u32,
    end: u32,
}

impl List {
    fn edges(self) -> &'static [Edge] {
        &EDGES[self.start as usize..self.end as usize]
    }
}

/// A place where a rule is named: what stands in it belongs to one piece of what is parsed.
#[derive(Debug)]
struct Frame {
    rule: Rule,
    /// The rule around it; `u32::MAX` for none.
    parent: u32,
    /// How many rules are around what is directly in it.
    depth: u8,
}

fn frame(index: u32) -> Option<&'static Frame> {
    FRAMES.get(index as usize)
}

/// The first places of a mode's own table.
pub(crate) fn starts(mode: Mode) -> &'static [Edge] {
    start(mode).edges()
}
