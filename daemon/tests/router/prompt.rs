//! What a line makes the router complain of is said at the prompt where it was typed, with the whole run loop on a kernel in
//! memory.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::bed::{Client, hello};
use isthmus_control::{PROTOCOL_VERSION, Reply, SOCKET_NAME, Status};
use isthmus_kernel::{ErrorKind, Fake, Kernel, Verdict};
use isthmusd::machine::directory::RunDir;
use isthmusd::tasks::{self, Sockets};
use isthmusd::testing::RouterBuilder;
use tokio::net::UnixStream;
use tokio::task::LocalSet;

/// Everything takes far less; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A router at work, and a console in privileged EXEC. Its devices are lan0 and wan0.
fn test<F: Future<Output = ()>>(config: &'static str, body: impl FnOnce(Client, Fake) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let all = async {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("startup-config"), config).unwrap();
        let (kernel, events, fake) = Kernel::fake();
        fake.add_link("lan0");
        fake.add_link("wan0");
        let run_dir = RunDir::take(&folder.path().join("run")).unwrap();
        let sockets = Sockets {
            ike: kernel
                .ike_socket(SocketAddr::from(([127, 0, 0, 1], 0)))
                .unwrap(),
            events,
        };
        let router = RouterBuilder::on(kernel).folder(folder.path()).booted();
        let router = Rc::new(RefCell::new(router));
        let listener = run_dir.listen().unwrap();
        tokio::task::spawn_local(async move {
            let control = || Ok(listener);
            tasks::run(router, sockets, control, || ()).await.unwrap()
        });
        let socket = folder.path().join("run").join(SOCKET_NAME);
        let mut client = Client::over(UnixStream::connect(socket).await.unwrap());
        client.send(hello(PROTOCOL_VERSION)).await;
        assert!(matches!(client.next().await, Some(Reply::Welcome(_))));
        client.run("enable").await;
        client.run("configure terminal").await;
        body(client, fake).await;
    };
    LocalSet::new().block_on(&runtime, async {
        tokio::time::timeout(PATIENCE, all).await.unwrap();
    });
}

async fn quietly(client: &mut Client, lines: &[&str]) {
    for line in lines {
        let done = client.run(line).await;
        assert_eq!(
            (done.text.as_str(), done.status),
            ("", Status::Ok),
            "{line}"
        );
    }
}

#[test]
fn a_second_name_of_a_device_is_refused() {
    let config = "interface GigabitEthernet0/1\n description uplink\n!\nend\n";
    test(config, |mut client, _| async move {
        for (second, answer) in [
            (
                "FastEthernet0/1",
                "% FastEthernet0/1 is GigabitEthernet0/1 (wan0)\n",
            ),
            (
                "GigabitEthernet2",
                "% GigabitEthernet2 is GigabitEthernet0/1 (wan0)\n",
            ),
            ("wan0", "% wan0 is GigabitEthernet0/1 (wan0)\n"),
        ] {
            let done = client.run(&format!("default interface {second}")).await;
            assert_eq!((done.text.as_str(), done.status), (answer, Status::Failed));
            assert!(done.prompt.ends_with("(config)#"), "{}", done.prompt);
            // What follows belongs to the refused line, not to the interface before it.
            quietly(&mut client, &["interface lan0"]).await;
            let done = client.run(&format!("interface {second}")).await;
            assert!(done.text.starts_with(answer), "{}", done.text);
            assert_eq!(done.status, Status::Failed);
            assert!(
                done.prompt.ends_with("(config-unknown)#"),
                "{}",
                done.prompt
            );
            let done = client.run("description HIJACK").await;
            assert!(done.text.starts_with("% Not obeyed"), "{}", done.text);
            quietly(&mut client, &["exit"]).await;
            let done = client.run("do show running-config interface lan0").await;
            assert!(!done.text.contains("HIJACK"), "{}", done.text);
        }
        let done = client.run("interface range FastEthernet0/1 - 2").await;
        assert!(
            done.text
                .starts_with("% FastEthernet0/1 is GigabitEthernet0/1"),
            "{}",
            done.text
        );
        quietly(&mut client, &["exit"]).await;
        quietly(
            &mut client,
            &[
                "interface GigabitEthernet0/1",
                "interface lan0",
                "interface Loopback7",
            ],
        )
        .await;
        let done = client.run("interface Gi0/0").await;
        let said = "% GigabitEthernet0/0 is lan0\n";
        assert!(done.text.starts_with(said), "{}", done.text);
        quietly(&mut client, &["exit"]).await;
        // A port that is not there has one name too.
        quietly(&mut client, &["interface GigabitEthernet0/5"]).await;
        let done = client.run("interface FastEthernet0/5").await;
        let said = "% FastEthernet0/5 is GigabitEthernet0/5\n";
        assert!(done.text.starts_with(said), "{}", done.text);
        // It can be taken back, for there is no such port.
        quietly(&mut client, &["exit", "no interface GigabitEthernet0/5"]).await;
        quietly(&mut client, &["interface FastEthernet0/5"]).await;
    });
}

