//! The tunnels: the engine, what the crypto maps ask for, the policies in the kernel, and what is remembered of each flow.
//! Owned by [`super::Router`], of which this knows nothing: datagrams, acquires, kernel answers and timeouts come in, work
//! ([`Tunnels::work`]) and facts ([`Tunnels::take_facts`]) go out.
//!
//! `waiting` has the acquires, `policies` the way to the kernel, `held` what an earlier run protected; `reconcile` gives the
//! plan.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ike::algorithm::IpsecProtocol;
use ike::auth::psk::PreSharedKeys;
use ike::child::{ChildId, ChildSa, Direction};
use ike::config::{Connection, ConnectionId};
use ike::event::{Event, Fact};
use ike::{Answer, Endpoint, Expiry, Instant, Output, Question};
use isthmus_kernel::{
    Action, Direction as KernelDirection, Kernel, PolicyKey, PolicySpec, Request, SaId, SaStats,
};
use jiff::ZonedDateTime;

use super::counters::Packets;
use super::failure;
use super::failure::Failure;
use super::held::Held;
use super::policies::Policies;
use super::waiting::{End, Waiting};
use super::wake::Wake;
use super::work::{Owner, Work};
use crate::plan::child;
use crate::plan::flows::{ANY_INTERFACE, FlowName, Shape};
use crate::plan::units::Plan;

/// Timers are not looked at more often than this.
const TICK: Duration = Duration::from_millis(1);

/// While so much waits to be carried out, datagrams that come are dropped: what strangers provoke must not fill the memory.
const MAX_WORK: usize = 16_384;

/// Everything that is about tunnels.
pub struct Tunnels {
    /// For what is asked of it later ([`super::waiting`]).
    pub(super) kernel: Kernel,
    pub(super) wake: Wake,
    /// IKE.
    pub engine: Endpoint,
    /// The pre-shared keys, for the engine's questions.
    pub keys: PreSharedKeys,
    /// What the crypto maps ask for.
    pub plan: Arc<Plan>,
    /// How many crypto maps there were when that was planned.
    pub(super) maps: usize,
    /// The engine has the plan's connections; otherwise it has none.
    pub(super) connected: bool,
    /// What is wrong with keys.
    pub(super) key_problems: Vec<String>,
    /// How flows with a tunnel are wrapped, where that is not what the plan says.
    pub shapes: HashMap<FlowName, Shape>,
    /// The policies that the kernel has, and those that it should have.
    pub policies: Policies,
    /// What the last run protected, while nothing says what became of it.
    pub held: Held,
    /// The same for the interfaces that there are.
    placed: HashMap<PolicyKey, PolicySpec>,
    /// Keys that are blocked until it is known which links there are.
    pub(super) recheck: HashSet<PolicyKey>,
    /// Those of them of which that is known.
    pub(super) known: Vec<PolicyKey>,
    /// Flows whose traffic waits for a tunnel.
    pub waiting: Waiting,
    /// What is wrong with the configuration as it is.
    pub problems: BTreeSet<String>,
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
    /// What is to be sent and asked of the kernel, in order.
    pub work: VecDeque<Work>,
    /// What the engine has told.
    facts: Vec<Fact>,
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

impl Tunnels {
    /// No tunnels.
    #[must_use]
    pub fn new(kernel: Kernel, wake: Wake) -> Self {
        Self {
            kernel,
            wake,
            engine: Endpoint::new(Box::new(SystemRandom)),
            keys: PreSharedKeys::default(),
            plan: Arc::default(),
            maps: 0,
            connected: false,
            key_problems: Vec::new(),
            shapes: HashMap::new(),
            policies: Policies::default(),
            held: Held::default(),
            placed: HashMap::new(),
            recheck: HashSet::new(),
            known: Vec::new(),
            waiting: Waiting::default(),
            problems: BTreeSet::new(),
            isakmp_on: false,
            cleared: HashMap::new(),
            carried: HashMap::new(),
            counted: HashMap::new(),
            failures: HashMap::new(),
            work: VecDeque::new(),
            facts: Vec::new(),
        }
    }

    /// A datagram came. Where it is dropped, its sender repeats it.
    pub fn datagram(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr, bytes: &[u8]) {
        if self.isakmp_on && self.work.len() < MAX_WORK {
            self.engine.datagram(now, local, remote, bytes);
            self.pump(now);
        }
    }

    /// An SA reached a limit.
    pub fn expire(
        &mut self,
        now: Instant,
        destination: IpAddr,
        protocol: IpsecProtocol,
        spi: u32,
        kind: Expiry,
    ) {
        self.engine.expire(now, destination, protocol, spi, kind);
        self.pump(now);
    }

    /// Does what the engine has due, then tells how long until there is more to do.
    pub fn until_timeout(&mut self, now: Instant) -> Option<Duration> {
        let due = self.engine.next_timeout()?;
        if due <= now {
            self.engine.timeout(now);
            self.pump(now);
        }
        Some(self.engine.next_timeout()?.since(now).max(TICK))
    }

