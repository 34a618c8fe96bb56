//! Makes engine and kernel what the running-config says. Run by a task of `run` whenever the configuration or an
//! interface changed.
//!
//! Policies come before links and routes, so that nothing leaves in clear before they stand. Only differences are
//! asked of the kernel; a tunnel whose entry did not change is not touched.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ike::Expiry;
use isthmus_kernel::{
    Action, AddressInfo, Direction, KernelError, PolicyKey, PolicySpec, Request, SaId,
};

use crate::config::encrypt;
use crate::log::Severity;
use crate::machine::disk::Lost;
use crate::machine::interfaces::{ToKeep, store};
use crate::plan;
use crate::plan::child::sa_id;
use crate::plan::network;
use crate::router::policies::{Trouble, enforce};
use crate::router::work::{Owner, Work};
use crate::router::{Router, Shared};

/// A child may be that young and not all of it in the kernel yet.
pub const INSTALLING: Duration = Duration::from_secs(5);

/// Does it once and logs what is wrong with the configuration.
///
/// # Errors
/// The kernel cannot be asked for what it has.
pub async fn reconcile(router: &Shared) -> Result<(), KernelError> {
    let outcome = follow(router).await;
    router.borrow_mut().report();
    outcome
}

/// Does it once and keeps what is wrong for [`Router::report`]: in the middle of a change much is wrong for a moment.
///
/// # Errors
/// The kernel cannot be asked for what it has.
pub async fn follow(router: &Shared) -> Result<(), KernelError> {
    let addresses = refresh(router).await?;
    router.borrow_mut().plan();
    enforce(router).await;
    router.borrow_mut().isakmp_on();
    let requests = network_requests(router, &addresses).await?;
    if requests.is_empty() {
        return Ok(());
    }
    let kernel = router.borrow().kernel.clone();
    let texts: Vec<String> = requests.iter().map(ToString::to_string).collect();
    let results = kernel.submit(requests).await;
    refresh(router).await?;
    {
        let mut router = router.borrow_mut();
        for (text, result) in texts.iter().zip(results) {
            router.network_result(text, result);
        }
        router.plan();
    }
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
    let Router {
        running,
        interfaces,
        network,
        tunnels,
        ..
    } = &mut *router;
    let mut requests =
        network::inbound_checks(running, interfaces, tunnels.plan.overlaps(), network);
    let actual = network::Actual {
        table: interfaces,
        addresses,
        routes: &routes,
    };
    requests.extend(network::requests(running, actual, network));
    Ok(requests)
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
    fn refresh(&mut self, links: Vec<isthmus_kernel::LinkInfo>, addresses: &[AddressInfo]) {
        let before = self.interfaces.clone();
        self.interfaces.refresh(links, addresses, &self.running);
        crate::router::facts::links(&mut self.log, &before, &self.interfaces);
        for text in self.interfaces.take_news() {
            self.notice(Severity::Warnings, "INTERFACE", text);
        }
    }

    /// Works out what the crypto maps ask for, tells the engine and asks the kernel for the difference.
    pub fn plan(&mut self) {
        self.isakmp_off();
        let gathered = plan::crypto_map::entries(&self.running, &self.interfaces);
        let plan = plan::flows::plan(&gathered.entries, &mut self.tunnels.names);
        let old = std::mem::replace(&mut self.tunnels.plan, Arc::new(plan));
        let unchanged = |name: &plan::flows::FlowName| {
            let (old, new) = (old.flows.get(name), self.tunnels.plan.flows.get(name));
            old.zip(new)
                .is_some_and(|(old, new)| old.shape == new.shape)
        };
        self.tunnels.shapes.retain(|name, _| unchanged(name));
        self.tunnels
            .carried
            .retain(|name, _| self.tunnels.plan.flows.contains_key(name));
        self.tunnels.problems = gathered
            .problems
            .into_iter()
            .chain(self.tunnels.plan.problems.clone())
            .chain(self.tunnels.policies.complaints().cloned())
            .chain(
                encrypt::unusable(&self.running).map(|(peer, why)| encrypt::complaint(peer, why)),
            )
            .collect();
        self.machine_problems = self
            .interfaces
            .problems()
            .into_iter()
            .chain(network::problems(&self.running, &self.interfaces))
            .collect();
        let mut config = plan::engine::config(&self.running);
        config.connections = if self.running.isakmp_on() {
            self.tunnels
                .plan
                .connections
                .iter()
                .map(Arc::clone)
                .collect()
        } else {
            Vec::new()
        };
        let now = self.now();
        let wanted = self.desired_policies();
        self.tunnels.policies.want_all(wanted);
        self.tunnels.keys = plan::engine::keys(&self.running);
        self.tunnels.engine.set_config(now, config);
        self.pump();
        self.tunnels.drop_stale_wishes(now);
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

    /// Logs complaints that are new; those that no longer hold may be logged again later.
    pub fn report(&mut self) {
        let crypto = self.tunnels.problems.iter().map(|text| ("CRYPTO", text));
        let machine = self.machine_problems.iter().map(|text| ("SYS", text));
        let present: Vec<(&'static str, String)> = crypto
            .chain(machine)
            .map(|(facility, text)| (facility, text.clone()))
            .collect();
        let texts: HashSet<&String> = present.iter().map(|(_, text)| text).collect();
        self.reported
            .retain(|text| text.starts_with(NETWORK) || texts.contains(text));
        for (facility, text) in present {
            if self.reported.insert(text.clone()) {
                self.complaints.add(text.clone());
                self.log
                    .system(facility, Severity::Warnings, "CONFIG_PROBLEM", text);
            }
        }
    }

    /// Logs that the kernel refused something.
    fn refused(&mut self, error: &KernelError) {
        self.complaints.add(error.to_string());
        self.notice(Severity::Errors, "KERNEL", error.to_string());
    }

    /// Logs an error of the machine unless it was logged before.
    fn complain_once(&mut self, text: String) {
        if self.reported.insert(format!("{NETWORK}{text}")) {
            self.notice(Severity::Errors, "INTERFACE", text);
        }
    }

    fn network_result(&mut self, text: &str, result: Result<(), KernelError>) {
        let prefix = format!("{NETWORK}{text}:");
        match result {
            Ok(()) => {
                let known = self.reported.range(prefix.clone()..);
                let known = known.take_while(|known| known.starts_with(&prefix));
                for gone in known.cloned().collect::<Vec<_>>() {
                    self.reported.remove(&gone);
                }
            }
            Err(error) => {
                if self.reported.insert(format!("{prefix} {error}")) {
                    self.refused(&error);
                }
            }
        }
    }

    /// The policies that the kernel should have. Where two want the same place the first line wins. What is held for an
    /// interface that is gone is blocked on every way out.
    #[must_use]
    pub fn desired_policies(&self) -> HashMap<PolicyKey, PolicySpec> {
        let flows = self.tunnels.plan.flows.iter().flat_map(|(name, flow)| {
            let shape = self.tunnels.shapes.get(name).unwrap_or(&flow.shape);
            flow.policies(shape)
        });
        let mut desired: HashMap<PolicyKey, PolicySpec> = HashMap::new();
        let asked = flows.chain(self.tunnels.plan.fixed.iter().cloned());
        let held = self.tunnels.held.policies().cloned().map(|mut policy| {
            let gone = self.interfaces.by_index(policy.key.interface).is_none();
            if gone && policy.key.direction == Direction::Out && policy.action == Action::Block {
                policy.key.interface = plan::flows::ANY_INTERFACE;
            }
            policy
        });
        for policy in asked.chain(held) {
            match desired.get(&policy.key) {
                Some(known) if known.priority <= policy.priority => {}
                _ => {
                    desired.insert(policy.key, policy);
                }
            }
        }
        desired
    }

    /// Says what the kernel refused and what became of it.
    pub fn tell_troubles(&mut self, troubles: Vec<Trouble>) {
        if !troubles.is_empty() {
            self.wake.refused.notify_one();
        }
        let more = troubles.len().saturating_sub(MOST_TROUBLES);
        for trouble in troubles.into_iter().take(MOST_TROUBLES) {
            let (severity, mnemonic, text) = self.trouble(&trouble);
            if let Some(key) = trouble.refused() {
                self.tunnels.policies.told(key, &text);
                self.tunnels.problems.insert(text.clone());
                self.reported.insert(text.clone());
            }
            self.log.system("CRYPTO", severity, mnemonic, text);
        }
        if more > 0 {
            let text = format!("{more} more policies were refused; show logging has the first");
            self.log
                .system("CRYPTO", Severity::Errors, "POLICY_REFUSED", text);
        }
    }

    /// A way out is closing: the kernel turns its traffic to other ways now, and a link goes down before it is gone. What
    /// the policies of this interface protect is blocked there at once; the next plan keeps that if the interface is gone
    /// and takes it back if it is not.
    pub fn close_elsewhere(&mut self, interface: u32) {
        let blocks: Vec<PolicySpec> = self
            .tunnels
            .policies
            .standing()
            .values()
            .filter(|policy| {
                let key = &policy.key;
                key.interface == interface
                    && key.direction == Direction::Out
                    && policy.action != Action::Bypass
            })
            .map(|policy| PolicySpec {
                key: PolicyKey {
                    interface: plan::flows::ANY_INTERFACE,
                    ..policy.key
                },
                action: Action::Block,
                ..policy.clone()
            })
            .filter(|block| {
                let there = self.tunnels.policies.standing().get(&block.key);
                there.is_none_or(|there| there.action == Action::Bypass)
            })
            .collect();
        if blocks.is_empty() {
            return;
        }
        for block in blocks {
            self.tunnels.policies.want(block);
        }
        self.wake.work.notify_one();
    }

    fn trouble(&self, trouble: &Trouble) -> (Severity, &'static str, String) {
        const REFUSED: &str = "POLICY_REFUSED";
        let line = |wanted: &PolicySpec| {
            self.line_of(wanted)
                .unwrap_or_else(|| "crypto map".to_owned())
        };
        match trouble {
            Trouble::Blocked { wanted, why } => (
                Severity::Errors,
                REFUSED,
                format!("{}: {why}; its traffic is dropped", line(wanted)),
            ),
            Trouble::Open { wanted, why } => (
                Severity::Critical,
                REFUSED,
                format!(
                    "{}: {why}; the kernel takes no policy that drops its traffic either: it may leave in clear until it does",
                    line(wanted)
                ),
            ),
            Trouble::Foreign { wanted, why } => (
                Severity::Errors,
                REFUSED,
                format!(
                    "{}: {why}; that policy decides what becomes of its traffic",
                    line(wanted)
                ),
            ),
            Trouble::NotExempt { wanted, why } => (
                Severity::Errors,
                REFUSED,
                format!("{}: {why}; its traffic is not exempt", line(wanted)),
            ),
            Trouble::Stays { key, why } => (
                Severity::Errors,
                REFUSED,
                format!("the policy {key} stays: {why}"),
            ),
            Trouble::Recovered { wanted } => (
                Severity::Notifications,
                "POLICY_SET",
                format!(
                    "{}: the kernel has taken its policy {}",
                    line(wanted),
                    wanted.key
                ),
            ),
        }
    }

    /// The line of the running-config that a policy is for.
    fn line_of(&self, policy: &PolicySpec) -> Option<String> {
        let Action::Protect(templates) = &policy.action else {
            return None;
        };
        let reqid = templates.first()?.reqid;
        let mut names = self.tunnels.plan.by_reqid.iter();
        let (_, name) = names.find(|((known, _), _)| *known == reqid)?;
        let mut connections = self.tunnels.plan.connections.iter();
        let entry = connections.find(|connection| connection.id == name.0)?;
        let (map, sequence) = entry.origin.map_entry()?;
        let gathered = plan::crypto_map::entries(&self.running, &self.interfaces).entries;
        let found = gathered
            .into_iter()
            .find(|found| found.map == map && u32::from(found.sequence) == sequence)?;
        let line = found.rules.get(self.tunnels.plan.flows.get(name)?.rule)?;
        Some(line.place(&found.access_list, &found.name()))
    }
}

/// So many refusals at once are told one by one.
const MOST_TROUBLES: usize = 10;

/// Marks complaints about links, addresses and routes among all that were reported.
const NETWORK: &str = "network: ";
