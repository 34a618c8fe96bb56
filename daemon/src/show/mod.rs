//! The screens of the show commands: pure functions from a snapshot of the router to text.
//!
//! A session fills a [`Snapshot`] (`view` does, from the engine, the kernel and the session itself) and calls [`show`].

pub mod access_lists;
pub mod arp;
pub mod crypto_map;
pub mod debugging;
pub mod engine;
pub mod interfaces;
pub mod ip_interface;
pub mod ipsec;
pub mod isakmp;
pub mod logging;
pub mod machine;
pub mod route;
pub mod session;
pub mod snapshot;
pub mod system;
mod tech_support;
#[cfg(test)]
mod tests;
pub mod time;

use isthmus_grammar::command::{ShowCommand, ShowCrypto};

pub use snapshot::Snapshot;

use crate::config::render;

/// The text of a show command, every line ended; filters and the pager come after.
pub fn show(snapshot: &Snapshot<'_>, command: &ShowCommand) -> String {
    let running = snapshot.running;
    match command {
        ShowCommand::AccessLists(only) => {
            let matches = access_lists::matches(running, &snapshot.flows);
            access_lists::access_lists(&running.access_lists, only.as_deref(), &matches)
        }
        ShowCommand::Arp(only) => arp::arp(&snapshot.neighbours, *only),
        // The session shows these: they read files.
        ShowCommand::Archive(_) | ShowCommand::ConfigurationLock | ShowCommand::Reload => {
            String::new()
        }
        ShowCommand::Clock { detail } => {
            let source = if snapshot.clock_synchronised {
                "NTP"
            } else {
                "hardware calendar"
            };
            let detail = if *detail {
                format!("Time source is {source}\n")
            } else {
                String::new()
            };
            format!(
                "{}\n{detail}",
                time::clock(&snapshot.now, snapshot.clock_synchronised)
            )
        }
        ShowCommand::Crypto(command) => crypto(snapshot, command),
        ShowCommand::Debugging => debugging::debugging(&snapshot.debugging),
        ShowCommand::History => system::history(&snapshot.asking.history),
        ShowCommand::InactiveConfig => render::inactive(running),
        ShowCommand::Hosts => machine::hosts(&snapshot.resolver),
        ShowCommand::Interfaces(only) => {
            interfaces::interfaces(&running.interfaces, snapshot.interfaces, only.as_ref())
        }
        ShowCommand::InterfacesDescription(only) => {
            interfaces::description(&running.interfaces, snapshot.interfaces, only.as_ref())
        }
        ShowCommand::Inventory => machine::inventory(&snapshot.system),
        ShowCommand::IpInterface(only) => {
            ip_interface::ip_interface(&running.interfaces, snapshot.interfaces, only.as_ref())
        }
        ShowCommand::IpInterfaceBrief(only) => {
            interfaces::brief(&running.interfaces, snapshot.interfaces, only.as_ref())
        }
        ShowCommand::IpRoute { address: None, .. } => route::route(&snapshot.routes, None),
        ShowCommand::IpRoute {
            address: Some(address),
            ..
        } => route::entry(&snapshot.routes, *address),
        ShowCommand::IpRouteSummary => route::summary(&snapshot.routes),
        ShowCommand::Logging => logging::logging(&snapshot.log),
        ShowCommand::MemoryStatistics => machine::memory_statistics(&snapshot.load),
        ShowCommand::Privilege => system::privilege(snapshot.asking.privilege),
        ShowCommand::ProcessesCpu => machine::processes_cpu(&snapshot.load),
        ShowCommand::RunningConfig {
            all,
            brief,
            interface,
        } => {
            let options = render::Options {
                all: *all,
                brief: *brief,
                interface: interface.clone(),
                hide_secrets: false,
            };
            render::show(running, &options)
        }
        ShowCommand::StartupConfig => system::startup_config(snapshot.startup.as_ref()),
        ShowCommand::TechSupport { ipsec } => tech_support::tech_support(snapshot, *ipsec),
        ShowCommand::Terminal => system::terminal(snapshot.asking),
        ShowCommand::Users => system::users(&snapshot.users),
        ShowCommand::Version => system::version(&snapshot.system),
    }
}

fn crypto(snapshot: &Snapshot<'_>, command: &ShowCrypto) -> String {
    let running = snapshot.running;
    match command {
        ShowCrypto::DebugCondition => debugging::conditions(&snapshot.debugging.conditions),
        ShowCrypto::EngineConnectionsActive => {
            engine::connections_active(&snapshot.flows, &snapshot.ike_sas)
        }
        ShowCrypto::IpsecSa {
            peer,
            map,
            interface,
            detail,
        } => {
            let interface = interface.as_ref().map(ToString::to_string);
            let filter = ipsec::Filter {
                peer: *peer,
                map: map.clone(),
                interface,
            };
            ipsec::sa(&snapshot.flows, &filter, *detail)
        }
        ShowCrypto::IpsecLifetime => crypto_map::lifetime(running),
        ShowCrypto::IpsecTransformSet(tag) => crypto_map::transform_set(running, tag.as_deref()),
        ShowCrypto::IsakmpKey => isakmp::key(&running.crypto.keys),
        ShowCrypto::IsakmpPeers(only) => {
            let mut sas = snapshot.ike_sas.clone();
            sas.retain(|sa| only.is_none_or(|only| only == sa.remote.ip()));
            isakmp::peers(&sas)
        }
        ShowCrypto::IsakmpPolicy => isakmp::policy(&running.crypto.policies),
        ShowCrypto::IsakmpSa { detail: false } => isakmp::sa(&snapshot.ike_sas),
        ShowCrypto::IsakmpSa { detail: true } => isakmp::sa_detail(&snapshot.ike_sas),
        ShowCrypto::Map(selector) => {
            let in_use = snapshot.flows.iter().filter(|flow| !flow.sas.is_empty());
            let current = in_use
                .map(|flow| ((flow.map.clone(), flow.sequence), flow.peer))
                .collect();
            crypto_map::map(running, selector.as_ref(), &current)
        }
        ShowCrypto::Session {
            remote,
            local,
            interface,
            detail,
        } => {
            let interface = interface.as_ref().map(ToString::to_string);
            let filter = session::Filter {
                remote: *remote,
                local: *local,
                interface,
            };
            session::session(
                &snapshot.flows,
                &snapshot.ike_sas,
                &snapshot.failures,
                &filter,
                *detail,
            )
        }
    }
}
