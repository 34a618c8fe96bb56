//! The daemon as a library, so that its tests, its benchmarks, its `main` and `isthmus --check` see the same code.
//!
//! The folders stand on floors, each naming only those below: `tests/floors.rs` has them and keeps it so, `ARCHITECTURE.md` says
//! what each is for.

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
