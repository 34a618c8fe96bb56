//! From a typed line to a typed command. The daemon calls [`parse`] for what operators type and
//! [`parse_exact`] first when it loads files.

use pest::Parser;

pub(crate) use generated::{CommandParser, Rule};

use crate::build;
use crate::command::{Command, Parsed};
use crate::modes::Mode;
use crate::refusal::Refusal;
use crate::tree::GRAMMAR;
use crate::walk;

#[allow(missing_docs)]
mod generated {
    /// The parser of spelled-out lines that `pest_derive` makes of the pest files.
    #[derive(pest_derive::Parser)]
    #[grammar = "commands/tokens.pest"]
    #[grammar = "commands/exec.pest"]
    #[grammar = "commands/show.pest"]
    #[grammar = "commands/global.pest"]
    #[grammar = "commands/isakmp.pest"]
    #[grammar = "commands/ipsec.pest"]
    #[grammar = "commands/map.pest"]
    #[grammar = "commands/acl.pest"]
    #[grammar = "commands/interface.pest"]
    #[grammar = "commands/lines.pest"]
    pub(crate) struct CommandParser;
}

/// The rule of a mode's own table.
pub(crate) fn mode_rule(mode: Mode) -> Rule {
    match mode {
        Mode::UserExec => Rule::user_exec_mode,
        Mode::Exec => Rule::exec_mode,
        Mode::Config => Rule::config_mode,
        Mode::Interface => Rule::interface_mode,
        Mode::ExtendedAcl => Rule::extended_acl_mode,
        Mode::StandardAcl => Rule::standard_acl_mode,
        Mode::IsakmpPolicy => Rule::isakmp_policy_mode,
        Mode::TransformSet => Rule::transform_set_mode,
        Mode::CryptoMap => Rule::crypto_map_mode,
        Mode::Line => Rule::line_mode,
    }
}

/// Expands and parses a line typed in a mode: abbreviations, any run of blanks and tabs, a trailing
/// carriage return and comments are fine. In a sub-mode the global commands are tried second.
pub fn parse(mode: Mode, line: &str) -> Result<Parsed, Refusal> {
    let expanded = walk::expand(mode, line)?;
    if expanded.line.is_empty() {
        return Ok(Parsed {
            command: Command::Empty,
            filter: None,
        });
    }
    parse_in_table(expanded.table, &expanded.line).ok_or(Refusal::Invalid { column: 0 })
}

/// The fast path for configuration lines that are spelled out, as running-config prints them (leading and
/// trailing blanks are fine). `None` says only that the line is no such line: ask [`parse`]. EXEC commands
/// are always left to `parse`: in `copy run start` both words would pass for files.
pub fn parse_exact(mode: Mode, line: &str) -> Option<Parsed> {
    if !mode.is_config() {
        return None;
    }
    let line = walk::trim_end(line).trim_start_matches([' ', '\t']);
    if line.is_empty() || line.starts_with('!') {
        return Some(Parsed {
            command: Command::Empty,
            filter: None,
        });
    }
    let own = GRAMMAR
        .may_start(mode, line)
        .then(|| parse_in_table(mode, line))
        .flatten();
    let global = || {
        (mode != Mode::Config)
            .then(|| parse_in_table(Mode::Config, line))
            .flatten()
    };
    own.or_else(global)
        .filter(|parsed| !matches!(parsed.command, Command::Do(_)))
}

fn parse_in_table(table: Mode, line: &str) -> Option<Parsed> {
    let mut pairs = CommandParser::parse(mode_rule(table), line).ok()?;
    build::line(table, pairs.next()?)
}
