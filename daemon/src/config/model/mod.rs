//! The typed running-config: everything that `show running-config` can print, and nothing else.
//!
//! Changed only by [`crate::config::apply`] and the loader; read by `plan`, the sessions and the show screens.
//! Every look-up that a configuration line needs is by key, so that loading ten thousand lines costs ten thousand
//! times one line.

mod acl;
mod admission;
mod archive;
pub mod context;
mod crypto;
mod dynamic_map;
mod interface;
mod kept;
mod lines;
mod login;
mod map_names;
mod object_groups;
mod retained;
mod unknown_rule;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::Ipv4Addr;

use indexmap::IndexMap;
use ipnet::Ipv4Net;
use isthmus_grammar::Alias;
use isthmus_grammar::InterfaceName;
use isthmus_grammar::command::{
    AaaMethod, AclId, BannerKind, ClockZone, CredentialKind, FilePrompt, LoggingHost, OriginId,
    Secret, Severity, SummerTime, SyslogFacility, TimestampFormat, TimestampKind,
};
use jiff::ZonedDateTime;

pub(crate) use acl::AddError;
pub use acl::{AccessList, AclLine, Numbered};
pub use archive::{Archive, ArchiveLog, DEFAULT_LOG_SIZE, DEFAULT_MAXIMUM};
pub use crypto::{
    Crypto, CryptoMap, DEFAULT_KILOBYTES, DEFAULT_SECONDS, Entry, IsakmpPolicy, Keepalive,
    Lifetime, LifetimeUnit, PreSharedKey, PreSharedKeys, ReplayWindow, TransformSet,
};
pub use dynamic_map::DynamicEntry;
pub use interface::{Interface, InterfaceOrder, Interfaces};
pub use kept::{Kept, KeptLine};
pub use lines::{LineId, LineSettings};
pub use login::{Aaa, DEFAULT_LIST, LoginPolicy, Privileges};
pub use map_names::{MapNames, entry_words};
pub use object_groups::ObjectGroups;
pub use retained::{BlockId, Retained, RetainedEntry};
pub use unknown_rule::{UnknownRule, abbreviates};

use super::secret::MasterKey;
use context::Context;

/// The name of a router that was given none.
pub const DEFAULT_HOSTNAME: &str = "Router";

/// The most octets that a banner may have, more than can be typed: every console gets one or two before its first prompt.
pub const MAX_BANNER: usize = 64 * 1024;

/// The whole running-config.
#[derive(Clone, Debug)]
pub struct Running {
    /// `hostname`; see [`Running::hostname`].
    pub hostname: Option<String>,
    /// `service ...`.
    pub services: Services,
    /// `logging ...`.
    pub logging: Logging,
    /// `clock timezone`.
    pub timezone: Option<ClockZone>,
    /// `clock summer-time`.
    pub summer_time: Option<SummerTime>,
    /// `enable password` and `enable secret` by level.
    pub enable: BTreeMap<(u8, CredentialKind), Secret>,
    /// `username ...` in the order of entry.
    pub users: IndexMap<String, User>,
    /// `aaa ...`.
    pub aaa: Aaa,
    /// `login ...`.
    pub login: LoginPolicy,
    /// `privilege ...`.
    pub privileges: Privileges,
    /// `alias ...` in the order of entry; each name once in a mode.
    pub aliases: Vec<Alias>,
    /// `password encryption aes`.
    pub password_aes: bool,
    /// The master key of type 6: no line of the configuration, but keys are read and written with it.
    pub master: Option<MasterKey>,
    /// `banner ...`: the text between the delimiters.
    pub banners: BTreeMap<BannerKind, String>,
    /// `file prompt`.
    pub file_prompt: FilePrompt,
    /// `ip domain lookup`; on by default.
    pub domain_lookup: bool,
    /// `ip domain name`.
    pub domain_name: Option<String>,
    /// Everything that starts with `crypto`.
    pub crypto: Crypto,
    /// The interfaces that were ever mentioned.
    pub interfaces: Interfaces,
    /// `ip route`.
    pub routes: BTreeMap<RouteKey, RouteOptions>,
    /// Access-lists by number or name.
    pub access_lists: IndexMap<AclId, AccessList>,
    /// `line ...`, one by one; ranges are put together again when printed.
    pub lines: BTreeMap<LineId, LineSettings>,
    /// Lines that were loaded from a file and not understood.
    pub kept: Kept,
    /// Lines that are understood and not acted on.
    pub retained: Retained,
    /// When the configuration was last changed by an operator, and who that was.
    pub last_change: Option<(ZonedDateTime, String)>,
    /// When it was last saved, and who did so.
    pub last_save: Option<(ZonedDateTime, String)>,
    pub(super) changes: BTreeSet<Change>,
}

