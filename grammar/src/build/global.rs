//! Global configuration commands. The plain and the `no` rule of a command are built alike: what the
//! syntax let out is `None`.

use std::net::Ipv4Addr;

use super::modes::{df_bit, replay, sa_lifetime, transforms};
use super::{acl, logging, login, secret};
use crate::banner::Delimiter;
use crate::command::{
    AclKind, AddressMask, BannerKind, CredentialKind, DynamicMap, FilePrompt, GlobalCommand,
    IpRoute, IsakmpIdentity, KeepaliveMode, KeyPeer, LineKind, MapEntryKind, TemplateType,
    UserLine, UserLogin,
};
use crate::interface_name::InterfaceName;
use crate::matched::Part;
use crate::tree::Rule;

pub(super) fn command(part: Part<'_>) -> Option<GlobalCommand> {
    Some(match part.rule() {
        Rule::standard_access_list | Rule::no_standard_access_list => {
            let (sequence, entry) = acl::standard(part)?;
            GlobalCommand::StandardAccessList {
                number: list_number(part, Rule::standard_number)?,
                sequence,
                entry,
            }
        }
        Rule::extended_access_list | Rule::no_extended_access_list => {
            let (sequence, entry) = acl::extended(part)?;
            GlobalCommand::AccessList {
                number: list_number(part, Rule::extended_number)?,
                sequence,
                entry,
            }
        }
        Rule::alias => GlobalCommand::Alias {
            mode: login::command_mode(part)?,
            name: part.name(Rule::a_alias),
            command: part.name(Rule::a_alias_command),
        },
        Rule::banner | Rule::no_banner => banner(part)?,
        Rule::boot_start_marker => GlobalCommand::BootStartMarker,
        Rule::boot_end_marker => GlobalCommand::BootEndMarker,
        Rule::enable_secret | Rule::no_enable_secret => enable(part)?,
        Rule::file_prompt => GlobalCommand::FilePrompt(file_prompt(part)),
        Rule::hostname => GlobalCommand::Hostname(part.name(Rule::a_hostname)),
        Rule::interface_global => GlobalCommand::Interface {
            name: InterfaceName::parse(part.text(Rule::a_interface)?)?,
            template: part
                .text(Rule::template_type)
                .and_then(TemplateType::from_word),
        },
        Rule::interface_range => GlobalCommand::InterfaceRange(part.name(Rule::a_interface_range)?),
        Rule::ip_access_list_name => GlobalCommand::IpAccessList {
            kind: if part.has(Rule::k_standard) {
                AclKind::Standard
            } else {
                AclKind::Extended
            },
            name: part.name(Rule::a_acl_name)?,
        },
        Rule::ip_access_list_resequence => GlobalCommand::IpAccessListResequence {
            name: part.name(Rule::a_acl_name)?,
            start: part.number(Rule::a_resequence_start)??,
            step: part.number(Rule::a_resequence_step)??,
        },
        Rule::ip_domain | Rule::no_ip_domain => {
            match part.has(Rule::k_lookup) || part.has(Rule::k_domain_dash_lookup) {
                true => GlobalCommand::IpDomainLookup,
                false => GlobalCommand::IpDomainName(part.name(Rule::a_domain_name)),
            }
        }
        Rule::ip_route | Rule::no_ip_route => GlobalCommand::IpRoute(route(part)?),
        Rule::line_global => line(part)?,
        Rule::clock | Rule::no_clock => GlobalCommand::Clock(logging::clock(part)?),
        Rule::logging_global | Rule::no_logging_global => {
            GlobalCommand::Logging(logging::logging(part)?)
        }
        Rule::service => service(part),
        Rule::username | Rule::no_username => username(part)?,
        Rule::version => GlobalCommand::Version(part.name(Rule::a_version)?),
        _ => {
            let login = login::command(part).map(GlobalCommand::Login);
            return login.or_else(|| crypto(part));
        }
    })
}

fn file_prompt(part: Part<'_>) -> Option<FilePrompt> {
    let word = part.parts().last()?;
    FilePrompt::from_word(word.word())
}

fn crypto(part: Part<'_>) -> Option<GlobalCommand> {
    Some(match part.rule() {
        Rule::isakmp_enable => GlobalCommand::CryptoIsakmpEnable,
        Rule::isakmp_identity => GlobalCommand::CryptoIsakmpIdentity(identity(part)),
        Rule::isakmp_keepalive => GlobalCommand::CryptoIsakmpKeepalive {
            seconds: part.number(Rule::a_keepalive)?,
            retry: part.number(Rule::a_keepalive_retry)?,
            mode: match (part.has(Rule::k_periodic), part.has(Rule::k_on_demand)) {
                (true, _) => Some(KeepaliveMode::Periodic),
                (_, true) => Some(KeepaliveMode::OnDemand),
                _ => None,
            },
        },
        Rule::isakmp_key => key(part)?,
        Rule::isakmp_policy => {
            GlobalCommand::CryptoIsakmpPolicy(part.number(Rule::a_policy_priority)??)
        }
        Rule::crypto_logging_session => GlobalCommand::CryptoLoggingSession,
        Rule::ipsec_df_bit => GlobalCommand::CryptoIpsecDfBit(df_bit(part)),
        Rule::ipsec_lifetime => GlobalCommand::CryptoIpsecLifetime(sa_lifetime(part)?),
        Rule::ipsec_replay => GlobalCommand::CryptoIpsecReplay(replay(part)?),
        Rule::transform_set => GlobalCommand::CryptoIpsecTransformSet {
            name: part.name(Rule::a_transform_set)?,
            transforms: transforms(part)?,
        },
        Rule::map_local_address | Rule::no_map_local_address => {
            GlobalCommand::CryptoMapLocalAddress {
                name: part.name(Rule::a_map_name)?,
                interface: part.read(Rule::a_interface, InterfaceName::parse)?,
            }
        }
        Rule::map_entry | Rule::no_map_entry => GlobalCommand::CryptoMap {
            name: part.name(Rule::a_map_name)?,
            sequence: part.number(Rule::a_map_sequence)?,
            kind: part.child(Rule::map_kind).map(|kind| map_kind(kind)),
        },
        _ => return None,
    })
}

