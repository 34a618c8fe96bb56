//! `show ...`: the router's state into a screen or a JSON document.

use isthmus_grammar::command::{FilterFile, ShowCommand};
use isthmus_grammar::{InterfaceName, Mode, parser, walk};

use super::files::{Done, line};
use super::{Outcome, Session};
use crate::show::screen::Document;
use crate::show::snapshot::Asking;
use crate::show::upkeep::Prepared;
use crate::show::{self, Snapshot};
use crate::storage::{Location, StorageError};
use crate::view;

impl Session {
    pub(super) async fn show(&mut self, command: &ShowCommand) -> Outcome {
        let text = self.text(command).await?;
        self.answer(text).await
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
        let document = self.printed(command, print).await?;
        self.answer(document).await
    }

    /// What only the session can find out: it takes files and questions.
    async fn prepare(&mut self, command: &ShowCommand) -> Done<Prepared> {
        Ok(match command {
            ShowCommand::Archive(what) => self.prepare_archive(what).await?,
            ShowCommand::Flash => {
                let directory = self.directory(None, false, false);
                directory.map(|directory| Prepared {
                    directory,
                    ..Prepared::default()
                })
            }
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

    /// `show ... | redirect flash:x` and its kin. The console has the filters that write to the machine.
    pub(super) async fn show_into(
        &mut self,
        command: &ShowCommand,
        file: FilterFile<'_>,
    ) -> Outcome {
        let to = match self.target(file) {
            Ok(to) => to,
            Err(text) => return self.fail(text).await,
        };
        let text = match self.text(command).await? {
            Ok(text) => text,
            Err(text) => return self.answer(Err(text)).await,
        };
        if file.show {
            self.io.output(&text).await?;
        }
        let mut bytes = match &to {
            Location::Local(before) if file.append && before.exists() => {
                match self.read(&to).await? {
                    Ok(bytes) => bytes,
                    Err(text) => return self.answer(Err(text)).await,
                }
            }
            _ => Vec::new(),
        };
        bytes.extend(text.into_bytes());
        let done = self.write(&to, &bytes, file.name).await?;
        self.answer(done.map(|()| String::new())).await
    }

    /// Where a filter may write to: whoever may copy there may write there.
    fn target(&self, file: FilterFile<'_>) -> Result<Location, String> {
        let refuse = |reason: &str| Err(line(StorageError::new("opening", file.name, reason)));
        let copy = "copy running-config flash:";
        if parser::parse_as(Mode::Exec, &self.access(), copy).is_err() {
            return refuse("Permission denied");
        }
        match self.locate(file.name)? {
            Location::RunningConfig | Location::StartupConfig => {
                refuse("no place for the output of a command")
            }
            Location::Tftp(_) | Location::Scp(_) if file.append => {
                refuse("only files of flash: can be appended to")
            }
            Location::Tftp(remote) | Location::Scp(remote) if remote.path.is_empty() => {
                refuse("the name of the file is missing")
            }
            to => Ok(to),
        }
    }

    /// The text of a screen.
    async fn text(&mut self, command: &ShowCommand) -> Done<String> {
        self.printed(command, |snapshot| show::screen(snapshot, command).text())
            .await
    }

    /// What a command prints, or why it cannot.
    async fn printed(
        &mut self,
        command: &ShowCommand,
        print: impl FnOnce(&Snapshot<'_>) -> String,
    ) -> Done<String> {
        let prepared = match self.prepare(command).await? {
            Ok(prepared) => prepared,
            Err(text) => return Ok(Err(text)),
        };
        let mut asking = self.asking();
        asking.prepared = prepared;
        let printed = view::with_snapshot(&self.router, command, &asking, self.id, print).await;
        Ok(printed.map_err(|error| format!("% {error}\n")))
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

/// A `show` in whole words, without `do` before and the bar behind it.
fn spelled_out(mode: Mode, line: &str) -> String {
    let expanded = walk::expand(mode, line).map_or_else(|_| line.to_owned(), |whole| whole.line);
    let command = expanded.split('|').next().unwrap_or_default().trim_end();
    command.strip_prefix("do ").unwrap_or(command).to_owned()
}
