//! `show crypto isakmp sa | policy | key | peers`. Called by `show`.

use std::collections::BTreeMap;
use std::fmt::Write;

use std::net::{IpAddr, Ipv4Addr};

use isthmus_grammar::command::{Authentication, Encryption, Hash, KeyPeer};
use schemars::JsonSchema;
use serde::Serialize;

use super::screen::Facts;
use super::snapshot::IkeSa;
use crate::clock::format as time;
use crate::config::hide::REMOVED;
use crate::config::model::{IsakmpPolicy, Running};
use crate::config::secret;
use crate::json::shown;

/// `show crypto isakmp sa [detail]`.
#[derive(Serialize, JsonSchema)]
pub struct IsakmpSas<'a> {
    #[serde(skip)]
    detail: bool,
    /// The IKE SAs, newest first, the deleted ones that still answer too.
    isakmp_sas: Vec<&'a IkeSa>,
}

/// The IKE SAs, newest first, as the connection numbers count.
pub fn sas(sas: &[IkeSa], detail: bool) -> IsakmpSas<'_> {
    let mut isakmp_sas: Vec<&IkeSa> = sas.iter().collect();
    isakmp_sas.sort_by_key(|sa| std::cmp::Reverse(sa.conn_id));
    IsakmpSas { detail, isakmp_sas }
}

impl Facts for IsakmpSas<'_> {
    fn text(&self) -> String {
        let by_version = |v4: bool| {
            let sas = self.isakmp_sas.iter().copied();
            sas.filter(move |sa| sa.remote.is_ipv4() == v4)
        };
        if self.detail {
            let lines = |v4| by_version(v4).map(detail_lines).collect::<String>();
            format!(
                "{DETAIL}{}\nIPv6 Crypto ISAKMP SA\n\n{}",
                lines(true),
                lines(false)
            )
        } else {
            let lines = |v4, width| {
                by_version(v4)
                    .map(|sa| sa_line(sa, width))
                    .collect::<String>()
            };
            format!(
                "IPv4 Crypto ISAKMP SA\n\
                 dst             src             state          conn-id status\n\
                 {}\nIPv6 Crypto ISAKMP SA\n\n{}",
                lines(true, 15),
                lines(false, 16)
            )
        }
    }
}

const DETAIL: &str = "\
Codes: C - IKE configuration mode, D - Dead Peer Detection
       K - Keepalives, N - NAT-traversal
       T - cTCP encapsulation, X - IKE Extended Authentication
       psk - Preshared key, rsig - RSA signature
       renc - RSA encryption
IPv4 Crypto ISAKMP SA

C-id  Local           Remote          I-VRF  Status Encr Hash   Auth DH Lifetime Cap.

";

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

/// `show crypto isakmp peers [ADDRESS]`.
#[derive(Serialize, JsonSchema)]
pub struct IsakmpPeers<'a> {
    /// The peers with an IKE SA, each once for every address of ours it talks to.
    peers: Vec<IsakmpPeer<'a>>,
}

/// One peer.
#[derive(Serialize, JsonSchema)]
struct IsakmpPeer<'a> {
    /// The peer's address.
    address: IpAddr,
    /// The peer's UDP port.
    port: u16,
    /// Our address.
    local_address: IpAddr,
    /// The identity it proved in phase 1; absent before it did.
    phase1_id: Option<&'a str>,
}

/// One block a peer and local address, or only those of one peer.
pub fn peers(sas: &[IkeSa], only: Option<IpAddr>) -> IsakmpPeers<'_> {
    let mut seen = std::collections::HashSet::new();
    let wanted = |sa: &&IkeSa| !sa.deleted && only.is_none_or(|only| only == sa.remote.ip());
    let mut sorted: Vec<&IkeSa> = sas.iter().filter(wanted).collect();
    sorted.sort_by_key(|sa| (sa.remote, std::cmp::Reverse((sa.established, sa.conn_id))));
    sorted.retain(|sa| seen.insert((sa.remote, sa.local.ip())));
    let peers = sorted.into_iter().map(|sa| IsakmpPeer {
        address: sa.remote.ip(),
        port: sa.remote.port(),
        local_address: sa.local.ip(),
        phase1_id: sa.peer_id.as_deref(),
    });
    IsakmpPeers {
        peers: peers.collect(),
    }
}

impl Facts for IsakmpPeers<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        for peer in &self.peers {
            let (address, port, local) = (peer.address, peer.port, peer.local_address);
            let id = peer.phase1_id.unwrap_or("(none)");
            let _ = writeln!(text, "Peer: {address} Port: {port} Local: {local}");
            let _ = writeln!(text, " Phase1 id: {id}");
        }
        text
    }
}

/// `show crypto isakmp policy`.
#[derive(Serialize, JsonSchema)]
pub struct IsakmpPolicies {
    /// The protection suites, most preferred first.
    policies: Vec<Suite>,
}

/// One protection suite.
#[derive(Serialize, JsonSchema)]
struct Suite {
    /// The number it is configured under: lower is preferred.
    priority: u16,
    /// The cipher: `des`, `3des` or `aes`.
    encryption: &'static str,
    /// The length of its key, in bits.
    key_bits: u16,
    /// The hash: `md5`, `sha`, `sha256`, `sha384` or `sha512`.
    #[serde(serialize_with = "shown")]
    #[schemars(with = "String")]
    hash: Hash,
    /// How the peers prove who they are: `pre-share`, `rsa-sig` or `rsa-encr`.
    #[serde(serialize_with = "shown")]
    #[schemars(with = "String")]
    authentication: Authentication,
    /// The Diffie-Hellman group.
    group: u16,
    /// How long an IKE SA lives, in seconds.
    lifetime_seconds: u32,
}

