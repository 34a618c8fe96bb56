//! IKEv1: main mode, quick mode, informational exchanges, dead peer detection (RFC 2409, RFC 3706).
//!
//! No exchange acts: a `Task` comes with the SA and a `Turn`, the next state and effects go back (`task`, `effect`). `state` says what an SA waits for, `live` what goes on under an established one. `main_mode`,
//! `quick_mode`, `info` and `dpd` are the exchanges; `message` makes and opens whole messages,
//! `message_ids` knows replays, `main_mode/stateless` answers message 1 without keeping it.

pub(crate) mod dpd;
pub(crate) mod established;
pub(crate) mod info;
pub(crate) mod lifetime;
pub(crate) mod live;
pub(crate) mod main_mode;
pub(crate) mod message;
pub(crate) mod message_ids;
pub(crate) mod quick_mode;
pub(crate) mod state;
pub(crate) mod vendor;

pub(crate) use live::Live;
pub(crate) use state::Sa;

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
        provisional_cause: Option<Cause>,
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
            provisional_cause: None,
        }
    }

    /// Drops a message of phase 1 that breaks the protocol, and remembers that.
    pub(crate) fn broken(came: impl Into<String>, expected: &str) -> Self {
        let came = came.into();
        Self::Drop {
            reason: DropReason::Refused,
            detail: came.clone(),
            provisional_cause: Some(Cause::Protocol {
                blame: Blame::Misbehaved,
                phase: Phase::One,
                came,
                expected: expected.into(),
            }),
        }
    }

    /// Drops a message that does not decrypt to payloads.
    pub(crate) fn undecryptable(error: Malformed, provisional_cause: Option<Cause>) -> Self {
        Self::Drop {
            reason: DropReason::Undecryptable,
            detail: error.to_string(),
            provisional_cause,
        }
    }
}
