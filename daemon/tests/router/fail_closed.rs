//! Nothing that a crypto map is meant to protect leaves in clear, whatever goes wrong: a router on the fake kernel, packets
//! that leave by it, and what becomes of them.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use ike::Clear;
use isthmus_kernel::{
    Action, Direction, ErrorKind, Event, Events, Fake, Kernel, PolicySpec, Verdict,
};
use isthmusd::config;
use isthmusd::router::policies::enforce;
use isthmusd::router::reconcile::{adopt, reconcile};
use isthmusd::router::{Files, Shared};
use isthmusd::tasks;
use isthmusd::testing::RouterBuilder;
use tokio::task::LocalSet;

const CONFIG: &str = "crypto isakmp policy 10
 authentication pre-share
crypto isakmp key corinth address 192.0.2.2
crypto ipsec transform-set TS esp-aes esp-sha-hmac
crypto map VPN 10 ipsec-isakmp
 set peer 192.0.2.2
 set transform-set TS
 match address FLOW
ip access-list extended FLOW
 permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255
interface wan0
 ip address 192.0.2.1 255.255.255.0
 crypto map VPN
end
";

/// A machine: what survives the daemon.
struct Machine {
    folder: tempfile::TempDir,
    kernel: Kernel,
    events: RefCell<Events>,
    fake: Fake,
    wan: u32,
}

impl Machine {
    fn new() -> Self {
        let (kernel, events, fake) = Kernel::fake();
        let wan = fake.add_link("wan0");
        Self {
            folder: tempfile::tempdir().unwrap(),
            kernel,
            events: RefCell::new(events),
            fake,
            wan,
        }
    }

    fn startup_config(&self) -> std::path::PathBuf {
        self.folder.path().join("startup-config")
    }

    fn state(&self) -> &Path {
        self.folder.path()
    }

    /// Starts a daemon.
    async fn boot(&self) -> Site<'_> {
        let files = Files {
            config: self.startup_config(),
            state: self.state().to_owned(),
        };
        let router = RouterBuilder::on(self.kernel.clone()).files(files).booted();
        let router = Rc::new(RefCell::new(router));
        adopt(&router).await.unwrap();
        reconcile(&router).await.unwrap();
        let site = Site {
            machine: self,
            router,
        };
        site.carry().await;
        site
    }

    /// Starts a daemon with a startup-config.
    async fn boot_with(&self, text: &str) -> Site<'_> {
        std::fs::write(self.startup_config(), text).unwrap();
        self.boot().await
    }

    /// What becomes of a packet that leaves by wan0.
    fn packet(&self, source: &str, destination: &str) -> Verdict {
        self.packet_on(self.wan, source, destination)
    }

    fn packet_on(&self, interface: u32, source: &str, destination: &str) -> Verdict {
        let [source, destination] = [source, destination].map(|end| end.parse().unwrap());
        self.fake.send_packet(interface, source, destination, 1)
    }

    /// What becomes of the packet that the configuration protects.
    fn protected_packet(&self) -> Verdict {
        self.packet("10.0.1.7", "10.0.2.9")
    }

    /// What the kernel reported since the last look.
    fn acquires(&self) -> Vec<Event> {
        let mut events = self.events.borrow_mut();
        let all = std::iter::from_fn(|| events.try_next());
        all.filter(|event| matches!(event, Event::Acquire(_)))
            .collect()
    }

    async fn policies(&self) -> Vec<PolicySpec> {
        let policies = self.kernel.dump_policies().await.unwrap();
        policies.into_iter().map(|policy| policy.spec).collect()
    }
}

/// A daemon on a machine.
struct Site<'a> {
    machine: &'a Machine,
    router: Shared,
}

