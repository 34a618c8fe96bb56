//! From the running-config to the engine and the kernel (one in memory that only counts): all of it, and one change
//! when the rest is there. The time of the whole must grow with the entries and not faster.
//!
//! `make bench` runs it.

use std::fmt::Write;

use isthmus_kernel::Kernel;
use isthmusd::config;
use isthmusd::router::Shared;
use isthmusd::router::reconcile::{follow, reconcile};
use isthmusd::tasks;
use isthmusd::testing::RouterBuilder;
use tokio::runtime::Runtime;
use tokio::task::LocalSet;

fn main() {
    divan::main();
}

macro_rules! entry {
    ($number:literal) => {
        concat!(
            "crypto map VPN ",
            $number,
            " ipsec-isakmp\n set peer 203.0.113.9\n set transform-set T\n match address MORE\n"
        )
    };
}

const SIZES: [usize; 3] = [100, 1_000, 10_000];

fn file(entries: usize) -> String {
    let mut text = String::from(
        "crypto ipsec transform-set T esp-aes 256 esp-sha256-hmac\ninterface eth0\n ip address 192.0.2.1 255.255.255.0\n \
         crypto map VPN\n",
    );
    for index in 0..entries {
        let _ = write!(
            text,
            "crypto map VPN {} ipsec-isakmp\n set peer 198.18.{}.{}\n set transform-set T\n match address VPN-{index}\n\
             ip access-list extended VPN-{index}\n permit ip 10.0.0.0 0.255.255.255 172.{}.{}.0 0.0.0.255\n",
            index * 6 + 6,
            index / 250,
            index % 250 + 1,
            16 + index / 256,
            index % 256
        );
    }
    text + "end\n"
}

fn router() -> Shared {
    let (kernel, _events, fake) = Kernel::fake();
    fake.add_link("eth0");
    RouterBuilder::on(kernel).shared()
}

fn configure(runtime: &Runtime, router: &Shared, running: config::Running) {
    LocalSet::new().block_on(runtime, async {
        *router.borrow_mut().running = running;
        reconcile(router).await.expect("the fake kernel answers");
        tasks::carry_out(router, |_, _, _| Ok(())).await;
    });
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
}

/// Every entry from nothing.
#[divan::bench(args = SIZES, max_time = 5)]
fn everything(bencher: divan::Bencher<'_, '_>, entries: usize) {
    let runtime = runtime();
    let (running, problems) = config::load(&file(entries), "bench");
    assert_eq!(problems, []);
    bencher
        .with_inputs(|| (router(), running.clone()))
        .bench_local_values(|(router, running)| {
            configure(&runtime, &router, running);
            assert!(router.borrow().tunnels.policies.standing() >= 3 * entries);
            router
        });
}

/// What changes when everything else is there: the lines, and those that take it back.
const CHANGES: [(&str, &str, &str); 6] = [
    ("first", entry!("1"), "no crypto map VPN 1\n"),
    ("middle", entry!("30001"), "no crypto map VPN 30001\n"),
    ("last", entry!("65000"), "no crypto map VPN 65000\n"),
    (
        "list line",
        "ip access-list extended VPN-5000\n permit ip 10.0.0.0 0.255.255.255 192.168.7.0 0.0.0.255\n",
        "ip access-list extended VPN-5000\n no permit ip 10.0.0.0 0.255.255.255 192.168.7.0 0.0.0.255\n",
    ),
    (
        "transform-set of ten",
        "crypto ipsec transform-set FEW esp-aes esp-sha-hmac\n",
        "crypto ipsec transform-set FEW esp-aes 192 esp-sha-hmac\n",
    ),
    (
        "key",
        "crypto isakmp key one address 203.0.113.9\n",
        "no crypto isakmp key one address 203.0.113.9\n",
    ),
];

/// One change among ten thousand entries, as it is typed; beside it the whole of them (`everything`).
#[divan::bench(args = CHANGES.map(|(name, ..)| name), max_time = 2)]
fn one_change(bencher: divan::Bencher<'_, '_>, name: &str) {
    let runtime = runtime();
    let router = router();
    let mut text = file(10_000);
    for index in 0..10 {
        let _ = write!(
            text,
            "crypto map VPN {} ipsec-isakmp\n set transform-set FEW\n",
            index * 6 + 6
        );
    }
    text.push_str("crypto ipsec transform-set FEW esp-aes 192 esp-sha-hmac\nip access-list extended MORE\n permit ip 10.0.0.0 0.255.255.255 192.168.9.0 0.0.0.255\n");
    let (running, problems) = config::load(&text, "bench");
    assert_eq!(problems, []);
    configure(&runtime, &router, running);
    let before = router.borrow().tunnels.policies.standing();
    let (_, lines, back) = CHANGES[CHANGES.iter().position(|one| one.0 == name).unwrap_or(0)];
    bencher
        .with_inputs(|| type_in(&runtime, &router, back))
        .bench_local_values(|()| type_in(&runtime, &router, lines));
    let more = usize::from(!name.starts_with("transform") && name != "key") * 3;
    let standing = router.borrow().tunnels.policies.standing();
    assert_eq!(standing, before + more);
}

fn type_in(runtime: &Runtime, router: &Shared, lines: &str) {
    LocalSet::new().block_on(runtime, async {
        {
            let mut router = router.borrow_mut();
            config::merge(&mut router.running, lines, "bench");
            router.configured();
        }
        follow(router).await.expect("the fake kernel answers");
        tasks::carry_out(router, |_, _, _| Ok(())).await;
    });
}
