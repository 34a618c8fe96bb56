//! What every part of the engine shares while it handles one input: time, randomness,
//! configuration, timers, and the outputs so far.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use crate::config::Config;
use crate::event::{DropReason, Event, Fact};
use crate::output::Output;
use crate::random::Randomness;
use crate::time::Instant;
use crate::timer::Timers;

pub(crate) struct Context {
    /// The present time, as the caller gave it with the input being handled
    pub(crate) now: Instant,
    pub(crate) config: Config,
    pub(crate) random: Box<dyn Randomness + Send>,
    pub(crate) timers: Timers,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) debug: bool,
    /// conn id of the next ISAKMP SA
    pub(crate) next_conn_id: u32,
    /// Datagrams dropped, by reason
    pub(crate) dropped: BTreeMap<DropReason, u64>,
}

/// Between whom a fact happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// 0 where there is none yet
    pub(crate) conn_id: u32,
}

impl Context {
    pub(crate) fn new(random: Box<dyn Randomness + Send>) -> Self {
        Self {
            now: Instant::default(),
            config: Config::default(),
            random,
            timers: Timers::default(),
            outputs: VecDeque::new(),
            debug: false,
            next_conn_id: 1001,
            dropped: BTreeMap::new(),
        }
    }

    /// Emits a fact for the log.
    pub(crate) fn fact(&mut self, path: Path, event: Event) {
        let Path {
            local,
            remote,
            conn_id,
        } = path;
        self.outputs.push_back(Output::Fact(Fact {
            local,
            remote,
            conn_id,
            event,
        }));
    }

    /// Emits a fact that only debug wants; `event` is made only then.
    pub(crate) fn debug(&mut self, path: Path, event: impl FnOnce() -> Event) {
        if self.debug {
            self.fact(path, event());
        }
    }

    /// Counts a dropped datagram and says why.
    pub(crate) fn drop_datagram(&mut self, path: Path, reason: DropReason, detail: String) {
        *self.dropped.entry(reason).or_default() += 1;
        self.fact(path, Event::Dropped { reason, detail });
    }

    pub(crate) fn transmit(&mut self, path: Path, bytes: Vec<u8>) {
        let Path { local, remote, .. } = path;
        self.outputs.push_back(Output::Transmit {
            local,
            remote,
            bytes,
        });
    }

    /// `N` random bytes.
    pub(crate) fn random_bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    /// A random number below `limit`, which is small; 0 when `limit` is 0.
    pub(crate) fn random_below(&mut self, limit: u64) -> u64 {
        u64::from_be_bytes(self.random_bytes())
            .checked_rem(limit)
            .unwrap_or(0)
    }
}
