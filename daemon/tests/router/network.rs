//! Interfaces, addresses, links and routes of a running-config in a kernel in memory.

use isthmus_kernel::{Fake, Kernel, Request, RouteTarget};
use isthmusd::config;
use isthmusd::router::Shared;
use isthmusd::router::reconcile::reconcile;
use isthmusd::tasks;
use isthmusd::testing::RouterBuilder;
use tokio::task::LocalSet;

struct Bed {
    router: Shared,
    kernel: Kernel,
    fake: Fake,
}

impl Bed {
    fn new() -> Self {
        let (kernel, _events, fake) = Kernel::fake();
        Self {
            router: RouterBuilder::on(kernel.clone()).shared(),
            kernel,
            fake,
        }
    }

    async fn configure(&self, text: &str) {
        let (running, problems) = config::load(text, "test");
        assert_eq!(problems, []);
        *self.router.borrow_mut().running = running;
        self.settle().await;
    }

    async fn settle(&self) {
        reconcile(&self.router).await.unwrap();
        tasks::carry_out(&self.router, |_, _, _| Ok(())).await;
    }

    async fn addresses(&self) -> Vec<String> {
        let all = self.kernel.addresses().await.unwrap();
        all.iter()
            .map(|a| format!("{} {}", a.index, a.address))
            .collect()
    }

    async fn link(&self, name: &str) -> Option<isthmus_kernel::LinkInfo> {
        self.kernel
            .links()
            .await
            .unwrap()
            .into_iter()
            .find(|link| link.name == name)
    }

    async fn routes(&self) -> Vec<(String, RouteTarget, u32)> {
        let all = self.kernel.routes().await.unwrap();
        let ours = all.into_iter().filter(|route| route.ours);
        ours.map(|r| (r.prefix.to_string(), r.target, r.metric))
            .collect()
    }

    fn log(&self) -> String {
        let router = self.router.borrow();
        router.log.buffer().lines().collect::<Vec<_>>().join("\n")
    }
}

fn test<F: Future<Output = ()>>(body: impl FnOnce(Bed) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async { body(Bed::new()).await });
}

#[test]
fn addresses_follow_the_configuration_and_others_stay() {
    test(|bed| async move {
        let index = bed.fake.add_link("wan0");
        bed.fake
            .add_foreign_address(index, "198.51.100.7/24".parse().unwrap());
        bed.configure("interface wan0\n ip address 192.0.2.1 255.255.255.0\nend\n")
            .await;
        let foreign = format!("{index} 198.51.100.7/24");
        assert_eq!(
            bed.addresses().await,
            [foreign.clone(), format!("{index} 192.0.2.1/24")]
        );
        bed.configure("interface wan0\n ip address 192.0.2.9 255.255.255.0\nend\n")
            .await;
        assert_eq!(
            bed.addresses().await,
            [foreign.clone(), format!("{index} 192.0.2.9/24")]
        );
        bed.configure("end\n").await;
        assert_eq!(bed.addresses().await, [foreign]);
    });
}

#[test]
fn an_interface_that_comes_later_gets_its_lines() {
    test(|bed| async move {
        bed.configure("interface late0\n ip address 192.0.2.1 255.255.255.0\nend\n")
            .await;
        assert!(bed.addresses().await.is_empty());
        let index = bed.fake.add_link("late0");
        bed.settle().await;
        assert_eq!(bed.addresses().await, [format!("{index} 192.0.2.1/24")]);
    });
}

#[test]
fn loopbacks_are_made_and_taken_away() {
    test(|bed| async move {
        bed.configure("interface Loopback0\n ip address 10.255.0.1 255.255.255.255\nend\n")
            .await;
        let loopback = bed.link("Loopback0").await.unwrap();
        assert!(loopback.ours && loopback.up);
        assert_eq!(
            bed.addresses().await,
            [format!("{} 10.255.0.1/32", loopback.index)]
        );
        bed.settle().await;
        bed.configure("end\n").await;
        assert!(bed.link("Loopback0").await.is_none());
    });
}

#[test]
fn a_device_that_is_configured_is_up_unless_it_is_shut_down() {
    test(|bed| async move {
        for name in ["lan0", "spare0"] {
            bed.fake.add_link(name);
            let down = Request::SetLink {
                interface: name.into(),
                up: Some(false),
                mtu: None,
            };
            bed.kernel.submit(vec![down]).await.remove(0).unwrap();
        }
        let up = async |name| bed.link(name).await.unwrap().up;
        bed.configure("interface lan0\n no shutdown\nend\n").await;
        assert!(up("lan0").await && !up("spare0").await);
        bed.configure("interface lan0\n shutdown\nend\n").await;
        assert!(!up("lan0").await && !up("spare0").await);
    });
}

