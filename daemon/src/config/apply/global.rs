//! Commands of global configuration; those with much to them are handed on.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use isthmus_grammar::Alias;
use isthmus_grammar::command::{
    AclKind, CommandMode, FilePrompt, Form, GlobalCommand, IpRoute, IsakmpIdentity,
    TimestampFormat, TimestampKind,
};

use super::{
    Origin, Outcome, Refused, acl, crypto, crypto_map, done, given, interface, line, logging, login,
};
use crate::config::model::{
    AccessList, Change, DEFAULT_TIMESTAMP, MAX_BANNER, RouteKey, RouteOptions, Running,
};

pub(super) fn apply(
    running: &mut Running,
    form: Form,
    command: &GlobalCommand,
    origin: Origin,
) -> Outcome {
    match command {
        GlobalCommand::AccessList {
            number,
            sequence,
            entry,
        } => acl::numbered(
            running,
            form,
            AclKind::Extended,
            *number,
            entry,
            |list, entry| match list {
                AccessList::Extended(list) => list.add(*sequence, entry.into()),
                AccessList::Standard(_) => Ok(()),
            },
        ),
        GlobalCommand::StandardAccessList {
            number,
            sequence,
            entry,
        } => acl::numbered(
            running,
            form,
            AclKind::Standard,
            *number,
            entry,
            |list, entry| match list {
                AccessList::Standard(list) => list.add(*sequence, entry.into()),
                AccessList::Extended(_) => Ok(()),
            },
        ),
        GlobalCommand::IpAccessList { kind, name } => acl::named(running, form, *kind, name),
        GlobalCommand::IpAccessListResequence { name, start, step } => {
            acl::resequence(running, name, *start, *step)
        }
        GlobalCommand::CryptoIpsecDfBit(value) => crypto::df_bit(running, form, *value),
        GlobalCommand::CryptoIpsecLifetime(lifetime) => crypto::lifetime(running, form, *lifetime),
        GlobalCommand::CryptoIpsecReplay(replay) => crypto::replay(running, form, *replay),
        GlobalCommand::CryptoIpsecTransformSet { name, transforms } => {
            crypto::transform_set(running, form, name, transforms)
        }
        GlobalCommand::CryptoIsakmpEnable => crypto::enable(running, form),
        GlobalCommand::CryptoIsakmpIdentity(identity) => crypto::identity(running, form, *identity),
        GlobalCommand::CryptoIsakmpKeepalive {
            seconds,
            retry,
            mode,
        } => crypto::keepalive(running, form, *seconds, *retry, *mode),
        GlobalCommand::CryptoIsakmpKey {
            key,
            peer,
            no_xauth,
        } => crypto::key(running, form, key.as_ref(), peer, *no_xauth),
        GlobalCommand::CryptoIsakmpPolicy(priority) => {
            crypto::select_policy(running, form, *priority)
        }
        GlobalCommand::CryptoMap {
            name,
            sequence,
            kind,
        } => crypto_map::select(running, form, name, *sequence, kind.as_ref()),
        GlobalCommand::CryptoMapLocalAddress { name, interface } => {
            crypto_map::local_address(running, form, name, interface)
        }
        GlobalCommand::Interface { name, template } => {
            interface::select(running, form, name, *template)
        }
        GlobalCommand::InterfaceRange(list) => interface::select_range(running, form, list),
        GlobalCommand::IpRoute(route) => ip_route(running, form, route, origin),
        GlobalCommand::Line { kind, first, last } => {
            line::select(running, form, *kind, *first, *last)
        }
        GlobalCommand::Clock(command) => logging::clock(running, form, command),
        GlobalCommand::Logging(command) => logging::logging(running, form, command),
        GlobalCommand::Enable {
            kind,
            algorithm,
            level,
            secret,
        } => {
            let key = (level.unwrap_or(15), *kind);
            login::enable(running, form, origin, key, (*algorithm, secret))
        }
        GlobalCommand::Username { name, line } => {
            login::username(running, form, origin, name, line)
        }
        GlobalCommand::Login(command) => login::apply(running, form, command),
        GlobalCommand::ServicePasswordEncryption => {
            login::password_encryption(running, form == Form::Set)
        }
        _ => system(running, form, command),
    }
}

/// The most octets that all aliases may have: every console gets them all.
const ALIASES: usize = 256 * 1024;

/// Without a name every alias of the mode is meant, without a command its end.
fn alias(
    running: &mut Running,
    mode: CommandMode,
    name: Option<&str>,
    command: Option<String>,
) -> Result<(), Refused> {
    let aliases = &mut running.aliases;
    let same = |alias: &Alias, name| alias.mode == mode && alias.name == name;
    match (name, command) {
        (Some(name), Some(command)) => {
            let octets = aliases
                .iter()
                .map(|alias| alias.name.len() + alias.command.len());
            if octets.sum::<usize>() + name.len() + command.len() > ALIASES {
                return Err(Refused::new(format!(
                    "% Too many aliases: all of them may have {ALIASES} characters"
                )));
            }
            match aliases.iter_mut().find(|alias| same(alias, name)) {
                Some(alias) => alias.command = command,
                None => aliases.push(Alias {
                    mode,
                    name: name.to_owned(),
                    command,
                }),
            }
        }
        (Some(name), None) => aliases.retain(|alias| !same(alias, name)),
        (None, _) => aliases.retain(|alias| alias.mode != mode),
    }
    running.note(Change::Commands);
    Ok(())
}

