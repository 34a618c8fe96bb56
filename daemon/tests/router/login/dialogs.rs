//! Whole dialogs: logging in, `enable`, levels, the master key, and the ends of sessions.

use super::*;

#[test]
fn local_users_log_in_with_their_levels() {
    test(LOCAL, async |bed| {
        let mut ann = Terminal::open(&bed).await;
        ann.answer(&["ann", "Larisa-77"]).await;
        assert_eq!(
            ann.seen(),
            "\nUser Access Verification\n\nUsername: ann\nPassword: \nR1#"
        );
        ann.types("show privilege", &[]).await;
        assert_eq!(
            ann.seen(),
            "show privilege\nCurrent privilege level is 15\nR1#"
        );
        let mut bob = Terminal::open(&bed).await;
        bob.answer(&["BOB", "Palamidi"]).await;
        assert!(bob.seen().ends_with("Password: \nR1>"));
        bob.types("show privilege", &[]).await;
        assert!(bob.seen().contains("Current privilege level is 1\n"));
        let mut eve = Terminal::open(&bed).await;
        eve.answer(&["eve"]).await;
        assert!(eve.seen().ends_with("Username: eve\nR1>"));
        ann.types("show users", &[]).await;
        let users = ann.seen();
        for (line, name) in [("vty 0", "ann"), ("vty 1", "bob"), ("vty 2", "eve")] {
            let row = users.lines().find(|row| row.contains(line)).unwrap();
            assert!(
                row.contains(name) && row.contains("192.0.2.7"),
                "{line} {name} in\n{users}"
            );
        }
        ann.types("configure terminal", &[])
            .await
            .types("end", &[])
            .await;
        let log = bed.log();
        assert!(
            log.contains("%SYS-5-CONFIG_I: Configured from console by ann on vty0 (192.0.2.7)"),
            "{log}"
        );
    });
}

#[test]
fn three_wrong_passwords_end_the_session() {
    let lines = format!("login on-failure log\nlogin on-success log\nlogin delay 3\n{LOCAL}");
    test(&lines, async |bed| {
        let start = Instant::now();
        let mut ann = Terminal::open(&bed).await;
        ann.answer(&["ann", "wrong", "nobody", "Larisa-77", "ann", ""])
            .await;
        assert_eq!(
            ann.seen(),
            "\nUser Access Verification\n\nUsername: ann\nPassword: \n% Login invalid\n\nUsername: nobody\nPassword: \n\
             % Login invalid\n\nUsername: ann\nPassword: \n% Login invalid\n\n"
        );
        assert!(ann.closed);
        assert!(start.elapsed() >= Duration::from_secs(9), "no delay");
        let log = bed.log();
        assert_eq!(
            log.matches("%SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: ann] [Source: 192.0.2.7]")
                .count(),
            2,
            "{log}"
        );
        assert!(
            !log.contains("nobody") && !log.contains("wrong"),
            "what was typed for an unknown user is in the log:\n{log}"
        );
        Terminal::open(&bed)
            .await
            .answer(&["ann", "Larisa-77"])
            .await;
        assert!(
            bed.log()
                .contains("%SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: ann]")
        );
    });
}

#[test]
fn a_line_asks_its_own_password() {
    let lines = "line vty 0\n login\n password Acro\nline vty 1 4\n login\n";
    test(lines, async |bed| {
        let mut one = Terminal::open(&bed).await;
        one.answer(&["nope", "Acro"]).await;
        assert_eq!(
            one.seen(),
            "\nUser Access Verification\n\nPassword: \nPassword: \nR1>"
        );
        let mut other = Terminal::open(&bed).await;
        other.answer(&[]).await;
        assert_eq!(other.seen(), "\nPassword required, but none set\n");
        assert!(other.closed);
        one.types("exit", &[]).await;
        let mut third = Terminal::open(&bed).await;
        third.answer(&["a", "b", "c"]).await;
        assert_eq!(
            third.seen(),
            "\nUser Access Verification\n\nPassword: \nPassword: \nPassword: \n% Bad passwords\n"
        );
        assert!(third.closed);
    });
}

