//! The line an operator types, without any terminal: [`keys`] turns bytes into keys, [`editor`]
//! turns keys into text, [`paint`] into what must be sent to the screen, [`history`] remembers.
//!
//! Rustyline's line buffer and history do the editing; its terminal side is not used, because it
//! cannot serve the tools that drive routers: it repaints every line with escape sequences, drops
//! type-ahead that a question or the pager should get, and wraps where IOS scrolls. Ours sends
//! letters, blanks, backspaces and line ends only, to people and tools alike, so there is nothing
//! to detect and only one behaviour to test.

pub mod editor;
pub mod history;
pub mod keys;
pub mod paint;
