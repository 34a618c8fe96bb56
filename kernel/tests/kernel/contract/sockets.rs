//! IKE sockets and ICMP probes.

use isthmus_kernel::ErrorKind;

use super::{Outside, Subject};
use crate::world::ip;

pub async fn ike_socket(s: Subject) {
    if let Outside::Real(host) = &s.outside {
        host.ip("addr add 10.5.5.5/32 dev lo");
    }
    let a = s.kernel.ike_socket("0.0.0.0:0".parse().unwrap()).unwrap();
    let b = s.kernel.ike_socket("127.0.0.1:0".parse().unwrap()).unwrap();
    let taken = s
        .kernel
        .ike_socket(b.local_addr())
        .map(drop)
        .map_err(|e| e.kind);
    assert_eq!(taken, Err(ErrorKind::Exists));
    let port = |sock: &isthmus_kernel::IkeSocket| sock.local_addr().port();

    let to_a = std::net::SocketAddr::new(ip("127.0.0.2"), port(&a));
    for n in 0..5u8 {
        b.send(b.local_addr(), to_a, &[n; 3000]).unwrap();
    }
    let mut batch = Vec::new();
    while batch.len() < 5 {
        let before = batch.len();
        let got = a.receive(&mut batch, 3).await.unwrap();
        assert!((1..=3).contains(&got) && batch.len() == before + got);
    }
    for (n, d) in batch.iter().enumerate() {
        assert_eq!(
            (d.local, d.remote, d.bytes.len()),
            (to_a, b.local_addr(), 3000)
        );
        assert_eq!((d.bytes[0], d.interface), (n as u8, 1));
    }
    // the reply leaves from the address that was addressed
    a.send(batch[0].local, batch[0].remote, b"reply").unwrap();
    let mut answer = Vec::new();
    b.receive(&mut answer, 10).await.unwrap();
    assert_eq!(
        (answer[0].remote, answer[0].bytes.as_slice()),
        (to_a, b"reply".as_slice())
    );

    // a closed port (ICMP error) breaks neither sending nor receiving
    let closed = "127.0.0.1:1".parse().unwrap();
    for _ in 0..3 {
        a.send("0.0.0.0:0".parse().unwrap(), closed, b"x").unwrap();
    }
    b.send(b.local_addr(), to_a, b"still").unwrap();
    batch.clear();
    a.receive(&mut batch, 1).await.unwrap();
    assert_eq!(batch[0].bytes, b"still");

    let other_family = a.send(
        "[::]:0".parse().unwrap(),
        "[::1]:500".parse().unwrap(),
        b"x",
    );
    assert_eq!(other_family.map_err(|e| e.kind), Err(ErrorKind::Invalid));
}

pub async fn probes(s: Subject) {
    use isthmus_kernel::{Probe, ProbeReply};
    use std::time::Duration;
    if let Outside::Fake(fake) = &s.outside {
        fake.prepare_ping(ProbeReply::Reply {
            from: ip("127.0.0.1"),
            rtt: Duration::from_millis(1),
            ttl: Some(64),
        });
    }
    let reply = s.kernel.ping(Probe::to(ip("127.0.0.1"))).await.unwrap();
    assert!(
        matches!(reply, ProbeReply::Reply { from, ttl: Some(64), .. } if from == ip("127.0.0.1")),
        "{reply:?}"
    );
    let Outside::Real(_) = &s.outside else { return };
    let big = Probe {
        size: 18_024,
        source: Some(ip("127.0.0.9")),
        ..Probe::to(ip("127.0.0.1"))
    };
    assert!(matches!(
        s.kernel.ping(big).await.unwrap(),
        ProbeReply::Reply { .. }
    ));
    assert!(matches!(
        s.kernel.ping(Probe::to(ip("::1"))).await.unwrap(),
        ProbeReply::Reply { .. }
    ));
    let none = s.kernel.ping(Probe::to(ip("8.8.8.8"))).await.unwrap();
    assert!(
        matches!(
            none,
            ProbeReply::Unreachable {
                from: None,
                code: 0,
                ..
            }
        ),
        "{none:?}"
    );
    let stranger = Probe {
        source: Some(ip("8.8.4.4")),
        ..Probe::to(ip("127.0.0.1"))
    };
    assert_eq!(
        s.kernel.ping(stranger).await.map_err(|e| e.kind),
        Err(ErrorKind::NotFound)
    );
}
