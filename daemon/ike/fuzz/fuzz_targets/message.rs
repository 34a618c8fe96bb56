//! `cargo +nightly fuzz run message` in `daemon/ike`; what it checks is `decoders::message`.
#![no_main]

#[path = "../decoders.rs"]
#[allow(dead_code)]
mod decoders;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = decoders::message(bytes);
});
