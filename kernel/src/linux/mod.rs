//! The real kernel, over netlink. [`Kernel`](crate::Kernel) is the door to it; the contract is written there.
//!
//! XFRM: `channel.rs` carries requests, `encode.rs`, `decode.rs` and `frame.rs` speak it, `tables.rs` sees to the size of
//! the policy tables. Links, addresses and routes: `network.rs` asks, through rtnetlink, and `route.rs` reads the answers.
//! `events.rs` listens to both.

mod bus;
mod channel;
mod decode;
pub(crate) mod encode;
mod events;
mod frame;
mod network;
mod route;
mod tables;

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::PathBuf;

use netlink_packet_xfrm::constants::{XFRM_MSG_GETPOLICY, XFRM_MSG_GETSA};

use self::channel::{Channel, Refusal};
use self::frame::Frame;
use self::network::Network;
use crate::{
    AddressInfo, ErrorKind, Events, KernelError, LinkInfo, LinkKind, NeighbourInfo, PolicyInfo,
    Request, RouteInfo, SaId, SaInfo, SaStats, XfrmErrors,
};

/// So many things are told faster all at once than asked for one by one.
const MANY: usize = 100;
/// SAs of a dump that are decoded at once.
const DECODED: usize = 1024;

/// Netlink connections of one network namespace.
#[derive(Debug)]
pub(crate) struct Linux {
    xfrm: Channel,
    network: Network,
}

/// The kernel's answer to a request: its ACK, or why it refused.
type Ack = Result<(), KernelError>;

fn refused(request: &str, refusal: Refusal) -> KernelError {
    match refusal.errno {
        0 => KernelError::of(ErrorKind::Closed, request, "the kernel does not answer"),
        errno => KernelError::errno(request, errno, Some(&refusal.text)),
    }
}

impl Linux {
    pub(crate) async fn open() -> Result<(Self, Events), KernelError> {
        let what = "open the kernel's netlink interface to IPsec";
        let (sender, events) = Events::channel();
        let xfrm = Channel::open().map_err(|e| KernelError::io(what, &e))?;
        let own_port = xfrm.port;
        let linux = Self {
            xfrm,
            network: Network::open().map_err(|e| KernelError::io(what, &e))?,
        };
        events::listen(sender, own_port).map_err(|e| KernelError::io(what, &e))?;
        // the first real request also finds out a kernel without XFRM
        tables::tune(&linux.xfrm)
            .await
            .map_err(|r| refused(what, r))?;
        Ok((linux, events))
    }

    pub(crate) async fn submit(&self, requests: Vec<Request>) -> Vec<Ack> {
        let mut results: Vec<Ack> = Vec::with_capacity(requests.len());
        let mut batch = Vec::new();
        for request in requests {
            match frame_for(&request) {
                Some(frame) => batch.push((request, frame)),
                None => {
                    self.flush(&mut batch, &mut results).await;
                    results.push(self.single(request).await);
                }
            }
        }
        self.flush(&mut batch, &mut results).await;
        results
    }

    /// Sends the XFRM requests gathered so far. One that fails our own check, or is about something that is not ours,
    /// takes no part.
    async fn flush(
        &self,
        batch: &mut Vec<(Request, Result<Frame, KernelError>)>,
        results: &mut Vec<Ack>,
    ) {
        self.leave_foreign_alone(batch).await;
        let mut frames: Vec<Frame> = Vec::with_capacity(batch.len());
        let mut texts = Vec::with_capacity(batch.len());
        for (request, frame) in batch.drain(..) {
            texts.push((request, frame.map(|frame| frames.push(frame))));
        }
        let mut answers = self.xfrm.execute(frames).await.into_iter();
        results.extend(texts.into_iter().map(|(request, sent)| {
            sent.and_then(|()| {
                answers
                    .next()
                    .unwrap_or(Ok(()))
                    .map_err(|refusal| refused(&request.to_string(), refusal))
            })
        }));
    }

    /// Refuses the requests that would replace or delete SAs and policies of another program.
    async fn leave_foreign_alone(&self, batch: &mut [(Request, Result<Frame, KernelError>)]) {
        let looks = batch.iter().enumerate();
        let mut looks: Vec<(usize, Frame)> = looks
            .filter_map(|(at, (request, _))| Some((at, look_for(request)?)))
            .collect();
        for kind in [XFRM_MSG_GETSA, XFRM_MSG_GETPOLICY] {
            if looks.iter().filter(|(_, look)| look.kind == kind).count() > MANY
                && let Ok(all) = self.xfrm.dump(kind).await
            {
                let foreign: HashSet<_> = all.iter().filter_map(decode::look_for_foreign).collect();
                looks.retain(|(_, look)| look.kind != kind || foreign.contains(&*look.body));
            }
        }
        let (places, looks): (Vec<usize>, Vec<Frame>) = looks.into_iter().unzip();
        let found = self.xfrm.get_each(looks).await;
        for (at, found) in places.into_iter().zip(found) {
            let (request, frame) = &mut batch[at];
            if let Some(foreign) = found.ok().as_ref().and_then(decode::foreign) {
                let hint = format!("{foreign} was not made by isthmusd and is left alone");
                *frame = Err(KernelError::of(ErrorKind::NotOurs, request, hint));
            }
        }
    }

