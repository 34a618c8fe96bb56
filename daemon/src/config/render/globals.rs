//! The lines of the global level, section by section.

use isthmus_grammar::command::AddressMask;
use isthmus_grammar::command::{
    BannerKind, DfBit, FilePrompt, Form, GlobalCommand, IpRoute, IsakmpIdentity, KeepaliveMode,
    KeyPeer, LineKind, Replay, Section, TimestampKind,
};

use super::{Page, blocks, logging, login};
use crate::config::model::{AccessList, LineId, LineSettings, ReplayWindow, Running};

/// The version line: what this program calls itself.
fn version() -> String {
    let mut parts = env!("CARGO_PKG_VERSION").split('.');
    format!(
        "{}.{}",
        parts.next().unwrap_or("0"),
        parts.next().unwrap_or("0")
    )
}

pub(super) fn section(page: &mut Page, running: &Running, section: Section) {
    match section {
        Section::Version => page.global(Form::Set, GlobalCommand::Version(version())),
        Section::Services => services(page, running),
        Section::Hostname => {
            page.global(
                Form::Set,
                GlobalCommand::Hostname(Some(running.hostname().to_owned())),
            );
        }
        Section::Boot => {
            page.global(Form::Set, GlobalCommand::BootStartMarker);
            page.global(Form::Set, GlobalCommand::BootEndMarker);
        }
        Section::LocalLogging => logging::local(page, &running.logging),
        Section::Enable => login::enable(page, running),
        Section::Aaa => login::aaa(page, running),
        Section::Clock => logging::clock(page, running),
        Section::Login => login::login(page, running),
        Section::Privileges => login::privileges(page, running),
        Section::Domain => domain(page, running),
        Section::Users => login::users(page, running),
        Section::Files => page.default(
            running.file_prompt == FilePrompt::Alert,
            Form::Set,
            GlobalCommand::FilePrompt(Some(running.file_prompt)),
        ),
        Section::CryptoLogging => {
            let on = running.crypto.log_sessions;
            page.default(
                !on,
                if on { Form::Set } else { Form::No },
                GlobalCommand::CryptoLoggingSession,
            );
        }
        Section::IsakmpPolicies => {
            for (priority, policy) in &running.crypto.policies {
                blocks::isakmp_policy(page, *priority, policy);
            }
        }
        Section::IsakmpGlobals => isakmp(page, running),
        Section::IpsecLifetime => ipsec_lifetime(page, running),
        Section::TransformSets => {
            for (name, set) in &running.crypto.transform_sets {
                blocks::transform_set(page, name, set);
            }
        }
        Section::IpsecGlobals => {
            let value = running.crypto.df_bit;
            page.default(
                value == DfBit::Copy,
                Form::Set,
                GlobalCommand::CryptoIpsecDfBit(Some(value)),
            );
        }
        Section::CryptoMaps => crypto_maps(page, running),
        Section::Interfaces => {
            for (name, interface) in running.interfaces.iter() {
                blocks::interface(page, name, interface);
            }
        }
        Section::Routes => routes(page, running),
        Section::NamedLists => {
            for (name, list) in &running.access_lists {
                if !as_numbered(name, list) {
                    blocks::access_list(page, name, list);
                }
            }
        }
        Section::RemoteLogging => logging::remote(page, &running.logging),
        Section::NumberedLists => {
            let numbered = running
                .access_lists
                .iter()
                .filter(|(name, list)| as_numbered(name, list));
            let mut numbered: Vec<_> = numbered.collect();
            numbered.sort_by_key(|(name, _)| name.parse::<u16>().unwrap_or(u16::MAX));
            for (name, list) in numbered {
                blocks::numbered_list(page, name, list);
            }
        }
        Section::Banners => {
            for kind in BannerKind::ALL {
                if let Some(text) = running.banners.get(kind) {
                    page.global(
                        Form::Set,
                        GlobalCommand::Banner {
                            kind: *kind,
                            text: Some(text.clone()),
                        },
                    );
                }
            }
        }
        Section::Aliases => {
            for alias in &running.aliases {
                let command = GlobalCommand::Alias {
                    mode: alias.mode,
                    name: Some(alias.name.clone()),
                    command: Some(alias.command.clone()),
                };
                page.global(Form::Set, command);
            }
        }
        Section::Lines => lines(page, running),
        // Retained lines only.
        _ => {}
    }
}

/// A list whose lines can be printed as `access-list NUMBER ...`: those lines carry no sequence numbers.
fn as_numbered(name: &str, list: &AccessList) -> bool {
    let (plain, empty) = match list {
        AccessList::Extended(list) => (list.is_plain(), list.is_empty()),
        AccessList::Standard(list) => (list.is_plain(), list.is_empty()),
    };
    name.parse::<u16>().is_ok() && plain && !empty
}

