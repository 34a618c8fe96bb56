//! Packets through SAs: algorithms, replay, limits, modes, a crash. All of it needs ESP.

use isthmus_kernel::{
    DfBit, Encryption, IpsecMode, IpsecProtocol, Lifetime, Reqid, Request, RouteSpec, SaSpec,
    Template,
};

use super::pair::Pair;
use super::suites::{aes_sha256, layers, suites};
use super::{esp, heard};
use crate::world::{acquire, between, expire, in_namespace, ip, open_ipv4, udp};

#[test]
fn every_suite_carries_packets() {
    in_namespace(|| async {
        let Some(mut pair) = Pair::new().await else {
            return;
        };
        for (n, suite) in suites().iter().enumerate() {
            eprintln!("{}", suite.name);
            let spi = 0x1000 + n as u32 * 16;
            pair.up(suite, spi, |_| {}).await;
            for round in 1..=2 {
                let on_wire = pair.cross(b"a payload that is seen").await;
                let (protocol, source, destination, body) = open_ipv4(&on_wire);
                let outermost = suite.layers.last().unwrap();
                assert_eq!(
                    (protocol, source.as_str(), destination.as_str()),
                    (outermost.0.number(), "192.0.2.1", "192.0.2.2")
                );
                let hidden = suite.layers.iter().any(|(_, e, _)| {
                    !matches!(e, None | Some(Encryption::Null | Encryption::AesGmac(_)))
                });
                let seen = on_wire.windows(22).any(|w| w == b"a payload that is seen");
                assert_eq!(seen, !hidden, "{}", suite.name);
                let spi_at = if outermost.0 == IpsecProtocol::Ah {
                    4
                } else {
                    0
                };
                assert_eq!(
                    body[spi_at..spi_at + 4],
                    (spi + suite.layers.len() as u32 - 1).to_be_bytes()
                );
                for host in [&pair.a.host, &pair.b.host] {
                    for sa in &pair.sas {
                        let stats = host.kernel.sa_stats(sa.id()).await.unwrap();
                        assert_eq!((stats.packets, stats.integrity_failures), (round, 0));
                        assert!(stats.bytes >= 22 * round && stats.used > 0);
                    }
                }
            }
            pair.down().await;
        }
    });
}

#[test]
fn replays_and_forgeries_are_counted_and_dropped() {
    in_namespace(|| async {
        let Some(mut pair) = Pair::new().await else {
            return;
        };
        pair.up(&aes_sha256(), 0x4000, |_| {}).await;
        let id = pair.sas[0].id();
        let first = pair.cross(b"first").await;
        let mut forged = pair.a_packet(b"forged").await;
        *forged.last_mut().unwrap() ^= 1;
        pair.b.wan.inject(&forged);
        pair.b.wan.inject(&first);
        for _ in 0..70 {
            pair.cross(b"more").await;
        }
        pair.b.wan.inject(&first);
        pair.cross(b"last").await;
        let stats = pair.b.host.kernel.sa_stats(id).await.unwrap();
        assert_eq!(
            (
                stats.integrity_failures,
                stats.replays + stats.outside_window
            ),
            (1, 2),
            "{stats:?}"
        );
        assert_eq!(stats.outside_window, 1, "{stats:?}");
        assert_eq!(stats.packets, 72);

        // without a window the first packet is welcome again
        pair.down().await;
        pair.up(&aes_sha256(), 0x4001, |sa| sa.replay_window = 0)
            .await;
        let first = pair.cross(b"first").await;
        pair.b.wan.inject(&first);
        assert_eq!(heard(&pair.b.lan).await, "first");
    });
}

#[test]
fn windows_and_sequence_numbers_of_every_size() {
    in_namespace(|| async {
        let Some(mut pair) = Pair::new().await else {
            return;
        };
        let changes: [fn(&mut SaSpec); 5] = [
            |sa| sa.replay_window = sa.replay_window.min(32),
            |sa| sa.replay_window = if sa.replay_window > 0 { 33 } else { 0 },
            |sa| sa.replay_window = if sa.replay_window > 0 { 1024 } else { 0 },
            |sa| sa.replay_window = if sa.replay_window > 0 { 4096 } else { 0 },
            |sa| (sa.esn, sa.replay_window) = (true, 64),
        ];
        for (n, change) in changes.into_iter().enumerate() {
            pair.up(&aes_sha256(), 0x5000 + n as u32, change).await;
            pair.cross(b"one").await;
            let there = pair.b.host.kernel.dump_sas().await.unwrap();
            assert_eq!(there[0].replay_window, [32, 33, 1024, 4096, 64][n]);
            pair.down().await;
        }
    });
}

