//! The fuzz targets of the console on stable Rust: their corpus, and inputs made from it. More of them:
//! `ISTHMUS_FUZZ=1000000 ISTHMUS_FUZZ_SEED=7 cargo test --release -p isthmus --test console fuzz`.

use std::path::{Path, PathBuf};

use crate::line_reader;

#[path = "../../fuzz/check.rs"]
mod check;
#[path = "../../fuzz/mutate.rs"]
mod mutate;

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target)
}

#[test]
fn line_reader() {
    mutate::run(&corpus("line_reader"), 300, line_reader::line_reader);
}

#[test]
fn check() {
    mutate::run(&corpus("check"), 100, check::check);
}
