//! Links, addresses and routes, through rtnetlink. Called by `linux/mod.rs`; `route.rs` reads the answers.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use futures::{StreamExt, TryStreamExt};
use ipnet::IpNet;
use netlink_packet_core::{NLM_F_ACK, NLM_F_APPEND, NLM_F_CREATE, NLM_F_REQUEST, NetlinkPayload};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::neighbour::NeighbourMessage;
use netlink_packet_route::route::{RouteMessage, RouteScope, RouteType};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rtnetlink::{Error, Handle, LinkDummy, LinkUnspec, RouteMessageBuilder};

use super::channel::{self, PATIENCE, RECEIVE_BUFFER, Refusal};
use super::{Ack, check_name, refused, route};
use crate::{
    AddressInfo, ErrorKind, KernelError, LinkInfo, NeighbourInfo, RouteInfo, RouteSpec,
    RouteTarget, owner,
};

/// A connection to the kernel's links, addresses and routes.
#[derive(Debug)]
pub(super) struct Network {
    handle: Handle,
}

impl From<Error> for Refusal {
    fn from(e: Error) -> Self {
        match e {
            Error::NetlinkError(e) => (&e).into(),
            _ => Self::silent(),
        }
    }
}

impl Network {
    /// Opens a socket and lets the tokio runtime drive it.
    pub(super) fn open() -> io::Result<Self> {
        let (mut connection, handle, _unsolicited) = rtnetlink::new_connection()?;
        channel::prepare(connection.socket_mut(), RECEIVE_BUFFER)?;
        tokio::spawn(connection);
        Ok(Self { handle })
    }

    /// The messages of a dump that `pick` takes.
    async fn dump<T>(
        &self,
        what: &str,
        request: RouteNetlinkMessage,
        pick: fn(RouteNetlinkMessage) -> Option<T>,
    ) -> Result<Vec<T>, KernelError> {
        let mut handle = self.handle.clone();
        let all = channel::dump(
            || request.clone(),
            |request| handle.request(request).map_err(Refusal::from),
        );
        let all = all.await.map_err(|r| refused(what, r))?;
        Ok(all.into_iter().filter_map(pick).collect())
    }

    pub(super) async fn links(&self) -> Result<Vec<LinkInfo>, KernelError> {
        let all = RouteNetlinkMessage::GetLink(LinkMessage::default());
        let pick = |m| match m {
            RouteNetlinkMessage::NewLink(m) => route::link(&m),
            _ => None,
        };
        let mut links = self.dump("list interfaces", all, pick).await?;
        links.sort_by_key(|l| l.index);
        Ok(links)
    }

    async fn link(&self, what: &str, name: &str) -> Result<LinkInfo, KernelError> {
        check_name(what, name)?;
        let mut answer = Box::pin(self.handle.link().get().match_name(name).execute());
        match within(answer.try_next()).await {
            Ok(Some(m)) => route::link(&m).ok_or_else(|| refused(what, Refusal::silent())),
            Err(r) if r.errno == nix::libc::ENODEV => {
                let hint = format!("there is no interface {name}");
                Err(KernelError::of(ErrorKind::NotFound, what, hint))
            }
            Ok(None) => Err(refused(what, Refusal::silent())),
            Err(r) => Err(refused(what, r)),
        }
    }

    pub(super) async fn set_link(
        &self,
        what: &str,
        name: &str,
        up: Option<bool>,
        mtu: Option<u32>,
    ) -> Ack {
        let mut change = LinkUnspec::new_with_index(self.link(what, name).await?.index);
        change = match up {
            Some(true) => change.up(),
            Some(false) => change.down(),
            None => change,
        };
        if let Some(mtu) = mtu {
            change = change.mtu(mtu);
        }
        done(what, self.handle.link().change(change.build()).execute()).await
    }