    /// Carries the engine's outputs over into work and facts.
    pub fn pump(&mut self, now: Instant) {
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
                Output::InstallChild { child, direction } => self.install(now, &child, direction),
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
                Output::Ask { id, question } => {
                    let answer = self.answer(&question);
                    self.engine.answer(now, id, answer);
                }
                Output::Fact(fact) => self.facts.push(fact),
            }
        }
        for (name, failed) in over {
            // Another peer may be tried already.
            if !self.engine.is_wanted(name.0, name.1) {
                let end = if failed { End::Failed } else { End::CutShort };
                self.wish_over(now, name, end);
            }
        }
        self.wake.work.notify_one();
        self.wake.timer.notify_one();
    }

    /// What the running-config says to a question of the engine's.
    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::PeerKey { peer } => Answer::PeerKey(self.keys.for_address(*peer).cloned()),
        }
    }

    /// What the engine has told since the last call.
    pub fn take_facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts)
    }

    /// Keeps the last failure of a peer, until it succeeds. `trouble` is what is wrong with its key.
    pub fn remember(&mut self, fact: &Fact, trouble: &str, at: ZonedDateTime) {
        match &fact.event {
            Event::Failed {
                exchange,
                role,
                cause,
                ..
            } => {
                let mut failure = failure::describe(fact, *exchange, *role, cause, at);
                failure.cause.push_str(trouble);
                failure::keep(&mut self.failures, failure);
            }
            Event::ChildUp { .. } => {
                self.failures.remove(&fact.remote.ip());
            }
            _ => {}
        }
    }

    /// Asks the kernel for one half of a child, with the flow's policies first where they must change for it.
    fn install(&mut self, now: Instant, child: &ChildSa, direction: Direction) {
        let name = (child.connection, child.flow);
        let plan = Arc::clone(&self.plan);
        let Some(flow) = plan.flow(&name) else {
            self.engine
                .install_failed(now, child.id, "its crypto map entry is gone");
            return;
        };
        let shape = Shape::of(child);
        if *self.shapes.get(&name).unwrap_or(&flow.shape) != shape {
            self.reshape(name, shape);
        }
        let requests: Vec<Request> = match child::specs(child, direction, flow.reqid) {
            Ok(specs) => specs.into_iter().map(Request::AddSa).collect(),
            Err(reason) => {
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

    /// A flow is wrapped in another way than so far.
    pub(super) fn reshape(&mut self, name: FlowName, shape: Shape) {
        self.shapes.insert(name, shape);
        let keys = self.keys_of(&name);
        self.want(&keys);
    }

    /// The keys of a flow's policies, and of others that select the same.
    pub(super) fn keys_of(&self, name: &FlowName) -> Vec<PolicyKey> {
        let places = self.plan.flow(name).map_or(&[][..], |flow| &flow.places);
        let keys = places.iter().flat_map(|one| self.plan.claims().keys(one));
        keys.collect()
    }

    /// The policy that should stand under a key. What is held comes behind everything that is asked for.
    fn desired(&self, key: &PolicyKey) -> Option<PolicySpec> {
        let flow = |name: &FlowName| {
            let flow = self.plan.flow(name)?;
            Some((flow, self.shapes.get(name).unwrap_or(&flow.shape)))
        };
        let asked = self.plan.claims().policy(key, flow);
        match (asked, self.placed.get(key)) {
            (Some(asked), Some(held)) if held.priority < asked.priority => Some(held.clone()),
            (None, held) => held.cloned(),
            (asked, _) => asked,
        }
    }

    /// Has the policies follow the plan under these keys; but what was blocked because a link went stays blocked until a
    /// plan knows which links there are.
    pub(super) fn want(&mut self, keys: &[PolicyKey]) {
        for key in keys.iter().filter(|key| !self.recheck.contains(key)) {
            let desired = self.desired(key);
            self.policies.want_under(key, desired);
        }
    }

    /// Forgets what is remembered of flows that are gone or wrapped in another way; gives the keys that were blocked beside the
    /// plan and need not be any more.
    pub(super) fn forget_flows(&mut self, flows: &[FlowName]) -> Vec<PolicyKey> {
        for name in flows {
            self.shapes.remove(name);
            if self.plan.flow(name).is_none() {
                self.carried.remove(name);
            }
        }
        std::mem::take(&mut self.known)
    }

    /// Has what is held stand for the interfaces that there are: what was protected on one that is gone is blocked on every way
    /// out. Gives the keys that this is about.
    pub(super) fn place_held(&mut self, gone: impl Fn(u32) -> bool) -> Vec<PolicyKey> {
        let mut placed: HashMap<PolicyKey, PolicySpec> = HashMap::new();
        for policy in self.held.policies() {
            let mut policy = policy.clone();
            let out = policy.key.direction == KernelDirection::Out;
            if out && policy.action == Action::Block && gone(policy.key.interface) {
                policy.key.interface = ANY_INTERFACE;
            }
            match placed.get(&policy.key) {
                Some(known) if known.priority <= policy.priority => {}
                _ => {
                    placed.insert(policy.key, policy);
                }
            }
        }
        let before = std::mem::replace(&mut self.placed, placed);
        before.keys().chain(self.placed.keys()).copied().collect()
    }

    /// Gives the engine connections that are new or changed, and takes away those that are gone.
    pub(super) fn connect(
        &mut self,
        now: Instant,
        connections: &[(ConnectionId, Option<Arc<Connection>>)],
    ) {
        for (id, connection) in connections {
            match connection {
                Some(connection) => self.engine.set_connection(now, Arc::clone(connection)),
                None => self.engine.remove_connection(now, *id),
            }
        }
    }

    /// Collects what is wrong with the configuration as it is.
    pub(super) fn gather_problems(&mut self) {
        let refused = self.policies.complaints().cloned();
        let keys = self.key_problems.iter().cloned();
        let planned = self.plan.problems().into_iter();
        self.problems = planned.chain(refused).chain(keys).collect();
    }

    /// The kernel has refused a child.
    pub fn refused(&mut self, now: Instant, child: ChildId, why: &str) {
        self.engine.install_failed(now, child, why);
        self.not_installed(now, child);
    }
}
