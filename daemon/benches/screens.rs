//! How long the screens hold the packet loop up while many tunnels are there: a router with ten thousand of them to one peer, on
//! the fake kernel, through its control socket. `ISTHMUS_TUNNELS` sets another number. While a screen is made and read, a task beside it
//! wants to run every millisecond, as a datagram would; what the thread does between two turns of it is the hold. Prints a table;
//! run by `make bench`.

#[path = "../tests/bed/mod.rs"]
mod bed;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bed::Bed;
use bed::tunnels::{FIRST, SECOND, config, configure, outbound, tunnel, up};
use nix::time::{ClockId, clock_gettime};
use tokio::task::LocalSet;

const TUNNELS: usize = 10_000;
const EVERY: Duration = Duration::from_millis(1);
const SCREENS: [&str; 9] = [
    "show clock",
    "show crypto ipsec sa",
    "show crypto ipsec sa peer 192.0.2.9",
    "show crypto ipsec sa | json",
    "show crypto isakmp sa",
    "show crypto session detail",
    "show crypto engine connections active",
    "show access-lists",
    "show tech-support",
];

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, measure());
}

async fn measure() {
    let asked = std::env::var("ISTHMUS_TUNNELS").ok();
    let tunnels = asked
        .and_then(|count| count.parse().ok())
        .unwrap_or(TUNNELS);
    let (bed, other) = (Bed::new(), Bed::new());
    configure(&bed, &config(FIRST, SECOND, tunnels)).await;
    configure(&other, &config(SECOND, FIRST, tunnels)).await;
    for policy in outbound(&bed.router).await {
        tunnel(&bed.router, &other.router, &policy).await;
    }
    assert_eq!(up(&bed.router), tunnels, "{}", bed.log());
    let mut console = bed.console().await;
    println!(
        "{:<46} {:>9} {:>9} {:>9} {:>9}",
        "screen", "octets", "took ms", "p99.9 ms", "max ms"
    );
    for line in SCREENS {
        let waits = Rc::new(RefCell::new(Vec::new()));
        let ticker = tokio::task::spawn_local(holds(waits.clone()));
        tokio::time::sleep(Duration::from_millis(20)).await;
        let started = Instant::now();
        let octets = console.run(line).await.text.len();
        let took = started.elapsed();
        ticker.abort();
        report(line, octets, took, &waits.borrow());
    }
}

/// Processor time that this thread has used.
fn used() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
        .expect("the clock of the thread")
        .into()
}

/// What the thread has done between two turns of a task that wants to run every millisecond, in processor time: other programs of the
/// machine do not count.
async fn holds(into: Rc<RefCell<Vec<Duration>>>) {
    let mut interval = tokio::time::interval(EVERY);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut last = used();
    loop {
        interval.tick().await;
        let now = used();
        into.borrow_mut().push(now.saturating_sub(last));
        last = now;
    }
}

fn report(what: &str, octets: usize, took: Duration, waits: &[Duration]) {
    let mut waits = waits.to_vec();
    waits.sort_unstable();
    let at = |thousandths: usize| {
        let index = waits.len().saturating_sub(1) * thousandths / 1000;
        waits.get(index).copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    println!(
        "{what:<46} {octets:>9} {:>9.1} {:>9.2} {:>9.2}",
        took.as_secs_f64() * 1e3,
        at(999),
        at(1000)
    );
}
