//! The flows of all crypto maps, slice by slice: taken whole for a snapshot, or as they are read.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::future::join_all;
use ike::config::Connection;
use isthmus_kernel::{ErrorKind, Kernel, KernelError};

use super::SLICE;
use super::crypto::{self, Counters, RawFlow};
use crate::router::Shared;
use crate::show::snapshot::Flow;

/// Flows of a screen that are made ahead of its reader: about 32 kB of text.
const READ: usize = 16;

/// Every flow, with the counters of one moment.
pub(super) async fn all(router: &Shared, kernel: &Kernel) -> Result<Vec<Flow>, KernelError> {
    let sas = kernel.dump_sas().await?;
    let counters: Counters = sas.into_iter().map(|sa| (sa.id, sa.stats)).collect();
    let (mut walk, mut all) = (FlowWalk::new(router), Vec::new());
    while let Some(raw) = walk.step(router, SLICE) {
        all.extend(walk.shown(router, &raw, &counters));
        tokio::task::yield_now().await;
    }
    Ok(all)
}

/// A walk over the flows of the connections that there were when it began: what a reader has not read yet is not held
/// anywhere.
#[derive(Debug)]
pub struct FlowWalk {
    connections: Vec<Arc<Connection>>,
    /// The connection after those that were looked at.
    next: usize,
    /// Flows of them that are still to come.
    waiting: VecDeque<RawFlow>,
}

impl FlowWalk {
    /// Before the first flow.
    #[must_use]
    pub fn new(router: &Shared) -> Self {
        let router = router.borrow();
        let connections = router.tunnels.plan.connections().cloned();
        Self {
            connections: connections.collect(),
            next: 0,
            waiting: VecDeque::new(),
        }
    }

    /// The next flows, as they are now; none at the end. Flows of which no packet can be told are left out, so that there
    /// may be fewer than there is room for.
    ///
    /// # Errors
    /// The kernel cannot be asked for counters.
    pub async fn next(
        &mut self,
        router: &Shared,
        kernel: &Kernel,
    ) -> Result<Option<Vec<Flow>>, KernelError> {
        let Some(raw) = self.step(router, READ) else {
            return Ok(None);
        };
        let ids = raw.iter().flat_map(RawFlow::sas).filter(|id| id.spi != 0);
        let asked = ids.map(|id| async move { (id, kernel.sa_stats(id).await) });
        let answers = join_all(asked).await.into_iter();
        let mut counters = Counters::new();
        for (id, stats) in answers {
            match stats {
                Ok(stats) => counters.extend([(id, stats)]),
                // It went meanwhile.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(self.shown(router, &raw, &counters)))
    }

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

    fn shown(&self, router: &Shared, raw: &[RawFlow], counters: &Counters) -> Vec<Flow> {
        let router = router.borrow();
        raw.iter()
            .filter_map(|raw| crypto::flow(&router, raw, counters))
            .collect()
    }
}
