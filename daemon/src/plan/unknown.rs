//! What lines that are not understood could mean for crypto maps: headers of entries and of access-lists that are kept at
//! the global level with the lines below them, and lines within an entry. Called by [`super::crypto_map`], which blocks all that
//! such a line could be about.

use std::collections::{BTreeSet, HashMap};

use isthmus_grammar::command::{AclKind, Action, Command, ConfigCommand, CryptoMapCommand, Form};
use isthmus_grammar::{Mode, parser};

use super::selector::Line;
use crate::config::model::{
    self, KeptLine, MapNames, Running, UnknownRule, abbreviates, entry_words,
};

/// The kept lines of the running-config that could be about crypto maps.
#[derive(Debug, Default)]
pub struct Unknown<'a> {
    headers: Vec<Header<'a>>,
    /// Those of entries, by each word of the line that could be the map's name.
    entries: HashMap<&'a str, BTreeSet<usize>>,
    /// The same for dynamic maps.
    dynamic: HashMap<&'a str, BTreeSet<usize>>,
    /// By each word of the line that could be the list's name.
    lists: HashMap<&'a str, Vec<&'a KeptLine>>,
    /// `match address` lines outside of any entry, with the list: something cut the entry in two.
    strays: Vec<(&'a str, String)>,
}

/// `crypto map M 10 ...` or `crypto dynamic-map D 10 ...` with a word that is not understood.
#[derive(Debug)]
pub struct Header<'a> {
    /// The entry's number; 0, which comes first, where it cannot be read.
    pub sequence: u16,
    /// The line.
    pub text: &'a str,
    /// The lists that a `match address` below it names; none where what could be one cannot be read.
    pub access_lists: Vec<String>,
}

