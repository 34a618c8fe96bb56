//! The only token logic: walks the tree of the pest files word by word, keeping every possible place.
//! [`expand`] spells a line out for the parser or refuses it; `help.rs` asks [`walk`] what may come next.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use crate::interface_name::{InterfaceName, TYPES, is_port, type_name};
use crate::matched::{Matched, Word};
use crate::modes::Mode;
use crate::privilege::{self, Access, Inherited};
use crate::refusal::Refusal;
use crate::tree::{self, Edge, Kind, Node, Terminal};

/// A line with every keyword spelled out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    /// The mode whose table has the command: the mode typed in, or one above it.
    pub table: Mode,
    /// The spelled-out line: one blank between words, no blanks at the ends; empty for a comment.
    pub line: String,
}

/// Spells out every keyword of a line, or says where and why that cannot be done. In a sub-mode the
/// tables of the modes above it are tried after its own; the refusal is that of the table that understood more.
pub fn expand(mode: Mode, line: &str) -> Result<Expanded, Refusal> {
    expand_as(mode, &Access::full(), line)
}

/// [`expand`] for a session that may not do everything: what it may not do is not there.
pub fn expand_as(mode: Mode, access: &Access, line: &str) -> Result<Expanded, Refusal> {
    let (table, matched) = matched(mode, access, line)?;
    Ok(Expanded {
        table,
        line: matched.line(),
    })
}

/// The table that has a line, and its words there.
pub(crate) fn matched<'a>(
    mode: Mode,
    access: &Access,
    line: &'a str,
) -> Result<(Mode, Matched<'a>), Refusal> {
    either_table(access.table(mode), |table| {
        let matched = walk(table, access, line).and_then(|walk| walk.finish())?;
        Ok((table, matched))
    })
}

/// Where the caret stands when the interface that a command names is not there: at the number of an IOS name, at another
/// name as a whole. `None` for a line that is no command or names none.
pub fn interface_column(mode: Mode, access: &Access, line: &str) -> Option<usize> {
    let table = |table: Mode| walk(table, access, line).map(|walk| walk.interface_column());
    either_table(access.table(mode), table).ok().flatten()
}

/// Tries a mode's own table, then those of the modes above it up to global configuration.
pub(crate) fn either_table<T>(
    mode: Mode,
    table: impl Fn(Mode) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let mut result = table(mode);
    for above in mode.tables().skip(1) {
        result = match result {
            Err(Refusal::Invalid { column }) => table(above).map_err(|refusal| match refusal {
                Refusal::Invalid { column: other } => Refusal::Invalid {
                    column: column.max(other),
                },
                other => other,
            }),
            Err(Refusal::Incomplete) => table(above).map_err(|_| Refusal::Incomplete),
            done => return done,
        };
    }
    result
}

/// One understood token.
struct Step<'a> {
    edge: Edge,
    /// Where its token begins, in octets.
    start: usize,
    /// Index of the step before.
    parent: Option<usize>,
    text: Cow<'a, str>,
    /// What the word hands on to the next, where the session may not do everything.
    hands_on: Inherited,
}

/// How far a line has been understood.
pub(crate) struct Walk<'w, 'a> {
    table: Mode,
    access: &'w Access,
    line: &'a str,
    steps: Vec<Step<'a>>,
    /// The steps that the next token may follow, best first; empty before the first token.
    alive: Vec<usize>,
    /// Where reading stopped, in octets.
    position: usize,
    /// A comment or a `LINE` argument took the rest.
    closed: bool,
}

/// Walks a whole line.
pub(crate) fn walk<'w, 'a>(
    table: Mode,
    access: &'w Access,
    line: &'a str,
) -> Result<Walk<'w, 'a>, Refusal> {
    let mut walk = Walk::new(table, access, line);
    while walk.advance()? {}
    Ok(walk)
}

/// Walks all but the unfinished last word; returns it too.
pub(crate) fn walk_prefix<'w, 'a>(
    table: Mode,
    access: &'w Access,
    line: &'a str,
) -> Result<(Walk<'w, 'a>, &'a str), Refusal> {
    let start = line.rfind(is_blank).map_or(0, |blank| blank + 1);
    Ok((walk(table, access, &line[..start])?, &line[start..]))
}

/// Where the secrets of a command, or of the beginning of one, may be.
pub(crate) struct Secrets {
    /// The words that may be keys or passwords, and everything from the first word on that is not understood.
    pub(crate) ranges: Vec<Range<usize>>,
    /// How many octets were understood.
    pub(crate) understood: usize,
}

