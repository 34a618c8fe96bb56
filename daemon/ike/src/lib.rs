//! Sans-IO IKE engine: no sockets, no clock, no kernel.
//!
//! `endpoint` is the way in: datagrams, timeouts, kernel events, configuration and operator actions
//! go in, `output` comes out. Start reading at `endpoint.rs`.

// A refusal carries its whole cause, and is rare beside what it refuses.
#![allow(clippy::result_large_err)]

pub mod algorithm;
pub mod cause;
pub mod child;
mod children;
mod clear;
pub mod config;
mod context;
pub mod crypto;
pub mod endpoint;
pub mod event;
pub mod identity;
mod ike;
mod lifecycle;
mod limit;
pub mod offer;
pub mod output;
mod peer_text;
mod phase;
pub mod random;
pub mod registry;
mod restore;
mod sa;
pub mod secret;
pub mod selector;
mod session;
mod snapshot;
pub mod status;
mod talk;
pub mod time;
mod timer;
mod v1;
mod watch;
pub mod wire;

pub use endpoint::Endpoint;
pub use output::{Clear, Expiry, KernelSa, Output, Traffic};
pub use time::Instant;
