//! The flows of all crypto maps, slice by slice: taken whole for a snapshot, or as they are read. Called by `view` and by
//! sessions.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use ike::config::Connection;
use isthmus_kernel::{ErrorKind, Kernel, KernelError, SaId};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::SLICE;
use super::crypto::{self, Counters, RawFlow};
use crate::router::Shared;
use crate::show::snapshot::Flow;

/// Flows of a screen that are made ahead of its reader: about 32 kB of text.
const READ: usize = 16;
/// Flows whose SAs the kernel is asked for one by one; for more it is asked for all SAs at once.
const FEW: usize = 2 * READ;
/// How old the counters of long screens may be.
const FRESH: Duration = Duration::from_secs(2);
/// SAs whose counters are sorted in at once.
const SORTED: usize = 2048;

/// Every flow, with the counters of one moment.
pub(super) async fn all(router: &Shared, kernel: &Kernel) -> Result<Vec<Flow>, KernelError> {
    let counters = dumped(kernel).await?;
    let (mut walk, mut all) = (FlowWalk::new(router), Vec::new());
    while let Some(raw) = walk.step(router, SLICE) {
        all.extend(walk.shown(router, &raw, &counters));
        tokio::task::yield_now().await;
    }
    Ok(all)
}

/// The counters of all SAs.
async fn dumped(kernel: &Kernel) -> Result<Counters, KernelError> {
    let sas = kernel.dump_sas().await?;
    let mut counters = Counters::with_capacity(sas.len());
    let mut sas = sas.into_iter();
    while sas.len() > 0 {
        counters.extend(sas.by_ref().take(SORTED).map(|sa| (sa.id, sa.stats)));
        tokio::task::yield_now().await;
    }
    Ok(counters)
}

/// The counters of one SA after the other; those of an SA that went meanwhile are not there.
async fn one_by_one(
    kernel: &Kernel,
    sas: impl Iterator<Item = SaId>,
) -> Result<Counters, KernelError> {
    let asked = sas.map(|id| async move { (id, kernel.sa_stats(id).await) });
    let mut counters = Counters::new();
    for (id, stats) in join_all(asked).await {
        match stats {
            Ok(stats) => counters.extend([(id, stats)]),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(counters)
}

/// The counters that long screens share while there are any: at most one dump in [`FRESH`], however many are read.
#[derive(Debug, Clone, Default)]
pub struct SharedCounters(Rc<State>);

#[derive(Debug, Default)]
struct State {
    /// Screens that are being read. With the last of them the counters go.
    readers: Cell<usize>,
    last: RefCell<Option<Rc<Dump>>>,
    /// Held during a dump: others who want one wait for this.
    dumping: Mutex<()>,
}

#[derive(Debug)]
struct Dump {
    at: Instant,
    counters: Counters,
}

impl SharedCounters {
    fn recent(&self) -> Option<Rc<Dump>> {
        let last = self.0.last.borrow();
        last.clone().filter(|dump| dump.at.elapsed() < FRESH)
    }

    async fn read(&self, kernel: &Kernel) -> Result<Rc<Dump>, KernelError> {
        if let Some(dump) = self.recent() {
            return Ok(dump);
        }
        let _turn = self.0.dumping.lock().await;
        if let Some(dump) = self.recent() {
            return Ok(dump);
        }
        let at = Instant::now();
        let counters = dumped(kernel).await?;
        let dump = Rc::new(Dump { at, counters });
        *self.0.last.borrow_mut() = Some(dump.clone());
        Ok(dump)
    }
}

/// One reader of the flows of all crypto maps: what it has not read yet is not held anywhere.
#[derive(Debug)]
pub struct FlowReader {
    walk: FlowWalk,
    /// Flows whose counters were asked for.
    counted: usize,
    counters: SharedCounters,
}

impl Drop for FlowReader {
    fn drop(&mut self) {
        let State { readers, last, .. } = &*self.counters.0;
        readers.set(readers.get() - 1);
        if readers.get() == 0 {
            last.take();
        }
    }
}

impl FlowReader {
    /// Before the first flow.
    #[must_use]
    pub fn new(router: &Shared, counters: SharedCounters) -> Self {
        counters.0.readers.set(counters.0.readers.get() + 1);
        Self {
            walk: FlowWalk::new(router),
            counted: 0,
            counters,
        }
    }

    /// The next flows, of these the wanted ones, as they are now; none at the end.
    ///
    /// # Errors
    /// The kernel cannot be asked for counters.
    pub async fn next(
        &mut self,
        router: &Shared,
        kernel: &Kernel,
        wanted: impl Fn(&Flow) -> bool,
    ) -> Result<Option<Vec<Flow>>, KernelError> {
        let Some(mut raw) = self.walk.step(router, READ) else {
            return Ok(None);
        };
        // Nothing is asked about the others.
        self.walk.keep(router, &mut raw, wanted);
        self.counted += raw.len();
        let mut sas = raw.iter().flat_map(RawFlow::sas).filter(|id| id.spi != 0);
        let counters = if self.counted <= FEW {
            &one_by_one(kernel, sas).await?
        } else if sas.next().is_none() {
            &Counters::new()
        } else {
            &self.counters.read(kernel).await?.counters
        };
        Ok(Some(self.walk.shown(router, &raw, counters)))
    }
}

/// A walk over the flows of the connections that there were when it began.
#[derive(Debug)]
struct FlowWalk {
    connections: Vec<Arc<Connection>>,
    /// The connection after those that were looked at.
    next: usize,
    /// Flows of them that are still to come.
    waiting: VecDeque<RawFlow>,
}

impl FlowWalk {
    fn new(router: &Shared) -> Self {
        let router = router.borrow();
        let connections = router.tunnels.plan.connections().cloned();
        Self {
            connections: connections.collect(),
            next: 0,
            waiting: VecDeque::new(),
        }
    }

    /// The next ones; none at the end.
    fn step(&mut self, router: &Shared, most: usize) -> Option<Vec<RawFlow>> {
        let router = router.borrow();
        let now = router.now();
        while self.waiting.len() < most
            && let Some(connection) = self.connections.get(self.next)
        {
            let more = crypto::raw_flows(&router, connection, now);
            self.waiting.extend(more);
            self.next += 1;
        }
        let count = self.waiting.len().min(most);
        (count > 0).then(|| self.waiting.drain(..count).collect())
    }

    /// Leaves out those that are not wanted.
    fn keep(&self, router: &Shared, raw: &mut Vec<RawFlow>, wanted: impl Fn(&Flow) -> bool) {
        let router = router.borrow();
        let counters = Counters::new();
        raw.retain(|raw| {
            let flow = crypto::flow(&router, raw, &counters);
            flow.is_some_and(|flow| wanted(&flow))
        });
    }

    fn shown(&self, router: &Shared, raw: &[RawFlow], counters: &Counters) -> Vec<Flow> {
        let router = router.borrow();
        raw.iter()
            .filter_map(|raw| crypto::flow(&router, raw, counters))
            .collect()
    }
}
