//! `crypto dynamic-map`: a template for peers that no entry names. Its entries do not act in this release; what they say
//! of traffic is read here, so that `plan` can keep it from leaving in clear.

use std::collections::HashMap;

use isthmus_grammar::Rule;
use isthmus_grammar::command::{AclId, Form};

use super::{Kept, RetainedEntry, Running};

/// One `crypto dynamic-map NAME SEQUENCE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamicEntry<'a> {
    /// Its number.
    pub sequence: u16,
    /// `match address`.
    pub match_address: Option<AclId>,
    /// Lines that are not understood.
    pub kept: &'a Kept,
}

impl Running {
    /// All dynamic maps by name, each with its entries in the order of their numbers.
    pub fn dynamic_maps(&self) -> HashMap<&str, Vec<DynamicEntry<'_>>> {
        let mut maps: HashMap<&str, Vec<DynamicEntry<'_>>> = HashMap::new();
        for opener in self.retained.iter() {
            if opener.line.kind() != Rule::r_dynamic_map || opener.form != Form::Set {
                continue;
            }
            let Some(name) = opener.line.argument(Rule::a_dynamic_map) else {
                continue;
            };
            let sequence = opener.line.number(Rule::a_map_sequence);
            maps.entry(name).or_default().push(DynamicEntry {
                sequence: sequence.unwrap_or(0),
                match_address: match_address(opener),
                kept: &opener.kept,
            });
        }
        maps
    }
}

/// The list of an entry.
fn match_address(entry: &RetainedEntry) -> Option<AclId> {
    let retained = entry.block.iter();
    let mut retained = retained.filter(|line| line.form == Form::Set);
    retained.find_map(|line| {
        let list = line.line.words().strip_prefix("match address ")?;
        Some(AclId::from(list))
    })
}
