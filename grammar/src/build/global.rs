//! Global configuration commands. The plain and the `no` rule of a command are built alike: what the
//! syntax let out is `None`.

use std::net::Ipv4Addr;

use pest::iterators::Pair;

use super::modes::{df_bit, replay, sa_lifetime, transforms};
use super::{Node, acl, logging, login, secret};
use crate::banner::Delimiter;
use crate::command::{
    AclKind, AddressMask, BannerKind, CredentialKind, DynamicMap, FilePrompt, GlobalCommand,
    IpRoute, IsakmpIdentity, KeepaliveMode, KeyPeer, LineKind, MapEntryKind, TemplateType,
    UserLine, UserLogin,
};
use crate::interface_name::InterfaceName;
use crate::parser::Rule;

pub(super) fn command(pair: Pair<'_, Rule>) -> Option<GlobalCommand> {
    Some(match pair.as_rule() {
        Rule::standard_access_list | Rule::no_standard_access_list => {
            let (sequence, entry) = acl::standard(&pair)?;
            GlobalCommand::StandardAccessList {
                number: list_number(&pair, Rule::standard_number)?,
                sequence,
                entry,
            }
        }
        Rule::extended_access_list | Rule::no_extended_access_list => {
            let (sequence, entry) = acl::extended(&pair)?;
            GlobalCommand::AccessList {
                number: list_number(&pair, Rule::extended_number)?,
                sequence,
                entry,
            }
        }
        Rule::alias | Rule::no_alias => GlobalCommand::Alias {
            mode: login::command_mode(&pair)?,
            name: pair.name(Rule::a_alias),
            command: pair.name(Rule::a_alias_command),
        },
        Rule::banner | Rule::no_banner => banner(&pair)?,
        Rule::boot_start_marker => GlobalCommand::BootStartMarker,
        Rule::boot_end_marker => GlobalCommand::BootEndMarker,
        Rule::enable_secret | Rule::no_enable_secret => enable(&pair)?,
        Rule::file_prompt => GlobalCommand::FilePrompt(file_prompt(&pair)),
        Rule::hostname | Rule::no_hostname => GlobalCommand::Hostname(pair.name(Rule::a_hostname)),
        Rule::interface_global => GlobalCommand::Interface {
            name: InterfaceName::parse(pair.text(Rule::a_interface)?)?,
            template: pair
                .text(Rule::template_type)
                .and_then(TemplateType::from_word),
        },
        Rule::interface_range => GlobalCommand::InterfaceRange(pair.name(Rule::a_interface_range)?),
        Rule::ip_access_list_name => GlobalCommand::IpAccessList {
            kind: if pair.has(Rule::k_standard) {
                AclKind::Standard
            } else {
                AclKind::Extended
            },
            name: pair.name(Rule::a_acl_name)?,
        },
        Rule::ip_access_list_resequence => GlobalCommand::IpAccessListResequence {
            name: pair.name(Rule::a_acl_name)?,
            start: pair.number(Rule::a_resequence_start)??,
            step: pair.number(Rule::a_resequence_step)??,
        },
        Rule::ip_domain | Rule::no_ip_domain => {
            match pair.has(Rule::k_lookup) || pair.has(Rule::k_domain_dash_lookup) {
                true => GlobalCommand::IpDomainLookup,
                false => GlobalCommand::IpDomainName(pair.name(Rule::a_domain_name)),
            }
        }
        Rule::ip_route | Rule::no_ip_route => GlobalCommand::IpRoute(route(&pair)?),
        Rule::line_global => line(&pair)?,
        Rule::clock | Rule::no_clock => GlobalCommand::Clock(logging::clock(&pair)?),
        Rule::logging_global | Rule::no_logging_global => {
            GlobalCommand::Logging(logging::logging(&pair)?)
        }
        Rule::service => service(&pair),
        Rule::username | Rule::no_username => username(&pair)?,
        Rule::version => GlobalCommand::Version(pair.name(Rule::a_version)?),
        _ => {
            let login = login::command(&pair).map(GlobalCommand::Login);
            return login.or_else(|| crypto(&pair));
        }
    })
}

