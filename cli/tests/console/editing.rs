//! Golden screens of the line editor: the real console on a terminal, no command run.

use crate::support::{Console, Fake};

#[test]
fn the_first_prompt_comes_after_the_banner() {
    let fake = Fake::start();
    fake.state().banner = "Authorised use only\n".to_owned();
    Console::start(&fake).shows("Authorised use only\nR1>");
    let hello = fake.state().hellos[0].clone();
    assert!(hello.interactive);
    assert_eq!(hello.line, "console");
}

#[test]
fn editing_keys_move_and_change_the_line() {
    let fake = Fake::start();
    let mut console = Console::start(&fake);
    console.shows("R1>");
    console
        .types("sow version\x01\x06h")
        .shows("R1>show version");
    assert_eq!(console.cursor(), (5, 0));
    console.types("\x05\x17clock").shows("R1>show clock");
    console.types("\x15").shows("R1>");
    console.types("\x19\x02\x02\x02\x0b").shows("R1>show cl");
    console.types("\x0c").shows("R1>show cl\nR1>show cl");
}

#[test]
fn what_is_typed_comes_back_once_and_nothing_else() {
    let fake = Fake::start();
    let mut console = Console::start(&fake);
    console.sent("R1>");
    console
        .types("show crypto isakmp sa")
        .sent("R1>show crypto isakmp sa");
    console.sends(b"\0 \0").sent("R1>show crypto isakmp sa ");
    console
        .types("x\x7f")
        .sent("R1>show crypto isakmp sa x\u{8} \u{8}");
}

#[test]
fn a_long_line_scrolls_and_comes_back() {
    let fake = Fake::start();
    let mut console = Console::sized(&fake, 24, 40);
    console.shows("R1>");
    console.types("ping 192.168.100.100 source 192.168.200.200");
    console.shows("R1>$.100.100 source 192.168.200.200");
    console
        .types("\x01")
        .shows("R1>ping 192.168.100.100 source 192.168$");
    assert_eq!(console.cursor(), (3, 0));
}

#[test]
fn a_resized_window_scrolls_at_its_new_edge() {
    let fake = Fake::start();
    let mut console = Console::sized(&fake, 24, 40);
    console.shows("R1>");
    console.resize(24, 100);
    let line = "ping 192.168.100.100 source 192.168.200.200 repeat 10";
    console.types(line).shows(&format!("R1>{line}"));
}

#[test]
fn enter_alone_gives_a_new_prompt() {
    let fake = Fake::start();
    let mut console = Console::start(&fake);
    console.sent("R1>");
    console.types("\r").sent("R1>\r\nR1>");
    console.types("\n").sent("R1>\r\nR1>\r\nR1>");
    console.types("\r\n").sent("R1>\r\nR1>\r\nR1>\r\nR1>");
    assert!(fake.state().lines.is_empty());
}

#[test]
fn a_line_repaints_for_another_window() {
    let fake = Fake::start();
    let mut console = Console::sized(&fake, 24, 60);
    console.shows("R1>");
    let line = "ping 192.168.100.100 source 192.168.200.200 repeat 10";
    console.types(line).shows(&format!("R1>{line}"));
    console.resize(24, 40);
    let narrow = "$192.168.200.200 repeat 10";
    console.ends(&format!("\nR1>{narrow}"));
    console.resize(24, 100);
    console.ends(&format!("\nR1>{line}"));
    console.types("00").ends(&format!("\nR1>{line}00"));
}

#[test]
fn wide_letters_and_accents_are_one_step_each() {
    let fake = Fake::start();
    let mut console = Console::start(&fake);
    console.shows("R1>");
    console.types("a漢e\u{301}b").shows("R1>a漢e\u{301}b");
    console.types("\x02\x02");
    console.ends("b");
    console.types("\x08").shows("R1>ae\u{301}b");
    assert_eq!(console.cursor(), (4, 0));
    console.types("\x04").shows("R1>ab");
}

#[test]
fn a_wide_line_scrolls_both_ways() {
    let fake = Fake::start();
    let mut console = Console::sized(&fake, 24, 33);
    console.shows("R1>");
    // 29 columns for the text.
    console.types("abcdefghijklmnopqrstuvwxyz0123456789");
    console.shows("R1>$mnopqrstuvwxyz0123456789");
    console.types(&"\x02".repeat(25));
    console.shows("R1>$cdefghijklmnopqrstuvwxyz012$");
    console
        .types("\x01")
        .shows("R1>abcdefghijklmnopqrstuvwxyz01$");
    console.types(&"\x06".repeat(29));
    console.shows("R1>$lmnopqrstuvwxyz0123456789");
    console.types("\x05").shows("R1>$lmnopqrstuvwxyz0123456789");
}

#[test]
fn keys_that_mean_nothing_leave_nothing() {
    let fake = Fake::start();
    let mut console = Console::start(&fake);
    console.shows("R1>");
    console.types("show\x1b[[A\x1bOP\x1b[15~\x1b[200~\x07\x0f\x11\x13 clock");
    console.sent("R1>show clock");
}
