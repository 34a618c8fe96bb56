//! How peers prove who they are.

pub mod psk;