    /// A request that is more than one XFRM message.
    async fn single(&self, request: Request) -> Ack {
        let what = request.to_string();
        match request {
            Request::ForgetAcquire {
                source,
                destination,
                protocol,
                mode,
                reqid,
            } => {
                let named = self
                    .xfrm
                    .get(encode::name_acquire(
                        source,
                        destination,
                        protocol,
                        mode,
                        reqid,
                    ))
                    .await;
                let named = named.map_err(|r| refused(&what, r))?;
                let spi = decode::allocated_spi(&named).unwrap_or(0);
                let delete = encode::delete_sa(SaId {
                    destination,
                    protocol,
                    spi,
                });
                one(&what, self.xfrm.execute(vec![delete]).await)
            }
            Request::SetAddress { interface, address } => {
                self.network.set_address(&what, &interface, address).await
            }
            Request::RemoveAddress { interface, address } => {
                self.network
                    .remove_address(&what, &interface, address)
                    .await
            }
            Request::SetLink { interface, up, mtu } => {
                self.network.set_link(&what, &interface, up, mtu).await
            }
            Request::CreateLink {
                name,
                kind: LinkKind::Dummy,
            } => self.network.create_dummy(&what, &name).await,
            Request::DeleteLink { name } => self.network.delete_link(&what, &name).await,
            Request::AddRoute(spec) => self.network.add_route(&what, &spec).await,
            Request::RemoveRoute(spec) => self.network.remove_route(&what, &spec).await,
            Request::SetInboundCheck { interface, check } => {
                set_inbound_check(&what, &interface, check)
            }
            Request::AddSa(_)
            | Request::DeleteSa(_)
            | Request::SetPolicy(_)
            | Request::DeletePolicy(_) => {
                unreachable!("frame_for has taken these")
            }
        }
    }

    pub(crate) async fn dump_sas(&self) -> Result<Vec<SaInfo>, KernelError> {
        let all = self
            .xfrm
            .dump(XFRM_MSG_GETSA)
            .await
            .map_err(|r| refused("list SAs", r))?;
        // There may be tens of thousands: datagrams have their turn in between.
        let mut all = all.into_iter();
        let mut sas = Vec::with_capacity(all.len());
        while all.len() > 0 {
            let part = all.by_ref().take(DECODED);
            sas.extend(part.filter_map(|frame| decode::sa(&frame)));
            tokio::task::yield_now().await;
        }
        Ok(sas)
    }

    pub(crate) async fn dump_acquires(&self) -> Result<Vec<Request>, KernelError> {
        let all = self
            .xfrm
            .dump(XFRM_MSG_GETSA)
            .await
            .map_err(|r| refused("list acquires", r))?;
        Ok(all.iter().filter_map(decode::forget_acquire).collect())
    }

    pub(crate) async fn dump_policies(&self) -> Result<Vec<PolicyInfo>, KernelError> {
        let all = self
            .xfrm
            .dump(XFRM_MSG_GETPOLICY)
            .await
            .map_err(|r| refused("list policies", r))?;
        Ok(all.iter().filter_map(decode::policy).collect())
    }

    pub(crate) async fn sa_stats(&self, id: SaId) -> Result<SaStats, KernelError> {
        let what = format!("read SA {id}");
        let frame = self
            .xfrm
            .get(encode::get_sa(id))
            .await
            .map_err(|r| refused(&what, r))?;
        let gone = || KernelError::of(ErrorKind::NotOurs, &what, "it was not made by isthmusd");
        decode::sa(&frame).map(|sa| sa.stats).ok_or_else(gone)
    }

    pub(crate) async fn links(&self) -> Result<Vec<LinkInfo>, KernelError> {
        self.network.links().await
    }

    pub(crate) async fn addresses(&self) -> Result<Vec<AddressInfo>, KernelError> {
        self.network.addresses().await
    }

    pub(crate) async fn neighbours(&self) -> Result<Vec<NeighbourInfo>, KernelError> {
        self.network.neighbours().await
    }

