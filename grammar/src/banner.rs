//! Banners, global ones and those of client groups, that go on over several lines. A reader of lines (console, file
//! loader) asks [`banner_start`] about each line; when it answers with a delimiter, the following raw
//! lines belong to the banner up to and including the one for which [`Delimiter::ends`] is true. All of
//! them joined with `\n` are then one line for the parser.

use crate::Mode;
use crate::command::BannerKind;
use crate::walk::is_blank;

/// What ends a banner: one character, or the two characters `^C` with which running-config writes its own delimiter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delimiter {
    /// The character that was typed.
    Char(char),
    /// `^C`: nothing follows on its line.
    Pair,
    /// `^C` with text after it: the pair, unless a line of the text ends in a `^` alone. Then the delimiter is `^` and
    /// the text begins with `C`.
    Caret,
}

const PAIR: &str = "^C";

/// The line's last character is a `^`, which no `C` follows.
fn ends_in_caret(line: &str) -> bool {
    line.trim_end().ends_with('^')
}

impl Delimiter {
    /// Whether this line of text has the delimiter, and so ends the banner.
    pub fn ends(&self, line: &str) -> bool {
        match self {
            Self::Char(delimiter) => line.contains(*delimiter),
            Self::Pair => line.contains(PAIR),
            Self::Caret => line.contains(PAIR) || ends_in_caret(line),
        }
    }

    /// The delimiter as it is typed.
    pub fn typed(&self) -> String {
        match self {
            Self::Char(delimiter) => delimiter.to_string(),
            Self::Pair | Self::Caret => PAIR.to_owned(),
        }
    }

    /// What IOS says before it reads the text.
    pub fn invitation(&self) -> String {
        format!(
            "Enter TEXT message.  End with the character '{}'.\n",
            self.typed()
        )
    }

    /// Splits `d TEXT d` into the delimiter and the rest after it.
    fn split(text: &str) -> Option<(Self, &str)> {
        if let Some(rest) = text.strip_prefix(PAIR) {
            let first = rest.split('\n').next().unwrap_or_default();
            return match first.trim_end().is_empty() {
                true => Some((Self::Pair, rest)),
                false => Some((Self::Caret, rest)),
            };
        }
        let first = text.chars().next()?;
        Some((Self::Char(first), &text[first.len_utf8()..]))
    }

    /// The text of `d TEXT d`: all between the delimiters, or to the end where the second is missing.
    pub(crate) fn text_between(text: &str) -> String {
        let Some((delimiter, rest)) = Self::split(text) else {
            return String::new();
        };
        let pair = |rest: &'_ str| rest.split_once(PAIR).map(|(text, _)| text.to_owned());
        let between = match delimiter {
            Self::Char(delimiter) => rest.split_once(delimiter).map(|(text, _)| text.to_owned()),
            Self::Pair => pair(rest),
            Self::Caret => match rest.lines().find(|line| Self::Caret.ends(line)) {
                Some(line) if ends_in_caret(line) => {
                    text[1..].split_once('^').map(|(text, _)| text.to_owned())
                }
                _ => pair(rest),
            },
        };
        between.unwrap_or_else(|| rest.to_owned()).replace('\r', "")
    }
}

/// A banner's text between its delimiters, as running-config has it.
pub(crate) fn delimited(text: &str) -> String {
    let delimiter = delimiter(text);
    format!("{delimiter}{text}{delimiter}")
}

/// Always `^C`, but for a text that has it, or that would end at a `^` of its own: there a character that the text has
/// not, so that it is read back whole.
fn delimiter(text: &str) -> String {
    let free = |c: &char| *c != '^' && !c.is_whitespace() && !text.contains(*c);
    if (text.contains(PAIR) || text.split('\n').any(ends_in_caret))
        && let Some(other) = ('#'..='\u{ffff}').find(free)
    {
        return other.to_string();
    }
    PAIR.to_owned()
}

/// The delimiter of a banner that this line begins and does not end; `None` for every other line, and outside of
/// configuration. Keywords may be shortened.
pub fn banner_start(mode: Mode, line: &str) -> Option<Delimiter> {
    if !mode.is_config() {
        return None;
    }
    if mode == Mode::IsakmpGroup
        && let Some(text) = after_banner(line, GROUP_LETTERS)
    {
        return open(text);
    }
    let (kind, text) = first_word(after_banner(line, GLOBAL_LETTERS)?);
    let kind = kind.to_ascii_lowercase();
    let mut kinds = BannerKind::ALL.iter();
    let is_kind = !kind.is_empty() && kinds.any(|known| known.word().starts_with(&kind));
    if is_kind { open(text) } else { None }
}

/// The same in global configuration for a banner of any kind, known or not.
pub fn any_banner_start(line: &str) -> Option<Delimiter> {
    let (_, text) = first_word(after_banner(line, GLOBAL_LETTERS)?);
    open(text)
}

