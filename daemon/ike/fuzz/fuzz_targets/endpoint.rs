//! `cargo +nightly fuzz run endpoint` in `daemon/ike`; what it checks is in `endpoint.rs` above.
#![no_main]

#[path = "../endpoint.rs"]
mod endpoint;

libfuzzer_sys::fuzz_target!(|script: &[u8]| {
    let _ = endpoint::endpoint(script);
});
