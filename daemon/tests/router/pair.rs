//! Two routers in memory, each on a fake kernel, joined by a wire: startup-configs in, a tunnel and its end out.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use isthmus_grammar::command::DebugTopic;
use isthmus_kernel::{
    Acquire, Action, Direction, ErrorKind, Event, Events, Fake, IpsecProtocol, Kernel, PortMatch,
    Selector, Verdict,
};
use isthmusd::clock::Clock;
use isthmusd::config;
use isthmusd::router::Shared;
use isthmusd::router::reconcile::{adopt, catch_up, reconcile};
use isthmusd::tasks;
use isthmusd::testing::RouterBuilder;
use tokio::task::LocalSet;

/// One router and what its test needs to reach into.
struct Side {
    router: Shared,
    fake: Fake,
}

fn config(local: u8, remote: u8, more: &str) -> String {
    format!(
        "hostname R{local}
crypto isakmp policy 10
 encryption aes 256
 hash sha256
 authentication pre-share
 group 14
crypto isakmp key corinth address 192.0.2.{remote}
crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac
crypto map VPN 10 ipsec-isakmp
 set peer 192.0.2.{remote}
 set transform-set TS
 match address FLOW
interface wan0
 ip address 192.0.2.{local} 255.255.255.0
 crypto map VPN
ip access-list extended FLOW
 permit ip 10.0.{local}.0 0.0.0.255 10.0.{remote}.0 0.0.0.255
{more}end
"
    )
}

impl Side {
    async fn boot(text: &str) -> Self {
        let (kernel, _events, fake) = Kernel::fake();
        fake.add_link("wan0");
        Self::boot_on(text, kernel, fake).await
    }

    async fn boot_on(text: &str, kernel: Kernel, fake: Fake) -> Self {
        let router = RouterBuilder::on(kernel).configured(text);
        let router = Rc::new(RefCell::new(router));
        adopt(&router).await.unwrap();
        reconcile(&router).await.unwrap();
        let side = Self { router, fake };
        side.carry(&mut VecDeque::new()).await;
        side
    }

    /// Carries out the work; what is sent goes to the wire.
    async fn carry(&self, wire: &mut VecDeque<(SocketAddr, SocketAddr, Vec<u8>)>) {
        tasks::carry_out(&self.router, |local, remote, bytes| {
            wire.push_back((local, remote, bytes.to_vec()));
            Ok(())
        })
        .await;
    }

    async fn policies(&self) -> Vec<isthmus_kernel::PolicySpec> {
        let kernel = self.router.borrow().kernel.clone();
        kernel
            .dump_policies()
            .await
            .unwrap()
            .into_iter()
            .map(|p| p.spec)
            .collect()
    }

    /// A packet meets the first outbound policy.
    async fn traffic(&self) {
        let policies = self.policies().await;
        let policy = policies
            .iter()
            .filter(|p| p.key.direction == Direction::Out)
            .min_by_key(|p| p.priority)
            .unwrap();
        let Action::Protect(templates) = &policy.action else {
            panic!("not protected: {policy:?}");
        };
        let template = templates[0];
        let acquire = Acquire {
            reqid: template.reqid,
            protocol: template.protocol,
            source: template.source,
            destination: template.destination,
            policy: policy.key,
            priority: policy.priority,
            policy_index: 1,
            packet: policy.key.selector,
            sequence: 1,
        };
        tasks::kernel_event(&self.router, Event::Acquire(acquire));
    }

    fn log(&self) -> String {
        let router = self.router.borrow();
        router.log.buffer().lines().collect::<Vec<_>>().join("\n")
    }

    fn children(&self) -> usize {
        let router = self.router.borrow();
        router.tunnels.engine.children(router.now()).len()
    }
}

/// Lets both talk until nothing is on the wire.
async fn settle(a: &Side, b: &Side) {
    let (mut to_b, mut to_a) = (VecDeque::new(), VecDeque::new());
    for _ in 0..100 {
        a.carry(&mut to_b).await;
        b.carry(&mut to_a).await;
        if to_a.is_empty() && to_b.is_empty() {
            return;
        }
        for (local, remote, bytes) in to_b.drain(..) {
            b.router.borrow_mut().datagram(remote, local, &bytes);
        }
        for (local, remote, bytes) in to_a.drain(..) {
            a.router.borrow_mut().datagram(remote, local, &bytes);
        }
    }
    panic!("they never stop talking\n{}\n{}", a.log(), b.log());
}

