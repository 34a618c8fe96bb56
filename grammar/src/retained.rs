//! What the pest files say about a retained command: one that is understood, kept and printed, but not acted on. Its
//! rule is called `r_NAME`; the attributes are `/// @...` lines before the rule. Read by the build script (`compile/attributes.rs`), used by `build/`.
//!
//! | attribute | meaning |
//! |---|---|
//! | `@key N` | the first N words of the line identify it; without it all keywords before the first argument |
//! | `@key before WORD` | the words before this keyword identify it |
//! | `@key from WORD` | this keyword and the words after it identify it |
//! | `@key all` | a list: different lines stand side by side |
//! | `@key none` | bare data: equal lines stand side by side too |
//! | `@enters MODE` | opens a block; the name of the variant of [`Mode`] |
//! | `@section NAME` | of a global line: its place in running-config, a word of [`Section`] |
//! | `@rank N` | in a mode with commands that act: printed after those of this rank; without it after all |
//! | `@sorted` | several are printed by their keys instead of in the order of entry |
//! | `@no kept` | `no LINE` is a line as well, either replaces the other |
//! | `@no only` | only `no LINE` is kept, the plain form being the default |
//! | `@trail N` | blanks at the end of the printed line |
//! | `@acts` | the daemon reads it and acts on it: not counted among what does not act |
//! | `@acts without WORD` | as `@acts`, unless the line ends with this keyword |
//! | `@holds` | true without doing anything: kept, and not counted among what does not act |
//! | `@holds no` | its `no` form holds |
//! | `@holds without WORD` | as `@holds`, unless the line ends with this keyword |
//! | `@once` | done at once on IOS and never part of the configuration: nothing is kept |
//! | `@needed` | the block it is in must not act while the line does not |
//! | `@default WORDS` | the line of these words says what is so without it: it takes the other away and is not kept |
//! | `@makes THING` | makes something that other lines name; the last word of its key is the name |
//! | `@names ARGUMENT THING: TEXT` | the argument of this rule names a thing that must be there; else IOS says the text, with the name for `{}` |
//! | `@names ARGUMENT THING or NAME: TEXT` | the same, and a thing of this name is always there |
//! | `@in-use TEXT` | what it makes stays while a line names it; what IOS says |
//!
//! Of any command, also one that acts: `@no-after N` says that its `no` and `default` forms may end after the first N
//! words of the rule or after any later one. Without it they are the whole command, or the rule `no_NAME` where there is one.
//!
//! Before a keyword: `@means WORD`, an older word for another keyword, which is kept in its place.
//! Before an argument: `@secret` says that it is a key or password, `@secret 6 7` which types it takes when those in clear
//! are to be encoded (`password encryption aes`, `service password-encryption`).

use crate::command::{Form, Section};
use crate::modes::Mode;
use crate::tree::Rule;

/// How many words identify a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// The keywords before the first argument.
    Keywords,
    /// So many words.
    Words(usize),
    /// The words before a keyword.
    Before(&'static str),
    /// A keyword and the words after it.
    From(&'static str),
    /// The whole line.
    All,
    /// Nothing does.
    Nothing,
}

/// What the `no` form of a command means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Negation {
    /// It takes the line away.
    Removes,
    /// It is a line itself.
    Kept,
    /// It is a line itself, and the plain form takes it away.
    Only,
}

/// An argument that names a thing which another line makes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    pub(crate) argument: Rule,
    pub(crate) thing: &'static str,
    /// A name that is always there.
    pub(crate) built_in: Option<&'static str>,
    /// The refusal; `{}` is the name.
    pub(crate) refusal: &'static str,
}

/// The attributes of a retained command.
#[derive(Debug)]
pub(crate) struct Retained {
    /// The rule of its plain form.
    pub(crate) rule: Rule,
    pub(crate) key: Key,
    pub(crate) enters: Option<Mode>,
    pub(crate) section: Option<Section>,
    pub(crate) rank: u8,
    pub(crate) sorted: bool,
    pub(crate) negation: Negation,
    pub(crate) trail: usize,
    /// The forms in which it is true without doing anything.
    pub(crate) holds: &'static [Form],
    /// The keyword at the end of a line that asks for something else.
    pub(crate) holds_without: Option<&'static str>,
    pub(crate) needed: bool,
    pub(crate) once: bool,
    /// The kind of thing that it makes.
    pub(crate) makes: Option<&'static str>,
    /// The thing that it names.
    pub(crate) names: Option<Names>,
    /// The refusal to remove it while what it makes is named.
    pub(crate) in_use: Option<&'static str>,
    /// The line that says what is so without one.
    pub(crate) default: Option<&'static str>,
    /// Its place among the retained commands of each table that has it.
    pub(crate) orders: &'static [(Mode, u16)],
}
