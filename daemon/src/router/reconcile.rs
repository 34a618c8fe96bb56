//! Makes engine and kernel what the running-config says. Run by a task of `tasks` whenever the configuration or an
//! interface changed.
//!
//! Policies come before links and routes, so that nothing leaves in clear before they stand. Only differences are
//! asked of the kernel; a tunnel whose entry did not change is not touched.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ike::Expiry;
use ike::auth::psk::PreSharedKeys;
use ike::config::{Connection, ConnectionId, EngineConfig};
use isthmus_kernel::{
    Action, AddressInfo, KernelError, LinkInfo, PolicyKey, PolicySpec, Request, SaId,
};

use crate::config::encrypt;
use crate::config::model::{Change, Running};
use crate::log::Severity;
use crate::machine::disk::Lost;
use crate::machine::interfaces::{ToKeep, store};
use crate::plan;
use crate::plan::child::sa_id;
use crate::plan::crypto_map::Gather;
use crate::plan::flows::{ANY_INTERFACE, FlowName};
use crate::plan::network;
use crate::plan::source::Name;
use crate::plan::units::{Delta, Dirty, Plan};
use crate::router::policies::enforce;
use crate::router::work::{Owner, Work};
use crate::router::{Router, Shared, Stop};

/// A child may be that young and not all of it in the kernel yet.
pub const INSTALLING: Duration = Duration::from_secs(5);

/// So many lines are planned on the packet loop; more are planned beside it, on the configuration as it is then.
const FEW_LINES: usize = 500;

/// So many keys are read on the packet loop.
const FEW_KEYS: usize = 200;

/// So many changes are made before datagrams have their turn.
const SLICE: usize = 500;

/// What has changed since the last reconcile.
#[derive(Debug, Default)]
pub struct Pending {
    /// Of the running-config.
    pub config: BTreeSet<Change>,
    /// Links or addresses, maybe.
    pub machine: bool,
}

impl Pending {
    fn everything() -> Self {
        Self {
            config: BTreeSet::from([Change::Everything]),
            machine: true,
        }
    }

    fn merge(&mut self, other: Self) {
        self.config.extend(other.config);
        self.machine |= other.machine;
    }
}

/// Compares everything that the running-config asks with everything that there is, and logs what is wrong with the
/// configuration.
///
/// # Errors
/// The kernel cannot be asked for what it has.
pub async fn reconcile(router: &Shared) -> Result<(), KernelError> {
    router.borrow_mut().pending.merge(Pending::everything());
    let outcome = follow(router).await;
    router.borrow_mut().report();
    outcome
}

/// Does what follows from the changes since the last time, and keeps what is wrong for [`Router::report`]: in the middle of a
/// change much is wrong for a moment.
///
/// # Errors
/// The kernel cannot be asked for what it has; the changes are kept for the next time.
pub async fn follow(router: &Shared) -> Result<(), KernelError> {
    let pending = std::mem::take(&mut router.borrow_mut().pending);
    let outcome = follow_all(router, &pending).await;
    if outcome.is_err() {
        router.borrow_mut().pending.merge(pending);
    }
    outcome
}

async fn follow_all(router: &Shared, pending: &Pending) -> Result<(), KernelError> {
    let machine = router.borrow().concerns_machine(pending);
    let addresses = match machine {
        true => Some(refresh_for_plan(router).await?),
        false => None,
    };
    plan(router, pending, machine).await;
    enforce(router).await;
    router.borrow_mut().isakmp_on();
    let requests = match addresses {
        Some(addresses) => network_requests(router, &addresses).await?,
        None if router.borrow().overlap == router.borrow().tunnels.plan.claims().overlap() => {
            Vec::new()
        }
        None => router.borrow_mut().inbound_checks(),
    };
    if requests.is_empty() {
        return Ok(());
    }
    let kernel = router.borrow().kernel.clone();
    let texts: Vec<String> = requests.iter().map(ToString::to_string).collect();
    let results = kernel.submit(requests).await;
    refresh_for_plan(router).await?;
    for (text, result) in texts.iter().zip(results) {
        router.borrow_mut().network_result(text, result);
    }
    plan(router, &Pending::default(), true).await;
    enforce(router).await;
    Ok(())
}

