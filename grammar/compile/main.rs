//! The build script: reads the pest files with `pest_meta` and writes what `src/tree.rs` includes, the names of the rules
//! and the automaton over words as static tables. A mistake in a pest file ends the build with its place.

mod attributes;
mod automaton;
mod read;
mod terminal;
mod write;

use std::path::{Path, PathBuf};

fn main() {
    let folder = Path::new("src/commands");
    println!("cargo::rerun-if-changed=compile");
    println!("cargo::rerun-if-changed={}", folder.display());
    let rules = read::rules(folder);
    let automaton = automaton::Automaton::new(&rules);
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let text = write::tables(&rules, &automaton);
    std::fs::write(out.join("tables.rs"), text).expect("the build folder takes files");
}
