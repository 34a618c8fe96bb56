//! Golden screens of whole sessions: the real console on a terminal, against a daemon that talks.

use crate::support::{Console, Fake};
use isthmus_control::{PRESS_RETURN, Reply};
use isthmus_grammar::Mode;
use isthmus_grammar::help::help;
use nix::sys::signal::Signal;

/// A console in `(config)#` with only that prompt on the screen.
fn configuring(fake: &Fake) -> Console {
    let mut console = Console::enabled(fake);
    console.types("configure terminal\r").ends("R1(config)#");
    console.forget();
    console
}

#[test]
fn modes_change_the_prompt() {
    let fake = Fake::start();
    let mut console = Console::start(&fake);
    console.shows("R1>");
    console.types(
        "ena\rconf t\rhostname Hub-RTR\rint eth0\rcrypto isakmp policy 10\rexit\rend\rdisable\r",
    );
    console.shows(
        "R1>ena\n\
         R1#conf t\n\
         Enter configuration commands, one per line.  End with CNTL/Z.\n\
         R1(config)#hostname Hub-RTR\n\
         Hub-RTR(config)#int eth0\n\
         Hub-RTR(config-if)#crypto isakmp policy 10\n\
         Hub-RTR(config-isakmp)#exit\n\
         Hub-RTR(config)#end\n\
         Hub-RTR#disable\n\
         Hub-RTR>",
    );
    console.types("exit\r");
    assert_eq!(console.wait().code(), Some(0));
    assert!(console.is_restored());
}

#[test]
fn help_comes_at_once_and_keeps_the_line() {
    let fake = Fake::start();
    let mut console = configuring(&fake);
    console
        .types("crypto isakmp policy 10\r")
        .ends("R1(config-isakmp)#");
    console.forget();
    let list = help(Mode::IsakmpPolicy, "hash ");
    assert_eq!(list.lines().count(), 5);
    console.types("hash ?").shows(&format!(
        "R1(config-isakmp)#hash ?\n{list}\nR1(config-isakmp)#hash"
    ));
    console
        .types("sha256\r")
        .ends("R1(config-isakmp)#hash sha256\nR1(config-isakmp)#");
    assert_eq!(fake.state().lines.last().unwrap(), "hash sha256");
}

#[test]
fn help_inside_a_word_lists_the_words() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("co?")
        .shows("R1#co?\nconfigure  copy\n\nR1#co");
    console
        .types("\x15zz?")
        .ends("zz?\n% Unrecognized command\nR1#zz");
}

#[test]
fn help_after_the_bar_lists_the_filters() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("show version | i?")
        .ends("include\n\nR1#show version | i");
}

#[test]
fn a_quoted_question_mark_is_text() {
    let fake = Fake::start();
    let mut console = configuring(&fake);
    console.types("hostname R1\r").ends("R1(config)#");
    console.types("crypto isakmp key who\x16? address 10.0.0.2\r");
    console.ends("R1(config)#crypto isakmp key who? address 10.0.0.2\nR1(config)#");
    assert_eq!(
        fake.state().lines.last().unwrap(),
        "crypto isakmp key who? address 10.0.0.2"
    );
}

#[test]
fn tab_completes_what_is_unique() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console.types("sh\t").ends("R1#sh\nR1#show");
    console.types("ver\t").ends("R1#show ver\nR1#show version");
    assert_eq!(console.cursor().0, "R1#show version ".len() as u16);
    console.types("\x15c\t").ends("R1#c\nR1#c");
}

#[test]
fn ctrl_z_runs_the_line_and_leaves() {
    let fake = Fake::start();
    let mut console = configuring(&fake);
    console
        .types("hostname R2\x1a")
        .shows("R1(config)#hostname R2^Z\nR2#");
    assert_eq!(fake.state().lines[2..], ["hostname R2", "end"]);
}

#[test]
fn ctrl_c_drops_the_line_and_leaves() {
    let fake = Fake::start();
    let mut console = configuring(&fake);
    console
        .types("hostname R2\x03")
        .shows("R1(config)#hostname R2^C\nR1#");
    console.types("reload\x03").ends("R1#reload^C\nR1#");
    assert_eq!(fake.state().lines[2..], ["end"]);
}

