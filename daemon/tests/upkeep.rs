//! What happens to configurations: files, differences, archives, replacing and rolling back, the lock, reloads. Through
//! the control socket, as operators do it.

use std::cell::RefCell;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use isthmus_control::stream::{FrameReader, write_request};
use isthmus_control::{Hello, PROTOCOL_VERSION, Reply, Request, SOCKET_NAME, Status};
use isthmus_grammar::Mode;
use isthmus_kernel::Kernel;
use isthmusd::clock::Clock;
use isthmusd::control::{self, RunDir};
use isthmusd::interfaces::{InterfaceMap, InterfaceTable};
use isthmusd::log::{Console, Log, Severity};
use isthmusd::router::{Files, Router, Shared};
use isthmusd::session::scp::Programs;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::LocalSet;

/// Everything takes far less; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// A router with a control socket, all in a folder that outlives it.
struct Bed {
    router: Shared,
    _run_dir: RunDir,
    folder: PathBuf,
}

fn router(folder: &Path) -> Router {
    let (kernel, _events, _fake) = Kernel::fake();
    let clock = Clock::system();
    let log = Log::new(clock.clone(), Console::Nowhere, Severity::Debugging);
    let files = Files {
        config: folder.join("startup-config"),
        state: folder.join("state"),
    };
    let table = InterfaceTable::new(InterfaceMap::default());
    let mut router = Router::new(clock, log, files, kernel, table);
    router.boot().unwrap();
    router
}

impl Bed {
    fn new(folder: &Path) -> Self {
        let router = Rc::new(RefCell::new(router(folder)));
        let run_dir = RunDir::take(&folder.join("run")).unwrap();
        let listener = run_dir.listen().unwrap();
        tokio::task::spawn_local(control::serve(listener, router.clone()));
        Self {
            router,
            _run_dir: run_dir,
            folder: folder.to_owned(),
        }
    }

    async fn operator(&self, name: &str) -> Operator {
        let stream = UnixStream::connect(self.folder.join("run").join(SOCKET_NAME));
        let (read, write) = stream.await.unwrap().into_split();
        let mut operator = Operator {
            reader: FrameReader::replies(read),
            writer: write,
            heard: Vec::new(),
            questions: Vec::new(),
        };
        let hello = Hello {
            version: PROTOCOL_VERSION,
            line: "vty0".into(),
            user: Some(name.into()),
            source: None,
            interactive: false,
        };
        operator.send(Request::Hello(hello)).await;
        while !matches!(operator.next().await, Reply::Welcome(_)) {}
        operator
    }

    fn flash(&self, name: &str) -> PathBuf {
        self.folder.join("state/flash").join(name)
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.flash("")).unwrap();
        std::fs::write(self.flash(name), text).unwrap();
    }

    fn log(&self) -> String {
        let router = self.router.borrow();
        router.log.buffer().lines().collect::<Vec<_>>().join("\n")
    }
}

/// Somebody at a console.
struct Operator {
    reader: FrameReader<OwnedReadHalf, Reply>,
    writer: OwnedWriteHalf,
    /// Lines that came without being asked for.
    heard: Vec<String>,
    /// Questions of the last command.
    questions: Vec<String>,
}

impl Operator {
    async fn send(&mut self, request: Request) {
        write_request(&mut self.writer, &request).await.unwrap();
    }

    async fn next(&mut self) -> Reply {
        let reply = tokio::time::timeout(PATIENCE, self.reader.next()).await;
        reply.unwrap().unwrap().unwrap()
    }

    /// Types a line and answers what is asked: the text, the status and the mode after it.
    async fn type_in(&mut self, line: &str, answers: &[&str]) -> (String, Status, Mode) {
        self.send(Request::Exec { line: line.into() }).await;
        let (mut text, mut answers) = (String::new(), answers.iter());
        self.questions.clear();
        loop {
            match self.next().await {
                Reply::Output { text: more } => text.push_str(&more),
                Reply::Ask { prompt, .. } => {
                    let answer = answers.next();
                    let answer = answer.unwrap_or_else(|| panic!("{line}: {prompt}"));
                    self.questions.push(prompt);
                    let text = (*answer).to_owned();
                    self.send(Request::Answer { text }).await;
                }
                Reply::Done { status, mode, .. } => return (text, status, mode),
                Reply::Log { text } => self.heard.push(text),
                Reply::Access(_) | Reply::Terminal(_) => {}
                other => panic!("{line}: {other:?}"),
            }
        }
    }

