//! `show crypto map`, `show crypto ipsec transform-set`, `show crypto ipsec security-association lifetime`: what is
//! configured for phase 2. Called by `show`.

use std::collections::HashMap;
use std::fmt::Write;
use std::net::IpAddr;

use isthmus_grammar::command::{
    CryptoMapSelector, Encapsulation, Hash, MapEntryKind, PeerName, Transform,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::access_lists::{self, Matches};
use super::screen::Facts;
use crate::config::Running;
use crate::config::model::{CryptoMap, Entry, Lifetime, TransformSet};

/// `show crypto map [interface I | tag NAME]`.
#[derive(Serialize, JsonSchema)]
pub struct CryptoMaps<'a> {
    /// The maps by name.
    crypto_maps: Vec<Map<'a>>,
}

/// One crypto map.
#[derive(Serialize, JsonSchema)]
struct Map<'a> {
    /// Its name.
    name: &'a str,
    /// Its entries by sequence number.
    entries: Vec<MapEntry<'a>>,
    /// The interface whose address all its tunnels use; absent when they use that of the outgoing interface.
    local_address_interface: Option<String>,
    /// The interfaces that carry it.
    interfaces: Vec<String>,
}

/// One entry of a crypto map.
#[derive(Serialize, JsonSchema)]
struct MapEntry<'a> {
    /// Its sequence number.
    sequence_number: u16,
    /// How its SAs come about: `ipsec-isakmp`, `ipsec-manual` or `gdoi`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The dynamic map that peers without an entry of their own are answered from; absent in an ordinary entry.
    dynamic_map: Option<&'a str>,
    /// Its description.
    description: Option<&'a str>,
    /// A peer and an access list that exists are named.
    complete: bool,
    /// The peers, addresses or host names, in the order in which they are tried.
    peers: Vec<String>,
    /// The peer in use; absent while nothing is protected.
    current_peer: Option<IpAddr>,
    /// The name of the access list that says what is protected.
    access_list: Option<&'a str>,
    /// Its rules; empty when there is no such list.
    access_list_rules: Vec<String>,
    #[serde(flatten)]
    lifetime: LifetimeFacts,
    /// The group of the perfect forward secrecy exchange; absent when there is none.
    pfs_group: Option<u16>,
    /// The transform sets in order of preference.
    transform_sets: Vec<SetOfEntry<'a>>,
}

/// A transform set that an entry names.
#[derive(Serialize, JsonSchema)]
struct SetOfEntry<'a> {
    /// Its name.
    name: &'a str,
    /// Its transforms by protocol; empty when it is not configured.
    transforms: Vec<String>,
}

/// The maps that the selector takes. `current` has the peer in use of each entry, where there is one.
pub fn maps<'a>(
    running: &'a Running,
    selector: Option<&CryptoMapSelector>,
    current: &HashMap<(&str, u16), IpAddr>,
) -> CryptoMaps<'a> {
    let on_interface = match selector {
        Some(CryptoMapSelector::Interface(name)) => running
            .interfaces
            .get(name)
            .and_then(|one| one.crypto_map.clone()),
        _ => None,
    };
    let wanted = |name: &String| match selector {
        None => true,
        Some(CryptoMapSelector::Tag(tag)) => tag == name,
        Some(CryptoMapSelector::Interface(_)) => on_interface.as_ref() == Some(name),
    };
    let maps = running.crypto.maps.iter().filter(|(name, _)| wanted(name));
    CryptoMaps {
        crypto_maps: maps
            .map(|(name, map)| one_map(running, name, map, current))
            .collect(),
    }
}

fn one_map<'a>(
    running: &'a Running,
    name: &'a str,
    map: &'a CryptoMap,
    current: &HashMap<(&str, u16), IpAddr>,
) -> Map<'a> {
    let entry = |(sequence, entry): (&u16, &'a Entry)| MapEntry {
        sequence_number: *sequence,
        current_peer: current.get(&(name, *sequence)).copied(),
        ..one_entry(running, entry)
    };
    let interfaces = running.interfaces.of_crypto_map(name);
    Map {
        name,
        entries: map.entries.iter().map(entry).collect(),
        local_address_interface: map.local_address.as_ref().map(ToString::to_string),
        interfaces: interfaces.iter().map(ToString::to_string).collect(),
    }
}