impl Site<'_> {
    async fn carry(&self) {
        tasks::carry_out(&self.router, |_, _, _| Ok(())).await;
    }

    /// Reconciles without a change.
    async fn look_again(&self) {
        reconcile(&self.router).await.unwrap();
        self.carry().await;
    }

    /// Adds lines to the running-config, and reconciles if that was asked for; gives what was refused.
    async fn configure(&self, lines: &str) -> Vec<String> {
        let (problems, asked) = {
            let mut router = self.router.borrow_mut();
            let problems = config::merge(&mut router.running, lines, "console");
            let before = router.reconcile.asked;
            router.configured();
            (problems, router.reconcile.asked > before)
        };
        if asked {
            reconcile(&self.router).await.unwrap();
        }
        self.carry().await;
        problems.iter().map(ToString::to_string).collect()
    }

    /// A packet asks for the tunnel, which the engine begins to negotiate.
    async fn ask(&self) {
        assert_eq!(self.machine.protected_packet(), Verdict::Dropped);
        let acquires = self.machine.acquires();
        assert_eq!(acquires.len(), 1, "the kernel asks\n{}", self.log());
        for acquire in acquires {
            tasks::kernel_event(&self.router, acquire);
        }
        self.carry().await;
        assert_eq!(self.machine.protected_packet(), Verdict::Dropped);
        assert!(self.machine.acquires().is_empty(), "it asks once");
    }

    fn log(&self) -> String {
        let router = self.router.borrow();
        router.log.buffer().lines().collect::<Vec<_>>().join("\n")
    }

    fn says(&self, words: &str) {
        let log = self.log();
        assert!(log.contains(words), "no '{words}' in\n{log}");
    }
}

fn test<F: Future<Output = ()>>(body: F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, body);
}

fn blocks(policies: &[PolicySpec]) -> usize {
    let blocks = policies.iter().filter(|p| p.action == Action::Block);
    blocks.count()
}

#[test]
fn a_refused_policy_becomes_a_block_that_names_its_line() {
    test(async {
        let machine = Machine::new();
        machine.fake.fail_next("set policy out", ErrorKind::Invalid);
        let site = machine.boot_with(CONFIG).await;
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
        let policies = machine.policies().await;
        let out = policies.iter().find(|p| p.key.direction == Direction::Out);
        assert_eq!(out.unwrap().action, Action::Block);
        site.says("%CRYPTO-3-POLICY_REFUSED: access-list FLOW, used by crypto map VPN 10: line \"permit ip 10.0.1.0 0.0.0.255");
        site.says("its traffic is dropped");
        let problems = || site.router.borrow().tunnels.problems.len();
        assert_eq!(problems(), 1);
        site.look_again().await;
        assert_eq!(problems(), 1);
        assert!(!site.log().contains("CONFIG_PROBLEM"), "said once");
        // When the kernel takes it, it is protected.
        assert!(site.router.borrow_mut().tunnels.policies.retry());
        enforce(&site.router).await;
        let policies = machine.policies().await;
        assert_eq!((policies.len(), blocks(&policies)), (3, 0));
        site.says("%CRYPTO-5-POLICY_SET");
        site.look_again().await;
        assert_eq!(problems(), 0);
        assert!(!site.router.borrow_mut().tunnels.policies.retry());
    });
}

#[test]
fn where_no_block_of_the_same_traffic_is_taken_a_wider_one_is() {
    test(async {
        let machine = Machine::new();
        let narrow = "set policy out 10.0.1.0/24 -> 10.0.2.0/24";
        machine.fake.fail_always(narrow, ErrorKind::Exhausted);
        let site = machine.boot_with(CONFIG).await;
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
        assert_eq!(machine.packet("192.0.2.1", "192.0.2.2"), Verdict::Clear);
        machine.fake.fail_no_more();
        site.router.borrow_mut().tunnels.policies.retry();
        enforce(&site.router).await;
        let policies = machine.policies().await;
        assert_eq!((policies.len(), blocks(&policies)), (3, 0), "{policies:?}");
    });
}

#[test]
fn a_kernel_that_takes_nothing_is_asked_until_it_does_and_nothing_old_goes() {
    test(async {
        let machine = Machine::new();
        let site = machine.boot_with(CONFIG).await;
        // The list becomes wider; its policies have other keys.
        machine
            .fake
            .fail_always("set policy out", ErrorKind::Exhausted);
        site.configure("ip access-list extended FLOW\n no permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\n permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.1.255\n").await;
        assert_eq!(
            machine.protected_packet(),
            Verdict::Dropped,
            "the old one stands"
        );
        site.says("%CRYPTO-2-POLICY_REFUSED");
        assert!(site.router.borrow().tunnels.policies.is_exposed());
        machine.fake.fail_no_more();
        site.router.borrow_mut().tunnels.policies.retry();
        enforce(&site.router).await;
        assert!(!site.router.borrow().tunnels.policies.is_exposed());
        assert_eq!(machine.packet("10.0.1.7", "10.0.3.9"), Verdict::Dropped);
        let policies = machine.policies().await;
        assert_eq!((policies.len(), blocks(&policies)), (3, 0), "{policies:?}");
    });
}

