//! XFRM netlink messages → SAs, policies and events; `None` for what is not ours.

use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_core::Emitable;
use netlink_packet_xfrm::constants as c;
use netlink_packet_xfrm::{
    Address, ReplayEsn, Selector as KernelSelector, UserAcquire, UserExpire, UserPolicyId,
    UserPolicyInfo, UserSaId, UserSaInfo, UserTemplate,
};

use super::frame::{Frame, attributes};
use crate::{
    Acquire, Action, Direction, Event, Expire, IpsecMode, IpsecProtocol, Level, PolicyInfo,
    PolicyKey, PolicySpec, PortMatch, Priority, Reqid, Request, SaId, SaInfo, SaStats, Selector,
    Template,
};

fn address(a: &Address, family: u16) -> IpAddr {
    if family == c::AF_INET6 {
        a.to_ipv6().into()
    } else {
        a.to_ipv4().into()
    }
}

fn prefix(a: &Address, family: u16, length: u8) -> Option<IpNet> {
    IpNet::new(address(a, family), length).ok()
}

fn selector(k: &KernelSelector) -> Option<Selector> {
    Some(Selector {
        source: prefix(&k.saddr, k.family, k.prefixlen_s)?,
        destination: prefix(&k.daddr, k.family, k.prefixlen_d)?,
        protocol: k.proto,
        source_port: PortMatch {
            value: k.sport,
            mask: k.sport_mask,
        },
        destination_port: PortMatch {
            value: k.dport,
            mask: k.dport_mask,
        },
    })
}

const fn mode(m: u8) -> Option<IpsecMode> {
    match m {
        c::XFRM_MODE_TRANSPORT => Some(IpsecMode::Transport),
        c::XFRM_MODE_TUNNEL => Some(IpsecMode::Tunnel),
        _ => None,
    }
}

const fn direction(d: u8) -> Option<Direction> {
    match d {
        c::XFRM_POLICY_IN => Some(Direction::In),
        c::XFRM_POLICY_OUT => Some(Direction::Out),
        c::XFRM_POLICY_FWD => Some(Direction::Fwd),
        _ => None,
    }
}

/// Types and values; never those that hold keys.
type Attributes = Vec<(u16, Vec<u8>)>;

/// A message's fixed structure and its attributes.
fn split<T: Emitable>(
    frame: &Frame,
    kinds: &[u16],
    head: fn(&[u8]) -> Option<T>,
) -> Option<(T, Attributes)> {
    if !kinds.contains(&frame.kind) {
        return None;
    }
    let head = head(&frame.body)?;
    let rest = frame.body.get(head.buffer_len()..).unwrap_or_default();
    // keys stay behind in the frame, which wipes them
    let wanted = attributes(rest)
        .filter(|(kind, _)| [c::XFRMA_TMPL, c::XFRMA_REPLAY_ESN_VAL].contains(kind));
    let wanted = wanted.map(|(kind, value)| (kind, value.to_vec())).collect();
    Some((head, wanted))
}

/// From XFRM_MSG_NEWSA of an acquire that waits: how it is forgotten.
pub(super) fn forget_acquire(frame: &Frame) -> Option<Request> {
    let (sa, _) = split(frame, &[c::XFRM_MSG_NEWSA], |b| UserSaInfo::parse(b).ok())?;
    if sa.id.spi != 0 {
        return None;
    }
    Some(Request::ForgetAcquire {
        source: address(&sa.saddr, sa.family),
        destination: address(&sa.id.daddr, sa.family),
        protocol: IpsecProtocol::from_number(sa.id.proto)?,
        mode: mode(sa.mode)?,
        reqid: Reqid::from_kernel(sa.reqid)?,
    })
}

fn named(sa: &UserSaInfo) -> Option<(SaId, Reqid)> {
    let id = SaId {
        destination: address(&sa.id.daddr, sa.family),
        protocol: IpsecProtocol::from_number(sa.id.proto)?,
        spi: sa.id.spi,
    };
    // SPI 0 is an acquire that waits
    (sa.id.spi != 0).then_some((id, Reqid::from_kernel(sa.reqid)?))
}

