//! Acquires: traffic that waits for a tunnel. Part of [`Tunnels`], told by the kernel and by the engine's ends of wishes.
//!
//! The kernel reports an acquire once, and not again before the SA is there or `net.core.xfrm_acq_expires` (30 s) has
//! passed. So an acquire must be forgotten in the kernel whenever its wish ends without a tunnel, whichever way it ended.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use ike::Instant;
use ike::child::ChildId;
use isthmus_kernel::{
    Acquire, Action, IpsecMode, IpsecProtocol, PolicySpec, Reqid, Request, Template,
};

use crate::plan::flows::FlowName;
use crate::router::tunnels::Tunnels;
use crate::router::work::{Owner, Work};

/// A flow whose negotiations fail asks not more often than this.
pub const RETRY: Duration = Duration::from_secs(1);

/// Which flows wait, and when the kernel may report them again.
#[derive(Debug, Default)]
pub struct Waiting {
    flows: HashMap<FlowName, Asked>,
    /// Flows whose child the kernel is about to get: it forgets their acquires itself when it takes the SAs.
    installing: HashMap<ChildId, Asked>,
    /// When the last acquire of a reqid was forgotten.
    forgotten: HashMap<Reqid, Instant>,
}

/// What the kernel asked for a flow.
#[derive(Debug)]
struct Asked {
    reqid: Reqid,
    /// When it asked last.
    at: Instant,
    /// How each acquire is forgotten: one for ESP, one for AH.
    forget: Vec<Request>,
}

/// Why a wish is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It failed, and would fail again now.
    Failed,
    /// It was cut short: the next attempt may do better.
    CutShort,
}

impl Waiting {
    fn add(&mut self, name: FlowName, reqid: Reqid, at: Instant, forget: Vec<Request>) {
        let asked = self.flows.entry(name).or_insert_with(|| Asked {
            reqid,
            at,
            forget: Vec::new(),
        });
        asked.at = at;
        asked.forget.retain(|known| !forget.contains(known));
        asked.forget.extend(forget);
    }

    /// The kernel gets a child of the flow.
    pub fn installing(&mut self, name: &FlowName, child: ChildId) {
        if let Some(asked) = self.flows.remove(name) {
            self.installing.insert(child, asked);
        }
    }

    /// The kernel has the child.
    pub fn installed(&mut self, child: ChildId) {
        self.installing.remove(&child);
    }

    /// Of the kernel's pending acquires, given as what forgets them, those that it was not heard to report.
    fn unheard(&self, pending: Vec<Request>) -> Vec<Request> {
        let asked = self.flows.values().chain(self.installing.values());
        let heard: HashSet<_> = asked
            .flat_map(|asked| &asked.forget)
            .map(acquire_of)
            .collect();
        let mut pending = pending;
        pending.retain(|forget| !heard.contains(&acquire_of(forget)));
        pending
    }

    /// How long to wait until the kernel may report a flow again. A flow that is cut short is told at once, if that was
    /// not just done.
    fn pause(&mut self, reqid: Reqid, asked: Instant, now: Instant, end: End) -> Duration {
        let last = match end {
            End::Failed => Some(asked),
            End::CutShort => self.forgotten.get(&reqid).copied(),
        };
        let pause = last.map_or(Duration::ZERO, |at| RETRY.saturating_sub(now.since(at)));
        self.forgotten.insert(reqid, now + pause);
        pause
    }
}

impl Tunnels {
    /// Traffic waits for a tunnel.
    pub fn acquire(&mut self, now: Instant, acquire: Acquire) {
        let forget = forget(
            self.policies.standing_under(&acquire.policy).as_ref(),
            &acquire,
        );
        let name = (self.plan).by_reqid(acquire.reqid, acquire.policy.interface);
        let Some(name) = name else {
            // Its flow has gone; were it to come back, the kernel would not ask for it.
            let pause = self.waiting.pause(acquire.reqid, now, now, End::CutShort);
            return self.forget_after(pause, forget);
        };
        self.waiting.add(name, acquire.reqid, now, forget);
        self.engine.acquire(now, name.0, name.1, None);
        self.pump(now);
        if !self.engine.is_wanted(name.0, name.1) {
            self.wish_over(now, name, End::Failed);
        }
    }

