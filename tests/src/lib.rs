//! The lab: Isthmus and real peers as routers on a real kernel, joined by wires that are watched.
//!
//! A scenario (`scenarios/`) is a function that builds a topology (`lab/`), starts routers (`peer/`), sends traffic and says
//! what went wrong. It runs as root of a kernel of its own: a user-mode Linux guest (`guest.rs`), or the machine's own kernel
//! where that one has ESP. The host side (`boot.rs`) boots guests and asks them to run scenarios by name; `scenarios.rs`
//! beside this folder makes one `#[test]` of each, and `make demo` plays one for the reader.

pub mod bench;
pub mod boot;
pub mod guest;
pub mod lab;
pub mod modules;
pub mod peer;
pub mod scenarios;
