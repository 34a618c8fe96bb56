//! What all crypto maps ask for, entry by entry: a change costs what it changes. Owned by [`crate::router::tunnels`];
//! `reconcile` says what is to be planned anew and makes the difference that comes of it.
//!
//! The unit is what has one number in a map on an interface. It has its connection, its flows, its lines, and its part of the
//! interface's list: the lines in the order in which the kernel must ask them ([`super::order`]), each with its rank
//! ([`super::ranks`]). That part depends on the unit and, where the unit exempts something, on the units behind it.
//!
//! The units of one interface stand together, in the order of their numbers; behind them those of interfaces that are gone.
//! What a gone interface protected is blocked on every way out. Where another interface has a map of its own, that map comes
//! first and may protect it too; what that map lets pass in clear is blocked if a gone one protected it.

mod make;
mod notes;
mod ranking;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use ike::config::{Connection, ConnectionId, FlowId};
use isthmus_kernel::{PolicyKey, Reqid, Selector};

use super::claims::{Claim, Claims};
use super::entry::Entry;
use super::flows::{self, ANY_INTERFACE, Fate, FlowName, FlowPlan, Lines, Numbers};
use super::order::{self, Line};
use super::ranks;
use super::selector;
use super::shadow::{self, Taken};
use super::source::{Gathered, NameHash, Source};

/// So many lists are ranked one by one, and so many lines compared with all others.
const FEW: usize = 64;

/// So many lines before and behind a new one may move to make room for it.
const NEAR: usize = 64;

/// Everything that crypto maps ask for.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Those of interfaces that are there; the last one has what is gone.
    groups: Vec<Group>,
    flows: HashMap<FlowName, FlowPlan>,
    /// Which flow an acquire is for.
    by_reqid: HashMap<(Reqid, u32), FlowName>,
    claims: Claims,
    numbers: Numbers,
    connections: HashMap<ConnectionId, UnitRef>,
    /// Which units refer to a name.
    users: HashMap<NameHash, Vec<UnitRef>>,
    /// Units that exempt something.
    exempting: BTreeSet<UnitRef>,
    /// Units that the operator should know something of.
    troubled: BTreeSet<UnitRef>,
    /// What the operator should know of maps.
    problems: Vec<String>,
    next_connection: u32,
    next_place: u32,
}

/// The maps of one interface, or all those whose interface is gone.
#[derive(Debug, Clone, Default)]
struct Group {
    /// The kernel's index of the interface; [`ANY_INTERFACE`] for what is gone.
    index: u32,
    places: Vec<Place>,
    /// Lines that never match.
    notes: Vec<String>,
}

/// A map on an interface.
#[derive(Debug, Clone)]
struct Place {
    id: u32,
    /// What its entries have in common.
    common: Entry,
    units: BTreeMap<u16, Unit>,
}

/// The number of a place, and that of the entry in its map.
type UnitRef = (u32, u16);

/// Where a unit is: its group, its place there, its number.
type Position = (usize, usize, u16);

/// What has one number in a map on an interface.
#[derive(Debug, Clone)]
struct Unit {
    id: ConnectionId,
    connection: Option<Arc<Connection>>,
    /// The lines of each of its entries.
    entries: Box<[Lines]>,
    /// Its part of the interface's list, as it was claimed for the interface with this index.
    list: Box<[Item]>,
    claimed_on: u32,
    used: Box<[NameHash]>,
    /// What the operator should know, one line each.
    problems: Box<[String]>,
}

/// A line of an interface's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Item {
    selector: Selector,
    /// `None` passes in clear.
    fate: Option<Fate>,
    rank: u32,
}

/// What is to be planned anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dirty {
    /// All of it.
    pub everything: bool,
    /// Which maps are on which interfaces, and what the entries of each have in common.
    pub places: bool,
    /// Whole maps.
    pub maps: BTreeSet<String>,
    /// Entries of maps.
    pub entries: BTreeSet<(String, u16)>,
    /// What refers to these names.
    pub names: BTreeSet<NameHash>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Delta {
    /// Connections that are new or changed, or gone.
    pub connections: Vec<(ConnectionId, Option<Arc<Connection>>)>,
    /// Flows that are gone, or wrapped in another way.
    pub flows: Vec<FlowName>,
    /// Keys under which another policy, or none, should stand.
    pub keys: Vec<PolicyKey>,
}

