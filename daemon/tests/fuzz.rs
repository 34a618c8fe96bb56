//! The fuzz target of the configuration loader on stable Rust: its corpus, and inputs made from it. More of them:
//! `ISTHMUS_FUZZ=1000000 ISTHMUS_FUZZ_SEED=7 cargo test --release -p isthmusd --test fuzz`.

use std::path::Path;

#[path = "../fuzz/config.rs"]
mod config;
#[path = "../../cli/fuzz/mutate.rs"]
mod mutate;

#[test]
fn config() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/config");
    mutate::run(&corpus, 200, config::config);
}
