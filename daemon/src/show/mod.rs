//! The screens of the show commands: pure functions from a snapshot of the router to facts, and from facts to text or JSON.
//!
//! A session takes a [`Snapshot`] (`view` does, from the engine, the kernel and the session itself), asks [`screen`] for
//! the facts of a command and prints them in the form that the operator wants. A new screen is a type that implements
//! [`screen::Facts`] and a line in [`screen`]; its page in `JSON.md` is written by `tests/json.rs`.

pub mod access_lists;
pub mod admission;
pub mod aliases;
pub mod arp;
pub mod change_control;
pub mod config_log;
pub mod configuration;
pub mod crypto_map;
pub mod debugging;
pub mod difference;
pub mod engine;
pub mod files;
pub mod interface_map;
pub mod interfaces;
pub mod ip_interface;
pub mod ipsec;
pub mod isakmp;
pub mod lines;
pub mod logging;
pub mod machine;
pub mod route;
pub mod screen;
pub mod session;
pub mod snapshot;
pub mod system;
mod tech_support;
#[cfg(test)]
mod tests;

use isthmus_grammar::InterfaceName;
use isthmus_grammar::command::{ShowArchive, ShowCommand, ShowCrypto};

use interfaces::Layout;
pub use screen::Screen;
pub use snapshot::Snapshot;

use crate::config::render;
use crate::operators;

fn archive<'a>(snapshot: &'a Snapshot, command: &ShowArchive) -> Box<dyn Screen + 'a> {
    let state = &snapshot.change_control;
    match command {
        ShowArchive::List => Box::new(change_control::ArchiveList {
            archive: state.archive.as_ref(),
        }),
        ShowArchive::RollbackTimer => Box::new(change_control::RollbackTimer {
            unconfirmed_change: state.unconfirmed_change.as_ref(),
        }),
        ShowArchive::Differences { .. } | ShowArchive::IncrementalDiffs { .. } => {
            Box::new(&snapshot.facts.differences)
        }
        ShowArchive::Log(what) => config_log::screen(&state.config_log, what),
    }
}

/// The facts of a show command; filters and the pager come after.
pub fn screen<'a>(snapshot: &'a Snapshot, command: &ShowCommand) -> Box<dyn Screen + 'a> {
    let running = &*snapshot.running;
    let state = &snapshot.change_control;
    match command {
        ShowCommand::AccessLists(only) => {
            let matches = access_lists::matches(running, &snapshot.flows);
            Box::new(access_lists::access_lists(
                &running.access_lists,
                only.as_deref(),
                &matches,
            ))
        }
        ShowCommand::Aliases(only) => Box::new(aliases::aliases(
            &running.aliases,
            *only,
            snapshot.for_reader().hide_secrets,
        )),
        ShowCommand::Arp(only) => Box::new(arp::arp(&snapshot.neighbours, *only)),
        ShowCommand::Archive(command) => archive(snapshot, command),
        ShowCommand::Clock { detail } => Box::new(system::Clock {
            detail: *detail,
            now: &snapshot.now,
            synchronised: snapshot.clock_synchronised,
        }),
        ShowCommand::ConfigurationLock => Box::new(change_control::ConfigurationLock {
            lock: state.lock.as_ref(),
        }),
        ShowCommand::Crypto(command) => crypto(snapshot, command),
        ShowCommand::Debugging => Box::new(debugging::debugging(&snapshot.debugging)),
        ShowCommand::Flash => Box::new(&snapshot.facts.directory),
        ShowCommand::History => Box::new(system::History {
            commands: &snapshot.context.history,
        }),
        ShowCommand::InactiveConfig => Box::new(configuration::inactive(
            render::inactive(running, &snapshot.for_reader()),
            running.not_understood(),
        )),
        ShowCommand::Hosts => Box::new(&snapshot.resolver),
        ShowCommand::InterfaceMap => Box::new(interface_map::names(&snapshot.interfaces)),
        ShowCommand::Interfaces(only) => interface_list(snapshot, only.as_ref(), Layout::Full),
        ShowCommand::InterfacesDescription(only) => {
            interface_list(snapshot, only.as_ref(), Layout::Description)
        }
        ShowCommand::Inventory => Box::new(machine::inventory(&snapshot.system)),
        ShowCommand::IpInterface(only) => interface_list(snapshot, only.as_ref(), Layout::Ip),
        ShowCommand::IpInterfaceBrief(only) => {
            interface_list(snapshot, only.as_ref(), Layout::IpBrief)
        }
        ShowCommand::IpRoute { address: None, .. } => Box::new(route::table(&snapshot.routes)),
        ShowCommand::IpRoute {
            address: Some(address),
            ..
        } => Box::new(route::entry(&snapshot.routes, *address)),
        ShowCommand::IpRouteSummary => Box::new(route::summary(&snapshot.routes)),
        ShowCommand::Logging => Box::new(&*snapshot.log),
        ShowCommand::MemoryStatistics => {
            Box::new(machine::memory_statistics(&snapshot.load.memory))
        }
        ShowCommand::Privilege => Box::new(system::Privilege {
            privilege_level: snapshot.context.privilege,
        }),
        ShowCommand::ProcessesCpu => Box::new(&snapshot.load),
        ShowCommand::Reload => Box::new(change_control::Reload {
            reload: state.reload.as_ref(),
        }),
        ShowCommand::RunningConfig {
            all,
            brief,
            interface,
        } => {
            let options = render::Options {
                all: *all,
                brief: *brief,
                interface: interface.clone(),
                ..snapshot.for_reader()
            };
            Box::new(configuration::running(render::body(running, &options)))
        }
        ShowCommand::Sessions => Box::new(system::Sessions { connections: [] }),
        ShowCommand::StartupConfig => Box::new(configuration::startup(
            snapshot.startup.as_ref(),
            &snapshot.for_reader(),
        )),
        ShowCommand::TechSupport { ipsec } => {
            Box::new(tech_support::tech_support(snapshot, *ipsec))
        }
        ShowCommand::Terminal => Box::new(&snapshot.context),
        ShowCommand::Line(line) => {
            Box::new(lines::lines(&snapshot.lines, line.map(operators::named)))
        }
        ShowCommand::Users { all } => {
            Box::new(lines::users(&snapshot.users, &snapshot.lines, *all))
        }
        ShowCommand::Version => Box::new(system::version(&snapshot.system)),
    }
}

