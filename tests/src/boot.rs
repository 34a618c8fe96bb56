//! The host's side of the lab: boots guests, at most two at once, and has them run scenarios by name. Called by the tests and by
//! `isthmus-lab run`. Where the machine's own kernel has ESP and we are root, scenarios run on it directly.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::guest::MARK;

/// A guest is one busy CPU; more than this at once only slows all of them down.
const GUESTS: usize = 2;
const BOOT_LIMIT: Duration = Duration::from_secs(60);
/// After this time a guest stops by itself, should the program that started it be gone.
const GUEST_SECONDS: u32 = 1500;

/// Runs a scenario and answers its diary; a failure's error holds the diary.
pub fn run(name: &str, limit: Duration) -> Result<String> {
    fresh_results(name)?;
    let outcome = attempt(name, limit);
    let diary = fs::read(log(name)).unwrap_or_default();
    let diary = String::from_utf8_lossy(&diary).into_owned();
    outcome.with_context(|| diary.clone())?;
    Ok(diary)
}

/// The name under which `exec` runs as if it were a scenario.
pub const EXEC: &str = "exec";

/// Runs a program as root of a lab kernel, its output copied to ours; the program must end with 0.
pub fn exec(command: &[&str], limit: Duration) -> Result<()> {
    fs::write(fresh_results(EXEC)?.join("command"), command.join("\n"))?;
    aloud(EXEC, limit)
}

/// Runs a scenario and copies its diary to standard output while it is written.
pub fn run_aloud(name: &str, limit: Duration) -> Result<()> {
    fresh_results(name)?;
    aloud(name, limit)
}

fn aloud(name: &str, limit: Duration) -> Result<()> {
    let (finish, finished) = mpsc::channel::<()>();
    let path = log(name);
    let reader = std::thread::spawn(move || {
        let mut told = 0;
        loop {
            let last =
                finished.recv_timeout(Duration::from_millis(100)) != Err(RecvTimeoutError::Timeout);
            let diary = fs::read(&path).unwrap_or_default();
            if let Some(news) = diary.get(told..) {
                let _ = std::io::stdout().write_all(news);
                let _ = std::io::stdout().flush();
                told = diary.len();
            }
            if last {
                return;
            }
        }
    });
    let outcome = attempt(name, limit);
    drop(finish);
    let _ = reader.join();
    outcome
}

fn attempt(name: &str, limit: Duration) -> Result<()> {
    prepare()?;
    if name == KERNEL_CRATE {
        list_kernel_tests()?;
    }
    let folder = results().join(name);
    let _turn = Turn::take();
    let status = if own_kernel_has_esp() {
        run_here(name, &folder, limit)?
    } else {
        run_in_guest(name, limit)?
    };
    ensure!(
        status == "passed",
        "scenario {name}: {status}; logs and captures are in {}",
        folder.display()
    );
    Ok(())
}

fn fresh_results(name: &str) -> Result<PathBuf> {
    let folder = results().join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn log(name: &str) -> PathBuf {
    results().join(name).join("log.txt")
}

/// Fetches the peers and builds the product, once in a process. Both are quick when there is nothing to do.
fn prepare() -> Result<()> {
    static DONE: OnceLock<Result<(), String>> = OnceLock::new();
    let outcome = DONE.get_or_init(|| {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .unwrap_or(Path::new("/"));
        finish("set-up", Command::new(top.join("tests/setup.sh")))
            .map_err(|error| format!("{error:#}"))?;
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        build
            .current_dir(top)
            .args(["build", "--quiet", "-p", "isthmusd", "-p", "isthmus"]);
        if programs().ends_with("release") {
            build.arg("--release");
        }
        finish("cargo build", build)
            .map(drop)
            .map_err(|error| format!("{error:#}"))
    });
    outcome.clone().map_err(|error| anyhow!(error))
}

/// Builds the test programs of the kernel crate, and lists them where the scenario that runs them looks.
fn list_kernel_tests() -> Result<()> {
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    build.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "test",
        "--quiet",
        "-p",
        "isthmus-kernel",
        "--no-run",
        "--message-format=json",
    ]);
    let messages = finish("cargo test --no-run", build)?;
    let mut list = String::new();
    for message in messages.lines() {
        let message = serde_json::from_str::<serde_json::Value>(message).unwrap_or_default();
        if let (Some(program), Some("test")) = (
            message["executable"].as_str(),
            message["target"]["kind"][0].as_str(),
        ) {
            list += &format!("{program}\n");
        }
    }
    fs::create_dir_all(lab())?;
    Ok(fs::write(lab().join(KERNEL_TESTS), list)?)
}

