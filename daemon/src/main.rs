//! `isthmusd`: arguments, set-up, and what happens when the run loop ends.

use std::cell::RefCell;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use anyhow::Context;
use clap::Parser;
use isthmus_kernel::{Kernel, keep_to_itself};
use isthmusd::clock::Clock;
use isthmusd::log::{Console, Log, Severity};
use isthmusd::machine::directory::{RunDir, make_directory};
use isthmusd::machine::interfaces::{InterfaceMap, InterfaceTable, store};
use isthmusd::machine::notify::notify;
use isthmusd::machine::outside::Outside;
use isthmusd::machine::sandbox;
use isthmusd::router::{Files, Router, Shared, Stop};
use isthmusd::storage::scp;
use isthmusd::tasks::{self, Sockets};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::LocalSet;

/// Where the interface map is unless it is named.
const INTERFACE_MAP: &str = "/etc/isthmus/interface-map";

/// The Isthmus daemon: negotiates IKE and programs the kernel. Runs in the foreground.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The startup-config
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/isthmus/startup-config"
    )]
    config: PathBuf,
    /// Where the control socket and the lock are
    #[arg(long, value_name = "DIR", default_value = "/run/isthmus")]
    run_dir: PathBuf,
    /// What is kept over restarts
    #[arg(long, value_name = "DIR", default_value = "/var/lib/isthmus")]
    state_dir: PathBuf,
    /// IOS interface names and the kernel interfaces they mean, one pair a line
    /// [default: /etc/isthmus/interface-map]
    #[arg(long, value_name = "FILE")]
    interface_map: Option<PathBuf>,
    /// The least important messages that go to standard error: a number from 0 (emergencies) to 7 (debugging), or its name
    #[arg(long, value_name = "LEVEL", default_value = "debugging", value_parser = level)]
    log_level: Severity,
    /// Another folder that the daemon may write to, for copies of root to files of the machine; may be repeated
    #[arg(long, value_name = "DIR")]
    allow_write: Vec<PathBuf>,
    /// Without giving anything up: to find out whether the sandbox is what hinders
    #[arg(long)]
    no_sandbox: bool,
}

/// The niceness of threads beside the packet loop.
const NICE: i32 = 10;

fn level(text: &str) -> Result<Severity, String> {
    Severity::parse(text)
        .ok_or_else(|| "expected 0 to 7, or emergencies, alerts, ... debugging".into())
}

fn main() -> ExitCode {
    if let Some(socket) = std::env::var_os(scp::ASKPASS) {
        let question = std::env::args().nth(1).unwrap_or_default();
        return match scp::askpass(socket.as_ref(), &question) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let arguments = Arguments::parse();
    if let Err(error) = keep_to_itself() {
        eprintln!("isthmusd: others may read its memory: {error}");
        return ExitCode::FAILURE;
    }
    let outside = match Outside::start() {
        Ok(outside) => outside,
        Err(error) => {
            eprintln!("isthmusd: cannot start a thread: {error}");
            return ExitCode::FAILURE;
        }
    };
    match serve(&arguments, &outside) {
        Ok(Stop::Signal) => ExitCode::SUCCESS,
        Ok(Stop::Reload) => {
            // From outside: the fresh daemon starts with all that this one started with.
            let error = outside.wait(restart);
            eprintln!("isthmusd: cannot start again: {error}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("isthmusd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Replaces this process by a fresh one with the same arguments; comes back only if that fails.
fn restart() -> std::io::Error {
    match std::env::current_exe() {
        Ok(program) => std::process::Command::new(program)
            .args(std::env::args_os().skip(1))
            .exec(),
        Err(error) => error,
    }
}

fn serve(arguments: &Arguments, outside: &Outside) -> anyhow::Result<Stop> {
    let run_dir = RunDir::take(&arguments.run_dir)?;
    make_directory(&arguments.state_dir, 0o700)?;
    let told = sandbox(arguments);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_start(stand_back)
        .build()
        .context("cannot start the run loop")?;
    let stop = LocalSet::new().block_on(&runtime, async {
        let (kernel, events) = Kernel::linux().await.context("cannot reach the kernel")?;
        let sockets = Sockets {
            ike: tasks::ike_socket(&kernel)?,
            events,
        };
        let router = router(arguments, kernel)?;
        router.borrow_mut().outside = outside.clone();
        for (severity, text) in told {
            router.borrow_mut().notice(severity, "SANDBOX", text);
        }
        stop_on_signals(&router)?;
        let stop = tasks::run(router, sockets, || run_dir.listen(), || notify("READY=1")).await?;
        notify("STOPPING=1");
        Ok(stop)
    });
    // `run` waited for the disk: one that still hangs must not keep the daemon from ending.
    runtime.shutdown_background();
    stop
}

/// Enters the sandbox: before there is any other thread than the one that stays outside.
fn sandbox(arguments: &Arguments) -> sandbox::Told {
    if arguments.no_sandbox {
        return sandbox::unwanted();
    }
    let mut places = sandbox::places(&arguments.config, &arguments.state_dir, &arguments.run_dir);
    if let Some(folder) = places.first() {
        // The folder that the first save would make; where it cannot be made that will say so.
        let _ = make_directory(folder, 0o755);
    }
    places.extend(arguments.allow_write.iter().cloned());
    sandbox::enter(&places)
}

/// The threads that print screens, hash and work on files let the packet loop go first.
fn stand_back() {
    // Where that is not allowed they share as equals.
    let _ = rustix::process::setpriority_process(None, NICE);
}

fn router(arguments: &Arguments, kernel: Kernel) -> anyhow::Result<Shared> {
    let clock = Clock::system();
    let log = Log::new(clock.clone(), Console::detect(), arguments.log_level);
    let files = Files {
        config: arguments.config.clone(),
        state: arguments.state_dir.clone(),
    };
    let asked = arguments.interface_map.as_deref();
    let map = InterfaceMap::read(asked.unwrap_or(Path::new(INTERFACE_MAP)), asked.is_some())?;
    let kept = store::read(&arguments.state_dir);
    let damaged = kept.problem.clone();
    let table = InterfaceTable::new(map).with_bindings(kept);
    let mut router = Router::new(clock, log, files, kernel, table);
    if let Some(problem) = damaged {
        router.notice(Severity::Errors, "INTERFACE", problem);
    }
    router.boot();
    Ok(Rc::new(RefCell::new(router)))
}

fn stop_on_signals(router: &Shared) -> anyhow::Result<()> {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind).context("cannot watch for signals")?;
        let router = router.clone();
        tokio::task::spawn_local(async move {
            while signals.recv().await.is_some() {
                router.borrow_mut().stop(Stop::Signal);
            }
        });
    }
    // A terminal that closes does not take the tunnels along.
    let mut hangups = signal(SignalKind::hangup()).context("cannot watch for signals")?;
    tokio::task::spawn_local(async move { while hangups.recv().await.is_some() {} });
    Ok(())
}