fn one_entry<'a>(running: &'a Running, entry: &'a Entry) -> MapEntry<'a> {
    let name = entry.match_address.as_ref();
    let list = name.and_then(|name| Some((name, running.access_lists.get(name)?)));
    let rules = list.map(|(name, list)| access_lists::list(name, list, &Matches::new()).entries);
    let peer = |peer: &PeerName| match peer {
        PeerName::Address(address) => address.to_string(),
        PeerName::Hostname(name) => name.clone(),
    };
    let set = |name: &'a String| SetOfEntry {
        name,
        transforms: running
            .crypto
            .transform_sets
            .get(name)
            .map_or_else(Vec::new, groups),
    };
    MapEntry {
        sequence_number: 0,
        kind: word(&entry.kind),
        dynamic_map: match &entry.kind {
            MapEntryKind::IpsecIsakmp { dynamic, .. } => {
                dynamic.as_ref().map(|dynamic| dynamic.map.as_str())
            }
            _ => None,
        },
        description: entry.description.as_deref(),
        complete: !entry.peers.is_empty() && list.is_some(),
        peers: entry.peers.iter().map(peer).collect(),
        current_peer: None,
        access_list: name.map(|name| &**name),
        access_list_rules: rules
            .unwrap_or_default()
            .into_iter()
            .map(|entry| entry.rule)
            .collect(),
        lifetime: LifetimeFacts::of(&entry.lifetime, &running.crypto.lifetime),
        pfs_group: entry.pfs.map(|group| group.number()),
        transform_sets: entry.transform_sets.iter().map(set).collect(),
    }
}

impl Facts for CryptoMaps<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        for map in &self.crypto_maps {
            map_lines(&mut text, map);
        }
        if text.is_empty() {
            return "No crypto maps found.\n".to_string();
        }
        text
    }
}

fn map_lines(text: &mut String, map: &Map<'_>) {
    let name = map.name;
    for entry in &map.entries {
        let (sequence, kind) = (entry.sequence_number, entry.kind);
        let _ = writeln!(text, "Crypto Map IPv4 \"{name}\" {sequence} {kind}");
        if let Some(dynamic) = entry.dynamic_map {
            let _ = writeln!(text, "\tDynamic map template tag: {dynamic}");
            continue;
        }
        entry_lines(text, entry);
        if let Some(peer) = entry.current_peer {
            let _ = writeln!(text, "\tCurrent peer: {peer}");
        }
        parameters(text, entry);
    }
    if let Some(interface) = &map.local_address_interface {
        let _ = writeln!(text, "\tLocal address: {interface}");
    }
    let _ = writeln!(text, "\tInterfaces using crypto map {name}:");
    for interface in &map.interfaces {
        let _ = writeln!(text, "\t\t{interface}");
    }
    text.push('\n');
}

fn word(kind: &MapEntryKind) -> &'static str {
    match kind {
        MapEntryKind::IpsecIsakmp { .. } => "ipsec-isakmp",
        MapEntryKind::IpsecManual => "ipsec-manual",
        MapEntryKind::Gdoi => "gdoi",
    }
}

fn entry_lines(text: &mut String, entry: &MapEntry<'_>) {
    if let Some(description) = entry.description {
        let _ = writeln!(text, "\tDescription: {description}");
    }
    if !entry.complete {
        text.push_str("\tWARNING: This crypto map is in an incomplete state!\n");
        text.push_str("\t\t(missing peer or access-list definitions)\n");
    }
    for peer in &entry.peers {
        let _ = writeln!(text, "\tPeer = {peer}");
    }
    text.push_str("\tAccess-List SS dynamic: False\n");
    let Some(name) = entry.access_list else {
        text.push_str("\tNo matching address list set.\n");
        return;
    };
    let _ = writeln!(text, "\tExtended IP access list {name}");
    for rule in &entry.access_list_rules {
        let _ = writeln!(text, "\t    access-list {name} {rule}");
    }
}

fn parameters(text: &mut String, entry: &MapEntry<'_>) {
    let _ = writeln!(
        text,
        "\tSecurity association lifetime: {}",
        entry.lifetime.words()
    );
    text.push_str("\tResponder-Only (Y/N): N\n");
    match entry.pfs_group {
        None => text.push_str("\tPFS (Y/N): N\n"),
        Some(group) => {
            let _ = writeln!(text, "\tPFS (Y/N): Y\n\tDH group:  group{group}");
        }
    }
    text.push_str("\tMixed-mode : Disabled\n\tTransform sets={ \n");
    for set in &entry.transform_sets {
        let words = if set.transforms.is_empty() {
            "(not configured)".to_string()
        } else {
            let group = |group| format!("{{ {group}  }} , ");
            set.transforms.iter().map(group).collect()
        };
        let _ = writeln!(text, "\t\t{}:  {words}", set.name);
    }
    text.push_str("\t}\n");
}

/// `show crypto ipsec transform-set [tag NAME]`.
#[derive(Serialize, JsonSchema)]
pub struct TransformSets<'a> {
    /// The sets by name.
    transform_sets: Vec<Set<'a>>,
}

/// One transform set.
#[derive(Serialize, JsonSchema)]
struct Set<'a> {
    /// Its name.
    name: &'a str,
    /// Its transforms by protocol, such as `esp-256-aes esp-sha-hmac`.
    transforms: Vec<String>,
    /// The mode to negotiate.
    mode: SetMode,
}

/// The mode to negotiate.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "snake_case")]
enum SetMode {
    /// Whole packets.
    Tunnel,
    /// Transport mode where both ends are the hosts themselves, otherwise tunnel mode.
    Transport,
    /// Transport mode and nothing else.
    TransportRequire,
}

