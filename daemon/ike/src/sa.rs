//! What is true of an ISAKMP SA in every state and every version of IKE. The endpoint owns the SAs.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::child_request::{ChildRequest, Subject};
use crate::config::ConnectionId;
use crate::effect::Turn;
use crate::id::{Path, PeerId, SaId};
use crate::identity::Identity;
use crate::status::{AgreedPolicy, Role, StateWord};
use crate::task::Task;
use crate::time::Instant;
use crate::v1;
use crate::wire::{Cookie, Cookies};

/// One ISAKMP SA: a negotiation in progress, an established SA, or what is left of a deleted one.
pub(crate) struct IkeSa {
    pub(crate) common: Common,
    pub(crate) state: State,
}

/// What an ISAKMP SA waits for, as its version of IKE has it. Another version is another variant: what the endpoint must know
/// of it is asked by the functions of `IkeSa` below, what it is to do is a `Task`, what it answers are `Effect`s.
pub(crate) enum State {
    /// IKEv1
    V1(v1::Sa),
    /// Gone; shown for a while
    Deleted,
}

/// What is true of an ISAKMP SA in every state.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) id: SaId,
    /// With whom; until it has proved who it is, the one that we expect, or one that is not known yet
    pub(crate) peer: PeerId,
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
    pub(crate) requests: Vec<ChildRequest>,
    /// What the trouble looks like while we still wait
    pub(crate) provisional_cause: Option<Cause>,
    /// When it became established
    pub(crate) established: Option<Instant>,
}

/// Whether an established SA is still for use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Replacement {
    /// It is
    Current,
    /// A younger ISAKMP SA took its place; the peer deletes it, or its lifetime ends it
    Superseded,
    /// A younger ISAKMP SA took its place, and we delete it after a while
    Retiring,
    /// It goes; if the peer deleted it, it waits for what the peer sent before that
    Deleted,
}

/// What is true of an established SA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    pub(crate) expires: Instant,
    pub(crate) replacement: Replacement,
    /// When the peer last proved that it is there
    pub(crate) heard: Instant,
}

impl State {
    /// Takes a task; gives the next state.
    pub(crate) fn take(self, common: &mut Common, turn: &mut Turn<'_>, task: Task<'_>) -> Self {
        match self {
            Self::V1(sa) => sa.take(common, turn, task).map_or(Self::Deleted, Self::V1),
            Self::Deleted => Self::Deleted,
        }
    }
}

impl IkeSa {
    /// The word of `show crypto isakmp sa`.
    pub(crate) fn word(&self) -> StateWord {
        match &self.state {
            State::V1(sa) => sa.word(),
            State::Deleted => StateWord::MmNoState,
        }
    }

    pub(crate) fn is_deleted(&self) -> bool {
        matches!(self.state, State::Deleted)
    }

    /// Its negotiation is not done.
    pub(crate) fn is_half_open(&self) -> bool {
        !self.is_deleted() && !self.is_established()
    }

    pub(crate) fn is_established(&self) -> bool {
        self.life().is_some()
    }

    /// How an established SA stands.
    pub(crate) fn life(&self) -> Option<&Life> {
        match &self.state {
            State::V1(sa) => sa.life(),
            State::Deleted => None,
        }
    }

    /// The same, to be changed.
    pub(crate) fn life_mut(&mut self) -> Option<&mut Life> {
        match &mut self.state {
            State::V1(sa) => sa.life_mut(),
            State::Deleted => None,
        }
    }

    /// Established, and as much in use as this says.
    pub(crate) fn is(&self, replacement: Replacement) -> bool {
        self.life()
            .is_some_and(|life| life.replacement == replacement)
    }

    /// Exchanges may begin under it.
    pub(crate) fn takes_exchanges(&self) -> bool {
        self.is_established() && !self.is(Replacement::Deleted)
    }

    /// A negotiation of the peer's in which nothing shows that it gets what we send.
    pub(crate) fn is_unanswered(&self) -> bool {
        match &self.state {
            State::V1(sa) => sa.is_unanswered(),
            State::Deleted => false,
        }
    }

    /// A negotiation of the peer's in which it has shown that it gets what we send, and not yet who it is.
    pub(crate) fn awaits_proof_of_peer(&self) -> bool {
        match &self.state {
            State::V1(sa) => sa.awaits_proof_of_peer(),
            State::Deleted => false,
        }
    }

    /// A negotiation of ours of which the peer has said nothing.
    pub(crate) fn is_unheard_attempt(&self) -> bool {
        match &self.state {
            State::V1(sa) => sa.is_unheard_attempt(),
            State::Deleted => false,
        }
    }

    /// The exchanges that we began for children and that the peer has not answered: message ids and subjects.
    pub(crate) fn asked(&self) -> Vec<(u32, Subject)> {
        match &self.state {
            State::V1(sa) => sa.asked(),
            State::Deleted => Vec::new(),
        }
    }

    /// How many exchanges of ours the peer is busy with: those that it has not answered, and those of which the last message
    /// is on its way.
    pub(crate) fn busy_exchanges(&self, now: Instant) -> usize {
        match &self.state {
            State::V1(sa) => sa.busy_exchanges(now),
            State::Deleted => 0,
        }
    }

    /// Exchanges that the peer began and has not confirmed.
    pub(crate) fn unconfirmed(&self) -> usize {
        match &self.state {
            State::V1(sa) => sa.unconfirmed(),
            State::Deleted => 0,
        }
    }

    /// Exchanges for children that are not done.
    pub(crate) fn exchanges(&self) -> usize {
        match &self.state {
            State::V1(sa) => sa.exchanges(),
            State::Deleted => 0,
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

    /// Where the peer is.
    pub(crate) fn address(&self) -> IpAddr {
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
