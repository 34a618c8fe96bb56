//! `logging host`: a queue for each syslog server, and what became of its lines. A task of its own (`tasks/syslog.rs`) sends them;
//! meanwhile the queue fills, and what does not fit is dropped and counted. The log itself never waits.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;

use isthmus_grammar::command::SyslogProtocol;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::configured::{Header, Target};
use super::syslog::{self, Line};
use super::{Message, Severity};

/// One syslog server.
#[derive(Debug)]
pub struct Host {
    /// Who and how.
    pub target: Target,
    queue: RefCell<VecDeque<(Rc<Line>, u64)>>,
    filled: Notify,
    task: RefCell<Option<JoinHandle<()>>>,
    busy: Cell<bool>,
    numbered: Cell<u64>,
    sent: Cell<u64>,
    dropped: Cell<u64>,
    limited: Cell<u64>,
    up: Cell<bool>,
    failed: Cell<bool>,
}

impl Host {
    pub(super) fn new(target: Target) -> Rc<Self> {
        let up = target.protocol == SyslogProtocol::Udp;
        Rc::new(Self {
            target,
            queue: RefCell::default(),
            filled: Notify::new(),
            task: RefCell::default(),
            busy: Cell::new(false),
            numbered: Cell::new(0),
            sent: Cell::new(0),
            dropped: Cell::new(0),
            limited: Cell::new(0),
            up: Cell::new(up),
            failed: Cell::new(false),
        })
    }

    /// Takes a line; false when `limit` of them wait already.
    pub(super) fn push(&self, line: &Rc<Line>, limit: usize) -> bool {
        self.numbered.set(self.numbered.get() + 1);
        let mut queue = self.queue.borrow_mut();
        if queue.len() >= limit {
            self.dropped.set(self.dropped.get() + 1);
            return false;
        }
        queue.push_back((line.clone(), self.numbered.get()));
        self.filled.notify_one();
        true
    }

    /// What is queued, out of the queue, for tests.
    #[cfg(test)]
    pub(super) fn take(&self) -> Vec<(Rc<Line>, u64)> {
        self.queue.borrow_mut().drain(..).collect()
    }

    /// Ends its task: it was taken out of the configuration.
    pub(super) fn stop(&self) {
        if let Some(task) = self.task.borrow_mut().take() {
            task.abort();
        }
    }

    /// Counts a line that `logging rate-limit` kept back.
    pub(super) fn limited(&self) {
        self.limited.set(self.limited.get() + 1);
    }

    /// Lines handed to the network.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// Lines that did not fit into the queue.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.get()
    }

    /// Lines kept back by `logging rate-limit`.
    #[must_use]
    pub fn rate_limited(&self) -> u64 {
        self.limited.get()
    }

    /// It can be reached, as far as is known.
    #[must_use]
    pub fn up(&self) -> bool {
        self.up.get()
    }

    /// Nothing is queued or being sent.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.queue.borrow().is_empty() && !self.busy.get()
    }

    /// The next line and its number; from now on the host is busy.
    pub async fn next(&self) -> (Rc<Line>, u64) {
        loop {
            if let Some(line) = self.queue.borrow_mut().pop_front() {
                self.busy.set(true);
                return line;
            }
            self.filled.notified().await;
        }
    }

    /// Gives it a task if it has none.
    pub fn served_by(&self, spawn: impl FnOnce() -> JoinHandle<()>) {
        self.task.borrow_mut().get_or_insert_with(spawn);
    }

    /// A message as it travels to it; `local` is the address it leaves from.
    #[must_use]
    pub fn framed(
        &self,
        line: &Line,
        number: u64,
        header: &Header,
        local: Option<IpAddr>,
    ) -> Vec<u8> {
        let message = syslog::message(line, header, &self.target, number, local);
        syslog::framed(message, header, self.target.protocol)
    }

    /// It was reached.
    pub fn connected(&self) {
        self.up.set(true);
    }

    /// An attempt to send a line ended, one way or the other.
    pub fn attempted(&self) {
        self.busy.set(false);
    }

    /// A line went out; answers what the log is to say of it, after failures.
    pub fn delivered(&self) -> Option<Message> {
        self.sent.set(self.sent.get() + 1);
        let again = self.failed.replace(false);
        again.then(|| self.started("started - reconnection"))
    }

    /// It cannot be reached; answers what the log is to say of it, the first time.
    pub fn lost(&self, error: &io::Error) -> Option<Message> {
        self.up.set(false);
        let known = self.failed.replace(true);
        (!known).then(|| self.failure(error))
    }

    /// What `%SYS-6-LOGGINGHOST_STARTSTOP` says of it.
    pub(super) fn started(&self, how: &str) -> Message {
        let Target { host, port, .. } = &self.target;
        let text = format!("Logging to host {host} port {port} {how}");
        Message::system(
            "SYS",
            Severity::Informational,
            "LOGGINGHOST_STARTSTOP",
            text,
        )
    }

    fn failure(&self, error: &io::Error) -> Message {
        let Target { host, port, .. } = &self.target;
        let text = format!("Logging to host {host} port {port} failed: {error}");
        Message::system("SYS", Severity::Errors, "LOGGINGHOST_FAIL", text)
    }
}
