//! EXEC commands: which function obeys which, and the short ones. Called by the session.

use isthmus_control::{Reply, Status, TerminalSettings};
use isthmus_grammar::command::{
    DebugTopic, ExecCommand, FilterFile, ShowCommand, TerminalCommand, WriteTarget,
};
use isthmus_grammar::privilege::FULL;
use isthmus_grammar::{Refusal, walk};

use super::{Outcome, Session};
use crate::log::Severity;
use crate::show::system::NO_CONNECTIONS;

const HELP: &str = "\
Type ? at any point of a command: after a blank for everything that can
come next, inside a word for the words that begin so. An answer without
entries means that what was typed so far is no command.
Words may be shortened as far as they stay unambiguous; Tab completes them.
";

impl Session {
    /// Obeys a command, typed as `line`; with `json` the facts of a `show` are wanted instead of its text, `file` takes
    /// its text.
    pub(super) async fn exec(
        &mut self,
        command: ExecCommand,
        line: &str,
        json: bool,
        file: Option<FilterFile<'_>>,
    ) -> Outcome {
        if command.interface().is_some_and(|name| !self.is_known(name)) {
            let column = walk::interface_column(self.mode(), &self.access(), line);
            let column = column.unwrap_or_default();
            return self.refuse(Refusal::Invalid { column }, line).await;
        }
        match command {
            ExecCommand::ArchiveConfig => self.archive().await,
            ExecCommand::Clear(what) => self.clear(what).await,
            ExecCommand::Configure(command) => self.enter_configuration(command).await,
            ExecCommand::Copy {
                source,
                destination,
            } => self.copy(source, destination).await,
            ExecCommand::Debug(topic) => self.debug(topic, true).await,
            ExecCommand::Undebug(topic) => self.debug(topic, false).await,
            ExecCommand::DebugCondition { on, condition } => {
                let changed = {
                    let mut router = self.router.borrow_mut();
                    router.debugging.conditions.change(condition, on)
                };
                changed?;
                Ok(Status::Ok)
            }
            ExecCommand::Disable(level) => self.disable(level).await,
            ExecCommand::Enable(level) => {
                let outcome = self.enable(level).await?;
                self.tell_privilege(level.unwrap_or(FULL), outcome);
                Ok(outcome)
            }
            ExecCommand::EraseStartupConfig | ExecCommand::Write(WriteTarget::Erase) => {
                self.erase().await
            }
            ExecCommand::Exit => {
                self.bye = Some(String::new());
                Ok(Status::Ok)
            }
            ExecCommand::File(command) => self.file(command).await,
            ExecCommand::Help => self.say(HELP).await,
            ExecCommand::Ping(ping) => self.ping(ping).await,
            ExecCommand::Reload(command) => self.reload(command).await,
            ExecCommand::Resume => self.fail(NO_CONNECTIONS).await,
            ExecCommand::Show(show) => match (json, file) {
                (true, _) => self.show_json(&show, line).await,
                (false, Some(file)) => self.show_into(&show, file).await,
                (false, None) => self.show(&show).await,
            },
            ExecCommand::Terminal(command) => self.set_terminal(command).await,
            ExecCommand::Traceroute(trace) => self.traceroute(trace).await,
            ExecCommand::Write(WriteTarget::Memory) => self.save().await,
            ExecCommand::Write(WriteTarget::Terminal) => {
                self.show(&ShowCommand::RunningConfig {
                    all: false,
                    brief: false,
                    interface: None,
                })
                .await
            }
        }
    }

    /// `logging userinfo`: who asked for a privilege level.
    fn tell_privilege(&self, level: u8, outcome: Status) {
        let mut router = self.router.borrow_mut();
        if !router.running.logging.userinfo {
            return;
        }
        let who = self.user.by();
        let (mnemonic, what) = match outcome {
            Status::Ok => ("PRIV_AUTH_PASS", format!("Privilege level set to {level}")),
            _ => (
                "PRIV_AUTH_FAIL",
                format!("Authentication to Privilege level {level} failed"),
            ),
        };
        router.notice(
            Severity::Notifications,
            mnemonic,
            format!("{what} by {who}"),
        );
    }

    async fn debug(&mut self, topic: DebugTopic, on: bool) -> Outcome {
        let text = {
            let mut router = self.router.borrow_mut();
            let text = router.debugging.change(topic, on);
            router.debugging_changed();
            text
        };
        self.say(text).await
    }

    async fn set_terminal(&mut self, command: TerminalCommand) -> Outcome {
        let default = TerminalSettings::default();
        match command {
            TerminalCommand::History(false) => self.terminal.history = 0,
            TerminalCommand::History(true) if self.terminal.history > 0 => {}
            TerminalCommand::History(true) => self.terminal.history = default.history,
            TerminalCommand::HistorySize(size) => {
                self.terminal.history = size.map_or(default.history, u32::from);
            }
            TerminalCommand::Length(length) => {
                self.terminal.length = length.map_or(default.length, u32::from);
            }
            TerminalCommand::Width(width) => {
                self.terminal.width = width.map_or(default.width, u32::from);
            }
            TerminalCommand::Monitor(on) => {
                let mut router = self.router.borrow_mut();
                router.log.forget(self.id);
                if on {
                    router.log.monitor(self.id, self.io.log_lines());
                }
                return Ok(Status::Ok);
            }
        }
        self.io.send(Reply::Terminal(self.terminal)).await?;
        Ok(Status::Ok)
    }
}
