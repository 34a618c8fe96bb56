//! Loads kernel modules without modprobe, which the guest may not have. Called by `guest.rs` at start.

use std::collections::{HashMap, HashSet};
use std::ffi::CString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::kmod::{ModuleInitFlags, finit_module};

/// Everything the scenarios' kernels need. Loaded at start so that no request waits for the kernel to call modprobe.
pub const LAB_MODULES: &[&str] = &[
    "ipv6",
    "veth",
    "dummy",
    "tun",
    "xfrm_user",
    "esp4",
    "ah4",
    "xfrm4_tunnel",
    "ipcomp",
    "esp6",
    "ah6",
    "authenc",
    "authencesn",
    "echainiv",
    "seqiv",
    "cbc",
    "ctr",
    "gcm",
    "ghash-generic",
    "ccm",
    "cmac",
    "hmac",
    "md5",
    "sha512_generic",
    "des_generic",
    "xcbc",
    "chacha20poly1305",
    "drbg",
    "jitterentropy_rng",
    "ip_tables",
    "iptable_raw",
    "iptable_nat",
    "iptable_mangle",
    "iptable_filter",
    "xt_MASQUERADE",
    "xt_nat",
    "nf_nat",
    "nf_conntrack",
    "xt_tcpudp",
    "xt_policy",
    "sch_netem",
    "af_packet",
];

/// The modules of one kernel release, by name.
pub struct Modules {
    folder: PathBuf,
    paths: HashMap<String, (String, Vec<String>)>,
    loaded: HashSet<String>,
}

impl Modules {
    /// Reads `modules.dep` of `folder`.
    pub fn read(folder: &Path) -> Result<Modules> {
        let list = folder.join("modules.dep");
        let text =
            fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
        let mut paths = HashMap::new();
        for line in text.lines() {
            let Some((path, needs)) = line.split_once(':') else {
                continue;
            };
            let needs = needs.split_whitespace().map(str::to_owned).collect();
            paths.insert(name_of(path), (path.to_owned(), needs));
        }
        Ok(Modules {
            folder: folder.to_owned(),
            paths,
            loaded: HashSet::new(),
        })
    }

    /// Loads one module and what it needs. A name that is not a module of this kernel is taken as built in.
    pub fn load(&mut self, name: &str) -> Result<()> {
        let name = name.replace('-', "_");
        if !self.loaded.insert(name.clone()) {
            return Ok(());
        }
        let Some((path, needs)) = self.paths.get(&name).cloned() else {
            return Ok(());
        };
        for need in needs.iter().rev() {
            self.load(&name_of(need))?;
        }
        let file = File::open(self.folder.join(&path))
            .with_context(|| format!("cannot open module {path}"))?;
        match insert(&file) {
            // The kernel does without this source of randomness.
            Err(Errno::EFAULT) if name == TIMED => Ok(()),
            other => other.with_context(|| format!("cannot load module {path}")),
        }
    }
}

/// Tests the clock when it is loaded, which fails with EFAULT now and then on a busy machine.
const TIMED: &str = "jitterentropy_rng";
/// So often a module may fail its own test.
const ATTEMPTS: usize = 10;

fn insert(file: &File) -> nix::Result<()> {
    let mut attempt = 1;
    loop {
        match finit_module(file, &CString::default(), ModuleInitFlags::empty()) {
            Ok(()) | Err(Errno::EEXIST) => return Ok(()),
            Err(Errno::EFAULT) if attempt < ATTEMPTS => thread::sleep(Duration::from_millis(50)),
            Err(error) => return Err(error),
        }
        attempt += 1;
    }
}

fn name_of(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split(".ko").next().unwrap_or(file).replace('-', "_")
}
