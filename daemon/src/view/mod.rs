//! Takes the snapshots that the show screens are made from: of the engine, the kernel, the log and the machine. Called by
//! sessions.
//!
//! Taking is all that happens on the packet loop, and in slices: between two of them every datagram that came has its
//! turn. What a slice shows is true of its moment. The screens are made from the snapshot on other threads.

mod change_control;
mod crypto;
mod flows;
mod system;

use std::collections::BTreeSet;
use std::path::Path;

pub use flows::{FlowReader, SharedCounters};

use ipnet::IpNet;
use isthmus_grammar::command::{ShowCommand, ShowCrypto};
use isthmus_kernel::{KernelError, NeighbourInfo, RouteInfo, RouteTarget};

use crate::config::model::LineId;
use crate::config::startup;
use crate::log::{Host, Log, Severity};
use crate::machine::interfaces::InterfaceTable;
use crate::machine::load::Load;
use crate::operators::{self, Entry, SessionId};
use crate::router::reconcile;
use crate::router::{Router, Shared};
use crate::show;
use crate::show::snapshot::{
    self, LogHost, LogPlace, Route, RouteSource, SessionFacts, ShowContext, Snapshot, Startup,
    lazy, part, untaken,
};

/// SAs, flows or failures taken at once.
const SLICE: usize = 64;
/// Lines of the log taken at once.
const LINES: usize = 1024;

/// What is taken for a command besides what costs nothing.
struct Wanted {
    ike_sas: bool,
    flows: bool,
    failures: bool,
    log: bool,
    routes: bool,
    interfaces: bool,
}

impl Wanted {
    fn by(command: &ShowCommand) -> Self {
        let all = matches!(command, ShowCommand::TechSupport { .. });
        let crypto = match command {
            ShowCommand::Crypto(crypto) => Some(crypto),
            _ => None,
        };
        let session = matches!(crypto, Some(ShowCrypto::Session { .. }));
        let engine = matches!(crypto, Some(ShowCrypto::EngineConnectionsActive));
        Self {
            ike_sas: all
                || session
                || engine
                || matches!(
                    crypto,
                    Some(ShowCrypto::IsakmpPeers(_) | ShowCrypto::IsakmpSa { .. })
                ),
            flows: all
                || session
                || engine
                || matches!(
                    crypto,
                    Some(ShowCrypto::IpsecSa { .. } | ShowCrypto::Map(_))
                )
                || matches!(command, ShowCommand::AccessLists(_)),
            failures: all || session,
            log: all || matches!(command, ShowCommand::Logging),
            routes: all
                || matches!(
                    command,
                    ShowCommand::IpRoute { .. } | ShowCommand::IpRouteSummary
                ),
            interfaces: all
                || matches!(
                    command,
                    ShowCommand::Interfaces(_)
                        | ShowCommand::InterfacesDescription(_)
                        | ShowCommand::IpInterface(_)
                ),
        }
    }
}

/// Takes a snapshot for a show command.
///
/// # Errors
/// The kernel cannot be asked for what the command needs.
pub async fn take(
    router: &Shared,
    command: &ShowCommand,
    context: ShowContext,
    facts: SessionFacts,
    id: SessionId,
) -> Result<Snapshot, KernelError> {
    let kernel = router.borrow().kernel.clone();
    let wanted = Wanted::by(command);
    if wanted.interfaces {
        reconcile::refresh(router).await?;
    }
    let mut snapshot = at_once(router, command, context, facts, id);
    if wanted.routes {
        let found = kernel.routes().await?;
        snapshot.routes = routes(&found, &snapshot.interfaces);
    }
    if matches!(command, ShowCommand::Arp(_)) {
        let found = kernel.neighbours().await?;
        snapshot.neighbours = neighbours(&found, &snapshot.interfaces);
    }
    if wanted.log {
        snapshot.log = part(whole_log(router).await);
    }
    if wanted.failures {
        snapshot.failures = part(router.borrow().tunnels.failures.values().cloned().collect());
    }
    if wanted.ike_sas {
        snapshot.ike_sas = part(ike_sas(router).await);
    }
    if wanted.flows {
        snapshot.flows = part(flows::all(router, &kernel).await?);
    }
    Ok(snapshot)
}

