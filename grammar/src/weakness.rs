//! Configuration lines that work and protect badly: broken algorithms, small groups, keys for every peer, short keys. The
//! daemon says them at the prompt and once in the log after loading, the console in `--check`.
//!
//! Which ones they are follows what IOS XE 17.11 and later call weak; so do the words around them.

use std::fmt;

use crate::command::{
    ConfigCommand, ConfigLine, CryptoMapCommand, Encryption, Form, GlobalCommand, Group, Hash,
    IsakmpPolicyCommand, KeyPeer, Secret, SecretEncoding, Transform,
};
use crate::render;

/// Characters that a pre-shared key should have: 16 random letters and digits resist guessing off line.
pub const KEY_LENGTH: usize = 16;

const BETTER_ESP: &str = "Use esp-aes with esp-sha256-hmac, or esp-gcm";

/// What is weak about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakness {
    /// The part of the router, in capitals.
    pub module: &'static str,
    /// The line, with `*` in the place of keys.
    pub command: String,
    /// What is wrong with it.
    pub reason: String,
    /// What to configure instead.
    pub remediation: &'static str,
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            module,
            command,
            reason,
            remediation,
        } = self;
        write!(
            f,
            "Module: {module}, Command: {command}, Reason: {reason}, Remediation: {remediation}"
        )
    }
}

/// Everything that is weak about a line; keys in clear text are measured, others are not.
#[must_use]
pub fn weaknesses(line: &ConfigLine) -> Vec<Weakness> {
    if line.form != Form::Set {
        return Vec::new();
    }
    let (module, found) = match &line.command {
        ConfigCommand::IsakmpPolicy(command) => ("ISAKMP", policy(command).into_iter().collect()),
        ConfigCommand::Global(GlobalCommand::CryptoIsakmpKey { key, peer, .. }) => {
            ("ISAKMP", key_and_peer(key.as_ref(), peer))
        }
        ConfigCommand::Global(GlobalCommand::CryptoIpsecTransformSet { transforms, .. }) => {
            ("IPSEC", transforms.iter().filter_map(transform).collect())
        }
        ConfigCommand::CryptoMap(CryptoMapCommand::SetPfs(of)) => (
            "IPSEC",
            group(of.unwrap_or(Group::G1)).into_iter().collect(),
        ),
        _ => return Vec::new(),
    };
    let weakness = |(reason, remediation)| Weakness {
        module,
        command: render::without_secrets(line, "*").trim_end().to_owned(),
        reason,
        remediation,
    };
    found.into_iter().map(weakness).collect()
}