impl<'a> Unknown<'a> {
    /// Those at the global level.
    #[must_use]
    pub fn of(running: &'a Running) -> Self {
        let mut unknown = Self::default();
        let interfaces = running.interfaces.iter();
        let below = interfaces.flat_map(|(_, interface)| interface.kept.iter());
        let retained = running.retained.iter().flat_map(|block| block.kept.iter());
        let strays = running.kept.iter().chain(below).chain(retained);
        let strays = strays.filter(|line| entry_words(&line.text).is_none());
        let strays = strays.flat_map(|line| std::iter::once(&line.text).chain(&line.below));
        unknown.strays = strays
            .filter_map(|line| Some((line.trim(), match_address(line)?)))
            .collect();
        for line in running.kept.iter() {
            let words: Vec<&str> = line.text.split_whitespace().collect();
            if let Some(words) = entry_words(&line.text) {
                index(&mut unknown.entries, &words, unknown.headers.len());
                unknown.headers.push(Header::read(line, &words));
                continue;
            }
            match words.as_slice() {
                [first, second, rest @ ..]
                    if abbreviates(first, "crypto", 2) && abbreviates(second, "dynamic-map", 1) =>
                {
                    index(&mut unknown.dynamic, rest, unknown.headers.len());
                    unknown.headers.push(Header::read(line, rest));
                }
                [first, second, rest @ ..]
                    if abbreviates(first, "ip", 2) && abbreviates(second, "access-list", 2) =>
                {
                    for word in rest.iter().filter(|_| could_be_list(rest)) {
                        unknown.lists.entry(word).or_default().push(line);
                    }
                }
                words if has_settings_of_an_entry(line) => {
                    index(&mut unknown.entries, words, unknown.headers.len());
                    index(&mut unknown.dynamic, words, unknown.headers.len());
                    unknown.headers.push(Header::read(line, words));
                }
                words if could_be_misspelled_list(words) => {
                    for word in words {
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

    /// What could be entries of a dynamic map.
    pub fn dynamic(&self, map: &str) -> impl Iterator<Item = &Header<'a>> {
        let known = self.dynamic.get(map).into_iter().flatten();
        known.filter_map(|at| self.headers.get(*at))
    }

    /// What an entry without `match address` could be for: lines of that kind that stand outside of any entry, with the
    /// list.
    pub fn strays(&self) -> impl Iterator<Item = (&str, &str)> {
        let strays = self.strays.iter();
        strays.map(|(line, list)| (*line, list.as_str()))
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
                true => on_one_line(&header.text, list),
                false => Line::could_permit(&header.text, reach.map(UnknownRule::reach)),
            }
        })
    }
}

impl<'a> Header<'a> {
    fn read(line: &'a KeptLine, words: &[&str]) -> Self {
        let sequence = words.iter().filter_map(|word| word.parse().ok()).min();
        let mut access_lists: Vec<String> =
            line.below.iter().filter_map(|l| match_address(l)).collect();
        let others = line.below.iter().map(String::as_str);
        let others = others.filter(|line| match_address(line).is_none());
        if matching(!access_lists.is_empty(), others).next().is_some() {
            access_lists.clear();
        }
        Self {
            sequence: sequence.unwrap_or(0),
            text: &line.text,
            access_lists,
        }
    }
}

fn index<'a>(known: &mut HashMap<&'a str, BTreeSet<usize>>, words: &[&'a str], header: usize) {
    for word in words {
        known.entry(word).or_default().insert(header);
    }
}

/// A line of a list with the name of the list in it: what stands behind the name says what it could permit.
fn on_one_line(text: &str, list: &str) -> Option<Line> {
    const KINDS: [&str; 2] = ["extended", "standard"];
    let behind = text.split_whitespace().skip_while(|word| *word != list);
    let behind = behind.skip(1).filter(|word| !KINDS.contains(word));
    let rule = behind.collect::<Vec<_>>().join(" ");
    if rule.is_empty() {
        return Some(Line::everything(text));
    }
    let (_, read) = UnknownRule::read(AclKind::Extended, &rule, Vec::new());
    let reach = read.may(Action::Permit).then(|| read.reach());
    Line::could_permit(text, reach)
}

/// What stands below the line are settings of a crypto map entry, so its header is meant for one.
fn has_settings_of_an_entry(line: &KeptLine) -> bool {
    line.below.iter().any(|line| {
        let mut words = line.split_whitespace();
        let (first, second) = (words.next(), words.next());
        let is = |word: Option<&str>, keyword, least| {
            word.is_some_and(|word| abbreviates(word, keyword, least))
        };
        match is(first, "set", 3) {
            true => is(second, "peer", 2) || is(second, "transform-set", 2),
            false => is(first, "match", 2) && is(second, "address", 1),
        }
    })
}

/// No header or line of a list that is known, but one of its words could be meant for `access-list`.
fn could_be_misspelled_list(words: &[&str]) -> bool {
    const OTHERS: [&str; 4] = ["prefix", "as-path", "community", "distribute"];
    let has = |part: &str| {
        words
            .iter()
            .any(|word| word.to_ascii_lowercase().contains(part))
    };
    has("list") && !OTHERS.iter().any(|other| has(other))
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
    // Every kept line is asked, at each plan: parsing is for the few that can be one.
    let first = line.split_whitespace().next()?;
    if !abbreviates(first, "match", 1) {
        return None;
    }
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
pub fn maps<'a>(
    interface: &'a model::Interface,
    names: &MapNames<'_>,
) -> Vec<(Option<&'a str>, &'a str)> {
    let mut maps = Vec::new();
    let own = |word: &&str| interface.crypto_map.as_deref() == Some(*word);
    for line in interface.kept.iter() {
        let named = names.of_line(&line.text).filter(|word| !own(word));
        maps.extend(named.map(|map| (Some(line.text.as_str()), map)));
    }
    maps.extend(interface.crypto_map.as_deref().map(|map| (None, map)));
    maps
}

/// The maps that are named below headers that are not understood and could be those of interfaces: the header, then the
/// map.
pub fn interfaces<'a>(running: &'a Running, names: &MapNames<'_>) -> Vec<(&'a str, &'a str)> {
    let mut maps = Vec::new();
    for block in running.kept.iter() {
        let first = block.text.split_whitespace().next().unwrap_or_default();
        let header = block.text.as_str();
        for line in &block.below {
            if abbreviates(first, "interface", 3) {
                maps.extend(names.of_line(line).map(|map| (header, map)));
            } else if entry_words(header).is_none() {
                maps.extend(names.of_foreign_line(line).map(|map| (header, map)));
            }
        }
    }
    maps
}

/// Those of the lines of an entry that are not understood which could say what traffic it is for; `certain` when another
/// line does.
pub fn matching<'a>(
    certain: bool,
    lines: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = &'a str> {
    const OTHERS: [(&str, usize); 6] = [
        ("set", 1),
        ("description", 3),
        ("reverse-route", 1),
        ("qos", 1),
        ("no", 2),
        ("default", 3),
    ];
    lines.filter(move |line| {
        let word = line.split_whitespace().next().unwrap_or_default();
        let other = |(keyword, least): &(&str, usize)| abbreviates(word, keyword, *least);
        abbreviates(word, "match", 1) || (!certain && !OTHERS.iter().any(other))
    })
}