    /// A line that is obeyed without a question.
    async fn run(&mut self, line: &str) -> String {
        let (text, status, _) = self.type_in(line, &[]).await;
        assert_eq!(status, Status::Ok, "{line}: {text}");
        text
    }

    /// A line that is refused or fails.
    async fn fails(&mut self, line: &str) -> String {
        let (text, status, _) = self.type_in(line, &[]).await;
        assert_ne!(status, Status::Ok, "{line}: {text}");
        text
    }

    async fn configure(&mut self, lines: &str) {
        self.run("configure terminal").await;
        for line in lines.lines() {
            self.run(line).await;
        }
        self.run("end").await;
    }
}

fn test<F: Future<Output = ()>>(body: impl FnOnce(Bed) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        let bed = Bed::new(folder.path());
        tokio::time::timeout(PATIENCE, body(bed)).await.unwrap();
    });
}

#[test]
fn files_are_copied_listed_shown_and_removed() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        ann.configure("hostname R1").await;
        let (text, status, _) = ann.type_in("copy running-config flash:", &["a.cfg"]).await;
        assert_eq!(status, Status::Ok, "{text}");
        assert_eq!(ann.questions, ["Destination filename [running-config]? "]);
        assert!(text.contains(" bytes copied in "), "{text}");
        let mode = std::fs::metadata(bed.flash("a.cfg"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(
            ann.run("more flash:/a.cfg")
                .await
                .contains("\nhostname R1\n")
        );
        assert!(ann.run("dir").await.contains("  a.cfg\n"));
        assert!(
            ann.run("dir flash:/a.cfg")
                .await
                .starts_with("Directory of flash:/a.cfg\n")
        );
        let (text, status, _) = ann.type_in("copy startup-config a.cfg", &["", "n"]).await;
        assert_eq!((text.as_str(), status), ("", Status::Failed));
        assert!(
            ann.questions[1].contains("over write? [confirm]"),
            "{:?}",
            ann.questions
        );
        ann.type_in("rename a.cfg b.cfg", &[""]).await;
        let (_, status, _) = ann.type_in("delete flash:b.cfg", &["", "y"]).await;
        assert_eq!(status, Status::Ok);
        assert_eq!(
            ann.questions,
            [
                "Delete filename [b.cfg]? ",
                "Delete flash:/b.cfg? [confirm]"
            ]
        );
        assert_eq!(
            ann.fails("more b.cfg").await,
            "%Error opening flash:/b.cfg (No such file or directory)\n"
        );
        assert_eq!(
            ann.fails("dir flash:/b.cfg").await,
            "%Error opening flash:/b.cfg (No such file or directory)\n"
        );
    });
}

#[test]
fn quiet_files_ask_nothing() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        ann.configure("file prompt quiet").await;
        assert!(
            ann.run("show running-config")
                .await
                .contains("\nfile prompt quiet\n")
        );
        ann.run("copy running-config flash:a.cfg").await;
        ann.run("copy running-config flash:a.cfg").await;
        ann.run("copy null: flash:empty").await;
        assert_eq!(std::fs::read(bed.flash("empty")).unwrap(), b"");
        ann.run("copy flash:a.cfg running-config").await;
        ann.run("mkdir old").await;
        ann.run("rename a.cfg old/a.cfg").await;
        assert!(
            ann.run("verify /md5 flash:empty")
                .await
                .contains("= d41d8cd98f00b204e9800998ecf8427e\n")
        );
        ann.fails("verify /md5 flash:empty 00").await;
        ann.fails("rmdir old").await;
        ann.run("delete /force /recursive old").await;
        ann.run("delete empty").await;
        assert!(ann.run("dir").await.contains("No files in directory"));
    });
}

