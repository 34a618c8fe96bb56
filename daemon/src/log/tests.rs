//! Log lines, levels and limits on a clock that stands still.

use std::time::Duration;

use super::*;

fn clock() -> Clock {
    at(62)
}

fn at(uptime: u64) -> Clock {
    let now = "2026-03-01T00:42:09.431Z".parse().unwrap();
    Clock::fixed(now, Duration::from_secs(uptime))
}

fn log(settings: Settings) -> Log {
    let mut log = Log::new(clock(), Console::Nowhere, Severity::Debugging);
    log.configure(settings);
    log
}

fn on(log: &mut Log) {
    log.system(
        "CRYPTO",
        Severity::Informational,
        "ISAKMP_ON_OFF",
        "ISAKMP is ON",
    );
}

fn buffered(log: &Log) -> Vec<&str> {
    log.buffer().lines().collect()
}

/// Settings of a configuration.
fn configured(text: &str) -> Settings {
    let (running, problems) = crate::config::load(text, "test");
    assert_eq!(problems, []);
    settings(&running)
}

#[test]
fn stamps() {
    let zone = crate::config::load(
        "clock timezone CET 1 0\nclock summer-time CEST recurring last Sun Mar 2:00 last Sun Oct 3:00",
        "test",
    )
    .0;
    let zone = crate::clock::zone(zone.timezone.as_ref(), zone.summer_time.as_ref()).unwrap();
    let lines = [
        ("no service timestamps log", ""),
        ("service timestamps log uptime", "00:01:02: "),
        ("service timestamps log datetime", "*Mar  1 00:42:09: "),
        (
            "service timestamps log datetime msec",
            "*Mar  1 00:42:09.431: ",
        ),
        (
            "service timestamps log datetime year",
            "*Mar  1 2026 00:42:09: ",
        ),
        (
            "service timestamps log datetime localtime",
            "*Mar  1 01:42:09: ",
        ),
        (
            "service timestamps log datetime show-timezone",
            "*Mar  1 00:42:09 UTC: ",
        ),
        (
            "service timestamps log datetime msec localtime show-timezone year",
            "*Mar  1 2026 01:42:09.431 CET: ",
        ),
        (
            "service timestamps log datetime msec\nservice sequence-numbers",
            "000001: *Mar  1 00:42:09.431: ",
        ),
    ];
    for (config, stamp) in lines {
        let mut log = log(configured(config));
        log.set_zone(zone.clone());
        on(&mut log);
        let line = format!("{stamp}%CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON");
        assert_eq!(buffered(&log), [line], "{config}");
    }
}

#[test]
fn uptime_stamps_change_their_unit() {
    for (uptime, stamp) in [
        (86_399, "23:59:59: x"),
        (93_600, "1d02h: x"),
        (777_600, "1w2d: x"),
    ] {
        let mut log = Log::new(at(uptime), Console::Nowhere, Severity::Debugging);
        log.configure(configured("service timestamps debug uptime"));
        log.write(&Message::Debug("x".into()));
        assert_eq!(buffered(&log), [stamp]);
    }
}

#[test]
fn levels_decide_where_a_line_goes() {
    let mut log = log(configured(
        "logging buffered 4096 notifications\nlogging host 192.0.2.9\nservice sequence-numbers\n\
         no service timestamps log",
    ));
    let started = "000001: %SYS-6-LOGGINGHOST_STARTSTOP: Logging to host 192.0.2.9 port 514 started - CLI initiated";
    assert_eq!(taken(&log, None), [format!("<190>1: {started}")]);
    let (sender, mut terminal) = mpsc::channel(1);
    log.monitor(SessionId::default(), sender);
    on(&mut log);
    log.write(&Message::Debug("ISAKMP: (0):x".into()));
    assert!(buffered(&log).is_empty());
    assert_eq!(
        terminal.try_recv().unwrap(),
        "000002: %CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON"
    );
    assert_eq!(log.counts().dropped, 1, "the terminal's queue was full");
    assert_eq!(
        taken(&log, None),
        ["<190>2: 000002: %CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON"]
    );
    let counts = log.counts();
    assert_eq!((counts.console, counts.monitor, counts.trap), (3, 1, 2));
}

/// What the first host would get.
fn taken(log: &Log, local: Option<std::net::IpAddr>) -> Vec<String> {
    let host = &log.hosts()[0];
    let header = &log.settings().header;
    let lines = host.take();
    let text = |(line, number): &(Rc<syslog::Line>, u64)| {
        let bytes = syslog::message(line, header, &host.target, *number, local);
        String::from_utf8(syslog::framed(bytes, header, host.target.protocol)).unwrap()
    };
    lines.iter().map(text).collect()
}

