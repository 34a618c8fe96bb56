//! The kernel in memory: same contract as `linux/`, proven by the same tests (`tests/kernel/contract`). For tests of the
//! daemon, and for benches on kernels without ESP: it counts what it is asked. `state.rs` holds what it knows.

mod state;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use ipnet::IpNet;
use tokio::sync::mpsc;

use self::state::{State, sa_info, same_tunnel};
use crate::{
    Acquire, Action, AddressInfo, Direction, ErrorKind, Event, Events, KernelError, LinkInfo,
    NeighbourInfo, PolicyInfo, PolicyKey, PolicySpec, Probe, ProbeReply, Request, RouteInfo,
    RouteTarget, SaId, SaInfo, SaSpec, SaStats, Selector, XfrmErrors,
};

/// How many requests came, by sort; failed ones too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Calls of submit that held at least one request.
    pub batches: u64,
    /// SAs to add.
    pub add_sa: u64,
    /// SAs to delete.
    pub delete_sa: u64,
    /// Policies to set.
    pub set_policy: u64,
    /// Policies to delete.
    pub delete_policy: u64,
    /// Everything else.
    pub other: u64,
}

/// The inside of a fake kernel, for the test that drives it.
#[derive(Debug, Clone)]
pub struct Fake {
    state: Arc<Mutex<State>>,
    events: mpsc::Sender<Event>,
}

impl Fake {
    pub(crate) fn new() -> (Self, Events) {
        let (sender, events) = Events::channel();
        let fake = Self {
            state: Arc::default(),
            events: sender,
        };
        fake.state().links.insert(
            1,
            LinkInfo {
                index: 1,
                name: "lo".into(),
                mtu: 65536,
                up: true,
                running: true,
                loopback: true,
                mac: vec![0; 6],
                ..LinkInfo::default()
            },
        );
        fake.state().last_index = 1;
        (fake, events)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
    }

    /// What was asked so far.
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// The SAs as they were given, keys and all, in no particular order.
    pub fn sas(&self) -> Vec<SaSpec> {
        self.state()
            .sas
            .values()
            .map(|(spec, _)| spec.clone())
            .collect()
    }

    /// Adds a hardware Ethernet link, up and running, and reports it; gives its index.
    pub fn add_link(&self, name: &str) -> u32 {
        let next = self.state().last_index + 1;
        let mac = [2, 0, 0, 0, (next >> 8) as u8, next as u8];
        self.add_device(name, mac, "")
    }

    /// The same for a device that is plugged in at `bus`, with a hardware address of its own.
    pub fn add_device(&self, name: &str, mac: [u8; 6], bus: &str) -> u32 {
        let mut state = self.state();
        state.last_index += 1;
        let index = state.last_index;
        let link = LinkInfo {
            index,
            name: name.into(),
            ethernet: true,
            mac: mac.to_vec(),
            permanent_mac: if bus.is_empty() {
                Vec::new()
            } else {
                mac.to_vec()
            },
            bus: bus.into(),
            mtu: 1500,
            up: true,
            running: true,
            ..LinkInfo::default()
        };
        state.links.insert(index, link.clone());
        drop(state);
        self.emit(Event::LinkChanged(link));
        index
    }

    /// Takes a link away with its addresses and routes, as when a card is pulled, and reports it; false if there is none.
    pub fn remove_link(&self, name: &str) -> bool {
        let mut state = self.state();
        let Some(index) = state.index_of(name) else {
            return false;
        };
        state.links.remove(&index);
        state.addresses.retain(|address| address.index != index);
        let networks: Vec<IpNet> = state.addresses.iter().map(|a| a.address).collect();
        state.routes.retain(|route| match &route.target {
            RouteTarget::Interface(by) | RouteTarget::Gateway(_, Some(by)) => by != name,
            RouteTarget::Gateway(hop, None) => networks.iter().any(|net| net.contains(hop)),
            RouteTarget::Blackhole => true,
        });
        drop(state);
        let name = name.to_owned();
        self.emit(Event::LinkRemoved { index, name });
        true
    }

