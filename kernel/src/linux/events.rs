//! The netlink connections that listen: XFRM's acquires and expiries, what other programs do to SAs and policies, and
//! changes of links and addresses.
//! Events that are lost, in the kernel or because the reader is behind, become one [`Event::Overflow`].

use std::fmt::Debug;
use std::io;
use std::os::fd::AsFd;

use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use netlink_packet_core::{
    NetlinkDeserializable, NetlinkMessage, NetlinkPayload, NetlinkSerializable,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_xfrm::constants::{
    XFRMNLGRP_ACQUIRE, XFRMNLGRP_EXPIRE, XFRMNLGRP_POLICY, XFRMNLGRP_SA,
};
use netlink_proto::Connection;
use netlink_proto::sys::protocols::NETLINK_XFRM;
use netlink_proto::sys::{AsyncSocket, SocketAddr};
use nix::libc;
use rtnetlink::MulticastGroup;
use socket2::{SockFilter, SockRef};
use tokio::sync::mpsc;
use tokio::task::unconstrained;
use tracing::warn;

use super::channel::prepare;
use super::decode;
use super::frame::Frame;
use super::route;
use crate::Event;

/// Room for a burst of some thousands of events.
const RECEIVE_BUFFER: i32 = 8 << 20;

type Messages<T> = UnboundedReceiver<(NetlinkMessage<T>, SocketAddr)>;

/// Subscribes, and from then on reads, until the receiver of `sender` is dropped. `own_port` is the netlink port that our
/// own requests come from.
pub(super) fn listen(sender: mpsc::Sender<Event>, own_port: u32) -> io::Result<()> {
    let (mut xfrm, _, messages) = netlink_proto::new_connection::<Frame>(NETLINK_XFRM)?;
    prepare(xfrm.socket_mut(), RECEIVE_BUFFER)?;
    let socket = xfrm.socket_mut().socket_mut();
    socket.bind_auto()?;
    socket.add_membership(XFRMNLGRP_ACQUIRE)?;
    socket.add_membership(XFRMNLGRP_EXPIRE)?;
    tokio::spawn(read(xfrm, messages, sender.clone(), |frame| {
        decode::event(&frame)
    }));
    let (mut others, _, messages) = netlink_proto::new_connection::<Frame>(NETLINK_XFRM)?;
    prepare(others.socket_mut(), RECEIVE_BUFFER)?;
    drop_messages_of(others.socket_mut().socket_ref(), own_port)?;
    let socket = others.socket_mut().socket_mut();
    socket.bind_auto()?;
    socket.add_membership(XFRMNLGRP_SA)?;
    socket.add_membership(XFRMNLGRP_POLICY)?;
    tokio::spawn(read(others, messages, sender.clone(), |frame| {
        decode::by_others(&frame)
    }));
    let (mut route, _, messages) = rtnetlink::new_multicast_connection(&[
        MulticastGroup::Link,
        MulticastGroup::Ipv4Ifaddr,
        MulticastGroup::Ipv6Ifaddr,
    ])?;
    prepare(route.socket_mut(), RECEIVE_BUFFER)?;
    tokio::spawn(read(route, messages, sender, route_event));
    Ok(())
}

/// Has the kernel leave out what it tells because of requests from `port`: ten thousand policies of our own are no news.
fn drop_messages_of(socket: &impl AsFd, port: u32) -> io::Result<()> {
    /// Where a netlink message has the port of the request that it comes from (`nlmsg_pid`).
    const PORT: u32 = 12;
    // the filter reads words in network byte order, the kernel writes them in its own
    let port = port.to_be();
    SockRef::from(socket).attach_filter(&[
        SockFilter::new(
            (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16,
            0,
            0,
            PORT,
        ),
        SockFilter::new(
            (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
            0,
            1,
            port,
        ),
        SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, 0),
        SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, u32::MAX),
    ])
}

/// Drives a connection and hands on what it reads.
async fn read<T>(
    connection: Connection<T>,
    mut messages: Messages<T>,
    sender: mpsc::Sender<Event>,
    decode: fn(T) -> Option<Event>,
) where
    T: NetlinkSerializable + NetlinkDeserializable + Debug + Unpin,
{
    // Unconstrained, so that each turn reads all there is: after a loss the kernel goes on dropping, and does not say so
    // again, until all has been read. Only then, with no message left, is the loss reported.
    let mut connection = std::pin::pin!(unconstrained(connection));
    let mut lost = false;
    loop {
        let message = tokio::select! {
            biased;
            () = &mut connection => return warn!("kernel events cannot be read any more"),
            Some((message, _)) = messages.next() => message,
            room = sender.reserve(), if lost => match room {
                Ok(room) => {
                    lost = false;
                    room.send(Event::Overflow);
                    continue;
                }
                Err(_) => return,
            },
            () = sender.closed() => return,
        };
        match message.payload {
            NetlinkPayload::Overrun(_) => {
                warn!("kernel events were lost");
                lost = true;
            }
            NetlinkPayload::InnerMessage(m) => {
                lost |= decode(m).is_some_and(|event| sender.try_send(event).is_err());
            }
            _ => {}
        }
    }
}

fn route_event(m: RouteNetlinkMessage) -> Option<Event> {
    match m {
        RouteNetlinkMessage::NewLink(m) => route::link(&m).map(Event::LinkChanged),
        RouteNetlinkMessage::DelLink(m) => route::link(&m).map(|l| Event::LinkRemoved {
            index: l.index,
            name: l.name,
        }),
        RouteNetlinkMessage::NewAddress(m) => address_event(route::address(&m), true),
        RouteNetlinkMessage::DelAddress(m) => address_event(route::address(&m), false),
        _ => None,
    }
}

fn address_event(a: Option<crate::AddressInfo>, present: bool) -> Option<Event> {
    a.map(|a| Event::AddressChanged {
        index: a.index,
        address: a.address,
        present,
    })
}
