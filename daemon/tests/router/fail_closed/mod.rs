//! Nothing that a crypto map is meant to protect leaves in clear, whatever goes wrong: a router on the fake kernel, packets
//! that leave by it, and what becomes of them.

mod entries;
mod held;

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
