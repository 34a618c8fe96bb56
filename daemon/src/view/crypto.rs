//! IKE SAs and flows as the screens have them. Called by `view`.

use std::collections::HashMap;
use std::sync::Arc;

use ike::Instant;
use ike::algorithm::{Authentication, Encryption, EspCipher, Hash, Integrity, IpsecProtocol, Mode};
use ike::config::{Connection, FlowId};
use ike::status::{AgreedPolicy, ChildStatus, IkeSaStatus, ProtocolSummary, Role, StateWord};
use isthmus_kernel::{SaId, SaStats};

use crate::plan::child::sa_id;
use crate::plan::flows::FlowName;
use crate::router::Router;
use crate::router::counters::{Packets, add, since};
use crate::show::snapshot::{Flow, IkeSa, IkeSuite, IpsecSa, Proxy};

/// A row of `show crypto isakmp sa`.
pub fn ike_sa(sa: &IkeSaStatus, now: Instant) -> IkeSa {
    let established = sa.state == StateWord::QmIdle;
    IkeSa {
        conn_id: sa.conn_id,
        local: sa.local,
        remote: sa.remote,
        initiator: sa.role == Role::Initiator,
        state: match sa.state {
            StateWord::MmNoState => "MM_NO_STATE",
            StateWord::MmSaSetup => "MM_SA_SETUP",
            StateWord::MmKeyExch => "MM_KEY_EXCH",
            StateWord::MmKeyAuth => "MM_KEY_AUTH",
            StateWord::QmIdle => "QM_IDLE",
        },
        established,
        deleted: sa.deleted,
        suite: sa.policy.as_ref().map(suite),
        remaining: sa.remaining,
        age: established.then(|| now.since(sa.created)),
        peer_id: sa.peer_identity.as_ref().map(ToString::to_string),
        dpd: sa.dpd,
        natt: false,
        encrypted_messages: 0,
        decrypted_messages: 0,
    }
}

fn suite(policy: &AgreedPolicy) -> IkeSuite {
    let (encryption, key_bits) = match policy.encryption {
        Encryption::Des => ("des", None),
        Encryption::TripleDes => ("3des", None),
        Encryption::Aes128 => ("aes", Some(128)),
        Encryption::Aes192 => ("aes", Some(192)),
        Encryption::Aes256 => ("aes", Some(256)),
    };
    IkeSuite {
        encryption,
        key_bits,
        hash: match policy.hash {
            Hash::Md5 => "md5",
            Hash::Sha1 => "sha",
            Hash::Sha256 => "sha256",
            Hash::Sha384 => "sha384",
            Hash::Sha512 => "sha512",
        },
        authentication: match policy.authentication {
            Authentication::PreShared => "psk",
            Authentication::RsaSignature => "rsig",
            Authentication::RsaEncryption => "renc",
        },
        group: policy.group.0,
    }
}

/// The counters of SAs, as far as they are known.
pub type Counters = HashMap<SaId, SaStats>;

/// One flow of the plan, with its children, newest first.
#[derive(Debug)]
pub struct RawFlow {
    connection: Arc<Connection>,
    flow: usize,
    children: Vec<ChildStatus>,
}

impl RawFlow {
    /// The SAs that its counters are in.
    pub fn sas(&self) -> impl Iterator<Item = SaId> {
        self.children.iter().flat_map(|child| {
            let sa = &child.sa;
            sa.protocols.iter().flat_map(|part| {
                [
                    sa_id(sa.local, part.protocol, part.inbound_spi),
                    sa_id(sa.remote, part.protocol, part.outbound_spi),
                ]
            })
        })
    }
}

/// The flows of one connection of the plan.
pub fn raw_flows(router: &Router, connection: &Arc<Connection>, now: Instant) -> Vec<RawFlow> {
    let mut children: HashMap<FlowId, Vec<ChildStatus>> = HashMap::new();
    for child in router.tunnels.engine.children_of(connection.id, now) {
        children.entry(child.flow).or_default().push(child);
    }
    let raw = |(index, flow): (usize, &ike::config::Flow)| {
        let mut children = children.remove(&flow.id).unwrap_or_default();
        children.reverse();
        RawFlow {
            connection: Arc::clone(connection),
            flow: index,
            children,
        }
    };
    connection.flows.iter().enumerate().map(raw).collect()
}

