//! What an attacker or bad luck could do between a change and the kernel: nothing is open meanwhile, or for good.

use std::cell::RefCell;
use std::rc::Rc;

use isthmus_kernel::{ErrorKind, Fake, Kernel, Priority};
use tokio::task::LocalSet;

use super::*;
use crate::config;
use crate::testing::RouterBuilder;
use isthmus_kernel::Direction;

const SETS: &str = "crypto ipsec transform-set T esp-aes 256 esp-sha256-hmac\n!\n";

fn entry(map: &str, list: &str) -> String {
    format!(
        "crypto map {map} 10 ipsec-isakmp\n set peer 192.0.2.9\n set transform-set T\n match address {list}\n!\n"
    )
}

async fn begin(text: &str, links: &[&str]) -> (Shared, Fake, Kernel) {
    let (kernel, events, fake) = Kernel::fake();
    std::mem::forget(events);
    for name in links {
        fake.add_link(name);
    }
    let router = Rc::new(RefCell::new(RouterBuilder::on(kernel.clone()).build()));
    reconcile(&router).await.unwrap();
    {
        let mut router = router.borrow_mut();
        config::merge(&mut router.running, text, "test");
        router.configured();
    }
    follow(&router).await.unwrap();
    (router, fake, kernel)
}

fn index(router: &Shared, name: &str) -> u32 {
    let router = router.borrow();
    router
        .interfaces
        .iter()
        .find(|one| one.link.name == name)
        .unwrap()
        .link
        .index
}

/// What happens to 10.1.0.1 -> 10.2.0.1 on a way out that has no map.
async fn fate(kernel: &Kernel) -> Option<Action> {
    let all = kernel.dump_policies().await.unwrap();
    let mut all: Vec<PolicySpec> = all.into_iter().map(|one| one.spec).collect();
    all.sort_by_key(|one| one.priority);
    let meets = |one: &PolicySpec| {
        one.key.direction == Direction::Out
            && one.key.interface == ANY_INTERFACE
            && one
                .key
                .selector
                .matches([10, 1, 0, 1].into(), [10, 2, 0, 1].into(), 1, 0, 0)
    };
    all.into_iter().find(meets).map(|one| one.action)
}

fn run(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, future);
}

#[test]
fn a_link_that_goes_while_another_comes_back_stays_closed() {
    run(async {
        let text = format!(
            "{SETS}ip access-list extended A\n permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n!\n{}\
             interface wan0\n ip address 192.0.2.1 255.255.255.0\n crypto map M\n!\n\
             interface wan1\n ip address 198.51.100.1 255.255.255.0\n crypto map M\n!\n",
            entry("M", "A")
        );
        let (router, fake, kernel) = begin(&text, &["wan0", "wan1", "wan2"]).await;
        assert_eq!(fate(&kernel).await, None);
        let (wan0, wan1) = (index(&router, "wan0"), index(&router, "wan1"));
        fake.remove_link("wan1");
        router.borrow_mut().close_elsewhere(wan1);
        router.borrow_mut().machine_changed();
        follow(&router).await.unwrap();
        assert_eq!(fate(&kernel).await, Some(Action::Block));
        // wan1 comes back; while that is planned wan0 goes.
        fake.add_link("wan1");
        router.borrow_mut().machine_changed();
        let pending = std::mem::take(&mut router.borrow_mut().pending);
        refresh_for_plan(&router).await.unwrap();
        fake.remove_link("wan0");
        router.borrow_mut().close_elsewhere(wan0);
        router.borrow_mut().machine_changed();
        plan(&router, &pending, true).await;
        enforce(&router).await;
        assert_eq!(fate(&kernel).await, Some(Action::Block));
    });
}