#[test]
fn differences_are_shown_between_any_two() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        ann.configure("hostname R1\ninterface Loopback1\ndescription one")
            .await;
        ann.run("write memory").await;
        ann.configure("hostname R2\ninterface Loopback1\ndescription two")
            .await;
        assert_eq!(
            ann.run("show archive config differences").await,
            "!Contextual Config Diffs:\n+hostname R2\ninterface Loopback1\n +description two\n\
             -hostname R1\ninterface Loopback1\n -description one\n"
        );
        assert_eq!(
            ann.run("show archive config differences system:running-config nvram:startup-config")
                .await,
            "!Contextual Config Diffs:\n+hostname R1\ninterface Loopback1\n +description one\n\
             -hostname R2\ninterface Loopback1\n -description two\n"
        );
        bed.put("more", "HOSTNAME R2\ninterface Loopback1\n shutdown\nend\n");
        assert_eq!(
            ann.run("show archive config incremental-diffs flash:more ignorecase")
                .await,
            "!List of Commands:\ninterface Loopback1\n shutdown\nend\n"
        );
        ann.fails("show archive config differences flash:nothing")
            .await;
        ann.run("write memory").await;
        assert!(
            ann.run("show archive config differences")
                .await
                .contains("!No changes were found")
        );
    });
}

#[test]
fn copies_are_kept_up_to_the_maximum() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        assert_eq!(
            ann.run("show archive").await,
            " Archive feature not enabled\n"
        );
        ann.fails("archive config").await;
        ann.configure("hostname R1\narchive\npath flash:$h-cfg\nmaximum 2\nwrite-memory")
            .await;
        let shown = ann.run("show running-config | section archive").await;
        assert!(
            shown.contains("archive\n path flash:$h-cfg\n maximum 2\n write-memory\n"),
            "{shown}"
        );
        assert!(!ann.run("show inactive-config").await.contains("archive"));
        ann.run("archive config").await;
        ann.run("write memory").await;
        ann.run("archive config").await;
        let shown = ann.run("show archive").await;
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "The maximum archive configurations allowed is 2.");
        assert_eq!(
            lines[1],
            "There are currently 2 archive configurations saved."
        );
        assert_eq!(
            lines[2],
            "The next archive file will be named flash:R1-cfg-<timestamp>-3"
        );
        assert!(
            lines[4].starts_with("   1        flash:R1-cfg-") && lines[4].ends_with("-1"),
            "{shown}"
        );
        assert!(lines[5].ends_with("-2 <- Most Recent"), "{shown}");
        assert_eq!(std::fs::read_dir(bed.flash("")).unwrap().count(), 2);
        // Another daemon on the same state goes on where this one stopped.
        let mut again = router(&bed.folder);
        let archive = again.archived().unwrap();
        assert_eq!(
            (archive.maximum, archive.files.len()),
            (2, 2),
            "{archive:?}"
        );
        assert!(
            archive.files.iter().all(|file| shown.contains(file)),
            "{archive:?}"
        );
        let copy = lines[5].split_whitespace().nth(1).unwrap();
        let differences = ann
            .run(&format!("show archive config differences {copy}"))
            .await;
        assert!(
            differences.contains("!No changes were found"),
            "{differences}"
        );
    });
}

const OTHER: &str = "hostname R9\ninterface Loopback9\n ip address 10.9.9.9 255.255.255.255\nend\n";

