//! What comes out of an endpoint, and what the operator may ask of it.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::algorithm::IpsecProtocol;
use crate::child::{ChildId, ChildSa, Direction};
use crate::config::{ConnectionId, FlowId};
use crate::event::Fact;
use crate::question::{Question, QuestionId};

/// Something for the caller to do. Outputs must be carried out in order: an SA is installed
/// before the message that lets the peer use it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a datagram
    Transmit {
        /// From this address and port
        local: SocketAddr,
        /// To this address and port
        remote: SocketAddr,
        /// The payload of the datagram
        bytes: Vec<u8>,
    },
    /// Give the kernel one half of a child. The responder of a quick mode installs the inbound half
    /// first and the outbound half when the peer has confirmed; the initiator both at once, inbound
    /// first. If it fails, call `Endpoint::install_failed`.
    InstallChild {
        /// The child, with the keys of this half only
        child: Box<ChildSa>,
        /// Which half now
        direction: Direction,
    },
    /// Take one half of a child out of the kernel
    RemoveChild {
        /// Its name
        id: ChildId,
        /// Which half
        direction: Direction,
        /// The SAs to remove
        sas: Vec<KernelSa>,
    },
    /// Answer a question with `Endpoint::answer`
    Ask {
        /// Its name
        id: QuestionId,
        /// What is asked
        question: Question,
    },
    /// A wish for a flow is over, by a child or without one: traffic may ask for it again
    WantOver {
        /// The entry
        connection: ConnectionId,
        /// Its flow
        flow: FlowId,
        /// It failed: the next attempt would come to the same now
        failed: bool,
    },
    /// Tell the log, the debug and the screens
    Fact(Fact),
}

/// What identifies an SA in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KernelSa {
    /// Source of its packets
    pub source: IpAddr,
    /// Destination of its packets
    pub destination: IpAddr,
    /// AH or ESP
    pub protocol: IpsecProtocol,
    /// SPI
    pub spi: u32,
}

/// Operator actions that end SAs. Deletes are sent to the peer where an ISAKMP SA is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clear {
    /// `clear crypto sa`: every child
    Children,
    /// `clear crypto sa peer ADDRESS`
    ChildrenOfPeer(IpAddr),
    /// `clear crypto sa map NAME`
    ChildrenOfMap(String),
    /// Children of these entries
    ChildrenOfConnections(Vec<ConnectionId>),
    /// `clear crypto sa entry DESTINATION PROTOCOL SPI`: the child with this SA
    ChildWithSpi {
        /// Destination of the SA
        destination: IpAddr,
        /// AH or ESP
        protocol: IpsecProtocol,
        /// SPI
        spi: u32,
    },
    /// `clear crypto isakmp`: every ISAKMP SA; children stay
    IkeSas,
    /// `clear crypto isakmp CONN-ID`
    IkeSa(u32),
    /// `clear crypto session`: ISAKMP SAs and children
    Sessions,
    /// `clear crypto session remote ADDRESS`
    SessionsWithRemote(IpAddr),
    /// `clear crypto session local ADDRESS`
    SessionsWithLocal(IpAddr),
    /// Sessions of these entries (`clear crypto session interface`)
    SessionsOfConnections(Vec<ConnectionId>),
    /// The daemon stops: everything, with deletes to every peer
    Shutdown,
}

/// Which limit the kernel reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// Time to rekey
    Soft,
    /// The SA is dead
    Hard,
}

/// How much traffic a child has carried since it was installed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Packets received
    pub inbound_packets: u64,
    /// Bytes received
    pub inbound_bytes: u64,
    /// Packets sent
    pub outbound_packets: u64,
    /// Bytes sent
    pub outbound_bytes: u64,
}
