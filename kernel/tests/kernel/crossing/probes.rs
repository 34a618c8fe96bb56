//! Ping and traceroute against a wire on which the test answers.

use std::time::Duration;

use isthmus_kernel::{Probe, ProbeReply, Request};

use super::{Router, esp};
use crate::world::{between, checksum, in_namespace, ip, open_ipv4};

/// An ICMP message to the router from `source`, with a right checksum.
fn icmp(source: [u8; 4], kind: u8, code: u8, field: [u8; 4], body: &[u8]) -> Vec<u8> {
    let length = (28 + body.len()) as u16;
    let mut p = vec![
        0x45,
        0,
        (length >> 8) as u8,
        length as u8,
        0,
        0,
        0,
        0,
        61,
        1,
        0,
        0,
    ];
    p.extend(source);
    p.extend([192, 0, 2, 1]);
    let sum = checksum(&p);
    p[10..12].copy_from_slice(&sum.to_be_bytes());
    p.extend([kind, code, 0, 0]);
    p.extend(field);
    p.extend(body);
    let sum = checksum(&p[20..]);
    p[22..24].copy_from_slice(&sum.to_be_bytes());
    p
}

#[test]
fn what_comes_back_is_told_apart() {
    in_namespace(|| async {
        let r = Router::new(1).await;
        r.host.enter();
        let far = ip("198.51.100.7");
        let probe = Probe {
            ttl: 3,
            size: 120,
            dont_fragment: true,
            source: Some(ip("192.0.2.1")),
            sequence: 5,
            ..Probe::to(far)
        };
        type Case = (fn(&[u8]) -> Vec<u8>, fn(&ProbeReply) -> bool);
        let answers: [Case; 5] = [
            (
                |p| {
                    icmp(
                        [198, 51, 100, 7],
                        0,
                        0,
                        p[24..28].try_into().unwrap(),
                        &p[28..],
                    )
                },
                |r| matches!(r, ProbeReply::Reply { from, ttl: Some(61), .. } if from.to_string() == "198.51.100.7"),
            ),
            (
                |p| icmp([192, 0, 2, 9], 11, 0, [0; 4], &p[..28]),
                |r| matches!(r, ProbeReply::TimeExceeded { from, .. } if from.to_string() == "192.0.2.9"),
            ),
            (
                |p| icmp([192, 0, 2, 9], 3, 13, [0; 4], &p[..28]),
                |r| {
                    matches!(
                        r,
                        ProbeReply::Unreachable {
                            from: Some(_),
                            code: 13,
                            ..
                        }
                    )
                },
            ),
            (
                |p| icmp([192, 0, 2, 9], 3, 4, [0, 0, 4, 0], &p[..28]),
                |r| {
                    matches!(
                        r,
                        ProbeReply::FragmentationNeeded {
                            from: Some(_),
                            mtu: Some(1024)
                        }
                    )
                },
            ),
            (
                |p| {
                    icmp(
                        [192, 0, 2, 9],
                        0,
                        0,
                        p[24..28].try_into().unwrap(),
                        &p[28..],
                    )
                },
                |r| *r == ProbeReply::Timeout,
            ),
        ];
        for (answer, expected) in answers {
            let probe = Probe {
                timeout: Duration::from_millis(500),
                ..probe.clone()
            };
            let on_wire = async {
                let packet = r.wan.next().await;
                assert_eq!((packet.len(), packet[8], packet[6] & 0x40), (120, 3, 0x40));
                assert_eq!(open_ipv4(&packet).1, "192.0.2.1");
                r.wan.inject(&answer(&packet));
            };
            let (reply, ()) = tokio::join!(r.host.kernel.ping(probe), on_wire);
            let reply = reply.unwrap();
            assert!(expected(&reply), "{reply:?}");
        }

        // too long for the interface and not to be fragmented
        let long = Probe {
            size: 1501,
            ..probe.clone()
        };
        let reply = r.host.kernel.ping(long).await.unwrap();
        assert_eq!(
            reply,
            ProbeReply::FragmentationNeeded {
                from: None,
                mtu: None
            }
        );
    });
}

#[test]
fn a_probe_that_waits_for_an_sa_times_out() {
    in_namespace(|| async {
        let r = Router::new(1).await;
        r.protect(between("0.0.0.0/0", "198.51.100.0/24"), 0, &esp(4))
            .await;
        r.host.enter();
        let probe = Probe {
            timeout: Duration::from_millis(20),
            ..Probe::to(ip("198.51.100.7"))
        };
        assert_eq!(
            r.host.kernel.ping(probe).await.unwrap(),
            ProbeReply::Timeout
        );
        let gone = r.host.kernel.dump_policies().await.unwrap();
        r.host
            .ok(gone
                .iter()
                .map(|p| Request::DeletePolicy(p.spec.key))
                .collect())
            .await;
    });
}
