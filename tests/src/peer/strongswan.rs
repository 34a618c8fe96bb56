//! strongSwan as a peer: charon with an explicit list of plugins, configured by swanctl.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result};

use super::tunnel::{Link, Tunnel};
use super::{Router, kernel, tail};
use crate::lab::{Lab, Site, wait_for};

const SETTINGS: &str = "
charon {
  load = random nonce aes des md5 sha1 sha2 hmac kdf gcm gmp openssl gcrypt kernel-netlink socket-default vici
  retransmit_timeout = 1.0
  retransmit_base = 1.3
  install_routes = no
  filelog {
    stderr {
      default = 1
      ike = 2
      cfg = 2
      time_format = %H:%M:%S
      flush_line = yes
    }
  }
}
swanctl {
  load = random openssl
}
";

/// A running charon.
pub struct Strongswan<'lab> {
    lab: &'lab Lab,
    site: &'lab Site,
    links: Vec<Link>,
    log: PathBuf,
    child: Child,
}

impl<'lab> Strongswan<'lab> {
    /// Addresses the router, writes its configuration, starts charon and waits until its traps are in the kernel.
    pub fn start(lab: &'lab Lab, site: &'lab Site, links: &[Link]) -> Result<Strongswan<'lab>> {
        site.address_router()?;
        site.router.write("/etc/strongswan.conf", SETTINGS)?;
        site.router
            .write("/etc/swanctl/swanctl.conf", &swanctl(site, links))?;
        let log = lab
            .results()
            .join(format!("{}.charon.log", site.router.name()));
        let child = spawn(site, &log)?;
        let mut own = Strongswan {
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
        wait_for("charon's control socket", Duration::from_secs(15), || {
            Ok(self.site.router.exists("/run/charon.vici")?.then_some(()))
        })
        .with_context(|| tail(&self.log, 20))?;
        let text = self.swanctl(&["--load-all"])?;
        self.lab.note(format!(
            "{} strongSwan is up: {}",
            self.site.router.name(),
            text.lines().last().unwrap_or("")
        ));
        let flows = self
            .links
            .iter()
            .map(|link| link.flows.len())
            .sum::<usize>();
        wait_for("strongSwan's policies", Duration::from_secs(10), || {
            Ok((kernel::protecting_policies(&self.site.router)? >= flows).then_some(()))
        })
    }

    fn swanctl(&self, arguments: &[&str]) -> Result<String> {
        self.site.router.command("swanctl", arguments)
    }
}

impl Router for Strongswan<'_> {
    fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        // The kernel's SAs and policies outlive the daemon; a restarted machine has none.
        self.site
            .router
            .ip("xfrm state flush\nxfrm policy flush\n")?;
        self.site
            .router
            .command("rm", &["-f", "/run/charon.vici", "/run/charon.pid"])?;
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.child = spawn(self.site, &self.log)?;
        self.load()
    }

    fn clear(&mut self) -> Result<()> {
        for link in &self.links {
            let name = format!("site{}", link.peer);
            let _ = self.site.router.output(
                "swanctl",
                &["--terminate", "--ike", &name, "--timeout", "5"],
                "",
            )?;
        }
        Ok(())
    }

    fn diagnose(&self) -> String {
        let (sas, _) = self
            .site
            .router
            .output("timeout", &["5", "swanctl", "--list-sas"], "")
            .unwrap_or_default();
        format!(
            "# swanctl --list-sas\n{sas}# charon\n{}",
            tail(&self.log, 60)
        )
    }
}

fn spawn(site: &Site, log: &Path) -> Result<Child> {
    site.router
        .daemon(Path::new("/usr/lib/ipsec/charon"), &[], &[], log)
}

