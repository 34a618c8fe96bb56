//! The order in which the kernel asks the lines of an interface, as ranks, and the claims on policies that follow. Called by
//! [`Plan::update`].

use super::*;

impl Plan {
    /// Finds the units whose exemptions are about what has changed: what stands before an exemption follows from the units
    /// behind it.
    pub(super) fn find_exemptions(&self, changes: &mut Changes) {
        let exempting = self.exempting.iter();
        for at in exempting.filter_map(|unit| self.position(*unit)) {
            let unit = self.at(at);
            if unit.is_some_and(|unit| unit.exempts_of(&changes.moved)) {
                changes.lists.insert(at);
            }
        }
    }

    /// Makes the lists anew that must be, and claims their policies.
    pub(super) fn make_lists(&mut self, changes: &mut Changes) {
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
    pub(super) fn make_exempting(
        &self,
        units: &[Position],
        lists: &mut Vec<(Position, Vec<Item>)>,
    ) {
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
    pub(super) fn rank_few(
        &mut self,
        lists: &[(Position, Vec<Item>)],
        changes: &mut Changes,
    ) -> bool {
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
    pub(super) fn around(
        &self,
        (group, place, sequence): Position,
        behind: bool,
    ) -> Vec<(Position, usize)> {
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

    pub(super) fn item(&self, (at, item): (Position, usize)) -> Option<Item> {
        self.at(at)?.list.get(item).copied()
    }

    /// Gives a line that stays where it is another rank.
    pub(super) fn move_item(
        &mut self,
        (at, item): (Position, usize),
        rank: u32,
        changes: &mut Changes,
    ) {
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
    pub(super) fn rank_all(&mut self, lists: Vec<(Position, Vec<Item>)>, changes: &mut Changes) {
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
    pub(super) fn claim(&mut self, at: Position, list: Vec<Item>, changes: &mut Changes) {
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

    pub(super) fn unclaim(&mut self, item: &Item, index: u32) {
        self.claims.remove(&item.selector, &item.claim(index));
        if let Some(Fate::Protect(name)) = item.fate
            && let Some(flow) = self.flows.get_mut(&name)
            && let Some(at) = flow.places.iter().position(|one| *one == item.selector)
        {
            flow.places.swap_remove(at);
        }
    }
}
