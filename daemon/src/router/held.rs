//! What the last run protected, while there is no configuration that says what became of it. Made by `reconcile::adopt`
//! from the policies that were found, when `Router::boot` found no startup-config; let go by `reconcile` and `session`.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use isthmus_kernel::{Action, Direction, PolicySpec, Priority, Selector};

use crate::config::startup::{self, StartupError};
use crate::log::Severity;
use crate::router::{Files, Router};

/// Blocks in the place of the last run's policies, behind everything that the running-config asks for.
#[derive(Debug, Default)]
pub struct Held {
    /// Until when what was found is held; `None` when it is not.
    until: Option<Until>,
    policies: Vec<PolicySpec>,
}

/// Until when what the last run protected is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// There is no startup-config: an interface whose crypto map has lines again needs nothing of the last run.
    Mapped,
    /// The startup-config may be cut off: what it does not have may be meant as well, until the operator saves.
    Saved,
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
    /// There is no startup-config and the operator did not erase it, or it may be cut off.
    pub fn expect_to_hold(&mut self, until: Until) {
        self.tunnels.held.until = Some(until);
    }

    /// Blocks what was protected by the policies that were found, if there is no whole startup-config to ask.
    pub fn hold(&mut self, found: &[PolicySpec]) {
        let Some(until) = self.tunnels.held.until else {
            return;
        };
        self.tunnels.held.take(found);
        let count = self.tunnels.held.policies.len();
        if count > 0 {
            let mapped = match until {
                Until::Mapped => "a crypto map is applied to its interface, or ",
                Until::Saved => "",
            };
            let text = format!(
                "What the last run protected and no line asks for stays blocked ({count} policies) until {mapped}\"write \
                 erase\" or \"write memory\" says that it needs no protection"
            );
            self.log.system("CRYPTO", Severity::Warnings, "HELD", text);
        }
    }

    /// Interfaces whose crypto map has lines again need nothing of the last run. Called when the configuration has been at
    /// rest for a while, so that nothing is let go in the middle of a paste.
    pub fn release_held(&mut self) {
        if self.tunnels.held.is_empty() || self.tunnels.held.until == Some(Until::Saved) {
            return;
        }
        let mapped = self.tunnels.plan.interfaces();
        let before = self.tunnels.held.policies.len();
        self.tunnels.held.release(&mapped);
        if self.tunnels.held.policies.len() != before {
            self.pending.machine = true;
            self.wake.reconcile.notify_one();
            self.reconcile.asked += 1;
        }
    }
}

impl Router {
    /// The operator said what the startup-config is, by saving or by erasing it: nothing of the last run is held any more.
    pub fn startup_decided(&mut self) {
        if !self.tunnels.held.is_empty() {
            self.tunnels.held = Held::default();
            self.pending.machine = true;
            self.reconcile.asked += 1;
            self.wake.reconcile.notify_one();
        }
    }
}

/// Saves a text as startup-config. From before it is there, the router no longer counts as erased: a crash in between
/// leaves more blocked than need be, never less. The work of one job for the disk.
///
/// # Errors
/// The file is as it was.
pub fn save(files: &Files, text: &str) -> Result<(), StartupError> {
    let mark = mark(&files.state);
    startup::remove_if_there(&mark).map_err(StartupError::new("remove", &mark))?;
    startup::save(&files.config, text)
}

/// Erases startup-config, and then keeps in mind that the operator did. The work of one job for the disk; answers what
/// hinders the second.
///
/// # Errors
/// The file is still there.
pub fn erase(files: &Files) -> Result<io::Result<()>, StartupError> {
    startup::erase(&files.config)?;
    Ok(startup::replace(&mark(&files.state), b""))
}

/// Whether the operator erased startup-config and has saved none since.
#[must_use]
pub fn was_erased(state: &Path) -> bool {
    mark(state).exists()
}

fn mark(state: &Path) -> PathBuf {
    state.join("startup-config-erased")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_saved_is_never_beside_the_mark_of_what_was_erased() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files {
            config: folder.path().join("startup-config"),
            state: folder.path().join("state"),
        };
        save(&files, "one\n").unwrap();
        assert!(!was_erased(&files.state));
        erase(&files).unwrap().unwrap();
        assert!(was_erased(&files.state) && !files.config.exists());
        // A save that comes to its end only half way.
        let fresh = folder.path().join("startup-config.new");
        fs::create_dir(&fresh).unwrap();
        save(&files, "two\n").unwrap_err();
        assert!(!was_erased(&files.state) && !files.config.exists());
        fs::remove_dir(&fresh).unwrap();
        // A mark that cannot be removed.
        fs::create_dir(mark(&files.state)).unwrap();
        let error = save(&files, "two\n").unwrap_err().to_string();
        assert!(error.contains("startup-config-erased"), "{error}");
        assert!(!files.config.exists());
        fs::remove_dir(mark(&files.state)).unwrap();
        save(&files, "two\n").unwrap();
        assert_eq!(fs::read_to_string(&files.config).unwrap(), "two\n");
        // A mark that cannot be made.
        fs::create_dir(mark(&files.state)).unwrap();
        assert!(erase(&files).unwrap().is_err());
        assert!(!files.config.exists());
    }
}
