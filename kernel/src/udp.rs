//! UDP sockets for IKE: replies leave from the address that was addressed, and no IPsec policy touches them.
//! Made by [`Kernel::ike_socket`](crate::Kernel::ike_socket), driven by the daemon's run loop.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;

use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt,
    sockopt,
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::linux::encode::socket_bypass;
use crate::{Direction, ErrorKind, KernelError, sys};

/// The largest UDP payload.
const MAX_DATAGRAM: usize = 65_535;
/// Room for a burst of some thousands of first messages.
const RECEIVE_BUFFER: i32 = 8 << 20;
/// IOS marks IKE as internetwork control (CS6).
const TOS_CS6: i32 = 0xc0;

/// A datagram that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// The address of ours it was sent to, with our port.
    pub local: SocketAddr,
    /// Who sent it.
    pub remote: SocketAddr,
    /// Kernel index of the interface it came by.
    pub interface: u32,
    /// Its payload.
    pub bytes: Vec<u8>,
}

/// A bound IKE socket. Receive from one task; send from any.
#[derive(Debug)]
pub struct IkeSocket {
    socket: AsyncFd<Socket>,
    local: SocketAddr,
}

impl IkeSocket {
    /// Binds. `bypass` exempts the socket from XFRM policies, which needs CAP_NET_ADMIN.
    pub(crate) fn bind(local: SocketAddr, bypass: bool) -> Result<Self, KernelError> {
        Self::open(local, bypass).map_err(|e| {
            KernelError::io(
                format!("use UDP port {} of {}", local.port(), local.ip()),
                &e,
            )
        })
    }

