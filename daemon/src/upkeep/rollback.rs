//! Changes that are rolled back unless somebody confirms them: `configure terminal revert`, `configure replace ... time`,
//! `configure confirm` and `configure revert`.
//!
//! The configuration to return to is also kept in the state directory: a daemon that dies with a change unconfirmed
//! starts with the configuration before it, whatever startup-config says.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use isthmus_grammar::command::RevertTimer;
use jiff::ZonedDateTime;
use tokio::sync::Notify;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::Watch;
use crate::config::{Problem, startup};
use crate::control::make_directory;
use crate::log::Severity;
use crate::router::{Router, Shared};
use crate::session::registry::SessionId;
use crate::show::upkeep as show;

/// What `show archive config rollback timer` says when there is none.
pub const NONE: &str = "%No Rollback Confirmed Change pending\n";
const MINUTE: Duration = Duration::from_secs(60);

/// A change that waits to be confirmed.
#[derive(Debug)]
pub struct Pending {
    timer: RevertTimer,
    /// When the timer was set.
    since: Instant,
    /// The last command of the session that set it.
    active: Instant,
    at: ZonedDateTime,
    user: String,
    session: SessionId,
    /// The configuration to return to, as text.
    before: Zeroizing<String>,
    warned: bool,
    changed: Rc<Notify>,
    _watch: Watch,
}

impl Pending {
    fn due(&self) -> Instant {
        match self.timer {
            RevertTimer::Absolute(minutes) => self.since + MINUTE * u32::from(minutes),
            RevertTimer::Idle(minutes) => self.active + MINUTE * u32::from(minutes),
        }
    }
}

/// Has a change rolled back to `before` unless it is confirmed in time.
///
/// # Errors
/// What the operator sees: another change is pending, or the configuration cannot be kept on the disk.
pub fn begin(
    router: &Shared,
    session: SessionId,
    user: &str,
    timer: RevertTimer,
    before: String,
) -> Result<(), String> {
    let mut this = router.borrow_mut();
    if this.upkeep.rollback.is_some() {
        return Err(
            "%A Rollback Confirmed Change is pending already: use configure confirm or configure revert first\n"
                .into(),
        );
    }
    let file = this.rollback_file();
    make_directory(&this.files.state, 0o700).map_err(|error| format!("% {error:#}\n"))?;
    startup::replace(&file, before.as_bytes())
        .map_err(|error| format!("%Error writing {} ({error})\n", file.display()))?;
    let now = Instant::now();
    this.upkeep.rollback = Some(Pending {
        timer,
        since: now,
        active: now,
        at: this.clock.zoned(),
        user: user.to_owned(),
        session,
        before: before.into(),
        warned: false,
        changed: Rc::default(),
        _watch: Watch(tokio::task::spawn_local(watch(router.clone()))),
    });
    this.log_start(user);
    Ok(())
}

async fn watch(router: Shared) {
    loop {
        let (next, changed) = {
            let mut router = router.borrow_mut();
            let Some(pending) = &mut router.upkeep.rollback else {
                return;
            };
            let (now, due) = (Instant::now(), pending.due());
            if now >= due {
                router.roll_back();
                return;
            }
            let warning = due - MINUTE;
            let changed = pending.changed.clone();
            if now < warning {
                pending.warned = false;
                (warning, changed)
            } else {
                if !pending.warned {
                    pending.warned = true;
                    router.log_warning();
                }
                (due, changed)
            }
        };
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = changed.notified() => {}
        }
    }
}

impl Router {
    fn rollback_file(&self) -> PathBuf {
        self.files.state.join("rollback-config")
    }

    /// `configure confirm`
    ///
    /// # Errors
    /// What the operator sees when nothing is pending.
    pub fn confirm(&mut self, user: &str) -> Result<(), String> {
        let Some(pending) = self.upkeep.rollback.take() else {
            return Err(NONE.into());
        };
        drop(pending);
        self.forget_rollback();
        let text = format!("User: {user}: Confirm the configuration change");
        self.rollback_log(Severity::Notifications, "ROLLBK_CNFMD_CHG_CONFIRM", text);
        Ok(())
    }

    /// `configure revert now`
    ///
    /// # Errors
    /// What the operator sees when nothing is pending.
    pub fn revert_now(&mut self, user: &str) -> Result<Vec<Problem>, String> {
        if self.upkeep.rollback.is_none() {
            return Err(NONE.into());
        }
        let text = format!("User: {user}: Rollback immediately");
        self.rollback_log(Severity::Notifications, "ROLLBK_CNFMD_CHG_NOW", text);
        Ok(self.roll_back())
    }

