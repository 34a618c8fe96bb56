//! `configure terminal lock`: one session alone may configure.

use std::time::Instant;

use crate::router::Router;
use crate::session::registry::{SessionId, User};

/// The lock and who has it.
#[derive(Debug)]
pub struct Lock {
    /// The session.
    pub owner: SessionId,
    /// Who sits there.
    pub user: User,
    since: Instant,
}

impl Router {
    /// Gives the configuration to one session until it leaves configuration mode.
    ///
    /// # Errors
    /// What the operator sees when another session has it.
    pub fn lock(&mut self, owner: SessionId, user: &User) -> Result<(), String> {
        self.may_configure(owner)?;
        self.upkeep.lock = Some(Lock {
            owner,
            user: user.clone(),
            since: Instant::now(),
        });
        Ok(())
    }

    /// Takes the lock from a session that has it; harmless for any other.
    pub fn unlock(&mut self, owner: SessionId) {
        self.upkeep.lock.take_if(|lock| lock.owner == owner);
    }

    /// Whether a session may change the configuration now.
    ///
    /// # Errors
    /// What the operator sees when another session has locked it.
    pub fn may_configure(&self, session: SessionId) -> Result<(), String> {
        match &self.upkeep.lock {
            Some(lock) if lock.owner != session => Err(format!(
                "Configuration mode locked exclusively by user '{}' process '{}' from terminal '{}'. Please try later.\n",
                lock.user.name(),
                lock.owner,
                lock.user.line
            )),
            _ => Ok(()),
        }
    }

    /// `show configuration lock`
    #[must_use]
    pub fn show_lock(&self) -> String {
        let header = "Parser Configure Lock\n---------------------\n";
        let Some(lock) = &self.upkeep.lock else {
            return format!(
                "{header}Owner PID         : -1\nUser              : unknown\nTTY               : -1\n\
                 Type              : NO LOCK\nState             : FREE\n"
            );
        };
        let source = lock.user.source;
        format!(
            "{header}Owner PID         : {}\nUser              : {}\nTTY               : {}\n\
             Type              : EXCLUSIVE\nState             : LOCKED\nUser debug info   : configure terminal lock\n\
             Remote ip address : {}\nLock active time (in Sec) : {}\n",
            lock.owner,
            lock.user.name(),
            lock.user.line,
            source.map_or_else(|| "Unknown".to_owned(), |source| source.to_string()),
            lock.since.elapsed().as_secs()
        )
    }
}
