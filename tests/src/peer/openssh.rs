//! Debian's OpenSSH server on a router, with the console as login shell of one account and as ForceCommand of another.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::mount::{MsFlags, mount};

use super::{isthmus, tail, unpacked};
use crate::lab::{Host, Lab, wait_for};

/// The account whose login shell is the console.
pub const SHELL_USER: &str = "ann";
/// The account with an ordinary shell that the server's ForceCommand replaces by the console.
pub const FORCED_USER: &str = "ben";
/// The account whose login shell is the console, for a user whom the router knows as an operator.
pub const OPERATOR: &str = "eva";
/// The password of all accounts.
pub const PASSWORD: &str = "Palamidi-1714";
/// Where the client's private key for all accounts lies, on the host that `authorize` was called for.
pub const KEY: &str = "/etc/isthmus-lab/id_ed25519";
/// The group whose members may talk to the daemon.
const GROUP: &str = "isthmus";
/// Where the console lies on the router, below folders that every account may pass.
const CONSOLE: &str = "/etc/isthmus-lab/isthmus";
/// `PASSWORD` as the shadow file has it.
const SHADOW: &str = "$6$Nauplion$AhlP6UlYcMkKcc0BrZt1ogPl5y98AFy.B9aVyEVQ0mJEPO3giaonFYNlfbdn8XaeKDfyEMLPr5WU6a8Uyq/E70";

/// The layer of programs that a router with an OpenSSH server needs.
pub fn layer() -> PathBuf {
    unpacked("openssh")
}

/// A listening sshd.
pub struct OpenSsh {
    child: Child,
}

impl OpenSsh {
    /// Makes the accounts and a host key on `router`, starts sshd there and waits until it listens. The group of the console's
    /// users is there before the daemon starts if `accounts` was called first.
    pub fn start(lab: &Lab, router: &Host) -> Result<OpenSsh> {
        router.command(
            "ssh-keygen",
            &[
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-f",
                "/etc/ssh/ssh_host_ed25519_key",
            ],
        )?;
        router.write("/etc/ssh/sshd_config", &settings())?;
        router.write("/run/sshd/.keep", "")?;
        let log = lab.results().join(format!("{}.sshd.log", router.name()));
        let arguments = ["-D", "-e", "-f", "/etc/ssh/sshd_config"];
        let mut child = router.daemon(Path::new("/usr/sbin/sshd"), &arguments, &[], &log)?;
        wait_for("sshd", Duration::from_secs(20), || {
            if let Some(status) = child.try_wait()? {
                bail!("sshd ended with {status}:\n{}", tail(&log, 20));
            }
            Ok(tail(&log, 20).contains("Server listening").then_some(()))
        })?;
        lab.note(format!("{} sshd listens", router.name()));
        Ok(OpenSsh { child })
    }
}

impl Drop for OpenSsh {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes the accounts, their group and the console's place on a router. To be called before the daemon starts, which gives its
/// socket to the group.
pub fn accounts(router: &Host) -> Result<()> {
    let users = format!(
        "sshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n{SHELL_USER}:x:2001:2001::/:{CONSOLE}\n{FORCED_USER}:x:2002:2002::/:/bin/sh\n\
         {OPERATOR}:x:2003:2003::/:{CONSOLE}\n"
    );
    let shadow = format!(
        "{SHELL_USER}:{SHADOW}:20000:0:99999:7:::\n{FORCED_USER}:{SHADOW}:20000:0:99999:7:::\n\
         {OPERATOR}:{SHADOW}:20000:0:99999:7:::\n"
    );
    let groups = format!(
        "{GROUP}:x:2000:{SHELL_USER},{FORCED_USER},{OPERATOR}\n{SHELL_USER}:x:2001:\n{FORCED_USER}:x:2002:\n{OPERATOR}:x:2003:\n"
    );
    for (file, lines, own) in [
        ("/etc/passwd", users, "sshd:"),
        ("/etc/shadow", shadow, "sshd:"),
        ("/etc/group", groups, "isthmus:"),
    ] {
        let before = router.read(file).unwrap_or_default();
        // A machine with an SSH server or with Isthmus has these already.
        let kept = before.lines().filter(|line| !line.starts_with(own));
        let kept = kept.map(|line| format!("{line}\n")).collect::<String>();
        router.write(file, &(kept + &lines))?;
    }
    router.write(CONSOLE, "")?;
    router.run(|| {
        let console = isthmus::binary("isthmus");
        mount(
            Some(&console),
            CONSOLE,
            None::<&str>,
            MsFlags::MS_BIND,
            None::<&str>,
        )
        .with_context(|| format!("cannot bind {} to {CONSOLE}", console.display()))
    })
}

/// Gives `client` a key that opens all accounts of `router`.
pub fn authorize(client: &Host, router: &Host) -> Result<()> {
    client.write("/etc/isthmus-lab/.keep", "")?;
    client.command("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", KEY])?;
    let public = client.read(&format!("{KEY}.pub"))?;
    router.write("/etc/ssh/authorized_keys", &public)
}

fn settings() -> String {
    format!(
        "HostKey /etc/ssh/ssh_host_ed25519_key\nAuthorizedKeysFile /etc/ssh/authorized_keys\nUsePAM no\nUseDNS no\nPrintMotd no\n\
         PidFile none\nMatch User {FORCED_USER}\n  ForceCommand {CONSOLE}\n"
    )
}
