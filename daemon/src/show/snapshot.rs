//! What the show commands are rendered from: the state of the router at one moment, in plain values.
//!
//! `view` fills these from the router and the kernel, and takes from the session what only that knows. Numbers
//! that nothing measured are absent (`Option`) or zero; no screen makes one up.

mod machine;

use std::cell::{LazyCell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use ipnet::Ipv4Net;
use isthmus_grammar::command::LineKind;
use isthmus_grammar::privilege::FULL;
use jiff::ZonedDateTime;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

pub use machine::{InterfaceCount, Resolver, System};

use super::change_control::ChangeControl;
use super::difference::Differences;
use crate::config::Running;
use crate::config::render::Options;
use crate::debug::Debugging;
use crate::json::{Endpoint, Role, endpoint, maybe_seconds, role, seconds};
use crate::machine::interfaces::InterfaceTable;
use crate::machine::load::Load;
use crate::router::counters::Packets;
use crate::router::failure::Failure;
use crate::storage::listing::Directory;

/// A part of the snapshot that is made when the first screen reads it, where the screen is made.
pub type Lazy<T> = LazyCell<T, Box<dyn FnOnce() -> T + Send>>;

/// A part that `make` makes when it is read.
pub fn lazy<T>(make: impl FnOnce() -> T + Send + 'static) -> Lazy<T> {
    LazyCell::new(Box::new(make))
}

/// A part of the snapshot that is taken only for the commands that read it.
#[derive(Debug)]
pub struct Part<T>(OnceCell<T>);

/// A part that was taken.
pub fn part<T>(taken: T) -> Part<T> {
    Part(OnceCell::from(taken))
}

/// A part that the command does not read.
pub fn untaken<T>() -> Part<T> {
    Part(OnceCell::new())
}

impl<T: Default> Deref for Part<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.get_or_init(|| {
            debug_assert!(false, "a screen reads what `view` does not take for it");
            T::default()
        })
    }
}

/// The whole snapshot: owned, so that screens are made on another thread than the packet loop. A screen reads only some of
/// it, and only that is taken.
#[derive(Debug)]
pub struct Snapshot {
    /// The configuration.
    pub running: Arc<Running>,
    /// The interfaces of the kernel.
    pub interfaces: InterfaceTable,
    /// The startup-config file, if there is one.
    pub startup: Lazy<Option<Startup>>,
    /// The time in the router's zone.
    pub now: ZonedDateTime,
    /// A time source vouches for the clock.
    pub clock_synchronised: bool,
    /// IKE SAs, the deleted ones that are still shown too.
    pub ike_sas: Part<Vec<IkeSa>>,
    /// What the engine let in and what it turned away.
    pub admission: Admission,
    /// All flows of all maps on interfaces: by interface, map entry and access-list line.
    pub flows: Part<Vec<Flow>>,
    /// What is wrong with the configuration as it is.
    pub problems: BTreeSet<String>,
    /// The last failure of each peer that no success followed.
    pub failures: Part<Vec<Failure>>,
    /// The main routing table.
    pub routes: Vec<Route>,
    /// The ARP cache and the router's own addresses.
    pub neighbours: Vec<Neighbour>,
    /// How names are looked up.
    pub resolver: Resolver,
    /// How busy the machine is.
    pub load: Load,
    /// The log.
    pub log: Part<Log>,
    /// The machine.
    pub system: Lazy<System>,
    /// Debugging that is on.
    pub debugging: Debugging,
    /// Who is logged in.
    pub users: Vec<User>,
    /// The terminal lines.
    pub lines: Vec<TerminalLine>,
    /// What happened to the configuration over time.
    pub change_control: ChangeControl,
    /// The session that asks.
    pub context: ShowContext,
    /// What that session found out for this command before it asked.
    pub facts: SessionFacts,
}

/// What the engine let in and what it turned away.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    /// Limits and their counts.
    pub counts: ike::status::Admission,
    /// Datagrams dropped, by reason.
    pub dropped: BTreeMap<ike::event::DropReason, u64>,
}

impl Snapshot {
    /// How the operator who asks sees a configuration: below level 15 without keys and passwords.
    pub fn for_reader(&self) -> Options {
        Options {
            hide_secrets: self.context.privilege < FULL,
            ..Options::default()
        }
    }
}

