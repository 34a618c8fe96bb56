//! What the router wants sent and asked of the kernel, in order. Queued by the router and its services, carried out by `tasks`.

use std::net::SocketAddr;

use ike::child::ChildId;
use isthmus_kernel::Request;
use tokio::sync::oneshot;

/// Something to carry out. In order: an SA is in the kernel before the message goes out that lets the peer use it.
#[derive(Debug)]
pub enum Work {
    /// A datagram.
    Send {
        /// From.
        local: SocketAddr,
        /// To.
        remote: SocketAddr,
        /// What.
        bytes: Vec<u8>,
    },
    /// Changes in the kernel.
    Kernel {
        /// What.
        requests: Vec<Request>,
        /// Whose failure it is if they fail.
        owner: Owner,
    },
    /// Tells somebody that everything before it is done.
    Reached(oneshot::Sender<()>),
}

/// On whose behalf the kernel is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A child that cannot live if it fails.
    Child(ChildId),
    /// Something that may be gone already.
    Cleanup,
}