#[test]
fn the_exemption_of_a_map_that_is_gone_does_not_stand_before_a_block() {
    run(async {
        let text = format!(
            "{SETS}ip access-list extended A\n permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n!\n\
             ip access-list extended B\n deny ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.0.255\n \
             permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n!\n{}{}\
             interface wan1\n ip address 198.51.100.1 255.255.255.0\n crypto map N\n!\n\
             interface wan0\n ip address 192.0.2.1 255.255.255.0\n crypto map M\n!\n",
            entry("M", "A"),
            entry("N", "B")
        );
        let (router, fake, kernel) = begin(&text, &["wan0", "wan1", "wan2"]).await;
        let (wan0, wan1) = (index(&router, "wan0"), index(&router, "wan1"));
        fake.remove_link("wan1");
        router.borrow_mut().close_elsewhere(wan1);
        router.borrow_mut().machine_changed();
        follow(&router).await.unwrap();
        fake.remove_link("wan0");
        router.borrow_mut().close_elsewhere(wan0);
        router.borrow_mut().machine_changed();
        enforce(&router).await;
        assert_eq!(
            fate(&kernel).await,
            Some(Action::Block),
            "before the next plan"
        );
        follow(&router).await.unwrap();
        assert_eq!(
            fate(&kernel).await,
            Some(Action::Block),
            "after the next plan"
        );
    });
}

#[test]
fn a_dump_that_fails_after_a_flush_is_asked_for_again() {
    run(async {
        let text = format!(
            "{SETS}ip access-list extended A\n permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n!\n{}\
             interface wan0\n ip address 192.0.2.1 255.255.255.0\n crypto map M\n!\n",
            entry("M", "A")
        );
        let (router, fake, kernel) = begin(&text, &["wan0"]).await;
        fake.flush_policies();
        fake.fail_next("list policies", ErrorKind::Exhausted);
        router.borrow_mut().tunnels.policies.doubt(None);
        let wake = router.borrow().wake.clone();
        // Use up what was notified before.
        let _ = tokio::time::timeout(Duration::from_millis(10), wake.work.notified()).await;
        let _ = tokio::time::timeout(Duration::from_millis(10), wake.refused.notified()).await;
        let _ = tokio::time::timeout(Duration::from_millis(10), wake.reconcile.notified()).await;
        enforce(&router).await;
        assert!(
            kernel.dump_policies().await.unwrap().is_empty(),
            "the dump did fail"
        );
        let again = async {
            tokio::select! {
                () = wake.work.notified() => {}
                () = wake.refused.notified() => {}
                () = wake.reconcile.notified() => {}
            }
        };
        assert!(
            tokio::time::timeout(Duration::from_secs(3), again)
                .await
                .is_ok(),
            "nobody looks again"
        );
    });
}

#[test]
fn half_a_change_never_reaches_the_kernel() {
    run(async {
        let text = format!(
            "{SETS}ip access-list extended A\n permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n \
             deny ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.0.255\n permit ip 10.1.0.0 0.0.255.255 10.3.0.0 0.0.255.255\n \
             permit ip 10.1.0.0 0.0.255.255 10.4.0.0 0.0.255.255\n!\n{}\
             interface wan0\n ip address 192.0.2.1 255.255.255.0\n crypto map M\n!\n",
            entry("M", "A")
        );
        let (router, _fake, kernel) = begin(&text, &["wan0"]).await;
        let wan0 = index(&router, "wan0");
        let passes = async || {
            let all = kernel.dump_policies().await.unwrap();
            let mut all: Vec<PolicySpec> = all.into_iter().map(|one| one.spec).collect();
            all.sort_by_key(|one| one.priority);
            let first = all.into_iter().find(|one| {
                one.key.direction == Direction::Out
                    && one.key.interface == wan0
                    && one
                        .key
                        .selector
                        .matches([10, 1, 0, 1].into(), [10, 2, 0, 1].into(), 1, 0, 0)
            });
            first.is_none_or(|one| one.action == Action::Bypass)
        };
        assert!(!passes().await);
        // The work of something else is under way.
        {
            let mut router = router.borrow_mut();
            for n in 0..4000u32 {
                let [.., b, c] = n.to_be_bytes();
                let selector = isthmus_kernel::Selector::between(
                    format!("172.16.{b}.{c}/32").parse().unwrap(),
                    "172.18.0.0/16".parse().unwrap(),
                );
                router.tunnels.policies.want(PolicySpec {
                    key: PolicyKey {
                        direction: Direction::Out,
                        selector,
                        interface: wan0,
                    },
                    priority: Priority::line(7_000_000),
                    action: Action::Block,
                });
            }
        }
        let own = router.clone();
        let work = tokio::task::spawn_local(async move { enforce(&own).await });
        tokio::task::yield_now().await;
        {
            let mut router = router.borrow_mut();
            let change = "ip access-list extended A\n no permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n \
                no deny ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.0.255\n permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n!\n";
            config::merge(&mut router.running, change, "test");
            router.configured();
        }
        let before = Arc::as_ptr(&router.borrow().tunnels.plan);
        let _ = before;
        let own = router.clone();
        let change = tokio::task::spawn_local(async move { follow(&own).await.unwrap() });
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        {
            let mut router = router.borrow_mut();
            let tunnels = &mut router.tunnels;
            let name = tunnels
                .plan
                .flows()
                .find(|(_, flow)| {
                    flow.places
                        .iter()
                        .any(|one| one.destination == "10.2.0.0/16".parse().unwrap())
                })
                .map(|(name, _)| *name)
                .unwrap();
            let mut shape = tunnels.plan.flow(&name).unwrap().shape.clone();
            shape.peer = [192, 0, 2, 77].into();
            tunnels.reshape(name, shape);
        }
        let mut leaked = 0;
        while !change.is_finished() || !work.is_finished() {
            leaked += u32::from(passes().await);
            tokio::task::yield_now().await;
        }
        assert_eq!(leaked, 0);
    });
}