/// Takes over links and addresses as they are, and answers the addresses.
///
/// # Errors
/// The kernel cannot be asked.
pub async fn refresh(router: &Shared) -> Result<Vec<AddressInfo>, KernelError> {
    let kernel = router.borrow().kernel.clone();
    let links = kernel.links().await?;
    let addresses = kernel.addresses().await?;
    router.borrow_mut().refresh(links, &addresses);
    keep_bindings(router);
    Ok(addresses)
}

/// The same, and what was blocked until it is known which links there are may be let go by the next plan; what is blocked from
/// here on, by the one after that.
async fn refresh_for_plan(router: &Shared) -> Result<Vec<AddressInfo>, KernelError> {
    let before = std::mem::take(&mut router.borrow_mut().tunnels.recheck);
    let refreshed = refresh(router).await;
    let tunnels = &mut router.borrow_mut().tunnels;
    match &refreshed {
        Ok(_) => tunnels.known.extend(before),
        Err(_) => tunnels.recheck.extend(before),
    }
    refreshed
}

/// Has it written which device each name means. No policy waits for a disk.
fn keep_bindings(router: &Shared) {
    let to_keep = router.borrow_mut().interfaces.take_to_keep();
    let Some(ToKeep { path, text }) = to_keep else {
        return;
    };
    let written = {
        let path = path.clone();
        let write = move || store::write(&path, &text);
        router.borrow().disk.run(write)
    };
    tokio::task::spawn_local(kept(router.clone(), path, written));
}

/// Waits until the bindings are written; what hinders that is logged, and they are written again.
async fn kept(
    router: Shared,
    path: PathBuf,
    written: impl Future<Output = Result<io::Result<()>, Lost>>,
) {
    let problem = match written.await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    let mut router = router.borrow_mut();
    router.interfaces.not_kept();
    let text = format!(
        "cannot keep in {} which device each name means: {problem}",
        path.display()
    );
    router.complain_once(text);
}

async fn network_requests(
    router: &Shared,
    addresses: &[AddressInfo],
) -> Result<Vec<Request>, KernelError> {
    let kernel = router.borrow().kernel.clone();
    let routes = kernel.routes().await?;
    let mut router = router.borrow_mut();
    let mut requests = router.inbound_checks();
    let Router {
        running,
        interfaces,
        network,
        ..
    } = &mut *router;
    let actual = network::Actual {
        table: interfaces,
        addresses,
        routes: &routes,
    };
    requests.extend(network::requests(running, actual, network));
    Ok(requests)
}

/// What follows from the running-config for the engine, but for its connections.
struct Settings {
    engine: EngineConfig,
    keys: PreSharedKeys,
    /// What is wrong with keys.
    problems: Vec<String>,
}

impl Settings {
    fn of(running: &Running) -> Self {
        let unusable = encrypt::unusable(running);
        Self {
            engine: plan::engine::config(running),
            keys: plan::engine::keys(running),
            problems: unusable
                .map(|(peer, why)| encrypt::complaint(peer, why))
                .collect(),
        }
    }
}

/// Works out what the crypto maps ask for where that has changed, tells the engine, and has `policies` want it. What takes
/// long is done beside the packet loop.
async fn plan(router: &Shared, pending: &Pending, machine: bool) {
    let turn = router.borrow().tunnels.policies.turn();
    // Nobody asks the kernel for policies between the change of the plan and the wish for all that follows from it.
    let mut guard = turn.lock().await;
    let (dirty, settings, few) = {
        let mut router = router.borrow_mut();
        router.isakmp_off();
        let dirty = router.dirty(pending, machine);
        let settings = pending.config.iter().any(concerns_engine);
        let few = router.is_little(&dirty, settings);
        (dirty, settings, few)
    };
    let (delta, settings) = if few {
        let mut router = router.borrow_mut();
        let settings = settings.then(|| Settings::of(&router.running));
        let Router {
            running,
            interfaces,
            tunnels,
            ..
        } = &mut *router;
        let delta = match dirty.is_empty() {
            true => Delta::default(),
            false => {
                let source = Gather::new(running, interfaces);
                Arc::make_mut(&mut tunnels.plan).update(&source, &dirty)
            }
        };
        (delta, settings)
    } else {
        drop(guard);
        let (plan, delta, settings) = plan_beside(router, dirty, settings).await;
        guard = turn.lock().await;
        let old = std::mem::replace(&mut router.borrow_mut().tunnels.plan, Arc::new(plan));
        tokio::task::spawn_blocking(move || drop(old));
        (delta, settings)
    };
    want(router, delta.keys, &delta.flows, machine).await;
    drop(guard);
    follow_plan(router, delta.connections, settings, machine).await;
}

