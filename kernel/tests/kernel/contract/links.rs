//! Links, addresses and routes.

use isthmus_kernel::{ErrorKind, Event, LinkKind, Request, RouteSpec, RouteTarget};

use super::Subject;
use crate::world::{event, ip, net};

pub async fn links(mut s: Subject) {
    let lo = s.kernel.links().await.unwrap().remove(0);
    assert_eq!(
        (lo.name.as_str(), lo.index, lo.loopback, lo.ours),
        ("lo", 1, true, false)
    );

    let index = s.interface("d0", "10.1.2.3/24").await;
    let set = |up, mtu| Request::SetLink {
        interface: "d0".into(),
        up,
        mtu,
    };
    assert_eq!(s.submit(set(None, Some(1400))).await, Ok(()));
    event(&mut s.events, |e| match e {
        Event::LinkChanged(l)
            if l.index == index && l.name == "d0" && l.up && l.running && l.mtu == 1400 =>
        {
            Some(())
        }
        _ => None,
    })
    .await;
    assert_eq!(s.submit(set(Some(false), None)).await, Ok(()));
    let link = s
        .kernel
        .links()
        .await
        .unwrap()
        .into_iter()
        .find(|l| l.index == index)
        .unwrap();
    assert!(!link.up && !link.running && !link.ours && link.mtu == 1400);
    assert_eq!(
        s.submit(Request::DeleteLink { name: "d0".into() }).await,
        Err(ErrorKind::NotOurs)
    );

    let create = |name: &str| Request::CreateLink {
        name: name.into(),
        kind: LinkKind::Dummy,
    };
    assert_eq!(s.submit(create("lo")).await, Err(ErrorKind::Exists));
    for bad in ["", "much-too-long-name", "a/b"] {
        assert_eq!(s.submit(create(bad)).await, Err(ErrorKind::Invalid));
    }
    assert_eq!(
        s.submit(Request::DeleteLink {
            name: "nope".into()
        })
        .await,
        Err(ErrorKind::NotFound)
    );
    let missing = Request::SetLink {
        interface: "nope".into(),
        up: Some(true),
        mtu: None,
    };
    assert_eq!(s.submit(missing).await, Err(ErrorKind::NotFound));
    let check = |name: &str| Request::SetInboundCheck {
        interface: name.into(),
        check: true,
    };
    assert_eq!(s.submit(check("nope")).await, Err(ErrorKind::NotFound));
    assert_eq!(s.submit(check("lo")).await, Ok(()));
}

pub async fn loopback_interfaces(mut s: Subject) {
    let create = Request::CreateLink {
        name: "Loopback7".into(),
        kind: LinkKind::Dummy,
    };
    match s.submit(create.clone()).await {
        Err(ErrorKind::Unsupported) => {
            return eprintln!("LEFT TO THE LAB: loopbacks: this kernel has no dummy");
        }
        other => assert_eq!(other, Ok(())),
    }
    assert_eq!(s.submit(create).await, Ok(()), "ours is there already");
    let dummy = s
        .kernel
        .links()
        .await
        .unwrap()
        .into_iter()
        .find(|l| l.name == "Loopback7")
        .unwrap();
    assert!(dummy.ours && !dummy.up && !dummy.loopback);
    assert_eq!(
        (dummy.kind.as_str(), dummy.mac.len(), dummy.mtu),
        ("dummy", 6, 1500)
    );
    let up = Request::SetLink {
        interface: "Loopback7".into(),
        up: Some(true),
        mtu: None,
    };
    assert_eq!(s.submit(up).await, Ok(()));
    let seen = event(&mut s.events, |e| match e {
        Event::LinkChanged(l) if l.name == "Loopback7" && l.up && l.running => Some(l),
        _ => None,
    })
    .await;
    assert_eq!(
        (seen.index, &seen.mac, seen.ours),
        (dummy.index, &dummy.mac, true)
    );
    assert_eq!(
        s.submit(Request::DeleteLink {
            name: "Loopback7".into()
        })
        .await,
        Ok(())
    );
    event(&mut s.events, |e| {
        matches!(&e, Event::LinkRemoved { name, .. } if name == "Loopback7").then_some(())
    })
    .await;
    assert_eq!(
        s.submit(Request::DeleteLink {
            name: "Loopback7".into()
        })
        .await,
        Err(ErrorKind::NotFound)
    );
}

