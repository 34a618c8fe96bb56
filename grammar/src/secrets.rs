//! Lines that no command matches, or whose command is not known: what of them may be seen.
//!
//! [`shown`] is for screens below level 15 and for what is sent away, [`logged`] for the log.
//! Both know words only, no grammar, so they hide too much rather than too little. Called by the daemon's loader, its
//! renderer and the commands that show files, and by `render` for URLs.

/// Parts of words that announce a secret. A word announces one wherever it has such a part: `authentication-key`,
/// `wpa-psk`, `"password`.
const PARTS: &[&str] = &[
    "auth",
    "cipher",
    "communit",
    "credential",
    "digest",
    "encr",
    "hmac",
    "key",
    "md5",
    "pass",
    "phrase",
    "preshared",
    "psk",
    "secret",
    "token",
];

/// Whole words that announce a secret.
const WORDS: &[&str] = &[
    "2c",
    "ascii",
    "bearer",
    "chap",
    "credentials",
    "esp",
    "hex",
    "hidden",
    "otp",
    "pac",
    "pap",
    "pin",
    "pmk",
    "priv",
    "pw",
    "pwd",
    "seed",
    "sha",
    "sha1",
    "sha256",
    "sha512",
    "string",
    "wep",
];

/// Words with such a part that announce none.
const INNOCENT: &[&str] = &[
    "accounting",
    "authorization",
    "bypass",
    "ciphersuite",
    "keepalive",
    "keepalives",
    "passive",
    "passive-interface",
    "secure-ciphersuite",
];

/// The digits before a secret that say how it is encoded.
const TYPES: &[&str] = &["0", "4", "5", "6", "7", "8", "9"];

/// Words before a digit that is a number and no type.
const NUMBERED: &[&str] = &[
    "area", "cost", "glbp", "group", "level", "metric", "option", "priority", "seq", "standby",
    "version", "vlan", "vrrp", "weight",
];

/// Shortened words are known from so many letters on.
const SHORTEST: usize = 3;

/// Beginnings of lines in which a secret stands that no word announces, and how many words before it can be seen.
const BEGINNINGS: &[(&[&str], usize)] = &[
    (&["crypto", "ca", "export"], 4),
    (&["crypto", "ca", "import"], 4),
    (&["crypto", "pki", "export"], 4),
    (&["crypto", "pki", "import"], 4),
    (&["snmp-server", "host"], 3),
    (&["snmp-server", "user"], 3),
];
/// What may stand before them.
const FORMS: &[&str] = &["default", "no"];

/// The words of a line that the log may have.
const LOGGED: usize = 2;
/// Octets of them that the log may have.
const LOGGED_OCTETS: usize = 80;

/// No command has a word of so many letters; key material has.
const LONGEST_WORD: usize = 40;
/// A word of so many letters that has digits in its middle is a piece of a key rather than of a command.
const LONG_WORD: usize = 16;

/// The line with `instead` in the place of what follows the first word that announces a secret, and of the password in
/// each URL. Blanks stay as they are.
#[must_use]
pub fn shown(line: &str, instead: &str) -> String {
    match cut(line, 0) {
        Some(at) => {
            let safe = without_url_passwords(&line[..at], instead);
            safe + instead
        }
        None => without_url_passwords(line, instead),
    }
}

/// What the log may have of a line that is not understood: its first two words, without what may be secret in them, and
/// `...` in the place of the others.
#[must_use]
pub fn logged(line: &str) -> String {
    const INSTEAD: &str = "...";
    let line = line.trim();
    let end = words(line).nth(LOGGED).map(|(at, _)| at);
    let start = &line[..end.unwrap_or(line.len())];
    let mut safe = shown(start.trim_end(), INSTEAD);
    let longest = (0..=LOGGED_OCTETS.min(safe.len()))
        .rev()
        .find(|end| safe.is_char_boundary(*end));
    let longest = longest.unwrap_or_default();
    let whole = end.is_none() && longest == safe.len();
    safe.truncate(longest);
    match whole || safe.ends_with(INSTEAD) {
        true => safe,
        false => safe + " " + INSTEAD,
    }
}

/// True when a word announces that a secret follows. Upper and lower case are the same.
#[must_use]
pub fn announces(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    if INNOCENT.contains(&word.as_str()) {
        return false;
    }
    let shortened = |whole: &&str| word.len() >= SHORTEST && whole.starts_with(&word);
    PARTS.iter().any(|part| word.contains(part))
        || WORDS.contains(&word.as_str())
        || PARTS.iter().any(shortened)
}

/// True when the line ends with a word that announces a secret: the lines of its block are that secret.
#[must_use]
pub fn announces_block(line: &str) -> bool {
    line.split_whitespace().next_back().is_some_and(announces)
}