/// The scenario that runs the kernel crate's tests.
const KERNEL_CRATE: &str = "kernel_crate";

/// The file in the lab's folder that lists the kernel crate's test programs, one a line.
pub const KERNEL_TESTS: &str = "kernel-tests";

/// Runs a program to its end and answers its standard output; a bad exit status is an error with all that it printed.
fn finish(what: &str, mut command: Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {what}"))?;
    let (text, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(output.status.success(), "{what} failed:\n{text}{errors}");
    Ok(text.into_owned())
}

/// The folder with this workspace's programs: that of this one, or the one above for a test.
fn programs() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    let folder = own.parent().unwrap_or(Path::new("/"));
    if folder.ends_with("deps") {
        folder.parent().unwrap_or(folder).to_owned()
    } else {
        folder.to_owned()
    }
}

/// The folder of unpacked peers and of results, beside the folder of programs.
pub fn lab() -> PathBuf {
    programs().parent().unwrap_or(Path::new("/")).join("lab")
}

fn results() -> PathBuf {
    lab().join("results")
}

/// Whether scenarios can run on this machine's own kernel: we are root and it takes an ESP SA. `ISTHMUS_LAB=guest` and
/// `ISTHMUS_LAB=host` decide it by hand.
fn own_kernel_has_esp() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        match std::env::var("ISTHMUS_LAB").as_deref() {
            Ok("guest") => return false,
            Ok("host") => return true,
            _ => {}
        }
        let add = "xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1000 mode tunnel enc cbc(aes) 0x00112233445566778899aabbccddeeff";
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "ip"]).args(add.split(' ')).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}

fn run_here(name: &str, folder: &Path, limit: Duration) -> Result<&'static str> {
    let log = File::create(folder.join("log.txt"))?;
    let status = Command::new("timeout")
        .args([
            "--signal=KILL",
            &limit.as_secs().to_string(),
            "unshare",
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ])
        .arg(programs().join("isthmus-lab"))
        .args(["scenario", name])
        .env("LAB_RESULTS", folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .status()
        .context("cannot run unshare")?;
    Ok(match status.code() {
        Some(0) => "passed",
        Some(137) | None => "timeout",
        Some(_) => "failed",
    })
}

fn run_in_guest(name: &str, limit: Duration) -> Result<&'static str> {
    let idle = idle_guests().pop();
    let mut guest = match idle {
        Some(guest) => guest,
        None => Guest::boot()?,
    };
    let status = guest.run(name, limit)?;
    idle_guests().push(guest);
    Ok(status)
}

fn idle_guests() -> std::sync::MutexGuard<'static, Vec<Guest>> {
    static IDLE: Mutex<Vec<Guest>> = Mutex::new(Vec::new());
    IDLE.lock().unwrap_or_else(|poison| poison.into_inner())
}

/// One of the `GUESTS` places at the lab's table.
struct Turn;

static TAKEN: Mutex<usize> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

impl Turn {
    fn take() -> Turn {
        let taken = TAKEN.lock().unwrap_or_else(|poison| poison.into_inner());
        let mut taken = FREED
            .wait_while(taken, |taken| *taken >= GUESTS)
            .unwrap_or_else(|poison| poison.into_inner());
        *taken += 1;
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap_or_else(|poison| poison.into_inner()) -= 1;
        FREED.notify_one();
    }
}

