//! Golden screens: what the console shows for `?`, Tab and Enter after what was typed.
//!
//! Each file in `screens/` is a session. A line that begins with a prompt is typed; the lines up to the
//! next prompt are the answer. `<Tab>` at the end of a typed line is that key. An accepted line has no
//! answer. `ISTHMUS_UPDATE_SCREENS=1 cargo test --test screens` writes the answers anew.

use std::fs;
use std::path::{Path, PathBuf};

use isthmus_grammar::help::{complete, help};
use isthmus_grammar::parser::parse;
use isthmus_grammar::{Access, Mode, walk};

const HOST: &str = "R1";

#[test]
fn sessions_are_as_recorded() {
    let update = std::env::var_os("ISTHMUS_UPDATE_SCREENS").is_some();
    let mut sessions: Vec<PathBuf> =
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens"))
            .expect("the folder of sessions")
            .map(|entry| entry.expect("an entry").path())
            .collect();
    sessions.sort();
    assert!(sessions.len() >= 4, "only {sessions:?}");
    for path in sessions {
        let recorded = fs::read_to_string(&path).expect("a session");
        let shown = replay(&recorded);
        if update {
            fs::write(&path, &shown).expect("write the session");
        } else {
            compare(&path, &recorded, &shown);
        }
    }
}

fn compare(path: &Path, recorded: &str, shown: &str) {
    for (number, (expected, got)) in recorded.lines().zip(shown.lines()).enumerate() {
        assert_eq!(got, expected, "{}:{}", path.display(), number + 1);
    }
    assert_eq!(
        recorded.lines().count(),
        shown.lines().count(),
        "{}: an answer has lines too many or too few",
        path.display()
    );
}

/// The typed lines of a session with the answers of now.
fn replay(recorded: &str) -> String {
    let typed = recorded
        .lines()
        .filter_map(|line| prompt_of(line).map(|mode| (mode, line)));
    typed
        .map(|(mode, line)| format!("{line}\n{}", answer(mode, &line[mode.prompt(HOST).len()..])))
        .collect()
}

/// The mode whose prompt a line begins with.
fn prompt_of(line: &str) -> Option<Mode> {
    Mode::ALL
        .iter()
        .copied()
        .find(|mode| line.starts_with(&mode.prompt(HOST)))
}

fn answer(mode: Mode, typed: &str) -> String {
    if let Some(line) = typed.strip_suffix('?') {
        return help(mode, line);
    }
    if let Some(line) = typed.strip_suffix("<Tab>") {
        return complete(mode, line)
            .map_or_else(|| "(nothing)\n".to_owned(), |line| format!("[{line}]\n"));
    }
    match parse(mode, typed) {
        Ok(_) => {
            let expanded = walk::expand(mode, typed).expect("it parsed");
            if expanded.line == typed {
                String::new()
            } else {
                format!("= {}\n", expanded.line)
            }
        }
        Err(refusal) => refusal.message(mode.prompt(HOST).len(), typed),
    }
}

#[test]
fn the_caret_of_a_missing_interface_is_at_its_number() {
    for (mode, line, before) in [
        (
            Mode::Exec,
            "show interfaces Gi0/9",
            Some("show interfaces Gi"),
        ),
        (
            Mode::Exec,
            "sh  int gigabit 0/9 | i up",
            Some("sh  int gigabit "),
        ),
        (
            Mode::Exec,
            "show ip interface brief Loopback7",
            Some("show ip interface brief Loopback"),
        ),
        (
            Mode::Exec,
            "show interfaces wan7 description",
            Some("show interfaces "),
        ),
        (Mode::Exec, "clear counters Tu1", Some("clear counters Tu")),
        (
            Mode::Interface,
            "do show run int lo7 all",
            Some("do show run int lo"),
        ),
        (Mode::Exec, "show interfaces", None),
        (Mode::Exec, "show interfaces Gi0/9 nonsense", None),
    ] {
        let column = walk::interface_column(mode, &Access::full(), line);
        assert_eq!(column, before.map(str::len), "{line}");
    }
}