/// From XFRM_MSG_NEWSA.
pub(super) fn sa(frame: &Frame) -> Option<SaInfo> {
    let (sa, rest) = split(frame, &[c::XFRM_MSG_NEWSA], |b| UserSaInfo::parse(b).ok())?;
    let (id, reqid) = named(&sa)?;
    let esn = rest
        .iter()
        .find(|(kind, _)| *kind == c::XFRMA_REPLAY_ESN_VAL);
    let esn = esn.and_then(|(_, value)| ReplayEsn::parse(value).ok());
    let any = KernelSelector {
        family: sa.selector.family,
        ..KernelSelector::default()
    };
    Some(SaInfo {
        id,
        source: address(&sa.saddr, sa.family),
        reqid,
        mode: mode(sa.mode)?,
        selector: if sa.selector == any {
            None
        } else {
            selector(&sa.selector)
        },
        replay_window: esn.map_or(u32::from(sa.replay_window), |e| e.replay_window),
        stats: SaStats {
            bytes: sa.lifetime_cur.bytes,
            packets: sa.lifetime_cur.packets,
            added: sa.lifetime_cur.add_time,
            used: sa.lifetime_cur.use_time,
            replays: sa.stats.replay,
            outside_window: sa.stats.replay_window,
            integrity_failures: sa.stats.integrity_failed,
        },
    })
}

/// The SPI in an answer to XFRM_MSG_ALLOCSPI.
pub(super) fn allocated_spi(frame: &Frame) -> Option<u32> {
    UserSaInfo::parse(&frame.body).ok().map(|sa| sa.id.spi)
}

fn templates(rest: &Attributes) -> Vec<UserTemplate> {
    let all = rest.iter().filter(|(kind, _)| *kind == c::XFRMA_TMPL);
    all.flat_map(|(_, value)| value.chunks_exact(64))
        .filter_map(|t| UserTemplate::parse(t).ok())
        .collect()
}

fn policy_key(p: &UserPolicyInfo) -> Option<PolicyKey> {
    Some(PolicyKey {
        direction: direction(p.direction)?,
        selector: selector(&p.selector)?,
        interface: p.selector.ifindex as u32,
    })
}

/// From XFRM_MSG_NEWPOLICY.
pub(super) fn policy(frame: &Frame) -> Option<PolicyInfo> {
    let (p, rest) = split(frame, &[c::XFRM_MSG_NEWPOLICY], |b| {
        UserPolicyInfo::parse(b).ok()
    })?;
    let priority = Priority::from_kernel(p.priority)?;
    let template = |t: UserTemplate| {
        Some(Template {
            source: address(&t.saddr, t.family),
            destination: address(&t.id.daddr, t.family),
            protocol: IpsecProtocol::from_number(t.id.proto)?,
            mode: mode(t.mode)?,
            reqid: Reqid::from_kernel(t.reqid)?,
            level: if t.optional == 0 {
                Level::Required
            } else {
                Level::Use
            },
        })
    };
    let templates = templates(&rest)
        .into_iter()
        .map(template)
        .collect::<Option<Vec<_>>>()?;
    let action = match (p.action, templates.is_empty()) {
        (c::XFRM_POLICY_BLOCK, _) => Action::Block,
        (_, true) => Action::Bypass,
        (_, false) => Action::Protect(templates),
    };
    Some(PolicyInfo {
        spec: PolicySpec {
            key: policy_key(&p)?,
            priority,
            action,
        },
        index: p.index,
        added: p.lifetime_cur.add_time,
        used: p.lifetime_cur.use_time,
    })
}

/// What a frame tells of, in words, if it is not ours. From XFRM_MSG_NEWSA or XFRM_MSG_NEWPOLICY.
pub(super) fn foreign(frame: &Frame) -> Option<String> {
    match frame.kind {
        c::XFRM_MSG_NEWSA => {
            let sa = UserSaInfo::parse(&frame.body).ok()?;
            let ours = Reqid::from_kernel(sa.reqid).is_some();
            (!ours).then(|| format!("the SA with reqid {}", sa.reqid))
        }
        c::XFRM_MSG_NEWPOLICY => {
            let p = UserPolicyInfo::parse(&frame.body).ok()?;
            let ours = Priority::from_kernel(p.priority).is_some();
            (!ours).then(|| {
                format!(
                    "the policy with priority {} and index {}",
                    p.priority, p.index
                )
            })
        }
        _ => None,
    }
}

