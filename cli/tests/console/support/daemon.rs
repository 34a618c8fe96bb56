//! A real daemon, on a kernel that is none, in a thread of its own.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::thread;

use isthmus_kernel::Kernel;
use isthmusd::clock::Clock;
use isthmusd::log::{Console, Log, Severity};
use isthmusd::machine::directory::RunDir;
use isthmusd::machine::interfaces::{InterfaceMap, InterfaceTable};
use isthmusd::router::{Files, Router};
use isthmusd::session::screens::Screens;
use isthmusd::tasks::control;
use isthmusd::testing::RouterBuilder;
use tokio::task::LocalSet;

/// Where the daemon of a folder listens.
pub fn socket(folder: &Path) -> PathBuf {
    folder.join("run").join(isthmus_control::SOCKET_NAME)
}

/// A daemon with this startup-config, for as long as the test runs.
pub fn start(folder: &Path, config: &str) {
    start_with(folder, config, |_| {});
}

/// The same, and the user who runs the test has no rights of its own: it is neither root nor the daemon's user.
pub fn start_for_users(folder: &Path, config: &str) {
    start_with(folder, config, |router| router.trusted_uids.clear());
}

fn start_with(folder: &Path, config: &str, change: fn(&mut Router)) {
    std::fs::write(folder.join("startup-config"), config).unwrap();
    let run_dir = RunDir::take(&folder.join("run")).unwrap();
    let folder = folder.to_owned();
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
            let mut router = RouterBuilder::default().folder(&folder).booted();
            change(&mut router);
            let router = Rc::new(RefCell::new(router));
            control::serve(listener, router, Screens::default()).await;
        });
    });
}