fn services(page: &mut Page, running: &Running) {
    for kind in TimestampKind::ALL {
        let format = running.services.timestamps.get(kind).copied();
        let form = if format.is_some() {
            Form::Set
        } else {
            Form::No
        };
        page.global(
            form,
            GlobalCommand::ServiceTimestamps {
                kind: Some(*kind),
                format,
            },
        );
    }
    let form = if running.services.password_encryption {
        Form::Set
    } else {
        Form::No
    };
    page.global(form, GlobalCommand::ServicePasswordEncryption);
    let on = running.services.sequence_numbers;
    let form = if on { Form::Set } else { Form::No };
    page.default(!on, form, GlobalCommand::ServiceSequenceNumbers);
}

fn domain(page: &mut Page, running: &Running) {
    let form = if running.domain_lookup {
        Form::Set
    } else {
        Form::No
    };
    page.default(running.domain_lookup, form, GlobalCommand::IpDomainLookup);
    if let Some(name) = &running.domain_name {
        page.global(Form::Set, GlobalCommand::IpDomainName(Some(name.clone())));
    }
}

fn isakmp(page: &mut Page, running: &Running) {
    let crypto = &running.crypto;
    let form = if crypto.isakmp_enabled {
        Form::Set
    } else {
        Form::No
    };
    page.default(
        crypto.isakmp_enabled,
        form,
        GlobalCommand::CryptoIsakmpEnable,
    );
    for (peer, key) in crypto.keys.iter() {
        let command = GlobalCommand::CryptoIsakmpKey {
            key: Some(key.key.clone()),
            peer: printed_peer(peer),
            no_xauth: key.no_xauth,
        };
        page.global(Form::Set, command);
    }
    let usual = crypto.identity == IsakmpIdentity::Address;
    page.default(
        usual,
        Form::Set,
        GlobalCommand::CryptoIsakmpIdentity(Some(crypto.identity)),
    );
    if let Some(keepalive) = crypto.keepalive {
        let command = GlobalCommand::CryptoIsakmpKeepalive {
            seconds: Some(keepalive.seconds),
            retry: (keepalive.retry != 2 || page.all).then_some(keepalive.retry),
            mode: (keepalive.mode != KeepaliveMode::OnDemand || page.all).then_some(keepalive.mode),
        };
        page.global(Form::Set, command);
    }
}

/// The peer of a key without the mask that goes without saying.
fn printed_peer(peer: &KeyPeer) -> KeyPeer {
    match peer {
        KeyPeer::Address {
            address,
            mask: Some(mask),
        } if mask.is_broadcast() || (mask.is_unspecified() && address.is_unspecified()) => {
            KeyPeer::Address {
                address: *address,
                mask: None,
            }
        }
        other => other.clone(),
    }
}

fn ipsec_lifetime(page: &mut Page, running: &Running) {
    let (time, kilobytes) = blocks::lifetime(&running.crypto.lifetime);
    page.default(
        time.1,
        Form::Set,
        GlobalCommand::CryptoIpsecLifetime(time.0),
    );
    page.default(
        kilobytes.1,
        Form::Set,
        GlobalCommand::CryptoIpsecLifetime(kilobytes.0),
    );
    let replay = match running.crypto.replay {
        ReplayWindow(None) => Replay::Disable,
        ReplayWindow(size) => Replay::WindowSize(size),
    };
    let usual = running.crypto.replay == ReplayWindow::default();
    page.default(usual, Form::Set, GlobalCommand::CryptoIpsecReplay(replay));
}

fn crypto_maps(page: &mut Page, running: &Running) {
    for (name, map) in &running.crypto.maps {
        if let Some(interface) = &map.local_address {
            let command = GlobalCommand::CryptoMapLocalAddress {
                name: name.clone(),
                interface: Some(interface.clone()),
            };
            page.global(Form::Set, command);
        }
        for (sequence, entry) in &map.entries {
            blocks::crypto_map_entry(page, name, *sequence, entry);
        }
    }
}

fn routes(page: &mut Page, running: &Running) {
    for (key, options) in &running.routes {
        let destination = AddressMask {
            address: key.destination.addr(),
            mask: key.destination.netmask(),
        };
        let route = IpRoute {
            destination,
            interface: key.interface.clone(),
            next_hop: key.next_hop,
            distance: options.distance,
            name: options.name.clone(),
        };
        page.global(Form::Set, GlobalCommand::IpRoute(route));
    }
}

/// Consecutive lines with the same settings are printed as a range; the first five vtys always by themselves.
fn lines(page: &mut Page, running: &Running) {
    let mut runs: Vec<(LineId, u16, &LineSettings)> = Vec::new();
    for (line, settings) in &running.lines {
        match runs.last_mut() {
            Some((first, last, same))
                if first.kind == line.kind
                    && *last + 1 == line.number
                    && *same == settings
                    && line.number != 5 =>
            {
                *last = line.number;
            }
            _ => runs.push((*line, line.number, settings)),
        }
    }
    for (first, last, settings) in runs {
        let range = first.kind == LineKind::Vty && last != first.number;
        let command = GlobalCommand::Line {
            kind: first.kind,
            first: first.number,
            last: range.then_some(last),
        };
        blocks::line(page, command, settings);
    }
}