/// The startup-config file.
#[derive(Clone, Debug)]
pub struct Startup {
    /// Its text.
    pub text: String,
    /// Octets that the file system it is on can hold.
    pub capacity: u64,
}

/// One IKE SA, version 1.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct IkeSa {
    /// The number the operator knows it by; counts from 1001.
    pub conn_id: u32,
    /// Our address and port.
    #[serde(serialize_with = "endpoint")]
    #[schemars(with = "Endpoint")]
    pub local: SocketAddr,
    /// The peer's address and port.
    #[serde(serialize_with = "endpoint")]
    #[schemars(with = "Endpoint")]
    pub remote: SocketAddr,
    /// Who sent the first message.
    #[serde(rename = "role", serialize_with = "role")]
    #[schemars(with = "Role")]
    pub initiator: bool,
    /// The state in IOS words, such as `QM_IDLE` or `MM_KEY_EXCH`.
    pub state: &'static str,
    /// Phase 1 is done and the SA may carry quick modes.
    pub established: bool,
    /// Deleted, and kept only until its last messages are answered.
    pub deleted: bool,
    /// What was agreed; absent before the first answer.
    pub suite: Option<IkeSuite>,
    /// Time left until the SA expires; absent before it is established.
    #[serde(
        rename = "lifetime_remaining_seconds",
        serialize_with = "maybe_seconds"
    )]
    #[schemars(with = "Option<u64>")]
    pub remaining: Option<Duration>,
    /// Time since it was established.
    #[serde(rename = "age_seconds", serialize_with = "maybe_seconds")]
    #[schemars(with = "Option<u64>")]
    pub age: Option<Duration>,
    /// The identity the peer proved.
    pub peer_id: Option<String>,
    /// Dead peer detection was agreed.
    #[serde(rename = "dead_peer_detection")]
    pub dpd: bool,
    /// The peers found a NAT between them.
    #[serde(rename = "nat_traversal")]
    pub natt: bool,
    /// Messages encrypted.
    pub encrypted_messages: u64,
    /// Messages decrypted.
    pub decrypted_messages: u64,
}

/// The algorithms of an IKE SA in the short words of `show crypto isakmp sa detail`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct IkeSuite {
    /// `des`, `3des` or `aes`.
    pub encryption: &'static str,
    /// Key length in bits where the cipher has several.
    pub key_bits: Option<u16>,
    /// `md5`, `sha`, `sha256`, `sha384` or `sha512`.
    pub hash: &'static str,
    /// `psk`, `rsig` or `renc`.
    pub authentication: &'static str,
    /// The Diffie-Hellman group number.
    pub group: u16,
}

/// One protected flow: a permit line of the access list of a crypto map entry on an interface, with its SAs, if any.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Flow {
    /// The interface that carries the map, in its IOS name.
    pub interface: String,
    /// The map's name.
    #[serde(rename = "crypto_map")]
    pub map: String,
    /// The entry's sequence number.
    #[serde(rename = "sequence_number")]
    pub sequence: u16,
    /// The entry's description.
    pub description: Option<String>,
    /// The address the map is served from.
    #[serde(rename = "local_address")]
    pub local: IpAddr,
    /// What is protected on our side.
    #[serde(rename = "local_ident")]
    pub local_proxy: Proxy,
    /// What is protected on the peer's side.
    #[serde(rename = "remote_ident")]
    pub remote_proxy: Proxy,
    /// The peer in use, or the first configured one.
    pub peer: IpAddr,
    /// The peer's IKE port.
    #[serde(rename = "peer_port")]
    pub port: u16,
    /// What passed, over all SAs of this flow since the counters were cleared.
    pub packets: Packets,
    /// The interface's MTU in octets.
    #[serde(rename = "path_mtu_bytes")]
    pub mtu: u32,
    /// The group of the perfect forward secrecy exchange, such as `group14`; absent when there was none.
    pub pfs_group: Option<&'static str>,
    /// The SAs, inbound and outbound, newest first.
    pub sas: Vec<IpsecSa>,
}

/// Addresses, protocol and port of one side of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Proxy {
    /// The address and its mask.
    #[serde(flatten, serialize_with = "net")]
    #[schemars(with = "Net")]
    pub net: Ipv4Net,
    /// The protocol number, 0 for any.
    pub protocol: u8,
    /// The port, 0 for any.
    pub port: u16,
}