#[test]
fn byte_limits_are_reported_soft_and_hard() {
    in_namespace(|| async {
        let Some(mut pair) = Pair::new().await else {
            return;
        };
        pair.up(&aes_sha256(), 0x6000, |sa| {
            sa.lifetime = Lifetime {
                soft_bytes: Some(1000),
                hard_bytes: Some(3000),
                ..Lifetime::default()
            };
        })
        .await;
        // counted is what goes in, here 928 bytes; a limit is noticed by the next packet
        for _ in 0..3 {
            pair.cross(&[1; 900]).await;
        }
        let soft = pair.a.host.event(expire).await;
        assert_eq!(
            (soft.sa, soft.hard, soft.reqid, soft.bytes),
            (pair.sas[0].id(), false, Reqid::nth(9), 2 * 928)
        );
        assert_eq!(soft.source, ip("192.0.2.1"));
        pair.a_packet(&[3; 900]).await;
        pair.a.lan.inject(&udp("10.1.0.9", "10.2.0.9", &[4; 900]));
        let hard = pair.a.host.event(expire).await;
        assert!(
            hard.hard && hard.bytes == 4 * 928 && hard.packets == 4,
            "{hard:?}"
        );
        assert!(pair.a.host.kernel.dump_sas().await.unwrap().is_empty());
    });
}

#[test]
fn seconds_are_reported_soft_and_hard() {
    in_namespace(|| async {
        let Some(mut pair) = Pair::new().await else {
            return;
        };
        // one limit at a time: a host that sleeps past both is told of the hard one alone
        pair.up(&aes_sha256(), 0x6100, |sa| {
            sa.lifetime = Lifetime {
                soft_seconds: Some(1),
                hard_seconds: Some(3600),
                ..Lifetime::default()
            };
        })
        .await;
        let soft = pair.a.host.event(expire).await;
        assert_eq!((soft.sa, soft.hard), (pair.sas[0].id(), false));
        pair.down().await;

        pair.up(&aes_sha256(), 0x6101, |sa| {
            sa.lifetime = Lifetime {
                hard_seconds: Some(1),
                ..Lifetime::default()
            };
        })
        .await;
        let hard = pair.a.host.event(expire).await;
        assert_eq!((hard.sa, hard.hard), (pair.sas[0].id(), true));
        assert!(pair.a.host.kernel.dump_sas().await.unwrap().is_empty());
    });
}

#[test]
fn an_acquire_ends_when_the_sa_is_there() {
    in_namespace(|| async {
        let Some(mut pair) = Pair::new().await else {
            return;
        };
        let templates = esp(9);
        pair.a
            .protect(between("10.1.0.0/16", "10.2.0.0/16"), 0, &templates)
            .await;
        pair.a
            .lan
            .inject(&udp("10.1.0.9", "10.2.0.9", b"too early"));
        let a = pair.a.host.event(acquire).await;
        assert_eq!(a.reqid, Reqid::nth(9));
        pair.up(&aes_sha256(), 0x7000, |_| {}).await;
        pair.cross(b"in time").await;
        // and when the SA is gone, traffic asks again
        pair.down().await;
        pair.a.lan.inject(&udp("10.1.0.9", "10.2.0.9", b"too late"));
        assert_eq!(pair.a.host.event(acquire).await.reqid, Reqid::nth(9));
    });
}

#[test]
fn permit_any_any_wraps_a_packet_once() {
    in_namespace(|| async {
        let Some(mut pair) = Pair::new().await else {
            return;
        };
        pair.up(&aes_sha256(), 0x7100, |_| {}).await;
        let any = between("0.0.0.0/0", "0.0.0.0/0");
        let there = esp(9);
        let back = [Template {
            source: there[0].destination,
            destination: there[0].source,
            ..there[0]
        }];
        pair.a.protect(any, 1, &there).await;
        pair.b.protect(any, 1, &back).await;
        pair.a.lan.inject(&udp("10.1.0.9", "8.8.8.8", b"anywhere"));
        let on_wire = pair.a.wan.next().await;
        let (protocol, source, destination, _) = open_ipv4(&on_wire);
        assert_eq!(
            (protocol, source.as_str(), destination.as_str()),
            (50, "192.0.2.1", "192.0.2.2")
        );
        let stats = pair.a.host.kernel.sa_stats(pair.sas[0].id()).await.unwrap();
        assert_eq!((stats.packets, stats.bytes), (1, 36));
        pair.cross(b"and through").await;
    });
}

#[test]
fn a_new_sa_takes_over_at_once() {
    in_namespace(|| async {
        let Some(mut pair) = Pair::new().await else {
            return;
        };
        pair.up(&aes_sha256(), 0x7200, |_| {}).await;
        pair.cross(b"old").await;
        let old = pair.sas[0].clone();
        pair.up(&aes_sha256(), 0x7201, |_| {}).await;
        for round in 1..=3 {
            pair.cross(b"new").await;
            let stats = pair.a.host.kernel.sa_stats(pair.sas[0].id()).await.unwrap();
            assert_eq!(stats.packets, round);
        }
        // what was under way on the old one still arrives, until it is deleted
        assert_eq!(
            pair.b.host.kernel.sa_stats(old.id()).await.unwrap().packets,
            1
        );
        pair.a.host.ok(vec![Request::DeleteSa(old.id())]).await;
        pair.cross(b"alone").await;
    });
}

