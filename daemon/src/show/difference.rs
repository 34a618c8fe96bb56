//! `show archive config differences` and `incremental-diffs`: two configurations compared, as `config/difference.rs` does. Called by
//! `show` and by sessions.

use schemars::JsonSchema;
use serde::Serialize;

use super::screen::Facts;
use crate::config::difference::{Difference, Operation};

/// How the differences are printed.
#[derive(Clone, Copy, Debug, Default)]
pub enum Layout {
    /// Signed, each below the lines that it stands in.
    #[default]
    Contextual,
    /// As lines to be typed.
    Commands,
}

/// What is different between two configurations.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Differences {
    /// The first configuration, such as `nvram:startup-config`.
    pub from: String,
    /// The second; of `incremental-diffs` it is the file, and only what that adds is told.
    pub to: String,
    /// What was added, then what was removed, each in the order of its configuration.
    pub differences: Vec<Difference>,
    /// How the text has them.
    #[serde(skip)]
    pub layout: Layout,
}

impl Facts for &Differences {
    fn text(&self) -> String {
        match self.layout {
            Layout::Contextual => contextual(&self.differences),
            Layout::Commands => commands(&self.differences),
        }
    }
}

/// `+` before what was added, `-` before what was removed.
pub fn contextual(differences: &[Difference]) -> String {
    let mut text = String::from("!Contextual Config Diffs:\n");
    if differences.is_empty() {
        text.push_str("!No changes were found\n");
    }
    in_context(differences, |line, depth, operation| {
        let sign = match operation {
            None => "",
            Some(Operation::Added) => "+",
            Some(Operation::Removed) => "-",
        };
        for line in line.split('\n') {
            text.push_str(&format!("{:depth$}{sign}{line}\n", ""));
        }
    });
    text
}

/// Each difference as the line to be typed.
pub fn commands(differences: &[Difference]) -> String {
    let mut text = String::from("!List of Commands:\n");
    if differences.is_empty() {
        return text + "!No changes were found\n";
    }
    in_context(differences, |line, depth, _| {
        text.push_str(&format!("{:depth$}{line}\n", ""));
    });
    text + "end\n"
}

/// Prints each line below its section, of which only what the line before does not stand in has to be printed. The lines
/// of sections have no operation.
fn in_context(differences: &[Difference], mut print: impl FnMut(&str, usize, Option<Operation>)) {
    let (mut open, mut before): (Vec<&str>, _) = (Vec::new(), None);
    for Difference {
        operation,
        section,
        line,
    } in differences
    {
        if before.replace(operation) != Some(operation) {
            open.clear();
        }
        let known = section
            .iter()
            .zip(&open)
            .take_while(|(one, other)| one == other)
            .count();
        for (depth, above) in section.iter().enumerate().skip(known) {
            print(above, depth, None);
        }
        print(line, section.len(), Some(*operation));
        open = section.iter().chain([line]).map(String::as_str).collect();
    }
}
