//! `cargo +nightly fuzz run line_reader` in `cli`; what it checks is `line_reader::line_reader`.
#![no_main]

#[path = "../line_reader.rs"]
mod line_reader;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| line_reader::line_reader(bytes));