/// A flow as it is shown; none where it is no flow of IPv4 or its interface is gone.
pub fn flow(router: &Router, raw: &RawFlow, counters: &Counters) -> Option<Flow> {
    let connection = &raw.connection;
    let flow = &connection.flows[raw.flow];
    let up = &raw.children;
    let name = (connection.id, flow.id);
    let planned = router.tunnels.plan.flow(&name)?;
    let interface = router.interfaces.by_index(planned.interface)?;
    let status = router.tunnels.engine.connection_status(connection.id);
    let in_use = up
        .first()
        .map(|child| child.sa.remote)
        .or(status.and_then(|s| s.peer));
    let (map, sequence) = connection.origin.map_entry()?;
    Some(Flow {
        interface: interface.name.clone(),
        map: map.to_owned(),
        sequence: u16::try_from(sequence).unwrap_or(u16::MAX),
        description: description(router, map, sequence),
        local: planned.local,
        local_proxy: Proxy::of(&flow.local)?,
        remote_proxy: Proxy::of(&flow.remote)?,
        peer: in_use.unwrap_or(planned.shape.peer),
        port: 500,
        packets: packets(router, name, up, counters),
        mtu: interface.link.mtu,
        pfs_group: up.first().and_then(|child| child.sa.pfs).map(group),
        sas: up
            .iter()
            .flat_map(|child| ipsec_sas(child, counters))
            .collect(),
    })
}

fn description(router: &Router, map: &str, sequence: u32) -> Option<String> {
    let sequence = u16::try_from(sequence).ok()?;
    router
        .running
        .crypto
        .maps
        .get(map)?
        .entries
        .get(&sequence)?
        .description
        .clone()
}

fn group(group: ike::registry::GroupNumber) -> &'static str {
    match group.0 {
        1 => "group1",
        2 => "group2",
        5 => "group5",
        14 => "group14",
        15 => "group15",
        16 => "group16",
        19 => "group19",
        20 => "group20",
        21 => "group21",
        24 => "group24",
        _ => "unknown",
    }
}

/// What the flow's SAs carried, those that are gone too, since the operator cleared the counters.
fn packets(
    router: &Router,
    name: FlowName,
    children: &[ChildStatus],
    counters: &Counters,
) -> Packets {
    let mut sum = router
        .tunnels
        .carried
        .get(&name)
        .copied()
        .unwrap_or_default();
    for child in children {
        let Some(sa) = child.sa.protocols.first() else {
            continue;
        };
        let stats = |id: SaId| {
            let now = counters.get(&id).copied().unwrap_or_default();
            let cleared = router.tunnels.cleared.get(&id).copied().unwrap_or_default();
            since(now, cleared)
        };
        let inbound = stats(sa_id(child.sa.local, sa.protocol, sa.inbound_spi));
        let outbound = stats(sa_id(child.sa.remote, sa.protocol, sa.outbound_spi));
        add(&mut sum, &inbound, true);
        add(&mut sum, &outbound, false);
    }
    sum
}

fn ipsec_sas(child: &ChildStatus, counters: &Counters) -> Vec<IpsecSa> {
    let both = |sa: &ProtocolSummary| {
        [
            ipsec_sa(
                child,
                sa,
                true,
                counters.get(&sa_id(child.sa.local, sa.protocol, sa.inbound_spi)),
            ),
            ipsec_sa(
                child,
                sa,
                false,
                counters.get(&sa_id(child.sa.remote, sa.protocol, sa.outbound_spi)),
            ),
        ]
    };
    let there = |sa: &IpsecSa| sa.spi != 0;
    child
        .sa
        .protocols
        .iter()
        .flat_map(both)
        .filter(there)
        .collect()
}

