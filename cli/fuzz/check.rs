//! The `check` fuzz target: any bytes as a configuration file. Nothing panics; the report is plain text of bounded lines,
//! one heading for each line it counts; and what it says is what the grammar says of each line. Shared with
//! `tests/fuzz.rs`.

use isthmus_console::{check as checker, lang};
use isthmus_grammar::{Access, Mode, parser};

const MODES: [Mode; 6] = [
    Mode::UserExec,
    Mode::Exec,
    Mode::Config,
    Mode::Interface,
    Mode::CryptoMap,
    Mode::ExtendedAcl,
];

/// Checks a file of these bytes, and every line of it in several modes.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut report = Vec::new();
    let totals = checker::check("FILE", &text, &mut report).expect("a Vec takes everything");
    let report = String::from_utf8(report).expect("text");
    assert!(
        report.chars().all(|c| c == '\n' || !c.is_control()),
        "{report:?}"
    );
    assert!(
        report.lines().all(|line| line.chars().count() < 300),
        "{report}"
    );
    let headings = report
        .lines()
        .filter(|line| line.starts_with("FILE:"))
        .count();
    assert!(
        headings > totals.faults_when_strict(),
        "{totals:?} counted:\n{report}"
    );
    assert!(totals.unknown + totals.refused <= text.lines().count());
    for line in text.lines().take(50) {
        for mode in MODES {
            let _ = parser::parse(mode, line);
            let help = lang::help(mode, &Access::full(), line);
            assert!(help.is_empty() || help.ends_with('\n'), "{mode:?} {line:?}");
            if let Some(text) = lang::complete(mode, &Access::full(), line) {
                assert!(text.len() >= line.trim().len().min(1), "{mode:?} {line:?}");
            }
        }
    }
}