/// What has changed so far.
#[derive(Debug, Default)]
struct Changes {
    delta: Delta,
    /// Selectors whose policies may be others, with the keys that they had.
    touched: HashMap<Selector, Vec<PolicyKey>>,
    /// What lines select that are new, other ones or gone.
    moved: Vec<Selector>,
    /// Units whose part of the list is to be made anew.
    lists: BTreeSet<Position>,
    /// Groups of which units are new, other ones or gone.
    groups: BTreeSet<usize>,
    /// Places came, went or have another order.
    arranged: bool,
    /// There were lines that never match, in groups that were made anew.
    noted: bool,
}

impl Dirty {
    /// Nothing is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what else is.
    pub fn merge(&mut self, other: Self) {
        self.everything |= other.everything;
        self.places |= other.places;
        self.maps.extend(other.maps);
        self.entries.extend(other.entries);
        self.names.extend(other.names);
    }
}

impl Plan {
    /// A flow.
    #[must_use]
    pub fn flow(&self, name: &FlowName) -> Option<&FlowPlan> {
        self.flows.get(name)
    }

    /// All flows.
    pub fn flows(&self) -> impl Iterator<Item = (&FlowName, &FlowPlan)> {
        self.flows.iter()
    }

    /// Which flow an acquire on an interface is for.
    #[must_use]
    pub fn by_reqid(&self, reqid: Reqid, interface: u32) -> Option<FlowName> {
        self.by_reqid.get(&(reqid, interface)).copied()
    }

    /// A connection.
    #[must_use]
    pub fn connection(&self, id: ConnectionId) -> Option<&Arc<Connection>> {
        self.unit(*self.connections.get(&id)?)?.connection.as_ref()
    }

    /// All connections, in the order of the maps.
    pub fn connections(&self) -> impl Iterator<Item = &Arc<Connection>> {
        self.units()
            .filter_map(|(_, unit)| unit.connection.as_ref())
    }

    /// Which lines ask for which policies.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The kernel's indexes of the interfaces on which something is protected, blocked or exempted.
    #[must_use]
    pub fn interfaces(&self) -> HashSet<u32> {
        let groups = self.groups.iter().filter(|group| {
            let mut units = group.places.iter().flat_map(|place| place.units.values());
            group.index != ANY_INTERFACE && units.any(|unit| !unit.list.is_empty())
        });
        groups.map(|group| group.index).collect()
    }

