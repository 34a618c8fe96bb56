//! The blocks: a line that enters a sub-mode and the lines below it.

use std::hash::Hash;

use isthmus_grammar::command::{
    AclCommand, AclEntry, AclKind, AclRule, AddressMask, Authentication, ConfigCommand,
    CryptoMapCommand, Encryption, Form, GlobalCommand, Group, InterfaceCommand,
    IsakmpPolicyCommand, KilobyteLifetime, LineCommand, SaLifetime, StandardAclCommand,
    StandardAclEntry, StandardRule, TransformSetCommand,
};
use isthmus_grammar::{InterfaceName, Mode, parser};

use super::{Inside, Page};
use crate::config::model::{
    AccessList, AclLine, DEFAULT_KILOBYTES, DEFAULT_SECONDS, Entry, Interface, IsakmpPolicy,
    Lifetime, LifetimeUnit, LineSettings, Numbered, TransformSet, UnknownRule,
};

pub(super) fn isakmp_policy(page: &mut Page, priority: u16, policy: &IsakmpPolicy) {
    page.block(GlobalCommand::CryptoIsakmpPolicy(priority));
    let usual = IsakmpPolicy::default();
    let line = |wanted, command| Inside::set(wanted, ConfigCommand::IsakmpPolicy(command));
    let lines = vec![
        line(
            policy.encryption != Encryption::Des,
            IsakmpPolicyCommand::Encryption(Some(policy.encryption)),
        ),
        line(
            policy.hash != usual.hash,
            IsakmpPolicyCommand::Hash(Some(policy.hash)),
        ),
        line(
            policy.authentication != Authentication::RsaSig,
            IsakmpPolicyCommand::Authentication(Some(policy.authentication)),
        ),
        line(
            policy.group != Group::G1,
            IsakmpPolicyCommand::Group(Some(policy.group)),
        ),
        line(
            policy.lifetime != usual.lifetime,
            IsakmpPolicyCommand::Lifetime(Some(policy.lifetime)),
        ),
    ];
    page.inside(lines, &policy.retained, &policy.kept);
}

pub(super) fn transform_set(page: &mut Page, name: &str, set: &TransformSet) {
    let transforms = set.transforms.clone();
    page.global(
        Form::Set,
        GlobalCommand::CryptoIpsecTransformSet {
            name: name.to_owned(),
            transforms,
        },
    );
    let mode = TransformSetCommand::Mode(Some(set.mode));
    page.inside(
        vec![Inside::set(true, ConfigCommand::TransformSet(mode))],
        &set.retained,
        &set.kept,
    );
}

pub(super) fn crypto_map_entry(page: &mut Page, name: &str, sequence: u16, entry: &Entry) {
    let command = GlobalCommand::CryptoMap {
        name: name.to_owned(),
        sequence: Some(sequence),
        kind: Some(entry.kind.clone()),
    };
    page.global(Form::Set, command);
    let set = |wanted, command| Inside::set(wanted, ConfigCommand::CryptoMap(command));
    let mut lines = Vec::new();
    if entry.description.is_some() {
        lines.push(set(
            true,
            CryptoMapCommand::Description(entry.description.clone()),
        ));
    }
    for peer in &entry.peers {
        let default = entry.default_peer.as_ref() == Some(peer);
        lines.push(set(
            true,
            CryptoMapCommand::SetPeer {
                peer: Some(peer.clone()),
                default,
            },
        ));
    }
    let (time, kilobytes) = lifetime(&entry.lifetime);
    for (limit, default) in [time, kilobytes] {
        if !default {
            lines.push(set(true, CryptoMapCommand::SetLifetime(limit)));
        }
    }
    if !entry.transform_sets.is_empty() {
        lines.push(set(
            true,
            CryptoMapCommand::SetTransformSet(entry.transform_sets.clone()),
        ));
    }
    if entry.pfs.is_some() {
        lines.push(set(true, CryptoMapCommand::SetPfs(entry.pfs)));
    }
    if entry.match_address.is_some() {
        lines.push(set(
            true,
            CryptoMapCommand::MatchAddress(entry.match_address.clone()),
        ));
    }
    page.inside(lines, &entry.retained, &entry.kept);
}

