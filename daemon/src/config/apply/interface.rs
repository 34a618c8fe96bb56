//! `interface NAME` and the `(config-if)#` commands.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use isthmus_grammar::InterfaceName;
use isthmus_grammar::command::{AddressMask, Form, InterfaceCommand, TemplateType};
use isthmus_grammar::interface_name::range;

use super::{Applied, Origin, Outcome, Refused, done, given, say};
use crate::config::model::{Change, Running};

/// `interface NAME`, `no interface NAME`, `default interface NAME`.
pub(super) fn select(
    running: &mut Running,
    form: Form,
    name: &InterfaceName,
    template: Option<TemplateType>,
) -> Outcome {
    let kind = name.ios_parts().map(|(kind, _)| kind);
    match form {
        Form::Set if template.is_some() && kind != Some("Virtual-Template") => Err(Refused::new(
            "% Only a Virtual-Template interface has a type",
        )),
        Form::Set => {
            if running.interfaces.get(name).is_none() {
                running.interfaces.entry(name);
                running.note(Change::Interface(name.clone()));
            }
            if template.is_some() {
                running.interfaces.entry(name).template = template;
            }
            done()
        }
        Form::No if is_hardware(name) && running.interfaces.get(name).is_some() => Err(
            Refused::new("% Removal of physical interfaces is not permitted"),
        ),
        Form::No => {
            super::forget_interface(running, name);
            done()
        }
        Form::Default => {
            super::forget_interface(running, name);
            running.interfaces.entry(name);
            running.note(Change::Interface(name.clone()));
            say(format!("Interface {name} set to default configuration\n"))
        }
    }
}

/// `interface range LIST`
pub(super) fn select_range(running: &mut Running, form: Form, list: &str) -> Outcome {
    let names = range(list).ok_or_else(|| {
        Refused::new(
            "% Invalid interface range: give names as in GigabitEthernet0/0 - 3 , Loopback1, at most 1024",
        )
    })?;
    for name in &names {
        select(running, form, name, None)?;
    }
    done()
}

/// A device that IOS would not let go: everything with an IOS name that is not made by the configuration.
fn is_hardware(name: &InterfaceName) -> bool {
    let made = [
        "Loopback",
        "Tunnel",
        "Virtual-Template",
        "Virtual-Access",
        "Port-channel",
        "Dialer",
    ];
    name.ios_parts()
        .is_some_and(|(kind, number)| !made.contains(&kind) && !number.contains('.'))
}

/// A command of the interface.
pub(super) fn apply(
    running: &mut Running,
    name: &InterfaceName,
    form: Form,
    command: &InterfaceCommand,
    origin: Origin,
) -> Outcome {
    let applied = match command {
        InterfaceCommand::IpAddress { address, secondary } => {
            ip_address(running, name, form, *address, *secondary)?
        }
        InterfaceCommand::CryptoMap(map) => crypto_map(running, name, form, map, origin)?,
        InterfaceCommand::CryptoMapRedundancy {
            map,
            group,
            stateful,
        } => {
            let applied = crypto_map(running, name, form, &Some(map.clone()), origin)?;
            if form == Form::Set {
                running.interfaces.entry(name).map_redundancy = Some((group.clone(), *stateful));
            }
            applied
        }
        InterfaceCommand::Shutdown => set(running, name, |one| one.shutdown = form == Form::Set),
        InterfaceCommand::Description(text) => {
            set(running, name, |one| one.description = given(form, text))
        }
        InterfaceCommand::Mtu(mtu) => set(running, name, |one| one.mtu = given(form, mtu)),
    };
    running.note(Change::Interface(name.clone()));
    Ok(applied)
}

fn set(
    running: &mut Running,
    name: &InterfaceName,
    change: impl FnOnce(&mut crate::config::model::Interface),
) -> Applied {
    change(running.interfaces.entry(name));
    Applied::default()
}

fn crypto_map(
    running: &mut Running,
    name: &InterfaceName,
    form: Form,
    map: &Option<String>,
    origin: Origin,
) -> Outcome {
    let wanted = given(form, map);
    if let Some(map) = &wanted
        && origin == Origin::Terminal
        && !running.crypto.maps.contains_key(map)
    {
        return Err(Refused::new(format!(
            "ERROR: Crypto Map with tag \"{map}\" does not exist."
        )));
    }
    if form != Form::Set
        && let Some(map) = map
        && running
            .interfaces
            .get(name)
            .and_then(|one| one.crypto_map.as_ref())
            != Some(map)
    {
        return done();
    }
    running.interfaces.set_crypto_map(name, wanted);
    running.interfaces.entry(name).map_redundancy = None;
    done()
}

