//! Large configurations pasted at once into the real console of a real daemon (on a kernel that is none): no line is lost.

mod support;

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use isthmus_kernel::Kernel;
use isthmusd::clock::Clock;
use isthmusd::control::{self, RunDir};
use isthmusd::interfaces::{InterfaceMap, InterfaceTable};
use isthmusd::log::{Log, Severity};
use isthmusd::router::{Files, Router};
use support::Console;
use tokio::task::LocalSet;

/// A paste that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(300);

/// A daemon in a thread of its own, for as long as the test runs.
fn daemon(folder: &Path) {
    let run_dir = RunDir::take(&folder.join("run")).unwrap();
    let files = Files {
        config: folder.join("startup-config"),
        state: folder.join("state"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let listener = {
        let _inside = runtime.enter();
        run_dir.listen().unwrap()
    };
    thread::spawn(move || {
        let _run_dir = run_dir;
        LocalSet::new().block_on(&runtime, async move {
            let (kernel, _events, _fake) = Kernel::fake();
            let clock = Clock::system();
            let nowhere = isthmusd::log::Console::Nowhere;
            let log = Log::new(clock.clone(), nowhere, Severity::Debugging);
            let table = InterfaceTable::new(InterfaceMap::default());
            let router = Router::new(clock, log, files, kernel, table);
            control::serve(listener, Rc::new(RefCell::new(router))).await;
        });
    });
}

fn wait_for(console: &Console, end: &str) {
    let start = Instant::now();
    while !console.screen().ends_with(end) {
        assert!(
            start.elapsed() < PATIENCE,
            "no {end:?} at the end of:\n{}",
            console.screen()
        );
        thread::sleep(Duration::from_millis(10));
    }
}

/// Lines of several kinds, some of them in sub-modes, all of which print as they are typed.
fn lines(count: usize) -> Vec<String> {
    let block = |n: usize| {
        [
            format!("ip access-list extended LIST-{n}"),
            format!(" remark the list of branch number {n}"),
            format!(" permit ip 10.{}.{}.0 0.0.0.255 any", n / 256, n % 256),
            " deny   ip any any".to_owned(),
        ]
    };
    (0..count / 4).flat_map(block).collect()
}

fn paste(count: usize) {
    let folder = tempfile::tempdir().unwrap();
    daemon(folder.path());
    let socket = folder.path().join("run").join(isthmus_control::SOCKET_NAME);
    let mut console = Console::at(&socket, 24, 80);
    wait_for(&console, ">");
    console.types("enable\rterminal length 0\rconfigure terminal\r");
    wait_for(&console, "(config)#");
    let lines = lines(count);
    console.types(&(lines.join("\r") + "\rend\rcopy running-config flash:pasted\r\r"));
    wait_for(&console, " bytes/sec)\nRouter#");
    let text = std::fs::read_to_string(folder.path().join("state/flash/pasted")).unwrap();
    let lists: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("ip access-list"))
        .take_while(|line| *line != "!")
        .collect();
    assert_eq!(lists, lines);
}

#[test]
fn two_thousand_lines() {
    paste(2_000);
}

#[test]
fn twenty_thousand_lines() {
    paste(20_000);
}
