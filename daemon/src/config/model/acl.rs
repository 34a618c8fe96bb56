//! Access-lists: numbered and named, extended and standard, with IOS's sequence numbers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::net::Ipv4Addr;

use isthmus_grammar::command::{
    AclAddress, AclEntry, AclKind, AclOption, AclRule, Action, IpProtocol, StandardAclEntry,
    StandardRule, TcpFlag,
};

use super::{ObjectGroups, UnknownRule};

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
    /// that none fits may not. A list without rules lets all callers in.
    ///
    /// What is not known counts against the session: of the rules about one address of the router those that deny fit,
    /// and so does a line that is not understood and could deny.
    pub fn lets_in(&self, from: Ipv4Addr, groups: &ObjectGroups) -> bool {
        fn decide<R: Clone + Eq + Hash>(
            list: &Numbered<R>,
            action: impl Fn(&R) -> Option<Action>,
            from: Ipv4Addr,
        ) -> bool {
            let mut rules = list
                .lines()
                .filter(|(_, line)| line.has_number())
                .peekable();
            let decides = |line: &AclLine<R>| match line {
                AclLine::Rule(rule) => action(rule),
                AclLine::Unknown(line) if line.may(Action::Deny) => {
                    let denies = AclRule {
                        action: Action::Deny,
                        ..line.reach().clone()
                    };
                    fits_ssh(&denies, from).then_some(Action::Deny)
                }
                AclLine::Unknown(_) | AclLine::Remark(_) => None,
            };
            rules.peek().is_none()
                || rules.find_map(|(_, line)| decides(line)) == Some(Action::Permit)
        }
        match self {
            AccessList::Standard(list) => {
                let fits = |rule: &StandardRule| rule.source.covers(from).then_some(rule.action);
                decide(list, fits, from)
            }
            AccessList::Extended(list) => {
                let fits = |rule: &AclRule| {
                    let written = groups.write_out(rule);
                    let beyond = written.beyond.filter(|_| rule.action == Action::Deny);
                    let mut rules = written
                        .rules
                        .iter()
                        .chain(beyond.iter().flat_map(|it| &it.0));
                    rules
                        .any(|rule| fits_ssh(rule, from))
                        .then_some(rule.action)
                };
                decide(list, fits, from)
            }
        }
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        match self {
            AccessList::Extended(list) => list.lines.len(),
            AccessList::Standard(list) => list.lines.len(),
        }
    }

    /// There is no line.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many lines were kept without being understood, with those below them.
    pub fn not_understood(&self) -> usize {
        fn count<R: Clone + Eq + Hash>(list: &Numbered<R>) -> usize {
            let unknown = list.lines().map(|(_, line)| match line {
                AclLine::Unknown(line) => 1 + line.below.len(),
                AclLine::Rule(_) | AclLine::Remark(_) => 0,
            });
            unknown.sum()
        }
        match self {
            AccessList::Extended(list) => count(list),
            AccessList::Standard(list) => count(list),
        }
    }

    /// Keeps a line that is not understood, in its place; one that the list has already is not kept again.
    pub(crate) fn keep(&mut self, text: &str, below: Vec<String>) {
        match self {
            AccessList::Extended(list) => list.keep(AclKind::Extended, text, below),
            AccessList::Standard(list) => list.keep(AclKind::Standard, text, below),
        }
    }

    /// Removes the lines that were kept with this text; false when there is none.
    pub(crate) fn remove_kept(&mut self, text: &str) -> bool {
        match self {
            AccessList::Extended(list) => list.remove_kept(AclKind::Extended, text),
            AccessList::Standard(list) => list.remove_kept(AclKind::Standard, text),
        }
    }
}

/// Whether a rule is about the first packet of an SSH session from an address. What is not known of that packet counts
/// against the session.
fn fits_ssh(rule: &AclRule, from: Ipv4Addr) -> bool {
    let protocol = rule.protocol == IpProtocol::ANY || rule.protocol == IpProtocol::TCP;
    let ports = rule.destination_ports.as_ref();
    let port = ports.is_none_or(|ports| ports.takes(SSH));
    let later = |option: &AclOption| match option {
        AclOption::Established | AclOption::Fragments => true,
        AclOption::Flag(flag) => *flag != TcpFlag::Syn,
        _ => false,
    };
    let can_be = protocol && rule.source.covers(from) && port && !rule.options.iter().any(later);
    let plain = |option: &AclOption| {
        option.is_log()
            || matches!(
                option,
                AclOption::Reflect(..) | AclOption::Flag(TcpFlag::Syn)
            )
    };
    let sure = rule.destination == AclAddress::Any
        && rule.source_ports.is_none()
        && rule.options.iter().all(plain);
    can_be && (sure || rule.action == Action::Deny)
}

