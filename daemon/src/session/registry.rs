//! Who is logged in: for `show users`, for log messages, and for the limit on sessions.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Instant;

use isthmus_control::Hello;
use tokio::sync::mpsc::Sender;

/// Sessions at once.
const LIMIT: usize = 64;
/// Of these, the ones that only root and the daemon's own user get: nobody else can shut them out.
const RESERVED: usize = 4;

/// Names a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(u64);

impl std::fmt::Display for SessionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Who sits at a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The IOS name of the line: `console`, `vty0`.
    pub line: String,
    /// The user's name.
    pub name: Option<String>,
    /// Where from.
    pub source: Option<IpAddr>,
}

impl User {
    /// As the client introduced itself; only what can stand in a log line.
    #[must_use]
    pub fn new(hello: &Hello) -> Self {
        Self {
            line: printable(&hello.line),
            name: hello
                .user
                .as_deref()
                .map(printable)
                .filter(|name| !name.is_empty()),
            source: hello.source,
        }
    }

    /// As `%SYS-5-CONFIG_I` names whoever configured: `console by console`, `console by ann on vty0 (192.0.2.1)`.
    #[must_use]
    pub fn configured_by(&self) -> String {
        let name = self.name.as_deref().unwrap_or("console");
        let line = if self.line.is_empty() {
            "console"
        } else {
            &self.line
        };
        match self.source {
            Some(source) => format!("console by {name} on {line} ({source})"),
            None if name == line => format!("console by {name}"),
            None => format!("console by {name} on {line}"),
        }
    }

    /// The name in the header of `show running-config`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("console")
    }
}

fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_graphic())
        .take(32)
        .collect()
}

/// One session as others see it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who.
    pub user: User,
    /// When the last command came.
    pub active: Instant,
}

/// All sessions.
#[derive(Debug, Default)]
pub struct Sessions {
    entries: BTreeMap<SessionId, Entry>,
    /// Where each takes lines that nobody asked for.
    ears: BTreeMap<SessionId, Sender<String>>,
    next: u64,
}

impl Sessions {
    /// Takes one more; `None` when there are too many. `trusted`: root, or whom the daemon runs as.
    pub fn enter(&mut self, user: User, trusted: bool) -> Option<SessionId> {
        let limit = if trusted { LIMIT } else { LIMIT - RESERVED };
        if self.entries.len() >= limit {
            return None;
        }
        self.next += 1;
        let id = SessionId(self.next);
        let active = Instant::now();
        self.entries.insert(id, Entry { user, active });
        Some(id)
    }

    /// A command came.
    pub fn active(&mut self, id: SessionId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.active = Instant::now();
        }
    }

    /// Where a session takes lines that nobody asked for.
    pub fn listen(&mut self, id: SessionId, lines: Sender<String>) {
        self.ears.insert(id, lines);
    }

    /// Shows a line at every session; one that does not keep up misses it.
    pub fn tell_all(&self, line: &str) {
        for ear in self.ears.values() {
            let _ = ear.try_send(line.to_owned());
        }
    }

    /// It is over.
    pub fn leave(&mut self, id: SessionId) {
        self.ears.remove(&id);
        self.entries.remove(&id);
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (SessionId, &Entry)> {
        self.entries.iter().map(|(id, entry)| (*id, entry))
    }
}
