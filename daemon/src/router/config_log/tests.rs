use isthmus_grammar::command::Command;
use isthmus_grammar::parser::parse;

use super::*;
use crate::config::{Context, Origin, apply};
use crate::testing::RouterBuilder;

/// An operator in configuration mode.
struct Operator {
    user: User,
    context: Context,
    stay: ConfigSession,
}

fn operator(name: Option<&str>, line: &str) -> Operator {
    Operator {
        user: User {
            line: line.into(),
            name: name.map(str::to_owned),
            source: None,
        },
        context: Context::Global,
        stay: ConfigSession::default(),
    }
}

fn router() -> Router {
    RouterBuilder::default().build()
}

impl Operator {
    fn enter(&mut self, router: &mut Router, lines: &str) {
        for line in lines.lines() {
            self.enter_one(router, line);
        }
    }

    fn enter_one(&mut self, router: &mut Router, line: &str) {
        let parsed = parse(self.context.mode(), line).unwrap();
        let Command::Config(line) = parsed.command else {
            panic!("{line}");
        };
        apply(
            &mut router.running,
            &mut self.context,
            &line,
            Origin::Terminal,
        )
        .unwrap();
        router.configured();
        router.log_command(&mut self.stay, &self.user, &line);
    }

    fn on(&mut self, router: &mut Router) {
        self.enter(router, "archive\nlog config\nlogging enable");
    }
}

fn commands(router: &Router) -> Vec<(u64, u64, String, String)> {
    let logged = router.change_control.config_log.commands();
    let command = |one: LoggedCommand| {
        let who = format!("{}@{}", one.user, one.line);
        (one.index, one.session, who, one.command)
    };
    logged.into_iter().map(command).collect()
}

fn words(router: &Router) -> Vec<String> {
    commands(router)
        .into_iter()
        .map(|(.., words)| words)
        .collect()
}

#[test]
fn the_command_that_starts_the_log_is_its_first() {
    let mut router = router();
    let mut ann = operator(Some("ann"), "vty0");
    let mut nobody = operator(None, "vty1");
    let mut console = operator(None, "console");
    ann.enter(&mut router, "hostname R1");
    ann.on(&mut router);
    nobody.enter(&mut router, "int lo0\nno shut");
    ann.enter(&mut router, "logg siz 7");
    console.enter(&mut router, "default hostname");
    let expected = [
        (1, 1, "ann@vty0", "logging enable"),
        (2, 2, "unknown user@vty1", "interface Loopback0"),
        (3, 2, "unknown user@vty1", "no shutdown"),
        (4, 1, "ann@vty0", "logging size 7"),
        (5, 3, "console@console", "default hostname"),
    ];
    let expected = expected
        .map(|(index, session, who, words)| (index, session, who.to_owned(), words.to_owned()));
    assert_eq!(commands(&router), expected);
}

#[test]
fn the_log_keeps_as_many_as_it_is_told_to() {
    let mut router = router();
    let mut ann = operator(Some("ann"), "vty0");
    ann.on(&mut router);
    for number in 0..200 {
        ann.enter(&mut router, &format!("hostname R{number}"));
    }
    assert_eq!(words(&router).len(), 100);
    assert_eq!(commands(&router)[99].0, 201);
    ann.enter(&mut router, "archive\nlog config\nlogging size 2");
    assert_eq!(words(&router), ["log config", "logging size 2"]);
    ann.enter(&mut router, "no logging size");
    for number in 0..200 {
        ann.enter(&mut router, &format!("hostname R{number}"));
    }
    assert_eq!(words(&router).len(), 100);
    let statistics = router.change_control.config_log.statistics();
    assert_eq!((statistics.sessions, statistics.commands), (1, 100));
}

#[test]
fn a_log_that_is_off_or_cleared_is_empty_and_gives_its_memory_back() {
    for end in [
        "no logging enable",
        "no log config",
        "no archive",
        "default logging enable",
    ] {
        let mut router = router();
        let mut ann = operator(Some("ann"), "vty0");
        ann.on(&mut router);
        operator(None, "vty1").enter(&mut router, "banner motd ^one^\nhostname R1");
        assert_eq!(words(&router).len(), 3);
        ann.enter(&mut router, end);
        ann.enter(&mut router, "hostname R2");
        assert_eq!(words(&router), [""; 0], "{end}");
        let statistics = router.change_control.config_log.statistics();
        for memory in [statistics.session_memory, statistics.command_memory] {
            assert!(
                memory.allocated_bytes > 0 && memory.held_bytes == 0,
                "{end}: {memory:?}"
            );
        }
        ann.on(&mut router);
        assert_eq!(commands(&router)[0].0, 4, "{end}: numbers are used once");
        router.change_control.config_log.clear();
        assert_eq!(words(&router), [""; 0]);
        ann.enter(&mut router, "hostname R3");
        assert_eq!(words(&router), ["hostname R3"]);
    }
}

#[test]
fn each_command_knows_its_mode_however_it_was_left() {
    let mut router = router();
    let mut ann = operator(Some("ann"), "vty0");
    ann.on(&mut router);
    ann.enter(
        &mut router,
        "no hidekeys\nmaximum 3\nvrf definition V\naddress-family ipv4\nmaximum routes 5 80",
    );
    ann.context = ann.context.up();
    ann.enter(&mut router, "rd 1:1\ninterface Loopback0\nhostname R1");
    let logged = router.change_control.config_log.commands();
    let modes: Vec<Vec<&str>> = logged
        .iter()
        .map(|one| {
            one.modes
                .iter()
                .map(|opening| opening.command.as_str())
                .collect()
        })
        .collect();
    let (vrf, family) = ("vrf definition V", "address-family ipv4");
    assert_eq!(
        modes,
        [
            vec!["archive", "log config"],
            vec!["archive", "log config"],
            vec!["archive"],
            vec![],
            vec![vrf],
            vec![vrf, family],
            vec![vrf],
            vec![],
            vec![],
        ]
    );
}

#[test]
fn what_is_kept_of_a_command_is_bounded_and_moves_no_cursor() {
    assert_eq!(bounded("set transform-set T "), "set transform-set T");
    assert_eq!(
        bounded("description a\u{1b}[2Jb\u{7}"),
        "description a?[2Jb?"
    );
    assert_eq!(
        bounded("banner motd ^Cone\ntwo^C"),
        "banner motd ^Cone\ntwo^C"
    );
    let long = bounded(&"\u{e4}".repeat(5000));
    assert!(
        long.len() <= LONGEST + 3 && long.ends_with("..."),
        "{}",
        long.len()
    );
}

#[test]
fn syslog_is_told_where_that_is_configured() {
    let mut router = router();
    let mut ann = operator(None, "vty3");
    ann.on(&mut router);
    let messages = |router: &Router| -> Vec<String> {
        let lines = router.log.buffer().lines();
        let text = |line: &str| {
            Some(
                line.split_once("%PARSER-5-CFGLOG_LOGGEDCMD: ")?
                    .1
                    .to_owned(),
            )
        };
        lines.filter_map(text).collect()
    };
    ann.enter(&mut router, "notify syslog contenttype xml\nhidekeys");
    assert_eq!(messages(&router), [""; 0]);
    ann.enter(&mut router, "notify syslog");
    ann.enter_one(&mut router, "banner motd ^Cone\ntwo^C");
    ann.enter(&mut router, "no archive\nhostname R1");
    assert_eq!(
        messages(&router),
        [
            "User:unknown user  logged command:notify syslog",
            "User:unknown user  logged command:banner motd ^Cone...",
        ]
    );
}
