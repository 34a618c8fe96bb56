//! `cargo +nightly fuzz run payloads` in `daemon/ike`; what it checks is `decoders::payloads`.
#![no_main]

#[path = "../decoders.rs"]
#[allow(dead_code)]
mod decoders;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = decoders::payloads(bytes);
});
