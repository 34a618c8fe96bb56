//! What happens to the configuration besides being typed: copies that are kept of it, the log of what was typed, changes
//! that are rolled back unless confirmed, the lock that keeps other sessions out, and the scheduled reload. Sessions ask for these; the
//! router holds one [`Upkeep`].

pub mod archive;
pub mod reload;
pub mod rollback;
#[cfg(test)]
mod tests;
pub mod whole;

use tokio::task::JoinHandle;

use crate::session::scp::Programs;

/// The upkeep of one router.
#[derive(Debug, Default)]
pub struct Upkeep {
    /// The change that waits to be confirmed.
    pub rollback: Option<rollback::Pending>,
    /// The session that alone may configure.
    pub lock: Option<crate::router::lock::Lock>,
    /// The scheduled reload.
    pub reload: Option<reload::Scheduled>,
    /// The copies of the configuration.
    pub archive: archive::Copies,
    /// What operators configured.
    pub config_log: crate::router::config_log::ConfigLog,
    /// The programs behind `scp:`.
    pub programs: Programs,
}

/// A task that ends with its owner.
#[derive(Debug)]
struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}
