//! Who may come in and what they may do.

use indexmap::IndexMap;
use isthmus_grammar::PrivilegeRule;
use isthmus_grammar::command::{AaaMethod, CommandMode};

/// The name of the list that lines use which name none.
pub const DEFAULT_LIST: &str = "default";

/// `aaa ...`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aaa {
    /// `aaa new-model`.
    pub new_model: bool,
    /// `aaa authentication login`, by the name of the list.
    pub login: IndexMap<String, Vec<AaaMethod>>,
    /// `aaa authentication enable default`; empty when not configured.
    pub enable: Vec<AaaMethod>,
    /// `aaa authorization exec`, by the name of the list.
    pub exec: IndexMap<String, Vec<AaaMethod>>,
}

/// `login ...`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoginPolicy {
    /// `login delay`, in seconds; 1 when absent.
    pub delay: Option<u8>,
    /// `login on-failure log`.
    pub log_failure: bool,
    /// `login on-success log`.
    pub log_success: bool,
}

/// `privilege ...` by mode and command, in the order of entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privileges(IndexMap<(CommandMode, String), (u8, bool)>);

impl Privileges {
    /// Gives a level to a command, and, as IOS does, to the words that lead to it unless they have one of their own.
    pub(crate) fn set(&mut self, rule: PrivilegeRule) {
        let key = (rule.mode, rule.command.clone());
        self.0.insert(key, (rule.level, rule.all));
        let mut words = rule.command.as_str();
        while let Some((shorter, _)) = words.rsplit_once(' ') {
            let key = (rule.mode, shorter.to_owned());
            self.0.entry(key).or_insert((rule.level, false));
            words = shorter;
        }
    }

    /// Gives a command its usual level back; false when it had it.
    pub(crate) fn reset(&mut self, mode: CommandMode, command: &str) -> bool {
        self.0.shift_remove(&(mode, command.to_owned())).is_some()
    }

    /// How many rules there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The rules in the order in which they are printed.
    pub fn iter(&self) -> impl Iterator<Item = PrivilegeRule> {
        self.0
            .iter()
            .map(|((mode, command), (level, all))| PrivilegeRule {
                mode: *mode,
                command: command.clone(),
                all: *all,
                level: *level,
            })
    }
}
