//! The tools that network engineers automate IOS routers with, unchanged, through a stock OpenSSH server: netmiko, scrapli,
//! Ansible and the parsers in `make test`, NAPALM, pyATS and Genie in `make test-automation`.
//!
//! Each tool's own part is a file in `tests/automation/`; it says what it saw and ends with an error if that is not what it should be.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::bed::{self, Bed};
use crate::boot;
use crate::lab::{Host, Lab};
use crate::peer::isthmus::startup_config;
use crate::peer::openssh::{self, FORCED_USER, KEY, OPERATOR, OpenSsh, PASSWORD, SHELL_USER};
use crate::peer::{Brand, Isthmus, Link, Tunnel, kernel};

/// What the router asks before level 15.
const ENABLE: &str = "Bourtzi-1473";

/// The router's address as its client knows it.
const ROUTER: &str = "10.0.1.1";

/// The SSH channel itself, netmiko, scrapli, ciscoconfparse2 and ntc-templates.
pub fn automation_tools() -> Result<()> {
    with_router(|bed| {
        let tools = Tools::new(bed, "automation");
        tools.python("channel.py")?;
        tools.python("netmiko_ios.py")?;
        tools.python("login.py")?;
        tools.python("scrapli_iosxe.py")?;
        tools.python("running_config.py")?;
        tools.python("templates.py")?;
        tools.python("json_screens.py")?;
        json_counters(bed)
    })
}

/// The counters in the JSON form of a screen are the kernel's own.
fn json_counters(bed: &Bed<'_>) -> Result<()> {
    bed.raise(1, 2, Duration::from_secs(10))?;
    let text = bed.isthmus(1)?.exec("show crypto ipsec sa | json")?;
    let document: serde_json::Value = serde_json::from_str(&text)?;
    let shown = document["data"]["flows"][0]["sas"].as_array();
    let shown = shown.context("no SAs in the document")?;
    let kernels = kernel::sas(&bed.lab.site(1).router)?;
    ensure!(
        shown.len() == 2 && kernels.len() == 2,
        "two SAs are expected:\n{text}\n{kernels:?}"
    );
    for sa in shown {
        let same = |kernel: &&kernel::Sa| sa["spi"] == kernel.spi;
        let kernel = kernels.iter().find(same);
        let kernel = kernel.with_context(|| format!("the kernel has no SA like {sa}"))?;
        ensure!(
            sa["packets"] == kernel.packets && kernel.packets >= 5,
            "{sa} does not count as the kernel: {kernel:?}"
        );
    }
    Ok(())
}

/// NAPALM and pyATS with unicon and Genie, which `make test-automation` installs.
pub fn automation_heavy() -> Result<()> {
    with_router(|bed| {
        let tools = Tools::new(bed, "automation-heavy");
        tools.python("napalm_ios.py")?;
        let path = ssh_client(&bed.lab.site(1).client)?;
        let python = tools.programs.join("python").display().to_string();
        let file = folder().join("pyats_iosxe.py").display().to_string();
        tools.run("pyats_iosxe.py", "env", &[&path, &python, &file])
    })
}

/// Puts the unpacked ssh client into reach of a tool that starts one, and answers the setting of PATH that finds it.
fn ssh_client(client: &Host) -> Result<String> {
    let layer = openssh::layer().display().to_string();
    let libraries = format!("{layer}/usr/lib/$(uname -m)-linux-gnu");
    let script =
        format!("#!/bin/sh\nLD_LIBRARY_PATH={libraries} exec {layer}/usr/bin/ssh \"$@\"\n");
    client.write("/etc/isthmus-lab/bin/ssh", &script)?;
    client.command("chmod", &["+x", "/etc/isthmus-lab/bin/ssh"])?;
    let path = std::env::var("PATH").unwrap_or_default();
    Ok(format!("PATH=/etc/isthmus-lab/bin:{path}"))
}

/// Ansible with the collection cisco.ios.
pub fn automation_ansible() -> Result<()> {
    with_router(|bed| {
        let tools = Tools::new(bed, "automation");
        let program = tools.programs.join("ansible-playbook");
        let settings = [
            format!("ANSIBLE_CONFIG={}", folder().join("ansible.cfg").display()),
            format!(
                "ANSIBLE_COLLECTIONS_PATH={}",
                boot::lab().join("ansible").display()
            ),
            "ANSIBLE_HOME=/run/ansible".to_owned(),
            "LC_ALL=C.UTF-8".to_owned(),
            program.display().to_string(),
            folder().join("playbook.yml").display().to_string(),
        ];
        let words = settings.iter().map(String::as_str).collect::<Vec<_>>();
        tools.run("ansible-playbook", "env", &words)
    })
}

