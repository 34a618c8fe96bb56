//! Isthmus as a router of the lab: writes a startup-config, runs `isthmusd`, and types at its console.

use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::tunnel::Link;
use super::{Router, tail};
use crate::lab::{Lab, Site, wait_for};

/// A running `isthmusd` and the way to its console.
pub struct Isthmus<'lab> {
    lab: &'lab Lab,
    site: &'lab Site,
    child: Child,
}

impl<'lab> Isthmus<'lab> {
    /// Writes `config` as startup-config, starts the daemon and waits for its console.
    pub fn start(lab: &'lab Lab, site: &'lab Site, config: &str) -> Result<Isthmus<'lab>> {
        site.router.write(CONFIG, config)?;
        // A machine that is no router yet.
        site.router.write("/proc/sys/net/ipv4/ip_forward", "0")?;
        let child = spawn(lab, site)?;
        let mut own = Isthmus { lab, site, child };
        own.ready()?;
        Ok(own)
    }

    fn ready(&mut self) -> Result<()> {
        wait_for("isthmusd's control socket", Duration::from_secs(60), || {
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "isthmusd ended with {status}:\n{}",
                    tail(&log(self.lab, self.site), 30)
                );
            }
            let (_, good) = self.typed("show clock")?;
            Ok(good.then_some(()))
        })
        .with_context(|| tail(&log(self.lab, self.site), 30))?;
        self.lab
            .note(format!("{} isthmusd is up", self.site.router.name()));
        Ok(())
    }

    /// The name of the router it runs on.
    pub fn name(&self) -> &str {
        self.site.router.name()
    }

    fn typed(&self, command: &str) -> Result<(String, bool)> {
        self.answering(&[command])
    }

    /// Types one privileged EXEC command and after it the answers to what it asks; tells what the console shows, and
    /// whether all went well.
    pub fn answering(&self, lines: &[&str]) -> Result<(String, bool)> {
        let console = binary("isthmus");
        let mut arguments = vec!["--socket", SOCKET];
        arguments.extend(lines.iter().flat_map(|line| ["-c", line]));
        self.site
            .router
            .output(&console.display().to_string(), &arguments, "")
    }

    /// Types one privileged EXEC command and answers what the console shows.
    pub fn exec(&self, command: &str) -> Result<String> {
        let (text, good) = self.typed(command)?;
        if !good {
            bail!("{}: '{command}' failed:\n{text}", self.site.router.name());
        }
        Ok(text)
    }

    /// As `exec`, and writes the command and the screen into the scenario's diary.
    pub fn show(&self, command: &str) -> Result<String> {
        let text = self.exec(command)?;
        self.lab
            .note(format!("{}#{command}\n{text}", self.site.router.name()));
        Ok(text)
    }

    /// Pastes lines in configuration mode, and answers what the console printed.
    pub fn configure(&self, lines: &str) -> Result<String> {
        let console = binary("isthmus");
        let input = format!("configure terminal\n{lines}\nend\n");
        let (text, good) = self.site.router.output(
            &console.display().to_string(),
            &["--socket", SOCKET],
            &input,
        )?;
        self.lab.note(format!(
            "{}(config)#{lines}\n{text}",
            self.site.router.name()
        ));
        // Notes of the console begin with a percent sign too.
        let refusals = ["% Invalid", "% Incomplete", "% Ambiguous", "% Unknown"];
        if !good || refusals.iter().any(|words| text.contains(words)) {
            bail!(
                "{}: configuring\n{lines}\nfailed:\n{text}",
                self.site.router.name()
            );
        }
        Ok(text)
    }

    /// The daemon's log so far.
    pub fn log(&self) -> String {
        tail(&log(self.lab, self.site), usize::MAX)
    }

    /// Asks a screen again and again until it holds `words`, for at most `limit`; answers the screen.
    pub fn wait_to_show(&self, command: &str, words: &str, limit: Duration) -> Result<String> {
        let mut last = String::new();
        wait_for(
            &format!("'{words}' in '{command}' of {}", self.site.router.name()),
            limit,
            || {
                last = self.exec(command)?;
                Ok(last.contains(words).then(|| last.clone()))
            },
        )
        .with_context(|| format!("the last screen was\n{last}"))
    }

    /// The values after `label` in `show crypto ipsec sa`, one for each flow: `#pkts encaps:` and the like.
    pub fn counters(&self, label: &str) -> Result<Vec<u64>> {
        let screen = self.exec("show crypto ipsec sa")?;
        let after = screen.split(label).skip(1);
        Ok(after
            .filter_map(|rest| {
                rest.trim_start()
                    .split(|letter: char| !letter.is_ascii_digit())
                    .next()?
                    .parse()
                    .ok()
            })
            .collect())
    }
}

