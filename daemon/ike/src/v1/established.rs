//! An established ISAKMP SA: the plain data of it, and what is going on under it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::crypto::{Iv, Phase1Keys};
use crate::sa::Flight;
use crate::status::AgreedPolicy;
use crate::time::Instant;
use crate::v1::dpd::Dpd;
use crate::v1::message_ids::MessageIds;
use crate::v1::quick::{Quick, QuickState};

/// What survives of phase 1. Serialisable: a restarted daemon could go on with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Established {
    /// What was agreed
    pub policy: AgreedPolicy,
    /// Its keys
    pub keys: Phase1Keys,
    /// Last block of phase 1, from which the IV of every later exchange is made (RFC 2409 app. B)
    pub last_block: Iv,
}

/// An established SA with the exchanges under it.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) sa: Established,
    pub(crate) expires: Instant,
    /// Quick modes in progress, by message id
    pub(crate) quick: BTreeMap<u32, Quick>,
    /// Quick modes that we ended with message 3: until when the peer may be busy with that
    pub(crate) settling: Vec<Instant>,
    /// Answers of finished quick modes, for repeats
    pub(crate) answered: BTreeMap<u32, Flight>,
    pub(crate) ids: MessageIds,
    pub(crate) dpd: Dpd,
    pub(crate) fate: Fate,
    /// When the peer last proved that it is there
    pub(crate) heard: Instant,
}

/// Whether an established SA is still for use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is
    Current,
    /// A younger ISAKMP SA took its place; the peer deletes it, or its lifetime ends it
    Superseded,
    /// A younger ISAKMP SA took its place, and we delete it after a while
    Retiring,
    /// It goes; if the peer deleted it, it waits for what the peer sent before that
    Deleted,
}

impl Live {
    /// `secret` is random, for our message ids.
    pub(crate) fn new(
        sa: Established,
        now: Instant,
        expires: Instant,
        dpd: Dpd,
        secret: u64,
    ) -> Self {
        Self {
            sa,
            expires,
            quick: BTreeMap::new(),
            settling: Vec::new(),
            answered: BTreeMap::new(),
            ids: MessageIds::new(secret),
            dpd,
            fate: Fate::Current,
            heard: now,
        }
    }

    /// Quick modes that the peer began and has not confirmed.
    pub(crate) fn unconfirmed(&self) -> usize {
        let waits = |quick: &&Quick| matches!(quick.state, QuickState::AwaitsConfirmation(_));
        self.quick.values().filter(waits).count()
    }
}
