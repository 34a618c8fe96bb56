//! `show crypto isakmp sa | policy | key | peers`. Called by the control session.

use std::collections::BTreeMap;
use std::fmt::Write;

use isthmus_grammar::command::{Authentication, Encryption, Group, Hash, KeyPeer};

use super::snapshot::IkeSa;
use super::time;
use crate::config::model::{IsakmpPolicy, PreSharedKeys};

/// `show crypto isakmp sa`. Newest first, as the connection numbers count.
pub fn sa(sas: &[IkeSa]) -> String {
    let mut text = String::from("IPv4 Crypto ISAKMP SA\n");
    text.push_str("dst             src             state          conn-id status\n");
    for sa in newest_first(sas).filter(|sa| sa.remote.is_ipv4()) {
        text.push_str(&sa_line(sa, 15));
    }
    text.push_str("\nIPv6 Crypto ISAKMP SA\n\n");
    for sa in newest_first(sas).filter(|sa| sa.remote.is_ipv6()) {
        text.push_str(&sa_line(sa, 16));
    }
    text
}

fn sa_line(sa: &IkeSa, width: usize) -> String {
    let (local, remote) = (sa.local.ip().to_string(), sa.remote.ip().to_string());
    let (dst, src) = if sa.initiator {
        (remote, local)
    } else {
        (local, remote)
    };
    let status = if sa.deleted {
        "ACTIVE (deleted)"
    } else {
        "ACTIVE"
    };
    format!(
        "{dst:width$} {src:width$} {:<15}{:>7} {status}\n",
        sa.state, sa.conn_id
    )
}

/// `show crypto isakmp sa detail`.
pub fn sa_detail(sas: &[IkeSa]) -> String {
    let mut text = String::from(
        "Codes: C - IKE configuration mode, D - Dead Peer Detection\n\
         \x20      K - Keepalives, N - NAT-traversal\n\
         \x20      T - cTCP encapsulation, X - IKE Extended Authentication\n\
         \x20      psk - Preshared key, rsig - RSA signature\n\
         \x20      renc - RSA encryption\n\
         IPv4 Crypto ISAKMP SA\n\n\
         C-id  Local           Remote          I-VRF  Status Encr Hash   Auth DH Lifetime Cap.\n\n",
    );
    for sa in newest_first(sas).filter(|sa| sa.remote.is_ipv4()) {
        text.push_str(&detail_lines(sa));
    }
    text.push_str("\nIPv6 Crypto ISAKMP SA\n\n");
    for sa in newest_first(sas).filter(|sa| sa.remote.is_ipv6()) {
        text.push_str(&detail_lines(sa));
    }
    text
}

fn detail_lines(sa: &IkeSa) -> String {
    let (encryption, hash, authentication, group) = match &sa.suite {
        Some(suite) => (
            suite.encryption,
            suite.hash,
            suite.authentication,
            suite.group.to_string(),
        ),
        None => ("", "", "", "0".to_string()),
    };
    let lifetime = time::hms(sa.remaining.unwrap_or_default());
    let line = format!(
        "{:<5} {:<15} {:<15}        {:<6} {encryption:<4} {hash:<6} {authentication:<4} {group:<2} {lifetime} {}",
        sa.conn_id,
        sa.local.ip().to_string(),
        sa.remote.ip().to_string(),
        if sa.established { "ACTIVE" } else { "" },
        capabilities(sa),
    );
    format!(
        "{}\n       Engine-id:Conn-id =  SW:{}\n\n",
        line.trim_end(),
        engine_id(sa.conn_id)
    )
}

/// The letters after `Cap.` and `Capabilities:`: D for dead peer detection, N for NAT traversal.
pub(super) fn capabilities(sa: &IkeSa) -> String {
    let letters = [(sa.dpd, 'D'), (sa.natt, 'N')];
    letters
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, letter)| letter)
        .collect()
}

/// The engine's own number of a connection: those of IKE SAs count from 1001, the engine's from 1.
fn engine_id(conn_id: u32) -> u32 {
    conn_id.saturating_sub(1000).max(1)
}