    fn open(local: SocketAddr, bypass: bool) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(local),
            Type::DGRAM.nonblocking().cloexec(),
            Some(Protocol::UDP),
        )?;
        let fd = socket.as_raw_fd();
        if local.is_ipv6() {
            socket.set_only_v6(true)?;
            setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
            sys::set_int(
                fd,
                libc::IPPROTO_IPV6,
                libc::IPV6_MTU_DISCOVER,
                libc::IPV6_PMTUDISC_DONT,
            )?;
            sys::set_int(fd, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, TOS_CS6)?;
        } else {
            setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
            // no DF: a long message is fragmented, and a forged "fragmentation needed" cannot stop it
            sys::set_int(
                fd,
                libc::IPPROTO_IP,
                libc::IP_MTU_DISCOVER,
                libc::IP_PMTUDISC_DONT,
            )?;
            sys::set_int(fd, libc::IPPROTO_IP, libc::IP_TOS, TOS_CS6)?;
        }
        sys::grow_receive_buffer(fd, RECEIVE_BUFFER);
        if bypass {
            exempt(fd, local.is_ipv6())?;
        }
        socket.bind(&local.into())?;
        let bound = socket.local_addr()?.as_socket().unwrap_or(local);
        Ok(Self {
            socket: sys::watch(socket)?,
            local: bound,
        })
    }

    /// The bound address; with the real port if port 0 was asked.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Waits for datagrams and appends up to `limit` of them to `batch`; gives how many, at least one. Cancel safe.
    ///
    /// ICMP errors of earlier sends do not surface here.
    pub async fn receive(
        &self,
        batch: &mut Vec<Datagram>,
        limit: usize,
    ) -> Result<usize, KernelError> {
        let before = batch.len();
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            let received = self
                .socket
                .async_io(Interest::READABLE, |s| self.receive_one(s, &mut buffer))
                .await;
            match received {
                Ok(first) => batch.push(first),
                Err(e) if passing(&e) => continue,
                Err(e) => {
                    return Err(KernelError::io(
                        format!("receive on UDP port {}", self.local.port()),
                        &e,
                    ));
                }
            }
            while batch.len() - before < limit.max(1) {
                match self.receive_one(self.socket.get_ref(), &mut buffer) {
                    Ok(next) => batch.push(next),
                    Err(e) if passing(&e) => continue,
                    // nothing more for now; anything worse comes again at the next call
                    Err(_) => break,
                }
            }
            return Ok(batch.len() - before);
        }
    }

    fn receive_one(&self, socket: &Socket, buffer: &mut [u8]) -> io::Result<Datagram> {
        let mut control = nix::cmsg_space!(libc::in6_pktinfo, libc::in_pktinfo);
        let mut parts = [IoSliceMut::new(buffer)];
        let message = recvmsg::<SockaddrStorage>(
            socket.as_raw_fd(),
            &mut parts,
            Some(&mut control),
            MsgFlags::MSG_DONTWAIT,
        )?;
        let remote = message
            .address
            .as_ref()
            .and_then(socket_address)
            .ok_or(io::ErrorKind::InvalidData)?;
        let (mut local, mut interface) = (self.local, 0);
        for item in message.cmsgs()? {
            match item {
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    local.set_ip(IpAddr::from(info.ipi_addr.s_addr.to_ne_bytes()));
                    interface = info.ipi_ifindex as u32;
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    local.set_ip(IpAddr::from(info.ipi6_addr.s6_addr));
                    interface = info.ipi6_ifindex;
                }
                _ => {}
            }
        }
        let length = message.bytes;
        Ok(Datagram {
            local,
            remote,
            interface,
            bytes: buffer[..length].to_vec(),
        })
    }

    /// Sends one datagram from `local` (whose port is ignored; unspecified lets the kernel choose) to `remote`.
    /// Fragmented if it has to be. Does not wait: a full send buffer is an error of kind `Exhausted`, to IKE a lost packet.
    pub fn send(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
        bytes: &[u8],
    ) -> Result<(), KernelError> {
        let failed = |e: &io::Error| {
            let what = format!("send to {remote} from UDP port {}", self.local.port());
            match e.kind() {
                io::ErrorKind::WouldBlock => {
                    KernelError::of(ErrorKind::Exhausted, what, "the send buffer is full")
                }
                _ => KernelError::io(what, e),
            }
        };
        if self.local.is_ipv4() != remote.is_ipv4() {
            let what = format!("send to {remote} from UDP port {}", self.local.port());
            return Err(KernelError::invalid(
                what,
                "the socket is of the other address family",
            ));
        }
        let parts = [IoSlice::new(bytes)];
        let to = SockaddrStorage::from(remote);
        let fd = self.socket.get_ref().as_raw_fd();
        let send = |control: &[ControlMessage]| loop {
            match sendmsg(fd, &parts, control, MsgFlags::MSG_DONTWAIT, Some(&to)) {
                // an ICMP error of an earlier datagram is reported once, in place of sending
                Err(nix::errno::Errno::ECONNREFUSED | nix::errno::Errno::EINTR) => continue,
                other => return other.map(drop).map_err(io::Error::from),
            }
        };
        let sent = match local.ip() {
            ip if ip.is_unspecified() => send(&[]),
            IpAddr::V4(ip) => {
                let source = libc::in_addr {
                    s_addr: u32::from_ne_bytes(ip.octets()),
                };
                let info = libc::in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: source,
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                send(&[ControlMessage::Ipv4PacketInfo(&info)])
            }
            IpAddr::V6(ip) => {
                let scope = if let SocketAddr::V6(r) = remote {
                    r.scope_id()
                } else {
                    0
                };
                let info = libc::in6_pktinfo {
                    ipi6_addr: libc::in6_addr {
                        s6_addr: ip.octets(),
                    },
                    ipi6_ifindex: scope,
                };
                send(&[ControlMessage::Ipv6PacketInfo(&info)])
            }
        };
        sent.map_err(|e| failed(&e))
    }
}

/// Gives the socket policies of its own, so that the system's are not asked: both directions.
fn exempt(fd: i32, v6: bool) -> io::Result<()> {
    let (level, name, family) = if v6 {
        (libc::IPPROTO_IPV6, libc::IPV6_XFRM_POLICY, libc::AF_INET6)
    } else {
        (libc::IPPROTO_IP, libc::IP_XFRM_POLICY, libc::AF_INET)
    };
    for direction in [Direction::In, Direction::Out] {
        sys::set_option(fd, level, name, &socket_bypass(direction, family as u16))?;
    }
    Ok(())
}

fn socket_address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = storage.as_sockaddr_in() {
        return Some(SocketAddr::V4((*v4).into()));
    }
    storage
        .as_sockaddr_in6()
        .map(|v6| SocketAddr::V6((*v6).into()))
}

/// Errors that belong to an earlier datagram, or to nothing.
fn passing(e: &io::Error) -> bool {
    matches!(
        e.raw_os_error(),
        Some(
            libc::ECONNREFUSED
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::EPROTO
                | libc::EINTR
                | libc::EMSGSIZE
        )
    )
}
