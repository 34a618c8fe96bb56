//! Devices that come, go, are renamed and change places below a configuration, on a kernel in memory: a name stays with
//! its hardware, and what a missing interface protected leaves by no other.

use std::cell::RefCell;
use std::net::IpAddr;
use std::path::Path;
use std::rc::Rc;

use isthmus_kernel::{Events, Fake, Kernel, Verdict};
use isthmusd::config;
use isthmusd::machine::interfaces::{InterfaceMap, InterfaceTable, store};
use isthmusd::router::reconcile::{adopt, reconcile};
use isthmusd::router::{Files, Shared};
use isthmusd::tasks;
use isthmusd::testing::RouterBuilder;
use tokio::task::LocalSet;

const LAN: [u8; 6] = [2, 0, 0, 0, 0, 1];
const OTHER: [u8; 6] = [2, 0, 0, 0, 0, 2];
const WAN: [u8; 6] = [2, 0, 0, 0, 0, 3];
const SLOT: [&str; 3] = ["0000:01:00.0", "0000:02:00.0", "0000:03:00.0"];

/// A crypto map `VPN` for traffic from 10.1.0.0/16 to 10.2.0.0/16.
const MAP: &str = "crypto isakmp key corinth address 192.0.2.2
crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac
crypto map VPN 10 ipsec-isakmp
 set peer 192.0.2.2
 set transform-set TS
 match address FLOW
ip access-list extended FLOW
 permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255
";

/// The map on an interface with the address of the uplink.
fn uplink(name: &str) -> String {
    format!("interface {name}\n ip address 192.0.2.1 255.255.255.0\n crypto map VPN\n")
}

struct Bed {
    router: Shared,
    kernel: Kernel,
    fake: Fake,
    events: Events,
}

impl Bed {
    /// A daemon that starts on this kernel with what an earlier one left in `state`.
    async fn start(kernel: (Kernel, Events, Fake), state: &Path, map: &str, text: &str) -> Self {
        let (kernel, events, fake) = kernel;
        let files = Files {
            config: state.join("startup-config"),
            state: state.to_owned(),
        };
        let path = state.join("map");
        std::fs::write(&path, map).unwrap();
        let table = InterfaceTable::new(InterfaceMap::read(&path, true).unwrap())
            .with_bindings(store::read(state));
        let router = RouterBuilder::on(kernel.clone())
            .files(files)
            .interfaces(table);
        let router = Rc::new(RefCell::new(router.configured(text)));
        adopt(&router).await.unwrap();
        let bed = Self {
            router,
            kernel,
            fake,
            events,
        };
        bed.settle().await;
        bed
    }

    /// A daemon on the same machine, which devices have left or joined meanwhile.
    async fn restart(self, state: &Path, text: &str, meanwhile: impl FnOnce(&Fake)) -> Self {
        meanwhile(&self.fake);
        let Self {
            kernel,
            fake,
            mut events,
            ..
        } = self;
        while events.try_next().is_some() {}
        Self::start((kernel, events, fake), state, "", text).await
    }

    async fn settle(&self) {
        reconcile(&self.router).await.unwrap();
        self.carry().await;
        self.written().await;
    }

    /// What was to be written is, and what came of it is known.
    async fn written(&self) {
        let written = self.router.borrow().disk.run(|| ());
        written.await.unwrap();
        tokio::task::yield_now().await;
    }

    async fn carry(&self) {
        tasks::carry_out(&self.router, |_, _, _| Ok(())).await;
    }

    /// Takes the kernel's events over, without a look at the whole.
    async fn hear(&mut self) {
        while let Some(event) = self.events.try_next() {
            tasks::kernel_event(&self.router, event);
        }
        self.carry().await;
    }

    async fn configure(&self, text: &str) {
        let (running, problems) = config::load(text, "test");
        assert_eq!(problems, []);
        self.router.borrow_mut().running = running.into();
        self.settle().await;
    }

    async fn index(&self, name: &str) -> u32 {
        let links = self.kernel.links().await.unwrap();
        links.iter().find(|link| link.name == name).unwrap().index
    }

