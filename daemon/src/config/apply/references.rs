//! What a retained line names (`@names` in the grammar), and what its object still needs: said at the terminal as IOS says
//! it. A file may name things before the line that makes them.

use isthmus_grammar::Rule;
use isthmus_grammar::command::{Form, RetainedLine};

use super::Refused;
use super::crypto::no_transform_set;
use crate::config::model::{RetainedEntry, Running};

/// What IOS says when a new object is begun: the kind of line that begins it, and the text.
const NEEDS: &[(Rule, &str)] = &[
    (
        Rule::r_crypto_ikev2_proposal,
        "IKEv2 proposal MUST either have a set of an encryption algorithm other than aes-gcm, an integrity algorithm and a DH \
         group configured or \n encryption algorithm aes-gcm, a prf algorithm and a DH group configured\n",
    ),
    (
        Rule::r_crypto_ikev2_policy,
        "IKEv2 policy MUST have atleast one complete proposal attached \n",
    ),
    (
        Rule::r_crypto_ikev2_profile,
        "IKEv2 profile MUST have:\n   1. A local and a remote authentication method.\n   2. A match identity or a match \
         certificate or match any statement.\n",
    ),
    (
        Rule::r_isakmp_profile,
        "% A profile is deemed incomplete until it has match identity statements\n",
    ),
];

/// What a new object still needs, every line ended; empty where IOS says nothing.
pub(super) fn needs(line: &RetainedLine) -> &'static str {
    let entry = NEEDS.iter().find(|(kind, _)| *kind == line.kind());
    entry.map_or("", |(_, text)| text)
}

/// Refuses a line that names what is not there, or takes away what another line names.
///
/// # Errors
/// The text of IOS, with the name.
pub(super) fn check(
    running: &Running,
    line: &RetainedLine,
    kept: Option<Form>,
) -> Result<(), Refused> {
    match kept {
        Some(Form::Set) => named(running, line),
        None => unused(running, line),
        _ => Ok(()),
    }
}

fn named(running: &Running, line: &RetainedLine) -> Result<(), Refused> {
    if line.kind() == Rule::r_entry_transform_set {
        let sets = &running.crypto.transform_sets;
        let missing = line
            .arguments(Rule::a_set_transform_set)
            .find(|name| *name != "default" && !sets.contains_key(*name));
        return match missing {
            Some(name) => Err(Refused::new(no_transform_set(name))),
            None => Ok(()),
        };
    }
    match line.names() {
        Some(reference)
            if !reference.is_built_in()
                && !running.retained.makes(reference.thing, reference.name) =>
        {
            Err(Refused::new(reference.refusal()))
        }
        _ => Ok(()),
    }
}

/// What a line makes stays while another names it, where IOS says so.
fn unused(running: &Running, line: &RetainedLine) -> Result<(), Refused> {
    let (Some(refusal), Some((thing, name))) = (line.in_use(), line.makes()) else {
        return Ok(());
    };
    let mut blocks = running.retained.iter().flat_map(|entry| entry.block.iter());
    let names_it = |entry: &RetainedEntry| {
        let reference = entry.line.names();
        reference.is_some_and(|other| (other.thing, other.name) == (thing, name))
    };
    match blocks.any(names_it) {
        true => Err(Refused::new(refusal)),
        false => Ok(()),
    }
}
