//! From a typed line to a typed command. The daemon calls [`parse`] for what operators type and
//! [`parse_exact`] first when it loads files.

use pest::Parser;

pub(crate) use generated::{CommandParser, Rule};

use crate::build;
use crate::command::{Command, ConfigCommand, Parsed};
use crate::modes::Mode;
use crate::privilege::Access;
use crate::refusal::Refusal;
use crate::tree::GRAMMAR;
use crate::walk;

#[allow(missing_docs)]
mod generated {
    /// The parser of spelled-out lines that `pest_derive` makes of the pest files.
    #[derive(pest_derive::Parser)]
    #[grammar = "commands/tokens.pest"]
    #[grammar = "commands/exec.pest"]
    #[grammar = "commands/files.pest"]
    #[grammar = "commands/show.pest"]
    #[grammar = "commands/global.pest"]
    #[grammar = "commands/logging.pest"]
    #[grammar = "commands/isakmp.pest"]
    #[grammar = "commands/ipsec.pest"]
    #[grammar = "commands/map.pest"]
    #[grammar = "commands/acl.pest"]
    #[grammar = "commands/acl_names.pest"]
    #[grammar = "commands/object_groups.pest"]
    #[grammar = "commands/interface.pest"]
    #[grammar = "commands/ikev2.pest"]
    #[grammar = "commands/ikev2_profile.pest"]
    #[grammar = "commands/ikev2_client.pest"]
    #[grammar = "commands/pki.pest"]
    #[grammar = "commands/pki_trustpoint.pest"]
    #[grammar = "commands/pki_server.pest"]
    #[grammar = "commands/keys.pest"]
    #[grammar = "commands/aaa.pest"]
    #[grammar = "commands/radius.pest"]
    #[grammar = "commands/vpdn.pest"]
    #[grammar = "commands/interface_ip.pest"]
    #[grammar = "commands/ppp.pest"]
    #[grammar = "commands/tunnel.pest"]
    #[grammar = "commands/vrf.pest"]
    #[grammar = "commands/globals.pest"]
    #[grammar = "commands/ip_globals.pest"]
    #[grammar = "commands/management.pest"]
    #[grammar = "commands/lines.pest"]
    #[grammar = "commands/modes.pest"]
    #[grammar = "commands/archive.pest"]
    #[grammar = "commands/keyring.pest"]
    #[grammar = "commands/ezvpn.pest"]
    #[grammar = "commands/isakmp_globals.pest"]
    #[grammar = "commands/isakmp_group.pest"]
    #[grammar = "commands/isakmp_profile.pest"]
    #[grammar = "commands/ipsec_globals.pest"]
    #[grammar = "commands/map_settings.pest"]
    #[grammar = "commands/login.pest"]
    #[grammar = "commands/alias.pest"]
    pub(crate) struct CommandParser;
}

/// Expands and parses a line typed in a mode: abbreviations, any run of blanks and tabs, a trailing
/// carriage return and comments are fine. In a sub-mode the commands of the modes above it are tried after its own.
pub fn parse(mode: Mode, line: &str) -> Result<Parsed, Refusal> {
    parse_as(mode, &Access::full(), line)
}

/// [`parse`] for a session that may not do everything: what it may not do is not understood.
pub fn parse_as(mode: Mode, access: &Access, line: &str) -> Result<Parsed, Refusal> {
    let expanded = walk::expand_as(mode, access, line)?;
    if expanded.line.is_empty() {
        return Ok(Parsed {
            command: Command::Empty,
            filter: None,
            json: false,
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
            json: false,
        });
    }
    mode.tables()
        .filter(|table| *table == Mode::Config || GRAMMAR.may_start(*table, line))
        .find_map(|table| parse_in_table(table, line))
        .filter(|parsed| match &parsed.command {
            Command::Do(_) => false,
            Command::Config(config) => match &config.command {
                ConfigCommand::Retained(_) => is_spelled_out(mode, line, parsed),
                _ => true,
            },
            _ => true,
        })
}

/// The rules of retained commands do not guard their arguments against shortened keywords: only the walk knows whether
/// a line is spelled out.
fn is_spelled_out(mode: Mode, line: &str, parsed: &Parsed) -> bool {
    walk::expand(mode, line).is_ok_and(|expanded| {
        expanded.line == line
            || parse_in_table(expanded.table, &expanded.line).as_ref() == Some(parsed)
    })
}

fn parse_in_table(table: Mode, line: &str) -> Option<Parsed> {
    let mut pairs = CommandParser::parse(table.rule(), line).ok()?;
    build::line(table, pairs.next()?)
}