/// Ends a guest's process group when this process is gone, since idle guests wait in a static, which is never dropped; and
/// after `GUEST_SECONDS` in any case.
fn guard(guest: &Child) -> Result<()> {
    const WATCH: &str = "left=$3; while [ $left -gt 0 ] && kill -0 $1 && kill -0 -$2; do sleep 1; left=$((left - 1)); done; kill -KILL -$2";
    Command::new("sh")
        .args(["-c", WATCH, "guard"])
        .args([std::process::id(), guest.id(), GUEST_SECONDS].map(|number| number.to_string()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("cannot run sh")?;
    Ok(())
}

/// A booted user-mode Linux, waiting for scenarios. Dropping it pulls the plug.
struct Guest {
    child: Child,
    console: ChildStdin,
    lines: Receiver<String>,
    /// The last lines that were not for us: kernel messages, panics.
    noise: VecDeque<String>,
}

impl Guest {
    fn boot() -> Result<Guest> {
        let base = lab().join("base");
        let unpacked = base.join("usr/bin/linux.uml");
        let kernel = if unpacked.exists() {
            unpacked
        } else {
            PathBuf::from("linux.uml")
        };
        let memory = if Path::new("/dev/shm").is_dir() {
            PathBuf::from("/dev/shm")
        } else {
            std::env::temp_dir()
        };
        let base = if base.is_dir() {
            base.display().to_string()
        } else {
            "-".to_owned()
        };
        fs::create_dir_all(results())?;
        let mut child = Command::new(&kernel)
            .args([
                "mem=640M",
                "root=/dev/root",
                "rootfstype=hostfs",
                "rootflags=/",
                "ro",
                "con=null",
                "con0=fd:0,fd:1",
                "ssl=null",
            ])
            .args(["noreboot", "quiet", "loglevel=4", "panic=-1"])
            .arg(format!("uml_dir={}", memory.display()))
            .arg(format!("init={}", programs().join("isthmus-lab").display()))
            .arg(format!("LAB_OUT={}", results().display()))
            .arg(format!("LAB_BASE={base}"))
            .env("TMPDIR", &memory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot run {}", kernel.display()))?;
        guard(&child)?;
        let (console, output) = (
            child.stdin.take().context("no stdin")?,
            child.stdout.take().context("no stdout")?,
        );
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                let _ = tell.send(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        });
        let mut guest = Guest {
            child,
            console,
            lines,
            noise: VecDeque::new(),
        };
        guest
            .wait_for("ready", BOOT_LIMIT)
            .context("the user-mode kernel did not come up")?;
        Ok(guest)
    }

    /// Runs a scenario; an error means that the guest itself is lost.
    fn run(&mut self, name: &str, limit: Duration) -> Result<&'static str> {
        writeln!(self.console, "{MARK}run {name} {}", limit.as_secs())?;
        let answer = self.wait_for("done", limit + Duration::from_secs(20))?;
        Ok(match answer.rsplit(' ').next() {
            Some("passed") => "passed",
            Some("timeout") => "timeout",
            _ => "failed",
        })
    }

    fn wait_for(&mut self, word: &str, limit: Duration) -> Result<String> {
        let until = Instant::now() + limit;
        loop {
            match self
                .lines
                .recv_timeout(until.saturating_duration_since(Instant::now()))
            {
                Ok(line) => match line.strip_prefix(MARK) {
                    Some(answer) if answer.starts_with(word) => return Ok(answer.to_owned()),
                    Some(answer) if answer.starts_with("failed") => bail!("guest: {answer}"),
                    _ => {
                        self.noise.push_back(line);
                        if self.noise.len() > 40 {
                            self.noise.pop_front();
                        }
                    }
                },
                Err(RecvTimeoutError::Timeout) => bail!(
                    "guest: no '{word}' within {} s\n{}",
                    limit.as_secs(),
                    self.noise()
                ),
                Err(RecvTimeoutError::Disconnected) => bail!("guest: it died\n{}", self.noise()),
            }
        }
    }

    fn noise(&self) -> String {
        self.noise
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // The whole tree: the kernel keeps one traced process for each process inside.
        if let Ok(group) = i32::try_from(self.child.id()) {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}
