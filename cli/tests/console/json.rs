//! `--json`: one document a command, and the exit status.

use std::process::Output;

use crate::support::{Fake, given, isthmus, isthmus_at};
use serde_json::{Value, json};

fn run(fake: &Fake, arguments: &[&str]) -> Output {
    let mut command = isthmus_at(&fake.socket());
    command.arg("--json").args(arguments).output().unwrap()
}

fn documents(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_show_command_answers_the_daemons_document_on_one_line() {
    let fake = Fake::start();
    let output = run(&fake, &["-c", "sh clo"]);
    let document = json!({"command": "show clock", "data": {"synchronised": true}});
    assert_eq!(documents(&output), [document]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(fake.state().lines, ["sh clo | json"]);
}

#[test]
fn every_command_has_its_document_and_empty_lines_have_none() {
    let fake = Fake::start();
    let lines = [
        "-c",
        "conf t",
        "-c",
        "hostname R2",
        "-c",
        "!",
        "-c",
        "do show clock | js",
        "-c",
        "end",
    ];
    let output = run(&fake, &lines);
    let ok = |command: Option<&str>, line: usize, output: &str| json!({"command": command, "line": line, "status": "ok", "output": output});
    assert_eq!(
        documents(&output),
        [
            ok(
                Some("configure terminal"),
                1,
                "Enter configuration commands, one per line.  End with CNTL/Z.\n"
            ),
            ok(None, 2, ""),
            json!({"command": "show clock", "data": {"synchronised": true}}),
            ok(None, 5, ""),
        ]
    );
    assert_eq!(output.status.code(), Some(0));
    // What was asked for as JSON is not asked for twice.
    assert_eq!(fake.state().lines[3], "do show clock | js");
}

#[test]
fn refusals_and_failures_are_told_apart() {
    let fake = Fake::start();
    fake.state().secret = Some("right".to_owned());
    let error = |document: &Value| {
        let error = &document["error"];
        (
            error["kind"].clone(),
            error["message"].clone(),
            error["column"].clone(),
        )
    };
    let output = run(&fake, &["-c", "show clokc", "-c", "show clock"]);
    let found = documents(&output);
    let message = "% Invalid input detected at '^' marker.";
    assert_eq!(
        error(&found[0]),
        (json!("syntax"), json!(message), json!(9))
    );
    assert_eq!(found[0]["command"], "show clokc");
    assert_eq!(found[1]["command"], "show clock");
    assert_eq!(output.status.code(), Some(2));

    let output = run(&fake, &["-c", "disable", "-c", "enable", "-c", "wrong"]);
    let found = documents(&output);
    assert_eq!(
        error(&found[1]),
        (json!("failed"), json!("% Bad secrets"), Value::Null)
    );
    assert!(!String::from_utf8(output.stdout).unwrap().contains("wrong"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_filter_and_json_exclude_each_other() {
    let fake = Fake::start();
    let output = run(&fake, &["-c", "show clock | include UTC"]);
    let error = &documents(&output)[0]["error"];
    assert_eq!(error["kind"], "syntax");
    assert!(
        error["message"].as_str().unwrap().contains("filter"),
        "{error}"
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(fake.state().lines.is_empty());
}

#[test]
fn without_a_daemon_there_is_a_document_too() {
    let fake = Fake::start();
    fake.die();
    let output = run(&fake, &["-c", "show clock"]);
    let found = documents(&output);
    assert_eq!(found[0]["error"]["kind"], "unreachable");
    let message = found[0]["error"]["message"].as_str().unwrap();
    assert!(
        message.contains(fake.socket().to_str().unwrap()),
        "{message}"
    );
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn lines_of_standard_input_are_numbered() {
    let fake = Fake::start();
    let output = given(
        isthmus_at(&fake.socket()).arg("--json"),
        b"\nshow clock\nexit\nshow clock\n",
    );
    let found = documents(&output);
    assert_eq!(found[0]["command"], "show clock");
    assert_eq!(
        (&found[1]["command"], &found[1]["line"]),
        (&json!("exit"), &json!(3))
    );
    // A line after the end is not lost without a word.
    assert_eq!(
        (&found[2]["error"]["kind"], &found[2]["line"]),
        (&json!("failed"), &json!(4))
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_goes_with_nothing_is_refused() {
    let output = isthmus().args(["--json", "--check", "file"]).output();
    assert_eq!(output.unwrap().status.code(), Some(64));
    let help = isthmus().arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for part in [
        "--json",
        "0 success",
        "1 a command failed",
        "2 a command was not understood",
        "3 the daemon",
    ] {
        assert!(help.contains(part), "{part}: {help}");
    }
}