/// Debian's own scp, which takes no file under another name than it asked for.
pub fn scp_client() -> Result<()> {
    with_router(|bed| {
        let tools = Tools::new(bed, "automation");
        let client = &bed.lab.site(1).client;
        ssh_client(client)?;
        client.write("/run/got/.keep", "")?;
        client.write("/run/sent.txt", "from the client\n")?;
        let copy = |from: &str, to: &str| {
            let layer = openssh::layer().display().to_string();
            let script = format!(
                "LD_LIBRARY_PATH={layer}/usr/lib/$(uname -m)-linux-gnu {layer}/usr/bin/scp -O -S /etc/isthmus-lab/bin/ssh \
                 -i {KEY} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null '{from}' '{to}'"
            );
            tools.run(&format!("scp {from} {to}"), "sh", &["-c", &script])
        };
        let router = format!("{OPERATOR}@{ROUTER}");
        let isthmus = bed.isthmus(1)?;
        isthmus.exec("write memory")?;
        isthmus.exec("show clock | redirect flash:h.txt")?;
        for (asked, comes_as) in [
            ("flash:h.txt", "flash:h.txt"),
            ("flash:/h.txt", "h.txt"),
            ("startup-config", "startup-config"),
            ("nvram:startup-config", "nvram:startup-config"),
            ("running-config", "running-config"),
        ] {
            copy(&format!("{router}:{asked}"), "/run/got/")?;
            let text = client.read(&format!("/run/got/{comes_as}"))?;
            let words = if asked.ends_with(".txt") {
                "UTC"
            } else {
                "hostname R1"
            };
            ensure!(text.contains(words), "{asked}: no '{words}' in\n{text}");
        }
        copy("/run/sent.txt", &format!("{router}:flash:"))?;
        copy("/run/sent.txt", &format!("{router}:flash:other.txt"))?;
        for name in ["flash:sent.txt", "flash:other.txt"] {
            let text = isthmus.exec(&format!("more {name}"))?;
            ensure!(text.contains("from the client"), "{name}: {text}");
        }
        Ok(())
    })
}

/// Two routers with a live tunnel, an OpenSSH server on the first.
pub fn with_router(body: impl FnOnce(&mut Bed<'_>) -> Result<()>) -> Result<()> {
    let layer = openssh::layer();
    let lab = Lab::new(&[vec![&layer], vec![]])?;
    let mut bed = Bed::new(&lab, Vec::new());
    let outcome = start(&lab, &mut bed).and_then(|server| {
        let outcome = body(&mut bed);
        drop(server);
        outcome
    });
    bed::proof(&lab, outcome, &bed)
}

fn start<'lab>(lab: &'lab Lab, bed: &mut Bed<'lab>) -> Result<OpenSsh> {
    let (near, far) = (lab.site(1), lab.site(2));
    openssh::accounts(&near.router)?;
    let inside = "interface GigabitEthernet0/1\n";
    let lines = format!(
        "!\nenable secret 0 {ENABLE}\nusername {OPERATOR} privilege 15 secret 0 {PASSWORD}\nip scp server enable\n"
    );
    let config = startup_config(near, &[Link::new(1, 2, &Tunnel::AES256)])
        .replacen("!\n", &lines, 1)
        .replacen(
            inside,
            &format!("{inside} description towards the client\n"),
            1,
        );
    bed.routers
        .push(Box::new(Isthmus::start(lab, near, &config)?));
    bed.routers
        .push(Brand::Isthmus.start(lab, far, &[Link::new(2, 1, &Tunnel::AES256)])?);
    let server = OpenSsh::start(lab, &near.router)?;
    openssh::authorize(&near.client, &near.router)?;
    bed.raise(1, 2, Duration::from_secs(30))?;
    Ok(server)
}

/// The folder with the tools' parts.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("automation")
}

/// The tools of one virtual environment, run on the client of site 1.
pub struct Tools<'bed, 'lab> {
    bed: &'bed Bed<'lab>,
    programs: PathBuf,
}

impl<'bed, 'lab> Tools<'bed, 'lab> {
    /// Those of one environment.
    pub fn new(bed: &'bed Bed<'lab>, environment: &str) -> Tools<'bed, 'lab> {
        Tools {
            bed,
            programs: boot::lab().join(environment).join("bin"),
        }
    }

    /// Runs one of the files in `tests/automation/`.
    fn python(&self, file: &str) -> Result<()> {
        let program = self.programs.join("python").display().to_string();
        self.run(
            file,
            &program,
            &[&folder().join(file).display().to_string()],
        )
    }

    /// Runs a program on the client and writes what it says into the diary; it must end with 0.
    fn run(&self, what: &str, program: &str, arguments: &[&str]) -> Result<()> {
        self.bed.lab.note(format!("C1 runs {what}"));
        let (text, good) = self.output(program, arguments)?;
        self.bed.lab.note(text);
        ensure!(good, "{what} failed");
        Ok(())
    }

    /// Runs a program on the client with all that it must know of the router in its environment.
    pub fn output(&self, program: &str, arguments: &[&str]) -> Result<(String, bool)> {
        let lab = self.bed.lab;
        let results = lab.results().display().to_string();
        let settings = [
            format!("ROUTER={ROUTER}"),
            format!("SHELL_USER={SHELL_USER}"),
            format!("FORCED_USER={FORCED_USER}"),
            format!("OPERATOR={OPERATOR}"),
            format!("PASSWORD={PASSWORD}"),
            format!("ENABLE={ENABLE}"),
            format!("KEY={KEY}"),
            format!("RESULTS={results}"),
            "HOME=/run".to_owned(),
            "PYTHONDONTWRITEBYTECODE=1".to_owned(),
        ];
        let mut words = settings.iter().map(String::as_str).collect::<Vec<_>>();
        words.push(program);
        words.extend(arguments);
        lab.site(1).client.output("env", &words, "")
    }
}
