//! Configuration mode: lines that change the running-config, and the ways in and out.

use isthmus_control::Status;
use isthmus_grammar::command::{ConfigLine, ConfigureSource};

use super::{Outcome, Place, Session};
use crate::config::{self, Context, Origin};
use crate::log::Severity;
use crate::router::settled;

impl Session {
    /// `configure ...`
    pub(super) async fn enter_configuration(&mut self, source: ConfigureSource) -> Outcome {
        match source {
            ConfigureSource::Terminal => self.configure_terminal().await,
            ConfigureSource::Ask => {
                let prompt = "Configuring from terminal, memory, or network [terminal]? ";
                match self.ask(prompt, "terminal").await?.as_deref() {
                    None => Ok(Status::Failed),
                    Some(word) if "terminal".starts_with(word) => self.configure_terminal().await,
                    Some(word) if "memory".starts_with(word) => self.merge_startup().await,
                    Some(_) => self.fail("?Must be \"terminal\" or \"memory\"\n").await,
                }
            }
            ConfigureSource::Memory => self.merge_startup().await,
            ConfigureSource::Replace { file, force } => self.replace(&file, force).await,
        }
    }

    async fn configure_terminal(&mut self) -> Outcome {
        self.place = Place::Config(Context::Global);
        self.say("Enter configuration commands, one per line.  End with CNTL/Z.\n")
            .await
    }

    /// One configuration line.
    pub(super) async fn configure(&mut self, line: &ConfigLine) -> Outcome {
        let Place::Config(context) = &mut self.place else {
            return self.fail("% Type configure terminal first.\n").await;
        };
        let applied = {
            let mut router = self.router.borrow_mut();
            let applied = config::apply(&mut router.running, context, line, Origin::Terminal);
            if applied.is_ok() {
                let now = router.clock.zoned();
                router.running.mark_changed(now, self.user.name());
                router.configured();
            }
            applied
        };
        match applied {
            Ok(applied) => self.say(applied.text).await,
            Err(refused) => self.fail(refused.0).await,
        }
    }

    /// `no LINE` for a line that was kept from a file without being understood.
    pub(super) fn remove_kept(&mut self, line: &str) -> bool {
        let Place::Config(context) = &self.place else {
            return false;
        };
        let Some(text) = line.trim().strip_prefix("no ") else {
            return false;
        };
        let mut router = self.router.borrow_mut();
        let removed = config::remove_kept(&mut router.running, context, text);
        if removed {
            let now = router.clock.zoned();
            router.running.mark_changed(now, self.user.name());
        }
        removed
    }

    /// `exit`
    pub(super) async fn leave_one(&mut self) {
        match &self.place {
            Place::Config(Context::Global) => self.leave_configuration().await,
            Place::Config(context) => self.place = Place::Config(context.up()),
            Place::User | Place::Privileged => self.bye = Some(String::new()),
        }
    }

    /// `end`; the prompt comes back when what was configured is in force.
    pub(super) async fn leave_configuration(&mut self) {
        if matches!(self.place, Place::Config(_)) {
            self.place = Place::Privileged;
            let text = format!("Configured from {}", self.user.configured_by());
            self.router
                .borrow_mut()
                .notice(Severity::Notifications, "CONFIG_I", text);
            settled(&self.router).await;
        }
    }
}
