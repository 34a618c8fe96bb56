//! The only Isthmus crate that talks to Linux: XFRM policies and SAs, links, addresses, routes, IKE sockets, ICMP probes.
//!
//! `isthmusd` holds one [`Kernel`] (from [`Kernel::linux`], or [`Kernel::fake`] in tests and benches), puts work in with
//! [`Kernel::submit`], asks with the `dump_*`, [`Kernel::links`] … queries, and takes what happens out of one [`Events`].
//! [`Kernel::ike_socket`] gives the UDP sockets, [`Kernel::ping`] the probes.
//!
//! # What is ours
//! Everything made here carries a mark which the kernel keeps and shows again, so that after a crash it is found, and
//! nothing else is ever removed ([`owner`]): SAs a reqid in [`Reqid::RANGE`], policies a priority in [`Priority::RANGE`],
//! routes and addresses the protocol number [`owner::PROTOCOL`], links the group [`owner::LINK_GROUP`].
//!
//! # Reading order
//! `request.rs` (what can be asked) → `sa.rs`, `policy.rs` (XFRM types) → `event.rs`, `query.rs` (what comes back) →
//! `kernel.rs` (the handle) → `linux/` (netlink) or `fake/`.

mod error;
mod event;
mod fake;
mod icmp;
mod kernel;
mod linux;
mod memory;
pub mod owner;
mod policy;
mod query;
mod request;
mod sa;
mod sys;
mod udp;

pub use error::{ErrorKind, KernelError};
pub use event::{Acquire, Event, Events, Expire};
pub use fake::{Counts, Fake, Verdict};
pub use icmp::{Probe, ProbeReply};
pub use kernel::Kernel;
pub use memory::keep_to_itself;
pub use owner::{Priority, Reqid};
pub use policy::{Action, Direction, Level, PolicyKey, PolicySpec, PortMatch, Selector, Template};
pub use query::{
    AddressInfo, LinkInfo, NeighbourInfo, PolicyInfo, RouteInfo, SaInfo, SaStats, XfrmErrors,
};
pub use request::{LinkKind, Request, RouteSpec, RouteTarget};
pub use sa::{
    Authentication, DfBit, Encapsulation, Encryption, IpsecMode, IpsecProtocol, Key, Lifetime,
    SaId, SaSpec,
};
pub use sys::clock_synchronised;
pub use udp::{Datagram, IkeSocket};
