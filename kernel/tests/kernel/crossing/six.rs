//! IPv6 outside, and UDP encapsulation.

use isthmus_kernel::{
    Encapsulation, IpsecProtocol, Reqid, Request, RouteSpec, RouteTarget, SaSpec,
};

use super::Router;
use super::pair::Pair;
use super::suites::{aes_sha256, layers};
use crate::world::{Wire, acquire, between, in_namespace, ip, net, tunnel, udp};

/// A UDP packet in IPv6, as far as a router looks at it.
fn udp6(source: &str, destination: &str) -> Vec<u8> {
    let octets = |a: &str| a.parse::<std::net::Ipv6Addr>().unwrap().octets();
    let mut p = vec![0x60, 0, 0, 0, 0, 12, 17, 64];
    p.extend(octets(source));
    p.extend(octets(destination));
    p.extend([0x13, 0x88, 0x17, 0x70, 0, 12, 0x12, 0x34]);
    p.extend(b"six!");
    p
}

/// Adds IPv6 to a router of `Router::new`: 2001:db8:N::/48 inside, 2001:db8::N outside.
async fn with_ipv6(r: &Router, n: u8) {
    r.host.sysctl("ipv6/conf/all/forwarding", "1");
    for (wire, address) in [
        ("lan", format!("2001:db8:{n}::1/64")),
        ("wan", format!("2001:db8::{n}/64")),
    ] {
        let (interface, address) = (wire.into(), net(&address));
        r.host
            .ok(vec![Request::SetAddress { interface, address }])
            .await;
    }
    let target = RouteTarget::Interface("wan".into());
    let default = RouteSpec {
        prefix: net("::/0"),
        target,
        metric: 1,
    };
    r.host
        .ok(vec![
            Request::AddRoute(default.clone()),
            Request::AddRoute(default),
        ])
        .await;
    // an address counts once duplicate address detection is through with it
    while !r.host.ip("-6 addr show tentative").is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// The next packet of the wanted protocol and IP version.
async fn next(wire: &Wire, version: u8, protocol: u8) -> Vec<u8> {
    loop {
        let p = wire.next_of(version).await;
        if p[if version == 4 { 9 } else { 6 }] == protocol {
            return p;
        }
    }
}

#[test]
fn a_tunnel_over_ipv6_carries_both_families() {
    in_namespace(|| async {
        let mut a = Router::new(1).await;
        with_ipv6(&a, 1).await;
        let lines = [
            ("2001:db8:1::/48", "2001:db8:2::/48"),
            ("10.1.0.0/16", "10.2.0.0/16"),
        ];
        let template = |n| {
            [tunnel(
                "2001:db8::1",
                "2001:db8::2",
                IpsecProtocol::Esp,
                Reqid::nth(n),
            )]
        };
        for (rank, (ours, theirs)) in lines.into_iter().enumerate() {
            let rank = rank as u32;
            a.protect(between(ours, theirs), rank, &template(rank))
                .await;
        }
        // on any kernel: stopped and asked for
        a.lan.inject(&udp6("2001:db8:1::9", "2001:db8:2::9"));
        let acquired = a.host.event(acquire).await;
        assert_eq!(
            (acquired.source, acquired.destination),
            (ip("2001:db8::1"), ip("2001:db8::2"))
        );
        assert_eq!(acquired.packet.destination, net("2001:db8:2::9/128"));
        let source = a.host.kernel.source_for(ip("2001:db8::77")).await.unwrap();
        assert_eq!(source, ip("2001:db8::1"));

        if !a.host.has_ipsec("packets through SAs over IPv6").await {
            return;
        }
        let b = Router::new(2).await;
        with_ipv6(&b, 2).await;
        for (rank, (theirs, ours)) in lines.into_iter().enumerate() {
            let back = [tunnel(
                "2001:db8::2",
                "2001:db8::1",
                IpsecProtocol::Esp,
                Reqid::nth(rank as u32),
            )];
            b.protect(between(ours, theirs), rank as u32, &back).await;
        }
        for n in 0..2 {
            let (sas, _) = layers(
                &aes_sha256(),
                "2001:db8::1",
                "2001:db8::2",
                0x6000 + n,
                false,
                |_| {},
            );
            let sa = SaSpec {
                reqid: Reqid::nth(n),
                ..sas[0].clone()
            };
            a.host.ok(vec![Request::AddSa(sa.clone())]).await;
            b.host
                .ok(vec![Request::AddSa(SaSpec {
                    replay_window: 64,
                    ..sa
                })])
                .await;
        }
        a.lan.inject(&udp6("2001:db8:1::9", "2001:db8:2::9"));
        b.wan.inject(&next(&a.wan, 6, 50).await);
        assert_eq!(next(&b.lan, 6, 17).await[40..], udp6("::", "::")[40..]);

        let packet = udp("10.1.0.9", "10.2.0.9", b"four in six");
        a.lan.inject(&packet);
        b.wan.inject(&next(&a.wan, 6, 50).await);
        assert_eq!(next(&b.lan, 4, 17).await[20..], packet[20..]);
        let found = b.host.kernel.dump_sas().await.unwrap();
        assert!(
            found
                .iter()
                .all(|sa| sa.stats.packets == 1 && sa.source == ip("2001:db8::1"))
        );
    });
}

#[test]
fn esp_in_udp_leaves_with_its_ports() {
    in_namespace(|| async {
        let Some(mut pair) = Pair::new().await else {
            return;
        };
        pair.up(&aes_sha256(), 0xb000, |sa| {
            sa.encapsulation = Some(Encapsulation {
                source_port: 4500,
                destination_port: 14500,
            });
        })
        .await;
        let packet = pair.a_packet(b"hidden").await;
        assert_eq!(packet[9], 17);
        assert_eq!(packet[20..24], [0x11, 0x94, 0x38, 0xa4]);
        assert_eq!(
            packet[28..32],
            0xb000u32.to_be_bytes(),
            "no marker: ESP, not IKE (RFC 3948)"
        );
    });
}
