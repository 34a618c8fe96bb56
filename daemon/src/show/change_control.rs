//! What happens to the configuration over time: `show archive`, `show archive config rollback timer`,
//! `show configuration lock`, `show reload`. Called by `show`.

use std::net::IpAddr;
use std::time::Duration;

use jiff::ZonedDateTime;
use schemars::JsonSchema;
use serde::Serialize;

use super::config_log::ConfigLog;
use super::screen::Facts;
use crate::clock::format as time;
use crate::json::{Moment, moment, seconds};

/// What happened to the configuration over time, as far as the command reads it.
#[derive(Clone, Debug, Default)]
pub struct ChangeControl {
    /// The copies of the configuration.
    pub archive: Option<Archive>,
    /// The change that waits to be confirmed.
    pub unconfirmed_change: Option<Unconfirmed>,
    /// The lock on the configuration.
    pub lock: Option<Lock>,
    /// The scheduled reload.
    pub reload: Option<Scheduled>,
    /// What operators configured.
    pub config_log: ConfigLog,
}

/// The copies of the configuration.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Archive {
    /// How many are kept.
    pub maximum: usize,
    /// What the next one will be called.
    pub next_file: String,
    /// Those that are kept, the oldest first.
    pub files: Vec<String>,
}

/// `show archive`.
#[derive(Serialize, JsonSchema)]
pub struct ArchiveList<'a> {
    /// The copies of the configuration; absent where no `archive` with a `path` is configured.
    pub(super) archive: Option<&'a Archive>,
}

impl Facts for ArchiveList<'_> {
    fn text(&self) -> String {
        let Some(archive) = self.archive else {
            return crate::change_control::archive::NOT_ENABLED.into();
        };
        let Archive {
            maximum,
            next_file,
            files,
        } = archive;
        let mut text = format!(
            "The maximum archive configurations allowed is {maximum}.\n\
             There are currently {} archive configurations saved.\n\
             The next archive file will be named {next_file}\n Archive #  Name\n",
            files.len()
        );
        for number in 0..files.len().max(*maximum) {
            let name = files.get(number).map_or("", String::as_str);
            let mark = match number + 1 == files.len() {
                true => " <- Most Recent",
                false => "",
            };
            text.push_str(format!("   {:<9}{name}{mark}", number + 1).trim_end());
            text.push('\n');
        }
        text
    }
}

/// What starts the time of an unconfirmed change again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// Nothing.
    Absolute,
    /// Every line that is typed.
    Idle,
}

/// A change that is rolled back unless it is confirmed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Unconfirmed {
    /// When the timer was set.
    #[serde(serialize_with = "moment")]
    #[schemars(with = "Moment")]
    pub configured: ZonedDateTime,
    /// What starts the time again.
    pub timer_type: TimerKind,
    /// The time given.
    pub timer_minutes: u8,
    /// The time left.
    #[serde(rename = "remaining_seconds", serialize_with = "seconds")]
    #[schemars(with = "u64")]
    pub remaining: Duration,
    /// Who changes the configuration.
    pub user: String,
}

/// `show archive config rollback timer`.
#[derive(Serialize, JsonSchema)]
pub struct RollbackTimer<'a> {
    /// The change that waits to be confirmed; absent when none does.
    pub(super) unconfirmed_change: Option<&'a Unconfirmed>,
}

impl Facts for RollbackTimer<'_> {
    fn text(&self) -> String {
        let Some(change) = self.unconfirmed_change else {
            return crate::change_control::rollback::NONE.into();
        };
        let kind = match change.timer_type {
            TimerKind::Absolute => "absolute",
            TimerKind::Idle => "idle",
        };
        format!(
            "Time configured(or reconfigured): {}\nTimer type: {kind} timer\nTimer value: {} min\n\
             Time left: {} sec\nUser: {}\n",
            time::moment(&change.configured),
            change.timer_minutes,
            change.remaining.as_secs(),
            change.user
        )
    }
}

/// The lock on the configuration.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Lock {
    /// The session that has it.
    pub session: String,
    /// Who sits there.
    pub user: String,
    /// Its line, such as `vty0`.
    pub line: String,
    /// Where from; absent for an operator at the machine itself.
    pub source: Option<IpAddr>,
    /// For how long.
    #[serde(rename = "active_seconds", serialize_with = "seconds")]
    #[schemars(with = "u64")]
    pub active: Duration,
}

/// `show configuration lock`.
#[derive(Serialize, JsonSchema)]
pub struct ConfigurationLock<'a> {
    /// The lock; absent when no session has it.
    pub(super) lock: Option<&'a Lock>,
}

impl Facts for ConfigurationLock<'_> {
    fn text(&self) -> String {
        let header = "Parser Configure Lock\n---------------------\n";
        let Some(lock) = self.lock else {
            return format!(
                "{header}Owner PID         : -1\nUser              : unknown\nTTY               : -1\n\
                 Type              : NO LOCK\nState             : FREE\n"
            );
        };
        let source = lock.source;
        format!(
            "{header}Owner PID         : {}\nUser              : {}\nTTY               : {}\n\
             Type              : EXCLUSIVE\nState             : LOCKED\nUser debug info   : configure terminal lock\n\
             Remote ip address : {}\nLock active time (in Sec) : {}\n",
            lock.session,
            lock.user,
            lock.line,
            source.map_or_else(|| "Unknown".to_owned(), |source| source.to_string()),
            lock.active.as_secs()
        )
    }
}

/// A reload to come.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Scheduled {
    /// When.
    #[serde(serialize_with = "moment")]
    #[schemars(with = "Moment")]
    pub at: ZonedDateTime,
    /// In how long.
    #[serde(rename = "remaining_seconds", serialize_with = "seconds")]
    #[schemars(with = "u64")]
    pub remaining: Duration,
    /// Who asked for it, and where.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// `show reload`.
#[derive(Serialize, JsonSchema)]
pub struct Reload<'a> {
    /// The scheduled reload; absent when there is none.
    pub(super) reload: Option<&'a Scheduled>,
}

impl Facts for Reload<'_> {
    fn text(&self) -> String {
        let Some(reload) = self.reload else {
            return "No reload is scheduled.\n".into();
        };
        format!(
            "Reload scheduled for {} (in {}) by {}\nReload reason: {}\n",
            time::moment(&reload.at),
            time::in_words(Duration::from_secs(reload.remaining.as_secs())),
            reload.by,
            reload.reason
        )
    }
}