impl Router for Isthmus<'_> {
    fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn terminate(&mut self) -> Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.child.id())?);
        kill(pid, Signal::SIGTERM)?;
        self.child.wait()?;
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.child = spawn(self.lab, self.site)?;
        self.ready()
    }

    fn clear(&mut self) -> Result<()> {
        self.exec("clear crypto session").map(drop)
    }

    fn diagnose(&self) -> String {
        let mut text = String::new();
        for command in [
            "show crypto isakmp sa detail",
            "show crypto session detail",
            "show crypto ipsec sa",
            "show running-config",
        ] {
            let (screen, _) = self.typed(command).unwrap_or_default();
            text += &format!("{}#{command}\n{screen}\n", self.site.router.name());
        }
        format!("{text}# isthmusd\n{}", tail(&log(self.lab, self.site), 80))
    }

    fn isthmus(&self) -> Option<&Isthmus<'_>> {
        Some(self)
    }
}

/// Where the startup-config lies on the router.
pub const CONFIG: &str = "/etc/isthmus/startup-config";
/// The run folder.
pub const RUN: &str = "/run/isthmus";
const SOCKET: &str = "/run/isthmus/isthmusd.sock";
/// The state folder.
pub const STATE: &str = "/var/lib/isthmus";

/// A program of the product, built into the same folder as this one.
pub fn binary(name: &str) -> PathBuf {
    std::env::current_exe()
        .unwrap_or_default()
        .with_file_name(name)
}

fn log(lab: &Lab, site: &Site) -> PathBuf {
    lab.results()
        .join(format!("{}.isthmusd.log", site.router.name()))
}

fn spawn(lab: &Lab, site: &Site) -> Result<Child> {
    let arguments = [
        "--config",
        CONFIG,
        "--run-dir",
        RUN,
        "--state-dir",
        STATE,
        "--log-level",
        "debugging",
    ];
    site.router
        .daemon(&binary("isthmusd"), &arguments, &[], &log(lab, site))
}

/// The startup-config for a site whose router has these links: one ISAKMP policy, one map named VPN on the outside interface.
pub fn startup_config(site: &Site, links: &[Link]) -> String {
    let n = site.number;
    let mut policies = Vec::<String>::new();
    let (mut keys, mut sets, mut map, mut lists) =
        (String::new(), String::new(), String::new(), String::new());
    let mut sequence = 0;
    for link in links {
        let (tunnel, peer) = (&link.tunnel, crate::lab::topology::outside(link.peer));
        let policy = format!(
            " encryption {}\n hash {}\n authentication pre-share\n group {}\n lifetime {}\n",
            tunnel.encryption, tunnel.hash, tunnel.group, tunnel.ike_seconds
        );
        if !policies.contains(&policy) {
            policies.push(policy);
        }
        keys += &format!("crypto isakmp key {} address {peer}\n", tunnel.key);
        if let (Some(seconds), false) = (tunnel.keepalive, keys.contains("keepalive")) {
            keys += &format!("crypto isakmp keepalive {seconds} 2 periodic\n");
        }
        let mode = if tunnel.transport {
            "transport"
        } else {
            "tunnel"
        };
        sets += &format!(
            "crypto ipsec transform-set TS{} {}\n mode {mode}\n",
            link.peer, tunnel.transforms
        );
        for flow in &link.flows {
            sequence += 10;
            map += &format!(
                "crypto map VPN {sequence} ipsec-isakmp\n set peer {peer}\n set transform-set TS{}\n",
                link.peer
            );
            if let Some(group) = tunnel.pfs {
                map += &format!(" set pfs group{group}\n");
            }
            if tunnel.seconds != 3600 {
                map += &format!(
                    " set security-association lifetime seconds {}\n",
                    tunnel.seconds
                );
            }
            if let Some(limit) = tunnel.kilobytes {
                map += &format!(" set security-association lifetime kilobytes {limit}\n");
            }
            map += &format!(" match address FLOW{sequence}\n");
            lists += &format!(
                "ip access-list extended FLOW{sequence}\n permit ip {} {}\n",
                flow.local.wildcard(),
                flow.remote.wildcard()
            );
        }
    }
    let policies = policies
        .iter()
        .zip(1..)
        .map(|(policy, number)| format!("crypto isakmp policy {}\n{policy}", 10 * number))
        .collect::<String>();
    format!(
        "hostname R{n}\n!\nlogging buffered debugging\n!\n{policies}{keys}!\n{sets}!\n{map}!\n\
         interface GigabitEthernet0/0\n ip address 100.64.{n}.2 255.255.255.0\n crypto map VPN\n no shutdown\n!\n\
         interface GigabitEthernet0/1\n ip address 10.0.{n}.1 255.255.255.0\n no shutdown\n!\n\
         ip route 0.0.0.0 0.0.0.0 100.64.{n}.1\n!\n{lists}!\nend\n"
    )
}