/// Plans on another thread, on the configuration as it is now. What changes meanwhile is pending, and follows.
async fn plan_beside(
    router: &Shared,
    dirty: Dirty,
    settings: bool,
) -> (Plan, Delta, Option<Settings>) {
    let (running, interfaces, old) = {
        let router = router.borrow();
        let plan = Arc::clone(&router.tunnels.plan);
        (router.running.share(), router.interfaces.clone(), plan)
    };
    let make = move || {
        let mut plan = Plan::clone(&old);
        let source = Gather::new(&running, &interfaces);
        let delta = plan.update(&source, &dirty);
        let settings = settings.then(|| Settings::of(&running));
        (plan, delta, settings)
    };
    match tokio::task::spawn_blocking(make).await {
        Ok(made) => made,
        Err(error) => {
            // The policies stay; the daemon that starts again plans everything.
            let text = format!("planning the crypto maps failed: {error}");
            router.borrow_mut().notice(Severity::Critical, "PLAN", text);
            router.borrow_mut().stop(Stop::Reload);
            std::future::pending().await
        }
    }
}

/// Has the policies follow the plan, in slices between which datagrams have their turn. Who calls this has the turn: half of
/// a change may leave open what the other half closes.
async fn want(router: &Shared, keys: Vec<PolicyKey>, flows: &[FlowName], machine: bool) {
    let keys = router.borrow_mut().begin_to_follow(keys, flows, machine);
    for (number, slice) in keys.chunks(SLICE).enumerate() {
        if number > 0 {
            tokio::task::yield_now().await;
        }
        router.borrow_mut().tunnels.want(slice);
    }
}

/// Has the engine follow the plan, in slices between which datagrams have their turn.
async fn follow_plan(
    router: &Shared,
    connections: Vec<(ConnectionId, Option<Arc<Connection>>)>,
    mut settings: Option<Settings>,
    machine: bool,
) {
    if let Some(settings) = &mut settings {
        // Before the connections that need them.
        router.borrow_mut().tunnels.keys = std::mem::take(&mut settings.keys);
    }
    let connections = router.borrow_mut().connections(connections);
    for (number, slice) in connections.chunks(SLICE).enumerate() {
        if number > 0 {
            tokio::task::yield_now().await;
        }
        let mut router = router.borrow_mut();
        let now = router.now();
        router.tunnels.connect(now, slice);
        router.pump();
    }
    let mut router = router.borrow_mut();
    router.settle(settings);
    router.pump();
    let now = router.now();
    router.tunnels.drop_stale_wishes(now);
    router.gather_problems(machine);
}

fn concerns_engine(change: &Change) -> bool {
    matches!(change, Change::Everything | Change::Isakmp | Change::Keys)
}

/// Finds what an earlier daemon left: its policies stay until it is known which of them are still wanted, its SAs go,
/// because their keys and counters died with it, and so does what it was asked for and had not finished.
///
/// # Errors
/// The kernel cannot be asked.
pub async fn adopt(router: &Shared) -> Result<(), KernelError> {
    let kernel = router.borrow().kernel.clone();
    let policies = kernel.dump_policies().await?;
    let sas = kernel.dump_sas().await?;
    let acquires = kernel.dump_acquires().await?;
    let mut router = router.borrow_mut();
    let policies: Vec<PolicySpec> = policies.into_iter().map(|p| p.spec).collect();
    router.hold(&policies);
    router.tunnels.policies.adopt(policies);
    let sas = sas.into_iter().map(|sa| Request::DeleteSa(sa.id));
    let requests: Vec<Request> = sas.chain(acquires).collect();
    if !requests.is_empty() {
        router.tunnels.work.push_back(Work::Kernel {
            requests,
            owner: Owner::Cleanup,
        });
    }
    Ok(())
}

