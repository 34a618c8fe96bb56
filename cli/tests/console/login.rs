//! The screen of a login: the real console on a terminal, with a real daemon behind it.

use crate::support::{Console, daemon};

const ROUTER: &str = "hostname R1\n\
    enable secret 0 Nauplion\n\
    username ann privilege 15 secret 0 Larisa-77\n\
    username bob secret 0 Palamidi\n\
    banner motd #Work on $(hostname)#\n\
    banner login zNames, pleasez and what follows counts for nothing\n\
    banner exec ^CLine $(line)^C\n\
    banner prompt-timeout #Come back to $(hostname)#\n";

/// A console at line console 0 of a router with these settings of the line.
fn at_console(line: &str, test: impl FnOnce(&mut Console)) {
    let folder = tempfile::tempdir().unwrap();
    daemon::start(
        folder.path(),
        &format!("{ROUTER}line console 0\n{line}end\n"),
    );
    test(&mut Console::at(&daemon::socket(folder.path()), 24, 80));
}

fn never_seen(console: &Console, secret: &str) {
    let bytes = String::from_utf8_lossy(&console.bytes()).into_owned();
    assert!(!bytes.contains(secret), "{secret} in\n{bytes}");
}

#[test]
fn banners_questions_and_enable_come_in_their_order() {
    at_console(" login local\n", |console| {
        console.ends("Username:").types("bob\r").ends("Password:");
        console.types("Palx\x7famidi\r").shows(
            "Work on R1\nNames, please\n\nUser Access Verification\n\nUsername: bob\nPassword:\nLine 0\nR1>",
        );
        never_seen(console, "amidi");
        console.types("show privilege\r").ends("is 1\nR1>");
        console.forget();
        console.types("enable\r").ends("Password:");
        console.types("a\r").ends("Password:\nPassword:");
        console.types("b\r").ends("Password:\nPassword:\nPassword:");
        console
            .types("c\r")
            .shows("R1>enable\nPassword:\nPassword:\nPassword:\n% Bad secrets\n\nR1>");
        console.forget();
        console.types("enable\r").ends("Password:");
        console.types("Nauplion\r").ends("R1#");
        console
            .types("show privilege\r")
            .shows("R1>enable\nPassword:\nR1#show privilege\nCurrent privilege level is 15\nR1#");
        never_seen(console, "Nauplion");
        console.types("exit\r").wait();
        assert!(console.is_restored());
    });
}

#[test]
fn a_line_may_show_fewer_banners() {
    let login = "Names, please\n\nUser Access Verification\n\nUsername: bob\nPassword:\n";
    for (settings, shown) in [
        (" no motd-banner\n", format!("{login}Line 0\nR1>")),
        (" no exec-banner\n", format!("{login}R1>")),
        (
            " no exec-banner\n default exec-banner\n",
            format!("Work on R1\n{login}Line 0\nR1>"),
        ),
    ] {
        at_console(&format!(" login local\n{settings}"), |console| {
            console.ends("Username:").types("bob\r").ends("Password:");
            console.types("Palamidi\r").shows(&shown);
        });
    }
}

#[test]
fn three_wrong_passwords_end_it() {
    at_console(" login local\n", |console| {
        console.ends("Username:");
        for _ in 0..2 {
            console.types("ann\r").ends("Password:");
            console
                .types("wrong\r")
                .ends("% Login invalid\n\nUsername:");
        }
        console.types("ann\r").ends("Password:");
        console.types("wrong\r").wait();
        console.shows(
            "Work on R1\nNames, please\n\nUser Access Verification\n\n\
             Username: ann\nPassword:\n% Login invalid\n\n\
             Username: ann\nPassword:\n% Login invalid\n\n\
             Username: ann\nPassword:\n% Login invalid",
        );
        never_seen(console, "wrong");
        assert!(console.is_restored());
    });
}

#[test]
fn the_line_asks_its_password_and_gives_its_level() {
    at_console(" login\n password Acro\n privilege level 15\n", |console| {
        console.ends("Password:").types("Acro\r").shows(
            "Work on R1\nNames, please\n\nUser Access Verification\n\nPassword:\nLine 0\nR1#",
        );
        never_seen(console, "Acro");
    });
}

#[test]
fn an_unanswered_login_times_out() {
    at_console(" login local\n timeout login response 1\n", |console| {
        console.wait();
        console.shows(
            "Work on R1\nNames, please\n\nUser Access Verification\n\n\
             Username:\n% Username:  timeout expired!\nCome back to R1",
        );
        assert!(console.is_restored());
    });
}
