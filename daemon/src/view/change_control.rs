//! What happened to the configuration over time, for `show archive`, `show configuration lock` and `show reload`. Called by `view`.

use isthmus_grammar::command::{RevertTimer, ShowArchive, ShowCommand};
use tokio::time::Instant;

use crate::router::Router;
use crate::show::change_control::{
    Archive, ChangeControl, Lock, Scheduled, TimerKind, Unconfirmed,
};
use crate::show::config_log::ConfigLog;

/// What a command reads of it.
pub fn change_control(router: &mut Router, command: &ShowCommand) -> ChangeControl {
    let mut taken = ChangeControl::default();
    match command {
        ShowCommand::Archive(ShowArchive::List) => taken.archive = archive(router),
        ShowCommand::Archive(ShowArchive::Log(_)) => taken.config_log = config_log(router),
        ShowCommand::Archive(ShowArchive::RollbackTimer) => {
            taken.unconfirmed_change = unconfirmed(router);
        }
        ShowCommand::ConfigurationLock => taken.lock = lock(router),
        ShowCommand::Reload => taken.reload = reload(router),
        _ => {}
    }
    taken
}

fn archive(router: &mut Router) -> Option<Archive> {
    Some(Archive {
        maximum: usize::from(router.running.archive().maximum),
        next_file: router.copy_name("<timestamp>")?,
        files: router.copies()?.files.clone(),
    })
}

fn config_log(router: &Router) -> ConfigLog {
    let log = &router.change_control.config_log;
    ConfigLog {
        enabled: log.is_enabled(),
        commands: log.commands(),
        statistics: log.statistics(),
    }
}

fn unconfirmed(router: &Router) -> Option<Unconfirmed> {
    let pending = router.change_control.rollback.as_ref()?;
    let (timer_type, timer_minutes) = match pending.timer {
        RevertTimer::Absolute(minutes) => (TimerKind::Absolute, minutes),
        RevertTimer::Idle(minutes) => (TimerKind::Idle, minutes),
    };
    Some(Unconfirmed {
        configured: pending.at.clone(),
        timer_type,
        timer_minutes,
        remaining: pending.due().saturating_duration_since(Instant::now()),
        user: pending.user.clone(),
    })
}

fn lock(router: &Router) -> Option<Lock> {
    let lock = router.change_control.lock.as_ref()?;
    Some(Lock {
        session: lock.owner.to_string(),
        user: lock.user.name().to_owned(),
        line: lock.user.line.clone(),
        source: lock.user.source,
        active: lock.since.elapsed(),
    })
}

fn reload(router: &Router) -> Option<Scheduled> {
    let reload = router.change_control.reload.as_ref()?;
    Some(Scheduled {
        at: reload.at.clone(),
        remaining: reload.due.saturating_duration_since(Instant::now()),
        by: reload.by.clone(),
        reason: reload.reason.clone(),
    })
}
