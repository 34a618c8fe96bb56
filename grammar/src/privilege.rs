//! Who may type what: the privilege level of a session and the levels that `privilege` gives to commands.
//!
//! [`Access`] is what a session may do; the walk asks [`Access::admits`] at every word, so help, completion, ambiguity and
//! the caret know only what the level may do. Commands of user EXEC need level 1 (`enable`, `exit` and their like 0), all
//! others 15. A rule gives its level to the command and, if no longer rule begins with it, to what goes on from there
//! (words of level 15 below a command of user EXEC, such as `show running-config`, keep theirs); with `all` to everything
//! that goes on from there.

use serde::{Deserialize, Serialize};

use crate::alias::Alias;
use crate::command::CommandMode;
use crate::modes::Mode;
use crate::refusal::Refusal;
use crate::walk;

/// The level that may do everything.
pub const FULL: u8 = 15;
/// The level of user EXEC.
pub const USER: u8 = 1;

/// The words of level 0.
const LEVEL_ZERO: [&str; 6] = ["disable", "enable", "exit", "help", "logout", "quit"];

/// `privilege MODE [all] level N COMMAND`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivilegeRule {
    /// Where the command is typed.
    pub mode: CommandMode,
    /// The first words of the command, spelled out.
    pub command: String,
    /// Also what goes on from there.
    pub all: bool,
    /// 0 to 15.
    pub level: u8,
}

/// What a session may do, and the aliases that it has for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    level: u8,
    rules: Vec<PrivilegeRule>,
    pub(crate) aliases: Vec<Alias>,
}

impl Default for Access {
    fn default() -> Self {
        Self::full()
    }
}

impl Access {
    /// Everything.
    #[must_use]
    pub const fn full() -> Self {
        Self {
            level: FULL,
            rules: Vec::new(),
            aliases: Vec::new(),
        }
    }

    /// What a level may do under these rules; level 15 may do everything under any.
    #[must_use]
    pub fn new(level: u8, rules: impl IntoIterator<Item = PrivilegeRule>) -> Self {
        if level >= FULL {
            return Self::full();
        }
        Self {
            level,
            rules: rules.into_iter().collect(),
            aliases: Vec::new(),
        }
    }

    /// The same with the aliases of the configuration.
    #[must_use]
    pub fn with_aliases(self, aliases: Vec<Alias>) -> Self {
        Self { aliases, ..self }
    }

    /// The privilege level.
    #[must_use]
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Nothing is kept from this session.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.level >= FULL
    }

    /// The table that a session in this mode types into.
    pub(crate) fn table(&self, mode: Mode) -> Mode {
        match mode {
            Mode::UserExec if !self.is_full() => Mode::Exec,
            other => other,
        }
    }

    pub(crate) fn admits(&self, needed: u8) -> bool {
        needed <= self.level
    }

    /// The level that the command needs which these words begin; `usual` is what it is without rules, `inherited`
    /// what the words before the last hand on. Also what it hands on itself.
    pub(crate) fn needed(
        &self,
        mode: Mode,
        words: &str,
        usual: u8,
        inherited: Inherited,
    ) -> Needed {
        let rules = || self.rules.iter().filter(|rule| rule.mode.mode() == mode);
        let exact = rules().find(|rule| rule.command == words);
        let longer = rules().any(|rule| {
            let rest = rule.command.strip_prefix(words);
            rest.is_some_and(|rest| rest.starts_with(' '))
        });
        match (exact, inherited) {
            (Some(rule), _) if rule.all => Needed::of(rule.level, Inherited::All(rule.level)),
            (Some(rule), _) if !longer && usual == FULL => {
                Needed::of(rule.level, Inherited::All(rule.level))
            }
            (Some(rule), _) if !longer => Needed::of(rule.level, Inherited::Plain(rule.level)),
            (Some(rule), Inherited::All(level)) => Needed::of(rule.level, Inherited::All(level)),
            (Some(rule), _) => Needed::of(rule.level, Inherited::Usual),
            (None, Inherited::All(level)) => Needed::of(level, inherited),
            (None, Inherited::Plain(level)) => Needed::of(level.max(usual), inherited),
            (None, Inherited::Usual) => Needed::of(usual, Inherited::Usual),
        }
    }
}

/// What a word hands on to the words after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inherited {
    /// Nothing: each has its usual level.
    Usual,
    /// At least this level.
    Plain(u8),
    /// This level, instead of the usual one.
    All(u8),
}

/// The level of a word and what it hands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Needed {
    pub(crate) level: u8,
    pub(crate) hands_on: Inherited,
}

impl Needed {
    fn of(level: u8, hands_on: Inherited) -> Self {
        Self { level, hands_on }
    }
}

/// The level without rules of an EXEC command that begins with this word and is in user EXEC or not.
pub(crate) fn usual(word: &str, in_user_exec: bool) -> u8 {
    match in_user_exec {
        true if LEVEL_ZERO.contains(&word) => 0,
        true => USER,
        false => FULL,
    }
}