#[test]
fn hosts_get_what_the_configuration_asks_for() {
    let local = "10.0.0.1".parse().ok();
    let started =
        "%SYS-6-LOGGINGHOST_STARTSTOP: Logging to host 192.0.2.9 port 514 started - CLI initiated";
    let stamp = "*Mar  1 00:42:09.431: ";
    let ios = [
        ("", format!("<190>1: {stamp}{started}")),
        (
            "no logging message-counter syslog",
            format!("<190>: {stamp}{started}"),
        ),
        ("logging facility auth", format!("<38>1: {stamp}{started}")),
        (
            "hostname R1\nlogging origin-id hostname\nservice sequence-numbers",
            format!("<190>1: R1: 000001: {stamp}{started}"),
        ),
        (
            "logging origin-id ip",
            format!("<190>1: 10.0.0.1: {stamp}{started}"),
        ),
        (
            "logging origin-id string edge",
            format!("<190>1: edge: {stamp}{started}"),
        ),
    ];
    for (config, line) in ios {
        let log = log(configured(&format!("{config}\nlogging host 192.0.2.9")));
        assert_eq!(taken(&log, local), [line], "{config}");
    }
    let session = configured("logging host 192.0.2.9 session-id string a]b sequence-num-session");
    let line = format!("<190>1: [syslog@9 s_sn=\"1\" s_id=\"a\\]b:514\"]: {stamp}{started}");
    assert_eq!(taken(&log(session), local), [line]);
}

#[test]
fn rfc_5424_messages_have_structured_data() {
    let log = log(configured(
        "hostname R1\nip domain name example.net\nlogging trap syslog-format rfc5424\n\
         logging host 192.0.2.9 transport tcp",
    ));
    let text =
        "%SYS-6-LOGGINGHOST_STARTSTOP: Logging to host 192.0.2.9 port 601 started - CLI initiated";
    let (pid, version) = (std::process::id(), env!("CARGO_PKG_VERSION"));
    let message = format!(
        "<190>1 2026-03-01T00:42:09.431Z R1.example.net isthmusd {pid} LOGGINGHOST_STARTSTOP [timeQuality tzKnown=\"1\" \
         isSynced=\"0\"][origin ip=\"10.0.0.1\" software=\"Isthmus\" swVersion=\"{version}\"][meta sequenceId=\"1\" \
         sysUpTime=\"6200\"] {text}"
    );
    let framed = format!("{} {message}", message.len());
    assert_eq!(taken(&log, "10.0.0.1".parse().ok()), [framed]);
}

#[test]
fn debug_output_has_no_message_id_and_control_characters_do_no_harm() {
    let mut log = log(configured(
        "clock timezone CET 1\nlogging trap syslog-format rfc5424\nlogging trap debugging\nlogging host 192.0.2.9",
    ));
    log.set_zone(jiff::tz::TimeZone::fixed(jiff::tz::offset(1)));
    let _ = taken(&log, None);
    log.write(&Message::Debug(
        "a\u{1b}[2J\u{e9}\n   second line  \n\n".into(),
    ));
    let lines = taken(&log, None);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("<191>1 2026-03-01T01:42:09.431+01:00 Router isthmusd "));
    assert!(lines[0].contains(" - [timeQuality "), "{}", lines[0]);
    assert!(lines[0].ends_with("] \u{feff}a [2J\u{e9}"), "{}", lines[0]);
    assert!(lines[1].ends_with("]    second line"), "{}", lines[1]);
}

#[test]
fn a_host_that_takes_nothing_loses_the_newest_lines_and_nothing_waits() {
    let mut log = log(configured(
        "logging queue-limit trap 100\nlogging host 192.0.2.9",
    ));
    for n in 0..150 {
        log.write(&Message::system(
            "SYS",
            Severity::Errors,
            "X",
            format!("{n}"),
        ));
    }
    assert_eq!(log.hosts()[0].dropped(), 51);
    assert_eq!(log.counts().dropped, 51);
    assert_eq!(taken(&log, None).len(), 100);
}

#[test]
fn hosts_that_stay_keep_their_queues() {
    let mut log = log(configured("logging host 192.0.2.9"));
    log.configure(configured("logging host 192.0.2.8\nlogging host 192.0.2.9"));
    assert_eq!(log.hosts().len(), 2);
    assert_eq!(log.hosts()[1].take().len(), 2);
    log.configure(configured("logging host 192.0.2.8"));
    let last = log.buffer().lines().last().unwrap();
    assert!(
        last.ends_with("Logging to host 192.0.2.9 port 514 stopped - CLI initiated"),
        "{last}"
    );
}

