//! Policies, SAs and acquires.

use isthmus_kernel::{
    Action, Authentication, Direction, Encryption, ErrorKind, IpsecMode, IpsecProtocol, Lifetime,
    PolicyKey, PolicySpec, PortMatch, Priority, Reqid, Request, SaSpec, Verdict,
};

use super::{Outside, Subject};
use crate::world::{acquire, between, event, ip, net, tunnel};

pub async fn policies(s: Subject) {
    if let Outside::Real(host) = &s.outside {
        host.ip(
            "xfrm policy add src 10.77.0.0/16 dst 10.78.0.0/16 dir out priority 100 action block",
        );
    }
    let mut https = between("10.1.2.3/16", "10.2.0.0/16");
    (https.protocol, https.destination_port) = (6, PortMatch::exactly(443));
    https.source_port = PortMatch {
        value: 1030,
        mask: 0xfc00,
    };
    let esp_in_ah = vec![
        tunnel("192.0.2.1", "192.0.2.2", IpsecProtocol::Esp, Reqid::nth(5)),
        isthmus_kernel::Template {
            mode: IpsecMode::Transport,
            ..tunnel("192.0.2.1", "192.0.2.2", IpsecProtocol::Ah, Reqid::nth(5))
        },
    ];
    let transport = vec![isthmus_kernel::Template {
        mode: IpsecMode::Transport,
        ..tunnel("0.0.0.0", "0.0.0.0", IpsecProtocol::Esp, Reqid::nth(6))
    }];
    let v6 = vec![tunnel(
        "2001:db8::1",
        "2001:db8::2",
        IpsecProtocol::Esp,
        Reqid::nth(7),
    )];
    let policy = |direction, selector, interface, rank, action| PolicySpec {
        key: PolicyKey {
            direction,
            selector,
            interface,
        },
        priority: Priority::line(rank),
        action,
    };
    let set = [
        policy(Direction::Out, https, 1, 3, Action::Protect(esp_in_ah)),
        policy(Direction::Out, https, 0, 3, Action::Bypass),
        policy(
            Direction::In,
            between("0.0.0.0/0", "0.0.0.0/0"),
            0,
            9,
            Action::Block,
        ),
        policy(
            Direction::Fwd,
            between("192.0.2.1/32", "192.0.2.2/32"),
            0,
            9,
            Action::Protect(transport),
        ),
        policy(
            Direction::Out,
            between("2001:db8:1::/48", "::/0"),
            0,
            9,
            Action::Protect(v6),
        ),
    ];
    let all: Vec<Request> = set.iter().cloned().map(Request::SetPolicy).collect();
    assert!(s.kernel.submit(all).await.iter().all(Result::is_ok));
    let normalised = |p: &PolicySpec| {
        let mut p = p.clone();
        p.key.selector = p.key.selector.normalised();
        p
    };
    let dumped = s.kernel.dump_policies().await.unwrap();
    assert_eq!(dumped.len(), set.len(), "the operator's policy is not ours");
    for p in &set {
        assert!(
            dumped.iter().any(|d| d.spec == normalised(p)),
            "no {p:?} in {dumped:#?}"
        );
    }

    // replacing keeps the number of policies and the kernel's index
    let mut moved = set[0].clone();
    (moved.priority, moved.action) = (Priority::exempt(1), Action::Block);
    s.submit(Request::SetPolicy(moved.clone())).await.unwrap();
    let again = s.kernel.dump_policies().await.unwrap();
    let index_of = |all: &[isthmus_kernel::PolicyInfo]| {
        all.iter()
            .find(|d| d.spec.key == normalised(&moved).key)
            .map(|d| d.index)
            .unwrap()
    };
    assert_eq!(
        (again.len(), index_of(&again)),
        (set.len(), index_of(&dumped))
    );
    assert!(again.iter().any(|d| d.spec == normalised(&moved)));

    for p in &set {
        assert_eq!(s.submit(Request::DeletePolicy(p.key)).await, Ok(()));
        assert_eq!(
            s.submit(Request::DeletePolicy(p.key)).await,
            Err(ErrorKind::NotFound)
        );
    }
    assert!(s.kernel.dump_policies().await.unwrap().is_empty());
    if let Outside::Real(host) = &s.outside {
        assert!(
            host.ip("xfrm policy list").contains("10.77.0.0/16"),
            "the operator's policy is still there"
        );
    }
}

