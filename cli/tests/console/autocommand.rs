//! `autocommand`: a session that is let in for one command, on a terminal and without one; a real daemon behind
//! the real console.

use std::process::Output;

use crate::support::{Console, daemon, isthmus_at};
use tempfile::TempDir;

const ROUTER: &str = "hostname R1\n\
    username ann privilege 15 secret 0 Larisa-77\n\
    username ann autocommand show running-config | include ^hostname\n\
    username bob privilege 15 secret 0 Palamidi\n\
    username bob autocommand show clok\n\
    username eve privilege 15 secret 0 Nauplion\n\
    username eve autocommand show privilege\n\
    username eve nohangup\n\
    banner exec #Welcome#\n\
    line console 0\n login local\n";

fn router(line: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    daemon::start_for_users(folder.path(), &format!("{ROUTER}{line}end\n"));
    folder
}

fn at_console(test: impl FnOnce(&mut Console)) {
    let folder = tempfile::tempdir().unwrap();
    daemon::start(folder.path(), &format!("{ROUTER}end\n"));
    test(&mut Console::at(&daemon::socket(folder.path()), 24, 80));
}

fn log_in<'a>(console: &'a mut Console, name: &str, password: &str) -> &'a mut Console {
    let name = format!("{name}\r");
    console.ends("Username:").types(&name).ends("Password:");
    console.types(&format!("{password}\r"))
}

#[test]
fn the_command_runs_with_its_filter_and_ends_the_session() {
    at_console(|console| {
        log_in(console, "ann", "Larisa-77")
            .shows("\nUser Access Verification\n\nUsername: ann\nPassword:\nWelcome\nhostname R1");
        assert!(console.wait().success());
        assert!(console.is_restored());
    });
}

#[test]
fn a_command_that_is_none_ends_the_session_too() {
    at_console(|console| {
        log_in(console, "bob", "Palamidi").wait();
        console.has("% Invalid input detected");
        let screen = console.screen();
        assert!(!screen.contains("R1#"), "{screen}");
    });
}

#[test]
fn with_nohangup_a_prompt_follows() {
    at_console(|console| {
        log_in(console, "eve", "Nauplion")
            .ends("Password:\nWelcome\nCurrent privilege level is 15\nR1#");
        console.types("show privilege\r").ends("is 15\nR1#");
    });
}

fn isthmus(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = isthmus_at(&daemon::socket(folder.path()));
    command.env("SSH_CONNECTION", "10.0.0.2 50000 10.0.0.1 22");
    command.args(arguments).output().unwrap()
}

#[test]
fn without_a_terminal_nothing_else_is_run() {
    let folder = router("line vty 0 4\n autocommand show privilege\n");
    let output = isthmus(&folder, &["-c", "", "-c", "show users", "-c", "show clock"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "Current privilege level is 1\n% The session is over; 2 lines were not run, from line 2 on: show users\n"
    );
    assert_eq!(output.status.code(), Some(1));

    let output = isthmus(&folder, &["--json", "-c", ""]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("\"privilege_level\":1"), "{text}");
    assert_eq!(output.status.code(), Some(0));
}
