//! What the show commands are rendered from: the state of the router at one moment, in plain values.
//!
//! The control session fills these from the engine, the kernel and its own session before it calls a screen. Numbers
//! that nothing measured are absent (`Option`) or zero; no screen makes one up.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipnet::Ipv4Net;
use jiff::ZonedDateTime;

use crate::config::Running;
use crate::debug::Debugging;
use crate::interfaces::InterfaceTable;

/// The whole snapshot. A screen reads only some of it: what the command does not need may stay empty.
#[derive(Clone, Debug)]
pub struct Snapshot<'a> {
    /// The configuration.
    pub running: &'a Running,
    /// The interfaces of the kernel.
    pub interfaces: &'a InterfaceTable,
    /// The startup-config file, if there is one.
    pub startup: Option<Startup>,
    /// The time in the router's zone.
    pub now: ZonedDateTime,
    /// A time source vouches for the clock.
    pub clock_synchronised: bool,
    /// IKE SAs, the deleted ones that are still shown too.
    pub ike_sas: Vec<IkeSa>,
    /// All flows of all maps on interfaces: by interface, map entry and access-list line.
    pub flows: Vec<Flow>,
    /// The last failure of each peer that no success followed.
    pub failures: Vec<Failure>,
    /// The main routing table.
    pub routes: Vec<Route>,
    /// The ARP cache and the router's own addresses.
    pub neighbours: Vec<Neighbour>,
    /// How names are looked up.
    pub resolver: Resolver,
    /// How busy the machine is.
    pub load: Load,
    /// The log.
    pub log: Log,
    /// The machine.
    pub system: System,
    /// Debugging that is on.
    pub debugging: Debugging,
    /// Who is logged in.
    pub users: Vec<User>,
    /// The session that asks.
    pub asking: &'a Asking,
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
#[derive(Clone, Debug)]
pub struct IkeSa {
    /// The number the operator knows it by; counts from 1001.
    pub conn_id: u32,
    /// Our address and port.
    pub local: SocketAddr,
    /// The peer's address and port.
    pub remote: SocketAddr,
    /// We sent the first message.
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
    pub remaining: Option<Duration>,
    /// Time since it was established.
    pub age: Option<Duration>,
    /// The identity the peer proved.
    pub peer_id: Option<String>,
    /// Dead peer detection was agreed.
    pub dpd: bool,
    /// The peers found a NAT between them.
    pub natt: bool,
    /// Messages encrypted and decrypted, for the engine's connection list.
    pub messages: (u64, u64),
}

/// The algorithms of an IKE SA in the short words of `show crypto isakmp sa detail`.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
pub struct Flow {
    /// The interface that carries the map, in its IOS name.
    pub interface: String,
    /// The map's name.
    pub map: String,
    /// The entry's sequence number.
    pub sequence: u16,
    /// The entry's description.
    pub description: Option<String>,
    /// The address the map is served from.
    pub local: IpAddr,
    /// What is protected on our side.
    pub local_proxy: Proxy,
    /// What is protected on the peer's side.
    pub remote_proxy: Proxy,
    /// The peer in use, or the first configured one.
    pub peer: IpAddr,
    /// The peer's IKE port.
    pub port: u16,
    /// What passed, over all SAs of this flow since the counters were cleared.
    pub packets: Packets,
    /// The interface's MTU.
    pub mtu: u32,
    /// The group of the perfect forward secrecy exchange, such as `group14`; absent when there was none.
    pub pfs_group: Option<&'static str>,
    /// The SAs, inbound and outbound, newest first.
    pub sas: Vec<IpsecSa>,
}

/// Addresses, protocol and port of one side of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Proxy {
    /// The address and its mask.
    pub net: Ipv4Net,
    /// The protocol number, 0 for any.
    pub protocol: u8,
    /// The port, 0 for any.
    pub port: u16,
}

/// Packet counters of one flow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packets {
    /// Encapsulated, encrypted and signed.
    pub out: u64,
    /// Verified, decrypted and decapsulated.
    pub inbound: u64,
    /// Outgoing packets dropped.
    pub send_errors: u64,
    /// Incoming packets dropped, for any of the reasons below.
    pub recv_errors: u64,
    /// Incoming packets with a wrong integrity value.
    pub verify_failed: u64,
    /// Incoming packets outside the replay window.
    pub replay_failed: u64,
}

/// One IPsec SA, one direction.
#[derive(Clone, Debug)]
pub struct IpsecSa {
    /// From the peer to us.
    pub inbound: bool,
    /// AH; otherwise ESP.
    pub ah: bool,
    /// The SPI.
    pub spi: u32,
    /// The transform words, such as `esp-256-aes esp-sha-hmac`.
    pub transform: String,
    /// The same in the words of the engine's connection list, such as `AES256+SHA`.
    pub algorithm: String,
    /// Transport mode; otherwise tunnel.
    pub transport: bool,
    /// ESP inside UDP.
    pub udp: bool,
    /// The number the operator knows it by.
    pub conn_id: u32,
    /// Kilobytes left; absent when the volume limit is off.
    pub kilobytes: Option<u64>,
    /// Seconds left.
    pub seconds: u64,
    /// Length of the initialisation vector; absent for AH and null encryption.
    pub iv: Option<u8>,
    /// Length of the integrity value of this SA in octets.
    pub icv: u8,
    /// Octets that the plaintext is padded to a multiple of.
    pub block: u8,
    /// Packets in the replay window; absent when replays are not checked.
    pub replay_window: Option<u32>,
    /// Packets this SA has carried.
    pub packets: u64,
    /// The last sequence number seen or sent.
    pub sequence: u64,
}

