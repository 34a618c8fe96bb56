//! A retained command: understood, kept and printed, but not acted on. What is known of it is in the pest files.

use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

use super::{Form, Section};
use crate::modes::Mode;
use crate::retained::{Key, Negation, Retained};
use crate::secrets;
use crate::tree::{Kind, Rule};

/// One retained line without its `no` or `default`, in canonical words: keywords in full, arguments as typed.
#[derive(Clone)]
pub struct RetainedLine {
    mode: Mode,
    about: &'static Retained,
    text: Zeroizing<String>,
    words: Vec<Word>,
    /// Octets of the text that identify the line.
    key: Range<usize>,
}

/// A word of the text.
#[derive(Debug, Clone)]
struct Word {
    /// The rule of the keyword or the argument.
    rule: Rule,
    range: Range<usize>,
}

impl Word {
    fn is_keyword(&self) -> bool {
        matches!(self.rule.kind(), Some(Kind::Word { .. }))
    }

    /// Which encodings it may have; `None` when it is neither key nor password.
    fn secret(&self) -> Option<SecretTypes> {
        self.rule.terminal()?.secret
    }

    /// Text about anything.
    fn is_free(&self) -> bool {
        matches!(self.rule.kind(), Some(Kind::Line { .. })) && self.secret().is_none()
    }
}

/// A key or password in a line.
struct SecretWord<'a> {
    word: &'a Word,
    /// The word before it, when that says how it is encoded.
    encoding: Option<&'a Word>,
    types: SecretTypes,
}

/// A thing that a line names and another line makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The kind of thing, such as `vrf`.
    pub thing: &'static str,
    /// Its name.
    pub name: &'a str,
    built_in: Option<&'static str>,
    refusal: &'static str,
}

impl Reference<'_> {
    /// A thing of this name is always there.
    pub fn is_built_in(&self) -> bool {
        self.built_in == Some(self.name)
    }

    /// What IOS says when it is not there.
    pub fn refusal(&self) -> String {
        self.refusal.replace("{}", self.name)
    }
}

/// The encodings that a key or password has when the router is told to encode those in clear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecretTypes {
    /// Type 6, under `password encryption aes`.
    pub six: bool,
    /// Type 7, under `service password-encryption`.
    pub seven: bool,
}

impl RetainedLine {
    /// A line of these words, each with its rule.
    pub(crate) fn new<'a>(
        mode: Mode,
        about: &'static Retained,
        tokens: impl Iterator<Item = (Rule, &'a str)>,
    ) -> Self {
        let mut line = Self {
            mode,
            about,
            text: Zeroizing::new(String::new()),
            words: Vec::new(),
            key: 0..0,
        };
        for (rule, text) in tokens {
            if !line.words.is_empty() {
                line.text.push(' ');
            }
            let start = line.text.len();
            line.text.push_str(text);
            let range = start..line.text.len();
            line.words.push(Word { rule, range });
        }
        line.key = line.identified();
        line
    }

    /// The octets that identify the line.
    fn identified(&self) -> Range<usize> {
        let end_of = |words: &[Word]| words.last().map_or(0, |word| word.range.end);
        let place = |keyword: &str| {
            let mut words = self.words.iter();
            words.position(|word| word.is_keyword() && self.text[word.range.clone()] == *keyword)
        };
        match self.about.key {
            Key::All | Key::Nothing => 0..self.text.len(),
            Key::Words(count) => 0..end_of(&self.words[..count.min(self.words.len())]),
            Key::Before(word) => {
                let count = place(word).unwrap_or(self.words.len());
                0..end_of(&self.words[..count])
            }
            Key::From(word) => match place(word) {
                Some(first) => self.words[first].range.start..self.text.len(),
                None => 0..0,
            },
            Key::Keywords => {
                let keywords = self.words.iter().take_while(|word| word.is_keyword());
                let mut count = keywords.count();
                // How a secret is encoded does not tell lines apart.
                let is_secret = |word: &Word| word.secret().is_some();
                if self.words.get(count).is_some_and(is_secret)
                    && count > 0
                    && self.names_encoding(&self.words[count - 1])
                {
                    count -= 1;
                }
                0..end_of(&self.words[..count])
            }
        }
    }

    /// The word says how the one after it is encoded, if that is a key or password.
    fn names_encoding(&self, word: &Word) -> bool {
        word.is_keyword() && self.text[word.range.clone()].parse::<u8>().is_ok()
    }

