//! Typed commands from the pairs of the generated parser; one file per family of commands.
//!
//! Everything here answers `None` for a value that the syntax lets through and the type or its range does
//! not (`256` where `<0-255>` stands): the walk refuses such a line with the right caret.

mod acl;
mod exec;
mod files;
mod global;
mod logging;
mod login;
mod modes;
mod retained;
mod show;

use pest::iterators::Pair;

use crate::command::{Command, ConfigCommand, ConfigLine, Form, Parsed, Secret, SecretEncoding};
use crate::modes::Mode;
use crate::parser::Rule;
use crate::walk::hexadecimal;

/// The command of a whole line, parsed by the rule of its table.
pub(crate) fn line(table: Mode, whole: Pair<'_, Rule>) -> Option<Parsed> {
    let pair = command_in(whole.clone())?;
    if !table.is_config() {
        let (command, tail) = exec::command(pair)?;
        return Some(Parsed {
            command: Command::Exec(command),
            filter: tail.filter,
            json: tail.json,
        });
    }
    let command = match pair.as_rule() {
        Rule::do_line => {
            let (command, tail) = exec::command(command_in(pair)?)?;
            return Some(Parsed {
                command: Command::Do(command),
                filter: tail.filter,
                json: tail.json,
            });
        }
        Rule::exit_config | Rule::exit_family | Rule::quit_config => Command::Exit,
        Rule::closed_data | Rule::closed_family => Command::Empty,
        Rule::end_config => Command::End,
        _ => config(table, pair, whole).map(Command::Config)?,
    };
    Some(Parsed {
        command,
        filter: None,
        json: false,
    })
}

/// The command in a line: what follows the words that several commands share.
fn command_in(line: Pair<'_, Rule>) -> Option<Pair<'_, Rule>> {
    line.into_inner()
        .filter(|pair| pair.as_rule() != Rule::EOI)
        .last()
}

fn config(table: Mode, pair: Pair<'_, Rule>, whole: Pair<'_, Rule>) -> Option<ConfigLine> {
    let form = match pair.clone().into_inner().next()?.as_rule() {
        Rule::k_no => Form::No,
        Rule::k_default => Form::Default,
        _ => Form::Set,
    };
    let pair = if form == Form::Set {
        pair
    } else {
        command_in(pair)?
    };
    if let Some(known) = retained::find(pair.as_rule()) {
        let line = retained::line(table, known, whole)?;
        return Some(ConfigLine {
            form,
            command: ConfigCommand::Retained(Box::new(line)),
        });
    }
    let command = match table {
        Mode::Config => global::command(pair).map(ConfigCommand::Global),
        _ => modes::command(table, pair),
    };
    Some(ConfigLine {
        form,
        command: command?,
    })
}

/// What the builders ask of a pair.
trait Node<'i>: Sized {
    /// The first direct child of a rule.
    fn child(&self, rule: Rule) -> Option<Pair<'i, Rule>>;
    /// Whether a rule is a direct child: a keyword was typed.
    fn has(&self, rule: Rule) -> bool;
    /// The text of a child.
    fn text(&self, rule: Rule) -> Option<&'i str>;
    /// The text of a child as a name.
    fn name(&self, rule: Rule) -> Option<String>;
    /// A child read from its text: outside `None` when it is there and cannot be read.
    fn read<T>(&self, rule: Rule, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>>;
    /// A numeric child within the limits of its label.
    fn number<T: TryFrom<u64>>(&self, rule: Rule) -> Option<Option<T>>;
    /// A child with a `FromStr` type: an address.
    fn parsed<T: std::str::FromStr>(&self, rule: Rule) -> Option<Option<T>>;
}

impl<'i> Node<'i> for Pair<'i, Rule> {
    fn child(&self, rule: Rule) -> Option<Pair<'i, Rule>> {
        self.clone()
            .into_inner()
            .find(|child| child.as_rule() == rule)
    }

    fn has(&self, rule: Rule) -> bool {
        self.child(rule).is_some()
    }

    fn text(&self, rule: Rule) -> Option<&'i str> {
        self.child(rule).map(|child| child.as_str())
    }

    fn name(&self, rule: Rule) -> Option<String> {
        self.text(rule).map(str::to_owned)
    }

    fn read<T>(&self, rule: Rule, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
        match self.text(rule) {
            Some(text) => read(text).map(Some),
            None => Some(None),
        }
    }

    fn number<T: TryFrom<u64>>(&self, rule: Rule) -> Option<Option<T>> {
        self.read(rule, |text| in_range(rule, text))
    }

    fn parsed<T: std::str::FromStr>(&self, rule: Rule) -> Option<Option<T>> {
        self.read(rule, |text| text.parse().ok())
    }
}

/// Reads a number and checks it against the label of its rule.
fn in_range<T: TryFrom<u64>>(rule: Rule, text: &str) -> Option<T> {
    let number = hexadecimal(text)?;
    let (low, high) = retained::range(rule)?;
    (low..=high)
        .contains(&number)
        .then(|| T::try_from(number).ok())?
}

/// A key or password with the digit before it.
fn secret(pair: &Pair<'_, Rule>, text: Rule) -> Option<Secret> {
    let encoding = pair
        .clone()
        .into_inner()
        .find_map(|child| match child.as_rule() {
            Rule::k_enc_0
            | Rule::k_enc_4
            | Rule::k_enc_5
            | Rule::k_enc_6
            | Rule::k_enc_7
            | Rule::k_enc_8
            | Rule::k_enc_9 => SecretEncoding::from_word(child.as_str()),
            _ => None,
        });
    pair.text(text).map(|text| Secret::new(encoding, text))
}
