//! Places in the order of the kernel's policies, kept while the order holds. Called by [`super::units`].
//!
//! What stands between two others gets a rank between theirs. Where there is no rank left, those around it move, as few as
//! make room.

use isthmus_kernel::Priority;

/// No rank yet.
pub const NONE: u32 = u32::MAX;

/// The ranks that lines of crypto maps have, from the first up to this one; behind them is what an earlier run protected.
pub const END: u32 = Priority::MAX_RANK / 4 * 3;

/// How far apart lines stand that come together: so many can come between two of them, one after the other at one end.
const STRIDE: u32 = 128;

/// Gives every line of a list a rank between `after` and `before` (`None`: nothing stands there), in rising order. `hints`
/// has the ranks that the lines had ([`NONE`]: it is new); as many as possible are kept. `None` where there are too few ranks.
#[must_use]
pub fn assign(hints: &[u32], after: Option<u32>, before: Option<u32>) -> Option<Vec<u32>> {
    let mut ranks = kept(hints, after, before);
    let mut at = 0;
    while at < ranks.len() {
        if ranks[at] != NONE {
            at += 1;
            continue;
        }
        let fresh = ranks[at..].iter().take_while(|rank| **rank == NONE).count();
        let (mut from, mut to) = (at, at + fresh);
        let mut reach = 1;
        loop {
            let low = from.checked_sub(1).map_or(after, |at| Some(ranks[at]));
            let high = ranks.get(to).copied().filter(|rank| *rank != NONE);
            let high = if to < ranks.len() { high } else { before };
            let whole = from == 0 && to == ranks.len();
            // Where others move, room is made for more.
            let spare = if reach == 1 || whole { 1 } else { 4 };
            if (high.is_some() || to == ranks.len())
                && let Some(found) = spread(to - from, low, high, spare)
            {
                ranks[from..to].copy_from_slice(&found);
                break;
            }
            if whole {
                return None;
            }
            from = from.saturating_sub(reach);
            to = (to + reach).min(ranks.len());
            // A run of new lines is moved as one.
            to += ranks[to..].iter().take_while(|rank| **rank == NONE).count();
            reach *= 4;
        }
        at = to;
    }
    Some(ranks)
}

/// `count` ranks between two, as far apart as is useful; at least `spare` for each.
fn spread(count: usize, low: Option<u32>, high: Option<u32>, spare: u64) -> Option<Vec<u32>> {
    let (first, end) = (low.map_or(0, |low| u64::from(low) + 1), high.unwrap_or(END));
    let (count, end) = (count as u64, u64::from(end));
    let room = end.checked_sub(first)?;
    if room < count.saturating_mul(spare) {
        return None;
    }
    let step = (room / (count + 1)).clamp(1, u64::from(STRIDE));
    let used = step * count;
    let span = used.saturating_sub(step) + 1;
    let start = match (low, high) {
        // In the middle, with room before and behind.
        (None, None) => first + (room - span) / 2,
        (None, Some(_)) => end - used,
        (Some(_), None) => first + step.min(room - used),
        (Some(_), Some(_)) => first + (room - span) / 2,
    };
    let ranks = (0..count).map(|at| u32::try_from(start + at * step).ok());
    ranks.collect()
}

/// The longest rising part of the hints that lies between the bounds; [`NONE`] for the others.
fn kept(hints: &[u32], after: Option<u32>, before: Option<u32>) -> Vec<u32> {
    let within = |rank: u32| {
        rank < END
            && after.is_none_or(|after| rank > after)
            && before.is_none_or(|before| rank < before)
    };
    // The last line of the best part of each length, and what stands before each line.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous = vec![usize::MAX; hints.len()];
    for (at, rank) in hints.iter().enumerate().filter(|(_, rank)| within(**rank)) {
        let length = ends.partition_point(|end| hints[*end] < *rank);
        if let Some(last) = length.checked_sub(1) {
            previous[at] = ends[last];
        }
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut kept = vec![NONE; hints.len()];
    let mut at = ends.last().copied().unwrap_or(usize::MAX);
    while at != usize::MAX {
        kept[at] = hints[at];
        at = previous[at];
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rising(ranks: &[u32]) -> bool {
        ranks.windows(2).all(|pair| pair[0] < pair[1])
    }

    #[test]
    fn lines_that_come_between_two_others_move_none_of_them() {
        let mut ranks = assign(&[NONE; 3], None, None).unwrap();
        for _ in 0..6 {
            let mut hints = ranks.clone();
            hints.insert(1, NONE);
            let next = assign(&hints, None, None).unwrap();
            assert!(rising(&next));
            let moved = hints.iter().zip(&next).filter(|(old, new)| old != new);
            assert_eq!(moved.count(), 1);
            ranks = next;
        }
    }

    #[test]
    fn a_full_gap_moves_its_neighbours_only() {
        let mut ranks = assign(&[NONE; 10_000], None, None).unwrap();
        let mut moved = 0;
        for _ in 0..1000 {
            let mut hints = ranks.clone();
            hints.insert(5000, NONE);
            ranks = assign(&hints, None, None).unwrap();
            assert!(rising(&ranks));
            moved += hints.iter().zip(&ranks).filter(|(a, b)| a != b).count();
        }
        assert!(moved < 40_000, "{moved}");
    }

    #[test]
    fn lines_typed_first_or_last_have_room_for_long() {
        let mut ranks = assign(&[NONE; 10], None, None).unwrap();
        for at in 0..2000 {
            let mut hints = ranks.clone();
            let place = if at % 2 == 0 { 0 } else { hints.len() };
            hints.insert(place, NONE);
            ranks = assign(&hints, None, None).unwrap();
            let kept = hints.iter().zip(&ranks).filter(|(a, b)| a == b);
            assert_eq!(kept.count(), hints.len() - 1);
        }
    }

    proptest! {
        #[test]
        fn ranks_rise_and_lie_between_the_bounds(
            hints in proptest::collection::vec(prop_oneof![Just(NONE), 0u32..400], 0..60),
            after in proptest::option::of(0u32..200),
            width in proptest::option::of(0u32..120),
        ) {
            let before = width.map(|width| after.unwrap_or(0) + width);
            match assign(&hints, after, before) {
                Some(ranks) => {
                    prop_assert_eq!(ranks.len(), hints.len());
                    prop_assert!(rising(&ranks));
                    prop_assert!(ranks.iter().all(|rank| after.is_none_or(|after| *rank > after)));
                    prop_assert!(ranks.iter().all(|rank| before.is_none_or(|before| *rank < before)));
                }
                None => {
                    let first = after.map_or(0, |after| after + 1);
                    let room = before.unwrap_or(END).saturating_sub(first);
                    prop_assert!((room as usize) < hints.len());
                }
            }
        }
    }
}