#[test]
fn a_file_takes_the_place_of_the_configuration() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        ann.configure("hostname R1\nusername bob secret x").await;
        bed.put("other", OTHER);
        let (text, status, _) = ann.type_in("configure replace flash:other", &["n"]).await;
        assert_eq!((text.as_str(), status), ("", Status::Failed));
        assert!(
            ann.questions[0].ends_with("Enter Y if you are sure you want to proceed. ? [no]: ")
        );
        let text = ann.run("configure replace flash:other list force").await;
        assert!(text.contains("\nno hostname R1\nno username bob"), "{text}");
        assert!(text.ends_with("hostname R9\ninterface Loopback9\n ip address 10.9.9.9 255.255.255.255\nend\n\n\nTotal number of passes: 1\nRollback Done\n\n"), "{text}");
        let running = ann.run("show running-config").await;
        assert!(
            running.contains("\nhostname R9\n") && !running.contains("bob"),
            "{running}"
        );
        // Half a file, and one with mistakes.
        bed.put("half", "hostname R10\n");
        assert_eq!(
            ann.fails("configure replace flash:half force").await,
            "%The input file is not a valid config file.\n"
        );
        bed.put("wrong", "hostname R10\nfrobnicate\nend\n");
        let text = ann
            .fails("configure replace flash:wrong force revert trigger error")
            .await;
        assert!(
            text.contains("frobnicate") && text.contains("successfully restored"),
            "{text}"
        );
        assert_eq!(ann.run("show running-config").await, running);
        let text = ann.run("configure replace flash:wrong force").await;
        let answer = "% Invalid input detected at '^' marker.\n\n% flash:wrong:2: \"frobnicate\": ";
        assert!(
            text.starts_with("frobnicate\n") && text.contains(answer),
            "{text}"
        );
        assert!(
            ann.run("show running-config")
                .await
                .contains("hostname R10")
        );
    });
}

#[test]
fn an_unconfirmed_change_is_rolled_back() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        let pending = "%No Rollback Confirmed Change pending\n";
        assert_eq!(ann.run("show archive config rollback timer").await, pending);
        assert_eq!(ann.fails("configure confirm").await, pending);
        assert_eq!(ann.fails("configure revert now").await, pending);
        ann.configure("hostname R1").await;
        bed.put("other", OTHER);
        ann.run("configure replace flash:other force time 5").await;
        let shown = ann.run("show archive config rollback timer").await;
        assert!(
            shown.contains("Timer type: absolute timer\nTimer value: 5 min\n"),
            "{shown}"
        );
        assert!(shown.ends_with("User: ann\n"), "{shown}");
        ann.fails("configure terminal revert timer 3").await;
        ann.run("configure revert timer idle 7").await;
        let shown = ann.run("show archive config rollback timer").await;
        assert!(
            shown.contains("Timer type: idle timer\nTimer value: 7 min\n"),
            "{shown}"
        );
        ann.run("configure revert now").await;
        assert!(
            ann.run("show running-config")
                .await
                .contains("\nhostname R1\n")
        );
        assert_eq!(ann.run("show archive config rollback timer").await, pending);
        let text = ann.run("configure terminal revert timer 2").await;
        assert!(
            text.starts_with("Rollback Confirmed Change: Backing up current running config\n"),
            "{text}"
        );
        ann.run("hostname R2").await;
        ann.run("end").await;
        ann.run("configure confirm").await;
        assert!(
            ann.run("show running-config")
                .await
                .contains("\nhostname R2\n")
        );
        assert!(
            bed.log()
                .contains("%ARCHIVE_DIFF-5-ROLLBK_CNFMD_CHG_CONFIRM: User: ann"),
            "{}",
            bed.log()
        );
        assert!(!bed.folder.join("state/rollback-config").exists());
    });
}

#[test]
fn a_daemon_that_died_unconfirmed_starts_with_what_was_before() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        ann.configure("hostname R1").await;
        ann.run("configure terminal revert timer 5").await;
        ann.run("hostname R2").await;
        ann.run("do write memory").await;
        let again = router(&bed.folder);
        assert_eq!(again.running.hostname(), "R1");
        let log: Vec<_> = again.log.buffer().lines().collect();
        assert!(
            log.iter()
                .any(|line| line.contains("ROLLBK_CNFMD_CHG_ROLLBACK_END")),
            "{log:?}"
        );
        assert_eq!(
            router(&bed.folder).running.hostname(),
            "R2",
            "the second start is an ordinary one"
        );
    });
}

