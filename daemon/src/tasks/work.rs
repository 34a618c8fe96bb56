//! Carries out what the router has queued ([`crate::router::work`]): what the kernel is asked for, then the datagrams. Called by the run
//! loop whenever there is work.

use std::net::SocketAddr;

use isthmus_kernel::{ErrorKind, Kernel, KernelError, Request};

use crate::log::Severity;
use crate::router::counters;
use crate::router::policies::enforce;
use crate::router::work::{Owner, Work};
use crate::router::{Router, Shared};

/// Carries out all work there is: the policies first, then what else the kernel is asked for, in one batch, then the
/// datagrams, so that no message overtakes the SA it speaks of.
pub async fn carry_out(
    router: &Shared,
    mut send: impl FnMut(SocketAddr, SocketAddr, &[u8]) -> Result<(), KernelError>,
) {
    loop {
        enforce(router).await;
        let work = std::mem::take(&mut router.borrow_mut().tunnels.work);
        if work.is_empty() {
            return;
        }
        let mut requests = Vec::new();
        let mut owners = Vec::new();
        let mut datagrams = Vec::new();
        let mut waiting = Vec::new();
        for item in work {
            match item {
                Work::Kernel {
                    requests: some,
                    owner,
                } => {
                    owners.extend(some.iter().map(|_| owner));
                    requests.extend(some);
                }
                Work::Send {
                    local,
                    remote,
                    bytes,
                } => datagrams.push((local, remote, bytes)),
                Work::Reached(sender) => waiting.push(sender),
            }
        }
        if !requests.is_empty() {
            ask_kernel(router, requests, owners).await;
        }
        for (local, remote, bytes) in datagrams {
            // IKE repeats what gets lost; a missing route shows as a peer that does not answer.
            let _ = send(local, remote, &bytes);
        }
        for sender in waiting {
            // Its session may be gone.
            let _ = sender.send(());
        }
    }
}

async fn ask_kernel(router: &Shared, requests: Vec<Request>, owners: Vec<Owner>) {
    let kernel = router.borrow().kernel.clone();
    count(router, &kernel, &requests).await;
    let results = kernel.submit(requests.clone()).await;
    let mut router = router.borrow_mut();
    for (owner, result) in owners.iter().zip(results) {
        if let Err(error) = result {
            failed(&mut router, *owner, &error);
        }
    }
    for owner in owners {
        if let Owner::Child(child) = owner {
            router.tunnels.waiting.installed(child);
        }
    }
    router.pump();
}

/// Adds the counters of SAs that are about to go to their flows'.
async fn count(router: &Shared, kernel: &Kernel, requests: &[Request]) {
    for request in requests {
        let Request::DeleteSa(id) = request else {
            continue;
        };
        let owner = router.borrow_mut().tunnels.counted.remove(id);
        let (Some((name, inbound)), Ok(stats)) = (owner, kernel.sa_stats(*id).await) else {
            continue;
        };
        let mut router = router.borrow_mut();
        let cleared = router.tunnels.cleared.remove(id).unwrap_or_default();
        let carried = router.tunnels.carried.entry(name).or_default();
        counters::add(carried, &counters::since(stats, cleared), inbound);
    }
}

fn failed(router: &mut Router, owner: Owner, error: &KernelError) {
    match owner {
        Owner::Child(child) => {
            let now = router.now();
            router.tunnels.refused(now, child, &error.to_string());
        }
        _ if error.kind == ErrorKind::NotFound => {}
        _ => router.notice(Severity::Errors, "KERNEL", error.to_string()),
    }
}