    /// The keys and passwords.
    fn secrets(&self) -> impl DoubleEndedIterator<Item = SecretWord<'_>> {
        let places = self.words.iter().enumerate();
        places.filter_map(|(index, word)| {
            let before = index.checked_sub(1).map(|before| &self.words[before]);
            Some(SecretWord {
                word,
                encoding: before.filter(|before| self.names_encoding(before)),
                types: word.secret()?,
            })
        })
    }

    /// Where text about anything begins.
    fn free(&self) -> Option<usize> {
        let word = self.words.iter().rfind(|word| word.is_free())?;
        Some(word.range.start)
    }

    /// The words with their rules.
    fn tokens(&self) -> impl Iterator<Item = (Rule, &str)> {
        let words = self.words.iter();
        words.map(|word| (word.rule, &self.text[word.range.clone()]))
    }

    /// The arguments of a rule, in order.
    pub fn arguments(&self, rule: Rule) -> impl Iterator<Item = &str> {
        let words = self.tokens().filter(move |(own, _)| *own == rule);
        words.map(|(_, text)| text)
    }

    /// The first argument of a rule.
    pub fn argument(&self, rule: Rule) -> Option<&str> {
        self.arguments(rule).next()
    }

    /// The argument of a rule as a number; its range is that of the rule's label.
    pub fn number<T: std::str::FromStr>(&self, rule: Rule) -> Option<T> {
        self.argument(rule)?.parse().ok()
    }

    /// A keyword was typed.
    pub fn has(&self, keyword: Rule) -> bool {
        self.argument(keyword).is_some()
    }

    /// The mode whose table the command is in.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The kind of line: the rule of its plain form.
    pub fn kind(&self) -> Rule {
        self.about.rule
    }

    /// The canonical words, with keys and passwords.
    pub fn words(&self) -> &str {
        &self.text
    }

    /// The words that identify the line among those of its kind.
    pub fn key(&self) -> &str {
        &self.text[self.key.clone()]
    }

    /// Lines with the same words may stand side by side: bare data.
    pub fn is_data(&self) -> bool {
        self.about.key == Key::Nothing
    }

    /// The sub-mode that the plain form opens.
    pub fn enters(&self) -> Option<Mode> {
        self.about.enters
    }

    /// Of a global line, its place in the running-config.
    pub fn section(&self) -> Section {
        self.about.section.unwrap_or(Section::Top)
    }

    /// In a mode with commands that act: it is printed after those of this rank.
    pub fn rank(&self) -> u8 {
        self.about.rank
    }

    /// Its place among the retained commands of its mode.
    pub fn order(&self) -> u16 {
        let mut orders = self.about.orders.iter();
        orders
            .find(|(mode, _)| *mode == self.mode)
            .map_or(0, |(_, order)| *order)
    }

    /// It opens the block of `other`, which has the same key, with fewer words: what `other` says beyond them stays.
    pub fn reopens(&self, other: &Self) -> bool {
        let more = other.words().strip_prefix(self.words());
        self.enters().is_some() && more.is_some_and(|more| more.starts_with(' '))
    }

    /// Lines of this kind are printed by their keys, not in the order of entry.
    pub fn is_sorted(&self) -> bool {
        self.about.sorted
    }

    /// In which form the command given in `form` is a line of the configuration; `None` when it takes the line away.
    pub fn kept_as(&self, form: Form) -> Option<Form> {
        match (form, self.about.negation) {
            (Form::Set, _) if self.about.default == Some(self.words()) => None,
            (Form::Set, Negation::Removes | Negation::Kept) => Some(Form::Set),
            (Form::No, Negation::Kept | Negation::Only) => Some(Form::No),
            _ => None,
        }
    }

    /// Blanks that IOS prints after it.
    pub(crate) fn trailing_blanks(&self) -> usize {
        self.about.trail
    }

    /// What it asks for in this form is so without anything being done.
    pub fn holds(&self, form: Form) -> bool {
        let other = self.about.holds_without;
        self.about.holds.contains(&form)
            && (other.is_none() || self.words().split(' ').next_back() != other)
    }

    /// IOS does it at once and keeps nothing of it.
    pub fn is_once(&self) -> bool {
        self.about.once
    }

    /// What it stands in must not act without it.
    pub fn is_needed(&self) -> bool {
        self.about.needed
    }

    /// The words with something else in the place of keys and passwords.
    pub fn without_secrets(&self, instead: &str) -> String {
        // Text about anything may have one too: it is read like a line that is not understood.
        let free = self
            .free()
            .and_then(|start| secrets::cut(&self.text, start));
        match free {
            Some(at) => self.hidden_up_to(at, instead) + instead,
            None => self.hidden_up_to(self.text.len(), instead),
        }
    }

    /// The words before an octet with something else in the place of keys and passwords.
    fn hidden_up_to(&self, end: usize, instead: &str) -> String {
        let mut safe = String::new();
        let mut from = 0;
        for secret in self.secrets() {
            let range = &secret.word.range;
            if range.end <= end {
                safe.push_str(&self.text[from..range.start]);
                safe.push_str(instead);
                from = range.end;
            }
        }
        safe + &self.text[from..end]
    }

    /// The line with its keys and passwords encoded otherwise. `encode` is given what a secret may become, its present
    /// type (`None`: clear), and its text; it answers the type and the text to put in their place, or `None` to leave
    /// them. What identifies the line is left as it is.
    pub fn recoded(
        &self,
        encode: impl Fn(SecretTypes, Option<u8>, &str) -> Option<(u8, Zeroizing<String>)>,
    ) -> Self {
        let mut recoded: Vec<(Rule, Zeroizing<String>)> = Vec::new();
        let mut secrets = self.secrets().peekable();
        for word in &self.words {
            let text = &self.text[word.range.clone()];
            let secret = secrets.next_if(|secret| secret.word.range == word.range);
            let apart = word.range.start >= self.key.end || word.range.end <= self.key.start;
            let fresh = secret.filter(|_| apart).and_then(|secret| {
                let present = secret.encoding;
                let number = |word: &Word| self.text[word.range.clone()].parse().ok();
                let (encoding, text) = encode(secret.types, present.and_then(number), text)?;
                let rule = encoding_rule(encoding)?;
                if present.is_some() {
                    recoded.pop();
                }
                recoded.push((rule, Zeroizing::new(encoding.to_string())));
                Some(text)
            });
            recoded.push((word.rule, fresh.unwrap_or_else(|| text.to_owned().into())));
        }
        let tokens = recoded.iter().map(|(rule, text)| (*rule, text.as_str()));
        Self::new(self.mode, self.about, tokens)
    }

    /// The line as it is kept with its `no`: where the first words identify it, no more than those.
    pub fn negated(&self) -> Self {
        let Key::Words(count) = self.about.key else {
            return self.clone();
        };
        Self::new(self.mode, self.about, self.tokens().take(count))
    }

    /// The kind of thing that it makes, and its name.
    pub fn makes(&self) -> Option<(&'static str, &str)> {
        let name = self.key().rsplit(' ').next()?;
        Some((self.about.makes?, name))
    }

    /// The thing that it names and that must be there.
    pub fn names(&self) -> Option<Reference<'_>> {
        let names = self.about.names?;
        Some(Reference {
            thing: names.thing,
            name: self.argument(names.argument)?,
            built_in: names.built_in,
            refusal: names.refusal,
        })
    }

    /// What IOS says when the line is taken away while another names what it makes.
    pub fn in_use(&self) -> Option<&'static str> {
        self.about.in_use
    }

    /// The line has keys or passwords.
    pub fn has_secrets(&self) -> bool {
        self.secrets().next().is_some()
    }

    /// The words for messages: without keys and passwords, without text about anything, and without what a tool at the
    /// terminal could take for a prompt.
    pub fn for_messages(&self) -> String {
        let shown = match self.free() {
            Some(start) => self.hidden_up_to(start, "...") + "...",
            None => self.without_secrets("..."),
        };
        let mask = |word: &str| match word.contains(['#', '>']) {
            true => "...".to_owned(),
            false => word.to_owned(),
        };
        shown.split(' ').map(mask).collect::<Vec<_>>().join(" ")
    }
}

/// The keyword before a secret that is encoded so.
fn encoding_rule(encoding: u8) -> Option<Rule> {
    match encoding {
        0 => Some(Rule::k_enc_0),
        6 => Some(Rule::k_enc_6),
        7 => Some(Rule::k_enc_7),
        _ => None,
    }
}

impl PartialEq for RetainedLine {
    fn eq(&self, other: &Self) -> bool {
        (self.mode, self.kind(), &self.text) == (other.mode, other.kind(), &other.text)
    }
}

impl Eq for RetainedLine {}

impl fmt::Debug for RetainedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RetainedLine({:?}, {})",
            self.mode,
            self.without_secrets("...")
        )
    }
}