#[test]
fn two_operators_see_each_other_and_one_can_lock_the_other_out() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        let mut bob = bed.operator("bob").await;
        ann.run("configure terminal").await;
        bob.run("configure terminal").await;
        ann.run("interface Loopback1").await;
        bob.run("interface Loopback1").await;
        ann.run("description from ann").await;
        assert!(
            bob.run("do show running-config interface Loopback1")
                .await
                .contains("description from ann")
        );
        bob.run("mtu 1400").await;
        assert!(
            ann.run("do show running-config interface Loopback1")
                .await
                .contains("mtu 1400")
        );
        bob.run("no interface Loopback1").await;
        assert!(ann.fails("description again").await.contains('%'));
        ann.run("end").await;
        ann.run("configure terminal lock").await;
        let locked = "Configuration mode locked exclusively by user 'ann'";
        assert!(bob.fails("hostname R2").await.starts_with(locked));
        bob.run("end").await;
        bed.put("other", OTHER);
        for line in [
            "configure terminal",
            "configure terminal lock",
            "configure replace flash:other force",
            "configure memory",
            "copy flash:other running-config",
        ] {
            let (text, status, _) = bob.type_in(line, &[""]).await;
            assert!(
                text.starts_with(locked) && status == Status::Failed,
                "{line}: {text}"
            );
        }
        let shown = bob.run("show configuration lock").await;
        assert!(
            shown.contains("User              : ann\n") && shown.contains("LOCKED"),
            "{shown}"
        );
        ann.run("hostname R1").await;
        ann.run("end").await;
        bob.run("configure terminal lock").await;
        ann.run("clear configuration lock").await;
        ann.run("configure terminal lock").await;
        drop(ann);
        while bed.router.borrow().upkeep.lock.is_some() {
            tokio::task::yield_now().await;
        }
        bob.run("hostname R3").await;
        bob.run("configuration mode exclusive auto").await;
        bob.run("end").await;
        assert!(
            bob.run("show running-config")
                .await
                .contains("\nconfiguration mode exclusive auto\n")
        );
        let mut eve = bed.operator("eve").await;
        eve.run("configure terminal").await;
        bob.fails("configure terminal").await;
        eve.run("no configuration mode exclusive").await;
        eve.run("end").await;
        bob.run("configure terminal").await;
        eve.run("configure terminal").await;
    });
}

#[test]
fn a_reload_is_scheduled_announced_and_called_off() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        let mut bob = bed.operator("bob").await;
        assert_eq!(ann.run("show reload").await, "No reload is scheduled.\n");
        ann.fails("reload cancel").await;
        ann.fails("reload in 0").await;
        ann.fails("reload at 25:00").await;
        ann.configure("hostname R1").await;
        let (_, status, _) = ann.type_in("reload in 10", &["no", "n"]).await;
        assert_eq!(status, Status::Failed);
        let (text, _, _) = ann.type_in("reload in 2:00 new keys", &["yes", ""]).await;
        assert_eq!(
            ann.questions,
            [
                "System configuration has been modified. Save? [yes/no]: ",
                "Proceed with reload? [confirm]"
            ]
        );
        assert!(
            text.contains("(in 2 hours) by ann\nReload reason: new keys\n"),
            "{text}"
        );
        assert!(
            ann.run("show reload")
                .await
                .contains("by ann\nReload reason: new keys\n")
        );
        assert!(
            bed.log()
                .contains("%SYS-5-SCHEDULED_RELOAD: Reload requested for "),
            "{}",
            bed.log()
        );
        ann.run("reload cancel").await;
        while bob.heard.len() < 3 {
            bob.run("show clock").await;
        }
        assert_eq!(bob.heard, ["***", "*** --- SHUTDOWN ABORTED ---", "***"]);
        assert!(bed.router.borrow().stop.is_none());
        ann.send(Request::Exec {
            line: "reload reason done".into(),
        })
        .await;
        assert!(matches!(
            ann.next().await,
            Reply::Log { .. } | Reply::Ask { .. }
        ));
        ann.send(Request::Answer { text: "y".into() }).await;
        while !matches!(ann.next().await, Reply::Bye { .. }) {}
        assert!(bed.router.borrow().stop.is_some());
        assert!(
            bed.log()
                .contains("Reload requested by ann. Reload Reason: done.")
        );
    });
}

