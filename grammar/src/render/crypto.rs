//! ISAKMP, IPsec and crypto map lines.

use super::{Out, keyword};
use crate::command::{
    AesBits, CryptoMapCommand, Encapsulation, Encryption, Form, GlobalCommand, IsakmpPolicyCommand,
    KeyPeer, KilobyteLifetime, PeerName, Replay, SaLifetime, Secret, Transform,
    TransformSetCommand,
};

/// `crypto` commands of global configuration.
pub(super) fn global(out: &mut Out, command: &GlobalCommand, form: Form) {
    match command {
        GlobalCommand::CryptoIpsecDfBit(df_bit) => keyword(out, "crypto ipsec df-bit", *df_bit),
        GlobalCommand::CryptoIpsecLifetime(lifetime) => {
            sa_lifetime(out, "crypto ipsec security-association lifetime", *lifetime)
        }
        GlobalCommand::CryptoIpsecReplay(replay) => match replay {
            Replay::Disable => out.word("crypto ipsec security-association replay disable"),
            Replay::WindowSize(size) => keyword(
                out,
                "crypto ipsec security-association replay window-size",
                *size,
            ),
        },
        GlobalCommand::CryptoIpsecTransformSet { name, transforms } => {
            out.pair("crypto ipsec transform-set", Some(name));
            transforms.iter().for_each(|one| transform(out, *one));
            out.trailing_blanks(form, 1);
        }
        GlobalCommand::CryptoIsakmpEnable => out.word("crypto isakmp enable"),
        GlobalCommand::CryptoIsakmpIdentity(identity) => {
            keyword(out, "crypto isakmp identity", *identity)
        }
        GlobalCommand::CryptoIsakmpKeepalive {
            seconds,
            retry,
            mode,
        } => {
            keyword(out, "crypto isakmp keepalive", *seconds);
            out.optional(*retry);
            out.optional(*mode);
        }
        GlobalCommand::CryptoIsakmpKey {
            key,
            peer,
            no_xauth,
        } => isakmp_key(out, key.as_ref(), peer, *no_xauth, form),
        GlobalCommand::CryptoIsakmpPolicy(priority) => {
            out.pair("crypto isakmp policy", Some(priority))
        }
        GlobalCommand::CryptoLoggingSession => out.word("crypto logging session"),
        GlobalCommand::CryptoMap {
            name,
            sequence,
            kind,
        } => {
            out.pair("crypto map", Some(name));
            out.optional(*sequence);
            out.optional(kind.as_ref());
            out.trailing_blanks(form, 1);
        }
        GlobalCommand::CryptoMapLocalAddress { name, interface } => {
            out.pair("crypto map", Some(name));
            keyword(out, "local-address", interface.as_ref());
        }
        _ => unreachable!("every other global command is rendered by the caller"),
    }
}

/// IOS pads an address that stands at the end of the line.
fn isakmp_key(out: &mut Out, key: Option<&Secret>, peer: &KeyPeer, no_xauth: bool, form: Form) {
    out.word("crypto isakmp key");
    if let Some(key) = key {
        out.secret(key);
    }
    match peer {
        KeyPeer::Address {
            address,
            mask: None,
        } if !no_xauth => {
            out.pair("address", Some(address));
            out.trailing_blanks(form, 15usize.saturating_sub(address.to_string().len()));
        }
        KeyPeer::Address { address, mask } => {
            out.pair("address", Some(address));
            out.optional(*mask);
        }
        KeyPeer::Hostname(name) => out.pair("hostname", Some(name)),
    }
    out.flag("no-xauth", no_xauth);
}

