//! Inactive commands: the words of the whole line.

use std::borrow::Cow;

use crate::banner::{Delimiter, delimited};
use crate::command::{RetainedLine, Token};
use crate::matched::{Matched, Word};
use crate::modes::Mode;
use crate::retained::Retained;
use crate::tree::{Kind, Rule, Terminal};

/// The line of an inactive command, without its `no` or `default`.
pub(super) fn line(table: Mode, about: &'static Retained, line: &Matched<'_>) -> RetainedLine {
    let words = line.words().iter().filter(|word| {
        let rule = word.terminal().rule;
        !matches!(rule, Rule::k_no | Rule::k_default)
    });
    let mut words: Vec<_> = words.map(|word| (kept(word), word.terminal())).collect();
    // Clear text goes without saying, as on IOS.
    let clear = words
        .windows(2)
        .position(|pair| pair[0].0 == "0" && is_word(pair[0].1) && pair[1].1.secret.is_some());
    if let Some(clear) = clear {
        words.remove(clear);
    }
    let tokens = words.iter().map(|(text, terminal)| Token {
        text,
        keyword: is_word(terminal),
        secret: terminal.secret,
        free: matches!(terminal.kind, Kind::Line { .. }) && terminal.secret.is_none(),
    });
    RetainedLine::new(table, about, tokens)
}

fn is_word(terminal: &Terminal) -> bool {
    matches!(terminal.kind, Kind::Word { .. })
}

/// A word as it is kept.
fn kept<'w>(word: &'w Word<'_>) -> Cow<'w, str> {
    let terminal = word.terminal();
    match terminal.kind {
        Kind::Line { multiple: true } => {
            Cow::Owned(delimited(&Delimiter::text_between(&word.text)))
        }
        _ => Cow::Borrowed(terminal.means.unwrap_or(&word.text)),
    }
}
