//! Who may open what the daemon makes, whatever the umask it was started with. A program of its own, for the umask is the
//! whole process's.

mod bed;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bed::test;
use isthmus_control::Status;
use isthmusd::machine::directory::{RunDir, make_directory};
use nix::sys::stat::{Mode, umask};

fn mode(path: &Path) -> u32 {
    let data = std::fs::metadata(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    data.permissions().mode() & 0o7777
}

#[test]
fn no_umask_opens_or_closes_what_it_should_not() {
    for mask in [0o000, 0o022, 0o077] {
        let old = umask(Mode::from_bits_truncate(mask));
        test(|bed| async move {
            let folder = bed.folder.path();
            let run = folder.join("run");
            assert_eq!(mode(&run), 0o755, "umask {mask:03o}");
            assert_eq!(mode(&run.join("isthmusd.lock")), 0o600, "umask {mask:03o}");
            assert_eq!(mode(&bed.socket()), 0o660, "umask {mask:03o}");
            let state = folder.join("deep/state");
            make_directory(&state, 0o700).unwrap();
            assert_eq!(mode(&state), 0o700, "umask {mask:03o}");

            let mut console = bed.console().await;
            for line in ["configure terminal", "hostname R1", "end", "write memory"] {
                assert_eq!(console.run(line).await.status, Status::Ok, "{line}");
            }
            let startup = folder.join("startup-config");
            assert_eq!(mode(&startup), 0o600, "umask {mask:03o}");
            assert_eq!(console.run("write memory").await.status, Status::Ok);
            assert_eq!(mode(&folder.join("startup-config.old")), 0o600);
            let done = console
                .answering("copy running-config flash:a.cfg", &[""])
                .await;
            assert_eq!(done.status, Status::Ok, "{}", done.text);
            let flash = folder.join("state/flash");
            assert_eq!(mode(&flash), 0o700, "umask {mask:03o}");
            assert_eq!(mode(&flash.join("a.cfg")), 0o600, "umask {mask:03o}");
        });
        umask(old);
    }
}

#[test]
fn a_directory_that_is_there_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    make_directory(&run, 0o750).unwrap();
    assert_eq!(mode(&run), 0o750);
    let taken = RunDir::take(&run).unwrap();
    assert_eq!(mode(&run), 0o750);
    drop(taken);
}