fn interface_list<'a>(
    snapshot: &'a Snapshot,
    only: Option<&InterfaceName>,
    layout: Layout,
) -> Box<dyn Screen + 'a> {
    Box::new(interfaces::list(
        &snapshot.running.interfaces,
        &snapshot.interfaces,
        only,
        layout,
        snapshot.now.timestamp(),
    ))
}

fn crypto<'a>(snapshot: &'a Snapshot, command: &ShowCrypto) -> Box<dyn Screen + 'a> {
    let running = &*snapshot.running;
    match command {
        ShowCrypto::CallAdmissionStatistics => {
            Box::new(admission::call_admission(&snapshot.admission))
        }
        ShowCrypto::DebugCondition => {
            Box::new(debugging::conditions(&snapshot.debugging.conditions))
        }
        ShowCrypto::EngineConnectionsActive => Box::new(engine::connections_active(
            &snapshot.flows,
            &snapshot.ike_sas,
        )),
        ShowCrypto::IpsecSa {
            peer,
            map,
            interface,
            detail,
        } => {
            let filter = ipsec::Filter::new(*peer, map.as_deref(), interface.as_ref());
            Box::new(ipsec::sas(&snapshot.flows, &filter, *detail))
        }
        ShowCrypto::IpsecLifetime => Box::new(crypto_map::lifetime(running)),
        ShowCrypto::IpsecTransformSet(tag) => {
            Box::new(crypto_map::transform_sets(running, tag.as_deref()))
        }
        ShowCrypto::IsakmpKey => {
            Box::new(isakmp::keys(running, snapshot.for_reader().hide_secrets))
        }
        ShowCrypto::IsakmpPeers(only) => Box::new(isakmp::peers(&snapshot.ike_sas, *only)),
        ShowCrypto::IsakmpPolicy => Box::new(isakmp::policies(&running.crypto.policies)),
        ShowCrypto::IsakmpSa { detail } => Box::new(isakmp::sas(&snapshot.ike_sas, *detail)),
        ShowCrypto::IsakmpStatistics => Box::new(admission::isakmp(&snapshot.admission)),
        ShowCrypto::Map(selector) => {
            let in_use = snapshot.flows.iter().filter(|flow| !flow.sas.is_empty());
            let current = in_use
                .map(|flow| ((flow.map.as_str(), flow.sequence), flow.peer))
                .collect();
            Box::new(crypto_map::maps(running, selector.as_ref(), &current))
        }
        ShowCrypto::Session {
            remote,
            local,
            interface,
            detail,
        } => {
            let filter = session::Filter {
                remote: *remote,
                local: *local,
                interface: interface.as_ref().map(ToString::to_string),
            };
            let sessions = session::sessions(
                &snapshot.flows,
                &snapshot.ike_sas,
                &snapshot.failures,
                &filter,
            );
            Box::new(match detail {
                true => sessions.in_detail(&snapshot.problems, &filter),
                false => sessions,
            })
        }
    }
}
