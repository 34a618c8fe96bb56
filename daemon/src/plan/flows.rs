//! One crypto map entry as the engine's connection, its flows, and the lines that the kernel's policies are made of. Called
//! by [`super::units`] for each entry that is new or changed.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ike::algorithm::{IpsecProtocol, Mode};
use ike::child::ChildSa;
use ike::config::{Connection, ConnectionId, Flow, FlowId, TransformSet};
use ike::origin::Origin;
use indexmap::IndexSet;
use isthmus_grammar::command;
use isthmus_kernel::{Action, Direction, Level, Reqid, Selector, Template};

use super::child::{kernel_protocol, modes};
use super::entry::Entry;
use super::order::Line;
use super::selector;

/// The kernel's index for a policy of every way out.
pub const ANY_INTERFACE: u32 = 0;

/// A flow within all connections.
pub type FlowName = (ConnectionId, FlowId);

/// One permit line in the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowPlan {
    /// Ties its policies to its SAs.
    pub reqid: Reqid,
    /// The interface its traffic leaves by.
    pub interface: u32,
    /// Our end.
    pub local: IpAddr,
    /// Whether any of several peers may be the other end.
    pub several_peers: bool,
    /// Which rule of its entry it comes from.
    pub rule: usize,
    /// What lines select for it, each once for every line.
    pub places: Vec<Selector>,
    /// How it is wrapped until a tunnel says otherwise.
    pub shape: Shape,
}

/// How a flow's packets are wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The other end.
    pub peer: IpAddr,
    /// Tunnel or transport.
    pub mode: Mode,
    /// Inside out.
    pub protocols: Vec<IpsecProtocol>,
}

impl Shape {
    /// The shape that a negotiated child has.
    #[must_use]
    pub fn of(child: &ChildSa) -> Self {
        Self {
            peer: child.remote,
            mode: child.mode,
            protocols: child.protocols.iter().map(|p| p.protocol).collect(),
        }
    }

    fn first(set: &TransformSet, local: IpAddr, peer: IpAddr, flow: &Flow) -> Self {
        let host_to_host = flow.local.single() == Some(local) && flow.remote.single() == Some(peer);
        let mode = match set.mode {
            Mode::Transport if host_to_host => Mode::Transport,
            _ => Mode::Tunnel,
        };
        let protocols = [
            set.esp.map(|_| IpsecProtocol::Esp),
            set.ah.map(|_| IpsecProtocol::Ah),
        ];
        Self {
            peer,
            mode,
            protocols: protocols.into_iter().flatten().collect(),
        }
    }
}

impl FlowPlan {
    /// What a policy of this flow does when it is wrapped like `shape`.
    #[must_use]
    pub fn action(&self, shape: &Shape, direction: Direction) -> Action {
        let outbound = direction == Direction::Out;
        let peer = match (outbound, self.several_peers, shape.peer) {
            (false, true, IpAddr::V4(_)) => Ipv4Addr::UNSPECIFIED.into(),
            (false, true, IpAddr::V6(_)) => Ipv6Addr::UNSPECIFIED.into(),
            (_, _, peer) => peer,
        };
        let (source, destination) = match outbound {
            true => (self.local, peer),
            false => (peer, self.local),
        };
        let templates = modes(shape.mode, shape.protocols.len())
            .zip(&shape.protocols)
            .map(|(mode, protocol)| Template {
                source,
                destination,
                protocol: kernel_protocol(*protocol),
                mode,
                reqid: self.reqid,
                level: Level::Required,
            });
        Action::Protect(templates.collect())
    }

    /// Whether its policies are the same, but for their places.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let key = |one: &Self| (one.reqid, one.interface, one.local, one.several_peers);
        key(self) == key(other) && self.shape == other.shape
    }
}

/// What becomes of a line's traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It is protected as this flow.
    Protect(FlowName),
    /// It is dropped.
    Block,
}

/// The lines of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lines {
    /// In their order.
    pub(super) lines: Box<[Line<Fate>]>,
    /// Which rule each comes from, or [`NO_RULE`].
    pub(super) rules: Box<[u32]>,
}

