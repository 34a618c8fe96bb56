//! The SAs of an endpoint as data, for an endpoint that goes on with them: a daemon that was upgraded, or a machine that
//! was off for a while. `save` makes it, `load` goes on with it; the daemon keeps the bytes in between.
//!
//! Every moment is kept as its distance from the save, whose wall-clock time is known: what ran out meanwhile has run out.
//!
//! Saved are established ISAKMP SAs, children, what is wished for, and what a peer has not been told yet. Not saved are:
//! - negotiations of phase 1, and quick modes of ours that the peer has not answered: what asked for them asks anew. Of such
//!   a quick mode our SPIs are kept, to be taken back if the peer answers (`given_up`);
//! - ISAKMP SAs that are only shown, counters, and what strangers offered.
//!
//! The outbound keys of a child are saved while its outbound half is not installed, and only then: `Endpoint::save` gives
//! them away (`endpoint/phase.rs`). So what is saved must be resumed once only: destroy the bytes before the first output of
//! the resumed endpoint is carried out.
//!
//! The caller goes by the kernel: `Saved::halves` says what must be there, and what is not is ended after `resume`. Limits in
//! bytes that the kernel reported to nobody show in the counters that `Endpoint::wants_traffic` asks for.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use postcard::ser_flavors::Size;
use serde::{Deserialize, Serialize};

use crate::algorithm::Hash;
use crate::cause::Cause;
use crate::child::{ChildId, ChildSa, Direction};
use crate::child_request::ChildRequest;
use crate::config::ConnectionId;
use crate::endpoint::child_life::kernel_sas;
use crate::endpoint::peers::Known;
use crate::endpoint::phase::Phase;
use crate::endpoint::watch::Doubt;
use crate::id::{PeerId, SaId};
use crate::identity::Identity;
use crate::output::{KernelSa, Traffic};
use crate::registry::ProtocolId;
use crate::sa::Replacement;
use crate::secret::Secret;
use crate::status::Role;
use crate::time::Instant;
use crate::wire::{Cookie, Cookies};

mod load;
mod save;
mod v1;

/// What the bytes begin with.
const MAGIC: [u8; 8] = *b"isthmus\0";

/// Number of the format; another one for every change of what is saved.
pub const VERSION: u16 = 2;

/// Length of magic and version.
const HEAD: usize = MAGIC.len() + 2;

/// Length of the SHA-256 at the end.
const DIGEST: usize = 32;

/// No more names than this were ever given, of anything.
const MOST_NAMES: u32 = 1 << 30;

/// The SAs of an endpoint, made by `Endpoint::save`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Saved {
    /// When, in milliseconds since 1970
    wall: u64,
    /// Who there is anything with, and the deletes that wait for an ISAKMP SA with it
    peers: Vec<(PeerId, Known)>,
    ike: Vec<SavedIke>,
    children: Vec<SavedChild>,
    sessions: Vec<SavedSession>,
    /// What was wished for, and of which peer
    requests: Vec<(ChildRequest, IpAddr)>,
    /// When phase 1 with a peer is to come back between two ends
    restores: Vec<(PeerId, SocketAddr, SocketAddr, Moment)>,
    last: Last,
}

/// SPIs of SAs that we receive under.
type Spis = Vec<(ProtocolId, u32)>;

/// Milliseconds from the save: negative before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Moment(i64);

/// The highest names so far.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Last {
    peer: u64,
    sa: u64,
    child: u64,
    conn_id: u32,
    child_conn_id: u32,
}

/// An established ISAKMP SA.
#[derive(Debug, Serialize, Deserialize)]
struct SavedIke {
    id: SaId,
    peer: PeerId,
    role: Role,
    local: SocketAddr,
    remote: SocketAddr,
    cookies: Cookies,
    conn_id: u32,
    created: Moment,
    established: Moment,
    peer_has_dpd: bool,
    identity: Option<Identity>,
    connection: Option<ConnectionId>,
    expires: Moment,
    heard: Moment,
    replacement: Replacement,
    timers: IkeTimers,
    version: Version,
}

