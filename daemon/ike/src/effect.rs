//! What a version of IKE answers. It never acts: the endpoint gives it an input with a [`Turn`], keeps the next state of the
//! SA, and carries out the effects in their order (`endpoint/effects.rs`).

use std::net::IpAddr;

use crate::algorithm::IpsecProtocol;
use crate::cause::Cause;
use crate::child::{ChildId, OwnSpis, ProtocolSa};
use crate::child_request::{ChildRequest, Subject};
use crate::config::Config;
use crate::context::Context;
use crate::event::{Bound, DropReason, Event};
use crate::id::Path;
use crate::identity::Identity;
use crate::question::Question;
use crate::random::Randomness;
use crate::registry::{GroupNumber, NotifyType, ProtocolId};
use crate::status::{AgreedPolicy, Role};
use crate::time::Instant;
use crate::timer::SaTimer;

/// Something for the endpoint to do, on behalf of one ISAKMP SA.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Tell log or debug
    Fact(Path, Event),
    /// Count a datagram that was dropped, and tell of it
    Dropped(DropReason, String),
    /// A bound was reached
    Bound(Bound),
    /// Send this to the peer
    Send(Vec<u8>),
    /// Set one of the SA's timers, or move it
    SetTimer(SaTimer, Instant),
    /// Forget one of the SA's timers
    CancelTimer(SaTimer),
    /// The peer has gone on with our answer: it gets what we send
    Answered,
    /// Ask the outside, and give the answer to the SA
    Ask(Question),
    /// Our negotiation of the ISAKMP SA has come to nothing before its first message
    NeverStarted(Cause),
    /// The peer's negotiation is given up without a word, as if there had been none
    Withdrawn,
    /// The ISAKMP SA is established
    Up(Box<Up>),
    /// The first message of a peer's negotiation is refused
    OfferRefused {
        cause: Cause,
        /// What to tell the peer
        notify: Option<NotifyType>,
    },
    /// What is wrong with the negotiation of the ISAKMP SA, if it does not recover
    Provisional(Cause),
    /// The negotiation of the ISAKMP SA is over without success
    Failed(Cause),
    /// Both ends agree on a child
    ChildAgreed(Box<NewChild>),
    /// The peer has this child as well; or it takes back SPIs of one that is gone
    ChildConfirmed {
        child: ChildId,
        /// Our SPIs of it
        inbound: Vec<(ProtocolId, u32)>,
        /// What to do once it is active
        then: Vec<Effect>,
    },
    /// A child that the peer asked for was not confirmed
    ChildUnconfirmed {
        child: ChildId,
        inbound: Vec<(ProtocolId, u32)>,
        cause: Cause,
    },
    /// The exchange of a child that was not confirmed is dropped without a word
    ChildAborted(ChildId),
    /// What we asked for failed
    RequestFailed(ChildRequest, Cause),
    /// What we asked for was cut short
    RequestCutShort(ChildRequest),
    /// What the peer asked for was refused
    PeersRequestFailed(Cause),
    /// There may be room for the next of our requests
    NextRequest,
    /// The peer says that it has these SAs of its own no more
    ChildDeleted(ProtocolId, u32),
    /// The peer says that it does not have this child
    ChildUnknown(ChildId),
    /// The peer could not read the message that confirms this child
    ConfirmationUnread(ChildId),
    /// The peer repeats what our confirmation of an exchange answers: how often so far
    ConfirmationAskedAgain { message_id: u32, repeats: u32 },
    /// The peer says that an ISAKMP SA is gone, by its cookies
    Deleted([u8; 16]),
    /// The peer has started afresh: it has no other SA with us
    InitialContact,
    /// The peer does not answer so many questions whether it is there
    PeerDead(u32),
    /// The peer does not answer at all: it may have lost the ISAKMP SA. What we asked for is to be asked anew
    Silent(ChildRequest),
    /// The peer has used very many message ids; `full`: as many as there may be
    MessageIds { full: bool },
}

/// An ISAKMP SA that is established.
#[derive(Debug)]
pub(crate) struct Up {
    pub(crate) policy: AgreedPolicy,
    pub(crate) identity: Identity,
    /// The peer says that it has no other SA with us
    pub(crate) initial_contact: bool,
    /// As the responder: what the peer offered, as it came
    pub(crate) proposals: Option<Vec<u8>>,
}

/// A child whose exchange gave it its keys.
#[derive(Debug)]
pub(crate) struct NewChild {
    /// As the responder its name; the initiator has none yet
    pub(crate) id: Option<ChildId>,
    pub(crate) message_id: u32,
    pub(crate) role: Role,
    pub(crate) subject: Subject,
    /// As the initiator: what asked for it
    pub(crate) request: Option<ChildRequest>,
    pub(crate) mode: crate::algorithm::Mode,
    /// The transform set that it is of
    pub(crate) set: String,
    pub(crate) pfs: Option<GroupNumber>,
    pub(crate) protocols: Vec<ProtocolSa>,
    pub(crate) seconds: u32,
    pub(crate) kilobytes: Option<u32>,
    /// What to do once it receives: the message goes out that lets the peer use it
    pub(crate) then: Vec<Effect>,
}

