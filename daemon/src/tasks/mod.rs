//! The run loop: every task of the daemon on one thread. Started by `main`, which also decides what to do when it ends.
//!
//! Packet path: socket → [`Router::datagram`] → engine → [`Router::pump`] → [`Work`](crate::router::work::Work) → [`carry_out`] → kernel, socket.

pub mod control;
mod poll;
pub mod syslog;
mod work;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use ike::{Clear, Expiry};
use isthmus_kernel::{Event, Events, IkeSocket, Kernel};
use tokio::net::UnixListener;
pub use work::carry_out;

use crate::change_control::archive;
use crate::log::Severity;
use crate::plan::child::engine_protocol;
use crate::router::policies::enforce;
use crate::router::reconcile::{self, adopt, catch_up};
use crate::router::{Shared, Stop};
use crate::session::screens::Screens;

/// UDP port of ISAKMP (RFC 2408 2.5.1).
const ISAKMP_PORT: u16 = 500;
/// Datagrams taken from the socket before other tasks have their turn.
const BATCH: usize = 64;
/// Changes that come together are reconciled together.
const SETTLE: Duration = Duration::from_millis(20);
/// While a large configuration is pasted, reconciling takes one part in this many of the time.
const SHARE: u32 = 4;
/// But a change never waits longer than this.
const MAX_SETTLE: Duration = Duration::from_secs(1);
/// When nothing was changed for so long, what is wrong now is logged: more lines are not about to mend it.
const QUIET: Duration = Duration::from_secs(2);
/// Time between attempts at what the kernel refused: it grows from the first to the last.
const INSIST: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];
/// How long the end of the daemon waits for a disk.
const FAREWELL: Duration = Duration::from_secs(5);

/// Everything that a running daemon has open.
#[derive(Debug)]
pub struct Sockets {
    /// IKE.
    pub ike: IkeSocket,
    /// Events of the kernel.
    pub events: Events,
}

/// Opens the IKE socket.
///
/// # Errors
/// Another IKE daemon has it, or a capability is missing.
pub fn ike_socket(kernel: &Kernel) -> anyhow::Result<IkeSocket> {
    let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), ISAKMP_PORT);
    kernel.ike_socket(any).context("cannot open the IKE socket")
}

/// Runs the router until it is to stop. When the policies of the startup-config are in force, and not before, packets are
/// forwarded, `control` opens the console's socket, and `ready` is called. Must run in a `LocalSet`.
///
/// # Errors
/// The kernel cannot be asked for what it has, or the control socket cannot be opened.
pub async fn run(
    router: Shared,
    sockets: Sockets,
    control: impl FnOnce() -> anyhow::Result<UnixListener>,
    ready: impl FnOnce(),
) -> anyhow::Result<Stop> {
    let Sockets { ike, events } = sockets;
    let socket = Rc::new(ike);
    adopt(&router).await?;
    reconcile::reconcile(&router).await?;
    carry_out(&router, |local, remote, bytes| {
        socket.send(local, remote, bytes)
    })
    .await;
    while router.borrow().tunnels.policies.is_exposed() {
        tokio::time::sleep(INSIST[0]).await;
        router.borrow_mut().tunnels.policies.retry();
        enforce(&router).await;
    }
    forward(&router);
    let control = control()?;
    ready();
    router.borrow_mut().reconcile.on = true;
    let tasks = [
        tokio::task::spawn_local(receive(router.clone(), socket.clone())),
        tokio::task::spawn_local(watch(router.clone(), events)),
        tokio::task::spawn_local(timeouts(router.clone())),
        tokio::task::spawn_local(carry_on(router.clone(), socket.clone())),
        tokio::task::spawn_local(follow(router.clone())),
        tokio::task::spawn_local(insist(router.clone())),
        tokio::task::spawn_local(control::serve(control, router.clone(), Screens::default())),
        tokio::task::spawn_local(archive::keep_time(router.clone())),
        tokio::task::spawn_local(syslog::forward(router.clone())),
        tokio::task::spawn_local(poll::traffic(router.clone())),
        tokio::task::spawn_local(poll::load(router.clone())),
    ];
    let stop = router.borrow().wake.stop.clone();
    stop.notified().await;
    for task in tasks {
        task.abort();
    }
    shut_down(&router, &socket).await;
    syslog::drain(&router).await;
    write_out(&router).await;
    Ok(router.borrow().stop.unwrap_or(Stop::Signal))
}

/// What is to be written is written; a disk that hangs is not waited for.
async fn write_out(router: &Shared) {
    let written = router.borrow().disk.run(|| ());
    let _ = tokio::time::timeout(FAREWELL, written).await;
}

/// Makes the machine a router, now that what must be protected is.
fn forward(router: &Shared) {
    let outcome = router.borrow().kernel.forward_ipv4();
    if let Err(error) = outcome {
        router
            .borrow_mut()
            .notice(Severity::Errors, "FORWARDING", error.to_string());
    }
}

/// Tells every peer, and takes the SAs out of the kernel. The policies stay: until the daemon is back, traffic that
/// they name is dropped, never sent in clear.
async fn shut_down(router: &Shared, socket: &IkeSocket) {
    {
        let mut router = router.borrow_mut();
        let now = router.now();
        router.tunnels.engine.clear(now, Clear::Shutdown);
        router.pump();
        router.tunnels.drop_all_wishes();
    }
    carry_out(router, |local, remote, bytes| {
        socket.send(local, remote, bytes)
    })
    .await;
}

