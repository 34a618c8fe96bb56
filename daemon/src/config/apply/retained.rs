//! Commands that are understood and kept, but not acted on.

use isthmus_grammar::command::{Form, RetainedLine, Section};
use isthmus_grammar::{Mode, Rule};

use super::{Origin, Outcome, Refused, done, interface, references, removed_meanwhile, say};
use crate::config::encrypt;
use crate::config::model::context::Context;
use crate::config::model::{BlockId, Change, LineId, Retained, Running};

/// Keeps or removes a line in the block of `context` that its mode belongs to, and moves the context to the mode that
/// the line leads to.
pub(super) fn apply(
    running: &mut Running,
    context: &mut Context,
    form: Form,
    line: &RetainedLine,
    origin: Origin,
) -> Outcome {
    if line.is_once() {
        let what = line.for_messages();
        return Err(Refused::new(format!(
            "% Nothing was done, not active in this release: {what}"
        )));
    }
    let place = context
        .up_to(line.mode())
        .ok_or_else(|| Refused::new("% This command belongs to another configuration mode."))?;
    let kept = line.kept_as(form);
    if origin == Origin::Terminal {
        references::check(running, line, kept)?;
    }
    let is_address = ["ip address ", "ip unnumbered "]
        .iter()
        .any(|words| line.words().starts_with(words));
    if let (Context::Interface(name), Some(Form::Set), true) = (&place, kept, is_address) {
        interface::address_elsewhere(running, name);
    }
    let known = running.retained_in(&place);
    let known = known.and_then(|retained| retained.find(line.kind(), line.key()));
    let known = known.map(|entry| entry.line.clone());
    let line = &encrypt::encoded(line, known.as_ref(), &running.encodings());
    let change = |retained: &mut Retained| match kept {
        Some(Form::No) => retained.set(line.negated(), Form::No),
        Some(form) => retained.set(line.clone(), form),
        None => {
            retained.remove(line);
            if line.section() == Section::CryptoMaps {
                let of_map = format!("{} ", line.words());
                let of_map = |other: &RetainedLine| other.words().starts_with(&of_map);
                retained.remove_in_section(Section::MapSettings, of_map);
            }
        }
    };
    let kept_below =
        |running: &mut Running| running.retained_in(&place).map(|all| all.kept_below());
    let before = kept_below(running);
    if !in_each_place(running, &place, change) {
        return Err(removed_meanwhile());
    }
    if kept_below(running) != before {
        // A line that is not understood could be about any entry of a crypto map.
        running.note(Change::Everything);
    }
    note(running, &place, line);
    *context = match line.enters() {
        Some(inner) if kept == Some(Form::Set) => place.below(inner, BlockId::of(line)),
        _ => place,
    };
    if origin == Origin::Terminal && kept == Some(Form::Set) && known.is_none() {
        return say(references::needs(line));
    }
    done()
}

/// Changes the retained lines of a context, of every line in a range of terminal lines; false when it is gone.
fn in_each_place(
    running: &mut Running,
    context: &Context,
    mut change: impl FnMut(&mut Retained),
) -> bool {
    let Context::Line { kind, first, last } = context else {
        return running.retained_in(context).map(change).is_some();
    };
    (*first..=*last).fold(false, |found, number| {
        let id = LineId {
            kind: *kind,
            number,
        };
        let line = running.lines.get_mut(&id);
        line.map(|line| change(&mut line.retained)).is_some() || found
    })
}

/// A line that something else waits for may stop or start that.
fn note(running: &mut Running, place: &Context, line: &RetainedLine) {
    let change = match place {
        Context::CryptoMap { name, sequence } if line.is_needed() => {
            Change::CryptoMap(name.clone(), Some(*sequence))
        }
        _ if line.is_needed() || is_of_a_group(line) || is_of_a_dynamic_map(line) => {
            Change::Everything
        }
        _ if line.kind() == Rule::r_call_admission => Change::Isakmp,
        _ => Change::System,
    };
    running.note(change);
}

/// A line of a dynamic map, or what opens one: what it names is blocked where a crypto map uses it.
fn is_of_a_dynamic_map(line: &RetainedLine) -> bool {
    line.kind() == Rule::r_dynamic_map || line.mode() == Mode::DynamicMap
}

/// A line of an object group, or what opens one: access-lists may name the group.
fn is_of_a_group(line: &RetainedLine) -> bool {
    let groups = [Mode::NetworkGroup, Mode::ServiceGroup];
    line.section() == Section::ObjectGroups || groups.contains(&line.mode())
}
