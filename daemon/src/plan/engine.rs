//! ISAKMP policies, keys, identity and keepalive for the engine. Called by `reconcile`; connections come from `plan`.

use std::net::IpAddr;
use std::time::Duration;

use ike::algorithm::{Authentication, Encryption, Hash};
use ike::auth::psk::PreSharedKeys;
use ike::config::{EngineConfig, IsakmpPolicy, Keepalive, KeepaliveKind, OwnIdentity};
use ike::registry::GroupNumber;
use isthmus_grammar::command::{self, AesBits, IsakmpIdentity, KeepaliveMode, KeyPeer};

use crate::config::model::{self, Running};
use crate::config::secret;

/// Everything but connections and keys.
#[must_use]
pub fn config(running: &Running) -> EngineConfig {
    EngineConfig {
        policies: running
            .crypto
            .policies
            .iter()
            .map(|(priority, p)| policy(*priority, p))
            .collect(),
        identity: identity(running),
        keepalive: running.crypto.keepalive.map(keepalive),
        admission: running.admission_limits(),
        connections: Vec::new(),
    }
}

fn policy(priority: u16, policy: &model::IsakmpPolicy) -> IsakmpPolicy {
    IsakmpPolicy {
        priority: priority.into(),
        encryption: match policy.encryption {
            command::Encryption::Des => Encryption::Des,
            command::Encryption::TripleDes => Encryption::TripleDes,
            command::Encryption::Aes(AesBits::B128) => Encryption::Aes128,
            command::Encryption::Aes(AesBits::B192) => Encryption::Aes192,
            command::Encryption::Aes(AesBits::B256) => Encryption::Aes256,
        },
        hash: match policy.hash {
            command::Hash::Md5 => Hash::Md5,
            command::Hash::Sha => Hash::Sha1,
            command::Hash::Sha256 => Hash::Sha256,
            command::Hash::Sha384 => Hash::Sha384,
            command::Hash::Sha512 => Hash::Sha512,
        },
        authentication: match policy.authentication {
            command::Authentication::PreShare => Authentication::PreShared,
            command::Authentication::RsaSig => Authentication::RsaSignature,
            command::Authentication::RsaEncr => Authentication::RsaEncryption,
        },
        group: GroupNumber(policy.group.number()),
        lifetime: policy.lifetime,
    }
}

/// The keys that can be used; the reconciler complains about the others.
#[must_use]
pub fn keys(running: &Running) -> PreSharedKeys {
    let mut keys = PreSharedKeys::default();
    for (peer, entry) in running.crypto.keys.iter() {
        let Ok(clear) = secret::reveal(&entry.key, running.master.as_ref()) else {
            continue;
        };
        let key = clear.as_str().into();
        match peer {
            KeyPeer::Hostname(name) => keys.add_hostname(name, key),
            KeyPeer::Address { address, mask } => {
                let mask = mask.map_or(u32::MAX, u32::from);
                let prefix = u8::try_from(mask.leading_ones()).unwrap_or(32);
                keys.add_address(IpAddr::V4(*address), prefix, key);
            }
        }
    }
    keys
}

fn identity(running: &Running) -> OwnIdentity {
    match running.crypto.identity {
        IsakmpIdentity::Address | IsakmpIdentity::Dn => OwnIdentity::Address,
        IsakmpIdentity::Hostname => {
            let host = running.hostname();
            OwnIdentity::Hostname(match &running.domain_name {
                Some(domain) => format!("{host}.{domain}"),
                None => host.to_owned(),
            })
        }
    }
}

fn keepalive(keepalive: model::Keepalive) -> Keepalive {
    Keepalive {
        interval: Duration::from_secs(keepalive.seconds.into()),
        retry: Duration::from_secs(keepalive.retry.into()),
        kind: match keepalive.mode {
            KeepaliveMode::OnDemand => KeepaliveKind::OnDemand,
            KeepaliveMode::Periodic => KeepaliveKind::Periodic,
        },
    }
}
