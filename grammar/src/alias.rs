//! Aliases: words of the operator's own for the beginning of commands.
//!
//! The console spells an alias out before it does anything else with a line, and `?` and Tab look behind it: nothing
//! after that knows of aliases. As on IOS an alias is typed in full, goes before the commands of its mode, and is not
//! seen in a line that begins with a blank.

use serde::{Deserialize, Serialize};

use crate::command::CommandMode;
use crate::modes::Mode;
use crate::privilege::Access;
use crate::refusal::Refusal;
use crate::walk::is_blank;

/// `alias MODE NAME COMMAND`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// Where it is typed.
    pub mode: CommandMode,
    /// The word.
    pub name: String,
    /// What it stands for.
    pub command: String,
}

/// The aliases of EXEC that need no configuration.
pub const BUILT_IN: [(&str, &str); 8] = [
    ("h", "help"),
    ("lo", "logout"),
    ("p", "ping"),
    ("r", "resume"),
    ("s", "show"),
    ("u", "undebug"),
    ("un", "undebug"),
    ("w", "where"),
];

/// Every alias of a mode, name and command: the built-in ones first, then those of the configuration; one of the same
/// name takes the built-in one's place.
pub fn of_mode(mode: CommandMode, configured: &[Alias]) -> Vec<(&str, &str)> {
    let mut all = match mode {
        CommandMode::Exec => BUILT_IN.to_vec(),
        _ => Vec::new(),
    };
    for alias in configured.iter().filter(|alias| alias.mode == mode) {
        let pair = (alias.name.as_str(), alias.command.as_str());
        match all.iter_mut().find(|(name, _)| *name == alias.name) {
            Some(same) => *same = pair,
            None => all.push(pair),
        }
    }
    all
}

/// A line whose alias is spelled out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpelledOut {
    /// The whole line with the command in the alias's place.
    pub line: String,
    /// Octets before the alias.
    start: usize,
    /// The alias.
    name: String,
    /// Octets of its command.
    command: usize,
}

impl SpelledOut {
    /// The refusal of the line as one of what was typed: the caret goes to the word that is wrong, or to the alias whose
    /// command is.
    #[must_use]
    pub fn refusal(&self, refusal: Refusal) -> Refusal {
        let Refusal::Invalid { column } = refusal else {
            return refusal;
        };
        let chars = |text: &str| text.chars().count();
        let (start, end) = (self.start, self.start + self.command);
        let (before, within) = (chars(&self.line[..start]), chars(&self.line[..end]));
        let column = match column {
            column if column >= within => column - within + before + chars(&self.name),
            column => column.min(before),
        };
        Refusal::Invalid { column }
    }

    /// Something stands behind the alias, if only a blank.
    pub(crate) fn goes_on(&self) -> bool {
        self.line.len() > self.start + self.command
    }

    /// A longer form of the spelled-out line with the alias back in its place.
    pub(crate) fn folded(&self, typed: &str, longer: &str) -> String {
        let (alias, command) = (self.start + self.name.len(), self.start + self.command);
        format!("{}{}", &typed[..alias], &longer[command..])
    }
}

impl Access {
    /// The line with its alias spelled out; `None` when it has none.
    #[must_use]
    pub fn spell_out(&self, mode: Mode, line: &str) -> Option<SpelledOut> {
        let (mode, start) = place(mode, line)?;
        let rest = &line[start..];
        let name = rest.find(is_blank).map_or(rest, |end| &rest[..end]);
        let aliases = of_mode(mode, &self.aliases);
        let (_, command) = aliases.into_iter().find(|(alias, _)| *alias == name)?;
        Some(SpelledOut {
            line: format!("{}{command}{}", &line[..start], &rest[name.len()..]),
            start,
            name: name.to_owned(),
            command: command.len(),
        })
    }

    /// The aliases that an unfinished line may be the beginning of, as `?` lists them: `*s=show`.
    pub(crate) fn listed(&self, mode: Mode, line: &str) -> Vec<String> {
        let Some((mode, start)) = place(mode, line) else {
            return Vec::new();
        };
        let begun = &line[start..];
        let begins = |(name, _): &(&str, &str)| name.starts_with(begun);
        let entry = |(name, command): (&str, &str)| match command.contains(is_blank) {
            true => format!("*{name}=\"{command}\""),
            false => format!("*{name}={command}"),
        };
        let aliases = of_mode(mode, &self.aliases).into_iter();
        aliases.filter(begins).map(entry).collect()
    }
}