#[test]
fn each_mode_has_its_own_history() {
    let fake = Fake::start();
    let mut console = configuring(&fake);
    console.types("hostname R2\rend\r").ends("R2#");
    console.forget();
    console.types("\x10").shows("R2#configure terminal");
    console.types("\r").ends("R2(config)#");
    console.types("\x10").ends("R2(config)#end");
    console.types("\x1b[A").ends("R2(config)#hostname R2");
    console.types("\x0e\x0e").ends("R2(config)#");
}

#[test]
fn the_history_has_the_size_that_was_set() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("terminal history size 2\rshow clock\rshow version | count x\r")
        .ends("R1#");
    console.types("\x10\x10\x10").ends("R1#show clock");
}

#[test]
fn a_full_screen_asks_for_more() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("show version\r")
        .ends("line 22\nline 23\n --More--");
    console.types("\r").ends("line 23\nline 24\n --More--");
    console.types(" ").ends("line 46\nline 47\n --More--");
    console.types(" ").ends("line 59\nline 60\nR1#");
    console.types("show version\r").ends("line 23\n --More--");
    console.types("q").ends("line 23\nR1#");
    console
        .types("show clock\r")
        .ends("UTC Mon Mar 1 2027\nR1#");
}

#[test]
fn the_pager_takes_its_prompt_away_with_backspaces() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("terminal length 3\rshow version\r")
        .ends(" --More--");
    let before = console.bytes();
    console.types("q").ends("R1#");
    let tail = console.bytes()[before.len()..].to_vec();
    let wiped = "\u{8}".repeat(10) + &" ".repeat(10) + &"\u{8}".repeat(10) + "\rR1#";
    assert_eq!(String::from_utf8(tail).unwrap(), wiped);
}

#[test]
fn the_pager_searches_and_selects() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("terminal length 4\rshow version\r")
        .ends("line 3\n --More--");
    console
        .types("/5.\r")
        .ends("/5.\nfiltering...\nline 50\nline 51\nline 52\n --More--");
    console.types("+8\r").ends("+8\nfiltering...\nline 58\nR1#");
    console.types("show version\r").ends(" --More--");
    console.types("/(\r").ends("unclosed group\n --More--");
    console.types("/\r").ends("unclosed group\n --More--");
    console.types("q").ends("R1#");
}

#[test]
fn terminal_length_zero_never_asks() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("terminal length 0\rshow version\r")
        .ends("line 60\nR1#");
}

#[test]
fn a_taller_window_shows_more_at_once() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console.resize(40, 80);
    console.types("show version\r").ends("line 39\n --More--");
}

#[test]
fn filters_run_before_the_pager() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("show version | include 1.$\r")
        .ends("line 19\nR1#");
    console
        .types("show version | begin 58\r")
        .ends("58\nline 58\nline 59\nline 60\nR1#");
    console.types("show run | section isakmp\r").ends(
        "R1#show run | section isakmp\ncrypto isakmp policy 10\n encr aes 256\n group 14\nR1#",
    );
    console
        .types("show run | include [\r")
        .ends("\n% Invalid regular expression \"[\": [ without ]\nR1#");
}

#[test]
fn a_question_takes_a_line() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("copy running-config startup-config\r")
        .ends("Destination filename [startup-config]?");
    console.types("my fiel\x7f\x7fle?\r").ends(
        "Destination filename [startup-config]? my file?\nBuilding configuration...\n[OK]\nR1#",
    );
    assert_eq!(fake.state().answers, [Some("my file?".to_owned())]);
}

#[test]
fn a_banner_is_read_up_to_its_delimiter() {
    let fake = Fake::start();
    let mut console = configuring(&fake);
    console
        .types("banner motd #\rhello?\r\tworld#\rend\r")
        .shows(
            "R1(config)#banner motd #\n\
         Enter TEXT message.  End with the character '#'.\n\
         hello?\n world#\n\
         R1(config)#end\nR1#",
        );
    assert_eq!(
        fake.state().lines[2..],
        ["banner motd #\nhello?\n world#", "end"]
    );
    console
        .types("conf t\rbanner motd #\rhello\x03")
        .ends("hello\nR1(config)#");
}