    /// `configure revert timer ...`: another time, counted from now.
    ///
    /// # Errors
    /// What the operator sees when nothing is pending.
    pub fn revert_later(
        &mut self,
        session: SessionId,
        user: &str,
        timer: RevertTimer,
    ) -> Result<(), String> {
        let at = self.clock.zoned();
        let Some(pending) = &mut self.upkeep.rollback else {
            return Err(NONE.into());
        };
        let now = Instant::now();
        (pending.since, pending.active, pending.at) = (now, now, at);
        (pending.timer, pending.session) = (timer, session);
        pending.user = user.to_owned();
        pending.changed.notify_one();
        self.log_start(user);
        Ok(())
    }

    /// A command came: the idle timer of the session that set it starts anew.
    pub fn rollback_active(&mut self, session: SessionId) {
        if let Some(pending) = &mut self.upkeep.rollback
            && pending.session == session
        {
            pending.active = Instant::now();
            pending.changed.notify_one();
        }
    }

    /// Returns to the configuration before the change that was not confirmed.
    fn roll_back(&mut self) -> Vec<Problem> {
        let Some(pending) = self.upkeep.rollback.take() else {
            return Vec::new();
        };
        let start = "Start rolling back the configuration that was not confirmed";
        self.rollback_log(
            Severity::Notifications,
            "ROLLBK_CNFMD_CHG_ROLLBACK_START",
            start.into(),
        );
        let problems = self.replace(&pending.before, "rollback-config", &pending.user);
        self.forget_rollback();
        self.complain(&problems);
        self.rollback_log(
            Severity::Notifications,
            "ROLLBK_CNFMD_CHG_ROLLBACK_END",
            "The configuration before the change is restored".into(),
        );
        problems
    }

    /// The configuration of a change that was unconfirmed when the daemon ended; it takes the place of startup-config.
    pub(crate) fn unconfirmed(&self) -> Option<String> {
        startup::read(&self.rollback_file()).ok().flatten()
    }

    /// Nothing is pending any more, on the disk either.
    pub(crate) fn forget_rollback(&mut self) {
        if let Err(error) = std::fs::remove_file(self.rollback_file())
            && error.kind() != std::io::ErrorKind::NotFound
        {
            let file = self.rollback_file();
            let text = format!("cannot remove {}: {error}", file.display());
            self.rollback_log(Severity::Errors, "ROLLBK_CNFMD_CHG_FILE", text);
        }
    }

    /// The change that waits, for `show archive config rollback timer`.
    #[must_use]
    pub fn unconfirmed_change(&self) -> Option<show::Unconfirmed> {
        let pending = self.upkeep.rollback.as_ref()?;
        let (timer_type, timer_minutes) = match pending.timer {
            RevertTimer::Absolute(minutes) => (show::TimerKind::Absolute, minutes),
            RevertTimer::Idle(minutes) => (show::TimerKind::Idle, minutes),
        };
        Some(show::Unconfirmed {
            configured: pending.at.clone(),
            timer_type,
            timer_minutes,
            remaining: pending.due().saturating_duration_since(Instant::now()),
            user: pending.user.clone(),
        })
    }

    fn log_start(&mut self, user: &str) {
        let Some(pending) = &self.upkeep.rollback else {
            return;
        };
        let (mnemonic, how, minutes) = match pending.timer {
            RevertTimer::Absolute(n) => ("ROLLBK_CNFMD_CHG_START_ABSTIMER", "", n),
            RevertTimer::Idle(n) => ("ROLLBK_CNFMD_CHG_START_IDLETIMER", " without input", n),
        };
        let plural = if minutes == 1 { "" } else { "s" };
        let text = format!(
            "User: {user}: Scheduled to rollback to the configuration before the change in {minutes} minute{plural}{how}"
        );
        self.rollback_log(Severity::Notifications, mnemonic, text);
    }

    fn log_warning(&mut self) {
        let text = "System will rollback the configuration in one minute. Enter \"configure confirm\" if you wish to keep \
                    what you've configured";
        self.rollback_log(
            Severity::Notifications,
            "ROLLBK_CNFMD_CHG_WARNING_ABSTIMER",
            text.into(),
        );
        self.sessions.tell_all(&format!("%{text}"));
    }

    fn rollback_log(&mut self, severity: Severity, mnemonic: &'static str, text: String) {
        self.log.system("ARCHIVE_DIFF", severity, mnemonic, text);
    }
}
