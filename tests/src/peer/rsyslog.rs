//! Debian's rsyslog as syslog server, with its parsers for IOS and for RFC 5424.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{tail, unpacked};
use crate::lab::{Host, Lab, wait_for};

const PATIENCE: Duration = Duration::from_secs(40);
const CONFIG: &str = "/etc/isthmus-lab/rsyslog.conf";
const FOLDER: &str = "/run/rsyslog";

/// The layer of programs that a host with an rsyslog needs.
pub fn layer() -> PathBuf {
    unpacked("rsyslog")
}

/// A running rsyslog with two files of facts, one for each form of messages.
pub struct Rsyslog<'lab> {
    host: &'lab Host,
    child: Child,
}

impl<'lab> Rsyslog<'lab> {
    /// Starts it and waits until it listens: IOS messages on UDP 5514 and TCP 5601, those of RFC 5424 on 6514 and 6601.
    pub fn start(lab: &Lab, host: &'lab Host) -> Result<Rsyslog<'lab>> {
        host.write(CONFIG, &settings())?;
        host.write(&format!("{FOLDER}/.keep"), "")?;
        let log = lab.results().join(format!("{}.rsyslog.log", host.name()));
        let modules = modules()?;
        let arguments = ["-n", "-x", "-f", CONFIG, "-i", "NONE", "-M", &modules];
        let child = host.daemon(Path::new("/usr/sbin/rsyslogd"), &arguments, &[], &log)?;
        let mut own = Rsyslog { host, child };
        wait_for("rsyslog", PATIENCE, || {
            if let Some(status) = own.child.try_wait()? {
                bail!("rsyslogd ended with {status}:\n{}", tail(&log, 20));
            }
            let (sockets, _) = host.output("cat", &["/proc/net/tcp"], "")?;
            // 6601, listening.
            let listens = |line: &str| line.contains(":19C9 ") && line.contains(" 0A ");
            Ok(sockets.lines().any(listens).then_some(()))
        })?;
        lab.note(format!("{} rsyslog listens", host.name()));
        Ok(own)
    }

    /// Waits for a line with all of these words in one of the files.
    pub fn wait_for(&self, file: &str, words: &[&str]) -> Result<()> {
        let path = format!("{FOLDER}/{file}.log");
        wait_for(&format!("{words:?} in {path}"), PATIENCE, || {
            let text = self.host.read(&path).unwrap_or_default();
            let all = |line: &str| words.iter().all(|word| line.contains(word));
            Ok(text.lines().any(all).then_some(()))
        })
        .with_context(|| self.host.read(&path).unwrap_or_default())
    }
}

impl Drop for Rsyslog<'_> {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder of rsyslog's modules on the host, which has the machine's architecture in it.
fn modules() -> Result<String> {
    let libraries = unpacked("rsyslog").join("usr/lib");
    for entry in std::fs::read_dir(&libraries)? {
        let entry = entry?;
        if entry.path().join("rsyslog/imtcp.so").exists() {
            return Ok(format!(
                "/usr/lib/{}/rsyslog",
                entry.file_name().to_string_lossy()
            ));
        }
    }
    bail!("no rsyslog modules below {}", libraries.display())
}

fn settings() -> String {
    let facts = "%inputname%|%pri%|%protocol-version%|%hostname%|%app-name%|%msgid%|%structured-data%|%msg%\\n";
    let mut text = format!(
        "global(workDirectory=\"{FOLDER}\")\nmodule(load=\"imudp\")\nmodule(load=\"imtcp\")\nmodule(load=\"pmciscoios\")\n\
         parser(name=\"ios\" type=\"pmciscoios\")\ntemplate(name=\"facts\" type=\"string\" string=\"{facts}\")\n"
    );
    for (file, parser, udp, tcp) in [
        ("ios", "ios", 5514, 5601),
        ("rfc5424", "rsyslog.rfc5424", 6514, 6601),
    ] {
        text += &format!(
            "ruleset(name=\"{file}\" parser=\"{parser}\") {{ action(type=\"omfile\" file=\"{FOLDER}/{file}.log\" \
             template=\"facts\") }}\ninput(type=\"imudp\" port=\"{udp}\" ruleset=\"{file}\")\n\
             input(type=\"imtcp\" port=\"{tcp}\" ruleset=\"{file}\")\n"
        );
    }
    text
}
