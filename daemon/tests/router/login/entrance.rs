//! Who is turned away by the line, held to one command, or let in once.

use super::*;

/// Reads up to the command that the session is to begin with.
async fn automatic(terminal: &mut Terminal, answers: &[&str]) -> Option<String> {
    let mut answers = answers.iter();
    let mut automatic = None;
    while let Ok(Some(reply)) = terminal.reader.next().await {
        match reply {
            Reply::Ask { .. } => {
                let text = (*answers.next()?).to_owned();
                terminal.send(Request::Answer { text }).await;
            }
            Reply::Autocommand { line, .. } => automatic = Some(line),
            Reply::Done { .. } => return automatic,
            Reply::Bye { .. } => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn who_has_an_autocommand_gets_nothing_else() {
    let lines = format!(
        "{LOCAL}username ann autocommand s privilege\nusername bob autocommand configure terminal\n\
         username bob nohangup\n"
    );
    test(&lines, async |bed| {
        let mut ann = Terminal::open(&bed).await;
        let line = automatic(&mut ann, &["ann", "Larisa-77"]).await;
        assert_eq!(
            line.as_deref(),
            Some("show privilege"),
            "aliases are spelled out"
        );
        ann.types("show privilege", &[]).await;
        assert_eq!(
            ann.seen(),
            "show privilege\nCurrent privilege level is 15\n"
        );
        assert!(ann.closed);

        for other in [
            "show running-config",
            "show privilege | redirect flash:mine",
            "nonsense",
        ] {
            let mut sly = Terminal::open(&bed).await;
            automatic(&mut sly, &["ann", "Larisa-77"]).await;
            sly.types(other, &[]).await;
            let refusal = "% This login is for its automatic command only";
            assert_eq!(sly.seen(), format!("{other}\n{refusal}"));
            assert!(sly.closed);
        }

        let mut bob = Terminal::open(&bed).await;
        let line = automatic(&mut bob, &["bob", "Palamidi"]).await;
        assert_eq!(line.as_deref(), Some("configure terminal"));
        bob.types("configure terminal", &[]).await;
        let seen = bob.seen();
        assert!(
            seen.contains("Invalid input") && seen.ends_with("R1>"),
            "level 1: {seen}"
        );
        bob.types("show privilege", &[]).await;
        assert!(
            bob.seen().contains("level is 1"),
            "nohangup: the session goes on"
        );
    });
}

#[test]
fn the_command_of_a_line_is_for_who_has_none() {
    let lines = format!("{LOCAL} autocommand show users\nusername ann autocommand show clock\n");
    test(&lines, async |bed| {
        for (name, password, line) in [
            ("ann", "Larisa-77", "show clock"),
            ("bob", "Palamidi", "show users"),
        ] {
            let mut user = Terminal::open(&bed).await;
            let automatic = automatic(&mut user, &[name, password]).await;
            assert_eq!(automatic.as_deref(), Some(line), "{name}");
        }
    });
    let aaa = format!("aaa new-model\n{lines}");
    let aaa = aaa.replace(" login local\n", "");
    test(&aaa, async |bed| {
        let mut ann = Terminal::open(&bed).await;
        let line = automatic(&mut ann, &["ann", "Larisa-77"]).await;
        assert_eq!(
            line.as_deref(),
            Some("show users"),
            "users' own settings do not count"
        );
    });
}

#[test]
fn a_one_time_user_comes_in_once() {
    let lines = "username cisco privilege 15 one-time secret 0 Larisa-77\n\
                 username ann secret 0 Palamidi\nline vty 0 4\n login local\n";
    test(lines, async |bed| {
        let mut wrong = Terminal::open(&bed).await;
        wrong.answer(&["cisco", "Larisa-7"]).await;
        let mut first = Terminal::open(&bed).await;
        first.answer(&["cisco", "Larisa-77"]).await;
        assert!(first.seen().ends_with("R1#"));
        first
            .types("show running-config | include username", &[])
            .await;
        let seen = first.seen();
        assert!(
            seen.contains("username ann") && !seen.contains("username cisco"),
            "{seen}"
        );
        let mut second = Terminal::open(&bed).await;
        second.answer(&["cisco", "Larisa-77"]).await;
        assert!(second.seen().contains("% Login invalid"));
    });
}

/// A setting of a line, and whether somebody from an address, or at the machine, may come.
type Door = (&'static str, &'static [(Option<&'static str>, bool)]);

#[test]
fn a_line_says_who_may_come_at_all() {
    let lists = "access-list 10 permit 10.1.0.0 0.0.255.255\nip access-list extended ADMINS\n \
                 deny tcp host 10.2.0.9 host 10.0.0.1 eq 22\n permit udp any any\n permit tcp any any eq 443\n \
                 permit tcp 10.2.0.0 0.0.0.255 any eq 22\n permit tcp 10.3.0.0 0.0.0.255 host 10.0.0.1\n\
                 ip access-list standard EMPTY\n";
    let cases: [Door; 8] = [
        (
            "access-class 10 in",
            &[
                (Some("10.1.2.3"), true),
                (Some("::ffff:10.1.2.3"), true),
                (Some("10.2.2.3"), false),
                (Some("::ffff:10.2.2.3"), false),
                (None, true),
            ],
        ),
        (
            "access-class ADMINS in",
            &[
                (Some("10.2.0.5"), true),
                (Some("10.2.0.9"), false),
                (Some("10.3.0.5"), false),
                (Some("10.9.0.5"), false),
            ],
        ),
        ("access-class EMPTY in", &[(Some("10.9.0.5"), true)]),
        ("access-class NONE in", &[(Some("10.9.0.5"), true)]),
        ("access-class 10 out", &[(Some("10.9.0.5"), true)]),
        (
            "transport input telnet",
            &[(Some("10.1.2.3"), false), (None, true)],
        ),
        ("transport input telnet ssh", &[(Some("10.1.2.3"), true)]),
        ("no exec", &[(Some("10.1.2.3"), false), (None, false)]),
    ];
    for (setting, callers) in cases {
        test(&format!("{lists}line vty 0 4\n {setting}\n"), async |bed| {
            for (source, expected) in callers {
                let mut caller = Terminal::open_from(&bed, *source).await;
                let wanted = if *expected {
                    "R1>"
                } else {
                    "% Connection refused"
                };
                assert_eq!(caller.seen(), wanted, "{setting}, from {source:?}");
                assert_ne!(caller.closed, *expected);
                let logged = bed.log().contains("%SYS-6-LINE_REFUSED: Refused");
                assert!(*expected || logged, "{}", bed.log());
            }
        });
    }
}