    /// What the operator should know, one line each.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let units = self.troubled.iter().filter_map(|unit| self.unit(*unit));
        let notes = self.groups.iter().flat_map(|group| &group.notes);
        let units = units.flat_map(|unit| unit.problems.iter());
        let all = self.problems.iter().chain(units).chain(notes);
        all.cloned().collect()
    }

    /// The line of the running-config that a flow comes from, for messages.
    #[must_use]
    pub fn line_of(&self, reqid: Reqid, source: &impl Source) -> Option<String> {
        let mut names = self.by_reqid.iter();
        let (_, name) = names.find(|((known, _), _)| *known == reqid)?;
        let unit = *self.connections.get(&name.0)?;
        let place = self.place(unit.0)?;
        let rule = self.flows.get(name)?.rule;
        // Only the last entry of a number makes a connection.
        let entry = source.entries(&place.common, unit.1).entries.pop()?;
        let line = entry.rules.get(rule)?;
        Some(line.place(&entry.access_list, &entry.name()))
    }

    /// About how many lines are to be read for this.
    #[must_use]
    pub fn cost(
        &self,
        source: &impl Source,
        dirty: &Dirty,
        size: impl Fn(&str, u16) -> usize,
    ) -> usize {
        if dirty.everything {
            return usize::MAX;
        }
        let mut cost = 0_usize;
        if dirty.places {
            let mut known: HashMap<_, _> = self.places().map(key_of).collect();
            let places = source.places().places;
            for common in &places {
                let place = known.remove(&(common.interface.as_str(), common.map.as_str()));
                if place.is_none_or(|place| place.common != *common) {
                    let numbers = source.sequences(common).into_iter();
                    cost += numbers
                        .map(|number| size(&common.map, number))
                        .sum::<usize>();
                }
            }
            cost += known.values().map(|gone| gone.units.len()).sum::<usize>();
            let known = self.places().map(|place| key_of(place).0);
            if !known.eq(places
                .iter()
                .map(|one| (one.interface.as_str(), one.map.as_str())))
            {
                // Other units stand behind those that exempt something.
                cost = cost.saturating_add(self.exempting.len() * self.behind());
                cost = cost.saturating_add(self.noted_lines(0..self.groups.len()));
            }
        }
        let units = self.dirty_units(dirty);
        for (group, place, sequence) in &units {
            let common = &self.groups[*group].places[*place].common;
            cost = cost.saturating_add(size(&common.map, *sequence));
        }
        let groups: BTreeSet<usize> = units.iter().map(|(group, ..)| *group).collect();
        cost = cost.saturating_add(self.noted_lines(groups));
        if cost <= FEW * FEW && !self.exempting.is_empty() {
            cost += self.exemptions_met(source, &units) * self.behind();
        }
        cost
    }

    /// What the list of a unit that exempts something costs: it is made from all units behind it.
    fn behind(&self) -> usize {
        self.connections.len() / 200 + 1
    }

    /// The lines of those of the groups of which it is told which lines never match: they are all compared again.
    fn noted_lines(&self, groups: impl IntoIterator<Item = usize>) -> usize {
        let groups = groups.into_iter().map(|group| &self.groups[group]);
        let noted = groups.filter(|group| !group.notes.is_empty());
        let units = noted.flat_map(|group| &group.places);
        let units = units.flat_map(|place| place.units.values());
        units.map(|unit| unit.lines().count()).sum()
    }

    /// How many units exempt something that these units select, or did.
    fn exemptions_met(&self, source: &impl Source, units: &BTreeSet<Position>) -> usize {
        let mut moved: Vec<Selector> = Vec::new();
        for (group, place, sequence) in units {
            let place = &self.groups[*group].places[*place];
            let entries = source.entries(&place.common, *sequence).entries;
            let rules = entries.iter().flat_map(|entry| &entry.rules);
            let meanings = rules.flat_map(|rule| &rule.meanings);
            moved.extend(meanings.flat_map(|meaning| &meaning.selectors));
            let old = place.units.get(sequence).into_iter().flat_map(Unit::lines);
            moved.extend(old.flat_map(Line::selectors));
        }
        let exempting = self.exempting.iter();
        let exempting = exempting.filter_map(|unit| self.unit(*unit));
        exempting.filter(|unit| unit.exempts_of(&moved)).count()
    }

    /// Plans anew what is to be, and tells what has changed.
    pub fn update(&mut self, source: &impl Source, dirty: &Dirty) -> Delta {
        let mut changes = Changes::default();
        let mut units = BTreeSet::new();
        if dirty.places || dirty.everything {
            self.arrange(source, dirty.everything, &mut units, &mut changes);
        }
        units.extend(self.dirty_units(dirty));
        for at in units {
            self.make(source, at, &mut changes);
        }
        self.find_exemptions(&mut changes);
        self.make_lists(&mut changes);
        self.make_notes(source, &changes);
        let mut delta = changes.delta;
        for (selector, mut keys) in changes.touched {
            keys.extend(self.claims.keys(&selector));
            keys.sort_unstable();
            keys.dedup();
            delta.keys.extend(keys);
        }
        delta
    }

    /// Where the units are that must be made anew, there or not.
    fn dirty_units(&self, dirty: &Dirty) -> BTreeSet<Position> {
        let mut units = BTreeSet::new();
        for (group, one) in self.groups.iter().enumerate() {
            for (place, one) in one.places.iter().enumerate() {
                let range = (one.common.map.clone(), 0)..=(one.common.map.clone(), u16::MAX);
                if dirty.maps.contains(&one.common.map) {
                    let known = one.units.keys();
                    units.extend(known.map(|sequence| (group, place, *sequence)));
                }
                let entries = dirty.entries.range(range);
                units.extend(entries.map(|(_, sequence)| (group, place, *sequence)));
            }
        }
        let users = dirty.names.iter().filter_map(|name| self.users.get(name));
        let users = users.flatten();
        units.extend(users.filter_map(|unit| self.position(*unit)));
        units
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        self.groups.iter().flat_map(|group| &group.places)
    }

    fn place(&self, id: u32) -> Option<&Place> {
        self.places().find(|place| place.id == id)
    }

    fn unit(&self, (place, sequence): UnitRef) -> Option<&Unit> {
        self.place(place)?.units.get(&sequence)
    }

    fn at(&self, (group, place, sequence): Position) -> Option<&Unit> {
        self.groups[group].places[place].units.get(&sequence)
    }

    fn at_mut(&mut self, (group, place, sequence): Position) -> Option<&mut Unit> {
        self.groups[group].places[place].units.get_mut(&sequence)
    }

    fn position(&self, (id, sequence): UnitRef) -> Option<Position> {
        let groups = self.groups.iter().enumerate();
        let mut places = groups.flat_map(|(group, one)| {
            let places = one.places.iter().enumerate();
            places.map(move |(at, place)| (group, at, place))
        });
        let found = places.find(|(_, _, place)| place.id == id);
        found.map(|(group, place, _)| (group, place, sequence))
    }

    /// Every unit in its order.
    fn units(&self) -> impl DoubleEndedIterator<Item = (Position, &Unit)> {
        let groups = self.groups.iter().enumerate();
        let places = groups.flat_map(|(group, one)| {
            let places = one.places.iter().enumerate();
            places.map(move |(at, place)| (group, at, place))
        });
        places.flat_map(|(group, at, place)| {
            let units = place.units.iter();
            units.map(move |(sequence, unit)| ((group, at, *sequence), unit))
        })
    }
}

