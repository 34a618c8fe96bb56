//! Facts: what happened, typed. The daemon renders them as log messages and debug lines.
//!
//! `Event::is_debug` parts the many that only `debug crypto isakmp` wants from the few that the log
//! keeps; an endpoint emits the former only after `Endpoint::set_debug(true)`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use crate::cause::{Cause, PolicyField};
use crate::child::{ChildId, ChildSa};
use crate::config::{ConnectionId, FlowId, TransformSet};
use crate::identity::Identity;
use crate::offer::{ChildOffer, PolicyOffer};
use crate::registry::{ExchangeType, NotifyType, ProtocolId};
use crate::selector::Selector;
use crate::status::{AgreedPolicy, Role, StateWord};

/// Something that happened, and between whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Our address and port
    pub local: SocketAddr,
    /// The peer's address and port
    pub remote: SocketAddr,
    /// The ISAKMP SA's conn id; 0 where there is none yet
    pub conn_id: u32,
    /// What happened
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Traffic (or a rekey) asked for a child
    Requested {
        /// The entry
        connection: ConnectionId,
        /// The flow
        flow: FlowId,
    },
    /// An exchange began
    ExchangeStarted {
        /// Main, quick, informational
        exchange: ExchangeType,
        /// Which end we are
        role: Role,
        /// Message id, 0 in phase 1
        message_id: u32,
    },
    /// A datagram arrived for an exchange
    PacketReceived {
        /// Of which exchange
        exchange: ExchangeType,
        /// Message id
        message_id: u32,
        /// Our role in the ISAKMP SA; none for a new one
        role: Option<Role>,
        /// State before it is processed
        state: Option<StateWord>,
        /// Bytes
        length: usize,
    },
    /// A datagram was sent
    PacketSent {
        /// Of which exchange
        exchange: ExchangeType,
        /// Message id
        message_id: u32,
        /// Our role in the ISAKMP SA
        role: Role,
        /// State when it is sent
        state: StateWord,
        /// Bytes
        length: usize,
    },
    /// A state machine moved
    StateChanged {
        /// What moved it
        input: Input,
        /// Message id of a quick mode, 0 for phase 1
        message_id: u32,
        /// From
        old: ExchangeState,
        /// To
        new: ExchangeState,
    },
    /// The peer announced a vendor id
    VendorId {
        /// Its name, when known
        name: Option<&'static str>,
        /// The bytes
        bytes: Vec<u8>,
    },
    /// The pre-shared key for the peer was found
    KeyFound {
        /// The peer
        peer: IpAddr,
    },
    /// A phase 1 transform was compared with a policy
    PolicyCompared {
        /// The transform
        offer: PolicyOffer,
        /// Priority of our policy
        priority: u32,
        /// The first field that differs; none when acceptable
        differs: Option<PolicyField>,
    },
    /// A phase 2 proposal was compared with a transform set
    ChildCompared {
        /// The proposal
        offer: ChildOffer,
        /// Our transform set
        set: TransformSet,
        /// What differs; none when acceptable
        differs: Option<ChildDifference>,
    },
    /// A policy was agreed
    PolicyChosen {
        /// What was agreed
        policy: AgreedPolicy,
    },
    /// A transform set was agreed
    TransformSetChosen {
        /// Message id of the quick mode
        message_id: u32,
        /// Its name
        name: String,
        /// Our proxy identity
        local: Selector,
        /// The peer's
        remote: Selector,
    },
    /// Phase 1 is done
    IkeUp {
        /// Which end we are
        role: Role,
        /// Who the peer is
        identity: Identity,
        /// What was agreed
        policy: AgreedPolicy,
        /// It replaces an older ISAKMP SA
        rekey: bool,
    },
    /// An ISAKMP SA is gone
    IkeDown {
        /// Which end we are
        role: Role,
        /// Why
        reason: DownReason,
    },
    /// A child is up in both directions
    ChildUp {
        /// The child (its keys do not print)
        child: Box<ChildSa>,
        /// Which end we were in its quick mode
        role: Role,
        /// The child it replaces
        replaces: Option<ChildId>,
    },
    /// A child is gone
    ChildDown {
        /// The child
        id: ChildId,
        /// Its entry
        connection: ConnectionId,
        /// Its flow
        flow: FlowId,
        /// Our SPIs, as (protocol, inbound, outbound)
        spis: Vec<(ProtocolId, u32, u32)>,
        /// Why
        reason: DownReason,
    },
    /// A connection got its first child
    SessionUp {
        /// The entry
        connection: ConnectionId,
        /// Who the peer is, when known
        identity: Option<Identity>,
    },
    /// A connection lost its last child
    SessionDown {
        /// The entry
        connection: ConnectionId,
        /// Who the peer was, when known
        identity: Option<Identity>,
    },
    /// A negotiation failed
    Failed {
        /// Main mode or quick mode
        exchange: ExchangeType,
        /// Which end we are
        role: Role,
        /// The entry, when known
        connection: Option<ConnectionId>,
        /// Why, and what to change
        cause: Cause,
    },
    /// A notification came
    NotifyReceived {
        /// Its type
        notify: NotifyType,
        /// Its protocol
        protocol: ProtocolId,
        /// Its SPI
        spi: Vec<u8>,
        /// Message id
        message_id: u32,
        /// It was encrypted and its hash right
        protected: bool,
    },
    /// A notification was sent
    NotifySent {
        /// Its type
        notify: NotifyType,
        /// Its protocol
        protocol: ProtocolId,
        /// Its SPI
        spi: Vec<u8>,
        /// Message id
        message_id: u32,
    },
    /// A delete came
    DeleteReceived {
        /// ISAKMP, AH or ESP
        protocol: ProtocolId,
        /// The SPIs (of the peer's inbound SAs)
        spis: Vec<Vec<u8>>,
    },
    /// A delete was sent
    DeleteSent {
        /// ISAKMP, AH or ESP
        protocol: ProtocolId,
        /// The SPIs (of our inbound SAs)
        spis: Vec<Vec<u8>>,
    },
    /// R-U-THERE was sent
    DpdSent {
        /// Its sequence number
        sequence: u32,
        /// 1 for the first, then repeats
        attempt: u32,
    },
    /// R-U-THERE-ACK came
    DpdAnswered {
        /// Its sequence number
        sequence: u32,
    },
    /// The peer asked R-U-THERE, and was answered
    DpdAsked {
        /// Its sequence number
        sequence: u32,
    },
    /// The peer does not answer any more
    PeerDead,
    /// A message was sent again
    Retransmitted {
        /// Main or quick
        exchange: ExchangeType,
        /// Message id, 0 in phase 1
        message_id: u32,
        /// State
        state: StateWord,
        /// 1 for the first repeat
        attempt: u32,
        /// Repeats before giving up
        of: u32,
    },
    /// The peer sent a message again; the answer was repeated
    AnswerRepeated {
        /// Main or quick
        exchange: ExchangeType,
        /// Message id, 0 in phase 1
        message_id: u32,
    },
    /// The connection goes on with another `set peer`
    PeerSwitched {
        /// The entry
        connection: ConnectionId,
        /// The one that failed
        from: IpAddr,
        /// The one tried next
        to: IpAddr,
    },
    /// A bound on what peers and strangers may make us keep or do was reached
    BoundReached {
        /// Which
        bound: Bound,
        /// How often since this was last said of it
        times: u64,
    },
    /// Datagrams were dropped in the last minute of which nothing was said
    DroppedUntold {
        /// How many, by reason
        untold: BTreeMap<DropReason, u64>,
    },
    /// Datagrams came in the last second of which debug says nothing
    Hushed {
        /// How many
        datagrams: u64,
    },
    /// A datagram was dropped
    Dropped {
        /// Why
        reason: DropReason,
        /// In words, for debug
        detail: String,
    },
}