pub(super) fn interface(page: &mut Page, name: &InterfaceName, interface: &Interface) {
    page.block(GlobalCommand::Interface {
        name: name.clone(),
        template: interface.template,
    });
    let set = |wanted, command| Inside::set(wanted, ConfigCommand::Interface(command));
    let no = |wanted, command| Inside::no(wanted, ConfigCommand::Interface(command));
    let mut lines = Vec::new();
    if interface.description.is_some() {
        lines.push(set(
            true,
            InterfaceCommand::Description(interface.description.clone()),
        ));
    }
    if interface.mtu.is_some() {
        lines.push(set(true, InterfaceCommand::Mtu(interface.mtu)));
    }
    let given = interface.is_addressed_otherwise() || interface.keeps_address();
    if interface.address.is_none() && !given {
        lines.push(no(
            true,
            InterfaceCommand::IpAddress {
                address: None,
                secondary: false,
            },
        ));
    }
    for net in interface.addresses() {
        let secondary = Some(net) != interface.address;
        let address = Some(AddressMask {
            address: net.addr(),
            mask: net.netmask(),
        });
        lines.push(set(
            true,
            InterfaceCommand::IpAddress { address, secondary },
        ));
    }
    if interface.shutdown {
        lines.push(set(true, InterfaceCommand::Shutdown));
    } else {
        lines.push(no(false, InterfaceCommand::Shutdown));
    }
    match (&interface.crypto_map, &interface.map_redundancy) {
        (Some(map), Some((group, stateful))) => {
            let command = InterfaceCommand::CryptoMapRedundancy {
                map: map.clone(),
                group: group.clone(),
                stateful: *stateful,
            };
            lines.push(set(true, command));
        }
        (Some(map), None) => lines.push(set(true, InterfaceCommand::CryptoMap(Some(map.clone())))),
        (None, _) => {}
    }
    page.inside(lines, &interface.retained, &interface.kept);
}

/// `ip access-list KIND NAME` and its lines; with their numbers only where those are not 10, 20, 30...
pub(super) fn access_list(page: &mut Page, name: &str, list: &AccessList) {
    let kind = match list {
        AccessList::Extended(_) => AclKind::Extended,
        AccessList::Standard(_) => AclKind::Standard,
    };
    page.global(
        Form::Set,
        GlobalCommand::IpAccessList {
            kind,
            name: name.to_owned(),
        },
    );
    match list {
        AccessList::Extended(list) => {
            let command =
                |sequence, entry| ConfigCommand::ExtendedAcl(AclCommand::Entry { sequence, entry });
            lines_of_list(page, list, command);
        }
        AccessList::Standard(list) => {
            let command = |sequence, entry| {
                ConfigCommand::StandardAcl(StandardAclCommand::Entry { sequence, entry })
            };
            lines_of_list(page, list, command);
        }
    }
}

fn lines_of_list<R: Clone + Eq + Hash, E: ListEntry<R>>(
    page: &mut Page,
    list: &Numbered<R>,
    command: impl Fn(Option<u32>, E) -> ConfigCommand,
) {
    let plain = list.is_plain();
    for (number, line) in list.lines() {
        let shown = (!plain).then_some(number);
        match E::of(line) {
            Ok(entry) => page.line(1, Form::Set, command(shown, entry)),
            Err(unknown) => {
                // Without its number it could be a command of another mode.
                let is_command = || parser::parse(Mode::ExtendedAcl, &unknown.text).is_ok();
                let number = shown.or_else(|| is_command().then_some(number));
                let number = number.filter(|number| !unknown.says_number(*number));
                let number = number.map_or_else(String::new, |number| format!("{number} "));
                page.unknown_rule(1, &number, unknown);
            }
        }
    }
}

/// `access-list NUMBER ...`, one line each.
pub(super) fn numbered_list(page: &mut Page, name: &str, list: &AccessList) {
    let Ok(number) = name.parse() else { return };
    match list {
        AccessList::Extended(list) => {
            numbered_lines(page, number, list, |entry| GlobalCommand::AccessList {
                number,
                sequence: None,
                entry: Some(entry),
            })
        }
        AccessList::Standard(list) => numbered_lines(page, number, list, |entry| {
            GlobalCommand::StandardAccessList {
                number,
                sequence: None,
                entry: Some(entry),
            }
        }),
    }
}

fn numbered_lines<R: Clone + Eq + Hash, E: ListEntry<R>>(
    page: &mut Page,
    number: u16,
    list: &Numbered<R>,
    command: impl Fn(E) -> GlobalCommand,
) {
    for (_, line) in list.lines() {
        match E::of(line) {
            Ok(entry) => page.global(Form::Set, command(entry)),
            Err(unknown) => page.unknown_rule(0, &format!("access-list {number} "), unknown),
        }
    }
}

/// A line of a list as the grammar has it.
trait ListEntry<R>: Sized {
    fn of(line: &AclLine<R>) -> Result<Self, &UnknownRule>;
}

