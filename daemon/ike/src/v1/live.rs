//! An established ISAKMP SA with the exchanges under it.

use std::collections::BTreeMap;

use crate::flight::Flight;
use crate::sa::Replacement;
use crate::time::Instant;
use crate::v1::dpd::Dpd;
use crate::v1::established::Established;
use crate::v1::message_ids::MessageIds;
use crate::v1::quick_mode::states::{Quick, QuickState};

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
    pub(crate) replacement: Replacement,
    /// When the peer last proved that it is there
    pub(crate) heard: Instant,
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
            replacement: Replacement::Current,
            heard: now,
        }
    }

    /// Quick modes that the peer began and has not confirmed.
    pub(crate) fn unconfirmed(&self) -> usize {
        let waits = |quick: &&Quick| matches!(quick.state, QuickState::AwaitsConfirmation(_));
        self.quick.values().filter(waits).count()
    }
}