impl Default for Running {
    fn default() -> Self {
        Running {
            hostname: None,
            services: Services::default(),
            logging: Logging::default(),
            timezone: None,
            summer_time: None,
            enable: BTreeMap::new(),
            users: IndexMap::new(),
            aaa: Aaa::default(),
            login: LoginPolicy::default(),
            privileges: Privileges::default(),
            aliases: Vec::new(),
            password_aes: false,
            master: None,
            banners: BTreeMap::new(),
            file_prompt: FilePrompt::Alert,
            domain_lookup: true,
            domain_name: None,
            crypto: Crypto::default(),
            interfaces: Interfaces::default(),
            routes: BTreeMap::new(),
            access_lists: IndexMap::new(),
            lines: lines::initial(),
            kept: Kept::default(),
            retained: Retained::default(),
            last_change: None,
            last_save: None,
            changes: BTreeSet::from([Change::Everything]),
        }
    }
}

impl Running {
    /// The name in the prompt.
    pub fn hostname(&self) -> &str {
        self.hostname.as_deref().unwrap_or(DEFAULT_HOSTNAME)
    }

    /// ISAKMP is enabled and some interface has a crypto map: the router answers and starts negotiations.
    pub fn isakmp_on(&self) -> bool {
        self.crypto.isakmp_enabled && self.interfaces.with_crypto_map() > 0
    }

    /// What was changed since the last call, each thing once.
    pub fn take_changes(&mut self) -> BTreeSet<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Remembers for the header of `show running-config` that an operator changed the configuration.
    pub fn mark_changed(&mut self, at: ZonedDateTime, by: impl Into<String>) {
        self.last_change = Some((at, by.into()));
    }

    /// Remembers for the header that the configuration was saved.
    pub fn mark_saved(&mut self, at: ZonedDateTime, by: impl Into<String>) {
        self.last_save = Some((at, by.into()));
    }

    pub(crate) fn note(&mut self, change: Change) {
        self.changes.insert(change);
    }
}

/// One thing that changed. The router looks with [`Change::is_for_packets`] whether engine or kernel have to follow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// The whole configuration is another one.
    Everything,
    /// Name, services, banners, users, lines, DNS: nothing that touches kernel or engine.
    System,
    /// `logging`.
    Logging,
    /// `alias` and `privilege`: what may be typed.
    Commands,
    /// An interface's addresses, MTU, shutdown, description or map.
    Interface(InterfaceName),
    /// Static routes.
    Routes,
    /// An access-list.
    AccessList(AclId),
    /// ISAKMP policies, identity, keepalive, enable.
    Isakmp,
    /// Pre-shared keys.
    Keys,
    /// Global IPsec lifetimes, replay window, DF bit.
    Ipsec,
    /// A transform set.
    TransformSet(String),
    /// One entry of a crypto map; `None`: the map as a whole (local address, removal).
    CryptoMap(String, Option<u16>),
}

impl Change {
    /// Log, clock or names may have to follow.
    pub fn is_for_operators(&self) -> bool {
        matches!(self, Change::Everything | Change::System | Change::Logging)
    }

    /// Engine or kernel may have to follow; otherwise it is between the operator and the router.
    pub fn is_for_packets(&self) -> bool {
        !matches!(self, Change::System | Change::Logging | Change::Commands)
    }

    /// Every console may have to be told what can be typed now.
    pub fn is_for_consoles(&self) -> bool {
        matches!(self, Change::Everything | Change::Commands)
    }
}

/// `service ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Services {
    /// `service timestamps debug` and `log`; absent when switched off.
    pub timestamps: BTreeMap<TimestampKind, TimestampFormat>,
    /// `service password-encryption`.
    pub password_encryption: bool,
    /// `service sequence-numbers`.
    pub sequence_numbers: bool,
}

/// The stamp of a fresh router: date and time with milliseconds.
pub const DEFAULT_TIMESTAMP: TimestampFormat = TimestampFormat::Datetime {
    msec: true,
    localtime: false,
    show_timezone: false,
    year: false,
};