/// Events were lost: tells the engine of SAs that reached a limit meanwhile, and has the kernel ask again for what it was
/// not heard to ask for, which by itself it would not do for a while (`waiting`). True when a child is younger than
/// [`INSTALLING`]: whether its SAs are gone or not there yet cannot be told.
///
/// # Errors
/// The kernel cannot be asked.
pub async fn catch_up(router: &Shared) -> Result<bool, KernelError> {
    let kernel = router.borrow().kernel.clone();
    let sas = kernel.dump_sas().await?;
    let acquires = kernel.dump_acquires().await?;
    let bytes: HashMap<SaId, u64> = sas.into_iter().map(|sa| (sa.id, sa.stats.bytes)).collect();
    let mut router = router.borrow_mut();
    router.tunnels.acquires_lost(acquires);
    let now = router.now();
    let mut young = false;
    for child in router.tunnels.engine.children(now) {
        let installing = now.since(child.installed) < INSTALLING;
        young |= installing;
        if child.replaced || installing {
            continue;
        }
        let limit = child.sa.lifetime.soft_bytes.unwrap_or(u64::MAX);
        for part in &child.sa.protocols {
            let inbound = (child.sa.local, part.inbound_spi);
            let outbound = (child.sa.remote, part.outbound_spi);
            for (destination, spi) in [inbound, outbound].into_iter().filter(|(_, spi)| *spi != 0) {
                let kind = match bytes.get(&sa_id(destination, part.protocol, spi)) {
                    None => Expiry::Hard,
                    Some(bytes) if *bytes >= limit => Expiry::Soft,
                    Some(_) => continue,
                };
                router
                    .tunnels
                    .engine
                    .expire(now, destination, part.protocol, spi, kind);
            }
        }
    }
    router.pump();
    Ok(young)
}

impl Router {
    fn refresh(&mut self, links: Vec<LinkInfo>, addresses: &[AddressInfo]) {
        let before = self.interfaces.clone();
        self.interfaces.refresh(links, addresses, &self.running);
        crate::router::facts::links(&mut self.log, &before, &self.interfaces);
        for text in self.interfaces.take_news() {
            self.notice(Severity::Warnings, "INTERFACE", text);
        }
    }

    /// Links, addresses or routes may have to follow, or names mean other interfaces.
    fn concerns_machine(&self, pending: &Pending) -> bool {
        let concerns = |change: &Change| match change {
            Change::Everything | Change::Interface(_) | Change::Routes => true,
            Change::CryptoMap(_, None) => true,
            Change::CryptoMap(map, Some(_)) => self.is_map_new_or_gone(map),
            _ => false,
        };
        pending.machine || pending.config.iter().any(concerns)
    }

    /// A kept line may name a map that there is now, or is no more.
    fn is_map_new_or_gone(&self, map: &str) -> bool {
        let maps = &self.running.crypto.maps;
        !maps.contains_key(map) || maps.len() != self.tunnels.maps
    }

    /// What is to be planned anew.
    fn dirty(&mut self, pending: &Pending, machine: bool) -> Dirty {
        let mut dirty = Dirty {
            places: machine,
            ..Dirty::default()
        };
        for change in &pending.config {
            match change {
                Change::Everything => dirty.everything = true,
                Change::Ipsec => dirty.places = true,
                Change::CryptoMap(map, None) => {
                    dirty.maps.insert(map.clone());
                }
                Change::CryptoMap(map, Some(sequence)) => {
                    dirty.entries.insert((map.clone(), *sequence));
                }
                Change::AccessList(list) => {
                    dirty.names.insert(Name::AccessList(list).key());
                }
                Change::TransformSet(set) => {
                    dirty.names.insert(Name::TransformSet(set).key());
                }
                _ => {}
            }
        }
        self.tunnels.maps = self.running.crypto.maps.len();
        dirty
    }

    /// It is planned as quickly as a datagram is answered.
    fn is_little(&self, dirty: &Dirty, settings: bool) -> bool {
        let mut keys = self.running.crypto.keys.iter();
        if settings && keys.nth(FEW_KEYS).is_some() {
            return false;
        }
        let source = Gather::new(&self.running, &self.interfaces);
        let cost = self
            .tunnels
            .plan
            .cost(&source, dirty, |map, sequence| source.size(map, sequence));
        cost <= FEW_LINES || (dirty.everything && source.all() <= FEW_LINES)
    }

