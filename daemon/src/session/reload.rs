//! `reload`, at once or later. Called by `exec`.

use isthmus_control::Status;
use isthmus_grammar::command::ReloadCommand;

use super::{CommandError, Outcome, Session};
use crate::change_control::reload::{self, DEFAULT_REASON, Plan};

impl Session {
    pub(super) async fn reload(&mut self, command: ReloadCommand) -> Outcome {
        let now = self.router.borrow().clock.zoned();
        let plan = match &command {
            ReloadCommand::Cancel => return self.cancel_reload().await,
            ReloadCommand::Now { .. } => None,
            ReloadCommand::In { delay, reason } => {
                Some(Plan::within(delay, reason.as_deref(), &now))
            }
            ReloadCommand::At {
                time,
                day_and_reason,
            } => Some(Plan::at(time, day_and_reason.as_deref(), &now)),
        };
        let plan = plan.transpose()?;
        if !self.saved_or_told().await? {
            return Ok(Status::Failed);
        }
        if let Some(plan) = &plan {
            self.io.output(&plan.announce(self.user.name())).await?;
        }
        if !self.confirm("Proceed with reload? ").await? {
            return Ok(Status::Failed);
        }
        match (plan, command) {
            (Some(plan), _) => {
                reload::schedule(&self.router, plan, self.user.name());
                Ok(Status::Ok)
            }
            (None, ReloadCommand::Now { reason }) => {
                let reason = reason.as_deref().unwrap_or(DEFAULT_REASON);
                self.router.borrow_mut().reload(self.user.name(), reason);
                self.bye = Some("The router reloads.".into());
                Ok(Status::Ok)
            }
            _ => Ok(Status::Ok),
        }
    }

    /// The banner is the answer here, before the next prompt, and a message everywhere else.
    async fn cancel_reload(&mut self) -> Outcome {
        let cancelled = self.router.borrow_mut().cancel_reload(self.user.name());
        let banner = cancelled?;
        for line in &banner {
            let router = self.router.borrow();
            router.sessions.tell_others(self.id, line);
        }
        self.say(banner.join("\n") + "\n").await
    }

    /// Asks whether to save what was changed; false when the reload is given up.
    async fn saved_or_told(&mut self) -> Result<bool, CommandError> {
        if !self.is_modified() {
            return Ok(true);
        }
        let prompt = "System configuration has been modified. Save?";
        Ok(match self.yes_or_no(prompt).await? {
            None => false,
            Some(true) => self.save().await? == Status::Ok,
            Some(false) => true,
        })
    }
}
