//! The router: everything one `isthmusd` owns besides its sockets, and how the engine's outputs become work.
//!
//! There is one, in a `RefCell` that nobody holds across an await: the tasks of `run` and the sessions borrow it for as
//! long as it takes to change something, and wake each other through [`Wake`].
//!
//! What happens to a configuration line: a session gives it to `config::apply`, which changes [`Router::running`] only;
//! [`Router::configured`] then wakes `reconcile`, which works out from the whole running-config what engine and kernel
//! should have and makes the difference.

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
pub mod waiting;
pub mod wake;
pub mod work;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ike::child::{ChildSa, Direction};
use ike::{Endpoint, Instant, Output};
use isthmus_kernel::{Kernel, Request, SaId, SaStats};
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
use crate::plan::child;
use crate::plan::flows::{FlowName, Names, Plan, Shape};
use crate::plan::network;
use crate::router::change_control::ChangeControl;
use crate::router::complaints::Complaints;
use crate::router::counters::Packets;
use crate::router::failure::Failure;
use crate::router::held::Held;
use crate::router::policies::Policies;
use crate::router::waiting::{End, Waiting};
use crate::router::wake::{ReconcileState, Wake};
use crate::router::work::{Owner, Work};
use crate::storage::scp::Programs;

/// Timers are not looked at more often than this.
const TICK: Duration = Duration::from_millis(1);

/// While so much waits to be carried out, datagrams that come are dropped: what strangers provoke must not fill the memory.
const MAX_WORK: usize = 16_384;

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
    /// IKE.
    pub engine: Endpoint,
    /// What the crypto maps ask for.
    pub plan: Arc<Plan>,
    /// Names that stay while map entries live.
    pub names: Names,
    /// How flows with a tunnel are wrapped, where that is not what the plan says.
    pub shapes: HashMap<FlowName, Shape>,
    /// The policies that the kernel has, and those that it should have.
    pub policies: Policies,
    /// What the last run protected, while nothing says what became of it.
    pub held: Held,
    /// Flows whose traffic waits for a tunnel.
    pub waiting: Waiting,
    /// What is wrong with the configuration as it is.
    pub problems: BTreeSet<String>,
    /// The same of what it asks of interfaces and routes.
    pub machine_problems: BTreeSet<String>,
    /// What was complained of lately.
    pub complaints: Complaints,
    /// Complaints that were logged already and still hold.
    pub reported: BTreeSet<String>,
    /// ISAKMP was on at the last look.
    pub isakmp_on: bool,
    /// Counters of SAs when the operator last cleared them.
    pub cleared: HashMap<SaId, SaStats>,
    /// What SAs carried that are gone, by flow.
    pub carried: HashMap<FlowName, Packets>,
    /// Which flow an SA's counters belong to, and whether it is inbound.
    pub counted: HashMap<SaId, (FlowName, bool)>,
    /// The last failure of each peer that no success followed.
    pub failures: HashMap<IpAddr, Failure>,
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
    /// What is to be sent and asked of the kernel, in order.
    pub work: VecDeque<Work>,
    /// How far engine and kernel follow the running-config.
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
    router.borrow_mut().work.push_back(Work::Reached(sender));
    wake.work.notify_one();
    // The other end goes only with the daemon.
    let _ = reached.await;
}

/// Randomness for the engine, from the system.
#[derive(Debug)]
struct SystemRandom;

impl ike::random::Randomness for SystemRandom {
    fn fill(&mut self, bytes: &mut [u8]) {
        // Without random bytes there are no keys; no caller could do anything about it.
        getrandom::fill(bytes).expect("the system has no random bytes");
    }
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
            engine: Endpoint::new(Box::new(SystemRandom)),
            plan: Arc::default(),
            names: Names::default(),
            shapes: HashMap::new(),
            policies: Policies::default(),
            held: Held::default(),
            waiting: Waiting::default(),
            problems: BTreeSet::new(),
            machine_problems: BTreeSet::new(),
            complaints: Complaints::default(),
            reported: BTreeSet::new(),
            isakmp_on: false,
            cleared: HashMap::new(),
            carried: HashMap::new(),
            counted: HashMap::new(),
            failures: HashMap::new(),
            load: Meter::default(),
            trusted_uids: vec![0, nix::unistd::geteuid().as_raw()],
            sessions: Sessions::default(),
            change_control: ChangeControl::default(),
            programs: Programs::default(),
            work: VecDeque::new(),
            reconcile: ReconcileState::default(),
            wake: Wake::default(),
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