    /// Forgets what is remembered of flows that are no more; gives all keys whose policies may be others.
    fn begin_to_follow(
        &mut self,
        keys: Vec<PolicyKey>,
        flows: &[FlowName],
        machine: bool,
    ) -> Vec<PolicyKey> {
        let mut keys = keys;
        if machine {
            let interfaces = &self.interfaces;
            let gone = |index| interfaces.by_index(index).is_none();
            keys.extend(self.tunnels.place_held(gone));
        }
        keys.extend(self.tunnels.forget_flows(flows));
        keys
    }

    /// What the engine is to be told of connections.
    fn connections(
        &mut self,
        changed: Vec<(ConnectionId, Option<Arc<Connection>>)>,
    ) -> Vec<(ConnectionId, Option<Arc<Connection>>)> {
        let on = self.running.isakmp_on();
        let was_on = std::mem::replace(&mut self.tunnels.connected, on);
        let all = self.tunnels.plan.connections();
        match (was_on, on) {
            (true, true) => changed,
            (false, true) => all.map(|one| (one.id, Some(Arc::clone(one)))).collect(),
            (true, false) => {
                let all = all.map(|one| one.id);
                let gone = changed.iter().map(|(id, _)| *id);
                all.chain(gone).map(|id| (id, None)).collect()
            }
            (false, false) => Vec::new(),
        }
    }

    /// Gives the engine everything but its connections, if that has changed.
    fn settle(&mut self, settings: Option<Settings>) {
        let Some(Settings {
            engine, problems, ..
        }) = settings
        else {
            return;
        };
        self.tunnels.key_problems = problems;
        let now = self.now();
        self.tunnels.engine.set_settings(now, engine);
    }

    fn gather_problems(&mut self, machine: bool) {
        self.tunnels.gather_problems();
        if machine {
            let routes = network::problems(&self.running, &self.interfaces);
            self.machine_problems = self
                .interfaces
                .problems()
                .into_iter()
                .chain(routes)
                .collect();
        }
    }

    /// Which interfaces check inbound packets, where that has changed.
    fn inbound_checks(&mut self) -> Vec<Request> {
        let overlap = self.tunnels.plan.claims().overlap();
        self.overlap = overlap;
        network::inbound_checks(&self.running, &self.interfaces, overlap, &mut self.network)
    }

    /// Switched off at once.
    fn isakmp_off(&mut self) {
        if !self.running.isakmp_on() {
            self.switch_isakmp(false);
        }
    }

    /// Switched on once the policies are in force.
    fn isakmp_on(&mut self) {
        if self.running.isakmp_on() {
            self.switch_isakmp(true);
        }
    }

    fn switch_isakmp(&mut self, on: bool) {
        if on != self.tunnels.isakmp_on {
            self.tunnels.isakmp_on = on;
            let state = if on { "ON" } else { "OFF" };
            self.log.system(
                "CRYPTO",
                Severity::Informational,
                "ISAKMP_ON_OFF",
                format!("ISAKMP is {state}"),
            );
        }
    }

    /// A way out is closing: the kernel turns its traffic to other ways now, and a link goes down before it is gone. What
    /// the policies of this interface protect is blocked there at once; the next plan keeps that if the interface is gone
    /// and takes it back if it is not.
    pub fn close_elsewhere(&mut self, interface: u32) {
        let policies = &self.tunnels.policies;
        let blocks = policies
            .standing_out(interface)
            .filter(|policy| policy.action != Action::Bypass)
            .map(|policy| PolicySpec {
                key: PolicyKey {
                    interface: ANY_INTERFACE,
                    ..policy.key
                },
                action: Action::Block,
                ..policy
            });
        let is_open = |block: &PolicySpec| {
            let there = policies.standing_under(&block.key);
            let blocked = there.is_some_and(|there| {
                there.action != Action::Bypass && there.priority <= block.priority
            });
            !blocked || !policies.is_wanted(&block.key)
        };
        let blocks: Vec<(PolicySpec, bool)> = blocks
            .map(|block| (block.clone(), is_open(&block)))
            .collect();
        for (block, open) in blocks {
            // Until it is known whether the interface is gone.
            self.tunnels.recheck.insert(block.key);
            if open {
                self.tunnels.policies.want(block);
            }
        }
        self.wake.work.notify_one();
    }
}

#[cfg(test)]
mod leak_tests;
#[cfg(test)]
mod tests;
