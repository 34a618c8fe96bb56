//! What every part of the engine shares while it handles one input: time, randomness,
//! configuration, timers, and the outputs so far.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::config::Config;
use crate::event::{Bound, DropReason, Event, Fact};
use crate::id::Path;
use crate::output::Output;
use crate::random::Randomness;
use crate::talk::{Standing, Talk};
use crate::time::Instant;
use crate::timer::{Timer, Timers};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

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
    pub(crate) talk: Talk,
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
            talk: Talk::default(),
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

    /// Whether debug facts are wanted about what is being handled.
    pub(crate) fn debugs(&self) -> bool {
        self.debug && !self.talk.is_hushed()
    }

    /// Emits a fact that only debug wants; `event` is made only then.
    pub(crate) fn debug(&mut self, path: Path, event: impl FnOnce() -> Event) {
        if self.debugs() {
            self.fact(path, event());
        }
    }

    /// Counts a dropped datagram and says why.
    pub(crate) fn drop_datagram(&mut self, path: Path, reason: DropReason, detail: String) {
        self.drop_datagram_with(path, reason, || detail);
    }

    /// The same; `detail` is made only where it is said.
    pub(crate) fn drop_datagram_with(
        &mut self,
        path: Path,
        reason: DropReason,
        detail: impl FnOnce() -> String,
    ) {
        *self.dropped.entry(reason).or_default() += 1;
        if self.talk.is_hushed() {
            self.talk.untold(reason);
            self.minute_after(path);
        } else {
            let detail = detail();
            self.fact(path, Event::Dropped { reason, detail });
        }
    }

    /// Says that a bound was reached: at once, then once a minute how often.
    pub(crate) fn bound_reached(&mut self, path: Path, bound: Bound) {
        if self.talk.reached(bound) {
            self.fact(path, Event::BoundReached { bound, times: 1 });
        }
        self.minute_after(path);
    }

    fn minute_after(&mut self, path: Path) {
        self.talk.last = Some(path);
        if self.timers.due(Timer::MinuteReport).is_none() {
            self.timers.set(self.now + MINUTE, Timer::MinuteReport);
        }
    }

    /// The minute's report; again after the next minute if there was anything to say.
    pub(crate) fn minute_report(&mut self) {
        let Some(path) = self.talk.last else { return };
        let (bounds, untold) = self.talk.take_minute();
        if bounds.is_empty() && untold.is_empty() {
            return;
        }
        for (bound, times) in bounds {
            self.fact(path, Event::BoundReached { bound, times });
        }
        if !untold.is_empty() {
            self.fact(path, Event::DroppedUntold { untold });
        }
        self.timers.set(self.now + MINUTE, Timer::MinuteReport);
    }

    /// Decides whether anything may be said about the datagram that is coming.
    pub(crate) fn hear(&mut self, path: Path, standing: Standing) {
        if self.talk.hear(self.now, standing) && self.debug {
            self.talk.last = Some(path);
            if self.timers.due(Timer::SecondReport).is_none() {
                self.timers.set(self.now + SECOND, Timer::SecondReport);
            }
        }
    }

    /// How many datagrams debug has not seen in the last second.
    pub(crate) fn second_report(&mut self) {
        let datagrams = self.talk.take_second();
        if let Some(path) = self.talk.last.filter(|_| datagrams > 0) {
            self.debug(path, || Event::Hushed { datagrams });
        }
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
