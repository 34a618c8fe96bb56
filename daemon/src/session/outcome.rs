//! How a command of a session ends: every command answers with an [`Outcome`], and the session prints what it failed of.

use isthmus_control::Status;
use isthmus_kernel::KernelError;

use super::io::Disconnected;
use crate::machine::disk::Lost;
use crate::storage::StorageError;

/// How a command ends.
pub(super) type Outcome = Result<Status, CommandError>;

/// Why a command ends before it has done what it is for.
#[derive(Debug)]
pub(super) enum CommandError {
    /// The session ends with it.
    Disconnected(Disconnected),
    /// What the operator sees, every line ended; empty when the operator gave it up.
    Failed(String),
}

impl CommandError {
    /// The operator gave the command up: there is nothing to say.
    pub(super) fn given_up() -> Self {
        Self::Failed(String::new())
    }
}

impl From<Disconnected> for CommandError {
    fn from(disconnected: Disconnected) -> Self {
        Self::Disconnected(disconnected)
    }
}

impl From<String> for CommandError {
    fn from(text: String) -> Self {
        Self::Failed(text)
    }
}

impl From<&str> for CommandError {
    fn from(text: &str) -> Self {
        Self::Failed(text.to_owned())
    }
}

impl From<StorageError> for CommandError {
    fn from(error: StorageError) -> Self {
        Self::Failed(format!("{error}\n"))
    }
}

impl From<Lost> for CommandError {
    fn from(lost: Lost) -> Self {
        Self::Failed(format!("% {lost}\n"))
    }
}

impl From<KernelError> for CommandError {
    fn from(error: KernelError) -> Self {
        Self::Failed(format!("% {error}\n"))
    }
}