    pub(crate) async fn routes(&self) -> Result<Vec<RouteInfo>, KernelError> {
        self.network.routes().await
    }

    pub(crate) async fn source_for(&self, destination: IpAddr) -> Result<IpAddr, KernelError> {
        self.network.source_for(destination).await
    }

    pub(crate) fn forward_ipv4(&self) -> Result<(), KernelError> {
        const SETTING: &str = "/proc/sys/net/ipv4/ip_forward";
        // A container's may be set already and not be writable.
        if std::fs::read_to_string(SETTING).is_ok_and(|value| value.trim() == "1") {
            return Ok(());
        }
        std::fs::write(SETTING, "1")
            .map_err(|error| KernelError::io(format!("set {SETTING} to 1"), &error))
    }

    pub(crate) fn xfrm_errors(&self) -> XfrmErrors {
        // of this thread, because a namespace can be a thread's own
        let text = std::fs::read_to_string("/proc/thread-self/net/xfrm_stat").unwrap_or_default();
        XfrmErrors(text.lines().filter_map(counter).collect())
    }
}

/// A line of `/proc/net/xfrm_stat`.
fn counter(line: &str) -> Option<(String, u64)> {
    let (name, value) = line.split_once(char::is_whitespace)?;
    Some((name.to_owned(), value.trim().parse().ok()?))
}

/// The XFRM message for a request that is just one, or what is wrong with it.
fn frame_for(request: &Request) -> Option<Result<Frame, KernelError>> {
    let checked =
        |check: Result<(), String>| check.map_err(|why| KernelError::invalid(request, why));
    match request {
        Request::AddSa(sa) => Some(checked(sa.check()).map(|()| encode::add_sa(sa))),
        Request::DeleteSa(id) => Some(Ok(encode::delete_sa(*id))),
        Request::SetPolicy(policy) => {
            Some(checked(policy.check()).map(|()| encode::set_policy(policy)))
        }
        Request::DeletePolicy(key) => Some(Ok(encode::delete_policy(key))),
        _ => None,
    }
}

/// The question for what a request would replace or delete.
fn look_for(request: &Request) -> Option<Frame> {
    match request {
        Request::DeleteSa(id) => Some(encode::get_sa(*id)),
        Request::SetPolicy(policy) => Some(encode::get_policy(&policy.key)),
        Request::DeletePolicy(key) => Some(encode::get_policy(key)),
        _ => None,
    }
}

fn one(what: &str, results: Vec<Result<(), Refusal>>) -> Ack {
    results
        .into_iter()
        .next()
        .unwrap_or(Ok(()))
        .map_err(|r| refused(what, r))
}

fn check_name(what: &str, name: &str) -> Ack {
    if name.is_empty()
        || name.len() > 15
        || name.contains(['/', ' '])
        || name == "."
        || name == ".."
    {
        let why = "an interface name has 1 to 15 characters, no slash and no space";
        return Err(KernelError::invalid(what, why));
    }
    Ok(())
}

/// Policies count for nothing where `disable_xfrm` is set, for the interface or for all.
fn switch_ipsec_on(what: &str, interface: &str) -> Ack {
    let switches = [
        (interface, "disable_xfrm"),
        ("all", "disable_xfrm"),
        ("all", "disable_policy"),
    ];
    for family in ["ipv4", "ipv6"] {
        for (of, switch) in switches {
            let path: PathBuf = ["/proc/sys/net", family, "conf", of, switch]
                .iter()
                .collect();
            if std::fs::read_to_string(&path).is_ok_and(|now| now.trim() == "1") {
                std::fs::write(&path, "0").map_err(|e| KernelError::io(what, &e))?;
            }
        }
    }
    Ok(())
}

/// `disable_policy` exists for each family; a kernel without IPv6 lacks the second.
fn set_inbound_check(what: &str, interface: &str, check: bool) -> Ack {
    check_name(what, interface)?;
    if check {
        switch_ipsec_on(what, interface)?;
    }
    let value = if check { "0" } else { "1" };
    for family in ["ipv4", "ipv6"] {
        let path: PathBuf = ["/proc/sys/net", family, "conf", interface, "disable_policy"]
            .iter()
            .collect();
        // a container's may be as wanted and not be writable
        if std::fs::read_to_string(&path).is_ok_and(|now| now.trim() == value) {
            continue;
        }
        match std::fs::write(&path, value) {
            Ok(()) => {}
            Err(_) if family == "ipv6" && !path.exists() => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let hint = format!("there is no interface {interface}");
                return Err(KernelError::of(ErrorKind::NotFound, what, hint));
            }
            Err(e) => return Err(KernelError::io(what, &e)),
        }
    }
    Ok(())
}
