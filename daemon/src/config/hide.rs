//! Configuration texts for those who may not know every key: files, and lines of files that are compared. Called by the
//! sessions for `more`, by `difference`, and by `render` for what is not understood.

use isthmus_grammar::command::{Command, ConfigLine};
use isthmus_grammar::{Mode, parser, render, secrets};

/// What stands in the place of keys and passwords.
pub const REMOVED: &str = "<removed>";

/// Follows the blocks of a configuration by their indentation. A line that is understood loses the secrets that its
/// command has, any other what follows a word that announces one.
#[derive(Debug, Default)]
struct Hider {
    /// The open blocks with the indentation of their headers.
    blocks: Vec<(usize, Block)>,
}

#[derive(Clone, Copy, Debug)]
enum Block {
    /// Its lines are commands of this mode.
    Known(Mode),
    /// Its header was not understood.
    Unknown,
    /// Its header ends with a word that announces a secret, so its lines are that secret.
    Secret,
}

impl Hider {
    fn line(&mut self, indent: usize, line: &str) -> String {
        while self.blocks.pop_if(|(outer, _)| *outer >= indent).is_some() {}
        let within = self.blocks.last().map(|(_, block)| *block);
        let command = match within.unwrap_or(Block::Known(Mode::Config)) {
            Block::Secret => return REMOVED.to_owned(),
            Block::Unknown => None,
            Block::Known(mode) => command(mode, line),
        };
        let Some(command) = command else {
            let block = match secrets::announces_block(line) {
                true => Block::Secret,
                false => Block::Unknown,
            };
            self.blocks.push((indent, block));
            return secrets::shown(line, REMOVED);
        };
        if let Some(mode) = command.enters() {
            self.blocks.push((indent, Block::Known(mode)));
        }
        let safe = render::without_secrets(&command, REMOVED);
        match safe == render::render(&command) {
            true => line.to_owned(),
            false => safe.trim_end().to_owned(),
        }
    }
}

fn command(mode: Mode, line: &str) -> Option<ConfigLine> {
    match parser::parse(mode, line).ok()?.command {
        Command::Config(command) => Some(command),
        _ => None,
    }
}

/// Lines that are not understood, with their indentation, without the secrets in them.
pub(super) fn unknown<'a>(lines: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut hider = Hider {
        blocks: vec![(0, Block::Unknown)],
    };
    let hidden = lines.map(|line| {
        let words = line.trim_start_matches([' ', '\t']);
        let indent = line.len() - words.len();
        format!("{}{}", &line[..indent], hider.line(indent + 1, words))
    });
    hidden.collect()
}

/// A file without the secrets in it; its lines are still lines.
#[must_use]
pub fn text(text: &str) -> String {
    let mut hider = Hider::default();
    let mut safe = String::with_capacity(text.len());
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_start_matches([' ', '\t']);
        let words = line.trim_end();
        let indent = whole.len() - line.len();
        safe.push_str(&whole[..indent]);
        safe.push_str(&hider.line(indent, words));
        safe.push_str(&line[words.len()..]);
    }
    safe
}

/// Lines that each stand below the one before, without the secrets in them.
pub(super) fn nested<'a>(lines: impl Iterator<Item = &'a mut String>) {
    let mut hider = Hider::default();
    for (depth, text) in lines.enumerate() {
        *text = hider.line(depth, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_lines_and_loses_its_secrets() {
        let file = "! key of the headquarters: k3y\nhostname R1\ncrypto isakmp policy 10\n authentication pre-share\n\
                    crypto isakmp key k3y address 192.0.2.1\ncrypto isakmp client configuration group G\n key k3y\n\
                    line vty 0 4\n password 7 k3y\n transport input ssh\nrouter ospf 1\n area 0 virtual-link 192.0.2.9 \
                    message-digest-key 1 md5 k3y\r\n key-string\n  k3y k3y\n nonsense\n  level 0\nsnmp-server community k3y RO\n";
        assert_eq!(
            text(file),
            "! key <removed>\nhostname R1\ncrypto isakmp policy 10\n authentication pre-share\n\
             crypto isakmp key <removed> address 192.0.2.1\ncrypto isakmp client configuration group G\n \
             key <removed>\nline vty 0 4\n password 7 <removed>\n transport input ssh\nrouter ospf 1\n area 0 \
             virtual-link 192.0.2.9 message-digest-key <removed>\r\n key-string\n  <removed>\n nonsense\n  level 0\nsnmp-server community <removed> RO\n"
        );
        assert_eq!(text("no end"), "no end");
    }
}
