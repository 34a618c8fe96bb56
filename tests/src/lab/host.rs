//! A host of the lab: a thread in network, mount and UTS namespaces of its own. What it spawns is in them too.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};

use anyhow::{Context, Result, anyhow, bail};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Pid, gettid, sethostname};

type Job = Box<dyn FnOnce() + Send>;

/// A machine of the lab. Jobs and programs given to it run inside its namespaces, as many at once as are asked for.
pub struct Host {
    name: String,
    thread: Pid,
    jobs: Mutex<Sender<Job>>,
}

impl Host {
    /// Makes a host with nothing but a loopback interface, forwarding on, /etc and /var writable and private, /run empty.
    /// Programs of `layers` (folders holding an unpacked `usr`, and maybe `etc`) lie over the machine's own.
    pub fn new(name: &str, layers: &[&Path]) -> Result<Host> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let (tell, told) = mpsc::channel();
        let (own_name, layers) = (
            name.to_owned(),
            layers
                .iter()
                .map(|layer| layer.to_path_buf())
                .collect::<Vec<_>>(),
        );
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let made = enter(
                    &own_name,
                    &layers
                        .iter()
                        .map(|layer| layer.as_path())
                        .collect::<Vec<_>>(),
                );
                let failed = made.is_err();
                let _ = tell.send(made.map(|()| gettid()));
                // New threads inherit the namespaces of the thread that makes them: this one only makes others.
                while let (false, Ok(job)) = (failed, inbox.recv()) {
                    std::thread::spawn(job);
                }
            })?;
        let thread = told
            .recv()
            .context("host thread")?
            .with_context(|| format!("cannot make host {name}"))?;
        Ok(Host {
            name: name.to_owned(),
            thread,
            jobs: Mutex::new(jobs),
        })
    }

    /// The name it was made with, also its hostname.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The thread whose namespaces these are, for `ip link ... netns`.
    pub fn pid(&self) -> Pid {
        self.thread
    }

    /// Starts `job` inside and leaves it running.
    pub fn start(&self, job: impl FnOnce() + Send + 'static) {
        let sent = self
            .jobs
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
            .send(Box::new(job));
        assert!(sent.is_ok(), "the thread of host {} is gone", self.name);
    }

    /// Runs `job` inside and waits for its answer.
    pub fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (tell, told) = mpsc::channel();
        self.start(move || drop(tell.send(job())));
        told.recv()
            .map_err(|_| anyhow!("a job on host {} panicked", self.name))?
    }

    /// Runs a program to its end. Its standard output is the answer; a bad exit status is an error that shows both outputs.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let (text, good) = self.output(program, arguments, "")?;
        if !good {
            bail!(
                "{}: {program} {} failed:\n{text}",
                self.name,
                arguments.join(" ")
            );
        }
        Ok(text)
    }

    /// Runs a program to its end with `input` on its standard input. Answers what it printed (errors last) and whether it exited with 0.
    pub fn output(&self, program: &str, arguments: &[&str], input: &str) -> Result<(String, bool)> {
        let (program, input) = (program.to_owned(), input.to_owned());
        let arguments = arguments
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>();
        self.run(move || {
            let mut command = Command::new(&program);
            command
                .args(&arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
            let mut child = command
                .spawn()
                .with_context(|| format!("cannot run {program}"))?;
            if let Some(mut stdin) = child.stdin.take() {
                std::thread::spawn(move || stdin.write_all(input.as_bytes()));
            }
            let output = child.wait_with_output()?;
            let text = [output.stdout, output.stderr].concat();
            Ok((
                String::from_utf8_lossy(&text).into_owned(),
                output.status.success(),
            ))
        })
    }

    /// Starts a program that stays, its output appended to `log`.
    pub fn daemon(
        &self,
        program: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
        log: &Path,
    ) -> Result<Child> {
        let mut command = Command::new(program);
        let file = fs::OpenOptions::new().create(true).append(true).open(log)?;
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .envs(environment.iter().copied());
        let program = program.display().to_string();
        self.run(move || {
            command
                .spawn()
                .with_context(|| format!("cannot start {program}"))
        })
    }

    /// Runs lines of `ip -batch`.
    pub fn ip(&self, lines: &str) -> Result<()> {
        let (text, good) = self.output("ip", &["-batch", "-"], lines)?;
        if !good {
            bail!("{}: ip -batch failed: {text}\nof\n{lines}", self.name);
        }
        Ok(())
    }

    /// Writes a file as seen inside, making its folders.
    pub fn write(&self, path: &str, text: &str) -> Result<()> {
        let (path, text) = (path.to_owned(), text.to_owned());
        self.run(move || {
            let path = Path::new(&path);
            fs::create_dir_all(path.parent().context("no folder")?)?;
            fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
        })
    }

    /// Reads a file as seen inside.
    pub fn read(&self, path: &str) -> Result<String> {
        let path = path.to_owned();
        self.run(move || fs::read_to_string(&path).with_context(|| format!("cannot read {path}")))
    }

    /// Whether a path exists inside.
    pub fn exists(&self, path: &str) -> Result<bool> {
        let path = path.to_owned();
        self.run(move || Ok(Path::new(&path).exists()))
    }
}

fn enter(name: &str, layers: &[&Path]) -> Result<()> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS)
        .context("unshare")?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .context("make / private")?;
    sethostname(name).context("hostname")?;
    for (kind, target) in [("tmpfs", "/run"), ("sysfs", "/sys")] {
        mount(Some(kind), target, Some(kind), MsFlags::empty(), none)
            .with_context(|| format!("mount {target}"))?;
    }
    for folder in ["etc", "var"] {
        overlay(folder, layers, true)?;
    }
    if !layers.is_empty() {
        overlay("usr", layers, false)?;
    }
    for (setting, value) in [
        ("ipv4/ip_forward", "1"),
        ("ipv6/conf/all/disable_ipv6", "1"),
        ("ipv6/conf/default/disable_ipv6", "1"),
    ] {
        let path = format!("/proc/sys/net/{setting}");
        if Path::new(&path).exists() {
            fs::write(&path, value).with_context(|| format!("set {path}"))?;
        }
    }
    Ok(())
}

/// Lays `layers`, and for a writable folder a fresh top, over a folder of the root.
fn overlay(folder: &str, layers: &[&Path], writable: bool) -> Result<()> {
    let mut lower = layers
        .iter()
        .map(|layer| layer.join(folder))
        .filter(|path| path.is_dir())
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>();
    lower.push(format!("/{folder}"));
    let mut options = format!("lowerdir={}", lower.join(":"));
    if writable {
        let (upper, work) = (
            format!("/run/lab/{folder}"),
            format!("/run/lab/{folder}.work"),
        );
        fs::create_dir_all(&upper)?;
        fs::create_dir_all(&work)?;
        options += &format!(",upperdir={upper},workdir={work}");
    }
    let target = format!("/{folder}");
    mount(
        Some("overlay"),
        target.as_str(),
        Some("overlay"),
        MsFlags::empty(),
        Some(options.as_str()),
    )
    .with_context(|| format!("mount overlay on {target}"))
}
