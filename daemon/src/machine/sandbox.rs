//! What the daemon gives up once it has started: capabilities it does not need, writing outside of its own folders
//! (Landlock), system calls that no router needs (seccomp), and ever getting more than it has (no new privileges). Entered
//! by `main` on its one thread; threads that start later inherit it.
//!
//! Nothing of this may make the router fail. What a kernel does not have is said and gone without. System calls are
//! forbidden by name and answered with "operation not permitted": one that is new to us stays allowed, so that no other
//! version of the C library stops the router.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use caps::{CapSet, Capability, CapsHashSet};
use landlock::{
    ABI, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus,
};
use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use crate::log::Severity;

/// XFRM, links, routes; pings; UDP port 500; the group of the control socket.
const NEEDED: [Capability; 4] = [
    Capability::CAP_NET_ADMIN,
    Capability::CAP_NET_RAW,
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_CHOWN,
];
/// Where the kernel's switches of the network are.
const SWITCHES: &str = "/proc/sys/net";
/// The newest Landlock whose rights are named here; an older kernel fences off what it can.
const LANDLOCK: ABI = ABI::V3;

/// What the log is to say of the sandbox.
pub type Told = Vec<(Severity, String)>;

/// Gives up what is not needed. `own` are the folders and files of the daemon: it writes nowhere else.
#[must_use]
pub fn enter(own: &[PathBuf]) -> Told {
    let mut told = Told::new();
    let mut tell = |what: &str, outcome: Result<(), String>| {
        if let Err(why) = outcome {
            told.push((Severity::Warnings, format!("Running without {what}: {why}")));
        }
    };
    tell("giving up capabilities", give_up(own));
    tell(
        "\"no new privileges\"",
        rustix::thread::set_no_new_privs(true).map_err(|error| error.to_string()),
    );
    tell("a fence around files (Landlock)", fence(own));
    tell("a filter of system calls (seccomp)", filter());
    if told.is_empty() {
        let places: Vec<String> = own.iter().map(|path| path.display().to_string()).collect();
        let text = format!(
            "Sandbox in force: capabilities, system calls, files; written to are only {} (--allow-write adds a folder)",
            places.join(", ")
        );
        told.push((Severity::Informational, text));
    }
    told
}

/// What the log says where the sandbox is not wanted.
#[must_use]
pub fn unwanted() -> Told {
    let text = "Running without a sandbox: started with --no-sandbox";
    vec![(Severity::Warnings, text.to_owned())]
}

/// Keeps the capabilities that are needed, as far as they are there.
fn give_up(own: &[PathBuf]) -> Result<(), String> {
    let mut keep = CapsHashSet::from(NEEDED);
    if own.iter().any(|path| is_of_another(path)) {
        // Root without this cannot read what belongs to other users.
        keep.insert(Capability::CAP_DAC_OVERRIDE);
    }
    let set = || -> Result<(), caps::errors::CapsError> {
        let have = caps::read(None, CapSet::Permitted)?;
        let rest: CapsHashSet = have.intersection(&keep).copied().collect();
        for capability in caps::all() {
            if !keep.contains(&capability) {
                // Only who has CAP_SETPCAP may; without it nothing can be gained either.
                let _ = caps::drop(None, CapSet::Bounding, capability);
            }
        }
        caps::clear(None, CapSet::Ambient)?;
        caps::set(None, CapSet::Effective, &rest)?;
        caps::set(None, CapSet::Permitted, &rest)?;
        caps::clear(None, CapSet::Inheritable)
    };
    set().map_err(|error| error.to_string())
}

/// The path belongs to another user than the daemon's, or something directly in it does.
fn is_of_another(path: &Path) -> bool {
    let us = nix::unistd::geteuid().as_raw();
    let other = |path: &Path| fs::metadata(path).is_ok_and(|found| found.uid() != us);
    let within = fs::read_dir(path).into_iter().flatten().flatten();
    other(path) || within.map(|entry| entry.path()).any(|path| other(&path))
}

/// No thread of the daemon writes anywhere but there, or runs a program.
fn fence(own: &[PathBuf]) -> Result<(), String> {
    let write = AccessFs::from_write(LANDLOCK);
    let restrict = || -> Result<RulesetStatus, RulesetError> {
        let mut rules = Ruleset::default()
            // Without this right no file goes from one folder to another, not even below the same one.
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::Refer)?
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(write | AccessFs::Execute)?
            .create()?;
        for path in own {
            // One that is not there cannot be written to either.
            if let Ok(there) = PathFd::new(path) {
                rules = rules.add_rule(PathBeneath::new(there, write))?;
            }
        }
        if let Ok(there) = PathFd::new(SWITCHES) {
            let change = AccessFs::WriteFile | AccessFs::Truncate;
            rules = rules.add_rule(PathBeneath::new(there, change))?;
        }
        Ok(rules.restrict_self()?.ruleset)
    };
    match restrict() {
        Ok(RulesetStatus::NotEnforced) => Err("this kernel does not have it".into()),
        Ok(_) => Ok(()),
        Err(RulesetError::HandleAccesses(_)) => {
            Err("this kernel does not have it, or one older than 5.19".into())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn filter() -> Result<(), String> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    rules.extend(FORBIDDEN.iter().map(|call| (*call, Vec::new())));
    let error = |error: &dyn std::fmt::Display| error.to_string();
    let families = [
        libc::AF_UNIX,
        libc::AF_INET,
        libc::AF_INET6,
        libc::AF_NETLINK,
    ];
    let other = families.map(|family| {
        let (length, family) = (SeccompCmpArgLen::Dword, family.unsigned_abs().into());
        SeccompCondition::new(0, length, SeccompCmpOp::Ne, family)
    });
    let other: Result<Vec<_>, _> = other.into_iter().collect();
    let other = SeccompRule::new(other.map_err(|e| error(&e))?).map_err(|e| error(&e))?;
    rules.insert(libc::SYS_socket, vec![other]);
    let arch = std::env::consts::ARCH.try_into();
    let arch = arch.map_err(|_| "not for this kind of processor".to_owned())?;
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch);
    let program: BpfProgram = filter
        .and_then(TryInto::try_into)
        .map_err(|e: seccompiler::BackendError| error(&e))?;
    seccompiler::apply_filter(&program).map_err(|e| error(&e))
}

/// System calls that no thread inside needs, and that an intruder would.
const FORBIDDEN: &[i64] = &[
    // Other programs, other processes.
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_kcmp,
    libc::SYS_pidfd_getfd,
    // Another user, another view of the system.
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_mknodat,
    libc::SYS_personality,
    // The kernel and the machine.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
];

/// The folders and files of the daemon, with what its startup-config is a symbolic link to.
#[must_use]
pub fn places(config: &Path, state: &Path, run: &Path) -> Vec<PathBuf> {
    let folder = |path: &Path| {
        let parent = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        parent.map_or_else(|| PathBuf::from("."), Path::to_owned)
    };
    let mut all = vec![folder(config), state.to_owned(), run.to_owned()];
    all.extend(fs::canonicalize(config).map(|path| folder(&path)));
    all
}