    /// What becomes of a packet from site 1 to site 2 that leaves by a device.
    async fn leaves(&self, device: &str) -> Verdict {
        self.packet(device, [10, 1, 0, 1], [10, 2, 0, 1]).await
    }

    async fn packet(&self, device: &str, from: [u8; 4], to: [u8; 4]) -> Verdict {
        let index = self.index(device).await;
        let (from, to) = (IpAddr::from(from), IpAddr::from(to));
        self.fake.send_packet(index, from, to, 17)
    }

    /// The device that has the address of the uplink.
    async fn uplink(&self) -> Option<String> {
        let addresses = self.kernel.addresses().await.unwrap();
        let there = addresses
            .iter()
            .find(|a| a.address.addr() == IpAddr::from([192, 0, 2, 1]))?;
        let links = self.kernel.links().await.unwrap();
        let link = links.into_iter().find(|link| link.index == there.index)?;
        Some(link.name)
    }

    fn log(&self) -> String {
        let router = self.router.borrow();
        router.log.buffer().lines().collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn says(&self, text: &str) {
        assert!(self.log().contains(text), "{text}\n{}", self.log());
    }
}

/// lan0, other0 and wan0 in three slots: GigabitEthernet0/0 to 0/2.
fn machine() -> (Kernel, Events, Fake) {
    let (kernel, events, fake) = Kernel::fake();
    fake.add_device("lan0", LAN, SLOT[0]);
    fake.add_device("other0", OTHER, SLOT[1]);
    fake.add_device("wan0", WAN, SLOT[2]);
    (kernel, events, fake)
}

fn test<F: Future<Output = ()>>(body: impl FnOnce(tempfile::TempDir) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    LocalSet::new().block_on(&runtime, body(folder));
}

#[test]
fn the_map_stays_with_its_device_when_another_goes() {
    test(|state| async move {
        let text = format!("{MAP}{}", uplink("GigabitEthernet0/2"));
        let bed = Bed::start(machine(), state.path(), "", &text).await;
        assert_eq!(bed.uplink().await.as_deref(), Some("wan0"));
        assert!(bed.fake.remove_link("other0"));
        bed.settle().await;
        assert_eq!(bed.uplink().await.as_deref(), Some("wan0"));
        assert_eq!(
            bed.leaves("wan0").await,
            Verdict::Dropped,
            "it waits for an SA"
        );
        assert_eq!(
            bed.leaves("lan0").await,
            Verdict::Clear,
            "no way of the map's"
        );
        // The next start finds two devices, in another order and under other names.
        let bed = bed
            .restart(state.path(), &text, |fake| {
                fake.remove_link("lan0");
                fake.remove_link("wan0");
                fake.add_device("eth0", WAN, SLOT[2]);
                fake.add_device("eth1", LAN, SLOT[0]);
            })
            .await;
        assert_eq!(bed.uplink().await.as_deref(), Some("eth0"));
        assert_eq!(bed.leaves("eth0").await, Verdict::Dropped);
        assert_eq!(bed.leaves("eth1").await, Verdict::Clear);
    });
}

#[test]
fn what_a_device_protected_is_blocked_elsewhere_at_once_and_until_it_is_back() {
    for (name, state) in
        ["GigabitEthernet0/2", "wan0"].map(|name| (name, tempfile::tempdir().unwrap()))
    {
        test(|_| async move {
            let text = format!("{MAP}{}", uplink(name));
            let mut bed = Bed::start(machine(), state.path(), "", &text).await;
            bed.hear().await;
            bed.fake.remove_link("wan0");
            bed.hear().await;
            for device in ["lan0", "other0"] {
                assert_eq!(
                    bed.leaves(device).await,
                    Verdict::Dropped,
                    "{device}, before a look"
                );
            }
            bed.settle().await;
            for device in ["lan0", "other0"] {
                assert_eq!(bed.leaves(device).await, Verdict::Dropped, "{device}");
                let other = bed.packet(device, [10, 1, 0, 1], [10, 3, 0, 1]).await;
                assert_eq!(other, Verdict::Clear, "other traffic is none of the map's");
            }
            bed.says(&format!("%SYS-4-INTERFACE: {name}: its device is gone (wan0, 0200.0000.0003, at 0000:03:00.0)"));
            bed.says(&format!("crypto map VPN 10: interface {name} is not there"));
            bed.says("until that is changed its traffic is dropped");
            bed.says(&format!(
                "Line protocol on Interface {name}, changed state to down"
            ));
            // Other hardware under its kernel name is not it.
            bed.fake
                .add_device("wan0", [2, 0, 0, 0, 0, 9], "0000:09:00.0");
            bed.settle().await;
            assert_eq!(bed.uplink().await, None);
            assert_eq!(bed.leaves("wan0").await, Verdict::Dropped);
            // A restart does not forget it.
            let bed = bed.restart(state.path(), &text, |_| ()).await;
            assert_eq!(bed.uplink().await, None);
            assert_eq!(bed.leaves("wan0").await, Verdict::Dropped);
            bed.fake.remove_link("wan0");
            bed.fake.add_device("wan0", WAN, SLOT[2]);
            bed.settle().await;
            assert_eq!(bed.uplink().await.as_deref(), Some("wan0"));
            assert_eq!(bed.leaves("other0").await, Verdict::Clear);
            assert_eq!(
                bed.leaves("wan0").await,
                Verdict::Dropped,
                "it waits for an SA"
            );
            bed.says(&format!("{name}: its device is there again"));
        });
    }
}

#[test]
fn a_link_that_only_goes_down_gives_the_other_ways_back() {
    test(|state| async move {
        let text = format!("{MAP}{} shutdown\n", uplink("GigabitEthernet0/2"));
        let up = text.replace(" shutdown\n", "");
        let mut bed = Bed::start(machine(), state.path(), "", &up).await;
        bed.hear().await;
        let (running, _) = config::load(&text, "test");
        bed.router.borrow_mut().running = running.into();
        bed.settle().await;
        bed.hear().await;
        assert_eq!(
            bed.leaves("other0").await,
            Verdict::Dropped,
            "it may be going"
        );
        bed.settle().await;
        assert_eq!(
            bed.leaves("other0").await,
            Verdict::Clear,
            "it was only shut down"
        );
    });
}

#[test]
fn an_interface_that_was_never_there_protects_as_well() {
    test(|state| async move {
        let text = format!("{MAP}{}", uplink("late0"));
        let bed = Bed::start(machine(), state.path(), "", &text).await;
        assert_eq!(bed.leaves("wan0").await, Verdict::Dropped);
        bed.says("crypto map VPN 10: interface late0 is not there; until that is changed its traffic is dropped");
        bed.fake.add_device("late0", [2, 0, 0, 0, 0, 7], "1-1:1.0");
        bed.settle().await;
        assert_eq!(bed.uplink().await.as_deref(), Some("late0"));
        assert_eq!(bed.leaves("wan0").await, Verdict::Clear);
        bed.configure(MAP).await;
        assert_eq!(
            bed.leaves("late0").await,
            Verdict::Clear,
            "the operator took the map off"
        );
        bed.configure(&format!(
            "{MAP}interface GigabitEthernet0/7\n crypto map VPN\n"
        ))
        .await;
        assert_eq!(bed.leaves("wan0").await, Verdict::Dropped);
        bed.configure(&format!("{MAP}interface Serial0/0\n crypto map VPN\n"))
            .await;
        assert_eq!(bed.leaves("wan0").await, Verdict::Dropped);
    });
}

#[test]
fn another_way_out_with_the_same_map_protects_in_its_place() {
    test(|state| async move {
        let backup = "interface GigabitEthernet0/1\n ip address 198.51.100.1 255.255.255.0\n crypto map VPN\n";
        let text = format!("{MAP}{}{backup}", uplink("GigabitEthernet0/2"));
        let bed = Bed::start(machine(), state.path(), "", &text).await;
        bed.fake.remove_link("wan0");
        bed.settle().await;
        assert_eq!(bed.leaves("lan0").await, Verdict::Dropped, "blocked");
        assert_eq!(
            bed.leaves("other0").await,
            Verdict::Dropped,
            "it waits for an SA"
        );
        let acquires = |bed: &Bed| bed.router.borrow().tunnels.plan.flows().count();
        assert_eq!(
            acquires(&bed),
            1,
            "the backup's flow is there and asks for an SA"
        );
        let policies = bed.kernel.dump_policies().await.unwrap();
        let other = bed.index("other0").await;
        let protects = policies.iter().any(|policy| {
            let action = &policy.spec.action;
            policy.spec.key.interface == other
                && matches!(action, isthmus_kernel::Action::Protect(_))
        });
        assert!(protects);
    });
}

#[test]
fn what_another_map_exempts_is_blocked_if_the_missing_one_protected_it() {
    test(|state| async move {
        let wide = "crypto map WIDE 10 ipsec-isakmp\n set peer 192.0.2.3\n set transform-set TS\n match address WIDE\n\
                    ip access-list extended WIDE\n deny ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n \
                    deny ip 10.1.0.0 0.0.255.255 10.3.0.0 0.0.255.255\n permit ip 10.1.0.0 0.0.255.255 any\n\
                    interface GigabitEthernet0/1\n ip address 198.51.100.1 255.255.255.0\n crypto map WIDE\n";
        let text = format!("{MAP}{}{wide}", uplink("GigabitEthernet0/2"));
        let bed = Bed::start(machine(), state.path(), "", &text).await;
        assert_eq!(
            bed.leaves("other0").await,
            Verdict::Clear,
            "exempt, and no business of the other map"
        );
        bed.fake.remove_link("wan0");
        bed.settle().await;
        assert_eq!(bed.leaves("other0").await, Verdict::Dropped);
        let exempt = bed.packet("other0", [10, 1, 0, 1], [10, 3, 0, 1]).await;
        assert_eq!(exempt, Verdict::Clear);
    });
}

#[test]
fn what_a_missing_map_exempts_stays_exempt_but_not_from_other_maps() {
    test(|state| async move {
        let rules = " deny ip 10.1.0.0 0.0.255.255 10.3.0.0 0.0.255.255\n permit ip 10.1.0.0 0.0.255.255 any\n";
        let narrow = "crypto map NARROW 10 ipsec-isakmp\n set peer 192.0.2.3\n set transform-set TS\n match address N\n\
                      ip access-list extended N\n permit ip 10.1.0.0 0.0.255.255 10.3.7.0 0.0.0.255\n\
                      interface GigabitEthernet0/1\n ip address 198.51.100.1 255.255.255.0\n crypto map NARROW\n";
        let map = MAP.replace(
            " permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n",
            rules,
        );
        let bed = Bed::start(
            machine(),
            state.path(),
            "",
            &format!("{map}{}{narrow}", uplink("Gi0/2")),
        )
        .await;
        bed.fake.remove_link("wan0");
        bed.settle().await;
        assert_eq!(
            bed.packet("lan0", [10, 1, 0, 1], [10, 3, 0, 1]).await,
            Verdict::Clear
        );
        assert_eq!(
            bed.packet("lan0", [10, 1, 0, 1], [10, 4, 0, 1]).await,
            Verdict::Dropped
        );
        let other = bed.packet("other0", [10, 1, 0, 1], [10, 3, 7, 1]).await;
        assert_eq!(other, Verdict::Dropped, "the other map protects it");
    });
}

#[test]
fn swapped_indexes_and_renamed_devices_change_nothing() {
    test(|state| async move {
        let text = format!("{MAP}{}", uplink("GigabitEthernet0/2"));
        let mut bed = Bed::start(machine(), state.path(), "", &text).await;
        bed.fake.rename_link("wan0", "uplink0");
        bed.fake.rename_link("lan0", "wan0");
        bed.hear().await;
        bed.settle().await;
        assert_eq!(bed.uplink().await.as_deref(), Some("uplink0"));
        assert_eq!(bed.leaves("uplink0").await, Verdict::Dropped);
        assert_eq!(bed.leaves("wan0").await, Verdict::Clear);
        let bed = bed
            .restart(state.path(), &text, |fake| {
                for name in ["uplink0", "other0", "wan0"] {
                    fake.remove_link(name);
                }
                fake.add_device("eth0", WAN, SLOT[2]);
                fake.add_device("eth1", OTHER, SLOT[1]);
                fake.add_device("eth2", LAN, SLOT[0]);
            })
            .await;
        assert_eq!(bed.uplink().await.as_deref(), Some("eth0"));
        assert_eq!(bed.leaves("eth2").await, Verdict::Clear);
    });
}

#[test]
fn a_damaged_file_leaves_maps_blocked_and_everything_else_numbered() {
    test(|state| async move {
        let lan = "interface GigabitEthernet0/0\n ip address 10.1.0.1 255.255.0.0\n";
        let text = format!("{MAP}{lan}{}", uplink("GigabitEthernet0/2"));
        let bed = Bed::start(machine(), state.path(), "", &text).await;
        let file = state.path().join("interface-bindings");
        let whole = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        let bed = bed.restart(state.path(), &text, |_| ()).await;
        assert_eq!(
            bed.uplink().await,
            None,
            "no guess for a name with a crypto map"
        );
        for device in ["lan0", "other0", "wan0"] {
            assert_eq!(bed.leaves(device).await, Verdict::Dropped, "{device}");
        }
        bed.says("which device GigabitEthernet0/2 means was lost");
        let addresses = bed.kernel.addresses().await.unwrap();
        assert!(
            addresses
                .iter()
                .any(|a| a.address.addr() == IpAddr::from([10, 1, 0, 1]))
        );
        // Another start does not make it sure; taking the map off and putting it on does.
        let bed = bed.restart(state.path(), &text, |_| ()).await;
        assert_eq!(bed.uplink().await, None);
        bed.configure(&text.replace(" crypto map VPN\n", "")).await;
        bed.configure(&text).await;
        assert_eq!(bed.uplink().await.as_deref(), Some("wan0"));
        assert_eq!(bed.leaves("lan0").await, Verdict::Clear);
    });
}

#[test]
fn of_two_names_of_one_device_one_acts_and_the_other_is_said() {
    test(|state| async move {
        let second = "interface FastEthernet0/2\n shutdown\n";
        let text = format!("{MAP}{second}{}", uplink("GigabitEthernet0/2"));
        let bed = Bed::start(machine(), state.path(), "", &text).await;
        assert_eq!(bed.uplink().await.as_deref(), Some("wan0"));
        let links = bed.kernel.links().await.unwrap();
        assert!(
            links.iter().any(|link| link.name == "wan0" && link.up),
            "not shut down"
        );
        bed.says("interface FastEthernet0/2: FastEthernet0/2 is GigabitEthernet0/2 (wan0); its lines are kept and do nothing");
        assert!(
            config::render::text(&bed.router.borrow().running)
                .contains("interface FastEthernet0/2")
        );
        // A second name with a crypto map: what it means to protect is blocked.
        let map = MAP
            .replace("VPN", "OLD")
            .replace("FLOW", "F2")
            .replace("10.2.0.0", "10.5.0.0");
        let second = "interface wan0\n crypto map OLD\n";
        bed.configure(&format!(
            "{MAP}{map}{second}{}",
            uplink("GigabitEthernet0/2")
        ))
        .await;
        for device in ["wan0", "lan0"] {
            let blocked = bed.packet(device, [10, 1, 0, 1], [10, 5, 0, 1]).await;
            assert_eq!(blocked, Verdict::Dropped, "{device}");
        }
        bed.says("crypto map OLD 10: interface wan0 is GigabitEthernet0/2 (wan0); until that is changed its traffic is dropped");
    });
}

#[test]
fn the_interface_map_wins_and_what_is_wrong_with_it_is_said() {
    test(|state| async move {
        let map = "GigabitEthernet0/0 wan0\nGigabitEthernet0/1 wan0\nGigabitEthernet0/5 eth9\n";
        let text = format!("{MAP}{}", uplink("GigabitEthernet0/0"));
        let bed = Bed::start(machine(), state.path(), map, &text).await;
        assert_eq!(bed.uplink().await.as_deref(), Some("wan0"));
        bed.says("interface map, line 2: wan0 is GigabitEthernet0/0 already; GigabitEthernet0/1 means no device");
        bed.says("interface map: GigabitEthernet0/5 is eth9, which is not there");
        // The second name and the one without a device mean to protect: blocked everywhere.
        for name in ["GigabitEthernet0/1", "GigabitEthernet0/5"] {
            bed.configure(&format!("{MAP}{}", uplink(name))).await;
            assert_eq!(bed.uplink().await, None, "{name}");
            for device in ["lan0", "other0", "wan0"] {
                assert_eq!(
                    bed.leaves(device).await,
                    Verdict::Dropped,
                    "{name} {device}"
                );
            }
        }
    });
}

#[test]
fn nothing_is_written_where_nothing_changed() {
    test(|state| async move {
        let text = format!("{MAP}{}", uplink("GigabitEthernet0/2"));
        let bed = Bed::start(machine(), state.path(), "", &text).await;
        let file = state.path().join("interface-bindings");
        std::fs::remove_file(&file).unwrap();
        bed.settle().await;
        assert!(!file.exists());
        bed.fake
            .add_device("new0", [2, 0, 0, 0, 0, 8], "0000:08:00.0");
        bed.settle().await;
        let kept = std::fs::read_to_string(&file).unwrap();
        assert!(
            kept.contains("port 3 new0 0200.0000.0008 0000:08:00.0\n"),
            "{kept}"
        );
    });
}

#[test]
fn no_policy_waits_for_a_disk_that_hangs() {
    test(|state| async move {
        let bed = Bed::start(machine(), state.path(), "", MAP).await;
        assert_eq!(bed.leaves("wan0").await, Verdict::Clear);
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let busy = bed.router.borrow().disk.run(move || wait.recv());
        let file = state.path().join("interface-bindings");
        std::fs::remove_file(&file).unwrap();
        let text = format!("{MAP}{}", uplink("GigabitEthernet0/2"));
        let (running, problems) = config::load(&text, "test");
        assert_eq!(problems, []);
        bed.router.borrow_mut().running = running.into();
        bed.router.borrow_mut().configured();
        bed.fake
            .add_device("new0", [2, 0, 0, 0, 0, 8], "0000:08:00.0");
        for _ in 0..2 {
            reconcile(&bed.router).await.unwrap();
            bed.carry().await;
        }
        assert_ne!(bed.leaves("wan0").await, Verdict::Clear);
        assert!(!file.exists());
        release.send(()).unwrap();
        busy.await.unwrap().unwrap();
        bed.written().await;
        assert!(std::fs::read_to_string(&file).unwrap().contains(" new0 "));
    });
}

#[test]
fn a_file_that_cannot_be_written_is_said_once_and_tried_again() {
    test(|state| async move {
        let text = format!("{MAP}{}", uplink("GigabitEthernet0/2"));
        let fresh = state.path().join(".interface-bindings.new");
        std::fs::create_dir(&fresh).unwrap();
        let bed = Bed::start(machine(), state.path(), "", &text).await;
        bed.settle().await;
        assert_eq!(
            bed.log().matches("which device each name means").count(),
            1,
            "{}",
            bed.log()
        );
        std::fs::remove_dir(&fresh).unwrap();
        bed.settle().await;
        assert!(state.path().join("interface-bindings").exists());
    });
}

#[test]
fn another_way_is_not_taken_before_it_is_closed_for_what_was_protected() {
    test(|state| async move {
        let backup = "interface GigabitEthernet0/1\n ip address 198.51.100.1 255.255.255.0\n\
                      ip route 0.0.0.0 0.0.0.0 192.0.2.254\nip route 0.0.0.0 0.0.0.0 198.51.100.254 250\n";
        let text = format!("{MAP}{}{backup}", uplink("GigabitEthernet0/2"));
        let mut bed = Bed::start(machine(), state.path(), "", &text).await;
        bed.hear().await;
        let distances = async |bed: &Bed| -> Vec<u32> {
            let routes = bed.kernel.routes().await.unwrap();
            routes
                .iter()
                .filter(|route| route.ours)
                .map(|route| route.metric)
                .collect()
        };
        assert_eq!(distances(&bed).await, [1]);
        bed.fake.remove_link("wan0");
        bed.hear().await;
        assert_eq!(distances(&bed).await, [0; 0], "no way at all");
        assert_eq!(bed.leaves("other0").await, Verdict::Dropped);
        bed.settle().await;
        assert_eq!(distances(&bed).await, [250]);
        assert_eq!(bed.leaves("other0").await, Verdict::Dropped);
    });
}
