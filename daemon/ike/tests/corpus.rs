//! Runs the corpus of the fuzz targets on stable Rust. A file whose name starts with `bad-` must be refused, any other
//! must decode.

use std::fmt::Display;
use std::path::Path;

#[path = "../fuzz/decoders.rs"]
mod decoders;
#[path = "../fuzz/endpoint.rs"]
mod endpoint;

fn run<E: Display>(target: &str, check: fn(&[u8]) -> Result<(), E>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("the corpus is in the repository") {
        let path = entry.expect("a readable folder").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(&path).expect("a readable file");
        match check(&bytes) {
            Ok(()) => assert!(
                !name.starts_with("bad-"),
                "{target}/{name} should be refused"
            ),
            Err(error) => {
                assert!(
                    name.starts_with("bad-") || name.starts_with("ikev2-"),
                    "{target}/{name}: {error}"
                );
            }
        }
        count += 1;
    }
    assert!(count > 0, "{} is empty", folder.display());
}

#[test]
fn message() {
    run("message", decoders::message);
}

#[test]
fn payloads() {
    run("payloads", decoders::payloads);
}

#[test]
fn notification() {
    run("notification", decoders::notification);
}

#[test]
fn endpoint() {
    run("endpoint", endpoint::endpoint);
}
