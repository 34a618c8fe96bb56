//! What asks for a child, traffic or one that is to be replaced; and what a child is for.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::child::ChildId;
use crate::config::{ConnectionId, FlowId};
use crate::selector::Selector;

/// A child that should come up, or be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChildRequest {
    pub(crate) subject: Subject,
    /// The child it replaces
    pub(crate) rekeys: Option<ChildId>,
}

/// What a child is for, the same for both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Subject {
    pub(crate) connection: ConnectionId,
    pub(crate) flow: FlowId,
    /// Our proxy identity
    pub(crate) local: Selector,
    /// The peer's
    pub(crate) remote: Selector,
}

impl Subject {
    /// Where those of a flow begin in a sorted set.
    pub(crate) fn first_of(connection: ConnectionId, flow: FlowId) -> Self {
        let lowest = Selector {
            first: Ipv4Addr::UNSPECIFIED.into(),
            last: Ipv4Addr::UNSPECIFIED.into(),
            protocol: 0,
            port: 0,
        };
        Self {
            connection,
            flow,
            local: lowest,
            remote: lowest,
        }
    }
}