/// What is small.
fn at_once(
    router: &Shared,
    command: &ShowCommand,
    context: ShowContext,
    facts: SessionFacts,
    id: SessionId,
) -> Snapshot {
    let change_control = change_control::change_control(&mut router.borrow_mut(), command);
    let router = router.borrow();
    let (mut resolver, mut load) = (snapshot::Resolver::default(), Load::default());
    match command {
        ShowCommand::Hosts => resolver = system::resolver(router.running.domain_name.clone()),
        ShowCommand::MemoryStatistics | ShowCommand::ProcessesCpu => load = router.load.load(),
        _ => {}
    }
    let problems = match command {
        ShowCommand::TechSupport { .. }
        | ShowCommand::Crypto(ShowCrypto::Session { detail: true, .. }) => {
            router.tunnels.problems.clone()
        }
        _ => BTreeSet::new(),
    };
    let config = router.files.config.clone();
    Snapshot {
        running: router.running.share(),
        interfaces: router.interfaces.clone(),
        startup: lazy(move || startup_file(&config)),
        now: router.clock.zoned(),
        clock_synchronised: router.clock.synchronised(),
        ike_sas: untaken(),
        admission: snapshot::Admission {
            counts: router.tunnels.engine.admission(),
            dropped: router.tunnels.engine.dropped().clone(),
        },
        flows: untaken(),
        problems,
        failures: untaken(),
        routes: Vec::new(),
        neighbours: Vec::new(),
        resolver,
        load,
        log: untaken(),
        system: lazy(system::system(&router)),
        debugging: router.debugging.clone(),
        users: users(&router, id),
        lines: lines(&router),
        change_control,
        context,
        facts,
    }
}

/// Every IKE SA.
async fn ike_sas(router: &Shared) -> Vec<snapshot::IkeSa> {
    let (mut all, mut next) = (Vec::new(), Some(0));
    while let Some(from) = next {
        {
            let router = router.borrow();
            let now = router.now();
            let (some, rest) = router.tunnels.engine.ike_sas_from(from, SLICE, now);
            all.extend(some.iter().map(|sa| crypto::ike_sa(sa, now)));
            next = rest;
        }
        tokio::task::yield_now().await;
    }
    all
}

async fn whole_log(router: &Shared) -> snapshot::Log {
    let (mut all, mut next) = (log(&router.borrow().log), Some(0));
    while let Some(from) = next {
        let (some, rest) = router.borrow().log.buffer().lines_from(from, LINES);
        all.lines.extend(some);
        next = rest;
        tokio::task::yield_now().await;
    }
    all
}

fn users(router: &Router, asking: SessionId) -> Vec<snapshot::User> {
    let user = |(id, entry): (SessionId, &Entry)| snapshot::User {
        number: operators::absolute(entry.line).into(),
        line: entry.user.line.clone(),
        user: entry.user.name.clone().unwrap_or_default(),
        idle: entry.active.elapsed(),
        location: entry
            .user
            .source
            .map_or_else(String::new, |source| source.to_string()),
        current: id == asking,
    };
    let mut users: Vec<_> = router.sessions.iter().map(user).collect();
    users.sort_by_key(|user| user.number);
    users
}

/// Every configured terminal line, and those beyond that are in use.
fn lines(router: &Router) -> Vec<snapshot::TerminalLine> {
    let busy = router.sessions.iter().map(|(_, entry)| entry.line);
    let busy: BTreeSet<LineId> = busy.collect();
    let configured = router.running.lines.keys().copied();
    let all: BTreeSet<LineId> = configured.chain(busy.iter().copied()).collect();
    let line = |line: LineId| snapshot::TerminalLine {
        number: operators::absolute(line).into(),
        kind: line.kind,
        within: line.number,
        uses: router.sessions.uses(line),
        busy: busy.contains(&line),
    };
    all.into_iter().map(line).collect()
}

fn startup_file(config: &Path) -> Option<Startup> {
    let text = startup::read(config).ok().flatten()?;
    let capacity =
        nix::sys::statvfs::statvfs(config).map_or(0, |stat| stat.blocks() * stat.fragment_size());
    Some(Startup { text, capacity })
}