#[test]
fn answers_may_be_typed_ahead() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console.types("copy running-config startup-config\r\rshow clock\r");
    console.shows(
        "R1#copy running-config startup-config\n\
         Destination filename [startup-config]?\n\
         Building configuration...\n[OK]\n\
         R1#show clock\n10:00:00.000 UTC Mon Mar 1 2027\nR1#",
    );
}

#[test]
fn passwords_are_not_echoed() {
    let fake = Fake::start();
    fake.state().secret = Some("s3cret?".to_owned());
    let mut console = Console::start(&fake);
    console.shows("R1>");
    console
        .types("enable\rwrong\r")
        .shows("R1>enable\nPassword:\n% Bad secrets\n\nR1>");
    console
        .types("enable\rx\x15s3cretx\x7f?\r")
        .ends("Password:\nR1#");
    assert!(
        !String::from_utf8(console.bytes())
            .unwrap()
            .contains("cret?")
    );
}

#[test]
fn confirm_takes_one_key() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("reload\r")
        .ends("Proceed with reload? [confirm]");
    console.types("n").ends("[confirm]n\nR1#");
    console
        .types("reload\r\r")
        .ends("[confirm]\nReloading\nR1#");
    console
        .types("reload\r")
        .ends("Proceed with reload? [confirm]");
    console.types("\x03").ends("[confirm]\nR1#");
    assert_eq!(
        fake.state().answers,
        [Some("n".to_owned()), Some(String::new()), None]
    );
}

#[test]
fn ctrl_c_and_ctrl_shift_6_stop_a_command() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    for key in ["\x03", "\x1e"] {
        console
            .types("ping 10.0.0.1\r")
            .ends("Type escape sequence to abort.\n!!");
        console
            .types(key)
            .ends("!!\nSuccess rate is 100 percent (2/2)\nR1#");
    }
}

#[test]
fn log_lines_stand_above_the_prompt() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console.types("show cl").shows("R1#show cl");
    fake.say(&Reply::Log {
        text: "*Mar  1 10:00:00.000: %SYS-5-CONFIG_I: Configured from console by ann".to_owned(),
    });
    console
        .shows("*Mar  1 10:00:00.000: %SYS-5-CONFIG_I: Configured from console by ann\nR1#show cl");
    console
        .types("ock\r")
        .ends("R1#show clock\n10:00:00.000 UTC Mon Mar 1 2027\nR1#");
}

#[test]
fn control_characters_in_texts_do_nothing() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("show debugging\r")
        .shows("R1#show debugging\n.[2Jred .alert\nR1#");
}

#[test]
fn a_signal_gives_the_terminal_back() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let fake = Fake::start();
        let mut console = Console::start(&fake);
        console.shows("R1>");
        assert!(!console.is_restored());
        console.signal(signal);
        assert_eq!(console.wait().code(), Some(128 + signal as i32));
        assert!(console.is_restored());
    }
}

#[test]
fn the_console_outlives_the_daemon() {
    let fake = Fake::start();
    let mut console = configuring(&fake);
    console.types("host");
    fake.die();
    console.ends("waiting for it to come back (Ctrl-C to leave)");
    fake.listen();
    console.ends("% Connected again; this is a new session\nR1>");
    fake.die();
    console.ends("(Ctrl-C to leave)");
    console.types("\x03");
    assert_eq!(console.wait().code(), Some(3));
    assert!(console.is_restored());
}

#[test]
fn ctrl_c_does_not_wait_for_a_busy_daemon() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    fake.die();
    let busy = std::os::unix::net::UnixListener::bind(fake.socket()).unwrap();
    console.ends("(Ctrl-C to leave)");
    let (_connection, _) = busy.accept().unwrap();
    console.types("\x03");
    assert_eq!(console.wait().code(), Some(3));
    assert!(console.is_restored());
}

#[test]
fn a_daemon_that_says_goodbye_ends_the_session() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    fake.say(&Reply::Bye {
        text: "Connection closed by the operator\n".to_owned(),
    });
    console.shows("R1#\nConnection closed by the operator");
    assert_eq!(console.wait().code(), Some(0));
}

#[test]
fn the_machines_own_console_waits_for_the_next_operator() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    fake.say(&Reply::Bye {
        text: format!("\n\nR1 con0 is now available\n\n\n\n\n{PRESS_RETURN}"),
    });
    console.ends("R1 con0 is now available\n\n\n\n\nPress RETURN to get started.");
    console.types("x\x03").types("\r");
    assert_eq!(console.wait().code(), Some(0));
    assert!(console.is_restored());
}

