//! From the running-config to the engine and the kernel (one in memory that only counts): all of it, and one more entry
//! when the rest is there. The time of the whole must grow with the entries and not faster.
//!
//! `make bench` runs it.

use std::fmt::Write;

use isthmus_kernel::Kernel;
use isthmusd::config;
use isthmusd::router::Shared;
use isthmusd::router::reconcile::reconcile;
use isthmusd::tasks;
use isthmusd::testing::RouterBuilder;
use tokio::runtime::Runtime;
use tokio::task::LocalSet;

fn main() {
    divan::main();
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
            index + 1,
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
            assert!(router.borrow().tunnels.policies.standing().len() >= 3 * entries);
            router
        });
}

/// One more entry when the others are there.
#[divan::bench(args = SIZES, max_time = 5)]
fn one_more(bencher: divan::Bencher<'_, '_>, entries: usize) {
    let runtime = runtime();
    let load = |entries| config::load(&file(entries), "bench").0;
    let (before, after) = (load(entries), load(entries + 1));
    let router = router();
    bencher
        .with_inputs(|| {
            configure(&runtime, &router, before.clone());
            after.clone()
        })
        .bench_local_values(|after| configure(&runtime, &router, after));
}
