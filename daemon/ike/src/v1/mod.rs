//! IKEv1: main mode, quick mode, informational exchanges, dead peer detection (RFC 2409, RFC 3706).
//!
//! `initiator` and `responder` hold the states of main mode, `quick` those of quick mode;
//! `main_mode`, `quick_mode` (with `quick_start` and `quick_answer`), `info` and `dpd` drive them on
//! behalf of the endpoint. `message_ids` knows replays, `main_mode/stateless` answers message 1
//! without keeping it.

pub(crate) mod dpd;
pub(crate) mod established;
pub(crate) mod info;
pub(crate) mod initiator;
pub(crate) mod main_mode;
pub(crate) mod message;
pub(crate) mod message_ids;
pub(crate) mod policy;
pub(crate) mod proxy;
pub(crate) mod quick;
mod quick_answer;
pub(crate) mod quick_mode;
mod quick_start;
pub(crate) mod responder;
pub(crate) mod transform;
pub(crate) mod vendor;

use crate::cause::{Blame, Cause, Phase};
use crate::event::DropReason;
use crate::registry::NotifyType;
use crate::wire::Malformed;

/// Why a received message was not accepted.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Count it, drop it, and go on waiting for the right one
    Drop {
        reason: DropReason,
        detail: String,
        /// What is wrong if the right one never comes
        suspicion: Option<Cause>,
    },
    /// The negotiation is over
    Fail {
        cause: Cause,
        /// What to tell the peer
        notify: Option<NotifyType>,
    },
}

impl Refusal {
    /// Drops a message that this state does not wait for.
    pub(crate) fn unexpected(detail: impl Into<String>) -> Self {
        Self::Drop {
            reason: DropReason::Unexpected,
            detail: detail.into(),
            suspicion: None,
        }
    }

    /// Drops a message of phase 1 that breaks the protocol, and remembers that.
    pub(crate) fn broken(came: impl Into<String>, expected: &str) -> Self {
        let came = came.into();
        Self::Drop {
            reason: DropReason::Refused,
            detail: came.clone(),
            suspicion: Some(Cause::Protocol {
                blame: Blame::Misbehaved,
                phase: Phase::One,
                came,
                expected: expected.into(),
            }),
        }
    }

    /// Drops a message that does not decrypt to payloads.
    pub(crate) fn undecryptable(error: Malformed, suspicion: Option<Cause>) -> Self {
        Self::Drop {
            reason: DropReason::Undecryptable,
            detail: error.to_string(),
            suspicion,
        }
    }
}