    pub(super) async fn create_dummy(&self, what: &str, name: &str) -> Ack {
        match self.link(what, name).await {
            Ok(link) if link.ours => return Ok(()),
            Ok(_) => {
                let hint = "another interface has the name";
                return Err(KernelError::of(ErrorKind::Exists, what, hint));
            }
            Err(e) if e.kind == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        let dummy = LinkDummy::new(name).link_group(owner::LINK_GROUP).build();
        done(what, self.handle.link().add(dummy).execute()).await
    }

    pub(super) async fn delete_link(&self, what: &str, name: &str) -> Ack {
        let link = self.link(what, name).await?;
        if !link.ours {
            let hint = "it was not created by isthmusd and is left alone";
            return Err(KernelError::of(ErrorKind::NotOurs, what, hint));
        }
        done(what, self.handle.link().del(link.index).execute()).await
    }

    async fn address_messages(&self) -> Result<Vec<AddressMessage>, KernelError> {
        let all = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        self.dump("list addresses", all, |m| match m {
            RouteNetlinkMessage::NewAddress(m) => Some(m),
            _ => None,
        })
        .await
    }

    pub(super) async fn addresses(&self) -> Result<Vec<AddressInfo>, KernelError> {
        let all = self.address_messages().await?;
        let mut addresses: Vec<AddressInfo> = all.iter().filter_map(route::address).collect();
        addresses.sort_by_key(|a| (a.address.addr().is_ipv6(), a.index));
        Ok(addresses)
    }

    pub(super) async fn set_address(&self, what: &str, interface: &str, address: IpNet) -> Ack {
        let index = self.link(what, interface).await?.index;
        let (addr, length) = (address.addr(), address.prefix_len());
        let mut add = self.handle.address().add(index, addr, length);
        let mark = AddressAttribute::Protocol(owner::PROTOCOL.into());
        add.message_mut().attributes.push(mark);
        accept_existing(done(what, add.execute()).await)
    }

    pub(super) async fn remove_address(&self, what: &str, interface: &str, address: IpNet) -> Ack {
        let index = self.link(what, interface).await?.index;
        let all = self.address_messages().await?;
        let found = all.into_iter().find_map(|m| {
            let info = route::address(&m)?;
            ((info.index, info.address) == (index, address)).then_some((m, info.ours))
        });
        let (kind, hint) = match found {
            Some((m, true)) => return done(what, self.handle.address().del(m).execute()).await,
            Some((_, false)) => (
                ErrorKind::NotOurs,
                "it was not added by isthmusd and is left alone",
            ),
            None => (ErrorKind::NotFound, "the interface does not have it"),
        };
        Err(KernelError::of(kind, what, hint))
    }

    pub(super) async fn neighbours(&self) -> Result<Vec<NeighbourInfo>, KernelError> {
        let mut all = NeighbourMessage::default();
        all.header.family = AddressFamily::Inet;
        let all = RouteNetlinkMessage::GetNeighbour(all);
        let all = self.dump("list neighbours", all, |m| match m {
            RouteNetlinkMessage::NewNeighbour(m) => route::neighbour(&m),
            _ => None,
        });
        all.await
    }

    pub(super) async fn routes(&self) -> Result<Vec<RouteInfo>, KernelError> {
        let links = self.links().await?;
        let names: HashMap<u32, String> = links.into_iter().map(|l| (l.index, l.name)).collect();
        let mut routes = Vec::new();
        for all in [
            RouteMessageBuilder::<Ipv4Addr>::new().build(),
            RouteMessageBuilder::<Ipv6Addr>::new().build(),
        ] {
            let all = RouteNetlinkMessage::GetRoute(all);
            let all = self.dump("list routes", all, |m| match m {
                RouteNetlinkMessage::NewRoute(m) => Some(m),
                _ => None,
            });
            routes.extend(all.await?.iter().flat_map(|m| route::routes(m, &names)));
        }
        Ok(routes)
    }

    /// The message for a route of ours.
    async fn route(&self, what: &str, spec: &RouteSpec) -> Result<RouteMessage, KernelError> {
        let invalid = |e| KernelError::invalid(what, e);
        let prefix = spec.prefix.trunc();
        let mut route = RouteMessageBuilder::<IpAddr>::new()
            .destination_prefix(prefix.addr(), prefix.prefix_len())
            .map_err(invalid)?
            .protocol(owner::PROTOCOL.into())
            .priority(spec.metric);
        route = match &spec.target {
            RouteTarget::Gateway(gateway, _) => route.gateway(*gateway).map_err(invalid)?,
            RouteTarget::Interface(_) => route.scope(RouteScope::Link),
            RouteTarget::Blackhole => route.kind(RouteType::BlackHole),
        };
        if let RouteTarget::Interface(name) | RouteTarget::Gateway(_, Some(name)) = &spec.target {
            route = route.output_interface(self.link(what, name).await?.index);
        }
        Ok(route.build())
    }

    /// Behind those that lead to the same place already: rtnetlink's own request would take a second next hop for a
    /// repetition.
    pub(super) async fn add_route(&self, what: &str, spec: &RouteSpec) -> Ack {
        let message = RouteNetlinkMessage::NewRoute(self.route(what, spec).await?);
        let flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_APPEND;
        let mut handle = self.handle.clone();
        let add = async move {
            let mut answers = handle.request(channel::message(flags, message))?;
            match answers.next().await.map(|answer| answer.payload) {
                Some(NetlinkPayload::Error(e)) => Err(Error::NetlinkError(e)),
                _ => Ok(()),
            }
        };
        accept_existing(done(what, add).await)
    }

    pub(super) async fn remove_route(&self, what: &str, spec: &RouteSpec) -> Ack {
        let message = self.route(what, spec).await?;
        done(what, self.handle.route().del(message).execute()).await
    }

    pub(super) async fn source_for(&self, destination: IpAddr) -> Result<IpAddr, KernelError> {
        let what = format!("find a route to {destination}");
        let none = || KernelError::of(ErrorKind::Unreachable, &what, "there is none");
        let length = if destination.is_ipv4() { 32 } else { 128 };
        let route = RouteMessageBuilder::<IpAddr>::new()
            .destination_prefix(destination, length)
            .map_err(|e| KernelError::invalid(&what, e))?;
        let mut answer = Box::pin(self.handle.route().get(route.build()).execute());
        let found = within(answer.try_next())
            .await
            .map_err(|r| refused(&what, r))?;
        found
            .as_ref()
            .and_then(route::preferred_source)
            .ok_or_else(none)
    }
}

/// Waits for an answer, but not for ever.
async fn within<T>(answer: impl Future<Output = Result<T, Error>>) -> Result<T, Refusal> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(Refusal::from),
        Err(_) => Err(Refusal::silent()),
    }
}

async fn done(what: &str, change: impl Future<Output = Result<(), Error>>) -> Ack {
    within(change).await.map_err(|r| refused(what, r))
}

fn accept_existing(result: Ack) -> Ack {
    match result {
        Err(e) if e.kind == ErrorKind::Exists => Ok(()),
        other => other,
    }
}
