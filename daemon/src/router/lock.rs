//! `configure terminal lock`: one session alone may configure.

use std::time::Instant;

use crate::operators::{SessionId, User};
use crate::router::Router;
use crate::show::upkeep as show;

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

    /// The lock, for `show configuration lock`.
    #[must_use]
    pub fn locked(&self) -> Option<show::Lock> {
        let lock = self.upkeep.lock.as_ref()?;
        Some(show::Lock {
            session: lock.owner.to_string(),
            user: lock.user.name().to_owned(),
            line: lock.user.line.clone(),
            source: lock.user.source,
            active: lock.since.elapsed(),
        })
    }
}