#[test]
fn a_refused_change_of_a_policy_that_stands_becomes_a_block() {
    test(async {
        let machine = Machine::new();
        let site = machine.boot_with(CONFIG).await;
        machine.fake.fail_next("set policy out", ErrorKind::Invalid);
        site.configure(
            "crypto map VPN 10 ipsec-isakmp\n no set peer 192.0.2.2\n set peer 192.0.2.3\n",
        )
        .await;
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
        let policies = machine.policies().await;
        assert_eq!((policies.len(), blocks(&policies)), (3, 1), "{policies:?}");
    });
}

#[test]
fn an_exemption_never_outruns_what_is_protected() {
    test(async {
        let machine = Machine::new();
        let deny = " deny ip host 10.0.1.8 any\n permit ip 10.0.1.0";
        let text = CONFIG.replace(" permit ip 10.0.1.0", deny);
        let site = machine.boot_with(&text).await;
        assert_eq!(machine.packet("10.0.1.8", "10.0.2.9"), Verdict::Clear);
        // What was exempt is protected: the kernel refuses, and it is not in clear any more.
        machine
            .fake
            .fail_always("set policy out 10.0.1.8/32", ErrorKind::Invalid);
        site.configure("ip access-list extended FLOW\n no deny ip host 10.0.1.8 any\n permit ip host 10.0.1.8 any\n").await;
        assert_ne!(machine.packet("10.0.1.8", "10.0.2.9"), Verdict::Clear);
        assert_ne!(machine.packet("10.0.1.8", "198.51.100.1"), Verdict::Clear);
    });
}

/// Gives the daemon what the kernel reported.
async fn hear(site: &Site<'_>) {
    let events: Vec<Event> = {
        let mut events = site.machine.events.borrow_mut();
        std::iter::from_fn(|| events.try_next()).collect()
    };
    for event in events {
        tasks::kernel_event(&site.router, event);
    }
    site.carry().await;
}

#[test]
fn policies_that_another_program_takes_away_are_set_again() {
    test(async {
        let machine = Machine::new();
        let site = machine.boot_with(CONFIG).await;
        hear(&site).await;
        let stood = machine.policies().await;
        machine.fake.flush_policies();
        assert_eq!(machine.protected_packet(), Verdict::Clear);
        hear(&site).await;
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
        assert_eq!(machine.policies().await.len(), stood.len());
        site.says("%CRYPTO-4-POLICY_CHANGED: another program changed or deleted 3 policies");
        // One of them, and one that was refused and is blocked.
        let out = stood.iter().find(|p| p.key.direction == Direction::Out);
        assert!(machine.fake.delete_policy(out.unwrap().key));
        hear(&site).await;
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
        site.says("changed or deleted 1 policies");
    });
}

#[test]
fn blocks_that_stand_in_are_set_again_too() {
    test(async {
        let machine = Machine::new();
        let narrow = "set policy out 10.0.1.0/24 -> 10.0.2.0/24";
        machine.fake.fail_always(narrow, ErrorKind::Exhausted);
        let site = machine.boot_with(CONFIG).await;
        machine.fake.flush_policies();
        hear(&site).await;
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
    });
}

#[test]
fn what_was_changed_while_events_were_lost_is_found() {
    test(async {
        let machine = Machine::new();
        let site = machine.boot_with(CONFIG).await;
        machine.fake.flush_policies();
        drop(machine.acquires());
        machine.fake.emit(Event::Overflow);
        hear(&site).await;
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
    });
}

