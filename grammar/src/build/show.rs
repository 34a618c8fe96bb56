//! `show` commands and their output filters.

use std::net::IpAddr;

use super::{files, login};
use crate::command::{
    CryptoMapSelector, Filter, FilterKind, LineKind, LineRef, ShowCommand, ShowCrypto,
};
use crate::interface_name::InterfaceName;
use crate::matched::Part;
use crate::tree::Rule;

pub(super) fn show(part: Part<'_>) -> Option<ShowCommand> {
    let of = part.parts().nth(1)?;
    Some(match of.rule() {
        Rule::show_access_lists => ShowCommand::AccessLists(of.name(Rule::a_list_name)),
        Rule::show_aliases => ShowCommand::Aliases(login::command_mode(of)),
        Rule::show_arp => ShowCommand::Arp(of.parsed(Rule::a_arp_address)?),
        Rule::show_flash => ShowCommand::Flash,
        Rule::show_archive => ShowCommand::Archive(files::show_archive(of)?),
        Rule::show_clock => ShowCommand::Clock {
            detail: of.has(Rule::k_detail),
        },
        Rule::show_configuration => match of.has(Rule::k_configuration_lock) {
            true => ShowCommand::ConfigurationLock,
            false => ShowCommand::StartupConfig,
        },
        Rule::show_crypto => ShowCommand::Crypto(crypto(of.parts().nth(1)?)?),
        Rule::show_crypto_isakmp_key => ShowCommand::Crypto(ShowCrypto::IsakmpKey),
        Rule::show_debugging => ShowCommand::Debugging,
        Rule::show_history => ShowCommand::History,
        Rule::show_inactive_config => ShowCommand::InactiveConfig,
        Rule::show_hosts => ShowCommand::Hosts,
        Rule::show_interface_map => ShowCommand::InterfaceMap,
        Rule::show_interfaces if of.has(Rule::k_show_description) => {
            ShowCommand::InterfacesDescription(interface(of)?)
        }
        Rule::show_interfaces => ShowCommand::Interfaces(interface(of)?),
        Rule::show_inventory => ShowCommand::Inventory,
        Rule::show_ip_interface if of.has(Rule::k_brief) => {
            ShowCommand::IpInterfaceBrief(interface(of)?)
        }
        Rule::show_ip_interface => ShowCommand::IpInterface(interface(of)?),
        Rule::show_ip_route if of.has(Rule::k_route_summary) => ShowCommand::IpRouteSummary,
        Rule::show_ip_route => ShowCommand::IpRoute {
            address: of.parsed(Rule::a_route_address)?,
            mask: of.parsed(Rule::a_route_mask)?,
        },
        Rule::show_logging => ShowCommand::Logging,
        Rule::show_memory => ShowCommand::MemoryStatistics,
        Rule::show_processes_cpu => ShowCommand::ProcessesCpu,
        Rule::show_line => ShowCommand::Line(match of.child(Rule::line_name) {
            Some(name) => Some(line_name(name)?),
            None => None,
        }),
        Rule::show_privilege => ShowCommand::Privilege,
        Rule::show_reload => ShowCommand::Reload,
        Rule::show_running_config => ShowCommand::RunningConfig {
            all: of.has(Rule::k_show_all),
            brief: of.has(Rule::k_show_brief),
            interface: interface(of)?,
        },
        Rule::show_sessions => ShowCommand::Sessions,
        Rule::show_startup_config => ShowCommand::StartupConfig,
        Rule::show_tech_support => ShowCommand::TechSupport {
            ipsec: of.has(Rule::k_tech_ipsec),
        },
        Rule::show_terminal => ShowCommand::Terminal,
        Rule::show_users => ShowCommand::Users {
            all: of.has(Rule::k_users_all),
        },
        Rule::show_version => ShowCommand::Version,
        _ => return None,
    })
}