fn file_prompt(pair: &Pair<'_, Rule>) -> Option<FilePrompt> {
    let word = pair.clone().into_inner().last()?;
    FilePrompt::from_word(word.as_str())
}

fn crypto(pair: &Pair<'_, Rule>) -> Option<GlobalCommand> {
    Some(match pair.as_rule() {
        Rule::isakmp_enable => GlobalCommand::CryptoIsakmpEnable,
        Rule::isakmp_identity | Rule::no_isakmp_identity => {
            GlobalCommand::CryptoIsakmpIdentity(identity(pair))
        }
        Rule::isakmp_keepalive | Rule::no_isakmp_keepalive => {
            GlobalCommand::CryptoIsakmpKeepalive {
                seconds: pair.number(Rule::a_keepalive)?,
                retry: pair.number(Rule::a_keepalive_retry)?,
                mode: match (pair.has(Rule::k_periodic), pair.has(Rule::k_on_demand)) {
                    (true, _) => Some(KeepaliveMode::Periodic),
                    (_, true) => Some(KeepaliveMode::OnDemand),
                    _ => None,
                },
            }
        }
        Rule::isakmp_key => key(pair)?,
        Rule::isakmp_policy => {
            GlobalCommand::CryptoIsakmpPolicy(pair.number(Rule::a_policy_priority)??)
        }
        Rule::crypto_logging_session => GlobalCommand::CryptoLoggingSession,
        Rule::ipsec_df_bit | Rule::no_ipsec_df_bit => GlobalCommand::CryptoIpsecDfBit(df_bit(pair)),
        Rule::ipsec_lifetime | Rule::no_ipsec_lifetime => {
            GlobalCommand::CryptoIpsecLifetime(sa_lifetime(pair)?)
        }
        Rule::ipsec_replay | Rule::no_ipsec_replay => {
            GlobalCommand::CryptoIpsecReplay(replay(pair)?)
        }
        Rule::transform_set | Rule::no_transform_set => GlobalCommand::CryptoIpsecTransformSet {
            name: pair.name(Rule::a_transform_set)?,
            transforms: transforms(pair)?,
        },
        Rule::map_local_address | Rule::no_map_local_address => {
            GlobalCommand::CryptoMapLocalAddress {
                name: pair.name(Rule::a_map_name)?,
                interface: pair.read(Rule::a_interface, InterfaceName::parse)?,
            }
        }
        Rule::map_entry | Rule::no_map_entry => GlobalCommand::CryptoMap {
            name: pair.name(Rule::a_map_name)?,
            sequence: pair.number(Rule::a_map_sequence)?,
            kind: pair.child(Rule::map_kind).map(|kind| map_kind(&kind)),
        },
        _ => return None,
    })
}

fn list_number(pair: &Pair<'_, Rule>, rule: Rule) -> Option<u16> {
    pair.text(rule)?.trim().parse().ok()
}

fn banner(pair: &Pair<'_, Rule>) -> Option<GlobalCommand> {
    Some(GlobalCommand::Banner {
        kind: BannerKind::from_word(pair.text(Rule::banner_kind)?.trim())?,
        text: pair.text(Rule::a_banner_text).map(Delimiter::text_between),
    })
}

fn credential(pair: &Pair<'_, Rule>) -> Option<(CredentialKind, crate::command::Secret)> {
    match secret(pair, Rule::a_secret) {
        Some(secret) => Some((CredentialKind::Secret, secret)),
        None => secret(pair, Rule::a_password).map(|password| (CredentialKind::Password, password)),
    }
}

fn enable(pair: &Pair<'_, Rule>) -> Option<GlobalCommand> {
    let kind = if pair.has(Rule::k_enable_secret) {
        CredentialKind::Secret
    } else {
        CredentialKind::Password
    };
    let secret = credential(pair).map(|(_, secret)| secret);
    Some(GlobalCommand::Enable {
        kind,
        algorithm: login::algorithm(pair),
        level: pair.number(Rule::a_enable_level)?,
        secret,
    })
}

