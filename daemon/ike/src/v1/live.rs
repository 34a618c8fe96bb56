//! An established ISAKMP SA with the exchanges under it.

use std::collections::BTreeMap;

use crate::flight::{Flight, MAX_REPEATS};
use crate::registry::ProtocolId;
use crate::sa::Replacement;
use crate::time::Instant;
use crate::v1::dpd::Dpd;
use crate::v1::established::Established;
use crate::v1::message_ids::MessageIds;
use crate::v1::quick_mode::states::{Quick, QuickState};

/// A quick mode of ours that was given up before the peer answered: to its answer we say that there is no such child.
#[derive(Debug)]
pub(crate) struct GivenUp {
    /// Our SPIs of it
    pub(crate) inbound: Vec<(ProtocolId, u32)>,
    /// How often that was said
    told: u32,
}

impl GivenUp {
    pub(crate) fn new(inbound: Vec<(ProtocolId, u32)>) -> Self {
        Self { inbound, told: 0 }
    }

    /// Our SPIs, for the peer to be told once more; none when that was said often enough.
    pub(crate) fn tell(&mut self) -> Option<Vec<(ProtocolId, u32)>> {
        self.told += 1;
        (self.told <= MAX_REPEATS).then(|| self.inbound.clone())
    }
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
    /// Quick modes of ours that were given up before the peer answered
    pub(crate) given_up: BTreeMap<u32, GivenUp>,
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
            given_up: BTreeMap::new(),
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
