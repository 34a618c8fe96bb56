//! Snapshots for the `show` screens: what is up, in what state, for how long.
//!
//! Made on demand by `Endpoint::ike_sas`, `children` and `connection_status`; plain data, no keys.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::algorithm::{Authentication, Encryption, Hash};
use crate::cause::Cause;
use crate::child::{ChildId, Lifetimes};
use crate::config::{AdmissionLimits, ConnectionId, FlowId};
use crate::identity::Identity;
use crate::registry::GroupNumber;
use crate::time::Instant;

/// Which end we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// We sent the first message
    Initiator,
    /// The peer did
    Responder,
}

/// The state column of `show crypto isakmp sa`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StateWord {
    /// Nothing received that counts; also what remains of a deleted SA
    MmNoState,
    /// Policy agreed
    MmSaSetup,
    /// Keys exchanged, not authenticated
    MmKeyExch,
    /// Authenticated
    MmKeyAuth,
    /// Ready for quick modes
    QmIdle,
}

impl fmt::Display for StateWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::MmNoState => "MM_NO_STATE",
            Self::MmSaSetup => "MM_SA_SETUP",
            Self::MmKeyExch => "MM_KEY_EXCH",
            Self::MmKeyAuth => "MM_KEY_AUTH",
            Self::QmIdle => "QM_IDLE",
        })
    }
}

/// One row of `show crypto isakmp sa [detail]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IkeSaStatus {
    /// 1001 and up; 0 before the keys are there
    pub conn_id: u32,
    /// Which end we are
    pub role: Role,
    /// Our address and port
    pub local: SocketAddr,
    /// The peer's address and port
    pub remote: SocketAddr,
    /// State
    pub state: StateWord,
    /// `ACTIVE (deleted)`: gone, shown for about a minute
    pub deleted: bool,
    /// The agreed policy, from message 2 on
    pub policy: Option<AgreedPolicy>,
    /// Time left
    pub remaining: Option<Duration>,
    /// The peer supports dead peer detection (capability letter D)
    pub dpd: bool,
    /// What the peer called itself, once authenticated
    pub peer_identity: Option<Identity>,
    /// Initiator's cookie
    pub initiator_cookie: [u8; 8],
    /// Responder's cookie
    pub responder_cookie: [u8; 8],
    /// When the exchange began
    pub created: Instant,
    /// Entries this SA serves: those with children under it or a negotiation in progress
    pub connections: Vec<ConnectionId>,
}

/// What the two sides agreed for an ISAKMP SA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreedPolicy {
    /// Our policy it came from
    pub priority: u32,
    /// Cipher
    pub encryption: Encryption,
    /// Hash
    pub hash: Hash,
    /// Authentication method
    pub authentication: Authentication,
    /// Diffie-Hellman group
    pub group: GroupNumber,
    /// Lifetime in seconds
    pub lifetime: u32,
}

/// What was asked for, and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Let in
    pub accepted: u64,
    /// Turned away
    pub rejected: u64,
}

impl Tally {
    pub(crate) fn count(&mut self, accepted: bool) {
        if accepted {
            self.accepted += 1;
        } else {
            self.rejected += 1;
        }
    }

    /// All.
    pub fn asked(&self) -> u64 {
        self.accepted + self.rejected
    }
}

/// `show crypto call admission statistics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// The configured limits
    pub limits: AdmissionLimits,
    /// ISAKMP SAs that are established
    pub ike_active: usize,
    /// ISAKMP SAs being negotiated
    pub ike_negotiating: usize,
    /// Children that are up
    pub children_active: usize,
    /// Quick modes in progress
    pub children_negotiating: usize,
    /// Phase 1 that peers began
    pub incoming_ike: Tally,
    /// Phase 1 that we began
    pub outgoing_ike: Tally,
    /// Quick modes that peers began
    pub incoming_children: Tally,
    /// Quick modes that we began
    pub outgoing_children: Tally,
    /// Turned away by `ike sa`
    pub rejected_by_ike_limit: u64,
    /// Turned away by `in-negotiation-sa`
    pub rejected_by_negotiation_limit: u64,
    /// First messages answered without keeping the negotiation, because there were many
    pub answered_without_state: u64,
    /// Negotiations that gave way to newer ones
    pub gave_way: u64,
    /// Datagrams dropped before they were decoded
    pub dropped_at_dispatch: u64,
}

/// One child, for `show crypto ipsec sa` (the selectors, SPIs and algorithms are in `sa`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildStatus {
    /// Its name
    pub id: ChildId,
    /// conn id shown for the inbound SA; the outbound one is one higher
    pub conn_id: u32,
    /// The map entry
    pub connection: ConnectionId,
    /// The flow
    pub flow: FlowId,
    /// Everything but its keys
    pub sa: ChildSummary,
    /// When it was installed
    pub installed: Instant,
    /// Seconds left
    pub remaining: Duration,
    /// Replaced by a younger one and about to go
    pub replaced: bool,
    /// conn id of the ISAKMP SA it came from
    pub ike_conn_id: u32,
}

/// A `ChildSa` without its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildSummary {
    /// Our end
    pub local: IpAddr,
    /// The peer's end
    pub remote: IpAddr,
    /// Tunnel or transport
    pub mode: crate::algorithm::Mode,
    /// Our proxy identity
    pub local_selector: crate::selector::Selector,
    /// The peer's proxy identity
    pub remote_selector: crate::selector::Selector,
    /// Protocols, ESP before AH
    pub protocols: Vec<ProtocolSummary>,
    /// Agreed lifetimes
    pub lifetime: Lifetimes,
    /// Replay window; 0 when disabled
    pub replay_window: u32,
    /// PFS group
    pub pfs: Option<GroupNumber>,
}

/// A `ProtocolSa` without its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolSummary {
    /// ESP or AH
    pub protocol: crate::algorithm::IpsecProtocol,
    /// SPI of packets we receive
    pub inbound_spi: u32,
    /// SPI of packets we send; 0 while the peer has not confirmed
    pub outbound_spi: u32,
    /// ESP cipher
    pub cipher: Option<crate::algorithm::EspCipher>,
    /// Authenticator
    pub integrity: Option<crate::algorithm::Integrity>,
}

/// The status word of `show crypto session`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SessionState {
    /// ISAKMP SA and children
    UpActive,
    /// ISAKMP SA, no child
    UpIdle,
    /// Children without ISAKMP SA
    UpNoIke,
    /// ISAKMP SA being negotiated
    DownNegotiating,
    /// Nothing
    Down,
}

impl fmt::Display for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::UpActive => "UP-ACTIVE",
            Self::UpIdle => "UP-IDLE",
            Self::UpNoIke => "UP-NO-IKE",
            Self::DownNegotiating => "DOWN-NEGOTIATING",
            Self::Down => "DOWN",
        })
    }
}

/// One connection, for `show crypto session [detail]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// The connection
    pub connection: ConnectionId,
    /// The `set peer` address in use or to be tried next
    pub peer: Option<IpAddr>,
    /// Status word
    pub state: SessionState,
    /// Since when it has had children
    pub up_since: Option<Instant>,
    /// Its last failure that no success followed
    pub last_failure: Option<Failure>,
}

/// A failure and when it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When
    pub at: Instant,
    /// Why
    pub cause: Cause,
}
