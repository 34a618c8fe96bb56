//! The real console with a real daemon (on a kernel that is none): large configurations pasted at once, of which no line is
//! lost, and files that come and go over scp.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Console, daemon, given, isthmus_at};

/// A paste that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(300);

fn wait_for(console: &Console, end: &str) {
    let start = Instant::now();
    while !console.screen().ends_with(end) {
        assert!(
            start.elapsed() < PATIENCE,
            "no {end:?} at the end of:\n{}",
            console.screen()
        );
        thread::sleep(Duration::from_millis(10));
    }
}

/// Lines of several kinds, some of them in sub-modes, all of which print as they are typed.
fn lines(count: usize) -> Vec<String> {
    let block = |n: usize| {
        [
            format!("ip access-list extended LIST-{n}"),
            format!(" remark the list of branch number {n}"),
            format!(" permit ip 10.{}.{}.0 0.0.0.255 any", n / 256, n % 256),
            " deny   ip any any".to_owned(),
        ]
    };
    (0..count / 4).flat_map(block).collect()
}

fn paste(count: usize) {
    let folder = tempfile::tempdir().unwrap();
    daemon::start(folder.path(), "");
    let socket = daemon::socket(folder.path());
    let mut console = Console::at(&socket, 24, 80);
    wait_for(&console, ">");
    console.types("enable\rterminal length 0\rconfigure terminal\r");
    wait_for(&console, "(config)#");
    let lines = lines(count);
    console.types(&(lines.join("\r") + "\rend\rcopy running-config flash:pasted\r\r"));
    wait_for(&console, " bytes/sec)\nRouter#");
    let text = std::fs::read_to_string(folder.path().join("state/flash/pasted")).unwrap();
    let lists: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("ip access-list"))
        .take_while(|line| *line != "!")
        .collect();
    assert_eq!(lists, lines);
}

#[test]
fn two_thousand_lines() {
    paste(2_000);
}

#[test]
fn twenty_thousand_lines() {
    paste(20_000);
}

/// A console in configuration mode of a router that is otherwise empty.
fn configuring(folder: &Path) -> Console {
    daemon::start(folder, "");
    let mut console = Console::at(&daemon::socket(folder), 48, 100);
    wait_for(&console, ">");
    console.types("enable\rterminal length 0\rconfigure terminal\r");
    wait_for(&console, "(config)#");
    console
}

#[test]
fn a_mode_that_is_not_there_keeps_its_lines_and_its_exit() {
    let folder = tempfile::tempdir().unwrap();
    let mut console = configuring(folder.path());
    console.types("interface Loopback1\rdescription mine\rrouter bgp 65000\r");
    wait_for(&console, "Router(config-unknown)#");
    assert!(
        console
            .screen()
            .contains("% Invalid input detected at '^' marker.")
    );
    console.types("description theirs\rshutdown\rexit\r");
    wait_for(&console, "Router(config)#");
    console.types("interface range lo2-3\r");
    wait_for(&console, "Router(config-if-range)#");
    console.types("description both\rhostname R2\rend\rcopy running-config flash:pasted\r\r");
    wait_for(&console, " bytes/sec)\nR2#");
    let text = std::fs::read_to_string(folder.path().join("state/flash/pasted")).unwrap();
    for block in [
        "interface Loopback1\n description mine\n no ip address\n!",
        "router bgp 65000\n description theirs\n shutdown\n!",
        "interface Loopback2\n description both\n no ip address\n!",
        "interface Loopback3\n description both\n no ip address\n!",
    ] {
        assert!(text.contains(block), "{block}\n{text}");
    }
    console
        .types("configure terminal\rno router bgp 65000\rend\rshow running-config | include bgp\r");
    wait_for(&console, "| include bgp\nR2#");
}

#[test]
fn what_is_indented_below_a_refused_header_reaches_no_other_block() {
    let folder = tempfile::tempdir().unwrap();
    let mut console = configuring(folder.path());
    let paste = "interface Loopback1\r description mine\rinterface Foo 0/9/9/9/9/9\r description other\r shutdown\r exit\rhostname R3\r";
    console.types(paste);
    wait_for(&console, "R3(config)#");
    console.types("do show running-config interface Loopback1\r");
    wait_for(&console, "end\n\nR3(config)#");
    let screen = console.screen();
    assert!(
        screen.contains(" description mine\n no ip address\n!\nend"),
        "{screen}"
    );
}

/// What an scp client sends for one file.
fn scp(name: &str, bytes: &[u8]) -> Vec<u8> {
    let header = format!("T1 0 1 0\nC0644 {} {name}\n", bytes.len());
    [header.as_bytes(), bytes, b"\0"].concat()
}

/// What the router's end of scp says to this input.
fn far_end(folder: &Path, words: &str, input: &[u8]) -> (bool, Vec<u8>) {
    let mut command = isthmus_at(&daemon::socket(folder));
    let output = given(command.args(["-c", &format!("scp -v {words}")]), input);
    (output.status.success(), output.stdout)
}