const CHAIN: &str = "hostname R1
crypto pki certificate chain CA
 certificate ca 01
  30820122 300D0609 2A864886 F70D0101 01050003 82010F00 3082010A 02820101
  0203010001
  \tquit
interface Loopback1
 description one
end
";

#[test]
fn the_running_configuration_has_several_forms() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        bed.put("chain", CHAIN);
        ann.type_in("copy flash:chain running-config", &[""]).await;
        let whole = ann.run("show running-config").await;
        assert!(
            whole.starts_with("Building configuration...\n\nCurrent configuration : "),
            "{whole}"
        );
        assert!(
            whole.contains("\n  30820122 300D0609") && whole.ends_with("\nend\n\n"),
            "{whole}"
        );
        assert_eq!(ann.run("show running-config full").await, whole);
        assert_eq!(ann.run("write terminal").await, whole);
        let brief = ann.run("show running-config brief").await;
        assert!(
            brief.contains("\ncrypto pki certificate chain CA\n certificate ca 01\n!\n"),
            "{brief}"
        );
        assert!(!brief.contains("30820122"), "{brief}");
        let all = ann.run("show running-config all").await;
        for default in ["ip domain lookup", "file prompt alert", " no shutdown"] {
            let line = format!("\n{default}\n");
            assert!(
                all.contains(&line) && !whole.contains(&line),
                "{default}: {all}"
            );
        }
        let one = ann.run("show running-config interface Loopback1").await;
        let bytes = one
            .find("!\n")
            .map(|at| one[at + 2..].trim_end_matches('\n').len() + 1)
            .unwrap();
        assert!(
            one.contains(&format!(
                "Current configuration : {bytes} bytes\n!\ninterface Loopback1\n description one\n"
            )),
            "{bytes} {one}"
        );
        assert!(
            ann.run("show running-config interface Loopback1 all")
                .await
                .contains("\n no shutdown\n")
        );
        let lines = ann.run("show startup-config").await;
        assert_eq!(lines, "startup-config is not present\n");
        ann.run("write memory").await;
        assert_eq!(
            ann.run("show configuration").await,
            ann.run("show startup-config").await
        );
        assert!(ann.run("show flash:").await.contains("  chain\n"));
    });
}

/// Stands in for the system's scp: asks for a password as ssh would, then copies to and from a folder.
const SCP: &str = r#"#!/bin/sh
answer=$("$SSH_ASKPASS" "ann@192.0.2.9's password: ") || exit 1
if [ "$answer" != corinth ]; then
    echo "ann@192.0.2.9: Permission denied (password)." >&2
    exit 1
fi
echo "$HOME $*" > "SERVER/arguments"
env | sort > "SERVER/environment"
while [ "$1" != -- ]; do shift; done
shift
case "$1" in
    *:*) cat "SERVER/${1#*:}" > "$2" ;;
    *) cat "$1" > "SERVER/${2#*:}" ;;
esac
"#;