#[test]
fn authentication_lists_decide_under_aaa() {
    let users =
        "aaa new-model\nenable secret 0 Nauplion\nusername ann privilege 15 secret 0 Larisa-77\n";
    let cases: [(&str, &[&str], &str); 7] = [
        (
            "aaa authentication login default local\n",
            &["ANN", "Larisa-77"],
            "Username: ANN\nPassword: \nR1>",
        ),
        (
            "aaa authentication login default local\naaa authorization exec default local\n",
            &["ann", "Larisa-77"],
            "Username: ann\nPassword: \nR1#",
        ),
        (
            "aaa authentication login default local-case\n",
            &["ANN", "Larisa-77", "ann", "Larisa-77"],
            "% Authentication failed\n\nUsername: ann\nPassword: \nR1>",
        ),
        (
            "aaa authentication login default enable\n",
            &["Nauplion"],
            "Verification\n\nPassword: \nR1>",
        ),
        (
            "aaa authentication login default group radius local\n",
            &["ann", "Larisa-77"],
            "Password: \nR1>",
        ),
        (
            "aaa authentication login VTY line\nline vty 0 4\n password Acro\n login authentication VTY\n",
            &["Acro"],
            "Verification\n\nPassword: \nR1>",
        ),
        ("aaa authentication login default none\n", &[], "R1>"),
    ];
    for (lines, answers, screen) in cases {
        test(&format!("{users}{lines}"), async |bed| {
            let mut somebody = Terminal::open(&bed).await;
            if !answers.is_empty() {
                somebody.answer(answers).await;
            }
            let seen = somebody.seen();
            assert!(seen.ends_with(screen), "{lines}\n{seen}");
        });
    }
    let lines = format!("{users}aaa authentication login default group radius\n");
    test(&lines, async |bed| {
        let mut somebody = Terminal::open(&bed).await;
        somebody.answer(&[]).await;
        assert_eq!(somebody.seen(), "\n% Authentication failed\n");
        assert!(somebody.closed);
    });
}

#[test]
fn enable_asks_for_the_secret_of_the_level() {
    let lines = "enable secret 0 Nauplion\nenable secret level 7 0 Mycenae\nprivilege exec level 7 show running-config\n";
    test(lines, async |bed| {
        let mut one = Terminal::open(&bed).await;
        one.types("enable", &["a", "b", "c"]).await;
        assert_eq!(
            one.seen(),
            "R1>enable\nPassword: \nPassword: \nPassword: \n% Bad secrets\n\nR1>"
        );
        one.types("enable 7", &["Mycenae"]).await;
        one.types("show privilege", &[]).await;
        assert_eq!(
            one.seen(),
            "enable 7\nPassword: \nR1#show privilege\nCurrent privilege level is 7\nR1#"
        );
        one.types("show running-config", &[]).await;
        assert!(!one.seen().contains("Invalid"));
        one.types("configure terminal", &[]).await;
        assert!(one.seen().contains("% Invalid input detected"));
        one.types("enable", &["Nauplion"])
            .await
            .types("disable 9", &[])
            .await;
        one.types("show privilege", &[]).await;
        let seen = one.seen();
        assert!(
            seen.ends_with("Current privilege level is 9\nR1#"),
            "{seen}"
        );
        one.types("disable", &[]).await;
        assert!(one.seen().ends_with("R1>"));
    });
}

#[test]
fn who_may_see_a_configuration_does_not_see_its_keys() {
    let lines = "enable secret level 7 5 $1$abcd$abcdefghijklmnopqrstuv\n\
                 username op privilege 7 nopassword\n\
                 crypto isakmp key Corinth-6400 address 192.0.2.1\n\
                 crypto keyring BRANCHES\n pre-shared-key address 192.0.2.9 key Corinth-6400\n\
                 privilege exec all level 7 show\nline vty 0 4\n login local\n";
    test(lines, async |bed| {
        let file = bed.router.borrow().files.config.clone();
        std::fs::write(
            file,
            format!("hostname R1\n{lines}unheard-of password Corinth-6400\nend\n"),
        )
        .unwrap();
        let mut op = Terminal::open(&bed).await;
        op.answer(&["op"]).await;
        for command in [
            "show running-config",
            "show inactive-config",
            "show startup-config",
            "show tech-support",
            "show startup-config | json",
        ] {
            op.types(command, &[]).await;
            let seen = op.seen();
            assert!(
                seen.contains("BRANCHES") && seen.contains("192.0.2.9 key <removed>"),
                "{command}: {seen}"
            );
            assert!(
                !seen.contains("Corinth") && !seen.contains("$1$abcd"),
                "{command}: {seen}"
            );
        }
    });
}

