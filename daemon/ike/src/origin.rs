//! Where a connection comes from: the lines of the configuration that decide about it, as causes of failures name them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a connection was made from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// `crypto map MAP SEQUENCE ipsec-isakmp`
    CryptoMap {
        /// Name of the map
        map: String,
        /// Sequence number of the entry
        sequence: u32,
        /// `match address`: name or number of the access-list
        access_list: String,
    },
    /// `crypto dynamic-map TEMPLATE ENTRY`, behind `crypto map MAP SEQUENCE ipsec-isakmp dynamic TEMPLATE`
    DynamicMap {
        /// Name of the crypto map
        map: String,
        /// Sequence number of its entry
        sequence: u32,
        /// Name of the dynamic map
        template: String,
        /// Sequence number of its entry
        entry: u32,
        /// `match address`, where there is one
        access_list: Option<String>,
    },
    /// `tunnel protection ipsec profile PROFILE` of a tunnel interface
    TunnelInterface {
        /// The interface
        interface: String,
        /// The profile
        profile: String,
    },
    /// `crypto ipsec client ezvpn NAME`
    Client {
        /// Its name
        name: String,
    },
}

/// A line of what a connection was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Item {
    /// What says which packets it protects: `match address ACL`
    Flows,
    /// `set pfs`
    SetPfs,
    /// `set transform-set`
    SetTransformSet,
    /// `set peer`
    SetPeer,
    /// `set security-association lifetime`
    Lifetime,
}

impl Origin {
    /// The place among others: the lower counts first. Tunnel interfaces and clients have none.
    pub(crate) fn order(&self) -> (u32, u32) {
        match self {
            Self::CryptoMap { sequence, .. } => (*sequence, 0),
            Self::DynamicMap {
                sequence, entry, ..
            } => (*sequence, *entry),
            Self::TunnelInterface { .. } | Self::Client { .. } => (0, 0),
        }
    }

    /// The entry of a crypto map that it is, or is behind: name and sequence number.
    pub fn map_entry(&self) -> Option<(&str, u32)> {
        match self {
            Self::CryptoMap { map, sequence, .. } | Self::DynamicMap { map, sequence, .. } => {
                Some((map, *sequence))
            }
            Self::TunnelInterface { .. } | Self::Client { .. } => None,
        }
    }

    /// True for the entries of this crypto map.
    pub(crate) fn is_of_map(&self, name: &str) -> bool {
        self.map_entry().is_some_and(|(map, _)| map == name)
    }

    /// What says which packets it protects, in a sentence.
    pub(crate) fn flows(&self) -> String {
        match self.access_list() {
            Some(access_list) => format!("access-list {access_list} of {self}"),
            None => self.to_string(),
        }
    }

    fn access_list(&self) -> Option<&str> {
        match self {
            Self::CryptoMap { access_list, .. } => Some(access_list),
            Self::DynamicMap { access_list, .. } => access_list.as_deref(),
            Self::TunnelInterface { .. } | Self::Client { .. } => None,
        }
    }

    /// A line of it, as typed.
    pub(crate) fn write_line(&self, f: &mut fmt::Formatter<'_>, item: Item) -> fmt::Result {
        match self {
            Self::CryptoMap { map, sequence, .. } => write!(f, "crypto map {map} {sequence}")?,
            Self::DynamicMap {
                template, entry, ..
            } => write!(f, "crypto dynamic-map {template} {entry}")?,
            Self::TunnelInterface { interface, .. }
                if matches!(item, Item::Flows | Item::SetPeer) =>
            {
                return write!(f, "interface {interface}");
            }
            Self::TunnelInterface { profile, .. } => write!(f, "crypto ipsec profile {profile}")?,
            Self::Client { name } => return write!(f, "crypto ipsec client ezvpn {name}"),
        }
        match (item, self.access_list()) {
            (Item::Flows, Some(name)) => write!(f, ", match address {name}"),
            (Item::Flows, None) => f.write_str(", match address"),
            (Item::SetPfs, _) => f.write_str(", set pfs"),
            (Item::SetTransformSet, _) => f.write_str(", set transform-set"),
            (Item::SetPeer, _) => f.write_str(", set peer"),
            (Item::Lifetime, _) => f.write_str(", set security-association lifetime"),
        }
    }
}

/// Its name in a sentence.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CryptoMap { map, sequence, .. } => write!(f, "{map} {sequence}"),
            Self::DynamicMap {
                template, entry, ..
            } => write!(f, "dynamic-map {template} {entry}"),
            Self::TunnelInterface { interface, profile } => {
                write!(f, "profile {profile} of {interface}")
            }
            Self::Client { name } => write!(f, "ezvpn {name}"),
        }
    }
}