impl Default for Services {
    fn default() -> Self {
        let timestamps = TimestampKind::ALL
            .iter()
            .map(|kind| (*kind, DEFAULT_TIMESTAMP))
            .collect();
        Services {
            timestamps,
            password_encryption: false,
            sequence_numbers: false,
        }
    }
}

/// `logging ...`: where messages go and how severe they must be. An absent severity is a destination switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// The console (the daemon's own output).
    pub console: Option<Severity>,
    /// Sessions with `terminal monitor`.
    pub monitor: Option<Severity>,
    /// The buffer behind `show logging`.
    pub buffered: Option<Severity>,
    /// The buffer's size in octets.
    pub buffer_size: u32,
    /// Remote hosts.
    pub trap: Option<Severity>,
    /// `logging on`: everything but the console.
    pub on: bool,
    /// `logging host`, in the order of entry.
    pub hosts: Vec<LoggingHost>,
    /// `logging facility`.
    pub facility: SyslogFacility,
    /// `logging message-counter syslog`.
    pub message_counter: bool,
    /// `logging origin-id`.
    pub origin_id: Option<OriginId>,
    /// `logging trap syslog-format rfc5424`.
    pub rfc5424: bool,
    /// `logging source-interface`.
    pub source_interface: Option<InterfaceName>,
    /// `logging queue-limit`: messages that may wait for the console.
    pub console_queue: Option<u32>,
    /// `logging queue-limit trap`: messages that may wait for each host.
    pub trap_queue: Option<u32>,
    /// `logging rate-limit`.
    pub rate_limit: Option<RateLimit>,
    /// `logging userinfo`.
    pub userinfo: bool,
}

/// `logging rate-limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Only messages to the console.
    pub console: bool,
    /// Debug output too.
    pub all: bool,
    /// Messages per second.
    pub rate: u16,
    /// Messages of this severity or worse pass.
    pub except: Option<Severity>,
}

/// The buffer of a fresh router, in octets.
pub const DEFAULT_LOG_BUFFER: u32 = 4096;

impl Default for Logging {
    fn default() -> Self {
        Logging {
            console: Some(Severity::Debugging),
            monitor: Some(Severity::Debugging),
            buffered: Some(Severity::Debugging),
            buffer_size: DEFAULT_LOG_BUFFER,
            trap: Some(Severity::Informational),
            on: true,
            hosts: Vec::new(),
            facility: SyslogFacility::Local7,
            message_counter: true,
            origin_id: None,
            rfc5424: false,
            source_interface: None,
            console_queue: None,
            trap_queue: None,
            rate_limit: None,
            userinfo: false,
        }
    }
}

/// `username NAME ...`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// `privilege`; 1 when absent.
    pub privilege: Option<u8>,
    /// `nopassword`.
    pub no_password: bool,
    /// `password` or `secret`.
    pub credential: Option<(CredentialKind, Secret)>,
    /// `one-time`: the first login takes the user away.
    pub one_time: bool,
    /// `autocommand`: runs after login.
    pub autocommand: Option<String>,
    /// `nohangup`: the session goes on after `autocommand`.
    pub no_hangup: bool,
}

/// What tells static routes apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteKey {
    /// The destination.
    pub destination: Ipv4Net,
    /// The interface to send through.
    pub interface: Option<InterfaceName>,
    /// The address to send to.
    pub next_hop: Option<Ipv4Addr>,
}

/// The rest of an `ip route` line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteOptions {
    /// Administrative distance; 1 when absent.
    pub distance: Option<u8>,
    /// `name`.
    pub name: Option<String>,
}

/// What the blocks have in common: lines that no command of theirs acts on.
struct Rest<'a> {
    retained: &'a mut Retained,
    kept: &'a mut Kept,
}

macro_rules! rest {
    ($block:expr) => {{
        let block = $block;
        Some(Rest {
            retained: &mut block.retained,
            kept: &mut block.kept,
        })
    }};
}

impl Running {
    /// The object that a context edits is (still) there.
    pub(super) fn has(&mut self, context: &Context) -> bool {
        match context {
            Context::ExtendedAcl(name) | Context::StandardAcl(name) => {
                self.access_lists.contains_key(name)
            }
            _ => self.rest(context).is_some(),
        }
    }

    /// The kept lines of the place that a context edits, if it has any; an access-list has them among its own.
    pub(super) fn kept_in(&mut self, context: &Context) -> Option<&mut Kept> {
        self.rest(context).map(|rest| rest.kept)
    }