/// The mode whose aliases count and where in the line, in octets, one may stand: at its start, or behind `do`.
fn place(mode: Mode, line: &str) -> Option<(CommandMode, usize)> {
    if line.starts_with(is_blank) {
        return None;
    }
    if let Some(behind) = line.strip_prefix("do ").filter(|_| mode.is_config()) {
        let command = behind.trim_start_matches(is_blank);
        return Some((CommandMode::Exec, line.len() - command.len()));
    }
    let mode = match mode {
        Mode::UserExec => Mode::Exec,
        other => other,
    };
    let known = CommandMode::ALL.iter().find(|known| known.mode() == mode);
    known.map(|known| (*known, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{help, parser};

    fn access() -> Access {
        let alias = |mode, name: &str, command: &str| Alias {
            mode,
            name: name.to_owned(),
            command: command.to_owned(),
        };
        Access::full().with_aliases(vec![
            alias(CommandMode::Exec, "sib", "show ip interface brief"),
            alias(
                CommandMode::Exec,
                "up",
                "show ip interface brief | include up",
            ),
            alias(CommandMode::Exec, "w", "write memory"),
            alias(CommandMode::Exec, "größe", "show version"),
            alias(CommandMode::Interface, "desc", "description"),
        ])
    }

    fn spelled(mode: Mode, line: &str) -> Option<String> {
        access().spell_out(mode, line).map(|spelled| spelled.line)
    }

    #[test]
    fn the_first_word_is_spelled_out() {
        let matrix = [
            (Mode::Exec, "s ver", "show ver"),
            (Mode::UserExec, "s", "show"),
            (Mode::Exec, "sib", "show ip interface brief"),
            (Mode::Exec, "up", "show ip interface brief | include up"),
            (Mode::Exec, "w", "write memory"),
            (
                Mode::Config,
                "do sib | i up",
                "do show ip interface brief | i up",
            ),
            (Mode::Interface, "do   p 192.0.2.1", "do   ping 192.0.2.1"),
            (
                Mode::Interface,
                "desc To the  hub",
                "description To the  hub",
            ),
        ];
        for (mode, line, whole) in matrix {
            assert_eq!(spelled(mode, line).as_deref(), Some(whole), "{line}");
        }
    }

    #[test]
    fn other_lines_have_no_alias() {
        let matrix = [
            (Mode::Exec, " s ver"),
            (Mode::Exec, "\tsib"),
            (Mode::Exec, "show s"),
            (Mode::Exec, "sibb"),
            (Mode::Exec, "si"),
            (Mode::Exec, "S ver"),
            (Mode::Exec, ""),
            (Mode::Exec, "desc x"),
            (Mode::Exec, "do sib"),
            (Mode::Config, "s ver"),
            (Mode::Config, "desc x"),
            (Mode::Config, " do sib"),
            (Mode::Config, "do"),
            (Mode::TransformSet, "sib"),
        ];
        for (mode, line) in matrix {
            assert_eq!(spelled(mode, line), None, "{line}");
        }
    }

    #[test]
    fn the_caret_stays_in_the_typed_line() {
        let matrix = [
            (Mode::Exec, "s nonsense", 2),
            (Mode::Exec, "sib  eth0 nonsense", 10),
            (Mode::Exec, "größe x", 6),
            (Mode::Config, "do sib eth0 nonsense", 12),
        ];
        for (mode, line, column) in matrix {
            let spelled = access().spell_out(mode, line).expect("an alias");
            let refusal = parser::parse(mode, &spelled.line).expect_err("no command");
            assert_eq!(
                spelled.refusal(refusal),
                Refusal::Invalid { column },
                "{line}"
            );
        }
        let wrong = Alias {
            mode: CommandMode::Exec,
            name: "x".to_owned(),
            command: "show nonsense of mine".to_owned(),
        };
        let access = Access::full().with_aliases(vec![wrong]);
        let spelled = access.spell_out(Mode::Exec, "x 1").expect("an alias");
        let refusal = parser::parse(Mode::Exec, &spelled.line).expect_err("no command");
        assert_eq!(spelled.refusal(refusal), Refusal::Invalid { column: 0 });
    }

    #[test]
    fn help_lists_aliases_and_looks_behind_them() {
        let help = |mode, line: &str| help::help_as(mode, &access(), line);
        assert_eq!(help(Mode::Exec, "si"), "*sib=\"show ip interface brief\"\n");
        assert_eq!(
            help(Mode::Exec, "s")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            "*s=show *sib=\"show ip interface brief\" show"
        );
        assert_eq!(help(Mode::Exec, " s"), "show\n");
        assert_eq!(help(Mode::Config, "do w"), help(Mode::Exec, "w"));
        assert_eq!(help(Mode::Exec, "s cry"), help(Mode::Exec, "show cry"));
        assert_eq!(
            help(Mode::Exec, "sib "),
            help(Mode::Exec, "show ip interface brief ")
        );
        assert_eq!(help(Mode::Exec, ""), help::help(Mode::Exec, ""));
    }

    #[test]
    fn tab_completes_behind_an_alias() {
        let complete = |line: &str| help::complete_as(Mode::Exec, &access(), line);
        assert_eq!(complete("s ver").as_deref(), Some("s version "));
        assert_eq!(complete("größe").as_deref(), None);
        assert_eq!(complete("p").as_deref(), Some("ping "));
    }
}
