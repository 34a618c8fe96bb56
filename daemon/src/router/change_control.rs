//! What the router remembers of what happens to its configuration over time: the change that waits to be confirmed, the copies,
//! the scheduled reload, the lock, the log of what was typed. The tasks and commands that work on it are in the folder
//! `change_control`; `view` reads it for the screens.

use std::rc::Rc;
use std::time::Duration;

use isthmus_grammar::command::RevertTimer;
use jiff::ZonedDateTime;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::Current;
use crate::operators::SessionId;
use crate::router::config_log::ConfigLog;
use crate::router::lock::Lock;

const MINUTE: Duration = Duration::from_secs(60);

/// What one router keeps of it.
#[derive(Debug, Default)]
pub struct ChangeControl {
    /// The change that waits to be confirmed.
    pub rollback: Option<Pending>,
    /// The session that alone may configure.
    pub lock: Option<Lock>,
    /// The scheduled reload.
    pub reload: Option<Scheduled>,
    /// The copies of the configuration.
    pub archive: Copies,
    /// What operators configured.
    pub config_log: ConfigLog,
}

/// A change that waits to be confirmed.
#[derive(Debug)]
pub struct Pending {
    /// How long, and whether commands start the time again.
    pub timer: RevertTimer,
    /// When the timer was set.
    pub since: Instant,
    /// The last command of the session that set it.
    pub active: Instant,
    /// When the timer was set, on the clock.
    pub at: ZonedDateTime,
    /// Who set it.
    pub user: String,
    /// On which session.
    pub session: SessionId,
    /// The configuration to return to.
    pub before: Current,
    /// The warning of the last minute was given.
    pub warned: bool,
    /// Wakes the task that watches: the timer is another.
    pub changed: Rc<Notify>,
    /// The task that waits for it.
    pub watch: Watch,
}

impl Pending {
    /// When the configuration is rolled back.
    #[must_use]
    pub fn due(&self) -> Instant {
        match self.timer {
            RevertTimer::Absolute(minutes) => self.since + MINUTE * u32::from(minutes),
            RevertTimer::Idle(minutes) => self.active + MINUTE * u32::from(minutes),
        }
    }
}

/// The copies under the present path.
#[derive(Debug, Default)]
pub struct Copies {
    /// Which there are.
    pub list: List,
    /// When the last was made, for `time-period`.
    pub last: Option<Instant>,
}

/// Which copies there are, as kept in the state directory.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct List {
    /// The configured path that they are under.
    pub path: String,
    /// The number of the next copy.
    pub next: u64,
    /// Oldest first.
    pub files: Vec<String>,
}

/// A reload that is to come.
#[derive(Debug)]
pub struct Scheduled {
    /// When, on the clock.
    pub at: ZonedDateTime,
    /// The same moment.
    pub due: Instant,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The task that waits for it.
    pub watch: Watch,
}

/// A task that ends with its owner.
#[derive(Debug)]
pub struct Watch(pub JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}
