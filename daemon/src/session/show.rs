//! `show ...`: the router's state into a screen or a JSON document.

use isthmus_grammar::command::ShowCommand;
use isthmus_grammar::{InterfaceName, Mode, walk};

use super::files::Done;
use super::{Outcome, Session};
use crate::show::screen::Document;
use crate::show::snapshot::Asking;
use crate::show::upkeep::Prepared;
use crate::show::{self, Snapshot};
use crate::view;

impl Session {
    pub(super) async fn show(&mut self, command: &ShowCommand) -> Outcome {
        self.show_as(command, |snapshot| show::screen(snapshot, command).text())
            .await
    }

    /// `show ... | json`, typed as `line`.
    pub(super) async fn show_json(&mut self, command: &ShowCommand, line: &str) -> Outcome {
        let spelled = spelled_out(self.mode(), line);
        let print = |snapshot: &Snapshot<'_>| {
            let document = Document {
                command: &spelled,
                hostname: snapshot.running.hostname(),
                time: &snapshot.now,
                data: &*show::screen(snapshot, command),
            };
            document.print()
        };
        self.show_as(command, print).await
    }

    /// What only the session can find out: it takes files and questions.
    async fn prepare(&mut self, command: &ShowCommand) -> Done<Prepared> {
        Ok(match command {
            ShowCommand::Archive(what) => self.prepare_archive(what).await?,
            ShowCommand::Flash => self.directory(None, false, false).map(Prepared::of_lines),
            ShowCommand::ConfigurationLock => Ok(Prepared {
                lock: self.router.borrow().locked(),
                ..Prepared::default()
            }),
            ShowCommand::Reload => Ok(Prepared {
                reload: self.router.borrow().scheduled(),
                ..Prepared::default()
            }),
            _ => Ok(Prepared::default()),
        })
    }

    async fn show_as(
        &mut self,
        command: &ShowCommand,
        print: impl FnOnce(&Snapshot<'_>) -> String,
    ) -> Outcome {
        if let Some(name) = command.interface().filter(|name| !self.is_known(name)) {
            return self.fail(unknown_interface(name)).await;
        }
        let prepared = match self.prepare(command).await? {
            Ok(prepared) => prepared,
            Err(text) => return self.answer(Err(text)).await,
        };
        let mut asking = self.asking();
        asking.prepared = prepared;
        match view::with_snapshot(&self.router, command, &asking, self.id, print).await {
            Ok(text) => self.say(text).await,
            Err(error) => self.fail(format!("% {error}\n")).await,
        }
    }

    /// The interface is in the running-config or in the kernel.
    pub(super) fn is_known(&self, name: &InterfaceName) -> bool {
        let router = self.router.borrow();
        router.running.interfaces.get(name).is_some() || router.interfaces.find(name).is_some()
    }

    fn asking(&self) -> Asking {
        Asking {
            privilege: self.level,
            line: self.user.line.clone(),
            length: self.terminal.length,
            width: self.terminal.width,
            monitor: self.router.borrow().log.monitors(self.id),
            history_size: self.terminal.history,
            history: self.histories.last(self.mode(), self.terminal.history),
            prepared: Prepared::default(),
        }
    }
}

/// The answer to an interface that is not there.
pub(super) fn unknown_interface(name: &InterfaceName) -> String {
    format!("% Invalid interface {name}: not configured, and not on this machine\n")
}

/// A `show` in whole words, without `do` before and the bar behind it.
fn spelled_out(mode: Mode, line: &str) -> String {
    let expanded = walk::expand(mode, line).map_or_else(|_| line.to_owned(), |whole| whole.line);
    let command = expanded.split('|').next().unwrap_or_default().trim_end();
    command.strip_prefix("do ").unwrap_or(command).to_owned()
}
