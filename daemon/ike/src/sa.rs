//! What is true of an ISAKMP SA in every state, whatever its version of IKE. The endpoint owns the SAs.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::cause::Cause;
use crate::child_request::ChildRequest;
use crate::config::ConnectionId;
use crate::flight::Flight;
use crate::id::{Path, SaId};
use crate::identity::Identity;
use crate::status::{AgreedPolicy, Role};
use crate::time::Instant;
use crate::wire::{Cookie, Cookies};

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
    pub(crate) requests: Vec<ChildRequest>,
    /// The last message of phase 1 that we sent, and what it answers
    pub(crate) flight: Flight,
    /// Messages of phase 1 that came and could not be used
    pub(crate) bad_messages: u32,
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