#[test]
fn two_thousand_pasted_lines_all_arrive() {
    let fake = Fake::start();
    let mut console = configuring(&fake);
    let lines: Vec<String> = (0..2000)
        .map(|n| format!("access-list 110 remark line number {n}"))
        .collect();
    for end in ["\r", "\n", "\r\n"] {
        fake.state().lines.clear();
        console
            .types(&(lines.join(end) + end + "end" + end))
            .ends("R1(config)#end\nR1#");
        assert_eq!(fake.state().lines[..2000], lines);
        assert_eq!(fake.state().lines[2000..], ["end"]);
        console.types("configure terminal\r").ends("R1(config)#");
    }
}

#[test]
fn a_tool_gets_its_echo_and_no_escapes() {
    let fake = Fake::start();
    let mut console = Console::sized(&fake, 1000, 511);
    console.sent("R1>");
    console.types("enable\n").sent("R1>enable\r\nR1#");
    let long = format!("access-list 110 remark {}", "x".repeat(300));
    console.types(&format!(
        "terminal width 511\nterminal length 0\n\nconfigure terminal\n{long}\nend\n"
    ));
    console.sent(&format!(
        "R1>enable\r\nR1#terminal width 511\r\nR1#terminal length 0\r\nR1#\r\nR1#configure terminal\r\n\
         Enter configuration commands, one per line.  End with CNTL/Z.\r\nR1(config)#{long}\r\nR1(config)#end\r\nR1#"
    ));
}

#[test]
fn a_small_window_does_not_count_once_the_width_is_set() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console.types("terminal width 511\n").ends("R1#");
    console.forget();
    let line = format!("show version | include {}", "x".repeat(150));
    console.types(&line).sent(&line);
    console.types("\r").ends("R1#");
}

#[test]
fn lines_that_were_refused_are_in_the_history_too() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("shwo clock\rshow version | count x\r\rshow clock\r")
        .ends("2027\nR1#");
    let typed = ["shwo clock", "show version | count x", "show clock"];
    assert_eq!(fake.state().typed[1..], typed);
    console.types("\x10\x10\x10").ends("R1#shwo clock");
    console.types("\x1b>").ends("R1#");
    console.types("\x1b<").ends("R1#enable");
}

#[test]
fn help_and_completion_in_the_middle_of_a_line() {
    let fake = Fake::start();
    let mut console = configuring(&fake);
    console.types("crypto isakmp policy 10\rhash sha256\x1bb");
    console.ends("R1(config-isakmp)#hash sha256");
    console.types("\x02\t");
    console.ends("R1(config-isakmp)#hash sha256\nR1(config-isakmp)#hash sha256");
    assert_eq!(console.cursor().0 as usize, "R1(config-isakmp)#hash".len());
    console
        .types("?")
        .ends("R1(config-isakmp)#hash?sha256\nhash\n\nR1(config-isakmp)#hash sha256");
    console.types("x\x08\r");
    console.ends("R1(config-isakmp)#hash sha256\nR1(config-isakmp)#");
    assert_eq!(fake.state().lines.last().unwrap(), "hash sha256");
}

#[test]
fn a_command_whose_answer_is_read_notices_the_end_of_its_session() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console.types("show version\r").ends(" --More--");
    fake.die();
    console.ends("waiting for it to come back (Ctrl-C to leave)");
}

#[test]
fn a_question_notices_the_end_of_its_session() {
    let fake = Fake::start();
    fake.state().secret = Some("secret".to_owned());
    let mut console = Console::enabled_by(&fake, "secret");
    console.types("disable\renable\r").ends("Password:");
    fake.say(&Reply::Bye {
        text: "Idle for too long\n".to_owned(),
    });
    console.ends("Password:\nIdle for too long");
    assert_eq!(console.wait().code(), Some(0));
    assert!(console.is_restored());
}