#[test]
fn what_the_last_run_protected_stays_blocked_without_a_startup_config() {
    for damage in ["gone", "empty", "folder", "unreadable text"] {
        test(async {
            let machine = Machine::new();
            drop(machine.boot_with(CONFIG).await);
            let path = machine.startup_config();
            std::fs::remove_file(&path).unwrap();
            let word = match damage {
                "gone" => "%SYS-4-STARTUP: no startup-config at",
                "empty" => {
                    std::fs::write(&path, "").unwrap();
                    "is empty; starting empty"
                }
                "folder" => {
                    std::fs::create_dir(&path).unwrap();
                    "%SYS-3-STARTUP: cannot read"
                }
                _ => {
                    std::fs::write(&path, " \n\n").unwrap();
                    "%SYS-4-STARTUP: startup-config at"
                }
            };
            for _ in 0..2 {
                let site = machine.boot().await;
                site.says(word);
                site.says("%CRYPTO-4-HELD");
                assert_eq!(machine.protected_packet(), Verdict::Dropped);
                assert_eq!(machine.packet("10.0.9.1", "10.0.2.9"), Verdict::Clear);
                let policies = machine.policies().await;
                assert_eq!((policies.len(), blocks(&policies)), (3, 3));
            }
        });
    }
}

#[test]
fn what_a_cut_off_startup_config_does_not_name_stays_blocked_until_it_is_saved() {
    test(async {
        let machine = Machine::new();
        let second =
            "ip access-list extended FLOW\n permit ip 10.0.1.0 0.0.0.255 10.0.3.0 0.0.0.255\nend\n";
        let whole = CONFIG.replace("end\n", second);
        drop(machine.boot_with(&whole).await);
        let cut = |at: &str| whole[..whole.find(at).unwrap()].to_owned();
        for damaged in [
            cut("ip access-list"),
            cut("10.0.3.0"),
            cut("end\n"),
            cut(" crypto map VPN\n"),
        ] {
            let site = machine.boot_with(&damaged).await;
            site.says("does not end with \"end\"");
            site.router.borrow_mut().release_held();
            site.look_again().await;
            for destination in ["10.0.2.9", "10.0.3.9"] {
                assert_eq!(
                    machine.packet("10.0.1.7", destination),
                    Verdict::Dropped,
                    "{damaged}"
                );
            }
            assert_eq!(machine.packet("10.0.9.1", "10.0.2.9"), Verdict::Clear);
        }
        let site = machine.boot_with(CONFIG).await;
        assert_eq!(
            machine.packet("10.0.1.7", "10.0.3.9"),
            Verdict::Clear,
            "whole"
        );
        assert!(!site.log().contains("HELD"));
    });
}

#[test]
fn what_is_held_for_a_device_that_is_gone_is_blocked_on_every_way_out() {
    test(async {
        let machine = Machine::new();
        let lan = machine.fake.add_link("lan0");
        drop(machine.boot_with(CONFIG).await);
        std::fs::remove_file(machine.startup_config()).unwrap();
        let site = machine.boot().await;
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
        let by_lan = |source| machine.packet_on(lan, source, "10.0.2.9");
        assert_eq!(by_lan("10.0.1.7"), Verdict::Clear);
        machine.fake.remove_link("wan0");
        site.look_again().await;
        assert_eq!(by_lan("10.0.1.7"), Verdict::Dropped);
        assert_eq!(by_lan("10.0.9.7"), Verdict::Clear);
    });
}

#[test]
fn what_a_gone_map_exempts_does_not_open_the_way_for_what_another_protects() {
    test(async {
        let machine = Machine::new();
        let lan = machine.fake.add_link("lan0");
        let late = "crypto map LATE 10 ipsec-isakmp
 set peer 192.0.2.3
 set transform-set TS
 match address EXEMPT
ip access-list extended EXEMPT
 deny ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255
 permit ip 10.0.0.0 0.0.255.255 10.0.0.0 0.0.255.255
interface late0
 crypto map LATE
end
";
        let site = machine.boot_with(&CONFIG.replace("end\n", late)).await;
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
        let by_lan = || machine.packet_on(lan, "10.0.1.7", "10.0.2.9");
        assert_eq!(by_lan(), Verdict::Clear, "exempt there");
        site.router.borrow_mut().close_elsewhere(machine.wan);
        enforce(&site.router).await;
        assert_eq!(by_lan(), Verdict::Dropped);
        reconcile(&site.router).await.unwrap();
        assert_eq!(by_lan(), Verdict::Clear, "wan0 stayed");
    });
}