/// A line that stands for no rule: fragments of what lines with ports protect.
pub(super) const NO_RULE: u32 = u32::MAX;

/// An entry for engine and kernel.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) lines: Lines,
    /// With the flows' plans, in the order of the connection's flows.
    pub(super) connection: Option<(Connection, Vec<FlowPlan>)>,
    /// What the operator should know, one line each.
    pub(super) problems: Vec<String>,
}

/// Plans an entry. `number` gives a flow its number.
pub(super) fn plan(
    entry: &Entry,
    id: ConnectionId,
    mut number: impl FnMut(&ike::selector::Selector, &ike::selector::Selector) -> FlowId,
) -> Planned {
    let mut planning = Planning {
        entry,
        lines: Vec::new(),
        rules: Vec::new(),
        problems: Vec::new(),
    };
    let missing = entry.missing();
    if let Some(missing) = &missing {
        planning.problems.push(format!(
            "{missing}; until that is changed its traffic is dropped"
        ));
    }
    let (mut flows, mut plans, mut known) = (Vec::new(), Vec::new(), HashSet::new());
    let mut fragments = IndexSet::new();
    for (at, line) in entry.rules.iter().enumerate() {
        if line.action == command::Action::Deny {
            if let Some(exemption) = planning.exemption(line) {
                planning.block(&mut fragments);
                planning.push(exemption, at);
            }
            continue;
        }
        if let Some(note) = line.note() {
            let place = line.place(&entry.access_list, &entry.name());
            planning.problems.push(format!("{place}: {note}"));
        }
        let mut told = None;
        for meaning in &line.meanings {
            fragments.extend(selector::fragments(meaning));
            let fate = match selector::flow(meaning) {
                Err(problem) => {
                    if told.replace(problem) != Some(problem) {
                        planning.refused(line, problem, &dropped(entry, meaning));
                    }
                    Fate::Block
                }
                Ok(_) if missing.is_some() => Fate::Block,
                Ok((local, remote)) => {
                    let flow = Flow {
                        id: number(&local, &remote),
                        local,
                        remote,
                    };
                    match flow_plan(entry, &flow, at) {
                        None => Fate::Block,
                        Some(plan) => {
                            let name = (id, flow.id);
                            if known.insert(flow.id) {
                                plans.push(plan);
                                flows.push(flow);
                            }
                            Fate::Protect(name)
                        }
                    }
                }
            };
            planning.push(Line::Permit(meaning.selectors.clone().into(), fate), at);
        }
    }
    planning.block(&mut fragments);
    Planned {
        lines: Lines {
            lines: planning.lines.into(),
            rules: planning.rules.into(),
        },
        connection: (!flows.is_empty()).then(|| (connection(entry, id, flows), plans)),
        problems: planning.problems,
    }
}

struct Planning<'a> {
    entry: &'a Entry,
    lines: Vec<Line<Fate>>,
    rules: Vec<u32>,
    problems: Vec<String>,
}

impl Planning<'_> {
    fn push(&mut self, line: Line<Fate>, rule: usize) {
        self.lines.push(line);
        self.rules.push(u32::try_from(rule).unwrap_or(NO_RULE));
    }

    /// Fragments of what lines with ports protect: no SA of one port could take them, so they are dropped.
    fn block(&mut self, fragments: &mut IndexSet<Selector>) {
        if !fragments.is_empty() {
            let selectors = fragments.drain(..).collect();
            self.lines.push(Line::Permit(selectors, Fate::Block));
            self.rules.push(NO_RULE);
        }
    }

    fn exemption(&mut self, line: &selector::Line) -> Option<Line<Fate>> {
        if let Some(problem) = line.meanings.iter().find_map(|meaning| meaning.problem) {
            self.refused(line, problem, "it exempts nothing");
            return None;
        }
        let selectors = line.meanings.iter().flat_map(|meaning| &meaning.selectors);
        let selectors: Box<[Selector]> = selectors.flat_map(selector::without_fragments).collect();
        if selectors.is_empty() && line.meanings.iter().any(|one| !one.selectors.is_empty()) {
            let problem = "the kernel cannot tell such packets from fragments of others";
            self.refused(line, problem, "it exempts nothing");
            return None;
        }
        Some(Line::Deny(selectors))
    }

    fn refused(&mut self, line: &selector::Line, problem: &str, so: &str) {
        let text = refused(self.entry, line, problem, so);
        self.problems.push(text);
    }
}