/// A terminal line by its kind or its number.
pub(super) fn line_name(part: Part<'_>) -> Option<LineRef> {
    Some(match part.parts().next()?.rule() {
        Rule::k_aux => LineRef::Relative(LineKind::Aux, part.number(Rule::a_line_zero)??),
        Rule::k_console => LineRef::Relative(LineKind::Console, part.number(Rule::a_line_zero)??),
        Rule::k_vty => LineRef::Relative(LineKind::Vty, part.number(Rule::a_line_first)??),
        _ => LineRef::Absolute(part.number(Rule::a_line_number)??),
    })
}

/// The interface, if one was named; outside `None` when it is malformed.
pub(super) fn interface(part: Part<'_>) -> Option<Option<InterfaceName>> {
    part.read(Rule::a_show_interface, InterfaceName::parse)
}

fn crypto(first: Part<'_>) -> Option<ShowCrypto> {
    Some(match first.rule() {
        Rule::show_ipsec | Rule::show_isakmp => return crypto(first.parts().nth(1)?),
        Rule::show_admission => ShowCrypto::CallAdmissionStatistics,
        Rule::show_debug_condition => ShowCrypto::DebugCondition,
        Rule::show_engine => ShowCrypto::EngineConnectionsActive,
        Rule::show_ipsec_sa => ShowCrypto::IpsecSa {
            peer: ip_address(first)?,
            map: first.name(Rule::a_map),
            interface: interface(first)?,
            detail: first.has(Rule::k_detail),
        },
        Rule::show_ipsec_lifetime => ShowCrypto::IpsecLifetime,
        Rule::show_ipsec_transform_set => {
            ShowCrypto::IpsecTransformSet(first.name(Rule::a_tag_name))
        }
        Rule::show_isakmp_peers => ShowCrypto::IsakmpPeers(ip_address(first)?),
        Rule::show_isakmp_policy => ShowCrypto::IsakmpPolicy,
        Rule::show_isakmp_sa => ShowCrypto::IsakmpSa {
            detail: first.has(Rule::k_detail),
        },
        Rule::show_isakmp_statistics => ShowCrypto::IsakmpStatistics,
        Rule::show_map => ShowCrypto::Map(match (interface(first)?, first.name(Rule::a_map)) {
            (Some(interface), _) => Some(CryptoMapSelector::Interface(interface)),
            (None, tag) => tag.map(CryptoMapSelector::Tag),
        }),
        Rule::show_session => ShowCrypto::Session {
            remote: peer_address(first, Rule::remote_address)?,
            local: peer_address(first, Rule::local_address)?,
            interface: interface(first)?,
            detail: first.has(Rule::k_detail),
        },
        _ => return None,
    })
}

/// The address child; outside `None` when it is malformed.
pub(super) fn ip_address(part: Part<'_>) -> Option<Option<IpAddr>> {
    part.read(Rule::ip_address, |text| text.parse().ok())
}

/// The address in a `local …` or `remote …` child.
pub(super) fn peer_address(part: Part<'_>, rule: Rule) -> Option<Option<IpAddr>> {
    match part.child(rule) {
        Some(child) => ip_address(child),
        None => Some(None),
    }
}

/// What stands after the bar of a `show`, or of another command that prints text.
#[derive(Default)]
pub(super) struct Tail {
    pub(super) filter: Option<Filter>,
    pub(super) json: bool,
}

/// What stands after the bar, if there is one; outside `None` when it is malformed.
pub(super) fn tail(part: Part<'_>) -> Option<Tail> {
    let filter = part.child(Rule::filter);
    let Some(filter) = filter.or_else(|| part.child(Rule::line_filter)) else {
        return Some(Tail::default());
    };
    let mut words = filter.parts().skip(1).peekable();
    if words.peek()?.rule() == Rule::k_json {
        return Some(Tail {
            filter: None,
            json: true,
        });
    }
    let mut words = words.map(|word| word.word());
    let kind = FilterKind::from_word(words.next()?)?;
    let argument = words.collect::<Vec<_>>().join(" ");
    Some(Tail {
        filter: Some(Filter { kind, argument }),
        json: false,
    })
}
