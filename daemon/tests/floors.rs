//! The floors of `daemon/src`: a folder, or a file beside the folders, names only what is on floors below its own. So there is no
//! circle of folders, and what a change can reach is known. Tests may name everything, and so may `main.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// From the top floor down; those on one floor do not know each other. What each of them is for is in its first lines.
const FLOORS: [&[&str]; 13] = [
    &["tasks"],
    &["session"],
    &["view"],
    &["show"],
    &["change_control"],
    &["router"],
    &["debug"],
    &["plan", "storage"],
    &["machine"],
    &["log"],
    &["operators"],
    &["config"],
    &["clock", "json"],
];

/// What stands on no floor: the program, the list of the folders, and what makes routers for tests. No floor names them.
const OUTSIDE: [&str; 3] = ["main", "lib", "testing"];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file below a folder that is no test, with its path from `src`.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if stem == "tests" || stem.ends_with("_tests") {
            continue;
        }
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path.strip_prefix(source()).unwrap().to_owned());
        }
    }
}

/// The folder or file directly below `src` that a path is in.
fn room(file: &Path) -> String {
    let first = file.iter().next().unwrap().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// How many `super::` lead from a file to the root of the crate.
fn depth(file: &Path) -> usize {
    file.iter().count() - usize::from(file.ends_with("mod.rs"))
}

/// The code of a file, without comments and without the tests at its end.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().map(|line| match line.trim_start() {
        comment if comment.starts_with("//") => "",
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The first name of each path that starts at the root of the crate.
fn named(code: &str, depth: usize) -> BTreeSet<String> {
    let supers = "super::".repeat(depth);
    let mut names = BTreeSet::new();
    for root in ["crate::", &supers] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            names.extend(first_names(&code[at + root.len()..]));
        }
    }
    names
}

/// `router` of `router::Shared`; `router` and `log` of `{router::{Files, Router}, log}`.
fn first_names(path: &str) -> Vec<String> {
    let Some(list) = path.strip_prefix('{') else {
        let end = path.find(|c: char| !c.is_alphanumeric() && c != '_');
        return vec![path[..end.unwrap_or(path.len())].to_owned()];
    };
    let (mut names, mut open, mut start) = (Vec::new(), 0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => open += 1,
            '}' | ',' if open == 0 => {
                let item = list[start..at].trim();
                if !item.is_empty() {
                    names.extend(first_names(item));
                }
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => open -= 1,
            _ => {}
        }
    }
    names
}

/// The code of every file.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&source(), &mut found);
    let read = |file: PathBuf| {
        let text = std::fs::read_to_string(source().join(&file)).unwrap();
        (file, code(&text))
    };
    found.into_iter().map(read).collect()
}

/// Which room names which, and in which files.
fn arrows() -> BTreeMap<(String, String), Vec<PathBuf>> {
    let mut arrows: BTreeMap<_, Vec<PathBuf>> = BTreeMap::new();
    for (file, code) in sources() {
        let from = room(&file);
        for to in named(&code, depth(&file)) {
            if to != from {
                arrows
                    .entry((from.clone(), to))
                    .or_default()
                    .push(file.clone());
            }
        }
    }
    arrows
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

#[test]
fn every_folder_is_on_a_floor_and_names_only_lower_ones() {
    let mut faults = Vec::new();
    for ((from, to), files) in arrows() {
        if OUTSIDE.contains(&from.as_str()) {
            continue;
        }
        match (floor(&from), floor(&to)) {
            (Some(above), Some(below)) if above < below => {}
            (None, _) => faults.push(format!("{from} is on no floor")),
            (_, None) => faults.push(format!(
                "{from} names {to}, which is on no floor: {files:?}"
            )),
            _ => faults.push(format!(
                "{from} names {to}, which is not below it: {files:?}"
            )),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The names of functions that are defined in a piece of code.
fn functions(code: &str) -> Vec<String> {
    let after = code.split("fn ").skip(1);
    after.flat_map(first_names).collect()
}

/// Methods that other floors give to `Router`, with the room of each.
fn methods(sources: &[(PathBuf, String)]) -> BTreeMap<String, String> {
    let all = sources.iter().flat_map(|(_, code)| functions(code));
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for name in all {
        *times.entry(name).or_default() += 1;
    }
    let mut methods = BTreeMap::new();
    for (file, code) in sources {
        for block in code.split("\nimpl Router {\n").skip(1) {
            let block = block.split("\n}").next().unwrap();
            // Of a name that others have too it cannot be told whose it is.
            let own = functions(block).into_iter().filter(|name| times[name] == 1);
            methods.extend(own.map(|name| (name, room(file))));
        }
    }
    methods
}

#[test]
fn no_floor_calls_what_a_higher_one_gives_the_router() {
    let sources = sources();
    let methods = methods(&sources);
    assert_eq!(methods["rollback_active"], "change_control");
    let mut faults = Vec::new();
    for (file, code) in &sources {
        let Some(here) = floor(&room(file)) else {
            continue;
        };
        for (name, to) in &methods {
            let called = code.contains(&format!(".{name}("));
            if called && floor(to).is_some_and(|there| there < here) {
                faults.push(format!("{} calls {name} of {to}", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_floor_is_there() {
    let mut found = Vec::new();
    files(&source(), &mut found);
    let rooms: BTreeSet<String> = found.iter().map(|file| room(file)).collect();
    let listed = FLOORS.iter().copied().flatten().chain(&OUTSIDE);
    let listed: BTreeSet<String> = listed.map(|room| (*room).to_owned()).collect();
    assert_eq!(rooms, listed);
}

#[test]
fn the_picture_of_the_architecture_is_the_same() {
    let page = source().join("../../ARCHITECTURE.md");
    let page = std::fs::read_to_string(page).unwrap();
    let section = page.split("## The floors of the daemon\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let picture = section.lines().filter_map(|line| line.strip_prefix("    "));
    let rooms: BTreeSet<&str> = FLOORS.iter().copied().flatten().copied().collect();
    let drawn: Vec<Vec<&str>> = picture
        .map(|line| {
            let words = line.split([' ', '|']).filter(|word| !word.is_empty());
            words.take_while(|word| rooms.contains(word)).collect()
        })
        .collect();
    assert_eq!(drawn, FLOORS.map(<[&str]>::to_vec));
}

#[test]
fn what_a_file_names_is_seen() {
    let seen = |text: &str, depth| named(&code(text), depth).into_iter().collect::<Vec<_>>();
    assert_eq!(seen("use crate::router::{Router, Shared};", 2), ["router"]);
    assert_eq!(
        seen(
            "use crate::{log, router::{Files, held::{a, b}},\n    show};",
            2
        ),
        ["log", "router", "show"]
    );
    assert_eq!(seen("let a = crate::plan::child::sa_id;", 2), ["plan"]);
    assert_eq!(seen("use super::super::view;", 2), ["view"]);
    assert_eq!(seen("use super::view;", 1), ["view"]);
    assert_eq!(seen("use super::neighbour;", 2), [""; 0]);
    assert_eq!(seen("// crate::router\n/// [`crate::show`]", 2), [""; 0]);
    assert_eq!(
        seen(
            "fn a() {}\n#[cfg(test)]\nmod tests {\nuse crate::show;\n}",
            2
        ),
        [""; 0]
    );
    // And in the tree itself.
    assert!(arrows().contains_key(&("tasks".to_owned(), "router".to_owned())));
}
