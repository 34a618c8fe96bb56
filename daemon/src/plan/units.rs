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
        }
        let units = self.dirty_units(dirty);
        for (group, place, sequence) in &units {
            let common = &self.groups[*group].places[*place].common;
            cost = cost.saturating_add(size(&common.map, *sequence));
        }
        if cost <= FEW * FEW && !self.exempting.is_empty() {
            // The list of each of these is made from all units behind it.
            let behind = self.connections.len() / 200 + 1;
            cost += self.exemptions_met(source, &units) * behind;
        }
        cost
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

    /// Puts the places as the source has them; `units` gets those that must be made anew.
    fn arrange(
        &mut self,
        source: &impl Source,
        everything: bool,
        units: &mut BTreeSet<Position>,
        changes: &mut Changes,
    ) {
        let found = source.places();
        self.problems = found.problems;
        let order: Vec<u32> = self.places().map(|place| place.id).collect();
        let mut old: HashMap<(String, String), Vec<(u32, Place)>> = HashMap::new();
        for group in std::mem::take(&mut self.groups) {
            changes.noted |= !group.notes.is_empty();
            for place in group.places {
                let key = (place.common.interface.clone(), place.common.map.clone());
                old.entry(key).or_default().push((group.index, place));
            }
        }
        let mut last = None;
        for common in found.places {
            let index = match common.gone {
                None => common.index,
                Some(_) => ANY_INTERFACE,
            };
            if last != Some(index) {
                self.groups.push(Group {
                    index,
                    ..Group::default()
                });
                last = Some(index);
            }
            let key = (common.interface.clone(), common.map.clone());
            let known = old.get_mut(&key).filter(|known| !known.is_empty());
            let (mut place, moves) = match known.map(|known| known.remove(0)) {
                Some((before, place)) => (place, before != index),
                None => {
                    self.next_place += 1;
                    let (id, common) = (self.next_place, common.clone());
                    let units = BTreeMap::new();
                    (Place { id, common, units }, false)
                }
            };
            let same = place.common == common && !place.units.is_empty() && !everything;
            if moves {
                let lines = place.units.values().flat_map(Unit::lines);
                changes.moved.extend(lines.flat_map(Line::selectors));
            }
            let at = self.groups.len() - 1;
            if !same {
                let known = place.units.keys().copied();
                let sequences = source.sequences(&common);
                let place = self.groups[at].places.len();
                units.extend(known.chain(sequences).map(|number| (at, place, number)));
            }
            place.common = common;
            self.groups[at].places.push(place);
        }
        if last != Some(ANY_INTERFACE) {
            self.groups.push(Group::default());
        }
        let gone: Vec<Place> = old
            .into_values()
            .flatten()
            .map(|(_, place)| place)
            .collect();
        for place in gone {
            for (sequence, unit) in place.units {
                self.forget((place.id, sequence), unit, changes);
            }
        }
        let now: Vec<u32> = self.places().map(|place| place.id).collect();
        changes.arranged = now != order;
        changes.groups.extend(0..self.groups.len());
        if changes.arranged {
            let exempting = self.exempting.iter();
            let exempting = exempting.filter_map(|unit| self.position(*unit));
            changes.lists.extend(exempting.collect::<Vec<_>>());
        }
    }

    /// Makes a unit anew.
    fn make(&mut self, source: &impl Source, at: Position, changes: &mut Changes) {
        let (group, place, sequence) = at;
        let index = self.groups[group].index;
        let place = &mut self.groups[group].places[place];
        let name = (place.id, sequence);
        let Gathered {
            entries,
            problems,
            used,
        } = source.entries(&place.common, sequence);
        let old = place.units.remove(&sequence);
        if old.is_some() || !entries.is_empty() {
            changes.groups.insert(group);
        }
        if entries.is_empty() && problems.is_empty() {
            if let Some(old) = old {
                self.forget(name, old, changes);
            }
            return;
        }
        let id = old.as_ref().map_or_else(
            || {
                self.next_connection += 1;
                ConnectionId(self.next_connection)
            },
            |old| old.id,
        );
        let map = place.common.map.clone();
        let mut unit = Unit {
            id,
            connection: None,
            entries: Box::default(),
            list: Box::default(),
            claimed_on: index,
            used: used.into_iter().collect(),
            problems: Box::default(),
        };
        let (mut problems, mut lines, mut planned) = (problems, Vec::new(), None);
        let mut numbers = HashMap::new();
        let before = old.as_ref().and_then(|old| old.connection.as_deref());
        let before = before.into_iter().flat_map(|before| before.flows.iter());
        let before: HashMap<_, FlowId> = before
            .map(|flow| ((flow.local, flow.remote), flow.id))
            .collect();
        for entry in &entries {
            let one = flows::plan(entry, id, |local, remote| {
                *numbers.entry((*local, *remote)).or_insert_with(|| {
                    match before.get(&(*local, *remote)) {
                        Some(number) => self.numbers.share(*number),
                        None => self.numbers.take((&map, sequence), local, remote),
                    }
                })
            });
            lines.push(one.lines);
            problems.extend(one.problems);
            planned = planned.or(one.connection);
        }
        unit.entries = lines.into();
        unit.problems = problems.into();
        self.take_over(&mut unit, old.as_ref(), planned, changes);
        self.index(name, &unit, old.as_ref());
        let same = old.as_ref().is_some_and(|old| old.entries == unit.entries);
        if let Some(old) = old {
            if !same {
                changes.moved.extend(old.lines().flat_map(Line::selectors));
            }
            (unit.list, unit.claimed_on) = (old.list, old.claimed_on);
        }
        if !same {
            changes.moved.extend(unit.lines().flat_map(Line::selectors));
        }
        if !same || unit.claimed_on != index {
            changes.lists.insert(at);
        }
        self.groups[group].places[at.1].units.insert(sequence, unit);
    }

    /// Has the flows of a unit and its connection in the place of those that it had.
    fn take_over(
        &mut self,
        unit: &mut Unit,
        old: Option<&Unit>,
        planned: Option<(Connection, Vec<FlowPlan>)>,
        changes: &mut Changes,
    ) {
        let id = unit.id;
        let before = old.and_then(|old| old.connection.as_ref());
        let (connection, plans) = planned.unzip();
        let flows = connection.as_ref().map_or(&[][..], |one| &one.flows);
        let now: HashSet<FlowId> = flows.iter().map(|flow| flow.id).collect();
        for flow in before.iter().flat_map(|before| before.flows.iter()) {
            self.numbers.give_back(flow.id);
            if !now.contains(&flow.id) {
                self.forget_flow((id, flow.id), changes);
            }
        }
        for (flow, mut plan) in flows.iter().zip(plans.unwrap_or_default()) {
            let name = (id, flow.id);
            if let Some(known) = self.flows.get_mut(&name) {
                plan.places = std::mem::take(&mut known.places);
                if !known.is_like(&plan) {
                    self.by_reqid.remove(&(known.reqid, known.interface));
                    for selector in &plan.places {
                        changes.touch(&self.claims, selector);
                    }
                }
                if known.shape != plan.shape {
                    changes.delta.flows.push(name);
                }
            }
            self.by_reqid.insert((plan.reqid, plan.interface), name);
            self.flows.insert(name, plan);
        }
        unit.connection = match (connection, before) {
            (Some(new), Some(old)) if **old == new => Some(Arc::clone(old)),
            (Some(new), _) => {
                let new = Arc::new(new);
                let change = (id, Some(Arc::clone(&new)));
                changes.delta.connections.push(change);
                Some(new)
            }
            (None, before) => {
                let gone = before.map(|_| (id, None));
                changes.delta.connections.extend(gone);
                None
            }
        };
    }

    /// Keeps what leads to a unit in step with it.
    fn index(&mut self, name: UnitRef, unit: &Unit, old: Option<&Unit>) {
        let no_names = &[][..];
        let before = old.map_or(no_names, |old| &old.used);
        for gone in before.iter().filter(|one| !unit.used.contains(one)) {
            self.forget_user(*gone, name);
        }
        for new in unit.used.iter().filter(|one| !before.contains(one)) {
            self.users.entry(*new).or_default().push(name);
        }
        let set = |set: &mut BTreeSet<UnitRef>, there| match there {
            true => set.insert(name),
            false => set.remove(&name),
        };
        let exempts = unit.lines().any(|line| matches!(line, Line::Deny(_)));
        set(&mut self.exempting, exempts);
        set(&mut self.troubled, !unit.problems.is_empty());
        self.connections.insert(unit.id, name);
    }

    fn forget_user(&mut self, used: NameHash, name: UnitRef) {
        if let Some(users) = self.users.get_mut(&used) {
            if let Some(at) = users.iter().position(|user| *user == name) {
                users.swap_remove(at);
            }
            if users.is_empty() {
                self.users.remove(&used);
            }
        }
    }

    /// Takes all traces of a unit away that is no more.
    fn forget(&mut self, name: UnitRef, unit: Unit, changes: &mut Changes) {
        for item in &unit.list {
            changes.touch(&self.claims, &item.selector);
            self.unclaim(item, unit.claimed_on);
        }
        if let Some(connection) = &unit.connection {
            for flow in connection.flows.iter() {
                self.numbers.give_back(flow.id);
                self.forget_flow((unit.id, flow.id), changes);
            }
            changes.delta.connections.push((unit.id, None));
        }
        for used in &unit.used {
            self.forget_user(*used, name);
        }
        self.exempting.remove(&name);
        self.troubled.remove(&name);
        self.connections.remove(&unit.id);
        changes.moved.extend(unit.lines().flat_map(Line::selectors));
    }

    fn forget_flow(&mut self, name: FlowName, changes: &mut Changes) {
        if let Some(flow) = self.flows.remove(&name) {
            self.by_reqid.remove(&(flow.reqid, flow.interface));
            for selector in &flow.places {
                changes.touch(&self.claims, selector);
            }
            changes.delta.flows.push(name);
        }
    }

    /// Finds the units whose exemptions are about what has changed: what stands before an exemption follows from the units
    /// behind it.
    fn find_exemptions(&self, changes: &mut Changes) {
        let exempting = self.exempting.iter();
        for at in exempting.filter_map(|unit| self.position(*unit)) {
            let unit = self.at(at);
            if unit.is_some_and(|unit| unit.exempts_of(&changes.moved)) {
                changes.lists.insert(at);
            }
        }
    }

    /// Makes the lists anew that must be, and claims their policies.
    fn make_lists(&mut self, changes: &mut Changes) {
        let mut lists: Vec<(Position, Vec<Item>)> = Vec::new();
        let mut exempting = Vec::new();
        for at in std::mem::take(&mut changes.lists) {
            let Some(unit) = self.at(at) else { continue };
            if unit.lines().any(|line| matches!(line, Line::Deny(_))) {
                exempting.push(at);
                continue;
            }
            let lines = unit.entries.iter();
            let list = lines.flat_map(|entry| order::flatten(&entry.lines, &[]));
            lists.push((at, unit.hinted(list)));
        }
        for group in exempting.chunk_by(|a, b| a.0 == b.0) {
            self.make_exempting(group, &mut lists);
        }
        lists.sort_unstable_by_key(|(at, _)| *at);
        lists.retain(|(at, list)| {
            let index = self.groups[at.0].index;
            self.at(*at)
                .is_some_and(|unit| *unit.list != **list || unit.claimed_on != index)
        });
        if changes.arranged || lists.len() > FEW || !self.rank_few(&lists, changes) {
            self.rank_all(lists, changes);
        }
    }

    /// The lists of units of one group that exempt something.
    fn make_exempting(&self, units: &[Position], lists: &mut Vec<(Position, Vec<Item>)>) {
        let Some(group) = units.first().map(|at| at.0) else {
            return;
        };
        let gone = self.groups.len() - 1;
        let mut behind: Vec<&[Line<Fate>]> = Vec::new();
        let mut starts = HashMap::new();
        let own = &self.groups[group].places;
        for (place, one) in own.iter().enumerate() {
            for (sequence, unit) in &one.units {
                starts.insert((group, place, *sequence), behind.len());
                behind.extend(unit.entries.iter().map(|entry| &entry.lines[..]));
            }
        }
        if group != gone {
            let units = self.groups[gone].places.iter();
            let units = units.flat_map(|place| place.units.values());
            let entries = units.flat_map(|unit| unit.entries.iter());
            behind.extend(entries.map(|entry| &entry.lines[..]));
        }
        for at in units {
            let (Some(unit), Some(start)) = (self.at(*at), starts.get(at)) else {
                continue;
            };
            let entries = unit.entries.iter().enumerate();
            let list = entries.flat_map(|(number, entry)| {
                order::flatten(&entry.lines, &behind[start + number + 1..])
            });
            lists.push((*at, unit.hinted(list)));
        }
    }

    /// Ranks a few lists among those around them. False where there is no room; what was done is in order.
    fn rank_few(&mut self, lists: &[(Position, Vec<Item>)], changes: &mut Changes) -> bool {
        for (at, list) in lists {
            let before = self.around(*at, false);
            let behind = self.around(*at, true);
            let hint = |at: &(Position, usize)| self.item(*at).map_or(ranks::NONE, |one| one.rank);
            let near = before.iter().take(NEAR).rev();
            let mut hints: Vec<u32> = near.map(hint).collect();
            let first = hints.len();
            hints.extend(list.iter().map(|item| item.rank));
            hints.extend(behind.iter().take(NEAR).map(hint));
            let (low, high) = (before.get(NEAR).map(hint), behind.get(NEAR).map(hint));
            let Some(ranks) = ranks::assign(&hints, low, high) else {
                return false;
            };
            let mut own = list.clone();
            for (item, rank) in own.iter_mut().zip(&ranks[first..]) {
                item.rank = *rank;
            }
            self.claim(*at, own, changes);
            let near = before.iter().take(NEAR).rev().zip(&ranks);
            let far = behind.iter().zip(&ranks[first + list.len()..]);
            for (place, rank) in near.chain(far) {
                self.move_item(*place, *rank, changes);
            }
        }
        true
    }

    /// Up to [`NEAR`] lines and one more before or behind a unit, the nearest first.
    fn around(&self, (group, place, sequence): Position, behind: bool) -> Vec<(Position, usize)> {
        let mut found = Vec::new();
        let (mut group, mut place) = (group, place);
        let mut range = match behind {
            true => (Bound::Excluded(sequence), Bound::Unbounded),
            false => (Bound::Unbounded, Bound::Excluded(sequence)),
        };
        loop {
            let units = self.groups[group].places.get(place);
            let mut units = units
                .map(|place| place.units.range(range))
                .into_iter()
                .flatten();
            while let Some((sequence, unit)) = if behind {
                units.next()
            } else {
                units.next_back()
            } {
                let at = (group, place, *sequence);
                let mut items = 0..unit.list.len();
                while let Some(item) = if behind {
                    items.next()
                } else {
                    items.next_back()
                } {
                    found.push((at, item));
                    if found.len() > NEAR {
                        return found;
                    }
                }
            }
            range = (Bound::Unbounded, Bound::Unbounded);
            let next = match behind {
                true => (place + 1 < self.groups[group].places.len()).then_some((group, place + 1)),
                false => place.checked_sub(1).map(|place| (group, place)),
            };
            let across = || match behind {
                true => (group + 1 < self.groups.len()).then_some((group + 1, 0)),
                false => {
                    let group = group.checked_sub(1)?;
                    Some((group, self.groups[group].places.len().saturating_sub(1)))
                }
            };
            match next.or_else(across) {
                Some(next) => (group, place) = next,
                None => return found,
            }
        }
    }

    fn item(&self, (at, item): (Position, usize)) -> Option<Item> {
        self.at(at)?.list.get(item).copied()
    }

    /// Gives a line that stays where it is another rank.
    fn move_item(&mut self, (at, item): (Position, usize), rank: u32, changes: &mut Changes) {
        let Some(old) = self.item((at, item)).filter(|old| old.rank != rank) else {
            return;
        };
        let Some(unit) = self.at_mut(at) else { return };
        let (new, index) = (Item { rank, ..old }, unit.claimed_on);
        unit.list[item] = new;
        changes.touch(&self.claims, &old.selector);
        self.claims.remove(&old.selector, &old.claim(index));
        self.claims.add(new.selector, new.claim(index));
    }

    /// Ranks everything, with these lists in the place of those that there are; what can keeps its rank.
    fn rank_all(&mut self, lists: Vec<(Position, Vec<Item>)>, changes: &mut Changes) {
        let mut lists: HashMap<Position, Vec<Item>> = lists.into_iter().collect();
        let mut hints = Vec::new();
        for (at, unit) in self.units() {
            let list = lists.get(&at).map_or(&unit.list[..], Vec::as_slice);
            hints.extend(list.iter().map(|item| item.rank));
        }
        let ranks = ranks::assign(&hints, None, None).unwrap_or_else(|| {
            let all = 0..hints.len();
            // More lines than there are ranks: the last ones share one.
            let rank = |at| u32::try_from(at).unwrap_or(ranks::END).min(ranks::END);
            all.map(rank).collect()
        });
        let mut ranks = ranks.into_iter();
        let all: Vec<Position> = self.units().map(|(at, _)| at).collect();
        for at in all {
            let own = self.at(at).map_or(&[][..], |unit| &unit.list);
            let mut list = lists.remove(&at).unwrap_or_else(|| own.to_vec());
            for (item, rank) in list.iter_mut().zip(&mut ranks) {
                item.rank = rank;
            }
            self.claim(at, list, changes);
        }
    }

    /// Has this list in the place of the unit's own.
    fn claim(&mut self, at: Position, list: Vec<Item>, changes: &mut Changes) {
        let index = self.groups[at.0].index;
        let Some(unit) = self.at_mut(at) else { return };
        if *unit.list == *list && unit.claimed_on == index {
            return;
        }
        let old = std::mem::replace(&mut unit.list, list.clone().into());
        let before = std::mem::replace(&mut unit.claimed_on, index);
        let key = |item: &Item| (item.selector, item.fate, item.rank);
        let kept: HashSet<_> = match before == index {
            true => old.iter().map(key).collect(),
            false => HashSet::new(),
        };
        let new: HashSet<_> = list.iter().map(key).collect();
        for item in old.iter() {
            if !kept.contains(&key(item)) || !new.contains(&key(item)) {
                changes.touch(&self.claims, &item.selector);
                self.unclaim(item, before);
            }
        }
        for item in list.iter().filter(|item| !kept.contains(&key(item))) {
            changes.touch(&self.claims, &item.selector);
            self.claims.add(item.selector, item.claim(index));
            if let Some(Fate::Protect(name)) = item.fate
                && let Some(flow) = self.flows.get_mut(&name)
            {
                flow.places.push(item.selector);
            }
        }
    }

    fn unclaim(&mut self, item: &Item, index: u32) {
        self.claims.remove(&item.selector, &item.claim(index));
        if let Some(Fate::Protect(name)) = item.fate
            && let Some(flow) = self.flows.get_mut(&name)
            && let Some(at) = flow.places.iter().position(|one| *one == item.selector)
        {
            flow.places.swap_remove(at);
        }
    }

    /// Finds the lines that never match, where they may be others now.
    fn make_notes(&mut self, source: &impl Source, changes: &Changes) {
        for group in changes.groups.iter().copied() {
            let known = !self.groups[group].notes.is_empty();
            if known || changes.noted || self.could_take(group, changes) {
                self.groups[group].notes = self.notes(group, source);
            }
        }
    }

    /// Whether one of the lines that have changed could take the traffic of another one in this group, or the other way round.
    fn could_take(&self, group: usize, changes: &Changes) -> bool {
        let units = self.groups[group].places.iter();
        let mut units = units.flat_map(|place| place.units.values());
        let lines = changes.moved.len();
        if lines == 0 {
            return false;
        }
        lines > FEW
            || changes.moved.iter().any(|one| self.claims.is_covered(one))
            || (changes.moved.iter().any(|one| self.claims.may_cover(one))
                && units.any(|unit| unit.could_be_taken(&changes.moved)))
    }

    fn notes(&self, group: usize, source: &impl Source) -> Vec<String> {
        let places = &self.groups[group].places;
        let units = places.iter().flat_map(|place| {
            let units = place.units.iter();
            units.map(move |(sequence, unit)| (place, *sequence, unit))
        });
        let entries: Vec<_> = units
            .flat_map(|(place, sequence, unit)| {
                let entries = unit.entries.iter().enumerate();
                entries.map(move |(number, lines)| (place, sequence, number, lines))
            })
            .collect();
        let notes = shadow::notes(entries.iter().map(|(.., lines)| *lines));
        let entry = |at: usize| {
            let (place, sequence, number, _) = entries.get(at)?;
            let mut found = source.entries(&place.common, *sequence).entries;
            (*number < found.len()).then(|| found.swap_remove(*number))
        };
        let notes = notes.into_iter().take(shadow::MOST);
        let texts = notes.filter_map(|((at, rule), by)| {
            let (by, so) = match by {
                Taken::Denied(by) => (
                    by,
                    "it never matches, and its traffic is not protected by this entry",
                ),
                Taken::Earlier(by) => (by, "it never matches"),
            };
            let (own, other) = (entry(at)?, entry(by.0)?);
            never_matches(
                &own,
                own.rules.get(rule)?,
                (&other, other.rules.get(by.1)?),
                so,
            )
        });
        texts.collect()
    }
}

/// So many lists are ranked one by one, and so many lines compared with all others.
const FEW: usize = 64;

/// So many lines before and behind a new one may move to make room for it.
const NEAR: usize = 64;

/// Says that a line is legal and does nothing.
fn never_matches(
    entry: &Entry,
    line: &selector::Line,
    (by, taker): (&Entry, &selector::Line),
    so: &str,
) -> Option<String> {
    let whose = match by.sequence == entry.sequence {
        true => String::new(),
        false => format!(" of {}", by.name()),
    };
    let problem = format!(
        "\"{}\"{whose} before it takes all of its traffic",
        taker.shown()
    );
    Some(flows::refused(entry, line, &problem, so))
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
