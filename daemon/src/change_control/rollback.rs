//! Changes that are rolled back unless they are confirmed: `configure terminal revert`, `configure replace ... time`,
//! `configure confirm` and `configure revert`. Called by sessions.
//!
//! The configuration to return to is also kept in the state directory: a daemon that dies with a change unconfirmed
//! starts with the configuration before it, not with startup-config.

use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use isthmus_grammar::command::RevertTimer;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::config::{Running, render, startup};
use crate::log::Severity;
use crate::machine::directory::make_directory;
use crate::machine::disk::Lost;
use crate::operators::SessionId;
use crate::router::change_control::{Pending, Watch};
use crate::router::{Router, Shared};

/// What `show archive config rollback timer` says when there is none.
pub const NONE: &str = "%No Rollback Confirmed Change pending\n";
const PENDING: &str = "%A Rollback Confirmed Change is pending already: use configure confirm or configure revert first\n";
/// How often the configuration is written anew because it changed meanwhile.
const TRIES: usize = 8;
const MINUTE: Duration = Duration::from_secs(60);

/// Has a change rolled back to what is configured now unless it is confirmed in time.
///
/// # Errors
/// What the operator sees: another change is pending, or the configuration cannot be kept on the disk.
pub async fn begin(
    router: &Shared,
    session: SessionId,
    user: &str,
    timer: RevertTimer,
) -> Result<(), String> {
    for _ in 0..TRIES {
        let (base, written) = {
            let this = router.borrow();
            if this.change_control.rollback.is_some() {
                return Err(PENDING.into());
            }
            let (running, state) = (this.running.share(), this.files.state.clone());
            let file = this.rollback_file();
            let write = move || {
                make_directory(&state, 0o700).map_err(|error| format!("% {error:#}\n"))?;
                let text = Zeroizing::new(render::text(&running));
                startup::replace(&file, text.as_bytes())
                    .map_err(|error| format!("%Error writing {} ({error})\n", file.display()))?;
                // A copy: what is edited next is not shared then.
                Ok::<_, String>(Running::clone(&running))
            };
            (this.running.share(), this.disk.run(write))
        };
        let before = written.await.map_err(|lost| format!("% {lost}\n"))??;
        let mut this = router.borrow_mut();
        if this.change_control.rollback.is_some() {
            return Err(PENDING.into());
        }
        if !this.running.is(&base) {
            continue;
        }
        let now = Instant::now();
        this.change_control.rollback = Some(Pending {
            timer,
            since: now,
            active: now,
            at: this.clock.zoned(),
            user: user.to_owned(),
            session,
            before: before.into(),
            warned: false,
            changed: Rc::default(),
            watch: Watch(tokio::task::spawn_local(watch(router.clone()))),
        });
        this.log_start(user);
        return Ok(());
    }
    let removed = router.borrow().remove_rollback_file();
    told(router, removed).await;
    Err("%The configuration is being changed by another session; try again\n".into())
}

/// `configure confirm`
///
/// # Errors
/// What the operator sees when nothing is pending.
pub async fn confirm(router: &Shared, user: &str) -> Result<(), String> {
    let removed = {
        let mut this = router.borrow_mut();
        let Some(pending) = this.change_control.rollback.take() else {
            return Err(NONE.into());
        };
        drop(pending);
        let text = format!("User: {user}: Confirm the configuration change");
        this.rollback_log(Severity::Notifications, "ROLLBK_CNFMD_CHG_CONFIRM", text);
        this.remove_rollback_file()
    };
    told(router, removed).await;
    Ok(())
}

/// `configure revert now`
///
/// # Errors
/// What the operator sees when nothing is pending.
pub async fn revert_now(router: &Shared, user: &str) -> Result<(), String> {
    let removed = {
        let mut this = router.borrow_mut();
        if this.change_control.rollback.is_none() {
            return Err(NONE.into());
        }
        let text = format!("User: {user}: Rollback immediately");
        this.rollback_log(Severity::Notifications, "ROLLBK_CNFMD_CHG_NOW", text);
        this.roll_back()
    };
    told(router, removed).await;
    Ok(())
}

/// Waits until the file is gone; what hinders that is logged.
async fn told(router: &Shared, removed: impl Future<Output = Result<io::Result<()>, Lost>>) {
    let removed = removed.await.map_err(io::Error::from).flatten();
    if let Err(error) = removed {
        router.borrow_mut().rollback_file_stays(&error);
    }
}

async fn watch(shared: Shared) {
    loop {
        let (next, changed) = {
            let mut router = shared.borrow_mut();
            let Some(pending) = &mut router.change_control.rollback else {
                return;
            };
            let (now, due) = (Instant::now(), pending.due());
            if now >= due {
                let removed = router.roll_back();
                drop(router);
                // This task ends with the change that it watches.
                tokio::task::spawn_local(async move { told(&shared, removed).await });
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
    pub(crate) fn rollback_file(&self) -> PathBuf {
        self.files.state.join("rollback-config")
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
        let Some(pending) = &mut self.change_control.rollback else {
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
        if let Some(pending) = &mut self.change_control.rollback
            && pending.session == session
        {
            pending.active = Instant::now();
            pending.changed.notify_one();
        }
    }

    /// Returns to the configuration before the change that was not confirmed; answers when the file is gone.
    fn roll_back(&mut self) -> impl Future<Output = Result<io::Result<()>, Lost>> + use<> {
        if let Some(pending) = self.change_control.rollback.take() {
            let start = "Start rolling back the configuration that was not confirmed";
            self.rollback_log(
                Severity::Notifications,
                "ROLLBK_CNFMD_CHG_ROLLBACK_START",
                start.into(),
            );
            self.return_to(pending.before, &pending.user);
            self.rollback_log(
                Severity::Notifications,
                "ROLLBK_CNFMD_CHG_ROLLBACK_END",
                "The configuration before the change is restored".into(),
            );
        }
        self.remove_rollback_file()
    }

    fn remove_rollback_file(&self) -> impl Future<Output = Result<io::Result<()>, Lost>> + use<> {
        let file = self.rollback_file();
        self.disk.run(move || startup::remove_if_there(&file))
    }

    /// The configuration of a change that was unconfirmed when the daemon ended; it takes the place of startup-config.
    pub(crate) fn unconfirmed(&self) -> Option<String> {
        startup::read(&self.rollback_file()).ok().flatten()
    }

    /// The file of a change that is settled cannot be removed.
    pub(crate) fn rollback_file_stays(&mut self, error: &io::Error) {
        let file = self.rollback_file();
        let text = format!("cannot remove {}: {error}", file.display());
        self.rollback_log(Severity::Errors, "ROLLBK_CNFMD_CHG_FILE", text);
    }

    fn log_start(&mut self, user: &str) {
        let Some(pending) = &self.change_control.rollback else {
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
