//! What the last run protected, while there is no configuration that says what became of it. Made by `reconcile::adopt`
//! from the policies that were found, when `Router::boot` found no startup-config; let go by `reconcile` and `session`.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use isthmus_kernel::{Action, Direction, PolicySpec, Priority, Selector};

use crate::config::startup;
use crate::log::Severity;
use crate::router::{Router, Shared};

/// Blocks in the place of the last run's policies, behind everything that the running-config asks for.
#[derive(Debug, Default)]
pub struct Held {
    /// There is no startup-config: what is found is to be held.
    expected: bool,
    policies: Vec<PolicySpec>,
}

impl Held {
    /// The policies.
    pub fn policies(&self) -> impl Iterator<Item = &PolicySpec> {
        self.policies.iter()
    }

    /// Nothing is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// Keeps the order of what was found, and drops what was protected.
    fn take(&mut self, found: &[PolicySpec]) {
        let mut found: Vec<&PolicySpec> = found.iter().collect();
        found.sort_by_key(|policy| policy.priority);
        let protects = |policy: &&PolicySpec| policy.action != Action::Bypass;
        if !found.iter().any(protects) {
            return;
        }
        let count = u32::try_from(found.len()).unwrap_or(Priority::MAX_RANK);
        let first = Priority::MAX_RANK.saturating_sub(count);
        let ranks = first..=Priority::MAX_RANK;
        self.policies = found
            .into_iter()
            .zip(ranks)
            .map(|(policy, rank)| PolicySpec {
                key: policy.key,
                priority: Priority::line(rank),
                action: match policy.action {
                    Action::Bypass => Action::Bypass,
                    Action::Protect(_) | Action::Block => Action::Block,
                },
            })
            .collect();
    }

    /// Lets go of what left by these interfaces (kernel indexes), and of the way back.
    fn release(&mut self, interfaces: &HashSet<u32>) {
        let out = |policy: &PolicySpec| policy.key.direction == Direction::Out;
        self.policies
            .retain(|policy| !out(policy) || !interfaces.contains(&policy.key.interface));
        let left: HashSet<Selector> = self
            .policies
            .iter()
            .filter(|policy| out(policy))
            .map(|policy| policy.key.selector)
            .collect();
        self.policies.retain(|policy| {
            let selector = policy.key.selector;
            out(policy) || left.contains(&selector.reversed()) || left.contains(&selector)
        });
    }
}

impl Router {
    /// There is no startup-config, and the operator did not erase it.
    pub fn expect_to_hold(&mut self) {
        self.held.expected = true;
    }

    /// Blocks what was protected by the policies that were found, if there is no startup-config to ask.
    pub fn hold(&mut self, found: &[PolicySpec]) {
        if !std::mem::take(&mut self.held.expected) {
            return;
        }
        self.held.take(found);
        let count = self.held.policies.len();
        if count > 0 {
            let text = format!(
                "What the last run protected stays blocked ({count} policies) until a crypto map is applied to its interface, \
                 or \"write erase\" or \"write memory\" says that it needs no protection"
            );
            self.log.system("CRYPTO", Severity::Warnings, "HELD", text);
        }
    }

    /// Interfaces whose crypto map has lines again need nothing of the last run. Called when the configuration has been at
    /// rest for a while, so that nothing is let go in the middle of a paste.
    pub fn release_held(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let asked = self.plan.flows.values().map(|flow| flow.interface);
        let fixed = self.plan.fixed.iter().map(|policy| policy.key.interface);
        let mapped: HashSet<u32> = asked.chain(fixed).filter(|index| *index != 0).collect();
        let before = self.held.policies.len();
        self.held.release(&mapped);
        if self.held.policies.len() != before {
            self.wake.reconcile.notify_one();
            self.following.asked += 1;
        }
    }
}

/// The operator said what the startup-config is, by saving or by erasing it: nothing of the last run is held any more.
pub async fn startup_decided(router: &Shared, erased: bool) {
    let written = {
        let router = router.borrow();
        let mark = mark(&router.files.state);
        router.disk.run(move || match erased {
            true => startup::replace(&mark, b""),
            false => remove(&mark),
        })
    };
    let outcome = match written.await {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(lost) => Err(lost.to_string()),
    };
    let mut router = router.borrow_mut();
    if let Err(error) = outcome {
        let text = format!("cannot keep in mind that startup-config was erased: {error}");
        router.notice(Severity::Errors, "STARTUP", text);
    }
    if !router.held.is_empty() {
        router.held = Held::default();
        router.following.asked += 1;
        router.wake.reconcile.notify_one();
    }
}

/// Whether the operator erased startup-config and has saved none since.
#[must_use]
pub fn was_erased(state: &Path) -> bool {
    mark(state).exists()
}

fn mark(state: &Path) -> PathBuf {
    state.join("startup-config-erased")
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