    /// Debugging was switched: the engine makes debug facts only while somebody wants them.
    pub fn debugging_changed(&mut self) {
        self.engine.set_debug(self.debugging.any());
    }

    /// A datagram came. Where it is dropped, its sender repeats it.
    pub fn datagram(&mut self, local: SocketAddr, remote: SocketAddr, bytes: &[u8]) {
        if self.isakmp_on && self.work.len() < MAX_WORK {
            self.engine.datagram(self.now(), local, remote, bytes);
            self.pump();
        }
    }

    /// Does what the engine has due, then tells how long until there is more to do.
    pub fn until_timeout(&mut self) -> Option<Duration> {
        let due = self.engine.next_timeout()?;
        let now = self.now();
        if due <= now {
            self.engine.timeout(now);
            self.pump();
        }
        Some(self.engine.next_timeout()?.since(now).max(TICK))
    }

    /// Carries the engine's outputs over into work and log.
    pub fn pump(&mut self) {
        let mut over = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Transmit {
                    local,
                    remote,
                    bytes,
                } => self.work.push_back(Work::Send {
                    local,
                    remote,
                    bytes,
                }),
                Output::InstallChild { child, direction } => self.install(&child, direction),
                Output::RemoveChild { sas, .. } => {
                    let delete = |sa: ike::KernelSa| {
                        Request::DeleteSa(child::sa_id(sa.destination, sa.protocol, sa.spi))
                    };
                    self.work.push_back(Work::Kernel {
                        requests: sas.into_iter().map(delete).collect(),
                        owner: Owner::Cleanup,
                    });
                }
                Output::WantOver {
                    connection,
                    flow,
                    failed,
                } => over.push(((connection, flow), failed)),
                Output::Fact(fact) => self.fact(&fact),
            }
        }
        for (name, failed) in over {
            // Another peer may be tried already.
            if !self.engine.is_wanted(name.0, name.1) {
                let end = if failed { End::Failed } else { End::CutShort };
                self.wish_over(name, end);
            }
        }
        self.wake.work.notify_one();
        self.wake.timer.notify_one();
    }

    fn fact(&mut self, fact: &ike::event::Fact) {
        crate::debug::fact(&mut self.log, &self.debugging, &self.plan, fact);
        crate::router::facts::fact(self, fact);
    }

    /// Asks the kernel for one half of a child, with the flow's policies first where they must change for it.
    fn install(&mut self, child: &ChildSa, direction: Direction) {
        let name = (child.connection, child.flow);
        let Some(flow) = self.plan.flows.get(&name) else {
            let now = self.now();
            self.engine
                .install_failed(now, child.id, "its crypto map entry is gone");
            return;
        };
        let shape = Shape::of(child);
        if *self.shapes.get(&name).unwrap_or(&flow.shape) != shape {
            for policy in flow.policies(&shape) {
                self.policies.want(policy);
            }
            self.shapes.insert(name, shape);
        }
        let requests: Vec<Request> = match child::specs(child, direction, flow.reqid) {
            Ok(specs) => specs.into_iter().map(Request::AddSa).collect(),
            Err(reason) => {
                let now = self.now();
                self.engine.install_failed(now, child.id, &reason);
                return;
            }
        };
        let inbound = direction == Direction::Inbound;
        if !inbound {
            self.waiting.installing(&name, child.id);
        }
        if let Some(Request::AddSa(sa)) = requests.iter().find(|r| matches!(r, Request::AddSa(_))) {
            self.counted.insert(sa.id(), (name, inbound));
        }
        self.work.push_back(Work::Kernel {
            requests,
            owner: Owner::Child(child.id),
        });
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