#[test]
fn the_rate_limit_spares_debug_output_and_the_grave() {
    let count = |config: &str, console: bool| {
        let mut log = log(configured(config));
        for _ in 0..30 {
            log.write(&Message::system("A", Severity::Informational, "X", "x"));
            log.write(&Message::system("A", Severity::Errors, "Y", "x"));
            log.write(&Message::Debug("x".into()));
        }
        let counts = log.counts();
        (
            if console {
                counts.console
            } else {
                counts.buffered
            },
            counts.limited,
        )
    };
    assert_eq!(count("", false), (90, 0));
    assert_eq!(count("logging rate-limit 5", false), (35, 55));
    assert_eq!(count("logging rate-limit 5 except errors", false), (65, 25));
    assert_eq!(count("logging rate-limit all 5", false), (5, 85));
    assert_eq!(count("logging rate-limit console 5", true), (35, 55));
    assert_eq!(count("logging rate-limit console 5", false), (90, 55));
}

#[test]
fn without_logging_on_only_the_console_is_left() {
    let mut log = log(configured("no logging on\nlogging host 192.0.2.9"));
    on(&mut log);
    let counts = log.counts();
    assert_eq!((counts.console, counts.buffered, counts.trap), (2, 0, 0));
}

#[test]
fn the_journal_gets_fields() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let journal = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    journal
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut log = Log::new(clock(), Console::Journal(path), Severity::Notifications);
    log.configure(configured("no logging console"));
    on(&mut log);
    let text = "Crypto tunnel is UP";
    let message = Message::system("CRYPTO", Severity::Notifications, "SESSION_STATUS", text);
    log.write(&message.about("192.0.2.1".parse().unwrap()));
    log.write(&Message::system("SYS", Severity::Errors, "TWO", "one\ntwo"));
    let mut bytes = [0; 4096];
    let mut next = || {
        let length = journal.recv(&mut bytes).unwrap();
        bytes[..length].to_vec()
    };
    let pid = std::process::id();
    assert_eq!(
        String::from_utf8(next()).unwrap(),
        format!(
            "MESSAGE=%CRYPTO-5-SESSION_STATUS: Crypto tunnel is UP\nPRIORITY=5\nSYSLOG_IDENTIFIER=isthmusd\n\
             SYSLOG_PID={pid}\nISTHMUS_SEVERITY=notifications\nISTHMUS_FACILITY=CRYPTO\n\
             ISTHMUS_MNEMONIC=SESSION_STATUS\nISTHMUS_PEER=192.0.2.1\n"
        )
    );
    let value = b"%SYS-3-TWO: one\ntwo";
    let mut start = b"MESSAGE\n".to_vec();
    start.extend((value.len() as u64).to_le_bytes());
    start.extend(value);
    start.extend(b"\nPRIORITY=3\n");
    assert!(next().starts_with(&start));
    assert_eq!(log.counts().console, 0, "the journal is not the console");
}

#[test]
fn a_journal_that_stands_still_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let _journal = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let mut log = Log::new(clock(), Console::Journal(path), Severity::Debugging);
    log.configure(configured("logging queue-limit 100"));
    let line = "x".repeat(10_000);
    while log.counts().dropped == 0 {
        log.write(&Message::Debug(line.clone()));
    }
}

#[test]
fn the_buffer_keeps_the_newest_lines_within_its_size() {
    let mut log = log(Settings {
        buffered: Some((100, Severity::Debugging)),
        ..configured("no service timestamps debug")
    });
    for n in 0..10 {
        log.write(&Message::Debug(format!("line number {n:011}")));
    }
    assert_eq!(buffered(&log).len(), 4, "{:?}", buffered(&log));
    assert_eq!(buffered(&log)[3], "line number 00000000009");
    log.clear();
    assert!(buffered(&log).is_empty());
}

#[test]
fn what_strangers_provoke_is_limited_and_counted() {
    let mut log = log(Settings::default());
    let message = || Message::system("CRYPTO", Severity::Warnings, "IKMP_NO_SA", "x");
    for _ in 0..1000 {
        log.write(&message().provoked_by([192, 0, 2, 1].into()));
    }
    assert!(log.counts().buffered < 50);
    assert_eq!(log.counts().limited + log.counts().buffered, 1000);
    let before = log.counts().buffered;
    for _ in 0..1000 {
        log.write(&message().about([192, 0, 2, 1].into()));
    }
    assert_eq!(log.counts().buffered, before + 1000);
}

#[test]
fn severities_by_name_and_number() {
    assert_eq!(Severity::parse("5"), Some(Severity::Notifications));
    assert_eq!(Severity::parse("debugging"), Some(Severity::Debugging));
    assert_eq!(Severity::parse("8"), None);
    assert_eq!(Severity::Warnings.to_string(), "warnings");
}
