//! Aliases at the prompt and behind `-c`: the real console with a real daemon behind it.

use std::path::Path;
use std::process::Output;

use crate::support::{Console, daemon, isthmus_at};

const ROUTER: &str = "hostname R1\n\
    alias exec keep show privilege | tee flash:kept\n\
    alias exec sa show aliases\n\
    alias exec pr show privilege | include level\n\
    alias exec t0 terminal length 0\n\
    alias configure h hostname\n\
    line console 0\n";

fn router(test: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    daemon::start(folder.path(), &format!("{ROUTER}end\n"));
    test(&daemon::socket(folder.path()));
}

fn commands(socket: &Path, arguments: &[&str]) -> Output {
    isthmus_at(socket).args(arguments).output().unwrap()
}

#[test]
fn an_alias_does_what_its_command_does() {
    router(|socket| {
        let mut console = Console::at(socket, 24, 80);
        console.ends("R1>").types("enable\r").ends("R1#");
        console.forget();
        console
            .types("s priv\r")
            .shows("R1#s priv\nCurrent privilege level is 15\nR1#");
        console.forget();
        console
            .types("pr\r")
            .shows("R1#pr\nCurrent privilege level is 15\nR1#");
        console.forget();
        console
            .types("w\r")
            .shows("R1#w\n% No connections open\nR1#");
        console.forget();
        console.types("conf t\r").ends("R1(config)#");
        console.types("h R2\r").ends("R2(config)#");
        console.forget();
        console.types("do sa exec | i include\r").shows(
            "R2(config)#do sa exec | i include\n  pr                    show privilege | include level\nR2(config)#",
        );
        console.forget();
        console.types("no alias exec pr\r").ends("R2(config)#");
        console
            .types("do pr\r")
            .ends("% Invalid input detected at '^' marker.\n\nR2(config)#");
    });
}

#[test]
fn an_alias_sets_the_terminal_too() {
    router(|socket| {
        let mut console = Console::at(socket, 6, 80);
        console.ends("R1>").types("sa\r").ends("--More--");
        console.types("q").ends("R1>");
        console.types("t0\r").ends("R1>");
        console.forget();
        console
            .types("sa exec\r")
            .ends("show privilege | include level\n  t0                    terminal length 0\nR1>");
    });
}

#[test]
fn the_caret_and_help_are_those_of_what_was_typed() {
    router(|socket| {
        let mut console = Console::at(socket, 24, 80);
        console.ends("R1>");
        console
            .types("s nonsense\r")
            .shows("R1>s nonsense\n     ^\n% Invalid input detected at '^' marker.\n\nR1>");
        console.forget();
        console
            .types(" sa\r")
            .shows("R1> sa\n     ^\n% Invalid input detected at '^' marker.\n\nR1>");
        for (line, before) in [
            ("show interfaces Gi0/9", "R1>show interfaces Gi"),
            ("s int gi 0/9 | include up", "R1>s int gi "),
            ("s int wan7 | count up", "R1>s int "),
        ] {
            console.forget();
            let caret = " ".repeat(before.len());
            console.types(&format!("{line}\r")).shows(&format!(
                "R1>{line}\n{caret}^\n% Invalid input detected at '^' marker.\n\nR1>"
            ));
        }
        console.forget();
        console
            .types("t?")
            .shows("R1>t?\n*t0=\"terminal length 0\"  terminal                 traceroute\n\nR1>t");
        console.types("\x15s priv\t").ends("R1>s privilege");
    });
}

#[test]
fn scripts_have_them_too() {
    router(|socket| {
        let output = commands(socket, &["-c", "pr", "-c", "s clock | count :"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            text.starts_with("Current privilege level is 15\n"),
            "{text}"
        );
        assert_eq!(output.status.code(), Some(0));
        let output = commands(socket, &["-c", "keep", "-c", "more flash:kept"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(text, "Current privilege level is 15\n".repeat(2));
        let output = commands(socket, &["-c", "s nonsense"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(
            text,
            "R1#show nonsense\n        ^\n% Invalid input detected at '^' marker.\n\n"
        );
        assert_eq!(output.status.code(), Some(2));
        let output = commands(socket, &["--json", "-c", "s priv"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(r#""command":"show privilege""#), "{text}");
        let output = commands(socket, &["-c", "show interfaces Lo9 | count up"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(
            text,
            "R1#show interfaces Lo9 | count up\n                     ^\n% Invalid input detected at '^' marker.\n\n"
        );
        assert_eq!(output.status.code(), Some(2));
        let output = commands(socket, &["--json", "-c", "show interfaces Lo9"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            text.contains(r#""kind":"syntax""#) && text.contains(r#""column":19"#),
            "{text}"
        );
    });
}
