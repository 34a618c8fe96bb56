//! libreswan as a peer: pluto, with its key database made on the spot.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result};

use super::tunnel::{Link, Tunnel};
use super::{Router, kernel, tail};
use crate::lab::{Lab, Site, wait_for};

const TOOLS: &str = "/usr/libexec/ipsec";

/// A running pluto.
pub struct Libreswan<'lab> {
    lab: &'lab Lab,
    site: &'lab Site,
    links: Vec<Link>,
    log: PathBuf,
    child: Child,
}

impl<'lab> Libreswan<'lab> {
    /// Addresses the router, writes its configuration, starts pluto and waits until its traps are in the kernel.
    pub fn start(lab: &'lab Lab, site: &'lab Site, links: &[Link]) -> Result<Libreswan<'lab>> {
        site.address_router()?;
        let router = &site.router;
        router.write("/etc/ipsec.conf", &ipsec_conf(site, links))?;
        router.write("/etc/ipsec.secrets", &secrets(site, links))?;
        router.command(
            "mkdir",
            &["-p", "/run/pluto", "/var/lib/ipsec/nss", "/etc/ipsec.d"],
        )?;
        router.command(
            "certutil",
            &["-N", "-d", "sql:/var/lib/ipsec/nss", "--empty-password"],
        )?;
        let log = lab.results().join(format!("{}.pluto.log", router.name()));
        let child = spawn(site, &log)?;
        let mut own = Libreswan {
            lab,
            site,
            links: links.to_vec(),
            log,
            child,
        };
        own.load()?;
        Ok(own)
    }

    fn load(&mut self) -> Result<()> {
        wait_for("pluto's control socket", Duration::from_secs(20), || {
            Ok(self
                .site
                .router
                .exists("/run/pluto/pluto.ctl")?
                .then_some(()))
        })
        .with_context(|| tail(&self.log, 20))?;
        let text = self
            .site
            .router
            .command(&format!("{TOOLS}/addconn"), &["--autoall"])?;
        self.lab.note(format!(
            "{} libreswan is up {}",
            self.site.router.name(),
            text.trim()
        ));
        let flows = self
            .links
            .iter()
            .map(|link| link.flows.len())
            .sum::<usize>();
        wait_for("libreswan's policies", Duration::from_secs(10), || {
            Ok((kernel::protecting_policies(&self.site.router)? >= flows).then_some(()))
        })
        .with_context(|| tail(&self.log, 20))
    }

    fn whack(&self, arguments: &[&str]) -> Result<String> {
        Ok(self
            .site
            .router
            .output(&format!("{TOOLS}/whack"), arguments, "")?
            .0)
    }
}

impl Router for Libreswan<'_> {
    fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        self.site
            .router
            .ip("xfrm state flush\nxfrm policy flush\n")?;
        self.site.router.command(
            "rm",
            &["-f", "/run/pluto/pluto.ctl", "/run/pluto/pluto.pid"],
        )?;
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.child = spawn(self.site, &self.log)?;
        self.load()
    }

    fn clear(&mut self) -> Result<()> {
        for link in &self.links {
            for number in 1..=link.flows.len() {
                // Taking a connection down also takes its trap away; put it back.
                let name = format!("site{}-flow{number}", link.peer);
                self.whack(&["--name", &name, "--terminate"])?;
                self.whack(&["--name", &name, "--route"])?;
            }
        }
        Ok(())
    }

    fn diagnose(&self) -> String {
        let status = self.whack(&["--trafficstatus"]).unwrap_or_default();
        format!(
            "# whack --trafficstatus\n{status}# pluto\n{}",
            tail(&self.log, 60)
        )
    }
}

fn spawn(site: &Site, log: &Path) -> Result<Child> {
    site.router.daemon(
        &Path::new(TOOLS).join("pluto"),
        &["--config", "/etc/ipsec.conf", "--nofork", "--stderrlog"],
        &[],
        log,
    )
}

fn ipsec_conf(site: &Site, links: &[Link]) -> String {
    let mut text = "config setup\n  ikev1-policy=accept\n".to_owned();
    for link in links {
        let (own, peer, tunnel) = (
            site.outside(),
            crate::lab::topology::outside(link.peer),
            &link.tunnel,
        );
        for (flow, number) in link.flows.iter().zip(1..) {
            text += &format!(
                "conn site{}-flow{number}\n  ikev2=no\n  authby=secret\n  left={own}\n  right={peer}\n",
                link.peer
            );
            if tunnel.transport {
                text += "  type=transport\n";
            } else {
                text += &format!(
                    "  type=tunnel\n  leftsubnet={}\n  rightsubnet={}\n",
                    flow.local, flow.remote
                );
            }
            text += &format!("  ike={}\n  {}\n", phase_1(tunnel), phase_2(tunnel));
            text += &format!(
                "  ikelifetime={}s\n  salifetime={}s\n  rekeymargin={}s\n  rekeyfuzz=0%\n",
                tunnel.ike_seconds,
                tunnel.seconds,
                (tunnel.seconds / 10).min(60)
            );
            if let Some(seconds) = tunnel.keepalive {
                text += &format!(
                    "  dpddelay={seconds}\n  dpdtimeout={}\n  dpdaction=hold\n",
                    3 * seconds
                );
            }
            text += "  auto=ondemand\n";
        }
    }
    text
}

fn secrets(site: &Site, links: &[Link]) -> String {
    links
        .iter()
        .map(|link| {
            format!(
                "{} {} : PSK \"{}\"\n",
                site.outside(),
                crate::lab::topology::outside(link.peer),
                link.tunnel.key
            )
        })
        .collect()
}

fn algorithm(name: &str, bits: &str) -> String {
    match (name, bits) {
        ("aes", "") => "aes128".to_owned(),
        ("aes", bits) => format!("aes{bits}"),
        ("gcm", "") => "aes_gcm128".to_owned(),
        ("gcm", bits) => format!("aes_gcm{bits}"),
        ("sha" | "ah-sha", _) => "sha1".to_owned(),
        ("sha256" | "ah-sha256", _) => "sha2_256".to_owned(),
        ("sha384" | "ah-sha384", _) => "sha2_384".to_owned(),
        ("sha512" | "ah-sha512", _) => "sha2_512".to_owned(),
        (other, _) => other.trim_start_matches("ah-").to_owned(),
    }
}

fn group(number: u16) -> String {
    match number {
        5 => "modp1536".to_owned(),
        14 => "modp2048".to_owned(),
        15 => "modp3072".to_owned(),
        16 => "modp4096".to_owned(),
        other => format!("dh{other}"),
    }
}

fn phase_1(tunnel: &Tunnel) -> String {
    let (name, bits) = tunnel
        .encryption
        .split_once(' ')
        .unwrap_or((tunnel.encryption, ""));
    format!(
        "{}-{};{}",
        algorithm(name, bits),
        algorithm(tunnel.hash, ""),
        group(tunnel.group)
    )
}

fn phase_2(tunnel: &Tunnel) -> String {
    let words = tunnel
        .transform_words()
        .iter()
        .map(|(name, bits)| algorithm(name, bits))
        .collect::<Vec<_>>()
        .join("-");
    let (protocol, pfs) = (
        if tunnel.has_ah() { "ah" } else { "esp" },
        tunnel.pfs.map(|number| format!(";{}", group(number))),
    );
    format!(
        "phase2={protocol}\n  {protocol}={words}{}\n  pfs={}",
        pfs.as_deref().unwrap_or(""),
        if pfs.is_some() { "yes" } else { "no" }
    )
}
