//! What the fake kernel knows, and what each request does to it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use ipnet::IpNet;

use super::Counts;
use crate::{
    Acquire, AddressInfo, ErrorKind, Event, LinkInfo, PolicyKey, PolicySpec, ProbeReply, Request,
    RouteInfo, RouteSpec, RouteTarget, SaId, SaInfo, SaSpec, SaStats,
};

#[derive(Debug, Default)]
pub(super) struct State {
    pub counts: Counts,
    pub sas: HashMap<SaId, (SaSpec, SaStats)>,
    pub policies: HashMap<PolicyKey, (PolicySpec, u32, u64)>,
    /// The operator's.
    pub foreign_policies: HashSet<PolicyKey>,
    /// The operator's.
    pub foreign_sas: HashSet<SaId>,
    pub pending_acquires: Vec<Acquire>,
    pub links: BTreeMap<u32, LinkInfo>,
    pub addresses: Vec<AddressInfo>,
    pub routes: Vec<RouteInfo>,
    pub unchecked: Vec<String>,
    pub failures: VecDeque<(String, ErrorKind)>,
    pub lasting_failures: Vec<(String, ErrorKind)>,
    pub ping_replies: VecDeque<ProbeReply>,
    pub last_index: u32,
    /// Events were lost and that was not said yet.
    pub events_lost: bool,
}

/// Why something of the operator's is neither replaced nor deleted.
const FOREIGN: &str = "it was not made by isthmusd and is left alone";

type Refusal = (ErrorKind, String);

fn refuse<T>(kind: ErrorKind, hint: impl ToString) -> Result<T, Refusal> {
    Err((kind, hint.to_string()))
}

pub(super) fn same_tunnel(a: &Acquire, b: &Acquire) -> bool {
    (a.reqid, a.protocol, a.source, a.destination) == (b.reqid, b.protocol, b.source, b.destination)
}

pub(super) fn sa_info(spec: &SaSpec, stats: SaStats) -> SaInfo {
    SaInfo {
        id: spec.id(),
        source: spec.source,
        reqid: spec.reqid,
        mode: spec.mode,
        selector: spec.selector.map(|s| s.normalised()),
        replay_window: spec.replay_window,
        stats,
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_secs())
}

impl State {
    pub(super) fn count(&mut self, request: &Request) {
        let c = &mut self.counts;
        match request {
            Request::AddSa(_) => c.add_sa += 1,
            Request::DeleteSa(_) => c.delete_sa += 1,
            Request::SetPolicy(_) => c.set_policy += 1,
            Request::DeletePolicy(_) => c.delete_policy += 1,
            _ => c.other += 1,
        }
    }

    /// Whether the test made something of this text fail.
    pub(super) fn failure_of(&mut self, text: &str) -> Option<ErrorKind> {
        let is_meant = |(part, _): &(String, ErrorKind)| text.contains(part.as_str());
        if let Some(at) = self.failures.iter().position(is_meant) {
            return self.failures.remove(at).map(|(_, kind)| kind);
        }
        let mut lasting = self.lasting_failures.iter();
        lasting.find(|one| is_meant(one)).map(|(_, kind)| *kind)
    }

    pub(super) fn apply(&mut self, request: Request) -> Result<Vec<Event>, Refusal> {
        match request {
            Request::AddSa(spec) => self.add_sa(spec)?,
            Request::DeleteSa(id) => {
                if self.foreign_sas.contains(&id) {
                    return refuse(ErrorKind::NotOurs, FOREIGN);
                }
                if self.sas.remove(&id).is_none() {
                    return refuse(ErrorKind::NotFound, "it is gone");
                }
            }
            Request::SetPolicy(spec) => self.set_policy(spec)?,
            Request::DeletePolicy(key) => {
                let key = PolicyKey {
                    selector: key.selector.normalised(),
                    ..key
                };
                if self.foreign_policies.contains(&key) {
                    return refuse(ErrorKind::NotOurs, FOREIGN);
                }
                if self.policies.remove(&key).is_none() {
                    return refuse(ErrorKind::NotFound, "there is no such policy");
                }
            }
            Request::ForgetAcquire {
                source,
                destination,
                protocol,
                reqid,
                ..
            } => {
                self.pending_acquires.retain(|a| {
                    (a.reqid, a.protocol, a.source, a.destination)
                        != (reqid, protocol, source, destination)
                });
            }
            Request::SetAddress { interface, address } => {
                return self.set_address(&interface, address);
            }
            Request::RemoveAddress { interface, address } => {
                return self.remove_address(&interface, address);
            }
            Request::SetLink { interface, up, mtu } => {
                let link = self.link_mut(&interface)?;
                link.up = up.unwrap_or(link.up);
                link.running = link.up;
                link.mtu = mtu.unwrap_or(link.mtu);
                return Ok(vec![Event::LinkChanged(link.clone())]);
            }
            Request::CreateLink { name, .. } => return self.create_link(name),
            Request::DeleteLink { name } => return self.delete_link(&name),
            Request::AddRoute(route) => self.add_route(route)?,
            Request::RemoveRoute(route) => {
                let Some(at) = self
                    .routes
                    .iter()
                    .position(|r| r.ours && same_route(r, &route))
                else {
                    return refuse(ErrorKind::NotFound, "there is no such route of ours");
                };
                self.routes.remove(at);
            }
            Request::SetInboundCheck { interface, check } => {
                self.link_mut(&interface)?;
                self.unchecked.retain(|name| *name != interface);
                if !check {
                    self.unchecked.push(interface);
                }
            }
        }
        Ok(Vec::new())
    }