#[test]
fn shutdown_and_mtu_go_there_and_back() {
    test(|bed| async move {
        bed.fake.add_link("wan0");
        bed.configure("interface wan0\n mtu 1400\n shutdown\nend\n")
            .await;
        let link = bed.link("wan0").await.unwrap();
        assert_eq!((link.up, link.mtu), (false, 1400));
        assert!(
            bed.log().contains(
                "%LINK-5-CHANGED: Interface wan0, changed state to administratively down"
            )
        );
        bed.configure("interface wan0\nend\n").await;
        let link = bed.link("wan0").await.unwrap();
        assert_eq!((link.up, link.mtu), (true, 1500));
    });
}

#[test]
fn routes_come_and_go_and_are_asked_for_once() {
    test(|bed| async move {
        bed.fake.add_link("wan0");
        let interface = "interface wan0\n ip address 192.0.2.1 255.255.255.0\n";
        let routes =
            "ip route 10.0.0.0 255.0.0.0 192.0.2.254\nip route 172.16.0.0 255.240.0.0 Null0 200\n";
        bed.configure(&format!("{interface}{routes}end\n")).await;
        let gateway = |target: &RouteTarget| matches!(target, RouteTarget::Gateway(via, _) if via.to_string() == "192.0.2.254");
        let mut there = bed.routes().await;
        there.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(there.len(), 2, "{}", bed.log());
        assert!(there[0].0 == "10.0.0.0/8" && gateway(&there[0].1) && there[0].2 == 1);
        assert_eq!(
            there[1],
            ("172.16.0.0/12".into(), RouteTarget::Blackhole, 200)
        );
        let before = bed.fake.counts();
        bed.settle().await;
        assert_eq!(bed.fake.counts(), before, "nothing is asked twice");
        bed.configure(&format!(
            "{interface}ip route 10.0.0.0 255.0.0.0 192.0.2.254 5\nend\n"
        ))
        .await;
        let there = bed.routes().await;
        assert_eq!(there.len(), 1);
        assert_eq!(there[0].2, 5);
    });
}

#[test]
fn a_route_of_greater_distance_waits_until_it_is_the_best() {
    test(|bed| async move {
        bed.fake.add_link("wan0");
        bed.fake.add_link("wan1");
        let text = "interface wan0\n ip address 192.0.2.1 255.255.255.0\n\
                    interface wan1\n ip address 198.51.100.1 255.255.255.0\n\
                    ip route 0.0.0.0 0.0.0.0 192.0.2.254\nip route 0.0.0.0 0.0.0.0 198.51.100.254 250\n\
                    ip route 10.0.0.0 255.0.0.0 wan0\nip route 10.0.0.0 255.0.0.0 Null0 254\n\
                    ip route 10.7.0.0 255.255.0.0 198.51.100.9 250\nend\n";
        let distances = async |bed: &Bed| {
            let mut all: Vec<(String, u32)> = (bed.routes().await.into_iter())
                .map(|(prefix, _, distance)| (prefix, distance))
                .collect();
            all.sort();
            all
        };
        let is = |all: &[(&str, u32)]| -> Vec<(String, u32)> {
            all.iter()
                .map(|(prefix, distance)| ((*prefix).to_owned(), *distance))
                .collect()
        };
        bed.configure(text).await;
        let first = is(&[("0.0.0.0/0", 1), ("10.0.0.0/8", 1), ("10.7.0.0/16", 250)]);
        assert_eq!(distances(&bed).await, first);
        bed.fake.remove_link("wan0");
        bed.settle().await;
        let second = is(&[
            ("0.0.0.0/0", 250),
            ("10.0.0.0/8", 254),
            ("10.7.0.0/16", 250),
        ]);
        assert_eq!(distances(&bed).await, second);
        bed.fake.add_link("wan0");
        bed.settle().await;
        bed.settle().await;
        assert_eq!(distances(&bed).await, first);
    });
}

#[test]
fn names_of_ios_mean_the_devices_in_their_order() {
    test(|bed| async move {
        let first = bed.fake.add_link("lan0");
        let second = bed.fake.add_link("wan0");
        let text = "interface GigabitEthernet0/0\n ip address 10.0.0.1 255.255.255.0\n\
                    interface GigabitEthernet0/1\n ip address 10.0.1.1 255.255.255.0\nend\n";
        bed.configure(text).await;
        assert_eq!(
            bed.addresses().await,
            [
                format!("{first} 10.0.0.1/24"),
                format!("{second} 10.0.1.1/24")
            ]
        );
        assert!(
            bed.log()
                .contains("Interface GigabitEthernet0/1, changed state to up")
        );
    });
}

#[test]
fn an_error_of_the_kernel_is_logged_once() {
    test(|bed| async move {
        bed.fake.add_link("wan0");
        let text = "interface wan0\n ip address 192.0.2.1 255.255.255.0\nend\n";
        for _ in 0..3 {
            bed.fake
                .fail_next("set address", isthmus_kernel::ErrorKind::Permission);
        }
        bed.configure(text).await;
        bed.settle().await;
        bed.settle().await;
        assert_eq!(
            bed.log().matches("%SYS-3-KERNEL").count(),
            1,
            "{}",
            bed.log()
        );
        bed.settle().await;
        assert_eq!(bed.addresses().await.len(), 1);
    });
}
