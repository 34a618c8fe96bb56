//! The daemon as a library, so that its tests, its benchmarks, its `main` and `isthmus --check` see the same code.
//!
//! The folders stand on floors, each knowing only those below (`tests/floors.rs` keeps it so):
//!
//! ```text
//! tasks            the run loop and what else goes on by itself
//! session          one operator: what is typed, and what is answered
//! view             the router as the screens need it
//! show             facts, text and JSON of the screens
//! change_control   copies, rollback and reload of the configuration
//! router           where everything meets: the tunnels, the policies, what follows from a change
//! debug            the engine's facts as debug lines
//! plan  storage    what the configuration asks of engine and kernel  |  files of flash:, tftp: and scp:
//! machine          links and their names, load, folders, the disk, the sandbox
//! log              messages to console, buffer, terminals and syslog servers
//! operators        who is logged in
//! config           the one typed running-config: read, changed, printed
//! clock  json      how times are told  |  how values stand in JSON
//! ```

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