#[test]
fn a_route_without_its_interface_is_said_at_once_and_once() {
    test("end\n", |mut client, _| async move {
        let done = client.run("ip route 10.0.0.0 255.0.0.0 Gi0/9").await;
        let said = "% ip route 10.0.0.0 255.0.0.0 GigabitEthernet0/9: GigabitEthernet0/9 is not there; the route waits for it\n";
        assert_eq!((done.text.as_str(), done.status), (said, Status::Ok));
        quietly(
            &mut client,
            &[
                "ip route 10.8.0.0 255.255.0.0 wan0",
                "ip route 10.9.0.0 255.255.0.0 Null0",
                "interface Loopback3",
                "exit",
                "ip route 10.10.0.0 255.255.0.0 Loopback3",
                "end",
            ],
        )
        .await;
        let dhcp = client.run("configure terminal").await;
        assert_eq!(dhcp.status, Status::Ok);
        let dhcp = client.run("ip route 0.0.0.0 0.0.0.0 dhcp 250").await;
        assert_eq!(
            dhcp.text,
            "% Accepted, not active in this release: ip route 0.0.0.0 0.0.0.0 dhcp 250\n"
        );
    });
}

#[test]
fn what_a_change_brings_about_is_said_at_its_end() {
    test("end\n", |mut client, _| async move {
        let lines = [
            "access-list 110 permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255",
            "crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac",
            "exit",
            "crypto map VPN 10 ipsec-isakmp",
            "set transform-set TS",
            "match address 110",
            "interface late0",
            "crypto map VPN",
        ];
        for line in lines {
            assert_eq!(client.run(line).await.status, Status::Ok, "{line}");
        }
        let done = client.run("end").await;
        assert_eq!(
            done.text,
            "% crypto map VPN 10: interface late0 is not there; until that is changed its traffic is dropped\n"
        );
        // The next change brings other things about; what was said is not said again.
        client.run("configure terminal").await;
        quietly(
            &mut client,
            &["interface wan0", "description uplink", "end"],
        )
        .await;
        client.run("configure terminal").await;
        quietly(
            &mut client,
            &[
                "interface late0",
                "no crypto map VPN",
                "interface wan0",
                "crypto map VPN",
            ],
        )
        .await;
        let done = client.run("end").await;
        assert!(
            done.text.contains("% crypto map VPN 10 has no set peer"),
            "{}",
            done.text
        );
    });
}

#[test]
fn what_the_kernel_refuses_is_said_to_the_one_who_asked() {
    test("end\n", |mut client, fake| async move {
        fake.fail_next("set address", ErrorKind::Permission);
        quietly(
            &mut client,
            &["interface wan0", "ip address 192.0.2.1 255.255.255.0"],
        )
        .await;
        let done = client.run("end").await;
        assert!(done.text.starts_with("% "), "{}", done.text);
        assert!(
            done.text.contains("made to fail by the test"),
            "{}",
            done.text
        );
        client.run("configure terminal").await;
        quietly(
            &mut client,
            &["ip route 172.16.0.0 255.255.0.0 203.0.113.9"],
        )
        .await;
        let done = client.run("end").await;
        assert!(
            done.text
                .contains("the next hop is on no connected network"),
            "{}",
            done.text
        );
    });
}

#[test]
fn of_very_many_complaints_the_first_are_said_and_the_rest_counted() {
    test("end\n", |mut client, _| async move {
        for number in 0..30 {
            let line = format!("ip route 10.{number}.0.0 255.255.0.0 203.0.113.9");
            quietly(&mut client, &[&line]).await;
        }
        let text = client.run("end").await.text;
        assert_eq!(text.lines().count(), 21, "{text}");
        assert!(text.ends_with("% 10 more: show logging\n"), "{text}");
    });
}

#[test]
fn digits_and_dots_are_not_looked_up() {
    test("end\n", |mut client, _| async move {
        for host in ["10.0.300", "127.1", "2130706433"] {
            let done = client.run(&format!("do ping {host}")).await;
            assert_eq!(done.status, Status::Failed, "{host}: {}", done.text);
            assert!(
                done.text.starts_with("% Unrecognized host or address"),
                "{}",
                done.text
            );
        }
    });
}

#[test]
fn taking_away_a_line_that_is_not_understood_is_in_force_at_the_prompt() {
    let config = "crypto isakmp policy 10
 authentication pre-share
crypto isakmp key corinth address 192.0.2.2
crypto ipsec transform-set TS esp-aes esp-sha-hmac
crypto map VPN 10 ipsec-isakmp
 set peer 192.0.2.2
 set transform-set TS
 match address FLOW
ip access-list extended FLOW
 permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255
interfce wan0
 ip address 192.0.2.1 255.255.255.0
 crypto map VPN
end
";
    test(config, |mut client, fake| async move {
        // It is blocked on every way out, and no other line asks for a reconcile.
        let packet = || {
            let [from, to] = ["10.0.1.7", "10.0.2.9"].map(|end| end.parse().unwrap());
            fake.send_packet(2, from, to, 1)
        };
        assert_eq!(packet(), Verdict::Dropped);
        quietly(&mut client, &["no interfce wan0"]).await;
        let done = client.run("end").await;
        assert_eq!(
            done.text,
            "% crypto map VPN is on no interface: it protects nothing\n"
        );
        assert_eq!(packet(), Verdict::Clear);
    });
}
