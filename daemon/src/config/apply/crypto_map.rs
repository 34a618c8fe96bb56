//! `crypto map ...` and the `(config-crypto-map)#` commands.

use std::net::IpAddr;

use isthmus_grammar::InterfaceName;
use isthmus_grammar::command::{
    CryptoMapCommand, Form, Group, MapEntryKind, PeerName, RetainedLine, Section,
};

use super::crypto::no_transform_set;
use super::{Origin, Outcome, Refused, done, given, say};
use crate::config::model::{Change, Entry, Running};

const NEW_ENTRY: &str = "% NOTE: This new crypto map will remain disabled until a peer\n        \
                         and a valid access list have been configured.\n";

/// `crypto map NAME SEQUENCE [KIND]`, `no crypto map NAME [SEQUENCE]`.
pub(super) fn select(
    running: &mut Running,
    form: Form,
    name: &str,
    sequence: Option<u16>,
    kind: Option<&MapEntryKind>,
) -> Outcome {
    match (form, sequence) {
        (Form::Set, Some(sequence)) => {
            let map = running.crypto.maps.get(name);
            let known = map.and_then(|map| map.entries.get(&sequence));
            match (known, kind) {
                (Some(entry), Some(kind)) if entry.kind != *kind => Err(Refused::new(format!(
                    "% Entry {sequence} of crypto map {name} is {}: remove it before it can be {kind}.",
                    entry.kind
                ))),
                (Some(_), _) => done(),
                (None, None) => Err(Refused::new(
                    "% Incomplete command: a new entry needs its type, ipsec-isakmp.",
                )),
                (None, Some(kind)) => {
                    let map = running.crypto.maps.entry(name.to_owned()).or_default();
                    let entry = Entry {
                        kind: kind.clone(),
                        ..Entry::default()
                    };
                    map.entries.insert(sequence, entry);
                    running.note(Change::CryptoMap(name.to_owned(), Some(sequence)));
                    say(if kind.dynamic_map().is_some() {
                        ""
                    } else {
                        NEW_ENTRY
                    })
                }
            }
        }
        (Form::Set, None) => Err(Refused::new("% Incomplete command.")),
        (_, Some(sequence)) => {
            let Some(map) = running.crypto.maps.get_mut(name) else {
                return done();
            };
            if map.entries.remove(&sequence).is_some() {
                if map.entries.is_empty() && map.local_address.is_none() {
                    running.crypto.maps.remove(name);
                }
                running.note(Change::CryptoMap(name.to_owned(), Some(sequence)));
            }
            done()
        }
        (_, None) => {
            let users: Vec<&str> = running
                .interfaces
                .of_crypto_map(name)
                .iter()
                .map(InterfaceName::as_str)
                .collect();
            if !users.is_empty() {
                return Err(Refused::new(format!(
                    "% Crypto-map {name} is in use by interface(s): {}.\n  Please remove the crypto map from the above \
                     interface(s) first",
                    users.join(", ")
                )));
            }
            let of_map = |line: &RetainedLine| line.words().split(' ').nth(2) == Some(name);
            running
                .retained
                .remove_in_section(Section::MapSettings, of_map);
            if running.crypto.maps.remove(name).is_some() {
                running.note(Change::CryptoMap(name.to_owned(), None));
            }
            done()
        }
    }
}

/// `crypto map NAME local-address INTERFACE`.
pub(super) fn local_address(
    running: &mut Running,
    form: Form,
    name: &str,
    interface: &Option<InterfaceName>,
) -> Outcome {
    let interface = given(form, interface);
    match (running.crypto.maps.get_mut(name), interface) {
        (None, None) => return done(),
        (Some(map), None) if map.entries.is_empty() => {
            running.crypto.maps.remove(name);
        }
        (Some(map), interface) => map.local_address = interface,
        (None, interface) => {
            running
                .crypto
                .maps
                .entry(name.to_owned())
                .or_default()
                .local_address = interface
        }
    }
    running.note(Change::CryptoMap(name.to_owned(), None));
    done()
}

/// A command of an entry.
pub(super) fn entry(
    running: &mut Running,
    name: &str,
    sequence: u16,
    form: Form,
    command: &CryptoMapCommand,
    origin: Origin,
) -> Outcome {
    if let (Form::Set, CryptoMapCommand::SetTransformSet(sets), Origin::Terminal) =
        (form, command, origin)
        && let Some(unknown) = sets
            .iter()
            .find(|set| !running.crypto.transform_sets.contains_key(*set))
    {
        return Err(Refused::new(no_transform_set(unknown)));
    }
    let found = running
        .crypto
        .maps
        .get_mut(name)
        .and_then(|map| map.entries.get_mut(&sequence));
    let Some(entry) = found else { return done() };
    match command {
        CryptoMapCommand::Description(text) => entry.description = given(form, text),
        CryptoMapCommand::MatchAddress(list) => entry.match_address = given(form, list),
        CryptoMapCommand::SetPeer { peer, default } => {
            if let (Form::Set, Some(PeerName::Address(address))) = (form, peer) {
                possible_peer(*address)?;
            }
            set_peer(entry, form, peer.as_ref(), *default)?
        }
        CryptoMapCommand::SetTransformSet(sets) => {
            entry.transform_sets = if form == Form::Set {
                sets.clone()
            } else {
                Vec::new()
            };
        }
        CryptoMapCommand::SetPfs(group) => {
            entry.pfs = (form == Form::Set).then(|| group.unwrap_or(Group::G1));
        }
        CryptoMapCommand::SetLifetime(lifetime) => match form {
            Form::Set => entry.lifetime.set(*lifetime),
            Form::No | Form::Default => entry.lifetime.clear(*lifetime),
        },
    }
    running.note(Change::CryptoMap(name.to_owned(), Some(sequence)));
    done()
}

/// An entry's access-lists are IPv4's, so its tunnels are; and a peer is one host.
fn possible_peer(address: IpAddr) -> Result<(), Refused> {
    let why = match address {
        IpAddr::V6(_) => "a crypto map for IPv4 access lists needs a peer with an IPv4 address",
        IpAddr::V4(v4) if v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast() => {
            "a peer is one host"
        }
        IpAddr::V4(_) => return Ok(()),
    };
    Err(Refused::new(format!("% Invalid peer {address}: {why}.")))
}

fn set_peer(
    entry: &mut Entry,
    form: Form,
    peer: Option<&PeerName>,
    default: bool,
) -> Result<(), Refused> {
    let Some(peer) = peer else {
        entry.peers.clear();
        entry.default_peer = None;
        return Ok(());
    };
    if form == Form::Set {
        if !entry.peers.contains(peer) {
            entry.peers.push(peer.clone());
        }
        if default {
            entry.default_peer = Some(peer.clone());
        } else if entry.default_peer.as_ref() == Some(peer) {
            entry.default_peer = None;
        }
    } else {
        entry.peers.retain(|known| known != peer);
        if entry.default_peer.as_ref() == Some(peer) {
            entry.default_peer = None;
        }
    }
    Ok(())
}