/// `show crypto isakmp peers [ADDRESS]`: one block a peer and local address.
pub fn peers(sas: &[IkeSa]) -> String {
    let mut text = String::new();
    let mut seen = std::collections::HashSet::new();
    let mut sorted: Vec<&IkeSa> = sas.iter().filter(|sa| !sa.deleted).collect();
    sorted.sort_by_key(|sa| (sa.remote, std::cmp::Reverse((sa.established, sa.conn_id))));
    for sa in sorted {
        if seen.insert((sa.remote, sa.local.ip())) {
            let (peer, local) = (sa.remote, sa.local.ip());
            let _ = writeln!(
                text,
                "Peer: {} Port: {} Local: {local}",
                peer.ip(),
                peer.port()
            );
            let _ = writeln!(
                text,
                " Phase1 id: {}",
                sa.peer_id.as_deref().unwrap_or("(none)")
            );
        }
    }
    text
}

fn newest_first(sas: &[IkeSa]) -> impl Iterator<Item = &IkeSa> {
    let mut sorted: Vec<&IkeSa> = sas.iter().collect();
    sorted.sort_by_key(|sa| std::cmp::Reverse(sa.conn_id));
    sorted.into_iter()
}

/// `show crypto isakmp policy`.
pub fn policy(policies: &BTreeMap<u16, IsakmpPolicy>) -> String {
    let mut text = String::from("\nGlobal IKE policy\n");
    for (priority, policy) in policies {
        let _ = write!(
            text,
            "Protection suite of priority {priority}\n\
             \tencryption algorithm:\t{}\n\
             \thash algorithm:\t\t{}\n\
             \tauthentication method:\t{}\n\
             \tDiffie-Hellman group:\t{}\n\
             \tlifetime:\t\t{} seconds, no volume limit\n",
            encryption_words(policy.encryption),
            hash_words(policy.hash),
            authentication_words(policy.authentication),
            group_words(policy.group),
            policy.lifetime,
        );
    }
    text
}

fn encryption_words(encryption: Encryption) -> String {
    match encryption {
        Encryption::Des => "DES - Data Encryption Standard (56 bit keys).".to_string(),
        Encryption::TripleDes => "Three key triple DES".to_string(),
        Encryption::Aes(bits) => format!(
            "AES - Advanced Encryption Standard ({} bit keys).",
            bits.bits()
        ),
    }
}

fn hash_words(hash: Hash) -> &'static str {
    match hash {
        Hash::Md5 => "Message Digest 5",
        Hash::Sha => "Secure Hash Standard",
        Hash::Sha256 => "Secure Hash Standard 2 (256 bit)",
        Hash::Sha384 => "Secure Hash Standard 2 (384 bit)",
        Hash::Sha512 => "Secure Hash Standard 2 (512 bit)",
    }
}

fn authentication_words(authentication: Authentication) -> &'static str {
    match authentication {
        Authentication::PreShare => "Pre-Shared Key",
        Authentication::RsaSig => "Rivest-Shamir-Adleman Signature",
        Authentication::RsaEncr => "Rivest-Shamir-Adleman Encryption",
    }
}

/// The group with the size of its modulus or field (RFC 2409 section 6, RFC 3526, RFC 5903, RFC 5114).
fn group_words(group: Group) -> String {
    let size = match group {
        Group::G1 => "768 bit",
        Group::G2 => "1024 bit",
        Group::G5 => "1536 bit",
        Group::G14 => "2048 bit",
        Group::G15 => "3072 bit",
        Group::G16 => "4096 bit",
        Group::G19 => "256 bit",
        Group::G20 => "384 bit",
        Group::G21 => "521 bit",
        Group::G24 => "2048 bit, 256 bit subgroup",
    };
    format!("#{group} ({size})")
}

/// `show crypto isakmp key`: in clear, for whoever may see the running-config.
pub fn key(keys: &PreSharedKeys) -> String {
    let mut text =
        String::from("Keyring      Hostname/Address                            Preshared Key\n\n");
    for (peer, key) in keys.iter() {
        let whom = match peer {
            KeyPeer::Hostname(name) => name.clone(),
            KeyPeer::Address {
                address,
                mask: Some(mask),
            } if !mask.is_broadcast() => {
                format!("{address:<15}[{mask:<15}]")
            }
            KeyPeer::Address { address, .. } => address.to_string(),
        };
        let _ = writeln!(text, "{:<13}{whom:<44}{}", "default", key.key.expose());
    }
    text
}
