//! `show aliases`: the words of the operator's own, by mode. Called by `show`.

use std::borrow::Cow;
use std::fmt::Write;

use isthmus_grammar::command::CommandMode;
use isthmus_grammar::{Alias, alias, secrets};
use schemars::JsonSchema;
use serde::Serialize;

use super::screen::Facts;
use crate::config::hide::REMOVED;

/// `show aliases [MODE]`.
#[derive(Serialize, JsonSchema)]
pub struct Aliases<'a> {
    /// The modes that have aliases, EXEC first.
    modes: Vec<ModeAliases<'a>>,
}

/// The aliases of one mode.
#[derive(Serialize, JsonSchema)]
struct ModeAliases<'a> {
    /// As in the command `alias`.
    mode: &'static str,
    #[serde(skip)]
    title: &'static str,
    /// The built-in ones first, then in the order of the configuration.
    aliases: Vec<Entry<'a>>,
}

/// One alias.
#[derive(Serialize, JsonSchema)]
struct Entry<'a> {
    /// What is typed.
    alias: &'a str,
    /// What it stands for.
    command: Cow<'a, str>,
}

/// The aliases of all modes, or of one.
///
/// With `hide_secrets` without the keys and passwords in their commands.
pub fn aliases(configured: &[Alias], only: Option<CommandMode>, hide_secrets: bool) -> Aliases<'_> {
    let wanted = CommandMode::ALL.iter().copied();
    let wanted = wanted.filter(|mode| only.is_none_or(|only| only == *mode));
    let of = |mode| ModeAliases {
        mode: CommandMode::word(mode),
        title: title(mode),
        aliases: alias::of_mode(mode, configured)
            .into_iter()
            .map(|(alias, command)| Entry {
                alias,
                command: match hide_secrets {
                    true => secrets::shown(command, REMOVED).into(),
                    false => command.into(),
                },
            })
            .collect(),
    };
    let modes = wanted.map(of).filter(|mode| !mode.aliases.is_empty());
    Aliases {
        modes: modes.collect(),
    }
}

fn title(mode: CommandMode) -> &'static str {
    match mode {
        CommandMode::Exec => "Exec mode",
        CommandMode::Configure => "Global configuration mode",
        CommandMode::Interface => "Interface configuration mode",
        CommandMode::Line => "Line configuration mode",
        CommandMode::CryptoMap => "Crypto map configuration mode",
        CommandMode::CryptoTransform => "Crypto transform configuration mode",
        CommandMode::Isakmp => "Crypto ISAKMP policy configuration mode",
    }
}

impl Facts for Aliases<'_> {
    fn text(&self) -> String {
        let blocks = self.modes.iter().map(|mode| {
            let mut block = format!("{} aliases:\n", mode.title);
            for entry in &mode.aliases {
                let _ = writeln!(block, "  {:<22}{}", entry.alias, entry.command);
            }
            block
        });
        blocks.collect::<Vec<_>>().join("\n")
    }
}