pub async fn the_operators_own_is_left_alone(s: Subject) {
    let ours = |n: u8| PolicySpec {
        key: PolicyKey {
            direction: Direction::Out,
            selector: between(&format!("10.{n}.0.0/16"), "10.200.0.0/16"),
            interface: 0,
        },
        priority: Priority::line(n.into()),
        action: Action::Block,
    };
    let theirs = ours(77);
    let sa = some_sa();
    let has_ipsec = match &s.outside {
        Outside::Real(host) => {
            let selector = "dir out src 10.77.0.0/16 dst 10.200.0.0/16";
            host.ip(&format!(
                "xfrm policy add {selector} action allow priority 5"
            ));
            // the same, but for a mark: no obstacle
            let marked = "dir out src 10.3.0.0/16 dst 10.200.0.0/16";
            host.ip(&format!(
                "xfrm policy add {marked} action allow priority 6 mark 7"
            ));
            let has = host.has_ipsec("the operator's SAs").await;
            if has {
                host.ip(&format!(
                    "xfrm state add src {} dst {} proto esp spi {} reqid 9 mode tunnel enc cbc(aes) 0x{:032x}",
                    sa.source, sa.destination, sa.spi, 1
                ));
            }
            has
        }
        Outside::Fake(fake) => {
            fake.add_foreign_policy(theirs.key);
            fake.add_foreign_sa(sa.id());
            true
        }
    };
    // few at a time and many at a time are looked at in different ways
    for all in [70..80u8, 0..150] {
        let requests =
            |make: fn(PolicySpec) -> Request| all.clone().map(ours).map(make).collect::<Vec<_>>();
        for make in [Request::SetPolicy, Request::SetPolicy, |p: PolicySpec| {
            Request::DeletePolicy(p.key)
        }] {
            let results = s.kernel.submit(requests(make)).await;
            for (n, result) in all.clone().zip(results) {
                match result {
                    Err(e) if n == 77 => {
                        assert_eq!(e.kind, ErrorKind::NotOurs);
                        assert!(e.request.ends_with("10.77.0.0/16 -> 10.200.0.0/16"), "{e}");
                        assert!(e.hint.contains("not made by isthmusd"), "{e}");
                        if let Outside::Real(_) = s.outside {
                            assert!(
                                e.hint.starts_with("the policy with priority 5 and index"),
                                "{e}"
                            );
                        }
                    }
                    result => {
                        assert_eq!(result, Ok(()), "{n}");
                        assert_ne!(n, 77);
                    }
                }
            }
        }
    }
    if has_ipsec {
        for ids in [1, 150] {
            let requests = vec![Request::DeleteSa(sa.id()); ids];
            for result in s.kernel.submit(requests).await {
                assert_eq!(result.unwrap_err().kind, ErrorKind::NotOurs);
            }
        }
        assert_eq!(s.submit(Request::AddSa(sa)).await, Err(ErrorKind::Exists));
    }
    if let Outside::Real(host) = &s.outside {
        let left = host.ip("xfrm policy list");
        assert!(
            left.contains("priority 5") && left.contains("priority 6"),
            "{left}"
        );
        let sas = host.ip("xfrm state list");
        assert_eq!(sas.contains("reqid 9"), has_ipsec, "{sas}");
    }
}

pub async fn crypto_map_line(s: Subject) {
    let templates = [tunnel(
        "192.0.2.1",
        "192.0.2.2",
        IpsecProtocol::Esp,
        Reqid::nth(1),
    )];
    let plain =
        PolicySpec::for_crypto_map_line(1, between("10.1.0.0/16", "10.2.0.0/16"), 4, &templates);
    assert_eq!(plain.len(), 3);
    let any = PolicySpec::for_crypto_map_line(1, between("0.0.0.0/0", "0.0.0.0/0"), 5, &templates);
    assert_eq!(any.len(), 4);
    let all: Vec<Request> = plain
        .iter()
        .chain(&any)
        .cloned()
        .map(Request::SetPolicy)
        .collect();
    assert!(s.kernel.submit(all).await.iter().all(Result::is_ok));
    let dumped = s.kernel.dump_policies().await.unwrap();
    assert_eq!(dumped.len(), 7, "none is taken for another");
}

