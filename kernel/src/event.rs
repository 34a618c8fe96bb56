//! What the kernel tells unasked: traffic that wants an SA, SAs that grow old, links and addresses that change.

use std::net::IpAddr;

use ipnet::IpNet;
use tokio::sync::mpsc;

use crate::{IpsecProtocol, LinkInfo, PolicyKey, Priority, Reqid, SaId, Selector};

/// Something that happened. Only what concerns our own SAs and policies is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A packet met a policy of ours and there is no SA. Comes once for a tunnel, then not again until
    /// the SA is there, or the acquire was forgotten. See `policy.rs`.
    Acquire(Acquire),
    /// An SA reached a limit of its [`Lifetime`](crate::Lifetime), or another program deleted it.
    Expire(Expire),
    /// A link appeared or something about it changed.
    LinkChanged(LinkInfo),
    /// A link is gone.
    LinkRemoved {
        /// Kernel index; it is not used again soon.
        index: u32,
        /// Kernel name.
        name: String,
    },
    /// An address appeared or disappeared.
    AddressChanged {
        /// Kernel index of the interface.
        index: u32,
        /// Address with its prefix length.
        address: IpNet,
        /// There now, or gone.
        present: bool,
    },
    /// Another program replaced or deleted a policy that has or had this key; `None`: it deleted them all, or it is not
    /// known which. Ask for them again (`dump_policies`).
    PolicyTouched(Option<PolicyKey>),
    /// Events were lost because they came faster than they were read: ask for everything again
    /// (`dump_sas`, `dump_policies`, `links`, `addresses`); an acquire that was lost comes again by itself.
    Overflow,
}

/// Traffic wants an SA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acquire {
    /// The reqid of the policy's templates.
    pub reqid: Reqid,
    /// ESP or AH: of the first template, from the inside out, that lacks an SA. A policy with both gives one event.
    pub protocol: IpsecProtocol,
    /// Our end of the wanted SA. In transport mode the packet's source.
    pub source: IpAddr,
    /// Their end.
    pub destination: IpAddr,
    /// The policy that was met.
    pub policy: PolicyKey,
    /// Its priority.
    pub priority: Priority,
    /// The kernel's number for it.
    pub policy_index: u32,
    /// The packet: single addresses and, if it has them, ports.
    pub packet: Selector,
    /// The kernel's number for this acquire.
    pub sequence: u32,
}

/// An SA reached a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expire {
    /// Which.
    pub sa: SaId,
    /// Its source.
    pub source: IpAddr,
    /// Its reqid.
    pub reqid: Reqid,
    /// Dead already (`true`), or time to replace it (`false`).
    pub hard: bool,
    /// Bytes it carried.
    pub bytes: u64,
    /// Packets it carried.
    pub packets: u64,
}

/// The stream of events. There is one for a kernel, made with it.
#[derive(Debug)]
pub struct Events(mpsc::Receiver<Event>);

/// How many events may wait to be read before [`Event::Overflow`].
const CAPACITY: usize = 16 * 1024;

impl Events {
    pub(crate) fn channel() -> (mpsc::Sender<Event>, Self) {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        (sender, Self(receiver))
    }

    /// The next event; `None` when the kernel connection is closed. Cancel safe.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }

    /// The next event if there is one already.
    pub fn try_next(&mut self) -> Option<Event> {
        self.0.try_recv().ok()
    }
}
