//! Who is at the other end of the control socket, as far as that can be known without asking.
//!
//! The kernel says which Linux user connected, and that cannot be forged; what the client says about itself (the
//! address it came from, its line) is only ever shown, unless the caller is root or the daemon's own user, who could
//! change anything anyway.
//!
//! | caller | without a terminal (`-c`, a pipe) | at a terminal |
//! |---|---|---|
//! | root, the daemon's user | level 15, nothing asked | on the console: what `line console 0` asks; else nothing asked |
//! | a Linux user with a `username` line | that user's level | that user's level, nothing asked: Linux knows who it is |
//! | any other user with access to the socket | level 1 if the line asks nothing, otherwise sent away | what the line asks, otherwise level 1 |
//!
//! `privilege level` of a line is for operators who logged in there and for root: opening a socket is not enough. Above
//! their level all operators go by `enable`; without an enable secret only root can. An unknown caller sits at the console
//! only if its controlling terminal is one.

use isthmus_control::Hello;
use tokio::net::UnixStream;

use crate::operators::{User, printable};
use crate::router::Shared;

/// What is known about a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Peer {
    uid: u32,
    pid: Option<i32>,
}

/// A caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// Root, or the user that the daemon runs as.
    pub(super) trusted: bool,
    /// Sits at the console rather than at a vty.
    pub(super) console: bool,
    /// Is all there is on the machine's own console, as its login shell: no shell of Linux waits for its end.
    pub(super) owns_console: bool,
    /// The Linux user.
    pub(super) uid: Option<u32>,
    /// Who it is and where from.
    pub(super) user: User,
}

impl Caller {
    /// Finds out who connected.
    pub(super) async fn identify(stream: &UnixStream, router: &Shared) -> Origin {
        let peer = stream.peer_cred().ok().map(|peer| Peer {
            uid: peer.uid(),
            pid: peer.pid(),
        });
        let trusted = peer.is_some_and(|peer| router.borrow().trusted_uids.contains(&peer.uid));
        let (name, terminal) = match peer {
            // The name service may be slow; it must not hold up other sessions.
            Some(peer) => tokio::task::spawn_blocking(move || {
                let terminal = peer.pid.map(Terminal::of).unwrap_or_default();
                (linux_name(peer.uid), terminal)
            })
            .await
            .unwrap_or_default(),
            None => (None, Terminal::default()),
        };
        Origin {
            uid: peer.map(|peer| peer.uid),
            trusted,
            terminal,
            name,
        }
    }
}

/// What the kernel says about a caller.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    uid: Option<u32>,
    trusted: bool,
    terminal: Terminal,
    name: Option<String>,
}

impl Origin {
    /// Together with what it says itself.
    pub(super) fn introduced(self, hello: &Hello) -> Caller {
        let mut user = User::new(hello);
        if !self.trusted || user.name.is_none() {
            user.name = self.name.as_deref().map(printable);
        }
        let wants_console = !hello.line.starts_with("vty");
        Caller {
            trusted: self.trusted,
            console: wants_console && (self.trusted || self.terminal.console),
            owns_console: wants_console && self.terminal.console && self.terminal.leader,
            uid: self.uid,
            user,
        }
    }
}

fn linux_name(uid: u32) -> Option<String> {
    let user = nix::unistd::User::from_uid(uid.into()).ok()??;
    Some(user.name)
}

/// What a process's controlling terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Terminal {
    /// The machine's own: a virtual console or a serial line.
    console: bool,
    /// The process leads the session of its terminal, as a login shell does.
    leader: bool,
}

impl Terminal {
    fn of(pid: i32) -> Self {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        Self::read(pid, &stat).unwrap_or_default()
    }

    /// From the text of `/proc/PID/stat`; the command's name in parentheses may hold anything.
    fn read(pid: i32, stat: &str) -> Option<Self> {
        let (_, rest) = stat.rsplit_once(')')?;
        let mut words = rest.split_ascii_whitespace().skip(3);
        let session = words.next()?.parse();
        let device = words.next()?.parse().ok()?;
        Some(Self {
            console: is_console(device),
            leader: session == Ok(pid),
        })
    }
}

/// By the major numbers of the kernel's list of devices: 4 virtual consoles and serial ports, 5 the system console,
/// 188 USB, 204 low-density and 229 hypervisor serial ports.
fn is_console(device: u64) -> bool {
    matches!(device >> 8 & 0xfff, 4 | 5 | 188 | 204 | 229)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_controlling_terminal_is_read_whatever_the_program_is_called() {
        let terminal = |pid, stat| {
            Terminal::read(pid, stat).map(|terminal| (terminal.console, terminal.leader))
        };
        let login_shell = "812 (a) b (c) S 1 812 812 1025 812 4194304 100";
        assert_eq!(terminal(812, login_shell), Some((true, true)), "tty1");
        let under_a_shell = "812 (isthmus) S 700 812 700 1088 812 4194304 100";
        assert_eq!(terminal(812, under_a_shell), Some((true, false)), "ttyS0");
        let over_ssh = "812 (isthmus) S 700 812 812 34816 812 4194304 100";
        assert_eq!(terminal(812, over_ssh), Some((false, true)), "pts/0");
        assert!(!is_console(0), "none");
        assert_eq!(terminal(812, ""), None);
    }

    fn hello(line: &str) -> Hello {
        Hello {
            version: isthmus_control::PROTOCOL_VERSION,
            line: line.into(),
            user: Some("root".into()),
            source: None,
            interactive: true,
        }
    }

    #[test]
    fn an_unknown_caller_is_who_the_kernel_says() {
        let origin = Origin {
            uid: Some(1000),
            trusted: false,
            terminal: Terminal::default(),
            name: Some("bob".into()),
        };
        let caller = origin.clone().introduced(&hello("console"));
        assert_eq!(caller.user.name.as_deref(), Some("bob"));
        assert!(!caller.console && !caller.trusted);
        let terminal = |leader| Terminal {
            console: true,
            leader,
        };
        for leader in [false, true] {
            let at_console = Origin {
                terminal: terminal(leader),
                ..origin.clone()
            };
            let caller = at_console.clone().introduced(&hello("console"));
            assert!(caller.console && caller.owns_console == leader);
            assert!(!at_console.introduced(&hello("vty0")).owns_console);
        }
    }

    #[test]
    fn root_is_believed() {
        let origin = Origin {
            uid: Some(0),
            trusted: true,
            terminal: Terminal::default(),
            name: Some("daemon".into()),
        };
        let caller = origin.clone().introduced(&hello("console"));
        assert_eq!(caller.user.name.as_deref(), Some("root"));
        assert!(caller.console && !origin.introduced(&hello("vty0")).console);
    }
}
