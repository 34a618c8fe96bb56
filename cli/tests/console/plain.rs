//! `-c` and standard input: plain text in, plain text out, the exit status.

use std::io::{Seek as _, Write as _};
use std::process::Output;

use crate::support::{Fake, given, isthmus, isthmus_at, piped};
use isthmus_control::Reply;

fn commands(fake: &Fake, lines: &[&str]) -> Output {
    let mut command = isthmus_at(&fake.socket());
    for line in lines {
        command.arg("-c").arg(line);
    }
    command.output().unwrap()
}

fn input(fake: &Fake, text: &[u8]) -> Output {
    isthmus_given(fake, &[], text)
}

fn isthmus_given(fake: &Fake, arguments: &[&str], text: &[u8]) -> Output {
    given(isthmus_at(&fake.socket()).args(arguments), text)
}

#[track_caller]
fn check(output: &Output, text: &str, status: i32) {
    assert_eq!(String::from_utf8_lossy(&output.stdout), text);
    assert_eq!(output.status.code(), Some(status));
}

#[test]
fn a_command_prints_its_text_and_nothing_else() {
    let fake = Fake::start();
    check(
        &commands(&fake, &["show clock"]),
        "10:00:00.000 UTC Mon Mar 1 2027\n",
        0,
    );
    assert!(!fake.state().hellos[0].interactive);
}

#[test]
fn a_forced_command_does_what_the_client_asked_for() {
    let fake = Fake::start();
    let mut forced = isthmus_at(&fake.socket());
    forced.env("SSH_ORIGINAL_COMMAND", "show clock");
    let clock = "10:00:00.000 UTC Mon Mar 1 2027\n";
    check(&forced.output().unwrap(), clock, 0);
    forced.args(["-c", "frobnicate"]);
    assert_eq!(forced.output().unwrap().status.code(), Some(2));
}

#[test]
fn commands_share_one_session() {
    let fake = Fake::start();
    let lines = [
        "configure terminal",
        "interface eth0",
        "shutdown",
        "end",
        "show clock",
    ];
    let text = "Enter configuration commands, one per line.  End with CNTL/Z.\n10:00:00.000 UTC Mon Mar 1 2027\n";
    check(&commands(&fake, &lines), text, 0);
    assert_eq!(fake.state().lines, lines);
}

#[test]
fn the_exit_status_tells_the_worst() {
    let fake = Fake::start();
    let refusal = "R1#show clokc\n           ^\n% Invalid input detected at '^' marker.\n\n";
    check(&commands(&fake, &["show clokc"]), refusal, 2);
    fake.state().secret = Some("right".to_owned());
    let failed = commands(&fake, &["disable", "enable", "wrong", "show clock"]);
    check(
        &failed,
        "% Bad secrets\n\n10:00:00.000 UTC Mon Mar 1 2027\n",
        1,
    );
    assert_eq!(
        commands(&fake, &["show clokc", "show clock"]).status.code(),
        Some(2)
    );
}

