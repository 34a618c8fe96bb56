//! What a list of entries asks for, all at once and written out: for the tests of what lines mean.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ike::config::Connection;
use isthmus_kernel::{
    Action, Direction, Level, PolicyKey, PolicySpec, Priority, Reqid, Selector, Template,
};

use super::child::{kernel_protocol, modes};
use super::entry::Entry;
use super::flows::{self, Fate, FlowName, Shape};
use super::source::{Gathered, Places, Source};
use super::units::{self, Dirty};

/// Entries as they are.
pub(super) struct Entries<'a>(pub(super) &'a [Entry]);

impl Source for Entries<'_> {
    fn places(&self) -> Places {
        let mut places = Places::default();
        for entry in self.0 {
            let is_there =
                |one: &Entry| (&one.interface, &one.map) == (&entry.interface, &entry.map);
            if !places.places.iter().any(is_there) {
                places.places.push(Entry {
                    sequence: 0,
                    rules: Vec::new(),
                    ..entry.clone()
                });
            }
        }
        places
    }

    fn sequences(&self, place: &Entry) -> BTreeSet<u16> {
        let own = self.0.iter().filter(|one| one.map == place.map);
        own.map(|one| one.sequence).collect()
    }

    fn entries(&self, place: &Entry, sequence: u16) -> Gathered {
        let own = self.0.iter().filter(|one| {
            (&one.interface, &one.map, one.sequence) == (&place.interface, &place.map, sequence)
        });
        Gathered {
            entries: own.cloned().collect(),
            ..Gathered::default()
        }
    }
}

/// Names that stay from one plan to the next.
#[derive(Default)]
pub(super) struct Names(units::Plan);

/// What the entries ask for.
pub(crate) struct Plan {
    pub(crate) connections: Vec<Arc<Connection>>,
    pub(super) flows: HashMap<FlowName, FlowPlan>,
    /// Exemptions and blocks, in their order.
    pub(super) fixed: Vec<PolicySpec>,
    pub(super) by_reqid: HashMap<(Reqid, u32), FlowName>,
    pub(crate) problems: Vec<String>,
    overlaps: bool,
}

/// A flow with its places among all lines.
pub(super) struct FlowPlan {
    plan: flows::FlowPlan,
    pub(super) reqid: Reqid,
    pub(super) places: Vec<(Selector, u32)>,
    pub(super) shape: Shape,
}

impl FlowPlan {
    /// Its policies when it is wrapped like `shape`, as the kernel's crate says that a line's are.
    pub(super) fn policies(&self, shape: &Shape) -> Vec<PolicySpec> {
        let templates: Vec<Template> = modes(shape.mode, shape.protocols.len())
            .zip(&shape.protocols)
            .map(|(mode, protocol)| Template {
                source: self.plan.local,
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
                let interface = self.plan.interface;
                PolicySpec::for_crypto_map_line(interface, *selector, *rank, &templates)
            })
            .collect();
        if self.plan.several_peers {
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
            template.source = std::net::Ipv4Addr::UNSPECIFIED.into();
        }
    }
}

impl Plan {
    pub(crate) fn overlaps(&self) -> bool {
        self.overlaps
    }

    /// The policies that should stand: of those of one key the first one.
    pub(crate) fn policies(&self) -> HashMap<PolicyKey, PolicySpec> {
        let flows = self.flows.values();
        let asked = flows.flat_map(|flow| flow.policies(&flow.shape));
        let mut desired: HashMap<PolicyKey, PolicySpec> = HashMap::new();
        for policy in asked.chain(self.fixed.iter().cloned()) {
            match desired.get(&policy.key) {
                Some(known) if known.priority <= policy.priority => {}
                _ => {
                    desired.insert(policy.key, policy);
                }
            }
        }
        desired
    }
}

/// Plans all of them.
pub(super) fn plan(entries: &[Entry], names: &mut Names) -> Plan {
    let everything = Dirty {
        everything: true,
        ..Dirty::default()
    };
    names.0.update(&Entries(entries), &everything);
    written(&names.0)
}

/// A plan written out.
pub(crate) fn written(plan: &units::Plan) -> Plan {
    let mut flows: HashMap<FlowName, FlowPlan> = HashMap::new();
    for (name, flow) in plan.flows() {
        let written = FlowPlan {
            plan: flow.clone(),
            reqid: flow.reqid,
            places: Vec::new(),
            shape: flow.shape.clone(),
        };
        flows.insert(*name, written);
    }
    let mut claims: Vec<_> = plan
        .claims()
        .selectors()
        .flat_map(|selector| {
            plan.claims()
                .of(selector)
                .iter()
                .map(|one| (*selector, *one))
        })
        .collect();
    claims.sort_by_key(|(_, claim)| claim.rank);
    let mut fixed = Vec::new();
    for (selector, claim) in claims {
        let action = match claim.fate {
            Some(Fate::Protect(name)) => {
                flows
                    .get_mut(&name)
                    .unwrap()
                    .places
                    .push((selector, claim.rank));
                continue;
            }
            Some(Fate::Block) => Action::Block,
            None => Action::Bypass,
        };
        let inbound = selector.reversed();
        for (direction, selector, interface) in [
            (Direction::Out, selector, claim.interface),
            (Direction::In, inbound, 0),
            (Direction::Fwd, inbound, 0),
        ] {
            fixed.push(PolicySpec {
                key: PolicyKey {
                    direction,
                    selector,
                    interface,
                },
                priority: Priority::line(claim.rank),
                action: action.clone(),
            });
        }
    }
    Plan {
        connections: plan.connections().cloned().collect(),
        by_reqid: flows
            .iter()
            .filter_map(|(name, flow)| {
                let key = (flow.reqid, flow.plan.interface);
                (plan.by_reqid(key.0, key.1) == Some(*name)).then_some((key, *name))
            })
            .collect(),
        flows,
        fixed,
        problems: plan.problems(),
        overlaps: plan.claims().overlap(),
    }
}
