//! From crypto map entries to the engine's connections and the kernel's policies. Called by [`super`] whenever the
//! running-config or an interface changed; the run loop then makes the difference.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use ike::algorithm::{IpsecProtocol, Mode};
use ike::child::ChildSa;
use ike::config::{Connection, ConnectionId, Flow, FlowId, TransformSet};
use ike::origin::Origin;
use indexmap::IndexSet;
use isthmus_kernel::{
    Action, Direction, Level, PolicyKey, PolicySpec, Priority, Reqid, Selector, Template,
};

use super::child::{kernel_protocol, modes};
use super::entry::Entry;
use super::order::{self, Line};
use super::selector;
use super::shadow::{self, Shadow};

/// The kernel's index for a policy of every way out.
pub const ANY_INTERFACE: u32 = 0;

/// Names that stay the same while what they name lives.
#[derive(Debug, Default)]
pub struct Names {
    connections: HashMap<(String, String, u16), ConnectionId>,
    next: u32,
}

/// What the entries ask for.
#[derive(Debug, Default)]
pub struct Plan {
    /// For the engine, in map order.
    pub connections: Vec<Arc<Connection>>,
    /// Every flow, by its name.
    pub flows: HashMap<FlowName, FlowPlan>,
    /// Policies that do not depend on a tunnel's state: exemptions and blocks.
    pub fixed: Vec<PolicySpec>,
    /// Which flow an acquire is for.
    pub by_reqid: HashMap<(Reqid, u32), FlowName>,
    /// What the operator should know, one line each.
    pub problems: Vec<String>,
}

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
    /// Where it stands among the policies, and for which part of its traffic.
    pub places: Vec<(Selector, u32)>,
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
    /// The policies of this flow when it is wrapped like `shape`.
    #[must_use]
    pub fn policies(&self, shape: &Shape) -> Vec<PolicySpec> {
        let templates: Vec<Template> = modes(shape.mode, shape.protocols.len())
            .zip(&shape.protocols)
            .map(|(mode, protocol)| Template {
                source: self.local,
                destination: shape.peer,
                protocol: kernel_protocol(*protocol),
                mode,
                reqid: self.reqid,
                level: Level::Required,
            })
            .collect();
        let mut set: Vec<PolicySpec> = self
            .places
            .iter()
            .flat_map(|(selector, rank)| {
                PolicySpec::for_crypto_map_line(self.interface, *selector, *rank, &templates)
            })
            .collect();
        if self.several_peers {
            set.iter_mut().for_each(accept_any_peer);
        }
        set
    }
}

fn accept_any_peer(policy: &mut PolicySpec) {
    if policy.key.direction == Direction::Out {
        return;
    }
    if let Action::Protect(templates) = &mut policy.action {
        for template in templates {
            template.source = match template.source {
                IpAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
                IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
            };
        }
    }
}

/// What becomes of a permit line's traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Protect(FlowName),
    Block,
}

/// Plans all entries. Those of one interface stand together, in the order of their sequence numbers; behind them those of
/// interfaces that are gone.
///
/// What a gone interface protected is blocked on every way out. Where another interface has a map of its own, that map
/// comes first and may protect it too; what that map lets pass in clear is blocked if a gone one protected it.
pub fn plan(entries: &[Entry], names: &mut Names) -> Plan {
    names.retain(entries);
    let mut plan = Plan::default();
    let mut taken = Taken::new();
    let mut rank = 0;
    let there = entries.partition_point(|entry| entry.gone.is_none());
    let (there, gone) = entries.split_at(there);
    let blocked: Vec<Vec<Line<Fate>>> = gone
        .iter()
        .map(|entry| {
            let own = (std::slice::from_ref(entry), &mut Shadow::default());
            plan.entry(entry, names, &mut taken, own)
        })
        .collect();
    for group in there.chunk_by(|a, b| a.index == b.index) {
        let mut shadow = Shadow::default();
        let mut lines: Vec<Vec<Line<Fate>>> = group
            .iter()
            .map(|entry| plan.entry(entry, names, &mut taken, (group, &mut shadow)))
            .collect();
        lines.extend(blocked.iter().cloned());
        for (selector, fate) in order::flatten(&lines, group.len()) {
            plan.place(group[0].index, selector, fate, rank);
            rank += 1;
        }
    }
    for (selector, fate) in order::flatten(&blocked, blocked.len()) {
        plan.place(ANY_INTERFACE, selector, fate, rank);
        rank += 1;
    }
    plan
}