#[test]
fn scp_copies_and_asks_at_the_console() {
    test(|bed| async move {
        let server = bed.folder.join("server");
        std::fs::create_dir(&server).unwrap();
        let program = bed.folder.join("scp");
        std::fs::write(&program, SCP.replace("SERVER", server.to_str().unwrap())).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        bed.router.borrow_mut().upkeep.programs = Programs {
            scp: program,
            askpass: env!("CARGO_BIN_EXE_isthmusd").into(),
        };
        let mut ann = bed.operator("ann").await;
        ann.configure("hostname R1").await;
        let target = "copy running-config scp://ann@192.0.2.9:2222/r1.cfg";
        let (text, status, _) = ann.type_in(target, &["", "corinth"]).await;
        assert_eq!(status, Status::Ok, "{text}");
        assert_eq!(
            ann.questions,
            [
                "Destination filename [r1.cfg]? ",
                "ann@192.0.2.9's password: "
            ]
        );
        let stored = std::fs::read_to_string(server.join("r1.cfg")).unwrap();
        assert!(stored.contains("\nhostname R1\n"), "{stored}");
        let arguments = std::fs::read_to_string(server.join("arguments")).unwrap();
        let expected = " -q -o StrictHostKeyChecking=ask -P 2222 -- ";
        assert!(
            arguments.contains(expected) && arguments.ends_with(" ann@192.0.2.9:r1.cfg\n"),
            "{arguments}"
        );
        let environment = std::fs::read_to_string(server.join("environment")).unwrap();
        assert!(
            !environment.contains("CARGO") && !environment.contains("corinth"),
            "{environment}"
        );
        let (text, status, _) = ann
            .type_in(
                "copy scp://ann@192.0.2.9/r1.cfg flash:",
                &["b.cfg", "corinth"],
            )
            .await;
        assert_eq!(status, Status::Ok, "{text}");
        assert_eq!(std::fs::read_to_string(bed.flash("b.cfg")).unwrap(), stored);
        let (text, status, _) = ann.type_in(target, &["", "wrong"]).await;
        assert_eq!(status, Status::Failed);
        assert_eq!(
            text,
            "%Error writing scp://ann@192.0.2.9:2222/r1.cfg (ann@192.0.2.9: Permission denied (password).)\n"
        );
        bed.router.borrow_mut().upkeep.programs.scp = "/no/such/scp".into();
        let (text, _, _) = ann.type_in(target, &[""]).await;
        assert!(text.contains("the scp program is not installed"), "{text}");
    });
}

#[test]
fn what_is_missing_of_a_remote_name_is_asked_for() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        let (text, status, _) = ann
            .type_in("copy running-config tftp:", &["-oProxyCommand=x", "f"])
            .await;
        assert!(
            text.contains("Invalid host") && status == Status::Failed,
            "{text}"
        );
        assert_eq!(
            ann.questions,
            [
                "Address or name of remote host []? ",
                "Destination filename [router-confg]? "
            ]
        );
        let (text, _, _) = ann
            .type_in("copy running-config ftp://192.0.2.9/x", &[])
            .await;
        assert!(text.contains("Protocol not supported"), "{text}");
        let (text, _, _) = ann.type_in("copy running-config usb0:x", &[]).await;
        assert!(text.contains("No such device"), "{text}");
    });
}

/// Answers one TFTP write request and gives what it got.
async fn tftp_server(socket: tokio::net::UdpSocket) -> Vec<u8> {
    let mut packet = [0; 600];
    let (_, client) = socket.recv_from(&mut packet).await.unwrap();
    assert_eq!(packet[..2], [0, 2]);
    let mut bytes = Vec::new();
    let mut block = 0_u16;
    loop {
        let [high, low] = block.to_be_bytes();
        socket.send_to(&[0, 4, high, low], client).await.unwrap();
        if block > 0 && bytes.len() < usize::from(block) * 512 {
            return bytes;
        }
        let (length, _) = socket.recv_from(&mut packet).await.unwrap();
        block += 1;
        assert_eq!(packet[2..4], block.to_be_bytes());
        bytes.extend_from_slice(&packet[4..length]);
    }
}

#[test]
fn tftp_takes_a_configuration_and_an_archive() {
    test(|bed| async move {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let server = tokio::task::spawn_local(tftp_server(socket));
        let mut ann = bed.operator("ann").await;
        ann.configure("hostname R1").await;
        let line = format!("copy running-config tftp://127.0.0.1:{port}/r1-confg");
        let (text, status, _) = ann.type_in(&line, &[""]).await;
        assert_eq!(status, Status::Ok, "{text}");
        assert!(text.starts_with("!!\n"), "{text}");
        let stored = String::from_utf8(server.await.unwrap()).unwrap();
        assert!(
            stored.contains("\nhostname R1\n") && stored.ends_with("\nend\n"),
            "{stored}"
        );
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let server = tokio::task::spawn_local(tftp_server(socket));
        ann.configure(&format!("archive\npath tftp://127.0.0.1:{port}/old"))
            .await;
        ann.run("archive config").await;
        assert!(
            String::from_utf8(server.await.unwrap())
                .unwrap()
                .contains("hostname R1")
        );
        assert!(ann.run("show archive").await.contains("/old-"));
    });
}