pub async fn addresses(mut s: Subject) {
    let index = s.interface("d0", "10.1.2.3/24").await;
    event(&mut s.events, |e| match e {
        Event::AddressChanged {
            index: i,
            address,
            present: true,
        } if i == index && address == net("10.1.2.3/24") => Some(()),
        _ => None,
    })
    .await;
    let set = |a: &str| Request::SetAddress {
        interface: "d0".into(),
        address: net(a),
    };
    let remove = |a: &str| Request::RemoveAddress {
        interface: "d0".into(),
        address: net(a),
    };
    assert_eq!(
        s.submit(set("10.1.2.3/24")).await,
        Ok(()),
        "it is there already"
    );
    assert_eq!(s.submit(set("10.1.2.4/24")).await, Ok(()));
    assert_eq!(s.submit(set("2001:db8::1/64")).await, Ok(()));
    s.foreign_address("d0", "10.9.9.9/24").await;

    let all = s.kernel.addresses().await.unwrap();
    let find = |a: &str| {
        all.iter()
            .find(|x| x.address == net(a))
            .unwrap_or_else(|| panic!("no {a} in {all:?}"))
    };
    assert!(find("10.1.2.3/24").ours && !find("10.1.2.3/24").secondary);
    assert!(find("10.1.2.4/24").ours && find("10.1.2.4/24").secondary);
    assert!(find("2001:db8::1/64").ours);
    assert!(!find("10.9.9.9/24").ours);
    assert_eq!(
        s.submit(set("10.9.9.9/24")).await,
        Ok(()),
        "the operator's is good enough"
    );

    assert_eq!(
        s.submit(remove("10.9.9.9/24")).await,
        Err(ErrorKind::NotOurs)
    );
    assert_eq!(s.submit(remove("10.1.2.4/24")).await, Ok(()));
    assert_eq!(
        s.submit(remove("10.1.2.4/24")).await,
        Err(ErrorKind::NotFound)
    );
    assert_eq!(s.submit(remove("2001:db8::1/64")).await, Ok(()));
    let missing = Request::SetAddress {
        interface: "nope".into(),
        address: net("10.0.0.1/8"),
    };
    assert_eq!(s.submit(missing).await, Err(ErrorKind::NotFound));
    let left: Vec<_> = s
        .kernel
        .addresses()
        .await
        .unwrap()
        .into_iter()
        .filter(|a| a.index == index)
        .collect();
    let left: Vec<_> = left
        .iter()
        .filter(|a| a.address.addr().is_ipv4())
        .map(|a| a.address.to_string())
        .collect();
    assert_eq!(left, ["10.1.2.3/24", "10.9.9.9/24"]);
}

pub async fn routes(mut s: Subject) {
    s.interface("d0", "10.1.2.3/24").await;
    let route = |prefix: &str, target: RouteTarget, metric| RouteSpec {
        prefix: net(prefix),
        target,
        metric,
    };
    let gateway = |a: &str| RouteTarget::Gateway(ip(a), None);
    let ours = [
        route("0.0.0.0/0", gateway("10.1.2.1"), 1),
        route("0.0.0.0/0", gateway("10.1.2.2"), 200),
        route(
            "172.16.0.0/12",
            RouteTarget::Gateway(ip("10.1.2.9"), Some("d0".into())),
            1,
        ),
        route("198.51.100.0/24", RouteTarget::Interface("d0".into()), 1),
        route("203.0.113.0/24", RouteTarget::Blackhole, 254),
    ];
    for r in &ours {
        assert_eq!(
            s.submit(Request::AddRoute(r.clone())).await,
            Ok(()),
            "{r:?}"
        );
        assert_eq!(
            s.submit(Request::AddRoute(r.clone())).await,
            Ok(()),
            "again {r:?}"
        );
    }
    let far = route("192.0.2.0/24", gateway("172.31.255.1"), 1);
    assert_eq!(
        s.submit(Request::AddRoute(route(
            "192.0.2.0/24",
            RouteTarget::Interface("nope".into()),
            1
        )))
        .await,
        Err(ErrorKind::NotFound)
    );
    assert_eq!(
        s.submit(Request::RemoveRoute(far)).await,
        Err(ErrorKind::NotFound)
    );

    let all = s.kernel.routes().await.unwrap();
    assert_eq!(
        all.iter().filter(|r| r.ours).count(),
        ours.len(),
        "{all:#?}"
    );
    for r in &ours {
        let found = all
            .iter()
            .find(|x| x.ours && x.prefix == r.prefix && x.metric == r.metric);
        let found = found.unwrap_or_else(|| panic!("no {r:?} in {all:#?}"));
        match (&found.target, &r.target) {
            (RouteTarget::Gateway(a, _), RouteTarget::Gateway(b, _)) => assert_eq!(a, b),
            (a, b) => assert_eq!(a, b),
        }
    }
    let connected = all.iter().find(|r| r.prefix == net("10.1.2.0/24")).unwrap();
    assert!(connected.connected && !connected.ours && connected.protocol == 2);
    assert_eq!(connected.source, Some(ip("10.1.2.3")));

    assert_eq!(
        s.kernel.source_for(ip("8.8.8.8")).await.unwrap(),
        ip("10.1.2.3")
    );
    assert_eq!(
        s.kernel.source_for(ip("10.1.2.3")).await.unwrap(),
        ip("10.1.2.3")
    );
    let backup = Request::RemoveRoute(route("10.1.2.0/24", RouteTarget::Interface("d0".into()), 0));
    assert_eq!(
        s.submit(backup).await,
        Err(ErrorKind::NotFound),
        "the kernel's own route is not ours"
    );
    for r in ours {
        assert_eq!(s.submit(Request::RemoveRoute(r.clone())).await, Ok(()));
        assert_eq!(
            s.submit(Request::RemoveRoute(r)).await,
            Err(ErrorKind::NotFound)
        );
    }
    assert_eq!(
        s.kernel.source_for(ip("8.8.8.8")).await.map_err(|e| e.kind),
        Err(ErrorKind::Unreachable)
    );
    let unreachable = Request::AddRoute(route("192.0.2.0/24", gateway("172.31.255.1"), 1));
    assert_eq!(s.submit(unreachable).await, Err(ErrorKind::Unreachable));
}