/// The first words of a command spelled out, for `privilege`: `sh run` is `show running-config`.
///
/// # Errors
/// No command of this mode begins so.
pub fn spell(mode: CommandMode, words: &str) -> Result<String, Refusal> {
    let spelled = walk::walk(mode.mode(), &Access::full(), words)?.spelled();
    if spelled.is_empty() {
        return Err(Refusal::Incomplete);
    }
    Ok(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{help, parser};

    fn rule(mode: CommandMode, level: u8, command: &str) -> PrivilegeRule {
        PrivilegeRule {
            mode,
            command: command.to_owned(),
            all: false,
            level,
        }
    }

    fn may(access: &Access, mode: Mode, line: &str) -> bool {
        parser::parse_as(mode, access, line).is_ok()
    }

    #[test]
    fn levels_without_rules() {
        let matrix = [
            ("enable", 0),
            ("exit", 0),
            ("logout", 0),
            ("show version", 1),
            ("show crypto isakmp sa", 1),
            ("ping 192.0.2.1", 1),
            ("terminal length 0", 1),
            ("show running-config", 15),
            ("show crypto isakmp key", 15),
            ("configure terminal", 15),
            ("clear crypto sa", 15),
            ("reload", 15),
            ("write memory", 15),
        ];
        for level in 0..=15 {
            let access = Access::new(level, []);
            for (line, needed) in matrix {
                assert_eq!(
                    may(&access, Mode::Exec, line),
                    level >= needed,
                    "{level} {line}"
                );
            }
        }
    }

    #[test]
    fn a_rule_gives_a_command_and_what_goes_on_from_it() {
        let rules = [
            rule(CommandMode::Exec, 7, "clear crypto sa"),
            rule(CommandMode::Exec, 7, "clear crypto"),
            rule(CommandMode::Exec, 7, "clear"),
            rule(CommandMode::Exec, 5, "show"),
        ];
        let seven = Access::new(7, rules.clone());
        assert!(may(&seven, Mode::Exec, "clear crypto sa"));
        assert!(may(&seven, Mode::Exec, "cle cry sa peer 192.0.2.1"));
        assert!(!may(&seven, Mode::Exec, "clear crypto session"));
        assert!(
            !may(&seven, Mode::Exec, "show running-config"),
            "a deeper word keeps its level"
        );
        assert!(may(&seven, Mode::Exec, "show version"));
        let four = Access::new(4, rules);
        assert!(
            !may(&four, Mode::Exec, "show version"),
            "show was raised to 5"
        );
        assert!(!may(&four, Mode::Exec, "clear crypto sa"));
    }

    #[test]
    fn all_gives_everything_below() {
        let mut every = rule(CommandMode::Exec, 3, "show");
        every.all = true;
        let access = Access::new(3, [every]);
        assert!(may(&access, Mode::Exec, "show running-config"));
        assert!(may(&access, Mode::Exec, "show crypto isakmp key"));
        assert!(!may(&access, Mode::Exec, "reload"));
    }

    #[test]
    fn configuration_modes_have_their_own_rules() {
        let access = Access::new(
            7,
            [
                rule(CommandMode::Configure, 7, "interface"),
                rule(CommandMode::Interface, 7, "shutdown"),
            ],
        );
        assert!(may(&access, Mode::Config, "interface GigabitEthernet0/0"));
        assert!(may(&access, Mode::Interface, "shutdown"));
        assert!(may(&access, Mode::Interface, "no shutdown"));
        assert!(
            may(&access, Mode::Interface, "interface eth0"),
            "global commands too"
        );
        assert!(may(&access, Mode::Interface, "do show version"));
        assert!(may(&access, Mode::Config, "exit") && may(&access, Mode::Config, "end"));
        for line in [
            "hostname X",
            "no hostname",
            "default hostname",
            "do reload",
            "do show run",
        ] {
            assert!(!may(&access, Mode::Config, line), "{line}");
        }
        assert!(!may(&access, Mode::Interface, "mtu 1400"));
        let list = help::help_as(Mode::Interface, &access, "");
        assert!(list.contains("shutdown") && !list.contains("mtu"), "{list}");
    }

    #[test]
    fn help_and_the_caret_know_only_what_the_level_may() {
        let user = Access::new(1, []);
        assert!(!help::help_as(Mode::UserExec, &user, "").contains("configure"));
        assert_eq!(
            help::help_as(Mode::UserExec, &user, "conf"),
            "% Unrecognized command\n"
        );
        assert_eq!(help::complete_as(Mode::UserExec, &user, "conf"), None);
        assert_eq!(
            parser::parse_as(Mode::UserExec, &user, "configure terminal"),
            parser::parse(Mode::UserExec, "configure terminal")
        );
    }

    #[test]
    fn user_exec_is_level_1_of_the_one_table() {
        let user = Access::new(1, []);
        for line in [
            "show version",
            "sh ver",
            "show crypto isakmp sa",
            "s",
            "show run",
            "c",
            "dis",
            "ping",
        ] {
            assert_eq!(
                parser::parse_as(Mode::UserExec, &user, line),
                parser::parse(Mode::UserExec, line),
                "{line}"
            );
        }
        for line in ["", "s", "show ", "show crypto ", "show crypto isakmp ", "t"] {
            assert_eq!(
                help::help_as(Mode::UserExec, &user, line),
                help::help(Mode::UserExec, line),
                "{line}"
            );
        }
    }

    #[test]
    fn first_words_are_spelled_out() {
        assert_eq!(
            spell(CommandMode::Exec, "sh run").as_deref(),
            Ok("show running-config")
        );
        assert_eq!(
            spell(CommandMode::Configure, "int").as_deref(),
            Ok("interface")
        );
        assert!(spell(CommandMode::Exec, "nonsense").is_err());
        assert!(spell(CommandMode::Exec, "").is_err());
    }
}
