//! The crypto maps that a line could name which is not understood. Called by `plan`, which blocks what they protect,
//! and by `interfaces` and `network`, for which an interface with such a line is one with a map.

use std::collections::HashSet;

use super::{Interface, Running, abbreviates};

/// The names that crypto maps have or could have.
#[derive(Debug, Default)]
pub struct MapNames<'a>(HashSet<&'a str>);

impl Running {
    /// Of all maps, and every word that could be the name of one in a header of an entry that is not understood.
    pub fn map_names(&self) -> MapNames<'_> {
        let known = self.crypto.maps.keys().map(String::as_str);
        let headers = self.kept.iter().filter_map(|line| entry_words(&line.text));
        MapNames(known.chain(headers.flatten()).collect())
    }
}

impl MapNames<'_> {
    /// Whether there is or could be a map of this name.
    #[must_use]
    pub fn contains(&self, word: &str) -> bool {
        self.0.contains(word)
    }

    /// The maps that a line could put on an interface; the line stands below an interface and is not understood.
    pub fn of_line<'l>(&self, line: &'l str) -> impl Iterator<Item = &'l str> {
        const OTHERS: [(&str, usize); 3] = [("no", 2), ("default", 3), ("description", 3)];
        let words = line.split_whitespace();
        let first = words.clone().next().unwrap_or_default();
        let other = |(keyword, least): &(&str, usize)| abbreviates(first, keyword, *least);
        let could = !OTHERS.iter().any(other);
        words.filter(move |word| could && self.contains(word))
    }

    /// The same below a header that need not be an interface's: one of the words of `crypto map` is there.
    pub fn of_foreign_line<'l>(&self, line: &'l str) -> impl Iterator<Item = &'l str> {
        let (crypto, map) = begins(line);
        self.of_line(line).filter(move |_| crypto || map)
    }
}

impl Interface {
    /// It has a crypto map, or a kept line that could put one there.
    pub fn means_to_protect(&self, names: &MapNames<'_>) -> bool {
        let puts_map =
            |line: &str| begins(line) == (true, true) || names.of_line(line).next().is_some();
        self.crypto_map.is_some() || self.kept.iter().any(|line| puts_map(&line.text))
    }
}

/// Whether a line begins with `crypto`, and goes on with `map`.
fn begins(line: &str) -> (bool, bool) {
    let mut words = line.split_whitespace();
    let mut next = |keyword, least| {
        let word = words.next();
        word.is_some_and(|word| abbreviates(word, keyword, least))
    };
    (next("crypto", 2), next("map", 1))
}

/// What follows `crypto map` in a line at the global level that could open an entry of a map for IPv4.
pub fn entry_words(line: &str) -> Option<Vec<&str>> {
    const WHOLE_MAP: [&str; 3] = ["client", "isakmp", "local-address"];
    if begins(line) != (true, true) {
        return None;
    }
    let words: Vec<&str> = line.split_whitespace().skip(2).collect();
    let whole_map = |word: &&str| {
        WHOLE_MAP
            .iter()
            .any(|keyword| abbreviates(word, keyword, 2))
    };
    let entry = words.first() != Some(&"ipv6") && !words.get(1).is_some_and(whole_map);
    entry.then_some(words)
}

#[cfg(test)]
mod tests {
    use crate::config::load;

    #[test]
    fn a_kept_line_that_could_put_a_map_on_an_interface_means_to_protect() {
        for (line, means) in [
            ("crypto map VPN", true),
            ("crypto map VPN extra", true),
            ("crypto map NONE extra", true),
            ("crypto mpa VPN", true),
            ("frobnicate OLD", true),
            ("frobnicate NONE", false),
            ("no crypto mpa VPN", false),
            ("crypto mpa NONE", false),
        ] {
            let text = format!(
                "crypto map VPN 10 ipsec-isakmp\ncrypto map OLD 10 ipsec-isakmp extra\ninterface wan0\n {line}\n"
            );
            let (running, _) = load(&text, "f");
            let (_, interface) = running.interfaces.iter().next().unwrap();
            let names = running.map_names();
            assert_eq!(interface.means_to_protect(&names), means, "{line}");
        }
    }
}
