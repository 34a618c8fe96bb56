//! A line that a mode's table has, as the rules see it. `walk.rs` makes it, `build/` makes commands of it.

use std::borrow::Cow;

use crate::tree::{Kind, Node, Rule, Terminal};
use crate::walk::hexadecimal;

/// The words of a line in order, each with its place in the grammar.
pub(crate) struct Matched<'a> {
    words: Vec<Word<'a>>,
}

/// One word or argument: keywords in full.
pub(crate) struct Word<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) node: &'static Node,
    /// How many of the rules around the word before go on here.
    pub(crate) open: u8,
}

impl Word<'_> {
    pub(crate) fn terminal(&self) -> &'static Terminal {
        self.node.terminal()
    }
}

impl<'a> Matched<'a> {
    /// A line of these words. The number of an interface joins the type before it.
    pub(crate) fn new(steps: impl Iterator<Item = Word<'a>>) -> Self {
        let mut words: Vec<Word<'a>> = Vec::new();
        for step in steps {
            match words.last_mut() {
                Some(last) if step.terminal().kind == Kind::InterfaceNumber => {
                    last.text.to_mut().push_str(&step.text);
                }
                _ => words.push(step),
            }
        }
        Self { words }
    }

    /// An empty line or a comment.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(crate) fn words(&self) -> &[Word<'a>] {
        &self.words
    }

    /// One blank between words.
    pub(crate) fn line(&self) -> String {
        let length = self.words.iter().map(|word| word.text.len() + 1).sum();
        let mut line = String::with_capacity(length);
        for word in &self.words {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word.text);
        }
        line
    }

    /// The whole line.
    pub(crate) fn whole(&self) -> Part<'_> {
        Part {
            words: &self.words,
            depth: 0,
        }
    }
}

/// The words that belong to one rule where it is named.
#[derive(Clone, Copy)]
pub(crate) struct Part<'m> {
    words: &'m [Word<'m>],
    /// How many rules are around each of its words, its own rule among them.
    depth: usize,
}

impl<'m> Part<'m> {
    fn is_leaf(self) -> bool {
        self.depth > self.words[0].node.depth()
    }

    /// The rule.
    pub(crate) fn rule(self) -> Rule {
        let node = self.words[0].node;
        node.rule_at(self.depth)
            .filter(|_| !self.is_leaf())
            .unwrap_or(node.terminal().rule)
    }

    /// Its first word, which is the only one where a word is asked for.
    pub(crate) fn word(self) -> &'m str {
        &self.words[0].text
    }

    /// What it is made of: words, and parts that belong to rules which its own rule names.
    pub(crate) fn parts(self) -> impl Iterator<Item = Part<'m>> {
        let depth = self.depth + 1;
        let mut rest = match self.depth > 0 && self.is_leaf() {
            true => &[],
            false => self.words,
        };
        std::iter::from_fn(move || {
            let first = rest.first()?;
            let goes_on = |word: &Word<'_>| usize::from(word.open) >= depth;
            let count = match first.node.depth() >= depth {
                true => 1 + rest[1..].iter().take_while(|word| goes_on(word)).count(),
                false => 1,
            };
            let (words, after) = rest.split_at(count);
            rest = after;
            Some(Part { words, depth })
        })
    }

    /// The first direct part of a rule.
    pub(crate) fn child(self, rule: Rule) -> Option<Part<'m>> {
        self.parts().find(|part| part.rule() == rule)
    }

    /// Whether a rule is a direct part: a keyword was typed.
    pub(crate) fn has(self, rule: Rule) -> bool {
        self.child(rule).is_some()
    }

    /// The word of a direct part.
    pub(crate) fn text(self, rule: Rule) -> Option<&'m str> {
        self.child(rule).map(Part::word)
    }

    /// The word of a direct part as a name.
    pub(crate) fn name(self, rule: Rule) -> Option<String> {
        self.text(rule).map(str::to_owned)
    }

    /// A direct part read from its word: outside `None` when it is there and cannot be read.
    pub(crate) fn read<T>(
        self,
        rule: Rule,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.text(rule) {
            Some(text) => read(text).map(Some),
            None => Some(None),
        }
    }

    /// A number within the limits of its label.
    pub(crate) fn number<T: TryFrom<u64>>(self, rule: Rule) -> Option<Option<T>> {
        self.read(rule, |text| in_range(rule, text))
    }

    /// A direct part with a `FromStr` type: an address.
    pub(crate) fn parsed<T: std::str::FromStr>(self, rule: Rule) -> Option<Option<T>> {
        self.read(rule, |text| text.parse().ok())
    }
}

/// Reads a number and checks it against the label of its rule.
pub(crate) fn in_range<T: TryFrom<u64>>(rule: Rule, text: &str) -> Option<T> {
    let number = hexadecimal(text)?;
    let (low, high) = match rule.terminal()?.kind {
        Kind::Number(low, high) | Kind::Hex(low, high) => (low, high),
        _ => return None,
    };
    (low..=high)
        .contains(&number)
        .then(|| T::try_from(number).ok())?
}
