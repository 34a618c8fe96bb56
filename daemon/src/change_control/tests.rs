//! What happens when time passes, on a clock that is moved by hand.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use isthmus_grammar::command::RevertTimer;
use tokio::sync::mpsc;
use tokio::task::LocalSet;
use tokio::time::advance;

use super::reload::Plan;
use super::{archive, reload, rollback, whole};
use crate::config::{self, Running};
use crate::operators::{SessionId, User};
use crate::router::Shared;
use crate::testing::RouterBuilder;

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// Time passes, and whoever waited for it has its turn.
async fn pass(time: Duration) {
    advance(time).await;
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// As `pass`, and what is to be written then is on the disk.
async fn pass_and_write(router: &Shared, time: Duration) {
    pass(time).await;
    // A copy is written, then the list of copies.
    for _ in 0..2 {
        let disk = router.borrow().disk.clone();
        disk.run(|| ()).await.unwrap();
        pass(Duration::ZERO).await;
    }
}

fn router(folder: &tempfile::TempDir, config: &str) -> Shared {
    let router = RouterBuilder::default().folder(folder.path());
    Rc::new(RefCell::new(router.configured(config)))
}

fn enter(router: &Shared, name: &str) -> (SessionId, mpsc::Receiver<String>) {
    let user = User {
        line: "vty0".into(),
        name: Some(name.into()),
        source: None,
    };
    let (sender, receiver) = mpsc::channel(64);
    let mut router = router.borrow_mut();
    let (id, _) = router.sessions.enter(user, false, true).unwrap();
    router.sessions.listen(id, sender);
    (id, receiver)
}

fn heard(receiver: &mut mpsc::Receiver<String>) -> Vec<String> {
    std::iter::from_fn(|| receiver.try_recv().ok()).collect()
}

/// A change from R1 to R2 that waits to be confirmed.
async fn change(router: &Shared, session: SessionId, timer: RevertTimer) {
    let begun = rollback::begin(router, session, "ann", timer).await;
    begun.unwrap();
    let mut router = router.borrow_mut();
    *router.running = config::load("hostname R2\n", "test").0;
    router.configured();
}

fn hostname(router: &Shared) -> String {
    router.borrow().running.hostname().to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_absolute_timer_warns_and_rolls_back() {
    let folder = tempfile::tempdir().unwrap();
    let body = async {
        let router = router(&folder, "hostname R1\n");
        let (ann, mut lines) = enter(&router, "ann");
        change(&router, ann, RevertTimer::Absolute(5)).await;
        pass(minutes(4) - Duration::from_secs(1)).await;
        router.borrow_mut().rollback_active(ann);
        assert_eq!(heard(&mut lines), Vec::<String>::new());
        pass(Duration::from_secs(1)).await;
        let warning = heard(&mut lines);
        assert!(
            warning.len() == 1 && warning[0].contains("in one minute"),
            "{warning:?}"
        );
        assert_eq!(hostname(&router), "R2");
        pass(minutes(1)).await;
        assert_eq!(hostname(&router), "R1");
        assert!(router.borrow().change_control.rollback.is_none());
        pass_and_write(&router, Duration::ZERO).await;
        assert!(!folder.path().join("state/rollback-config").exists());
    };
    LocalSet::new().run_until(body).await;
}

#[tokio::test(start_paused = true)]
async fn the_idle_timer_starts_anew_with_every_command_of_its_session() {
    let folder = tempfile::tempdir().unwrap();
    let body = async {
        let router = router(&folder, "hostname R1\n");
        let (ann, _lines) = enter(&router, "ann");
        let (bob, _other) = enter(&router, "bob");
        change(&router, ann, RevertTimer::Idle(2)).await;
        for _ in 0..10 {
            pass(Duration::from_secs(90)).await;
            router.borrow_mut().rollback_active(ann);
        }
        assert_eq!(hostname(&router), "R2");
        pass(Duration::from_secs(90)).await;
        router.borrow_mut().rollback_active(bob);
        pass(Duration::from_secs(31)).await;
        assert_eq!(hostname(&router), "R1");
    };
    LocalSet::new().run_until(body).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_confirmed_stays_and_another_timer_counts_from_its_start() {
    let folder = tempfile::tempdir().unwrap();
    let body = async {
        let router = router(&folder, "hostname R1\n");
        let (ann, _lines) = enter(&router, "ann");
        change(&router, ann, RevertTimer::Absolute(2)).await;
        pass(minutes(1)).await;
        let later = RevertTimer::Absolute(10);
        router.borrow_mut().revert_later(ann, "ann", later).unwrap();
        pass(minutes(9)).await;
        assert_eq!(hostname(&router), "R2");
        rollback::confirm(&router, "ann").await.unwrap();
        pass(minutes(500)).await;
        assert_eq!(hostname(&router), "R2");
    };
    LocalSet::new().run_until(body).await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_comes_after_its_warnings() {
    let folder = tempfile::tempdir().unwrap();
    let body = async {
        let router = router(&folder, "hostname R1\n");
        let (_ann, mut lines) = enter(&router, "ann");
        let now = router.borrow().clock.zoned();
        let plan = Plan::within("45", None, &now).unwrap();
        reload::schedule(&router, plan, "ann");
        let mut told = Vec::new();
        for minute in 1..=45 {
            pass(minutes(1)).await;
            let lines = heard(&mut lines);
            if let [_, middle, _] = &lines[..] {
                told.push((minute, middle.trim_start_matches("*** ").to_owned()));
            } else {
                assert_eq!(lines, Vec::<String>::new());
            }
            assert_eq!(router.borrow().stop.is_some(), minute == 45, "{minute}");
        }
        let expected = [
            (15, "--- SHUTDOWN in 0:30:00 ---"),
            (40, "--- SHUTDOWN in 0:05:00 ---"),
            (44, "--- SHUTDOWN in 0:01:00 ---"),
            (45, "--- SHUTDOWN NOW ---"),
        ];
        assert_eq!(
            told,
            expected.map(|(minute, text)| (minute, text.to_owned()))
        );
    };
    LocalSet::new().run_until(body).await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_is_called_off_or_replaced_does_not_come() {
    let folder = tempfile::tempdir().unwrap();
    let body = async {
        let router = router(&folder, "hostname R1\n");
        let now = router.borrow().clock.zoned();
        for delay in ["5", "90"] {
            reload::schedule(&router, Plan::within(delay, None, &now).unwrap(), "ann");
        }
        pass(minutes(10)).await;
        assert!(router.borrow().stop.is_none());
        router.borrow_mut().cancel_reload("ann").unwrap();
        pass(minutes(100)).await;
        assert!(router.borrow().stop.is_none());
    };
    LocalSet::new().run_until(body).await;
}

#[tokio::test(start_paused = true)]
async fn copies_are_made_from_time_to_time() {
    let folder = tempfile::tempdir().unwrap();
    let body = async {
        let router = router(&folder, "hostname R1\n");
        tokio::task::spawn_local(archive::keep_time(router.clone()));
        let copies =
            || std::fs::read_dir(folder.path().join("state/flash")).map_or(0, Iterator::count);
        pass(minutes(100)).await;
        assert_eq!(copies(), 0);
        *router.borrow_mut().running = config::load(
            "archive\n path flash:a\n time-period 10\n maximum 3\n",
            "test",
        )
        .0;
        router.borrow_mut().configured();
        let before = copies();
        for _ in 0..2 {
            pass_and_write(&router, minutes(10)).await;
        }
        assert!(copies() > before, "a copy every ten minutes");
        for _ in 0..10 {
            pass_and_write(&router, minutes(10)).await;
        }
        assert_eq!(copies(), 3, "the oldest goes");
    };
    LocalSet::new().run_until(body).await;
}

#[tokio::test]
async fn a_change_that_falls_over_is_told_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let router = router(&folder, "hostname R1\n");
    let bad = |running: &mut Running| -> u32 {
        *running = Running::default();
        panic!("expected here")
    };
    let told = whole::change(&router, bad, "ann").await.unwrap_err();
    assert!(told.contains("running-config is as it was"), "{told}");
    assert_eq!(hostname(&router), "R1");
    let good = whole::change(&router, |running| running.hostname().to_owned(), "ann").await;
    assert_eq!(good.as_deref(), Ok("R1"));
}

#[tokio::test]
async fn copies_that_are_made_at_once_have_numbers_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let router = router(&folder, "archive\n path flash:copy\n");
    let body = async {
        let (first, second) = tokio::join!(archive::archive(&router), archive::archive(&router));
        let number =
            |name: Result<String, String>| name.unwrap().rsplit('-').next().map(str::to_owned);
        assert_eq!(number(first).as_deref(), Some("0"));
        assert_eq!(number(second).as_deref(), Some("1"));
        let files = router.borrow_mut().copies().unwrap().files.clone();
        let next_file = router.borrow_mut().copy_name("now").unwrap();
        assert_eq!(files.len(), 2);
        assert!(next_file.ends_with("-2"), "{next_file}");
        // A copy that is still being written when its path is changed belongs to no list.
        let other = async {
            let text = "archive\n path flash:other\n";
            *router.borrow_mut().running = config::load(text, "test").0;
        };
        let (third, ()) = tokio::join!(archive::archive(&router), other);
        third.unwrap();
        assert!(router.borrow_mut().copies().unwrap().files.is_empty());
    };
    LocalSet::new().run_until(body).await;
}