impl Proxy {
    /// Of an identity that the engine has; `None` for a range that is no prefix, and for IPv6.
    pub fn of(selector: &ike::selector::Selector) -> Option<Self> {
        let IpAddr::V4(first) = selector.first else {
            return None;
        };
        Some(Self {
            net: Ipv4Net::new(first, selector.prefix_length()?).ok()?,
            protocol: selector.protocol,
            port: selector.port,
        })
    }
}

/// An address and its mask.
#[derive(Serialize, JsonSchema)]
struct Net {
    /// The address.
    address: Ipv4Addr,
    /// Its mask.
    mask: Ipv4Addr,
}

fn net<S: serde::Serializer>(net: &Ipv4Net, to: S) -> Result<S::Ok, S::Error> {
    let (address, mask) = (net.addr(), net.netmask());
    Net { address, mask }.serialize(to)
}

/// One IPsec SA, one direction.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct IpsecSa {
    /// From the peer to us, or from us to the peer.
    #[serde(rename = "direction", serialize_with = "direction")]
    #[schemars(with = "Direction")]
    pub inbound: bool,
    /// The protocol.
    #[serde(rename = "protocol", serialize_with = "protocol")]
    #[schemars(with = "Protocol")]
    pub ah: bool,
    /// The SPI.
    pub spi: u32,
    /// The transform words, such as `esp-256-aes esp-sha-hmac`.
    pub transform: String,
    /// The same in the words of the engine's connection list, such as `AES256+SHA`.
    pub algorithm: String,
    /// The mode.
    #[serde(rename = "mode", serialize_with = "mode")]
    #[schemars(with = "Mode")]
    pub transport: bool,
    /// ESP inside UDP.
    #[serde(rename = "udp_encapsulation")]
    pub udp: bool,
    /// The number the operator knows it by.
    pub conn_id: u32,
    /// Kilobytes left; absent when the volume limit is off.
    #[serde(rename = "lifetime_remaining_kilobytes")]
    pub kilobytes: Option<u64>,
    /// Seconds left.
    #[serde(rename = "lifetime_remaining_seconds")]
    pub seconds: u64,
    /// Length of the initialisation vector in octets; absent for AH and null encryption.
    #[serde(rename = "iv_bytes")]
    pub iv: Option<u8>,
    /// Length of the integrity value of this SA in octets.
    #[serde(rename = "icv_bytes")]
    pub icv: u8,
    /// Octets that the plaintext is padded to a multiple of.
    #[serde(rename = "block_bytes")]
    pub block: u8,
    /// Packets in the replay window; absent when replays are not checked.
    #[serde(rename = "replay_window_packets")]
    pub replay_window: Option<u32>,
    /// Packets this SA has carried.
    pub packets: u64,
    /// The last sequence number seen or sent.
    #[serde(rename = "last_sequence_number")]
    pub sequence: u64,
}

/// Which way packets go.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "lowercase")]
enum Direction {
    /// From the peer to us.
    Inbound,
    /// From us to the peer.
    Outbound,
}

fn direction<S: serde::Serializer>(inbound: &bool, to: S) -> Result<S::Ok, S::Error> {
    let direction = if *inbound {
        Direction::Inbound
    } else {
        Direction::Outbound
    };
    direction.serialize(to)
}

/// The IPsec protocol.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    /// Encapsulating security payload.
    Esp,
    /// Authentication header.
    Ah,
}

fn protocol<S: serde::Serializer>(ah: &bool, to: S) -> Result<S::Ok, S::Error> {
    if *ah { Protocol::Ah } else { Protocol::Esp }.serialize(to)
}

/// What is inside.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// A whole packet.
    Tunnel,
    /// The payload of a packet.
    Transport,
}

fn mode<S: serde::Serializer>(transport: &bool, to: S) -> Result<S::Ok, S::Error> {
    if *transport {
        Mode::Transport
    } else {
        Mode::Tunnel
    }
    .serialize(to)
}

/// One route of the main table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Route {
    /// Where it came from.
    pub source: RouteSource,
    /// The destination with the length of its mask.
    #[serde(rename = "prefix")]
    pub net: Ipv4Net,
    /// The next hop, absent for a connected network.
    #[serde(rename = "next_hop")]
    pub via: Option<Ipv4Addr>,
    /// The interface in its IOS name.
    pub interface: Option<String>,
    /// Administrative distance.
    pub distance: u8,
    /// Metric.
    pub metric: u32,
}

