//! `show crypto map`, `show crypto ipsec transform-set`, `show crypto ipsec security-association lifetime`: what is
//! configured for phase 2. Called by the control session.

use std::collections::HashMap;
use std::fmt::Write;

use isthmus_grammar::command::{
    CryptoMapSelector, Encapsulation, Hash, MapEntryKind, PeerName, Transform,
};

use super::access_lists::{extended_rule, standard_rule};
use crate::config::Running;
use crate::config::model::{AccessList, CryptoMap, Entry, Lifetime, TransformSet};

/// `show crypto map [interface I | tag NAME]`. `current` has the peer in use of each entry, where there is one.
pub fn map(
    running: &Running,
    selector: Option<&CryptoMapSelector>,
    current: &HashMap<(String, u16), std::net::IpAddr>,
) -> String {
    let on_interface = match selector {
        Some(CryptoMapSelector::Interface(name)) => running
            .interfaces
            .get(name)
            .and_then(|one| one.crypto_map.clone()),
        _ => None,
    };
    let mut text = String::new();
    for (name, map) in &running.crypto.maps {
        let wanted = match selector {
            None => true,
            Some(CryptoMapSelector::Tag(tag)) => tag == name,
            Some(CryptoMapSelector::Interface(_)) => on_interface.as_ref() == Some(name),
        };
        if wanted {
            one_map(&mut text, running, name, map, current);
        }
    }
    if text.is_empty() {
        return "No crypto maps found.\n".to_string();
    }
    text
}

fn one_map(
    text: &mut String,
    running: &Running,
    name: &str,
    map: &CryptoMap,
    current: &HashMap<(String, u16), std::net::IpAddr>,
) {
    for (sequence, entry) in &map.entries {
        let _ = writeln!(
            text,
            "Crypto Map IPv4 \"{name}\" {sequence} {}",
            word(&entry.kind)
        );
        if let MapEntryKind::IpsecIsakmp {
            dynamic: Some(dynamic),
            ..
        } = &entry.kind
        {
            let _ = writeln!(text, "\tDynamic map template tag: {}", dynamic.map);
            continue;
        }
        entry_lines(text, running, entry);
        if let Some(peer) = current.get(&(name.to_owned(), *sequence)) {
            let _ = writeln!(text, "\tCurrent peer: {peer}");
        }
        parameters(text, running, entry);
    }
    if let Some(interface) = &map.local_address {
        let _ = writeln!(text, "\tLocal address: {interface}");
    }
    let _ = writeln!(text, "\tInterfaces using crypto map {name}:");
    for interface in running.interfaces.of_crypto_map(name) {
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

fn entry_lines(text: &mut String, running: &Running, entry: &Entry) {
    let list = entry
        .match_address
        .as_ref()
        .and_then(|name| running.access_lists.get(name));
    if let Some(description) = &entry.description {
        let _ = writeln!(text, "\tDescription: {description}");
    }
    if entry.peers.is_empty() || list.is_none() {
        text.push_str("\tWARNING: This crypto map is in an incomplete state!\n");
        text.push_str("\t\t(missing peer or access-list definitions)\n");
    }
    for peer in &entry.peers {
        let peer = match peer {
            PeerName::Address(address) => address.to_string(),
            PeerName::Hostname(name) => name.clone(),
        };
        let _ = writeln!(text, "\tPeer = {peer}");
    }
    text.push_str("\tAccess-List SS dynamic: False\n");
    let Some(name) = &entry.match_address else {
        text.push_str("\tNo matching address list set.\n");
        return;
    };
    let _ = writeln!(text, "\tExtended IP access list {name}");
    match list {
        Some(AccessList::Extended(list)) => {
            for (_, rule) in list.rules() {
                let _ = writeln!(text, "\t    access-list {name} {}", extended_rule(rule));
            }
        }
        Some(AccessList::Standard(list)) => {
            for (_, rule) in list.rules() {
                let _ = writeln!(text, "\t    access-list {name} {}", standard_rule(rule));
            }
        }
        None => {}
    }
}

fn parameters(text: &mut String, running: &Running, entry: &Entry) {
    let lifetime = lifetime_words(&entry.lifetime, &running.crypto.lifetime);
    let _ = writeln!(text, "\tSecurity association lifetime: {lifetime}");
    text.push_str("\tResponder-Only (Y/N): N\n");
    match entry.pfs {
        None => text.push_str("\tPFS (Y/N): N\n"),
        Some(group) => {
            let _ = writeln!(text, "\tPFS (Y/N): Y\n\tDH group:  group{group}");
        }
    }
    text.push_str("\tMixed-mode : Disabled\n\tTransform sets={ \n");
    for name in &entry.transform_sets {
        let words = running.crypto.transform_sets.get(name).map_or_else(
            || "(not configured)".to_string(),
            |set| {
                groups(set)
                    .iter()
                    .map(|group| format!("{{ {group}  }} , "))
                    .collect()
            },
        );
        let _ = writeln!(text, "\t\t{name}:  {words}");
    }
    text.push_str("\t}\n");
}

/// `show crypto ipsec transform-set [tag NAME]`.
pub fn transform_set(running: &Running, tag: Option<&str>) -> String {
    let sets = running
        .crypto
        .transform_sets
        .iter()
        .filter(|(name, _)| tag.is_none_or(|tag| tag == *name));
    let blocks: Vec<String> = sets.map(|(name, set)| set_lines(name, set)).collect();
    if blocks.is_empty() {
        String::new()
    } else {
        blocks.join("   \n") + "\n"
    }
}

fn set_lines(name: &str, set: &TransformSet) -> String {
    let mode = match set.mode {
        Encapsulation::Tunnel => "Tunnel,  ",
        Encapsulation::Transport { require: false } => "Transport,  ",
        Encapsulation::Transport { require: true } => "Transport Require,  ",
    };
    let mut text = format!("Transform set {name}: ");
    for (index, group) in groups(set).iter().enumerate() {
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
pub fn lifetime(running: &Running) -> String {
    let words = lifetime_words(&Lifetime::default(), &running.crypto.lifetime);
    format!("Security association lifetime: {words}\n\n")
}

fn lifetime_words(own: &Lifetime, global: &Lifetime) -> String {
    let seconds = own.seconds(global);
    match own.kilobytes(global) {
        Some(kilobytes) => format!("{kilobytes} kilobytes/{seconds} seconds"),
        None => format!("{seconds} seconds, no volume limit"),
    }
}
