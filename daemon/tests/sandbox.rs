//! What a thread can and cannot do once it is in the sandbox. Each test has a thread of its own: the sandbox is a thread's.
//! Where this machine's kernel has a part of it not, the line that says so is what is tested.

use std::fs;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use isthmusd::machine::outside::Outside;
use isthmusd::machine::sandbox::{Told, enter, places};
use rustix::net::{AddressFamily, SocketType, socket};

/// Runs on a thread in the sandbox; `own` is what it may write to.
fn inside<T: Send + 'static>(
    own: &std::path::Path,
    look: impl FnOnce(&Told) -> T + Send + 'static,
) -> T {
    let own = vec![own.to_owned()];
    let thread = std::thread::spawn(move || look(&enter(&own)));
    thread.join().unwrap()
}

fn lacks(told: &Told, part: &str) -> bool {
    let without = |text: &str| text.starts_with("Running without") && text.contains(part);
    told.iter().any(|(_, text)| without(text))
}

#[test]
fn files_are_written_in_the_daemons_folders_and_nowhere_else() {
    let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(other.path().join("there"), "text").unwrap();
    let (mine, theirs) = (own.path().to_owned(), other.path().to_owned());
    inside(own.path(), move |told| {
        // What saving does: a file beside, a second name for the old one, the new one in its place.
        fs::write(mine.join("a.new"), "new").unwrap();
        fs::write(mine.join("a"), "old").unwrap();
        fs::hard_link(mine.join("a"), mine.join("a.old")).unwrap();
        fs::rename(mine.join("a.new"), mine.join("a")).unwrap();
        // What the control socket does: made in a folder of its own, then moved.
        fs::create_dir(mine.join("opening")).unwrap();
        UnixDatagram::bind(mine.join("opening/sock")).unwrap();
        fs::rename(mine.join("opening/sock"), mine.join("sock")).unwrap();
        fs::remove_dir(mine.join("opening")).unwrap();
        // Reading is not fenced in.
        assert_eq!(fs::read_to_string(theirs.join("there")).unwrap(), "text");
        let denied = [
            fs::write(theirs.join("new"), "x").err(),
            fs::write(theirs.join("there"), "x").err(),
            fs::remove_file(theirs.join("there")).err(),
            fs::rename(mine.join("a"), theirs.join("a")).err(),
        ];
        if lacks(told, "Landlock") {
            return;
        }
        for error in denied {
            assert_eq!(error.unwrap().kind(), ErrorKind::PermissionDenied);
        }
    });
}

#[test]
fn no_program_runs_and_no_strange_socket_opens() {
    let own = tempfile::tempdir().unwrap();
    inside(own.path(), |told| {
        let run = Command::new("/bin/true").status();
        if !lacks(told, "seccomp") || !lacks(told, "Landlock") {
            assert_eq!(run.unwrap_err().kind(), ErrorKind::PermissionDenied);
        }
        if !lacks(told, "seccomp") {
            let packet = socket(AddressFamily::PACKET, SocketType::RAW, None);
            assert_eq!(packet.unwrap_err(), rustix::io::Errno::PERM);
        }
        // What the router lives on.
        UdpSocket::bind("127.0.0.1:0").unwrap();
        socket(AddressFamily::NETLINK, SocketType::RAW, None).unwrap();
        std::thread::spawn(|| tempfile::tempfile().is_ok())
            .join()
            .unwrap();
    });
}

#[test]
fn capabilities_that_are_not_needed_are_gone_for_good() {
    let own = tempfile::tempdir().unwrap();
    let (status, told) = inside(own.path(), |told| {
        let status = fs::read_to_string("/proc/thread-self/status").unwrap();
        (status, told.clone())
    });
    assert!(!lacks(&told, "capabilities"), "{told:?}");
    let set = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        u64::from_str_radix(line.unwrap().trim(), 16).unwrap()
    };
    // CHOWN, NET_BIND_SERVICE, NET_ADMIN, NET_RAW.
    let needed = 1 << 0 | 1 << 10 | 1 << 12 | 1 << 13;
    for name in ["CapEff:", "CapPrm:", "CapInh:", "CapAmb:"] {
        assert_eq!(set(name) & !needed, 0, "{name} {:x}", set(name));
    }
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
}

#[test]
fn what_belongs_to_another_user_can_still_be_read() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can make a file that belongs to another user");
        return;
    }
    let own = tempfile::tempdir().unwrap();
    let file = own.path().join("startup-config");
    fs::write(&file, "hostname R1\n").unwrap();
    std::os::unix::fs::chown(&file, Some(12345), Some(12345)).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&file, mode).unwrap();
    let read = inside(own.path(), move |_| fs::read_to_string(file));
    assert_eq!(read.unwrap(), "hostname R1\n");
}

#[test]
fn the_thread_outside_is_not_fenced_in() {
    let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = other.path().join("file");
    let outside = Outside::start().unwrap();
    inside(own.path(), move |_| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let work = move || {
            fs::write(&file, "x").unwrap();
            Command::new("/bin/true").status().unwrap().success()
        };
        assert!(runtime.block_on(outside.run(work)).unwrap());
    });
}

#[test]
fn the_folders_are_those_of_the_daemon_and_of_what_its_file_is_a_link_to() {
    let (folder, real) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = folder.path().join("startup-config");
    fs::write(real.path().join("config"), "").unwrap();
    std::os::unix::fs::symlink(real.path().join("config"), &config).unwrap();
    let (state, run) = ("/state".as_ref(), "/run/x".as_ref());
    let real = fs::canonicalize(real.path()).unwrap();
    assert_eq!(
        places(&config, state, run),
        [folder.path(), state, run, &real]
    );
}
