//! One configuration command changes the running-config, wholly or not at all.
//!
//! Called by the sessions for every line typed in a configuration mode and by the loader for every line of a file.
//! Touches neither kernel nor engine: the reconciler makes those follow.

pub(super) mod acl;
mod crypto;
mod crypto_map;
mod global;
mod interface;
mod line;
mod logging;
mod login;
mod references;
mod retained;

use isthmus_grammar::InterfaceName;
use isthmus_grammar::command::{ConfigCommand, ConfigLine, Form, RetainedLine};

use super::model::context::Context;
use super::model::{Change, LineId, Running};
use super::weak;

/// Where a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An operator: names must exist when they are used, as on IOS.
    Terminal,
    /// A file that is loaded as one transaction: names may be used before the line that makes them.
    File,
}

/// The command was obeyed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// What the operator sees, every line ended; mostly empty.
    pub text: String,
}

/// The command was refused and nothing was changed, not even the mode; of a range, those interfaces that refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.trim_end())]
pub struct Refused(
    /// What the operator sees, every line ended.
    pub String,
);

impl Refused {
    fn new(text: impl AsRef<str>) -> Refused {
        Refused(format!("{}\n", text.as_ref()))
    }
}

type Outcome = Result<Applied, Refused>;

const DONE: Applied = Applied {
    text: String::new(),
};

fn done() -> Outcome {
    Ok(DONE)
}

fn say(text: impl Into<String>) -> Outcome {
    Ok(Applied { text: text.into() })
}

/// Obeys one configuration command in a context and moves the context to the mode it leads to.
///
/// # Errors
/// The refusal, in IOS's words where it has them. Nothing was changed then.
pub fn apply(
    running: &mut Running,
    context: &mut Context,
    line: &ConfigLine,
    origin: Origin,
) -> Outcome {
    let mut applied = obey(running, context, line, origin)?;
    if origin == Origin::Terminal
        && let Some(words) = line.inactive()
    {
        applied
            .text
            .push_str("% Accepted, not active in this release: ");
        applied.text.push_str(&words);
        applied.text.push('\n');
    }
    if origin == Origin::Terminal {
        applied.text.push_str(&weak::warnings(running, line));
    }
    Ok(applied)
}

fn obey(
    running: &mut Running,
    context: &mut Context,
    line: &ConfigLine,
    origin: Origin,
) -> Outcome {
    if matches!(context, Context::Range(_)) && line.mode() == context.mode() {
        return obey_in_each(running, context, line, origin);
    }
    let form = line.form;
    let applied = match &line.command {
        ConfigCommand::Global(command) => global::apply(running, form, command, origin)?,
        ConfigCommand::Retained(line) => {
            return retained::apply(running, context, form, line, origin);
        }
        command => {
            if !running.has(context) {
                return Err(removed_meanwhile());
            }
            match (command, &*context) {
                (ConfigCommand::Interface(command), Context::Interface(name)) => {
                    interface::apply(running, name, form, command, origin)?
                }
                (ConfigCommand::ExtendedAcl(command), Context::ExtendedAcl(name)) => {
                    acl::extended(running, name, form, command)?
                }
                (ConfigCommand::StandardAcl(command), Context::StandardAcl(name)) => {
                    acl::standard(running, name, form, command)?
                }
                (ConfigCommand::IsakmpPolicy(command), Context::IsakmpPolicy(priority)) => {
                    crypto::policy(running, *priority, form, command)
                }
                (ConfigCommand::TransformSet(command), Context::TransformSet(name)) => {
                    crypto::transform_set_mode(running, name, form, command)
                }
                (ConfigCommand::CryptoMap(command), Context::CryptoMap { name, sequence }) => {
                    crypto_map::entry(running, name, *sequence, form, command, origin)?
                }
                (ConfigCommand::Line(command), Context::Line { kind, first, last }) => {
                    line::apply(running, *kind, *first..=*last, form, command)
                }
                _ => {
                    return Err(Refused::new(
                        "% This command belongs to another configuration mode.",
                    ));
                }
            }
        }
    };
    *context = context.next(form, &line.command);
    Ok(applied)
}

/// A line for each interface of a range. As on IOS those that take it have it, also where others refuse it.
fn obey_in_each(
    running: &mut Running,
    context: &Context,
    line: &ConfigLine,
    origin: Origin,
) -> Outcome {
    let (mut said, mut refused) = (DONE, Vec::new());
    for mut one in context.each() {
        match obey(running, &mut one, line, origin) {
            // Mostly the same for all of them.
            Ok(applied) if said.text.ends_with(&applied.text) => {}
            Ok(applied) => said.text.push_str(&applied.text),
            Err(why) if refused.contains(&why.0) => {}
            Err(why) => refused.push(why.0),
        }
    }
    match refused.is_empty() {
        true => Ok(said),
        false => Err(Refused(refused.concat())),
    }
}

fn removed_meanwhile() -> Refused {
    Refused::new("% What this mode edits was removed meanwhile: leave it with exit.")
}

/// Whether everything is there that a line of a loaded file names: what the terminal would have refused it for.
///
/// # Errors
/// The refusal of the terminal.
pub fn check_references(running: &Running, line: &RetainedLine, form: Form) -> Result<(), Refused> {
    references::check(running, line, line.kept_as(form))
}

/// Removes what is configured of an interface that the machine does not have under this name.
pub fn forget_interface(running: &mut Running, name: &InterfaceName) {
    let lines = running.interfaces.get(name);
    // A line that is not understood could be about any entry of a crypto map.
    let kept = lines.is_some_and(|lines| !lines.kept.is_empty());
    if running.interfaces.remove(name) {
        running.note(match kept {
            true => Change::Everything,
            false => Change::Interface(name.clone()),
        });
    }
}

/// Removes a line that was kept from a file without being understood: the operator's `no LINE` (the text without the
/// `no`), which no grammar can read. False when no such line is kept in this context.
pub fn remove_kept(running: &mut Running, context: &Context, text: &str) -> bool {
    let text = text.trim();
    if acl::remove_kept(running, context, text) {
        return true;
    }
    let removed = match context {
        Context::Line { kind, first, last } => (*first..=*last).fold(false, |removed, number| {
            let line = running.lines.get_mut(&LineId {
                kind: *kind,
                number,
            });
            line.is_some_and(|line| line.kept.remove(text)) || removed
        }),
        _ => context.each().iter().fold(false, |removed, context| {
            let kept = running.kept_in(context);
            kept.is_some_and(|kept| kept.remove(text)) || removed
        }),
    };
    if removed {
        running.note(kept_change(context));
    }
    removed
}

/// What changes with a line that is not understood: packets too, where it could be about what a crypto map protects.
pub(super) fn kept_change(context: &Context) -> Change {
    match context {
        Context::Line { .. } | Context::IsakmpPolicy(_) | Context::TransformSet(_) => {
            Change::System
        }
        _ => Change::Everything,
    }
}

/// The value of a command in its form: what was given with the plain form, nothing with `no` and `default`.
fn given<T: Clone>(form: Form, value: &Option<T>) -> Option<T> {
    match form {
        Form::Set => value.clone(),
        Form::No | Form::Default => None,
    }
}
