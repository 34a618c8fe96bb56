//! Makes engine and kernel what the running-config says. Run by a task of `run` whenever the configuration or an
//! interface changed.
//!
//! Policies come before links and routes, so that nothing leaves in clear before they stand. Only differences are
//! asked of the kernel; a tunnel whose entry did not change is not touched.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ike::Expiry;
use isthmus_kernel::{
    Action, AddressInfo, ErrorKind, KernelError, PolicyKey, PolicySpec, Request, SaId,
};

use crate::config::encrypt;
use crate::log::Severity;
use crate::network;
use crate::router::{Owner, Router, Shared, Work};
use crate::translate;
use crate::translate::child::sa_id;

/// A child may be that young and not all of it in the kernel yet.
const INSTALLING: Duration = Duration::from_secs(5);

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
    let requests = network_requests(router, &addresses).await?;
    if requests.is_empty() {
        return Ok(());
    }
    let kernel = router.borrow().kernel.clone();
    let texts: Vec<String> = requests.iter().map(ToString::to_string).collect();
    let results = kernel.submit(requests).await;
    refresh(router).await?;
    let mut router = router.borrow_mut();
    for (text, result) in texts.iter().zip(results) {
        router.network_result(text, result);
    }
    router.plan();
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
    Ok(addresses)
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
        plan,
        ..
    } = &mut *router;
    let mut requests = network::inbound_checks(running, interfaces, plan.overlaps(), network);
    let actual = network::Actual {
        table: interfaces,
        addresses,
        routes: &routes,
    };
    requests.extend(network::requests(running, actual, network));
    Ok(requests)
}

/// Finds what an earlier daemon left: its policies stay until it is known which of them are still wanted, its SAs go,
/// because their keys and counters died with it.
///
/// # Errors
/// The kernel cannot be asked.
pub async fn adopt(router: &Shared) -> Result<(), KernelError> {
    let kernel = router.borrow().kernel.clone();
    let policies = kernel.dump_policies().await?;
    let sas = kernel.dump_sas().await?;
    let mut router = router.borrow_mut();
    router.policies = policies.into_iter().map(|p| (p.spec.key, p.spec)).collect();
    let requests: Vec<Request> = sas.into_iter().map(|sa| Request::DeleteSa(sa.id)).collect();
    if !requests.is_empty() {
        router.work.push_back(Work::Kernel {
            requests,
            owner: Owner::Cleanup,
        });
    }
    Ok(())
}

/// Events were lost: tells the engine of SAs that reached a limit meanwhile. Lost acquires come again by themselves.
///
/// # Errors
/// The kernel cannot be asked.
pub async fn catch_up(router: &Shared) -> Result<(), KernelError> {
    let kernel = router.borrow().kernel.clone();
    let sas = kernel.dump_sas().await?;
    let bytes: HashMap<SaId, u64> = sas.into_iter().map(|sa| (sa.id, sa.stats.bytes)).collect();
    let mut router = router.borrow_mut();
    let now = router.now();
    for child in router.engine.children(now) {
        if child.replaced || now.since(child.installed) < INSTALLING {
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
                    .engine
                    .expire(now, destination, part.protocol, spi, kind);
            }
        }
    }
    router.pump();
    Ok(())
}

impl Router {
    fn refresh(&mut self, links: Vec<isthmus_kernel::LinkInfo>, addresses: &[AddressInfo]) {
        let before = self.interfaces.clone();
        let configured = self.running.interfaces.iter().map(|(name, _)| name);
        self.interfaces.refresh(links, addresses, configured);
        crate::record::links(&mut self.log, &before, &self.interfaces);
    }

