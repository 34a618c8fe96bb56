//! Process 1 of a user-mode Linux guest: makes a writable root over the machine's own, loads modules, then runs the scenarios
//! that `boot.rs` names on the console, one process each, until the console closes.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{self, SetArg};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, chdir, pivot_root};

use crate::modules::{LAB_MODULES, Modules};

/// What every protocol line on the console begins with, in both directions; all else there is kernel or program noise.
pub const MARK: &str = "@@";

/// Runs as process 1 and powers the guest off at the end. Settings come in the environment, from the kernel's command line:
/// `LAB_OUT` (the folder for results, shared with the host), `LAB_BASE` (a folder with unpacked programs, or `-`).
pub fn init() -> ! {
    if let Err(error) = prepare().and_then(|()| serve()) {
        println!("{MARK}failed {error:#}");
    }
    let _ = reboot(RebootMode::RB_POWER_OFF);
    std::process::exit(1)
}

fn prepare() -> Result<()> {
    let none = None::<&str>;
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), none).context("mount /proc")?;
    let base = std::env::var("LAB_BASE").ok().filter(|base| base != "-");
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?
        .trim()
        .to_owned();
    let folder = modules_folder(base.as_deref(), &release);
    let mut modules = Modules::read(&folder)?;
    modules.load("overlay")?;

    mount(Some("tmpfs"), "/mnt", Some("tmpfs"), MsFlags::empty(), none).context("mount /mnt")?;
    for folder in ["root", "upper", "work", "base"] {
        fs::create_dir(Path::new("/mnt").join(folder))?;
    }
    let mut lower = "/";
    if let Some(base) = &base {
        // Mounted by itself, since an overlay takes no layer that lies inside another.
        mount(
            Some("hostfs"),
            "/mnt/base",
            Some("hostfs"),
            MsFlags::MS_RDONLY,
            Some(base.as_str()),
        )
        .context("mount the unpacked programs")?;
        lower = "/mnt/base:/";
    }
    let options = format!("lowerdir={lower},upperdir=/mnt/upper,workdir=/mnt/work");
    mount(
        Some("overlay"),
        "/mnt/root",
        Some("overlay"),
        MsFlags::empty(),
        Some(options.as_str()),
    )
    .context("mount overlay")?;
    for (kind, target) in [
        ("proc", "proc"),
        ("sysfs", "sys"),
        ("devtmpfs", "dev"),
        ("devpts", "dev/pts"),
        ("tmpfs", "dev/shm"),
        ("tmpfs", "run"),
    ] {
        let target = Path::new("/mnt/root").join(target);
        fs::create_dir_all(&target)?;
        mount(Some(kind), &target, Some(kind), MsFlags::empty(), none)
            .with_context(|| format!("mount {}", target.display()))?;
    }
    fs::create_dir_all("/mnt/root/out")?;
    let out = std::env::var("LAB_OUT").context("LAB_OUT is not set")?;
    mount(
        Some("hostfs"),
        "/mnt/root/out",
        Some("hostfs"),
        MsFlags::empty(),
        Some(out.as_str()),
    )
    .context("mount the results folder")?;
    pivot_root("/mnt/root", "/mnt/root/mnt").context("pivot_root")?;
    chdir("/")?;
    umount2("/mnt", MntFlags::MNT_DETACH).context("detach the old root")?;

    let mut modules = Modules::read(&folder)?;
    for name in LAB_MODULES {
        modules.load(name)?;
    }
    // Nothing more is to be loaded: without this the kernel forks modprobe for every algorithm alias it wonders about.
    fs::write("/proc/sys/kernel/modprobe", "")?;
    Ok(())
}

fn modules_folder(base: Option<&str>, release: &str) -> PathBuf {
    let below = format!("usr/lib/uml/modules/{release}");
    let unpacked = base
        .map(|base| Path::new(base).join(&below))
        .filter(|folder| folder.is_dir());
    unpacked.unwrap_or_else(|| Path::new("/").join(&below))
}

/// Answers `@@run NAME SECONDS` with `@@done NAME STATUS`, where STATUS is `passed`, `failed` or `timeout`.
fn serve() -> Result<()> {
    let stdin = std::io::stdin();
    let mut mode = termios::tcgetattr(stdin.as_fd())?;
    termios::cfmakeraw(&mut mode);
    termios::tcsetattr(stdin.as_fd(), SetArg::TCSANOW, &mode)?;
    println!("{MARK}ready");
    for line in stdin.lock().lines() {
        let line = line?;
        let mut words = line.trim_start_matches(MARK).split_whitespace();
        if words.next() != Some("run") {
            continue;
        }
        let (Some(name), Some(Ok(limit))) = (words.next(), words.next().map(str::parse)) else {
            continue;
        };
        let status = run(name, Duration::from_secs(limit)).unwrap_or_else(|error| {
            println!("guest: {name}: {error:#}");
            "failed"
        });
        println!("{MARK}done {name} {status}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn run(name: &str, limit: Duration) -> Result<&'static str> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(format!("/out/{name}/log.txt"))?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(["scenario", name])
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .env("LAB_RESULTS", format!("/out/{name}"))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    let (finished, wait) = mpsc::channel();
    std::thread::spawn(move || finished.send(child.wait()));
    let status = match wait.recv_timeout(limit) {
        Ok(Ok(status)) if status.success() => "passed",
        Ok(_) => "failed",
        Err(_) => "timeout",
    };
    // From process 1 this ends every process but itself: daemons, and with them their namespaces.
    let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
    while waitpid(Pid::from_raw(-1), None).is_ok() {}
    Ok(status)
}
