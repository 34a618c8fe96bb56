//! IOS regular expressions, translated for the `regex` crate. Called by the output filters and by
//! the pager's search.
//!
//! IOS knows `. * + ? ^ $ [] () |`, a backslash that makes the next character literal, and `_`:
//! start, end, blank, comma, brace, parenthesis or itself (`| include CONFIG_I` finds what it says). Everything else stands
//! for itself.

use regex::{Regex, RegexBuilder};

/// The largest compiled expression, in bytes: enough for any line one can type.
const SIZE_LIMIT: usize = 1 << 20;

/// What `_` stands for.
const UNDERSCORE: &str = r"(?:^|$|[ ,{}()_])";

/// Compiles an IOS regular expression; case counts.
///
/// # Errors
/// A sentence that starts with `% ` and says what is wrong with the expression.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = translate(pattern)?;
    RegexBuilder::new(&translated)
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| refuse(pattern, &reason(&error)))
}

fn refuse(pattern: &str, why: &str) -> String {
    format!("% Invalid regular expression \"{pattern}\": {why}")
}

/// The last line of the crate's many-line message carries the reason.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "too large".to_owned(),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default().trim();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    }
}

fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '.' | '*' | '+' | '?' | '^' | '$' | '(' | ')' | '|' => out.push(c),
            '_' => out.push_str(UNDERSCORE),
            '\\' => match rest.next() {
                Some(literal) => push_literal(&mut out, literal),
                None => return Err(refuse(pattern, "nothing after the last \\")),
            },
            '[' => class(&mut out, &mut rest).map_err(|why| refuse(pattern, why))?,
            literal => push_literal(&mut out, literal),
        }
    }
    Ok(out)
}

fn push_literal(out: &mut String, c: char) {
    let mut buffer = [0; 4];
    out.push_str(&regex::escape(c.encode_utf8(&mut buffer)));
}

/// A bracket expression: `]` first is literal, ranges as usual, no named classes.
fn class(
    out: &mut String,
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Result<(), &'static str> {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut first = true;
    loop {
        match rest.next() {
            None => return Err("[ without ]"),
            Some(']') if !first => break,
            Some('-') => out.push('-'),
            Some('\\') => match rest.next() {
                Some(literal) => push_member(out, literal),
                None => return Err("nothing after the last \\"),
            },
            Some(member) => push_member(out, member),
        }
        first = false;
    }
    out.push(']');
    Ok(())
}

fn push_member(out: &mut String, c: char) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, line: &str) -> bool {
        compile(pattern).unwrap().is_match(line)
    }

    #[test]
    fn operators_work_as_on_the_router() {
        assert!(matches("^interface", "interface Tunnel0"));
        assert!(!matches("^interface", " ip interface"));
        assert!(matches(
            "^ip route .+ |^ipv6 route .+",
            "ip route 1.0.0.0 255.0.0.0 2.2.2.2"
        ));
        assert!(matches("(ISAKMP|IPSEC)$", "debug IPSEC"));
        assert!(matches("Gi0/[0-3]", "Gi0/2"));
        assert!(!matches("Gi0/[^0-3]", "Gi0/2"));
        assert!(!matches("IP", "ip"));
    }

    #[test]
    fn underscore_is_a_delimiter() {
        for line in [
            "65001", "65001 7", "7 65001", "(65001)", "{65001}", "7,65001",
        ] {
            assert!(matches("_65001_", line), "{line}");
        }
        assert!(!matches("_65001_", "165001"));
        assert!(matches(
            "%SYS-5-CONFIG_I",
            "*Nov 27: %SYS-5-CONFIG_I: Configured"
        ));
        assert!(!matches("_65001_", "a65001_"));
    }

    #[test]
    fn what_is_special_elsewhere_is_literal_here() {
        assert!(matches("a{2}", "a{2}"));
        assert!(!matches("a{2}", "aa"));
        assert!(matches(r"\d", "d"));
        assert!(!matches(r"\d", "7"));
        assert!(matches(r"1\.1", "1.1"));
        assert!(!matches(r"1\.1", "1x1"));
        assert!(matches("[a&&b]", "&"));
        assert!(matches("[]x]", "]"));
        assert!(matches("[[:]", "["));
        assert!(matches("é#-~", "é#-~"));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(
            compile("(a")
                .unwrap_err()
                .starts_with("% Invalid regular expression \"(a\": unclosed")
        );
        assert!(compile("[a").unwrap_err().contains("[ without ]"));
        assert!(compile("a\\").unwrap_err().contains("last \\"));
        assert!(compile("*").unwrap_err().contains("repetition"));
    }
}