/// A lifetime after the words that lead to it.
fn sa_lifetime(out: &mut Out, prefix: &str, lifetime: SaLifetime) {
    out.word(prefix);
    match lifetime {
        SaLifetime::Seconds(seconds) => keyword(out, "seconds", seconds),
        SaLifetime::Days(days) => keyword(out, "days", days),
        SaLifetime::Kilobytes(Some(KilobyteLifetime::Disable)) => out.word("kilobytes disable"),
        SaLifetime::Kilobytes(Some(KilobyteLifetime::Kilobytes(kilobytes))) => {
            out.pair("kilobytes", Some(kilobytes))
        }
        SaLifetime::Kilobytes(None) => out.word("kilobytes"),
    }
}

fn transform(out: &mut Out, transform: Transform) {
    match transform {
        Transform::Ah(hash) => out.word(format_args!("ah-{hash}-hmac")),
        Transform::EspDes => out.word("esp-des"),
        Transform::Esp3des => out.word("esp-3des"),
        Transform::EspAes(bits) => with_bits(out, "esp-aes", bits),
        Transform::EspGcm(bits) => with_bits(out, "esp-gcm", bits),
        Transform::EspGmac(bits) => with_bits(out, "esp-gmac", bits),
        Transform::EspSeal => out.word("esp-seal"),
        Transform::EspNull => out.word("esp-null"),
        Transform::EspAuth(hash) => out.word(format_args!("esp-{hash}-hmac")),
        Transform::CompLzs => out.word("comp-lzs"),
    }
}

/// 128 bits are the default and not printed.
fn with_bits(out: &mut Out, word: &str, bits: AesBits) {
    keyword(out, word, (bits != AesBits::B128).then(|| bits.bits()));
}

/// `(config-isakmp)#`; running-config spells `encr`.
pub(super) fn isakmp_policy(out: &mut Out, command: &IsakmpPolicyCommand) {
    match command {
        IsakmpPolicyCommand::Encryption(encryption) => {
            out.word("encr");
            match encryption {
                Some(Encryption::Des) => out.word("des"),
                Some(Encryption::TripleDes) => out.word("3des"),
                Some(Encryption::Aes(bits)) => with_bits(out, "aes", *bits),
                None => {}
            }
        }
        IsakmpPolicyCommand::Hash(hash) => keyword(out, "hash", *hash),
        IsakmpPolicyCommand::Authentication(method) => keyword(out, "authentication", *method),
        IsakmpPolicyCommand::Group(group) => keyword(out, "group", *group),
        IsakmpPolicyCommand::Lifetime(seconds) => keyword(out, "lifetime", *seconds),
    }
}

/// `(cfg-crypto-trans)#`
pub(super) fn transform_set(out: &mut Out, command: &TransformSetCommand) {
    let TransformSetCommand::Mode(mode) = command;
    out.word("mode");
    match mode {
        Some(Encapsulation::Tunnel) => out.word("tunnel"),
        Some(Encapsulation::Transport { require }) => {
            out.word("transport");
            out.flag("require", *require);
        }
        None => {}
    }
}

/// `(config-crypto-map)#`
pub(super) fn crypto_map(out: &mut Out, command: &CryptoMapCommand, form: Form) {
    match command {
        CryptoMapCommand::Description(text) => keyword(out, "description", text.as_ref()),
        CryptoMapCommand::MatchAddress(list) => keyword(out, "match address", list.as_ref()),
        CryptoMapCommand::SetPeer { peer, default } => {
            out.word("set peer");
            match peer {
                // IOS writes IPv6 in capitals.
                Some(PeerName::Address(address)) => out.word(address.to_string().to_uppercase()),
                Some(PeerName::Hostname(name)) => out.word(name),
                None => {}
            }
            out.flag("default", *default);
        }
        CryptoMapCommand::SetTransformSet(names) => {
            out.word("set transform-set");
            names.iter().for_each(|name| out.word(name));
            out.trailing_blanks(form, 1);
        }
        CryptoMapCommand::SetPfs(group) => {
            out.word("set pfs");
            out.optional(group.map(|group| format!("group{group}")));
        }
        CryptoMapCommand::SetLifetime(lifetime) => {
            sa_lifetime(out, "set security-association lifetime", *lifetime)
        }
    }
}