/// Where a route came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "lowercase")]
pub enum RouteSource {
    /// The network of an interface address.
    Connected,
    /// An address of this router.
    Local,
    /// An `ip route` line, or a route that someone else put into the kernel's table.
    Static,
}

/// One address with its hardware address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Neighbour {
    /// The address.
    pub address: Ipv4Addr,
    /// Time since the neighbour was last known to be there; absent for our own address.
    #[serde(rename = "age_seconds", serialize_with = "maybe_seconds")]
    #[schemars(with = "Option<u64>")]
    pub age: Option<Duration>,
    /// The hardware address, such as `000f.352d.2381`; absent while there is no answer.
    #[serde(rename = "mac_address")]
    pub mac: Option<String>,
    /// The interface in its IOS name.
    pub interface: String,
}

/// One line of `show users`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct User {
    /// The line's number over all lines.
    pub number: usize,
    /// The line, such as `console` or `vty1`.
    pub line: String,
    /// Who logged in.
    pub user: String,
    /// Time since the last command.
    #[serde(rename = "idle_seconds", serialize_with = "seconds")]
    #[schemars(with = "u64")]
    pub idle: Duration,
    /// Where from.
    pub location: String,
    /// This is the session that asks.
    pub current: bool,
}

fn word<S: Serializer>(kind: &LineKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(kind)
}

/// A terminal line, for `show line`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TerminalLine {
    /// Its number over all lines.
    pub number: usize,
    /// `con`, `aux` or `vty`.
    #[schemars(with = "String")]
    #[serde(serialize_with = "word")]
    pub kind: LineKind,
    /// Its number within the kind.
    pub within: u16,
    /// Sessions that it had.
    pub uses: u64,
    /// It has one now.
    pub busy: bool,
}

/// The log as `show logging` prints it.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Log {
    /// The console's level and how many messages went there; absent when off.
    pub console: Option<LogPlace>,
    /// The same for terminals with `terminal monitor`.
    pub monitor: Option<LogPlace>,
    /// The same for the buffer.
    pub buffer: Option<LogPlace>,
    /// The same for remote hosts.
    pub trap: Option<LogPlace>,
    /// The remote hosts.
    pub hosts: Vec<LogHost>,
    /// Messages lost because a reader was too slow.
    pub dropped: u64,
    /// Messages kept back because there were too many.
    pub limited: u64,
    /// `logging on`.
    #[serde(rename = "enabled")]
    pub on: bool,
    /// The interface whose address messages to hosts come from; absent when that is left to routing.
    #[serde(rename = "source_interface")]
    pub source: Option<String>,
    /// The buffer's size in octets.
    #[serde(rename = "buffer_size_bytes")]
    pub size: u32,
    /// The messages, oldest first, ready to print.
    pub lines: Vec<String>,
}

/// Where messages go.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct LogPlace {
    /// The least important level that goes there.
    pub level: &'static str,
    /// Messages that went there.
    pub messages: u64,
}

/// One `logging host`.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LogHost {
    /// Its address or name.
    pub host: String,
    /// `udp` or `tcp`.
    pub protocol: &'static str,
    /// The port.
    pub port: u16,
    /// It can be reached, as far as is known.
    pub up: bool,
    /// Message lines sent there.
    pub sent: u64,
    /// Message lines kept back by the rate limit.
    pub limited: u64,
    /// Message lines that did not fit into its queue.
    pub dropped: u64,
    /// The messages are numbered for it.
    pub numbered: bool,
}

/// The session that asks.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ShowContext {
    /// Its privilege level.
    pub privilege: u8,
    /// The line, such as `console`.
    pub line: String,
    /// Lines a page, 0 for no paging.
    #[serde(rename = "length_lines")]
    pub length: u32,
    /// Columns, 0 for no limit.
    #[serde(rename = "width_columns")]
    pub width: u32,
    /// Log messages go here too.
    pub monitor: bool,
    /// Commands kept in the history.
    pub history_size: u32,
    /// The commands themselves, oldest first.
    #[serde(skip)]
    pub history: Vec<String>,
}

/// What only a session finds out, because it takes files and questions.
#[derive(Clone, Debug, Default)]
pub struct SessionFacts {
    /// Two configurations compared.
    pub differences: Differences,
    /// The files of a directory.
    pub directory: Directory,
}