    /// The retained lines of the place that a context edits, if it has any.
    pub(super) fn retained_in(&mut self, context: &Context) -> Option<&mut Retained> {
        self.rest(context).map(|rest| rest.retained)
    }

    fn rest(&mut self, context: &Context) -> Option<Rest<'_>> {
        match context {
            Context::Global => rest!(self),
            Context::Interface(name) => rest!(self.interfaces.get_mut(name)?),
            Context::Range(names) => rest!(self.interfaces.get_mut(names.first()?)?),
            Context::ExtendedAcl(_) | Context::StandardAcl(_) => None,
            Context::IsakmpPolicy(priority) => rest!(self.crypto.policies.get_mut(priority)?),
            Context::TransformSet(name) => rest!(self.crypto.transform_sets.get_mut(name)?),
            Context::CryptoMap { name, sequence } => {
                rest!(self.crypto.maps.get_mut(name)?.entries.get_mut(sequence)?)
            }
            Context::Line { kind, first, .. } => {
                let line = LineId {
                    kind: *kind,
                    number: *first,
                };
                rest!(self.lines.get_mut(&line)?)
            }
            Context::Retained { path, .. } => {
                let (first, below) = path.split_first()?;
                let mut entry = self.retained.block_mut(first)?;
                for id in below {
                    entry = entry.block.block_mut(id)?;
                }
                Some(Rest {
                    retained: &mut entry.block,
                    kept: &mut entry.kept,
                })
            }
        }
    }

    /// The retained lines of every place.
    pub(crate) fn retained_mut(&mut self) -> impl Iterator<Item = &mut Retained> {
        let crypto = &mut self.crypto;
        let entries = crypto.maps.values_mut();
        let entries = entries.flat_map(|map| map.entries.values_mut());
        std::iter::once(&mut self.retained)
            .chain(self.interfaces.retained_mut())
            .chain(crypto.policies.values_mut().map(|one| &mut one.retained))
            .chain(
                crypto
                    .transform_sets
                    .values_mut()
                    .map(|one| &mut one.retained),
            )
            .chain(entries.map(|one| &mut one.retained))
            .chain(self.lines.values_mut().map(|one| &mut one.retained))
    }

    /// How many lines were kept without being obeyed; one that stands for several terminal lines is one.
    pub fn not_understood(&self) -> usize {
        let crypto = &self.crypto;
        let entries = crypto.maps.values().flat_map(|map| map.entries.values());
        let vtys: HashSet<&KeptLine> = self
            .lines
            .values()
            .flat_map(|line| line.kept.iter())
            .collect();
        let kept = std::iter::once(&self.kept)
            .chain(self.interfaces.iter().map(|(_, one)| &one.kept))
            .chain(crypto.policies.values().map(|one| &one.kept))
            .chain(crypto.transform_sets.values().map(|one| &one.kept))
            .chain(entries.map(|one| &one.kept));
        let lists = self.access_lists.values().map(AccessList::not_understood);
        lists.sum::<usize>()
            + kept.map(Kept::count).sum::<usize>()
            + vtys.into_iter().map(KeptLine::count).sum::<usize>()
            + self.retained.kept_below()
    }

    /// How many lines ask for something that is not done in this release.
    pub fn inactive(&self) -> usize {
        let lists = self.aaa.login.values().chain(self.aaa.exec.values());
        let lists = lists.chain(std::iter::once(&self.aaa.enable));
        let asks_servers = |list: &&Vec<AaaMethod>| list.iter().any(|one| one.group().is_some());
        let blocks = self.interfaces.iter().map(|(_, one)| &one.retained);
        let blocks = blocks
            .chain(self.crypto.policies.values().map(|one| &one.retained))
            .chain(self.crypto.transform_sets.values().map(|one| &one.retained))
            .chain(self.lines.values().map(|one| &one.retained));
        let entries = self
            .crypto
            .maps
            .values()
            .flat_map(|map| map.entries.values());
        let one = |entry: &Entry| usize::from(!entry.kind.is_active()) + entry.retained.inactive();
        let redundant = |(_, one): &(&InterfaceName, &Interface)| one.map_redundancy.is_some();
        self.retained.inactive()
            + blocks.map(Retained::inactive).sum::<usize>()
            + entries.map(one).sum::<usize>()
            + self.interfaces.iter().filter(redundant).count()
            + lists.filter(asks_servers).count()
    }
}