#[test]
fn an_exemption_that_cannot_be_deleted_is_deleted_later() {
    run(async {
        let text = format!(
            "{SETS}ip access-list extended A\n deny ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.0.255\n \
             permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n!\n{}\
             interface wan0\n ip address 192.0.2.1 255.255.255.0\n crypto map M\n!\n",
            entry("M", "A")
        );
        let (router, fake, kernel) = begin(&text, &["wan0"]).await;
        fake.fail_next("delete policy out", ErrorKind::Exhausted);
        {
            let mut router = router.borrow_mut();
            config::merge(
                &mut router.running,
                "ip access-list extended A\n no deny ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.0.255\n!\n",
                "test",
            );
            router.configured();
        }
        follow(&router).await.unwrap();
        // What `insist` and everything later does.
        for _ in 0..5 {
            router.borrow_mut().tunnels.policies.retry();
            enforce(&router).await;
            router.borrow_mut().machine_changed();
            follow(&router).await.unwrap();
        }
        let all = kernel.dump_policies().await.unwrap();
        let left: Vec<_> = all
            .into_iter()
            .filter(|one| one.spec.action == Action::Bypass)
            .map(|one| one.spec.key.to_string())
            .collect();
        assert!(left.is_empty(), "{left:?}");
    });
}

#[test]
fn what_is_flushed_in_the_middle_is_set_again() {
    run(async {
        let lines: String = (0..200u32)
            .map(|n| format!(" permit ip 10.1.0.0 0.0.255.255 10.2.{n}.0 0.0.0.255\n"))
            .collect();
        let text = format!(
            "{SETS}ip access-list extended A\n{lines} deny ip 10.9.0.0 0.0.255.255 any\n!\n{}\
             interface wan0\n ip address 192.0.2.1 255.255.255.0\n!\n",
            entry("M", "A")
        );
        let (router, fake, kernel) = begin(&text, &["wan0"]).await;
        {
            let mut router = router.borrow_mut();
            config::merge(
                &mut router.running,
                "interface wan0\n crypto map M\n!\n",
                "test",
            );
            router.configured();
        }
        let pending = std::mem::take(&mut router.borrow_mut().pending);
        refresh_for_plan(&router).await.unwrap();
        plan(&router, &pending, true).await;
        let flushed = async {
            while kernel.dump_policies().await.unwrap().len() < 250 {
                tokio::task::yield_now().await;
            }
            fake.flush_policies();
            router.borrow_mut().tunnels.policies.doubt(None);
        };
        let ((), ()) = tokio::join!(enforce(&router), flushed);
        let all = kernel.dump_policies().await.unwrap();
        assert_eq!(all.len(), 603);
    });
}