/// A negotiation that failed, with its cause and the line to change.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Our address, where it is known.
    pub local: Option<IpAddr>,
    /// The peer.
    pub peer: IpAddr,
    /// When.
    pub at: ZonedDateTime,
    /// What was tried, such as `Main Mode` or `Quick Mode`.
    pub exchange: String,
    /// We were the initiator.
    pub initiator: bool,
    /// What went wrong, one line.
    pub cause: String,
    /// What the peer offered, one line each.
    pub offered: Vec<String>,
    /// What the configuration asks, one line each.
    pub wanted: Vec<String>,
    /// The configuration line to change.
    pub change: Option<String>,
}

/// One route of the main table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it came from.
    pub source: RouteSource,
    /// The destination.
    pub net: Ipv4Net,
    /// The next hop, absent for a connected network.
    pub via: Option<Ipv4Addr>,
    /// The interface in its IOS name.
    pub interface: Option<String>,
    /// Administrative distance and metric.
    pub distance: (u8, u32),
}

/// Where a route came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteSource {
    /// The network of an interface address.
    Connected,
    /// An address of this router.
    Local,
    /// An `ip route` line, or a route that someone else put into the kernel's table.
    Static,
}

/// One address with its hardware address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The address.
    pub address: Ipv4Addr,
    /// Time since the neighbour was last known to be there; absent for our own address.
    pub age: Option<Duration>,
    /// The hardware address, empty while nobody has answered.
    pub mac: Vec<u8>,
    /// The interface in its IOS name.
    pub interface: String,
}

/// How the machine looks names up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolver {
    /// The domain that is appended to short names.
    pub domain: Option<String>,
    /// The name servers' addresses.
    pub servers: Vec<String>,
}

/// Processor and memory use. The three values of a share are percentages over five seconds, one minute and five minutes.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// All processors, all programs.
    pub busy: [f64; 3],
    /// Of this the time in interrupts, over five seconds.
    pub interrupt: f64,
    /// The daemon's threads.
    pub threads: Vec<Thread>,
    /// The machine's memory.
    pub memory: Memory,
}

/// One thread of the daemon.
#[derive(Clone, Debug)]
pub struct Thread {
    /// Its number in the system.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Processor time used.
    pub runtime: Duration,
    /// How often it was given a processor.
    pub invoked: u64,
    /// Its share of all processors.
    pub busy: [f64; 3],
}

/// The machine's memory in octets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// All there is.
    pub total: u64,
    /// What programs can still get.
    pub free: u64,
    /// The least that was free at any sample since the daemon started.
    pub lowest: u64,
    /// What is in no use at all, not even as a cache.
    pub unused: u64,
}

/// One line of `show users`.
#[derive(Clone, Debug)]
pub struct User {
    /// The line's number over all lines.
    pub number: usize,
    /// The line, such as `console` or `vty1`.
    pub line: String,
    /// Who logged in.
    pub user: String,
    /// Time since the last command.
    pub idle: Duration,
    /// Where from.
    pub location: String,
    /// This is the session that asks.
    pub current: bool,
}

/// The machine and the program, for `show version`.
#[derive(Clone, Debug)]
pub struct System {
    /// The configured hostname.
    pub hostname: String,
    /// Time since the daemon started.
    pub uptime: Duration,
    /// When it started.
    pub started: ZonedDateTime,
    /// The program file that runs.
    pub image: String,
    /// The kernel's release, such as `6.1.0-18-amd64`.
    pub kernel: String,
    /// The machine, such as `x86_64`.
    pub machine: String,
    /// The processor's name and count.
    pub processor: String,
    /// Memory in KiB: whole and available.
    pub memory: (u64, u64),
    /// The machine as its makers call it.
    pub chassis: String,
    /// The machine's identification, where it has one.
    pub board_id: String,
    /// Interface count by hardware, such as `(2, "Ethernet")`.
    pub interfaces: Vec<(usize, &'static str)>,
}

/// The log as `show logging` prints it.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// The console's level and how many messages went there; absent when off.
    pub console: Option<(&'static str, u64)>,
    /// The same for terminals with `terminal monitor`.
    pub monitor: Option<(&'static str, u64)>,
    /// The same for the buffer.
    pub buffer: Option<(&'static str, u64)>,
    /// The same for remote hosts.
    pub trap: Option<(&'static str, u64)>,
    /// The remote hosts.
    pub hosts: Vec<LogHost>,
    /// Messages lost because a reader was too slow.
    pub dropped: u64,
    /// Messages kept back because there were too many.
    pub limited: u64,
    /// `logging on`
    pub on: bool,
    /// `logging source-interface`
    pub source: Option<String>,
    /// The buffer's size in octets.
    pub size: u32,
    /// The messages, oldest first, ready to print.
    pub lines: Vec<String>,
}

/// One `logging host`.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
pub struct Asking {
    /// Its privilege level.
    pub privilege: u8,
    /// The line, such as `console`.
    pub line: String,
    /// Lines a page, 0 for no paging.
    pub length: u32,
    /// Columns, 0 for no limit.
    pub width: u32,
    /// Log messages go here too.
    pub monitor: bool,
    /// Commands kept in the history.
    pub history_size: u32,
    /// The commands themselves, oldest first.
    pub history: Vec<String>,
}
