//! What a login gives instead of a prompt: `autocommand` of the user or of the line. With it `username ... one-time`.
//!
//! The console is told the command and sends it back without its output filter, which is the console's own business. The
//! first line that it sends must be that command, with its own filter or none: the session takes no other.

use isthmus_control::{Reply, Status};
use isthmus_grammar::parser;

use super::Session;
use super::io::Disconnected;
use crate::config::model::Change;

/// The command that a session begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Autocommand {
    /// As it is configured, aliases spelled out.
    line: String,
    /// The session ends with it.
    last: bool,
}

impl Session {
    /// Takes what the caller's `username` line and its line say about a login: the command to begin with, and that a
    /// `one-time` user is gone now. Root goes by neither, unless it was `asked` who it is.
    pub(super) fn take_up(&mut self, asked: bool) {
        if self.trusted && !asked {
            return;
        }
        self.automatic = self.autocommand();
        self.use_up();
    }

    fn autocommand(&self) -> Option<Autocommand> {
        let (line, last) = self
            .known_user()
            .filter(|_| self.authorized())
            .and_then(|user| Some((user.autocommand?, !user.no_hangup)))
            .or_else(|| Some((self.settings().autocommand?, true)))?;
        let spelled = self.access_to_tell().spell_out(self.mode(), &line);
        let line = spelled.map_or(line, |spelled| spelled.line);
        Some(Autocommand { line, last })
    }

    /// `username ... one-time`
    fn use_up(&mut self) {
        let Some(name) = &self.user.name else {
            return;
        };
        let mut router = self.router.borrow_mut();
        if !(router.running.users.get(name)).is_some_and(|user| user.one_time) {
            return;
        }
        router.running.users.shift_remove(name);
        router.running.note(Change::System);
        router.changed_by(name);
    }

    /// The end of a login: the command to begin with, if there is one, and the first prompt.
    pub(super) async fn end_login(&mut self) -> Result<(), Disconnected> {
        if let Some(Autocommand { line, last }) = self.automatic.clone() {
            self.io.send(Reply::Autocommand { line, last }).await?;
        }
        self.done(Status::Ok).await
    }

    /// The first line of a session that begins with a command.
    pub(super) async fn begin(
        &mut self,
        automatic: Autocommand,
        line: &str,
    ) -> Result<(), Disconnected> {
        let access = self.access();
        let read = |line| parser::parse_as(self.mode(), &access, line);
        let same = match (read(line), read(&automatic.line)) {
            (Ok(sent), Ok(own)) => {
                let filtered = sent.filter.is_none() || sent.filter == own.filter;
                sent.command == own.command && filtered
            }
            (Err(_), Err(_)) => true,
            _ => false,
        };
        if !same {
            self.bye = Some("% This login is for its automatic command only".into());
            return Ok(());
        }
        // Set beforehand: no prompt is to follow.
        self.bye = automatic.last.then(String::new);
        self.line(line).await
    }
}