impl Plan {
    /// Whether traffic from inside could look like traffic from a peer.
    #[must_use]
    pub fn overlaps(&self) -> bool {
        let places = self.flows.values().flat_map(|flow| &flow.places);
        let blocked = self.fixed.iter().filter(|p| p.action == Action::Block);
        let mut selectors = places
            .map(|(selector, _)| selector)
            .chain(blocked.map(|p| &p.key.selector));
        selectors.any(Selector::sides_overlap)
    }

    /// Makes an entry's connection and flows; gives the lines for the kernel.
    fn entry(
        &mut self,
        entry: &Entry,
        names: &mut Names,
        taken: &mut Taken,
        (group, shadow): (&[Entry], &mut Shadow),
    ) -> Vec<Line<Fate>> {
        shadow.entry();
        let missing = entry.missing();
        if let Some(missing) = &missing {
            self.problems.push(format!(
                "{missing}; until that is changed its traffic is dropped"
            ));
        }
        let id = names.connection(entry);
        let mut flows = Vec::new();
        let mut known = HashSet::new();
        let mut lines = Vec::new();
        let mut fragments = IndexSet::new();
        for (number, line) in entry.rules.iter().enumerate() {
            if line.action == isthmus_grammar::command::Action::Deny {
                let exemption = self.exemption(entry, line);
                if exemption.is_some() {
                    lines.extend(block(&mut fragments));
                }
                if let Some(Line::Deny(selectors)) = &exemption {
                    shadow.deny(number, selectors);
                }
                lines.extend(exemption);
                continue;
            }
            let selectors = line.meanings.iter().flat_map(|meaning| &meaning.selectors);
            if let Some(by) = shadow.permit(number, selectors.copied()) {
                self.never_matches(group, entry, line, by);
            }
            if let Some(note) = line.note() {
                let place = line.place(&entry.access_list, &entry.name());
                self.problems.push(format!("{place}: {note}"));
            }
            let mut told = None;
            for meaning in &line.meanings {
                fragments.extend(selector::fragments(meaning));
                let fate = match selector::flow(meaning) {
                    Err(problem) => {
                        if told.replace(problem) != Some(problem) {
                            self.refused(entry, line, problem, &dropped(entry, meaning));
                        }
                        Fate::Block
                    }
                    Ok(_) if missing.is_some() => Fate::Block,
                    Ok((local, remote)) => {
                        let flow = Flow {
                            id: flow_id(entry, &local, &remote, taken),
                            local,
                            remote,
                        };
                        if known.insert(flow.id) {
                            self.add_flow(entry, id, &flow, number);
                            flows.push(flow.clone());
                        }
                        Fate::Protect((id, flow.id))
                    }
                };
                lines.push(Line::Permit(meaning.selectors.clone(), fate));
            }
        }
        lines.extend(block(&mut fragments));
        if !flows.is_empty() {
            self.connections
                .push(Arc::new(connection(entry, id, flows)));
        }
        lines
    }

    fn exemption(&mut self, entry: &Entry, line: &selector::Line) -> Option<Line<Fate>> {
        if let Some(problem) = line.meanings.iter().find_map(|meaning| meaning.problem) {
            self.refused(entry, line, problem, "it exempts nothing");
            return None;
        }
        let selectors = line.meanings.iter().flat_map(|meaning| &meaning.selectors);
        let selectors: Vec<Selector> = selectors.flat_map(selector::without_fragments).collect();
        if selectors.is_empty() && line.meanings.iter().any(|one| !one.selectors.is_empty()) {
            let problem = "the kernel cannot tell such packets from fragments of others";
            self.refused(entry, line, problem, "it exempts nothing");
            return None;
        }
        Some(Line::Deny(selectors))
    }

    /// Says that a line is legal and does nothing.
    fn never_matches(
        &mut self,
        group: &[Entry],
        entry: &Entry,
        line: &selector::Line,
        by: shadow::Taken,
    ) {
        let (at, so) = match by {
            shadow::Taken::Denied(at) => (
                at,
                "it never matches, and its traffic is not protected by this entry",
            ),
            shadow::Taken::Earlier(at) => (at, "it never matches"),
        };
        let by = group
            .get(at.0)
            .and_then(|by| Some((by, by.rules.get(at.1)?)));
        let Some((by, taker)) = by else { return };
        let whose = match by.sequence == entry.sequence {
            true => String::new(),
            false => format!(" of {}", by.name()),
        };
        let problem = format!(
            "\"{}\"{whose} before it takes all of its traffic",
            taker.shown()
        );
        self.refused(entry, line, &problem, so);
    }