/// Looks for secrets in the words of a table.
pub(crate) fn secrets(table: Mode, line: &str) -> Secrets {
    let access = Access::full();
    let mut walk = Walk::new(table, &access, line);
    let mut ranges = Vec::new();
    loop {
        let before = walk.position;
        let start = line.len() - line[before..].trim_start_matches(is_blank).len();
        match walk.advance() {
            Ok(true) if walk.may_be_secret() => ranges.push(start..walk.position),
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => {
                ranges.push(start..line.len());
                break;
            }
        }
    }
    Secrets {
        ranges,
        understood: walk.position,
    }
}

/// Without the blanks and line ends after the last word.
pub(crate) fn trim_end(line: &str) -> &str {
    line.trim_end_matches([' ', '\t', '\r', '\n', '\0'])
}

/// What separates words; other characters of Unicode that show nothing are part of a word.
pub(crate) fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

impl Step<'_> {
    fn node(&self) -> &'static Node {
        self.edge.node()
    }

    fn terminal(&self) -> &'static Terminal {
        self.node().terminal()
    }
}

impl<'w, 'a> Walk<'w, 'a> {
    fn new(table: Mode, access: &'w Access, line: &'a str) -> Self {
        let line = trim_end(line);
        Self {
            table,
            access,
            line,
            steps: Vec::new(),
            alive: Vec::new(),
            position: 0,
            closed: false,
        }
    }

    /// Nothing was typed, or only a comment.
    fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The command may end here.
    pub(crate) fn accepting(&self) -> bool {
        !self.is_empty() && self.alive.iter().any(|step| self.is_accepting(*step))
    }

    fn is_accepting(&self, step: usize) -> bool {
        self.steps[step].node().accepting
    }