/// A line of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AclLine<R> {
    /// permit or deny.
    Rule(R),
    /// `remark`.
    Remark(String),
    /// A line of a file that is not understood.
    Unknown(UnknownRule),
}

impl<R> AclLine<R> {
    /// It takes a number, as all but remarks do.
    pub fn has_number(&self) -> bool {
        !matches!(self, AclLine::Remark(_))
    }
}

impl From<AclEntry> for AclLine<AclRule> {
    fn from(entry: AclEntry) -> Self {
        match entry {
            AclEntry::Rule(rule) => AclLine::Rule(rule),
            AclEntry::Remark(text) => AclLine::Remark(text),
            AclEntry::Evaluate(list) => AclLine::Unknown(UnknownRule::evaluate(&list)),
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
pub(super) const LAST: u32 = 2_147_483_647;

/// Rules with sequence numbers, the remarks before them, and the lines that are not understood among them.
///
/// A remark has no number of its own: it stands before the rule whose number it shares. A line that is not understood has
/// a number; where a rule has the same one, the rule comes after it.
#[derive(Clone, Debug)]
pub struct Numbered<R: Eq + Hash> {
    /// Key: the line's number; of those with the same number the rule is the last ([`RULE`]). Most lists are short, and a
    /// line is large.
    lines: BTreeMap<(u32, u32), Box<AclLine<R>>>,
    /// Where each line is that takes a number, once there are [`MANY`].
    index: Option<Box<Index<R>>>,
}

/// So many lines are not searched one by one.
const MANY: usize = 32;

#[derive(Clone, Debug)]
struct Index<R> {
    rules: HashMap<R, u32>,
    /// Lines that are not understood.
    unknown: HashSet<UnknownRule>,
}

impl<R: Eq + Hash> PartialEq for Numbered<R> {
    fn eq(&self, other: &Self) -> bool {
        self.lines == other.lines
    }
}

impl<R: Eq + Hash> Eq for Numbered<R> {}

const RULE: u32 = u32::MAX;

impl<R: Eq + Hash> Default for Numbered<R> {
    fn default() -> Self {
        Numbered {
            lines: BTreeMap::new(),
            index: None,
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
            .filter_map(|((number, _), line)| match &**line {
                AclLine::Rule(rule) => Some((*number, rule)),
                AclLine::Remark(_) | AclLine::Unknown(_) => None,
            })
    }

    /// All lines in order; the number is the rule's, and for a remark that of the rule it stands before.
    pub fn lines(&self) -> impl Iterator<Item = (u32, &AclLine<R>)> {
        self.lines
            .iter()
            .map(|((number, _), line)| (*number, &**line))
    }

    /// There is no line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The numbers are what typing the lines without numbers gives: 10, 20, 30...
    pub fn is_plain(&self) -> bool {
        let mut expected = STEP;
        self.lines.iter().all(|((number, _), line)| {
            let right = *number == expected;
            if line.has_number() {
                expected = expected.saturating_add(STEP);
            }
            right
        })
    }

    fn next(&self) -> Result<u32, AddError> {
        let last = self.lines.last_key_value();
        let next = last.map_or(Some(STEP), |((number, _), line)| {
            if line.has_number() {
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
            other => {
                if let AclLine::Unknown(line) = &other
                    && self.has_unknown(line)
                {
                    return Ok(());
                }
                let last = self.lines.range((number, 0)..(number, RULE)).next_back();
                let place = last.map_or(0, |((_, place), _)| place + 1);
                self.insert((number, place), Box::new(other));
                Ok(())
            }
        }
    }

    fn keep(&mut self, kind: AclKind, text: &str, below: Vec<String>) {
        let (number, line) = UnknownRule::read(kind, text, below);
        // A list without a number left has no place after its last line.
        let number = number.or_else(|| self.next().ok()).unwrap_or(LAST);
        // Such a line may have the number of another.
        let _ = self.add(Some(number), AclLine::Unknown(line));
    }

    fn remove_kept(&mut self, kind: AclKind, text: &str) -> bool {
        let (wanted, sought) = UnknownRule::read(kind, text, Vec::new());
        self.remove_unknown(|number, line| {
            line.text == sought.text && wanted.is_none_or(|wanted| wanted == number)
        })
    }

    fn remove_unknown(&mut self, doomed: impl Fn(u32, &UnknownRule) -> bool) -> bool {
        let before = self.lines.len();
        let index = &mut self.index;
        self.lines.retain(|(number, _), line| match &**line {
            AclLine::Unknown(line) if doomed(*number, line) => {
                if let Some(index) = index {
                    index.unknown.remove(line);
                }
                false
            }
            _ => true,
        });
        self.lines.len() < before
    }

    fn add_rule(&mut self, number: u32, rule: R) -> Result<(), AddError> {
        if self.number_of(&rule).is_some() {
            return Ok(());
        }
        if self.lines.contains_key(&(number, RULE)) {
            return Err(AddError::Duplicate);
        }
        self.insert((number, RULE), Box::new(AclLine::Rule(rule)));
        Ok(())
    }

    fn insert(&mut self, key: (u32, u32), line: Box<AclLine<R>>) {
        match &mut self.index {
            Some(index) => index.add(key.0, &line),
            None if self.lines.len() >= MANY => {
                let mut index = Index {
                    rules: HashMap::new(),
                    unknown: HashSet::new(),
                };
                for ((number, _), line) in &self.lines {
                    index.add(*number, line);
                }
                index.add(key.0, &line);
                self.index = Some(Box::new(index));
            }
            None => {}
        }
        self.lines.insert(key, line);
    }

    /// The number of a rule that is there.
    fn number_of(&self, rule: &R) -> Option<u32> {
        match &self.index {
            Some(index) => index.rules.get(rule).copied(),
            None => self
                .rules()
                .find(|(_, own)| *own == rule)
                .map(|(number, _)| number),
        }
    }

    fn has_unknown(&self, line: &UnknownRule) -> bool {
        match &self.index {
            Some(index) => index.unknown.contains(line),
            None => {
                let is = |own: &AclLine<R>| matches!(own, AclLine::Unknown(own) if own == line);
                self.lines.values().any(|own| is(own))
            }
        }
    }

    /// Removes the rule with this number, or the line that is not understood; the remarks stay before the next rule.
    pub(crate) fn remove_number(&mut self, number: u32) -> bool {
        match self.lines.remove(&(number, RULE)).map(|line| *line) {
            Some(AclLine::Rule(rule)) => {
                if let Some(index) = &mut self.index {
                    index.rules.remove(&rule);
                }
                true
            }
            _ => self.remove_unknown(|of, _| of == number),
        }
    }

    /// Removes a line by its text.
    pub(crate) fn remove(&mut self, line: &AclLine<R>) -> bool {
        match line {
            AclLine::Rule(rule) => match self.number_of(rule) {
                Some(number) => self.remove_number(number),
                None => false,
            },
            AclLine::Unknown(line) => self.remove_unknown(|_, known| known == line),
            AclLine::Remark(_) => {
                let found = self.lines.iter().find(|(_, known)| ***known == *line);
                match found.map(|(key, _)| *key) {
                    Some(key) => self.lines.remove(&key).is_some(),
                    None => false,
                }
            }
        }
    }

    /// Gives the lines the numbers `start`, `start + step`...; false when the last would be too large.
    pub(crate) fn resequence(&mut self, start: u32, step: u32) -> bool {
        let lines = self.lines.values().filter(|line| line.has_number());
        let lines = u32::try_from(lines.count()).unwrap_or(u32::MAX);
        let last = u64::from(start) + u64::from(step) * u64::from(lines.saturating_sub(1));
        if last > u64::from(LAST) {
            return false;
        }
        let (mut number, mut place) = (start, 0);
        for line in std::mem::take(&mut self.lines).into_values() {
            let takes_number = line.has_number();
            let key = match &*line {
                AclLine::Rule(rule) => {
                    if let Some(index) = &mut self.index {
                        index.rules.insert(rule.clone(), number);
                    }
                    RULE
                }
                AclLine::Remark(_) | AclLine::Unknown(_) => place,
            };
            self.lines.insert((number, key), line);
            (number, place) = if takes_number {
                (number.saturating_add(step), 0)
            } else {
                (number, place + 1)
            };
        }
        true
    }
}

impl<R: Clone + Eq + Hash> Index<R> {
    fn add(&mut self, number: u32, line: &AclLine<R>) {
        match line {
            AclLine::Rule(rule) => {
                self.rules.insert(rule.clone(), number);
            }
            AclLine::Unknown(line) => {
                self.unknown.insert(line.clone());
            }
            AclLine::Remark(_) => {}
        }
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
    fn what_is_not_known_of_a_list_turns_away() {
        let lets_in = |lines: &str, from: [u8; 4]| {
            let text = format!(
                "object-group network G\n host 10.0.0.1\n!\nobject-group network K\n frobnicate\n!\n\
                 ip access-list extended A\n{lines}"
            );
            let (running, _) = crate::config::load(&text, "f");
            running.access_lists["A"].lets_in(from.into(), &running.object_groups())
        };
        let known = [10, 0, 0, 1];
        let ssh = " permit tcp any any eq 22";
        for (lines, good) in [
            (ssh.to_owned(), true),
            (" permit tcp any any eq 22 23 log W".into(), true),
            (" permit tcp any any range 23 22".into(), true),
            (" permit tcp any any eq 23 80".into(), false),
            (" permit tcp object-group G any eq 22".into(), true),
            (" permit tcp object-group K any eq 22".into(), false),
            (format!(" deny tcp object-group K any\n{ssh}"), false),
            (
                format!(" deny tcp object-group G any established\n{ssh}"),
                true,
            ),
            (
                format!(" deny ip host 10.0.0.1 any frobnicate\n{ssh}"),
                false,
            ),
            (
                format!(" deny ip host 10.0.0.2 any frobnicate\n{ssh}"),
                true,
            ),
            (format!(" extra deny\n{ssh}"), false),
            (format!(" permit ip any any frobnicate\n{ssh}"), true),
            (" permit ip any any frobnicate".into(), false),
            (" permit tcp any any time-range W".into(), false),
            (format!(" evaluate R\n{ssh}"), true),
        ] {
            assert_eq!(lets_in(&lines, known), good, "{lines}");
        }
    }

    #[test]
    fn lines_that_are_not_understood_have_numbers_and_no_rule_loses_its_own() {
        let mut list = list(&["a"]);
        list.keep(AclKind::Extended, "frobnicate", Vec::new());
        list.keep(AclKind::Extended, "frobnicate", Vec::new());
        list.add(None, AclLine::Rule("b")).unwrap();
        list.keep(AclKind::Extended, "10 frobnicate more", Vec::new());
        let shown = |list: &List| -> Vec<(u32, String)> {
            let text = |line: &AclLine<&str>| match line {
                AclLine::Rule(rule) => (*rule).to_owned(),
                AclLine::Remark(text) => text.clone(),
                AclLine::Unknown(line) => line.text.clone(),
            };
            list.lines()
                .map(|(number, line)| (number, text(line)))
                .collect()
        };
        let line = |number: u32, text: &str| (number, text.to_owned());
        assert_eq!(
            shown(&list),
            [
                line(10, "frobnicate more"),
                line(10, "a"),
                line(20, "frobnicate"),
                line(30, "b")
            ]
        );
        assert!(!list.is_plain());
        assert!(list.remove_number(10), "the rule goes first");
        assert!(list.remove_number(10));
        assert!(!list.remove_number(10));
        assert!(list.resequence(10, 10));
        assert_eq!(shown(&list), [line(10, "frobnicate"), line(20, "b")]);
        assert!(list.is_plain());
        assert!(list.remove_kept(AclKind::Extended, "10 frobnicate"));
        assert!(!list.remove_kept(AclKind::Extended, "frobnicate"));
        list.keep(AclKind::Extended, "frobnicate", Vec::new());
        assert_eq!(
            shown(&list),
            [line(20, "b"), line(30, "frobnicate")],
            "what was removed can be there again"
        );
    }

    #[test]
    fn resequencing_beyond_the_largest_number_changes_nothing() {
        let mut list = list(&["a", "b"]);
        assert!(!list.resequence(LAST, 1));
        assert_eq!(numbers(&list), [(10, "a"), (20, "b")]);
    }
}