/// What is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bound {
    /// Half-open negotiations: first messages are answered without keeping anything
    HalfOpen,
    /// Negotiations of one peer that has not proved who it is: the oldest gives way, or the newest waits
    Unproved,
    /// First messages whose proposals are refused: the rest is dropped without an answer
    Refusals,
    /// Messages of a negotiation that could not be used: the negotiation is over
    BadMessages,
    /// ISAKMP SAs with one peer: the oldest goes
    IkeSasOfPeer,
    /// Quick modes of one peer that it has not confirmed: the next has to wait
    QuickModes,
    /// Children of one flow that the peer replaced and does not delete: the oldest goes
    ChildrenOfFlow,
    /// Message ids of one ISAKMP SA: it is replaced
    MessageIds,
    /// `crypto call admission limit ike sa`
    AdmittedIkeSas,
    /// `crypto call admission limit ike in-negotiation-sa`
    AdmittedNegotiations,
    /// `crypto call admission limit ipsec sa`
    AdmittedChildren,
}

/// Why a datagram was dropped; each is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DropReason {
    /// The bytes do not form an ISAKMP message
    Malformed,
    /// No ISAKMP SA has these cookies (`%CRYPTO-4-IKMP_NO_SA`)
    NoSa,
    /// Not the major version we speak
    Version,
    /// An exchange type we do not do
    ExchangeType,
    /// Not the message this state waits for
    Unexpected,
    /// Should have been encrypted (`%CRYPTO-6-IKMP_NOT_ENCRYPTED`)
    NotEncrypted,
    /// Does not decrypt to payloads (`%CRYPTO-4-IKMP_BAD_MESSAGE`)
    Undecryptable,
    /// Its hash is wrong
    BadHash,
    /// The peer is in no crypto map
    UnknownPeer,
    /// Too many half-open negotiations
    HalfOpenLimit,
    /// Too many quick modes that the peer has not confirmed
    QuickModeLimit,
    /// `crypto call admission limit`
    Admission,
    /// A repeat of a message that needs no answer
    Repeat,
    /// A message that could not be accepted in this negotiation; a `Failed` tells more
    Refused,
}

