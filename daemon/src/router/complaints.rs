//! What the router complained of lately, for the prompts of those whose lines brought it about. Filled by `reconcile`, read
//! by the sessions when a change is in force.

use std::collections::VecDeque;

/// So many are remembered.
const MOST: usize = 500;

/// The latest complaints, each with its number.
#[derive(Debug, Default)]
pub struct Complaints {
    next: u64,
    recent: VecDeque<(u64, String)>,
}

/// A moment among the complaints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(u64);

impl Complaints {
    /// Remembers one.
    pub fn add(&mut self, text: String) {
        if self.recent.len() == MOST {
            self.recent.pop_front();
        }
        self.recent.push_back((self.next, text));
        self.next += 1;
    }

    /// Now.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.next)
    }

    /// Those that came after a moment, the oldest first, and how many came before them and are forgotten.
    #[must_use]
    pub fn since(&self, mark: Mark) -> (Vec<String>, u64) {
        let new = self.recent.iter().filter(|(number, _)| *number >= mark.0);
        let texts: Vec<String> = new.map(|(_, text)| text.clone()).collect();
        let forgotten = (self.next - mark.0).saturating_sub(texts.len() as u64);
        (texts, forgotten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_once_and_what_is_forgotten_is_counted() {
        let mut complaints = Complaints::default();
        complaints.add("old".into());
        let mark = complaints.mark();
        assert_eq!(complaints.since(mark), (vec![], 0));
        complaints.add("new".into());
        assert_eq!(complaints.since(mark), (vec!["new".to_owned()], 0));
        for number in 0..MOST {
            complaints.add(number.to_string());
        }
        let (texts, forgotten) = complaints.since(mark);
        assert_eq!((texts.len(), forgotten), (MOST, 1));
    }
}
