//! Names: of an ISAKMP SA within its endpoint, and of the two ends of it. Used by everything.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Names an ISAKMP SA within its endpoint; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct SaId(pub(crate) u64);

/// Names a peer within its endpoint: the lineage of its ISAKMP SAs and the identity that it proves. Never its address, behind
/// which there may be others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct PeerId(pub(crate) u64);

impl PeerId {
    /// Of a negotiation that is not kept, or not yet.
    pub(crate) const NOT_KNOWN: Self = Self(0);
}

/// Between which ends something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    /// The ISAKMP SA's conn id; 0 while it has none
    pub(crate) conn_id: u32,
}
