//! Lines that never match, as the operator is told of them. Called by [`Plan::update`].

use super::*;

impl Plan {
    /// Finds the lines that never match, where they may be others now.
    pub(super) fn make_notes(&mut self, source: &impl Source, changes: &Changes) {
        for group in changes.groups.iter().copied() {
            let known = !self.groups[group].notes.is_empty();
            if known || changes.noted || self.could_take(group, changes) {
                self.groups[group].notes = self.notes(group, source);
            }
        }
    }

    /// Whether one of the lines that have changed could take the traffic of another one in this group, or the other way round.
    pub(super) fn could_take(&self, group: usize, changes: &Changes) -> bool {
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

    pub(super) fn notes(&self, group: usize, source: &impl Source) -> Vec<String> {
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
        // A long list is looked up once.
        let mut looked_up: HashMap<(u32, u16), Vec<Entry>> = HashMap::new();
        let mut entry = |at: usize| {
            let (place, sequence, number, _) = entries.get(at)?;
            let found = looked_up.entry((place.id, *sequence));
            let found = found.or_insert_with(|| source.entries(&place.common, *sequence).entries);
            found.get(*number).cloned()
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
            let (line, taker) = (own.rules.get(rule)?, other.rules.get(by.1)?);
            Some(never_matches(&own, line, (&other, taker), so))
        });
        texts.collect()
    }
}

/// Says that a line is legal and does nothing.
fn never_matches(
    entry: &Entry,
    line: &selector::Line,
    (by, taker): (&Entry, &selector::Line),
    so: &str,
) -> String {
    let whose = match by.sequence == entry.sequence {
        true => String::new(),
        false => format!(" of {}", by.name()),
    };
    let problem = format!(
        "\"{}\"{whose} before it takes all of its traffic",
        taker.shown()
    );
    flows::refused(entry, line, &problem, so)
}
