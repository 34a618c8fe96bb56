//! What lines that are not understood could mean for crypto maps: headers of entries and of access-lists that are kept at
//! the global level with the lines below them, and lines within an entry. Called by [`super::gather`], which blocks all that
//! such a line could be about.

use std::collections::{BTreeSet, HashMap};

use isthmus_grammar::command::{AclKind, Action, Command, ConfigCommand, CryptoMapCommand, Form};
use isthmus_grammar::{Mode, parser};

use super::acl::Line;
use crate::config::model::{self, KeptLine, Running, UnknownRule, abbreviates};

/// The kept lines of the running-config that could be about crypto maps.
#[derive(Debug, Default)]
pub struct Unknown<'a> {
    headers: Vec<Header<'a>>,
    /// Those of entries, by each word of the line that could be the map's name.
    entries: HashMap<&'a str, BTreeSet<usize>>,
    /// By each word of the line that could be the list's name.
    lists: HashMap<&'a str, Vec<&'a KeptLine>>,
}

/// `crypto map M 10 ...` with a word that is not understood.
#[derive(Debug)]
pub struct Header<'a> {
    /// The entry's number; 0, which comes first, where it cannot be read.
    pub sequence: u16,
    /// The line.
    pub text: &'a str,
    /// The lists that a `match address` below it names; none where it cannot be read.
    pub access_lists: Vec<String>,
}

impl<'a> Unknown<'a> {
    /// Those at the global level.
    #[must_use]
    pub fn of(running: &'a Running) -> Self {
        let mut unknown = Self::default();
        for line in running.kept.iter() {
            let words: Vec<&str> = line.text.split_whitespace().collect();
            match words.as_slice() {
                [first, second, rest @ ..]
                    if abbreviates(first, "crypto", 2)
                        && abbreviates(second, "map", 1)
                        && could_be_entry(rest) =>
                {
                    for word in rest {
                        let known = unknown.entries.entry(word).or_default();
                        known.insert(unknown.headers.len());
                    }
                    unknown.headers.push(Header::read(line, rest));
                }
                [first, second, rest @ ..]
                    if abbreviates(first, "ip", 2) && abbreviates(second, "access-list", 2) =>
                {
                    for word in rest.iter().filter(|_| could_be_list(rest)) {
                        unknown.lists.entry(word).or_default().push(line);
                    }
                }
                _ => {}
            }
        }
        unknown
    }

    /// What could be entries of a map.
    pub fn entries(&self, map: &str) -> impl Iterator<Item = &Header<'a>> {
        let known = self.entries.get(map).into_iter().flatten();
        known.filter_map(|at| self.headers.get(*at))
    }

    /// Whether there is something that could be an entry of a map.
    #[must_use]
    pub fn has_entries(&self, map: &str) -> bool {
        self.entries.contains_key(map)
    }

    /// What could be lines of a list, below a header of it that is not understood.
    pub fn lines(&self, list: &str) -> impl Iterator<Item = Line> {
        let headers = self.lists.get(list).into_iter().flatten();
        headers.filter_map(|header| {
            let below = header.below.iter().map(|line| {
                let (_, read) = UnknownRule::read(AclKind::Extended, line, Vec::new());
                read
            });
            let read: Vec<UnknownRule> = below.collect();
            let reach = read.iter().filter(|line| line.may(Action::Permit));
            match header.below.is_empty() {
                true => Some(Line::everything(&header.text)),
                false => Line::could_permit(&header.text, reach.map(UnknownRule::reach)),
            }
        })
    }
}

impl<'a> Header<'a> {
    fn read(line: &'a KeptLine, words: &[&str]) -> Self {
        let sequence = words.iter().filter_map(|word| word.parse().ok()).min();
        Self {
            sequence: sequence.unwrap_or(0),
            text: &line.text,
            access_lists: line
                .below
                .iter()
                .filter_map(|line| match_address(line))
                .collect(),
        }
    }
}

/// `crypto map` followed by these words could open an entry of a map for IPv4.
fn could_be_entry(words: &[&str]) -> bool {
    const WHOLE_MAP: [&str; 3] = ["client", "isakmp", "local-address"];
    let whole_map = |word: &&str| {
        WHOLE_MAP
            .iter()
            .any(|keyword| abbreviates(word, keyword, 2))
    };
    words.first() != Some(&"ipv6") && !words.get(1).is_some_and(whole_map)
}

/// `ip access-list` followed by these words could open a list.
fn could_be_list(words: &[&str]) -> bool {
    const OTHERS: [(&str, usize); 4] = [
        ("resequence", 1),
        ("log-update", 2),
        ("logging", 2),
        ("persistent", 1),
    ];
    let other = |word: &&str| {
        OTHERS
            .iter()
            .any(|(keyword, least)| abbreviates(word, keyword, *least))
    };
    !words.first().is_some_and(other)
}

fn match_address(line: &str) -> Option<String> {
    let Command::Config(line) = parser::parse(Mode::CryptoMap, line).ok()?.command else {
        return None;
    };
    match line.command {
        ConfigCommand::CryptoMap(CryptoMapCommand::MatchAddress(list))
            if line.form == Form::Set =>
        {
            list
        }
        _ => None,
    }
}

/// The maps that an interface has or could have besides: the line that could give it another one, then the map.
pub fn maps(
    interface: &model::Interface,
    is_map: impl Fn(&str) -> bool,
) -> Vec<(Option<&str>, &str)> {
    let mut maps = Vec::new();
    let own = |word: &&str| interface.crypto_map.as_deref() == Some(*word);
    for line in interface.kept.iter() {
        let named = map_words(&line.text).filter(|word| is_map(word) && !own(word));
        maps.extend(named.map(|map| (Some(line.text.as_str()), map)));
    }
    maps.extend(interface.crypto_map.as_deref().map(|map| (None, map)));
    maps
}

/// The maps that are named below headers of interfaces that are not understood: the header, then the map.
pub fn interfaces(running: &Running, is_map: impl Fn(&str) -> bool) -> Vec<(&str, &str)> {
    let mut maps = Vec::new();
    for block in running.kept.iter() {
        let first = block.text.split_whitespace().next().unwrap_or_default();
        if !abbreviates(first, "interface", 3) {
            continue;
        }
        for line in &block.below {
            let named = map_words(line).filter(|word| is_map(word));
            maps.extend(named.map(|map| (block.text.as_str(), map)));
        }
    }
    maps
}

/// What follows `crypto map` on a line.
fn map_words(line: &str) -> impl Iterator<Item = &str> {
    let mut words = line.split_whitespace();
    let mut next = |keyword, least| {
        words
            .next()
            .is_some_and(|word| abbreviates(word, keyword, least))
    };
    let is_map = next("crypto", 2) && next("map", 1);
    words.filter(move |_| is_map)
}

/// The lines of an entry that could say which traffic it is for.
pub fn matching(entry: &model::Entry) -> impl Iterator<Item = &KeptLine> {
    const OTHERS: [(&str, usize); 6] = [
        ("set", 1),
        ("description", 3),
        ("reverse-route", 1),
        ("qos", 1),
        ("no", 2),
        ("default", 3),
    ];
    let certain = entry.match_address.is_some();
    entry.kept.iter().filter(move |line| {
        let word = line.text.split_whitespace().next().unwrap_or_default();
        let other = |(keyword, least): &(&str, usize)| abbreviates(word, keyword, *least);
        abbreviates(word, "match", 1) || (!certain && !OTHERS.iter().any(other))
    })
}