/// The configured sets.
pub fn transform_sets<'a>(running: &'a Running, tag: Option<&str>) -> TransformSets<'a> {
    let sets = running.crypto.transform_sets.iter();
    let sets = sets.filter(|(name, _)| tag.is_none_or(|tag| tag == *name));
    let one = |(name, set): (&'a String, &TransformSet)| Set {
        name,
        transforms: groups(set),
        mode: match set.mode {
            Encapsulation::Tunnel => SetMode::Tunnel,
            Encapsulation::Transport { require: false } => SetMode::Transport,
            Encapsulation::Transport { require: true } => SetMode::TransportRequire,
        },
    };
    TransformSets {
        transform_sets: sets.map(one).collect(),
    }
}

impl Facts for TransformSets<'_> {
    fn text(&self) -> String {
        let blocks: Vec<String> = self.transform_sets.iter().map(set_lines).collect();
        if blocks.is_empty() {
            String::new()
        } else {
            blocks.join("   \n") + "\n"
        }
    }
}

fn set_lines(set: &Set<'_>) -> String {
    let mode = match set.mode {
        SetMode::Tunnel => "Tunnel,  ",
        SetMode::Transport => "Transport,  ",
        SetMode::TransportRequire => "Transport Require,  ",
    };
    let mut text = format!("Transform set {}: ", set.name);
    for (index, group) in set.transforms.iter().enumerate() {
        let lead = if index == 0 { "" } else { "   " };
        let _ = write!(
            text,
            "{lead}{{ {group}  }} \n   will negotiate = {{ {mode}}}, \n"
        );
    }
    text
}

/// The transforms by protocol, as the screens group them: AH, then ESP, then compression.
fn groups(set: &TransformSet) -> Vec<String> {
    let kinds: [fn(&Transform) -> bool; 3] = [
        |one| matches!(one, Transform::Ah(_)),
        |one| !matches!(one, Transform::Ah(_) | Transform::CompLzs),
        |one| matches!(one, Transform::CompLzs),
    ];
    let words = |kind: fn(&Transform) -> bool| {
        let mut members: Vec<&Transform> = set.transforms.iter().filter(|one| kind(one)).collect();
        members.sort_by_key(|one| matches!(one, Transform::EspAuth(_)));
        members
            .into_iter()
            .map(|one| transform_word(*one))
            .collect::<Vec<_>>()
            .join(" ")
    };
    kinds
        .into_iter()
        .map(words)
        .filter(|group| !group.is_empty())
        .collect()
}

/// A transform as the screens spell it: the key size stands inside the word, `esp-256-aes`.
pub fn transform_word(transform: Transform) -> String {
    let hash = |hash: Hash| hash.word();
    match transform {
        Transform::Ah(kind) => format!("ah-{}-hmac", hash(kind)),
        Transform::EspAuth(kind) => format!("esp-{}-hmac", hash(kind)),
        Transform::EspDes => "esp-des".to_string(),
        Transform::Esp3des => "esp-3des".to_string(),
        Transform::EspAes(bits) => match bits.bits() {
            128 => "esp-aes".to_string(),
            bits => format!("esp-{bits}-aes"),
        },
        Transform::EspGcm(bits) => combined("esp-gcm", bits.bits()),
        Transform::EspGmac(bits) => combined("esp-gmac", bits.bits()),
        Transform::EspSeal => "esp-seal".to_string(),
        Transform::EspNull => "esp-null".to_string(),
        Transform::CompLzs => "comp-lzs".to_string(),
    }
}

fn combined(word: &str, bits: u16) -> String {
    if bits == 128 {
        word.to_string()
    } else {
        format!("{word} {bits}")
    }
}

/// `show crypto ipsec security-association lifetime`.
#[derive(Serialize, JsonSchema)]
pub struct LifetimeFacts {
    /// How long an IPsec SA lives, in seconds.
    lifetime_seconds: u32,
    /// How much it carries, in kilobytes; absent when there is no volume limit.
    lifetime_kilobytes: Option<u32>,
}

/// The global lifetimes.
pub fn lifetime(running: &Running) -> LifetimeFacts {
    LifetimeFacts::of(&Lifetime::default(), &running.crypto.lifetime)
}

impl LifetimeFacts {
    fn of(own: &Lifetime, global: &Lifetime) -> LifetimeFacts {
        LifetimeFacts {
            lifetime_seconds: own.seconds(global),
            lifetime_kilobytes: own.kilobytes(global),
        }
    }

    fn words(&self) -> String {
        let seconds = self.lifetime_seconds;
        match self.lifetime_kilobytes {
            Some(kilobytes) => format!("{kilobytes} kilobytes/{seconds} seconds"),
            None => format!("{seconds} seconds, no volume limit"),
        }
    }
}

impl Facts for LifetimeFacts {
    fn text(&self) -> String {
        format!("Security association lifetime: {}\n\n", self.words())
    }
}
