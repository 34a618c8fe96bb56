//! The router: everything one `isthmusd` owns besides its sockets.
//!
//! There is one, in a `RefCell` that nobody holds across an await: the tasks of `run` and the sessions borrow it for as
//! long as it takes to change something, and wake each other through [`Wake`].
//!
//! What happens to a configuration line: a session gives it to `config::apply`, which changes [`Router::running`] only;
//! [`Router::configured`] then wakes `reconcile`, which works out what follows for engine and kernel and makes the difference.

pub mod change_control;
pub mod complaints;
pub mod config_log;
pub mod counters;
pub mod facts;
pub mod failure;
pub mod held;
pub mod lock;
pub mod policies;
pub mod reconcile;
mod report;
pub mod tunnels;
pub mod waiting;
pub mod wake;
pub mod work;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use ike::Instant;
use isthmus_kernel::{Acquire, Kernel};
use jiff::tz::TimeZone;
use tokio::sync::oneshot;

use crate::clock::{self, Clock};
use crate::config::model::{Change, Running};
use crate::config::{Current, encrypt};
use crate::debug::Debugging;
use crate::log::{Log, Severity};
use crate::machine::disk::Disk;
use crate::machine::interfaces::InterfaceTable;
use crate::machine::load::Meter;
use crate::machine::outside::Outside;
use crate::operators::Sessions;
use crate::plan::network;
use crate::router::change_control::ChangeControl;
use crate::router::complaints::Complaints;
use crate::router::reconcile::Pending;
use crate::router::tunnels::Tunnels;
use crate::router::wake::{ReconcileState, Wake};
use crate::router::work::Work;
use crate::storage::scp::Programs;

/// The router as its tasks share it.
pub type Shared = Rc<RefCell<Router>>;

/// Where files are.
#[derive(Debug, Clone)]
pub struct Files {
    /// startup-config.
    pub config: PathBuf,
    /// What survives a restart.
    pub state: PathBuf,
}

/// Everything one daemon owns besides its sockets.
pub struct Router {
    /// Wall clock and uptime.
    pub clock: Clock,
    /// The log.
    pub log: Log,
    /// Which debugging is on.
    pub debugging: Debugging,
    /// Where files are.
    pub files: Files,
    /// Who works on them.
    pub disk: Disk,
    /// Who does what must not be done within the sandbox.
    pub outside: Outside,
    /// What the operator configured.
    pub running: Current,
    /// What the kernel has for interfaces.
    pub interfaces: InterfaceTable,
    /// What links, addresses and routes need remembered.
    pub network: network::Memory,
    /// The kernel.
    pub kernel: Kernel,
    /// The tunnels.
    pub tunnels: Tunnels,
    /// What is wrong with what the configuration asks of interfaces and routes.
    pub machine_problems: BTreeSet<String>,
    /// What was complained of lately.
    pub complaints: Complaints,
    /// Complaints that were logged already and still hold.
    pub reported: BTreeSet<String>,
    /// How busy the machine was lately.
    pub load: Meter,
    /// The Linux users who may do everything: root and the daemon's own.
    pub trusted_uids: Vec<u32>,
    /// Who is logged in.
    pub sessions: Sessions,
    /// What happens to the configuration over time.
    pub change_control: ChangeControl,
    /// The programs behind `scp:`.
    pub programs: Programs,
    /// Packets from inside could look like a peer's, as the interfaces were last told.
    pub(crate) overlap: bool,
    /// What has changed that engine and kernel do not follow yet.
    pub pending: Pending,
    /// How far they follow the running-config.
    pub reconcile: ReconcileState,
    /// Ways to wake the tasks.
    pub wake: Wake,
    /// Why the daemon is to stop, once it is.
    pub stop: Option<Stop>,
}

/// Why the daemon stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The system asks for it.
    Signal,
    /// `reload`: start again.
    Reload,
}

/// Waits until engine and kernel have what the running-config asks and all work queued so far is carried out: what an
/// operator types next, or sends through the router, meets the change whole. Returns at once where nothing follows.
pub async fn settled(router: &Shared) {
    let (goal, wake) = {
        let router = router.borrow();
        if !router.reconcile.on {
            return;
        }
        (router.reconcile.asked, router.wake.clone())
    };
    while router.borrow().reconcile.done < goal {
        let reconciled = wake.reconciled.notified();
        wake.reconcile_now.notify_one();
        reconciled.await;
    }
    let (sender, reached) = oneshot::channel();
    router
        .borrow_mut()
        .tunnels
        .work
        .push_back(Work::Reached(sender));
    wake.work.notify_one();
    // The other end goes only with the daemon.
    let _ = reached.await;
}