fn key_of(place: &Place) -> ((&str, &str), &Place) {
    ((&place.common.interface, &place.common.map), place)
}

impl Changes {
    /// The policies of what this selects may be others.
    fn touch(&mut self, claims: &Claims, selector: &Selector) {
        let keys = || claims.keys(selector).collect();
        self.touched.entry(*selector).or_insert_with(keys);
    }
}

impl Unit {
    /// It exempts packets that one of these selects.
    fn exempts_of(&self, selectors: &[Selector]) -> bool {
        let exempt = self.lines().filter(|line| matches!(line, Line::Deny(_)));
        let mut exempt = exempt.flat_map(Line::selectors);
        exempt.any(|one| {
            let mut selectors = selectors.iter();
            selectors.any(|other| order::intersection(one, other).is_some())
        })
    }

    /// One of these selects all that a line of the unit does, and more.
    fn could_be_taken(&self, by: &[Selector]) -> bool {
        let items = self.list.iter().filter(|item| item.fate.is_some());
        let mut selectors = items.map(|item| &item.selector);
        selectors.any(|own| {
            let mut by = by.iter();
            by.any(|one| one != own && shadow::covers(one, own))
        })
    }

    fn lines(&self) -> impl Iterator<Item = &Line<Fate>> {
        self.entries.iter().flat_map(|entry| entry.lines.iter())
    }

    /// A list of this unit, with the ranks of the lines that it has already.
    fn hinted(&self, list: impl Iterator<Item = (Selector, Option<Fate>)>) -> Vec<Item> {
        let mut known: HashMap<(Selector, Option<Fate>), Vec<u32>> = HashMap::new();
        for item in self.list.iter().rev() {
            let ranks = known.entry((item.selector, item.fate)).or_default();
            ranks.push(item.rank);
        }
        let mut rank = |line| known.get_mut(&line).and_then(Vec::pop);
        list.map(|(selector, fate)| Item {
            selector,
            fate,
            rank: rank((selector, fate)).unwrap_or(ranks::NONE),
        })
        .collect()
    }
}

impl Item {
    fn claim(&self, interface: u32) -> Claim {
        Claim {
            rank: self.rank,
            interface,
            fate: self.fate,
        }
    }
}