    /// The terminals that may come next, best first; one may be there several times.
    pub(crate) fn next(&self) -> impl Iterator<Item = &'static Terminal> {
        self.edges()
            .into_iter()
            .map(|(_, edge)| edge.node().terminal())
    }

    /// Whether the line starts its mode's table: nothing typed yet.
    pub(crate) fn at_start(&self) -> bool {
        self.is_empty() && !self.closed
    }

    /// A `LINE` argument or a comment has taken everything: nothing can follow.
    pub(crate) fn closed(&self) -> bool {
        self.closed
    }

    fn edges(&self) -> Vec<(Option<usize>, Edge)> {
        let mut edges = self.all_edges();
        if !self.access.is_full() {
            edges.retain(|(parent, edge)| {
                self.access.admits(self.needed(*parent, edge.node()).level)
            });
        }
        edges
    }

    /// The privilege level that a place needs after a step.
    fn needed(&self, parent: Option<usize>, node: &Node) -> privilege::Needed {
        let mut path: Vec<&str> = Vec::new();
        let mut next = parent;
        while let Some(step) = next {
            path.push(&self.steps[step].text);
            next = self.steps[step].parent;
        }
        path.reverse();
        path.push(match node.terminal().kind {
            Kind::Word { literal, .. } => literal,
            // No rule names an argument.
            _ => "\0",
        });
        let mut mode = self.table;
        let mut words = &path[..];
        if mode.is_config() {
            match words.first() {
                Some(&"do") => (mode, words) = (Mode::Exec, &words[1..]),
                Some(&("no" | "default")) => words = &words[1..],
                _ => {}
            }
        }
        let usual = match words {
            [] | ["exit" | "end" | "quit"] if self.table.is_config() => 0,
            [] => privilege::USER,
            [first, ..] => privilege::usual(first, node.in_user_exec),
        };
        let inherited = parent.map_or(Inherited::Usual, |step| self.steps[step].hands_on);
        self.access.needed(mode, &words.join(" "), usual, inherited)
    }

    fn all_edges(&self) -> Vec<(Option<usize>, Edge)> {
        if self.closed {
            return Vec::new();
        }
        if self.is_empty() {
            let starts = tree::starts(self.table).iter();
            return starts.map(|edge| (None, *edge)).collect();
        }
        let follow = |step: &usize| {
            let step = *step;
            let edges = self.steps[step].node().follow().iter();
            edges.map(move |edge| (Some(step), *edge))
        };
        self.alive.iter().flat_map(follow).collect()
    }

    /// Reads one token; false at the end of the line.
    fn advance(&mut self) -> Result<bool, Refusal> {
        let rest = self.line[self.position..].trim_start_matches(is_blank);
        if rest.is_empty() || self.closed {
            return Ok(false);
        }
        let start = self.line.len() - rest.len();
        let token = &rest[..rest.find(is_blank).unwrap_or(rest.len())];
        if token.starts_with('!') && (self.is_empty() || self.accepting()) {
            self.closed = true;
            return Ok(true);
        }
        let edges = self.edges();
        let token = self.before_bar(token, rest, &edges);
        let matches = select(&edges, token, rest);
        let Some(matches) = matches else {
            return Err(Refusal::Ambiguous);
        };
        if matches.is_empty() {
            return Err(self.invalid(start, token, &edges));
        }
        self.position = start + token.len();
        self.step(start, &edges, matches);
        Ok(true)
    }

    /// The part of a token that is read by itself: a filter's bar needs no blanks around it, `show version|include x`.
    fn before_bar(
        &self,
        token: &'a str,
        rest: &'a str,
        edges: &[(Option<usize>, Edge)],
    ) -> &'a str {
        let bar =
            |edge: &Edge| matches!(edge.node().terminal().kind, Kind::Word { literal: "|", .. });
        let before_filter = |edge: Edge| edge.node().follow().iter().any(bar);
        match token.find('|') {
            Some(0) if edges.iter().any(|(_, edge)| bar(edge)) => &token[..1],
            Some(at) if at > 0 => select(edges, &token[..at], rest)
                .filter(|found| found.iter().any(|(edge, _)| before_filter(edges[*edge].1)))
                .map_or(token, |_| &token[..at]),
            _ => token,
        }
    }

    fn step(
        &mut self,
        start: usize,
        edges: &[(Option<usize>, Edge)],
        matches: Vec<(usize, Cow<'a, str>)>,
    ) {
        let mut alive: Vec<usize> = Vec::with_capacity(matches.len());
        for (edge, text) in matches {
            let (parent, edge) = edges[edge];
            let known = |step: &usize| self.steps[*step].edge.id() == edge.id();
            if !alive.iter().any(known) {
                let hands_on = if self.access.is_full() {
                    Inherited::Usual
                } else {
                    self.needed(parent, edge.node()).hands_on
                };
                alive.push(self.steps.len());
                self.steps.push(Step {
                    edge,
                    start,
                    parent,
                    text,
                    hands_on,
                });
            }
        }
        if alive.iter().any(|step| self.takes_rest(*step)) {
            self.position = self.line.len();
            self.closed = true;
        }
        self.alive = alive;
    }

    /// The last word is a key or password in one of the places where it fits.
    fn may_be_secret(&self) -> bool {
        let secret = |step: &usize| self.steps[*step].terminal().secret;
        self.alive.iter().any(|step| secret(step).is_some())
    }

    fn takes_rest(&self, step: usize) -> bool {
        matches!(self.steps[step].terminal().kind, Kind::Line { .. })
    }

    fn invalid(&self, start: usize, token: &str, edges: &[(Option<usize>, Edge)]) -> Refusal {
        let common = |(_, edge): &(Option<usize>, Edge)| match edge.node().terminal().kind {
            Kind::Word {
                literal,
                hidden: false,
            } => common_prefix(literal, token),
            Kind::InterfaceType => TYPES
                .iter()
                .map(|(kind, _)| common_prefix(kind, token))
                .max()
                .unwrap_or(0),
            _ => 0,
        };
        let offset = edges.iter().map(common).max().unwrap_or(0);
        Refusal::Invalid {
            column: self.line[..start].chars().count() + offset,
        }
    }

    /// The words of the command.
    fn finish(&self) -> Result<Matched<'a>, Refusal> {
        match self.last() {
            None if !self.is_empty() => Err(Refusal::Incomplete),
            last => Ok(self.words_to(last)),
        }
    }

    /// The last step of the command, if it may end here.
    fn last(&self) -> Option<usize> {
        let mut alive = self.alive.iter().copied();
        alive.find(|step| self.is_accepting(*step))
    }

    fn interface_column(&self) -> Option<usize> {
        let mut next = self.last();
        while let Some(step) = next {
            let step = &self.steps[step];
            let offset = match step.terminal().kind {
                Kind::InterfaceNumber => Some(0),
                Kind::Interface => {
                    let name = InterfaceName::parse(&step.text)?;
                    let number = |_| self.line[step.start..].find(|c: char| c.is_ascii_digit());
                    Some(name.ios_parts().and_then(number).unwrap_or(0))
                }
                _ => None,
            };
            if let Some(offset) = offset {
                return Some(self.line[..step.start + offset].chars().count());
            }
            next = step.parent;
        }
        None
    }

    /// What has been read spelled out, whether or not the command may end there.
    pub(crate) fn spelled(&self) -> String {
        self.words_to(self.alive.first().copied()).line()
    }

    fn words_to(&self, last: Option<usize>) -> Matched<'a> {
        let before = |step: &usize| self.steps[*step].parent;
        let mut path: Vec<usize> = std::iter::successors(last, before).collect();
        path.reverse();
        let steps = path.into_iter().map(|step| &self.steps[step]);
        Matched::new(steps.map(|step| Word {
            text: step.text.clone(),
            node: step.node(),
            open: step.edge.open,
        }))
    }
}

