//! `?` and Tab. Called by the console at each of these keys, without the daemon.

use std::collections::BTreeMap;

use crate::alias::SpelledOut;
use crate::interface_name::TYPES;
use crate::modes::Mode;
use crate::privilege::Access;
use crate::refusal::Refusal;
use crate::tree::{Kind, Terminal};
use crate::walk::{Walk, either_table, starts_word, walk, walk_prefix};

/// Columns of the screen that word help is laid out for.
const SCREEN_WIDTH: usize = 80;

/// The text for `?` typed after `line` (the line without the `?`): the list, every line ended, or
/// `% Unrecognized command`. The console prints an empty line, the prompt and `line` again after it.
pub fn help(mode: Mode, line: &str) -> String {
    help_as(mode, &Access::full(), line)
}

/// [`help`] for a session that may not do everything: only what it may do is there.
pub fn help_as(mode: Mode, access: &Access, line: &str) -> String {
    let mode = access.table(mode);
    let spelled = behind_alias(mode, access, line);
    let whole = spelled.as_ref().map_or(line, |spelled| &spelled.line);
    help_behind_alias(mode, access, whole)
}

/// A line that goes on behind its alias.
fn behind_alias(mode: Mode, access: &Access, line: &str) -> Option<SpelledOut> {
    let spelled = access.spell_out(mode, line)?;
    spelled.goes_on().then_some(spelled)
}

fn help_behind_alias(mode: Mode, access: &Access, line: &str) -> String {
    let answer = if line.is_empty() || line.ends_with([' ', '\t']) {
        full_help(mode, access, line)
    } else {
        word_help(mode, access, line)
    };
    answer.unwrap_or_else(|refusal| match refusal {
        Refusal::Ambiguous => refusal.message(0, line),
        _ => "% Unrecognized command\n".to_owned(),
    })
}

/// Tab: the line with its last word completed and a blank after it; `None` when there is no word or no
/// unique one to complete.
pub fn complete(mode: Mode, line: &str) -> Option<String> {
    complete_as(mode, &Access::full(), line)
}

/// [`complete`] for a session that may not do everything.
pub fn complete_as(mode: Mode, access: &Access, line: &str) -> Option<String> {
    let mode = access.table(mode);
    match behind_alias(mode, access, line) {
        Some(spelled) => {
            let longer = complete_word(mode, access, &spelled.line)?;
            Some(spelled.folded(line, &longer))
        }
        None => complete_word(mode, access, line),
    }
}

fn complete_word(mode: Mode, access: &Access, line: &str) -> Option<String> {
    let word = either_table(mode, |table| {
        let (walk, token) = walk_prefix(table, access, line)?;
        let mut words = keywords(&walk, token);
        words.retain(|word| !token.is_empty() && !word.is_empty());
        match words[..] {
            [only] => Ok(only),
            _ => words
                .iter()
                .copied()
                .find(|word| word.len() == token.len())
                .ok_or_else(|| no_match(line, token)),
        }
    });
    let start = line.len() - line.rsplit([' ', '\t']).next()?.len();
    Some(format!("{}{} ", &line[..start], word.ok()?))
}

/// `?` after a blank: every word and argument that may come next.
fn full_help(mode: Mode, access: &Access, line: &str) -> Result<String, Refusal> {
    either_table(mode, |table| {
        let walk = walk(table, access, line)?;
        if walk.closed() {
            return Ok("  <cr>\n".to_owned());
        }
        let mut entries = BTreeMap::new();
        for terminal in walk.next() {
            list(terminal, &mut entries);
        }
        if entries.is_empty() && !walk.accepting() {
            return Err(no_match(line, ""));
        }
        let title = match walk.at_start() {
            true => format!("{}\n", table.title()),
            false => String::new(),
        };
        Ok(title + &columns(&entries, walk.accepting()))
    })
}

/// The entries of one terminal in full help.
fn list(terminal: &'static Terminal, entries: &mut BTreeMap<&'static str, &'static str>) {
    match &terminal.kind {
        Kind::Word { hidden: true, .. } => {}
        Kind::InterfaceType => entries.extend(TYPES.iter().copied()),
        _ => {
            entries.entry(terminal.label).or_insert(terminal.help);
        }
    }
}

fn columns(entries: &BTreeMap<&str, &str>, accepting: bool) -> String {
    let width = entries.keys().map(|word| word.len()).max().unwrap_or(0) + 2;
    let mut text: String = entries
        .iter()
        .map(|(word, help)| format!("  {word:width$}{help}\n"))
        .collect();
    if accepting {
        text.push_str("  <cr>\n");
    }
    text
}

/// `?` inside a word: the keywords that begin so, or the label of the argument.
fn word_help(mode: Mode, access: &Access, line: &str) -> Result<String, Refusal> {
    either_table(mode, |table| {
        let (walk, token) = walk_prefix(table, access, line)?;
        let mut words = keywords(&walk, token);
        let aliases = access.listed(mode, line);
        if words.is_empty() && aliases.is_empty() {
            let arguments = walk.next().filter(|terminal| {
                !matches!(terminal.kind, Kind::Word { .. } | Kind::InterfaceType)
            });
            words = arguments.map(|terminal| terminal.label).collect();
            words.sort_unstable();
            words.dedup();
        }
        let aliases = aliases.iter().map(String::as_str);
        let words: Vec<&str> = aliases.chain(words).collect();
        if words.is_empty() || walk.closed() {
            return Err(no_match(line, token));
        }
        Ok(rows(&words))
    })
}

/// The listed keywords that a token may be the beginning of, sorted.
fn keywords(walk: &Walk<'_, '_>, token: &str) -> Vec<&'static str> {
    let mut words: Vec<&'static str> = Vec::new();
    for terminal in walk.next() {
        match &terminal.kind {
            Kind::Word {
                literal,
                hidden: false,
            } => words.push(literal),
            Kind::InterfaceType => words.extend(TYPES.iter().map(|(kind, _)| kind)),
            _ => {}
        }
    }
    words.retain(|word| starts_word(word, token));
    words.sort_unstable();
    words.dedup();
    words
}

/// Words side by side in columns of one width.
fn rows(words: &[&str]) -> String {
    let width = words.iter().map(|word| word.len()).max().unwrap_or(0) + 2;
    let per_row = (SCREEN_WIDTH / width).max(1);
    let row = |row: &[&str]| {
        let cells: String = row.iter().map(|word| format!("{word:width$}")).collect();
        format!("{}\n", cells.trim_end())
    };
    words.chunks(per_row).map(row).collect()
}

fn no_match(line: &str, token: &str) -> Refusal {
    Refusal::Invalid {
        column: line.chars().count() - token.chars().count(),
    }
}
