//! `configure terminal lock`: one session alone may configure.

use std::time::Instant;

use crate::operators::{SessionId, User};
use crate::router::Router;

/// The lock and who has it.
#[derive(Debug)]
pub struct Lock {
    /// The session.
    pub owner: SessionId,
    /// Who sits there.
    pub user: User,
    /// When it was taken.
    pub since: Instant,
}

impl Router {
    /// Gives the configuration to one session until it leaves configuration mode.
    ///
    /// # Errors
    /// What the operator sees when another session has it.
    pub fn lock(&mut self, owner: SessionId, user: &User) -> Result<(), String> {
        self.may_configure(owner)?;
        self.change_control.lock = Some(Lock {
            owner,
            user: user.clone(),
            since: Instant::now(),
        });
        Ok(())
    }

    /// Takes the lock from a session that has it; harmless for any other.
    pub fn unlock(&mut self, owner: SessionId) {
        self.change_control.lock.take_if(|lock| lock.owner == owner);
    }

    /// Whether a session may change the configuration now.
    ///
    /// # Errors
    /// What the operator sees when another session has locked it.
    pub fn may_configure(&self, session: SessionId) -> Result<(), String> {
        match &self.change_control.lock {
            Some(lock) if lock.owner != session => Err(format!(
                "Configuration mode locked exclusively by user '{}' process '{}' from terminal '{}'. Please try later.\n",
                lock.user.name(),
                lock.owner,
                lock.user.line
            )),
            _ => Ok(()),
        }
    }
}