fn common_prefix(literal: &str, token: &str) -> usize {
    literal
        .bytes()
        .zip(token.bytes())
        .take_while(|(a, b)| a.eq_ignore_ascii_case(b))
        .count()
}

/// The edges that a token fits, with the spelled-out text; `None` when it shortens several keywords and is
/// nothing else. An exact keyword wins over longer ones and over
/// arguments, a shortened one over `LINE` only.
fn select<'a>(
    edges: &[(Option<usize>, Edge)],
    token: &'a str,
    rest: &'a str,
) -> Option<Vec<(usize, Cow<'a, str>)>> {
    let mut words: Vec<(usize, &'static str)> = Vec::new();
    let mut arguments = Vec::new();
    let mut exact = None;
    for (index, (_, edge)) in edges.iter().enumerate() {
        match edge.node().terminal().kind {
            Kind::Word { literal, hidden } => {
                let whole = literal.len() == token.len();
                let fits = starts_word(literal, token) && (!hidden || whole);
                if fits {
                    exact = exact.or(whole.then_some(literal));
                    words.push((index, literal));
                }
            }
            kind => arguments.extend(argument(&kind, token, rest).map(|text| (index, text))),
        }
    }
    match exact {
        Some(exact) => {
            words.retain(|(_, literal)| *literal == exact);
            arguments.clear();
        }
        None if words.iter().any(|(_, literal)| *literal != words[0].1) => {
            if arguments.is_empty() {
                return None;
            }
            words.clear();
        }
        None => {}
    }
    if !words.is_empty() {
        arguments.retain(|(index, _): &(usize, Cow<'a, str>)| {
            !matches!(edges[*index].1.node().terminal().kind, Kind::Line { .. })
        });
    }
    let mut matches: Vec<_> = words
        .into_iter()
        .map(|(index, literal)| (index, Cow::Borrowed(literal)))
        .collect();
    matches.extend(arguments);
    Some(matches)
}

/// Whether a token is the keyword or a shortening of it.
pub(crate) fn starts_word(literal: &str, token: &str) -> bool {
    literal
        .as_bytes()
        .get(..token.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(token.as_bytes()))
}

/// `2:00` or `02:00`, with seconds after them where they belong.
fn time_of_day(token: &str, seconds: bool) -> bool {
    let mut parts = token.split(':');
    let hour = parts.next().and_then(decimal);
    let rest: Vec<&str> = parts.collect();
    let sixtieth = |part: &&str| part.len() == 2 && decimal(part).is_some_and(|part| part < 60);
    hour.is_some_and(|hour| hour < 24)
        && rest.len() == 1 + usize::from(seconds)
        && rest.iter().all(sixtieth)
}

/// The text an argument takes; `None` when the token does not fit it.
pub(crate) fn argument<'a>(kind: &Kind, token: &'a str, rest: &'a str) -> Option<Cow<'a, str>> {
    let plain = !token.contains(['\n', '\r']);
    let fits = match kind {
        Kind::Word { .. } => false,
        Kind::Number(low, high) => {
            decimal(token).is_some_and(|number| (*low..=*high).contains(&number))
        }
        Kind::Signed(low, high) => token
            .parse::<i64>()
            .is_ok_and(|number| !token.starts_with('+') && (*low..=*high).contains(&number)),
        Kind::Time { seconds } => time_of_day(token, *seconds),
        Kind::Hex(low, high) => {
            hexadecimal(token).is_some_and(|number| (*low..=*high).contains(&number))
        }
        Kind::Ipv4 => token.parse::<Ipv4Addr>().is_ok(),
        Kind::Ipv6 => token.parse::<Ipv6Addr>().is_ok(),
        Kind::Digits => token.bytes().all(|b| b.is_ascii_hexdigit()),
        Kind::Any { bar, numeric } => {
            plain && (*bar || !token.starts_with('|')) && numeric.takes(token)
        }
        Kind::Line { multiple } => {
            return (*multiple || !rest.contains(['\n', '\r'])).then_some(Cow::Borrowed(rest));
        }
        Kind::Interface => {
            let name = InterfaceName::parse(token).filter(|_| token.bytes().all(|b| b != b' '))?;
            return Some(Cow::Owned(name.as_str().to_owned()));
        }
        Kind::InterfaceType => return type_name(token).map(Cow::Borrowed),
        Kind::InterfaceNumber => is_port(token),
    };
    fits.then_some(Cow::Borrowed(token))
}

fn decimal(token: &str) -> Option<u64> {
    token
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| token.parse().ok())?
}

/// Reads `0x1F` or decimal digits.
pub(crate) fn hexadecimal(token: &str) -> Option<u64> {
    match token.strip_prefix("0x") {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
            u64::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None => decimal(token),
    }
}