fn ip_address(
    running: &mut Running,
    name: &InterfaceName,
    form: Form,
    address: Option<AddressMask>,
    secondary: bool,
) -> Outcome {
    let Some(interface) = running.interfaces.get(name) else {
        return done();
    };
    let (mut primary, mut others) = (interface.address, interface.secondary.clone());
    let Some(typed) = address else {
        running.interfaces.set_addresses(name, None, Vec::new());
        forget_other_addresses(running, name);
        return done();
    };
    if form != Form::Set {
        let net = typed.net();
        if secondary {
            others.retain(|other| Some(*other) != net);
        } else if primary != net {
            return Err(Refused::new(format!(
                "% Invalid address: {} is not the primary address",
                typed.address
            )));
        } else if !others.is_empty() {
            return Err(Refused::new(
                "Must delete secondary before deleting primary",
            ));
        } else {
            primary = None;
        }
    } else {
        let net = host_address(typed)?;
        if let Some(owner) = running.interfaces.overlapping(net, name) {
            return Err(Refused::new(format!(
                "% {} overlaps with {owner}",
                net.network()
            )));
        }
        // Several addresses of one network are fine; networks of one interface that contain each other are not.
        let kept = primary
            .filter(|_| secondary)
            .into_iter()
            .chain(others.iter().copied());
        let nested = |other: Ipv4Net| {
            let touches = other.contains(&net.network()) || net.contains(&other.network());
            touches && other.trunc() != net.trunc() && other.addr() != net.addr()
        };
        if kept.into_iter().any(nested) {
            return Err(Refused::new(format!(
                "% {} overlaps with {name}",
                net.network()
            )));
        }
        if secondary {
            if primary.is_none() {
                return Err(Refused::new(
                    "% Primary address must be configured before secondary",
                ));
            }
            if primary.is_some_and(|first| first.addr() == net.addr()) {
                return Err(Refused::new("% Secondary can't be same as primary"));
            }
            others.retain(|other| other.addr() != net.addr());
            others.push(net);
        } else {
            others.retain(|other| other.addr() != net.addr());
            primary = Some(net);
        }
    }
    running.interfaces.set_addresses(name, primary, others);
    if form == Form::Set && !secondary {
        forget_other_addresses(running, name);
    }
    done()
}

/// An interface has one source of addresses: `ip address dhcp` and its kin go, and what was kept because it was refused.
fn forget_other_addresses(running: &mut Running, name: &InterfaceName) {
    let Some(interface) = running.interfaces.get_mut(name) else {
        return;
    };
    interface.retained.remove_words("ip address ");
    interface.retained.remove_words("ip unnumbered ");
    interface
        .kept
        .remove_where(|line| line.text.starts_with("ip address "));
}

/// `ip address dhcp` and its kin take the place of addresses and of each other.
pub(super) fn address_elsewhere(running: &mut Running, name: &InterfaceName) {
    running.interfaces.set_addresses(name, None, Vec::new());
    forget_other_addresses(running, name);
    running.note(Change::Interface(name.clone()));
}

/// The typed address as one that a host may have.
fn host_address(typed: AddressMask) -> Result<Ipv4Net, Refused> {
    let address = typed.address;
    let Some(net) = typed.net().filter(|net| net.prefix_len() > 0) else {
        let mask = u32::from(typed.mask);
        return Err(Refused::new(format!(
            "% Bad mask 0x{mask:X} for address {address}"
        )));
    };
    let impossible = address.is_loopback()
        || address.is_multicast()
        || address.octets()[0] == 0
        || address.octets()[0] >= 240
        || address == Ipv4Addr::BROADCAST;
    if impossible {
        return Err(Refused::new(format!(
            "% Not a valid host address - {address}"
        )));
    }
    let ends = net.prefix_len() < 31 && (address == net.network() || address == net.broadcast());
    if ends {
        return Err(Refused::new(format!(
            "% Bad mask /{} for address {address}",
            net.prefix_len()
        )));
    }
    Ok(net)
}