fn list_number(part: Part<'_>, rule: Rule) -> Option<u16> {
    part.text(rule)?.trim().parse().ok()
}

fn banner(part: Part<'_>) -> Option<GlobalCommand> {
    Some(GlobalCommand::Banner {
        kind: BannerKind::from_word(part.text(Rule::banner_kind)?)?,
        text: part.text(Rule::a_banner_text).map(Delimiter::text_between),
    })
}

fn credential(part: Part<'_>) -> Option<(CredentialKind, crate::command::Secret)> {
    match secret(part, Rule::a_secret) {
        Some(secret) => Some((CredentialKind::Secret, secret)),
        None => secret(part, Rule::a_password).map(|password| (CredentialKind::Password, password)),
    }
}

fn enable(part: Part<'_>) -> Option<GlobalCommand> {
    let kind = if part.has(Rule::k_enable_secret) {
        CredentialKind::Secret
    } else {
        CredentialKind::Password
    };
    let secret = credential(part).map(|(_, secret)| secret);
    Some(GlobalCommand::Enable {
        kind,
        algorithm: login::algorithm(part),
        level: part.number(Rule::a_enable_level)?,
        secret,
    })
}

fn username(part: Part<'_>) -> Option<GlobalCommand> {
    Some(GlobalCommand::Username {
        name: part.name(Rule::a_username)?,
        line: user_line(part)?,
    })
}

fn user_line(part: Part<'_>) -> Option<UserLine> {
    if part.has(Rule::k_autocommand) {
        return Some(UserLine::Autocommand(part.name(Rule::a_autocommand)));
    }
    if part.has(Rule::k_nohangup) {
        return Some(UserLine::NoHangup);
    }
    Some(UserLine::Login(UserLogin {
        privilege: part.number(Rule::a_privilege)?,
        one_time: part.has(Rule::k_one_time),
        no_password: part.has(Rule::k_nopassword),
        algorithm: login::algorithm(part),
        credential: credential(part),
    }))
}

fn route(part: Part<'_>) -> Option<IpRoute> {
    Some(IpRoute {
        destination: AddressMask {
            address: part.parsed(Rule::a_destination)??,
            mask: part.parsed(Rule::a_destination_mask)??,
        },
        interface: part.read(Rule::a_interface, InterfaceName::parse)?,
        next_hop: part.parsed(Rule::a_next_hop)?,
        distance: part.number(Rule::a_distance)?,
        name: part.name(Rule::a_route_name),
    })
}

fn line(part: Part<'_>) -> Option<GlobalCommand> {
    let kind = if part.has(Rule::k_vty) {
        LineKind::Vty
    } else if part.has(Rule::k_aux) {
        LineKind::Aux
    } else {
        LineKind::Console
    };
    let first = match kind {
        LineKind::Vty => part.number(Rule::a_line_first)??,
        _ => part.number(Rule::a_line_zero)??,
    };
    Some(GlobalCommand::Line {
        kind,
        first,
        last: part.number(Rule::a_line_last)?,
    })
}

fn service(part: Part<'_>) -> GlobalCommand {
    if let Some(stamps) = part.child(Rule::service_timestamps) {
        let (kind, format) = logging::timestamps(stamps);
        GlobalCommand::ServiceTimestamps { kind, format }
    } else if part.has(Rule::k_sequence_numbers) {
        GlobalCommand::ServiceSequenceNumbers
    } else {
        GlobalCommand::ServicePasswordEncryption
    }
}

fn identity(part: Part<'_>) -> Option<IsakmpIdentity> {
    part.parts()
        .skip(1)
        .find_map(|child| IsakmpIdentity::from_word(child.word()))
}

fn key(part: Part<'_>) -> Option<GlobalCommand> {
    let peer = match part.parsed(Rule::a_peer_address)? {
        Some(address) => KeyPeer::Address {
            address,
            mask: key_mask(address, part.parsed(Rule::a_peer_mask)?),
        },
        None => KeyPeer::Hostname(part.name(Rule::a_peer_hostname)?),
    };
    Some(GlobalCommand::CryptoIsakmpKey {
        key: secret(part, Rule::a_key),
        peer,
        no_xauth: part.has(Rule::k_no_xauth),
    })
}

/// IOS keeps no mask of one host, and none beside 0.0.0.0, which alone means every peer.
fn key_mask(address: Ipv4Addr, mask: Option<Ipv4Addr>) -> Option<Ipv4Addr> {
    mask.filter(|mask| {
        *mask != Ipv4Addr::BROADCAST && !(address.is_unspecified() && mask.is_unspecified())
    })
}

fn map_kind(part: Part<'_>) -> MapEntryKind {
    if part.has(Rule::k_ipsec_manual) {
        MapEntryKind::IpsecManual
    } else if part.has(Rule::k_gdoi) {
        MapEntryKind::Gdoi
    } else {
        MapEntryKind::IpsecIsakmp {
            dynamic: part.name(Rule::a_dynamic_map).map(|map| DynamicMap {
                map,
                discover: part.has(Rule::k_discover),
            }),
            profile: part.name(Rule::a_ipsec_profile),
        }
    }
}
