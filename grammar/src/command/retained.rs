//! A retained command: understood, kept and printed, but not acted on. What is known of it is in the pest files.

use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

use super::{Form, Section};
use crate::modes::Mode;
use crate::retained::{Key, Negation, Retained};
use crate::secrets;

/// One retained line without its `no` or `default`, in canonical words: keywords in full, arguments as typed.
#[derive(Clone)]
pub struct RetainedLine {
    mode: Mode,
    about: &'static Retained,
    text: Zeroizing<String>,
    /// Octets of the text that identify the line.
    key: Range<usize>,
    /// Where keys and passwords are.
    secrets: Vec<SecretWord>,
    /// Where text about anything begins.
    free: Option<usize>,
}

/// A key or password in a line.
#[derive(Debug, Clone)]
struct SecretWord {
    range: Range<usize>,
    /// Where the word before it is, when that says how it is encoded.
    encoding: Option<Range<usize>>,
    types: SecretTypes,
}

/// The encodings that a key or password has when the router is told to encode those in clear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecretTypes {
    /// Type 6, under `password encryption aes`.
    pub six: bool,
    /// Type 7, under `service password-encryption`.
    pub seven: bool,
}

/// A word of a retained line.
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) keyword: bool,
    pub(crate) secret: Option<SecretTypes>,
    pub(crate) free: bool,
}

impl RetainedLine {
    /// A line of these words.
    pub(crate) fn new<'a>(
        mode: Mode,
        about: &'static Retained,
        tokens: impl Iterator<Item = Token<'a>>,
    ) -> Self {
        let mut line = Self {
            mode,
            about,
            text: Zeroizing::new(String::new()),
            key: 0..0,
            secrets: Vec::new(),
            free: None,
        };
        let (mut only_keywords, mut before, mut from) = (true, true, false);
        let mut last: Option<Range<usize>> = None;
        for (index, token) in tokens.enumerate() {
            if index > 0 {
                line.text.push(' ');
            }
            let start = line.text.len();
            line.text.push_str(token.text);
            only_keywords &= token.keyword;
            let identifies = match about.key {
                Key::Keywords => only_keywords,
                Key::Words(count) => index < count,
                Key::Before(word) => {
                    before &= !(token.keyword && token.text == word);
                    before
                }
                Key::From(word) => {
                    if token.keyword && token.text == word && !from {
                        from = true;
                        line.key.start = start;
                    }
                    from
                }
                Key::All | Key::Nothing => true,
            };
            if identifies {
                line.key.end = line.text.len();
            }
            let range = start..line.text.len();
            if let Some(types) = token.secret {
                // How a secret is encoded does not tell lines apart.
                if about.key == Key::Keywords
                    && let Some(word) = last.as_ref().filter(|word| line.key.end == word.end)
                {
                    line.key.end = word.start.saturating_sub(1);
                }
                line.secrets.push(SecretWord {
                    range: range.clone(),
                    encoding: last.take(),
                    types,
                });
            }
            let names_encoding = token.keyword && token.text.parse::<u8>().is_ok();
            last = Some(range).filter(|_| names_encoding);
            if token.free {
                line.free = Some(start);
            }
        }
        line
    }

    /// The mode whose table the command is in.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The kind of line: the name of its rule.
    pub fn kind(&self) -> &'static str {
        self.about.name
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
        let free = self.free.and_then(|start| secrets::cut(&self.text, start));
        match free {
            Some(at) => self.hidden_up_to(at, instead) + instead,
            None => self.hidden_up_to(self.text.len(), instead),
        }
    }

    /// The words before an octet with something else in the place of keys and passwords.
    fn hidden_up_to(&self, end: usize, instead: &str) -> String {
        let mut safe = String::new();
        let mut from = 0;
        for secret in self.secrets.iter().filter(|secret| secret.range.end <= end) {
            safe.push_str(&self.text[from..secret.range.start]);
            safe.push_str(instead);
            from = secret.range.end;
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
        let mut line = self.clone();
        // From the last one on, so that the places of those before stay.
        for (index, secret) in self.secrets.iter().enumerate().rev() {
            let word = secret.encoding.clone();
            let present = word.clone().and_then(|word| self.text[word].parse().ok());
            let apart = secret.range.start >= self.key.end || secret.range.end <= self.key.start;
            let Some((encoding, text)) = apart
                .then(|| encode(secret.types, present, &self.text[secret.range.clone()]))
                .flatten()
            else {
                continue;
            };
            let start = word.map_or(secret.range.start, |word| word.start);
            let number = encoding.to_string();
            let mut fresh = Zeroizing::new(String::with_capacity(self.text.len() + text.len() + 8));
            fresh.push_str(&line.text[..start]);
            fresh.push_str(&number);
            fresh.push(' ');
            let from = fresh.len();
            fresh.push_str(&text);
            let to = fresh.len();
            fresh.push_str(&line.text[secret.range.end..]);
            line.text = fresh;
            let moved = |place: usize| place - secret.range.end + to;
            for later in &mut line.secrets[index + 1..] {
                later.range = moved(later.range.start)..moved(later.range.end);
                later.encoding = later
                    .encoding
                    .clone()
                    .map(|at| moved(at.start)..moved(at.end));
            }
            if line.key.start > start {
                line.key = moved(line.key.start)..moved(line.key.end);
            }
            line.free = line
                .free
                .map(|place| if place > start { moved(place) } else { place });
            line.secrets[index] = SecretWord {
                range: from..to,
                encoding: Some(start..start + number.len()),
                types: secret.types,
            };
        }
        line
    }

    /// The line as it is kept with its `no`: where the first words identify it, no more than those.
    pub fn negated(&self) -> Self {
        let mut line = self.clone();
        if let Key::Words(_) = self.about.key {
            let end = self.key.end;
            line.text.truncate(end);
            line.secrets.retain(|secret| secret.range.end <= end);
            line.free = self.free.filter(|place| *place < end);
        }
        line
    }

    /// The line has keys or passwords.
    pub fn has_secrets(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// The words for messages: without keys and passwords, without text about anything, and without what a tool at the
    /// terminal could take for a prompt.
    pub fn for_messages(&self) -> String {
        let shown = match self.free {
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