impl DropReason {
    /// Every reason.
    pub const ALL: [Self; 14] = [
        Self::Malformed,
        Self::NoSa,
        Self::Version,
        Self::ExchangeType,
        Self::Unexpected,
        Self::NotEncrypted,
        Self::Undecryptable,
        Self::BadHash,
        Self::UnknownPeer,
        Self::HalfOpenLimit,
        Self::QuickModeLimit,
        Self::Admission,
        Self::Repeat,
        Self::Refused,
    ];

    /// The reason in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Malformed => "not an ISAKMP message",
            Self::NoSa => "no SA has its cookies",
            Self::Version => "another version",
            Self::ExchangeType => "an exchange that is not done",
            Self::Unexpected => "not the message that was expected",
            Self::NotEncrypted => "should have been encrypted",
            Self::Undecryptable => "does not decrypt",
            Self::BadHash => "wrong hash",
            Self::UnknownPeer => "peer of no crypto map",
            Self::HalfOpenLimit => "too many half-open negotiations",
            Self::QuickModeLimit => "too many unconfirmed quick modes",
            Self::Admission => "call admission limit",
            Self::Repeat => "repeats and replays",
            Self::Refused => "refused",
        }
    }
}

impl Bound {
    /// What happened, and what the engine does about it.
    pub fn words(self) -> &'static str {
        match self {
            Self::HalfOpen => {
                "many half-open negotiations: first messages are answered without keeping state"
            }
            Self::Unproved => "many negotiations of the peer wait for its proof",
            Self::Refusals => "many refused proposals: no more of them are answered",
            Self::BadMessages => "a negotiation got too many messages of no use and is given up",
            Self::IkeSasOfPeer => "the peer has too many ISAKMP SAs: the oldest is deleted",
            Self::QuickModes => "the peer has too many unconfirmed quick modes: the next must wait",
            Self::ChildrenOfFlow => {
                "the peer leaves too many replaced IPsec SAs behind: the oldest is deleted"
            }
            Self::MessageIds => "an ISAKMP SA has used very many message ids and is replaced",
            Self::AdmittedIkeSas => "IKE SA LIMIT REACHED",
            Self::AdmittedNegotiations => "IN-NEGOTIATION SA LIMIT REACHED",
            Self::AdmittedChildren => "IPSEC SA LIMIT REACHED",
        }
    }
}

/// Why an SA went away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DownReason {
    /// Its lifetime ended
    Expired,
    /// A younger one took its place
    Replaced,
    /// The peer deleted it
    DeletedByPeer,
    /// The peer started afresh (INITIAL-CONTACT)
    InitialContact,
    /// The operator cleared it
    Cleared,
    /// Its configuration went away or changed
    ConfigChanged,
    /// The peer does not answer
    PeerDead,
    /// The negotiation did not complete
    NegotiationFailed,
    /// The kernel did not take it
    KernelRefused,
    /// The daemon stops
    Shutdown,
}

