//! The daemon's own output: standard error, or the journal. A thread of its own writes, so that a reader who is slow, or
//! stopped, never holds up the router; what does not fit into its queue is dropped and counted.

use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::journal::Journal;

/// How long the last lines may take when the daemon stops.
const FAREWELL: Duration = Duration::from_millis(500);

/// Where console lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Console {
    /// Standard error, as lines with time stamps.
    Stderr,
    /// The journal's socket, as entries with fields.
    Journal(PathBuf),
    /// Nowhere (tests).
    Nowhere,
}

impl Console {
    /// The journal when the service manager says that it reads standard error, standard error otherwise.
    #[must_use]
    pub fn detect() -> Self {
        let socket = Path::new(super::journal::SOCKET);
        if super::journal::reads_stderr() && socket.exists() {
            Self::Journal(socket.to_owned())
        } else {
            Self::Stderr
        }
    }
}

/// The queue to the thread that writes.
#[derive(Debug)]
pub(super) struct Writer {
    console: Console,
    shared: Option<Arc<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Vec<u8>>,
    writing: bool,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    pub(super) fn new(console: Console) -> Self {
        Self {
            console,
            shared: None,
        }
    }

    pub(super) fn console(&self) -> &Console {
        &self.console
    }

    /// Takes one line or journal entry; false when `limit` of them wait already.
    pub(super) fn push(&mut self, bytes: Vec<u8>, limit: usize) -> bool {
        let console = &self.console;
        let shared = self.shared.get_or_insert_with(|| start(console.clone()));
        let mut state = shared.lock();
        if state.queue.len() >= limit {
            return false;
        }
        state.queue.push_back(bytes);
        shared.changed.notify_all();
        true
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let Some(shared) = &self.shared else {
            return;
        };
        let mut state = shared.lock();
        state.closed = true;
        shared.changed.notify_all();
        let busy = |state: &mut State| state.writing || !state.queue.is_empty();
        // A reader that stands still does not keep the daemon from stopping.
        let _ = shared.changed.wait_timeout_while(state, FAREWELL, busy);
    }
}

fn start(console: Console) -> Arc<Shared> {
    let shared = Arc::new(Shared::default());
    let ours = shared.clone();
    std::thread::spawn(move || write_all(&console, &ours));
    shared
}

fn write_all(console: &Console, shared: &Shared) {
    let mut journal = match console {
        Console::Journal(path) => Some(Journal::new(path.clone())),
        Console::Stderr | Console::Nowhere => None,
    };
    loop {
        let Some(bytes) = next(shared) else {
            return;
        };
        match &mut journal {
            Some(journal) => journal.send(&bytes),
            // A closed standard error must not stop the router.
            None => drop(std::io::stderr().lock().write_all(&bytes)),
        }
        shared.lock().writing = false;
        shared.changed.notify_all();
    }
}

fn next(shared: &Shared) -> Option<Vec<u8>> {
    let idle = |state: &mut State| state.queue.is_empty() && !state.closed;
    let waited = shared.changed.wait_while(shared.lock(), idle);
    let mut state = waited.unwrap_or_else(PoisonError::into_inner);
    let bytes = state.queue.pop_front()?;
    state.writing = true;
    Some(bytes)
}