#[test]
fn the_list_of_enable_decides_under_aaa() {
    let aaa = "aaa new-model\naaa authentication login default none\nline vty 0 4\n password Acro\nexit\n";
    let secret = "enable secret 0 Nauplion\n";
    let cases: [(&str, &str, &[&str], &str); 7] = [
        ("none", secret, &[], "R1#"),
        ("enable", secret, &["Nauplion"], "Password: \nR1#"),
        ("line", secret, &["Acro"], "Password: \nR1#"),
        ("line", secret, &["Nauplion"], "% Access denied\n\nR1>"),
        (
            "group radius enable",
            secret,
            &["Nauplion"],
            "Password: \nR1#",
        ),
        ("enable none", "", &[], "R1#"),
        (
            "group radius",
            secret,
            &[],
            "% Error in authentication.\n\nR1>",
        ),
    ];
    for (list, secret, answers, screen) in cases {
        let lines = format!("{aaa}{secret}aaa authentication enable default {list}\n");
        test(&lines, async |bed| {
            let mut one = Terminal::open(&bed).await;
            one.types("enable", answers).await;
            let seen = one.seen();
            assert!(seen.ends_with(screen), "{list}: {seen}");
        });
    }
}

#[test]
fn enable_says_why_it_does_not() {
    for (lines, answers, screen) in [
        ("", vec![], "% No password set\n"),
        (
            "enable password Acro\n",
            vec!["a", "b", "c"],
            "% Bad passwords\n\n",
        ),
        (
            "aaa new-model\naaa authentication login default none\n",
            vec![],
            "% Error in authentication.\n\n",
        ),
        (
            "aaa new-model\naaa authentication login default none\nenable secret 0 Nauplion\n",
            vec!["a"],
            "% Access denied\n\n",
        ),
    ] {
        test(lines, async |bed| {
            let mut one = Terminal::open(&bed).await;
            one.types("enable", &answers).await;
            let seen = one.seen();
            assert!(seen.ends_with(&format!("{screen}R1>")), "{lines}: {seen}");
        });
    }
}

#[test]
fn banners_stand_around_the_login() {
    let banners = "banner motd #Work on $(hostname)#\nbanner login %Names, please%\nbanner exec ^C\nLine $(line)\nof $(domain)\n^C\n\
                   ip domain name example.com\n";
    test(&format!("{banners}{LOCAL}"), async |bed| {
        let mut ann = Terminal::open(&bed).await;
        ann.answer(&["ann", "Larisa-77"]).await;
        assert_eq!(
            ann.seen(),
            "Work on R1\nNames, please\n\nUser Access Verification\n\nUsername: ann\nPassword: \n\nLine 2\nof example.com\nR1#"
        );
    });
}

#[test]
fn no_value_makes_a_banner_larger_than_a_console_takes() {
    let lines = format!(
        "ip domain name {}\nbanner motd #$(hostname) {}#\n",
        "d".repeat(60_000),
        "$(domain)".repeat(7_000)
    );
    test(&lines, async |bed| {
        let mut ann = Terminal::open(&bed).await;
        let seen = ann.seen();
        assert!(seen.starts_with("R1 $(domain)$(domain)"), "{seen:.80}");
    });
}

#[test]
fn an_idle_session_ends_when_its_line_says_so() {
    let lines = "line vty 0\n exec-timeout 0 30\nline vty 1\n exec-timeout 0 0\nline vty 2 4\n exec-timeout 5\n";
    test(lines, async |bed| {
        let mut brief = Terminal::open(&bed).await;
        let mut lasting = Terminal::open(&bed).await;
        let mut usual = Terminal::open(&bed).await;
        let start = Instant::now();
        tokio::time::sleep(Duration::from_secs(25)).await;
        brief.types("show clock", &[]).await;
        assert!(!brief.closed);
        brief.answer(&[]).await;
        assert!(brief.closed);
        assert_eq!(start.elapsed().as_secs(), 55, "25 s and 30 s more");
        usual.answer(&[]).await;
        assert_eq!(start.elapsed().as_secs(), 300);
        tokio::time::sleep(Duration::from_secs(1_000_000)).await;
        lasting.types("show privilege", &[]).await;
        assert!(lasting.seen().contains("Current privilege level is 1"));
        let log = bed.log();
        assert!(
            log.contains("%SYS-6-TTY_EXPIRE_TIMER: (exec timer expired, tty 2 (192.0.2.7)), user "),
            "{log}"
        );
    });
}

#[test]
fn a_login_that_nobody_answers_ends() {
    test(LOCAL, async |bed| {
        let start = Instant::now();
        let mut silent = Terminal::open(&bed).await;
        silent.answer(&["ann"]).await;
        assert!(silent.closed);
        assert!(
            silent
                .seen()
                .ends_with("Password: % Password:  timeout expired!\n")
        );
        assert_eq!(start.elapsed().as_secs(), 30);
    });
}