async fn receive(router: Shared, socket: Rc<IkeSocket>) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        if let Err(error) = socket.receive(&mut batch, BATCH).await {
            router
                .borrow_mut()
                .notice(Severity::Errors, "SOCKET", error.to_string());
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let mut router = router.borrow_mut();
        for datagram in batch.drain(..) {
            router.datagram(datagram.local, datagram.remote, &datagram.bytes);
        }
    }
}

async fn watch(router: Shared, mut events: Events) {
    while let Some(event) = events.next().await {
        let lost = event == Event::Overflow;
        kernel_event(&router, event);
        if lost && some_are_young(&router).await {
            tokio::task::spawn_local(catch_up_with_the_young(router.clone()));
        }
    }
    let mut router = router.borrow_mut();
    router.notice(
        Severity::Critical,
        "KERNEL",
        "the connection to the kernel is gone",
    );
    router.stop(Stop::Reload);
}

/// Catches up with lost events. True when there are children that were too young to be judged.
async fn some_are_young(router: &Shared) -> bool {
    catch_up(router).await.unwrap_or_else(|error| {
        let text = error.to_string();
        router.borrow_mut().notice(Severity::Errors, "KERNEL", text);
        false
    })
}

/// Looks again when they are old enough.
async fn catch_up_with_the_young(router: Shared) {
    tokio::time::sleep(reconcile::INSTALLING).await;
    some_are_young(&router).await;
}

/// Takes one event of the kernel over.
pub fn kernel_event(router: &Shared, event: Event) {
    let mut router = router.borrow_mut();
    match event {
        Event::Acquire(acquire) => router.acquire(acquire),
        Event::Expire(expire) => {
            let kind = if expire.hard {
                Expiry::Hard
            } else {
                Expiry::Soft
            };
            let protocol = engine_protocol(expire.sa.protocol);
            let now = router.now();
            router
                .tunnels
                .expire(now, expire.sa.destination, protocol, expire.sa.spi, kind);
            router.pump();
        }
        Event::LinkRemoved { index, .. } => {
            router.close_elsewhere(index);
            router.machine_changed();
        }
        Event::LinkChanged(link) => {
            if !link.up {
                router.close_elsewhere(link.index);
            }
            router.machine_changed();
        }
        Event::PolicyTouched(key) => {
            if router.tunnels.policies.doubt(key.as_ref()) {
                router.wake.work.notify_one();
            }
        }
        Event::Overflow => {
            router.tunnels.policies.doubt(None);
            router.wake.work.notify_one();
            router.machine_changed();
        }
        Event::AddressChanged { .. } => router.machine_changed(),
    }
}

async fn timeouts(router: Shared) {
    let wake = router.borrow().wake.timer.clone();
    loop {
        // Bound first: a borrow in the scrutinee would last through the waits below.
        let due = router.borrow_mut().until_timeout();
        match due {
            Some(due) => tokio::select! {
                () = tokio::time::sleep(due) => {}
                () = wake.notified() => {}
            },
            None => wake.notified().await,
        }
    }
}

async fn carry_on(router: Shared, socket: Rc<IkeSocket>) {
    let wake = router.borrow().wake.work.clone();
    loop {
        wake.notified().await;
        carry_out(&router, |local, remote, bytes| {
            socket.send(local, remote, bytes)
        })
        .await;
    }
}

/// Has engine and kernel follow whenever something has changed. Does not come back.
async fn follow(router: Shared) {
    let wake = router.borrow().wake.clone();
    let mut settle = SETTLE;
    let mut unreported = false;
    loop {
        tokio::select! {
            () = wake.reconcile.notified() => {}
            () = tokio::time::sleep(QUIET), if unreported => {
                let mut router = router.borrow_mut();
                router.report();
                router.release_held();
                unreported = false;
                continue;
            }
        }
        let hurried = tokio::select! {
            () = tokio::time::sleep(settle) => false,
            () = wake.reconcile_now.notified() => true,
        };
        let started = Instant::now();
        let seen = router.borrow().reconcile.asked;
        if let Err(error) = reconcile::follow(&router).await {
            let text = error.to_string();
            router.borrow_mut().notice(Severity::Errors, "KERNEL", text);
            let again = wake.reconcile.clone();
            tokio::task::spawn_local(async move {
                tokio::time::sleep(INSIST[0]).await;
                again.notify_one();
            });
        }
        router.borrow_mut().reconcile.done = seen;
        wake.reconciled.notify_waiters();
        if hurried {
            router.borrow_mut().report();
        }
        unreported = !hurried;
        settle = (started.elapsed() * SHARE).clamp(SETTLE, MAX_SETTLE);
    }
}

/// Asks again for policies that the kernel refused.
async fn insist(router: Shared) {
    let wake = router.borrow().wake.refused.clone();
    let [first, last] = INSIST;
    loop {
        wake.notified().await;
        let mut pause = first;
        loop {
            tokio::time::sleep(pause).await;
            pause = match router.borrow().tunnels.policies.is_exposed() {
                true => first,
                false => (pause * 2).min(last),
            };
            if !router.borrow_mut().tunnels.policies.retry() {
                break;
            }
            enforce(&router).await;
        }
    }
}

#[cfg(test)]
mod tests;
