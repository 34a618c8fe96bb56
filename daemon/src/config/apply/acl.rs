//! Access-list commands, numbered and named.

use std::hash::Hash;

use indexmap::map::Entry;
use isthmus_grammar::command::{AclCommand, AclId, AclKind, Form, StandardAclCommand};

use super::{Outcome, Refused, done};
use crate::config::model::context::Context;
use crate::config::model::{
    AccessList, AclLine, AddError, Change, KeptLine, Numbered, Running, abbreviates,
};

/// `access-list NUMBER LINE`; `no access-list NUMBER ...` removes the whole list, as IOS does; the line that it names is not looked at.
pub(super) fn numbered<E>(
    running: &mut Running,
    form: Form,
    kind: AclKind,
    number: u16,
    line: &Option<E>,
    add: impl FnOnce(&mut AccessList, E) -> Result<(), AddError>,
) -> Outcome
where
    E: Clone,
{
    let name = number.to_string();
    match (form, line) {
        (Form::Set, Some(line)) => {
            let list = entry(running, kind, &name)?;
            add(list, line.clone()).map_err(cannot_add)?;
            changed(running, &name)
        }
        _ => remove(running, &name),
    }
}

/// Keeps a line that is not understood in the access-list that it belongs to; false when it belongs to none.
pub(in crate::config) fn keep(running: &mut Running, context: &Context, line: &KeptLine) -> bool {
    let Some((name, text)) = place(context, &line.text) else {
        return false;
    };
    let list = match number_kind(&name) {
        Some(kind) => entry(running, kind, &name).ok(),
        None => running.access_lists.get_mut(&name),
    };
    let Some(list) = list else {
        return false;
    };
    list.keep(text, line.below.clone());
    running.note(Change::AccessList(name));
    true
}

/// Removes a line that was kept in an access-list.
pub(super) fn remove_kept(running: &mut Running, context: &Context, text: &str) -> bool {
    let Some((name, text)) = place(context, text) else {
        return false;
    };
    let list = running.access_lists.get_mut(&name);
    let removed = list.is_some_and(|list| list.remove_kept(text));
    if removed {
        running.note(Change::AccessList(name));
    }
    removed
}

/// The list that a line belongs to, and the line as it is there: of `access-list NUMBER LINE` only what follows.
fn place<'a>(context: &Context, text: &'a str) -> Option<(AclId, &'a str)> {
    let text = text.trim();
    let numbered = || {
        let (first, rest) = text.split_once(char::is_whitespace)?;
        let (number, rest) = rest.trim_start().split_once(char::is_whitespace)?;
        let number = number_kind(number).map(|_| number.to_owned())?;
        abbreviates(first, "access-list", 2).then(|| (number, rest.trim_start()))
    };
    numbered().or_else(|| match context {
        Context::ExtendedAcl(name) | Context::StandardAcl(name) => Some((name.clone(), text)),
        _ => None,
    })
}

/// What kind of list has this number.
fn number_kind(name: &str) -> Option<AclKind> {
    match name.parse::<u16>() {
        Ok(1..=99 | 1300..=1999) => Some(AclKind::Standard),
        Ok(100..=199 | 2000..=2699) => Some(AclKind::Extended),
        _ => None,
    }
}

/// `ip access-list KIND NAME`.
pub(super) fn named(running: &mut Running, form: Form, kind: AclKind, name: &AclId) -> Outcome {
    if form != Form::Set {
        return remove(running, name);
    }
    let is_number = name.parse::<u16>().is_ok();
    if is_number && number_kind(name) != Some(kind) {
        return Err(Refused::new("% Invalid access list name."));
    }
    let known = running.access_lists.contains_key(name);
    entry(running, kind, name)?;
    if known {
        done()
    } else {
        changed(running, name)
    }
}

/// `ip access-list resequence NAME START STEP`.
pub(super) fn resequence(running: &mut Running, name: &AclId, start: u32, step: u32) -> Outcome {
    let fits = match running.access_lists.get_mut(name) {
        None => return Err(Refused::new(format!("% Access list {name} does not exist"))),
        Some(AccessList::Extended(list)) => list.resequence(start, step),
        Some(AccessList::Standard(list)) => list.resequence(start, step),
    };
    if !fits {
        return Err(Refused::new(
            "% Sequence number exceeded maximum allowed value",
        ));
    }
    changed(running, name)
}

/// A line in `(config-ext-nacl)#`.
pub(super) fn extended(
    running: &mut Running,
    name: &AclId,
    form: Form,
    command: &AclCommand,
) -> Outcome {
    let Some(AccessList::Extended(list)) = running.access_lists.get_mut(name) else {
        return Err(wrong_kind(name));
    };
    match command {
        AclCommand::Sequence(number) => remove_number(list, *number)?,
        AclCommand::Entry { sequence, entry } => {
            change(list, form, *sequence, entry.clone().into())?
        }
    }
    changed(running, name)
}

/// A line in `(config-std-nacl)#`.
pub(super) fn standard(
    running: &mut Running,
    name: &AclId,
    form: Form,
    command: &StandardAclCommand,
) -> Outcome {
    let Some(AccessList::Standard(list)) = running.access_lists.get_mut(name) else {
        return Err(wrong_kind(name));
    };
    match command {
        StandardAclCommand::Sequence(number) => remove_number(list, *number)?,
        StandardAclCommand::Entry { sequence, entry } => {
            change(list, form, *sequence, entry.clone().into())?
        }
    }
    changed(running, name)
}

fn change<R: Clone + Eq + Hash>(
    list: &mut Numbered<R>,
    form: Form,
    sequence: Option<u32>,
    line: AclLine<R>,
) -> Result<(), Refused> {
    match (form, sequence) {
        (Form::Set, _) => list.add(sequence, line).map_err(cannot_add),
        (_, Some(number)) => remove_number(list, number),
        (_, None) if list.remove(&line) => Ok(()),
        (_, None) => Err(Refused::new("% Entry does not exist in this access list")),
    }
}

fn remove_number<R: Clone + Eq + Hash>(list: &mut Numbered<R>, number: u32) -> Result<(), Refused> {
    if list.remove_number(number) {
        Ok(())
    } else {
        Err(Refused::new(format!(
            "% Sequence number {number} does not exist in this access list"
        )))
    }
}

fn entry<'a>(
    running: &'a mut Running,
    kind: AclKind,
    name: &AclId,
) -> Result<&'a mut AccessList, Refused> {
    let list = match running.access_lists.entry(name.clone()) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(new) => new.insert(match kind {
            AclKind::Extended => AccessList::Extended(Numbered::default()),
            AclKind::Standard => AccessList::Standard(Numbered::default()),
        }),
    };
    match (kind, &*list) {
        (AclKind::Extended, AccessList::Extended(_))
        | (AclKind::Standard, AccessList::Standard(_)) => Ok(list),
        _ => Err(wrong_kind(name)),
    }
}

fn remove(running: &mut Running, name: &AclId) -> Outcome {
    match running.access_lists.shift_remove(name) {
        Some(_) => changed(running, name),
        None => done(),
    }
}

fn changed(running: &mut Running, name: &AclId) -> Outcome {
    running.note(Change::AccessList(name.clone()));
    done()
}

fn wrong_kind(name: &AclId) -> Refused {
    Refused::new(format!(
        "% A named access list with the name {name} of another type already exists"
    ))
}

fn cannot_add(error: AddError) -> Refused {
    match error {
        AddError::Duplicate => {
            Refused::new("% Duplicate sequence number\n% Failed to add ace to access-list")
        }
        AddError::Full => Refused::new("% Sequence number exceeded maximum allowed value"),
    }
}