#[test]
fn the_line_says_how_long_a_login_may_take() {
    let lines = format!(
        "banner prompt-timeout #Come back to $(hostname)#\nbanner incoming #never here#\n{LOCAL} timeout login response 7\n"
    );
    test(&lines, async |bed| {
        let start = Instant::now();
        let mut silent = Terminal::open(&bed).await;
        silent.answer(&[]).await;
        assert!(silent.closed);
        assert_eq!(
            silent.seen(),
            "\nUser Access Verification\n\nUsername: % Username:  timeout expired!\nCome back to R1\n"
        );
        assert_eq!(start.elapsed().as_secs(), 7);
        let text = config::render::text(&bed.router.borrow().running);
        let banners =
            "banner incoming ^Cnever here^C\nbanner prompt-timeout ^CCome back to $(hostname)^C\n";
        assert!(text.contains(banners), "{text}");
        assert!(text.contains("\n timeout login response 7\n"), "{text}");
    });
}

#[test]
fn an_operator_clears_the_line_of_another() {
    test(LOCAL, async |bed| {
        let mut ann = Terminal::open(&bed).await;
        ann.answer(&["ann", "Larisa-77"]).await;
        let mut bob = Terminal::open(&bed).await;
        bob.answer(&["bob", "Palamidi"]).await;
        bob.types("clear line vty 0", &[]).await;
        assert!(
            bob.seen().contains("% Invalid input"),
            "level 1 clears a line"
        );
        ann.seen();
        ann.types("clear line vty 1", &[""]).await;
        assert_eq!(ann.seen(), "clear line vty 1\n[confirm]\n [OK]\nR1#");
        bob.answer(&[]).await;
        assert!(bob.closed);
        ann.types("who", &[]).await;
        let users = ann.seen();
        assert!(users.contains("ann") && !users.contains("bob"), "{users}");
    });
}

#[test]
fn the_line_gives_a_level_to_whoever_logs_in_there() {
    let lines = "line vty 0 4\n login\n password Acro\n privilege level 15\n";
    test(lines, async |bed| {
        let mut one = Terminal::open(&bed).await;
        one.answer(&["Acro"]).await;
        assert!(one.seen().ends_with("Password: \nR1#"));
    });
    // Opening the socket is no login.
    test("line vty 0 4\n privilege level 15\n", async |bed| {
        assert_eq!(Terminal::open(&bed).await.seen(), "R1>");
    });
}

#[test]
fn the_master_key_is_asked_for_and_changed_in_a_dialog() {
    let lines = format!("crypto isakmp key 0 Corinth-6400 address 192.0.2.9\n{LOCAL}");
    test(&lines, async |bed| {
        let mut ann = Terminal::open(&bed).await;
        ann.answer(&["ann", "Larisa-77"]).await;
        ann.types("configure terminal", &[]).await;
        ann.seen();
        ann.types(
            "key config-key password-encrypt",
            &["Argolida-1", "Argolida-2"],
        )
        .await;
        assert_eq!(
            ann.seen(),
            "key config-key password-encrypt\nNew key: \nConfirm key: \n\
             % Keys do not match; the master key stays as it was\nR1(config)#"
        );
        ann.types("key config-key password-encrypt", &["short", "short"])
            .await;
        assert!(ann.seen().contains("8 to 127 characters"));
        ann.types(
            "key config-key password-encrypt",
            &["Argolida-1", "Argolida-1"],
        )
        .await;
        ann.types("password encryption aes", &[]).await;
        ann.seen();
        ann.types("do show running-config | include isakmp key", &[])
            .await;
        let first = ann.seen();
        assert!(first.contains("\ncrypto isakmp key 6 "), "{first}");
        assert!(!first.contains("Corinth-6400"));
        ann.types("key config-key password-encrypt", &["wrong-old-key"])
            .await;
        assert!(ann.seen().contains("Old key: \n% Old key is not"));
        ann.types(
            "key config-key password-encrypt",
            &["Argolida-1", "Argolida-9", "Argolida-9"],
        )
        .await;
        assert_eq!(
            ann.seen(),
            "key config-key password-encrypt\nOld key: \nNew key: \nConfirm key: \nR1(config)#"
        );
        ann.types("do show running-config | include isakmp key", &[])
            .await;
        let second = ann.seen();
        assert!(
            second.contains("\ncrypto isakmp key 6 ") && second != first,
            "{second}"
        );
        ann.types("no key config-key password-encrypt", &["no"])
            .await;
        assert!(bed.router.borrow().running.master.is_some());
        ann.types("no key config-key password-encrypt", &["yes"])
            .await;
        assert!(bed.router.borrow().running.master.is_none());
        let seen = ann.seen();
        assert!(
            seen.contains("All type 6 encrypted keys will become unusable"),
            "{seen}"
        );
    });
}