#[test]
fn a_socket_without_a_daemon_is_named_with_what_to_do() {
    let fake = Fake::start();
    fake.die();
    let output = commands(&fake, &["show clock"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains(fake.socket().to_str().unwrap()), "{text}");
    assert!(text.contains("Is isthmusd running?"), "{text}");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_daemon_that_dies_is_reported() {
    let fake = Fake::start();
    let mut child = piped(&mut isthmus_at(&fake.socket()));
    child
        .stdin
        .as_mut()
        .unwrap()
        .write_all(b"ping 10.0.0.1\n")
        .unwrap();
    while fake.state().lines.is_empty() {
        std::thread::yield_now();
    }
    fake.die();
    let output = child.wait_with_output().unwrap();
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("Connection to the daemon lost")
    );
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_session_sent_away_tells_why() {
    let fake = Fake::start();
    let mut child = piped(&mut isthmus_at(&fake.socket()));
    while fake.state().connections.is_empty() {
        std::thread::yield_now();
    }
    fake.say(&Reply::Bye {
        text: "The router restarts\n".to_owned(),
    });
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"show clock\n")
        .unwrap();
    check(
        &child.wait_with_output().unwrap(),
        "The router restarts\n",
        0,
    );
}

#[test]
fn lines_after_the_end_of_the_session_are_not_lost_silently() {
    let fake = Fake::start();
    check(
        &input(&fake, b"show clock\nexit\n\n"),
        "10:00:00.000 UTC Mon Mar 1 2027\n",
        0,
    );
    let text =
        "% Line 1 (exit) ended the session; 1 line was not run, from line 2 on: show clock\n";
    check(&commands(&fake, &["exit", "show clock"]), text, 1);
    let many = format!("show clock\nexit\n\n{}", "show clock\n".repeat(20_000));
    let text = "10:00:00.000 UTC Mon Mar 1 2027\n\
        % Line 2 (exit) ended the session; 20000 lines were not run, from line 4 on: show clock\n";
    // Of a file all is there; of a pipe only what has been written so far could be counted.
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(many.as_bytes()).unwrap();
    file.rewind().unwrap();
    let output = isthmus_at(&fake.socket()).stdin(file).output().unwrap();
    check(&output, text, 1);
}

#[test]
fn the_first_line_that_is_not_done_can_be_the_last() {
    let fake = Fake::start();
    let given = b"show clock\nshow clokc\nshow clock\nshow version\n";
    let output = isthmus_given(&fake, &["--stop-on-error"], given);
    let text = "10:00:00.000 UTC Mon Mar 1 2027\nline 2:\nR1#show clokc\n           ^\n\
        % Invalid input detected at '^' marker.\n\n\
        % Line 2 (show clokc) was not done; 2 lines were not run, from line 3 on: show clock\n";
    check(&output, text, 2);
    let output = isthmus_given(&fake, &["--stop-on-error"], b"show clock\nshow clokc\n");
    assert_eq!(output.status.code(), Some(2));
    let output = isthmus_given(&fake, &["--stop-on-error"], b"show clock\nshow clock\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn filters_work_on_the_text() {
    let fake = Fake::start();
    let section = "interface eth0\n ip address 10.0.0.1 255.255.255.0\n crypto map M\ninterface eth1\n no ip address\n";
    check(
        &commands(&fake, &["show run | section ^interface"]),
        section,
        0,
    );
    check(
        &commands(&fake, &["sh ver | inc 5$"]),
        "line 5\nline 15\nline 25\nline 35\nline 45\nline 55\n",
        0,
    );
    check(
        &commands(&fake, &["sh ver | count 9"]),
        "Number of lines which match regexp = 6\n",
        0,
    );
    assert_eq!(fake.state().lines, ["show run", "sh ver", "sh ver"]);
    let bad = "R1#show run | include (\n% Invalid regular expression \"(\": unclosed group\n";
    check(&commands(&fake, &["show run | include ("]), bad, 2);
}

#[test]
fn a_file_goes_in_with_any_line_end() {
    let fake = Fake::start();
    let text = b"\xef\xbb\xbfconfigure terminal\r\ninterface eth0\n\tip address\t10.0.0.1   255.255.255.0  \r\n!\n\n shutdown";
    check(
        &input(&fake, text),
        "Enter configuration commands, one per line.  End with CNTL/Z.\n",
        0,
    );
    assert_eq!(fake.state().lines.len(), 6);
}

#[test]
fn a_refused_line_is_shown_with_its_number_and_the_rest_goes_on() {
    let fake = Fake::start();
    let text = "configure terminal\nhostname R2\nhostnane R3\nno shutdwon\nend\nshow clock\n";
    let expected = "Enter configuration commands, one per line.  End with CNTL/Z.\n\
        line 3:\nR2(config)#hostnane R3\n                 ^\n% Invalid input detected at '^' marker.\n\n\
        line 4:\nR2(config)#no shutdwon\n               ^\n% Invalid input detected at '^' marker.\n\n\
        10:00:00.000 UTC Mon Mar 1 2027\n";
    check(&input(&fake, text.as_bytes()), expected, 2);
}

#[test]
fn questions_take_the_lines_that_follow() {
    let fake = Fake::start();
    let text = "copy running-config startup-config\n\nreload\ny\n";
    check(
        &input(&fake, text.as_bytes()),
        "Building configuration...\n[OK]\nReloading\n",
        0,
    );
    assert_eq!(
        fake.state().answers,
        [Some(String::new()), Some("y".to_owned())]
    );
}

#[test]
fn a_banner_is_one_command() {
    let fake = Fake::start();
    let text =
        "configure terminal\nbanner motd #\nhostname R2\n  bye #\nend\nconf t\nbanner login x\n";
    let output = input(&fake, text.as_bytes());
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .ends_with("% The banner has no end\n\n")
    );
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        fake.state().lines,
        [
            "configure terminal",
            "banner motd #\nhostname R2\n  bye #",
            "end",
            "conf t"
        ]
    );
}

#[test]
fn a_question_without_an_answer_is_given_up() {
    let fake = Fake::start();
    let text = "% No answer to \"Proceed with reload? [confirm]\": give it as one more -c (an empty one takes the default)\n";
    check(&commands(&fake, &["reload"]), text, 1);
    assert_eq!(fake.state().answers, [None]);
}

#[test]
fn the_next_command_is_no_answer_to_confirm() {
    let fake = Fake::start();
    let output = input(&fake, b"reload\nshow clock\n");
    let text = "% No answer to \"Proceed with reload? [confirm]\": put it on the line after the command (an empty line takes the default)\n10:00:00.000 UTC Mon Mar 1 2027\n";
    check(&output, text, 1);
    assert_eq!(fake.state().answers, [None]);
}

#[test]
fn noise_is_refused_line_by_line() {
    let fake = Fake::start();
    let mut noise: Vec<u8> = (0..=255).collect();
    noise.extend([b'x'; 10_000]);
    noise.push(b'\n');
    let output = input(&fake, &noise);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.chars().all(|c| c == '\n' || !c.is_control()),
        "{text:?}"
    );
}

#[test]
fn a_line_that_is_too_long_is_named() {
    let fake = Fake::start();
    let line = format!("hostname {}", "x".repeat(100_000));
    let text = format!(
        "R1#hostname {}\n% Line too long: 100009 bytes, the limit is 10240\n\n10:00:00.000 UTC Mon Mar 1 2027\n",
        "x".repeat(51)
    );
    check(&commands(&fake, &[&line, "show clock"]), &text, 2);
}

#[test]
fn a_reader_that_leaves_early_is_not_told() {
    let fake = Fake::start();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = isthmus_at(&fake.socket());
    command.args(["-c", "show version"]).stdout(writer);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert!(output.stderr.is_empty());
}

#[test]
fn wrong_arguments_have_their_own_status() {
    let status = |arguments: &[&str]| {
        let output = isthmus().args(arguments).output();
        output.unwrap().status.code()
    };
    assert_eq!(status(&["--nonsense"]), Some(64));
    assert_eq!(status(&["--check", "f", "-c", "show clock"]), Some(64));
    assert_eq!(status(&["--help"]), Some(0));
}
