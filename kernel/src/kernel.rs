//! The handle through which the daemon reaches the kernel, real or fake. Cheap to clone.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::fake::Fake;
use crate::linux::Linux;
use crate::{
    AddressInfo, Events, IkeSocket, KernelError, LinkInfo, NeighbourInfo, PolicyInfo, Probe,
    ProbeReply, Request, RouteInfo, SaId, SaInfo, SaStats, XfrmErrors,
};

/// The kernel. All clones are the same one.
#[derive(Debug, Clone)]
pub struct Kernel {
    backend: Backend,
}

#[derive(Debug, Clone)]
enum Backend {
    Linux(Arc<Linux>),
    Fake(Fake),
}

/// Calls the method of the same name of the backend.
macro_rules! either {
    ($self:ident, $k:ident => $call:expr) => {
        match &$self.backend {
            Backend::Linux($k) => $call.await,
            Backend::Fake($k) => $call,
        }
    };
}

impl Kernel {
    /// Opens the netlink sockets of the caller's network namespace, subscribes to events and sees to the policy hash
    /// thresholds. Must be called inside a tokio runtime, which then drives the sockets.
    ///
    /// Errors name the missing capability, or that the kernel has no XFRM.
    pub async fn linux() -> Result<(Self, Events), KernelError> {
        let (linux, events) = Linux::open().await?;
        Ok((
            Self {
                backend: Backend::Linux(Arc::new(linux)),
            },
            events,
        ))
    }

    /// A kernel in memory that keeps the same contract, and the handle with which a test looks into it, injects events
    /// and makes requests fail. Needs no privileges; IKE sockets are real.
    pub fn fake() -> (Self, Events, Fake) {
        let (fake, events) = Fake::new();
        (
            Self {
                backend: Backend::Fake(fake.clone()),
            },
            events,
            fake,
        )
    }

    /// Makes changes, in the order given, and answers for each in the same order. A request that fails does not stop
    /// those after it. Many at once are far cheaper than one at a time: XFRM requests go out in batches, pipelined.
    pub async fn submit(&self, requests: Vec<Request>) -> Vec<Result<(), KernelError>> {
        either!(self, k => k.submit(requests))
    }

    /// All our SAs, with counters, without keys.
    pub async fn dump_sas(&self) -> Result<Vec<SaInfo>, KernelError> {
        either!(self, k => k.dump_sas())
    }

    /// The [`Acquire`](crate::Acquire)s that are neither answered nor forgotten, as the requests that forget them. For the
    /// start: they may have been sent to the daemon before this one.
    pub async fn dump_acquires(&self) -> Result<Vec<Request>, KernelError> {
        either!(self, k => k.dump_acquires())
    }

    /// All our policies, in no particular order.
    pub async fn dump_policies(&self) -> Result<Vec<PolicyInfo>, KernelError> {
        either!(self, k => k.dump_policies())
    }

    /// One SA's counters; `NotFound` if it is gone. For many use [`Kernel::dump_sas`].
    pub async fn sa_stats(&self, id: SaId) -> Result<SaStats, KernelError> {
        either!(self, k => k.sa_stats(id))
    }

    /// All interfaces, by index.
    pub async fn links(&self) -> Result<Vec<LinkInfo>, KernelError> {
        either!(self, k => k.links())
    }

    /// All addresses, IPv4 then IPv6, link-local ones too.
    pub async fn addresses(&self) -> Result<Vec<AddressInfo>, KernelError> {
        either!(self, k => k.addresses())
    }

    /// The ARP cache; multicast and loopback entries, which the kernel makes by itself, are not there.
    pub async fn neighbours(&self) -> Result<Vec<NeighbourInfo>, KernelError> {
        either!(self, k => k.neighbours())
    }

    /// All unicast and blackhole routes of the main table.
    pub async fn routes(&self) -> Result<Vec<RouteInfo>, KernelError> {
        either!(self, k => k.routes())
    }

    /// The address that a packet to `destination` would be sent from; `Unreachable` if there is no route.
    pub async fn source_for(
        &self,
        destination: std::net::IpAddr,
    ) -> Result<std::net::IpAddr, KernelError> {
        either!(self, k => k.source_for(destination))
    }

    /// XFRM error counters.
    pub fn xfrm_errors(&self) -> XfrmErrors {
        match &self.backend {
            Backend::Linux(k) => k.xfrm_errors(),
            Backend::Fake(k) => k.xfrm_errors(),
        }
    }

    /// Lets IPv4 packets pass from one interface to another, as a router does. To be called once the policies are in place:
    /// on a machine that only now becomes a router, nothing can pass before it is protected.
    pub fn forward_ipv4(&self) -> Result<(), KernelError> {
        match &self.backend {
            Backend::Linux(k) => k.forward_ipv4(),
            Backend::Fake(_) => Ok(()),
        }
    }

    /// A UDP socket for IKE on `local` (usually the unspecified address and port 500), exempt from all policies.
    /// With a fake kernel it is an ordinary UDP socket, so port 0 or a high port on 127.0.0.1 does.
    pub fn ike_socket(&self, local: SocketAddr) -> Result<IkeSocket, KernelError> {
        IkeSocket::bind(local, matches!(self.backend, Backend::Linux(_)))
    }

    /// Sends one ICMP echo request and waits for the reply, an error or the end of the time. For ping; with rising `ttl` for traceroute.
    pub async fn ping(&self, probe: Probe) -> Result<ProbeReply, KernelError> {
        match &self.backend {
            Backend::Linux(_) => crate::icmp::probe(&probe).await,
            Backend::Fake(k) => k.ping(&probe),
        }
    }
}
