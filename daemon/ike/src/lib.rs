//! Sans-IO IKE engine: no sockets, no clock, no kernel.
//!
//! `endpoint` is the way in: datagrams, timeouts, kernel events, configuration and operator actions
//! go in, `output` comes out. Start reading at `endpoint/mod.rs`.

// A refusal carries its whole cause, and is rare beside what it refuses.
#![allow(clippy::result_large_err)]

pub mod algorithm;
pub mod auth;
pub mod cause;
pub mod child;
mod child_request;
pub mod config;
mod context;
pub mod crypto;
mod effect;
pub mod endpoint;
pub mod event;
mod flight;
mod id;
pub mod identity;
mod limit;
pub mod offer;
pub mod origin;
pub mod output;
mod peer_text;
pub mod question;
pub mod random;
pub mod registry;
pub mod resume;
mod sa;
pub mod secret;
pub mod selector;
pub mod status;
mod talk;
mod task;
pub mod time;
mod timer;
mod v1;
pub mod wire;

pub use endpoint::Endpoint;
pub use output::{Clear, Expiry, KernelSa, Output, Traffic};
pub use question::{Answer, Question, QuestionId};
pub use resume::{ResumeError, Saved};
pub use time::Instant;
