//! `cargo +nightly fuzz run notification` in `daemon/ike`; what it checks is `decoders::notification`.
#![no_main]

#[path = "../decoders.rs"]
#[allow(dead_code)]
mod decoders;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = decoders::notification(bytes);
});