impl ListEntry<AclRule> for AclEntry {
    fn of(line: &AclLine<AclRule>) -> Result<Self, &UnknownRule> {
        match line {
            AclLine::Rule(rule) => Ok(AclEntry::Rule(rule.clone())),
            AclLine::Remark(text) => Ok(AclEntry::Remark(text.clone())),
            AclLine::Unknown(line) => Err(line),
        }
    }
}

impl ListEntry<StandardRule> for StandardAclEntry {
    fn of(line: &AclLine<StandardRule>) -> Result<Self, &UnknownRule> {
        match line {
            AclLine::Rule(rule) => Ok(StandardAclEntry::Rule(rule.clone())),
            AclLine::Remark(text) => Ok(StandardAclEntry::Remark(text.clone())),
            AclLine::Unknown(line) => Err(line),
        }
    }
}

pub(super) fn line(page: &mut Page, command: GlobalCommand, settings: &LineSettings) {
    page.global(Form::Set, command);
    let mut lines = Vec::new();
    let mut add = |form, command| {
        lines.push(Inside {
            wanted: true,
            form,
            command: ConfigCommand::Line(command),
        });
    };
    let lists = [(&settings.access_in, true), (&settings.access_out, false)];
    for (list, inbound) in lists {
        if let Some(list) = list {
            add(
                Form::Set,
                LineCommand::AccessClass {
                    list: list.clone(),
                    inbound,
                },
            );
        }
    }
    if let Some((minutes, seconds)) = settings.exec_timeout {
        add(
            Form::Set,
            LineCommand::ExecTimeout {
                minutes: Some(minutes),
                seconds: Some(seconds),
            },
        );
    }
    if let Some(seconds) = settings.login_response {
        add(Form::Set, LineCommand::LoginResponse(Some(seconds)));
    }
    if let Some(minutes) = settings.session_timeout {
        add(Form::Set, LineCommand::SessionTimeout(Some(minutes)));
    }
    if let Some(level) = settings.privilege {
        add(Form::Set, LineCommand::PrivilegeLevel(Some(level)));
    }
    if let Some(password) = &settings.password {
        add(Form::Set, LineCommand::Password(Some(password.clone())));
    }
    if settings.logging_synchronous {
        add(Form::Set, LineCommand::LoggingSynchronous);
    }
    if let Some(method) = &settings.login {
        add(Form::Set, LineCommand::Login(method.clone()));
    }
    if settings.no_motd_banner {
        add(Form::No, LineCommand::MotdBanner);
    }
    if settings.no_exec_banner {
        add(Form::No, LineCommand::ExecBanner);
    }
    if let Some(command) = &settings.autocommand {
        add(Form::Set, LineCommand::Autocommand(Some(command.clone())));
    }
    if settings.no_exec {
        add(Form::No, LineCommand::Exec);
    }
    if let Some(length) = settings.length {
        add(Form::Set, LineCommand::Length(Some(length)));
    }
    if let Some(width) = settings.width {
        add(Form::Set, LineCommand::Width(Some(width)));
    }
    if let Some(size) = settings.history_size {
        add(Form::Set, LineCommand::HistorySize(Some(size)));
    }
    for (direction, protocols) in settings.transport.iter().rev() {
        add(
            Form::Set,
            LineCommand::Transport {
                direction: *direction,
                protocols: protocols.clone(),
            },
        );
    }
    if let Some(bits) = &settings.stopbits {
        add(Form::Set, LineCommand::Stopbits(Some(bits.clone())));
    }
    page.inside(lines, &settings.retained, &settings.kept);
}

/// Both limits as commands, each with whether it is left out as a default.
pub(super) fn lifetime(lifetime: &Lifetime) -> ((SaLifetime, bool), (SaLifetime, bool)) {
    let time = match lifetime.time {
        None => (SaLifetime::Seconds(Some(DEFAULT_SECONDS)), true),
        Some(LifetimeUnit::Seconds(seconds)) => (SaLifetime::Seconds(Some(seconds)), false),
        Some(LifetimeUnit::Days(days)) => (SaLifetime::Days(Some(days)), false),
    };
    let kilobytes = match lifetime.kilobytes {
        None => (
            SaLifetime::Kilobytes(Some(KilobyteLifetime::Kilobytes(DEFAULT_KILOBYTES))),
            true,
        ),
        Some(kilobytes) => (SaLifetime::Kilobytes(Some(kilobytes)), false),
    };
    (time, kilobytes)
}
