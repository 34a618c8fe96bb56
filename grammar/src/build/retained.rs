//! Inactive commands: the words of the whole line.

use std::borrow::Cow;

use crate::banner::{Delimiter, delimited};
use crate::command::RetainedLine;
use crate::matched::{Matched, Word};
use crate::modes::Mode;
use crate::retained::Retained;
use crate::tree::{Kind, Rule};

/// The line of an inactive command, without its `no` or `default`.
pub(super) fn line(table: Mode, about: &'static Retained, line: &Matched<'_>) -> RetainedLine {
    let words = line.words().iter().filter(|word| {
        let rule = word.terminal().rule;
        !matches!(rule, Rule::k_no | Rule::k_default)
    });
    let mut words: Vec<_> = words
        .map(|word| (word.terminal().rule, kept(word)))
        .collect();
    // Clear text goes without saying, as on IOS.
    let clear = words.windows(2).position(|pair| {
        let secret = pair[1]
            .0
            .terminal()
            .is_some_and(|word| word.secret.is_some());
        pair[0].0 == Rule::k_enc_0 && secret
    });
    if let Some(clear) = clear {
        words.remove(clear);
    }
    let tokens = words.iter().map(|(rule, text)| (*rule, &**text));
    RetainedLine::new(table, about, tokens)
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