/// The same for a line as running-config prints it, in any block.
pub fn printed_banner_start(line: &str) -> Option<Delimiter> {
    let in_group = line.trim_start_matches(is_blank).starts_with("banner ^C");
    let mode = if in_group {
        Mode::IsakmpGroup
    } else {
        Mode::Config
    };
    banner_start(mode, line)
}

/// As many letters tell `banner` from the other commands of global configuration.
const GLOBAL_LETTERS: usize = 2;
/// As many tell it from `backup-gateway`.
const GROUP_LETTERS: usize = 3;

/// What follows the word `banner`, of which at least so many letters are there.
fn after_banner(line: &str, letters: usize) -> Option<&str> {
    let (word, rest) = first_word(line);
    let is_banner = word.len() >= letters && "banner".starts_with(&word.to_ascii_lowercase());
    is_banner.then_some(rest)
}

/// The delimiter of a text that it does not end.
fn open(text: &str) -> Option<Delimiter> {
    let (delimiter, rest) = Delimiter::split(text)?;
    (!delimiter.ends(rest)).then_some(delimiter)
}

fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(is_blank);
    let end = text.find(is_blank).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start_matches(is_blank))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banners_over_several_lines_are_noticed() {
        for line in [
            "banner motd ^C",
            "ban mo #",
            "  BANNER  login  x first line",
            "banner exec ^C text with C and ^ in it",
            "banner motd \u{3}",
        ] {
            assert!(banner_start(Mode::Config, line).is_some(), "{line}");
        }
    }

    #[test]
    fn the_banner_of_a_client_group_has_no_kind() {
        for line in ["banner #", "ban ^C first line", " banner motd"] {
            assert!(banner_start(Mode::IsakmpGroup, line).is_some(), "{line}");
        }
        for line in ["banner #all#", "banner", "ba #", "backup-gateway #"] {
            assert!(banner_start(Mode::IsakmpGroup, line).is_none(), "{line}");
        }
        assert!(printed_banner_start(" banner ^C").is_some());
        assert!(printed_banner_start("banner motd ^C").is_some());
        assert!(printed_banner_start(" banner ^Chere^C").is_none());
    }

    #[test]
    fn other_lines_are_not() {
        for line in [
            "",
            "banner",
            "banner motd",
            "banner motd #all here#",
            "banner motd ^Chere^C",
            "banner foo #",
            "b motd #",
            "hostname #",
            "banner\u{3000}motd #",
            "\u{3000}banner motd #",
        ] {
            assert!(banner_start(Mode::Config, line).is_none(), "{line}");
        }
    }

    #[test]
    fn the_delimiter_ends_the_text() {
        let delimiter = banner_start(Mode::Config, "banner motd ^C").expect("a banner");
        assert!(!delimiter.ends("Cisco ^ C"));
        assert!(delimiter.ends("^C"));
        assert!(delimiter.ends("last words^C and what follows"));
        assert_eq!(
            delimiter.invitation(),
            "Enter TEXT message.  End with the character '^C'.\n"
        );
    }

    #[test]
    fn a_caret_alone_at_the_end_of_the_text_is_its_delimiter() {
        for (typed, text) in [
            ("^CAUTION - staff only^", "CAUTION - staff only"),
            ("^CAUTION\nstaff only^  \nmore", "CAUTION\nstaff only"),
            ("^CLOSED ^CALL US^", "CLOSED "),
            ("^CHello^C", "Hello"),
            ("^Ctwo ^ carets\nhere ^C", "two ^ carets\nhere "),
            ("^C\n  ^__^\n^C", "\n  ^__^\n"),
            ("^AUTION^", "AUTION"),
        ] {
            assert_eq!(Delimiter::text_between(typed), text, "{typed:?}");
        }
        assert!(banner_start(Mode::Config, "banner motd ^CAUTION - staff only^").is_none());
        let open = banner_start(Mode::Config, "banner motd ^CAUTION").expect("a banner");
        assert!(open.ends("staff only^") && open.ends("^C") && !open.ends("a ^ b"));
    }

    #[test]
    fn texts_with_carets_are_read_back_whole() {
        for text in ["^", "x^\ny", "\n  ^__^\n", "C", "^C", "a^b", "x^", "\nC^"] {
            let printed = delimited(text);
            assert_eq!(Delimiter::text_between(&printed), text, "{printed:?}");
        }
    }

    #[test]
    fn the_text_is_what_stands_between() {
        assert_eq!(Delimiter::text_between("^C\nhello\r\n^C"), "\nhello\n");
        assert_eq!(Delimiter::text_between("#hello# ignored"), "hello");
        assert_eq!(Delimiter::text_between("#unfinished"), "unfinished");
    }
}