/// The body of the question that would be answered with a frame, if that is not ours.
pub(super) fn look_for_foreign(frame: &Frame) -> Option<Vec<u8>> {
    foreign(frame)?;
    let bytes = |id: &dyn Emitable| {
        let mut bytes = vec![0; id.buffer_len()];
        id.emit(&mut bytes);
        bytes
    };
    if frame.kind == c::XFRM_MSG_NEWSA {
        let sa = UserSaInfo::parse(&frame.body).ok()?;
        return Some(bytes(&UserSaId {
            daddr: sa.id.daddr,
            spi: sa.id.spi,
            family: sa.family,
            proto: sa.id.proto,
        }));
    }
    let p = UserPolicyInfo::parse(&frame.body).ok()?;
    Some(bytes(&UserPolicyId {
        selector: p.selector,
        index: 0,
        direction: p.direction,
    }))
}

/// From XFRM_MSG_ACQUIRE or XFRM_MSG_EXPIRE.
pub(super) fn event(frame: &Frame) -> Option<Event> {
    match frame.kind {
        c::XFRM_MSG_ACQUIRE => acquire(frame).map(Event::Acquire),
        c::XFRM_MSG_EXPIRE => expire(frame).map(Event::Expire),
        _ => None,
    }
}

/// From what the kernel tells of another program's change.
pub(super) fn by_others(frame: &Frame) -> Option<Event> {
    let attribute = |head: usize, wanted: u16| {
        let rest = frame.body.get(head..).unwrap_or_default();
        let found = attributes(rest).find(|(kind, _)| *kind == wanted);
        found.map(|(_, value)| value)
    };
    match frame.kind {
        c::XFRM_MSG_FLUSHPOLICY => Some(Event::PolicyTouched(None)),
        c::XFRM_MSG_NEWPOLICY | c::XFRM_MSG_UPDPOLICY => {
            let policy = UserPolicyInfo::parse(&frame.body).ok()?;
            policy_key(&policy).map(|key| Event::PolicyTouched(Some(key)))
        }
        c::XFRM_MSG_DELPOLICY => {
            let head = UserPolicyId::default().buffer_len();
            let policy = UserPolicyInfo::parse(attribute(head, c::XFRMA_POLICY)?).ok()?;
            policy_key(&policy).map(|key| Event::PolicyTouched(Some(key)))
        }
        c::XFRM_MSG_FLUSHSA => Some(Event::Overflow),
        c::XFRM_MSG_DELSA => {
            let head = UserSaId::default().buffer_len();
            let state = UserSaInfo::parse(attribute(head, c::XFRMA_SA)?).ok()?;
            expired(&state, true).map(Event::Expire)
        }
        _ => None,
    }
}

fn acquire(frame: &Frame) -> Option<Acquire> {
    let (a, rest) = split(frame, &[c::XFRM_MSG_ACQUIRE], |b| {
        UserAcquire::parse(b).ok()
    })?;
    let first = *templates(&rest).first()?;
    let family = if first.family == 0 {
        a.selector.family
    } else {
        first.family
    };
    Some(Acquire {
        reqid: Reqid::from_kernel(first.reqid)?,
        protocol: IpsecProtocol::from_number(a.id.proto)?,
        source: address(&a.saddr, family),
        destination: address(&a.id.daddr, family),
        policy: policy_key(&a.policy)?,
        priority: Priority::from_kernel(a.policy.priority)?,
        policy_index: a.policy.index,
        packet: selector(&a.selector)?,
        sequence: a.seq,
    })
}

fn expire(frame: &Frame) -> Option<Expire> {
    let (e, _) = split(frame, &[c::XFRM_MSG_EXPIRE], |b| UserExpire::parse(b).ok())?;
    expired(&e.state, e.hard != 0)
}

fn expired(state: &UserSaInfo, hard: bool) -> Option<Expire> {
    let (sa, reqid) = named(state)?;
    Some(Expire {
        sa,
        source: address(&state.saddr, state.family),
        reqid,
        hard,
        bytes: state.lifetime_cur.bytes,
        packets: state.lifetime_cur.packets,
    })
}
