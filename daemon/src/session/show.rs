//! `show ...`: the router's state into a screen.

use isthmus_grammar::Mode;
use isthmus_grammar::command::ShowCommand;

use super::{Outcome, Session};
use crate::show::snapshot::Asking;
use crate::view;

impl Session {
    pub(super) async fn show(&mut self, command: &ShowCommand) -> Outcome {
        match command {
            ShowCommand::Archive(what) => return self.show_archive(what).await,
            ShowCommand::ConfigurationLock => {
                let text = self.router.borrow().show_lock();
                return self.say(text).await;
            }
            ShowCommand::Reload => {
                let text = self.router.borrow().show_reload();
                return self.say(text).await;
            }
            _ => {}
        }
        let asking = self.asking();
        match view::screen(&self.router, command, &asking, self.id).await {
            Ok(text) => self.say(text).await,
            Err(error) => self.fail(format!("% {error}\n")).await,
        }
    }

    fn asking(&self) -> Asking {
        let privileged = self.mode() != Mode::UserExec;
        Asking {
            privilege: if privileged { 15 } else { 1 },
            line: self.user.line.clone(),
            length: self.terminal.length,
            width: self.terminal.width,
            monitor: self.router.borrow().log.monitors(self.id),
            history_size: self.terminal.history,
            history: self.histories.last(self.mode(), self.terminal.history),
        }
    }
}
