//! Fills the snapshot that the show screens print: from the engine, the kernel, the log and the machine. Called by
//! sessions.

mod crypto;
mod system;

use std::collections::{BTreeSet, HashMap};

pub use crypto::{add, since};

use ipnet::IpNet;
use isthmus_grammar::command::{ShowCommand, ShowCrypto};
use isthmus_kernel::{Kernel, KernelError, NeighbourInfo, RouteInfo, RouteTarget, SaId, SaInfo};

use crate::config::model::LineId;
use crate::config::startup;
use crate::interfaces::InterfaceTable;
use crate::log::{Host, Log, Severity};
use crate::reconcile;
use crate::router::{Router, Shared};
use crate::session::registry::{self, Entry, SessionId};
use crate::show::snapshot::{self, Asking, LogHost, LogPlace, Route, RouteSource, Startup, later};
use crate::show::{self, Snapshot};

/// What had to be asked of the kernel and the machine.
#[derive(Debug, Default)]
struct Measured {
    sas: HashMap<SaId, SaInfo>,
    routes: Vec<RouteInfo>,
    neighbours: Vec<NeighbourInfo>,
    load: snapshot::Load,
    resolver: snapshot::Resolver,
}

/// Takes a snapshot for a show command and gives what `show` makes of it.
///
/// # Errors
/// The kernel cannot be asked for what the command needs.
pub async fn with_snapshot<T>(
    router: &Shared,
    command: &ShowCommand,
    asking: &Asking,
    id: SessionId,
    show: impl FnOnce(&Snapshot<'_>) -> T,
) -> Result<T, KernelError> {
    let kernel = router.borrow().kernel.clone();
    let measured = measure(router, &kernel, command).await?;
    let router = router.borrow();
    Ok(show(&snapshot(&router, &measured, asking, id)))
}

async fn measure(
    router: &Shared,
    kernel: &Kernel,
    command: &ShowCommand,
) -> Result<Measured, KernelError> {
    let mut measured = Measured::default();
    let all = matches!(command, ShowCommand::TechSupport { .. });
    if all || counts_packets(command) {
        let sas = kernel.dump_sas().await?;
        measured.sas = sas.into_iter().map(|sa| (sa.id, sa)).collect();
    }
    if all
        || matches!(
            command,
            ShowCommand::IpRoute { .. } | ShowCommand::IpRouteSummary
        )
    {
        measured.routes = kernel.routes().await?;
    }
    match command {
        ShowCommand::Arp(_) => measured.neighbours = kernel.neighbours().await?,
        ShowCommand::Hosts => measured.resolver = system::resolver(&router.borrow()),
        ShowCommand::MemoryStatistics | ShowCommand::ProcessesCpu => {
            measured.load = router.borrow().load.load();
        }
        _ => {}
    }
    if all
        || matches!(
            command,
            ShowCommand::Interfaces(_)
                | ShowCommand::InterfacesDescription(_)
                | ShowCommand::IpInterface(_)
        )
    {
        reconcile::refresh(router).await?;
    }
    Ok(measured)
}

/// The screen has numbers that only the kernel's SAs know.
fn counts_packets(command: &ShowCommand) -> bool {
    match command {
        ShowCommand::AccessLists(_) => true,
        ShowCommand::Crypto(command) => matches!(
            command,
            ShowCrypto::EngineConnectionsActive
                | ShowCrypto::IpsecSa { .. }
                | ShowCrypto::Session { .. }
        ),
        _ => false,
    }
}

fn snapshot<'a>(
    router: &'a Router,
    measured: &'a Measured,
    asking: &'a Asking,
    id: SessionId,
) -> Snapshot<'a> {
    let now = router.now();
    Snapshot {
        running: &router.running,
        interfaces: &router.interfaces,
        startup: later(|| startup_file(router)),
        now: router.clock.zoned(),
        clock_synchronised: router.clock.synchronised(),
        ike_sas: later(move || {
            let sas = router.engine.ike_sas(now);
            sas.iter().map(|sa| crypto::ike_sa(sa, now)).collect()
        }),
        admission: later(|| snapshot::Admission {
            counts: router.engine.admission(),
            dropped: router.engine.dropped().clone(),
        }),
        flows: later(move || crypto::flows(router, &measured.sas, now)),
        failures: later(|| router.failures.values().cloned().collect()),
        routes: later(|| routes(&measured.routes, &router.interfaces)),
        neighbours: later(|| neighbours(&measured.neighbours, &router.interfaces)),
        resolver: measured.resolver.clone(),
        load: measured.load.clone(),
        log: later(|| log(&router.log)),
        system: later(|| system::system(router)),
        debugging: router.debugging.clone(),
        users: later(move || users(router, id)),
        lines: later(|| lines(router)),
        asking,
    }
}

fn users(router: &Router, asking: SessionId) -> Vec<snapshot::User> {
    let user = |(id, entry): (SessionId, &Entry)| snapshot::User {
        number: registry::absolute(entry.line).into(),
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
        number: registry::absolute(line).into(),
        kind: line.kind,
        within: line.number,
        uses: router.sessions.uses(line),
        busy: busy.contains(&line),
    };
    all.into_iter().map(line).collect()
}

fn startup_file(router: &Router) -> Option<Startup> {
    let text = startup::read(&router.files.config).ok().flatten()?;
    let capacity = nix::sys::statvfs::statvfs(&router.files.config)
        .map_or(0, |stat| stat.blocks() * stat.fragment_size());
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
        lines: log.buffer().lines().map(str::to_owned).collect(),
    }
}