/// What is particular to a version of IKE.
#[derive(Debug, Serialize, Deserialize)]
enum Version {
    V1(Box<v1::SavedV1>),
}

/// What an ISAKMP SA waits for.
#[derive(Debug, Serialize, Deserialize)]
struct IkeTimers {
    rekey: Option<Moment>,
    retire: Option<Moment>,
    deleted: Option<Moment>,
    keepalive: Option<Moment>,
    tell_untold: Option<Moment>,
}

/// A child. Its keys are in the kernel, but for those in its phase.
#[derive(Debug, Serialize, Deserialize)]
struct SavedChild {
    sa: ChildSa,
    phase: Phase<Moment>,
    peer: PeerId,
    role: Role,
    local: SocketAddr,
    remote: SocketAddr,
    ike_conn_id: u32,
    conn_id: u32,
    exchange: (SaId, u32),
    rival: Option<(SaId, u32)>,
    expires: Moment,
    traffic: Traffic,
    heard: Moment,
    doubt: Option<Doubt<Moment>>,
    losses: u8,
    timers: ChildTimers,
}

/// What a child waits for.
#[derive(Debug, Serialize, Deserialize)]
struct ChildTimers {
    rekey: Option<Moment>,
    retire: Option<Moment>,
    activate: Option<Moment>,
}

/// A connection beside its SAs.
#[derive(Debug, Serialize, Deserialize)]
struct SavedSession {
    connection: ConnectionId,
    /// The `set peer` in use or to be tried next
    peer: Option<IpAddr>,
    tried: usize,
    up_since: Option<Moment>,
    last_failure: Option<(Moment, Cause)>,
}

/// Why an endpoint cannot go on with what was saved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResumeError {
    /// The bytes are of something else
    #[error("not the saved SAs of an endpoint")]
    Foreign,
    /// Another version of the program wrote them
    #[error("saved SAs of version {found}, where version {VERSION} is known")]
    Version {
        /// The version of the bytes
        found: u16,
    },
    /// Bytes are missing or changed, or say what cannot be
    #[error("saved SAs are damaged: {0}")]
    Damaged(&'static str),
    /// The endpoint has begun with SAs of its own
    #[error("the endpoint has SAs already")]
    InUse,
}

impl Saved {
    /// The bytes to keep. They hold keys.
    pub fn to_bytes(&self) -> Secret {
        let Ok(length) = postcard::serialize_with_flavor(self, Size::default()) else {
            unreachable!("every collection knows its length");
        };
        // The keys are written to one place only.
        let mut bytes = Vec::with_capacity(HEAD + length + DIGEST);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.resize(HEAD + length, 0);
        if postcard::to_slice(self, &mut bytes[HEAD..]).is_err() {
            unreachable!("the length was measured");
        }
        let digest = Hash::Sha256.digest(&[&bytes]);
        bytes.extend_from_slice(&digest);
        Secret::new(bytes)
    }