    /// Gives a link another name, as udev does, and reports it; false if there is none.
    pub fn rename_link(&self, name: &str, new: &str) -> bool {
        let mut state = self.state();
        let Some(link) = state.links.values_mut().find(|link| link.name == name) else {
            return false;
        };
        link.name = new.to_owned();
        let link = link.clone();
        drop(state);
        self.emit(Event::LinkChanged(link));
        true
    }

    /// Lets packets of 100 octets come in over a link.
    pub fn receive_packets(&self, index: u32, packets: u64) {
        if let Some(link) = self.state().links.get_mut(&index) {
            link.rx_packets += packets;
            link.rx_bytes += packets * 100;
        }
    }

    /// Gives an interface an address of the operator's.
    pub fn add_foreign_address(&self, index: u32, address: IpNet) {
        self.state().addresses.push(AddressInfo {
            index,
            address,
            secondary: false,
            ours: false,
        });
        self.emit(Event::AddressChanged {
            index,
            address,
            present: true,
        });
    }

    /// Lets the operator have a policy.
    pub fn add_foreign_policy(&self, key: PolicyKey) {
        let selector = key.selector.normalised();
        let key = PolicyKey { selector, ..key };
        self.state().foreign_policies.insert(key);
    }

    /// Lets the operator delete all policies (`ip xfrm policy flush`), ours too, and reports it.
    pub fn flush_policies(&self) {
        let mut state = self.state();
        state.policies.clear();
        state.foreign_policies.clear();
        drop(state);
        self.emit(Event::PolicyTouched(None));
    }

    /// Lets the operator delete a policy of ours and reports it; false if there is none.
    pub fn delete_policy(&self, key: PolicyKey) -> bool {
        let selector = key.selector.normalised();
        let key = PolicyKey { selector, ..key };
        let found = self.state().policies.remove(&key).is_some();
        self.emit(Event::PolicyTouched(Some(key)));
        found
    }

    /// Lets the operator have an SA.
    pub fn add_foreign_sa(&self, id: SaId) {
        self.state().foreign_sas.insert(id);
    }

    /// Lets an event happen. The daemon's side of the stream sees it after those before it.
    pub fn emit(&self, event: Event) {
        let mut state = self.state();
        if state.events_lost {
            state.events_lost = self.events.try_send(Event::Overflow).is_err();
        }
        // a full channel loses events, as the kernel does, and says so when there is room again
        state.events_lost |= self.events.try_send(event).is_err();
    }

    /// Makes every request whose text ([`Request`]'s display) contains `part` fail, until `fail_no_more`.
    pub fn fail_always(&self, part: &str, kind: ErrorKind) {
        self.state().lasting_failures.push((part.into(), kind));
    }

    /// Ends what `fail_always` began.
    pub fn fail_no_more(&self) {
        self.state().lasting_failures.clear();
    }

    /// Makes the next request whose text ([`Request`]'s display, or `list policies` or `list links`) contains `part` fail.
    pub fn fail_next(&self, part: &str, kind: ErrorKind) {
        self.state().failures.push_back((part.into(), kind));
    }

    /// Sets what the counters of an SA say; false if there is no such SA.
    pub fn set_stats(&self, id: SaId, stats: SaStats) -> bool {
        self.state()
            .sas
            .get_mut(&id)
            .map(|sa| sa.1 = stats)
            .is_some()
    }

    /// What the next ping gets; with none prepared a ping times out.
    pub fn prepare_ping(&self, reply: ProbeReply) {
        self.state().ping_replies.push_back(reply);
    }

    /// Names of interfaces whose inbound check is off.
    pub fn unchecked_interfaces(&self) -> Vec<String> {
        self.state().unchecked.clone()
    }