fn routes(routes: &[RouteInfo], table: &InterfaceTable) -> Vec<Route> {
    let kernel_name = |name: &String| {
        let found = table.iter().find(|i| i.link.name == *name);
        Some(found.map_or_else(|| name.clone(), |i| i.name.clone()))
    };
    let mut list: Vec<Route> = routes
        .iter()
        .filter_map(|route| {
            let IpNet::V4(net) = route.prefix else {
                return None;
            };
            let (via, interface) = match &route.target {
                RouteTarget::Gateway(std::net::IpAddr::V4(via), device) => {
                    (Some(*via), device.as_ref().and_then(kernel_name))
                }
                RouteTarget::Gateway(..) => return None,
                RouteTarget::Interface(device) => (None, kernel_name(device)),
                RouteTarget::Blackhole => (None, Some("Null0".into())),
            };
            let connected = route.connected && !route.ours;
            let (distance, metric) = distance(route, connected);
            Some(Route {
                source: if connected {
                    RouteSource::Connected
                } else {
                    RouteSource::Static
                },
                net,
                via,
                interface,
                distance,
                metric,
            })
        })
        .collect();
    let local = table
        .iter()
        .filter(|i| i.link.up && !i.link.loopback)
        .flat_map(|interface| {
            interface.addresses.iter().filter_map(|net| {
                let IpNet::V4(net) = net else { return None };
                Some(Route {
                    source: RouteSource::Local,
                    net: ipnet::Ipv4Net::from(net.addr()),
                    via: None,
                    interface: Some(interface.name.clone()),
                    distance: 0,
                    metric: 0,
                })
            })
        });
    list.extend(local);
    list
}

/// The ARP cache and our own addresses, in the order of addresses.
fn neighbours(cache: &[NeighbourInfo], table: &InterfaceTable) -> Vec<snapshot::Neighbour> {
    let cached = cache.iter().filter_map(|entry| {
        let interface = table.iter().find(|i| i.link.index == entry.index)?;
        Some(snapshot::Neighbour {
            address: entry.address,
            age: Some(entry.confirmed),
            mac: hardware_address(&entry.mac),
            interface: interface.name.clone(),
        })
    });
    let own = table
        .iter()
        .filter(|i| i.link.up && i.link.ethernet && !i.link.loopback);
    let own = own.flat_map(|interface| {
        interface.addresses.iter().filter_map(|net| {
            let IpNet::V4(net) = net else { return None };
            Some(snapshot::Neighbour {
                address: net.addr(),
                age: None,
                mac: hardware_address(&interface.link.mac),
                interface: interface.name.clone(),
            })
        })
    });
    let mut all: Vec<snapshot::Neighbour> = cached.chain(own).collect();
    all.sort_by_key(|one| one.address);
    all
}

fn hardware_address(octets: &[u8]) -> Option<String> {
    (!octets.is_empty()).then(|| show::interfaces::mac(octets))
}

/// Administrative distance and metric. On our routes the metric is the administrative distance; other people's count as static.
fn distance(route: &RouteInfo, connected: bool) -> (u8, u32) {
    if connected {
        (0, 0)
    } else if route.ours {
        (u8::try_from(route.metric).unwrap_or(u8::MAX), 0)
    } else {
        (1, route.metric)
    }
}

/// The log without its lines.
fn log(log: &Log) -> snapshot::Log {
    let (settings, counts) = (log.settings(), log.counts());
    let place = |level: Option<Severity>, count| {
        level.map(|level| LogPlace {
            level: level.name(),
            messages: count,
        })
    };
    let host = |host: &std::rc::Rc<Host>| LogHost {
        host: host.target.host.clone(),
        protocol: host.target.protocol.word(),
        port: host.target.port,
        up: host.up(),
        sent: host.sent(),
        limited: host.rate_limited(),
        dropped: host.dropped(),
        numbered: host.target.sequence_number,
    };
    snapshot::Log {
        console: place(settings.console, counts.console),
        monitor: place(settings.monitor, counts.monitor),
        buffer: place(settings.buffered.map(|(_, level)| level), counts.buffered),
        trap: place(settings.trap, counts.trap),
        hosts: log.hosts().iter().map(host).collect(),
        dropped: counts.dropped,
        limited: counts.limited,
        on: settings.on,
        source: settings.source.as_ref().map(ToString::to_string),
        size: settings
            .buffered
            .map_or(0, |(size, _)| u32::try_from(size).unwrap_or(u32::MAX)),
        lines: Vec::new(),
    }
}
