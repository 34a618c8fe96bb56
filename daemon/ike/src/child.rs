//! A child: one negotiated pair of IPsec SAs (or two pairs, AH over ESP), as plain data.
//!
//! The daemon turns it into kernel SAs; serialised, it lets a restarted daemon take it over.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::algorithm::{EspCipher, Integrity, IpsecProtocol, Mode};
use crate::child_request::Subject;
use crate::config::{ConnectionId, DfBit, FlowId};
use crate::registry::{GroupNumber, ProtocolId};
use crate::secret::Secret;
use crate::selector::Selector;

/// Names a child; never reused while the endpoint lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChildId(pub u64);

/// Everything the kernel needs for one child.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildSa {
    /// Its name in every output and input
    pub id: ChildId,
    /// The map entry it belongs to
    pub connection: ConnectionId,
    /// The flow it protects
    pub flow: FlowId,
    /// Our end
    pub local: IpAddr,
    /// The peer's end
    pub remote: IpAddr,
    /// Tunnel or transport, the same for every protocol
    pub mode: Mode,
    /// Our proxy identity
    pub local_selector: Selector,
    /// The peer's proxy identity
    pub remote_selector: Selector,
    /// One or two protocols; with two, ESP (inner) comes first and AH (outer) second
    pub protocols: Vec<ProtocolSa>,
    /// When it ends
    pub lifetime: Lifetimes,
    /// Anti-replay window in packets; 0 when disabled
    pub replay_window: u32,
    /// DF bit of the outer header
    pub df_bit: DfBit,
    /// The group of its own key exchange, if it had one
    pub pfs: Option<GroupNumber>,
}

/// One protocol of a child, both directions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolSa {
    /// ESP or AH
    pub protocol: IpsecProtocol,
    /// SPI of packets we receive (we chose it)
    pub inbound_spi: u32,
    /// SPI of packets we send (the peer chose it)
    pub outbound_spi: u32,
    /// ESP cipher; none for AH
    pub cipher: Option<EspCipher>,
    /// Authenticator; none for ESP with GCM, GMAC, or without authentication
    pub integrity: Option<Integrity>,
    /// Keys of packets we receive
    pub inbound: ProtocolKeys,
    /// Keys of packets we send
    pub outbound: ProtocolKeys,
}

impl ProtocolSa {
    /// What names the SA of packets that we send, beside the peer's address.
    pub(crate) fn outbound(&self) -> (IpsecProtocol, u32) {
        (self.protocol, self.outbound_spi)
    }
}

/// Our SPIs in one negotiation: one a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OwnSpis {
    /// SPI for AH
    pub(crate) ah: u32,
    /// SPI for ESP
    pub(crate) esp: u32,
}

impl OwnSpis {
    /// Our SPI for a protocol by its number.
    pub(crate) fn of(self, protocol: ProtocolId) -> u32 {
        if protocol == ProtocolId::AH {
            self.ah
        } else {
            self.esp
        }
    }

    /// Our SPI for a protocol.
    pub(crate) fn for_protocol(self, protocol: IpsecProtocol) -> u32 {
        match protocol {
            IpsecProtocol::Ah => self.ah,
            IpsecProtocol::Esp => self.esp,
        }
    }
}

/// The keys of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolKeys {
    /// Cipher key; for GCM and GMAC the key followed by 4 bytes of salt
    pub cipher: Secret,
    /// Authenticator key
    pub integrity: Secret,
}

/// The end of a child. The engine runs the seconds on its own timers; the kernel reports the bytes
/// through `Endpoint::expire`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    /// Agreed lifetime in seconds
    pub seconds: u32,
    /// Agreed lifetime in kilobytes
    pub kilobytes: Option<u32>,
    /// From installation to the start of a rekey
    pub soft: Duration,
    /// From installation to removal, for the kernel's own safety net
    pub hard: Duration,
    /// Bytes to the start of a rekey
    pub soft_bytes: Option<u64>,
    /// Bytes to removal
    pub hard_bytes: Option<u64>,
}

/// Which half of a child an output is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Direction {
    /// Packets we receive
    Inbound,
    /// Packets we send
    Outbound,
}

impl ChildSa {
    /// What it is for.
    pub(crate) fn subject(&self) -> Subject {
        Subject {
            connection: self.connection,
            flow: self.flow,
            local: self.local_selector,
            remote: self.remote_selector,
        }
    }

    /// The SA of this protocol.
    pub fn protocol(&self, protocol: IpsecProtocol) -> Option<&ProtocolSa> {
        self.protocols.iter().find(|sa| sa.protocol == protocol)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::selector::Selector;

    /// A child with keys that can be told apart.
    pub(crate) fn sample() -> ChildSa {
        let (local, remote) = ([192, 0, 2, 1].into(), [198, 51, 100, 1].into());
        let keys = |text: &str| ProtocolKeys {
            cipher: text.into(),
            integrity: Secret::default(),
        };
        ChildSa {
            id: ChildId(1),
            connection: ConnectionId(1),
            flow: FlowId(1),
            local,
            remote,
            mode: Mode::Tunnel,
            local_selector: Selector::host(local, 0, 0),
            remote_selector: Selector::host(remote, 0, 0),
            protocols: vec![ProtocolSa {
                protocol: IpsecProtocol::Esp,
                inbound_spi: 1000,
                outbound_spi: 2000,
                cipher: Some(EspCipher::AesGcm128),
                integrity: None,
                inbound: keys("inbound"),
                outbound: keys("outbound"),
            }],
            lifetime: Lifetimes {
                seconds: 3600,
                kilobytes: None,
                soft: Duration::from_secs(3000),
                hard: Duration::from_secs(3600),
                soft_bytes: None,
                hard_bytes: None,
            },
            replay_window: 64,
            df_bit: DfBit::Copy,
            pfs: None,
        }
    }
}