/// What an exchange may ask about the other SAs of the endpoint.
pub(crate) trait Tables {
    /// The child with this SPI of packets to an address
    fn by_outbound(&self, peer: IpAddr, protocol: ProtocolId, spi: u32) -> Option<ChildId>;
    /// The same, of this peer: several may be at one address
    fn child_of_peer(&self, protocol: ProtocolId, spi: u32) -> Option<ChildId>;
    /// SPIs that no SA of ours has
    fn fresh_spis(&self, random: &mut dyn Randomness) -> OwnSpis;
    /// A name for a new child
    fn next_child(&mut self) -> ChildId;
    /// Why there may be no further child, if so; counts the answer
    fn child_not_admitted(&mut self, subject: &Subject, role: Role) -> Option<Cause>;
    /// A child that we began under this SA and of which the peer may not have read the confirmation
    fn unread_child(&self, now: Instant) -> Option<ChildId>;
    /// True when a child of this exchange is there and not about to go
    fn has_child_of(&self, message_id: u32) -> bool;
    /// True when we have no other SA with the peer, so that INITIAL-CONTACT is right to send (RFC 2407 4.6.3.3)
    fn is_lonely(&self) -> bool;
    /// True when the peer has begun as many exchanges as it may without confirming one
    fn too_many_unconfirmed(&self) -> bool;
}

/// One input's turn: what a version sees of the world, and what it answers so far.
pub(crate) struct Turn<'a> {
    pub(crate) now: Instant,
    pub(crate) config: &'a Config,
    pub(crate) random: &'a mut dyn Randomness,
    pub(crate) tables: &'a mut dyn Tables,
    next_conn_id: &'a mut u32,
    debugs: bool,
    /// Between whom facts happen
    path: Path,
    effects: Vec<Effect>,
}

impl<'a> Turn<'a> {
    pub(crate) fn new(ctx: &'a mut Context, tables: &'a mut dyn Tables, path: Path) -> Self {
        Self {
            debugs: ctx.debugs(),
            now: ctx.now,
            config: &ctx.config,
            random: ctx.random.as_mut(),
            tables,
            next_conn_id: &mut ctx.next_conn_id,
            path,
            effects: Vec::new(),
        }
    }

    /// What was answered.
    pub(crate) fn into_effects(self) -> Vec<Effect> {
        self.effects
    }

    pub(crate) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Takes what `build` answers out of the turn, for later.
    pub(crate) fn later(&mut self, build: impl FnOnce(&mut Self)) -> Vec<Effect> {
        let before = std::mem::take(&mut self.effects);
        build(self);
        std::mem::replace(&mut self.effects, before)
    }

    /// Whether debug facts are wanted.
    pub(crate) fn debugs(&self) -> bool {
        self.debugs
    }

    pub(crate) fn fact(&mut self, event: Event) {
        self.effects.push(Effect::Fact(self.path, event));
    }

    /// A fact that only debug wants; `event` is made only then.
    pub(crate) fn debug(&mut self, event: impl FnOnce() -> Event) {
        if self.debugs {
            self.fact(event());
        }
    }

    /// Drops the datagram that came.
    pub(crate) fn dropped(&mut self, reason: DropReason, detail: impl Into<String>) {
        self.effects.push(Effect::Dropped(reason, detail.into()));
    }

    pub(crate) fn set_timer(&mut self, timer: SaTimer, at: Instant) {
        self.effects.push(Effect::SetTimer(timer, at));
    }

    pub(crate) fn cancel_timer(&mut self, timer: SaTimer) {
        self.effects.push(Effect::CancelTimer(timer));
    }

    /// `N` random bytes.
    pub(crate) fn random_bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    /// A conn id for an SA that has keys now: facts have it from here on.
    pub(crate) fn number(&mut self) -> u32 {
        let conn_id = *self.next_conn_id;
        *self.next_conn_id += 1;
        self.path.conn_id = conn_id;
        conn_id
    }
}

/// Why a child cannot be: the peer wants to receive it under an SPI under which it receives another one. In the kernel the
/// two would be one.
pub(crate) fn spi_in_use(
    tables: &dyn Tables,
    peer: IpAddr,
    outbound: impl IntoIterator<Item = (IpsecProtocol, u32)>,
) -> Option<Cause> {
    use crate::cause::{Blame, Phase};
    let used = |(protocol, spi): &(IpsecProtocol, u32)| {
        let known = tables.by_outbound(peer, ProtocolId::from(*protocol), *spi);
        known.is_some()
    };
    let (_, spi) = outbound.into_iter().find(used)?;
    Some(Cause::Protocol {
        blame: Blame::Misbehaved,
        phase: Phase::Two,
        came: format!("SPI {spi:#010x} again, under which {peer} receives already"),
        expected: "an SPI that is not in use".into(),
    })
}
