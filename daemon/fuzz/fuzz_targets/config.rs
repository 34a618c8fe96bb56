//! `cargo +nightly fuzz run config` in `daemon`; what it checks is `config::config`.
#![no_main]

#[path = "../config.rs"]
mod config;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| config::config(bytes));