fn swanctl(site: &Site, links: &[Link]) -> String {
    let (mut connections, mut secrets) = (String::new(), String::new());
    for link in links {
        let (own, peer, tunnel) = (
            site.outside(),
            crate::lab::topology::outside(link.peer),
            &link.tunnel,
        );
        let (mode, proposals) = (
            if tunnel.transport {
                "transport"
            } else {
                "tunnel"
            },
            phase_2(tunnel),
        );
        let mut children = String::new();
        for (flow, number) in link.flows.iter().zip(1..) {
            let (local, remote, seconds) = (flow.local, flow.remote, tunnel.seconds);
            let kilobytes = tunnel.kilobytes.map(|limit| {
                format!(
                    "life_bytes = {}\n      rekey_bytes = {}\n",
                    u64::from(limit) * 1024,
                    u64::from(limit) * 900
                )
            });
            children += &format!(
                "    flow{number} {{\n      local_ts = {local}\n      remote_ts = {remote}\n      {proposals}\n      mode = {mode}\n      \
                 life_time = {seconds}s\n      rekey_time = {}s\n      rand_time = 0s\n      start_action = trap\n      dpd_action = trap\n      {}    }}\n",
                seconds * 9 / 10,
                kilobytes.unwrap_or_default(),
            );
        }
        let dpd = tunnel
            .keepalive
            .map(|seconds| format!("dpd_delay = {seconds}s\n  dpd_timeout = {}s\n", 3 * seconds))
            .unwrap_or_default();
        connections += &format!(
            "site{n} {{\n  version = 1\n  local_addrs = {own}\n  remote_addrs = {peer}\n  proposals = {}\n  rekey_time = {}s\n  over_time = {}s\n  rand_time = 0s\n  {dpd}\
             local {{\n    auth = psk\n    id = {own}\n  }}\n  remote {{\n    auth = psk\n    id = {peer}\n  }}\n  children {{\n{children}  }}\n}}\n",
            phase_1(tunnel),
            tunnel.ike_seconds * 9 / 10,
            tunnel.ike_seconds / 10,
            n = link.peer,
        );
        secrets += &format!(
            "ike-site{} {{\n  id = {peer}\n  secret = \"{}\"\n}}\n",
            link.peer, tunnel.key
        );
    }
    format!("connections {{\n{connections}}}\nsecrets {{\n{secrets}}}\n")
}

fn cipher(name: &str, bits: &str) -> String {
    match (name, bits) {
        ("aes", "") => "aes128".to_owned(),
        ("aes", bits) => format!("aes{bits}"),
        ("gmac", "") => "aes128gmac".to_owned(),
        ("gmac", bits) => format!("aes{bits}gmac"),
        ("gcm", "") => "aes128gcm16".to_owned(),
        ("gcm", bits) => format!("aes{bits}gcm16"),
        ("sha" | "ah-sha", _) => "sha1".to_owned(),
        (other, _) => other.trim_start_matches("ah-").to_owned(),
    }
}

fn group(number: u16) -> &'static str {
    match number {
        1 => "modp768",
        2 => "modp1024",
        5 => "modp1536",
        14 => "modp2048",
        15 => "modp3072",
        16 => "modp4096",
        19 => "ecp256",
        20 => "ecp384",
        21 => "ecp521",
        24 => "modp2048s256",
        _ => "unknown",
    }
}

fn phase_1(tunnel: &Tunnel) -> String {
    let (name, bits) = tunnel
        .encryption
        .split_once(' ')
        .unwrap_or((tunnel.encryption, ""));
    format!(
        "{}-{}-{}",
        cipher(name, bits),
        cipher(tunnel.hash, ""),
        group(tunnel.group)
    )
}

fn phase_2(tunnel: &Tunnel) -> String {
    let mut words = tunnel
        .transform_words()
        .iter()
        .map(|(name, bits)| cipher(name, bits))
        .collect::<Vec<_>>();
    if let Some(number) = tunnel.pfs {
        words.push(group(number).to_owned());
    }
    let protocol = if tunnel.has_ah() { "ah" } else { "esp" };
    format!("{protocol}_proposals = {}", words.join("-"))
}
