//! ISAKMP, IPsec and crypto maps as configured.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use indexmap::IndexMap;
use isthmus_grammar::InterfaceName;
use isthmus_grammar::command::{
    AclId, Authentication, DfBit, Encapsulation, Encryption, Group, Hash, IsakmpIdentity,
    KeepaliveMode, KeyPeer, KilobyteLifetime, MapEntryKind, PeerName, SaLifetime, Secret,
    Transform,
};

use super::{Kept, Retained};

/// Everything that starts with `crypto`.
#[derive(Clone, Debug)]
pub struct Crypto {
    /// `crypto isakmp enable`; on by default.
    pub isakmp_enabled: bool,
    /// `crypto isakmp policy`, lowest number first.
    pub policies: BTreeMap<u16, IsakmpPolicy>,
    /// `crypto isakmp key`.
    pub keys: PreSharedKeys,
    /// `crypto isakmp identity`; the address by default.
    pub identity: IsakmpIdentity,
    /// `crypto isakmp keepalive`; off by default.
    pub keepalive: Option<Keepalive>,
    /// `crypto logging session`.
    pub log_sessions: bool,
    /// `crypto ipsec transform-set`, in the order of entry.
    pub transform_sets: IndexMap<String, TransformSet>,
    /// `crypto ipsec security-association lifetime`.
    pub lifetime: Lifetime,
    /// `crypto ipsec security-association replay`.
    pub replay: ReplayWindow,
    /// `crypto ipsec df-bit`; copy by default.
    pub df_bit: DfBit,
    /// `crypto map`, by name.
    pub maps: BTreeMap<String, CryptoMap>,
}

impl Default for Crypto {
    fn default() -> Self {
        Crypto {
            isakmp_enabled: true,
            policies: BTreeMap::new(),
            keys: PreSharedKeys::default(),
            identity: IsakmpIdentity::Address,
            keepalive: None,
            log_sessions: false,
            transform_sets: IndexMap::new(),
            lifetime: Lifetime::default(),
            replay: ReplayWindow::default(),
            df_bit: DfBit::Copy,
            maps: BTreeMap::new(),
        }
    }
}

/// `crypto isakmp policy`, with IOS's defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IsakmpPolicy {
    /// DES by default.
    pub encryption: Encryption,
    /// SHA-1 by default.
    pub hash: Hash,
    /// RSA signatures by default.
    pub authentication: Authentication,
    /// Group 1 by default.
    pub group: Group,
    /// Seconds; a day by default.
    pub lifetime: u32,
    /// Lines that were not understood.
    pub kept: Kept,
    /// Lines that are understood and not acted on.
    pub retained: Retained,
}

impl Default for IsakmpPolicy {
    fn default() -> Self {
        IsakmpPolicy {
            encryption: Encryption::Des,
            hash: Hash::Sha,
            authentication: Authentication::RsaSig,
            group: Group::G1,
            lifetime: 86_400,
            kept: Kept::default(),
            retained: Retained::default(),
        }
    }
}

/// `crypto isakmp keepalive`: dead peer detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// Seconds between questions.
    pub seconds: u16,
    /// Seconds between retries when no answer came; 2 by default.
    pub retry: u8,
    /// On demand by default.
    pub mode: KeepaliveMode,
}

/// A pre-shared key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreSharedKey {
    /// The key as typed; [`Secret::encoding`] tells clear text from type 6.
    pub key: Secret,
    /// `no-xauth`.
    pub no_xauth: bool,
}

/// Pre-shared keys by peer, in the order of entry. No peer has two.
#[derive(Clone, Debug, Default)]
pub struct PreSharedKeys(IndexMap<KeyPeer, PreSharedKey>);

impl PreSharedKeys {
    /// The same peer always in the same words: an address has its mask, and `0.0.0.0` alone means every address.
    pub fn canonical(peer: &KeyPeer) -> KeyPeer {
        match peer {
            KeyPeer::Address { address, mask } => {
                let alone = if address.is_unspecified() {
                    Ipv4Addr::UNSPECIFIED
                } else {
                    Ipv4Addr::BROADCAST
                };
                let mask = mask.unwrap_or(alone);
                let address = Ipv4Addr::from(u32::from(*address) & u32::from(mask));
                KeyPeer::Address {
                    address,
                    mask: Some(mask),
                }
            }
            KeyPeer::Hostname(name) => KeyPeer::Hostname(name.clone()),
        }
    }

    /// The keys in the order of entry; addresses with their masks.
    pub fn iter(&self) -> impl Iterator<Item = (&KeyPeer, &PreSharedKey)> {
        self.0.iter()
    }

