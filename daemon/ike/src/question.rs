//! What the engine asks of the outside, and how it is answered. An exchange that needs an answer waits in a state of its own;
//! the caller gets `Output::Ask` and calls `Endpoint::answer`, at once or later. An answer that is not awaited any more is
//! ignored.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::secret::Secret;

/// How long an answer is waited for.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Names a question within its endpoint; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QuestionId(pub u64);

/// Something that the engine needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The pre-shared key of a peer, by its address: in main mode it is needed before the peer says who it is (RFC 2409 5.4)
    PeerKey {
        /// The peer
        peer: IpAddr,
    },
}

/// What the outside says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To `Question::PeerKey`; none when there is no key
    PeerKey(Option<Secret>),
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerKey { peer } => write!(f, "the pre-shared key for {peer}"),
        }
    }
}