pub async fn wrong_requests_are_named_and_the_rest_is_done(s: Subject) {
    let block = |n: u8| {
        Request::SetPolicy(PolicySpec {
            key: PolicyKey {
                direction: Direction::Out,
                selector: between(&format!("10.{n}.0.0/16"), "0.0.0.0/0"),
                interface: 0,
            },
            priority: Priority::line(n.into()),
            action: Action::Block,
        })
    };
    let mut requests: Vec<Request> = (0..200).map(block).collect();
    let empty = PolicySpec {
        key: PolicyKey {
            direction: Direction::Out,
            selector: between("10.0.0.0/8", "10.0.0.0/8"),
            interface: 0,
        },
        priority: Priority::line(0),
        action: Action::Protect(Vec::new()),
    };
    let absent = PolicyKey {
        direction: Direction::In,
        selector: between("10.0.0.0/8", "10.0.0.0/8"),
        interface: 0,
    };
    requests.insert(50, Request::SetPolicy(empty));
    requests.insert(100, Request::DeletePolicy(absent));
    requests.insert(150, Request::DeleteLink { name: "lo".into() });
    let results = s.kernel.submit(requests).await;
    assert_eq!(results.len(), 203);
    for (at, result) in results.iter().enumerate() {
        match (at, result) {
            (50, Err(e)) => assert_eq!(
                (e.kind, e.hint.as_str()),
                (ErrorKind::Invalid, "0 templates, expected 1 to 6")
            ),
            (100, Err(e)) => {
                assert_eq!(e.kind, ErrorKind::NotFound);
                assert_eq!(e.request, "delete policy in 10.0.0.0/8 -> 10.0.0.0/8");
            }
            (150, Err(e)) => assert_eq!(e.kind, ErrorKind::NotOurs),
            (_, Ok(())) => {}
            (at, other) => panic!("{at}: {other:?}"),
        }
    }
    assert_eq!(s.kernel.dump_policies().await.unwrap().len(), 200);
    assert!(s.kernel.submit(Vec::new()).await.is_empty());
}

pub async fn acquires(mut s: Subject) {
    let index = s.interface("d0", "10.1.2.3/24").await;
    let reqid = Reqid::nth(77);
    let templates = [tunnel("10.1.2.3", "10.1.2.99", IpsecProtocol::Esp, reqid)];
    let line = between("10.1.2.3/32", "10.1.2.128/25");
    let set = PolicySpec::for_crypto_map_line(index, line, 12, &templates);
    s.kernel
        .submit(set.iter().cloned().map(Request::SetPolicy).collect())
        .await;

    s.traffic(index, "10.1.2.3", "10.1.2.200").await;
    let a = event(&mut s.events, acquire).await;
    assert_eq!((a.reqid, a.protocol), (reqid, IpsecProtocol::Esp));
    assert_eq!((a.source, a.destination), (ip("10.1.2.3"), ip("10.1.2.99")));
    assert_eq!((a.policy, a.priority), (set[0].key, Priority::line(12)));
    assert_eq!(
        (a.packet.source, a.packet.destination),
        (net("10.1.2.3/32"), net("10.1.2.200/32"))
    );
    assert_eq!(a.packet.protocol, 17);
    let indices: Vec<u32> = s
        .kernel
        .dump_policies()
        .await
        .unwrap()
        .iter()
        .map(|p| p.index)
        .collect();
    assert!(indices.contains(&a.policy_index));

    // no second one while the first is pending, but again once it is forgotten
    s.traffic(index, "10.1.2.3", "10.1.2.201").await;
    let forget = Request::ForgetAcquire {
        source: a.source,
        destination: a.destination,
        protocol: a.protocol,
        mode: IpsecMode::Tunnel,
        reqid,
    };
    assert_eq!(s.submit(forget.clone()).await, Ok(()));
    s.traffic(index, "10.1.2.3", "10.1.2.202").await;
    let again = event(&mut s.events, acquire).await;
    assert_eq!(
        again.packet.destination,
        net("10.1.2.202/32"),
        "the packet to .201 was not reported"
    );
    assert_eq!(s.submit(forget.clone()).await, Ok(()));
    assert_eq!(
        s.submit(forget).await,
        Ok(()),
        "nothing pending is fine too"
    );
    assert!(
        s.kernel.dump_sas().await.unwrap().is_empty(),
        "what waits for an SA is no SA"
    );
    if let Outside::Fake(fake) = &s.outside {
        assert_eq!(
            fake.send_packet(index, ip("10.1.2.3"), ip("10.1.2.5"), 17),
            Verdict::Clear
        );
    }
}

pub async fn what_others_do_to_policies_is_told(mut s: Subject) {
    let key = |direction| PolicyKey {
        direction,
        selector: between("10.1.0.0/16", "10.2.0.0/16"),
        interface: 0,
    };
    let block = |direction| {
        Request::SetPolicy(PolicySpec {
            key: key(direction),
            priority: Priority::line(1),
            action: Action::Block,
        })
    };
    let both = [Direction::Out, Direction::In];
    s.submit(block(Direction::Fwd)).await.unwrap();
    for direction in both {
        s.submit(block(direction)).await.unwrap();
    }
    // Our own changes are no news.
    let own = Request::DeletePolicy(key(Direction::Fwd));
    s.submit(own).await.unwrap();
    match &s.outside {
        Outside::Real(host) => {
            host.ip("xfrm policy delete src 10.1.0.0/16 dst 10.2.0.0/16 dir out");
            host.ip("xfrm policy flush");
        }
        Outside::Fake(fake) => {
            assert!(fake.delete_policy(key(Direction::Out)));
            fake.flush_policies();
        }
    }
    let touched = |event| match event {
        isthmus_kernel::Event::PolicyTouched(which) => Some(which),
        _ => None,
    };
    let first = event(&mut s.events, touched).await;
    assert_eq!(first, Some(key(Direction::Out)));
    assert_eq!(event(&mut s.events, touched).await, None);
    assert!(s.kernel.dump_policies().await.unwrap().is_empty());
}

