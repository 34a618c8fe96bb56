//! The crypto map entries that are on interfaces, with everything they refer to looked up. Called by `reconcile`.

use std::collections::HashMap;
use std::net::IpAddr;

use ike::algorithm::{EspCipher, Integrity, Mode};
use ike::config::{ChildLifetime, DfBit, EspTransform, TransformSet};
use ike::registry::GroupNumber;
use isthmus_grammar::InterfaceName;
use isthmus_grammar::command::{
    self, AclAddress, AclId, AclRule, AesBits, Encapsulation, Hash, IpProtocol, MapEntryKind,
    PeerName, RetainedLine, Section, StandardRule, Transform,
};

use super::entry::Entry;
use crate::config::model::{self, AccessList, DynamicEntry, Running};
use crate::interfaces::InterfaceTable;

/// What was found.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The entries, those of one interface together and in the order of their numbers; last those of interfaces that are
    /// not there.
    pub entries: Vec<Entry>,
    /// What the operator should know.
    pub problems: Vec<String>,
}

/// Every entry of every map on an interface.
#[must_use]
pub fn entries(running: &Running, table: &InterfaceTable) -> Gathered {
    let mut gathered = Gathered::default();
    let needed_by_maps = needed_by_maps(running);
    let dynamic_maps = running.dynamic_maps();
    for (name, lines) in running.interfaces.iter() {
        let map = lines
            .crypto_map
            .as_ref()
            .and_then(|m| Some((m, running.crypto.maps.get(m)?)));
        let Some((map_name, map)) = map else {
            continue;
        };
        let (index, gone) = match table.acting(name) {
            Some(interface) => (interface.link.index, None),
            None => (0, Some(table.why_not(name))),
        };
        let source = map.local_address.as_ref().unwrap_or(name);
        let local = local_address(running, table, source);
        let whole_map = match &lines.map_redundancy {
            Some((group, _)) => Some(format!("crypto map {map_name} redundancy {group}")),
            None => needed_by_maps.get(map_name.as_str()).cloned(),
        };
        for (sequence, entry) in &map.entries {
            let lists = gathered.lists(map_name, *sequence, entry, &dynamic_maps);
            for access_list in &lists {
                let found = Entry {
                    interface: name.to_string(),
                    index,
                    gone: gone.clone(),
                    map: map_name.clone(),
                    sequence: *sequence,
                    local,
                    inactive: inactive(entry).or_else(|| whole_map.clone()),
                    peers: Vec::new(),
                    default_peer: false,
                    access_list: access_list.clone(),
                    rules: rules(running.access_lists.get(access_list)),
                    transform_sets: Vec::new(),
                    pfs: entry.pfs.map(|group| GroupNumber(group.number())),
                    lifetime: lifetime(running, entry),
                    replay_window: running.crypto.replay.0.map_or(0, u32::from),
                    df_bit: df_bit(running.crypto.df_bit),
                };
                gathered.add(running, entry, found);
            }
        }
    }
    // Entries whose interface is gone stand together, behind all others.
    gathered.entries.sort_by_key(|entry| entry.gone.is_some());
    if running.crypto.df_bit == command::DfBit::Set && !gathered.entries.is_empty() {
        gathered.problems.push(
            "crypto ipsec df-bit set: Linux cannot set the DF bit of packets that come without it; it is copied, as with \
             crypto ipsec df-bit copy"
                .into(),
        );
    }
    gathered
}

impl Gathered {
    /// The access-lists of an entry: its own, or those of the dynamic map that it names.
    fn lists(
        &mut self,
        map: &str,
        sequence: u16,
        entry: &model::Entry,
        dynamic_maps: &HashMap<&str, Vec<DynamicEntry>>,
    ) -> Vec<AclId> {
        let mut lists: Vec<AclId> = entry.match_address.iter().cloned().collect();
        let name = format!("crypto map {map} {sequence}");
        match &entry.kind {
            MapEntryKind::IpsecIsakmp {
                dynamic: Some(dynamic),
                ..
            } => {
                let entries = dynamic_maps.get(dynamic.map.as_str());
                if entries.is_none() {
                    self.problems.push(format!(
                        "{name}: crypto dynamic-map {} does not exist",
                        dynamic.map
                    ));
                }
                for entry in entries.into_iter().flatten() {
                    match &entry.match_address {
                        Some(list) => lists.push(list.clone()),
                        None => self.problems.push(format!(
                            "{name}: crypto dynamic-map {} {} has no match address: it names no traffic, so none is dropped \
                             while dynamic maps are not active",
                            dynamic.map, entry.sequence
                        )),
                    }
                }
            }
            _ if lists.is_empty() => self
                .problems
                .push(format!("{name} has no match address: it protects nothing")),
            _ => {}
        }
        lists
    }

    fn add(&mut self, running: &Running, entry: &model::Entry, mut found: Entry) {
        for peer in &entry.peers {
            match peer {
                PeerName::Address(address) => found.peers.push(*address),
                PeerName::Hostname(host) => self.problems.push(format!(
                    "{}: set peer {host}: names are not looked up; write the address",
                    found.name()
                )),
            }
        }
        if let Some(PeerName::Address(default)) = entry.default_peer {
            found.default_peer = true;
            found.peers.sort_by_key(|peer| *peer != default);
        }
        for name in &entry.transform_sets {
            match running.crypto.transform_sets.get(name).and_then(|set| transform_set(name, set)) {
                Some(set) => found.transform_sets.push(set),
                None => self.problems.push(format!(
                    "{}: transform-set {name} cannot be used: it does not exist or has comp-lzs or esp-seal",
                    found.name()
                )),
            }
        }
        if found.rules.is_empty() {
            self.problems.push(format!(
                "{}: access-list {} does not exist or has no lines; the entry protects nothing",
                found.name(),
                found.access_list
            ));
        }
        self.entries.push(found);
    }
}

