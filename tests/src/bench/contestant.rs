//! One of the two: a daemon in namespaces of its own, with a console beside it.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::terminal::Terminal;
use crate::lab::{Host, wait_for};
use crate::peer::isthmus::binary;

/// A daemon takes at most so long to answer.
const PATIENCE: Duration = Duration::from_secs(300);

/// A router to be measured.
pub struct Contestant {
    kind: Kind,
    host: Host,
    config: String,
    daemon: Option<Child>,
    added: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Isthmus,
    Vtysh,
}

const ISTHMUS_CONFIG: &str = "/etc/isthmus/startup-config";
const FRR_CONFIG: &str = "/etc/frr/zebra.conf";
const FILE: &str = "/etc/bench.conf";
const FRR_RUN: &str = "/run/frr";

impl Contestant {
    /// A host for `isthmusd`, with a pair of Ethernet devices.
    pub fn isthmus(config: &str) -> Result<Contestant> {
        let host = Host::new("hub", &[])?;
        host.ip("link set lo up\nlink add eth0 type veth peer name eth1\nlink set eth0 up\nlink set eth1 up\n")?;
        host.write("/run/isthmus/.keep", "")?;
        Contestant::new(Kind::Isthmus, host, config)
    }

    /// A host for zebra and vtysh, with the user and the groups that they ask for.
    pub fn vtysh(config: &str) -> Result<Contestant> {
        let frr = crate::boot::lab().join("frr");
        ensure!(frr.is_dir(), "FRR is not there: run tests/setup.sh bench");
        let host = Host::new("hub", &[&frr])?;
        host.ip("link set lo up\n")?;
        let groups = std::fs::read_to_string("/etc/group")?;
        host.write(
            "/etc/group",
            &format!("{groups}frr:x:990:\nfrrvty:x:991:root\n"),
        )?;
        host.write(
            "/etc/pam.d/frr",
            "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n",
        )?;
        host.write("/etc/frr/vtysh.conf", "")?;
        host.write(&format!("{FRR_RUN}/.keep"), "")?;
        Contestant::new(Kind::Vtysh, host, config)
    }

    fn new(kind: Kind, host: Host, config: &str) -> Result<Contestant> {
        host.write(FILE, config)?;
        Ok(Contestant {
            kind,
            host,
            config: config.to_owned(),
            daemon: None,
            added: 0,
        })
    }

