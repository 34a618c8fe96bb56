//! Log lines, levels and limits on a clock that stands still.

use std::time::Duration;

use super::*;

fn clock() -> Clock {
    Clock::Fixed {
        now: "2026-03-01T00:42:09.431Z".parse().unwrap(),
        uptime: Duration::from_secs(62),
    }
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

#[test]
fn stamps() {
    let lines = [
        (Stamp::None, "%CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON"),
        (
            Stamp::Uptime,
            "00:01:02: %CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON",
        ),
        (
            Stamp::default(),
            "*Mar  1 00:42:09.431: %CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON",
        ),
        (
            Stamp::Datetime(Datetime {
                year: true,
                show_timezone: true,
                ..Datetime::default()
            }),
            "*Mar  1 2026 00:42:09 UTC: %CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON",
        ),
    ];
    for (log_stamp, line) in lines {
        let mut log = log(Settings {
            log_stamp,
            ..Settings::default()
        });
        on(&mut log);
        assert_eq!(buffered(&log), [line]);
    }
}

#[test]
fn levels_decide_where_a_line_goes() {
    let mut log = log(Settings {
        buffered: Some((4096, Severity::Notifications)),
        hosts: vec![[192, 0, 2, 9].into()],
        sequence_numbers: true,
        log_stamp: Stamp::None,
        ..Settings::default()
    });
    let (sender, mut terminal) = mpsc::channel(1);
    log.monitor(SessionId::default(), sender);
    on(&mut log);
    log.write(&Message::Debug("ISAKMP: (0):x".into()));
    assert!(buffered(&log).is_empty());
    assert_eq!(
        terminal.try_recv().unwrap(),
        "000001: %CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON"
    );
    assert_eq!(log.counts().dropped, 1, "the terminal's queue was full");
    assert_eq!(
        log.take_datagrams(),
        [(
            "192.0.2.9:514".parse().unwrap(),
            b"<190>1: 000001: %CRYPTO-6-ISAKMP_ON_OFF: ISAKMP is ON".to_vec()
        )]
    );
    assert!(log.take_datagrams().is_empty());
}

#[test]
fn the_buffer_keeps_the_newest_lines_within_its_size() {
    let mut log = log(Settings {
        debug_stamp: Stamp::None,
        buffered: Some((100, Severity::Debugging)),
        ..Settings::default()
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
fn a_flood_is_limited_and_counted() {
    let mut log = log(Settings::default());
    for _ in 0..1000 {
        on(&mut log);
    }
    assert!(log.counts().buffered < 50);
    assert_eq!(log.counts().limited + log.counts().buffered, 1000);
}

#[test]
fn severities_by_name_and_number() {
    assert_eq!(Severity::parse("5"), Some(Severity::Notifications));
    assert_eq!(Severity::parse("debugging"), Some(Severity::Debugging));
    assert_eq!(Severity::parse("8"), None);
    assert_eq!(Severity::Warnings.to_string(), "warnings");
}
