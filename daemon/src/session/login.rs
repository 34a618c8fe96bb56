//! `enable`: who may become privileged.

use isthmus_control::{AskKind, Status};
use isthmus_grammar::command::{CredentialKind, Secret};

use super::io::Answer;
use super::{Outcome, Place, Session};
use crate::config::secret;

/// The level of `enable` without a number.
const PRIVILEGED: u8 = 15;
/// Wrong answers before IOS gives up.
const TRIES: usize = 3;

impl Session {
    /// Whether a session without a terminal starts privileged: root's and the daemon's own do, others only while no
    /// secret protects the level.
    pub(super) fn may_start_privileged(&self) -> bool {
        self.trusted || self.credential().is_none()
    }

    pub(super) async fn enable(&mut self) -> Outcome {
        if self.place != Place::User {
            return Ok(Status::Ok);
        }
        // A hash that cannot be checked matches nothing, but does not lock out root.
        let credential = self
            .credential()
            .filter(|(_, secret)| !self.trusted || secret::can_be_checked(secret));
        let Some((kind, secret)) = credential else {
            self.place = Place::Privileged;
            return Ok(Status::Ok);
        };
        for _ in 0..TRIES {
            match self.io.ask("Password: ", AskKind::Secret).await? {
                Answer::Interrupted => return Ok(Status::Failed),
                Answer::Text(text) if secret::opens(&secret, &text) => {
                    self.place = Place::Privileged;
                    return Ok(Status::Ok);
                }
                Answer::Text(_) => {}
            }
        }
        self.fail(match kind {
            CredentialKind::Secret => "% Bad secrets\n\n",
            CredentialKind::Password => "% Bad passwords\n\n",
        })
        .await
    }

    /// `enable secret`, or `enable password` where there is no secret.
    fn credential(&self) -> Option<(CredentialKind, Secret)> {
        let router = self.router.borrow();
        let find = |kind| {
            let secret = router.running.enable.get(&(PRIVILEGED, kind))?;
            Some((kind, secret.clone()))
        };
        find(CredentialKind::Secret).or_else(|| find(CredentialKind::Password))
    }
}