    /// Works out what the crypto maps ask for, tells the engine and asks the kernel for the difference.
    pub fn plan(&mut self) {
        self.isakmp();
        let gathered = translate::gather::entries(&self.running, &self.interfaces);
        let plan = translate::plan::plan(&gathered.entries, &mut self.names);
        let old = std::mem::replace(&mut self.plan, Arc::new(plan));
        let unchanged = |name: &translate::plan::FlowName| {
            let (old, new) = (old.flows.get(name), self.plan.flows.get(name));
            old.zip(new)
                .is_some_and(|(old, new)| old.shape == new.shape)
        };
        self.shapes.retain(|name, _| unchanged(name));
        self.waiting
            .retain(|name, _| self.plan.flows.contains_key(name));
        self.carried
            .retain(|name, _| self.plan.flows.contains_key(name));
        self.problems = gathered
            .problems
            .into_iter()
            .chain(self.plan.problems.clone())
            .chain(
                encrypt::unusable(&self.running).map(|(peer, why)| encrypt::complaint(peer, why)),
            )
            .collect();
        let mut config = translate::engine::config(&self.running);
        config.connections = if self.isakmp_on {
            self.plan.connections.iter().map(Arc::clone).collect()
        } else {
            Vec::new()
        };
        let now = self.now();
        self.policy_difference();
        self.engine.set_config(now, config);
        self.pump();
    }

    fn isakmp(&mut self) {
        let on = self.running.isakmp_on();
        if on != self.isakmp_on {
            self.isakmp_on = on;
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
        let Self {
            problems,
            reported,
            log,
            ..
        } = self;
        let present: HashSet<&String> = problems.iter().collect();
        reported.retain(|text| text.starts_with(NETWORK) || present.contains(text));
        for problem in problems.iter() {
            if !reported.contains(problem) {
                reported.insert(problem.clone());
                let text = problem.clone();
                log.system("CRYPTO", Severity::Warnings, "CONFIG_PROBLEM", text);
            }
        }
    }

    fn network_result(&mut self, text: &str, result: Result<(), KernelError>) {
        match result {
            Ok(()) => self
                .reported
                .retain(|known| !known.starts_with(&format!("{NETWORK}{text}:"))),
            Err(error) => {
                let key = format!("{NETWORK}{text}: {error}");
                if self.reported.insert(key) {
                    self.notice(Severity::Errors, "KERNEL", error.to_string());
                }
            }
        }
    }

    /// The policies that the kernel should have. Where two want the same place the first line wins.
    #[must_use]
    pub fn desired_policies(&self) -> HashMap<PolicyKey, PolicySpec> {
        let flows = self.plan.flows.iter().flat_map(|(name, flow)| {
            let shape = self.shapes.get(name).unwrap_or(&flow.shape);
            flow.policies(shape)
        });
        let mut desired: HashMap<PolicyKey, PolicySpec> = HashMap::new();
        for policy in flows.chain(self.plan.fixed.iter().cloned()) {
            match desired.get(&policy.key) {
                Some(known) if known.priority <= policy.priority => {}
                _ => {
                    desired.insert(policy.key, policy);
                }
            }
        }
        desired
    }

    fn policy_difference(&mut self) {
        let desired = self.desired_policies();
        let mut requests: Vec<Request> = desired
            .values()
            .filter(|policy| self.policies.get(&policy.key) != Some(policy))
            .cloned()
            .map(Request::SetPolicy)
            .collect();
        // Protection first: while both old and new policies stand, no packet finds neither.
        requests.sort_by_key(|request| match request {
            Request::SetPolicy(policy) => {
                (matches!(policy.action, Action::Bypass), policy.priority)
            }
            _ => (true, isthmus_kernel::Priority::line(u32::MAX)),
        });
        let gone = self
            .policies
            .keys()
            .filter(|key| !desired.contains_key(key));
        requests.extend(gone.map(|key| Request::DeletePolicy(*key)));
        self.policies = desired;
        if !requests.is_empty() {
            self.work.push_back(Work::Kernel {
                requests,
                owner: Owner::Policies,
            });
        }
    }

    /// A policy could not be set or deleted.
    pub fn policy_failed(&mut self, request: &Request, error: &KernelError) {
        match request {
            Request::SetPolicy(policy) => {
                self.policies.remove(&policy.key);
            }
            Request::DeletePolicy(_) if error.kind == ErrorKind::NotFound => return,
            _ => {}
        }
        self.notice(Severity::Errors, "KERNEL", error.to_string());
    }
}

/// Marks complaints about links, addresses and routes among all that were reported.
const NETWORK: &str = "network: ";