    fn refused(&mut self, entry: &Entry, line: &selector::Line, problem: &str, so: &str) {
        let place = line.place(&entry.access_list, &entry.name());
        self.problems.push(format!("{place}: {problem}; {so}"));
    }

    fn add_flow(&mut self, entry: &Entry, id: ConnectionId, flow: &Flow, rule: usize) {
        let (Some(local), Some(peer), Some(set)) = (
            entry.local,
            entry.peers.first(),
            entry.transform_sets.first(),
        ) else {
            return;
        };
        let reqid = Reqid::nth(flow.id.0);
        let name = (id, flow.id);
        self.by_reqid.insert((reqid, entry.index), name);
        self.flows.insert(
            name,
            FlowPlan {
                reqid,
                interface: entry.index,
                local,
                several_peers: entry.peers.len() > 1,
                rule,
                places: Vec::new(),
                shape: Shape::first(set, local, *peer, flow),
            },
        );
    }

    fn place(&mut self, interface: u32, selector: Selector, fate: Option<Fate>, rank: u32) {
        let action = match fate {
            Some(Fate::Protect(name)) => {
                if let Some(flow) = self.flows.get_mut(&name) {
                    flow.places.push((selector, rank));
                }
                return;
            }
            Some(Fate::Block) => Action::Block,
            None => Action::Bypass,
        };
        let policy = |direction, selector, interface| PolicySpec {
            key: PolicyKey {
                direction,
                selector,
                interface,
            },
            priority: Priority::line(rank),
            action: action.clone(),
        };
        self.fixed.push(policy(Direction::Out, selector, interface));
        self.fixed
            .push(policy(Direction::In, selector.reversed(), 0));
        self.fixed
            .push(policy(Direction::Fwd, selector.reversed(), 0));
    }
}

/// Fragments of what lines with ports protect: no SA of one port could take them, so they are dropped.
fn block(fragments: &mut IndexSet<Selector>) -> Option<Line<Fate>> {
    let selectors: Vec<Selector> = fragments.drain(..).collect();
    (!selectors.is_empty()).then_some(Line::Permit(selectors, Fate::Block))
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

/// Whose flow a number is.
type Taken = HashMap<
    u32,
    (
        String,
        u16,
        ike::selector::Selector,
        ike::selector::Selector,
    ),
>;

/// A number for a flow that is the same after a restart and does not depend on other entries (but for rare
/// collisions): a hash of what it protects. It is also the number of its reqid. The same line of the same map on two
/// interfaces has one number, because inbound policies cannot tell interfaces apart.
fn flow_id(
    entry: &Entry,
    local: &ike::selector::Selector,
    remote: &ike::selector::Selector,
    taken: &mut Taken,
) -> FlowId {
    let text = format!("{} {} {local} {remote}", entry.map, entry.sequence);
    let what = (entry.map.clone(), entry.sequence, *local, *remote);
    let mut n = fnv(text.as_bytes()) % Reqid::COUNT;
    while *taken.entry(n).or_insert_with(|| what.clone()) != what {
        n = (n + 1) % Reqid::COUNT;
    }
    FlowId(n)
}

/// FNV-1a, folded: stable over versions of the compiler, unlike the standard library's hashers.
fn fnv(bytes: &[u8]) -> u32 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    ((hash >> 32) ^ (hash & 0xffff_ffff)) as u32
}

impl Names {
    fn connection(&mut self, entry: &Entry) -> ConnectionId {
        let next = &mut self.next;
        *self.connections.entry(key(entry)).or_insert_with(|| {
            *next += 1;
            ConnectionId(*next)
        })
    }

    fn retain(&mut self, entries: &[Entry]) {
        let alive: HashSet<_> = entries.iter().map(key).collect();
        self.connections.retain(|key, _| alive.contains(key));
    }
}

fn key(entry: &Entry) -> (String, String, u16) {
    (entry.interface.clone(), entry.map.clone(), entry.sequence)
}