fn ipsec_sa(
    child: &ChildStatus,
    sa: &ProtocolSummary,
    inbound: bool,
    stats: Option<&SaStats>,
) -> IpsecSa {
    let stats = stats.copied().unwrap_or_default();
    let window = Some(child.sa.replay_window).filter(|window| *window > 0);
    IpsecSa {
        inbound,
        ah: sa.protocol == IpsecProtocol::Ah,
        spi: if inbound {
            sa.inbound_spi
        } else {
            sa.outbound_spi
        },
        transform: transform(sa),
        algorithm: algorithm(sa),
        transport: child.sa.mode == Mode::Transport,
        udp: false,
        conn_id: child.conn_id + u32::from(!inbound),
        kilobytes: child
            .sa
            .lifetime
            .kilobytes
            .map(|k| u64::from(k).saturating_sub(stats.bytes / 1024)),
        seconds: child.remaining.as_secs(),
        iv: sa.cipher.and_then(iv),
        icv: icv(sa),
        block: sa.cipher.map_or(4, block),
        replay_window: window,
        packets: stats.packets,
        sequence: stats.packets,
    }
}

/// `esp-256-aes esp-sha-hmac`
fn transform(sa: &ProtocolSummary) -> String {
    let cipher = sa.cipher.map(|cipher| match cipher {
        EspCipher::Null => "esp-null",
        EspCipher::Des => "esp-des",
        EspCipher::TripleDes => "esp-3des",
        EspCipher::Seal => "esp-seal",
        EspCipher::Aes128 => "esp-aes",
        EspCipher::Aes192 => "esp-192-aes",
        EspCipher::Aes256 => "esp-256-aes",
        EspCipher::AesGcm128 => "esp-gcm",
        EspCipher::AesGcm192 => "esp-gcm 192",
        EspCipher::AesGcm256 => "esp-gcm 256",
        EspCipher::AesGmac128 => "esp-gmac",
        EspCipher::AesGmac192 => "esp-gmac 192",
        EspCipher::AesGmac256 => "esp-gmac 256",
    });
    let protocol = match sa.protocol {
        IpsecProtocol::Ah => "ah",
        IpsecProtocol::Esp => "esp",
    };
    let integrity = sa
        .integrity
        .map(|integrity| format!("{protocol}-{integrity}"));
    [cipher.map(str::to_owned), integrity]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
}

/// `AES256+SHA`
fn algorithm(sa: &ProtocolSummary) -> String {
    let cipher = sa.cipher.map(|cipher| match cipher {
        EspCipher::Null => "NULL",
        EspCipher::Des => "DES",
        EspCipher::TripleDes => "3DES",
        EspCipher::Seal => "SEAL",
        EspCipher::Aes128 => "AES",
        EspCipher::Aes192 => "AES192",
        EspCipher::Aes256 => "AES256",
        EspCipher::AesGcm128 => "AES-GCM",
        EspCipher::AesGcm192 => "AES192-GCM",
        EspCipher::AesGcm256 => "AES256-GCM",
        EspCipher::AesGmac128 => "AES-GMAC",
        EspCipher::AesGmac192 => "AES192-GMAC",
        EspCipher::AesGmac256 => "AES256-GMAC",
    });
    let integrity = sa.integrity.map(|integrity| match integrity {
        Integrity::HmacMd5 => "MD5",
        Integrity::HmacSha1 => "SHA",
        Integrity::HmacSha256 => "SHA256",
        Integrity::HmacSha384 => "SHA384",
        Integrity::HmacSha512 => "SHA512",
    });
    [cipher, integrity]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("+")
}

/// Octets of initialisation vector in each packet.
fn iv(cipher: EspCipher) -> Option<u8> {
    match cipher {
        EspCipher::Null => None,
        EspCipher::Aes128 | EspCipher::Aes192 | EspCipher::Aes256 => Some(16),
        _ => Some(8),
    }
}

/// Octets that the plaintext is padded to a multiple of (RFC 4303 2.4).
fn block(cipher: EspCipher) -> u8 {
    match cipher {
        EspCipher::Des | EspCipher::TripleDes => 8,
        EspCipher::Aes128 | EspCipher::Aes192 | EspCipher::Aes256 => 16,
        _ => 4,
    }
}

/// Octets of integrity value in each packet.
fn icv(sa: &ProtocolSummary) -> u8 {
    match sa.integrity {
        Some(Integrity::HmacMd5 | Integrity::HmacSha1) => 12,
        Some(Integrity::HmacSha256) => 16,
        Some(Integrity::HmacSha384) => 24,
        Some(Integrity::HmacSha512) => 32,
        None if sa.cipher.is_some_and(EspCipher::is_aead) => 16,
        None => 0,
    }
}
