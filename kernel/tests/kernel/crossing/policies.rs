//! What policies let leave, stop and let in, on any kernel.

use isthmus_kernel::{
    Action, Direction, IpsecMode, IpsecProtocol, PolicyKey, PolicySpec, Priority, Reqid, Request,
    RouteSpec, RouteTarget, Template,
};

use super::{Router, esp, heard};
use crate::world::{acquire, between, in_namespace, ip, net, udp};

#[test]
fn a_crypto_map_protects_what_leaves_its_interface_and_nothing_else() {
    in_namespace(|| async {
        let mut r = Router::new(1).await;
        r.protect(between("10.1.0.0/16", "10.2.0.0/16"), 0, &esp(1))
            .await;

        // out of the interface, forwarded: stopped and reported; what is not meant passes
        r.lan.inject(&udp("10.1.0.9", "10.2.0.9", b"protected"));
        r.lan.inject(&udp("10.1.0.9", "10.3.0.9", b"other"));
        assert_eq!(heard(&r.wan).await, "other");
        let acquired = r.host.event(acquire).await;
        assert_eq!(
            (acquired.source, acquired.destination),
            (ip("192.0.2.1"), ip("192.0.2.2"))
        );
        assert_eq!(acquired.policy.interface, r.wan.index.get());

        // out of the interface, our own: the same
        r.host.enter();
        let socket = std::net::UdpSocket::bind("10.1.0.1:0").unwrap();
        let _ = socket.send_to(b"protected", "10.2.0.9:9");
        socket.send_to(b"own", "10.3.0.9:9").unwrap();
        assert_eq!(heard(&r.wan).await, "own");

        // in by the interface, for our network or for us: what should have come protected is stopped
        let before = r.errors("XfrmInTmplMismatch");
        r.wan.inject(&udp("10.2.0.9", "10.1.0.9", b"in clear"));
        r.wan.inject(&udp("10.3.0.9", "10.1.0.9", b"other"));
        assert_eq!(heard(&r.lan).await, "other");
        let listener = std::net::UdpSocket::bind("10.1.0.1:6000").unwrap();
        r.wan.inject(&udp("10.2.0.9", "10.1.0.1", b"in clear"));
        r.wan.inject(&udp("10.3.0.9", "10.1.0.1", b"other"));
        let mut buffer = [0; 100];
        let n = listener.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], b"other");
        assert_eq!(r.errors("XfrmInTmplMismatch"), before + 2);

        // out of another interface: none of the map's business
        let aside = RouteSpec {
            prefix: net("10.2.0.0/16"),
            target: RouteTarget::Interface("lan2".into()),
            metric: 1,
        };
        r.host.ok(vec![Request::AddRoute(aside)]).await;
        r.lan.inject(&udp("10.1.0.9", "10.2.0.9", b"elsewhere"));
        assert_eq!(heard(&r.lan2).await, "elsewhere");
        r.host.enter();
        socket.send_to(b"own elsewhere", "10.2.0.9:9").unwrap();
        assert_eq!(heard(&r.lan2).await, "own elsewhere");
    });
}

#[test]
fn a_denied_line_passes_and_the_lowest_priority_decides() {
    in_namespace(|| async {
        let r = Router::new(1).await;
        r.protect(between("10.1.0.0/16", "10.2.0.0/16"), 7, &esp(1))
            .await;
        let pass = |rank, net: &str| PolicySpec {
            key: PolicyKey {
                direction: Direction::Out,
                selector: between("10.1.0.0/16", net),
                interface: r.wan.index.get(),
            },
            priority: Priority::line(rank),
            action: Action::Bypass,
        };
        let (before, after) = (pass(6, "10.2.5.0/24"), pass(8, "10.2.6.0/24"));
        r.host
            .ok(vec![Request::SetPolicy(before), Request::SetPolicy(after)])
            .await;
        r.lan.inject(&udp("10.1.0.9", "10.2.6.9", b"protected"));
        r.lan.inject(&udp("10.1.0.9", "10.2.5.9", b"denied before"));
        assert_eq!(heard(&r.wan).await, "denied before");
    });
}

#[test]
fn esp_and_ah_together_ask_once() {
    in_namespace(|| async {
        let mut r = Router::new(1).await;
        let [esp_inside] = esp(1);
        let ah_outside = Template {
            protocol: IpsecProtocol::Ah,
            mode: IpsecMode::Transport,
            ..esp_inside
        };
        r.protect(
            between("10.1.0.0/16", "10.2.0.0/16"),
            0,
            &[esp_inside, ah_outside],
        )
        .await;
        r.protect(between("10.1.0.0/16", "10.3.0.0/16"), 1, &esp(2))
            .await;
        for n in [2, 2, 3] {
            r.lan.inject(&udp("10.1.0.9", &format!("10.{n}.0.9"), b"x"));
        }
        for reqid in [1, 2] {
            let a = r.host.event(acquire).await;
            assert_eq!(
                (a.reqid, a.protocol),
                (Reqid::nth(reqid), IpsecProtocol::Esp)
            );
        }
    });
}

