//! What the console's tests share: the fake daemon and a terminal to sit at.
#![allow(dead_code, unused_imports)] // every test program uses its own part

pub mod daemon;
pub mod fake;
pub mod program;
pub mod terminal;

pub use fake::Fake;
pub use program::{given, isthmus, isthmus_at, piped};
pub use terminal::Console;