#[test]
fn log_lines_stand_above_a_question() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    let text = "*Mar  1 10:00:00.000: %LINK-3-UPDOWN: Interface eth0, changed state to up";
    let log = || {
        fake.say(&Reply::Log {
            text: text.to_owned(),
        });
    };
    console.types("copy running-config startup-config\rback");
    console.ends("[startup-config]? back");
    log();
    console.ends(&format!(
        "{text}\nDestination filename [startup-config]? back"
    ));
    console.types("up\r").shows(&format!(
        "R1#copy running-config startup-config\n{text}\n\
         Destination filename [startup-config]? backup\nBuilding configuration...\n[OK]\nR1#"
    ));
    console.forget();
    console.types("reload\r").ends("[confirm]");
    log();
    console.ends(&format!("{text}\nProceed with reload? [confirm]"));
    console.types("n").ends("[confirm]n\nR1#");
}

#[test]
fn log_lines_wait_for_the_pager() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("terminal length 4\rshow version\r")
        .ends("line 3\n --More--");
    fake.say(&Reply::Log {
        text: "%SYS-5-TEST: one".to_owned(),
    });
    console.types("q").ends("line 3\n%SYS-5-TEST: one\nR1#");
}

#[test]
fn log_lines_go_above_a_line_that_scrolled() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    let line = "show running-config | include ".to_owned() + &"abcdefghij".repeat(7);
    console.types(&line).ends("efghijabcdefghij");
    let shown = console.screen();
    fake.say(&Reply::Log {
        text: "%SYS-5-TEST: one".to_owned(),
    });
    console.shows(&format!("%SYS-5-TEST: one\n{shown}"));
}

#[test]
fn the_window_counts_between_two_pages() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console.types("show version\r").ends("line 23\n --More--");
    console.resize(10, 80);
    // Both sides know the new size before the next key comes.
    console.settled();
    console.types(" ").ends("line 32\n --More--");
    console.types("q").ends("line 32\nR1#");
}

#[test]
fn a_length_set_by_hand_is_stronger_than_the_window() {
    let fake = Fake::start();
    let mut console = Console::sized(&fake, 40, 120);
    console.sent("R1>");
    // 24 and 80 are also what the session began with.
    console
        .types("enable\rterminal length 24\rterminal width 80\rshow version\r")
        .ends("line 23\n --More--");
    console.types("q").ends("R1#");
    console.forget();
    let line = "show running-config | include ".to_owned() + &"x".repeat(80);
    console.types(&line).ends("x");
    console.settled();
    assert!(console.screen().starts_with("R1#$"), "{}", console.screen());
    console
        .types("\x15terminal no length\rterminal no width\rshow version\r")
        .ends("line 39\n --More--");
}

#[test]
fn the_pager_obeys_a_new_length_at_once() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console
        .types("terminal length 3\rshow version\r")
        .ends("line 2\n --More--");
    console.types("q").ends("R1#");
    console
        .types("terminal length 0\rshow version\r")
        .ends("line 60\nR1#");
    console
        .types("terminal length 5\rshow version\r")
        .ends("line 4\n --More--");
}

#[test]
fn a_filter_may_be_paged() {
    let fake = Fake::start();
    let mut console = Console::enabled(&fake);
    console.types("terminal length 4\rshow version | b 5\r");
    console.ends("line 5\nline 6\nline 7\n --More--");
    console.types("+9\r").ends("line 29\n --More--");
}

#[test]
fn filters_write_files_of_the_operator() {
    let fake = Fake::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let name = path.to_str().unwrap();
    let mut console = Console::sized(&fake, 24, 200);
    console.sent("R1>");
    console.types("enable\r").ends("R1#");
    console.forget();
    console
        .types(&format!("show clock | redirect {name}\r"))
        .shows(&format!("R1#show clock | redirect {name}\nR1#"));
    console
        .types(&format!("show clock | append {name}\r"))
        .ends("\nR1#");
    console
        .types(&format!("show clock | tee /append {name}\r"))
        .ends("2027\nR1#");
    let clock = "10:00:00.000 UTC Mon Mar 1 2027\n";
    assert_eq!(std::fs::read_to_string(&path).unwrap(), clock.repeat(3));
    let mode = std::fs::metadata(&path).unwrap().permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o600
    );
    console
        .types("show clock | redirect /no/such/folder/file\r")
        .ends("%Error opening /no/such/folder/file (No such file or directory (os error 2))\nR1#");
}
