//! What the router complains of: what is wrong with the configuration as it is, what the kernel refuses. Called by `reconcile`
//! and `policies`, and by the task that follows changes once they are at rest.

use std::collections::HashSet;

use isthmus_kernel::{Action, KernelError, PolicySpec};

use crate::log::Severity;
use crate::plan::crypto_map::Gather;
use crate::router::Router;
use crate::router::policies::Trouble;

impl Router {
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
    pub(super) fn complain_once(&mut self, text: String) {
        if self.reported.insert(format!("{NETWORK}{text}")) {
            self.notice(Severity::Errors, "INTERFACE", text);
        }
    }

    pub(super) fn network_result(&mut self, text: &str, result: Result<(), KernelError>) {
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
        let source = Gather::new(&self.running, &self.interfaces);
        self.tunnels.plan.line_of(templates.first()?.reqid, &source)
    }
}

/// So many refusals at once are told one by one.
const MOST_TROUBLES: usize = 10;

/// Marks complaints about links, addresses and routes among all that were reported.
const NETWORK: &str = "network: ";
