//! The daemon as a library, so that its tests, its benchmarks and its `main` see the same code.
//!
//! `config` is the one typed running-config (parse result in, changes and text out); `show` turns a snapshot of the
//! router into the text of the show commands. Neither does any input or output except `config::startup`. `router` is
//! where everything meets; `run` is the loop around it.

pub mod change_control;
pub mod clock;
pub mod config;
pub mod debug;
pub mod json;
pub mod log;
pub mod machine;
pub mod operators;
pub mod plan;
pub mod router;
pub mod session;
pub mod show;
pub mod storage;
pub mod tasks;
#[doc(hidden)]
pub mod testing;
pub mod view;