impl Router {
    /// A router without configuration.
    #[must_use]
    pub fn new(
        clock: Clock,
        log: Log,
        files: Files,
        kernel: Kernel,
        interfaces: InterfaceTable,
    ) -> Self {
        let wake = Wake::default();
        let tunnels = Tunnels::new(kernel.clone(), wake.clone());
        Self {
            clock,
            log,
            debugging: Debugging::default(),
            files,
            running: Current::default(),
            disk: Disk::default(),
            outside: Outside::default(),
            interfaces,
            network: network::Memory::default(),
            kernel,
            tunnels,
            machine_problems: BTreeSet::new(),
            complaints: Complaints::default(),
            reported: BTreeSet::new(),
            load: Meter::default(),
            trusted_uids: vec![0, nix::unistd::geteuid().as_raw()],
            sessions: Sessions::default(),
            change_control: ChangeControl::default(),
            programs: Programs::default(),
            overlap: false,
            pending: Pending::default(),
            reconcile: ReconcileState::default(),
            wake,
            stop: None,
        }
    }

    /// The engine's present moment.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::from_millis(self.clock.millis())
    }

    /// The running-config changed: everything that follows from it is to be done.
    pub fn configured(&mut self) {
        let changes = self.running.take_changes();
        if changes.contains(&Change::Everything) {
            encrypt::settle(&mut self.running);
        }
        if changes.iter().any(Change::is_for_operators) {
            self.follow_log();
            let log = self.running.archive_log();
            self.change_control.config_log.configure(log);
            self.wake.archive.notify_one();
        }
        if changes.iter().any(Change::is_for_consoles) {
            self.sessions.commands_changed();
        }
        if changes.iter().any(Change::is_for_packets) {
            self.pending.config.extend(changes);
            self.reconcile.asked += 1;
            self.wake.reconcile.notify_one();
        }
    }

    /// Somebody changed the running-config: it says who and when, and everything that follows is to be done.
    pub fn changed_by(&mut self, user: &str) {
        let now = self.clock.zoned();
        self.running.mark_changed(now, user);
        self.configured();
    }

    /// Puts another running-config in the place of this one; the master key is nobody's line and stays.
    pub fn replace_running(&mut self, mut running: Running) {
        running.master = self.running.master.take();
        self.running = running.into();
    }

    /// Links or addresses changed, maybe.
    pub fn machine_changed(&mut self) {
        self.pending.machine = true;
        self.wake.reconcile.notify_one();
    }

    /// Gives log and clock what the running-config says of them.
    fn follow_log(&mut self) {
        let zone = clock::zone(
            self.running.timezone.as_ref(),
            self.running.summer_time.as_ref(),
        );
        // Whatever would be refused was refused when it was configured.
        let zone = zone.unwrap_or(TimeZone::UTC);
        self.clock.set_zone(zone.clone());
        self.log.set_zone(zone);
        self.log.configure(crate::log::settings(&self.running));
    }

    /// Debugging was switched: the engine makes debug facts only while a session or the log shows them.
    pub fn debugging_changed(&mut self) {
        self.tunnels.engine.set_debug(self.debugging.any());
    }

    /// A datagram came.
    pub fn datagram(&mut self, local: SocketAddr, remote: SocketAddr, bytes: &[u8]) {
        let now = self.now();
        self.tunnels.datagram(now, local, remote, bytes);
        self.tell_facts();
    }

    /// Traffic waits for a tunnel.
    pub fn acquire(&mut self, acquire: Acquire) {
        let now = self.now();
        self.tunnels.acquire(now, acquire);
        self.tell_facts();
    }

    /// Does what the engine has due, then tells how long until there is more to do.
    pub fn until_timeout(&mut self) -> Option<Duration> {
        let left = self.tunnels.until_timeout(self.now());
        self.tell_facts();
        left
    }

    /// Carries the engine's outputs over into work and log.
    pub fn pump(&mut self) {
        self.tunnels.pump(self.now());
        self.tell_facts();
    }

    /// Logs what the engine has told.
    fn tell_facts(&mut self) {
        for fact in self.tunnels.take_facts() {
            crate::debug::fact(&mut self.log, &self.debugging, &self.tunnels.plan, &fact);
            let trouble = facts::key_trouble(&fact, &self.running);
            self.tunnels.remember(&fact, &trouble, self.clock.zoned());
            let sessions = self.running.crypto.log_sessions;
            if let Some(message) = facts::message(&fact, &trouble, sessions) {
                self.log.write(&message);
            }
        }
    }

    /// Logs a system message of the router itself.
    pub fn notice(&mut self, severity: Severity, mnemonic: &'static str, text: impl Into<String>) {
        self.log.system("SYS", severity, mnemonic, text);
    }

    /// Asks the daemon to stop.
    pub fn stop(&mut self, why: Stop) {
        self.stop.get_or_insert(why);
        self.wake.stop.notify_one();
    }
}