    /// Reads what `to_bytes` wrote.
    ///
    /// # Errors
    /// [`ResumeError::Foreign`], [`ResumeError::Version`] or [`ResumeError::Damaged`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ResumeError> {
        let rest = bytes.strip_prefix(&MAGIC).ok_or(ResumeError::Foreign)?;
        let short = ResumeError::Damaged("too short");
        let (version, _) = rest.split_first_chunk::<2>().ok_or(short.clone())?;
        let found = u16::from_be_bytes(*version);
        if found != VERSION {
            return Err(ResumeError::Version { found });
        }
        let (covered, digest) = bytes.split_last_chunk::<DIGEST>().ok_or(short.clone())?;
        let body = covered.get(HEAD..).ok_or(short)?;
        if Hash::Sha256.digest(&[covered]) != digest {
            return Err(ResumeError::Damaged("its digest is another one"));
        }
        let (saved, rest) = postcard::take_from_bytes::<Self>(body)
            .map_err(|_| ResumeError::Damaged("it cannot be read"))?;
        if !rest.is_empty() {
            return Err(ResumeError::Damaged("too long"));
        }
        saved.check()?;
        Ok(saved)
    }

    /// The halves of children that were in the kernel. Where one is missing now, the child cannot go on: once it is resumed,
    /// end it by `Endpoint::expire` with `Expiry::Hard`.
    pub fn halves(&self) -> Vec<(ChildId, Direction, Vec<KernelSa>)> {
        let halves = self.children.iter().flat_map(|child| {
            let outbound = child.phase.has_outbound().then_some(Direction::Outbound);
            let directions = [Some(Direction::Inbound), outbound].into_iter().flatten();
            directions.map(|direction| (child.sa.id, direction, kernel_sas(&child.sa, direction)))
        });
        halves.collect()
    }

    /// Whether it is what an endpoint could have saved, as far as the rest of the engine relies on it.
    fn check(&self) -> Result<(), ResumeError> {
        let most = u64::from(MOST_NAMES);
        let last = &self.last;
        if last.peer > most
            || last.sa > most
            || last.child > most
            || last.conn_id > MOST_NAMES
            || last.child_conn_id > MOST_NAMES
        {
            return Err(ResumeError::Damaged("more names than there can be"));
        }
        let mut peers = HashSet::new();
        let mut proved = HashSet::new();
        for (
            id,
            Known {
                address, identity, ..
            },
        ) in &self.peers
        {
            let named = id.0 <= last.peer && *id != PeerId::NOT_KNOWN && peers.insert(*id);
            let identity = identity.as_ref();
            if !named || identity.is_some_and(|proof| !proved.insert((address, proof))) {
                return Err(ResumeError::Damaged("the name of a peer"));
            }
        }
        let of_ike = self.ike.iter().map(|ike| ike.peer);
        let of_children = self.children.iter().map(|child| child.peer);
        if !of_ike.chain(of_children).all(|peer| peers.contains(&peer)) {
            return Err(ResumeError::Damaged("a peer that is not known"));
        }
        let mut names = HashSet::new();
        let mut cookies = HashSet::new();
        for ike in &self.ike {
            if ike.id.0 > last.sa || !names.insert(ike.id) {
                return Err(ResumeError::Damaged("the name of an ISAKMP SA"));
            }
            if !cookies.insert(ike.own_cookie()) {
                return Err(ResumeError::Damaged("a cookie of two ISAKMP SAs"));
            }
        }
        let mut names = HashSet::new();
        for SavedChild { sa, phase, .. } in &self.children {
            if sa.id.0 > last.child || !names.insert(sa.id) {
                return Err(ResumeError::Damaged("the name of a child"));
            }
            let parts = sa.protocols.iter();
            let secret = parts.flat_map(|part| [&part.inbound, &part.outbound]);
            let mut bare = secret.map(|keys| keys.cipher.is_empty() && keys.integrity.is_empty());
            let fit = phase.keys().is_none_or(|keys| keys.fit(sa));
            if sa.protocols.is_empty() || !bare.all(|bare| bare) || !fit {
                return Err(ResumeError::Damaged("the keys of a child"));
            }
        }
        Ok(())
    }
}

impl SavedIke {
    /// The cookie that we chose.
    fn own_cookie(&self) -> Cookie {
        match self.role {
            Role::Initiator => self.cookies.initiator,
            Role::Responder => self.cookies.responder,
        }
    }
}

/// The moment of the save in the clock of an endpoint.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn moment(self, at: Instant) -> Moment {
        let milliseconds = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        if at < self.0 {
            Moment(-milliseconds(self.0 - at))
        } else {
            Moment(milliseconds(at - self.0))
        }
    }

    fn instant(self, moment: Moment) -> Instant {
        let distance = Duration::from_millis(moment.0.unsigned_abs());
        if moment.0 < 0 {
            self.0 - distance
        } else {
            self.0 + distance
        }
    }
}