#[test]
fn what_is_held_is_let_go_by_a_map_by_saving_and_by_erasing() {
    test(async {
        let lost = || async {
            let machine = Machine::new();
            let two = CONFIG.replace("end\n", "interface lan0\n crypto map VPN\nend\n");
            machine.fake.add_link("lan0");
            drop(machine.boot_with(&two).await);
            std::fs::remove_file(machine.startup_config()).unwrap();
            machine
        };
        // A line of any other kind changes nothing.
        let machine = lost().await;
        let site = machine.boot().await;
        site.configure("hostname Corinth\n").await;
        site.router.borrow_mut().release_held();
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
        // A map takes the place of what is held on its interface.
        site.configure(&CONFIG.replace("10.0.1.0", "10.0.7.0"))
            .await;
        assert_eq!(
            machine.protected_packet(),
            Verdict::Dropped,
            "the paste may go on"
        );
        site.router.borrow_mut().release_held();
        site.look_again().await;
        assert_eq!(machine.protected_packet(), Verdict::Clear);
        assert_eq!(machine.packet("10.0.7.7", "10.0.2.9"), Verdict::Dropped);
        let lan = machine.wan + 1;
        let by_lan = || machine.packet_on(lan, "10.0.1.7", "10.0.2.9");
        assert_eq!(by_lan(), Verdict::Dropped, "no map there yet");
        // Saving says that this is all.
        site.router.borrow_mut().startup_decided();
        site.look_again().await;
        assert_eq!(by_lan(), Verdict::Clear);
        // Erasing says that nothing is, and the next start knows.
        let machine = lost().await;
        let site = machine.boot().await;
        let files = site.router.borrow().files.clone();
        isthmusd::router::held::erase(&files).unwrap().unwrap();
        site.router.borrow_mut().startup_decided();
        site.look_again().await;
        assert!(machine.policies().await.is_empty());
        drop(site);
        let machine = lost().await;
        std::fs::write(machine.state().join("startup-config-erased"), "").unwrap();
        let site = machine.boot().await;
        assert!(machine.policies().await.is_empty());
        assert!(!site.log().contains("STARTUP"), "{}", site.log());
    });
}

const DYNAMIC: &str = "crypto ipsec transform-set TS esp-aes esp-sha-hmac
crypto dynamic-map D 5
 set transform-set TS
 match address FLOW
crypto dynamic-map D 7
 set transform-set TS
crypto map VPN 10 ipsec-isakmp dynamic D
ip access-list extended FLOW
 permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255
interface wan0
 ip address 192.0.2.1 255.255.255.0
 crypto map VPN
end
";

#[test]
fn what_a_kind_of_entry_that_does_not_act_would_protect_is_blocked() {
    let own_list = |kind: &str| {
        CONFIG.replace(
            "crypto map VPN 10 ipsec-isakmp\n set peer 192.0.2.2\n set transform-set TS\n",
            &format!("crypto map VPN 10 {kind}\n"),
        )
    };
    let kinds = [
        DYNAMIC.to_owned(),
        DYNAMIC.replace(
            "10 ipsec-isakmp dynamic D",
            "10 ipsec-isakmp dynamic D discover",
        ),
        DYNAMIC.replace("match address FLOW", "match address FLOW of-the-branches"),
        own_list("ipsec-manual"),
        own_list("gdoi"),
        own_list("ipsec-isakmp profile P"),
    ];
    for text in kinds {
        test(async {
            let machine = Machine::new();
            let site = machine.boot_with(&text).await;
            assert_eq!(
                machine.protected_packet(),
                Verdict::Dropped,
                "{text}\n{}",
                site.log()
            );
            assert_eq!(machine.packet("10.0.9.7", "10.0.2.9"), Verdict::Clear);
            site.says("not active in this release; until that is changed its traffic is dropped");
            if text.contains("dynamic-map") {
                site.says("crypto map VPN 10: crypto dynamic-map D 7 has no match address");
            }
        });
    }
}