fn some_sa() -> SaSpec {
    SaSpec {
        source: ip("192.0.2.1"),
        destination: ip("192.0.2.2"),
        protocol: IpsecProtocol::Esp,
        spi: 0x1234_5678,
        mode: IpsecMode::Tunnel,
        reqid: Reqid::nth(3),
        selector: None,
        encryption: Some(Encryption::AesCbc(vec![0x55; 32].into())),
        authentication: Some(Authentication::Sha256_128(vec![0x66; 32].into())),
        replay_window: 64,
        esn: false,
        df_bit: Default::default(),
        ecn: true,
        encapsulation: None,
        lifetime: Lifetime {
            soft_bytes: Some(1000),
            hard_bytes: Some(2000),
            soft_seconds: Some(3000),
            hard_seconds: Some(3600),
        },
    }
}

pub async fn security_associations(s: Subject) {
    let good = some_sa();
    let wrong = [
        SaSpec {
            spi: 255,
            ..good.clone()
        },
        SaSpec {
            replay_window: 4097,
            ..good.clone()
        },
        SaSpec {
            source: ip("2001:db8::1"),
            ..good.clone()
        },
        SaSpec {
            encryption: None,
            ..good.clone()
        },
        SaSpec {
            encryption: Some(Encryption::AesCbc(vec![1; 17].into())),
            ..good.clone()
        },
        SaSpec {
            encryption: Some(Encryption::AesGcm16(vec![1; 20].into())),
            ..good.clone()
        },
        SaSpec {
            authentication: Some(Authentication::Sha1_96(vec![1; 21].into())),
            ..good.clone()
        },
        SaSpec {
            encryption: Some(Encryption::Null),
            authentication: None,
            ..good.clone()
        },
        SaSpec {
            protocol: IpsecProtocol::Ah,
            ..good.clone()
        },
        SaSpec {
            esn: true,
            replay_window: 0,
            ..good.clone()
        },
    ];
    for sa in wrong {
        let text = format!("{sa:?}");
        assert!(
            !text.contains("85, 85") && !text.contains("5555"),
            "keys are not printed: {text}"
        );
        assert_eq!(
            s.submit(Request::AddSa(sa)).await,
            Err(ErrorKind::Invalid),
            "{text}"
        );
    }
    assert_eq!(
        s.submit(Request::DeleteSa(good.id())).await,
        Err(ErrorKind::NotFound)
    );
    let stats = s.kernel.sa_stats(good.id()).await;
    assert_eq!(stats.map_err(|e| e.kind), Err(ErrorKind::NotFound));

    if let Outside::Real(host) = &s.outside
        && !host.has_ipsec("adding, listing and deleting SAs").await
    {
        let refused = s
            .kernel
            .submit(vec![Request::AddSa(good)])
            .await
            .remove(0)
            .unwrap_err();
        assert!(refused.to_string().contains("esp4"), "{refused}");
        return;
    }
    let transport = SaSpec {
        mode: IpsecMode::Transport,
        spi: 0x2222,
        selector: Some(between("192.0.2.1/32", "192.0.2.2/32")),
        replay_window: 32,
        ..good.clone()
    };
    for sa in [&good, &transport] {
        assert_eq!(s.submit(Request::AddSa(sa.clone())).await, Ok(()));
        assert_eq!(
            s.submit(Request::AddSa(sa.clone())).await,
            Err(ErrorKind::Exists)
        );
    }
    let mut all = s.kernel.dump_sas().await.unwrap();
    all.sort_by_key(|sa| std::cmp::Reverse(sa.id.spi));
    assert_eq!(all.len(), 2);
    for (found, made) in all.iter().zip([&good, &transport]) {
        assert_eq!(
            (found.id, found.source, found.reqid),
            (made.id(), made.source, made.reqid)
        );
        assert_eq!(
            (found.mode, found.selector, found.replay_window),
            (made.mode, made.selector, made.replay_window)
        );
        assert_eq!(
            (found.stats.bytes, found.stats.packets, found.stats.used),
            (0, 0, 0)
        );
        assert!(found.stats.added > 1_600_000_000);
        assert_eq!(s.kernel.sa_stats(found.id).await.unwrap(), found.stats);
    }
    for sa in [good, transport] {
        assert_eq!(s.submit(Request::DeleteSa(sa.id())).await, Ok(()));
        assert_eq!(
            s.submit(Request::DeleteSa(sa.id())).await,
            Err(ErrorKind::NotFound)
        );
    }
}