#[test]
fn permit_any_any_leaves_the_inside_alone_once_its_check_is_off() {
    in_namespace(|| async {
        let r = Router::new(1).await;
        r.protect(between("0.0.0.0/0", "0.0.0.0/0"), 0, &esp(1))
            .await;
        r.host.enter();
        let listener = std::net::UdpSocket::bind("10.1.0.1:6000").unwrap();
        for (interface, check) in [("lan", false), ("lan2", false), ("wan", true)] {
            r.host
                .ok(vec![Request::SetInboundCheck {
                    interface: interface.into(),
                    check,
                }])
                .await;
        }
        // between inside networks, to the router, and to the outside
        r.lan.inject(&udp("10.1.0.9", "10.1.1.9", b"inside"));
        assert_eq!(heard(&r.lan2).await, "inside");
        r.lan.inject(&udp("10.1.0.9", "10.1.0.1", b"to us"));
        let mut buffer = [0; 100];
        let n = listener.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], b"to us");
        let stopped = r.errors("XfrmOutNoStates");
        r.lan.inject(&udp("10.1.0.9", "8.8.8.8", b"to the outside"));
        assert_eq!(r.errors("XfrmOutNoStates"), stopped + 1);
        // from the outside in clear
        let mismatch = r.errors("XfrmInTmplMismatch");
        r.wan.inject(&udp("8.8.8.8", "10.1.0.9", b"in clear"));
        assert_eq!(r.errors("XfrmInTmplMismatch"), mismatch + 1);
        // and with the check on again
        r.host
            .ok(vec![Request::SetInboundCheck {
                interface: "lan".into(),
                check: true,
            }])
            .await;
        r.lan.inject(&udp("10.1.0.9", "10.1.1.9", b"inside"));
        assert_eq!(r.errors("XfrmInTmplMismatch"), mismatch + 2);
    });
}

#[test]
fn an_ike_socket_is_exempt_from_every_policy() {
    in_namespace(|| async {
        let r = Router::new(1).await;
        let block = |direction| PolicySpec {
            key: PolicyKey {
                direction,
                selector: between("0.0.0.0/0", "0.0.0.0/0"),
                interface: 0,
            },
            priority: Priority::line(0),
            action: Action::Block,
        };
        r.host
            .ok([Direction::In, Direction::Out]
                .map(|d| Request::SetPolicy(block(d)))
                .to_vec())
            .await;
        r.host.enter();
        let ike = r
            .host
            .kernel
            .ike_socket("0.0.0.0:6000".parse().unwrap())
            .unwrap();
        let plain = std::net::UdpSocket::bind("192.0.2.1:7000").unwrap();
        let _ = plain.send_to(b"plain", "192.0.2.2:9");
        ike.send(
            "192.0.2.1:0".parse().unwrap(),
            "192.0.2.2:500".parse().unwrap(),
            b"ike",
        )
        .unwrap();
        assert_eq!(heard(&r.wan).await, "ike");
        r.wan.inject(&udp("192.0.2.2", "192.0.2.1", b"ike back"));
        let mut batch = Vec::new();
        ike.receive(&mut batch, 1).await.unwrap();
        assert_eq!(
            (batch[0].bytes.as_slice(), batch[0].interface),
            (b"ike back".as_slice(), r.wan.index.get())
        );
    });
}

#[test]
fn the_interface_of_inbound_policies_is_the_one_behind() {
    in_namespace(|| async {
        let r = Router::new(1).await;
        let block = |direction, interface, source: &str| PolicySpec {
            key: PolicyKey {
                direction,
                selector: between(source, "0.0.0.0/0"),
                interface,
            },
            priority: Priority::line(0),
            action: Action::Block,
        };
        let (lan, wan) = (r.lan.index.get(), r.wan.index.get());
        let loopback = 1;
        r.host
            .ok(vec![
                Request::SetPolicy(block(Direction::Fwd, wan, "10.3.0.1/32")),
                Request::SetPolicy(block(Direction::Fwd, lan, "10.3.0.2/32")),
                Request::SetPolicy(block(Direction::In, wan, "10.3.0.1/32")),
                Request::SetPolicy(block(Direction::In, loopback, "10.3.0.2/32")),
            ])
            .await;
        r.host.enter();
        let listener = std::net::UdpSocket::bind("10.1.0.1:6000").unwrap();
        // 10.3.0.2 is stopped, 10.3.0.1 is not, though both come in by the outside interface
        for source in ["10.3.0.2", "10.3.0.1"] {
            r.wan.inject(&udp(source, "10.1.0.9", source.as_bytes()));
            r.wan.inject(&udp(source, "10.1.0.1", source.as_bytes()));
        }
        assert_eq!(heard(&r.lan).await, "10.3.0.1");
        let mut buffer = [0; 100];
        let n = listener.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], b"10.3.0.1");
        assert_eq!(r.errors("XfrmInPolBlock"), 2);
    });
}