#[test]
fn what_is_typed_into_a_dynamic_map_that_is_in_use_is_in_force_at_once() {
    let typed = [
        "crypto dynamic-map D 5\n match address FLOW\n",
        "crypto dynamic-map D 6\n match address FLOW\n",
        "crypto dynamic-map D 5\n match address FLOW of-the-branches\n",
    ];
    for lines in typed {
        test(async {
            let machine = Machine::new();
            let text = DYNAMIC.replace(" match address FLOW\n", "");
            let site = machine.boot_with(&text).await;
            assert_eq!(machine.protected_packet(), Verdict::Clear);
            site.configure(lines).await;
            assert_eq!(machine.protected_packet(), Verdict::Dropped, "{lines}");
            let name = lines.lines().next().unwrap();
            site.configure(&format!("no {name}\n")).await;
            assert_eq!(machine.protected_packet(), Verdict::Clear, "{lines}");
        });
    }
    // Taking the line away lets go of what it named.
    test(async {
        let machine = Machine::new();
        let site = machine.boot_with(DYNAMIC).await;
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
        site.configure("crypto dynamic-map D 5\n no match address FLOW\n")
            .await;
        assert_eq!(machine.protected_packet(), Verdict::Clear);
    });
}

#[test]
fn a_dynamic_map_that_goes_takes_its_blocks_along() {
    test(async {
        let machine = Machine::new();
        let site = machine.boot_with(DYNAMIC).await;
        site.configure("no crypto dynamic-map D\n").await;
        assert_eq!(machine.protected_packet(), Verdict::Clear);
        site.says("crypto map VPN 10: crypto dynamic-map D does not exist");
    });
}

#[test]
fn a_peer_that_no_policy_can_have_is_refused_and_its_entry_blocks() {
    for peer in ["2001:db8::1", "0.0.0.0", "224.0.0.5", "255.255.255.255"] {
        test(async {
            let machine = Machine::new();
            let text = CONFIG.replace("set peer 192.0.2.2", &format!("set peer {peer}"));
            let site = machine.boot_with(&text).await;
            site.says(&format!("Invalid peer {peer}"));
            assert_eq!(machine.protected_packet(), Verdict::Dropped);
            site.says(
                "crypto map VPN 10 has no set peer; until that is changed its traffic is dropped",
            );
            let refused = site
                .configure(&format!(
                    "crypto map VPN 10 ipsec-isakmp\n set peer {peer}\n"
                ))
                .await;
            assert!(refused[0].contains("Invalid peer"), "{refused:?}");
        });
    }
}

/// A configuration with other entries and lists.
fn with_lists(entries: &str, lists: &str) -> String {
    let entry = "crypto map VPN 10 ipsec-isakmp\n set peer 192.0.2.2\n set transform-set TS\n match address FLOW\n";
    let list = "ip access-list extended FLOW\n permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\n";
    CONFIG.replace(entry, entries).replace(list, lists)
}

#[test]
fn what_is_legal_and_protects_nothing_is_said() {
    let entry = |sequence: u16, list: &str| {
        format!(
            "crypto map VPN {sequence} ipsec-isakmp\n set peer 192.0.2.2\n set transform-set TS\n match address {list}\n"
        )
    };
    let permit = " permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\n";
    let a = "ip access-list extended A\n";
    let b = "ip access-list extended B\n";
    let cases = [
        (
            with_lists(
                &entry(10, "A"),
                &format!("{a} deny ip any 10.0.0.0 0.255.255.255\n{permit}"),
            ),
            "access-list A, used by crypto map VPN 10: line \"permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\": \
             \"deny ip any 10.0.0.0 0.255.255.255\" before it takes all of its traffic",
        ),
        (
            with_lists(
                &(entry(10, "A") + &entry(20, "B")),
                &format!("{a} permit ip 10.0.0.0 0.0.255.255 any\n{b}{permit}"),
            ),
            "access-list B, used by crypto map VPN 20: line \"permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\": \
             \"permit ip 10.0.0.0 0.0.255.255 any\" of crypto map VPN 10 before it takes all of its traffic",
        ),
        (
            CONFIG.replace(
                "interface wan0\n ip address 192.0.2.1 255.255.255.0\n crypto map VPN\n",
                "",
            ),
            "crypto map VPN is on no interface: it protects nothing",
        ),
        (
            CONFIG.replace("interface wan0", "interface wan7"),
            "crypto map VPN 10: interface wan7 is not there",
        ),
        (
            CONFIG.replace(" match address FLOW\n", ""),
            "crypto map VPN 10 has no match address: it protects nothing",
        ),
    ];
    for (text, words) in cases {
        test(async {
            let machine = Machine::new();
            let site = machine.boot_with(&text).await;
            site.says(&format!("%CRYPTO-4-CONFIG_PROBLEM: {words}"));
            assert!(
                site.router
                    .borrow()
                    .tunnels
                    .problems
                    .iter()
                    .any(|p| p.starts_with(words))
            );
            // It is said once.
            site.look_again().await;
            assert_eq!(site.log().matches(words).count(), 1);
        });
    }
}