/// The configured suites.
pub fn policies(policies: &BTreeMap<u16, IsakmpPolicy>) -> IsakmpPolicies {
    let suite = |(priority, policy): (&u16, &IsakmpPolicy)| {
        let (encryption, key_bits) = match policy.encryption {
            Encryption::Des => ("des", 56),
            Encryption::TripleDes => ("3des", 168),
            Encryption::Aes(bits) => ("aes", bits.bits()),
        };
        Suite {
            priority: *priority,
            encryption,
            key_bits,
            hash: policy.hash,
            authentication: policy.authentication,
            group: policy.group.number(),
            lifetime_seconds: policy.lifetime,
        }
    };
    IsakmpPolicies {
        policies: policies.iter().map(suite).collect(),
    }
}

impl Facts for IsakmpPolicies {
    fn text(&self) -> String {
        let mut text = String::from("\nGlobal IKE policy\n");
        for policy in &self.policies {
            let _ = write!(
                text,
                "Protection suite of priority {}\n\
                 \tencryption algorithm:\t{}\n\
                 \thash algorithm:\t\t{}\n\
                 \tauthentication method:\t{}\n\
                 \tDiffie-Hellman group:\t#{} ({})\n\
                 \tlifetime:\t\t{} seconds, no volume limit\n",
                policy.priority,
                encryption_words(policy),
                hash_words(policy.hash),
                authentication_words(policy.authentication),
                policy.group,
                group_size(policy.group),
                policy.lifetime_seconds,
            );
        }
        text
    }
}

fn encryption_words(policy: &Suite) -> String {
    let bits = policy.key_bits;
    match policy.encryption {
        "des" => format!("DES - Data Encryption Standard ({bits} bit keys)."),
        "3des" => "Three key triple DES".to_string(),
        _ => format!("AES - Advanced Encryption Standard ({bits} bit keys)."),
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

/// The size of the group's modulus or field (RFC 2409 section 6, RFC 3526, RFC 5903, RFC 5114).
fn group_size(group: u16) -> &'static str {
    match group {
        1 => "768 bit",
        2 => "1024 bit",
        5 => "1536 bit",
        14 => "2048 bit",
        15 => "3072 bit",
        16 => "4096 bit",
        19 => "256 bit",
        20 => "384 bit",
        21 => "521 bit",
        _ => "2048 bit, 256 bit subgroup",
    }
}

/// `show crypto isakmp key`: in clear, for operators who may see the running-config.
#[derive(Serialize, JsonSchema)]
pub struct IsakmpKeys<'a> {
    /// The pre-shared keys, in the order of entry.
    keys: Vec<IsakmpKey<'a>>,
}

/// One key, for an address or a host name.
#[derive(Serialize, JsonSchema)]
struct IsakmpKey<'a> {
    /// The keyring it is in.
    keyring: &'static str,
    /// The host name that the peer must prove; absent for an address.
    hostname: Option<&'a str>,
    /// The peer's address; absent for a host name.
    address: Option<Ipv4Addr>,
    /// The mask of the address: all ones for a single peer.
    mask: Option<Ipv4Addr>,
    /// The key in clear; as it is configured if it is of type 6 and cannot be decrypted.
    pre_shared_key: String,
}

/// The configured keys; with `hide_secrets` only the peers that there are keys for.
pub fn keys(running: &Running, hide_secrets: bool) -> IsakmpKeys<'_> {
    let keys = running.crypto.keys.iter().map(|(peer, key)| {
        let (hostname, address, mask) = match peer {
            KeyPeer::Hostname(name) => (Some(name.as_str()), None, None),
            KeyPeer::Address { address, mask } => (
                None,
                Some(*address),
                Some(mask.unwrap_or(Ipv4Addr::BROADCAST)),
            ),
        };
        IsakmpKey {
            keyring: "default",
            hostname,
            address,
            mask,
            pre_shared_key: match secret::reveal(&key.key, running.master.as_ref()) {
                _ if hide_secrets => REMOVED.to_owned(),
                Ok(clear) => clear.as_str().to_owned(),
                Err(_) => key.key.expose().to_owned(),
            },
        }
    });
    IsakmpKeys {
        keys: keys.collect(),
    }
}

impl Facts for IsakmpKeys<'_> {
    fn text(&self) -> String {
        let mut text = String::from(
            "Keyring      Hostname/Address                            Preshared Key\n\n",
        );
        for key in &self.keys {
            let whom = match (key.hostname, key.address, key.mask) {
                (Some(name), ..) => name.to_owned(),
                (None, Some(address), Some(mask)) if !mask.is_broadcast() => {
                    format!("{address:<15}[{mask:<15}]")
                }
                (None, address, _) => address.map_or_else(String::new, |a| a.to_string()),
            };
            let _ = writeln!(text, "{:<13}{whom:<44}{}", key.keyring, key.pre_shared_key);
        }
        text
    }
}