    /// The engine wants a flow no more: if it has no tunnel, the kernel may report its traffic again.
    pub fn wish_over(&mut self, now: Instant, name: FlowName, end: End) {
        let Some(asked) = self.waiting.flows.remove(&name) else {
            return;
        };
        let pause = self.waiting.pause(asked.reqid, asked.at, now, end);
        self.forget_after(pause, asked.forget);
    }

    /// The kernel has refused a child.
    pub fn not_installed(&mut self, now: Instant, child: ChildId) {
        if let Some(asked) = self.waiting.installing.remove(&child) {
            let pause = self.waiting.pause(asked.reqid, asked.at, now, End::Failed);
            self.forget_after(pause, asked.forget);
        }
    }

    /// Flows that are no more wait no more.
    pub fn drop_stale_wishes(&mut self, now: Instant) {
        let gone: Vec<FlowName> = self.waiting.flows.keys().copied().collect();
        let known = |name: &FlowName| self.plan.flow(name).is_some();
        let gone = gone.into_iter().filter(|name| !known(name));
        for name in gone.collect::<Vec<_>>() {
            self.wish_over(now, name, End::CutShort);
        }
        let limit = RETRY;
        self.waiting
            .forgotten
            .retain(|_, at| now.since(*at) < limit);
    }

    /// Events were lost, acquires perhaps among them: those that are `pending` and did not reach us are forgotten in the
    /// kernel, so that it reports them again. Those that did are left: were all reported again, as many would be lost again.
    pub fn acquires_lost(&mut self, pending: Vec<Request>) {
        let unheard = self.waiting.unheard(pending);
        self.forget_after(Duration::ZERO, unheard);
    }

    /// The daemon stops: the next one must be told of all traffic.
    pub fn drop_all_wishes(&mut self) {
        let asked = std::mem::take(&mut self.waiting.flows);
        let forget = asked.into_values().flat_map(|asked| asked.forget).collect();
        self.forget_after(Duration::ZERO, forget);
    }

    fn forget_after(&mut self, pause: Duration, requests: Vec<Request>) {
        if requests.is_empty() {
            return;
        }
        if pause.is_zero() {
            self.work.push_back(Work::Kernel {
                requests,
                owner: Owner::Cleanup,
            });
            return self.wake.work.notify_one();
        }
        let kernel = self.kernel.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(pause).await;
            // What is not there any more need not be forgotten.
            let _ = kernel.submit(requests).await;
        });
    }
}

/// Which acquire a request forgets, whatever its mode; none for another request.
fn acquire_of(request: &Request) -> Option<(IpAddr, IpAddr, IpsecProtocol, Reqid)> {
    match request {
        Request::ForgetAcquire {
            source,
            destination,
            protocol,
            reqid,
            ..
        } => Some((*source, *destination, *protocol, *reqid)),
        _ => None,
    }
}

/// How an acquire is forgotten. The event does not tell the mode, the policy does; where that is gone, both are tried.
fn forget(policy: Option<&PolicySpec>, acquire: &Acquire) -> Vec<Request> {
    let templates = match policy.map(|policy| &policy.action) {
        Some(Action::Protect(templates)) => templates.as_slice(),
        _ => &[],
    };
    let ours = |template: &&Template| {
        template.protocol == acquire.protocol && template.reqid == acquire.reqid
    };
    let modes = match templates.iter().find(ours) {
        Some(template) => vec![template.mode],
        None => vec![IpsecMode::Tunnel, IpsecMode::Transport],
    };
    let forget = |mode| Request::ForgetAcquire {
        source: acquire.source,
        destination: acquire.destination,
        protocol: acquire.protocol,
        mode,
        reqid: acquire.reqid,
    };
    modes.into_iter().map(forget).collect()
}
