//! Opening the kernel without the right, a busy port, lost events, the tuned tables.

use isthmus_kernel::{ErrorKind, Event, Kernel};
use nix::libc;

use crate::world::{Host, in_namespace};

#[test]
fn without_the_capability_it_is_named() {
    in_namespace(|| async {
        // this thread alone becomes the user nobody (65534), which takes its capabilities
        // SAFETY: plain system calls with integers; libc's wrapper would change all threads
        let changed = unsafe { libc::syscall(libc::SYS_setresuid, 65534, 65534, 65534) };
        if changed != 0 {
            return eprintln!("LEFT OUT: there is no other user in this user namespace");
        }
        let refused = Kernel::linux().await.map(drop).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Permission);
        assert!(
            refused.to_string().contains("isthmusd needs CAP_NET_ADMIN"),
            "{refused}"
        );
        let (fake, _events, _) = Kernel::fake();
        assert!(
            fake.ike_socket("127.0.0.1:0".parse().unwrap()).is_ok(),
            "the fake needs no right"
        );
        let ping = fake
            .ping(isthmus_kernel::Probe::to([127, 0, 0, 1].into()))
            .await;
        assert_eq!(ping.unwrap(), isthmus_kernel::ProbeReply::Timeout);
    });
}

#[test]
fn a_busy_port_is_named() {
    in_namespace(|| async {
        let host = Host::here().await;
        let first = host
            .kernel
            .ike_socket("0.0.0.0:500".parse().unwrap())
            .unwrap();
        let second = host
            .kernel
            .ike_socket("0.0.0.0:500".parse().unwrap())
            .map(drop)
            .unwrap_err();
        assert_eq!(second.kind, ErrorKind::Exists);
        assert_eq!(
            second.to_string(),
            "cannot use UDP port 500 of 0.0.0.0: another IKE daemon or process uses it; stop that first"
        );
        let v6 = host.kernel.ike_socket("[::]:500".parse().unwrap()).unwrap();
        let to_v6 = std::net::SocketAddr::new("::1".parse().unwrap(), 500);
        v6.send("[::1]:0".parse().unwrap(), to_v6, b"six").unwrap();
        let mut batch = Vec::new();
        v6.receive(&mut batch, 9).await.unwrap();
        assert_eq!(
            (batch[0].local, batch[0].remote, batch[0].interface),
            (to_v6, to_v6, 1)
        );
        drop(first);
    });
}

#[test]
fn lost_events_are_reported() {
    in_namespace(|| async {
        let mut host = Host::here().await;
        // nothing reads while this thread does not wait
        let mut batch = String::new();
        for n in 0..40_000u32 {
            let verb = if n % 2 == 0 { "add" } else { "del" };
            batch.push_str(&format!("addr {verb} 10.0.0.1/32 dev lo\n"));
        }
        host.ip_batch(&batch);
        host.event(|e| (e == Event::Overflow).then_some(())).await;
        // and the stream goes on
        host.ip("addr add 10.9.9.9/32 dev lo");
        host.event(|e| match e {
            Event::AddressChanged {
                address,
                present: true,
                ..
            } => (address.to_string() == "10.9.9.9/32").then_some(()),
            _ => None,
        })
        .await;
    });
}

#[test]
fn the_hash_thresholds_are_ours_unless_the_operator_chose() {
    in_namespace(|| async {
        let host = Host::here().await;
        let show = || {
            let all = host.ip("-s -s xfrm policy count");
            let lines = all.lines().filter(|l| l.contains("thresholds"));
            lines.map(|l| l.trim().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            show(),
            [
                "SPD IPv4 thresholds: local 0 remote 24",
                "SPD IPv6 thresholds: local 0 remote 56"
            ]
        );
        host.ip("xfrm policy set hthresh4 8 16 hthresh6 128 128");
        let (_again, _events) = Kernel::linux().await.unwrap();
        assert_eq!(
            show(),
            [
                "SPD IPv4 thresholds: local 8 remote 16",
                "SPD IPv6 thresholds: local 0 remote 56"
            ]
        );
    });
}
