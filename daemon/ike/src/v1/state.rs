//! What an ISAKMP SA of IKEv1 waits for.

use crate::sa::Common;
use crate::status::StateWord;
use crate::v1::live::Live;
use crate::v1::main_mode::{initiator, responder};

pub(crate) struct IkeSa {
    pub(crate) common: Common,
    pub(crate) state: State,
}

/// What an ISAKMP SA waits for.
pub(crate) enum State {
    /// Initiator, message 1 sent
    AwaitsChoice(initiator::AwaitsChoice),
    /// Initiator, message 3 sent
    AwaitsValue(Box<initiator::AwaitsValue>),
    /// Initiator, message 5 sent
    AwaitsProof(Box<initiator::AwaitsProof>),
    /// Responder, message 2 sent
    AwaitsInitiatorsValue(responder::AwaitsInitiatorsValue),
    /// Responder, message 4 sent
    AwaitsInitiatorsProof(Box<responder::AwaitsInitiatorsProof>),
    /// Phase 1 is done
    Established(Box<Live>),
    /// Gone; shown for a while
    Deleted,
}

impl State {
    /// The word of `show crypto isakmp sa`.
    pub(crate) fn word(&self) -> StateWord {
        match self {
            Self::AwaitsChoice(_) | Self::Deleted => StateWord::MmNoState,
            Self::AwaitsValue(_) | Self::AwaitsInitiatorsValue(_) => StateWord::MmSaSetup,
            Self::AwaitsProof(_) | Self::AwaitsInitiatorsProof(_) => StateWord::MmKeyExch,
            Self::Established(_) => StateWord::QmIdle,
        }
    }

    /// Still negotiating phase 1.
    pub(crate) fn is_half_open(&self) -> bool {
        !matches!(self, Self::Established(_) | Self::Deleted)
    }
}

impl IkeSa {
    /// The established part, if it is.
    pub(crate) fn live(&self) -> Option<&Live> {
        match &self.state {
            State::Established(live) => Some(live),
            _ => None,
        }
    }

    /// The established part, if it is, beside the rest.
    pub(crate) fn live_mut(&mut self) -> Option<(&mut Common, &mut Live)> {
        match &mut self.state {
            State::Established(live) => Some((&mut self.common, live)),
            _ => None,
        }
    }
}