    /// For messages.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Isthmus => "Isthmus",
            Kind::Vtysh => "vtysh",
        }
    }

    fn console(&self) -> (String, Vec<String>) {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect();
        match self.kind {
            Kind::Isthmus => (
                binary("isthmus").display().to_string(),
                words("--socket /run/isthmus/isthmusd.sock"),
            ),
            Kind::Vtysh => (
                "/usr/bin/vtysh".into(),
                words(&format!(
                    "--vty_socket {FRR_RUN} --config_dir /etc/frr -d zebra"
                )),
            ),
        }
    }

    fn typed(&self, more: &[&str], input: &str) -> Result<String> {
        let (program, mut arguments) = self.console();
        arguments.extend(more.iter().map(|word| (*word).to_owned()));
        let arguments = arguments.iter().map(String::as_str).collect::<Vec<_>>();
        let (text, good) = self.host.output(&program, &arguments, input)?;
        ensure!(
            good,
            "{}: {arguments:?} failed:\n{}",
            self.name(),
            text.lines().take(20).collect::<Vec<_>>().join("\n")
        );
        Ok(text)
    }

    fn timed(&self, more: &[&str], input: &str) -> Result<(Duration, String)> {
        let start = Instant::now();
        let text = self.typed(more, input)?;
        Ok((start.elapsed(), text))
    }

    fn stop(&mut self) -> Result<()> {
        if let Some(mut daemon) = self.daemon.take() {
            nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(daemon.id().try_into()?),
                nix::sys::signal::Signal::SIGTERM,
            )?;
            daemon.wait()?;
        }
        Ok(())
    }

    fn start(&mut self, config: &str) -> Result<Duration> {
        self.stop()?;
        let (program, file, arguments) = match self.kind {
            Kind::Isthmus => (
                binary("isthmusd"),
                ISTHMUS_CONFIG,
                format!(
                    "--config {ISTHMUS_CONFIG} --run-dir /run/isthmus --state-dir /var/lib/isthmus --log-level warnings"
                ),
            ),
            Kind::Vtysh => (
                PathBuf::from("/usr/lib/frr/zebra"),
                FRR_CONFIG,
                format!(
                    "-u root -g root --vty_socket {FRR_RUN} -z {FRR_RUN}/zserv -i {FRR_RUN}/zebra.pid -f {FRR_CONFIG}"
                ),
            ),
        };
        self.host.write(file, config)?;
        let start = Instant::now();
        let arguments = arguments.split(' ').collect::<Vec<_>>();
        self.daemon = Some(
            self.host
                .daemon(&program, &arguments, &[], Path::new("/dev/null"))?,
        );
        wait_for(self.name(), PATIENCE, || {
            Ok(self
                .typed(&["-c", "show version"], "")
                .is_ok()
                .then_some(()))
        })?;
        Ok(start.elapsed())
    }

    /// Starts the daemon with the whole file; for FRR as its own start-up does it, with vtysh and an integrated configuration
    /// (zebra reading the file by itself is many times slower).
    pub fn boots(&mut self) -> Result<Duration> {
        match self.kind {
            Kind::Isthmus => self.start(&self.config.clone()),
            Kind::Vtysh => {
                let start = self.start("")?;
                Ok(start + self.timed(&["-f", FILE], "")?.0)
            }
        }
    }

    /// Starts the daemon with nothing, then loads the whole file through the console.
    pub fn loads(&mut self) -> Result<Duration> {
        self.start("hostname hub\n")?;
        let time = match self.kind {
            Kind::Isthmus => {
                let lines = format!("configure terminal\n{}end\n", self.config);
                self.timed(&[], &lines)?.0
            }
            Kind::Vtysh => self.timed(&["-f", FILE], "")?.0,
        };
        Ok(time)
    }

    /// Whether the running-config has a line for every line that was loaded.
    pub fn has_everything(&self) -> Result<bool> {
        let text = self.typed(&["-c", "show running-config"], "")?;
        let lines = text
            .lines()
            .map(str::trim)
            .collect::<std::collections::HashSet<_>>();
        let missing = self
            .config
            .lines()
            .map(str::trim)
            .find(|line| !lines.contains(line));
        if let Some(line) = missing {
            println!("{}: '{line}' is missing", self.name());
        }
        Ok(missing.is_none())
    }

    /// The whole running-config.
    pub fn shows_all(&mut self) -> Result<Duration> {
        Ok(self.timed(&["-c", "show running-config"], "")?.0)
    }

    /// A short screen.
    pub fn shows_version(&mut self) -> Result<Duration> {
        Ok(self.timed(&["-c", "show version"], "")?.0)
    }

    /// One more entry beside all the others.
    pub fn adds_one(&mut self) -> Result<Duration> {
        self.added += 1;
        let n = self.added;
        let time = match self.kind {
            Kind::Isthmus => {
                let lines = format!(
                    "configure terminal\nip access-list extended MORE-{n}\n permit ip 10.0.0.0 0.255.255.255 192.168.{n}.0 0.0.0.255\n\
                     crypto map VPN {} ipsec-isakmp\n set peer 192.0.2.9\n set transform-set T\n match address MORE-{n}\nend\n",
                    20_000 + n
                );
                self.timed(&[], &lines)?.0
            }
            Kind::Vtysh => {
                let line = format!("access-list MORE-{n} seq 5 permit 192.168.{n}.0/24");
                self.timed(&["-c", "configure terminal", "-c", &line], "")?
                    .0
            }
        };
        Ok(time)
    }

    /// `show ?` at a terminal.
    pub fn helps(&mut self) -> Result<Duration> {
        let (program, arguments) = self.console();
        let prompt = match self.kind {
            Kind::Isthmus => "hub#",
            Kind::Vtysh => "hub# ",
        };
        self.host.run(move || {
            let mut terminal = Terminal::start(&program, &arguments)?;
            terminal.reads_to(&["hub#", "hub>", "hub# "])?;
            if prompt == "hub#" {
                terminal.types("enable\r")?;
                terminal.reads_to(&[prompt])?;
            }
            terminal.types("terminal length 0\r")?;
            terminal.reads_to(&[prompt])?;
            terminal.types("show ")?;
            terminal.reads_to(&["show "])?;
            let start = Instant::now();
            terminal.types("?")?;
            terminal.reads_to(&[&format!("{prompt}show ")])?;
            Ok(start.elapsed())
        })
    }

    /// The daemon's resident memory, in kB.
    pub fn memory(&self) -> Result<u64> {
        let daemon = self.daemon.as_ref().context("no daemon")?;
        let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|rest| rest.split_whitespace().next());
        Ok(number.context("no VmRSS")?.parse()?)
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        // It goes with its namespaces at the latest.
        let _ = self.stop();
    }
}