/// A reason and what to do about it.
type Found = (String, &'static str);

fn policy(command: &IsakmpPolicyCommand) -> Option<Found> {
    match command {
        IsakmpPolicyCommand::Encryption(Some(Encryption::Des)) => {
            Some(("Weak encryption algorithm DES".into(), "Use encryption aes"))
        }
        IsakmpPolicyCommand::Encryption(Some(Encryption::TripleDes)) => Some((
            "Weak encryption algorithm 3DES".into(),
            "Use encryption aes",
        )),
        IsakmpPolicyCommand::Hash(Some(Hash::Md5)) => {
            Some(("Weak hash algorithm MD5".into(), "Use hash sha256"))
        }
        IsakmpPolicyCommand::Group(Some(of)) => group(*of),
        _ => None,
    }
}

fn group(group: Group) -> Option<Found> {
    let bits = match group {
        Group::G1 => "768 bits",
        Group::G2 => "1024 bits",
        Group::G5 => "1536 bits",
        Group::G24 => "a subgroup of 256 bits",
        _ => return None,
    };
    let reason = format!("Weak Diffie-Hellman group {group} of {bits}");
    Some((reason, "Use group 14 to 16 or 19 to 21"))
}

fn transform(transform: &Transform) -> Option<Found> {
    let reason = match transform {
        Transform::EspDes => "Weak encryption algorithm DES",
        Transform::Esp3des => "Weak encryption algorithm 3DES",
        Transform::EspNull => "esp-null does not encrypt",
        Transform::EspGmac(_) => "esp-gmac does not encrypt",
        Transform::EspAuth(Hash::Md5) | Transform::Ah(Hash::Md5) => "Weak hash algorithm MD5",
        _ => return None,
    };
    Some((reason.into(), BETTER_ESP))
}

fn key_and_peer(key: Option<&Secret>, peer: &KeyPeer) -> Vec<Found> {
    let mut found = Vec::new();
    if let KeyPeer::Address { address, mask } = peer
        && address.is_unspecified()
        && mask.is_none_or(|mask| mask.is_unspecified())
    {
        let reason = "The key is valid for every address, and whoever has it can be any peer";
        found.push((reason.into(), "Configure a key of its own for each peer"));
    }
    let clear = key.filter(|key| key.encoding() == SecretEncoding::Clear);
    if clear.is_some_and(|key| key.expose().chars().count() < KEY_LENGTH) {
        let reason = format!("The key has fewer than {KEY_LENGTH} characters and may be guessed");
        found.push((reason, "Use a long random key"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::modes::Mode;
    use crate::parser::parse;

    fn reasons(mode: Mode, line: &str) -> Vec<String> {
        let Command::Config(line) = parse(mode, line).unwrap().command else {
            panic!("{line} is no configuration line");
        };
        let found = weaknesses(&line).into_iter();
        found.map(|weakness| weakness.reason).collect()
    }

    #[test]
    fn each_weak_word_has_one_warning() {
        for (mode, line, count) in [
            (Mode::IsakmpPolicy, "encr des", 1),
            (Mode::IsakmpPolicy, "encryption 3des", 1),
            (Mode::IsakmpPolicy, "hash md5", 1),
            (Mode::IsakmpPolicy, "group 1", 1),
            (Mode::IsakmpPolicy, "group 2", 1),
            (Mode::IsakmpPolicy, "group 5", 1),
            (Mode::IsakmpPolicy, "group 24", 1),
            (
                Mode::Config,
                "crypto ipsec transform-set T esp-3des esp-md5-hmac",
                2,
            ),
            (
                Mode::Config,
                "crypto ipsec transform-set T esp-null esp-sha-hmac",
                1,
            ),
            (
                Mode::Config,
                "crypto ipsec transform-set T ah-md5-hmac esp-des",
                2,
            ),
            (
                Mode::Config,
                "crypto isakmp key Long-and-random-9xK address 0.0.0.0",
                1,
            ),
            (
                Mode::Config,
                "crypto isakmp key Long-and-random-9xK address 0.0.0.0 0.0.0.0",
                1,
            ),
            (Mode::Config, "crypto isakmp key cisco address 192.0.2.1", 1),
            (Mode::Config, "crypto isakmp key cisco address 0.0.0.0", 2),
            (Mode::CryptoMap, "set pfs", 1),
            (Mode::CryptoMap, "set pfs group2", 1),
        ] {
            assert_eq!(reasons(mode, line).len(), count, "{line}");
        }
    }

    #[test]
    fn what_is_strong_and_what_is_taken_away_has_none() {
        for (mode, line) in [
            (Mode::IsakmpPolicy, "encryption aes"),
            (Mode::IsakmpPolicy, "hash sha"),
            (Mode::IsakmpPolicy, "group 14"),
            (Mode::IsakmpPolicy, "no hash"),
            (Mode::IsakmpPolicy, "no encryption"),
            (
                Mode::Config,
                "crypto ipsec transform-set T esp-aes esp-sha-hmac",
            ),
            (Mode::Config, "no crypto isakmp key cisco address 0.0.0.0"),
            (
                Mode::Config,
                "crypto isakmp key Long-and-random-9xK address 192.0.2.1",
            ),
            (Mode::Config, "crypto isakmp key 6 AAAA address 192.0.2.1"),
            (Mode::CryptoMap, "set pfs group19"),
        ] {
            assert_eq!(reasons(mode, line), [""; 0], "{line}");
        }
    }

    #[test]
    fn the_warning_has_no_key() {
        let line = "crypto isakmp key 0 k3y address 0.0.0.0";
        let Command::Config(line) = parse(Mode::Config, line).unwrap().command else {
            panic!("no configuration line");
        };
        assert_eq!(
            weaknesses(&line)[1].to_string(),
            "Module: ISAKMP, Command: crypto isakmp key 0 * address 0.0.0.0, Reason: The key has fewer than 16 \
             characters and may be guessed, Remediation: Use a long random key"
        );
    }
}
