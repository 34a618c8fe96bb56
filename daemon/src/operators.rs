//! Who is logged in and on which line: for `show users`, `clear line`, log messages, and the limits on sessions.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use isthmus_control::Hello;
use isthmus_grammar::command::{LineKind, LineRef};
use tokio::sync::mpsc::Sender;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use crate::config::model::LineId;

/// Sessions at once.
const LIMIT: usize = 64;
/// Of these, the ones that only root and the daemon's own user get: no other user can shut them out.
const RESERVED: usize = 4;
/// Passwords that are checked at the same time: each check takes a processor and 16 MiB for a moment.
const CHECKS: usize = 2;
/// Lines before the first vty: the console and the auxiliary line.
const BEFORE_VTYS: u16 = 2;

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

    /// As `%SYS-5-CONFIG_I` names the operator who configured: `console by console`, `console by ann on vty0 (192.0.2.1)`.
    #[must_use]
    pub fn configured_by(&self) -> String {
        format!("console by {}", self.by())
    }

    /// As other messages name who did something: `console`, `ann on vty0 (192.0.2.1)`.
    #[must_use]
    pub fn by(&self) -> String {
        let name = self.name.as_deref().unwrap_or("console");
        let line = if self.line.is_empty() {
            "console"
        } else {
            &self.line
        };
        match self.source {
            Some(source) => format!("{name} on {line} ({source})"),
            None if name == line => name.to_owned(),
            None => format!("{name} on {line}"),
        }
    }

    /// The name in the header of `show running-config`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("console")
    }

    /// As the configuration change logger names the operator who typed a command.
    #[must_use]
    pub fn logged_as(&self) -> &str {
        match &self.name {
            Some(name) => name,
            None if self.line == "console" => "console",
            None => "unknown user",
        }
    }

    /// The address in log messages; `0.0.0.0` for an operator at the machine itself.
    #[must_use]
    pub fn address(&self) -> String {
        self.source
            .map_or_else(|| "0.0.0.0".to_owned(), |source| source.to_string())
    }
}

/// What of a text can stand in a log line.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_graphic())
        .take(32)
        .collect()
}

/// The number of a line among all lines: the console is 0, the auxiliary line 1, the vtys come after them.
#[must_use]
pub fn absolute(line: LineId) -> u16 {
    match line.kind {
        LineKind::Console => 0,
        LineKind::Aux => 1,
        LineKind::Vty => line.number.saturating_add(BEFORE_VTYS),
    }
}

/// The line that an operator names.
#[must_use]
pub fn named(line: LineRef) -> LineId {
    let (kind, number) = match line {
        LineRef::Relative(kind, number) => (kind, number),
        LineRef::Absolute(0) => (LineKind::Console, 0),
        LineRef::Absolute(1) => (LineKind::Aux, 0),
        LineRef::Absolute(number) => (LineKind::Vty, number - BEFORE_VTYS),
    };
    LineId { kind, number }
}

/// One session as others see it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who.
    pub user: User,
    /// On which line.
    pub line: LineId,
    /// When the last command came.
    pub active: Instant,
    /// Ends the session when told.
    pub clear: Rc<Notify>,
    /// What can be typed may have changed.
    pub commands: Rc<Notify>,
}

/// All sessions.
#[derive(Debug)]
pub struct Sessions {
    entries: BTreeMap<SessionId, Entry>,
    /// Where each takes lines that are not the answer to a command.
    terminals: BTreeMap<SessionId, Sender<String>>,
    next: u64,
    /// How often each line was used.
    uses: BTreeMap<LineId, u64>,
    /// Leave to check a password.
    pub checks: Rc<Semaphore>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            terminals: BTreeMap::new(),
            next: 0,
            uses: BTreeMap::new(),
            checks: Rc::new(Semaphore::new(CHECKS)),
        }
    }
}

impl Sessions {
    /// Takes one more, on the console if it wants it and it is free, otherwise on the first free vty; `None` when there
    /// are too many. `trusted`: root, or the user that the daemon runs as.
    pub fn enter(
        &mut self,
        mut user: User,
        console: bool,
        trusted: bool,
    ) -> Option<(SessionId, Entry)> {
        let limit = if trusted { LIMIT } else { LIMIT - RESERVED };
        if self.entries.len() >= limit {
            return None;
        }
        let line = self.free(console)?;
        user.line = match line.kind {
            LineKind::Console => "console".to_owned(),
            kind => format!("{kind}{}", line.number),
        };
        self.next += 1;
        let id = SessionId(self.next);
        let entry = Entry {
            user,
            line,
            active: Instant::now(),
            clear: Rc::new(Notify::new()),
            commands: Rc::new(Notify::new()),
        };
        *self.uses.entry(line).or_default() += 1;
        self.entries.insert(id, entry.clone());
        Some((id, entry))
    }

    fn free(&self, console: bool) -> Option<LineId> {
        let first = LineId {
            kind: LineKind::Console,
            number: 0,
        };
        let vtys = (0..=LIMIT as u16).map(|number| LineId {
            kind: LineKind::Vty,
            number,
        });
        let taken = |line: &LineId| self.entries.values().any(|entry| entry.line == *line);
        let wanted = std::iter::once(first).filter(|_| console).chain(vtys);
        wanted.into_iter().find(|line| !taken(line))
    }

    /// A command came.
    pub fn active(&mut self, id: SessionId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.active = Instant::now();
        }
    }

    /// Where a session takes lines that are not the answer to a command.
    pub fn listen(&mut self, id: SessionId, lines: Sender<String>) {
        self.terminals.insert(id, lines);
    }

    /// Shows a line at every session; one that does not keep up misses it.
    pub fn tell_all(&self, line: &str) {
        self.tell(line, None);
    }

    /// The same at every session but one.
    pub fn tell_others(&self, but: SessionId, line: &str) {
        self.tell(line, Some(but));
    }

    fn tell(&self, line: &str, but: Option<SessionId>) {
        for (_, terminal) in self.terminals.iter().filter(|(id, _)| Some(**id) != but) {
            let _ = terminal.try_send(line.to_owned());
        }
    }

    /// An operator logged in on a session.
    pub fn named(&mut self, id: SessionId, name: &str) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.user.name = Some(printable(name));
        }
    }

    /// It is over.
    pub fn leave(&mut self, id: SessionId) {
        self.terminals.remove(&id);
        self.entries.remove(&id);
    }

    /// Ends the session on a line, if there is one.
    pub fn clear(&self, line: LineId) {
        for entry in self.entries.values().filter(|entry| entry.line == line) {
            entry.clear.notify_one();
        }
    }

    /// Lets every session tell its console what can be typed now.
    pub fn commands_changed(&self) {
        for entry in self.entries.values() {
            entry.commands.notify_one();
        }
    }

    /// How often a line was used.
    #[must_use]
    pub fn uses(&self, line: LineId) -> u64 {
        self.uses.get(&line).copied().unwrap_or(0)
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (SessionId, &Entry)> {
        self.entries.iter().map(|(id, entry)| (*id, entry))
    }
}
