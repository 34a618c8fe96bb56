//! Typed commands from matched lines; one file per family of commands.
//!
//! Everything here answers `None` for a value that the syntax lets through and the type does not: a port of more digits
//! than a port has, an option of an access-list line that stands twice.

mod acl;
mod exec;
mod files;
mod global;
mod logging;
mod login;
mod modes;
mod retained;
mod show;

use crate::command::{Command, ConfigCommand, ConfigLine, Form, Parsed, Secret, SecretEncoding};
use crate::matched::{Matched, Part};
use crate::modes::Mode;
use crate::tree::Rule;

/// The command of a line of a table.
pub(crate) fn line(table: Mode, line: &Matched<'_>) -> Option<Parsed> {
    let part = command_in(line.whole())?;
    if !table.is_config() {
        let (command, tail) = exec::command(part)?;
        return Some(Parsed {
            command: Command::Exec(command),
            filter: tail.filter,
            json: tail.json,
        });
    }
    let command = match part.rule() {
        Rule::do_line => {
            let (command, tail) = exec::command(command_in(part)?)?;
            return Some(Parsed {
                command: Command::Do(command),
                filter: tail.filter,
                json: tail.json,
            });
        }
        Rule::exit_config | Rule::exit_family | Rule::quit_config => Command::Exit,
        Rule::closed_data | Rule::closed_family => Command::Empty,
        Rule::end_config => Command::End,
        _ => config(table, part, line).map(Command::Config)?,
    };
    Some(Parsed {
        command,
        filter: None,
        json: false,
    })
}

/// The command in a line: what follows the words that several commands share.
fn command_in(line: Part<'_>) -> Option<Part<'_>> {
    line.parts().last()
}

fn config(table: Mode, part: Part<'_>, whole: &Matched<'_>) -> Option<ConfigLine> {
    let form = match part.parts().next()?.rule() {
        Rule::k_no => Form::No,
        Rule::k_default => Form::Default,
        _ => Form::Set,
    };
    let part = match form {
        Form::Set => part,
        Form::No | Form::Default => command_in(part)?,
    };
    if let Some(about) = part.rule().retained() {
        let line = retained::line(table, about, whole);
        return Some(ConfigLine {
            form,
            command: ConfigCommand::Retained(Box::new(line)),
        });
    }
    let command = match table {
        Mode::Config => global::command(part).map(ConfigCommand::Global),
        _ => modes::command(table, part),
    };
    Some(ConfigLine {
        form,
        command: command?,
    })
}

/// A key or password with the digit before it.
fn secret(part: Part<'_>, text: Rule) -> Option<Secret> {
    let encoding = part.parts().find_map(|child| match child.rule() {
        Rule::k_enc_0
        | Rule::k_enc_4
        | Rule::k_enc_5
        | Rule::k_enc_6
        | Rule::k_enc_7
        | Rule::k_enc_8
        | Rule::k_enc_9 => SecretEncoding::from_word(child.word()),
        _ => None,
    });
    part.text(text).map(|text| Secret::new(encoding, text))
}