    /// Lets a packet leave by an interface and says what became of it, reporting acquires as the kernel would.
    pub fn send_packet(
        &self,
        interface: u32,
        source: IpAddr,
        destination: IpAddr,
        protocol: u8,
    ) -> Verdict {
        let mut state = self.state();
        let hit = state
            .policies
            .values()
            .filter(|(p, ..)| {
                p.key.direction == Direction::Out
                    && (p.key.interface == 0 || p.key.interface == interface)
            })
            .filter(|(p, ..)| p.key.selector.matches(source, destination, protocol, 0, 0))
            .min_by_key(|(p, index, _)| (p.priority, *index))
            .map(|(p, index, _)| (p.clone(), *index));
        let Some((policy, index)) = hit else {
            return Verdict::Clear;
        };
        let templates = match &policy.action {
            Action::Bypass => return Verdict::Clear,
            Action::Block => return Verdict::Dropped,
            Action::Protect(templates) => templates.clone(),
        };
        let mut missing = Vec::new();
        for t in &templates {
            let there = state.sas.values().any(|(sa, _)| {
                sa.reqid == t.reqid
                    && sa.protocol == t.protocol
                    && (t.destination.is_unspecified() || sa.destination == t.destination)
            });
            if !there {
                missing.push(*t);
            }
        }
        if missing.is_empty() {
            return Verdict::Protected;
        }
        let t = missing[0];
        let single = |a: IpAddr| IpNet::from(a);
        let acquire = Acquire {
            reqid: t.reqid,
            protocol: t.protocol,
            source: if t.source.is_unspecified() {
                source
            } else {
                t.source
            },
            destination: if t.destination.is_unspecified() {
                destination
            } else {
                t.destination
            },
            policy: policy.key,
            priority: policy.priority,
            policy_index: index,
            packet: Selector {
                protocol,
                ..Selector::between(single(source), single(destination))
            },
            sequence: state.pending_acquires.len() as u32 + 1,
        };
        let pending = state
            .pending_acquires
            .iter()
            .any(|a| same_tunnel(a, &acquire));
        if !pending {
            state.pending_acquires.push(acquire.clone());
            drop(state);
            self.emit(Event::Acquire(acquire));
        }
        Verdict::Dropped
    }

    pub(crate) fn submit(&self, requests: Vec<Request>) -> Vec<Result<(), KernelError>> {
        if !requests.is_empty() {
            self.state().counts.batches += 1;
        }
        requests.into_iter().map(|r| self.one(r)).collect()
    }

    fn one(&self, request: Request) -> Result<(), KernelError> {
        let text = request.to_string();
        let mut state = self.state();
        state.count(&request);
        if let Some(kind) = state.failure_of(&text) {
            return Err(KernelError::of(kind, text, "made to fail by the test"));
        }
        let result = state.apply(request);
        drop(state);
        match result {
            Ok(events) => {
                events.into_iter().for_each(|e| self.emit(e));
                Ok(())
            }
            Err((kind, hint)) => Err(KernelError::of(kind, text, hint)),
        }
    }

    pub(crate) fn dump_sas(&self) -> Result<Vec<SaInfo>, KernelError> {
        Ok(self
            .state()
            .sas
            .values()
            .map(|(spec, stats)| sa_info(spec, *stats))
            .collect())
    }

    pub(crate) fn dump_acquires(&self) -> Result<Vec<Request>, KernelError> {
        let state = self.state();
        let forget = |acquire: &Acquire| {
            let (policy, ..) = state.policies.get(&acquire.policy)?;
            let Action::Protect(templates) = &policy.action else {
                return None;
            };
            let mut templates = templates.iter();
            let template = templates.find(|one| one.protocol == acquire.protocol)?;
            Some(Request::ForgetAcquire {
                source: acquire.source,
                destination: acquire.destination,
                protocol: acquire.protocol,
                mode: template.mode,
                reqid: acquire.reqid,
            })
        };
        Ok(state.pending_acquires.iter().filter_map(forget).collect())
    }

