//! An established ISAKMP SA: the plain data of it, and what is going on under it.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::crypto::{Iv, Phase1Keys};
use crate::sa::Flight;
use crate::status::AgreedPolicy;
use crate::time::Instant;
use crate::v1::dpd::Dpd;
use crate::v1::quick::Quick;

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
    /// Answers of finished quick modes, for repeats
    pub(crate) answered: BTreeMap<u32, Flight>,
    /// Message ids that are spent, oldest first
    spent: VecDeque<u32>,
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

/// Spent message ids remembered an SA: a replay older than that finds no exchange to harm, for its
/// nonces are stale, and costs one answer.
const MAX_SPENT: usize = 256;

impl Live {
    pub(crate) fn new(sa: Established, now: Instant, expires: Instant, dpd: Dpd) -> Self {
        Self {
            sa,
            expires,
            quick: BTreeMap::new(),
            answered: BTreeMap::new(),
            spent: VecDeque::new(),
            dpd,
            fate: Fate::Current,
            heard: now,
        }
    }

    /// Marks a message id as used; false when it was before.
    pub(crate) fn spend(&mut self, message_id: u32) -> bool {
        if self.is_spent(message_id) {
            return false;
        }
        if self.spent.len() == MAX_SPENT {
            self.spent.pop_front();
        }
        self.spent.push_back(message_id);
        true
    }

    /// True for a message id that an exchange used before.
    pub(crate) fn is_spent(&self, message_id: u32) -> bool {
        self.spent.contains(&message_id)
    }
}
