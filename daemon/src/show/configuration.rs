//! `show running-config` and `show startup-config`. Called by `show`.
//!
//! The fact is the configuration's text. In JSON it is a tree: a line, and the lines that belong to it.

use std::borrow::Cow;

use isthmus_grammar::banner::printed_banner_start;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::screen::Facts;
use super::snapshot::Startup;
use crate::config::load;
use crate::config::render::{self, Options};

/// `show running-config [...]`.
#[derive(Serialize, JsonSchema)]
pub struct RunningConfig {
    /// The length of the configuration's text in octets.
    size_bytes: usize,
    /// Its lines, without comments and without `end`.
    #[serde(rename = "lines", serialize_with = "tree")]
    #[schemars(with = "Vec<Line>")]
    body: String,
}

/// A configuration's text, as `render` made it.
pub fn running(body: String) -> RunningConfig {
    RunningConfig {
        size_bytes: body.len(),
        body,
    }
}

impl Facts for RunningConfig {
    fn text(&self) -> String {
        render::titled(&self.body)
    }
}

/// `show inactive-config`.
#[derive(Serialize, JsonSchema)]
pub struct InactiveConfig {
    /// The lines that do nothing in this release, below the lines that open the blocks they are in.
    #[serde(rename = "lines", serialize_with = "tree")]
    #[schemars(with = "Vec<Line>")]
    text: String,
    /// How many of them were not understood or refused.
    not_understood: usize,
}

/// The lines as `render` found them, and how many of them were not understood.
pub fn inactive(text: String, not_understood: usize) -> InactiveConfig {
    InactiveConfig {
        text,
        not_understood,
    }
}

impl Facts for InactiveConfig {
    fn text(&self) -> String {
        let text = &self.text;
        match self.not_understood {
            0 => text.clone(),
            1 => format!("{text}! 1 of these lines was not understood\n"),
            count => format!("{text}! {count} of these lines were not understood\n"),
        }
    }
}

/// `show startup-config`.
#[derive(Serialize, JsonSchema)]
pub struct StartupConfig<'a> {
    /// The file; absent when there is none.
    startup_config: Option<StartupFile<'a>>,
}

/// The startup-config file.
#[derive(Serialize, JsonSchema)]
struct StartupFile<'a> {
    /// Its length in octets.
    size_bytes: usize,
    /// What the file system it is on can hold, in octets.
    capacity_bytes: u64,
    /// Its lines, without comments and without `end`.
    #[serde(rename = "lines", serialize_with = "tree")]
    #[schemars(with = "Vec<Line>")]
    text: Cow<'a, str>,
}

/// The file, if there is one. Without its secrets it is the configuration that it leads to.
pub fn startup<'a>(startup: Option<&'a Startup>, options: &Options) -> StartupConfig<'a> {
    let startup_config = startup.map(|startup| StartupFile {
        size_bytes: startup.text.len(),
        capacity_bytes: startup.capacity,
        text: match options.hide_secrets {
            true => render::body(&load(&startup.text, "startup-config").0, options).into(),
            false => (&startup.text).into(),
        },
    });
    StartupConfig { startup_config }
}

impl Facts for StartupConfig<'_> {
    fn text(&self) -> String {
        match &self.startup_config {
            None => "startup-config is not present\n".to_string(),
            Some(file) => format!(
                "Using {} out of {} bytes\n{}\n",
                file.size_bytes, file.capacity_bytes, file.text
            ),
        }
    }
}

/// One line of a configuration.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Line<'a> {
    /// Its words; a banner with its line ends.
    line: Cow<'a, str>,
    /// The lines that belong to it.
    children: Vec<Line<'a>>,
}

fn tree<S: Serializer>(text: &impl AsRef<str>, to: S) -> Result<S::Ok, S::Error> {
    lines(text.as_ref()).serialize(to)
}

/// The lines of a text, each with those that are indented below it.
fn lines(text: &str) -> Vec<Line<'_>> {
    let mut roots = Vec::new();
    // The lines that may still get children, with their indentation: each belongs to the one before.
    let mut open: Vec<(usize, Line<'_>)> = Vec::new();
    let mut rest = text.lines();
    while let Some(first) = rest.next() {
        let words = first.trim_start_matches(' ');
        if words.trim_end().is_empty() || words.starts_with('!') || first == "end" {
            continue;
        }
        let indent = first.len() - words.len();
        close(&mut open, &mut roots, indent);
        let line = match printed_banner_start(words) {
            Some(end) => {
                let mut banner = words.to_owned();
                for below in rest.by_ref() {
                    banner = banner + "\n" + below;
                    if end.ends(below) {
                        break;
                    }
                }
                Cow::Owned(banner)
            }
            None => Cow::Borrowed(words),
        };
        let children = Vec::new();
        open.push((indent, Line { line, children }));
    }
    close(&mut open, &mut roots, 0);
    roots
}

/// Puts the lines that are indented as far as `indent`, or further, where they belong.
fn close<'a>(open: &mut Vec<(usize, Line<'a>)>, roots: &mut Vec<Line<'a>>, indent: usize) {
    while let Some((_, line)) = open.pop_if(|(own, _)| *own >= indent) {
        match open.last_mut() {
            Some((_, parent)) => parent.children.push(line),
            None => roots.push(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_indented_belongs_to_the_line_above() {
        let text = "!\nhostname R1\n!\nbanner motd ^C\n one\n!\ntwo ^C\nvpdn-group 1\n accept-dialin\n  protocol l2tp\n \
                    l2tp tunnel\n!\ninterface eth0\n shutdown\n!\nend\n";
        let line = |line: &'static str, children| Line {
            line: line.into(),
            children,
        };
        let dialin = line("accept-dialin", vec![line("protocol l2tp", vec![])]);
        assert_eq!(
            lines(text),
            [
                line("hostname R1", vec![]),
                line("banner motd ^C\n one\n!\ntwo ^C", vec![]),
                line("vpdn-group 1", vec![dialin, line("l2tp tunnel", vec![])]),
                line("interface eth0", vec![line("shutdown", vec![])]),
            ]
        );
    }
}