/// Where the first part begins, at this octet or after it, that must not be seen.
pub(crate) fn cut(line: &str, from: usize) -> Option<usize> {
    let all: Vec<(usize, &str)> = words(line).collect();
    let form = all
        .first()
        .is_some_and(|(_, word)| FORMS.iter().any(|form| form.eq_ignore_ascii_case(word)));
    let form = usize::from(form);
    let beginning = BEGINNINGS.iter().find(|(beginning, _)| {
        let own = all.get(form..form + beginning.len()).unwrap_or_default();
        let mut pairs = own.iter().zip(beginning.iter());
        !own.is_empty() && pairs.all(|((_, word), known)| word.eq_ignore_ascii_case(known))
    });
    let last_shown = beginning.map_or(usize::MAX, |(_, count)| count + form);
    for (index, (at, word)) in all.iter().enumerate() {
        if *at >= from && (index >= last_shown || is_key_material(word)) {
            return Some(*at);
        }
        if let Some(value) = value_in(word).filter(|value| at + value >= from) {
            return Some(at + value);
        }
        let Some((next_at, next)) = all.get(index + 1).filter(|(at, _)| *at >= from) else {
            continue;
        };
        let numbered = index > 0 && NUMBERED.contains(&all[index - 1].1);
        if announces(word) || (TYPES.contains(word) && !numbered && !is_plain(next)) {
            return Some(*next_at);
        }
    }
    None
}

/// Where the value begins in a word like `password=VALUE`.
fn value_in(word: &str) -> Option<usize> {
    let at = word.find(['=', ':'])?;
    let is_url = word[at..].starts_with("://");
    (!is_url && at + 1 < word.len() && announces(&word[..at])).then_some(at + 1)
}

/// A number that is too short for an encoded secret, or an address: what may follow a digit that is no type.
fn is_plain(word: &str) -> bool {
    let numeric = word.bytes().all(|octet| octet.is_ascii_digit());
    let address = word
        .bytes()
        .all(|octet| octet.is_ascii_digit() || b"./:-,".contains(&octet));
    match numeric {
        true => word.len() < 6,
        false => address && word.contains(['.', '/', ':', '-', ',']),
    }
}

/// A line of Base64 or hexadecimal digits, as private keys have them. Interfaces end with their digits, addresses have no
/// letters.
fn is_key_material(word: &str) -> bool {
    let letters = word.bytes().position(|octet| !octet.is_ascii_alphabetic());
    let rest = &word[letters.unwrap_or(word.len())..];
    let encoded = word
        .bytes()
        .all(|octet| octet.is_ascii_alphanumeric() || b"+/=".contains(&octet));
    let mixed = rest.bytes().any(|octet| octet.is_ascii_alphabetic());
    encoded && (word.len() > LONGEST_WORD || (word.len() >= LONG_WORD && mixed))
}

/// The words of a line with the octets at which they begin.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    line.split_whitespace()
        .map(move |word| (word.as_ptr() as usize - line.as_ptr() as usize, word))
}

/// The text with `instead` in the place of the password in each URL: `ftp://ann:PASSWORD@host/file`.
pub(crate) fn without_url_passwords(text: &str, instead: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        safe.push_str(before);
        // A password may have slashes; no word goes on after a blank.
        let word = &after[..after.find(char::is_whitespace).unwrap_or(after.len())];
        let password = word
            .rsplit_once('@')
            .and_then(|(user, _)| Some(user.find(':')? + 1..user.len()));
        rest = match password {
            Some(password) => {
                safe.push_str(&word[..password.start]);
                safe.push_str(instead);
                &after[password.end..]
            }
            None => after,
        };
    }
    safe + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_their_passwords() {
        let hidden = |text| without_url_passwords(text, "*****");
        assert_eq!(
            hidden("path ftp://ann:p@ss/word@192.0.2.1/x"),
            "path ftp://ann:*****@192.0.2.1/x"
        );
        for same in ["path ftp://ann@h/x", "url http://h:80/x", "a :// b:c@d"] {
            assert_eq!(hidden(same), same);
        }
    }

    #[test]
    fn lines_that_announce_nothing_stay_whole() {
        for line in [
            "router bgp 65000",
            "interface GigabitEthernet0/0/0.100",
            "  neighbor 2001:db8::1 remote-as 65001",
            "passive-interface default",
            "line vty 0 4",
            "area 0 range 10.0.0.0 255.0.0.0",
            "standby 5 ip 10.0.0.1",
            "ip prefix-list P seq 5 10.0.0.0/8",
            "network 10.0.0.0 0.0.0.255 area 0",
            "mtu 1400",
        ] {
            let safe = shown(line, "<removed>");
            assert_eq!(safe, line);
        }
    }

    #[test]
    fn the_log_has_two_words() {
        for (line, logged_as) in [
            ("router bgp 65000", "router bgp ..."),
            ("  frobnicate", "frobnicate"),
            ("standby 1 authentication K3Y", "standby 1 ..."),
            ("password K3Y", "password ..."),
            ("key K3Y", "key ..."),
            ("no password K3Y", "no password ..."),
            ("token=K3Y", "token=..."),
            ("MIIEpAIBAAKCAQEA7w0 more", "..."),
            ("ping ftp://ann:K3Y@h/x", "ping ftp://ann:...@h/x"),
        ] {
            assert_eq!(logged(line), logged_as);
        }
    }
}
