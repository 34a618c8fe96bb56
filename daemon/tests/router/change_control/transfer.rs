//! Files to and from other machines: scp and tftp.

use super::*;

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
        bed.router.borrow_mut().programs = Programs {
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
        let file = "scp://ann@192.0.2.9/level.txt";
        let tee = format!("show privilege | tee {file}");
        let (text, status, _) = ann.type_in(&tee, &["corinth"]).await;
        assert_eq!(status, Status::Ok, "{text}");
        let level = "Current privilege level is 15\n";
        assert!(text.starts_with(level), "{text}");
        assert_eq!(
            std::fs::read_to_string(server.join("level.txt")).unwrap(),
            level
        );
        bed.router.borrow_mut().programs.scp = "/no/such/scp".into();
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

/// A TFTP server for one file: its port, and the text that came.
async fn tftp() -> (u16, tokio::task::JoinHandle<String>) {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let stored = async { String::from_utf8(tftp_server(socket).await).unwrap() };
    (port, tokio::task::spawn_local(stored))
}

#[test]
fn tftp_takes_a_configuration_and_an_archive() {
    test(|bed| async move {
        let (port, stored) = tftp().await;
        let mut ann = bed.operator("ann").await;
        ann.configure("hostname R1").await;
        let line = format!("copy running-config tftp://127.0.0.1:{port}/r1-confg");
        let (text, status, _) = ann.type_in(&line, &[""]).await;
        assert_eq!(status, Status::Ok, "{text}");
        assert!(text.starts_with("!!\n"), "{text}");
        let stored = stored.await.unwrap();
        assert!(
            stored.contains("\nhostname R1\n") && stored.ends_with("\nend\n"),
            "{stored}"
        );
        let (port, stored) = tftp().await;
        ann.configure(&format!("archive\npath tftp://127.0.0.1:{port}/old"))
            .await;
        ann.run("archive config").await;
        assert!(stored.await.unwrap().contains("hostname R1"));
        assert!(ann.run("show archive").await.contains("/old-"));
    });
}

#[test]
fn tftp_takes_the_output_of_a_command() {
    test(|bed| async move {
        let mut ann = bed.operator("ann").await;
        ann.configure("hostname R1").await;
        let (port, stored) = tftp().await;
        let to = format!("tftp://127.0.0.1:{port}/out.txt");
        let said = ann.run(&format!("show privilege | redirect {to}")).await;
        assert_eq!(said, "!!\n");
        let level = "Current privilege level is 15\n";
        assert_eq!(stored.await.unwrap(), level);
        let (port, stored) = tftp().await;
        let to = format!("tftp://127.0.0.1:{port}/run.txt");
        let said = ann.run(&format!("show running-config | tee {to}")).await;
        let shown = said.strip_suffix("!!\n").unwrap();
        assert!(shown.contains("\nhostname R1\n"), "{shown}");
        assert_eq!(stored.await.unwrap(), shown);
        let refusing = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = refusing.local_addr().unwrap().port();
        tokio::task::spawn_local(async move {
            let (_, client) = refusing.recv_from(&mut [0; 600]).await.unwrap();
            let refusal = b"\0\x05\0\x02Access violation\0";
            refusing.send_to(refusal, client).await.unwrap();
        });
        let to = format!("tftp://127.0.0.1:{port}/out.txt");
        let text = ann.fails(&format!("show privilege | redirect {to}")).await;
        assert!(
            text.starts_with(&format!("%Error writing {to} (")),
            "{text}"
        );
    });
}