    fn add_sa(&mut self, spec: SaSpec) -> Result<(), Refusal> {
        spec.check().map_err(|why| (ErrorKind::Invalid, why))?;
        if self.sas.contains_key(&spec.id()) || self.foreign_sas.contains(&spec.id()) {
            return refuse(ErrorKind::Exists, "there is one already");
        }
        self.pending_acquires.retain(|a| {
            (a.reqid, a.protocol, a.source, a.destination)
                != (spec.reqid, spec.protocol, spec.source, spec.destination)
        });
        let stats = SaStats {
            added: now(),
            ..SaStats::default()
        };
        self.sas.insert(spec.id(), (spec, stats));
        Ok(())
    }

    fn set_policy(&mut self, mut spec: PolicySpec) -> Result<(), Refusal> {
        spec.check().map_err(|why| (ErrorKind::Invalid, why))?;
        spec.key.selector = spec.key.selector.normalised();
        if self.foreign_policies.contains(&spec.key) {
            return refuse(ErrorKind::NotOurs, FOREIGN);
        }
        let index = match self.policies.get(&spec.key) {
            Some((_, index, _)) => *index,
            None => {
                self.last_index += 1;
                self.last_index
            }
        };
        self.policies.insert(spec.key, (spec, index, now()));
        Ok(())
    }

    pub(super) fn index_of(&self, name: &str) -> Option<u32> {
        self.links
            .values()
            .find(|l| l.name == name)
            .map(|l| l.index)
    }

    fn link_mut(&mut self, name: &str) -> Result<&mut LinkInfo, Refusal> {
        let link = self.links.values_mut().find(|l| l.name == name);
        link.ok_or_else(|| (ErrorKind::NotFound, format!("there is no interface {name}")))
    }

    fn set_address(&mut self, interface: &str, address: IpNet) -> Result<Vec<Event>, Refusal> {
        let index = self.link_mut(interface)?.index;
        if self
            .addresses
            .iter()
            .any(|a| a.index == index && a.address == address)
        {
            return Ok(Vec::new());
        }
        let secondary = self
            .addresses
            .iter()
            .any(|a| a.index == index && a.address.trunc() == address.trunc());
        self.addresses.push(AddressInfo {
            index,
            address,
            secondary,
            ours: true,
        });
        Ok(vec![Event::AddressChanged {
            index,
            address,
            present: true,
        }])
    }

    fn remove_address(&mut self, interface: &str, address: IpNet) -> Result<Vec<Event>, Refusal> {
        let index = self.link_mut(interface)?.index;
        let Some(at) = self
            .addresses
            .iter()
            .position(|a| a.index == index && a.address == address)
        else {
            return refuse(ErrorKind::NotFound, "the interface does not have it");
        };
        if !self.addresses[at].ours {
            return refuse(
                ErrorKind::NotOurs,
                "it was not added by isthmusd and is left alone",
            );
        }
        self.addresses.remove(at);
        Ok(vec![Event::AddressChanged {
            index,
            address,
            present: false,
        }])
    }

    fn create_link(&mut self, name: String) -> Result<Vec<Event>, Refusal> {
        if name.is_empty() || name.len() > 15 || name.contains(['/', ' ']) {
            return refuse(
                ErrorKind::Invalid,
                "an interface name has 1 to 15 characters, no slash and no space",
            );
        }
        if let Ok(link) = self.link_mut(&name) {
            return match link.ours {
                true => Ok(Vec::new()),
                false => refuse(ErrorKind::Exists, "another interface has the name"),
            };
        }
        self.last_index += 1;
        let index = self.last_index;
        let link = LinkInfo {
            index,
            name,
            kind: "dummy".into(),
            ethernet: true,
            mac: vec![2, 1, 0, 0, 0, index as u8],
            mtu: 1500,
            ours: true,
            ..LinkInfo::default()
        };
        self.links.insert(index, link.clone());
        Ok(vec![Event::LinkChanged(link)])
    }

    fn delete_link(&mut self, name: &str) -> Result<Vec<Event>, Refusal> {
        let link = self.link_mut(name)?;
        if !link.ours {
            return refuse(
                ErrorKind::NotOurs,
                "it was not created by isthmusd and is left alone",
            );
        }
        let index = link.index;
        self.links.remove(&index);
        self.addresses.retain(|a| a.index != index);
        Ok(vec![Event::LinkRemoved {
            index,
            name: name.into(),
        }])
    }

    fn add_route(&mut self, route: RouteSpec) -> Result<(), Refusal> {
        if let RouteTarget::Interface(name) | RouteTarget::Gateway(_, Some(name)) = &route.target {
            self.link_mut(name)?;
        }
        if let RouteTarget::Gateway(gateway, _) = &route.target
            && !self.addresses.iter().any(|a| a.address.contains(gateway))
        {
            return refuse(
                ErrorKind::Unreachable,
                "the next hop is on no connected network",
            );
        }
        if self.routes.iter().any(|r| same_route(r, &route)) {
            return Ok(());
        }
        self.routes.push(RouteInfo {
            prefix: route.prefix.trunc(),
            target: route.target,
            metric: route.metric,
            protocol: crate::owner::PROTOCOL,
            connected: false,
            source: None,
            ours: true,
        });
        Ok(())
    }
}

fn same_route(have: &RouteInfo, want: &RouteSpec) -> bool {
    let target = match (&have.target, &want.target) {
        (RouteTarget::Gateway(a, _), RouteTarget::Gateway(b, None)) => a == b,
        (a, b) => a == b,
    };
    target && have.prefix == want.prefix.trunc() && have.metric == want.metric
}
