//! `(config-if)#` commands.

use super::AddressMask;

/// `(config-if)#` commands. An `Option` is `None` only after `no` and `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InterfaceCommand {
    /// `ip address A.B.C.D MASK [secondary]`; `no ip address` without an address takes all away.
    IpAddress {
        /// Address and subnet mask.
        address: Option<AddressMask>,
        /// One more address instead of the address.
        secondary: bool,
    },
    /// `shutdown`.
    Shutdown,
    /// `description TEXT`.
    Description(Option<String>),
    /// `crypto map NAME`.
    CryptoMap(Option<String>),
    /// `crypto map NAME redundancy GROUP [stateful]`.
    CryptoMapRedundancy {
        /// The crypto map.
        map: String,
        /// The redundancy group whose address the map uses.
        group: String,
        /// `stateful`.
        stateful: bool,
    },
    /// `mtu`, octets (64-9216).
    Mtu(Option<u16>),
}

words! {
    /// What a Virtual-Template is cloned to; PPP without one.
    pub enum TemplateType {
        /// Ethernet over a tunnel.
        Ethernet => "ethernet",
        /// A serial interface.
        Serial => "serial",
        /// A tunnel of its own for each peer.
        Tunnel => "tunnel",
    }
}