/// What moved a state machine, in the words of IOS debug lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// Traffic asked for it
    SaRequest,
    /// A main mode message came
    MainModeExchange,
    /// Its payloads were processed
    ProcessMainMode,
    /// The answer was sent
    ProcessComplete,
    /// Phase 1 is done
    Phase1Complete,
    /// Quick mode begins
    InitQuickMode,
    /// A quick mode message came
    QuickModeExchange,
    /// SPIs were chosen
    GotSpi,
    /// The kernel has the SAs
    InstallDone,
    /// The SA is being deleted
    Phase1Delete,
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SaRequest => "IKE_MESG_FROM_IPSEC, IKE_SA_REQ_MM",
            Self::MainModeExchange => "IKE_MESG_FROM_PEER, IKE_MM_EXCH",
            Self::ProcessMainMode => "IKE_MESG_INTERNAL, IKE_PROCESS_MAIN_MODE",
            Self::ProcessComplete => "IKE_MESG_INTERNAL, IKE_PROCESS_COMPLETE",
            Self::Phase1Complete => "IKE_MESG_INTERNAL, IKE_PHASE1_COMPLETE",
            Self::InitQuickMode => "IKE_MESG_INTERNAL, IKE_INIT_QM",
            Self::QuickModeExchange => "IKE_MESG_FROM_PEER, IKE_QM_EXCH",
            Self::GotSpi => "IKE_MESG_FROM_IPSEC, IPSEC_GOT_SPI",
            Self::InstallDone => "IKE_MESG_FROM_IPSEC, IPSEC_INSTALL_DONE",
            Self::Phase1Delete => "IKE_MESG_INTERNAL, IKE_PHASE1_DEL",
        })
    }
}

/// The states of main mode and quick mode, in the words of IOS debug lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ExchangeState {
    Ready,
    InitiatorMm1,
    InitiatorMm2,
    InitiatorMm3,
    InitiatorMm4,
    InitiatorMm5,
    InitiatorMm6,
    ResponderMm1,
    ResponderMm2,
    ResponderMm3,
    ResponderMm4,
    ResponderMm5,
    Phase1Complete,
    DestroySa,
    QmReady,
    QmInitiator1,
    QmSpiStarve,
    QmInstallAwait,
    QmResponder2,
    QmPhase2Complete,
}

impl fmt::Display for ExchangeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "IKE_READY",
            Self::InitiatorMm1 => "IKE_I_MM1",
            Self::InitiatorMm2 => "IKE_I_MM2",
            Self::InitiatorMm3 => "IKE_I_MM3",
            Self::InitiatorMm4 => "IKE_I_MM4",
            Self::InitiatorMm5 => "IKE_I_MM5",
            Self::InitiatorMm6 => "IKE_I_MM6",
            Self::ResponderMm1 => "IKE_R_MM1",
            Self::ResponderMm2 => "IKE_R_MM2",
            Self::ResponderMm3 => "IKE_R_MM3",
            Self::ResponderMm4 => "IKE_R_MM4",
            Self::ResponderMm5 => "IKE_R_MM5",
            Self::Phase1Complete => "IKE_P1_COMPLETE",
            Self::DestroySa => "IKE_DEST_SA",
            Self::QmReady => "IKE_QM_READY",
            Self::QmInitiator1 => "IKE_QM_I_QM1",
            Self::QmSpiStarve => "IKE_QM_SPI_STARVE",
            Self::QmInstallAwait => "IKE_QM_IPSEC_INSTALL_AWAIT",
            Self::QmResponder2 => "IKE_QM_R_QM2",
            Self::QmPhase2Complete => "IKE_QM_PHASE2_COMPLETE",
        })
    }
}

/// Where a phase 2 proposal and a transform set part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChildDifference {
    /// Not the same protocols (AH, ESP)
    Protocols,
    /// The cipher
    Cipher,
    /// The key length of the cipher
    KeyLength,
    /// The authenticator
    Integrity,
    /// Tunnel or transport
    Mode,
    /// The PFS group
    Pfs,
    /// An attribute we do not know
    UnknownAttribute,
}

impl Event {
    /// True for what only a debug session wants to see.
    pub fn is_debug(&self) -> bool {
        matches!(
            self,
            Self::Requested { .. }
                | Self::ExchangeStarted { .. }
                | Self::PacketReceived { .. }
                | Self::PacketSent { .. }
                | Self::StateChanged { .. }
                | Self::VendorId { .. }
                | Self::KeyFound { .. }
                | Self::PolicyCompared { .. }
                | Self::ChildCompared { .. }
                | Self::PolicyChosen { .. }
                | Self::TransformSetChosen { .. }
                | Self::NotifyReceived { .. }
                | Self::NotifySent { .. }
                | Self::DeleteReceived { .. }
                | Self::DeleteSent { .. }
                | Self::DpdSent { .. }
                | Self::DpdAnswered { .. }
                | Self::DpdAsked { .. }
                | Self::Retransmitted { .. }
                | Self::AnswerRepeated { .. }
                | Self::Hushed { .. }
        )
    }
}