/// What is wrong with a line of an entry, and what follows.
pub(super) fn refused(entry: &Entry, line: &selector::Line, problem: &str, so: &str) -> String {
    let place = line.place(&entry.access_list, &entry.name());
    format!("{place}: {problem}; {so}")
}

fn flow_plan(entry: &Entry, flow: &Flow, rule: usize) -> Option<FlowPlan> {
    let (local, peer) = (entry.local?, entry.peers.first()?);
    let set = entry.transform_sets.first()?;
    Some(FlowPlan {
        reqid: Reqid::nth(flow.id.0),
        interface: entry.index,
        local,
        several_peers: entry.peers.len() > 1,
        rule,
        places: Vec::new(),
        shape: Shape::first(set, local, *peer, flow),
    })
}

fn dropped(entry: &Entry, meaning: &selector::Meaning) -> String {
    if meaning.is_everything() {
        format!("everything that leaves {} is dropped", entry.interface)
    } else {
        "its traffic is dropped".to_owned()
    }
}

fn connection(entry: &Entry, id: ConnectionId, flows: Vec<Flow>) -> Connection {
    Connection {
        id,
        origin: Origin::CryptoMap {
            map: entry.map.clone(),
            sequence: entry.sequence.into(),
            access_list: entry.access_list.clone(),
        },
        local: entry.local.into_iter().collect(),
        peers: entry.peers.clone().into(),
        default_peer: entry.default_peer,
        flows: flows.into(),
        transform_sets: entry.transform_sets.clone(),
        pfs: entry.pfs,
        lifetime: entry.lifetime,
        replay_window: entry.replay_window,
        df_bit: entry.df_bit,
    }
}

/// The numbers of flows. Each is the same after a restart and does not depend on other entries (but for rare collisions): a
/// hash of what the flow protects. It is also the number of its reqid. The same line of the same map on two interfaces has
/// one number, because inbound policies cannot tell interfaces apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbers {
    /// What each number is for, as a hash, and how many flows have it.
    taken: HashMap<u32, (u64, u32)>,
}

impl Numbers {
    /// A number for a flow; to be given back when the flow goes.
    pub(super) fn take(
        &mut self,
        (map, sequence): (&str, u16),
        local: &ike::selector::Selector,
        remote: &ike::selector::Selector,
    ) -> FlowId {
        let text = format!("{map} {sequence} {local} {remote}");
        let mut what = DefaultHasher::new();
        text.hash(&mut what);
        let what = what.finish();
        let mut n = fnv(text.as_bytes()) % Reqid::COUNT;
        loop {
            let (whose, count) = self.taken.entry(n).or_insert((what, 0));
            if *whose == what {
                *count += 1;
                return FlowId(n);
            }
            n = (n + 1) % Reqid::COUNT;
        }
    }

    /// A number that is taken, for what has it already, once more.
    pub(super) fn share(&mut self, number: FlowId) -> FlowId {
        if let Some((_, count)) = self.taken.get_mut(&number.0) {
            *count += 1;
        }
        number
    }

    /// A flow gives its number back.
    pub(super) fn give_back(&mut self, number: FlowId) {
        if let Some((_, count)) = self.taken.get_mut(&number.0) {
            *count -= 1;
            if *count == 0 {
                self.taken.remove(&number.0);
            }
        }
    }
}

/// FNV-1a, folded: stable over versions of the compiler, unlike the standard library's hashers.
fn fnv(bytes: &[u8]) -> u32 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    ((hash >> 32) ^ (hash & 0xffff_ffff)) as u32
}
