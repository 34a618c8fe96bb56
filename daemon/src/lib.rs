//! The daemon as a library, so that its tests, its benchmarks and its `main` see the same code.
//!
//! `config` is the one typed running-config (parse result in, changes and text out); `show` turns a snapshot of the
//! router into the text of the show commands. Neither does any input or output except `config::startup`. `router` is
//! where everything meets; `run` is the loop around it.

pub mod clock;
pub mod complaints;
pub mod config;
pub mod control;
pub mod debug;
pub mod failure;
pub mod held;
pub mod interfaces;
pub mod load;
pub mod log;
mod names;
pub mod network;
pub mod notify;
pub mod outside;
pub mod policies;
mod poll;
pub mod reconcile;
pub mod record;
pub mod router;
pub mod run;
pub mod sandbox;
pub mod session;
pub mod show;
pub mod storage;
pub mod tftp;
pub mod translate;
pub mod upkeep;
pub mod view;
pub mod waiting;
