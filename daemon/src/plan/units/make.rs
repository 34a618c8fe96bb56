//! Units that are new, changed or gone: what an entry asks for is made, taken over and indexed. Called by [`Plan::update`].

use super::*;

impl Plan {
    /// Puts the places as the source has them; `units` gets those that must be made anew.
    pub(super) fn arrange(
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
    pub(super) fn make(&mut self, source: &impl Source, at: Position, changes: &mut Changes) {
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
    pub(super) fn take_over(
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
                    release(&mut self.by_reqid, known, name);
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
    pub(super) fn index(&mut self, name: UnitRef, unit: &Unit, old: Option<&Unit>) {
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

    pub(super) fn forget_user(&mut self, used: NameHash, name: UnitRef) {
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
    pub(super) fn forget(&mut self, name: UnitRef, unit: Unit, changes: &mut Changes) {
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

    pub(super) fn forget_flow(&mut self, name: FlowName, changes: &mut Changes) {
        if let Some(flow) = self.flows.remove(&name) {
            release(&mut self.by_reqid, &flow, name);
            for selector in &flow.places {
                changes.touch(&self.claims, selector);
            }
            changes.delta.flows.push(name);
        }
    }
}

/// Acquires of a flow's reqid on its interface mean it no more; they may mean another by now.
fn release(by_reqid: &mut HashMap<(Reqid, u32), FlowName>, flow: &FlowPlan, name: FlowName) {
    let key = (flow.reqid, flow.interface);
    if by_reqid.get(&key) == Some(&name) {
        by_reqid.remove(&key);
    }
}
