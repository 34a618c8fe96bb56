//! Pre-shared keys by address and by name: where a caller keeps them to answer `Question::PeerKey`.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::secret::Secret;
use crate::selector::Selector;

/// `crypto isakmp key`: the most specific address wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreSharedKeys {
    /// By prefix length, longest first, then by first address
    by_prefix: Vec<(u8, HashMap<IpAddr, Secret>)>,
    by_hostname: HashMap<String, Secret>,
}

impl PreSharedKeys {
    /// `crypto isakmp key KEY address ADDRESS MASK`; replaces the key of the same prefix.
    pub fn add_address(&mut self, address: IpAddr, prefix: u8, key: Secret) {
        let network = Selector::prefix(address, prefix, 0, 0).first;
        let at = self
            .by_prefix
            .partition_point(|(length, _)| *length > prefix);
        if self
            .by_prefix
            .get(at)
            .is_none_or(|(length, _)| *length != prefix)
        {
            self.by_prefix.insert(at, (prefix, HashMap::new()));
        }
        self.by_prefix[at].1.insert(network, key);
    }

    /// `crypto isakmp key KEY hostname NAME`; names compare without case.
    pub fn add_hostname(&mut self, name: &str, key: Secret) {
        self.by_hostname.insert(name.to_ascii_lowercase(), key);
    }

    /// The key of the most specific address line that covers `peer`.
    pub fn for_address(&self, peer: IpAddr) -> Option<&Secret> {
        self.by_prefix
            .iter()
            .find_map(|(prefix, keys)| keys.get(&Selector::prefix(peer, *prefix, 0, 0).first))
    }

    /// The key of a hostname line.
    pub fn for_hostname(&self, name: &str) -> Option<&Secret> {
        self.by_hostname.get(&name.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_key_wins() {
        let mut keys = PreSharedKeys::default();
        keys.add_address("0.0.0.0".parse().unwrap(), 0, "any".into());
        keys.add_address("192.0.2.0".parse().unwrap(), 24, "net".into());
        keys.add_address("192.0.2.7".parse().unwrap(), 32, "host".into());
        let key = |peer: &str| keys.for_address(peer.parse().unwrap()).unwrap().expose();
        assert_eq!(key("192.0.2.7"), b"host");
        assert_eq!(key("192.0.2.8"), b"net");
        assert_eq!(key("198.51.100.1"), b"any");
        assert!(keys.for_address("2001:db8::1".parse().unwrap()).is_none());
    }

    #[test]
    fn keys_do_not_show() {
        let mut keys = PreSharedKeys::default();
        keys.add_hostname("Peer.Example", "cisco123".into());
        assert!(!format!("{keys:?}").contains("cisco"));
        assert!(keys.for_hostname("peer.example").is_some());
    }
}