#[test]
fn what_protects_is_not_complained_of() {
    test(async {
        let entries = "crypto map VPN 10 ipsec-isakmp\n set peer 192.0.2.2\n set transform-set TS\n match address A\n\
                       crypto map VPN 20 ipsec-isakmp\n set peer 192.0.2.3\n set transform-set TS\n match address B\n";
        let lists = "ip access-list extended A\n deny ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\n permit ip 10.0.1.0 0.0.0.255 any\n\
                     ip access-list extended B\n permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\n";
        let machine = Machine::new();
        let site = machine.boot_with(&with_lists(entries, lists)).await;
        assert!(!site.log().contains("CONFIG_PROBLEM"), "{}", site.log());
    });
}

#[test]
fn whatever_cuts_a_negotiation_short_lets_the_kernel_ask_again() {
    let list = "ip access-list extended FLOW\n";
    let line = "permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\n";
    let goes_and_comes = [
        [format!("{list} no {line}"), format!("{list} {line}")],
        [
            "interface wan0\n no crypto map\n".into(),
            "interface wan0\n crypto map VPN\n".into(),
        ],
        [
            "no crypto isakmp enable\n".into(),
            "crypto isakmp enable\n".into(),
        ],
        [
            "crypto map VPN 10 ipsec-isakmp\n no set peer 192.0.2.2\n".into(),
            "crypto map VPN 10 ipsec-isakmp\n set peer 192.0.2.2\n".into(),
        ],
    ];
    for [goes, comes] in &goes_and_comes {
        test(async {
            let machine = Machine::new();
            let site = machine.boot_with(CONFIG).await;
            site.ask().await;
            assert_eq!(site.configure(goes).await, [""; 0]);
            assert_eq!(site.configure(comes).await, [""; 0]);
            site.ask().await;
        });
    }
    for clear in [Clear::Sessions, Clear::IkeSas, Clear::Shutdown] {
        test(async {
            let machine = Machine::new();
            let site = machine.boot_with(CONFIG).await;
            site.ask().await;
            {
                let mut router = site.router.borrow_mut();
                let now = router.now();
                router.tunnels.engine.clear(now, clear);
                router.pump();
            }
            site.carry().await;
            site.ask().await;
        });
    }
}

#[test]
fn a_daemon_that_starts_forgets_what_another_was_asked() {
    test(async {
        let machine = Machine::new();
        let site = machine.boot_with(CONFIG).await;
        site.ask().await;
        drop(site);
        let site = machine.boot().await;
        site.ask().await;
        site.router.borrow_mut().tunnels.drop_all_wishes();
        site.carry().await;
        site.ask().await;
    });
}

#[test]
fn an_acquire_for_a_flow_that_is_gone_is_forgotten() {
    test(async {
        let machine = Machine::new();
        let site = machine.boot_with(CONFIG).await;
        assert_eq!(machine.protected_packet(), Verdict::Dropped);
        let late = machine.acquires();
        site.configure("interface wan0\n no crypto map\n").await;
        for acquire in late {
            tasks::kernel_event(&site.router, acquire);
        }
        site.carry().await;
        site.configure("interface wan0\n crypto map VPN\n").await;
        site.ask().await;
    });
}
