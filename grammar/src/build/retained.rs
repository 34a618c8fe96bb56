//! Retained commands: the words of the whole line, checked against the labels of their arguments.

use std::borrow::Cow;
use std::sync::LazyLock;

use pest::iterators::Pair;

use crate::banner::{Delimiter, delimited};
use crate::command::{RetainedLine, Token};
use crate::modes::Mode;
use crate::parser::Rule;
use crate::retained::Retained;
use crate::tree::{GRAMMAR, Kind, Terminal};
use crate::walk::argument;

/// What the grammar knows of each rule of the generated parser, by the rule's discriminant.
struct About {
    terminal: Option<&'static Terminal>,
    retained: Option<(&'static str, &'static Retained)>,
}

static RULES: LazyLock<Vec<About>> = LazyLock::new(|| {
    let about = |rule: &Rule| {
        let name = format!("{rule:?}");
        let plain = name.strip_prefix("no_").unwrap_or(&name);
        About {
            terminal: GRAMMAR.terminal_of(&name),
            retained: GRAMMAR
                .retained
                .get_key_value(plain)
                .map(|(name, about)| (name.as_str(), about)),
        }
    };
    let nothing = || About {
        terminal: None,
        retained: None,
    };
    let mut rules: Vec<About> = std::iter::repeat_with(nothing)
        .take(Rule::all_rules().len() + 1)
        .collect();
    for rule in Rule::all_rules() {
        rules[*rule as usize] = about(rule);
    }
    rules
});

/// The limits of a numeric argument rule.
pub(super) fn range(rule: Rule) -> Option<(u64, u64)> {
    match RULES.get(rule as usize)?.terminal?.kind {
        Kind::Number(low, high) | Kind::Hex(low, high) => Some((low, high)),
        _ => None,
    }
}

/// The retained command that a rule stands for.
pub(super) fn find(rule: Rule) -> Option<(&'static str, &'static Retained)> {
    RULES.get(rule as usize)?.retained
}

/// The line of a retained command; `None` when an argument does not fit its label.
pub(super) fn line(
    table: Mode,
    (rule, about): (&'static str, &'static Retained),
    whole: Pair<'_, Rule>,
) -> Option<RetainedLine> {
    let leaves = whole.into_inner().flatten().filter(|pair| {
        let navigates = matches!(pair.as_rule(), Rule::EOI | Rule::k_no | Rule::k_default);
        !navigates && pair.clone().into_inner().next().is_none()
    });
    let mut words = leaves.map(word).collect::<Option<Vec<_>>>()?;
    // Clear text goes without saying, as on IOS.
    let clear = words.windows(2).position(|pair| {
        pair[0].text == "0" && is_word(pair[0].terminal) && pair[1].terminal.secret.is_some()
    });
    if let Some(clear) = clear {
        words.remove(clear);
    }
    let tokens = words.iter().map(|word| Token {
        text: &word.text,
        keyword: is_word(word.terminal),
        secret: word.terminal.secret,
        free: matches!(word.terminal.kind, Kind::Line { .. }) && word.terminal.secret.is_none(),
    });
    Some(RetainedLine::new(table, rule, about, tokens))
}

struct Word<'a> {
    text: Cow<'a, str>,
    terminal: &'static Terminal,
}

fn is_word(terminal: &Terminal) -> bool {
    matches!(terminal.kind, Kind::Word { .. })
}

fn word(pair: Pair<'_, Rule>) -> Option<Word<'_>> {
    let terminal = RULES.get(pair.as_rule() as usize)?.terminal?;
    let text = pair.as_str();
    let text = match terminal.kind {
        Kind::Line { multiple: true } => Cow::Owned(delimited(&Delimiter::text_between(text))),
        Kind::Word { .. } => Cow::Borrowed(terminal.means.as_deref().unwrap_or(text)),
        _ => argument(&terminal.kind, text, text)?,
    };
    Some(Word { text, terminal })
}