const SERVER: &str = "hostname R1\nip scp server enable\nend\n";

#[test]
fn scp_stores_files_in_flash() {
    let folder = tempfile::tempdir().unwrap();
    daemon::start(folder.path(), SERVER);
    let text = "hostname R1\n! \u{e4}\n".repeat(10_000).into_bytes();
    let input = [scp("b.cfg", &text), scp("empty", b"")].concat();
    let (done, said) = far_end(folder.path(), "-t flash:", &input);
    assert!(done, "{}", String::from_utf8_lossy(&said));
    assert_eq!(said, [0; 7]);
    let stored = |name: &str| std::fs::read(folder.path().join("state/flash").join(name));
    assert_eq!(stored("b.cfg").unwrap(), text);
    assert_eq!(stored("empty").unwrap(), b"");
    let (done, _) = far_end(folder.path(), "-t flash:/c.cfg", &scp("b.cfg", b"one\n"));
    assert!(done);
    assert_eq!(stored("c.cfg").unwrap(), b"one\n");
    let (done, said) = far_end(
        folder.path(),
        "-t 'flash:../c.cfg'",
        &scp("b.cfg", b"one\n"),
    );
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(
        !done && said.contains("\u{2}scp: %Error opening flash:../c.cfg (Invalid file name)\n"),
        "{said:?}"
    );
}

#[test]
fn scp_fetches_files_of_the_router() {
    let folder = tempfile::tempdir().unwrap();
    daemon::start(folder.path(), SERVER);
    let text: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    std::fs::create_dir_all(folder.path().join("state/flash")).unwrap();
    std::fs::write(folder.path().join("state/flash/a.bin"), &text).unwrap();
    let (done, said) = far_end(folder.path(), "-f flash:/a.bin", &[0; 3]);
    assert!(done);
    let header = format!("C0600 {} a.bin\n", text.len());
    assert_eq!(said, [header.as_bytes(), &text, b"\0"].concat());
    std::fs::write(folder.path().join("startup-config"), SERVER).unwrap();
    for name in [
        "system:running-config",
        "running-config",
        "startup-config",
        "nvram:startup-config",
    ] {
        let (done, said) = far_end(folder.path(), &format!("-f {name}"), &[0; 3]);
        let said = String::from_utf8_lossy(&said).into_owned();
        let announced = format!(" {name}\n");
        assert!(
            done && said.contains(&announced) && said.contains("\nip scp server enable\n"),
            "{said}"
        );
    }
    // Without a slash OpenSSH's client compares the whole name.
    let (done, said) = far_end(folder.path(), "-f flash:a.bin", &[0; 3]);
    assert!(done && said.starts_with(format!("C0600 {} flash:a.bin\n", text.len()).as_bytes()));
    let (done, said) = far_end(folder.path(), "-f flash:/none", &[0; 3]);
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(
        !done && said.starts_with("\u{2}scp: %Error opening flash:/none"),
        "{said:?}"
    );
}

#[test]
fn without_the_scp_server_no_file_comes_or_goes() {
    let folder = tempfile::tempdir().unwrap();
    daemon::start(folder.path(), "hostname R1\nend\n");
    // Ready, and the time stamp taken; the client is never told to send the file.
    for (words, input, agreed) in [
        ("-t flash:/a.cfg", scp("a.cfg", b"one\n"), "\0\0"),
        ("-f system:running-config", vec![0; 3], ""),
    ] {
        let (done, said) = far_end(folder.path(), words, &input);
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(
            !done && said.contains("Administratively disabled: configure ip scp server enable"),
            "{words}: {said:?}"
        );
        assert!(said.starts_with(&format!("{agreed}\u{2}scp: ")), "{said:?}");
    }
    assert!(!folder.path().join("state/flash/a.cfg").exists());
}

#[test]
fn show_terminal_has_the_size_of_the_window_until_a_command_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    daemon::start(folder.path(), "hostname R1\nend\n");
    let mut console = Console::at(&daemon::socket(folder.path()), 40, 132);
    wait_for(&console, ">");
    let shows = |console: &mut Console, command: &str, size: &str| {
        console.forget();
        console.types(&format!("{command}show terminal\r"));
        let start = Instant::now();
        while !console.screen().contains(size) {
            assert!(
                start.elapsed() < PATIENCE,
                "no {size:?} in:\n{}",
                console.screen()
            );
            thread::sleep(Duration::from_millis(10));
        }
        wait_for(console, "R1>");
    };
    shows(&mut console, "", "Length: 40 lines, Width: 132 columns");
    shows(
        &mut console,
        "terminal width 100\r",
        "Length: 40 lines, Width: 100 columns",
    );
    console.resize(30, 90);
    shows(
        &mut console,
        "terminal length 0\r",
        "Length: 0 lines, Width: 100 columns",
    );
    shows(
        &mut console,
        "terminal no length\rterminal no width\r",
        "Length: 30 lines, Width: 90 columns",
    );
}