    pub(crate) fn dump_policies(&self) -> Result<Vec<PolicyInfo>, KernelError> {
        self.ask("list policies")?;
        let state = self.state();
        let info = |(spec, index, added): &(PolicySpec, u32, u64)| PolicyInfo {
            spec: spec.clone(),
            index: *index,
            added: *added,
            used: 0,
        };
        Ok(state.policies.values().map(info).collect())
    }

    pub(crate) fn sa_stats(&self, id: SaId) -> Result<SaStats, KernelError> {
        let state = self.state();
        let sa = state.sas.get(&id);
        sa.map(|(_, stats)| *stats).ok_or_else(|| {
            KernelError::of(ErrorKind::NotFound, format!("read SA {id}"), "it is gone")
        })
    }

    /// A question fails if the test says so.
    fn ask(&self, what: &str) -> Result<(), KernelError> {
        match self.state().failure_of(what) {
            Some(kind) => Err(KernelError::of(kind, what, "made to fail by the test")),
            None => Ok(()),
        }
    }

    pub(crate) fn links(&self) -> Result<Vec<LinkInfo>, KernelError> {
        self.ask("list links")?;
        Ok(self.state().links.values().cloned().collect())
    }

    pub(crate) fn addresses(&self) -> Result<Vec<AddressInfo>, KernelError> {
        let mut all = self.state().addresses.clone();
        all.sort_by_key(|a| a.address.addr().is_ipv6());
        Ok(all)
    }

    /// No neighbours: a fake wire has none.
    pub(crate) fn neighbours(&self) -> Result<Vec<NeighbourInfo>, KernelError> {
        Ok(Vec::new())
    }

    pub(crate) fn routes(&self) -> Result<Vec<RouteInfo>, KernelError> {
        let state = self.state();
        let mut routes = state.routes.clone();
        routes.extend(state.addresses.iter().filter_map(|a| {
            let link = state.links.get(&a.index).filter(|l| l.up)?;
            Some(RouteInfo {
                prefix: a.address.trunc(),
                target: RouteTarget::Interface(link.name.clone()),
                metric: 0,
                protocol: 2,
                connected: true,
                source: Some(a.address.addr()),
                ours: false,
            })
        }));
        Ok(routes)
    }

    pub(crate) fn source_for(&self, destination: IpAddr) -> Result<IpAddr, KernelError> {
        let state = self.state();
        if let Some(own) = state
            .addresses
            .iter()
            .find(|a| a.address.addr() == destination)
        {
            return Ok(own.address.addr());
        }
        let connected = |to: IpAddr| {
            state
                .addresses
                .iter()
                .find(|a| a.address.contains(&to))
                .map(|a| a.address.addr())
        };
        let via_route = || {
            let best = state
                .routes
                .iter()
                .filter(|r| r.prefix.contains(&destination))
                .max_by_key(|r| r.prefix.prefix_len())?;
            match &best.target {
                RouteTarget::Gateway(gateway, _) => connected(*gateway),
                RouteTarget::Interface(name) => {
                    let index = state.index_of(name)?;
                    state
                        .addresses
                        .iter()
                        .find(|a| a.index == index)
                        .map(|a| a.address.addr())
                }
                RouteTarget::Blackhole => None,
            }
        };
        connected(destination).or_else(via_route).ok_or_else(|| {
            KernelError::of(
                ErrorKind::Unreachable,
                format!("find a route to {destination}"),
                "there is none",
            )
        })
    }

    pub(crate) fn xfrm_errors(&self) -> XfrmErrors {
        XfrmErrors::default()
    }

    pub(crate) fn ping(&self, probe: &Probe) -> Result<ProbeReply, KernelError> {
        let _ = probe;
        Ok(self
            .state()
            .ping_replies
            .pop_front()
            .unwrap_or(ProbeReply::Timeout))
    }
}

/// What became of a packet in [`Fake::send_packet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It left as it was.
    Clear,
    /// It left through SAs.
    Protected,
    /// It did not leave.
    Dropped,
}
