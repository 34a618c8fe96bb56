//! Access-lists: numbered and named, extended and standard, with IOS's sequence numbers.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::net::Ipv4Addr;

use isthmus_grammar::command::{
    AclAddress, AclEntry, AclRule, Action, IpProtocol, StandardAclEntry, StandardRule,
};

use super::Kept;

/// The port of SSH.
const SSH: u16 = 22;

/// An access-list of either kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessList {
    /// Source, destination, protocol, ports.
    Extended(Numbered<AclRule>),
    /// Source only.
    Standard(Numbered<StandardRule>),
}

impl AccessList {
    /// Whether an SSH session from an address may begin (`access-class`): the first rule that fits decides, and a session
    /// that none fits may not. A list without rules lets everybody in.
    ///
    /// Which address of the router was asked for is not known: of the rules about one, those that deny fit.
    pub fn lets_in(&self, from: Ipv4Addr) -> bool {
        let rules: Vec<(Action, bool)> = match self {
            AccessList::Standard(list) => (list.rules())
                .map(|(_, rule)| (rule.action, rule.source.covers(from)))
                .collect(),
            AccessList::Extended(list) => (list.rules())
                .map(|(_, rule)| (rule.action, fits_ssh(rule, from)))
                .collect(),
        };
        let decides = rules.iter().find(|(_, fits)| *fits);
        rules.is_empty() || decides.is_some_and(|(action, _)| *action == Action::Permit)
    }

    /// The lines kept from a file.
    pub fn kept(&self) -> &Kept {
        match self {
            AccessList::Extended(list) => &list.kept,
            AccessList::Standard(list) => &list.kept,
        }
    }

    pub(crate) fn kept_mut(&mut self) -> &mut Kept {
        match self {
            AccessList::Extended(list) => &mut list.kept,
            AccessList::Standard(list) => &mut list.kept,
        }
    }
}

/// Whether a rule is about the first packet of an SSH session from an address. What is not known of that packet counts
/// against the session.
fn fits_ssh(rule: &AclRule, from: Ipv4Addr) -> bool {
    let protocol = rule.protocol == IpProtocol::ANY || rule.protocol == IpProtocol::TCP;
    let port = rule.destination_ports.is_none_or(|ports| ports.takes(SSH));
    let can_be =
        protocol && rule.source.covers(from) && port && !rule.established && !rule.fragments;
    let sure =
        rule.destination == AclAddress::Any && rule.source_ports.is_none() && rule.dscp.is_none();
    can_be && (sure || rule.action == Action::Deny)
}

/// A line of a list: a rule or a remark.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AclLine<R> {
    /// permit or deny.
    Rule(R),
    /// `remark`.
    Remark(String),
}

impl From<AclEntry> for AclLine<AclRule> {
    fn from(entry: AclEntry) -> Self {
        match entry {
            AclEntry::Rule(rule) => AclLine::Rule(rule),
            AclEntry::Remark(text) => AclLine::Remark(text),
        }
    }
}

impl From<StandardAclEntry> for AclLine<StandardRule> {
    fn from(entry: StandardAclEntry) -> Self {
        match entry {
            StandardAclEntry::Rule(rule) => AclLine::Rule(rule),
            StandardAclEntry::Remark(text) => AclLine::Remark(text),
        }
    }
}

/// The step between the numbers of lines typed without one, and the first of them.
pub const STEP: u32 = 10;

/// The largest sequence number.
const LAST: u32 = 2_147_483_647;

/// Rules with sequence numbers and the remarks before them.
///
/// A remark has no number of its own: it stands before the rule whose number it shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered<R: Eq + Hash> {
    /// Key: the rule's number; remarks of the same number come first, the rule last ([`RULE`]).
    lines: BTreeMap<(u32, u32), AclLine<R>>,
    numbers: HashMap<R, u32>,
    /// Lines that were not understood.
    pub kept: Kept,
}

const RULE: u32 = u32::MAX;

impl<R: Eq + Hash> Default for Numbered<R> {
    fn default() -> Self {
        Numbered {
            lines: BTreeMap::new(),
            numbers: HashMap::new(),
            kept: Kept::default(),
        }
    }
}

/// Why a line cannot be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddError {
    /// The number has another rule.
    Duplicate,
    /// There is no number left after the last rule.
    Full,
}

impl<R: Clone + Eq + Hash> Numbered<R> {
    /// The rules with their numbers, in order.
    pub fn rules(&self) -> impl Iterator<Item = (u32, &R)> {
        self.lines
            .iter()
            .filter_map(|((number, _), line)| match line {
                AclLine::Rule(rule) => Some((*number, rule)),
                AclLine::Remark(_) => None,
            })
    }

    /// Rules and remarks in order; the number is the rule's, and for a remark that of the rule it stands before.
    pub fn lines(&self) -> impl Iterator<Item = (u32, &AclLine<R>)> {
        self.lines.iter().map(|((number, _), line)| (*number, line))
    }

    /// There is no rule and no remark.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The numbers are what typing the lines without numbers gives: 10, 20, 30...
    pub fn is_plain(&self) -> bool {
        let mut expected = STEP;
        self.lines.iter().all(|((number, place), _)| {
            let right = *number == expected;
            if *place == RULE {
                expected = expected.saturating_add(STEP);
            }
            right
        })
    }

    fn next(&self) -> Result<u32, AddError> {
        let last = self.lines.last_key_value();
        let next = last.map_or(Some(STEP), |((number, place), _)| {
            if *place == RULE {
                number.checked_add(STEP)
            } else {
                Some(*number)
            }
        });
        next.filter(|next| *next <= LAST).ok_or(AddError::Full)
    }

