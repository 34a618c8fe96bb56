//! A crypto map entry on an interface with everything it refers to looked up: what [`super::flows`] works from.

use std::net::IpAddr;

use ike::config::{ChildLifetime, DfBit, TransformSet};
use ike::registry::GroupNumber;

use super::selector;

/// One entry on one interface.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The interface's name, as the operator knows it.
    pub interface: String,
    /// The interface's kernel index; 0 when it is gone.
    pub index: u32,
    /// Why the interface is not there, or not this entry's.
    pub gone: Option<String>,
    /// The map's name.
    pub map: String,
    /// The entry's sequence number.
    pub sequence: u16,
    /// The address that the tunnels start from; `None` while the interface has none.
    pub local: Option<IpAddr>,
    /// A line without which it must not act, and which is not active in this release.
    pub inactive: Option<String>,
    /// Its header, when that is not understood.
    pub unknown: Option<String>,
    /// `set peer`, in order, the default peer first.
    pub peers: Vec<IpAddr>,
    /// `set peer ... default`: there is one.
    pub default_peer: bool,
    /// `match address`.
    pub access_list: String,
    /// The lines of that list, and those that could be among them; empty when it does not exist.
    pub rules: Vec<selector::Line>,
    /// `set transform-set`, those that exist, in order.
    pub transform_sets: Vec<TransformSet>,
    /// `set pfs`.
    pub pfs: Option<GroupNumber>,
    /// Lifetimes, the entry's own or the global ones.
    pub lifetime: ChildLifetime,
    /// Packets; 0 when disabled.
    pub replay_window: u32,
    /// DF bit of the outer header.
    pub df_bit: DfBit,
}

impl Entry {
    /// How messages name it: `crypto map M 10`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("crypto map {} {}", self.map, self.sequence)
    }

    /// What is still missing before it can protect anything.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        if let Some(gone) = &self.gone {
            Some(format!("{}: interface {gone}", self.name()))
        } else if let Some(line) = &self.unknown {
            Some(format!("{}: line \"{line}\": not understood", self.name()))
        } else if let Some(line) = &self.inactive {
            Some(format!(
                "{} depends on \"{line}\", which is not active in this release",
                self.name()
            ))
        } else if self.peers.is_empty() {
            Some(format!("{} has no set peer", self.name()))
        } else if self.transform_sets.is_empty() {
            Some(format!("{} has no transform-set that exists", self.name()))
        } else if self.local.is_none() {
            Some(format!(
                "{} has no address to start from: interface {} has none",
                self.name(),
                self.interface
            ))
        } else {
            None
        }
    }
}