/// What concerns neither packets nor peers.
fn system(running: &mut Running, form: Form, command: &GlobalCommand) -> Outcome {
    let on = form == Form::Set;
    match command {
        GlobalCommand::Hostname(name) => {
            if let Some(name) = name.as_ref().filter(|_| on) {
                check_hostname(name)?;
            }
            running.hostname = given(form, name);
            identity_changed(running);
        }
        GlobalCommand::Banner { kind, text } => match given(form, text) {
            Some(text) if text.len() > MAX_BANNER => {
                return Err(Refused::new(format!(
                    "% The banner is too long: {} octets, of which it may have {MAX_BANNER}",
                    text.len()
                )));
            }
            Some(text) => {
                running.banners.insert(*kind, text);
            }
            None => {
                running.banners.remove(kind);
            }
        },
        GlobalCommand::Alias {
            mode,
            name,
            command,
        } => alias(running, *mode, name.as_deref(), given(form, command))?,
        GlobalCommand::FilePrompt(mode) => {
            running.file_prompt = given(form, mode).unwrap_or(FilePrompt::Alert);
        }
        GlobalCommand::IpDomainLookup => running.domain_lookup = form != Form::No,
        GlobalCommand::IpDomainName(name) => {
            running.domain_name = given(form, name);
            identity_changed(running);
        }
        GlobalCommand::CryptoLoggingSession => {
            running.crypto.log_sessions = on;
            running.note(Change::Isakmp);
        }
        GlobalCommand::ServiceSequenceNumbers => running.services.sequence_numbers = on,
        GlobalCommand::ServiceTimestamps { kind, format } => {
            timestamps(running, form, *kind, *format)
        }
        // Accepted without effect: version and the boot markers. The others have their own functions.
        _ => return done(),
    }
    running.note(Change::System);
    done()
}

/// Peers are told the name.
fn identity_changed(running: &mut Running) {
    if running.crypto.identity == IsakmpIdentity::Hostname {
        running.note(Change::Isakmp);
    }
}

fn check_hostname(name: &str) -> Result<(), Refused> {
    let good = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.len() > 63 {
        Err(Refused::new(
            "% Hostname is too long: 63 characters at most.",
        ))
    } else if name.is_empty() || !name.chars().all(good) {
        Err(Refused::new(
            "% Hostname contains one or more illegal characters.",
        ))
    } else {
        Ok(())
    }
}

fn timestamps(
    running: &mut Running,
    form: Form,
    kind: Option<TimestampKind>,
    format: Option<TimestampFormat>,
) {
    let kinds = kind.map_or(TimestampKind::ALL.to_vec(), |kind| vec![kind]);
    for kind in kinds {
        match form {
            Form::No => running.services.timestamps.remove(&kind),
            Form::Set => running
                .services
                .timestamps
                .insert(kind, format.unwrap_or(TimestampFormat::Uptime)),
            Form::Default => running.services.timestamps.insert(kind, DEFAULT_TIMESTAMP),
        };
    }
}

fn ip_route(running: &mut Running, form: Form, route: &IpRoute, origin: Origin) -> Outcome {
    let typed = route.destination;
    let Some(destination) = typed.net().filter(|net| net.addr() == net.network()) else {
        return Err(Refused::new("%Inconsistent address and mask"));
    };
    if form == Form::Set {
        if let Some(next_hop) = route.next_hop {
            check_next_hop(running, next_hop, origin)?;
        }
        let key = RouteKey {
            destination,
            interface: route.interface.clone(),
            next_hop: route.next_hop,
        };
        let options = RouteOptions {
            distance: route.distance.filter(|distance| *distance != 1),
            name: route.name.clone(),
        };
        running.routes.insert(key, options);
    } else if !remove_routes(running, destination, route) {
        return Err(Refused::new("%No matching route to delete"));
    }
    running.note(Change::Routes);
    done()
}

/// A file may have such a route: the address came to the router after it, and files have interfaces first.
fn check_next_hop(running: &Running, next_hop: Ipv4Addr, origin: Origin) -> Result<(), Refused> {
    if origin == Origin::Terminal && running.interfaces.with_address(next_hop).is_some() {
        return Err(Refused::new("%Invalid next hop address (it's this router)"));
    }
    if next_hop.is_multicast() || next_hop.is_broadcast() || next_hop.is_unspecified() {
        return Err(Refused::new("%Invalid next hop address"));
    }
    Ok(())
}

/// Removes the routes to a destination through what the command names; all of them when it names nothing.
fn remove_routes(running: &mut Running, destination: Ipv4Net, route: &IpRoute) -> bool {
    let first = RouteKey {
        destination,
        interface: None,
        next_hop: None,
    };
    let doomed: Vec<RouteKey> = running
        .routes
        .range(first..)
        .map(|(key, _)| key)
        .take_while(|key| key.destination == destination)
        .filter(|key| route.interface.is_none() || key.interface == route.interface)
        .filter(|key| route.next_hop.is_none() || key.next_hop == route.next_hop)
        .cloned()
        .collect();
    for key in &doomed {
        running.routes.remove(key);
    }
    !doomed.is_empty()
}
