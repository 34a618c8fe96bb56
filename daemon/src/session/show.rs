//! `show ...`: the router's state into a screen or a JSON document. Called by `exec`.

use isthmus_control::{Reply, Status};
use isthmus_grammar::command::{FilterFile, ShowCommand, ShowCrypto};
use isthmus_grammar::{InterfaceName, Mode, parser, walk};

use super::screens::{FULL, Pieces};
use super::{CommandError, Outcome, Session};
use crate::show::ipsec;
use crate::show::screen::Document;
use crate::show::snapshot::{Flow, SessionFacts, ShowContext};
use crate::show::{self, Snapshot};
use crate::storage::{Location, StorageError};
use crate::view::{self, FlowReader};

impl Session {
    pub(super) async fn show(&mut self, command: &ShowCommand) -> Outcome {
        if let Some((filter, detail)) = every_sa(command) {
            return self.show_sas(&filter, detail).await;
        }
        let wanted = command.clone();
        self.print(command, move |snapshot| {
            show::screen(snapshot, &wanted).text()
        })
        .await
    }

    /// `show ... | json`, typed as `line`.
    pub(super) async fn show_json(&mut self, command: &ShowCommand, line: &str) -> Outcome {
        let spelled = spelled_out(self.mode(), line);
        if let Some((filter, _)) = every_sa(command) {
            return self.show_sas_json(&filter, &spelled).await;
        }
        let wanted = command.clone();
        self.print(command, move |snapshot| {
            let document = Document {
                command: &spelled,
                hostname: snapshot.running.hostname(),
                time: &snapshot.now,
                data: &*show::screen(snapshot, &wanted),
            };
            document.print()
        })
        .await
    }

    /// `show crypto ipsec sa`, the longest of all: flow by flow as it is read.
    async fn show_sas(&mut self, filter: &ipsec::Filter, detail: bool) -> Outcome {
        let mut printer = ipsec::Printer::new(detail);
        let more = |flows: &[Flow]| printer.more(flows, filter);
        self.print_flows(filter, more).await?;
        self.say(printer.end()).await
    }

    async fn show_sas_json(&mut self, filter: &ipsec::Filter, spelled: &str) -> Outcome {
        let mut printer = {
            let router = self.router.borrow();
            let document = Document {
                command: spelled,
                hostname: router.running.hostname(),
                time: &router.clock.zoned(),
                data: &ipsec::sas(&[], filter, false),
            };
            ipsec::JsonPrinter::new(&document.print())
        };
        let more = |flows: &[Flow]| printer.more(flows, filter);
        self.print_flows(filter, more).await?;
        self.say(printer.end()).await
    }

    /// Prints the flows that a filter takes, a few at a time: the next ones when those are read.
    async fn print_flows(
        &self,
        filter: &ipsec::Filter,
        mut print: impl FnMut(&[Flow]) -> String,
    ) -> Result<(), CommandError> {
        let kernel = self.router.borrow().kernel.clone();
        let mut flows = FlowReader::new(&self.router, self.screens.counters.clone());
        loop {
            let next = flows.next(&self.router, &kernel, |flow| filter.takes(flow));
            let Some(flows) = next.await? else {
                return Ok(());
            };
            self.io.output(&print(&flows)).await?;
            tokio::task::yield_now().await;
        }
    }

    /// What only the session can find out: it takes files and questions.
    async fn facts(&mut self, command: &ShowCommand) -> Result<SessionFacts, CommandError> {
        match command {
            ShowCommand::Archive(what) => self.archive_facts(what).await,
            ShowCommand::Flash => {
                let directory = self.directory(None, false, false).await?;
                Ok(SessionFacts {
                    directory,
                    ..SessionFacts::default()
                })
            }
            _ => Ok(SessionFacts::default()),
        }
    }

    /// `show ... | redirect flash:x` and its kin. The console has the filters that write to the machine.
    pub(super) async fn show_into(
        &mut self,
        command: &ShowCommand,
        file: FilterFile<'_>,
    ) -> Outcome {
        let to = self.target(file)?;
        let text = self.text(command).await?;
        if file.show {
            self.io.output(&text).await?;
        }
        let mut bytes = match &to {
            Location::Local(before) if file.append && self.exists(before.clone()).await => {
                self.read(&to).await?
            }
            _ => Vec::new(),
        };
        bytes.extend(text.into_bytes());
        self.write(&to, bytes, file.name).await?;
        Ok(Status::Ok)
    }

    /// Where a filter may write to: operators who may copy there may write there.
    fn target(&self, file: FilterFile<'_>) -> Result<Location, StorageError> {
        let refuse = |reason: &str| Err(StorageError::new("opening", file.name, reason));
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
    async fn text(&mut self, command: &ShowCommand) -> Result<String, CommandError> {
        let wanted = command.clone();
        let print = move |snapshot: &Snapshot| show::screen(snapshot, &wanted).text();
        self.made(command, print).await
    }

    /// Prints what a command shows, as it is read.
    async fn print(
        &mut self,
        command: &ShowCommand,
        print: impl FnOnce(&Snapshot) -> String + Send + 'static,
    ) -> Outcome {
        let pieces = move |snapshot: &Snapshot| Pieces::cut(&print(snapshot));
        let pieces = self.made(command, pieces).await?;
        let Some(mut unread) = self.screens.hold(pieces) else {
            return Err(FULL.into());
        };
        while let Some(text) = unread.next_piece() {
            self.io.send(Reply::Output { text }).await?;
        }
        Ok(Status::Ok)
    }

    /// What is made of a snapshot, away from the packet loop, or why it cannot be.
    async fn made<T: Send + 'static>(
        &mut self,
        command: &ShowCommand,
        make: impl FnOnce(&Snapshot) -> T + Send + 'static,
    ) -> Result<T, CommandError> {
        let facts = self.facts(command).await?;
        let context = self.show_context();
        let _turn = self.screens.turn().await;
        let snapshot = view::take(&self.router, command, context, facts, self.id).await?;
        let made = tokio::task::spawn_blocking(move || make(&snapshot)).await;
        made.map_err(|_| "% The screen could not be made\n".into())
    }

    /// The interface is in the running-config or in the kernel.
    pub(super) fn is_known(&self, name: &InterfaceName) -> bool {
        let router = self.router.borrow();
        router.running.interfaces.get(name).is_some() || router.interfaces.find(name).is_some()
    }

    fn show_context(&self) -> ShowContext {
        let settings = (self.terminal.length, self.terminal.width);
        let (length, width) = self.screen.unwrap_or(settings);
        ShowContext {
            privilege: self.level,
            line: self.user.line.clone(),
            length,
            width,
            monitor: self.router.borrow().log.monitors(self.id),
            history_size: self.terminal.history,
            history: self.histories.last(self.mode(), self.terminal.history),
        }
    }
}

/// `show crypto ipsec sa`: its filter, and whether it is `detail`.
fn every_sa(command: &ShowCommand) -> Option<(ipsec::Filter, bool)> {
    match command {
        ShowCommand::Crypto(ShowCrypto::IpsecSa {
            peer,
            map,
            interface,
            detail,
        }) => Some((
            ipsec::Filter::new(*peer, map.as_deref(), interface.as_ref()),
            *detail,
        )),
        _ => None,
    }
}

/// A `show` in whole words, without `do` before and the bar behind it.
fn spelled_out(mode: Mode, line: &str) -> String {
    let expanded = walk::expand(mode, line).map_or_else(|_| line.to_owned(), |whole| whole.line);
    let command = expanded.split('|').next().unwrap_or_default().trim_end();
    command.strip_prefix("do ").unwrap_or(command).to_owned()
}
