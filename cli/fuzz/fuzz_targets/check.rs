//! `cargo +nightly fuzz run check` in `cli`; what it checks is `check::check`.
#![no_main]

#[path = "../check.rs"]
mod check;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check::check(bytes));