async fn pair(left: &str, right: &str) -> (Side, Side) {
    (Side::boot(left).await, Side::boot(right).await)
}

#[tokio::test(flavor = "current_thread")]
async fn traffic_raises_a_tunnel() {
    LocalSet::new()
        .run_until(async {
            let (a, b) = pair(&config(1, 2, ""), &config(2, 1, "")).await;
            a.traffic().await;
            settle(&a, &b).await;
            assert_eq!(
                (a.children(), b.children()),
                (1, 1),
                "{}\n{}",
                a.log(),
                b.log()
            );
            let (left, right) = (a.fake.sas(), b.fake.sas());
            assert_eq!((left.len(), right.len()), (2, 2));
            for sa in &left {
                let same = right.iter().find(|other| other.id() == sa.id()).unwrap();
                assert_eq!(sa.encryption, same.encryption);
                assert_eq!(sa.authentication, same.authentication);
                assert_eq!(sa.protocol, IpsecProtocol::Esp);
            }
        })
        .await;
}

#[tokio::test(flavor = "current_thread")]
async fn another_key_is_named_as_the_cause() {
    LocalSet::new()
        .run_until(async {
            let right = config(2, 1, "").replace("corinth", "athens");
            let (a, b) = pair(&config(1, 2, ""), &right).await;
            a.traffic().await;
            settle(&a, &b).await;
            assert_eq!((a.children(), b.children()), (0, 0));
            assert!(a.fake.sas().is_empty() && b.fake.sas().is_empty());
            let log = b.log();
            assert!(log.contains("%CRYPTO-6-IKMP_MODE_FAILURE"), "{log}");
            assert!(log.contains("crypto isakmp key"), "{log}");
            assert!(!log.contains("athens") && !log.contains("corinth"), "{log}");
        })
        .await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_kernel_that_refuses_leaves_no_half_tunnel() {
    LocalSet::new()
        .run_until(async {
            let (a, b) = pair(&config(1, 2, ""), &config(2, 1, "")).await;
            a.fake.fail_next("add SA", ErrorKind::Unsupported);
            a.traffic().await;
            settle(&a, &b).await;
            assert_eq!(
                (a.children(), b.children()),
                (0, 0),
                "{}\n{}",
                a.log(),
                b.log()
            );
            assert!(a.fake.sas().is_empty() && b.fake.sas().is_empty());
        })
        .await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_killed_daemon_finds_its_policies_and_drops_its_sas() {
    LocalSet::new()
        .run_until(async {
            let (a, b) = pair(&config(1, 2, ""), &config(2, 1, "")).await;
            a.traffic().await;
            settle(&a, &b).await;
            let before = a.fake.counts();
            let kernel = a.router.borrow().kernel.clone();
            let again = Side::boot_on(&config(1, 2, ""), kernel, a.fake.clone()).await;
            let after = a.fake.counts();
            assert!(again.fake.sas().is_empty());
            assert_eq!(
                after.set_policy, before.set_policy,
                "the policies stood and still stand"
            );
            assert_eq!(after.delete_policy, before.delete_policy);
            again.traffic().await;
            settle(&again, &b).await;
            assert_eq!(again.fake.sas().len(), 2, "{}\n{}", again.log(), b.log());
        })
        .await;
}

#[tokio::test(flavor = "current_thread")]
async fn an_entry_that_goes_takes_its_policies_along_and_no_others() {
    LocalSet::new()
        .run_until(async {
            let more = "crypto map VPN 20 ipsec-isakmp
 set peer 192.0.2.3
 set transform-set TS
 match address OTHER
ip access-list extended OTHER
 permit tcp 10.0.1.0 0.0.0.255 host 10.0.3.1 eq 443
";
            let (a, b) = pair(&config(1, 2, more), &config(2, 1, "")).await;
            a.traffic().await;
            settle(&a, &b).await;
            let count = a.policies().await.len();
            let deleted = a.fake.counts().delete_sa;
            let without = config::load(&config(1, 2, ""), "test").0;
            *a.router.borrow_mut().running = without;
            reconcile(&a.router).await.unwrap();
            settle(&a, &b).await;
            // With those for fragments, whose ports the kernel does not read.
            assert_eq!((count, a.policies().await.len()), (9, 3));
            assert_eq!(a.fake.counts().delete_sa, deleted);
            assert_eq!(a.children(), 1, "the other tunnel stays");
        })
        .await;
}

#[tokio::test(flavor = "current_thread")]
async fn what_cannot_be_expressed_is_blocked_and_reported() {
    LocalSet::new()
        .run_until(async {
            let text = config(1, 2, "").replace(
                "permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255",
                "permit tcp 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255 range 80 81",
            );
            let a = Side::boot(&text).await;
            let policies = a.policies().await;
            // With those for fragments, whose ports the kernel does not read.
            assert_eq!(policies.len(), 6);
            assert!(policies.iter().all(|p| p.action == Action::Block));
            let out = policies
                .iter()
                .find(|p| {
                    p.key.direction == Direction::Out && p.key.selector.destination_port.value != 0
                })
                .unwrap();
            let expected = Selector {
                protocol: 6,
                destination_port: PortMatch {
                    value: 80,
                    mask: 0xfffe,
                },
                ..Selector::between(
                    "10.0.1.0/24".parse().unwrap(),
                    "10.0.2.0/24".parse().unwrap(),
                )
            };
            assert_eq!(out.key.selector, expected);
            assert!(a.log().contains("range www 81"), "{}", a.log());
        })
        .await;
}

/// What the kernel reported since the last look.
fn take_events(side: &Side, events: &mut Events) {
    while let Some(event) = events.try_next() {
        tasks::kernel_event(&side.router, event);
    }
}

#[tokio::test(flavor = "current_thread")]
async fn traffic_asks_again_soon_after_a_failure() {
    LocalSet::new()
        .run_until(async {
            let (kernel, mut events, fake) = Kernel::fake();
            let wan = fake.add_link("wan0");
            let a = Side::boot_on(&config(1, 2, ""), kernel, fake).await;
            let ts = "esp-aes 256 esp-sha256-hmac";
            let b = Side::boot(&config(2, 1, "").replace(ts, "esp-3des esp-md5-hmac")).await;
            let ping = || {
                let ends = ["10.0.1.1", "10.0.2.1"].map(|end| end.parse().unwrap());
                a.fake.send_packet(wan, ends[0], ends[1], 1)
            };
            assert_eq!(ping(), Verdict::Dropped);
            take_events(&a, &mut events);
            settle(&a, &b).await;
            assert!(a.log().contains("IKMP_MODE_FAILURE"), "{}", a.log());
            assert_eq!(ping(), Verdict::Dropped);
            assert!(events.try_next().is_none(), "the kernel has just asked");
            let again = async {
                while events.try_next().is_none() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    assert_eq!(ping(), Verdict::Dropped);
                }
            };
            let patience = Duration::from_secs(20);
            let again = tokio::time::timeout(patience, again).await;
            again.expect("the kernel does not ask again before its own time is over");
        })
        .await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_lost_acquire_is_asked_for_again() {
    LocalSet::new()
        .run_until(async {
            let (kernel, mut events, fake) = Kernel::fake();
            let wan = fake.add_link("wan0");
            let a = Side::boot_on(&config(1, 2, ""), kernel, fake).await;
            let b = Side::boot(&config(2, 1, "")).await;
            let ping = || {
                let ends = ["10.0.1.1", "10.0.2.1"].map(|end| end.parse().unwrap());
                a.fake.send_packet(wan, ends[0], ends[1], 1)
            };
            let mut lost = 0;
            assert_eq!(ping(), Verdict::Dropped);
            while events.try_next().is_some() {
                lost += 1;
            }
            assert!(lost > 0);
            assert_eq!(ping(), Verdict::Dropped);
            assert!(events.try_next().is_none(), "the kernel has just asked");
            catch_up(&a.router).await.unwrap();
            a.carry(&mut VecDeque::new()).await;
            assert_eq!(ping(), Verdict::Dropped);
            take_events(&a, &mut events);
            // One that was heard is not asked for a third time.
            catch_up(&a.router).await.unwrap();
            let mut first_messages = VecDeque::new();
            a.carry(&mut first_messages).await;
            assert_eq!(ping(), Verdict::Dropped);
            assert!(events.try_next().is_none(), "it was asked for again");
            for (local, remote, bytes) in first_messages {
                b.router.borrow_mut().datagram(remote, local, &bytes);
            }
            settle(&a, &b).await;
            assert_eq!(a.children(), 1, "{}", a.log());
        })
        .await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_lost_expiry_is_noticed() {
    LocalSet::new()
        .run_until(async {
            let (a, b) = pair(&config(1, 2, ""), &config(2, 1, "")).await;
            a.traffic().await;
            settle(&a, &b).await;
            let later = |seconds| {
                let mut router = a.router.borrow_mut();
                let (now, uptime) = (router.clock.now(), router.clock.uptime());
                let uptime = uptime + Duration::from_secs(seconds);
                router.clock = Clock::fixed(now, uptime);
            };
            later(60);
            catch_up(&a.router).await.unwrap();
            settle(&a, &b).await;
            assert_eq!((a.children(), a.fake.sas().len()), (1, 2), "all is well");
            let before = a.fake.sas();
            // the soft limit in bytes: a new pair takes over
            let out = before
                .iter()
                .find(|sa| sa.destination.to_string() == "192.0.2.2");
            let id = out.unwrap().id();
            let bytes = out.unwrap().lifetime.soft_bytes.unwrap();
            let stats = isthmus_kernel::SaStats {
                bytes,
                ..Default::default()
            };
            assert!(a.fake.set_stats(id, stats));
            catch_up(&a.router).await.unwrap();
            settle(&a, &b).await;
            // the peer is given time before the new pair is sent through
            later(5);
            a.router.borrow_mut().until_timeout();
            settle(&a, &b).await;
            let young = a
                .fake
                .sas()
                .into_iter()
                .map(|sa| sa.id())
                .filter(|id| before.iter().all(|old| old.id() != *id));
            let young: Vec<_> = young.collect();
            assert_eq!(young.len(), 2, "{}", a.log());
            // the hard limit: the kernel has it no more
            later(60);
            let kernel = a.router.borrow().kernel.clone();
            let gone = young.iter().copied().map(isthmus_kernel::Request::DeleteSa);
            assert!(
                kernel
                    .submit(gone.collect())
                    .await
                    .iter()
                    .all(Result::is_ok)
            );
            catch_up(&a.router).await.unwrap();
            settle(&a, &b).await;
            let engine: Vec<u32> = {
                let router = a.router.borrow();
                let children = router.tunnels.engine.children(router.now());
                children
                    .iter()
                    .map(|c| c.sa.protocols[0].inbound_spi)
                    .collect()
            };
            assert!(
                young.iter().all(|id| !engine.contains(&id.spi)),
                "{}",
                a.log()
            );
        })
        .await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_map_for_any_traffic_leaves_other_interfaces_alone() {
    LocalSet::new()
        .run_until(async {
            let lan = "interface lan0\n ip address 10.0.1.1 255.255.255.0\n";
            let wide = (
                "permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255",
                "permit ip any any",
            );
            let narrow = config(1, 2, lan);
            let wide = narrow.replace(wide.0, wide.1);
            let none = narrow.replace(" crypto map VPN\n", "");
            let (kernel, _events, fake) = Kernel::fake();
            for name in ["wan0", "lan0", "other0"] {
                fake.add_link(name);
            }
            let a = Side::boot_on(&narrow, kernel, fake).await;
            let unchecked = || {
                let mut names = a.fake.unchecked_interfaces();
                names.sort();
                names
            };
            assert_eq!(unchecked(), [""; 0]);
            for (text, expected) in [
                (&wide, ["lan0", "other0"].as_slice()),
                (&narrow, &[]),
                (&none, &[]),
                (&wide, &["lan0", "other0"]),
            ] {
                *a.router.borrow_mut().running = config::load(text, "test").0;
                reconcile(&a.router).await.unwrap();
                a.carry(&mut VecDeque::new()).await;
                assert_eq!(unchecked(), expected);
            }
        })
        .await;
}

#[tokio::test(flavor = "current_thread")]
async fn what_df_bit_set_comes_to_is_said_once() {
    LocalSet::new()
        .run_until(async {
            let a = Side::boot(&config(1, 2, "crypto ipsec df-bit set\n")).await;
            reconcile(&a.router).await.unwrap();
            assert_eq!(
                a.log().matches("it is copied, as with").count(),
                1,
                "{}",
                a.log()
            );
        })
        .await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_policy_of_the_operators_is_named_and_stays() {
    LocalSet::new()
        .run_until(async {
            let (kernel, _events, fake) = Kernel::fake();
            let wan = fake.add_link("wan0");
            let ends = ["10.0.1.0/24", "10.0.2.0/24"].map(|end| end.parse().unwrap());
            fake.add_foreign_policy(isthmus_kernel::PolicyKey {
                direction: Direction::Out,
                selector: Selector::between(ends[0], ends[1]),
                interface: wan,
            });
            let a = Side::boot_on(&config(1, 2, ""), kernel, fake).await;
            let log = a.log();
            assert!(
                log.contains("cannot set policy out 10.0.1.0/24 -> 10.0.2.0/24"),
                "{log}"
            );
            assert!(log.contains("not made by isthmusd"), "{log}");
            assert_eq!(a.policies().await.len(), 2, "the others stand");
        })
        .await;
}

#[tokio::test(flavor = "current_thread")]
async fn debug_tells_the_story_in_the_words_of_ios() {
    LocalSet::new()
        .run_until(async {
            let more = "no service timestamps debug\nlogging buffered 200000\n";
            let (a, b) = pair(&config(1, 2, more), &config(2, 1, more)).await;
            for side in [&a, &b] {
                let mut router = side.router.borrow_mut();
                router.debugging.change(DebugTopic::All, true);
                router.debugging_changed();
            }
            a.traffic().await;
            settle(&a, &b).await;
            for line in [
                "ISAKMP: (0):beginning Main Mode exchange",
                "ISAKMP: (0):found peer pre-shared key matching 192.0.2.2",
                "ISAKMP: (0):Old State = IKE_I_MM1  New State = IKE_I_MM2 ",
                "ISAKMP: (1001):Old State = IKE_I_MM6  New State = IKE_P1_COMPLETE ",
                "ISAKMP: (1001):SA has been authenticated with 192.0.2.2",
                "IPSEC(sa_request): ,",
                "IPSEC(create_sa): sa created,",
                "crypto_engine: Create IPSec SA (by keys)",
            ] {
                assert!(a.log().contains(line), "no '{line}' in\n{}", a.log());
            }
            let log = b.log();
            for line in [
                "Global (N) NEW SA",
                "ISAKMP: (0):Checking ISAKMP transform 1 against priority 10 policy",
                "ISAKMP: (0):atts are acceptable. Next payload is 0",
                "ISAKMP: (0):Old State = IKE_READY  New State = IKE_R_MM1 ",
                "New State = IKE_QM_PHASE2_COMPLETE",
            ] {
                assert!(log.contains(line), "no '{line}' in\n{log}");
            }
            assert!(!log.contains("corinth") && !a.log().contains("corinth"));
        })
        .await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_configuration_that_is_replaced_leaves_tunnels_alone_that_both_have() {
    LocalSet::new()
        .run_until(async {
            let before = config(1, 2, "");
            let (a, b) = pair(&before, &config(2, 1, "")).await;
            a.traffic().await;
            settle(&a, &b).await;
            assert_eq!((a.children(), b.children()), (1, 1), "{}", a.log());
            let (sas, counts) = (a.fake.sas(), a.fake.counts());
            // Another entry before the old one, another policy, another name: the tunnel's own lines stay.
            let after = before
                .replace("hostname R1", "hostname R7\ncrypto isakmp policy 5\n group 5")
                .replace(
                    "crypto map VPN 10",
                    "crypto map VPN 5 ipsec-isakmp\n set peer 192.0.2.5\n set transform-set TS\n match address NEW\n\
                     crypto map VPN 10",
                )
                .replace(
                    "ip access-list extended FLOW",
                    "ip access-list extended NEW\n permit ip 10.5.0.0 0.0.0.255 10.6.0.0 0.0.0.255\n\
                     ip access-list extended FLOW",
                );
            for text in [&after, &before] {
                let (running, problems) = config::load(text, "test");
                assert_eq!(problems, []);
                *a.router.borrow_mut().running = running;
                a.router.borrow_mut().configured();
                reconcile(&a.router).await.unwrap();
                settle(&a, &b).await;
                assert_eq!((a.children(), b.children()), (1, 1), "{}", a.log());
                assert_eq!(a.fake.sas(), sas);
            }
            let now = a.fake.counts();
            assert_eq!((now.add_sa, now.delete_sa), (counts.add_sa, counts.delete_sa));
        })
        .await;
}