#[test]
fn transport_mode_between_the_routers() {
    in_namespace(|| async {
        let Some(pair) = Pair::new().await else {
            return;
        };
        let suite = aes_sha256();
        let (mut out, mut templates) =
            layers(&suite, "192.0.2.1", "192.0.2.2", 0x8000, false, |sa| {
                sa.mode = IpsecMode::Transport;
                sa.selector = Some(between("192.0.2.1/32", "192.0.2.2/32"));
            });
        templates[0].mode = IpsecMode::Transport;
        let swapped = [Template {
            source: templates[0].destination,
            destination: templates[0].source,
            ..templates[0]
        }];
        pair.a
            .protect(between("192.0.2.1/32", "192.0.2.2/32"), 0, &templates)
            .await;
        pair.b
            .protect(between("192.0.2.2/32", "192.0.2.1/32"), 0, &swapped)
            .await;
        let sa = out.remove(0);
        pair.a.host.ok(vec![Request::AddSa(sa.clone())]).await;
        pair.b
            .host
            .ok(vec![Request::AddSa(SaSpec {
                replay_window: 64,
                ..sa
            })])
            .await;
        pair.b.host.enter();
        let listener = std::net::UdpSocket::bind("192.0.2.2:6000").unwrap();
        pair.a.host.enter();
        let sender = std::net::UdpSocket::bind("192.0.2.1:0").unwrap();
        sender.send_to(b"transported", "192.0.2.2:6000").unwrap();
        let on_wire = pair.a.wan.next().await;
        assert_eq!(open_ipv4(&on_wire).0, 50);
        pair.b
            .wan
            .inject(&udp("192.0.2.1", "192.0.2.2", b"in clear"));
        pair.b.wan.inject(&on_wire);
        let mut buffer = [0; 100];
        let n = listener.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..n], b"transported");
    });
}

#[test]
fn the_outer_header_takes_df_over_or_clears_it() {
    in_namespace(|| async {
        let Some(mut pair) = Pair::new().await else {
            return;
        };
        let df = |p: &[u8]| p[6] & 0x40 != 0;
        let with_df = || {
            let mut p = udp("10.1.0.9", "10.2.0.9", b"df");
            p[6] |= 0x40;
            // the header's checksum falls by what the field rose
            let sum = u16::from_be_bytes([p[10], p[11]]);
            let (less, borrow) = sum.overflowing_sub(0x4000);
            p[10..12].copy_from_slice(&(less - u16::from(borrow)).to_be_bytes());
            p
        };
        for (spi, change, expected) in [
            (0x9000, (|_| {}) as fn(&mut SaSpec), true),
            (0x9001, |sa| sa.df_bit = DfBit::Clear, false),
        ] {
            pair.up(&aes_sha256(), spi, change).await;
            pair.a.lan.inject(&with_df());
            assert_eq!(df(&pair.a.wan.next().await), expected);
            pair.down().await;
        }
    });
}

#[test]
fn after_a_crash_all_of_ours_is_found_and_nothing_else() {
    in_namespace(|| async {
        let mut pair = match Pair::new().await {
            Some(pair) => pair,
            None => return,
        };
        pair.up(&aes_sha256(), 0xa000, |_| {}).await;
        let key = "0x000102030405060708090a0b0c0d0e0f";
        pair.a.host.ip(&format!(
            "xfrm state add src 192.0.2.1 dst 192.0.2.77 proto esp spi 0x77 reqid 77 mode tunnel enc cbc(aes) {key} auth hmac(md5) {key}"
        ));
        pair.a
            .host
            .ip("xfrm policy add src 10.77.0.0/16 dst 10.78.0.0/16 dir out action block");
        pair.a
            .host
            .ip("route add 10.77.0.0/16 dev lan proto static");
        // a new life: nothing is known but what the kernel tells
        pair.a.host.enter();
        let (kernel, _events) = isthmus_kernel::Kernel::linux().await.unwrap();
        let sas = kernel.dump_sas().await.unwrap();
        assert_eq!(
            sas.iter().map(|sa| sa.id).collect::<Vec<_>>(),
            [pair.sas[0].id()]
        );
        let policies = kernel.dump_policies().await.unwrap();
        assert_eq!(policies.len(), 3);
        let mut cleaning: Vec<Request> = sas.iter().map(|sa| Request::DeleteSa(sa.id)).collect();
        cleaning.extend(policies.iter().map(|p| Request::DeletePolicy(p.spec.key)));
        for r in kernel
            .routes()
            .await
            .unwrap()
            .into_iter()
            .filter(|r| r.ours)
        {
            cleaning.push(Request::RemoveRoute(RouteSpec {
                prefix: r.prefix,
                target: r.target,
                metric: r.metric,
            }));
        }
        assert_eq!(cleaning.len(), 5);
        assert!(kernel.submit(cleaning).await.iter().all(Result::is_ok));
        assert!(
            kernel.dump_sas().await.unwrap().is_empty()
                && kernel.dump_policies().await.unwrap().is_empty()
        );
        assert!(pair.a.host.ip("xfrm state list").contains("192.0.2.77"));
        assert!(pair.a.host.ip("xfrm policy list").contains("10.77.0.0/16"));
        assert!(pair.a.host.ip("route list").contains("10.77.0.0/16"));
        pair.sas.clear();
    });
}
