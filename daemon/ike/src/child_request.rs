//! What asks for a child: traffic, or one that is to be replaced.

use serde::{Deserialize, Serialize};

use crate::child::ChildId;
use crate::config::{ConnectionId, FlowId};

/// A child that should come up, or be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ChildRequest {
    pub(crate) connection: ConnectionId,
    pub(crate) flow: FlowId,
    /// The child it replaces
    pub(crate) rekeys: Option<ChildId>,
}
