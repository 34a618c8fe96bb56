//! One ISAKMP SA: a negotiation in progress, an established SA, or what is left of a deleted one.
//!
//! The endpoint owns them and steps them; `v1` holds what each state waits for.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

use crate::cause::Cause;
use crate::child::ChildId;
use crate::config::{ConnectionId, FlowId};
use crate::context::Path;
use crate::identity::Identity;
use crate::status::{AgreedPolicy, Role, StateWord};
use crate::time::Instant;
use crate::v1::established::Live;
use crate::v1::{initiator, responder};
use crate::wire::{Cookie, Cookies};

/// Names an ISAKMP SA within its endpoint; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SaId(pub(crate) u64);

pub(crate) struct IkeSa {
    pub(crate) common: Common,
    pub(crate) state: State,
}

/// What is true of an ISAKMP SA in every state.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) id: SaId,
    pub(crate) role: Role,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// The responder's is zero until message 2
    pub(crate) cookies: Cookies,
    /// 0 until the keys are there
    pub(crate) conn_id: u32,
    pub(crate) created: Instant,
    pub(crate) policy: Option<AgreedPolicy>,
    /// The peer announced dead peer detection (RFC 3706 5.1)
    pub(crate) peer_has_dpd: bool,
    pub(crate) identity: Option<Identity>,
    /// The entry that asked for it, when we are the initiator
    pub(crate) connection: Option<ConnectionId>,
    /// The SA that it is to replace
    pub(crate) takes_over: Option<SaId>,
    /// What to negotiate when it is established
    pub(crate) wants: Vec<Want>,
    /// The last message of phase 1 that we sent, and what it answers
    pub(crate) flight: Flight,
    /// Messages of phase 1 that came and could not be used
    pub(crate) bad_messages: u32,
    /// What the trouble looks like while we still wait
    pub(crate) suspicion: Option<Cause>,
    /// When it became established
    pub(crate) established: Option<Instant>,
}

/// A child that should come up, or be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Want {
    pub(crate) connection: ConnectionId,
    pub(crate) flow: FlowId,
    /// The child it replaces
    pub(crate) rekeys: Option<ChildId>,
}

/// A message that may have to be sent again.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    /// The message; empty when nothing was sent
    pub(crate) sent: Vec<u8>,
    /// Digest of the message it answers
    pub(crate) answers: Option<u64>,
    /// How often it was sent again on our own account
    pub(crate) attempt: u32,
    /// How often it was sent again because the peer repeated itself
    pub(crate) repeats: u32,
}

/// Tells a repeated datagram from a new one. Not a cryptographic digest: the worst that a collision
/// does is to repeat an answer.
pub(crate) fn digest(datagram: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    datagram.hash(&mut hasher);
    hasher.finish()
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

impl Common {
    pub(crate) fn path(&self) -> Path {
        Path {
            local: self.local,
            remote: self.remote,
            conn_id: self.conn_id,
        }
    }

    pub(crate) fn peer(&self) -> IpAddr {
        self.remote.ip()
    }

    /// The cookie that we chose.
    pub(crate) fn own_cookie(&self) -> Cookie {
        match self.role {
            Role::Initiator => self.cookies.initiator,
            Role::Responder => self.cookies.responder,
        }
    }
}