/// The line of an entry without which it must not act.
fn inactive(entry: &model::Entry) -> Option<String> {
    if !entry.kind.is_active() {
        return Some(entry.kind.to_string());
    }
    entry.retained.needed().map(RetainedLine::for_messages)
}

/// The first line of each crypto map without which no entry of it must act.
fn needed_by_maps(running: &Running) -> HashMap<&str, String> {
    let mut needed = HashMap::new();
    for line in running.retained.in_section(Section::MapSettings) {
        let map = line.words().split(' ').nth(2).unwrap_or_default();
        if line.is_needed() {
            needed.entry(map).or_insert_with(|| line.for_messages());
        }
    }
    needed
}

/// The address that tunnels of an interface start from: the configured one, or what the kernel has.
fn local_address(
    running: &Running,
    table: &InterfaceTable,
    name: &InterfaceName,
) -> Option<IpAddr> {
    let configured = running.interfaces.get(name).and_then(|lines| lines.address);
    match configured {
        Some(net) => Some(net.addr().into()),
        None => table.find(name)?.primary(),
    }
}

fn rules(list: Option<&AccessList>) -> Vec<AclRule> {
    match list {
        None => Vec::new(),
        Some(AccessList::Extended(list)) => list.rules().map(|(_, rule)| rule.clone()).collect(),
        Some(AccessList::Standard(list)) => list.rules().map(|(_, rule)| extended(rule)).collect(),
    }
}

/// A standard line says only where packets come from.
fn extended(rule: &StandardRule) -> AclRule {
    AclRule {
        action: rule.action,
        protocol: IpProtocol::ANY,
        source: rule.source,
        source_ports: None,
        destination: AclAddress::Any,
        destination_ports: None,
        icmp: None,
        established: false,
        dscp: None,
        fragments: false,
        log: None,
    }
}

fn lifetime(running: &Running, entry: &model::Entry) -> ChildLifetime {
    let global = &running.crypto.lifetime;
    ChildLifetime {
        seconds: entry.lifetime.seconds(global),
        kilobytes: entry.lifetime.kilobytes(global),
    }
}

fn df_bit(df_bit: command::DfBit) -> DfBit {
    match df_bit {
        command::DfBit::Clear => DfBit::Clear,
        command::DfBit::Copy => DfBit::Copy,
        command::DfBit::Set => DfBit::Set,
    }
}

/// The engine's form of a transform set; `None` for one that no Linux kernel can do.
fn transform_set(name: &str, set: &model::TransformSet) -> Option<TransformSet> {
    let mut cipher = None;
    let mut integrity = None;
    let mut ah = None;
    for transform in &set.transforms {
        match *transform {
            Transform::Ah(hash) => ah = Some(hmac(hash)),
            Transform::EspAuth(hash) => integrity = Some(hmac(hash)),
            Transform::EspSeal | Transform::CompLzs => return None,
            other => cipher = Some(esp_cipher(other)?),
        }
    }
    let esp = match (cipher, integrity) {
        (None, None) => None,
        (cipher, integrity) => Some(EspTransform {
            cipher: cipher.unwrap_or(EspCipher::Null),
            integrity,
        }),
    };
    let (mode, require_transport) = match set.mode {
        Encapsulation::Tunnel => (Mode::Tunnel, false),
        Encapsulation::Transport { require } => (Mode::Transport, require),
    };
    Some(TransformSet {
        name: name.to_owned(),
        ah,
        esp,
        mode,
        require_transport,
    })
}

fn esp_cipher(transform: Transform) -> Option<EspCipher> {
    Some(match transform {
        Transform::EspDes => EspCipher::Des,
        Transform::Esp3des => EspCipher::TripleDes,
        Transform::EspNull => EspCipher::Null,
        Transform::EspAes(AesBits::B128) => EspCipher::Aes128,
        Transform::EspAes(AesBits::B192) => EspCipher::Aes192,
        Transform::EspAes(AesBits::B256) => EspCipher::Aes256,
        Transform::EspGcm(AesBits::B128) => EspCipher::AesGcm128,
        Transform::EspGcm(AesBits::B192) => EspCipher::AesGcm192,
        Transform::EspGcm(AesBits::B256) => EspCipher::AesGcm256,
        Transform::EspGmac(AesBits::B128) => EspCipher::AesGmac128,
        Transform::EspGmac(AesBits::B192) => EspCipher::AesGmac192,
        Transform::EspGmac(AesBits::B256) => EspCipher::AesGmac256,
        _ => return None,
    })
}

fn hmac(hash: Hash) -> Integrity {
    match hash {
        Hash::Md5 => Integrity::HmacMd5,
        Hash::Sha => Integrity::HmacSha1,
        Hash::Sha256 => Integrity::HmacSha256,
        Hash::Sha384 => Integrity::HmacSha384,
        Hash::Sha512 => Integrity::HmacSha512,
    }
}
