//! The real console, as one program that links it once. What the tests stand on is in `support`.

mod aliases;
mod autocommand;
mod check;
mod editing;
mod fuzz;
mod json;
mod keys;
#[path = "../../fuzz/line_reader.rs"]
mod line_reader;
mod login;
mod paste;
mod plain;
mod same;
mod session;
mod slips;
mod support;