    /// Adds a line, at the end or at its number. A rule that the list has already is not added again.
    pub(crate) fn add(&mut self, number: Option<u32>, line: AclLine<R>) -> Result<(), AddError> {
        let number = match number {
            Some(number) => number,
            None => self.next()?,
        };
        match line {
            AclLine::Rule(rule) => self.add_rule(number, rule),
            AclLine::Remark(text) => {
                let last = self.lines.range((number, 0)..(number, RULE)).next_back();
                let place = last.map_or(0, |((_, place), _)| place + 1);
                self.lines.insert((number, place), AclLine::Remark(text));
                Ok(())
            }
        }
    }

    fn add_rule(&mut self, number: u32, rule: R) -> Result<(), AddError> {
        if self.numbers.contains_key(&rule) {
            return Ok(());
        }
        if self.lines.contains_key(&(number, RULE)) {
            return Err(AddError::Duplicate);
        }
        self.numbers.insert(rule.clone(), number);
        self.lines.insert((number, RULE), AclLine::Rule(rule));
        Ok(())
    }

    /// Removes the rule with this number; its remarks stay before the next one.
    pub(crate) fn remove_number(&mut self, number: u32) -> bool {
        match self.lines.remove(&(number, RULE)) {
            Some(AclLine::Rule(rule)) => {
                self.numbers.remove(&rule);
                true
            }
            _ => false,
        }
    }

    /// Removes a line by its text.
    pub(crate) fn remove(&mut self, line: &AclLine<R>) -> bool {
        match line {
            AclLine::Rule(rule) => match self.numbers.get(rule).copied() {
                Some(number) => self.remove_number(number),
                None => false,
            },
            AclLine::Remark(_) => {
                let found = self.lines.iter().find(|(_, known)| *known == line);
                match found.map(|(key, _)| *key) {
                    Some(key) => self.lines.remove(&key).is_some(),
                    None => false,
                }
            }
        }
    }

    /// Gives the rules the numbers `start`, `start + step`...; false when the last would be too large.
    pub(crate) fn resequence(&mut self, start: u32, step: u32) -> bool {
        let rules = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let last = u64::from(start) + u64::from(step) * u64::from(rules.saturating_sub(1));
        if last > u64::from(LAST) {
            return false;
        }
        let (mut number, mut place) = (start, 0);
        for (key, line) in std::mem::take(&mut self.lines) {
            if key.1 == RULE {
                if let AclLine::Rule(rule) = &line {
                    self.numbers.insert(rule.clone(), number);
                }
                self.lines.insert((number, RULE), line);
                (number, place) = (number.saturating_add(step), 0);
            } else {
                self.lines.insert((number, place), line);
                place += 1;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type List = Numbered<&'static str>;

    fn list(rules: &[&'static str]) -> List {
        let mut list = List::default();
        for rule in rules {
            list.add(None, AclLine::Rule(rule)).unwrap();
        }
        list
    }

    fn numbers(list: &List) -> Vec<(u32, &'static str)> {
        list.rules().map(|(number, rule)| (number, *rule)).collect()
    }

    #[test]
    fn lines_without_a_number_go_to_the_end_in_tens() {
        let mut list = list(&["a", "b"]);
        list.add(Some(15), AclLine::Rule("c")).unwrap();
        list.add(None, AclLine::Rule("d")).unwrap();
        assert_eq!(numbers(&list), [(10, "a"), (15, "c"), (20, "b"), (30, "d")]);
        assert!(!list.is_plain());
        assert!(list.resequence(10, 10));
        assert_eq!(numbers(&list), [(10, "a"), (20, "c"), (30, "b"), (40, "d")]);
        assert!(list.is_plain());
    }

    #[test]
    fn a_rule_is_never_there_twice_and_a_number_never_changes_its_rule() {
        let mut list = list(&["a"]);
        assert_eq!(list.add(None, AclLine::Rule("a")), Ok(()));
        assert_eq!(
            list.add(Some(10), AclLine::Rule("b")),
            Err(AddError::Duplicate)
        );
        assert_eq!(numbers(&list), [(10, "a")]);
        list.add(Some(LAST), AclLine::Rule("z")).unwrap();
        assert_eq!(list.add(None, AclLine::Rule("b")), Err(AddError::Full));
    }

    #[test]
    fn remarks_take_no_number_and_stay_before_their_rule() {
        let mut list = List::default();
        list.add(None, AclLine::Remark("first".into())).unwrap();
        list.add(None, AclLine::Remark("second".into())).unwrap();
        list.add(None, AclLine::Rule("a")).unwrap();
        list.add(None, AclLine::Remark("third".into())).unwrap();
        list.add(None, AclLine::Rule("b")).unwrap();
        let places: Vec<u32> = list.lines().map(|(number, _)| number).collect();
        assert_eq!(places, [10, 10, 10, 20, 20]);
        assert!(list.is_plain());
        assert!(list.remove(&AclLine::Remark("second".into())));
        assert!(list.remove_number(10));
        assert!(!list.remove(&AclLine::Rule("a")));
        assert_eq!(list.lines().count(), 3);
        assert!(list.resequence(5, 5));
        assert_eq!(numbers(&list), [(5, "b")]);
    }

    #[test]
    fn resequencing_beyond_the_largest_number_changes_nothing() {
        let mut list = list(&["a", "b"]);
        assert!(!list.resequence(LAST, 1));
        assert_eq!(numbers(&list), [(10, "a"), (20, "b")]);
    }
}