fn username(pair: &Pair<'_, Rule>) -> Option<GlobalCommand> {
    Some(GlobalCommand::Username {
        name: pair.name(Rule::a_username)?,
        line: user_line(pair)?,
    })
}

fn user_line(pair: &Pair<'_, Rule>) -> Option<UserLine> {
    if pair.has(Rule::k_autocommand) {
        return Some(UserLine::Autocommand(pair.name(Rule::a_autocommand)));
    }
    if pair.has(Rule::k_nohangup) {
        return Some(UserLine::NoHangup);
    }
    Some(UserLine::Login(UserLogin {
        privilege: pair.number(Rule::a_privilege)?,
        one_time: pair.has(Rule::k_one_time),
        no_password: pair.has(Rule::k_nopassword),
        algorithm: login::algorithm(pair),
        credential: credential(pair),
    }))
}

fn route(pair: &Pair<'_, Rule>) -> Option<IpRoute> {
    Some(IpRoute {
        destination: AddressMask {
            address: pair.parsed(Rule::a_destination)??,
            mask: pair.parsed(Rule::a_destination_mask)??,
        },
        interface: pair.read(Rule::a_interface, InterfaceName::parse)?,
        next_hop: pair.parsed(Rule::a_next_hop)?,
        distance: pair.number(Rule::a_distance)?,
        name: pair.name(Rule::a_route_name),
    })
}

fn line(pair: &Pair<'_, Rule>) -> Option<GlobalCommand> {
    let kind = if pair.has(Rule::k_vty) {
        LineKind::Vty
    } else if pair.has(Rule::k_aux) {
        LineKind::Aux
    } else {
        LineKind::Console
    };
    let first = match kind {
        LineKind::Vty => pair.number(Rule::a_line_first)??,
        _ => pair.number(Rule::a_line_zero)??,
    };
    Some(GlobalCommand::Line {
        kind,
        first,
        last: pair.number(Rule::a_line_last)?,
    })
}

fn service(pair: &Pair<'_, Rule>) -> GlobalCommand {
    if let Some(stamps) = pair.child(Rule::service_timestamps) {
        let (kind, format) = logging::timestamps(&stamps);
        GlobalCommand::ServiceTimestamps { kind, format }
    } else if pair.has(Rule::k_sequence_numbers) {
        GlobalCommand::ServiceSequenceNumbers
    } else {
        GlobalCommand::ServicePasswordEncryption
    }
}

fn identity(pair: &Pair<'_, Rule>) -> Option<IsakmpIdentity> {
    pair.clone()
        .into_inner()
        .skip(1)
        .find_map(|child| IsakmpIdentity::from_word(child.as_str()))
}

fn key(pair: &Pair<'_, Rule>) -> Option<GlobalCommand> {
    let peer = match pair.parsed(Rule::a_peer_address)? {
        Some(address) => KeyPeer::Address {
            address,
            mask: key_mask(address, pair.parsed(Rule::a_peer_mask)?),
        },
        None => KeyPeer::Hostname(pair.name(Rule::a_peer_hostname)?),
    };
    Some(GlobalCommand::CryptoIsakmpKey {
        key: secret(pair, Rule::a_key),
        peer,
        no_xauth: pair.has(Rule::k_no_xauth),
    })
}

/// IOS keeps no mask of one host, and none beside 0.0.0.0, which alone means every peer.
fn key_mask(address: Ipv4Addr, mask: Option<Ipv4Addr>) -> Option<Ipv4Addr> {
    mask.filter(|mask| {
        *mask != Ipv4Addr::BROADCAST && !(address.is_unspecified() && mask.is_unspecified())
    })
}

fn map_kind(pair: &Pair<'_, Rule>) -> MapEntryKind {
    if pair.has(Rule::k_ipsec_manual) {
        MapEntryKind::IpsecManual
    } else if pair.has(Rule::k_gdoi) {
        MapEntryKind::Gdoi
    } else {
        MapEntryKind::IpsecIsakmp {
            dynamic: pair.name(Rule::a_dynamic_map).map(|map| DynamicMap {
                map,
                discover: pair.has(Rule::k_discover),
            }),
            profile: pair.name(Rule::a_ipsec_profile),
        }
    }
}
