//! How the tasks of the router wake each other, and how far engine and kernel are behind the running-config. The router holds
//! one of each; whatever changes something wakes the task that follows from it.

use std::rc::Rc;

use tokio::sync::Notify;

/// Ways to wake the tasks.
#[derive(Debug, Clone, Default)]
pub struct Wake {
    /// There is work.
    pub work: Rc<Notify>,
    /// The next timeout may be sooner.
    pub timer: Rc<Notify>,
    /// The running-config or the interfaces changed.
    pub reconcile: Rc<Notify>,
    /// A session waits for the next reconcile: it is not to be put off.
    pub reconcile_now: Rc<Notify>,
    /// A reconcile is done.
    pub reconciled: Rc<Notify>,
    /// When copies of the configuration are made may have changed.
    pub archive: Rc<Notify>,
    /// The kernel refused a policy.
    pub refused: Rc<Notify>,
    /// The daemon is to stop.
    pub stop: Rc<Notify>,
}

/// How far engine and kernel follow the running-config.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReconcileState {
    /// The task that reconciles is running.
    pub on: bool,
    /// Changes so far.
    pub asked: u64,
    /// Changes that a reconcile has seen.
    pub done: u64,
}