    /// The key of exactly this peer.
    pub fn get(&self, peer: &KeyPeer) -> Option<&PreSharedKey> {
        self.0.get(&Self::canonical(peer))
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut PreSharedKey> {
        self.0.values_mut()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn insert(&mut self, peer: &KeyPeer, key: PreSharedKey) {
        self.0.insert(Self::canonical(peer), key);
    }

    pub(crate) fn remove(&mut self, peer: &KeyPeer) -> bool {
        self.0.shift_remove(&Self::canonical(peer)).is_some()
    }
}

/// `crypto ipsec transform-set`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransformSet {
    /// The transforms as typed; the combination has been checked.
    pub transforms: Vec<Transform>,
    /// Tunnel by default.
    pub mode: Encapsulation,
    /// Lines that were not understood.
    pub kept: Kept,
    /// Lines that are understood and not acted on.
    pub retained: Retained,
}

/// Lifetimes of IPsec SAs; what is absent comes from the global setting, or from IOS's defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetime {
    /// `seconds`, or `days` as typed.
    pub time: Option<LifetimeUnit>,
    /// `kilobytes`.
    pub kilobytes: Option<KilobyteLifetime>,
}

/// A lifetime in the unit in which it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifetimeUnit {
    /// Seconds.
    Seconds(u32),
    /// Days.
    Days(u16),
}

/// IOS's IPsec lifetime in seconds.
pub const DEFAULT_SECONDS: u32 = 3600;
/// IOS's IPsec lifetime in kilobytes.
pub const DEFAULT_KILOBYTES: u32 = 4_608_000;

impl Lifetime {
    /// Seconds, from here, from `global` or from IOS.
    pub fn seconds(&self, global: &Lifetime) -> u32 {
        match self.time.or(global.time) {
            Some(LifetimeUnit::Seconds(seconds)) => seconds,
            Some(LifetimeUnit::Days(days)) => u32::from(days) * 86_400,
            None => DEFAULT_SECONDS,
        }
    }

    /// Kilobytes, from here, from `global` or from IOS; `None` when the volume limit is off.
    pub fn kilobytes(&self, global: &Lifetime) -> Option<u32> {
        match self.kilobytes.or(global.kilobytes) {
            Some(KilobyteLifetime::Kilobytes(kilobytes)) => Some(kilobytes),
            Some(KilobyteLifetime::Disable) => None,
            None => Some(DEFAULT_KILOBYTES),
        }
    }

    /// Takes a `lifetime` command over; an inner `None` goes back to the default.
    pub(crate) fn set(&mut self, lifetime: SaLifetime) {
        match lifetime {
            SaLifetime::Seconds(seconds) => self.time = seconds.map(LifetimeUnit::Seconds),
            SaLifetime::Days(days) => self.time = days.map(LifetimeUnit::Days),
            SaLifetime::Kilobytes(kilobytes) => self.kilobytes = kilobytes,
        }
    }

    /// Goes back to the default for the unit that the command names.
    pub(crate) fn clear(&mut self, lifetime: SaLifetime) {
        match lifetime {
            SaLifetime::Seconds(_) | SaLifetime::Days(_) => self.time = None,
            SaLifetime::Kilobytes(_) => self.kilobytes = None,
        }
    }
}

/// The anti-replay window in packets; `None`: replays are not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayWindow(pub Option<u16>);

/// The window of a fresh router in packets.
pub const DEFAULT_WINDOW: u16 = 64;

impl Default for ReplayWindow {
    fn default() -> Self {
        ReplayWindow(Some(DEFAULT_WINDOW))
    }
}

/// A crypto map: its entries by sequence number, tried lowest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CryptoMap {
    /// `crypto map NAME local-address`.
    pub local_address: Option<InterfaceName>,
    /// The entries.
    pub entries: BTreeMap<u16, Entry>,
}

/// One `crypto map NAME SEQUENCE`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// `ipsec-isakmp` and its kin.
    pub kind: MapEntryKind,
    /// `description`.
    pub description: Option<String>,
    /// `set peer`, in the order in which they are tried.
    pub peers: Vec<PeerName>,
    /// The peer of `set peer ... default`: tried again first when the one in use fails.
    pub default_peer: Option<PeerName>,
    /// `set transform-set`, in order of preference.
    pub transform_sets: Vec<String>,
    /// `set pfs`.
    pub pfs: Option<Group>,
    /// `set security-association lifetime`.
    pub lifetime: Lifetime,
    /// `match address`.
    pub match_address: Option<AclId>,
    /// Lines that were not understood.
    pub kept: Kept,
    /// Lines that are understood and not acted on.
    pub retained: Retained,
}

impl Entry {
    /// A peer and an access-list are named: the entry can be used once the list exists.
    pub fn is_complete(&self) -> bool {
        !self.peers.is_empty() && self.match_address.is_some()
    }
}
