//! The lines an operator typed, for `show history`: EXEC and configuration apart, as each has its own at the prompt.
//! Gone with the session, for they may hold keys.

use std::collections::VecDeque;

use isthmus_grammar::Mode;

/// The most lines that `terminal history size` keeps.
const MAX: usize = 256;

/// Both histories of one session.
#[derive(Debug, Default)]
pub(super) struct Histories {
    exec: VecDeque<String>,
    config: VecDeque<String>,
}

impl Histories {
    /// Keeps a line typed in `mode`, unless it is blank or the same as the one before.
    pub(super) fn add(&mut self, mode: Mode, line: &str) {
        let line = line.trim_end();
        let lines = if mode.is_config() {
            &mut self.config
        } else {
            &mut self.exec
        };
        if line.is_empty() || lines.back().is_some_and(|last| last == line) {
            return;
        }
        if lines.len() == MAX {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    /// The last `size` lines typed in modes like this one, oldest first.
    pub(super) fn last(&self, mode: Mode, size: u32) -> Vec<String> {
        let lines = if mode.is_config() {
            &self.config
        } else {
            &self.exec
        };
        let size = usize::try_from(size).unwrap_or(MAX);
        let surplus = lines.len().saturating_sub(size);
        lines.iter().skip(surplus).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_has_its_own_lines() {
        let mut histories = Histories::default();
        for line in ["show clock", "show clock", "  ", "conf t "] {
            histories.add(Mode::Exec, line);
        }
        histories.add(Mode::Config, "hostname R1");
        histories.add(Mode::Interface, "shutdown");
        assert_eq!(histories.last(Mode::UserExec, 10), ["show clock", "conf t"]);
        assert_eq!(
            histories.last(Mode::Config, 10),
            ["hostname R1", "shutdown"]
        );
        assert_eq!(histories.last(Mode::Config, 1), ["shutdown"]);
        assert!(histories.last(Mode::Exec, 0).is_empty());
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let mut histories = Histories::default();
        for n in 0..1000 {
            histories.add(Mode::Exec, &n.to_string());
        }
        let kept = histories.last(Mode::Exec, u32::MAX);
        assert_eq!(kept.len(), MAX);
        assert_eq!(kept.last().map(String::as_str), Some("999"));
    }
}
